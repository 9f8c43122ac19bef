//! Changing what a role is called and what it grants.

use switchboard_domain::change::Change;
use switchboard_domain::ids::RoleId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Role;
use switchboard_domain::role::{self, RolePatch};
use switchboard_store::settings;

use super::shown;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::users::standing;
use crate::viewer::{Viewer, grants};

/// What is to be changed.
#[derive(Debug, Clone, Default)]
pub struct UpdateRole {
    /// The role.
    pub id: GivenId<RoleId>,
    /// The version the client read.
    pub expected_version: i32,
    /// The values.
    pub patch: RolePatch,
}

/// Changes a role; nothing is written when that changes nothing. 4 requests: 5 R, and a transaction of 6 W; again as much each time another change of the
/// roles or statuses was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `role:update` for the whole tenant, [`AppError::NotFound`] also for a deleted role; those of the database. What a person
/// can mend is in the inner result.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdateRole) -> Result<Result<Role, Vec<UserError>>, AppError> {
    let change = Change::new("role.updated", services.clock.now(), viewer.origin());
    update_as(services, viewer, request, change).await
}

/// [`update`], as a change of this name.
///
/// # Errors
/// As [`update`].
pub(super) async fn update_as(services: &Services, viewer: &Viewer, request: UpdateRole, change: Change) -> Result<Result<Role, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::RoleUpdate)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let mut tried: Option<Role> = None;
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        viewer.require_all(Permission::RoleUpdate)?;
        let settings = settings::load(core, scope).await?;
        let before = settings.live_roles().find(|role| role.id == id).ok_or(AppError::NotFound)?;
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(before) {
            services.tenants.forget_settings(scope);
            return Ok(Ok(before.clone()));
        }
        let held = grants(&viewer.user, &settings);
        let after = match role::update(&settings.roles, before, request.expected_version, &request.patch, &held, change.clone()) {
            Ok(Some(after)) => after,
            Ok(None) => return Ok(Ok(before.clone())),
            Err(errors) => return Ok(Err(shown(errors))),
        };
        if settings::write_role(core, scope, settings.revision, &after, Some(before.record.revision), vec![standing::holding(viewer)]).await? {
            services.tenants.forget_settings(scope);
            return Ok(Ok(after));
        }
        tried = Some(after);
        back_off(services, attempt).await;
    }
    Err(busy())
}
