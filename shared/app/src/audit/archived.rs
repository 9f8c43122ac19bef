//! Events that left the table, from the archive: the days on which they were recorded, one after the other, the newest first. It is slow: every file of a day is
//! read for any page of it.
//!
//! A place here is `A`, the day, and the event's place in the lists of the table behind it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;
use switchboard_domain::audit::Line;
use switchboard_store::audit_events::{Listing, StoredEvent, day_of};
use switchboard_store::keys::audit_sort_key;
use switchboard_store::tenants::OpenTenant;

use super::archive::read_day;
use super::filter::EventFilter;
use super::list::Found;
use super::record::listing;
use super::timeline::sort_key_of;
use crate::error::AppError;
use crate::services::Services;

/// Days read for one page at most.
const MOST_DAYS: usize = 31;
/// How long a page is read for at most: less than a request may take.
const TIME: Duration = Duration::from_secs(8);

/// Whether a place is one in the archive: those of the table begin with a digit.
pub(super) fn is_place(place: &str) -> bool {
    place.starts_with('A')
}

/// The day of a place, and behind which event of it; the whole day without one.
fn parse(place: &str) -> Option<(Date, Option<&str>)> {
    let place = place.strip_prefix('A')?;
    let (day, event) = place.split_once('#').map_or((place, None), |(day, event)| (day, Some(event)));
    Some((day.parse().ok()?, event))
}

/// Adds events from `from` up to `end`, where the table begins or the filter ends, those behind the place `after`, until the page is full, 31 days were read, or
/// eight seconds went by. 1 request for each file of a day, 8 of them at once, and 1 per 1,000 files of it; no units of the database. A file has the events of
/// one batch of the stream: a busy day has thousands.
///
/// An event that was recorded days after it happened stands on the day of its recording, if that is among those read: they begin on the day after `end`.
///
/// # Errors
/// [`AppError::Asked`] for a day that is too large to be read in that time; those of the bucket.
pub(super) async fn walk(
    services: &Services,
    tenant: &OpenTenant,
    filter: &EventFilter,
    (from, end): (Timestamp, Timestamp),
    after: Option<&str>,
    first: usize,
    found: &mut Found,
) -> Result<(), AppError> {
    let (mut day, mut before) = match after.and_then(parse) {
        Some((day, event)) => (day, event.map(str::to_owned)),
        None => (day_of(end).tomorrow().unwrap_or(Date::MAX), None),
    };
    let last = day_of(from);
    let end = sort_key_of(end);
    let deadline = Instant::now() + TIME;
    for days_read in 0..MOST_DAYS {
        if day < last {
            return Ok(());
        }
        let left = first.saturating_sub(found.events.len());
        if left == 0 {
            break;
        }
        let limit = before.as_deref().map_or(end.as_str(), |before| before.min(end.as_str()));
        let Some(newest) = newest_of(services, tenant, filter, day, (limit, left + 1), deadline).await? else {
            if days_read == 0 {
                return Err(AppError::Asked(format!("from reaches back to {day}, which has too many events to be read at once. Take that time out by auditExport.")));
            }
            break;
        };
        let has_more = newest.len() > left;
        found.events.extend(newest.into_iter().take(left).map(|(place, stored)| (format!("A{day}#{place}"), stored)));
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
        found.next = Some(before.map_or_else(|| format!("A{day}"), |before| format!("A{day}#{before}")));
    }
    Ok(())
}

/// The newest events of a day that a filter means, before a place, and no more than so many; none when the time is up before the day is read.
async fn newest_of(
    services: &Services,
    tenant: &OpenTenant,
    filter: &EventFilter,
    day: Date,
    (before, most): (&str, usize),
    deadline: Instant,
) -> Result<Option<Vec<(String, StoredEvent)>>, AppError> {
    let mut newest: BTreeMap<String, StoredEvent> = BTreeMap::new();
    let mut reader = read_day(&services.archive, tenant.record.id, day);
    while let Some(file) = reader.next().await? {
        if Instant::now() >= deadline {
            return Ok(None);
        }
        for text in &file.lines {
            let broken = |error: switchboard_domain::audit::LineError| AppError::Broken(format!("{}: {error}", file.key));
            let line = Line::parse(text).map_err(broken)?;
            let event = line.event().map_err(broken)?;
            // The rows of an import are beneath the event of their chunk, as in the table.
            if listing(&event) == Listing::RowOfImport || !filter.lets_in(&event) {
                continue;
            }
            let place = audit_sort_key(event.change.at, &event.entity_type, &event.entity_id, &event.place);
            if place.as_str() < before {
                newest.insert(place, StoredEvent { event, hash: line.hash().to_owned(), recorded_at: line.recorded_at().map_err(broken)? });
            }
            if newest.len() > most {
                newest.pop_first();
            }
        }
    }
    Ok(Some(newest.into_iter().rev().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_archive_is_told_from_one_in_the_table_and_reads_back() {
        let day = jiff::civil::date(2026, 11, 30);
        assert_eq!(parse("A2026-11-30"), Some((day, None)));
        assert_eq!(parse("A2026-11-30#1796000000000#contact#x#B#1#y"), Some((day, Some("1796000000000#contact#x#B#1#y"))));
        for table in ["1796000000000", "1796000000000#contact#x#0000000001"] {
            assert!(!is_place(table) && parse(table).is_none());
        }
        for wrong in ["A", "Ax#y", "A2026-13-01"] {
            assert_eq!(parse(wrong), None);
        }
    }
}
