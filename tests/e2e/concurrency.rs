//! Many at once: of those who want the same thing one gets it, the others are told, and nothing is lost in between.
//!
//! 32 creations at once of a number that nobody ever had are in `contact_create`; here the number has a history.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stack::Stack;
use crate::stack::api::{Api, created, user_errors};
use crate::stack::contacts::{agent_of, contact, contact_with, new_contact, notes, status_id};
use crate::stack::fresh::{self, Number};
use crate::stack::history::{caught_up, history};
use crate::stack::mutations::{changed, done, error, mutate};

/// Calls that are made at once; their payloads, in the order of the inputs.
async fn at_once(api: &Api, calls: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<Value> {
    let mut running = JoinSet::new();
    for (place, (mutation, input)) in calls.into_iter().enumerate() {
        let api = api.clone();
        running.spawn(async move { (place, mutate(&api, mutation, input).await) });
    }
    let mut payloads = running.join_all().await;
    payloads.sort_by_key(|(place, _)| *place);
    payloads.into_iter().map(|(_, payload)| payload).collect()
}

/// Those that were done, and those that were refused.
fn won_and_lost(payloads: &[Value]) -> (Vec<&Value>, Vec<&Value>) {
    payloads.iter().partition(|payload| payload["contact"].is_object())
}

/// 32 creations at once of a number: one wins, and the others are told who.
async fn assert_one_of_32_wins(api: &Api, number: Number) -> Value {
    let payloads = at_once(api, (0..32).map(|index| ("contactCreate", json!({ "phone": number.e164(), "name": format!("Number {index}") })))).await;
    let (won, lost) = won_and_lost(&payloads);
    assert_eq!((won.len(), lost.len()), (1, 31));
    for payload in lost {
        assert_eq!((user_errors(payload), &payload["userErrors"][0]["existingId"]), (error("phone", "TAKEN"), &won[0]["contact"]["id"]));
    }
    let found = contact_with(api, number).await;
    assert_eq!((&found["id"], &found["name"], &found["version"]), (&won[0]["contact"]["id"], &won[0]["contact"]["name"], &json!(1)));
    caught_up(api).await;
    assert_eq!(history(api, &found["id"]).await.len(), 1);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_creations_of_a_number_that_was_given_up_one_wins_and_the_others_are_told_who() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let before = created(&api, json!({ "phone": number.e164() })).await["id"].take();
    changed(&api, "contactUpdate", json!({ "id": before, "expectedVersion": 1, "phone": fresh::number().e164() })).await;
    let winner = assert_one_of_32_wins(&api, number).await;
    assert_ne!(winner["id"], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_creations_of_a_number_whose_contact_was_erased_one_wins_and_the_others_are_told_who() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let before = created(&api, json!({ "phone": number.e164() })).await["id"].take();
    done(&api, "contactErase", json!({ "id": before, "reason": "asked" })).await;
    let winner = assert_one_of_32_wins(&api, number).await;
    assert_ne!(winner["id"], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_8_updates_of_one_version_one_wins_and_the_others_are_stale() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({ "name": "Before" })).await["id"].take();
    let updates = (0..8).map(|index| ("contactUpdate", json!({ "id": id, "expectedVersion": 1, "name": format!("Update {index}"), "city": format!("City {index}") })));
    let payloads = at_once(&api, updates).await;
    let (won, lost) = won_and_lost(&payloads);
    assert_eq!((won.len(), lost.len()), (1, 7), "{payloads:?}");
    for payload in lost {
        assert_eq!(user_errors(payload), error("expectedVersion", "STALE"));
    }
    let after = contact(&api, &id).await;
    assert_eq!((&after, &after["version"]), (&won[0]["contact"], &json!(2)));
    assert_eq!(after["name"].as_str().unwrap().replace("Update", "City"), after["city"], "all of one update and nothing of another");
    caught_up(&api).await;
    assert_eq!(history(&api, &id).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_ask_for_no_version_all_happen_one_after_the_other() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({})).await["id"].take();
    let [one, two] = [status_id(&api, "attempted").await, status_id(&api, "interested").await];
    let calls = (0..8).map(|index| ("contactSetStatus", json!({ "id": id, "statusId": if index % 2 == 0 { &one } else { &two }, "note": format!("Note {index}") })));
    let payloads = at_once(&api, calls).await;
    assert!(payloads.iter().all(|payload| payload["contact"].is_object()), "{payloads:?}");
    assert_eq!(notes(&api, &id).await.len(), 8, "no note is lost, and none is written twice");
    caught_up(&api).await;
    let events = history(&api, &id).await;
    let version = contact(&api, &id).await["version"].as_u64().unwrap();
    assert_eq!(
        events.iter().map(|event| event["entityVersion"].as_u64().unwrap()).collect::<Vec<_>>(),
        (1..=version).rev().collect::<Vec<_>>(),
        "no version twice or missing"
    );
    assert!(events.windows(2).all(|pair| pair[0]["previousHash"] == pair[1]["hash"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_8_contacts_that_want_one_number_one_gets_it_and_the_others_keep_their_own() {
    let (_, api) = Stack::as_admin().await;
    let (wanted, homes) = (fresh::number(), fresh::numbers(8));
    let mut contacts = Vec::new();
    for home in &homes {
        contacts.push(created(&api, json!({ "phone": home.e164() })).await["id"].take());
    }
    let payloads = at_once(&api, contacts.iter().map(|id| ("contactUpdate", json!({ "id": id, "expectedVersion": 1, "phone": wanted.e164() })))).await;
    let (won, lost) = won_and_lost(&payloads);
    assert_eq!((won.len(), lost.len()), (1, 7), "{payloads:?}");
    let winner = &won[0]["contact"]["id"];
    for payload in lost {
        assert_eq!((user_errors(payload), &payload["userErrors"][0]["existingId"]), (error("phone", "TAKEN"), winner));
    }
    assert_eq!(contact_with(&api, wanted).await["id"], *winner);
    for (id, home) in contacts.iter().zip(&homes) {
        let found = contact_with(&api, *home).await;
        assert_eq!(if id == winner { Value::Null } else { id.clone() }, found["id"], "each number has one owner: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_deletion_two_updates_and_a_merge_at_once_one_happens() {
    let (_, api) = Stack::as_admin().await;
    for _ in 0..4 {
        let (number, other) = (fresh::number(), fresh::number());
        let id = created(&api, json!({ "phone": number.e164(), "name": "Contested" })).await["id"].take();
        let winner = created(&api, json!({ "phone": other.e164() })).await["id"].take();
        let agent = agent_of(&api).await;
        let calls = [
            ("contactDelete", json!({ "id": id, "expectedVersion": 1 })),
            ("contactUpdate", json!({ "id": id, "expectedVersion": 1, "name": "Updated" })),
            ("contactMerge", json!({ "winnerId": winner, "loserId": id, "loserExpectedVersion": 1 })),
            ("contactUpdate", json!({ "id": id, "expectedVersion": 1, "assigneeId": agent })),
        ];
        let payloads = at_once(&api, calls).await;
        let (won, lost) = won_and_lost(&payloads);
        assert_eq!((won.len(), lost.len()), (1, 3), "each wanted version 1: {payloads:?}");
        let after = contact(&api, &id).await;
        assert_eq!(after["version"], 2);
        let owner = if after["mergedInto"].is_null() { &id } else { &winner };
        assert_eq!(contact_with(&api, number).await["id"], *owner, "the number is where the contact is");
        caught_up(&api).await;
        assert_eq!(history(&api, &id).await.len(), 2);
    }
}
