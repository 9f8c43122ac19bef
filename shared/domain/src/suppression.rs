//! The suppression list: numbers that must not be called, kept as keyed hashes, whatever becomes of their contacts.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::{Change, Revisioned};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::{ContactId, SuppressionId};
use crate::sealing::TenantKeyring;
use crate::text;

/// Longest reason, in characters.
pub const REASON_LENGTH: usize = 1_000;
/// Longest source, in characters.
pub const SOURCE_LENGTH: usize = text::PLACE_LENGTH;
/// The source of an entry that somebody made without saying where it comes from.
pub const MANUAL: &str = "manual";

/// An entry of the list. It is never removed: one that is taken off stays and says so, and one number has one entry for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The keyed hash of the number.
    pub id: SuppressionId,
    /// The place of the number among contacts, which is a keyed hash of another kind: it finds whose number it is, which `id` can't. Technical.
    pub slot: ContactId,
    /// What all records have.
    pub record: Revisioned,
    /// Why it is on the list. It never holds personal data of a contact.
    pub reason: Option<String>,
    /// Where the entry comes from.
    pub source: String,
    /// Since when the number has been on the list that it comes from, such as a national one; none when that isn't known.
    pub listed_at: Option<Date>,
    /// Set when it was taken off.
    pub removed_at: Option<Timestamp>,
}

/// The entry of a number.
#[must_use]
pub fn id_of(keyring: &TenantKeyring, e164: &str) -> SuppressionId {
    SuppressionId::from_hash(&keyring.keyed_hash("suppression", e164))
}

impl Suppression {
    /// A number that this change puts on the list for the first time.
    #[must_use]
    pub fn added(id: SuppressionId, slot: ContactId, reason: Option<String>, source: String, change: Change) -> Self {
        Self { id, slot, record: Revisioned::created(with_reason(change, reason.as_ref())), reason, source, listed_at: None, removed_at: None }
    }

    /// The same number, which this change puts on the list again.
    #[must_use]
    pub fn added_again(&self, reason: Option<String>, source: String, change: Change) -> Self {
        Self { record: self.record.changed(with_reason(change, reason.as_ref())), reason, source, listed_at: None, removed_at: None, ..self.clone() }
    }

    /// The same number, on the list as before, of which this change says something else.
    #[must_use]
    pub fn described(&self, reason: Option<String>, source: String, change: Change) -> Self {
        Self { record: self.record.changed(with_reason(change, reason.as_ref())), reason, source, ..self.clone() }
    }

    /// The same entry, on the list that it comes from since this day.
    #[must_use]
    pub fn listed_since(self, listed_at: Option<Date>) -> Self {
        Self { listed_at, ..self }
    }

    /// The same number, which this change takes off the list. Why it was on it stays.
    ///
    /// # Errors
    /// `CONFLICT` for `field` when it was taken off before.
    pub fn removed(&self, field: &str, reason: String, change: Change) -> Result<Self, FieldError> {
        if !self.is_in_force() {
            let message = "This number was taken off the suppression list before. Nothing is left to do.";
            return Err(FieldError::new(field, FieldErrorCode::Conflict, message));
        }
        Ok(Self { removed_at: Some(change.at), record: self.record.changed(change.because(reason)), ..self.clone() })
    }

    /// Whether the number must not be called.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.removed_at.is_none()
    }
}

/// The reason goes into the audit trail with the change itself, too: the entry's own is overwritten by the next.
fn with_reason(change: Change, reason: Option<&String>) -> Change {
    match reason {
        None => change,
        Some(reason) => change.because(reason),
    }
}

/// Checks a reason and trims it; none when nothing is left.
///
/// # Errors
/// `TOO_LONG` beyond 1,000 characters, `INVALID` for control characters other than line breaks and tabs.
pub fn reason(field: &str, given: &str) -> Result<Option<String>, FieldError> {
    let trimmed = given.trim();
    if trimmed.is_empty() {
        return Ok(None);
    }
    if trimmed.chars().count() > REASON_LENGTH {
        return Err(FieldError::new(field, FieldErrorCode::TooLong, format!("{field} is longer than 1,000 characters. Shorten it.")));
    }
    if trimmed.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} contains control characters. Remove them.")));
    }
    Ok(Some(trimmed.to_owned()))
}

/// Checks a reason without which a number isn't taken off the list.
///
/// # Errors
/// `BLANK`, and as [`reason`].
pub fn required_reason(field: &str, given: &str) -> Result<String, FieldError> {
    reason(field, given)?.ok_or_else(|| FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. Say why the number may be called again.")))
}

/// Checks where an entry comes from; [`MANUAL`] when nothing is said.
///
/// # Errors
/// `TOO_LONG` beyond 100 characters, `INVALID` for control characters.
pub fn source(field: &str, given: Option<&str>) -> Result<String, FieldError> {
    let source = given.map(|given| text::line(field, given, SOURCE_LENGTH)).transpose()?.flatten();
    Ok(source.unwrap_or_else(|| MANUAL.to_owned()))
}

impl Audited for Suppression {
    const ENTITY_TYPE: &'static str = "suppression";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::from([("source".to_owned(), json!(self.source))]);
        if let Some(reason) = &self.reason {
            fields.insert("reason".to_owned(), json!(reason));
        }
        if let Some(day) = self.listed_at {
            fields.insert("listedAt".to_owned(), json!(day));
        }
        if let Some(at) = self.removed_at {
            fields.insert("removedAt".to_owned(), json!(format!("{at:.3}")));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Origin;
    use crate::clock::Entropy;
    use crate::ids::TenantId;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn change(action: &str) -> Change {
        Change::new(action, Timestamp::UNIX_EPOCH, Origin::system())
    }

    fn added() -> Suppression {
        let (id, slot) = (SuppressionId::from_hash(&[1; 32]), ContactId::from_hash(&[2; 32]));
        Suppression::added(id, slot, Some("asked by post".to_owned()), MANUAL.to_owned(), change("suppression.added"))
    }

    #[test]
    fn a_reason_is_neither_endless_nor_made_of_control_characters() {
        for (text, code) in [(&*"é".repeat(1_001), FieldErrorCode::TooLong), ("a\u{0}b", FieldErrorCode::Invalid)] {
            assert_eq!(reason("reason", text).unwrap_err().code, code);
            assert_eq!(required_reason("reason", text).unwrap_err().code, code);
        }
        assert_eq!(required_reason("reason", " \n ").unwrap_err().code, FieldErrorCode::Blank);
        assert_eq!(reason("reason", " \n "), Ok(None));
        assert_eq!(reason("reason", " two\nlines ").unwrap().as_deref(), Some("two\nlines"));
        assert_eq!(reason("reason", &"é".repeat(1_000)).unwrap().map(|text| text.chars().count()), Some(1_000));
    }

    #[test]
    fn a_source_is_one_short_line_and_manual_when_nothing_is_said() {
        assert_eq!(source("source", Some(&"x".repeat(101))).unwrap_err().code, FieldErrorCode::TooLong);
        assert_eq!(source("source", Some("a\nb")).unwrap_err().code, FieldErrorCode::Invalid);
        for nothing in [None, Some(""), Some("  ")] {
            assert_eq!(source("source", nothing).unwrap(), MANUAL);
        }
        assert_eq!(source("source", Some(" dncl ")).unwrap(), "dncl");
    }

    #[test]
    fn what_was_taken_off_can_not_be_taken_off_again() {
        let removed = added().removed("phone", "a mistake".to_owned(), change("suppression.removed")).unwrap();
        let error = removed.removed("phone", "again".to_owned(), change("suppression.removed")).unwrap_err();
        assert_eq!((error.field.as_str(), error.code), ("phone", FieldErrorCode::Conflict));
    }

    #[test]
    fn an_entry_goes_off_and_on_the_list_and_each_time_says_why() {
        let added = added();
        assert_eq!((added.record.version, added.is_in_force(), added.record.last_change.reason.as_deref()), (1, true, Some("asked by post")));
        let removed = added.removed("id", "a mistake".to_owned(), change("suppression.removed")).unwrap();
        assert_eq!((removed.record.version, removed.is_in_force(), removed.record.last_change.reason.as_deref()), (2, false, Some("a mistake")));
        assert_eq!((removed.reason.as_deref(), removed.audit_fields()["removedAt"].as_str()), (Some("asked by post"), Some("1970-01-01T00:00:00.000Z")));
        let again = removed.added_again(None, "dncl".to_owned(), change("suppression.added"));
        assert_eq!((again.record.version, again.is_in_force(), again.record.last_change.reason.as_deref()), (3, true, None));
        assert_eq!((again.reason.as_deref(), again.source.as_str(), &again.slot), (None, "dncl", &added.slot));
    }

    #[test]
    fn since_when_a_number_is_listed_is_said_of_one_listing_and_not_of_the_next() {
        let day = jiff::civil::date(2026, 11, 2);
        let listed = added().listed_since(Some(day));
        assert_eq!((listed.audit_fields()["listedAt"].as_str(), added().audit_fields().get("listedAt")), (Some("2026-11-02"), None));
        let described = listed.described(None, "dncl".to_owned(), change("suppression.updated"));
        assert_eq!((described.listed_at, described.source.as_str(), described.reason.as_deref()), (Some(day), "dncl", None));
        assert_eq!((described.record.version, described.is_in_force()), (2, true));
        let removed = described.removed("id", "a mistake".to_owned(), change("suppression.removed")).unwrap();
        assert_eq!((removed.listed_at, removed.added_again(None, "dncl".to_owned(), change("suppression.added")).listed_at), (Some(day), None));
    }

    #[test]
    fn the_entry_of_a_number_is_not_its_place_among_contacts_and_not_another_tenants() {
        let keyring = |seed: u8| TenantKeyring::generate(TenantId::new(Timestamp::UNIX_EPOCH, &[seed; 10]), &Fixed(seed));
        let id = id_of(&keyring(1), "+15145550123");
        assert_eq!(id, id_of(&keyring(1), "+15145550123"));
        assert_ne!(id.as_str(), keyring(1).slot("+15145550123").as_str());
        assert_ne!(id, id_of(&keyring(2), "+15145550123"));
        assert_ne!(id, id_of(&keyring(1), "+15145550124"));
    }
}
