//! One step of a job on one contact: done once, however often the job comes back to it.

use switchboard_domain::change::{Change, Origin};
use switchboard_domain::contact::{Contact, ContactDetails};
use switchboard_domain::ids::{AgentId, ContactId, StatusId, TeamId};
use switchboard_store::contacts::{self, StoredContact};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;

use super::access::{check_live, live_status};
use super::assign;
use super::delete::deleted;
use super::edit::{Decision, Edited, edit};
use crate::error::{AppError, UserError};
use crate::services::Services;

/// Whose a contact can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// An agent's.
    Agent(AgentId),
    /// In a team's pool.
    Team(TeamId),
}

impl Owner {
    fn has(self, contact: &Contact) -> bool {
        match self {
            Self::Agent(agent) => contact.details.assignee == Some(agent),
            Self::Team(team) => contact.details.team == Some(team),
        }
    }
}

/// What a job does to each of its contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Assigns it, unless it is no longer that owner's.
    Assign {
        /// Whose it must still be; anybody's when none is given.
        from: Option<Owner>,
        /// To this agent.
        assignee: Option<AgentId>,
        /// Into this team's pool.
        team: Option<TeamId>,
    },
    /// Gives it a status.
    SetStatus {
        /// This one.
        status: StatusId,
    },
    /// Deletes it.
    Delete,
    /// Writes it again, so that its place in the calling order follows its status: a technical write.
    Rekey,
    /// Writes it again when an older key of the tenant wraps its own: a technical write.
    Rewrap,
}

/// What became of one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It was changed, now or when the job came by before.
    Changed,
    /// There was nothing to change.
    Unchanged,
    /// It couldn't be.
    Failed(UserError),
}

/// Applies an operation to a contact on behalf of the job in `origin`. A contact that carries the job's mark was done before. 2 requests: 1 R and,
/// when it changes, 1 W and those of the index entries that change.
///
/// # Errors
/// Those of the database.
pub async fn apply(services: &Services, tenant: &OpenTenant, settings: &Settings, origin: &Origin, id: &ContactId, operation: &Operation) -> Result<Applied, AppError> {
    let Some(stored) = contacts::get(&services.core, tenant, id).await? else {
        return Ok(gone());
    };
    let now = services.clock.now();
    let decide = |stored: &StoredContact| {
        let contact = &stored.contact;
        if origin.job.is_some_and(|job| contact.job_marks.contains(&job)) {
            return Ok(Decision::Nothing);
        }
        let marked = |contact: Contact| match origin.job {
            Some(job) => contact.with_job_mark(job),
            None => contact,
        };
        let change = |action: &str| Change::new(action, now, origin.clone());
        if !matches!(operation, Operation::Rekey | Operation::Rewrap)
            && let Err(error) = check_live(contact)
        {
            return Ok(error.into());
        }
        Ok(match *operation {
            Operation::Assign { from, assignee, team } => {
                if from.is_some_and(|from| !from.has(contact)) {
                    return Ok(Decision::Nothing);
                }
                if contact.details.assignee == assignee && contact.details.team == team {
                    return Ok(Decision::Nothing);
                }
                let details = ContactDetails { assignee, team, ..contact.details.clone() };
                let record = contact.record.changed(change(assign::action(assignee, team)));
                Decision::Write(marked(Contact { record, details, ..contact.clone() }), Vec::new())
            }
            Operation::SetStatus { status } => {
                let status = match live_status(settings, Some(status)) {
                    Ok(status) => status.id,
                    Err(error) => return Ok(error.into()),
                };
                if contact.details.status == status {
                    return Ok(Decision::Nothing);
                }
                let details = ContactDetails { status, ..contact.details.clone() };
                let record = contact.record.changed(change("contact.status_set"));
                Decision::Write(marked(Contact { record, details, ..contact.clone() }), Vec::new())
            }
            Operation::Delete => Decision::Write(marked(deleted(contact, change("contact.deleted"))), Vec::new()),
            Operation::Rewrap if tenant.keyring.is_current(stored.wrapped_key()) => Decision::Nothing,
            Operation::Rekey | Operation::Rewrap => Decision::Write(marked(Contact { record: contact.record.touched(), ..contact.clone() }), Vec::new()),
        })
    };
    let edited = match edit(services, tenant, settings, stored, decide).await {
        Err(AppError::NotFound) => return Ok(gone()),
        edited => edited?,
    };
    Ok(match edited {
        Edited::Written(_) => Applied::Changed,
        Edited::Unchanged(stored) if origin.job.is_some_and(|job| stored.contact.job_marks.contains(&job)) => Applied::Changed,
        Edited::Unchanged(_) => Applied::Unchanged,
        Edited::Refused(mut errors) => Applied::Failed(errors.remove(0)),
    })
}

fn gone() -> Applied {
    let message = "This contact was erased meanwhile.";
    Applied::Failed(UserError::new("id", switchboard_domain::field_error::FieldErrorCode::NotFound, message))
}
