//! A role and a permission as clients see them.

use async_graphql::{Context, ID, Json, Object, Result};
use serde_json::Value;
use switchboard_domain::permission::Permission;
use switchboard_domain::person;

use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::scalars::DateTime;

/// A named set of permissions.
#[derive(Clone)]
pub(crate) struct Role(pub(crate) person::Role);

#[Object]
impl Role {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Role(self.0.id).to_id()
    }

    /// A snake_case word, unique in the tenant, which never changes.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What people read, unique in the tenant.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What holders may do, as `noun:verb:SCOPE`.
    async fn permissions(&self) -> Vec<String> {
        self.0.grants.iter().map(ToString::to_string).collect()
    }

    /// Every tenant has it from the start, and it can't be deleted.
    async fn system(&self) -> bool {
        self.0.system
    }

    /// Everything that was changed, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::Role(self.0.id), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::Role(self.0.id), time).await
    }

    /// Counts its changes: give it as `expectedVersion`.
    async fn version(&self) -> u32 {
        self.0.record.version
    }

    /// When the record was made.
    async fn created_at(&self) -> DateTime {
        self.0.record.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.record.updated_at().into()
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

/// Something that can be allowed.
pub(crate) struct PermissionDescription(pub(crate) Permission);

#[Object]
impl PermissionDescription {
    /// As `noun:verb`. Roles and users are given it with a scope behind it: `:OWN` for their own records, `:TEAM` for those of their teams too, `:ALL` for
    /// the whole tenant's.
    async fn name(&self) -> &str {
        self.0.as_str()
    }

    /// What it allows, in one sentence.
    async fn description(&self) -> &str {
        self.0.description()
    }
}
