//! Teams and who is in them: names nobody else has, members that are counted without being read, and each coming and going on record on both sides.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stack::api::{Api, user_errors};
use crate::stack::contacts::{LISTED, contact, new_contact, text};
use crate::stack::fresh;
use crate::stack::history::{caught_up, history};
use crate::stack::jobs::{counts, ended};
use crate::stack::mutations::{done, error, mutate, refusal, refused};
use crate::stack::staff::{place_in_team, record, recorded};
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;

/// A team's members with their roles, walked by pages of three.
async fn members(api: &Api, team: &Value) -> BTreeMap<String, Value> {
    let query = "query($id: ID!, $after: String) { team(id: $id) { memberCount members(first: 3, after: $after) {
        nodes { role assignedAt team { id } agent { id } } pageInfo { hasNextPage endCursor } } } }";
    let (mut members, mut after) = (BTreeMap::new(), Value::Null);
    loop {
        let mut found = api.data(query, json!({ "id": team, "after": after })).await["team"].take();
        for member in found["members"]["nodes"].as_array().unwrap() {
            assert!(member["team"]["id"] == *team && member["assignedAt"].is_string(), "{member}");
            assert!(members.insert(text(&member["agent"]["id"]), member["role"].clone()).is_none(), "each comes once");
        }
        after = found["members"]["pageInfo"]["endCursor"].take();
        if found["members"]["pageInfo"]["hasNextPage"] == false {
            assert_eq!(found["memberCount"], json!(members.len()), "as many as it says");
            return members;
        }
    }
}

/// An agent's teams with their roles there.
async fn memberships(api: &Api, agent: &Value) -> BTreeMap<String, Value> {
    let agent = record(api, "agent", agent).await;
    agent["memberships"].as_array().unwrap().iter().map(|membership| (text(&membership["team"]["id"]), membership["role"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_differs_by_accents_case_spaces_or_punctuation_only_is_taken_by_a_live_team() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let word = fresh::letters();
    let name = format!("Équipe {word} Est");
    let input = json!({ "name": format!(" {name} "), "idempotencyKey": fresh::word("key") });
    let team = done(api, "teamCreate", input.clone()).await["team"].take();
    assert_eq!((&team["name"], &team["memberCount"], &team["version"]), (&json!(name), &json!(0), &json!(1)));
    assert_eq!(done(api, "teamCreate", input).await["team"], team, "the same key is the same team");
    let other = tenant.team().await;
    for alike in [name.clone(), format!("equipe {word} est"), format!("ÉQUIPE  {}   EST", word.to_uppercase()), format!("Equipe-{word}.est"), format!("équipe{word}est")]
    {
        for (mutation, input) in [("teamCreate", json!({ "name": alike })), ("teamUpdate", json!({ "id": other["id"], "expectedVersion": 1, "name": alike }))] {
            let payload = mutate(api, mutation, input).await;
            assert_eq!((user_errors(&payload), &payload["userErrors"][0]["existingId"]), (error("name", "TAKEN"), &team["id"]), "{mutation} {alike}");
        }
    }
    for (value, code) in [(json!(""), "BLANK"), (json!(" \t"), "BLANK"), (json!("é".repeat(101)), "TOO_LONG"), (json!("a\u{0}b"), "INVALID"), (json!("a\nb"), "INVALID")]
    {
        assert_eq!(refused(api, "teamCreate", json!({ "name": value })).await, error("name", code), "{value:.40}");
        let update = json!({ "id": other["id"], "expectedVersion": 1, "name": value });
        assert_eq!(refused(api, "teamUpdate", update).await, error("name", code), "{value:.40}");
    }
    assert_eq!((record(api, "team", &team["id"]).await, record(api, "team", &other["id"]).await), (team.clone(), other));

    let spelt = format!("equipe {word} EST");
    let renamed = done(api, "teamUpdate", json!({ "id": team["id"], "expectedVersion": 1, "name": spelt })).await["team"].take();
    assert_eq!((&renamed["name"], &renamed["version"]), (&json!(spelt), &json!(2)), "its own name is not taken for itself");
    assert_eq!(done(api, "teamUpdate", json!({ "id": team["id"], "expectedVersion": 2, "name": spelt })).await["team"], renamed);
    assert_eq!(refused(api, "teamUpdate", json!({ "id": team["id"], "expectedVersion": 1, "name": "Stale" })).await, error("expectedVersion", "STALE"));
    done(api, "teamUpdate", json!({ "id": team["id"], "expectedVersion": 2, "name": format!("Équipe {word} Ouest") })).await;
    let heir = done(api, "teamCreate", json!({ "name": name })).await["team"].take();
    assert_ne!(heir["id"], team["id"], "what a team is no longer called is free");

    done(api, "teamDelete", json!({ "id": heir["id"], "expectedVersion": 1 })).await;
    done(api, "teamUpdate", json!({ "id": team["id"], "expectedVersion": 3, "name": name })).await;
    let back = refused(api, "teamRestore", json!({ "id": heir["id"] })).await;
    assert_eq!(back.iter().map(|(_, code)| code.as_str()).collect::<Vec<_>>(), ["TAKEN"], "somebody else is called so now");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_teams_of_one_name_at_once_one_is_made_and_of_eight_members_none_is_lost() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let name = fresh::word("Contested");
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (api, name) = (api.clone(), name.clone());
        calls.spawn(async move { mutate(&api, "teamCreate", json!({ "name": name })).await });
    }
    let payloads = calls.join_all().await;
    let (won, lost): (Vec<&Value>, Vec<&Value>) = payloads.iter().partition(|payload| payload["team"].is_object());
    assert_eq!((won.len(), lost.len()), (1, 7), "{payloads:?}");
    let team = &won[0]["team"]["id"];
    for payload in lost {
        assert_eq!((user_errors(payload), &payload["userErrors"][0]["existingId"]), (error("name", "TAKEN"), team));
    }

    let mut agents = Vec::new();
    for _ in 0..4 {
        agents.push(tenant.appoint(json!({})).await["id"].take());
    }
    let mut calls = JoinSet::new();
    for agent in agents.iter().chain(&agents) {
        let (api, input) = (api.clone(), json!({ "teamId": team, "agentId": agent }));
        calls.spawn(async move { done(&api, "teamAddMember", input).await["changed"].clone() });
    }
    let changed = calls.join_all().await;
    assert_eq!(changed.iter().filter(|changed| **changed == json!(true)).count(), 4, "each joins once: {changed:?}");
    assert_eq!(members(api, team).await, agents.iter().map(|agent| (text(agent), json!("AGENT"))).collect());
    assert_eq!(record(api, "team", team).await["version"], 5);
    for agent in &agents {
        assert_eq!(memberships(api, agent).await, [(text(team), json!("AGENT"))].into());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_join_change_and_leave_on_record_in_the_team_and_in_the_agent() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let (team, agent) = (tenant.team().await["id"].take(), tenant.appoint(json!({})).await["id"].take());
    let place = |role: &str| json!({ "teamId": team, "agentId": agent, "role": role });
    let nowhere = json!({ "teamId": team, "agentId": agent });
    let absent = json!(data_encoding::BASE64URL_NOPAD.encode(b"agent:00000000000000000000000000"));
    for (mutation, input) in [
        ("teamUpdateMember", place("SUPERVISOR")),
        ("teamRemoveMember", nowhere.clone()),
        ("teamAddMember", json!({ "teamId": team, "agentId": "nonsense" })),
        ("teamAddMember", json!({ "teamId": team, "agentId": absent })),
    ] {
        assert_eq!(refused(api, mutation, input.clone()).await, error("agentId", "NOT_FOUND"), "{mutation} {input}");
    }
    for mutation in ["teamAddMember", "teamRemoveMember"] {
        assert_eq!(refusal(api, mutation, json!({ "teamId": "nonsense", "agentId": agent })).await, "NOT_FOUND", "{mutation}");
    }
    assert_eq!(members(api, &team).await, BTreeMap::new());

    let joined = done(api, "teamAddMember", nowhere.clone()).await;
    assert_eq!((&joined["changed"], &joined["membership"]["role"], &joined["team"]["memberCount"]), (&json!(true), &json!("AGENT"), &json!(1)));
    let twice = done(api, "teamAddMember", place("AGENT")).await;
    assert_eq!((&twice["changed"], &twice["membership"], &twice["team"]), (&json!(false), &joined["membership"], &joined["team"]), "no change, and it says so");
    for (version, mutation, role, changed) in
        [(3, "teamAddMember", "TEAM_LEAD", true), (4, "teamUpdateMember", "SUPERVISOR", true), (4, "teamUpdateMember", "SUPERVISOR", false)]
    {
        let payload = done(api, mutation, place(role)).await;
        assert_eq!((&payload["changed"], &payload["membership"]["role"], &payload["team"]["version"]), (&json!(changed), &json!(role), &json!(version)), "{mutation}");
        assert_eq!(payload["membership"]["assignedAt"], joined["membership"]["assignedAt"]);
        assert_eq!(members(api, &team).await, [(text(&agent), json!(role))].into());
        assert_eq!(memberships(api, &agent).await, [(text(&team), json!(role))].into());
    }
    let left = done(api, "teamRemoveMember", nowhere).await;
    assert_eq!((&left["changed"], &left["team"]["memberCount"], &left["team"]["version"]), (&json!(true), &json!(0), &json!(5)));
    assert_eq!((&left["agent"]["memberships"], &left["agent"]["version"]), (&json!([]), &json!(5)));
    assert_eq!(members(api, &team).await, BTreeMap::new());

    let (of_team, of_agent) = (recorded(api, "team", &team).await, recorded(api, "agent", &agent).await);
    let steps = [("member_added", "team_joined"), ("member_changed", "team_role_changed"), ("member_changed", "team_role_changed"), ("member_removed", "team_left")];
    let roles = [Value::Null, json!("AGENT"), json!("TEAM_LEAD"), json!("SUPERVISOR"), Value::Null];
    for (index, (in_team, in_agent)) in steps.into_iter().enumerate() {
        let change = Some((&roles[index], &roles[index + 1]));
        let (team_event, agent_event) = (&of_team[3 - index], &of_agent[3 - index]);
        assert_eq!((&team_event["action"], place_in_team(team_event, "members", &agent)), (&json!(format!("team.{in_team}")), change));
        assert_eq!((&agent_event["action"], place_in_team(agent_event, "teams", &team)), (&json!(format!("agent.{in_agent}")), change));
        for event in [team_event, agent_event] {
            assert_eq!((&event["actor"]["id"], event["changes"].as_array().unwrap().len()), (&tenant.admin.user, 1), "{event}");
        }
    }
    assert_eq!((of_team.len(), of_agent.len()), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_team_loses_its_members_and_its_pool_in_a_job_and_comes_back_without_them() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let (team, other) = (tenant.team().await, tenant.team().await["id"].take());
    let id = &team["id"];
    let mut agents = Vec::new();
    for _ in 0..3 {
        agents.push(tenant.appoint(json!({ "teamIds": [id, other] })).await["id"].take());
    }
    let contacts = [new_contact(api, json!({})).await, new_contact(api, json!({})).await];
    let in_pool = done(api, "contactAssign", json!({ "ids": [contacts[0]["id"], contacts[1]["id"]], "teamId": id })).await;
    assert_eq!(in_pool["contacts"][0]["team"]["id"], *id);

    assert_eq!(refused(api, "teamDelete", json!({ "id": id, "expectedVersion": 1 })).await, error("expectedVersion", "STALE"));
    let payload = done(api, "teamDelete", json!({ "id": id, "expectedVersion": 4 })).await;
    assert_eq!(payload["team"]["version"], 5);
    assert!(payload["team"]["deletedAt"].is_string(), "{payload}");
    let job = ended(api, &payload["job"]["id"]).await;
    assert_eq!((&job["status"], &job["action"], counts(&job)[2]), (&json!("COMPLETED"), &json!("DISBAND"), 0), "{job}");
    for agent in &agents {
        assert_eq!(memberships(api, agent).await, [(text(&other), json!("AGENT"))].into(), "who was in two teams is in the other");
        let events = recorded(api, "agent", agent).await;
        assert_eq!((events.len(), &events[0]["action"]), (2, &json!("agent.team_left")));
        assert_eq!(place_in_team(&events[0], "teams", id), Some((&json!("AGENT"), &Value::Null)));
    }
    assert_eq!(members(api, &other).await.len(), 3);
    let gone = record(api, "team", id).await;
    assert_eq!((&gone["memberCount"], &gone["version"]), (&json!(0), &json!(8)), "each of them is a change");
    let events = recorded(api, "team", id).await;
    let left: BTreeSet<String> =
        agents.iter().filter(|agent| events[..3].iter().any(|event| place_in_team(event, "members", agent) == Some((&json!("AGENT"), &Value::Null)))).map(text).collect();
    assert_eq!((left.len(), &events[3]["action"]), (3, &json!("team.deleted")));
    assert!(events[..4].iter().all(|event| event["actor"]["id"] == tenant.admin.user), "{events:?}");

    caught_up(api).await;
    for before in &contacts {
        let after = contact(api, &before["id"]).await;
        assert_eq!((&after["team"], &after["assignee"], &after["version"]), (&Value::Null, &Value::Null, &json!(3)));
        let events = history(api, &before["id"]).await;
        assert_eq!(events[0]["changes"], json!([{ "field": "team", "oldValue": id, "newValue": null }]));
    }
    let listed = async |filter: &str| api.data(&format!("{{ teams(first: 100{filter}) {{ nodes {{ id }} }} }}"), json!({})).await.to_string().contains(&text(id));
    eventually("only who asks for the deleted ones lists it", LISTED, async || (!listed("").await && listed(", includeDeleted: true").await).then_some(())).await;
    assert_eq!(refusal(api, "teamUpdate", json!({ "id": id, "expectedVersion": 8, "name": "Ghost" })).await, "NOT_FOUND");
    assert_eq!(refusal(api, "teamAddMember", json!({ "teamId": id, "agentId": agents[0] })).await, "NOT_FOUND");
    assert_eq!(refused(api, "contactAssign", json!({ "ids": [contacts[0]["id"]], "teamId": id })).await, error("teamId", "NOT_FOUND"));

    let restored = done(api, "teamRestore", json!({ "id": id })).await["team"].take();
    assert_eq!((&restored["deletedAt"], &restored["memberCount"], &restored["name"], &restored["version"]), (&Value::Null, &json!(0), &team["name"], &json!(9)));
    eventually("it is listed again", LISTED, async || listed("").await.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_scope_all_one_sees_the_teams_one_is_in() {
    let tenant = Tenant::shared().await;
    let [team, other] = [tenant.team().await["id"].take(), tenant.team().await["id"].take()];
    let agent = tenant.appoint(json!({ "teamIds": [team] })).await;
    let api = tenant.admit(&agent["email"]).await.api;
    let absent = json!(data_encoding::BASE64URL_NOPAD.encode(b"team:00000000000000000000000000"));
    let query = "query($id: ID!) { team(id: $id) { id } node(id: $id) { id } }";
    assert_eq!(api.data(query, json!({ "id": team })).await, json!({ "team": { "id": team }, "node": { "id": team } }));
    for id in [&other, &absent] {
        assert_eq!(api.data(query, json!({ "id": id })).await, json!({ "team": null, "node": null }));
    }
    let data = api.data("{ teams { nodes { id } pageInfo { hasNextPage } } }", json!({})).await;
    assert_eq!(data["teams"], json!({ "nodes": [{ "id": team }], "pageInfo": { "hasNextPage": false } }));
    for (mutation, input) in
        [("teamAddMember", json!({ "teamId": team, "agentId": agent["id"] })), ("teamUpdate", json!({ "id": team, "expectedVersion": 2, "name": "Mine" }))]
    {
        assert_eq!(refusal(&api, mutation, input).await, "FORBIDDEN", "{mutation}");
    }
}
