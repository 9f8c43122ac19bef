//! Creating once, however often a client asks: the same key and input answer as before.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::Serialize;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::base32;
use switchboard_store::idempotency::{self, Entry};
use switchboard_store::table::Part;
use switchboard_store::tenants::OpenTenant;

use crate::error::{AppError, UserError};
use crate::services::Services;

/// Longest idempotency key, in characters.
const LONGEST_KEY: usize = 128;

/// A key that is new, with the hash of what is asked under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    key: String,
    request: String,
}

impl Pending {
    /// What is remembered once `result` was created.
    #[must_use]
    pub fn entry(&self, result: impl ToString, now: Timestamp) -> Entry {
        Entry { key: self.key.clone(), request: self.request.clone(), result: result.to_string(), made_at: now }
    }

    /// The part of the transaction that remembers it. 2 W.
    #[must_use]
    pub fn part(&self, tenant: &OpenTenant, result: impl ToString, now: Timestamp) -> Part {
        self.entry(result, now).part(&tenant.scope)
    }
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recalled {
    /// Nothing yet; `None` when no key was given.
    New(Option<Pending>),
    /// It was used for the same request, which created what has this id.
    Answer(String),
    /// It can't be used.
    Refused(UserError),
}

/// Looks up the key a client gave with an operation and its input. It is kept as a keyed hash, because clients may put personal data in it.
/// Nothing without a key, else 1 request and 1 R.
///
/// # Errors
/// Those of the database.
pub async fn recall(services: &Services, tenant: &OpenTenant, operation: &'static str, key: Option<&str>, form: &impl Serialize) -> Result<Recalled, AppError> {
    let Some(key) = key else {
        return Ok(Recalled::New(None));
    };
    if key.trim().is_empty() || key.chars().count() > LONGEST_KEY {
        let error = UserError::new("idempotencyKey", FieldErrorCode::Invalid, "idempotencyKey has 1 to 128 characters. Use a UUID.");
        return Ok(Recalled::Refused(error));
    }
    let keyring = &tenant.keyring;
    let key = base32(&keyring.keyed_hash("idempotency key", key));
    let form = serde_json::to_string(&(operation, form)).map_err(|error| AppError::Broken(error.to_string()))?;
    let request = HEXLOWER.encode(&keyring.keyed_hash("idempotency request", &form));
    Ok(match idempotency::find(&services.core, &tenant.scope, &key, services.clock.now()).await? {
        None => Recalled::New(Some(Pending { key, request })),
        Some(entry) if entry.request == request => Recalled::Answer(entry.result),
        Some(_) => Recalled::Refused(key_taken()),
    })
}

/// The key was used with other input.
#[must_use]
pub fn key_taken() -> UserError {
    UserError::new("idempotencyKey", FieldErrorCode::Conflict, "This idempotencyKey was used with other input. Use a new one.")
}
