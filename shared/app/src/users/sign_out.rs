//! Signing somebody out everywhere.

use switchboard_domain::change::Change;
use switchboard_domain::ids::UserId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::User;
use switchboard_store::people;

use super::{Target, standing, target};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// Signs a user out everywhere, or oneself when none is named. First the record says it, from when on every process refuses the tokens there are within the
/// time for which it believes a user's record; then the user pool, so that they can't be renewed. 3 requests: 4 R, 1 W and 1 for index 1, and for somebody
/// else 2 requests and 3 R more, again as much each time another change was faster; then 1 request to the user pool. A process that dies in between leaves
/// tokens that are renewed and refused; the same request again completes it.
///
/// # Errors
/// For somebody else [`AppError::Forbidden`] without `user:sign_out` for the whole tenant, and [`AppError::NotFound`]; those of the database, and of the user
/// pool when the record is written already. What a person can mend is in the inner result: `NOT_ALLOWED` for someone whose permissions the viewer doesn't have.
pub async fn sign_out(services: &Services, viewer: &Viewer, id: Option<GivenId<UserId>>) -> Result<Result<User, Vec<UserError>>, AppError> {
    let oneself = viewer.user.id;
    let id = id.unwrap_or(Some(oneself));
    if id != Some(oneself) {
        viewer.require_all(Permission::UserSignOut)?;
    }
    let id = id.ok_or(AppError::NotFound)?;
    let user = match mark(services, viewer, id).await? {
        Ok(user) => user,
        Err(error) => return Ok(Err(vec![error])),
    };
    let email = viewer.staff_email(&id.to_string(), &user.sealed_email)?;
    services.identities.sign_out(&email).await?;
    Ok(Ok(user))
}

/// The user once the record says that they are signed out.
async fn mark(services: &Services, viewer: &Viewer, id: UserId) -> Result<Result<User, UserError>, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let change = Change::new("auth.signed_out", services.clock.now(), viewer.origin());
    let mut tried: Option<User> = None;
    for attempt in 0..ATTEMPTS {
        // One's own sessions one can always end.
        let confirmed = if id == viewer.user.id { None } else { Some(standing::confirmed(services, viewer).await?) };
        let viewer = confirmed.as_ref().unwrap_or(viewer);
        let Target { user, settings, .. } = target(services, viewer, id).await?;
        if id != viewer.user.id {
            viewer.require_all(Permission::UserSignOut)?;
        }
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(&user) {
            return Ok(Ok(user));
        }
        if id != viewer.user.id
            && let Err(error) = standing::check_manageable(viewer, &settings, &user)
        {
            return Ok(Err(error));
        }
        let after = User { signed_out_at: Some(change.at), record: user.record.changed(change.clone()), ..user.clone() };
        if core.commit(scope, vec![people::replace_user(scope, &after, user.record.revision)?]).await? {
            return Ok(Ok(after));
        }
        tried = Some(after);
        back_off(services, attempt).await;
    }
    Err(busy())
}
