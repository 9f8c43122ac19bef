//! E-mail addresses: checked, and kept in lower case.

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;

use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// Checks an address (RFC 5321 and 5322, without display names and addresses in brackets) and lower-cases it; `Ok(None)` when blank.
///
/// The host has at least two labels of letters, digits and inner hyphens, and its last isn't a number. Letters of all scripts are accepted, and
/// composed (NFC) so that an address has one form.
///
/// # Errors
/// `INVALID` when it isn't an address, `TOO_LONG` beyond 255 characters.
pub fn normalise(field: &str, value: &str) -> Result<Option<String>, FieldError> {
    let Some(line) = text::line(field, value, text::NAME_LENGTH)? else {
        return Ok(None);
    };
    let address = if line.is_ascii() { line.to_ascii_lowercase() } else { line.nfc().collect::<String>().to_lowercase() };
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    match EmailAddress::parse_with_options(&address, options) {
        Ok(checked) if is_host(checked.domain()) => Ok(Some(address)),
        _ => Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not an e-mail address. Write it as name@example.com."))),
    }
}

/// Whether the library's domain, which may have all that a local part may, is a host's name.
fn is_host(domain: &str) -> bool {
    let written = domain.chars().all(|character| character.is_alphanumeric() || character == '-' || character == '.');
    written && domain.rsplit('.').next().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_an_address_is_refused() {
        for wrong in [
            "zoe",
            "zoe@",
            "@example.com",
            "@",
            "zoe@@example.com",
            "zoe@example@com",
            "zoe@localhost",
            "zoe@example..com",
            "zoe@.example.com",
            "zoe@example.com.",
            "zoe@-example.com",
            "zoe@example-.com",
            "zoe@exa_mple.com",
            "zoe@exa!mple.com",
            "zoe@example/path.com",
            "zoe@192.0.2.1",
            "zoe@[192.0.2.1]",
            ".zoe@example.com",
            "zoe.@example.com",
            "zo..e@example.com",
            "a b@example.com",
            "Zoe <zoe@example.com>",
            "<zoe@example.com>",
            "mailto:zoe@example.com",
            "zoe@example.com, liam@example.com",
            "zoe@example.com;liam@example.com",
            "zoe@example.com liam@example.com",
            "zoe(comment)@example.com",
            "\"\"@example.com",
            "\"zoe@example.com",
            "zoe\u{ff20}example.com",
        ] {
            assert_eq!(normalise("email", wrong).unwrap_err().code, FieldErrorCode::Invalid, "{wrong:?}");
        }
    }

    #[test]
    fn hostile_texts_are_refused() {
        for wrong in [
            "zoe\u{0}@example.com",
            "zoe@example.com\u{0}",
            "zoe@example.com\r\nBcc: liam@example.com",
            "zoe\t@example.com",
            "\"zo\te\"@example.com",
            "zoe\u{7f}@example.com",
            "zoe\u{85}x@example.com",
            "zoe\u{200b}@example.com",
            "\u{202e}zoe@example.com",
            "zoe@exam\u{ad}ple.com",
            "zoe\u{a0}@example.com",
            "\u{feff}zoe@example.com",
            "zoe@example.com\u{200f}",
            "\u{1f600}@example.com",
        ] {
            assert_eq!(normalise("email", wrong).unwrap_err().code, FieldErrorCode::Invalid, "{wrong:?}");
        }
        assert_eq!(normalise("email", &"@".repeat(10_000)).unwrap_err().code, FieldErrorCode::TooLong);
    }

    #[test]
    fn blank_is_none() {
        for blank in ["", "  ", "\r\n", "\u{3000}"] {
            assert_eq!(normalise("email", blank), Ok(None), "{blank:?}");
        }
    }

    #[test]
    fn the_limit_is_255_characters_in_all_and_64_before_the_at() {
        let host = |length: usize| format!("{}.com", "example.".repeat(40).chars().take(length - 5).collect::<String>() + "x");
        let of = |length: usize| format!("zoe@{}", host(length - 4));
        assert_eq!(normalise("email", &of(255)).unwrap(), Some(of(255)));
        assert_eq!(normalise("email", &of(256)).unwrap_err().code, FieldErrorCode::TooLong);
        assert!(normalise("email", &format!("{}@example.com", "z".repeat(64))).is_ok());
        assert_eq!(normalise("email", &format!("{}@example.com", "z".repeat(65))).unwrap_err().code, FieldErrorCode::Invalid);
        assert_eq!(normalise("email", &format!("zoe@{}.com", "z".repeat(64))).unwrap_err().code, FieldErrorCode::Invalid);
    }

    #[test]
    fn addresses_are_trimmed_and_lower_cased() {
        for (given, stored) in [
            (" Zoe@Example.COM ", "zoe@example.com"),
            ("zoe.gelinas+calls@mail.example.com", "zoe.gelinas+calls@mail.example.com"),
            ("o'brien_1@example-1.co.uk", "o'brien_1@example-1.co.uk"),
            ("1@1.example.com", "1@1.example.com"),
            ("ZOÉ@Gélinas.ca", "zoé@gélinas.ca"),
            ("zoe\u{301}@example.com", "zoé@example.com"),
            ("zoe@xn--glinas-bva.ca", "zoe@xn--glinas-bva.ca"),
            ("\"Zoe Gelinas\"@example.com", "\"zoe gelinas\"@example.com"),
        ] {
            assert_eq!(normalise("email", given).unwrap().as_deref(), Some(stored));
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_is_stored_again_as_it_is(value in "[a-zA-Z.\"+-]{0,8}@[A-Za-z0-9.-]{0,12}\\.[a-z0-9]{2}|\\PC{0,10}@\\PC{0,10}\\.com|.{0,40}") {
            if let Ok(Some(once)) = normalise("email", &value) {
                prop_assert!(once.chars().count() <= 255 && !once.chars().any(char::is_control));
                prop_assert_eq!(normalise("email", &once), Ok(Some(once)));
            }
        }
    }
}
