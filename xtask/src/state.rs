//! What outlives a stop, and what to start from: the state of the last stop, of the last clean stop, or nothing.
//!
//! The emulator saves its state when it stops and says so with a file written last. That state is copied away before
//! the next start, so that neither a kill nor one in the middle of saving can spoil it.

use crate::place::Place;
use anyhow::{Context, Result};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folders and marks of one stack's state.
#[derive(Debug)]
pub(crate) struct State {
    top: PathBuf,
}

/// What a start begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    Empty,
    LastStop,
    LastCleanStop,
    NothingSaved,
    Unfinished,
}

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "data: none yet, the demo data will be loaded",
            Self::LastStop => "data: as the last stop left it",
            Self::LastCleanStop => "data: the last run was killed; starting with the data of the last clean stop (files in buckets may be newer)",
            Self::NothingSaved => "data: the last run was killed before any clean stop; everything is wiped and the demo data loaded again",
            Self::Unfinished => "data: the first start was never finished; everything is wiped and the demo data loaded again",
        })
    }
}

impl State {
    pub(crate) fn of(place: &Place) -> Self {
        Self { top: place.state().to_owned() }
    }

    /// The emulator's own folder.
    pub(crate) fn live(&self) -> PathBuf {
        self.top.join("live")
    }

    /// Objects in buckets, written as they come.
    pub(crate) fn objects(&self) -> PathBuf {
        self.top.join("objects")
    }

    /// A copy of `live` as the last clean stop left it.
    fn saved(&self) -> PathBuf {
        self.top.join("last-clean-stop")
    }

    /// What was last deployed into this state. Kept with it, so that it goes back in time when the state does.
    pub(crate) fn deployed(&self) -> PathBuf {
        self.live().join("deployed.txt")
    }

    /// What the deployment answered.
    pub(crate) fn outputs(&self) -> PathBuf {
        self.live().join("outputs.json")
    }

    fn seeded_mark(&self) -> PathBuf {
        self.live().join("seeded")
    }

    fn clean_stop_mark(&self) -> PathBuf {
        self.live().join("clean-stop")
    }

    /// Whether the demo data is in it.
    pub(crate) fn is_seeded(&self) -> bool {
        self.seeded_mark().exists()
    }

    /// Notes that the demo data is in it.
    pub(crate) fn set_seeded(&self) -> Result<()> {
        write(&self.seeded_mark(), "The demo data has been loaded.\n")
    }

    /// Whether the emulator finished saving.
    pub(crate) fn stopped_cleanly(&self) -> bool {
        self.clean_stop_mark().exists()
    }

    /// Puts the right state in place for a start.
    pub(crate) fn prepare(&self) -> Result<Beginning> {
        let beginning = self.beginning()?;
        match beginning {
            Beginning::LastStop => copy_folder(&self.live(), &self.saved())?,
            Beginning::LastCleanStop => copy_folder(&self.saved(), &self.live())?,
            Beginning::Empty | Beginning::NothingSaved | Beginning::Unfinished => self.wipe()?,
        }
        for folder in [self.live(), self.objects()] {
            fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        Ok(beginning)
    }

    fn beginning(&self) -> Result<Beginning> {
        Ok(if self.stopped_cleanly() {
            if self.is_seeded() { Beginning::LastStop } else { Beginning::Unfinished }
        } else if self.saved().exists() {
            Beginning::LastCleanStop
        } else if is_empty(&self.live())? && is_empty(&self.objects())? {
            Beginning::Empty
        } else {
            Beginning::NothingSaved
        })
    }

    /// Forgets everything.
    pub(crate) fn wipe(&self) -> Result<()> {
        remove_folder(&self.top)
    }
}

/// Writes a file in one step: it is there whole, or not at all.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let partial = path.with_extension("partial");
    fs::write(&partial, text).and_then(|()| fs::rename(&partial, path)).with_context(|| format!("writing {}", path.display()))
}

/// Removes a folder, if it is there.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| format!("removing {}", folder.display())),
        _ => Ok(()),
    }
}

/// Puts a copy in the place of another folder, in one step at the end: a half-made copy is never taken for a whole one.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let partial = to.with_extension("partial");
    remove_folder(&partial)?;
    copy_into(from, &partial).with_context(|| format!("copying {} to {}", from.display(), partial.display()))?;
    remove_folder(to)?;
    fs::rename(&partial, to).with_context(|| format!("renaming {}", partial.display()))
}

fn copy_into(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_into(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn is_empty(folder: &Path) -> Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("reading {}", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state below a fresh folder, and what an emulator would do to it.
    struct Fixture(State);

    impl Fixture {
        fn new(name: &str) -> Self {
            let top = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
            remove_folder(&top).unwrap();
            Self(State { top })
        }

        fn start(&self) -> Beginning {
            let beginning = self.0.prepare().unwrap();
            let _ = fs::remove_file(self.0.clean_stop_mark());
            beginning
        }

        fn save(&self, data: &str) {
            write(&self.0.live().join("dynamodb.json"), data).unwrap();
        }

        fn stop(&self, data: &str) {
            self.save(data);
            write(&self.0.clean_stop_mark(), "").unwrap();
        }

        fn data(&self) -> Option<String> {
            fs::read_to_string(self.0.live().join("dynamodb.json")).ok()
        }
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            let _ = self.0.wipe();
        }
    }

    #[test]
    fn a_clean_stop_is_continued() {
        let fixture = Fixture::new("clean");
        assert_eq!(fixture.start(), Beginning::Empty);
        fixture.0.set_seeded().unwrap();
        fixture.stop("one");
        assert_eq!(fixture.start(), Beginning::LastStop);
        assert_eq!(fixture.data().as_deref(), Some("one"));
        assert!(fixture.0.is_seeded());
    }

    #[test]
    fn after_a_kill_the_last_clean_stop_counts_even_when_saving_had_begun() {
        let fixture = Fixture::new("kill");
        fixture.start();
        fixture.0.set_seeded().unwrap();
        fixture.stop("one");
        fixture.start();
        write(&fixture.0.deployed(), "newer than the state").unwrap();
        fixture.save("half of two");
        assert_eq!(fixture.start(), Beginning::LastCleanStop);
        assert_eq!(fixture.data().as_deref(), Some("one"));
        assert!(!fixture.0.deployed().exists(), "a later deployment must be repeated");
        // And once more: the copy is still there.
        assert_eq!(fixture.start(), Beginning::LastCleanStop);
    }

    #[test]
    fn a_kill_before_any_clean_stop_begins_anew() {
        let fixture = Fixture::new("never");
        fixture.start();
        fixture.0.set_seeded().unwrap();
        fixture.save("half");
        assert_eq!(fixture.start(), Beginning::NothingSaved);
        assert_eq!((fixture.data(), fixture.0.is_seeded()), (None, false));
    }

    #[test]
    fn a_first_start_that_was_broken_off_begins_anew() {
        let fixture = Fixture::new("unfinished");
        fixture.start();
        fixture.stop("half a stack");
        assert_eq!(fixture.start(), Beginning::Unfinished);
        assert_eq!(fixture.data(), None);
    }
}
