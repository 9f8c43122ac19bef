//! Who was disabled gets no work and no bookings, and what they had goes to others, unless they are there again.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use jiff::civil::date;
use switchboard_app::bulk::{self, AskedAction, BulkMessage, StartBulk, change_contacts};
use switchboard_app::contacts::{self, CreateContact, MergeContacts};
use switchboard_app::presence::{self, UpdatePresence};
use switchboard_app::schedules::{self, AddWindow, FreeSlots};
use switchboard_app::users::{self, DisableUser};
use switchboard_app::{AppError, Viewer};
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus, Outcome};
use switchboard_domain::change::Origin;
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactFilter, ContactInput};
use switchboard_domain::ids::{AgentId, BulkJobId};
use switchboard_domain::person::{TELEPHONIST, User, UserStatus};
use switchboard_domain::presence::{PresencePatch, PresenceStatus};
use switchboard_domain::schedule::{Recurrence, TimeRange, WindowInput};
use switchboard_store::{bulk_jobs, people};
use switchboard_testkit::World;

fn telephonist(world: &World) -> AgentId {
    world.user_id(TELEPHONIST).into()
}

async fn disabled(world: &World, admin: &Viewer) {
    let user = people::user(&world.database.core, &world.tenant.scope, world.user_id(TELEPHONIST)).await.unwrap().unwrap();
    let expected_version = i32::try_from(user.record.version).unwrap();
    let request = DisableUser { id: Some(user.id), expected_version, reason: "left".to_owned(), ..DisableUser::default() };
    // The record is written; the user pool, which isn't there, comes after.
    assert!(matches!(users::disable(&world.services, admin, request).await, Err(AppError::Platform(_))));
}

/// What letting them in again writes, once the pool has done so.
async fn enabled(world: &World) {
    let user = people::user(&world.database.core, &world.tenant.scope, world.user_id(TELEPHONIST)).await.unwrap().unwrap();
    let after = User { status: UserStatus::Active, record: user.record.touched(), ..user.clone() };
    let part = people::replace_user(&world.tenant.scope, &after, user.record.revision).unwrap();
    assert!(world.database.core.commit(&world.tenant.scope, vec![part]).await.unwrap());
}

async fn assigned(world: &World, admin: &Viewer) -> Contact {
    let input = ContactInput { phone: "514-555-0001".to_owned(), ..ContactInput::default() };
    let request = CreateContact { input, assignee: Some(Some(telephonist(world))), ..CreateContact::default() };
    contacts::create(&world.services, admin, request).await.unwrap().unwrap()
}

/// Works on the job that returns their contacts; how it ended.
async fn returned(world: &World) -> BulkJobStatus {
    let (now, from) = (world.clock.now(), telephonist(world));
    let id = BulkJobId::new(now, &world.services.entropy.id());
    let filter = ContactFilter { assignees: vec![from], ..ContactFilter::default() };
    let action = BulkAction::Return { from, assignee: None, team: None };
    let job = BulkJob::asked(id, action, filter, Origin::system(), now, now + SignedDuration::from_secs(20));
    bulk_jobs::create(&world.database.core, &world.tenant, &job, Vec::new(), world.services.entropy.as_ref()).await.unwrap();
    let message = BulkMessage { tenant: world.tenant.record.id, job: id };
    let keep = async |_: u32, _: &[Outcome]| Ok::<(), AppError>(());
    change_contacts(&world.services, &message, Instant::now() + Duration::from_secs(20), &keep).await.unwrap();
    bulk_jobs::get(&world.database.core, &world.tenant, id).await.unwrap().unwrap().status
}

#[tokio::test]
async fn who_was_disabled_is_neither_available_nor_to_be_booked() {
    let world = World::new().await;
    let (admin, own) = (world.viewer("admin").await, world.viewer(TELEPHONIST).await);
    let patch = PresencePatch { status: Some(PresenceStatus::Available), ..PresencePatch::default() };
    presence::update(&world.services, &own, UpdatePresence { patch, ..UpdatePresence::default() }).await.unwrap().unwrap();
    let input = WindowInput {
        date: date(2026, 11, 23),
        start_time: "09:00".to_owned(),
        end_time: "12:00".to_owned(),
        ends_next_day: false,
        recurrence: Recurrence::Once,
        weekdays: Vec::new(),
        until: None,
    };
    let window = AddWindow { agent: Some(Some(telephonist(&world))), input, expected_version: None, idempotency_key: None };
    schedules::add_window(&world.services, &admin, window).await.unwrap().unwrap();
    let within = TimeRange { from: "2026-11-23T00:00:00Z".parse().unwrap(), to: "2026-11-24T00:00:00Z".parse().unwrap() };
    let slots = FreeSlots { agent: Some(Some(telephonist(&world))), team: None, within, duration_minutes: 60, buffer_minutes: Some(0), first: 10 };
    let offered = async || {
        let available = presence::available(&world.services, &admin, None, 10).await.unwrap().len();
        (available, schedules::free_slots(&world.services, &admin, slots).await.unwrap().len())
    };
    assert_eq!(offered().await, (1, 3));
    disabled(&world, &admin).await;
    assert_eq!(offered().await, (0, 0));
}

#[tokio::test]
async fn a_contact_that_comes_back_is_nobodys_when_whose_it_was_is_gone() {
    let world = World::new().await;
    let admin = world.viewer("admin").await;
    let contact = assigned(&world, &admin).await;
    for (gone, owner) in [(false, Some(telephonist(&world))), (true, None)] {
        let stored = switchboard_store::contacts::get(&world.database.core, &world.tenant, &contact.id).await.unwrap().unwrap().contact;
        contacts::delete(&world.services, &admin, Some(contact.id.clone()), i32::try_from(stored.record.version).unwrap()).await.unwrap().unwrap();
        if gone {
            disabled(&world, &admin).await;
        }
        let restored = contacts::restore(&world.services, &admin, Some(contact.id.clone()), None).await.unwrap().unwrap();
        assert_eq!(restored.details.assignee, owner);
    }
}

#[tokio::test]
async fn a_contact_that_is_taken_apart_from_another_is_nobodys_when_whose_it_was_is_gone() {
    for (gone, owner) in [(false, Some(())), (true, None)] {
        let world = World::new().await;
        let admin = world.viewer("admin").await;
        let loser = assigned(&world, &admin).await;
        let input = ContactInput { phone: "514-555-0002".to_owned(), ..ContactInput::default() };
        let winner = contacts::create(&world.services, &admin, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap();
        let merged = MergeContacts { winner: Some(winner.id), loser: Some(loser.id.clone()), ..MergeContacts::default() };
        contacts::merge(&world.services, &admin, merged).await.unwrap().unwrap();
        if gone {
            disabled(&world, &admin).await;
        }
        let (_, back) = contacts::unmerge(&world.services, &admin, Some(loser.id)).await.unwrap().unwrap();
        assert_eq!(back.details.assignee, owner.map(|()| telephonist(&world)));
    }
}

#[tokio::test]
async fn contacts_are_returned_of_who_is_disabled_and_left_with_who_is_there_again() {
    for (is_back, status, owner) in [(false, BulkJobStatus::Completed, None), (true, BulkJobStatus::Failed, Some(()))] {
        let world = World::new().await;
        let admin = world.viewer("admin").await;
        let contact = assigned(&world, &admin).await;
        disabled(&world, &admin).await;
        if is_back {
            enabled(&world).await;
        }
        assert_eq!(returned(&world).await, status);
        let after = switchboard_store::contacts::get(&world.database.core, &world.tenant, &contact.id).await.unwrap().unwrap().contact;
        assert_eq!(after.details.assignee, owner.map(|()| telephonist(&world)));
    }
}

#[tokio::test]
async fn contacts_of_who_is_disabled_can_be_moved_and_they_can_be_given_none() {
    let world = World::new().await;
    let admin = world.viewer("admin").await;
    disabled(&world, &admin).await;
    let heir = Some(Some(world.user_id("agent").into()));
    let leaver = Some(Some(telephonist(&world)));
    let from = StartBulk { from_assignee: leaver, assignee: heir, ..StartBulk::new(AskedAction::Move, ContactFilter::default()) };
    assert!(matches!(bulk::start(&world.services, &admin, from).await, Err(AppError::Platform(_))), "only the queue is missing");
    let to = StartBulk { from_assignee: heir, assignee: leaver, ..StartBulk::new(AskedAction::Move, ContactFilter::default()) };
    assert_eq!(bulk::start(&world.services, &admin, to).await.unwrap().unwrap_err()[0].error.field, "assigneeId");
}
