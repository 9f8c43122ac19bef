//! Notes: what somebody wrote about a contact. They are never changed.

use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::{Change, Revisioned};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::{ContactId, NoteId};

/// Longest note, in characters.
pub const NOTE_LENGTH: usize = 10_000;

/// Something somebody wrote about a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The id; those of later notes are greater.
    pub id: NoteId,
    /// The contact it is about.
    pub contact: ContactId,
    /// What all records have.
    pub record: Revisioned,
    /// The text.
    pub body: String,
}

impl Note {
    /// A note that this change writes; `body` has been through [`body`].
    #[must_use]
    pub fn written(id: NoteId, contact: ContactId, body: String, change: Change) -> Self {
        Self { id, contact, record: Revisioned::created(change), body }
    }
}

/// Checks the text of a note and trims it.
///
/// # Errors
/// `BLANK`, `TOO_LONG` beyond 10,000 characters, `INVALID` for control characters other than line breaks and tabs.
pub fn body(field: &str, text: &str) -> Result<String, FieldError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. Write something.")));
    }
    if trimmed.chars().count() > NOTE_LENGTH {
        return Err(FieldError::new(field, FieldErrorCode::TooLong, format!("{field} is longer than 10,000 characters. Shorten it, or write two.")));
    }
    if trimmed.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} contains control characters. Remove them.")));
    }
    Ok(trimmed.to_owned())
}

impl Audited for Note {
    const ENTITY_TYPE: &'static str = "note";

    fn audit_fields(&self) -> Fields {
        Fields::from([("contact".to_owned(), json!(self.contact)), ("body".to_owned(), json!(self.body))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_neither_empty_nor_endless_nor_made_of_control_characters() {
        for (text, code) in [(" \n ", FieldErrorCode::Blank), ("a\u{0}b", FieldErrorCode::Invalid), (&"é".repeat(10_001), FieldErrorCode::TooLong)] {
            assert_eq!(body("body", text).unwrap_err().code, code);
        }
        assert_eq!(body("body", &"é".repeat(10_000)).unwrap().chars().count(), 10_000);
        assert_eq!(body("body", " two\nlines\t").unwrap(), "two\nlines");
    }
}
