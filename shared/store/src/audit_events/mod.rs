//! The audit table: events are inserted, never changed, and read by record, by actor and by day.

mod ascending;
mod item;

pub use item::{day_of, decode as decode_image};

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use switchboard_domain::audit::{AuditEvent, BESIDE, Place};
use switchboard_domain::ids::{ImportId, TenantId, UserId};

use crate::attribute_writer::AttributeWriter;
use crate::error::StoreError;
use crate::item::{Item, text};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{BATCH_GET, Freshness, Page, Statements, get_batch, insert_many};

/// The audit table. It has no way to change or delete an event; neither has any function's role.
#[derive(Debug, Clone)]
pub struct AuditTable {
    client: Client,
    name: String,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The event.
    pub event: AuditEvent,
    /// Its hash.
    pub hash: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// Whether an event stands in the lists by actor and by day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// It does.
    Listed,
    /// It doesn't: the event of its chunk stands for it. That saves two write units a row.
    RowOfImport,
}

/// Partitions of the lists that one actor or one day could make too hot.
pub const SHARDS: u32 = 4;

/// One partition of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// What somebody did in a month.
    Actor {
        /// Who.
        actor: ActorList,
        /// Any day of the month.
        month: Date,
    },
    /// What was done on a day, in UTC.
    Day {
        /// The day.
        day: Date,
        /// Of [`SHARDS`].
        shard: u32,
    },
}

/// Whose doings are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorList {
    /// A person's.
    User(UserId),
    /// An import's: its chunks. Its rows aren't listed.
    Import(ImportId),
    /// The system's, one of [`SHARDS`].
    System(u32),
}

/// The place of an event: the kind of record, the record, and its place there.
pub type EventKey = (String, String, Place);

impl AuditTable {
    /// The table of this name.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Inserts events, to be kept for so long after they were recorded; tells for each whether it was inserted (false: its place has its event). 1 request per
    /// 25; 1 W per started KB, three times that for one that is listed.
    ///
    /// # Errors
    /// Those of the database; events before the failing one may be there.
    pub async fn insert(&self, tenant: TenantId, events: &[(AuditEvent, Listing)], recorded_at: Timestamp, kept: SignedDuration) -> Result<Vec<bool>, StoreError> {
        let item = |index: usize, attributes: &mut Statements<'_>| {
            let (event, listing) = &events[index];
            attributes.item(item::encode(tenant, event, *listing, recorded_at, kept)?)
        };
        insert_many(&self.client, &self.name, None, events.len(), item).await
    }

    /// Reads one event, strongly consistent. 1 request, 1 R.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn get(&self, tenant: TenantId, entity_type: &str, entity_id: &str, place: &Place) -> Result<Option<StoredEvent>, StoreError> {
        let key = keys::audit_event(tenant, entity_type, entity_id, place);
        let answer = self.client.get_item().table_name(&self.name).set_key(Some(key_item(key))).consistent_read(true).send().await?;
        answer.item.map(decoded).transpose()
    }

    /// Reads events, strongly consistent, in any order; those that aren't there are left out. 1 request per 100, 1 R per started 4 KB each.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn get_many(&self, tenant: TenantId, keys: &[EventKey]) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = Vec::with_capacity(keys.len());
        // One request after the other: events can be large.
        for keys in keys.chunks(BATCH_GET) {
            let keys: Vec<keys::Key> = keys.iter().map(|(kind, id, place)| keys::audit_event(tenant, kind, id, place)).collect();
            for item in get_batch(&self.client, &self.name, &keys, Freshness::Strong).await? {
                events.push(decoded(item)?);
            }
        }
        Ok(events)
    }

    /// Lists the events in a record's chain, newest first, those of versions before `before`. 1 request, half an R per started 4 KB.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of_record(&self, scope: &TenantScope, entity_type: &str, entity_id: &str, before: Option<u32>, first: usize) -> Result<Page<StoredEvent>, StoreError> {
        // Behind the last version, and before what stands beside the chain.
        let before = before.map_or_else(|| BESIDE.to_owned(), |version| Place::Version(version).sort_key());
        let pk = keys::audit_events(scope.tenant(), entity_type, entity_id);
        let found = self.read(None, &pk, "", &before, first + 1).await?;
        Ok(page(found, first))
    }

    /// Lists the events beside a record's chain, newest first, those before the place `before`. 1 request, half an R per started 4 KB.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn beside(&self, scope: &TenantScope, entity_type: &str, entity_id: &str, before: Option<&str>, first: usize) -> Result<Page<StoredEvent>, StoreError> {
        // Behind everything that begins with it.
        let end = before.unwrap_or("B$");
        let pk = keys::audit_events(scope.tenant(), entity_type, entity_id);
        let found = self.read(None, &pk, BESIDE, end, first + 1).await?;
        Ok(page(found, first))
    }

    /// Lists one partition by actor or by day, newest first, those before the place `before`, each with its place. 1 request, half an R per started 4 KB.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn listed(&self, scope: &TenantScope, list: &List, before: Option<&str>, first: usize) -> Result<Vec<(String, StoredEvent)>, StoreError> {
        let tenant = scope.tenant();
        let (index, pk) = match *list {
            List::Actor { actor, month } => {
                let actor = match actor {
                    ActorList::User(id) => id.to_string(),
                    ActorList::Import(id) => id.to_string(),
                    ActorList::System(shard) => item::system_key(shard),
                };
                ("GSI1", keys::audit_by_actor(tenant, &actor, month))
            }
            List::Day { day, shard } => ("GSI2", keys::audit_by_day(tenant, day, shard)),
        };
        // Times are 13 digits: a colon is behind the last of them.
        self.read(Some(index), &pk, "", before.unwrap_or(":"), first).await
    }

    /// Reads a partition from its end, what lies behind `after` and before `before`. 1 request per megabyte.
    async fn read(&self, index: Option<&str>, pk: &str, after: &str, before: &str, first: usize) -> Result<Vec<(String, StoredEvent)>, StoreError> {
        let prefix = index.unwrap_or_default();
        // BETWEEN takes both ends: a sort key is never empty, and the end itself is left out below.
        let after = if after.is_empty() { " " } else { after };
        let sort_key = format!("{prefix}SK");
        let mut found = Vec::with_capacity(first);
        let mut next = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .set_index_name(index.map(str::to_owned))
                .key_condition_expression(format!("{prefix}PK = :pk AND {prefix}SK BETWEEN :after AND :before"))
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .expression_attribute_values(":after", AttributeValue::S(after.to_owned()))
                .expression_attribute_values(":before", AttributeValue::S(before.to_owned()))
                .scan_index_forward(false)
                .set_exclusive_start_key(next)
                .limit(i32::try_from(first + 1).unwrap_or(i32::MAX));
            let answer = query.send().await?;
            for item in answer.items.unwrap_or_default() {
                let place = text(&item, &sort_key).unwrap_or_default().to_owned();
                if place != before && found.len() < first {
                    found.push((place, decoded(item)?));
                }
            }
            // A megabyte may end a page before its limit does.
            next = answer.last_evaluated_key;
            if next.is_none() || found.len() >= first {
                return Ok(found);
            }
        }
    }
}

fn page(found: Vec<(String, StoredEvent)>, first: usize) -> Page<StoredEvent> {
    let mut entries: Vec<StoredEvent> = found.into_iter().map(|(_, event)| event).collect();
    let has_more = entries.len() > first;
    entries.truncate(first);
    Page { entries, has_more }
}

fn decoded(item: Item) -> Result<StoredEvent, StoreError> {
    Ok(decode_image(item)?.1)
}

fn key_item(key: keys::Key) -> Item {
    HashMap::from([("PK".to_owned(), AttributeValue::S(key.pk)), ("SK".to_owned(), AttributeValue::S(key.sk))])
}
