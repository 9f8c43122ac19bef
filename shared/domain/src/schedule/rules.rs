//! Changing a schedule: what a window and an exception may say, and how many there may be.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use super::{DAY_MINUTES, Exception, ExceptionKind, MAX_EXCEPTIONS, MAX_WINDOWS, NOTE_LENGTH, Recurrence, Schedule, Weekday, Window};
use crate::change::{Change, Revisioned};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::{AgentId, ScheduleExceptionId, ScheduleWindowId};
use crate::tenant_settings::{checked_time, clock_time};
use crate::text;

/// What a window is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowInput {
    /// The first day on which it may begin.
    pub date: Date,
    /// When it begins, as `HH:MM`.
    pub start_time: String,
    /// When it ends, as `HH:MM`, up to `24:00`.
    pub end_time: String,
    /// It ends on the day after the one on which it begins, 24 hours later at most.
    pub ends_next_day: bool,
    /// How it comes again.
    pub recurrence: Recurrence,
    /// The days on which it begins, when it comes again every week.
    pub weekdays: Vec<Weekday>,
    /// The last day on which it may begin.
    pub until: Option<Date>,
}

/// What is to change of a window. `None` stays; `Some(None)` was given as nothing. A window that no longer comes again every week loses its weekdays, and
/// one that no longer comes again its last day, unless they are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowPatch {
    /// The first day on which it may begin.
    pub date: Option<Option<Date>>,
    /// When it begins, as `HH:MM`.
    pub start_time: Option<Option<String>>,
    /// When it ends, as `HH:MM`, up to `24:00`.
    pub end_time: Option<Option<String>>,
    /// It ends on the day after the one on which it begins.
    pub ends_next_day: Option<Option<bool>>,
    /// How it comes again.
    pub recurrence: Option<Option<Recurrence>>,
    /// The days on which it begins, when it comes again every week.
    pub weekdays: Option<Option<Vec<Weekday>>>,
    /// The last day on which it may begin.
    pub until: Option<Option<Date>>,
}

/// What an exception is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExceptionInput {
    /// The first day.
    pub date: Date,
    /// The last day; the first when it isn't given.
    pub until_date: Option<Date>,
    /// When it begins on the first day, as `HH:MM`; with the day when it isn't given.
    pub start_time: Option<String>,
    /// When it ends on the last day, as `HH:MM`, up to `24:00`; with the day when it isn't given.
    pub end_time: Option<String>,
    /// Why.
    pub kind: ExceptionKind,
    /// More about it.
    pub note: Option<String>,
}

/// The version of an agent's schedule; 0 while there is none.
#[must_use]
pub fn version_of(schedule: Option<&Schedule>) -> u32 {
    schedule.map_or(0, |schedule| schedule.record.version)
}

/// That the schedule is at the version the client read, if it says one; 0 while there is none.
///
/// # Errors
/// `STALE`.
pub fn check_version(schedule: Option<&Schedule>, expected: Option<i32>) -> Result<(), FieldError> {
    let version = version_of(schedule);
    match expected {
        Some(expected) if i64::from(expected) != i64::from(version) => {
            let message = format!("The schedule is at version {version}, not {expected}. Read it again and decide again.");
            Err(FieldError::new("expectedVersion", FieldErrorCode::Stale, message))
        }
        _ => Ok(()),
    }
}

/// An agent's schedule with one window more.
///
/// # Errors
/// `STALE` alone when it isn't at the expected version; else all that is wrong, each with its field: `BLANK`, `INVALID`, and `LIMIT_EXCEEDED` beyond
/// [`MAX_WINDOWS`].
pub fn add_window(
    before: Option<&Schedule>,
    agent: AgentId,
    id: ScheduleWindowId,
    expected_version: Option<i32>,
    input: &WindowInput,
    change: Change,
) -> Result<Schedule, Vec<FieldError>> {
    check_version(before, expected_version).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    if before.is_some_and(|schedule| schedule.windows.len() >= MAX_WINDOWS) {
        let message = format!("The schedule has {MAX_WINDOWS} windows already, and no more are allowed. Remove one that is over, or have one come again.");
        errors.push(FieldError::new("date", FieldErrorCode::LimitExceeded, message));
    }
    match checked_window(id, input) {
        Ok(window) if errors.is_empty() => {
            let mut after = changed(before, agent, change);
            after.windows.push(window);
            Ok(after)
        }
        checked => {
            errors.extend(checked.err().unwrap_or_default());
            Err(errors)
        }
    }
}

/// A schedule with what was given of one of its windows; none when that changes nothing.
///
/// # Errors
/// `STALE` alone when it isn't at the expected version, `NOT_FOUND` alone when it has no such window; else all that is wrong, each with its field:
/// `BLANK`, `INVALID`.
pub fn update_window(
    before: Option<&Schedule>,
    id: Option<ScheduleWindowId>,
    expected_version: Option<i32>,
    patch: &WindowPatch,
    change: Change,
) -> Result<Option<Schedule>, Vec<FieldError>> {
    check_version(before, expected_version).map_err(|error| vec![error])?;
    let (before, index) = found(before, |schedule| schedule.windows.iter().position(|window| Some(window.id) == id)).ok_or_else(|| vec![no_window()])?;
    let window = &before.windows[index];
    let mut input = input_of(window);
    let errors = patched(&mut input, patch);
    if !errors.is_empty() {
        return Err(errors);
    }
    let updated = checked_window(window.id, &input)?;
    if updated == *window {
        return Ok(None);
    }
    let mut after = changed(Some(before), before.agent, change);
    after.windows[index] = updated;
    Ok(Some(after))
}

/// A schedule without one of its windows.
///
/// # Errors
/// `STALE` when it isn't at the expected version, `NOT_FOUND` when it has no such window.
pub fn remove_window(before: Option<&Schedule>, id: Option<ScheduleWindowId>, expected_version: Option<i32>, change: Change) -> Result<Schedule, FieldError> {
    check_version(before, expected_version)?;
    let (before, index) = found(before, |schedule| schedule.windows.iter().position(|window| Some(window.id) == id)).ok_or_else(no_window)?;
    let mut after = changed(Some(before), before.agent, change);
    after.windows.remove(index);
    Ok(after)
}

/// An agent's schedule with one exception more.
///
/// # Errors
/// `STALE` alone when it isn't at the expected version; else all that is wrong, each with its field: `BLANK`, `INVALID`, `TOO_LONG`, and
/// `LIMIT_EXCEEDED` beyond [`MAX_EXCEPTIONS`].
pub fn add_exception(
    before: Option<&Schedule>,
    agent: AgentId,
    id: ScheduleExceptionId,
    expected_version: Option<i32>,
    input: &ExceptionInput,
    change: Change,
) -> Result<Schedule, Vec<FieldError>> {
    check_version(before, expected_version).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    if before.is_some_and(|schedule| schedule.exceptions.len() >= MAX_EXCEPTIONS) {
        let message = format!("The schedule has {MAX_EXCEPTIONS} exceptions already, and no more are allowed. Remove those that are over.");
        errors.push(FieldError::new("date", FieldErrorCode::LimitExceeded, message));
    }
    match checked_exception(id, input) {
        Ok(exception) if errors.is_empty() => {
            let mut after = changed(before, agent, change);
            after.exceptions.push(exception);
            Ok(after)
        }
        checked => {
            errors.extend(checked.err().unwrap_or_default());
            Err(errors)
        }
    }
}

/// A schedule without one of its exceptions.
///
/// # Errors
/// `STALE` when it isn't at the expected version, `NOT_FOUND` when it has no such exception.
pub fn remove_exception(before: Option<&Schedule>, id: Option<ScheduleExceptionId>, expected_version: Option<i32>, change: Change) -> Result<Schedule, FieldError> {
    check_version(before, expected_version)?;
    let position = |schedule: &Schedule| schedule.exceptions.iter().position(|exception| Some(exception.id) == id);
    let no_exception = || FieldError::new("exceptionId", FieldErrorCode::NotFound, "There is no such exception in this schedule. Take an id from the schedule.");
    let (before, index) = found(before, position).ok_or_else(no_exception)?;
    let mut after = changed(Some(before), before.agent, change);
    after.exceptions.remove(index);
    Ok(after)
}

/// The schedule after one more change, which is yet to be made.
fn changed(before: Option<&Schedule>, agent: AgentId, change: Change) -> Schedule {
    match before {
        None => Schedule { agent, record: Revisioned::created(change), windows: Vec::new(), exceptions: Vec::new() },
        Some(before) => Schedule { record: before.record.changed(change), ..before.clone() },
    }
}

fn found(schedule: Option<&Schedule>, position: impl Fn(&Schedule) -> Option<usize>) -> Option<(&Schedule, usize)> {
    schedule.and_then(|schedule| Some((schedule, position(schedule)?)))
}

fn no_window() -> FieldError {
    FieldError::new("windowId", FieldErrorCode::NotFound, "There is no such window in this schedule. Take an id from the schedule.")
}

fn input_of(window: &Window) -> WindowInput {
    WindowInput {
        date: window.date,
        start_time: clock_time(window.start),
        end_time: clock_time(window.end),
        ends_next_day: window.ends_next_day,
        recurrence: window.recurrence,
        weekdays: window.weekdays.iter().copied().collect(),
        until: window.until,
    }
}

/// Puts what was given in its place, and says what can't be empty.
fn patched(input: &mut WindowInput, patch: &WindowPatch) -> Vec<FieldError> {
    let mut errors = Vec::new();
    set(&mut errors, "date", patch.date.as_ref(), &mut input.date);
    set(&mut errors, "startTime", patch.start_time.as_ref(), &mut input.start_time);
    set(&mut errors, "endTime", patch.end_time.as_ref(), &mut input.end_time);
    set(&mut errors, "endsNextDay", patch.ends_next_day.as_ref(), &mut input.ends_next_day);
    set(&mut errors, "recurrence", patch.recurrence.as_ref(), &mut input.recurrence);
    match &patch.weekdays {
        Some(given) => input.weekdays = given.clone().unwrap_or_default(),
        None if input.recurrence != Recurrence::Weekly => input.weekdays.clear(),
        None => {}
    }
    match patch.until {
        Some(given) => input.until = given,
        None if input.recurrence == Recurrence::Once => input.until = None,
        None => {}
    }
    errors
}

fn set<T: Clone>(errors: &mut Vec<FieldError>, field: &str, given: Option<&Option<T>>, place: &mut T) {
    match given {
        None => {}
        Some(Some(value)) => *place = value.clone(),
        Some(None) => errors.push(FieldError::new(field, FieldErrorCode::Blank, format!("{field} can't be empty. Leave it out to keep it."))),
    }
}

fn checked_window(id: ScheduleWindowId, input: &WindowInput) -> Result<Window, Vec<FieldError>> {
    let mut errors = Vec::new();
    let start = checked_time("startTime", &input.start_time, DAY_MINUTES - 1).map_err(|error| errors.push(error)).ok();
    let end = checked_time("endTime", &input.end_time, DAY_MINUTES).map_err(|error| errors.push(error)).ok();
    match start.zip(end) {
        Some((start, end)) if end <= start && !input.ends_next_day => errors.push(ends_too_early("Give a later time, or say endsNextDay.")),
        Some((start, end)) if end > start && input.ends_next_day => {
            errors.push(FieldError::new("endTime", FieldErrorCode::Invalid, "endTime is more than 24 hours after startTime. Give an earlier time, or no endsNextDay."));
        }
        _ => {}
    }
    let weekdays: BTreeSet<Weekday> = input.weekdays.iter().copied().collect();
    match (input.recurrence, weekdays.is_empty()) {
        (Recurrence::Weekly, true) => {
            errors.push(FieldError::new("weekdays", FieldErrorCode::Blank, "weekdays is empty. Give the days of the week on which the window begins."));
        }
        (Recurrence::Once | Recurrence::Daily, false) => {
            errors.push(FieldError::new("weekdays", FieldErrorCode::Invalid, "weekdays is given for a window that isn't WEEKLY. Leave it out, or make it WEEKLY."));
        }
        _ => {}
    }
    match input.until {
        Some(_) if input.recurrence == Recurrence::Once => {
            errors.push(FieldError::new(
                "until",
                FieldErrorCode::Invalid,
                "until is given for a window that doesn't come again. Leave it out, or make it DAILY or WEEKLY.",
            ));
        }
        Some(until) if until < input.date => errors.push(before_first_day("until")),
        _ => {}
    }
    match (start, end) {
        (Some(start), Some(end)) if errors.is_empty() => {
            let (date, ends_next_day, recurrence, until) = (input.date, input.ends_next_day, input.recurrence, input.until);
            Ok(Window { id, date, start, end, ends_next_day, recurrence, weekdays, until })
        }
        _ => Err(errors),
    }
}

fn checked_exception(id: ScheduleExceptionId, input: &ExceptionInput) -> Result<Exception, Vec<FieldError>> {
    let mut errors = Vec::new();
    let (date, until) = (input.date, input.until_date.unwrap_or(input.date));
    let mut time = |field: &str, given: Option<&String>, last| given.map(|given| checked_time(field, given, last).map_err(|error| errors.push(error))).transpose().ok();
    let times = time("startTime", input.start_time.as_ref(), DAY_MINUTES - 1).zip(time("endTime", input.end_time.as_ref(), DAY_MINUTES));
    let (start, end) = times.unwrap_or_default();
    if until < date {
        errors.push(before_first_day("untilDate"));
    } else if until == date && times.is_some() && end.unwrap_or(DAY_MINUTES) <= start.unwrap_or(0) {
        errors.push(ends_too_early("Give a later time, or a later untilDate."));
    }
    let note = input.note.as_deref().and_then(|note| text::line("note", note, NOTE_LENGTH).map_err(|error| errors.push(error)).ok()).flatten();
    if errors.is_empty() { Ok(Exception { id, date, until, start, end, kind: input.kind, note }) } else { Err(errors) }
}

fn ends_too_early(remedy: &str) -> FieldError {
    FieldError::new("endTime", FieldErrorCode::Invalid, format!("endTime is not after startTime. {remedy}"))
}

fn before_first_day(field: &str) -> FieldError {
    FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is before date. Give the same day or a later one."))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::{Timestamp, ToSpan};
    use proptest::prelude::*;

    use super::*;
    use crate::audit::{Audited, differences};
    use crate::change::Origin;

    const MONDAY: Date = date(2026, 11, 23);

    fn agent() -> AgentId {
        AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10])
    }

    fn window_id(seed: u8) -> ScheduleWindowId {
        ScheduleWindowId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    fn exception_id(seed: u8) -> ScheduleExceptionId {
        ScheduleExceptionId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    fn change() -> Change {
        Change::new("schedule.changed", Timestamp::UNIX_EPOCH, Origin::system())
    }

    /// A morning that doesn't come again.
    fn morning() -> WindowInput {
        WindowInput {
            date: MONDAY,
            start_time: "09:00".to_owned(),
            end_time: "12:00".to_owned(),
            ends_next_day: false,
            recurrence: Recurrence::Once,
            weekdays: Vec::new(),
            until: None,
        }
    }

    /// A morning on two days of every week.
    fn mornings() -> WindowInput {
        WindowInput { recurrence: Recurrence::Weekly, weekdays: vec![Weekday::Friday, Weekday::Monday, Weekday::Friday], until: Some(date(2027, 1, 31)), ..morning() }
    }

    fn holiday() -> ExceptionInput {
        ExceptionInput { date: MONDAY, until_date: None, start_time: None, end_time: None, kind: ExceptionKind::Holiday, note: None }
    }

    fn with(input: &WindowInput) -> Schedule {
        add_window(None, agent(), window_id(1), None, input, change()).unwrap()
    }

    fn codes(errors: Vec<FieldError>) -> Vec<(String, FieldErrorCode)> {
        errors.into_iter().map(|error| (error.field, error.code)).collect()
    }

    fn one(field: &str, code: FieldErrorCode) -> Vec<(String, FieldErrorCode)> {
        vec![(field.to_owned(), code)]
    }

    fn refused(input: &WindowInput) -> Vec<(String, FieldErrorCode)> {
        codes(add_window(None, agent(), window_id(1), None, input, change()).unwrap_err())
    }

    fn refused_exception(input: &ExceptionInput) -> Vec<(String, FieldErrorCode)> {
        codes(add_exception(None, agent(), exception_id(1), None, input, change()).unwrap_err())
    }

    #[test]
    fn the_first_thing_in_a_schedule_makes_it_and_the_next_changes_it() {
        let first = with(&mornings());
        assert_eq!((first.record.version, first.record.revision, first.agent), (1, 1, agent()));
        let window = first.window(window_id(1)).unwrap();
        assert_eq!((window.start, window.end, window.weekdays.iter().copied().collect::<Vec<_>>()), (540, 720, vec![Weekday::Monday, Weekday::Friday]));
        let second = add_exception(Some(&first), agent(), exception_id(1), Some(1), &holiday(), change()).unwrap();
        assert_eq!((second.record.version, second.windows.len(), second.exceptions.len()), (2, 1, 1));
        assert_eq!(second.exception(exception_id(1)).map(|exception| (exception.until, exception.start, exception.end)), Some((MONDAY, None, None)));
    }

    #[test]
    fn everything_that_is_wrong_with_a_window_is_named_at_once() {
        let wrong = WindowInput { start_time: "9:00".to_owned(), end_time: " ".to_owned(), weekdays: vec![Weekday::Monday], until: Some(MONDAY), ..morning() };
        let expected =
            [("startTime", FieldErrorCode::Invalid), ("endTime", FieldErrorCode::Blank), ("weekdays", FieldErrorCode::Invalid), ("until", FieldErrorCode::Invalid)];
        assert_eq!(refused(&wrong), expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn a_window_ends_after_it_begins_and_within_24_hours() {
        for (start, end, good, good_next_day) in [
            ("09:00", "09:01", true, false),
            ("09:00", "09:00", false, true),
            ("22:00", "02:00", false, true),
            ("00:00", "24:00", true, false),
            ("00:00", "00:00", false, true),
            ("23:59", "00:00", false, true),
            ("22:00", "24:00", true, false),
        ] {
            let input = |ends_next_day| WindowInput { start_time: start.to_owned(), end_time: end.to_owned(), ends_next_day, ..morning() };
            for (ends_next_day, good) in [(false, good), (true, good_next_day)] {
                let outcome = add_window(None, agent(), window_id(1), None, &input(ends_next_day), change());
                assert_eq!(outcome.map(|_| ()).map_err(codes), if good { Ok(()) } else { Err(one("endTime", FieldErrorCode::Invalid)) }, "{start} {end}");
            }
        }
    }

    #[test]
    fn weekdays_are_for_every_week_and_a_last_day_is_for_what_comes_again() {
        assert_eq!(refused(&WindowInput { weekdays: Vec::new(), ..mornings() }), one("weekdays", FieldErrorCode::Blank));
        assert_eq!(refused(&WindowInput { recurrence: Recurrence::Daily, ..mornings() }), one("weekdays", FieldErrorCode::Invalid));
        assert_eq!(refused(&WindowInput { until: Some(MONDAY), ..morning() }), one("until", FieldErrorCode::Invalid));
        assert_eq!(refused(&WindowInput { until: Some(MONDAY.yesterday().unwrap()), ..mornings() }), one("until", FieldErrorCode::Invalid));
        let one_day = with(&WindowInput { until: Some(MONDAY), recurrence: Recurrence::Daily, ..morning() });
        assert_eq!(one_day.windows[0].until, Some(MONDAY));
    }

    #[test]
    fn what_is_no_time_of_day_is_refused() {
        for wrong in ["9:00", "09:60", "24:01", "25:00", "0900", "09:00:00", "+9:00", "٠٩:٠٠", "-1:00", "noon"] {
            assert_eq!(refused(&WindowInput { end_time: wrong.to_owned(), ..morning() }), one("endTime", FieldErrorCode::Invalid), "{wrong}");
        }
        assert_eq!(refused(&WindowInput { start_time: "24:00".to_owned(), ends_next_day: true, ..morning() }), one("startTime", FieldErrorCode::Invalid));
    }

    #[test]
    fn everything_that_is_wrong_with_an_exception_is_named_at_once() {
        let wrong = ExceptionInput {
            until_date: Some(MONDAY.yesterday().unwrap()),
            start_time: Some("12:00".to_owned()),
            end_time: Some("09:00".to_owned()),
            note: Some("x".repeat(256)),
            ..holiday()
        };
        let expected = [("untilDate", FieldErrorCode::Invalid), ("note", FieldErrorCode::TooLong)];
        assert_eq!(refused_exception(&wrong), expected.map(|(field, code)| (field.to_owned(), code)));
        let wrong = ExceptionInput { start_time: Some("24:00".to_owned()), end_time: Some(String::new()), ..holiday() };
        let expected = [("startTime", FieldErrorCode::Invalid), ("endTime", FieldErrorCode::Blank)];
        assert_eq!(refused_exception(&wrong), expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn an_exception_ends_after_it_begins_on_that_day_or_a_later_one() {
        for (days, start, end, good) in [
            (0, Some("12:00"), Some("09:00"), false),
            (0, Some("12:00"), Some("12:00"), false),
            (0, None, Some("00:00"), false),
            (0, Some("12:00"), None, true),
            (0, None, Some("00:01"), true),
            (0, Some("12:00"), Some("24:00"), true),
            (1, Some("12:00"), Some("09:00"), true),
        ] {
            let (start_time, end_time) = (start.map(str::to_owned), end.map(str::to_owned));
            let input = ExceptionInput { until_date: Some(MONDAY.saturating_add(days.days())), start_time, end_time, ..holiday() };
            let outcome = add_exception(None, agent(), exception_id(1), None, &input, change());
            assert_eq!(outcome.map(|_| ()).map_err(codes), if good { Ok(()) } else { Err(one("endTime", FieldErrorCode::Invalid)) }, "{days} {start:?} {end:?}");
        }
    }

    #[test]
    fn an_exception_has_the_times_that_are_given_and_a_note_that_says_something() {
        let input = ExceptionInput {
            until_date: Some(date(2026, 11, 27)),
            end_time: Some("24:00".to_owned()),
            kind: ExceptionKind::Away,
            note: Some(" Dentist ".to_owned()),
            ..holiday()
        };
        let schedule = add_exception(None, agent(), exception_id(1), Some(0), &input, change()).unwrap();
        let exception = &schedule.exceptions[0];
        assert_eq!((exception.start, exception.end, exception.note.as_deref()), (None, Some(1_440), Some("Dentist")));
        let blank = add_exception(None, agent(), exception_id(1), None, &ExceptionInput { note: Some("  ".to_owned()), ..holiday() }, change()).unwrap();
        assert_eq!(blank.exceptions[0].note, None);
    }

    #[test]
    fn a_stale_version_is_all_that_is_said_and_none_given_is_never_stale() {
        let schedule = with(&morning());
        let wrong = WindowInput { end_time: String::new(), ..morning() };
        for expected in [0, 2, -1] {
            let stale = one("expectedVersion", FieldErrorCode::Stale);
            assert_eq!(codes(add_window(Some(&schedule), agent(), window_id(2), Some(expected), &wrong, change()).unwrap_err()), stale);
            assert_eq!(codes(update_window(Some(&schedule), None, Some(expected), &WindowPatch::default(), change()).unwrap_err()), stale);
            assert_eq!(codes(vec![remove_window(Some(&schedule), None, Some(expected), change()).unwrap_err()]), stale);
            assert_eq!(codes(add_exception(Some(&schedule), agent(), exception_id(1), Some(expected), &holiday(), change()).unwrap_err()), stale);
            assert_eq!(codes(vec![remove_exception(Some(&schedule), None, Some(expected), change()).unwrap_err()]), stale);
        }
        assert_eq!((check_version(None, Some(0)), check_version(None, None), check_version(Some(&schedule), None)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(check_version(None, Some(1)).unwrap_err().code, FieldErrorCode::Stale);
    }

    #[test]
    fn what_is_not_in_the_schedule_is_not_found() {
        let schedule = with(&morning());
        for before in [None, Some(&schedule)] {
            for seed in [None, Some(9)] {
                let not_found = one("windowId", FieldErrorCode::NotFound);
                assert_eq!(codes(update_window(before, seed.map(window_id), None, &WindowPatch::default(), change()).unwrap_err()), not_found);
                assert_eq!(codes(vec![remove_window(before, seed.map(window_id), None, change()).unwrap_err()]), not_found);
                let not_found = one("exceptionId", FieldErrorCode::NotFound);
                assert_eq!(codes(vec![remove_exception(before, seed.map(exception_id), None, change()).unwrap_err()]), not_found);
            }
        }
    }

    #[test]
    fn there_are_at_most_50_windows_and_200_exceptions() {
        let mut schedule = with(&morning());
        for seed in 2..=50 {
            schedule = add_window(Some(&schedule), agent(), window_id(seed), None, &morning(), change()).unwrap();
        }
        let error = add_window(Some(&schedule), agent(), window_id(51), None, &morning(), change()).unwrap_err();
        assert_eq!(codes(error), one("date", FieldErrorCode::LimitExceeded));
        for seed in 1..=200 {
            schedule = add_exception(Some(&schedule), agent(), exception_id(seed), None, &holiday(), change()).unwrap();
        }
        let error = add_exception(Some(&schedule), agent(), exception_id(201), None, &holiday(), change()).unwrap_err();
        assert_eq!(codes(error), one("date", FieldErrorCode::LimitExceeded));
        schedule = remove_window(Some(&schedule), Some(window_id(7)), None, change()).unwrap();
        schedule = remove_exception(Some(&schedule), Some(exception_id(7)), None, change()).unwrap();
        assert!(schedule.window(window_id(7)).is_none() && schedule.exception(exception_id(7)).is_none());
        assert!(add_window(Some(&schedule), agent(), window_id(51), None, &morning(), change()).is_ok());
        assert!(add_exception(Some(&schedule), agent(), exception_id(201), None, &holiday(), change()).is_ok());
    }

    #[test]
    fn a_window_keeps_what_is_not_given_and_the_same_again_is_no_change() {
        let schedule = with(&mornings());
        let same = WindowPatch {
            date: Some(Some(MONDAY)),
            start_time: Some(Some(" 09:00".to_owned())),
            weekdays: Some(Some(vec![Weekday::Monday, Weekday::Friday])),
            ..WindowPatch::default()
        };
        assert_eq!(update_window(Some(&schedule), Some(window_id(1)), Some(1), &same, change()), Ok(None));
        let longer = WindowPatch { end_time: Some(Some("13:00".to_owned())), ..WindowPatch::default() };
        let after = update_window(Some(&schedule), Some(window_id(1)), None, &longer, change()).unwrap().unwrap();
        assert_eq!((after.record.version, &after.windows[0]), (2, &Window { end: 780, ..schedule.windows[0].clone() }));
    }

    #[test]
    fn a_window_that_comes_again_otherwise_loses_what_that_has_no_use_for() {
        let schedule = with(&mornings());
        let to = |recurrence, more: WindowPatch| WindowPatch { recurrence: Some(Some(recurrence)), ..more };
        let update = |patch: WindowPatch| update_window(Some(&schedule), Some(window_id(1)), None, &patch, change());
        let daily = update(to(Recurrence::Daily, WindowPatch::default())).unwrap().unwrap().windows.remove(0);
        assert_eq!((daily.weekdays.len(), daily.until), (0, schedule.windows[0].until));
        let once = update(to(Recurrence::Once, WindowPatch::default())).unwrap().unwrap().windows.remove(0);
        assert_eq!((once.weekdays.len(), once.until), (0, None));
        let given = WindowPatch { until: Some(Some(date(2027, 2, 1))), ..WindowPatch::default() };
        assert_eq!(codes(update(to(Recurrence::Once, given)).unwrap_err()), one("until", FieldErrorCode::Invalid), "what is given isn't dropped silently");
        let for_ever = update(WindowPatch { until: Some(None), ..WindowPatch::default() }).unwrap().unwrap();
        assert_eq!(for_ever.windows[0].until, None);
    }

    #[test]
    fn what_a_window_must_have_can_not_be_emptied() {
        let schedule = with(&mornings());
        let emptied =
            WindowPatch { date: Some(None), start_time: Some(None), end_time: Some(None), ends_next_day: Some(None), recurrence: Some(None), ..WindowPatch::default() };
        let fields = codes(update_window(Some(&schedule), Some(window_id(1)), None, &emptied, change()).unwrap_err());
        assert_eq!(fields, ["date", "startTime", "endTime", "endsNextDay", "recurrence"].map(|field| (field.to_owned(), FieldErrorCode::Blank)));
        let none = WindowPatch { weekdays: Some(None), ..WindowPatch::default() };
        assert_eq!(codes(update_window(Some(&schedule), Some(window_id(1)), None, &none, change()).unwrap_err()), one("weekdays", FieldErrorCode::Blank));
    }

    #[test]
    fn an_event_names_the_window_or_exception_that_changed_and_no_other() {
        let first = with(&mornings());
        let second = add_window(Some(&first), agent(), window_id(2), None, &morning(), change()).unwrap();
        let changes = differences(&first.audit_fields(), &second.audit_fields());
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].field, format!("windows.{}", window_id(2)));
        assert_eq!(changes[0].new.as_ref().unwrap()["endTime"], "12:00");
        let third = add_exception(Some(&second), agent(), exception_id(1), None, &holiday(), change()).unwrap();
        let changes = differences(&second.audit_fields(), &third.audit_fields());
        assert_eq!((changes.len(), changes[0].field.clone()), (1, format!("exceptions.{}", exception_id(1))));
        assert_eq!(changes[0].new.as_ref().unwrap()["untilDate"], "2026-11-23");
        let fourth = remove_window(Some(&third), Some(window_id(1)), None, change()).unwrap();
        let changes = differences(&third.audit_fields(), &fourth.audit_fields());
        assert_eq!((changes.len(), changes[0].old.as_ref().unwrap()["weekdays"].to_string()), (1, "[\"MONDAY\",\"FRIDAY\"]".to_owned()));
    }

    proptest! {
        #[test]
        fn every_minute_of_a_day_reads_back(minutes in 0..=DAY_MINUTES) {
            prop_assert_eq!(checked_time("endTime", &clock_time(minutes), DAY_MINUTES).unwrap(), minutes);
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,12}") {
            let _ = checked_time("endTime", &text, DAY_MINUTES);
        }
    }
}
