//! Users: invited, changed, stopped from signing in and let in again, a verb a file.
//!
//! A user stands in two places: the identity in the user pool, with which they sign in, and the record here, which says what they may do and whether they
//! may come in at all. The record decides: who is disabled in it is refused whatever the pool says. What is written in both is written in the order that
//! leaves nobody with more than they should have when a process dies in between, and the same request again completes it.
//!
//! Whoever changes a user decides on the user, and on the roles and administrators there are, as they are now, and decides anew when somebody was faster.

mod activate;
mod disable;
mod enable;
mod enrol;
mod form;
mod invite;
mod list;
mod resend;
mod reset_password;
mod revert;
mod sign_out;
pub(crate) mod standing;
mod update;

pub use activate::activate;
pub(crate) use disable::stop;
pub use disable::{DisableUser, DisabledUser, disable};
pub use enable::{EnableUser, enable};
pub use enrol::{Enrolled, NewAgent, NewPerson, enrol};
pub use form::MOST_ROLES;
pub(crate) use form::address;
pub use invite::{InviteUser, enter, invite};
pub(crate) use invite::{address_taken, identity};
pub use list::{UserPage, get, list};
pub use resend::resend;
pub use reset_password::reset_password;
pub(crate) use revert::revert;
pub use sign_out::sign_out;
pub use update::{UpdateUser, update};

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::UserId;
use switchboard_domain::person::{Agent, User};
use switchboard_store::settings::{self, Settings};
use switchboard_store::{Freshness, people};

use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// A user as they are now, and all that is decided by.
struct Target {
    user: User,
    /// Their entry in the staff directory, a deleted one too.
    agent: Option<Agent>,
    settings: Settings,
}

/// Reads a user of the viewer's tenant. 2 requests: 2 R, and 1 R per started 4 KB of statuses and roles.
async fn target(services: &Services, viewer: &Viewer, id: UserId) -> Result<Target, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let found = people::directory(core, scope, &[id], &[id.into()], &[], Freshness::Strong).await?;
    let user = found.users.into_iter().next().ok_or(AppError::NotFound)?;
    let agent = found.agents.into_iter().next();
    // As they are now, not as this process remembers them: what a role grants decides who may manage its holders.
    Ok(Target { user, agent, settings: settings::load(core, scope).await? })
}

/// Puts on record what was done with somebody's identity, which changes nothing else in the record. 1 W and 1 for index 1; 1 R and as much again each time
/// another change was faster.
async fn put_on_record(services: &Services, viewer: &Viewer, user: User, change: &Change) -> Result<User, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let mut before = user;
    for attempt in 0..ATTEMPTS {
        let after = User { record: before.record.changed(change.clone()), ..before.clone() };
        if core.commit(scope, vec![people::replace_user(scope, &after, before.record.revision)?]).await? {
            return Ok(after);
        }
        back_off(services, attempt).await;
        before = people::user(core, scope, before.id).await?.ok_or(AppError::NotFound)?;
        // The answer to an earlier attempt may have been lost.
        if before == after {
            return Ok(after);
        }
    }
    Err(busy())
}

/// A user isn't where this could be done.
fn forbidden_transition(message: &str) -> UserError {
    UserError::new("id", FieldErrorCode::ForbiddenTransition, message)
}
