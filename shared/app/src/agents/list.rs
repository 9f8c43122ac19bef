//! The agents by name.

use std::collections::{HashMap, HashSet};

use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::person::Agent;
use switchboard_domain::presence::PresenceStatus;
use switchboard_store::people::{self, StaffList};
use switchboard_store::{Freshness, Page, TenantScope, presence};

use crate::GivenId;
use crate::error::AppError;
use crate::services::Services;
use crate::teams;
use crate::viewer::Viewer;

/// Entries of the list of names that are looked at in one go when not everybody is meant: less than 1 MB, so that it is one request.
const PART: usize = 2_000;
/// How many such parts are looked at for one page.
const MOST_PARTS: usize = 5;

/// Which agents are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// Those in this team.
    pub team: Option<GivenId<TeamId>>,
    /// Those in one of these statuses; in any when there are none.
    pub presence: Vec<PresenceStatus>,
    /// Those present who accept leads, or don't.
    pub accepting_leads: Option<bool>,
    /// Deleted ones too.
    pub include_deleted: bool,
}

/// Part of the list of agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentPage {
    /// The agents with their places.
    pub entries: Vec<(String, Agent)>,
    /// The place behind which the next page begins, which may lie beyond the last entry; none when there is no more.
    pub next: Option<String>,
}

/// The viewer's agents that a filter means, by name, those behind the place `after`. Whose permission reaches only themselves sees themselves, whose
/// reaches their teams the members of these.
///
/// 1 request for the list of names and 1 for the page of agents; 1 more for a team, 1 for presence or leads, 1 for deleted ones, however many agents the
/// tenant has up to 2,000, and one for every further 2,000 that are looked at. Half an R per started 4 KB of names (about 300 bytes an agent) and of presences,
/// half an R for each agent of the page, 1 R per started 4 KB of members. Up to a second behind.
///
/// A page may be thin when few of the agents looked at are meant, at most 10,000: `next` says where to go on. Who is renamed between two pages may come
/// twice or not at all, nobody else.
///
/// # Errors
/// [`AppError::Forbidden`] without `agent:read`; those of the database.
pub async fn list(services: &Services, viewer: &Viewer, filter: &AgentFilter, after: Option<&str>, first: usize) -> Result<AgentPage, AppError> {
    let scope = viewer.scope(Permission::AgentRead)?;
    let Some(wanted) = Wanted::of(services, viewer, filter, scope).await? else {
        return Ok(AgentPage::default());
    };
    if scope == Scope::Own {
        return oneself(services, viewer, &wanted, after).await;
    }
    // Nobody deleted is in a team: below the whole tenant there are none to see.
    let include_deleted = filter.include_deleted && scope == Scope::All;
    let (names, next) = walk(services, viewer, &wanted, include_deleted, after, first).await?;
    let ids: Vec<AgentId> = names.iter().map(|name| name.agent).collect();
    let mut found: HashMap<AgentId, Agent> = HashMap::with_capacity(ids.len());
    for agent in people::directory(&services.core, &viewer.tenant.scope, &[], &ids, &[], Freshness::Eventual).await?.agents {
        // The record decides: the list of names, and what this process remembers of the viewer's teams, may be behind it.
        if (include_deleted || agent.deleted_at.is_none()) && viewer.reaches_agent(Permission::AgentRead, &agent)? {
            found.insert(agent.id, agent);
        }
    }
    let entries = names.into_iter().filter_map(|name| found.remove(&name.agent).map(|agent| (name.place, agent))).collect();
    Ok(AgentPage { entries, next })
}

/// The viewer's own entry, of which there is one: whatever lies behind it is nothing. 1 request, half an R.
async fn oneself(services: &Services, viewer: &Viewer, wanted: &Wanted, after: Option<&str>) -> Result<AgentPage, AppError> {
    let id = viewer.agent();
    if after.is_some() || !wanted.has(id, false) {
        return Ok(AgentPage::default());
    }
    let found = people::directory(&services.core, &viewer.tenant.scope, &[], &[id], &[], Freshness::Eventual).await?;
    let live = found.agents.into_iter().filter(|agent| agent.deleted_at.is_none());
    Ok(AgentPage { entries: live.map(|agent| (agent.id.to_string(), agent)).collect(), next: None })
}

/// Which agents are wanted, by what was read of teams and presences.
struct Wanted {
    /// Only these.
    among: Option<HashSet<AgentId>>,
    /// Who is present, in which status, and whether they accept leads; none when it doesn't matter.
    present: Option<HashMap<AgentId, (PresenceStatus, bool)>>,
    presence: Vec<PresenceStatus>,
    accepting_leads: Option<bool>,
}

impl Wanted {
    /// None when it can be nobody.
    async fn of(services: &Services, viewer: &Viewer, filter: &AgentFilter, scope: Scope) -> Result<Option<Self>, AppError> {
        let (core, tenant) = (&services.core, &viewer.tenant);
        let mut among = match scope {
            Scope::All => None,
            Scope::Team => Some(viewer.colleagues.iter().copied().chain([viewer.agent()]).collect::<HashSet<_>>()),
            Scope::Own => Some(HashSet::from([viewer.agent()])),
        };
        if let Some(team) = filter.team {
            let Some(team) = team else {
                return Ok(None);
            };
            let members = teams::all_members(services, &tenant.scope, team).await?.into_iter();
            among = Some(members.filter(|member| among.as_ref().is_none_or(|reached| reached.contains(member))).collect());
        }
        if among.as_ref().is_some_and(HashSet::is_empty) {
            return Ok(None);
        }
        let present = if filter.presence.is_empty() && filter.accepting_leads.is_none() {
            None
        } else {
            let (now, timeout) = (services.clock.now(), tenant.record.heartbeat_timeout());
            let entries = presence::entries(core, &tenant.scope).await?;
            Some(entries.into_iter().map(|entry| (entry.agent, (entry.effective(now, timeout), entry.accepting_leads))).collect())
        };
        Ok(Some(Self { among, present, presence: filter.presence.clone(), accepting_leads: filter.accepting_leads }))
    }

    /// Whether every agent is wanted.
    fn is_everybody(&self) -> bool {
        self.among.is_none() && self.present.is_none()
    }

    fn has(&self, agent: AgentId, is_deleted: bool) -> bool {
        if self.among.as_ref().is_some_and(|among| !among.contains(&agent)) {
            return false;
        }
        let Some(present) = &self.present else {
            return true;
        };
        // Who was deleted may be listed as present for a while yet.
        let entry = present.get(&agent).filter(|_| !is_deleted);
        let status = entry.map_or(PresenceStatus::Offline, |(status, _)| *status);
        let accepts = entry.map(|(_, accepts)| *accepts);
        (self.presence.is_empty() || self.presence.contains(&status)) && (self.accepting_leads.is_none() || accepts == self.accepting_leads)
    }
}

/// An agent's entry in the list of names.
struct Name {
    place: String,
    agent: AgentId,
    is_deleted: bool,
}

/// The first of those wanted in the list of names, behind a place, and the place to go on from, if there may be more.
async fn walk(
    services: &Services,
    viewer: &Viewer,
    wanted: &Wanted,
    include_deleted: bool,
    after: Option<&str>,
    first: usize,
) -> Result<(Vec<Name>, Option<String>), AppError> {
    let part = if wanted.is_everybody() { first } else { PART };
    let mut chosen: Vec<Name> = Vec::with_capacity(first);
    let mut next = after.map(str::to_owned);
    for _ in 0..MOST_PARTS {
        let (names, reached) = names(services, &viewer.tenant.scope, include_deleted, next.as_deref(), part).await?;
        for name in names {
            if !wanted.has(name.agent, name.is_deleted) {
                continue;
            }
            if chosen.len() == first {
                let next = chosen.last().map(|name| name.place.clone());
                return Ok((chosen, next));
            }
            chosen.push(name);
        }
        next = reached;
        if next.is_none() || chosen.len() == first {
            break;
        }
    }
    Ok((chosen, next))
}

/// A part of the list of names, deleted agents among the others when asked for; and the place up to which it was read, when there may be more.
async fn names(services: &Services, scope: &TenantScope, include_deleted: bool, after: Option<&str>, limit: usize) -> Result<(Vec<Name>, Option<String>), AppError> {
    let live = people::listed(&services.core, scope, StaffList::Agents, after, limit).await?;
    let deleted = if include_deleted {
        people::listed(&services.core, scope, StaffList::DeletedAgents, after, limit).await?
    } else {
        Page { entries: Vec::new(), has_more: false }
    };
    // Beyond the end of one part, what the other has isn't yet the next in the order.
    let ends = [&live, &deleted].into_iter().filter(|page| page.has_more).filter_map(|page| page.entries.last());
    let reached = ends.map(|(place, _)| place.clone()).min();
    let of = |entries: Vec<(String, String)>, is_deleted: bool| {
        entries.into_iter().filter_map(move |(place, id)| AgentId::parse(&id).map(|agent| Name { place, agent, is_deleted }))
    };
    let mut names: Vec<Name> = of(live.entries, false).chain(of(deleted.entries, true)).collect();
    names.retain(|name| reached.as_ref().is_none_or(|reached| name.place <= *reached));
    names.sort_by(|one, other| one.place.cmp(&other.place));
    // Who is deleted while the lists are read can stand in both of them, at the same place.
    names.dedup_by(|one, other| one.place == other.place);
    Ok((names, reached))
}
