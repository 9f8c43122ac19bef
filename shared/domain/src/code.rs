//! Codes: the snake_case words by which programs know statuses and roles, whatever people call them.

use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// Longest code, in characters.
pub const CODE_LENGTH: usize = 50;

/// Checks a code that is given in the field `code`.
///
/// # Errors
/// `TOO_LONG`, and `INVALID` for what isn't a snake_case word.
pub fn checked(given: &str) -> Result<String, FieldError> {
    text::line("code", given, CODE_LENGTH)?.filter(|code| is_code(code)).ok_or_else(|| invalid("code is not a snake_case word"))
}

/// The code that a name gives, with a number behind it when that one is held.
///
/// # Errors
/// `INVALID` when the name has no letter of which a code can be made.
pub fn made_of(name: &str, is_held: impl Fn(&str) -> bool) -> Result<String, FieldError> {
    let none = || invalid("No code can be made of this name");
    let code = code_of(name).ok_or_else(none)?;
    let numbered = (2..).map(|number| {
        let suffix = format!("_{number}");
        let kept = code.len().min(CODE_LENGTH - suffix.len());
        format!("{}{suffix}", &code[..kept])
    });
    std::iter::once(code.clone()).chain(numbered).find(|code| !is_held(code)).ok_or_else(none)
}

fn invalid(why: &str) -> FieldError {
    const SHAPE: &str = "a lower-case letter, then lower-case letters, digits and underscores, 50 at most in all";
    FieldError::new("code", FieldErrorCode::Invalid, format!("{why}. Give {SHAPE}."))
}

fn is_code(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The folded letters and digits of a name from its first letter on, an underscore for whatever stands between them.
fn code_of(name: &str) -> Option<String> {
    let folded = text::fold(name);
    let words: Vec<&str> = folded.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let joined = words.join("_");
    let code: String = joined.trim_start_matches(|first: char| !first.is_ascii_lowercase()).chars().take(CODE_LENGTH).collect();
    let code = code.trim_end_matches('_');
    (!code.is_empty()).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_a_snake_case_word() {
        for good in ["a", "call_back", "tier_2", "a_", &"a".repeat(50)] {
            assert_eq!(checked(good).as_deref(), Ok(good));
        }
        for wrong in ["", " ", "1st", "_a", "Warm", "a-b", "a b", "é", "a\nb"] {
            let error = checked(wrong).unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("code", FieldErrorCode::Invalid), "{wrong:?}");
        }
        assert_eq!(checked(&"a".repeat(51)).unwrap_err().code, FieldErrorCode::TooLong);
    }

    #[test]
    fn a_code_is_made_of_the_letters_and_digits_of_a_name() {
        let names = [
            ("Très intéressé !", Some("tres_interesse")),
            ("  Call   back—later ", Some("call_back_later")),
            ("2nd call", Some("nd_call")),
            ("日本", None),
            ("42", None),
        ];
        for (name, code) in names {
            assert_eq!(made_of(name, |_| false).ok().as_deref(), code, "{name}");
        }
        assert_eq!(made_of(&format!("{} b", "a".repeat(49)), |_| false).unwrap(), "a".repeat(49));
    }

    #[test]
    fn a_code_that_is_held_has_a_number_behind_it() {
        let held = ["warm", "warm_2"];
        assert_eq!(made_of("Warm", |code| held.contains(&code)).unwrap(), "warm_3");
        let long = "a".repeat(50);
        assert_eq!(made_of(&long, |code| code == long).unwrap(), format!("{}_2", &long[..48]));
    }

    proptest! {
        #[test]
        fn what_is_made_of_a_name_is_a_code(name in "\\PC{0,80}", taken in 0..3_usize) {
            if let Ok(code) = made_of(&name, |code| taken > 0 && !code.ends_with(&format!("_{}", taken + 1))) {
                prop_assert_eq!(checked(&code), Ok(code.clone()));
            }
        }
    }
}
