//! What the first rows of an import would do.

use std::collections::HashMap;

use switchboard_domain::imports::{Import, ImportKind, Row, RowError};
use switchboard_domain::permission::Permission;

use super::contacts::Contacts;
use super::kinds::{Foresees, Prepared};
use super::{ImportServices, Place, agents, suppressions};
use crate::error::AppError;
use crate::viewer::Viewer;

/// Most rows shown.
const MOST_SHOWN: usize = 50;

/// What a row would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOutcome {
    /// Make a record.
    Create,
    /// Change one.
    Update,
    /// Nothing: its record says that already.
    Unchanged,
    /// Nothing: it is left out.
    Skip,
    /// Fail.
    Fail,
}

/// A row, and what it would do.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewRow {
    /// The row's number, from 1 for the first row after the header.
    pub number: u64,
    /// Its cells as they came.
    pub values: Vec<String>,
    /// What it would do.
    pub outcome: RowOutcome,
    /// What is wrong with it, and values that would be set aside.
    pub errors: Vec<RowError>,
}

/// The first rows of an import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preview {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<PreviewRow>,
}

/// What the first rows would do if the import were started now; none before its file was read, and once it writes. Of rows about the same record the last one
/// shown counts, and once all were checked the last one of the file. 1 request to the results bucket, with a check 1 more, and what reading the records costs.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:read` for the whole tenant; those of the database and of the bucket.
pub async fn preview(services: &ImportServices, viewer: &Viewer, import: &Import, first: usize) -> Result<Option<Preview>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    if import.chunks == 0 || import.writing_since.is_some() {
        return Ok(None);
    }
    let place = Place::of(&viewer.tenant.scope, import.id);
    let cells: Vec<Vec<String>> = services.results.get_json(&place.first_rows()).await?.unwrap_or_default();
    let rows: Vec<Row> = (1..).zip(cells).take(first.min(MOST_SHOWN)).map(|(number, cells)| Row { number, cells, problem: None }).collect();
    let overtaken: Vec<u64> = if import.is_checked() { services.results.get_json(&place.overtaken(import.check_run, 1)).await?.unwrap_or_default() } else { Vec::new() };
    let (inner, tenant) = (&services.services, &viewer.tenant);
    let rows = match import.kind {
        ImportKind::Contacts => foresee(&mut Contacts::of(inner, tenant, import, false).await?, rows, &overtaken).await?,
        ImportKind::Agents => foresee(&mut agents::Agents::of(inner, tenant, import, false).await?, rows, &overtaken).await?,
        ImportKind::Suppressions => foresee(&mut suppressions::Suppressions::of(inner, tenant, import, false), rows, &overtaken).await?,
    };
    Ok(Some(Preview { columns: import.mapping.iter().map(|column| column.column.clone()).collect(), rows }))
}

async fn foresee(kind: &mut impl Foresees, rows: Vec<Row>, overtaken: &[u64]) -> Result<Vec<PreviewRow>, AppError> {
    let mut shown = Vec::with_capacity(rows.len());
    let mut ready = Vec::new();
    let mut last = HashMap::new();
    for row in rows {
        let (outcome, errors) = match kind.prepare(&row).await? {
            Prepared::Failed(errors) => (RowOutcome::Fail, errors),
            Prepared::Ready(usable, warnings) => {
                last.insert(usable.key, row.number);
                ready.push(usable);
                (RowOutcome::Skip, warnings)
            }
        };
        shown.push(PreviewRow { number: row.number, values: row.cells, outcome, errors });
    }
    ready.retain(|usable| last.get(&usable.key) == Some(&usable.row) && !overtaken.contains(&usable.row));
    for (number, outcome, error) in kind.foresee(ready).await? {
        if let Some(row) = shown.iter_mut().find(|row| row.number == number) {
            row.outcome = outcome;
            row.errors.extend(error);
        }
    }
    Ok(shown)
}
