//! The rows of an import that failed, and the values it set aside, in the order of the rows.

use switchboard_domain::imports::{Import, RowError};
use switchboard_domain::permission::Permission;
use switchboard_platform::Files;
use switchboard_store::Page;

use super::{ChunkResult, Place};
use crate::error::AppError;
use crate::viewer::Viewer;

/// Where an error stands: its chunk, from 1, and its index in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorPlace {
    /// The chunk.
    pub chunk: u32,
    /// The index in the chunk.
    pub index: usize,
}

/// Lists errors after the place `after`. 1 request to the results bucket per chunk looked into; chunks are asked for until the page is full.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:read` for the whole tenant; those of the bucket.
pub async fn errors(results: &Files, viewer: &Viewer, import: &Import, after: Option<ErrorPlace>, first: usize) -> Result<Page<(ErrorPlace, RowError)>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    let place = Place::of(&viewer.tenant.scope, import.id);
    let mut entries = Vec::new();
    for chunk in after.map_or(1, |after| after.chunk.max(1))..=import.chunks {
        let Some(result) = results.get_json::<ChunkResult>(&place.result(chunk)).await? else { continue };
        let found = result.errors.into_iter().enumerate().map(|(index, error)| (ErrorPlace { chunk, index }, error));
        entries.extend(found.filter(|(place, _)| after.is_none_or(|after| *place > after)));
        if entries.len() > first {
            break;
        }
    }
    let has_more = entries.len() > first;
    entries.truncate(first);
    Ok(Page { entries, has_more })
}
