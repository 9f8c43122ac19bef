//! Giving a contact another status, with a note and the time of the next contact.

use jiff::Timestamp;
use switchboard_domain::change::Change;
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{ContactId, NoteId, StatusId};
use switchboard_domain::note::{self, Note};
use switchboard_domain::permission::Permission;
use switchboard_store::contacts::{self, StoredContact, open_key};

use super::access::{also, check_live, check_version, find, is_visible, live_status, settings};
use super::edit::{Decision, edit};
use super::opened::shown;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be set.
#[derive(Debug, Clone, Default)]
pub struct SetStatus {
    /// The contact.
    pub id: GivenId<ContactId>,
    /// The status.
    pub status: GivenId<StatusId>,
    /// What is to be remembered with it.
    pub note: Option<String>,
    /// When to call next; `Some(None)` empties it.
    pub next_contact_at: Option<Option<Timestamp>>,
    /// The version the client read, when that matters to it.
    pub expected_version: Option<i32>,
}

/// Sets a contact's status. 2 requests, 1 R and 1 W, 1 for index 1 and 2 for index 2; with a note, or when the number comes onto the
/// suppression list with it, a transaction of twice the units.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:set_status` (`contact:add_note` too with a note), [`AppError::NotFound`]; those of the database. What
/// a person can mend is in the inner result.
pub async fn set_status(services: &Services, viewer: &Viewer, request: SetStatus) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    let stored = find(services, viewer, Permission::ContactSetStatus, &request.id).await?;
    if request.note.is_some() {
        also(viewer, Permission::ContactAddNote, &stored.contact)?;
    }
    let scope = viewer.scope(Permission::ContactSetStatus)?;
    let tenant = &viewer.tenant;
    let settings = settings(services, viewer, request.status).await?;
    let now = services.clock.now();
    let change = Change::new("contact.status_set", now, viewer.origin());
    let note_id = NoteId::new(now, &services.entropy.id());
    let body = request.note.as_deref().filter(|text| !text.trim().is_empty()).map(|text| note::body("note", text)).transpose();
    let decide = |stored: &StoredContact| {
        let contact = &stored.contact;
        // It may have become another's since it was read.
        if !is_visible(viewer, scope, contact) {
            return Err(AppError::NotFound);
        }
        let mut errors = Vec::new();
        errors.extend(check_live(contact).and_then(|()| check_version(contact, request.expected_version)).err());
        let status = live_status(&settings, request.status).map_err(|error| errors.push(error)).ok();
        let body = body.clone().map_err(|error| errors.push(error.into())).ok().flatten();
        let (Some(status), true) = (status, errors.is_empty()) else {
            return Ok(Decision::Refused(errors));
        };
        let mut details = contact.details.clone();
        details.status = status.id;
        if let Some(at) = request.next_contact_at {
            details.next_contact_at = at.map(switchboard_domain::clock::to_millisecond);
        }
        let mut parts = Vec::new();
        if let Some(body) = body {
            let key = open_key(&tenant.keyring, &contact.id, stored.wrapped_key())?;
            let note = Note::written(note_id, contact.id.clone(), body, Change { action: "note.created".to_owned(), ..change.clone() });
            parts.push(contacts::note_part(&tenant.scope, &note, &key, services.entropy.as_ref())?);
        }
        let changes = details != contact.details;
        if !changes && parts.is_empty() {
            return Ok(Decision::Nothing);
        }
        // A note alone is no change of the contact, but it must not be written beside one that is being erased.
        let record = if changes { contact.record.changed(change.clone()) } else { contact.record.touched() };
        Ok(Decision::Write(Contact { record, details, ..contact.clone() }, parts))
    };
    shown(services, viewer, edit(services, tenant, &settings, stored, decide).await?).await
}
