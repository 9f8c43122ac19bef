//! Creating a status.

use switchboard_domain::change::Change;
use switchboard_domain::ids::StatusId;
use switchboard_domain::permission::Permission;
use switchboard_domain::status::{self, ContactStatus, StatusInput};
use switchboard_store::settings;

use super::{ATTEMPTS, busy, rescore_if_moved, shown};
use crate::error::{AppError, UserError};
use crate::idempotency::{Recalled, recall};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be created.
#[derive(Debug, Clone, Default)]
pub struct CreateStatus {
    /// The values.
    pub input: StatusInput,
    /// The client's own key for this creation: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// Creates a status. 2 requests: 2 R, and a transaction of 4 W; with an idempotency key 1 R and 2 W more. Again as much each time another
/// change of the statuses was faster.
///
/// When it moves the places of others and the model in force gives points for them, a job begins that scores all contacts anew: 1 W and 1 for index 1, 1 request to the
/// queue, and its own cost. A process that dies between the two leaves the scores as they were until something changes them, or `contactBulk` with `RESCORE` does.
///
/// # Errors
/// [`AppError::Forbidden`] without `status:create`; those of the database, and of the queue of jobs when the status is written already. What a person can mend is in the
/// inner result.
pub async fn create(services: &Services, viewer: &Viewer, request: CreateStatus) -> Result<Result<ContactStatus, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::StatusCreate)?;
    let (core, tenant) = (&services.core, &viewer.tenant);
    let now = services.clock.now();
    let id = StatusId::new(now, &services.entropy.id());
    let change = Change::new("contact_status.created", now, viewer.origin());
    for _ in 0..ATTEMPTS {
        // Asked in every attempt: what was refused may have been the key, used a moment ago.
        let pending = match recall(services, tenant, "contactStatusCreate", request.idempotency_key.as_deref(), &request.input).await? {
            Recalled::New(pending) => pending,
            Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        };
        let settings = settings::load(core, &tenant.scope).await?;
        let created = match status::create(&settings.statuses, id, &request.input, change.clone()) {
            Ok(created) => created,
            // What is in the way may be what this same request made a moment ago.
            Err(errors) => match recall(services, tenant, "contactStatusCreate", request.idempotency_key.as_deref(), &request.input).await? {
                Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
                Recalled::New(_) | Recalled::Refused(_) => return Ok(Err(shown(errors))),
            },
        };
        let others = pending.map(|pending| pending.part(tenant, id, now)).into_iter().collect();
        if settings::write_status(core, &tenant.scope, settings.revision, &created, None, others).await? {
            services.tenants.forget_settings(&tenant.scope);
            rescore_if_moved(services, viewer, &settings, &created).await?;
            return Ok(Ok(created));
        }
    }
    Err(busy())
}

/// What a request with the same key created before, as it is now.
async fn remembered(services: &Services, viewer: &Viewer, id: &str) -> Result<ContactStatus, AppError> {
    let settings = settings::load(&services.core, &viewer.tenant.scope).await?;
    let found = StatusId::parse(id).and_then(|id| settings.status(id).cloned());
    found.ok_or_else(|| AppError::Broken("an idempotency entry names no status".to_owned()))
}
