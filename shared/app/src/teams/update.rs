//! Renaming a team.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::TeamId;
use switchboard_domain::permission::Permission;
use switchboard_domain::team::{self, Team};
use switchboard_store::people;

use super::{SAME_NAME, checked_name, reached, taken};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy, version_check};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be changed.
#[derive(Debug, Clone, Default)]
pub struct UpdateTeam {
    /// The team.
    pub id: GivenId<TeamId>,
    /// The version the client read.
    pub expected_version: i32,
    /// The name: absent, empty or a value.
    pub name: Option<Option<String>>,
}

/// Renames a team; nothing is written when it is called so already. 3 requests: 2 R, and a transaction of 6 W and 2 for index 1; when the new name is
/// the old one but for capitals, accents, spaces or punctuation, 2 requests: 1 R, 1 W and 2 for index 1. Again as much each time another change of
/// the team, or of who has the name, was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `team:update`, [`AppError::NotFound`] also for a deleted team and for one outside the viewer's scope; those of the
/// database. What a person can mend is in the inner result: `STALE`, and `TAKEN` with the team that has the name.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdateTeam) -> Result<Result<Team, Vec<UserError>>, AppError> {
    let change = Change::new("team.updated", services.clock.now(), viewer.origin());
    update_as(services, viewer, request, change).await
}

/// [`update`], as a change of this name.
///
/// # Errors
/// As [`update`].
pub(super) async fn update_as(services: &Services, viewer: &Viewer, request: UpdateTeam, change: Change) -> Result<Result<Team, Vec<UserError>>, AppError> {
    let id = reached(viewer, Permission::TeamUpdate, request.id)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let mut tried: Option<Team> = None;
    for attempt in 0..ATTEMPTS {
        let found = people::team(core, scope, id).await?;
        let before = found.filter(|team| team.deleted_at.is_none()).ok_or(AppError::NotFound)?;
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(&before) {
            return Ok(Ok(before));
        }
        let (name, folded) = match wanted(&before, &request) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return Ok(Ok(before)),
            Err(error) => return Ok(Err(vec![error])),
        };
        let after = Team { name, record: before.record.changed(change.clone()), ..before.clone() };
        let mut parts = vec![people::replace_team(scope, &after, before.record.revision)?];
        let folded_before = team::folded_name(&before.name);
        if folded != folded_before {
            if let Some(holder) = people::team_by_name(core, scope, &folded).await? {
                return Ok(Err(vec![taken("name", SAME_NAME, holder)]));
            }
            parts.push(people::claim_team_name(scope, &folded, id));
            parts.push(people::release_team_name(scope, &folded_before, id));
        }
        if core.commit(scope, parts).await? {
            return Ok(Ok(after));
        }
        tried = Some(after);
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// The name it is to have, and that folded; none when it has it already.
fn wanted(team: &Team, request: &UpdateTeam) -> Result<Option<(String, String)>, UserError> {
    version_check(team.record.version, request.expected_version)?;
    let (name, folded) = match &request.name {
        None => return Ok(None),
        Some(None) => return Err(UserError::new("name", FieldErrorCode::Blank, "name can't be empty. Leave it out to keep it.")),
        Some(Some(given)) => checked_name(given)?,
    };
    Ok((name != team.name).then_some((name, folded)))
}
