//! Assigning contacts to an agent or to a team's pool, or to nobody.

use futures::stream::{StreamExt, TryStreamExt};
use switchboard_domain::change::Change;
use switchboard_domain::contact::{Contact, ContactDetails};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, ContactId, TeamId};
use switchboard_domain::permission::Permission;
use switchboard_store::contacts::StoredContact;

use super::access::{check_live, check_owner, find};
use super::edit::{Decision, edit};
use super::opened::shown;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Most contacts assigned in one request.
pub const MOST_ASSIGNED: usize = 100;
/// Contacts written at the same time.
const AT_ONCE: usize = 16;

/// Who is to have which contacts.
#[derive(Debug, Clone, Default)]
pub struct AssignContacts {
    /// The contacts, at most [`MOST_ASSIGNED`].
    pub ids: Vec<GivenId<ContactId>>,
    /// The agent; without agent and team the contacts are nobody's.
    pub assignee: Option<GivenId<AgentId>>,
    /// The team in whose pool they are.
    pub team: Option<GivenId<TeamId>>,
}

/// A contact for each id, none where an error has its index.
pub type PerContact = (Vec<Option<Contact>>, Vec<UserError>);

/// Assigns contacts, each by itself. 1 request and 1 R for who is to have them; for each contact 2 requests, 1 R and 1 W, 1 for index 1 and 2
/// for index 2.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:assign`; those of the database. What a person can mend is in the result.
pub async fn assign(services: &Services, viewer: &Viewer, request: AssignContacts) -> Result<PerContact, AppError> {
    viewer.scope(Permission::ContactAssign)?;
    let count = request.ids.len();
    let refused = |error| (vec![None; count], vec![error]);
    if request.ids.is_empty() {
        return Ok(refused(UserError::new("ids", FieldErrorCode::Blank, "ids is empty. Give the ids of 1 to 100 contacts.")));
    }
    if request.ids.len() > MOST_ASSIGNED {
        let message = format!("ids has {} entries, at most {MOST_ASSIGNED} are allowed. Use contactBulk for more.", request.ids.len());
        return Ok(refused(UserError::new("ids", FieldErrorCode::LimitExceeded, message)));
    }
    if request.assignee.is_some() && request.team.is_some() {
        let message = "A contact is either an agent's or in a team's pool. Give assigneeId or teamId.";
        return Ok(refused(UserError::new("teamId", FieldErrorCode::Invalid, message)));
    }
    let (assignee, team) = match check_owner(services, &viewer.tenant, request.assignee, request.team).await? {
        Ok(owner) => owner,
        Err(error) => return Ok(refused(error)),
    };
    let change = change(services, viewer, assignee, team);
    let outcomes: Vec<(usize, Result<Contact, UserError>)> = futures::stream::iter(request.ids.into_iter().enumerate())
        .map(|(index, id)| {
            let change = change.clone();
            async move { Ok::<_, AppError>((index, one(services, viewer, &id, assignee, team, change).await?)) }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut contacts = Vec::with_capacity(outcomes.len());
    let mut errors = Vec::new();
    for (index, outcome) in outcomes {
        match outcome {
            Ok(contact) => contacts.push(Some(contact)),
            Err(error) => {
                contacts.push(None);
                errors.push(error.at(index));
            }
        }
    }
    Ok((contacts, errors))
}

fn change(services: &Services, viewer: &Viewer, assignee: Option<AgentId>, team: Option<TeamId>) -> Change {
    Change::new(action(assignee, team), services.clock.now(), viewer.origin())
}

/// What assigning to these is called in the audit trail.
pub(super) fn action(assignee: Option<AgentId>, team: Option<TeamId>) -> &'static str {
    if assignee.is_none() && team.is_none() { "contact.unassigned" } else { "contact.assigned" }
}

async fn one(
    services: &Services,
    viewer: &Viewer,
    id: &GivenId<ContactId>,
    assignee: Option<AgentId>,
    team: Option<TeamId>,
    change: Change,
) -> Result<Result<Contact, UserError>, AppError> {
    let stored = match find(services, viewer, Permission::ContactAssign, id).await {
        Err(AppError::NotFound) => return Ok(Err(UserError::new("ids", FieldErrorCode::NotFound, "There is no such contact. Take its id from a list."))),
        stored => stored?,
    };
    let decide = |stored: &StoredContact| {
        let contact = &stored.contact;
        if let Err(mut error) = check_live(contact) {
            "ids".clone_into(&mut error.error.field);
            return Ok(error.into());
        }
        if contact.details.assignee == assignee && contact.details.team == team {
            return Ok(Decision::Nothing);
        }
        let details = ContactDetails { assignee, team, ..contact.details.clone() };
        Ok(Decision::Write(Contact { record: contact.record.changed(change.clone()), details, ..contact.clone() }, Vec::new()))
    };
    let edited = edit(services, &viewer.tenant, &viewer.settings, stored, decide).await;
    let edited = match edited {
        Err(AppError::NotFound) => return Ok(Err(UserError::new("ids", FieldErrorCode::NotFound, "This contact was erased meanwhile."))),
        edited => edited?,
    };
    Ok(shown(services, viewer, edited).await?.map_err(|mut errors| errors.remove(0)))
}
