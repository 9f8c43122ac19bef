//! The schedules of agents, and what is free of them.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::ScheduleMutation;
pub(crate) use query::ScheduleQuery;
pub(crate) use types::{AgentSchedule, FreeSlot, Recurrence, ScheduleException, ScheduleExceptionKind, ScheduleWindow, Weekday};
