//! Bringing a deleted agent back.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{Agent, User, UserStatus};
use switchboard_store::people;
use switchboard_store::settings::{self, Settings};

use super::find;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::users::standing;
use crate::viewer::Viewer;

/// Brings a deleted agent back: their identity is enabled, in 1 request to the identity service; then what [`bring_back`] writes. Before it 2 requests and
/// 4 R, so that nobody's identity is enabled who may not be brought back.
///
/// A process that dies in between leaves them deleted, who is refused as before; the same request again completes it.
///
/// # Errors
/// Those of [`bring_back`]; those of the identity service.
pub async fn restore(services: &Services, viewer: &Viewer, id: GivenId<AgentId>) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    let Restorable { agent, user, .. } = match restorable(services, viewer, id).await? {
        Ok(restorable) => restorable,
        Err(error) => return Ok(Err(vec![error])),
    };
    if is_disabled_by_deletion(&agent, &user) {
        let email = viewer.staff_email(&agent.id.to_string(), &agent.sealed_email)?;
        services.identities.enable(&email).await?;
    }
    bring_back(services, viewer, id).await
}

/// Writes that a deleted agent is there again, without the teams they had, and, when it was the deletion that disabled their user, that the user can sign in:
/// at once when they ever did, else by the invitation. Who was disabled before stays disabled. 5 requests: 7 R, and a transaction of 6 W and 3 for index 1; for
/// an administrator 1 request, 1 R and 2 W. Again as much each time another change of one of them was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `agent:restore` for the whole tenant, [`AppError::NotFound`]; those of the database. What a person can mend is in the
/// inner result: `FORBIDDEN_TRANSITION` for who isn't deleted, `NOT_ALLOWED` for someone whose permissions the viewer doesn't have.
pub async fn bring_back(services: &Services, viewer: &Viewer, id: GivenId<AgentId>) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    let (core, tenant, origin) = (&services.core, &viewer.tenant, viewer.origin());
    let now = services.clock.now();
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        let Restorable { agent, user, settings } = match restorable(services, viewer, id).await? {
            Ok(restorable) => restorable,
            Err(error) => return Ok(Err(vec![error])),
        };
        let user_id = user.id;
        let change = |action: &str| Change::new(action, now, origin.clone());
        let after = Agent { deleted_at: None, record: agent.record.changed(change("agent.restored")), ..agent.clone() };
        let mut parts = vec![people::replace_agent(&tenant.scope, &after, agent.record.revision)?];
        if is_disabled_by_deletion(&agent, &user) {
            let status = if user.activated_at.is_some() { UserStatus::Active } else { UserStatus::Invited };
            let revision = user.record.revision;
            let user = User { status, record: user.record.changed(change("user.enabled")), ..user };
            parts.extend(standing::with_administrator(services, tenant, &settings, &user).await?);
            parts.push(people::replace_user(&tenant.scope, &user, revision)?);
        }
        parts.extend(standing::while_confirmed(viewer, user_id));
        if core.commit(&tenant.scope, parts).await? {
            return Ok(Ok(after));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// Whether it was the deletion that disabled the user: who was disabled before it, or for another reason, stays so.
fn is_disabled_by_deletion(agent: &Agent, user: &User) -> bool {
    user.status == UserStatus::Disabled && user.signed_out_at.is_some() && user.signed_out_at == agent.deleted_at
}

/// A deleted agent who may be brought back, and what decides on it.
struct Restorable {
    agent: Agent,
    user: User,
    settings: Settings,
}

async fn restorable(services: &Services, viewer: &Viewer, id: GivenId<AgentId>) -> Result<Result<Restorable, UserError>, AppError> {
    viewer.require_all(Permission::AgentRestore)?;
    let id = id.ok_or(AppError::NotFound)?;
    let (user, agent) = find(services, &viewer.tenant, id).await?;
    let settings = settings::load(&services.core, &viewer.tenant.scope).await?;
    if let Err(error) = standing::check_manageable(viewer, &settings, &user) {
        return Ok(Err(error));
    }
    if agent.deleted_at.is_none() {
        let message = "This agent isn't deleted. There is nothing to restore.";
        return Ok(Err(UserError::new("id", FieldErrorCode::ForbiddenTransition, message)));
    }
    Ok(Ok(Restorable { agent, user, settings }))
}
