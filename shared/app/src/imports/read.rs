//! Reading imports.

use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::Import;
use switchboard_domain::permission::Permission;
use switchboard_platform::Files;
use switchboard_store::{Page, imports};

use super::Place;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// An import by its id. 1 request, 1 R.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:read` for the whole tenant; those of the database.
pub async fn get(services: &Services, viewer: &Viewer, id: ImportId) -> Result<Option<Import>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    Ok(imports::get(&services.core, &viewer.tenant.scope, id).await?)
}

/// The tenant's imports, newest first, those older than the place `after`. 2 requests, half an R and half an R per import.
///
/// # Errors
/// As [`get`].
pub async fn newest(services: &Services, viewer: &Viewer, after: Option<&str>, first: usize) -> Result<Page<Import>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    Ok(imports::newest(&services.core, &viewer.tenant.scope, after, first).await?)
}

/// The first values of each column, in the order of the columns. They are personal data and live in the results bucket, not in the record.
/// 1 request to the bucket.
///
/// # Errors
/// As [`get`], and those of the bucket.
pub async fn samples(results: &Files, viewer: &Viewer, id: ImportId) -> Result<Vec<Vec<String>>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    Ok(results.get_json(&Place::of(&viewer.tenant.scope, id).samples()).await?.unwrap_or_default())
}
