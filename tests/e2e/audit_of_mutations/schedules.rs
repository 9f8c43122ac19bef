//! When agents can be booked.

use serde_json::{Value, json};

use super::ledger::{Ledger, event};

pub(super) const MUTATIONS: &[&str] = &["scheduleAddWindow", "scheduleUpdateWindow", "scheduleRemoveWindow", "scheduleAddException", "scheduleRemoveException"];

/// An entry of a schedule as an event has it, and its field there.
fn entry(list: &str, entry: &Value) -> (String, Value) {
    let mut said = entry.clone();
    let id = said.as_object_mut().unwrap().remove("id").unwrap();
    (format!("{list}.{}", id.as_str().unwrap()), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_window_and_exception_is_on_record_whole() {
    let mut ledger = Ledger::open().await;
    let agent = ledger.tenant.appoint(json!({})).await["id"].take();
    let input = json!({
        "agentId": agent, "date": "2031-06-02", "startTime": "09:00", "endTime": "17:00", "recurrence": "WEEKLY", "weekdays": ["MONDAY", "FRIDAY"], "until": "2032-06-02",
    });
    let window = ledger.done("scheduleAddWindow", input).await["window"].take();
    let (field, before) = entry("windows", &window);
    ledger.leaves([event("schedule.window_added", &agent, 1, json!({ field.as_str(): [null, before] }))]);
    let input = json!({ "agentId": agent, "windowId": window["id"], "startTime": "08:30", "until": null });
    let after = entry("windows", &ledger.done("scheduleUpdateWindow", input).await["window"]).1;
    ledger.leaves([event("schedule.window_updated", &agent, 2, json!({ field.as_str(): [before, after] }))]);
    ledger.done("scheduleRemoveWindow", json!({ "agentId": agent, "windowId": window["id"] })).await;
    ledger.leaves([event("schedule.window_removed", &agent, 3, json!({ field.as_str(): [after, null] }))]);

    let input = json!({ "agentId": agent, "date": "2031-06-02", "untilDate": "2031-06-04", "startTime": "10:00", "kind": "AWAY", "note": "Dentist" });
    let exception = ledger.done("scheduleAddException", input).await["exception"].take();
    let (field, said) = entry("exceptions", &exception);
    ledger.leaves([event("schedule.exception_added", &agent, 4, json!({ field.as_str(): [null, said] }))]);
    ledger.done("scheduleRemoveException", json!({ "agentId": agent, "exceptionId": exception["id"] })).await;
    ledger.leaves([event("schedule.exception_removed", &agent, 5, json!({ field.as_str(): [said, null] }))]);
    ledger.settle(MUTATIONS).await;
}
