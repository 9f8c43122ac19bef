//! Changing what a contact says.

use switchboard_domain::change::Change;
use switchboard_domain::contact::{Contact, ContactPatch};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, ContactId, StatusId, TeamId};
use switchboard_domain::permission::Permission;
use switchboard_store::contacts::StoredContact;

use super::access::{also, check_live, check_owner, check_version, concealed, find, live_status, settings};
use super::edit::{Decision, edit};
use super::opened::shown;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be changed; what isn't given stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateContact {
    /// The contact.
    pub id: GivenId<ContactId>,
    /// The version the client read.
    pub expected_version: i32,
    /// The values.
    pub patch: ContactPatch,
    /// The status. `Some(None)` is null or an id that doesn't decode: a contact always has a status.
    pub status: Option<GivenId<StatusId>>,
    /// The agent; `Some(None)` makes it nobody's.
    pub assignee: Option<Option<GivenId<AgentId>>>,
    /// The team in whose pool it is; `Some(None)` takes it out.
    pub team: Option<Option<GivenId<TeamId>>>,
}

/// Changes a contact. Of a client's values either all are taken or none. 2 requests, 1 R and 1 W and those of the index entries that change.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:update` (`contact:assign` too when the owner is given, `contact:set_status` when the status is), [`AppError::NotFound`]; those of the
/// database. What a person can mend is in the inner result.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdateContact) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    let stored = find(services, viewer, Permission::ContactUpdate, &request.id).await?;
    if request.assignee.is_some() || request.team.is_some() {
        also(viewer, Permission::ContactAssign, &stored.contact)?;
    }
    if request.status.is_some() {
        also(viewer, Permission::ContactSetStatus, &stored.contact)?;
    }
    let tenant = &viewer.tenant;
    let owner = check_owner(services, tenant, request.assignee.flatten(), request.team.flatten()).await?;
    let settings = settings(services, viewer, request.status.flatten()).await?;
    let change = Change::new("contact.updated", services.clock.now(), viewer.origin());
    let decide = |stored: &StoredContact| {
        let contact = &stored.contact;
        if let Err(error) = check_live(contact).and_then(|()| check_version(contact, Some(request.expected_version))) {
            return Ok(error.into());
        }
        let mut errors = Vec::new();
        let mut details = match request.patch.apply(&contact.details, &tenant.defaults()) {
            Ok(details) => details,
            Err(refused) => {
                errors.extend(refused.into_iter().map(UserError::from));
                contact.details.clone()
            }
        };
        if let Some(status) = request.status {
            match live_status(&settings, status) {
                Ok(status) => details.status = status.id,
                Err(error) => errors.push(error),
            }
        }
        match &owner {
            Ok((assignee, team)) => {
                if assignee.is_some() && team.is_some() {
                    let message = "A contact is either an agent's or in a team's pool. Give assigneeId or teamId.";
                    errors.push(UserError::new("teamId", FieldErrorCode::Invalid, message));
                }
                // Whose it becomes it is alone.
                if request.assignee.is_some() {
                    details.assignee = *assignee;
                    details.team = details.team.filter(|_| assignee.is_none());
                }
                if request.team.is_some() {
                    details.team = *team;
                    details.assignee = details.assignee.filter(|_| team.is_none());
                }
            }
            Err(error) => errors.push(error.clone()),
        }
        if !errors.is_empty() {
            return Ok(Decision::Refused(errors));
        }
        if details == contact.details {
            return Ok(Decision::Nothing);
        }
        Ok(Decision::Write(Contact { record: contact.record.changed(change.clone()), details, ..contact.clone() }, Vec::new()))
    };
    match shown(services, viewer, edit(services, tenant, &settings, stored, decide).await?).await? {
        Ok(contact) => Ok(Ok(contact)),
        Err(errors) => Ok(Err(concealed(services, viewer, errors).await?)),
    }
}
