//! Bulk jobs: begun, followed to their end, and what they say of each contact.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::Api;
use super::mutations::{done, with_fragments};
use super::waiting::eventually;

/// A job over some hundred contacts beside other tests, on a slow machine, takes less.
const PATIENCE: Duration = Duration::from_secs(180);

/// A job by its id; null when there is none.
pub(crate) async fn job(api: &Api, id: &Value) -> Value {
    api.data(&with_fragments("query($id: ID!) { bulkJob(id: $id) { ...job } }"), json!({ "id": id })).await["bulkJob"].take()
}

/// A job once it has ended. What it counted adds up.
pub(crate) async fn ended(api: &Api, id: &Value) -> Value {
    let job = eventually(&format!("job {id} has ended"), PATIENCE, async || {
        let job = job(api, id).await;
        (!["QUEUED", "RUNNING"].contains(&job["status"].as_str().unwrap())).then_some(job)
    })
    .await;
    assert!(job["finishedAt"].is_string(), "{job}");
    if job["status"] == "COMPLETED" {
        assert!(counts(&job).iter().sum::<u64>() <= job["examined"].as_u64().unwrap(), "nobody is counted who was not looked at: {job}");
        assert_eq!((&job["progress"], &job["failureReason"]), (&json!(1.0), &json!(null)), "{job}");
    }
    job
}

/// Begins a job and follows it to its good end.
pub(crate) async fn completed(api: &Api, input: Value) -> Value {
    let begun = done(api, "contactBulk", input).await["job"].take();
    let job = ended(api, &begun["id"]).await;
    assert_eq!(job["status"], "COMPLETED", "{job}");
    job
}

/// How many contacts a job changed, found as they should be, and could not change.
pub(crate) fn counts(job: &Value) -> [u64; 3] {
    ["changed", "unchanged", "failed"].map(|count| job[count].as_u64().unwrap_or_else(|| panic!("no {count}: {job}")))
}

/// What a job says of each contact, by pages.
pub(crate) async fn outcomes(api: &Api, id: &Value, first: usize) -> Vec<Value> {
    let query = "query($id: ID!, $first: Int, $after: String) { bulkJob(id: $id) { outcomes(first: $first, after: $after) {
        nodes { contactId outcome message } pageInfo { hasNextPage endCursor } } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(query, json!({ "id": id, "first": first, "after": after })).await["bulkJob"]["outcomes"].take();
        let Value::Array(nodes) = page["nodes"].take() else { panic!("no outcomes: {page}") };
        all.extend(nodes);
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
    }
}
