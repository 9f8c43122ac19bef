//! Notes about contacts.

use async_graphql::{Context, ID, Json, Object, Result};
use serde_json::Value;
use switchboard_domain::note;

use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::scalars::DateTime;

/// What somebody wrote about a contact. Notes are never changed.
#[derive(Clone)]
pub(crate) struct Note(pub(crate) note::Note);

#[Object]
impl Note {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Note(self.0.contact.clone(), self.0.id).to_id()
    }

    /// The text.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// Who wrote it, as they were then.
    async fn author(&self) -> AuditActor {
        AuditActor(self.0.record.created_by.clone())
    }

    /// That it was written: notes are never changed.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::Note(self.0.contact.clone(), self.0.id), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::Note(self.0.contact.clone(), self.0.id), time).await
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.0.record.created_at.into()
    }
}
