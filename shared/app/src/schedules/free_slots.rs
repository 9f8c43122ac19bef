//! What is free of schedules, in slots of one length: of one agent's, or of those of all in a team.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::person::{Agent, UserStatus};
use switchboard_domain::schedule::{TimeRange, since_the_day_before, slots};
use switchboard_domain::tenant_settings::MOST_BOOKING_BUFFER_MINUTES;
use switchboard_store::{Freshness, people, schedules};

use super::{bookable, check_stretch, zone};
use crate::GivenId;
use crate::error::AppError;
use crate::services::Services;
use crate::teams;
use crate::viewer::Viewer;

/// Most days in which slots are looked for.
pub const MOST_SLOT_DAYS: i64 = 31;
/// How many minutes a slot can have.
pub const DURATIONS: RangeInclusive<u16> = 5..=1_440;
/// How many minutes there can be between two slots.
pub const BUFFERS: RangeInclusive<u16> = 0..=MOST_BOOKING_BUFFER_MINUTES;
/// Agents who are read at once, each with their schedule: what one request of the database takes.
const AT_ONCE: usize = 50;

/// The slots that are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSlots {
    /// An agent.
    pub agent: Option<GivenId<AgentId>>,
    /// Or a team.
    pub team: Option<GivenId<TeamId>>,
    /// When.
    pub within: TimeRange,
    /// How many minutes each has.
    pub duration_minutes: i32,
    /// How many minutes there are between one and the next; the tenant's when none are given.
    pub buffer_minutes: Option<i32>,
    /// How many.
    pub first: usize,
}

/// A time in which an agent can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeSlot {
    /// The agent.
    pub agent: Arc<Agent>,
    /// The time.
    pub time: TimeRange,
}

/// The first slots that are free from now on, by time and then by agent. They are laid from the beginning of each free time on, the buffer between one
/// and the next, wherever in it the time asked for begins; of a free time that goes on from more than a day before, from the beginning of the day before.
/// Agents who are deleted, disabled, not there, or outside the viewer's scope have none.
///
/// Of an agent 2 requests, 1 R, half an R more per 4 KB of the schedule; of a team 1 request more for its members (1 R per 4 KB, about 250 bytes a member),
/// and 2 for each 50 of them. Up to a second behind.
///
/// # Errors
/// [`AppError::Forbidden`] without `schedule:read`, [`AppError::Asked`] for what can't be; those of the database.
pub async fn free_slots(services: &Services, viewer: &Viewer, request: FreeSlots) -> Result<Vec<FreeSlot>, AppError> {
    let reach = viewer.scope(Permission::ScheduleRead)?;
    let FreeSlots { within, first, .. } = request;
    check_stretch(within, MOST_SLOT_DAYS)?;
    let duration = minutes("durationMinutes", request.duration_minutes, &DURATIONS)?;
    let buffer = match request.buffer_minutes {
        Some(given) => minutes("bufferMinutes", given, &BUFFERS)?,
        None => viewer.tenant.record.booking_buffer_minutes,
    };
    let mut agents = match (request.agent, request.team) {
        (Some(agent), None) => agent.into_iter().collect(),
        (None, Some(Some(team))) => teams::all_members(services, &viewer.tenant.scope, team).await?,
        (None, Some(None)) => Vec::new(),
        (None, None) => return Err(AppError::Asked("Neither agentId nor teamId is given. Give one of them.".to_owned())),
        (Some(_), Some(_)) => return Err(AppError::Asked("Both agentId and teamId are given. Give only one of them.".to_owned())),
    };
    if reach == Scope::Own {
        agents.retain(|agent| *agent == viewer.agent());
    }
    let now = services.clock.now();
    let mut free: Vec<FreeSlot> = Vec::new();
    for agents in agents.chunks(AT_ONCE) {
        let users: Vec<UserId> = agents.iter().map(|agent| (*agent).into()).collect();
        let users = people::directory(&services.core, &viewer.tenant.scope, &users, &[], &[], Freshness::Eventual).await?.users;
        let disabled: HashSet<AgentId> = users.iter().filter(|user| user.status == UserStatus::Disabled).map(|user| user.id.into()).collect();
        for (agent, schedule) in schedules::of_agents(&services.core, &viewer.tenant.scope, agents, Freshness::Eventual).await? {
            if disabled.contains(&agent.id) || !viewer.reaches_agent(Permission::ScheduleRead, &agent)? {
                continue;
            }
            let ranges = bookable(viewer, &agent, schedule.as_ref(), since_the_day_before(within, &zone(viewer, &agent)));
            let agent = Arc::new(agent);
            free.extend(slots(&ranges, duration, buffer, now.max(within.from)).take(first).map(|time| FreeSlot { agent: Arc::clone(&agent), time }));
        }
        free.sort_unstable_by_key(|slot| (slot.time, slot.agent.id));
        free.truncate(first);
    }
    Ok(free)
}

fn minutes(argument: &str, given: i32, allowed: &RangeInclusive<u16>) -> Result<u16, AppError> {
    let number = u16::try_from(given).ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| AppError::Asked(format!("{argument} is not from {} to {}. Give whole minutes.", allowed.start(), allowed.end())))
}
