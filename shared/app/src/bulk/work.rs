//! Changing the contacts of a job, batch by batch. A worker may be killed anywhere, and two may meet: each contact is changed and counted once.

use std::collections::HashSet;
use std::time::Instant;

use futures::stream::{StreamExt, TryStreamExt};
use switchboard_domain::bulk_job::{BATCH, BulkAction, BulkJob, ContactOutcome, Next, Outcome, Tally};
use switchboard_domain::change::Origin;
use switchboard_domain::ids::{ContactId, TeamId};
use switchboard_domain::person::{User, UserStatus};
use switchboard_platform::{Files, Queue};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, Order, StoreError, contacts as stored, people};

use super::steps::{begin, walk};
use super::{BulkMessage, Place, export};
use crate::contacts::{self, Applied, Operation, Owner};
use crate::error::AppError;
use crate::jobs::{Steps, Stopped};
use crate::scoring::rescore::{Rescoring, rescore, rescore_many};
use crate::services::Services;
use crate::teams::{self, Ending};

/// Contacts written at the same time.
const AT_ONCE: usize = 16;
/// Members of a deleted team read at once.
const MEMBERS: usize = 25;

/// What works on bulk jobs.
#[derive(Clone)]
pub struct Worker {
    /// The database, keys, time and randomness.
    pub services: Services,
    /// The bucket of outcomes and exported files.
    pub results: Files,
    /// The queue the messages come from, and to which goes what is left when the time is over.
    pub queue: Queue,
}

impl Worker {
    /// Works on a job until it ends, another worker goes on with it, or the deadline is there, from which no further step is begun: then the rest is
    /// sent as a message of its own. One step is made even when the deadline is over; it takes seconds.
    ///
    /// # Errors
    /// Those of the services; [`AppError::Broken`] for a message that names nothing there is. The message may then come again.
    pub async fn work(&self, message: &BulkMessage, deadline: Instant) -> Result<Stopped, AppError> {
        let (steps, job) = Steps::take_up::<BulkJob>(&self.services, message.tenant, message.job, deadline).await?;
        let stopped = if job.action == BulkAction::Export {
            export::write_file(&steps, &self.results, job).await?
        } else {
            let place = Place { tenant: message.tenant, job: message.job };
            let keep = async |batch: u32, outcomes: &[Outcome]| Ok::<(), AppError>(self.results.put_json(&place.outcomes(batch), &outcomes).await?);
            change(&steps, job, &keep).await?
        };
        if stopped == Stopped::OutOfTime {
            self.queue.send(&[*message]).await?;
        }
        Ok(stopped)
    }
}

/// Works on a job that changes contacts, as [`Worker::work`] does. `keep` is given the outcomes of each batch, under its number, before they are
/// counted; the same batch may be given again.
///
/// Per 200 contacts about 5 requests beside those of [`contacts::apply`]: 1 or more for the walk, 2 that write the job (8 W each), 2 that look whether
/// those who are to have the contacts are still there (1 R each).
///
/// # Errors
/// Those of the database and of `keep`; [`AppError::Broken`] for a message that names nothing there is, and for an export.
pub async fn change_contacts(
    services: &Services,
    message: &BulkMessage,
    deadline: Instant,
    keep: &impl AsyncFn(u32, &[Outcome]) -> Result<(), AppError>,
) -> Result<Stopped, AppError> {
    let (steps, job) = Steps::take_up::<BulkJob>(services, message.tenant, message.job, deadline).await?;
    change(&steps, job, keep).await
}

async fn change(steps: &Steps<'_>, job: BulkJob, keep: &impl AsyncFn(u32, &[Outcome]) -> Result<(), AppError>) -> Result<Stopped, AppError> {
    let step = async |job: &BulkJob| {
        let now = steps.services.clock.now();
        match job.next() {
            Next::Nothing => Ok(Some(job.clone())),
            Next::Begin => {
                if let BulkAction::Disband { team } = job.action
                    && !end_memberships(steps, job, team).await?
                {
                    return Ok(Some(job.clone()));
                }
                begin(steps, job).await
            }
            Next::Take => take(steps, job).await,
            Next::Apply => apply(steps, job, keep).await,
            Next::Cancel => steps.advance(job, |job| job.cancelled(now)).await,
            Next::Names | Next::Rows | Next::Join => Err(AppError::Broken("an export changes no contacts".to_owned())),
        }
    };
    steps.run(job, step).await
}

/// Ends the memberships of a team that was deleted, unless it was restored meanwhile; false when the time is over before the last. 1 request per 25 members, and those of
/// [`teams::end_membership`].
async fn end_memberships(steps: &Steps<'_>, job: &BulkJob, team: TeamId) -> Result<bool, AppError> {
    let (services, origin) = (steps.services, job.origin.clone().with_job(job.id));
    loop {
        let tenant = steps.tenant().await?;
        let members = people::members(&services.core, &tenant.scope, team, None, MEMBERS).await?;
        if members.entries.is_empty() {
            return Ok(true);
        }
        for member in members.entries {
            if teams::end_membership(services, &tenant, origin.clone(), team, member.agent).await? == Ending::TeamIsThere {
                return Ok(true);
            }
            if steps.is_out_of_time() {
                return Ok(false);
            }
        }
    }
}

/// Writes the next batch down.
async fn take(steps: &Steps<'_>, job: &BulkJob) -> Result<Option<BulkJob>, AppError> {
    if let Some(reason) = obstacle(steps, job).await? {
        return steps.fail(job, reason).await;
    }
    let walked = walk(steps, job, job.after.as_deref(), BATCH, Order::Ascending).await?;
    let mut batch: Vec<ContactId> = walked.contacts.into_iter().map(|row| row.id).collect();
    // A contact that is deleted while the list is read can stand in both of its parts, at the same place.
    batch.dedup();
    let now = steps.services.clock.now();
    steps.advance(job, |job| job.taken(batch.clone(), walked.next.clone(), now)).await
}

/// Applies the batch that is written down, keeps its outcomes, and counts them.
async fn apply(steps: &Steps<'_>, job: &BulkJob, keep: &impl AsyncFn(u32, &[Outcome]) -> Result<(), AppError>) -> Result<Option<BulkJob>, AppError> {
    let outcomes = match obstacle(steps, job).await? {
        Some(reason) => applied_before(steps, job, reason).await?,
        None => apply_all(steps, job).await?,
    };
    keep(job.batches + 1, &outcomes).await?;
    let (tally, now) = (Tally::of(&outcomes), steps.services.clock.now());
    steps.advance(job, |job| job.applied(tally, now)).await
}

async fn apply_all(steps: &Steps<'_>, job: &BulkJob) -> Result<Vec<Outcome>, AppError> {
    if job.action == BulkAction::Rescore {
        return rescore_all(steps, job).await;
    }
    let operation = operation(job.action).ok_or_else(|| AppError::Broken("an export changes no contacts".to_owned()))?;
    let origin = job.origin.clone().with_job(job.id);
    let tenant = steps.tenant().await?;
    let settings = steps.services.tenants.settings(&tenant.scope).await?;
    let (services, tenant, settings, origin, operation) = (steps.services, tenant.as_ref(), settings.as_ref(), &origin, &operation);
    let mut outcomes: Vec<(usize, Outcome)> = futures::stream::iter(job.pending.iter().enumerate())
        .map(|(index, id)| async move { Ok::<_, AppError>((index, apply_one(services, tenant, settings, origin, id, operation).await?)) })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    // In the order of the list, so that the same batch applied again is kept the same.
    outcomes.sort_by_key(|(index, _)| *index);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Scores a batch by the model that is in force now. Those whose score stays the same are read and not written. What [`rescore_many`] costs, and 1 request and 3 R
/// for the settings.
async fn rescore_all(steps: &Steps<'_>, job: &BulkJob) -> Result<Vec<Outcome>, AppError> {
    let (services, tenant) = (steps.services, steps.tenant().await?);
    // A worker that has been at it since before a model was activated would go on by the one before: what it believes of the settings is up to half a minute old.
    services.tenants.forget_settings(&tenant.scope);
    let settings = services.tenants.settings(&tenant.scope).await?;
    let rescored = match rescore_many(services, &tenant, &settings, &job.pending).await {
        Ok(rescored) => rescored,
        Err(AppError::Store(StoreError::Undecodable { .. } | StoreError::TooLarge)) => return rescore_each(services, &tenant, &settings, &job.pending).await,
        Err(error) => return Err(error),
    };
    Ok(job.pending.iter().zip(rescored).map(|(id, rescored)| outcome_of(id, &rescored)).collect())
}

/// The same one by one, because one of them can't be read or written: it must not keep the others from being scored.
async fn rescore_each(services: &Services, tenant: &OpenTenant, settings: &Settings, ids: &[ContactId]) -> Result<Vec<Outcome>, AppError> {
    let mut outcomes = Vec::with_capacity(ids.len());
    for id in ids {
        outcomes.push(match rescore(services, tenant, settings, id).await {
            Ok(rescored) => outcome_of(id, &rescored),
            Err(AppError::Store(error @ (StoreError::Undecodable { .. } | StoreError::TooLarge))) => faulty(id, &error),
            Err(error) => return Err(error),
        });
    }
    Ok(outcomes)
}

fn outcome_of(id: &ContactId, rescored: &Rescoring) -> Outcome {
    let (outcome, message) = match rescored {
        Rescoring::Changed(_) => (ContactOutcome::Changed, None),
        Rescoring::Unchanged(_) => (ContactOutcome::Unchanged, None),
        Rescoring::Deleted => (ContactOutcome::Failed, Some("This contact was deleted meanwhile. Restore it first.")),
        Rescoring::Erased => (ContactOutcome::Failed, Some("This contact was erased meanwhile.")),
    };
    Outcome { contact: id.clone(), outcome, message: message.map(str::to_owned) }
}

/// One record that can't be read or written.
fn faulty(id: &ContactId, error: &StoreError) -> Outcome {
    tracing::error!(contact.id = %id, %error, "a contact could not be changed by a bulk job");
    let message = "This contact could not be changed because of a fault on our side. Name its id to support.";
    Outcome { contact: id.clone(), outcome: ContactOutcome::Failed, message: Some(message.to_owned()) }
}

async fn apply_one(services: &Services, tenant: &OpenTenant, settings: &Settings, origin: &Origin, id: &ContactId, operation: &Operation) -> Result<Outcome, AppError> {
    let (outcome, message) = match contacts::apply(services, tenant, settings, origin, id, operation).await {
        Ok(Applied::Changed) => (ContactOutcome::Changed, None),
        Ok(Applied::Unchanged) => (ContactOutcome::Unchanged, None),
        Ok(Applied::Failed(error)) => (ContactOutcome::Failed, Some(error.error.message)),
        // One record that can't be read or written must not keep the others from being changed.
        Err(AppError::Store(error @ (StoreError::Undecodable { .. } | StoreError::TooLarge))) => return Ok(faulty(id, &error)),
        Err(error) => return Err(error),
    };
    Ok(Outcome { contact: id.clone(), outcome, message })
}

/// What became of a batch that nothing more can be done to: who carries the job's mark was changed before a worker died. 1 request per 100, 1 R each.
async fn applied_before(steps: &Steps<'_>, job: &BulkJob, reason: &str) -> Result<Vec<Outcome>, AppError> {
    let tenant = steps.tenant().await?;
    let found = stored::get_many(&steps.services.core, &tenant, &job.pending, Freshness::Strong).await?;
    let changed: HashSet<&ContactId> = found.iter().filter(|stored| stored.contact.job_marks.contains(&job.id)).map(|stored| &stored.contact.id).collect();
    let outcome = |id: &ContactId| {
        let (outcome, message) = if changed.contains(id) { (ContactOutcome::Changed, None) } else { (ContactOutcome::Failed, Some(reason.to_owned())) };
        Outcome { contact: id.clone(), outcome, message }
    };
    Ok(job.pending.iter().map(outcome).collect())
}

/// Why none of the contacts can be changed; none while all is well. 1 request and 1 R when they are to be somebody's.
async fn obstacle(steps: &Steps<'_>, job: &BulkJob) -> Result<Option<&'static str>, AppError> {
    let tenant = steps.tenant().await?;
    Ok(match job.action {
        BulkAction::Assign { assignee, team } | BulkAction::Move { assignee, team, .. } => {
            let owner = contacts::check_owner(steps.services, &tenant, assignee.map(Some), team.map(Some)).await?;
            owner.is_err().then_some("Who was to have the contacts is no longer there. Choose another agent or team.")
        }
        BulkAction::Return { from, assignee, team } => {
            let found = people::directory(&steps.services.core, &tenant.scope, &[from.into()], &[from], &[], Freshness::Strong).await?;
            let can_work = |user: &User| user.status != UserStatus::Disabled;
            if found.users.iter().any(can_work) && found.agents.iter().any(|agent| agent.deleted_at.is_none()) {
                return Ok(Some("The agent was enabled again meanwhile, and keeps what they have."));
            }
            let owner = contacts::check_owner(steps.services, &tenant, assignee.map(Some), team.map(Some)).await?;
            owner.is_err().then_some("Who was to have the contacts is no longer there. Disable or delete the agent again, or move the contacts with contactBulk.")
        }
        BulkAction::SetStatus { status } => {
            let settings = steps.services.tenants.settings(&tenant.scope).await?;
            let newer = steps.services.tenants.settings_knowing(&tenant.scope, &settings, status).await?;
            let is_live = newer.as_ref().unwrap_or(&settings).live_statuses().any(|live| live.id == status);
            (!is_live).then_some("The status was deleted meanwhile. Choose another one.")
        }
        BulkAction::Unassign | BulkAction::Delete | BulkAction::Export | BulkAction::Rescore | BulkAction::Rekey { .. } | BulkAction::Rewrap => None,
        BulkAction::Disband { team } => {
            let found = people::team(&steps.services.core, &tenant.scope, team).await?;
            let is_there = found.is_some_and(|team| team.deleted_at.is_none());
            is_there.then_some("The team was restored meanwhile. What was left in its pool stays there.")
        }
    })
}

/// What is done to each contact; nothing by an export, and by rescoring what is done to all of a batch together.
fn operation(action: BulkAction) -> Option<Operation> {
    Some(match action {
        BulkAction::Assign { assignee, team } => Operation::Assign { from: None, assignee, team },
        BulkAction::Move { from, assignee, team } | BulkAction::Return { from, assignee, team } => Operation::Assign { from: Some(Owner::Agent(from)), assignee, team },
        BulkAction::Unassign => Operation::Assign { from: None, assignee: None, team: None },
        BulkAction::Disband { team } => Operation::Assign { from: Some(Owner::Team(team)), assignee: None, team: None },
        BulkAction::SetStatus { status } => Operation::SetStatus { status },
        BulkAction::Delete => Operation::Delete,
        BulkAction::Rekey { .. } => Operation::Rekey,
        BulkAction::Rewrap => Operation::Rewrap,
        BulkAction::Export | BulkAction::Rescore => return None,
    })
}
