//! Users, agents and teams, read many at once.

use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_store::Freshness;
use switchboard_store::people::{self, Directory};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Reads users, agents and teams of the viewer's tenant. Names of colleagues are not secret within a tenant, so this asks for no permission
/// beyond being signed in; what is listed is decided where the ids come from. 1 request per 100, half an R each.
///
/// # Errors
/// Those of the database.
pub async fn directory(services: &Services, viewer: &Viewer, users: &[UserId], agents: &[AgentId], teams: &[TeamId]) -> Result<Directory, AppError> {
    Ok(people::directory(&services.core, &viewer.tenant.scope, users, agents, teams, Freshness::Eventual).await?)
}
