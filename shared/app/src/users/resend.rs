//! Sending an invitation again.

use switchboard_domain::change::Change;
use switchboard_domain::ids::UserId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{User, UserStatus};
use switchboard_store::people;

use super::{forbidden_transition, put_on_record, standing};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Sends somebody who was invited the message again; that of the first one is of no use any more. 1 request to the user pool; 4 requests: 4 R, 1 W and 1 for
/// index 1.
///
/// # Errors
/// [`AppError::Forbidden`] without `user:invite` for the whole tenant, [`AppError::NotFound`]; those of the user pool and of the database. What a person can
/// mend is in the inner result: `FORBIDDEN_TRANSITION` for who isn't invited, or followed the message already.
pub async fn resend(services: &Services, viewer: &Viewer, id: GivenId<UserId>) -> Result<Result<User, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::UserInvite)?;
    let viewer = &standing::confirmed(services, viewer).await?;
    viewer.require_all(Permission::UserInvite)?;
    let id = id.ok_or(AppError::NotFound)?;
    let user = people::user(&services.core, &viewer.tenant.scope, id).await?.ok_or(AppError::NotFound)?;
    let refused = |message: &str| Ok(Err(vec![forbidden_transition(message)]));
    match user.status {
        UserStatus::Invited => {}
        UserStatus::Active => return refused("They signed in before. Reset their password if they can't any more."),
        UserStatus::Disabled => return refused("They are disabled. Enable them first."),
    }
    let email = viewer.staff_email(&id.to_string(), &user.sealed_email)?;
    if !services.identities.resend(&email).await? {
        return refused("They chose a password already. They can sign in with it.");
    }
    let change = Change::new("user.invitation_resent", services.clock.now(), viewer.origin());
    Ok(Ok(put_on_record(services, viewer, user, &change).await?))
}
