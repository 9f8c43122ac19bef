//! What can go wrong with the database, sorted by what the caller can do about it.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is overloaded or out of reach; trying again later can help.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The request itself was refused: missing permission, missing table, wrong form. Trying again doesn't help.
    #[error("the database refused the request: {0}")]
    Refused(String),
    /// An item doesn't have the form its type must have.
    #[error("an item does not have the form of {kind}: {reason}")]
    Undecodable {
        /// The type of item expected.
        kind: &'static str,
        /// What is wrong with it; never one of its values.
        reason: String,
    },
    /// A key of another tenant reached the request path: a bug above, stopped here.
    #[error("a key outside the tenant was stopped")]
    OutsideTenant,
    /// An item larger than DynamoDB takes (400 KB).
    #[error("the record is too large to be stored")]
    TooLarge,
}

impl StoreError {
    /// Whether trying again later can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// An item that can't be read as `kind`.
    pub fn undecodable(kind: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Undecodable { kind, reason: reason.to_string() }
    }
}

/// Error codes that pass with time, in whole requests and in single statements of a batch.
pub(crate) const TRANSIENT_CODES: [&str; 12] = [
    "InternalServerError",
    "ItemCollectionSizeLimitExceeded",
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
];

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let Some(service) = error.as_service_error() else {
            return Self::Unavailable(aws_sdk_dynamodb::error::DisplayErrorContext(&error).to_string());
        };
        let code = service.code().unwrap_or("unknown");
        let message = service.message().unwrap_or_default();
        if code == "ValidationException" && message.contains("Item size") && message.contains("exceeded") {
            return Self::TooLarge;
        }
        let text = format!("{code}: {message}");
        if TRANSIENT_CODES.contains(&code) { Self::Unavailable(text) } else { Self::Refused(text) }
    }
}
