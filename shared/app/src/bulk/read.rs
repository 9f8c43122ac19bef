//! Reading bulk jobs, what became of each contact, and the files of exports.

use jiff::Timestamp;
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus, Outcome};
use switchboard_domain::ids::BulkJobId;
use switchboard_domain::permission::Permission;
use switchboard_store::{Page, bulk_jobs};

use super::Place;
use crate::audit::{detail, downloaded};
use crate::error::AppError;
use crate::jobs::{FILE_KEPT, LINK_WORKS};
use crate::services::Services;
use crate::viewer::Viewer;

/// Where an outcome stands: its batch, from 1, and its index in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutcomePlace {
    /// The batch.
    pub batch: u32,
    /// The index in the batch.
    pub index: usize,
}

/// Who may ask for jobs may see them all.
fn authorise(viewer: &Viewer) -> Result<(), AppError> {
    viewer.require_all(Permission::ContactBulkUpdate).or_else(|_| viewer.require_all(Permission::ContactExport))
}

/// A job by its id. 1 request, 1 R per started 4 KB: 2 R while it is worked on.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:bulk_update` or `contact:export` for the whole tenant; those of the database.
pub async fn get(services: &Services, viewer: &Viewer, id: BulkJobId) -> Result<Option<BulkJob>, AppError> {
    authorise(viewer)?;
    Ok(bulk_jobs::get(&services.core, &viewer.tenant, id).await?)
}

/// The tenant's jobs, newest first, those older than the place `after` (a job's id). 2 requests, half an R for the list and half an R per started 4 KB
/// of each job.
///
/// # Errors
/// As [`get`].
pub async fn list(services: &Services, viewer: &Viewer, after: Option<&str>, first: usize) -> Result<Page<BulkJob>, AppError> {
    authorise(viewer)?;
    Ok(bulk_jobs::newest(&services.core, &viewer.tenant, after, first).await?)
}

/// What became of the contacts of a job so far, after the place `after`, in the order in which they were worked on; nothing of an export, whose file
/// says it, and nothing of a job that began longer than seven days ago. 1 request to the results bucket per batch looked into, until the page is full.
///
/// # Errors
/// As [`get`], and those of the bucket.
pub async fn outcomes(services: &Services, viewer: &Viewer, job: &BulkJob, after: Option<OutcomePlace>, first: usize) -> Result<Page<(OutcomePlace, Outcome)>, AppError> {
    authorise(viewer)?;
    let place = Place::of(&viewer.tenant.scope, job.id);
    let mut entries = Vec::new();
    for batch in after.map_or(1, |after| after.batch.max(1))..=job.batches {
        // Every batch counted was kept before: one that isn't there was removed, and so were those beside it.
        let Some(found) = services.results.get_json::<Vec<Outcome>>(&place.outcomes(batch)).await? else { break };
        let found = found.into_iter().enumerate().map(|(index, outcome)| (OutcomePlace { batch, index }, outcome));
        entries.extend(found.filter(|(place, _)| after.is_none_or(|after| *place > after)));
        if entries.len() > first {
            break;
        }
    }
    let has_more = entries.len() > first;
    entries.truncate(first);
    Ok(Page { entries, has_more })
}

/// When the file of an export is removed; none while there is no file.
#[must_use]
pub fn file_expires_at(job: &BulkJob) -> Option<Timestamp> {
    let has_file = job.action == BulkAction::Export && job.status == BulkJobStatus::Completed;
    job.finished_at.filter(|_| has_file).and_then(|at| at.checked_add(FILE_KEPT).ok())
}

/// A link to the file of an export, made for who asks and good for 15 minutes; none without `contact:export` for the whole tenant, and none when there
/// is no file, or no longer. It is on record before it is given: 1 request and 3 W, once a minute for each user and file.
///
/// # Errors
/// [`AppError::Platform`] when the link can't be signed, [`AppError::Unavailable`] when it can't be recorded.
pub async fn file_url(services: &Services, viewer: &Viewer, job: &BulkJob) -> Result<Option<String>, AppError> {
    if viewer.require_all(Permission::ContactExport).is_err() || file_expires_at(job).is_none_or(|at| at <= services.clock.now()) {
        return Ok(None);
    }
    let key = Place::of(&viewer.tenant.scope, job.id).file();
    let link = services.results.presigned_get(&key, LINK_WORKS).await?;
    downloaded(services, viewer, &key, detail("job", job.id.to_string())).await?;
    Ok(Some(link))
}
