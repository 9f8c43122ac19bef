//! Contacts.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::ContactMutation;
pub(crate) use query::ContactQuery;
pub(crate) use types::{Contact, MASK};
