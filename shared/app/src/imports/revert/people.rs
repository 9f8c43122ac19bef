//! Agents and their users brought back: who came with the import leaves the staff directory, others are called again what they were, and leave the teams that it put
//! them into.

use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::audit::{Audited, Changes, Fields, undo, value_of};
use switchboard_domain::change::{Change, MemberChange};
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::person::{Agent, AgentTeam, MembershipRole, User, UserStatus};
use switchboard_domain::team::{Membership, Team};
use switchboard_store::table::Part;
use switchboard_store::{Freshness, people, settings};

use super::history::{Finding, standing};
use super::task::{CHANGED, DELETED, GONE, NOT_ON_RECORD, Outcome, Task};
use crate::audit::revert::{in_the_clear, unreadable};
use crate::bulk;
use crate::error::AppError;
use crate::people::{ATTEMPTS, back_off, busy};
use crate::users::standing::administrators_after;

/// Why somebody stays whose user was changed, such as by signing in.
const USER_CHANGED: &str = "They signed in, or their user was changed, since.";
/// Why somebody stays who can't be disabled.
const LAST_ADMINISTRATOR: &str = "They are the last administrator who can sign in.";

/// Brings an agent back, together with their user and their places in teams, deciding again whenever somebody was faster. 1 request and 2 R; a transaction of 4 W and 2 for
/// index 1, of 4 W and 1 for index 1 a team more, and 1 request and 1 R a team; for what the import changed 1 request for each record and half an R per started
/// 4 KB of their events. For who leaves 2 requests to the user pool, and a job that takes their contacts.
pub(super) async fn bring_back(task: &Task<'_>, id: AgentId) -> Result<Outcome, AppError> {
    let (core, scope) = (&task.services.core, &task.tenant.scope);
    for attempt in 0..ATTEMPTS {
        let found = people::directory(core, scope, &[id.into()], &[id], &[], Freshness::Strong).await?;
        let (Some(user), Some(agent)) = (found.users.into_iter().next(), found.agents.into_iter().next()) else {
            return Ok(Outcome::Kept(GONE));
        };
        let (before, changes) = match standing(task, Agent::ENTITY_TYPE, &id.to_string(), &agent.record).await? {
            Finding::AsImported { before, changes } => (before, changes),
            Finding::BroughtBack(piece) => {
                let outcome = task.brought_back(piece, task.undoing.made(&agent.record));
                // Whoever wrote it may have died before the rest followed.
                if task.redelivered && outcome == Outcome::Removed {
                    let_go(task, &agent).await?;
                }
                return Ok(outcome);
            }
            Finding::NotYet => return Ok(Outcome::NotYet),
            Finding::ChangedSince => return Ok(Outcome::Kept(if agent.deleted_at.is_some() { DELETED } else { CHANGED })),
            Finding::NotOnRecord => return Ok(Outcome::Kept(NOT_ON_RECORD)),
        };
        let of_user = standing(task, User::ENTITY_TYPE, &user.id.to_string(), &user.record).await?;
        let then = if before == 0 {
            match of_user {
                Finding::AsImported { before: 0, .. } => taken_out(task, &user, &agent),
                Finding::NotYet => return Ok(Outcome::NotYet),
                _ => return Ok(Outcome::Kept(USER_CHANGED)),
            }
        } else {
            let agent_then = agent_before(task, &agent, before, changes)?;
            match of_user {
                Finding::AsImported { before, changes } if before > 0 => Then { user: Some(user_before(task, &user, before, changes)?), agent: agent_then },
                Finding::NotYet => return Ok(Outcome::NotYet),
                // The name is the user's too.
                _ if agent_then.name != agent.name => return Ok(Outcome::Kept(USER_CHANGED)),
                _ => Then { user: None, agent: agent_then },
            }
        };
        let mut parts = vec![people::replace_agent(scope, &then.agent, agent.record.revision)?];
        if let Some(after) = &then.user {
            let settings = settings::load(core, scope).await?;
            match administrators_after(task.services, task.tenant, &settings, (&user, after), "id").await? {
                Ok(administrators) => parts.extend(administrators),
                Err(_) => return Ok(Outcome::Kept(LAST_ADMINISTRATOR)),
            }
            parts.push(people::replace_user(scope, after, user.record.revision)?);
        }
        parts.extend(places(task, &agent, &then.agent).await?);
        if core.commit(scope, parts).await? {
            task.has_written();
            if before == 0 {
                let_go(task, &then.agent).await?;
            }
            return Ok(task.brought_back(task.piece, before == 0));
        }
        back_off(task.services, attempt).await;
    }
    Err(busy())
}

/// Somebody as they are to be; without a user that stays as it is.
struct Then {
    user: Option<User>,
    agent: Agent,
}

/// Who leaves: deleted and disabled at the same moment, as a deletion does it, so that restoring them enables them.
fn taken_out(task: &Task<'_>, user: &User, agent: &Agent) -> Then {
    let deleted = task.change("agent.deleted").because(super::REASON);
    let disabled = Change { action: "user.disabled".to_owned(), ..deleted.clone() };
    let at = Some(deleted.at);
    Then {
        user: Some(User { status: UserStatus::Disabled, signed_out_at: at, record: user.record.changed(disabled), ..user.clone() }),
        agent: Agent { teams: Vec::new(), deleted_at: at, record: agent.record.changed(deleted), ..agent.clone() },
    }
}

/// What a record said before these changes, the newest first.
fn fields_before(record: &impl Audited, changes: Vec<(u32, Changes)>) -> Result<Fields, AppError> {
    let mut fields = record.audit_fields();
    for (version, changes) in changes {
        undo(&mut fields, in_the_clear(version, changes)?);
    }
    Ok(fields)
}

/// The agent as they were. An import takes nobody out of a team, so all places that they had are there.
fn agent_before(task: &Task<'_>, agent: &Agent, before: u32, changes: Vec<(u32, Changes)>) -> Result<Agent, AppError> {
    let fields = fields_before(agent, changes)?;
    let mut teams = Vec::with_capacity(agent.teams.len());
    for place in &agent.teams {
        if let Some(role) = value_of::<MembershipRole>(&fields, &format!("teams.{}", place.team)).ok_or_else(unreadable)? {
            teams.push(AgentTeam { role, ..place.clone() });
        }
    }
    let change = task.change("agent.reverted").because(format!("to version {before}"));
    Ok(Agent {
        name: value_of(&fields, "name").flatten().ok_or_else(unreadable)?,
        employee_id: value_of(&fields, "employeeId").ok_or_else(unreadable)?,
        time_zone: value_of(&fields, "timeZone").ok_or_else(unreadable)?,
        teams,
        record: agent.record.changed(change),
        ..agent.clone()
    })
}

/// The user as they were called.
fn user_before(task: &Task<'_>, user: &User, before: u32, changes: Vec<(u32, Changes)>) -> Result<User, AppError> {
    let fields = fields_before(user, changes)?;
    let change = task.change("user.reverted").because(format!("to version {before}"));
    Ok(User { name: value_of(&fields, "name").flatten().ok_or_else(unreadable)?, record: user.record.changed(change), ..user.clone() })
}

/// The parts by which an agent's places in teams become those that they are to have; they don't hold when one of the teams changed meanwhile. 1 request and 1 R each.
async fn places(task: &Task<'_>, now: &Agent, then: &Agent) -> Result<Vec<Part>, AppError> {
    let (core, scope) = (&task.services.core, &task.tenant.scope);
    let other: Vec<&AgentTeam> = now.teams.iter().filter(|place| then.role_in(place.team) != Some(place.role)).collect();
    if other.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<TeamId> = other.iter().map(|place| place.team).collect();
    let teams = people::directory(core, scope, &[], &[], &ids, Freshness::Strong).await?.teams;
    let mut parts = Vec::with_capacity(2 * other.len());
    for place in other {
        let team = teams.iter().find(|team| team.id == place.team).ok_or_else(|| AppError::Broken("an agent is in a team that never was".to_owned()))?;
        let after = then.role_in(place.team);
        let (action, member_count) = match after {
            None => ("team.member_removed", team.member_count.saturating_sub(1)),
            Some(_) => ("team.member_changed", team.member_count),
        };
        let member = MemberChange { agent: now.id, before: Some(place.role), after };
        let record = team.record.changed(task.change(action).about_member(member));
        parts.push(people::replace_team(scope, &Team { member_count, record, ..team.clone() }, team.record.revision)?);
        parts.push(match after {
            None => people::delete_membership(scope, team.id, now.id),
            Some(role) => people::change_membership(scope, &Membership { team: team.id, agent: now.id, role, assigned_at: place.assigned_at }),
        });
    }
    Ok(parts)
}

/// What follows when somebody left: their identity lets them in no more, and a job takes their contacts into the tenant's pool. Done again it changes nothing more.
async fn let_go(task: &Task<'_>, agent: &Agent) -> Result<(), AppError> {
    let (services, tenant, id) = (task.services, task.tenant, agent.id);
    let broken = |error: &dyn std::fmt::Display| AppError::Broken(error.to_string());
    let email = tenant.keyring.open_for_tenant(STAFF_EMAIL, &id.to_string(), &agent.sealed_email).map_err(|error| broken(&error))?;
    let email = String::from_utf8(email).map_err(|error| broken(&error))?;
    services.identities.disable(&email).await?;
    services.identities.sign_out(&email).await?;
    let user = people::user(&services.core, &tenant.scope, id.into()).await?;
    if user.is_none_or(|user| user.status != UserStatus::Disabled) {
        // Somebody restored them meanwhile.
        return Ok(services.identities.enable(&email).await?);
    }
    bulk::start_return(services, tenant, task.undoing.origin(task.piece), id, None, None).await?;
    Ok(())
}
