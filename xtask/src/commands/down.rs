//! `./dev down`: stops the running stack of this checkout.

use crate::emulator;
use crate::place::Place;
use crate::report::say;
use crate::running;
use crate::state::State;
use anyhow::{Result, bail};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(150);

/// Stops it and waits until nothing is left.
pub(crate) fn run() -> Result<()> {
    let place = Place::of_checkout()?;
    let Some(running) = running::find(&place)? else {
        bail!("nothing is running; ./dev up");
    };
    say(format_args!("stopping ./dev up (process {})", running.pid));
    running.stop(&place, PATIENCE)?;
    emulator::wait_for_earlier(&place, &State::of(&place))?;
    say("stopped");
    Ok(())
}
