//! A bulk job as clients see it.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use switchboard_app::bulk::{self, OutcomePlace};
use switchboard_domain::bulk_job;
use switchboard_store::Page;

use crate::audit::{AuditActor, AuditEvent, events};
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};
use crate::scalars::{BigInt, DateTime};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "bulk_job::BulkJobStatus")]
pub(crate) enum BulkJobStatus {
    /// No worker has begun it.
    Queued,
    /// It is being worked on.
    Running,
    /// It is done.
    Completed,
    /// It could not go on.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// What became of one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "bulk_job::ContactOutcome")]
pub(crate) enum ContactOutcome {
    /// It was changed.
    Changed,
    /// It already was what it should become.
    Unchanged,
    /// It could not be changed.
    Failed,
}

/// What became of one contact, and why.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct BulkJobOutcome {
    /// The contact.
    contact_id: ID,
    /// What became of it.
    outcome: ContactOutcome,
    /// Why it failed, in plain words.
    message: Option<String>,
}

impl From<bulk_job::Outcome> for BulkJobOutcome {
    fn from(outcome: bulk_job::Outcome) -> Self {
        Self { contact_id: NodeId::Contact(outcome.contact).to_id(), outcome: outcome.outcome.into(), message: outcome.message }
    }
}

/// One action on all contacts of a filter.
#[derive(Clone)]
pub(crate) struct BulkJob(Arc<bulk_job::BulkJob>);

impl From<bulk_job::BulkJob> for BulkJob {
    fn from(job: bulk_job::BulkJob) -> Self {
        Self(Arc::new(job))
    }
}

#[Object]
impl BulkJob {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::BulkJob(self.0.id).to_id()
    }

    /// What is done: a value of ContactBulkAction, RESCORE also when a scoring model was activated, RETURN when an agent was disabled or deleted, DISBAND when a team was, REKEY when a status changed its place in the calling order, REWRAP when the tenant got a new key.
    async fn action(&self) -> &str {
        self.0.action.as_str()
    }

    /// Where it stands.
    async fn status(&self) -> BulkJobStatus {
        self.0.status.into()
    }

    /// Why it failed, in plain words.
    async fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason.as_deref()
    }

    /// How many contacts were worked on so far: the sum of changed, unchanged and failed.
    async fn examined(&self) -> BigInt {
        BigInt(self.0.tally.total())
    }

    /// How many were changed.
    async fn changed(&self) -> BigInt {
        BigInt(self.0.tally.changed)
    }

    /// How many had nothing to be changed, or were exported.
    async fn unchanged(&self) -> BigInt {
        BigInt(self.0.tally.unchanged)
    }

    /// How many could not be changed.
    async fn failed(&self) -> BigInt {
        BigInt(self.0.tally.failed)
    }

    /// How far it is, from 0 to 1, told from the times at which its contacts were made.
    async fn progress(&self) -> f64 {
        self.0.progress()
    }

    /// What became of each contact so far, in the order in which they were worked on; kept for seven days. An export has none: its file says it.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn outcomes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<BulkJobOutcome>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("outcomes of bulk job {}", self.0.id), first, after.as_deref())?;
        let place = asked.after.as_deref().and_then(|place| {
            let (batch, index) = place.split_once('.')?;
            Some(OutcomePlace { batch: batch.parse().ok()?, index: index.parse().ok()? })
        });
        let Page { entries, has_more } = bulk::outcomes(&ctx.api().services, viewer, &self.0, place, asked.first).await.map_err(app_error)?;
        let entries = entries.into_iter().map(|(place, outcome)| (format!("{}.{}", place.batch, place.index), outcome.into())).collect();
        Ok(asked.page(entries, has_more))
    }

    /// The file of an export: a link that works for 15 minutes, which goes on record. Null until it is there and after `fileExpiresAt`, and for who may not export.
    async fn file_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        bulk::file_url(&ctx.api().services, ctx.viewer(), &self.0).await.map_err(app_error)
    }

    /// When the file of an export is removed, seven days after it was written.
    async fn file_expires_at(&self) -> Option<DateTime> {
        bulk::file_expires_at(&self.0).map(DateTime)
    }

    /// What is on record of it, newest first: that it was asked for, and how it ended. What it changed is on record with each contact.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::BulkJob(self.0.id), first, after.as_deref()).await
    }

    /// Who asked for it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.origin.actor.clone())
    }

    /// When it was asked for.
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
