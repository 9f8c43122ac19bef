//! The suppression list: numbers nobody may call, whatever else is said of them.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stack::Stack;
use crate::stack::api::Api;
use crate::stack::contacts::{contact, new_contact};
use crate::stack::fresh::{self, Number};
use crate::stack::history::{caught_up, history};
use crate::stack::mutations::{changed, done, error, refusal, refused, with_fragments};

/// The entry of a number that is in force; null when there is none.
async fn entry(api: &Api, phone: &str) -> Value {
    let query = with_fragments("query($phone: String!) { suppression(phone: $phone) { ...suppression } }");
    let entry = api.data(&query, json!({ "phone": phone })).await["suppression"].take();
    if entry["removedAt"].is_null() { entry } else { Value::Null }
}

async fn list(api: &Api, first: usize, after: &Value) -> Value {
    let query = with_fragments(
        "query($first: Int, $after: String) { suppressionList(first: $first, after: $after) {
            nodes { ...suppression } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } } }",
    );
    api.data(&query, json!({ "first": first, "after": after })).await["suppressionList"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_number_is_not_suppressed() {
    let (_, api) = Stack::as_admin().await;
    for (phone, code) in [("", "BLANK"), (" ", "BLANK"), ("123", "INVALID"), ("not a number", "INVALID")] {
        assert_eq!(refused(&api, "suppressionAdd", json!({ "phone": phone })).await, error("phone", code), "{phone:?}");
        assert!(entry(&api, phone).await.is_null());
    }
    assert!(entry(&api, &fresh::number().e164()).await.is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_suppressed_before_and_after_anyone_has_it() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let added = done(&api, "suppressionAdd", json!({ "phone": number.written(1), "reason": "Asked by letter", "source": "registry" })).await;
    let suppression = &added["suppression"];
    assert!(added["contact"].is_null(), "nobody has it: {added}");
    assert_eq!((&suppression["reason"], &suppression["source"], &suppression["version"]), (&json!("Asked by letter"), &json!("registry"), &json!(1)));
    assert_eq!(suppression["createdBy"]["type"], "USER");
    assert_eq!(entry(&api, &number.dashed()).await, *suppression, "however it is written");
    let node = api.data("query($id: ID!) { node(id: $id) { id __typename } }", json!({ "id": suppression["id"] })).await["node"].take();
    assert_eq!(node, json!({ "id": suppression["id"], "__typename": "Suppression" }));

    let before = new_contact(&api, json!({ "phone": number.e164() })).await;
    assert_eq!(before["doNotCall"], true);
    let other = fresh::number();
    let free = new_contact(&api, json!({ "phone": other.e164() })).await;
    assert_eq!(free["doNotCall"], false);
    let added = done(&api, "suppressionAdd", json!({ "phone": other.e164() })).await;
    assert_eq!((&added["contact"]["id"], &added["contact"]["doNotCall"]), (&free["id"], &json!(true)), "at once");
    assert_eq!(contact(&api, &free["id"]).await["doNotCall"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suppression_between_reading_and_updating_makes_nothing_stale_and_leaves_no_event() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let read = new_contact(&api, json!({ "phone": number.e164(), "name": "Read" })).await;
    let added = done(&api, "suppressionAdd", json!({ "phone": number.e164() })).await;
    assert_eq!(added["contact"]["doNotCall"], true);
    let suppressed = contact(&api, &read["id"]).await;
    for field in ["version", "updatedAt", "updatedBy"] {
        assert_eq!(suppressed[field], read[field], "{field}");
    }
    let updated = changed(&api, "contactUpdate", json!({ "id": read["id"], "expectedVersion": read["version"], "name": "Updated" })).await;
    assert_eq!((&updated["version"], &updated["doNotCall"]), (&json!(2), &json!(true)), "and the update keeps it");
    done(&api, "suppressionRemove", json!({ "phone": number.e164(), "reason": "A mistake" })).await;
    let again = changed(&api, "contactUpdate", json!({ "id": read["id"], "expectedVersion": 2, "name": "Again" })).await;
    assert_eq!((&again["version"], &again["doNotCall"]), (&json!(3), &json!(false)));
    caught_up(&api).await;
    let actions: Vec<Value> = history(&api, &read["id"]).await.iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["contact.updated", "contact.updated", "contact.created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_takes_one_number_or_one_id_and_a_reason() {
    let (_, api) = Stack::as_admin().await;
    let (number, other) = (fresh::number(), fresh::number());
    let before = new_contact(&api, json!({ "phone": number.e164() })).await;
    let first = done(&api, "suppressionAdd", json!({ "phone": number.e164() })).await["suppression"].take();
    let second = done(&api, "suppressionAdd", json!({ "phone": other.e164() })).await["suppression"].take();
    for (input, field) in [
        (json!({ "phone": number.e164(), "reason": " " }), "reason"),
        (json!({ "phone": "123", "reason": "A mistake" }), "phone"),
        (json!({ "phone": number.e164(), "id": second["id"], "reason": "A mistake" }), "id"),
        (json!({ "reason": "A mistake" }), "phone"),
    ] {
        let errors = refused(&api, "suppressionRemove", input).await;
        assert_eq!(errors[0].0, field, "{errors:?}");
    }
    for input in [json!({ "id": "nonsense", "reason": "A mistake" }), json!({ "id": before["id"], "reason": "A mistake" })] {
        assert_eq!(refusal(&api, "suppressionRemove", input).await, "NOT_FOUND");
    }
    assert_eq!((entry(&api, &number.e164()).await, entry(&api, &other.e164()).await), (first.clone(), second.clone()));

    let removed = done(&api, "suppressionRemove", json!({ "phone": number.dashed(), "reason": "A mistake" })).await["suppression"].take();
    assert_eq!((&removed["id"], &removed["version"]), (&first["id"], &json!(2)));
    assert!(removed["removedAt"].is_string());
    done(&api, "suppressionRemove", json!({ "id": second["id"], "reason": "A mistake" })).await;
    assert!(entry(&api, &number.e164()).await.is_null() && entry(&api, &other.e164()).await.is_null());
    let after = contact(&api, &before["id"]).await;
    assert_eq!((&after["doNotCall"], &after["version"]), (&json!(false), &before["version"]));

    let again = done(&api, "suppressionAdd", json!({ "phone": number.e164() })).await["suppression"].take();
    assert_eq!((&again["id"], &again["version"], &again["removedAt"]), (&first["id"], &json!(3), &Value::Null), "it is one entry for life");
    assert_eq!(contact(&api, &before["id"]).await["doNotCall"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_paged_newest_first_and_tells_no_number() {
    let (_, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(4);
    let mut added = Vec::new();
    for number in &numbers {
        added.push(done(&api, "suppressionAdd", json!({ "phone": number.e164(), "reason": "For the list" })).await["suppression"]["id"].take());
    }
    added.reverse();
    let (mut seen, mut after, mut text) = (Vec::new(), Value::Null, String::new());
    while !added.iter().all(|id| seen.contains(id)) {
        let page = list(&api, 2, &after).await;
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!after.is_null()));
        seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()));
        text += &page.to_string();
        assert!(page["pageInfo"]["hasNextPage"] == true || added.iter().all(|id| seen.contains(id)), "all of them are listed");
        after = page["pageInfo"]["endCursor"].clone();
    }
    let mine: Vec<&Value> = seen.iter().filter(|id| added.contains(id)).collect();
    assert_eq!(mine, added.iter().collect::<Vec<_>>(), "each once, newest first");
    for number in numbers {
        assert!(!text.contains(&number.e164()[2..]) && !text.contains(&number.dashed()), "{text}");
    }
    assert_eq!(api.refusal("{ suppressionList(first: 101) { nodes { id } } }", json!({})).await, "LIMIT_EXCEEDED");
    assert_eq!(api.refusal("{ suppressionList(after: \"made up\") { nodes { id } } }", json!({})).await, "BAD_CURSOR");
}

/// Adds a number many times at once; the entries' ids.
async fn added_at_once(api: &Api, number: Number, count: usize, key: Option<&str>) -> Vec<Value> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let (api, mut input) = (api.clone(), json!({ "phone": number.e164(), "reason": "At once" }));
        if let Some(key) = key {
            input["idempotencyKey"] = json!(key);
        }
        calls.spawn(async move { done(&api, "suppressionAdd", input).await["suppression"]["id"].take() });
    }
    calls.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_has_one_entry_however_often_and_at_once_it_is_added() {
    let (_, api) = Stack::as_admin().await;
    for key in [None, Some(fresh::word("key"))] {
        let number = fresh::number();
        let before = new_contact(&api, json!({ "phone": number.e164() })).await;
        let ids = added_at_once(&api, number, 8, key.as_deref()).await;
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
        assert_eq!(entry(&api, &number.e164()).await["version"], 1);
        let after = contact(&api, &before["id"]).await;
        assert_eq!((&after["doNotCall"], &after["version"]), (&json!(true), &json!(1)));
    }
    let (number, key) = (fresh::number(), fresh::word("key"));
    done(&api, "suppressionAdd", json!({ "phone": number.e164(), "idempotencyKey": key })).await;
    let other = refused(&api, "suppressionAdd", json!({ "phone": fresh::number().e164(), "idempotencyKey": key })).await;
    assert_eq!(other, error("idempotencyKey", "CONFLICT"));
}
