//! Contacts.

mod duplicates;
mod filter;
mod mutation;
mod note;
mod query;
mod types;

pub(crate) use duplicates::ContactDuplicatesQuery;
pub(crate) use filter::ContactFilterInput;
pub(crate) use mutation::{ContactMutation, agent_id, team_id};
pub(crate) use note::Note;
pub(crate) use query::{ContactQuery, connection};
pub(crate) use types::{Contact, MASK};
