//! `./dev token`, `import`, `tenant`, `keys`, `reindex` and `audit`: the operator program, pointed at the running stack.

use crate::environment::point_at_stack;
use crate::functions;
use crate::place::Place;
use crate::running;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Becomes the operator program.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    let place = Place::of_checkout()?;
    let environment = if is_offline(arguments) { None } else { Some(running::environment(&place)?) };
    let program = match functions::fresh_operator(&place) {
        Some(program) => program,
        None => functions::build(&place)?.operator()?.to_owned(),
    };
    let mut command = Command::new(&program);
    if let Some(environment) = &environment {
        point_at_stack(&mut command, environment);
    }
    let error = command.args(arguments).exec();
    Err(error).with_context(|| format!("running {}", program.display()))
}

/// Whether the command needs no stack: an export is verified with a key by whoever has both.
fn is_offline(arguments: &[OsString]) -> bool {
    arguments.len() == 5 && arguments[0] == "audit" && arguments[1] == "verify" && arguments[2..].iter().any(|argument| argument == "--key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verifying_with_a_key_needs_no_stack() {
        let of = |line: &str| is_offline(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        assert!(of("audit verify export.jsonl --key key.pem") && of("audit verify --key key.pem export.jsonl"));
        for line in ["audit verify export.jsonl", "audit key", "audit seal --day 2026-11-30", "token a@b.c", ""] {
            assert!(!of(line), "{line}");
        }
    }
}
