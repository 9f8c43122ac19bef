//! Adding an exception to a schedule.

use switchboard_domain::change::Change;
use switchboard_domain::ids::{AgentId, ScheduleExceptionId};
use switchboard_domain::schedule::{self, Exception, ExceptionInput};

use super::change::{ChangedSchedule, Creation, Decided, change};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// An exception to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddException {
    /// The agent; the viewer when nobody is named.
    pub agent: Option<GivenId<AgentId>>,
    /// The values.
    pub input: ExceptionInput,
    /// The version of the schedule the client read, 0 when there was none; whichever it is when none is given.
    pub expected_version: Option<i32>,
    /// The client's own key for this exception: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// Adds an exception to an agent's schedule. None in the answer when an earlier request with the same key added it and it was removed since.
/// Costs what [`super::add_window`] does.
///
/// # Errors
/// As [`super::add_window`].
pub async fn add_exception(services: &Services, viewer: &Viewer, request: AddException) -> Result<Result<ChangedSchedule<Option<Exception>>, Vec<UserError>>, AppError> {
    let AddException { agent, input, expected_version, idempotency_key } = request;
    let now = services.clock.now();
    let id = ScheduleExceptionId::new(now, &services.entropy.id());
    let made = Change::new("schedule.exception_added", now, viewer.origin());
    let creation = Creation::of("scheduleAddException", idempotency_key, (&input, expected_version), id)?;
    let decided = change(services, viewer, agent, Some(&creation), |agent, before| {
        if before.is_some_and(|before| before.exception(id).is_some()) {
            return Ok(None);
        }
        schedule::add_exception(before, agent, id, expected_version, &input, made.clone()).map(Some)
    });
    Ok(decided.await?.map(|decided| {
        let (found, id) = match decided {
            Decided::Done(found) => (found, Some(id)),
            Decided::Remembered(found, id) => (found, ScheduleExceptionId::parse(&id)),
        };
        let exception = found.schedule.as_ref().zip(id).and_then(|(schedule, id)| schedule.exception(id)).cloned();
        ChangedSchedule::of(exception, found)
    }))
}
