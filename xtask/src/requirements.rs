//! What a machine must have before anything can start, and how to get it.

use crate::place::Place;
use crate::port;
use crate::process::answer;
use std::process::Command;

/// The oldest versions that do.
const PYTHON: Version = (3, 11);
const NODE: Version = (20, 0);
/// Python tools, GraphiQL's packages, and what cargo builds in two profiles.
const DISK_GIGABYTES: u64 = 8;

type Version = (u32, u32);

/// One thing a machine must have.
#[derive(Debug)]
pub(crate) struct Requirement {
    /// What it is, with the version found.
    pub(crate) name: String,
    /// How to get it, if it is missing.
    pub(crate) fix: Option<String>,
}

/// Everything, found or not.
pub(crate) fn all(place: &Place) -> Vec<Requirement> {
    let mut list = needed_to_start(place);
    list.push(free_port());
    list.push(disk(place));
    list
}

/// What is missing of the programs `up` and `test` call.
pub(crate) fn missing(place: &Place) -> Vec<Requirement> {
    needed_to_start(place).into_iter().filter(|requirement| requirement.fix.is_some()).collect()
}

fn needed_to_start(place: &Place) -> Vec<Requirement> {
    vec![rust(place), python3(), node(), npm(), c_compiler()]
}

/// The first Python that is new enough.
pub(crate) fn python() -> Option<&'static str> {
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11"].into_iter().find(|name| version_of(name, "--version").is_some_and(|found| found >= PYTHON))
}

fn rust(place: &Place) -> Requirement {
    let wanted = version_in(env!("CARGO_PKG_RUST_VERSION")).unwrap_or_default();
    // In the checkout, where a toolchain file or an override may choose another.
    let found = answer(Command::new("cargo").arg("--version").current_dir(place.root()));
    require("cargo", wanted, found.as_deref().and_then(version_in), "install or update Rust: https://rustup.rs, then `rustup update stable`")
}

fn python3() -> Requirement {
    let Some(python) = python() else {
        let found = version_of("python3", "--version");
        return require("python3", PYTHON, found, "install it: `apt install python3 python3-venv`, `dnf install python3`, or `brew install python@3.13`");
    };
    let found = version_of(python, "--version");
    let mut requirement = require(python, PYTHON, found, "");
    if answer(Command::new(python).args(["-c", "import venv, ensurepip"])).is_none() {
        requirement.fix = Some("its venv module is missing: `apt install python3-venv`".to_owned());
    }
    requirement
}

fn node() -> Requirement {
    require("node", NODE, version_of("node", "--version"), "install the current release from https://nodejs.org, or `brew install node`")
}

fn npm() -> Requirement {
    require("npm", (0, 0), version_of("npm", "--version"), "it comes with node: reinstall that, or `apt install npm`")
}

fn c_compiler() -> Requirement {
    let found = ["cc", "gcc", "clang"].into_iter().find_map(|name| version_of(name, "--version"));
    require("C compiler", (0, 0), found, "install one: `apt install build-essential`, `dnf group install development-tools`, or `xcode-select --install`")
}

fn free_port() -> Requirement {
    match port::choose(None, port::is_free) {
        Ok(free) => Requirement { name: format!("a free port: {free}"), fix: None },
        Err(error) => Requirement { name: "a free port".to_owned(), fix: Some(error.to_string()) },
    }
}

fn disk(place: &Place) -> Requirement {
    let free = answer(Command::new("df").arg("-Pk").arg(place.root())).as_deref().and_then(free_gigabytes);
    // A checkout that has been used already has most of it.
    let wanted = if place.local().join("venv").exists() { DISK_GIGABYTES / 4 } else { DISK_GIGABYTES };
    match free {
        Some(free) if free < wanted => {
            Requirement { name: format!("disk space: {free} GB"), fix: Some(format!("make {wanted} GB free: `cargo clean` here and in other checkouts helps")) }
        }
        Some(free) => Requirement { name: format!("disk space: {free} GB"), fix: None },
        None => Requirement { name: "disk space: not known".to_owned(), fix: None },
    }
}

fn require(name: &str, wanted: Version, found: Option<Version>, fix: &str) -> Requirement {
    match found {
        Some((major, minor)) if (major, minor) >= wanted => Requirement { name: format!("{name} {major}.{minor}"), fix: None },
        Some((major, minor)) => Requirement { name: format!("{name} {major}.{minor}, but {}.{} or newer is needed", wanted.0, wanted.1), fix: Some(fix.to_owned()) },
        None => Requirement { name: name.to_owned(), fix: Some(fix.to_owned()) },
    }
}

fn version_of(program: &str, switch: &str) -> Option<Version> {
    version_in(&answer(Command::new(program).arg(switch))?)
}

/// The first `number.number` in a text.
fn version_in(text: &str) -> Option<Version> {
    text.split(|letter: char| !(letter.is_ascii_digit() || letter == '.')).find_map(|word| {
        let mut numbers = word.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

/// The fourth column of `df -Pk`'s second line.
fn free_gigabytes(table: &str) -> Option<u64> {
    let kilobytes: u64 = table.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kilobytes / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        assert_eq!(version_in("cargo 1.95.0 (f2d3ce0bd 2026-03-21)"), Some((1, 95)));
        assert_eq!(version_in("v20.20.2"), Some((20, 20)));
        assert_eq!(version_in("cc (Debian 12.2.0-14) 12.2.0"), Some((12, 2)));
        assert_eq!(version_in("no number here"), None);
    }

    #[test]
    fn something_old_or_missing_comes_with_its_fix() {
        assert!(require("node", (20, 0), Some((22, 1)), "x").fix.is_none());
        let old = require("node", (20, 0), Some((18, 9)), "get it");
        assert!(old.name.contains("18.9") && old.name.contains("20.0"));
        assert_eq!(old.fix.as_deref(), Some("get it"));
        assert!(require("node", (20, 0), None, "get it").fix.is_some());
    }

    #[test]
    fn free_space_is_read_from_df() {
        let table = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 1 2 79000000 14% /";
        assert_eq!(free_gigabytes(table), Some(79));
        assert_eq!(free_gigabytes(""), None);
    }
}
