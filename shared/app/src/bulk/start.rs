//! Asking for a bulk job: by a user, by a change of a status, by an operator who gave a tenant a new key.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use switchboard_domain::bulk_job::{BulkAction, BulkJob};
use switchboard_domain::change::Origin;
use switchboard_domain::contact::{ContactFilter, Owners};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, BulkJobId, StatusId, TeamId};
use switchboard_domain::permission::Permission;
use switchboard_domain::search::Query;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{bulk_jobs, people};

use super::BulkMessage;
use crate::GivenId;
use crate::contacts::check_owner;
use crate::error::{AppError, UserError};
use crate::jobs::{Known, Request, never_sent};
use crate::services::Services;
use crate::viewer::Viewer;

/// After this nobody believes what a tenant's settings and keys were before a change: caches hold them for 30 seconds.
const KNOWN_EVERYWHERE: Duration = Duration::from_secs(40);

/// After this no request is under way that began before: the API answers within 15 seconds, and believes who is signed in for 20.
const SETTLED: Duration = Duration::from_secs(20);

/// Most ids in a list of a filter: the database compares with at most 100 values.
const MOST_IDS: usize = 100;

/// What a user can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AskedAction {
    /// Assign the contacts.
    Assign,
    /// Give one agent's contacts to somebody else.
    Move,
    /// Make the contacts nobody's.
    Unassign,
    /// Give the contacts a status.
    SetStatus,
    /// Delete the contacts.
    Delete,
    /// Write the contacts into a file.
    Export,
    /// Score the contacts anew.
    Rescore,
}

/// What is asked for.
#[derive(Debug, Clone, Serialize)]
pub struct StartBulk {
    /// What is to be done.
    pub action: AskedAction,
    /// With which contacts.
    pub filter: ContactFilter,
    /// The agent who is to have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<GivenId<AgentId>>,
    /// The team in whose pool they are to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<GivenId<TeamId>>,
    /// The agent who has them now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_assignee: Option<GivenId<AgentId>>,
    /// The status they are to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<GivenId<StatusId>>,
    /// The client's own key for this job: the same key and input answer as before.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl StartBulk {
    /// An action on the contacts of a filter, with no arguments yet.
    #[must_use]
    pub fn new(action: AskedAction, filter: ContactFilter) -> Self {
        Self { action, filter, assignee: None, team: None, from_assignee: None, status: None, idempotency_key: None }
    }
}

/// Asks for a job on the contacts of a filter that are there now, and sends it to a worker. 1 W and 1 for index 1, 1 request to the queue; 1 R for each
/// of assignee, team and agent; with an idempotency key 1 R more and a transaction.
///
/// When the job was written and could not be sent, the answer is an error, and the same request with the same key sends it again; without a key the
/// job fails.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:bulk_update` for the whole tenant (`contact:delete` too for deleting; `contact:export` instead for
/// exporting); those of the database and of the queue. What a person can mend is in the inner result.
pub async fn start(services: &Services, viewer: &Viewer, request: StartBulk) -> Result<Result<BulkJob, Vec<UserError>>, AppError> {
    authorise(viewer, request.action)?;
    let tenant = &viewer.tenant;
    let asking = Request { operation: "contactBulk", key: request.idempotency_key.as_deref(), form: &request };
    let pending = match asking.recall(services, tenant).await? {
        Known::Nothing(pending) => pending,
        Known::Answer(answer) => return Ok(answer),
    };
    let (action, filter) = match decide(services, viewer, &request).await? {
        Ok(decided) => decided,
        Err(errors) => return Ok(Err(errors)),
    };
    let job = asked(services, action, filter, viewer.origin(), services.clock.now(), Duration::ZERO);
    asking.begin(services, tenant, job, pending).await
}

/// Asks for a job that gives the contacts of a status their places in the calling order anew. It waits until every process knows the status as it is
/// now, and takes in the contacts that are made until then. 1 W and 1 for index 1, 1 request to the queue.
///
/// # Errors
/// Those of the database and of the queue.
pub async fn start_rekey(services: &Services, viewer: &Viewer, status: StatusId) -> Result<BulkJob, AppError> {
    let filter = ContactFilter { statuses: vec![status], ..ContactFilter::default() };
    internal(services, &viewer.tenant, BulkAction::Rekey { status }, filter, viewer.origin(), KNOWN_EVERYWHERE).await
}

/// Asks for a job that scores all contacts anew, because a model was activated or statuses moved. It waits until every process knows that, so that none writes a
/// score by what was before over it, and takes in the contacts that are made until then. 1 W and 1 for index 1, 1 request to the queue.
///
/// # Errors
/// Those of the database and of the queue.
pub(crate) async fn start_rescore(services: &Services, viewer: &Viewer) -> Result<BulkJob, AppError> {
    internal(services, &viewer.tenant, BulkAction::Rescore, ContactFilter::default(), viewer.origin(), KNOWN_EVERYWHERE).await
}

/// Asks for a job that wraps the keys of all contacts, deleted ones included, under the tenant's present key. It waits until every process wraps under
/// that one. 1 W and 1 for index 1, 1 request to the queue.
///
/// # Errors
/// Those of the database and of the queue.
pub async fn start_rewrap(services: &Services, tenant: &OpenTenant) -> Result<BulkJob, AppError> {
    let filter = ContactFilter { include_deleted: true, ..ContactFilter::default() };
    internal(services, tenant, BulkAction::Rewrap, filter, Origin::system(), KNOWN_EVERYWHERE).await
}

/// Asks for a job that takes all contacts from an agent who left or was disabled: to a colleague, into a team's pool, or, without either, into the
/// tenant's. It waits until no request that still took the agent for present can be writing. 1 W and 1 for index 1, 1 request to the queue.
///
/// # Errors
/// Those of the database and of the queue.
pub async fn start_return(
    services: &Services,
    tenant: &OpenTenant,
    origin: Origin,
    from: AgentId,
    assignee: Option<AgentId>,
    team: Option<TeamId>,
) -> Result<BulkJob, AppError> {
    let filter = ContactFilter { assignees: vec![from], ..ContactFilter::default() };
    internal(services, tenant, BulkAction::Return { from, assignee, team }, filter, origin, SETTLED).await
}

/// Asks for a job that ends the memberships of a deleted team and takes the contacts out of its pool, into the tenant's. It waits as
/// [`start_return`] does. 1 W and 1 for index 1, 1 request to the queue.
///
/// # Errors
/// Those of the database and of the queue.
pub async fn start_disband(services: &Services, tenant: &OpenTenant, origin: Origin, team: TeamId) -> Result<BulkJob, AppError> {
    let owners = Owners { teams: [team].into(), ..Owners::default() };
    let filter = ContactFilter { owners: Some(owners), ..ContactFilter::default() };
    internal(services, tenant, BulkAction::Disband { team }, filter, origin, SETTLED).await
}

async fn internal(services: &Services, tenant: &OpenTenant, action: BulkAction, filter: ContactFilter, origin: Origin, delay: Duration) -> Result<BulkJob, AppError> {
    let job = asked(services, action, filter, origin, services.clock.now(), delay);
    bulk_jobs::create(&services.core, tenant, &job, Vec::new(), services.entropy.as_ref()).await?;
    let message = BulkMessage { tenant: tenant.record.id, job: job.id };
    if let Err(error) = services.bulk_queue.send_delayed(&message, delay).await {
        never_sent(services, tenant, &job).await?;
        return Err(error.into());
    }
    Ok(job)
}

/// A job on contacts made before the end of this millisecond, or so much later.
fn asked(services: &Services, action: BulkAction, filter: ContactFilter, origin: Origin, now: Timestamp, later: Duration) -> BulkJob {
    let created_before = now.saturating_add(later + Duration::from_millis(1)).unwrap_or(now);
    BulkJob::asked(BulkJobId::new(now, &services.entropy.id()), action, filter, origin, now, created_before)
}

fn authorise(viewer: &Viewer, action: AskedAction) -> Result<(), AppError> {
    match action {
        AskedAction::Export => viewer.require_all(Permission::ContactExport),
        AskedAction::Rescore => viewer.require_all(Permission::ContactBulkUpdate),
        AskedAction::Delete => viewer.require_all(Permission::ContactBulkUpdate).and_then(|()| viewer.require_all(Permission::ContactDelete)),
        AskedAction::Assign | AskedAction::Move | AskedAction::Unassign => {
            viewer.require_all(Permission::ContactBulkUpdate).and_then(|()| viewer.require_all(Permission::ContactAssign))
        }
        AskedAction::SetStatus => viewer.require_all(Permission::ContactBulkUpdate).and_then(|()| viewer.require_all(Permission::ContactSetStatus)),
    }
}

/// What is to be done, and with which contacts.
async fn decide(services: &Services, viewer: &Viewer, request: &StartBulk) -> Result<Result<(BulkAction, ContactFilter), Vec<UserError>>, AppError> {
    let mut errors = unexpected(request);
    errors.extend(check_filter(viewer, request));
    if matches!(request.action, AskedAction::Assign | AskedAction::Move) && request.assignee.is_none() && request.team.is_none() {
        errors.push(blank("assigneeId", "Give assigneeId or teamId."));
    }
    if request.action == AskedAction::Move && request.from_assignee.is_none() {
        errors.push(blank("fromAssigneeId", "Give the agent whose contacts are to move."));
    }
    if request.action == AskedAction::SetStatus && request.status.is_none() {
        errors.push(blank("statusId", "Give the status that the contacts are to have."));
    }
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let (assignee, team) = match check_owner(services, &viewer.tenant, request.assignee, request.team).await? {
        Ok(owner) => owner,
        Err(error) => return Ok(Err(vec![error])),
    };
    let mut filter = request.filter.clone();
    let action = match request.action {
        AskedAction::Assign => BulkAction::Assign { assignee, team },
        AskedAction::Unassign => BulkAction::Unassign,
        AskedAction::Delete => BulkAction::Delete,
        AskedAction::Export => BulkAction::Export,
        AskedAction::Rescore => BulkAction::Rescore,
        AskedAction::Move => match mover(services, viewer, request).await? {
            Ok(from) => {
                filter.assignees = vec![from];
                BulkAction::Move { from, assignee, team }
            }
            Err(error) => return Ok(Err(vec![error])),
        },
        AskedAction::SetStatus => match live_status(services, viewer, request.status.flatten()).await? {
            Some(status) => BulkAction::SetStatus { status },
            None => return Ok(Err(vec![UserError::new("statusId", FieldErrorCode::NotFound, "There is no such status. Take an id from contactStatuses.")])),
        },
    };
    Ok(Ok((action, filter)))
}

/// A status that contacts can be given, also one that this process doesn't remember yet.
async fn live_status(services: &Services, viewer: &Viewer, given: Option<StatusId>) -> Result<Option<StatusId>, AppError> {
    let Some(id) = given else {
        return Ok(None);
    };
    let newer = services.tenants.settings_knowing(&viewer.tenant.scope, &viewer.settings, id).await?;
    let settings = newer.as_ref().unwrap_or(&viewer.settings);
    Ok(settings.live_statuses().any(|status| status.id == id).then_some(id))
}

/// The agent whose contacts move; 1 request, 1 R. A filter that names other agents would leave none of them.
async fn mover(services: &Services, viewer: &Viewer, request: &StartBulk) -> Result<Result<AgentId, UserError>, AppError> {
    const FIELD: &str = "fromAssigneeId";
    let agent = match request.from_assignee.flatten() {
        Some(id) => people::agent(&services.core, &viewer.tenant.scope, id).await?,
        None => None,
    };
    // Also one who is disabled or deleted: it is from them that contacts have to be taken.
    let Some(from) = agent.map(|agent| agent.id) else {
        return Ok(Err(UserError::new(FIELD, FieldErrorCode::NotFound, "There is no such agent. Take an id from the staff directory.")));
    };
    let named = &request.filter.assignees;
    if !named.is_empty() && !named.contains(&from) {
        let message = "The filter means contacts of other agents only. Leave assigneeIds out of it, or name this agent there too.";
        return Ok(Err(UserError::new(FIELD, FieldErrorCode::Invalid, message)));
    }
    Ok(Ok(from))
}

/// The arguments that the action has no use for.
fn unexpected(request: &StartBulk) -> Vec<UserError> {
    let (name, takes): (&str, &[&str]) = match request.action {
        AskedAction::Assign => ("ASSIGN", &["assigneeId", "teamId"]),
        AskedAction::Move => ("MOVE", &["assigneeId", "teamId", "fromAssigneeId"]),
        AskedAction::Unassign => ("UNASSIGN", &[]),
        AskedAction::SetStatus => ("SET_STATUS", &["statusId"]),
        AskedAction::Delete => ("DELETE", &[]),
        AskedAction::Export => ("EXPORT", &[]),
        AskedAction::Rescore => ("RESCORE", &[]),
    };
    let given = [
        ("assigneeId", request.assignee.is_some()),
        ("teamId", request.team.is_some()),
        ("fromAssigneeId", request.from_assignee.is_some()),
        ("statusId", request.status.is_some()),
    ];
    let unused = given.into_iter().filter(|(field, is_given)| *is_given && !takes.contains(field));
    let mut errors: Vec<UserError> = unused.map(|(field, _)| UserError::new(field, FieldErrorCode::Invalid, format!("{name} takes no {field}. Leave it out."))).collect();
    if takes.contains(&"teamId") && request.assignee.is_some() && request.team.is_some() {
        let message = "A contact is either an agent's or in a team's pool. Give assigneeId or teamId.";
        errors.push(UserError::new("teamId", FieldErrorCode::Invalid, message));
    }
    errors
}

/// What is wrong with the filter.
fn check_filter(viewer: &Viewer, request: &StartBulk) -> Vec<UserError> {
    let filter = &request.filter;
    let mut errors = Vec::new();
    for (field, count) in [("filter.statusIds", filter.statuses.len()), ("filter.assigneeIds", filter.assignees.len())] {
        if count > MOST_IDS {
            errors.push(UserError::new(field, FieldErrorCode::LimitExceeded, format!("{field} has {count} ids, at most {MOST_IDS} are allowed.")));
        }
    }
    if let Some(search) = &filter.search
        && let Err(error) = Query::parse(search, &viewer.tenant.record.country)
    {
        errors.push(error.into());
    }
    if request.action == AskedAction::Export && filter.include_deleted {
        let message = "An export has no deleted contacts: importing it would bring them back. Leave includeDeleted out.";
        errors.push(UserError::new("filter.includeDeleted", FieldErrorCode::Invalid, message));
    }
    if request.action == AskedAction::Rescore && filter.include_deleted {
        let message = "Deleted contacts are not scored. Leave includeDeleted out.";
        errors.push(UserError::new("filter.includeDeleted", FieldErrorCode::Invalid, message));
    }
    errors
}

fn blank(field: &str, remedy: &str) -> UserError {
    UserError::new(field, FieldErrorCode::Blank, format!("{field} is missing. {remedy}"))
}
