//! Statuses and notes of contacts, and the one status that the law hangs on.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, created, inside};
use crate::stack::contacts::{contact, contact_with, new_contact, notes, status_id};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh;
use crate::stack::history::{caught_up, history};
use crate::stack::mutations::{changed, done, error, mutate, refusal, refused};

async fn bodies(api: &Api, id: &Value) -> Vec<String> {
    notes(api, id).await.iter().map(|note| note["body"].as_str().unwrap().to_owned()).collect()
}

async fn is_suppressed(api: &Api, number: fresh::Number) -> bool {
    let data = api.data("query($phone: String!) { suppression(phone: $phone) { id removedAt } }", json!({ "phone": number.written(2) })).await;
    data["suppression"].is_object() && data["suppression"]["removedAt"].is_null()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_neither_status_nor_note_is_written() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({})).await;
    let (id, status) = (&before["id"], status_id(&api, "attempted").await);
    for (input, errors) in [
        (json!({ "id": id, "statusId": "nonsense", "note": "A note" }), error("statusId", "NOT_FOUND")),
        (json!({ "id": id, "statusId": id, "note": "A note" }), error("statusId", "NOT_FOUND")),
        (json!({ "id": id, "statusId": status, "note": "x".repeat(10_001) }), error("note", "TOO_LONG")),
        (json!({ "id": id, "statusId": status, "note": "a\u{0}b" }), error("note", "INVALID")),
        (json!({ "id": id, "statusId": status, "note": "A note", "expectedVersion": 2 }), error("expectedVersion", "STALE")),
        (json!({ "id": id, "statusId": status, "note": "A note", "expectedVersion": 0 }), error("expectedVersion", "STALE")),
    ] {
        assert_eq!(refused(&api, "contactSetStatus", input).await, errors);
    }
    assert_eq!(contact(&api, id).await, before);
    assert!(notes(&api, id).await.is_empty());
    assert_eq!(refusal(&api, "contactSetStatus", json!({ "id": "nonsense", "statusId": status })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_set_with_a_note_and_the_next_call() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({ "name": "Called" })).await;
    let status = status_id(&api, "callback_requested").await;
    let input = json!({
        "id": before["id"], "statusId": status, "note": "  Rappeler après 17 h ☎\nDemander Zoé ", "nextContactAt": "2027-05-14T17:00:00-04:00", "expectedVersion": 1,
    });
    let after = changed(&api, "contactSetStatus", input).await;
    assert_eq!((&after["status"]["id"], &after["nextContactAt"], &after["version"]), (&status, &json!("2027-05-14T21:00:00.000Z"), &json!(2)));
    assert_eq!((&after["name"], &after["doNotCall"]), (&json!("Called"), &json!(false)));
    assert_eq!(contact(&api, &before["id"]).await, after);
    let viewer = api.data("{ viewer { user { id name } } }", json!({})).await["viewer"]["user"].take();
    let [note] = &notes(&api, &before["id"]).await[..] else { panic!("not exactly one note") };
    assert_eq!(note["body"], "Rappeler après 17 h ☎\nDemander Zoé");
    assert_eq!(note["author"], json!({ "type": "USER", "id": viewer["id"], "name": viewer["name"] }));
    caught_up(&api).await;
    let events = history(&api, &before["id"]).await;
    assert_eq!((events.len(), &events[0]["action"]), (2, &json!("contact.status_set")));
    let changes = events[0]["changes"].as_array().unwrap();
    assert!(changes.contains(&json!({ "field": "status", "oldValue": before["status"]["id"], "newValue": status })), "{changes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_expected_version_the_latest_word_counts() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({})).await["id"].take();
    for (code, version) in [("attempted", 2), ("interested", 3), ("in_discussion", 4)] {
        let after = changed(&api, "contactSetStatus", json!({ "id": id, "statusId": status_id(&api, code).await })).await;
        assert_eq!((&after["status"]["code"], &after["version"]), (&json!(code), &json!(version)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_converted_says_so_as_long_as_it_is() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({})).await["id"].take();
    for (code, converted) in [("converted", true), ("interested", false)] {
        assert_eq!(changed(&api, "contactSetStatus", json!({ "id": id, "statusId": status_id(&api, code).await })).await["converted"], json!(converted));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_neither_blank_nor_endless() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({})).await["id"].take();
    for (body, code) in [("", "BLANK"), (" \n\t ", "BLANK"), (&*"é".repeat(10_001), "TOO_LONG"), ("a\u{7}b", "INVALID")] {
        assert_eq!(refused(&api, "contactAddNote", json!({ "id": id, "body": body })).await, error("body", code));
    }
    assert!(notes(&api, &id).await.is_empty());
    let longest = "é".repeat(10_000);
    assert_eq!(done(&api, "contactAddNote", json!({ "id": id, "body": longest })).await["note"]["body"], json!(longest));
    assert_eq!(refusal(&api, "contactAddNote", json!({ "id": "nonsense", "body": "x" })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_listed_newest_first_by_pages_and_leave_the_version_alone() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({})).await;
    let id = &before["id"];
    for number in 1..=5 {
        done(&api, "contactAddNote", json!({ "id": id, "body": format!("Note {number}") })).await;
    }
    assert_eq!(bodies(&api, id).await, ["Note 5", "Note 4", "Note 3", "Note 2", "Note 1"]);
    let query = "query($id: ID!, $first: Int, $after: String) { contact(id: $id) { notes(first: $first, after: $after) {
        nodes { id body } pageInfo { hasNextPage endCursor } } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(query, json!({ "id": id, "first": 2, "after": after })).await["contact"]["notes"].take();
        all.extend(page["nodes"].as_array().unwrap().iter().map(|note| note["body"].as_str().unwrap().to_owned()));
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(all, ["Note 5", "Note 4", "Note 3", "Note 2", "Note 1"]);
    assert_eq!(contact(&api, id).await["version"], before["version"]);
    let other = new_contact(&api, json!({})).await;
    let cursor = api.data(query, json!({ "id": id, "first": 2 })).await["contact"]["notes"]["pageInfo"]["endCursor"].take();
    for (id, first, after, code) in [(&other["id"], 2, cursor, "BAD_CURSOR"), (id, 101, Value::Null, "LIMIT_EXCEEDED"), (id, 0, Value::Null, "LIMIT_EXCEEDED")] {
        assert_eq!(api.ask(query, json!({ "id": id, "first": first, "after": after })).await.codes(), [code]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_found_by_its_id_and_written_once_for_one_idempotency_key() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({})).await["id"].take();
    let input = json!({ "id": id, "body": "Once", "idempotencyKey": fresh::word("key") });
    let note = done(&api, "contactAddNote", input.clone()).await["note"].take();
    assert_eq!(inside(&note["id"]).0, "note");
    assert_eq!(done(&api, "contactAddNote", input.clone()).await["note"], note);
    let mut other = input;
    other["body"] = json!("Twice");
    assert_eq!(refused(&api, "contactAddNote", other).await, error("idempotencyKey", "CONFLICT"));
    assert_eq!(bodies(&api, &id).await, ["Once"]);
    let node = api.data("query($id: ID!) { node(id: $id) { id ... on Note { body } } }", json!({ "id": note["id"] })).await["node"].take();
    assert_eq!(node, json!({ "id": note["id"], "body": "Once" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn do_not_call_suppresses_the_number_and_outlives_the_contact_and_any_import() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    let id = created(&api, json!({ "phone": number.e164(), "name": "Left alone" })).await["id"].take();
    assert!(!is_suppressed(&api, number).await);
    let after = changed(&api, "contactSetStatus", json!({ "id": id, "statusId": status_id(&api, "do_not_call").await })).await;
    assert_eq!((&after["doNotCall"], &after["version"]), (&json!(true), &json!(2)));
    assert!(is_suppressed(&api, number).await);

    changed(&api, "contactDelete", json!({ "id": id, "expectedVersion": 2 })).await;
    assert!(is_suppressed(&api, number).await, "it outlives the contact");
    let file = csv("phone,name", &[[number.dashed(), "Sold again".to_owned()]]);
    dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("again")), file).await;
    let again = contact_with(&api, number).await;
    assert_eq!((&again["id"], &again["name"], &again["deletedAt"]), (&id, &json!("Sold again"), &Value::Null), "the import restores it");
    assert_eq!(again["doNotCall"], true, "and can't weaken it");
    assert!(is_suppressed(&api, number).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_created_as_do_not_call_is_suppressed_and_one_created_at_a_suppressed_number_says_so() {
    let (stack, api) = Stack::as_admin().await;
    let [first, second, third] = fresh::numbers(3)[..] else { panic!() };
    let contact = created(&api, json!({ "phone": first.e164(), "statusId": status_id(&api, "do_not_call").await })).await;
    assert!(is_suppressed(&api, first).await);
    assert_eq!(changed(&api, "contactUpdate", json!({ "id": contact["id"], "expectedVersion": 1, "name": "Still" })).await["doNotCall"], true);
    for number in [second, third] {
        done(&api, "suppressionAdd", json!({ "phone": number.e164(), "reason": "asked by post" })).await;
    }
    assert_eq!(new_contact(&api, json!({ "phone": second.e164() })).await["doNotCall"], true);
    dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("listed")), csv("phone,name", &[[third.dashed(), "Listed".to_owned()]])).await;
    assert_eq!(contact_with(&api, third).await["doNotCall"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_takes_a_suppressed_number_must_not_be_called() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    done(&api, "suppressionAdd", json!({ "phone": number.e164() })).await;
    let before = new_contact(&api, json!({})).await;
    assert_eq!(before["doNotCall"], false);
    let payload = mutate(&api, "contactUpdate", json!({ "id": before["id"], "expectedVersion": 1, "phone": number.e164() })).await;
    assert_eq!(payload["contact"]["doNotCall"], true, "{payload}");
}
