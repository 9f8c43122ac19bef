//! Bulk jobs: worked on by workers that die and meet, and cancelled.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::SignedDuration;
use switchboard_app::bulk::{self, BulkMessage, Stopped, change_contacts};
use switchboard_app::contacts::{self, CreateContact, Operation};
use switchboard_app::imports::write_rows;
use switchboard_app::{AppError, UserError};
use switchboard_domain::audit::Changes;
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus, ContactOutcome, Outcome, Tally};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactFilter, ContactInput};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, BulkJobId, ContactId, StatusId};
use switchboard_store::{Freshness, bulk_jobs, contacts as store, keys};
use switchboard_testkit::{Fault, World};

use crate::made;

/// Contacts as an import makes them, none of them anybody's.
pub(crate) async fn people(world: &World, count: usize) -> Vec<ContactId> {
    let (import, rows) = made::import(world, 1, &made::file(count));
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    (0..count).map(|index| world.tenant.keyring.slot(&format!("+1519555{index:04}"))).collect()
}

/// A job as an administrator's request writes it. There is no queue here: a test is its own.
pub(crate) async fn asked(world: &World, action: BulkAction, filter: ContactFilter) -> BulkMessage {
    let (services, now) = (&world.services, world.clock.now());
    let id = BulkJobId::new(now, &services.entropy.id());
    let origin = world.viewer("admin").await.origin();
    let job = BulkJob::asked(id, action, filter, origin, now, now + SignedDuration::from_millis(1));
    assert!(bulk_jobs::create(&services.core, &world.tenant, &job, Vec::new(), services.entropy.as_ref()).await.unwrap());
    BulkMessage { tenant: world.tenant.record.id, job: id }
}

async fn assign(world: &World) -> (AgentId, BulkMessage) {
    let agent = world.viewer("telephonist").await.agent();
    (agent, asked(world, BulkAction::Assign { assignee: Some(agent), team: None }, ContactFilter::default()).await)
}

pub(crate) async fn job(world: &World, message: &BulkMessage) -> BulkJob {
    bulk_jobs::get(&world.services.core, &world.tenant, message.job).await.unwrap().unwrap()
}

async fn all(world: &World, ids: &[ContactId]) -> HashMap<ContactId, Contact> {
    let found = store::get_many(&world.services.core, &world.tenant, ids, Freshness::Strong).await.unwrap();
    found.into_iter().map(|stored| (stored.contact.id.clone(), stored.contact)).collect()
}

/// Which fields are wrong, and how.
pub(crate) fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

/// The outcomes that workers kept, by batch.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<u32, Vec<Outcome>>>);

impl Kept {
    fn keep(&self, batch: u32, outcomes: &[Outcome]) {
        self.0.lock().unwrap().insert(batch, outcomes.to_vec());
    }

    fn all(&self) -> Vec<Outcome> {
        self.0.lock().unwrap().values().flatten().cloned().collect()
    }
}

/// Time for one step only.
fn now() -> Instant {
    Instant::now()
}

/// Time for everything.
fn later() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

async fn work(world: &World, message: &BulkMessage, kept: &Kept, deadline: Instant) -> Stopped {
    let keep = async |batch: u32, outcomes: &[Outcome]| {
        kept.keep(batch, outcomes);
        Ok::<(), AppError>(())
    };
    change_contacts(&world.services, message, deadline, &keep).await.unwrap()
}

/// As often as the queue would bring the message again.
async fn to_the_end(world: &World, message: &BulkMessage, kept: &Kept) -> BulkJob {
    for _ in 0..10 {
        if work(world, message, kept, later()).await == Stopped::Ended {
            return job(world, message).await;
        }
    }
    panic!("the job doesn't end");
}

/// That each contact was changed once, and the job and its outcomes say so.
async fn assert_each_changed_once(world: &World, ids: &[ContactId], agent: AgentId, job: &BulkJob, kept: &Kept) {
    let contacts = all(world, ids).await;
    assert_eq!(contacts.len(), ids.len());
    for contact in contacts.values() {
        assert_eq!((contact.record.version, contact.details.assignee), (2, Some(agent)));
    }
    let total = ids.len() as u64;
    assert_eq!((job.status, job.tally), (BulkJobStatus::Completed, Tally { changed: total, ..Tally::default() }));
    let outcomes = kept.all();
    assert!(outcomes.iter().all(|outcome| outcome.outcome == ContactOutcome::Changed));
    let named: HashSet<&ContactId> = outcomes.iter().map(|outcome| &outcome.contact).collect();
    assert_eq!((outcomes.len(), named), (ids.len(), ids.iter().collect()));
}

#[tokio::test]
async fn of_1500_contacts_each_is_assigned_once_although_three_workers_die() {
    let world = World::new().await;
    let ids = people(&world, 1_500).await;
    let (agent, message) = assign(&world).await;
    let kept = Kept::default();
    // One is killed when a batch is applied and not yet counted,
    let dies = async |batch: u32, outcomes: &[Outcome]| {
        if batch == 3 {
            return Err(AppError::Unavailable("killed"));
        }
        kept.keep(batch, outcomes);
        Ok(())
    };
    assert!(change_contacts(&world.services, &message, later(), &dies).await.is_err());
    let then = job(&world, &message).await;
    assert_eq!((then.tally.changed, then.pending.len(), then.status), (400, 200, BulkJobStatus::Running));
    assert!((0.0..1.0).contains(&then.progress()), "{}", then.progress());
    // one anywhere,
    tokio::time::timeout(Duration::from_millis(100), work(&world, &message, &kept, later())).await.ok();
    // and one after each of three steps.
    for _ in 0..3 {
        work(&world, &message, &kept, now()).await;
    }
    let job = to_the_end(&world, &message, &kept).await;
    assert_each_changed_once(&world, &ids, agent, &job, &kept).await;
    assert_eq!((job.batches, job.progress()), (8, 1.0));
    assert!(job.started_at.is_some() && job.finished_at.is_some() && job.pending.is_empty());
}

#[tokio::test]
async fn a_cut_request_changes_nothing_of_what_a_job_comes_to() {
    for operation in ["PutItem", "GetItem", "BatchGetItem", "Query"] {
        for fault in [Fault::CutBefore, Fault::CutAfter] {
            let world = World::new().await;
            let ids = people(&world, 20).await;
            let (agent, message) = assign(&world).await;
            let kept = Kept::default();
            for _ in 0..3 {
                world.database.wire.cut_next(operation, fault);
                let stopped = work(&world, &message, &kept, now()).await;
                assert_ne!(stopped, Stopped::Overtaken, "{operation} {fault:?}: a worker took its own writing for another's");
            }
            assert_each_changed_once(&world, &ids, agent, &job(&world, &message).await, &kept).await;
        }
    }
}

#[tokio::test]
async fn workers_that_meet_change_and_count_each_contact_once() {
    let world = World::new().await;
    let ids = people(&world, 500).await;
    let (agent, message) = assign(&world).await;
    let kept = Kept::default();
    let stopped = join_all((0..4).map(|_| work(&world, &message, &kept, later()))).await;
    assert!(stopped.contains(&Stopped::Overtaken), "they met: {stopped:?}");
    let job = to_the_end(&world, &message, &kept).await;
    assert_each_changed_once(&world, &ids, agent, &job, &kept).await;
}

#[tokio::test]
async fn a_message_that_comes_after_the_end_does_nothing() {
    let world = World::new().await;
    people(&world, 10).await;
    let (_, message) = assign(&world).await;
    let kept = Kept::default();
    to_the_end(&world, &message, &kept).await;
    let before = made::everything(&world.database).await;
    assert_eq!(work(&world, &message, &kept, later()).await, Stopped::Ended);
    let after = made::everything(&world.database).await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
    let unknown = BulkMessage { job: BulkJobId::new(world.clock.now(), &[9; 10]), ..message };
    let keep = async |_: u32, _: &[Outcome]| Ok::<(), AppError>(());
    assert!(matches!(change_contacts(&world.services, &unknown, later(), &keep).await, Err(AppError::Broken(_))));
}

#[tokio::test]
async fn a_filter_that_means_nobody_is_done_at_once() {
    let world = World::new().await;
    people(&world, 3).await;
    let filter = ContactFilter { source: Some("nowhere".to_owned()), ..ContactFilter::default() };
    let message = asked(&world, BulkAction::Delete, filter).await;
    let job = to_the_end(&world, &message, &Kept::default()).await;
    assert_eq!((job.status, job.tally, job.batches, job.progress()), (BulkJobStatus::Completed, Tally::default(), 0, 1.0));
}

#[tokio::test]
async fn contacts_made_after_the_job_are_not_meant() {
    let world = World::new().await;
    people(&world, 3).await;
    let message = asked(&world, BulkAction::Delete, ContactFilter::default()).await;
    world.clock.advance(SignedDuration::from_secs(1));
    let input = ContactInput { phone: "514-555-0123".to_owned(), ..ContactInput::default() };
    let later = contacts::create(&world.services, &world.viewer("admin").await, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap();
    assert_eq!(to_the_end(&world, &message, &Kept::default()).await.tally.changed, 3);
    assert!(all(&world, std::slice::from_ref(&later.id)).await[&later.id].deleted_at.is_none());
}

#[tokio::test]
async fn a_contact_that_is_deleted_meanwhile_is_a_failure_of_its_own() {
    let world = World::new().await;
    let ids = people(&world, 3).await;
    let (_, message) = assign(&world).await;
    let kept = Kept::default();
    // The job is begun, and its batch is written down.
    for _ in 0..2 {
        assert_eq!(work(&world, &message, &kept, now()).await, Stopped::OutOfTime);
    }
    let viewer = world.viewer_in_request("admin", "delete").await;
    contacts::delete(&world.services, &viewer, Some(ids[1].clone()), 1).await.unwrap().unwrap();
    let job = to_the_end(&world, &message, &kept).await;
    assert_eq!((job.status, job.tally), (BulkJobStatus::Completed, Tally { changed: 2, failed: 1, ..Tally::default() }));
    let outcomes = kept.all();
    let failed = outcomes.iter().find(|outcome| outcome.outcome == ContactOutcome::Failed).unwrap();
    assert_eq!(failed.contact, ids[1]);
    assert!(failed.message.as_ref().is_some_and(|message| !message.is_empty()));
    assert_eq!(all(&world, &ids).await[&ids[1]].details.assignee, None);
}

#[tokio::test]
async fn what_is_already_so_is_unchanged_and_not_written() {
    let world = World::new().await;
    people(&world, 30).await;
    let (_, first) = assign(&world).await;
    to_the_end(&world, &first, &Kept::default()).await;
    let (_, again) = assign(&world).await;
    let job = to_the_end(&world, &again, &Kept::default()).await;
    assert_eq!(job.tally, Tally { unchanged: 30, ..Tally::default() });
}

#[tokio::test]
async fn technical_jobs_leave_versions_alone() {
    let world = World::new().await;
    let ids = people(&world, 10).await;
    let status = world.viewer("admin").await.settings.status_by_code("new").unwrap().id;
    let filter = ContactFilter { statuses: vec![status], ..ContactFilter::default() };
    let rekey = asked(&world, BulkAction::Rekey { status }, filter).await;
    assert_eq!(to_the_end(&world, &rekey, &Kept::default()).await.tally.changed, 10);
    let rewrap = asked(&world, BulkAction::Rewrap, ContactFilter::default()).await;
    assert_eq!(to_the_end(&world, &rewrap, &Kept::default()).await.tally.unchanged, 10);
    assert!(all(&world, &ids).await.values().all(|contact| contact.record.version == 1));
    let refused = bulk::cancel(&world.services, &world.viewer("admin").await, Some(rekey.job)).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("id", FieldErrorCode::NotAllowed)]);
}

#[tokio::test]
async fn what_concerns_all_contacts_fails_the_job_with_a_reason() {
    let world = World::new().await;
    let ids = people(&world, 3).await;
    let nobody = AgentId::new(world.clock.now(), &[9; 10]);
    let nothing = StatusId::new(world.clock.now(), &[9; 10]);
    let (services, scope) = (&world.services, &world.tenant.scope);
    for action in [BulkAction::Assign { assignee: Some(nobody), team: None }, BulkAction::SetStatus { status: nothing }] {
        let message = asked(&world, action, ContactFilter::default()).await;
        let item = async || services.core.get(scope, &keys::bulk_job(scope, message.job)).await.unwrap().unwrap();
        let before = item().await;
        let job = to_the_end(&world, &message, &Kept::default()).await;
        assert_eq!((job.status, job.tally.total()), (BulkJobStatus::Failed, 0));
        assert!(job.failure_reason.as_ref().is_some_and(|reason| !reason.is_empty()));
        assert_eq!(made::recorder(&world).record(vec![made::changed(&before, &item().await)]).await.unwrap().recorded, 1);
        let end = services.audit.beside(scope, "bulk_job", &message.job.to_string(), None, 1).await.unwrap().entries.remove(0).event;
        let Changes::Clear(details) = end.changes else { panic!("sealed") };
        let reason = details.into_iter().find(|detail| detail.field == "reason").and_then(|detail| detail.new);
        assert_eq!((end.change.action.as_str(), reason), ("bulk_job.failed", job.failure_reason.map(Into::into)), "its event says so too");
    }
    assert!(all(&world, &ids).await.values().all(|contact| contact.record.version == 1));
}

#[tokio::test]
async fn what_was_changed_before_the_target_went_is_counted_as_changed() {
    let world = World::new().await;
    let ids = people(&world, 2).await;
    let (agent, message) = assign(&world).await;
    let kept = Kept::default();
    for _ in 0..2 {
        work(&world, &message, &kept, now()).await;
    }
    // A worker has changed one of the two and died; then the agent goes.
    let taken = job(&world, &message).await;
    let (settings, origin) = (world.viewer("admin").await.settings, taken.origin.clone().with_job(taken.id));
    let operation = Operation::Assign { from: None, assignee: Some(agent), team: None };
    contacts::apply(&world.services, &world.tenant, &settings, &origin, &ids[0], &operation).await.unwrap();
    let nobody = AgentId::new(world.clock.now(), &[9; 10]);
    let gone = BulkJob { action: BulkAction::Assign { assignee: Some(nobody), team: None }, revision: taken.revision + 1, ..taken };
    assert!(bulk_jobs::save(&world.services.core, &world.tenant, &gone, world.services.entropy.as_ref()).await.unwrap());
    let job = to_the_end(&world, &message, &kept).await;
    assert_eq!(job.tally, Tally { changed: 1, failed: 1, ..Tally::default() });
    let changed: Vec<ContactId> = kept.all().into_iter().filter(|outcome| outcome.outcome == ContactOutcome::Changed).map(|outcome| outcome.contact).collect();
    assert_eq!(changed, ids[..1]);
}

#[tokio::test]
async fn a_cancelled_job_finishes_its_batch_and_keeps_what_it_did() {
    let world = World::new().await;
    let ids = people(&world, 500).await;
    let viewer = world.viewer("admin").await;
    let (_, message) = assign(&world).await;
    let kept = Kept::default();
    for _ in 0..2 {
        assert_eq!(work(&world, &message, &kept, now()).await, Stopped::OutOfTime);
    }
    let asked = bulk::cancel(&world.services, &viewer, Some(message.job)).await.unwrap().unwrap();
    assert!(asked.cancel_requested && asked.status == BulkJobStatus::Running);
    assert!(bulk::cancel(&world.services, &viewer, Some(message.job)).await.unwrap().is_ok(), "asking twice does no harm");
    let job = to_the_end(&world, &message, &kept).await;
    assert_eq!((job.status, job.tally.changed, kept.all().len()), (BulkJobStatus::Cancelled, 200, 200));
    assert_eq!(all(&world, &ids).await.values().filter(|contact| contact.record.version == 2).count(), 200);
    let refused = bulk::cancel(&world.services, &viewer, Some(message.job)).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("id", FieldErrorCode::ForbiddenTransition)]);
}

#[tokio::test]
async fn a_request_to_stop_that_comes_while_a_batch_is_applied_is_not_lost() {
    let world = World::new().await;
    people(&world, 500).await;
    let viewer = world.viewer("admin").await;
    let (_, message) = assign(&world).await;
    let cancel = async |_: u32, _: &[Outcome]| {
        bulk::cancel(&world.services, &viewer, Some(message.job)).await?.unwrap();
        Ok::<(), AppError>(())
    };
    assert_eq!(change_contacts(&world.services, &message, later(), &cancel).await.unwrap(), Stopped::Ended);
    let job = job(&world, &message).await;
    assert_eq!((job.status, job.tally.changed), (BulkJobStatus::Cancelled, 200));
}

#[tokio::test]
async fn a_job_that_nobody_has_begun_is_cancelled_at_once() {
    let world = World::new().await;
    let ids = people(&world, 3).await;
    let viewer = world.viewer("admin").await;
    let (_, message) = assign(&world).await;
    let cancelled = bulk::cancel(&world.services, &viewer, Some(message.job)).await.unwrap().unwrap();
    assert_eq!((cancelled.status, cancelled.finished_at.is_some()), (BulkJobStatus::Cancelled, true));
    assert_eq!(work(&world, &message, &Kept::default(), later()).await, Stopped::Ended);
    assert!(all(&world, &ids).await.values().all(|contact| contact.record.version == 1));
    for id in [None, Some(BulkJobId::new(world.clock.now(), &[9; 10]))] {
        assert!(matches!(bulk::cancel(&world.services, &viewer, id).await, Err(AppError::NotFound)));
    }
    let telephonist = world.viewer("telephonist").await;
    assert!(matches!(bulk::cancel(&world.services, &telephonist, Some(message.job)).await, Err(AppError::Forbidden)));
}
