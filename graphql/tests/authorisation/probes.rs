//! What is asked of each operation: as little as it needs, so that the answer says who may ask, and for which record.
//!
//! Nothing here gets as far as a service that isn't there when it can be avoided: who may disable a user is told that the version is stale. Words in
//! angle brackets are filled in: `<id>` is the id of the record, the others are in `kinds.rs` and `stage.rs`.

use serde_json::{Value, json};

use crate::kinds::Kind;

/// How it is asked.
pub(crate) enum Ask {
    /// By a field of the queries.
    Query(&'static str),
    /// By a list in which the record stands or doesn't.
    List(&'static str),
    /// By a mutation, with this input.
    Change(Value),
}

/// One way to ask one operation about one kind of record.
pub(crate) struct Probe {
    /// The query or the mutation; `Type.field` for a field of another type.
    pub(crate) operation: &'static str,
    /// The kind of record.
    pub(crate) kind: Kind,
    /// What the record is to the operation, when it isn't simply the one that is asked for.
    pub(crate) part: &'static str,
    /// How it is asked.
    pub(crate) ask: Ask,
}

impl Probe {
    /// What the record is, in words.
    pub(crate) fn record(&self) -> String {
        match (self.kind, self.part) {
            (kind, "") => kind.as_str().to_owned(),
            (Kind::Nothing, part) => part.to_owned(),
            (kind, part) => format!("{} {part}", kind.as_str()),
        }
    }

    /// The field of the root that is asked, and the field of that when it is the one in question.
    pub(crate) fn fields(&self) -> (String, Option<&'static str>) {
        match self.operation.split_once('.') {
            None => (self.operation.to_owned(), None),
            Some((parent, field)) => (format!("{}{}", parent[..1].to_lowercase(), &parent[1..]), Some(field)),
        }
    }

    /// Whether the answer is about the named record and about nothing else.
    pub(crate) fn names_its_record(&self) -> bool {
        match self.ask {
            Ask::List(text) => text.contains('<'),
            Ask::Query(_) | Ask::Change(_) => true,
        }
    }
}

fn query(operation: &'static str, kind: Kind, text: &'static str) -> Probe {
    Probe { operation, kind, part: "", ask: Ask::Query(text) }
}

fn list(operation: &'static str, kind: Kind, part: &'static str, text: &'static str) -> Probe {
    Probe { operation, kind, part, ask: Ask::List(text) }
}

fn change(operation: &'static str, kind: Kind, input: Value) -> Probe {
    with(operation, kind, "", input)
}

fn with(operation: &'static str, kind: Kind, part: &'static str, input: Value) -> Probe {
    Probe { operation, kind, part, ask: Ask::Change(input) }
}

/// Everything that is asked, in the order of the table.
pub(crate) fn probes() -> Vec<Probe> {
    [
        by_id(),
        staff_queries(),
        contact_queries(),
        audit_queries(),
        user_mutations(),
        agent_mutations(),
        hour_mutations(),
        contact_mutations(),
        tenant_mutations(),
        import_mutations(),
        reversions(),
        audit_mutations(),
        fields(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Anything by its id.
fn by_id() -> Vec<Probe> {
    let kinds = [
        Kind::Contact,
        Kind::Note,
        Kind::User,
        Kind::Agent,
        Kind::Team,
        Kind::Role,
        Kind::Status,
        Kind::Suppression,
        Kind::ImportProfile,
        Kind::Import,
        Kind::BulkJob,
        Kind::AuditExport,
        Kind::ScoringModel,
        Kind::ScoringTraining,
        Kind::Organisation,
        Kind::ContactEvent,
        Kind::AgentEvent,
        Kind::TeamEvent,
    ];
    kinds.into_iter().map(|kind| query("node", kind, "node(id: <id>) { id }")).collect()
}

fn staff_queries() -> Vec<Probe> {
    vec![
        query("viewer", Kind::Nothing, "viewer { user { id } tenant { id } permissions }"),
        query("user", Kind::User, "user(id: <id>) { id name email roles { id } }"),
        list("users", Kind::User, "", "users(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        list("roles", Kind::Role, "", "roles { id permissions }"),
        query("permissions", Kind::Nothing, "permissions { name }"),
        query("agent", Kind::Agent, "agent(id: <id>) { id name email memberships { role } }"),
        query("agent", Kind::DeletedAgent, "agent(id: <id>) { id name email }"),
        list("agents", Kind::Agent, "", "agents(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        list("agents", Kind::DeletedAgent, "", "agents(first: 100, after: $after, includeDeleted: true) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        list("agents", Kind::TeamAtWork, "as teamId", "agents(teamId: <id>) { nodes { id } }"),
        query("team", Kind::Team, "team(id: <id>) { id name memberCount }"),
        query("team", Kind::DeletedTeam, "team(id: <id>) { id name }"),
        list("teams", Kind::Team, "", "teams(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        list("teams", Kind::DeletedTeam, "", "teams(first: 100, after: $after, includeDeleted: true) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        list("availableAgents", Kind::AvailableAgent, "", "availableAgents { id }"),
        list("availableAgents", Kind::TeamAtWork, "as teamId", "availableAgents(teamId: <id>) { id }"),
        query("agentTimeline", Kind::Agent, "agentTimeline(agentId: <id>, date: \"2026-11-21\") { calls }"),
        query("agentSchedule", Kind::Agent, "agentSchedule(agentId: <id>, from: \"2031-06-02T00:00:00Z\", to: \"2031-06-03T00:00:00Z\") { version }"),
        list(
            "freeSlots",
            Kind::BookableAgent,
            "as agentId",
            "freeSlots(agentId: <id>, from: \"2031-06-02T00:00:00Z\", to: \"2031-06-03T00:00:00Z\", durationMinutes: 60) { agent { id } }",
        ),
        list(
            "freeSlots",
            Kind::TeamAtWork,
            "as teamId",
            "freeSlots(teamId: <id>, from: \"2031-06-02T00:00:00Z\", to: \"2031-06-03T00:00:00Z\", durationMinutes: 60) { agent { id } }",
        ),
    ]
}

fn contact_queries() -> Vec<Probe> {
    vec![
        query("contact", Kind::Contact, "contact(id: <id>) { id name phone }"),
        query("contact", Kind::DeletedContact, "contact(id: <id>) { id name phone }"),
        query("contactByPhone", Kind::Contact, "contactByPhone(phone: <phone>) { id name }"),
        list("contacts", Kind::Contact, "", "contacts(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        list("contacts", Kind::Contact, "by its source", "contacts(filter: { source: <source> }) { nodes { id } }"),
        list("contacts", Kind::AgentWithContact, "as assigneeIds", "contacts(filter: { assigneeIds: [<id>] }) { nodes { id } }"),
        list("topContacts", Kind::Contact, "", "topContacts(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        query("scoreDistribution", Kind::Nothing, "scoreDistribution { total }"),
        query("contactDuplicates", Kind::Nothing, "contactDuplicates { nodes { reason } }"),
        query("contactDuplicates", Kind::Contact, "contactDuplicates(contactId: <id>) { nodes { reason } }"),
        list("contactStatuses", Kind::Status, "", "contactStatuses { id }"),
        list("scoringModels", Kind::ScoringModel, "", "scoringModels { id name }"),
        query("scoringModelPreview", Kind::ScoringModel, "scoringModelPreview(input: { of: { modelId: <id> }, contactIds: [] }) { moves { count } }"),
        query("scoringTraining", Kind::ScoringTraining, "scoringTraining(id: <id>) { id status }"),
        list("scoringTrainings", Kind::ScoringTraining, "", "scoringTrainings(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        query("suppression", Kind::Suppression, "suppression(phone: <phone>) { id }"),
        list("suppressionList", Kind::Suppression, "", "suppressionList(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        query("import", Kind::Import, "import(id: <id>) { id fileName }"),
        list("imports", Kind::Import, "", "imports(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        list("imports", Kind::WaitingImport, "by its status", "imports(first: 100, after: $after, status: [READY]) { nodes { id } pageInfo { hasNextPage endCursor } }"),
        list("importProfiles", Kind::ImportProfile, "", "importProfiles { id }"),
        query("bulkJob", Kind::BulkJob, "bulkJob(id: <id>) { id action }"),
        list("bulkJobs", Kind::BulkJob, "", "bulkJobs(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
    ]
}

fn audit_queries() -> Vec<Probe> {
    vec![
        query("auditEvents", Kind::Nothing, "auditEvents { nodes { id } }"),
        list("auditEvents", Kind::ContactEvent, "by its record", "auditEvents(entityId: <contact>) { nodes { id } }"),
        query("auditDiff", Kind::Contact, "auditDiff(entityId: <id>, fromVersion: 0, toVersion: 1) { field newValue }"),
        query("auditGaps", Kind::Nothing, "auditGaps(entityType: \"team\") { nodes { version } }"),
        query("auditGaps", Kind::Contact, "auditGaps(entityType: \"contact\", entityId: <id>) { nodes { version } }"),
        query("auditVerification", Kind::Nothing, "auditVerification { ok }"),
        query("auditVerification", Kind::ContactEvent, "auditVerification(entityId: <contact>) { ok }"),
        query("auditPublicKey", Kind::Nothing, "auditPublicKey { pem }"),
        query("auditExport", Kind::AuditExport, "auditExport(id: <id>) { id format }"),
        list("auditExports", Kind::AuditExport, "", "auditExports(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }"),
    ]
}

fn user_mutations() -> Vec<Probe> {
    vec![
        change("userInvite", Kind::Nothing, json!({ "email": "nobody", "name": "x" })),
        with("userInvite", Kind::Role, "as roleIds", json!({ "email": "<new address>", "name": "", "roleIds": ["<id>"] })),
        change("userUpdate", Kind::User, json!({ "id": "<id>", "expectedVersion": 1, "name": "<new name>" })),
        with("userUpdate", Kind::User, "with roleIds", json!({ "id": "<id>", "expectedVersion": 1, "roleIds": ["<telephonist>"] })),
        with("userUpdate", Kind::User, "with permissions", json!({ "id": "<id>", "expectedVersion": 1, "permissions": ["contact:read:OWN"] })),
        with("userUpdate", Kind::Role, "as roleIds", json!({ "id": "<new user>", "expectedVersion": 1, "roleIds": ["<id>"] })),
        change("userResendInvitation", Kind::User, json!({ "id": "<id>" })),
        change("userDisable", Kind::User, json!({ "id": "<id>", "expectedVersion": 99, "reason": "x" })),
        with("userDisable", Kind::Agent, "as assigneeId", json!({ "id": "<new user>", "expectedVersion": 1, "reason": "x", "assigneeId": "<id>" })),
        with("userDisable", Kind::Team, "as teamId", json!({ "id": "<new user>", "expectedVersion": 1, "reason": "x", "teamId": "<id>" })),
        change("userEnable", Kind::User, json!({ "id": "<id>", "expectedVersion": 99 })),
        change("userResetPassword", Kind::InvitedUser, json!({ "id": "<id>" })),
        with("userSignOut", Kind::Nothing, "without id", json!({})),
        change("userSignOut", Kind::User, json!({ "id": "<id>" })),
        change("roleCreate", Kind::Nothing, json!({ "name": "<new name>", "permissions": ["contact:read:OWN"] })),
        change("roleUpdate", Kind::Role, json!({ "id": "<id>", "expectedVersion": 1, "name": "<new name>" })),
        change("roleDelete", Kind::Role, json!({ "id": "<id>", "expectedVersion": 1 })),
    ]
}

fn agent_mutations() -> Vec<Probe> {
    vec![
        change("agentCreate", Kind::Nothing, json!({ "email": "nobody", "name": "x" })),
        with("agentCreate", Kind::UserWithoutAgent, "as userId", json!({ "userId": "<id>" })),
        with("agentCreate", Kind::Team, "as teamIds", json!({ "userId": "<user without agent>", "teamIds": ["<id>"] })),
        with("agentCreate", Kind::Role, "as roles", json!({ "email": "<new address>", "name": "", "roles": ["<id>"] })),
        change("agentUpdate", Kind::Agent, json!({ "id": "<id>", "expectedVersion": 1, "name": "<new name>" })),
        change("agentDelete", Kind::Agent, json!({ "id": "<id>", "expectedVersion": 99 })),
        with("agentDelete", Kind::Agent, "as assigneeId", json!({ "id": "<new agent>", "expectedVersion": 1, "assigneeId": "<id>" })),
        with("agentDelete", Kind::Team, "as teamId", json!({ "id": "<new agent>", "expectedVersion": 1, "teamId": "<id>" })),
        change("agentRestore", Kind::DeletedAgent, json!({ "id": "<id>" })),
        change("teamCreate", Kind::Nothing, json!({ "name": "<new name>" })),
        change("teamUpdate", Kind::Team, json!({ "id": "<id>", "expectedVersion": 1, "name": "<new name>" })),
        change("teamDelete", Kind::Team, json!({ "id": "<id>", "expectedVersion": 99 })),
        change("teamRestore", Kind::DeletedTeam, json!({ "id": "<id>" })),
        change("teamAddMember", Kind::Team, json!({ "teamId": "<id>", "agentId": "<loner>" })),
        with("teamAddMember", Kind::Agent, "as agentId", json!({ "teamId": "<own team>", "agentId": "<id>" })),
        change("teamUpdateMember", Kind::Team, json!({ "teamId": "<id>", "agentId": "<member>", "role": "TEAM_LEAD" })),
        with("teamUpdateMember", Kind::Agent, "as agentId", json!({ "teamId": "<own team>", "agentId": "<id>", "role": "TEAM_LEAD" })),
        change("teamRemoveMember", Kind::Team, json!({ "teamId": "<id>", "agentId": "<member>" })),
        with("teamRemoveMember", Kind::Agent, "as agentId", json!({ "teamId": "<own team>", "agentId": "<id>" })),
    ]
}

/// A window, beside what is given.
fn window(more: Value) -> Value {
    let mut input = json!({ "date": "2031-06-03", "startTime": "09:00", "endTime": "17:00" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

/// Presence and schedules.
fn hour_mutations() -> Vec<Probe> {
    vec![
        with("presenceUpdate", Kind::Nothing, "without agentId", json!({ "status": "AVAILABLE" })),
        change("presenceUpdate", Kind::Agent, json!({ "agentId": "<id>", "status": "BUSY", "reason": "x" })),
        change("presenceHeartbeat", Kind::Nothing, json!({ "deviceId": "desk", "onCall": false })),
        with("scheduleAddWindow", Kind::Nothing, "without agentId", window(json!({}))),
        change("scheduleAddWindow", Kind::Agent, window(json!({ "agentId": "<id>" }))),
        change("scheduleUpdateWindow", Kind::Window, window(json!({ "agentId": "<agent>", "windowId": "<id>" }))),
        with("scheduleUpdateWindow", Kind::Window, "as windowId", window(json!({ "windowId": "<id>" }))),
        change("scheduleRemoveWindow", Kind::Window, json!({ "agentId": "<agent>", "windowId": "<id>" })),
        with("scheduleRemoveWindow", Kind::Window, "as windowId", json!({ "windowId": "<id>" })),
        with("scheduleAddException", Kind::Nothing, "without agentId", json!({ "date": "2031-07-02", "kind": "AWAY" })),
        change("scheduleAddException", Kind::Agent, json!({ "agentId": "<id>", "date": "2031-07-02", "kind": "AWAY" })),
        change("scheduleRemoveException", Kind::Exception, json!({ "agentId": "<agent>", "exceptionId": "<id>" })),
        with("scheduleRemoveException", Kind::Exception, "as exceptionId", json!({ "exceptionId": "<id>" })),
    ]
}

fn contact_mutations() -> Vec<Probe> {
    vec![
        change("contactCreate", Kind::Nothing, json!({ "phone": "<new phone>" })),
        with("contactCreate", Kind::Agent, "as assigneeId", json!({ "phone": "<new phone>", "assigneeId": "<id>" })),
        with("contactCreate", Kind::Team, "as teamId", json!({ "phone": "<new phone>", "teamId": "<id>" })),
        with("contactCreate", Kind::Status, "as statusId", json!({ "phone": "<new phone>", "statusId": "<id>" })),
        change("contactUpdate", Kind::Contact, json!({ "id": "<id>", "expectedVersion": 1, "name": "Changed" })),
        with("contactUpdate", Kind::Contact, "with assigneeId", json!({ "id": "<id>", "expectedVersion": 1, "assigneeId": null })),
        with("contactUpdate", Kind::Contact, "with statusId", json!({ "id": "<id>", "expectedVersion": 1, "statusId": "<attempted>" })),
        with("contactUpdate", Kind::Agent, "as assigneeId", json!({ "id": "<own contact>", "expectedVersion": 1, "assigneeId": "<id>" })),
        with("contactUpdate", Kind::Team, "as teamId", json!({ "id": "<own contact>", "expectedVersion": 1, "teamId": "<id>" })),
        with("contactUpdate", Kind::Status, "as statusId", json!({ "id": "<own contact>", "expectedVersion": 1, "statusId": "<id>" })),
        change("contactSetStatus", Kind::Contact, json!({ "id": "<id>", "statusId": "<attempted>", "note": "x" })),
        with("contactSetStatus", Kind::Status, "as statusId", json!({ "id": "<own contact>", "statusId": "<id>" })),
        change("contactAddNote", Kind::Contact, json!({ "id": "<id>", "body": "x" })),
        change("contactAssign", Kind::Contact, json!({ "ids": ["<id>"] })),
        with("contactAssign", Kind::Agent, "as assigneeId", json!({ "ids": ["<own contact>"], "assigneeId": "<id>" })),
        with("contactAssign", Kind::Team, "as teamId", json!({ "ids": ["<own contact>"], "teamId": "<id>" })),
        change("contactDelete", Kind::Contact, json!({ "id": "<id>", "expectedVersion": 1 })),
        change("contactRestore", Kind::DeletedContact, json!({ "id": "<id>" })),
        change("contactErase", Kind::Contact, json!({ "id": "<id>", "reason": "x" })),
        with("contactMerge", Kind::Contact, "as winnerId", json!({ "winnerId": "<id>", "loserId": "<own contact>" })),
        with("contactMerge", Kind::Contact, "as loserId", json!({ "winnerId": "<own contact>", "loserId": "<id>" })),
        change("scoreRecalculate", Kind::Contact, json!({ "contactId": "<id>" })),
        change("contactUnmerge", Kind::MergedContact, json!({ "loserId": "<id>" })),
        // An argument that the action has no use for, so that no job is asked for.
        with("contactBulk", Kind::Nothing, "ASSIGN", json!({ "action": "ASSIGN", "assigneeId": "<own agent>", "statusId": "x" })),
        with("contactBulk", Kind::Nothing, "MOVE", json!({ "action": "MOVE", "fromAssigneeId": "x", "assigneeId": "<own agent>", "statusId": "x" })),
        with("contactBulk", Kind::Nothing, "UNASSIGN", json!({ "action": "UNASSIGN", "statusId": "x" })),
        with("contactBulk", Kind::Nothing, "SET_STATUS", json!({ "action": "SET_STATUS", "statusId": "<attempted>", "teamId": "x" })),
        with("contactBulk", Kind::Nothing, "DELETE", json!({ "action": "DELETE", "statusId": "x" })),
        with("contactBulk", Kind::Nothing, "EXPORT", json!({ "action": "EXPORT", "statusId": "x" })),
        // A filter that leaves none of the contacts, likewise.
        with(
            "contactBulk",
            Kind::Agent,
            "as assigneeId",
            json!({ "action": "MOVE", "filter": { "assigneeIds": ["<loner>"] }, "fromAssigneeId": "<outsider>", "assigneeId": "<id>" }),
        ),
        with(
            "contactBulk",
            Kind::Team,
            "as teamId",
            json!({ "action": "MOVE", "filter": { "assigneeIds": ["<loner>"] }, "fromAssigneeId": "<outsider>", "teamId": "<id>" }),
        ),
        with(
            "contactBulk",
            Kind::Agent,
            "as fromAssigneeId",
            json!({ "action": "MOVE", "filter": { "assigneeIds": ["<loner>"] }, "fromAssigneeId": "<id>", "assigneeId": "<colleague>" }),
        ),
        with("contactBulk", Kind::Status, "as statusId", json!({ "action": "SET_STATUS", "filter": { "source": "nowhere" }, "statusId": "<id>" })),
        change("bulkJobCancel", Kind::BulkJob, json!({ "id": "<id>" })),
        with("bulkJobCancel", Kind::Export, "", json!({ "id": "<id>" })),
    ]
}

fn tenant_mutations() -> Vec<Probe> {
    vec![
        change("contactStatusCreate", Kind::Nothing, json!({ "name": "<new name>", "color": "#123456", "order": 500 })),
        change("contactStatusUpdate", Kind::Status, json!({ "id": "<id>", "expectedVersion": 1, "name": "<new name>" })),
        change("contactStatusDelete", Kind::Status, json!({ "id": "<id>", "expectedVersion": 1 })),
        // Models without factors, an attribute that no contact can have, and a version that there isn't, so that nothing is done.
        change("scoringModelCreate", Kind::Nothing, json!({ "name": "x", "factors": [] })),
        with("scoringModelCreate", Kind::ScoringModel, "as copyOf", json!({ "name": "", "copyOf": "<id>" })),
        change("scoringModelUpdate", Kind::ScoringModel, json!({ "id": "<id>", "expectedVersion": 99, "name": "x" })),
        change("scoringModelDelete", Kind::ScoringModel, json!({ "id": "<id>", "expectedVersion": 99 })),
        change("scoringModelActivate", Kind::ScoringModel, json!({ "id": "<id>", "expectedVersion": 99 })),
        change("scoringModelTrain", Kind::Nothing, json!({ "name": "" })),
        change("suppressionAdd", Kind::Nothing, json!({ "phone": "<new phone>" })),
        change("suppressionRemove", Kind::Suppression, json!({ "id": "<id>", "reason": "x" })),
        with("suppressionRemove", Kind::Suppression, "by its number", json!({ "phone": "<phone>", "reason": "x" })),
        change("tenantUpdate", Kind::Nothing, json!({ "expectedVersion": 99, "name": "x" })),
    ]
}

/// Imports that can't go where they are asked to, files without a name, and no rows, so that nothing is done.
fn import_mutations() -> Vec<Probe> {
    let file = |kind: &str| json!({ "kind": kind, "fileName": "", "fileBytes": 1 });
    let rows = |kind: &str| json!({ "kind": kind, "sourcePlatform": "x", "rows": [] });
    vec![
        with("importCreate", Kind::Nothing, "CONTACTS", file("CONTACTS")),
        with("importCreate", Kind::Nothing, "AGENTS", file("AGENTS")),
        with("importCreate", Kind::Nothing, "SUPPRESSIONS", file("SUPPRESSIONS")),
        with("importRows", Kind::Nothing, "CONTACTS", rows("CONTACTS")),
        with("importRows", Kind::Nothing, "AGENTS", rows("AGENTS")),
        with("importRows", Kind::Nothing, "SUPPRESSIONS", rows("SUPPRESSIONS")),
        change("importSetMapping", Kind::WaitingImport, json!({ "id": "<id>", "columns": [{ "column": "no such column" }] })),
        change("importDryRun", Kind::Import, json!({ "id": "<id>" })),
        change("importStart", Kind::Import, json!({ "id": "<id>" })),
        change("importCancel", Kind::Import, json!({ "id": "<id>" })),
        change("importRevert", Kind::Import, json!({ "id": "<id>" })),
        change("importProfileDelete", Kind::ImportProfile, json!({ "name": "<name>" })),
    ]
}

/// Records of all kinds brought back to the version they are at, so that nothing is done and no trail is needed.
fn reversions() -> Vec<Probe> {
    let kinds = [
        (Kind::Contact, 1),
        (Kind::DeletedContact, 2),
        (Kind::Note, 1),
        (Kind::User, 1),
        (Kind::Agent, 1),
        (Kind::DeletedAgent, 1),
        (Kind::Team, 1),
        (Kind::DeletedTeam, 1),
        (Kind::Role, 1),
        (Kind::Status, 1),
        (Kind::Suppression, 1),
        (Kind::Organisation, 1),
    ];
    kinds.into_iter().map(|(kind, version)| change("recordRevert", kind, json!({ "id": "<id>", "toVersion": version, "expectedVersion": version }))).collect()
}

fn audit_mutations() -> Vec<Probe> {
    vec![
        // An action that is none, so that no export is asked for.
        change("auditExport", Kind::Nothing, json!({ "format": "CSV", "action": "x" })),
        change("auditExportCancel", Kind::AuditExport, json!({ "id": "<id>" })),
    ]
}

/// Fields of other types that need a permission of their own.
fn fields() -> Vec<Probe> {
    vec![
        query("Contact.auditEvents", Kind::Contact, "contact(id: <id>) { auditEvents { nodes { id } } }"),
        query("Contact.asOf", Kind::ContactEvent, "contact(id: <contact>) { asOf(time: \"2026-12-01T00:00:00Z\") }"),
        query("Agent.presence", Kind::Agent, "agent(id: <id>) { presence { status } }"),
        query("Agent.auditEvents", Kind::Agent, "agent(id: <id>) { auditEvents { nodes { id } } }"),
        query("Team.members", Kind::Team, "team(id: <id>) { members { nodes { role } } }"),
        query("Team.auditEvents", Kind::Team, "team(id: <id>) { auditEvents { nodes { id } } }"),
        query("Import.mapping", Kind::Import, "import(id: <id>) { mapping { column } }"),
        query("Import.preview", Kind::WaitingImport, "import(id: <id>) { preview { columns } }"),
        query("Import.errors", Kind::Import, "import(id: <id>) { errors { nodes { message } } }"),
        query("Import.errorsFileUrl", Kind::Import, "import(id: <id>) { errorsFileUrl }"),
        query("ImportRevertSummary.keptRecords", Kind::Import, "importRevertSummary: import(id: <id>) { keptRecords: revert { keptRecords { nodes { reason } } } }"),
        query("BulkJob.outcomes", Kind::Export, "bulkJob(id: <id>) { outcomes { nodes { message } } }"),
        query("BulkJob.fileUrl", Kind::Export, "bulkJob(id: <id>) { fileUrl }"),
        query("Note.auditEvents", Kind::Note, "note: node(id: <id>) { ... on Note { auditEvents { nodes { id } } } }"),
        query("Note.asOf", Kind::Note, "note: node(id: <id>) { ... on Note { asOf(time: \"2026-12-01T00:00:00Z\") } }"),
        query("ContactStatus.auditEvents", Kind::Status, "contactStatus: node(id: <id>) { ... on ContactStatus { auditEvents { nodes { id } } } }"),
        query("ContactStatus.asOf", Kind::Status, "contactStatus: node(id: <id>) { ... on ContactStatus { asOf(time: \"2026-12-01T00:00:00Z\") } }"),
        query("Suppression.auditEvents", Kind::Suppression, "suppression: node(id: <id>) { ... on Suppression { auditEvents { nodes { id } } } }"),
        query("Suppression.asOf", Kind::Suppression, "suppression: node(id: <id>) { ... on Suppression { asOf(time: \"2026-12-01T00:00:00Z\") } }"),
        query("User.auditEvents", Kind::User, "user(id: <id>) { auditEvents { nodes { id } } }"),
        query("User.asOf", Kind::User, "user(id: <id>) { asOf(time: \"2026-12-01T00:00:00Z\") }"),
        query("Agent.asOf", Kind::Agent, "agent(id: <id>) { asOf(time: \"2026-12-01T00:00:00Z\") }"),
        query("Team.asOf", Kind::Team, "team(id: <id>) { asOf(time: \"2026-12-01T00:00:00Z\") }"),
        query("Role.auditEvents", Kind::Role, "role: node(id: <id>) { ... on Role { auditEvents { nodes { id } } } }"),
        query("Role.asOf", Kind::Role, "role: node(id: <id>) { ... on Role { asOf(time: \"2026-12-01T00:00:00Z\") } }"),
        query("Tenant.auditEvents", Kind::Nothing, "tenant: viewer { auditEvents: tenant { auditEvents { nodes { id } } } }"),
        query("Tenant.asOf", Kind::Nothing, "tenant: viewer { asOf: tenant { asOf(time: \"2026-12-01T00:00:00Z\") } }"),
        query("Import.auditEvents", Kind::Import, "import(id: <id>) { auditEvents { nodes { id } } }"),
        query("ImportProfile.auditEvents", Kind::ImportProfile, "importProfile: node(id: <id>) { ... on ImportProfile { auditEvents { nodes { id } } } }"),
        query("ImportProfile.asOf", Kind::ImportProfile, "importProfile: node(id: <id>) { ... on ImportProfile { asOf(time: \"2026-12-01T00:00:00Z\") } }"),
        query("ScoringModel.auditEvents", Kind::ScoringModel, "scoringModel: node(id: <id>) { ... on ScoringModel { auditEvents { nodes { id } } } }"),
        query("ScoringModel.asOf", Kind::ScoringModel, "scoringModel: node(id: <id>) { ... on ScoringModel { asOf(time: \"2026-12-01T00:00:00Z\") } }"),
        query("ScoringTraining.model", Kind::ScoringTraining, "scoringTraining(id: <id>) { model { id } }"),
        query("BulkJob.auditEvents", Kind::Export, "bulkJob(id: <id>) { auditEvents { nodes { id } } }"),
        query("AuditExport.fileUrl", Kind::AuditExport, "auditExport(id: <id>) { fileUrl }"),
        query("AuditExport.auditEvents", Kind::AuditExport, "auditExport(id: <id>) { auditEvents { nodes { id } } }"),
    ]
}
