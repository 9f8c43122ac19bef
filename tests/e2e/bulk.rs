//! Bulk actions on whatever a filter means: as a job with progress, an outcome for each contact, and an event for each change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::api::{Api, inside, tenant_of};
use crate::stack::contacts::{agent_of, contact, contact_with, eventually_lists, ids, ids_of, imported, new_contact, some_team, status_id, text, walk};
use crate::stack::drops::{Counts, dropped};
use crate::stack::fresh;
use crate::stack::history::{caught_up, history};
use crate::stack::jobs::{completed, counts, ended, job, outcomes};
use crate::stack::mutations::{changed, done, error, refusal, refused, with_fragments};
use crate::stack::waiting::eventually;
use crate::stack::{Stack, setting};

#[tokio::test(flavor = "multi_thread")]
async fn an_action_takes_what_it_needs_and_nothing_else() {
    let (_, api) = Stack::as_admin().await;
    let (agent, status, team) = (agent_of(&api).await, status_id(&api, "attempted").await, some_team(&api).await["id"].take());
    let filter = json!({ "source": fresh::word("nowhere") });
    for (input, field) in [
        (json!({ "action": "ASSIGN" }), "assigneeId"),
        (json!({ "action": "ASSIGN", "assigneeId": agent, "statusId": status }), "statusId"),
        (json!({ "action": "ASSIGN", "assigneeId": agent, "fromAssigneeId": agent }), "fromAssigneeId"),
        (json!({ "action": "ASSIGN", "assigneeId": "nonsense" }), "assigneeId"),
        (json!({ "action": "ASSIGN", "teamId": "nonsense" }), "teamId"),
        (json!({ "action": "ASSIGN", "assigneeId": agent, "teamId": team }), "teamId"),
        (json!({ "action": "MOVE", "assigneeId": agent }), "fromAssigneeId"),
        (json!({ "action": "MOVE", "fromAssigneeId": agent }), "assigneeId"),
        (json!({ "action": "UNASSIGN", "assigneeId": agent }), "assigneeId"),
        (json!({ "action": "SET_STATUS" }), "statusId"),
        (json!({ "action": "SET_STATUS", "statusId": "nonsense" }), "statusId"),
        (json!({ "action": "SET_STATUS", "statusId": status, "teamId": team }), "teamId"),
        (json!({ "action": "DELETE", "statusId": status }), "statusId"),
        (json!({ "action": "EXPORT", "assigneeId": agent }), "assigneeId"),
    ] {
        let mut input = input;
        input["filter"] = filter.clone();
        let errors = refused(&api, "contactBulk", input.clone()).await;
        assert_eq!(errors.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), [field], "{input}");
    }
    let wrong = refused(&api, "contactBulk", json!({ "action": "EXPORT", "filter": { "statusIds": ["nonsense"] } })).await;
    assert_eq!(wrong, error("filter/statusIds", "NOT_FOUND"));
    assert_eq!(refusal(&api, "contactBulk", json!({ "action": "EXPLODE" })).await, "BAD_REQUEST");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_job_is_null_and_can_not_be_cancelled() {
    let (_, api) = Stack::as_admin().await;
    let absent = json!(data_encoding::BASE64URL_NOPAD.encode(b"bulk_job:00000000000000000000000000"));
    for id in [json!("nonsense"), absent, agent_of(&api).await] {
        assert!(job(&api, &id).await.is_null());
        assert_eq!(refusal(&api, "bulkJobCancel", json!({ "id": id })).await, "NOT_FOUND");
    }
    for first in [0, 101] {
        assert_eq!(api.refusal("query($first: Int) { bulkJobs(first: $first) { nodes { id } } }", json!({ "first": first })).await, "LIMIT_EXCEEDED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_of_a_filter_are_assigned_each_with_its_outcome_and_its_event() {
    let (stack, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(230);
    let (_, source) = imported(&stack, &api, &numbers).await;
    let agent = agent_of(&stack.sign_in("telephonist2@demo.test").await).await;
    let filter = json!({ "source": source });
    let listed = ids(&walk(&api, &filter, "NEWEST", 100).await);
    let key = fresh::word("key");
    let input = json!({ "filter": filter, "action": "ASSIGN", "assigneeId": agent, "idempotencyKey": key });
    let begun = done(&api, "contactBulk", input.clone()).await["job"].take();
    assert_eq!((&begun["action"], &begun["createdBy"]["type"]), (&json!("ASSIGN"), &json!("USER")));
    assert_eq!(done(&api, "contactBulk", input).await["job"]["id"], begun["id"], "the same key is the same job");
    let other = refused(&api, "contactBulk", json!({ "filter": filter, "action": "UNASSIGN", "idempotencyKey": key })).await;
    assert_eq!(other, error("idempotencyKey", "CONFLICT"));

    let job = ended(&api, &begun["id"]).await;
    assert_eq!((&job["status"], counts(&job)), (&json!("COMPLETED"), [230, 0, 0]), "{job}");
    assert!(job["createdAt"].as_str() <= job["startedAt"].as_str() && job["startedAt"].as_str() <= job["finishedAt"].as_str(), "{job}");
    let outcomes = outcomes(&api, &job["id"], 100).await;
    assert!(outcomes.iter().all(|outcome| outcome["outcome"] == "CHANGED" && outcome["message"].is_null()), "{outcomes:?}");
    assert_eq!((outcomes.len(), outcomes.iter().map(|outcome| text(&outcome["contactId"])).collect::<BTreeSet<_>>()), (230, listed.clone()), "each once");
    eventually_lists(&api, &json!({ "source": source, "assigneeIds": [agent] }), &listed).await;
    caught_up(&api).await;
    let viewer = api.data("{ viewer { user { id } } }", json!({})).await["viewer"]["user"]["id"].take();
    for number in numbers.iter().step_by(23) {
        let contact = contact_with(&api, *number).await;
        assert_eq!((&contact["version"], &contact["assignee"]["id"]), (&json!(2), &agent));
        let events = history(&api, &contact["id"]).await;
        assert_eq!((events.len(), &events[0]["actor"]["id"]), (2, &viewer));
        assert_eq!(events[0]["changes"], json!([{ "field": "assignee", "oldValue": null, "newValue": agent }]));
    }
    let again = completed(&api, json!({ "filter": filter, "action": "ASSIGN", "assigneeId": agent })).await;
    assert_eq!(counts(&again), [0, 230, 0], "who has them already has them");
    assert_eq!(contact_with(&api, numbers[0]).await["version"], 2);

    let jobs = api.data(&with_fragments("{ bulkJobs(first: 100) { nodes { ...job } pageInfo { hasNextPage } } }"), json!({})).await["bulkJobs"]["nodes"].take();
    let place = |id: &Value| jobs.as_array().unwrap().iter().position(|job| job["id"] == *id).unwrap();
    assert!(place(&again["id"]) < place(&job["id"]), "newest first");
    let node = api.data("query($id: ID!) { node(id: $id) { id __typename } }", json!({ "id": job["id"] })).await["node"].take();
    assert_eq!(node, json!({ "id": job["id"], "__typename": "BulkJob" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_moved_unassigned_given_a_status_and_deleted() {
    let (stack, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let [mine, theirs] = [agent_of(&api).await, agent_of(&stack.sign_in("telephonist@demo.test").await).await];
    let (team, status) = (some_team(&api).await["id"].take(), status_id(&api, "do_not_call").await);
    let mut contacts = Vec::new();
    for assignee in [&mine, &mine, &theirs, &Value::Null] {
        contacts.push(new_contact(&api, json!({ "source": source, "assigneeId": assignee })).await["id"].take());
    }
    let filter = json!({ "source": source });
    let now = async |field: &str| {
        let mut values = Vec::new();
        for id in &contacts {
            let contact = contact(&api, id).await;
            values.push(if field == "status" || field == "deletedAt" || field == "doNotCall" { contact[field].clone() } else { contact[field]["id"].clone() });
        }
        values
    };
    let moved = completed(&api, json!({ "filter": filter, "action": "MOVE", "fromAssigneeId": mine, "assigneeId": theirs })).await;
    assert_eq!(counts(&moved)[0], 2, "{moved}");
    assert_eq!(now("assignee").await, [theirs.clone(), theirs.clone(), theirs.clone(), Value::Null]);
    let pooled = completed(&api, json!({ "filter": { "source": source, "assigneeIds": [theirs] }, "action": "MOVE", "fromAssigneeId": theirs, "teamId": team })).await;
    assert_eq!(counts(&pooled)[0], 3, "{pooled}");
    assert_eq!(now("team").await, [team.clone(), team.clone(), team.clone(), Value::Null]);
    let unassigned = completed(&api, json!({ "filter": filter, "action": "UNASSIGN" })).await;
    assert_eq!(counts(&unassigned), [3, 1, 0]);
    assert_eq!(now("team").await, vec![Value::Null; 4]);
    let set = completed(&api, json!({ "filter": filter, "action": "SET_STATUS", "statusId": status })).await;
    assert_eq!(counts(&set), [4, 0, 0]);
    assert_eq!(now("doNotCall").await, vec![json!(true); 4]);
    let deleted = completed(&api, json!({ "filter": filter, "action": "DELETE" })).await;
    assert_eq!(counts(&deleted), [4, 0, 0]);
    assert!(now("deletedAt").await.iter().all(Value::is_string));
    eventually_lists(&api, &filter, &BTreeSet::new()).await;
    eventually_lists(&api, &json!({ "source": source, "includeDeleted": true }), &contacts.iter().map(text).collect()).await;
    let nothing = completed(&api, json!({ "filter": filter, "action": "DELETE" })).await;
    assert_eq!(counts(&nothing), [0, 0, 0], "a filter that means nobody is done at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_stops_keeps_what_it_did_and_is_not_cancelled_twice() {
    let (stack, api) = Stack::as_admin().await;
    let (_, source) = imported(&stack, &api, &fresh::numbers(2_500)).await;
    let agent = agent_of(&api).await;
    let begun = done(&api, "contactBulk", json!({ "filter": { "source": source }, "action": "ASSIGN", "assigneeId": agent })).await["job"].take();
    let cancelled = done(&api, "bulkJobCancel", json!({ "id": begun["id"] })).await["job"].take();
    assert_eq!(cancelled["id"], begun["id"]);
    let job = ended(&api, &begun["id"]).await;
    assert_eq!(job["status"], "CANCELLED", "{job}");
    let assigned = json!({ "source": source, "assigneeIds": [agent] });
    // What was under way when it was cancelled is still counted.
    let after = eventually("as many are assigned as the job says", Duration::from_secs(30), async || {
        let job = crate::stack::jobs::job(&api, &begun["id"]).await;
        (ids_of(&api, &assigned).await.len() as u64 == counts(&job)[0]).then_some(job)
    })
    .await;
    assert!(counts(&after)[0] < 2_500, "it was stopped before its end: {after}");
    assert_eq!(refused(&api, "bulkJobCancel", json!({ "id": begun["id"] })).await, error("id", "FORBIDDEN_TRANSITION"));

    let rest = completed(&api, json!({ "filter": { "source": source }, "action": "ASSIGN", "assigneeId": agent })).await;
    assert_eq!((counts(&rest)[0] + counts(&rest)[1], counts(&rest)[1]), (2_500, counts(&after)[0]), "another job does the rest");
    assert_eq!(refused(&api, "bulkJobCancel", json!({ "id": rest["id"] })).await, error("id", "FORBIDDEN_TRANSITION"));
}

/// The rows of a file of comma-separated values, the header included.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            letter => cell.push(letter),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[test]
fn quoted_cells_are_read_as_they_were_meant() {
    assert_eq!(rows("a,\"b \"\"c\"\"\nd\",\r\n1,,2"), [vec!["a", "b \"c\"\nd", ""], vec!["1", "", "2"]]);
}

/// Exports what a filter means; the file.
async fn exported(stack: &Stack, api: &Api, filter: Value) -> (Value, String) {
    let job = completed(api, json!({ "filter": filter, "action": "EXPORT" })).await;
    assert!(job["fileExpiresAt"].is_string(), "{job}");
    let response = stack.http.get(text(&job["fileUrl"])).send().await.unwrap();
    assert_eq!(response.status(), 200);
    (job, response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_file_runs_no_formula_and_imported_again_changes_nothing() {
    let (stack, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let dangerous = ["=1+1", "+CMD|' /C calc'!A0", "-2+3", "@SUM(1)", "Zoé \"Zo\", Gélinas", "'quoted", "plain", "=HYPERLINK(\"http://example.com\")"];
    let mut contacts: BTreeMap<String, Value> = BTreeMap::new();
    for (index, name) in dangerous.iter().enumerate() {
        let number = fresh::number();
        let input = json!({
            "phone": number.e164(), "name": name, "city": name, "address": format!("{index} rue, app. \"A\""), "email": format!("{}@example.com", fresh::word("export")),
            "source": source, "postalCode": "H3A 1B2", "alternatePhones": [fresh::number().e164()], "phoneExtension": "12", "timeZone": "America/Halifax",
            "attributes": { "Remark": name },
        });
        contacts.insert(number.e164(), new_contact(&api, input).await);
    }
    let gone = new_contact(&api, json!({ "source": source, "name": "Deleted" })).await;
    changed(&api, "contactDelete", json!({ "id": gone["id"], "expectedVersion": 1 })).await;
    eventually_lists(&api, &json!({ "source": source }), &ids(contacts.values())).await;

    let (_, file) = exported(&stack, &api, json!({ "source": source })).await;
    let rows = rows(&file);
    assert_eq!(rows.len(), contacts.len() + 1, "a header and a row for each: {file}");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{file}");
    for cell in rows.iter().flatten() {
        let is_number = cell.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(is_number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a spreadsheet would run {cell:?}");
    }
    for number in contacts.keys() {
        assert!(rows.iter().flatten().any(|cell| cell.contains(number.trim_start_matches('+'))), "{number} is not in {file}");
    }
    assert!(!file.contains("Deleted"), "{file}");

    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("reimport")), file.clone()).await;
    let total = contacts.len() as u64;
    assert_eq!(import.counts(), Counts { total, unchanged: total, ..Counts::default() }, "{file}");
    for before in contacts.values() {
        assert_eq!(contact(&api, &before["id"]).await, *before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_and_a_yes_or_no_come_back_as_what_they_were() {
    let (stack, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let input = json!({ "source": source, "attributes": { "Rooms": 7, "Price": -12.5, "Owner": true, "Tenant": false, "Code": "007", "Yes": "true" } });
    let before = new_contact(&api, input).await;
    let (_, file) = exported(&stack, &api, json!({ "source": source })).await;
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("typed")), file.clone()).await;
    assert_eq!(import.counts(), Counts { total: 1, unchanged: 1, ..Counts::default() }, "{file}");
    assert_eq!(contact(&api, &before["id"]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_hundreds_is_one_file_that_lies_under_its_tenant() {
    let (stack, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(320);
    let (_, source) = imported(&stack, &api, &numbers).await;
    let (job, file) = exported(&stack, &api, json!({ "source": source })).await;
    assert_eq!((&job["action"], rows(&file).len()), (&json!("EXPORT"), 321));
    let digits: BTreeSet<String> = numbers.iter().map(|number| number.e164()[1..].to_owned()).collect();
    let found: BTreeSet<String> =
        rows(&file)[1..].iter().flatten().map(|cell| cell.trim_start_matches(['\'', '+']).to_owned()).filter(|cell| digits.contains(cell)).collect();
    assert_eq!(found, digits, "each is in it");
    let prefix = format!("exports/{}/", tenant_of(&api).await);
    let listed = stack.s3().list_objects_v2().bucket(setting("RESULTS_BUCKET")).prefix(&prefix).send().await.unwrap();
    let own = inside(&job["id"]).1;
    assert!(listed.contents().iter().any(|object| object.key().is_some_and(|key| key.contains(&own))), "its file lies under its tenant: {prefix}");
}
