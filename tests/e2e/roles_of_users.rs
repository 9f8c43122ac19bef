//! Roles of a tenant's own: they grant what they say and no more than who made them has, and none goes while somebody holds it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::api::{Api, user_errors};
use crate::stack::fresh;
use crate::stack::mutations::{done, error, mutate, refused, with_fragments};
use crate::stack::staff::{KNOWN, eventually_everywhere, eventually_forbidden, record};
use crate::stack::tenant::{Tenant, address};
use crate::stack::waiting::eventually;

const USERS: &str = "{ users(first: 1) { nodes { id } } }";

/// The tenant's roles.
async fn roles(api: &Api) -> Vec<Value> {
    let mut data = api.data(&with_fragments("{ roles { ...role } }"), json!({})).await;
    let Value::Array(roles) = data["roles"].take() else { panic!("no roles: {data}") };
    roles
}

/// The role with a code.
async fn role(api: &Api, code: &str) -> Value {
    roles(api).await.into_iter().find(|role| role["code"] == code).unwrap_or_else(|| panic!("no role {code}"))
}

/// The permissions of a role, whatever their order.
fn permissions(role: &Value) -> BTreeSet<&str> {
    role["permissions"].as_array().unwrap().iter().map(|permission| permission.as_str().unwrap()).collect()
}

/// Invites someone into a role that may be so new that not every process knows it.
async fn invited_into(tenant: &Tenant, role: &Value) -> Value {
    let email = address("holder");
    eventually("the role can be given", KNOWN, async || {
        let payload = mutate(&tenant.api, "userInvite", json!({ "email": email, "name": "Holder", "roleIds": [role] })).await;
        let refused = user_errors(&payload);
        assert!(refused.is_empty() || refused == error("roleIds", "NOT_FOUND"), "{payload}");
        payload["user"].is_object().then(|| payload["user"].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_role_is_named_and_nothing_is_made_or_changed() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    for (field, value, code) in [
        ("name", json!(" "), "BLANK"),
        ("name", json!("x".repeat(51)), "TOO_LONG"),
        ("name", json!("a\u{0}b"), "INVALID"),
        ("name", json!("MANAGER"), "TAKEN"),
        ("code", json!("Not Snake"), "INVALID"),
        ("code", json!("manager"), "TAKEN"),
        ("permissions", json!(["contact:fly:ALL"]), "INVALID"),
        ("permissions", json!(["contact:read:ALL", "contact:read"]), "INVALID"),
        ("permissions", json!(["contact:read:EVERYTHING"]), "INVALID"),
        ("permissions", json!([""]), "INVALID"),
    ] {
        let mut input = json!({ "name": fresh::word("Refused"), "permissions": ["contact:read:OWN"] });
        input[field] = value.clone();
        let payload = mutate(api, "roleCreate", input).await;
        assert_eq!(user_errors(&payload), error(field, code), "{value}");
        let told = &payload["userErrors"][0];
        assert!(!value.to_string().contains("fly") || told["message"].as_str().unwrap().contains("contact:fly"), "the unknown one is named: {told}");
        assert_eq!(told["existingId"].is_string(), code == "TAKEN", "{told}");
    }
    let (admin, manager) = (role(api, "admin").await, role(api, "manager").await);
    for (mutation, input, errors) in [
        ("roleUpdate", json!({ "id": manager["id"], "expectedVersion": 7, "name": "Refused" }), error("expectedVersion", "STALE")),
        ("roleUpdate", json!({ "id": manager["id"], "expectedVersion": 1, "name": "Supervisor" }), error("name", "TAKEN")),
        ("roleUpdate", json!({ "id": manager["id"], "expectedVersion": 1, "permissions": ["nothing:at_all:ALL"] }), error("permissions", "INVALID")),
        ("roleUpdate", json!({ "id": admin["id"], "expectedVersion": 1, "permissions": ["contact:read:ALL"] }), error("permissions", "NOT_ALLOWED")),
        ("roleDelete", json!({ "id": manager["id"], "expectedVersion": 1 }), error("id", "NOT_ALLOWED")),
        ("roleDelete", json!({ "id": admin["id"], "expectedVersion": 1 }), error("id", "NOT_ALLOWED")),
    ] {
        assert_eq!(refused(api, mutation, input.clone()).await, errors, "{mutation} {input}");
    }
    assert!(!roles(api).await.iter().any(|role| role["name"].as_str().unwrap().contains("Refused")));
    assert_eq!((role(api, "admin").await, role(api, "manager").await), (admin, manager));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_permission_there_is_is_described_and_an_administrators() {
    let tenant = Tenant::shared().await;
    let data = tenant.api.data("{ permissions { name description } viewer { permissions } }", json!({})).await;
    let all = data["permissions"].as_array().unwrap();
    assert!(all.len() >= 40 && all.iter().all(|permission| !permission["description"].as_str().unwrap().is_empty()), "{all:?}");
    let named: BTreeSet<String> = all.iter().map(|permission| format!("{}:ALL", permission["name"].as_str().unwrap())).collect();
    let held: BTreeSet<String> = data["viewer"]["permissions"].as_array().unwrap().iter().map(|permission| permission.as_str().unwrap().to_owned()).collect();
    assert_eq!((named.len(), &held), (all.len(), &named));
    assert_eq!(permissions(&role(&tenant.api, "admin").await), named.iter().map(String::as_str).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_grants_what_it_says_until_it_says_otherwise_and_goes_when_nobody_holds_it() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let input = json!({ "name": fresh::word("Registrar"), "permissions": ["user:read:OWN", "audit:read:ALL", "user:read:ALL"], "idempotencyKey": fresh::word("key") });
    let made = done(api, "roleCreate", input.clone()).await["role"].take();
    assert_eq!((&made["name"], &made["system"], &made["version"]), (&input["name"], &json!(false), &json!(1)));
    assert_eq!(permissions(&made), ["audit:read:ALL", "user:read:ALL"].into(), "the wider of two scopes");
    assert_eq!(done(api, "roleCreate", input).await["role"], made, "the same key is the same role");
    let user = invited_into(&tenant, &made["id"]).await;
    let holder = tenant.admit(&user["email"]).await;
    eventually_everywhere("its holder may what it grants", KNOWN, &holder.api, USERS, |answer| answer.body["data"]["users"].is_object()).await;
    let payload = mutate(api, "roleDelete", json!({ "id": made["id"], "expectedVersion": 1 })).await;
    assert_eq!(user_errors(&payload), error("id", "IN_USE"));
    assert!(payload["userErrors"][0]["message"].as_str().unwrap().contains('1'), "by how many: {payload}");

    let changed = done(api, "roleUpdate", json!({ "id": made["id"], "expectedVersion": 1, "permissions": ["audit:read:ALL"] })).await["role"].take();
    assert_eq!((&changed["name"], &changed["code"], &changed["version"]), (&made["name"], &made["code"], &json!(2)));
    eventually_forbidden("what it grants no longer is forbidden", KNOWN, &holder.api, USERS).await;

    let telephonist = tenant.roles(&["telephonist"]).await;
    done(api, "userUpdate", json!({ "id": user["id"], "expectedVersion": 2, "roleIds": telephonist })).await;
    let deleted = done(api, "roleDelete", json!({ "id": made["id"], "expectedVersion": 2 })).await["role"].take();
    assert_eq!((&deleted["id"], &deleted["version"]), (&made["id"], &json!(3)));
    eventually("it is listed no more", KNOWN, async || (!roles(api).await.iter().any(|role| role["id"] == made["id"])).then_some(())).await;
    eventually("it is given no more", KNOWN, async || {
        // A process that doesn't know yet that it was deleted may still have given it.
        let version = record(api, "user", &user["id"]).await["version"].take();
        let payload = mutate(api, "userUpdate", json!({ "id": user["id"], "expectedVersion": version, "roleIds": [made["id"]] })).await;
        (payload["user"].is_null() && user_errors(&payload) == error("roleIds", "NOT_FOUND")).then_some(())
    })
    .await;
    let mut again = json!({ "name": made["name"], "code": made["code"], "permissions": [] });
    assert_eq!(refused(api, "roleCreate", again.clone()).await, error("code", "TAKEN"), "a code means one role for ever");
    again["code"] = json!(format!("code_{}", fresh::letters()));
    assert_ne!(done(api, "roleCreate", again).await["role"]["id"], made["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_puts_into_a_role_what_they_do_not_have() {
    let tenant = Tenant::shared().await;
    let user = tenant.invite(json!({ "permissions": ["role:create:ALL", "role:update:ALL", "role:delete:ALL", "contact:read:TEAM"] })).await;
    let api = tenant.admit(&user["email"]).await.api;
    let asked = |permissions: Value| json!({ "name": fresh::word("Borrowed"), "permissions": permissions });
    for permissions in [json!(["contact:erase:ALL"]), json!(["contact:read:ALL"]), json!(["contact:read:OWN", "tenant:update:ALL"])] {
        assert_eq!(refused(&api, "roleCreate", asked(permissions.clone())).await, error("permissions", "NOT_ALLOWED"), "{permissions}");
    }
    let made = done(&api, "roleCreate", asked(json!(["contact:read:OWN", "role:create:ALL"]))).await["role"].take();
    let more = json!({ "id": made["id"], "expectedVersion": 1, "permissions": ["contact:read:OWN", "user:disable:ALL"] });
    assert_eq!(refused(&api, "roleUpdate", more).await, error("permissions", "NOT_ALLOWED"));
    let deleted = done(&api, "roleDelete", json!({ "id": made["id"], "expectedVersion": 1 })).await;
    assert_eq!(deleted["role"]["id"], made["id"]);
}
