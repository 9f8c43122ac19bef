//! How a record stands to the import that is undone, read from its audit trail as far as the record itself doesn't tell.

use jiff::SignedDuration;
use switchboard_domain::audit::Changes;
use switchboard_domain::change::Revisioned;
use switchboard_domain::imports::{History, Piece, Standing};

use super::task::Task;
use crate::error::AppError;

/// Versions that are read first: that of the import, and the one before.
const FIRST: usize = 2;
/// Versions that are read at once when these don't tell.
const MORE: usize = 50;
/// For so long the stream keeps a change that isn't on record yet.
pub(super) const STREAM_KEEPS: SignedDuration = SignedDuration::from_hours(24);

/// How a record stands to the import.
pub(super) enum Finding {
    /// The import was the last to change it.
    AsImported {
        /// The version that it was at before; 0 when the import made it.
        before: u32,
        /// What the versions since then changed, the newest first.
        changes: Vec<(u32, Changes)>,
    },
    /// It was brought back before, when the undoing came to this piece.
    BroughtBack(Piece),
    /// Somebody else changed it since.
    ChangedSince,
    /// Its newest change isn't on record yet.
    NotYet,
    /// What it said before isn't on record any more.
    NotOnRecord,
}

/// Finds out how a record stands. For what the import made, and what others changed since, no request; else 1 or more, half an R per started 4 KB of the events.
pub(super) async fn standing(task: &Task<'_>, entity_type: &str, id: &str, record: &Revisioned) -> Result<Finding, AppError> {
    let (audit, scope) = (&task.services.audit, &task.tenant.scope);
    let mut history = History::of(&task.undoing, record);
    let mut changes = Vec::new();
    // What this version and later ones changed is read.
    let mut read = record.version.saturating_add(1);
    loop {
        match history.standing() {
            None => {}
            Some(Standing::AsImported { before }) if before > 0 && read > before + 1 => {}
            Some(Standing::AsImported { before }) => {
                changes.retain(|(version, _)| *version > before);
                return Ok(Finding::AsImported { before, changes });
            }
            Some(Standing::BroughtBack(piece)) => return Ok(Finding::BroughtBack(piece)),
            Some(Standing::ChangedSince) => return Ok(Finding::ChangedSince),
            Some(Standing::Unknown) => return Ok(Finding::NotOnRecord),
        }
        let first = if changes.is_empty() { FIRST } else { MORE };
        let page = audit.of_record(scope, entity_type, id, Some(read), first).await?;
        let next = read;
        for stored in page.entries {
            if stored.event.version() != Some(read - 1) {
                break;
            }
            read -= 1;
            if history.standing().is_none() && history.next() == read {
                history.look(&stored.event.change);
            }
            changes.push((read, stored.event.changes));
        }
        if read < next {
            continue;
        }
        let now = task.services.clock.now();
        let is_newest = read > record.version;
        if is_newest && now.duration_since(record.updated_at()) < STREAM_KEEPS {
            return Ok(Finding::NotYet);
        }
        if is_newest || history.standing().is_some() {
            return Ok(Finding::NotOnRecord);
        }
        let kept = SignedDuration::from_hours(24 * i64::from(task.tenant.record.retention_days));
        history.look_no_further(now.saturating_sub(kept).unwrap_or(now));
    }
}
