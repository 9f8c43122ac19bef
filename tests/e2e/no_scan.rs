//! No request's cost grows with the table: no role may scan one, and no function does while every query there is is asked.
//!
//! The emulator tells which calls it got when it is asked to record them, as a trail on AWS would. Beside this the lints of the workspace refuse a
//! Scan in code.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::roles::{list, may, policies, roles};
use crate::stack::api::Api;
use crate::stack::contacts::{agent_of, contact, new_contact, status_id};
use crate::stack::drops::{csv, dropped};
use crate::stack::emulator::{record_calls, recorded_calls};
use crate::stack::exports;
use crate::stack::fresh;
use crate::stack::history::{caught_up, history};
use crate::stack::jobs::completed;
use crate::stack::mutations::{changed, done};
use crate::stack::tenant::address;
use crate::stack::{Stack, setting};

/// What reads a table without a key.
const SCANS: [&str; 2] = ["Scan", "PartiQLSelect"];

#[tokio::test(flavor = "multi_thread")]
async fn no_role_may_scan_a_table_or_select_from_one() {
    let stack = Stack::connect().await;
    let mut readable = Vec::new();
    for table in ["CORE_TABLE", "AUDIT_TABLE"] {
        let described = stack.dynamodb().describe_table().table_name(setting(table)).send().await.unwrap().table.unwrap();
        let table = described.table_arn.unwrap();
        let names = described.global_secondary_indexes.unwrap_or_default().into_iter().filter_map(|index| index.index_name);
        readable.extend(names.map(|name| format!("{table}/index/{name}")));
        readable.push(table);
    }
    assert_eq!(readable.len(), 7, "{readable:?}");
    let roles = roles(&stack).await;
    assert!(roles.len() >= 4, "{roles:?}");
    for (name, (role, arn)) in roles {
        for document in policies(&stack, &role).await.values() {
            let document: Value = serde_json::from_str(document).unwrap();
            for statement in document["Statement"].as_array().unwrap() {
                assert!(statement.get("NotAction").is_none(), "{name} is allowed all but some actions");
                for action in list(&statement["Action"]) {
                    let action = action.to_lowercase();
                    assert!(!action.contains('*') && SCANS.iter().all(|scan| action != format!("dynamodb:{scan}").to_lowercase()), "{name} may {action}");
                }
            }
        }
        for action in SCANS {
            for resource in &readable {
                assert!(!may(&stack, &arn, &format!("dynamodb:{action}"), resource).await, "{name} may {action} {resource}");
            }
        }
    }
}

/// Records of every kind, for the queries to be about.
struct Records {
    contact: Value,
    phones: [String; 2],
    import: Value,
    job: Value,
    export: Value,
    user: Value,
    agent: Value,
    team: Value,
    model: Value,
    training: Value,
    ids: Vec<Value>,
}

async fn records(stack: &Stack, api: &Api) -> Records {
    let (number, given_up) = (fresh::number(), fresh::number());
    let input = json!({ "phone": given_up.e164(), "name": "Walked", "email": format!("{}@example.com", fresh::word("walked")), "postalCode": "H3A 1B2" });
    let contact = new_contact(api, input).await["id"].take();
    let note = done(api, "contactAddNote", json!({ "id": contact, "body": "A note" })).await["note"]["id"].take();
    let suppression = done(api, "suppressionAdd", json!({ "phone": number.e164() })).await["suppression"]["id"].take();
    changed(api, "contactUpdate", json!({ "id": contact, "expectedVersion": 1, "phone": number.e164() })).await;
    let job = completed(api, json!({ "filter": { "search": "Walked" }, "action": "ASSIGN", "assigneeId": agent_of(api).await })).await["id"].take();
    let export = done(api, "auditExport", json!({ "format": "CSV", "entityId": contact })).await["auditExport"]["id"].take();
    let rows = [[fresh::number().dashed(), "Imported".to_owned()], ["1".to_owned(), "Failed".to_owned()]];
    let import = dropped(stack, api, "demo", &format!("{}.csv", fresh::word("walked")), csv("phone,name", &rows)).await.id().clone();
    caught_up(api).await;
    let event = history(api, &contact).await[0]["id"].clone();
    let viewer = api.data("{ viewer { user { id agent { id } roles { id } } } }", json!({})).await["viewer"]["user"].take();
    let team = done(api, "teamCreate", json!({ "name": fresh::word("Walked") })).await["team"]["id"].take();
    let staff = json!({ "name": fresh::word("Walked"), "email": address("walked"), "teamIds": [team] });
    let agent = done(api, "agentCreate", staff).await["agent"]["id"].take();
    done(api, "presenceUpdate", json!({ "status": "AVAILABLE" })).await;
    let window = json!({ "agentId": agent, "date": "2031-06-02", "startTime": "09:00", "endTime": "17:00", "recurrence": "DAILY" });
    done(api, "scheduleAddWindow", window).await;
    let preset = api.data("{ scoringModels { id } }", json!({})).await["scoringModels"][1]["id"].take();
    let model = done(api, "scoringModelCreate", json!({ "name": fresh::word("Walked"), "copyOf": preset })).await["scoringModel"]["id"].take();
    let training = json!({ "name": fresh::word("Walked"), "outcomeAttribute": fresh::word("unknown") });
    let training = done(api, "scoringModelTrain", training).await["training"]["id"].take();
    let (user, role) = (viewer["id"].clone(), viewer["roles"][0]["id"].clone());
    let ids = vec![
        contact.clone(),
        note,
        suppression,
        job.clone(),
        export.clone(),
        import.clone(),
        event,
        status_id(api, "new").await,
        agent.clone(),
        user.clone(),
        team.clone(),
        role,
        model.clone(),
        training.clone(),
    ];
    Records { contact, phones: [number.e164(), given_up.e164()], import, job, export, user, agent, team, model, training, ids }
}

/// Every query there is, by its name, with as much below it as there is to be read.
fn queries(records: &Records) -> Vec<(&'static str, Vec<String>)> {
    let Records { contact, phones, import, job, export, user, agent, team, model, training, ids } = records;
    let of_phones = |query: &str, fields: &str| phones.iter().map(|phone| format!("{query}(phone: \"{phone}\") {{ {fields} }}")).collect::<Vec<String>>();
    let filters = [
        "{}",
        "{ converted: true }",
        "{ assigned: false, source: \"referral\" }",
        "{ includeDeleted: true, createdFrom: \"2020-01-01T00:00:00Z\" }",
        "{ search: \"Walked\" }",
        "{ search: \"0123\" }",
        "{ categories: [HOT, COLD] }",
        "{ search: \"nobody@example.com\" }",
        "{ search: \"+15145550000\" }",
    ];
    let whole = "id phone attributes alternatePhones status { code } assignee { id } team { id } doNotCall mergedInto { id } createdBy { name }
        score { value reason modelVersion } scoreHistory(first: 5) { nodes { value reason } }
        notes(first: 5) { nodes { body author { name } } } auditEvents(first: 5) { nodes { id changes { field } } }";
    let lists = filters.iter().flat_map(|filter| {
        // Deleted contacts have no place in the other two orders.
        let sorts: &[&str] = if filter.contains("includeDeleted") { &["NEWEST", "OLDEST"] } else { &["NEWEST", "OLDEST", "SCORE", "PRIORITY"] };
        sorts.iter().map(move |sort| format!("contacts(first: 20, filter: {filter}, sort: {sort}) {{ nodes {{ id name phone }} }}"))
    });
    let of_import = format!("contacts(first: 100, filter: {{ importId: {import} }}) {{ nodes {{ id }} }}");
    let node = |id: &Value| format!("node(id: {id}) {{ id }}");
    let of_agent = "id name email employeeId timeZone user { id email roles { code } } teams { id name } memberships { role team { name } }
        presence { status callsToday } auditEvents(first: 5) { nodes { id changes { field } } }";
    let of_team = "id name memberCount members(first: 5) { nodes { role agent { name presence { status } } } } auditEvents(first: 5) { nodes { id } }";
    let range = "from: \"2031-06-02T00:00:00Z\", to: \"2031-06-09T00:00:00Z\"";
    let of_staff = ["", ", presence: [AVAILABLE]", ", presence: [OFFLINE], acceptingLeads: true", ", includeDeleted: true"];
    let agents = of_staff.iter().map(|filter| format!("agents(first: 20{filter}) {{ nodes {{ {of_agent} }} }}"));
    vec![
        ("viewer", vec!["viewer { permissions tenant { id } user { id roles { code } agent { id } } }".to_owned()]),
        ("contactStatuses", vec!["contactStatuses { id code version }".to_owned()]),
        ("contact", vec![format!("contact(id: {contact}) {{ {whole} asOf(time: \"2099-01-01T00:00:00Z\") }}")]),
        ("contactByPhone", of_phones("contactByPhone", whole)),
        ("contacts", lists.chain([of_import, format!("contacts(first: 3) {{ nodes {{ {whole} }} }}")]).collect()),
        (
            "contactDuplicates",
            vec![
                "contactDuplicates(first: 20) { nodes { reason contacts { id } } }".to_owned(),
                format!("contactDuplicates(contactId: {contact}) {{ nodes {{ reason }} }}"),
            ],
        ),
        (
            "import",
            vec![format!(
                "import(id: {import}) {{ id status mapping {{ column samples }} preview {{ columns }} errors(first: 5) {{ nodes {{ rowNumber }} }} errorsFileUrl
                    revert {{ removed keptRecords(first: 5) {{ nodes {{ reason }} }} }} auditEvents(first: 5) {{ nodes {{ id }} }} }}"
            )],
        ),
        (
            "imports",
            ["", ", status: [COMPLETED_WITH_ERRORS], kind: CONTACTS"].iter().map(|filter| format!("imports(first: 20{filter}) {{ nodes {{ id status }} }}")).collect(),
        ),
        ("importProfiles", vec!["importProfiles { id name kind columns { column field } auditEvents(first: 5) { nodes { id } } }".to_owned()]),
        ("topContacts", ["", ", category: COLD"].iter().map(|of| format!("topContacts(first: 20{of}) {{ nodes {{ id score {{ value reason }} }} }}")).collect()),
        ("scoreDistribution", vec!["scoreDistribution { total bands { from count } }".to_owned()]),
        ("scoringModels", vec!["scoringModels { id active factors { name } auditEvents(first: 5) { nodes { id } } }".to_owned()]),
        (
            "scoringModelPreview",
            ["sample: 20".to_owned(), format!("contactIds: [{contact}]")]
                .iter()
                .map(|on| format!("scoringModelPreview(input: {{ of: {{ modelId: {model} }}, {on} }}) {{ contacts {{ valueNow valueThen reasonThen }} }}"))
                .collect(),
        ),
        ("scoringTraining", vec![format!("scoringTraining(id: {training}) {{ id status model {{ id }} }}")]),
        ("scoringTrainings", vec!["scoringTrainings(first: 20) { nodes { id status } }".to_owned()]),
        ("suppression", of_phones("suppression", "id reason")),
        ("suppressionList", vec!["suppressionList(first: 20) { nodes { id reason } }".to_owned()]),
        ("bulkJob", vec![format!("bulkJob(id: {job}) {{ id status outcomes(first: 20) {{ nodes {{ contactId outcome }} }} }}")]),
        ("bulkJobs", vec!["bulkJobs(first: 20) { nodes { id status } }".to_owned()]),
        ("node", ids.iter().map(node).collect()),
        ("user", vec![format!("user(id: {user}) {{ id email roles {{ code }} agent {{ id name }} createdBy {{ name }} }}")]),
        ("users", vec!["users(first: 20) { nodes { id email roles { code } agent { id } } }".to_owned()]),
        ("roles", vec!["roles { id code permissions }".to_owned()]),
        ("permissions", vec!["permissions { name description }".to_owned()]),
        ("agent", vec![format!("agent(id: {agent}) {{ {of_agent} }}")]),
        ("agents", agents.chain([format!("agents(first: 20, teamId: {team}) {{ nodes {{ id }} }}")]).collect()),
        ("team", vec![format!("team(id: {team}) {{ {of_team} }}")]),
        ("teams", ["", ", includeDeleted: true"].iter().map(|filter| format!("teams(first: 20{filter}) {{ nodes {{ {of_team} }} }}")).collect()),
        ("availableAgents", ["".to_owned(), format!("(teamId: {team})")].iter().map(|of| format!("availableAgents{of} {{ id name }}")).collect()),
        ("agentTimeline", vec![format!("agentTimeline(agentId: {agent}, date: \"2031-06-02\") {{ calls totals {{ seconds }} segments {{ from }} }}")]),
        ("agentSchedule", vec![format!("agentSchedule(agentId: {agent}, {range}) {{ version windows {{ id }} availability {{ startsAt }} }}")]),
        (
            "auditEvents",
            [
                "first: 20".to_owned(),
                format!("first: 20, entityId: {contact}"),
                format!("first: 20, entityType: \"presence\", entityId: {agent}"),
                format!("first: 20, actorId: {user}"),
                "first: 20, actorId: \"system\", action: \"contact.merged\"".to_owned(),
                format!("first: 20, importId: {import}"),
                "first: 20, minimumSeverity: CRITICAL, from: \"2020-01-01T00:00:00Z\"".to_owned(),
            ]
            .iter()
            .map(|of| format!("auditEvents({of}) {{ nodes {{ id actor {{ name }} changes {{ field oldLabel newLabel }} rows(first: 5) {{ nodes {{ id }} }} }} }}"))
            .collect(),
        ),
        ("auditDiff", vec![format!("auditDiff(entityId: {contact}, fromVersion: 0, toVersion: 1) {{ field newValue newLabel }}")]),
        (
            "auditGaps",
            [
                "active_scoring_model",
                "agent",
                "contact",
                "contact_status",
                "import_profile",
                "note",
                "presence",
                "role",
                "schedule",
                "scoring_model",
                "suppression",
                "team",
                "tenant",
                "user",
            ]
            .iter()
            .map(|kind| format!("auditGaps(entityType: \"{kind}\") {{ nodes {{ entityId version }} }}"))
            .chain([format!("auditGaps(entityType: \"contact\", entityId: {contact}) {{ nodes {{ version }} }}")])
            .collect(),
        ),
        ("auditVerification", vec![format!("auditVerification(entityId: {contact}) {{ ok firstProblem }}")]),
        ("auditPublicKey", vec!["auditPublicKey { keyId algorithm pem }".to_owned()]),
        ("auditExport", vec![format!("auditExport(id: {export}) {{ id status events auditEvents(first: 5) {{ nodes {{ id }} }} }}")]),
        ("auditExports", vec!["auditExports(first: 20) { nodes { id status } }".to_owned()]),
        (
            "freeSlots",
            [format!("agentId: {agent}"), format!("teamId: {team}")]
                .iter()
                .map(|of| format!("freeSlots({of}, {range}, durationMinutes: 60) {{ startsAt agent {{ name }} }}"))
                .collect(),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_scans_while_every_query_is_asked() {
    let (stack, api) = Stack::as_admin().await;
    let records = records(&stack, &api).await;
    let queries = queries(&records);
    let schema = api.data("{ __schema { queryType { fields { name } } } }", json!({})).await;
    let there_are: BTreeSet<&str> = schema["__schema"]["queryType"]["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(queries.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), there_are, "every query is asked");

    record_calls(&stack, true).await;
    let mut refused = Vec::new();
    for query in queries.iter().flat_map(|(_, queries)| queries) {
        let answer = api.ask(&format!("{{ {query} }}"), json!({})).await;
        if !answer.body["errors"].is_null() {
            refused.push(format!("{query}: {}", answer.body));
        }
    }
    // A job walks a list too, and what changes is indexed and scored anew.
    done(&api, "scoreRecalculate", json!({ "contactId": records.contact })).await;
    completed(&api, json!({ "filter": { "search": "Walked" }, "action": "RESCORE" })).await;
    completed(&api, json!({ "filter": { "source": "nowhere" }, "action": "UNASSIGN" })).await;
    completed(&api, json!({ "filter": { "search": "Walked" }, "action": "EXPORT" })).await;
    for about in [json!({}), json!({ "entityId": records.contact })] {
        let mut input = about;
        input["format"] = json!("JSON_LINES");
        let asked = done(&api, "auditExport", input).await["auditExport"]["id"].take();
        assert_eq!(exports::ended(&api, &asked).await["status"], "COMPLETED");
    }
    let version = contact(&api, &records.contact).await["version"].take();
    changed(&api, "contactUpdate", json!({ "id": records.contact, "expectedVersion": version, "name": "Walked again" })).await;
    caught_up(&api).await;
    done(&api, "scoringModelDelete", json!({ "id": records.model, "expectedVersion": 1 })).await;
    let mut keys = BTreeSet::new();
    for name in ["Query", "GetItem", "BatchGetItem", "UpdateItem", "TransactWriteItems"] {
        keys.extend(recorded_calls(&stack, name, None).await.iter().filter_map(|call| call["AccessKeyId"].as_str().map(str::to_owned)));
    }
    // Tests look at tables with the account's own key.
    keys.remove(&setting("AWS_ACCESS_KEY_ID"));
    let mut scans = Vec::new();
    for key in &keys {
        for name in ["Scan", "ExecuteStatement", "ExecuteTransaction", "BatchExecuteStatement"] {
            for call in recorded_calls(&stack, name, Some(key)).await {
                let event = call["CloudTrailEvent"].as_str().unwrap();
                if name == "Scan" || event.to_uppercase().contains("\"SELECT ") {
                    scans.push(event.chars().take(500).collect::<String>());
                }
            }
        }
    }
    record_calls(&stack, false).await;
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(keys.len() >= 2, "functions were seen to ask: {keys:?}");
    assert!(scans.is_empty(), "{scans:#?}");
}
