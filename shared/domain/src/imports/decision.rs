//! What a row does to the contact at its number, which may not exist.

use jiff::Timestamp;

use super::Import;
use crate::contact::{AttributeValue, Attributes, Contact, ContactDetails, ContactDraft, Defaults, ImportMark, RowWrite};
use crate::field_error::FieldError;
use crate::ids::StatusId;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum RowDecision {
    /// Write a new contact.
    Create(ContactDetails),
    /// Write the contact with these details.
    Update(ContactDetails),
    /// The contact already says this.
    Unchanged,
    /// The contact can't take these values.
    Refused(FieldError),
    /// This very row was written before, with this outcome; only count it.
    Done(RowWrite),
}

/// Decides for one row.
///
/// `redelivered` says that this row may have been handled before without leaving a mark (because it changed nothing): then what somebody
/// changed since the writing began is newer than the file and stays.
#[must_use]
pub fn decide(import: &Import, row: u64, draft: ContactDraft, existing: Option<&Contact>, redelivered: bool, defaults: &Defaults, new_status: StatusId) -> RowDecision {
    let Some(contact) = existing else {
        return RowDecision::Create(draft.into_details(defaults, new_status, None, None));
    };
    if let Some(ImportMark { written, .. }) = contact.import_marks.iter().find(|mark| mark.import == import.id && mark.row == row) {
        return RowDecision::Done(*written);
    }
    let mut merged = match draft.merged_into(&contact.details, defaults) {
        Ok(merged) => merged,
        Err(error) => return RowDecision::Refused(error),
    };
    keep_what_stands(&mut merged, &contact.details);
    let restores = contact.deleted_at.is_some();
    if merged == contact.details && !restores {
        return RowDecision::Unchanged;
    }
    let changed_since = import.writing_since.is_some_and(|since: Timestamp| contact.record.updated_at() > since);
    if redelivered && changed_since {
        return RowDecision::Unchanged;
    }
    RowDecision::Update(merged)
}

/// A file knows only text. An attribute that is a number or a yes or no stays one when the text says one, and a value that is set aside although the
/// contact has it (a postal code of another country than the contact is in now) isn't kept twice.
pub(super) fn keep_what_stands(merged: &mut ContactDetails, existing: &ContactDetails) {
    for (name, before) in &existing.attributes {
        if let Some(after) = merged.attributes.get_mut(name)
            && let AttributeValue::String(text) = &*after
            && let Some(same_kind) = read_as(text, before)
        {
            *after = same_kind;
        }
    }
    if let Some(postal_code) = &existing.postal_code {
        forget_set_aside(&mut merged.attributes, existing, "postalCode", postal_code);
    }
}

/// A text as a value of the kind that stands there.
fn read_as(text: &str, before: &AttributeValue) -> Option<AttributeValue> {
    match before {
        AttributeValue::Number(_) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(AttributeValue::Number),
        // Spreadsheets write TRUE and FALSE.
        AttributeValue::Boolean(_) => text.to_ascii_lowercase().parse().ok().map(AttributeValue::Boolean),
        AttributeValue::String(before) => (before.trim() == text).then(|| AttributeValue::String(before.clone())),
    }
}

/// Takes a value that was set aside under the name of its field away again, when it is the one that the field has.
fn forget_set_aside(attributes: &mut Attributes, existing: &ContactDetails, field: &str, current: &str) {
    let Some(AttributeValue::String(aside)) = attributes.get(field) else {
        return;
    };
    match existing.attributes.get(field) {
        None if aside == current => {
            attributes.remove(field);
        }
        Some(AttributeValue::String(before)) if *aside == format!("{before}, {current}") => {
            let before = AttributeValue::String(before.clone());
            attributes.insert(field.to_owned(), before);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::{ContactInput, OnInvalid};

    fn defaults() -> Defaults {
        Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() }
    }

    fn draft(attributes: &[(&str, AttributeValue)], postal_code: Option<&str>, country: &str) -> ContactDraft {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let postal_code = postal_code.map(str::to_owned);
        let input = ContactInput { phone: "+15145550123".to_owned(), attributes, postal_code, country: Some(country.to_owned()), ..ContactInput::default() };
        ContactDraft::validate(&input, &defaults(), OnInvalid::Warn).unwrap().draft
    }

    fn details(attributes: &[(&str, AttributeValue)]) -> ContactDetails {
        draft(attributes, Some("H3A 1B2"), "CA").into_details(&defaults(), StatusId::new(Timestamp::UNIX_EPOCH, &[1; 10]), None, None)
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::String(text.to_owned())
    }

    fn merged(draft: ContactDraft, existing: &ContactDetails) -> ContactDetails {
        let mut merged = draft.merged_into(existing, &defaults()).unwrap();
        keep_what_stands(&mut merged, existing);
        merged
    }

    #[test]
    fn numbers_and_booleans_stay_what_they_are_when_the_text_says_so() {
        use AttributeValue::{Boolean, Number};
        let existing = details(&[("rooms", Number(7.0)), ("price", Number(-12.5)), ("owner", Boolean(true)), ("code", text("007"))]);
        let same = draft(&[("rooms", text("7")), ("price", text("-12.50")), ("owner", text("TRUE")), ("code", text("007"))], None, "CA");
        assert_eq!(merged(same, &existing), existing);
        let other = merged(draft(&[("rooms", text("8")), ("price", text("inf")), ("owner", text("no")), ("code", text("7"))], None, "CA"), &existing);
        assert_eq!(other.attributes, details(&[("rooms", Number(8.0)), ("price", text("inf")), ("owner", text("no")), ("code", text("7"))]).attributes);
    }

    #[test]
    fn a_value_that_the_contact_has_is_not_also_set_aside() {
        let mut existing = details(&[]);
        existing.country = Some("FR".to_owned());
        existing.time_zone.source = crate::contact::TimeZoneSource::Given;
        assert_eq!(merged(draft(&[], Some("H3A 1B2"), "FR"), &existing), existing);
        let other = merged(draft(&[], Some("H3A 1B3"), "FR"), &existing);
        assert_eq!(other.attributes.get("postalCode"), Some(&text("H3A 1B3")));
        existing.attributes.insert("postalCode".to_owned(), text("H0H 0H0"));
        assert_eq!(merged(draft(&[("postalCode", text("H0H 0H0"))], Some("H3A 1B2"), "FR"), &existing), existing);
    }
}
