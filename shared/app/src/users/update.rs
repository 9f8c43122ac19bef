//! Changing a user's name, roles and single permissions.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{RoleId, UserId};
use switchboard_domain::permission::{Grant, Permission};
use switchboard_domain::person::{Agent, User, person_name};
use switchboard_domain::role;
use switchboard_store::people;
use switchboard_store::settings::Settings;

use super::{Target, form, standing, target};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy, version_check};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be changed. `None` stays; `Some(None)` was given as nothing.
#[derive(Debug, Clone, Default)]
pub struct UpdateUser {
    /// The user.
    pub id: GivenId<UserId>,
    /// The version the client read.
    pub expected_version: i32,
    /// What people call them.
    pub name: Option<Option<String>>,
    /// The roles they are to hold, all of them.
    pub roles: Option<Option<Vec<GivenId<RoleId>>>>,
    /// What they may do beside their roles, all of it, as `noun:verb:SCOPE`.
    pub permissions: Option<Option<Vec<String>>>,
}

/// Changes a user; nothing is written when that changes nothing. A name is the agent's too, in an event of its own. 5 requests: 7 R, and a transaction of 4 W and
/// 1 for index 1 (2 with another name), for oneself 1 W; with another name of an agent 6 W and 4 for index 1; when they become an administrator, or are one no
/// longer, 1 request and 1 R, and 2 W more. Again as much each time another change was faster.
///
/// It is up to 20 seconds until other processes know what somebody may do by it.
///
/// # Errors
/// [`AppError::Forbidden`] without `user:update` for the name, and `user:set_roles` for roles and permissions, each for the whole tenant;
/// [`AppError::NotFound`]; those of the database. What a person can mend is in the inner result: `NOT_ALLOWED` for what isn't the viewer's to give or take, and
/// for the last administrator's role.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdateUser) -> Result<Result<User, Vec<UserError>>, AppError> {
    let change = Change::new("user.updated", services.clock.now(), viewer.origin());
    update_as(services, viewer, request, change).await
}

/// [`update`], as a change of this name.
///
/// # Errors
/// As [`update`].
pub(super) async fn update_as(services: &Services, viewer: &Viewer, request: UpdateUser, of_user: Change) -> Result<Result<User, Vec<UserError>>, AppError> {
    authorise(viewer, &request)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, tenant) = (&services.core, &viewer.tenant);
    let of_agent = Change::new("agent.updated", of_user.at, viewer.origin());
    let mut tried: Option<User> = None;
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        authorise(viewer, &request)?;
        let Target { user: before, agent, settings } = target(services, viewer, id).await?;
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(&before) {
            return Ok(Ok(before));
        }
        if let Err(error) = version_check(before.record.version, request.expected_version) {
            return Ok(Err(vec![error]));
        }
        let after = match patched(viewer, &settings, &before, &request) {
            Ok(after) if after == before => return Ok(Ok(before)),
            Ok(after) => User { record: before.record.changed(of_user.clone()), ..after },
            Err(errors) => return Ok(Err(errors)),
        };
        let mut parts = vec![people::replace_user(&tenant.scope, &after, before.record.revision)?];
        match standing::administrators_after(services, tenant, &settings, (&before, &after), "roleIds").await? {
            Ok(administrators) => parts.extend(administrators),
            Err(error) => return Ok(Err(vec![error])),
        }
        // A deleted one too, so that they are called the same when they are restored.
        if let Some(agent) = agent.filter(|agent| after.name != before.name && agent.name != after.name) {
            let renamed = Agent { name: after.name.clone(), record: agent.record.changed(of_agent.clone()), ..agent.clone() };
            parts.push(people::replace_agent(&tenant.scope, &renamed, agent.record.revision)?);
        }
        parts.extend(standing::while_confirmed(viewer, id));
        if core.commit(&tenant.scope, parts).await? {
            return Ok(Ok(after));
        }
        tried = Some(after);
        back_off(services, attempt).await;
    }
    Err(busy())
}

fn authorise(viewer: &Viewer, request: &UpdateUser) -> Result<(), AppError> {
    if request.name.is_some() {
        viewer.require_all(Permission::UserUpdate)?;
    }
    if request.roles.is_some() || request.permissions.is_some() {
        viewer.require_all(Permission::UserSetRoles)?;
    }
    viewer.require_all(Permission::UserUpdate).or_else(|_| viewer.require_all(Permission::UserSetRoles))
}

/// The user with what was given, as far as the viewer may give and take it; or all that is wrong with it.
fn patched(viewer: &Viewer, settings: &Settings, before: &User, request: &UpdateUser) -> Result<User, Vec<UserError>> {
    let mut errors: Vec<UserError> = Vec::new();
    let mut after = before.clone();
    match &request.name {
        None => {}
        Some(None) => errors.push(UserError::new("name", FieldErrorCode::Blank, "name can't be empty. Leave it out to keep it.")),
        Some(Some(name)) => match person_name("name", name) {
            Ok(name) => after.name = name,
            Err(error) => errors.push(error.into()),
        },
    }
    if request.name.is_some()
        && let Err(error) = standing::check_manageable(viewer, settings, before)
    {
        errors.push(error);
    }
    match &request.roles {
        None => {}
        Some(None) => errors.push(missing("roleIds", "Leave it out to keep the roles, or give an empty list.")),
        Some(Some(given)) => match roles(viewer, settings, before, given) {
            Ok(roles) => after.roles = roles,
            Err(refused) => errors.extend(refused),
        },
    }
    match &request.permissions {
        None => {}
        Some(None) => errors.push(missing("permissions", "Leave it out to keep them, or give an empty list.")),
        Some(Some(given)) => match grants(viewer, settings, before, given) {
            Ok(grants) => after.grants = grants,
            Err(refused) => errors.extend(refused),
        },
    }
    if errors.is_empty() { Ok(after) } else { Err(errors) }
}

/// The roles to be held; as they are when the same ones are given in another order.
fn roles(viewer: &Viewer, settings: &Settings, before: &User, given: &[GivenId<RoleId>]) -> Result<Vec<RoleId>, Vec<UserError>> {
    let roles = form::held(settings, given)?;
    let (given, taken) = (roles.iter().filter(|id| !before.roles.contains(id)), before.roles.iter().filter(|id| !roles.contains(id)));
    let given_and_taken: Vec<RoleId> = given.chain(taken).copied().collect();
    if given_and_taken.is_empty() {
        return Ok(before.roles.clone());
    }
    standing::check_roles(viewer, settings, &given_and_taken).map_err(|error| vec![error])?;
    Ok(roles)
}

/// The single permissions to be had; as they are when the same ones are given in another order.
fn grants(viewer: &Viewer, settings: &Settings, before: &User, given: &[String]) -> Result<Vec<Grant>, Vec<UserError>> {
    let grants = form::granted(given)?;
    if grants == role::tidied(&before.grants) {
        return Ok(before.grants.clone());
    }
    standing::check_grants(viewer, settings, &role::differing(&before.grants, &grants)).map_err(|error| vec![error])?;
    Ok(grants)
}

fn missing(field: &str, remedy: &str) -> UserError {
    UserError::new(field, FieldErrorCode::Blank, format!("{field} can't be null. {remedy}"))
}
