//! Users: invited, active from their first sign-in, one for each address there is, and given nothing that the giver doesn't have.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType, UserStatusType};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stack::api::{Api, user_errors};
use crate::stack::mutations::{done, error, mutate, refused};
use crate::stack::staff::{record, recorded};
use crate::stack::tenant::{Tenant, address};
use crate::stack::{OTHER_ADMIN, Stack, fresh, setting};

/// The status that the pool has for an address; none when nobody can sign in with it.
async fn in_pool(stack: &Stack, email: &str) -> Option<UserStatusType> {
    let identity = stack.cognito().admin_get_user().user_pool_id(setting("USER_POOL_ID")).username(email).send().await.ok()?;
    identity.user_status
}

/// The names of a tenant's users, as many as a page has.
async fn names(api: &Api) -> BTreeSet<String> {
    let data = api.data("{ users(first: 100) { nodes { name } } }", json!({})).await;
    data["users"]["nodes"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

/// The codes of a user's roles.
fn codes(user: &Value) -> Vec<&str> {
    user["roles"].as_array().unwrap().iter().map(|role| role["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn someone_invited_is_active_from_their_first_sign_in_on() {
    let tenant = Tenant::shared().await;
    let (api, email) = (&tenant.api, address("invited"));
    let input = json!({ "email": format!(" {} ", email.to_uppercase()), "name": " Zoé Roy ", "idempotencyKey": fresh::word("key") });
    let user = done(api, "userInvite", input.clone()).await["user"].take();
    assert_eq!((&user["name"], &user["email"], &user["status"], &user["version"]), (&json!("Zoé Roy"), &json!(email), &json!("INVITED"), &json!(1)));
    assert_eq!((codes(&user), &user["permissions"], &user["lastSignedOutAt"]), (vec!["telephonist"], &json!([]), &Value::Null));
    assert_eq!(user["createdBy"], json!({ "type": "USER", "name": "Mona Maker" }));
    assert_eq!(done(api, "userInvite", input).await["user"]["id"], user["id"], "the same key is the same invitation");
    assert_eq!(in_pool(&tenant.stack, &email).await, Some(UserStatusType::ForceChangePassword), "the pool waits for a password");
    let user = done(api, "userResendInvitation", json!({ "id": user["id"] })).await["user"].take();
    assert_eq!(user["version"], 2, "that the message was sent again is on record");
    assert_eq!(refused(api, "userResetPassword", json!({ "id": user["id"] })).await, error("id", "FORBIDDEN_TRANSITION"));
    assert_eq!(record(api, "user", &user["id"]).await, user);

    let person = tenant.admit(&user["email"]).await;
    assert_eq!((&person.user, &person.agent), (&user["id"], &Value::Null), "who was only invited is no agent");
    let active = record(api, "user", &user["id"]).await;
    assert_eq!((&active["status"], &active["version"]), (&json!("ACTIVE"), &json!(3)));
    let again = person.signed_in_again(&tenant.stack).await;
    assert_eq!(record(&again, "user", &user["id"]).await, active, "one sees oneself, and to sign in again is no change");
    assert_eq!(record(&again, "user", &tenant.admin.user).await, Value::Null);
    assert_eq!(refused(api, "userResendInvitation", json!({ "id": user["id"] })).await, error("id", "FORBIDDEN_TRANSITION"));
    assert_eq!(done(api, "userResetPassword", json!({ "id": user["id"] })).await["user"]["id"], user["id"]);
    assert_eq!(in_pool(&tenant.stack, &email).await, Some(UserStatusType::ResetRequired));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_taken_in_every_tenant_however_it_is_written_and_when_its_user_is_disabled_too() {
    let tenant = Tenant::shared().await;
    let elsewhere = tenant.stack.sign_in(OTHER_ADMIN).await;
    let user = tenant.invite(json!({})).await;
    let (email, name) = (user["email"].as_str().unwrap(), fresh::word("Second"));
    let mut told: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for round in ["invited", "disabled"] {
        for (api, email) in [(&tenant.api, email.to_uppercase()), (&elsewhere, email.to_owned()), (&elsewhere, email.replace("staff", "Staff"))] {
            for mutation in ["userInvite", "agentCreate"] {
                let payload = mutate(api, mutation, json!({ "email": email, "name": name })).await;
                assert_eq!(user_errors(&payload), error("email", "TAKEN"), "{round}: {mutation} {email}");
                assert_eq!(payload["userErrors"][0]["existingId"], Value::Null);
                told.entry(mutation).or_default().insert(payload["userErrors"][0]["message"].to_string());
            }
        }
        if round == "invited" {
            assert_eq!(record(&tenant.api, "user", &user["id"]).await, user);
            done(&tenant.api, "userDisable", json!({ "id": user["id"], "expectedVersion": 1, "reason": "Never came" })).await;
        }
    }
    assert!(told.values().all(|messages| messages.len() == 1), "nobody is told where: {told:?}");
    for api in [&tenant.api, &elsewhere] {
        assert!(!names(api).await.contains(&name), "nothing is written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_invitations_of_one_address_at_once_one_is_made_and_signs_in() {
    let tenant = Tenant::shared().await;
    let email = address("contested");
    let mut calls = JoinSet::new();
    for index in 0..8 {
        let (api, email) = (tenant.api.clone(), email.clone());
        calls.spawn(async move { mutate(&api, "userInvite", json!({ "email": email, "name": format!("Contested {index}") })).await });
    }
    let payloads = calls.join_all().await;
    let (won, lost): (Vec<&Value>, Vec<&Value>) = payloads.iter().partition(|payload| payload["user"].is_object());
    assert_eq!((won.len(), lost.len()), (1, 7), "{payloads:?}");
    for payload in lost {
        assert_eq!(user_errors(payload), error("email", "TAKEN"));
    }
    assert_eq!(tenant.admit(&json!(email)).await.user, won[0]["user"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_was_broken_off_is_completed_by_the_next_one() {
    let tenant = Tenant::shared().await;
    let email = address("halfway");
    let attribute = |name: &str, value: &str| AttributeType::builder().name(name).value(value).build().unwrap();
    let request = tenant.stack.cognito().admin_create_user().user_pool_id(setting("USER_POOL_ID")).username(&email).message_action(MessageActionType::Suppress);
    request.user_attributes(attribute("email", &email)).user_attributes(attribute("email_verified", "true")).send().await.unwrap();
    let user = tenant.invite(json!({ "email": email })).await;
    assert_eq!(user["status"], "INVITED");
    assert_eq!(tenant.admit(&json!(email)).await.user, user["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_invitation_is_named_and_nobody_is_invited() {
    let tenant = Tenant::shared().await;
    let (email, name) = (address("refused"), fresh::word("Refused"));
    for (field, value, code) in [
        ("email", json!(""), "BLANK"),
        ("email", json!("nobody"), "INVALID"),
        ("email", json!("zoe@localhost"), "INVALID"),
        ("email", json!("zoe\u{0}@example.com"), "INVALID"),
        ("email", json!(format!("{}@example.com", "x".repeat(256))), "TOO_LONG"),
        ("name", json!("  "), "BLANK"),
        ("name", json!("é".repeat(256)), "TOO_LONG"),
        ("name", json!("a\nb"), "INVALID"),
        ("roleIds", json!(["nonsense"]), "NOT_FOUND"),
        ("roleIds", json!([tenant.admin.user]), "NOT_FOUND"),
        ("permissions", json!(["contact:fly:ALL"]), "INVALID"),
        ("permissions", json!(["contact:read"]), "INVALID"),
        ("permissions", json!(["contact:read:ALL", "contact:read:EVERYTHING"]), "INVALID"),
    ] {
        let mut input = json!({ "email": email, "name": name });
        input[field] = value.clone();
        assert_eq!(refused(&tenant.api, "userInvite", input).await, error(field, code), "{value:.60}");
    }
    assert_eq!(in_pool(&tenant.stack, &email).await, None);
    assert!(!names(&tenant.api).await.contains(&name));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_given_of_a_user_changes_and_their_agent_has_the_same_name() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let agent = tenant.appoint(json!({})).await;
    let before = record(api, "user", &agent["user"]["id"]).await;
    let id = &before["id"];
    for (input, errors) in [
        (json!({ "expectedVersion": 2, "name": "Stale" }), error("expectedVersion", "STALE")),
        (json!({ "expectedVersion": 0, "name": "Stale" }), error("expectedVersion", "STALE")),
        (json!({ "expectedVersion": 1, "name": " " }), error("name", "BLANK")),
        (json!({ "expectedVersion": 1, "name": "x".repeat(256) }), error("name", "TOO_LONG")),
        (json!({ "expectedVersion": 1, "name": "Good", "roleIds": ["nonsense"] }), error("roleIds", "NOT_FOUND")),
        (json!({ "expectedVersion": 1, "name": "Good", "permissions": ["nothing"] }), error("permissions", "INVALID")),
    ] {
        let mut input = input;
        input["id"] = id.clone();
        assert_eq!(refused(api, "userUpdate", input.clone()).await, errors, "{input}");
    }
    assert_eq!((record(api, "user", id).await, record(api, "agent", &agent["id"]).await), (before.clone(), agent.clone()));

    let name = fresh::word("Renamed");
    let renamed = done(api, "userUpdate", json!({ "id": id, "expectedVersion": 1, "name": name })).await["user"].take();
    assert_eq!((&renamed["name"], &renamed["version"], codes(&renamed)), (&json!(name), &json!(2), vec!["telephonist"]));
    let after = record(api, "agent", &agent["id"]).await;
    assert_eq!((&after["name"], &after["version"]), (&json!(name), &json!(2)));
    let events = recorded(api, "agent", &agent["id"]).await;
    assert_eq!(events[0]["changes"], json!([{ "field": "name", "oldValue": agent["name"], "newValue": name }]));
    assert_eq!(events[0]["actor"]["id"], tenant.admin.user);

    let given = json!({ "id": id, "expectedVersion": 2, "roleIds": tenant.roles(&["manager"]).await, "permissions": ["audit:read:ALL"] });
    let given = done(api, "userUpdate", given).await["user"].take();
    assert_eq!((codes(&given), &given["permissions"], &given["name"]), (vec!["manager"], &json!(["audit:read:ALL"]), &json!(name)));
    let same = json!({ "id": id, "expectedVersion": 3, "name": name, "roleIds": tenant.roles(&["manager"]).await, "permissions": ["audit:read:ALL"] });
    assert_eq!(done(api, "userUpdate", same).await["user"], given, "what changes nothing is no change");
}

/// Invites someone with permissions beside their role's, who then signs in.
async fn with_permissions(tenant: &Tenant, permissions: &[&str]) -> Api {
    let user = tenant.invite(json!({ "permissions": permissions })).await;
    tenant.admit(&user["email"]).await.api
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_or_takes_what_they_do_not_have() {
    let tenant = Tenant::shared().await;
    let supervisor = tenant.hire(&["supervisor"]).await.api;
    let person = |more: Value| {
        let mut input = json!({ "email": address("given"), "name": "Given" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let floor = tenant.roles(&["telephonist", "agent"]).await;
    let invited = done(&supervisor, "userInvite", person(json!({ "roleIds": floor }))).await["user"].take();
    assert_eq!(codes(&invited).into_iter().collect::<BTreeSet<_>>(), ["agent", "telephonist"].into());
    done(&supervisor, "agentCreate", person(json!({ "roles": floor }))).await;
    for role in ["admin", "manager", "supervisor"] {
        let roles = tenant.roles(&["telephonist", role]).await;
        assert_eq!(refused(&supervisor, "userInvite", person(json!({ "roleIds": roles }))).await, error("roleIds", "NOT_ALLOWED"), "{role}");
        let errors = refused(&supervisor, "agentCreate", person(json!({ "roles": roles }))).await;
        assert_eq!(errors.iter().map(|(_, code)| code.as_str()).collect::<Vec<_>>(), ["NOT_ALLOWED"], "{role}");
    }
    let errors = refused(&supervisor, "userInvite", person(json!({ "permissions": ["contact:read:OWN"] }))).await;
    assert_eq!(errors, error("permissions", "NOT_ALLOWED"), "floor roles alone are given without user:set_roles");

    let giver = with_permissions(&tenant, &["user:set_roles:ALL", "user:update:ALL", "user:disable:ALL", "contact:read:ALL", "contact:update:TEAM"]).await;
    let target = tenant.invite(json!({})).await;
    let update = |more: Value| {
        let mut input = json!({ "id": target["id"], "expectedVersion": 1 });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for (input, field) in [
        (json!({ "roleIds": tenant.roles(&["admin"]).await }), "roleIds"),
        (json!({ "permissions": ["contact:erase:ALL"] }), "permissions"),
        (json!({ "permissions": ["contact:read:ALL", "contact:update:ALL"] }), "permissions"),
    ] {
        assert_eq!(refused(&giver, "userUpdate", update(input.clone())).await, error(field, "NOT_ALLOWED"), "{input}");
    }
    assert_eq!(record(&tenant.api, "user", &target["id"]).await, target);
    let given = done(&giver, "userUpdate", update(json!({ "permissions": ["contact:read:ALL", "contact:update:OWN"] }))).await["user"].take();
    assert_eq!(given["version"], 2);
    // Nor is somebody managed who may do more.
    let manager = tenant.appoint(json!({ "roles": tenant.roles(&["manager"]).await })).await;
    let version = json!({ "id": manager["user"]["id"], "expectedVersion": 1, "reason": "x", "name": "x" });
    let without = |field: &str| {
        let mut input = version.clone();
        input.as_object_mut().unwrap().remove(field);
        input
    };
    assert_eq!(refused(&giver, "userDisable", without("name")).await, error("id", "NOT_ALLOWED"));
    assert_eq!(refused(&giver, "userUpdate", without("reason")).await, error("id", "NOT_ALLOWED"));
    let of_agent = json!({ "id": manager["id"], "expectedVersion": 1 });
    assert_eq!(refused(&supervisor, "agentDelete", of_agent).await, error("id", "NOT_ALLOWED"));
    assert_eq!(record(&tenant.api, "agent", &manager["id"]).await, manager);
}
