//! The mutations of presences.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::presence::{self, AgentPresence, UpdatePresence};
use switchboard_domain::presence::{Heartbeat, PresencePatch};

use super::{Presence, PresenceStatus};
use crate::agent::Agent;
use crate::contact::agent_id;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};

/// A presence to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct PresenceUpdateInput {
    /// The agent; yourself when not given.
    agent_id: Option<ID>,
    /// What they are doing.
    status: Option<PresenceStatus>,
    /// Why they are on a break, in at most 255 characters: NOT_ALLOWED with any other status. It ends with the break.
    break_reason: MaybeUndefined<String>,
    /// Whether they take leads, whatever they are doing.
    accepting_leads: Option<bool>,
    /// Why it is changed, in at most 1,000 characters; it stays on record. Somebody else's presence isn't changed without.
    reason: Option<String>,
}

/// A sign of life of your own.
#[derive(InputObject)]
pub(crate) struct PresenceHeartbeatInput {
    /// The name of the device, in at most 100 characters: a call is ended by the device that began it.
    device_id: Option<String>,
    /// Whether a call is on; when not given, nothing is said of calls.
    on_call: Option<bool>,
    /// For how long the call has been on, 0 to 86,400.
    current_call_seconds: Option<i32>,
}

/// What came of changing a presence.
#[derive(SimpleObject)]
pub(crate) struct PresenceUpdatePayload {
    /// The agent; null exactly when there are errors.
    agent: Option<Agent>,
    /// What they are doing now; null exactly when there are errors.
    presence: Option<Presence>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of a sign of life.
#[derive(SimpleObject)]
pub(crate) struct PresenceHeartbeatPayload {
    /// Yourself; null exactly when there are errors.
    agent: Option<Agent>,
    /// What you are doing now; null exactly when there are errors.
    presence: Option<Presence>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// The agent, their presence, and what to mend.
fn told(answer: std::result::Result<AgentPresence, Vec<AppUserError>>) -> (Option<Agent>, Option<Presence>, Vec<UserError>) {
    match answer {
        Ok(written) => (Some(Agent(written.agent.clone())), Some(Presence::from(&written)), Vec::new()),
        Err(errors) => (None, None, errors.into_iter().map(UserError::from).collect()),
    }
}

/// The mutations of presences.
#[derive(Default)]
pub(crate) struct PresenceMutation;

#[Object]
impl PresenceMutation {
    /// Says what you are doing, which is a sign of life too; or, with a reason, what somebody else is. The first time there is nothing to be made before.
    async fn presence_update(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: PresenceUpdateInput) -> Result<PresenceUpdatePayload> {
        let patch = PresencePatch { status: input.status.map(Into::into), break_reason: input.break_reason.into(), accepting_leads: input.accepting_leads };
        let request = UpdatePresence { agent: input.agent_id.as_ref().map(agent_id), patch, reason: input.reason };
        let answer = presence::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?;
        let (agent, presence, user_errors) = told(answer);
        Ok(PresenceUpdatePayload { agent, presence, user_errors })
    }

    /// Says that you are still there. Who isn't heard of for longer than the tenant's heartbeat timeout counts as OFFLINE, and is back with the next
    /// heartbeat. It changes no status. A call is counted, once, when the device that began it says that it is over, or has been silent for that long.
    async fn presence_heartbeat(&self, ctx: &Context<'_>, #[graphql(desc = "What the device knows.")] input: PresenceHeartbeatInput) -> Result<PresenceHeartbeatPayload> {
        let given = Heartbeat { device: input.device_id, on_call: input.on_call, current_call_seconds: input.current_call_seconds };
        let answer = presence::heartbeat(&ctx.api().services, ctx.viewer(), &given).await.map_err(app_error)?;
        let (agent, presence, user_errors) = told(answer);
        Ok(PresenceHeartbeatPayload { agent, presence, user_errors })
    }
}
