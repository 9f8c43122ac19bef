//! Deleting contacts and bringing them back: nothing is lost, and the number stays theirs.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, create, user_errors};
use crate::stack::contacts::{contact, contact_with, eventually_lists, ids, new_contact, notes, status_id};
use crate::stack::fresh;
use crate::stack::history::{caught_up, changed_fields, history};
use crate::stack::mutations::{changed, document, done, error, refusal, refused};

/// Tries a change that the contact's state doesn't allow: whatever the words, it is refused, and nothing is written.
async fn assert_refused(api: &Api, mutation: &str, input: Value, contact_before: &Value) {
    let answer = api.ask(&document(mutation), json!({ "input": input })).await;
    let codes: Vec<&str> = answer.body["data"][mutation]["userErrors"].as_array().into_iter().flatten().filter_map(|error| error["code"].as_str()).collect();
    assert!(answer.codes() == ["NOT_FOUND"] || codes.iter().any(|code| ["FORBIDDEN_TRANSITION", "NOT_ALLOWED"].contains(code)), "{mutation}: {}", answer.body);
    assert_eq!(contact(api, &contact_before["id"]).await, *contact_before, "{mutation}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_or_an_unknown_contact_deletes_nothing() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({})).await;
    for version in [0, 2] {
        assert_eq!(refused(&api, "contactDelete", json!({ "id": before["id"], "expectedVersion": version })).await, error("expectedVersion", "STALE"));
    }
    assert_eq!(contact(&api, &before["id"]).await, before);
    for mutation in ["contactDelete", "contactRestore"] {
        assert_eq!(refusal(&api, mutation, json!({ "id": "nonsense", "expectedVersion": 1 })).await, "NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_contact_is_listed_only_when_asked_for_and_comes_back_as_it_was() {
    let (_, api) = Stack::as_admin().await;
    let (number, source) = (fresh::number(), fresh::word("source"));
    let before = new_contact(&api, json!({ "phone": number.e164(), "name": "Comes back", "source": source, "attributes": { "Colour": "red" } })).await;
    done(&api, "contactAddNote", json!({ "id": before["id"], "body": "Kept" })).await;
    let (live, all) = (json!({ "source": source }), json!({ "source": source, "includeDeleted": true }));
    eventually_lists(&api, &live, &ids([&before])).await;

    let deleted = changed(&api, "contactDelete", json!({ "id": before["id"], "expectedVersion": 1 })).await;
    assert_eq!((&deleted["id"], &deleted["version"], &deleted["deletedAt"]), (&before["id"], &json!(2), &deleted["updatedAt"]));
    eventually_lists(&api, &live, &[].into()).await;
    eventually_lists(&api, &all, &ids([&before])).await;
    assert_eq!(contact(&api, &before["id"]).await, deleted, "by its id it says that it is deleted");

    let restored = changed(&api, "contactRestore", json!({ "id": before["id"], "expectedVersion": 2 })).await;
    assert_eq!((&restored["version"], &restored["deletedAt"]), (&json!(3), &Value::Null));
    for field in ["phone", "name", "source", "attributes", "status", "createdAt", "timeZone", "country"] {
        assert_eq!(restored[field], before[field], "{field}");
    }
    eventually_lists(&api, &live, &ids([&before])).await;
    assert_eq!(contact_with(&api, number).await, restored);
    assert_eq!(notes(&api, &before["id"]).await.len(), 1);

    caught_up(&api).await;
    let events = history(&api, &before["id"]).await;
    assert_eq!(events.iter().map(|event| event["action"].as_str().unwrap()).collect::<Vec<_>>(), ["contact.restored", "contact.deleted", "contact.created"]);
    assert_eq!(changed_fields(&events[1]), ["deletedAt"]);
    assert_eq!(changed_fields(&events[0]), ["deletedAt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_the_number_of_a_deleted_contact_is_a_conflict_that_names_it() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let before = new_contact(&api, json!({ "phone": number.e164() })).await;
    changed(&api, "contactDelete", json!({ "id": before["id"], "expectedVersion": 1 })).await;
    let refused = create(&api, json!({ "phone": number.written(1), "name": "Another" })).await;
    assert_eq!((user_errors(&refused), &refused["userErrors"][0]["existingId"]), (error("phone", "CONFLICT"), &before["id"]));
    changed(&api, "contactRestore", json!({ "id": before["id"] })).await;
    let refused = create(&api, json!({ "phone": number.written(1), "name": "Another" })).await;
    assert_eq!((user_errors(&refused), &refused["userErrors"][0]["existingId"]), (error("phone", "TAKEN"), &before["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_can_not_be_changed_and_what_is_not_can_not_be_restored() {
    let (_, api) = Stack::as_admin().await;
    let live = new_contact(&api, json!({})).await;
    assert_refused(&api, "contactRestore", json!({ "id": live["id"], "expectedVersion": 1 }), &live).await;
    changed(&api, "contactDelete", json!({ "id": live["id"], "expectedVersion": 1 })).await;
    let deleted = contact(&api, &live["id"]).await;
    let (id, status) = (&deleted["id"], status_id(&api, "attempted").await);
    assert_refused(&api, "contactDelete", json!({ "id": id, "expectedVersion": 2 }), &deleted).await;
    assert_refused(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 2, "name": "Ghost" }), &deleted).await;
    assert_refused(&api, "contactSetStatus", json!({ "id": id, "statusId": status, "note": "Ghost" }), &deleted).await;
    assert_refused(&api, "contactAddNote", json!({ "id": id, "body": "Ghost" }), &deleted).await;
    assert_eq!(refused(&api, "contactRestore", json!({ "id": id, "expectedVersion": 1 })).await, error("expectedVersion", "STALE"));
    changed(&api, "contactRestore", json!({ "id": id, "expectedVersion": 2 })).await;
    assert!(notes(&api, id).await.is_empty());
}
