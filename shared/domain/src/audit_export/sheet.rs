//! The table of an export for spreadsheets: a row for each field that an event changed, and one for an event that changed none.
//!
//! It is written as exports of contacts are: UTF-8 with a byte order mark, lines ended as RFC 4180 has it, and no cell that a spreadsheet would run.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use crate::actor::ActorKind;
use crate::audit::{AuditEvent, FieldChange, Outcome, Severity, severity};
use crate::imports::{BYTE_ORDER_MARK, harmless_cell, sheet_writer};

const COLUMNS: [&str; 26] = [
    "at",
    "recordedAt",
    "action",
    "entityType",
    "entityId",
    "version",
    "actorType",
    "actorId",
    "actorName",
    "actorEmail",
    "actorRoles",
    "outcome",
    "severity",
    "field",
    "old",
    "new",
    "reason",
    "requestId",
    "ipAddress",
    "userAgent",
    "importId",
    "jobId",
    "about",
    "place",
    "hash",
    "previousHash",
];

/// What stands for the field where changes are sealed: no field is called so.
const SEALED: &str = "(sealed)";

/// An event as the table shows it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The event.
    pub event: &'a AuditEvent,
    /// Its hash as it was recorded.
    pub hash: &'a str,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Its changes; none where they stay sealed.
    pub changes: Option<&'a [FieldChange]>,
    /// The actor's e-mail address; none where there is none, or it stays sealed.
    pub email: Option<&'a str>,
}

/// Writes the beginning of the file: the mark and the names of the columns.
///
/// # Errors
/// None in practice: the writer's own, and memory has none.
pub fn write_header(out: &mut Vec<u8>) -> Result<(), csv::Error> {
    out.extend_from_slice(BYTE_ORDER_MARK);
    let mut writer = sheet_writer(out);
    writer.write_record(COLUMNS)?;
    Ok(writer.flush()?)
}

/// Writes the rows of events.
///
/// # Errors
/// As [`write_header`].
pub fn write_rows<'a>(events: impl IntoIterator<Item = Shown<'a>>, out: &mut Vec<u8>) -> Result<(), csv::Error> {
    let mut writer = sheet_writer(out);
    for shown in events {
        let [before, after] = around(&shown);
        for change in changes(&shown) {
            for cell in before.iter().chain(&change).chain(&after) {
                writer.write_field(harmless_cell(cell).as_bytes())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
    }
    Ok(writer.flush()?)
}

/// The cells of field, old and new value, of each row.
fn changes<'a>(shown: &Shown<'a>) -> Vec<[Cow<'a, str>; 3]> {
    let nothing = Cow::Borrowed("");
    match shown.changes {
        None => vec![[Cow::Borrowed(SEALED), nothing.clone(), nothing]],
        Some([]) => vec![[nothing.clone(), nothing.clone(), nothing]],
        Some(changes) => changes.iter().map(|change| [Cow::Borrowed(change.field.as_str()), value(change.old.as_ref()), value(change.new.as_ref())]).collect(),
    }
}

/// A value as a person reads it: texts as they are, all else as JSON.
fn value(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None | Some(Value::Null) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(other) => Cow::Owned(other.to_string()),
    }
}

/// The cells on both sides of the change, the same in each row of an event.
fn around<'a>(shown: &Shown<'a>) -> [Vec<Cow<'a, str>>; 2] {
    let event = shown.event;
    let (change, origin, actor) = (&event.change, &event.change.origin, &event.change.origin.actor);
    let optional = |text: &'a Option<String>| -> Cow<'a, str> { Cow::Borrowed(text.as_deref().unwrap_or_default()) };
    let written = |value: Option<String>| -> Cow<'a, str> { Cow::Owned(value.unwrap_or_default()) };
    let before = vec![
        time(change.at),
        time(shown.recorded_at),
        Cow::Borrowed(change.action.as_str()),
        Cow::Borrowed(event.entity_type.as_str()),
        Cow::Borrowed(event.entity_id.as_str()),
        written(event.version().map(|version| version.to_string())),
        Cow::Borrowed(kind(actor.kind)),
        optional(&actor.id),
        Cow::Borrowed(actor.name.as_str()),
        Cow::Borrowed(shown.email.unwrap_or_default()),
        Cow::Owned(actor.roles.join(" ")),
        Cow::Borrowed(outcome(event.outcome)),
        Cow::Borrowed(weight(severity(&change.action, event.outcome))),
    ];
    let after = vec![
        optional(&change.reason),
        optional(&origin.request_id),
        optional(&origin.ip_address),
        optional(&origin.user_agent),
        written(origin.import_id().map(|id| id.to_string())),
        written(origin.job.map(|id| id.to_string())),
        optional(&event.about),
        written(event.version().is_none().then(|| event.place.sort_key())),
        Cow::Borrowed(shown.hash),
        optional(&event.previous_hash),
    ];
    [before, after]
}

/// As the API writes times.
fn time(at: Timestamp) -> Cow<'static, str> {
    Cow::Owned(format!("{at:.3}"))
}

fn kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::User => "USER",
        ActorKind::System => "SYSTEM",
        ActorKind::Import => "IMPORT",
        ActorKind::ApiKey => "API_KEY",
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "SUCCESS",
        Outcome::Denied => "DENIED",
        Outcome::Failed => "FAILED",
    }
}

fn weight(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "INFO",
        Severity::Notice => "NOTICE",
        Severity::Warning => "WARNING",
        Severity::Critical => "CRITICAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Changes, Place};
    use crate::change::{Change, Origin};
    use proptest::prelude::*;
    use serde_json::json;

    fn event(changes: Vec<FieldChange>) -> AuditEvent {
        AuditEvent {
            entity_type: "contact".to_owned(),
            entity_id: "c".to_owned(),
            place: Place::Version(2),
            change: Change::new("contact.updated", Timestamp::UNIX_EPOCH, Origin::system()),
            changes: Changes::Clear(changes),
            outcome: Outcome::Success,
            previous_hash: Some("aa".to_owned()),
            about: None,
        }
    }

    fn change(field: &str, old: Option<Value>, new: Option<Value>) -> FieldChange {
        FieldChange { field: field.to_owned(), old, new }
    }

    /// The rows that a file of these events has, the header left out.
    fn rows(event: &AuditEvent, changes: Option<&[FieldChange]>) -> Vec<Vec<String>> {
        let mut file = Vec::new();
        write_header(&mut file).unwrap();
        write_rows([Shown { event, hash: "bb", recorded_at: Timestamp::UNIX_EPOCH, changes, email: Some("ada@example.com") }], &mut file).unwrap();
        let rows = csv::ReaderBuilder::new().from_reader(&file[BYTE_ORDER_MARK.len()..]).into_records();
        rows.map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_field_that_changed_has_a_row() {
        let changes =
            [change("city", Some(json!("Laval")), None), change("doNotCall", Some(json!(false)), Some(json!(true))), change("name", None, Some(json!("Zoé, \"Zo\"")))];
        let event = event(changes.to_vec());
        let rows = rows(&event, Some(&changes));
        let cells: Vec<[&str; 3]> = rows.iter().map(|row| [row[13].as_str(), row[14].as_str(), row[15].as_str()]).collect();
        assert_eq!(cells, [["city", "Laval", ""], ["doNotCall", "false", "true"], ["name", "", "Zoé, \"Zo\""]]);
        for row in &rows {
            assert_eq!((row[0].as_str(), row[5].as_str(), row[9].as_str(), row[12].as_str()), ("1970-01-01T00:00:00.000Z", "2", "ada@example.com", "INFO"));
            assert_eq!((row[23].as_str(), row[24].as_str(), row[25].as_str()), ("", "bb", "aa"));
        }
    }

    #[test]
    fn an_event_without_changes_has_a_row_and_so_has_one_that_stays_sealed() {
        let event = event(Vec::new());
        let fields = |changes: Option<&[FieldChange]>| rows(&event, changes).into_iter().map(|row| row[13].clone()).collect::<Vec<_>>();
        assert_eq!((fields(Some(&[])), fields(None)), (vec![String::new()], vec!["(sealed)".to_owned()]));
    }

    proptest! {
        #[test]
        fn no_cell_is_run_and_every_text_comes_back(text in "['=+@\\-\t\r]{0,3}[a-zé,;\" \n]{0,6}") {
            let changes = [change(&text, Some(json!(text)), Some(json!(text)))];
            let mut event = event(changes.to_vec());
            event.change.origin.user_agent = Some(text.clone());
            event.change.origin.actor.name.clone_from(&text);
            for row in rows(&event, Some(&changes)) {
                for cell in &row {
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
                }
                for place in [8, 13, 14, 15, 19] {
                    prop_assert_eq!(&row[place], &*harmless_cell(&text));
                }
            }
        }
    }
}
