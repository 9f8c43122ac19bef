//! Changing contacts: only what is given, only by who knows the present version, and numbers that change hands.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, create, created, user_errors};
use crate::stack::contacts::{agent_of, contact, contact_with, new_contact, some_team, status_id};
use crate::stack::fresh;
use crate::stack::history::{caught_up, changed_fields, history};
use crate::stack::mutations::{changed, error, mutate, refusal, refused};

/// A contact with a value in every field.
async fn full_contact(api: &Api) -> Value {
    let input = json!({
        "phone": fresh::number().e164(), "phoneExtension": "89", "alternatePhones": [fresh::number().dashed()], "name": "Zoé Gélinas", "email": "zoe@example.com",
        "address": "1 rue Principale", "city": "Québec", "region": "QC", "postalCode": "G1R 2B5", "timeZone": "America/Halifax", "source": "referral",
        "assigneeId": agent_of(api).await, "nextContactAt": "2027-05-14T09:30:00Z", "attributes": { "Colour": "red", "Rooms": 7 },
    });
    new_contact(api, input).await
}

/// A contact without what every change changes.
fn but_for_the_record(contact: &Value) -> Value {
    let mut contact = contact.clone();
    for field in ["version", "updatedAt", "updatedBy"] {
        contact[field] = Value::Null;
    }
    contact
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_is_named_at_once_and_nothing_is_written() {
    let (_, api) = Stack::as_admin().await;
    let before = full_contact(&api).await;
    let input = json!({
        "id": before["id"], "expectedVersion": 1, "name": "Somebody else", "phone": "123", "phoneExtension": "abc", "alternatePhones": ["7"], "email": "nobody",
        "address": "a\nb", "city": "x".repeat(101), "region": "x".repeat(101), "postalCode": "D0D 0D0", "timeZone": "Mars/Olympus", "source": "x".repeat(101),
        "statusId": "nonsense", "assigneeId": "nonsense", "attributes": { "Colour": "x".repeat(1_001) },
    });
    let expected = [
        ("address", "INVALID"),
        ("alternatePhones", "INVALID"),
        ("assigneeId", "NOT_FOUND"),
        ("attributes/Colour", "TOO_LONG"),
        ("city", "TOO_LONG"),
        ("email", "INVALID"),
        ("phone", "INVALID"),
        ("phoneExtension", "INVALID"),
        ("postalCode", "INVALID"),
        ("region", "TOO_LONG"),
        ("source", "TOO_LONG"),
        ("statusId", "NOT_FOUND"),
        ("timeZone", "INVALID"),
    ];
    assert_eq!(refused(&api, "contactUpdate", input).await, expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    let team = refused(&api, "contactUpdate", json!({ "id": before["id"], "expectedVersion": 1, "teamId": "nonsense" })).await;
    assert_eq!(team, error("teamId", "NOT_FOUND"));
    assert_eq!(contact(&api, &before["id"]).await, before, "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_can_not_be_emptied() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({})).await;
    for phone in [json!(null), json!(""), json!("  ")] {
        assert_eq!(refused(&api, "contactUpdate", json!({ "id": before["id"], "expectedVersion": 1, "phone": phone })).await, error("phone", "BLANK"), "{phone}");
    }
    assert_eq!(contact(&api, &before["id"]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_the_present_one_is_stale_and_nothing_is_written() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({ "name": "First" })).await["id"].take();
    changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 1, "name": "Second" })).await;
    let before = contact(&api, &id).await;
    for version in [1, 3, 0, i32::MAX] {
        let input = json!({ "id": id, "expectedVersion": version, "name": "Third" });
        assert_eq!(refused(&api, "contactUpdate", input).await, error("expectedVersion", "STALE"), "{version}");
    }
    assert_eq!(contact(&api, &id).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_does_not_exist_is_not_found() {
    let (_, api) = Stack::as_admin().await;
    let absent = data_encoding::BASE64URL_NOPAD.encode(b"contact:00000000000000000000000000");
    for id in [json!("nonsense"), json!(""), json!(absent), status_id(&api, "new").await] {
        assert_eq!(refusal(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 1, "name": "Nobody" })).await, "NOT_FOUND", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_given_changes_and_is_on_record() {
    let (_, api) = Stack::as_admin().await;
    let before = full_contact(&api).await;
    let after = changed(&api, "contactUpdate", json!({ "id": before["id"], "expectedVersion": 1, "city": " Lévis " })).await;
    assert_eq!((&after["city"], &after["version"]), (&json!("Lévis"), &json!(2)));
    let mut expected = before.clone();
    expected["city"] = json!("Lévis");
    assert_eq!(but_for_the_record(&after), but_for_the_record(&expected));
    assert!(after["updatedAt"].as_str() > before["updatedAt"].as_str());
    assert_eq!(contact(&api, &before["id"]).await, after, "it reads back as it was answered");
    caught_up(&api).await;
    let [updated, _] = &history(&api, &before["id"]).await[..] else { panic!("not exactly two events") };
    assert_eq!((&updated["action"], &updated["entityVersion"], &updated["at"]), (&json!("contact.updated"), &json!(2), &after["updatedAt"]));
    assert_eq!(updated["changes"], json!([{ "field": "city", "oldValue": "Québec", "newValue": "Lévis" }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn null_empties_a_field_and_attributes_are_set_and_removed_one_by_one() {
    let (_, api) = Stack::as_admin().await;
    let before = full_contact(&api).await;
    let input = json!({
        "id": before["id"], "expectedVersion": 1, "phoneExtension": null, "alternatePhones": null, "name": null, "email": null, "address": null, "city": null,
        "region": null, "postalCode": null, "timeZone": null, "source": null, "assigneeId": null, "nextContactAt": null,
        "attributes": { "Colour": null, "Floor": 3, "Absent": null },
    });
    let after = changed(&api, "contactUpdate", input).await;
    for field in ["phoneExtension", "name", "email", "address", "city", "region", "postalCode", "source", "assignee", "nextContactAt"] {
        assert!(!before[field].is_null() && after[field].is_null(), "{field}");
    }
    assert_eq!((&after["alternatePhones"], &after["attributes"]), (&json!([]), &json!({ "Rooms": 7, "Floor": 3 })));
    assert_eq!((&before["timeZoneSource"], &after["phone"]), (&json!("GIVEN"), &before["phone"]));
    assert_ne!(after["timeZoneSource"], "GIVEN", "a zone nobody gave is found out again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_nobody_gave_follows_the_postal_code_and_a_given_one_stays() {
    let (_, api) = Stack::as_admin().await;
    let id = new_contact(&api, json!({ "postalCode": "H3A 1B2" })).await["id"].take();
    let west = changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 1, "postalCode": "v6b1a1" })).await;
    assert_eq!((&west["postalCode"], &west["timeZone"], &west["timeZoneSource"]), (&json!("V6B 1A1"), &json!("America/Vancouver"), &json!("POSTAL_CODE")));
    let given = changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 2, "timeZone": "America/Halifax" })).await;
    assert_eq!((&given["timeZone"], &given["timeZoneSource"]), (&json!("America/Halifax"), &json!("GIVEN")));
    let moved = changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 3, "postalCode": "H3A 1B2" })).await;
    assert_eq!((&moved["timeZone"], &moved["timeZoneSource"]), (&json!("America/Halifax"), &json!("GIVEN")));
}

#[tokio::test(flavor = "multi_thread")]
async fn saying_what_the_contact_says_already_changes_nothing() {
    let (_, api) = Stack::as_admin().await;
    let before = full_contact(&api).await;
    let input = json!({ "id": before["id"], "expectedVersion": 1, "name": " Zoé Gélinas", "email": "ZOE@example.com", "attributes": { "Rooms": 7.0 } });
    assert_eq!(changed(&api, "contactUpdate", input).await, before);
    caught_up(&api).await;
    assert_eq!(history(&api, &before["id"]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_an_agents_or_in_a_pool_and_never_both() {
    let (_, api) = Stack::as_admin().await;
    let (agent, team) = (agent_of(&api).await, some_team(&api).await["id"].take());
    let id = new_contact(&api, json!({ "teamId": team })).await["id"].take();
    for (version, change, assignee, pool) in [
        (1, json!({ "assigneeId": agent }), &agent, &Value::Null),
        (2, json!({ "teamId": team }), &Value::Null, &team),
        (3, json!({ "teamId": null }), &Value::Null, &Value::Null),
    ] {
        let mut input = change;
        input["id"] = id.clone();
        input["expectedVersion"] = json!(version);
        let after = changed(&api, "contactUpdate", input).await;
        assert_eq!((&after["assignee"]["id"], &after["team"]["id"]), (assignee, pool));
    }
    let both = json!({ "id": id, "expectedVersion": 4, "assigneeId": agent, "teamId": team });
    assert_eq!(refused(&api, "contactUpdate", both).await, error("teamId", "INVALID"));
    let both = json!({ "phone": fresh::number().e164(), "assigneeId": agent, "teamId": team });
    assert_eq!(refused(&api, "contactCreate", both).await, error("teamId", "INVALID"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_another_contact_has_is_taken_or_in_conflict_and_names_it() {
    let (_, api) = Stack::as_admin().await;
    let (number, gone) = (fresh::number(), fresh::number());
    let other = created(&api, json!({ "phone": number.e164() })).await;
    let deleted = created(&api, json!({ "phone": gone.e164() })).await;
    changed(&api, "contactDelete", json!({ "id": deleted["id"], "expectedVersion": 1 })).await;
    let before = new_contact(&api, json!({ "name": "Steady" })).await;
    for (number, code, existing) in [(number, "TAKEN", &other), (gone, "CONFLICT", &deleted)] {
        let payload = mutate(&api, "contactUpdate", json!({ "id": before["id"], "expectedVersion": 1, "phone": number.written(1), "name": "Moved" })).await;
        assert_eq!((user_errors(&payload), &payload["userErrors"][0]["existingId"]), (error("phone", code), &existing["id"]));
    }
    assert_eq!(contact(&api, &before["id"]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_takes_a_new_number_and_keeps_its_id_and_the_old_number_is_free() {
    let (_, api) = Stack::as_admin().await;
    let (old, new) = (fresh::number(), fresh::number());
    let before = new_contact(&api, json!({ "phone": old.e164(), "name": "Moved", "phoneExtension": "12" })).await;
    let after = changed(&api, "contactUpdate", json!({ "id": before["id"], "expectedVersion": 1, "phone": new.dashed() })).await;
    assert_eq!((&after["id"], &after["phone"], &after["phoneExtension"]), (&before["id"], &json!(new.e164()), &json!(null)), "an extension goes with its number");
    assert_eq!((contact_with(&api, new).await, contact_with(&api, old).await), (after, Value::Null));

    let taken = create(&api, json!({ "phone": new.e164() })).await;
    assert_eq!((user_errors(&taken), &taken["userErrors"][0]["existingId"]), (error("phone", "TAKEN"), &before["id"]));
    let heir = created(&api, json!({ "phone": old.e164(), "name": "Heir" })).await;
    assert_ne!(heir["id"], before["id"], "an id is never given again");
    assert_eq!((&contact_with(&api, old).await["id"], &contact_with(&api, new).await["id"]), (&heir["id"], &before["id"]));
    caught_up(&api).await;
    assert_eq!((history(&api, &before["id"]).await.len(), history(&api, &heir["id"]).await.len()), (2, 1), "each has its own history");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_contacts_exchange_their_numbers_and_back() {
    let (_, api) = Stack::as_admin().await;
    let [one, two, spare] = fresh::numbers(3)[..] else { panic!() };
    let first = created(&api, json!({ "phone": one.e164() })).await["id"].take();
    let second = created(&api, json!({ "phone": two.e164() })).await["id"].take();
    let mut versions = [1, 1];
    for (to_first, to_second) in [(two, one), (one, two), (two, one)] {
        for (which, number) in [(0, spare), (1, to_second), (0, to_first)] {
            let id = [&first, &second][which];
            changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": versions[which], "phone": number.e164() })).await;
            versions[which] += 1;
        }
        let found = [to_first, to_second, spare].map(|number| contact_with(&api, number));
        let [at_first, at_second, at_spare] = found;
        assert_eq!((&at_first.await["id"], &at_second.await["id"], at_spare.await), (&first, &second, Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_takes_its_first_number_back_is_at_home_again() {
    let (_, api) = Stack::as_admin().await;
    let (home, away) = (fresh::number(), fresh::number());
    let id = created(&api, json!({ "phone": home.e164() })).await["id"].take();
    for (version, number) in [(1, away), (2, home), (3, away), (4, home)] {
        changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": version, "phone": number.e164() })).await;
    }
    assert_eq!((&contact_with(&api, home).await["id"], contact_with(&api, away).await), (&id, Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_contact_said_at_a_time_is_told_from_its_history() {
    let (_, api) = Stack::as_admin().await;
    let first = new_contact(&api, json!({ "name": "First", "city": "Québec" })).await;
    let second = changed(&api, "contactUpdate", json!({ "id": first["id"], "expectedVersion": 1, "name": "Second", "attributes": { "Colour": "red" } })).await;
    let third = changed(&api, "contactUpdate", json!({ "id": first["id"], "expectedVersion": 2, "city": null, "name": "Third" })).await;
    caught_up(&api).await;
    let query = "query($id: ID!, $time: DateTime!) { contact(id: $id) { asOf(time: $time) } }";
    let as_of = async |time: &Value| api.data(query, json!({ "id": first["id"], "time": time })).await["contact"]["asOf"].take();
    for stage in [&first, &second, &third] {
        let then = as_of(&stage["updatedAt"]).await;
        for field in ["name", "phone", "attributes"] {
            assert_eq!(then[field], stage[field], "{field}, inclusive of its time: {then}");
        }
        assert_eq!(then.get("city").unwrap_or(&Value::Null), &stage["city"], "{then}");
    }
    assert_eq!(as_of(&json!("2020-01-01T00:00:00.000Z")).await, Value::Null, "before it was made there was none");
    assert_eq!(as_of(&json!("2099-01-01T00:00:00.000Z")).await["name"], "Third");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_which_fields_it_changed_by_their_names() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({ "name": "Before", "attributes": { "Colour": "red" } })).await;
    let status = status_id(&api, "interested").await;
    let number = fresh::number();
    let input =
        json!({ "id": before["id"], "expectedVersion": 1, "phone": number.e164(), "name": "After", "statusId": status, "attributes": { "Colour": null, "Rooms": 2 } });
    changed(&api, "contactUpdate", input).await;
    caught_up(&api).await;
    let events = history(&api, &before["id"]).await;
    assert_eq!(changed_fields(&events[0]), ["attributes.Colour", "attributes.Rooms", "name", "phone", "status"], "{:?}", events[0]);
    assert_eq!(events[0]["previousHash"], events[1]["hash"]);
}
