//! Having somebody choose another password.

use switchboard_domain::change::Change;
use switchboard_domain::ids::UserId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{User, UserStatus};

use super::{Target, forbidden_transition, put_on_record, standing, target};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Makes a user's password useless, and has the user pool send them the message with which they choose another. Sessions go on: sign the user out to end
/// them. 1 request to the user pool; 5 requests: 7 R, 1 W and 1 for index 1.
///
/// # Errors
/// [`AppError::Forbidden`] without `user:reset_password` for the whole tenant, [`AppError::NotFound`]; those of the user pool and of the database. What a
/// person can mend is in the inner result: `FORBIDDEN_TRANSITION` for who never signed in, or is disabled; `NOT_ALLOWED` for someone whose permissions the
/// viewer doesn't have.
pub async fn reset_password(services: &Services, viewer: &Viewer, id: GivenId<UserId>) -> Result<Result<User, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::UserResetPassword)?;
    let viewer = &standing::confirmed(services, viewer).await?;
    viewer.require_all(Permission::UserResetPassword)?;
    let id = id.ok_or(AppError::NotFound)?;
    let Target { user, settings, .. } = target(services, viewer, id).await?;
    if let Err(error) = standing::check_manageable(viewer, &settings, &user) {
        return Ok(Err(vec![error]));
    }
    let refused = |message: &str| Ok(Err(vec![forbidden_transition(message)]));
    match user.status {
        UserStatus::Active => {}
        UserStatus::Invited => return refused("They have no password yet. Send the invitation again."),
        UserStatus::Disabled => return refused("They are disabled. Enable them first."),
    }
    let email = viewer.staff_email(&id.to_string(), &user.sealed_email)?;
    if !services.identities.reset_password(&email).await? {
        return refused("Their password can't be reset in its present state. Try again once they followed the last message.");
    }
    let change = Change::new("user.password_reset", services.clock.now(), viewer.origin());
    Ok(Ok(put_on_record(services, viewer, user, &change).await?))
}
