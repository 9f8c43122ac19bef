//! The scores of a contact that were replaced: items beside it, which go with it when it is erased.
//!
//! One is kept before the score that replaces it is written, under when it was calculated: written again it is the same, and one that was not replaced after all is the
//! contact's present score, which whoever reads leaves out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::ContactId;
use switchboard_domain::scoring::Score;

use crate::contacts::{score_bytes, score_from_bytes};
use crate::error::StoreError;
use crate::item::{Item, from_item, text, to_item};
use crate::keys::{self, Key};
use crate::scope::TenantScope;
use crate::table::{CoreTable, Order, Page};

/// The type of a replaced score's item.
pub const REPLACED_SCORE: &str = "replaced_score";
/// Items removed at once.
const BATCH: usize = 100;

/// A score that a contact had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedScore {
    /// The score.
    pub score: Score,
    /// When another one took its place.
    pub replaced_at: Timestamp,
    /// Its place in the history: those before it are older.
    pub place: String,
}

#[derive(Serialize, Deserialize)]
struct ReplacedItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    score: u8,
    #[serde(with = "switchboard_domain::audit::bytes")]
    scored: Vec<u8>,
    #[serde(with = "switchboard_domain::clock::millis")]
    replaced_at: Timestamp,
}

/// Keeps a score that is about to be replaced. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn keep(table: &CoreTable, scope: &TenantScope, contact: &ContactId, replaced: &Score, replaced_at: Timestamp) -> Result<(), StoreError> {
    let key = keys::replaced_score(scope, contact, replaced.calculated_at);
    let scored = score_bytes(replaced, Timestamp::UNIX_EPOCH)?;
    let form = ReplacedItem { pk: key.pk, sk: key.sk, kind: REPLACED_SCORE.to_owned(), score: replaced.value, scored, replaced_at };
    table.write_many(scope, vec![to_item(REPLACED_SCORE, &form)?], Vec::new()).await
}

/// Reads up to `first` scores that a contact had, the newest first, those before the place `before`, without the one of `present`: when its present score was calculated.
/// 1 request, 1 R per started 4 KB: some 25 scores.
///
/// # Errors
/// Those of the database.
pub async fn list(
    table: &CoreTable,
    scope: &TenantScope,
    contact: &ContactId,
    before: Option<&str>,
    first: usize,
    present: Option<Timestamp>,
) -> Result<Page<ReplacedScore>, StoreError> {
    let partition = keys::contact_partition(scope, contact);
    let before = before.map(|place| format!("{}{place}", keys::REPLACED_SCORES));
    // One more, because the present one may be among them.
    let page = table.range(scope, &partition, keys::REPLACED_SCORES, before.as_deref(), first + 1, Order::Descending).await?;
    let mut entries = page.entries.into_iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    entries.retain(|entry| Some(entry.score.calculated_at) != present);
    let has_more = page.has_more || entries.len() > first;
    entries.truncate(first);
    Ok(Page { entries, has_more })
}

/// Whether this can be a place in a history.
#[must_use]
pub fn is_place(text: &str) -> bool {
    text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Removes all scores that an erased contact had. 1 request and 1 R when there are none; else 1 more per 100 and per 25 of them, and 1 W each.
///
/// # Errors
/// Those of the database.
pub async fn remove(table: &CoreTable, scope: &TenantScope, contact: &ContactId) -> Result<(), StoreError> {
    let partition = keys::contact_partition(scope, contact);
    loop {
        let page = table.range(scope, &partition, keys::REPLACED_SCORES, None, BATCH, Order::Ascending).await?;
        let keys = page.entries.iter().filter_map(|item| Some(Key { pk: partition.clone(), sk: text(item, "SK")?.to_owned() })).collect();
        table.write_many(scope, Vec::new(), keys).await?;
        if !page.has_more {
            return Ok(());
        }
    }
}

fn decode(item: Item) -> Result<ReplacedScore, StoreError> {
    let item: ReplacedItem = from_item(REPLACED_SCORE, item)?;
    let score = score_from_bytes(item.score, Timestamp::UNIX_EPOCH, &item.scored)?;
    let place = item.sk.strip_prefix(keys::REPLACED_SCORES).ok_or_else(|| StoreError::undecodable(REPLACED_SCORE, "its key is none of a replaced score"))?;
    Ok(ReplacedScore { score, replaced_at: item.replaced_at, place: place.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_history_gives_is_a_place_in_it() {
        assert!(is_place("1790000000000"));
        for wrong in ["", "179000000000", "17900000000000", "179000000000x", "179000000000-", "١٢٣٤٥٦٧٨٩٠١٢٣"] {
            assert!(!is_place(wrong), "{wrong}");
        }
    }
}
