//! Changing a window of a schedule.

use switchboard_domain::change::Change;
use switchboard_domain::ids::{AgentId, ScheduleWindowId};
use switchboard_domain::schedule::{self, Window, WindowPatch};

use super::change::{ChangedSchedule, Decided, change};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateWindow {
    /// The agent; the viewer when nobody is named.
    pub agent: Option<GivenId<AgentId>>,
    /// The window.
    pub window: GivenId<ScheduleWindowId>,
    /// The values.
    pub patch: WindowPatch,
    /// The version of the schedule the client read; whichever it is when none is given.
    pub expected_version: Option<i32>,
}

/// Changes a window; nothing is written when that changes nothing. 2 requests: 2 R, and 1 W per started KB of the schedule (about 0.2 KB a window or
/// exception), 1 R more per 4 KB of it; again as much each time another change of the schedule was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `schedule:update`, [`AppError::NotFound`] also for a deleted agent and for one outside the viewer's scope; those of the
/// database. What a person can mend is in the inner result: `NOT_FOUND` when the schedule has no such window.
pub async fn update_window(services: &Services, viewer: &Viewer, request: UpdateWindow) -> Result<Result<ChangedSchedule<Window>, Vec<UserError>>, AppError> {
    let UpdateWindow { agent, window: id, patch, expected_version } = request;
    let made = Change::new("schedule.window_updated", services.clock.now(), viewer.origin());
    let decided = change(services, viewer, agent, None, |_, before| schedule::update_window(before, id, expected_version, &patch, made.clone())).await?;
    let (Decided::Done(found) | Decided::Remembered(found, _)) = match decided {
        Ok(decided) => decided,
        Err(errors) => return Ok(Err(errors)),
    };
    let window = found.schedule.as_ref().zip(id).and_then(|(schedule, id)| schedule.window(id)).cloned();
    let window = window.ok_or_else(|| AppError::Broken("a window that was changed isn't there".to_owned()))?;
    Ok(Ok(ChangedSchedule::of(window, found)))
}
