//! Contacts: read by id, many at once, in lists; written by one conditional put, uniqueness of the number included.

mod item;

pub use item::{CONTACT, ContactRow, Placement, StoredContact, decode, decode_row, encode, new_placement, open_key};

use futures::future::try_join_all;
use switchboard_domain::clock::Entropy;
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;

use crate::error::StoreError;
use crate::idempotency;
use crate::keys;
use crate::settings::Settings;
use crate::table::{CoreTable, Freshness, Page, Part, Written};
use crate::tenants::OpenTenant;

/// What became of creating a contact.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum Creation {
    /// It is new.
    Created,
    /// Its number has a contact, this one.
    Exists(StoredContact),
    /// Its number is free, but the idempotency key was used a moment ago for something else.
    KeyTaken,
}

/// Reads a contact. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, tenant: &OpenTenant, id: &ContactId) -> Result<Option<StoredContact>, StoreError> {
    let item = table.get(&tenant.scope, &keys::contact(&tenant.scope, id)).await?;
    item.map(|item| decode(&tenant.keyring, item)).transpose()
}

/// Reads many contacts; absent ones are left out, the order is any. 1 request per 100; 1 R each, half of one when eventual.
///
/// # Errors
/// Those of the database.
pub async fn get_many(table: &CoreTable, tenant: &OpenTenant, ids: &[ContactId], freshness: Freshness) -> Result<Vec<StoredContact>, StoreError> {
    let keys: Vec<keys::Key> = ids.iter().map(|id| keys::contact(&tenant.scope, id)).collect();
    table.batch_get(&tenant.scope, &keys, freshness).await?.into_iter().map(|item| decode(&tenant.keyring, item)).collect()
}

/// Creates a contact at its slot. 1 request; 1 W and one per index entry, twice that and 2 W more with an idempotency key.
///
/// When the answer to an earlier attempt was lost, the attempt that finds its own contact says that it was created.
///
/// # Errors
/// Those of the database.
pub async fn create(
    table: &CoreTable,
    tenant: &OpenTenant,
    settings: &Settings,
    contact: Contact,
    idempotency: Option<&idempotency::Entry>,
    entropy: &dyn Entropy,
) -> Result<Creation, StoreError> {
    let request_id = contact.record.last_change.origin.request_id.clone();
    let placement = new_placement(tenant, &contact, entropy);
    let stored = StoredContact { contact, placement };
    let item = encode(tenant, settings, &stored, entropy)?;
    let id = &stored.contact.id;
    let existing = match idempotency {
        None => match table.insert(&tenant.scope, item).await? {
            Written::Done => return Ok(Creation::Created),
            Written::Refused(Some(item)) => decode(&tenant.keyring, item)?,
            Written::Refused(None) => get(table, tenant, id).await?.ok_or_else(vanished)?,
        },
        Some(entry) => {
            let contact = Part::Insert { item, expired_before: None };
            let answer = Part::Insert { item: entry.to_item(&tenant.scope), expired_before: Some(entry.made_at.as_second()) };
            if table.transact(&tenant.scope, vec![contact, answer]).await? {
                return Ok(Creation::Created);
            }
            match get(table, tenant, id).await? {
                Some(existing) => existing,
                None => return Ok(Creation::KeyTaken),
            }
        }
    };
    let ours = existing.contact.record.version == 1 && request_id.is_some() && existing.contact.record.last_change.origin.request_id == request_id;
    Ok(if ours { Creation::Created } else { Creation::Exists(existing) })
}

fn vanished() -> StoreError {
    StoreError::Unavailable("the record at this number changed while it was read".to_owned())
}

/// Creates many contacts; tells for each whether it was created (false: its slot was taken). 1 request per 25, units as [`create`].
///
/// # Errors
/// Those of the database; contacts before the failing one may be there.
pub async fn create_many(table: &CoreTable, tenant: &OpenTenant, settings: &Settings, contacts: Vec<Contact>, entropy: &dyn Entropy) -> Result<Vec<bool>, StoreError> {
    let items: Result<Vec<_>, StoreError> = contacts
        .into_iter()
        .map(|contact| {
            let placement = new_placement(tenant, &contact, entropy);
            encode(tenant, settings, &StoredContact { contact, placement }, entropy)
        })
        .collect();
    table.insert_many(&tenant.scope, items?).await
}

/// Writes a contact again unless its revision is no longer `revision`; false then. 1 request; 1 W and those of the index entries that change.
///
/// # Errors
/// Those of the database.
pub async fn replace(
    table: &CoreTable,
    tenant: &OpenTenant,
    settings: &Settings,
    stored: &StoredContact,
    revision: u32,
    entropy: &dyn Entropy,
) -> Result<bool, StoreError> {
    let item = encode(tenant, settings, stored, entropy)?;
    Ok(table.replace(&tenant.scope, item, revision).await? == Written::Done)
}

/// Lists contacts, newest first, those older than the place `after`. 1 request per shard of the tenant, half an R per started 4 KB.
///
/// # Errors
/// Those of the database.
pub async fn newest(table: &CoreTable, tenant: &OpenTenant, after: Option<&str>, first: usize) -> Result<Page<ContactRow>, StoreError> {
    let shards: Vec<String> = (0..tenant.record.shards.max(1)).map(|shard| keys::contact_list(&tenant.scope, shard)).collect();
    let parts = try_join_all(shards.iter().map(|shard| table.newest(&tenant.scope, shard, after, first + 1))).await?;
    let mut rows: Vec<ContactRow> = parts.into_iter().flatten().map(|item| decode_row(&tenant.keyring, item)).collect::<Result<_, _>>()?;
    rows.sort_by(|left, right| right.place.cmp(&left.place));
    let has_more = rows.len() > first;
    rows.truncate(first);
    Ok(Page { entries: rows, has_more })
}
