//! The suppression list: an item for each number that ever stood on it, in index 1 while it does.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::{ContactId, SuppressionId};
use switchboard_domain::suppression::Suppression;

use crate::attribute_writer::AttributeWriter;
use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys::{self, Key};
use crate::scope::TenantScope;
use crate::table::{CoreTable, Freshness, Page, Part, Statements, Written};

/// The type of an entry's item.
pub const SUPPRESSION: &str = "suppression";

#[derive(Serialize, Deserialize)]
struct SuppressionItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI1PK", default, skip_serializing_if = "Option::is_none")]
    list_pk: Option<String>,
    #[serde(rename = "GSI1SK", default, skip_serializing_if = "Option::is_none")]
    list_sk: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    id: SuppressionId,
    slot: ContactId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed_at: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    removed_at: Option<Timestamp>,
    #[serde(flatten)]
    record: RecordAttributes,
}

/// An entry in force stands in the list by the time it was put there, which is its last change; one that was taken off stands nowhere.
fn encode(scope: &TenantScope, suppression: &Suppression) -> Result<Item, StoreError> {
    let key = keys::suppression(scope, &suppression.id);
    let is_listed = suppression.is_in_force();
    let place = || format!("{:013}#{}", suppression.record.updated_at().as_millisecond(), suppression.id);
    let form = SuppressionItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: is_listed.then(|| keys::suppression_list(scope)),
        list_sk: is_listed.then(place),
        kind: SUPPRESSION.to_owned(),
        id: suppression.id.clone(),
        slot: suppression.slot.clone(),
        reason: suppression.reason.clone(),
        source: suppression.source.clone(),
        listed_at: suppression.listed_at,
        removed_at: suppression.removed_at,
        record: (&suppression.record).into(),
    };
    to_item(SUPPRESSION, &form)
}

/// Reads an entry from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode(item: Item) -> Result<Suppression, StoreError> {
    let item: SuppressionItem = from_item(SUPPRESSION, item)?;
    Ok(Suppression {
        id: item.id,
        slot: item.slot,
        record: item.record.into(),
        reason: item.reason,
        source: item.source,
        listed_at: item.listed_at,
        removed_at: item.removed_at,
    })
}

/// Reads the entry of a number, in force or not. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn find(table: &CoreTable, scope: &TenantScope, id: &SuppressionId) -> Result<Option<Suppression>, StoreError> {
    table.get(scope, &keys::suppression(scope, id)).await?.map(decode).transpose()
}

/// Which of these numbers must not be called, strongly consistent. 1 request per 100, 1 R each.
///
/// # Errors
/// Those of the database.
pub async fn find_many(table: &CoreTable, scope: &TenantScope, ids: &[SuppressionId]) -> Result<HashSet<SuppressionId>, StoreError> {
    Ok(entries(table, scope, ids).await?.into_values().filter(Suppression::is_in_force).map(|entry| entry.id).collect())
}

/// Reads the entries of many numbers, in force or not, strongly consistent; those that were never listed are left out. 1 request per 100, 1 R each.
///
/// # Errors
/// Those of the database.
pub async fn entries(table: &CoreTable, scope: &TenantScope, ids: &[SuppressionId]) -> Result<HashMap<SuppressionId, Suppression>, StoreError> {
    // The database takes no key twice in one request.
    let distinct: HashSet<&SuppressionId> = ids.iter().collect();
    let keys: Vec<Key> = distinct.into_iter().map(|id| keys::suppression(scope, id)).collect();
    let items = table.batch_get(scope, &keys, Freshness::Strong).await?;
    items.into_iter().map(|item| decode(item).map(|entry| (entry.id.clone(), entry))).collect()
}

/// Writes the first entries of many numbers; tells for each whether it was written (false: its number has one). 1 request per 25; for each 1 W and 1 for
/// index 1.
///
/// # Errors
/// Those of the database; entries before the failing one may be there.
pub async fn insert_many(table: &CoreTable, scope: &TenantScope, suppressions: &[Suppression]) -> Result<Vec<bool>, StoreError> {
    let item = |index: usize, attributes: &mut Statements<'_>| attributes.item(encode(scope, &suppressions[index])?);
    table.insert_many(scope, suppressions.len(), item).await
}

/// Lists the entries in force, the last put there first, those before the place `after`, each with its place. 1 request for the list and half an R
/// per started 4 KB of it (about 0.3 KB an entry); and because index 1 doesn't carry reasons and who wrote them, 1 request per 100 and half
/// an R each for the entries themselves: 27 R for 50.
///
/// # Errors
/// Those of the database.
pub async fn list(table: &CoreTable, scope: &TenantScope, after: Option<&str>, first: usize) -> Result<Page<(String, Suppression)>, StoreError> {
    let mut entries = table.newest(scope, &keys::suppression_list(scope), after, first + 1).await?;
    let has_more = entries.len() > first;
    entries.truncate(first);
    let mut keys = Vec::with_capacity(entries.len());
    let mut places = Vec::with_capacity(entries.len());
    for entry in &entries {
        let attribute = |name: &str| text(entry, name).map(str::to_owned).ok_or_else(|| StoreError::undecodable(SUPPRESSION, format!("it has no {name}")));
        let key = Key { pk: attribute("PK")?, sk: attribute("SK")? };
        places.push((key.pk.clone(), attribute("GSI1SK")?));
        keys.push(key);
    }
    let mut found: HashMap<String, Suppression> = HashMap::with_capacity(keys.len());
    for item in table.batch_get(scope, &keys, Freshness::Eventual).await? {
        let pk = text(&item, "PK").unwrap_or_default().to_owned();
        found.insert(pk, decode(item)?);
    }
    // An entry that was taken off a moment ago may still be in the index: it is shown, and says so.
    let entries = places.into_iter().filter_map(|(pk, place)| Some((place, found.remove(&pk)?))).collect();
    Ok(Page { entries, has_more })
}

/// The part of a transaction that writes the first entry of a number. 2 W, and 1 for index 1.
///
/// # Errors
/// [`StoreError::Undecodable`] when the entry can't be an item.
pub fn insert_part(scope: &TenantScope, suppression: &Suppression) -> Result<Part, StoreError> {
    Ok(Part::Insert { item: encode(scope, suppression)?, expired_before: None })
}

/// The part of a transaction that writes an entry over the one of this revision. 2 W, and 1 for index 1.
///
/// # Errors
/// [`StoreError::Undecodable`] when the entry can't be an item.
pub fn replace_part(scope: &TenantScope, suppression: &Suppression, revision: u32) -> Result<Part, StoreError> {
    Ok(Part::Replace { item: encode(scope, suppression)?, revision })
}

/// Writes an entry, the first of its number or over the one of revision `replaced`, and other parts with it; false when a condition didn't hold.
/// 1 request, 1 W and 1 for index 1; with other parts a transaction: 2 W and 1 for index 1, and theirs.
///
/// # Errors
/// Those of the database.
pub async fn write(table: &CoreTable, scope: &TenantScope, suppression: &Suppression, replaced: Option<u32>, others: Vec<Part>) -> Result<bool, StoreError> {
    if others.is_empty() {
        let item = encode(scope, suppression)?;
        let written = match replaced {
            None => table.insert(scope, item).await?,
            Some(revision) => table.replace(scope, item, revision).await?,
        };
        return Ok(written == Written::Done);
    }
    let mut parts = vec![match replaced {
        None => insert_part(scope, suppression)?,
        Some(revision) => replace_part(scope, suppression, revision)?,
    }];
    parts.extend(others);
    table.transact(scope, parts).await
}
