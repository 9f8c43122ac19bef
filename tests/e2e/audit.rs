//! Who did what: the events of what people do, and what nobody can forge or read where it doesn't belong.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::stack::api::{Answer, PLAIN, created};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh;
use crate::stack::history::{caught_up, contact_at, events};
use crate::stack::{ADMIN, Stack, setting};

const CREATE: &str = "mutation($input: ContactCreateInput!) { contactCreate(input: $input) { contact { id updatedAt createdBy { type id name email roles } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_does_is_on_record_with_who_they_were_and_where_from_whatever_their_headers_claim() {
    let (stack, api) = Stack::as_admin().await;
    let viewer = api.data("{ viewer { user { id name email roles { code } } } }", json!({})).await["viewer"]["user"].take();
    let actor = json!({ "type": "USER", "id": viewer["id"], "name": viewer["name"], "email": ADMIN, "roles": ["admin"] });
    let forged = "203.0.113.77";
    let mut addresses = Vec::new();
    for forging in [false, true] {
        let number = fresh::number();
        let mut request = api
            .post(PLAIN)
            .header("user-agent", "Switchboard tests")
            .json(&json!({ "query": CREATE, "variables": { "input": { "phone": number.e164(), "name": "Ada" } } }));
        if forging {
            for header in ["x-forwarded-for", "x-real-ip", "forwarded", "x-amzn-source-ip", "cf-connecting-ip"] {
                request = request.header(header, forged);
            }
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        let contact = &answer.body["data"]["contactCreate"]["contact"];
        assert_eq!(contact["createdBy"], actor);
        caught_up(&api).await;
        let found = contact_at(&api, number).await;
        let [event] = events(&found) else { panic!("not exactly one event: {found}") };
        assert_eq!((&event["action"], &event["outcome"], &event["actor"]), (&json!("contact.created"), &json!("SUCCESS"), &actor));
        assert_eq!((&event["userAgent"], &event["importId"]), (&json!("Switchboard tests"), &json!(null)));
        assert_eq!(event["requestId"], answer.header("x-request-id"), "the request that the client was told");
        assert_eq!((&event["entityId"], &event["at"]), (&contact["id"], &contact["updatedAt"]));
        let address = event["ipAddress"].as_str().unwrap().to_owned();
        assert!(address.parse::<IpAddr>().is_ok() && address != forged, "{event}");
        addresses.push(address);
    }
    assert_eq!(addresses[0], addresses[1]);
    assert!(stack.anonymous().refusal(CREATE, json!({ "input": { "phone": fresh::number().e164() } })).await == "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_agent_of_any_length_is_cut_and_one_that_is_missing_is_none() {
    let (_, api) = Stack::as_admin().await;
    let long = "a".repeat(300);
    for (given, kept) in [(Some(long.as_str()), json!("a".repeat(255))), (None, json!(null))] {
        let number = fresh::number();
        let mut request = api.post(PLAIN).json(&json!({ "query": CREATE, "variables": { "input": { "phone": number.e164() } } }));
        if let Some(given) = given {
            request = request.header("user-agent", given);
        }
        assert_eq!(Answer::of(request.send().await.unwrap()).await.status, 200);
        caught_up(&api).await;
        assert_eq!(events(&contact_at(&api, number).await)[0]["userAgent"], kept);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_a_contact_are_a_chain_that_is_paged_from_its_newest_to_its_first() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    let file = format!("{}.csv", fresh::word("chain"));
    for city in ["Québec", "Lévis", "Gatineau", "Laval"] {
        dropped(&stack, &api, "demo", &file, csv("phone,city", &[[number.dashed(), city.to_owned()]])).await;
    }
    caught_up(&api).await;
    let query = "query($id: ID!, $first: Int, $after: String) { contact(id: $id) { auditEvents(first: $first, after: $after) {
        edges { cursor node { id } } nodes { entityVersion hash previousHash changes { field oldValue newValue } } pageInfo { hasNextPage endCursor } } } }";
    let id = contact_at(&api, number).await["id"].take();
    let (mut chain, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(query, json!({ "id": id, "first": 3, "after": after })).await["contact"]["auditEvents"].take();
        chain.extend(page["nodes"].as_array().unwrap().iter().cloned());
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(chain.iter().map(|event| event["entityVersion"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 3, 2, 1]);
    for pair in chain.windows(2) {
        assert_eq!(pair[0]["previousHash"], pair[1]["hash"]);
    }
    assert!(chain[3]["previousHash"].is_null());
    assert_eq!(chain[0]["changes"], json!([{ "field": "city", "oldValue": "Gatineau", "newValue": "Laval" }]));
    let answer = api.ask(query, json!({ "id": id, "first": 101 })).await;
    assert_eq!(answer.codes(), ["LIMIT_EXCEEDED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_and_ids_in_changes_are_written_as_everywhere_in_the_api() {
    let (_, api) = Stack::as_admin().await;
    let number = fresh::number();
    let ids = api.data("{ viewer { user { agent { id } } } contactStatuses { id code } }", json!({})).await;
    let (agent, status) = (&ids["viewer"]["user"]["agent"]["id"], &ids["contactStatuses"][2]["id"]);
    let input = json!({ "phone": number.e164(), "assigneeId": agent, "statusId": status, "nextContactAt": "2027-05-14T09:30:00Z" });
    created(&api, input).await;
    caught_up(&api).await;
    let contact = contact_at(&api, number).await;
    let changes = events(&contact)[0]["changes"].as_array().unwrap();
    let new = |field: &str| &changes.iter().find(|change| change["field"] == field).unwrap()["newValue"];
    assert_eq!((new("assignee"), new("status"), new("nextContactAt")), (agent, status, &json!("2027-05-14T09:30:00.000Z")));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_of_any_function_has_personal_data() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    let (name, email) = (fresh::word("Person"), format!("{}@example.com", fresh::word("person")));
    created(&api, json!({ "phone": number.e164(), "name": name, "email": email })).await;
    let rows = [[number.dashed(), name.clone(), email.clone(), "Elsewhere".to_owned()], ["12345".to_owned(), name.clone(), email.clone(), String::new()]];
    let file = csv("phone,name,email,city", &rows);
    dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("logs")), file).await;
    caught_up(&api).await;
    let token = stack.id_token(ADMIN).await;
    for entry in std::fs::read_dir(setting("SWITCHBOARD_LOG_DIR")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{}-", setting("STACK_NAME")))) {
            let log = std::fs::read_to_string(&path).unwrap();
            for secret in [&number.e164(), &number.e164()[2..].to_owned(), &number.dashed(), &name, &email, &token] {
                assert!(!log.contains(secret.as_str()), "{} has {secret}", path.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_was_set_aside_instead_of_being_recorded() {
    let (stack, api) = Stack::as_admin().await;
    caught_up(&api).await;
    let letters = stack.s3().list_objects_v2().bucket(setting("AUDIT_DEAD_LETTER_BUCKET")).send().await.unwrap();
    let keys: Vec<&str> = letters.contents().iter().filter_map(|object| object.key()).collect();
    assert!(keys.is_empty(), "{keys:?}");
}
