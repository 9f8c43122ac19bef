//! The teams by name.

use std::collections::HashMap;

use switchboard_domain::ids::TeamId;
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::team::Team;
use switchboard_domain::text;
use switchboard_store::people::{self, StaffList};
use switchboard_store::{Freshness, Page};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Part of the list of teams.
#[derive(Debug, Clone, Default)]
pub struct TeamPage {
    /// The teams with their places.
    pub entries: Vec<(String, Team)>,
    /// The place behind which the next page begins; none when there is no more.
    pub next: Option<String>,
}

/// The teams by name, those behind the place `after`; deleted ones too when asked for. 2 requests, half an R per started 4 KB of the list (about 200
/// bytes a team) and for each team; 1 request more with deleted ones. Up to a second behind.
///
/// Whose permission doesn't reach the whole tenant is shown the teams they are in: 1 request, half an R each.
///
/// # Errors
/// [`AppError::Forbidden`] without `team:read`; those of the database.
pub async fn list(services: &Services, viewer: &Viewer, include_deleted: bool, after: Option<&str>, first: usize) -> Result<TeamPage, AppError> {
    if viewer.scope(Permission::TeamRead)? != Scope::All {
        return own(services, viewer, include_deleted, after, first).await;
    }
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let live = people::listed(core, scope, StaffList::Teams, after, first).await?;
    let deleted = if include_deleted { people::listed(core, scope, StaffList::DeletedTeams, after, first).await? } else { Page { entries: Vec::new(), has_more: false } };
    let mut places: Vec<(String, String)> = live.entries.into_iter().chain(deleted.entries).collect();
    places.sort_unstable();
    // A team that is deleted while the lists are read can stand in both of them, at the same place.
    places.dedup();
    let has_more = live.has_more || deleted.has_more || places.len() > first;
    places.truncate(first);
    let next = places.last().filter(|_| has_more).map(|(place, _)| place.clone());
    let ids: Vec<TeamId> = places.iter().filter_map(|(_, id)| TeamId::parse(id)).collect();
    let found = people::directory(core, scope, &[], &[], &ids, Freshness::Eventual).await?;
    let mut teams: HashMap<String, Team> = found.teams.into_iter().filter(|team| is_asked_for(team, include_deleted)).map(|team| (team.id.to_string(), team)).collect();
    let entries = places.into_iter().filter_map(|(place, id)| teams.remove(&id).map(|team| (place, team))).collect();
    Ok(TeamPage { entries, next })
}

/// The teams the viewer is in; few enough to be read at once.
async fn own(services: &Services, viewer: &Viewer, include_deleted: bool, after: Option<&str>, first: usize) -> Result<TeamPage, AppError> {
    let found = people::directory(&services.core, &viewer.tenant.scope, &[], &[], &viewer.teams(), Freshness::Eventual).await?;
    let teams = found.teams.into_iter().filter(|team| is_asked_for(team, include_deleted));
    let mut entries: Vec<(String, Team)> = teams.map(|team| (format!("{}#{}", text::fold(&team.name), team.id), team)).collect();
    entries.retain(|(place, _)| after.is_none_or(|after| place.as_str() > after));
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let has_more = entries.len() > first;
    entries.truncate(first);
    let next = entries.last().filter(|_| has_more).map(|(place, _)| place.clone());
    Ok(TeamPage { entries, next })
}

fn is_asked_for(team: &Team, include_deleted: bool) -> bool {
    include_deleted || team.deleted_at.is_none()
}
