//! Tenants never see each other: not by list, id, number, cursor or reference. What is another's is as if it didn't exist.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::api::{Answer, Api, create, created, user_errors};
use crate::stack::contacts::{LISTED, agent_of, contact, eventually_lists, ids, ids_of, new_contact, notes, some_team, status_id};
use crate::stack::drops::{csv, dropped, import};
use crate::stack::exports;
use crate::stack::fresh::{self, Number};
use crate::stack::history::{caught_up, contact_at};
use crate::stack::imports::uploaded;
use crate::stack::jobs::{completed, counts, job};
use crate::stack::mutations::{document, done, error, refusal, refused};
use crate::stack::staff::{record, recorded};
use crate::stack::tenant::{Tenant, address};
use crate::stack::waiting::eventually;
use crate::stack::{OTHER_ADMIN, Stack};

/// Everything a tenant can be asked for by an id.
struct Records {
    contact: Value,
    number: Number,
    import: Value,
    suppression: Value,
    job: Value,
    export: Value,
    user: Value,
    agent: Value,
    team: Value,
    role: Value,
    ids: Vec<Value>,
}

/// Makes a contact with a note, an import, a suppression, a job and a team with an agent, and finds a record of every type.
async fn records(stack: &Stack, api: &Api, slug: &str) -> Records {
    let number = fresh::number();
    let import = dropped(stack, api, slug, &format!("{}.csv", fresh::word("isolated")), csv("phone,name", &[[number.dashed(), "Isolated".to_owned()]])).await;
    caught_up(api).await;
    let contact = contact_at(api, number).await;
    let suppression = done(api, "suppressionAdd", json!({ "phone": number.e164(), "reason": "Isolated" })).await["suppression"]["id"].take();
    let note = done(api, "contactAddNote", json!({ "id": contact["id"], "body": "Isolated" })).await["note"]["id"].take();
    let job = completed(api, json!({ "filter": { "importId": import.id() }, "action": "EXPORT" })).await["id"].take();
    let export = done(api, "auditExport", json!({ "format": "CSV", "entityId": contact["id"] })).await["auditExport"]["id"].take();
    exports::ended(api, &export).await;
    let viewer = api.data("{ viewer { user { id agent { id } roles { id } } tenant { id } } contactStatuses { id } }", json!({})).await;
    let user = &viewer["viewer"]["user"];
    let team = done(api, "teamCreate", json!({ "name": fresh::word("Isolated") })).await["team"]["id"].take();
    let staff = json!({ "name": fresh::word("Isolated"), "email": address("isolated"), "teamIds": [team] });
    let agent = done(api, "agentCreate", staff).await["agent"].take();
    assert_eq!(recorded(api, "team", &team).await.len(), 2);
    let query = "query($id: ID!) { team(id: $id) { auditEvents { nodes { id } } } }";
    let event = api.data(query, json!({ "id": team })).await["team"]["auditEvents"]["nodes"][0]["id"].take();
    let ids = vec![
        contact["id"].clone(),
        contact["auditEvents"]["nodes"][0]["id"].clone(),
        import.id().clone(),
        user["id"].clone(),
        user["agent"]["id"].clone(),
        user["roles"][0]["id"].clone(),
        viewer["contactStatuses"][0]["id"].clone(),
        viewer["viewer"]["tenant"]["id"].clone(),
        suppression.clone(),
        note,
        job.clone(),
        export.clone(),
        agent["id"].clone(),
        agent["user"]["id"].clone(),
        team.clone(),
        event,
    ];
    assert!(ids.iter().all(Value::is_string), "{ids:?}");
    let [user, agent, role] = [&agent["user"]["id"], &agent["id"], &user["roles"][0]["id"]].map(Value::clone);
    Records { contact: contact["id"].clone(), number, import: import.id().clone(), suppression, job, export, user, agent, team, role, ids }
}

impl Records {
    /// The id of the record of a kind.
    fn of(&self, kind: &str) -> &Value {
        match kind {
            "user" => &self.user,
            "agent" => &self.agent,
            "team" => &self.team,
            "role" => &self.role,
            other => panic!("no record of kind {other}"),
        }
    }
}

/// Staff of a tenant by their kinds.
type Staff = [(&'static str, Value); 3];

/// Makes staff of a tenant's own; and every mutation of staff with room for an id of a kind, as that tenant would call it.
async fn staff(api: &Api) -> (Staff, Vec<(&'static str, &'static str, Value)>) {
    let email = || address("stolen");
    let agent = done(api, "agentCreate", json!({ "name": "Victim", "email": email() })).await["agent"].take();
    let user = record(api, "user", &agent["user"]["id"]).await;
    let team = done(api, "teamCreate", json!({ "name": fresh::word("Victims") })).await["team"].take();
    let window = |more: &[(&str, &str)]| {
        let mut window = json!({ "agentId": "<id>", "date": "2031-06-02", "startTime": "09:00", "endTime": "17:00" });
        window.as_object_mut().unwrap().extend(more.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        window
    };
    let calls = vec![
        ("userInvite", "role", json!({ "name": "Stolen", "email": email(), "roleIds": ["<id>"] })),
        ("userUpdate", "user", json!({ "id": "<id>", "expectedVersion": 1, "name": "Stolen" })),
        ("userUpdate", "role", json!({ "id": user["id"], "expectedVersion": 1, "roleIds": ["<id>"] })),
        ("userResendInvitation", "user", json!({ "id": "<id>" })),
        ("userDisable", "user", json!({ "id": "<id>", "expectedVersion": 1, "reason": "Stolen" })),
        ("userDisable", "agent", json!({ "id": user["id"], "expectedVersion": 1, "reason": "Stolen", "assigneeId": "<id>" })),
        ("userDisable", "team", json!({ "id": user["id"], "expectedVersion": 1, "reason": "Stolen", "teamId": "<id>" })),
        ("userEnable", "user", json!({ "id": "<id>", "expectedVersion": 1 })),
        ("userResetPassword", "user", json!({ "id": "<id>" })),
        ("userSignOut", "user", json!({ "id": "<id>" })),
        ("roleUpdate", "role", json!({ "id": "<id>", "expectedVersion": 1, "name": "Stolen" })),
        ("roleDelete", "role", json!({ "id": "<id>", "expectedVersion": 1 })),
        ("agentCreate", "user", json!({ "userId": "<id>" })),
        ("agentCreate", "team", json!({ "name": "Stolen", "email": email(), "teamIds": ["<id>"] })),
        ("agentCreate", "role", json!({ "name": "Stolen", "email": email(), "roles": ["<id>"] })),
        ("agentUpdate", "agent", json!({ "id": "<id>", "expectedVersion": 1, "name": "Stolen" })),
        ("agentDelete", "agent", json!({ "id": "<id>", "expectedVersion": 1 })),
        ("agentDelete", "agent", json!({ "id": agent["id"], "expectedVersion": 1, "assigneeId": "<id>" })),
        ("agentDelete", "team", json!({ "id": agent["id"], "expectedVersion": 1, "teamId": "<id>" })),
        ("agentRestore", "agent", json!({ "id": "<id>" })),
        ("teamUpdate", "team", json!({ "id": "<id>", "expectedVersion": 1, "name": "Stolen" })),
        ("teamDelete", "team", json!({ "id": "<id>", "expectedVersion": 1 })),
        ("teamRestore", "team", json!({ "id": "<id>" })),
        ("teamAddMember", "team", json!({ "teamId": "<id>", "agentId": agent["id"] })),
        ("teamAddMember", "agent", json!({ "teamId": team["id"], "agentId": "<id>" })),
        ("teamUpdateMember", "team", json!({ "teamId": "<id>", "agentId": agent["id"], "role": "TEAM_LEAD" })),
        ("teamUpdateMember", "agent", json!({ "teamId": team["id"], "agentId": "<id>", "role": "TEAM_LEAD" })),
        ("teamRemoveMember", "team", json!({ "teamId": "<id>", "agentId": agent["id"] })),
        ("teamRemoveMember", "agent", json!({ "teamId": team["id"], "agentId": "<id>" })),
        ("presenceUpdate", "agent", json!({ "agentId": "<id>", "status": "BUSY", "reason": "Stolen" })),
        ("scheduleAddWindow", "agent", window(&[])),
        ("scheduleUpdateWindow", "agent", window(&[("windowId", "x")])),
        ("scheduleRemoveWindow", "agent", json!({ "agentId": "<id>", "windowId": "x" })),
        ("scheduleAddException", "agent", json!({ "agentId": "<id>", "date": "2031-06-02", "kind": "AWAY" })),
        ("scheduleRemoveException", "agent", json!({ "agentId": "<id>", "exceptionId": "x" })),
        ("recordRevert", "user", json!({ "id": "<id>", "toVersion": 1, "expectedVersion": 1 })),
        ("recordRevert", "role", json!({ "id": "<id>", "toVersion": 1, "expectedVersion": 1 })),
        ("recordRevert", "agent", json!({ "id": "<id>", "toVersion": 1, "expectedVersion": 1 })),
        ("recordRevert", "team", json!({ "id": "<id>", "toVersion": 1, "expectedVersion": 1 })),
    ];
    ([("user", user), ("agent", agent), ("team", team)], calls)
}

/// Takes the staff that was made out of the lists again.
async fn tidied(api: &Api, staff: &Staff) {
    let [_, (_, agent), (_, team)] = staff;
    done(api, "agentDelete", json!({ "id": agent["id"], "expectedVersion": 1 })).await;
    done(api, "teamDelete", json!({ "id": team["id"], "expectedVersion": 1 })).await;
}

/// An id of a record that nobody has.
fn absent(kind: &str) -> Value {
    json!(data_encoding::BASE64URL_NOPAD.encode(format!("{kind}:00000000000000000000000000").as_bytes()))
}

/// An input in which an id stands where there is room for it.
fn about(input: &Value, id: &Value) -> Value {
    serde_json::from_str(&input.to_string().replace("<id>", id.as_str().unwrap())).unwrap()
}

/// What an answer tells, without what tells requests apart.
fn told(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"] = Value::Null;
    }
    body
}

/// Both tenants' administrators.
async fn both() -> (Stack, Api, Api) {
    let (stack, api) = Stack::as_admin().await;
    let other = stack.sign_in(OTHER_ADMIN).await;
    (stack, api, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_record_of_a_tenant_is_seen_from_another_by_id_or_number() {
    let (stack, api, other) = both().await;
    for (owner, stranger, slug) in [(&api, &other, "demo"), (&other, &api, "other")] {
        let records = records(&stack, owner, slug).await;
        for id in &records.ids {
            let query = "query($id: ID!) { node(id: $id) { id } contact(id: $id) { id } import(id: $id) { id } bulkJob(id: $id) { id } auditExport(id: $id) { id }
                contactDuplicates(contactId: $id) { nodes { reason } } user(id: $id) { id } agent(id: $id) { id } team(id: $id) { id }
                agentTimeline(agentId: $id, date: \"2031-06-02\") { calls }
                agentSchedule(agentId: $id, from: \"2031-06-02T00:00:00Z\", to: \"2031-06-03T00:00:00Z\") { version }
                auditEvents(entityId: $id) { nodes { id } } auditDiff(entityId: $id, fromVersion: 0, toVersion: 1) { field } }";
            let nothing = json!({
                "node": null, "contact": null, "import": null, "bulkJob": null, "contactDuplicates": { "nodes": [] }, "user": null, "agent": null, "team": null,
                "agentTimeline": null, "agentSchedule": null, "auditEvents": { "nodes": [] }, "auditDiff": null, "auditExport": null,
            });
            assert_eq!(stranger.data(query, json!({ "id": id })).await, nothing, "{id}");
        }
        let slots = "from: \"2031-06-02T00:00:00Z\", to: \"2031-06-03T00:00:00Z\", durationMinutes: 60";
        for (kind, theirs, query) in [
            ("team", &records.team, "agents(teamId: $id) { nodes { id } }".to_owned()),
            ("team", &records.team, "availableAgents(teamId: $id) { id }".to_owned()),
            ("team", &records.team, format!("freeSlots(teamId: $id, {slots}) {{ startsAt }}")),
            ("agent", &records.agent, format!("freeSlots(agentId: $id, {slots}) {{ startsAt }}")),
            ("user", &records.user, "auditEvents(actorId: $id) { nodes { id } }".to_owned()),
            ("import", &records.import, "auditEvents(importId: $id) { nodes { id } }".to_owned()),
            ("contact", &records.contact, "auditGaps(entityType: \"contact\", entityId: $id) { nodes { version } }".to_owned()),
            ("contact", &records.contact, "auditVerification(entityId: $id) { ok }".to_owned()),
            ("team", &records.team, "auditVerification(entityId: $id) { ok }".to_owned()),
        ] {
            let query = format!("query($id: ID!) {{ {query} }}");
            let (seen, unseen) = (stranger.ask(&query, json!({ "id": theirs })).await, stranger.ask(&query, json!({ "id": absent(kind) })).await);
            assert_eq!(told(&seen), told(&unseen), "{query}");
        }
        let query = "query($phone: String!, $contact: ID!, $import: ID!, $job: ID!) {
            contactByPhone(phone: $phone) { id } suppression(phone: $phone) { id } contact(id: $contact) { id } import(id: $import) { id } bulkJob(id: $job) { id } }";
        let variables = json!({ "phone": records.number.e164(), "contact": records.contact, "import": records.import, "job": records.job });
        let own = owner.data(query, variables.clone()).await;
        let all = json!({
            "contactByPhone": { "id": records.contact }, "suppression": { "id": records.suppression }, "contact": { "id": records.contact },
            "import": { "id": records.import }, "bulkJob": { "id": records.job },
        });
        assert_eq!(own, all);
        let nothing = json!({ "contactByPhone": null, "suppression": null, "contact": null, "import": null, "bulkJob": null });
        assert_eq!(stranger.data(query, variables).await, nothing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mutation_tells_what_is_another_tenants_from_what_does_not_exist_and_none_changes_it() {
    let (stack, api, other) = both().await;
    for (owner, stranger, slug) in [(&api, &other, "demo"), (&other, &api, "other")] {
        let records = records(&stack, owner, slug).await;
        let before = contact(owner, &records.contact).await;
        let notes_before = notes(owner, &records.contact).await;
        let (own, status, agent) = (new_contact(stranger, json!({})).await["id"].take(), status_id(stranger, "attempted").await, agent_of(stranger).await);
        let their_status = status_id(owner, "attempted").await;
        let version = before["version"].clone();
        let (staff, of_staff) = staff(stranger).await;
        let staff_before = (record(owner, "user", &records.user).await, record(owner, "agent", &records.agent).await, record(owner, "team", &records.team).await);
        let calls = [
            ("contactUpdate", &records.contact, "contact", json!({ "id": "<id>", "expectedVersion": version, "name": "Stolen" })),
            ("contactSetStatus", &records.contact, "contact", json!({ "id": "<id>", "statusId": status, "note": "Stolen" })),
            ("contactAddNote", &records.contact, "contact", json!({ "id": "<id>", "body": "Stolen" })),
            ("contactAssign", &records.contact, "contact", json!({ "ids": ["<id>"], "assigneeId": agent })),
            ("contactDelete", &records.contact, "contact", json!({ "id": "<id>", "expectedVersion": version })),
            ("contactRestore", &records.contact, "contact", json!({ "id": "<id>" })),
            ("contactErase", &records.contact, "contact", json!({ "id": "<id>", "reason": "Stolen" })),
            ("contactMerge", &records.contact, "contact", json!({ "winnerId": own, "loserId": "<id>" })),
            ("contactMerge", &records.contact, "contact", json!({ "winnerId": "<id>", "loserId": own })),
            ("contactUnmerge", &records.contact, "contact", json!({ "loserId": "<id>" })),
            ("contactStatusUpdate", &their_status, "contact_status", json!({ "id": "<id>", "expectedVersion": 1, "name": "Stolen" })),
            ("contactStatusDelete", &their_status, "contact_status", json!({ "id": "<id>", "expectedVersion": 1 })),
            ("suppressionRemove", &records.suppression, "suppression", json!({ "id": "<id>", "reason": "Stolen" })),
            ("bulkJobCancel", &records.job, "bulk_job", json!({ "id": "<id>" })),
            ("importSetMapping", &records.import, "import", json!({ "id": "<id>", "columns": [] })),
            ("importDryRun", &records.import, "import", json!({ "id": "<id>" })),
            ("importStart", &records.import, "import", json!({ "id": "<id>" })),
            ("importCancel", &records.import, "import", json!({ "id": "<id>" })),
            ("importRevert", &records.import, "import", json!({ "id": "<id>" })),
            ("auditExportCancel", &records.export, "audit_export", json!({ "id": "<id>" })),
            ("recordRevert", &records.contact, "contact", json!({ "id": "<id>", "toVersion": 1, "expectedVersion": version })),
            ("recordRevert", &their_status, "contact_status", json!({ "id": "<id>", "toVersion": 1, "expectedVersion": 1 })),
        ];
        for (mutation, theirs, kind, input) in calls.into_iter().chain(of_staff.iter().map(|(mutation, kind, input)| (*mutation, records.of(kind), *kind, input.clone())))
        {
            let [seen, unseen] = [theirs, &absent(kind)].map(|id| json!({ "input": about(&input, id) }));
            let (seen, unseen) = (stranger.ask(&document(mutation), seen).await, stranger.ask(&document(mutation), unseen).await);
            assert_eq!(told(&seen), told(&unseen), "{mutation}");
            assert!(seen.body.to_string().contains("NOT_FOUND"), "{mutation}: {}", seen.body);
        }
        let never = refused(stranger, "suppressionRemove", json!({ "phone": fresh::number().e164(), "reason": "Stolen" })).await;
        assert_eq!(refused(stranger, "suppressionRemove", json!({ "phone": records.number.e164(), "reason": "Stolen" })).await, never);
        assert_eq!((contact(owner, &records.contact).await, notes(owner, &records.contact).await), (before, notes_before));
        let staff_after = (record(owner, "user", &records.user).await, record(owner, "agent", &records.agent).await, record(owner, "team", &records.team).await);
        assert_eq!(staff_after, staff_before);
        assert!(!owner.data("{ roles { name } }", json!({})).await.to_string().contains("Stolen"));
        for (kind, own) in &staff {
            assert_eq!(record(stranger, kind, &own["id"]).await, *own, "nor is anything of it taken over");
        }
        tidied(stranger, &staff).await;
        assert_eq!((&job(owner, &records.job).await["status"], import(owner, &records.import).await.status()), (&json!("COMPLETED"), "COMPLETED"));
        assert!(!owner.data("{ contactStatuses { name } }", json!({})).await.to_string().contains("Stolen"));
        let suppression = owner.data("query($phone: String!) { suppression(phone: $phone) { removedAt } }", json!({ "phone": records.number.e164() })).await;
        assert_eq!(suppression, json!({ "suppression": { "removedAt": null } }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_search_or_filter_reaches_only_the_tenants_own_contacts() {
    let (stack, api, other) = both().await;
    let records = records(&stack, &api, "demo").await;
    let (source, name) = (fresh::word("source"), fresh::letters());
    let number = fresh::number();
    let ours = new_contact(&api, json!({ "phone": number.e164(), "source": source, "name": name, "email": format!("{name}@example.com") })).await;
    let theirs = new_contact(&other, json!({ "source": source })).await;
    let agent = agent_of(&api).await;
    let searches = [name.clone(), format!("{name}@example.com"), number.e164(), number.ending(7)];
    for search in &searches {
        eventually_lists(&api, &json!({ "search": search, "source": source }), &ids([&ours])).await;
        assert_eq!(ids_of(&other, &json!({ "search": search, "source": source })).await, BTreeSet::new(), "{search}");
    }
    for filter in [json!({ "importId": records.import }), json!({ "assigneeIds": [agent] }), json!({ "statusIds": [status_id(&api, "new").await] })] {
        assert_eq!(ids_of(&other, &filter).await, BTreeSet::new(), "{filter}");
    }
    let deleted = completed(&other, json!({ "filter": { "source": source }, "action": "DELETE" })).await;
    assert_eq!(counts(&deleted), [1, 0, 0]);
    for filter in [json!({ "importId": records.import }), json!({ "search": number.e164() })] {
        assert_eq!(counts(&completed(&other, json!({ "filter": filter, "action": "DELETE" })).await), [0, 0, 0], "{filter}");
    }
    assert_eq!(contact(&api, &ours["id"]).await, ours);
    assert!(contact(&other, &theirs["id"]).await["deletedAt"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_only_what_is_the_tenants_own() {
    let (stack, api, other) = both().await;
    for (owner, stranger, slug) in [(&api, &other, "demo"), (&other, &api, "other")] {
        let records = records(&stack, owner, slug).await;
        let query = "{ contacts(first: 100) { nodes { id phone } } imports(first: 100) { nodes { id } } suppressionList(first: 100) { nodes { id } }
            bulkJobs(first: 100) { nodes { id } } contactDuplicates(first: 100) { nodes { contacts { id phone } } } contactStatuses { id } viewer { tenant { id } user { id } }
            users(first: 100) { nodes { id } } agents(first: 100) { nodes { id } } teams(first: 100) { nodes { id } } roles { id } availableAgents { id }
            auditExports(first: 100) { nodes { id } } auditEvents(first: 100) { nodes { id entityId } } auditGaps(entityType: \"team\", first: 100) { nodes { entityId } } }";
        let (own, theirs) = (owner.data(query, json!({})).await.to_string(), stranger.data(query, json!({})).await.to_string());
        let made = [&records.contact, &records.import, &records.suppression, &records.job, &records.export, &records.role];
        assert!(made.iter().all(|id| own.contains(id.as_str().unwrap())), "what was just made leads the lists");
        let listed = records.ids.iter().filter(|id| theirs.contains(id.as_str().unwrap())).count();
        assert!(listed == 0 && !theirs.contains(&records.number.e164()), "{theirs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_tenant_is_a_bad_cursor() {
    let (stack, api, other) = both().await;
    let Records { contact, job, team, agent, .. } = records(&stack, &api, "demo").await;
    for list in ["contacts", "imports", "suppressionList", "bulkJobs", "users", "agents", "teams", "auditEvents", "auditExports"] {
        let query = format!("query($after: String) {{ {list}(first: 1, after: $after) {{ pageInfo {{ endCursor }} }} }}");
        let cursor = api.data(&query, json!({})).await[list]["pageInfo"]["endCursor"].take();
        assert!(api.data(&query, json!({ "after": cursor })).await[list].is_object());
        assert_eq!(other.refusal(&query, json!({ "after": cursor })).await, "BAD_CURSOR", "{list}");
    }
    let neighbour = records(&stack, &other, "other").await;
    for (record, list, ours, theirs) in [
        ("contact", "auditEvents", &contact, &neighbour.contact),
        ("contact", "notes", &contact, &neighbour.contact),
        ("bulkJob", "outcomes", &job, &neighbour.job),
        ("team", "members", &team, &neighbour.team),
        ("team", "auditEvents", &team, &neighbour.team),
        ("agent", "auditEvents", &agent, &neighbour.agent),
    ] {
        let query = format!("query($id: ID!, $after: String) {{ {record}(id: $id) {{ {list}(first: 1, after: $after) {{ pageInfo {{ endCursor }} }} }} }}");
        let cursor = api.data(&query, json!({ "id": ours })).await[record][list]["pageInfo"]["endCursor"].take();
        // What has no entries has no cursor to lend.
        let after = if cursor.is_null() { json!("made up") } else { cursor };
        assert_eq!(other.ask(&query, json!({ "id": theirs, "after": after })).await.codes(), ["BAD_CURSOR"], "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_can_not_refer_to_what_is_another_tenants() {
    let (_, api, other) = both().await;
    let theirs = api.data("{ viewer { user { agent { id } } } contactStatuses { id } }", json!({})).await;
    let number = fresh::number();
    let input = json!({ "phone": number.e164(), "assigneeId": theirs["viewer"]["user"]["agent"]["id"], "statusId": theirs["contactStatuses"][0]["id"] });
    let expected = [("assigneeId", "NOT_FOUND"), ("statusId", "NOT_FOUND")];
    assert_eq!(user_errors(&create(&other, input).await), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    assert!(contact_at(&other, number).await.is_null());

    let before = new_contact(&other, json!({})).await;
    let (agent, status, team) = (agent_of(&api).await, status_id(&api, "attempted").await, some_team(&api).await["id"].take());
    for (mutation, field, id) in [("contactUpdate", "assigneeId", &agent), ("contactUpdate", "statusId", &status), ("contactUpdate", "teamId", &team)] {
        let input = json!({ "id": before["id"], "expectedVersion": 1, field: id });
        assert_eq!(refused(&other, mutation, input).await, error(field, "NOT_FOUND"));
    }
    assert_eq!(refused(&other, "contactSetStatus", json!({ "id": before["id"], "statusId": status })).await, error("statusId", "NOT_FOUND"));
    for (field, id) in [("assigneeId", &agent), ("teamId", &team)] {
        assert_eq!(refused(&other, "contactAssign", json!({ "ids": [before["id"]], field: id })).await, error(field, "NOT_FOUND"));
        assert_eq!(refused(&other, "contactBulk", json!({ "action": "ASSIGN", "filter": { "source": "nowhere" }, field: id })).await, error(field, "NOT_FOUND"));
    }
    let bulk = refused(&other, "contactBulk", json!({ "action": "SET_STATUS", "filter": { "source": "nowhere" }, "statusId": status })).await;
    assert_eq!(bulk, error("statusId", "NOT_FOUND"));
    assert_eq!(contact(&other, &before["id"]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_have_a_contact_each_at_one_number() {
    let (_, api, other) = both().await;
    let number = fresh::number();
    let ours = created(&api, json!({ "phone": number.e164(), "name": "Ours" })).await;
    let theirs = created(&other, json!({ "phone": number.e164(), "name": "Theirs" })).await;
    assert_ne!(ours["id"], theirs["id"], "an id tells nothing about the number to someone without the tenant's key");
    assert_eq!((&contact_at(&api, number).await["name"], &contact_at(&other, number).await["name"]), (&json!("Ours"), &json!("Theirs")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_one_tenant_must_not_call_is_free_in_another() {
    let (_, api, other) = both().await;
    let number = fresh::number();
    let ours = done(&api, "suppressionAdd", json!({ "phone": number.e164() })).await["suppression"]["id"].take();
    let query = "query($phone: String!) { suppression(phone: $phone) { id } }";
    assert_eq!(other.data(query, json!({ "phone": number.e164() })).await, json!({ "suppression": null }));
    assert_eq!(refusal(&other, "suppressionRemove", json!({ "id": ours, "reason": "Theirs" })).await, "NOT_FOUND");
    assert_eq!(refused(&other, "suppressionRemove", json!({ "phone": number.e164(), "reason": "Theirs" })).await, error("phone", "NOT_FOUND"));
    let contact = created(&other, json!({ "phone": number.e164() })).await;
    let data = other.data("query($id: ID!) { contact(id: $id) { doNotCall } }", json!({ "id": contact["id"] })).await;
    assert_eq!(data, json!({ "contact": { "doNotCall": false } }));
    let theirs = done(&other, "suppressionAdd", json!({ "phone": number.e164() })).await;
    assert_eq!(theirs["contact"]["id"], contact["id"]);
    assert_ne!(theirs["suppression"]["id"], ours, "an id tells nothing about the number to someone without the tenant's key");
    assert_eq!(api.data(query, json!({ "phone": number.e164() })).await, json!({ "suppression": { "id": ours } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tenant_brings_in_and_the_mappings_it_keeps_are_its_own() {
    let (stack, api, other) = both().await;
    let (number, given, mapping) = (fresh::number(), fresh::number(), fresh::word("isolated"));
    let file = csv("phone,name", &[[number.dashed(), "Ours".to_owned()]]);
    let uploaded = uploaded(&stack, &api, json!({ "fileName": "isolated.csv" }), &file).await;
    done(&api, "importSetMapping", json!({ "id": uploaded["id"], "columns": [], "saveAsProfile": mapping })).await;
    let rows = json!([{ "phone": given.e164(), "name": "Ours" }]);
    let given_rows = done(&api, "importRows", json!({ "sourcePlatform": "isolated", "rows": rows })).await["import"]["id"].take();
    let lists = "{ importProfiles { id name } imports(first: 100) { nodes { id } } }";
    let (ours, theirs) = (api.data(lists, json!({})).await.to_string(), other.data(lists, json!({})).await.to_string());
    for what in [mapping.as_str(), uploaded["id"].as_str().unwrap(), given_rows.as_str().unwrap()] {
        assert!(ours.contains(what) && !theirs.contains(what), "{what}");
    }

    let never = refused(&other, "importProfileDelete", json!({ "name": fresh::word("nobodys") })).await;
    assert_eq!(refused(&other, "importProfileDelete", json!({ "name": mapping })).await, never);
    let foreign = dropped(&stack, &other, &format!("other/{mapping}"), &format!("{}.csv", fresh::word("isolated")), file.clone()).await;
    assert_eq!(foreign.status(), "FAILED", "a folder named as another tenant's mapping uses none of it");
    let theirs = done(&other, "importSetMapping", json!({ "id": waiting(&stack, &other, &file).await, "columns": [], "saveAsProfile": mapping })).await;
    assert_eq!(theirs["import"]["status"], "READY", "and the name is free in it");
    let kept = |profiles: &Value| profiles["importProfiles"].as_array().unwrap().iter().find(|profile| profile["name"] == json!(mapping)).cloned();
    done(&other, "importProfileDelete", json!({ "name": mapping })).await;
    assert_eq!(kept(&other.data(lists, json!({})).await), None);
    assert!(kept(&api.data(lists, json!({})).await).is_some());
}

/// An import of a tenant's own that waits to be started.
async fn waiting(stack: &Stack, api: &Api, file: &str) -> Value {
    uploaded(stack, api, json!({ "fileName": "isolated.csv" }), file).await["id"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_of_a_tenant_is_changed_and_deleted_by_nobody_else_and_its_name_is_free_in_another() {
    let (_, api, other) = both().await;
    let input = json!({ "name": fresh::word("Isolated"), "color": "#123456", "order": 90 });
    let ours = done(&api, "contactStatusCreate", input.clone()).await["contactStatus"].take();
    let theirs = done(&other, "contactStatusCreate", input).await["contactStatus"].take();
    assert_eq!((&ours["name"], &ours["code"]), (&theirs["name"], &theirs["code"]));
    for (stranger, status) in [(&other, &ours), (&api, &theirs)] {
        assert_eq!(refusal(stranger, "contactStatusUpdate", json!({ "id": status["id"], "expectedVersion": 1, "name": "Stolen" })).await, "NOT_FOUND");
        assert_eq!(refusal(stranger, "contactStatusDelete", json!({ "id": status["id"], "expectedVersion": 1 })).await, "NOT_FOUND");
    }
    for (owner, status) in [(&api, &ours), (&other, &theirs)] {
        let deleted = done(owner, "contactStatusDelete", json!({ "id": status["id"], "expectedVersion": 1 })).await["contactStatus"].take();
        assert_eq!((&deleted["id"], &deleted["version"]), (&status["id"], &json!(2)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_of_a_tenant_takes_its_name_from_no_other_and_settings_are_the_tenants_own() {
    let (_, api, other) = both().await;
    let name = fresh::word("Isolated");
    let ours = done(&api, "teamCreate", json!({ "name": name })).await["team"].take();
    let theirs = done(&other, "teamCreate", json!({ "name": name })).await["team"].take();
    assert_ne!(ours["id"], theirs["id"]);
    for (api, team) in [(&api, &ours), (&other, &theirs)] {
        done(api, "teamDelete", json!({ "id": team["id"], "expectedVersion": 1 })).await;
    }
    let role = json!({ "name": fresh::word("Isolated"), "permissions": [] });
    let ours = done(&api, "roleCreate", role.clone()).await["role"].take();
    let theirs = done(&other, "roleCreate", role).await["role"].take();
    assert_eq!((&ours["code"], &ours["name"]), (&theirs["code"], &theirs["name"]));
    for (api, role) in [(&api, &ours), (&other, &theirs)] {
        done(api, "roleDelete", json!({ "id": role["id"], "expectedVersion": 1 })).await;
    }
    let tenant = other.data("{ viewer { tenant { id version } } }", json!({})).await;
    // There is no way to name another tenant: one's own is what is changed.
    let ours = api.data("{ viewer { tenant { name version } } }", json!({})).await["viewer"]["tenant"].take();
    let same = done(&api, "tenantUpdate", json!({ "expectedVersion": ours["version"], "name": ours["name"] })).await["tenant"].take();
    assert_eq!((&same["name"], &same["version"]), (&ours["name"], &ours["version"]));
    assert_eq!(other.data("{ viewer { tenant { id version } } }", json!({})).await, tenant);
    let own = done(&api, "presenceHeartbeat", json!({})).await["agent"]["id"].take();
    assert_eq!(own, agent_of(&api).await, "nor to give somebody else's sign of life");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scoring_model_of_a_tenant_is_seen_changed_and_activated_by_nobody_else_and_its_name_is_free_in_another() {
    let (_, api, other) = both().await;
    let lists = "{ scoringModels { id name preset } scoringTrainings(first: 100) { nodes { id } } }";
    let preset = api.data(lists, json!({})).await["scoringModels"][1]["id"].take();
    let input = json!({ "name": fresh::word("Isolated"), "copyOf": preset });
    let ours = done(&api, "scoringModelCreate", input.clone()).await["scoringModel"].take();
    let theirs = done(&other, "scoringModelCreate", input).await["scoringModel"].take();
    assert!(ours["name"] == theirs["name"] && ours["id"] != theirs["id"], "{ours} {theirs}");
    let training = json!({ "name": fresh::word("Isolated"), "outcomeAttribute": fresh::word("unknown") });
    let training = done(&api, "scoringModelTrain", training).await["training"]["id"].take();

    for (stranger, model) in [(&other, &ours["id"]), (&api, &theirs["id"])] {
        assert_eq!(stranger.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": model })).await, json!({ "node": null }));
        assert!(!stranger.data(lists, json!({})).await["scoringModels"].as_array().unwrap().iter().any(|listed| listed["id"] == *model));
        for (mutation, input) in [
            ("scoringModelUpdate", json!({ "id": model, "expectedVersion": 1, "name": "Stolen" })),
            ("scoringModelDelete", json!({ "id": model, "expectedVersion": 1 })),
            ("scoringModelActivate", json!({ "id": model })),
        ] {
            assert_eq!(refusal(stranger, mutation, input).await, "NOT_FOUND", "{mutation}");
        }
        let copy = json!({ "name": fresh::word("Stolen"), "copyOf": model });
        assert_eq!(refused(stranger, "scoringModelCreate", copy).await, error("copyOf", "NOT_FOUND"));
        let preview = "query($id: ID!) { scoringModelPreview(input: { of: { modelId: $id }, sample: 1 }) { moves { count } } }";
        assert_eq!(stranger.refusal(preview, json!({ "id": model })).await, "NOT_FOUND");
    }
    let seen = other.data("query($id: ID!) { scoringTraining(id: $id) { id } node(id: $id) { id } }", json!({ "id": training })).await;
    assert_eq!(seen, json!({ "scoringTraining": null, "node": null }));
    let listed = other.data(lists, json!({})).await["scoringTrainings"]["nodes"].take();
    assert!(!listed.as_array().unwrap().iter().any(|listed| listed["id"] == training), "{listed}");
    for (owner, model) in [(&api, &ours), (&other, &theirs)] {
        let deleted = done(owner, "scoringModelDelete", json!({ "id": model["id"], "expectedVersion": 1 })).await["scoringModel"].take();
        assert_eq!((&deleted["id"], &deleted["version"]), (&model["id"], &json!(2)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_of_a_tenant_are_in_no_list_or_count_of_another_and_made_anew_by_nobody_else() {
    let tenants = [Tenant::new().await, Tenant::new().await];
    let mut contacts = Vec::new();
    for tenant in &tenants {
        contacts.push(new_contact(&tenant.api, json!({})).await["id"].take());
    }
    let lists = "{ topContacts { nodes { id } } contacts(sort: SCORE) { nodes { id } } scoreDistribution { total } }";
    for (tenant, (own, foreign)) in tenants.iter().zip([(&contacts[0], &contacts[1]), (&contacts[1], &contacts[0])]) {
        let (api, nodes) = (&tenant.api, json!({ "nodes": [{ "id": own }] }));
        let all = json!({ "topContacts": nodes, "contacts": nodes, "scoreDistribution": { "total": 1 } });
        eventually("a tenant's lists have its own contact alone", LISTED, async || (api.data(lists, json!({})).await == all).then_some(())).await;
        assert_eq!(refusal(api, "scoreRecalculate", json!({ "contactId": foreign })).await, "NOT_FOUND");
        let preset = api.data("{ scoringModels { id } }", json!({})).await["scoringModels"][1]["id"].take();
        let preview =
            "query($of: ID!, $ids: [ID!]) { scoringModelPreview(input: { of: { modelId: $of }, contactIds: $ids }) { contacts { contact { id } } moves { count } } }";
        let tried = api.data(preview, json!({ "of": preset, "ids": [foreign, own] })).await["scoringModelPreview"].take();
        assert_eq!(tried, json!({ "contacts": [{ "contact": { "id": own } }], "moves": [{ "count": 1 }] }));
    }
}

#[tokio::test]
async fn every_query_and_mutation_there_is_has_its_test_of_isolation() {
    let (_, api) = Stack::as_admin().await;
    let schema = api.data("{ __schema { queryType { fields { name } } mutationType { fields { name } } } }", json!({})).await;
    let names = |kind: &str| schema["__schema"][kind]["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let mut all = [names("queryType"), names("mutationType")].concat();
    all.sort();
    // A new field of the API is named here together with a test above.
    let expected = [
        "agent",
        "agentCreate",
        "agentDelete",
        "agentRestore",
        "agentSchedule",
        "agentTimeline",
        "agentUpdate",
        "agents",
        "auditDiff",
        "auditEvents",
        // The query, and the mutation.
        "auditExport",
        "auditExport",
        "auditExportCancel",
        "auditExports",
        "auditGaps",
        // The key that seals the trail is one for all tenants.
        "auditPublicKey",
        "auditVerification",
        "availableAgents",
        "bulkJob",
        "bulkJobCancel",
        "bulkJobs",
        "contact",
        "contactAddNote",
        "contactAssign",
        "contactBulk",
        "contactByPhone",
        "contactCreate",
        "contactDelete",
        "contactDuplicates",
        "contactErase",
        "contactMerge",
        "contactRestore",
        "contactSetStatus",
        "contactStatusCreate",
        "contactStatusDelete",
        "contactStatusUpdate",
        "contactStatuses",
        "contactUnmerge",
        "contactUpdate",
        "contacts",
        "freeSlots",
        "import",
        "importCancel",
        "importCreate",
        "importDryRun",
        "importProfileDelete",
        "importProfiles",
        "importRevert",
        "importRows",
        "importSetMapping",
        "importStart",
        "imports",
        "node",
        "permissions",
        "presenceHeartbeat",
        "presenceUpdate",
        "recordRevert",
        "roleCreate",
        "roleDelete",
        "roleUpdate",
        "roles",
        "scheduleAddException",
        "scheduleAddWindow",
        "scheduleRemoveException",
        "scheduleRemoveWindow",
        "scheduleUpdateWindow",
        "scoreDistribution",
        "scoreRecalculate",
        "scoringModelActivate",
        "scoringModelCreate",
        "scoringModelDelete",
        "scoringModelPreview",
        "scoringModelTrain",
        "scoringModelUpdate",
        "scoringModels",
        "scoringTraining",
        "scoringTrainings",
        "suppression",
        "suppressionAdd",
        "suppressionList",
        "suppressionRemove",
        "team",
        "teamAddMember",
        "teamCreate",
        "teamDelete",
        "teamRemoveMember",
        "teamRestore",
        "teamUpdate",
        "teamUpdateMember",
        "teams",
        "tenantUpdate",
        "topContacts",
        "user",
        "userDisable",
        "userEnable",
        "userInvite",
        "userResendInvitation",
        "userResetPassword",
        "userSignOut",
        "userUpdate",
        "users",
        "viewer",
    ];
    assert_eq!(all, expected);
}
