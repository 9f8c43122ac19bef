//! How long an agent was in which status on one of the tenant's days.

use jiff::civil::Date;
use switchboard_domain::clock::to_millisecond;
use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Agent;
use switchboard_domain::presence::{self as rules, PresenceStatus, Segment};
use switchboard_store::{Freshness, people, presence};

use super::read::uncounted;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// A day of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentTimeline {
    /// The agent.
    pub agent: Agent,
    /// The tenant's day.
    pub date: Date,
    /// The times in one status, in their order. They begin with the first that was ever written of the agent, and go up to now.
    pub segments: Vec<Segment>,
    /// How many seconds each status took, of those there were.
    pub totals: Vec<(PresenceStatus, u32)>,
    /// Calls that ended on the day.
    pub calls: u32,
}

/// The day of an agent, a deleted one too; none outside the viewer's scope. A day to come is empty. 3 requests: 3 R, and 1 R per started 4 KB of segments
/// (about 250 bytes each), those of the day and 20 before it.
///
/// # Errors
/// [`AppError::Forbidden`] without `presence:read_timeline`; those of the database.
pub async fn timeline(services: &Services, viewer: &Viewer, agent: AgentId, date: Date) -> Result<Option<AgentTimeline>, AppError> {
    viewer.scope(Permission::PresenceReadTimeline)?;
    let (core, tenant) = (&services.core, &viewer.tenant);
    let found = people::agent(core, &tenant.scope, agent).await?;
    let Some(agent) = found.filter(|agent| viewer.reaches_agent(Permission::PresenceReadTimeline, agent).unwrap_or(false)) else {
        return Ok(None);
    };
    let (now, timeout, span) = (to_millisecond(services.clock.now()), tenant.record.heartbeat_timeout(), tenant.record.day_span(date));
    if span.0 >= now {
        return Ok(Some(AgentTimeline { agent, date, segments: Vec::new(), totals: Vec::new(), calls: 0 }));
    }
    // The presence first: what ends while this is read is then among the segments, which are newer and decide.
    let on_day = presence::on_day(core, &tenant.scope, &[agent.id], date, Freshness::Strong).await?.remove(&agent.id).unwrap_or_default();
    let segments = match &on_day.presence {
        None => Vec::new(),
        Some(present) => rules::timeline(&presence::segments(core, &tenant.scope, agent.id, span).await?, present, span, now, timeout),
    };
    let calls = on_day.calls.saturating_add(uncounted(tenant, on_day.presence.as_ref(), date, now));
    Ok(Some(AgentTimeline { agent, date, totals: rules::totals(&segments), segments, calls }))
}
