//! Roles and permissions.

mod mutation;
mod query;
mod types;

use async_graphql::ID;
use switchboard_domain::ids::RoleId;

use crate::node_id::NodeId;

pub(crate) use mutation::RoleMutation;
pub(crate) use query::RoleQuery;
pub(crate) use types::Role;

/// The role that an id names; none for anything else.
pub(crate) fn role_id(id: &ID) -> Option<RoleId> {
    match NodeId::parse(id) {
        Some(NodeId::Role(id)) => Some(id),
        _ => None,
    }
}
