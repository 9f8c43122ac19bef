//! What a use case can answer instead of its result: an error of the whole request, or errors a person can mend.

use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::{AgentId, ContactId, RoleId, StatusId, TeamId, UserId};
use switchboard_platform::PlatformError;
use switchboard_store::StoreError;

/// An error of the whole request.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The caller isn't who they say, or isn't a user any more.
    #[error("sign in again")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("not allowed")]
    Forbidden,
    /// What the id names doesn't exist, or isn't the caller's to see: the two answer alike.
    #[error("there is no such record")]
    NotFound,
    /// A query asks for something that can't be, such as a search for one digit; the sentence names the argument and the remedy.
    #[error("{0}")]
    Asked(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another service failed.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// Something outside doesn't answer; trying again later can help.
    #[error("unavailable: {0}")]
    Unavailable(&'static str),
    /// Something that can't be, was.
    #[error("{0}")]
    Broken(String),
}

impl AppError {
    /// Whether trying again later can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Platform(error) => matches!(error, PlatformError::Unavailable(_)),
            Self::Unavailable(_) => true,
            Self::Unauthenticated | Self::Forbidden | Self::NotFound | Self::Asked(_) | Self::Broken(_) => false,
        }
    }
}

/// A record that is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existing {
    /// A contact.
    Contact(ContactId),
    /// A status.
    ContactStatus(StatusId),
    /// A user.
    User(UserId),
    /// An agent.
    Agent(AgentId),
    /// A team.
    Team(TeamId),
    /// A role.
    Role(RoleId),
}

/// An error a person can mend, in the payload of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// The field, its code and the sentence.
    pub error: FieldError,
    /// With `TAKEN` and `CONFLICT`: the record that is in the way.
    pub existing: Option<Existing>,
    /// With a list of inputs: the place of the one that is wrong, from 0.
    pub index: Option<usize>,
}

impl UserError {
    /// An error of one field.
    pub fn new(field: &str, code: FieldErrorCode, message: impl Into<String>) -> Self {
        FieldError::new(field, code, message).into()
    }

    /// The same error of the input at this place of a list.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }
}

impl From<FieldError> for UserError {
    fn from(error: FieldError) -> Self {
        Self { error, existing: None, index: None }
    }
}
