//! Imports: a dropped file is planned, every row is checked, and only then anything is written.

mod access;
mod agents;
mod cancel;
mod check;
mod colleagues;
mod contacts;
mod create;
mod errors;
mod errors_file;
mod finish;
mod give_rows;
mod join;
mod kinds;
mod lanes;
mod plan;
mod preview;
mod profiles;
mod read;
mod revert;
mod rows;
mod set_mapping;
mod stage;
mod start;
mod suppressions;
mod workbook;
mod write;

pub use cancel::cancel;
pub use create::{CreateImport, Created, create};
pub use errors::{ErrorPlace, errors, errors_file_url};
pub use give_rows::{GiveRows, give_rows};
pub use lanes::LANES;
pub use plan::{DroppedFile, Received, receive};
pub use preview::{Preview, PreviewRow, RowOutcome, preview};
pub use profiles::{delete as delete_profile, list as profiles};
pub use read::{ImportFilter, ImportPage, get, newest, samples};
pub use revert::{Kept, kept, revert};
pub use rows::{Handled, RowsMessage, Step, handle};
pub use set_mapping::{MappedColumn, SetMapping, set_mapping};
pub use start::{dry_run, start};
pub use write::write_rows;

pub use switchboard_domain::imports::CHUNK_ROWS;

use serde::{Deserialize, Serialize};
use switchboard_domain::audit::Audited;
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{ImportId, TenantId};
use switchboard_domain::imports::{Piece, RowCounts, RowError};
use switchboard_platform::{Files, Queue};
use switchboard_store::TenantScope;
use switchboard_store::imports::Chunk;

use crate::services::Services;

/// What the functions of the import pipeline work with.
#[derive(Clone)]
pub struct ImportServices {
    /// The database, keys, time and randomness.
    pub services: Services,
    /// The bucket that files are dropped in.
    pub uploads: Files,
    /// The bucket that keeps what imports found out.
    pub results: Files,
    /// The queue of chunks to check and write.
    pub rows: Queue,
    /// How many rows a chunk has at most; [`switchboard_domain::imports::CHUNK_ROWS`] but in tests of how chunks go together.
    pub chunk_rows: u64,
}

/// What writing a chunk came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChunkResult {
    /// What became of its rows.
    pub counts: RowCounts,
    /// The rows that failed, and the values that were set aside, in the order of the rows.
    pub errors: Vec<RowError>,
    /// What was written, for the audit; kept in a file of its own.
    #[serde(skip)]
    pub written: Vec<WrittenRow>,
}

/// A record that a row wrote. Kept in the results bucket, for the audit's event of the chunk and for undoing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenRow {
    /// What kind of record it is; a contact when nothing is said.
    #[serde(rename = "type", default = "contact_type", skip_serializing_if = "is_contact_type")]
    pub entity_type: String,
    /// Its id.
    #[serde(rename = "id")]
    pub entity_id: String,
    /// The version the row made; none when another worker had written it before, so that only the trail tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// What contacts are called where nothing is said.
pub(crate) fn contact_type() -> String {
    Contact::ENTITY_TYPE.to_owned()
}

pub(crate) fn is_contact_type(entity_type: &str) -> bool {
    entity_type == Contact::ENTITY_TYPE
}

/// The key of the file of what a worker wrote of a chunk until it left it, or to its end, in the results bucket.
#[must_use]
pub fn written_key(tenant: TenantId, import: ImportId, piece: Piece, left_at: Option<u64>) -> String {
    format!("imports/{tenant}/{import}/written/{}.json", done_name(piece, left_at))
}

/// What is left of a chunk that a worker did: two workers who leave it at different rows, of whom one counts, leave different files.
fn done_name(piece: Piece, left_at: Option<u64>) -> String {
    left_at.map_or_else(|| piece.to_string(), |row| format!("{piece}-{row:012}"))
}

/// The key of the file that says since when a chunk waits for the audit events of its rows, in the results bucket.
pub(crate) fn awaited_key(tenant: TenantId, import: ImportId, piece: Piece) -> String {
    format!("imports/{tenant}/{import}/awaited/{piece}.json")
}

/// The key of an import's file when it is uploaded to it, in the uploads bucket.
fn uploaded_key(scope: &TenantScope, import: ImportId) -> String {
    format!("uploads/{}/{import}", scope.tenant())
}

/// The key of the copy of an import's file as plain text, in the uploads bucket.
fn staged_key(scope: &TenantScope, import: ImportId) -> String {
    format!("staged/{}/{import}.csv", scope.tenant())
}

/// Where an import keeps its files in the results bucket.
struct Place(String);

impl Place {
    fn of(scope: &TenantScope, import: ImportId) -> Self {
        Self(format!("imports/{}/{import}", scope.tenant()))
    }

    /// The first values of each column.
    fn samples(&self) -> String {
        format!("{}/samples.json", self.0)
    }

    /// The first rows, as they came.
    fn first_rows(&self) -> String {
        format!("{}/first_rows.json", self.0)
    }

    /// The keys of the rows of a chunk that can be used.
    fn keys(&self, run: u32, chunk: u32) -> String {
        format!("{}/check/{run}/keys/{chunk:06}", self.0)
    }

    /// What a check found wrong in a chunk.
    fn found(&self, run: u32, chunk: u32) -> String {
        format!("{}/check/{run}/errors/{chunk:06}.json", self.0)
    }

    /// The rows of a chunk of which a check says that they fail.
    fn found_rows(&self, run: u32, chunk: u32) -> String {
        format!("{}/check/{run}/failed/{chunk:06}.csv", self.0)
    }

    /// The rows of a chunk that a later row overtakes.
    fn overtaken(&self, run: u32, chunk: u32) -> String {
        format!("{}/check/{run}/overtaken/{chunk:06}.json", self.0)
    }

    /// What writing a chunk came to.
    fn result(&self, chunk: &Chunk) -> String {
        format!("{}/result/{}.json", self.0, done_name(chunk.piece(), chunk.left_at))
    }

    /// The rows of a chunk that failed as they were written.
    fn failed_rows(&self, chunk: &Chunk) -> String {
        format!("{}/failed/{}.csv", self.0, done_name(chunk.piece(), chunk.left_at))
    }

    /// The file of all rows that failed.
    fn errors_file(&self) -> String {
        format!("{}/errors.csv", self.0)
    }

    /// The records of a chunk that were changed since, and stayed as they were when the import was reverted.
    fn kept(&self, piece: Piece) -> String {
        format!("{}/kept/{piece}.json", self.0)
    }
}
