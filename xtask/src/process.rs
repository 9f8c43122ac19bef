//! Child processes that never outlive us: each leads a process group of its own, which is ended as a whole.

use crate::interrupt;
use crate::report::say;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, PipeReader, pipe};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(40);
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
/// How much of a failed step's output is shown.
const TAIL_LINES: usize = 30;

/// Runs a command as this shell's own process, and ends its whole group once standard input has ended: that is when we
/// are gone, a `kill -9` included.
const TIED_TO_US: &str = r#"exec 3<&0; (cat <&3; kill -TERM -$$) >/dev/null 2>&1 & exec "$@" </dev/null 3<&-"#;

/// A child process and its descendants.
#[derive(Debug)]
pub(crate) struct Job {
    name: String,
    child: Child,
    /// The writing end of its standard input, held so that its end means ours.
    lifeline: Option<ChildStdin>,
    ended: Option<ExitStatus>,
}

impl Job {
    /// Starts it so that nothing of it outlives us.
    pub(crate) fn start(name: &str, command: &Command, out: impl Into<Stdio>, err: impl Into<Stdio>) -> Result<Self> {
        let mut tied = Command::new("sh");
        tied.args(["-c", TIED_TO_US, "sh"]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => tied.env(key, value),
                None => tied.env_remove(key),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            tied.current_dir(folder);
        }
        Self::start_watchful(name, tied.stdout(out).stderr(err))
    }

    /// Starts one that by itself ends with its standard input.
    pub(crate) fn start_watchful(name: &str, command: &mut Command) -> Result<Self> {
        // At the head of a new process group, so that Ctrl-C reaches us alone and we end it in order.
        let mut child = command.process_group(0).stdin(Stdio::piped()).spawn().with_context(|| format!("starting {name} ({})", command.get_program().display()))?;
        let lifeline = child.stdin.take();
        Ok(Self { name: name.to_owned(), child, lifeline, ended: None })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().with_context(|| format!("waiting for {}", self.name))?;
        }
        Ok(self.ended)
    }

    /// Waits for its end, with a sign of life now and then; an interruption ends it.
    pub(crate) fn wait(mut self) -> Result<ExitStatus> {
        let begun = Instant::now();
        let mut next_sign = SIGN_OF_LIFE;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if let Err(interrupted) = interrupt::pause(POLL) {
                self.stop(Duration::from_secs(5))?;
                return Err(interrupted);
            }
            if begun.elapsed() >= next_sign {
                say(format_args!("… still {} ({} s)", self.name, begun.elapsed().as_secs()));
                next_sign += SIGN_OF_LIFE;
            }
        }
    }

    /// Waits for its end without asking for interruptions, at most so long.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> Result<bool> {
        let begun = Instant::now();
        while self.ended()?.is_none() {
            if begun.elapsed() >= patience {
                return Ok(false);
            }
            thread::sleep(POLL);
        }
        Ok(true)
    }

    /// Asks its group to end, waits, then makes it end.
    pub(crate) fn stop(&mut self, patience: Duration) -> Result<()> {
        self.signal(Signal::TERM);
        if !self.ends_within(patience)? {
            self.signal(Signal::KILL);
            self.ends_within(Duration::from_secs(10))?;
        }
        Ok(())
    }

    /// Signals its group. Never after it was reaped: the number may then be another's.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.ended.is_none()
            && let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
        {
            // It may have ended by itself in between, which is as good.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if matches!(self.ended(), Ok(None)) {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
        // What the group may have left behind, ends now.
        self.lifeline = None;
    }
}

/// Runs it with its output passed through.
pub(crate) fn run(name: &str, command: &Command) -> Result<()> {
    let status = Job::start(name, command, Stdio::inherit(), Stdio::inherit())?.wait()?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

/// Runs it with its output in a file, of which a failure shows the end.
pub(crate) fn run_logged(name: &str, command: &Command, log: &Path) -> Result<()> {
    let file = create(log)?;
    let status = Job::start(name, command, file.try_clone()?, file)?.wait()?;
    if !status.success() {
        bail!("{name} failed ({status}):\n{}\nAll of it is in {}", tail(log), log.display());
    }
    Ok(())
}

/// Runs it, handing over each line of its standard output; its standard error passes through.
pub(crate) fn run_with_lines(name: &str, command: &Command, line: impl FnMut(&str) + Send) -> Result<ExitStatus> {
    let (reader, writer) = pipe()?;
    let job = Job::start(name, command, writer, Stdio::inherit())?;
    wait_reading(job, reader, line)
}

/// The same, with standard error among the lines.
pub(crate) fn run_with_all_lines(name: &str, command: &Command, line: impl FnMut(&str) + Send) -> Result<ExitStatus> {
    let (reader, writer) = pipe()?;
    let job = Job::start(name, command, writer.try_clone()?, writer)?;
    wait_reading(job, reader, line)
}

fn wait_reading(job: Job, reader: PipeReader, line: impl FnMut(&str) + Send) -> Result<ExitStatus> {
    thread::scope(|scope| {
        scope.spawn(move || each_line(reader, line));
        job.wait()
    })
}

/// Hands over every line until there are no more.
pub(crate) fn each_line(reader: PipeReader, mut line: impl FnMut(&str)) {
    for text in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        line(&String::from_utf8_lossy(&text));
    }
}

/// What a short command prints, or nothing when it can't be run or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A new file and the folders above it.
pub(crate) fn create(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    File::create(path).with_context(|| format!("creating {}", path.display()))
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_arrive_and_the_status_comes_back() {
        let mut lines = Vec::new();
        let status = run_with_all_lines("test", &shell("echo one; echo two >&2; exit 3"), |line| lines.push(line.to_owned())).unwrap();
        lines.sort();
        assert_eq!((lines, status.code()), (vec!["one".to_owned(), "two".to_owned()], Some(3)));
    }

    #[test]
    fn stopping_ends_the_grandchildren_too() {
        let (reader, writer) = pipe().unwrap();
        let mut job = Job::start("test", &shell("sleep 300 & echo $!; wait"), writer, Stdio::null()).unwrap();
        let grandchild = pid_in(reader);
        job.stop(Duration::from_secs(5)).unwrap();
        assert!(ends(grandchild), "the grandchild still runs");
    }

    #[test]
    fn the_end_of_its_standard_input_ends_it_and_its_children() {
        let (reader, writer) = pipe().unwrap();
        let mut job = Job::start("test", &shell("sleep 300 & echo $!; wait"), writer, Stdio::null()).unwrap();
        let grandchild = pid_in(reader);
        // As if we had been killed.
        job.lifeline = None;
        assert!(job.ends_within(Duration::from_secs(5)).unwrap() && ends(grandchild));
    }

    fn pid_in(reader: PipeReader) -> Pid {
        let mut line = String::new();
        BufReader::new(reader).read_line(&mut line).unwrap();
        Pid::from_raw(line.trim().parse().unwrap()).unwrap()
    }

    fn ends(pid: Pid) -> bool {
        (0..100).any(|_| {
            thread::sleep(Duration::from_millis(20));
            is_gone(pid)
        })
    }

    /// An orphan that nobody has reaped yet counts as gone.
    fn is_gone(pid: Pid) -> bool {
        rustix::process::test_kill_process(pid).is_err() || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    }

    #[test]
    fn a_failed_step_shows_the_end_of_its_output() {
        let log = std::env::temp_dir().join(format!("xtask-{}-step.log", std::process::id()));
        let error = run_logged("step", &shell("echo the reason; exit 1"), &log).unwrap_err().to_string();
        assert!(error.contains("the reason"), "{error}");
        fs::remove_file(log).unwrap();
    }
}
