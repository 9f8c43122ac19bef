//! A person to call, identified by phone.

mod attributes;
mod draft;
mod filter;
mod merge;
mod patch;
mod revert;

pub use attributes::{AttributeValue, Attributes, MAX_ATTRIBUTE_BYTES, MAX_ATTRIBUTES, is_sealed, is_sensitive, validate_name, validate_value};
pub(crate) use draft::country;
pub use draft::{ContactDraft, ContactInput, Defaults, OnInvalid, ValidatedDraft, Warning};
pub use filter::{ContactFilter, Owners};
pub use merge::{MAX_MERGED, MergeField, Unmerge, merge};
pub use patch::{ContactPatch, Given};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::{AgentId, BulkJobId, ContactId, StatusId, TeamId};
use crate::scoring::Score;
use crate::time_zone;

/// Most further numbers a contact can have.
pub const MAX_ALTERNATE_PHONES: usize = 5;

/// Where a contact's time zone comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeZoneSource {
    /// Somebody gave it.
    Given,
    /// Where the postal code lies.
    PostalCode,
    /// Where numbers of this area code were given out.
    AreaCode,
    /// The tenant's own, because nothing closer is known.
    Tenant,
}

/// A contact's time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactTimeZone {
    /// IANA name.
    pub name: String,
    /// Where it comes from.
    pub source: TimeZoneSource,
}

impl ContactTimeZone {
    /// The zone of who has this postal code and number: by the code, else by the number's area, else the tenant's.
    #[must_use]
    pub fn derived(country: Option<&str>, postal_code: Option<&str>, e164: &str, defaults: &Defaults) -> Self {
        let by_code = country.zip(postal_code).and_then(|(country, code)| time_zone::of_postal_code(country, code));
        let found = by_code.map(|name| (name, TimeZoneSource::PostalCode)).or_else(|| Some((time_zone::of_phone(e164)?, TimeZoneSource::AreaCode)));
        match found {
            Some((name, source)) => Self { name: name.to_owned(), source },
            None => Self { name: defaults.time_zone.clone(), source: TimeZoneSource::Tenant },
        }
    }
}

/// What a contact says, beside who wrote it and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    #[serde(default, with = "crate::clock::millis::option")]
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
    /// The contact it was merged into; it is deleted then.
    pub merged_into: Option<ContactId>,
    /// What is needed to undo that.
    pub unmerge: Option<Box<Unmerge>>,
    /// The contacts that were merged into it, and into those, at most [`MAX_MERGED`]; technical.
    pub merged: Vec<ContactId>,
    /// Its number stands on the suppression list; technical, because the list has its own record.
    pub suppressed: bool,
    /// How promising it is; technical. None only for one that was made before there were scores.
    pub score: Option<Score>,
    /// The last jobs that wrote it, newest first, at most [`MAX_JOB_MARKS`]; technical.
    pub job_marks: Vec<BulkJobId>,
    /// The last imports that wrote it, newest first, at most [`MAX_IMPORT_MARKS`]; technical.
    pub import_marks: Vec<ImportMark>,
}

/// Most jobs a contact remembers.
pub const MAX_JOB_MARKS: usize = 4;

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
    /// The version that it made; none for a new contact, whose first it is.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
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
    /// A contact that this change creates.
    #[must_use]
    pub fn created(id: ContactId, details: ContactDetails, change: crate::change::Change) -> Self {
        Self {
            id,
            record: Revisioned::created(change),
            details,
            deleted_at: None,
            merged_into: None,
            unmerge: None,
            merged: Vec::new(),
            suppressed: false,
            score: None,
            import_marks: Vec::new(),
            job_marks: Vec::new(),
        }
    }

    /// The same contact with one more job among those it remembers.
    #[must_use]
    pub fn with_job_mark(mut self, job: BulkJobId) -> Self {
        self.job_marks.retain(|mark| *mark != job);
        self.job_marks.insert(0, job);
        self.job_marks.truncate(MAX_JOB_MARKS);
        self
    }

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
        if let Some(winner) = &self.merged_into {
            fields.insert("mergedInto".to_owned(), json!(winner));
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
        let mark = |seed: u8, row| ImportMark { import: ImportId::new(Timestamp::UNIX_EPOCH, &[seed; 10]), row, written: RowWrite::Updated, version: Some(2) };
        let change = Change::new("contact.created", Timestamp::UNIX_EPOCH, Origin::system());
        let mut contact = Contact::created(ContactId::from_hash(&[0; 32]), draft::tests::details(), change);
        for seed in 1..=6 {
            contact.import_marks = contact.marks_with(mark(seed, 1));
        }
        contact.import_marks = contact.marks_with(mark(6, 2));
        assert_eq!(contact.import_marks, [mark(6, 2), mark(5, 1), mark(4, 1), mark(3, 1)]);
    }
}
