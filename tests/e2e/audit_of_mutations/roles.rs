//! What is done to roles.

use serde_json::json;

use super::ledger::{Ledger, THEN, created, event};
use crate::stack::fresh;

pub(super) const MUTATIONS: &[&str] = &["roleCreate", "roleUpdate", "roleDelete"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_role_is_on_record_with_all_that_it_grants() {
    let mut ledger = Ledger::open().await;
    let name = fresh::word("Registrar");
    let made = ledger.done("roleCreate", json!({ "name": name, "permissions": ["contact:read:OWN", "audit:read:ALL"] })).await["role"].take();
    let id = &made["id"];
    ledger.leaves([event("role.created", id, 1, created(&json!({ "code": made["code"], "name": name, "permissions": made["permissions"] })))]);
    let changed = ledger.done("roleUpdate", json!({ "id": id, "expectedVersion": 1, "permissions": ["contact:read:TEAM"] })).await["role"].take();
    ledger.leaves([event("role.updated", id, 2, json!({ "permissions": [made["permissions"], changed["permissions"]] }))]);
    ledger.done("roleDelete", json!({ "id": id, "expectedVersion": 2 })).await;
    ledger.leaves([event("role.deleted", id, 3, json!({ "deletedAt": [null, THEN] }))]);
    ledger.settle(MUTATIONS).await;
}
