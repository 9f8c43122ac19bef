//! Removing a window from a schedule.

use switchboard_domain::change::Change;
use switchboard_domain::ids::{AgentId, ScheduleWindowId};
use switchboard_domain::schedule;

use super::change::{ChangedSchedule, Decided, change};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// A window to be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemoveWindow {
    /// The agent; the viewer when nobody is named.
    pub agent: Option<GivenId<AgentId>>,
    /// The window.
    pub window: GivenId<ScheduleWindowId>,
    /// The version of the schedule the client read; whichever it is when none is given.
    pub expected_version: Option<i32>,
}

/// Removes a window; what it was stays on record. Costs what [`super::update_window`] does.
///
/// # Errors
/// As [`super::update_window`].
pub async fn remove_window(services: &Services, viewer: &Viewer, request: RemoveWindow) -> Result<Result<ChangedSchedule<()>, Vec<UserError>>, AppError> {
    let RemoveWindow { agent, window, expected_version } = request;
    let made = Change::new("schedule.window_removed", services.clock.now(), viewer.origin());
    let remove = |_, before: Option<&_>| schedule::remove_window(before, window, expected_version, made.clone()).map(Some).map_err(|error| vec![error]);
    let decided = change(services, viewer, agent, None, remove).await?;
    Ok(decided.map(|(Decided::Done(found) | Decided::Remembered(found, _))| ChangedSchedule::of((), found)))
}
