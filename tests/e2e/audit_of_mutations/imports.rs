//! What people do with imports. What an import writes stands under the import itself, and isn't of the request that started it.

use serde_json::{Value, json};

use super::ledger::{Event, Ledger, THEN, beside, created, event};
use crate::stack::drops::csv;
use crate::stack::fresh;
use crate::stack::history::caught_up;
use crate::stack::imports::{checked, send, settled};

pub(super) const MUTATIONS: &[&str] =
    &["importCreate", "importSetMapping", "importDryRun", "importStart", "importCancel", "importRevert", "importRows", "importProfileDelete"];

/// That an import was made, with all that was said of it.
fn made(import: &Value) -> Event {
    let names = ["kind", "sourceType", "sourcePlatform", "fileName", "fileBytes"];
    let said: Value = Value::Object(names.map(|name| (name.to_owned(), import[name].clone())).into_iter().collect());
    beside("import.created", &import["id"], &said)
}

/// What a kept mapping says of itself.
fn profile(name: &str, columns: &Value, on_existing: &str) -> Value {
    json!({
        "name": name, "kind": "CONTACTS", "columns": columns, "onExisting": on_existing, "onDeleted": "RESTORE", "blankCells": "KEEP", "onInvalid": "WARN",
        "createTeams": true,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_people_do_with_imports_and_with_the_mappings_they_keep_is_on_record() {
    let mut ledger = Ledger::open().await;
    let (api, stack) = (ledger.api(), ledger.tenant.stack.clone());
    let file = csv("phone,name", &[[fresh::number().dashed(), "Somebody".to_owned()]]);

    let payload = ledger.done("importCreate", json!({ "fileName": "people.csv", "fileBytes": file.len() })).await;
    let id = payload["import"]["id"].clone();
    ledger.leaves([made(&payload["import"])]);
    assert_eq!(send(&stack, &payload["upload"], &file).await.0, 204);
    settled(&api, &id).await;

    let name = fresh::word("mapping");
    let input = json!({ "id": id, "columns": [{ "column": "name", "field": "attributes.nickname" }], "onExisting": "SKIP", "saveAsProfile": name });
    ledger.done("importSetMapping", input).await;
    let profiles = api.data("{ importProfiles { id } }", json!({})).await;
    let kept = profiles["importProfiles"][0]["id"].clone();
    let columns = json!([{ "column": "phone", "field": "phone", "hasDefault": false }, { "column": "name", "field": "attributes.nickname", "hasDefault": false }]);
    ledger.leaves([
        beside("import.mapped", &id, &json!({ "fields": ["phone", "attributes.nickname"], "onExisting": "SKIP" })),
        event("import_profile.created", &kept, 1, created(&profile(&name, &columns, "SKIP"))),
    ]);
    let input = json!({ "id": id, "columns": [], "onExisting": "UPDATE", "saveAsProfile": name });
    ledger.done("importSetMapping", input).await;
    ledger.leaves([
        beside("import.mapped", &id, &json!({ "onExisting": "UPDATE" })),
        event("import_profile.updated", &kept, 2, json!({ "onExisting": ["SKIP", "UPDATE"] })),
    ]);

    ledger.done("importDryRun", json!({ "id": id })).await;
    ledger.leaves([beside("import.dry_run", &id, &json!({}))]);
    checked(&api, &id).await;
    ledger.done("importStart", json!({ "id": id })).await;
    ledger.leaves([beside("import.started", &id, &json!({}))]);
    assert_eq!(settled(&api, &id).await["status"], "COMPLETED");
    caught_up(&api).await;
    ledger.done("importRevert", json!({ "id": id })).await;
    ledger.leaves([beside("import.revert_started", &id, &json!({}))]);
    assert_eq!(settled(&api, &id).await["status"], "REVERTED");

    let other = ledger.done("importCreate", json!({ "kind": "SUPPRESSIONS", "fileName": "numbers.csv", "fileBytes": 10 })).await["import"].take();
    ledger.leaves([made(&other)]);
    ledger.done("importCancel", json!({ "id": other["id"] })).await;
    let nothing = json!({ "rowsCreated": 0, "rowsUpdated": 0, "rowsUnchanged": 0, "rowsSkipped": 0, "rowsFailed": 0 });
    ledger.leaves([beside("import.cancelled", &other["id"], &nothing)]);

    let input = json!({ "sourcePlatform": "five9", "rows": [{ "phone": fresh::number().e164(), "name": "Given" }] });
    let given = ledger.done("importRows", input).await["import"].take();
    ledger.leaves([made(&given)]);
    assert_eq!(settled(&api, &given["id"]).await["status"], "COMPLETED");

    ledger.done("importProfileDelete", json!({ "name": name })).await;
    ledger.leaves([event("import_profile.deleted", &kept, 3, json!({ "columns": [columns, null], "deletedAt": [null, THEN] }))]);
    ledger.settle(MUTATIONS).await;
}
