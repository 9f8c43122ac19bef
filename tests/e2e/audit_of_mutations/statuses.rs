//! What is done to statuses.

use serde_json::json;

use super::ledger::{Ledger, THEN, beside, created, event};
use crate::stack::fresh;
use crate::stack::jobs::ended;

pub(super) const MUTATIONS: &[&str] = &["contactStatusCreate", "contactStatusUpdate", "contactStatusDelete"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_status_is_on_record_and_so_is_the_job_that_moves_its_contacts() {
    let mut ledger = Ledger::open().await;
    let (name, other) = (fresh::word("Warm"), fresh::word("Hot"));
    let made = ledger.done("contactStatusCreate", json!({ "name": name, "color": "#123456", "order": 60 })).await["contactStatus"].take();
    let id = &made["id"];
    let fields = json!({ "code": made["code"], "name": name, "color": "#123456", "order": 60, "excludeFromCallList": false, "system": false });
    ledger.leaves([event("contact_status.created", id, 1, created(&fields))]);

    ledger.done("contactStatusUpdate", json!({ "id": id, "expectedVersion": 1, "name": other, "color": "#654321" })).await;
    ledger.leaves([event("contact_status.updated", id, 2, json!({ "name": [name, other], "color": ["#123456", "#654321"] }))]);
    let job = ledger.done("contactStatusUpdate", json!({ "id": id, "expectedVersion": 2, "order": 61 })).await["job"]["id"].take();
    ledger.leaves([
        event("contact_status.updated", id, 3, json!({ "order": [60, 61] })),
        beside("bulk_job.created", &job, &json!({ "action": "REKEY", "status": id })).by_job(&job),
        beside("bulk_job.completed", &job, &json!({ "action": "REKEY", "changed": 0, "unchanged": 0, "failed": 0 })).by_job(&job),
    ]);
    ended(&ledger.api(), &job).await;

    ledger.done("contactStatusDelete", json!({ "id": id, "expectedVersion": 3 })).await;
    ledger.leaves([event("contact_status.deleted", id, 4, json!({ "deletedAt": [null, THEN] }))]);
    ledger.settle(MUTATIONS).await;
}
