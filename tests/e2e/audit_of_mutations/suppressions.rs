//! What is done to the suppression list.

use serde_json::json;

use super::ledger::{Ledger, THEN, created, event};
use crate::stack::contacts::new_contact;
use crate::stack::fresh;

pub(super) const MUTATIONS: &[&str] = &["suppressionAdd", "suppressionRemove"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_on_the_list_and_taken_off_is_on_record_with_why_and_its_contact_is_not_changed_by_it() {
    let mut ledger = Ledger::open().await;
    let number = fresh::number().e164();
    new_contact(&ledger.api(), json!({ "phone": number })).await;
    let input = json!({ "phone": number, "reason": "Asked by letter", "source": "registry" });
    let id = ledger.done("suppressionAdd", input).await["suppression"]["id"].take();
    let fields = json!({ "source": "registry", "reason": "Asked by letter" });
    ledger.leaves([event("suppression.added", &id, 1, created(&fields)).because("Asked by letter")]);
    ledger.done("suppressionAdd", json!({ "phone": number, "reason": "Asked again" })).await;
    ledger.leaves([]);

    let removed = ledger.done("suppressionRemove", json!({ "id": id, "reason": "A mistake" })).await["suppression"].take();
    ledger.leaves([event("suppression.removed", &id, 2, json!({ "removedAt": [null, THEN] })).because("A mistake")]);
    ledger.done("suppressionAdd", json!({ "phone": number })).await;
    let changes = json!({ "source": ["registry", "manual"], "reason": ["Asked by letter", null], "removedAt": [removed["removedAt"], null] });
    ledger.leaves([event("suppression.added", &id, 3, changes)]);
    ledger.settle(MUTATIONS).await;
}
