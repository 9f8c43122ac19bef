//! Telephone numbers, read with Google's metadata and never guessed at.

use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, Region};

use crate::field_error::{FieldError, FieldErrorCode};

/// Longest text read as a number; libphonenumber's own limit is 250.
const LONGEST_TEXT: usize = 250;

/// A valid number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// E.164, such as `+15145550123`: the identity of a contact.
    pub e164: String,
    /// The digits after "ext.", kept apart from the identity.
    pub extension: Option<String>,
    /// ISO 3166-1 code of the country the number belongs to, when it belongs to one.
    pub country: Option<String>,
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneFormat {
    /// `+15145550123`.
    E164,
    /// As written inside its country: `(514) 555-0123`.
    National,
    /// `+1 514-555-0123`.
    International,
}

/// Reads a number as written in `country` (ISO 3166-1 alpha-2), which only matters without an international prefix.
///
/// # Errors
/// `BLANK` when empty; `INVALID` when it isn't a number or the metadata says it can't exist.
pub fn parse(field: &str, value: &str, country: &str) -> Result<Phone, FieldError> {
    let trimmed = value.trim();
    if trimmed.is_empty() {
        return Err(FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. Give a telephone number.")));
    }
    let invalid = |why: &str| FieldError::new(field, FieldErrorCode::Invalid, format!("{field} {why}. Write it as +1 514 555 0123, or as dialled inside {country}."));
    if trimmed.len() > LONGEST_TEXT {
        return Err(invalid("is too long to be a telephone number"));
    }
    let region = Region::from_code(country).ok();
    let number = PHONE_NUMBER_UTIL.parse(trimmed, region).map_err(|error| match error {
        ParseError::TooShortNsn | ParseError::TooShortAfterIdd => invalid("has too few digits"),
        ParseError::TooLongNsn => invalid("has too many digits"),
        ParseError::InvalidCountryCode => invalid("has an unknown country code"),
        _ => invalid("is not a telephone number"),
    })?;
    if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
        return Err(invalid("is not a number that exists"));
    }
    let extension = number.extension.clone().filter(|digits| !digits.is_empty());
    Ok(Phone {
        e164: PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned(),
        extension,
        country: PHONE_NUMBER_UTIL.get_region_for_number(&number).filter(|region| *region != Region::World).map(|region| region.to_string()),
    })
}

/// Shows a stored number; one that no longer parses is shown as stored.
#[must_use]
pub fn display(e164: &str, format: PhoneFormat) -> String {
    let format = match format {
        PhoneFormat::E164 => return e164.to_owned(),
        PhoneFormat::National => PhoneNumberFormat::National,
        PhoneFormat::International => PhoneNumberFormat::International,
    };
    match PHONE_NUMBER_UTIL.parse(e164, None) {
        Ok(number) => PHONE_NUMBER_UTIL.format(&number, format).into_owned(),
        Err(_) => e164.to_owned(),
    }
}

/// Whether a text is a country code the telephone metadata knows.
#[must_use]
pub fn is_country(code: &str) -> bool {
    code.len() == 2
        && Region::from_code(code).ok().is_some_and(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some_and(|calling_code| calling_code > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn e164(text: &str) -> Result<String, FieldErrorCode> {
        parse("phone", text, "CA").map(|phone| phone.e164).map_err(|error| error.code)
    }

    #[test]
    fn numbers_are_accepted_or_refused_and_never_turned_into_another() {
        let invalid = Err(FieldErrorCode::Invalid);
        for (text, expected) in [
            ("519-569-8399", Ok("+15195698399".to_owned())),
            ("+33 6 12 34 56 78", Ok("+33612345678".to_owned())),
            ("(514) 123-4567 ext. 89", invalid.clone()),
            ("514123456", invalid.clone()),
            ("5141234567", invalid.clone()),
            ("1-800-FLOWERS", Ok("+18003569377".to_owned())),
            ("00441632960961", invalid.clone()),
            ("011441212345678", Ok("+441212345678".to_owned())),
            ("\u{ff15}\u{ff11}\u{ff14}5556789", Ok("+15145556789".to_owned())),
            ("not a number", invalid.clone()),
            ("", Err(FieldErrorCode::Blank)),
        ] {
            assert_eq!(e164(text), expected, "{text}");
        }
    }

    #[test]
    fn an_extension_is_kept_apart() {
        let phone = parse("phone", "(514) 555-4567 ext. 89", "CA").unwrap();
        assert_eq!((phone.e164.as_str(), phone.extension.as_deref(), phone.country.as_deref()), ("+15145554567", Some("89"), Some("CA")));
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        assert_eq!(display("+15145550123", PhoneFormat::National), "(514) 555-0123");
        assert_eq!(display("+15145550123", PhoneFormat::International), "+1 514-555-0123");
        assert_eq!(display("+15145550123", PhoneFormat::E164), "+15145550123");
    }

    #[test]
    fn countries_are_those_of_the_metadata() {
        assert!(is_country("CA") && is_country("FR"));
        assert!(!is_country("ZZ") && !is_country("CAN") && !is_country("001"));
    }
}
