//! What `./dev` runs: the local stack, its tools and the tests.

mod arguments;
mod commands;
mod deployment;
mod emulator;
mod environment;
mod functions;
mod http;
mod interrupt;
mod logs;
mod place;
mod port;
mod process;
mod report;
mod requirements;
mod running;
mod stack;
mod state;
mod tools;

use anyhow::Result;
use arguments::Command;
use interrupt::Interrupted;
use std::process::ExitCode;

fn main() -> ExitCode {
    report::elapsed();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            report::say(Interrupted);
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    interrupt::listen()?;
    match arguments::parse(std::env::args_os().skip(1))? {
        Command::Up(options) => commands::up::run(options),
        Command::Down => commands::down::run(),
        Command::Reset => commands::reset::run(),
        Command::Logs { function } => commands::logs::run(function.as_deref()),
        Command::Doctor => commands::doctor::run(),
        Command::Env => commands::env::run(),
        Command::Bench(bench) => commands::bench::run(&bench),
        Command::Operator { arguments } => commands::operator::run(&arguments),
        Command::Watch => commands::watch::run(),
        Command::Test { level } => commands::test::run(level),
        Command::Tools => commands::tools::run(),
        Command::Help => {
            print!("{}", arguments::USAGE);
            Ok(())
        }
    }
}
