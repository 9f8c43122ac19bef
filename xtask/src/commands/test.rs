//! `./dev test`: all tests, or one level, each with what it needs.

use crate::arguments::{Level, Up};
use crate::environment::point_at_stack;
use crate::functions::cargo;
use crate::interrupt;
use crate::place::Place;
use crate::process::{self, answer, run_with_all_lines};
use crate::report::{elapsed, say};
use crate::running::Claim;
use crate::stack::Stack;
use crate::state::State;
use crate::{emulator, port, tools};
use anyhow::{Result, bail};
use serde_json::Value;
use std::io::{Write, stdout};
use std::process::Command;
use std::thread;

const END_TO_END: &str = "switchboard-tests";

/// How many end-to-end tests run at once on a machine of fewer cores: what they do most is wait, for queues, jobs and what is believed for
/// half a minute.
const AT_ONCE: usize = 4;
/// The setting of Rust's test runner for it. One of the shell is left alone, and an argument is stronger than either.
const THREADS: &str = "RUST_TEST_THREADS";

/// How many tests passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

/// Runs the levels and prints a line for each at the end.
pub(crate) fn run(level: Option<Level>) -> Result<()> {
    let place = Place::of_checkout()?;
    let mut lines = Vec::new();
    let mut failed = false;
    for level in Level::ALL.into_iter().filter(|each| level.is_none_or(|only| only == *each)) {
        interrupt::check()?;
        let begun = elapsed();
        let mut count = Count::default();
        say(format_args!("test {}", level.word()));
        let outcome = match level {
            Level::Unit => unit(&place, &mut count),
            Level::Integration => integration(&place, &mut count),
            Level::EndToEnd => end_to_end(&mut count, &[]),
        };
        // A stop on request is no result of a test.
        interrupt::check()?;
        let seconds = elapsed().saturating_sub(begun).as_secs();
        let Count { passed, failed: broken } = count;
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        lines.push(format!("{:<5} {word:<7} {passed} passed, {broken} failed, {seconds} s", level.word()));
        if let Err(error) = outcome {
            failed = true;
            say(format_args!("test {}: {error:#}", level.word()));
        }
    }
    println!("\n{}", lines.join("\n"));
    if failed {
        bail!("tests failed");
    }
    Ok(())
}

fn unit(place: &Place, count: &mut Count) -> Result<()> {
    let workspace = ["test", "--workspace", "--exclude", END_TO_END, "--no-fail-fast"];
    let programs = tests(count, "unit tests", cargo(place).args(workspace).args(["--lib", "--bins"]));
    interrupt::check()?;
    let documents = tests(count, "tests in the documentation", cargo(place).args(workspace).arg("--doc"));
    programs.and(documents)
}

fn integration(place: &Place, count: &mut Count) -> Result<()> {
    tools::install(place)?;
    let mut rust = cargo(place);
    rust.args(["test", "--workspace", "--exclude", END_TO_END, "--no-fail-fast", "--test", "*"]);
    let rust = tests(count, "integration tests", &rust);
    interrupt::check()?;
    let mut python = Command::new(place.venv_program("python"));
    python.arg("run_tests.py").current_dir(place.root().join("localstack"));
    let python = tests(count, "the emulator's tests", &python);
    rust.and(python)
}

/// The measurements among the end-to-end tests, which the tests leave out because they take minutes.
pub(crate) fn measure() -> Result<()> {
    // One after another: what one measures another would disturb.
    end_to_end(&mut Count::default(), &["--", "--ignored", "--nocapture", "--test-threads=1"])
}

/// On a stack of its own, beside one that may be running, wiped first.
fn end_to_end(count: &mut Count, arguments: &[&str]) -> Result<()> {
    let place = Place::of_tests()?;
    let selection = end_to_end_selection(&place)?;
    let claim = match Claim::take(&place)? {
        Ok(claim) => claim,
        Err(running) => bail!("the end-to-end tests of this checkout run already (process {})", running.pid),
    };
    // Before the stack is started, for which tests that do not compile have no use.
    process::run("building the end-to-end tests", cargo(&place).args(["test", "--no-run"]).args(&selection))?;
    emulator::wait_for_earlier(&place, &State::of(&place))?;
    State::of(&place).wipe()?;
    let mut stack = Stack::start(&place, claim, Up { port: Some(port::any()?), ..Up::default() })?;
    let mut command = cargo(&place);
    point_at_stack(&mut command, stack.environment())
        .args(["test", "--no-fail-fast"])
        .args(&selection)
        .args(arguments)
        .env("SWITCHBOARD_LOG_DIR", place.logs())
        .env("SWITCHBOARD_OPERATOR", stack.operator());
    if std::env::var_os(THREADS).is_none() {
        command.env(THREADS, at_once().to_string());
    }
    let outcome = tests(count, "end-to-end tests", &command);
    let alive = stack.check();
    let stopped = stack.stop();
    outcome.and(alive).and(stopped)
}

fn at_once() -> usize {
    thread::available_parallelism().map_or(AT_ONCE, |cores| cores.get().max(AT_ONCE))
}

/// The tests of the end-to-end package, chosen by name among those of the whole workspace: the package alone would mean other
/// features of its dependencies, and minutes of building.
fn end_to_end_selection(place: &Place) -> Result<Vec<String>> {
    let Some(metadata) = answer(cargo(place).args(["metadata", "--no-deps", "--format-version", "1"])) else {
        bail!("cargo metadata fails; cargo check says why");
    };
    let names = end_to_end_tests(&serde_json::from_str(&metadata)?);
    if names.is_empty() {
        bail!("package {END_TO_END} has no tests");
    }
    Ok(std::iter::once("--workspace".to_owned()).chain(names.into_iter().flat_map(|name| ["--test".to_owned(), name])).collect())
}

/// The names of the end-to-end package's test programs.
fn end_to_end_tests(metadata: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]).into_iter().filter(|package| package["name"] == END_TO_END);
    packages
        .flat_map(|package| list(&package["targets"]))
        .filter(|target| list(&target["kind"]).contains(&Value::from("test")))
        .filter_map(|target| Some(target["name"].as_str()?.to_owned()))
        .collect()
}

/// Runs tests, passing on what they print and counting what they say.
fn tests(count: &mut Count, name: &str, command: &Command) -> Result<()> {
    let status = run_with_all_lines(name, command, |line| {
        // Nobody may be reading any more; the count is still right.
        let _ = writeln!(stdout(), "{line}");
        count.add(line);
    })?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

impl Count {
    /// Counts what a closing line of cargo's or Python's test runner says.
    fn add(&mut self, line: &str) {
        if let Some(result) = line.trim_start().strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.failed += number_before(result, " failed");
        } else if line.starts_with("Ran ") && line.contains(" test") {
            self.passed += number_before(line, " test");
        } else if line.starts_with("FAILED (") {
            let broken = number_after(line, "failures=") + number_after(line, "errors=");
            self.failed += broken;
            self.passed = self.passed.saturating_sub(broken);
        }
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn number_after(text: &str, word: &str) -> u64 {
    let after = text.split(word).nth(1).unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_test_programs_of_the_end_to_end_package_are_chosen() {
        let metadata = json!({ "packages": [
            { "name": "other", "targets": [{ "kind": ["test"], "name": "schema" }] },
            { "name": END_TO_END, "targets": [{ "kind": ["lib"], "name": "tests" }, { "kind": ["test"], "name": "e2e" }] },
        ]});
        assert_eq!(end_to_end_tests(&metadata), ["e2e"]);
        assert!(end_to_end_tests(&json!({})).is_empty());
    }

    #[test]
    fn the_closing_lines_of_both_runners_are_added_up() {
        let mut count = Count::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test a::b ... ok",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            "Ran 10 tests in 1.234s",
            "FAILED (failures=1, errors=2)",
        ] {
            count.add(line);
        }
        assert_eq!(count, Count { passed: 12 + 3 + 10 - 3, failed: 2 + 3 });
    }
}
