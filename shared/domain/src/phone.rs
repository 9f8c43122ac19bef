//! Telephone numbers, read with Google's metadata and never guessed at.

use std::sync::atomic::{AtomicU8, Ordering};

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
    let national = north_american(trimmed, country);
    if let Some(phone) = national.as_ref().and_then(of_known_exchange) {
        return Ok(phone);
    }
    let phone = by_metadata(field, trimmed, country)?;
    if let (Some(national), Some(country)) = (&national, &phone.country) {
        know_exchange(national, country);
    }
    Ok(phone)
}

/// The same of a text that isn't blank, asked of the metadata whatever is known already.
fn by_metadata(field: &str, trimmed: &str, country: &str) -> Result<Phone, FieldError> {
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

/// The countries of the North American plan whose numbers are told by their area code and exchange alone: whatever the metadata says of a number that belongs to
/// one of them, it says of all that differ from it in their last four digits only. Barbados and Jamaica, for two, look at the next digit as well.
const BY_EXCHANGE: [&str; 2] = ["CA", "US"];

/// For each area code and exchange of the North American plan the place of its country in [`BY_EXCHANGE`], from 1; 0 when its numbers are another country's, don't
/// exist, or weren't asked for yet. The metadata takes some microseconds for a number, and a file has thousands of one exchange.
static EXCHANGES: [AtomicU8; 1_000_000] = [const { AtomicU8::new(0) }; 1_000_000];

/// The ten digits of a number of the North American plan, when that is all that a text says: read with `+` or in one of [`BY_EXCHANGE`], where eleven digits that
/// begin with 1 say the same. What stands between digits means nothing to the metadata either.
fn north_american(text: &str, country: &str) -> Option<[u8; 10]> {
    let after_plus = text.strip_prefix('+');
    if text.len() > LONGEST_TEXT || (after_plus.is_none() && !BY_EXCHANGE.contains(&country)) {
        return None;
    }
    let (mut digits, mut count) = ([0; 11], 0);
    for byte in after_plus.unwrap_or(text).bytes() {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte;
                count += 1;
            }
            b' ' | b'-' | b'.' | b'(' | b')' => {}
            _ => return None,
        }
    }
    let national = match (count, digits) {
        (11, [b'1', national @ ..]) => national,
        (10, [national @ .., _]) if after_plus.is_none() => national,
        _ => return None,
    };
    (b'2'..=b'9').contains(&national[0]).then_some(national)
}

/// What is known of the first six of ten digits.
fn exchange(national: &[u8; 10]) -> Option<&'static AtomicU8> {
    EXCHANGES.get(national[..6].iter().fold(0, |index, digit| index * 10 + usize::from(digit - b'0')))
}

/// The number of these digits, when numbers of its exchange are known.
fn of_known_exchange(national: &[u8; 10]) -> Option<Phone> {
    let place = usize::from(exchange(national)?.load(Ordering::Relaxed)).checked_sub(1)?;
    let country = BY_EXCHANGE.get(place)?;
    let mut e164 = String::with_capacity(2 + national.len());
    e164.push_str("+1");
    e164.extend(national.iter().map(|digit| char::from(*digit)));
    Some(Phone { e164, extension: None, country: Some((*country).to_owned()) })
}

/// Keeps in mind that a number of these digits exists, and whose it is.
fn know_exchange(national: &[u8; 10], country: &str) {
    let place = BY_EXCHANGE.iter().zip(1..).find(|(known, _)| **known == country);
    if let (Some((_, place)), Some(exchange)) = (place, exchange(national)) {
        exchange.store(place, Ordering::Relaxed);
    }
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

    #[test]
    fn what_tells_a_number_of_canada_or_the_united_states_is_its_area_code_and_exchange() {
        let country_of = |digits: &str| by_metadata("phone", digits, "CA").ok().and_then(|phone| phone.country).filter(|country| BY_EXCHANGE.contains(&country.as_str()));
        for area in 200..1_000 {
            for exchange in [100 + area % 100, 200 + area % 800, 976] {
                let told: Vec<Option<String>> = ["0000", "1234", "6060", "9999"].iter().map(|line| country_of(&format!("{area}{exchange}{line}"))).collect();
                assert!(told.iter().all(|country| *country == told[0]), "{area} {exchange}: {told:?}");
            }
        }
    }

    #[test]
    fn a_number_reads_the_same_when_its_exchange_is_known() {
        for (text, country) in [
            ("514-555-0123", "CA"),
            ("1 (514) 555.0123", "US"),
            ("+1 514 555 0123", "FR"),
            ("+15145550123", "ZZ"),
            ("212-555-0123", "CA"),
            ("800 555 0123", "CA"),
            ("900 555 0123", "CA"),
            ("246-521-0123", "CA"),
            ("246-521-1123", "CA"),
            ("876-606-0123", "US"),
            ("876-606-1123", "US"),
            ("787-555-0123", "US"),
            ("310-1234", "CA"),
            ("514-123-4567", "CA"),
            ("0514-555-0123", "CA"),
            ("11 514 555 0123", "CA"),
            ("1-514-555-01234", "CA"),
            ("+514-555-0123", "CA"),
            ("514-555-0123", "FR"),
            ("15145550123", "FR"),
        ] {
            let expected = by_metadata("phone", text, country);
            for _ in 0..2 {
                assert_eq!(parse("phone", text, country), expected, "{text:?} in {country}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        /// Each text is read before its exchange is known, most likely, and after it; and so is a number that differs in its last four digits only.
        #[test]
        fn the_quick_way_says_what_the_metadata_says(
            text in prop_oneof![
                6 => "\\+?[-.( ]{0,2}1?[-.( ]{0,2}[2-9][0-9]{2}[-.) ]{0,2}[2-9][0-9]{2}[-. ]{0,2}[0-9]{4}[-.) ]{0,2}",
                2 => "\\+?[-. ()0-9]{6,20}",
                1 => "\\+?(1|01|11|44)?(246521|876606|514555|212555|800555|310)[0-9]{0,5}(x|#|ext\\.)?[0-9]{0,2}",
            ],
            other in "[0-9]{4}",
            country in "(CA|US|CA|US|FR|PR|ZZ)?",
        ) {
            let trimmed = text.trim();
            let digits = trimmed.bytes().filter(u8::is_ascii_digit).count();
            prop_assume!(digits > 0);
            let sibling = trimmed.char_indices().filter(|(_, character)| character.is_ascii_digit()).rev().nth(3).map(|(at, _)| format!("{}{other}", &trimmed[..at]));
            for text in [trimmed, sibling.as_deref().unwrap_or(trimmed), trimmed] {
                prop_assert_eq!(parse("phone", text, &country), by_metadata("phone", text.trim(), &country));
            }
        }
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
