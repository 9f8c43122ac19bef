//! What each operation needs, in one table. `authorise.rs` holds requests to it, `docs/permissions.md` is written from it, and `tests/access.rs` finds
//! a field of the schema that isn't in it.

use switchboard_domain::permission::{Grant, Permission, Scope};

/// The type of the queries.
pub(crate) const QUERY: &str = "Query";
/// The type of the mutations.
pub(crate) const MUTATION: &str = "Mutation";

/// What a field needs before it is resolved. Which records it then reaches is the use case's matter, which knows the scope and the record.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// The type the field is of: `Query`, `Mutation`, or one with fields that open more than the values of its record.
    pub parent: &'static str,
    /// The field, by its name in the schema.
    pub field: &'static str,
    /// What one must hold.
    pub needs: Needs,
    /// What the answer is without it.
    pub refusal: Refusal,
    /// What the use case asks for beyond it, in Markdown; empty when that is nothing.
    pub note: &'static str,
}

/// What one must hold.
#[derive(Debug, Clone, Copy)]
pub enum Needs {
    /// Nothing beyond being signed in, and having reached the record whose field it is.
    SignedIn,
    /// One of these, in that scope or a wider one.
    AnyOf(&'static [Grant]),
}

/// What the answer is without what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// An error that says something about the caller only.
    Forbidden,
    /// Null, as for what doesn't exist.
    Null,
}

/// A field that needs nothing more.
const fn open(parent: &'static str, field: &'static str, note: &'static str) -> Access {
    Access { parent, field, needs: Needs::SignedIn, refusal: Refusal::Forbidden, note }
}

/// A field that is forbidden to who holds none of these.
const fn forbidden(parent: &'static str, field: &'static str, any: &'static [Grant], note: &'static str) -> Access {
    Access { parent, field, needs: Needs::AnyOf(any), refusal: Refusal::Forbidden, note }
}

/// A field that is null for who holds none of these.
const fn null(parent: &'static str, field: &'static str, any: &'static [Grant], note: &'static str) -> Access {
    Access { parent, field, needs: Needs::AnyOf(any), refusal: Refusal::Null, note }
}

/// In any scope.
const fn own(permission: Permission) -> Grant {
    Grant { permission, scope: Scope::Own }
}

/// For one's teams at least.
const fn team(permission: Permission) -> Grant {
    Grant { permission, scope: Scope::Team }
}

/// To see scoring models.
const SCORING: &[Grant] = &[all(Permission::ScoringRead)];
/// To make and activate scoring models.
const SCORING_WRITE: &[Grant] = &[all(Permission::ScoringWrite)];
/// The note on what users may do and whether they can sign in.
const STANDING: &str = "of others a permission on users for the whole tenant; else `FORBIDDEN`";
/// For the whole tenant.
const fn all(permission: Permission) -> Grant {
    Grant { permission, scope: Scope::All }
}

/// What it takes to see the audit trail.
const AUDIT: &[Grant] = &[all(Permission::AuditRead)];
/// To take the audit trail out.
const AUDIT_EXPORT: &[Grant] = &[all(Permission::AuditExport)];
const AND_READ: &str = "also `audit:read:ALL`";
const AND_READ_NULL: &str = "also `audit:read:ALL`; else null";
const OWN_CONTACT: &str = "the contact must be within the scope";
const OWN_AGENT: &str = "the agent must be within the scope";
const OWN_TEAM: &str = "the team must be within the scope";
const OWN_SCHEDULE: &str = "the agent must be within the scope; without `agentId` it is oneself";
const MANAGEABLE: &str = "the user must be one [whom one may manage](#who-may-manage-whom)";
const STAFF_NAMES: &str = "names of colleagues and teams are no secret in a tenant";
const CONTACTS_MASKED: &str = "the values of contacts and notes are masked without `contact:read:ALL`";
const MASKED: &str = "its values are masked without `contact:read:ALL`";
/// To import: what, the kind of the import says.
const IMPORT: &[Grant] = &[all(Permission::ImportCreate), all(Permission::ImportCreateAgents)];
const OF_KIND: &str = "the second for `AGENTS`, the first for other kinds, and for `SUPPRESSIONS` also `suppression:add:ALL`; one of another kind is `NOT_FOUND`, and none is made of it (`FORBIDDEN`)";
const STAFF_ADDRESSES: &str = "addresses of colleagues are no secret in a tenant";

/// The table: every query, every mutation, and every field of another type that opens more than the values of its record.
pub const ACCESS: &[Access] = &[
    // Anything by its id.
    open(QUERY, "node", "what [each kind of record](#records-by-id) needs; else null"),
    // The viewer, their organisation, users and roles.
    open(QUERY, "viewer", ""),
    open(QUERY, "user", "`user:read:ALL`, or being that user; else null"),
    forbidden(QUERY, "users", &[all(Permission::UserRead)], ""),
    open(QUERY, "roles", ""),
    open(QUERY, "permissions", ""),
    // Agents, teams, presence and schedules.
    null(QUERY, "agent", &[own(Permission::AgentRead)], OWN_AGENT),
    forbidden(QUERY, "agents", &[own(Permission::AgentRead)], "lists those within the scope"),
    null(QUERY, "team", &[own(Permission::TeamRead)], OWN_TEAM),
    forbidden(QUERY, "teams", &[own(Permission::TeamRead)], "lists those within the scope"),
    forbidden(QUERY, "availableAgents", &[team(Permission::PresenceRead)], "lists those within the scope"),
    null(QUERY, "agentTimeline", &[own(Permission::PresenceReadTimeline)], OWN_AGENT),
    null(QUERY, "agentSchedule", &[own(Permission::ScheduleRead)], OWN_AGENT),
    forbidden(QUERY, "freeSlots", &[own(Permission::ScheduleRead)], "the agents must be within the scope"),
    // Contacts.
    null(QUERY, "contact", &[own(Permission::ContactRead)], OWN_CONTACT),
    null(QUERY, "contactByPhone", &[own(Permission::ContactRead)], OWN_CONTACT),
    forbidden(QUERY, "contacts", &[own(Permission::ContactRead)], "lists those within the scope"),
    forbidden(QUERY, "contactDuplicates", &[all(Permission::ContactRead)], ""),
    forbidden(QUERY, "topContacts", &[own(Permission::ContactRead)], "lists those within the scope"),
    forbidden(QUERY, "scoreDistribution", SCORING, ""),
    open(QUERY, "contactStatuses", ""),
    // Scoring models.
    forbidden(QUERY, "scoringModels", SCORING, ""),
    forbidden(QUERY, "scoringModelPreview", SCORING, "also `contact:read`, else `FORBIDDEN`; on contacts within that scope"),
    null(QUERY, "scoringTraining", SCORING, ""),
    forbidden(QUERY, "scoringTrainings", SCORING, ""),
    // The suppression list, imports and jobs.
    null(QUERY, "suppression", &[all(Permission::SuppressionRead)], ""),
    forbidden(QUERY, "suppressionList", &[all(Permission::SuppressionRead)], ""),
    null(QUERY, "import", &[all(Permission::ImportRead)], ""),
    forbidden(QUERY, "imports", &[all(Permission::ImportRead)], ""),
    forbidden(QUERY, "importProfiles", &[all(Permission::ImportRead)], ""),
    null(QUERY, "bulkJob", &[all(Permission::ContactBulkUpdate), all(Permission::ContactExport)], ""),
    forbidden(QUERY, "bulkJobs", &[all(Permission::ContactBulkUpdate), all(Permission::ContactExport)], ""),
    // The audit trail.
    forbidden(QUERY, "auditEvents", AUDIT, CONTACTS_MASKED),
    forbidden(QUERY, "auditDiff", AUDIT, CONTACTS_MASKED),
    forbidden(QUERY, "auditGaps", AUDIT, ""),
    forbidden(QUERY, "auditVerification", AUDIT, ""),
    forbidden(QUERY, "auditPublicKey", AUDIT, ""),
    null(QUERY, "auditExport", AUDIT_EXPORT, AND_READ_NULL),
    forbidden(QUERY, "auditExports", AUDIT_EXPORT, AND_READ),
    // Users, roles and the organisation.
    forbidden(
        MUTATION,
        "userInvite",
        &[all(Permission::UserInvite)],
        "roles other than `telephonist` and `agent`, and single permissions, [need more](#who-may-manage-whom)",
    ),
    forbidden(
        MUTATION,
        "userUpdate",
        &[all(Permission::UserUpdate), all(Permission::UserSetRoles)],
        "the first for the name, the second for `roleIds` and `permissions`; the user must be one [whom one may manage](#who-may-manage-whom)",
    ),
    forbidden(MUTATION, "userResendInvitation", &[all(Permission::UserInvite)], ""),
    forbidden(MUTATION, "userDisable", &[all(Permission::UserDisable)], MANAGEABLE),
    forbidden(MUTATION, "userEnable", &[all(Permission::UserEnable)], MANAGEABLE),
    forbidden(MUTATION, "userResetPassword", &[all(Permission::UserResetPassword)], MANAGEABLE),
    open(MUTATION, "userSignOut", "for somebody else `user:sign_out:ALL`, else `FORBIDDEN`, and the user must be one [whom one may manage](#who-may-manage-whom)"),
    forbidden(MUTATION, "roleCreate", &[all(Permission::RoleCreate)], "it may grant what one holds, no more"),
    forbidden(MUTATION, "roleUpdate", &[all(Permission::RoleUpdate)], "it may grant what one holds, no more"),
    forbidden(MUTATION, "roleDelete", &[all(Permission::RoleDelete)], ""),
    forbidden(MUTATION, "tenantUpdate", &[all(Permission::TenantUpdate)], ""),
    // Agents and teams.
    forbidden(MUTATION, "agentCreate", &[all(Permission::AgentCreate)], "roles other than `telephonist` and `agent` [need more](#who-may-manage-whom)"),
    forbidden(MUTATION, "agentUpdate", &[own(Permission::AgentUpdate)], "the agent must be within the scope, and one [whom one may manage](#who-may-manage-whom)"),
    forbidden(MUTATION, "agentDelete", &[all(Permission::AgentDelete)], MANAGEABLE),
    forbidden(MUTATION, "agentRestore", &[all(Permission::AgentRestore)], MANAGEABLE),
    forbidden(MUTATION, "teamCreate", &[all(Permission::TeamCreate)], ""),
    forbidden(MUTATION, "teamUpdate", &[own(Permission::TeamUpdate)], OWN_TEAM),
    forbidden(MUTATION, "teamDelete", &[own(Permission::TeamDelete)], OWN_TEAM),
    forbidden(MUTATION, "teamRestore", &[all(Permission::TeamRestore)], ""),
    forbidden(MUTATION, "teamAddMember", &[own(Permission::TeamManageMembers)], OWN_TEAM),
    forbidden(MUTATION, "teamUpdateMember", &[own(Permission::TeamManageMembers)], OWN_TEAM),
    forbidden(MUTATION, "teamRemoveMember", &[own(Permission::TeamManageMembers)], OWN_TEAM),
    // Presence and schedules.
    forbidden(MUTATION, "presenceUpdate", &[own(Permission::PresenceUpdate)], "the agent must be within the scope; without `agentId` it is oneself"),
    forbidden(MUTATION, "presenceHeartbeat", &[own(Permission::PresenceUpdate)], "one's own"),
    forbidden(MUTATION, "scheduleAddWindow", &[own(Permission::ScheduleUpdate)], OWN_SCHEDULE),
    forbidden(MUTATION, "scheduleUpdateWindow", &[own(Permission::ScheduleUpdate)], OWN_SCHEDULE),
    forbidden(MUTATION, "scheduleRemoveWindow", &[own(Permission::ScheduleUpdate)], OWN_SCHEDULE),
    forbidden(MUTATION, "scheduleAddException", &[own(Permission::ScheduleUpdate)], OWN_SCHEDULE),
    forbidden(MUTATION, "scheduleRemoveException", &[own(Permission::ScheduleUpdate)], OWN_SCHEDULE),
    // Contacts.
    forbidden(MUTATION, "contactCreate", &[all(Permission::ContactCreate)], ""),
    forbidden(
        MUTATION,
        "contactUpdate",
        &[own(Permission::ContactUpdate)],
        "the contact must be within the scope; with `assigneeId` or `teamId` also within that of `contact:assign`, with `statusId` that of \
         `contact:set_status`, else `FORBIDDEN`",
    ),
    forbidden(
        MUTATION,
        "contactSetStatus",
        &[own(Permission::ContactSetStatus)],
        "the contact must be within the scope; with a note also within that of `contact:add_note`, else `FORBIDDEN`",
    ),
    forbidden(MUTATION, "contactAddNote", &[own(Permission::ContactAddNote)], OWN_CONTACT),
    forbidden(MUTATION, "contactAssign", &[own(Permission::ContactAssign)], "the contacts must be within the scope; for each that isn't, a user error with its index"),
    forbidden(MUTATION, "contactDelete", &[own(Permission::ContactDelete)], OWN_CONTACT),
    forbidden(MUTATION, "contactRestore", &[own(Permission::ContactRestore)], OWN_CONTACT),
    forbidden(MUTATION, "contactErase", &[own(Permission::ContactErase)], OWN_CONTACT),
    forbidden(MUTATION, "contactMerge", &[own(Permission::ContactMerge)], "both contacts must be within the scope"),
    forbidden(MUTATION, "scoreRecalculate", &[own(Permission::ContactUpdate)], OWN_CONTACT),
    forbidden(MUTATION, "contactUnmerge", &[own(Permission::ContactMerge)], "both contacts must be within the scope"),
    forbidden(
        MUTATION,
        "contactBulk",
        &[all(Permission::ContactBulkUpdate), all(Permission::ContactExport)],
        "the second to export; the first for everything else, and with it `contact:assign:ALL`, `contact:set_status:ALL` or `contact:delete:ALL`, \
         whichever it does",
    ),
    forbidden(
        MUTATION,
        "bulkJobCancel",
        &[all(Permission::ContactBulkUpdate), all(Permission::ContactExport)],
        "the second for an export, the first for every other job",
    ),
    forbidden(MUTATION, "contactStatusCreate", &[all(Permission::StatusCreate)], ""),
    forbidden(MUTATION, "contactStatusUpdate", &[all(Permission::StatusUpdate)], ""),
    forbidden(MUTATION, "contactStatusDelete", &[all(Permission::StatusDelete)], ""),
    forbidden(MUTATION, "scoringModelCreate", SCORING_WRITE, ""),
    forbidden(MUTATION, "scoringModelUpdate", SCORING_WRITE, ""),
    forbidden(MUTATION, "scoringModelDelete", SCORING_WRITE, ""),
    forbidden(MUTATION, "scoringModelActivate", SCORING_WRITE, ""),
    forbidden(MUTATION, "scoringModelTrain", SCORING_WRITE, ""),
    forbidden(MUTATION, "suppressionAdd", &[all(Permission::SuppressionAdd)], ""),
    forbidden(MUTATION, "suppressionRemove", &[all(Permission::SuppressionRemove)], ""),
    // Imports.
    forbidden(MUTATION, "importCreate", IMPORT, OF_KIND),
    forbidden(MUTATION, "importRows", IMPORT, OF_KIND),
    forbidden(MUTATION, "importSetMapping", IMPORT, OF_KIND),
    forbidden(MUTATION, "importDryRun", IMPORT, OF_KIND),
    forbidden(MUTATION, "importStart", IMPORT, OF_KIND),
    forbidden(MUTATION, "importCancel", IMPORT, OF_KIND),
    forbidden(
        MUTATION,
        "importRevert",
        &[all(Permission::ImportRevert), all(Permission::ImportCreateAgents)],
        "the second of `AGENTS`, with `agent:update:ALL`, `agent:delete:ALL`, `team:delete:ALL` and `team:manage_members:ALL`; the first of other kinds, of \
         `SUPPRESSIONS` also `suppression:remove:ALL`; else `NOT_FOUND`",
    ),
    forbidden(MUTATION, "importProfileDelete", IMPORT, OF_KIND),
    // Records of any kind.
    forbidden(
        MUTATION,
        "recordRevert",
        &[all(Permission::RecordRevert)],
        "beside it what the update of the record needs for the values that differ, of a contact `contact:set_status` and `contact:assign` too; else `FORBIDDEN`",
    ),
    // Exports of the audit trail.
    forbidden(MUTATION, "auditExport", AUDIT_EXPORT, "also `audit:read:ALL`, and for a readable one `contact:read:ALL`, else a user error"),
    forbidden(MUTATION, "auditExportCancel", AUDIT_EXPORT, AND_READ),
    // Fields of other types.
    open("Viewer", "user", ""),
    open("Viewer", "agent", ""),
    open("User", "email", STAFF_ADDRESSES),
    open("User", "status", STANDING),
    open("User", "roles", STANDING),
    open("User", "permissions", STANDING),
    open("User", "lastSignedOutAt", STANDING),
    open("User", "agent", STAFF_NAMES),
    forbidden("User", "auditEvents", AUDIT, ""),
    forbidden("User", "asOf", AUDIT, ""),
    forbidden("Role", "auditEvents", AUDIT, ""),
    forbidden("Role", "asOf", AUDIT, ""),
    forbidden("Tenant", "auditEvents", AUDIT, ""),
    forbidden("Tenant", "asOf", AUDIT, ""),
    open("Agent", "email", STAFF_ADDRESSES),
    open("Agent", "user", STAFF_NAMES),
    open("Agent", "teams", STAFF_NAMES),
    open("Agent", "memberships", STAFF_NAMES),
    forbidden("Agent", "presence", &[own(Permission::PresenceRead)], OWN_AGENT),
    forbidden("Agent", "auditEvents", AUDIT, ""),
    forbidden("Agent", "asOf", AUDIT, ""),
    forbidden("Team", "members", &[own(Permission::TeamRead)], OWN_TEAM),
    forbidden("Team", "auditEvents", AUDIT, ""),
    forbidden("Team", "asOf", AUDIT, ""),
    open("Membership", "agent", STAFF_NAMES),
    open("Membership", "team", STAFF_NAMES),
    open("AgentTimeline", "agent", STAFF_NAMES),
    open("AgentSchedule", "agent", STAFF_NAMES),
    open("FreeSlot", "agent", STAFF_NAMES),
    open("Contact", "assignee", STAFF_NAMES),
    open("Contact", "team", STAFF_NAMES),
    open("Contact", "status", ""),
    open("Contact", "phoneDisplay", ""),
    open("Contact", "notes", "who sees a contact sees its notes"),
    open("Contact", "score", ""),
    open("Contact", "scoreHistory", "who sees a contact sees its scores"),
    open("Contact", "mergedInto", "`contact:read` for that contact; else null"),
    forbidden("Contact", "auditEvents", AUDIT, MASKED),
    forbidden("Contact", "asOf", AUDIT, MASKED),
    forbidden("Note", "auditEvents", AUDIT, MASKED),
    forbidden("Note", "asOf", AUDIT, MASKED),
    forbidden("ContactStatus", "auditEvents", AUDIT, ""),
    forbidden("ContactStatus", "asOf", AUDIT, ""),
    forbidden("Suppression", "auditEvents", AUDIT, ""),
    forbidden("Suppression", "asOf", AUDIT, ""),
    open("ContactDuplicates", "contacts", ""),
    open("AuditEvent", "changes", "the values of sensitive attributes are masked, and without `contact:read:ALL` those of contacts and notes"),
    open("AuditEvent", "rows", CONTACTS_MASKED),
    open("AuditActor", "email", STAFF_ADDRESSES),
    open("Import", "options", ""),
    open("Import", "revert", ""),
    forbidden("Import", "mapping", &[all(Permission::ImportRead)], ""),
    forbidden("Import", "preview", &[all(Permission::ImportRead)], ""),
    forbidden("Import", "errors", &[all(Permission::ImportRead)], ""),
    null("Import", "errorsFileUrl", &[all(Permission::ImportRead)], ""),
    forbidden("ImportRevertSummary", "keptRecords", &[all(Permission::ImportRead)], ""),
    forbidden("Import", "auditEvents", AUDIT, ""),
    open("ImportProfile", "columns", ""),
    open("ImportProfile", "options", ""),
    forbidden("ImportProfile", "auditEvents", AUDIT, ""),
    forbidden("ImportProfile", "asOf", AUDIT, ""),
    open("ScoringModel", "factors", ""),
    open("ScoringModel", "training", ""),
    forbidden("ScoringModel", "auditEvents", AUDIT, ""),
    forbidden("ScoringModel", "asOf", AUDIT, ""),
    null("ScoringTraining", "model", SCORING, ""),
    open("ScoringPreviewedContact", "contact", ""),
    forbidden("BulkJob", "outcomes", &[all(Permission::ContactBulkUpdate), all(Permission::ContactExport)], ""),
    null("BulkJob", "fileUrl", &[all(Permission::ContactExport)], ""),
    forbidden("BulkJob", "auditEvents", AUDIT, ""),
    null("AuditExport", "fileUrl", AUDIT_EXPORT, "also `audit:read:ALL`, and of a readable one `contact:read:ALL`; else null"),
    forbidden("AuditExport", "auditEvents", AUDIT, ""),
];
