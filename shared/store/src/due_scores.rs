//! Which scores change by time alone, and when: an entry for each such moment, outside every tenant, so that what is due is found without looking at anything else.
//!
//! An entry is a hint and no record: one too many costs a look at its contact, and those of moments that turned out otherwise are left until they expire.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::{ContactId, TenantId};

use crate::error::StoreError;
use crate::item::{Item, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Order, beyond};

/// The type of an entry's item.
pub const DUE_SCORE: &str = "due_score";
/// The type of the item that says how far the entries were looked through.
pub const DUE_WATERMARK: &str = "due_watermark";
/// How long an entry is kept once its moment has come.
pub const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A score that changes by time alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueScore {
    /// The tenant; its record vouches for it.
    pub tenant: TenantId,
    /// Whose score it is.
    pub contact: ContactId,
    /// When.
    pub at: Timestamp,
}

/// A stretch of time within one hour, from its beginning up to, and without, its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, at most that of the hour.
    pub until: Timestamp,
}

impl Stretch {
    /// The stretch that begins at a time and ends at another, or before it with the hour.
    #[must_use]
    pub fn within_hour(from: Timestamp, until: Timestamp) -> Self {
        const HOUR: i64 = 3_600_000;
        let next_hour = (from.as_millisecond().div_euclid(HOUR) + 1) * HOUR;
        let end = Timestamp::from_millisecond(next_hour).unwrap_or(Timestamp::MAX);
        Self { from, until: until.min(end) }
    }
}

/// A page of what is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePage {
    /// The scores, by time.
    pub scores: Vec<DueScore>,
    /// The place after which to go on; none at the end.
    pub next: Option<String>,
}

/// Says of contacts when their scores change next, before the scores are written: should the writing come to nothing, a look too many is all that is lost. 1 request per
/// 25, 1 W each.
///
/// # Errors
/// Those of the database; some may be written then.
pub async fn announce(table: &CoreTable, scope: &TenantScope, moments: &[(ContactId, Timestamp)]) -> Result<(), StoreError> {
    // The database takes no key twice in one request.
    let distinct: BTreeSet<(i64, &ContactId)> = moments.iter().map(|(contact, at)| (at.as_millisecond(), contact)).collect();
    let mut items = Vec::with_capacity(distinct.len());
    for (millis, contact) in distinct {
        let at = Timestamp::from_millisecond(millis).map_err(|error| StoreError::undecodable(DUE_SCORE, error))?;
        let key = keys::due_score(scope.tenant(), contact, at);
        let expires_at = at.saturating_add(KEPT).unwrap_or(Timestamp::MAX);
        items.push(Item::from([
            ("PK".to_owned(), AttributeValue::S(key.pk)),
            ("SK".to_owned(), AttributeValue::S(key.sk)),
            ("type".to_owned(), AttributeValue::S(DUE_SCORE.to_owned())),
            ("expires_at".to_owned(), AttributeValue::N(expires_at.as_second().to_string())),
        ]));
    }
    table.put_due(scope, items).await
}

/// Reads up to `limit` scores of one shard that change within a stretch, those behind the place `after`, strongly consistent. 1 request, 1 R per started 4 KB: some 35
/// entries. One that names no contact is passed over: it must not keep the others from being found.
///
/// # Errors
/// Those of the database.
pub async fn due(table: &CoreTable, stretch: Stretch, shard: u32, after: Option<&str>, limit: usize) -> Result<DuePage, StoreError> {
    let (low, high) = beyond(&keys::due_bound(stretch.from), &keys::due_bound(stretch.until), after, Order::Ascending);
    let (items, next) = table.due(&keys::due_scores(stretch.from, shard), &low, &high, limit).await?;
    let score = |item: &Item| {
        let named = text(item, "SK").and_then(keys::parse_due_score);
        if named.is_none() {
            tracing::error!(shard, place = text(item, "SK"), "an entry of what is due names no contact");
        }
        named.map(|(at, tenant, contact)| DueScore { tenant, contact, at })
    };
    Ok(DuePage { scores: items.iter().filter_map(score).collect(), next })
}

/// How far what is due was looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// All that was due before was found.
    pub until: Timestamp,
    /// The stretch after it that was begun; none when none was.
    pub begun: Option<Begun>,
    /// Counts how often it was written; 0 when it never was.
    pub revision: u32,
}

/// A stretch that was looked through in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its end.
    #[serde(with = "switchboard_domain::clock::millis")]
    pub until: Timestamp,
    /// The shard at hand: those before it are done.
    pub shard: u32,
    /// The place in it up to which it is done; none at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WatermarkItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(with = "switchboard_domain::clock::millis")]
    until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Begun>,
    revision: u32,
}

/// Reads how far what is due was looked through, strongly consistent; none before the first time. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn watermark(table: &CoreTable) -> Result<Option<Watermark>, StoreError> {
    let Some(item) = table.get_due(&keys::due_watermark()).await? else {
        return Ok(None);
    };
    let item: WatermarkItem = from_item(DUE_WATERMARK, item)?;
    Ok(Some(Watermark { until: item.until, begun: item.begun, revision: item.revision }))
}

/// Writes how far what is due was looked through, over the watermark of the same revision, and raises that; false when somebody else has written meanwhile. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn move_watermark(table: &CoreTable, to: &mut Watermark) -> Result<bool, StoreError> {
    let key = keys::due_watermark();
    let (replaced, revision) = ((to.revision > 0).then_some(to.revision), to.revision + 1);
    let form = WatermarkItem { pk: key.pk, sk: key.sk, kind: DUE_WATERMARK.to_owned(), until: to.until, begun: to.begun.clone(), revision };
    let is_moved = table.put_watermark(to_item(DUE_WATERMARK, &form)?, replaced).await?;
    if is_moved {
        to.revision = revision;
    }
    Ok(is_moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_stretch_ends_with_its_hour() {
        let of = |from, until| Stretch::within_hour(at(from), at(until)).until;
        assert_eq!(of("2026-11-30T12:10:00Z", "2026-11-30T12:11:00Z"), at("2026-11-30T12:11:00Z"));
        assert_eq!(of("2026-11-30T12:59:59.999Z", "2026-11-30T13:01:00Z"), at("2026-11-30T13:00:00Z"));
        assert_eq!(of("2026-11-30T13:00:00Z", "2026-12-07T13:00:00Z"), at("2026-11-30T14:00:00Z"));
    }
}
