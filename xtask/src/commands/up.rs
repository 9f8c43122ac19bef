//! `./dev up`: everything on this machine, in the foreground until Ctrl-C or in a process of its own.

use crate::arguments::Up;
use crate::commands::watch;
use crate::environment::{DEMO_PASSWORD, Environment};
use crate::interrupt::{self, Interrupted};
use crate::logs::{Follower, Past};
use crate::place::Place;
use crate::process::create;
use crate::report::{elapsed, say};
use crate::running::{self, Claim, Running};
use crate::stack::Stack;
use anyhow::{Context, Result, bail};
use rustix::process::setsid;
use std::env;
use std::fs::File;
use std::io::{Read, Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Starts everything.
pub(crate) fn run(options: Up) -> Result<()> {
    let place = Place::of_checkout()?;
    if options.background {
        // Out of the terminal's reach: closing it must not end what was detached from it.
        setsid().context("leaving the terminal")?;
    } else if let Some(running) = running::find(&place)? {
        return already(&running, options);
    }
    if options.detach { detach(&place, options) } else { stay(&place, options) }
}

/// Another `up` of this checkout runs.
fn already(running: &Running, options: Up) -> Result<()> {
    let pid = running.pid;
    match (&running.environment, running.port) {
        (_, Some(port)) if options.port.is_some_and(|asked| asked != port) => {
            bail!("./dev up runs already, on port {port} (process {pid}); ./dev down first")
        }
        (Some(environment), _) if options.detach => {
            say(format_args!("./dev up runs already (process {pid}); for changed code: ./dev down, then ./dev up"));
            print_welcome(environment, "./dev down")
        }
        (None, _) => bail!("./dev up is starting already (process {pid})"),
        _ => bail!("./dev up runs already (process {pid}); ./dev down first, or ./dev logs to follow it"),
    }
}

/// Starts everything and holds it.
fn stay(place: &Place, options: Up) -> Result<()> {
    let claim = match Claim::take(place)? {
        Ok(claim) => claim,
        Err(running) => return already(&running, options),
    };
    let mut stack = Stack::start(place, claim, options)?;
    if !options.background {
        print_welcome(stack.environment(), "Ctrl-C")?;
    }
    say("ready");
    let mut follower = Follower::new(place, None, Past::Skipped)?;
    let ended = loop {
        if let Err(error) = stack.check() {
            break error;
        }
        if let Err(interrupted) = interrupt::pause(Duration::from_millis(250)) {
            break interrupted;
        }
        watch::clear_leftover(place)?;
        if !options.background {
            follower.print_new()?;
        }
    };
    if !options.background {
        follower.print_new()?;
    }
    if ended.is::<Interrupted>() { stack.stop() } else { Err(ended) }
}

/// Starts a process that stays, and shows what it says until everything is there.
fn detach(place: &Place, options: Up) -> Result<()> {
    let log = place.run().join("up.log");
    let output = create(&log)?;
    let mut command = Command::new(env::current_exe().context("finding this program")?);
    command.args(["up", "--background"]);
    if let Some(port) = options.port {
        command.arg("--port").arg(port.to_string());
    }
    let mut child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn().context("starting the process that stays")?;
    let mut said = Said::new(&log)?;
    match wait_until_ready(place, &mut child, &mut said) {
        Ok(environment) => print_welcome(&environment, "./dev down"),
        Err(error) if error.is::<Interrupted>() => {
            end(&mut child)?;
            said.pass_on()?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

fn wait_until_ready(place: &Place, child: &mut Child, said: &mut Said) -> Result<Environment> {
    let pid = i32::try_from(child.id())?;
    loop {
        said.pass_on()?;
        if let Some(Running { pid: found, environment: Some(environment), .. }) = running::find(place)?
            && found == pid
        {
            said.pass_on()?;
            return Ok(environment);
        }
        if let Some(status) = child.try_wait()? {
            said.pass_on()?;
            bail!("starting failed ({status}); what it said is above and in {}", said.path.display());
        }
        interrupt::pause(Duration::from_millis(100))?;
    }
}

fn end(child: &mut Child) -> Result<()> {
    if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(child.id())?) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    child.wait()?;
    Ok(())
}

/// What the process that stays has said.
struct Said {
    path: PathBuf,
    file: File,
}

impl Said {
    fn new(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::open(path)? })
    }

    fn pass_on(&mut self) -> Result<()> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text)?;
        Ok(stderr().write_all(&text)?)
    }
}

/// What to open, and whom to sign in as.
fn print_welcome(environment: &Environment, stop: &str) -> Result<()> {
    println!(
        "
Switchboard runs on {endpoint} (after {seconds} s).

  GraphiQL      {graphql}
  Sign in as    admin@demo.test, manager@demo.test, supervisor@demo.test, telephonist@demo.test,
                telephonist2@demo.test, telephonist3@demo.test, agent@demo.test;
                in a second tenant admin@other.test
  Password      {DEMO_PASSWORD}
  A token       ./dev token admin@demo.test
  A file        ./dev import FILE
  Logs          ./dev logs
  To stop       {stop}
",
        endpoint = environment.get("AWS_ENDPOINT_URL")?,
        graphql = environment.get("GRAPHQL_URL")?,
        seconds = elapsed().as_secs(),
    );
    Ok(())
}
