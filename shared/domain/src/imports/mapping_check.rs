//! What a mapping must have, and what is wrong with one that a person made.

use super::ImportKind;
use super::mapping::{ColumnMapping, Target};
use crate::contact::{MAX_ALTERNATE_PHONES, validate_name};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// The fields without which no row of an import of this kind can be used, first the one that identifies its record. A first or a last name will do for a name.
#[must_use]
pub fn required(kind: ImportKind) -> &'static [Target] {
    static NUMBER: [Target; 1] = [Target::Phone];
    static PERSON: [Target; 2] = [Target::Email, Target::Name];
    match kind {
        ImportKind::Contacts | ImportKind::Suppressions => &NUMBER,
        ImportKind::Agents => &PERSON,
    }
}

/// Those among them that no column is mapped to.
#[must_use]
pub fn missing(mapping: &[ColumnMapping], kind: ImportKind) -> Vec<Target> {
    let has = |target: &Target| mapping.iter().any(|column| column.field.as_ref() == Some(target));
    let is_there = |target: &Target| has(target) || (*target == Target::Name && (has(&Target::FirstName) || has(&Target::LastName)));
    required(kind).iter().filter(|&target| !is_there(target)).cloned().collect()
}

/// Checks which column is what. Whether something is [`missing`] is another question.
///
/// # Errors
/// All that is wrong, with the column's index from 0 in the field (`columns.3.field`): `INVALID` for a field that this kind of import doesn't have, an attribute's
/// name that can't be one, and a default where none can be; `BLANK` and `TOO_LONG` for such a name and for a default; `CONFLICT` for a second column of a field that
/// holds one value; `LIMIT_EXCEEDED` for further numbers beyond those a contact can have.
pub fn validate_mapping(columns: &[ColumnMapping], kind: ImportKind) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut taken: Vec<Target> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        errors.extend(wrong_default(index, column, kind));
        let Some(target) = &column.field else { continue };
        let field = format!("columns.{index}.field");
        match checked_target(&field, target, kind) {
            Ok(target) => {
                errors.extend(one_too_many(&field, &target, &taken));
                taken.push(target);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The target with an attribute's name in its one form.
fn checked_target(field: &str, target: &Target, kind: ImportKind) -> Result<Target, FieldError> {
    match target {
        target if !target.is_of(kind) => {
            let message = format!("{target} is not a field of this kind of import. Choose another, or leave the column out.");
            Err(FieldError::new(field, FieldErrorCode::Invalid, message))
        }
        Target::Attribute(name) => validate_name(name).map(Target::Attribute).map_err(|error| FieldError { field: field.to_owned(), ..error }),
        target => Ok(target.clone()),
    }
}

fn one_too_many(field: &str, target: &Target, taken: &[Target]) -> Option<FieldError> {
    let others = taken.iter().filter(|other| *other == target).count();
    match target {
        // Street lines are joined, and of several lists each may say that a number must not be called.
        Target::Address | Target::DoNotCall => None,
        Target::AlternatePhones if others < MAX_ALTERNATE_PHONES => None,
        Target::AlternatePhones => {
            let message = format!("A contact has at most {MAX_ALTERNATE_PHONES} further numbers. Map the column to something else, or leave it out.");
            Some(FieldError::new(field, FieldErrorCode::LimitExceeded, message))
        }
        _ if others == 0 => None,
        target => {
            let message = format!("Another column is {target} already. Map one of them to something else, or leave it out.");
            Some(FieldError::new(field, FieldErrorCode::Conflict, message))
        }
    }
}

/// What is wrong with the default of a column, if it has one.
fn wrong_default(index: usize, column: &ColumnMapping, kind: ImportKind) -> Option<FieldError> {
    let default = column.default.as_deref()?;
    let (code, message) = if column.field.is_none() {
        (FieldErrorCode::Invalid, "A column that is left out has no default. Map it to a field, or remove the default.")
    } else if column.field.as_ref() == required(kind).first() {
        (FieldErrorCode::Invalid, "Rows that share what identifies their record are one. Remove the default.")
    } else if default.chars().count() > text::ATTRIBUTE_VALUE_LENGTH {
        (FieldErrorCode::TooLong, "The default is longer than 1,000 characters. Shorten it.")
    } else {
        return None;
    };
    Some(FieldError::new(format!("columns.{index}.default"), code, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(field: &str) -> ColumnMapping {
        let field = if field == "-" { None } else { Some(field.parse().unwrap()) };
        ColumnMapping { column: "a column".to_owned(), field, confidence: 1.0, default: None }
    }

    fn columns(fields: &[&str]) -> Vec<ColumnMapping> {
        fields.iter().map(|field| column(field)).collect()
    }

    fn wrong(columns: &[ColumnMapping], kind: ImportKind) -> Vec<(String, FieldErrorCode)> {
        validate_mapping(columns, kind).err().unwrap_or_default().into_iter().map(|error| (error.field, error.code)).collect()
    }

    fn is(field: &str, code: FieldErrorCode) -> (String, FieldErrorCode) {
        (field.to_owned(), code)
    }

    #[test]
    fn a_field_of_another_kind_of_import_is_refused_where_it_stands() {
        use FieldErrorCode::Invalid;
        let contacts = columns(&["phone", "-", "employeeId", "reason"]);
        assert_eq!(wrong(&contacts, ImportKind::Contacts), [is("columns.2.field", Invalid), is("columns.3.field", Invalid)]);
        let agents = columns(&["email", "name", "phone", "attributes.a"]);
        assert_eq!(wrong(&agents, ImportKind::Agents), [is("columns.2.field", Invalid), is("columns.3.field", Invalid)]);
        assert_eq!(wrong(&columns(&["phone", "name"]), ImportKind::Suppressions), [is("columns.1.field", Invalid)]);
    }

    #[test]
    fn a_second_column_for_one_value_is_refused() {
        let doubled = columns(&["phone", "phone", "city", "attributes.a", "attributes. a ", "city", "address", "address", "doNotCall", "doNotCall"]);
        let conflict = |index: usize| is(&format!("columns.{index}.field"), FieldErrorCode::Conflict);
        assert_eq!(wrong(&doubled, ImportKind::Contacts), [conflict(1), conflict(4), conflict(5)]);
        let message = &validate_mapping(&doubled, ImportKind::Contacts).unwrap_err()[2].message;
        assert!(message.starts_with("Another column is city already."), "{message}");
    }

    #[test]
    fn a_sixth_further_number_is_refused() {
        let mut fields = vec!["phone"];
        fields.resize(6, "alternatePhones");
        assert!(wrong(&columns(&fields), ImportKind::Contacts).is_empty());
        fields.push("alternatePhones");
        assert_eq!(wrong(&columns(&fields), ImportKind::Contacts), [is("columns.6.field", FieldErrorCode::LimitExceeded)]);
    }

    #[test]
    fn an_attribute_has_a_name_that_attributes_can_have() {
        let long = format!("attributes.{}", "x".repeat(65));
        assert_eq!(
            wrong(&columns(&["attributes.PK", "attributes.", &long, "attributes.ok"]), ImportKind::Contacts),
            [is("columns.0.field", FieldErrorCode::Invalid), is("columns.1.field", FieldErrorCode::Blank), is("columns.2.field", FieldErrorCode::TooLong)]
        );
    }

    #[test]
    fn a_default_stands_where_it_can_be_used() {
        let with = |field: &str, default: &str| ColumnMapping { default: Some(default.to_owned()), ..column(field) };
        assert_eq!(
            wrong(&[with("phone", "514-555-0123"), with("-", "x"), with("city", &"x".repeat(1_001)), with("country", "CA")], ImportKind::Contacts),
            [is("columns.0.default", FieldErrorCode::Invalid), is("columns.1.default", FieldErrorCode::Invalid), is("columns.2.default", FieldErrorCode::TooLong)]
        );
        assert_eq!(wrong(&[with("email", "zoe@example.com")], ImportKind::Agents), [is("columns.0.default", FieldErrorCode::Invalid)]);
        assert!(wrong(&[with("email", "zoe@example.com")], ImportKind::Contacts).is_empty());
    }

    #[test]
    fn what_no_row_can_do_without_is_named() {
        let missing = |fields: &[&str], kind| missing(&columns(fields), kind).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(missing(&["name", "-"], ImportKind::Contacts), ["phone"]);
        assert_eq!(missing(&["reason"], ImportKind::Suppressions), ["phone"]);
        assert_eq!(missing(&["team"], ImportKind::Agents), ["email", "name"]);
        assert_eq!(missing(&["lastName"], ImportKind::Agents), ["email"]);
        assert!(missing(&["firstName", "email"], ImportKind::Agents).is_empty() && missing(&["phone"], ImportKind::Contacts).is_empty());
    }
}
