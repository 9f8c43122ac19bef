//! `./dev reset`: forgets all data.

use crate::arguments::Up;
use crate::commands::{down, up};
use crate::emulator;
use crate::place::Place;
use crate::report::say;
use crate::running;
use crate::state::State;
use anyhow::Result;

/// Wipes the state; what ran runs again afterwards, with the demo data alone.
pub(crate) fn run() -> Result<()> {
    let place = Place::of_checkout()?;
    let state = State::of(&place);
    let running = running::find(&place)?;
    if running.is_some() {
        down::run()?;
    }
    emulator::wait_for_earlier(&place, &state)?;
    state.wipe()?;
    if let Some(running) = running {
        say("all data is forgotten; starting again in the background");
        up::run(Up { detach: true, background: false, port: running.port })
    } else {
        say("all data is forgotten; the next ./dev up loads the demo data again");
        Ok(())
    }
}
