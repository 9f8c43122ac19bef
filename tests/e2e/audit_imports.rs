//! Imports in the audit trail: that each was made and how it ended, one event for each chunk that was written, and behind it the events of all its rows,
//! which stand in no list by actor or time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::stack::api::Api;
use crate::stack::contacts::{LISTED, ids_of, text};
use crate::stack::drops::{Import, csv, dropped, in_chunks};
use crate::stack::fresh::{self, Number};
use crate::stack::history::AUDIT;
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;

/// Chunks of a file.
const CHUNKS: usize = 3;
/// Rows of each, whose events are more than a page.
const ROWS: usize = 130;
/// An event too many would be there by then.
const ONE_TOO_MANY: Duration = Duration::from_secs(1);
/// SHA-256 of nothing.
const ROOT_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn file(numbers: &[Number], city: impl Fn(usize) -> &'static str, source: &str) -> String {
    let row = |(index, number): (usize, &Number)| format!("{},{},{source}", number.e164(), city(index));
    in_chunks("phone,city,source", &numbers.iter().enumerate().map(row).collect::<Vec<_>>(), ROWS)
}

/// The events of an import, of each action in the order of its chunks, once there are so many; no other follows.
async fn events(api: &Api, import: &Import, count: usize) -> BTreeMap<String, Vec<Value>> {
    let query = "query($id: ID!) { auditEvents(importId: $id, first: 100) { nodes { id action entityType entityId entityVersion outcome severity actor { type id name }
        changes { field oldValue newValue } importId at hash previousHash } pageInfo { hasNextPage } } }";
    let look = async || {
        let mut page = api.data(query, json!({ "id": import.id() })).await["auditEvents"].take();
        assert_eq!(page["pageInfo"]["hasNextPage"], json!(false));
        let Value::Array(events) = page["nodes"].take() else { panic!("no events: {page}") };
        events
    };
    eventually(&format!("{count} events of the import are there"), AUDIT, async || (look().await.len() >= count).then_some(())).await;
    sleep(ONE_TOO_MANY).await;
    let mut events = look().await;
    assert_eq!(events.len(), count, "{events:#?}");
    for event in &events {
        assert_eq!((&event["entityType"], &event["entityId"], &event["importId"]), (&json!("import"), import.id(), import.id()), "{event}");
        assert_eq!((&event["entityVersion"], &event["previousHash"]), (&Value::Null, &Value::Null), "{event}");
        let is_importer = event["actor"] == json!({ "type": "IMPORT", "id": import.id(), "name": import.0["fileName"] });
        assert_eq!(is_importer, event["action"] != "import.created", "{event}");
    }
    events.sort_by_key(|event| said(event)["chunk"].as_u64());
    let mut by_action: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in events {
        by_action.entry(text(&event["action"])).or_default().push(event);
    }
    by_action
}

/// What an event says.
fn said(event: &Value) -> Value {
    let changes = event["changes"].as_array().unwrap().iter();
    Value::Object(changes.map(|change| (text(&change["field"]), change["newValue"].clone())).collect())
}

/// Some of what an import says.
fn fields(import: &Import, names: &[&str]) -> Value {
    Value::Object(names.iter().map(|name| ((*name).to_owned(), import.0[*name].clone())).collect())
}

/// The events of a chunk's rows, by pages.
async fn rows(api: &Api, chunk: &Value) -> Vec<Value> {
    let query = "query($id: ID!, $after: String) { node(id: $id) { ... on AuditEvent { rows(first: 100, after: $after) {
        nodes { action entityType entityId entityVersion actor { type id } importId changes { field oldValue newValue } hash } pageInfo { hasNextPage endCursor } } } } }";
    let (mut rows, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(query, json!({ "id": chunk["id"], "after": after })).await["node"]["rows"].take();
        let Value::Array(nodes) = page["nodes"].take() else { panic!("no rows: {page}") };
        assert!(nodes.len() <= 100);
        rows.extend(nodes);
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            return rows;
        }
    }
}

/// The contacts behind the events of chunks, each once. Every chunk opens into as many rows as it says.
async fn opened(api: &Api, import: &Import, chunks: &[Value], action: &str, version: u64) -> BTreeSet<String> {
    let mut contacts = BTreeSet::new();
    for chunk in chunks {
        let rows = rows(api, chunk).await;
        assert_eq!(json!(rows.len()), said(chunk)["rows"], "{chunk}");
        for row in &rows {
            assert_eq!((&row["action"], &row["entityType"], &row["entityVersion"]), (&json!(action), &json!("contact"), &json!(version)), "{row}");
            assert_eq!((&row["actor"], &row["importId"]), (&json!({ "type": "IMPORT", "id": import.id() }), import.id()), "{row}");
            assert!(contacts.insert(text(&row["entityId"])), "twice: {row}");
        }
    }
    contacts
}

#[tokio::test(flavor = "multi_thread")]
async fn every_chunk_that_is_written_has_one_event_which_opens_into_all_its_rows() {
    let tenant = Tenant::new().await;
    let (api, name, source) = (&tenant.api, format!("{}.csv", fresh::word("chunks")), fresh::word("source"));
    let numbers = fresh::numbers((CHUNKS * ROWS) as u64);
    let first = dropped(&tenant.stack, api, &tenant.slug, &name, file(&numbers, |_| "Laval", &source)).await;
    assert_eq!(first.counts().created, numbers.len() as u64, "{first:?}");
    let found = events(api, &first, 5).await;
    let [made] = &found["import.created"][..] else { panic!("{found:#?}") };
    let asked = fields(&first, &["kind", "sourceType", "sourcePlatform", "fileName", "fileBytes"]);
    assert_eq!((said(made), &made["actor"]["type"], &made["at"]), (asked, &json!("SYSTEM"), &first.0["createdAt"]));
    let [end] = &found["import.completed"][..] else { panic!("{found:#?}") };
    let counted = fields(&first, &["rowsTotal", "rowsCreated", "rowsUpdated", "rowsUnchanged", "rowsSkipped", "rowsFailed"]);
    assert_eq!((said(end), &end["outcome"], &end["at"]), (counted, &json!("SUCCESS"), &first.0["finishedAt"]));
    let chunks = &found["import.chunk_written"];
    let mut roots = BTreeSet::new();
    for (number, chunk) in chunks.iter().enumerate() {
        let mut said = said(chunk);
        let root = text(&said["root"].take());
        assert_eq!(said, json!({ "chunk": number + 1, "rows": ROWS, "root": null }));
        assert!(root.len() == 64 && root.bytes().all(|byte| byte.is_ascii_hexdigit()), "{chunk}");
        roots.insert(root);
    }
    assert_eq!((chunks.len(), roots.len()), (CHUNKS, CHUNKS), "{chunks:#?}");

    let contacts = eventually("all are listed", LISTED, async || {
        let contacts = ids_of(api, &json!({ "source": source })).await;
        (contacts.len() == numbers.len()).then_some(contacts)
    })
    .await;
    assert_eq!(opened(api, &first, chunks, "contact.created", 1).await, contacts);
    // The rows stand in no list; the record has its own.
    let query =
        "query($actor: ID, $record: ID, $import: ID, $action: String) { auditEvents(actorId: $actor, entityId: $record, importId: $import, action: $action, first: 100) {
        nodes { action entityId } pageInfo { hasNextPage } } }";
    let created = "contact.created";
    for arguments in [json!({ "action": created }), json!({ "action": created, "actor": first.id() })] {
        assert_eq!(api.data(query, arguments).await["auditEvents"], json!({ "nodes": [], "pageInfo": { "hasNextPage": false } }));
    }
    let by_import = api.data(query, json!({ "actor": first.id() })).await["auditEvents"]["nodes"].take();
    assert_eq!(by_import.as_array().unwrap().len(), CHUNKS + 1, "its chunks and its end: {by_import}");
    let contact = json!(contacts.first());
    let of_contact = api.data(query, json!({ "record": contact, "import": first.id() })).await["auditEvents"]["nodes"].take();
    assert_eq!(of_contact, json!([{ "action": created, "entityId": contact }]));
    assert!(api.data("query($id: ID!) { node(id: $id) { ... on AuditEvent { rows { nodes { id } } } } }", json!({ "id": end["id"] })).await["node"]["rows"].is_null());

    // What finds everything as it should be writes nothing: its chunks stand for no rows.
    let behind = (CHUNKS - 1) * ROWS;
    let second = dropped(&tenant.stack, api, &tenant.slug, &name, file(&numbers, |index| if index < behind { "Laval" } else { "Gatineau" }, &source)).await;
    assert_eq!(second.counts().updated, ROWS as u64, "{second:?}");
    let found = events(api, &second, 5).await;
    let chunks = &found["import.chunk_written"];
    let counts: Vec<Value> = chunks.iter().map(|chunk| said(chunk)["rows"].take()).collect();
    assert_eq!(counts, [json!(0), json!(0), json!(ROWS)]);
    assert!(chunks[..2].iter().all(|chunk| said(chunk)["root"] == ROOT_OF_NOTHING), "{chunks:#?}");
    assert_eq!(opened(api, &second, chunks, "contact.updated", 2).await.len(), ROWS);
    let changes = json!([{ "field": "city", "oldValue": "Laval", "newValue": "Gatineau" }]);
    assert!(rows(api, &chunks[2]).await.iter().all(|row| row["changes"] == changes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_can_not_be_imported_is_on_record_as_rejected_without_a_word_of_what_is_in_it() {
    let tenant = Tenant::shared().await;
    let name = format!("{}.csv", fresh::word("rejected"));
    let import = dropped(&tenant.stack, &tenant.api, &tenant.slug, &name, csv("nothing,nowhere", &[["Somebody".to_owned(), "Elsewhere".to_owned()]])).await;
    assert_eq!(import.status(), "FAILED", "{import:?}");
    let found = events(&tenant.api, &import, 2).await;
    let [made] = &found["import.created"][..] else { panic!("{found:#?}") };
    let [end] = &found["import.rejected"][..] else { panic!("{found:#?}") };
    assert_eq!((&made["outcome"], &end["outcome"], &end["severity"]), (&json!("SUCCESS"), &json!("DENIED"), &json!("WARNING")));
    assert!(!json!(found).to_string().contains("nowhere"), "{found:#?}");
}
