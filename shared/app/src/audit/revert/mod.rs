//! Bringing a record back to what it said at an earlier version: the old values, written as a new change by the rules of every change.
//!
//! How a noun does it is in its own `revert.rs`, beside the update whose rules it follows: it makes of the old values what a client would have given, and has that
//! written as a change of another name.

mod then;

pub(crate) use then::{Then, in_the_clear, said_at};

use switchboard_domain::change::Change;
use switchboard_domain::contact::Contact;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, ContactId, RoleId, StatusId, TeamId, TenantId, UserId};
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{Agent, Role, User};
use switchboard_domain::status::ContactStatus;
use switchboard_domain::team::Team;
use switchboard_domain::tenant::Tenant;

use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;
use crate::{agents, contacts, roles, statuses, teams, tenant_settings, users};

/// A record that somebody wants reverted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordId {
    /// A contact.
    Contact(ContactId),
    /// A status.
    ContactStatus(StatusId),
    /// A role.
    Role(RoleId),
    /// A team.
    Team(TeamId),
    /// An agent.
    Agent(AgentId),
    /// A user.
    User(UserId),
    /// An organisation.
    Tenant(TenantId),
    /// An entry of the suppression list.
    Suppression,
    /// Something of another kind.
    Other,
}

/// What is to be reverted, and to what.
#[derive(Debug, Clone)]
pub struct RevertRecord {
    /// The record.
    pub record: GivenId<RecordId>,
    /// The version whose values it is to have.
    pub to_version: i32,
    /// The version the client read.
    pub expected_version: i32,
}

/// A record as it is after it was reverted.
#[derive(Debug, Clone, PartialEq)]
pub enum Reverted {
    /// A contact.
    Contact(Box<Contact>),
    /// A status.
    ContactStatus(ContactStatus),
    /// A role.
    Role(Role),
    /// A team.
    Team(Team),
    /// An agent.
    Agent(Agent),
    /// A user.
    User(User),
    /// The organisation.
    Tenant(Tenant),
}

/// The versions of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Versions {
    /// The one whose values the record is to have.
    pub(crate) to: i32,
    /// The one the client read.
    pub(crate) expected: i32,
}

impl Versions {
    /// The change by which a record gets its old values, which says to which version it goes back.
    pub(crate) fn change(self, services: &Services, viewer: &Viewer, action: &str) -> Change {
        Change::new(action, services.clock.now(), viewer.origin()).because(format!("to version {}", self.to))
    }

    /// The errors of a change whose values nobody gave, and what to do about them; `update` is the mutation by which single values can be given.
    pub(crate) fn told(self, errors: Vec<UserError>, update: &str) -> Vec<UserError> {
        errors.into_iter().map(|error| self.told_one(error, update)).collect()
    }

    fn told_one(self, mut error: UserError, update: &str) -> UserError {
        let field = &error.error.field;
        if ["id", "expectedVersion"].contains(&field.as_str()) {
            return error;
        }
        let remedy = format!("Give another version, or set the values that you want by {update}.");
        error.error.message = match error.error.code {
            FieldErrorCode::NotFound => format!("What {field} was at version {} isn't there any more. {remedy}", self.to),
            _ => format!("{} That is what version {} said. {remedy}", error.error.message, self.to),
        };
        // A place in a list that nobody gave says nothing.
        error.index = None;
        error
    }
}

/// What is said of a record that can't be reverted where it is.
pub(crate) fn forbidden_transition(message: &str) -> UserError {
    UserError::new("id", FieldErrorCode::ForbiddenTransition, message)
}

/// The values that the trail has can't be those of the record.
pub(crate) fn unreadable() -> AppError {
    AppError::Broken("what a record said can't be read from its audit trail".to_owned())
}

/// Gives a record the values that it had at an earlier version, as a new change whose reason names that version; nothing is written when it has them. Whether it
/// is deleted, whom a team has as members, and where a user stands with signing in are no values. Requests and units of the record's update; for the trail 1 request
/// per 100 versions since, half an R per started 4 KB of their events; for all but contacts 1 request and 1 R more, for statuses and roles 2 R.
///
/// # Errors
/// [`AppError::Forbidden`] without `record:revert` for the whole tenant, and without what the update needs for the values that differ; [`AppError::NotFound`];
/// [`AppError::Unavailable`] while the newest change isn't on record yet; those of the update. What a person can mend is in the inner result: that of the update,
/// by the names of its fields; `NOT_FOUND` on `toVersion`; `FORBIDDEN_TRANSITION` for what is deleted or merged; `NOT_ALLOWED` for kinds of records that can't be
/// reverted.
pub async fn revert(services: &Services, viewer: &Viewer, request: RevertRecord) -> Result<Result<Reverted, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::RecordRevert)?;
    let versions = Versions { to: request.to_version, expected: request.expected_version };
    Ok(match request.record.ok_or(AppError::NotFound)? {
        RecordId::Contact(id) => Box::pin(contacts::revert(services, viewer, id, versions)).await?.map(|contact| Reverted::Contact(Box::new(contact))),
        RecordId::ContactStatus(id) => Box::pin(statuses::revert(services, viewer, id, versions)).await?.map(Reverted::ContactStatus),
        RecordId::Role(id) => Box::pin(roles::revert(services, viewer, id, versions)).await?.map(Reverted::Role),
        RecordId::Team(id) => Box::pin(teams::revert(services, viewer, id, versions)).await?.map(Reverted::Team),
        RecordId::Agent(id) => Box::pin(agents::revert(services, viewer, id, versions)).await?.map(Reverted::Agent),
        RecordId::User(id) => Box::pin(users::revert(services, viewer, id, versions)).await?.map(Reverted::User),
        RecordId::Tenant(id) => Box::pin(tenant_settings::revert(services, viewer, id, versions)).await?.map(Reverted::Tenant),
        RecordId::Suppression => Err(vec![not_allowed("An entry of the suppression list can't be reverted. Use suppressionAdd or suppressionRemove, which ask why.")]),
        RecordId::Other => Err(vec![not_allowed("Only a contact, a status, a role, a team, an agent, a user and the organisation can be reverted. Give the id of one.")]),
    })
}

fn not_allowed(message: &str) -> UserError {
    UserError::new("id", FieldErrorCode::NotAllowed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gave_no_value_is_told_whose_value_it_was_and_what_to_do() {
        let versions = Versions { to: 3, expected: 7 };
        let told = |field: &str, code| {
            let error = UserError::new(field, code, "It is so. Do this.").at(4);
            versions.told(vec![error], "contactUpdate").remove(0)
        };
        for field in ["id", "expectedVersion"] {
            assert_eq!(told(field, FieldErrorCode::Stale).error.message, "It is so. Do this.");
        }
        let gone = told("statusId", FieldErrorCode::NotFound);
        assert!(gone.error.message.starts_with("What statusId was at version 3 isn't there any more.") && gone.error.message.ends_with("by contactUpdate."));
        let taken = told("phone", FieldErrorCode::Taken);
        assert!(taken.error.message.starts_with("It is so. Do this. That is what version 3 said."));
        assert_eq!((gone.index, taken.index, taken.error.code), (None, None, FieldErrorCode::Taken));
    }
}
