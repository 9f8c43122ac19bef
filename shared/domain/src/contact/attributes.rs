//! The tenant's own columns of a contact: their names, values and limits, and which of them are sensitive.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// Most attributes a contact can have.
pub const MAX_ATTRIBUTES: usize = 50;

/// Most bytes that a contact's attributes have together, written as JSON: a change from as many to as many must fit one item of 400 KB.
pub const MAX_ATTRIBUTE_BYTES: usize = 150 * 1_024;

/// Attributes by name.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Yes or no.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A line of text.
    String(String),
}

/// Beyond this a double no longer holds every whole number.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Boolean(value) => serializer.serialize_bool(*value),
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and below 2^53")]
            Self::Number(value) if value.fract() == 0.0 && value.abs() < LARGEST_EXACT => serializer.serialize_i64(*value as i64),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::String(value) => serializer.serialize_str(value),
        }
    }
}

/// Checks an attribute's name and trims it.
///
/// # Errors
/// `BLANK`, `TOO_LONG` beyond 64 characters, `INVALID` for control characters and for names that look like the inside of a database or a
/// language (`PK`, `GSI1SK`, `__proto__`).
pub fn validate_name(name: &str) -> Result<String, FieldError> {
    let field = "attributes";
    let line = text::line(field, name, text::ATTRIBUTE_NAME_LENGTH)
        .map_err(|error| FieldError::new(field, error.code, "An attribute's name has at most 64 characters and no control characters. Rename it."))?;
    let Some(line) = line else {
        return Err(FieldError::new(field, FieldErrorCode::Blank, "An attribute has no name. Name it."));
    };
    let upper = line.to_ascii_uppercase();
    let internal = line.starts_with("__") || ["PK", "SK", "CONSTRUCTOR", "PROTOTYPE"].contains(&upper.as_str()) || (upper.starts_with("GSI") && upper.ends_with('K'));
    if internal {
        return Err(FieldError::new(field, FieldErrorCode::Invalid, format!("The attribute name {line} is reserved. Choose another.")));
    }
    Ok(line)
}

/// Checks an attribute's value; `Ok(None)` when it is blank text.
///
/// # Errors
/// `TOO_LONG` beyond 1,000 characters, `INVALID` for control characters other than line breaks and tabs, and for numbers that aren't finite.
pub fn validate_value(name: &str, value: AttributeValue) -> Result<Option<AttributeValue>, FieldError> {
    let field = format!("attributes.{name}");
    match value {
        AttributeValue::String(string) => {
            let trimmed = string.trim();
            if trimmed.is_empty() {
                return Ok(None);
            }
            if trimmed.chars().count() > text::ATTRIBUTE_VALUE_LENGTH {
                return Err(FieldError::new(&field, FieldErrorCode::TooLong, format!("{field} is longer than 1,000 characters. Shorten it.")));
            }
            if trimmed.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
                return Err(FieldError::new(&field, FieldErrorCode::Invalid, format!("{field} contains control characters. Remove them.")));
            }
            Ok(Some(AttributeValue::String(trimmed.to_owned())))
        }
        AttributeValue::Number(number) if !number.is_finite() => Err(FieldError::new(&field, FieldErrorCode::Invalid, format!("{field} is not a finite number."))),
        other => Ok(Some(other)),
    }
}

/// Whether a contact can have these attributes: at most [`MAX_ATTRIBUTES`], and together at most [`MAX_ATTRIBUTE_BYTES`].
///
/// # Errors
/// `LIMIT_EXCEEDED`.
pub(super) fn validate_all(attributes: &Attributes) -> Result<(), FieldError> {
    let message = if attributes.len() > MAX_ATTRIBUTES {
        format!("A contact has at most {MAX_ATTRIBUTES} attributes. Remove some.")
    } else if serde_json::to_vec(attributes).map_or(0, |json| json.len()) > MAX_ATTRIBUTE_BYTES {
        format!("The attributes have more than {MAX_ATTRIBUTE_BYTES} bytes together. Shorten or remove some.")
    } else {
        return Ok(());
    };
    Err(FieldError::new("attributes", FieldErrorCode::LimitExceeded, message))
}

/// Words that, standing alone in a name, make an attribute sensitive: government, card, bank and birth-date fields, English and French.
const SENSITIVE_WORDS: [&str; 22] = [
    "sin",
    "ssn",
    "nas",
    "nir",
    "nino",
    "passport",
    "passeport",
    "iban",
    "bic",
    "swift",
    "cvv",
    "cvc",
    "pan",
    "dob",
    "birth",
    "birthday",
    "birthdate",
    "naissance",
    "bank",
    "banque",
    "creditcard",
    "medicare",
];

/// Pairs of words that make an attribute sensitive when both stand in its name.
const SENSITIVE_PAIRS: [(&str, &str); 12] = [
    ("social", "insurance"),
    ("social", "security"),
    ("assurance", "sociale"),
    ("securite", "sociale"),
    ("credit", "card"),
    ("card", "number"),
    ("carte", "credit"),
    ("carte", "bancaire"),
    ("health", "card"),
    ("assurance", "maladie"),
    ("account", "number"),
    ("driver", "license"),
];

/// The fields of a person that are kept encrypted, under whose names an import sets aside what isn't valid.
const PERSONAL_FIELDS: [&str; 6] = ["phone", "phoneExtension", "alternatePhones", "email", "address", "postalCode"];

/// Whether an attribute of this name is shown masked.
#[must_use]
pub fn is_sensitive(name: &str) -> bool {
    let folded = text::fold(name);
    let words: Vec<&str> = folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.iter().any(|word| SENSITIVE_WORDS.contains(word)) || SENSITIVE_PAIRS.iter().any(|(first, second)| words.contains(first) && words.contains(second))
}

/// Whether an attribute of this name is kept encrypted: the sensitive ones, and what an import set aside of a person's own fields.
#[must_use]
pub fn is_sealed(name: &str) -> bool {
    is_sensitive(name) || PERSONAL_FIELDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_internals_are_refused() {
        for name in ["PK", "sk", "GSI1PK", "gsi2sk", "__proto__", "constructor"] {
            assert_eq!(validate_name(name).unwrap_err().code, FieldErrorCode::Invalid, "{name}");
        }
        assert_eq!(validate_name(" ").unwrap_err().code, FieldErrorCode::Blank);
        assert_eq!(validate_name(&"x".repeat(65)).unwrap_err().code, FieldErrorCode::TooLong);
        assert_eq!(validate_name(" Preferred colour ").unwrap(), "Preferred colour");
    }

    #[test]
    fn values_have_limits_and_blank_is_none() {
        let string = |text: &str| AttributeValue::String(text.to_owned());
        assert_eq!(validate_value("a", string(" ")).unwrap(), None);
        assert_eq!(validate_value("a", string(&"x".repeat(1_001))).unwrap_err().field, "attributes.a");
        assert_eq!(validate_value("a", string("\u{7}")).unwrap_err().code, FieldErrorCode::Invalid);
        assert_eq!(validate_value("a", AttributeValue::Number(f64::NAN)).unwrap_err().code, FieldErrorCode::Invalid);
        assert_eq!(validate_value("a", string("two\nlines")).unwrap(), Some(string("two\nlines")));
    }

    #[test]
    fn government_card_bank_and_birth_fields_are_sensitive_and_others_are_not() {
        for name in ["SIN", "Social Insurance Number", "credit_card", "Date de naissance", "Numéro d'assurance sociale", "IBAN", "Bank account"] {
            assert!(is_sensitive(name), "{name}");
        }
        for name in ["business", "Since", "Company", "web", "Account manager", "Panel"] {
            assert!(!is_sensitive(name), "{name}");
        }
    }

    #[test]
    fn attributes_are_few_and_not_too_long_together() {
        let of = |count: usize, value: &str| (0..count).map(|index| (format!("a{index}"), AttributeValue::String(value.to_owned()))).collect::<Attributes>();
        assert!(validate_all(&of(50, &"é".repeat(1_000))).is_ok());
        for wrong in [of(51, "x"), of(50, &"😀".repeat(1_000))] {
            assert_eq!(validate_all(&wrong).unwrap_err().code, FieldErrorCode::LimitExceeded);
        }
    }

    #[test]
    fn whole_numbers_are_written_without_a_fraction() {
        assert_eq!(serde_json::to_string(&AttributeValue::Number(5.0)).unwrap(), "5");
        assert_eq!(serde_json::to_string(&AttributeValue::Number(0.5)).unwrap(), "0.5");
    }
}
