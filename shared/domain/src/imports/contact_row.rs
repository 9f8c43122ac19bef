//! A row of an import of contacts: what its cells say, and the checked values of them.

use jiff::{Timestamp, civil};

use super::blank::{is_blank_name, is_blank_word};
use super::literal::from_cell;
use super::mapping::{ColumnMapping, Target};
use super::next_contact::{self, NextContact};
use super::options::{BlankCells, ImportOptions};
use super::row_statuses::RowStatuses;
use super::rows::{Row, RowProblem};
use super::yes_no::must_not_be_called;
use crate::contact::{AttributeValue, ContactDraft, ContactInput, Defaults, ValidatedDraft, Warning};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::StatusId;
use crate::{email, team, text};

/// What a row says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactRow {
    /// What it says of the contact itself.
    pub input: ContactInput,
    /// The address of the agent whose contact it becomes.
    pub assign_to: Option<String>,
    /// The name of the team in whose pool it comes.
    pub team: Option<String>,
    /// The code or the name of its status.
    pub status_code: Option<String>,
    /// When to call next, as clocks show it where the contact is. A moment stands in `input`.
    pub local_next_contact: Option<civil::DateTime>,
    /// Whether its number must not be called.
    pub do_not_call: Option<bool>,
    /// What the row empties: fields all of whose columns are blank, when blank cells clear. A first and a last name are the name.
    pub cleared: Vec<Target>,
    refused: Vec<Warning>,
}

/// The checked values of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedRow {
    /// What it says of the contact itself.
    pub draft: ContactDraft,
    /// The values that were set aside.
    pub warnings: Vec<Warning>,
    /// The address of the agent, in its one form. Whether there is such an agent is for the caller to find out.
    pub assign_to: Option<String>,
    /// The name of the team. Whether there is such a team is for the caller to find out.
    pub team: Option<String>,
    /// The status.
    pub status: Option<StatusId>,
    /// Whether the number must not be called.
    pub do_not_call: Option<bool>,
    /// What the row empties.
    pub cleared: Vec<Target>,
}

/// What a row says of a contact. A blank cell, which one that a short row doesn't have is too, takes its column's default; without one it gives nothing, and
/// empties the field when `options` say so. A number, a status and whether to call can't be emptied.
///
/// `now` only says which next contacts are too far ahead. Rows that are read several times are given the same one, so that they say the same.
///
/// # Errors
/// What is wrong with the row as it is written.
pub fn to_input(row: &Row, mapping: &[ColumnMapping], options: &ImportOptions, now: Timestamp) -> Result<ContactRow, RowProblem> {
    if let Some(problem) = row.problem {
        return Err(problem);
    }
    let mut said = ContactRow::default();
    let input = &mut said.input;
    let (mut first_name, mut last_name) = (None, None);
    for (index, column) in mapping.iter().enumerate() {
        let Some(target) = &column.field else { continue };
        let Some(cell) = value_of(column, target, row.cells.get(index).map(String::as_str)) else {
            if options.blank_cells == BlankCells::Clear
                && let Some(target) = emptied_by_blank(target)
                && !said.cleared.contains(&target)
            {
                said.cleared.push(target);
            }
            continue;
        };
        match target {
            Target::Phone => cell.clone_into(&mut input.phone),
            Target::AlternatePhones => input.alternate_phones.push(cell.to_owned()),
            Target::PhoneExtension => input.phone_extension = Some(cell.to_owned()),
            Target::FirstName => first_name = Some(cell),
            Target::LastName => last_name = Some(cell),
            Target::Name => input.name = Some(cell.to_owned()),
            Target::Email => input.email = Some(cell.to_owned()),
            Target::Address => input.address = Some(input.address.take().map_or_else(|| cell.to_owned(), |before| format!("{before}, {cell}"))),
            Target::City => input.city = Some(cell.to_owned()),
            Target::Region => input.region = Some(cell.to_owned()),
            Target::PostalCode => input.postal_code = Some(cell.to_owned()),
            Target::Country => input.country = Some(cell.to_owned()),
            Target::TimeZone => input.time_zone = Some(cell.to_owned()),
            Target::Source => input.source = Some(cell.to_owned()),
            Target::Attribute(name) => input.attributes.push((name.clone(), AttributeValue::String(cell.to_owned()))),
            Target::AssignTo => said.assign_to = Some(cell.to_owned()),
            Target::Team => said.team = Some(cell.to_owned()),
            Target::StatusCode => said.status_code = Some(cell.to_owned()),
            Target::NextContactAt => match next_contact::parse("nextContactAt", cell, now) {
                Ok(NextContact::At(at)) => input.next_contact_at = Some(at),
                Ok(NextContact::Local(local)) => said.local_next_contact = Some(local),
                Err(error) => said.refused.push(Warning { error, value: Some(cell.to_owned()) }),
            },
            Target::DoNotCall => match must_not_be_called(cell) {
                // Of several columns one that says so is enough.
                Some(answer) => said.do_not_call = Some(answer || said.do_not_call == Some(true)),
                None => {
                    let error = FieldError::new("doNotCall", FieldErrorCode::Invalid, "doNotCall is neither a yes nor a no. Write yes or no.");
                    said.refused.push(Warning { error, value: Some(cell.to_owned()) });
                }
            },
            // Those of other kinds of import, which a mapping of contacts doesn't have.
            Target::EmployeeId | Target::Role | Target::Reason | Target::ListedAt => {}
        }
    }
    input.name = whole_name(first_name, last_name, input.name.take(), mapping);
    let (has_name, has_address, has_alternates) = (input.name.is_some(), input.address.is_some(), !input.alternate_phones.is_empty());
    said.cleared.retain(|target| match target {
        Target::Name => !has_name,
        Target::Address => !has_address,
        Target::AlternatePhones => !has_alternates,
        _ => true,
    });
    Ok(said)
}

/// What a column says in a row: its cell, or its default when that is blank.
pub(super) fn value_of<'a>(column: &'a ColumnMapping, target: &Target, cell: Option<&'a str>) -> Option<&'a str> {
    let is_blank: fn(&str) -> bool = if matches!(target, Target::FirstName | Target::LastName | Target::Name) { is_blank_name } else { is_blank_word };
    match cell {
        Some(cell) if !is_blank(cell) => Some(from_cell(cell.trim(), is_blank)),
        _ => column.default.as_deref().map(str::trim).filter(|default| !default.is_empty()),
    }
}

/// The field that a blank cell empties, if it can be empty.
fn emptied_by_blank(target: &Target) -> Option<Target> {
    match target {
        Target::Phone | Target::StatusCode | Target::DoNotCall | Target::EmployeeId | Target::Role | Target::Reason | Target::ListedAt => None,
        Target::FirstName | Target::LastName | Target::Name => Some(Target::Name),
        target => Some(target.clone()),
    }
}

/// The name of who has these names. Without a whole one, a first and a last name are joined; a column "nom" beside a column "prénom" is the family name.
pub(super) fn whole_name(first_name: Option<&str>, last_name: Option<&str>, name: Option<String>, mapping: &[ColumnMapping]) -> Option<String> {
    match (first_name, name) {
        (first_name, None) => {
            let joined = [first_name, last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
            (!joined.is_empty()).then_some(joined)
        }
        (Some(first_name), Some(name)) if !mapping.iter().any(|column| column.field == Some(Target::LastName)) => Some(format!("{first_name} {name}")),
        (_, name) => name,
    }
}

impl ContactRow {
    /// Checks every value. A status that isn't one of the tenant's, a next contact that can't be read and a `doNotCall` that says neither yes nor no are optional
    /// values that aren't valid; what names an agent, a team or a status that can't be given costs the row, because nothing else can be meant.
    ///
    /// # Errors
    /// All that is wrong, each with its field.
    pub fn validate(&self, defaults: &Defaults, options: &ImportOptions, statuses: &RowStatuses) -> Result<ValidatedRow, Vec<FieldError>> {
        let mut errors = Vec::new();
        let assign_to = checked(&mut errors, self.assign_to.as_deref(), |text| email::normalise("assignTo", text));
        let team = checked(&mut errors, self.team.as_deref(), |name| text::line("team", name, team::NAME_LENGTH));
        let status = self.status_code.as_deref().map(|text| (text, statuses.named(text)));
        let unknown = status.as_ref().filter(|(_, named)| named.is_none()).map(|(text, _)| unknown_status(text));
        let status = checked(&mut errors, status.and_then(|(_, named)| named), |named| named.map(Some));
        let refused: Vec<Warning> = self.refused.iter().cloned().chain(unknown).collect();
        let ValidatedDraft { draft, warnings } = match ContactDraft::validate_beside(&self.input, &refused, defaults, options.on_invalid) {
            Ok(validated) if errors.is_empty() => validated,
            Ok(_) => return Err(errors),
            Err(wrong) => return Err([wrong, errors].concat()),
        };
        let draft = match self.local_next_contact {
            Some(local) => draft.with_local_next_contact(local),
            None => draft,
        };
        Ok(ValidatedRow { draft, warnings, assign_to, team, status, do_not_call: self.do_not_call, cleared: self.cleared.clone() })
    }

    /// What the row says in the field that an error names, as it came; none when it says nothing there, or several things.
    #[must_use]
    pub fn text_of(&self, field: &str) -> Option<&str> {
        let input = &self.input;
        match field {
            "phone" => Some(input.phone.as_str()).filter(|phone| !phone.is_empty()),
            "phoneExtension" => input.phone_extension.as_deref(),
            "name" => input.name.as_deref(),
            "email" => input.email.as_deref(),
            "address" => input.address.as_deref(),
            "city" => input.city.as_deref(),
            "region" => input.region.as_deref(),
            "postalCode" => input.postal_code.as_deref(),
            "country" => input.country.as_deref(),
            "timeZone" => input.time_zone.as_deref(),
            "source" => input.source.as_deref(),
            "assignTo" => self.assign_to.as_deref(),
            "team" => self.team.as_deref(),
            "statusCode" => self.status_code.as_deref(),
            _ => self.refused.iter().find(|refused| refused.error.field == field).and_then(|refused| refused.value.as_deref()),
        }
    }
}

/// A value by its rule, or what is wrong with it.
fn checked<T, U>(errors: &mut Vec<FieldError>, given: Option<T>, rule: impl FnOnce(T) -> Result<Option<U>, FieldError>) -> Option<U> {
    match rule(given?) {
        Ok(checked) => checked,
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

fn unknown_status(text: &str) -> Warning {
    let error = FieldError::new("statusCode", FieldErrorCode::NotFound, "statusCode is not one of your statuses. Give the code or the name of one, or add it first.");
    Warning { error, value: Some(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::row_statuses::tests::{id, seeded};
    use super::super::{ImportKind, map_columns, read_rows, sniff};
    use super::*;
    use crate::contact::{ContactDetails, OnInvalid};

    fn now() -> Timestamp {
        "2026-10-01T00:00:00Z".parse().unwrap()
    }

    fn clearing() -> ImportOptions {
        ImportOptions { blank_cells: BlankCells::Clear, ..ImportOptions::default() }
    }

    fn defaults() -> Defaults {
        Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() }
    }

    /// What the rows of a file say, its columns mapped by their names.
    fn said(text: &str, options: &ImportOptions) -> Vec<ContactRow> {
        let beginning = sniff(text.as_bytes(), true, "CA").unwrap();
        let mapping = map_columns(&beginning.columns, ImportKind::Contacts);
        let body = text.split_once('\n').unwrap().1;
        read_rows(body.as_bytes(), &beginning.dialect, 1).map(|row| to_input(&row, &mapping, options, now()).unwrap()).collect()
    }

    fn row(header: &str, cells: &str) -> ContactRow {
        said(&format!("phone;{header}\n514-555-0123;{cells}\n"), &ImportOptions::default()).remove(0)
    }

    fn statuses() -> RowStatuses {
        RowStatuses::of(&seeded()).unwrap()
    }

    fn validated(row: &ContactRow) -> ValidatedRow {
        row.validate(&defaults(), &ImportOptions::default(), &statuses()).unwrap()
    }

    fn wrong(row: &ContactRow, options: &ImportOptions) -> Vec<String> {
        row.validate(&defaults(), options, &statuses()).unwrap_err().into_iter().map(|error| error.field).collect()
    }

    fn details(row: ValidatedRow) -> ContactDetails {
        row.draft.into_details(&defaults(), id(0), None, None)
    }

    #[test]
    fn what_names_nobody_or_a_status_that_cannot_be_given_costs_the_row() {
        let options = ImportOptions::default();
        assert_eq!(wrong(&row("owner;team", &format!("Ada;{}", "x".repeat(101))), &options), ["assignTo", "team"]);
        assert_eq!(wrong(&row("status", "Converted"), &options), ["statusCode"]);
        let everything = said("phone;status;owner\n12;converted;Ada\n", &options).remove(0);
        assert_eq!(wrong(&everything, &options), ["phone", "assignTo", "statusCode"]);
        assert_eq!((everything.text_of("phone"), everything.text_of("assignTo"), everything.text_of("statusCode")), (Some("12"), Some("Ada"), Some("converted")));
    }

    #[test]
    fn other_values_that_are_not_valid_are_set_aside_or_refuse_the_row() {
        let row = row("status;next call;dnc", "Open;2/11/2026;perhaps");
        assert_eq!((row.input.next_contact_at, row.local_next_contact, row.do_not_call), (None, None, None));
        let validated = validated(&row);
        let warned: Vec<(&str, &str)> = validated.warnings.iter().map(|warning| (warning.error.field.as_str(), warning.value.as_deref().unwrap())).collect();
        assert_eq!(warned, [("nextContactAt", "2/11/2026"), ("doNotCall", "perhaps"), ("statusCode", "Open")]);
        assert_eq!((validated.status, validated.do_not_call), (None, None));
        let kept: Vec<String> = details(validated).attributes.into_keys().collect();
        assert_eq!(kept, ["doNotCall", "nextContactAt", "statusCode"]);
        let failing = ImportOptions { on_invalid: OnInvalid::Fail, ..ImportOptions::default() };
        assert_eq!(wrong(&row, &failing), ["nextContactAt", "doNotCall", "statusCode"]);
        assert_eq!((row.text_of("nextContactAt"), row.text_of("doNotCall"), row.text_of("alternatePhones")), (Some("2/11/2026"), Some("perhaps"), None));
    }

    #[test]
    fn whose_what_status_and_when_are_read() {
        let row = row("Conseiller;Équipe;Statut;Rappel;Ne pas appeler", "Ada@Example.com; Est ;In discussion;2026-11-02T10:30;non");
        let validated = validated(&row);
        assert_eq!((validated.assign_to.as_deref(), validated.team.as_deref()), (Some("ada@example.com"), Some("Est")));
        assert_eq!((validated.status, validated.do_not_call, validated.warnings.len()), (Some(id(3)), Some(false), 0));
        assert_eq!(details(validated).next_contact_at, Some("2026-11-02T15:30:00Z".parse().unwrap()));
    }

    #[test]
    fn of_several_lists_one_that_says_not_to_call_is_enough() {
        let said = |cells: &str| row("DNC;LNNTE", cells).do_not_call;
        assert_eq!((said(";"), said("no;"), said(";no"), said("no;no")), (None, Some(false), Some(false), Some(false)));
        assert_eq!((said("yes;no"), said("no;yes"), said("yes;"), said("no;LNNTE")), (Some(true), Some(true), Some(true), Some(true)));
    }

    #[test]
    fn a_next_contact_with_an_offset_is_a_moment_whatever_the_zone() {
        let row = row("next contact;time zone", "2026-11-02T10:30:00Z;America/Vancouver");
        assert_eq!(details(validated(&row)).next_contact_at, Some("2026-11-02T10:30:00Z".parse().unwrap()));
    }

    #[test]
    fn blank_cells_and_those_of_short_rows_clear_only_when_they_are_to() {
        let text = "phone,first name,last name,email,address 1,address 2,mobile,note,status,dnc\n1,,N/A,-,,,,null,,\n1\n1,Zoe,,a@b.ca,,Suite 2,2,x,New,no\n";
        for row in said(text, &ImportOptions::default()) {
            assert!(row.cleared.is_empty());
        }
        let rows = said(text, &clearing());
        let cleared = [Target::Name, Target::Email, Target::Address, Target::AlternatePhones, Target::Attribute("note".to_owned())];
        assert!(rows[0].cleared == cleared && rows[1].cleared == cleared && rows[2].cleared.is_empty(), "{rows:?}");
        assert_eq!((rows[2].input.name.as_deref(), rows[2].input.address.as_deref()), (Some("Zoe"), Some("Suite 2")));
    }

    #[test]
    fn a_column_has_a_default_for_blank_and_missing_cells_which_clears_nothing() {
        let mut mapping = map_columns(&["phone", "country", "name", "tags"].map(str::to_owned), ImportKind::Contacts);
        for (column, default) in mapping.iter_mut().zip([None, Some(" FR "), Some("Nobody"), Some(" ")]) {
            column.default = default.map(str::to_owned);
        }
        let read = |cells: &[&str]| {
            let row = Row { number: 1, cells: cells.iter().map(|cell| (*cell).to_owned()).collect(), problem: None };
            to_input(&row, &mapping, &clearing(), now()).unwrap()
        };
        for cells in [["1", "n/a", "-", "x"].as_slice(), &["1"]] {
            let row = read(cells);
            assert_eq!((row.input.country.as_deref(), row.input.name.as_deref()), (Some("FR"), Some("Nobody")), "{cells:?}");
        }
        assert_eq!(read(&["1", "CA", "Zoe", ""]).input.country.as_deref(), Some("CA"));
        assert_eq!(read(&["1"]).cleared, [Target::Attribute("tags".to_owned())]);
    }

    #[test]
    fn names_are_joined_in_either_language() {
        let options = ImportOptions::default();
        let names: Vec<Option<String>> = said("first name,last name,phone\nZoé,Roy,1\nZoé,,1\n,Roy,1\n", &options).into_iter().map(|row| row.input.name).collect();
        assert_eq!(names, [Some("Zoé Roy".to_owned()), Some("Zoé".to_owned()), Some("Roy".to_owned())]);
        assert_eq!(said("Prénom;Nom;Téléphone\nZoé;Roy;1\n", &options)[0].input.name.as_deref(), Some("Zoé Roy"));
    }

    #[test]
    fn words_for_nothing_give_nothing_but_to_a_person_called_so() {
        let options = ImportOptions::default();
        let input = &said("phone,name,city\n1,N/A,-\n", &options)[0].input;
        assert_eq!((input.name.as_ref(), input.city.as_ref()), (None, None));
        assert_eq!(said("first name,last name,phone\nNan,Weekly,1\n", &options)[0].input.name.as_deref(), Some("Nan Weekly"));
    }

    #[test]
    fn an_apostrophe_in_front_of_what_would_be_misread_is_no_part_of_it() {
        let input = said("phone,name,city,note\n'+15145550123,'=Zoe,'N/A,'tis\n", &ImportOptions::default()).remove(0).input;
        assert_eq!((input.phone.as_str(), input.name.as_deref(), input.city.as_deref()), ("+15145550123", Some("=Zoe"), Some("N/A")));
        assert_eq!(input.attributes, [("note".to_owned(), AttributeValue::String("'tis".to_owned()))]);
    }

    proptest! {
        /// A field is given or emptied, never both, and nothing that can't be empty is emptied.
        #[test]
        fn no_row_gives_what_it_empties(
            header in proptest::collection::vec("phone|mobile|name|first name|last name|address|email|owner|team|status|dnc|next call|tags|city", 1..10),
            cells in proptest::collection::vec("|-|N/A|x|yes|2026-11-02|a@b\\.ca", 0..12),
        ) {
            let mapping = map_columns(&header, ImportKind::Contacts);
            let row = Row { number: 1, cells, problem: None };
            let kept = to_input(&row, &mapping, &ImportOptions::default(), now()).unwrap();
            let said = to_input(&row, &mapping, &clearing(), now()).unwrap();
            prop_assert!(!said.cleared.iter().any(|target| matches!(target, Target::Phone | Target::StatusCode | Target::DoNotCall)));
            for target in &said.cleared {
                let name = target.to_string();
                prop_assert!(said.text_of(&name).is_none(), "{name}");
            }
            prop_assert_eq!(kept, ContactRow { cleared: Vec::new(), ..said });
        }
    }
}
