//! Stopping a bulk job. What was done stays.

use switchboard_domain::bulk_job::{BulkAction, BulkJob};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{BulkJobId, base32};
use switchboard_domain::permission::Permission;
use switchboard_store::{StoreError, bulk_jobs};

use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// How often it is asked again because a worker wrote the job in between: about twice a second while it is at it.
const ATTEMPTS: usize = 10;

/// Stops a job: one that nobody has begun at once, another one after the batch or the rows that are under way, within seconds. 2 requests, 1 R per
/// started 4 KB and 1 W per started KB of the job; again as much each time its worker was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:bulk_update` for the whole tenant (`contact:export` for an export), [`AppError::NotFound`]; those of the
/// database. What a person can mend is in the inner result.
pub async fn cancel(services: &Services, viewer: &Viewer, id: GivenId<BulkJobId>) -> Result<Result<BulkJob, Vec<UserError>>, AppError> {
    let (core, tenant) = (&services.core, &viewer.tenant);
    if viewer.require_all(Permission::ContactBulkUpdate).is_err() {
        viewer.require_all(Permission::ContactExport)?;
    }
    let id = id.ok_or(AppError::NotFound)?;
    for _ in 0..ATTEMPTS {
        let job = bulk_jobs::get(core, tenant, id).await?.ok_or(AppError::NotFound)?;
        viewer.require_all(if job.action == BulkAction::Export { Permission::ContactExport } else { Permission::ContactBulkUpdate })?;
        if job.action.is_internal() {
            return Ok(Err(vec![UserError::new("id", FieldErrorCode::NotAllowed, "This job keeps the records in order. Let it end.")]));
        }
        if job.is_ended() {
            return Ok(Err(vec![UserError::new("id", FieldErrorCode::ForbiddenTransition, "This job has ended already.")]));
        }
        if job.cancel_requested {
            return Ok(Ok(job));
        }
        let mut stopped = job.asked_to_stop(services.clock.now());
        stopped.writer = base32(&services.entropy.id());
        if bulk_jobs::save(core, tenant, &stopped, services.entropy.as_ref()).await? {
            return Ok(Ok(stopped));
        }
    }
    Err(StoreError::Unavailable("a bulk job keeps changing".to_owned()).into())
}
