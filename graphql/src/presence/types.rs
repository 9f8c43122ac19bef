//! A presence, and a day of an agent, as clients see them.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use switchboard_app::AppError;
use switchboard_app::presence::{self as use_cases, AgentPresence, calls_today};
use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person;
use switchboard_domain::presence::{self, SeenPresence};

use crate::agent::Agent;
use crate::context::ContextExt;
use crate::errors::{app_error, shared_error};
use crate::scalars::{Date, DateTime};

/// What an agent is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "presence::PresenceStatus")]
pub(crate) enum PresenceStatus {
    /// Ready for work.
    Available,
    /// At work on something.
    Busy,
    /// On a break.
    OnBreak,
    /// In a meeting.
    InMeeting,
    /// Away from their place.
    Away,
    /// Not there, or silent for longer than the tenant's heartbeat timeout.
    Offline,
}

/// What an agent is doing now.
#[derive(Clone)]
pub(crate) struct Presence {
    agent: AgentId,
    seen: SeenPresence,
    /// Calls that ended today; read when asked for if they aren't known.
    calls: Option<u32>,
}

impl From<&AgentPresence> for Presence {
    fn from(written: &AgentPresence) -> Self {
        Self { agent: written.agent.id, seen: written.presence.clone(), calls: None }
    }
}

#[Object]
impl Presence {
    /// What they are doing. Who was never there is OFFLINE, and so is who is silent.
    async fn status(&self) -> PresenceStatus {
        self.seen.status.into()
    }

    /// Why they are on a break, if they said so.
    async fn break_reason(&self) -> Option<&str> {
        self.seen.break_reason.as_deref()
    }

    /// Whether they take leads, whatever they are doing.
    async fn accepting_leads(&self) -> bool {
        self.seen.accepting_leads
    }

    /// Whether a device of theirs tells of a call.
    async fn on_call(&self) -> bool {
        self.seen.on_call
    }

    /// Calls that ended on the tenant's present day.
    async fn calls_today(&self, ctx: &Context<'_>) -> Result<u32> {
        match self.calls {
            Some(calls) => Ok(calls),
            None => calls_today(&ctx.api().services, ctx.viewer(), self.agent).await.map_err(app_error),
        }
    }

    /// For how long they have been on the call; 0 when they are on none.
    async fn current_call_seconds(&self) -> u32 {
        self.seen.current_call_seconds
    }

    /// Since when they are doing it, or are back from silence; of who is silent, since when that counts.
    async fn since(&self) -> DateTime {
        self.seen.since.into()
    }

    /// Their last heartbeat, or the last change they made themselves.
    async fn last_activity_at(&self) -> DateTime {
        self.seen.last_activity_at.into()
    }
}

/// What an agent is doing, for who may see it.
pub(crate) async fn of_agent(ctx: &Context<'_>, agent: &Arc<person::Agent>) -> Result<Presence> {
    if !ctx.viewer().reaches_agent(Permission::PresenceRead, agent).map_err(app_error)? {
        return Err(app_error(AppError::Forbidden));
    }
    let today = ctx.presences().load_one(agent.id).await.map_err(|error| shared_error(&error))?;
    let calls = today.as_ref().map_or(0, |today| today.calls);
    let seen = today.and_then(|today| today.presence.clone()).unwrap_or_else(|| {
        let (now, timeout) = (ctx.api().services.clock.now(), ctx.viewer().tenant.record.heartbeat_timeout());
        presence::Presence::unseen(agent).seen(now, timeout)
    });
    Ok(Presence { agent: agent.id, seen, calls: Some(calls) })
}

/// How long a status took on a day.
#[derive(SimpleObject)]
pub(crate) struct PresenceTotal {
    /// The status.
    status: PresenceStatus,
    /// In whole seconds.
    seconds: u32,
}

/// A time for which an agent was in one status.
#[derive(SimpleObject)]
pub(crate) struct PresenceSegment {
    /// The status; silence is OFFLINE.
    status: PresenceStatus,
    /// Why they were on a break, if they said so.
    break_reason: Option<String>,
    /// When it began; not before the day did.
    from: DateTime,
    /// When it ended: with the day, or now, if it goes on.
    to: DateTime,
}

/// What an agent did on one of the tenant's days.
pub(crate) struct AgentTimeline(pub(crate) use_cases::AgentTimeline);

#[Object]
impl AgentTimeline {
    /// The agent.
    async fn agent(&self) -> Agent {
        self.0.agent.clone().into()
    }

    /// The day, which begins when the tenant's calling day does.
    async fn date(&self) -> Date {
        Date(self.0.date)
    }

    /// How long each status took up to now, of those there were.
    #[graphql(complexity = "6 * child_complexity")]
    async fn totals(&self) -> Vec<PresenceTotal> {
        self.0.totals.iter().map(|(status, seconds)| PresenceTotal { status: (*status).into(), seconds: *seconds }).collect()
    }

    /// The times in one status, one after the other, up to now. Nothing is said of the time before the agent was there for the first time.
    #[graphql(complexity = "50 * child_complexity")]
    async fn segments(&self) -> Vec<PresenceSegment> {
        let of = |segment: &presence::Segment| PresenceSegment {
            status: segment.status.into(),
            break_reason: segment.break_reason.clone(),
            from: segment.from.into(),
            to: segment.to.into(),
        };
        self.0.segments.iter().map(of).collect()
    }

    /// Calls that ended on the day.
    async fn calls(&self) -> u32 {
        self.0.calls
    }
}
