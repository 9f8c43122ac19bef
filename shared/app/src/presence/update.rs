//! Saying what an agent is doing: oneself, or somebody else with a reason.

use std::sync::Arc;

use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Agent;
use switchboard_domain::presence::{self, By, PresencePatch};
use switchboard_domain::text;
use switchboard_store::people;

use super::{AgentPresence, no_agent, write};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Longest reason, in characters.
const REASON_LENGTH: usize = 1_000;

/// What is to be changed.
#[derive(Debug, Clone, Default)]
pub struct UpdatePresence {
    /// The agent; oneself when not given.
    pub agent: Option<GivenId<AgentId>>,
    /// The values.
    pub patch: PresencePatch,
    /// Why; somebody else's presence isn't changed without.
    pub reason: Option<String>,
}

/// Changes a presence; the first change makes it. What one says oneself is a sign of life too, also when it is nothing new; what a supervisor says isn't. 2
/// requests: 1 R, 1 W and up to 2 for index 2; with another status a transaction of 4 W and up to 2 for index 2, 6 for who was silent. 1 request and 1 R more
/// for somebody else. Again as much each time another change was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `presence:update`, [`AppError::NotFound`] for a deleted agent and for one outside the viewer's scope; those of the
/// database. What a person can mend is in the inner result: `NOT_FOUND` on `agentId` for who is no agent themselves, `BLANK` for a missing reason.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdatePresence) -> Result<Result<AgentPresence, Vec<UserError>>, AppError> {
    viewer.scope(Permission::PresenceUpdate)?;
    let agent = match request.agent {
        None => match &viewer.agent_record {
            Some(agent) => Arc::clone(agent),
            None => return Ok(Err(vec![no_agent()])),
        },
        Some(given) => named(services, viewer, given).await?,
    };
    let by = if agent.id == viewer.agent() { By::Oneself } else { By::SomebodyElse };
    let reason = match reason(by, request.reason.as_deref()) {
        Ok(reason) => reason,
        Err(error) => return Ok(Err(vec![error.into()])),
    };
    let (patch, origin) = (request.patch, viewer.origin());
    write(services, viewer, &agent, |before, moment| presence::update(before, &patch, by, moment, &origin, reason.as_deref())).await
}

/// The agent that is named, when they are within the viewer's scope. 1 request and 1 R for somebody else.
async fn named(services: &Services, viewer: &Viewer, given: GivenId<AgentId>) -> Result<Arc<Agent>, AppError> {
    let id = given.ok_or(AppError::NotFound)?;
    if id == viewer.agent() {
        return viewer.agent_record.clone().ok_or(AppError::NotFound);
    }
    let found = people::agent(&services.core, &viewer.tenant.scope, id).await?;
    let agent = found.filter(|agent| agent.deleted_at.is_none()).ok_or(AppError::NotFound)?;
    if viewer.reaches_agent(Permission::PresenceUpdate, &agent)? { Ok(Arc::new(agent)) } else { Err(AppError::NotFound) }
}

fn reason(by: By, given: Option<&str>) -> Result<Option<String>, FieldError> {
    let reason = text::line("reason", given.unwrap_or_default(), REASON_LENGTH)?;
    if reason.is_none() && by == By::SomebodyElse {
        return Err(FieldError::new("reason", FieldErrorCode::Blank, "reason is empty. Say why you change somebody else's presence; it stays on record."));
    }
    Ok(reason)
}
