//! What undoing a piece works with, and what it comes to.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use switchboard_domain::change::Change;
use switchboard_domain::imports::{Import, Piece, RevertCounts, Undoing};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;

use super::kept::Kept;
use crate::error::AppError;
use crate::services::Services;

/// Undoing one piece.
pub(super) struct Task<'a> {
    pub(super) services: &'a Services,
    pub(super) tenant: &'a OpenTenant,
    pub(super) settings: Arc<Settings>,
    pub(super) undoing: Undoing,
    pub(super) piece: Piece,
    /// It may have been begun before, by a worker that died.
    pub(super) redelivered: bool,
    has_written: AtomicBool,
}

impl<'a> Task<'a> {
    /// No request, unless the tenant's settings aren't known.
    pub(super) async fn of(services: &'a Services, tenant: &'a OpenTenant, import: &Import, piece: Piece, redelivered: bool) -> Result<Self, AppError> {
        let settings = services.tenants.settings(&tenant.scope).await?;
        Ok(Self { services, tenant, settings, undoing: Undoing::of(import), piece, redelivered, has_written: AtomicBool::new(false) })
    }

    /// A change made by it, now.
    pub(super) fn change(&self, action: &str) -> Change {
        Change::new(action, self.services.clock.now(), self.undoing.origin(self.piece))
    }

    /// Notes that a record was written, now.
    pub(super) fn has_written(&self) {
        self.has_written.store(true, Ordering::Relaxed);
    }

    /// Whether the time is over. One that changed nothing yet goes on, so that each time something is done.
    pub(super) fn is_to_leave(&self, deadline: Instant) -> bool {
        self.has_written.load(Ordering::Relaxed) && Instant::now() >= deadline
    }

    /// What a record that was brought back counts as: nothing here when another piece did it, which counts it.
    pub(super) fn brought_back(&self, piece: Piece, is_made: bool) -> Outcome {
        match (piece == self.piece, is_made) {
            (false, _) => Outcome::Elsewhere,
            (true, true) => Outcome::Removed,
            (true, false) => Outcome::Restored,
        }
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The import had made it, and it is gone.
    Removed,
    /// It says again what it said before.
    Restored,
    /// It stays as it is; why.
    Kept(&'static str),
    /// Another piece counts it, or there was nothing to do with it.
    Elsewhere,
    /// Its newest change isn't on record yet.
    NotYet,
}

/// It was changed since the import wrote it.
pub(super) const CHANGED: &str = "It was changed since.";
/// It was deleted since.
pub(super) const DELETED: &str = "It was deleted since.";
/// There is nothing any more that could be brought back.
pub(super) const GONE: &str = "It is no longer there.";
/// The audit trail doesn't tell what it said.
pub(super) const NOT_ON_RECORD: &str = "What it said before is no longer on record.";

/// What undoing a piece came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) counts: RevertCounts,
    pub(super) kept: Vec<Kept>,
    waits: bool,
}

impl Report {
    /// Counts what became of a record.
    pub(super) fn note(&mut self, entity_type: &str, id: impl Display, outcome: Outcome) {
        match outcome {
            Outcome::Removed => self.counts.removed += 1,
            Outcome::Restored => self.counts.restored += 1,
            Outcome::Kept(reason) => self.keep(entity_type, id, reason),
            Outcome::Elsewhere => {}
            Outcome::NotYet => self.waits = true,
        }
    }

    /// Counts and lists a record that stays.
    pub(super) fn keep(&mut self, entity_type: &str, id: impl Display, reason: &str) {
        self.counts.kept += 1;
        self.kept.push(Kept { entity_type: entity_type.to_owned(), entity_id: id.to_string(), reason: reason.to_owned() });
    }

    /// The same, when every record was decided on.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] while changes of some are still to come on record: all others are done by then.
    pub(super) fn complete(self) -> Result<Self, AppError> {
        if self.waits { Err(AppError::Unavailable("the newest changes of some records are not in their audit trail yet")) } else { Ok(self) }
    }
}
