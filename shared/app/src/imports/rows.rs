//! The messages of the rows queue, and the way each goes.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use switchboard_domain::field_error::FieldError;
use switchboard_domain::ids::{ImportId, TenantId};
use switchboard_domain::imports::{Dialect, Import, ImportStatus, Phase, Piece, Row, RowError, read_rows};
use switchboard_platform::PlatformError;
use switchboard_store::imports::{self, Chunk};

use super::{ImportServices, check, finish, join, lanes, revert, write};
use crate::error::AppError;

/// One step of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsMessage {
    /// The tenant; its record vouches for it.
    pub tenant: TenantId,
    /// The import.
    pub import: ImportId,
    /// The step.
    #[serde(flatten)]
    pub step: Step,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Check the rows of a chunk; nothing is written to the database but that it was done.
    Check {
        /// The chunk.
        chunk: u32,
        /// The number of the check.
        run: u32,
    },
    /// Find the rows that share a key, once all chunks are checked.
    Join {
        /// The number of the check.
        run: u32,
    },
    /// Write the rows of a chunk, or of the rest of one.
    Write(Piece),
    /// Gather the rows that failed, and end the import once every row is written.
    Finish,
    /// Undo what a chunk, or the rest of one, wrote.
    Revert(Piece),
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// It was done.
    Done,
    /// There was nothing left to do: it had been done, or the import has ended.
    Nothing,
    /// The file is gone or was replaced; the import says so.
    Failed,
}

/// Handles one message, which may have come before (`redelivered`) or come twice at once. From the deadline on no further rows are begun; what is left is sent as
/// a message of its own.
///
/// # Errors
/// Those of the services; [`AppError::Broken`] for a message that names nothing there is.
pub async fn handle(services: &ImportServices, message: &RowsMessage, redelivered: bool, deadline: Instant) -> Result<Handled, AppError> {
    let tenant = services.services.tenants.open(message.tenant).await?.ok_or_else(|| AppError::Broken("the message names no tenant there is".to_owned()))?;
    let core = &services.services.core;
    let import = imports::get(core, &tenant.scope, message.import).await?.ok_or_else(|| AppError::Broken("the message names no import there is".to_owned()))?;
    let outcome = match (message.step, import.phase) {
        (Step::Check { chunk, run }, Phase::Checking) if run == import.check_run => check::run(services, &tenant, &import, chunk, redelivered).await,
        (Step::Join { run }, Phase::Checking | Phase::Writing | Phase::Planned) if run == import.check_run => join::run(services, &tenant, &import, redelivered).await,
        (Step::Write(piece), Phase::Writing) => write::run(services, &tenant, &import, piece, redelivered, deadline).await,
        (Step::Finish, Phase::Writing | Phase::Ended) => finish::run(services, &tenant, &import).await,
        // Whoever had it before may have written its rows, and died before they were gathered.
        (Step::Write(_), Phase::Ended) if redelivered && matches!(import.status, ImportStatus::Failed | ImportStatus::Cancelled) => {
            finish::run(services, &tenant, &import).await
        }
        (Step::Revert(piece), Phase::Reverting) => revert::run(services, &tenant, &import, piece, redelivered, deadline).await,
        _ => return Ok(Handled::Nothing),
    };
    match outcome {
        Ok(()) => Ok(Handled::Done),
        Err(AppError::Platform(PlatformError::NotFound(key) | PlatformError::Changed(key))) if key == import.source().0 => {
            let reason = "The file was removed or replaced while it was being imported. What was written before stays; import the file again to go on.";
            imports::fail(core, &tenant.scope, import.id, reason, services.services.clock.now()).await?;
            // Of the rows written until then, those that failed are gathered.
            if import.writing_since.is_some() {
                lanes::send(services, &tenant.scope, &import, [Step::Finish]).await?;
            }
            Ok(Handled::Failed)
        }
        Err(error) => Err(error),
    }
}

/// The chunk a message names.
pub(super) async fn chunk(services: &ImportServices, scope: &switchboard_store::TenantScope, import: &Import, piece: Piece) -> Result<Chunk, AppError> {
    let chunk = imports::chunk(&services.services.core, scope, import.id, piece).await?;
    chunk.ok_or_else(|| AppError::Broken("the message names no chunk there is".to_owned()))
}

/// The part of a file that holds the rows of a chunk, or of the rest of one.
pub(super) struct FilePart<'a> {
    bytes: Vec<u8>,
    dialect: &'a Dialect,
    chunk: &'a Chunk,
}

impl FilePart<'_> {
    /// Its rows, each read when its turn comes: memory holds the bytes, and of the rows those at hand.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        read_rows(&self.bytes, self.dialect, self.chunk.range.first_row).filter(|row| row.number >= self.chunk.from_row)
    }
}

/// Reads the part of the file that a chunk is. 1 request.
pub(super) async fn read<'a>(services: &ImportServices, import: &'a Import, chunk: &'a Chunk) -> Result<FilePart<'a>, AppError> {
    let dialect = import.dialect.as_ref().ok_or_else(|| AppError::Broken("the import has no dialect".to_owned()))?;
    let (key, tag) = import.source();
    let bytes = services.uploads.range(key, tag, chunk.range.start, chunk.range.end).await?;
    Ok(FilePart { bytes, dialect, chunk })
}

/// What is wrong with a field of a row.
pub(super) fn row_error(row: u64, error: FieldError, value: Option<String>) -> RowError {
    let code = serde_json::to_value(error.code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
    RowError { row, field: Some(error.field), value, code, message: error.message, warning: false }
}

/// The same of a value that was set aside.
pub(super) fn row_warning(row: u64, error: FieldError, value: Option<String>) -> RowError {
    RowError { warning: true, ..row_error(row, error, value) }
}

/// What is wrong with a row as it is written.
pub(super) fn unreadable_row(row: u64, problem: &switchboard_domain::imports::RowProblem) -> RowError {
    RowError { row, field: None, value: None, code: "INVALID".to_owned(), message: problem.to_string(), warning: false }
}
