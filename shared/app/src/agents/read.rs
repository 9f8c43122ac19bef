//! Reading an agent.

use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Agent;
use switchboard_store::people;

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// An agent by its id, a deleted one too; none outside the viewer's scope. 1 request, 1 R.
///
/// # Errors
/// [`AppError::Forbidden`] without `agent:read`; those of the database.
pub async fn get(services: &Services, viewer: &Viewer, id: AgentId) -> Result<Option<Agent>, AppError> {
    viewer.scope(Permission::AgentRead)?;
    match people::agent(&services.core, &viewer.tenant.scope, id).await? {
        Some(agent) if viewer.reaches_agent(Permission::AgentRead, &agent)? => Ok(Some(agent)),
        _ => Ok(None),
    }
}
