//! E-mail addresses: checked, and kept in lower case.

use std::str::FromStr;

use email_address::{EmailAddress, Options};

use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// Checks an address (RFC 5321 and 5322, without display names and bare hosts) and lower-cases it; `Ok(None)` when blank.
///
/// # Errors
/// `INVALID` when it isn't an address, `TOO_LONG` beyond 255 characters.
pub fn normalise(field: &str, value: &str) -> Result<Option<String>, FieldError> {
    let Some(line) = text::line(field, value, text::NAME_LENGTH)? else {
        return Ok(None);
    };
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    let invalid = || FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not an e-mail address. Write it as name@example.com."));
    EmailAddress::from_str(&line).map_err(|_| invalid())?;
    EmailAddress::parse_with_options(&line, options).map_err(|_| invalid())?;
    Ok(Some(line.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lower_cased() {
        assert_eq!(normalise("email", " Zoe@Example.COM ").unwrap().as_deref(), Some("zoe@example.com"));
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for wrong in ["zoe", "zoe@", "@example.com", "zoe@localhost", "Zoe <zoe@example.com>", "a b@example.com", "zoe@example..com"] {
            assert_eq!(normalise("email", wrong).unwrap_err().code, FieldErrorCode::Invalid, "{wrong}");
        }
    }
}
