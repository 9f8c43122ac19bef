//! `./dev bench`: the benchmarks, each with its peer.

use crate::commands::test;
use crate::functions::cargo;
use crate::interrupt;
use crate::place::Place;
use crate::process;
use anyhow::{Result, bail};

/// The benchmarks of pure rules, built as for a release.
const RULES: [&str; 2] = ["rows", "sealing"];
/// Those on the embedded database. They are built as the tests are, whose builds they share: what they compare is within one run.
const DATABASE: [&str; 2] = ["contacts", "bulk"];
/// The one that measures a stack of its own; it takes minutes, so it runs only when it is named.
const STACK: &str = "stack";

/// Runs all of them but that of the stack, or one.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    if name == Some(STACK) {
        return test::measure();
    }
    let all = || RULES.into_iter().chain(DATABASE);
    if name.is_some_and(|name| all().all(|each| each != name)) {
        bail!("there is no such benchmark; there are: {}", all().chain([STACK]).collect::<Vec<_>>().join(", "));
    }
    let place = Place::of_checkout()?;
    for benchmark in all().filter(|each| name.is_none_or(|name| name == *each)) {
        interrupt::check()?;
        let mut command = cargo(&place);
        if RULES.contains(&benchmark) {
            command.args(["bench", "--package", "switchboard-domain", "--bench", benchmark]);
        } else {
            command.args(["bench", "--workspace", "--exclude", "switchboard-tests", "--profile", "dev", "--bench", benchmark]);
        }
        process::run(&format!("benchmark {benchmark}"), &command)?;
    }
    Ok(())
}
