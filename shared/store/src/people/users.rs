//! Users: their records, the addresses that find them, and the list of active administrators.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::{RoleId, UserId, base32};
use switchboard_domain::permission::Grant;
use switchboard_domain::person::{User, UserStatus};

use super::lists::{StaffList, place};
use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys::{self, Key};
use crate::scope::TenantScope;
use crate::table::{CoreTable, Freshness, Part};
use crate::tenants::OpenTenant;

/// The type of a user's item.
pub const USER: &str = "user";
/// The type of the item that finds a user by e-mail address.
pub const STAFF_EMAIL: &str = "staff_email";
/// The type of the item that names the active administrators.
pub const ADMINISTRATORS: &str = "administrators";

#[derive(Serialize, Deserialize)]
struct UserItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI1PK", default)]
    list_pk: String,
    #[serde(rename = "GSI1SK", default)]
    list_sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: UserId,
    subject: String,
    name: String,
    #[serde(with = "switchboard_domain::audit::bytes")]
    email: Vec<u8>,
    status: UserStatus,
    roles: Vec<RoleId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    signed_out_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    activated_at: Option<Timestamp>,
    #[serde(flatten)]
    record: RecordAttributes,
}

fn encode(scope: &TenantScope, user: &User) -> Result<Item, StoreError> {
    let key = keys::user(scope, user.id);
    let form = UserItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: StaffList::Users.partition(scope),
        list_sk: place(&user.name, user.id),
        kind: USER.to_owned(),
        id: user.id,
        subject: user.subject.clone(),
        name: user.name.clone(),
        email: user.sealed_email.clone(),
        status: user.status,
        roles: user.roles.clone(),
        permissions: user.grants.iter().map(ToString::to_string).collect(),
        signed_out_at: user.signed_out_at,
        activated_at: user.activated_at,
        record: (&user.record).into(),
    };
    to_item(USER, &form)
}

/// Reads a user from its item. A permission that this version doesn't know grants nothing and is left out.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_user(item: Item) -> Result<User, StoreError> {
    let item: UserItem = from_item(USER, item)?;
    let grants: Vec<Grant> = item.permissions.iter().filter_map(|permission| permission.parse().ok()).collect();
    Ok(User {
        id: item.id,
        record: item.record.into(),
        subject: item.subject,
        name: item.name,
        sealed_email: item.email,
        status: item.status,
        roles: item.roles,
        grants,
        signed_out_at: item.signed_out_at,
        activated_at: item.activated_at,
    })
}

/// Reads a user. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn user(table: &CoreTable, scope: &TenantScope, id: UserId) -> Result<Option<User>, StoreError> {
    table.get(scope, &keys::user(scope, id)).await?.map(decode_user).transpose()
}

/// The part that writes a new user. 1 W and 1 for index 1, in a transaction 2 and 1.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be an item.
pub fn insert_user(scope: &TenantScope, user: &User) -> Result<Part, StoreError> {
    Ok(Part::Insert { item: encode(scope, user)?, expired_before: None })
}

/// The part that writes a user over the one of this revision. 1 W and 1 for index 1 (2 with another name), in a transaction 2 and those.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be an item.
pub fn replace_user(scope: &TenantScope, user: &User, revision: u32) -> Result<Part, StoreError> {
    Ok(Part::Replace { item: encode(scope, user)?, revision })
}

/// The part of a transaction that changes nothing, and holds only while a user is at this revision. 2 W.
#[must_use]
pub fn check_user(scope: &TenantScope, user: UserId, revision: u32) -> Part {
    let values = vec![(":revision", AttributeValue::N(revision.to_string()))];
    Part::Check { key: keys::user(scope, user), condition: "revision = :revision".to_owned(), values }
}

fn email_key(tenant: &OpenTenant, email: &str) -> Key {
    keys::staff_email(&tenant.scope, &base32(&tenant.keyring.keyed_hash("staff email", email)))
}

/// The part of a transaction by which a lower-case e-mail address finds its user; it doesn't hold when the address finds somebody. 2 W.
#[must_use]
pub fn claim_email(tenant: &OpenTenant, email: &str, user: UserId) -> Part {
    let key = email_key(tenant, email);
    let item = Item::from([
        ("PK".to_owned(), AttributeValue::S(key.pk)),
        ("SK".to_owned(), AttributeValue::S(key.sk)),
        ("type".to_owned(), AttributeValue::S(STAFF_EMAIL.to_owned())),
        ("user".to_owned(), AttributeValue::S(user.to_string())),
    ]);
    Part::Insert { item, expired_before: None }
}

/// The tenant's user with this lower-case e-mail address. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn user_by_email(table: &CoreTable, tenant: &OpenTenant, email: &str) -> Result<Option<UserId>, StoreError> {
    table.get(&tenant.scope, &email_key(tenant, email)).await?.map(user_of).transpose()
}

/// The tenant's users with these lower-case e-mail addresses, strongly consistent; addresses that nobody has are left out. 1 request per 100, 1 R each.
///
/// # Errors
/// Those of the database.
pub async fn users_by_email(table: &CoreTable, tenant: &OpenTenant, emails: &[&str]) -> Result<HashMap<String, UserId>, StoreError> {
    // The database takes no key twice in one request.
    let distinct: HashSet<&str> = emails.iter().copied().collect();
    let addresses: HashMap<String, &str> = distinct.into_iter().map(|email| (email_key(tenant, email).pk, email)).collect();
    let keys: Vec<Key> = addresses.values().map(|email| email_key(tenant, email)).collect();
    let mut users = HashMap::with_capacity(keys.len());
    for item in table.batch_get(&tenant.scope, &keys, Freshness::Strong).await? {
        if let Some(email) = text(&item, "PK").and_then(|pk| addresses.get(pk)) {
            users.insert((*email).to_owned(), user_of(item)?);
        }
    }
    Ok(users)
}

/// Whom an address leads to.
fn user_of(item: Item) -> Result<UserId, StoreError> {
    #[derive(Deserialize)]
    struct Found {
        user: UserId,
    }
    Ok(from_item::<Found>(STAFF_EMAIL, item)?.user)
}

/// The users who may do everything and can sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administrators {
    /// Who they are.
    pub users: Vec<UserId>,
    /// Counts their changes; 0 before the first.
    pub revision: u32,
}

/// Reads who the active administrators are, strongly consistent. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn administrators(table: &CoreTable, scope: &TenantScope) -> Result<Administrators, StoreError> {
    let item = table.get(scope, &keys::administrators(scope)).await?;
    Ok(item.map(|item| from_item(ADMINISTRATORS, item)).transpose()?.unwrap_or_default())
}

/// The part of a transaction that says who they are from now on; it doesn't hold when they changed meanwhile. 2 W.
#[must_use]
pub fn write_administrators(scope: &TenantScope, before: &Administrators, users: Vec<UserId>) -> Part {
    let key = keys::administrators(scope);
    let item = Item::from([
        ("PK".to_owned(), AttributeValue::S(key.pk)),
        ("SK".to_owned(), AttributeValue::S(key.sk)),
        ("type".to_owned(), AttributeValue::S(ADMINISTRATORS.to_owned())),
        ("users".to_owned(), AttributeValue::L(users.into_iter().map(|user| AttributeValue::S(user.to_string())).collect())),
        ("revision".to_owned(), AttributeValue::N((before.revision + 1).to_string())),
    ]);
    match before.revision {
        0 => Part::Insert { item, expired_before: None },
        revision => Part::Replace { item, revision },
    }
}
