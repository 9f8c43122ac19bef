//! Which column of a file is what, told from its header in English and French, else from its values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ImportKind;
use super::blank::is_blank_word;
use super::errors_file::{ERROR_FIELD, ERROR_REASON};
use super::literal::from_cell;
use super::synonyms::{is_also_a_value, is_of_tags, known_as, synonym};
use crate::contact::MAX_ALTERNATE_PHONES;
use crate::text::fold_alphanumeric;
use crate::{email, phone};

/// What a column's values become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The number, which identifies a contact and an entry of the suppression list.
    Phone,
    /// A further number.
    AlternatePhones,
    /// The extension.
    PhoneExtension,
    /// The first name, joined before the last.
    FirstName,
    /// The last name.
    LastName,
    /// The whole name.
    Name,
    /// The e-mail address, which identifies an agent.
    Email,
    /// The street address; several are joined.
    Address,
    /// The city.
    City,
    /// Province, state, department.
    Region,
    /// The postal code.
    PostalCode,
    /// The country.
    Country,
    /// The time zone.
    TimeZone,
    /// Where the contact, or the entry of the suppression list, came from.
    Source,
    /// The e-mail address of the agent whose contact it becomes.
    AssignTo,
    /// The name of the team: in whose pool a contact comes, or that an agent is in.
    Team,
    /// The code or the name of the status.
    StatusCode,
    /// When to call next.
    NextContactAt,
    /// Whether the number must not be called.
    DoNotCall,
    /// An agent's number with the employer.
    EmployeeId,
    /// An agent's role.
    Role,
    /// Why a number is on the suppression list.
    Reason,
    /// Since when it is.
    ListedAt,
    /// A column of the tenant's own.
    Attribute(String),
}

/// The fields in their order, with their names in the API.
pub(super) const NAMED: [(Target, &str); 23] = [
    (Target::Phone, "phone"),
    (Target::AlternatePhones, "alternatePhones"),
    (Target::PhoneExtension, "phoneExtension"),
    (Target::FirstName, "firstName"),
    (Target::LastName, "lastName"),
    (Target::Name, "name"),
    (Target::Email, "email"),
    (Target::Address, "address"),
    (Target::City, "city"),
    (Target::Region, "region"),
    (Target::PostalCode, "postalCode"),
    (Target::Country, "country"),
    (Target::TimeZone, "timeZone"),
    (Target::Source, "source"),
    (Target::AssignTo, "assignTo"),
    (Target::Team, "team"),
    (Target::StatusCode, "statusCode"),
    (Target::NextContactAt, "nextContactAt"),
    (Target::DoNotCall, "doNotCall"),
    (Target::EmployeeId, "employeeId"),
    (Target::Role, "role"),
    (Target::Reason, "reason"),
    (Target::ListedAt, "listedAt"),
];

impl Target {
    /// Whether an import of this kind knows it.
    #[must_use]
    pub fn is_of(&self, kind: ImportKind) -> bool {
        match kind {
            ImportKind::Contacts => !matches!(self, Self::EmployeeId | Self::Role | Self::Reason | Self::ListedAt),
            ImportKind::Agents => matches!(self, Self::Name | Self::FirstName | Self::LastName | Self::Email | Self::EmployeeId | Self::Team | Self::Role),
            ImportKind::Suppressions => matches!(self, Self::Phone | Self::Country | Self::Reason | Self::Source | Self::ListedAt),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(formatter, "attributes.{name}"),
            named => formatter.write_str(NAMED.iter().find(|(target, _)| target == named).map_or("", |(_, name)| name)),
        }
    }
}

impl FromStr for Target {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(name) = text.strip_prefix("attributes.") {
            return Ok(Self::Attribute(name.to_owned()));
        }
        NAMED.iter().find(|(_, name)| *name == text).map(|(target, _)| target.clone()).ok_or(())
    }
}

impl Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|()| serde::de::Error::custom("not a field of an import"))
    }
}

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnMapping {
    /// The column's name in the header.
    pub column: String,
    /// What it becomes; none leaves it out.
    pub field: Option<Target>,
    /// How sure that is, from 0 to 1.
    pub confidence: f64,
    /// The value that a blank or missing cell of this column takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A header that says exactly this is what it says.
pub(super) const EXACT: f64 = 1.0;
/// A numbered or secondary column of a known kind.
const NUMBERED: f64 = 0.9;
/// A column that its values tell.
const BY_VALUES: f64 = 0.7;
/// A column nothing fits, kept as the tenant's own.
pub(super) const OWN: f64 = 0.5;

/// Maps every column of a header for an import of this kind.
///
/// Of contacts, the first telephone column is the identity, and as many further ones as a contact can have are further numbers; a second column for a field that
/// holds one value, and a column nothing fits, become attributes named by their header, with a number behind a name that an earlier column has; a column
/// without a name is left out. Columns that say who must not be called all count. `attributes.` in front of a name says that it is an attribute, whatever it
/// sounds like. What other kinds of import have no field for is left out.
#[must_use]
pub fn map_columns(header: &[String], kind: ImportKind) -> Vec<ColumnMapping> {
    let mut taken: Vec<Target> = Vec::new();
    let mut attributes: Vec<String> = Vec::new();
    let mut mapping = Vec::with_capacity(header.len());
    for (index, column) in header.iter().enumerate() {
        let (field, confidence) = match told_outright(column, kind, &attributes) {
            Some(told) => (told, EXACT),
            None => match recognise(column, kind) {
                Some((Target::Phone, confidence)) if kind == ImportKind::Contacts && taken.contains(&Target::Phone) && has_room(&taken) => {
                    (Some(Target::AlternatePhones), confidence.min(NUMBERED))
                }
                Some((Target::AlternatePhones, confidence)) if has_room(&taken) => (Some(Target::AlternatePhones), confidence),
                Some((target @ (Target::Address | Target::DoNotCall), confidence)) => (Some(target), confidence),
                Some((target, confidence)) if target != Target::AlternatePhones && !taken.contains(&target) => (Some(target), confidence),
                _ if kind == ImportKind::Contacts => (attribute(column, &header[..index], &attributes), OWN),
                _ => (None, OWN),
            },
        };
        if let Some(Target::Attribute(name)) = &field {
            attributes.push(name.clone());
        }
        taken.extend(field.clone());
        mapping.push(ColumnMapping { column: column.clone(), field, confidence, default: None });
    }
    mapping
}

/// Whether a contact can have one more further number than these columns give it.
fn has_room(taken: &[Target]) -> bool {
    taken.iter().filter(|target| **target == Target::AlternatePhones).count() < MAX_ALTERNATE_PHONES
}

/// What a column's name says outright: that it is an attribute, or what the file of failed rows added, which is left out.
fn told_outright(column: &str, kind: ImportKind, attributes: &[String]) -> Option<Option<Target>> {
    if [ERROR_FIELD, ERROR_REASON].iter().any(|name| column.trim().eq_ignore_ascii_case(name)) {
        return Some(None);
    }
    match kind {
        ImportKind::Contacts => named_attribute(column, attributes).map(|name| Some(Target::Attribute(name))),
        _ if column.trim().starts_with(ATTRIBUTE) => Some(None),
        _ => None,
    }
}

/// Maps the columns that no name tells by the values of a sample, as they are read in `country`: where four of five that aren't blank are telephone numbers, or
/// e-mail addresses, the column is one of them. One that there is already, and a number beyond those that a contact can have, stays what it was, and so do
/// the numbers of fax machines.
///
/// Programs export whose a contact is by name. Such a column becomes an attribute, unless it is called `assignTo`: only an address finds an agent.
pub(super) fn map_by_values(mapping: &mut [ColumnMapping], rows: &[Vec<String>], country: &str, kind: ImportKind) {
    let cells = |index: usize| rows.iter().filter_map(move |row| row.get(index)).filter(|cell| !is_blank_word(cell));
    for index in 0..mapping.len() {
        let column = &mapping[index];
        if column.field == Some(Target::AssignTo)
            && fold_alphanumeric(&column.column) != "assignto"
            && cells(index).next().is_some()
            && told_by_values(cells(index), country) != Some(Target::Email)
        {
            (mapping[index].field, mapping[index].confidence) = (attribute_at(mapping, index), OWN);
        }
    }
    for index in 0..mapping.len() {
        let column = &mapping[index];
        if column.confidence > OWN {
            continue;
        }
        let Some(target) = told_by_values(cells(index), country) else { continue };
        let count = |target: &Target| mapping.iter().filter(|column| column.field.as_ref() == Some(target)).count();
        let is_contacts = kind == ImportKind::Contacts;
        let target = match target {
            Target::Phone if is_fax(&column.column) => continue,
            Target::Phone if is_contacts && count(&Target::Phone) == 1 && count(&Target::AlternatePhones) < MAX_ALTERNATE_PHONES => Target::AlternatePhones,
            // The address of whose contact it is isn't the contact's.
            Target::Email if is_contacts && recognise(&column.column, kind).is_some_and(|(target, _)| target == Target::AssignTo) => Target::AssignTo,
            target => target,
        };
        if target.is_of(kind) && (target == Target::AlternatePhones || count(&target) == 0) {
            (mapping[index].field, mapping[index].confidence) = (Some(target), BY_VALUES);
        }
    }
}

/// What most of a column's values, which aren't blank, are.
fn told_by_values<'a>(cells: impl Iterator<Item = &'a String>, country: &str) -> Option<Target> {
    let (mut values, mut phones, mut emails) = (0_usize, 0_usize, 0_usize);
    for cell in cells {
        values += 1;
        phones += usize::from(is_phone(cell, country));
        emails += usize::from(is_email(cell));
    }
    let are_most = |count: usize| values > 0 && count * 5 >= values * 4;
    if are_most(phones) {
        Some(Target::Phone)
    } else if are_most(emails) {
        Some(Target::Email)
    } else {
        None
    }
}

/// Where numbers have eight digits, a date would be one.
fn is_phone(cell: &str, country: &str) -> bool {
    !is_date(cell.trim()) && phone::parse("phone", from_cell(cell.trim(), is_blank_word), country).is_ok()
}

/// Whether a text is a day in digits: `2026-11-02`, `2/11/2026`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_year_of_ours = |part: &str| part.starts_with("19") || part.starts_with("20");
    let is_written_so = match lengths[..] {
        [4, 1..=2, 1..=2] => is_year_of_ours(parts[0]),
        [1..=2, 1..=2, 4] => is_year_of_ours(parts[2]),
        _ => false,
    };
    is_written_so && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_email(cell: &str) -> bool {
    cell.contains('@') && matches!(email::normalise("email", from_cell(cell.trim(), is_blank_word)), Ok(Some(_)))
}

/// Whether a cell is a value that no header has.
pub(super) fn is_phone_or_email(cell: &str, country: &str) -> bool {
    is_phone(cell, country) || is_email(cell)
}

/// Whether a cell is the name of a column that is known, so that it stands in a header. Names that rows have as values, such as that of a role, tell nothing.
pub(super) fn is_known(cell: &str) -> bool {
    cell.trim().starts_with(ATTRIBUTE) || synonym(&fold_alphanumeric(cell)).is_some_and(|target| !is_also_a_value(&target))
}

fn is_fax(column: &str) -> bool {
    let folded = fold_alphanumeric(column);
    folded.contains("fax") || folded.contains("telecopie")
}

/// What stands in front of an attribute's name where a column says outright that it is one.
pub(super) const ATTRIBUTE: &str = "attributes.";

fn named_attribute(column: &str, used: &[String]) -> Option<String> {
    let name = crate::contact::validate_name(column.trim().strip_prefix(ATTRIBUTE)?).ok()?;
    (!used.contains(&name)).then_some(name)
}

/// The attribute of a column that nothing fits. When a column before it has its name, it is the second of the name.
fn attribute(column: &str, before: &[String], used: &[String]) -> Option<Target> {
    let name: String = column.trim().chars().filter(|character| !character.is_control()).take(56).collect();
    let name = crate::contact::validate_name(&name).ok()?;
    let mut count = 1 + before.iter().filter(|other| other.trim() == column.trim()).count();
    let numbered = |count: usize| if count == 1 { name.clone() } else { format!("{name} ({count})") };
    while used.contains(&numbered(count)) {
        count += 1;
    }
    Some(Target::Attribute(numbered(count)))
}

/// The same for a column of a header that was mapped.
pub(super) fn attribute_at(mapping: &[ColumnMapping], index: usize) -> Option<Target> {
    let before: Vec<String> = mapping[..index].iter().map(|column| column.column.clone()).collect();
    let names = mapping.iter().filter_map(|column| if let Some(Target::Attribute(name)) = &column.field { Some(name.clone()) } else { None });
    attribute(&mapping[index].column, &before, &names.collect::<Vec<_>>())
}

fn recognise(column: &str, kind: ImportKind) -> Option<(Target, f64)> {
    let folded = fold_alphanumeric(column);
    if kind == ImportKind::Contacts && is_of_tags(&folded) {
        return Some((Target::Attribute("tags".to_owned()), EXACT));
    }
    if let Some(target) = known_as(&folded, kind) {
        return Some((target, EXACT));
    }
    // Numbers stand at the end (`phone2`), or between the words of what there are several of (`Phone 1 - Value`).
    let unnumbered: String = folded.chars().filter(|character| !character.is_ascii_digit()).collect();
    if unnumbered.len() < folded.len() { known_as(&unnumbered, kind).map(|target| (target, NUMBERED)) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::mapping_check::validate_mapping;
    use super::*;

    fn mapped(header: &[&str]) -> Vec<String> {
        mapped_of(ImportKind::Contacts, header)
    }

    fn mapped_of(kind: ImportKind, header: &[&str]) -> Vec<String> {
        let header: Vec<String> = header.iter().map(|column| (*column).to_owned()).collect();
        map_columns(&header, kind).into_iter().map(|column| column.field.map_or("-".to_owned(), |field| field.to_string())).collect()
    }

    #[test]
    fn an_english_header_maps_itself() {
        assert_eq!(
            mapped(&["first_name", "last_name", "company_name", "address", "city", "province", "postal", "phone1", "phone2", "email", "web"]),
            ["firstName", "lastName", "attributes.company_name", "address", "city", "region", "postalCode", "phone", "alternatePhones", "email", "attributes.web"]
        );
    }

    #[test]
    fn a_french_header_maps_itself() {
        assert_eq!(
            mapped(&["Prénom", "Nom de famille", "Téléphone", "Cellulaire", "Courriel", "Adresse", "Ville", "Province", "Code postal", "Pays", "Provenance"]),
            ["firstName", "lastName", "phone", "alternatePhones", "email", "address", "city", "region", "postalCode", "country", "source"]
        );
    }

    #[test]
    fn repeated_and_nameless_columns_lose_nothing_and_invent_nothing() {
        assert_eq!(
            mapped(&["phone", "email", "Email", "email", "note", "note", ""]),
            ["phone", "email", "attributes.Email", "attributes.email (2)", "attributes.note", "attributes.note (2)", "-"]
        );
        assert_eq!(mapped(&["note (2)", "note", " note", "note"]), ["attributes.note (2)", "attributes.note", "attributes.note (3)", "attributes.note (4)"]);
    }

    fn mapped_by_values(header: &[&str], rows: &[&[&str]]) -> Vec<(String, f64)> {
        mapped_by_values_of(ImportKind::Contacts, header, rows)
    }

    fn mapped_by_values_of(kind: ImportKind, header: &[&str], rows: &[&[&str]]) -> Vec<(String, f64)> {
        let text = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<String>>();
        let mut mapping = map_columns(&text(header), kind);
        map_by_values(&mut mapping, &rows.iter().map(|row| text(row)).collect::<Vec<_>>(), "CA", kind);
        mapping.into_iter().map(|column| (column.field.map_or("-".to_owned(), |field| field.to_string()), column.confidence)).collect()
    }

    fn is(field: &str, confidence: f64) -> (String, f64) {
        (field.to_owned(), confidence)
    }

    #[test]
    fn a_column_of_numbers_or_of_addresses_is_one_whatever_its_name() {
        let rows: [&[&str]; 3] = [
            &["Zoe", "514-555-0123", "zoe@example.com", "514-555-0124", "x@example.com", "7"],
            &["Ada", "N/A", "'+ada@example.com", "", "-"],
            &["Bob", "+1 514 555 0125"],
        ];
        assert_eq!(
            mapped_by_values(&["a", "b", "c", "", "d", "e"], &rows),
            [is("attributes.a", 0.5), is("phone", 0.7), is("email", 0.7), is("alternatePhones", 0.7), is("attributes.d", 0.5), is("attributes.e", 0.5)]
        );
        assert_eq!(
            mapped_by_values(&["name", "Fax", "Email", "phone"], &rows),
            [is("name", 1.0), is("attributes.Fax", 0.5), is("email", 1.0), is("phone", 1.0)],
            "a name that is known stays what it says"
        );
        assert_eq!(mapped_by_values(&["a", "attributes.b"], &rows), [is("attributes.a", 0.5), is("attributes.b", 1.0)]);
    }

    #[test]
    fn four_values_of_five_tell_a_column() {
        let (number, other): (&[&str], &[&str]) = (&["514-555-0123"], &["ask"]);
        assert_eq!(mapped_by_values(&["a"], &[number, number, other, number, number]), [is("phone", 0.7)]);
        assert_eq!(mapped_by_values(&["a"], &[number, number, other, number]), [is("attributes.a", 0.5)]);
        assert_eq!(mapped_by_values(&["a"], &[&["N/A"], &[""]]), [is("attributes.a", 0.5)]);
        assert_eq!(mapped_by_values(&["a"], &[&["01 42 68 53 00"]]), [is("attributes.a", 0.5)], "a number as it is written in another country");
    }

    #[test]
    fn a_column_of_days_is_no_column_of_numbers_where_numbers_have_eight_digits() {
        for day in ["2026-11-02", "20/11/2026", "02.11.2026"] {
            assert!(is_date(day) && !is_phone(day, "DK"), "{day}");
        }
        for number in ["20-26-11-02", "2026 1102", "20261102", "514-555-0123"] {
            assert!(!is_date(number), "{number}");
        }
        assert!(is_phone("20 26 11 02", "DK"));
    }

    #[test]
    fn a_contact_has_no_more_numbers_by_values_than_it_can_have() {
        let row: Vec<&str> = vec!["514-555-0123"; 8];
        let header = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let fields: Vec<String> = mapped_by_values(&header, &[&row]).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields.iter().filter(|field| *field == "alternatePhones").count(), MAX_ALTERNATE_PHONES);
        assert_eq!((fields[0].as_str(), fields[7].as_str()), ("phone", "attributes.h"));
    }

    #[test]
    fn the_headers_of_other_programs_map_themselves() {
        assert_eq!(
            mapped(&["First Name", "Last Name", "E-mail 1 - Label", "E-mail 1 - Value", "Phone 1 - Label", "Phone 1 - Value", "Phone 2 - Value", "Address 1 - City"]),
            ["firstName", "lastName", "attributes.E-mail 1 - Label", "email", "attributes.Phone 1 - Label", "phone", "alternatePhones", "city"]
        );
        assert_eq!(
            mapped(&["Business Street", "Business City", "Business Country/Region", "Business Phone", "Mobile Phone", "E-mail Address", "Business Fax"]),
            ["address", "city", "country", "phone", "alternatePhones", "email", "attributes.Business Fax"]
        );
        assert_eq!(
            mapped(&["Record ID", "Phone Number", "Mobile Phone Number", "State/Region", "Country/Region", "Associated Company"]),
            ["attributes.Record ID", "phone", "alternatePhones", "region", "country", "attributes.Associated Company"]
        );
        assert_eq!(
            mapped(&["Mailing Street", "Mailing City", "Mailing State/Province", "Mailing Zip/Postal Code", "Mailing Country", "Phone", "Mobile"]),
            ["address", "city", "region", "postalCode", "country", "phone", "alternatePhones"]
        );
    }

    #[test]
    fn a_column_can_say_outright_that_it_is_an_attribute() {
        let long = format!("attributes.{}", "x".repeat(64));
        assert_eq!(
            mapped(&[
                "phone",
                "attributes.mobile",
                "attributes.first name",
                "attributes.attributes.a",
                " attributes. b ",
                long.as_str(),
                "attributes.PK",
                "attributes.b"
            ]),
            [
                "phone",
                "attributes.mobile",
                "attributes.first name",
                "attributes.attributes.a",
                "attributes.b",
                long.as_str(),
                "attributes.attributes.PK",
                "attributes.attributes.b"
            ]
        );
    }

    #[test]
    fn what_the_file_of_failed_rows_added_is_left_out_of_every_import() {
        let header = ["phone", "error_field", "Error_Reason ", "error"];
        assert_eq!(mapped(&header), ["phone", "-", "-", "attributes.error"]);
        assert_eq!(mapped_of(ImportKind::Suppressions, &header), ["phone", "-", "-", "-"]);
        assert_eq!(mapped_by_values(&["phone", "error_field"], &[&["514-555-0123", "514-555-0124"]]), [is("phone", 1.0), is("-", 1.0)]);
    }

    #[test]
    fn a_contact_has_no_more_numbers_by_name_than_it_can_have() {
        let fields = mapped(&["phone", "mobile", "alternate phone", "phone 3", "phone 4", "phone 5", "phone 6", "alternate phone 7"]);
        assert_eq!(fields.iter().filter(|field| *field == "alternatePhones").count(), MAX_ALTERNATE_PHONES);
        assert_eq!(fields[6..], ["attributes.phone 6", "attributes.alternate phone 7"]);
    }

    #[test]
    fn words_for_tags_are_the_attribute_tags_once() {
        assert_eq!(mapped(&["Labels", "tags", "Mots-clés", "tag 1"]), ["attributes.tags", "attributes.tags (2)", "attributes.Mots-clés", "attributes.tag 1"]);
        assert_eq!(mapped(&["attributes.tags", "Étiquettes"]), ["attributes.tags", "attributes.Étiquettes"]);
    }

    #[test]
    fn whose_a_contact_is_what_status_it_has_and_when_to_call_it_map_themselves() {
        assert_eq!(
            mapped(&["Téléphone", "Conseiller", "Équipe", "Statut", "Date de rappel", "Ne pas appeler", "Role", "Status"]),
            ["phone", "assignTo", "team", "statusCode", "nextContactAt", "doNotCall", "attributes.Role", "attributes.Status"]
        );
        assert_eq!(mapped(&["phone", "DNC", "LNNTE"]), ["phone", "doNotCall", "doNotCall"], "no list is left out");
    }

    #[test]
    fn other_kinds_of_import_leave_out_what_they_have_no_field_for() {
        assert_eq!(
            mapped_of(ImportKind::Agents, &["Matricule", "Prénom", "Nom de famille", "Courriel", "Équipe", "Rôle", "Ville", "phone", "attributes.a", "email"]),
            ["employeeId", "firstName", "lastName", "email", "team", "role", "-", "-", "-", "-"]
        );
        assert_eq!(
            mapped_of(ImportKind::Suppressions, &["phone", "phone 2", "Country", "Motif", "Source", "Date added", "name", "tags"]),
            ["phone", "-", "country", "reason", "source", "listedAt", "-", "-"]
        );
    }

    #[test]
    fn other_kinds_of_import_are_told_by_values_what_they_know() {
        let rows: [&[&str]; 2] = [&["514-555-0123", "zoe@example.com", "514-555-0124", "7"], &["514-555-0125", "ada@example.com", "514-555-0126", "8"]];
        let header = ["a", "b", "c", "d"];
        assert_eq!(mapped_by_values_of(ImportKind::Agents, &header, &rows), [is("-", 0.5), is("email", 0.7), is("-", 0.5), is("-", 0.5)]);
        assert_eq!(mapped_by_values_of(ImportKind::Suppressions, &header, &rows), [is("phone", 0.7), is("-", 0.5), is("-", 0.5), is("-", 0.5)]);
    }

    #[test]
    fn a_column_of_owners_by_name_is_no_column_of_agents() {
        let rows: [&[&str]; 2] = [&["514-555-0123", "Ada Roy", "ada@example.com"], &["514-555-0124", "Bob", "bob@example.com"]];
        assert_eq!(
            mapped_by_values(&["phone", "Owner", "Owner email"], &rows),
            [is("phone", 1.0), is("attributes.Owner", 0.5), is("assignTo", 0.7)],
            "and the address of an owner isn't the contact's"
        );
        assert_eq!(mapped_by_values(&["phone", "assignTo"], &rows)[1], is("assignTo", 1.0));
        let by_address: [&[&str]; 1] = [&["514-555-0123", "ada@example.com"]];
        assert_eq!(mapped_by_values(&["phone", "Agent"], &by_address)[1], is("assignTo", 1.0));
        assert_eq!(mapped_by_values(&["phone", "Agent"], &[&["514-555-0123", ""]])[1], is("assignTo", 1.0));
    }

    #[test]
    fn a_name_that_rows_have_as_a_value_makes_no_header() {
        for value in ["owner", "Agent", "new status", "team", "Rappel", "role"] {
            assert!(!is_known(value), "{value}");
        }
        assert!(is_known("Téléphone") && is_known("attributes.owner") && is_known("name"));
    }

    #[test]
    fn a_default_is_written_down_and_none_leaves_no_trace() {
        let mut column = map_columns(&["phone".to_owned()], ImportKind::Contacts).remove(0);
        assert_eq!(serde_json::to_string(&column).unwrap(), r#"{"column":"phone","field":"phone","confidence":1.0}"#);
        column.default = Some("CA".to_owned());
        let text = serde_json::to_string(&column).unwrap();
        assert_eq!(serde_json::from_str::<ColumnMapping>(&text).unwrap(), column);
    }

    proptest! {
        #[test]
        fn every_header_maps_within_the_rules_of_its_kind(
            header in vec("(phone|mobile|alternate phone|name|owner|owner email|team|status|dnc|tags|labels|note|attributes\\.a|error_field|email|address|role|matricule|date)?( [1-9])?|\\PC{0,12}", 0..14),
            rows in vec(vec("(514-555-01[0-9]{2}|[a-c]@example\\.com|[a-z]{0,5})", 0..14), 0..6),
            kind in select(vec![ImportKind::Contacts, ImportKind::Agents, ImportKind::Suppressions]),
        ) {
            let mut mapping = map_columns(&header, kind);
            map_by_values(&mut mapping, &rows, "CA", kind);
            prop_assert_eq!(mapping.iter().map(|column| column.column.clone()).collect::<Vec<_>>(), header);
            prop_assert_eq!(validate_mapping(&mapping, kind), Ok(()));
        }
    }

    #[test]
    fn every_target_reads_back_from_its_name() {
        for (target, name) in NAMED {
            assert_eq!((target.to_string().as_str(), name.parse()), (name, Ok(target)));
        }
        assert_eq!("attributes.Favourite colour".parse(), Ok(Target::Attribute("Favourite colour".to_owned())));
        assert_eq!("PK".parse::<Target>(), Err(()));
    }
}
