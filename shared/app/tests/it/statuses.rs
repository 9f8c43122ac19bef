//! Creating, changing and deleting statuses.

use futures::future::{join, join_all};
use switchboard_app::audit::Report;
use switchboard_app::contacts::{self, CreateContact, SetStatus};
use switchboard_app::statuses::{self, CreateStatus, DeleteStatus, UpdateStatus};
use switchboard_app::{AppError, Existing, UserError};
use switchboard_domain::audit::{Changes, Place};
use switchboard_domain::contact::ContactInput;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::StatusId;
use switchboard_domain::status::{ContactStatus, StatusInput, StatusPatch};
use switchboard_store::item::{Item, text};
use switchboard_store::settings::{self, Settings};
use switchboard_testkit::{Fault, World};

use crate::made;

fn named(name: &str) -> CreateStatus {
    CreateStatus { input: StatusInput { name: name.to_owned(), color: "#123456".to_owned(), order: 60, ..StatusInput::default() }, idempotency_key: None }
}

async fn created(world: &World, name: &str) -> ContactStatus {
    statuses::create(&world.services, &world.viewer("admin").await, named(name)).await.unwrap().unwrap()
}

fn renamed(status: &ContactStatus, name: &str) -> UpdateStatus {
    let patch = StatusPatch { name: Some(Some(name.to_owned())), ..StatusPatch::default() };
    UpdateStatus { id: Some(status.id), expected_version: i32::try_from(status.record.version).unwrap(), patch }
}

fn deletion(status: &ContactStatus) -> DeleteStatus {
    DeleteStatus { id: Some(status.id), expected_version: i32::try_from(status.record.version).unwrap() }
}

fn contact_with(status: &ContactStatus, phone: &str) -> CreateContact {
    CreateContact { input: ContactInput { phone: phone.to_owned(), ..ContactInput::default() }, status: Some(Some(status.id)), ..CreateContact::default() }
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

async fn settings(world: &World) -> Settings {
    settings::load(&world.database.core, &world.tenant.scope).await.unwrap()
}

/// Retires a status, as a deletion does whose process dies then.
async fn retire(world: &World, status: &ContactStatus) {
    assert!(settings::touch_status(&world.database.core, &world.tenant.scope, &status.retired(), status.record.revision).await.unwrap());
    world.services.tenants.forget_settings(&world.tenant.scope);
}

async fn item_of(world: &World, id: StatusId) -> Item {
    let id = id.to_string();
    made::everything(&world.database).await.into_iter().find(|item| text(item, "type") == Some("contact_status") && text(item, "id") == Some(id.as_str())).unwrap()
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let before = made::everything(&world.database).await;
    let wrong = StatusInput { name: " ".to_owned(), code: Some("Not so".to_owned()), color: "red".to_owned(), order: -1, exclude_from_call_list: false };
    let errors = statuses::create(&world.services, &world.viewer("admin").await, CreateStatus { input: wrong, idempotency_key: None }).await.unwrap().unwrap_err();
    let expected = [("name", FieldErrorCode::Blank), ("code", FieldErrorCode::Invalid), ("color", FieldErrorCode::Invalid), ("order", FieldErrorCode::Invalid)];
    assert_eq!(codes(&errors), expected);
    assert_eq!(made::everything(&world.database).await.len(), before.len());
}

#[tokio::test]
async fn who_may_not_is_refused_and_a_manager_may() {
    let world = World::new().await;
    let status = settings(&world).await.status_by_code("attempted").unwrap().clone();
    for role in ["supervisor", "telephonist", "agent"] {
        let viewer = world.viewer(role).await;
        assert!(matches!(statuses::create(&world.services, &viewer, named("Warm")).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(statuses::update(&world.services, &viewer, renamed(&status, "Warm")).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(statuses::delete(&world.services, &viewer, deletion(&status)).await, Err(AppError::Forbidden)), "{role}");
    }
    let manager = world.viewer("manager").await;
    let made = statuses::create(&world.services, &manager, named("Warm")).await.unwrap().unwrap();
    statuses::delete(&world.services, &manager, deletion(&made)).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_id_that_names_no_status_is_not_found() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    for id in [None, Some(StatusId::new(jiff::Timestamp::UNIX_EPOCH, &[9; 10]))] {
        let update = UpdateStatus { id, expected_version: 1, patch: StatusPatch::default() };
        assert!(matches!(statuses::update(&world.services, &viewer, update).await, Err(AppError::NotFound)));
        assert!(matches!(statuses::delete(&world.services, &viewer, DeleteStatus { id, expected_version: 1 }).await, Err(AppError::NotFound)));
    }
}

#[tokio::test]
async fn of_8_concurrent_creations_of_one_name_one_wins_and_the_rest_name_it() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let outcomes = join_all((0..8).map(|_| statuses::create(&world.services, &viewer, named("Warm")))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    let id = Existing::ContactStatus(won[0].as_ref().unwrap().id);
    for errors in lost {
        let errors = errors.unwrap_err();
        assert_eq!((codes(&errors), errors[0].existing.as_ref()), (vec![("name", FieldErrorCode::Taken)], Some(&id)));
    }
    assert_eq!(settings(&world).await.statuses.iter().filter(|status| status.name == "Warm").count(), 1);
}

#[tokio::test]
async fn concurrent_creations_of_different_names_all_succeed() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let outcomes = join_all((0..4).map(|number| statuses::create(&world.services, &viewer, named(&format!("Warm {number}"))))).await;
    assert!(outcomes.into_iter().all(|outcome| outcome.unwrap().is_ok()));
    let settings = settings(&world).await;
    assert_eq!((settings.statuses.len(), settings.revision), (12, 4));
}

#[tokio::test]
async fn of_two_updates_with_one_expected_version_the_later_is_stale() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let status = created(&world, "Warm").await;
    let (one, other) =
        join(statuses::update(&world.services, &viewer, renamed(&status, "Warmer")), statuses::update(&world.services, &viewer, renamed(&status, "Warmest"))).await;
    let (won, lost): (Vec<_>, Vec<_>) = [one.unwrap(), other.unwrap()].into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    let won = won.into_iter().next().unwrap().unwrap().status;
    assert_eq!((won.record.version, settings(&world).await.status(status.id)), (2, Some(&won)));
    assert_eq!(codes(lost[0].as_ref().unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
}

#[tokio::test]
async fn a_change_that_changes_nothing_writes_nothing() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let status = created(&world, "Warm").await;
    let before = made::everything(&world.database).await;
    let patch = StatusPatch { name: Some(Some(" Warm ".to_owned())), order: Some(Some(60)), exclude_from_call_list: Some(Some(false)), ..StatusPatch::default() };
    let same = UpdateStatus { id: Some(status.id), expected_version: 1, patch };
    let answer = statuses::update(&world.services, &viewer, same).await.unwrap().unwrap();
    assert_eq!((answer.status, answer.job.is_none()), (status, true));
    let after = made::everything(&world.database).await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
}

#[tokio::test]
async fn a_new_name_is_a_version_known_at_once_in_this_process_and_moves_no_contact() {
    let world = World::new().await;
    let status = created(&world, "Warm").await;
    let answer = statuses::update(&world.services, &world.viewer("admin").await, renamed(&status, "Hot")).await.unwrap().unwrap();
    assert_eq!((answer.status.name.as_str(), answer.status.code.as_str(), answer.status.record.version, answer.job.is_none()), ("Hot", "warm", 2, true));
    assert_eq!(world.viewer("admin").await.settings.status(status.id), Some(&answer.status));
}

#[tokio::test]
async fn a_status_in_use_stays_as_it_was_and_can_be_given() {
    let world = World::new().await;
    let status = created(&world, "Warm").await;
    let viewer = world.viewer("admin").await;
    contacts::create(&world.services, &viewer, contact_with(&status, "514-555-0123")).await.unwrap().unwrap();
    let errors = statuses::delete(&world.services, &viewer, deletion(&status)).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("id", FieldErrorCode::InUse)]);
    assert!(errors[0].error.message.starts_with("1 contact has "), "{}", errors[0].error.message);
    let settings = settings(&world).await;
    let after = settings.status(status.id).unwrap();
    assert_eq!((after.is_live(), after.record.version, &after.record.last_change), (true, 1, &status.record.last_change));
    let late = world.viewer_in_request("admin", "late").await;
    contacts::create(&world.services, &late, contact_with(&status, "514-555-0124")).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_deleted_status_is_gone_but_for_its_code() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let status = created(&world, "Warm").await;
    let deleted = statuses::delete(&world.services, &viewer, deletion(&status)).await.unwrap().unwrap();
    assert_eq!((deleted.record.version, deleted.record.last_change.action.as_str()), (2, "contact_status.deleted"));
    let settings = settings(&world).await;
    assert!(settings.listed_statuses().all(|listed| listed.id != status.id) && settings.status_by_code("warm").is_none());
    assert_eq!(settings.status(status.id), Some(&deleted));
    assert!(matches!(statuses::delete(&world.services, &viewer, deletion(&deleted)).await, Err(AppError::NotFound)));
    assert!(matches!(statuses::update(&world.services, &viewer, renamed(&deleted, "Hot")).await, Err(AppError::NotFound)));
    let mut with_code = named("Tepid");
    with_code.input.code = Some("warm".to_owned());
    let errors = statuses::create(&world.services, &viewer, with_code).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("code", FieldErrorCode::Taken)]);
    assert_eq!(created(&world, "Warm").await.code, "warm_2");
}

#[tokio::test]
async fn of_two_deletions_at_once_one_succeeds() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let status = created(&world, "Warm").await;
    let (one, other) = join(statuses::delete(&world.services, &viewer, deletion(&status)), statuses::delete(&world.services, &viewer, deletion(&status))).await;
    let successes = [&one, &other].into_iter().filter(|outcome| matches!(outcome, Ok(Ok(_)))).count();
    assert_eq!(successes, 1, "{one:?} {other:?}");
    assert_eq!(settings(&world).await.status(status.id).unwrap().record.version, 2);
}

#[tokio::test]
async fn a_contact_that_was_given_a_status_while_that_was_deleted_stays_readable_and_can_be_given_another() {
    let world = World::new().await;
    let status = created(&world, "Warm").await;
    let late = world.viewer_in_request("admin", "of a process that doesn't know yet").await;
    statuses::delete(&world.services, &world.viewer("admin").await, deletion(&status)).await.unwrap().unwrap();
    let contact = contacts::create(&world.services, &late, contact_with(&status, "514-555-0123")).await.unwrap().unwrap();
    let viewer = world.viewer("admin").await;
    let read = contacts::get(&world.services, &viewer, &contact.id).await.unwrap().unwrap();
    assert!(viewer.settings.status(read.details.status).unwrap().deleted_at.is_some());
    let errors = contacts::create(&world.services, &viewer, contact_with(&status, "514-555-0124")).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("statusId", FieldErrorCode::NotFound)]);
    let attempted = viewer.settings.status_by_code("attempted").unwrap().id;
    let another = SetStatus { id: Some(contact.id), status: Some(attempted), ..SetStatus::default() };
    assert_eq!(contacts::set_status(&world.services, &viewer, another).await.unwrap().unwrap().details.status, attempted);
}

#[tokio::test]
async fn a_deletion_that_died_half_way_is_completed_or_undone_by_the_next_who_comes() {
    let world = World::new().await;
    let (warm, hot) = (created(&world, "Warm").await, created(&world, "Hot").await);
    retire(&world, &warm).await;
    retire(&world, &hot).await;
    let viewer = world.viewer("admin").await;
    assert_eq!(viewer.settings.listed_statuses().filter(|status| status.retired).count(), 2, "they can be found");
    let errors = contacts::create(&world.services, &viewer, contact_with(&warm, "514-555-0123")).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("statusId", FieldErrorCode::NotFound)], "and not be given");
    statuses::delete(&world.services, &viewer, deletion(&warm)).await.unwrap().unwrap();
    assert!(statuses::update(&world.services, &viewer, renamed(&hot, "Hotter")).await.unwrap().unwrap().status.is_live());
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_one_creation() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let world = World::new().await;
        let viewer = world.viewer("admin").await;
        world.database.wire.cut_next("TransactWriteItems", fault);
        let created = statuses::create(&world.services, &viewer, named("Warm")).await.unwrap();
        assert!(created.is_ok(), "{fault:?}: {created:?}");
        assert_eq!(settings(&world).await.statuses.len(), 9);
    }
}

#[tokio::test]
async fn an_idempotency_key_answers_as_before_and_refuses_other_input() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let with_key = |name: &str| CreateStatus { idempotency_key: Some("key".to_owned()), ..named(name) };
    let first = statuses::create(&world.services, &viewer, with_key("Warm")).await.unwrap().unwrap();
    let again = statuses::create(&world.services, &viewer, with_key("Warm")).await.unwrap().unwrap();
    assert_eq!(first, again);
    let errors = statuses::create(&world.services, &viewer, with_key("Hot")).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("idempotencyKey", FieldErrorCode::Conflict)]);
}

#[tokio::test]
async fn of_concurrent_creations_with_one_key_all_answer_with_one_status() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let request = CreateStatus { idempotency_key: Some("key".to_owned()), ..named("Warm") };
    let outcomes = join_all((0..4).map(|_| statuses::create(&world.services, &viewer, request.clone()))).await;
    let statuses: Vec<ContactStatus> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap()).collect();
    assert!(statuses.iter().all(|status| *status == statuses[0]));
}

#[tokio::test]
async fn each_change_leaves_an_event_and_what_is_technical_leaves_none() {
    let world = World::new().await;
    let status = created(&world, "Warm").await;
    let first = item_of(&world, status.id).await;
    retire(&world, &status).await;
    let second = item_of(&world, status.id).await;
    statuses::delete(&world.services, &world.viewer("admin").await, deletion(&status)).await.unwrap().unwrap();
    let third = item_of(&world, status.id).await;
    let counter = made::everything(&world.database).await.into_iter().find(|item| text(item, "type") == Some("settings_revision")).unwrap();
    let batch = vec![made::inserted(&first), made::inserted(&counter), made::changed(&first, &second), made::changed(&second, &third)];
    let report = made::recorder(&world).record(batch).await.unwrap();
    assert_eq!(report, Report { recorded: 2, technical: 2, ..Report::default() });
    let event = world.database.audit.get(world.tenant.record.id, "contact_status", &status.id.to_string(), &Place::Version(2)).await.unwrap().unwrap().event;
    let Changes::Clear(changes) = &event.changes else { panic!("{event:?}") };
    let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!((event.change.action.as_str(), fields), ("contact_status.deleted", vec!["deletedAt"]));
}
