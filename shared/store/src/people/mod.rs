//! Users, agents and teams.

use serde::{Deserialize, Serialize};
use switchboard_domain::ids::{AgentId, RoleId, TeamId, UserId};
use switchboard_domain::person::{Agent, User, UserStatus};
use switchboard_domain::team::Team;

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Freshness, Written};

/// The type of a user's item.
pub const USER: &str = "user";
/// The type of an agent's item.
pub const AGENT: &str = "agent";
/// The type of a team's item.
pub const TEAM: &str = "team";

#[derive(Serialize, Deserialize)]
struct UserItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: UserId,
    subject: String,
    name: String,
    #[serde(with = "switchboard_domain::audit::bytes")]
    email: Vec<u8>,
    status: UserStatus,
    roles: Vec<RoleId>,
    #[serde(flatten)]
    record: RecordAttributes,
}

#[derive(Serialize, Deserialize)]
struct AgentItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: AgentId,
    name: String,
    #[serde(with = "switchboard_domain::audit::bytes")]
    email: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    employee_id: Option<String>,
    #[serde(flatten)]
    record: RecordAttributes,
}

#[derive(Serialize, Deserialize)]
struct TeamItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: TeamId,
    name: String,
    #[serde(flatten)]
    record: RecordAttributes,
}

/// Reads a user from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_user(item: Item) -> Result<User, StoreError> {
    let item: UserItem = from_item(USER, item)?;
    Ok(User { id: item.id, record: item.record.into(), subject: item.subject, name: item.name, sealed_email: item.email, status: item.status, roles: item.roles })
}

/// Reads an agent from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_agent(item: Item) -> Result<Agent, StoreError> {
    let item: AgentItem = from_item(AGENT, item)?;
    Ok(Agent { id: item.id, record: item.record.into(), name: item.name, sealed_email: item.email, employee_id: item.employee_id })
}

/// Reads a team from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_team(item: Item) -> Result<Team, StoreError> {
    let item: TeamItem = from_item(TEAM, item)?;
    Ok(Team { id: item.id, record: item.record.into(), name: item.name })
}

/// Reads a user. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn user(table: &CoreTable, scope: &TenantScope, id: UserId) -> Result<Option<User>, StoreError> {
    table.get(scope, &keys::user(scope, id)).await?.map(decode_user).transpose()
}

/// Users, agents and teams read in one go.
#[derive(Debug, Default)]
pub struct Directory {
    /// The users asked for.
    pub users: Vec<User>,
    /// The agents asked for.
    pub agents: Vec<Agent>,
    /// The teams asked for.
    pub teams: Vec<Team>,
}

/// Reads users, agents and teams by their ids; absent ones are left out. 1 request per 100; 1 R each, half of one when
/// eventual.
///
/// # Errors
/// Those of the database.
pub async fn directory(
    table: &CoreTable,
    scope: &TenantScope,
    users: &[UserId],
    agents: &[AgentId],
    teams: &[TeamId],
    freshness: Freshness,
) -> Result<Directory, StoreError> {
    let keys: Vec<keys::Key> = users
        .iter()
        .map(|id| keys::user(scope, *id))
        .chain(agents.iter().map(|id| keys::agent(scope, *id)))
        .chain(teams.iter().map(|id| keys::team(scope, *id)))
        .collect();
    let mut directory = Directory::default();
    for item in table.batch_get(scope, &keys, freshness).await? {
        match text(&item, "type") {
            Some(USER) => directory.users.push(decode_user(item)?),
            Some(AGENT) => directory.agents.push(decode_agent(item)?),
            Some(TEAM) => directory.teams.push(decode_team(item)?),
            other => return Err(StoreError::undecodable("directory", format!("type {other:?}"))),
        }
    }
    Ok(directory)
}

/// Writes a new user. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_user(table: &CoreTable, scope: &TenantScope, user: &User) -> Result<Written, StoreError> {
    let key = keys::user(scope, user.id);
    let form = UserItem {
        pk: key.pk,
        sk: key.sk,
        kind: USER.to_owned(),
        id: user.id,
        subject: user.subject.clone(),
        name: user.name.clone(),
        email: user.sealed_email.clone(),
        status: user.status,
        roles: user.roles.clone(),
        record: (&user.record).into(),
    };
    table.insert(scope, to_item(USER, &form)?).await
}

/// Writes a new agent. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_agent(table: &CoreTable, scope: &TenantScope, agent: &Agent) -> Result<Written, StoreError> {
    let key = keys::agent(scope, agent.id);
    let form = AgentItem {
        pk: key.pk,
        sk: key.sk,
        kind: AGENT.to_owned(),
        id: agent.id,
        name: agent.name.clone(),
        email: agent.sealed_email.clone(),
        employee_id: agent.employee_id.clone(),
        record: (&agent.record).into(),
    };
    table.insert(scope, to_item(AGENT, &form)?).await
}

/// Writes a new team. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_team(table: &CoreTable, scope: &TenantScope, team: &Team) -> Result<Written, StoreError> {
    let key = keys::team(scope, team.id);
    let form = TeamItem { pk: key.pk, sk: key.sk, kind: TEAM.to_owned(), id: team.id, name: team.name.clone(), record: (&team.record).into() };
    table.insert(scope, to_item(TEAM, &form)?).await
}
