//! `./dev bench`: the benchmarks, each with its peer.

use crate::arguments::{Bench, IMPORT};
use crate::commands::test;
use crate::functions::cargo;
use crate::interrupt;
use crate::place::Place;
use crate::process::{self, answer};
use crate::report::say;
use crate::state;
use crate::tools;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

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

const ALL: [(&str, Measures); 8] = [
    (ROWS, Measures::Work),
    ("sealing", Measures::Rules),
    ("audit", Measures::Rules),
    ("audit", Measures::Work),
    ("scoring", Measures::Rules),
    ("contacts", Measures::Database),
    ("bulk", Measures::Database),
    ("score_sweep", Measures::Database),
];
/// What the rows of an import go through, without requests.
const ROWS: &str = "rows";
/// The one that measures a stack of its own; it takes minutes, so it runs only when it is named, as that of imports does.
const STACK: &str = "stack";
/// Rows of which the instructions are counted. Each takes the same, and counting takes fifty times as long as running.
const COUNTED_ROWS: u32 = 5_000;
/// Functions shown of those that take most of the instructions.
const FUNCTIONS_SHOWN: usize = 25;

/// Runs all of them but those that take minutes, or those of one name.
pub(crate) fn run(asked: &Bench) -> Result<()> {
    let name = asked.name.as_deref();
    let place = Place::of_checkout()?;
    match name {
        Some(STACK) => return test::measure(),
        Some(IMPORT) if asked.callgrind => return count_instructions(&place),
        Some(IMPORT) => return import(&place, asked),
        _ => {}
    }
    if name.is_some_and(|name| ALL.iter().all(|(each, _)| *each != name)) {
        let names: BTreeSet<&str> = ALL.iter().map(|(name, _)| *name).chain([STACK, IMPORT]).collect();
        bail!("there is no such benchmark; there are: {}", names.into_iter().collect::<Vec<_>>().join(", "));
    }
    for &(benchmark, measures) in ALL.iter().filter(|(each, _)| name.is_none_or(|name| name == *each)) {
        interrupt::check()?;
        process::run(&format!("benchmark {benchmark}"), &command(&place, benchmark, measures))?;
    }
    Ok(())
}

fn command(place: &Place, benchmark: &str, measures: Measures) -> Command {
    let mut command = cargo(place);
    match measures {
        Measures::Rules => command.args(["bench", "--package", "switchboard-domain", "--bench", benchmark]),
        Measures::Work => command.args(["bench", "--package", "switchboard-app", "--bench", benchmark]),
        Measures::Database => command.args(["bench", "--workspace", "--exclude", "switchboard-tests", "--profile", "dev", "--bench", benchmark]),
    };
    command
}

/// What rows go through, and then an import of many.
fn import(place: &Place, asked: &Bench) -> Result<()> {
    let mut import = command(place, IMPORT, Measures::Work);
    if let Some(rows) = asked.rows {
        import.env("ROWS", rows.to_string());
    }
    if asked.plan_gigabyte {
        import.env("PLAN_GIGABYTE", "1");
    }
    if asked.peer {
        import.env("PEER_PYTHON", python_of_peer(place)?);
    }
    process::run(&format!("benchmark {ROWS}"), &command(place, ROWS, Measures::Work))?;
    interrupt::check()?;
    process::run(&format!("benchmark {IMPORT}"), &import)
}

/// The Python of the checkout, with what the peer needs beside the tools that are there.
fn python_of_peer(place: &Place) -> Result<PathBuf> {
    tools::install(place)?;
    let list = place.root().join("shared/app/benches/import/peer/requirements.txt");
    let wanted = fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?;
    let python = place.venv_program("python");
    // In the environment, so that it goes when that is made anew.
    let mark = place.local().join("venv/installed-for-peer.txt");
    if !fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        say("tools: installing what the peer needs (some seconds)");
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--requirement"]).arg(&list);
        process::run_logged("pip install", &pip, &place.step_log("peer"))?;
        state::write(&mark, &wanted)?;
    }
    Ok(python)
}

/// What counts instructions.
#[derive(Clone, Copy)]
enum Counter {
    /// By running each on a processor of its own making.
    Callgrind,
    /// By asking the processor.
    Perf,
}

fn counter() -> Result<Counter> {
    let is_there = |program: &str| answer(Command::new(program).arg("--version")).is_some();
    if is_there("valgrind") {
        return Ok(Counter::Callgrind);
    }
    if is_there("perf") {
        say("valgrind isn't there (`apt install valgrind`); perf counts instead, without saying which functions take most");
        return Ok(Counter::Perf);
    }
    bail!("nothing here counts instructions: install valgrind (`apt install valgrind`) or perf; without --callgrind no such program is needed")
}

fn count_instructions(place: &Place) -> Result<()> {
    let counter = counter()?;
    for (what, name) in [("split", "read, split and decoded"), ("whole", "all of it: read, checked, keyed and sealed")] {
        interrupt::check()?;
        let count = match counter {
            Counter::Callgrind => callgrind(place, what)?,
            Counter::Perf => perf(place, what)?.saturating_sub(perf(place, "nothing")?),
        };
        println!("{name}: {} instructions a row", count / u64::from(COUNTED_ROWS));
    }
    if matches!(counter, Counter::Callgrind) {
        println!("valgrind has no instructions for SHA-256, so hashing is counted as it is done without them.");
    }
    Ok(())
}

/// The instructions that one way through the rows takes; prints which functions take most of them.
fn callgrind(place: &Place, what: &str) -> Result<u64> {
    fs::create_dir_all(place.run())?;
    let out = place.run().join(format!("callgrind.{what}.out"));
    let (file, function) = (format!("--callgrind-out-file={}", out.display()), format!("--toggle-collect=*counted_{what}*"));
    let lines = lines_under(place, what, &["valgrind", "--tool=callgrind", &file, &function])?;
    let count = lines.iter().find_map(|line| collected(line)).context("callgrind didn't say how many instructions it collected")?;
    println!("callgrind, {what}: where the instructions are (all of it: callgrind_annotate --inclusive=yes {})", out.display());
    let listing = answer(Command::new("callgrind_annotate").arg(&out)).unwrap_or_default();
    listing.lines().filter(|line| line.contains("%)")).take(FUNCTIONS_SHOWN).for_each(|line| println!("  {line}"));
    Ok(count)
}

/// The instructions that the whole program takes, its beginning and the first way through the rows among them.
fn perf(place: &Place, what: &str) -> Result<u64> {
    let lines = lines_under(place, what, &["perf", "stat", "-x", ",", "-e", "instructions:u"])?;
    lines.iter().find_map(|line| counted(line)).context("perf can't count instructions on this machine")
}

/// What the benchmark of rows and a program that runs it print.
fn lines_under(place: &Place, what: &str, runner: &[&str]) -> Result<Vec<String>> {
    let mut command = command(place, ROWS, Measures::Work);
    command.arg("--config").arg(runner_setting(runner)).env("ROWS", COUNTED_ROWS.to_string()).env("ROWS_ONCE", what);
    let mut lines = Vec::new();
    let status = process::run_with_all_lines(&format!("{} on benchmark {ROWS}", runner[0]), &command, |line| lines.push(line.to_owned()))?;
    if !status.success() {
        bail!("{} on benchmark {ROWS} failed ({status}):\n{}", runner[0], lines.join("\n"));
    }
    Ok(lines)
}

/// The setting that has cargo run what it built under a program.
fn runner_setting(runner: &[&str]) -> String {
    let words: Vec<String> = runner.iter().map(|word| format!("{word:?}")).collect();
    format!("target.'cfg(unix)'.runner = [{}]", words.join(", "))
}

/// The number in callgrind's `==1== Collected : 123`.
fn collected(line: &str) -> Option<u64> {
    line.split_once("Collected :")?.1.trim().parse().ok()
}

/// The number in perf's `123,,instructions:u,…`.
fn counted(line: &str) -> Option<u64> {
    let (count, rest) = line.split_once(',')?;
    count.parse().ok().filter(|_| rest.contains("instructions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_found_in_what_is_printed() {
        assert_eq!(collected("==4242== Collected : 1234567"), Some(1_234_567));
        assert_eq!(collected("==4242== Events    : Ir"), None);
        assert_eq!(counted("1234567,,instructions:u,51,100.00,,"), Some(1_234_567));
        assert_eq!(counted("<not supported>,,instructions:u,0,100.00,,"), None);
    }

    #[test]
    fn the_runner_is_a_setting_of_cargos() {
        assert_eq!(runner_setting(&["perf", "stat"]), "target.'cfg(unix)'.runner = [\"perf\", \"stat\"]");
    }
}
