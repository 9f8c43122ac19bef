//! Writing notes about a contact, and reading them.

use std::collections::HashMap;

use serde::Serialize;
use switchboard_domain::change::Change;
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{ContactId, NoteId};
use switchboard_domain::note::{self, Note};
use switchboard_domain::permission::Permission;
use switchboard_domain::sealing::ContactKey;
use switchboard_store::contacts::{self, StoredContact, StoredNote, open_key};
use switchboard_store::table::Part;
use switchboard_store::{Page, StoreError, keys};

use super::access::{check_live, find};
use super::opened::opened;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::idempotency::{Pending, Recalled, key_taken, recall};
use crate::services::Services;
use crate::viewer::Viewer;

/// A note to be written.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AddNote {
    /// The contact.
    pub id: GivenId<ContactId>,
    /// The text.
    pub body: String,
    /// The client's own key for this note.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// Writes a note. The contact's own version stays. 2 requests: 1 R, and a transaction of 2 W per started KB of the note and 2 W for the
/// contact, whose erasure it must not meet; with an idempotency key 1 R and 2 W more.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:add_note`, [`AppError::NotFound`]; those of the database. What a person can mend is in the inner
/// result.
pub async fn add_note(services: &Services, viewer: &Viewer, request: AddNote) -> Result<Result<(Contact, Note), Vec<UserError>>, AppError> {
    let mut stored = find(services, viewer, Permission::ContactAddNote, &request.id).await?;
    let tenant = &viewer.tenant;
    let pending = match recall(services, tenant, "contactAddNote", request.idempotency_key.as_deref(), &request).await? {
        Recalled::New(pending) => pending,
        Recalled::Answer(id) => return remembered(services, viewer, stored, &id).await,
        Recalled::Refused(error) => return Ok(Err(vec![error])),
    };
    if let Err(error) = check_live(&stored.contact) {
        return Ok(Err(vec![error]));
    }
    let body = match note::body("body", &request.body) {
        Ok(body) => body,
        Err(error) => return Ok(Err(vec![error.into()])),
    };
    let now = services.clock.now();
    let id = NoteId::new(now, &services.entropy.id());
    let note = Note::written(id, stored.contact.id.clone(), body, Change::new("note.created", now, viewer.origin()));
    for _ in 0..contacts::ATTEMPTS {
        if services.core.transact(&tenant.scope, parts(services, viewer, &stored, &note, pending.as_ref())?).await? {
            return Ok(Ok((stored.contact, note)));
        }
        // Something changed the contact, erased it, or used the key: look again.
        stored = find(services, viewer, Permission::ContactAddNote, &request.id).await?;
        if let Err(error) = check_live(&stored.contact) {
            return Ok(Err(vec![error]));
        }
        match recall(services, tenant, "contactAddNote", request.idempotency_key.as_deref(), &request).await? {
            Recalled::New(_) => {}
            Recalled::Answer(id) => return remembered(services, viewer, stored, &id).await,
            Recalled::Refused(_) => return Ok(Err(vec![key_taken()])),
        }
    }
    Err(StoreError::Unavailable("a contact keeps changing".to_owned()).into())
}

/// The note, on the condition that the contact still has the key it is sealed under.
fn parts(services: &Services, viewer: &Viewer, stored: &StoredContact, note: &Note, pending: Option<&Pending>) -> Result<Vec<Part>, AppError> {
    let tenant = &viewer.tenant;
    let key = open_key(&tenant.keyring, &note.contact, stored.wrapped_key())?;
    let mut parts = vec![
        contacts::note_part(&tenant.scope, note, &key, services.entropy.as_ref())?,
        Part::Check {
            key: keys::contact(&tenant.scope, &note.contact),
            condition: "attribute_exists(PK) AND attribute_not_exists(erased_at) AND attribute_not_exists(deleted_at)".to_owned(),
            values: Vec::new(),
        },
    ];
    parts.extend(pending.map(|pending| pending.part(tenant, note.id, services.clock.now())));
    Ok(parts)
}

async fn remembered(services: &Services, viewer: &Viewer, stored: StoredContact, id: &str) -> Result<Result<(Contact, Note), Vec<UserError>>, AppError> {
    let id = NoteId::parse(id).ok_or_else(|| AppError::Broken("an idempotency entry names no note".to_owned()))?;
    let item = services.core.get(&viewer.tenant.scope, &keys::note(&viewer.tenant.scope, &stored.contact.id, id)).await?.ok_or(AppError::NotFound)?;
    opened(services, viewer, &stored.contact.id).await?;
    let key = open_key(&viewer.tenant.keyring, &stored.contact.id, stored.wrapped_key())?;
    let note = contacts::decode_note(item)?.open(&key)?;
    Ok(Ok((stored.contact, note)))
}

/// One note, for who may see its contact, which is opened with it. 2 requests, 2 R; what [`opened`] costs beside it.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:read`; those of the database and of [`opened`].
pub async fn note(services: &Services, viewer: &Viewer, contact: &ContactId, id: NoteId) -> Result<Option<Note>, AppError> {
    let stored = match find(services, viewer, Permission::ContactRead, &Some(contact.clone())).await {
        Err(AppError::NotFound) => return Ok(None),
        stored => stored?,
    };
    let Some(item) = services.core.get(&viewer.tenant.scope, &keys::note(&viewer.tenant.scope, contact, id)).await? else {
        return Ok(None);
    };
    opened(services, viewer, &stored.contact.id).await?;
    let key = open_key(&viewer.tenant.keyring, &stored.contact.id, stored.wrapped_key())?;
    Ok(Some(contacts::decode_note(item)?.open(&key)?))
}

/// The notes about a contact and about those merged into it, newest first, those before `before`. 2 requests: 1 R for the contact, whose key
/// opens them, 1 R per started 4 KB of notes; for each merged contact 1 request and 1 R more.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:read`, [`AppError::NotFound`]; those of the database.
pub async fn notes(services: &Services, viewer: &Viewer, id: &ContactId, before: Option<NoteId>, first: usize) -> Result<Page<Note>, AppError> {
    let core = &services.core;
    let tenant = &viewer.tenant;
    let stored = find(services, viewer, Permission::ContactRead, &Some(id.clone())).await?;
    let losers = contacts::merged_into(core, tenant, &stored.contact).await?;
    let keys: HashMap<ContactId, ContactKey> = std::iter::once(&stored)
        .chain(&losers)
        .map(|stored| Ok((stored.contact.id.clone(), open_key(&tenant.keyring, &stored.contact.id, stored.wrapped_key())?)))
        .collect::<Result<_, StoreError>>()?;
    let pages = futures::future::try_join_all(keys.keys().map(|contact| contacts::notes(core, &tenant.scope, contact, before, first))).await?;
    let mut has_more = pages.iter().any(|page| page.has_more);
    let mut found: Vec<StoredNote> = pages.into_iter().flat_map(|page| page.entries).collect();
    found.sort_by_key(|note| std::cmp::Reverse(note.id()));
    has_more |= found.len() > first;
    found.truncate(first);
    let entries = found.iter().filter_map(|note| keys.get(&note.contact).map(|key| note.open(key))).collect::<Result<_, _>>()?;
    Ok(Page { entries, has_more })
}
