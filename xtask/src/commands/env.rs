//! `./dev env`: the addresses and names of the running stack.

use crate::place::Place;
use crate::running;
use anyhow::Result;
use std::io::{ErrorKind, Write, stdout};

/// Prints `KEY=value` lines. A reader that has seen enough may leave.
pub(crate) fn run() -> Result<()> {
    let lines = running::environment(&Place::of_checkout()?)?.to_string();
    match stdout().write_all(lines.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
