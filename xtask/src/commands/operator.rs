//! `./dev token`, `import`, `tenant`, `keys` and `reindex`: the operator program, pointed at the running stack.

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
    let environment = running::environment(&place)?;
    let program = match functions::fresh_operator(&place) {
        Some(program) => program,
        None => functions::build(&place)?.operator()?.to_owned(),
    };
    let mut command = Command::new(&program);
    let error = point_at_stack(&mut command, &environment).args(arguments).exec();
    Err(error).with_context(|| format!("running {}", program.display()))
}
