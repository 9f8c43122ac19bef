//! Creating and reading contacts.

use futures::future::join_all;
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::{AppError, Existing};
use switchboard_domain::contact::{ContactFilter, ContactInput};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_store::Order;
use switchboard_testkit::{Fault, World};

fn phone(phone: &str) -> CreateContact {
    CreateContact { input: ContactInput { phone: phone.to_owned(), name: Some("Zoé".to_owned()), ..ContactInput::default() }, ..CreateContact::default() }
}

#[tokio::test]
async fn a_second_contact_at_a_number_is_taken_and_names_the_first() {
    let world = World::new().await;
    let first = contacts::create(&world.services, &world.viewer_in_request("admin", "1").await, phone("514-555-0123")).await.unwrap().unwrap();
    let errors = contacts::create(&world.services, &world.viewer_in_request("admin", "2").await, phone("+1 (514) 555 0123")).await.unwrap().unwrap_err();
    assert_eq!((errors[0].error.code, errors[0].existing.clone()), (FieldErrorCode::Taken, Some(Existing::Contact(first.id.clone()))));
}

#[tokio::test]
async fn of_32_concurrent_creations_of_one_number_one_wins() {
    let world = World::new().await;
    let viewers = join_all((0..32).map(|number| {
        let world = &world;
        async move { world.viewer_in_request("admin", &number.to_string()).await }
    }))
    .await;
    let outcomes = join_all(viewers.iter().map(|viewer| contacts::create(&world.services, viewer, phone("514-555-0123")))).await;
    let created: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().unwrap().as_ref().ok()).collect();
    assert_eq!(created.len(), 1);
    for outcome in &outcomes {
        if let Err(errors) = outcome.as_ref().unwrap() {
            assert_eq!((errors[0].error.code, errors[0].existing.clone()), (FieldErrorCode::Taken, Some(Existing::Contact(created[0].id.clone()))));
        }
    }
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_a_creation() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let world = World::new().await;
        let viewer = world.viewer("admin").await;
        world.database.wire.cut_next("PutItem", fault);
        let created = contacts::create(&world.services, &viewer, phone("514-555-0123")).await.unwrap();
        assert!(created.is_ok(), "{fault:?}: {created:?}");
    }
}

#[tokio::test]
async fn an_idempotency_key_answers_as_before_and_refuses_other_input() {
    let world = World::new().await;
    let with_key = |number: &str| CreateContact { idempotency_key: Some("key".to_owned()), ..phone(number) };
    let first = contacts::create(&world.services, &world.viewer_in_request("admin", "1").await, with_key("514-555-0123")).await.unwrap().unwrap();
    let again = contacts::create(&world.services, &world.viewer_in_request("admin", "2").await, with_key("514-555-0123")).await.unwrap().unwrap();
    assert_eq!((&first.id, first.record.version), (&again.id, again.record.version));
    let other = contacts::create(&world.services, &world.viewer_in_request("admin", "3").await, with_key("514-555-0124")).await.unwrap().unwrap_err();
    assert_eq!((other[0].error.field.as_str(), other[0].error.code), ("idempotencyKey", FieldErrorCode::Conflict));
    world.clock.advance(jiff::SignedDuration::from_hours(7 * 24 + 1));
    let later = contacts::create(&world.services, &world.viewer_in_request("admin", "4").await, with_key("514-555-0125")).await.unwrap();
    assert!(later.is_ok(), "after seven days the key is free: {later:?}");
}

#[tokio::test]
async fn of_concurrent_creations_with_one_key_and_other_input_one_wins_and_the_rest_conflict() {
    let world = World::new().await;
    let viewers = join_all((0..8).map(|number| {
        let world = &world;
        async move { world.viewer_in_request("admin", &number.to_string()).await }
    }))
    .await;
    let outcomes = join_all(viewers.iter().enumerate().map(|(number, viewer)| {
        let request = CreateContact { idempotency_key: Some("key".to_owned()), ..phone(&format!("514-555-{number:04}")) };
        contacts::create(&world.services, viewer, request)
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for errors in lost {
        assert_eq!(errors.unwrap_err()[0].error.code, FieldErrorCode::Conflict);
    }
}

#[tokio::test]
async fn nothing_is_written_when_a_value_is_wrong() {
    let world = World::new().await;
    let before = crate::made::everything(&world.database).await.len();
    let mut wrong = phone("514-555-0123");
    wrong.input.email = Some("nobody".to_owned());
    wrong.status = Some(None);
    wrong.assignee = Some(None);
    let errors = contacts::create(&world.services, &world.viewer("admin").await, wrong).await.unwrap().unwrap_err();
    let fields: Vec<&str> = errors.iter().map(|error| error.error.field.as_str()).collect();
    assert_eq!(fields, ["email", "statusId", "assigneeId"]);
    assert_eq!(crate::made::everything(&world.database).await.len(), before);
}

#[tokio::test]
async fn a_telephonist_sees_only_their_own() {
    let world = World::new().await;
    let (admin, telephonist) = (world.viewer("admin").await, world.viewer("telephonist").await);
    let own = CreateContact { assignee: Some(Some(telephonist.agent())), ..phone("514-555-0123") };
    let own = contacts::create(&world.services, &admin, own).await.unwrap().unwrap();
    let other = contacts::create(&world.services, &world.viewer_in_request("admin", "2").await, phone("514-555-0124")).await.unwrap().unwrap();
    assert!(contacts::get(&world.services, &telephonist, &own.id).await.unwrap().is_some());
    assert!(contacts::get(&world.services, &telephonist, &other.id).await.unwrap().is_none());
    assert_eq!(contacts::get_many(&world.services, &telephonist, &[own.id.clone(), other.id]).await.unwrap().len(), 1);
    let listed = contacts::list(&world.services, &telephonist, &ContactFilter::default(), None, 10, Order::Descending).await.unwrap();
    assert_eq!(listed.contacts.iter().map(|row| &row.id).collect::<Vec<_>>(), [&own.id]);
    assert!(matches!(contacts::create(&world.services, &telephonist, phone("514-555-0125")).await, Err(AppError::Forbidden)));
    assert!(matches!(contacts::get(&world.services, &world.viewer("agent").await, &own.id).await, Err(AppError::Forbidden)));
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_contacts_are_added() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..25 {
        let viewer = world.viewer_in_request("admin", &number.to_string()).await;
        ids.push(contacts::create(&world.services, &viewer, phone(&format!("514-555-{number:04}"))).await.unwrap().unwrap().id);
        world.clock.advance(jiff::SignedDuration::from_millis(1));
    }
    let viewer = world.viewer("admin").await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = contacts::list(&world.services, &viewer, &ContactFilter::default(), after.as_deref(), 4, Order::Descending).await.unwrap();
        after = page.next.clone();
        seen.extend(page.contacts.into_iter().map(|row| row.id));
        let late = world.viewer_in_request("admin", &format!("late {}", seen.len())).await;
        contacts::create(&world.services, &late, phone(&format!("438-555-{:04}", seen.len()))).await.unwrap().unwrap();
        if page.next.is_none() {
            break;
        }
    }
    ids.reverse();
    assert_eq!(seen, ids);
}
