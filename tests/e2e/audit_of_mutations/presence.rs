//! What agents say they are doing. A sign of life is no change.

use serde_json::json;

use super::ledger::{Ledger, created, event};

pub(super) const MUTATIONS: &[&str] = &["presenceUpdate", "presenceHeartbeat"];

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_says_they_are_doing_is_on_record_and_that_they_are_still_there_is_not() {
    let mut ledger = Ledger::open().await;
    let (person, quiet) = (ledger.tenant.hire(&["telephonist"]).await, ledger.tenant.hire(&["telephonist"]).await);
    let agent = &person.agent;
    ledger.done_by(&person, "presenceUpdate", json!({ "status": "AVAILABLE" })).await;
    ledger.leaves([event("presence.created", agent, 1, created(&json!({ "status": "AVAILABLE", "acceptingLeads": true })))]);
    for beat in [json!({}), json!({ "deviceId": "desk", "onCall": true }), json!({ "deviceId": "desk", "onCall": false })] {
        ledger.done_by(&person, "presenceHeartbeat", beat).await;
        ledger.leaves([]);
    }
    let input = json!({ "agentId": agent, "status": "ON_BREAK", "breakReason": "Lunch", "acceptingLeads": false, "reason": "Asked for it" });
    ledger.done("presenceUpdate", input).await;
    let changes = json!({ "status": ["AVAILABLE", "ON_BREAK"], "breakReason": [null, "Lunch"], "acceptingLeads": [true, false] });
    ledger.leaves([event("presence.updated", agent, 2, changes).because("Asked for it")]);
    ledger.done_by(&person, "presenceUpdate", json!({ "status": "ON_BREAK" })).await;
    ledger.leaves([]);

    // Of whom nothing was kept there is something from now on.
    ledger.done_by(&quiet, "presenceHeartbeat", json!({})).await;
    ledger.leaves([event("presence.created", &quiet.agent, 1, created(&json!({ "status": "OFFLINE", "acceptingLeads": true })))]);
    ledger.settle(MUTATIONS).await;
}
