//! Teams, and who is in them.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::TeamMutation;
pub(crate) use query::{TeamQuery, team};
pub(crate) use types::{Membership, MembershipRole, Team};
