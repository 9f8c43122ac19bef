//! Creating one contact.

use switchboard_domain::change::Change;
use switchboard_domain::contact::{Contact, ContactDraft, ContactInput, OnInvalid};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, ContactId, StatusId, TeamId};
use switchboard_domain::permission::Permission;
use switchboard_domain::status;
use switchboard_store::StoreError;
use switchboard_store::contacts::{self, Creation};

use super::access::{check_owner, concealed, live_status, settings};
use super::edit::suppress;
use super::opened::opened;
use crate::GivenId;
use crate::error::{AppError, Existing, UserError};
use crate::idempotency::{Recalled, recall};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be created.
#[derive(Debug, Clone, Default)]
pub struct CreateContact {
    /// The values.
    pub input: ContactInput,
    /// The status; `new` when none is given.
    pub status: Option<GivenId<StatusId>>,
    /// The agent whose contact it is.
    pub assignee: Option<GivenId<AgentId>>,
    /// The team in whose pool it is.
    pub team: Option<GivenId<TeamId>>,
    /// The client's own key for this creation: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// Creates a contact. 2 requests: 1 R for the suppression list, 1 W and one per index entry; 1 R more with an owner; with an idempotency key 1 R
/// more and a transaction.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:create`; those of the database. What a person can mend is in the inner result.
pub async fn create(services: &Services, viewer: &Viewer, request: CreateContact) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::ContactCreate)?;
    let tenant = &viewer.tenant;
    let now = services.clock.now();
    let form = (&request.input, request.status, request.assignee, request.team);
    let key = request.idempotency_key.as_deref();
    let pending = match recall(services, tenant, "contactCreate", key, &form).await? {
        Recalled::New(pending) => pending,
        Recalled::Answer(id) => return remembered(services, viewer, &id).await,
        Recalled::Refused(error) => return Ok(Err(vec![error])),
    };
    let defaults = tenant.defaults();
    let mut errors = Vec::new();
    let draft = match ContactDraft::validate(&request.input, &defaults, OnInvalid::Fail) {
        Ok(validated) => Some(validated.draft),
        Err(refused) => {
            errors.extend(refused.into_iter().map(UserError::from));
            None
        }
    };
    let settings = settings(services, viewer, request.status.flatten()).await?;
    let given = request.status.unwrap_or_else(|| settings.status_by_code(status::NEW).map(|status| status.id));
    let status = live_status(&settings, given).map_err(|error| errors.push(error)).ok();
    let owner = check_owner(services, tenant, request.assignee, request.team).await?.map_err(|error| errors.push(error)).ok();
    if request.assignee.is_some() && request.team.is_some() {
        errors.push(UserError::new("teamId", FieldErrorCode::Invalid, "A contact is either an agent's or in a team's pool. Give assigneeId or teamId."));
    }
    let (Some(draft), Some(status), Some((assignee, team)), true) = (draft, status, owner, errors.is_empty()) else {
        return Ok(Err(errors));
    };
    let change = Change::new("contact.created", now, viewer.origin());
    let id = tenant.keyring.slot(&draft.phone.e164);
    let new = Contact::created(id, draft.into_details(&defaults, status.id, assignee, team), change);
    for _ in 0..contacts::ATTEMPTS {
        let mut contact = new.clone();
        let suppression = suppress(services, tenant, &settings, None, &mut contact).await?;
        let parts = |id: &ContactId| suppression.iter().cloned().chain(pending.as_ref().map(|pending| pending.part(tenant, id, now))).collect();
        let created = contacts::create(&services.core, tenant, &settings, contact, parts, services.entropy.as_ref()).await?;
        let existing = match created {
            Creation::Created(contact) => return Ok(Ok(contact)),
            Creation::Exists(existing) => Some(existing),
            Creation::Refused => None,
        };
        // Two calls with one key can meet: the later one answers as the earlier.
        match recall(services, tenant, "contactCreate", key, &form).await? {
            Recalled::Answer(id) => return remembered(services, viewer, &id).await,
            Recalled::Refused(error) if existing.is_none() => return Ok(Err(vec![error])),
            Recalled::Refused(_) | Recalled::New(_) => {}
        }
        if let Some(existing) = existing {
            return Ok(Err(concealed(services, viewer, vec![taken(&existing.contact)]).await?));
        }
        // The suppression list changed meanwhile: look at it again.
    }
    Err(StoreError::Unavailable("the suppression list keeps changing".to_owned()).into())
}

pub(super) fn taken(existing: &Contact) -> UserError {
    let mut error = if existing.deleted_at.is_some() {
        UserError::new("phone", FieldErrorCode::Conflict, "A contact with this number was deleted. Restore it instead.")
    } else {
        UserError::new("phone", FieldErrorCode::Taken, "A contact with this number exists. Update it instead.")
    };
    error.existing = Some(Existing::Contact(existing.id.clone()));
    error
}

/// What a request with the same key created before.
async fn remembered(services: &Services, viewer: &Viewer, id: &str) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    let id = ContactId::parse(id).ok_or_else(|| AppError::Broken("an idempotency entry names no contact".to_owned()))?;
    match contacts::get(&services.core, &viewer.tenant, &id).await? {
        Some(stored) => {
            opened(services, viewer, &id).await?;
            Ok(Ok(stored.contact))
        }
        None => Ok(Err(vec![erased_since()])),
    }
}

fn erased_since() -> UserError {
    UserError::new("idempotencyKey", FieldErrorCode::Conflict, "What this idempotencyKey created was erased since. Use a new one.")
}
