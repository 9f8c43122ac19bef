//! Schedules and free times as clients see them.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object};
use switchboard_app::schedules;
use switchboard_domain::schedule::{self, version_of};
use switchboard_domain::tenant_settings::clock_time;

use crate::agent::Agent;
use crate::scalars::{Date, DateTime};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "schedule::Weekday")]
pub(crate) enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// How a window comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "schedule::Recurrence")]
pub(crate) enum Recurrence {
    /// Not at all.
    Once,
    /// Every day.
    Daily,
    /// Every week, on some of its days.
    Weekly,
}

/// Why an agent can't be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "schedule::ExceptionKind")]
pub(crate) enum ScheduleExceptionKind {
    /// Nobody works.
    Holiday,
    /// The agent doesn't.
    Away,
}

/// When an agent can be booked.
pub(crate) struct AgentSchedule {
    agent: Agent,
    found: schedules::AgentSchedule,
}

impl From<schedules::AgentSchedule> for AgentSchedule {
    fn from(found: schedules::AgentSchedule) -> Self {
        Self { agent: Agent(Arc::new(found.agent.clone())), found }
    }
}

#[Object]
impl AgentSchedule {
    /// Whose it is.
    async fn agent(&self) -> &Agent {
        &self.agent
    }

    /// IANA time zone of its days and times: the agent's own, or the tenant's.
    async fn time_zone(&self) -> &str {
        &self.found.time_zone
    }

    /// The times in which the agent can be booked, in the order in which they were added; at most 50.
    #[graphql(complexity = "20 * child_complexity")]
    async fn windows(&self) -> Vec<ScheduleWindow> {
        self.found.schedule.iter().flat_map(|schedule| &schedule.windows).cloned().map(ScheduleWindow).collect()
    }

    /// The times in which they can't, whatever the windows say, in the order in which they were added; at most 200.
    #[graphql(complexity = "20 * child_complexity")]
    async fn exceptions(&self) -> Vec<ScheduleException> {
        self.found.schedule.iter().flat_map(|schedule| &schedule.exceptions).cloned().map(ScheduleException).collect()
    }

    /// What the windows come to in the time asked for, less the exceptions: apart from each other, in order. None for an agent who was deleted.
    #[graphql(complexity = "100 * child_complexity")]
    async fn availability(&self) -> Vec<TimeRange> {
        self.found.availability.iter().copied().map(TimeRange).collect()
    }

    /// Counts the changes of windows and exceptions: give it as `expectedVersion`. 0 while there never were any.
    async fn version(&self) -> u32 {
        version_of(self.found.schedule.as_ref())
    }
}

/// A time in which an agent can be booked, by the clocks of the schedule's zone. A time that they skip is the moment at which they change; of one that
/// they show twice the first is meant.
pub(crate) struct ScheduleWindow(pub(crate) schedule::Window);

#[Object]
impl ScheduleWindow {
    /// Opaque; the same for the window's life.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// The first day on which it may begin; the only one when it doesn't come again.
    async fn date(&self) -> Date {
        Date(self.0.date)
    }

    /// When it begins, as `HH:MM`.
    async fn start_time(&self) -> String {
        clock_time(self.0.start)
    }

    /// When it ends, as `HH:MM`, up to `24:00`.
    async fn end_time(&self) -> String {
        clock_time(self.0.end)
    }

    /// It ends on the day after the one on which it begins.
    async fn ends_next_day(&self) -> bool {
        self.0.ends_next_day
    }

    /// How it comes again.
    async fn recurrence(&self) -> Recurrence {
        self.0.recurrence.into()
    }

    /// The days on which it begins, when it comes again every week; else none.
    async fn weekdays(&self) -> Vec<Weekday> {
        self.0.weekdays.iter().copied().map(Weekday::from).collect()
    }

    /// The last day on which it may begin; null when it goes on for ever, and when it doesn't come again.
    async fn until(&self) -> Option<Date> {
        self.0.until.map(Date)
    }
}

/// A time in which an agent can't be booked, whatever the windows say, by the clocks of the schedule's zone.
pub(crate) struct ScheduleException(pub(crate) schedule::Exception);

#[Object]
impl ScheduleException {
    /// Opaque; the same for the exception's life.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// The first day.
    async fn date(&self) -> Date {
        Date(self.0.date)
    }

    /// The last day, which may be the first.
    async fn until_date(&self) -> Date {
        Date(self.0.until)
    }

    /// When it begins on the first day, as `HH:MM`; null when it begins with it.
    async fn start_time(&self) -> Option<String> {
        self.0.start.map(clock_time)
    }

    /// When it ends on the last day, as `HH:MM`; null when it ends with it.
    async fn end_time(&self) -> Option<String> {
        self.0.end.map(clock_time)
    }

    /// Why.
    async fn kind(&self) -> ScheduleExceptionKind {
        self.0.kind.into()
    }

    /// More about it.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }
}

/// A stretch of time.
pub(crate) struct TimeRange(schedule::TimeRange);

#[Object]
impl TimeRange {
    /// Its first moment.
    async fn starts_at(&self) -> DateTime {
        self.0.from.into()
    }

    /// The moment at which it is over.
    async fn ends_at(&self) -> DateTime {
        self.0.to.into()
    }
}

/// A time in which an agent can be booked.
pub(crate) struct FreeSlot(pub(crate) schedules::FreeSlot);

#[Object]
impl FreeSlot {
    /// The agent.
    async fn agent(&self) -> Agent {
        Agent(Arc::clone(&self.0.agent))
    }

    /// Its first moment.
    async fn starts_at(&self) -> DateTime {
        self.0.time.from.into()
    }

    /// The moment at which it is over.
    async fn ends_at(&self) -> DateTime {
        self.0.time.to.into()
    }
}
