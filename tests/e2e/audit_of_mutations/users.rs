//! What is done to users.

use serde_json::json;

use super::ledger::{Ledger, THEN, beside, created, event};
use crate::stack::contacts::new_contact;
use crate::stack::fresh;
use crate::stack::jobs::ended;
use crate::stack::tenant::address;

pub(super) const OF_THEIRS: &[&str] = &["userInvite", "userResendInvitation", "userUpdate", "userResetPassword", "userSignOut"];
pub(super) const OF_THEIR_ACCESS: &[&str] = &["userDisable", "userEnable"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_user_is_on_record_and_their_password_is_not() {
    let mut ledger = Ledger::open().await;
    let (telephonist, manager) = (ledger.tenant.roles(&["telephonist"]).await, ledger.tenant.roles(&["manager"]).await);
    let name = fresh::word("Invited");
    let input = json!({ "email": address("invited"), "name": name, "permissions": ["audit:read:ALL"] });
    let user = ledger.done("userInvite", input).await["user"]["id"].take();
    let fields = json!({ "name": name, "status": "INVITED", "roles": telephonist, "permissions": ["audit:read:ALL"] });
    ledger.leaves([event("user.invited", &user, 1, created(&fields))]);
    ledger.done("userResendInvitation", json!({ "id": user })).await;
    ledger.leaves([event("user.invitation_resent", &user, 2, json!({}))]);

    // A name is the agent's, too.
    let agent = ledger.tenant.appoint(json!({})).await;
    let (id, renamed) = (&agent["user"]["id"], fresh::word("Renamed"));
    ledger.done("userUpdate", json!({ "id": id, "expectedVersion": 1, "name": renamed, "roleIds": manager, "permissions": ["audit:read:ALL"] })).await;
    let changes = json!({ "name": [agent["name"], renamed], "roles": [telephonist, manager], "permissions": [null, ["audit:read:ALL"]] });
    ledger.leaves([event("user.updated", id, 2, changes), event("agent.updated", &agent["id"], 2, json!({ "name": [agent["name"], renamed] }))]);

    let [forgetful, absent, person] =
        [ledger.tenant.hire(&["telephonist"]).await, ledger.tenant.hire(&["telephonist"]).await, ledger.tenant.hire(&["telephonist"]).await];
    ledger.done("userResetPassword", json!({ "id": forgetful.user })).await;
    ledger.leaves([event("user.password_reset", &forgetful.user, 3, json!({}))]);
    let signed_out = json!({ "signedOutAt": [null, THEN] });
    ledger.done("userSignOut", json!({ "id": absent.user })).await;
    ledger.leaves([event("auth.signed_out", &absent.user, 3, signed_out.clone())]);
    ledger.done_by(&person, "userSignOut", json!({})).await;
    ledger.leaves([event("auth.signed_out", &person.user, 3, signed_out)]);
    ledger.settle(OF_THEIRS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_disabled_and_enabled_is_on_record_with_every_contact_that_is_taken_from_them() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let user = ledger.tenant.invite(json!({})).await["id"].take();
    ledger.done("userDisable", json!({ "id": user, "expectedVersion": 1, "reason": "Never came" })).await;
    ledger.leaves([event("user.disabled", &user, 2, json!({ "status": ["INVITED", "DISABLED"], "signedOutAt": [null, THEN] })).because("Never came")]);

    let (agent, heir) = (ledger.tenant.appoint(json!({})).await, ledger.tenant.appoint(json!({})).await["id"].take());
    let (id, user) = (&agent["id"], &agent["user"]["id"]);
    let contacts = [new_contact(&api, json!({ "assigneeId": id })).await["id"].take(), new_contact(&api, json!({ "assigneeId": id })).await["id"].take()];
    let input = json!({ "id": user, "expectedVersion": 1, "reason": "Left us", "assigneeId": heir });
    let job = ledger.done("userDisable", input).await["job"]["id"].take();
    let changes = json!({ "status": ["INVITED", "DISABLED"], "signedOutAt": [null, THEN] });
    let taken = contacts.each_ref().map(|contact| event("contact.assigned", contact, 2, json!({ "assignee": [id, heir] })).by_job(&job));
    let of_job = [
        beside("bulk_job.created", &job, &json!({ "action": "RETURN", "from": id, "assignee": heir })).by_job(&job),
        beside("bulk_job.completed", &job, &json!({ "action": "RETURN", "changed": 2, "unchanged": 0, "failed": 0 })).by_job(&job),
    ];
    ledger.leaves([event("user.disabled", user, 2, changes).because("Left us")].into_iter().chain(of_job).chain(taken));
    let job = ended(&api, &job).await;
    assert_eq!(job["status"], json!("COMPLETED"), "{job}");

    ledger.done("userEnable", json!({ "id": user, "expectedVersion": 2 })).await;
    ledger.leaves([event("user.enabled", user, 3, json!({ "status": ["DISABLED", "INVITED"] }))]);
    ledger.done("userEnable", json!({ "id": user, "expectedVersion": 3 })).await;
    ledger.leaves([]);
    ledger.settle(OF_THEIR_ACCESS).await;
}
