//! Errors as clients see them: a stable code and the request's id, never a message of Rust or AWS.

use std::sync::Arc;

use async_graphql::{Enum, Error, ErrorExtensions, ID, PathSegment, Response, ServerError, SimpleObject, Value};
use switchboard_app::{AppError, Existing, UserError as AppUserError};
use switchboard_domain::field_error::FieldErrorCode;

use crate::node_id::NodeId;

/// The codes of top-level errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// No token, or one that isn't good (any more).
    Unauthenticated,
    /// The user may not do this.
    Forbidden,
    /// There is no such record, or none for the caller.
    NotFound,
    /// The request isn't GraphQL as the schema has it.
    BadRequest,
    /// A cursor that this list didn't give.
    BadCursor,
    /// More asked for at once than is given.
    LimitExceeded,
    /// The query asks for too much.
    QueryTooComplex,
    /// Something the API needs doesn't answer; trying again later can help.
    Unavailable,
    /// Our own fault.
    Internal,
}

impl Code {
    /// The code as clients read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadRequest => "BAD_REQUEST",
            Self::BadCursor => "BAD_CURSOR",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// An error with this code.
    pub(crate) fn error(self, message: impl Into<String>) -> Error {
        Error::new(message).extend_with(|_, extensions| extensions.set("code", self.as_str()))
    }
}

const NOT_ALLOWED: &str = "You are not allowed to do this.";
const NO_SUCH_RECORD: &str = "There is no such record. Take its id from a list.";
const BUSY: &str = "The service is busy. Try again in a moment.";
const OUR_FAULT: &str = "Something went wrong on our side. Try again; if it stays, name the request id to support.";

/// What a use case's error looks like from outside. What is our own fault is logged here and described there.
pub(crate) fn app_error(error: AppError) -> Error {
    match &error {
        AppError::Unauthenticated => Code::Unauthenticated.error("Sign in again."),
        AppError::Forbidden => Code::Forbidden.error(NOT_ALLOWED),
        AppError::NotFound => Code::NotFound.error(NO_SUCH_RECORD),
        AppError::Asked(message) => Code::BadRequest.error(message),
        error if error.is_transient() => {
            tracing::warn!(%error, "a request could not be served");
            Code::Unavailable.error(BUSY)
        }
        error => {
            tracing::error!(%error, "a request failed");
            Code::Internal.error(OUR_FAULT)
        }
    }
}

/// The same for an error that a loader shares between its callers.
pub(crate) fn shared_error(error: &Arc<AppError>) -> Error {
    match error.as_ref() {
        AppError::Forbidden => Code::Forbidden.error(NOT_ALLOWED),
        error if error.is_transient() => {
            tracing::warn!(%error, "a request could not be served");
            Code::Unavailable.error(BUSY)
        }
        error => {
            tracing::error!(%error, "a request failed");
            Code::Internal.error(OUR_FAULT)
        }
    }
}

/// For lookups by id: what one may not see is as if it didn't exist.
pub(crate) fn hidden<T>(error: AppError) -> Result<Option<T>, AppError> {
    if matches!(error, AppError::Forbidden) { Ok(None) } else { Err(error) }
}

/// A response that says only this.
#[must_use]
pub fn error_response(code: Code, message: &str, request_id: &str) -> Response {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code.as_str());
    finish(Response::from_errors(vec![error]), request_id)
}

/// Gives every error its code and the request's id. Errors without a code come from reading the request itself.
///
/// An error of a field that can't be null makes its parent null, and so on up; the library leaves such a field out instead, so here the whole
/// answer becomes null, as the specification has it for the fields of the root.
#[must_use]
pub fn finish(mut response: Response, request_id: &str) -> Response {
    if response.errors.iter().any(|error| is_missing(&response.data, &error.path)) {
        response.data = Value::Null;
    }
    for error in &mut response.errors {
        let code = match error.message.as_str() {
            "Query is too complex." | "Query is nested too deep." => Code::QueryTooComplex,
            message if message.starts_with("The number of directives") => Code::QueryTooComplex,
            _ => Code::BadRequest,
        };
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", code.as_str());
        }
        extensions.set("requestId", Value::from(request_id));
    }
    response
}

/// Whether the place an error points to isn't in the answer.
fn is_missing(data: &Value, path: &[PathSegment]) -> bool {
    let mut place = data;
    for segment in path {
        let next = match (segment, place) {
            (PathSegment::Field(name), Value::Object(object)) => object.get(name.as_str()),
            (PathSegment::Index(index), Value::List(list)) => list.get(*index),
            _ => return false,
        };
        match next {
            Some(next) => place = next,
            None => return true,
        }
    }
    false
}

/// Why a value was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "UserErrorCode")]
pub(crate) enum UserErrorCode {
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
    /// The record changed since it was read.
    Stale,
    /// The record can't go from its present state to that one.
    ForbiddenTransition,
    /// The rules don't allow it.
    NotAllowed,
    /// There are more values than allowed.
    LimitExceeded,
    /// Other records use it.
    InUse,
}

impl From<FieldErrorCode> for UserErrorCode {
    fn from(code: FieldErrorCode) -> Self {
        match code {
            FieldErrorCode::Blank => Self::Blank,
            FieldErrorCode::Invalid => Self::Invalid,
            FieldErrorCode::Taken => Self::Taken,
            FieldErrorCode::TooLong => Self::TooLong,
            FieldErrorCode::NotFound => Self::NotFound,
            FieldErrorCode::Conflict => Self::Conflict,
            FieldErrorCode::LimitExceeded => Self::LimitExceeded,
            FieldErrorCode::Stale => Self::Stale,
            FieldErrorCode::ForbiddenTransition => Self::ForbiddenTransition,
            FieldErrorCode::NotAllowed => Self::NotAllowed,
            FieldErrorCode::InUse => Self::InUse,
        }
    }
}

/// The steps on the way to a value in the input: its field, and in a list its place and what is behind that. The names of attributes may have points in them.
fn path(field: &str) -> Vec<String> {
    match field.split_once('.') {
        None => vec![field.to_owned()],
        Some((list @ "attributes", name)) => vec![list.to_owned(), name.to_owned()],
        Some((step, rest)) => std::iter::once(step.to_owned()).chain(path(rest)).collect(),
    }
}

/// Something the caller can mend.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct UserError {
    /// The path of the value in the input.
    field: Option<Vec<String>>,
    /// What is wrong and how to mend it, in plain language.
    message: String,
    /// The stable code.
    code: UserErrorCode,
    /// The place in a list of inputs, in bulk operations.
    index: Option<i32>,
    /// With TAKEN and CONFLICT: the record that is in the way.
    existing_id: Option<ID>,
}

impl From<AppUserError> for UserError {
    fn from(error: AppUserError) -> Self {
        let existing_id = error.existing.map(|existing| match existing {
            Existing::Contact(id) => NodeId::Contact(id).to_id(),
            Existing::ContactStatus(id) => NodeId::ContactStatus(id).to_id(),
            Existing::User(id) => NodeId::User(id).to_id(),
            Existing::Agent(id) => NodeId::Agent(id).to_id(),
            Existing::Team(id) => NodeId::Team(id).to_id(),
            Existing::Role(id) => NodeId::Role(id).to_id(),
        });
        Self {
            field: Some(path(&error.error.field)),
            message: error.error.message,
            code: error.error.code.into(),
            index: error.index.and_then(|index| i32::try_from(index).ok()),
            existing_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_places_of_lists_and_leaves_the_names_of_attributes_whole() {
        let steps = |field: &str| path(field).join("/");
        for (field, expected) in [
            ("phone", "phone"),
            ("columns.3.field", "columns/3/field"),
            ("rows.12", "rows/12"),
            ("rows.12.phone", "rows/12/phone"),
            ("rows.12.attributes.a.b", "rows/12/attributes/a.b"),
            ("attributes.v1.2", "attributes/v1.2"),
            ("attributes.2026.sales", "attributes/2026.sales"),
            ("attributes.2026", "attributes/2026"),
            ("filter.includeDeleted", "filter/includeDeleted"),
            ("factors.0.rule.source.table.1", "factors/0/rule/source/table/1"),
        ] {
            assert_eq!(steps(field), expected);
        }
    }
}
