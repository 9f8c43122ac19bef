//! What is brought back to what it was.

use serde_json::json;

use super::ledger::{Ledger, event};
use crate::stack::contacts::new_contact;
use crate::stack::fresh;
use crate::stack::history::caught_up;
use crate::stack::mutations::{changed, done};

pub(super) const MUTATIONS: &[&str] = &["recordRevert"];

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_reverted_has_a_new_event_with_every_value_it_got_back() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let contact = new_contact(&api, json!({ "name": "Before", "attributes": { "Colour": "red" } })).await["id"].take();
    changed(&api, "contactUpdate", json!({ "id": contact, "expectedVersion": 1, "name": "After", "city": "Laval", "attributes": { "Colour": null } })).await;
    let (before, after) = (fresh::word("Team"), fresh::word("Team"));
    let team = done(&api, "teamCreate", json!({ "name": before })).await["team"]["id"].take();
    done(&api, "teamUpdate", json!({ "id": team, "expectedVersion": 1, "name": after })).await;
    caught_up(&api).await;

    ledger.done("recordRevert", json!({ "id": contact, "toVersion": 1, "expectedVersion": 2 })).await;
    let changes = json!({ "name": ["After", "Before"], "city": ["Laval", null], "attributes.Colour": [null, "red"] });
    ledger.leaves([event("contact.reverted", &contact, 3, changes).because("to version 1")]);
    ledger.done("recordRevert", json!({ "id": team, "toVersion": 1, "expectedVersion": 2 })).await;
    ledger.leaves([event("team.reverted", &team, 3, json!({ "name": [after, before] })).because("to version 1")]);
    caught_up(&api).await;
    // It says that already.
    ledger.done("recordRevert", json!({ "id": team, "toVersion": 1, "expectedVersion": 3 })).await;
    ledger.leaves([]);
    ledger.settle(MUTATIONS).await;
}
