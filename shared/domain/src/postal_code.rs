//! Postal codes, checked by the rules of their country where we know them.

use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// Longest postal code of a country whose rules we don't know.
const LONGEST_ELSEWHERE: usize = 20;

/// Checks and tidies a postal code of `country` (ISO 3166-1 alpha-2); `Ok(None)` when blank.
///
/// Canada's letters exclude D F I O Q U, and W Z in the first place (Canada Post, Addressing Guidelines); a United States ZIP code whose leading
/// zero a spreadsheet ate gets it back; France has five digits; the United Kingdom's outward and inward parts are BS 7666.
///
/// # Errors
/// `INVALID` when it isn't a code of that country.
pub fn normalise(field: &str, value: &str, country: &str) -> Result<Option<String>, FieldError> {
    let Some(line) = text::line(field, value, text::PLACE_LENGTH)? else {
        return Ok(None);
    };
    let compact: String = line.chars().filter(|character| !character.is_whitespace() && *character != '-').flat_map(char::to_uppercase).collect();
    let (code, example) = match country {
        "CA" => (canada(&compact), "H3A 1B2"),
        "US" => (united_states(&compact), "02139 or 02139-4307"),
        "FR" => (digits(&compact, 5).then_some(compact), "75001"),
        "GB" => (united_kingdom(&compact), "SW1A 1AA"),
        _ => ((line.chars().count() <= LONGEST_ELSEWHERE).then_some(line), "a postal code of at most 20 characters"),
    };
    code.map(Some).ok_or_else(|| FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not a postal code of {country}. Write it like {example}.")))
}

fn canada(compact: &str) -> Option<String> {
    let bytes = compact.as_bytes();
    let letter = |byte: u8| byte.is_ascii_uppercase() && !b"DFIOQU".contains(&byte);
    let [first, second, third, fourth, fifth, sixth] = *bytes else { return None };
    let valid =
        letter(first) && !b"WZ".contains(&first) && second.is_ascii_digit() && letter(third) && fourth.is_ascii_digit() && letter(fifth) && sixth.is_ascii_digit();
    valid.then(|| format!("{} {}", &compact[..3], &compact[3..]))
}

fn united_states(compact: &str) -> Option<String> {
    if !compact.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match compact.len() {
        4 | 5 => Some(format!("{compact:0>5}")),
        8 | 9 => {
            let full = format!("{compact:0>9}");
            Some(format!("{}-{}", &full[..5], &full[5..]))
        }
        _ => None,
    }
}

fn united_kingdom(compact: &str) -> Option<String> {
    if !compact.is_ascii() || !(5..=7).contains(&compact.len()) {
        return None;
    }
    let (outward, inward) = compact.split_at(compact.len() - 3);
    let inward_bytes = inward.as_bytes();
    let inward_valid = inward_bytes[0].is_ascii_digit() && inward_bytes[1..].iter().all(|byte| byte.is_ascii_uppercase() && !b"CIKMOV".contains(byte));
    let shape: String = outward.chars().map(|character| if character.is_ascii_digit() { '9' } else { 'A' }).collect();
    let outward_valid = outward.bytes().all(|byte| byte.is_ascii_alphanumeric()) && ["A9", "A99", "AA9", "AA99", "A9A", "AA9A"].contains(&shape.as_str());
    (inward_valid && outward_valid).then(|| format!("{outward} {inward}"))
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: &str, country: &str) -> Option<String> {
        normalise("postalCode", value, country).ok().flatten()
    }

    #[test]
    fn each_country_has_its_rules() {
        for (value, country, expected) in [
            ("h3a1b2", "CA", Some("H3A 1B2")),
            ("N8N 3N2", "CA", Some("N8N 3N2")),
            ("D3A 1B2", "CA", None),
            ("W3A 1B2", "CA", None),
            ("H3A 1O2", "CA", None),
            ("H3A", "CA", None),
            ("2139", "US", Some("02139")),
            ("021394307", "US", Some("02139-4307")),
            ("21394307", "US", Some("02139-4307")),
            ("02139-4307", "US", Some("02139-4307")),
            ("123", "US", None),
            ("75001", "FR", Some("75001")),
            ("7500", "FR", None),
            ("sw1a1aa", "GB", Some("SW1A 1AA")),
            ("M1 1AE", "GB", Some("M1 1AE")),
            ("SW1A 1CA", "GB", None),
            ("1010", "AT", Some("1010")),
        ] {
            assert_eq!(code(value, country).as_deref(), expected, "{value} in {country}");
        }
    }

    #[test]
    fn letters_outside_ascii_are_refused_not_cut() {
        assert_eq!(code("é3A 1B2", "CA"), None);
        assert_eq!(code("ééééé", "GB"), None);
    }
}
