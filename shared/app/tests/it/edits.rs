//! Changing contacts: updates, statuses, notes, assignment, deletion, merging and erasure.

use futures::future::join_all;
use jiff::SignedDuration;
use switchboard_app::audit::{self, AuditedId};
use switchboard_app::contacts::{self, AddNote, AssignContacts, CreateContact, MergeContacts, SetStatus, UpdateContact};
use switchboard_app::statuses::{self, DeleteStatus};
use switchboard_app::{AppError, Existing, UserError, Viewer};
use switchboard_domain::audit::Place;
use switchboard_domain::contact::{Contact, ContactInput, ContactPatch, MergeField};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{ContactId, StatusId};
use switchboard_domain::suppression;
use switchboard_store::item::text;
use switchboard_store::{contacts as store, keys, suppressions};
use switchboard_testkit::World;

use crate::made;

async fn created(world: &World, phone: &str) -> Contact {
    let viewer = world.viewer_in_request("admin", &format!("create {phone}")).await;
    let input = ContactInput { phone: phone.to_owned(), name: Some("Zoé Roy".to_owned()), email: Some("zoe@example.com".to_owned()), ..ContactInput::default() };
    contacts::create(&world.services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap()
}

fn renamed(contact: &Contact, name: &str) -> UpdateContact {
    UpdateContact {
        id: Some(contact.id.clone()),
        expected_version: i32::try_from(contact.record.version).unwrap(),
        patch: ContactPatch { name: Some(Some(name.to_owned())), ..ContactPatch::default() },
        ..UpdateContact::default()
    }
}

fn status(viewer: &Viewer, code: &str) -> StatusId {
    viewer.settings.status_by_code(code).unwrap().id
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

async fn stored(world: &World, id: &ContactId) -> store::StoredContact {
    store::get(&world.services.core, &world.tenant, id).await.unwrap().unwrap()
}

#[tokio::test]
async fn of_concurrent_updates_with_one_version_one_wins_and_the_rest_are_stale() {
    let world = World::new().await;
    let contact = created(&world, "514-555-0123").await;
    let viewers = join_all((0..16).map(|number| {
        let world = &world;
        async move { world.viewer_in_request("admin", &number.to_string()).await }
    }))
    .await;
    let outcomes =
        join_all(viewers.iter().enumerate().map(|(number, viewer)| contacts::update(&world.services, viewer, renamed(&contact, &format!("Name {number}"))))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 15));
    for errors in lost {
        assert_eq!(codes(&errors.unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
    }
    assert_eq!(stored(&world, &contact.id).await.contact.record.version, 2);
}

#[tokio::test]
async fn a_version_from_the_future_is_stale_and_wrong_values_write_nothing() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    for expected_version in [-1, 0, 2, i32::MAX] {
        let errors = contacts::update(&world.services, &viewer, UpdateContact { expected_version, ..renamed(&contact, "X") }).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [("expectedVersion", FieldErrorCode::Stale)]);
    }
    let mut wrong = renamed(&contact, &"x".repeat(256));
    wrong.patch.email = Some(Some("nobody".to_owned()));
    wrong.status = Some(None);
    wrong.assignee = Some(Some(None));
    let errors = contacts::update(&world.services, &viewer, wrong).await.unwrap().unwrap_err();
    assert_eq!(
        codes(&errors),
        [("name", FieldErrorCode::TooLong), ("email", FieldErrorCode::Invalid), ("statusId", FieldErrorCode::NotFound), ("assigneeId", FieldErrorCode::NotFound)]
    );
    assert_eq!(stored(&world, &contact.id).await.contact, contact);
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_no_change() {
    let world = World::new().await;
    let contact = created(&world, "514-555-0123").await;
    let same = contacts::update(&world.services, &world.viewer("admin").await, renamed(&contact, "Zoé Roy")).await.unwrap().unwrap();
    assert_eq!(same, contact);
}

#[tokio::test]
async fn a_technical_write_between_reading_and_updating_makes_nobody_stale_and_leaves_no_event() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    let before = made::contact_item(&world, &contact.id).await;
    store::set_suppressed(&world.services.core, &world.tenant, &viewer.settings, &contact.id, true, world.services.entropy.as_ref()).await.unwrap();
    let after = made::contact_item(&world, &contact.id).await;
    assert_ne!(before.get("revision"), after.get("revision"));
    let recorder = made::recorder(&world);
    assert_eq!(recorder.record(vec![made::inserted(&before), made::changed(&before, &after)]).await.unwrap().recorded, 1);
    let updated = contacts::update(&world.services, &viewer, renamed(&contact, "Zoé R.")).await.unwrap().unwrap();
    assert_eq!((updated.record.version, updated.suppressed), (2, true));
}

#[tokio::test]
async fn a_status_comes_with_its_note_and_time_or_not_at_all() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    let at = "2026-12-01T15:00:00Z".parse().unwrap();
    let asked = SetStatus {
        id: Some(contact.id.clone()),
        status: Some(status(&viewer, "interested")),
        note: Some("call in December".to_owned()),
        next_contact_at: Some(Some(at)),
        ..SetStatus::default()
    };
    for (wrong, field) in [
        (SetStatus { note: Some("x".repeat(10_001)), ..asked.clone() }, "note"),
        (SetStatus { status: None, ..asked.clone() }, "statusId"),
        (SetStatus { expected_version: Some(7), ..asked.clone() }, "expectedVersion"),
    ] {
        assert_eq!(contacts::set_status(&world.services, &viewer, wrong).await.unwrap().unwrap_err()[0].error.field, field);
    }
    assert_eq!(contacts::notes(&world.services, &viewer, &contact.id, None, 10).await.unwrap().entries.len(), 0);
    let changed = contacts::set_status(&world.services, &viewer, asked.clone()).await.unwrap().unwrap();
    assert_eq!((changed.details.next_contact_at, changed.record.version), (Some(at), 2));
    let notes = contacts::notes(&world.services, &viewer, &contact.id, None, 10).await.unwrap().entries;
    assert_eq!(notes.iter().map(|note| note.body.as_str()).collect::<Vec<_>>(), ["call in December"]);
    let again = contacts::set_status(&world.services, &viewer, SetStatus { note: None, ..asked }).await.unwrap().unwrap();
    assert_eq!(again.record.version, 2);
}

#[tokio::test]
async fn do_not_call_suppresses_the_number_beyond_the_contact() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    let asked = SetStatus { id: Some(contact.id.clone()), status: Some(status(&viewer, "do_not_call")), ..SetStatus::default() };
    let quiet = contacts::set_status(&world.services, &viewer, asked.clone()).await.unwrap().unwrap();
    assert!(quiet.suppressed);
    let id = suppression::id_of(&world.tenant.keyring, "+15145550123");
    assert!(suppressions::find(&world.services.core, &world.tenant.scope, &id).await.unwrap().is_some_and(|entry| entry.removed_at.is_none()));
    let back = contacts::set_status(&world.services, &viewer, SetStatus { status: Some(status(&viewer, "new")), ..asked }).await.unwrap().unwrap();
    assert!(back.suppressed, "another status doesn't take the number off the list");
    let item = made::contact_item(&world, &contact.id).await;
    assert!(text(&item, "GSI2SK").unwrap().starts_with("X#"));
    contacts::erase(&world.services, &viewer, Some(contact.id.clone()), "asked for").await.unwrap().unwrap();
    let again = created(&world, "514-555-0123").await;
    assert!(again.suppressed, "the list outlives the contact");
    assert_ne!(again.id, contact.id);
}

#[tokio::test]
async fn a_number_that_changes_brings_its_own_suppression() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let (first, second) = (created(&world, "514-555-0123").await, created(&world, "514-555-0124").await);
    contacts::set_status(&world.services, &viewer, SetStatus { id: Some(first.id.clone()), status: Some(status(&viewer, "do_not_call")), ..SetStatus::default() })
        .await
        .unwrap()
        .unwrap();
    contacts::erase(&world.services, &viewer, Some(first.id), "asked for").await.unwrap().unwrap();
    let patch = ContactPatch { phone: Some(Some("514-555-0123".to_owned())), ..ContactPatch::default() };
    let moved =
        contacts::update(&world.services, &viewer, UpdateContact { id: Some(second.id), expected_version: 1, patch, ..UpdateContact::default() }).await.unwrap().unwrap();
    assert!(moved.suppressed);
}

#[tokio::test]
async fn notes_are_written_once_with_a_key_and_read_newest_first() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    let note = |body: &str, key: Option<&str>| AddNote { id: Some(contact.id.clone()), body: body.to_owned(), idempotency_key: key.map(str::to_owned) };
    for (body, code) in [("", FieldErrorCode::Blank), ("\u{0}x", FieldErrorCode::Invalid)] {
        assert_eq!(codes(&contacts::add_note(&world.services, &viewer, note(body, None)).await.unwrap().unwrap_err()), [("body", code)]);
    }
    let (_, first) = contacts::add_note(&world.services, &viewer, note("one", Some("key"))).await.unwrap().unwrap();
    let (_, again) = contacts::add_note(&world.services, &viewer, note("one", Some("key"))).await.unwrap().unwrap();
    assert_eq!((first.id, first.body.as_str()), (again.id, again.body.as_str()));
    assert_eq!(
        codes(&contacts::add_note(&world.services, &viewer, note("two", Some("key"))).await.unwrap().unwrap_err()),
        [("idempotencyKey", FieldErrorCode::Conflict)]
    );
    for index in 0..5 {
        world.clock.advance(SignedDuration::from_millis(1));
        contacts::add_note(&world.services, &viewer, note(&format!("note {index}"), None)).await.unwrap().unwrap();
    }
    let page = contacts::notes(&world.services, &viewer, &contact.id, None, 4).await.unwrap();
    assert_eq!(page.entries.iter().map(|note| note.body.as_str()).collect::<Vec<_>>(), ["note 4", "note 3", "note 2", "note 1"]);
    let rest = contacts::notes(&world.services, &viewer, &contact.id, page.entries.last().map(|note| note.id), 4).await.unwrap();
    assert_eq!((page.has_more, rest.has_more), (true, false));
    assert_eq!(rest.entries.iter().map(|note| note.body.as_str()).collect::<Vec<_>>(), ["note 0", "one"]);
    assert_eq!(stored(&world, &contact.id).await.contact.record.version, 1, "a note is no change of the contact");
}

#[tokio::test]
async fn assigning_answers_for_each_contact_by_itself() {
    let world = World::new().await;
    let (viewer, telephonist) = (world.viewer("admin").await, world.viewer("telephonist").await);
    let (first, second) = (created(&world, "514-555-0123").await, created(&world, "514-555-0124").await);
    contacts::delete(&world.services, &viewer, Some(second.id.clone()), 1).await.unwrap().unwrap();
    let ids = vec![Some(first.id.clone()), None, Some(second.id.clone()), Some(first.id.clone())];
    let asked = AssignContacts { ids, assignee: Some(Some(telephonist.agent())), team: None };
    let (assigned, errors) = contacts::assign(&world.services, &viewer, asked.clone()).await.unwrap();
    assert_eq!(assigned.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, true]);
    let found: Vec<_> = errors.iter().map(|error| (error.index, error.error.code)).collect();
    assert_eq!(found, [(Some(1), FieldErrorCode::NotFound), (Some(2), FieldErrorCode::ForbiddenTransition)]);
    assert_eq!(stored(&world, &first.id).await.contact.record.version, 2, "once, however often it is named");
    let (unassigned, _) = contacts::assign(&world.services, &viewer, AssignContacts { ids: vec![Some(first.id.clone())], ..AssignContacts::default() }).await.unwrap();
    assert_eq!(unassigned[0].as_ref().unwrap().details.assignee, None);
    for (wrong, field) in [
        (AssignContacts { ids: vec![None; 101], ..asked.clone() }, "ids"),
        (AssignContacts { ids: Vec::new(), ..asked.clone() }, "ids"),
        (AssignContacts { assignee: Some(None), ..asked.clone() }, "assigneeId"),
        (AssignContacts { team: Some(None), ..asked.clone() }, "teamId"),
    ] {
        let (contacts, errors) = contacts::assign(&world.services, &viewer, wrong).await.unwrap();
        assert!(contacts.iter().all(Option::is_none));
        assert_eq!(errors[0].error.field, field);
    }
    assert!(matches!(contacts::assign(&world.services, &telephonist, asked).await, Err(AppError::Forbidden)));
}

#[tokio::test]
async fn a_deleted_contact_keeps_its_number_leaves_the_call_list_and_comes_back_whole() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    assert_eq!(codes(&contacts::delete(&world.services, &viewer, Some(contact.id.clone()), 9).await.unwrap().unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
    let gone = contacts::delete(&world.services, &viewer, Some(contact.id.clone()), 1).await.unwrap().unwrap();
    let item = made::contact_item(&world, &contact.id).await;
    assert!(text(&item, "GSI1PK").unwrap().contains("#LD#") && !item.contains_key("GSI2PK"));
    let other = world.viewer_in_request("admin", "other").await;
    let input = ContactInput { phone: "514-555-0123".to_owned(), ..ContactInput::default() };
    let errors = contacts::create(&world.services, &other, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap_err();
    assert_eq!((errors[0].error.code, errors[0].existing.clone()), (FieldErrorCode::Conflict, Some(Existing::Contact(contact.id.clone()))));
    let refused = contacts::update(&world.services, &viewer, renamed(&gone, "X")).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("id", FieldErrorCode::ForbiddenTransition)]);
    let back = contacts::restore(&world.services, &viewer, Some(contact.id.clone()), Some(2)).await.unwrap().unwrap();
    assert_eq!((back.details, back.deleted_at, back.record.version), (contact.details, None, 3));
    assert_eq!(codes(&contacts::restore(&world.services, &viewer, Some(contact.id), None).await.unwrap().unwrap_err()), [("id", FieldErrorCode::ForbiddenTransition)]);
}

#[tokio::test]
async fn merged_contacts_share_numbers_and_notes_and_come_apart_as_they_were() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let (winner, loser) = (created(&world, "514-555-0123").await, created(&world, "514-555-0124").await);
    for (contact, body) in [(&winner, "of the winner"), (&loser, "of the loser")] {
        world.clock.advance(SignedDuration::from_millis(1));
        contacts::add_note(&world.services, &viewer, AddNote { id: Some(contact.id.clone()), body: body.to_owned(), idempotency_key: None }).await.unwrap().unwrap();
    }
    let asked = MergeContacts { winner: Some(winner.id.clone()), loser: Some(loser.id.clone()), ..MergeContacts::default() };
    let merged = contacts::merge(&world.services, &viewer, asked).await.unwrap().unwrap();
    assert_eq!(merged.details.alternate_phones, ["+15145550124"]);
    assert_eq!(contacts::by_phone(&world.services, &viewer, "514-555-0124").await.unwrap().unwrap().id, winner.id);
    let notes = contacts::notes(&world.services, &viewer, &winner.id, None, 10).await.unwrap().entries;
    assert_eq!(notes.iter().map(|note| note.body.as_str()).collect::<Vec<_>>(), ["of the loser", "of the winner"]);
    let (apart, back) = contacts::unmerge(&world.services, &viewer, Some(loser.id.clone())).await.unwrap().unwrap();
    assert_eq!((&apart.details, &back.details), (&winner.details, &loser.details));
    assert_eq!(contacts::by_phone(&world.services, &viewer, "514-555-0124").await.unwrap().unwrap().id, loser.id);
    assert_eq!(contacts::notes(&world.services, &viewer, &winner.id, None, 10).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn a_merge_is_not_undone_once_either_changed() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let (winner, loser) = (created(&world, "514-555-0123").await, created(&world, "514-555-0124").await);
    let asked = MergeContacts { winner: Some(winner.id.clone()), loser: Some(loser.id.clone()), ..MergeContacts::default() };
    let merged = contacts::merge(&world.services, &viewer, asked.clone()).await.unwrap().unwrap();
    assert_eq!(codes(&contacts::merge(&world.services, &viewer, asked).await.unwrap().unwrap_err()), [("loserId", FieldErrorCode::ForbiddenTransition)]);
    contacts::update(&world.services, &viewer, renamed(&merged, "Someone")).await.unwrap().unwrap();
    assert_eq!(codes(&contacts::unmerge(&world.services, &viewer, Some(loser.id)).await.unwrap().unwrap_err()), [("loserId", FieldErrorCode::Conflict)]);
}

#[tokio::test]
async fn an_erased_contact_leaves_nothing_readable_but_its_chain() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    let first = made::contact_item(&world, &contact.id).await;
    assert_eq!(codes(&contacts::erase(&world.services, &viewer, Some(contact.id.clone()), " ").await.unwrap().unwrap_err()), [("reason", FieldErrorCode::Blank)]);
    let erasure = contacts::erase(&world.services, &viewer, Some(contact.id.clone()), "asked for").await.unwrap().unwrap();
    assert_eq!(erasure.complete_at.duration_since(erasure.erased_at), SignedDuration::from_hours(35 * 24));
    let last = made::contact_item(&world, &contact.id).await;
    let mut names: Vec<&String> = last.keys().collect();
    names.sort();
    assert_eq!(names, ["PK", "SK", "created_at", "erased_at", "last_change", "number_owner", "revision", "type", "updated_at", "version"]);
    let recorder = made::recorder(&world);
    assert_eq!(recorder.record(vec![made::inserted(&first), made::changed(&first, &last)]).await.unwrap().recorded, 2);
    let history = async |id: &ContactId| audit::versions(&world.services, &viewer, &AuditedId::Contact(id.clone()), None, 10).await.unwrap().entries;
    let events = history(&contact.id).await;
    assert_eq!(events[0].stored.event.change.reason.as_deref(), Some("asked for"));
    assert!(events[1].changes.is_none(), "what was said of the person can't be read any more");
    for event in &events {
        assert_eq!(event.stored.hash, event.stored.event.hash(), "the chain still verifies");
    }
    assert_eq!(events[0].stored.event.previous_hash.as_ref(), Some(&events[1].stored.hash));
    assert!(contacts::get(&world.services, &viewer, &contact.id).await.unwrap().is_none());
    assert!(matches!(contacts::erase(&world.services, &viewer, Some(contact.id.clone()), "again").await, Err(AppError::NotFound)));
    let new = created(&world, "514-555-0123").await;
    assert_ne!(new.id, contact.id);
    assert_eq!(history(&new.id).await.len(), 0);
}

#[tokio::test]
async fn erasing_takes_merged_contacts_along_and_no_note_can_be_written_to_what_is_gone() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let (winner, loser) = (created(&world, "514-555-0123").await, created(&world, "514-555-0124").await);
    contacts::merge(&world.services, &viewer, MergeContacts { winner: Some(winner.id.clone()), loser: Some(loser.id.clone()), ..MergeContacts::default() })
        .await
        .unwrap()
        .unwrap();
    contacts::erase(&world.services, &viewer, Some(winner.id.clone()), "asked for").await.unwrap().unwrap();
    for id in [&winner.id, &loser.id] {
        assert!(store::get(&world.services.core, &world.tenant, id).await.unwrap().is_none());
        let note = AddNote { id: Some(id.clone()), body: "late".to_owned(), idempotency_key: None };
        assert!(matches!(contacts::add_note(&world.services, &viewer, note).await, Err(AppError::NotFound)));
    }
    for phone in ["514-555-0123", "514-555-0124"] {
        assert!(contacts::by_phone(&world.services, &viewer, phone).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_contact_is_rebuilt_as_it_stood_at_any_time() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    let first = made::contact_item(&world, &contact.id).await;
    world.clock.advance(SignedDuration::from_secs(10));
    let changed = contacts::update(&world.services, &viewer, renamed(&contact, "Zoé R.")).await.unwrap().unwrap();
    let second = made::contact_item(&world, &contact.id).await;
    made::recorder(&world).record(vec![made::inserted(&first), made::changed(&first, &second)]).await.unwrap();
    let id = AuditedId::Contact(contact.id.clone());
    let at = |time| audit::as_of(&world.services, &viewer, &id, time);
    let before = contact.record.created_at;
    assert_eq!(at(before.saturating_sub(SignedDuration::from_millis(1)).unwrap()).await.unwrap(), None);
    for (time, version, name) in [(before, 1, "Zoé Roy"), (changed.record.updated_at(), 2, "Zoé R.")] {
        let then = at(time).await.unwrap().unwrap();
        assert_eq!((then.version, then.fields.get("name").unwrap().as_str()), (version, Some(name)));
        assert_eq!(then.fields.get("phone").unwrap().as_str(), Some("+15145550123"));
    }
}

#[tokio::test]
async fn a_note_has_its_event_and_one_that_goes_with_its_contact_raises_no_alarm() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    let (_, note) = contacts::add_note(&world.services, &viewer, AddNote { id: Some(contact.id.clone()), body: "a secret".to_owned(), idempotency_key: None })
        .await
        .unwrap()
        .unwrap();
    let key = keys::note(&world.tenant.scope, &contact.id, note.id);
    let item = made::everything(&world.database).await.into_iter().find(|item| text(item, "SK") == Some(&key.sk)).unwrap();
    let recorder = made::recorder(&world);
    assert_eq!(recorder.record(vec![made::inserted(&item)]).await.unwrap().recorded, 1);
    let event = world.services.audit.get(world.tenant.scope.tenant(), "note", &note.id.to_string(), &Place::Version(1)).await.unwrap().unwrap().event;
    assert!(matches!(event.changes, switchboard_domain::audit::Changes::Sealed(_)));
    contacts::erase(&world.services, &viewer, Some(contact.id), "asked for").await.unwrap().unwrap();
    let again = recorder.record(vec![made::inserted(&item)]).await.unwrap();
    assert_eq!((again.repeated, again.isolated), (1, 0), "delivered again it can't be opened, and is no other event");
    let removed = switchboard_app::audit::StreamRecord { sequence: "9".to_owned(), old: Some(item), new: None };
    assert_eq!(recorder.record(vec![removed]).await.unwrap().technical, 1);
}

#[tokio::test]
async fn two_creations_of_one_number_in_one_request_are_one_creation_and_one_refusal() {
    let world = World::new().await;
    let viewer = world.viewer_in_request("admin", "one request").await;
    let asked = |name: &str| {
        let input = ContactInput { phone: "514-555-0123".to_owned(), name: Some(name.to_owned()), ..ContactInput::default() };
        CreateContact { input, ..CreateContact::default() }
    };
    let first = contacts::create(&world.services, &viewer, asked("First")).await.unwrap().unwrap();
    let errors = contacts::create(&world.services, &viewer, asked("Second")).await.unwrap().unwrap_err();
    assert_eq!((errors[0].error.code, errors[0].existing.clone()), (FieldErrorCode::Taken, Some(Existing::Contact(first.id))));
}

#[tokio::test]
async fn a_merge_that_takes_over_do_not_call_suppresses_the_winner_s_number() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let (winner, loser) = (created(&world, "514-555-0123").await, created(&world, "514-555-0124").await);
    let quiet = SetStatus { id: Some(loser.id.clone()), status: Some(status(&viewer, "do_not_call")), ..SetStatus::default() };
    contacts::set_status(&world.services, &viewer, quiet).await.unwrap().unwrap();
    let asked = MergeContacts { winner: Some(winner.id), loser: Some(loser.id), from_loser: vec![MergeField::Status], ..MergeContacts::default() };
    assert!(contacts::merge(&world.services, &viewer, asked).await.unwrap().unwrap().suppressed);
    let id = suppression::id_of(&world.tenant.keyring, "+15145550123");
    assert!(suppressions::find(&world.services.core, &world.tenant.scope, &id).await.unwrap().is_some_and(|entry| entry.is_in_force()));
}

#[tokio::test]
async fn a_contact_whose_status_was_deleted_meanwhile_comes_back_as_new() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let contact = created(&world, "514-555-0123").await;
    let attempted = status(&viewer, "attempted");
    contacts::set_status(&world.services, &viewer, SetStatus { id: Some(contact.id.clone()), status: Some(attempted), ..SetStatus::default() }).await.unwrap().unwrap();
    contacts::delete(&world.services, &viewer, Some(contact.id.clone()), 2).await.unwrap().unwrap();
    statuses::delete(&world.services, &viewer, DeleteStatus { id: Some(attempted), expected_version: 1 }).await.unwrap().unwrap();
    let viewer = world.viewer("admin").await;
    let back = contacts::restore(&world.services, &viewer, Some(contact.id), None).await.unwrap().unwrap();
    assert_eq!(back.details.status, status(&viewer, "new"));
}

#[tokio::test]
async fn who_may_not_see_a_contact_is_not_told_of_it_by_its_number() {
    let world = World::new().await;
    let (admin, telephonist) = (world.viewer("admin").await, world.viewer("telephonist").await);
    let (own, other) = (created(&world, "514-555-0123").await, created(&world, "514-555-0124").await);
    contacts::delete(&world.services, &admin, Some(other.id), 1).await.unwrap().unwrap();
    let assigned = AssignContacts { ids: vec![Some(own.id.clone())], assignee: Some(Some(telephonist.agent())), team: None };
    contacts::assign(&world.services, &admin, assigned).await.unwrap();
    let patch = ContactPatch { phone: Some(Some("514-555-0124".to_owned())), ..ContactPatch::default() };
    let asked = UpdateContact { id: Some(own.id), expected_version: 2, patch, ..UpdateContact::default() };
    let errors = contacts::update(&world.services, &telephonist, asked.clone()).await.unwrap().unwrap_err();
    assert_eq!((errors[0].error.code, errors[0].existing.clone()), (FieldErrorCode::Taken, None));
    let errors = contacts::update(&world.services, &admin, asked).await.unwrap().unwrap_err();
    assert_eq!((errors[0].error.code, errors[0].existing.is_some()), (FieldErrorCode::Conflict, true));
}
