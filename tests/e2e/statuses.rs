//! The statuses of a tenant: made, changed and deleted without any contact losing its own.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, user_errors};
use crate::stack::contacts::{contact, new_contact, status_id};
use crate::stack::fresh;
use crate::stack::jobs::{counts, ended};
use crate::stack::mutations::{changed, done, error, mutate, refusal, refused, with_fragments};
use crate::stack::waiting::eventually;

/// A process believes for half a minute which statuses there are.
const KNOWN: Duration = Duration::from_secs(60);

/// A status of this test's own.
async fn new_status(api: &Api, order: u32) -> Value {
    let input = json!({ "name": fresh::word("Status"), "color": "#12AbEf", "order": order });
    done(api, "contactStatusCreate", input).await["contactStatus"].take()
}

/// A status as it is listed; null when it isn't.
async fn status(api: &Api, id: &Value) -> Value {
    let statuses = api.data(&with_fragments("{ contactStatuses { ...status } }"), json!({})).await["contactStatuses"].take();
    statuses.as_array().unwrap().iter().find(|status| status["id"] == *id).cloned().unwrap_or_default()
}

async fn eventually_shown(api: &Api, id: &Value, expected: &Value) {
    eventually(&format!("status {id} is {expected}"), KNOWN, async || (status(api, id).await == *expected).then_some(())).await;
}

/// A contact with a status that may be so new that not every process knows it.
async fn contact_with_status(api: &Api, status: &Value) -> Value {
    let phone = fresh::number().e164();
    eventually("the status can be given", KNOWN, async || {
        let payload = mutate(api, "contactCreate", json!({ "phone": phone, "statusId": status })).await;
        let refused = user_errors(&payload);
        assert!(refused.is_empty() || refused == error("statusId", "NOT_FOUND"), "{payload}");
        payload["contact"].is_object().then(|| payload["contact"].clone())
    })
    .await
}

/// Deletes a status of a test's own: a tenant has room for a hundred.
async fn tidy(api: &Api, id: &Value) -> Value {
    eventually("nobody has it, so it goes", KNOWN, async || {
        // A process that doesn't know it yet doesn't list it.
        let version = status(api, id).await["version"].as_u64()?;
        let payload = mutate(api, "contactStatusDelete", json!({ "id": id, "expectedVersion": version })).await;
        payload["contactStatus"].is_object().then(|| payload["contactStatus"].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_status_is_named_and_nothing_is_made() {
    let (_, api) = Stack::as_admin().await;
    let good = || json!({ "name": fresh::word("Refused"), "color": "#123456", "order": 60 });
    for (field, value, code) in [
        ("name", json!(""), "BLANK"),
        ("name", json!("  "), "BLANK"),
        ("name", json!("x".repeat(51)), "TOO_LONG"),
        ("name", json!("a\u{0}b"), "INVALID"),
        ("color", json!("red"), "INVALID"),
        ("color", json!("#12345"), "INVALID"),
        ("color", json!("#1234567"), "INVALID"),
        ("color", json!("#GGGGGG"), "INVALID"),
        ("color", json!("123456"), "INVALID"),
        ("order", json!(-1), "INVALID"),
        ("order", json!(i32::MAX), "INVALID"),
        ("code", json!("Not Snake"), "INVALID"),
    ] {
        let mut input = good();
        input[field] = value.clone();
        assert_eq!(refused(&api, "contactStatusCreate", input).await, error(field, code), "{value}");
    }
    let statuses = api.data("{ contactStatuses { name } }", json!({})).await;
    assert!(!statuses.to_string().contains("Refused"), "{statuses}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_has_a_code_of_its_own_and_a_name_nobody_else_has() {
    let (_, api) = Stack::as_admin().await;
    let name = fresh::word("Taken Name");
    let code = format!("code_{}", fresh::letters());
    let input = json!({ "name": name, "code": code, "color": "#abcdef", "order": 70, "excludeFromCallList": true });
    let made = done(&api, "contactStatusCreate", input).await["contactStatus"].take();
    assert_eq!((&made["name"], &made["code"], &made["order"], &made["excludeFromCallList"]), (&json!(name), &json!(code), &json!(70), &json!(true)));
    assert_eq!((&made["system"], &made["deletable"], &made["version"]), (&json!(false), &json!(true), &json!(1)));
    assert!(made["color"].as_str().unwrap().eq_ignore_ascii_case("#ABCDEF"));
    for (changed, field) in
        [(json!({ "name": name.to_uppercase() }), "name"), (json!({ "name": "New" }), "name"), (json!({ "code": code }), "code"), (json!({ "code": "new" }), "code")]
    {
        let mut input = json!({ "name": fresh::word("Another"), "color": "#abcdef", "order": 70 });
        input.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        assert_eq!(refused(&api, "contactStatusCreate", input).await, error(field, "TAKEN"), "{changed}");
    }
    let derived = new_status(&api, 71).await;
    let code = derived["code"].as_str().unwrap();
    assert!(!code.is_empty() && code.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'), "{code}");
    eventually_shown(&api, &made["id"], &made).await;
    for status in [&made, &derived] {
        tidy(&api, &status["id"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_at_once_with_one_name_make_one_status() {
    let (_, api) = Stack::as_admin().await;
    let input = json!({ "name": fresh::word("Once"), "color": "#123456", "order": 72 });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (api, input) = (api.clone(), input.clone());
        calls.spawn(async move { mutate(&api, "contactStatusCreate", input).await });
    }
    let payloads = calls.join_all().await;
    let (won, lost): (Vec<&Value>, Vec<&Value>) = payloads.iter().partition(|payload| payload["contactStatus"].is_object());
    assert_eq!((won.len(), lost.len()), (1, 7), "{payloads:?}");
    for payload in lost {
        assert_eq!(user_errors(payload), error("name", "TAKEN"));
    }
    tidy(&api, &won[0]["contactStatus"]["id"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_makes_one_status() {
    let (_, api) = Stack::as_admin().await;
    let input = json!({ "name": fresh::word("Once"), "color": "#123456", "order": 73, "idempotencyKey": fresh::word("key") });
    let first = done(&api, "contactStatusCreate", input.clone()).await["contactStatus"].take();
    assert_eq!(done(&api, "contactStatusCreate", input.clone()).await["contactStatus"], first);
    let mut other = input;
    other["order"] = json!(74);
    assert_eq!(refused(&api, "contactStatusCreate", other).await, error("idempotencyKey", "CONFLICT"));
    tidy(&api, &first["id"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_given_changes_and_only_by_who_knows_the_present_version() {
    let (_, api) = Stack::as_admin().await;
    let (before, other) = (new_status(&api, 75).await, new_status(&api, 76).await);
    let id = &before["id"];
    for (input, errors) in [
        (json!({ "id": id, "expectedVersion": 2, "name": "Stale" }), error("expectedVersion", "STALE")),
        (json!({ "id": id, "expectedVersion": 0, "name": "Stale" }), error("expectedVersion", "STALE")),
        (json!({ "id": id, "expectedVersion": 1, "name": "x".repeat(51) }), error("name", "TOO_LONG")),
        (json!({ "id": id, "expectedVersion": 1, "name": " " }), error("name", "BLANK")),
        (json!({ "id": id, "expectedVersion": 1, "name": other["name"] }), error("name", "TAKEN")),
        (json!({ "id": id, "expectedVersion": 1, "color": "blue" }), error("color", "INVALID")),
        (json!({ "id": id, "expectedVersion": 1, "order": -1 }), error("order", "INVALID")),
    ] {
        assert_eq!(refused(&api, "contactStatusUpdate", input).await, errors);
    }
    assert_eq!(refusal(&api, "contactStatusUpdate", json!({ "id": "nonsense", "expectedVersion": 1, "name": "Nobody" })).await, "NOT_FOUND");
    eventually_shown(&api, id, &before).await;
    let name = fresh::word("Renamed");
    let payload = done(&api, "contactStatusUpdate", json!({ "id": id, "expectedVersion": 1, "name": name, "color": "#000000" })).await;
    let after = &payload["contactStatus"];
    assert_eq!((&after["name"], &after["color"], &after["version"]), (&json!(name), &json!("#000000"), &json!(2)));
    assert_eq!((&after["code"], &after["order"]), (&before["code"], &before["order"]), "a code stays");
    assert!(payload["job"].is_null(), "no contact is written again for a name: {payload}");
    eventually_shown(&api, id, after).await;
    for id in [id, &other["id"]] {
        tidy(&api, id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_order_or_exclusion_moves_the_contacts_in_a_job_and_their_versions_stay() {
    let (_, api) = Stack::as_admin().await;
    let status = new_status(&api, 77).await;
    let mut contacts = Vec::new();
    for _ in 0..3 {
        contacts.push(contact_with_status(&api, &status["id"]).await);
    }
    for (version, change) in [(1, json!({ "order": 78 })), (2, json!({ "excludeFromCallList": true })), (3, json!({ "order": 79, "excludeFromCallList": false }))] {
        let mut input = change;
        input["id"] = status["id"].clone();
        input["expectedVersion"] = json!(version);
        let payload = done(&api, "contactStatusUpdate", input).await;
        assert_eq!(payload["contactStatus"]["version"], json!(version + 1));
        let job = ended(&api, &payload["job"]["id"]).await;
        assert_eq!((&job["status"], counts(&job)[2], counts(&job)[0] + counts(&job)[1]), (&json!("COMPLETED"), 0, 3), "{job}");
    }
    let elsewhere = status_id(&api, "attempted").await;
    for before in &contacts {
        let after = contact(&api, &before["id"]).await;
        assert_eq!((&after["version"], &after["updatedAt"]), (&before["version"], &before["updatedAt"]));
        changed(&api, "contactSetStatus", json!({ "id": before["id"], "statusId": elsewhere })).await;
    }
    tidy(&api, &status["id"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_status_is_neither_deleted_nor_robbed_of_its_meaning() {
    let (_, api) = Stack::as_admin().await;
    for code in ["new", "converted", "do_not_call"] {
        let id = status_id(&api, code).await;
        let before = status(&api, &id).await;
        assert_eq!(before["deletable"], false);
        assert_eq!(refused(&api, "contactStatusDelete", json!({ "id": id, "expectedVersion": before["version"] })).await, error("id", "NOT_ALLOWED"));
        let excluded = json!(!before["excludeFromCallList"].as_bool().unwrap());
        let input = json!({ "id": id, "expectedVersion": before["version"], "excludeFromCallList": excluded });
        assert_eq!(refused(&api, "contactStatusUpdate", input).await, error("excludeFromCallList", "NOT_ALLOWED"));
        assert_eq!(status(&api, &id).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_in_use_is_not_deleted_and_says_by_how_many() {
    let (_, api) = Stack::as_admin().await;
    let made = new_status(&api, 80).await;
    let id = &made["id"];
    let contacts = [contact_with_status(&api, id).await, contact_with_status(&api, id).await];
    eventually("both contacts are counted", KNOWN, async || {
        let payload = mutate(&api, "contactStatusDelete", json!({ "id": id, "expectedVersion": 1 })).await;
        assert_eq!(user_errors(&payload), error("id", "IN_USE"));
        payload["userErrors"][0]["message"].as_str().unwrap().contains("2 contacts").then_some(())
    })
    .await;
    assert_eq!(contact(&api, &contacts[0]["id"]).await["status"]["id"], *id, "they keep it");
    eventually_shown(&api, id, &made).await;

    let elsewhere = status_id(&api, "attempted").await;
    for contact in &contacts {
        changed(&api, "contactSetStatus", json!({ "id": contact["id"], "statusId": elsewhere })).await;
    }
    assert_eq!(tidy(&api, id).await["id"], *id);
    eventually_shown(&api, id, &Value::Null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_status_is_given_to_nobody_and_its_name_is_free_but_not_its_code() {
    let (_, api) = Stack::as_admin().await;
    let made = new_status(&api, 81).await;
    assert_eq!(refused(&api, "contactStatusDelete", json!({ "id": made["id"], "expectedVersion": 2 })).await, error("expectedVersion", "STALE"));
    assert_eq!(refusal(&api, "contactStatusDelete", json!({ "id": "nonsense", "expectedVersion": 1 })).await, "NOT_FOUND");
    done(&api, "contactStatusDelete", json!({ "id": made["id"], "expectedVersion": 1 })).await;
    eventually_shown(&api, &made["id"], &Value::Null).await;
    let contact = new_contact(&api, json!({})).await;
    eventually("no process gives it any more", KNOWN, async || {
        let payload = mutate(&api, "contactSetStatus", json!({ "id": contact["id"], "statusId": made["id"] })).await;
        (payload["contact"].is_null() && user_errors(&payload) == error("statusId", "NOT_FOUND")).then_some(())
    })
    .await;
    let input = json!({ "name": made["name"], "code": made["code"], "color": "#123456", "order": 82 });
    assert_eq!(refused(&api, "contactStatusCreate", input.clone()).await, error("code", "TAKEN"), "a code means one status for ever");
    let mut input = input;
    input["code"] = json!(format!("code_{}", fresh::letters()));
    let again = done(&api, "contactStatusCreate", input).await["contactStatus"].take();
    assert_ne!(again["id"], made["id"]);
    tidy(&api, &again["id"]).await;
}
