//! Which status a row of contacts may give, and which it leaves alone.

use std::collections::HashMap;

use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::StatusId;
use crate::status::{CONVERTED, ContactStatus, DO_NOT_CALL, NEW};
use crate::text;

/// A tenant's statuses as rows name them. Made once for many rows.
#[derive(Debug, Clone)]
pub struct RowStatuses {
    /// The status of a contact that the row gives none.
    pub new: StatusId,
    /// The status of who must not be called.
    pub do_not_call: StatusId,
    /// The status of who was won.
    pub converted: StatusId,
    words: HashMap<String, Result<StatusId, FieldError>>,
}

impl RowStatuses {
    /// Knows these statuses, deleted ones too, by their codes and their names; none when one of the system's is not among them.
    #[must_use]
    pub fn of(statuses: &[ContactStatus]) -> Option<Self> {
        let system = |code: &str| statuses.iter().find(|status| status.code == code).map(|status| status.id);
        let mut best: HashMap<String, (bool, bool, &ContactStatus)> = HashMap::new();
        for status in statuses {
            for (text, is_code) in [(&status.code, true), (&status.name, false)] {
                let candidate = (status.is_live(), is_code, status);
                let known = best.entry(word(text)).or_insert(candidate);
                if (candidate.0, candidate.1) > (known.0, known.1) {
                    *known = candidate;
                }
            }
        }
        let words = best.into_iter().map(|(word, (_, _, status))| (word, may_be_given(status).map(|()| status.id))).collect();
        Some(Self { new: system(NEW)?, do_not_call: system(DO_NOT_CALL)?, converted: system(CONVERTED)?, words })
    }

    /// The status that a text names by its code or its name, whatever its case, accents and punctuation; none when there is no such status.
    ///
    /// # Errors
    /// The inner result: that of [`may_be_given`].
    #[must_use]
    pub fn named(&self, text: &str) -> Option<Result<StatusId, FieldError>> {
        self.words.get(&word(text)).cloned()
    }

    /// The status of a contact with this one after a row that asks for another, or that it must not be called.
    ///
    /// The latter always counts. Else who must not be called and who was won stay what they are.
    #[must_use]
    pub fn after(&self, current: StatusId, asked: Option<StatusId>, must_not_be_called: bool) -> StatusId {
        match asked {
            _ if must_not_be_called => self.do_not_call,
            Some(asked) if !self.stays(current) => asked,
            _ => current,
        }
    }

    /// Whether a row that gives another status leaves this one.
    pub(super) fn stays(&self, current: StatusId) -> bool {
        current == self.do_not_call || current == self.converted
    }
}

/// Whether a row may give a contact this status.
///
/// # Errors
/// `NOT_ALLOWED` of `statusCode` for `converted`, which follows from a reservation; `NOT_FOUND` when it was deleted, or is about to be.
pub fn may_be_given(status: &ContactStatus) -> Result<(), FieldError> {
    if status.code == CONVERTED {
        let message = "statusCode is converted, which only a reservation makes a contact. Give another, or leave the cell blank.";
        return Err(FieldError::new("statusCode", FieldErrorCode::NotAllowed, message));
    }
    if !status.is_live() {
        let message = "statusCode is a status that was deleted. Give another, or leave the cell blank.";
        return Err(FieldError::new("statusCode", FieldErrorCode::NotFound, message));
    }
    Ok(())
}

/// What makes two names the same. A name without letters and digits is compared as it is.
fn word(text: &str) -> String {
    let folded = text::fold_alphanumeric(text);
    if folded.is_empty() { text::fold(text.trim()) } else { folded }
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::change::{Change, Origin, Revisioned};
    use crate::status::SEEDED;

    pub(in super::super) fn id(number: u8) -> StatusId {
        StatusId::new(Timestamp::UNIX_EPOCH, &[number; 10])
    }

    /// The seeded ones, whose ids are numbered in their order: `new` is 0, `interested` 4, `converted` 6 and `do_not_call` 7.
    pub(in super::super) fn seeded() -> Vec<ContactStatus> {
        let of = |(number, seeded): (u8, &crate::status::SeededStatus)| ContactStatus {
            id: id(number),
            record: Revisioned::created(Change::new("contact_status.created", Timestamp::UNIX_EPOCH, Origin::system())),
            code: seeded.code.to_owned(),
            name: seeded.name.to_owned(),
            color: seeded.color.to_owned(),
            order: seeded.order,
            exclude_from_call_list: seeded.exclude_from_call_list,
            system: seeded.system,
            retired: false,
            deleted_at: None,
        };
        (0..).zip(&SEEDED).map(of).collect()
    }

    #[test]
    fn without_a_status_of_the_system_nothing_is_known() {
        for index in [0, 6, 7] {
            let mut statuses = seeded();
            statuses.remove(index);
            assert!(RowStatuses::of(&statuses).is_none(), "{index}");
        }
    }

    #[test]
    fn a_status_that_is_none_is_not_found_and_one_that_may_not_be_given_says_why() {
        let mut statuses = seeded();
        statuses[1].retired = true;
        statuses[2].deleted_at = Some(Timestamp::UNIX_EPOCH);
        let known = RowStatuses::of(&statuses).unwrap();
        for text in ["", "Open - Not Contacted", "???"] {
            assert_eq!(known.named(text), None, "{text}");
        }
        for (text, code) in [("Converted", FieldErrorCode::NotAllowed), ("attempted", FieldErrorCode::NotFound), ("Callback requested", FieldErrorCode::NotFound)] {
            let error = known.named(text).unwrap().unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("statusCode", code), "{text}");
        }
    }

    #[test]
    fn a_status_is_named_by_its_code_or_its_name() {
        let known = RowStatuses::of(&seeded()).unwrap();
        for (text, number) in [("interested", 4), ("NOT INTERESTED", 5), ("not_interested", 5), (" In-discussion", 3), ("Dô not call", 7), ("New", 0)] {
            assert_eq!(known.named(text), Some(Ok(id(number))), "{text}");
        }
    }

    #[test]
    fn of_two_with_one_name_the_live_one_is_meant_and_then_the_one_with_the_code() {
        let mut statuses = seeded();
        statuses[1].deleted_at = Some(Timestamp::UNIX_EPOCH);
        statuses[1].name = "Maybe".to_owned();
        statuses[2].name = "Maybe".to_owned();
        statuses[3].name = "Interested!".to_owned();
        statuses[5].name = "\u{2605}".to_owned();
        for statuses in [statuses.clone(), statuses.into_iter().rev().collect()] {
            let known = RowStatuses::of(&statuses).unwrap();
            for (text, number) in [("maybe", 2), ("interested", 4), ("\u{2605}", 5)] {
                assert_eq!(known.named(text), Some(Ok(id(number))), "{text}");
            }
        }
    }

    #[test]
    fn who_must_not_be_called_and_who_was_won_stay_so() {
        let known = RowStatuses::of(&seeded()).unwrap();
        for (current, asked, must_not_be_called, after) in [
            (0, None, false, 0),
            (0, Some(4), false, 4),
            (6, Some(4), false, 6),
            (7, Some(4), false, 7),
            (4, None, true, 7),
            (4, Some(3), true, 7),
            (6, None, true, 7),
            (7, None, true, 7),
        ] {
            assert_eq!(known.after(id(current), asked.map(id), must_not_be_called), id(after), "{current} {asked:?} {must_not_be_called}");
        }
    }
}
