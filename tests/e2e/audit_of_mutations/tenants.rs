//! What an organisation decides about itself.

use serde_json::json;

use super::ledger::{Ledger, event};

pub(super) const MUTATIONS: &[&str] = &["tenantUpdate"];

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_that_changes_is_on_record() {
    let mut ledger = Ledger::open().await;
    let before = ledger.api().data("{ viewer { tenant { id name timeZone country } } }", json!({})).await["viewer"]["tenant"].take();
    let input = json!({
        "expectedVersion": 1, "name": "Nouvelle Société", "timeZone": "Europe/Paris", "country": "FR", "callingDayStart": "04:30", "bookingBufferMinutes": 45,
        "heartbeatTimeoutSeconds": 120, "retentionDays": 400,
    });
    ledger.done("tenantUpdate", input).await;
    let changes = json!({
        "name": [before["name"], "Nouvelle Société"], "timeZone": [before["timeZone"], "Europe/Paris"], "country": [before["country"], "FR"],
        // In minutes after midnight.
        "callingDayStart": [0, 270], "bookingBufferMinutes": [30, 45], "heartbeatTimeoutSeconds": [60, 120], "retentionDays": [2557, 400],
    });
    ledger.leaves([event("tenant.updated", &before["id"], 2, changes)]);
    ledger.done("tenantUpdate", json!({ "expectedVersion": 2, "name": "Nouvelle Société" })).await;
    ledger.leaves([]);
    ledger.done("tenantUpdate", json!({ "expectedVersion": 2, "recordContactViews": true })).await;
    ledger.leaves([event("tenant.updated", &before["id"], 3, json!({ "recordContactViews": [false, true] }))]);
    ledger.settle(MUTATIONS).await;
}
