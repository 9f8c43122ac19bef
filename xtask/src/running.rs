//! Which `up` of this place runs, if any.
//!
//! A lock says so, not a file with a process id: the system lets go of a lock however its holder ended. The file beside
//! it is believed only while the lock is held.

use crate::environment::Environment;
use crate::place::Place;
use crate::state::write;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Held for as long as `up` runs.
#[derive(Debug)]
pub(crate) struct Claim {
    file: PathBuf,
    environment: PathBuf,
    _lock: File,
}

/// Held for as long as `watch` runs.
#[derive(Debug)]
pub(crate) struct WatchClaim(#[expect(dead_code, reason = "held, not read")] File);

impl WatchClaim {
    /// Claims it for this process; none when another has it.
    pub(crate) fn take(place: &Place) -> Result<Option<Self>> {
        let path = watch_lock_file(place);
        let lock = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(lock.try_lock().is_ok().then_some(Self(lock)))
    }

    /// Whether a `watch` runs.
    pub(crate) fn is_taken(place: &Place) -> Result<bool> {
        is_locked(&watch_lock_file(place))
    }
}

/// An `up` that runs.
#[derive(Debug)]
pub(crate) struct Running {
    /// Its process.
    pub(crate) pid: i32,
    /// Its emulator's port, once chosen.
    pub(crate) port: Option<u16>,
    /// Its addresses, once everything is there.
    pub(crate) environment: Option<Environment>,
}

impl Claim {
    /// Claims the place for this process, or says who has it.
    pub(crate) fn take(place: &Place) -> Result<Result<Self, Running>> {
        fs::create_dir_all(place.run()).with_context(|| format!("creating {}", place.run().display()))?;
        // Somebody may hold the lock for the moment of a look: try again before believing it.
        for _ in 0..5 {
            let lock = open_lock(place)?;
            match lock.try_lock() {
                Ok(()) => {
                    let claim = Self { file: up_file(place), environment: environment_file(place), _lock: lock };
                    claim.forget();
                    claim.note(None)?;
                    return Ok(Ok(claim));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(50)),
                Err(TryLockError::Error(error)) => return Err(error).context("locking the run folder"),
            }
        }
        match find(place)? {
            Some(running) => Ok(Err(running)),
            None => Self::take(place),
        }
    }

    /// Tells others the port.
    pub(crate) fn note(&self, port: Option<u16>) -> Result<()> {
        write(&self.file, &json!({ "pid": std::process::id(), "port": port }).to_string())
    }

    /// Tells others that everything is there.
    pub(crate) fn publish(&self, environment: &Environment) -> Result<()> {
        write(&self.environment, &environment.to_string())
    }

    fn forget(&self) {
        // What isn't there needn't be removed, and what can't be is not believed without the lock.
        let _ = fs::remove_file(&self.environment);
        let _ = fs::remove_file(&self.file);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.forget();
    }
}

/// The `up` that runs at a place.
pub(crate) fn find(place: &Place) -> Result<Option<Running>> {
    if !place.run().exists() || !is_locked(&lock_file(place))? {
        return Ok(None);
    }
    // The holder writes its file just after taking the lock.
    for _ in 0..20 {
        if let Some((pid, port)) = fs::read_to_string(up_file(place)).ok().as_deref().and_then(parse) {
            let environment = fs::read_to_string(environment_file(place)).ok();
            let environment = environment.as_deref().map(Environment::parse).transpose()?;
            return Ok(Some(Running { pid, port, environment }));
        }
        thread::sleep(Duration::from_millis(50));
        if !is_locked(&lock_file(place))? {
            return Ok(None);
        }
    }
    bail!("{} is locked, but who holds it left no {}", lock_file(place).display(), up_file(place).display())
}

/// The addresses of the `up` that runs, or what to do about there being none.
pub(crate) fn environment(place: &Place) -> Result<Environment> {
    match find(place)? {
        Some(Running { environment: Some(environment), .. }) => Ok(environment),
        Some(_) => bail!("./dev up is still starting; wait for it to be ready"),
        None => bail!("nothing is running; ./dev up"),
    }
}

impl Running {
    /// Asks it to stop and waits until it has; once patience is over, makes it.
    pub(crate) fn stop(&self, place: &Place, patience: Duration) -> Result<()> {
        let pid = Pid::from_raw(self.pid).context("a process id that is none")?;
        // It may have ended since we looked.
        let _ = kill_process(pid, Signal::TERM);
        if !wait_until_free(&lock_file(place), patience)? {
            let _ = kill_process(pid, Signal::KILL);
            if !wait_until_free(&lock_file(place), Duration::from_secs(10))? {
                bail!("process {} can't be ended", self.pid);
            }
        }
        Ok(())
    }
}

/// Whether somebody holds a lock on that file.
pub(crate) fn is_locked(file: &Path) -> Result<bool> {
    let Ok(file) = File::open(file) else { return Ok(false) };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error).context("asking for a lock"),
    }
}

/// Waits for a lock to be let go; false when it is still held at the end.
pub(crate) fn wait_until_free(file: &Path, patience: Duration) -> Result<bool> {
    let begun = Instant::now();
    while is_locked(file)? {
        if begun.elapsed() >= patience {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(true)
}

fn parse(text: &str) -> Option<(i32, Option<u16>)> {
    let up: Value = serde_json::from_str(text).ok()?;
    let port = up["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    Some((i32::try_from(up["pid"].as_i64()?).ok()?, port))
}

fn open_lock(place: &Place) -> Result<File> {
    let path = lock_file(place);
    File::options().create(true).write(true).truncate(false).open(&path).with_context(|| format!("opening {}", path.display()))
}

fn lock_file(place: &Place) -> PathBuf {
    place.run().join("up.lock")
}

fn watch_lock_file(place: &Place) -> PathBuf {
    place.run().join("watch.lock")
}

fn up_file(place: &Place) -> PathBuf {
    place.run().join("up.json")
}

fn environment_file(place: &Place) -> PathBuf {
    place.run().join("env")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::remove_folder;

    fn place(name: &str) -> Place {
        let root = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        remove_folder(&root).unwrap();
        Place::below(&root)
    }

    #[test]
    fn a_claim_is_seen_by_others_and_ends_with_its_holder() {
        let place = place("claim");
        assert!(find(&place).unwrap().is_none());
        let claim = Claim::take(&place).unwrap().unwrap();
        claim.note(Some(4570)).unwrap();
        let running = find(&place).unwrap().unwrap();
        assert_eq!((running.pid, running.port), (i32::try_from(std::process::id()).unwrap(), Some(4570)));
        assert!(running.environment.is_none());
        assert!(environment(&place).unwrap_err().to_string().contains("still starting"));
        assert!(Claim::take(&place).unwrap().is_err());
        drop(claim);
        assert!(environment(&place).unwrap_err().to_string().contains("./dev up"));
        drop(Claim::take(&place).unwrap().unwrap());
        remove_folder(place.root()).unwrap();
    }

    #[test]
    fn a_process_id_left_behind_is_not_believed() {
        let place = place("stale");
        // A process that is alive, but holds no lock: the number was handed out again.
        write(&up_file(&place), r#"{"pid":1,"port":4566}"#).unwrap();
        write(&environment_file(&place), "A=b\n").unwrap();
        assert!(find(&place).unwrap().is_none());
        let claim = Claim::take(&place).unwrap().unwrap();
        assert!(!environment_file(&place).exists(), "the addresses of an earlier run");
        drop(claim);
        remove_folder(place.root()).unwrap();
    }

    #[test]
    fn a_damaged_file_is_no_process() {
        assert_eq!(parse(r#"{"pid":12,"port":null}"#), Some((12, None)));
        assert_eq!(parse("{"), None);
        assert_eq!(parse(r#"{"pid":"x"}"#), None);
    }
}
