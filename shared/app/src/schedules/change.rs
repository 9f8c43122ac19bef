//! What all changes of a schedule do: find it within the viewer's reach, decide on it as it is, write it unless somebody was faster.

use serde::Serialize;
use serde_json::Value;
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Agent;
use switchboard_domain::schedule::{Schedule, version_of};
use switchboard_store::{Freshness, schedules};

use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::idempotency::{Recalled, recall};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSchedule<T> {
    /// What it was about, as it is now.
    pub entry: T,
    /// Whose schedule it is.
    pub agent: Agent,
    /// The schedule's version.
    pub version: u32,
}

impl<T> ChangedSchedule<T> {
    pub(super) fn of(entry: T, found: Found) -> Self {
        Self { entry, version: version_of(found.schedule.as_ref()), agent: found.agent }
    }
}

/// An agent and their schedule, if they have one.
pub(super) struct Found {
    pub(super) agent: Agent,
    pub(super) schedule: Option<Schedule>,
}

/// Something that is to be made once, however often it is asked for with the same key.
pub(super) struct Creation {
    operation: &'static str,
    key: Option<String>,
    form: Value,
    id: String,
}

impl Creation {
    /// What an operation is to make of an input, under this id.
    pub(super) fn of(operation: &'static str, key: Option<String>, form: impl Serialize, id: impl ToString) -> Result<Self, AppError> {
        let form = serde_json::to_value(form).map_err(|error| AppError::Broken(error.to_string()))?;
        Ok(Self { operation, key, form, id: id.to_string() })
    }
}

/// What became of a decision.
pub(super) enum Decided {
    /// The schedule is as it was decided, now or before.
    Done(Found),
    /// It was made under this id when it was first asked for with the same key.
    Remembered(Found, String),
}

/// Changes the schedule of an agent, the viewer's own when none is given. What is decided is written; nothing when that is nothing. 2 requests: 2 R, and
/// 1 W per started KB of the schedule, 2 R more for one of more than 4 KB; with an idempotency key 1 R more, and a transaction of twice those W and 2.
/// Again as much each time another change of the schedule was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `schedule:update`, [`AppError::NotFound`] also for a deleted agent and for one outside the viewer's scope; those of the
/// database. What a person can mend is in the inner result.
pub(super) async fn change(
    services: &Services,
    viewer: &Viewer,
    agent: Option<GivenId<AgentId>>,
    creation: Option<&Creation>,
    decide: impl Fn(AgentId, Option<&Schedule>) -> Result<Option<Schedule>, Vec<FieldError>>,
) -> Result<Result<Decided, Vec<UserError>>, AppError> {
    let (core, tenant) = (&services.core, &viewer.tenant);
    let mut tried: Option<Schedule> = None;
    for attempt in 0..ATTEMPTS {
        let found = match find(services, viewer, agent).await? {
            Ok(found) => found,
            Err(error) => return Ok(Err(vec![error])),
        };
        let mut others = Vec::new();
        if let Some(creation) = creation {
            // Asked in every attempt: what was refused may have been the key, used a moment ago.
            match recall(services, tenant, creation.operation, creation.key.as_deref(), &(found.agent.id, &creation.form)).await? {
                Recalled::New(pending) => others.extend(pending.map(|pending| pending.part(tenant, &creation.id, services.clock.now()))),
                Recalled::Answer(id) => return Ok(Ok(Decided::Remembered(found, id))),
                Recalled::Refused(error) => return Ok(Err(vec![error])),
            }
        }
        // The answer to an earlier attempt may have been lost.
        if tried.is_some() && tried == found.schedule {
            return Ok(Ok(Decided::Done(found)));
        }
        let after = match decide(found.agent.id, found.schedule.as_ref()) {
            Ok(Some(after)) => after,
            Ok(None) => return Ok(Ok(Decided::Done(found))),
            Err(errors) => return Ok(Err(errors.into_iter().map(UserError::from).collect())),
        };
        let replaced = found.schedule.as_ref().map(|schedule| schedule.record.revision);
        if schedules::write(core, &tenant.scope, &after, replaced, others).await? {
            return Ok(Ok(Decided::Done(Found { schedule: Some(after), ..found })));
        }
        tried = Some(after);
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// The agent whose schedule is to be changed, with it. 1 request, 1 R and that of the schedule.
async fn find(services: &Services, viewer: &Viewer, given: Option<GivenId<AgentId>>) -> Result<Result<Found, UserError>, AppError> {
    viewer.scope(Permission::ScheduleUpdate)?;
    let id = given.unwrap_or(Some(viewer.agent())).ok_or(AppError::NotFound)?;
    let found = schedules::of_agents(&services.core, &viewer.tenant.scope, &[id], Freshness::Strong).await?;
    match found.into_iter().next().filter(|(agent, _)| agent.deleted_at.is_none()) {
        Some((agent, schedule)) if viewer.reaches_agent(Permission::ScheduleUpdate, &agent)? => Ok(Ok(Found { agent, schedule })),
        None if given.is_none() => {
            Ok(Err(UserError::new("agentId", FieldErrorCode::NotFound, "You are not in the staff directory. Give the agent whose schedule it is.")))
        }
        _ => Err(AppError::NotFound),
    }
}
