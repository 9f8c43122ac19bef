//! Which column of a file is what, told from its header in English and French, else from its values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::blank::is_blank_word;
use super::literal::from_cell;
use crate::contact::MAX_ALTERNATE_PHONES;
use crate::text::fold_alphanumeric;
use crate::{email, phone};

/// What a column's values become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The number that identifies the contact.
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
    /// The e-mail address.
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
    /// Where the contact came from.
    Source,
    /// A column of the tenant's own.
    Attribute(String),
}

const NAMED: [(Target, &str); 14] = [
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
];

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
}

/// A header that says exactly this is what it says.
const EXACT: f64 = 1.0;
/// A numbered or secondary column of a known kind.
const NUMBERED: f64 = 0.9;
/// A column that its values tell.
const BY_VALUES: f64 = 0.7;
/// A column nothing fits, kept as the tenant's own.
const OWN: f64 = 0.5;

/// Maps every column of a header. The first telephone column is the identity, further ones are further numbers; a second column for a field
/// that holds one value, and a column nothing fits, become attributes named by their header, with a number behind a name that an earlier column has; a
/// column without a name is left out. `attributes.` in front of a name says that it is an attribute, whatever it sounds like.
#[must_use]
pub fn map_columns(header: &[String]) -> Vec<ColumnMapping> {
    let mut taken: Vec<Target> = Vec::new();
    let mut attributes: Vec<String> = Vec::new();
    header
        .iter()
        .enumerate()
        .map(|(index, column)| {
            if let Some(name) = named_attribute(column, &attributes) {
                attributes.push(name.clone());
                return ColumnMapping { column: column.clone(), field: Some(Target::Attribute(name)), confidence: EXACT };
            }
            let (target, confidence) = match recognise(column) {
                Some((Target::Phone, confidence)) if taken.contains(&Target::Phone) => (Some(Target::AlternatePhones), confidence.min(NUMBERED)),
                Some((target @ (Target::Address | Target::AlternatePhones), confidence)) => (Some(target), confidence),
                Some((target, confidence)) if !taken.contains(&target) => (Some(target), confidence),
                _ => (attribute(column, &header[..index], &mut attributes), OWN),
            };
            taken.extend(target.clone());
            ColumnMapping { column: column.clone(), field: target, confidence }
        })
        .collect()
}

/// Maps the columns that no name tells by the values of a sample, as they are read in `country`: where four of five that aren't blank are telephone numbers, or
/// e-mail addresses, the column is one of them. One that there is already, and a number beyond those that a contact can have, stays an attribute, and so do
/// the numbers of fax machines.
pub(super) fn map_by_values(mapping: &mut [ColumnMapping], rows: &[Vec<String>], country: &str) {
    for index in 0..mapping.len() {
        if mapping[index].confidence > OWN {
            continue;
        }
        let Some(target) = told_by_values(rows.iter().filter_map(|row| row.get(index)), country) else { continue };
        let count = |target: &Target| mapping.iter().filter(|column| column.field.as_ref() == Some(target)).count();
        let target = match target {
            Target::Phone if is_fax(&mapping[index].column) => continue,
            Target::Phone if count(&Target::Phone) == 1 && count(&Target::AlternatePhones) < MAX_ALTERNATE_PHONES => Target::AlternatePhones,
            target if count(&target) == 0 => target,
            _ => continue,
        };
        (mapping[index].field, mapping[index].confidence) = (Some(target), BY_VALUES);
    }
}

/// What most of a column's values are.
fn told_by_values<'a>(cells: impl Iterator<Item = &'a String>, country: &str) -> Option<Target> {
    let (mut values, mut phones, mut emails) = (0_usize, 0_usize, 0_usize);
    for cell in cells.filter(|cell| !is_blank_word(cell)) {
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

/// Whether a cell is the name of a column that is known, so that it stands in a header.
pub(super) fn is_known(cell: &str) -> bool {
    cell.trim().starts_with(ATTRIBUTE) || synonym(&fold_alphanumeric(cell)).is_some()
}

fn is_fax(column: &str) -> bool {
    let folded = fold_alphanumeric(column);
    folded.contains("fax") || folded.contains("telecopie")
}

/// The column whose values identify contacts, if there is one.
#[must_use]
pub fn phone_column(mapping: &[ColumnMapping]) -> Option<usize> {
    mapping.iter().position(|column| column.field == Some(Target::Phone))
}

/// What stands in front of an attribute's name where a column says outright that it is one.
pub(super) const ATTRIBUTE: &str = "attributes.";

fn named_attribute(column: &str, used: &[String]) -> Option<String> {
    let name = crate::contact::validate_name(column.trim().strip_prefix(ATTRIBUTE)?).ok()?;
    (!used.contains(&name)).then_some(name)
}

/// The attribute of a column that nothing fits. When a column before it has its name, it is the second of the name.
fn attribute(column: &str, before: &[String], used: &mut Vec<String>) -> Option<Target> {
    let name: String = column.trim().chars().filter(|character| !character.is_control()).take(56).collect();
    let name = crate::contact::validate_name(&name).ok()?;
    let mut count = 1 + before.iter().filter(|other| other.trim() == column.trim()).count();
    let numbered = |count: usize| if count == 1 { name.clone() } else { format!("{name} ({count})") };
    while used.contains(&numbered(count)) {
        count += 1;
    }
    let unique = numbered(count);
    used.push(unique.clone());
    Some(Target::Attribute(unique))
}

fn recognise(column: &str) -> Option<(Target, f64)> {
    let folded = fold_alphanumeric(column);
    if let Some(target) = synonym(&folded) {
        return Some((target, EXACT));
    }
    // Numbers stand at the end (`phone2`), or between the words of what there are several of (`Phone 1 - Value`).
    let unnumbered: String = folded.chars().filter(|character| !character.is_ascii_digit()).collect();
    if unnumbered.len() < folded.len() { synonym(&unnumbered).map(|target| (target, NUMBERED)) } else { None }
}

fn synonym(folded: &str) -> Option<Target> {
    Some(match folded {
        "phone" | "phonenumber" | "phoneno" | "telephone" | "telephonenumber" | "tel" | "telno" | "mobile" | "mobilephone" | "mobilenumber" | "cell" | "cellphone"
        | "cellular" | "homephone" | "workphone" | "businessphone" | "primaryphone" | "mainphone" | "dayphone" | "eveningphone" | "daytimephone" | "contactnumber"
        | "contactphone" | "msisdn" | "numero" | "numerodetelephone" | "notelephone" | "notel" | "nodetelephone" | "ndetelephone" | "ntelephone" | "ntel"
        | "numerotelephone" | "telephoneprincipal" | "telephonemobile" | "telephonedomicile" | "telephonetravail" | "telephonebureau" | "teldomicile" | "telmobile"
        | "telbureau" | "portable" | "telephoneportable" | "cellulaire" | "phonevalue" | "mobilephonenumber" | "homephonenumber" | "workphonenumber" => Target::Phone,
        "alternatephone" | "alternatephones" | "otherphone" | "secondaryphone" | "altphone" | "autretelephone" | "telephonesecondaire" | "autrenumero" => {
            Target::AlternatePhones
        }
        "extension" | "ext" | "phoneextension" | "phoneext" | "poste" => Target::PhoneExtension,
        "firstname" | "fname" | "givenname" | "forename" | "first" | "prenom" => Target::FirstName,
        "lastname" | "lname" | "surname" | "familyname" | "last" | "nomdefamille" | "nomfamille" => Target::LastName,
        "name" | "fullname" | "contactname" | "contact" | "customername" | "clientname" | "leadname" | "displayname" | "nom" | "nomcomplet" | "nometprenom"
        | "prenometnom" | "nomprenom" | "prenomnom" | "nomducontact" | "nomduclient" => Target::Name,
        "email" | "emailaddress" | "mail" | "emailaddr" | "courriel" | "adressecourriel" | "adresseemail" | "adressemail" | "adresseelectronique" | "emailvalue" => {
            Target::Email
        }
        "address" | "streetaddress" | "street" | "addressline" | "mailingaddress" | "homeaddress" | "adresse" | "rue" | "adressepostale" | "adressecivique"
        | "addressstreet" | "mailingstreet" | "businessstreet" => Target::Address,
        "city" | "town" | "municipality" | "ville" | "municipalite" | "localite" | "commune" | "addresscity" | "mailingcity" | "businesscity" => Target::City,
        "region"
        | "province"
        | "state"
        | "stateprovince"
        | "provincestate"
        | "county"
        | "etat"
        | "departement"
        | "prov"
        | "stateregion"
        | "addressregion"
        | "mailingstate"
        | "mailingstateprovince"
        | "businessstate" => Target::Region,
        "postalcode"
        | "postal"
        | "postcode"
        | "zip"
        | "zipcode"
        | "zippostalcode"
        | "postalzip"
        | "codepostal"
        | "cp"
        | "addresspostalcode"
        | "mailingpostalcode"
        | "mailingzippostalcode"
        | "businesspostalcode" => Target::PostalCode,
        "country" | "countrycode" | "nation" | "pays" | "codepays" | "countryregion" | "addresscountry" | "mailingcountry" | "businesscountryregion" => Target::Country,
        "timezone" | "tz" | "fuseauhoraire" | "fuseau" => Target::TimeZone,
        "source" | "leadsource" | "leadorigin" | "origin" | "origine" | "provenance" | "sourcedulead" => Target::Source,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(header: &[&str]) -> Vec<String> {
        let header: Vec<String> = header.iter().map(|column| (*column).to_owned()).collect();
        map_columns(&header).into_iter().map(|column| column.field.map_or("-".to_owned(), |field| field.to_string())).collect()
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
        let text = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<String>>();
        let mut mapping = map_columns(&text(header));
        map_by_values(&mut mapping, &rows.iter().map(|row| text(row)).collect::<Vec<_>>(), "CA");
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
    fn without_a_phone_there_is_no_identity() {
        let header: Vec<String> = ["name", "city"].map(str::to_owned).to_vec();
        assert_eq!(phone_column(&map_columns(&header)), None);
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
