//! `./dev tools`: the tools alone, for what needs one without a stack, as a linter of the template does.

use crate::place::Place;
use crate::report::say;
use crate::tools;
use anyhow::Result;

/// Installs what is missing.
pub(crate) fn run() -> Result<()> {
    tools::install(&Place::of_checkout()?)?;
    say("tools: all there");
    Ok(())
}
