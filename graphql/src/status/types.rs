//! A status as clients see it.

use async_graphql::{Context, ID, Json, Object, Result};
use serde_json::Value;
use switchboard_domain::status;

use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::scalars::DateTime;

/// A status that contacts of the tenant can have.
#[derive(Clone)]
pub(crate) struct ContactStatus(pub(crate) status::ContactStatus);

#[Object]
impl ContactStatus {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::ContactStatus(self.0.id).to_id()
    }

    /// A snake_case word, unique in the tenant, which never changes.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What people read, unique in the tenant.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// `#RRGGBB`.
    async fn color(&self) -> &str {
        &self.0.color
    }

    /// Its place among the statuses; lower is called first.
    async fn order(&self) -> i32 {
        self.0.order.into()
    }

    /// Contacts with it are not offered for calling.
    async fn exclude_from_call_list(&self) -> bool {
        self.0.exclude_from_call_list
    }

    /// It has a meaning in the rules of the product.
    async fn system(&self) -> bool {
        self.0.system
    }

    /// It may be deleted, once no contact has it.
    async fn deletable(&self) -> bool {
        !self.0.system
    }

    /// When it was deleted. It stays for contacts that were given it at that moment.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.0.deleted_at.map(DateTime)
    }

    /// Everything that was changed, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::ContactStatus(self.0.id), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::ContactStatus(self.0.id), time).await
    }

    /// Counts its changes: give it as `expectedVersion`.
    async fn version(&self) -> u32 {
        self.0.record.version
    }

    /// Who made it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.record.created_by.clone())
    }

    /// Who changed it last, as they were then.
    async fn updated_by(&self) -> AuditActor {
        AuditActor(self.0.record.last_change.origin.actor.clone())
    }
}
