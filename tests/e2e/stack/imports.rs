//! The life of an import as a client leads it: made, its file uploaded by the form, followed to where it waits or ends.

use std::time::Duration;

use serde_json::{Value, json};

use super::Stack;
use super::api::Api;
use super::mutations::{done, with_fragments};
use super::waiting::eventually;

/// An import of some thousand rows beside other tests, on a slow machine, takes less.
const PATIENCE: Duration = Duration::from_secs(180);
/// Where an import stands while something is being done with it.
const ON_ITS_WAY: [&str; 3] = ["AWAITING_UPLOAD", "PROCESSING", "REVERTING"];

/// An import by its id, with all that it says.
pub(crate) async fn import(api: &Api, id: &Value) -> Value {
    api.data(&with_fragments("query($id: ID!) { import(id: $id) { ...import } }"), json!({ "id": id })).await["import"].take()
}

/// An import once it is what is waited for.
pub(crate) async fn import_that(api: &Api, id: &Value, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("import {id} {what}"), PATIENCE, async || Some(import(api, id).await).filter(|import| is_so(import))).await
}

/// An import once it waits for somebody, or has ended.
pub(crate) async fn settled(api: &Api, id: &Value) -> Value {
    import_that(api, id, "waits or has ended", |import| !ON_ITS_WAY.contains(&import["status"].as_str().unwrap())).await
}

/// An import once all of its rows were checked, and none written.
pub(crate) async fn checked(api: &Api, id: &Value) -> Value {
    import_that(api, id, "is checked", |import| import["isChecked"] == true && import["status"] == "READY").await
}

/// The fields of a form, as the payload of `importCreate` has them.
pub(crate) fn fields(upload: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    upload["fields"].as_array().unwrap().iter().map(|field| (text(&field["name"]), text(&field["value"]))).collect()
}

/// Sends a file by the form of an import; the status and the body of the answer.
pub(crate) async fn send(stack: &Stack, upload: &Value, file: &str) -> (u16, String) {
    stack.post_form(upload["url"].as_str().unwrap(), &fields(upload), "people.csv", file.as_bytes()).await
}

/// Makes an import, with the size of its file unless one is given, and uploads the file; the import once it waits or has ended.
pub(crate) async fn uploaded(stack: &Stack, api: &Api, mut input: Value, file: &str) -> Value {
    if input["fileBytes"].is_null() {
        input["fileBytes"] = json!(file.len());
    }
    let made = done(api, "importCreate", input).await;
    assert_eq!(made["import"]["status"], "AWAITING_UPLOAD");
    let (status, body) = send(stack, &made["upload"], file).await;
    assert_eq!(status, 204, "{body}");
    settled(api, &made["import"]["id"]).await
}

/// Starts an import; what came of it.
pub(crate) async fn started(api: &Api, id: &Value) -> Value {
    done(api, "importStart", json!({ "id": id })).await;
    settled(api, id).await
}

/// The counts of an import: total, created, updated, unchanged, skipped, failed.
pub(crate) fn counts(import: &Value) -> [u64; 6] {
    ["rowsTotal", "rowsCreated", "rowsUpdated", "rowsUnchanged", "rowsSkipped", "rowsFailed"].map(|name| import[name].as_u64().unwrap_or(0))
}
