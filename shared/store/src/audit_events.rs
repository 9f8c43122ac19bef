//! The audit table: events are inserted, never changed, and read by record.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use switchboard_domain::audit::{AuditEvent, Changes, FieldChange, Outcome};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::ids::TenantId;

use crate::error::StoreError;
use crate::item::{Item, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{Page, insert_many};

const EVENT: &str = "audit event";

/// The audit table. It has no way to change or delete an event; neither has any function's role.
#[derive(Debug, Clone)]
pub struct AuditTable {
    client: Client,
    name: String,
}

/// An event with its hash as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The event.
    pub event: AuditEvent,
    /// Its hash.
    pub hash: String,
}

#[derive(Serialize, Deserialize)]
struct EventItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "at", with = "switchboard_domain::clock::millis")]
    at: Timestamp,
    action: String,
    outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<FieldChange>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::audit::optional_bytes")]
    sealed: Option<Vec<u8>>,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When the event leaves the table, in seconds since 1970; not part of what is hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(flatten)]
    origin: Origin,
}

fn encode(tenant: TenantId, event: &AuditEvent, kept: SignedDuration) -> Result<Item, StoreError> {
    let key = keys::audit_event(tenant, &event.entity_type, &event.entity_id, event.version);
    let (changes, sealed) = match &event.changes {
        Changes::Clear(changes) => (Some(changes.clone()), None),
        Changes::Sealed(sealed) => (None, Some(sealed.clone())),
    };
    let form = EventItem {
        pk: key.pk,
        sk: key.sk,
        at: event.change.at,
        action: event.change.action.clone(),
        outcome: event.outcome,
        changes,
        sealed,
        hash: event.hash(),
        previous: event.previous_hash.clone(),
        reason: event.change.reason.clone(),
        expires_at: event.change.at.checked_add(kept).ok().map(Timestamp::as_second),
        origin: event.change.origin.clone(),
    };
    to_item(EVENT, &form)
}

fn decode(entity_type: &str, entity_id: &str, item: Item) -> Result<StoredEvent, StoreError> {
    let item: EventItem = from_item(EVENT, item)?;
    let version = item.sk.parse().map_err(|error| StoreError::undecodable(EVENT, error))?;
    let changes = match (item.sealed, item.changes) {
        (Some(sealed), _) => Changes::Sealed(sealed),
        (None, changes) => Changes::Clear(changes.unwrap_or_default()),
    };
    let event = AuditEvent {
        entity_type: entity_type.to_owned(),
        entity_id: entity_id.to_owned(),
        version,
        change: Change { action: item.action, at: item.at, origin: item.origin, reason: item.reason, member: None },
        changes,
        outcome: item.outcome,
        previous_hash: item.previous,
    };
    Ok(StoredEvent { event, hash: item.hash })
}

impl AuditTable {
    /// The table of this name.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Inserts events, to be kept for so long after they happened; tells for each whether it was inserted (false: that version has its event). 1 request per 25, 1 W per started KB.
    ///
    /// # Errors
    /// Those of the database; events before the failing one may be there.
    pub async fn insert(&self, tenant: TenantId, events: &[AuditEvent], kept: SignedDuration) -> Result<Vec<bool>, StoreError> {
        let items: Result<Vec<Item>, StoreError> = events.iter().map(|event| encode(tenant, event, kept)).collect();
        insert_many(&self.client, &self.name, items?).await
    }

    /// Reads the event of one version, strongly consistent. 1 request, 1 R.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn get(&self, tenant: TenantId, entity_type: &str, entity_id: &str, version: u32) -> Result<Option<StoredEvent>, StoreError> {
        let key = keys::audit_event(tenant, entity_type, entity_id, version);
        let key = HashMap::from([("PK".to_owned(), AttributeValue::S(key.pk)), ("SK".to_owned(), AttributeValue::S(key.sk))]);
        let answer = self.client.get_item().table_name(&self.name).set_key(Some(key)).consistent_read(true).send().await?;
        answer.item.map(|item| decode(entity_type, entity_id, item)).transpose()
    }

    /// Lists the events of a record, newest first, those of versions before `before`. 1 request, half an R per started 4 KB.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of_record(&self, scope: &TenantScope, entity_type: &str, entity_id: &str, before: Option<u32>, first: usize) -> Result<Page<StoredEvent>, StoreError> {
        let pk = keys::audit_events(scope.tenant(), entity_type, entity_id);
        let before = before.map_or_else(|| "9999999999".to_owned(), |version| format!("{:010}", version));
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("PK = :pk AND SK < :before")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":before", AttributeValue::S(before))
            .scan_index_forward(false)
            .limit(i32::try_from(first + 1).unwrap_or(i32::MAX));
        let items = query.send().await?.items.unwrap_or_default();
        let mut entries: Vec<StoredEvent> = items.into_iter().map(|item| decode(entity_type, entity_id, item)).collect::<Result<_, _>>()?;
        let has_more = entries.len() > first;
        entries.truncate(first);
        Ok(Page { entries, has_more })
    }
}
