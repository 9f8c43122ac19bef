//! The records that stayed as they are when an import was undone.

use serde::{Deserialize, Serialize};
use switchboard_domain::ids::TeamId;
use switchboard_domain::imports::{Import, ImportStatus};
use switchboard_domain::permission::Permission;
use switchboard_store::Page;
use switchboard_store::imports::{self, Chunk};

use super::TEAMS;
use crate::error::AppError;
use crate::imports::{ErrorPlace, Place};
use crate::services::Services;
use crate::viewer::Viewer;

/// A record that stayed as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What kind of record it is.
    #[serde(rename = "type")]
    pub entity_type: String,
    /// Its id.
    #[serde(rename = "id")]
    pub entity_id: String,
    /// Why, in a plain sentence.
    pub reason: String,
}

/// What undoing a piece left.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct KeptFile {
    /// What stayed.
    pub(super) kept: Vec<Kept>,
    /// The teams that its rows made or that people came into, which are looked at when all pieces are undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) teams: Vec<TeamId>,
}

/// Lists the records that an undone import left as they are, those behind the place `after`, as far as it is undone. 1 R per 20 chunks; 1 request to the results
/// bucket per piece looked into, until the page is full; none when it left none.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:read` for the whole tenant; those of the database and of the bucket.
pub async fn kept(services: &Services, viewer: &Viewer, import: &Import, after: Option<ErrorPlace>, first: usize) -> Result<Page<(ErrorPlace, Kept)>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    if import.reverted.kept == 0 {
        return Ok(Page { entries: Vec::new(), has_more: false });
    }
    let place = Place::of(&viewer.tenant.scope, import.id);
    let chunks = imports::chunks(&services.core, &viewer.tenant.scope, import.id).await?;
    let teams = (import.status == ImportStatus::Reverted).then_some(TEAMS);
    let pieces = chunks.iter().filter(|chunk| chunk.reverted).map(Chunk::piece).chain(teams);
    let mut entries = Vec::new();
    for piece in pieces.filter(|piece| after.is_none_or(|after| *piece >= after.piece)) {
        let file: KeptFile = services.results.get_json(&place.kept(piece)).await?.unwrap_or_default();
        let found = file.kept.into_iter().enumerate().map(|(index, kept)| (ErrorPlace { piece, index }, kept));
        entries.extend(found.filter(|(place, _)| after.is_none_or(|after| *place > after)));
        if entries.len() > first {
            break;
        }
    }
    let has_more = entries.len() > first;
    entries.truncate(first);
    Ok(Page { entries, has_more })
}
