//! Reading a team, and who is in it.

use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::permission::Permission;
use switchboard_domain::team::{Membership, Team};
use switchboard_store::{Page, TenantScope, people};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Members of a team that are read in one go: less than 1 MB.
const MEMBERS: usize = 2_000;

/// A team by its id, a deleted one too; none outside the viewer's scope. 1 request, 1 R.
///
/// # Errors
/// [`AppError::Forbidden`] without `team:read`; those of the database.
pub async fn get(services: &Services, viewer: &Viewer, id: TeamId) -> Result<Option<Team>, AppError> {
    if !viewer.reaches_team(Permission::TeamRead, id)? {
        return Ok(None);
    }
    Ok(people::team(&services.core, &viewer.tenant.scope, id).await?)
}

/// The members of a team by their ids, those after `after`. 1 request, 1 R per started 4 KB (about 250 bytes a member).
///
/// # Errors
/// [`AppError::Forbidden`] without `team:read`, and for a team outside the viewer's scope; those of the database.
pub async fn members(services: &Services, viewer: &Viewer, team: TeamId, after: Option<AgentId>, first: usize) -> Result<Page<Membership>, AppError> {
    if !viewer.reaches_team(Permission::TeamRead, team)? {
        return Err(AppError::Forbidden);
    }
    Ok(people::members(&services.core, &viewer.tenant.scope, team, after, first).await?)
}

/// All members of a team by their ids. Whether the viewer may see them is decided by who asks. 1 request per 2,000, 1 R per started 4 KB (about 250 bytes a
/// member).
///
/// # Errors
/// Those of the database.
pub(crate) async fn all_members(services: &Services, scope: &TenantScope, team: TeamId) -> Result<Vec<AgentId>, AppError> {
    let mut agents: Vec<AgentId> = Vec::new();
    loop {
        let page = people::members(&services.core, scope, team, agents.last().copied(), MEMBERS).await?;
        agents.extend(page.entries.into_iter().map(|member| member.agent));
        if !page.has_more {
            return Ok(agents);
        }
    }
}
