//! The values of a user, as they are given and as they are kept.

use switchboard_domain::email;
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::RoleId;
use switchboard_domain::permission::Grant;
use switchboard_domain::role;
use switchboard_store::settings::Settings;

use crate::GivenId;
use crate::error::UserError;
use crate::roles;

/// Most roles of one user.
pub const MOST_ROLES: usize = 20;
/// Longest address that signs in: the user pool's longest name.
const ADDRESS_LENGTH: usize = 128;

/// The address that somebody is to sign in with, in lower case. It must be one that messages of the user pool reach: without letters beyond ASCII, and without
/// quotes.
///
/// # Errors
/// `BLANK`, `INVALID`, `TOO_LONG` beyond 128 characters.
pub(crate) fn address(given: &str) -> Result<String, FieldError> {
    let refused = |code, message: &str| FieldError::new("email", code, message);
    let address = email::normalise("email", given)?.ok_or_else(|| refused(FieldErrorCode::Blank, "email is empty. Give the address that they are to sign in with."))?;
    if address.chars().any(|character| !character.is_ascii_graphic() || character == '"') {
        let message = "email has characters that the messages of a sign-in don't reach. Write it as name@example.com, a domain of other letters in its xn-- form.";
        return Err(refused(FieldErrorCode::Invalid, message));
    }
    if address.len() > ADDRESS_LENGTH {
        return Err(refused(FieldErrorCode::TooLong, "email is longer than 128 characters. Give a shorter address to sign in with."));
    }
    Ok(address)
}

/// The roles of a list, each once.
///
/// # Errors
/// `NOT_FOUND` on `roleIds` for each that can't be held, with its place; `LIMIT_EXCEEDED` beyond [`MOST_ROLES`].
pub(super) fn held(settings: &Settings, given: &[GivenId<RoleId>]) -> Result<Vec<RoleId>, Vec<UserError>> {
    if given.len() > MOST_ROLES {
        let message = format!("roleIds has {} entries, and a user can hold {MOST_ROLES} roles. Leave some out.", given.len());
        return Err(vec![UserError::new("roleIds", FieldErrorCode::LimitExceeded, message)]);
    }
    let mut roles: Vec<RoleId> = Vec::with_capacity(given.len());
    let mut errors: Vec<UserError> = Vec::new();
    for (index, role) in given.iter().enumerate() {
        match role.and_then(|id| settings.live_roles().find(|role| role.id == id)) {
            Some(role) if roles.contains(&role.id) => {}
            Some(role) => roles.push(role.id),
            None => errors.push(UserError::new("roleIds", FieldErrorCode::NotFound, "There is no such role. Take an id from roles.").at(index)),
        }
    }
    if errors.is_empty() { Ok(roles) } else { Err(errors) }
}

/// The single permissions of a list, each once in the widest scope that is named.
///
/// # Errors
/// `INVALID` on `permissions` for each that doesn't exist, with its place; `LIMIT_EXCEEDED` beyond [`role::MAX_GRANTS`].
pub(super) fn granted(given: &[String]) -> Result<Vec<Grant>, Vec<UserError>> {
    role::checked_grants(given).map_err(roles::shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(address(" Zoe.Gelinas+calls@Example.TEST "), Ok("zoe.gelinas+calls@example.test".to_owned()));
        assert_eq!(address("o'brien@xn--glinas-bva.ca").as_deref(), Ok("o'brien@xn--glinas-bva.ca"));
    }

    #[test]
    fn an_address_that_no_message_reaches_is_refused() {
        let long = format!("{}@{}.test", "z".repeat(64), "example.".repeat(8).trim_end_matches('.'));
        assert!(long.len() > ADDRESS_LENGTH);
        for (wrong, code) in [
            (" ", FieldErrorCode::Blank),
            ("zoe", FieldErrorCode::Invalid),
            ("zoé@example.test", FieldErrorCode::Invalid),
            ("zoe@gélinas.ca", FieldErrorCode::Invalid),
            ("\"zoe gelinas\"@example.test", FieldErrorCode::Invalid),
            ("\"zoe\"@example.test", FieldErrorCode::Invalid),
            (&long, FieldErrorCode::TooLong),
        ] {
            let error = address(wrong).unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("email", code), "{wrong}");
        }
    }
}
