//! When an agent can be booked: windows of time, once or recurring, and exceptions on top of them, by the clocks of the agent's zone.

mod occurrences;
mod rules;
mod slots;

pub use occurrences::{TimeRange, availability, since_the_day_before};
pub use rules::{ExceptionInput, WindowInput, WindowPatch, add_exception, add_window, check_version, remove_exception, remove_window, update_window, version_of};
pub use slots::slots;

use std::collections::BTreeSet;

use jiff::civil::{self, Date};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::{AgentId, ScheduleExceptionId, ScheduleWindowId};
use crate::tenant_settings::clock_time;

/// Most windows of one schedule.
pub const MAX_WINDOWS: usize = 50;
/// Most exceptions of one schedule.
pub const MAX_EXCEPTIONS: usize = 200;
/// Longest note of an exception, in characters.
pub const NOTE_LENGTH: usize = 255;
/// Minutes of a day on the clock.
pub const DAY_MINUTES: u16 = 24 * 60;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Weekday {
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

impl Weekday {
    /// The day of the week of a date.
    #[must_use]
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            civil::Weekday::Monday => Self::Monday,
            civil::Weekday::Tuesday => Self::Tuesday,
            civil::Weekday::Wednesday => Self::Wednesday,
            civil::Weekday::Thursday => Self::Thursday,
            civil::Weekday::Friday => Self::Friday,
            civil::Weekday::Saturday => Self::Saturday,
            civil::Weekday::Sunday => Self::Sunday,
        }
    }
}

/// How a window comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Recurrence {
    /// Not at all.
    Once,
    /// Every day.
    Daily,
    /// Every week, on some of its days.
    Weekly,
}

/// A time in which an agent can be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its id.
    pub id: ScheduleWindowId,
    /// The first day on which it may begin; the only one when it doesn't come again.
    pub date: Date,
    /// When it begins, in minutes after midnight.
    pub start: u16,
    /// When it ends, in minutes after midnight, at most [`DAY_MINUTES`].
    pub end: u16,
    /// It ends on the day after the one on which it begins, 24 hours later at most.
    pub ends_next_day: bool,
    /// How it comes again.
    pub recurrence: Recurrence,
    /// The days on which it begins, when it comes again every week; else none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub weekdays: BTreeSet<Weekday>,
    /// The last day on which it may begin; it goes on for ever when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// Why an agent can't be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExceptionKind {
    /// Nobody works.
    Holiday,
    /// The agent doesn't.
    Away,
}

/// A time in which an agent can't be booked, whatever the windows say: whole days, or from a time of the first to a time of the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Its id.
    pub id: ScheduleExceptionId,
    /// The first day.
    pub date: Date,
    /// The last day, which may be the first.
    pub until: Date,
    /// When it begins on the first day, in minutes after midnight; with the day when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u16>,
    /// When it ends on the last day, in minutes after midnight, at most [`DAY_MINUTES`]; with the day when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u16>,
    /// Why.
    pub kind: ExceptionKind,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An agent's schedule. There is none until something is put into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Whose it is.
    pub agent: AgentId,
    /// What all records have.
    pub record: Revisioned,
    /// At most [`MAX_WINDOWS`], in the order in which they were added.
    pub windows: Vec<Window>,
    /// At most [`MAX_EXCEPTIONS`], in the order in which they were added.
    pub exceptions: Vec<Exception>,
}

impl Schedule {
    /// A window by its id.
    #[must_use]
    pub fn window(&self, id: ScheduleWindowId) -> Option<&Window> {
        self.windows.iter().find(|window| window.id == id)
    }

    /// An exception by its id.
    #[must_use]
    pub fn exception(&self, id: ScheduleExceptionId) -> Option<&Exception> {
        self.exceptions.iter().find(|exception| exception.id == id)
    }
}

impl Window {
    fn audit_value(&self) -> Value {
        json!({
            "date": self.date,
            "startTime": clock_time(self.start),
            "endTime": clock_time(self.end),
            "endsNextDay": self.ends_next_day,
            "recurrence": self.recurrence,
            "weekdays": self.weekdays,
            "until": self.until,
        })
    }
}

impl Exception {
    fn audit_value(&self) -> Value {
        json!({
            "date": self.date,
            "untilDate": self.until,
            "startTime": self.start.map(clock_time),
            "endTime": self.end.map(clock_time),
            "kind": self.kind,
            "note": self.note,
        })
    }
}

impl Audited for Schedule {
    const ENTITY_TYPE: &'static str = "schedule";

    fn audit_fields(&self) -> Fields {
        let windows = self.windows.iter().map(|window| (format!("windows.{}", window.id), window.audit_value()));
        let exceptions = self.exceptions.iter().map(|exception| (format!("exceptions.{}", exception.id), exception.audit_value()));
        windows.chain(exceptions).collect()
    }
}
