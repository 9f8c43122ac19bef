//! The time of the next contact as a cell says it: a moment, or what clocks show where the contact is.

use std::str::FromStr;

use jiff::tz::Offset;
use jiff::{Timestamp, civil};

use crate::field_error::{FieldError, FieldErrorCode};

/// When to call next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextContact {
    /// A moment: the cell says how far it is from UTC.
    At(Timestamp),
    /// What clocks show in the contact's time zone.
    Local(civil::DateTime),
}

/// The beginning of the year 2000, in seconds since 1970.
const EARLIEST: i64 = 946_684_800;
/// Ten years, in seconds.
const FURTHEST: i64 = 3_653 * 86_400;
/// The time of a day that is given without one.
const MORNING: civil::Time = civil::Time::constant(9, 0, 0, 0);

/// Reads a cell of the column `field`; fractions of a second are dropped where there is no offset.
///
/// With an offset from UTC, as RFC 3339 has it, it is a moment. Without one it is a day as in `2026-11-02` or `2026/11/2`, or with the year last where only one
/// reading is possible (`13/11/2026`, `11/13/2026`, `11.11.2026`), and behind it a time such as `10:30`, `10:30:00`, `10h30` or `2:30 pm`, or none for 9:00.
///
/// # Errors
/// `INVALID` for anything else, before the year 2000, and more than ten years after `now` (a day more or less, because zones differ).
pub(super) fn parse(field: &str, cell: &str, now: Timestamp) -> Result<NextContact, FieldError> {
    let cell = cell.trim();
    let moment: Option<Timestamp> = cell.parse().ok();
    let Some(read) = moment.map(NextContact::At).or_else(|| local(cell).map(NextContact::Local)) else {
        let message = format!("{field} is not a date that reads only one way. Write it as 2026-11-02, 2026-11-02 10:30 or 2026-11-02T10:30:00-05:00.");
        return Err(FieldError::new(field, FieldErrorCode::Invalid, message));
    };
    let about = match read {
        NextContact::At(at) => Some(at),
        NextContact::Local(local) => Offset::UTC.to_timestamp(local).ok(),
    };
    let is_in_range = |at: Timestamp| at.as_second() >= EARLIEST && at.as_second() <= now.as_second() + FURTHEST;
    if about.is_some_and(is_in_range) {
        return Ok(read);
    }
    let message = format!("{field} is before the year 2000 or more than ten years ahead. Give another date.");
    Err(FieldError::new(field, FieldErrorCode::Invalid, message))
}

pub(super) fn local(text: &str) -> Option<civil::DateTime> {
    let (day, clock) = match text.split_once(|character: char| character.is_whitespace() || character == 'T') {
        Some((day, clock)) => (day.strip_suffix(',').unwrap_or(day), Some(clock)),
        None => (text, None),
    };
    Some(date(day)?.to_datetime(clock.map_or(Some(MORNING), time)?))
}

/// A day in digits, with one kind of separator.
fn date(text: &str) -> Option<civil::Date> {
    let separator = text.chars().find(|character| matches!(character, '-' | '/' | '.'))?;
    let mut parts = text.split(separator);
    let (Some(first), Some(second), Some(third), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let (year, month, day) = match (first.len(), second.len(), third.len()) {
        (4, 1..=2, 1..=2) => (first, number(second)?, number(third)?),
        (1..=2, 1..=2, 4) => {
            let (first, second): (i8, i8) = (number(first)?, number(second)?);
            let (month, day) = match (first > 12, second > 12) {
                (true, false) => (second, first),
                (false, true) => (first, second),
                (false, false) if first == second => (first, second),
                _ => return None,
            };
            (third, month, day)
        }
        _ => return None,
    };
    civil::Date::new(number(year)?, month, day).ok()
}

/// A time of the day, of 24 hours or of 12 with its half.
fn time(text: &str) -> Option<civil::Time> {
    let written: String = text.chars().filter(|character| !character.is_whitespace()).flat_map(char::to_lowercase).collect();
    let half = |(suffix, hours): (&str, i8)| written.strip_suffix(suffix).map(|clock| (clock, Some(hours)));
    let (clock, half) = [("am", 0), ("a.m.", 0), ("pm", 12), ("p.m.", 12)].into_iter().find_map(half).unwrap_or((written.as_str(), None));
    let mut parts = clock.split([':', 'h']);
    let hour: i8 = number(parts.next()?)?;
    let minute: i8 = match parts.next() {
        None if half.is_some() => 0,
        Some("") if clock.ends_with('h') => 0,
        minute => number(minute?)?,
    };
    let second: i8 = match parts.next().map(|second| second.split_once('.').unwrap_or((second, "0"))) {
        None => 0,
        Some((second, fraction)) if is_digits(fraction) => number(second)?,
        Some(_) => return None,
    };
    let hour = match half {
        None => hour,
        Some(hours) if (1..=12).contains(&hour) => hour % 12 + hours,
        Some(_) => return None,
    };
    if parts.next().is_some() { None } else { civil::Time::new(hour, minute, second, 0).ok() }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    if is_digits(text) { text.parse().ok() } else { None }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-10-01T00:00:00Z".parse().unwrap()
    }

    fn read(cell: &str) -> Option<NextContact> {
        parse("nextContactAt", cell, now()).ok()
    }

    fn at(text: &str) -> Option<NextContact> {
        Some(NextContact::At(text.parse().unwrap()))
    }

    fn local(year: i16, month: i8, day: i8, hour: i8, minute: i8) -> Option<NextContact> {
        Some(NextContact::Local(civil::date(year, month, day).at(hour, minute, 0, 0)))
    }

    #[test]
    fn what_reads_two_ways_or_none_is_refused_with_the_remedy() {
        for cell in [
            "2/11/2026",
            "2/11/2026 10:30",
            "02-11-26",
            "26-11-02",
            "13/13/2026",
            "2026-13-01",
            "2026-02-30",
            "2026-11/02",
            "2026-11",
            "46328.4375",
            "tomorrow",
            "2026-11-02T",
            "2026-11-02 25:00",
            "2026-11-02 10",
            "2026-11-02 13:30 pm",
            "2026-11-02 0:30 am",
            "2026-11-02 10:30:00.x",
            "2026-11-02 10:30:00:00",
            "2026-11-02 -1:30",
            "+026-11-02",
            "10:30",
        ] {
            let error = parse("nextContactAt", cell, now()).unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("nextContactAt", FieldErrorCode::Invalid), "{cell}");
            assert!(error.message.contains("2026-11-02 10:30"), "{cell}: {}", error.message);
        }
    }

    #[test]
    fn what_is_long_ago_or_far_ahead_is_refused() {
        for cell in ["1999-12-31", "1999-12-31T23:59:59Z", "2036-10-02", "2036-11-02T10:30:00-05:00", "9999-12-31", "0000-01-01", "1/1/0001"] {
            let error = parse("nextContactAt", cell, now()).unwrap_err();
            assert!(error.message.contains("ten years ahead"), "{cell}: {}", error.message);
        }
        assert!(read("2000-01-01").is_some() && read("2036-09-30").is_some());
    }

    #[test]
    fn with_an_offset_it_is_a_moment() {
        for cell in ["2026-11-02T10:30:00-05:00", "2026-11-02 10:30:00-05:00", "2026-11-02T15:30:00Z", "2026-11-02t15:30:00z"] {
            assert_eq!(read(cell), at("2026-11-02T15:30:00Z"), "{cell}");
        }
    }

    #[test]
    fn without_one_it_is_what_clocks_show() {
        for cell in
            ["2026-11-02T10:30", "2026-11-02 10:30:00", "2026-11-02T10:30:00.250", "2026/11/2 10:30", "2026.11.02 10h30", " 2026-11-02  10:30 AM ", "2026-11-02, 10 h 30"]
        {
            assert_eq!(read(cell), local(2026, 11, 2, 10, 30), "{cell}");
        }
        for (cell, hour) in [("2026-11-02 12:00 am", 0), ("2026-11-02 12 p.m.", 12), ("2026-11-02 2 PM", 14), ("2026-11-02 14h", 14), ("2026-11-02 0:00", 0)] {
            assert_eq!(read(cell), local(2026, 11, 2, hour, 0), "{cell}");
        }
    }

    #[test]
    fn a_day_alone_is_its_morning() {
        assert_eq!(read("2026-11-02"), local(2026, 11, 2, 9, 0));
        assert_eq!(read("2026/1/2"), local(2026, 1, 2, 9, 0));
    }

    #[test]
    fn the_year_may_be_last_where_only_one_reading_is_possible() {
        for cell in ["13/11/2026 10:30", "11/13/2026 10:30", "13.11.2026 10:30", "11-13-2026 10:30:00"] {
            assert_eq!(read(cell), local(2026, 11, 13, 10, 30), "{cell}");
        }
        assert_eq!(read("11/11/2026"), local(2026, 11, 11, 9, 0));
    }

    proptest! {
        #[test]
        fn every_time_reads_back_however_it_is_written(
            year in 2000_i16..=2035, month in 1_i8..=12, day in 1_i8..=28, hour in 0_i8..24, minute in 0_i8..60,
        ) {
            let expected = local(year, month, day, hour, minute);
            let (short, half) = (if hour % 12 == 0 { 12 } else { hour % 12 }, if hour < 12 { "AM" } else { "PM" });
            prop_assert_eq!(read(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00")), expected);
            prop_assert_eq!(read(&format!("{year}/{month}/{day} {hour}:{minute:02}")), expected);
            prop_assert_eq!(read(&format!("{year}/{month}/{day} {short}:{minute:02} {half}")), expected);
            let (day_first, month_first) = (read(&format!("{day}/{month}/{year} {hour}h{minute:02}")), read(&format!("{month}/{day}/{year} {hour}h{minute:02}")));
            if day > 12 || day == month {
                prop_assert_eq!((day_first, month_first), (expected, expected));
            } else {
                prop_assert_eq!((day_first, month_first), (None, None));
            }
        }

        #[test]
        fn no_cell_is_too_strange(cell in "[0-9:/.TZhapm +\\-é]{0,30}|\\PC{0,20}") {
            if let Ok(NextContact::At(at)) = parse("nextContactAt", &cell, now()) {
                prop_assert!(at.as_second() >= EARLIEST);
            }
        }
    }
}
