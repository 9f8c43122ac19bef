//! Asking for an export.

use jiff::Timestamp;
use serde::Serialize;
use switchboard_domain::audit_export::{AuditExport, AuditExportFilter, AuditExportFormat};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::AuditExportId;
use switchboard_domain::permission::Permission;

use super::authorise;
use crate::GivenId;
use crate::audit::ENTITY_TYPES;
use crate::error::{AppError, UserError};
use crate::jobs::{Known, Request};
use crate::services::Services;
use crate::viewer::Viewer;

/// Longest action, in bytes.
const ACTION_LENGTH: usize = 100;

/// A record as its events name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenRecord {
    /// Its kind.
    pub entity_type: String,
    /// Its id in its short form.
    pub entity_id: String,
}

/// What is asked for. Events must match everything given.
#[derive(Debug, Clone, Serialize)]
pub struct StartExport {
    /// How the file is to be written.
    pub format: AuditExportFormat,
    /// Events of records of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// Events of this record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<GivenId<GivenRecord>>,
    /// What was done by the actor with this id in its short form, or by the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<GivenId<String>>,
    /// Events of this action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Events recorded from this time on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Events recorded before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Whether what is sealed is to be written in the clear.
    pub readable: bool,
    /// The client's own key for this export: the same key and input answer as before.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl StartExport {
    /// All events in this format, readable.
    #[must_use]
    pub fn new(format: AuditExportFormat) -> Self {
        Self { format, entity_type: None, record: None, actor: None, action: None, from: None, to: None, readable: true, idempotency_key: None }
    }
}

/// Asks for a file of the events recorded until now, and sends it to a worker. 1 W and 1 for index 1, 1 request to the queue; with an idempotency key 1 R more and a
/// transaction.
///
/// When it was written and could not be sent, the answer is an error, and the same request with the same key sends it again; without a key the export fails.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:export` and `audit:read` for the whole tenant; those of the database and of the queue. What a person can mend is in the
/// inner result, and with it that what is sealed may be read only with `contact:read` for the whole tenant.
pub async fn start(services: &Services, viewer: &Viewer, request: StartExport) -> Result<Result<AuditExport, Vec<UserError>>, AppError> {
    authorise(viewer)?;
    let tenant = &viewer.tenant;
    let asking = Request { operation: "auditExport", key: request.idempotency_key.as_deref(), form: &request };
    let pending = match asking.recall(services, tenant).await? {
        Known::Nothing(pending) => pending,
        Known::Answer(answer) => return Ok(answer),
    };
    let filter = match decide(viewer, &request) {
        Ok(filter) => filter,
        Err(errors) => return Ok(Err(errors)),
    };
    let now = services.clock.now();
    let id = AuditExportId::new(now, &services.entropy.id());
    let export = AuditExport::asked(id, request.format, filter, request.readable, viewer.origin(), now);
    asking.begin(services, tenant, export, pending).await
}

/// Which events are meant.
fn decide(viewer: &Viewer, request: &StartExport) -> Result<AuditExportFilter, Vec<UserError>> {
    let mut errors = Vec::new();
    let entity_type = taken(kind(request), &mut errors);
    let record = taken(record(request), &mut errors);
    let actor = taken(actor(request), &mut errors);
    let action = taken(action(request), &mut errors);
    if let (Some(from), Some(to)) = (request.from, request.to)
        && from >= to
    {
        errors.push(UserError::new("to", FieldErrorCode::Invalid, "to is not later than from. Give a later time."));
    }
    if request.readable && viewer.require_all(Permission::ContactRead).is_err() {
        let message = "A readable export says what is recorded of all contacts, which you may not see. Give readable: false.";
        errors.push(UserError::new("readable", FieldErrorCode::NotAllowed, message));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let (entity_type, entity_id) = match record {
        Some(record) => (Some(record.entity_type), Some(record.entity_id)),
        None => (entity_type, None),
    };
    Ok(AuditExportFilter { entity_type, entity_id, actor, action, from: request.from, to: request.to })
}

fn taken<T>(checked: Result<Option<T>, UserError>, errors: &mut Vec<UserError>) -> Option<T> {
    checked.unwrap_or_else(|error| {
        errors.push(error);
        None
    })
}

/// The record whose events are meant.
fn record(request: &StartExport) -> Result<Option<GivenRecord>, UserError> {
    let unknown = || UserError::new("entityId", FieldErrorCode::NotFound, "There is no such record of this kind. Take its id from the record or from one of its events.");
    request.record.clone().map(|given| given.ok_or_else(unknown)).transpose()
}

fn kind(request: &StartExport) -> Result<Option<String>, UserError> {
    match &request.entity_type {
        Some(kind) if !ENTITY_TYPES.contains(&kind.as_str()) => {
            let message = format!("There are no records of this kind. Take one of {}.", ENTITY_TYPES.join(", "));
            Err(UserError::new("entityType", FieldErrorCode::Invalid, message))
        }
        kind => Ok(kind.clone()),
    }
}

fn actor(request: &StartExport) -> Result<Option<String>, UserError> {
    let unknown = || UserError::new("actorId", FieldErrorCode::NotFound, "There is no such actor. Take the id of a user or of an import, or system.");
    request.actor.clone().map(|given| given.ok_or_else(unknown)).transpose()
}

/// An action is a noun and a verb: which ones there are grows with time.
fn action(request: &StartExport) -> Result<Option<String>, UserError> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    match &request.action {
        Some(action) if action.len() > ACTION_LENGTH || !action.split_once('.').is_some_and(|(noun, verb)| is_word(noun) && is_word(verb)) => {
            Err(UserError::new("action", FieldErrorCode::Invalid, "This is not an action. Write it as in the events: contact.updated."))
        }
        action => Ok(action.clone()),
    }
}
