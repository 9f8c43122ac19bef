//! Events that a filter means: each question goes to the list that holds the fewest others.

use switchboard_domain::audit::Place;
use switchboard_domain::permission::Permission;
use switchboard_store::audit_events::StoredEvent;

use super::audited_id::AuditedId;
use super::filter::EventFilter;
use super::view::{EventView, views};
use super::{of_record, timeline};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Entries that one page examines at most.
pub const MOST_EXAMINED: usize = 2_000;

/// A page of events, newest first.
#[derive(Debug, Clone, Default)]
pub struct EventPage {
    /// The events, each with its place in the list.
    pub entries: Vec<(String, EventView)>,
    /// The place from which to go on; none at the end. It may lie beyond the last event, when only entries that weren't asked for followed.
    pub next: Option<String>,
}

/// The same before its events are opened.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) events: Vec<(String, StoredEvent)>,
    pub(super) next: Option<String>,
}

/// The events that a filter means, newest first, those behind the place `after`. A page may be thin when few of the entries examined are meant. With a record 2
/// requests, with an import 1, and 1 more for each 100 events examined; else 1 request for each part of a month of an actor, 4 for each part of a day. Half an R
/// per started 4 KB of what is examined, at most 2,000 entries a page; then what [`views`] reads. What is older than the table goes back is read from the archive
/// where `from` asks for it, a request or more for each day.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; those of the database and of the archive.
pub async fn list(services: &Services, viewer: &Viewer, filter: &EventFilter, after: Option<&str>, first: usize) -> Result<EventPage, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let record = filter.record.clone().or_else(|| filter.import.map(AuditedId::Import));
    let found = match record {
        Some(record) => of_record::everything(services, &viewer.tenant, &record, filter, after, first).await?,
        None => timeline::walk(services, &viewer.tenant, filter, after, first).await?,
    };
    shown(services, viewer, found).await
}

/// One event by its place; none when there is none, or when it left the table. 1 request and 1 R, for a sealed one 2 of each.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; those of the database.
pub async fn event(services: &Services, viewer: &Viewer, record: &AuditedId, place: &Place) -> Result<Option<EventView>, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let stored = services.audit.get(viewer.tenant.record.id, record.entity_type(), &record.entity_id(), place).await?;
    Ok(views(services, viewer, stored.into_iter().collect()).await?.pop())
}

/// The page as the viewer may see it.
pub(super) async fn shown(services: &Services, viewer: &Viewer, found: Found) -> Result<EventPage, AppError> {
    let (places, events): (Vec<String>, Vec<StoredEvent>) = found.events.into_iter().unzip();
    let entries = places.into_iter().zip(views(services, viewer, events).await?).collect();
    Ok(EventPage { entries, next: found.next })
}
