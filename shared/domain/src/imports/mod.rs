//! Imports: one run that brings records in. Reading a file, mapping its columns, and deciding what each row does.

mod blank;
mod decision;
mod dialect;
mod literal;
mod mapping;
mod packing;
mod plan;
mod reader;
mod rows;
mod sheet;

pub use blank::{is_blank_name, is_blank_word};
pub use decision::{RowDecision, decide};
pub use dialect::{Beginning, Dialect, Encoding, FileProblem, MOST_COLUMNS, SAMPLE_BYTES, sniff};
pub use literal::harmless_cell;
pub use mapping::{ColumnMapping, Target, map_columns, phone_column};
pub use packing::{ByteOrder, MOST_TIMES, MOST_UNPACKED, PACKED_SLICE, Packing, Unpacker, packing};
pub use plan::{CHUNK_BYTES, CHUNK_ROWS, ChunkRange, MOST_ROW_BYTES, Plan, Planner};
pub use rows::{Row, RowProblem, read_rows, to_input};
pub(crate) use sheet::{BYTE_ORDER_MARK, writer as sheet_writer};
pub use sheet::{Sheet, exported_names};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::ids::ImportId;

/// What the rows of an import become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportKind {
    /// Contacts.
    Contacts,
}

/// Where the rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportSourceType {
    /// A file of separated values.
    Csv,
}

/// Where an import stands, as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportStatus {
    /// It is being read or written.
    Processing,
    /// Every row is in.
    Completed,
    /// It is through, and some rows failed.
    CompletedWithErrors,
    /// The file could not be imported; nothing was written.
    Failed,
}

/// The step a running import is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The file is read once to its end and cut into chunks.
    Planning,
    /// Every row is read and checked; nothing is written.
    Checking,
    /// Rows are read again and written.
    Writing,
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
    /// Rows overtaken by a later one with the same key.
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

/// What a packed file says, as plain text in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFile {
    /// Its key in the uploads bucket.
    pub key: String,
    /// The entity tag of its bytes.
    pub tag: String,
}

/// An import's record. Its progress is technical; it has no version.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The id, made of the time and the identity of what was dropped, so that the same event gives the same import.
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
    /// Its size.
    pub file_bytes: u64,
    /// Its key in the uploads bucket.
    pub file_key: String,
    /// The entity tag of the bytes that are imported: a file put later under the same key is another.
    pub file_tag: String,
    /// The copy its rows are read from, when the file itself isn't plain text.
    pub staged: Option<StagedFile>,
    /// How the file is written, once it is known.
    pub dialect: Option<Dialect>,
    /// Which column is what, once it is known.
    pub mapping: Vec<ColumnMapping>,
    /// The rows, once the file has been read to its end.
    pub rows_total: Option<u64>,
    /// The chunks they were cut into.
    pub chunks: u32,
    /// The chunks checked.
    pub chunks_checked: u32,
    /// The chunks written.
    pub chunks_written: u32,
    /// What became of the rows written so far.
    pub counts: RowCounts,
    /// Who made it.
    pub created_by: Actor,
    /// When.
    pub created_at: Timestamp,
    /// When the file began to be read.
    pub started_at: Option<Timestamp>,
    /// When the writing began: what a contact says later than this overrides what the file said.
    pub writing_since: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Import {
    /// The key and the entity tag of the file that rows are read from.
    #[must_use]
    pub fn source(&self) -> (&str, &str) {
        match &self.staged {
            Some(staged) => (&staged.key, &staged.tag),
            None => (&self.file_key, &self.file_tag),
        }
    }

    /// How far it is, from 0 to 1: checking and writing count half each.
    #[must_use]
    pub fn progress(&self) -> f64 {
        match self.phase {
            Phase::Ended => 1.0,
            _ if self.chunks == 0 => 0.0,
            _ => f64::from(self.chunks_checked + self.chunks_written) / f64::from(2 * self.chunks),
        }
    }

    /// How it ended, once every chunk is written.
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
}
