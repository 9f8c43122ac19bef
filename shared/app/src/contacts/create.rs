//! Creating one contact.

use data_encoding::HEXLOWER;
use switchboard_domain::change::{Change, Revisioned};
use switchboard_domain::contact::{Contact, ContactDraft, ContactInput, OnInvalid};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, ContactId, StatusId, base32};
use switchboard_domain::permission::Permission;
use switchboard_domain::status;
use switchboard_store::contacts::{self, Creation};
use switchboard_store::{Freshness, idempotency, people};

use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Longest idempotency key, in characters.
const LONGEST_KEY: usize = 128;

/// What is to be created.
#[derive(Debug, Clone, Default)]
pub struct CreateContact {
    /// The values.
    pub input: ContactInput,
    /// The status; `new` when none is given. `Some(None)` is an id that doesn't decode.
    pub status: Option<Option<StatusId>>,
    /// The agent whose contact it is. `Some(None)` is an id that doesn't decode.
    pub assignee: Option<Option<AgentId>>,
    /// The client's own key for this creation: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// Creates a contact. 1 request, 1 W and one per index entry; 1 R more with an assignee; with an idempotency key 1 R more and a transaction.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:create`; those of the database. What a person can mend is in the inner result.
pub async fn create(services: &Services, viewer: &Viewer, request: CreateContact) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::ContactCreate)?;
    let now = services.clock.now();
    let entry = match &request.idempotency_key {
        None => None,
        Some(key) => match recall(services, viewer, key, &request).await? {
            Recalled::Nothing(entry) => Some(entry),
            Recalled::Answer(contact) => return Ok(Ok(contact)),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        },
    };
    let defaults = viewer.tenant.defaults();
    let mut errors = Vec::new();
    let draft = match ContactDraft::validate(&request.input, &defaults, OnInvalid::Fail) {
        Ok(validated) => Some(validated.draft),
        Err(refused) => {
            errors.extend(refused.into_iter().map(UserError::from));
            None
        }
    };
    let status = status(viewer, request.status).map_err(|error| errors.push(error)).ok();
    let assignee = match assignee(services, viewer, request.assignee).await? {
        Ok(assignee) => assignee,
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let (Some(draft), Some(status), true) = (draft, status, errors.is_empty()) else {
        return Ok(Err(errors));
    };
    let id = viewer.tenant.keyring.slot(&draft.phone.e164);
    let contact = Contact {
        id: id.clone(),
        record: Revisioned::created(Change::new("contact.created", now, viewer.origin())),
        details: draft.into_details(&defaults, status, assignee, None),
        deleted_at: None,
        import_marks: Vec::new(),
    };
    let entry = entry.map(|(key, hash)| idempotency::Entry { key, request: hash, result: id.to_string(), made_at: now });
    match contacts::create(&services.core, &viewer.tenant, &viewer.settings, contact.clone(), entry.as_ref(), services.entropy.as_ref()).await? {
        Creation::Created => Ok(Ok(contact)),
        Creation::KeyTaken => Ok(Err(vec![key_taken()])),
        Creation::Exists(existing) => {
            // Two calls with one key can meet: the later one answers as the earlier.
            if let Some(entry) = entry
                && let Some(kept) = idempotency::find(&services.core, &viewer.tenant.scope, &entry.key, now).await?
                && kept.request == entry.request
            {
                return Ok(Ok(existing.contact));
            }
            Ok(Err(vec![taken(&existing.contact)]))
        }
    }
}

fn key_taken() -> UserError {
    UserError::new("idempotencyKey", FieldErrorCode::Conflict, "This idempotencyKey was used with other input. Use a new one.")
}

fn taken(existing: &Contact) -> UserError {
    let mut error = if existing.deleted_at.is_some() {
        UserError::new("phone", FieldErrorCode::Conflict, "A contact with this number was deleted. Restore it instead.")
    } else {
        UserError::new("phone", FieldErrorCode::Taken, "A contact with this number exists. Update it instead.")
    };
    error.existing = Some(existing.id.to_string());
    error
}

fn status(viewer: &Viewer, given: Option<Option<StatusId>>) -> Result<StatusId, UserError> {
    let found = match given {
        None => viewer.settings.status_by_code(status::NEW),
        Some(id) => id.and_then(|id| viewer.settings.status(id)),
    };
    found.map(|status| status.id).ok_or_else(|| UserError::new("statusId", FieldErrorCode::NotFound, "There is no such status. Take an id from contactStatuses."))
}

async fn assignee(services: &Services, viewer: &Viewer, given: Option<Option<AgentId>>) -> Result<Result<Option<AgentId>, UserError>, AppError> {
    let Some(given) = given else {
        return Ok(Ok(None));
    };
    if let Some(id) = given
        && !people::directory(&services.core, &viewer.tenant.scope, &[], &[id], &[], Freshness::Strong).await?.agents.is_empty()
    {
        return Ok(Ok(Some(id)));
    }
    Ok(Err(UserError::new("assigneeId", FieldErrorCode::NotFound, "There is no such agent. Take an id from the staff directory.")))
}

#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
enum Recalled {
    /// The key is new; the keyed hashes of key and request.
    Nothing((String, String)),
    /// The key was used with the same request, for this contact.
    Answer(Contact),
    /// The key can't be used.
    Refused(UserError),
}

/// Looks up an idempotency key. It is kept as a keyed hash, because clients may put personal data in it.
async fn recall(services: &Services, viewer: &Viewer, key: &str, request: &CreateContact) -> Result<Recalled, AppError> {
    if key.trim().is_empty() || key.chars().count() > LONGEST_KEY {
        let error = UserError::new("idempotencyKey", FieldErrorCode::Invalid, "idempotencyKey has 1 to 128 characters. Use a UUID.");
        return Ok(Recalled::Refused(error));
    }
    let keyring = &viewer.tenant.keyring;
    let key = base32(&keyring.keyed_hash("idempotency key", key));
    let form = serde_json::to_string(&("contactCreate", &request.input, request.status, request.assignee)).map_err(|error| AppError::Broken(error.to_string()))?;
    let hash = HEXLOWER.encode(&keyring.keyed_hash("idempotency request", &form));
    let Some(entry) = idempotency::find(&services.core, &viewer.tenant.scope, &key, services.clock.now()).await? else {
        return Ok(Recalled::Nothing((key, hash)));
    };
    if entry.request != hash {
        return Ok(Recalled::Refused(key_taken()));
    }
    let id = ContactId::parse(&entry.result).ok_or_else(|| AppError::Broken("an idempotency entry names no contact".to_owned()))?;
    match contacts::get(&services.core, &viewer.tenant, &id).await? {
        Some(stored) => Ok(Recalled::Answer(stored.contact)),
        None => Ok(Recalled::Nothing((key, hash))),
    }
}
