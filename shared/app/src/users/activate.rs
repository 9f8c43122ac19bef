//! The first sign-in of somebody who was invited.

use switchboard_domain::change::{Change, Origin};
use switchboard_domain::person::{User, UserStatus};
use switchboard_store::people;
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;

use super::standing;
use crate::error::AppError;
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;

/// Makes somebody active who signed in for the first time. The user as they are then: of many first requests at once one writes it, and who isn't
/// invited any more stays as they are. 1 W and 1 for index 1; for an administrator 1 request and 1 R more, and a transaction of 4 W and 1 for index 1. Each
/// time somebody was faster 1 R, and as much again when they are still invited.
///
/// # Errors
/// [`AppError::Unauthenticated`] when there is no such user any more; those of the database.
pub async fn activate(services: &Services, tenant: &OpenTenant, settings: &Settings, user: &User, origin: Origin) -> Result<User, AppError> {
    let (core, scope) = (&services.core, &tenant.scope);
    let change = Change::new("user.activated", services.clock.now(), origin);
    let mut before = user.clone();
    for attempt in 0..ATTEMPTS {
        if before.status != UserStatus::Invited {
            return Ok(before);
        }
        let record = before.record.changed(change.clone());
        let after = User { status: UserStatus::Active, activated_at: Some(change.at), record, ..before.clone() };
        let mut parts = vec![people::replace_user(scope, &after, before.record.revision)?];
        parts.extend(standing::with_administrator(services, tenant, settings, &after).await?);
        if core.commit(scope, parts).await? {
            return Ok(after);
        }
        back_off(services, attempt).await;
        before = people::user(core, scope, before.id).await?.ok_or(AppError::Unauthenticated)?;
    }
    Err(busy())
}
