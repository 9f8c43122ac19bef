//! A cell of a workbook as text: as the person who filled it in sees it, but for dates, which are written as ISO 8601 has them.

use std::borrow::Cow;

use calamine::{DataRef, ExcelDateTime, Style};
use jiff::Unit;
use jiff::civil::{DateTime, Time};

/// Days of a workbook's calendar: it ends with the year 9999.
const DAYS: f64 = 2_958_466.0;

const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// The text of a cell, whose numbers have at least so many digits before the decimal point. An error is blank.
pub(super) fn text<'v>(value: &'v DataRef<'_>, digits: usize) -> Cow<'v, str> {
    match value {
        DataRef::Empty | DataRef::Error(_) => Cow::Borrowed(""),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cow::Borrowed(text.as_str()),
        DataRef::SharedString(text) => Cow::Borrowed(text),
        DataRef::Bool(is_true) => Cow::Borrowed(if *is_true { "TRUE" } else { "FALSE" }),
        DataRef::Int(value) => Cow::Owned(value.to_string()),
        DataRef::Float(value) => Cow::Owned(number(*value, digits)),
        DataRef::DateTime(value) => Cow::Owned(moment(value)),
    }
}

/// How many digits numbers of a style have at least: those of a format such as `00000`, in which postal codes are kept. None for other formats.
pub(super) fn digits(style: &Style) -> usize {
    let format = style.number_format.as_ref().map_or("", |format| format.format_code.as_str());
    let is_zeros = (2..=20).contains(&format.len()) && format.bytes().all(|byte| byte == b'0');
    if is_zeros { format.len() } else { 0 }
}

/// Whole numbers come without a decimal point, and none has an exponent: telephone numbers are among them.
fn number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return String::new();
    }
    // A spreadsheet keeps and shows fifteen digits. What a binary fraction has beyond them nobody wrote.
    let kept: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    if kept == 0.0 {
        return format!("{:0>digits$}", "0");
    }
    let text = kept.to_string();
    let is_filled_up = kept > 0.0 && kept.fract() == 0.0;
    if is_filled_up { format!("{text:0>digits$}") } else { text }
}

/// A date, a time or both; what the calendar doesn't have stays the number it is.
fn moment(value: &ExcelDateTime) -> String {
    let days = value.as_f64();
    let is_known = (0.0..DAYS).contains(&days);
    let text = if is_known && value.is_duration() {
        Some(duration(days))
    } else if is_known {
        date_time(value)
    } else {
        None
    };
    text.unwrap_or_else(|| number(days, 0))
}

/// Hours, minutes and seconds.
fn duration(days: f64) -> String {
    let seconds = (days * SECONDS_OF_A_DAY).round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// To the second. A whole day is a date, and what is less than a day a time.
fn date_time(value: &ExcelDateTime) -> Option<String> {
    let (year, month, day, hour, minute, second, millisecond) = value.to_ymd_hms_milli();
    let small = |part: u8| i8::try_from(part).ok();
    let nanosecond = i32::from(millisecond) * 1_000_000;
    let exact = DateTime::new(i16::try_from(year).ok()?, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, nanosecond).ok()?;
    let rounded = exact.round(Unit::Second).ok()?;
    Some(if value.as_f64() < 1.0 {
        rounded.time().to_string()
    } else if rounded.time() == Time::midnight() {
        rounded.date().to_string()
    } else {
        rounded.to_string()
    })
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};
    use proptest::prelude::*;

    use super::*;

    fn shown(value: &DataRef<'_>) -> String {
        text(value, 0).into_owned()
    }

    fn at(days: f64, is_1904: bool) -> String {
        shown(&DataRef::DateTime(ExcelDateTime::new(days, ExcelDateTimeType::DateTime, is_1904)))
    }

    #[test]
    fn errors_and_nothing_are_blank() {
        assert_eq!(shown(&DataRef::Error(CellErrorType::NA)), "");
        assert_eq!(shown(&DataRef::Empty), "");
        assert_eq!(shown(&DataRef::Float(f64::NAN)), "");
        assert_eq!(shown(&DataRef::Float(f64::INFINITY)), "");
    }

    #[test]
    fn a_number_has_neither_an_exponent_nor_a_needless_point_nor_more_digits_than_a_spreadsheet_shows() {
        for (value, expected) in [
            (15_145_550_123.0, "15145550123"),
            (5.145_550_123E9, "5145550123"),
            (33_612_345_678.0, "33612345678"),
            (1E20, "100000000000000000000"),
            (0.1 + 0.2, "0.3"),
            (1_234.56, "1234.56"),
            (-12.0, "-12"),
            (-0.0, "0"),
            (0.000_000_1, "0.0000001"),
        ] {
            assert_eq!(shown(&DataRef::Float(value)), expected);
        }
        assert_eq!(shown(&DataRef::Int(-3)), "-3");
    }

    #[test]
    fn a_number_is_filled_up_with_zeros_as_its_format_says() {
        for (value, expected) in [(2_134.0, "02134"), (0.0, "00000"), (123_456.0, "123456"), (-1.0, "-1"), (1.5, "1.5")] {
            assert_eq!(text(&DataRef::Float(value), 5), expected);
        }
    }

    #[test]
    fn texts_and_truths_are_as_they_are() {
        assert_eq!(shown(&DataRef::SharedString(" 02134 ")), " 02134 ");
        assert_eq!(shown(&DataRef::String("Zoé".to_owned())), "Zoé");
        assert_eq!(shown(&DataRef::DateTimeIso("2026-11-02".to_owned())), "2026-11-02");
        assert_eq!((shown(&DataRef::Bool(true)), shown(&DataRef::Bool(false))), ("TRUE".to_owned(), "FALSE".to_owned()));
    }

    #[test]
    fn a_date_is_a_day_and_a_time_is_with_it_when_there_is_one() {
        assert_eq!(at(46_328.0, false), "2026-11-02");
        assert_eq!(at(46_328.437_5, false), "2026-11-02T10:30:00");
        assert_eq!(at(46_328.430_555_555_555, false), "2026-11-02T10:20:00");
        assert_eq!(at(46_328.999_999_999, false), "2026-11-03");
        assert_eq!(at(44_866.0, true), "2026-11-02");
        assert_eq!(at(0.437_5, false), "10:30:00");
        assert_eq!(at(0.0, false), "00:00:00");
        assert_eq!(at(1.0, false), "1900-01-01");
    }

    #[test]
    fn what_no_calendar_has_stays_a_number() {
        assert_eq!(at(-1.0, false), "-1");
        assert_eq!(at(60.0, false), "60", "Excel has a 29 February 1900");
        assert_eq!(at(5_145_550_123.0, false), "5145550123", "a telephone number in a column of dates");
    }

    #[test]
    fn a_duration_is_hours_minutes_and_seconds() {
        let long = ExcelDateTime::new(1.520_844_907_407_407_3, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(shown(&DataRef::DateTime(long)), "36:30:01");
    }

    proptest! {
        #[test]
        fn a_whole_number_of_fifteen_digits_comes_out_as_it_was_typed(value in -999_999_999_999_999_i64..1_000_000_000_000_000) {
            prop_assert_eq!(shown(&DataRef::Float(value as f64)), value.to_string());
        }

        #[test]
        fn no_number_is_too_strange(bits in any::<u64>(), digits in 0_usize..21, is_1904 in any::<bool>()) {
            let value = f64::from_bits(bits);
            let _ = text(&DataRef::Float(value), digits);
            let _ = at(value, is_1904);
        }
    }
}
