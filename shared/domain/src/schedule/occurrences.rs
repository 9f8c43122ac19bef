//! What windows and exceptions come to in a stretch of time: by the clocks of a zone, which skip an hour in spring and show one twice in autumn.
//!
//! A time on a day is the first moment at which the clocks show it or a later one. So of an hour that comes twice the windows that begin in it begin
//! the first time, and those that end in it end the first time; of an hour that is skipped they begin and end when the clocks change. Windows that
//! follow one another on the clock then follow one another in time, on every day of the year.

use std::iter::successors;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{DAY_MINUTES, Exception, Recurrence, Schedule, Weekday, Window};
use crate::time_zone::first_moment;

/// A stretch of time: from its first moment up to, and without, the moment it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeRange {
    /// The first moment.
    pub from: Timestamp,
    /// The moment after the last.
    pub to: Timestamp,
}

/// When the agent can be booked within a stretch of time: what the windows give, less the exceptions, joined where it touches, in order.
///
/// The work grows with the days of the stretch and the windows and exceptions that touch it, not with how long ago they began.
#[must_use]
pub fn availability(schedule: &Schedule, zone: &TimeZone, within: TimeRange) -> Vec<TimeRange> {
    if within.from >= within.to {
        return Vec::new();
    }
    let days = Days::around(zone, within);
    let mut open: Vec<TimeRange> = schedule.windows.iter().flat_map(|window| days.window(window)).filter_map(|range| cut(range, within)).collect();
    let mut closed: Vec<TimeRange> = schedule.exceptions.iter().map(|exception| days.exception(exception)).filter_map(|range| cut(range, within)).collect();
    join(&mut open);
    join(&mut closed);
    without(&open, &closed)
}

/// A stretch of time, and all that is before it since the beginning of the day before its first. A free time that reaches into the stretch begins in that,
/// too, unless windows follow one another for longer.
#[must_use]
pub fn since_the_day_before(within: TimeRange, zone: &TimeZone) -> TimeRange {
    let day = zone.to_datetime(within.from).date().saturating_sub(1.day());
    TimeRange { from: first_moment(zone, day.to_datetime(Time::MIN)).min(within.from), ..within }
}

/// The days of a zone that matter to a stretch of time.
struct Days<'a> {
    zone: &'a TimeZone,
    /// The first day on which something may begin that reaches into the stretch.
    first: Date,
    /// The last one.
    last: Date,
}

impl<'a> Days<'a> {
    /// A window ends at the latest with the day after it begins. Clocks that are set back over midnight show a day that is over already: hence one day
    /// more at the end.
    fn around(zone: &'a TimeZone, within: TimeRange) -> Self {
        let first = zone.to_datetime(within.from).date().saturating_sub(1.day());
        let last = zone.to_datetime(within.to).date().saturating_add(1.day());
        Self { zone, first, last }
    }

    /// The occurrences of a window. One that lies wholly within a skipped hour is empty.
    fn window(&self, window: &Window) -> impl Iterator<Item = TimeRange> + use<'_, 'a> {
        let (start, end) = (window.start, window.end + if window.ends_next_day { DAY_MINUTES } else { 0 });
        occurrences(window, self.first, self.last).map(move |day| TimeRange { from: self.moment(day, start), to: self.moment(day, end) })
    }

    fn exception(&self, exception: &Exception) -> TimeRange {
        let (start, end) = (exception.start.unwrap_or(0), exception.end.unwrap_or(DAY_MINUTES));
        TimeRange { from: self.moment(exception.date, start), to: self.moment(exception.until, end) }
    }

    /// The first moment at which the clocks show this many minutes after a day's midnight, or more.
    fn moment(&self, day: Date, minutes: u16) -> Timestamp {
        first_moment(self.zone, day.to_datetime(Time::MIN).saturating_add(SignedDuration::from_mins(minutes.into())))
    }
}

/// The days from `first` to `last` on which a window begins.
fn occurrences(window: &Window, first: Date, last: Date) -> impl Iterator<Item = Date> + use<> {
    let first = first.max(window.date);
    let (last, days) = match window.recurrence {
        Recurrence::Once => (last.min(window.date), None),
        Recurrence::Daily => (last.min(window.until.unwrap_or(last)), None),
        Recurrence::Weekly => (last.min(window.until.unwrap_or(last)), Some(window.weekdays.clone())),
    };
    each_day(first, last).filter(move |day| days.as_ref().is_none_or(|days| days.contains(&Weekday::of(*day))))
}

fn each_day(first: Date, last: Date) -> impl Iterator<Item = Date> + use<> {
    successors(Some(first), |day| day.tomorrow().ok()).take_while(move |day| *day <= last)
}

/// The part of a range that lies within another; none when it is empty.
fn cut(range: TimeRange, within: TimeRange) -> Option<TimeRange> {
    let (from, to) = (range.from.max(within.from), range.to.min(within.to));
    (from < to).then_some(TimeRange { from, to })
}

/// Sorts ranges and makes one of those that overlap or touch.
fn join(ranges: &mut Vec<TimeRange>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, last| {
        let touches = next.from <= last.to;
        if touches {
            last.to = last.to.max(next.to);
        }
        touches
    });
}

/// What is left of ranges without others; both are sorted, and neither touch among themselves.
fn without(ranges: &[TimeRange], others: &[TimeRange]) -> Vec<TimeRange> {
    let mut left = Vec::with_capacity(ranges.len() + others.len());
    let mut others = others.iter().peekable();
    for range in ranges {
        let mut from = range.from;
        while let Some(other) = others.next_if(|other| other.to <= range.to) {
            left.extend(cut(TimeRange { from, to: other.from }, *range));
            from = from.max(other.to);
        }
        // One that goes on beyond this range may cover the next, too.
        let to = others.peek().map_or(range.to, |other| other.from.min(range.to));
        left.extend(cut(TimeRange { from, to }, *range));
    }
    left
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::{DateTime, date};
    use proptest::prelude::*;

    use super::super::ExceptionKind;
    use super::*;
    use crate::change::{Change, Origin, Revisioned};
    use crate::ids::{AgentId, ScheduleExceptionId, ScheduleWindowId};

    const TORONTO: &str = "America/Toronto";

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn range(from: &str, to: &str) -> TimeRange {
        TimeRange { from: at(from), to: at(to) }
    }

    fn schedule(windows: Vec<Window>, exceptions: Vec<Exception>) -> Schedule {
        let record = Revisioned::created(Change::new("schedule.changed", Timestamp::UNIX_EPOCH, Origin::system()));
        Schedule { agent: AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10]), record, windows, exceptions }
    }

    /// Minutes after midnight of `9:05`, or of the day after of `33:05`.
    fn minutes(time: &str) -> u16 {
        let (hours, minutes) = time.split_once(':').unwrap();
        hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
    }

    fn daily(date: Date, start: &str, end: &str) -> Window {
        let (start, end) = (minutes(start), minutes(end));
        let (end, ends_next_day) = if end > DAY_MINUTES { (end - DAY_MINUTES, true) } else { (end, false) };
        let id = ScheduleWindowId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        Window { id, date, start, end, ends_next_day, recurrence: Recurrence::Daily, weekdays: BTreeSet::new(), until: None }
    }

    fn once(date: Date, start: &str, end: &str) -> Window {
        Window { recurrence: Recurrence::Once, ..daily(date, start, end) }
    }

    fn weekly(date: Date, start: &str, end: &str, weekdays: &[Weekday]) -> Window {
        Window { recurrence: Recurrence::Weekly, weekdays: weekdays.iter().copied().collect(), ..daily(date, start, end) }
    }

    fn away(from: (Date, Option<&str>), until: (Date, Option<&str>)) -> Exception {
        let id = ScheduleExceptionId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        Exception { id, date: from.0, until: until.0, start: from.1.map(minutes), end: until.1.map(minutes), kind: ExceptionKind::Away, note: None }
    }

    fn holiday(day: Date) -> Exception {
        away((day, None), (day, None))
    }

    fn open(windows: Vec<Window>, exceptions: Vec<Exception>, within: TimeRange) -> Vec<TimeRange> {
        availability(&schedule(windows, exceptions), &zone(TORONTO), within)
    }

    #[test]
    fn a_weekly_window_keeps_its_time_on_the_clock_over_both_changes() {
        let sundays = weekly(date(2020, 1, 1), "9:00", "17:00", &[Weekday::Sunday]);
        let spring = open(vec![sundays.clone()], vec![], range("2026-03-01T00:00:00Z", "2026-03-16T00:00:00Z"));
        let expected = [
            range("2026-03-01T14:00:00Z", "2026-03-01T22:00:00Z"),
            range("2026-03-08T13:00:00Z", "2026-03-08T21:00:00Z"),
            range("2026-03-15T13:00:00Z", "2026-03-15T21:00:00Z"),
        ];
        assert_eq!(spring, expected);
        let autumn = open(vec![sundays], vec![], range("2026-10-25T00:00:00Z", "2026-11-08T23:00:00Z"));
        let expected = [
            range("2026-10-25T13:00:00Z", "2026-10-25T21:00:00Z"),
            range("2026-11-01T14:00:00Z", "2026-11-01T22:00:00Z"),
            range("2026-11-08T14:00:00Z", "2026-11-08T22:00:00Z"),
        ];
        assert_eq!(autumn, expected);
    }

    #[test]
    fn in_spring_what_begins_or_ends_in_the_skipped_hour_does_so_when_the_clocks_change() {
        let day = date(2026, 3, 8);
        let within = range("2026-03-08T00:00:00Z", "2026-03-09T12:00:00Z");
        let one = |start: &str, end: &str| open(vec![once(day, start, end)], vec![], within);
        assert_eq!(one("1:00", "2:30"), [range("2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z")]);
        assert_eq!(one("2:30", "4:00"), [range("2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z")]);
        assert_eq!(one("2:00", "3:00"), [], "nothing of it is there");
        assert_eq!(one("2:15", "2:45"), []);
        assert_eq!(one("1:00", "4:00"), [range("2026-03-08T06:00:00Z", "2026-03-08T08:00:00Z")], "an hour less than on other days");
        assert_eq!(one("22:00", "26:30"), [range("2026-03-09T02:00:00Z", "2026-03-09T06:30:00Z")]);
        let night = open(vec![once(date(2026, 3, 7), "22:00", "26:30")], vec![], within);
        assert_eq!(night, [range("2026-03-08T03:00:00Z", "2026-03-08T07:00:00Z")]);
    }

    #[test]
    fn in_autumn_what_begins_or_ends_in_the_hour_that_comes_twice_does_so_the_first_time() {
        let day = date(2026, 11, 1);
        let within = range("2026-11-01T00:00:00Z", "2026-11-02T12:00:00Z");
        let one = |start: &str, end: &str| open(vec![once(day, start, end)], vec![], within);
        assert_eq!(one("0:00", "1:30"), [range("2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z")]);
        assert_eq!(one("1:30", "2:30"), [range("2026-11-01T05:30:00Z", "2026-11-01T07:30:00Z")], "both hours are in it");
        assert_eq!(one("1:15", "1:45"), [range("2026-11-01T05:15:00Z", "2026-11-01T05:45:00Z")], "it is there once");
        assert_eq!(one("0:00", "24:00"), [range("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")], "a day of 25 hours");
        let halves = open(vec![once(day, "0:00", "1:30"), once(day, "1:30", "3:00")], vec![], within);
        assert_eq!(halves, [range("2026-11-01T04:00:00Z", "2026-11-01T08:00:00Z")], "what follows on the clock follows in time");
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let friday_nights = weekly(date(2026, 11, 20), "22:00", "26:00", &[Weekday::Friday]);
        let found = open(vec![Window { until: Some(date(2026, 11, 27)), ..friday_nights }], vec![], range("2026-11-21T06:00:00Z", "2026-12-31T00:00:00Z"));
        assert_eq!(found, [range("2026-11-21T06:00:00Z", "2026-11-21T07:00:00Z"), range("2026-11-28T03:00:00Z", "2026-11-28T07:00:00Z")]);
    }

    #[test]
    fn windows_that_overlap_or_touch_are_one_and_exceptions_are_taken_out_of_all_of_them() {
        let day = date(2026, 11, 24);
        let windows =
            vec![once(day, "13:00", "15:00"), once(day, "9:00", "12:00"), once(day, "10:00", "13:00"), once(day, "10:30", "11:00"), once(day, "18:00", "19:00")];
        let within = range("2026-11-24T05:00:00Z", "2026-11-25T05:00:00Z");
        assert_eq!(open(windows.clone(), vec![], within), [range("2026-11-24T14:00:00Z", "2026-11-24T20:00:00Z"), range("2026-11-24T23:00:00Z", "2026-11-25T00:00:00Z")]);
        let lunch = away((day, Some("12:00")), (day, Some("12:30")));
        let found = open(windows.clone(), vec![lunch, away((day, Some("14:00")), (day, Some("18:30")))], within);
        let expected = [
            range("2026-11-24T14:00:00Z", "2026-11-24T17:00:00Z"),
            range("2026-11-24T17:30:00Z", "2026-11-24T19:00:00Z"),
            range("2026-11-24T23:30:00Z", "2026-11-25T00:00:00Z"),
        ];
        assert_eq!(found, expected);
        assert_eq!(open(windows, vec![holiday(day)], within), []);
    }

    #[test]
    fn an_exception_goes_from_its_time_on_the_first_day_to_its_time_on_the_last() {
        let (monday, wednesday) = (date(2026, 11, 23), date(2026, 11, 25));
        let within = range("2026-11-23T05:00:00Z", "2026-11-26T05:00:00Z");
        let found = |from, until| open(vec![daily(monday, "9:00", "17:00")], vec![away((monday, from), (wednesday, until))], within);
        let (morning, evening) = (range("2026-11-23T14:00:00Z", "2026-11-23T18:00:00Z"), range("2026-11-25T15:00:00Z", "2026-11-25T22:00:00Z"));
        assert_eq!(found(Some("13:00"), Some("10:00")), [morning, evening]);
        assert_eq!(found(Some("13:00"), None), [morning]);
        assert_eq!(found(None, Some("10:00")), [evening]);
        assert_eq!(found(None, None), []);
    }

    #[test]
    fn a_holiday_ends_a_night_at_midnight_and_lets_the_next_begin_after_it() {
        let nights = daily(date(2026, 1, 1), "22:00", "26:00");
        let found = open(vec![nights], vec![holiday(date(2026, 12, 25))], range("2026-12-24T17:00:00Z", "2026-12-26T17:00:00Z"));
        assert_eq!(found, [range("2026-12-25T03:00:00Z", "2026-12-25T05:00:00Z"), range("2026-12-26T05:00:00Z", "2026-12-26T07:00:00Z")]);
    }

    #[test]
    fn a_stretch_cuts_to_the_second_and_one_of_no_length_has_nothing() {
        let always = daily(date(2026, 1, 1), "0:00", "24:00");
        let within = range("2026-05-01T10:00:01.5Z", "2026-05-03T10:00:00Z");
        assert_eq!(open(vec![always.clone()], vec![], within), [within]);
        assert_eq!(open(vec![always.clone()], vec![], range("2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z")), []);
        assert_eq!(open(vec![always], vec![], range("2026-05-02T10:00:00Z", "2026-05-01T10:00:00Z")), []);
    }

    #[test]
    fn a_window_that_began_long_ago_is_looked_at_from_where_the_stretch_begins() {
        let mut days = occurrences(&daily(date(1900, 1, 1), "9:00", "17:00"), date(2026, 11, 23), date(2026, 11, 25));
        assert_eq!(days.by_ref().next(), Some(date(2026, 11, 23)));
        assert_eq!(days.count(), 2);
    }

    #[test]
    fn a_day_that_has_begun_before_the_clocks_go_back_into_the_one_before_stays_begun() {
        // In Newfoundland a minute after midnight became a minute after eleven.
        let sunday = once(date(2010, 11, 7), "0:00", "2:00");
        let found = availability(&schedule(vec![sunday], vec![]), &zone("America/St_Johns"), range("2010-11-07T02:00:00Z", "2010-11-07T03:00:00Z"));
        assert_eq!(found, [range("2010-11-07T02:30:00Z", "2010-11-07T03:00:00Z")]);
    }

    #[test]
    fn what_is_free_when_a_stretch_begins_has_begun_since_the_day_before() {
        let within = range("2026-11-24T06:30:00Z", "2026-11-24T20:00:00Z");
        let longer = since_the_day_before(within, &zone(TORONTO));
        assert_eq!(longer, range("2026-11-23T05:00:00Z", "2026-11-24T20:00:00Z"));
        let night = || vec![once(date(2026, 11, 23), "7:00", "31:00")];
        assert_eq!(open(night(), vec![], within), [range("2026-11-24T06:30:00Z", "2026-11-24T12:00:00Z")]);
        assert_eq!(open(night(), vec![], longer), [range("2026-11-23T12:00:00Z", "2026-11-24T12:00:00Z")]);
        let spring = range("2027-03-14T12:00:00Z", "2027-03-14T13:00:00Z");
        assert_eq!(since_the_day_before(spring, &zone(TORONTO)).from, at("2027-03-13T05:00:00Z"), "the day itself has 23 hours");
    }

    #[test]
    fn days_that_a_zone_skipped_and_the_ends_of_time_are_survived() {
        let always = daily(date(1900, 1, 1), "0:00", "24:00");
        // Samoa had no 30 December 2011.
        let within = range("2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z");
        assert_eq!(availability(&schedule(vec![always.clone()], vec![]), &zone("Pacific/Apia"), within), [within]);
        let skipped = once(date(2011, 12, 30), "9:00", "17:00");
        assert_eq!(availability(&schedule(vec![skipped], vec![]), &zone("Pacific/Apia"), within), []);
        for within in [TimeRange { from: Timestamp::MIN, to: at("-009999-01-10T00:00:00Z") }, TimeRange { from: at("9999-12-20T00:00:00Z"), to: Timestamp::MAX }] {
            let _ = availability(
                &schedule(vec![always.clone(), once(Date::MAX, "22:00", "26:00")], vec![away((Date::MIN, None), (Date::MAX, None))]),
                &zone(TORONTO),
                within,
            );
        }
    }

    /// What the clocks of a zone show, minute by minute: at each minute the latest time that they have shown so far. That is all the model knows of zones.
    fn clock(zone: &TimeZone, from: Timestamp, minutes: i64) -> Vec<DateTime> {
        const BEFORE: i64 = 2 * 24 * 60;
        let mut latest = DateTime::MIN;
        let shown = (-BEFORE..minutes).map(|minute| {
            latest = latest.max(zone.to_datetime(from + SignedDuration::from_mins(minute)));
            latest
        });
        shown.collect::<Vec<_>>().split_off(usize::try_from(BEFORE).unwrap())
    }

    /// Whether a window begins on a day, asked of the calendar alone.
    fn model_begins(window: &Window, day: Date) -> bool {
        let is_over = window.until.is_some_and(|until| day > until);
        match window.recurrence {
            Recurrence::Once => day == window.date,
            Recurrence::Daily => day >= window.date && !is_over,
            Recurrence::Weekly => {
                let number = day.weekday().to_monday_zero_offset();
                day >= window.date && !is_over && window.weekdays.iter().any(|weekday| *weekday as i8 == number)
            }
        }
    }

    fn model_is_open(windows: &[Window], exceptions: &[Exception], shown: DateTime) -> bool {
        // The time shown in minutes after the midnight of the day before the day before, of the day before, and of the day itself.
        let since = |days_ago: i64| i64::from(shown.hour()) * 60 + i64::from(shown.minute()) + days_ago * 24 * 60;
        let day = |days_ago: i64| shown.date() - days_ago.days();
        let is_in = |window: &Window| {
            (0..=2).any(|days_ago| {
                let end = i64::from(window.end) + if window.ends_next_day { 24 * 60 } else { 0 };
                model_begins(window, day(days_ago)) && i64::from(window.start) <= since(days_ago) && since(days_ago) < end
            })
        };
        let is_out = |exception: &Exception| {
            let has_begun = exception.date < day(0) || exception.date == day(0) && exception.start.is_none_or(|start| i64::from(start) <= since(0));
            let is_over = exception.until < day(0) || exception.until == day(0) && exception.end.is_some_and(|end| i64::from(end) <= since(0));
            has_begun && !is_over
        };
        windows.iter().any(is_in) && !exceptions.iter().any(is_out)
    }

    /// The zones, and days around which their clocks change; days like others for the one whose clocks don't.
    const PLACES: [(&str, &[Date]); 5] = [
        (TORONTO, &[date(2026, 3, 8), date(2026, 11, 1), date(2027, 3, 14)]),
        // Half an hour, the other way round.
        ("Australia/Lord_Howe", &[date(2026, 4, 5), date(2026, 10, 4)]),
        ("Asia/Kolkata", &[date(2026, 3, 8), date(2026, 7, 1)]),
        // At midnight, which a day may not have, or have twice.
        ("America/Sao_Paulo", &[date(2018, 2, 18), date(2018, 11, 4)]),
        // A minute after midnight: the clocks go back into a day that was over.
        ("America/St_Johns", &[date(2010, 3, 14), date(2010, 11, 7)]),
    ];

    fn any_place() -> impl Strategy<Value = (&'static str, Date)> {
        (0..PLACES.len(), any::<prop::sample::Index>()).prop_map(|(place, day)| (PLACES[place].0, *day.get(PLACES[place].1)))
    }

    /// Any minute of a day up to the last one, those of the night as often as all others.
    fn any_time(last: u16) -> impl Strategy<Value = u16> {
        prop_oneof![0..=240_u16, 0..=last, (0..=last / 30).prop_map(|halves| halves * 30), Just(last)]
    }

    /// A day some days from the one on which the clocks change.
    fn any_day(around: Date) -> impl Strategy<Value = Date> {
        prop_oneof![4 => -6_i64..=4, 1 => -4_000_i64..=40].prop_map(move |days| around + days.days())
    }

    fn any_window(around: Date) -> impl Strategy<Value = Window> {
        const WEEK: [Weekday; 7] = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday, Weekday::Saturday, Weekday::Sunday];
        let recurrence = prop_oneof![Just(Recurrence::Once), Just(Recurrence::Daily), Just(Recurrence::Weekly)];
        let weekdays = prop::sample::subsequence(WEEK.to_vec(), 1..=7);
        (any_day(around), any_time(1_439), any_time(1_440), any::<bool>(), recurrence, weekdays, prop::option::of(0_i64..4_010)).prop_map(
            |(date, start, end, ends_next_day, recurrence, weekdays, until)| {
                let id = ScheduleWindowId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
                // More than the rules allow: some end more than a day after they begin.
                let ends_next_day = ends_next_day || end <= start;
                let weekdays = if recurrence == Recurrence::Weekly { weekdays.into_iter().collect() } else { BTreeSet::new() };
                let until = until.filter(|_| recurrence != Recurrence::Once).map(|days| date + days.days());
                Window { id, date, start, end, ends_next_day, recurrence, weekdays, until }
            },
        )
    }

    fn any_exception(around: Date) -> impl Strategy<Value = Exception> {
        let times = (prop::option::of(any_time(1_439)), prop::option::of(any_time(1_440)));
        (any_day(around), prop_oneof![0_i64..3, 0_i64..4_010], times).prop_map(|(date, days, (start, end))| {
            let id = ScheduleExceptionId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
            Exception { id, date, until: date + days.days(), start, end, kind: ExceptionKind::Holiday, note: None }
        })
    }

    prop_compose! {
        fn any_case()((zone, around) in any_place())(
            zone in Just(zone),
            from in Just(around).prop_flat_map(|around| (-3 * 24 * 60_i64..=24 * 60).prop_map(move |minutes| around.to_datetime(Time::MIN) + SignedDuration::from_mins(minutes))),
            minutes in 1..=4 * 24 * 60_i64,
            windows in prop::collection::vec(any_window(around), 1..=4),
            exceptions in prop::collection::vec(any_exception(around), 0..=2),
        ) -> (&'static str, DateTime, i64, Vec<Window>, Vec<Exception>) {
            (zone, from, minutes, windows, exceptions)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn each_minute_is_open_exactly_when_the_clock_says_so((zone_name, from, minutes, windows, exceptions) in any_case()) {
            let zone = zone(zone_name);
            let from = TimeZone::UTC.to_timestamp(from).unwrap();
            let within = TimeRange { from, to: from + SignedDuration::from_mins(minutes) };
            let found = availability(&schedule(windows.clone(), exceptions.clone()), &zone, within);
            let expected: Vec<bool> = clock(&zone, from, minutes).into_iter().map(|shown| model_is_open(&windows, &exceptions, shown)).collect();
            let mut open = vec![false; expected.len()];
            for range in &found {
                let minute = |at: Timestamp| usize::try_from(at.duration_since(from).as_secs() / 60).unwrap();
                prop_assert!(range.from < range.to && within.from <= range.from && range.to <= within.to);
                prop_assert!([range.from, range.to].into_iter().all(|at| at.duration_since(from).as_secs() % 60 == 0));
                open[minute(range.from)..minute(range.to)].fill(true);
            }
            prop_assert!(found.windows(2).all(|pair| pair[0].to < pair[1].from), "in order, and joined where they touch: {found:?}");
            let wrong = (0..open.len()).find(|minute| open[*minute] != expected[*minute]);
            prop_assert_eq!(wrong.map(|minute| from + SignedDuration::from_mins(i64::try_from(minute).unwrap())), None, "{:?}", found);
        }
    }
}
