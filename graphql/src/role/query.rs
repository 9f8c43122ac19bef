//! The queries for roles and permissions.

use async_graphql::{Context, Object};
use switchboard_domain::permission::Permission;
use switchboard_domain::person;
use switchboard_domain::text;

use super::Role;
use super::types::PermissionDescription;
use crate::context::ContextExt;

/// The queries for roles.
#[derive(Default)]
pub(crate) struct RoleQuery;

#[Object]
impl RoleQuery {
    /// The roles of the tenant by name; deleted ones are left out.
    async fn roles(&self, ctx: &Context<'_>) -> Vec<Role> {
        let mut roles: Vec<person::Role> = ctx.viewer().settings.live_roles().cloned().collect();
        roles.sort_by_cached_key(|role| (text::fold(&role.name), role.id));
        roles.into_iter().map(Role).collect()
    }

    /// Every permission there is, in the order in which people read them.
    async fn permissions(&self) -> Vec<PermissionDescription> {
        Permission::ALL.into_iter().map(PermissionDescription).collect()
    }
}
