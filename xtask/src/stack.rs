//! A whole running stack, from nothing to healthy and back.

use crate::arguments::Up;
use crate::deployment;
use crate::emulator::{self, Emulator};
use crate::environment::{self, Environment};
use crate::functions::{self, Built};
use crate::http;
use crate::place::Place;
use crate::process;
use crate::report::say;
use crate::requirements;
use crate::running::Claim;
use crate::state::{State, remove_folder};
use crate::{interrupt, port, tools};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const HEALTHY_WITHIN: Duration = Duration::from_mins(1);

/// Emulator, functions and data, all there.
#[derive(Debug)]
pub(crate) struct Stack {
    place: Place,
    state: State,
    emulator: Emulator,
    environment: Environment,
    operator: PathBuf,
    claim: Claim,
}

impl Stack {
    /// Brings everything up at a claimed place. Whatever goes wrong, nothing is left running.
    pub(crate) fn start(place: &Place, claim: Claim, options: Up) -> Result<Self> {
        let state = State::of(place);
        emulator::wait_for_earlier(place, &state)?;
        // Early, so that a port that is taken is not found out after minutes of building.
        port::choose(options.port, port::is_free)?;
        let built = prepare(place)?;
        interrupt::check()?;

        // Those of an earlier run, and what points functions at a `watch` that was killed.
        remove_folder(&place.logs())?;
        let _ = fs::remove_file(place.proxies());
        say(state.prepare()?);
        let port = port::choose(options.port, port::is_free)?;
        if options.port.is_none() && port != port::USUAL {
            say(format_args!("port {} is taken; taking {port}", port::USUAL));
        }
        claim.note(Some(port))?;
        say(format_args!("emulator: starting on port {port}"));
        let emulator = Emulator::start(place, &state, port)?;
        match fill(place, &state, &built, port) {
            Ok(environment) => {
                claim.publish(&environment)?;
                let operator = built.operator()?.to_owned();
                Ok(Self { place: place.clone(), state, emulator, environment, operator, claim })
            }
            Err(error) => {
                // Keep what was there before: the next start goes on from it.
                emulator.stop(place, &state)?;
                Err(error)
            }
        }
    }

    /// Its addresses.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The operator program it was filled with.
    pub(crate) fn operator(&self) -> &PathBuf {
        &self.operator
    }

    /// An error once it has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.emulator.check()
    }

    /// Stops it, keeping its data.
    pub(crate) fn stop(self) -> Result<()> {
        say("stopping: saving the data (once more Ctrl-C stops without saving)");
        let saved = self.emulator.stop(&self.place, &self.state)?;
        drop(self.claim);
        if saved {
            say("stopped, data saved");
            Ok(())
        } else {
            bail!(
                "stopped, but the data was not saved: the next start says what it begins with. The reason may be in {}",
                self.place.logs().join("emulator.log").display()
            )
        }
    }
}

/// Tools and functions, each while the other is busy with the network or the processor.
fn prepare(place: &Place) -> Result<Built> {
    let missing = requirements::missing(place);
    if !missing.is_empty() {
        let lines = missing.iter().map(|item| format!("  {}: {}", item.name, item.fix.as_deref().unwrap_or_default()));
        bail!("something is missing on this machine:\n{}", lines.collect::<Vec<_>>().join("\n"));
    }
    let (tools, built) = thread::scope(|scope| {
        let tools = scope.spawn(|| tools::install(place).inspect_err(|error| say(format_args!("tools: {error:#}; waiting for cargo to end"))));
        let built = functions::build(place);
        (tools.join(), built)
    });
    tools.map_err(|_| anyhow::anyhow!("installing the tools panicked"))??;
    let built = built?;
    functions::stage(place, &built, &tools::graphiql_page(place))?;
    Ok(built)
}

/// Deployment and demo data, then a first answer through the gateway.
fn fill(place: &Place, state: &State, built: &Built, port: u16) -> Result<Environment> {
    let outputs = deployment::deploy(place, state, port)?;
    let environment = Environment::of(port, &outputs)?;
    if !state.is_seeded() {
        say("data: loading the demo data");
        let mut seed = Command::new(built.operator()?);
        process::run("operator seed", environment::point_at_stack(&mut seed, &environment).arg("seed"))?;
        state.set_seeded()?;
    }
    wait_until_healthy(port, &environment).with_context(|| format!("the API is not healthy; ./dev logs, or the files in {}", place.logs().display()))?;
    Ok(environment)
}

fn wait_until_healthy(port: u16, environment: &Environment) -> Result<()> {
    let path = environment.health_path()?;
    let begun = Instant::now();
    loop {
        let answer = http::get(port, &path, Duration::from_secs(20));
        if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
            return Ok(());
        }
        if begun.elapsed() > HEALTHY_WITHIN {
            match answer {
                Ok(answer) => bail!("GET {path} answers {}: {}", answer.status, answer.body),
                Err(error) => return Err(error).with_context(|| format!("GET {path} does not answer")),
            }
        }
        interrupt::pause(Duration::from_millis(200))?;
    }
}
