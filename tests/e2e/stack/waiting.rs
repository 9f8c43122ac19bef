//! Waiting for what happens by itself: until it is there or its time is up.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How soon after the first look is looked again. Most of what is waited for is there in a moment.
const SOON: Duration = Duration::from_millis(40);
/// The longest time between two looks. What takes long is looked for less often, because every look costs the tests beside this one time.
const SELDOM: Duration = Duration::from_millis(300);

/// Looks until there is something to see, each time after half as long again.
///
/// # Panics
/// When its time is up.
pub(crate) async fn eventually<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    let mut pause = SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        sleep(pause).await;
        pause = (pause * 3 / 2).min(SELDOM);
    }
}
