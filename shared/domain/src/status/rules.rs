//! What holds over all statuses of a tenant: names and codes are unique, system statuses keep their meaning.

use serde::Serialize;

use super::ContactStatus;
use crate::audit::{Fields, value_of};
use crate::change::{Change, Revisioned};
use crate::code;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::StatusId;
use crate::text;

/// Longest name, in characters.
pub const NAME_LENGTH: usize = 50;
/// Most statuses of a tenant, deleted ones not counted.
pub const MAX_STATUSES: usize = 100;
/// As many contacts with a status are counted before its deletion is refused; more are not told apart.
pub const MOST_COUNTED: usize = 1_000;

/// A status as somebody asks for it. Serialised, what isn't given leaves no trace, so that a new field changes no older request's form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StatusInput {
    /// What people read.
    pub name: String,
    /// A snake_case word; made of the name when none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `#RRGGBB`.
    pub color: String,
    /// Its place among the statuses.
    pub order: i32,
    /// Contacts with it are not offered for calling.
    pub exclude_from_call_list: bool,
}

/// What is to change of a status. `None` stays; `Some(None)` was given as nothing, which no value of a status can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusPatch {
    /// What people read.
    pub name: Option<Option<String>>,
    /// `#RRGGBB`.
    pub color: Option<Option<String>>,
    /// Its place among the statuses.
    pub order: Option<Option<i32>>,
    /// Contacts with it are not offered for calling.
    pub exclude_from_call_list: Option<Option<bool>>,
}

impl StatusPatch {
    /// What makes a status say again what it said when these were its audited fields; none when they aren't those of a status.
    #[must_use]
    pub fn from_fields(fields: &Fields) -> Option<Self> {
        Some(Self {
            name: value_of(fields, "name")?.map(Some),
            color: value_of(fields, "color")?.map(Some),
            order: value_of(fields, "order")?.map(Some),
            exclude_from_call_list: value_of(fields, "excludeFromCallList")?.map(Some),
        })
    }
}

/// Why a status can't be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusError {
    /// The field, its code and the sentence.
    pub error: FieldError,
    /// With `TAKEN`: the status that is in the way.
    pub existing: Option<StatusId>,
}

impl From<FieldError> for StatusError {
    fn from(error: FieldError) -> Self {
        Self { error, existing: None }
    }
}

/// The status that this change creates beside those there are, deleted ones included.
///
/// # Errors
/// All that is wrong, each with its field: `BLANK`, `INVALID`, `TOO_LONG`; `TAKEN` for a name that a status has which isn't deleted, or a code that
/// any status ever had; `LIMIT_EXCEEDED` beyond [`MAX_STATUSES`].
pub fn create(statuses: &[ContactStatus], id: StatusId, input: &StatusInput, change: Change) -> Result<ContactStatus, Vec<StatusError>> {
    let mut errors: Vec<StatusError> = Vec::new();
    if statuses.iter().filter(|status| status.deleted_at.is_none()).count() >= MAX_STATUSES {
        let message = format!("There are {MAX_STATUSES} statuses already, and no more are allowed. Delete one that is not used.");
        errors.push(FieldError::new("name", FieldErrorCode::LimitExceeded, message).into());
    }
    let name = checked_name(statuses, None, &input.name).map_err(|error| errors.push(error)).ok();
    let code = match (&input.code, &name) {
        (None, None) => None,
        (given, name) => checked_code(statuses, given.as_deref(), name.as_deref().unwrap_or_default()).map_err(|error| errors.push(error)).ok(),
    };
    let color = checked_color(&input.color).map_err(|error| errors.push(error)).ok();
    let order = checked_order(input.order).map_err(|error| errors.push(error)).ok();
    let (Some(name), Some(code), Some(color), Some(order), true) = (name, code, color, order, errors.is_empty()) else {
        return Err(errors);
    };
    let record = Revisioned::created(change);
    let exclude_from_call_list = input.exclude_from_call_list;
    Ok(ContactStatus { id, record, code, name, color, order, exclude_from_call_list, system: false, retired: false, deleted_at: None })
}

/// One of the tenant's statuses with what was given; none when that changes nothing. One whose deletion was begun may be given again.
///
/// # Errors
/// `STALE` alone when it isn't at the expected version; else all that is wrong, each with its field, as in [`create`], and `NOT_ALLOWED` when a
/// system status would be offered for calling or no longer be.
pub fn update(
    statuses: &[ContactStatus],
    status: &ContactStatus,
    expected_version: i32,
    patch: &StatusPatch,
    change: Change,
) -> Result<Option<ContactStatus>, Vec<StatusError>> {
    check_version(status, expected_version).map_err(|error| vec![StatusError::from(error)])?;
    let mut errors: Vec<StatusError> = Vec::new();
    let mut after = status.clone();
    set(&mut errors, "name", &patch.name, &mut after.name, |name| checked_name(statuses, Some(status.id), name));
    set(&mut errors, "color", &patch.color, &mut after.color, |color| checked_color(color));
    set(&mut errors, "order", &patch.order, &mut after.order, |order| checked_order(*order));
    set(&mut errors, "excludeFromCallList", &patch.exclude_from_call_list, &mut after.exclude_from_call_list, |excluded| {
        if status.system && *excluded != status.exclude_from_call_list {
            let message = "The rules depend on this status: whether it is called can't change. Use a status of your own.";
            return Err(FieldError::new("excludeFromCallList", FieldErrorCode::NotAllowed, message).into());
        }
        Ok(*excluded)
    });
    if !errors.is_empty() {
        return Err(errors);
    }
    if after == *status {
        return Ok(None);
    }
    Ok(Some(ContactStatus { record: status.record.changed(change), retired: false, ..after }))
}

/// That a status may be deleted, as far as it can tell by itself; whether contacts have it is another question.
///
/// # Errors
/// `NOT_ALLOWED` for a system status, `STALE` when it isn't at the expected version.
pub fn check_deletion(status: &ContactStatus, expected_version: i32) -> Result<(), FieldError> {
    if status.system {
        return Err(FieldError::new("id", FieldErrorCode::NotAllowed, "The rules depend on this status: it can't be deleted. Rename it instead."));
    }
    check_version(status, expected_version)
}

/// What is said of a status that can't be deleted because so many contacts have it, of at most [`MOST_COUNTED`] counted.
#[must_use]
pub fn in_use(count: usize) -> FieldError {
    let contacts = match count {
        1 => "1 contact has".to_owned(),
        MOST_COUNTED.. => "1,000 or more contacts have".to_owned(),
        _ => format!("{count} contacts have"),
    };
    FieldError::new("id", FieldErrorCode::InUse, format!("{contacts} this status. Give them another one first."))
}

fn check_version(status: &ContactStatus, expected: i32) -> Result<(), FieldError> {
    let version = status.record.version;
    if i64::from(expected) == i64::from(version) {
        return Ok(());
    }
    let message = format!("The status is at version {version}, not {expected}. Read it again and decide again.");
    Err(FieldError::new("expectedVersion", FieldErrorCode::Stale, message))
}

/// Puts a value that was given in its place, once it is checked.
fn set<T, U>(errors: &mut Vec<StatusError>, field: &str, given: &Option<Option<T>>, place: &mut U, check: impl FnOnce(&T) -> Result<U, StatusError>) {
    let checked = match given {
        None => return,
        Some(None) => Err(FieldError::new(field, FieldErrorCode::Blank, format!("{field} can't be empty. Leave it out to keep it.")).into()),
        Some(Some(value)) => check(value),
    };
    match checked {
        Ok(value) => *place = value,
        Err(error) => errors.push(error),
    }
}

fn checked_name(statuses: &[ContactStatus], of: Option<StatusId>, given: &str) -> Result<String, StatusError> {
    let blank = || FieldError::new("name", FieldErrorCode::Blank, "name is empty. Give what people are to read.");
    let name = text::line("name", given, NAME_LENGTH)?.ok_or_else(blank)?;
    let folded = text::fold(&name);
    match statuses.iter().find(|other| Some(other.id) != of && other.deleted_at.is_none() && text::fold(&other.name) == folded) {
        None => Ok(name),
        Some(other) => {
            let message = "Another status has this name; capitals and accents make no difference. Choose another name.";
            Err(StatusError { error: FieldError::new("name", FieldErrorCode::Taken, message), existing: Some(other.id) })
        }
    }
}

/// The code that is given; else the one that the name gives, with a number behind it when a status has or had that one.
fn checked_code(statuses: &[ContactStatus], given: Option<&str>, name: &str) -> Result<String, StatusError> {
    let holder = |code: &str| statuses.iter().find(|other| other.code == code);
    let Some(given) = given else {
        return Ok(code::made_of(name, |code| holder(code).is_some())?);
    };
    let code = code::checked(given)?;
    match holder(&code) {
        None => Ok(code),
        Some(other) => {
            let whose = if other.deleted_at.is_some() { "A deleted status had" } else { "Another status has" };
            let message = format!("{whose} this code. Give another, or none to have it made of the name.");
            Err(StatusError { error: FieldError::new("code", FieldErrorCode::Taken, message), existing: Some(other.id) })
        }
    }
}

fn checked_color(given: &str) -> Result<String, StatusError> {
    let color = given.trim();
    let is_color = color.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if is_color {
        return Ok(color.to_ascii_uppercase());
    }
    let (code, what) = if color.is_empty() { (FieldErrorCode::Blank, "empty") } else { (FieldErrorCode::Invalid, "not a colour") };
    Err(FieldError::new("color", code, format!("color is {what}. Write it as #RRGGBB, such as #3B82F6.")).into())
}

fn checked_order(given: i32) -> Result<u16, StatusError> {
    u16::try_from(given)
        .map_err(|_| FieldError::new("order", FieldErrorCode::Invalid, "order is not a whole number from 0 to 65535. Lower ones are called first.").into())
}

#[cfg(test)]
mod tests {
    use super::super::{SEEDED, SeededStatus};
    use super::*;
    use crate::audit::Audited;
    use crate::change::Origin;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    fn id(seed: u8) -> StatusId {
        StatusId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    fn change() -> Change {
        Change::new("contact_status.changed", Timestamp::UNIX_EPOCH, Origin::system())
    }

    fn input(name: &str) -> StatusInput {
        StatusInput { name: name.to_owned(), color: "#a1b2c3".to_owned(), order: 60, ..StatusInput::default() }
    }

    /// The seeded ones.
    fn statuses() -> Vec<ContactStatus> {
        let status = |(seed, seeded): (u8, &SeededStatus)| ContactStatus {
            id: id(seed),
            record: Revisioned::created(change()),
            code: seeded.code.to_owned(),
            name: seeded.name.to_owned(),
            color: seeded.color.to_owned(),
            order: seeded.order,
            exclude_from_call_list: seeded.exclude_from_call_list,
            system: seeded.system,
            retired: false,
            deleted_at: None,
        };
        (0..).zip(&SEEDED).map(status).collect()
    }

    fn codes(errors: Vec<StatusError>) -> Vec<(String, FieldErrorCode)> {
        errors.into_iter().map(|refused| (refused.error.field, refused.error.code)).collect()
    }

    fn refused(input: &StatusInput) -> Vec<(String, FieldErrorCode)> {
        codes(create(&statuses(), id(99), input, change()).unwrap_err())
    }

    fn one(field: &str, code: FieldErrorCode) -> Vec<(String, FieldErrorCode)> {
        vec![(field.to_owned(), code)]
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let wrong = StatusInput { name: " ".to_owned(), code: Some("Not-so".to_owned()), color: "red".to_owned(), order: -1, exclude_from_call_list: false };
        let expected = [("name", FieldErrorCode::Blank), ("code", FieldErrorCode::Invalid), ("color", FieldErrorCode::Invalid), ("order", FieldErrorCode::Invalid)];
        assert_eq!(refused(&wrong), expected.map(|(field, code)| (field.to_owned(), code)));
        assert_eq!(refused(&input(&"é".repeat(51))), one("name", FieldErrorCode::TooLong));
        assert_eq!(refused(&input("two\nlines")), one("name", FieldErrorCode::Invalid));
        for (color, code) in
            [("", FieldErrorCode::Blank), ("#12345", FieldErrorCode::Invalid), ("#12345g", FieldErrorCode::Invalid), ("1234567", FieldErrorCode::Invalid)]
        {
            assert_eq!(refused(&StatusInput { color: color.to_owned(), ..input("Warm") }), one("color", code), "{color}");
        }
        assert_eq!(refused(&StatusInput { order: 65_536, ..input("Warm") }), one("order", FieldErrorCode::Invalid));
        for code in ["", "1st", "_a", "Warm", "a-b", "é"] {
            assert_eq!(refused(&StatusInput { code: Some(code.to_owned()), ..input("Warm") }), one("code", FieldErrorCode::Invalid), "{code}");
        }
    }

    #[test]
    fn a_name_is_taken_whatever_its_capitals_and_accents_until_its_status_is_deleted() {
        let mut all = statuses();
        let error = create(&all, id(99), &input("ÌNTERESTED"), change()).unwrap_err().remove(0);
        assert_eq!((error.error.code, error.existing), (FieldErrorCode::Taken, Some(all[4].id)));
        all[4] = all[4].retired();
        assert_eq!(codes(create(&all, id(99), &input("Interested"), change()).unwrap_err())[0].1, FieldErrorCode::Taken, "its deletion may yet be refused");
        all[4] = all[4].deleted(change());
        assert_eq!(create(&all, id(99), &input("Interested"), change()).unwrap().name, "Interested");
    }

    #[test]
    fn a_code_is_taken_for_good() {
        let mut all = statuses();
        all[4] = all[4].deleted(change());
        for taken in ["interested", "new"] {
            let error = create(&all, id(99), &StatusInput { code: Some(taken.to_owned()), ..input("Warm") }, change()).unwrap_err().remove(0);
            assert_eq!((error.error.field.as_str(), error.error.code, error.existing.is_some()), ("code", FieldErrorCode::Taken, true));
        }
        for number in 2..=11 {
            let again = create(&all, id(50 + number), &input("Interested"), change()).unwrap();
            assert_eq!(again.code, format!("interested_{number}"));
            all.push(again.deleted(change()));
        }
        let long = "a".repeat(50);
        all.push(create(&all, id(90), &input(&long), change()).unwrap().deleted(change()));
        assert_eq!(create(&all, id(91), &input(&long), change()).unwrap().code, format!("{}_2", &long[..48]));
    }

    #[test]
    fn a_code_is_made_of_the_name() {
        assert_eq!(refused(&input("42")), one("code", FieldErrorCode::Invalid));
        let created = create(&statuses(), id(99), &input(" Très intéressé "), change()).unwrap();
        assert_eq!((created.name.as_str(), created.code.as_str(), created.color.as_str()), ("Très intéressé", "tres_interesse", "#A1B2C3"));
        assert!(!created.system && created.is_live());
    }

    #[test]
    fn there_are_at_most_a_hundred_that_are_not_deleted() {
        let mut all = statuses();
        for seed in 8..100 {
            all.push(create(&all, id(seed), &input(&format!("Status {seed}")), change()).unwrap());
        }
        assert_eq!(codes(create(&all, id(100), &input("One more"), change()).unwrap_err()), one("name", FieldErrorCode::LimitExceeded));
        all[50] = all[50].deleted(change());
        assert!(create(&all, id(100), &input("One more"), change()).is_ok());
    }

    #[test]
    fn a_stale_version_is_all_that_is_said() {
        let (all, wrong) = (statuses(), StatusPatch { color: Some(None), ..StatusPatch::default() });
        for expected in [0, 2, -1] {
            assert_eq!(codes(update(&all, &all[1], expected, &wrong, change()).unwrap_err()), one("expectedVersion", FieldErrorCode::Stale));
            assert_eq!(check_deletion(&all[1], expected).unwrap_err().code, FieldErrorCode::Stale);
        }
    }

    #[test]
    fn no_value_can_be_emptied() {
        let all = statuses();
        let emptied = StatusPatch { name: Some(None), color: Some(None), order: Some(None), exclude_from_call_list: Some(None) };
        let fields = codes(update(&all, &all[1], 1, &emptied, change()).unwrap_err());
        let expected = ["name", "color", "order", "excludeFromCallList"].map(|field| (field.to_owned(), FieldErrorCode::Blank));
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_system_status_keeps_its_meaning_and_changes_its_looks() {
        let all = statuses();
        let excluded = |excluded| StatusPatch { exclude_from_call_list: Some(Some(excluded)), ..StatusPatch::default() };
        assert_eq!(codes(update(&all, &all[0], 1, &excluded(true), change()).unwrap_err()), one("excludeFromCallList", FieldErrorCode::NotAllowed));
        assert_eq!(update(&all, &all[0], 1, &excluded(false), change()), Ok(None));
        let looks = StatusPatch { name: Some(Some("Nouveau".to_owned())), color: Some(Some("#abcdef".to_owned())), order: Some(Some(5)), ..StatusPatch::default() };
        let after = update(&all, &all[0], 1, &looks, change()).unwrap().unwrap();
        assert_eq!((after.code.as_str(), after.name.as_str(), after.color.as_str(), after.order), ("new", "Nouveau", "#ABCDEF", 5));
        assert_eq!(check_deletion(&all[0], 1).unwrap_err().code, FieldErrorCode::NotAllowed);
    }

    #[test]
    fn a_change_is_a_version_and_nothing_changed_is_none() {
        let all = statuses();
        let same = StatusPatch { name: Some(Some("Attempted".to_owned())), color: Some(Some("#f59e0b".to_owned())), ..StatusPatch::default() };
        assert_eq!(update(&all, &all[1], 1, &same, change()), Ok(None));
        let respelt = StatusPatch { name: Some(Some("ATTEMPTED".to_owned())), ..StatusPatch::default() };
        let after = update(&all, &all[1], 1, &respelt, change()).unwrap().unwrap();
        assert_eq!((after.record.version, after.record.revision), (2, 2));
        assert!(!after.calls_differently(&all[1]));
        let moved = StatusPatch { order: Some(Some(11)), ..StatusPatch::default() };
        assert!(update(&all, &all[1].retired(), 1, &moved, change()).unwrap().is_some_and(|after| after.is_live() && after.calls_differently(&all[1])));
    }

    #[test]
    fn a_deletion_is_on_record_and_the_steps_before_it_are_not() {
        let before = statuses().remove(1);
        for technical in [before.retired(), before.retired().released()] {
            assert_eq!((technical.record.version, technical.audit_fields()), (1, before.audit_fields()));
        }
        let deleted = before.retired().deleted(change());
        assert_eq!((deleted.record.version, deleted.record.revision, deleted.is_live()), (2, 3, false));
        assert_eq!(deleted.audit_fields()["deletedAt"], "1970-01-01T00:00:00.000Z");
    }

    proptest! {
        #[test]
        fn a_status_says_again_what_it_said(name in "X[a-zé]{1,20}", color in "#[0-9A-F]{6}", order in any::<u16>(), excluded in any::<bool>()) {
            let all = statuses();
            let then = ContactStatus { name, color, order, exclude_from_call_list: excluded, ..all[1].clone() };
            let patch = StatusPatch::from_fields(&then.audit_fields()).unwrap();
            let after = update(&all, &all[1], 1, &patch, change()).unwrap().unwrap();
            prop_assert_eq!(after.audit_fields(), then.audit_fields());
        }
    }

    #[test]
    fn fields_of_something_else_are_no_status() {
        let fields = |field: &str, value| Fields::from([(field.to_owned(), value)]);
        assert_eq!(StatusPatch::from_fields(&fields("order", json!("first"))), None);
        assert_eq!(StatusPatch::from_fields(&fields("phone", json!("x"))), Some(StatusPatch::default()));
    }

    #[test]
    fn how_many_contacts_are_in_the_way_is_told_up_to_a_thousand() {
        for (count, start) in [(1, "1 contact has "), (2, "2 contacts have "), (999, "999 contacts have "), (1_000, "1,000 or more contacts have ")] {
            assert!(in_use(count).message.starts_with(start), "{count}");
        }
    }
}
