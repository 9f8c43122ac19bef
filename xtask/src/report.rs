//! Saying what is going on, with the seconds since the start. On standard error: standard output is for answers.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

static START: OnceLock<Instant> = OnceLock::new();

/// Time since the first call, which is the program's first act.
pub(crate) fn elapsed() -> Duration {
    START.get_or_init(Instant::now).elapsed()
}

/// One line of progress.
pub(crate) fn say(text: impl Display) {
    eprintln!("[{:>4} s] {text}", elapsed().as_secs());
}
