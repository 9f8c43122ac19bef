//! The mutations of exports of the audit trail.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::audit::Who;
use switchboard_app::audit_exports::{self, GivenRecord, StartExport};
use switchboard_domain::audit_export::SYSTEM;

use super::AuditExport;
use super::types::AuditExportFormat;
use crate::audit::{audited, who};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;
use crate::scalars::DateTime;

/// An export of the audit trail to be asked for: of the events that match everything given, of all when nothing is.
#[derive(InputObject)]
pub(crate) struct AuditExportInput {
    /// How the file is to be written.
    format: AuditExportFormat,
    /// The kind of record, such as `contact`. `presence` and `schedule` have the ids of their agents.
    entity_type: Option<String>,
    /// The record.
    entity_id: Option<ID>,
    /// Who did it: a user, an import, or `system`.
    actor_id: Option<ID>,
    /// What was done, such as `contact.updated`.
    action: Option<String>,
    /// Recorded at this time or later.
    from: Option<DateTime>,
    /// Recorded before this time.
    to: Option<DateTime>,
    /// Whether what is sealed is to stand in it in the clear too: what is recorded of contacts, and the addresses of users. NOT_ALLOWED for who may not see
    /// all contacts.
    #[graphql(default = true)]
    readable: bool,
    /// The client's own key for this export, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// An export of the audit trail to be stopped.
#[derive(InputObject)]
pub(crate) struct AuditExportCancelInput {
    /// The export.
    id: ID,
}

/// What came of asking for an export of the audit trail.
#[derive(SimpleObject)]
pub(crate) struct AuditExportPayload {
    /// The export; null exactly when there are errors.
    audit_export: Option<AuditExport>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of stopping an export of the audit trail.
#[derive(SimpleObject)]
pub(crate) struct AuditExportCancelPayload {
    /// The export; null exactly when there are errors.
    audit_export: Option<AuditExport>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

fn shown(errors: Vec<AppUserError>) -> Vec<UserError> {
    errors.into_iter().map(UserError::from).collect()
}

/// The mutations of exports of the audit trail.
#[derive(Default)]
pub(crate) struct AuditExportMutation;

#[Object]
impl AuditExportMutation {
    /// Writes events of the audit trail into a file. Of one record those that are at hand, from its first to its last; all others from the archive, the rows of
    /// imports included, in the order in which they were recorded. Those of the last minute may be missing.
    async fn audit_export(&self, ctx: &Context<'_>, #[graphql(desc = "The export.")] input: AuditExportInput) -> Result<AuditExportPayload> {
        let record = |id: &ID| {
            let record = audited(id, input.entity_type.as_deref())?;
            Some(GivenRecord { entity_type: record.entity_type().to_owned(), entity_id: record.entity_id() })
        };
        let actor = |id: &ID| {
            Some(match who(id)? {
                Who::User(id) => id.to_string(),
                Who::Import(id) => id.to_string(),
                Who::System => SYSTEM.to_owned(),
            })
        };
        let request = StartExport {
            format: input.format.into(),
            record: input.entity_id.as_ref().map(record),
            actor: input.actor_id.as_ref().map(actor),
            entity_type: input.entity_type.clone(),
            action: input.action,
            from: input.from.map(|at| at.0),
            to: input.to.map(|at| at.0),
            readable: input.readable,
            idempotency_key: input.idempotency_key,
        };
        Ok(match audit_exports::start(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(export) => AuditExportPayload { audit_export: Some(export.into()), user_errors: Vec::new() },
            Err(errors) => AuditExportPayload { audit_export: None, user_errors: shown(errors) },
        })
    }

    /// Stops an export within seconds; there will be no file of it. One that has ended is FORBIDDEN_TRANSITION.
    async fn audit_export_cancel(&self, ctx: &Context<'_>, #[graphql(desc = "The export.")] input: AuditExportCancelInput) -> Result<AuditExportCancelPayload> {
        let id = match NodeId::parse(&input.id) {
            Some(NodeId::AuditExport(id)) => Some(id),
            _ => None,
        };
        Ok(match audit_exports::cancel(&ctx.api().services, ctx.viewer(), id).await.map_err(app_error)? {
            Ok(export) => AuditExportCancelPayload { audit_export: Some(export.into()), user_errors: Vec::new() },
            Err(errors) => AuditExportCancelPayload { audit_export: None, user_errors: shown(errors) },
        })
    }
}
