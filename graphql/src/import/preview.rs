//! The first rows of an import, and what they would do.

use async_graphql::{Context, Enum, Result, SimpleObject};
use switchboard_app::imports as use_cases;
use switchboard_domain::imports as rules;

use super::ImportRowError;
use super::int;
use crate::context::ContextExt;
use crate::errors::{Code, app_error};

/// Rows of a preview when the client doesn't say.
pub(super) const ROWS: i32 = 10;
/// Most rows of a preview.
pub(super) const MOST_ROWS: i32 = 50;

/// What a row would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "use_cases::RowOutcome")]
pub(crate) enum RowOutcome {
    /// Make a record.
    Create,
    /// Change one.
    Update,
    /// Nothing: its record says that already.
    Unchanged,
    /// Nothing: it is left out, because a later row has the same key or its record is to stay as it is.
    Skip,
    /// Fail.
    Fail,
}

/// A row, and what it would do.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ImportPreviewRow {
    /// The row's number, from 1 for the first row after the header.
    row_number: i32,
    /// Its cells as they came, in the order of the columns.
    values: Vec<String>,
    /// What it would do.
    outcome: RowOutcome,
    /// What is wrong with it, and the values that would be set aside.
    errors: Vec<ImportRowError>,
}

/// The first rows of an import.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ImportPreview {
    /// The names of the columns.
    columns: Vec<String>,
    /// The rows.
    rows: Vec<ImportPreviewRow>,
}

impl From<use_cases::PreviewRow> for ImportPreviewRow {
    fn from(row: use_cases::PreviewRow) -> Self {
        let errors = row.errors.into_iter().map(ImportRowError::from).collect();
        Self { row_number: int(row.number), values: row.values, outcome: row.outcome.into(), errors }
    }
}

/// What the first rows of an import would do.
pub(super) async fn preview(ctx: &Context<'_>, import: &rules::Import, first: i32) -> Result<Option<ImportPreview>> {
    let first = match usize::try_from(first) {
        Ok(rows) if (1..=MOST_ROWS).contains(&first) => rows,
        _ => return Err(Code::LimitExceeded.error(format!("first is {first}. Ask for 1 to {MOST_ROWS} rows."))),
    };
    let found = use_cases::preview(&ctx.api().imports, ctx.viewer(), import, first).await.map_err(app_error)?;
    Ok(found.map(|found| ImportPreview { columns: found.columns, rows: found.rows.into_iter().map(ImportPreviewRow::from).collect() }))
}
