//! The emulator's process: start, readiness, clean stop, and what an earlier one may have left.

use crate::environment;
use crate::http;
use crate::interrupt;
use crate::place::Place;
use crate::process::{Job, create, tail};
use crate::report::say;
use crate::running::{is_locked, wait_until_free};
use crate::state::{State, write};
use anyhow::{Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_secs(90);
/// Saving takes as long as the data is large.
const STOPPED_WITHIN: Duration = Duration::from_mins(2);

/// A running emulator.
#[derive(Debug)]
pub(crate) struct Emulator {
    job: Job,
    log: PathBuf,
}

impl Emulator {
    /// Starts it on a port and waits until it answers.
    pub(crate) fn start(place: &Place, state: &State, port: u16) -> Result<Self> {
        let log = log(place);
        let output = create(&log)?;
        let mut command = Command::new(place.venv_program("python"));
        environment::point_at_emulator(&mut command, port)
            .arg(module(place))
            .current_dir(place.root())
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("AUTH", "true")
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", state.live())
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", state.objects())
            .env("SWITCHBOARD_LOG_DIR", place.logs())
            .env("SWITCHBOARD_PROXY_FILE", place.proxies())
            // When we are gone, its standard input ends, and it stops by itself.
            .env("SWITCHBOARD_PARENT_PIPE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .stdout(output.try_clone()?)
            .stderr(output);
        let job = Job::start_watchful("the emulator", &mut command)?;
        write(&pid_file(place), &job.id().to_string())?;
        let mut emulator = Self { job, log };
        emulator.wait_until_ready(port)?;
        Ok(emulator)
    }

    fn wait_until_ready(&mut self, port: u16) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.check()?;
            if http::get(port, "/_ministack/ready", Duration::from_secs(2)).is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if begun.elapsed() > READY_WITHIN {
                bail!("the emulator does not answer on port {port}:\n{}", tail(&self.log));
            }
            interrupt::pause(Duration::from_millis(100))?;
        }
    }

    /// An error once it has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.job.ended()? {
            None => Ok(()),
            Some(status) if status.success() => bail!("the emulator was stopped by another; its data is saved"),
            Some(status) => bail!("the emulator ended ({status}):\n{}", tail(&self.log)),
        }
    }

    /// Stops it; true when its state was saved. Asked a second time, we don't wait for that.
    pub(crate) fn stop(mut self, place: &Place, state: &State) -> Result<bool> {
        let asked = interrupt::times();
        self.job.signal(Signal::TERM);
        let begun = Instant::now();
        while !self.job.ends_within(Duration::from_millis(100))? {
            if interrupt::times() > asked.max(1) || begun.elapsed() > STOPPED_WITHIN {
                self.job.signal(Signal::KILL);
                self.job.ends_within(Duration::from_secs(10))?;
            }
        }
        let _ = fs::remove_file(pid_file(place));
        Ok(state.stopped_cleanly())
    }
}

/// Waits for the emulator of an earlier run, which saves its state when its `up` was killed, and ends it if it won't end.
pub(crate) fn wait_for_earlier(place: &Place, state: &State) -> Result<()> {
    let claim = state.live().join("claim");
    if is_locked(&claim)? {
        say("the emulator of an earlier run is still stopping");
        if !wait_until_free(&claim, STOPPED_WITHIN)? {
            end_leftover(place)?;
            if !wait_until_free(&claim, Duration::from_secs(10))? {
                bail!("another process holds {}; end it first", claim.display());
            }
        }
    }
    let _ = fs::remove_file(pid_file(place));
    Ok(())
}

fn end_leftover(place: &Place) -> Result<()> {
    let Some(pid) = fs::read_to_string(pid_file(place)).ok().and_then(|text| Pid::from_raw(text.trim().parse().ok()?)) else {
        bail!("an emulator uses the state of this checkout, and left no process id; end it first");
    };
    if !runs(pid, &module(place)) {
        bail!("process {pid} is not the emulator of this checkout; end what uses its state first");
    }
    kill_process(pid, Signal::KILL)?;
    Ok(())
}

/// Whether that process runs that Python module: a number left in a file may have been handed out again.
fn runs(pid: Pid, module: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{pid}/cmdline"))
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        .ok()
        .or_else(|| crate::process::answer(Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()])));
    command_line.is_some_and(|line| line.contains(&*module.to_string_lossy()))
}

fn module(place: &Place) -> PathBuf {
    place.root().join("localstack/emulator.py")
}

fn log(place: &Place) -> PathBuf {
    place.logs().join("emulator.log")
}

fn pid_file(place: &Place) -> PathBuf {
    place.run().join("emulator.pid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_runs_the_module_is_ours() {
        let us = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(runs(us, Path::new("xtask")));
        assert!(!runs(us, Path::new("/elsewhere/localstack/emulator.py")));
        assert!(!runs(Pid::from_raw(i32::MAX).unwrap(), Path::new("xtask")));
    }
}
