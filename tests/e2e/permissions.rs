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
    let with_scope = |scope: &str, words: &[&str]| words.iter().map(|word| format!("{word}:{scope}")).collect::<Vec<_>>();
    let sorted = |lists: &[Vec<String>]| {
        let mut all = lists.concat();
        all.sort();
        json!(all)
    };
    let everything = [
        "agent:create",
        "agent:delete",
        "agent:read",
        "agent:restore",
        "agent:update",
        "audit:export",
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
        "import:create",
        "import:create_agents",
        "import:read",
        "import:revert",
        "presence:read",
        "presence:read_timeline",
        "presence:update",
        "record:revert",
        "role:create",
        "role:delete",
        "role:update",
        "schedule:read",
        "schedule:update",
        "scoring:read",
        "scoring:write",
        "status:create",
        "status:delete",
        "status:update",
        "suppression:add",
        "suppression:read",
        "suppression:remove",
        "team:create",
        "team:delete",
        "team:manage_members",
        "team:read",
        "team:restore",
        "team:update",
        "tenant:update",
        "user:disable",
        "user:enable",
        "user:invite",
        "user:read",
        "user:reset_password",
        "user:set_roles",
        "user:sign_out",
        "user:update",
    ];
    let of_work = |permission: &&str| ["contact", "status", "suppression", "import"].iter().any(|noun| permission.starts_with(&format!("{noun}:")));
    let of_staff = |permission: &&str| ["agent", "team", "presence", "schedule"].iter().any(|noun| permission.starts_with(&format!("{noun}:")));
    let mut of_a_manager: Vec<&str> = everything.into_iter().filter(of_work).filter(|permission| !["contact:erase", "suppression:remove"].contains(permission)).collect();
    of_a_manager.extend([
        "agent:read",
        "presence:read",
        "presence:read_timeline",
        "record:revert",
        "schedule:read",
        "scoring:read",
        "scoring:write",
        "team:read",
        "user:read",
    ]);
    let mut of_a_supervisor: Vec<&str> = everything.into_iter().filter(of_staff).collect();
    of_a_supervisor.extend([
        "audit:export",
        "audit:read",
        "contact:read",
        "import:create_agents",
        "import:read",
        "scoring:read",
        "suppression:read",
        "user:invite",
        "user:read",
    ]);
    let of_oneself = ["agent:read", "presence:read", "presence:read_timeline", "presence:update", "team:read"];
    let calling = ["contact:add_note", "contact:read", "contact:set_status", "contact:update"];
    let of_a_manager = sorted(&[with_scope("ALL", &of_a_manager), with_scope("OWN", &["presence:update"])]);
    let of_a_telephonist = sorted(&[with_scope("OWN", &of_oneself), with_scope("OWN", &calling), with_scope("ALL", &["schedule:read"])]);
    let of_a_field_agent = sorted(&[with_scope("OWN", &of_oneself), with_scope("OWN", &["schedule:read", "schedule:update"])]);
    for (user, role, permissions) in [
        ("admin@demo.test", "admin", sorted(&[with_scope("ALL", &everything)])),
        ("manager@demo.test", "manager", of_a_manager),
        ("supervisor@demo.test", "supervisor", sorted(&[with_scope("ALL", &of_a_supervisor)])),
        ("telephonist@demo.test", "telephonist", of_a_telephonist),
        ("agent@demo.test", "agent", of_a_field_agent),
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
        ("importCreate", json!({ "fileName": "", "fileBytes": 1 }), "admin manager"),
        ("importCreate", json!({ "kind": "AGENTS", "fileName": "", "fileBytes": 1 }), "admin manager supervisor"),
        ("importCreate", json!({ "kind": "SUPPRESSIONS", "fileName": "", "fileBytes": 1 }), "admin manager"),
        ("importRows", json!({ "sourcePlatform": "x", "rows": [] }), "admin manager"),
        ("importRows", json!({ "kind": "AGENTS", "sourcePlatform": "x", "rows": [] }), "admin manager supervisor"),
        ("importRows", json!({ "kind": "SUPPRESSIONS", "sourcePlatform": "x", "rows": [] }), "admin manager"),
        ("importSetMapping", json!({ "id": "x", "columns": [] }), "admin manager supervisor"),
        ("importDryRun", json!({ "id": "x" }), "admin manager supervisor"),
        ("importStart", json!({ "id": "x" }), "admin manager supervisor"),
        ("importCancel", json!({ "id": "x" }), "admin manager supervisor"),
        ("importRevert", json!({ "id": "x" }), "admin manager supervisor"),
        ("importProfileDelete", json!({ "name": "nobodys mapping" }), "admin manager supervisor"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "ASSIGN", "assigneeId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "MOVE", "fromAssigneeId": "x", "assigneeId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "UNASSIGN", "assigneeId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "SET_STATUS", "statusId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "DELETE", "statusId": "x" }), "admin manager"),
        ("contactBulk", json!({ "filter": { "source": "nowhere" }, "action": "EXPORT", "statusId": "x" }), "admin manager"),
        ("bulkJobCancel", json!({ "id": "x" }), "admin manager"),
        ("userInvite", json!({ "email": "nobody", "name": "x" }), "admin supervisor"),
        ("userUpdate", json!({ "id": "x", "expectedVersion": 1, "name": "x" }), "admin"),
        ("userUpdate", json!({ "id": "x", "expectedVersion": 1, "roleIds": [] }), "admin"),
        ("userUpdate", json!({ "id": "x", "expectedVersion": 1, "permissions": [] }), "admin"),
        ("userResendInvitation", json!({ "id": "x" }), "admin supervisor"),
        ("userDisable", json!({ "id": "x", "expectedVersion": 1, "reason": "x" }), "admin"),
        ("userEnable", json!({ "id": "x", "expectedVersion": 1 }), "admin"),
        ("userResetPassword", json!({ "id": "x" }), "admin"),
        ("userSignOut", json!({ "id": "x" }), "admin"),
        ("roleCreate", json!({ "name": "", "permissions": [] }), "admin"),
        ("roleUpdate", json!({ "id": "x", "expectedVersion": 1, "name": "x" }), "admin"),
        ("roleDelete", json!({ "id": "x", "expectedVersion": 1 }), "admin"),
        ("tenantUpdate", json!({ "expectedVersion": 1, "name": "" }), "admin"),
        ("agentCreate", json!({ "email": "nobody", "name": "x" }), "admin supervisor"),
        ("agentUpdate", json!({ "id": "x", "expectedVersion": 1, "name": "x" }), "admin supervisor"),
        ("agentDelete", json!({ "id": "x", "expectedVersion": 1, "reason": "x" }), "admin supervisor"),
        ("agentRestore", json!({ "id": "x" }), "admin supervisor"),
        ("teamCreate", json!({ "name": "" }), "admin supervisor"),
        ("teamUpdate", json!({ "id": "x", "expectedVersion": 1, "name": "x" }), "admin supervisor"),
        ("teamDelete", json!({ "id": "x", "expectedVersion": 1 }), "admin supervisor"),
        ("teamRestore", json!({ "id": "x" }), "admin supervisor"),
        ("teamAddMember", json!({ "teamId": "x", "agentId": "x" }), "admin supervisor"),
        ("teamUpdateMember", json!({ "teamId": "x", "agentId": "x", "role": "TEAM_LEAD" }), "admin supervisor"),
        ("teamRemoveMember", json!({ "teamId": "x", "agentId": "x" }), "admin supervisor"),
        ("presenceUpdate", json!({ "agentId": "x", "status": "BUSY", "reason": "x" }), "admin manager supervisor telephonist agent"),
        ("presenceHeartbeat", json!({ "deviceId": "x", "onCall": true, "currentCallSeconds": -1 }), "admin manager supervisor telephonist agent"),
        ("scheduleAddWindow", window(&json!({})), "admin supervisor agent"),
        ("scheduleUpdateWindow", window(&json!({ "windowId": "x", "expectedVersion": 1 })), "admin supervisor agent"),
        ("scheduleRemoveWindow", json!({ "agentId": "x", "windowId": "x" }), "admin supervisor agent"),
        ("scheduleAddException", json!({ "agentId": "x", "date": "2031-06-02", "kind": "AWAY" }), "admin supervisor agent"),
        ("scheduleRemoveException", json!({ "agentId": "x", "exceptionId": "x" }), "admin supervisor agent"),
        ("contactBulk", json!({ "filter": { "source": "nowhere", "includeDeleted": true }, "action": "RESCORE" }), "admin manager"),
        ("scoreRecalculate", json!({ "contactId": "x" }), "admin manager telephonist"),
        ("scoringModelCreate", json!({ "name": "", "factors": [] }), "admin manager"),
        ("scoringModelUpdate", json!({ "id": "x", "expectedVersion": 1, "name": "x" }), "admin manager"),
        ("scoringModelDelete", json!({ "id": "x", "expectedVersion": 1 }), "admin manager"),
        ("scoringModelActivate", json!({ "id": "x" }), "admin manager"),
        ("scoringModelTrain", json!({ "name": "" }), "admin manager"),
        ("recordRevert", json!({ "id": "x", "toVersion": 1, "expectedVersion": 1 }), "admin manager"),
        ("auditExport", json!({ "format": "CSV", "action": "x" }), "admin supervisor"),
        ("auditExportCancel", json!({ "id": "x" }), "admin supervisor"),
    ]
}

/// A window in the schedule of nobody.
fn window(more: &Value) -> Value {
    let mut window = json!({ "agentId": "x", "date": "2031-06-02", "startTime": "09:00", "endTime": "17:00" });
    window.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    window
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
        ("topContacts { nodes { id } }", "admin manager supervisor telephonist"),
        ("scoreDistribution { total }", "admin manager supervisor"),
        ("scoringModels { id }", "admin manager supervisor"),
        ("scoringTrainings { nodes { id } }", "admin manager supervisor"),
        ("suppressionList { nodes { id } }", "admin manager supervisor"),
        ("bulkJobs { nodes { id } }", "admin manager"),
        ("imports { nodes { id } }", "admin manager supervisor"),
        ("importProfiles { id }", "admin manager supervisor"),
        ("users { nodes { id } }", "admin manager supervisor"),
        ("agents { nodes { id } }", "admin manager supervisor telephonist agent"),
        ("teams { nodes { id } }", "admin manager supervisor telephonist agent"),
        ("roles { id }", "admin manager supervisor telephonist agent"),
        ("permissions { name }", "admin manager supervisor telephonist agent"),
        ("availableAgents { id }", "admin manager supervisor"),
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
async fn colleagues_teams_and_schedules_are_null_to_who_may_not_see_them_as_if_they_did_not_exist() {
    let (stack, admin) = Stack::as_admin().await;
    let colleague = stack.sign_in("telephonist2@demo.test").await.data("{ viewer { user { id agent { id } } } }", json!({})).await["viewer"]["user"].take();
    let team = done(&admin, "teamCreate", json!({ "name": fresh::word("Unseen") })).await["team"]["id"].take();
    let absent = |kind: &str| json!(data_encoding::BASE64URL_NOPAD.encode(format!("{kind}:00000000000000000000000000").as_bytes()));
    let range = "from: \"2031-06-02T00:00:00Z\", to: \"2031-06-03T00:00:00Z\"";
    let lookups = [
        ("user", &colleague["id"], "user(id: $id) { id }".to_owned(), "admin manager supervisor"),
        ("agent", &colleague["agent"]["id"], "agent(id: $id) { id email memberships { role } }".to_owned(), "admin manager supervisor"),
        ("agent", &colleague["agent"]["id"], "agent(id: $id) { presence { status } }".to_owned(), "admin manager supervisor"),
        ("team", &team, "team(id: $id) { id members { nodes { role } } }".to_owned(), "admin manager supervisor"),
        ("agent", &colleague["agent"]["id"], "agentTimeline(agentId: $id, date: \"2031-06-02\") { calls }".to_owned(), "admin manager supervisor"),
        ("agent", &colleague["agent"]["id"], format!("agentSchedule(agentId: $id, {range}) {{ version }}"), "admin manager supervisor telephonist"),
    ];
    for role in ["admin", "manager", "supervisor", "telephonist", "agent"] {
        let api = stack.sign_in(&format!("{role}@demo.test")).await;
        for (kind, id, query, roles) in &lookups {
            let query = format!("query($id: ID!) {{ found: {query} }}");
            let found = api.data(&query, json!({ "id": id })).await["found"].take();
            assert_eq!(found.is_object(), roles.split(' ').any(|may| may == role), "{role}: {query}: {found}");
            assert_eq!(api.data(&query, json!({ "id": absent(kind) })).await["found"], Value::Null, "{role}: {query}");
        }
        for (kind, id) in [("user", &colleague["id"]), ("agent", &colleague["agent"]["id"]), ("team", &team)] {
            let node = api.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await["node"].take();
            assert_eq!(node.is_object(), ["admin", "manager", "supervisor"].contains(&role), "{role}: {kind} by its id");
        }
        let own = api.data("{ viewer { user { id agent { id presence { status } teams { id } } } } }", json!({})).await["viewer"]["user"].take();
        for (query, id) in [("user(id: $id) { id }", &own["id"]), ("agent(id: $id) { id }", &own["agent"]["id"])] {
            let found = api.data(&format!("query($id: ID!) {{ found: {query} }}"), json!({ "id": id })).await["found"].take();
            assert_eq!(found["id"], *id, "{role}: oneself one sees always");
        }
        let events = api.ask("query($id: ID!) { agent(id: $id) { auditEvents { nodes { id } } } }", json!({ "id": own["agent"]["id"] })).await;
        let sees = ["admin", "supervisor"].contains(&role);
        assert_eq!(events.codes(), if sees { vec![] } else { vec!["FORBIDDEN"] }, "{role}: {}", events.body);
    }
    done(&admin, "teamDelete", json!({ "id": team, "expectedVersion": 1 })).await;
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
async fn a_supervisor_reads_contacts_imports_and_the_audit_and_imports_no_contacts() {
    let (stack, admin) = Stack::as_admin().await;
    let api = stack.sign_in("supervisor@demo.test").await;
    let contact = contact_of(&admin, &Value::Null).await;
    caught_up(&admin).await;
    assert_eq!(found(&api, &contact).await, all_of(&contact.0));
    assert_eq!(api.data(EVENTS, json!({ "id": contact.0 })).await["contact"]["auditEvents"]["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(api.refusal(CREATE, json!({ "input": { "phone": fresh::number().e164() } })).await, "FORBIDDEN");
    assert_eq!(api.refusal("mutation { importCreate(input: { fileName: \"a.csv\", fileBytes: 1 }) { import { id } } }", json!({})).await, "FORBIDDEN");
    let import = dropped(&stack, &admin, "demo", &format!("{}.csv", fresh::word("seen")), csv("phone,name", &[[fresh::number().dashed(), "x".to_owned()]])).await;
    let data = api.data("query($id: ID!) { import(id: $id) { id } node(id: $id) { id } }", json!({ "id": import.id() })).await;
    assert_eq!(data, json!({ "import": { "id": import.id() }, "node": { "id": import.id() } }));
    assert_eq!(api.refusal("mutation($id: ID!) { importStart(input: { id: $id }) { import { id } } }", json!({ "id": import.id() })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_colleagues_may_do_is_not_shown_to_who_decides_nothing_by_it() {
    let stack = Stack::connect().await;
    let (telephonist, colleague) = (stack.sign_in("telephonist@demo.test").await, stack.sign_in("telephonist2@demo.test").await);
    let supervisor = stack.sign_in("supervisor@demo.test").await;
    for (id, shows_power) in [(agent_of(&telephonist).await, true), (agent_of(&colleague).await, false)] {
        for (field, is_power) in [("name", false), ("status", true), ("roles { code }", true), ("permissions", true), ("lastSignedOutAt", true)] {
            let query = format!(
                "query($id: ID!) {{ agentSchedule(agentId: $id, from: \"2027-01-04T00:00:00Z\", to: \"2027-01-05T00:00:00Z\") {{ agent {{ user {{ {field} }} }} }} }}"
            );
            let answer = telephonist.ask(&query, json!({ "id": id })).await;
            assert_eq!(answer.codes(), if shows_power || !is_power { vec![] } else { vec!["FORBIDDEN"] }, "{field}: {}", answer.body);
            assert!(supervisor.ask(&query, json!({ "id": id })).await.codes().is_empty(), "{field}");
        }
    }
}
