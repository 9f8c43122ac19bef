//! What agents are doing.

mod loader;
mod mutation;
mod query;
mod types;

pub(crate) use loader::PresenceLoader;
pub(crate) use mutation::PresenceMutation;
pub(crate) use query::PresenceQuery;
pub(crate) use types::{Presence, PresenceStatus, of_agent};
