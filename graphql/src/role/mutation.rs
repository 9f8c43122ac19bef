//! The mutations of roles.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::roles::{self, CreateRole, DeleteRole, UpdateRole};
use switchboard_domain::person;
use switchboard_domain::role::{RoleInput, RolePatch};

use super::{Role, role_id};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};

/// A role to be created.
#[derive(InputObject)]
pub(crate) struct RoleCreateInput {
    /// What people read: at most 50 characters, unique in the tenant whatever its capitals and accents.
    name: String,
    /// A lower-case letter, then lower-case letters, digits and underscores, at most 50 in all; unique in the tenant, deleted roles included. Made of the
    /// name when not given.
    code: Option<String>,
    /// What holders may do, as `noun:verb:SCOPE`, at most 100; see `permissions`. You can give what you have yourself.
    permissions: Vec<String>,
    /// The client's own key for this creation, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// A role to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct RoleUpdateInput {
    /// The role.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
    /// What people read: at most 50 characters.
    name: MaybeUndefined<String>,
    /// What holders may do, all of it, as `noun:verb:SCOPE`. You can give and take what you have yourself. Those of administrators can't change.
    permissions: MaybeUndefined<Vec<String>>,
}

/// A role to be deleted.
#[derive(InputObject)]
pub(crate) struct RoleDeleteInput {
    /// The role.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
}

macro_rules! role_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The role; null exactly when there are errors.
            role: Option<Role>,
            /// What to mend.
            user_errors: Vec<UserError>,
        }

        impl From<std::result::Result<person::Role, Vec<AppUserError>>> for $name {
            fn from(result: std::result::Result<person::Role, Vec<AppUserError>>) -> Self {
                match result {
                    Ok(role) => Self { role: Some(Role(role)), user_errors: Vec::new() },
                    Err(errors) => Self { role: None, user_errors: errors.into_iter().map(UserError::from).collect() },
                }
            }
        }
    };
}

role_payload!(
    /// What came of creating a role.
    RoleCreatePayload
);
role_payload!(
    /// What came of changing a role.
    RoleUpdatePayload
);
role_payload!(
    /// What came of deleting a role.
    RoleDeletePayload
);

/// The mutations of roles.
#[derive(Default)]
pub(crate) struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Creates a role. A name or code that another one has is TAKEN, a permission that you don't have NOT_ALLOWED. It can be half a minute until it is
    /// listed everywhere.
    async fn role_create(&self, ctx: &Context<'_>, #[graphql(desc = "The role.")] input: RoleCreateInput) -> Result<RoleCreatePayload> {
        let values = RoleInput { name: input.name, code: input.code, permissions: input.permissions };
        let request = CreateRole { input: values, idempotency_key: input.idempotency_key };
        Ok(roles::create(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Changes a role. It can be half a minute until its holders may do more, or no longer may.
    async fn role_update(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: RoleUpdateInput) -> Result<RoleUpdatePayload> {
        let patch = RolePatch { name: input.name.into(), permissions: input.permissions.into() };
        let request = UpdateRole { id: role_id(&input.id), expected_version: input.expected_version, patch };
        Ok(roles::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Deletes a role that nobody holds; else IN_USE says how many users hold it, disabled ones included, up to 1,000. Those that every tenant has from the
    /// start are NOT_ALLOWED. Its code stays taken, its name doesn't.
    async fn role_delete(&self, ctx: &Context<'_>, #[graphql(desc = "The role.")] input: RoleDeleteInput) -> Result<RoleDeletePayload> {
        let request = DeleteRole { id: role_id(&input.id), expected_version: input.expected_version };
        Ok(roles::delete(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }
}
