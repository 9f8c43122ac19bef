//! Erasing a person for good: gone by every way that led to them, their number free, the law still kept.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, created, inside, tenant_of};
use crate::stack::contacts::{LISTED, contact, contact_with, eventually_lists, ids, ids_of, kept, new_contact, notes, status_id};
use crate::stack::fresh;
use crate::stack::history::{caught_up, history};
use crate::stack::mutations::{changed, done, error, refusal, refused};
use crate::stack::waiting::eventually;

/// What hangs on an erased contact is cleared away by itself.
const CLEARED: Duration = Duration::from_secs(120);

async fn erase(api: &Api, id: &Value) -> Value {
    done(api, "contactErase", json!({ "id": id, "reason": "request 2026-17" })).await["erasure"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_reason_or_a_contact_nothing_is_erased() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({ "name": "Stays" })).await;
    for reason in ["", " \n "] {
        assert_eq!(refused(&api, "contactErase", json!({ "id": before["id"], "reason": reason })).await, error("reason", "BLANK"));
    }
    assert_eq!(contact(&api, &before["id"]).await, before);
    assert_eq!(refusal(&api, "contactErase", json!({ "id": "nonsense", "reason": "asked" })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_contact_is_gone_by_id_number_search_and_list() {
    let (_, api) = Stack::as_admin().await;
    let (number, alternate, name, source) = (fresh::number(), fresh::number(), fresh::letters(), fresh::word("source"));
    let email = format!("{}@example.com", fresh::word("erased"));
    let input = json!({ "phone": number.e164(), "alternatePhones": [alternate.e164()], "name": name, "email": email, "source": source });
    let before = new_contact(&api, input).await;
    let note = done(&api, "contactAddNote", json!({ "id": before["id"], "body": "Forget me" })).await["note"]["id"].take();
    let searches = [json!(name), json!(email), json!(number.e164()), json!(alternate.e164()), json!(number.ending(7))];
    for search in &searches {
        let found = async || ids_of(&api, &json!({ "search": search })).await.contains(before["id"].as_str().unwrap()).then_some(());
        eventually(&format!("{search} finds the contact"), LISTED, found).await;
    }
    eventually_lists(&api, &json!({ "source": source }), &ids([&before])).await;
    caught_up(&api).await;
    let event = history(&api, &before["id"]).await.remove(0);

    let erasure = erase(&api, &before["id"]).await;
    assert_eq!(erasure["contactId"], before["id"]);
    assert!(erasure["completeAt"].as_str() > erasure["erasedAt"].as_str(), "backups forget later: {erasure}");
    let gone = api
        .data(
            "query($id: ID!, $note: ID!, $phone: String!) { contact(id: $id) { id } node(id: $id) { id } note: node(id: $note) { id } contactByPhone(phone: $phone) { id } }",
            json!({ "id": before["id"], "note": note, "phone": number.e164() }),
        )
        .await;
    assert_eq!(gone, json!({ "contact": null, "node": null, "note": null, "contactByPhone": null }));
    for search in &searches {
        eventually(&format!("{search} finds nobody"), LISTED, async || {
            (!ids_of(&api, &json!({ "search": search, "includeDeleted": true })).await.contains(before["id"].as_str().unwrap())).then_some(())
        })
        .await;
    }
    eventually_lists(&api, &json!({ "source": source, "includeDeleted": true }), &[].into()).await;
    for (mutation, input) in [
        ("contactErase", json!({ "id": before["id"], "reason": "again" })),
        ("contactUpdate", json!({ "id": before["id"], "expectedVersion": 2, "name": "Ghost" })),
        ("contactRestore", json!({ "id": before["id"] })),
        ("contactDelete", json!({ "id": before["id"], "expectedVersion": 2 })),
        ("contactAddNote", json!({ "id": before["id"], "body": "Ghost" })),
    ] {
        assert_eq!(refusal(&api, mutation, input).await, "NOT_FOUND", "{mutation}");
    }
    caught_up(&api).await;
    let query = "query($id: ID!) { node(id: $id) { ... on AuditEvent { action hash changes { field } } } }";
    let read = api.data(query, json!({ "id": event["id"] })).await["node"].take();
    assert_eq!(read, json!({ "action": "contact.created", "hash": event["hash"], "changes": [] }), "that there was something is on record, not what");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_is_free_for_another_contact_that_has_another_id_and_no_history() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let mut erased = Vec::new();
    for round in 1..=3 {
        let contact = new_contact(&api, json!({ "phone": number.e164(), "name": format!("Number {round}") })).await;
        assert!(!erased.contains(&contact["id"]), "an id is never given again");
        assert_eq!((&contact["version"], &contact["name"]), (&json!(1), &json!(format!("Number {round}"))));
        assert!(notes(&api, &contact["id"]).await.is_empty());
        caught_up(&api).await;
        assert_eq!(history(&api, &contact["id"]).await.len(), 1);
        done(&api, "contactAddNote", json!({ "id": contact["id"], "body": "Of this one only" })).await;
        erase(&api, &contact["id"]).await;
        erased.push(contact["id"].clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_not_to_be_called_is_not_called_after_being_erased() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let id = created(&api, json!({ "phone": number.e164() })).await["id"].take();
    changed(&api, "contactSetStatus", json!({ "id": id, "statusId": status_id(&api, "do_not_call").await, "note": "Never again" })).await;
    erase(&api, &id).await;
    let data = api.data("query($phone: String!) { suppression(phone: $phone) { id removedAt } }", json!({ "phone": number.e164() })).await;
    assert!(data["suppression"].is_object() && data["suppression"]["removedAt"].is_null(), "{data}");
    let heir = new_contact(&api, json!({ "phone": number.e164() })).await;
    assert_eq!((&heir["doNotCall"], &heir["status"]["code"]), (&json!(true), &json!("new")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_can_be_erased_too() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let id = created(&api, json!({ "phone": number.e164() })).await["id"].take();
    changed(&api, "contactDelete", json!({ "id": id, "expectedVersion": 1 })).await;
    erase(&api, &id).await;
    assert_ne!(created(&api, json!({ "phone": number.e164() })).await["id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_merged_into_them_goes_with_them_and_not_without() {
    let (_, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(2);
    let winner = new_contact(&api, json!({ "phone": numbers[0].e164(), "name": "Winner" })).await["id"].take();
    let loser = new_contact(&api, json!({ "phone": numbers[1].e164(), "name": "Loser" })).await["id"].take();
    changed(&api, "contactMerge", json!({ "winnerId": winner, "loserId": loser })).await;
    assert_eq!(refused(&api, "contactErase", json!({ "id": loser, "reason": "asked" })).await, error("id", "FORBIDDEN_TRANSITION"));
    erase(&api, &winner).await;
    for (id, number) in [(&winner, numbers[0]), (&loser, numbers[1])] {
        assert!(contact(&api, id).await.is_null() && contact_with(&api, number).await.is_null());
        assert_ne!(created(&api, json!({ "phone": number.e164() })).await["id"], *id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_said_of_the_person_is_kept_at_their_place() {
    let (stack, api) = Stack::as_admin().await;
    let (name, city, colour) = (fresh::letters(), fresh::letters(), fresh::letters());
    let input = json!({ "phone": fresh::number().e164(), "name": name, "city": city, "attributes": { "Colour": colour }, "email": "forget@example.com" });
    let id = new_contact(&api, input).await["id"].take();
    for number in 0..3 {
        done(&api, "contactAddNote", json!({ "id": id, "body": format!("Note {number}") })).await;
    }
    let (tenant, slot) = (tenant_of(&api).await, inside(&id).1);
    let before = kept(&stack, &tenant, &slot).await;
    assert!(before.len() >= 4 && format!("{before:?}").contains(&name), "the contact and its notes: {before:?}");
    erase(&api, &id).await;
    eventually("nothing is kept but that there was someone", CLEARED, async || {
        let left = kept(&stack, &tenant, &slot).await;
        let text = format!("{left:?}");
        let is_clear = left.iter().all(|item| !item["SK"].as_s().unwrap().starts_with("N#") && !item.contains_key("key"));
        (is_clear && [&name, &city, &colour].iter().all(|word| !text.contains(word.as_str()))).then_some(())
    })
    .await;
}
