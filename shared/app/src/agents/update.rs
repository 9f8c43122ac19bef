//! Changing an agent. A name is the user's too.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldError;
use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{Agent, User, person_name};
use switchboard_store::{people, settings};

use super::{find, form};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy, version_check};
use crate::services::Services;
use crate::users::standing;
use crate::viewer::Viewer;

/// The values to be changed. `None` stays; `Some(None)` was given as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentPatch {
    /// What people call them.
    pub name: Option<Option<String>>,
    /// The employer's own number for them.
    pub employee_id: Option<Option<String>>,
    /// IANA time zone of their schedule; nothing is the tenant's.
    pub time_zone: Option<Option<String>>,
}

/// What is to be changed.
#[derive(Debug, Clone, Default)]
pub struct UpdateAgent {
    /// The agent.
    pub id: GivenId<AgentId>,
    /// The version the client read.
    pub expected_version: i32,
    /// The values.
    pub patch: AgentPatch,
}

/// Changes an agent; nothing is written when that changes nothing. 5 requests: 7 R, and 1 W and 1 for index 1; with another name the user too, in a
/// transaction of 6 W and 4 for index 1. Again as much each time another change of one of them was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `agent:update`, [`AppError::NotFound`] also for a deleted agent and for one outside the viewer's scope; those of the
/// database. What a person can mend is in the inner result: `NOT_ALLOWED` for someone whose permissions the viewer doesn't have.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdateAgent) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    let change = Change::new("agent.updated", services.clock.now(), viewer.origin());
    update_as(services, viewer, request, change).await
}

/// [`update`], as a change of this name.
///
/// # Errors
/// As [`update`].
pub(super) async fn update_as(services: &Services, viewer: &Viewer, request: UpdateAgent, change: Change) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    viewer.scope(Permission::AgentUpdate)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let mut tried: Option<Agent> = None;
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        let (user, agent) = find(services, &viewer.tenant, id).await?;
        if agent.deleted_at.is_some() || !viewer.reaches_agent(Permission::AgentUpdate, &agent)? {
            return Err(AppError::NotFound);
        }
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(&agent) {
            return Ok(Ok(agent));
        }
        let settings = settings::load(core, scope).await?;
        let refused = standing::check_manageable(viewer, &settings, &user).and_then(|()| version_check(agent.record.version, request.expected_version));
        if let Err(error) = refused {
            return Ok(Err(vec![error]));
        }
        let after = match patched(&agent, &request.patch) {
            Ok(after) if after == agent => return Ok(Ok(agent)),
            Ok(after) => Agent { record: agent.record.changed(change.clone()), ..after },
            Err(errors) => return Ok(Err(errors.into_iter().map(UserError::from).collect())),
        };
        let mut parts = vec![people::replace_agent(scope, &after, agent.record.revision)?];
        if after.name != agent.name && after.name != user.name {
            let record = user.record.changed(Change::new("user.updated", change.at, viewer.origin()));
            let revision = user.record.revision;
            parts.extend(standing::while_confirmed(viewer, user.id));
            parts.push(people::replace_user(scope, &User { name: after.name.clone(), record, ..user }, revision)?);
        }
        if core.commit(scope, parts).await? {
            return Ok(Ok(after));
        }
        tried = Some(after);
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// The agent with the values that were given, or all that is wrong with them.
fn patched(agent: &Agent, patch: &AgentPatch) -> Result<Agent, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut after = agent.clone();
    match patch.name.as_ref().map(|name| person_name("name", name.as_deref().unwrap_or_default())) {
        Some(Ok(name)) => after.name = name,
        Some(Err(error)) => errors.push(error),
        None => {}
    }
    optional(patch.employee_id.as_ref(), form::employee_id, &mut after.employee_id, &mut errors);
    optional(patch.time_zone.as_ref(), form::time_zone, &mut after.time_zone, &mut errors);
    if errors.is_empty() { Ok(after) } else { Err(errors) }
}

fn optional(given: Option<&Option<String>>, rule: impl Fn(&str) -> Result<Option<String>, FieldError>, value: &mut Option<String>, errors: &mut Vec<FieldError>) {
    match given.map(|given| given.as_deref().map_or(Ok(None), rule)) {
        Some(Ok(checked)) => *value = checked,
        Some(Err(error)) => errors.push(error),
        None => {}
    }
}
