//! One audit event and its place in the hash chain of its record.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::form::Form;
use super::{FieldChange, Place};
use crate::change::Change;

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
    /// It went wrong.
    Failed,
}

/// What changed: in the clear, or sealed under the contact's key when it is about a person.
#[derive(Debug, Clone, PartialEq)]
pub enum Changes {
    /// Readable by all who may see the event.
    Clear(Vec<FieldChange>),
    /// The JSON of the changes, sealed for purpose [`Changes::purpose`].
    Sealed(Vec<u8>),
}

impl Changes {
    /// The purpose under which the changes of one version are sealed.
    #[must_use]
    pub fn purpose(version: u32) -> String {
        format!("audit {version}")
    }

    /// The same of a note, which is sealed under its contact's key too.
    #[must_use]
    pub fn purpose_of_note(note: &str, version: u32) -> String {
        format!("note {note} audit {version}")
    }
}

/// One recorded change of one record, or something done to it that changed nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// The kind of record.
    pub entity_type: String,
    /// The record's id in its short form.
    pub entity_id: String,
    /// Its place: of a change the record's version after it.
    pub place: Place,
    /// Who, what, when and through what.
    pub change: Change,
    /// What changed; beside the chain what else is to be said of it, as new values.
    pub changes: Changes,
    /// How it ended.
    pub outcome: Outcome,
    /// The hash of the event before it in the record's chain; none for the first, and beside the chain.
    pub previous_hash: Option<String>,
    /// The contact under whose key the changes are sealed, when that isn't the record itself.
    pub about: Option<String>,
}

impl AuditEvent {
    /// The record's version after the change; none beside the chain.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        self.place.version()
    }

    /// What the hash is made of: JSON without white space, its names in order, binary values in base64, sealed values as they are sealed, so that erasing a key
    /// leaves the chain verifiable. See `docs/audit.md`.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json::to_string(&Form::of(self)).unwrap_or_default()
    }

    /// SHA-256 of the canonical form in lower-case hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        hash_of(&self.canonical())
    }
}

/// SHA-256 of a canonical form in lower-case hexadecimal.
#[must_use]
pub fn hash_of(canonical: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Origin;
    use jiff::Timestamp;

    fn event() -> AuditEvent {
        AuditEvent {
            entity_type: "contact".to_owned(),
            entity_id: "0123456789abcdefghijklmnop".to_owned(),
            place: Place::Version(2),
            change: Change::new("contact.updated", Timestamp::UNIX_EPOCH, Origin::system()),
            changes: Changes::Sealed(vec![1, 2, 3]),
            outcome: Outcome::Success,
            previous_hash: Some("00".to_owned()),
            about: None,
        }
    }

    #[test]
    fn the_hash_covers_every_part_of_the_event() {
        let original = event();
        let edits: [fn(&mut AuditEvent); 16] = [
            |event| event.entity_type.push('x'),
            |event| event.entity_id.push('x'),
            |event| event.place = Place::Version(3),
            |event| event.place = Place::beside(Timestamp::UNIX_EPOCH, "x"),
            |event| event.change.action.push('x'),
            |event| event.change.at = Timestamp::from_millisecond(1).unwrap(),
            |event| event.change.origin.actor.name.push('x'),
            |event| event.change.origin.actor.roles.push("admin".to_owned()),
            |event| event.change.origin.request_id = Some("x".to_owned()),
            |event| event.change.origin.ip_address = Some("192.0.2.1".to_owned()),
            |event| event.change.origin.job = Some(crate::ids::BulkJobId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            |event| event.change.reason = Some("x".to_owned()),
            |event| event.changes = Changes::Sealed(vec![1, 2, 4]),
            |event| event.outcome = Outcome::Failed,
            |event| event.previous_hash = None,
            |event| event.about = Some("x".to_owned()),
        ];
        for edit in edits {
            let mut edited = original.clone();
            edit(&mut edited);
            assert_ne!(edited.hash(), original.hash());
        }
        assert_eq!(original.hash(), event().hash());
    }

    #[test]
    fn the_form_is_what_it_was_when_the_first_events_were_recorded() {
        let mut first = event();
        assert_eq!(
            first.canonical(),
            r#"{"action":"contact.updated","actorEmail":null,"actorId":null,"actorKind":"SYSTEM","actorName":"Switchboard","actorRoles":[],"at":0,"changes":"AQID","entityId":"0123456789abcdefghijklmnop","entityType":"contact","importId":null,"ipAddress":null,"outcome":"SUCCESS","previousHash":"00","requestId":null,"userAgent":null,"version":2}"#
        );
        let change = FieldChange { field: "windows.x".to_owned(), old: Some(serde_json::json!({ "b": 1, "a": "é" })), new: Some(serde_json::json!(null)) };
        first.changes = Changes::Clear(vec![change]);
        assert!(first.canonical().contains(r#""changes":[{"field":"windows.x","new":null,"old":{"a":"é","b":1}}]"#));
    }

    #[test]
    fn an_event_reads_back_from_its_form() {
        let mut events = vec![event()];
        events.push(AuditEvent { place: Place::beside(Timestamp::UNIX_EPOCH, "x"), previous_hash: None, about: Some("c".to_owned()), ..event() });
        let change = FieldChange { field: "city".to_owned(), old: None, new: Some(serde_json::json!("Laval \"x\" \u{1F600}")) };
        events.push(AuditEvent { changes: Changes::Clear(vec![change]), ..event() });
        events[2].change.origin.request_id = Some("r\n1".to_owned());
        events[2].change.reason = Some("because".to_owned());
        for event in events {
            assert_eq!(AuditEvent::from_canonical(&event.canonical()).unwrap(), event);
        }
    }
}
