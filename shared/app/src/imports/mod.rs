//! Imports: a dropped file is planned, every row is checked, and only then anything is written.

mod check;
mod errors;
mod join;
mod plan;
mod read;
mod rows;
mod stage;
mod write;

pub use errors::{ErrorPlace, errors};
pub use plan::{DroppedFile, Received, receive};
pub use read::{get, newest, samples};
pub use rows::{Handled, RowsMessage, Step, handle};
pub use write::write_rows;

use serde::{Deserialize, Serialize};
use switchboard_domain::ids::{ContactId, ImportId, TenantId};
use switchboard_domain::imports::{RowCounts, RowError};
use switchboard_platform::{Files, Queue};
use switchboard_store::TenantScope;

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
}

/// What the check of a chunk found: kept in the results bucket until its lifecycle deletes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct ChunkCheck {
    /// The rows that can be used, with the contact each is about.
    keys: Vec<(ContactId, u64)>,
    /// The rows that can't.
    failed: u64,
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

/// A contact that a row wrote. Kept in the results bucket, for the audit's event of the chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenRow {
    /// The contact.
    pub contact: ContactId,
    /// The version the row made; none when another worker had written it before, so that only the trail tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// The key of the file of what a chunk wrote, in the results bucket.
#[must_use]
pub fn written_key(tenant: TenantId, import: ImportId, chunk: u32) -> String {
    format!("imports/{tenant}/{import}/written/{chunk:06}.json")
}

/// The key of the file that says since when a chunk waits for the audit events of its rows, in the results bucket.
pub(crate) fn awaited_key(tenant: TenantId, import: ImportId, chunk: u32) -> String {
    format!("imports/{tenant}/{import}/awaited/{chunk:06}.json")
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

    /// What the check of a chunk found.
    fn check(&self, chunk: u32) -> String {
        format!("{}/check/{chunk:06}.json", self.0)
    }

    /// The rows of a chunk that a later row overtakes.
    fn overtaken(&self, chunk: u32) -> String {
        format!("{}/overtaken/{chunk:06}.json", self.0)
    }

    /// What writing a chunk came to.
    fn result(&self, chunk: u32) -> String {
        format!("{}/result/{chunk:06}.json", self.0)
    }
}
