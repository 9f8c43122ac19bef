//! The suppression list, and the mark that contacts carry of it.

use futures::future::join_all;
use switchboard_app::audit::Report;
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::suppressions::{self, AddSuppression, RemoveSuppression};
use switchboard_app::{AppError, UserError};
use switchboard_domain::audit::{Changes, Place};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactInput};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{ContactId, SuppressionId};
use switchboard_domain::suppression::{Suppression, id_of};
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Fault, World};

use crate::made;

const PHONE: &str = "514-555-0123";
const E164: &str = "+15145550123";

fn number(phone: &str) -> AddSuppression {
    AddSuppression { phone: phone.to_owned(), reason: Some("asked by post".to_owned()), ..AddSuppression::default() }
}

fn off(phone: &str) -> RemoveSuppression {
    RemoveSuppression { phone: Some(phone.to_owned()), id: None, reason: "a mistake".to_owned() }
}

fn off_by_id(id: &SuppressionId) -> RemoveSuppression {
    RemoveSuppression { phone: None, id: Some(Some(id.clone())), reason: "a mistake".to_owned() }
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

async fn added(world: &World, phone: &str) -> Suppression {
    suppressions::add(&world.services, &world.viewer("admin").await, number(phone)).await.unwrap().unwrap().suppression
}

async fn removed(world: &World, phone: &str) -> Suppression {
    suppressions::remove(&world.services, &world.viewer("admin").await, off(phone)).await.unwrap().unwrap()
}

/// A contact at [`PHONE`].
async fn contact(world: &World) -> Contact {
    let request = CreateContact { input: ContactInput { phone: PHONE.to_owned(), ..ContactInput::default() }, ..CreateContact::default() };
    contacts::create(&world.services, &world.viewer("admin").await, request).await.unwrap().unwrap()
}

async fn now(world: &World, id: &ContactId) -> Contact {
    contacts::get(&world.services, &world.viewer("admin").await, id).await.unwrap().unwrap()
}

/// The ids on the list, as a walk by pages finds them.
async fn listed(world: &World, first: usize) -> Vec<SuppressionId> {
    let viewer = world.viewer("admin").await;
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = suppressions::list(&world.services, &viewer, after.as_deref(), first).await.unwrap();
        after = page.entries.last().map(|(place, _)| place.clone());
        ids.extend(page.entries.into_iter().map(|(_, entry)| entry.id));
        if !page.has_more {
            return ids;
        }
    }
}

async fn items(world: &World) -> Vec<Item> {
    made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("suppression")).collect()
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let wrong = AddSuppression { phone: "123".to_owned(), reason: Some("x".repeat(1_001)), source: Some("a\nb".to_owned()), idempotency_key: None };
    let errors = suppressions::add(&world.services, &viewer, wrong).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("phone", FieldErrorCode::Invalid), ("reason", FieldErrorCode::TooLong), ("source", FieldErrorCode::Invalid)]);
    assert!(items(&world).await.is_empty());
}

#[tokio::test]
async fn a_number_is_taken_off_only_when_it_is_clear_which_and_why() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let entry = added(&world, PHONE).await;
    let reason = || "a mistake".to_owned();
    let (phone, id) = (Some(PHONE.to_owned()), Some(Some(entry.id.clone())));
    for (request, expected) in [
        (RemoveSuppression { phone: None, id: None, reason: reason() }, vec![("phone", FieldErrorCode::Blank)]),
        (RemoveSuppression { phone: phone.clone(), id, reason: reason() }, vec![("id", FieldErrorCode::Invalid)]),
        (RemoveSuppression { phone, id: None, reason: " ".to_owned() }, vec![("reason", FieldErrorCode::Blank)]),
        (
            RemoveSuppression { phone: Some("123".to_owned()), id: None, reason: String::new() },
            vec![("phone", FieldErrorCode::Invalid), ("reason", FieldErrorCode::Blank)],
        ),
        (off("514-555-0199"), vec![("phone", FieldErrorCode::NotFound)]),
    ] {
        assert_eq!(codes(&suppressions::remove(&world.services, &viewer, request).await.unwrap().unwrap_err()), expected);
    }
    for unknown in [RemoveSuppression { phone: None, id: Some(None), reason: reason() }, off_by_id(&SuppressionId::from_hash(&[9; 32]))] {
        assert!(matches!(suppressions::remove(&world.services, &viewer, unknown).await, Err(AppError::NotFound)));
    }
    assert_eq!(suppressions::by_phone(&world.services, &viewer, PHONE).await.unwrap(), Some(entry.clone()));
    removed(&world, PHONE).await;
    for (again, field) in [(off(PHONE), "phone"), (off_by_id(&entry.id), "id")] {
        assert_eq!(codes(&suppressions::remove(&world.services, &viewer, again).await.unwrap().unwrap_err()), [(field, FieldErrorCode::Conflict)]);
    }
}

#[tokio::test]
async fn a_manager_adds_a_supervisor_reads_and_only_an_administrator_takes_off() {
    let world = World::new().await;
    for role in ["supervisor", "telephonist", "agent"] {
        let viewer = world.viewer(role).await;
        assert!(matches!(suppressions::add(&world.services, &viewer, number(PHONE)).await, Err(AppError::Forbidden)), "{role}");
    }
    let manager = world.viewer("manager").await;
    let entry = suppressions::add(&world.services, &manager, number(PHONE)).await.unwrap().unwrap().suppression;
    for role in ["manager", "supervisor", "telephonist", "agent"] {
        let viewer = world.viewer(role).await;
        assert!(matches!(suppressions::remove(&world.services, &viewer, off(PHONE)).await, Err(AppError::Forbidden)), "{role}");
    }
    for (role, reads) in [("manager", true), ("supervisor", true), ("telephonist", false), ("agent", false)] {
        let viewer = world.viewer(role).await;
        assert_eq!(suppressions::list(&world.services, &viewer, None, 10).await.is_ok(), reads, "{role}");
        assert_eq!(suppressions::get(&world.services, &viewer, &entry.id).await.is_ok(), reads, "{role}");
        assert_eq!(suppressions::by_phone(&world.services, &viewer, PHONE).await.is_ok(), reads, "{role}");
    }
    removed(&world, PHONE).await;
}

#[tokio::test]
async fn however_a_number_is_written_and_however_often_it_is_added_it_has_one_entry_as_it_was_first() {
    let world = World::new().await;
    let entry = added(&world, PHONE).await;
    assert_eq!((&entry.id, entry.source.as_str(), entry.record.version), (&id_of(&world.tenant.keyring, E164), "manual", 1));
    let viewer = world.viewer("manager").await;
    for phone in [E164, "(514) 555-0123", "1 514 555 0123 ext. 7"] {
        let other = AddSuppression { reason: Some("another".to_owned()), source: Some("dncl".to_owned()), ..number(phone) };
        assert_eq!(suppressions::add(&world.services, &viewer, other).await.unwrap().unwrap().suppression, entry);
    }
    assert_eq!(items(&world).await.len(), 1);
}

#[tokio::test]
async fn of_8_concurrent_additions_one_is_written_and_all_answer_with_it() {
    let world = World::new().await;
    let viewers = join_all((0..8).map(|number| {
        let world = &world;
        async move { world.viewer_in_request("admin", &number.to_string()).await }
    }))
    .await;
    let outcomes = join_all(viewers.iter().map(|viewer| suppressions::add(&world.services, viewer, number(PHONE)))).await;
    let entries: Vec<Suppression> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().suppression).collect();
    assert!(entries.iter().all(|entry| *entry == entries[0]));
    assert_eq!(entries[0].record.version, 1);
}

#[tokio::test]
async fn of_concurrent_removals_one_succeeds_and_the_rest_conflict() {
    let world = World::new().await;
    added(&world, PHONE).await;
    let viewers = join_all((0..4).map(|number| {
        let world = &world;
        async move { world.viewer_in_request("admin", &number.to_string()).await }
    }))
    .await;
    let outcomes = join_all(viewers.iter().map(|viewer| suppressions::remove(&world.services, viewer, off(PHONE)))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 3));
    for errors in lost {
        assert_eq!(codes(&errors.unwrap_err()), [("phone", FieldErrorCode::Conflict)]);
    }
}

#[tokio::test]
async fn a_contact_is_marked_and_no_longer_marked_and_its_version_stays() {
    let world = World::new().await;
    let before = contact(&world).await;
    assert!(!before.suppressed);
    let answer = suppressions::add(&world.services, &world.viewer("admin").await, number(PHONE)).await.unwrap().unwrap();
    assert_eq!(answer.contact.as_ref(), Some(&before.id));
    let marked = now(&world, &before.id).await;
    assert_eq!((marked.suppressed, marked.record.version, &marked.record.last_change), (true, 1, &before.record.last_change));
    // By its id, as who reads the list has it: the list shows no numbers.
    suppressions::remove(&world.services, &world.viewer("admin").await, off_by_id(&answer.suppression.id)).await.unwrap().unwrap();
    let unmarked = now(&world, &before.id).await;
    assert_eq!((unmarked.suppressed, unmarked.record.version), (false, 1));
    let nobody = suppressions::add(&world.services, &world.viewer("admin").await, number("514-555-0199")).await.unwrap().unwrap();
    assert_eq!(nobody.contact, None);
}

#[tokio::test]
async fn what_a_process_that_died_left_unmarked_is_mended_by_asking_again() {
    let world = World::new().await;
    let (core, scope, keyring) = (&world.database.core, &world.tenant.scope, &world.tenant.keyring);
    let id = contact(&world).await.id;
    let change = |action: &str| Change::new(action, world.clock.now(), Origin::system());
    let entry = Suppression::added(id_of(keyring, E164), keyring.slot(E164), None, "manual".to_owned(), change("suppression.added"));
    assert!(switchboard_store::suppressions::write(core, scope, &entry, None, Vec::new()).await.unwrap());
    assert!(!now(&world, &id).await.suppressed);
    assert_eq!(added(&world, PHONE).await, entry);
    assert!(now(&world, &id).await.suppressed);
    let off_the_list = entry.removed("phone", "a mistake".to_owned(), change("suppression.removed")).unwrap();
    assert!(switchboard_store::suppressions::write(core, scope, &off_the_list, Some(1), Vec::new()).await.unwrap());
    let errors = suppressions::remove(&world.services, &world.viewer("admin").await, off(PHONE)).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("phone", FieldErrorCode::Conflict)]);
    assert!(!now(&world, &id).await.suppressed);
}

#[tokio::test]
async fn answers_that_are_lost_change_nothing() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let world = World::new().await;
        let viewer = world.viewer("admin").await;
        world.database.wire.cut_next("PutItem", fault);
        let entry = suppressions::add(&world.services, &viewer, number(PHONE)).await.unwrap().unwrap().suppression;
        assert_eq!(entry.record.version, 1, "{fault:?}");
        world.database.wire.cut_next("PutItem", fault);
        let removed = suppressions::remove(&world.services, &viewer, off(PHONE)).await.unwrap();
        assert_eq!(removed.map(|entry| entry.record.version), Ok(2), "{fault:?}");
    }
}

#[tokio::test]
async fn an_idempotency_key_answers_as_before_and_never_puts_a_number_back() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    added(&world, "514-555-0199").await;
    for (key, phone) in [("first", PHONE), ("listed before", "514-555-0199")] {
        let with_key = |phone: &str| AddSuppression { idempotency_key: Some(key.to_owned()), ..number(phone) };
        let entry = suppressions::add(&world.services, &viewer, with_key(phone)).await.unwrap().unwrap().suppression;
        assert_eq!(suppressions::add(&world.services, &viewer, with_key(phone)).await.unwrap().unwrap().suppression, entry);
        let errors = suppressions::add(&world.services, &viewer, with_key("514-555-0150")).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [("idempotencyKey", FieldErrorCode::Conflict)]);
        let off = removed(&world, phone).await;
        let late = suppressions::add(&world.services, &viewer, with_key(phone)).await.unwrap().unwrap().suppression;
        assert_eq!(late, off, "{key}: the request came late, and the number stays off the list");
    }
}

#[tokio::test]
async fn the_list_shows_what_is_in_force_the_last_put_there_first() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for line in 0..7 {
        ids.push(added(&world, &format!("514-555-{line:04}")).await.id);
        world.clock.advance(jiff::SignedDuration::from_millis(1));
    }
    ids.reverse();
    for first in [1, 3, 7, 100] {
        assert_eq!(listed(&world, first).await, ids, "{first} at a time");
    }
    let off = removed(&world, "514-555-0003").await;
    assert_eq!(listed(&world, 3).await, ids.iter().filter(|id| **id != off.id).cloned().collect::<Vec<_>>());
    let found = suppressions::by_phone(&world.services, &world.viewer("admin").await, "514-555-0003").await.unwrap();
    assert_eq!(found, Some(off.clone()), "its entry stays, and says so");
    world.clock.advance(jiff::SignedDuration::from_millis(1));
    let again = added(&world, "514-555-0003").await;
    assert_eq!((again.record.version, again.record.created_at, &listed(&world, 3).await[0]), (3, off.record.created_at, &off.id));
}

#[tokio::test]
async fn no_number_is_in_the_table() {
    let world = World::new().await;
    added(&world, PHONE).await;
    let everything = format!("{:?}", made::everything(&world.database).await);
    for canary in ["5145550123", "514-555-0123", "5550123"] {
        assert!(!everything.contains(canary), "{canary}");
    }
}

#[tokio::test]
async fn each_change_leaves_an_event_with_its_reason() {
    let world = World::new().await;
    let entry = added(&world, PHONE).await;
    let first = items(&world).await.remove(0);
    removed(&world, PHONE).await;
    let second = items(&world).await.remove(0);
    let report = made::recorder(&world).record(vec![made::inserted(&first), made::changed(&first, &second)]).await.unwrap();
    assert_eq!(report, Report { recorded: 2, ..Report::default() });
    for (version, action, reason, changed) in
        [(1, "suppression.added", "asked by post", vec!["reason", "source"]), (2, "suppression.removed", "a mistake", vec!["removedAt"])]
    {
        let event = world.database.audit.get(world.tenant.record.id, "suppression", entry.id.as_str(), &Place::Version(version)).await.unwrap().unwrap().event;
        let Changes::Clear(changes) = &event.changes else { panic!("{event:?}") };
        let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
        assert_eq!((event.change.action.as_str(), event.change.reason.as_deref(), fields), (action, Some(reason), changed));
    }
}
