//! `./dev bench`: the benchmarks, each with its peer.

use crate::commands::test;
use crate::functions::cargo;
use crate::interrupt;
use crate::place::Place;
use crate::process;
use anyhow::{Result, bail};

/// The benchmarks: their names, and the packages they are in.
const BENCHMARKS: [(&str, &str); 3] = [("rows", "switchboard-domain"), ("sealing", "switchboard-domain"), ("contacts", "switchboard-app")];
/// The one that measures a stack of its own; it takes minutes, so it runs only when it is named.
const STACK: &str = "stack";

/// Runs all of them but that of the stack, or one.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    if name == Some(STACK) {
        return test::measure();
    }
    let chosen: Vec<(&str, &str)> = BENCHMARKS.into_iter().filter(|(each, _)| name.is_none_or(|name| name == *each)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = BENCHMARKS.iter().map(|(each, _)| *each).chain([STACK]).collect();
        bail!("there is no such benchmark; there are: {}", names.join(", "));
    }
    let place = Place::of_checkout()?;
    for (benchmark, package) in chosen {
        interrupt::check()?;
        process::run(&format!("benchmark {benchmark}"), cargo(&place).args(["bench", "--package", package, "--bench", benchmark]))?;
    }
    Ok(())
}
