//! The viewer and the organisation as clients see them.

use std::sync::Arc;

use async_graphql::{Context, ID, Json, Object, Result};
use serde_json::Value;
use switchboard_domain::{tenant, tenant_settings};

use crate::agent::Agent;
use crate::audit::{AuditEvent, as_of, events};
use crate::context::ContextExt;
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::scalars::DateTime;
use crate::user::User;

/// The signed-in user.
pub(crate) struct Viewer;

#[Object]
impl Viewer {
    /// The user.
    async fn user(&self, ctx: &Context<'_>) -> User {
        User(Arc::clone(&ctx.viewer().user))
    }

    /// The user's entry in the staff directory; null for who has none.
    async fn agent(&self, ctx: &Context<'_>) -> Option<Agent> {
        ctx.viewer().agent_record.clone().map(Agent)
    }

    /// The organisation the user belongs to.
    async fn tenant(&self, ctx: &Context<'_>) -> Tenant {
        Tenant(ctx.viewer().tenant.record.clone())
    }

    /// What the user may do, as `noun:verb:SCOPE`.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<String> {
        let mut permissions: Vec<String> = ctx.viewer().grants().iter().map(ToString::to_string).collect();
        permissions.sort();
        permissions.dedup();
        permissions
    }
}

/// An organisation. Clients only ever see their own.
pub(crate) struct Tenant(pub(crate) tenant::Tenant);

#[Object]
impl Tenant {
    /// Opaque; the same for the record's life.
    async fn id(&self) -> ID {
        NodeId::Tenant(self.0.id).to_id()
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// IANA time zone of its counters, of agents and contacts whose own isn't known.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// ISO 3166-1 country in which numbers without a prefix are read.
    async fn country(&self) -> &str {
        &self.0.country
    }

    /// When its day begins, as `HH:MM` in its time zone: counters and timelines are kept by this day.
    async fn calling_day_start(&self) -> String {
        tenant_settings::clock_time(self.0.calling_day_start)
    }

    /// Minutes kept free between two bookings of an agent, unless a query says otherwise.
    async fn booking_buffer_minutes(&self) -> u16 {
        self.0.booking_buffer_minutes
    }

    /// Seconds without a heartbeat after which an agent counts as offline.
    async fn heartbeat_timeout_seconds(&self) -> u16 {
        self.0.heartbeat_timeout_seconds
    }

    /// Days for which audit events are kept.
    async fn retention_days(&self) -> u32 {
        self.0.retention_days
    }

    /// Whether every opening of a contact goes on record.
    async fn record_contact_views(&self) -> bool {
        self.0.record_contact_views
    }

    /// Everything that was changed, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::Tenant(self.0.id), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::Tenant(self.0.id), time).await
    }

    /// Counts its changes: give it as `expectedVersion`.
    async fn version(&self) -> u32 {
        self.0.record.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.record.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.record.updated_at().into()
    }
}
