//! The events of one record: its chain of versions, what stands beside it, or both by time.

use std::collections::VecDeque;

use switchboard_domain::audit::Place;
use switchboard_domain::permission::Permission;
use switchboard_store::Page;
use switchboard_store::audit_events::StoredEvent;
use switchboard_store::tenants::OpenTenant;

use super::audited_id::AuditedId;
use super::filter::EventFilter;
use super::list::{EventPage, Found, MOST_EXAMINED, shown};
use super::view::{EventView, views};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Events read at once while a filter leaves some out.
const PART: usize = 100;

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

    fn take(&mut self) -> Option<StoredEvent> {
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

    /// Reads on in each list of which nothing is left.
    async fn fill(&mut self, services: &Services, tenant: &OpenTenant, record: &AuditedId, part: usize) -> Result<(), AppError> {
        let (kind, id) = (record.entity_type(), record.entity_id());
        let Self { versions, beside } = self;
        if versions.read.is_empty() && versions.has_more {
            let before = versions.before.as_ref().and_then(Place::version);
            let page = services.audit.of_record(&tenant.scope, kind, &id, before, part).await?;
            (versions.read, versions.has_more) = (page.entries.into(), page.has_more);
        }
        if beside.read.is_empty() && beside.has_more {
            let before = beside.before.as_ref().map(Place::sort_key);
            let page = services.audit.beside(&tenant.scope, kind, &id, before.as_deref(), part).await?;
            (beside.read, beside.has_more) = (page.entries.into(), page.has_more);
        }
        Ok(())
    }

    /// The newest of both.
    fn take(&mut self) -> Option<StoredEvent> {
        let at = |source: &Source| source.read.front().map(|stored| stored.event.change.at);
        if at(&self.beside) > at(&self.versions) { self.beside.take() } else { self.versions.take() }
    }

    fn is_at_its_end(&self) -> bool {
        self.versions.is_at_its_end() && self.beside.is_at_its_end()
    }
}

/// Everything on record about a record that a filter means, newest first: its changes, and what stands beside them, such as who opened it or signed in. 2
/// requests, and 1 more for each 100 events, half an R per started 4 KB of what is examined, at most 2,000 events a page.
///
/// # Errors
/// Those of the database.
pub(super) async fn everything(
    services: &Services,
    tenant: &OpenTenant,
    record: &AuditedId,
    filter: &EventFilter,
    after: Option<&str>,
    first: usize,
) -> Result<Found, AppError> {
    let is_selective = filter.is_selective() || filter.actor.is_some() || filter.import.is_some() || filter.to.is_some();
    let part = if is_selective { PART } else { first };
    let mut both = Both::behind(after);
    if !record.has_versions() {
        both.versions.has_more = false;
    }
    let mut found = Found::default();
    for _ in 0..MOST_EXAMINED {
        if found.events.len() == first {
            break;
        }
        both.fill(services, tenant, record, part).await?;
        let Some(stored) = both.take() else {
            return Ok(found);
        };
        if filter.from.is_some_and(|from| stored.event.change.at < from) {
            return Ok(found);
        }
        if filter.lets_in(&stored.event) {
            found.events.push((both.place(), stored));
        }
    }
    found.next = (!both.is_at_its_end()).then(|| both.place());
    Ok(found)
}
