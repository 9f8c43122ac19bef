//! Reading exports, and the links to their files.

use jiff::Timestamp;
use switchboard_domain::audit_export::AuditExport;
use switchboard_domain::bulk_job::BulkJobStatus;
use switchboard_domain::ids::AuditExportId;
use switchboard_domain::permission::Permission;
use switchboard_store::{Page, audit_exports};

use super::{Place, authorise};
use crate::audit::{detail, downloaded};
use crate::error::AppError;
use crate::jobs::{FILE_KEPT, LINK_WORKS};
use crate::services::Services;
use crate::viewer::Viewer;

/// An export by its id. 1 request, 1 R per started 4 KB.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:export` and `audit:read` for the whole tenant; those of the database.
pub async fn get(services: &Services, viewer: &Viewer, id: AuditExportId) -> Result<Option<AuditExport>, AppError> {
    authorise(viewer)?;
    Ok(audit_exports::get(&services.core, &viewer.tenant.scope, id).await?)
}

/// The tenant's exports, newest first, those older than the place `after` (an export's id). 2 requests, half an R for the list and half an R per started 4 KB of
/// each export.
///
/// # Errors
/// As [`get`].
pub async fn list(services: &Services, viewer: &Viewer, after: Option<&str>, first: usize) -> Result<Page<AuditExport>, AppError> {
    authorise(viewer)?;
    Ok(audit_exports::newest(&services.core, &viewer.tenant.scope, after, first).await?)
}

/// When the file is removed; none while there is none.
#[must_use]
pub fn file_expires_at(export: &AuditExport) -> Option<Timestamp> {
    let has_file = export.status == BulkJobStatus::Completed;
    export.finished_at.filter(|_| has_file).and_then(|at| at.checked_add(FILE_KEPT).ok())
}

/// A link to the file, made for who asks and good for 15 minutes; none without `audit:export` and `audit:read` for the whole tenant, for one that is readable
/// also `contact:read`, and none when there is no file, or no longer. It is on record before it is given: 1 request and 3 W, once a minute for each user and file.
///
/// # Errors
/// [`AppError::Platform`] when the link can't be signed, [`AppError::Unavailable`] when it can't be recorded.
pub async fn file_url(services: &Services, viewer: &Viewer, export: &AuditExport) -> Result<Option<String>, AppError> {
    let may_read = !export.readable || viewer.require_all(Permission::ContactRead).is_ok();
    if authorise(viewer).is_err() || !may_read || file_expires_at(export).is_none_or(|at| at <= services.clock.now()) {
        return Ok(None);
    }
    let key = Place { tenant: viewer.tenant.record.id, export: export.id }.file(export.format);
    let link = services.results.presigned_get(&key, LINK_WORKS).await?;
    downloaded(services, viewer, &key, detail("auditExport", export.id.to_string())).await?;
    Ok(Some(link))
}
