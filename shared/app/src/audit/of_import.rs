//! The rows behind the event of an import's chunk. They stand in no list by actor or day: the archive lists them, and they are read by their keys.

use std::collections::HashMap;

use switchboard_domain::audit::Place;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::Piece;
use switchboard_domain::permission::Permission;
use switchboard_store::audit_events::EventKey;

use super::chunks::{ChunkRow, chunk_key, root_of};
use super::list::EventPage;
use super::view::views;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// The events of the rows of a chunk, in the order of the chunk's list, those behind the place `after`, each with its place. One that left the table is left out, and
/// so is one that was missing and still is. `root` is the one in the chunk's event. 1 request to the archive, whose file is read whole (about 0.1 KB a row,
/// 5,000 rows at most); 1 request per 100 events, 1 R each, and those of [`views`].
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; [`AppError::Broken`] when the list, or an event, isn't the one under the root; those of the
/// database and of the archive.
pub async fn rows(services: &Services, viewer: &Viewer, import: ImportId, piece: Piece, root: &str, after: Option<usize>, first: usize) -> Result<EventPage, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let tenant = viewer.tenant.record.id;
    let file = chunk_key(tenant, import, piece);
    let list: Vec<ChunkRow> = services.archive.get_json(&file).await?.unwrap_or_default();
    if root_of(&list) != root {
        return Err(AppError::Broken(format!("{file} is not the list under its chunk's root")));
    }
    let start = after.map_or(0, |after| after.saturating_add(1));
    let key = |row: &ChunkRow| -> Option<EventKey> { Some((row.entity_type.clone(), row.entity_id.clone(), Place::Version(row.version?))) };
    let rows = list.iter().enumerate().skip(start).take(first);
    let places: HashMap<EventKey, (usize, &ChunkRow)> = rows.filter_map(|(place, row)| Some((key(row)?, (place, row)))).collect();
    let keys: Vec<EventKey> = places.keys().cloned().collect();
    let mut found: Vec<(usize, _)> = Vec::with_capacity(keys.len());
    for stored in services.audit.get_many(tenant, &keys).await? {
        let event = &stored.event;
        let key = (event.entity_type.clone(), event.entity_id.clone(), event.place.clone());
        let Some((place, row)) = places.get(&key) else {
            continue;
        };
        if row.hash.as_ref().is_some_and(|hash| *hash != stored.hash) {
            return Err(AppError::Broken(format!("the event of a row of {file} is not the one in it")));
        }
        found.push((*place, stored));
    }
    found.sort_by_key(|(place, _)| *place);
    let (places, events): (Vec<usize>, Vec<_>) = found.into_iter().unzip();
    let entries = places.iter().map(ToString::to_string).zip(views(services, viewer, events).await?).collect();
    let end = start.saturating_add(first);
    Ok(EventPage { entries, next: (list.len() > end).then(|| (end - 1).to_string()) })
}
