//! `./dev logs`: follows what a running stack writes.

use crate::functions;
use crate::interrupt;
use crate::logs::{Follower, Past};
use crate::place::Place;
use crate::report::say;
use crate::running;
use anyhow::{Result, bail};
use std::time::Duration;

/// Follows all logs, or one function's, until Ctrl-C or until the stack stops.
pub(crate) fn run(function: Option<&str>) -> Result<()> {
    let place = Place::of_checkout()?;
    if let Some(name) = function
        && name != "emulator"
        && !functions::NAMES.contains(&name)
    {
        bail!("there is no function {name:?}, but {} and emulator", functions::NAMES.join(", "));
    }
    if running::find(&place)?.is_none() {
        bail!("nothing is running; ./dev up");
    }
    let mut follower = Follower::new(&place, function, Past::Shown)?;
    while running::find(&place)?.is_some() {
        follower.print_new()?;
        if interrupt::pause(Duration::from_millis(250)).is_err() {
            return Ok(());
        }
    }
    follower.print_new()?;
    say("the stack has stopped");
    Ok(())
}
