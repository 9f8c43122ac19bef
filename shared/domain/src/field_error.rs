//! What is wrong with a value somebody gave: the field, a stable code and a sentence that says the remedy.

use serde::{Deserialize, Serialize};

/// Why a value was refused. The names are those of `UserErrorCode` in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FieldErrorCode {
    /// A required value is missing or empty.
    Blank,
    /// The value isn't of the form it must have.
    Invalid,
    /// Another record has this unique value.
    Taken,
    /// The text is longer than allowed.
    TooLong,
    /// The record the value names doesn't exist.
    NotFound,
    /// It contradicts what is already there.
    Conflict,
    /// There are more values than allowed.
    LimitExceeded,
    /// The record changed since it was read.
    Stale,
    /// The record can't go from its present state to that one.
    ForbiddenTransition,
    /// The rules don't allow it.
    NotAllowed,
    /// Other records use it.
    InUse,
}

/// One refused value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field by its name in the API, such as `phone` or `attributes.colour`.
    pub field: String,
    /// The stable code.
    pub code: FieldErrorCode,
    /// A plain sentence that names the value's shape and the remedy; never the value itself.
    pub message: String,
}

impl FieldError {
    /// An error for a field.
    pub fn new(field: impl Into<String>, code: FieldErrorCode, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}
