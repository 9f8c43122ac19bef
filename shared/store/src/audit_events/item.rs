//! An event's item: the event, its hash, when it was recorded and until when it is kept, and its places in the indexes.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use switchboard_domain::actor::{Actor, ActorKind};
use switchboard_domain::audit::{AuditEvent, Changes, FieldChange, Outcome, Place};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::ids::TenantId;

use super::{Listing, SHARDS, StoredEvent};
use crate::error::StoreError;
use crate::item::{Item, from_item, to_item};
use crate::keys;

const EVENT: &str = "audit event";

#[derive(Serialize, Deserialize)]
struct EventItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI1PK", default, skip_serializing_if = "Option::is_none")]
    by_actor: Option<String>,
    #[serde(rename = "GSI1SK", default, skip_serializing_if = "Option::is_none")]
    by_actor_at: Option<String>,
    #[serde(rename = "GSI2PK", default, skip_serializing_if = "Option::is_none")]
    by_day: Option<String>,
    #[serde(rename = "GSI2SK", default, skip_serializing_if = "Option::is_none")]
    by_day_at: Option<String>,
    #[serde(rename = "at", with = "switchboard_domain::clock::millis")]
    at: Timestamp,
    action: String,
    outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<FieldChange>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::audit::optional_bytes")]
    sealed: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When it was recorded; not part of what is hashed. Events of before this was kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    recorded_at: Option<Timestamp>,
    /// When the event leaves the table, in seconds since 1970; not part of what is hashed either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(flatten)]
    origin: Origin,
}

/// The day (UTC) of a moment.
#[must_use]
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The shard of a record's events in lists that have several. The ids end at random.
fn shard_of(entity_id: &str) -> u32 {
    entity_id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % SHARDS
}

/// What an actor is called in index 1.
fn actor_key(actor: &Actor, entity_id: &str) -> String {
    match (&actor.kind, &actor.id) {
        (ActorKind::User | ActorKind::Import | ActorKind::ApiKey, Some(id)) => id.clone(),
        _ => system_key(shard_of(entity_id)),
    }
}

/// What one shard of the system is called in index 1.
pub(super) fn system_key(shard: u32) -> String {
    format!("system#{shard}")
}

pub(super) fn encode(tenant: TenantId, event: &AuditEvent, listing: Listing, recorded_at: Timestamp, kept: SignedDuration) -> Result<Item, StoreError> {
    let AuditEvent { entity_type, entity_id, place, change, .. } = event;
    let key = keys::audit_event(tenant, entity_type, entity_id, place);
    let (changes, sealed) = match &event.changes {
        Changes::Clear(changes) => (Some(changes.clone()), None),
        Changes::Sealed(sealed) => (None, Some(sealed.clone())),
    };
    let (by_actor, by_day, sort_key) = match listing {
        Listing::Listed => {
            let day = day_of(change.at);
            let by_actor = keys::audit_by_actor(tenant, &actor_key(&change.origin.actor, entity_id), day);
            let by_day = keys::audit_by_day(tenant, day, shard_of(entity_id));
            (Some(by_actor), Some(by_day), Some(keys::audit_sort_key(change.at, entity_type, entity_id, place)))
        }
        Listing::RowOfImport => (None, None, None),
    };
    let form = EventItem {
        pk: key.pk,
        sk: key.sk,
        by_actor,
        by_actor_at: sort_key.clone(),
        by_day,
        by_day_at: sort_key,
        at: change.at,
        action: change.action.clone(),
        outcome: event.outcome,
        changes,
        sealed,
        about: event.about.clone(),
        hash: event.hash(),
        previous: event.previous_hash.clone(),
        reason: change.reason.clone(),
        recorded_at: Some(recorded_at),
        expires_at: recorded_at.checked_add(kept).ok().map(Timestamp::as_second),
        origin: change.origin.clone(),
    };
    to_item(EVENT, &form)
}

/// Reads an item of the table, of one of its indexes or of its stream.
///
/// # Errors
/// [`StoreError::Undecodable`] when it isn't an event's.
pub fn decode(item: Item) -> Result<(TenantId, StoredEvent), StoreError> {
    let item: EventItem = from_item(EVENT, item)?;
    let undecodable = |what: &str| StoreError::undecodable(EVENT, what);
    let (tenant, entity_type, entity_id) = keys::parse_audit_events(&item.pk).ok_or_else(|| undecodable("the partition key names no record"))?;
    let place = Place::parse(&item.sk).ok_or_else(|| undecodable("the sort key names no place"))?;
    let changes = match (item.sealed, item.changes) {
        (Some(sealed), _) => Changes::Sealed(sealed),
        (None, changes) => Changes::Clear(changes.unwrap_or_default()),
    };
    let event = AuditEvent {
        entity_type: entity_type.to_owned(),
        entity_id: entity_id.to_owned(),
        place,
        change: Change { action: item.action, at: item.at, origin: item.origin, reason: item.reason, member: None },
        changes,
        outcome: item.outcome,
        previous_hash: item.previous,
        about: item.about,
    };
    Ok((tenant, StoredEvent { event, hash: item.hash, recorded_at: item.recorded_at.unwrap_or(item.at) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::text;

    fn event(place: Place) -> AuditEvent {
        AuditEvent {
            entity_type: "contact".to_owned(),
            entity_id: "abc".to_owned(),
            place,
            change: Change::new("contact.updated", Timestamp::from_millisecond(1_764_500_000_123).unwrap(), Origin::system()),
            changes: Changes::Clear(Vec::new()),
            outcome: Outcome::Success,
            previous_hash: None,
            about: Some("def".to_owned()),
        }
    }

    #[test]
    fn an_event_reads_back_from_its_item_and_is_listed_by_actor_and_day_unless_it_is_an_import_s_row() {
        let tenant = TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        let recorded_at = Timestamp::from_millisecond(1_764_500_001_000).unwrap();
        for place in [Place::Version(7), Place::beside(Timestamp::UNIX_EPOCH, "x#1")] {
            let event = event(place.clone());
            for listing in [Listing::Listed, Listing::RowOfImport] {
                let item = encode(tenant, &event, listing, recorded_at, SignedDuration::from_hours(24)).unwrap();
                assert_eq!(text(&item, "GSI1PK").is_some(), listing == Listing::Listed);
                if listing == Listing::Listed {
                    assert!(text(&item, "GSI1PK").unwrap().contains("#A#system#") && text(&item, "GSI1PK").unwrap().ends_with("#202511"));
                    assert!(text(&item, "GSI2PK").unwrap().contains("#D#20251130#"));
                    assert_eq!(text(&item, "GSI2SK").unwrap(), format!("1764500000123#contact#abc#{}", place.sort_key()));
                }
                let (of, stored) = decode(item).unwrap();
                assert_eq!((of, stored.recorded_at), (tenant, recorded_at));
                assert_eq!((stored.hash, stored.event.clone()), (event.hash(), event.clone()));
                assert_eq!(stored.event.hash(), event.hash());
            }
        }
    }
}
