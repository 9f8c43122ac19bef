//! Stopping an export. There will be no file of it.

use switchboard_domain::audit_export::AuditExport;
use switchboard_domain::ids::AuditExportId;

use super::authorise;
use crate::GivenId;
use crate::audit::{AUDIT_EXPORT, AccessAction, stop_requested};
use crate::error::{AppError, UserError};
use crate::jobs;
use crate::services::Services;
use crate::viewer::Viewer;

/// Stops an export: one that nobody has begun at once, another one within seconds. 2 requests, 1 R per started 4 KB and 1 W per started KB of its record;
/// again as much each time its worker was faster. Then what it costs to put an access on record.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:export` and `audit:read` for the whole tenant, [`AppError::NotFound`]; those of the database. What a person can mend
/// is in the inner result.
pub async fn cancel(services: &Services, viewer: &Viewer, id: GivenId<AuditExportId>) -> Result<Result<AuditExport, Vec<UserError>>, AppError> {
    authorise(viewer)?;
    let id = id.ok_or(AppError::NotFound)?;
    let stopped = jobs::stop(services, &viewer.tenant, id, |_: &AuditExport| Ok(None)).await?;
    if stopped.is_ok() {
        stop_requested(services, viewer, AccessAction::AuditExportStopped, AUDIT_EXPORT, &id.to_string()).await;
    }
    Ok(stopped)
}
