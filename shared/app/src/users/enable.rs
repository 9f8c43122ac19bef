//! Letting somebody sign in again.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::UserId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{Agent, User, UserStatus};
use switchboard_store::people;

use super::{Target, standing, target};
use crate::GivenId;
use crate::error::{AppError, Existing, UserError};
use crate::people::{ATTEMPTS, back_off, busy, version_check};
use crate::services::Services;
use crate::viewer::Viewer;

/// Who is to be let in again.
#[derive(Debug, Clone, Copy, Default)]
pub struct EnableUser {
    /// The user.
    pub id: GivenId<UserId>,
    /// The version the client read.
    pub expected_version: i32,
}

/// Lets a disabled user sign in again: as before when they ever did, else by the invitation. First the user pool does, then the record says it. Nothing is
/// written for who isn't disabled, whose identity is enabled all the same. 5 requests: 7 R, and a transaction of 4 W and 1 for index 1; for an administrator
/// 1 request and 1 R more, and 2 W; 1 request to the user pool. Again as much each time another change was faster.
///
/// A process that dies in between leaves them disabled, because the record decides; the same request again completes it.
///
/// # Errors
/// [`AppError::Forbidden`] without `user:enable` for the whole tenant, [`AppError::NotFound`]; those of the user pool and of the database. What a person can
/// mend is in the inner result: `CONFLICT` for who was deleted as an agent; `NOT_ALLOWED` for someone whose permissions the viewer doesn't have.
pub async fn enable(services: &Services, viewer: &Viewer, request: EnableUser) -> Result<Result<User, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::UserEnable)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, tenant) = (&services.core, &viewer.tenant);
    let change = Change::new("user.enabled", services.clock.now(), viewer.origin());
    let mut tried: Option<User> = None;
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        viewer.require_all(Permission::UserEnable)?;
        let Target { user, agent, settings } = target(services, viewer, id).await?;
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(&user) {
            return Ok(Ok(user));
        }
        let refused = standing::check_manageable(viewer, &settings, &user).and_then(|()| version_check(user.record.version, request.expected_version));
        if let Err(error) = refused {
            return Ok(Err(vec![error]));
        }
        let email = viewer.staff_email(&id.to_string(), &user.sealed_email)?;
        if user.status != UserStatus::Disabled {
            // A disabling that was overtaken may have stopped the identity after all.
            services.identities.enable(&email).await?;
            return Ok(Ok(user));
        }
        if let Err(error) = not_deleted(agent.as_ref()) {
            return Ok(Err(vec![error]));
        }
        services.identities.enable(&email).await?;
        let status = if user.activated_at.is_some() { UserStatus::Active } else { UserStatus::Invited };
        let after = User { status, record: user.record.changed(change.clone()), ..user.clone() };
        let mut parts = vec![people::replace_user(&tenant.scope, &after, user.record.revision)?];
        parts.extend(standing::with_administrator(services, tenant, &settings, &after).await?);
        parts.extend(standing::while_confirmed(viewer, id));
        if core.commit(&tenant.scope, parts).await? {
            return Ok(Ok(after));
        }
        tried = Some(after);
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// Who left the staff directory comes back by way of it.
fn not_deleted(agent: Option<&Agent>) -> Result<(), UserError> {
    match agent.filter(|agent| agent.deleted_at.is_some()) {
        None => Ok(()),
        Some(agent) => {
            let error = UserError::new("id", FieldErrorCode::Conflict, "They were deleted as an agent. Restore the agent, which enables them too.");
            Err(UserError { existing: Some(Existing::Agent(agent.id)), ..error })
        }
    }
}
