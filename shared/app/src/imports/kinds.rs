//! What the rows of an import become: each kind reads them, and brings them and the records there are together, in its own way. Both phases read them alike.

use std::fmt::Display;

use switchboard_domain::audit::Audited;
use switchboard_domain::imports::{Row, RowCounts, RowError, RowKey};

use super::WrittenRow;
use super::preview::RowOutcome;
use crate::error::AppError;

/// A row that can be used.
#[derive(Clone)]
pub(super) struct Ready<D> {
    /// Its number.
    pub(super) row: u64,
    /// What tells it from rows about other records.
    pub(super) key: RowKey,
    /// Its values.
    pub(super) draft: D,
}

/// What reading a row came to.
pub(super) enum Prepared<D> {
    /// It can't be used.
    Failed(Vec<RowError>),
    /// It can, with warnings about values that were set aside.
    Ready(Ready<D>, Vec<RowError>),
}

/// What became of rows.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The counts.
    pub(super) counts: RowCounts,
    /// The rows that failed, and the values that were set aside.
    pub(super) errors: Vec<RowError>,
    /// What was written.
    pub(super) written: Vec<WrittenRow>,
}

impl Tally {
    /// Counts a row that can't be used.
    pub(super) fn fail(&mut self, errors: Vec<RowError>) {
        self.counts.failed += 1;
        self.errors.extend(errors);
    }

    /// Counts a row that wrote its record, now or before.
    pub(super) fn wrote(&mut self, is_new: bool) {
        *(if is_new { &mut self.counts.created } else { &mut self.counts.updated }) += 1;
    }

    /// Keeps which version of which record was written.
    pub(super) fn keep<R: Audited>(&mut self, id: impl Display, version: Option<u32>) {
        self.written.push(WrittenRow { entity_type: R::ENTITY_TYPE.to_owned(), entity_id: id.to_string(), version });
    }
}

/// A kind of record.
pub(super) trait Kind {
    /// The values of a row.
    type Draft;

    /// Reads a row. What it names, such as a colleague, is looked up at most once per chunk.
    async fn prepare(&mut self, row: &Row) -> Result<Prepared<Self::Draft>, AppError>;

    /// Brings up to 200 rows, each about another record, and the records there are together. `rows` has them, and others of the batch, as they were read.
    async fn write(&mut self, ready: Vec<Ready<Self::Draft>>, rows: &[Row], tally: &mut Tally) -> Result<(), AppError>;
}

/// A kind of record of which rows can be shown before they are written.
pub(super) trait Foresees: Kind {
    /// What these rows would do; writes nothing.
    async fn foresee(&mut self, ready: Vec<Ready<Self::Draft>>) -> Result<Vec<(u64, RowOutcome, Option<RowError>)>, AppError>;
}
