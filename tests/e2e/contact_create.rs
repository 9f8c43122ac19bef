//! Creating contacts: what is checked, what is unique, and what happens when many do it at once.

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::stack::api::{Api, create, created, user_errors};
use crate::stack::fresh;
use crate::stack::history::{caught_up, contact_at, events};
use crate::stack::{OTHER_ADMIN, Stack};

/// Calls that are made at once with the same input; their payloads.
async fn at_once(api: &Api, count: usize, input: &Value) -> Vec<Value> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let (api, input) = (api.clone(), input.clone());
        calls.spawn(async move { create(&api, input).await });
    }
    calls.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_says_what_it_was_given_in_its_proper_form() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let viewer = api.data("{ viewer { user { agent { id } } } contactStatuses { id code } }", json!({})).await;
    let status = viewer["contactStatuses"].as_array().unwrap().iter().find(|status| status["code"] == "interested").unwrap();
    let agent = &viewer["viewer"]["user"]["agent"];
    let contact = created(
        &api,
        json!({
            "phone": number.written(1),
            "name": "  Zoé Gélinas ",
            "email": "Zoe@Example.COM",
            "address": "1 rue Principale",
            "city": "Québec",
            "region": "QC",
            "postalCode": "g1r 2b5",
            "country": "Canada",
            "timeZone": "America/Halifax",
            "source": "referral",
            "statusId": status["id"],
            "assigneeId": agent["id"],
            "nextContactAt": "2027-05-14T09:30:00.1234-04:00",
            "attributes": { "Interest": "windows", "Rooms": 7, "Price": 12.5, "Owner": true, "Empty": " ", "None": null },
        }),
    )
    .await;
    for (field, value) in [
        ("phone", json!(number.e164())),
        ("name", json!("Zoé Gélinas")),
        ("email", json!("zoe@example.com")),
        ("address", json!("1 rue Principale")),
        ("city", json!("Québec")),
        ("region", json!("QC")),
        ("postalCode", json!("G1R 2B5")),
        ("country", json!("CA")),
        ("timeZone", json!("America/Halifax")),
        ("source", json!("referral")),
        ("status", json!({ "id": status["id"], "code": "interested" })),
        ("assignee", json!({ "id": agent["id"] })),
        ("nextContactAt", json!("2027-05-14T13:30:00.123Z")),
        ("attributes", json!({ "Interest": "windows", "Rooms": 7, "Price": 12.5, "Owner": true })),
        ("version", json!(1)),
    ] {
        assert_eq!(contact[field], value, "{field}");
    }
    let query = "query($id: ID!, $phone: String!) { contact(id: $id) { ...c } contactByPhone(phone: $phone) { ...c } }
        fragment c on Contact { id phone name email address city region postalCode country timeZone source attributes nextContactAt version createdAt
            status { id code } assignee { id } }";
    let read = api.data(query, json!({ "id": contact["id"], "phone": number.written(3) })).await;
    assert_eq!((&read["contact"], &read["contactByPhone"]), (&contact, &contact), "it reads back as it was answered");
    let shown = api
        .data(
            "query($id: ID!) { contact(id: $id) { phoneDisplay e: phoneDisplay(format: E164) i: phoneDisplay(format: INTERNATIONAL) } }",
            json!({ "id": contact["id"] }),
        )
        .await;
    assert_eq!(shown["contact"], json!({ "phoneDisplay": number.written(1), "e": number.e164(), "i": format!("+1 {}", number.dashed()) }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_with_only_a_number_takes_the_rest_from_its_tenant() {
    let (_, api) = Stack::as_admin().await;
    let contact = created(&api, json!({ "phone": fresh::number().dashed() })).await;
    for (field, value) in [("country", json!("CA")), ("name", json!(null)), ("attributes", json!({})), ("assignee", json!(null))] {
        assert_eq!(contact[field], value, "{field}");
    }
    assert_eq!(contact["status"]["code"], "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_has_a_contact_is_taken_and_names_it() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let contact = created(&api, json!({ "phone": number.dashed(), "name": "First" })).await;
    let refused = create(&api, json!({ "phone": number.written(3), "name": "Second" })).await;
    assert_eq!(user_errors(&refused), [("phone".to_owned(), "TAKEN".to_owned())]);
    assert_eq!(refused["userErrors"][0]["existingId"], contact["id"]);
    let found = contact_at(&api, number).await;
    assert_eq!((&found["name"], &found["version"]), (&json!("First"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_that_is_wrong_is_named_and_nothing_is_written() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let long = "x".repeat(256);
    let refused = create(
        &api,
        json!({
            "phone": number.dashed(), "name": long, "email": "nobody", "address": "a\nb", "city": &long[..101], "region": &long[..101], "postalCode": "D0D 0D0",
            "country": "Utopia", "timeZone": "Mars/Olympus", "source": &long[..101], "statusId": "nonsense", "assigneeId": "nonsense",
            "attributes": { "colour": &"x".repeat(1001) },
        }),
    )
    .await;
    let expected = [
        ("address", "INVALID"),
        ("assigneeId", "NOT_FOUND"),
        ("attributes/colour", "TOO_LONG"),
        ("city", "TOO_LONG"),
        ("country", "INVALID"),
        ("email", "INVALID"),
        ("name", "TOO_LONG"),
        ("postalCode", "INVALID"),
        ("region", "TOO_LONG"),
        ("source", "TOO_LONG"),
        ("statusId", "NOT_FOUND"),
        ("timeZone", "INVALID"),
    ];
    assert_eq!(user_errors(&refused), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    assert!(contact_at(&api, number).await.is_null(), "nothing is written");
    for (phone, code) in [("", "BLANK"), ("  ", "BLANK"), ("123", "INVALID"), ("514-555", "INVALID"), ("not a number", "INVALID"), ("+999 123 456 789", "INVALID")] {
        let refused = create(&api, json!({ "phone": phone })).await;
        assert_eq!(user_errors(&refused), [("phone".to_owned(), code.to_owned())], "{phone:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_limited_in_number_length_and_name() {
    let (_, api) = Stack::as_admin().await;
    let many = |count: usize| Value::Object((0..count).map(|index| (format!("a{index}"), json!(index))).collect::<Map<_, _>>());
    let most = created(&api, json!({ "phone": fresh::number().e164(), "attributes": many(50) })).await;
    assert_eq!(most["attributes"], many(50));
    let longest = json!({ "n".repeat(64): "é".repeat(1000) });
    assert_eq!(created(&api, json!({ "phone": fresh::number().e164(), "attributes": longest })).await["attributes"], longest);

    let number = fresh::number();
    for (attributes, field, code) in [
        (many(51), "attributes", "LIMIT_EXCEEDED"),
        (json!({ "n".repeat(65): 1 }), "attributes", "TOO_LONG"),
        (json!({ "colour": "é".repeat(1001) }), "attributes/colour", "TOO_LONG"),
        (json!({ "": 1 }), "attributes", "BLANK"),
        (json!({ "PK": 1 }), "attributes", "INVALID"),
        (json!({ "sk": 1 }), "attributes", "INVALID"),
        (json!({ "GSI1PK": 1 }), "attributes", "INVALID"),
        (json!({ "gsi2sk": 1 }), "attributes", "INVALID"),
        (json!({ "__proto__": 1 }), "attributes", "INVALID"),
        (json!({ "constructor": 1 }), "attributes", "INVALID"),
        (json!({ "colour": "a\u{0}b" }), "attributes/colour", "INVALID"),
        (json!({ "first.last": "a\u{0}b" }), "attributes/first.last", "INVALID"),
        (json!({ "colour": ["red"] }), "attributes", "INVALID"),
        (json!({ "colour": { "red": 1 } }), "attributes", "INVALID"),
        (json!(["red"]), "attributes", "INVALID"),
        (json!("red"), "attributes", "INVALID"),
    ] {
        let refused = create(&api, json!({ "phone": number.e164(), "attributes": attributes })).await;
        assert_eq!(user_errors(&refused), [(field.to_owned(), code.to_owned())], "{attributes}");
    }
    assert!(contact_at(&api, number).await.is_null(), "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_of_a_sensitive_attribute_is_never_shown() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let attributes = json!({ "SIN": "046 454 286", "Date of birth": "1970-01-01", "Numéro d'assurance sociale": 46454286, "Colour": "red" });
    let contact = created(&api, json!({ "phone": number.e164(), "attributes": attributes })).await;
    let masked = json!({ "SIN": "•••", "Date of birth": "•••", "Numéro d'assurance sociale": "•••", "Colour": "red" });
    assert_eq!(contact["attributes"], masked);
    caught_up(&api).await;
    let contact = contact_at(&api, number).await;
    assert_eq!(contact["attributes"], masked);
    let text = events(&contact)[0]["changes"].to_string();
    assert!(text.contains("attributes.SIN"), "that it was set is on record: {text}");
    for secret in ["046 454 286", "1970-01-01", "46454286"] {
        assert!(!text.contains(secret), "a masked value is shown by the audit: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_answers_the_same_input_as_before_and_refuses_other_input() {
    let (stack, api) = Stack::as_admin().await;
    let (number, key) = (fresh::number(), fresh::word("key"));
    let input = json!({ "phone": number.e164(), "name": "Once", "idempotencyKey": key });
    let first = created(&api, input.clone()).await;
    assert_eq!(created(&api, input).await, first);
    let other = fresh::number();
    for changed in [json!({ "phone": number.e164(), "name": "Twice", "idempotencyKey": key }), json!({ "phone": other.e164(), "name": "Once", "idempotencyKey": key })] {
        assert_eq!(user_errors(&create(&api, changed).await), [("idempotencyKey".to_owned(), "CONFLICT".to_owned())]);
    }
    assert!(contact_at(&api, other).await.is_null());
    assert_eq!(contact_at(&api, number).await["name"], "Once");

    let neighbour = stack.sign_in(OTHER_ADMIN).await;
    created(&neighbour, json!({ "phone": other.e164(), "name": "Elsewhere", "idempotencyKey": key })).await;
    for wrong in [String::new(), " ".to_owned(), "k".repeat(129)] {
        let refused = create(&api, json!({ "phone": fresh::number().e164(), "idempotencyKey": wrong })).await;
        assert_eq!(user_errors(&refused), [("idempotencyKey".to_owned(), "INVALID".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_was_refused_does_not_use_up_its_idempotency_key() {
    let (_, api) = Stack::as_admin().await;
    let (number, key) = (fresh::number(), fresh::word("key"));
    let refused = create(&api, json!({ "phone": number.e164(), "email": "nobody", "idempotencyKey": key })).await;
    assert_eq!(user_errors(&refused), [("email".to_owned(), "INVALID".to_owned())]);
    created(&api, json!({ "phone": number.e164(), "email": "somebody@example.com", "idempotencyKey": key })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_calls_at_once_with_one_idempotency_key_make_one_contact_and_all_answer_it() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let payloads = at_once(&api, 8, &json!({ "phone": number.e164(), "name": "Once", "idempotencyKey": fresh::word("key") })).await;
    assert!(payloads.iter().all(|payload| payload["contact"].is_object() && payload["contact"] == payloads[0]["contact"]), "{payloads:?}");
    caught_up(&api).await;
    assert_eq!(events(&contact_at(&api, number).await).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_calls_at_once_for_one_number_one_wins_and_the_others_are_told_who() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let payloads = at_once(&api, 32, &json!({ "phone": number.e164() })).await;
    let (won, lost): (Vec<&Value>, Vec<&Value>) = payloads.iter().partition(|payload| payload["contact"].is_object());
    assert_eq!((won.len(), lost.len()), (1, 31));
    for payload in lost {
        assert_eq!(user_errors(payload), [("phone".to_owned(), "TAKEN".to_owned())]);
        assert_eq!(payload["userErrors"][0]["existingId"], won[0]["contact"]["id"]);
    }
    caught_up(&api).await;
    assert_eq!(events(&contact_at(&api, number).await).len(), 1);
}
