//! The GraphQL API: types, queries and mutations by noun, and the limits every request is held to.

mod audit;
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
mod people;
mod scalars;
mod schema;
mod status;
mod suppression;

pub use context::{Api, request_data};
pub use errors::{Code, error_response, finish};
pub use schema::{ApiSchema, schema, sdl};
