//! What agents are doing: said by themselves or by a supervisor, kept alive by heartbeats, and read to hand out work.
//!
//! Every change is decided on the presence as it is, and decided anew when somebody was faster, so that two devices of an agent, and a supervisor, don't undo
//! what another did. What a change ends is written with it: the times in a status, and the calls that are counted by the tenant's day.

mod available;
mod heartbeat;
mod read;
mod timeline;
mod update;

pub use available::available;
pub use heartbeat::heartbeat;
pub use read::{PresenceToday, calls_today, today};
pub use timeline::{AgentTimeline, timeline};
pub use update::{UpdatePresence, update};

use std::sync::Arc;

use jiff::SignedDuration;
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::person::Agent;
use switchboard_domain::presence::{Moment, Presence, SeenPresence, Step};
use switchboard_store::presence;

use crate::error::{AppError, UserError};
use crate::people::{back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// How often a change is decided anew because others were faster: twice as often as elsewhere, because all devices of an agent meet at one record.
const ATTEMPTS: usize = 2 * crate::people::ATTEMPTS;

/// An agent, and what they are doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentPresence {
    /// The agent.
    pub agent: Arc<Agent>,
    /// What they are doing, as it looked when it was written.
    pub presence: SeenPresence,
}

/// Who is no agent has no presence.
fn no_agent() -> UserError {
    let message = "You are not in the staff directory, so you have no presence. Ask to be made an agent, or name one.";
    UserError::new("agentId", FieldErrorCode::NotFound, message)
}

fn timeout(viewer: &Viewer) -> SignedDuration {
    viewer.tenant.record.heartbeat_timeout()
}

/// Decides on an agent's presence as it is, and writes what comes of it, if anything does. 1 request and 1 R, and 1 request and 1 W and 1 for index 2; when
/// a status or a call ends with it, that is a transaction of 2 W and up to 2 for index 2, and 2 W for each. Again as much each time somebody was faster.
async fn write(
    services: &Services,
    viewer: &Viewer,
    agent: &Arc<Agent>,
    decide: impl Fn(&Presence, Moment) -> Result<Option<Step>, FieldError>,
) -> Result<Result<AgentPresence, Vec<UserError>>, AppError> {
    let (core, tenant) = (&services.core, &viewer.tenant);
    for attempt in 0..ATTEMPTS {
        let before = presence::get(core, &tenant.scope, agent.id).await?.unwrap_or_else(|| Presence::unseen(agent));
        // Anew in every attempt: time went by.
        let now = services.clock.now();
        let step = match decide(&before, Moment::new(now, timeout(viewer))) {
            Ok(step) => step,
            Err(error) => return Ok(Err(vec![error.into()])),
        };
        let is_written = match &step {
            None => true,
            Some(step) => presence::save(core, &tenant.scope, step, step.ended_call.map(|ended| tenant.record.day_of(ended))).await?,
        };
        if is_written {
            let after = step.map_or(before, |step| step.after);
            return Ok(Ok(AgentPresence { agent: Arc::clone(agent), presence: after.seen(now, timeout(viewer)) }));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}
