//! Bringing a role back to what it was called and granted at an earlier version.

use switchboard_domain::ids::RoleId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Role;
use switchboard_domain::role::RolePatch;
use switchboard_store::settings;

use super::update::{UpdateRole, update_as};
use crate::audit::revert::{Then, Versions, forbidden_transition, in_the_clear, said_at, unreadable};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Gives a role the name and the permissions that it had, by one who has what it grants more or less by that. As `update`.
///
/// # Errors
/// As `update`. What a person can mend is in the inner result; of a deleted role `FORBIDDEN_TRANSITION`.
pub(crate) async fn revert(services: &Services, viewer: &Viewer, id: RoleId, versions: Versions) -> Result<Result<Role, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::RoleUpdate)?;
    let settings = settings::load(&services.core, &viewer.tenant.scope).await?;
    let role = settings.role(id).ok_or(AppError::NotFound)?;
    if !role.is_live() {
        return Ok(Err(vec![forbidden_transition("This role was deleted, and none can be brought back. Create another.")]));
    }
    let then = said_at(services, viewer, (role, &id.to_string(), &role.record), versions, in_the_clear).await?;
    let patch = match then {
        Then::Now => return Ok(Ok(role.clone())),
        Then::Said(fields) => RolePatch::from_fields(&fields).ok_or_else(unreadable)?,
        Then::Refused(error) => return Ok(Err(vec![error])),
    };
    let request = UpdateRole { id: Some(id), expected_version: versions.expected, patch };
    let updated = update_as(services, viewer, request, versions.change(services, viewer, "role.reverted")).await?;
    Ok(updated.map_err(|errors| versions.told(errors, "roleUpdate")))
}
