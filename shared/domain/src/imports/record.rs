//! An import's record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::dialect::Dialect;
use super::mapping::ColumnMapping;
use super::options::ImportOptions;
use crate::actor::Actor;
use crate::change::Change;
use crate::ids::ImportId;

/// What the rows of an import become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportKind {
    /// Contacts, by their number.
    Contacts,
    /// People of the staff, by their e-mail address.
    Agents,
    /// Numbers that must not be called.
    Suppressions,
}

/// Where the rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportSourceType {
    /// A file.
    Csv,
    /// Another program, through the API.
    Api,
    /// A person who typed them.
    ManualUi,
    /// Another program, which was asked to tell.
    Webhook,
}

/// Where an import stands, as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportStatus {
    /// Its file is still to come, or is being read for the first time.
    AwaitingUpload,
    /// Its file was read; a person has to say which column is what it needs most.
    AwaitingMapping,
    /// It can be started.
    Ready,
    /// Its rows are being checked or written.
    Processing,
    /// Every row is in.
    Completed,
    /// It is through, and some rows failed.
    CompletedWithErrors,
    /// It could not go on.
    Failed,
    /// Somebody stopped it; what was written stays.
    Cancelled,
    /// What it wrote is being undone.
    Reverting,
    /// What it wrote was undone, but for what was changed since.
    Reverted,
}

/// The step an import is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The file is still to come.
    Uploading,
    /// The file is read once to its end and cut into chunks.
    Planning,
    /// That is done, and it waits for a person.
    Planned,
    /// Every row is read and checked; nothing is written.
    Checking,
    /// Rows are read again and written.
    Writing,
    /// What was written is undone.
    Reverting,
    /// It has ended.
    Ended,
}

/// What became of rows. The first five add up to the rows counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// New records.
    pub created: u64,
    /// Records with new values.
    pub updated: u64,
    /// Records that already said what the row says.
    pub unchanged: u64,
    /// Rows that were left out: overtaken by a later one with the same key, or about a record that is to stay as it is.
    pub skipped: u64,
    /// Rows that could not be used.
    pub failed: u64,
    /// Among them, rows with an optional value that was set aside.
    pub warned: u64,
}

impl RowCounts {
    /// All rows counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.skipped + self.failed
    }
}

/// What undoing an import came to so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevertCounts {
    /// Records that the import had made, and that are gone again.
    pub removed: u64,
    /// Records that say again what they said before it.
    pub restored: u64,
    /// Records that were changed since, and stay.
    pub kept: u64,
}

/// What a packed file says, as plain text in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFile {
    /// Its key in the uploads bucket.
    pub key: String,
    /// The entity tag of its bytes.
    pub tag: String,
}

/// An import's record. It has no version: nobody edits it, and its progress is technical.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The id. That of a dropped file is made of the time and the identity of what was dropped, so that the same event gives the same import.
    pub id: ImportId,
    /// What its rows become.
    pub kind: ImportKind,
    /// Where they come from.
    pub source_type: ImportSourceType,
    /// The product they were exported from, or `n/a`.
    pub source_platform: String,
    /// Where it stands.
    pub status: ImportStatus,
    /// The step it is in.
    pub phase: Phase,
    /// Why it failed, in plain words.
    pub failure_reason: Option<String>,
    /// The name of the file.
    pub file_name: String,
    /// Its size: the one that was declared until it has come.
    pub file_bytes: u64,
    /// Its key in the uploads bucket.
    pub file_key: String,
    /// The entity tag of the bytes that are imported: a file put later under the same key is another. Empty until the file has come.
    pub file_tag: String,
    /// The copy its rows are read from, when the file itself isn't plain text.
    pub staged: Option<StagedFile>,
    /// How the file is written, once it is known.
    pub dialect: Option<Dialect>,
    /// Which column is what, once it is known.
    pub mapping: Vec<ColumnMapping>,
    /// What is done with rows that leave a choice.
    pub options: ImportOptions,
    /// The saved mapping that it was made with.
    pub profile: Option<String>,
    /// The rows, once the file has been read to its end.
    pub rows_total: Option<u64>,
    /// The chunks they were cut into.
    pub chunks: u32,
    /// The number of the check: each has its own, and what an older one says isn't counted.
    pub check_run: u32,
    /// The chunks checked in it.
    pub chunks_checked: u32,
    /// The number of the check that was made to its end with the mapping as it is; 0 when there is none.
    pub checked_run: u32,
    /// The rows of which the check says that they fail or are left out, and those with warnings.
    pub found: RowCounts,
    /// Whether the rows are to be written once they are checked.
    pub writes: bool,
    /// How often the writing was begun.
    pub write_run: u32,
    /// The rests of chunks that workers left.
    pub rests: u32,
    /// The chunks and rests of chunks written.
    pub pieces_written: u32,
    /// What became of the rows written so far.
    pub counts: RowCounts,
    /// The chunks and rests whose records were brought back.
    pub pieces_reverted: u32,
    /// What that came to so far.
    pub reverted: RevertCounts,
    /// Whether there is a file of the rows that failed.
    pub has_errors_file: bool,
    /// What a person did with it last.
    pub last_change: Option<Change>,
    /// Who made it.
    pub created_by: Actor,
    /// When.
    pub created_at: Timestamp,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When the writing began: what a record says later than this overrides what the file said.
    pub writing_since: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Who makes an import, and of what.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// The id.
    pub id: ImportId,
    /// What its rows become.
    pub kind: ImportKind,
    /// Where they come from.
    pub source_type: ImportSourceType,
    /// The product they were exported from, or `n/a`.
    pub source_platform: String,
    /// The name of the file.
    pub file_name: String,
    /// Its size.
    pub file_bytes: u64,
    /// Its key in the uploads bucket.
    pub file_key: String,
    /// The entity tag of its bytes; empty when it is still to come.
    pub file_tag: String,
    /// That it is made, when and by whom.
    pub change: Change,
}

impl Import {
    /// A new import, whose file is still to come or to be read.
    #[must_use]
    pub fn new(new: NewImport) -> Self {
        let has_come = !new.file_tag.is_empty();
        Self {
            id: new.id,
            kind: new.kind,
            source_type: new.source_type,
            source_platform: new.source_platform,
            status: if has_come { ImportStatus::Processing } else { ImportStatus::AwaitingUpload },
            phase: if has_come { Phase::Planning } else { Phase::Uploading },
            failure_reason: None,
            file_name: new.file_name,
            file_bytes: new.file_bytes,
            file_key: new.file_key,
            file_tag: new.file_tag,
            staged: None,
            dialect: None,
            mapping: Vec::new(),
            options: ImportOptions::default(),
            profile: None,
            rows_total: None,
            chunks: 0,
            check_run: 0,
            chunks_checked: 0,
            checked_run: 0,
            found: RowCounts::default(),
            writes: has_come,
            write_run: 0,
            rests: 0,
            pieces_written: 0,
            counts: RowCounts::default(),
            pieces_reverted: 0,
            reverted: RevertCounts::default(),
            has_errors_file: false,
            created_by: new.change.origin.actor.clone(),
            created_at: new.change.at,
            last_change: Some(new.change),
            started_at: None,
            writing_since: None,
            finished_at: None,
        }
    }

    /// The key and the entity tag of the file that rows are read from.
    #[must_use]
    pub fn source(&self) -> (&str, &str) {
        match &self.staged {
            Some(staged) => (&staged.key, &staged.tag),
            None => (&self.file_key, &self.file_tag),
        }
    }

    /// Chunks and rests of chunks.
    #[must_use]
    pub fn pieces(&self) -> u32 {
        self.chunks.saturating_add(self.rests)
    }

    /// Whether the check was made to its end with the mapping as it is.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.checked_run > 0 && self.checked_run == self.check_run
    }

    /// What is known of the rows: what became of them once the writing has begun, before that what the check says.
    #[must_use]
    pub fn known_counts(&self) -> &RowCounts {
        if self.writing_since.is_some() { &self.counts } else { &self.found }
    }

    /// How far it is, from 0 to 1: checking and writing count half each. One that waits for a person is where its last step ended.
    #[must_use]
    pub fn progress(&self) -> f64 {
        let of = |done: u32, all: u32| if all == 0 { 0.0 } else { f64::from(done.min(all)) / f64::from(all) };
        match self.phase {
            Phase::Ended => 1.0,
            Phase::Reverting => of(self.pieces_reverted, self.pieces_written),
            Phase::Uploading | Phase::Planning => 0.0,
            Phase::Planned if self.is_checked() => 0.5,
            Phase::Planned => 0.0,
            Phase::Checking if self.writes => of(self.chunks_checked, self.chunks) / 2.0,
            Phase::Checking => of(self.chunks_checked, self.chunks),
            Phase::Writing => 0.5 + of(self.pieces_written, self.pieces()) / 2.0,
        }
    }

    /// How it ends, once every row is written.
    #[must_use]
    pub fn final_status(counts: &RowCounts) -> ImportStatus {
        if counts.failed == 0 { ImportStatus::Completed } else { ImportStatus::CompletedWithErrors }
    }
}

/// A row that could not be used, or a value that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The row's number in the file, from 1 for the first row after the header.
    pub row: u64,
    /// The field, when one is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The value as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The stable code, as in the API's user errors.
    pub code: String,
    /// A plain sentence.
    pub message: String,
    /// The row was used all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warning: bool,
}
