//! A person to call, identified by phone.

mod attributes;
mod draft;

pub use attributes::{AttributeValue, Attributes, MAX_ATTRIBUTES, is_sealed, is_sensitive, validate_name, validate_value};
pub use draft::{ContactDraft, ContactInput, Defaults, OnInvalid, ValidatedDraft, Warning};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::{AgentId, ContactId, StatusId, TeamId};

/// Most further numbers a contact can have.
pub const MAX_ALTERNATE_PHONES: usize = 5;

/// Where a contact's time zone comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeZoneSource {
    /// Somebody gave it.
    Given,
    /// The tenant's own, because nothing closer is known.
    Tenant,
}

/// A contact's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactTimeZone {
    /// IANA name.
    pub name: String,
    /// Where it comes from.
    pub source: TimeZoneSource,
}

/// What a contact says, beside who wrote it and when.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactDetails {
    /// E.164; the identity.
    pub phone: String,
    /// Digits of the extension.
    pub phone_extension: Option<String>,
    /// Further numbers, E.164, at most [`MAX_ALTERNATE_PHONES`].
    pub alternate_phones: Vec<String>,
    /// The person's or company's name.
    pub name: Option<String>,
    /// Lower-case e-mail address.
    pub email: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Province, state, department.
    pub region: Option<String>,
    /// Tidied postal code.
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Where it is what time for the contact.
    pub time_zone: ContactTimeZone,
    /// Where the contact came from, in the tenant's words.
    pub source: Option<String>,
    /// The tenant's own columns.
    pub attributes: Attributes,
    /// The status.
    pub status: StatusId,
    /// The agent whose contact it is.
    pub assignee: Option<AgentId>,
    /// The team in whose pool it is.
    pub team: Option<TeamId>,
    /// When to call next.
    pub next_contact_at: Option<Timestamp>,
}

/// A contact's record.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// The slot of its first number.
    pub id: ContactId,
    /// What all records have.
    pub record: Revisioned,
    /// What it says.
    pub details: ContactDetails,
    /// Set when it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// The last imports that wrote it, newest first, at most [`MAX_IMPORT_MARKS`]; technical.
    pub import_marks: Vec<ImportMark>,
}

/// Most imports a contact remembers.
pub const MAX_IMPORT_MARKS: usize = 4;

/// What one row of an import did to a contact: so that a chunk delivered again finds its own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportMark {
    /// The import.
    #[serde(rename = "i")]
    pub import: crate::ids::ImportId,
    /// The row's number in the file, from 1 for the first row after the header.
    #[serde(rename = "r")]
    pub row: u64,
    /// What was done.
    #[serde(rename = "o")]
    pub written: RowWrite,
}

/// What a row wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowWrite {
    /// A new contact.
    #[serde(rename = "c")]
    Created,
    /// New values.
    #[serde(rename = "u")]
    Updated,
}

impl Contact {
    /// The marks with one more in front, the oldest ones beyond [`MAX_IMPORT_MARKS`] dropped.
    #[must_use]
    pub fn marks_with(&self, mark: ImportMark) -> Vec<ImportMark> {
        std::iter::once(mark).chain(self.import_marks.iter().filter(|old| old.import != mark.import).copied()).take(MAX_IMPORT_MARKS).collect()
    }
}

impl ContactDetails {
    /// Every field by its name in the API, what is empty left out.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        let mut put = |name: &str, value: serde_json::Value| {
            if !value.is_null() {
                fields.insert(name.to_owned(), value);
            }
        };
        put("phone", json!(self.phone));
        put("phoneExtension", json!(self.phone_extension));
        if !self.alternate_phones.is_empty() {
            put("alternatePhones", json!(self.alternate_phones));
        }
        put("name", json!(self.name));
        put("email", json!(self.email));
        put("address", json!(self.address));
        put("city", json!(self.city));
        put("region", json!(self.region));
        put("postalCode", json!(self.postal_code));
        put("country", json!(self.country));
        put("timeZone", json!(self.time_zone.name));
        put("source", json!(self.source));
        put("status", json!(self.status));
        put("assignee", json!(self.assignee));
        put("team", json!(self.team));
        put("nextContactAt", json!(self.next_contact_at.map(|at| format!("{at:.3}"))));
        for (name, value) in &self.attributes {
            put(&format!("attributes.{name}"), json!(value));
        }
        fields
    }
}

impl Audited for Contact {
    const ENTITY_TYPE: &'static str = "contact";

    fn audit_fields(&self) -> Fields {
        let mut fields = self.details.fields();
        if let Some(at) = self.deleted_at {
            fields.insert("deletedAt".to_owned(), json!(format!("{at:.3}")));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Change, Origin};
    use crate::ids::ImportId;

    #[test]
    fn a_contact_remembers_its_last_four_imports_and_each_once() {
        let mark = |seed: u8, row| ImportMark { import: ImportId::new(Timestamp::UNIX_EPOCH, &[seed; 10]), row, written: RowWrite::Updated };
        let mut contact = Contact {
            id: ContactId::from_hash(&[0; 32]),
            record: Revisioned::created(Change::new("contact.created", Timestamp::UNIX_EPOCH, Origin::system())),
            details: draft::tests::details(),
            deleted_at: None,
            import_marks: Vec::new(),
        };
        for seed in 1..=6 {
            contact.import_marks = contact.marks_with(mark(seed, 1));
        }
        contact.import_marks = contact.marks_with(mark(6, 2));
        assert_eq!(contact.import_marks, [mark(6, 2), mark(5, 1), mark(4, 1), mark(3, 1)]);
    }
}
