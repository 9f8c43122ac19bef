//! An entry of the suppression list as clients see it.

use async_graphql::{Context, ID, Json, Object, Result};
use serde_json::Value;
use switchboard_domain::suppression;

use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::scalars::{Date, DateTime};

/// A number that must not be called, or must not have been. The number itself is kept only as a keyed hash and can't be shown.
#[derive(Clone)]
pub(crate) struct Suppression(pub(crate) suppression::Suppression);

#[Object]
impl Suppression {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Suppression(self.0.id.clone()).to_id()
    }

    /// Why it was put on the list.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Where the entry comes from: `manual`, `status` for the status `do_not_call`, or what was given.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// Since when the number has been on the list that it comes from, such as a national one; null when that isn't known.
    async fn listed_at(&self) -> Option<Date> {
        self.0.listed_at.map(Date)
    }

    /// Everything that was changed, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::Suppression(self.0.id.clone()), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::Suppression(self.0.id.clone()), time).await
    }

    /// Counts its changes.
    async fn version(&self) -> u32 {
        self.0.record.version
    }

    /// When it was first put on the list.
    async fn created_at(&self) -> DateTime {
        self.0.record.created_at.into()
    }

    /// When it was last put on the list or taken off.
    async fn updated_at(&self) -> DateTime {
        self.0.record.updated_at().into()
    }

    /// When it was taken off the list; null while the number must not be called.
    async fn removed_at(&self) -> Option<DateTime> {
        self.0.removed_at.map(DateTime)
    }

    /// Who first put it on the list, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.record.created_by.clone())
    }

    /// Who last put it on the list or took it off, as they were then.
    async fn updated_by(&self) -> AuditActor {
        AuditActor(self.0.record.last_change.origin.actor.clone())
    }
}
