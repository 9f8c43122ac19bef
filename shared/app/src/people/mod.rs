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
/// permission beyond being signed in; what is listed is decided where the ids come from. 1 request per 100, half an R each.
///
/// # Errors
/// Those of the database.
pub async fn directory(services: &Services, viewer: &Viewer, users: &[UserId], agents: &[AgentId], teams: &[TeamId]) -> Result<Directory, AppError> {
    Ok(people::directory(&services.core, &viewer.tenant.scope, users, agents, teams, Freshness::Eventual).await?)
}
