//! The rows behind the event of an import's chunk. They stand in no list by actor or day: the archive lists them, and they are read by their keys.

use std::collections::HashMap;

use switchboard_domain::audit::Place;
use switchboard_domain::ids::ImportId;
use switchboard_domain::permission::Permission;
use switchboard_store::audit_events::EventKey;

use super::audited_id::AuditedId;
use super::chunks::{ChunkRow, chunk_key};
use super::list::EventPage;
use super::view::views;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// The events of the rows of a chunk, in the order of the chunk's list, those behind the place `after`, each with its place. One that left the table is left out.
/// 1 request to the archive, whose file is read whole (about 0.1 KB a row, 5,000 rows at most); 1 request per 100 events, 1 R each, and those of [`views`].
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; those of the database and of the archive.
pub async fn rows(services: &Services, viewer: &Viewer, import: ImportId, chunk: u32, after: Option<usize>, first: usize) -> Result<EventPage, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let tenant = viewer.tenant.record.id;
    let list: Vec<ChunkRow> = services.archive.get_json(&chunk_key(tenant, import, chunk)).await?.unwrap_or_default();
    let start = after.map_or(0, |after| after.saturating_add(1));
    let key = |row: &ChunkRow| -> EventKey {
        let contact = AuditedId::Contact(row.contact.clone());
        (contact.entity_type().to_owned(), contact.entity_id(), Place::Version(row.version))
    };
    let places: HashMap<EventKey, usize> = list.iter().enumerate().skip(start).take(first).map(|(place, row)| (key(row), place)).collect();
    let keys: Vec<EventKey> = places.keys().cloned().collect();
    let mut found: Vec<(usize, _)> = Vec::with_capacity(keys.len());
    for stored in services.audit.get_many(tenant, &keys).await? {
        let event = &stored.event;
        let key = (event.entity_type.clone(), event.entity_id.clone(), event.place.clone());
        found.extend(places.get(&key).map(|place| (*place, stored)));
    }
    found.sort_by_key(|(place, _)| *place);
    let (places, events): (Vec<usize>, Vec<_>) = found.into_iter().unzip();
    let entries = places.iter().map(ToString::to_string).zip(views(services, viewer, events).await?).collect();
    let end = start.saturating_add(first);
    Ok(EventPage { entries, next: (list.len() > end).then(|| (end - 1).to_string()) })
}
