//! Deleting a team. Its name is free at once; its members and its pool are let go by a job.

use switchboard_domain::bulk_job::BulkJob;
use switchboard_domain::change::Change;
use switchboard_domain::ids::TeamId;
use switchboard_domain::permission::Permission;
use switchboard_domain::team::{self, Team};
use switchboard_store::people;

use super::reached;
use crate::GivenId;
use crate::bulk;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy, version_check};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be deleted.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeleteTeam {
    /// The team.
    pub id: GivenId<TeamId>,
    /// The version the client read.
    pub expected_version: i32,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct DeletedTeam {
    /// The team, deleted.
    pub team: Team,
    /// The job that ends its memberships, and takes the contacts out of its pool.
    pub job: BulkJob,
}

/// Deletes a team, and asks for the job that disbands it. 2 requests: 1 R, and a transaction of 4 W and 2 for index 1; again as much each time another
/// change of the team was faster; then 1 W and 1 for index 1, and 1 request to the queue.
///
/// A process that dies in between leaves the team deleted with its members in it. Deleting it again, at whatever version, asks for the job once more;
/// where nothing is left to do, that does nothing.
///
/// # Errors
/// [`AppError::Forbidden`] without `team:delete`, [`AppError::NotFound`] also for one outside the viewer's scope; those of the database, and of the
/// queue of jobs when the team is deleted already. What a person can mend is in the inner result.
pub async fn delete(services: &Services, viewer: &Viewer, request: DeleteTeam) -> Result<Result<DeletedTeam, Vec<UserError>>, AppError> {
    let id = reached(viewer, Permission::TeamDelete, request.id)?;
    let team = match mark(services, viewer, id, request.expected_version).await? {
        Ok(team) => team,
        Err(error) => return Ok(Err(vec![error])),
    };
    let job = bulk::start_disband(services, &viewer.tenant, viewer.origin(), id).await?;
    Ok(Ok(DeletedTeam { team, job }))
}

/// The team after it was marked as deleted and its name freed, by this request or an earlier one.
async fn mark(services: &Services, viewer: &Viewer, id: TeamId, expected_version: i32) -> Result<Result<Team, UserError>, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let change = Change::new("team.deleted", services.clock.now(), viewer.origin());
    for attempt in 0..ATTEMPTS {
        let before = people::team(core, scope, id).await?.ok_or(AppError::NotFound)?;
        if before.deleted_at.is_some() {
            return Ok(Ok(before));
        }
        if let Err(error) = version_check(before.record.version, expected_version) {
            return Ok(Err(error));
        }
        let after = Team { deleted_at: Some(change.at), record: before.record.changed(change.clone()), ..before.clone() };
        let name = people::release_team_name(scope, &team::folded_name(&before.name), id);
        if core.commit(scope, vec![people::replace_team(scope, &after, before.record.revision)?, name]).await? {
            return Ok(Ok(after));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}
