//! Putting agents into teams, saying what they are in them, and taking them out. Each is one transaction over the membership, the team and the agent,
//! with an event of its own for team and agent.

use jiff::Timestamp;
use switchboard_domain::change::{Change, MemberChange, Origin};
use switchboard_domain::clock::to_millisecond;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{Agent, AgentTeam, MAX_TEAMS, MembershipRole};
use switchboard_domain::team::{Membership, Team};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, StoreError, TenantScope, people};

use super::reached;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// How often a change is decided anew because others were faster: twice as often as elsewhere, because many who are put into one team at the same
/// moment all meet at its record.
const ATTEMPTS: usize = 2 * crate::people::ATTEMPTS;

/// An agent's place in a team, as it is to be.
#[derive(Debug, Clone, Copy)]
pub struct PlaceMember {
    /// The team.
    pub team: GivenId<TeamId>,
    /// The agent.
    pub agent: GivenId<AgentId>,
    /// What they are to be in it.
    pub role: MembershipRole,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedMember {
    /// The agent's place in the team.
    pub membership: Membership,
    /// The team.
    pub team: Team,
    /// Whether anything was changed; not when the agent was that in the team already.
    pub changed: bool,
}

/// An agent who is to be taken out of a team.
#[derive(Debug, Clone, Copy)]
pub struct RemoveMember {
    /// The team.
    pub team: GivenId<TeamId>,
    /// The agent.
    pub agent: GivenId<AgentId>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedMember {
    /// The team without them.
    pub team: Team,
    /// The agent without the team.
    pub agent: Agent,
}

/// What became of a membership that was to end with its team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the members of a team that is there again must be left in it"]
pub enum Ending {
    /// It is over.
    Over,
    /// Nothing, because the team isn't deleted: somebody restored it, and who is in it since was put there anew.
    TeamIsThere,
}

/// Puts an agent into a team, or gives a member another role; nothing is written when they have that role in it. 2 requests: 2 R, and a transaction of
/// 6 W and 2 for index 1; again as much each time another change of the team or the agent was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `team:manage_members`, [`AppError::NotFound`] also for a deleted team and for one outside the viewer's scope; those of
/// the database. What a person can mend is in the inner result: `NOT_FOUND` also for a deleted agent, `LIMIT_EXCEEDED` for one in [`MAX_TEAMS`] teams.
pub async fn add_member(services: &Services, viewer: &Viewer, request: PlaceMember) -> Result<Result<PlacedMember, Vec<UserError>>, AppError> {
    place(services, viewer, request, Newcomers::Join).await
}

/// Gives a member of a team another role, as [`add_member`] does.
///
/// # Errors
/// As [`add_member`]; `NOT_FOUND` when the agent isn't in the team.
pub async fn update_member(services: &Services, viewer: &Viewer, request: PlaceMember) -> Result<Result<PlacedMember, Vec<UserError>>, AppError> {
    place(services, viewer, request, Newcomers::AreNotFound).await
}

/// What becomes of an agent who isn't in the team yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Newcomers {
    Join,
    AreNotFound,
}

async fn place(services: &Services, viewer: &Viewer, request: PlaceMember, newcomers: Newcomers) -> Result<Result<PlacedMember, Vec<UserError>>, AppError> {
    let id = reached(viewer, Permission::TeamManageMembers, request.team)?;
    let (tenant, role) = (&viewer.tenant, request.role);
    let (now, origin) = (services.clock.now(), viewer.origin());
    for attempt in 0..ATTEMPTS {
        let (team, agent) = read(services, tenant, id, request.agent).await?;
        let team = team.filter(|team| team.deleted_at.is_none()).ok_or(AppError::NotFound)?;
        let agent = agent.filter(|agent| agent.deleted_at.is_none());
        let before = agent.as_ref().and_then(|agent| agent.teams.iter().find(|place| place.team == id));
        let (agent, after) = match (&agent, before, newcomers) {
            (Some(agent), Some(before), _) if before.role == role => {
                return Ok(Ok(PlacedMember { membership: membership(agent.id, before), team, changed: false }));
            }
            (Some(agent), Some(before), _) => (agent, AgentTeam { role, ..before.clone() }),
            (_, None, Newcomers::AreNotFound) => return Ok(Err(vec![no_member()])),
            (Some(agent), None, Newcomers::Join) if agent.teams.len() >= MAX_TEAMS => return Ok(Err(vec![in_too_many()])),
            (Some(agent), None, Newcomers::Join) => (agent, AgentTeam { team: id, role, assigned_at: to_millisecond(now) }),
            (None, _, _) => return Ok(Err(vec![no_agent()])),
        };
        let membership = membership(agent.id, &after);
        let moved = Moved::of(&team, agent, Some(after), now, &origin);
        if moved.write(services, &tenant.scope, &team, agent).await? {
            return Ok(Ok(PlacedMember { membership, team: moved.team, changed: true }));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// Takes an agent out of a team. 2 requests: 2 R, and a transaction of 6 W and 2 for index 1; again as much each time another change of the team or the
/// agent was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `team:manage_members`, [`AppError::NotFound`] also for a deleted team and for one outside the viewer's scope; those of
/// the database. What a person can mend is in the inner result: `NOT_FOUND` when the agent isn't in the team.
pub async fn remove_member(services: &Services, viewer: &Viewer, request: RemoveMember) -> Result<Result<RemovedMember, Vec<UserError>>, AppError> {
    let id = reached(viewer, Permission::TeamManageMembers, request.team)?;
    let tenant = &viewer.tenant;
    let (now, origin) = (services.clock.now(), viewer.origin());
    for attempt in 0..ATTEMPTS {
        let (team, agent) = read(services, tenant, id, request.agent).await?;
        let team = team.filter(|team| team.deleted_at.is_none()).ok_or(AppError::NotFound)?;
        let Some(agent) = agent.filter(|agent| agent.role_in(id).is_some()) else {
            return Ok(Err(vec![no_member()]));
        };
        let moved = Moved::of(&team, &agent, None, now, &origin);
        if moved.write(services, &tenant.scope, &team, &agent).await? {
            return Ok(Ok(RemovedMember { team: moved.team, agent: moved.agent }));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// Ends an agent's membership in a deleted team; done again it finds nothing to do. 2 requests: 2 R, and a transaction of 6 W and 2 for index 1; again as
/// much each time another change of the team or the agent was faster. When it is over already 2 requests and 3 R.
///
/// # Errors
/// Those of the database; [`AppError::Broken`] when there is no such team, and when the membership isn't in the agent's record, as it must be.
pub async fn end_membership(services: &Services, tenant: &OpenTenant, origin: Origin, team: TeamId, agent: AgentId) -> Result<Ending, AppError> {
    let now = services.clock.now();
    let mut is_torn = false;
    for attempt in 0..ATTEMPTS {
        let (found, member) = read(services, tenant, team, Some(agent)).await?;
        let found = found.ok_or_else(|| AppError::Broken("a membership is to end in a team that never was".to_owned()))?;
        if found.deleted_at.is_none() {
            return Ok(Ending::TeamIsThere);
        }
        let Some(member) = member.filter(|member| member.role_in(team).is_some()) else {
            if people::membership(&services.core, &tenant.scope, team, agent).await?.is_none() {
                return Ok(Ending::Over);
            }
            // Either the team was restored between the reads, and they joined it again, or the two don't agree, which looking again doesn't mend.
            is_torn = true;
            back_off(services, attempt).await;
            continue;
        };
        is_torn = false;
        let moved = Moved::of(&found, &member, None, now, &origin);
        if moved.write(services, &tenant.scope, &found, &member).await? {
            return Ok(Ending::Over);
        }
        back_off(services, attempt).await;
    }
    Err(if is_torn { AppError::Broken("a membership isn't in the agent's record".to_owned()) } else { busy() })
}

/// A team and an agent as they are now, deleted ones too. 1 request, 1 R each.
async fn read(services: &Services, tenant: &OpenTenant, team: TeamId, agent: GivenId<AgentId>) -> Result<(Option<Team>, Option<Agent>), AppError> {
    let agents: Vec<AgentId> = agent.into_iter().collect();
    let found = people::directory(&services.core, &tenant.scope, &[], &agents, &[team], Freshness::Strong).await?;
    Ok((found.teams.into_iter().next(), found.agents.into_iter().next()))
}

/// A team and an agent after the agent's place in it changed: each with a version more, and an event of its own.
struct Moved {
    team: Team,
    agent: Agent,
    before: Option<MembershipRole>,
    after: Option<Membership>,
}

impl Moved {
    /// The agent comes to this place in the team; without one they leave it.
    fn of(team: &Team, agent: &Agent, after: Option<AgentTeam>, at: Timestamp, origin: &Origin) -> Self {
        let before = agent.role_in(team.id);
        let (of_team, of_agent) = match (before, &after) {
            (None, _) => ("team.member_added", "agent.team_joined"),
            (Some(_), Some(_)) => ("team.member_changed", "agent.team_role_changed"),
            (Some(_), None) => ("team.member_removed", "agent.team_left"),
        };
        let member_count = match (before, &after) {
            (None, Some(_)) => team.member_count.saturating_add(1),
            (Some(_), None) => team.member_count.saturating_sub(1),
            (Some(_), Some(_)) | (None, None) => team.member_count,
        };
        let member = MemberChange { agent: agent.id, before, after: after.as_ref().map(|place| place.role) };
        let of_team = Change::new(of_team, at, origin.clone()).about_member(member);
        let of_agent = Change::new(of_agent, at, origin.clone());
        let mut teams = agent.teams.clone();
        match (teams.iter().position(|place| place.team == team.id), &after) {
            (Some(index), Some(after)) => teams[index] = after.clone(),
            (None, Some(after)) => teams.push(after.clone()),
            (_, None) => teams.retain(|place| place.team != team.id),
        }
        Self {
            team: Team { member_count, record: team.record.changed(of_team), ..team.clone() },
            agent: Agent { teams, record: agent.record.changed(of_agent), ..agent.clone() },
            before,
            after: after.map(|place| membership(agent.id, &place)),
        }
    }

    /// Writes it over the two as they were; false when one of them changed meanwhile. 1 request, 6 W and 2 for index 1.
    async fn write(&self, services: &Services, scope: &TenantScope, team: &Team, agent: &Agent) -> Result<bool, StoreError> {
        let membership = match (self.before, &self.after) {
            (None, Some(membership)) => people::insert_membership(scope, membership)?,
            (Some(_), Some(membership)) => people::change_membership(scope, membership),
            (_, None) => people::delete_membership(scope, team.id, agent.id),
        };
        let team = people::replace_team(scope, &self.team, team.record.revision)?;
        let agent = people::replace_agent(scope, &self.agent, agent.record.revision)?;
        services.core.commit(scope, vec![membership, team, agent]).await
    }
}

fn membership(agent: AgentId, place: &AgentTeam) -> Membership {
    Membership { team: place.team, agent, role: place.role, assigned_at: place.assigned_at }
}

fn no_agent() -> UserError {
    UserError::new("agentId", FieldErrorCode::NotFound, "There is no such agent. Take an id from the staff directory.")
}

fn no_member() -> UserError {
    UserError::new("agentId", FieldErrorCode::NotFound, "There is no such member of this team. Take an id from its members.")
}

fn in_too_many() -> UserError {
    let message = format!("This agent is in {MAX_TEAMS} teams already, and no more are allowed. Take them out of another one first.");
    UserError::new("agentId", FieldErrorCode::LimitExceeded, message)
}
