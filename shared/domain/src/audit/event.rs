//! One audit event and its place in the hash chain of its record.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::FieldChange;
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

/// One recorded change of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// The kind of record.
    pub entity_type: String,
    /// The record's id in its short form.
    pub entity_id: String,
    /// The record's version after the change.
    pub version: u32,
    /// Who, what, when and through what.
    pub change: Change,
    /// What changed.
    pub changes: Changes,
    /// How it ended.
    pub outcome: Outcome,
    /// The hash of the event before it in the record's chain; none for the first.
    pub previous_hash: Option<String>,
}

impl AuditEvent {
    /// SHA-256 of the canonical form in lower-case hexadecimal. The form is JSON without white space, its names in order, binary values
    /// in base64, sealed values as they are sealed: erasing a key leaves the chain verifiable. See `docs/audit.md`.
    #[must_use]
    pub fn hash(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.canonical()))
    }

    fn canonical(&self) -> Vec<u8> {
        let origin = &self.change.origin;
        let changes = match &self.changes {
            Changes::Clear(changes) => json!(changes),
            Changes::Sealed(sealed) => json!(BASE64.encode(sealed)),
        };
        let mut form: BTreeMap<&str, Value> = BTreeMap::from([
            ("action", json!(self.change.action)),
            ("actorEmail", json!(origin.actor.email.as_ref().map(|email| BASE64.encode(email)))),
            ("actorId", json!(origin.actor.id)),
            ("actorKind", json!(origin.actor.kind)),
            ("actorName", json!(origin.actor.name)),
            ("actorRoles", json!(origin.actor.roles)),
            ("at", json!(self.change.at.as_millisecond())),
            ("changes", changes),
            ("entityId", json!(self.entity_id)),
            ("entityType", json!(self.entity_type)),
            ("importId", json!(origin.import_id())),
            ("ipAddress", json!(origin.ip_address)),
            ("outcome", json!(self.outcome)),
            ("previousHash", json!(self.previous_hash)),
            ("requestId", json!(origin.request_id)),
            ("userAgent", json!(origin.user_agent)),
            ("version", json!(self.version)),
        ]);
        // Younger than the first events: absent rather than null, so that those keep their hashes.
        if let Some(job) = origin.job {
            form.insert("job", json!(job));
        }
        if let Some(reason) = &self.change.reason {
            form.insert("reason", json!(reason));
        }
        serde_json::to_vec(&form).unwrap_or_default()
    }
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
            version: 2,
            change: Change::new("contact.updated", Timestamp::UNIX_EPOCH, Origin::system()),
            changes: Changes::Sealed(vec![1, 2, 3]),
            outcome: Outcome::Success,
            previous_hash: Some("00".to_owned()),
        }
    }

    #[test]
    fn the_hash_covers_every_part_of_the_event() {
        let original = event();
        let edits: [fn(&mut AuditEvent); 14] = [
            |event| event.entity_type.push('x'),
            |event| event.entity_id.push('x'),
            |event| event.version += 1,
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
        ];
        for edit in edits {
            let mut edited = original.clone();
            edit(&mut edited);
            assert_ne!(edited.hash(), original.hash());
        }
        assert_eq!(original.hash(), event().hash());
    }
}
