//! Stopping a bulk job. What was done stays.

use switchboard_domain::bulk_job::{BulkAction, BulkJob};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::BulkJobId;
use switchboard_domain::permission::Permission;

use crate::GivenId;
use crate::audit::{AccessAction, BULK_JOB, stop_requested};
use crate::error::{AppError, UserError};
use crate::jobs;
use crate::services::Services;
use crate::viewer::Viewer;

/// Stops a job: one that nobody has begun at once, another one after the batch or the rows that are under way, within seconds. 2 requests, 1 R per
/// started 4 KB and 1 W per started KB of the job; again as much each time its worker was faster. Then what it costs to put an access on record.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:bulk_update` for the whole tenant (`contact:export` for an export), [`AppError::NotFound`]; those of the
/// database. What a person can mend is in the inner result.
pub async fn cancel(services: &Services, viewer: &Viewer, id: GivenId<BulkJobId>) -> Result<Result<BulkJob, Vec<UserError>>, AppError> {
    if viewer.require_all(Permission::ContactBulkUpdate).is_err() {
        viewer.require_all(Permission::ContactExport)?;
    }
    let may = |job: &BulkJob| {
        viewer.require_all(if job.action == BulkAction::Export { Permission::ContactExport } else { Permission::ContactBulkUpdate })?;
        let internal = || UserError::new("id", FieldErrorCode::NotAllowed, "This job keeps the records in order. Let it end.");
        Ok(job.action.is_internal().then(internal))
    };
    let id = id.ok_or(AppError::NotFound)?;
    let stopped = jobs::stop(services, &viewer.tenant, id, may).await?;
    if stopped.is_ok() {
        stop_requested(services, viewer, AccessAction::BulkJobStopped, BULK_JOB, &id.to_string()).await;
    }
    Ok(stopped)
}
