//! The GraphQL API: types, queries and mutations by noun, and the limits every request is held to.

mod access;
mod agent;
mod audit;
mod audit_export;
mod authorise;
mod bulk_job;
mod contact;
mod context;
mod errors;
mod import;
mod limits;
mod loader;
mod node;
mod node_id;
mod page;
mod presence;
mod refusals;
mod role;
mod scalars;
mod schedule;
mod schema;
mod score;
mod scoring;
mod status;
mod suppression;
mod team;
mod tenant;
mod user;

pub use access::{ACCESS, Access, Needs, Refusal};
pub use context::{Api, request_data};
pub use errors::{Code, error_response, finish};
pub use refusals::refused_fields;
pub use schema::{ApiSchema, schema, sdl};
