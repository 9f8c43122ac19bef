//! Assigning up to a hundred contacts at once: to an agent, to a pool, or to nobody.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{created, user_errors};
use crate::stack::contacts::{agent_of, contact, eventually_lists, ids, new_contact, some_team};
use crate::stack::fresh;
use crate::stack::history::{caught_up, history};
use crate::stack::mutations::{done, error, mutate, refused};

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_or_team_that_does_not_exist_is_not_found_and_nothing_is_assigned() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({ "assigneeId": agent_of(&api).await })).await;
    let absent = data_encoding::BASE64URL_NOPAD.encode(b"agent:00000000000000000000000000");
    for (field, id) in [("assigneeId", json!("nonsense")), ("assigneeId", json!(absent)), ("assigneeId", before["id"].clone()), ("teamId", json!("nonsense"))] {
        assert_eq!(refused(&api, "contactAssign", json!({ "ids": [before["id"]], field: id })).await, error(field, "NOT_FOUND"), "{id}");
    }
    assert_eq!(contact(&api, &before["id"]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_does_not_exist_is_named_by_its_place_and_the_others_are_assigned() {
    let (_, api) = Stack::as_admin().await;
    let agent = agent_of(&api).await;
    let (first, last) = (new_contact(&api, json!({})).await, new_contact(&api, json!({})).await);
    let absent = data_encoding::BASE64URL_NOPAD.encode(b"contact:00000000000000000000000000");
    let payload = mutate(&api, "contactAssign", json!({ "ids": [first["id"], "nonsense", absent, last["id"]], "assigneeId": agent })).await;
    let ids: Vec<&Value> = payload["contacts"].as_array().unwrap().iter().map(|contact| &contact["id"]).collect();
    assert_eq!(ids, [&first["id"], &Value::Null, &Value::Null, &last["id"]]);
    assert_eq!(user_errors(&payload).iter().map(|(_, code)| code.as_str()).collect::<Vec<_>>(), ["NOT_FOUND", "NOT_FOUND"]);
    let mut places: Vec<u64> = payload["userErrors"].as_array().unwrap().iter().map(|error| error["index"].as_u64().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(places, [1, 2]);
    for contact_before in [&first, &last] {
        let after = contact(&api, &contact_before["id"]).await;
        assert_eq!((&after["assignee"]["id"], &after["version"]), (&agent, &json!(2)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_contacts_more_than_a_hundred_and_two_owners_at_once_are_refused() {
    let (_, api) = Stack::as_admin().await;
    let before = new_contact(&api, json!({})).await;
    let ids: Vec<&Value> = vec![&before["id"]; 101];
    let agent = agent_of(&api).await;
    for (input, errors) in [
        (json!({ "ids": ids, "assigneeId": agent }), error("ids", "LIMIT_EXCEEDED")),
        (json!({ "ids": [], "assigneeId": agent }), error("ids", "BLANK")),
        (json!({ "ids": [before["id"]], "assigneeId": agent, "teamId": some_team(&api).await["id"] }), error("teamId", "INVALID")),
    ] {
        assert_eq!(refused(&api, "contactAssign", input).await, errors);
    }
    assert_eq!(contact(&api, &before["id"]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_go_to_an_agent_to_a_pool_and_to_nobody_each_with_its_event() {
    let (_, api) = Stack::as_admin().await;
    let (agent, team) = (agent_of(&api).await, some_team(&api).await["id"].take());
    let mut ids = Vec::new();
    for number in fresh::numbers(20) {
        ids.push(created(&api, json!({ "phone": number.e164() })).await["id"].take());
    }
    for (version, who, assignee, pool) in [
        (2, json!({ "assigneeId": agent }), agent.clone(), Value::Null),
        (3, json!({ "teamId": team }), Value::Null, team.clone()),
        (4, json!({ "assigneeId": agent }), agent.clone(), Value::Null),
        (5, json!({ "assigneeId": null }), Value::Null, Value::Null),
    ] {
        let mut input = who;
        input["ids"] = json!(ids);
        let contacts = done(&api, "contactAssign", input).await["contacts"].take();
        assert_eq!(contacts.as_array().unwrap().iter().map(|contact| &contact["id"]).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>(), "in their order");
        for contact in contacts.as_array().unwrap() {
            assert_eq!((&contact["assignee"]["id"], &contact["team"]["id"], &contact["version"]), (&assignee, &pool, &json!(version)));
        }
    }
    caught_up(&api).await;
    for id in &ids {
        let events = history(&api, id).await;
        assert_eq!(events.iter().map(|event| event["entityVersion"].as_u64().unwrap()).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        assert_eq!((&events[0]["action"], &events[1]["action"]), (&json!("contact.unassigned"), &json!("contact.assigned")));
        assert_eq!(events[3]["changes"], json!([{ "field": "assignee", "oldValue": null, "newValue": agent }]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn assigning_to_who_has_it_already_changes_nothing() {
    let (_, api) = Stack::as_admin().await;
    let agent = agent_of(&api).await;
    let before = new_contact(&api, json!({ "assigneeId": agent })).await;
    let contacts = done(&api, "contactAssign", json!({ "ids": [before["id"]], "assigneeId": agent })).await["contacts"].take();
    assert_eq!(contacts, json!([before]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_contacts_are_listed_as_theirs() {
    let (stack, api) = Stack::as_admin().await;
    let telephonist = stack.sign_in("telephonist3@demo.test").await;
    let agent = agent_of(&telephonist).await;
    let source = fresh::word("source");
    let contact = new_contact(&api, json!({ "source": source })).await;
    let theirs = json!({ "source": source, "assigneeIds": [agent] });
    eventually_lists(&api, &theirs, &[].into()).await;
    done(&api, "contactAssign", json!({ "ids": [contact["id"]], "assigneeId": agent })).await;
    eventually_lists(&api, &theirs, &ids([&contact])).await;
}
