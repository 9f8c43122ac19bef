//! Telephone numbers, read with Google's metadata and never guessed at.

use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, Region};

use crate::field_error::{FieldError, FieldErrorCode};

/// Longest text read as a number, in bytes; libphonenumber's own limit is 250 characters.
const LONGEST_TEXT: usize = 250;

/// A valid number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// E.164, such as `+15145550123`: the identity of a contact.
    pub e164: String,
    /// The digits after "ext.", at most 20, kept apart from the identity.
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
    if is_inside_out_uri(trimmed) {
        return Err(invalid("is not a telephone number"));
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
    let extension = number.extension.as_deref().map(|digits| PHONE_NUMBER_UTIL.normalize_digits_only(digits)).filter(|digits| !digits.is_empty());
    Ok(Phone {
        e164: PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned(),
        extension,
        country: PHONE_NUMBER_UTIL.get_region_for_number(&number).filter(|region| *region != Region::World).map(|region| region.to_string()),
    })
}

/// Whether "tel:" comes after ";phone-context=", where RFC 3966 never has it and the library (2.2.15) panics.
fn is_inside_out_uri(text: &str) -> bool {
    text.split_once(";phone-context=").is_some_and(|(before, after)| !before.contains("tel:") && after.contains("tel:"))
}

/// Shows a stored number; one that no longer parses is shown as stored. A number of no country has no national form and is shown as international.
#[must_use]
pub fn display(e164: &str, format: PhoneFormat) -> String {
    let format = match format {
        PhoneFormat::E164 => return e164.to_owned(),
        PhoneFormat::National => PhoneNumberFormat::National,
        PhoneFormat::International => PhoneNumberFormat::International,
    };
    let Ok(number) = PHONE_NUMBER_UTIL.parse(e164, None) else {
        return e164.to_owned();
    };
    let of_no_country = PHONE_NUMBER_UTIL.get_region_for_number(&number) == Some(Region::World);
    PHONE_NUMBER_UTIL.format(&number, if of_no_country { PhoneNumberFormat::International } else { format }).into_owned()
}

/// Whether a text is a country code the telephone metadata knows.
#[must_use]
pub fn is_country(code: &str) -> bool {
    code.len() == 2
        && Region::from_code(code).ok().is_some_and(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some_and(|calling_code| calling_code > 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn e164(text: &str, country: &str) -> Result<String, FieldErrorCode> {
        parse("phone", text, country).map(|phone| phone.e164).map_err(|error| error.code)
    }

    #[test]
    fn what_the_metadata_does_not_know_is_refused() {
        for (text, country) in [
            ("(514) 123-4567 ext. 89", "CA"),
            ("514-123-4567 x89", "CA"),
            ("5141234567", "CA"),
            ("514123456", "CA"),
            ("514-555-012", "CA"),
            ("514-555-01234", "CA"),
            ("\u{ff15}\u{ff11}\u{ff14}\u{ff15}\u{ff15}\u{ff10}\u{ff11}\u{ff12}\u{ff13}", "CA"),
            ("555-0123", "CA"),
            ("911", "CA"),
            ("00441632960961", "CA"),
            ("0033612345678", "CA"),
            ("33612345678", "CA"),
            ("+33 6 12 34 56 7", "CA"),
            ("+999 514 555 0123", "CA"),
            ("514-555-0123", "FR"),
            ("514-555-0123", "ZZ"),
            ("514-555-0123", ""),
            ("5.14556E+09", "CA"),
            ("5145550123.0", "CA"),
            ("514-555-0123 home", "CA"),
            ("514-555-0123 ext. 123456789012345678901", "CA"),
        ] {
            assert_eq!(e164(text, country), Err(FieldErrorCode::Invalid), "{text:?} in {country}");
        }
    }

    #[test]
    fn hostile_texts_are_refused() {
        for text in [
            "+",
            "++",
            "+ +1 514 555 0123",
            "+1+514 555 0123",
            "ext. 89",
            "not a number",
            "\u{514d}\u{8d39}",
            "514-555\u{0}-0123",
            "514\t555\t0123",
            "514\r\n555 0123",
            "514\u{7}5550123",
            "514\u{200f}-555-0123",
            "514-555-012\u{b3}",
            ";phone-context=+1",
            ";phone-context=+1;tel:5145550123",
            ";phone-context=+15145550123;tel:",
            "tel:;phone-context=+1",
            "5145550123;phone-context=",
        ] {
            assert_eq!(e164(text, "CA"), Err(FieldErrorCode::Invalid), "{text:?}");
        }
        for length in [251, 10_000] {
            for text in ["5", "+", "(", "x", "\u{ff15}", "\u{1f4de}"] {
                assert_eq!(e164(&text.repeat(length), "CA"), Err(FieldErrorCode::Invalid), "{length} times {text:?}");
            }
        }
    }

    #[test]
    fn blank_is_not_invalid() {
        for text in ["", " ", "\t\r\n", "\u{a0}\u{3000}"] {
            assert_eq!(e164(text, "CA"), Err(FieldErrorCode::Blank), "{text:?}");
        }
    }

    #[test]
    fn two_numbers_in_one_cell_never_become_a_third() {
        for text in [
            "514-555-0123 514-555-0124",
            "514-555-0123 / 514-555-0124",
            "514-555-0123, 514-555-0124",
            "514-555-0123; 514-555-0124",
            "514-555-0123\n514-555-0124",
            "514-555-0123 or 514-555-0124",
            "514-555-0123 x 514-555-0124",
            "+1 514 555 0123 +1 514 555 0124",
        ] {
            assert_eq!(e164(text, "CA"), Err(FieldErrorCode::Invalid), "{text:?}");
        }
        assert_eq!(e164("514-555-0123/x514-555-0124", "CA").as_deref(), Ok("+15145550123"));
        let first = parse("phone", "514-555-0123 ext. 5145550124", "CA").unwrap();
        assert_eq!((first.e164.as_str(), first.extension.as_deref()), ("+15145550123", Some("5145550124")));
    }

    #[test]
    fn valid_numbers_are_read_however_they_are_written() {
        for (text, country, expected) in [
            ("519-569-8399", "CA", "+15195698399"),
            ("(514) 555-0123", "CA", "+15145550123"),
            ("514.555.0123", "CA", "+15145550123"),
            ("1 514 555 0123", "CA", "+15145550123"),
            ("+1 (514) 555-0123", "FR", "+15145550123"),
            ("Tel: 514-555-0123", "CA", "+15145550123"),
            ("'5145550123", "CA", "+15145550123"),
            ("=+15145550123", "CA", "+15145550123"),
            ("tel:+1-514-555-0123", "CA", "+15145550123"),
            ("tel:514-555-0123;phone-context=+1", "FR", "+15145550123"),
            ("\u{200f}514-555-0123\u{200f}", "CA", "+15145550123"),
            ("\u{202a}+1 514\u{a0}555\u{2011}0123\u{202c}", "CA", "+15145550123"),
            ("\u{ff15}\u{ff11}\u{ff14}\u{ff15}\u{ff15}\u{ff15}\u{ff10}\u{ff11}\u{ff12}\u{ff13}", "CA", "+15145550123"),
            ("\u{665}\u{661}\u{664}\u{665}\u{665}\u{665}\u{660}\u{661}\u{662}\u{663}", "CA", "+15145550123"),
            ("1-800-FLOWERS", "CA", "+18003569377"),
            ("+33 6 12 34 56 78", "CA", "+33612345678"),
            ("06 12 34 56 78", "FR", "+33612345678"),
            ("+33 (0)6 12 34 56 78", "CA", "+33612345678"),
            ("011441212345678", "CA", "+441212345678"),
            ("00441212345678", "FR", "+441212345678"),
            ("020 7946 0958", "GB", "+442079460958"),
            ("06 6982 1234", "IT", "+390669821234"),
            ("+800 1234 5678", "CA", "+80012345678"),
        ] {
            assert_eq!(e164(text, country).as_deref(), Ok(expected), "{text:?} in {country}");
        }
    }

    #[test]
    fn an_extension_is_kept_apart_in_plain_digits() {
        for (text, extension) in [
            ("(514) 555-4567", None),
            ("(514) 555-4567 ext. 89", Some("89")),
            ("(514) 555-4567 x89", Some("89")),
            ("(514) 555-4567 #89", Some("89")),
            ("(514) 555-4567;ext=089", Some("089")),
            ("(514) 555-4567 ext. \u{ff18}\u{ff19}", Some("89")),
            ("(514) 555-4567 ext. \u{668}\u{669}", Some("89")),
            ("(514) 555-4567 ext. 12345678901234567890", Some("12345678901234567890")),
        ] {
            let phone = parse("phone", text, "CA").unwrap();
            assert_eq!((phone.e164.as_str(), phone.extension.as_deref(), phone.country.as_deref()), ("+15145554567", extension, Some("CA")), "{text:?}");
        }
    }

    #[test]
    fn a_number_says_its_country_unless_it_has_none() {
        for (text, country) in
            [("+15145550123", Some("CA")), ("+12125550123", Some("US")), ("+17875550123", Some("PR")), ("+442079460958", Some("GB")), ("+80012345678", None)]
        {
            assert_eq!(parse("phone", text, "FR").unwrap().country.as_deref(), country, "{text}");
        }
    }

    #[test]
    fn errors_name_the_field_and_never_the_value() {
        let error = parse("alternatePhones", "514-129-8765", "CA").unwrap_err();
        assert_eq!(error.field, "alternatePhones");
        assert!(!error.message.contains("8765") && !error.message.contains("129"), "{}", error.message);
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        for (stored, national, international) in [
            ("+15141234567", "(514) 123-4567", "+1 514-123-4567"),
            ("+15145550123", "(514) 555-0123", "+1 514-555-0123"),
            ("+12125550123", "(212) 555-0123", "+1 212-555-0123"),
            ("+33612345678", "06 12 34 56 78", "+33 6 12 34 56 78"),
            ("+442079460958", "020 7946 0958", "+44 20 7946 0958"),
            ("+80012345678", "+800 1234 5678", "+800 1234 5678"),
            ("nothing", "nothing", "nothing"),
            ("", "", ""),
        ] {
            assert_eq!(display(stored, PhoneFormat::National), national);
            assert_eq!(display(stored, PhoneFormat::International), international);
            assert_eq!(display(stored, PhoneFormat::E164), stored);
        }
    }

    #[test]
    fn countries_are_those_of_the_metadata() {
        assert!(is_country("CA") && is_country("FR"));
        assert!(!is_country("ZZ") && !is_country("CAN") && !is_country("001") && !is_country("") && !is_country("é"));
    }

    proptest! {
        /// The identity doesn't depend on where it is read.
        #[test]
        fn what_is_stored_reads_as_itself(text in "(tel:)?\\+?[0-9(). x#-]{6,18}(;phone-context=|;ext=|tel:)?[+0-9]{0,4}", country in "CA|US|FR|GB|IT|AR|MX|DE") {
            if let Ok(phone) = parse("phone", &text, &country) {
                prop_assert!(phone.e164.len() <= 18 && phone.e164.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())));
                prop_assert!(phone.extension.iter().all(|digits| digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit())));
                for elsewhere in ["CA", "IT", "ZZ"] {
                    prop_assert_eq!(e164(&phone.e164, elsewhere), Ok(phone.e164.clone()));
                }
            }
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,40}", country in "CA|FR|.{0,3}") {
            let _ = (parse("phone", &text, &country), display(&text, PhoneFormat::National), is_country(&country));
        }
    }
}
