//! What Switchboard does, a verb per file: authorise, decide by the rules of the domain, write.

pub mod audit;
pub mod contacts;
pub mod demo;
mod error;
pub mod imports;
pub mod people;
mod services;
mod tenants;
pub mod viewer;

pub use error::{AppError, UserError};
pub use services::Services;
pub use tenants::Tenants;
pub use viewer::Viewer;
