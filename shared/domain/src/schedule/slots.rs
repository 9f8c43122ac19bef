//! Times of one length that fit into what is free.

use std::iter::successors;

use jiff::{SignedDuration, Timestamp};

use super::TimeRange;

/// The slots of a length, in minutes, that lie wholly within the free ranges and don't begin before `now`, in the order of the ranges. They are laid
/// from the beginning of each range, with the buffer, in minutes, between one and the next.
pub fn slots(free: &[TimeRange], duration: u16, buffer: u16, now: Timestamp) -> impl Iterator<Item = TimeRange> + use<'_> {
    let length = SignedDuration::from_mins(i64::from(duration).max(1));
    let step = length + SignedDuration::from_mins(buffer.into());
    free.iter().flat_map(move |range| {
        let beginnings = successors(Some(range.from), move |from| from.checked_add(step).ok());
        let laid = beginnings.map_while(move |from| Some(TimeRange { from, to: from.checked_add(length).ok()? }));
        laid.take_while(move |slot| slot.to <= range.to).filter(move |slot| slot.from >= now)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn range(from: i64, to: i64) -> TimeRange {
        TimeRange { from: at(from), to: at(to) }
    }

    fn laid(free: &[TimeRange], duration: u16, buffer: u16, now: i64) -> Vec<TimeRange> {
        slots(free, duration, buffer, at(now)).collect()
    }

    #[test]
    fn slots_lie_within_their_range_with_the_buffer_between_them_and_none_after_the_last() {
        assert_eq!(laid(&[range(0, 150)], 60, 30, 0), [range(0, 60), range(90, 150)]);
        assert_eq!(laid(&[range(0, 149)], 60, 30, 0), [range(0, 60)]);
        assert_eq!(laid(&[range(0, 60), range(65, 125)], 60, 30, 0), [range(0, 60), range(65, 125)], "each range begins anew");
        assert_eq!(laid(&[range(0, 60)], 30, 0, 0), [range(0, 30), range(30, 60)]);
        assert_eq!(laid(&[range(0, 59)], 60, 0, 0), []);
    }

    #[test]
    fn what_has_begun_is_left_out_and_the_rest_stays_where_it_was() {
        assert_eq!(laid(&[range(0, 150)], 30, 0, 31), [range(60, 90), range(90, 120), range(120, 150)]);
        assert_eq!(laid(&[range(0, 90)], 30, 0, 30)[0], range(30, 60), "one that begins now is offered");
        assert_eq!(laid(&[range(0, 90)], 30, 0, 61), []);
    }

    #[test]
    fn no_length_and_no_time_make_it_go_on_for_ever() {
        let end = TimeRange { from: Timestamp::MAX - SignedDuration::from_mins(90), to: Timestamp::MAX };
        assert_eq!(slots(&[end], 60, 0, at(0)).count(), 1);
        assert_eq!(laid(&[range(0, 3)], 0, 0, 0).len(), 3);
    }

    proptest! {
        #[test]
        fn as_many_as_fit(length in 0_i64..3_000, duration in 5_u16..=1_440, buffer in 0_u16..=480, now in 0_i64..3_000) {
            let all = laid(&[range(0, length)], duration, buffer, 0);
            let step = i64::from(duration + buffer);
            let fit = if length < duration.into() { 0 } else { (length - i64::from(duration)) / step + 1 };
            let expected: Vec<TimeRange> = (0..fit).map(|index| range(index * step, index * step + i64::from(duration))).collect();
            prop_assert_eq!(&all, &expected);
            let later: Vec<TimeRange> = expected.into_iter().filter(|slot| slot.from >= at(now)).collect();
            prop_assert_eq!(laid(&[range(0, length)], duration, buffer, now), later);
        }
    }
}
