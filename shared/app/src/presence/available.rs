//! Who can be given work now.

use std::collections::{HashMap, HashSet};

use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::person::{Agent, UserStatus};
use switchboard_domain::presence::PresenceStatus;
use switchboard_store::{Freshness, people, presence};

use crate::GivenId;
use crate::error::AppError;
use crate::services::Services;
use crate::teams;
use crate::viewer::Viewer;

/// Agents that are read in one go, each with the user they sign in as: one request.
const AT_ONCE: usize = 50;
/// How often agents are read because of those who turned out to be deleted or disabled.
const MOST_READS: usize = 3;

/// The agents who are available, take leads and aren't silent, in a team if one is given; the longest idle first, and at most `first` of them. 1 request for
/// the list of who is present and 1 for the agents, however many there are; 1 more for a team of up to 2,000. Half an R per started 4 KB of the list (about
/// 300 bytes an agent present), 1 R for each agent and per started 4 KB of members (about 250 bytes each). Up to a second behind: who hands out work by it
/// looks again when it is given.
///
/// Deleted agents and those whose user is disabled are left out, and then, when too few are left, others are read in their place, at most two requests more:
/// they are among those present for no longer than the timeout after they were last heard of.
///
/// # Errors
/// [`AppError::Forbidden`] without `presence:read` at least in the scope of one's teams; those of the database. A team outside the scope has nobody, like
/// one that doesn't exist.
pub async fn available(services: &Services, viewer: &Viewer, team: Option<GivenId<TeamId>>, first: usize) -> Result<Vec<Agent>, AppError> {
    let (core, tenant) = (&services.core, &viewer.tenant);
    let scope = viewer.scope(Permission::PresenceRead)?;
    if scope == Scope::Own {
        return Err(AppError::Forbidden);
    }
    let members = match team {
        None => None,
        Some(Some(team)) if viewer.reaches_team(Permission::PresenceRead, team)? => {
            Some(teams::all_members(services, &tenant.scope, team).await?.into_iter().collect::<HashSet<_>>())
        }
        Some(_) => return Ok(Vec::new()),
    };
    let is_within = |agent: &AgentId| scope == Scope::All || *agent == viewer.agent() || viewer.colleagues.contains(agent);
    let is_member = |agent: &AgentId| members.as_ref().is_none_or(|members| members.contains(agent));
    let (now, timeout) = (services.clock.now(), tenant.record.heartbeat_timeout());
    let mut idle = presence::entries(core, &tenant.scope).await?;
    idle.retain(|entry| {
        let is_idle = entry.accepting_leads && entry.effective(now, timeout) == PresenceStatus::Available;
        is_idle && is_within(&entry.agent) && is_member(&entry.agent)
    });
    idle.sort_by_key(|entry| (entry.since, entry.agent));
    let mut candidates = idle.into_iter().map(|entry| entry.agent);
    let mut available = Vec::with_capacity(first);
    for _ in 0..MOST_READS {
        let ids: Vec<AgentId> = candidates.by_ref().take((first - available.len()).min(AT_ONCE)).collect();
        if ids.is_empty() {
            break;
        }
        let users: Vec<UserId> = ids.iter().map(|id| (*id).into()).collect();
        let found = people::directory(core, &tenant.scope, &users, &ids, &[], Freshness::Eventual).await?;
        let disabled: HashSet<AgentId> = found.users.iter().filter(|user| user.status == UserStatus::Disabled).map(|user| user.id.into()).collect();
        let is_there = |agent: &Agent| agent.deleted_at.is_none() && !disabled.contains(&agent.id);
        let mut agents: HashMap<AgentId, Agent> = found.agents.into_iter().filter(is_there).map(|agent| (agent.id, agent)).collect();
        for agent in ids.iter().filter_map(|id| agents.remove(id)) {
            // The record decides: what this process remembers of the viewer's teams may be behind it.
            if viewer.reaches_agent(Permission::PresenceRead, &agent)? {
                available.push(agent);
            }
        }
        if available.len() >= first {
            break;
        }
    }
    Ok(available)
}
