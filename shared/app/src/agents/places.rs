//! Teams that an agent enters or leaves together with another change of the agent: each with a version more, and an event of its own.

use jiff::Timestamp;
use switchboard_domain::change::{Change, MemberChange, Origin};
use switchboard_domain::ids::AgentId;
use switchboard_domain::person::{AgentTeam, MembershipRole};
use switchboard_domain::team::{Membership, Team};
use switchboard_store::table::Part;
use switchboard_store::{StoreError, TenantScope, people};

/// The parts of a transaction by which a new agent comes into teams, as these places in the agent's record say; they don't hold when one of the teams
/// changed meanwhile. 4 W and 1 for index 1 each.
///
/// # Errors
/// [`StoreError::Undecodable`] when a team can't be an item.
pub(crate) fn entered(scope: &TenantScope, teams: &[Team], agent: AgentId, places: &[AgentTeam], at: Timestamp, origin: &Origin) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::with_capacity(2 * teams.len());
    for (team, place) in teams.iter().zip(places) {
        let member = MemberChange { agent, before: None, after: Some(place.role) };
        let count = team.member_count.saturating_add(1);
        parts.push(people::replace_team(scope, &changed(team, count, "team.member_added", member, at, origin), team.record.revision)?);
        parts.push(people::insert_membership(scope, &Membership { team: team.id, agent, role: place.role, assigned_at: place.assigned_at })?);
    }
    Ok(parts)
}

/// The parts by which an agent who was that in them leaves teams, deleted ones too; they don't hold when one of the teams changed meanwhile. 4 W and 1
/// for index 1 each.
///
/// # Errors
/// [`StoreError::Undecodable`] when a team can't be an item.
pub(super) fn left(scope: &TenantScope, teams: &[(Team, MembershipRole)], agent: AgentId, at: Timestamp, origin: &Origin) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::with_capacity(2 * teams.len());
    for (team, role) in teams {
        let member = MemberChange { agent, before: Some(*role), after: None };
        let count = team.member_count.saturating_sub(1);
        parts.push(people::replace_team(scope, &changed(team, count, "team.member_removed", member, at, origin), team.record.revision)?);
        parts.push(people::delete_membership(scope, team.id, agent));
    }
    Ok(parts)
}

fn changed(team: &Team, member_count: u32, action: &str, member: MemberChange, at: Timestamp, origin: &Origin) -> Team {
    let change = Change::new(action, at, origin.clone()).about_member(member);
    Team { member_count, record: team.record.changed(change), ..team.clone() }
}
