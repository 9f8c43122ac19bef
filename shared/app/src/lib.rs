//! What Switchboard does, a verb per file: authorise, decide by the rules of the domain, write.

pub mod audit;
pub mod bulk;
pub mod changes;
pub mod contact_index;
pub mod contacts;
pub mod demo;
mod error;
pub mod idempotency;
pub mod imports;
pub mod people;
mod services;
pub mod statuses;
pub mod suppressions;
mod tenants;
pub mod viewer;

pub use error::{AppError, Existing, UserError};
pub use services::Services;
pub use tenants::Tenants;
pub use viewer::Viewer;
