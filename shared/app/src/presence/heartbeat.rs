//! Staying present: a sign of life of one's own, which may tell of a call.

use std::sync::Arc;

use switchboard_domain::permission::Permission;
use switchboard_domain::presence::{self, Heartbeat};

use super::{AgentPresence, no_agent, write};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Keeps the viewer's own presence alive, and counts a call that ended. 2 requests: 1 R, 1 W and 1 for index 2; only the first of these when they were heard
/// of within the last second. When a call ends, a transaction of 4 W and 1 for index 2; for who comes back from silence one of 6 W and 2. Again as much each
/// time another device was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `presence:update`; those of the database. What a person can mend is in the inner result: `NOT_FOUND` on `agentId` for who
/// is no agent, `TOO_LONG` and `INVALID` for what can't be.
pub async fn heartbeat(services: &Services, viewer: &Viewer, given: &Heartbeat) -> Result<Result<AgentPresence, Vec<UserError>>, AppError> {
    viewer.scope(Permission::PresenceUpdate)?;
    let report = match presence::checked_heartbeat(given) {
        Ok(report) => report,
        Err(errors) => return Ok(Err(errors.into_iter().map(UserError::from).collect())),
    };
    let Some(agent) = viewer.agent_record.as_ref().map(Arc::clone) else {
        return Ok(Err(vec![no_agent()]));
    };
    let origin = viewer.origin();
    write(services, viewer, &agent, |before, moment| Ok(presence::heartbeat(before, report.as_ref(), moment, &origin))).await
}
