//! The events of one record: its chain of versions, what stands beside it, or both by time; and beyond what the table keeps, from the archive.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::audit::{AuditEvent, Place};
use switchboard_domain::permission::Permission;
use switchboard_store::Page;
use switchboard_store::audit_events::StoredEvent;
use switchboard_store::tenants::OpenTenant;

use super::archived::{ArchivePlace, Archived};
use super::audited_id::AuditedId;
use super::filter::EventFilter;
use super::list::{EventPage, Found, MOST_EXAMINED, shown};
use super::timeline::Reach;
use super::view::{EventView, views};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Events read at once while a filter leaves some out.
const PART: usize = 100;
/// How far events may be out of their order: of those beside the chain some stand at the minute in which they happened.
const OUT_OF_ORDER: SignedDuration = SignedDuration::from_mins(1);

/// The events of a record's versions, newest first, those of versions before `before`. 1 request and half an R per started 4 KB of events, and those of
/// [`views`].
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; those of the database.
pub async fn versions(services: &Services, viewer: &Viewer, record: &AuditedId, before: Option<u32>, first: usize) -> Result<Page<EventView>, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let page = services.audit.of_record(&viewer.tenant.scope, record.entity_type(), &record.entity_id(), before, first).await?;
    Ok(Page { entries: views(services, viewer, page.entries).await?, has_more: page.has_more })
}

/// What was done to a record, newest first, those behind the place `after`: the events of its versions, of imports and jobs, which have none, those that stand
/// beside each other. Requests and units as [`versions`].
///
/// # Errors
/// As [`versions`].
pub async fn history(services: &Services, viewer: &Viewer, record: &AuditedId, after: Option<&str>, first: usize) -> Result<EventPage, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let before = after.and_then(Place::parse);
    let scope = &viewer.tenant.scope;
    let page = if record.has_versions() {
        services.audit.of_record(scope, record.entity_type(), &record.entity_id(), before.as_ref().and_then(Place::version), first).await?
    } else {
        let before = before.filter(|place| place.version().is_none()).map(|place| place.sort_key());
        services.audit.beside(scope, record.entity_type(), &record.entity_id(), before.as_deref(), first).await?
    };
    let events: Vec<(String, StoredEvent)> = page.entries.into_iter().map(|stored| (stored.event.place.sort_key(), stored)).collect();
    let next = events.last().filter(|_| page.has_more).map(|(place, _)| place.clone());
    shown(services, viewer, Found { events, next }).await
}

/// One of the two lists of a record, read a part at a time.
struct Source {
    read: VecDeque<StoredEvent>,
    /// Behind what was taken from it.
    before: Option<Place>,
    /// There is more in the table than was read.
    has_more: bool,
}

impl Source {
    fn behind(before: Option<Place>) -> Self {
        Self { read: VecDeque::new(), before, has_more: true }
    }

    /// Takes the next one, unless it is older than this.
    fn take(&mut self, oldest: Option<Timestamp>) -> Option<StoredEvent> {
        let is_older = |stored: &StoredEvent| oldest.is_some_and(|oldest| stored.event.change.at < oldest);
        if self.read.front().is_some_and(is_older) {
            return None;
        }
        let stored = self.read.pop_front()?;
        self.before = Some(stored.event.place.clone());
        Some(stored)
    }

    fn is_at_its_end(&self) -> bool {
        self.read.is_empty() && !self.has_more
    }
}

/// Both lists of a record, as one by time.
struct Both {
    versions: Source,
    beside: Source,
}

impl Both {
    /// From a place on: how far either list was gone through, as [`Self::place`] writes it.
    fn behind(after: Option<&str>) -> Self {
        let (versions, beside) = after.and_then(|place| place.split_once('|')).unwrap_or_default();
        let beside = Place::parse(beside).filter(|place| place.version().is_none());
        Self { versions: Source::behind(Place::parse(versions)), beside: Source::behind(beside) }
    }

    fn place(&self) -> String {
        let text = |place: &Option<Place>| place.as_ref().map(Place::sort_key).unwrap_or_default();
        format!("{}|{}", text(&self.versions.before), text(&self.beside.before))
    }

    /// Whether an event lies behind what was gone through.
    fn is_left(&self, place: &Place) -> bool {
        let Source { before, .. } = if place.version().is_some() { &self.versions } else { &self.beside };
        before.as_ref().is_none_or(|before| place < before)
    }

    /// The list with the newest of both. Of two at one time it is that beside the chain, as in the lists by time.
    fn newer(&mut self) -> &mut Source {
        let at = |source: &Source| source.read.front().map(|stored| stored.event.change.at);
        if at(&self.beside) >= at(&self.versions) { &mut self.beside } else { &mut self.versions }
    }

    fn is_at_its_end(&self) -> bool {
        self.versions.is_at_its_end() && self.beside.is_at_its_end()
    }
}

/// Everything on record about a record that a filter means, newest first: its changes, and what stands beside them, such as who opened it or signed in. 2
/// requests, of imports and jobs 1, and 1 more for each 100 events, half an R per started 4 KB of what is examined, at most 2,000 events a page.
///
/// It ends with what is in the table. Where `from` lies before what the table keeps it goes on in the archive, as [`Archived::walk`] does, and there has the rows
/// of imports as in the table.
///
/// # Errors
/// Those of the database and of the archive.
pub(super) async fn everything(
    services: &Services,
    tenant: &OpenTenant,
    record: &AuditedId,
    filter: &EventFilter,
    after: Option<&str>,
    first: usize,
) -> Result<Found, AppError> {
    let reach = Reach::of(tenant, filter, services.clock.now());
    let mut found = Found::default();
    let archived = after.and_then(ArchivePlace::parse);
    let table = match archived {
        Some(place) => place.table.to_owned(),
        None => {
            let mut both = Both::behind(after);
            if !record.has_versions() {
                both.versions.has_more = false;
            }
            if !(Walk { services, tenant, record, filter, first }).table(&reach, &mut both, &mut found).await? {
                return Ok(found);
            }
            both.place()
        }
    };
    if let Some(from) = reach.archive {
        let filter = &EventFilter { record: Some(record.clone()), ..filter.clone() };
        Archived { services, tenant, filter, from, end: reach.end, table: &table, is_left }.walk(archived, first, &mut found).await?;
    }
    Ok(found)
}

/// Whether an event lies behind a place of [`Both`].
fn is_left(table: &str, event: &AuditEvent, _: &str) -> bool {
    Both::behind(Some(table)).is_left(&event.place)
}

/// What is asked of the table.
struct Walk<'a> {
    services: &'a Services,
    tenant: &'a OpenTenant,
    record: &'a AuditedId,
    filter: &'a EventFilter,
    first: usize,
}

impl Walk<'_> {
    /// Takes events until the page is full or thin; true when it came to the end of what is asked for in the table. What the archive is asked for it leaves
    /// there, because the table may have lost any of it.
    async fn table(&self, reach: &Reach, both: &mut Both, found: &mut Found) -> Result<bool, AppError> {
        let (filter, first) = (self.filter, self.first);
        let oldest = match reach.archive {
            Some(_) if reach.end < reach.floor => return Ok(true),
            Some(_) => Some(reach.floor),
            None => filter.from.map(|from| from.saturating_sub(OUT_OF_ORDER).unwrap_or(Timestamp::MIN)),
        };
        let is_selective = filter.is_selective() || filter.actor.is_some() || filter.import.is_some() || filter.to.is_some();
        let part = if is_selective { PART } else { first };
        for _ in 0..MOST_EXAMINED {
            if found.events.len() == first {
                break;
            }
            self.fill(both, part).await?;
            let Some(stored) = both.newer().take(oldest) else {
                return Ok(true);
            };
            if filter.lets_in(&stored.event) {
                found.events.push((both.place(), stored));
            }
        }
        found.next = (!both.is_at_its_end()).then(|| both.place());
        Ok(found.next.is_none())
    }

    /// Reads on in each list of which nothing is left.
    async fn fill(&self, both: &mut Both, part: usize) -> Result<(), AppError> {
        let (table, scope) = (&self.services.audit, &self.tenant.scope);
        let (kind, id) = (self.record.entity_type(), self.record.entity_id());
        let Both { versions, beside } = both;
        if versions.read.is_empty() && versions.has_more {
            let before = versions.before.as_ref().and_then(Place::version);
            let page = table.of_record(scope, kind, &id, before, part).await?;
            (versions.read, versions.has_more) = (page.entries.into(), page.has_more);
        }
        if beside.read.is_empty() && beside.has_more {
            let before = beside.before.as_ref().map(Place::sort_key);
            let page = table.beside(scope, kind, &id, before.as_deref(), part).await?;
            (beside.read, beside.has_more) = (page.entries.into(), page.has_more);
        }
        Ok(())
    }
}
