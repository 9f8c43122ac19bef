//! Who may manage whom: nobody gives what they don't have, nobody takes power from those who have more than they, and an administrator is always left.

use std::sync::Arc;

use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{RoleId, UserId};
use switchboard_domain::permission::{Grant, Permission, SEEDED_ROLES, Scope, covers, widest};
use switchboard_domain::person::{ADMIN, FIELD_AGENT, Role, TELEPHONIST, User, UserStatus};
use switchboard_domain::role;
use switchboard_store::people;
use switchboard_store::settings::{self, Settings};
use switchboard_store::table::Part;
use switchboard_store::tenants::OpenTenant;

use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::{Viewer, admit, grants};

/// The roles of the floor: whoever may invite gives them.
const FLOOR: [&str; 2] = [TELEPHONIST, FIELD_AGENT];

/// Whether a role is of the floor: one of those, and not made to grant more than a new tenant's does.
pub(crate) fn is_of_floor(role: &Role) -> bool {
    let seeded = SEEDED_ROLES.iter().find(|seeded| seeded.code == role.code && FLOOR.contains(&seeded.code));
    seeded.is_some_and(|seeded| covers(seeded.grants, &role.grants))
}

/// The viewer as they are now, with the roles and statuses of now: who decides on what others may do must not do so by what this process remembers of them,
/// or somebody who was disabled or lost a role could undo it for as long as that is believed. 2 requests: 1 R, and 1 R per started 4 KB of statuses and roles. Who
/// is refused is put on record.
///
/// # Errors
/// [`AppError::Unauthenticated`] when they are gone, disabled, or were signed out; those of the database.
pub(crate) async fn confirmed(services: &Services, viewer: &Viewer) -> Result<Viewer, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let user = people::user(core, scope, viewer.user.id).await?.ok_or(AppError::Unauthenticated)?;
    admit(services, viewer, &user).await?;
    let settings = settings::load(core, scope).await?;
    Ok(Viewer { user: Arc::new(user), settings: Arc::new(settings), ..viewer.clone() })
}

/// The part of a transaction that holds only while the viewer is as [`confirmed`] found them; none when the transaction changes the viewer's own record, on
/// the same condition. 2 W.
pub(crate) fn while_confirmed(viewer: &Viewer, changed: UserId) -> Option<Part> {
    (viewer.user.id != changed).then(|| holding(viewer))
}

/// The same part, of a transaction that changes nobody's record. 2 W.
pub(crate) fn holding(viewer: &Viewer) -> Part {
    people::check_user(&viewer.tenant.scope, viewer.user.id, viewer.user.record.revision)
}

/// Whether the viewer may rename, disable, delete, sign out or give another password to a user: to who holds roles of the floor only, and to who has nothing
/// that the viewer doesn't have. `settings` are those of now.
pub(crate) fn may_manage(viewer: &Viewer, settings: &Settings, target: &User) -> bool {
    // Of a role that isn't known it isn't known either what it grants.
    if target.roles.iter().any(|id| settings.role(*id).is_none()) {
        return false;
    }
    is_on_floor(settings, target) || covers(&grants(&viewer.user, settings), &grants(target, settings))
}

/// Whether somebody holds roles of the floor only, and no single permission. Of a role that isn't known it isn't known either what it grants.
pub(crate) fn is_on_floor(settings: &Settings, target: &User) -> bool {
    target.grants.is_empty() && target.roles.iter().all(|id| settings.role(*id).is_some_and(|role| !role.is_live() || is_of_floor(role)))
}

/// That the viewer may manage a user.
///
/// # Errors
/// `NOT_ALLOWED` on `id`.
pub(crate) fn check_manageable(viewer: &Viewer, settings: &Settings, target: &User) -> Result<(), UserError> {
    if may_manage(viewer, settings, target) {
        return Ok(());
    }
    Err(UserError::new("id", FieldErrorCode::NotAllowed, "They may do more than you. Ask someone who may do all that they may."))
}

/// That the viewer, who may invite users or set roles, may give and take these roles.
///
/// # Errors
/// `NOT_ALLOWED` on `roleIds` when one of them isn't of the floor, and the viewer may not set roles, or doesn't have all that it grants.
pub(crate) fn check_roles(viewer: &Viewer, settings: &Settings, roles: &[RoleId]) -> Result<(), UserError> {
    let live = roles.iter().filter_map(|id| settings.role(*id)).filter(|role| role.is_live());
    let held = grants(&viewer.user, settings);
    for role in live.filter(|role| !is_of_floor(role)) {
        let refused = |why: &str| UserError::new("roleIds", FieldErrorCode::NotAllowed, why);
        if !may_set_roles(&held) {
            return Err(refused(&format!("You may give the roles telephonist and agent only, not {}. Ask someone who may set roles.", role.code)));
        }
        if !covers(&held, &role.grants) {
            return Err(refused(&format!("You don't have everything that {} grants, so you can neither give nor take it. Ask someone who has.", role.code)));
        }
    }
    Ok(())
}

/// That the viewer may give and take these single permissions.
///
/// # Errors
/// `NOT_ALLOWED` on `permissions` when there are any, and the viewer may not set roles, or doesn't have all of them.
pub(crate) fn check_grants(viewer: &Viewer, settings: &Settings, changed: &[Grant]) -> Result<(), UserError> {
    if changed.is_empty() {
        return Ok(());
    }
    let held = grants(&viewer.user, settings);
    if !may_set_roles(&held) {
        let message = "You may not give single permissions. Leave them out, or ask someone who may set roles.";
        return Err(UserError::new("permissions", FieldErrorCode::NotAllowed, message));
    }
    Ok(role::check_reach(&held, changed)?)
}

fn may_set_roles(held: &[Grant]) -> bool {
    widest(held, Permission::UserSetRoles) == Some(Scope::All)
}

/// Whether a user is one of the active administrators.
fn is_administrator(settings: &Settings, user: &User) -> bool {
    user.status == UserStatus::Active && settings.role_by_code(ADMIN).is_some_and(|role| user.roles.contains(&role.id))
}

/// The part of a transaction by which a user is no longer one of the active administrators; none for who isn't one. It doesn't hold when these changed
/// meanwhile: then all is to be decided anew, so that two last ones can't remove each other. For an administrator 1 request and 1 R, and 2 W.
///
/// # Errors
/// Those of the database. In the inner result `NOT_ALLOWED` on `field` for the last one.
pub(crate) async fn without_administrator(
    services: &Services,
    tenant: &OpenTenant,
    settings: &Settings,
    user: &User,
    field: &str,
) -> Result<Result<Option<Part>, UserError>, AppError> {
    if !is_administrator(settings, user) {
        return Ok(Ok(None));
    }
    let before = people::administrators(&services.core, &tenant.scope).await?;
    let users: Vec<UserId> = before.users.iter().copied().filter(|id| *id != user.id).collect();
    if users.is_empty() {
        let message = "This is the last administrator who can sign in. Make somebody else an administrator first.";
        return Ok(Err(UserError::new(field, FieldErrorCode::NotAllowed, message)));
    }
    Ok(Ok(Some(people::write_administrators(&tenant.scope, &before, users))))
}

/// The part of a transaction by which a user, as they are to be, is one of the active administrators; none for who isn't one then. It doesn't hold when
/// these changed meanwhile. For an administrator 1 request and 1 R, and 2 W.
///
/// # Errors
/// Those of the database.
pub(crate) async fn with_administrator(services: &Services, tenant: &OpenTenant, settings: &Settings, user: &User) -> Result<Option<Part>, AppError> {
    if !is_administrator(settings, user) {
        return Ok(None);
    }
    let before = people::administrators(&services.core, &tenant.scope).await?;
    if before.users.contains(&user.id) {
        return Ok(None);
    }
    let users = before.users.iter().copied().chain([user.id]).collect();
    Ok(Some(people::write_administrators(&tenant.scope, &before, users)))
}

/// The part of a transaction by which a user becomes one of the active administrators, or no longer is one; none when nothing changes about that. As
/// [`without_administrator`] and [`with_administrator`].
///
/// # Errors
/// As [`without_administrator`].
pub(crate) async fn administrators_after(
    services: &Services,
    tenant: &OpenTenant,
    settings: &Settings,
    (before, after): (&User, &User),
    field: &str,
) -> Result<Result<Option<Part>, UserError>, AppError> {
    match (is_administrator(settings, before), is_administrator(settings, after)) {
        (true, false) => without_administrator(services, tenant, settings, before, field).await,
        (false, true) => Ok(Ok(with_administrator(services, tenant, settings, after).await?)),
        (true, true) | (false, false) => Ok(Ok(None)),
    }
}
