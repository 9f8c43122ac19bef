//! The values of an agent, as they are given and as they are kept.

use switchboard_domain::field_error::FieldError;
use switchboard_domain::{tenant_settings, text};

/// Longest employee number, in characters.
const EMPLOYEE_ID_LENGTH: usize = 50;

/// The employer's own number for somebody; none when nothing is left of it.
///
/// # Errors
/// `TOO_LONG` beyond 50 characters, `INVALID` for control characters.
pub(crate) fn employee_id(given: &str) -> Result<Option<String>, FieldError> {
    text::line("employeeId", given, EMPLOYEE_ID_LENGTH)
}

/// The zone of somebody's schedule, as IANA spells it; none, which is the tenant's, when nothing is left of it.
///
/// # Errors
/// `TOO_LONG`, `INVALID` for a zone that doesn't exist.
pub(super) fn time_zone(given: &str) -> Result<Option<String>, FieldError> {
    if given.trim().is_empty() {
        return Ok(None);
    }
    tenant_settings::checked_time_zone("timeZone", given).map(Some)
}

#[cfg(test)]
mod tests {
    use switchboard_domain::field_error::FieldErrorCode;

    use super::*;

    #[test]
    fn an_employee_number_is_one_line_of_50_characters_or_nothing() {
        assert_eq!(employee_id(" É-7 "), Ok(Some("É-7".to_owned())));
        assert_eq!(employee_id(" "), Ok(None));
        assert!(employee_id(&"é".repeat(50)).is_ok());
        for (wrong, code) in [("7".repeat(51), FieldErrorCode::TooLong), ("7\n7".to_owned(), FieldErrorCode::Invalid)] {
            let error = employee_id(&wrong).unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("employeeId", code));
        }
    }

    #[test]
    fn a_zone_is_one_that_exists_spelled_as_everywhere_or_nothing() {
        assert_eq!(time_zone(" america/vancouver "), Ok(Some("America/Vancouver".to_owned())));
        assert_eq!(time_zone(" "), Ok(None));
        for wrong in ["Mars/Olympus", "../../etc/passwd", "EST5EDT4", "+05:00"] {
            let error = time_zone(wrong).unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("timeZone", FieldErrorCode::Invalid), "{wrong}");
        }
    }
}
