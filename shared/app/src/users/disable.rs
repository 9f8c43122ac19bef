//! Stopping somebody from signing in.

use switchboard_domain::bulk_job::BulkJob;
use switchboard_domain::change::Change;
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{User, UserStatus};
use switchboard_domain::suppression;
use switchboard_store::people;

use super::{Target, standing, target};
use crate::GivenId;
use crate::bulk;
use crate::contacts::check_owner;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy, version_check};
use crate::services::Services;
use crate::viewer::Viewer;

/// Who is to be stopped, and who is to have their contacts.
#[derive(Debug, Clone, Default)]
pub struct DisableUser {
    /// The user.
    pub id: GivenId<UserId>,
    /// The version the client read.
    pub expected_version: i32,
    /// Why.
    pub reason: String,
    /// The colleague who is to have the contacts; without colleague and team they go to the tenant's pool.
    pub assignee: Option<GivenId<AgentId>>,
    /// The team in whose pool they are to be.
    pub team: Option<GivenId<TeamId>>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct DisabledUser {
    /// The user, disabled.
    pub user: User,
    /// The job that gives their contacts back; none for who is no agent, and so can't have any.
    pub job: Option<BulkJob>,
}

/// Stops a user from signing in. First the record says it, from when on every process refuses them within the time for which it believes a user's record; then
/// the user pool lets them in no more and ends their sessions; then a job is asked for that gives an agent's contacts back.
///
/// 5 requests: 7 R, and a transaction of 4 W and 1 for index 1; for an administrator 1 request and 1 R more, and 2 W; 1 request and up to 2 R for
/// who is to have the contacts. Again as much each time another change was faster. Then 2 requests to the user pool, and 1 W, 1 for index 1 and 1 request to
/// the queue for the job.
///
/// A process that dies in between leaves them disabled, with their contacts. Disabling them again, at whatever version, does once more what comes after the
/// record; where nothing is left to do, that does nothing.
///
/// # Errors
/// [`AppError::Forbidden`] without `user:disable` for the whole tenant, [`AppError::NotFound`]; those of the database, and of the user pool and the queue of
/// jobs when the record is written already. What a person can mend is in the inner result: `NOT_ALLOWED` for oneself, for the last administrator, and for
/// someone whose permissions the viewer doesn't have.
pub async fn disable(services: &Services, viewer: &Viewer, request: DisableUser) -> Result<Result<DisabledUser, Vec<UserError>>, AppError> {
    let Marked { user, is_agent, assignee, team } = match mark(services, viewer, &request).await? {
        Ok(marked) => marked,
        Err(errors) => return Ok(Err(errors)),
    };
    let email = viewer.staff_email(&user.id.to_string(), &user.sealed_email)?;
    if !stop(services, viewer, user.id, &email).await? {
        return Ok(Err(vec![UserError::new("id", FieldErrorCode::Conflict, "They were enabled again meanwhile. Read them again and decide again.")]));
    }
    let job = if is_agent { Some(bulk::start_return(services, &viewer.tenant, viewer.origin(), user.id.into(), assignee, team).await?) } else { None };
    Ok(Ok(DisabledUser { user, job }))
}

/// Stops an identity from signing in and ends its sessions; false when the user was enabled again meanwhile, whose identity is then enabled too. 2 requests to
/// the user pool and 1 R.
pub(crate) async fn stop(services: &Services, viewer: &Viewer, id: UserId, email: &str) -> Result<bool, AppError> {
    services.identities.disable(email).await?;
    services.identities.sign_out(email).await?;
    let user = people::user(&services.core, &viewer.tenant.scope, id).await?.ok_or(AppError::NotFound)?;
    if user.status == UserStatus::Disabled {
        return Ok(true);
    }
    services.identities.enable(email).await?;
    Ok(false)
}

/// A user whose record says that they are disabled.
struct Marked {
    user: User,
    is_agent: bool,
    assignee: Option<AgentId>,
    team: Option<TeamId>,
}

/// Writes that a user is disabled, unless they are.
async fn mark(services: &Services, viewer: &Viewer, request: &DisableUser) -> Result<Result<Marked, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::UserDisable)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, tenant) = (&services.core, &viewer.tenant);
    let now = services.clock.now();
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        viewer.require_all(Permission::UserDisable)?;
        let Target { user, agent, settings } = target(services, viewer, id).await?;
        let is_disabled = user.status == UserStatus::Disabled;
        let refused = not_oneself(viewer, id).and_then(|()| standing::check_manageable(viewer, &settings, &user));
        let refused = refused.and_then(|()| if is_disabled { Ok(()) } else { version_check(user.record.version, request.expected_version) });
        if let Err(error) = refused {
            return Ok(Err(vec![error]));
        }
        let (reason, assignee, team) = match heirs(services, viewer, request, id.into()).await? {
            Ok(heirs) => heirs,
            Err(errors) => return Ok(Err(errors)),
        };
        let is_agent = agent.is_some();
        if is_disabled {
            return Ok(Ok(Marked { user, is_agent, assignee, team }));
        }
        let change = Change::new("user.disabled", now, viewer.origin()).because(reason);
        let after = User { status: UserStatus::Disabled, signed_out_at: Some(change.at), record: user.record.changed(change), ..user.clone() };
        let mut parts = vec![people::replace_user(&tenant.scope, &after, user.record.revision)?];
        match standing::without_administrator(services, tenant, &settings, &user, "id").await? {
            Ok(administrators) => parts.extend(administrators),
            Err(error) => return Ok(Err(vec![error])),
        }
        parts.extend(standing::while_confirmed(viewer, id));
        if core.commit(&tenant.scope, parts).await? {
            return Ok(Ok(Marked { user: after, is_agent, assignee, team }));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

fn not_oneself(viewer: &Viewer, id: UserId) -> Result<(), UserError> {
    if viewer.user.id != id {
        return Ok(());
    }
    Err(UserError::new("id", FieldErrorCode::NotAllowed, "Nobody disables themselves. Ask a colleague who may."))
}

/// Why, and who is to have the contacts.
type Heirs = (String, Option<AgentId>, Option<TeamId>);

async fn heirs(services: &Services, viewer: &Viewer, request: &DisableUser, leaver: AgentId) -> Result<Result<Heirs, Vec<UserError>>, AppError> {
    let blank = || FieldError::new("reason", FieldErrorCode::Blank, "reason is empty. Say why they may not sign in any more.");
    let mut errors: Vec<UserError> = Vec::new();
    let reason = suppression::reason("reason", &request.reason).and_then(|reason| reason.ok_or_else(blank));
    let reason = reason.map_err(|error| errors.push(error.into())).unwrap_or_default();
    if request.assignee.is_some() && request.team.is_some() {
        errors.push(UserError::new("teamId", FieldErrorCode::Invalid, "A contact is either an agent's or in a team's pool. Give assigneeId or teamId."));
    }
    if request.assignee.flatten() == Some(leaver) {
        errors.push(UserError::new("assigneeId", FieldErrorCode::NotAllowed, "This agent is the one to be disabled. Choose another."));
    }
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let owner = check_owner(services, &viewer.tenant, request.assignee, request.team).await?;
    Ok(owner.map(|(assignee, team)| (reason, assignee, team)).map_err(|error| vec![error]))
}
