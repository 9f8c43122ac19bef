//! Ctrl-C and its kin, as a question that every wait asks.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

static TIMES: AtomicUsize = AtomicUsize::new(0);

/// The error that means: asked to stop.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped on request")
    }
}

impl std::error::Error for Interrupted {}

/// From here on signals are counted instead of ending the program.
pub(crate) fn listen() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("listening for Ctrl-C")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            TIMES.fetch_add(1, Ordering::SeqCst);
        }
    });
    Ok(())
}

/// How often it was asked to stop. Twice means: now.
pub(crate) fn times() -> usize {
    TIMES.load(Ordering::SeqCst)
}

/// An error once it was asked to stop.
pub(crate) fn check() -> Result<()> {
    if times() == 0 { Ok(()) } else { Err(Interrupted.into()) }
}

/// A short sleep that an interruption ends with an error.
pub(crate) fn pause(length: Duration) -> Result<()> {
    check()?;
    thread::sleep(length);
    check()
}
