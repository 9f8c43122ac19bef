//! Deleting a contact, and bringing it back. A deleted contact keeps its number.

use switchboard_domain::change::Change;
use switchboard_domain::contact::{Contact, ContactDetails};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{ContactId, StatusId};
use switchboard_domain::permission::Permission;
use switchboard_domain::status;
use switchboard_store::contacts::StoredContact;
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;

use super::access::{check_live, check_owner, check_version, find};
use super::edit::{Decision, edit};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Deletes a contact: it leaves every list but that of deleted ones, and the calling order. 2 requests, 1 R and 1 W, 2 for index 1 and 1 for
/// index 2.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:delete`, [`AppError::NotFound`]; those of the database. What a person can mend is in the inner result.
pub async fn delete(services: &Services, viewer: &Viewer, id: GivenId<ContactId>, expected_version: i32) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    let stored = find(services, viewer, Permission::ContactDelete, &id).await?;
    let change = Change::new("contact.deleted", services.clock.now(), viewer.origin());
    let decide = |stored: &StoredContact| {
        let contact = &stored.contact;
        if let Err(error) = check_live(contact).and_then(|()| check_version(contact, Some(expected_version))) {
            return Ok(error.into());
        }
        Ok(Decision::Write(deleted(contact, change.clone()), Vec::new()))
    };
    Ok(edit(services, &viewer.tenant, &viewer.settings, stored, decide).await?.into_result())
}

/// The status of a contact that comes back: its own, or `new` when that was deleted meanwhile.
pub(crate) fn status_of_returned(settings: &Settings, status: StatusId) -> StatusId {
    let is_deleted = settings.status(status).is_some_and(|status| status.deleted_at.is_some());
    settings.status_by_code(status::NEW).filter(|_| is_deleted).map_or(status, |new| new.id)
}

/// Whether whose a contact was is still there to have it. 1 request for whose it is, 2 R for an agent and 1 R for a team; nothing for nobody's.
pub(crate) async fn is_owner_there(services: &Services, tenant: &OpenTenant, details: &ContactDetails) -> Result<bool, AppError> {
    Ok(check_owner(services, tenant, details.assignee.map(Some), details.team.map(Some)).await?.is_ok())
}

/// The contact after it was deleted by this change.
pub(super) fn deleted(contact: &Contact, change: Change) -> Contact {
    Contact { deleted_at: Some(change.at), record: contact.record.changed(change), ..contact.clone() }
}

/// Brings a deleted contact back, with all it had; when its status was deleted meanwhile it gets `new`, and when whose it was is no longer there it becomes
/// nobody's. 2 requests, and 1 more for whose it is, up to 2 R; 1 R and 1 W, 2 for index 1 and 1 for index 2.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:restore`, [`AppError::NotFound`]; those of the database. What a person can mend is in the inner
/// result.
pub async fn restore(services: &Services, viewer: &Viewer, id: GivenId<ContactId>, expected_version: Option<i32>) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    let stored = find(services, viewer, Permission::ContactRestore, &id).await?;
    let newer = services.tenants.settings_knowing(&viewer.tenant.scope, &viewer.settings, stored.contact.details.status).await?;
    let settings = newer.as_ref().unwrap_or(&viewer.settings);
    let change = Change::new("contact.restored", services.clock.now(), viewer.origin());
    let (assignee, team) = (stored.contact.details.assignee, stored.contact.details.team);
    let is_owned = is_owner_there(services, &viewer.tenant, &stored.contact.details).await?;
    let decide = |stored: &StoredContact| {
        let contact = &stored.contact;
        if let Err(error) = check_version(contact, expected_version) {
            return Ok(error.into());
        }
        let refused = match (&contact.merged_into, contact.deleted_at) {
            (Some(_), _) => Some("This contact was merged into another. Undo the merge instead."),
            (None, None) => Some("This contact isn't deleted. There is nothing to restore."),
            (None, Some(_)) => None,
        };
        if let Some(message) = refused {
            return Ok(UserError::new("id", FieldErrorCode::ForbiddenTransition, message).into());
        }
        let mut after = Contact { deleted_at: None, record: contact.record.changed(change.clone()), ..contact.clone() };
        after.details.status = status_of_returned(settings, after.details.status);
        if !is_owned && (after.details.assignee, after.details.team) == (assignee, team) {
            (after.details.assignee, after.details.team) = (None, None);
        }
        Ok(Decision::Write(after, Vec::new()))
    };
    Ok(edit(services, &viewer.tenant, &viewer.settings, stored, decide).await?.into_result())
}
