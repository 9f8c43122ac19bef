//! Adding a window to a schedule.

use switchboard_domain::change::Change;
use switchboard_domain::ids::{AgentId, ScheduleWindowId};
use switchboard_domain::schedule::{self, Window, WindowInput};

use super::change::{ChangedSchedule, Creation, Decided, change};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// A window to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddWindow {
    /// The agent; the viewer when nobody is named.
    pub agent: Option<GivenId<AgentId>>,
    /// The values.
    pub input: WindowInput,
    /// The version of the schedule the client read, 0 when there was none; whichever it is when none is given.
    pub expected_version: Option<i32>,
    /// The client's own key for this window: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// Adds a window to an agent's schedule. None in the answer when an earlier request with the same key added it and it was removed since.
/// 2 requests: 2 R, and 1 W per started KB of the schedule (about 0.2 KB a window or exception), 1 R more per 4 KB of it; with an idempotency key
/// 1 request and 1 R more, and twice those W and 2. Again as much each time another change of the schedule was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `schedule:update`, [`AppError::NotFound`] also for a deleted agent and for one outside the viewer's scope; those of the
/// database. What a person can mend is in the inner result.
pub async fn add_window(services: &Services, viewer: &Viewer, request: AddWindow) -> Result<Result<ChangedSchedule<Option<Window>>, Vec<UserError>>, AppError> {
    let AddWindow { agent, input, expected_version, idempotency_key } = request;
    let now = services.clock.now();
    let id = ScheduleWindowId::new(now, &services.entropy.id());
    let made = Change::new("schedule.window_added", now, viewer.origin());
    let creation = Creation::of("scheduleAddWindow", idempotency_key, (&input, expected_version), id)?;
    let decided = change(services, viewer, agent, Some(&creation), |agent, before| {
        if before.is_some_and(|before| before.window(id).is_some()) {
            return Ok(None);
        }
        schedule::add_window(before, agent, id, expected_version, &input, made.clone()).map(Some)
    });
    Ok(decided.await?.map(|decided| {
        let (found, id) = match decided {
            Decided::Done(found) => (found, Some(id)),
            Decided::Remembered(found, id) => (found, ScheduleWindowId::parse(&id)),
        };
        let window = found.schedule.as_ref().zip(id).and_then(|(schedule, id)| schedule.window(id)).cloned();
        ChangedSchedule::of(window, found)
    }))
}
