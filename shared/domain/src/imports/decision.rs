//! What a row does to the contact at its number, which may not exist.

use jiff::Timestamp;

use super::Import;
use crate::contact::{Contact, ContactDetails, ContactDraft, Defaults, ImportMark, RowWrite};
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
    let merged = match draft.merged_into(&contact.details) {
        Ok(merged) => merged,
        Err(error) => return RowDecision::Refused(error),
    };
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
