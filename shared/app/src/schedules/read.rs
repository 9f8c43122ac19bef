//! Reading a schedule, and what it comes to in a stretch of time.

use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Agent;
use switchboard_domain::schedule::{Schedule, TimeRange};
use switchboard_store::{Freshness, schedules};

use super::{bookable, check_stretch, zone_name};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Most days for which a schedule is asked.
pub const MOST_DAYS: i64 = 92;

/// An agent's schedule, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSchedule {
    /// Whose it is.
    pub agent: Agent,
    /// IANA time zone of its days and times.
    pub time_zone: String,
    /// The schedule; none when nothing was ever put into it.
    pub schedule: Option<Schedule>,
    /// When the agent can be booked within the time asked for, in order; never, once they are deleted.
    pub availability: Vec<TimeRange>,
}

/// The schedule of an agent, a deleted one too, and what it comes to within a time of at most [`MOST_DAYS`] days; none outside the viewer's scope.
/// 1 request, 2 R, 1 more per 4 KB of the schedule (about 0.2 KB a window or exception).
///
/// # Errors
/// [`AppError::Forbidden`] without `schedule:read`, [`AppError::Asked`] for a time that is empty or too long; those of the database.
pub async fn of_agent(services: &Services, viewer: &Viewer, agent: AgentId, within: TimeRange) -> Result<Option<AgentSchedule>, AppError> {
    viewer.scope(Permission::ScheduleRead)?;
    check_stretch(within, MOST_DAYS)?;
    let found = schedules::of_agents(&services.core, &viewer.tenant.scope, &[agent], Freshness::Strong).await?;
    let Some((agent, schedule)) = found.into_iter().next() else {
        return Ok(None);
    };
    if !viewer.reaches_agent(Permission::ScheduleRead, &agent)? {
        return Ok(None);
    }
    let availability = bookable(viewer, &agent, schedule.as_ref(), within);
    Ok(Some(AgentSchedule { time_zone: zone_name(viewer, &agent).to_owned(), agent, schedule, availability }))
}
