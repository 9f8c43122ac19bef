//! The schedules of agents: when they can be booked, changed by themselves and by who looks after them, and what is free of it.
//!
//! A schedule is one record, read and written as a whole. Each change is decided on the schedule as it is and decided anew when somebody was faster, so
//! that of changes made at the same moment none is lost; who wants to decide on what they have read says its version.

mod add_exception;
mod add_window;
mod change;
mod free_slots;
mod read;
mod remove_exception;
mod remove_window;
mod update_window;

pub use add_exception::{AddException, add_exception};
pub use add_window::{AddWindow, add_window};
pub use change::ChangedSchedule;
pub use free_slots::{BUFFERS, DURATIONS, FreeSlot, FreeSlots, MOST_SLOT_DAYS, free_slots};
pub use read::{AgentSchedule, MOST_DAYS, of_agent};
pub use remove_exception::{RemoveException, remove_exception};
pub use remove_window::{RemoveWindow, remove_window};
pub use update_window::{UpdateWindow, update_window};

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use switchboard_domain::person::Agent;
use switchboard_domain::schedule::{Schedule, TimeRange, availability};

use crate::error::AppError;
use crate::viewer::Viewer;

/// The name of the zone an agent's schedule is in: their own, or the tenant's.
fn zone_name<'a>(viewer: &'a Viewer, agent: &'a Agent) -> &'a str {
    agent.time_zone.as_deref().unwrap_or(&viewer.tenant.record.time_zone)
}

/// The zone an agent's schedule is in.
fn zone(viewer: &Viewer, agent: &Agent) -> TimeZone {
    TimeZone::get(zone_name(viewer, agent)).unwrap_or(TimeZone::UTC)
}

/// When an agent can be booked within a stretch of time: never, once they have left the staff directory.
fn bookable(viewer: &Viewer, agent: &Agent, schedule: Option<&Schedule>, within: TimeRange) -> Vec<TimeRange> {
    match schedule {
        Some(schedule) if agent.deleted_at.is_none() => availability(schedule, &zone(viewer, agent), within),
        _ => Vec::new(),
    }
}

/// That a stretch of time has a length, of so many days at most. Clocks that are set back make the longest one up to two hours longer.
fn check_stretch(within: TimeRange, most_days: i64) -> Result<(), AppError> {
    let length = within.to.duration_since(within.from);
    if length <= SignedDuration::ZERO {
        return Err(AppError::Asked("to is not after from. Give a later time.".to_owned()));
    }
    if length > SignedDuration::from_hours(most_days * 24 + 2) {
        return Err(AppError::Asked(format!("From from to to are more than {most_days} days. Ask for one part after another.")));
    }
    Ok(())
}
