//! Every mutation with all that its payload says, so that a test names the mutation, gives an input, and looks at what came of it.

use serde_json::{Value, json};

use super::api::{Api, user_errors};

/// What records are asked for, by the names of the fragments.
const FRAGMENTS: [(&str, &str); 20] = [
    (
        "whole",
        "Contact { id phone phoneExtension alternatePhones name email address city region postalCode country timeZone timeZoneSource source attributes
            status { id code } assignee { id } team { id } doNotCall nextContactAt converted mergedInto { id } version createdAt updatedAt deletedAt
            createdBy { type name } updatedBy { type name } }",
    ),
    ("note", "Note { id body author { type id name } createdAt }"),
    ("status", "ContactStatus { id code name color order excludeFromCallList system deletable version }"),
    ("suppression", "Suppression { id reason source version createdAt updatedAt removedAt createdBy { type name } updatedBy { type name } }"),
    (
        "import",
        "Import { id kind sourceType sourcePlatform status failureReason fileName fileBytes profile isChecked progress
            mapping { column field confidence default samples } options { onExisting onDeleted blankCells defaultCountry onInvalid createTeams }
            rowsTotal rowsCreated rowsUpdated rowsUnchanged rowsSkipped rowsFailed rowsWarned revert { removed restored kept }
            createdBy { type id name } createdAt startedAt finishedAt }",
    ),
    (
        "profile",
        "ImportProfile { id name kind columns { column field default } options { onExisting onDeleted blankCells defaultCountry onInvalid createTeams }
            version createdAt updatedAt deletedAt createdBy { type name } updatedBy { type name } }",
    ),
    (
        "job",
        "BulkJob { id action status failureReason examined changed unchanged failed progress fileUrl fileExpiresAt createdBy { type id name }
            createdAt startedAt finishedAt }",
    ),
    ("auditExport", "AuditExport { id status failureReason format readable events bytes fileExpiresAt createdBy { type id name } createdAt startedAt finishedAt }"),
    ("score", "Score { value category components { name points max reason } previousValue change reason modelVersion calculatedAt }"),
    (
        "scoringModel",
        "ScoringModel { id name preset factors { name maximum reason } training { outcome examples converted heldOut areaUnderCurve liftAtTenth }
            active activeVersion version createdAt updatedAt deletedAt createdBy { type name } updatedBy { type name } }",
    ),
    (
        "training",
        "ScoringTraining { id status failureReason name outcomeAttribute attributes examples model { id } createdBy { type id name }
            createdAt startedAt finishedAt }",
    ),
    ("user", "User { id name email status roles { id code } permissions version createdAt updatedAt lastSignedOutAt createdBy { type name } updatedBy { type name } }"),
    ("role", "Role { id code name permissions system version }"),
    (
        "agent",
        "Agent { id name email employeeId timeZone user { id } teams { id } memberships { role team { id } } version createdAt updatedAt deletedAt
            createdBy { type name } updatedBy { type name } }",
    ),
    ("team", "Team { id name memberCount version createdAt updatedAt deletedAt createdBy { type name } updatedBy { type name } }"),
    ("membership", "Membership { agent { id } team { id } role assignedAt }"),
    ("presence", "Presence { status breakReason acceptingLeads onCall callsToday currentCallSeconds since lastActivityAt }"),
    ("window", "ScheduleWindow { id date startTime endTime endsNextDay recurrence weekdays until }"),
    ("exception", "ScheduleException { id date untilDate startTime endTime kind note }"),
    (
        "tenant",
        "Tenant { id name timeZone country callingDayStart bookingBufferMinutes heartbeatTimeoutSeconds retentionDays recordContactViews version
            createdAt updatedAt }",
    ),
];

/// What a mutation's payload is asked for beside its errors. The first field is null exactly when there are errors.
fn selection(mutation: &str) -> &'static str {
    match mutation {
        "contactCreate" | "contactUpdate" | "contactSetStatus" | "contactDelete" | "contactRestore" | "contactMerge" => "contact { ...whole }",
        "contactAddNote" => "note { ...note } contact { ...whole }",
        "contactAssign" => "contacts { ...whole }",
        "contactErase" => "erasure { contactId erasedAt completeAt }",
        "contactUnmerge" => "contact { ...whole } loser { ...whole }",
        "contactStatusCreate" | "contactStatusDelete" => "contactStatus { ...status }",
        "contactStatusUpdate" => "contactStatus { ...status } job { ...job }",
        "suppressionAdd" => "suppression { ...suppression } contact { ...whole }",
        "suppressionRemove" => "suppression { ...suppression }",
        "importCreate" => "import { ...import } upload { url fields { name value } expiresAt }",
        "importRows" | "importSetMapping" | "importDryRun" | "importStart" | "importCancel" | "importRevert" => "import { ...import }",
        "importProfileDelete" => "profile { ...profile }",
        "contactBulk" | "bulkJobCancel" => "job { ...job }",
        "userInvite" | "userUpdate" | "userResendInvitation" | "userEnable" | "userResetPassword" | "userSignOut" => "user { ...user }",
        "userDisable" => "user { ...user } job { ...job }",
        "roleCreate" | "roleUpdate" | "roleDelete" => "role { ...role }",
        "agentCreate" | "agentUpdate" | "agentRestore" => "agent { ...agent }",
        "agentDelete" => "agent { ...agent } job { ...job }",
        "teamCreate" | "teamUpdate" | "teamRestore" => "team { ...team }",
        "teamDelete" => "team { ...team } job { ...job }",
        "teamAddMember" | "teamUpdateMember" => "membership { ...membership } team { ...team } changed",
        "teamRemoveMember" => "team { ...team } agent { ...agent } changed",
        "presenceUpdate" | "presenceHeartbeat" => "presence { ...presence } agent { id }",
        "scheduleAddWindow" | "scheduleUpdateWindow" => "window { ...window } version agent { id }",
        "scheduleAddException" => "exception { ...exception } version agent { id }",
        "scheduleRemoveWindow" | "scheduleRemoveException" => "agent { id } version",
        "tenantUpdate" => "tenant { ...tenant }",
        "auditExport" | "auditExportCancel" => "auditExport { ...auditExport }",
        "scoringModelCreate" | "scoringModelUpdate" | "scoringModelDelete" => "scoringModel { ...scoringModel }",
        "scoringModelActivate" => "scoringModel { ...scoringModel } wasActive job { ...job }",
        "scoringModelTrain" => "training { ...training }",
        "scoreRecalculate" => "contact { id version score { ...score } }",
        "recordRevert" => "record { id ...whole }",
        other => panic!("no such mutation here: {other}"),
    }
}

/// A document with the fragments that it uses.
pub(crate) fn with_fragments(document: &str) -> String {
    let used = FRAGMENTS.iter().filter(|(name, _)| document.contains(&format!("...{name} ")));
    used.fold(document.to_owned(), |document, (name, fields)| format!("{document} fragment {name} on {fields}"))
}

/// The document of a mutation, whose one variable is `$input`.
pub(crate) fn document(mutation: &str) -> String {
    let (first, rest) = mutation.split_at(1);
    let (input, selection) = (format!("{}{rest}Input", first.to_uppercase()), selection(mutation));
    with_fragments(&format!("mutation($input: {input}!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ field code message existingId index }} }} }}"))
}

/// Calls a mutation; its payload.
pub(crate) async fn mutate(api: &Api, mutation: &str, input: Value) -> Value {
    let payload = api.data(&document(mutation), json!({ "input": input })).await[mutation].take();
    let (object, _) = selection(mutation).split_once(' ').unwrap();
    // A list has the places that could be done beside those that could not.
    if object != "contacts" {
        assert_eq!(payload[object].is_null(), payload["userErrors"].as_array().is_some_and(|errors| !errors.is_empty()), "{mutation}: {payload}");
    }
    payload
}

/// Calls a mutation that there is no reason to refuse; its payload.
pub(crate) async fn done(api: &Api, mutation: &str, input: Value) -> Value {
    let payload = mutate(api, mutation, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{mutation}");
    payload
}

/// The same, when the payload's contact is all that matters.
pub(crate) async fn changed(api: &Api, mutation: &str, input: Value) -> Value {
    done(api, mutation, input).await["contact"].take()
}

/// Calls a mutation that must be refused with errors in its payload; their fields and codes.
pub(crate) async fn refused(api: &Api, mutation: &str, input: Value) -> Vec<(String, String)> {
    let payload = mutate(api, mutation, input).await;
    let errors = user_errors(&payload);
    assert!(!errors.is_empty(), "{mutation}: not refused: {payload}");
    errors
}

/// Calls a mutation that must be refused as a whole; the code.
pub(crate) async fn refusal(api: &Api, mutation: &str, input: Value) -> String {
    api.refusal(&document(mutation), json!({ "input": input })).await
}

/// One error, as [`refused`] gives it.
pub(crate) fn error(field: &str, code: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), code.to_owned())]
}
