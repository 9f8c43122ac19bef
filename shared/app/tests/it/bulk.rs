//! Bulk jobs: asked for, worked on by workers that die and meet, cancelled, exported.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::SignedDuration;
use switchboard_app::bulk::{self, AskedAction, BulkMessage, StartBulk, Stopped, change_contacts, export_page};
use switchboard_app::contacts::{self, CreateContact, Operation};
use switchboard_app::imports::write_rows;
use switchboard_app::{AppError, UserError};
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus, ContactOutcome, Outcome, Tally};
use switchboard_domain::clock::{Clock, Entropy};
use switchboard_domain::contact::{AttributeValue, Contact, ContactFilter, ContactInput};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, BulkJobId, ContactId, StatusId};
use switchboard_domain::imports::{RowCounts, Sheet, exported_names};
use switchboard_store::{Freshness, bulk_jobs, contacts as store};
use switchboard_testkit::{Fault, World};

use crate::made;

/// Contacts as an import makes them, none of them anybody's.
async fn people(world: &World, count: usize) -> Vec<ContactId> {
    let (import, rows) = made::import(world, 1, &made::file(count));
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    (0..count).map(|index| world.tenant.keyring.slot(&format!("+1519555{index:04}"))).collect()
}

/// A job as an administrator's request writes it. There is no queue here: a test is its own.
async fn asked(world: &World, action: BulkAction, filter: ContactFilter) -> BulkMessage {
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

async fn job(world: &World, message: &BulkMessage) -> BulkJob {
    bulk_jobs::get(&world.services.core, &world.tenant, message.job).await.unwrap().unwrap()
}

async fn all(world: &World, ids: &[ContactId]) -> HashMap<ContactId, Contact> {
    let found = store::get_many(&world.services.core, &world.tenant, ids, Freshness::Strong).await.unwrap();
    found.into_iter().map(|stored| (stored.contact.id.clone(), stored.contact)).collect()
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
    drop(tokio::time::timeout(Duration::from_millis(100), work(&world, &message, &kept, later())).await);
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
            for step in 0..20 {
                assert!(step < 10, "{operation} {fault:?}: the job doesn't end");
                world.database.wire.cut_next(operation, fault);
                match work(&world, &message, &kept, now()).await {
                    Stopped::Ended => break,
                    Stopped::OutOfTime => {}
                    Stopped::Overtaken => panic!("{operation} {fault:?}: a worker took its own writing for another's"),
                }
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
    for action in [BulkAction::Assign { assignee: Some(nobody), team: None }, BulkAction::SetStatus { status: nothing }] {
        let message = asked(&world, action, ContactFilter::default()).await;
        let job = to_the_end(&world, &message, &Kept::default()).await;
        assert_eq!((job.status, job.tally.total()), (BulkJobStatus::Failed, 0));
        assert!(job.failure_reason.is_some_and(|reason| !reason.is_empty()));
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
    let operation = Operation::Assign { assignee: Some(agent), team: None };
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
        Ok(())
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

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

#[tokio::test]
async fn an_action_is_refused_what_it_has_no_use_for_and_told_what_it_lacks() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let (agent, status) = (Some(Some(viewer.agent())), Some(viewer.settings.status_by_code("attempted").map(|status| status.id)));
    let new = |action| StartBulk::new(action, ContactFilter::default());
    let filtered = |action, filter| StartBulk::new(action, filter);
    let other = ContactFilter { assignees: vec![AgentId::new(world.clock.now(), &[9; 10])], ..ContactFilter::default() };
    let deleted = ContactFilter { include_deleted: true, ..ContactFilter::default() };
    let digit = ContactFilter { search: Some("12".to_owned()), ..ContactFilter::default() };
    for (request, expected) in [
        (new(AskedAction::Assign), ("assigneeId", FieldErrorCode::Blank)),
        (StartBulk { assignee: Some(None), ..new(AskedAction::Assign) }, ("assigneeId", FieldErrorCode::NotFound)),
        (StartBulk { assignee: agent, status, ..new(AskedAction::Assign) }, ("statusId", FieldErrorCode::Invalid)),
        (StartBulk { assignee: agent, team: Some(None), ..new(AskedAction::Assign) }, ("teamId", FieldErrorCode::Invalid)),
        (StartBulk { assignee: agent, ..new(AskedAction::Move) }, ("fromAssigneeId", FieldErrorCode::Blank)),
        (StartBulk { from_assignee: agent, ..new(AskedAction::Move) }, ("assigneeId", FieldErrorCode::Blank)),
        (StartBulk { from_assignee: Some(None), assignee: agent, ..new(AskedAction::Move) }, ("fromAssigneeId", FieldErrorCode::NotFound)),
        (StartBulk { from_assignee: agent, assignee: agent, ..filtered(AskedAction::Move, other) }, ("fromAssigneeId", FieldErrorCode::Invalid)),
        (StartBulk { assignee: agent, ..new(AskedAction::Unassign) }, ("assigneeId", FieldErrorCode::Invalid)),
        (new(AskedAction::SetStatus), ("statusId", FieldErrorCode::Blank)),
        (StartBulk { status: Some(None), ..new(AskedAction::SetStatus) }, ("statusId", FieldErrorCode::NotFound)),
        (StartBulk { status, ..new(AskedAction::Delete) }, ("statusId", FieldErrorCode::Invalid)),
        (filtered(AskedAction::Export, deleted), ("filter.includeDeleted", FieldErrorCode::Invalid)),
        (filtered(AskedAction::Delete, digit), ("filter.search", FieldErrorCode::Invalid)),
    ] {
        let refused = bulk::start(&world.services, &viewer, request.clone()).await.unwrap().unwrap_err();
        assert_eq!(codes(&refused), [expected], "{request:?}");
    }
    assert!(bulk::list(&world.services, &viewer, None, 10).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn only_who_may_change_or_export_everything_asks_for_jobs_and_sees_them() {
    let world = World::new().await;
    let message = asked(&world, BulkAction::Delete, ContactFilter::default()).await;
    for role in ["supervisor", "telephonist", "agent"] {
        let viewer = world.viewer(role).await;
        for action in [AskedAction::Delete, AskedAction::Export, AskedAction::Unassign] {
            let answer = bulk::start(&world.services, &viewer, StartBulk::new(action, ContactFilter::default())).await;
            assert!(matches!(answer, Err(AppError::Forbidden)), "{role} {action:?}");
        }
        assert!(matches!(bulk::get(&world.services, &viewer, message.job).await, Err(AppError::Forbidden)));
        assert!(matches!(bulk::list(&world.services, &viewer, None, 10).await, Err(AppError::Forbidden)));
    }
    assert!(bulk::get(&world.services, &world.viewer("manager").await, message.job).await.unwrap().is_some());
}

#[tokio::test]
async fn a_job_that_could_not_be_sent_is_one_job_however_often_it_is_asked_for() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let request = StartBulk { idempotency_key: Some("key".to_owned()), ..StartBulk::new(AskedAction::Delete, ContactFilter::default()) };
    for _ in 0..2 {
        // Nothing listens where the queue would be.
        assert!(matches!(bulk::start(&world.services, &viewer, request.clone()).await, Err(AppError::Platform(_))));
    }
    let jobs = bulk::list(&world.services, &viewer, None, 10).await.unwrap().entries;
    assert_eq!((jobs.len(), jobs[0].status), (1, BulkJobStatus::Queued));
    let other = StartBulk { action: AskedAction::Unassign, ..request };
    let refused = bulk::start(&world.services, &viewer, other).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("idempotencyKey", FieldErrorCode::Conflict)]);
    let unkeyed = StartBulk::new(AskedAction::Delete, ContactFilter::default());
    assert!(matches!(bulk::start(&world.services, &viewer, unkeyed).await, Err(AppError::Platform(_))));
    let jobs = bulk::list(&world.services, &viewer, None, 10).await.unwrap().entries;
    let failed = jobs.iter().find(|job| job.status == BulkJobStatus::Failed).unwrap();
    assert!(jobs.len() == 2 && failed.failure_reason.is_some(), "without a key nobody can send it again");
}

#[tokio::test]
async fn jobs_are_listed_newest_first_and_what_was_searched_for_is_sealed() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let mut asked_for = Vec::new();
    for word in ["gelinas", "tremblay", "roy"] {
        let filter = ContactFilter { search: Some(word.to_owned()), ..ContactFilter::default() };
        asked_for.push(asked(&world, BulkAction::Unassign, filter).await.job);
        world.clock.advance(SignedDuration::from_millis(1));
    }
    asked_for.reverse();
    let first = bulk::list(&world.services, &viewer, None, 2).await.unwrap();
    let rest = bulk::list(&world.services, &viewer, Some(&first.entries[1].id.to_string()), 2).await.unwrap();
    assert_eq!((first.has_more, rest.has_more), (true, false));
    let listed: Vec<BulkJobId> = first.entries.iter().chain(&rest.entries).map(|job| job.id).collect();
    assert_eq!(listed, asked_for);
    assert_eq!(first.entries[0].filter.search.as_deref(), Some("roy"));
    let written = format!("{:?}", made::everything(&world.database).await);
    assert!(!written.contains("tremblay"));
}

/// What an export writes for a job, but for the bucket.
async fn exported(world: &World, message: &BulkMessage) -> String {
    let job = job(world, message).await;
    let (mut names, mut contacts, mut after) = (BTreeSet::new(), Vec::new(), None);
    loop {
        let page = export_page(&world.services, &world.tenant, &job, after.as_deref()).await.unwrap();
        names.extend(page.contacts.iter().flat_map(|contact| exported_names(&contact.details)).cloned());
        contacts.extend(page.contacts);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let (sheet, mut file) = (Sheet::new(&names), Vec::new());
    sheet.write_header(&mut file).unwrap();
    sheet.write_rows(contacts.iter().map(|contact| &contact.details), &mut file).unwrap();
    String::from_utf8(file).unwrap()
}

async fn imported_again(world: &World, file: &str) -> RowCounts {
    let (import, rows) = made::import(world, 2, file);
    let result = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    assert_eq!(result.errors, []);
    result.counts
}

#[tokio::test]
async fn an_export_imported_again_changes_nothing() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let text = |text: &str| AttributeValue::String(text.to_owned());
    for (index, name) in ["=1+1", "+CMD|' /C calc'!A0", "-2+3", "@SUM(1)", "Zoé \"Zo\", Gélinas", "'quoted", "Nan", "N/A", "-"].into_iter().enumerate() {
        let input = ContactInput {
            phone: format!("514-555-{index:04}"),
            phone_extension: Some("012".to_owned()),
            alternate_phones: vec![format!("438-555-{index:04}")],
            name: Some(name.to_owned()),
            email: Some(format!("zoe{index}@example.com")),
            address: Some(format!("{index} rue, app. \"A\"")),
            city: Some(name.to_owned()),
            region: Some("NA".to_owned()),
            postal_code: Some("H3A 1B2".to_owned()),
            time_zone: (index % 2 == 0).then(|| "America/Halifax".to_owned()),
            source: Some("referral; web".to_owned()),
            attributes: vec![
                ("Remark".to_owned(), text(name)),
                ("mobile".to_owned(), text("555")),
                ("lines".to_owned(), text("one\r\ntwo\n\"three\"")),
                ("Rooms".to_owned(), AttributeValue::Number(7.0)),
                ("Price".to_owned(), AttributeValue::Number(-12.5)),
                ("Owner".to_owned(), AttributeValue::Boolean(index % 2 == 0)),
                ("Code".to_owned(), text("007")),
                ("SIN".to_owned(), text("046 454 286")),
            ],
            ..ContactInput::default()
        };
        contacts::create(&world.services, &world.viewer_in_request("admin", &index.to_string()).await, CreateContact { input, ..CreateContact::default() })
            .await
            .unwrap()
            .unwrap();
    }
    let gone = world.tenant.keyring.slot("+15145550008");
    contacts::delete(&world.services, &viewer, Some(gone), 1).await.unwrap().unwrap();
    let message = asked(&world, BulkAction::Export, ContactFilter::default()).await;
    let file = exported(&world, &message).await;
    assert!(!file.contains("046 454 286"), "sensitive attributes are left out");
    assert!(!file.contains("+15145550008"), "deleted contacts are left out");
    let before = made::everything(&world.database).await;
    assert_eq!(imported_again(&world, &file).await, RowCounts { unchanged: 8, ..RowCounts::default() });
    let after = made::everything(&world.database).await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
}

#[tokio::test]
async fn an_imported_list_is_exported_whole_and_comes_back_unchanged() {
    let world = World::new().await;
    let ids = people(&world, 1_200).await;
    let message = asked(&world, BulkAction::Export, ContactFilter::default()).await;
    let file = exported(&world, &message).await;
    assert_eq!(file.matches("Rautenstrauch").count(), ids.len());
    assert_eq!(imported_again(&world, &file).await, RowCounts { unchanged: 1_200, ..RowCounts::default() });
}
