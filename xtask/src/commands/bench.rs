//! `./dev bench`: the benchmarks, each with its peer.

use crate::functions::cargo;
use crate::interrupt;
use crate::place::Place;
use crate::process;
use anyhow::{Result, bail};

/// The benchmarks: their names, and the packages they are in.
const BENCHMARKS: [(&str, &str); 3] = [("rows", "switchboard-domain"), ("sealing", "switchboard-domain"), ("contacts", "switchboard-app")];

/// Runs all of them, or one.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    let chosen: Vec<(&str, &str)> = BENCHMARKS.into_iter().filter(|(each, _)| name.is_none_or(|name| name == *each)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = BENCHMARKS.iter().map(|(each, _)| *each).collect();
        bail!("there is no such benchmark; there are: {}", names.join(", "));
    }
    let place = Place::of_checkout()?;
    for (benchmark, package) in chosen {
        interrupt::check()?;
        process::run(&format!("benchmark {benchmark}"), cargo(&place).args(["bench", "--package", package, "--bench", benchmark]))?;
    }
    Ok(())
}
