//! Contacts in the order in which they are called: due by their time, then ready by the order of their status, never called, higher score; then those who wait for a later time.
//! At which hours somebody may be called isn't looked at. Who must not be called isn't in it.
//!
//! Index 2 has each agent's and each pool's contacts by zone. The zones of a partition are found by skipping: what a query gives tells the zone, and the next one begins behind it.

use futures::future::try_join_all;
use jiff::Timestamp;
use switchboard_domain::contact::Contact;

use super::lanes::{AT_ONCE, Entry, Index, Lane, Merged};
use super::{Filled, RankedPage, RankedWalk, fill, sorted};
use crate::contacts::list::{Candidate, work_partitions};
use crate::error::StoreError;
use crate::keys::{self, WorkOf};
use crate::scope::TenantScope;
use crate::settings::Settings;
use crate::table::CoreTable;
use crate::tenants::OpenTenant;

/// Whose time has come.
const DUE: &str = "0#";
/// Who is ready.
const READY: &str = "1#";
/// Who waits for a later time.
const LATER: &str = "2#";

/// What the sort keys of those who wait for a time begin with.
const WAITING: &str = "D#";
/// What the sort keys of those who are ready begin with.
const CALLABLE: &str = "R#";

/// Digits of a time in milliseconds.
const DIGITS: usize = 13;

/// What of an order is still to come: its `now` is that of its first page, so that who becomes due between two pages is still found where they were.
struct Begun<'a> {
    now: String,
    rank: &'a str,
}

impl<'a> Begun<'a> {
    fn of(after: Option<&'a str>, now: Timestamp) -> Self {
        let begun = after.and_then(|after| after.split_once('#')).filter(|(now, _)| now.len() == DIGITS && now.bytes().all(|byte| byte.is_ascii_digit()));
        match begun {
            Some((now, rank)) => Self { now: now.to_owned(), rank },
            None => Self { now: format!("{:0DIGITS$}", now.as_millisecond()), rank: "" },
        }
    }

    /// What its places begin with.
    fn beginning(&self) -> String {
        format!("{}#", self.now)
    }

    /// Whether there may be some of a class.
    fn has(&self, class: &str) -> bool {
        self.rank.get(..class.len()).is_none_or(|reached| reached <= class)
    }

    /// From where on those of a class come.
    fn low(&self, class: &str) -> String {
        self.rank.strip_prefix(class).map(|rest| format!("{rest}!")).unwrap_or_default()
    }

    /// Up to where the times go that have come.
    fn due(&self) -> String {
        format!("{}#~", self.now)
    }

    /// Where in the order a contact stands that stands there in index 2; none for who must not be called.
    fn rank(&self, sort_key: &str) -> Option<String> {
        let (_, rest) = split(sort_key)?;
        if sort_key.starts_with(CALLABLE) {
            return Some(format!("{READY}{rest}"));
        }
        let class = if rest <= self.due().as_str() { DUE } else { LATER };
        sort_key.starts_with(WAITING).then(|| format!("{class}{rest}"))
    }
}

/// A sort key of index 2 up to its zone, and the rest.
fn split(sort_key: &str) -> Option<(&str, &str)> {
    let zone = sort_key.get(WAITING.len()..)?.find('#')?;
    Some(sort_key.split_at(WAITING.len() + zone + 1))
}

/// The first contacts of one zone in one partition.
struct Zone {
    partition: String,
    /// What their sort keys begin with.
    beginning: String,
    entries: Vec<Entry>,
    /// Whether there may be more of them.
    has_more: bool,
}

impl Zone {
    /// Those of them that lie between two rests of their sort keys.
    fn lane(&self, class: &'static str, low: String, high: String) -> Lane {
        let mut lane = Lane::new(Index::Work, self.partition.clone(), self.beginning.clone(), class, low, high);
        lane.receive(self.entries.iter().cloned(), self.has_more);
        lane
    }
}

/// The zones of a partition, each with its first contacts. A partition with few contacts is read whole: 1 request. Else 1 more for each zone that has many.
async fn zones_of(table: &CoreTable, scope: &TenantScope, partition: &str, kind: &str, limit: usize) -> Result<Vec<Zone>, StoreError> {
    let high = format!("{kind}~");
    let mut low = kind.to_owned();
    let mut zones: Vec<Zone> = Vec::new();
    loop {
        let page = Index::Work.read(table, scope, partition, &low, &high, limit).await?;
        for item in page.entries {
            let entry = Entry::of(Index::Work, &item)?;
            let (beginning, _) = split(&entry.rank).ok_or_else(|| StoreError::undecodable("work", "its place has no zone"))?;
            match zones.last_mut() {
                Some(zone) if zone.beginning == beginning => zone.entries.push(entry),
                _ => zones.push(Zone { partition: partition.to_owned(), beginning: beginning.to_owned(), entries: vec![entry], has_more: false }),
            }
        }
        match zones.last_mut().filter(|_| page.has_more) {
            Some(cut) => {
                cut.has_more = true;
                low = format!("{}~", cut.beginning);
            }
            None => return Ok(zones),
        }
    }
}

/// The zones of many partitions.
async fn zones(table: &CoreTable, scope: &TenantScope, partitions: &[String], kind: &str, limit: usize) -> Result<Vec<Zone>, StoreError> {
    let mut zones = Vec::new();
    for part in partitions.chunks(AT_ONCE) {
        let found = try_join_all(part.iter().map(|partition| zones_of(table, scope, partition, kind, limit))).await?;
        zones.extend(found.into_iter().flatten());
    }
    Ok(zones)
}

/// Walks the contacts of some agents and pools, each named once, in the order in which they are called. For who waits and for who is ready 1 request per partition (an agent has
/// one, a pool one per shard) and for each of its zones with more contacts than asked for 1 or 2 more, half an R per started 4 KB of entries (about 0.25 KB each); who is ready
/// is asked for when those who are due don't fill the page, and so on. Then 1 request per 100 contacts read, half an R each.
///
/// # Errors
/// Those of the database.
pub async fn by_priority(
    table: &CoreTable,
    tenant: &OpenTenant,
    whose: &[WorkOf],
    now: Timestamp,
    asked: &RankedWalk<'_>,
    matches: impl Fn(&Contact) -> bool,
) -> Result<RankedPage, StoreError> {
    let begun = Begun::of(asked.after, now);
    let (before, scope, limit) = (begun.beginning(), &tenant.scope, asked.first + 1);
    let partitions = work_partitions(tenant, whose);
    let mut page = RankedPage::default();
    let mut waiting = None;
    if begun.has(DUE) {
        let zones = zones(table, scope, &partitions, WAITING, limit).await?;
        let mut lanes = Merged::new(zones.iter().map(|zone| zone.lane(DUE, begun.low(DUE), begun.due())).collect());
        if fill(table, tenant, &mut lanes, asked, &before, &matches, &mut page).await? != Filled::AtEnd {
            return Ok(page);
        }
        waiting = Some(zones);
    }
    if begun.has(READY) {
        let zones = zones(table, scope, &partitions, CALLABLE, limit).await?;
        let mut lanes = Merged::new(zones.iter().map(|zone| zone.lane(READY, begun.low(READY), "~".to_owned())).collect());
        if fill(table, tenant, &mut lanes, asked, &before, &matches, &mut page).await? != Filled::AtEnd {
            return Ok(page);
        }
    }
    let zones = match waiting {
        Some(zones) => zones,
        None => zones(table, scope, &partitions, WAITING, limit).await?,
    };
    let low = begun.low(LATER).max(begun.due());
    let mut lanes = Merged::new(zones.iter().map(|zone| zone.lane(LATER, low.clone(), "~".to_owned())).collect());
    if fill(table, tenant, &mut lanes, asked, &before, &matches, &mut page).await? != Filled::Full {
        page.next = None;
    }
    Ok(page)
}

/// Where a contact stands in index 2; none for who must not be called or was deleted.
fn work_place(settings: &Settings, contact: &Contact) -> Option<String> {
    let details = &contact.details;
    let status = settings.status(details.status).filter(|status| !status.exclude_from_call_list)?;
    if contact.suppressed || contact.deleted_at.is_some() {
        return None;
    }
    let (zone, score) = (&details.time_zone.name, contact.score.as_ref().map(|score| score.value));
    Some(match details.next_contact_at {
        Some(at) => keys::due(zone, at, &contact.id),
        None => keys::ready(zone, status.order, score.unwrap_or_default(), &contact.id),
    })
}

/// Reads candidates and gives those that match and may be called in the order in which they are called. 1 request per 100, half an R each.
///
/// # Errors
/// Those of the database.
pub async fn sort_by_priority(
    table: &CoreTable,
    tenant: &OpenTenant,
    settings: &Settings,
    candidates: &[Candidate],
    now: Timestamp,
    asked: &RankedWalk<'_>,
    matches: impl Fn(&Contact) -> bool,
) -> Result<RankedPage, StoreError> {
    let begun = Begun::of(asked.after, now);
    let rank = |stored: &super::StoredContact| begun.rank(&work_place(settings, &stored.contact)?);
    sorted(table, tenant, candidates, asked, (&begun.beginning(), begun.rank), rank, matches).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::ids::ContactId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn who_is_due_comes_before_who_is_ready_and_who_is_due_later_comes_last() {
        let id = |seed: u8| ContactId::from_hash(&[seed; 32]);
        let begun = Begun::of(None, at(1_000));
        let order = [
            keys::due("Europe/Paris", at(900), &id(9)),
            keys::due("America/Toronto", at(1_000), &id(1)),
            keys::ready("Europe/Paris", 0, 10, &id(9)),
            keys::ready("America/Toronto", 1, 90, &id(8)),
            keys::ready("Europe/Paris", 1, 80, &id(2)),
            keys::ready("America/Toronto", 1, 80, &id(3)),
            keys::due("America/Toronto", at(1_001), &id(0)),
        ];
        let ranks: Vec<String> = order.iter().map(|key| begun.rank(key).unwrap()).collect();
        assert!(ranks.is_sorted(), "{ranks:?}");
        assert_eq!(begun.rank(&keys::not_to_be_called(1, &id(1))), None);
    }

    #[test]
    fn a_place_is_gone_on_from_at_the_time_at_which_the_list_began() {
        let begun = Begun::of(None, at(1_000));
        let rank = begun.rank(&keys::ready("Europe/Paris", 3, 50, &ContactId::from_hash(&[1; 32]))).unwrap();
        let place = format!("{}{rank}", begun.beginning());
        let later = Begun::of(Some(&place), at(5_000));
        assert_eq!((later.now.as_str(), later.rank), (begun.now.as_str(), rank.as_str()));
        assert!(!later.has(DUE) && later.has(READY) && later.has(LATER));
        assert_eq!(format!("{READY}{}", later.low(READY)), format!("{rank}!"));
        assert_eq!(later.low(LATER), "");
    }

    #[test]
    fn a_place_that_is_none_begins_anew() {
        for wrong in ["", "x", "12#0#", "000000000000x#1#00001", "é#"] {
            let begun = Begun::of(Some(wrong), at(7));
            assert_eq!((begun.now.as_str(), begun.rank), ("0000000007000", ""), "{wrong}");
        }
    }
}
