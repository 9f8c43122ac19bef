//! The staff directory: agents made with their teams, changed, deleted with all that hangs on them, restored, and listed by name.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::api::{Api, user_errors};
use crate::stack::contacts::{LISTED, contact, new_contact, text};
use crate::stack::fresh;
use crate::stack::jobs::{counts, ended};
use crate::stack::mutations::{done, error, mutate, refusal, refused};
use crate::stack::staff::{eventually_refused, place_in_team, record, recorded};
use crate::stack::tenant::{Tenant, address};
use crate::stack::waiting::eventually;

/// The names of a list of staff in its order, walked by pages of two. What holds for every page is checked on every page.
async fn walked(api: &Api, list: &str) -> Vec<String> {
    let (name, filter) = list.split_once(' ').unwrap_or((list, ""));
    let query = format!(
        "query($after: String) {{ {name}(first: 2, after: $after {filter}) {{ edges {{ cursor node {{ name }} }} nodes {{ name }}
            pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }}"
    );
    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(&query, json!({ "after": after })).await[name].take();
        let edges = page["edges"].as_array().unwrap();
        assert!(edges.len() <= 2 && page["pageInfo"]["hasPreviousPage"] == json!(!after.is_null()), "{page}");
        assert_eq!(edges.iter().map(|edge| edge["node"].clone()).collect::<Value>(), page["nodes"]);
        names.extend(edges.iter().map(|edge| text(&edge["node"]["name"])));
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            return names;
        }
        assert!(names.len() < 100, "{names:?}");
    }
}

async fn eventually_walked(api: &Api, list: &str, expected: &[&str]) {
    eventually(&format!("{list} gives {expected:?}"), LISTED, async || (walked(api, list).await == expected).then_some(())).await;
}

/// How many members a team has, as it says and as they are listed.
async fn member_counts(api: &Api, team: &Value) -> (Value, usize) {
    let mut data = api.data("query($id: ID!) { team(id: $id) { memberCount members(first: 100) { nodes { agent { id } } } } }", json!({ "id": team })).await;
    let listed = data["team"]["members"]["nodes"].as_array().unwrap().len();
    (data["team"]["memberCount"].take(), listed)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_made_with_all_that_is_given_and_only_what_is_given_changes() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let (team, email) = (tenant.team().await["id"].take(), address("agent"));
    let input = json!({
        "name": "Agnès Roy", "email": email.to_uppercase(), "employeeId": "E-77", "timeZone": "America/Vancouver", "teamIds": [team],
        "roles": tenant.roles(&["agent"]).await, "idempotencyKey": fresh::word("key"),
    });
    let agent = done(api, "agentCreate", input.clone()).await["agent"].take();
    let id = &agent["id"];
    assert_eq!((&agent["name"], &agent["email"], &agent["employeeId"]), (&json!("Agnès Roy"), &json!(email), &json!("E-77")));
    assert_eq!((&agent["timeZone"], &agent["version"], &agent["deletedAt"]), (&json!("America/Vancouver"), &json!(1), &Value::Null));
    assert_eq!(agent["memberships"], json!([{ "role": "AGENT", "team": { "id": team } }]));
    assert_eq!(agent["teams"], json!([{ "id": team }]));
    assert_eq!(done(api, "agentCreate", input).await["agent"]["id"], *id, "the same key is the same agent");
    let user = record(api, "user", &agent["user"]["id"]).await;
    assert_eq!((&user["status"], &user["name"], &user["roles"][0]["code"]), (&json!("INVITED"), &json!("Agnès Roy"), &json!("agent")));
    assert_eq!(member_counts(api, &team).await, (json!(1), 1));
    let node = api.data("query($id: ID!) { node(id: $id) { id __typename } }", json!({ "id": id })).await["node"].take();
    assert_eq!(node, json!({ "id": id, "__typename": "Agent" }));

    assert_eq!(refused(api, "agentUpdate", json!({ "id": id, "expectedVersion": 2, "name": "Stale" })).await, error("expectedVersion", "STALE"));
    let changed = done(api, "agentUpdate", json!({ "id": id, "expectedVersion": 1, "name": "Agnès Field", "timeZone": null })).await["agent"].take();
    assert_eq!((&changed["name"], &changed["employeeId"], &changed["version"]), (&json!("Agnès Field"), &json!("E-77"), &json!(2)));
    assert_eq!((&changed["timeZone"], &changed["email"]), (&json!("America/Toronto"), &json!(email)), "without a zone of their own they are on the tenant's");
    assert_eq!(record(api, "user", &user["id"]).await["name"], "Agnès Field");
    let same = json!({ "id": id, "expectedVersion": 2, "name": "Agnès Field", "employeeId": "E-77" });
    assert_eq!(done(api, "agentUpdate", same).await["agent"], changed, "what changes nothing is no change");

    let events = recorded(api, "agent", id).await;
    assert_eq!(events.iter().map(|event| event["entityVersion"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((&events[1]["action"], place_in_team(&events[1], "teams", &team)), (&json!("agent.created"), Some((&Value::Null, &json!("AGENT")))));
    let joined = recorded(api, "team", &team).await;
    assert_eq!(place_in_team(&joined[0], "members", id), Some((&Value::Null, &json!("AGENT"))));

    let user = tenant.invite(json!({})).await;
    let later = done(api, "agentCreate", json!({ "userId": user["id"], "employeeId": "E-78" })).await["agent"].take();
    assert_eq!((&later["user"]["id"], &later["name"], &later["email"]), (&user["id"], &user["name"], &user["email"]));
    let twice = refused(api, "agentCreate", json!({ "userId": user["id"] })).await;
    assert_eq!(twice.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["userId"], "{twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_agent_is_named_and_nobody_is_made_or_changed() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let name = fresh::word("Refused");
    let before = tenant.appoint(json!({ "timeZone": "America/Halifax" })).await;
    for (field, value, code) in [
        ("email", json!("nobody"), "INVALID"),
        ("email", json!(""), "BLANK"),
        ("email", json!(text(&before["email"]).to_uppercase()), "TAKEN"),
        ("name", json!(" "), "BLANK"),
        ("name", json!("é".repeat(256)), "TOO_LONG"),
        ("employeeId", json!("7".repeat(51)), "TOO_LONG"),
        ("employeeId", json!("7\n7"), "INVALID"),
        ("timeZone", json!("Mars/Olympus"), "INVALID"),
        ("timeZone", json!("../../etc/passwd"), "INVALID"),
        ("teamIds", json!(["nonsense"]), "NOT_FOUND"),
        ("teamIds", json!([before["id"]]), "NOT_FOUND"),
    ] {
        let mut input = json!({ "email": address("refused"), "name": name });
        input[field] = value.clone();
        assert_eq!(refused(api, "agentCreate", input).await, error(field, code), "{value:.60}");
        if field != "email" && field != "teamIds" {
            let mut input = json!({ "id": before["id"], "expectedVersion": 1, "employeeId": "E-1" });
            input[field] = value.clone();
            assert_eq!(refused(api, "agentUpdate", input).await, error(field, code), "{value:.60}");
        }
    }
    assert_eq!(refusal(api, "agentUpdate", json!({ "id": "nonsense", "expectedVersion": 1, "name": "Nobody" })).await, "NOT_FOUND");
    assert_eq!(record(api, "agent", &before["id"]).await, before);
    let data = api.data("{ agents(first: 100) { nodes { name } } users(first: 100) { nodes { name } } }", json!({})).await;
    assert!(!data.to_string().contains(&name), "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_leaves_their_teams_and_contacts_and_comes_back_without_them() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let teams = [tenant.team().await["id"].take(), tenant.team().await["id"].take()];
    let pool = tenant.team().await["id"].take();
    let agent = tenant.appoint(json!({ "teamIds": [teams[0]] })).await;
    let person = tenant.admit(&agent["email"]).await;
    let id = &agent["id"];
    done(api, "teamAddMember", json!({ "teamId": teams[1], "agentId": id, "role": "TEAM_LEAD" })).await;
    let given = new_contact(api, json!({ "assigneeId": id })).await["id"].take();

    for (more, errors) in [
        (json!({ "expectedVersion": 1 }), error("expectedVersion", "STALE")),
        (json!({ "expectedVersion": 2, "teamId": "nonsense" }), error("teamId", "NOT_FOUND")),
        (json!({ "expectedVersion": 2, "assigneeId": "nonsense" }), error("assigneeId", "NOT_FOUND")),
    ] {
        let mut input = more;
        input["id"] = id.clone();
        assert_eq!(refused(api, "agentDelete", input.clone()).await, errors, "{input}");
    }
    let payload = done(api, "agentDelete", json!({ "id": id, "expectedVersion": 2, "teamId": pool, "reason": "Left us" })).await;
    let deleted = &payload["agent"];
    assert_eq!((&deleted["memberships"], &deleted["teams"], &deleted["version"]), (&json!([]), &json!([]), &json!(3)));
    assert!(deleted["deletedAt"].is_string(), "{deleted}");
    assert_eq!(record(api, "user", &person.user).await["status"], "DISABLED");
    for team in &teams {
        assert_eq!(member_counts(api, team).await, (json!(0), 0));
    }
    let events = recorded(api, "agent", id).await;
    for (team, role) in teams.iter().zip(["AGENT", "TEAM_LEAD"]) {
        assert_eq!(place_in_team(&events[0], "teams", team), Some((&json!(role), &Value::Null)));
        let of_team = recorded(api, "team", team).await;
        assert_eq!(place_in_team(&of_team[0], "members", id), Some((&json!(role), &Value::Null)));
        assert_eq!(of_team[0]["actor"]["id"], tenant.admin.user);
    }

    let listed = async |filter: &str| api.data(&format!("{{ agents(first: 100{filter}) {{ nodes {{ id }} }} }}"), json!({})).await.to_string().contains(&text(id));
    eventually("only who asks for the deleted ones lists them", LISTED, async || (!listed("").await && listed(", includeDeleted: true").await).then_some(())).await;
    assert_eq!(record(api, "agent", id).await, *deleted, "by the id they are still found");
    assert_eq!(refusal(api, "agentUpdate", json!({ "id": id, "expectedVersion": 3, "name": "Ghost" })).await, "NOT_FOUND");
    assert_eq!(refused(api, "teamAddMember", json!({ "teamId": teams[0], "agentId": id })).await, error("agentId", "NOT_FOUND"));
    let user = record(api, "user", &person.user).await;
    assert_eq!(refused(api, "userEnable", json!({ "id": person.user, "expectedVersion": user["version"] })).await, error("id", "CONFLICT"));
    eventually_refused("who was deleted is refused", &person.api).await;
    let job = ended(api, &payload["job"]["id"]).await;
    assert_eq!((&job["status"], counts(&job)), (&json!("COMPLETED"), [1, 0, 0]), "{job}");
    let after = contact(api, &given).await;
    assert_eq!((&after["assignee"], &after["team"]["id"]), (&Value::Null, &pool));

    let restored = done(api, "agentRestore", json!({ "id": id })).await["agent"].take();
    assert_eq!((&restored["deletedAt"], &restored["memberships"], &restored["version"]), (&Value::Null, &json!([]), &json!(4)));
    assert_eq!(record(api, "user", &person.user).await["status"], "ACTIVE");
    eventually("they are listed again", LISTED, async || listed("").await.then_some(())).await;
    assert_eq!(contact(api, &given).await, after, "what they had stays where it went");
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_users_are_listed_by_name_page_by_page_and_by_team() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let team = tenant.team().await["id"].take();
    for (name, teams) in [("Zoé", json!([team])), ("élan Roy", json!([])), ("Ada", json!([team])), ("Bob", json!([])), ("ada", json!([team]))] {
        tenant.appoint(json!({ "name": name, "teamIds": teams })).await;
    }
    // The administrator may be an agent, too.
    let with_admin = |mut names: Vec<&'static str>| {
        if !tenant.admin.agent.is_null() {
            names.insert(names.len() - 1, "Mona Maker");
        }
        names
    };
    let folded = |names: Vec<String>| names.into_iter().map(|name| name.replace("ada", "Ada")).collect::<Vec<_>>();
    let agents = with_admin(vec!["Ada", "Ada", "Bob", "élan Roy", "Zoé"]);
    eventually(&format!("agents gives {agents:?}"), LISTED, async || (folded(walked(api, "agents").await) == agents).then_some(())).await;
    let users = ["Ada", "Ada", "Bob", "élan Roy", "Mona Maker", "Zoé"];
    eventually(&format!("users gives {users:?}"), LISTED, async || (folded(walked(api, "users").await) == users).then_some(())).await;
    let of_team = walked(api, &format!("agents , teamId: {team}")).await;
    assert_eq!(of_team.iter().map(String::as_str).collect::<BTreeSet<_>>(), ["Ada", "ada", "Zoé"].into());
    eventually_walked(api, "agents , presence: [AVAILABLE]", &[]).await;
    for list in ["agents", "users", "teams"] {
        for first in [0, 101, -1] {
            assert_eq!(api.refusal(&format!("{{ {list}(first: {first}) {{ nodes {{ id }} }} }}"), json!({})).await, "LIMIT_EXCEEDED", "{list} {first}");
        }
        assert_eq!(api.refusal(&format!("{{ {list}(after: \"made up\") {{ nodes {{ id }} }} }}"), json!({})).await, "BAD_CURSOR", "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_oneself_with_the_scope_own_and_who_shares_a_team_with_the_scope_team() {
    let tenant = Tenant::shared().await;
    let [team, other] = [tenant.team().await["id"].take(), tenant.team().await["id"].take()];
    let own = tenant.hire(&["telephonist"]).await;
    let leader = tenant.appoint(json!({ "teamIds": [team] })).await;
    let colleague = tenant.appoint(json!({ "teamIds": [team, other] })).await["id"].take();
    let stranger = tenant.appoint(json!({ "teamIds": [other] })).await["id"].take();
    let wider = json!({ "id": leader["user"]["id"], "expectedVersion": 1, "permissions": ["agent:read:TEAM", "agent:update:TEAM", "presence:read:TEAM"] });
    done(&tenant.api, "userUpdate", wider).await;
    let leader = tenant.admit(&leader["email"]).await;

    let absent = json!(data_encoding::BASE64URL_NOPAD.encode(b"agent:00000000000000000000000000"));
    let query = "query($id: ID!) { agent(id: $id) { id } node(id: $id) { id } }";
    for (person, sees) in [(&own, vec![&own.agent]), (&leader, vec![&leader.agent, &colleague])] {
        for id in [&own.agent, &leader.agent, &colleague, &stranger, &absent] {
            let expected = if sees.contains(&id) { json!({ "agent": { "id": id }, "node": { "id": id } }) } else { json!({ "agent": null, "node": null }) };
            assert_eq!(person.api.data(query, json!({ "id": id })).await, expected);
        }
        let listed = async || {
            let data = person.api.data("{ agents(first: 100) { nodes { id } } }", json!({})).await;
            let listed: BTreeSet<String> = data["agents"]["nodes"].as_array().unwrap().iter().map(|agent| text(&agent["id"])).collect();
            (listed == sees.iter().map(|id| text(id)).collect::<BTreeSet<_>>()).then_some(())
        };
        eventually("the list has who may be seen and nobody else", LISTED, listed).await;
    }
    let rename = |id: &Value| json!({ "id": id, "expectedVersion": 1, "name": "Renamed" });
    for id in [&stranger, &absent] {
        assert_eq!(refusal(&leader.api, "agentUpdate", rename(id)).await, "NOT_FOUND");
    }
    assert_eq!(refusal(&own.api, "agentUpdate", rename(&own.agent)).await, "FORBIDDEN");
    let payload = mutate(&leader.api, "agentUpdate", rename(&colleague)).await;
    assert_eq!((user_errors(&payload), &payload["agent"]["name"]), (vec![], &json!("Renamed")));
}
