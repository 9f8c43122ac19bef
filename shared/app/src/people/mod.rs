//! What users, agents, teams and roles have in common: read many at once, and changed by one who decides on them as they are now.

use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_store::people::{self, Directory};
use switchboard_store::{Freshness, StoreError};

use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// How often a change is decided anew because other changes of the same records were faster.
pub(crate) const ATTEMPTS: usize = 10;

/// Other changes were faster each time.
pub(crate) fn busy() -> AppError {
    StoreError::Unavailable("the records keep changing".to_owned()).into()
}

/// The version the client read must be the one that is there.
pub(crate) fn version_check(version: u32, expected: i32) -> Result<(), UserError> {
    if i64::from(version) == i64::from(expected) {
        return Ok(());
    }
    let message = format!("The record is at version {version}, not {expected}. Read it again and decide again.");
    Err(UserError::new("expectedVersion", FieldErrorCode::Stale, message))
}

/// Waits before deciding anew, a little longer and less evenly with each attempt, so that many who change one record come through: from a few
/// milliseconds up to about 200.
pub(crate) async fn back_off(services: &Services, attempt: usize) {
    let spread = u64::from(services.entropy.id()[9]);
    let longest = 4_u64 << attempt.min(6);
    tokio::time::sleep(std::time::Duration::from_millis(longest * spread / 255)).await;
}

/// Reads users, agents and teams of the viewer's tenant, deleted ones too. Names of colleagues are not secret within a tenant, so this asks for no
/// permission beyond being signed in; what is listed is decided where the ids come from. 1 request per 100, half an R each. Up to a second behind, but nobody
/// is missing: for what isn't found, because it was made a moment ago or isn't there, 1 request more, 1 R each.
///
/// # Errors
/// Those of the database.
pub async fn directory(services: &Services, viewer: &Viewer, users: &[UserId], agents: &[AgentId], teams: &[TeamId]) -> Result<Directory, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let mut found = people::directory(core, scope, users, agents, teams, Freshness::Eventual).await?;
    let users: Vec<UserId> = users.iter().copied().filter(|id| found.users.iter().all(|user| user.id != *id)).collect();
    let agents: Vec<AgentId> = agents.iter().copied().filter(|id| found.agents.iter().all(|agent| agent.id != *id)).collect();
    let teams: Vec<TeamId> = teams.iter().copied().filter(|id| found.teams.iter().all(|team| team.id != *id)).collect();
    if users.is_empty() && agents.is_empty() && teams.is_empty() {
        return Ok(found);
    }
    let newer = people::directory(core, scope, &users, &agents, &teams, Freshness::Strong).await?;
    found.users.extend(newer.users);
    found.agents.extend(newer.agents);
    found.teams.extend(newer.teams);
    Ok(found)
}
