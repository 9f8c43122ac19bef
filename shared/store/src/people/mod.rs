//! Users, agents and teams, the lists they stand in, and what finds them.

mod agents;
mod lists;
mod memberships;
mod teams;
mod users;

pub use agents::{AGENT, agent, decode_agent, insert_agent, replace_agent};
pub use lists::{StaffList, listed};
pub use memberships::{MEMBERSHIP, change_membership, delete_membership, insert_membership, members, membership};
pub use teams::{TEAM, TEAM_NAME, claim_team_name, decode_team, insert_team, release_team_name, replace_team, team, team_by_name};
pub use users::{
    ADMINISTRATORS, Administrators, STAFF_EMAIL, USER, administrators, check_user, claim_email, decode_user, insert_user, replace_user, user, user_by_email,
    users_by_email, write_administrators,
};

use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_domain::person::{Agent, User};
use switchboard_domain::team::Team;

use crate::error::StoreError;
use crate::item::text;
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Freshness};

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

/// Reads users, agents and teams by their ids, deleted ones too; absent ones are left out. 1 request per 100; 1 R each, half of one when eventual.
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
