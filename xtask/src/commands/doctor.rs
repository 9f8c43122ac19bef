//! `./dev doctor`: what this machine has and lacks.

use crate::place::Place;
use crate::requirements;
use anyhow::{Result, bail};

/// Prints a line for each requirement.
pub(crate) fn run() -> Result<()> {
    let requirements = requirements::all(&Place::of_checkout()?);
    for requirement in &requirements {
        match &requirement.fix {
            None => println!("ok       {}", requirement.name),
            Some(fix) => println!("MISSING  {}\n         {fix}", requirement.name),
        }
    }
    match requirements.iter().filter(|requirement| requirement.fix.is_some()).count() {
        0 => Ok(()),
        missing => bail!("{missing} of {} missing", requirements.len()),
    }
}
