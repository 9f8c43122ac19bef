//! The archive: every event as it comes out of the audit table's stream, as a line of a file of its tenant and of the day it was recorded on.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::{self, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use switchboard_domain::audit::{Leaf, Line, leaf, line};
use switchboard_domain::ids::TenantId;
use switchboard_platform::{Files, Listed, PlatformError};
use switchboard_store::audit_events::{StoredEvent, day_of, decode_image};
use switchboard_store::item::Item;

use super::archive_keys::{LINES, UNREADABLE, day_folder, events_key};
use super::stream::StreamRecord;
use crate::error::AppError;

/// Files written or read at once.
const AT_ONCE: usize = 8;
/// Files listed at once.
const PAGE: usize = 1_000;

/// Archives events as they are recorded.
pub struct Archiver {
    /// The bucket, which keeps every version of every file for as long as events must be kept.
    pub archive: Files,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchiveReport {
    /// Events archived. Delivered again, an event is archived again; who reads the archive passes the second over.
    pub archived: usize,
    /// Files they are in.
    pub files: usize,
    /// Records without a new image: events that left the table.
    pub passed_over: usize,
    /// Records that are no event as it must be, kept as they came.
    pub unreadable: usize,
}

/// A file of events to be written.
#[derive(Debug, PartialEq, Eq)]
struct EventFile {
    key: String,
    bytes: Vec<u8>,
}

/// A record that can't be archived as an event. Its personal data is sealed, as in the table.
#[derive(Debug, Serialize)]
struct Unreadable {
    reason: String,
    sequence: String,
    new: serde_json::Value,
}

/// What a batch comes to.
#[derive(Debug, Default)]
struct Batch {
    files: Vec<EventFile>,
    unreadable: Vec<Unreadable>,
    report: ArchiveReport,
}

/// The lines of one file on their way.
struct Group {
    first: String,
    lines: Vec<String>,
}

impl Batch {
    /// The same batch always comes to the same files.
    fn of(records: &[StreamRecord]) -> Result<Self, AppError> {
        let mut batch = Self::default();
        let mut groups: BTreeMap<(TenantId, Date), Group> = BTreeMap::new();
        for record in records {
            let Some(image) = &record.new else {
                batch.report.passed_over += 1;
                continue;
            };
            match readable(record, image) {
                Ok((tenant, day, line)) => {
                    let group = groups.entry((tenant, day)).or_insert_with(|| Group { first: record.sequence.clone(), lines: Vec::new() });
                    group.lines.push(line);
                    batch.report.archived += 1;
                }
                Err(reason) => {
                    let new = serde_json::to_value(serde_dynamo::Item::from(image.clone())).map_err(|error| AppError::Broken(error.to_string()))?;
                    batch.unreadable.push(Unreadable { reason, sequence: record.sequence.clone(), new });
                    batch.report.unreadable += 1;
                }
            }
        }
        for ((tenant, day), Group { first, lines }) in groups {
            let bytes = packed(&lines).map_err(|error| AppError::Broken(error.to_string()))?;
            batch.files.push(EventFile { key: events_key(tenant, day, &first, lines.len()), bytes });
            batch.report.files += 1;
        }
        Ok(batch)
    }
}

/// The tenant, the day and the line of an event that is new.
fn readable(record: &StreamRecord, image: &Item) -> Result<(TenantId, Date, String), String> {
    if record.old.is_some() {
        return Err("an event was changed".to_owned());
    }
    let (tenant, StoredEvent { event, hash, recorded_at }) = decode_image(image.clone()).map_err(|error| error.to_string())?;
    if event.hash() != hash {
        return Err("the hash is not that of the event".to_owned());
    }
    let line = line(&event, &hash, recorded_at, None).map_err(|error| error.to_string())?;
    Ok((tenant, day_of(recorded_at), line))
}

/// Lines as the file that is kept: compressed, and the same bytes whenever it is made.
fn packed(lines: &[String]) -> io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    for line in lines {
        encoder.write_all(line.as_bytes())?;
        encoder.write_all(b"\n")?;
    }
    encoder.finish()
}

/// The text of a file that was kept.
fn unpacked(bytes: &[u8]) -> io::Result<String> {
    let mut text = String::new();
    MultiGzDecoder::new(bytes).read_to_string(&mut text)?;
    Ok(text)
}

impl Archiver {
    /// Archives a batch. 1 request for each tenant and day in it, and for each record that is no event as it must be: that one is kept as it came, and an alarm
    /// goes off.
    ///
    /// # Errors
    /// Those of the bucket: the batch is to be delivered again.
    pub async fn archive(&self, records: Vec<StreamRecord>) -> Result<ArchiveReport, AppError> {
        let Batch { files, unreadable, report } = Batch::of(&records)?;
        let puts = files.into_iter().map(|file| async move { self.archive.put(&file.key, "application/gzip", file.bytes).await });
        stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<Vec<String>>().await?;
        for letter in unreadable {
            let key = format!("{UNREADABLE}{:0>40}.json", letter.sequence);
            self.archive.put_json(&key, &letter).await?;
            tracing::error!(alarm = "audit event changed", reason = letter.reason, file = key, "an event in the audit table is not as it was recorded");
        }
        Ok(report)
    }
}

/// A file of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFile {
    /// Its key.
    pub key: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// Its lines, each a [`Line`] with the hash of its event, but for those that were in a file before it.
    pub lines: Vec<String>,
    /// Lines that are no such thing.
    pub damaged: usize,
}

/// A day of a tenant's archive, read file by file in the order of their keys. An event that was archived twice comes once. About 50 bytes of memory an event.
pub struct DayReader<'a> {
    archive: &'a Files,
    day: Date,
    folder: String,
    /// Behind what was listed; none at the beginning.
    after: Option<String>,
    is_listed: bool,
    listed: VecDeque<Listed>,
    read: VecDeque<(Listed, Vec<u8>)>,
    seen: HashSet<Leaf>,
}

/// The events of a tenant that were recorded on a day (UTC). No request yet.
#[must_use]
pub fn read_day(archive: &Files, tenant: TenantId, day: Date) -> DayReader<'_> {
    DayReader { archive, day, folder: day_folder(tenant, day), after: None, is_listed: false, listed: VecDeque::new(), read: VecDeque::new(), seen: HashSet::new() }
}

impl DayReader<'_> {
    /// The next file; none at the end. 1 request a file, 8 of them at once, and 1 per 1,000 files.
    ///
    /// # Errors
    /// Those of the bucket.
    pub async fn next(&mut self) -> Result<Option<DayFile>, AppError> {
        if self.read.is_empty() {
            self.read_on().await?;
        }
        let Some((file, bytes)) = self.read.pop_front() else {
            return Ok(None);
        };
        let (lines, damaged) = match unpacked(&bytes) {
            Ok(text) => whole_lines(&text, self.day, &mut self.seen),
            Err(_) => (Vec::new(), 1),
        };
        Ok(Some(DayFile { key: file.key, written_at: file.written_at, lines, damaged }))
    }

    /// The hashes of all events read so far, in no order.
    #[must_use]
    pub fn into_leaves(self) -> HashSet<Leaf> {
        self.seen
    }

    async fn read_on(&mut self) -> Result<(), AppError> {
        while self.listed.is_empty() && !self.is_listed {
            let page = self.archive.listed(&self.folder, self.after.as_deref(), PAGE).await?;
            self.is_listed = page.len() < PAGE;
            self.after = page.last().map(|file| file.key.clone());
            self.listed.extend(page.into_iter().filter(|file| file.key.ends_with(LINES)));
        }
        let files: Vec<Listed> = self.listed.drain(..self.listed.len().min(AT_ONCE)).collect();
        let archive = self.archive;
        let reads = files.into_iter().map(|file| async move {
            let bytes = archive.get(&file.key).await?.ok_or_else(|| PlatformError::NotFound(file.key.clone()))?;
            Ok::<_, PlatformError>((file, bytes))
        });
        self.read.extend(try_join_all(reads).await?);
        Ok(())
    }
}

/// The lines of a file that have the hash of their event, were recorded on the day and weren't seen before, and how many have not or were not.
fn whole_lines(text: &str, day: Date, seen: &mut HashSet<Leaf>) -> (Vec<String>, usize) {
    let (mut lines, mut damaged) = (Vec::new(), 0);
    for text in text.lines() {
        let whole = Line::parse(text).ok().filter(Line::is_intact);
        let whole = whole.filter(|line| line.recorded_at().is_ok_and(|at| day_of(at) == day));
        match whole.and_then(|line| leaf(line.hash())) {
            Some(leaf) if seen.insert(leaf) => lines.push(text.to_owned()),
            Some(_) => {}
            None => damaged += 1,
        }
    }
    (lines, damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use switchboard_domain::audit::{AuditEvent, Changes, Outcome, Place};
    use switchboard_domain::change::{Change, Origin};

    fn text(version: u32, recorded_at: &str) -> String {
        let event = AuditEvent {
            entity_type: "team".to_owned(),
            entity_id: "a".to_owned(),
            place: Place::Version(version),
            change: Change::new("team.updated", Timestamp::UNIX_EPOCH, Origin::system()),
            changes: Changes::Clear(Vec::new()),
            outcome: Outcome::Success,
            previous_hash: None,
            about: None,
        };
        line(&event, &event.hash(), recorded_at.parse().unwrap(), None).unwrap()
    }

    #[test]
    fn a_file_is_the_same_whenever_it_is_made_and_reads_back() {
        let lines: Vec<String> = (1..100).map(|version| text(version, "2026-11-30T12:00:00Z")).collect();
        let bytes = packed(&lines).unwrap();
        assert_eq!(packed(&lines).unwrap(), bytes);
        assert_eq!(bytes[4..8], [0; 4], "no time of its making");
        assert_eq!(unpacked(&bytes).unwrap().lines().collect::<Vec<_>>(), lines);
        assert!(unpacked(&bytes[..bytes.len() / 2]).is_err() && unpacked(b"no file").is_err());
    }

    #[test]
    fn a_line_counts_once_and_only_if_it_is_whole_and_of_the_day() {
        let (one, two) = (text(1, "2026-11-30T00:00:00Z"), text(2, "2026-11-30T23:59:59.999Z"));
        let of = |lines: &[&str]| whole_lines(&lines.join("\n"), date(2026, 11, 30), &mut HashSet::new());
        assert_eq!(of(&[&one, &two, &one]), (vec![one.clone(), two.clone()], 0));
        assert_eq!(of(&[]), (Vec::new(), 0));
        let edited = one.replace("team.updated", "team.deleted");
        for damaged in [edited.as_str(), "{}", &one[1..], &text(1, "2026-12-01T00:00:00Z")] {
            assert_eq!(of(&[damaged, &two]), (vec![two.clone()], 1), "{damaged}");
        }
    }

    #[test]
    fn what_is_no_event_is_kept_as_it_came_and_stops_nothing() {
        let broken = Item::from([("PK".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S("T#t#E#team#a".to_owned()))]);
        let record = |sequence: &str, new: Option<Item>| StreamRecord { sequence: sequence.to_owned(), old: None, new };
        let batch = Batch::of(&[record("1", Some(broken)), record("2", None)]).unwrap();
        assert_eq!(batch.report, ArchiveReport { unreadable: 1, passed_over: 1, ..ArchiveReport::default() });
        assert_eq!((batch.files, batch.unreadable[0].sequence.as_str()), (Vec::new(), "1"));
        assert_eq!(batch.unreadable[0].new["PK"]["S"], "T#t#E#team#a");
    }
}
