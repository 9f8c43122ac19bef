//! Postal codes, checked by the rules of their country where we know them.

use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// Longest postal code of a country whose rules we don't know.
const LONGEST_ELSEWHERE: usize = 20;

/// Checks and tidies a postal code of `country` (ISO 3166-1 alpha-2); `Ok(None)` when blank.
///
/// - Canada, `H3A 1B2`: D F I O Q U aren't used, W Z not in the first place (Canada Post, Addressing Guidelines).
/// - United States and the territories with ZIP codes, `02139` or `02139-4307`: a leading zero that a spreadsheet ate is given back. The lowest
///   is 00501.
/// - France, `01000`: the first two digits are a department's (01 to 95), or the first three those of an overseas one (971 to 978, 980, 984, 986 to
///   988); a leading zero that a spreadsheet ate is given back.
/// - United Kingdom, `SW1A 1AA`: BS 7666, with the letters each place may have, and `GIR 0AA`.
/// - elsewhere: upper case, at most 20 characters.
///
/// Lower case, full-width characters, and spaces and dashes between the parts are accepted everywhere.
///
/// # Errors
/// `INVALID` when it isn't a code of that country, `TOO_LONG` beyond 100 characters.
pub fn normalise(field: &str, value: &str, country: &str) -> Result<Option<String>, FieldError> {
    let Some(line) = text::line(field, value, text::PLACE_LENGTH)? else {
        return Ok(None);
    };
    let line: String = line.chars().map(half_width).collect();
    let parts = || line.split(|character: char| character.is_whitespace() || is_dash(character)).filter(|part| !part.is_empty());
    let compact = || {
        let mut compact: String = parts().collect();
        compact.make_ascii_uppercase();
        compact
    };
    let (code, example) = match country {
        "CA" => (canada(&compact()), "H3A 1B2"),
        "US" | "AS" | "GU" | "MP" | "PR" | "VI" => (united_states(&parts().collect::<Vec<_>>()), "02139 or 02139-4307"),
        "FR" => (france(&compact()), "75001"),
        "GB" => (united_kingdom(&compact()), "SW1A 1AA"),
        _ => (elsewhere(&line), "a postal code of at most 20 characters"),
    };
    code.map(Some).ok_or_else(|| FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not a postal code of {country}. Write it like {example}.")))
}

fn canada(compact: &str) -> Option<String> {
    let letter = |byte: u8| byte.is_ascii_uppercase() && !b"DFIOQU".contains(&byte);
    let [first, second, third, fourth, fifth, sixth] = *compact.as_bytes() else { return None };
    let valid =
        letter(first) && !b"WZ".contains(&first) && second.is_ascii_digit() && letter(third) && fourth.is_ascii_digit() && letter(fifth) && sixth.is_ascii_digit();
    valid.then(|| [&compact[..3], " ", &compact[3..]].concat())
}

fn united_states(parts: &[&str]) -> Option<String> {
    let (zip, addition) = match *parts {
        [whole] if whole.is_ascii() && whole.len() > 5 => {
            let (zip, addition) = whole.split_at(whole.len() - 4);
            (zip, Some(addition))
        }
        [zip] => (zip, None),
        [zip, addition] => (zip, Some(addition)),
        _ => return None,
    };
    let zip = five_digits(zip).filter(|zip| zip.as_str() >= "00501")?;
    match addition {
        None => Some(zip),
        Some(addition) => digits(addition, 4).then(|| format!("{zip}-{addition}")),
    }
}

fn france(compact: &str) -> Option<String> {
    let code = five_digits(compact)?;
    let area: u16 = code[..3].parse().ok()?;
    matches!(area, 10..=959 | 971..=978 | 980 | 984 | 986..=988).then_some(code)
}

fn united_kingdom(compact: &str) -> Option<String> {
    if !compact.is_ascii() || !(5..=7).contains(&compact.len()) {
        return None;
    }
    let (outward, inward) = compact.split_at(compact.len() - 3);
    let letter = |byte: u8, except: &[u8]| byte.is_ascii_uppercase() && !except.contains(&byte);
    let first = |byte: u8| letter(byte, b"QVX");
    let second = |byte: u8| letter(byte, b"IJZ");
    let digit = |byte: u8| byte.is_ascii_digit();
    let outward_valid = match *outward.as_bytes() {
        [a, b] => first(a) && digit(b),
        [a, b, c] if digit(b) => first(a) && (digit(c) || b"ABCDEFGHJKPSTUW".contains(&c)),
        [a, b, c] => first(a) && second(b) && digit(c),
        [a, b, c, d] => first(a) && second(b) && digit(c) && (digit(d) || b"ABEHMNPRVWXY".contains(&d)),
        _ => false,
    };
    let inward_valid = match *inward.as_bytes() {
        [a, b, c] => digit(a) && letter(b, b"CIKMOV") && letter(c, b"CIKMOV"),
        _ => false,
    };
    ((outward_valid && inward_valid) || compact == "GIR0AA").then(|| format!("{outward} {inward}"))
}

fn elsewhere(line: &str) -> Option<String> {
    let code = line.trim().to_uppercase();
    (code.chars().count() <= LONGEST_ELSEWHERE).then_some(code)
}

/// Five digits, of which a spreadsheet that took them for a number may have eaten one leading zero.
fn five_digits(text: &str) -> Option<String> {
    match text.len() {
        5 => digits(text, 5).then(|| text.to_owned()),
        4 => (digits(text, 4) && !text.starts_with('0')).then(|| format!("0{text}")),
        _ => None,
    }
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ASCII character of a full-width one, as East Asian keyboards write them; any other as it is.
fn half_width(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        '\u{3000}' => ' ',
        other => other,
    }
}

fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COUNTRIES: [&str; 5] = ["CA", "US", "FR", "GB", "AT"];

    fn code(value: &str, country: &str) -> Result<Option<String>, FieldErrorCode> {
        normalise("postalCode", value, country).map_err(|error| error.code)
    }

    fn refused(country: &str, values: &[&str]) {
        for value in values {
            assert_eq!(code(value, country), Err(FieldErrorCode::Invalid), "{value:?} in {country}");
        }
    }

    fn stored(country: &str, values: &[(&str, &str)]) {
        for (value, expected) in values {
            assert_eq!(code(value, country).unwrap().as_deref(), Some(*expected), "{value:?} in {country}");
        }
    }

    #[test]
    fn hostile_texts_are_refused_everywhere() {
        for country in COUNTRIES {
            refused(country, &["H3A\u{0}1B2", "H3A\t1B2", "75\n001", "7\u{7f}5001"]);
            assert_eq!(code(&"1".repeat(10_000), country), Err(FieldErrorCode::TooLong));
            assert_eq!(code(&"1".repeat(100), country), Err(FieldErrorCode::Invalid));
        }
        for country in ["CA", "US", "FR", "GB"] {
            refused(
                country,
                &[
                    "-",
                    "- -",
                    "\u{200f}75001",
                    "750\u{200b}01",
                    "\u{665}\u{661}\u{664}\u{665}\u{665}",
                    "7500\u{b9}",
                    "é3A 1B2",
                    "ééééé",
                    "ﬀ1 1AA",
                    "ß1 1AA",
                    "75001;75002",
                ],
            );
        }
    }

    #[test]
    fn blank_is_none() {
        for country in COUNTRIES {
            for value in ["", "  ", "\t", "\u{3000}"] {
                assert_eq!(code(value, country), Ok(None), "{value:?} in {country}");
            }
        }
    }

    #[test]
    fn what_canada_post_does_not_use_is_refused() {
        for letter in "DFIOQU".chars() {
            refused("CA", &[&format!("{letter}3A 1B2"), &format!("H3{letter} 1B2"), &format!("H3A 1{letter}2")]);
        }
        refused("CA", &["W3A 1B2", "Z3A 1B2", "H3A", "H3A 1B", "H3A 1B22", "HA3 1B2", "H3A B12", "33A 1B2", "75001", "H3A.1B2", "H3A 1B2 Canada"]);
    }

    #[test]
    fn canadian_codes_are_stored_with_one_space() {
        let values = ["H3A 1B2", "h3a1b2", " h3a  1b2 ", "H3A-1B2", "H3A\u{a0}1B2", "H3A\u{2013}1B2", "\u{ff28}\u{ff13}\u{ff21}\u{3000}\u{ff11}\u{ff22}\u{ff12}"];
        for value in values {
            stored("CA", &[(value, "H3A 1B2")]);
        }
        stored("CA", &[("N8N 3N2", "N8N 3N2"), ("H3W 1Z2", "H3W 1Z2"), ("h0h 0h0", "H0H 0H0")]);
    }

    #[test]
    fn what_is_not_a_zip_code_is_refused() {
        refused("US", &["123", "0213", "00000", "00500", "500", "123456", "1234567", "02139-430", "2139-430", "02139-43077", "02139-4307-1"]);
        refused("US", &["1234-5", "0-2139", "021 39", "0213943O7", "02139.0", "01234567", "H3A 1B2"]);
    }

    #[test]
    fn zip_codes_get_their_leading_zero_back() {
        stored("US", &[("02139", "02139"), ("2139", "02139"), ("02139-", "02139")]);
        stored("US", &[("00501", "00501"), ("10001", "10001"), ("\u{ff11}\u{ff10}\u{ff10}\u{ff10}\u{ff11}", "10001")]);
        for value in ["02139-4307", "021394307", "21394307", "2139-4307", "02139 4307", "02139 - 4307", "02139\u{2013}4307"] {
            stored("US", &[(value, "02139-4307")]);
        }
        stored("PR", &[("00901", "00901")]);
    }

    #[test]
    fn what_is_of_no_french_department_is_refused() {
        refused(
            "FR",
            &["750", "0100", "00100", "00000", "96000", "97000", "97900", "98100", "98500", "98900", "99000", "750011", "7500A", "2A004", "F-75001", "75008 CEDEX"],
        );
    }

    #[test]
    fn french_codes_get_their_leading_zero_back() {
        stored("FR", &[("75001", "75001"), ("75 001", "75001"), ("1000", "01000"), ("7500", "07500"), ("20090", "20090"), ("95880", "95880")]);
        stored(
            "FR",
            &[("97110", "97110"), ("97400", "97400"), ("97800", "97800"), ("98000", "98000"), ("98800", "98800"), ("\u{ff17}\u{ff15}\u{ff10}\u{ff10}\u{ff11}", "75001")],
        );
    }

    #[test]
    fn what_is_not_a_british_postcode_is_refused() {
        refused("GB", &["SW1A", "SW1A 1A", "SW1A 1AAA", "1SW 1AA", "SW11A 1AA", "SWA 1AA", "S1SW 1AA", "M1 AA1", "GIR 1AA", "GIR 0AB", "SW1A.1AA"]);
        for letter in "QVX".chars() {
            refused("GB", &[&format!("{letter}1 1AA"), &format!("{letter}W1 1AA")]);
        }
        for letter in "IJZ".chars() {
            refused("GB", &[&format!("S{letter}1 1AA")]);
        }
        for letter in "CIKMOV".chars() {
            refused("GB", &[&format!("M1 1A{letter}"), &format!("M1 1{letter}A")]);
        }
        refused("GB", &["W1I 1AA", "W1L 1AA", "W1V 1AA", "SW1C 1AA", "SW1Z 1AA"]);
    }

    #[test]
    fn british_postcodes_are_stored_with_one_space() {
        for value in ["SW1A 1AA", "sw1a1aa", "SW1A-1AA", "SW1A  1AA", "SW 1A 1AA", "\u{ff33}\u{ff37}\u{ff11}\u{ff21} \u{ff11}\u{ff21}\u{ff21}"] {
            stored("GB", &[(value, "SW1A 1AA")]);
        }
        for value in ["M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX", "EC1A 1BB", "N1P 1AA", "GIR 0AA"] {
            stored("GB", &[(value, value), (&value.to_lowercase().replace(' ', ""), value)]);
        }
    }

    #[test]
    fn elsewhere_the_text_is_kept_in_upper_case() {
        stored("AT", &[("1010", "1010"), (" 1010 ab ", "1010 AB"), ("\u{ff11}\u{ff10}\u{ff11}\u{ff10}", "1010"), (&"1".repeat(20), &"1".repeat(20))]);
        stored("NL", &[("1012 ab", "1012 AB")]);
        refused("AT", &[&"1".repeat(21), &"ß".repeat(11)]);
    }

    proptest! {
        #[test]
        fn what_is_stored_is_stored_again_as_it_is(value in "[0-9A-Za-z -]{0,10}|.{0,30}", country in "CA|US|FR|GB|AT|PR") {
            if let Ok(Some(once)) = code(&value, &country) {
                prop_assert_eq!(code(&once, &country), Ok(Some(once)));
            }
        }
    }
}
