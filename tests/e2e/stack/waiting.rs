//! Waiting for what happens by itself: until it is there or its time is up.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often is looked.
const LOOK: Duration = Duration::from_millis(150);

/// Looks until there is something to see.
///
/// # Panics
/// When its time is up.
pub(crate) async fn eventually<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        sleep(LOOK).await;
    }
}
