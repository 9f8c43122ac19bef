//! What was done in a tenant, newest first: by one actor, month by month, or by all, day by day; and beyond what the table keeps, from the archive.
//!
//! The place of an event is its sort key in the indexes, which begins with its time. So a place means the same in every partition, and what comes while somebody
//! pages stands before it and moves nothing.

use futures::future::try_join_all;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use switchboard_store::audit_events::{ActorList, List, SHARDS, StoredEvent, day_of};
use switchboard_store::tenants::OpenTenant;

use super::archived::{ArchivePlace, Archived};
use super::filter::{EventFilter, Who};
use super::list::{Found, MOST_EXAMINED};
use crate::error::AppError;
use crate::services::Services;

/// Months or days without an entry that one page passes over at most.
const MOST_EMPTY: usize = 62;
/// Entries read at once while a filter leaves some out, of all partitions together.
const PART: usize = 500;
/// How far clocks may be apart: what is a little younger than now is listed too.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// Events of one actor, or of all, newest first, those behind the place `after`. 1 request for each part of an actor's month, 4 for each part of a month of the
/// system or of a day, half an R per started 4 KB of what is read, half an R for an empty partition. A page examines at most 2,000 entries and passes over at most
/// 62 months or days without one; it is thin then.
///
/// It ends with what the table keeps: at the tenant's creation, or where its retention reaches. Where `from` lies before that it goes on in the archive, as
/// [`Archived::walk`] does.
///
/// # Errors
/// Those of the database and of the archive.
pub(super) async fn walk(services: &Services, tenant: &OpenTenant, filter: &EventFilter, after: Option<&str>, first: usize) -> Result<Found, AppError> {
    let reach = Reach::of(tenant, filter, services.clock.now());
    let mut found = Found::default();
    let archived = after.and_then(ArchivePlace::parse);
    let table = match archived {
        Some(place) => place.table.to_owned(),
        None => {
            let start = after.map_or_else(|| reach.top.clone(), str::to_owned);
            let floor = sort_key_of(reach.floor);
            let table = start.clone().min(floor.clone());
            if !(Walk { services, tenant, filter, first, floor }).table(start, &mut found).await? {
                return Ok(found);
            }
            table
        }
    };
    if let Some(from) = reach.archive {
        Archived { services, tenant, filter, from, end: reach.end, table: &table, is_left: |table, _, place| place < table }.walk(archived, first, &mut found).await?;
    }
    Ok(found)
}

/// Between which times is listed.
pub(super) struct Reach {
    /// The first place that is too young.
    top: String,
    /// The oldest time that the table is asked for.
    pub(super) floor: Timestamp,
    /// Up to which time the archive is asked: to the floor, or to where the filter ends before it.
    pub(super) end: Timestamp,
    /// The oldest time that the archive is asked for; none when nothing of it is.
    pub(super) archive: Option<Timestamp>,
}

impl Reach {
    pub(super) fn of(tenant: &OpenTenant, filter: &EventFilter, now: Timestamp) -> Self {
        let record = &tenant.record;
        let retention = SignedDuration::from_hours(24 * i64::from(record.retention_days));
        let born = record.record.created_at;
        let kept = now.saturating_sub(retention).unwrap_or(Timestamp::MIN).max(born);
        let young = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        let from = filter.from.unwrap_or(kept).max(born);
        let floor = from.max(kept);
        Self {
            top: sort_key_of(filter.to.map_or(young, |to| to.min(young))),
            floor,
            end: filter.to.map_or(floor, |to| to.min(floor)),
            archive: (from < kept).then_some(from),
        }
    }
}

/// A place before all events of a time, and behind all before it.
fn sort_key_of(at: Timestamp) -> String {
    format!("{:013}", at.as_millisecond().max(0))
}

/// The time a place begins with.
fn time_of(place: &str) -> Option<Timestamp> {
    let (time, rest) = (place.get(..13)?, place.get(13..)?);
    let millis: i64 = time.parse().ok()?;
    // The place of a time alone is the end of what is before it.
    Timestamp::from_millisecond(if rest.is_empty() { millis - 1 } else { millis }).ok()
}

/// The first moment of a day.
fn beginning(day: Date) -> Result<Timestamp, AppError> {
    let zoned = day.to_zoned(TimeZone::UTC).map_err(|error| AppError::Broken(error.to_string()))?;
    Ok(zoned.timestamp())
}

/// A month or a day: the partitions that hold it, and when it begins.
struct Span {
    lists: Vec<List>,
    begins: Timestamp,
}

impl Span {
    /// The one in which a moment falls.
    fn of(filter: &EventFilter, at: Timestamp) -> Result<Self, AppError> {
        let day = day_of(at);
        let month = day.first_of_month();
        let by = |actor| List::Actor { actor, month };
        let (lists, first_day) = match filter.actor {
            Some(Who::User(id)) => (vec![by(ActorList::User(id))], month),
            Some(Who::Import(id)) => (vec![by(ActorList::Import(id))], month),
            Some(Who::System) => ((0..SHARDS).map(|shard| by(ActorList::System(shard))).collect(), month),
            None => ((0..SHARDS).map(|shard| List::Day { day, shard }).collect(), day),
        };
        Ok(Self { lists, begins: beginning(first_day)? })
    }
}

struct Walk<'a> {
    services: &'a Services,
    tenant: &'a OpenTenant,
    filter: &'a EventFilter,
    first: usize,
    /// The first place that isn't too old.
    floor: String,
}

impl Walk<'_> {
    /// Takes events from the table until the page is full or thin; true when it came to the end of what the table has.
    async fn table(&self, start: String, found: &mut Found) -> Result<bool, AppError> {
        let mut before = start;
        let (mut examined, mut empty) = (0, 0);
        while before > self.floor {
            let Some(at) = time_of(&before) else {
                return Ok(true);
            };
            let span = Span::of(self.filter, at)?;
            let mut is_empty = true;
            loop {
                let Part { entries, is_last } = self.part(&span, &before).await?;
                for (place, stored) in entries {
                    if place < self.floor {
                        return Ok(true);
                    }
                    is_empty = false;
                    examined += 1;
                    if self.filter.lets_in(&stored.event) {
                        if found.events.len() == self.first {
                            found.next = found.events.last().map(|(place, _)| place.clone());
                            return Ok(false);
                        }
                        found.events.push((place.clone(), stored));
                    }
                    before = place;
                    if examined == MOST_EXAMINED {
                        found.next = Some(before);
                        return Ok(false);
                    }
                }
                if is_last {
                    break;
                }
            }
            before = sort_key_of(span.begins);
            empty = if is_empty { empty + 1 } else { empty };
            if empty == MOST_EMPTY && before > self.floor {
                found.next = Some(before);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next entries of a span, newest first.
    async fn part(&self, span: &Span, before: &str) -> Result<Part, AppError> {
        let limit = if self.filter.is_selective() {
            PART / span.lists.len()
        } else {
            // Events are spread evenly: twice a partition's share of the page is nearly always enough.
            (self.first + 1).div_ceil(span.lists.len()) * if span.lists.len() > 1 { 2 } else { 1 }
        };
        let (table, scope) = (&self.services.audit, &self.tenant.scope);
        let pages = try_join_all(span.lists.iter().map(|list| table.listed(scope, list, Some(before), limit))).await?;
        Ok(merged(pages, limit))
    }
}

/// Some entries of a span.
struct Part {
    entries: Vec<(String, StoredEvent)>,
    /// No others follow in the span.
    is_last: bool,
}

/// The entries of several partitions as one list, newest first. Where a partition has more than was read, nothing older than what was read of it may be told.
fn merged(pages: Vec<Vec<(String, StoredEvent)>>, limit: usize) -> Part {
    let known_from = pages.iter().filter(|page| page.len() >= limit).filter_map(|page| page.last()).map(|(place, _)| place.clone()).max();
    let mut entries: Vec<(String, StoredEvent)> = pages.into_iter().flatten().collect();
    if let Some(known_from) = &known_from {
        entries.retain(|(place, _)| place >= known_from);
    }
    entries.sort_by(|(one, _), (other, _)| other.cmp(one));
    Part { entries, is_last: known_from.is_none() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use switchboard_domain::audit::{AuditEvent, Changes, Outcome, Place};
    use switchboard_domain::change::{Change, Origin};

    fn stored(at: i64) -> StoredEvent {
        let at = Timestamp::from_millisecond(at).unwrap();
        let event = AuditEvent {
            entity_type: "team".to_owned(),
            entity_id: "t".to_owned(),
            place: Place::Version(1),
            change: Change::new("team.created", at, Origin::system()),
            changes: Changes::Clear(Vec::new()),
            outcome: Outcome::Success,
            previous_hash: None,
            about: None,
        };
        StoredEvent { hash: event.hash(), event, recorded_at: at }
    }

    proptest! {
        #[test]
        fn partitions_read_a_part_at_a_time_are_one_list_in_order(shards in proptest::collection::vec(proptest::collection::btree_set(0_i64..200, 0..30), 1..5), limit in 1_usize..10) {
            let mut expected: Vec<String> = Vec::new();
            let shards: Vec<Vec<(String, StoredEvent)>> = shards
                .iter()
                .enumerate()
                .map(|(shard, times)| times.iter().rev().map(|at| (format!("{at:013}#{shard}"), stored(*at))).collect())
                .collect();
            expected.extend(shards.iter().flatten().map(|(place, _)| place.clone()));
            expected.sort();
            expected.reverse();
            let (mut found, mut before) = (Vec::new(), "~".to_owned());
            loop {
                let pages = shards.iter().map(|shard| shard.iter().filter(|(place, _)| *place < before).take(limit).cloned().collect()).collect();
                let part = merged(pages, limit);
                found.extend(part.entries.iter().map(|(place, _)| place.clone()));
                match found.last() {
                    Some(last) if !part.is_last => before.clone_from(last),
                    _ => break,
                }
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_place_of_a_time_alone_belongs_to_what_is_before_it() {
        let midnight: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        let place = sort_key_of(midnight);
        assert_eq!(day_of(time_of(&place).unwrap()).to_string(), "2026-11-29");
        assert_eq!(day_of(time_of(&format!("{place}#team#t#0000000001")).unwrap()).to_string(), "2026-11-30");
        for wrong in ["", "x", "123", "abcdefghijklm#"] {
            assert_eq!(time_of(wrong), None, "{wrong}");
        }
    }
}
