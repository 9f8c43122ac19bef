//! `./dev bench`: the benchmarks, each with its peer.

use crate::commands::test;
use crate::functions::cargo;
use crate::interrupt;
use crate::place::Place;
use crate::process;
use anyhow::{Result, bail};
use std::collections::BTreeSet;

/// What a benchmark measures, and so how it is built.
#[derive(Clone, Copy)]
enum Measures {
    /// Pure rules, built as for a release.
    Rules,
    /// What a function does beside its requests, built so too. The first time that takes minutes: all it stands on is built with it.
    Work,
    /// Something on the embedded database, built as the tests are, whose builds it shares: what is compared is within one run.
    Database,
}

const ALL: [(&str, Measures); 6] = [
    ("rows", Measures::Rules),
    ("sealing", Measures::Rules),
    ("audit", Measures::Rules),
    ("audit", Measures::Work),
    ("contacts", Measures::Database),
    ("bulk", Measures::Database),
];
/// The one that measures a stack of its own; it takes minutes, so it runs only when it is named.
const STACK: &str = "stack";

/// Runs all of them but that of the stack, or those of one name.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    if name == Some(STACK) {
        return test::measure();
    }
    if name.is_some_and(|name| ALL.iter().all(|(each, _)| *each != name)) {
        let names: BTreeSet<&str> = ALL.iter().map(|(name, _)| *name).chain([STACK]).collect();
        bail!("there is no such benchmark; there are: {}", names.into_iter().collect::<Vec<_>>().join(", "));
    }
    let place = Place::of_checkout()?;
    for &(benchmark, measures) in ALL.iter().filter(|(each, _)| name.is_none_or(|name| name == *each)) {
        interrupt::check()?;
        let mut command = cargo(&place);
        match measures {
            Measures::Rules => command.args(["bench", "--package", "switchboard-domain", "--bench", benchmark]),
            Measures::Work => command.args(["bench", "--package", "switchboard-app", "--bench", benchmark]),
            Measures::Database => command.args(["bench", "--workspace", "--exclude", "switchboard-tests", "--profile", "dev", "--bench", benchmark]),
        };
        process::run(&format!("benchmark {benchmark}"), &command)?;
    }
    Ok(())
}
