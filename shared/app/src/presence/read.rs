//! Reading what agents are doing.

use std::collections::HashMap;

use jiff::Timestamp;
use switchboard_domain::ids::AgentId;
use switchboard_domain::presence::{Presence, SeenPresence};
use switchboard_store::presence::{self, PresenceOnDay};
use switchboard_store::{Freshness, tenants::OpenTenant};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// What an agent is doing, and how many calls they had today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceToday {
    /// What they are doing; none of who was never there.
    pub presence: Option<SeenPresence>,
    /// Calls that ended on the tenant's present day.
    pub calls: u32,
}

/// Reads what agents are doing. Whether the viewer may see it is decided by who asks. 1 request per 50, 1 R each. Up to a second behind.
///
/// # Errors
/// Those of the database.
pub async fn today(services: &Services, viewer: &Viewer, agents: &[AgentId]) -> Result<HashMap<AgentId, PresenceToday>, AppError> {
    let (now, tenant) = (services.clock.now(), &viewer.tenant);
    let found = presence::on_day(&services.core, &tenant.scope, agents, tenant.record.day_of(now), Freshness::Eventual).await?;
    let timeout = tenant.record.heartbeat_timeout();
    let of = |on_day: PresenceOnDay| PresenceToday {
        calls: on_day.calls.saturating_add(uncounted(tenant, on_day.presence.as_ref(), tenant.record.day_of(now), now)),
        presence: on_day.presence.map(|presence| presence.seen(now, timeout)),
    };
    Ok(found.into_iter().map(|(agent, on_day)| (agent, of(on_day))).collect())
}

/// Reads how many calls of an agent ended today, everything that is written seen; what is over and not yet counted is none of them. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn calls_today(services: &Services, viewer: &Viewer, agent: AgentId) -> Result<u32, AppError> {
    let tenant = &viewer.tenant;
    Ok(presence::calls(&services.core, &tenant.scope, agent, tenant.record.day_of(services.clock.now())).await?)
}

/// A call that ended on a day by its device's silence, and that the next write will count.
pub(super) fn uncounted(tenant: &OpenTenant, presence: Option<&Presence>, day: jiff::civil::Date, now: Timestamp) -> u32 {
    let ended = presence.and_then(|presence| presence.lapsed_call(now, tenant.record.heartbeat_timeout()));
    u32::from(ended.is_some_and(|ended| tenant.record.day_of(ended) == day))
}
