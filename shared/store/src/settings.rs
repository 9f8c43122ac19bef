//! A tenant's configuration that every request may need: its statuses and roles, read together.

use serde::{Deserialize, Serialize};
use switchboard_domain::change::Revisioned;
use switchboard_domain::ids::{RoleId, StatusId};
use switchboard_domain::permission::Grant;
use switchboard_domain::person::Role;
use switchboard_domain::status::ContactStatus;

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Written};

/// The type of a status's item.
pub const STATUS: &str = "contact_status";
/// The type of a role's item.
pub const ROLE: &str = "role";

/// What a tenant has configured.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The statuses, in their order.
    pub statuses: Vec<ContactStatus>,
    /// The roles.
    pub roles: Vec<Role>,
}

impl Settings {
    /// A status by its id.
    #[must_use]
    pub fn status(&self, id: StatusId) -> Option<&ContactStatus> {
        self.statuses.iter().find(|status| status.id == id)
    }

    /// A status by its code.
    #[must_use]
    pub fn status_by_code(&self, code: &str) -> Option<&ContactStatus> {
        self.statuses.iter().find(|status| status.code == code)
    }

    /// A role by its id.
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
    #[serde(flatten)]
    record: RecordAttributes,
}

/// Reads a tenant's statuses and roles. 1 request, 1 R per started 4 KB (8 statuses and 5 roles: 2 R).
///
/// # Errors
/// Those of the database.
pub async fn load(table: &CoreTable, scope: &TenantScope) -> Result<Settings, StoreError> {
    let mut settings = Settings::default();
    for item in table.partition(scope, &keys::configuration(scope), "").await? {
        match text(&item, "type") {
            Some(STATUS) => settings.statuses.push(decode_status(item)?),
            Some(ROLE) => settings.roles.push(decode_role(item)?),
            _ => {}
        }
    }
    settings.statuses.sort_by_key(|status| status.order);
    Ok(settings)
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
    })
}

/// Reads a role from its item.
///
/// # Errors
/// [`StoreError::Undecodable`], also for a permission that doesn't exist.
pub fn decode_role(item: Item) -> Result<Role, StoreError> {
    let item: RoleItem = from_item(ROLE, item)?;
    let grants: Result<Vec<Grant>, ()> = item.permissions.iter().map(|permission| permission.parse()).collect();
    Ok(Role {
        id: item.id,
        record: Revisioned::from(item.record),
        code: item.code,
        name: item.name,
        grants: grants.map_err(|()| StoreError::undecodable(ROLE, "unknown permission"))?,
        system: item.system,
    })
}

/// Writes a new status. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_status(table: &CoreTable, scope: &TenantScope, status: &ContactStatus) -> Result<Written, StoreError> {
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
        record: (&status.record).into(),
    };
    table.insert(scope, to_item(STATUS, &form)?).await
}

/// Writes a new role. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_role(table: &CoreTable, scope: &TenantScope, role: &Role) -> Result<Written, StoreError> {
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
        record: (&role.record).into(),
    };
    table.insert(scope, to_item(ROLE, &form)?).await
}
