//! The messages of the rows queue, and the way each goes.

use serde::{Deserialize, Serialize};
use switchboard_domain::contact::{ContactDraft, Defaults, OnInvalid, ValidatedDraft};
use switchboard_domain::ids::{ImportId, TenantId};
use switchboard_domain::imports::{Import, Phase, Row, RowError, read_rows, to_input};
use switchboard_platform::PlatformError;
use switchboard_store::imports::{self, Chunk};

use super::{ImportServices, check, join, write};
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
    },
    /// Find the rows that share a key, once all chunks are checked.
    Join,
    /// Write the rows of a chunk.
    Write {
        /// The chunk.
        chunk: u32,
    },
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

/// Handles one message, which may have come before (`redelivered`) or come twice at once.
///
/// # Errors
/// Those of the services; [`AppError::Broken`] for a message that names nothing there is.
pub async fn handle(services: &ImportServices, message: &RowsMessage, redelivered: bool) -> Result<Handled, AppError> {
    let tenant = services.services.tenants.open(message.tenant).await?.ok_or_else(|| AppError::Broken("the message names no tenant there is".to_owned()))?;
    let core = &services.services.core;
    let import = imports::get(core, &tenant.scope, message.import).await?.ok_or_else(|| AppError::Broken("the message names no import there is".to_owned()))?;
    let outcome = match (message.step, import.phase) {
        (Step::Check { chunk }, Phase::Checking) => check::run(services, &tenant, &import, chunk).await,
        (Step::Join, Phase::Checking | Phase::Writing) => join::run(services, &tenant, &import).await,
        (Step::Write { chunk }, Phase::Writing) => write::run(services, &tenant, &import, chunk, redelivered).await,
        _ => return Ok(Handled::Nothing),
    };
    match outcome {
        Ok(()) => Ok(Handled::Done),
        Err(AppError::Platform(PlatformError::NotFound(key) | PlatformError::Changed(key))) if key == import.source().0 => {
            let reason = "The file was removed or replaced while it was being imported. What was written before stays; drop the file again to go on.";
            imports::fail(core, &tenant.scope, import.id, reason, services.services.clock.now()).await?;
            Ok(Handled::Failed)
        }
        Err(error) => Err(error),
    }
}

/// The chunk a message names.
pub(super) async fn chunk(services: &ImportServices, scope: &switchboard_store::TenantScope, import: &Import, number: u32) -> Result<Chunk, AppError> {
    let chunk = imports::chunk(&services.services.core, scope, import.id, number).await?;
    chunk.ok_or_else(|| AppError::Broken("the message names no chunk there is".to_owned()))
}

/// The rows of a chunk, read from the file.
pub(super) async fn read(services: &ImportServices, import: &Import, chunk: &Chunk) -> Result<Vec<Row>, AppError> {
    let dialect = import.dialect.as_ref().ok_or_else(|| AppError::Broken("the import has no dialect".to_owned()))?;
    let (key, tag) = import.source();
    let bytes = services.uploads.range(key, tag, chunk.range.start, chunk.range.end).await?;
    Ok(read_rows(&bytes, dialect, chunk.range.first_row).collect())
}

/// Checks one row: the same in both phases, so that both say the same.
pub(super) fn validate(import: &Import, row: &Row, defaults: &Defaults) -> Result<ValidatedDraft, Vec<RowError>> {
    let input = to_input(row, &import.mapping)
        .map_err(|problem| vec![RowError { row: row.number, field: None, value: None, code: "INVALID".to_owned(), message: problem.to_string() }])?;
    let value = input.phone.clone();
    ContactDraft::validate(&input, defaults, OnInvalid::Warn).map_err(|errors| {
        let error = |error: switchboard_domain::field_error::FieldError| row_error(row.number, error, Some(value.clone()).filter(|value| !value.is_empty()));
        errors.into_iter().map(error).collect()
    })
}

pub(super) fn row_error(row: u64, error: switchboard_domain::field_error::FieldError, value: Option<String>) -> RowError {
    let code = serde_json::to_value(error.code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
    RowError { row, field: Some(error.field), value, code, message: error.message }
}
