//! Deleting a role that nobody holds.

use futures::future::try_join_all;
use switchboard_domain::change::Change;
use switchboard_domain::ids::{RoleId, UserId};
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Role;
use switchboard_domain::role::{self, MOST_COUNTED};
use switchboard_store::people::{self, StaffList};
use switchboard_store::{Freshness, settings};

use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::users::standing;
use crate::viewer::Viewer;

/// Users looked at together: few requests after one another, so that those of a large tenant are looked through while the API waits.
const AT_ONCE: usize = 1_000;
/// Users read in one request.
const READ: usize = 100;

/// What is to be deleted.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeleteRole {
    /// The role.
    pub id: GivenId<RoleId>,
    /// The version the client read.
    pub expected_version: i32,
}

/// Deletes a role. The users are looked through for holders, disabled ones included, up to 1,000 holders; then it is deleted, when there are none. 4 requests:
/// 5 R, and a transaction of 6 W; for every 1,000 users 11 requests, 1 R each and half an R per started 4 KB of their list. Again as much each time another
/// change of the roles or statuses was faster.
///
/// Who is given the role while it is deleted holds what grants nothing.
///
/// # Errors
/// [`AppError::Forbidden`] without `role:delete` for the whole tenant, [`AppError::NotFound`] also for a deleted role; those of the database. What a person
/// can mend is in the inner result: `IN_USE` names the count.
pub async fn delete(services: &Services, viewer: &Viewer, request: DeleteRole) -> Result<Result<Role, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::RoleDelete)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let change = Change::new("role.deleted", services.clock.now(), viewer.origin());
    let mut tried: Option<Role> = None;
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        viewer.require_all(Permission::RoleDelete)?;
        let settings = settings::load(core, scope).await?;
        let before = settings.role(id).ok_or(AppError::NotFound)?;
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(before) {
            services.tenants.forget_settings(scope);
            return Ok(Ok(before.clone()));
        }
        if !before.is_live() {
            return Err(AppError::NotFound);
        }
        if let Err(error) = role::check_deletion(before, request.expected_version) {
            return Ok(Err(vec![error.into()]));
        }
        let count = holders(services, viewer, id).await?;
        if count > 0 {
            return Ok(Err(vec![role::in_use(count).into()]));
        }
        let deleted = role::deleted(before, change.clone());
        if settings::write_role(core, scope, settings.revision, &deleted, Some(before.record.revision), vec![standing::holding(viewer)]).await? {
            services.tenants.forget_settings(scope);
            return Ok(Ok(deleted));
        }
        tried = Some(deleted);
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// How many users hold a role, of at most [`MOST_COUNTED`] counted. Who was invited within about the last second may be missing.
async fn holders(services: &Services, viewer: &Viewer, role: RoleId) -> Result<usize, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let mut count = 0;
    let mut after: Option<String> = None;
    loop {
        let page = people::listed(core, scope, StaffList::Users, after.as_deref(), AT_ONCE).await?;
        let ids: Vec<UserId> = page.entries.iter().filter_map(|(_, id)| UserId::parse(id)).collect();
        let found = try_join_all(ids.chunks(READ).map(|ids| people::directory(core, scope, ids, &[], &[], Freshness::Strong))).await?;
        count += found.iter().flat_map(|found| &found.users).filter(|user| user.roles.contains(&role)).count();
        if !page.has_more || count >= MOST_COUNTED {
            return Ok(count.min(MOST_COUNTED));
        }
        after = page.entries.into_iter().next_back().map(|(place, _)| place);
    }
}
