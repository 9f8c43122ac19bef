//! `./dev watch`: the functions run from source, built again on save, in the place of those the stack was started with.
//!
//! Each function has a `cargo lambda watch` of its own, because each has variables and a role of its own. The emulator
//! reads before every invocation, from a file, whom to hand it to: that file is there only while this command runs.

use crate::environment::STACK_NAME;
use crate::functions::{self, cargo, package};
use crate::http;
use crate::interrupt::{self, Interrupted};
use crate::place::Place;
use crate::port;
use crate::process::{Job, each_line};
use crate::report::say;
use crate::running::{self, Running, WatchClaim};
use crate::state::write;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Write, pipe, stdout};
use std::thread;
use std::time::{Duration, Instant};

const LISTENING_WITHIN: Duration = Duration::from_secs(30);
const FIRST_ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Serves the functions from source until Ctrl-C, or until the stack stops.
pub(crate) fn run() -> Result<()> {
    let place = Place::of_checkout()?;
    let environment = running::environment(&place)?;
    let Some(Running { port: Some(emulator), .. }) = running::find(&place)? else {
        bail!("nothing is running; ./dev up");
    };
    let Some(_only_one) = WatchClaim::take(&place)? else {
        bail!("./dev watch runs already");
    };
    // Now, because an invocation that had to wait for a whole build would time out.
    functions::build(&place)?;
    let mut watchers = functions::NAMES.into_iter().map(|name| Watcher::start(&place, name, emulator)).collect::<Result<Vec<_>>>()?;
    let handed_over = HandedOver::new(&place, &watchers)?;
    // A watcher starts its function, and looks at files, from its first invocation on.
    for watcher in watchers.iter().filter(|watcher| watcher.name != "graphql") {
        watcher.warm_up()?;
    }
    http::get(emulator, &environment.health_path()?, FIRST_ANSWER_WITHIN)?;
    say("ready: save a file and the functions it belongs to are built and started again (Ctrl-C ends)");
    let ended = follow(&place, &mut watchers);
    drop(handed_over);
    for watcher in &mut watchers {
        watcher.job.stop(Duration::from_secs(10))?;
    }
    say("the functions are served as deployed again");
    ended
}

fn follow(place: &Place, watchers: &mut [Watcher]) -> Result<()> {
    loop {
        for watcher in &mut *watchers {
            if let Some(status) = watcher.job.ended()? {
                bail!("cargo lambda watch of {} ended ({status})", watcher.name);
            }
        }
        if running::find(place)?.is_none() {
            say("the stack has stopped");
            return Ok(());
        }
        if let Err(interrupted) = interrupt::pause(Duration::from_millis(250)) {
            return if interrupted.is::<Interrupted>() { Ok(()) } else { Err(interrupted) };
        }
    }
}

/// Takes functions back from a watch that was killed.
pub(crate) fn clear_leftover(place: &Place) -> Result<()> {
    if place.proxies().exists() && !WatchClaim::is_taken(place)? {
        say("./dev watch was killed; the functions are served as deployed again");
        let _ = fs::remove_file(place.proxies());
    }
    Ok(())
}

/// The `cargo lambda watch` of one function.
struct Watcher {
    name: &'static str,
    port: u16,
    job: Job,
}

impl Watcher {
    /// Starts it as the function would be: with its variables and its role's credentials.
    fn start(place: &Place, name: &'static str, emulator: u16) -> Result<Self> {
        let port = port::any()?;
        let mut command = cargo(place);
        let mut path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
        // `cargo lambda` is cargo's word for the program `cargo-lambda`.
        path.push(place.venv_program(""));
        let mut variables = variables(name, emulator)?;
        // Not as a variable of the watcher's own: it would tell each of its steps at that level.
        let log_level = format!("RUST_LOG={}", variables.remove("RUST_LOG").as_deref().unwrap_or("info"));
        command
            .args(["lambda", "watch", "--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()])
            .args(["--env-var", &log_level])
            .env("PATH", std::env::join_paths(path)?)
            .envs(variables)
            .env("LAMBDA_TASK_ROOT", place.staged(name));
        let (reader, writer) = pipe()?;
        let job = Job::start(name, &command, writer.try_clone()?, writer)?;
        thread::spawn(move || {
            each_line(reader, |line| {
                // Nobody may be reading any more; the functions run on all the same.
                let _ = writeln!(stdout(), "{name:<12} | {line}");
            });
        });
        let mut watcher = Self { name, port, job };
        watcher.wait_until_listening()?;
        Ok(watcher)
    }

    fn wait_until_listening(&mut self) -> Result<()> {
        let begun = Instant::now();
        while port::is_free(self.port) {
            if let Some(status) = self.job.ended()? {
                bail!("cargo lambda watch of {} ended ({status})", self.name);
            }
            ensure!(begun.elapsed() < LISTENING_WITHIN, "cargo lambda watch of {} does not listen", self.name);
            interrupt::pause(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// An empty batch, with which a function has nothing to do.
    fn warm_up(&self) -> Result<()> {
        let answer = http::post(self.port, &self.path(), r#"{"Records":[]}"#, FIRST_ANSWER_WITHIN);
        let answer = answer.with_context(|| format!("{} does not start", self.name))?;
        ensure!(answer.status == 200, "{} answers {}: {}", self.name, answer.status, answer.body);
        Ok(())
    }

    fn path(&self) -> String {
        format!("/2015-03-31/functions/{}/invocations", package(self.name))
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path())
    }
}

/// What the emulator gives a process of the function.
fn variables(name: &str, emulator: u16) -> Result<BTreeMap<String, String>> {
    let path = format!("/_switchboard/functions/{STACK_NAME}-{name}/environment");
    let answer = http::get(emulator, &path, Duration::from_secs(10))?;
    ensure!(answer.status == 200, "the emulator answers {} to {path}: {}", answer.status, answer.body);
    serde_json::from_str(&answer.body).with_context(|| format!("reading what the emulator answers to {path}"))
}

/// As long as it lives, the emulator hands invocations to the watchers.
struct HandedOver(Place);

impl HandedOver {
    fn new(place: &Place, watchers: &[Watcher]) -> Result<Self> {
        let addresses: Map<String, Value> = watchers.iter().map(|watcher| (format!("{STACK_NAME}-{}", watcher.name), Value::from(watcher.address()))).collect();
        write(&place.proxies(), &Value::from(addresses).to_string())?;
        Ok(Self(place.clone()))
    }
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        // Without the file the emulator asks nobody; a file that can't be removed names ports where nobody listens.
        let _ = fs::remove_file(self.0.proxies());
    }
}
