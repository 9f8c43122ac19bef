//! Lists of contacts by score and in the order in which they are called.

use std::collections::BTreeSet;

use switchboard_domain::contact::{Contact, ContactFilter, Owners};
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::status;
use switchboard_store::contacts::{self, RankedWalk};
use switchboard_store::keys::WorkOf;
use switchboard_store::people::{self, StaffList};

use super::list::{MOST_EXAMINED, Walked};
use super::search::Search;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Most partitions of the index of work that one list merges: an agent has one, a pool one per shard.
const MOST_PARTITIONS: usize = 1_000;
/// Most agents and pools whose contacts are looked up to be sorted.
const MOST_OWNERS: usize = 50;

/// What is looked for, if something is.
async fn search(services: &Services, viewer: &Viewer, filter: &ContactFilter) -> Result<Option<Search>, AppError> {
    if filter.include_deleted {
        let message = "Deleted contacts have no place in the orders SCORE and PRIORITY. Leave filter.includeDeleted out, or sort by NEWEST or OLDEST.";
        return Err(AppError::Asked(message.to_owned()));
    }
    match &filter.search {
        None => Ok(None),
        Some(typed) => Search::of(services, &viewer.tenant, typed).await,
    }
}

fn asked<'a>(viewer: &Viewer, filter: &'a ContactFilter, after: Option<&'a str>, first: usize) -> RankedWalk<'a> {
    let won = viewer.settings.status_by_code(status::CONVERTED).map(|status| status.id);
    RankedWalk { filter, won, after, first, most: MOST_EXAMINED }
}

/// By score, the highest first.
pub(super) async fn by_score(services: &Services, viewer: &Viewer, filter: &ContactFilter, after: Option<&str>, first: usize) -> Result<Walked, AppError> {
    let (core, tenant) = (&services.core, &viewer.tenant);
    let search = search(services, viewer, filter).await?;
    let asked = asked(viewer, filter, after, first);
    let matches = |contact: &Contact| search.as_ref().is_none_or(|search| search.means(contact));
    let few = owners(filter).filter(|whose| whose.len() <= MOST_OWNERS);
    let candidates = match (&search, few) {
        (Some(search), _) => search.candidates.clone(),
        (None, Some(whose)) => contacts::of_work(core, tenant, &whose, &filter.statuses, MOST_EXAMINED).await?,
        (None, None) => None,
    };
    let page = match candidates {
        Some(candidates) => contacts::sort_by_score(core, tenant, &candidates, &asked, matches).await?,
        None => contacts::by_score(core, tenant, &asked, matches).await?,
    };
    Ok(page.into())
}

/// In the order in which they are called.
pub(super) async fn by_priority(services: &Services, viewer: &Viewer, filter: &ContactFilter, after: Option<&str>, first: usize) -> Result<Walked, AppError> {
    let (core, tenant, now) = (&services.core, &viewer.tenant, services.clock.now());
    let search = search(services, viewer, filter).await?;
    let asked = asked(viewer, filter, after, first);
    let matches = |contact: &Contact| search.as_ref().is_none_or(|search| search.means(contact));
    if let Some(candidates) = search.as_ref().and_then(|search| search.candidates.as_ref()) {
        return Ok(contacts::sort_by_priority(core, tenant, &viewer.settings, candidates, now, &asked, matches).await?.into());
    }
    let whose = whose(services, viewer, filter).await?;
    Ok(contacts::by_priority(core, tenant, &whose, now, &asked, matches).await?.into())
}

/// Whose contacts a filter means, each once; none when anybody's.
fn owners(filter: &ContactFilter) -> Option<Vec<WorkOf>> {
    let agents: BTreeSet<AgentId> = filter.assignees.iter().copied().collect();
    match &filter.owners {
        None if agents.is_empty() => None,
        None => Some(of(agents, [])),
        Some(Owners { agents: owning, teams }) if agents.is_empty() => Some(of(owning.iter().copied(), teams.iter().copied())),
        Some(Owners { agents: owning, .. }) => Some(of(agents.intersection(owning).copied(), [])),
    }
}

fn of(agents: impl IntoIterator<Item = AgentId>, teams: impl IntoIterator<Item = TeamId>) -> Vec<WorkOf> {
    agents.into_iter().map(WorkOf::Agent).chain(teams.into_iter().map(WorkOf::Team)).collect()
}

/// The agents and pools whose contacts are merged. For the whole tenant all agents, all teams and the tenant's pool: 2 requests, half an R per started 4 KB of names (about 300
/// bytes each). Who was deleted has no contacts any more, or only until the job is done that gives them to others.
async fn whose(services: &Services, viewer: &Viewer, filter: &ContactFilter) -> Result<Vec<WorkOf>, AppError> {
    let (core, tenant) = (&services.core, &viewer.tenant);
    let mut whose = match owners(filter) {
        Some(whose) => whose,
        None => {
            let mut everybody = Vec::new();
            if filter.assigned != Some(false) {
                let agents = people::listed(core, &tenant.scope, StaffList::Agents, None, MOST_PARTITIONS).await?;
                if agents.has_more {
                    return Err(too_many());
                }
                let agents: BTreeSet<AgentId> = agents.entries.iter().filter_map(|(_, id)| AgentId::parse(id)).collect();
                everybody.extend(of(agents, []));
            }
            if filter.assigned != Some(true) {
                let teams = people::listed(core, &tenant.scope, StaffList::Teams, None, MOST_PARTITIONS).await?;
                if teams.has_more {
                    return Err(too_many());
                }
                let teams: BTreeSet<TeamId> = teams.entries.iter().filter_map(|(_, id)| TeamId::parse(id)).collect();
                everybody.extend(of([], teams));
                everybody.push(WorkOf::Pool);
            }
            everybody
        }
    };
    whose.retain(|whose| filter.assigned.is_none_or(|assigned| matches!(whose, WorkOf::Agent(_)) == assigned));
    let pools = whose.iter().filter(|whose| !matches!(whose, WorkOf::Agent(_))).count();
    let shards = usize::try_from(tenant.record.shards.max(1)).unwrap_or(usize::MAX);
    if (whose.len() - pools).saturating_add(pools.saturating_mul(shards)) > MOST_PARTITIONS {
        return Err(too_many());
    }
    Ok(whose)
}

fn too_many() -> AppError {
    AppError::Asked("The order PRIORITY is for up to 1,000 agents and pools at once. Name up to 50 agents in filter.assigneeIds.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn agent(seed: u8) -> AgentId {
        AgentId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    #[test]
    fn who_is_named_counts_once_and_only_within_what_may_be_seen() {
        let team = TeamId::new(Timestamp::UNIX_EPOCH, &[9; 10]);
        let visible = Owners { agents: [agent(1), agent(2)].into(), teams: [team].into() };
        let filter = |assignees: &[u8], owners: Option<&Owners>| ContactFilter {
            assignees: assignees.iter().map(|seed| agent(*seed)).collect(),
            owners: owners.cloned(),
            ..ContactFilter::default()
        };
        let all = |seeds: &[u8]| Some(seeds.iter().map(|seed| WorkOf::Agent(agent(*seed))).collect::<Vec<_>>());
        assert_eq!(owners(&filter(&[3, 3], Some(&visible))), all(&[]));
        assert_eq!(owners(&filter(&[2, 2, 3], Some(&visible))), all(&[2]));
        assert_eq!(owners(&filter(&[3, 3], None)), all(&[3]));
        assert_eq!(owners(&filter(&[], None)), None);
        assert_eq!(owners(&filter(&[], Some(&visible))), Some(vec![WorkOf::Agent(agent(1)), WorkOf::Agent(agent(2)), WorkOf::Team(team)]));
    }
}
