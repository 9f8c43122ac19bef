//! Bringing a team back to what it was called at an earlier version. Who is in it stays.

use switchboard_domain::audit::value_of;
use switchboard_domain::ids::TeamId;
use switchboard_domain::permission::Permission;
use switchboard_domain::team::Team;
use switchboard_store::people;

use super::reached;
use super::update::{UpdateTeam, update_as};
use crate::audit::revert::{Then, Versions, forbidden_transition, in_the_clear, said_at, unreadable};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Gives a team the name that it had, when no other has it now. As `update`.
///
/// # Errors
/// As `update`. What a person can mend is in the inner result; of a deleted team `FORBIDDEN_TRANSITION`.
pub(crate) async fn revert(services: &Services, viewer: &Viewer, id: TeamId, versions: Versions) -> Result<Result<Team, Vec<UserError>>, AppError> {
    let id = reached(viewer, Permission::TeamUpdate, Some(id))?;
    let team = people::team(&services.core, &viewer.tenant.scope, id).await?.ok_or(AppError::NotFound)?;
    if team.deleted_at.is_some() {
        return Ok(Err(vec![forbidden_transition("This team was deleted. Restore it first.")]));
    }
    let then = said_at(services, viewer, (&team, &id.to_string(), &team.record), versions, in_the_clear).await?;
    let name: String = match then {
        Then::Now => return Ok(Ok(team)),
        Then::Said(fields) => value_of(&fields, "name").flatten().ok_or_else(unreadable)?,
        Then::Refused(error) => return Ok(Err(vec![error])),
    };
    let request = UpdateTeam { id: Some(id), expected_version: versions.expected, name: Some(Some(name)) };
    let updated = update_as(services, viewer, request, versions.change(services, viewer, "team.reverted")).await?;
    Ok(updated.map_err(|errors| versions.told(errors, "teamUpdate")))
}
