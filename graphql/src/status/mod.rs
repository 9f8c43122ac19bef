//! The statuses of contacts.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::ContactStatusMutation;
pub(crate) use query::ContactStatusQuery;
pub(crate) use types::ContactStatus;
