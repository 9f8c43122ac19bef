//! A tenant's configuration that every request may need: its statuses and roles and what scores its contacts, read together and changed one at a time.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::change::Revisioned;
use switchboard_domain::ids::{RoleId, StatusId};
use switchboard_domain::permission::Grant;
use switchboard_domain::person::Role;
use switchboard_domain::scoring::{self, Scorer};
use switchboard_domain::status::ContactStatus;

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::scoring_models::{ACTIVE_SCORING_MODEL, decode_active};
use crate::table::{Change, CoreTable, Part, Written};

/// The type of a status's item.
pub const STATUS: &str = "contact_status";
/// The type of a role's item.
pub const ROLE: &str = "role";
/// The type of the item that counts the changes of a tenant's statuses and roles.
pub const SETTINGS_REVISION: &str = "settings_revision";

/// What a tenant has configured.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The statuses, in their order; deleted ones too, because a contact may still show one.
    pub statuses: Vec<ContactStatus>,
    /// The roles; deleted ones too, because a user may still hold one, which grants nothing.
    pub roles: Vec<Role>,
    /// What scores its contacts: the model in force, with the statuses.
    pub scorer: Scorer,
    /// Counts the changes of the statuses and roles: who decides by all of them writes only while it is still this.
    pub revision: u64,
}

impl Settings {
    /// The statuses that contacts may be given, in their order: neither deleted nor about to be.
    pub fn live_statuses(&self) -> impl Iterator<Item = &ContactStatus> {
        self.statuses.iter().filter(|status| status.is_live())
    }

    /// The statuses that aren't deleted, in their order. One whose deletion was begun is among them, because it may turn out to be in use.
    pub fn listed_statuses(&self) -> impl Iterator<Item = &ContactStatus> {
        self.statuses.iter().filter(|status| status.deleted_at.is_none())
    }

    /// A status by its id, deleted or not.
    #[must_use]
    pub fn status(&self, id: StatusId) -> Option<&ContactStatus> {
        self.statuses.iter().find(|status| status.id == id)
    }

    /// A status that contacts may be given, by its code.
    #[must_use]
    pub fn status_by_code(&self, code: &str) -> Option<&ContactStatus> {
        self.live_statuses().find(|status| status.code == code)
    }

    /// The roles that can be held.
    pub fn live_roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.iter().filter(|role| role.is_live())
    }

    /// A role that can be held, by its code.
    #[must_use]
    pub fn role_by_code(&self, code: &str) -> Option<&Role> {
        self.live_roles().find(|role| role.code == code)
    }

    /// A role by its id, deleted or not.
    #[must_use]
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }
}

#[derive(Serialize, Deserialize)]
struct StatusItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: StatusId,
    code: String,
    name: String,
    color: String,
    order: u16,
    exclude_from_call_list: bool,
    system: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    retired: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    deleted_at: Option<Timestamp>,
    #[serde(flatten)]
    record: RecordAttributes,
}

#[derive(Serialize, Deserialize)]
struct RoleItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: RoleId,
    code: String,
    name: String,
    permissions: Vec<String>,
    system: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    deleted_at: Option<Timestamp>,
    #[serde(flatten)]
    record: RecordAttributes,
}

/// Reads a tenant's statuses and roles, and the model it scores by, strongly consistent. 1 request, 1 R per started 4 KB (8 statuses and 5 roles: 2 R; a model of its own:
/// 1 R more).
///
/// # Errors
/// Those of the database.
pub async fn load(table: &CoreTable, scope: &TenantScope) -> Result<Settings, StoreError> {
    let mut settings = Settings::default();
    let mut active = None;
    for item in table.partition(scope, &keys::configuration(scope), "").await? {
        match text(&item, "type") {
            Some(STATUS) => settings.statuses.push(decode_status(item)?),
            Some(ROLE) => settings.roles.push(decode_role(item)?),
            Some(SETTINGS_REVISION) => settings.revision = decode_revision(&item)?,
            Some(ACTIVE_SCORING_MODEL) => active = Some(decode_active(item)?.model),
            _ => {}
        }
    }
    settings.statuses.sort_by_key(|status| status.order);
    settings.scorer = Scorer::new(active.unwrap_or_else(scoring::standard), &settings.statuses);
    Ok(settings)
}

fn decode_revision(item: &Item) -> Result<u64, StoreError> {
    let number = item.get("revision").and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok());
    number.ok_or_else(|| StoreError::undecodable(SETTINGS_REVISION, "its revision is not a number"))
}

/// Reads a status from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_status(item: Item) -> Result<ContactStatus, StoreError> {
    let item: StatusItem = from_item(STATUS, item)?;
    Ok(ContactStatus {
        id: item.id,
        record: item.record.into(),
        code: item.code,
        name: item.name,
        color: item.color,
        order: item.order,
        exclude_from_call_list: item.exclude_from_call_list,
        system: item.system,
        retired: item.retired,
        deleted_at: item.deleted_at,
    })
}

/// Reads a role from its item.
///
/// # Errors
/// [`StoreError::Undecodable`]. A permission that this version doesn't know grants nothing and is left out: a tenant must not stand still because a
/// newer version was taken back.
pub fn decode_role(item: Item) -> Result<Role, StoreError> {
    let item: RoleItem = from_item(ROLE, item)?;
    let grants: Vec<Grant> = item.permissions.iter().filter_map(|permission| permission.parse().ok()).collect();
    Ok(Role { id: item.id, record: Revisioned::from(item.record), code: item.code, name: item.name, grants, system: item.system, deleted_at: item.deleted_at })
}

fn encode_status(scope: &TenantScope, status: &ContactStatus) -> Result<Item, StoreError> {
    let key = keys::status(scope, status.id);
    let form = StatusItem {
        pk: key.pk,
        sk: key.sk,
        kind: STATUS.to_owned(),
        id: status.id,
        code: status.code.clone(),
        name: status.name.clone(),
        color: status.color.clone(),
        order: status.order,
        exclude_from_call_list: status.exclude_from_call_list,
        system: status.system,
        retired: status.retired,
        deleted_at: status.deleted_at,
        record: (&status.record).into(),
    };
    to_item(STATUS, &form)
}

/// Writes a seeded status, whose name and code nobody else can have yet. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_status(table: &CoreTable, scope: &TenantScope, status: &ContactStatus) -> Result<Written, StoreError> {
    table.insert(scope, encode_status(scope, status)?).await
}

/// Writes a status that was decided on by settings of this revision: a new one, or one over that of revision `replaced`; and other parts with
/// it. False when the settings or the status changed meanwhile, or another part's condition didn't hold: nothing is written then. 1 request; 2 × 2 W
/// and those of the other parts.
///
/// # Errors
/// Those of the database.
pub async fn write_status(
    table: &CoreTable,
    scope: &TenantScope,
    decided_on: u64,
    status: &ContactStatus,
    replaced: Option<u32>,
    others: Vec<Part>,
) -> Result<bool, StoreError> {
    write(table, scope, decided_on, encode_status(scope, status)?, replaced, others).await
}

/// The same for a role.
///
/// # Errors
/// Those of the database.
pub async fn write_role(table: &CoreTable, scope: &TenantScope, decided_on: u64, role: &Role, replaced: Option<u32>, others: Vec<Part>) -> Result<bool, StoreError> {
    write(table, scope, decided_on, encode_role(scope, role)?, replaced, others).await
}

async fn write(table: &CoreTable, scope: &TenantScope, decided_on: u64, item: Item, replaced: Option<u32>, others: Vec<Part>) -> Result<bool, StoreError> {
    let written = match replaced {
        None => Part::Insert { item, expired_before: None },
        Some(revision) => Part::Replace { item, revision },
    };
    let mut parts = vec![written, Part::Change(raised(scope, decided_on))];
    parts.extend(others);
    table.transact(scope, parts).await
}

/// Raises the revision of the settings, which must be `from`. Before the first change there is no item.
fn raised(scope: &TenantScope, from: u64) -> Change {
    let number = |revision: u64| AttributeValue::N(revision.to_string());
    let mut values = vec![(":type", AttributeValue::S(SETTINGS_REVISION.to_owned())), (":next", number(from + 1))];
    let condition = if from == 0 {
        "attribute_not_exists(PK)"
    } else {
        values.push((":from", number(from)));
        "revision = :from"
    };
    Change {
        key: keys::settings_revision(scope),
        update: "SET #type = :type, revision = :next".to_owned(),
        condition: condition.to_owned(),
        names: vec![("#type", "type")],
        values,
    }
}

/// Writes a status over that of revision `replaced`, when nothing that other statuses depend on changes: a technical write. False when the status
/// changed meanwhile. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn touch_status(table: &CoreTable, scope: &TenantScope, status: &ContactStatus, replaced: u32) -> Result<bool, StoreError> {
    Ok(table.replace(scope, encode_status(scope, status)?, replaced).await? == Written::Done)
}

/// Writes a seeded role, whose name and code nobody else can have yet. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_role(table: &CoreTable, scope: &TenantScope, role: &Role) -> Result<Written, StoreError> {
    table.insert(scope, encode_role(scope, role)?).await
}

fn encode_role(scope: &TenantScope, role: &Role) -> Result<Item, StoreError> {
    let key = keys::role(scope, role.id);
    let form = RoleItem {
        pk: key.pk,
        sk: key.sk,
        kind: ROLE.to_owned(),
        id: role.id,
        code: role.code.clone(),
        name: role.name.clone(),
        permissions: role.grants.iter().map(ToString::to_string).collect(),
        system: role.system,
        deleted_at: role.deleted_at,
        record: (&role.record).into(),
    };
    to_item(ROLE, &form)
}
