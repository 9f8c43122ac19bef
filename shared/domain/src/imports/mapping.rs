//! Which column of a file is what, told from its header in English and French.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::fold_alphanumeric;

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
/// A column nothing fits, kept as the tenant's own.
const OWN: f64 = 0.5;

/// Maps every column of a header. The first telephone column is the identity, further ones are further numbers; a second column for a field
/// that holds one value, and a column nothing fits, become attributes named by their header; a column without a name is left out. `attributes.` in
/// front of a name says that it is an attribute, whatever it sounds like.
#[must_use]
pub fn map_columns(header: &[String]) -> Vec<ColumnMapping> {
    let mut taken: Vec<Target> = Vec::new();
    let mut attributes: Vec<String> = Vec::new();
    header
        .iter()
        .map(|column| {
            if let Some(name) = named_attribute(column, &attributes) {
                attributes.push(name.clone());
                return ColumnMapping { column: column.clone(), field: Some(Target::Attribute(name)), confidence: EXACT };
            }
            let (target, confidence) = match recognise(column) {
                Some((Target::Phone, confidence)) if taken.contains(&Target::Phone) => (Some(Target::AlternatePhones), confidence.min(NUMBERED)),
                Some((target @ (Target::Address | Target::AlternatePhones), confidence)) => (Some(target), confidence),
                Some((target, confidence)) if !taken.contains(&target) => (Some(target), confidence),
                _ => (attribute(column, &mut attributes), OWN),
            };
            taken.extend(target.clone());
            ColumnMapping { column: column.clone(), field: target, confidence }
        })
        .collect()
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

fn attribute(column: &str, used: &mut Vec<String>) -> Option<Target> {
    let name: String = column.trim().chars().filter(|character| !character.is_control()).take(56).collect();
    let name = crate::contact::validate_name(&name).ok()?;
    let mut unique = name.clone();
    let mut count = 2;
    while used.contains(&unique) {
        unique = format!("{name} {count}");
        count += 1;
    }
    used.push(unique.clone());
    Some(Target::Attribute(unique))
}

fn recognise(column: &str) -> Option<(Target, f64)> {
    let folded = fold_alphanumeric(column);
    if let Some(target) = synonym(&folded) {
        return Some((target, EXACT));
    }
    let unnumbered = folded.trim_end_matches(|character: char| character.is_ascii_digit());
    if unnumbered.len() < folded.len() { synonym(unnumbered).map(|target| (target, NUMBERED)) } else { None }
}

fn synonym(folded: &str) -> Option<Target> {
    Some(match folded {
        "phone" | "phonenumber" | "phoneno" | "telephone" | "telephonenumber" | "tel" | "telno" | "mobile" | "mobilephone" | "mobilenumber" | "cell" | "cellphone"
        | "cellular" | "homephone" | "workphone" | "businessphone" | "primaryphone" | "mainphone" | "dayphone" | "eveningphone" | "daytimephone" | "contactnumber"
        | "contactphone" | "msisdn" | "numero" | "numerodetelephone" | "notelephone" | "notel" | "nodetelephone" | "ndetelephone" | "ntelephone" | "ntel"
        | "numerotelephone" | "telephoneprincipal" | "telephonemobile" | "telephonedomicile" | "telephonetravail" | "telephonebureau" | "teldomicile" | "telmobile"
        | "telbureau" | "portable" | "telephoneportable" | "cellulaire" | "phone1value" | "phonevalue" => Target::Phone,
        "alternatephone" | "alternatephones" | "otherphone" | "secondaryphone" | "altphone" | "autretelephone" | "telephonesecondaire" | "autrenumero" => {
            Target::AlternatePhones
        }
        "extension" | "ext" | "phoneextension" | "phoneext" | "poste" => Target::PhoneExtension,
        "firstname" | "fname" | "givenname" | "forename" | "first" | "prenom" => Target::FirstName,
        "lastname" | "lname" | "surname" | "familyname" | "last" | "nomdefamille" | "nomfamille" => Target::LastName,
        "name" | "fullname" | "contactname" | "contact" | "customername" | "clientname" | "leadname" | "displayname" | "nom" | "nomcomplet" | "nometprenom"
        | "prenometnom" | "nomprenom" | "prenomnom" | "nomducontact" | "nomduclient" => Target::Name,
        "email" | "emailaddress" | "mail" | "emailaddr" | "courriel" | "adressecourriel" | "adresseemail" | "adressemail" | "adresseelectronique" => Target::Email,
        "address" | "streetaddress" | "street" | "addressline" | "mailingaddress" | "homeaddress" | "adresse" | "rue" | "adressepostale" | "adressecivique" => {
            Target::Address
        }
        "city" | "town" | "municipality" | "ville" | "municipalite" | "localite" | "commune" => Target::City,
        "region" | "province" | "state" | "stateprovince" | "provincestate" | "county" | "etat" | "departement" | "prov" => Target::Region,
        "postalcode" | "postal" | "postcode" | "zip" | "zipcode" | "zippostalcode" | "postalzip" | "codepostal" | "cp" => Target::PostalCode,
        "country" | "countrycode" | "nation" | "pays" | "codepays" => Target::Country,
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
            ["phone", "email", "attributes.Email", "attributes.email", "attributes.note", "attributes.note 2", "-"]
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
