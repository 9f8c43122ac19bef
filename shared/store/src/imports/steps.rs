//! The steps of an import. Each is one conditional write, so that of two who take it at once one does, and one that comes too late does nothing.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use switchboard_domain::change;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{ChunkRange, ColumnMapping, Dialect, ImportOptions, ImportStatus, Phase, Piece, RevertCounts, RowCounts, StagedFile};

use super::IMPORT;
use super::chunks::new_chunk;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::scope::TenantScope;
use crate::table::{Change, CoreTable, Part};

/// An update under a condition, put together.
struct Step {
    key: Key,
    sets: Vec<String>,
    adds: Vec<String>,
    removes: Vec<&'static str>,
    conditions: Vec<String>,
    values: Vec<(&'static str, AttributeValue)>,
}

impl Step {
    fn of(key: Key) -> Self {
        Self { key, sets: Vec::new(), adds: Vec::new(), removes: Vec::new(), conditions: vec!["attribute_exists(PK)".to_owned()], values: Vec::new() }
    }

    fn set(mut self, attribute: &str, name: &'static str, value: &impl Serialize) -> Result<Self, StoreError> {
        self.sets.push(format!("#{attribute} = {name}"));
        self.values.push((name, word(value)?));
        Ok(self)
    }

    fn set_time(mut self, attribute: &str, name: &'static str, at: Timestamp) -> Self {
        self.sets.push(format!("#{attribute} = {name}"));
        self.values.push((name, AttributeValue::N(at.as_millisecond().to_string())));
        self
    }

    /// Sets an attribute unless it is there.
    fn set_first_time(mut self, attribute: &str, name: &'static str, at: Timestamp) -> Self {
        self.sets.push(format!("#{attribute} = if_not_exists(#{attribute}, {name})"));
        self.values.push((name, AttributeValue::N(at.as_millisecond().to_string())));
        self
    }

    fn add(mut self, attribute: &str, name: &'static str, count: u64) -> Self {
        if count > 0 {
            self.adds.push(format!("#{attribute} {name}"));
            self.values.push((name, AttributeValue::N(count.to_string())));
        }
        self
    }

    fn remove(mut self, attribute: &'static str) -> Self {
        self.removes.push(attribute);
        self
    }

    /// Holds when the phase is one of these.
    fn in_phase(self, phases: &[Phase]) -> Result<Self, StoreError> {
        const NAMES: [&str; 5] = [":phase0", ":phase1", ":phase2", ":phase3", ":phase4"];
        self.one_of("#phase", &NAMES, phases)
    }

    /// Holds when the status is one of these.
    fn in_status(self, statuses: &[ImportStatus]) -> Result<Self, StoreError> {
        const NAMES: [&str; 5] = [":status0", ":status1", ":status2", ":status3", ":status4"];
        self.one_of("#status", &NAMES, statuses)
    }

    fn one_of(mut self, attribute: &str, names: &[&'static str], values: &[impl Serialize]) -> Result<Self, StoreError> {
        debug_assert!(values.len() <= names.len(), "a condition names every value");
        let names = &names[..values.len()];
        for (name, value) in names.iter().zip(values) {
            self.values.push((name, word(value)?));
        }
        self.conditions.push(format!("{attribute} IN ({})", names.join(", ")));
        Ok(self)
    }

    fn when(mut self, condition: &str) -> Self {
        self.conditions.push(condition.to_owned());
        self
    }

    fn when_is(mut self, attribute: &str, name: &'static str, value: &impl Serialize) -> Result<Self, StoreError> {
        self.conditions.push(format!("#{attribute} = {name}"));
        self.values.push((name, word(value)?));
        Ok(self)
    }

    fn change(self) -> Change {
        let mut update = String::new();
        if !self.sets.is_empty() {
            update.push_str(&format!("SET {} ", self.sets.join(", ")));
        }
        if !self.adds.is_empty() {
            update.push_str(&format!("ADD {} ", self.adds.join(", ")));
        }
        if !self.removes.is_empty() {
            let removes: Vec<String> = self.removes.iter().map(|attribute| format!("#{attribute}")).collect();
            update.push_str(&format!("REMOVE {}", removes.join(", ")));
        }
        let condition = self.conditions.join(" AND ");
        let names = NAMES.into_iter().filter(|(name, _)| mentions(&update, name) || mentions(&condition, name)).collect();
        Change { key: self.key, update, condition, names, values: self.values }
    }
}

/// Whether a name stands in an expression, and not only as the beginning of a longer one.
fn mentions(expression: &str, name: &str) -> bool {
    expression.match_indices(name).any(|(at, _)| !expression[at + name.len()..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_'))
}

/// The attributes of imports and chunks that steps speak of.
const NAMES: [(&str, &str); 43] = [
    ("#status", "status"),
    ("#phase", "phase"),
    ("#failure_reason", "failure_reason"),
    ("#file_tag", "file_tag"),
    ("#file_bytes", "file_bytes"),
    ("#staged_file", "staged_file"),
    ("#dialect", "dialect"),
    ("#mapping", "mapping"),
    ("#options", "options"),
    ("#profile", "profile"),
    ("#rows_total", "rows_total"),
    ("#chunks", "chunks"),
    ("#check_run", "check_run"),
    ("#chunks_checked", "chunks_checked"),
    ("#checked_run", "checked_run"),
    ("#found_failed", "found_failed"),
    ("#found_skipped", "found_skipped"),
    ("#found_warned", "found_warned"),
    ("#writes", "writes"),
    ("#write_run", "write_run"),
    ("#rests", "rests"),
    ("#pieces_written", "pieces_written"),
    ("#created", "created"),
    ("#updated", "updated"),
    ("#unchanged", "unchanged"),
    ("#skipped", "skipped"),
    ("#failed", "failed"),
    ("#warned", "warned"),
    ("#pieces_reverted", "pieces_reverted"),
    ("#removed", "removed"),
    ("#restored", "restored"),
    ("#kept", "kept"),
    ("#has_errors_file", "has_errors_file"),
    ("#last_change", "last_change"),
    ("#started_at", "started_at"),
    ("#writing_since", "writing_since"),
    ("#finished_at", "finished_at"),
    ("#begun", "begun"),
    ("#checked", "checked"),
    ("#written", "written"),
    ("#reverted", "reverted"),
    ("#written_at", "written_at"),
    ("#left_at", "left_at"),
];

fn word(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value).map_err(|error| StoreError::undecodable(IMPORT, error))
}

fn import(scope: &TenantScope, id: ImportId) -> Step {
    Step::of(keys::import(scope, id))
}

fn piece_of(scope: &TenantScope, id: ImportId, piece: Piece) -> Step {
    Step::of(keys::chunk(scope, id, piece))
}

/// The file of an import has come; false when it had. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn arrive(table: &CoreTable, scope: &TenantScope, id: ImportId, tag: &str, bytes: u64) -> Result<bool, StoreError> {
    let step = import(scope, id).set("file_tag", ":tag", &tag)?.set("file_bytes", ":bytes", &bytes)?.set("phase", ":planning", &Phase::Planning)?;
    table.change(scope, step.in_phase(&[Phase::Uploading])?.change()).await
}

/// What planning found out.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The copy that rows are to be read from, when there is one.
    pub staged: Option<StagedFile>,
    /// How the file is written.
    pub dialect: Dialect,
    /// Which column is what.
    pub mapping: Vec<ColumnMapping>,
    /// What is done with rows that leave a choice.
    pub options: ImportOptions,
    /// The rows.
    pub rows: u64,
    /// The chunks.
    pub chunks: u32,
    /// Where the import stands then.
    pub status: ImportStatus,
}

/// From planning to waiting for a person, or, when its rows are to be written at once, to checking them; false when it wasn't planning. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn plan(table: &CoreTable, scope: &TenantScope, id: ImportId, planned: &Planned, now: Timestamp) -> Result<bool, StoreError> {
    let mut step = import(scope, id)
        .set("dialect", ":dialect", &planned.dialect)?
        .set("mapping", ":mapping", &planned.mapping)?
        .set("options", ":options", &planned.options)?
        .set("rows_total", ":rows", &planned.rows)?
        .set("chunks", ":chunks", &planned.chunks)?
        .set("status", ":status", &planned.status)?;
    if let Some(staged) = &planned.staged {
        step = step.set("staged_file", ":staged", staged)?;
    }
    step = match planned.status {
        ImportStatus::Processing => step.set("phase", ":next", &Phase::Checking)?.set("check_run", ":run", &1)?.set_first_time("started_at", ":now", now),
        _ => step.set("phase", ":next", &Phase::Planned)?,
    };
    table.change(scope, step.in_phase(&[Phase::Planning])?.change()).await
}

/// Changes which column is what, and what is done with rows; what was checked before isn't any more. False when it isn't planned, or was mapped or checked since. 1
/// request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn set_mapping(
    table: &CoreTable,
    scope: &TenantScope,
    id: ImportId,
    check_run: u32,
    mapping: &[ColumnMapping],
    options: &ImportOptions,
    status: ImportStatus,
    change: &change::Change,
) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("mapping", ":mapping", &mapping)?
        .set("options", ":options", options)?
        .set("status", ":status", &status)?
        .set("last_change", ":change", change)?
        .set("check_run", ":next", &check_run.saturating_add(1))?
        .set("checked_run", ":none", &0)?
        .set("found_failed", ":none_failed", &0)?
        .set("found_skipped", ":none_skipped", &0)?
        .set("found_warned", ":none_warned", &0)?
        .set("has_errors_file", ":no", &false)?;
    table.change(scope, in_run(step, check_run)?.in_phase(&[Phase::Planned])?.change()).await
}

/// Holds while the check has this number; one that was never checked has none.
fn in_run(step: Step, check_run: u32) -> Result<Step, StoreError> {
    if check_run == 0 { Ok(step.when("attribute_not_exists(#check_run)")) } else { step.when_is("check_run", ":run", &check_run) }
}

/// From waiting, or from where it was stopped before anything was written, to checking; false when that was done by somebody else, or the mapping was changed
/// since. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn begin_checking(table: &CoreTable, scope: &TenantScope, id: ImportId, check_run: u32, writes: bool, change: &change::Change) -> Result<bool, StoreError> {
    let mut step = import(scope, id)
        .set("phase", ":checking", &Phase::Checking)?
        .set("status", ":processing", &ImportStatus::Processing)?
        .set("check_run", ":next", &check_run.saturating_add(1))?
        .set("chunks_checked", ":none", &0)?
        .set("found_failed", ":none_failed", &0)?
        .set("found_skipped", ":none_skipped", &0)?
        .set("found_warned", ":none_warned", &0)?
        .set("writes", ":writes", &writes)?
        .set("last_change", ":change", change)?
        .remove("failure_reason")
        .remove("finished_at");
    if writes {
        step = step.set_first_time("started_at", ":now", change.at);
    }
    table.change(scope, in_run(step, check_run)?.in_phase(&[Phase::Planned, Phase::Ended])?.when("attribute_not_exists(#writing_since)").change()).await
}

/// What is being checked is to be written then; false when it isn't being checked. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn follow(table: &CoreTable, scope: &TenantScope, id: ImportId, change: &change::Change) -> Result<bool, StoreError> {
    let step = import(scope, id).set("writes", ":yes", &true)?.set("last_change", ":change", change)?.set_first_time("started_at", ":now", change.at);
    table.change(scope, step.in_phase(&[Phase::Checking])?.change()).await
}

/// Counts a chunk as checked, once in a check, with the rows that fail and those with warnings. 1 request; 2 × 2 W.
///
/// # Errors
/// Those of the database.
pub async fn finish_check(table: &CoreTable, scope: &TenantScope, id: ImportId, chunk: u32, run: u32, found: &RowCounts) -> Result<bool, StoreError> {
    let mark = piece_of(scope, id, Piece::whole(chunk)).set("checked", ":run", &run)?.when("(attribute_not_exists(#checked) OR #checked < :run)");
    let count = import(scope, id)
        .add("chunks_checked", ":one", 1)
        .add("found_failed", ":failed", found.failed)
        .add("found_warned", ":warned", found.warned)
        .when_is("check_run", ":run", &run)?
        .in_phase(&[Phase::Checking])?;
    table.transact(scope, vec![Part::Change(mark.change()), Part::Change(count.change())]).await
}

/// The check is made to its end, and the import waits; false when it isn't in this check. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn finish_checking(table: &CoreTable, scope: &TenantScope, id: ImportId, run: u32, skipped: u64) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("phase", ":planned", &Phase::Planned)?
        .set("status", ":ready", &ImportStatus::Ready)?
        .set("checked_run", ":run", &run)?
        .set("found_skipped", ":skipped", &skipped)?
        .when("#check_run = :run")
        .when_is("writes", ":no", &false)?;
    table.change(scope, step.in_phase(&[Phase::Checking])?.change()).await
}

/// From a check that was made to its end to writing; false when it isn't in this check. The first time, 1 is the number of the writing. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn begin_writing(table: &CoreTable, scope: &TenantScope, id: ImportId, run: u32, now: Timestamp) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("phase", ":writing", &Phase::Writing)?
        .set("checked_run", ":run", &run)?
        .set("write_run", ":first", &1)?
        .set_time("writing_since", ":now", now)
        .when("#check_run = :run")
        .in_phase(&[Phase::Checking])?;
    table.change(scope, step.change()).await
}

/// The same of one that waits, by a person; false when it doesn't, or the mapping was changed since. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn begin_writing_checked(table: &CoreTable, scope: &TenantScope, id: ImportId, run: u32, change: &change::Change) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("phase", ":writing", &Phase::Writing)?
        .set("status", ":processing", &ImportStatus::Processing)?
        .set("write_run", ":first", &1)?
        .set("writes", ":yes", &true)?
        .set("last_change", ":change", change)?
        .set_time("writing_since", ":now", change.at)
        .set_first_time("started_at", ":started", change.at)
        .when_is("check_run", ":run", &run)?
        .when("#checked_run = :run")
        .in_phase(&[Phase::Planned])?;
    table.change(scope, step.change()).await
}

/// Goes on writing what was stopped or failed; false when it isn't that any more. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn go_on(table: &CoreTable, scope: &TenantScope, id: ImportId, write_run: u32, change: &change::Change) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("phase", ":writing", &Phase::Writing)?
        .set("status", ":processing", &ImportStatus::Processing)?
        .set("write_run", ":next", &write_run.saturating_add(1))?
        .set("last_change", ":change", change)?
        .remove("failure_reason")
        .remove("finished_at")
        .when_is("write_run", ":run", &write_run)?
        .in_phase(&[Phase::Ended])?
        .in_status(&[ImportStatus::Failed, ImportStatus::Cancelled])?;
    table.change(scope, step.change()).await
}

/// Marks that a worker began to write a chunk. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn begin_write(table: &CoreTable, scope: &TenantScope, id: ImportId, piece: Piece, write_run: u32) -> Result<bool, StoreError> {
    let mark = piece_of(scope, id, piece).set("begun", ":run", &write_run)?.when("(attribute_not_exists(#begun) OR #begun < :run)");
    table.change(scope, mark.change()).await
}

/// Counts a chunk as written, once, with what became of its rows. When the worker leaves at a row, what follows becomes a rest. 1 request; 2 × 2 W, with a rest
/// 2 × 3 W.
///
/// # Errors
/// Those of the database.
pub async fn finish_write(
    table: &CoreTable,
    scope: &TenantScope,
    id: ImportId,
    piece: Piece,
    counts: &RowCounts,
    left: Option<(ChunkRange, u64)>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut mark = piece_of(scope, id, piece).set("written", ":yes", &true)?.set_time("written_at", ":now", now).when("attribute_not_exists(#written)");
    let count = import(scope, id)
        .add("pieces_written", ":one", 1)
        .add("created", ":created", counts.created)
        .add("updated", ":updated", counts.updated)
        .add("unchanged", ":unchanged", counts.unchanged)
        .add("skipped", ":skipped", counts.skipped)
        .add("failed", ":failed", counts.failed)
        .add("warned", ":warned", counts.warned)
        .add("rests", ":rests", u64::from(left.is_some()));
    let mut parts = Vec::with_capacity(3);
    if let Some((range, row)) = left {
        mark = mark.set("left_at", ":row", &row)?;
        parts.push(Part::Insert { item: new_chunk(scope, id, range, piece.rest(row))?, expired_before: None });
    }
    parts.extend([Part::Change(mark.change()), Part::Change(count.change())]);
    table.transact(scope, parts).await
}

/// Says that there is a file of the rows that failed. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn keep_errors_file(table: &CoreTable, scope: &TenantScope, id: ImportId, is_there: bool) -> Result<(), StoreError> {
    table.change(scope, import(scope, id).set("has_errors_file", ":there", &is_there)?.change()).await?;
    Ok(())
}

/// Ends an import whose rows are all written; false when it had ended. 1 request, 1 W and 1 for index 1.
///
/// # Errors
/// Those of the database.
pub async fn complete(table: &CoreTable, scope: &TenantScope, id: ImportId, status: ImportStatus, now: Timestamp) -> Result<bool, StoreError> {
    let step = import(scope, id).set("status", ":status", &status)?.set("phase", ":ended", &Phase::Ended)?.set_time("finished_at", ":now", now);
    table.change(scope, step.in_phase(&[Phase::Writing])?.change()).await
}

/// Ends an import that can't go on; false when it had ended, or is being reverted. 1 request, 1 W and 1 for index 1.
///
/// # Errors
/// Those of the database.
pub async fn fail(table: &CoreTable, scope: &TenantScope, id: ImportId, reason: &str, now: Timestamp) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("status", ":status", &ImportStatus::Failed)?
        .set("phase", ":ended", &Phase::Ended)?
        .set("failure_reason", ":reason", &reason)?
        .set_time("finished_at", ":now", now);
    table.change(scope, step.in_phase(&[Phase::Uploading, Phase::Planning, Phase::Planned, Phase::Checking, Phase::Writing])?.change()).await
}

/// Stops an import; false when it had ended, or is being reverted. 1 request, 1 W and 1 for index 1.
///
/// # Errors
/// Those of the database.
pub async fn cancel(table: &CoreTable, scope: &TenantScope, id: ImportId, change: &change::Change) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("status", ":status", &ImportStatus::Cancelled)?
        .set("phase", ":ended", &Phase::Ended)?
        .set("last_change", ":change", change)?
        .set_time("finished_at", ":now", change.at)
        .in_phase(&[Phase::Uploading, Phase::Planning, Phase::Planned, Phase::Checking, Phase::Writing])?;
    table.change(scope, step.change()).await
}

/// Begins to undo what an import wrote; false when it hasn't ended, or somebody else began. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn begin_reverting(table: &CoreTable, scope: &TenantScope, id: ImportId, change: &change::Change) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("status", ":reverting", &ImportStatus::Reverting)?
        .set("phase", ":undoing", &Phase::Reverting)?
        .set("last_change", ":change", change)?
        .remove("finished_at")
        .in_phase(&[Phase::Ended])?
        .in_status(&[ImportStatus::Completed, ImportStatus::CompletedWithErrors, ImportStatus::Failed, ImportStatus::Cancelled])?
        .when("attribute_exists(#writing_since)");
    table.change(scope, step.change()).await
}

/// Counts a chunk as undone, once. 1 request; 2 × 2 W.
///
/// # Errors
/// Those of the database.
pub async fn finish_revert(table: &CoreTable, scope: &TenantScope, id: ImportId, piece: Piece, counts: &RevertCounts) -> Result<bool, StoreError> {
    let mark = piece_of(scope, id, piece).set("reverted", ":yes", &true)?.when("attribute_not_exists(#reverted)");
    let count = import(scope, id)
        .add("pieces_reverted", ":one", 1)
        .add("removed", ":removed", counts.removed)
        .add("restored", ":restored", counts.restored)
        .add("kept", ":kept", counts.kept)
        .in_phase(&[Phase::Reverting])?;
    table.transact(scope, vec![Part::Change(mark.change()), Part::Change(count.change())]).await
}

/// What an import wrote is undone, the last of it with these counts; false when it was before. 1 request, 1 W and 1 for index 1.
///
/// # Errors
/// Those of the database.
pub async fn complete_reverting(table: &CoreTable, scope: &TenantScope, id: ImportId, counts: &RevertCounts, now: Timestamp) -> Result<bool, StoreError> {
    let step = import(scope, id)
        .set("status", ":status", &ImportStatus::Reverted)?
        .set("phase", ":ended", &Phase::Ended)?
        .set_time("finished_at", ":now", now)
        .add("removed", ":removed", counts.removed)
        .add("restored", ":restored", counts.restored)
        .add("kept", ":kept", counts.kept)
        .in_phase(&[Phase::Reverting])?;
    table.change(scope, step.change()).await
}
