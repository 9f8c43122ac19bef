//! From what somebody typed or a file says to a contact: every value checked, and merged into what is already there.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};

use super::attributes::{self, AttributeValue, Attributes, validate_all};
use super::{ContactDetails, ContactTimeZone, MAX_ALTERNATE_PHONES, TimeZoneSource};
use crate::clock::to_millisecond;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::{AgentId, StatusId, TeamId};
use crate::phone::Phone;
use crate::{email, phone, postal_code, text};

/// Values as they came. Serialised, a value that isn't given leaves no trace, so that a new field changes no older request's form.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ContactInput {
    /// The number that identifies the contact.
    pub phone: String,
    /// Digits of the extension, when they came apart from the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_extension: Option<String>,
    /// Further numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternate_phones: Vec<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The street address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Province, state, department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// IANA time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Where the contact came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The tenant's own columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<(String, AttributeValue)>,
    /// When to call next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_contact_at: Option<Timestamp>,
}

/// What stands in for what wasn't given.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The tenant's country.
    pub country: String,
    /// The tenant's time zone.
    pub time_zone: String,
}

/// What to do with an optional value that isn't valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnInvalid {
    /// Leave the field empty, keep the text as an attribute named after the field, and warn.
    Warn,
    /// Refuse the whole.
    Fail,
}

/// Checked values; what wasn't given is absent.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactDraft {
    /// The number.
    pub phone: Phone,
    alternate_phones: Vec<String>,
    name: Option<String>,
    email: Option<String>,
    address: Option<String>,
    city: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
    time_zone: Option<String>,
    source: Option<String>,
    attributes: Attributes,
    next_contact: Option<NextContact>,
}

/// When to call next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum NextContact {
    /// At this moment.
    At(Timestamp),
    /// When clocks show this where the contact is.
    Local(civil::DateTime),
}

impl NextContact {
    /// The moment for who lives in this time zone. A time that clocks skip there is as much later as they do, and of one that they show twice it is the
    /// first.
    fn in_zone(self, zone: &str) -> Option<Timestamp> {
        let at = match self {
            Self::At(at) => Some(at),
            Self::Local(local) => TimeZone::get(zone).and_then(|zone| zone.to_timestamp(local)).ok(),
        };
        at.map(to_millisecond)
    }
}

/// A draft with the warnings about values that were set aside.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedDraft {
    /// The checked values.
    pub draft: ContactDraft,
    /// One for each value set aside; empty unless [`OnInvalid::Warn`].
    pub warnings: Vec<Warning>,
}

/// A value that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What is wrong with it.
    pub error: FieldError,
    /// The value as it came.
    pub value: Option<String>,
}

impl ContactDraft {
    /// Checks every value.
    ///
    /// # Errors
    /// All that is wrong, each with its field: the phone always, the other values unless `on_invalid` sets them aside.
    pub fn validate(input: &ContactInput, defaults: &Defaults, on_invalid: OnInvalid) -> Result<ValidatedDraft, Vec<FieldError>> {
        Self::validate_beside(input, &[], defaults, on_invalid)
    }

    /// The same of values beside which others came that aren't valid (`refused`): they are set aside, or refuse the whole, as those of the contact are.
    ///
    /// # Errors
    /// As [`Self::validate`].
    pub fn validate_beside(input: &ContactInput, refused: &[Warning], defaults: &Defaults, on_invalid: OnInvalid) -> Result<ValidatedDraft, Vec<FieldError>> {
        let mut check = Check { on_invalid, errors: Vec::new(), warnings: Vec::new(), set_aside: Vec::new() };
        let country = check.optional("country", input.country.as_deref(), country);
        let parsed = phone::parse("phone", &input.phone, country.as_deref().unwrap_or(&defaults.country));
        let Ok(mut main) = parsed else {
            check.errors.extend(parsed.err());
            return Err(check.errors);
        };
        if let Some(extension) = check.optional("phoneExtension", input.phone_extension.as_deref(), extension) {
            main.extension = Some(extension);
        }
        let effective_country = country.clone().or_else(|| main.country.clone()).unwrap_or_else(|| defaults.country.clone());
        let alternate_phones = check.alternates(&input.alternate_phones, &effective_country, &main.e164);
        let mut draft = Self {
            alternate_phones,
            name: check.optional("name", input.name.as_deref(), |field, value| text::line(field, value, text::NAME_LENGTH)),
            email: check.optional("email", input.email.as_deref(), email::normalise),
            address: check.optional("address", input.address.as_deref(), |field, value| text::line(field, value, text::NAME_LENGTH)),
            city: check.optional("city", input.city.as_deref(), |field, value| text::line(field, value, text::PLACE_LENGTH)),
            region: check.optional("region", input.region.as_deref(), |field, value| text::line(field, value, text::PLACE_LENGTH)),
            postal_code: check.optional("postalCode", input.postal_code.as_deref(), |field, value| postal_code::normalise(field, value, &effective_country)),
            country,
            time_zone: check.optional("timeZone", input.time_zone.as_deref(), time_zone),
            source: check.optional("source", input.source.as_deref(), |field, value| text::line(field, value, text::PLACE_LENGTH)),
            next_contact: input.next_contact_at.map(NextContact::At),
            attributes: Attributes::new(),
            phone: main,
        };
        for Warning { error, value } in refused {
            check.refuse(error.clone(), value.as_deref().unwrap_or_default());
        }
        draft.attributes = check.attributes(&input.attributes);
        if check.errors.is_empty() { Ok(ValidatedDraft { draft, warnings: check.warnings }) } else { Err(check.errors) }
    }

    /// The same, with the time of the next contact as clocks show it where the contact is.
    #[must_use]
    pub fn with_local_next_contact(self, local: civil::DateTime) -> Self {
        Self { next_contact: Some(NextContact::Local(local)), ..self }
    }

    /// The details of a new contact.
    #[must_use]
    pub fn into_details(self, defaults: &Defaults, status: StatusId, assignee: Option<AgentId>, team: Option<TeamId>) -> ContactDetails {
        let country = self.country.or(self.phone.country).unwrap_or_else(|| defaults.country.clone());
        let time_zone = match self.time_zone {
            Some(name) => ContactTimeZone { name, source: TimeZoneSource::Given },
            None => ContactTimeZone::derived(Some(&country), self.postal_code.as_deref(), &self.phone.e164, defaults),
        };
        ContactDetails {
            next_contact_at: self.next_contact.and_then(|next| next.in_zone(&time_zone.name)),
            country: Some(country),
            phone: self.phone.e164,
            phone_extension: self.phone.extension,
            alternate_phones: self.alternate_phones,
            name: self.name,
            email: self.email,
            address: self.address,
            city: self.city,
            region: self.region,
            postal_code: self.postal_code,
            time_zone,
            source: self.source,
            attributes: self.attributes,
            status,
            assignee,
            team,
        }
    }

    /// The details of an existing contact with every value that was given; what wasn't stays. A time zone that nobody gave follows the postal
    /// code.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` when the contact would have too many attributes, or too long ones.
    pub fn merged_into(self, existing: &ContactDetails, defaults: &Defaults) -> Result<ContactDetails, FieldError> {
        let mut attributes = existing.attributes.clone();
        attributes.extend(self.attributes);
        validate_all(&attributes)?;
        let country = self.country.or_else(|| existing.country.clone());
        let postal_code = self.postal_code.or_else(|| existing.postal_code.clone());
        let time_zone = match self.time_zone {
            Some(name) => ContactTimeZone { name, source: TimeZoneSource::Given },
            None if existing.time_zone.source == TimeZoneSource::Given => existing.time_zone.clone(),
            None => ContactTimeZone::derived(country.as_deref(), postal_code.as_deref(), &existing.phone, defaults),
        };
        Ok(ContactDetails {
            next_contact_at: self.next_contact.and_then(|next| next.in_zone(&time_zone.name)).or(existing.next_contact_at),
            phone: existing.phone.clone(),
            phone_extension: self.phone.extension.or_else(|| existing.phone_extension.clone()),
            alternate_phones: if self.alternate_phones.is_empty() { existing.alternate_phones.clone() } else { self.alternate_phones },
            name: self.name.or_else(|| existing.name.clone()),
            email: self.email.or_else(|| existing.email.clone()),
            address: self.address.or_else(|| existing.address.clone()),
            city: self.city.or_else(|| existing.city.clone()),
            region: self.region.or_else(|| existing.region.clone()),
            postal_code,
            country,
            time_zone,
            source: self.source.or_else(|| existing.source.clone()),
            attributes,
            status: existing.status,
            assignee: existing.assignee,
            team: existing.team,
        })
    }
}

/// Collects errors and warnings while values are checked.
struct Check {
    on_invalid: OnInvalid,
    errors: Vec<FieldError>,
    warnings: Vec<Warning>,
    set_aside: Vec<(String, String)>,
}

impl Check {
    fn optional(&mut self, field: &str, value: Option<&str>, rule: impl FnOnce(&str, &str) -> Result<Option<String>, FieldError>) -> Option<String> {
        let value = value?;
        match rule(field, value) {
            Ok(checked) => checked,
            Err(error) => {
                self.refuse(error, value);
                None
            }
        }
    }

    fn refuse(&mut self, error: FieldError, value: &str) {
        match self.on_invalid {
            OnInvalid::Fail => self.errors.push(error),
            OnInvalid::Warn => {
                self.set_aside.push((error.field.clone(), value.to_owned()));
                self.warnings.push(Warning { error, value: Some(value.to_owned()) });
            }
        }
    }

    fn alternates(&mut self, values: &[String], country: &str, main: &str) -> Vec<String> {
        let mut phones: Vec<String> = Vec::new();
        for value in values.iter().filter(|value| !value.trim().is_empty()) {
            match phone::parse("alternatePhones", value, country) {
                Ok(parsed) if parsed.e164 == main || phones.contains(&parsed.e164) => {}
                Ok(_) if phones.len() == MAX_ALTERNATE_PHONES => {
                    let message = format!("A contact has at most {MAX_ALTERNATE_PHONES} further numbers. Remove some.");
                    self.refuse(FieldError::new("alternatePhones", FieldErrorCode::LimitExceeded, message), value);
                }
                Ok(parsed) => phones.push(parsed.e164),
                Err(error) => self.refuse(error, value),
            }
        }
        phones
    }

    fn attributes(&mut self, given: &[(String, AttributeValue)]) -> Attributes {
        let mut attributes = Attributes::new();
        for (name, value) in given {
            match attributes::validate_name(name).and_then(|name| Ok((attributes::validate_value(&name, value.clone())?, name))) {
                Ok((Some(value), name)) => {
                    attributes.insert(name, value);
                }
                Ok((None, _)) => {}
                Err(error) => match self.on_invalid {
                    OnInvalid::Fail => self.errors.push(error),
                    OnInvalid::Warn => self.warnings.push(Warning { error, value: None }),
                },
            }
        }
        for (field, value) in std::mem::take(&mut self.set_aside) {
            let mut kept = match attributes.remove(&field) {
                Some(AttributeValue::String(before)) => format!("{before}, {value}"),
                _ => value,
            };
            kept.retain(|character| !character.is_control());
            attributes.insert(field, AttributeValue::String(kept.chars().take(text::ATTRIBUTE_VALUE_LENGTH).collect()));
        }
        if let Err(error) = validate_all(&attributes) {
            match self.on_invalid {
                OnInvalid::Fail => self.errors.push(error),
                OnInvalid::Warn => {
                    self.warnings.push(Warning { error, value: None });
                    while validate_all(&attributes).is_err() {
                        attributes.pop_last();
                    }
                }
            }
        }
        attributes
    }
}

pub(crate) fn country(field: &str, value: &str) -> Result<Option<String>, FieldError> {
    let Some(line) = text::line(field, value, text::PLACE_LENGTH)? else {
        return Ok(None);
    };
    let code = line.to_uppercase();
    if phone::is_country(&code) {
        return Ok(Some(code));
    }
    let named = match text::fold_alphanumeric(&line).as_str() {
        "canada" | "can" => "CA",
        "usa" | "unitedstates" | "unitedstatesofamerica" | "etatsunis" => "US",
        "france" | "fra" => "FR",
        "unitedkingdom" | "uk" | "gbr" | "greatbritain" | "royaumeuni" => "GB",
        _ => return Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not a country. Give its two-letter code, such as CA."))),
    };
    Ok(Some(named.to_owned()))
}

pub(super) fn extension(field: &str, value: &str) -> Result<Option<String>, FieldError> {
    let Some(line) = text::line(field, value, text::PLACE_LENGTH)? else {
        return Ok(None);
    };
    if line.len() <= 20 && line.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(line));
    }
    Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not an extension. Give its digits only.")))
}

pub(super) fn time_zone(field: &str, value: &str) -> Result<Option<String>, FieldError> {
    let Some(line) = text::line(field, value, text::PLACE_LENGTH)? else {
        return Ok(None);
    };
    let zone = jiff::tz::TimeZone::get(&line).ok();
    match zone.as_ref().and_then(|zone| zone.iana_name()) {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not an IANA time zone. Give one such as America/Toronto."))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn defaults() -> Defaults {
        Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() }
    }

    fn input(phone: &str) -> ContactInput {
        ContactInput { phone: phone.to_owned(), ..ContactInput::default() }
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    pub(in super::super) fn details() -> ContactDetails {
        ContactDraft::validate(&input("514-555-0123"), &defaults(), OnInvalid::Fail).unwrap().draft.into_details(
            &defaults(),
            StatusId::new(Timestamp::UNIX_EPOCH, &[0; 10]),
            None,
            None,
        )
    }

    #[test]
    fn every_wrong_value_is_named_at_once() {
        let wrong = ContactInput {
            email: some("nobody"),
            postal_code: some("D1D 1D1"),
            city: some(&"x".repeat(101)),
            time_zone: some("Mars/Olympus"),
            country: some("Atlantis"),
            ..input("514-555-0123")
        };
        let errors = ContactDraft::validate(&wrong, &defaults(), OnInvalid::Fail).unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["country", "email", "city", "postalCode", "timeZone"]);
    }

    #[test]
    fn set_aside_values_stay_as_attributes_with_a_warning() {
        let wrong = ContactInput { email: some("nobody"), postal_code: some("D1D 1D1"), ..input("514-555-0123") };
        let validated = ContactDraft::validate(&wrong, &defaults(), OnInvalid::Warn).unwrap();
        assert_eq!(validated.warnings.len(), 2);
        assert_eq!(validated.draft.email, None);
        assert_eq!(validated.draft.attributes.get("email"), Some(&AttributeValue::String("nobody".to_owned())));
        assert_eq!(validated.draft.attributes.get("postalCode"), Some(&AttributeValue::String("D1D 1D1".to_owned())));
    }

    #[test]
    fn what_came_beside_a_contact_and_is_wrong_is_set_aside_with_its_own_or_refuses_the_whole() {
        let beside = Warning { error: FieldError::new("doNotCall", FieldErrorCode::Invalid, "doNotCall is neither a yes nor a no."), value: some("perhaps") };
        let wrong = ContactInput { email: some("nobody"), ..input("514-555-0123") };
        let validated = ContactDraft::validate_beside(&wrong, std::slice::from_ref(&beside), &defaults(), OnInvalid::Warn).unwrap();
        assert_eq!(validated.draft.attributes.get("doNotCall"), Some(&AttributeValue::String("perhaps".to_owned())));
        assert_eq!(validated.warnings.iter().map(|warning| warning.error.field.as_str()).collect::<Vec<_>>(), ["email", "doNotCall"]);
        let errors = ContactDraft::validate_beside(&wrong, std::slice::from_ref(&beside), &defaults(), OnInvalid::Fail).unwrap_err();
        assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["email", "doNotCall"]);
    }

    #[test]
    fn what_clocks_show_at_the_next_contact_is_read_in_the_contacts_zone() {
        let next = |input: &ContactInput, local: &str| {
            let draft = ContactDraft::validate(input, &defaults(), OnInvalid::Fail).unwrap().draft.with_local_next_contact(local.parse().unwrap());
            let new = draft.clone().into_details(&defaults(), details().status, None, None);
            let merged = draft.merged_into(&details(), &defaults()).unwrap();
            assert_eq!(new.next_contact_at, merged.next_contact_at);
            new.next_contact_at.unwrap().to_string()
        };
        let (derived, by_code) = (input("514-555-0123"), ContactInput { postal_code: some("V6B 1A1"), ..input("514-555-0123") });
        let given = ContactInput { time_zone: some("America/Halifax"), ..by_code.clone() };
        assert_eq!(next(&derived, "2026-07-02T10:30"), "2026-07-02T14:30:00Z");
        assert_eq!(next(&by_code, "2026-07-02T10:30"), "2026-07-02T17:30:00Z");
        assert_eq!(next(&given, "2026-07-02T10:30"), "2026-07-02T13:30:00Z");
        assert_eq!(next(&derived, "2026-03-08T02:30"), "2026-03-08T07:30:00Z", "clocks skip this, so it is 3:30");
        assert_eq!(next(&derived, "2026-11-01T01:30"), "2026-11-01T05:30:00Z", "clocks show this twice");
    }

    #[test]
    fn a_next_contact_is_kept_to_the_millisecond_so_that_the_same_row_changes_nothing() {
        let precise = ContactInput { next_contact_at: Some("2026-12-01T15:30:00.123456789Z".parse().unwrap()), ..input("514-555-0123") };
        let draft = ContactDraft::validate(&precise, &defaults(), OnInvalid::Fail).unwrap().draft;
        assert_eq!(draft.into_details(&defaults(), details().status, None, None).next_contact_at, Some("2026-12-01T15:30:00.123Z".parse().unwrap()));
    }

    #[test]
    fn a_wrong_phone_is_refused_whatever_the_policy() {
        for policy in [OnInvalid::Warn, OnInvalid::Fail] {
            assert_eq!(ContactDraft::validate(&input("123"), &defaults(), policy).unwrap_err()[0].field, "phone");
        }
    }

    #[test]
    fn further_numbers_are_kept_once_and_at_most_five() {
        let numbers = ["514-555-0123", "514-555-0124", "+1 514 555 0124", "514-555-0125", "514-555-0126", "514-555-0127", "514-555-0128"];
        let many = ContactInput { alternate_phones: numbers.iter().map(|number| (*number).to_owned()).collect(), ..input("514-555-0123") };
        let draft = ContactDraft::validate(&many, &defaults(), OnInvalid::Fail).unwrap().draft;
        assert_eq!(draft.alternate_phones, ["+15145550124", "+15145550125", "+15145550126", "+15145550127", "+15145550128"]);
        let more = ContactInput { alternate_phones: many.alternate_phones.iter().cloned().chain(["514-555-0129".to_owned()]).collect(), ..many };
        assert_eq!(ContactDraft::validate(&more, &defaults(), OnInvalid::Fail).unwrap_err()[0].code, FieldErrorCode::LimitExceeded);
    }

    #[test]
    fn merging_keeps_what_was_not_given_and_the_same_row_changes_nothing() {
        let row =
            ContactInput { name: some("Zoé"), email: some("zoe@example.com"), attributes: vec![("a".to_owned(), AttributeValue::Number(1.0))], ..input("514-555-0123") };
        let draft = ContactDraft::validate(&row, &defaults(), OnInvalid::Fail).unwrap().draft;
        let merged = draft.clone().merged_into(&details(), &defaults()).unwrap();
        assert_eq!(merged.name.as_deref(), Some("Zoé"));
        assert_eq!(merged.country, details().country);
        assert_eq!(draft.merged_into(&merged, &defaults()).unwrap(), merged);
        let blank = ContactDraft::validate(&input("514-555-0123"), &defaults(), OnInvalid::Fail).unwrap().draft;
        assert_eq!(blank.merged_into(&merged, &defaults()).unwrap(), merged);
    }

    #[test]
    fn merging_never_makes_more_than_fifty_attributes() {
        let with = |names: std::ops::Range<u32>| {
            let attributes = names.map(|number| (format!("a{number}"), AttributeValue::Boolean(true))).collect();
            ContactDraft::validate(&ContactInput { attributes, ..input("514-555-0123") }, &defaults(), OnInvalid::Fail).unwrap().draft
        };
        let full = with(0..50).merged_into(&details(), &defaults()).unwrap();
        assert!(with(10..20).merged_into(&full, &defaults()).is_ok());
        assert_eq!(with(49..51).merged_into(&full, &defaults()).unwrap_err().code, FieldErrorCode::LimitExceeded);
    }

    #[test]
    fn every_further_number_that_is_set_aside_is_kept() {
        let many = ContactInput { alternate_phones: vec!["12".to_owned(), "34".to_owned()], ..input("514-555-0123") };
        let validated = ContactDraft::validate(&many, &defaults(), OnInvalid::Warn).unwrap();
        assert_eq!(validated.draft.attributes.get("alternatePhones"), Some(&AttributeValue::String("12, 34".to_owned())));
        assert_eq!(validated.warnings.iter().map(|warning| warning.value.as_deref().unwrap()).collect::<Vec<_>>(), ["12", "34"]);
    }

    #[test]
    fn fifty_one_attributes_are_one_too_many() {
        let attributes = (0..51).map(|number| (format!("a{number}"), AttributeValue::Boolean(true))).collect();
        let errors = ContactDraft::validate(&ContactInput { attributes, ..input("514-555-0123") }, &defaults(), OnInvalid::Fail).unwrap_err();
        assert_eq!(errors[0].code, FieldErrorCode::LimitExceeded);
    }
}
