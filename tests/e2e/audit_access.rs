//! Who came, was refused, took data out and looked: on record at once, each once, and no more of it than is of use.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::stack::api::{Answer, Api, PLAIN, created, inside};
use crate::stack::fresh;
use crate::stack::history::AUDIT;
use crate::stack::jobs::completed;
use crate::stack::mutations::done;
use crate::stack::staff::{HALF_A_MINUTE, KNOWN, eventually_refused};
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;

/// Tokens say to the second when their owner signed in.
const ANOTHER_SECOND: Duration = Duration::from_millis(1_100);
/// What is written with the answer is in the lists a moment later.
const LISTED: Duration = Duration::from_secs(30);
const VIEWER: &str = "{ viewer { user { id } } }";
const EVENTS: &str = "query($type: String, $id: ID, $action: String) { auditEvents(entityType: $type, entityId: $id, action: $action, first: 100) { nodes {
    id action outcome severity at requestId userAgent entityType entityId entityVersion actor { type id } changes { field oldValue newValue } hash previousHash } } }";

/// The newest events of one action of a record, newest first.
async fn events(api: &Api, kind: &str, id: &Value, action: &str) -> Vec<Value> {
    let mut data = api.data(EVENTS, json!({ "type": kind, "id": id, "action": action })).await;
    let Value::Array(events) = data["auditEvents"]["nodes"].take() else { panic!("no events: {data}") };
    for event in &events {
        assert_eq!((&event["action"], &event["entityType"], &event["entityId"]), (&json!(action), &json!(kind), id), "{event}");
    }
    events
}

/// The same of what stands beside the chain, once there are so many.
async fn eventually_events(api: &Api, kind: &str, id: &Value, action: &str, count: usize) -> Vec<Value> {
    let found = eventually(&format!("{count} events {action} of {kind} {id}"), LISTED, async || {
        let found = events(api, kind, id, action).await;
        (found.len() >= count).then_some(found)
    })
    .await;
    for event in &found {
        assert_eq!((&event["entityVersion"], &event["previousHash"]), (&Value::Null, &Value::Null), "{event}");
        assert!(event["hash"].is_string() && event["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{event}");
    }
    found
}

/// What an event says of itself.
fn details(event: &Value) -> BTreeMap<&str, &Value> {
    let changes = event["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["oldValue"].is_null()), "{event}");
    changes.iter().map(|change| (change["field"].as_str().unwrap(), &change["newValue"])).collect()
}

/// How many of them happened in each minute.
fn by_minute(events: &[Value]) -> BTreeMap<&str, usize> {
    let mut minutes = BTreeMap::new();
    for event in events {
        // 2026-11-30T12:00
        *minutes.entry(&event["at"].as_str().unwrap()[..16]).or_default() += 1;
    }
    minutes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_on_record_once_however_many_requests_it_makes_and_signing_out_is_too() {
    let tenant = Tenant::shared().await;
    let person = tenant.hire(&["telephonist"]).await;
    let user = &person.user;
    let mut asked = JoinSet::new();
    for _ in 0..8 {
        let api = person.api.clone();
        asked.spawn(async move { api.data(VIEWER, json!({})).await });
    }
    asked.join_all().await;
    let found = eventually_events(&tenant.api, "user", user, "auth.signed_in", 1).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let event = &found[0];
    assert_eq!((&event["outcome"], &event["severity"], &event["actor"]["id"]), (&json!("SUCCESS"), &json!("INFO"), user));
    assert!(details(event).is_empty(), "{event}");

    sleep(ANOTHER_SECOND).await;
    let again = person.signed_in_again(&tenant.stack).await;
    for api in [&again, &person.api, &again, &again] {
        api.data(VIEWER, json!({})).await;
    }
    assert_eq!(eventually_events(&tenant.api, "user", user, "auth.signed_in", 2).await.len(), 2);
    done(&again, "userSignOut", json!({})).await;
    let signed_out = eventually("the signing out is on record", AUDIT, async || {
        let found = events(&tenant.api, "user", user, "auth.signed_out").await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!((signed_out.len(), &signed_out[0]["outcome"], &signed_out[0]["actor"]["id"]), (1, &json!("SUCCESS"), user));
    assert!(signed_out[0]["entityVersion"].is_u64(), "a change of the user, in their chain: {}", signed_out[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_is_on_record_once_by_the_names_of_the_schema() {
    let tenant = Tenant::shared().await;
    let person = tenant.hire(&["telephonist"]).await;
    let query = "query Mine { p15145550123: users { nodes { id } } again: users { nodes { id } } imports { nodes { id } } roles { id } }";
    let answer = Answer::of(person.api.post(PLAIN).json(&json!({ "query": query })).send().await.unwrap()).await;
    assert!(!answer.codes().is_empty() && answer.codes().iter().all(|code| *code == "FORBIDDEN"), "{}", answer.body);
    let found = eventually_events(&tenant.api, "user", &person.user, "permission.denied", 1).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let event = &found[0];
    assert_eq!((&event["outcome"], &event["severity"], &event["requestId"]), (&json!("DENIED"), &json!("WARNING"), &json!(answer.header("x-request-id"))));
    let said = details(event);
    let operations: BTreeSet<&str> = said["operations"].as_array().unwrap().iter().map(|operation| operation.as_str().unwrap()).collect();
    assert!(operations.contains("users") && operations.iter().all(|operation| ["users", "imports"].contains(operation)), "{event}");
    assert_eq!((said["code"], said.len()), (&json!("FORBIDDEN"), 2), "{event}");
    // What is answered as if it didn't exist, and what is wrong, isn't refused.
    person.api.data("query($id: ID!) { import(id: $id) { id } }", json!({ "id": person.user })).await;
    assert_eq!(person.api.ask("{ nonsense }", json!({})).await.codes(), ["BAD_REQUEST"]);
    sleep(ANOTHER_SECOND).await;
    assert_eq!(events(&tenant.api, "user", &person.user, "permission.denied").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_token_of_who_is_disabled_or_signed_out_is_on_record_when_it_is_refused() {
    let tenant = Tenant::shared().await;
    let (disabled, signed_out) = (tenant.hire(&["telephonist"]).await, tenant.hire(&["telephonist"]).await);
    done(&tenant.api, "userDisable", json!({ "id": disabled.user, "expectedVersion": 2, "reason": "Left us" })).await;
    done(&tenant.api, "userSignOut", json!({ "id": signed_out.user })).await;
    for (person, reason) in [(&disabled, "DISABLED"), (&signed_out, "SIGNED_OUT")] {
        eventually_refused("the token is refused", &person.api).await;
        let found = eventually_events(&tenant.api, "user", &person.user, "auth.denied", 1).await;
        for event in &found {
            assert_eq!((&event["outcome"], &event["severity"], &event["actor"]["id"]), (&json!("DENIED"), &json!("WARNING"), &person.user));
            assert_eq!(details(event), BTreeMap::from([("reason", &json!(reason))]), "{event}");
        }
        assert!(by_minute(&found).values().all(|count| *count <= 10), "{found:?}");
        assert_eq!(events(&tenant.api, "user", &person.user, "auth.signed_in").await.len(), 1, "who is refused doesn't sign in");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_to_an_export_is_on_record_once_a_minute() {
    let tenant = Tenant::shared().await;
    let manager = tenant.hire(&["manager"]).await;
    let source = fresh::word("taken");
    created(&tenant.api, json!({ "phone": fresh::number().e164(), "source": source })).await;
    // Followed to its end by the administrator, who is given a link once it is there.
    let job = completed(&tenant.api, json!({ "action": "EXPORT", "filter": { "source": source } })).await;
    assert!(job["fileUrl"].is_string(), "{job}");
    let (_, id) = inside(&job["id"]);
    let of_this_job = async |user: &Value| {
        let mut found = events(&tenant.api, "user", user, "data.downloaded").await;
        found.retain(|event| details(event).get("file").and_then(|file| file.as_str()).is_some_and(|file| file.contains(&id)));
        found
    };
    let taken = eventually("the link is on record", LISTED, async || {
        let found = of_this_job(&tenant.admin.user).await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    for event in &taken {
        assert_eq!((&event["outcome"], &event["severity"], &event["actor"]["id"]), (&json!("SUCCESS"), &json!("NOTICE"), &tenant.admin.user));
    }
    assert!(by_minute(&taken).values().all(|count| *count == 1), "{taken:?}");

    let query = "query($id: ID!) { bulkJob(id: $id) { status } }";
    manager.api.data(query, json!({ "id": job["id"] })).await;
    assert!(of_this_job(&manager.user).await.is_empty(), "who doesn't ask for the link takes nothing out");
    for _ in 0..3 {
        let answer = manager.api.data("query($id: ID!) { bulkJob(id: $id) { fileUrl } }", json!({ "id": job["id"] })).await;
        assert!(answer["bulkJob"]["fileUrl"].is_string(), "{answer}");
    }
    let taken = eventually("the manager's link is on record", LISTED, async || {
        let found = of_this_job(&manager.user).await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert!(by_minute(&taken).values().all(|count| *count == 1), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_contact_is_on_record_only_where_the_organisation_asks_for_it() {
    let tenant = Tenant::new().await;
    let (api, number) = (&tenant.api, fresh::number());
    let (manager, lister) = (tenant.hire(&["manager"]).await, tenant.hire(&["manager"]).await);
    let contact = created(api, json!({ "phone": number.e164(), "name": "Opened" })).await["id"].take();
    let by_id = "query($id: ID!) { contact(id: $id) { name } }";
    manager.api.data(by_id, json!({ "id": contact })).await;
    sleep(ANOTHER_SECOND).await;
    assert!(events(api, "contact", &contact, "contact.viewed").await.is_empty());

    done(api, "tenantUpdate", json!({ "expectedVersion": 1, "recordContactViews": true })).await;
    // Every process knows it then.
    let known = Instant::now() + HALF_A_MINUTE + ANOTHER_SECOND;
    let views = async |whose: &Value| {
        let mut found = events(api, "contact", &contact, "contact.viewed").await;
        found.retain(|event| event["actor"]["id"] == *whose);
        found
    };
    eventually("the manager's look is on record", KNOWN, async || {
        manager.api.data(by_id, json!({ "id": contact })).await;
        (!views(&manager.user).await.is_empty()).then_some(())
    })
    .await;
    sleep_until(known).await;
    let supervisor = tenant.hire(&["supervisor"]).await;
    for (query, variables) in [
        (by_id, json!({ "id": contact })),
        ("query($phone: String!) { contactByPhone(phone: $phone) { name } }", json!({ "phone": number.e164() })),
        ("query($id: ID!) { node(id: $id) { id ... on Contact { name } } }", json!({ "id": contact })),
    ] {
        let mut asked = JoinSet::new();
        for _ in 0..4 {
            let (api, variables) = (supervisor.api.clone(), variables.clone());
            asked.spawn(async move { api.data(query, variables).await });
        }
        asked.join_all().await;
    }
    eventually("the supervisor's look is on record", LISTED, async || (!views(&supervisor.user).await.is_empty()).then_some(())).await;
    let seen = views(&supervisor.user).await;
    assert!(by_minute(&seen).values().all(|count| *count == 1), "once a minute for each user: {seen:?}");
    assert_eq!((&seen[0]["outcome"], &seen[0]["severity"]), (&json!("SUCCESS"), &json!("INFO")));
    assert!(details(&seen[0]).is_empty(), "{}", seen[0]);

    let list = lister.api.data("{ contacts { nodes { id name } } }", json!({})).await["contacts"]["nodes"].take();
    assert!(list.as_array().unwrap().iter().any(|node| node["id"] == contact), "{list}");
    sleep(ANOTHER_SECOND).await;
    assert!(views(&lister.user).await.is_empty(), "a list opens none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_forbidden_requests_leaves_ten_events_a_minute_and_then_only_their_count() {
    let tenant = Tenant::shared().await;
    let person = tenant.hire(&["telephonist"]).await;
    for _ in 0..10 {
        let mut asked = JoinSet::new();
        for _ in 0..6 {
            let api = person.api.clone();
            asked.spawn(async move { api.ask("{ users { nodes { id } } }", json!({})).await });
        }
        for answer in asked.join_all().await {
            assert_eq!(answer.codes(), ["FORBIDDEN"]);
        }
    }
    let found = eventually_events(&tenant.api, "user", &person.user, "permission.denied", 10).await;
    let minutes = by_minute(&found);
    assert!(minutes.values().all(|count| *count <= 10), "60 requests are too few for a count: {minutes:?}");
    assert!(found.len() <= 12 || minutes.len() > 1, "{minutes:?}");
    let requests: BTreeSet<&str> = found.iter().map(|event| event["requestId"].as_str().unwrap()).collect();
    assert_eq!(requests.len(), found.len(), "each of another request");
}
