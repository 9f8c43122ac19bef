//! Agents: the staff directory.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::AgentId;
use switchboard_domain::person::{Agent, AgentTeam};

use super::lists::{StaffList, place};
use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Part};

/// The type of an agent's item.
pub const AGENT: &str = "agent";

#[derive(Serialize, Deserialize)]
struct AgentItem {
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
    id: AgentId,
    name: String,
    #[serde(with = "switchboard_domain::audit::bytes")]
    email: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    employee_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    teams: Vec<AgentTeam>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    deleted_at: Option<Timestamp>,
    #[serde(flatten)]
    record: RecordAttributes,
}

fn encode(scope: &TenantScope, agent: &Agent) -> Result<Item, StoreError> {
    let key = keys::agent(scope, agent.id);
    let list = if agent.deleted_at.is_none() { StaffList::Agents } else { StaffList::DeletedAgents };
    let form = AgentItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: list.partition(scope),
        list_sk: place(&agent.name, agent.id),
        kind: AGENT.to_owned(),
        id: agent.id,
        name: agent.name.clone(),
        email: agent.sealed_email.clone(),
        employee_id: agent.employee_id.clone(),
        time_zone: agent.time_zone.clone(),
        teams: agent.teams.clone(),
        deleted_at: agent.deleted_at,
        record: (&agent.record).into(),
    };
    to_item(AGENT, &form)
}

/// Reads an agent from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_agent(item: Item) -> Result<Agent, StoreError> {
    let item: AgentItem = from_item(AGENT, item)?;
    Ok(Agent {
        id: item.id,
        record: item.record.into(),
        name: item.name,
        sealed_email: item.email,
        employee_id: item.employee_id,
        time_zone: item.time_zone,
        teams: item.teams,
        deleted_at: item.deleted_at,
    })
}

/// Reads an agent, deleted or not. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn agent(table: &CoreTable, scope: &TenantScope, id: AgentId) -> Result<Option<Agent>, StoreError> {
    table.get(scope, &keys::agent(scope, id)).await?.map(decode_agent).transpose()
}

/// The part that writes a new agent. 1 W and 1 for index 1, in a transaction 2 and 1.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be an item.
pub fn insert_agent(scope: &TenantScope, agent: &Agent) -> Result<Part, StoreError> {
    Ok(Part::Insert { item: encode(scope, agent)?, expired_before: None })
}

/// The part that writes an agent over the one of this revision. 1 W and 1 for index 1 (2 with another name, or when deleted), in a transaction 2 and those.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be an item.
pub fn replace_agent(scope: &TenantScope, agent: &Agent, revision: u32) -> Result<Part, StoreError> {
    Ok(Part::Replace { item: encode(scope, agent)?, revision })
}
