//! An export of the audit trail as clients see it.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use switchboard_app::audit_exports;
use switchboard_domain::audit_export;

use crate::audit::{AuditActor, AuditEvent, events};
use crate::bulk_job::BulkJobStatus;
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::scalars::{BigInt, DateTime};

/// How the file of an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "audit_export::AuditExportFormat")]
pub(crate) enum AuditExportFormat {
    /// A table for spreadsheets: a row for each field that changed.
    Csv,
    /// A line of JSON for each event as it is hashed, and the seals of the days: what can be verified without us.
    JsonLines,
}

/// Events of the audit trail in one file.
#[derive(Clone)]
pub(crate) struct AuditExport(Arc<audit_export::AuditExport>);

impl From<audit_export::AuditExport> for AuditExport {
    fn from(export: audit_export::AuditExport) -> Self {
        Self(Arc::new(export))
    }
}

#[Object]
impl AuditExport {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::AuditExport(self.0.id).to_id()
    }

    /// Where it stands.
    async fn status(&self) -> BulkJobStatus {
        self.0.status.into()
    }

    /// Why it failed, in plain words.
    async fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason.as_deref()
    }

    /// How the file is written.
    async fn format(&self) -> AuditExportFormat {
        self.0.format.into()
    }

    /// Whether what is sealed stands in it in the clear.
    async fn readable(&self) -> bool {
        self.0.readable
    }

    /// How many events are in the file so far.
    async fn events(&self) -> BigInt {
        BigInt(self.0.events)
    }

    /// How long the file is so far.
    async fn bytes(&self) -> BigInt {
        BigInt(self.0.bytes)
    }

    /// The file: a link that works for 15 minutes, and is on record. Null until it is there and after `fileExpiresAt`, and of a readable one for who may not
    /// see all contacts.
    async fn file_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        audit_exports::file_url(&ctx.api().services, ctx.viewer(), &self.0).await.map_err(app_error)
    }

    /// When the file is removed, seven days after it was written.
    async fn file_expires_at(&self) -> Option<DateTime> {
        audit_exports::file_expires_at(&self.0).map(DateTime)
    }

    /// That it was asked for and how it ended, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::AuditExport(self.0.id), first, after.as_deref()).await
    }

    /// Who asked for it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.origin.actor.clone())
    }

    /// When it was asked for: events recorded later are not in it.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was begun.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}
