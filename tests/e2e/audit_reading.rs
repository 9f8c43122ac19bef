//! Reading the audit trail from outside: by record, by actor, by time and by import the same events, with the names of then, and no value for who may not see it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, created};
use crate::stack::contacts::{new_contact, status_id};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh;
use crate::stack::history::{AUDIT, caught_up};
use crate::stack::mutations::{changed, done};
use crate::stack::staff::record;
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;

/// What stands for a value that is not for the viewer to see.
const MASK: &str = "•••";
/// More pages than any list of these tests has.
const PAGES: usize = 1_000;

const ARGUMENTS: &str = "$first: Int, $after: String, $entityType: String, $entityId: ID, $actorId: ID, $action: String, $from: DateTime, $to: DateTime, $importId: ID,
    $requestId: String, $outcome: AuditOutcome, $minimumSeverity: AuditSeverity";
const GIVEN: &str = "first: $first, after: $after, entityType: $entityType, entityId: $entityId, actorId: $actorId, action: $action, from: $from, to: $to,
    importId: $importId, requestId: $requestId, outcome: $outcome, minimumSeverity: $minimumSeverity";
const EVENT: &str = "id action entityType entityId entityVersion at recordedAt severity outcome errorMessage reason requestId importId hash actor { type id }
    changes { field oldValue newValue oldLabel newLabel }";

/// The query for events.
fn query() -> String {
    format!("query({ARGUMENTS}) {{ auditEvents({GIVEN}) {{ nodes {{ {EVENT} }} pageInfo {{ hasNextPage endCursor }} }} }}")
}

/// Everything that a filter means, newest first, page by page.
async fn listed(api: &Api, filter: &Value, first: usize) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), Value::Null);
    for _ in 0..PAGES {
        let mut variables = filter.clone();
        (variables["first"], variables["after"]) = (json!(first), after.clone());
        let mut page = api.data(&query(), variables).await["auditEvents"].take();
        let Value::Array(nodes) = page["nodes"].take() else { panic!("no events: {page}") };
        assert!(nodes.len() <= first);
        found.extend(nodes);
        if page["pageInfo"]["hasNextPage"] == false {
            assert!(found.windows(2).all(|pair| pair[0]["at"].as_str() >= pair[1]["at"].as_str()), "newest first");
            return found;
        }
        after = page["pageInfo"]["endCursor"].take();
        assert!(after.is_string(), "a page with more behind it says where to go on: {page}");
    }
    panic!("more than {PAGES} pages for {filter}");
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

/// The events of a record by its field, newest first.
async fn of_record(api: &Api, kind: &str, id: &Value) -> Vec<Value> {
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ auditEvents(first: 100) {{ nodes {{ {EVENT} }} }} }} }} }}");
    let mut data = api.data(&query, json!({ "id": id })).await;
    let Value::Array(events) = data["node"]["auditEvents"]["nodes"].take() else { panic!("no events: {data}") };
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_actor_did_is_the_same_by_record_by_actor_and_by_time() {
    let tenant = Tenant::shared().await;
    let manager = tenant.hire(&["manager"]).await;
    let mut contacts = Vec::new();
    for number in 0..3 {
        contacts.push(new_contact(&manager.api, json!({ "name": format!("Contact {number}") })).await);
    }
    for number in 0..27 {
        let contact = &mut contacts[number % 3];
        *contact = changed(&manager.api, "contactUpdate", json!({ "id": contact["id"], "expectedVersion": contact["version"], "name": format!("Name {number}") })).await;
    }
    caught_up(&tenant.api).await;
    let by_actor = json!({ "actorId": manager.user, "entityType": "contact" });
    let found = eventually("30 changes of one actor are listed", AUDIT, async || {
        let found = listed(&tenant.api, &by_actor, 7).await;
        (found.len() >= 30).then_some(found)
    })
    .await;
    assert_eq!(found.len(), 30);
    let (oldest, newest) = (&found[29]["at"], &found[0]["at"]);
    let by_time = listed(&tenant.api, &json!({ "from": oldest, "entityType": "contact" }), 11).await;
    let by_time: Vec<Value> = by_time.into_iter().filter(|event| event["actor"]["id"] == manager.user).collect();
    assert_eq!(ids(&by_time), ids(&found), "in the same order, too");
    let mut by_record = BTreeSet::new();
    for contact in &contacts {
        let events = of_record(&tenant.api, "Contact", &contact["id"]).await;
        assert_eq!(events.iter().map(|event| event["entityVersion"].as_u64().unwrap()).collect::<Vec<_>>(), (1..=10).rev().collect::<Vec<_>>());
        by_record.extend(ids(&events).into_iter().map(str::to_owned));
    }
    assert_eq!(by_record, ids(&found).into_iter().map(str::to_owned).collect());
    let mut within = json!({ "actorId": manager.user, "entityType": "contact", "from": oldest, "to": newest });
    assert!(listed(&tenant.api, &within, 50).await.len() < 30, "to is not included");
    within["action"] = json!("contact.created");
    assert_eq!(listed(&tenant.api, &within, 2).await.len(), 3);
    let request = &found[0]["requestId"];
    let of_request = listed(&tenant.api, &json!({ "requestId": request, "from": oldest }), 50).await;
    assert_eq!(ids(&of_request), [found[0]["id"].as_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_while_events_come_neither_repeats_nor_skips() {
    let tenant = Tenant::shared().await;
    let manager = tenant.hire(&["manager"]).await;
    for _ in 0..12 {
        created(&manager.api, json!({ "phone": fresh::number().e164() })).await;
    }
    let by_actor = json!({ "actorId": manager.user, "action": "contact.created" });
    let before = eventually("12 creations are listed", AUDIT, async || {
        let found = listed(&tenant.api, &by_actor, 50).await;
        (found.len() >= 12).then_some(found)
    })
    .await;
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut variables = by_actor.clone();
        (variables["first"], variables["after"]) = (json!(3), after.clone());
        let mut page = tenant.api.data(&query(), variables).await["auditEvents"].take();
        found.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].take();
        created(&manager.api, json!({ "phone": fresh::number().e164() })).await;
        caught_up(&tenant.api).await;
    }
    assert_eq!(ids(&found), ids(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_can_not_be_are_refused_and_ids_of_nothing_find_nothing() {
    let tenant = Tenant::shared().await;
    for (wrong, named) in [
        (json!({ "entityType": "person" }), "entityType"),
        (json!({ "action": "Contact updated" }), "action"),
        (json!({ "from": "2026-05-14T00:00:00Z", "to": "2026-05-14T00:00:00Z" }), "from"),
        (json!({ "requestId": "" }), "requestId"),
    ] {
        let answer = tenant.api.ask(&query(), wrong).await;
        assert_eq!(answer.codes(), ["BAD_REQUEST"], "{}", answer.body);
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().starts_with(named), "{}", answer.body);
    }
    let agent = tenant.appoint(json!({})).await["id"].take();
    for nothing in [json!({ "entityId": "x" }), json!({ "actorId": agent }), json!({ "importId": tenant.admin.user })] {
        assert!(listed(&tenant.api, &nothing, 50).await.is_empty(), "{nothing}");
    }
    assert!(listed(&tenant.api, &json!({ "entityId": tenant.admin.user, "entityType": "team" }), 50).await.is_empty());
    let mut page = tenant.api.data(&query(), json!({ "first": 1 })).await["auditEvents"].take();
    let cursor = page["pageInfo"]["endCursor"].take();
    assert!(cursor.is_string());
    assert_eq!(tenant.api.ask(&query(), json!({ "after": cursor, "minimumSeverity": "NOTICE" })).await.codes(), ["BAD_CURSOR"]);
    assert_eq!(tenant.api.ask(&query(), json!({ "first": 101 })).await.codes(), ["LIMIT_EXCEEDED"]);
    for (query, code) in [
        ("{ auditGaps(entityType: \"person\") { nodes { version } } }", "BAD_REQUEST"),
        ("{ auditGaps(entityType: \"import\") { nodes { version } } }", "BAD_REQUEST"),
        ("{ auditVerification(entityType: \"contact\") { ok } }", "BAD_REQUEST"),
        ("{ auditVerification(entityId: \"x\") { ok } }", "NOT_FOUND"),
    ] {
        assert_eq!(tenant.api.ask(query, json!({})).await.codes(), [code], "{query}");
    }
    let diff = "query($id: ID!, $to: Int!) { auditDiff(entityId: $id, fromVersion: 1, toVersion: $to) { field } }";
    for (id, to) in [(json!("x"), 2), (tenant.admin.user.clone(), 1_000), (tenant.admin.user.clone(), -1)] {
        assert_eq!(tenant.api.data(diff, json!({ "id": id, "to": to })).await, json!({ "auditDiff": null }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_the_trail_and_no_contacts_is_told_which_fields_changed_and_no_value() {
    let tenant = Tenant::shared().await;
    let invited = tenant.invite(json!({ "permissions": ["audit:read:ALL"] })).await;
    let auditor = tenant.admit(&invited["email"]).await;
    let contact = new_contact(&tenant.api, json!({ "name": "Zoé Roy", "email": "zoe@example.com" })).await;
    caught_up(&tenant.api).await;
    assert_eq!(auditor.api.data("query($id: ID!) { contact(id: $id) { id } }", json!({ "id": contact["id"] })).await, json!({ "contact": null }));
    let about = json!({ "entityId": contact["id"] });
    let (seen, masked) = (listed(&tenant.api, &about, 50).await, listed(&auditor.api, &about, 50).await);
    assert_eq!(ids(&seen), ids(&masked));
    let fields = |event: &Value| event["changes"].as_array().unwrap().iter().map(|change| change["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(fields(&seen[0]), fields(&masked[0]));
    assert!(masked[0]["changes"].as_array().unwrap().iter().all(|change| change["newValue"] == MASK && change["newLabel"].is_null()), "{masked:?}");
    assert!(!masked[0].to_string().contains("zoe@example.com"));
    let diff = "query($id: ID!) { auditDiff(entityId: $id, fromVersion: 0, toVersion: 1) { field newValue } }";
    let diff = auditor.api.data(diff, json!({ "id": contact["id"] })).await["auditDiff"].take();
    assert!(diff.as_array().unwrap().iter().all(|change| change["newValue"] == MASK), "{diff}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_in_changes_carry_the_names_of_then() {
    let tenant = Tenant::shared().await;
    let (before, after) = (fresh::word("Before"), fresh::word("After"));
    let status = done(&tenant.api, "contactStatusCreate", json!({ "name": before, "color": "#123456", "order": 500 })).await["contactStatus"].take();
    let team = tenant.team().await;
    let contact = new_contact(&tenant.api, json!({ "teamId": team["id"] })).await;
    changed(&tenant.api, "contactSetStatus", json!({ "id": contact["id"], "statusId": status["id"] })).await;
    done(&tenant.api, "contactStatusUpdate", json!({ "id": status["id"], "expectedVersion": 1, "name": after })).await;
    let person = tenant.appoint(json!({})).await;
    done(&tenant.api, "teamAddMember", json!({ "teamId": team["id"], "agentId": person["id"] })).await;
    done(&tenant.api, "teamUpdate", json!({ "id": team["id"], "expectedVersion": 2, "name": after })).await;
    caught_up(&tenant.api).await;
    let events = of_record(&tenant.api, "Contact", &contact["id"]).await;
    let change = |event: &Value, field: &str| event["changes"].as_array().unwrap().iter().find(|change| change["field"] == field).unwrap().clone();
    let set = change(&events[0], "status");
    assert_eq!((&set["newValue"], &set["newLabel"]), (&status["id"], &json!(before)));
    assert_eq!(set["oldLabel"], "New");
    assert_eq!(change(&events[1], "team")["newLabel"], team["name"]);
    assert!(change(&events[1], "phone")["newLabel"].is_null());
    let joined = of_record(&tenant.api, "Team", &team["id"]).await;
    let joined = change(&joined[1], &format!("members.{}", person["id"].as_str().unwrap()));
    assert_eq!((&joined["newValue"], &joined["newLabel"]), (&json!("AGENT"), &person["name"]));
    let joined = of_record(&tenant.api, "Agent", &person["id"]).await;
    let joined = change(&joined[0], &format!("teams.{}", team["id"].as_str().unwrap()));
    assert_eq!((&joined["newValue"], &joined["newLabel"]), (&json!("AGENT"), &team["name"]));
    let diff = "query($id: ID!) { auditDiff(entityId: $id, fromVersion: 1, toVersion: 2) { field oldLabel newLabel } }";
    let diff = tenant.api.data(diff, json!({ "id": contact["id"] })).await["auditDiff"].take();
    assert_eq!(diff, json!([{ "field": "status", "oldLabel": "New", "newLabel": before }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_record_shows_its_events_which_are_nodes_and_how_it_stood() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let number = fresh::number();
    let contact = new_contact(api, json!({ "phone": number.e164(), "name": "Everything" })).await["id"].take();
    let note = done(api, "contactAddNote", json!({ "id": contact, "body": "A note" })).await["note"]["id"].take();
    let suppression = done(api, "suppressionAdd", json!({ "phone": fresh::number().e164() })).await["suppression"]["id"].take();
    let team = tenant.team().await["id"].take();
    let role = tenant.roles(&["manager"]).await[0].take();
    let person = tenant.appoint(json!({})).await;
    let user = record(api, "agent", &person["id"]).await["user"]["id"].take();
    done(api, "presenceUpdate", json!({ "agentId": person["id"], "status": "BUSY", "reason": "A test" })).await;
    let window = json!({ "agentId": person["id"], "date": "2031-06-02", "startTime": "09:00", "endTime": "17:00" });
    done(api, "scheduleAddWindow", window).await;
    caught_up(api).await;
    let later = "2099-01-01T00:00:00Z";
    for (kind, id, noun, field) in [
        ("Contact", &contact, "contact", "phone"),
        ("Note", &note, "note", "body"),
        ("ContactStatus", &status_id(api, "new").await, "contact_status", "code"),
        ("User", &user, "user", "status"),
        ("Agent", &person["id"], "agent", "name"),
        ("Team", &team, "team", "name"),
        ("Role", &role, "role", "permissions"),
        ("Suppression", &suppression, "suppression", "source"),
    ] {
        let events = of_record(api, kind, id).await;
        let first = events.last().unwrap();
        assert_eq!((&first["entityType"], &first["entityId"], &first["entityVersion"]), (&json!(noun), id, &json!(1)), "{first}");
        assert!(first["recordedAt"].as_str() >= first["at"].as_str(), "{first}");
        let found = api.data("query($id: ID!) { node(id: $id) { id ... on AuditEvent { hash } } }", json!({ "id": first["id"] })).await["node"].take();
        assert_eq!(found, json!({ "id": first["id"], "hash": first["hash"] }));
        let query = format!("query($id: ID!, $time: DateTime!) {{ node(id: $id) {{ ... on {kind} {{ asOf(time: $time) }} }} }}");
        let then = api.data(&query, json!({ "id": id, "time": later })).await["node"]["asOf"].take();
        assert!(then["id"] == *id && !then[field].is_null() && then["version"].is_u64(), "{kind}: {then}");
        let before = api.data(&query, json!({ "id": id, "time": "2000-01-01T00:00:00Z" })).await["node"]["asOf"].take();
        assert!(before.is_null(), "{kind}: {before}");
    }
    let mut of_tenant = api.data(&format!("{{ viewer {{ tenant {{ id auditEvents {{ nodes {{ {EVENT} }} }} asOf(time: \"{later}\") }} }} }}"), json!({})).await["viewer"]
        ["tenant"]
        .take();
    assert_eq!(of_tenant["asOf"]["id"], of_tenant["id"]);
    assert_eq!(of_tenant["auditEvents"]["nodes"].as_array_mut().unwrap().pop().unwrap()["action"], "tenant.created");
    for noun in ["presence", "schedule"] {
        let events = listed(api, &json!({ "entityType": noun, "entityId": person["id"] }), 50).await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((&events[0]["entityType"], &events[0]["entityId"]), (&json!(noun), &person["id"]));
        assert!(events[0]["action"].as_str().unwrap().starts_with(&format!("{noun}.")), "{events:?}");
        let found = api.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": events[0]["id"] })).await["node"].take();
        assert_eq!(found, json!({ "id": events[0]["id"] }));
    }
    let gaps = "query($type: String!, $id: ID) { auditGaps(entityType: $type, entityId: $id) { nodes { entityId version } pageInfo { hasNextPage } } }";
    let whole = json!({ "auditGaps": { "nodes": [], "pageInfo": { "hasNextPage": false } } });
    assert_eq!(api.data(gaps, json!({ "type": "contact", "id": contact })).await, whole);
    assert_eq!(api.data(gaps, json!({ "type": "role" })).await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_on_record_by_its_chunks_which_open_into_their_rows() {
    let (stack, api) = Stack::as_admin().await;
    let rows: Vec<[String; 2]> = (0..30).map(|number| [fresh::number().dashed(), format!("Row {number}")]).collect();
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("rows")), csv("phone,name", &rows)).await;
    let found = eventually("the import is on record from its beginning to its end", AUDIT, async || {
        let found = of_record(&api, "Import", import.id()).await;
        let is_there = |action: &&str| found.iter().any(|event| event["action"] == **action);
        let is_whole = ["import.created", "import.chunk_written", "import.completed"].iter().all(is_there);
        is_whole.then_some(found)
    })
    .await;
    assert_eq!(found.len(), 3);
    let by_import = listed(&api, &json!({ "importId": import.id() }), 2).await;
    assert_eq!(ids(&by_import), ids(&found));
    let chunk = found.iter().find(|event| event["action"] == "import.chunk_written").unwrap();
    assert_eq!((&chunk["entityVersion"], &chunk["importId"]), (&Value::Null, import.id()));
    let query =
        "query($id: ID!, $after: String) { node(id: $id) { ... on AuditEvent { rows(first: 7, after: $after) { nodes { action importId entityId changes { field } }
        pageInfo { hasNextPage endCursor } } } } }";
    let (mut opened, mut after) = (BTreeSet::new(), Value::Null);
    loop {
        let mut page = api.data(query, json!({ "id": chunk["id"], "after": after })).await["node"]["rows"].take();
        for row in page["nodes"].as_array().unwrap() {
            assert_eq!((&row["action"], &row["importId"]), (&json!("contact.created"), import.id()), "{row}");
            assert!(!row["changes"].as_array().unwrap().is_empty());
            assert!(opened.insert(row["entityId"].as_str().unwrap().to_owned()), "each row once");
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
    assert_eq!(opened.len(), 30);
    let lately = listed(&api, &json!({ "from": import.0["createdAt"], "action": "contact.created" }), 100).await;
    assert!(lately.iter().all(|event| !opened.contains(event["entityId"].as_str().unwrap())), "no row stands in the list by time");
    let contact = opened.first().unwrap();
    let of_contact = listed(&api, &json!({ "entityId": contact, "importId": import.id() }), 50).await;
    assert_eq!(of_contact.len(), 1, "but with its contact");
    let nothing = api.data("query($id: ID!) { node(id: $id) { ... on AuditEvent { rows { nodes { id } } } } }", json!({ "id": of_contact[0]["id"] })).await;
    assert_eq!(nothing, json!({ "node": { "rows": null } }));
}
