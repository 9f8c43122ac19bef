//! What is on record of imports and jobs themselves: that they were asked for, and how they ended. Their progress is technical; what they changed is on record
//! with each record. These events stand beside the chain, at the time that the item itself tells, so that a change delivered twice makes the same event.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use switchboard_domain::audit::{AuditEvent, Changes, FieldChange, Outcome, Place};
use switchboard_domain::audit_export::AuditExport;
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::imports::{Import, ImportStatus};

/// The kind of record that imports are.
pub(crate) const IMPORT: &str = "import";
/// The kind of record that bulk jobs are.
pub(crate) const BULK_JOB: &str = "bulk_job";
/// The kind of record that exports of the audit trail are.
pub(crate) const AUDIT_EXPORT: &str = "audit_export";

/// Details of an event beside the chain, as new values; what isn't there is left out.
pub(crate) fn details<const N: usize>(pairs: [(&str, Value); N]) -> Changes {
    let change = |(field, value): (&str, Value)| FieldChange { field: field.to_owned(), old: None, new: Some(value) };
    Changes::Clear(pairs.into_iter().filter(|(_, value)| !value.is_null()).map(change).collect())
}

/// An event beside the chain, which stands at the time and under the name of its action.
pub(crate) fn beside(entity_type: &str, entity_id: String, action: &str, at: Timestamp, origin: Origin, changes: Changes, outcome: Outcome) -> AuditEvent {
    AuditEvent {
        entity_type: entity_type.to_owned(),
        entity_id,
        place: Place::beside(at, action),
        change: Change::new(action, at, origin),
        changes,
        outcome,
        previous_hash: None,
        about: None,
    }
}

/// What an import's change is as an event: its beginning, what a person did with it, or its end; none in between.
pub(super) fn of_import(old: Option<&Import>, new: &Import) -> Option<AuditEvent> {
    let id = new.id.to_string();
    let Some(old) = old else {
        let origin = new.last_change.as_ref().map_or_else(|| Origin { actor: new.created_by.clone(), ..Origin::system() }, |change| change.origin.clone());
        let details = details([
            ("kind", json!(new.kind)),
            ("sourceType", json!(new.source_type)),
            ("sourcePlatform", json!(new.source_platform)),
            ("fileName", json!(new.file_name)),
            ("fileBytes", json!(new.file_bytes)),
            ("profile", json!(new.profile)),
        ]);
        return Some(beside(IMPORT, id, "import.created", new.created_at, origin, details, Outcome::Success));
    };
    let by_person = new.last_change.as_ref().filter(|change| old.last_change.as_ref() != Some(*change));
    if let Some(change) = by_person {
        let details = if new.status == ImportStatus::Cancelled { rows_of(new) } else { choices_of(old, new) };
        return Some(beside(IMPORT, id, &change.action, change.at, change.origin.clone(), details, Outcome::Success));
    }
    let at = new.finished_at.filter(|_| old.finished_at.is_none())?;
    let (action, outcome) = match new.status {
        ImportStatus::Completed | ImportStatus::CompletedWithErrors => ("import.completed", Outcome::Success),
        // Before the writing began nothing was written. Why stands in the import: it may quote the file, which is about people.
        ImportStatus::Failed if new.writing_since.is_none() => ("import.rejected", Outcome::Denied),
        ImportStatus::Failed => ("import.failed", Outcome::Failed),
        ImportStatus::Reverted => {
            let reverted = &new.reverted;
            let details = details([("removed", json!(reverted.removed)), ("restored", json!(reverted.restored)), ("kept", json!(reverted.kept))]);
            return Some(beside(IMPORT, id, "import.reverted", at, importer(new), details, Outcome::Success));
        }
        ImportStatus::AwaitingUpload
        | ImportStatus::AwaitingMapping
        | ImportStatus::Ready
        | ImportStatus::Processing
        | ImportStatus::Cancelled
        | ImportStatus::Reverting => return None,
    };
    Some(beside(IMPORT, id, action, at, importer(new), rows_of(new), outcome))
}

/// What became of an import's rows.
fn rows_of(import: &Import) -> Changes {
    let counts = &import.counts;
    details([
        ("rowsTotal", json!(import.rows_total)),
        ("rowsCreated", json!(counts.created)),
        ("rowsUpdated", json!(counts.updated)),
        ("rowsUnchanged", json!(counts.unchanged)),
        ("rowsSkipped", json!(counts.skipped)),
        ("rowsFailed", json!(counts.failed)),
    ])
}

/// What a person chose for an import, where it is another than before: the fields that its columns become, in their order, and what is done with rows that leave a
/// choice. The names of columns may quote the file, and aren't said.
fn choices_of(old: &Import, new: &Import) -> Changes {
    let fields = || json!(new.mapping.iter().map(|column| column.field.as_ref().map(ToString::to_string)).collect::<Vec<_>>());
    let (before, after) = (&old.options, &new.options);
    details([
        ("fields", if old.mapping == new.mapping { Value::Null } else { fields() }),
        ("onExisting", changed(&before.on_existing, &after.on_existing)),
        ("onDeleted", changed(&before.on_deleted, &after.on_deleted)),
        ("blankCells", changed(&before.blank_cells, &after.blank_cells)),
        ("defaultCountry", changed(&before.default_country, &after.default_country)),
        ("onInvalid", changed(&before.on_invalid, &after.on_invalid)),
        ("createTeams", changed(&before.create_teams, &after.create_teams)),
    ])
}

fn changed<T: PartialEq + Serialize>(old: &T, new: &T) -> Value {
    if old == new { Value::Null } else { json!(new) }
}

/// What a job's change is as an event: that it was asked for, or its end; none in between. What was searched for is personal, and isn't said. Why one failed is: the
/// words are our own and quote nothing.
pub(super) fn of_job(old: Option<&BulkJob>, new: &BulkJob) -> Option<AuditEvent> {
    let (id, origin) = (new.id.to_string(), new.origin.clone().with_job(new.id));
    let Some(old) = old else {
        let (assignee, team, status, from) = match new.action {
            BulkAction::Assign { assignee, team } => (assignee, team, None, None),
            BulkAction::Move { from, assignee, team } | BulkAction::Return { from, assignee, team } => (assignee, team, None, Some(from)),
            BulkAction::SetStatus { status } | BulkAction::Rekey { status } => (None, None, Some(status), None),
            BulkAction::Disband { team } => (None, Some(team), None, None),
            BulkAction::Unassign | BulkAction::Delete | BulkAction::Export | BulkAction::Rescore | BulkAction::Rewrap => (None, None, None, None),
        };
        let details =
            details([("action", json!(new.action.as_str())), ("from", json!(from)), ("assignee", json!(assignee)), ("team", json!(team)), ("status", json!(status))]);
        return Some(beside(BULK_JOB, id, "bulk_job.created", new.created_at, origin, details, Outcome::Success));
    };
    let at = new.finished_at.filter(|_| old.finished_at.is_none())?;
    let (action, outcome) = match (new.status, new.action) {
        (BulkJobStatus::Completed, BulkAction::Export) => ("data.exported", Outcome::Success),
        (BulkJobStatus::Cancelled, _) => ("bulk_job.cancelled", Outcome::Success),
        (BulkJobStatus::Failed, _) => ("bulk_job.failed", Outcome::Failed),
        _ => ("bulk_job.completed", Outcome::Success),
    };
    let details = details([
        ("action", json!(new.action.as_str())),
        ("changed", json!(new.tally.changed)),
        ("unchanged", json!(new.tally.unchanged)),
        ("failed", json!(new.tally.failed)),
        ("reason", json!(new.failure_reason)),
    ]);
    Some(beside(BULK_JOB, id, action, at, origin, details, outcome))
}

/// What an export's change is as an event: that it was asked for, or its end; none in between. Each says which events were meant, and the end of one that failed
/// why.
pub(super) fn of_export(old: Option<&AuditExport>, new: &AuditExport) -> Option<AuditEvent> {
    let (id, origin, filter) = (new.id.to_string(), new.origin.clone(), &new.filter);
    let time = |at: Option<Timestamp>| json!(at.map(|at| format!("{at:.3}")));
    let details = |events: Value, bytes: Value, reason: Value| {
        details([
            ("format", json!(new.format)),
            ("readable", json!(new.readable)),
            ("entityType", json!(filter.entity_type)),
            ("entityId", json!(filter.entity_id)),
            ("actorId", json!(filter.actor)),
            ("action", json!(filter.action)),
            ("from", time(filter.from)),
            ("to", time(filter.to)),
            ("events", events),
            ("bytes", bytes),
            ("reason", reason),
        ])
    };
    let Some(old) = old else {
        let details = details(Value::Null, Value::Null, Value::Null);
        return Some(beside(AUDIT_EXPORT, id, "audit_export.created", new.created_at, origin, details, Outcome::Success));
    };
    let at = new.finished_at.filter(|_| old.finished_at.is_none())?;
    let (action, outcome) = match new.status {
        BulkJobStatus::Cancelled => ("audit_export.cancelled", Outcome::Success),
        BulkJobStatus::Failed => ("audit_export.failed", Outcome::Failed),
        _ => ("data.exported", Outcome::Success),
    };
    let details = details(json!(new.events), json!(new.bytes), json!(new.failure_reason));
    Some(beside(AUDIT_EXPORT, id, action, at, origin, details, outcome))
}

/// The import itself as the one who acts, for the event of a chunk.
pub(super) fn importer(import: &Import) -> Origin {
    Origin::import(import.id, &import.file_name)
}
