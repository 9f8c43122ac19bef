//! The rows of an import that failed, and the values it set aside, in the order of the rows.

use switchboard_domain::imports::{Import, Piece, RowError};
use switchboard_domain::permission::Permission;
use switchboard_store::Page;
use switchboard_store::imports::{self, Chunk};

use super::{ChunkResult, Place};
use crate::audit::{detail, downloaded};
use crate::error::AppError;
use crate::jobs::LINK_WORKS;
use crate::services::Services;
use crate::viewer::Viewer;

/// Where an error stands: its chunk, or the rest of one, and its index in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorPlace {
    /// The chunk.
    pub piece: Piece,
    /// The index in the chunk.
    pub index: usize,
}

/// Lists errors after the place `after`: those of the rows written, before that those that the check found. 1 R per 20 chunks; 1 request to the results bucket per
/// chunk looked into; chunks are asked for until the page is full, and none when no row failed or has a warning.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:read` for the whole tenant; those of the bucket.
pub async fn errors(services: &Services, viewer: &Viewer, import: &Import, after: Option<ErrorPlace>, first: usize) -> Result<Page<(ErrorPlace, RowError)>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    let counts = import.known_counts();
    if counts.failed == 0 && counts.warned == 0 {
        return Ok(Page { entries: Vec::new(), has_more: false });
    }
    let place = Place::of(&viewer.tenant.scope, import.id);
    let has_written = import.writing_since.is_some();
    let chunks = imports::chunks(&services.core, &viewer.tenant.scope, import.id).await?;
    let is_there = |chunk: &&Chunk| if has_written { chunk.written } else { chunk.from_row == 0 && chunk.checked > 0 && chunk.checked == import.check_run };
    let mut entries = Vec::new();
    for chunk in chunks.iter().filter(is_there).filter(|chunk| after.is_none_or(|after| chunk.piece() >= after.piece)) {
        let piece = chunk.piece();
        let errors = if has_written {
            services.results.get_json::<ChunkResult>(&place.result(chunk)).await?.map(|result| result.errors)
        } else {
            services.results.get_json::<Vec<RowError>>(&place.found(import.check_run, piece.chunk)).await?
        };
        let found = errors.unwrap_or_default().into_iter().enumerate().map(|(index, error)| (ErrorPlace { piece, index }, error));
        entries.extend(found.filter(|(place, _)| after.is_none_or(|after| *place > after)));
        if entries.len() > first {
            break;
        }
    }
    let has_more = entries.len() > first;
    entries.truncate(first);
    Ok(Page { entries, has_more })
}

/// A link to the file of the rows that failed, which works for 15 minutes; none when there is none. It is on record before it is given: 1 request and 3 W, once a
/// minute for each user and file.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:read` for the whole tenant; those of signing.
pub async fn errors_file_url(services: &Services, viewer: &Viewer, import: &Import) -> Result<Option<String>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    if !import.has_errors_file {
        return Ok(None);
    }
    let key = Place::of(&viewer.tenant.scope, import.id).errors_file();
    let link = services.results.presigned_get(&key, LINK_WORKS).await?;
    downloaded(services, viewer, &key, detail("import", import.id.to_string())).await?;
    Ok(Some(link))
}
