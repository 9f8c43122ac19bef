//! Changing some of a contact's values: what isn't given stays, what is given as nothing is emptied.

use jiff::Timestamp;

use super::attributes::{self, AttributeValue, validate_all};
use super::draft::{country, extension, time_zone};
use super::{ContactDetails, ContactTimeZone, Defaults, MAX_ALTERNATE_PHONES, TimeZoneSource};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::{email, phone, postal_code, text};

/// What a text must be: given its field and itself, what is kept of it.
type Rule<'a> = dyn Fn(&str, &str) -> Result<Option<String>, FieldError> + 'a;

/// A value that may be left alone (`None`), emptied (`Some(None)`) or set.
pub type Given<T> = Option<Option<T>>;

/// Values as they came, but for those that name other records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactPatch {
    /// The number that identifies the contact; it can't be emptied.
    pub phone: Given<String>,
    /// Digits of the extension.
    pub phone_extension: Given<String>,
    /// Further numbers, all of them.
    pub alternate_phones: Given<Vec<String>>,
    /// The name.
    pub name: Given<String>,
    /// The e-mail address.
    pub email: Given<String>,
    /// The street address.
    pub address: Given<String>,
    /// The city.
    pub city: Given<String>,
    /// Province, state, department.
    pub region: Given<String>,
    /// The postal code.
    pub postal_code: Given<String>,
    /// ISO 3166-1 alpha-2; emptied, the number's own.
    pub country: Given<String>,
    /// IANA time zone; emptied, it is derived again.
    pub time_zone: Given<String>,
    /// Where the contact came from.
    pub source: Given<String>,
    /// When to call next.
    pub next_contact_at: Given<Timestamp>,
    /// Attributes to set, or to remove when there is no value; the others stay.
    pub attributes: Vec<(String, Option<AttributeValue>)>,
}

impl ContactPatch {
    /// The details with what was given. A time zone that nobody gave follows the number and the postal code; an extension goes with its number.
    ///
    /// # Errors
    /// All that is wrong, each with its field.
    pub fn apply(&self, existing: &ContactDetails, defaults: &Defaults) -> Result<ContactDetails, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut details = existing.clone();
        let line = |length: usize| move |field: &str, value: &str| text::line(field, value, length);
        let given_country = set(&mut errors, "country", &self.country, country);
        let parsing_country = given_country.clone().flatten().or_else(|| existing.country.clone()).unwrap_or_else(|| defaults.country.clone());
        self.set_phone(&mut details, &parsing_country, &mut errors);
        match given_country {
            None => {}
            Some(Some(country)) => details.country = Some(country),
            Some(None) => {
                details.country =
                    Some(phone::parse("phone", &details.phone, &defaults.country).ok().and_then(|phone| phone.country).unwrap_or_else(|| defaults.country.clone()))
            }
        }
        let effective_country = details.country.clone().unwrap_or_else(|| defaults.country.clone());
        if let Some(extension) = set(&mut errors, "phoneExtension", &self.phone_extension, extension) {
            details.phone_extension = extension;
        }
        self.set_alternates(&mut details, &effective_country, &mut errors);
        let mut put = |field: &str, given: &Given<String>, place: &mut Option<String>, rule: &Rule<'_>| {
            if let Some(value) = set(&mut errors, field, given, rule) {
                *place = value;
            }
        };
        put("name", &self.name, &mut details.name, &line(text::NAME_LENGTH));
        put("email", &self.email, &mut details.email, &email::normalise);
        put("address", &self.address, &mut details.address, &line(text::NAME_LENGTH));
        put("city", &self.city, &mut details.city, &line(text::PLACE_LENGTH));
        put("region", &self.region, &mut details.region, &line(text::PLACE_LENGTH));
        put("postalCode", &self.postal_code, &mut details.postal_code, &|field, value| postal_code::normalise(field, value, &effective_country));
        put("source", &self.source, &mut details.source, &line(text::PLACE_LENGTH));
        if let Some(at) = self.next_contact_at {
            details.next_contact_at = at.map(crate::clock::to_millisecond);
        }
        self.set_attributes(&mut details, &mut errors);
        self.set_time_zone(&mut details, defaults, &mut errors);
        if errors.is_empty() { Ok(details) } else { Err(errors) }
    }

    fn set_phone(&self, details: &mut ContactDetails, country: &str, errors: &mut Vec<FieldError>) {
        let Some(given) = &self.phone else {
            return;
        };
        match phone::parse("phone", given.as_deref().unwrap_or_default(), country) {
            Ok(parsed) if parsed.e164 == details.phone => {
                if parsed.extension.is_some() {
                    details.phone_extension = parsed.extension;
                }
            }
            Ok(parsed) => {
                details.alternate_phones.retain(|alternate| *alternate != parsed.e164);
                details.phone = parsed.e164;
                details.phone_extension = parsed.extension;
            }
            Err(error) => errors.push(error),
        }
    }

    fn set_alternates(&self, details: &mut ContactDetails, country: &str, errors: &mut Vec<FieldError>) {
        let Some(given) = &self.alternate_phones else {
            return;
        };
        let mut phones: Vec<String> = Vec::new();
        for value in given.iter().flatten().filter(|value| !value.trim().is_empty()) {
            match phone::parse("alternatePhones", value, country) {
                Ok(parsed) if parsed.e164 == details.phone || phones.contains(&parsed.e164) => {}
                Ok(parsed) => phones.push(parsed.e164),
                Err(error) => errors.push(error),
            }
        }
        if phones.len() > MAX_ALTERNATE_PHONES {
            let message = format!("A contact has at most {MAX_ALTERNATE_PHONES} further numbers. Remove some.");
            errors.push(FieldError::new("alternatePhones", FieldErrorCode::LimitExceeded, message));
        }
        details.alternate_phones = phones;
    }

    fn set_attributes(&self, details: &mut ContactDetails, errors: &mut Vec<FieldError>) {
        for (name, value) in &self.attributes {
            let checked = attributes::validate_name(name).and_then(|name| {
                let value = value.clone().map(|value| attributes::validate_value(&name, value)).transpose()?.flatten();
                Ok((name, value))
            });
            match checked {
                Ok((name, Some(value))) => {
                    details.attributes.insert(name, value);
                }
                Ok((name, None)) => {
                    details.attributes.remove(&name);
                }
                Err(error) => errors.push(error),
            }
        }
        errors.extend(validate_all(&details.attributes).err());
    }

    fn set_time_zone(&self, details: &mut ContactDetails, defaults: &Defaults, errors: &mut Vec<FieldError>) {
        let given = set(errors, "timeZone", &self.time_zone, time_zone);
        match given {
            Some(Some(name)) => details.time_zone = ContactTimeZone { name, source: TimeZoneSource::Given },
            None if details.time_zone.source == TimeZoneSource::Given => {}
            None | Some(None) => {
                details.time_zone = ContactTimeZone::derived(details.country.as_deref(), details.postal_code.as_deref(), &details.phone, defaults);
            }
        }
    }
}

/// A given text by its rule; none when it wasn't given or isn't valid.
fn set(errors: &mut Vec<FieldError>, field: &str, given: &Given<String>, rule: impl Fn(&str, &str) -> Result<Option<String>, FieldError>) -> Given<String> {
    match given.as_ref()? {
        None => Some(None),
        Some(value) => match rule(field, value) {
            Ok(checked) => Some(checked),
            Err(error) => {
                errors.push(error);
                None
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::draft::tests::{defaults, details};
    use super::*;

    fn some(text: &str) -> Given<String> {
        Some(Some(text.to_owned()))
    }

    fn applied(patch: &ContactPatch) -> ContactDetails {
        patch.apply(&details(), &defaults()).unwrap()
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once_and_nothing_is_taken() {
        let patch = ContactPatch {
            phone: some("123"),
            phone_extension: some("abc"),
            alternate_phones: Some(Some(vec!["7".to_owned()])),
            email: some("nobody"),
            city: some(&"x".repeat(101)),
            postal_code: some("D1D 1D1"),
            time_zone: some("Mars/Olympus"),
            attributes: vec![("__proto__".to_owned(), None)],
            ..ContactPatch::default()
        };
        let fields: Vec<String> = patch.apply(&details(), &defaults()).unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["phone", "phoneExtension", "alternatePhones", "email", "city", "postalCode", "attributes", "timeZone"]);
    }

    #[test]
    fn a_number_can_not_be_emptied() {
        for phone in [Some(None), some(""), some(" ")] {
            let error = ContactPatch { phone, ..ContactPatch::default() }.apply(&details(), &defaults()).unwrap_err();
            assert_eq!((error[0].field.as_str(), error[0].code), ("phone", FieldErrorCode::Blank));
        }
    }

    #[test]
    fn nothing_given_changes_nothing() {
        assert_eq!(applied(&ContactPatch::default()), details());
    }

    #[test]
    fn what_is_given_is_set_and_null_empties() {
        let named = applied(&ContactPatch { name: some(" Zoé "), email: some("Z@Example.com"), ..ContactPatch::default() });
        assert_eq!((named.name.as_deref(), named.email.as_deref()), (Some("Zoé"), Some("z@example.com")));
        let emptied = ContactPatch { name: Some(None), email: some(""), ..ContactPatch::default() }.apply(&named, &defaults()).unwrap();
        assert_eq!((emptied.name, emptied.email), (None, None));
    }

    #[test]
    fn a_new_number_takes_the_extension_along_and_leaves_the_further_numbers() {
        let before = applied(&ContactPatch { phone_extension: some("12"), alternate_phones: Some(Some(vec!["514-555-0199".to_owned()])), ..ContactPatch::default() });
        let after = ContactPatch { phone: some("514-555-0199"), ..ContactPatch::default() }.apply(&before, &defaults()).unwrap();
        assert_eq!((after.phone.as_str(), after.phone_extension, after.alternate_phones.len()), ("+15145550199", None, 0));
    }

    #[test]
    fn a_zone_nobody_gave_follows_the_postal_code_and_a_given_one_stays() {
        let west = applied(&ContactPatch { postal_code: some("V6B 1A1"), ..ContactPatch::default() });
        assert_eq!((west.time_zone.name.as_str(), west.time_zone.source), ("America/Vancouver", TimeZoneSource::PostalCode));
        let given = applied(&ContactPatch { time_zone: some("America/Halifax"), postal_code: some("V6B 1A1"), ..ContactPatch::default() });
        assert_eq!((given.time_zone.name.as_str(), given.time_zone.source), ("America/Halifax", TimeZoneSource::Given));
        let again = ContactPatch { time_zone: Some(None), ..ContactPatch::default() }.apply(&given, &defaults()).unwrap();
        assert_eq!(again.time_zone.name, "America/Vancouver");
    }

    #[test]
    fn attributes_are_set_one_by_one_and_null_removes_one() {
        let number = |value| Some(AttributeValue::Number(value));
        let two = applied(&ContactPatch { attributes: vec![("a".to_owned(), number(1.0)), ("b".to_owned(), number(2.0))], ..ContactPatch::default() });
        let one = ContactPatch { attributes: vec![("a".to_owned(), None)], ..ContactPatch::default() }.apply(&two, &defaults()).unwrap();
        assert_eq!(one.attributes.keys().collect::<Vec<_>>(), ["b"]);
        let many = (0..51).map(|index| (format!("n{index}"), number(1.0))).collect();
        let error = ContactPatch { attributes: many, ..ContactPatch::default() }.apply(&details(), &defaults()).unwrap_err();
        assert_eq!(error[0].code, FieldErrorCode::LimitExceeded);
    }
}
