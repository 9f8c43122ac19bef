//! Mappings of columns that are kept under names. They have a partition of their own: the configuration is read whole with every request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::imports::{ImportKind, ImportOptions, Profile, ProfileColumn, ProfileKey};

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Part};

/// The type of a profile's item.
pub const IMPORT_PROFILE: &str = "import_profile";

#[derive(Serialize, Deserialize)]
struct ProfileItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    item_type: String,
    name: String,
    kind: ImportKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<ProfileColumn>,
    options: ImportOptions,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    deleted_at: Option<Timestamp>,
    #[serde(flatten)]
    record: RecordAttributes,
}

fn encode(scope: &TenantScope, profile: &Profile) -> Result<Item, StoreError> {
    let key = keys::import_profile(scope, &profile.key);
    let form = ProfileItem {
        pk: key.pk,
        sk: key.sk,
        item_type: IMPORT_PROFILE.to_owned(),
        name: profile.name.clone(),
        kind: profile.kind,
        columns: profile.columns.clone(),
        options: profile.options.clone(),
        deleted_at: profile.deleted_at,
        record: (&profile.record).into(),
    };
    to_item(IMPORT_PROFILE, &form)
}

/// Reads a profile from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode(item: Item) -> Result<Profile, StoreError> {
    let item: ProfileItem = from_item(IMPORT_PROFILE, item)?;
    let key = item.sk.strip_prefix(keys::PROFILES).and_then(ProfileKey::parse);
    Ok(Profile {
        key: key.ok_or_else(|| StoreError::undecodable(IMPORT_PROFILE, "the sort key names no profile"))?,
        record: item.record.into(),
        name: item.name,
        kind: item.kind,
        columns: item.columns,
        options: item.options,
        deleted_at: item.deleted_at,
    })
}

/// Reads a profile, also a deleted one. 1 request, 1 R per started 4 KB (about 60 columns).
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, scope: &TenantScope, key: &ProfileKey) -> Result<Option<Profile>, StoreError> {
    table.get(scope, &keys::import_profile(scope, key)).await?.map(decode).transpose()
}

/// The profile of a name, whatever its capitals and accents; none when there is none or it was deleted. As [`get`]; no request for a name that no profile can have.
///
/// # Errors
/// Those of the database.
pub async fn find(table: &CoreTable, scope: &TenantScope, name: &str) -> Result<Option<Profile>, StoreError> {
    match ProfileKey::of(name) {
        Some(key) => Ok(get(table, scope, &key).await?.filter(Profile::is_live)),
        None => Ok(None),
    }
}

/// All profiles, deleted ones too, in the order of their keys. 1 request per started MB, 1 R per started 4 KB (about 60 columns).
///
/// # Errors
/// Those of the database.
pub async fn all(table: &CoreTable, scope: &TenantScope) -> Result<Vec<Profile>, StoreError> {
    let items = table.partition(scope, &keys::import_profiles(scope), keys::PROFILES).await?;
    items.into_iter().map(decode).collect()
}

/// The profiles that files can be imported with, in the order of their keys. As [`all`].
///
/// # Errors
/// Those of the database.
pub async fn list(table: &CoreTable, scope: &TenantScope) -> Result<Vec<Profile>, StoreError> {
    Ok(all(table, scope).await?.into_iter().filter(Profile::is_live).collect())
}

/// Writes a profile: a new one, or one over that of revision `replaced`. False when another one stands there. 1 request, 1 W per started KB (about 15 columns).
///
/// # Errors
/// Those of the database.
pub async fn save(table: &CoreTable, scope: &TenantScope, profile: &Profile, replaced: Option<u32>) -> Result<bool, StoreError> {
    let item = encode(scope, profile)?;
    let part = match replaced {
        None => Part::Insert { item, expired_before: None },
        Some(revision) => Part::Replace { item, revision },
    };
    table.commit(scope, vec![part]).await
}
