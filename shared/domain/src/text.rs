//! Free text: its limits, what it may contain, and how it is folded for comparison.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::field_error::{FieldError, FieldErrorCode};

/// Longest name, address or e-mail address, in characters (`docs/limits.md`).
pub const NAME_LENGTH: usize = 255;
/// Longest city, region or source, in characters.
pub const PLACE_LENGTH: usize = 100;
/// Longest name of an attribute, in characters.
pub const ATTRIBUTE_NAME_LENGTH: usize = 64;
/// Longest value of an attribute, in characters.
pub const ATTRIBUTE_VALUE_LENGTH: usize = 1_000;

/// Checks one line of text and trims the white space around it; `Ok(None)` when nothing is left.
///
/// # Errors
/// `TOO_LONG` beyond `limit` characters; `INVALID` for control characters, line breaks included.
pub fn line(field: &str, value: &str, limit: usize) -> Result<Option<String>, FieldError> {
    let trimmed = value.trim();
    if trimmed.is_empty() {
        return Ok(None);
    }
    // A text never has more characters than bytes.
    if trimmed.len() > limit && trimmed.chars().count() > limit {
        return Err(FieldError::new(field, FieldErrorCode::TooLong, format!("{field} is longer than {limit} characters. Shorten it.")));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} contains control characters. Remove line breaks, tabs and the like.")));
    }
    Ok(Some(trimmed.to_owned()))
}

/// Lower case without accents, for comparing words as people do: "Gélinas" and "gelinas" fold alike.
#[must_use]
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase).collect()
}

/// The folded letters and digits of a text, everything else left out: how headers and team names are compared.
#[must_use]
pub fn fold_alphanumeric(text: &str) -> String {
    fold(text).chars().filter(|character| character.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_and_blank_is_none() {
        assert_eq!(line("name", "  Zoé  ", 10).unwrap().as_deref(), Some("Zoé"));
        assert_eq!(line("name", " \t ", 10).unwrap(), None);
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        assert!(line("name", "éééé", 4).is_ok());
        assert_eq!(line("name", "ééééé", 4).unwrap_err().code, FieldErrorCode::TooLong);
    }

    #[test]
    fn control_characters_are_refused_with_the_field_named() {
        let error = line("city", "Mont\u{0}real", 100).unwrap_err();
        assert_eq!((error.field.as_str(), error.code), ("city", FieldErrorCode::Invalid));
    }

    #[test]
    fn folding_ignores_accents_and_case() {
        assert_eq!(fold("GÉLINAS"), fold("gelinas"));
        assert_eq!(fold_alphanumeric("N° de Téléphone"), "ndetelephone");
    }
}
