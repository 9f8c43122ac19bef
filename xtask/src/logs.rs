//! Following the log files of the emulator and of each function, all in one stream.

use crate::place::Place;
use anyhow::Result;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write, stdout};
use std::path::{Path, PathBuf};

/// How much of the past is shown of each file at first.
const PAST: u64 = 4_000;

/// The log that isn't a function's.
const EMULATOR: &str = "emulator";

/// Where in each file we are.
#[derive(Debug)]
pub(crate) struct Follower {
    folder: PathBuf,
    only: Option<String>,
    files: BTreeMap<String, Position>,
}

#[derive(Debug)]
struct Position {
    offset: u64,
    /// A line that has no end yet.
    begun: Vec<u8>,
}

/// What is there already when following begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    Shown,
    Skipped,
}

impl Follower {
    /// Follows the logs of a place, or that of one function.
    pub(crate) fn new(place: &Place, only: Option<&str>, past: Past) -> Result<Self> {
        let mut follower = Self { folder: place.logs(), only: only.map(ToOwned::to_owned), files: BTreeMap::new() };
        for (name, path) in follower.logs()? {
            let length = fs::metadata(&path)?.len();
            let offset = match past {
                Past::Shown => line_start(&path, length.saturating_sub(PAST))?,
                Past::Skipped => length,
            };
            follower.files.insert(name, Position { offset, begun: Vec::new() });
        }
        Ok(follower)
    }

    /// Prints what was written since.
    pub(crate) fn print_new(&mut self) -> Result<()> {
        let mut out = stdout().lock();
        for (name, path) in self.logs()? {
            let position = self.files.entry(name.clone()).or_insert(Position { offset: 0, begun: Vec::new() });
            for line in position.read(&path)? {
                if self.only.is_none() && name == EMULATOR && is_echo(&line) {
                    continue;
                }
                writeln!(out, "{name:<13} | {}", String::from_utf8_lossy(&line))?;
            }
        }
        Ok(out.flush()?)
    }

    /// The files there are now: a function's comes with its first invocation.
    fn logs(&self) -> Result<Vec<(String, PathBuf)>> {
        let mut list = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten() {
            let path = entry?.path();
            if let Some(name) = log_name(&path)
                && self.only.as_ref().is_none_or(|only| *only == name)
            {
                list.push((name, path));
            }
        }
        list.sort();
        Ok(list)
    }
}

impl Position {
    /// The whole lines that follow.
    fn read(&mut self, path: &Path) -> Result<Vec<Vec<u8>>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let read = file.read_to_end(&mut self.begun)?;
        self.offset += u64::try_from(read)?;
        let mut lines: Vec<Vec<u8>> = self.begun.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        self.begun = lines.pop().unwrap_or_default();
        Ok(lines)
    }
}

/// The emulator repeats what functions write; beside their own logs that would be everything twice.
fn is_echo(line: &[u8]) -> bool {
    line.starts_with(b"{") || line.ends_with(b" output:")
}

/// `switchboard-graphql.log` is the log of `graphql`.
fn log_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
    let prefix = concat!("switchboard", "-");
    Some(name.strip_prefix(prefix).unwrap_or(name).to_owned())
}

/// The first line that begins at or after an offset.
fn line_start(path: &Path, offset: u64) -> Result<u64> {
    if offset == 0 {
        return Ok(0);
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset - 1))?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    let skipped = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    Ok(offset + u64::try_from(skipped)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{remove_folder, write};
    use std::fs::OpenOptions;

    #[test]
    fn a_log_carries_its_functions_name() {
        assert_eq!(log_name(Path::new("/x/switchboard-import-plan.log")).as_deref(), Some("import-plan"));
        assert_eq!(log_name(Path::new("/x/emulator.log")).as_deref(), Some("emulator"));
        assert_eq!(log_name(Path::new("/x/emulator.partial")), None);
    }

    #[test]
    fn what_functions_wrote_is_told_from_what_the_emulator_says() {
        assert!(is_echo(b"2026-11-21 INFO [lambda] ESM: Lambda switchboard-import-rows output:"));
        assert!(is_echo(br#"{"timestamp":"2026-11-21","level":"INFO"}"#));
        assert!(!is_echo(b"2026-11-21 INFO [ministack] Ready"));
    }

    #[test]
    fn only_whole_lines_are_taken_and_each_once() {
        let folder = std::env::temp_dir().join(format!("xtask-{}-logs", std::process::id()));
        let path = folder.join("a.log");
        write(&path, "one\ntw").unwrap();
        let mut position = Position { offset: 0, begun: Vec::new() };
        assert_eq!(position.read(&path).unwrap(), [b"one".to_vec()]);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"o\nthree\n").unwrap();
        assert_eq!(position.read(&path).unwrap(), [b"two".to_vec(), b"three".to_vec()]);
        assert!(position.read(&path).unwrap().is_empty());
        assert_eq!((line_start(&path, 1).unwrap(), line_start(&path, 4).unwrap()), (4, 4));
        remove_folder(&folder).unwrap();
    }
}
