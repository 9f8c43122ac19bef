//! Reverting: a record says again what it said at an earlier version, as a change like any other, or nothing is written.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, created, inside, user_errors};
use crate::stack::contacts::{agent_of, contact, contact_with, new_contact, status_id};
use crate::stack::fresh;
use crate::stack::history::caught_up;
use crate::stack::mutations::{changed, done, error, mutate, refusal, refused, with_fragments};

/// Every contact is changed by it.
const OF_THE_RECORD: [&str; 3] = ["version", "updatedAt", "updatedBy"];

fn to(id: &Value, version: u32, expected: u32) -> Value {
    json!({ "id": id, "toVersion": version, "expectedVersion": expected })
}

/// A contact without what every change changes.
fn but_for_the_record(contact: &Value) -> Value {
    let mut contact = contact.clone();
    for field in OF_THE_RECORD {
        contact[field] = Value::Null;
    }
    contact
}

/// A contact with a value in every field, made and changed in every way that a contact can be: as it was at each version.
async fn five_versions(api: &Api) -> Vec<Value> {
    let input = json!({
        "phoneExtension": "89", "alternatePhones": [fresh::number().e164()], "name": "Zoé Gélinas", "email": "zoe@example.com", "address": "1 rue Principale",
        "city": "Québec", "region": "QC", "postalCode": "G1R 2B5", "timeZone": "America/Halifax", "source": "referral", "assigneeId": agent_of(api).await,
        "nextContactAt": "2027-05-14T09:30:00Z", "attributes": { "Colour": "red", "Rooms": 7, "SIN": "046 454 286" },
    });
    let mut versions = vec![new_contact(api, input).await];
    let id = versions[0]["id"].clone();
    let emptied = json!({
        "id": id, "expectedVersion": 1, "name": "Somebody else", "email": null, "address": null, "city": null, "region": null, "postalCode": null, "timeZone": null,
        "source": null, "alternatePhones": null, "nextContactAt": null, "attributes": { "Colour": null, "Rooms": 8, "SIN": "130 692 544", "Floor": 3 },
    });
    versions.push(changed(api, "contactUpdate", emptied).await);
    versions.push(changed(api, "contactUpdate", json!({ "id": id, "expectedVersion": 2, "phone": fresh::number().e164() })).await);
    versions.push(changed(api, "contactSetStatus", json!({ "id": id, "statusId": status_id(api, "interested").await })).await);
    let mut assigned = done(api, "contactAssign", json!({ "ids": [id] })).await;
    versions.push(assigned["contacts"][0].take());
    caught_up(api).await;
    versions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_says_again_what_it_said_five_changes_ago_and_its_event_says_so() {
    let (_, api) = Stack::as_admin().await;
    let versions = five_versions(&api).await;
    let (first, last) = (&versions[0], &versions[4]);
    let id = &first["id"];
    let reverted = done(&api, "recordRevert", to(id, 1, 5)).await["record"].take();
    assert_eq!((&reverted["version"], but_for_the_record(&reverted)), (&json!(6), but_for_the_record(first)));
    assert_eq!(contact(&api, id).await, reverted, "it reads back as it was answered");
    let number = |version: &Value| api.data("query($phone: String!) { contactByPhone(phone: $phone) { id } }", json!({ "phone": version["phone"] }));
    assert_eq!((number(first).await["contactByPhone"]["id"].take(), number(last).await["contactByPhone"].take()), (id.clone(), Value::Null));
    caught_up(&api).await;
    let query = "query($id: ID!) { contact(id: $id) { auditEvents(first: 1) { nodes { action entityVersion reason at changes { field oldValue newValue } } } } }";
    let event = api.data(query, json!({ "id": id })).await["contact"]["auditEvents"]["nodes"][0].take();
    assert_eq!((&event["action"], &event["entityVersion"], &event["reason"]), (&json!("contact.reverted"), &json!(6), &json!("to version 1")));
    let agent = &first["assignee"]["id"];
    let expected = json!([
        { "field": "address", "oldValue": null, "newValue": "1 rue Principale" },
        { "field": "alternatePhones", "oldValue": null, "newValue": first["alternatePhones"] },
        { "field": "assignee", "oldValue": null, "newValue": agent },
        { "field": "attributes.Colour", "oldValue": null, "newValue": "red" },
        { "field": "attributes.Floor", "oldValue": 3, "newValue": null },
        { "field": "attributes.Rooms", "oldValue": 8, "newValue": 7 },
        { "field": "attributes.SIN", "oldValue": "•••", "newValue": "•••" },
        { "field": "city", "oldValue": null, "newValue": "Québec" },
        { "field": "email", "oldValue": null, "newValue": "zoe@example.com" },
        { "field": "name", "oldValue": "Somebody else", "newValue": "Zoé Gélinas" },
        { "field": "nextContactAt", "oldValue": null, "newValue": "2027-05-14T09:30:00.000Z" },
        { "field": "phone", "oldValue": last["phone"], "newValue": first["phone"] },
        { "field": "phoneExtension", "oldValue": null, "newValue": "89" },
        { "field": "postalCode", "oldValue": null, "newValue": "G1R 2B5" },
        { "field": "region", "oldValue": null, "newValue": "QC" },
        { "field": "source", "oldValue": null, "newValue": "referral" },
        { "field": "status", "oldValue": last["status"]["id"], "newValue": first["status"]["id"] },
        { "field": "timeZone", "oldValue": last["timeZone"], "newValue": "America/Halifax" },
    ]);
    assert_eq!(event["changes"], expected);
    let back = done(&api, "recordRevert", to(id, 5, 6)).await["record"].take();
    assert_eq!((&back["version"], but_for_the_record(&back)), (&json!(7), but_for_the_record(last)), "reverting is undone by reverting");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_reverted_to_is_named_and_nothing_is_written() {
    let (_, api) = Stack::as_admin().await;
    let before = five_versions(&api).await.pop().unwrap();
    let id = &before["id"];
    for version in [1, 4, 6, 0, i32::MAX.unsigned_abs()] {
        assert_eq!(refused(&api, "recordRevert", to(id, 1, version)).await, error("expectedVersion", "STALE"), "{version}");
    }
    for version in [6, 0, i32::MAX.unsigned_abs()] {
        assert_eq!(refused(&api, "recordRevert", to(id, version, 5)).await, error("toVersion", "NOT_FOUND"), "{version}");
    }
    let negative = json!({ "id": id, "toVersion": -1, "expectedVersion": 5 });
    assert_eq!(refused(&api, "recordRevert", negative).await, error("toVersion", "NOT_FOUND"));
    assert_eq!(done(&api, "recordRevert", to(id, 5, 5)).await["record"], before, "the version it is at");
    assert_eq!(contact(&api, id).await, before);
    for id in [json!("nonsense"), json!(""), json!(data_encoding::BASE64URL_NOPAD.encode(b"contact:00000000000000000000000000"))] {
        assert_eq!(refusal(&api, "recordRevert", to(&id, 1, 1)).await, "NOT_FOUND", "{id}");
    }
    let note = done(&api, "contactAddNote", json!({ "id": id, "body": "x" })).await["note"]["id"].take();
    let suppression = done(&api, "suppressionAdd", json!({ "phone": fresh::number().e164() })).await["suppression"]["id"].take();
    let import = json!(data_encoding::BASE64URL_NOPAD.encode(b"import:00000000000000000000000000"));
    for id in [note, suppression, import] {
        assert_eq!(refused(&api, "recordRevert", to(&id, 1, 1)).await, error("id", "NOT_ALLOWED"), "{:?}", inside(&id));
    }
    changed(&api, "contactDelete", json!({ "id": id, "expectedVersion": 5 })).await;
    assert_eq!(refused(&api, "recordRevert", to(id, 1, 6)).await, error("id", "FORBIDDEN_TRANSITION"), "restore it first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_another_contact_took_meanwhile_is_taken_until_it_gives_it_up() {
    let (_, api) = Stack::as_admin().await;
    let (old, new) = (fresh::number(), fresh::number());
    let id = created(&api, json!({ "phone": old.e164(), "name": "First" })).await["id"].take();
    let before = changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 1, "phone": new.e164(), "name": "Second" })).await;
    let heir = created(&api, json!({ "phone": old.e164() })).await["id"].take();
    caught_up(&api).await;
    let payload = mutate(&api, "recordRevert", to(&id, 1, 2)).await;
    assert_eq!((user_errors(&payload), &payload["userErrors"][0]["existingId"]), (error("phone", "TAKEN"), &heir));
    assert_eq!(contact(&api, &id).await, before, "nothing is written");
    changed(&api, "contactUpdate", json!({ "id": heir, "expectedVersion": 1, "phone": fresh::number().e164() })).await;
    let reverted = done(&api, "recordRevert", to(&id, 1, 2)).await["record"].take();
    assert_eq!((&reverted["phone"], &reverted["name"]), (&json!(old.e164()), &json!("First")));
    assert_eq!((&contact_with(&api, old).await["id"], contact_with(&api, new).await), (&id, Value::Null));
}

/// A status as it is answered by what reverts it.
async fn reverted_status(api: &Api, id: &Value, version: u32, expected: u32) -> Value {
    let mutation =
        "mutation($input: RecordRevertInput!) { recordRevert(input: $input) { record { id ... on ContactStatus { ...status } } tenant { id } userErrors { code } } }";
    let payload = api.data(&with_fragments(mutation), json!({ "input": to(id, version, expected) })).await["recordRevert"].take();
    assert_eq!((&payload["userErrors"], &payload["tenant"]), (&json!([]), &Value::Null));
    payload["record"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_called_and_looks_and_stands_as_before() {
    let (_, api) = Stack::as_admin().await;
    let name = fresh::word("Before");
    let input = json!({ "name": name, "color": "#123456", "order": 90, "excludeFromCallList": true });
    let first = done(&api, "contactStatusCreate", input).await["contactStatus"].take();
    let id = &first["id"];
    let input = json!({ "id": id, "expectedVersion": 1, "name": fresh::word("After"), "color": "#654321", "order": 91, "excludeFromCallList": false });
    done(&api, "contactStatusUpdate", input).await;
    let other = done(&api, "contactStatusCreate", json!({ "name": name, "color": "#123456", "order": 92 })).await["contactStatus"].take();
    caught_up(&api).await;
    assert_eq!(refused(&api, "recordRevert", to(id, 1, 1)).await, error("expectedVersion", "STALE"));
    assert_eq!(refused(&api, "recordRevert", to(id, 3, 2)).await, error("toVersion", "NOT_FOUND"));
    assert_eq!(refused(&api, "recordRevert", to(id, 1, 2)).await, error("name", "TAKEN"), "another has the name now");
    done(&api, "contactStatusDelete", json!({ "id": other["id"], "expectedVersion": 1 })).await;
    let reverted = reverted_status(&api, id, 1, 2).await;
    for field in ["name", "color", "order", "excludeFromCallList", "code"] {
        assert_eq!(reverted[field], first[field], "{field}");
    }
    assert_eq!(reverted["version"], json!(3));
    caught_up(&api).await;
    assert_eq!(reverted_status(&api, id, 1, 3).await["version"], json!(3), "it says that already");
    done(&api, "contactStatusDelete", json!({ "id": id, "expectedVersion": 3 })).await;
    assert_eq!(refused(&api, "recordRevert", to(id, 1, 4)).await, error("id", "FORBIDDEN_TRANSITION"));
}
