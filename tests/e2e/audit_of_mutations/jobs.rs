//! What is done to many contacts at once: that it was asked for, each contact, and how it ended.

use serde_json::{Value, json};

use super::ledger::{Ledger, THEN, beside, event};
use crate::stack::contacts::{LISTED, eventually_lists, ids, ids_of, new_contact, status_id};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh;
use crate::stack::jobs::{counts, ended};
use crate::stack::waiting::eventually;

pub(super) const TO_THEIR_END: &[&str] = &["contactBulk"];
pub(super) const CANCELLED: &[&str] = &["contactBulk", "bulkJobCancel"];

/// Enough contacts that a job on them is still at it when it is cancelled.
const MANY: u64 = 2_500;

/// What the event of a job's end says.
fn counted(action: &str, changed: u64, unchanged: u64) -> Value {
    json!({ "action": action, "changed": changed, "unchanged": unchanged, "failed": 0 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_on_record_by_its_beginning_each_contact_it_changed_and_its_end() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let source = fresh::word("source");
    let (agent, heir) = (ledger.tenant.appoint(json!({})).await["id"].take(), ledger.tenant.appoint(json!({})).await["id"].take());
    let (old, new) = (status_id(&api, "new").await, status_id(&api, "interested").await);
    let contacts = [new_contact(&api, json!({ "source": source })).await, new_contact(&api, json!({ "source": source, "assigneeId": agent })).await];
    let (free, taken) = (&contacts[0]["id"], &contacts[1]["id"]);
    let filter = json!({ "source": source });
    eventually_lists(&api, &filter, &ids(&contacts)).await;

    let job = ledger.done("contactBulk", json!({ "filter": filter, "action": "ASSIGN", "assigneeId": agent })).await["job"]["id"].take();
    ledger.leaves([
        beside("bulk_job.created", &job, &json!({ "action": "ASSIGN", "assignee": agent })).by_job(&job),
        event("contact.assigned", free, 2, json!({ "assignee": [null, agent] })).by_job(&job),
        beside("bulk_job.completed", &job, &counted("ASSIGN", 1, 1)).by_job(&job),
    ]);
    ended(&api, &job).await;
    let job = ledger.done("contactBulk", json!({ "filter": filter, "action": "SET_STATUS", "statusId": new })).await["job"]["id"].take();
    ledger.leaves([
        beside("bulk_job.created", &job, &json!({ "action": "SET_STATUS", "status": new })).by_job(&job),
        event("contact.status_set", free, 3, json!({ "status": [old, new] })).by_job(&job),
        event("contact.status_set", taken, 2, json!({ "status": [old, new] })).by_job(&job),
        beside("bulk_job.completed", &job, &counted("SET_STATUS", 2, 0)).by_job(&job),
    ]);
    ended(&api, &job).await;
    let job = ledger.done("contactBulk", json!({ "filter": filter, "action": "EXPORT" })).await["job"]["id"].take();
    ledger.leaves([beside("bulk_job.created", &job, &json!({ "action": "EXPORT" })).by_job(&job), beside("data.exported", &job, &counted("EXPORT", 0, 2)).by_job(&job)]);
    ended(&api, &job).await;
    let input = json!({ "filter": filter, "action": "MOVE", "fromAssigneeId": agent, "assigneeId": heir });
    let job = ledger.done("contactBulk", input).await["job"]["id"].take();
    ledger.leaves([
        beside("bulk_job.created", &job, &json!({ "action": "MOVE", "from": agent, "assignee": heir })).by_job(&job),
        event("contact.assigned", free, 4, json!({ "assignee": [agent, heir] })).by_job(&job),
        event("contact.assigned", taken, 3, json!({ "assignee": [agent, heir] })).by_job(&job),
        beside("bulk_job.completed", &job, &counted("MOVE", 2, 0)).by_job(&job),
    ]);
    ended(&api, &job).await;
    let job = ledger.done("contactBulk", json!({ "filter": filter, "action": "DELETE" })).await["job"]["id"].take();
    ledger.leaves([
        beside("bulk_job.created", &job, &json!({ "action": "DELETE" })).by_job(&job),
        event("contact.deleted", free, 5, json!({ "deletedAt": [null, THEN] })).by_job(&job),
        event("contact.deleted", taken, 4, json!({ "deletedAt": [null, THEN] })).by_job(&job),
        beside("bulk_job.completed", &job, &counted("DELETE", 2, 0)).by_job(&job),
    ]);
    ended(&api, &job).await;
    ledger.settle(TO_THEIR_END).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_is_on_record_with_what_it_did_until_then() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let (source, agent) = (fresh::word("source"), ledger.tenant.appoint(json!({})).await["id"].take());
    let rows: Vec<[String; 2]> = fresh::numbers(MANY).iter().map(|number| [number.e164(), source.clone()]).collect();
    let import = dropped(&ledger.tenant.stack, &api, &ledger.tenant.slug, &format!("{}.csv", fresh::word("many")), csv("phone,source", &rows)).await;
    assert_eq!(import.counts().created, MANY, "{import:?}");

    let filter = json!({ "source": source });
    let job = ledger.done("contactBulk", json!({ "filter": filter, "action": "ASSIGN", "assigneeId": agent })).await["job"]["id"].take();
    ledger.done("bulkJobCancel", json!({ "id": job })).await;
    let end = ended(&api, &job).await;
    assert_eq!(end["status"], json!("CANCELLED"), "{end}");
    let [changed, unchanged, _] = counts(&end);
    let assigned = eventually("as many are assigned as the job says", LISTED, async || {
        let assigned = ids_of(&api, &json!({ "source": source, "assigneeIds": [agent] })).await;
        (assigned.len() as u64 == changed).then_some(assigned)
    })
    .await;
    assert!(changed < MANY, "it was stopped before its end: {end}");
    let assigned = assigned.iter().map(|id| event("contact.assigned", &json!(id), 2, json!({ "assignee": [null, agent] })).by_job(&job));
    ledger.leaves(assigned.chain([
        beside("bulk_job.created", &job, &json!({ "action": "ASSIGN", "assignee": agent })).by_job(&job),
        beside("bulk_job.cancelled", &job, &counted("ASSIGN", changed, unchanged)).by_job(&job),
    ]));
    ledger.leaves([beside("bulk_job.stop_requested", &job, &json!({}))]);
    ledger.settle(CANCELLED).await;
}
