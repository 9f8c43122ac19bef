//! What holds over all roles of a tenant: names and codes are unique, nobody gives what they don't have, and administrators stay administrators.

use serde::Serialize;

use crate::audit::{Fields, value_of};
use crate::change::{Change, Revisioned};
use crate::code;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::RoleId;
use crate::permission::{Grant, Permission, covers, widest};
use crate::person::{ADMIN, Role};
use crate::text;

/// Longest name, in characters.
pub const NAME_LENGTH: usize = 50;
/// Most roles of a tenant, deleted ones not counted.
pub const MAX_ROLES: usize = 50;
/// Most permissions in one list.
pub const MAX_GRANTS: usize = 100;
/// As many users who hold a role are counted before its deletion is refused; more are not told apart.
pub const MOST_COUNTED: usize = 1_000;

/// Characters of a wrong permission that are said back.
const SHOWN: usize = 60;

/// A role as somebody asks for it. Serialised, what isn't given leaves no trace, so that a new field changes no older request's form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RoleInput {
    /// What people read.
    pub name: String,
    /// A snake_case word; made of the name when none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What holders may do, as `noun:verb:SCOPE`.
    pub permissions: Vec<String>,
}

/// What is to change of a role. `None` stays; `Some(None)` was given as nothing, which no value of a role can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolePatch {
    /// What people read.
    pub name: Option<Option<String>>,
    /// What holders may do, all of it.
    pub permissions: Option<Option<Vec<String>>>,
}

impl RolePatch {
    /// What makes a role say again what it said when these were its audited fields; none when they aren't those of a role.
    #[must_use]
    pub fn from_fields(fields: &Fields) -> Option<Self> {
        Some(Self { name: value_of(fields, "name")?.map(Some), permissions: value_of(fields, "permissions")?.map(Some) })
    }
}

/// Why a role can't be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleError {
    /// The field, its code and the sentence.
    pub error: FieldError,
    /// With `TAKEN`: the role that is in the way.
    pub existing: Option<RoleId>,
    /// Of a list: the place of the one that is wrong, from 0.
    pub index: Option<usize>,
}

impl From<FieldError> for RoleError {
    fn from(error: FieldError) -> Self {
        Self { error, existing: None, index: None }
    }
}

/// The role that this change creates beside those there are, deleted ones included, by one who holds `held`.
///
/// # Errors
/// All that is wrong, each with its field: `BLANK`, `INVALID`, `TOO_LONG`; `TAKEN` for a name that a role has which isn't deleted, or a code that any role
/// ever had; `NOT_ALLOWED` for permissions that the one who creates it doesn't hold; `LIMIT_EXCEEDED` beyond [`MAX_ROLES`] and [`MAX_GRANTS`].
pub fn create(roles: &[Role], id: RoleId, input: &RoleInput, held: &[Grant], change: Change) -> Result<Role, Vec<RoleError>> {
    let mut errors: Vec<RoleError> = Vec::new();
    if roles.iter().filter(|role| role.is_live()).count() >= MAX_ROLES {
        let message = format!("There are {MAX_ROLES} roles already, and no more are allowed. Delete one that is not used.");
        errors.push(FieldError::new("name", FieldErrorCode::LimitExceeded, message).into());
    }
    let name = checked_name(roles, None, &input.name).map_err(|error| errors.push(error)).ok();
    let code = match (&input.code, &name) {
        (None, None) => None,
        (given, name) => checked_code(roles, given.as_deref(), name.as_deref().unwrap_or_default()).map_err(|error| errors.push(error)).ok(),
    };
    let grants = checked_grants(&input.permissions).and_then(|grants| match check_reach(held, &grants) {
        Ok(()) => Ok(grants),
        Err(error) => Err(vec![error.into()]),
    });
    let grants = grants.map_err(|refused| errors.extend(refused)).ok();
    match (name, code, grants) {
        (Some(name), Some(code), Some(grants)) if errors.is_empty() => {
            Ok(Role { id, record: Revisioned::created(change), code, name, grants, system: false, deleted_at: None })
        }
        _ => Err(errors),
    }
}

/// One of the tenant's roles with what was given, by one who holds `held`; none when that changes nothing.
///
/// # Errors
/// `STALE` alone when it isn't at the expected version; else all that is wrong, each with its field, as in [`create`], and `NOT_ALLOWED` when the
/// administrators' permissions would change, or others by somebody who doesn't hold what is added or taken away.
pub fn update(roles: &[Role], role: &Role, expected_version: i32, patch: &RolePatch, held: &[Grant], change: Change) -> Result<Option<Role>, Vec<RoleError>> {
    check_version(role, expected_version).map_err(|error| vec![RoleError::from(error)])?;
    let mut errors: Vec<RoleError> = Vec::new();
    let mut after = role.clone();
    match &patch.name {
        None => {}
        Some(None) => errors.push(FieldError::new("name", FieldErrorCode::Blank, "name can't be empty. Leave it out to keep it.").into()),
        Some(Some(name)) => match checked_name(roles, Some(role.id), name) {
            Ok(name) => after.name = name,
            Err(error) => errors.push(error),
        },
    }
    match &patch.permissions {
        None => {}
        Some(None) => {
            let message = "permissions can't be null. Leave it out to keep them, or give an empty list.";
            errors.push(FieldError::new("permissions", FieldErrorCode::Blank, message).into());
        }
        Some(Some(given)) => match changed_grants(role, given, held) {
            Ok(grants) => after.grants = grants,
            Err(refused) => errors.extend(refused),
        },
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if after == *role {
        return Ok(None);
    }
    Ok(Some(Role { record: role.record.changed(change), ..after }))
}

/// That a role may be deleted, as far as it can tell by itself; whether somebody holds it is another question.
///
/// # Errors
/// `NOT_ALLOWED` for a role that every tenant has, `STALE` when it isn't at the expected version.
pub fn check_deletion(role: &Role, expected_version: i32) -> Result<(), FieldError> {
    if role.system {
        let message = "Every organisation has this role: it can't be deleted. Rename it, or give it other permissions.";
        return Err(FieldError::new("id", FieldErrorCode::NotAllowed, message));
    }
    check_version(role, expected_version)
}

/// The same role, deleted by this change.
#[must_use]
pub fn deleted(role: &Role, change: Change) -> Role {
    Role { deleted_at: Some(change.at), record: role.record.changed(change), ..role.clone() }
}

/// What is said of a role that can't be deleted because so many users hold it, of at most [`MOST_COUNTED`] counted.
#[must_use]
pub fn in_use(count: usize) -> FieldError {
    let users = match count {
        1 => "1 user holds".to_owned(),
        MOST_COUNTED.. => "1,000 or more users hold".to_owned(),
        _ => format!("{count} users hold"),
    };
    FieldError::new("id", FieldErrorCode::InUse, format!("{users} this role. Give them another one first."))
}

/// The permissions of a list, each once in the widest scope that is named, in the order of the table of permissions.
///
/// # Errors
/// `INVALID` for each that doesn't exist, with its place; `LIMIT_EXCEEDED` beyond [`MAX_GRANTS`].
pub fn checked_grants(given: &[String]) -> Result<Vec<Grant>, Vec<RoleError>> {
    if given.len() > MAX_GRANTS {
        let message = format!("permissions has {} entries, at most {MAX_GRANTS} are allowed. Name each permission once, in its widest scope.", given.len());
        return Err(vec![FieldError::new("permissions", FieldErrorCode::LimitExceeded, message).into()]);
    }
    let mut grants: Vec<Grant> = Vec::with_capacity(given.len());
    let mut errors: Vec<RoleError> = Vec::new();
    for (index, text) in given.iter().enumerate() {
        match text.parse() {
            Ok(grant) => grants.push(grant),
            Err(()) => errors.push(RoleError { index: Some(index), ..unknown(text).into() }),
        }
    }
    if errors.is_empty() { Ok(tidied(&grants)) } else { Err(errors) }
}

/// That who holds `held` may give or take these permissions.
///
/// # Errors
/// `NOT_ALLOWED` on `permissions`, with the first that they don't hold as widely.
pub fn check_reach(held: &[Grant], changed: &[Grant]) -> Result<(), FieldError> {
    match changed.iter().find(|grant| !covers(held, &[**grant])) {
        None => Ok(()),
        Some(grant) => {
            let message = format!("You don't have {grant} yourself, so you can neither give nor take it. Leave it as it is, or ask someone who has it.");
            Err(FieldError::new("permissions", FieldErrorCode::NotAllowed, message))
        }
    }
}

/// What one list of permissions allows and the other doesn't, in either direction.
#[must_use]
pub fn differing(before: &[Grant], after: &[Grant]) -> Vec<Grant> {
    let beyond = |grants: &[Grant], others: &[Grant]| -> Vec<Grant> { grants.iter().copied().filter(|grant| !covers(others, &[*grant])).collect() };
    let mut differing = beyond(after, before);
    differing.extend(beyond(before, after));
    differing
}

/// Each permission once, in its widest scope, in the order of the table of permissions: one form for all lists that allow the same.
#[must_use]
pub fn tidied(grants: &[Grant]) -> Vec<Grant> {
    Permission::ALL.into_iter().filter_map(|permission| widest(grants, permission).map(|scope| Grant { permission, scope })).collect()
}

/// The permissions a role is to grant; as they are when the same ones are given in another order.
fn changed_grants(role: &Role, given: &[String], held: &[Grant]) -> Result<Vec<Grant>, Vec<RoleError>> {
    let grants = checked_grants(given)?;
    if grants == tidied(&role.grants) {
        return Ok(role.grants.clone());
    }
    if role.code == ADMIN {
        let message = "Administrators may do everything: their permissions can't change. Use another role.";
        return Err(vec![FieldError::new("permissions", FieldErrorCode::NotAllowed, message).into()]);
    }
    match check_reach(held, &differing(&role.grants, &grants)) {
        Ok(()) => Ok(grants),
        Err(error) => Err(vec![error.into()]),
    }
}

fn unknown(text: &str) -> FieldError {
    let shown: String = text.chars().filter(|character| !character.is_control()).take(SHOWN).collect();
    let message = format!("“{shown}” is no permission with a scope. Take one from permissions, and write :OWN, :TEAM or :ALL behind it, such as contact:read:OWN.");
    FieldError::new("permissions", FieldErrorCode::Invalid, message)
}

fn check_version(role: &Role, expected: i32) -> Result<(), FieldError> {
    let version = role.record.version;
    if i64::from(expected) == i64::from(version) {
        return Ok(());
    }
    let message = format!("The role is at version {version}, not {expected}. Read it again and decide again.");
    Err(FieldError::new("expectedVersion", FieldErrorCode::Stale, message))
}

fn checked_name(roles: &[Role], of: Option<RoleId>, given: &str) -> Result<String, RoleError> {
    let blank = || FieldError::new("name", FieldErrorCode::Blank, "name is empty. Give what people are to read.");
    let name = text::line("name", given, NAME_LENGTH)?.ok_or_else(blank)?;
    let folded = text::fold(&name);
    match roles.iter().find(|other| Some(other.id) != of && other.is_live() && text::fold(&other.name) == folded) {
        None => Ok(name),
        Some(other) => {
            let message = "Another role has this name; capitals and accents make no difference. Choose another name.";
            Err(RoleError { existing: Some(other.id), ..FieldError::new("name", FieldErrorCode::Taken, message).into() })
        }
    }
}

/// The code that is given; else the one that the name gives, with a number behind it when a role has or had that one.
fn checked_code(roles: &[Role], given: Option<&str>, name: &str) -> Result<String, RoleError> {
    let holder = |code: &str| roles.iter().find(|other| other.code == code);
    let Some(given) = given else {
        return Ok(code::made_of(name, |code| holder(code).is_some())?);
    };
    let code = code::checked(given)?;
    match holder(&code) {
        None => Ok(code),
        Some(other) => {
            let whose = if other.is_live() { "Another role has" } else { "A deleted role had" };
            let message = format!("{whose} this code. Give another, or none to have it made of the name.");
            Err(RoleError { existing: Some(other.id), ..FieldError::new("code", FieldErrorCode::Taken, message).into() })
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::audit::Audited;
    use crate::change::Origin;
    use crate::permission::{SEEDED_ROLES, Scope};

    fn id(seed: u8) -> RoleId {
        RoleId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    fn change() -> Change {
        Change::new("role.changed", Timestamp::UNIX_EPOCH, Origin::system())
    }

    /// The seeded ones.
    fn roles() -> Vec<Role> {
        let role = |(seed, seeded): (u8, &crate::permission::SeededRole)| Role {
            id: id(seed),
            record: Revisioned::created(change()),
            code: seeded.code.to_owned(),
            name: seeded.name.to_owned(),
            grants: seeded.grants.to_vec(),
            system: true,
            deleted_at: None,
        };
        (0..).zip(&SEEDED_ROLES).map(role).collect()
    }

    fn of(code: &str) -> Role {
        roles().into_iter().find(|role| role.code == code).unwrap()
    }

    fn everything() -> Vec<Grant> {
        of(ADMIN).grants
    }

    fn written(permissions: &[&str]) -> Vec<String> {
        permissions.iter().map(|permission| (*permission).to_owned()).collect()
    }

    fn input(name: &str, permissions: &[&str]) -> RoleInput {
        RoleInput { name: name.to_owned(), code: None, permissions: written(permissions) }
    }

    fn granting(permissions: &[&str]) -> RolePatch {
        RolePatch { name: None, permissions: Some(Some(written(permissions))) }
    }

    fn codes(errors: Vec<RoleError>) -> Vec<(String, FieldErrorCode)> {
        errors.into_iter().map(|refused| (refused.error.field, refused.error.code)).collect()
    }

    fn refused(input: &RoleInput) -> Vec<(String, FieldErrorCode)> {
        codes(create(&roles(), id(99), input, &everything(), change()).unwrap_err())
    }

    fn one(field: &str, code: FieldErrorCode) -> Vec<(String, FieldErrorCode)> {
        vec![(field.to_owned(), code)]
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let wrong = RoleInput { name: " ".to_owned(), code: Some("Not-so".to_owned()), permissions: written(&["contact:fly:ALL", "contact:read:ALL", "contact:read"]) };
        let errors = create(&roles(), id(99), &wrong, &everything(), change()).unwrap_err();
        assert_eq!(errors.iter().map(|refused| refused.index).collect::<Vec<_>>(), [None, None, Some(0), Some(2)]);
        assert!(errors[2].error.message.contains("“contact:fly:ALL”") && errors[2].error.message.contains("from permissions"));
        let fields =
            [("name", FieldErrorCode::Blank), ("code", FieldErrorCode::Invalid), ("permissions", FieldErrorCode::Invalid), ("permissions", FieldErrorCode::Invalid)];
        assert_eq!(codes(errors), fields.map(|(field, code)| (field.to_owned(), code)));
        assert_eq!(refused(&input(&"é".repeat(51), &[])), one("name", FieldErrorCode::TooLong));
        assert_eq!(refused(&input("two\nlines", &[])), one("name", FieldErrorCode::Invalid));
        assert_eq!(refused(&input("42", &[])), one("code", FieldErrorCode::Invalid));
    }

    #[test]
    fn what_is_said_of_a_wrong_permission_is_short_and_on_one_line() {
        let endless = format!("a\n\u{1b}{}", "b".repeat(100_000));
        let error = checked_grants(&[endless]).unwrap_err().remove(0).error;
        assert!(error.message.len() < 300 && !error.message.contains(char::is_control));
    }

    #[test]
    fn a_permission_named_twice_is_kept_in_its_widest_scope() {
        let given = ["team:read:OWN", "contact:read:OWN", "contact:read:ALL", "contact:read:TEAM", "team:read:OWN"];
        let role = create(&roles(), id(99), &input("Reader", &given), &everything(), change()).unwrap();
        assert_eq!(role.grants.iter().map(ToString::to_string).collect::<Vec<_>>(), ["contact:read:ALL", "team:read:OWN"]);
        assert_eq!((role.code.as_str(), role.system, role.is_live()), ("reader", false, true));
        assert!(create(&roles(), id(99), &input("Nobody", &[]), &everything(), change()).unwrap().grants.is_empty());
    }

    #[test]
    fn a_list_has_at_most_a_hundred_permissions() {
        assert_eq!(checked_grants(&vec!["contact:read:ALL".to_owned(); 100]).unwrap().len(), 1);
        assert_eq!(codes(checked_grants(&vec!["contact:read:ALL".to_owned(); 101]).unwrap_err()), one("permissions", FieldErrorCode::LimitExceeded));
        assert!(Permission::ALL.len() <= MAX_GRANTS, "an administrator's own list can be given");
    }

    #[test]
    fn nobody_gives_what_they_do_not_have() {
        let held = of("manager").grants;
        assert!(create(&roles(), id(99), &input("Reader", &["contact:read:OWN"]), &held, change()).is_ok());
        let errors = create(&roles(), id(99), &input("Eraser", &["contact:read:OWN", "contact:erase:OWN"]), &held, change()).unwrap_err();
        assert!(errors[0].error.message.contains("contact:erase:OWN"));
        assert_eq!(codes(errors), one("permissions", FieldErrorCode::NotAllowed));
    }

    #[test]
    fn nobody_takes_from_a_role_what_they_do_not_have() {
        let (all, supervisor, held) = (roles(), of("supervisor"), of("manager").grants);
        let without = |taken: &str| -> Vec<String> { supervisor.grants.iter().map(ToString::to_string).filter(|grant| grant != taken).collect() };
        let patch = |permissions| RolePatch { name: None, permissions: Some(Some(permissions)) };
        assert!(update(&all, &supervisor, 1, &patch(without("contact:read:ALL")), &held, change()).unwrap().is_some());
        let errors = update(&all, &supervisor, 1, &patch(without("audit:read:ALL")), &held, change()).unwrap_err();
        assert_eq!(codes(errors), one("permissions", FieldErrorCode::NotAllowed));
        let narrower: Vec<String> = without("audit:read:ALL").into_iter().chain(["audit:read:OWN".to_owned()]).collect();
        let errors = update(&all, &supervisor, 1, &patch(narrower), &held, change()).unwrap_err();
        assert_eq!(codes(errors), one("permissions", FieldErrorCode::NotAllowed));
    }

    #[test]
    fn a_name_is_taken_whatever_its_capitals_and_accents_until_its_role_is_deleted() {
        let mut all = roles();
        let error = create(&all, id(99), &input("MÀNAGER", &[]), &everything(), change()).unwrap_err().remove(0);
        assert_eq!((error.error.field.as_str(), error.error.code, error.existing), ("name", FieldErrorCode::Taken, Some(all[1].id)));
        all.push(create(&all, id(50), &input("Closer", &[]), &everything(), change()).unwrap());
        assert!(update(&all, &all[5], 1, &RolePatch { name: Some(Some("closer".to_owned())), permissions: None }, &everything(), change()).unwrap().is_some());
        all[5] = deleted(&all[5], change());
        let again = create(&all, id(51), &input("closer", &[]), &everything(), change()).unwrap();
        assert_eq!(again.code, "closer_2", "its code stays taken");
    }

    #[test]
    fn a_code_is_taken_for_ever() {
        let mut all = roles();
        all.push(create(&all, id(50), &RoleInput { code: Some("closer".to_owned()), ..input("Closer", &[]) }, &everything(), change()).unwrap());
        all[5] = deleted(&all[5], change());
        for (code, seed) in [(ADMIN, 0), ("closer", 50)] {
            let error = create(&all, id(99), &RoleInput { code: Some(code.to_owned()), ..input("Another", &[]) }, &everything(), change()).unwrap_err().remove(0);
            assert_eq!((error.error.field.as_str(), error.error.code, error.existing), ("code", FieldErrorCode::Taken, Some(id(seed))));
        }
    }

    #[test]
    fn there_are_at_most_fifty_that_are_not_deleted() {
        let mut all = roles();
        for seed in 5..50 {
            all.push(create(&all, id(seed), &input(&format!("Role {seed}"), &[]), &everything(), change()).unwrap());
        }
        assert_eq!(codes(create(&all, id(50), &input("One more", &[]), &everything(), change()).unwrap_err()), one("name", FieldErrorCode::LimitExceeded));
        all[20] = deleted(&all[20], change());
        assert!(create(&all, id(50), &input("One more", &[]), &everything(), change()).is_ok());
    }

    #[test]
    fn administrators_may_be_called_otherwise_and_stay_what_they_are() {
        let (all, admin) = (roles(), of(ADMIN));
        for permissions in [&["contact:read:ALL"][..], &[]] {
            let errors = update(&all, &admin, 1, &granting(permissions), &everything(), change()).unwrap_err();
            assert_eq!(codes(errors), one("permissions", FieldErrorCode::NotAllowed));
        }
        let same: Vec<String> = admin.grants.iter().rev().map(ToString::to_string).collect();
        assert_eq!(update(&all, &admin, 1, &RolePatch { name: None, permissions: Some(Some(same)) }, &everything(), change()), Ok(None));
        let renamed = update(&all, &admin, 1, &RolePatch { name: Some(Some("Direction".to_owned())), permissions: None }, &everything(), change()).unwrap().unwrap();
        assert_eq!((renamed.name.as_str(), renamed.code.as_str(), renamed.record.version), ("Direction", ADMIN, 2));
    }

    #[test]
    fn a_seeded_role_can_be_changed_but_not_deleted() {
        let (all, telephonist) = (roles(), of("telephonist"));
        let after = update(&all, &telephonist, 1, &granting(&["contact:read:TEAM"]), &everything(), change()).unwrap().unwrap();
        assert_eq!(after.grants.iter().map(ToString::to_string).collect::<Vec<_>>(), ["contact:read:TEAM"]);
        assert_eq!(check_deletion(&telephonist, 1).unwrap_err().code, FieldErrorCode::NotAllowed);
        assert!(roles().iter().all(|role| check_deletion(role, 1).is_err()));
    }

    #[test]
    fn a_stale_version_is_all_that_is_said() {
        let all = roles();
        let closer = create(&all, id(50), &input("Closer", &[]), &everything(), change()).unwrap();
        for expected in [0, 2, -1] {
            let errors = update(&all, &closer, expected, &RolePatch { name: Some(None), permissions: Some(None) }, &everything(), change()).unwrap_err();
            assert_eq!(codes(errors), one("expectedVersion", FieldErrorCode::Stale));
            assert_eq!(check_deletion(&closer, expected).unwrap_err().code, FieldErrorCode::Stale);
        }
        assert_eq!(check_deletion(&closer, 1), Ok(()));
    }

    #[test]
    fn no_value_can_be_left_empty() {
        let all = roles();
        let errors = update(&all, &all[1], 1, &RolePatch { name: Some(None), permissions: Some(None) }, &everything(), change()).unwrap_err();
        assert_eq!(codes(errors), ["name", "permissions"].map(|field| (field.to_owned(), FieldErrorCode::Blank)));
    }

    #[test]
    fn a_change_is_a_version_and_nothing_changed_is_none() {
        let (all, manager) = (roles(), of("manager"));
        let mut same: Vec<String> = manager.grants.iter().map(ToString::to_string).collect();
        same.reverse();
        same.push("contact:read:OWN".to_owned());
        let patch = RolePatch { name: Some(Some(" Manager ".to_owned())), permissions: Some(Some(same)) };
        assert_eq!(update(&all, &manager, 1, &patch, &[], change()), Ok(None), "not even who holds nothing changes anything by it");
        let after = update(&all, &manager, 1, &granting(&["contact:read:ALL"]), &everything(), change()).unwrap().unwrap();
        assert_eq!((after.record.version, after.record.revision), (2, 2));
    }

    #[test]
    fn a_deletion_is_on_record() {
        let closer = create(&roles(), id(50), &input("Closer", &[]), &everything(), change()).unwrap();
        let gone = deleted(&closer, change());
        assert_eq!((gone.record.version, gone.is_live()), (2, false));
        assert!(gone.audit_fields().contains_key("deletedAt"));
    }

    #[test]
    fn how_many_users_are_in_the_way_is_told_up_to_a_thousand() {
        for (count, start) in [(1, "1 user holds "), (2, "2 users hold "), (999, "999 users hold "), (1_000, "1,000 or more users hold ")] {
            assert!(in_use(count).message.starts_with(start), "{count}");
        }
    }

    fn any_grants() -> impl Strategy<Value = Vec<Grant>> {
        let one = (0..6_usize, 0..Scope::EVERY.len()).prop_map(|(permission, scope)| Grant { permission: Permission::ALL[permission], scope: Scope::EVERY[scope] });
        prop::collection::vec(one, 0..8)
    }

    proptest! {
        #[test]
        fn tidied_allows_the_same_and_has_one_form(grants in any_grants()) {
            let tidy = tidied(&grants);
            prop_assert!(covers(&tidy, &grants) && covers(&grants, &tidy));
            prop_assert_eq!(tidied(&tidy), tidy.clone());
            prop_assert_eq!(checked_grants(&grants.iter().rev().map(ToString::to_string).collect::<Vec<_>>()), Ok(tidy));
        }

        #[test]
        fn a_role_says_again_what_it_said(name in "X[a-zé]{1,20}", grants in any_grants()) {
            let (all, manager) = (roles(), of("manager"));
            let then = Role { name, grants: tidied(&grants), ..manager.clone() };
            let patch = RolePatch::from_fields(&then.audit_fields()).unwrap();
            let after = update(&all, &manager, 1, &patch, &everything(), change()).unwrap().unwrap();
            prop_assert_eq!(after.audit_fields(), then.audit_fields());
        }

        #[test]
        fn lists_differ_when_one_allows_what_the_other_does_not(before in any_grants(), after in any_grants()) {
            prop_assert_eq!(differing(&before, &after).is_empty(), tidied(&before) == tidied(&after));
        }

        #[test]
        fn who_may_change_a_list_may_change_it_back(held in any_grants(), before in any_grants(), after in any_grants()) {
            prop_assert_eq!(check_reach(&held, &differing(&before, &after)).is_ok(), check_reach(&held, &differing(&after, &before)).is_ok());
        }
    }
}
