//! What each role may do. What one may not see is as if it didn't exist; what one may not do is forbidden.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, created};
use crate::stack::contacts::{agent_of, contact as read, eventually_lists, ids, new_contact, notes, status_id};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh::{self, Number};
use crate::stack::history::caught_up;
use crate::stack::jobs::{completed, job};
use crate::stack::mutations::{changed, document, done, refusal};

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

#[tokio::test(flavor = "multi_thread")]
async fn everyone_is_told_what_they_may_do() {
    let stack = Stack::connect().await;
    let all = |words: &[&str]| json!(words.iter().map(|word| format!("{word}:ALL")).collect::<Vec<_>>());
    let everything = [
        "agent:read",
        "audit:read",
        "contact:add_note",
        "contact:assign",
        "contact:bulk_update",
        "contact:create",
        "contact:delete",
        "contact:erase",
        "contact:export",
        "contact:merge",
        "contact:read",
        "contact:restore",
        "contact:set_status",
        "contact:update",
        "import:read",
        "status:create",
        "status:delete",
        "status:update",
        "suppression:add",
        "suppression:read",
        "suppression:remove",
    ];
    let of_a_manager: Vec<&str> = everything.into_iter().filter(|permission| !["audit:read", "contact:erase", "suppression:remove"].contains(permission)).collect();
    for (user, role, permissions) in [
        ("admin@demo.test", "admin", all(&everything)),
        ("manager@demo.test", "manager", all(&of_a_manager)),
        ("supervisor@demo.test", "supervisor", all(&["agent:read", "audit:read", "contact:read", "suppression:read"])),
        ("telephonist@demo.test", "telephonist", json!(["contact:add_note:OWN", "contact:read:OWN", "contact:set_status:OWN", "contact:update:OWN"])),
        ("agent@demo.test", "agent", json!([])),
    ] {
        let viewer = stack.sign_in(user).await.data("{ viewer { permissions user { email roles { code } } } }", json!({})).await["viewer"].take();
        assert_eq!(viewer, json!({ "permissions": permissions, "user": { "email": user, "roles": [{ "code": role }] } }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephonist_sees_their_own_contacts_and_no_others() {
    let (stack, admin) = Stack::as_admin().await;
    let (own, colleague) = (stack.sign_in("telephonist@demo.test").await, stack.sign_in("telephonist2@demo.test").await);
    let contact = contact_of(&admin, &agent_of(&own).await).await;
    assert_eq!(found(&own, &contact).await, all_of(&contact.0));
    assert_eq!(found(&colleague, &contact).await, nothing());
    let nobodys = contact_of(&admin, &Value::Null).await;
    assert_eq!(found(&own, &nobodys).await, nothing());
    let source = fresh::word("source");
    let agents = [agent_of(&own).await, agent_of(&colleague).await, Value::Null];
    let mut contacts = Vec::new();
    for agent in &agents {
        contacts.push(new_contact(&admin, json!({ "source": source, "name": source, "assigneeId": agent })).await);
    }
    eventually_lists(&admin, &json!({ "search": source }), &ids(&contacts)).await;
    for filter in [json!({ "source": source }), json!({ "search": source }), json!({ "source": source, "assigneeIds": agents[..2] })] {
        eventually_lists(&own, &filter, &ids(&contacts[..1])).await;
    }
    for filter in [json!({ "source": source, "assigneeIds": [agents[1]] }), json!({ "source": source, "assigned": false })] {
        eventually_lists(&own, &filter, &[].into()).await;
    }
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
    assert!(api.data("{ contactStatuses { code } }", json!({})).await["contactStatuses"].as_array().unwrap().len() >= 8);
}

/// Every mutation with an input that changes nothing even for who may call it, and the roles that may.
fn mutations() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("contactCreate", json!({ "phone": "123" }), "admin manager"),
        ("contactUpdate", json!({ "id": "x", "expectedVersion": 1, "name": "x" }), "admin manager telephonist"),
        ("contactSetStatus", json!({ "id": "x", "statusId": "x", "note": "x" }), "admin manager telephonist"),
        ("contactAddNote", json!({ "id": "x", "body": "x" }), "admin manager telephonist"),
        ("contactAssign", json!({ "ids": ["x"], "assigneeId": null }), "admin manager"),
        ("contactDelete", json!({ "id": "x", "expectedVersion": 1 }), "admin manager"),
        ("contactRestore", json!({ "id": "x" }), "admin manager"),
        ("contactErase", json!({ "id": "x", "reason": "asked" }), "admin"),
        ("contactMerge", json!({ "winnerId": "x", "loserId": "x" }), "admin manager"),
        ("contactUnmerge", json!({ "loserId": "x" }), "admin manager"),
        ("contactStatusCreate", json!({ "name": "", "color": "#123456", "order": 1 }), "admin manager"),
        ("contactStatusUpdate", json!({ "id": "x", "expectedVersion": 1, "name": "x" }), "admin manager"),
        ("contactStatusDelete", json!({ "id": "x", "expectedVersion": 1 }), "admin manager"),
        ("suppressionAdd", json!({ "phone": "123" }), "admin manager"),
        ("suppressionRemove", json!({ "id": "x", "reason": "asked" }), "admin"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "ASSIGN", "assigneeId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "MOVE", "fromAssigneeId": "x", "assigneeId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "UNASSIGN", "assigneeId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "SET_STATUS", "statusId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "DELETE", "statusId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "EXPORT", "statusId": "x" }), "admin manager"),
        ("bulkJobCancel", json!({ "id": "x" }), "admin manager"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mutation_is_forbidden_to_every_role_but_those_that_may() {
    let (stack, admin) = Stack::as_admin().await;
    let schema = admin.data("{ __schema { mutationType { fields { name } } } }", json!({})).await;
    for field in schema["__schema"]["mutationType"]["fields"].as_array().unwrap() {
        assert!(mutations().iter().any(|(mutation, ..)| field["name"] == *mutation), "{field} has no case");
    }
    for role in ["admin", "manager", "supervisor", "telephonist", "agent"] {
        let api = stack.sign_in(&format!("{role}@demo.test")).await;
        for (mutation, input, roles) in mutations() {
            let answer = api.ask(&document(mutation), json!({ "input": input })).await;
            let is_forbidden = answer.codes() == ["FORBIDDEN"] && answer.body["data"].is_null();
            assert_eq!(is_forbidden, !roles.split(' ').any(|may| may == role), "{role}: {mutation} {input}: {}", answer.body);
            let errors = answer.body["data"][mutation]["userErrors"].as_array().is_some_and(|errors| !errors.is_empty());
            assert!(is_forbidden || errors || answer.codes() == ["NOT_FOUND"], "{role}: {mutation}: {}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_lookups_show_nothing_to_who_may_not_see_it() {
    let (stack, admin) = Stack::as_admin().await;
    let number = fresh::number();
    let suppression = done(&admin, "suppressionAdd", json!({ "phone": number.e164() })).await["suppression"]["id"].take();
    let begun = completed(&admin, json!({ "filter": { "source": "nowhere" }, "action": "UNASSIGN" })).await["id"].take();
    for (list, roles) in [
        ("contacts { nodes { id } }", "admin manager supervisor telephonist"),
        ("contactDuplicates { nodes { reason } }", "admin manager supervisor"),
        ("suppressionList { nodes { id } }", "admin manager supervisor"),
        ("bulkJobs { nodes { id } }", "admin manager"),
        ("imports { nodes { id } }", "admin manager"),
    ] {
        for role in ["admin", "manager", "supervisor", "telephonist", "agent"] {
            let answer = stack.sign_in(&format!("{role}@demo.test")).await.ask(&format!("{{ {list} }}"), json!({})).await;
            let may = roles.split(' ').any(|may| may == role);
            assert_eq!((answer.codes(), answer.body["data"].is_null()), if may { (vec![], false) } else { (vec!["FORBIDDEN"], true) }, "{role}: {list}: {}", answer.body);
        }
    }
    for (role, sees_suppressions, sees_jobs) in
        [("admin", true, true), ("manager", true, true), ("supervisor", true, false), ("telephonist", false, false), ("agent", false, false)]
    {
        let api = stack.sign_in(&format!("{role}@demo.test")).await;
        for (query, variables, sees) in [
            ("query($phone: String!) { found: suppression(phone: $phone) { id } }", json!({ "phone": number.e164() }), sees_suppressions),
            ("query($id: ID!) { found: node(id: $id) { id } }", json!({ "id": suppression }), sees_suppressions),
            ("query($id: ID!) { found: bulkJob(id: $id) { id } }", json!({ "id": begun }), sees_jobs),
            ("query($id: ID!) { found: node(id: $id) { id } }", json!({ "id": begun }), sees_jobs),
        ] {
            let answer = api.ask(query, variables).await;
            assert_eq!(answer.body["data"]["found"].is_object(), sees, "{role}: {query}: {}", answer.body);
            assert!(answer.codes().iter().all(|code| *code == "FORBIDDEN"), "{role}: {query}: {}", answer.body);
        }
    }
    assert_eq!(job(&admin, &begun).await["status"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephonist_changes_their_own_contacts_and_no_others() {
    let (stack, admin) = Stack::as_admin().await;
    let (api, colleague) = (stack.sign_in("telephonist@demo.test").await, stack.sign_in("telephonist2@demo.test").await);
    let (own, status) = (agent_of(&api).await, status_id(&api, "attempted").await);
    let absent = json!(data_encoding::BASE64URL_NOPAD.encode(b"contact:00000000000000000000000000"));
    let theirs = new_contact(&admin, json!({ "assigneeId": agent_of(&colleague).await, "name": "Theirs" })).await;
    let nobodys = new_contact(&admin, json!({ "name": "Nobody's" })).await;
    for id in [&theirs["id"], &nobodys["id"], &absent] {
        for (mutation, input) in [
            ("contactUpdate", json!({ "id": id, "expectedVersion": 1, "name": "Stolen" })),
            ("contactSetStatus", json!({ "id": id, "statusId": status, "note": "Stolen" })),
            ("contactAddNote", json!({ "id": id, "body": "Stolen" })),
        ] {
            assert_eq!(refusal(&api, mutation, input).await, "NOT_FOUND", "{mutation} {id}");
        }
    }
    for before in [&theirs, &nobodys] {
        assert_eq!(read(&admin, &before["id"]).await, *before);
        assert!(notes(&admin, &before["id"]).await.is_empty());
    }

    let mine = new_contact(&admin, json!({ "assigneeId": own, "name": "Mine" })).await;
    let id = &mine["id"];
    assert_eq!(changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 1, "name": "Renamed" })).await["name"], "Renamed");
    assert_eq!(changed(&api, "contactSetStatus", json!({ "id": id, "statusId": status, "note": "Called" })).await["status"]["id"], status);
    done(&api, "contactAddNote", json!({ "id": id, "body": "Again" })).await;
    assert_eq!(notes(&api, id).await.len(), 2);
    let before = read(&admin, id).await;
    for field in ["assigneeId", "teamId"] {
        let input = json!({ "id": id, "expectedVersion": before["version"], field: null });
        assert_eq!(refusal(&api, "contactUpdate", input).await, "FORBIDDEN", "to give a contact away is to assign it");
    }
    for (mutation, input) in [
        ("contactAssign", json!({ "ids": [id], "assigneeId": null })),
        ("contactDelete", json!({ "id": id, "expectedVersion": before["version"] })),
        ("contactErase", json!({ "id": id, "reason": "asked" })),
        ("contactMerge", json!({ "winnerId": id, "loserId": id })),
        ("contactBulk", json!({ "action": "DELETE", "filter": { "source": "nowhere", "assigneeIds": [own] } })),
        ("contactBulk", json!({ "action": "EXPORT", "filter": { "source": "nowhere", "assigneeIds": [own] } })),
        ("suppressionAdd", json!({ "phone": mine["phone"] })),
    ] {
        assert_eq!(refusal(&api, mutation, input).await, "FORBIDDEN", "{mutation}");
    }
    assert_eq!(read(&admin, id).await, before);
    done(&admin, "contactAssign", json!({ "ids": [id], "assigneeId": null })).await;
    assert_eq!(refusal(&api, "contactAddNote", json!({ "id": id, "body": "Too late" })).await, "NOT_FOUND", "what was taken away is no longer theirs");
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
