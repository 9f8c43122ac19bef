//! Who may no longer: a token that is still valid is worth nothing once its user is disabled, signed out, gone or has other permissions; and a tenant
//! always has an administrator.

use std::time::Duration;

use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::stack::api::{Answer, user_errors};
use crate::stack::contacts::{agent_of, contact, new_contact};
use crate::stack::history::{caught_up, history};
use crate::stack::jobs::{counts, ended};
use crate::stack::mutations::{document, done, error, refused};
use crate::stack::staff::{HALF_A_MINUTE, eventually_forbidden, eventually_refused, record};
use crate::stack::tenant::{Person, Tenant};
use crate::stack::waiting::eventually;
use crate::stack::{Stack, setting};

/// Tokens say to the second when their owner signed in: one of the same second is as old as the one before.
const ANOTHER_SECOND: Duration = Duration::from_millis(1_100);
const VIEWER: &str = "{ viewer { user { id } } }";
const USERS: &str = "{ users(first: 1) { nodes { id } } }";

/// Whether the pool lets somebody sign in.
async fn signs_in(stack: &Stack, email: &str) -> bool {
    let request = stack.cognito().admin_initiate_auth().user_pool_id(setting("USER_POOL_ID")).client_id(setting("USER_POOL_CLIENT_ID"));
    let request = request.auth_flow(AuthFlowType::AdminUserPasswordAuth).auth_parameters("USERNAME", email);
    request.auth_parameters("PASSWORD", setting("DEMO_PASSWORD")).send().await.is_ok()
}

/// Disabled, disabled once more, refused everywhere, enabled, and let in by a new sign-in only.
async fn disabled(tenant: &Tenant) {
    let (person, api) = (tenant.hire(&["telephonist"]).await, &tenant.api);
    let payload = done(api, "userDisable", json!({ "id": person.user, "expectedVersion": 2, "reason": "Left us" })).await;
    assert_eq!((&payload["user"]["status"], &payload["user"]["version"]), (&json!("DISABLED"), &json!(3)));
    assert!(!signs_in(&tenant.stack, &person.email).await);
    let again = done(api, "userDisable", json!({ "id": person.user, "expectedVersion": 1, "reason": "Once more" })).await;
    assert_eq!(again["user"], payload["user"], "who is disabled already stays as they are");
    for mutation in ["userResetPassword", "userResendInvitation"] {
        assert_eq!(refused(api, mutation, json!({ "id": person.user })).await, error("id", "FORBIDDEN_TRANSITION"), "{mutation}");
    }
    eventually_refused("the token of who was disabled is refused", &person.api).await;
    // Before they are enabled again: a job that finds them enabled leaves the contacts and says so.
    let job = ended(api, &payload["job"]["id"]).await;
    assert_eq!((&job["status"], counts(&job)), (&json!("COMPLETED"), [0, 0, 0]), "they had no contacts");

    let enabled = done(api, "userEnable", json!({ "id": person.user, "expectedVersion": 3 })).await["user"].take();
    assert_eq!((&enabled["status"], &enabled["version"]), (&json!("ACTIVE"), &json!(4)));
    let fresh = person.signed_in_again(&tenant.stack).await;
    let let_in = async || (fresh.ask(VIEWER, json!({})).await.status == 200).then_some(());
    eventually("who was enabled is let in", HALF_A_MINUTE, let_in).await;
    assert_eq!(person.api.ask(VIEWER, json!({})).await.status, 401, "the token from before stays worthless");
}

/// A token whose user the API no longer knows.
async fn unknown(tenant: &Tenant) {
    let person = tenant.hire(&["telephonist"]).await;
    let identity = tenant.stack.cognito().admin_get_user().user_pool_id(setting("USER_POOL_ID")).username(&person.email).send().await.unwrap();
    let subject = identity.user_attributes().iter().find(|attribute| attribute.name() == "sub").and_then(|attribute| attribute.value()).unwrap();
    let request = tenant.stack.dynamodb().delete_item().table_name(setting("CORE_TABLE")).key("PK", AttributeValue::S(format!("SUB#{subject}")));
    let removed = request.key("SK", AttributeValue::S("SUB".to_owned())).return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld).send().await.unwrap();
    assert!(removed.attributes.is_some_and(|item| !item.is_empty()), "it was this by which the user was found");
    eventually_refused("the token of who is gone is refused", &person.api).await;
}

/// Signed out everywhere by themselves, for which nobody needs a permission, or by an administrator.
async fn signed_out(tenant: &Tenant, by_themselves: bool) {
    let person = tenant.hire(&["agent"]).await;
    let other = person.signed_in_again(&tenant.stack).await;
    let user = match by_themselves {
        true => done(&other, "userSignOut", json!({})).await["user"].take(),
        false => done(&tenant.api, "userSignOut", json!({ "id": person.user })).await["user"].take(),
    };
    assert_eq!((&user["id"], &user["status"]), (&person.user, &json!("ACTIVE")));
    assert!(user["lastSignedOutAt"].is_string(), "{user}");
    sleep(ANOTHER_SECOND).await;
    let fresh = person.signed_in_again(&tenant.stack).await;
    assert_eq!(fresh.data(VIEWER, json!({})).await["viewer"]["user"]["id"], person.user, "a new sign-in is let in at once");
    for old in [&person.api, &other] {
        eventually_refused("a token from before the signing out is refused", old).await;
    }
    assert_eq!(fresh.ask(VIEWER, json!({})).await.status, 200);
}

/// Taken out of a role, or deprived of a permission given directly.
async fn deprived(tenant: &Tenant, given: Value, taken: Value) {
    let user = tenant.invite(given).await;
    let person = tenant.admit(&user["email"]).await;
    person.api.data(USERS, json!({})).await;
    let mut input = json!({ "id": person.user, "expectedVersion": 2 });
    input.as_object_mut().unwrap().extend(taken.as_object().unwrap().clone());
    done(&tenant.api, "userUpdate", input.clone()).await;
    eventually_forbidden(&format!("what {input} took away is forbidden"), HALF_A_MINUTE, &person.api, USERS).await;
    assert_eq!(person.api.ask(VIEWER, json!({})).await.status, 200, "but who they are they are still told");
}

/// Contacts of three who are disabled: they go to the pool, to a colleague, and to a team's pool.
async fn given_back(tenant: &Tenant) {
    let api = &tenant.api;
    let (colleague, team) = (tenant.appoint(json!({})).await["id"].take(), tenant.team().await["id"].take());
    let mut given = Vec::new();
    for named in [json!({}), json!({ "assigneeId": colleague }), json!({ "teamId": team })] {
        let agent = tenant.appoint(json!({})).await;
        let contacts = [new_contact(api, json!({ "assigneeId": agent["id"] })).await, new_contact(api, json!({ "assigneeId": agent["id"] })).await];
        given.push((named, agent, contacts));
    }
    let (_, agent, contacts) = &given[0];
    let user = &agent["user"]["id"];
    for (more, errors) in [
        (json!({ "expectedVersion": 2, "reason": "x" }), error("expectedVersion", "STALE")),
        (json!({ "expectedVersion": 1, "reason": " " }), error("reason", "BLANK")),
        (json!({ "expectedVersion": 1, "reason": "x", "assigneeId": "nonsense" }), error("assigneeId", "NOT_FOUND")),
        (json!({ "expectedVersion": 1, "reason": "x", "teamId": "nonsense" }), error("teamId", "NOT_FOUND")),
    ] {
        let mut input = more;
        input["id"] = user.clone();
        assert_eq!(refused(api, "userDisable", input.clone()).await, errors, "{input}");
    }
    assert_eq!(record(api, "user", user).await["status"], "INVITED");
    assert_eq!(contact(api, &contacts[0]["id"]).await, contacts[0]);

    let mut jobs = Vec::new();
    for (named, agent, _) in &given {
        let mut input = json!({ "id": agent["user"]["id"], "expectedVersion": 1, "reason": "Left us" });
        input.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
        jobs.push(done(api, "userDisable", input).await["job"]["id"].take());
    }
    for job in &jobs {
        let job = ended(api, job).await;
        assert_eq!((&job["status"], counts(&job)), (&json!("COMPLETED"), [2, 0, 0]), "{job}");
    }
    caught_up(api).await;
    for (named, agent, contacts) in &given {
        for before in contacts {
            let after = contact(api, &before["id"]).await;
            let owners = (&after["assignee"]["id"], &after["team"]["id"], &after["version"]);
            assert_eq!(owners, (&named["assigneeId"], &named["teamId"], &json!(2)), "{named}");
        }
        let events = history(api, &contacts[1]["id"]).await;
        assert_eq!((events.len(), &events[0]["actor"]["id"]), (2, &tenant.admin.user), "{named}");
        let changes = events[0]["changes"].as_array().unwrap();
        let of = |field: &str| changes.iter().find(|change| change["field"] == field);
        let assignee = of("assignee").unwrap();
        assert_eq!((&assignee["oldValue"], &assignee["newValue"]), (&agent["id"], &named["assigneeId"]));
        assert_eq!(of("team").map(|change| &change["newValue"]), named.get("teamId"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn within_half_a_minute_a_valid_token_is_worth_what_its_user_is_and_contacts_of_who_was_disabled_are_given_back() {
    let tenant = Tenant::shared().await;
    let (manager, telephonist) = (tenant.roles(&["manager", "telephonist"]).await, tenant.roles(&["telephonist"]).await);
    // Beside each other, because each of them waits.
    tokio::join!(
        disabled(&tenant),
        unknown(&tenant),
        signed_out(&tenant, true),
        signed_out(&tenant, false),
        deprived(&tenant, json!({ "roleIds": manager }), json!({ "roleIds": telephonist })),
        deprived(&tenant, json!({ "permissions": ["user:read:ALL"] }), json!({ "permissions": [] })),
        given_back(&tenant),
    );
}

/// What one administrator does to another.
async fn strike(by: &Person, whom: &Person, floor: &Value, disabling: bool, version: &Value) -> Answer {
    let (mutation, input) = match disabling {
        true => ("userDisable", json!({ "id": whom.user, "expectedVersion": version, "reason": "A coup" })),
        false => ("userUpdate", json!({ "id": whom.user, "expectedVersion": version, "roleIds": floor })),
    };
    by.api.ask(&document(mutation), json!({ "input": input })).await
}

/// Whether it was done. It is refused because nobody would be left, or because who did it is no administrator any more.
fn struck(answer: &Answer) -> bool {
    let Some(payload) = answer.body["data"].as_object().and_then(|data| data.values().next()) else {
        assert!(answer.codes() == ["UNAUTHENTICATED"] || answer.codes() == ["FORBIDDEN"], "{}", answer.body);
        return false;
    };
    if payload["user"].is_object() {
        return true;
    }
    let errors = user_errors(payload);
    assert!(errors == error("id", "NOT_ALLOWED") || errors == error("roleIds", "NOT_ALLOWED"), "{}", answer.body);
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_is_not_removed_nor_are_two_last_ones_by_each_other() {
    let mut tenant = Tenant::new().await;
    let (admin, floor) = (tenant.roles(&["admin"]).await, tenant.roles(&["telephonist"]).await);
    for (one, two) in [(true, true), (true, false), (false, false), (true, true)] {
        let user = tenant.invite(json!({ "roleIds": admin })).await;
        let other = tenant.admit(&user["email"]).await;
        let version = async |person: &Person| record(&tenant.api, "user", &person.user).await["version"].clone();
        let (mine, theirs) = (version(&tenant.admin).await, version(&other).await);
        let (first, second) = tokio::join!(strike(&tenant.admin, &other, &floor, one, &theirs), strike(&other, &tenant.admin, &floor, two, &mine));
        let was_struck = (struck(&first), struck(&second));
        assert!(was_struck.0 != was_struck.1, "one of two: {} and {}", first.body, second.body);
        if was_struck.1 {
            tenant.api = other.api.clone();
            tenant.admin = other;
        }
        let users = tenant.api.data("{ users(first: 100) { nodes { id status roles { code } } } }", json!({})).await["users"]["nodes"].take();
        let is_left = |user: &&Value| user["status"] == "ACTIVE" && user["roles"].as_array().unwrap().iter().any(|role| role["code"] == "admin");
        let left: Vec<&Value> = users.as_array().unwrap().iter().filter(is_left).map(|user| &user["id"]).collect();
        assert_eq!(left, [&tenant.admin.user]);
    }

    // Who has yet to sign in is none.
    tenant.invite(json!({ "roleIds": admin })).await;
    let (api, last) = (&tenant.api, record(&tenant.api, "user", &tenant.admin.user).await);
    let by_version = |more: Value| {
        let mut input = json!({ "id": last["id"], "expectedVersion": last["version"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(refused(api, "userDisable", by_version(json!({ "reason": "Tired" }))).await, error("id", "NOT_ALLOWED"));
    assert_eq!(refused(api, "userUpdate", by_version(json!({ "roleIds": floor }))).await, error("roleIds", "NOT_ALLOWED"));
    assert_eq!(record(api, "user", &last["id"]).await, last);
    assert_eq!(agent_of(api).await, tenant.admin.agent, "and goes on as before");
}
