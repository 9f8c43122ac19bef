//! Removing an exception from a schedule.

use switchboard_domain::change::Change;
use switchboard_domain::ids::{AgentId, ScheduleExceptionId};
use switchboard_domain::schedule;

use super::change::{ChangedSchedule, Decided, change};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// An exception to be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemoveException {
    /// The agent; the viewer when nobody is named.
    pub agent: Option<GivenId<AgentId>>,
    /// The exception.
    pub exception: GivenId<ScheduleExceptionId>,
    /// The version of the schedule the client read; whichever it is when none is given.
    pub expected_version: Option<i32>,
}

/// Removes an exception; what it was stays on record. Costs what [`super::update_window`] does.
///
/// # Errors
/// As [`super::update_window`]; `NOT_FOUND` when the schedule has no such exception.
pub async fn remove_exception(services: &Services, viewer: &Viewer, request: RemoveException) -> Result<Result<ChangedSchedule<()>, Vec<UserError>>, AppError> {
    let RemoveException { agent, exception, expected_version } = request;
    let made = Change::new("schedule.exception_removed", services.clock.now(), viewer.origin());
    let remove = |_, before: Option<&_>| schedule::remove_exception(before, exception, expected_version, made.clone()).map(Some).map_err(|error| vec![error]);
    let decided = change(services, viewer, agent, None, remove).await?;
    Ok(decided.map(|(Decided::Done(found) | Decided::Remembered(found, _))| ChangedSchedule::of((), found)))
}
