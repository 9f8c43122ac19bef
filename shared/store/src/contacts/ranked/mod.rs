//! Lists of contacts in another order than that of time: by score, and in the order in which they are called.
//!
//! An index gives the ids in that order, from several partitions that are merged. The contacts themselves are read then, and filtered. What is read may be a second newer than
//! the index that led to it; what moves between two pages may come twice or not at all, nobody else.

mod lanes;
mod priority;
mod score;

pub use priority::{by_priority, sort_by_priority};
pub use score::{by_score, count_with_scores, sort_by_score};

use std::collections::{BTreeSet, HashMap};

use futures::future::try_join_all;
use switchboard_domain::contact::{Contact, ContactFilter};
use switchboard_domain::ids::{ContactId, StatusId};

use self::lanes::Merged;
use super::list::Candidate;
use super::{StoredContact, get_many};
use crate::error::StoreError;
use crate::table::{BATCH_GET, CoreTable, Freshness};
use crate::tenants::OpenTenant;

/// What is asked of a list that isn't in the order of time.
#[derive(Debug, Clone)]
pub struct RankedWalk<'a> {
    /// Which contacts are meant; its search is not looked at here. Deleted ones have no place in these orders.
    pub filter: &'a ContactFilter,
    /// The tenant's status `converted`.
    pub won: Option<StatusId>,
    /// The place after which to begin.
    pub after: Option<&'a str>,
    /// How many contacts, at least one.
    pub first: usize,
    /// How many entries are examined at most.
    pub most: usize,
}

/// A contact and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedContact {
    /// Its place in the order asked for.
    pub place: String,
    /// The contact.
    pub contact: Contact,
}

/// A page of such a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RankedPage {
    /// The contacts.
    pub contacts: Vec<RankedContact>,
    /// The place from which to go on; none at the end. It may lie beyond the last contact, when only entries that don't match followed.
    pub next: Option<String>,
    /// How many entries were examined.
    pub examined: usize,
}

/// How filling a page from some lanes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filled {
    /// The lanes have no more; the page may have room.
    AtEnd,
    /// The page is full, or has examined what it may; the lanes have no more either.
    AtEndAndFull,
    /// The page is full, or has examined what it may.
    Full,
}

/// Fills a page from lanes. A place is `before` and the rank. 1 request per 100 contacts read, half an R each; first as many are read as are asked for, then, when some of
/// these don't match, 100 at a time.
async fn fill(
    table: &CoreTable,
    tenant: &OpenTenant,
    lanes: &mut Merged,
    asked: &RankedWalk<'_>,
    before: &str,
    matches: &impl Fn(&Contact) -> bool,
    page: &mut RankedPage,
) -> Result<Filled, StoreError> {
    loop {
        let missing = asked.first.saturating_sub(page.contacts.len());
        let wanted = if page.examined == 0 { missing } else { BATCH_GET }.min(asked.most.saturating_sub(page.examined));
        if missing == 0 || wanted == 0 {
            return Ok(if lanes.is_over() { Filled::AtEndAndFull } else { Filled::Full });
        }
        let entries = lanes.take(table, &tenant.scope, wanted).await?;
        if entries.is_empty() {
            return Ok(Filled::AtEnd);
        }
        let statuses = &asked.filter.statuses;
        let may_match = |status: Option<StatusId>| statuses.is_empty() || status.is_none_or(|status| statuses.contains(&status));
        // A contact that moves while the lanes are read can stand in two of them; the database takes no key twice in one request.
        let ids: BTreeSet<ContactId> = entries.iter().filter(|entry| may_match(entry.status)).map(|entry| entry.id.clone()).collect();
        let ids: Vec<ContactId> = ids.into_iter().collect();
        let found = get_many(table, tenant, &ids, Freshness::Eventual).await?;
        let mut found: HashMap<ContactId, Contact> = found.into_iter().map(|stored| (stored.contact.id.clone(), stored.contact)).collect();
        let mut entries = entries.into_iter();
        for entry in entries.by_ref() {
            let place = format!("{before}{}", entry.rank);
            page.examined += 1;
            page.next = Some(place.clone());
            let contact = found.remove(&entry.id).filter(|contact| asked.filter.matches(contact, asked.won) && matches(contact));
            page.contacts.extend(contact.map(|contact| RankedContact { place, contact }));
            if page.contacts.len() == asked.first {
                break;
            }
        }
        if !entries.as_slice().is_empty() {
            return Ok(Filled::Full);
        }
    }
}

/// Reads all candidates, keeps those that match and have a rank, and gives those behind `after` in the order of their ranks. A place is `before` and the rank. 1 request per
/// 100 candidates, half an R each, several at once.
async fn sorted(
    table: &CoreTable,
    tenant: &OpenTenant,
    candidates: &[Candidate],
    asked: &RankedWalk<'_>,
    (before, after): (&str, &str),
    rank: impl Fn(&StoredContact) -> Option<String>,
    matches: impl Fn(&Contact) -> bool,
) -> Result<RankedPage, StoreError> {
    let mut ids: Vec<ContactId> = candidates.iter().map(|candidate| candidate.id.clone()).collect();
    ids.sort();
    ids.dedup();
    let read = try_join_all(ids.chunks(BATCH_GET).map(|ids| get_many(table, tenant, ids, Freshness::Eventual))).await?;
    let mut ranked = Vec::with_capacity(ids.len());
    for stored in read.into_iter().flatten() {
        if !asked.filter.matches(&stored.contact, asked.won) || !matches(&stored.contact) {
            continue;
        }
        if let Some(rank) = rank(&stored).filter(|rank| rank.as_str() > after) {
            ranked.push((rank, stored.contact));
        }
    }
    ranked.sort_by(|(left, _), (right, _)| left.cmp(right));
    let has_more = ranked.len() > asked.first;
    ranked.truncate(asked.first);
    let contacts: Vec<RankedContact> = ranked.into_iter().map(|(rank, contact)| RankedContact { place: format!("{before}{rank}"), contact }).collect();
    let next = contacts.last().filter(|_| has_more).map(|last| last.place.clone());
    Ok(RankedPage { contacts, next, examined: ids.len() })
}
