//! The queries for exports of the audit trail.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::audit_exports;
use switchboard_domain::ids::AuditExportId;

use super::AuditExport;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};

/// The queries for exports of the audit trail.
#[derive(Default)]
pub(crate) struct AuditExportQuery;

#[Object]
impl AuditExportQuery {
    /// An export of the audit trail by its id; null when there is none, or none for you.
    async fn audit_export(&self, ctx: &Context<'_>, #[graphql(desc = "The export's id.")] id: ID) -> Result<Option<AuditExport>> {
        match NodeId::parse(&id) {
            Some(NodeId::AuditExport(id)) => audit_export(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The exports of the audit trail, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_exports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditExport>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, "auditExports", first, after.as_deref())?;
        let page = audit_exports::list(&ctx.api().services, viewer, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|export| (export.id.to_string(), AuditExport::from(export))).collect();
        Ok(asked.page(entries, page.has_more))
    }
}

/// An export by its id; none without the right to see it.
pub(crate) async fn audit_export(ctx: &Context<'_>, id: AuditExportId) -> Result<Option<AuditExport>> {
    let found = audit_exports::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
    Ok(found.map(AuditExport::from))
}
