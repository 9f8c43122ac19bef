//! Reading imports.

use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{Import, ImportKind, ImportStatus};
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

/// Which imports are meant.
#[derive(Debug, Clone, Default)]
pub struct ImportFilter {
    /// Those that stand there; any when empty.
    pub status: Vec<ImportStatus>,
    /// Those of this kind.
    pub kind: Option<ImportKind>,
}

impl ImportFilter {
    fn is_met_by(&self, import: &Import) -> bool {
        (self.status.is_empty() || self.status.contains(&import.status)) && self.kind.is_none_or(|kind| kind == import.kind)
    }
}

/// Imports looked at for one page, when a filter is given.
const LOOKED_AT: usize = 1_000;

/// The tenant's imports, newest first, those older than the place `after`. 2 requests, half an R and half an R per import; with a filter again as much for each 100
/// imports looked at, 1,000 at most: a page may be thin, and there be more.
///
/// # Errors
/// As [`get`].
pub async fn newest(services: &Services, viewer: &Viewer, filter: &ImportFilter, after: Option<&str>, first: usize) -> Result<ImportPage, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let is_filtered = !filter.status.is_empty() || filter.kind.is_some();
    let at_once = if is_filtered { 100 } else { first };
    let mut found = Vec::new();
    let mut place = after.map(str::to_owned);
    let mut looked_at = 0;
    loop {
        let Page { entries, has_more } = imports::newest(core, scope, place.as_deref(), at_once).await?;
        looked_at += entries.len();
        let count = entries.len();
        for (index, import) in entries.into_iter().enumerate() {
            place = Some(import.id.to_string());
            if filter.is_met_by(&import) {
                found.push(import);
                if found.len() == first {
                    let is_last = index + 1 == count && !has_more;
                    return Ok(ImportPage { next: place.filter(|_| !is_last), imports: found });
                }
            }
        }
        if !has_more {
            return Ok(ImportPage { imports: found, next: None });
        }
        if looked_at >= LOOKED_AT {
            return Ok(ImportPage { imports: found, next: place });
        }
    }
}

/// A page of imports.
#[derive(Debug, Clone)]
pub struct ImportPage {
    /// The imports.
    pub imports: Vec<Import>,
    /// The place behind which there may be more.
    pub next: Option<String>,
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
