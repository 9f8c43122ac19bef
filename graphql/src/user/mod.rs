//! Users.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::UserMutation;
pub(crate) use query::{UserQuery, user};
pub(crate) use types::User;
