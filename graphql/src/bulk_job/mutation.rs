//! The mutations of bulk jobs.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::bulk::{self, AskedAction, StartBulk};

use super::BulkJob;
use crate::contact::{ContactFilterInput, agent_id, team_id};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;

/// What is done to all contacts of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "AskedAction")]
pub(crate) enum ContactBulkAction {
    /// Assign them. Takes assigneeId or teamId.
    Assign,
    /// Give one agent's contacts to somebody else. Takes fromAssigneeId, and assigneeId or teamId.
    Move,
    /// Make them nobody's.
    Unassign,
    /// Give them a status. Takes statusId.
    SetStatus,
    /// Delete them.
    Delete,
    /// Write them into a file, which can be imported again.
    Export,
    /// Score them anew by the model in force. It changes no version, and leaves no event of the contacts.
    Rescore,
}

/// A bulk job to be asked for. An argument that the action doesn't take is INVALID.
#[derive(InputObject)]
pub(crate) struct ContactBulkInput {
    /// With which contacts; with all when not given.
    filter: Option<ContactFilterInput>,
    /// What is to be done.
    action: ContactBulkAction,
    /// The agent who is to have them.
    assignee_id: Option<ID>,
    /// The team in whose pool they are to be.
    team_id: Option<ID>,
    /// The agent who has them now.
    from_assignee_id: Option<ID>,
    /// The status they are to have.
    status_id: Option<ID>,
    /// The client's own key for this job, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// A bulk job to be stopped.
#[derive(InputObject)]
pub(crate) struct BulkJobCancelInput {
    /// The job.
    id: ID,
}

/// What came of asking for a bulk job.
#[derive(SimpleObject)]
pub(crate) struct ContactBulkPayload {
    /// The job; null exactly when there are errors.
    job: Option<BulkJob>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of stopping a bulk job.
#[derive(SimpleObject)]
pub(crate) struct BulkJobCancelPayload {
    /// The job; null exactly when there are errors.
    job: Option<BulkJob>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

fn shown(errors: Vec<AppUserError>) -> Vec<UserError> {
    errors.into_iter().map(UserError::from).collect()
}

/// The mutations of bulk jobs.
#[derive(Default)]
pub(crate) struct BulkJobMutation;

#[Object]
impl BulkJobMutation {
    /// Does something with all contacts that a filter means now, in a job with progress and an outcome for each. Contacts made or changed within the
    /// last second may be missed.
    async fn contact_bulk(&self, ctx: &Context<'_>, #[graphql(desc = "The job.")] input: ContactBulkInput) -> Result<ContactBulkPayload> {
        let filter = match input.filter.unwrap_or_default().into_filter() {
            Ok(filter) => filter,
            Err(error) => return Ok(ContactBulkPayload { job: None, user_errors: shown(vec![error]) }),
        };
        let status_id = |id: &ID| match NodeId::parse(id) {
            Some(NodeId::ContactStatus(id)) => Some(id),
            _ => None,
        };
        let request = StartBulk {
            assignee: input.assignee_id.as_ref().map(agent_id),
            team: input.team_id.as_ref().map(team_id),
            from_assignee: input.from_assignee_id.as_ref().map(agent_id),
            status: input.status_id.as_ref().map(status_id),
            idempotency_key: input.idempotency_key,
            ..StartBulk::new(input.action.into(), filter)
        };
        Ok(match bulk::start(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(job) => ContactBulkPayload { job: Some(job.into()), user_errors: Vec::new() },
            Err(errors) => ContactBulkPayload { job: None, user_errors: shown(errors) },
        })
    }

    /// Stops a job within seconds; what was done stays. One that has ended is FORBIDDEN_TRANSITION, one that no user asked for NOT_ALLOWED.
    async fn bulk_job_cancel(&self, ctx: &Context<'_>, #[graphql(desc = "The job.")] input: BulkJobCancelInput) -> Result<BulkJobCancelPayload> {
        let id = match NodeId::parse(&input.id) {
            Some(NodeId::BulkJob(id)) => Some(id),
            _ => None,
        };
        Ok(match bulk::cancel(&ctx.api().services, ctx.viewer(), id).await.map_err(app_error)? {
            Ok(job) => BulkJobCancelPayload { job: Some(job.into()), user_errors: Vec::new() },
            Err(errors) => BulkJobCancelPayload { job: None, user_errors: shown(errors) },
        })
    }
}
