//! Values that are too long, too many, of the wrong kind or hostile: each is refused with its name, and nothing is written.

use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::stack::Stack;
use crate::stack::api::{Answer, Api, PLAIN};
use crate::stack::contacts::{contact, contact_with, eventually_lists, ids, new_contact, notes, status_id};
use crate::stack::fresh;
use crate::stack::mutations::{changed, document, error, refused};

fn long(characters: usize) -> Value {
    json!("é".repeat(characters))
}

fn attributes(count: usize) -> Value {
    Value::Object((0..count).map(|index| (format!("a{index}"), json!(index))).collect::<Map<_, _>>())
}

/// Values of a contact that are refused: the field of the input, the value, and the field and code of the error.
fn bad_values() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    vec![
        ("name", long(256), "name", "TOO_LONG"),
        ("address", long(256), "address", "TOO_LONG"),
        ("email", json!(format!("{}@example.com", "x".repeat(256))), "email", "TOO_LONG"),
        ("city", long(101), "city", "TOO_LONG"),
        ("region", long(101), "region", "TOO_LONG"),
        ("source", long(101), "source", "TOO_LONG"),
        ("timeZone", long(101), "timeZone", "TOO_LONG"),
        ("country", long(101), "country", "TOO_LONG"),
        ("postalCode", long(101), "postalCode", "TOO_LONG"),
        ("phoneExtension", json!("1".repeat(21)), "phoneExtension", "INVALID"),
        ("phone", json!("5".repeat(300)), "phone", "INVALID"),
        ("name", json!("a\u{0}b"), "name", "INVALID"),
        ("name", json!("a\u{7}b"), "name", "INVALID"),
        ("name", json!("a\r\nb"), "name", "INVALID"),
        ("name", json!("a\u{85}b"), "name", "INVALID"),
        ("address", json!("a\tb"), "address", "INVALID"),
        ("city", json!("a\u{1b}[31mb"), "city", "INVALID"),
        ("region", json!("a\u{0}b"), "region", "INVALID"),
        ("source", json!("a\nb"), "source", "INVALID"),
        ("email", json!("a\u{0}b@example.com"), "email", "INVALID"),
        ("email", json!("nobody"), "email", "INVALID"),
        ("postalCode", json!("D0D 0D0"), "postalCode", "INVALID"),
        ("country", json!("Utopia"), "country", "INVALID"),
        ("timeZone", json!("Mars/Olympus"), "timeZone", "INVALID"),
        ("timeZone", json!("../../etc/passwd"), "timeZone", "INVALID"),
        ("alternatePhones", json!(["123"]), "alternatePhones", "INVALID"),
        ("alternatePhones", json!(fresh::numbers(6).iter().map(|number| number.e164()).collect::<Vec<_>>()), "alternatePhones", "LIMIT_EXCEEDED"),
        ("statusId", json!("nonsense"), "statusId", "NOT_FOUND"),
        ("assigneeId", json!("nonsense"), "assigneeId", "NOT_FOUND"),
        ("teamId", json!("nonsense"), "teamId", "NOT_FOUND"),
        ("attributes", attributes(51), "attributes", "LIMIT_EXCEEDED"),
        ("attributes", json!({ "colour": long(1_001) }), "attributes/colour", "TOO_LONG"),
        ("attributes", json!({ "colour": "a\u{0}b" }), "attributes/colour", "INVALID"),
        ("attributes", json!({ "n".repeat(65): 1 }), "attributes", "TOO_LONG"),
        ("attributes", json!({ "PK": 1 }), "attributes", "INVALID"),
        ("attributes", json!({ "sk": 1 }), "attributes", "INVALID"),
        ("attributes", json!({ "GSI1PK": 1 }), "attributes", "INVALID"),
        ("attributes", json!({ "__proto__": 1 }), "attributes", "INVALID"),
        ("attributes", json!({ "constructor": 1 }), "attributes", "INVALID"),
        ("attributes", json!({ "": 1 }), "attributes", "BLANK"),
        ("attributes", json!({ "colour": ["red"] }), "attributes", "INVALID"),
        ("attributes", json!({ "colour": { "red": 1 } }), "attributes", "INVALID"),
        ("attributes", json!(["red"]), "attributes", "INVALID"),
        ("attributes", json!("red"), "attributes", "INVALID"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_value_of_a_new_contact_is_named_and_no_contact_is_made() {
    let (_, api) = Stack::as_admin().await;
    let (number, source) = (fresh::number(), fresh::word("source"));
    for (input_field, value, field, code) in bad_values() {
        let mut input = json!({ "phone": number.e164(), "source": source });
        input[input_field] = value.clone();
        assert_eq!(refused(&api, "contactCreate", input).await, error(field, code), "{input_field}: {value:.60}");
    }
    assert!(contact_with(&api, number).await.is_null(), "nothing is written");
    eventually_lists(&api, &json!({ "source": source }), &[].into()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_value_of_a_change_is_named_and_nothing_is_changed() {
    let (_, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let before = new_contact(&api, json!({ "name": "Steady", "source": source, "attributes": { "colour": "red" } })).await;
    for (input_field, value, field, code) in bad_values() {
        // A good value beside it isn't taken either.
        let mut input = json!({ "id": before["id"], "expectedVersion": 1, "name": "Taken", "city": "Taken" });
        input[input_field] = value.clone();
        assert_eq!(refused(&api, "contactUpdate", input).await, error(field, code), "{input_field}: {value:.60}");
    }
    assert_eq!(contact(&api, &before["id"]).await, before, "nothing is written");
    eventually_lists(&api, &json!({ "source": source }), &ids([&before])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_values_there_may_be_are_taken_as_they_are() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({})).await["id"].take();
    let input = json!({
        "id": id, "expectedVersion": 1, "name": long(255), "address": long(255), "city": long(100), "region": long(100), "source": long(100),
        "attributes": { "n".repeat(64): long(1_000) },
    });
    let after = changed(&api, "contactUpdate", input.clone()).await;
    for field in ["name", "address", "city", "region", "source", "attributes"] {
        assert_eq!(after[field], input[field], "{field}");
    }
    assert_eq!(contact(&api, &id).await, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_that_would_be_too_many_together_with_those_there_are_change_nothing() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({ "attributes": attributes(50) })).await;
    let input = json!({ "id": before["id"], "expectedVersion": 1, "attributes": { "one more": 1 } });
    assert_eq!(refused(&api, "contactUpdate", input).await, error("attributes", "LIMIT_EXCEEDED"));
    assert_eq!(contact(&api, &before["id"]).await, before);
    let input = json!({ "id": before["id"], "expectedVersion": 1, "attributes": { "one more": 1, "a0": null } });
    assert_eq!(changed(&api, "contactUpdate", input).await["attributes"].as_object().unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_of_the_past_the_future_or_below_nought_is_stale() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({})).await;
    let (id, status) = (&before["id"], status_id(&api, "attempted").await);
    for version in [2, 0, -1, i32::MAX, i32::MIN] {
        for (mutation, mut input) in [
            ("contactUpdate", json!({ "id": id, "name": "x" })),
            ("contactSetStatus", json!({ "id": id, "statusId": status, "note": "x" })),
            ("contactDelete", json!({ "id": id })),
            ("contactRestore", json!({ "id": id })),
        ] {
            input["expectedVersion"] = json!(version);
            assert_eq!(refused(&api, mutation, input).await, error("expectedVersion", "STALE"), "{mutation} {version}");
        }
    }
    assert_eq!(contact(&api, id).await, before);
    assert!(notes(&api, id).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_note_status_name_or_reason_is_named_and_nothing_is_suppressed_or_erased() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let before = new_contact(&api, json!({ "phone": number.e164() })).await;
    let (id, status) = (&before["id"], status_id(&api, "do_not_call").await);
    for (mutation, input, field, code) in [
        ("contactAddNote", json!({ "id": id, "body": "" }), "body", "BLANK"),
        ("contactAddNote", json!({ "id": id, "body": " \r\n\t" }), "body", "BLANK"),
        ("contactAddNote", json!({ "id": id, "body": long(10_001) }), "body", "TOO_LONG"),
        ("contactAddNote", json!({ "id": id, "body": "a\u{0}b" }), "body", "INVALID"),
        ("contactSetStatus", json!({ "id": id, "statusId": status, "note": long(10_001) }), "note", "TOO_LONG"),
        ("contactSetStatus", json!({ "id": id, "statusId": status, "note": "a\u{8}b" }), "note", "INVALID"),
        ("contactSetStatus", json!({ "id": id, "statusId": status, "note": "x", "expectedVersion": 7 }), "expectedVersion", "STALE"),
        ("contactErase", json!({ "id": id, "reason": " " }), "reason", "BLANK"),
        ("contactErase", json!({ "id": id, "reason": "a\u{0}b" }), "reason", "INVALID"),
        ("contactErase", json!({ "id": id, "reason": long(1_001) }), "reason", "TOO_LONG"),
        ("contactStatusCreate", json!({ "name": long(51), "color": "#123456", "order": 1 }), "name", "TOO_LONG"),
        ("contactStatusCreate", json!({ "name": "Fine", "color": "#12345z", "order": 1 }), "color", "INVALID"),
        ("suppressionAdd", json!({ "phone": "514-555" }), "phone", "INVALID"),
    ] {
        assert_eq!(refused(&api, mutation, input).await, error(field, code), "{mutation}");
    }
    assert_eq!(contact(&api, id).await, before);
    assert!(notes(&api, id).await.is_empty());
    let entry = api.data("query($phone: String!) { suppression(phone: $phone) { id } }", json!({ "phone": number.e164() })).await;
    assert_eq!(entry, json!({ "suppression": null }), "what was refused suppresses nobody");
}

/// The status and codes of the answer to a body as it is.
async fn raw(api: &Api, body: String) -> (u16, Vec<String>) {
    let answer = Answer::of(api.post(PLAIN).header(CONTENT_TYPE, PLAIN).body(body).send().await.unwrap()).await;
    assert!(answer.body.get("data").is_none_or(Value::is_null), "{}", answer.body);
    (answer.status, answer.codes().into_iter().map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_character_is_a_bad_request_wherever_it_stands() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let before = new_contact(&api, json!({})).await;
    let mutation = json!(document("contactCreate")).to_string();
    let update = json!(document("contactUpdate")).to_string();
    let note = json!(document("contactAddNote")).to_string();
    for half in [r"\ud800", r"\udfff", r"a\ud83dz", r"\ude00\ud83d"] {
        for body in [
            format!(r#"{{"query":{mutation},"variables":{{"input":{{"phone":"{}","name":"{half}"}}}}}}"#, number.e164()),
            format!(r#"{{"query":{mutation},"variables":{{"input":{{"phone":"{}","attributes":{{"colour":"{half}"}}}}}}}}"#, number.e164()),
            format!(r#"{{"query":{mutation},"variables":{{"input":{{"phone":"{}","attributes":{{"{half}":1}}}}}}}}"#, number.e164()),
            format!(r#"{{"query":{update},"variables":{{"input":{{"id":{},"expectedVersion":1,"name":"{half}"}}}}}}"#, before["id"]),
            format!(r#"{{"query":{note},"variables":{{"input":{{"id":{},"body":"{half}"}}}}}}"#, before["id"]),
            format!(r#"{{"query":"{{ contacts(filter: {{ search: \"{half}\" }}) {{ nodes {{ id }} }} }}"}}"#),
        ] {
            assert_eq!(raw(&api, body.clone()).await, (400, vec!["BAD_REQUEST".to_owned()]), "{body}");
        }
    }
    assert!(contact_with(&api, number).await.is_null());
    assert_eq!(contact(&api, &before["id"]).await, before);
    assert!(notes(&api, &before["id"]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_the_wrong_kind_and_fields_that_do_not_exist_are_bad_requests() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let before = new_contact(&api, json!({})).await;
    let (id, phone) = (&before["id"], number.e164());
    for (mutation, input) in [
        ("contactCreate", json!({ "phone": phone, "name": 5 })),
        ("contactCreate", json!({ "phone": phone, "name": ["x"] })),
        ("contactCreate", json!({ "phone": 15_145_550_000_u64 })),
        ("contactCreate", json!({ "phone": null })),
        ("contactCreate", json!({ "phone": phone, "nickname": "x" })),
        ("contactCreate", json!({ "phone": phone, "alternatePhones": [null] })),
        ("contactCreate", json!({ "phone": phone, "alternatePhones": [1] })),
        ("contactCreate", json!({ "phone": phone, "nextContactAt": "tomorrow" })),
        ("contactCreate", json!({ "phone": phone, "nextContactAt": 1_790_859_600 })),
        ("contactCreate", json!({ "phone": phone, "tenantId": id })),
        ("contactUpdate", json!({ "id": id, "name": "x" })),
        ("contactUpdate", json!({ "id": id, "expectedVersion": "1", "name": "x" })),
        ("contactUpdate", json!({ "id": id, "expectedVersion": 1.5, "name": "x" })),
        ("contactUpdate", json!({ "id": id, "expectedVersion": null, "name": "x" })),
        ("contactUpdate", json!({ "id": id, "expectedVersion": 4_294_967_297_u64, "name": "x" })),
        ("contactUpdate", json!({ "id": id, "expectedVersion": 1, "version": 9 })),
        ("contactUpdate", json!({ "id": id, "expectedVersion": 1, "deletedAt": null })),
        ("contactUpdate", json!({ "id": null, "expectedVersion": 1 })),
        ("contactUpdate", json!({ "expectedVersion": 1 })),
        ("contactUpdate", json!([])),
        ("contactUpdate", json!("x")),
        ("contactUpdate", json!(null)),
        ("contactSetStatus", json!({ "id": id })),
        ("contactSetStatus", json!({ "id": id, "statusId": null })),
        ("contactSetStatus", json!({ "id": id, "statusId": {} })),
        ("contactAddNote", json!({ "id": id })),
        ("contactAddNote", json!({ "id": id, "body": 1 })),
        ("contactAddNote", json!({ "id": id, "body": null })),
        ("contactAssign", json!({ "ids": null })),
        ("contactAssign", json!({ "ids": [null] })),
        ("contactDelete", json!({ "id": id })),
        ("contactErase", json!({ "id": id })),
        ("contactMerge", json!({ "winnerId": id, "loserId": id, "takeFromLoser": ["EVERYTHING"] })),
        ("contactStatusCreate", json!({ "name": "x", "color": "#123456" })),
        ("contactStatusCreate", json!({ "name": "x", "color": "#123456", "order": "1" })),
        ("contactBulk", json!({ "action": "assign" })),
        ("contactBulk", json!({ "action": "EXPORT", "filter": { "everything": true } })),
        ("contactBulk", json!({ "action": "EXPORT", "filter": [] })),
        ("suppressionAdd", json!({ "phone": null })),
        ("suppressionRemove", json!({ "phone": phone })),
        ("bulkJobCancel", json!({})),
        ("userInvite", json!({ "name": "x" })),
        ("userInvite", json!({ "email": ["x"], "name": "x" })),
        ("userInvite", json!({ "email": "x", "name": "x", "roleIds": [null] })),
        ("userUpdate", json!({ "id": id, "expectedVersion": 1, "email": "x" })),
        ("userUpdate", json!({ "id": id, "expectedVersion": 1, "status": "ACTIVE" })),
        ("userDisable", json!({ "id": id, "expectedVersion": 1 })),
        ("roleCreate", json!({ "name": "x", "permissions": [1] })),
        ("agentCreate", json!({ "name": 5, "email": "x" })),
        ("agentUpdate", json!({ "id": id, "expectedVersion": 1, "email": "x" })),
        ("agentDelete", json!({ "id": id })),
        ("teamCreate", json!({})),
        ("teamUpdate", json!({ "id": id, "expectedVersion": 1, "memberCount": 5 })),
        ("teamAddMember", json!({ "teamId": id, "agentId": id, "role": "BOSS" })),
        ("teamUpdateMember", json!({ "teamId": id, "agentId": id })),
        ("presenceUpdate", json!({ "status": "SLEEPING" })),
        ("presenceUpdate", json!({ "acceptingLeads": "yes" })),
        ("presenceHeartbeat", json!({ "agentId": id })),
        ("presenceHeartbeat", json!({ "currentCallSeconds": 1.5 })),
        ("scheduleAddWindow", json!({ "date": "2031-02-30", "startTime": "09:00", "endTime": "17:00" })),
        ("scheduleAddWindow", json!({ "date": "2031-06-02", "startTime": 9, "endTime": 17 })),
        ("scheduleAddWindow", json!({ "date": "2031-06-02", "startTime": "09:00", "endTime": "17:00", "recurrence": "YEARLY" })),
        ("scheduleAddException", json!({ "date": "2031-06-02", "kind": "PARTY" })),
        ("tenantUpdate", json!({ "name": "x" })),
        ("tenantUpdate", json!({ "expectedVersion": 1, "bookingBufferMinutes": "30" })),
        ("tenantUpdate", json!({ "expectedVersion": 1, "slug": "x" })),
    ] {
        let answer = api.ask(&document(mutation), json!({ "input": input })).await;
        assert!(!answer.codes().is_empty() && answer.codes().iter().all(|code| *code == "BAD_REQUEST"), "{mutation} {input}: {}", answer.body);
    }
    assert!(contact_with(&api, number).await.is_null());
    assert_eq!(contact(&api, id).await, before);
}
