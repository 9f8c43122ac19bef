//! What Switchboard does, a verb per file: authorise, decide by the rules of the domain, write.

pub mod agents;
pub mod audit;
pub mod audit_exports;
pub mod bulk;
pub mod changes;
pub mod contact_index;
pub mod contacts;
pub mod demo;
mod error;
mod given;
pub mod idempotency;
pub mod imports;
mod jobs;
pub mod people;
pub mod presence;
pub mod roles;
pub mod schedules;
pub mod scoring;
mod services;
pub mod statuses;
pub mod suppressions;
pub mod teams;
pub mod tenant_creation;
pub mod tenant_settings;
mod tenants;
pub mod users;
pub mod viewer;

pub use error::{AppError, Existing, UserError};
pub use given::GivenId;
pub use services::Services;
pub use tenants::Tenants;
pub use viewer::Viewer;
