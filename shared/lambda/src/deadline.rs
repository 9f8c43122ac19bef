//! How long an invocation that works batch by batch may go on.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use switchboard_domain::clock::Clock;

/// Left when no further batch is begun: for the one at hand, for the message that says where to go on, and for the answer.
const RESERVE: Duration = Duration::from_secs(30);
/// Taken when the platform's deadline isn't one: `cargo lambda watch` puts it in 1970.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(60);

/// The instant from which an invocation takes no further batch. `deadline` is when the platform ends it, in milliseconds since 1970, as the
/// invocation's context has it.
#[must_use]
pub fn stop_at(clock: &dyn Clock, deadline: u64) -> Instant {
    Instant::now() + time_for_batches(clock.now(), deadline)
}

fn time_for_batches(now: Timestamp, deadline: u64) -> Duration {
    let now = u64::try_from(now.as_millisecond()).unwrap_or_default();
    match deadline.checked_sub(now) {
        Some(left) => Duration::from_millis(left).saturating_sub(RESERVE),
        None => WITHOUT_DEADLINE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn seconds(deadline: u64) -> u64 {
        time_for_batches(Timestamp::from_millisecond(NOW.cast_signed()).unwrap(), deadline).as_secs()
    }

    #[test]
    fn half_a_minute_is_left_when_no_further_batch_is_taken() {
        assert_eq!(seconds(NOW + 300_000), 270);
        assert_eq!(seconds(NOW + 30_000), 0);
        assert_eq!(seconds(NOW + 1_000), 0);
    }

    #[test]
    fn a_deadline_that_is_long_over_is_none() {
        assert_eq!(seconds(0), 60);
        assert_eq!(seconds(1_000), 60);
    }
}
