//! What can go wrong with a service, sorted by what the caller can do about it.

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// What was asked for isn't there, or this function may not know whether it is.
    #[error("not found: {0}")]
    NotFound(String),
    /// It is no longer what it was when it was first seen.
    #[error("changed meanwhile: {0}")]
    Changed(String),
    /// The request was refused; trying again doesn't help.
    #[error("refused: {0}")]
    Refused(String),
    /// The service doesn't answer; trying again later can help.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

impl PlatformError {
    /// Sorts an error of the SDK.
    pub(crate) fn of<E, R>(what: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let Some(service) = error.as_service_error() else {
            return Self::Unavailable(format!("{what}: {}", DisplayErrorContext(error)));
        };
        let code = service.code().unwrap_or("unknown");
        let text = format!("{what}: {code}: {}", service.message().unwrap_or_default());
        match code {
            "NoSuchKey" | "NoSuchUpload" | "NotFound" | "UserNotFoundException" | "ResourceNotFoundException" => Self::NotFound(text),
            "PreconditionFailed" | "ConditionalRequestConflict" => Self::Changed(text),
            "SlowDown"
            | "InternalError"
            | "ServiceUnavailable"
            | "ThrottlingException"
            | "RequestThrottled"
            | "TooManyRequestsException"
            | "RequestTimeout"
            | "KMSInternalException"
            | "DependencyTimeoutException" => Self::Unavailable(text),
            _ => Self::Refused(text),
        }
    }
}
