//! `./dev env`: the addresses and names of the running stack.

use crate::place::Place;
use crate::running;
use anyhow::Result;

/// Prints `KEY=value` lines.
pub(crate) fn run() -> Result<()> {
    print!("{}", running::environment(&Place::of_checkout()?)?);
    Ok(())
}
