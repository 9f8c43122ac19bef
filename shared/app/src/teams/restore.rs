//! Bringing a deleted team back, without the members it had.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::TeamId;
use switchboard_domain::permission::Permission;
use switchboard_domain::team::{self, Team};
use switchboard_store::people;

use super::taken;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// Brings a deleted team back under its name, once the last of its members has left it: who is in it after that was put there anew. 3 requests: 2 R, and
/// a transaction of 4 W and 2 for index 1; again as much each time another change of the team, or of who has the name, was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `team:restore` for the whole tenant, [`AppError::NotFound`]; those of the database. What a person can mend is in the
/// inner result: `TAKEN` with the team that has the name now, `FORBIDDEN_TRANSITION` for a team that isn't deleted or still has members.
pub async fn restore(services: &Services, viewer: &Viewer, id: GivenId<TeamId>) -> Result<Result<Team, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::TeamRestore)?;
    let id = id.ok_or(AppError::NotFound)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let change = Change::new("team.restored", services.clock.now(), viewer.origin());
    for attempt in 0..ATTEMPTS {
        let before = people::team(core, scope, id).await?.ok_or(AppError::NotFound)?;
        if let Err(error) = check(&before) {
            return Ok(Err(vec![error]));
        }
        let folded = team::folded_name(&before.name);
        if let Some(holder) = people::team_by_name(core, scope, &folded).await? {
            let message = "Another team has this team's name by now. Rename that one first.";
            return Ok(Err(vec![taken("id", message, holder)]));
        }
        let after = Team { deleted_at: None, record: before.record.changed(change.clone()), ..before.clone() };
        let parts = vec![people::replace_team(scope, &after, before.record.revision)?, people::claim_team_name(scope, &folded, id)];
        if core.commit(scope, parts).await? {
            return Ok(Ok(after));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// That a team is deleted, and all its members have left.
fn check(team: &Team) -> Result<(), UserError> {
    let message = match (team.deleted_at, team.member_count) {
        (Some(_), 0) => return Ok(()),
        (None, _) => "This team isn't deleted. There is nothing to restore.",
        (Some(_), _) => "The members of this team are still leaving it. Try again in a minute; if that doesn't help, delete the team once more.",
    };
    Err(UserError::new("id", FieldErrorCode::ForbiddenTransition, message))
}
