//! What is done to agents, with their users and their teams.

use serde_json::{Value, json};

use super::ledger::{Ledger, THEN, beside, created, event};
use crate::stack::contacts::new_contact;
use crate::stack::fresh;
use crate::stack::jobs::ended;
use crate::stack::tenant::address;

pub(super) const MUTATIONS: &[&str] = &["agentCreate", "agentUpdate", "agentDelete", "agentRestore"];

/// The field of an event that says what somebody is in a team.
fn in_list(list: &str, id: &Value) -> String {
    format!("{list}.{}", id.as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_an_agent_is_on_record_with_their_user_their_teams_and_their_contacts() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let team = ledger.tenant.team().await["id"].take();
    let telephonist = ledger.tenant.roles(&["telephonist"]).await;
    let (name, renamed) = (fresh::word("Agnès"), fresh::word("Agnès"));
    let input = json!({ "name": name, "email": address("agent"), "employeeId": "E-77", "timeZone": "America/Vancouver", "teamIds": [team] });
    let made = ledger.done("agentCreate", input).await["agent"].take();
    let (id, user) = (&made["id"], &made["user"]["id"]);
    let (as_member, in_team) = (in_list("teams", &team), in_list("members", id));
    ledger.leaves([
        event("user.invited", user, 1, created(&json!({ "name": name, "status": "INVITED", "roles": telephonist }))),
        event("agent.created", id, 1, created(&json!({ "name": name, "employeeId": "E-77", "timeZone": "America/Vancouver", as_member.as_str(): "AGENT" }))),
        event("team.member_added", &team, 2, created(&json!({ in_team.as_str(): "AGENT" }))),
    ]);
    let invited = ledger.tenant.invite(json!({})).await;
    let second = ledger.done("agentCreate", json!({ "userId": invited["id"] })).await["agent"]["id"].take();
    ledger.leaves([event("agent.created", &second, 1, created(&json!({ "name": invited["name"] })))]);

    ledger.done("agentUpdate", json!({ "id": id, "expectedVersion": 1, "name": renamed, "timeZone": null })).await;
    ledger.leaves([
        event("agent.updated", id, 2, json!({ "name": [name, renamed], "timeZone": ["America/Vancouver", null] })),
        event("user.updated", user, 2, json!({ "name": [name, renamed] })),
    ]);

    let contact = new_contact(&api, json!({ "assigneeId": id })).await["id"].take();
    let payload = ledger.done("agentDelete", json!({ "id": id, "expectedVersion": 2, "teamId": team, "reason": "Left us" })).await;
    let job = &payload["job"]["id"];
    ledger.leaves([
        event("agent.deleted", id, 3, json!({ "deletedAt": [null, THEN], as_member.as_str(): ["AGENT", null] })).because("Left us"),
        event("team.member_removed", &team, 3, json!({ in_team.as_str(): ["AGENT", null] })),
        event("user.disabled", user, 3, json!({ "status": ["INVITED", "DISABLED"], "signedOutAt": [null, THEN] })).because("Left us"),
        beside("bulk_job.created", job, &json!({ "action": "RETURN", "from": id, "team": team })).by_job(job),
        event("contact.assigned", &contact, 2, json!({ "assignee": [id, null], "team": [null, team] })).by_job(job),
        beside("bulk_job.completed", job, &json!({ "action": "RETURN", "changed": 1, "unchanged": 0, "failed": 0 })).by_job(job),
    ]);
    // A job that finds them restored leaves the contacts.
    assert_eq!(ended(&api, job).await["status"], json!("COMPLETED"));

    ledger.done("agentRestore", json!({ "id": id })).await;
    ledger.leaves([
        event("agent.restored", id, 4, json!({ "deletedAt": [payload["agent"]["deletedAt"], null] })),
        event("user.enabled", user, 4, json!({ "status": ["DISABLED", "INVITED"] })),
    ]);
    ledger.settle(MUTATIONS).await;
}
