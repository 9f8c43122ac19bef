//! Events that left the table, from the archive: the days on which they were recorded, one after the other, the newest first. It is slow: every file of a day is
//! read for any page of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;
use switchboard_domain::audit::{AuditEvent, Line};
use switchboard_store::audit_events::{Listing, StoredEvent, day_of};
use switchboard_store::keys::audit_sort_key;
use switchboard_store::tenants::OpenTenant;

use super::archive::read_day;
use super::filter::EventFilter;
use super::list::Found;
use super::record::listing;
use crate::error::AppError;
use crate::services::Services;

/// Days read for one page at most.
const MOST_DAYS: usize = 31;
/// How long a page is read for at most: less than a request may take.
const TIME: Duration = Duration::from_secs(8);

/// A place in the archive: `A`, the day, the event's place in the lists by time, and how far the list was gone through in the table, with `|` between them. The
/// last goes along because the table loses its oldest events while somebody pages: what it had told by then isn't told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArchivePlace<'a> {
    day: Date,
    /// Behind which event of the day; the whole day when there is none.
    event: Option<&'a str>,
    /// A place in the table, as the list writes it.
    pub(super) table: &'a str,
}

impl<'a> ArchivePlace<'a> {
    /// Reads what [`written`] wrote. None for a place in the table: no list begins those with a letter.
    pub(super) fn parse(place: &'a str) -> Option<Self> {
        let mut parts = place.strip_prefix('A')?.splitn(3, '|');
        let (day, event, table) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { day: day.parse().ok()?, event: Some(event).filter(|event| !event.is_empty()), table })
    }
}

fn written(day: Date, event: Option<&str>, table: &str) -> String {
    format!("A{day}|{}|{table}", event.unwrap_or_default())
}

/// What of a list is left to the archive.
pub(super) struct Archived<'a> {
    pub(super) services: &'a Services,
    pub(super) tenant: &'a OpenTenant,
    pub(super) filter: &'a EventFilter,
    /// The oldest time that is asked for.
    pub(super) from: Timestamp,
    /// Up to which time: where the table begins, or the filter ends.
    pub(super) end: Timestamp,
    /// How far the list was gone through in the table, as it writes its places.
    pub(super) table: &'a str,
    /// Whether behind that lies an event, which has this place in the lists by time.
    pub(super) is_left: fn(table: &str, event: &AuditEvent, place: &str) -> bool,
}

impl Archived<'_> {
    /// Adds what lies behind the place `after`, until the page is full, 31 days were read, or eight seconds went by. 1 request for each file of a day, 8 of them
    /// at once, and 1 per 1,000 files of it; no units of the database. A file has the events of one batch of the stream: a busy day has thousands.
    ///
    /// An event that was recorded days after it happened stands on the day of its recording, if that is among those read: they begin on the day after `end`.
    ///
    /// # Errors
    /// [`AppError::Asked`] for a day that is too large to be read in that time, unless the page has something already; those of the bucket.
    pub(super) async fn walk(&self, after: Option<ArchivePlace<'_>>, first: usize, found: &mut Found) -> Result<(), AppError> {
        let (mut day, mut before) = match after {
            Some(ArchivePlace { day, event, .. }) => (day, event),
            None => (day_of(self.end).tomorrow().unwrap_or(Date::MAX), None),
        };
        let (last, deadline) = (day_of(self.from), Instant::now() + TIME);
        for days_read in 0..MOST_DAYS {
            if day < last {
                return Ok(());
            }
            let left = first.saturating_sub(found.events.len());
            if left == 0 {
                break;
            }
            let Some(newest) = self.newest_of(day, before, left + 1, deadline).await? else {
                if days_read == 0 && found.events.is_empty() {
                    let too_many = format!("from reaches back to {day}, which has too many events to be read at once. Take that time out by auditExport.");
                    return Err(AppError::Asked(too_many));
                }
                break;
            };
            let has_more = newest.len() > left;
            found.events.extend(newest.into_iter().take(left).map(|(place, stored)| (written(day, Some(&place), self.table), stored)));
            if has_more {
                found.next = found.events.last().map(|(place, _)| place.clone());
                return Ok(());
            }
            before = None;
            let Ok(yesterday) = day.yesterday() else {
                return Ok(());
            };
            day = yesterday;
        }
        if day >= last {
            found.next = Some(written(day, before, self.table));
        }
        Ok(())
    }

    /// The newest events of a day that are meant, before a place, and no more than so many; none when the time is up before the day is read.
    async fn newest_of(&self, day: Date, before: Option<&str>, most: usize, deadline: Instant) -> Result<Option<Vec<(String, StoredEvent)>>, AppError> {
        let mut newest: BTreeMap<String, StoredEvent> = BTreeMap::new();
        let mut reader = read_day(&self.services.archive, self.tenant.record.id, day);
        while let Some(file) = reader.next().await? {
            if Instant::now() >= deadline {
                return Ok(None);
            }
            for text in &file.lines {
                let broken = |error: switchboard_domain::audit::LineError| AppError::Broken(format!("{}: {error}", file.key));
                let line = Line::parse(text).map_err(broken)?;
                let event = line.event().map_err(broken)?;
                if !self.is_meant(&event) {
                    continue;
                }
                let place = audit_sort_key(event.change.at, &event.entity_type, &event.entity_id, &event.place);
                if before.is_none_or(|before| place.as_str() < before) && (self.is_left)(self.table, &event, &place) {
                    newest.insert(place, StoredEvent { event, hash: line.hash().to_owned(), recorded_at: line.recorded_at().map_err(broken)? });
                }
                if newest.len() > most {
                    newest.pop_first();
                }
            }
        }
        Ok(Some(newest.into_iter().rev().collect()))
    }

    /// Whether the filter means an event. The rows of an import are beneath the event of their chunk, as in the table, and with their own record.
    fn is_meant(&self, event: &AuditEvent) -> bool {
        (self.filter.record.is_some() || listing(event) == Listing::Listed) && self.filter.lets_in(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_archive_is_told_from_one_in_the_table_and_reads_back() {
        let day = jiff::civil::date(2026, 11, 30);
        for event in [None, Some("1796000000000#contact#x#B#1#y")] {
            for table in ["1796000000001", "1796000000001#contact#x#0000000001", "0000000003|B#1796000000000#y", "|"] {
                let place = written(day, event, table);
                assert_eq!(ArchivePlace::parse(&place), Some(ArchivePlace { day, event, table }), "{place}");
                assert_eq!(ArchivePlace::parse(table), None);
            }
        }
        for wrong in ["", "A", "Ax||", "A2026-13-01||", "A2026-11-30", "A2026-11-30|"] {
            assert_eq!(ArchivePlace::parse(wrong), None, "{wrong}");
        }
    }
}
