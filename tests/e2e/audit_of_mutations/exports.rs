//! What is taken out of the audit trail itself: that it was asked for with all that it was to have in it, and how it ended.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::ledger::{Event, Ledger, THEN, beside};
use crate::stack::api::inside;
use crate::stack::contacts::new_contact;
use crate::stack::exports::ended;
use crate::stack::history::caught_up;
use crate::stack::mutations::{changed, done};

pub(super) const COMPLETED: &[&str] = &["auditExport"];
pub(super) const CANCELLED: &[&str] = &["auditExport", "auditExportCancel"];

/// How often is tried to stop one before it has ended.
const ATTEMPTS: usize = 10;
/// How many exports wait before the one that is to be stopped.
const AHEAD: usize = 8;

/// The events of an export that has ended: each says what was asked for, the second what came of it.
fn events(asked: &Value, end: &'static str, export: &Value) -> [Event; 2] {
    let (id, mut beginning, mut ending) = (&export["id"], asked.clone(), asked.clone());
    // What is recorded later isn't in it.
    (beginning["to"], ending["to"]) = (json!(THEN), export["createdAt"].clone());
    for count in ["events", "bytes"] {
        ending[count] = export[count].clone();
    }
    [beside("audit_export.created", id, &beginning), beside(end, id, &ending)]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_the_trail_is_on_record_in_it_with_all_that_was_asked_for() {
    let mut ledger = Ledger::open().await;
    let (api, since) = (ledger.api(), ledger.since().clone());
    let contact = new_contact(&api, json!({ "name": "Before" })).await["id"].take();
    changed(&api, "contactUpdate", json!({ "id": contact, "expectedVersion": 1, "name": "After" })).await;
    caught_up(&api).await;

    let export = ledger.done("auditExport", json!({ "format": "JSON_LINES", "entityId": contact })).await["auditExport"]["id"].take();
    let export = ended(&api, &export).await;
    assert_eq!((&export["status"], &export["events"]), (&json!("COMPLETED"), &json!(2)), "{export}");
    let asked = json!({ "format": "JSON_LINES", "readable": true, "entityType": "contact", "entityId": inside(&contact).1 });
    ledger.leaves(events(&asked, "data.exported", &export));

    let who = ledger.tenant.admin.user.clone();
    let input = json!({ "format": "CSV", "entityType": "contact", "actorId": who, "action": "contact.updated", "from": since, "readable": false });
    let export = ledger.done("auditExport", input).await["auditExport"]["id"].take();
    let export = ended(&api, &export).await;
    assert_eq!(export["status"], json!("COMPLETED"), "{export}");
    let asked = json!({ "format": "CSV", "readable": false, "entityType": "contact", "actorId": inside(&who).1, "action": "contact.updated", "from": since });
    ledger.leaves(events(&asked, "data.exported", &export));
    ledger.settle(COMPLETED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_stopped_is_on_record_as_stopped() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let asked = json!({ "format": "CSV", "readable": true });
    for _ in 0..ATTEMPTS {
        // Those before it keep the worker busy.
        let mut ahead = JoinSet::new();
        for _ in 0..AHEAD {
            let api = api.clone();
            ahead.spawn(async move { done(&api, "auditExport", json!({ "format": "CSV" })).await });
        }
        ahead.join_all().await;
        let id = ledger.done("auditExport", json!({ "format": "CSV" })).await["auditExport"]["id"].take();
        let is_stopped = ledger.tried("auditExportCancel", json!({ "id": id })).await["userErrors"] == json!([]);
        let export = ended(&api, &id).await;
        let is_cancelled = export["status"] == "CANCELLED";
        ledger.leaves(events(&asked, if is_cancelled { "audit_export.cancelled" } else { "data.exported" }, &export));
        if is_stopped {
            ledger.leaves([beside("audit_export.stop_requested", &id, &json!({}))]);
        }
        if is_cancelled {
            return ledger.settle(CANCELLED).await;
        }
    }
    panic!("none of {ATTEMPTS} could be stopped before it had ended");
}
