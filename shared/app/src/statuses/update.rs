//! Changing a status, and where contacts with it stand in the calling order.

use switchboard_domain::bulk_job::BulkJob;
use switchboard_domain::change::Change;
use switchboard_domain::ids::StatusId;
use switchboard_domain::permission::Permission;
use switchboard_domain::status::{self, ContactStatus, StatusPatch};
use switchboard_store::settings;

use super::{ATTEMPTS, busy, rescore_if_moved, shown};
use crate::GivenId;
use crate::bulk;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be changed.
#[derive(Debug, Clone, Default)]
pub struct UpdateStatus {
    /// The status.
    pub id: GivenId<StatusId>,
    /// The version the client read.
    pub expected_version: i32,
    /// The values.
    pub patch: StatusPatch,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct UpdatedStatus {
    /// The status as it is now.
    pub status: ContactStatus,
    /// The job that moves its contacts in the calling order; none when nothing moves them.
    pub job: Option<BulkJob>,
}

/// Changes a status; nothing is written when that changes nothing. 2 requests: 2 R, and a transaction of 4 W; again as much each time another
/// change of the statuses was faster.
///
/// Another order or exclusion begins a job that gives the contacts with this status their new places, at its own cost. A process that dies after
/// the change and before the job leaves them where they were until they are written for another reason, or the order is changed once more.
///
/// When that moves places among the statuses that are called and the model in force gives points for them, a second job begins, as when a status is created.
///
/// # Errors
/// [`AppError::Forbidden`] without `status:update`, [`AppError::NotFound`] also for a deleted status; those of the database, and of the queue of
/// jobs when the change is written already. What a person can mend is in the inner result.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdateStatus) -> Result<Result<UpdatedStatus, Vec<UserError>>, AppError> {
    let change = Change::new("contact_status.updated", services.clock.now(), viewer.origin());
    update_as(services, viewer, request, change).await
}

/// [`update`], as a change of this name.
///
/// # Errors
/// As [`update`].
pub(super) async fn update_as(services: &Services, viewer: &Viewer, request: UpdateStatus, change: Change) -> Result<Result<UpdatedStatus, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::StatusUpdate)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    for _ in 0..ATTEMPTS {
        let settings = settings::load(core, scope).await?;
        let before = settings.listed_statuses().find(|status| status.id == id).ok_or(AppError::NotFound)?;
        let after = match status::update(&settings.statuses, before, request.expected_version, &request.patch, change.clone()) {
            Ok(Some(after)) => after,
            Ok(None) => return Ok(Ok(UpdatedStatus { status: before.clone(), job: None })),
            Err(errors) => return Ok(Err(shown(errors))),
        };
        if settings::write_status(core, scope, settings.revision, &after, Some(before.record.revision), Vec::new()).await? {
            services.tenants.forget_settings(scope);
            let job = if after.calls_differently(before) { Some(bulk::start_rekey(services, viewer, id).await?) } else { None };
            rescore_if_moved(services, viewer, &settings, &after).await?;
            return Ok(Ok(UpdatedStatus { status: after, job }));
        }
    }
    Err(busy())
}
