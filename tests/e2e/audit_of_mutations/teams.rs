//! What is done to teams and their members.

use serde_json::json;

use super::ledger::{Ledger, THEN, beside, created, event};
use crate::stack::contacts::new_contact;
use crate::stack::fresh;
use crate::stack::jobs::ended;
use crate::stack::mutations::done;

pub(super) const MUTATIONS: &[&str] = &["teamCreate", "teamUpdate", "teamAddMember", "teamUpdateMember", "teamRemoveMember", "teamDelete", "teamRestore"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_team_is_on_record_on_both_sides_of_each_membership() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let agent = ledger.tenant.appoint(json!({})).await["id"].take();
    let (name, renamed) = (fresh::word("Team"), fresh::word("Team"));
    let team = ledger.done("teamCreate", json!({ "name": name })).await["team"]["id"].take();
    ledger.leaves([event("team.created", &team, 1, created(&json!({ "name": name })))]);
    ledger.done("teamUpdate", json!({ "id": team, "expectedVersion": 1, "name": renamed })).await;
    ledger.leaves([event("team.updated", &team, 2, json!({ "name": [name, renamed] }))]);

    let of_team = |before: Option<&str>, after: Option<&str>| json!({ format!("members.{}", agent.as_str().unwrap()): [before, after] });
    let of_agent = |before: Option<&str>, after: Option<&str>| json!({ format!("teams.{}", team.as_str().unwrap()): [before, after] });
    let place = |role: &str| json!({ "teamId": team, "agentId": agent, "role": role });
    ledger.done("teamAddMember", place("AGENT")).await;
    ledger.leaves([event("team.member_added", &team, 3, of_team(None, Some("AGENT"))), event("agent.team_joined", &agent, 2, of_agent(None, Some("AGENT")))]);
    ledger.done("teamAddMember", place("AGENT")).await;
    ledger.leaves([]);
    ledger.done("teamUpdateMember", place("TEAM_LEAD")).await;
    ledger.leaves([
        event("team.member_changed", &team, 4, of_team(Some("AGENT"), Some("TEAM_LEAD"))),
        event("agent.team_role_changed", &agent, 3, of_agent(Some("AGENT"), Some("TEAM_LEAD"))),
    ]);
    ledger.done("teamRemoveMember", json!({ "teamId": team, "agentId": agent })).await;
    ledger.leaves([event("team.member_removed", &team, 5, of_team(Some("TEAM_LEAD"), None)), event("agent.team_left", &agent, 4, of_agent(Some("TEAM_LEAD"), None))]);

    // Whom a deleted team leaves behind, a job takes out of it.
    done(&api, "teamAddMember", place("AGENT")).await;
    let contact = new_contact(&api, json!({ "teamId": team })).await["id"].take();
    let payload = ledger.done("teamDelete", json!({ "id": team, "expectedVersion": 6 })).await;
    let job = &payload["job"]["id"];
    ledger.leaves([
        event("team.deleted", &team, 7, json!({ "deletedAt": [null, THEN] })),
        beside("bulk_job.created", job, &json!({ "action": "DISBAND", "team": team })).by_job(job),
        event("team.member_removed", &team, 8, of_team(Some("AGENT"), None)).by_job(job),
        event("agent.team_left", &agent, 6, of_agent(Some("AGENT"), None)).by_job(job),
        event("contact.unassigned", &contact, 2, json!({ "team": [team, null] })).by_job(job),
        beside("bulk_job.completed", job, &json!({ "action": "DISBAND", "changed": 1, "unchanged": 0, "failed": 0 })).by_job(job),
    ]);
    assert_eq!(ended(&api, job).await["status"], json!("COMPLETED"));
    ledger.done("teamRestore", json!({ "id": team })).await;
    ledger.leaves([event("team.restored", &team, 9, json!({ "deletedAt": [payload["team"]["deletedAt"], null] }))]);
    ledger.settle(MUTATIONS).await;
}
