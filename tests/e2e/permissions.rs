//! What each role may do. What one may not see is as if it didn't exist; what one may not do is forbidden.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, created};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh::{self, Number};
use crate::stack::history::caught_up;

const CREATE: &str = "mutation($input: ContactCreateInput!) { contactCreate(input: $input) { contact { id } } }";
const EVENTS: &str = "query($id: ID!) { contact(id: $id) { auditEvents { nodes { id } } } }";

/// A contact of an agent, made by the administrator.
async fn contact_of(api: &Api, agent: &Value) -> (Value, Number) {
    let number = fresh::number();
    let contact = created(api, json!({ "phone": number.e164(), "name": "Assigned", "assigneeId": agent })).await;
    (contact["id"].clone(), number)
}

/// What a caller finds of a contact by its id, as a node, and by its number.
async fn found(api: &Api, contact: &(Value, Number)) -> Value {
    let query = "query($id: ID!, $phone: String!) { contact(id: $id) { id } node(id: $id) { id } contactByPhone(phone: $phone) { id } }";
    api.data(query, json!({ "id": contact.0, "phone": contact.1.e164() })).await
}

fn all_of(id: &Value) -> Value {
    json!({ "contact": { "id": id }, "node": { "id": id }, "contactByPhone": { "id": id } })
}

fn nothing() -> Value {
    json!({ "contact": null, "node": null, "contactByPhone": null })
}

async fn agent_of(api: &Api) -> Value {
    api.data("{ viewer { user { agent { id } } } }", json!({})).await["viewer"]["user"]["agent"]["id"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_is_told_what_they_may_do() {
    let stack = Stack::connect().await;
    let all = |words: &[&str]| json!(words.iter().map(|word| format!("{word}:ALL")).collect::<Vec<_>>());
    for (user, role, permissions) in [
        ("admin@demo.test", "admin", all(&["agent:read", "audit:read", "contact:create", "contact:read", "import:read"])),
        ("manager@demo.test", "manager", all(&["agent:read", "contact:create", "contact:read", "import:read"])),
        ("supervisor@demo.test", "supervisor", all(&["agent:read", "audit:read", "contact:read"])),
        ("telephonist@demo.test", "telephonist", json!(["contact:read:OWN"])),
        ("agent@demo.test", "agent", json!([])),
    ] {
        let viewer = stack.sign_in(user).await.data("{ viewer { permissions user { email roles { code } } } }", json!({})).await["viewer"].take();
        assert_eq!(viewer, json!({ "permissions": permissions, "user": { "email": user, "roles": [{ "code": role }] } }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephonist_sees_their_own_contacts_by_id_and_no_list() {
    let (stack, admin) = Stack::as_admin().await;
    let (own, colleague) = (stack.sign_in("telephonist@demo.test").await, stack.sign_in("telephonist2@demo.test").await);
    let contact = contact_of(&admin, &agent_of(&own).await).await;
    assert_eq!(found(&own, &contact).await, all_of(&contact.0));
    assert_eq!(found(&colleague, &contact).await, nothing());
    let nobodys = contact_of(&admin, &Value::Null).await;
    assert_eq!(found(&own, &nobodys).await, nothing());
    assert_eq!(own.refusal("{ contacts { nodes { id } } }", json!({})).await, "FORBIDDEN");
    assert_eq!(own.refusal("{ imports { nodes { id } } }", json!({})).await, "FORBIDDEN");
    let number = fresh::number();
    assert_eq!(own.refusal(CREATE, json!({ "input": { "phone": number.e164() } })).await, "FORBIDDEN");
    assert_eq!(own.ask(EVENTS, json!({ "id": contact.0 })).await.codes(), ["FORBIDDEN"]);
    assert_eq!(own.data(EVENTS, json!({ "id": nobodys.0 })).await, json!({ "contact": null }), "what isn't theirs isn't even forbidden");
    assert!(found(&admin, &(Value::from("x"), number)).await["contactByPhone"].is_null(), "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_agent_sees_no_contact_at_all() {
    let (stack, admin) = Stack::as_admin().await;
    let api = stack.sign_in("agent@demo.test").await;
    let contact = contact_of(&admin, &agent_of(&api).await).await;
    assert_eq!(found(&api, &contact).await, nothing());
    for query in ["{ contacts { nodes { id } } }", "{ imports { nodes { id } } }"] {
        assert_eq!(api.refusal(query, json!({})).await, "FORBIDDEN", "{query}");
    }
    assert_eq!(api.refusal(CREATE, json!({ "input": { "phone": fresh::number().e164() } })).await, "FORBIDDEN");
    assert_eq!(api.data("{ contactStatuses { code } }", json!({})).await["contactStatuses"].as_array().unwrap().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_are_seen_by_those_who_may_and_by_themselves() {
    let stack = Stack::connect().await;
    let (manager, telephonist, agent) = (stack.sign_in("manager@demo.test").await, stack.sign_in("telephonist@demo.test").await, stack.sign_in("agent@demo.test").await);
    let user = telephonist.data("{ viewer { user { id agent { id } } } }", json!({})).await["viewer"]["user"].take();
    for id in [&user["id"], &user["agent"]["id"]] {
        for (api, sees) in [(&manager, true), (&telephonist, true), (&agent, false)] {
            let node = api.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await["node"].take();
            assert_eq!(node, if sees { json!({ "id": id }) } else { Value::Null });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_works_with_contacts_and_imports_and_does_not_see_the_audit() {
    let (stack, admin) = Stack::as_admin().await;
    let api = stack.sign_in("manager@demo.test").await;
    let contact = created(&api, json!({ "phone": fresh::number().e164() })).await["id"].take();
    assert!(!api.data("{ contacts { nodes { id } } imports { nodes { id } } }", json!({})).await["contacts"]["nodes"].as_array().unwrap().is_empty());
    let answer = api.ask(EVENTS, json!({ "id": contact })).await;
    assert_eq!((answer.codes(), &answer.body["data"]["contact"]), (vec!["FORBIDDEN"], &Value::Null));
    caught_up(&admin).await;
    let event = admin.data(EVENTS, json!({ "id": contact })).await["contact"]["auditEvents"]["nodes"][0]["id"].take();
    assert!(event.is_string());
    for (api, sees) in [(&admin, true), (&api, false)] {
        assert_eq!(api.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": event })).await["node"].is_object(), sees);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_reads_contacts_and_the_audit_and_does_not_create_or_see_imports() {
    let (stack, admin) = Stack::as_admin().await;
    let api = stack.sign_in("supervisor@demo.test").await;
    let contact = contact_of(&admin, &Value::Null).await;
    caught_up(&admin).await;
    assert_eq!(found(&api, &contact).await, all_of(&contact.0));
    assert_eq!(api.data(EVENTS, json!({ "id": contact.0 })).await["contact"]["auditEvents"]["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(api.refusal(CREATE, json!({ "input": { "phone": fresh::number().e164() } })).await, "FORBIDDEN");
    assert_eq!(api.refusal("{ imports { nodes { id } } }", json!({})).await, "FORBIDDEN");
    let import = dropped(&stack, &admin, "demo", &format!("{}.csv", fresh::word("hidden")), csv("phone,name", &[[fresh::number().dashed(), "x".to_owned()]])).await;
    let data = api.data("query($id: ID!) { import(id: $id) { id } node(id: $id) { id } }", json!({ "id": import.id() })).await;
    assert_eq!(data, json!({ "import": null, "node": null }));
}
