//! Who is in a team: an item each beside the team. The agent's own record names the teams once more, and both change in one transaction.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::person::MembershipRole;
use switchboard_domain::team::Membership;

use crate::error::StoreError;
use crate::item::{Item, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{Change, CoreTable, Order, Page, Part};

/// The type of a membership's item.
pub const MEMBERSHIP: &str = "membership";

#[derive(Serialize, Deserialize)]
struct MembershipItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "of_team")]
    team: TeamId,
    agent: AgentId,
    role: MembershipRole,
    #[serde(with = "switchboard_domain::clock::millis")]
    assigned_at: Timestamp,
}

fn decode(item: Item) -> Result<Membership, StoreError> {
    let item: MembershipItem = from_item(MEMBERSHIP, item)?;
    Ok(Membership { team: item.team, agent: item.agent, role: item.role, assigned_at: item.assigned_at })
}

/// Reads an agent's place in a team. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn membership(table: &CoreTable, scope: &TenantScope, team: TeamId, agent: AgentId) -> Result<Option<Membership>, StoreError> {
    table.get(scope, &keys::membership(scope, team, agent)).await?.map(decode).transpose()
}

/// Lists the members of a team by their ids, those after `after`, strongly consistent. 1 request, 1 R per started 4 KB (about 250 bytes a member).
///
/// # Errors
/// Those of the database.
pub async fn members(table: &CoreTable, scope: &TenantScope, team: TeamId, after: Option<AgentId>, limit: usize) -> Result<Page<Membership>, StoreError> {
    let after = after.map(|agent| keys::membership(scope, team, agent).sk);
    let page = table.range(scope, &keys::team_partition(scope, team), keys::MEMBERS, after.as_deref(), limit, Order::Ascending).await?;
    let entries = page.entries.into_iter().map(decode).collect::<Result<_, _>>()?;
    Ok(Page { entries, has_more: page.has_more })
}

/// The part of a transaction that puts an agent into a team; it doesn't hold when they are in it. 2 W.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be an item.
pub fn insert_membership(scope: &TenantScope, membership: &Membership) -> Result<Part, StoreError> {
    let key = keys::membership(scope, membership.team, membership.agent);
    let form = MembershipItem {
        pk: key.pk,
        sk: key.sk,
        kind: MEMBERSHIP.to_owned(),
        team: membership.team,
        agent: membership.agent,
        role: membership.role,
        assigned_at: membership.assigned_at,
    };
    Ok(Part::Insert { item: to_item(MEMBERSHIP, &form)?, expired_before: None })
}

/// The part of a transaction that gives a member another role; it doesn't hold when they aren't in the team. 2 W.
#[must_use]
pub fn change_membership(scope: &TenantScope, membership: &Membership) -> Part {
    let role = match membership.role {
        MembershipRole::Agent => "AGENT",
        MembershipRole::TeamLead => "TEAM_LEAD",
        MembershipRole::Supervisor => "SUPERVISOR",
    };
    Part::Change(Change {
        key: keys::membership(scope, membership.team, membership.agent),
        update: "SET #role = :role".to_owned(),
        condition: "attribute_exists(PK)".to_owned(),
        names: vec![("#role", "role")],
        values: vec![(":role", AttributeValue::S(role.to_owned()))],
    })
}

/// The part of a transaction that takes an agent out of a team; it doesn't hold when they aren't in it. 2 W.
#[must_use]
pub fn delete_membership(scope: &TenantScope, team: TeamId, agent: AgentId) -> Part {
    Part::Delete { key: keys::membership(scope, team, agent), condition: "attribute_exists(PK)".to_owned(), values: Vec::new() }
}
