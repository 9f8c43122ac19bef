//! Taking an agent out of the staff directory.

use switchboard_domain::bulk_job::BulkJob;
use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{Agent, MembershipRole, User, UserStatus};
use switchboard_domain::suppression;
use switchboard_domain::team::Team;
use switchboard_store::{Freshness, people, settings};

use super::{find, places};
use crate::GivenId;
use crate::bulk;
use crate::contacts::check_owner;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy, version_check};
use crate::services::Services;
use crate::users::{self, standing};
use crate::viewer::Viewer;

/// Who is to be deleted, and who is to have their contacts.
#[derive(Debug, Clone, Default)]
pub struct DeleteAgent {
    /// The agent.
    pub id: GivenId<AgentId>,
    /// The version the client read.
    pub expected_version: i32,
    /// The colleague who is to have the contacts; without colleague and team they go to the tenant's pool.
    pub assignee: Option<GivenId<AgentId>>,
    /// The team in whose pool they are to be.
    pub team: Option<GivenId<TeamId>>,
    /// Why.
    pub reason: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct DeletedAgent {
    /// The agent, deleted.
    pub agent: Agent,
    /// The job that gives their contacts back.
    pub job: BulkJob,
}

/// An agent who left the staff directory, and who is to have their contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOut {
    /// The agent, deleted.
    pub agent: Agent,
    /// The colleague who is to have the contacts.
    pub assignee: Option<AgentId>,
    /// The team in whose pool they are to be.
    pub team: Option<TeamId>,
}

/// Deletes an agent: what [`take_out`] writes; then their identity is disabled and signed out everywhere, in 2 requests to the identity service; then a
/// job is asked for that gives their contacts back, in 1 W and 1 for index 1, and 1 request to the queue.
///
/// A process that dies in between leaves the agent deleted, who is refused from then on, and has their contacts still. Deleting them again, at whatever
/// version, does once more what comes after the record; where nothing is left to do, that does nothing.
///
/// # Errors
/// Those of [`take_out`]; those of the identity service and of the queue of jobs when the record is written already.
pub async fn delete(services: &Services, viewer: &Viewer, request: DeleteAgent) -> Result<Result<DeletedAgent, Vec<UserError>>, AppError> {
    let TakenOut { agent, assignee, team } = match take_out(services, viewer, &request).await? {
        Ok(taken_out) => taken_out,
        Err(errors) => return Ok(Err(errors)),
    };
    let email = viewer.staff_email(&agent.id.to_string(), &agent.sealed_email)?;
    if !users::stop(services, viewer, agent.id.into(), &email).await? {
        return Ok(Err(vec![UserError::new("id", FieldErrorCode::Conflict, "They were restored meanwhile. Read them again and decide again.")]));
    }
    let job = bulk::start_return(services, &viewer.tenant, viewer.origin(), agent.id, assignee, team).await?;
    Ok(Ok(DeletedAgent { agent, job }))
}

/// Writes that an agent is deleted, that they left their teams, and that their user is disabled. 5 requests: 7 R, and a transaction of 6 W and 3 for index 1;
/// for who is in teams 1 request and 1 R a team, and 4 W and 1 for index 1 a team; for an administrator 1 request, 1 R and 2 W; 1 request and up to 2 R
/// for who is to have the contacts. Again as much each time another change of one of them was faster. Of who is deleted already nothing is written.
///
/// # Errors
/// [`AppError::Forbidden`] without `agent:delete` for the whole tenant, [`AppError::NotFound`]; those of the database. What a person can mend is in the
/// inner result: `NOT_ALLOWED` for oneself, for the last administrator, and for someone whose permissions the viewer doesn't have.
pub async fn take_out(services: &Services, viewer: &Viewer, request: &DeleteAgent) -> Result<Result<TakenOut, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::AgentDelete)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, tenant, origin) = (&services.core, &viewer.tenant, viewer.origin());
    let now = services.clock.now();
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        viewer.require_all(Permission::AgentDelete)?;
        let (user, agent) = find(services, tenant, id).await?;
        let settings = settings::load(core, &tenant.scope).await?;
        let refused = not_oneself(viewer, &user).and_then(|()| standing::check_manageable(viewer, &settings, &user));
        let is_deleted = agent.deleted_at.is_some();
        let refused = refused.and_then(|()| if is_deleted { Ok(()) } else { version_check(agent.record.version, request.expected_version) });
        if let Err(error) = refused {
            return Ok(Err(vec![error]));
        }
        let (reason, assignee, team) = match heirs(services, viewer, request, id).await? {
            Ok(heirs) => heirs,
            Err(errors) => return Ok(Err(errors)),
        };
        let is_disabled = user.status == UserStatus::Disabled;
        if is_deleted && is_disabled {
            return Ok(Ok(TakenOut { agent, assignee, team }));
        }
        let change = |action: &str| {
            let change = Change::new(action, now, origin.clone());
            reason.iter().fold(change, |change, reason| change.because(reason))
        };
        let mut parts = Vec::new();
        let after = if is_deleted {
            agent
        } else {
            let deleted = change("agent.deleted");
            let after = Agent { teams: Vec::new(), deleted_at: Some(deleted.at), record: agent.record.changed(deleted), ..agent.clone() };
            parts.push(people::replace_agent(&tenant.scope, &after, agent.record.revision)?);
            parts.extend(places::left(&tenant.scope, &teams_of(services, viewer, &agent).await?, id, now, &origin)?);
            after
        };
        parts.extend(standing::while_confirmed(viewer, user.id));
        if is_disabled {
            // Written again as they are, so that who enables them at this moment meets this.
            parts.push(people::replace_user(&tenant.scope, &User { record: user.record.touched(), ..user.clone() }, user.record.revision)?);
        } else {
            match standing::without_administrator(services, tenant, &settings, &user, "id").await? {
                Ok(administrators) => parts.extend(administrators),
                Err(error) => return Ok(Err(vec![error])),
            }
            let disabled = change("user.disabled");
            let (revision, signed_out_at) = (user.record.revision, Some(disabled.at));
            let user = User { status: UserStatus::Disabled, signed_out_at, record: user.record.changed(disabled), ..user };
            parts.push(people::replace_user(&tenant.scope, &user, revision)?);
        }
        if core.commit(&tenant.scope, parts).await? {
            return Ok(Ok(TakenOut { agent: after, assignee, team }));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

fn not_oneself(viewer: &Viewer, user: &User) -> Result<(), UserError> {
    if viewer.user.id != user.id {
        return Ok(());
    }
    Err(UserError::new("id", FieldErrorCode::NotAllowed, "Nobody deletes themselves. Ask a colleague who may."))
}

/// Why, and who is to have the contacts.
type Heirs = (Option<String>, Option<AgentId>, Option<TeamId>);

async fn heirs(services: &Services, viewer: &Viewer, request: &DeleteAgent, leaver: AgentId) -> Result<Result<Heirs, Vec<UserError>>, AppError> {
    let mut errors: Vec<UserError> = Vec::new();
    let given = request.reason.as_deref().unwrap_or_default();
    let reason = suppression::reason("reason", given).map_err(|error| errors.push(error.into())).unwrap_or_default();
    if request.assignee.is_some() && request.team.is_some() {
        errors.push(UserError::new("teamId", FieldErrorCode::Invalid, "A contact is either an agent's or in a team's pool. Give assigneeId or teamId."));
    }
    if request.assignee.flatten() == Some(leaver) {
        errors.push(UserError::new("assigneeId", FieldErrorCode::NotAllowed, "This agent is the one who leaves. Choose another."));
    }
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let owner = check_owner(services, &viewer.tenant, request.assignee, request.team).await?;
    Ok(owner.map(|(assignee, team)| (reason, assignee, team)).map_err(|error| vec![error]))
}

/// The teams an agent is in, deleted ones too, and what they are in each. 1 request and 1 R each.
async fn teams_of(services: &Services, viewer: &Viewer, agent: &Agent) -> Result<Vec<(Team, MembershipRole)>, AppError> {
    if agent.teams.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<TeamId> = agent.teams.iter().map(|place| place.team).collect();
    let found = people::directory(&services.core, &viewer.tenant.scope, &[], &[], &ids, Freshness::Strong).await?;
    if found.teams.len() != ids.len() {
        return Err(AppError::Broken("an agent is in a team that never was".to_owned()));
    }
    Ok(found.teams.into_iter().filter_map(|team| agent.role_in(team.id).map(|role| (team, role))).collect())
}
