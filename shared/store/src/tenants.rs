//! Tenants: their records, the entrances that lead to them, and a tenant opened with its keys.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use switchboard_domain::contact::Defaults;
use switchboard_domain::ids::{TenantId, UserId};
use switchboard_domain::sealing::TenantKeyring;
use switchboard_domain::tenant::{BOOKING_BUFFER_MINUTES, HEARTBEAT_TIMEOUT_SECONDS, RETENTION_DAYS, Tenant};

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{Change, CoreTable, Part, Written};

const KIND: &str = "tenant";

/// A tenant with its keys, for as long as a function stays warm.
#[derive(Clone)]
pub struct OpenTenant {
    /// The proof that requests may act for it.
    pub scope: TenantScope,
    /// Its record.
    pub record: Tenant,
    /// Its keys.
    pub keyring: TenantKeyring,
}

impl OpenTenant {
    /// What stands in for what a contact doesn't say.
    #[must_use]
    pub fn defaults(&self) -> Defaults {
        Defaults { country: self.record.country.clone(), time_zone: self.record.time_zone.clone() }
    }
}

#[derive(Serialize, Deserialize)]
struct TenantItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: TenantId,
    slug: String,
    name: String,
    time_zone: String,
    country: String,
    #[serde(default)]
    calling_day_start: u16,
    #[serde(default = "booking_buffer_minutes")]
    booking_buffer_minutes: u16,
    #[serde(default = "heartbeat_timeout_seconds")]
    heartbeat_timeout_seconds: u16,
    #[serde(default = "retention_days")]
    retention_days: u32,
    #[serde(default)]
    record_contact_views: bool,
    shards: u32,
    #[serde(with = "switchboard_domain::audit::bytes")]
    keyring: Vec<u8>,
    #[serde(flatten)]
    record: RecordAttributes,
}

// Tenants made before they could be set have what a new one has.
const fn booking_buffer_minutes() -> u16 {
    BOOKING_BUFFER_MINUTES
}

const fn heartbeat_timeout_seconds() -> u16 {
    HEARTBEAT_TIMEOUT_SECONDS
}

const fn retention_days() -> u32 {
    RETENTION_DAYS
}

/// Reads a tenant's record from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode(item: Item) -> Result<Tenant, StoreError> {
    let item: TenantItem = from_item(KIND, item)?;
    Ok(Tenant {
        id: item.id,
        record: item.record.into(),
        slug: item.slug,
        name: item.name,
        time_zone: item.time_zone,
        country: item.country,
        calling_day_start: item.calling_day_start,
        booking_buffer_minutes: item.booking_buffer_minutes,
        heartbeat_timeout_seconds: item.heartbeat_timeout_seconds,
        retention_days: item.retention_days,
        record_contact_views: item.record_contact_views,
        shards: item.shards,
        wrapped_keyring: item.keyring,
    })
}

/// Reads a tenant's record: the proof that it exists comes with it. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn load(table: &CoreTable, tenant: TenantId) -> Result<Option<(TenantScope, Tenant)>, StoreError> {
    let Some(item) = table.get_entrance(&keys::tenant(tenant)).await? else {
        return Ok(None);
    };
    let record = decode(item)?;
    Ok(Some((TenantScope::vouched(record.id), record)))
}

/// Finds a tenant by its slug. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn by_slug(table: &CoreTable, slug: &str) -> Result<Option<TenantId>, StoreError> {
    let Some(item) = table.get_entrance(&keys::slug(slug)).await? else {
        return Ok(None);
    };
    #[derive(Deserialize)]
    struct Slug {
        tenant: TenantId,
    }
    Ok(Some(from_item::<Slug>("slug", item)?.tenant))
}

/// Finds the user behind the subject of a token that was verified, and with it the tenant. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn by_subject(table: &CoreTable, subject: &str) -> Result<Option<(TenantScope, UserId)>, StoreError> {
    let Some(item) = table.get_entrance(&keys::subject(subject)).await? else {
        return Ok(None);
    };
    #[derive(Deserialize)]
    struct Subject {
        tenant: TenantId,
        user: UserId,
    }
    let subject: Subject = from_item("subject", item)?;
    Ok(Some((TenantScope::vouched(subject.tenant), subject.user)))
}

/// Makes a tenant: its slug first, so that no two can have the same, then its record. 2 requests, 2 W. `None` when the slug is another's;
/// made again with the same id it is completed.
///
/// # Errors
/// Those of the database.
pub async fn create(table: &CoreTable, tenant: &Tenant) -> Result<Option<TenantScope>, StoreError> {
    let slug_key = keys::slug(&tenant.slug);
    let slug = Item::from([
        ("PK".to_owned(), AttributeValue::S(slug_key.pk)),
        ("SK".to_owned(), AttributeValue::S(slug_key.sk)),
        ("type".to_owned(), AttributeValue::S("slug".to_owned())),
        ("tenant".to_owned(), AttributeValue::S(tenant.id.to_string())),
    ]);
    if let Written::Refused(Some(existing)) = table.insert_entrance(slug).await?
        && crate::item::text(&existing, "tenant") != Some(&tenant.id.to_string())
    {
        return Ok(None);
    }
    let scope = TenantScope::vouched(tenant.id);
    table.insert(&scope, encode(tenant)?).await?;
    Ok(Some(scope))
}

fn encode(tenant: &Tenant) -> Result<Item, StoreError> {
    let key = keys::tenant(tenant.id);
    let form = TenantItem {
        pk: key.pk,
        sk: key.sk,
        kind: KIND.to_owned(),
        id: tenant.id,
        slug: tenant.slug.clone(),
        name: tenant.name.clone(),
        time_zone: tenant.time_zone.clone(),
        country: tenant.country.clone(),
        calling_day_start: tenant.calling_day_start,
        booking_buffer_minutes: tenant.booking_buffer_minutes,
        heartbeat_timeout_seconds: tenant.heartbeat_timeout_seconds,
        retention_days: tenant.retention_days,
        record_contact_views: tenant.record_contact_views,
        shards: tenant.shards,
        keyring: tenant.wrapped_keyring.clone(),
        record: (&tenant.record).into(),
    };
    to_item(KIND, &form)
}

/// Writes a tenant's record over the one of revision `replaced`; false when somebody changed it meanwhile. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn save(table: &CoreTable, scope: &TenantScope, tenant: &Tenant, replaced: u32) -> Result<bool, StoreError> {
    Ok(table.replace(scope, encode(tenant)?, replaced).await? == Written::Done)
}

/// Writes a tenant's keyring, wrapped anew, over the one that was read; false when somebody wrote another meanwhile. A technical write. 1 request,
/// 1 W.
///
/// # Errors
/// Those of the database.
pub async fn set_keyring(table: &CoreTable, tenant: &OpenTenant, wrapped: Vec<u8>) -> Result<bool, StoreError> {
    let change = Change {
        key: keys::tenant(tenant.record.id),
        update: "SET keyring = :new, revision = revision + :one".to_owned(),
        condition: "keyring = :old".to_owned(),
        names: Vec::new(),
        values: vec![
            (":new", AttributeValue::B(wrapped.into())),
            (":old", AttributeValue::B(tenant.record.wrapped_keyring.clone().into())),
            (":one", AttributeValue::N("1".to_owned())),
        ],
    };
    table.change(&tenant.scope, change).await
}

/// The part of a transaction that makes the entrance of a user's subject; it doesn't hold when the subject has one. 2 W.
#[must_use]
pub fn subject_part(scope: &TenantScope, subject: &str, user: UserId) -> Part {
    let key = keys::subject(subject);
    let item = Item::from([
        ("PK".to_owned(), AttributeValue::S(key.pk)),
        ("SK".to_owned(), AttributeValue::S(key.sk)),
        ("type".to_owned(), AttributeValue::S("subject".to_owned())),
        ("tenant".to_owned(), AttributeValue::S(scope.tenant().to_string())),
        ("user".to_owned(), AttributeValue::S(user.to_string())),
    ]);
    Part::Entrance { item }
}
