//! The life of an import: its columns are mapped, its rows checked and looked at, then written; it is stopped and goes on, its failed rows come back mended, and what it did
//! is undone.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::Api;
use crate::stack::contacts::{contact_with, ids, new_contact, text};
use crate::stack::drops::{self, Counts, csv, dropped, in_chunks};
use crate::stack::fresh::{self, Number};
use crate::stack::history::{AUDIT, caught_up, contacts_at, events};
use crate::stack::imports::{checked, counts, import, import_that, send, settled, started, uploaded};
use crate::stack::mutations::{changed, done, error, mutate, refused};
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;

/// Chunks of a file that is stopped in the middle: more than are written at once.
const CHUNKS: usize = 9;
/// Rows of each.
const ROWS: usize = 200;
/// Rows of a whole chunk, which take some seconds to write.
const CHUNK_ROWS: u64 = 5_000;
/// A worker looks every second whether it is to stop; the rest is for a slow machine.
const SECONDS: Duration = Duration::from_secs(15);
/// How often is tried to stop an import before its end.
const ATTEMPTS: usize = 5;

/// What is asked of an import that waits.
const LOOK: &str = "query($id: ID!) { import(id: $id) {
    preview { columns rows { rowNumber values outcome errors { rowNumber field value code isWarning } } }
    errors(first: 10) { nodes { rowNumber field value code message isWarning } } errorsFileUrl } }";

async fn look(api: &Api, id: &Value) -> Value {
    api.data(LOOK, json!({ "id": id })).await["import"].take()
}

/// What the first rows would do, in their order.
fn outcomes(look: &Value) -> Vec<&str> {
    look["preview"]["rows"].as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap()).collect()
}

async fn name_at(api: &Api, number: Number) -> Value {
    contact_with(api, number).await["name"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_mapped_checked_looked_at_written_and_its_failed_rows_come_back_mended() {
    let (stack, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(4);
    let existing = new_contact(&api, json!({ "phone": numbers[1].e164(), "name": "Before" })).await;
    let row = |name: &str, number: &str| [name.to_owned(), number.to_owned()];
    // Too few of the numbers are any, so that nothing tells which column has them.
    let rows =
        [row("Overtaken", &numbers[0].dashed()), row("After", &numbers[1].dashed()), row("Bad", "12"), row("Overtaking", &numbers[0].dashed()), row("Bad too", "34")];
    let waiting = uploaded(&stack, &api, json!({ "fileName": "people.csv" }), &csv("ref,chiffres", &rows)).await;
    let id = &waiting["id"];
    assert_eq!((&waiting["status"], &waiting["rowsTotal"], &waiting["isChecked"]), (&json!("AWAITING_MAPPING"), &json!(5), &json!(false)));
    for mutation in ["importStart", "importDryRun"] {
        assert_eq!(refused(&api, mutation, json!({ "id": id })).await, error("id", "FORBIDDEN_TRANSITION"), "{mutation}");
    }
    for (column, field, place, code) in [
        ("numéro", "phone", "columns/1/column", "NOT_FOUND"),
        ("chiffres", "telephone", "columns/1/field", "INVALID"),
        ("chiffres", "employeeId", "columns/1/field", "INVALID"),
        ("chiffres", "name", "columns/1/field", "CONFLICT"),
    ] {
        let columns = json!([{ "column": "ref", "field": "name" }, { "column": column, "field": field }]);
        assert_eq!(refused(&api, "importSetMapping", json!({ "id": id, "columns": columns })).await, error(place, code), "{column} {field}");
    }
    let country = json!({ "id": id, "columns": [], "defaultCountry": "ZZ" });
    assert_eq!(refused(&api, "importSetMapping", country).await, error("defaultCountry", "INVALID"));

    let columns = json!([{ "column": "chiffres", "field": "phone" }, { "column": "ref", "field": "name" }]);
    let ready = done(&api, "importSetMapping", json!({ "id": id, "columns": columns })).await["import"].take();
    assert_eq!(ready["status"], "READY");
    let mapped: Vec<(&Value, &Value)> = ready["mapping"].as_array().unwrap().iter().map(|column| (&column["field"], &column["confidence"])).collect();
    assert_eq!(mapped, [(&json!("name"), &json!(1.0)), (&json!("phone"), &json!(1.0))]);
    let before = look(&api, id).await;
    assert_eq!(before["preview"]["columns"], json!(["ref", "chiffres"]));
    assert_eq!(outcomes(&before), ["SKIP", "UPDATE", "FAIL", "CREATE", "FAIL"]);
    assert_eq!(before["preview"]["rows"][2]["errors"], json!([{ "rowNumber": 3, "field": "phone", "value": "12", "code": "INVALID", "isWarning": false }]));
    assert_eq!((&before["errors"]["nodes"], &before["errorsFileUrl"]), (&json!([]), &Value::Null), "nothing is known before the check");

    done(&api, "importDryRun", json!({ "id": id })).await;
    let dry = checked(&api, id).await;
    assert_eq!((counts(&dry), &dry["progress"]), ([5, 0, 0, 0, 1, 2], &json!(0.5)));
    let after = look(&api, id).await;
    assert_eq!(outcomes(&after), outcomes(&before));
    let found: Vec<&Value> = after["errors"]["nodes"].as_array().unwrap().iter().map(|error| &error["rowNumber"]).collect();
    assert_eq!(found, [&json!(3), &json!(5)]);
    assert!(after["errorsFileUrl"].is_string());
    assert_eq!((name_at(&api, numbers[0]).await, name_at(&api, numbers[1]).await), (Value::Null, json!("Before")), "a check writes nothing");

    let ended = started(&api, id).await;
    assert_eq!((&ended["status"], counts(&ended), &ended["progress"]), (&json!("COMPLETED_WITH_ERRORS"), [5, 1, 1, 0, 1, 2], &json!(1.0)));
    assert_eq!((name_at(&api, numbers[0]).await, name_at(&api, numbers[1]).await), (json!("Overtaking"), json!("After")));
    assert_eq!(contact_with(&api, numbers[1]).await["id"], existing["id"]);
    let look = look(&api, id).await;
    assert!(look["preview"].is_null(), "{look}");
    assert_eq!(refused(&api, "importStart", json!({ "id": id })).await, error("id", "FORBIDDEN_TRANSITION"));

    let file = stack.http.get(look["errorsFileUrl"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(file.status(), 200);
    let failed = file.text().await.unwrap();
    let lines: Vec<&str> = failed.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!((lines[0], lines.len()), ("ref,chiffres,error_field,error_reason", 3), "{failed}");
    assert!(lines[1].starts_with("Bad,12,phone,") && lines[2].starts_with("Bad too,34,phone,"), "{failed}");
    let mended = failed.replace("Bad,12,", &format!("Mended,{},", numbers[2].dashed())).replace("Bad too,34,", &format!("Mended too,{},", numbers[3].dashed()));
    let again = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("mended")), mended).await;
    assert_eq!(again.counts(), Counts { total: 2, created: 2, ..Counts::default() });
    for contact in contacts_at(&api, &numbers[2..]).await {
        assert_eq!(contact["attributes"].as_object().unwrap().keys().collect::<Vec<_>>(), ["ref"], "what was wrong with a row is nothing of its contact: {contact}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_not_checked_is_checked_when_it_is_started_and_started_once() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    let ready = uploaded(&stack, &api, json!({ "fileName": "people.csv" }), &csv("phone,name", &[[number.dashed(), "Somebody".to_owned()]])).await;
    let id = &ready["id"];
    for _ in 0..3 {
        mutate(&api, "importStart", json!({ "id": id })).await;
    }
    let ended = settled(&api, id).await;
    assert_eq!((&ended["status"], counts(&ended)), (&json!("COMPLETED"), [1, 1, 0, 0, 0, 0]));
    caught_up(&api).await;
    let contact = &contacts_at(&api, &[number]).await[0];
    assert_eq!((&contact["version"], events(contact).len()), (&json!(1), 1));
}

/// The rows of people with these numbers.
fn rows(numbers: &[Number]) -> Vec<String> {
    numbers.iter().map(|number| format!("{},Somebody", number.e164())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_stopped_keeps_what_it_wrote_and_goes_on_where_it_stopped() {
    let (stack, api) = Stack::as_admin().await;
    for _ in 0..ATTEMPTS {
        let numbers = fresh::numbers((CHUNKS * ROWS) as u64);
        let all = numbers.len() as u64;
        let ready = uploaded(&stack, &api, json!({ "fileName": "people.csv" }), &in_chunks("phone,name", &rows(&numbers), ROWS)).await;
        let id = &ready["id"];
        done(&api, "importStart", json!({ "id": id })).await;
        import_that(&api, id, "has written something", |import| import["rowsCreated"].as_u64() > Some(0)).await;
        let stopped = mutate(&api, "importCancel", json!({ "id": id })).await["import"].take();
        if stopped.is_null() || counts(&stopped)[1] == all {
            continue;
        }
        assert!(stopped["status"] == "CANCELLED" && stopped["finishedAt"].is_string(), "{stopped}");
        assert_eq!(refused(&api, "importCancel", json!({ "id": id })).await, error("id", "FORBIDDEN_TRANSITION"));

        let ended = started(&api, id).await;
        assert_eq!((&ended["status"], counts(&ended)), (&json!("COMPLETED"), [all, all, 0, 0, 0, 0]));
        let looked_at = [numbers[0], numbers[ROWS], numbers[numbers.len() - 1]];
        assert!(contacts_at(&api, &looked_at).await.iter().all(|contact| contact["version"] == 1));
        return;
    }
    panic!("none of {ATTEMPTS} could be stopped before it had ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_rows_of_an_import_that_is_stopped_leaves_within_seconds_in_the_middle_of_a_chunk() {
    let tenant = Tenant::new().await;
    let (stack, api) = (&tenant.stack, &tenant.api);
    for _ in 0..ATTEMPTS {
        let numbers = fresh::numbers(CHUNK_ROWS);
        let file = in_chunks("phone,name", &rows(&numbers), numbers.len());
        let ready = uploaded(stack, api, json!({ "fileName": "people.csv" }), &file).await;
        let id = &ready["id"];
        done(api, "importStart", json!({ "id": id })).await;
        eventually("the first row is written", AUDIT, async || (!contact_with(api, numbers[0]).await.is_null()).then_some(())).await;
        let asked = Instant::now();
        if mutate(api, "importCancel", json!({ "id": id })).await["import"].is_null() {
            continue;
        }
        let left = import_that(api, id, "counts what was written", |import| counts(import)[1] > 0).await;
        let (took, [all, written, ..]) = (asked.elapsed(), counts(&left));
        if written == all {
            continue;
        }
        assert_eq!((&left["status"], all), (&json!("CANCELLED"), CHUNK_ROWS));
        assert!(took < SECONDS, "{took:?}");
        let last = usize::try_from(written).unwrap();
        assert!(!contact_with(api, numbers[last - 1]).await.is_null() && contact_with(api, numbers[last]).await.is_null(), "{left}");

        let ended = started(api, id).await;
        assert_eq!((&ended["status"], counts(&ended)), (&json!("COMPLETED"), [all, all, 0, 0, 0, 0]));
        return;
    }
    panic!("none of {ATTEMPTS} could be stopped before its chunk was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_stopped_before_it_is_started_writes_nothing_and_can_be_started_after_all() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    let ready = uploaded(&stack, &api, json!({ "fileName": "people.csv" }), &csv("phone,name", &[[number.dashed(), "Somebody".to_owned()]])).await;
    let id = &ready["id"];
    assert_eq!(done(&api, "importCancel", json!({ "id": id })).await["import"]["status"], "CANCELLED");
    assert_eq!(refused(&api, "importRevert", json!({ "id": id })).await, error("id", "FORBIDDEN_TRANSITION"), "it wrote nothing");
    assert!(contact_with(&api, number).await.is_null());
    assert_eq!(counts(&started(&api, id).await), [1, 1, 0, 0, 0, 0]);

    let made = done(&api, "importCreate", json!({ "fileName": "people.csv", "fileBytes": 100 })).await;
    let id = &made["import"]["id"];
    done(&api, "importCancel", json!({ "id": id })).await;
    assert_eq!(refused(&api, "importStart", json!({ "id": id })).await, error("id", "FORBIDDEN_TRANSITION"), "its file never came");
    assert_eq!(send(&stack, &made["upload"], "phone\n").await.0, 204, "the form works for an hour, and what comes late is nobody's");
    assert_eq!(import(&api, id).await["status"], "CANCELLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_are_listed_by_where_they_stand_and_by_what_they_bring() {
    let (stack, api) = Stack::as_admin().await;
    let file = csv("phone,name", &[[fresh::number().dashed(), "Somebody".to_owned()]]);
    let mut waiting = Vec::new();
    for _ in 0..2 {
        waiting.push(uploaded(&stack, &api, json!({ "fileName": "people.csv" }), &file).await["id"].clone());
    }
    let numbers = csv("phone,reason", &[[fresh::number().dashed(), "Asked".to_owned()]]);
    let suppressions = uploaded(&stack, &api, json!({ "fileName": "numbers.csv", "kind": "SUPPRESSIONS" }), &numbers).await["id"].clone();
    let query = "query($status: [ImportStatus!], $kind: ImportKind, $first: Int, $after: String) {
        imports(first: $first, after: $after, status: $status, kind: $kind) { nodes { id status kind } pageInfo { hasNextPage endCursor } } }";
    let listed = async |status: Value, kind: Value| api.data(query, json!({ "status": status, "kind": kind, "first": 100 })).await["imports"]["nodes"].take();
    let has = |nodes: &Value, id: &Value| nodes.as_array().unwrap().iter().any(|node| node["id"] == *id);
    for (status, kind, holds_contacts, holds_suppressions) in [
        (json!(["READY"]), json!("CONTACTS"), true, false),
        (json!(["READY", "FAILED"]), Value::Null, true, true),
        (Value::Null, json!("SUPPRESSIONS"), false, true),
        (json!(["READY"]), json!("AGENTS"), false, false),
        (json!(["AWAITING_MAPPING"]), json!("CONTACTS"), false, false),
    ] {
        let nodes = listed(status.clone(), kind.clone()).await;
        let held = (waiting.iter().all(|id| has(&nodes, id)), has(&nodes, &suppressions));
        assert_eq!(held, (holds_contacts, holds_suppressions), "{status} {kind}: {nodes}");
        for node in nodes.as_array().unwrap() {
            assert!(status.is_null() || status.as_array().unwrap().contains(&node["status"]), "{node}");
            assert!(kind.is_null() || node["kind"] == kind, "{node}");
        }
    }

    let page = api.data(query, json!({ "status": ["READY"], "kind": "CONTACTS", "first": 1 })).await["imports"].take();
    assert!(page["nodes"].as_array().unwrap().len() == 1 && page["pageInfo"]["hasNextPage"] == true, "{page}");
    let after = &page["pageInfo"]["endCursor"];
    let next = api.data(query, json!({ "status": ["READY"], "kind": "CONTACTS", "first": 1, "after": after })).await["imports"].take();
    assert_ne!(next["nodes"][0]["id"], page["nodes"][0]["id"]);
    assert_eq!(api.refusal(query, json!({ "status": ["FAILED"], "after": after })).await, "BAD_CURSOR", "a cursor belongs to its filter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_was_kept_is_what_files_dropped_in_its_folder_are_read_by() {
    let (stack, api) = Stack::as_admin().await;
    let name = fresh::word("mapping");
    let numbers = fresh::numbers(2);
    let existing = new_contact(&api, json!({ "phone": numbers[0].e164(), "name": "Before" })).await;
    let file = csv("Tel,Nickname", &[[fresh::number().dashed(), "Zed".to_owned()]]);
    let ready = uploaded(&stack, &api, json!({ "fileName": "people.csv" }), &file).await;
    for (given, code) in [("", "BLANK"), ("../drop", "INVALID"), (".hidden", "INVALID"), (&*"x".repeat(51), "TOO_LONG")] {
        let input = json!({ "id": ready["id"], "columns": [], "saveAsProfile": given });
        assert_eq!(refused(&api, "importSetMapping", input).await, error("saveAsProfile", code), "{given}");
    }
    let columns = json!([{ "column": "Nickname", "field": "name", "default": "Nobody" }]);
    let input = json!({ "id": ready["id"], "columns": columns, "onExisting": "SKIP", "saveAsProfile": name });
    done(&api, "importSetMapping", input).await;
    let profiles = api.data("{ importProfiles { id name kind columns { column field default } options { onExisting } version updatedBy { type } } }", json!({})).await;
    let kept = profiles["importProfiles"].as_array().unwrap().iter().find(|profile| profile["name"] == json!(name)).unwrap();
    let columns = json!([{ "column": "Tel", "field": "phone", "default": null }, { "column": "Nickname", "field": "name", "default": "Nobody" }]);
    assert_eq!((&kept["columns"], &kept["options"]["onExisting"], &kept["updatedBy"]["type"]), (&columns, &json!("SKIP"), &json!("USER")));
    assert_eq!(api.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": kept["id"] })).await["node"]["id"], kept["id"]);

    let folder = format!("demo/{name}");
    let rows = [[numbers[0].dashed(), "After".to_owned()], [numbers[1].dashed(), String::new()]];
    let import = dropped(&stack, &api, &folder, &format!("{}.csv", fresh::word("kept")), csv("tel,NICKNAME", &rows)).await;
    assert_eq!(import.counts(), Counts { total: 2, created: 1, skipped: 1, ..Counts::default() });
    let said = crate::stack::imports::import(&api, import.id()).await;
    assert_eq!((&said["profile"], &said["options"]["onExisting"], &said["mapping"][1]["field"]), (&json!(name), &json!("SKIP"), &json!("name")));
    assert_eq!((name_at(&api, numbers[0]).await, name_at(&api, numbers[1]).await), (json!("Before"), json!("Nobody")));
    assert_eq!(contact_with(&api, numbers[0]).await["version"], existing["version"]);

    let deleted = done(&api, "importProfileDelete", json!({ "name": name.to_uppercase() })).await["profile"].take();
    assert_eq!((&deleted["id"], deleted["deletedAt"].is_string()), (&kept["id"], true));
    assert_eq!(refused(&api, "importProfileDelete", json!({ "name": name })).await, error("name", "NOT_FOUND"));
    let import = dropped(&stack, &api, &folder, &format!("{}.csv", fresh::word("kept")), csv("tel,NICKNAME", &rows)).await;
    assert!(import.status() == "FAILED" && import.reason().contains(&format!("There is no mapping profile named {name}.")), "{import:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_file_are_an_import_like_any_other_and_one_for_each_key() {
    let (_, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(2);
    let input = |rows: Value| json!({ "sourcePlatform": "five9", "rows": rows });
    for (rows, field, code) in [
        (json!([]), "rows", "BLANK"),
        (json!([{ "phone": numbers[0].e164(), "nickname": "x" }]), "rows/0/nickname", "INVALID"),
        (json!([{ "phone": numbers[0].e164() }, { "phone": { "number": "1" } }]), "rows/1/phone", "INVALID"),
        (json!([{ "phone": numbers[0].e164() }, {}]), "rows/1", "BLANK"),
        (json!(vec![json!({ "phone": "1" }); 1_001]), "rows", "LIMIT_EXCEEDED"),
    ] {
        assert_eq!(refused(&api, "importRows", input(rows)).await, error(field, code));
    }
    let mut of_a_file = input(json!([{ "phone": numbers[0].e164() }]));
    of_a_file["sourceType"] = json!("CSV");
    assert_eq!(refused(&api, "importRows", of_a_file).await, error("sourceType", "INVALID"));

    let rows = json!([
        { "phone": numbers[0].e164(), "name": "=1+1", "attributes": { "Floor": 3 } },
        { "phone": numbers[1].dashed(), "firstName": "Zoé", "lastName": "Roy", "email": "nobody at all" },
        { "phone": "12" },
    ]);
    let mut given = input(rows);
    given["sourceType"] = json!("WEBHOOK");
    given["idempotencyKey"] = json!(fresh::word("key"));
    let (first, second) = (done(&api, "importRows", given.clone()).await["import"].take(), done(&api, "importRows", given).await["import"].take());
    assert_eq!(first["id"], second["id"]);
    let ended = settled(&api, &first["id"]).await;
    assert_eq!((&ended["status"], counts(&ended), &ended["rowsWarned"]), (&json!("COMPLETED_WITH_ERRORS"), [3, 2, 0, 0, 0, 1], &json!(1)));
    assert_eq!((&ended["sourceType"], &ended["sourcePlatform"]), (&json!("WEBHOOK"), &json!("five9")));
    let contacts = contacts_at(&api, &numbers).await;
    assert_eq!((&contacts[0]["name"], &contacts[0]["attributes"]), (&json!("=1+1"), &json!({ "Floor": "3" })));
    assert_eq!((&contacts[1]["name"], &contacts[1]["email"]), (&json!("Zoé Roy"), &Value::Null));
    let errors = look(&api, &first["id"]).await["errors"]["nodes"].take();
    let found: Vec<(&Value, &Value)> = errors.as_array().unwrap().iter().map(|error| (&error["rowNumber"], &error["isWarning"])).collect();
    assert_eq!(found, [(&json!(2), &json!(true)), (&json!(3), &json!(false))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_undone_but_for_what_somebody_changed_since() {
    let (stack, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(4);
    let [created, updated, edited, old] = [numbers[0], numbers[1], numbers[2], numbers[3]];
    for (number, name) in [(updated, "Before"), (old, "Old")] {
        new_contact(&api, json!({ "phone": number.e164(), "name": name, "city": "Laval" })).await;
    }
    caught_up(&api).await;
    let row = |number: Number, name: &str| [number.dashed(), name.to_owned(), "Gatineau".to_owned()];
    let rows = [row(created, "Made"), row(updated, "After"), row(edited, "Made too"), row(old, "New")];
    let done_import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("undone")), csv("phone,name,city", &rows)).await;
    assert_eq!(done_import.counts(), Counts { total: 4, created: 2, updated: 2, ..Counts::default() });
    let id = done_import.id();
    let mut kept = Vec::new();
    for (number, version) in [(edited, 1), (old, 2)] {
        let contact = contact_with(&api, number).await;
        assert_eq!(contact["version"], json!(version));
        kept.push(changed(&api, "contactUpdate", json!({ "id": contact["id"], "expectedVersion": version, "name": "Edited" })).await);
    }
    caught_up(&api).await;
    let asked = done(&api, "importRevert", json!({ "id": id })).await["import"].take();
    assert!(["REVERTING", "REVERTED"].contains(&asked["status"].as_str().unwrap()), "{asked}");
    let undone = settled(&api, id).await;
    assert_eq!((&undone["status"], &undone["revert"]), (&json!("REVERTED"), &json!({ "removed": 1, "restored": 1, "kept": 2 })));
    assert_eq!(drops::import(&api, id).await.counts(), done_import.counts(), "what it did when it ran stays said");

    assert!(contact_with(&api, created).await.is_null(), "and its number is free");
    let restored = contact_with(&api, updated).await;
    assert_eq!((&restored["name"], &restored["city"]), (&json!("Before"), &json!("Laval")));
    for (number, kept) in [edited, old].into_iter().zip(&kept) {
        assert_eq!(contact_with(&api, number).await, *kept);
    }
    let query = "query($id: ID!, $first: Int, $after: String) { import(id: $id) { revert { keptRecords(first: $first, after: $after) {
        nodes { entityType id reason } pageInfo { hasNextPage endCursor } } } } }";
    let first = api.data(query, json!({ "id": id, "first": 1 })).await["import"]["revert"]["keptRecords"].take();
    let second = api.data(query, json!({ "id": id, "first": 1, "after": first["pageInfo"]["endCursor"] })).await["import"]["revert"]["keptRecords"].take();
    assert_eq!((&first["pageInfo"]["hasNextPage"], &second["pageInfo"]["hasNextPage"]), (&json!(true), &json!(false)));
    let mut listed = BTreeSet::new();
    for page in [first, second] {
        let [record] = &page["nodes"].as_array().unwrap()[..] else { panic!("{page}") };
        assert!(record["entityType"] == "contact" && record["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{record}");
        listed.insert(text(&record["id"]));
    }
    assert_eq!(listed, ids(&kept));
    for mutation in ["importRevert", "importStart", "importCancel"] {
        assert_eq!(refused(&api, mutation, json!({ "id": id })).await, error("id", "FORBIDDEN_TRANSITION"), "{mutation}");
    }
}
