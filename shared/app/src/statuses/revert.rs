//! Bringing a status back to what it said at an earlier version.

use switchboard_domain::ids::StatusId;
use switchboard_domain::permission::Permission;
use switchboard_domain::status::{ContactStatus, StatusPatch};
use switchboard_store::settings;

use super::update::{UpdateStatus, update_as};
use crate::audit::revert::{Then, Versions, forbidden_transition, in_the_clear, said_at, unreadable};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Gives a status the name, colour, order and exclusion that it had. As `update`, whose job moves its contacts in the calling order too.
///
/// # Errors
/// As `update`. What a person can mend is in the inner result; of a deleted status `FORBIDDEN_TRANSITION`.
pub(crate) async fn revert(services: &Services, viewer: &Viewer, id: StatusId, versions: Versions) -> Result<Result<ContactStatus, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::StatusUpdate)?;
    let settings = settings::load(&services.core, &viewer.tenant.scope).await?;
    let status = settings.status(id).ok_or(AppError::NotFound)?;
    if status.deleted_at.is_some() {
        return Ok(Err(vec![forbidden_transition("This status was deleted, and none can be brought back. Create another.")]));
    }
    let then = said_at(services, viewer, (status, &id.to_string(), &status.record), versions, in_the_clear).await?;
    let patch = match then {
        Then::Now => return Ok(Ok(status.clone())),
        Then::Said(fields) => StatusPatch::from_fields(&fields).ok_or_else(unreadable)?,
        Then::Refused(error) => return Ok(Err(vec![error])),
    };
    let request = UpdateStatus { id: Some(id), expected_version: versions.expected, patch };
    let updated = update_as(services, viewer, request, versions.change(services, viewer, "contact_status.reverted")).await?;
    Ok(updated.map(|updated| updated.status).map_err(|errors| versions.told(errors, "contactStatusUpdate")))
}
