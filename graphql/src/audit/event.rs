//! An event of the audit trail as clients see it.

use async_graphql::{Context, Enum, ID, Object, Result};
use serde_json::Value;
use switchboard_app::audit::{self as use_cases, EventPage, EventView};
use switchboard_domain::audit::{self, Place};
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::Piece;

use super::actor::AuditActor;
use super::change::FieldChange;
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};
use crate::scalars::DateTime;

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "audit::Outcome")]
pub(crate) enum AuditOutcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
    /// It went wrong.
    Failed,
}

/// How much an event matters, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "audit::Severity")]
pub(crate) enum AuditSeverity {
    /// Daily work.
    Info,
    /// Data left the system, or somebody's rights or the rules changed.
    Notice,
    /// Something was refused, or went wrong.
    Warning,
    /// It can't be undone, or takes protection away.
    Critical,
}

/// One thing that was done, or refused. Events are never changed; those of a record's versions carry the hash of the one before.
#[derive(Clone)]
pub(crate) struct AuditEvent {
    record: AuditedId,
    view: EventView,
}

impl AuditEvent {
    fn event(&self) -> &audit::AuditEvent {
        &self.view.stored.event
    }

    /// Something that is said of an event beside the chain.
    fn detail(&self, name: &str) -> Option<&Value> {
        let details = self.view.changes.as_ref().filter(|_| self.event().version().is_none())?;
        details.iter().find(|detail| detail.field == name)?.new.as_ref()
    }

    /// The import and the chunk whose rows it stands for, and the root over the hashes of their events.
    fn chunk(&self) -> Option<(ImportId, Piece, &str)> {
        let AuditedId::Import(import) = self.record else {
            return None;
        };
        let chunk = self.detail("chunk").filter(|_| self.event().change.action == "import.chunk_written")?;
        let from_row = self.detail("fromRow").and_then(Value::as_u64).unwrap_or_default();
        let piece = Piece { chunk: u32::try_from(chunk.as_u64()?).ok()?, from_row };
        Some((import, piece, self.detail("root")?.as_str()?))
    }
}

#[Object]
impl AuditEvent {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::AuditEvent(self.record.clone(), self.event().place.clone()).to_id()
    }

    /// What was done, as `noun.verb`.
    async fn action(&self) -> &str {
        &self.event().change.action
    }

    /// The kind of record.
    async fn entity_type(&self) -> &str {
        &self.event().entity_type
    }

    /// The record; of `presence` and `schedule` the agent whose it is.
    async fn entity_id(&self) -> ID {
        NodeId::of(&self.record).to_id()
    }

    /// The record's version after the change; null for what changed no version, such as a sign-in.
    async fn entity_version(&self) -> Option<u32> {
        self.event().version()
    }

    /// Who did it, as they were at that time.
    async fn actor(&self) -> AuditActor {
        AuditActor(self.event().change.origin.actor.clone())
    }

    /// What changed; empty once the person was erased. Of what changed no version what else there is to say, as new values. Without `contact:read:ALL` the
    /// values of contacts and notes are masked.
    async fn changes(&self) -> Vec<FieldChange> {
        let at = self.event().change.at;
        self.view.changes.iter().flatten().map(|change| FieldChange::at(change.clone(), at)).collect()
    }

    /// How it ended.
    async fn outcome(&self) -> AuditOutcome {
        self.event().outcome.into()
    }

    /// How much it matters: follows from the action and how it ended.
    async fn severity(&self) -> AuditSeverity {
        audit::severity(&self.event().change.action, self.event().outcome).into()
    }

    /// Why it was refused or went wrong, where that is said.
    async fn error_message(&self) -> Option<&str> {
        let is_trouble = self.event().outcome != audit::Outcome::Success;
        ["message", "reason"].into_iter().filter(|_| is_trouble).find_map(|name| self.detail(name)?.as_str())
    }

    /// When: the record's `updatedAt` at that version.
    async fn at(&self) -> DateTime {
        self.event().change.at.into()
    }

    /// When it was recorded: seconds later, or more when the recording was held up. No hash covers it.
    async fn recorded_at(&self) -> DateTime {
        self.view.stored.recorded_at.into()
    }

    /// The request through which it came.
    async fn request_id(&self) -> Option<&str> {
        self.event().change.origin.request_id.as_deref()
    }

    /// The caller's address, as the gateway saw it.
    async fn ip_address(&self) -> Option<&str> {
        self.event().change.origin.ip_address.as_deref()
    }

    /// The caller's own name for its program.
    async fn user_agent(&self) -> Option<&str> {
        self.event().change.origin.user_agent.as_deref()
    }

    /// Why, where who did it had to say.
    async fn reason(&self) -> Option<&str> {
        self.event().change.reason.as_deref()
    }

    /// The bulk job that did it on the actor's behalf.
    async fn job_id(&self) -> Option<ID> {
        self.event().change.origin.job.map(|id| NodeId::BulkJob(id).to_id())
    }

    /// The import whose row it was, or whose own event it is.
    async fn import_id(&self) -> Option<ID> {
        let own = match self.record {
            AuditedId::Import(id) => Some(id),
            _ => None,
        };
        self.event().change.origin.import_id().or(own).map(|id| NodeId::Import(id).to_id())
    }

    /// Of `import.chunk_written` the events of its rows, by their contacts; null of any other. The rows of an import stand in no list by actor or time.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn rows(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Option<Connection<AuditEvent>>> {
        let Some((import, chunk, root)) = self.chunk() else {
            return Ok(None);
        };
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("rows of chunk {chunk} of import {import}"), first, after.as_deref())?;
        let place = asked.after.as_deref().and_then(|place| place.parse().ok());
        let page = use_cases::rows(&ctx.api().services, viewer, import, chunk, root, place, asked.first).await.map_err(app_error)?;
        Ok(Some(connection(&asked, page)))
    }

    /// SHA-256 over the event's canonical form, which includes the hash before it.
    async fn hash(&self) -> &str {
        &self.view.stored.hash
    }

    /// The hash of the event before it in the record's chain; none for the first, and for what changed no version.
    async fn previous_hash(&self) -> Option<&str> {
        self.event().previous_hash.as_deref()
    }
}

/// A page of events as clients see it.
pub(super) fn connection(asked: &Asked, page: EventPage) -> Connection<AuditEvent> {
    let entries = page.entries.into_iter().filter_map(|(place, view)| Some((place, of_view(view)?))).collect();
    asked.page_until(entries, page.next)
}

/// An event by itself. One about a kind of record that this API doesn't know can't be named: it is left out, and the log says so.
fn of_view(view: EventView) -> Option<AuditEvent> {
    let record = AuditedId::of(&view.stored.event);
    if record.is_none() {
        tracing::error!(entity.kind = view.stored.event.entity_type, "an event is about nothing that is known here");
    }
    Some(AuditEvent { record: record?, view })
}

/// One event of a record; none without the right to see it.
pub(crate) async fn event(ctx: &Context<'_>, record: AuditedId, place: &Place) -> Result<Option<AuditEvent>> {
    let found = use_cases::event(&ctx.api().services, ctx.viewer(), &record, place).await.or_else(crate::errors::hidden).map_err(app_error)?;
    Ok(found.map(|view| AuditEvent { record, view }))
}
