//! What the tests ask of the emulator beyond the clients of AWS: services for which they have no client, and what only it can tell.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Stack, setting};

/// Asks a service that speaks JSON, by its protocol's name of the action; the answer as it came. The account's own key needs no signature here.
pub(crate) async fn ask(stack: &Stack, service: &str, action: &str, body: &Value) -> String {
    let (key, region) = (setting("AWS_ACCESS_KEY_ID"), setting("AWS_REGION"));
    let authorization = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=none");
    let request = stack.http.post(setting("AWS_ENDPOINT_URL")).header("authorization", authorization).header("x-amz-target", action);
    let response = request.header("content-type", "application/x-amz-json-1.1").body(body.to_string()).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert!(status.is_success(), "{action}: {status} {text:.500}");
    text
}

/// The same, read.
pub(crate) async fn answer(stack: &Stack, service: &str, action: &str, body: &Value) -> Value {
    serde_json::from_str(&ask(stack, service, action, body).await).unwrap()
}

/// All messages of all queues, those included that are being handled. Receiving them instead would count as a try of each, and send it to its
/// dead-letter queue after some.
pub(crate) async fn queued_messages(stack: &Stack) -> String {
    let response = stack.http.get(format!("{}/_ministack/sqs/messages", setting("AWS_ENDPOINT_URL"))).send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.text().await.unwrap()
}

/// The messages of a queue, as the emulator tells of them: those that are being handled and those that wait included.
pub(crate) async fn messages_in(stack: &Stack, queue: &str) -> Vec<Value> {
    let mut all: Value = serde_json::from_str(&queued_messages(stack).await).unwrap();
    let address = setting(queue);
    let name = address.rsplit('/').next();
    let regions = all["messages"].as_object_mut().unwrap().values_mut().flat_map(|regions| regions.as_object_mut().unwrap().values_mut());
    let queues = regions.flat_map(|queues| queues.as_object_mut().unwrap()).filter(|(url, _)| url.rsplit('/').next() == name);
    queues.flat_map(|(_, messages)| messages.as_array_mut().unwrap().drain(..)).collect()
}

/// Has every call of AWS recorded from now on, or no longer.
pub(crate) async fn record_calls(stack: &Stack, recording: bool) {
    let config = json!({ "cloudtrail._recording_enabled": recording.to_string() });
    let response = stack.http.post(format!("{}/_ministack/config", setting("AWS_ENDPOINT_URL"))).body(config.to_string()).send().await.unwrap();
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(answer["applied"]["cloudtrail._recording_enabled"], json!(recording), "{answer}");
}

/// The newest recorded calls of a name, at most 50; of one caller, when its key is given.
pub(crate) async fn recorded_calls(stack: &Stack, name: &str, key: Option<&str>) -> Vec<Value> {
    let mut attributes = vec![json!({ "AttributeKey": "EventName", "AttributeValue": name })];
    attributes.extend(key.map(|key| json!({ "AttributeKey": "AccessKeyId", "AttributeValue": key })));
    let action = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
    let mut answer = answer(stack, "cloudtrail", action, &json!({ "LookupAttributes": attributes })).await;
    let Value::Array(events) = answer["Events"].take() else { panic!("no events: {answer}") };
    events
}

/// The folder in which the emulator keeps its state and the files of buckets. A stack keeps it beside the folder of what it runs with.
pub(crate) fn state_folder() -> PathBuf {
    let logs = PathBuf::from(setting("SWITCHBOARD_LOG_DIR"));
    let folder = logs.ancestors().nth(2).unwrap().join("state");
    assert!(folder.join("live").is_dir() && folder.join("objects").is_dir(), "{} is not the emulator's", folder.display());
    folder
}

/// Every file below a folder. One that goes away meanwhile is left out.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}
