//! Exports of the audit trail: asked for, followed to their end, downloaded, and verified as an outsider does it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::api::Api;
use super::mutations::{done, with_fragments};
use super::tenant::operator;
use super::waiting::eventually;
use super::{Stack, fresh};

/// An export of a small organisation beside other tests, on a slow machine, takes less.
const PATIENCE: Duration = Duration::from_secs(180);

/// An export by its id; null when there is none.
pub(crate) async fn export(api: &Api, id: &Value) -> Value {
    api.data(&with_fragments("query($id: ID!) { auditExport(id: $id) { ...auditExport } }"), json!({ "id": id })).await["auditExport"].take()
}

/// An export once it has ended.
pub(crate) async fn ended(api: &Api, id: &Value) -> Value {
    eventually(&format!("export {id} has ended"), PATIENCE, async || {
        let export = export(api, id).await;
        (!["QUEUED", "RUNNING"].contains(&export["status"].as_str().unwrap())).then_some(export)
    })
    .await
}

/// The link to the file of an export, which is on record from then on; null when there is none for the caller.
pub(crate) async fn link(api: &Api, id: &Value) -> Value {
    api.data("query($id: ID!) { auditExport(id: $id) { fileUrl } }", json!({ "id": id })).await["auditExport"]["fileUrl"].take()
}

/// Asks for an export and downloads its file.
pub(crate) async fn exported(stack: &Stack, api: &Api, input: Value) -> (Value, String) {
    let asked = done(api, "auditExport", input).await["auditExport"].take();
    let export = ended(api, &asked["id"]).await;
    assert_eq!((&export["status"], &export["failureReason"]), (&json!("COMPLETED"), &json!(null)), "{export}");
    let link = link(api, &export["id"]).await;
    let response = stack.http.get(link.as_str().unwrap_or_else(|| panic!("no link: {export}"))).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let file = response.text().await.unwrap();
    assert_eq!(export["bytes"], json!(file.len()), "{export}");
    (export, file)
}

/// The events of a file for verifying: each line with its form.
pub(crate) fn events(file: &str) -> Vec<Value> {
    file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|line| line["form"].is_object()).collect()
}

/// A file of this test's own in the system's folder for such.
fn written(text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(fresh::word("export"));
    std::fs::write(&path, text).unwrap();
    path
}

/// What the operator's program says of a file with nothing but the public key: whether all is well, and what it prints.
pub(crate) async fn verified(file: &str, public_key: &str) -> (bool, String) {
    let [export, key] = [file, public_key].map(written);
    let output = operator(&["audit", "verify", export.to_str().unwrap(), "--key", key.to_str().unwrap()]).await;
    for path in [export, key] {
        std::fs::remove_file(path).unwrap();
    }
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// The public key that the days are sealed with.
pub(crate) async fn public_key() -> String {
    let output = operator(&["audit", "key"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Seals some days of a tenant as far as they are archived.
pub(crate) async fn sealed(tenant: &str, days: impl IntoIterator<Item = String>) {
    for day in days {
        let output = operator(&["audit", "seal", "--day", &day, "--tenant", tenant]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
