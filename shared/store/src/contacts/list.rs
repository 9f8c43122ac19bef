//! Lists of contacts: the list index walked from either end and filtered on the way, or a known set of candidates read and filtered.
//!
//! A filter that no index serves walks the list and examines at most so many entries; a thin page then says from where to go on.

use std::collections::{HashMap, VecDeque};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::Timestamp;
use switchboard_domain::contact::{Contact, ContactFilter, Owners};
use switchboard_domain::ids::{AgentId, ContactId, StatusId, base32, uuid_v7};

use super::item::{ContactRow, decode_row};
use super::{get_many, string};
use crate::error::StoreError;
use crate::item::text;
use crate::keys::{self, WorkOf};
use crate::table::{CoreTable, Examined, Filter, Freshness, ListQuery, Order, beyond};
use crate::tenants::OpenTenant;

/// Owners of a filter that are named in its expression: about 1.5 KB of it, so that with 100 statuses and 100 assignees it stays below the 4 KB that DynamoDB takes.
const MOST_IN_EXPRESSION: usize = 200;
/// Entries that one request examines at most while a filter is walked.
const CHUNK: usize = 500;

/// What is asked of a list.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    /// Which contacts are meant; its search is not looked at here.
    pub filter: &'a ContactFilter,
    /// The tenant's status `converted`.
    pub won: Option<StatusId>,
    /// The place after which to begin.
    pub after: Option<&'a str>,
    /// From which end.
    pub order: Order,
    /// How many contacts.
    pub first: usize,
    /// How many entries are examined at most.
    pub most: usize,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListPage {
    /// The contacts.
    pub rows: Vec<ContactRow>,
    /// The place from which to go on; none at the end of the list. It may lie beyond the last contact, when only entries that don't match
    /// followed.
    pub next: Option<String>,
    /// How many entries were examined.
    pub examined: usize,
}

/// A contact that may match, found in another index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Its place in the list.
    pub place: String,
    /// Its id.
    pub id: ContactId,
}

/// The smallest place of a contact made at this time.
fn place_of(at: Timestamp) -> String {
    base32(uuid_v7(at, &[0; 10]).as_bytes())[..10].to_owned()
}

/// The bounds of the places that the filter's times and the place to go on from leave.
fn bounds(walk: &Walk<'_>) -> (String, String) {
    let low = walk.filter.created_from.map_or_else(|| "0".to_owned(), place_of);
    // Places of the last millisecond before begin with what that of the bound doesn't; the bound itself is then the first left out.
    let high = walk.filter.created_to.map_or_else(|| "~".to_owned(), place_of);
    beyond(&low, &high, walk.after, walk.order)
}

fn conditions(walk: &Walk<'_>) -> Filter {
    let filter = walk.filter;
    let mut made = Filter::default();
    let mut any_of = |attribute: &str, values: Vec<String>| {
        if values.is_empty() {
            return;
        }
        let places: Vec<String> = values.iter().enumerate().map(|(index, _)| format!(":{attribute}{index}")).collect();
        made.names.insert(format!("#{attribute}"), attribute.to_owned());
        made.conditions.push(format!("#{attribute} IN ({})", places.join(", ")));
        made.values.extend(places.into_iter().zip(values.into_iter().map(string)));
    };
    any_of("status", filter.statuses.iter().map(ToString::to_string).collect());
    any_of("assignee", filter.assignees.iter().map(ToString::to_string).collect());
    any_of("source", filter.source.iter().cloned().collect());
    if let Some(owners) = &filter.owners
        && is_short(owners)
    {
        made.conditions.push(owned(owners, &mut made.names, &mut made.values));
    }
    if let Some(assigned) = filter.assigned {
        made.conditions.push(if assigned { "attribute_exists(assignee)" } else { "attribute_not_exists(assignee)" }.to_owned());
    }
    if let (Some(converted), Some(won)) = (filter.converted, walk.won) {
        made.names.insert("#status".to_owned(), "status".to_owned());
        made.conditions.push(if converted { "#status = :won" } else { "#status <> :won" }.to_owned());
        made.values.insert(":won".to_owned(), string(won));
    }
    if !filter.categories.is_empty() {
        let ranges = filter.categories.iter().enumerate().map(|(index, category)| {
            let (least, greatest) = category.bounds();
            made.values.insert(format!(":least{index}"), AttributeValue::N(least.to_string()));
            made.values.insert(format!(":greatest{index}"), AttributeValue::N(greatest.to_string()));
            format!("#score BETWEEN :least{index} AND :greatest{index}")
        });
        let ranges: Vec<String> = ranges.collect();
        made.names.insert("#score".to_owned(), "score".to_owned());
        made.conditions.push(format!("({})", ranges.join(" OR ")));
    }
    if let Some(import) = filter.import {
        let places: Vec<String> = (0..switchboard_domain::contact::MAX_IMPORT_MARKS).map(|index| format!("imports[{index}].i = :import")).collect();
        made.conditions.push(format!("({})", places.join(" OR ")));
        made.values.insert(":import".to_owned(), string(import));
    }
    made
}

/// Whether owners are few enough for the expression of a filter, which DynamoDB takes up to 4 KB: with more, entries are compared once they are read.
fn is_short(owners: &Owners) -> bool {
    owners.agents.len() + owners.teams.len() <= MOST_IN_EXPRESSION
}

/// The condition that an entry is one of these owners'. The database compares with at most 100 values at once.
fn owned(owners: &Owners, names: &mut HashMap<String, String>, values: &mut HashMap<String, AttributeValue>) -> String {
    let agents: Vec<String> = owners.agents.iter().map(ToString::to_string).collect();
    let teams: Vec<String> = owners.teams.iter().map(ToString::to_string).collect();
    let mut any = Vec::new();
    for (attribute, letter, ids) in [("assignee", "a", agents), ("team", "t", teams)] {
        for (part, ids) in ids.chunks(100).enumerate() {
            let places: Vec<String> = (0..ids.len()).map(|index| format!(":o{letter}{}", part * 100 + index)).collect();
            names.insert(format!("#{attribute}"), attribute.to_owned());
            any.push(format!("#{attribute} IN ({})", places.join(",")));
            values.extend(places.into_iter().zip(ids.iter().map(string)));
        }
    }
    // Of nobody's contacts none is meant.
    if any.is_empty() { "attribute_not_exists(version)".to_owned() } else { format!("({})", any.join(" OR ")) }
}

/// One partition of the list while it is walked.
struct Lane {
    partition: String,
    /// What was read and not yet given.
    ready: VecDeque<ContactRow>,
    /// Where reading goes on; none at the end.
    reached: Option<String>,
    ended: bool,
}

/// Walks the list. Per 500 entries examined 1 request per partition or more, half an R per started 4 KB of what is examined (about 0.5 KB an
/// entry).
///
/// # Errors
/// Those of the database.
pub async fn walk(table: &CoreTable, tenant: &OpenTenant, walk: &Walk<'_>) -> Result<ListPage, StoreError> {
    let filter = conditions(walk);
    let (low, high) = bounds(walk);
    let shards = 0..tenant.record.shards.max(1);
    let mut partitions: Vec<String> = shards.clone().map(|shard| keys::contact_list(&tenant.scope, shard)).collect();
    if walk.filter.include_deleted {
        partitions.extend(shards.map(|shard| keys::deleted_list(&tenant.scope, shard)));
    }
    let mut lanes: Vec<Lane> = partitions.into_iter().map(|partition| Lane { partition, ready: VecDeque::new(), reached: None, ended: low > high }).collect();
    let mut page = ListPage::default();
    let comes_before = |left: &str, right: &str| match walk.order {
        Order::Ascending => left < right,
        Order::Descending => left > right,
    };
    loop {
        // What may be given: entries that come before everything that isn't read yet.
        while page.rows.len() <= walk.first {
            let Some(next) = (0..lanes.len())
                .filter(|lane| !lanes[*lane].ready.is_empty())
                .reduce(|best, lane| if comes_before(&lanes[lane].ready[0].place, &lanes[best].ready[0].place) { lane } else { best })
            else {
                break;
            };
            let place = &lanes[next].ready[0].place;
            let unread_before = |lane: &Lane| !lane.ended && lane.reached.as_ref().is_none_or(|reached| comes_before(reached, place));
            if lanes.iter().enumerate().any(|(index, lane)| index != next && lane.ready.is_empty() && unread_before(lane)) {
                break;
            }
            page.rows.extend(lanes[next].ready.pop_front());
        }
        if page.rows.len() > walk.first {
            page.rows.truncate(walk.first);
            page.next = page.rows.last().map(|row| row.place.clone());
            return Ok(page);
        }
        let hungry: Vec<usize> = (0..lanes.len()).filter(|lane| !lanes[*lane].ended && lanes[*lane].ready.is_empty()).collect();
        if hungry.is_empty() {
            return Ok(page);
        }
        if page.examined >= walk.most {
            return Ok(thin(page, &mut lanes, walk));
        }
        let chunk = if filter.conditions.is_empty() && walk.filter.owners.is_none() { walk.first + 1 } else { CHUNK };
        let chunk = chunk.min((walk.most - page.examined).div_ceil(hungry.len())).max(1);
        let parts = try_join_all(hungry.iter().map(|lane| async {
            let lane = &lanes[*lane];
            let (low, high) = beyond(&low, &high, lane.reached.as_deref(), walk.order);
            let query = ListQuery { partition: &lane.partition, low: &low, high: &high, order: walk.order, limit: chunk, filter: &filter };
            table.examine(&tenant.scope, &query).await
        }))
        .await?;
        for (lane, Examined { items, count, reached }) in hungry.into_iter().zip(parts) {
            page.examined += count;
            lanes[lane].ended = reached.is_none();
            lanes[lane].reached = reached;
            for item in items {
                let row = decode_row(&tenant.keyring, item)?;
                if walk.filter.owners.as_ref().is_none_or(|owners| is_short(owners) || owners.own(row.assignee, row.team)) {
                    lanes[lane].ready.push_back(row);
                }
            }
        }
    }
}

/// A page that ends because enough was examined: it goes on behind the place up to which every partition has been read.
fn thin(mut page: ListPage, lanes: &mut [Lane], walk: &Walk<'_>) -> ListPage {
    let frontier = lanes.iter().filter(|lane| !lane.ended).filter_map(|lane| lane.reached.clone());
    let frontier = match walk.order {
        Order::Ascending => frontier.min(),
        Order::Descending => frontier.max(),
    };
    if let Some(frontier) = &frontier {
        let mut rest: Vec<ContactRow> = lanes.iter_mut().flat_map(|lane| lane.ready.drain(..)).collect();
        rest.retain(|row| match walk.order {
            Order::Ascending => row.place <= *frontier,
            Order::Descending => row.place >= *frontier,
        });
        rest.sort_by(|left, right| match walk.order {
            Order::Ascending => left.place.cmp(&right.place),
            Order::Descending => right.place.cmp(&left.place),
        });
        page.rows.extend(rest);
    }
    if page.rows.len() > walk.first {
        page.rows.truncate(walk.first);
        page.next = page.rows.last().map(|row| row.place.clone());
    } else {
        page.next = frontier;
    }
    page
}

/// The contacts of some agents, up to `limit`; none when there are more. Requests and units as [`of_work`].
///
/// # Errors
/// Those of the database.
pub async fn of_assignees(table: &CoreTable, tenant: &OpenTenant, agents: &[AgentId], statuses: &[StatusId], limit: usize) -> Result<Option<Vec<Candidate>>, StoreError> {
    let whose: Vec<WorkOf> = agents.iter().copied().map(WorkOf::Agent).collect();
    of_work(table, tenant, &whose, statuses, limit).await
}

/// The contacts of some agents and pools, up to `limit`; none when there are more. Deleted ones have no place in this index. 1 request per partition (an
/// agent has one, a pool one per shard) and started MB, half an R per started 4 KB (about 0.2 KB an entry).
///
/// # Errors
/// Those of the database.
pub async fn of_work(table: &CoreTable, tenant: &OpenTenant, whose: &[WorkOf], statuses: &[StatusId], limit: usize) -> Result<Option<Vec<Candidate>>, StoreError> {
    let mut candidates = Vec::new();
    for partition in work_partitions(tenant, whose) {
        let page = table.work(&tenant.scope, &partition, limit.saturating_sub(candidates.len())).await?;
        if page.has_more {
            return Ok(None);
        }
        for item in page.entries {
            let status = text(&item, "status").and_then(StatusId::parse);
            if !statuses.is_empty() && status.is_some_and(|status| !statuses.contains(&status)) {
                continue;
            }
            let (_, id) = text(&item, "PK").and_then(keys::parse_contact).ok_or_else(|| StoreError::undecodable("work", "its key is not a contact's"))?;
            let place = text(&item, "GSI1SK").ok_or_else(|| StoreError::undecodable("work", "it has no place"))?.to_owned();
            candidates.push(Candidate { place, id });
        }
    }
    Ok(Some(candidates))
}

/// The partitions of index 2 in which the contacts of some agents and pools stand.
pub(super) fn work_partitions(tenant: &OpenTenant, whose: &[WorkOf]) -> Vec<String> {
    let shards = |whose: &WorkOf| match whose {
        WorkOf::Agent(_) => 1,
        WorkOf::Team(_) | WorkOf::Pool => tenant.record.shards.max(1),
    };
    whose.iter().flat_map(|whose| (0..shards(whose)).map(move |shard| keys::work(&tenant.scope, *whose, shard))).collect()
}

/// Reads candidates in the order asked for and keeps those that match. 1 request per 100 read, half an R each.
///
/// # Errors
/// Those of the database.
pub async fn read_candidates(
    table: &CoreTable,
    tenant: &OpenTenant,
    mut candidates: Vec<Candidate>,
    walk: &Walk<'_>,
    matches: impl Fn(&Contact) -> bool,
) -> Result<ListPage, StoreError> {
    let (low, high) = bounds(walk);
    candidates.retain(|candidate| candidate.place >= low && candidate.place <= high);
    candidates.sort();
    candidates.dedup();
    if walk.order == Order::Descending {
        candidates.reverse();
    }
    let mut page = ListPage::default();
    let total = candidates.len();
    for batch in candidates.chunks((walk.first + 1).min(100)) {
        if page.examined >= walk.most {
            page.next = candidates.get(page.examined - 1).map(|last| last.place.clone());
            return Ok(page);
        }
        let ids: Vec<ContactId> = batch.iter().map(|candidate| candidate.id.clone()).collect();
        let found = get_many(table, tenant, &ids, Freshness::Eventual).await?;
        for candidate in batch {
            page.examined += 1;
            let Some(stored) = found.iter().find(|stored| stored.contact.id == candidate.id) else {
                continue;
            };
            if walk.filter.matches(&stored.contact, walk.won) && matches(&stored.contact) {
                page.rows.push(ContactRow { place: candidate.place.clone(), ..ContactRow::from(&stored.contact) });
            }
            if page.rows.len() == walk.first && page.examined < total {
                page.next = Some(candidate.place.clone());
                return Ok(page);
            }
        }
    }
    Ok(page)
}

/// How many contacts have a status, deleted ones aside, counting up to `limit`. Walks the whole list when there are few: half an R per
/// started 4 KB of it (61 R for 1,000 contacts of 0.5 KB).
///
/// # Errors
/// Those of the database.
pub async fn count_with_status(table: &CoreTable, tenant: &OpenTenant, status: StatusId, limit: usize) -> Result<usize, StoreError> {
    let filter = ContactFilter { statuses: vec![status], ..ContactFilter::default() };
    let mut count = 0;
    let mut after: Option<String> = None;
    loop {
        let asked = Walk { filter: &filter, won: None, after: after.as_deref(), order: Order::Ascending, first: limit - count, most: 10_000 };
        let page = walk(table, tenant, &asked).await?;
        count += page.rows.len();
        after = page.next;
        if after.is_none() || count >= limit {
            return Ok(count);
        }
    }
}
