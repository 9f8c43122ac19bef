//! The audit trail of a record.

use async_graphql::{Context, Enum, ID, Json, Object, Result, SimpleObject};
use serde_json::Value;
use switchboard_app::contacts::{self, EventView};
use switchboard_app::{AppError, audit as app};
use switchboard_domain::actor::{self, Actor};
use switchboard_domain::audit;
use switchboard_domain::contact::is_sensitive;
use switchboard_domain::ids::{AgentId, ContactId, ImportId, StatusId, TeamId, UserId};
use switchboard_domain::person::Agent;
use switchboard_domain::team::Team;
use switchboard_store::Page;

use crate::contact::MASK;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};
use crate::scalars::DateTime;

/// The kinds of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "actor::ActorKind")]
pub(crate) enum ActorType {
    /// A person who signed in.
    User,
    /// The system itself.
    System,
    /// An import.
    Import,
    /// A program with a key of its own.
    ApiKey,
}

/// Who did something, as they were at that time.
#[derive(Debug, Clone)]
pub(crate) struct AuditActor(pub(crate) Actor);

#[Object]
impl AuditActor {
    /// The kind of actor.
    #[graphql(name = "type")]
    async fn kind(&self) -> ActorType {
        self.0.kind.into()
    }

    /// The user or the import; none for the system.
    async fn id(&self) -> Option<ID> {
        let id = self.0.id.as_deref()?;
        match self.0.kind {
            actor::ActorKind::User => UserId::parse(id).map(|id| NodeId::User(id).to_id()),
            actor::ActorKind::Import => ImportId::parse(id).map(|id| NodeId::Import(id).to_id()),
            actor::ActorKind::System | actor::ActorKind::ApiKey => None,
        }
    }

    /// The name at that time; an import's is its file's.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The e-mail address at that time.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match (&self.0.id, &self.0.email) {
            (Some(id), Some(sealed)) => ctx.viewer().staff_email(id, sealed).map(Some).map_err(app_error),
            _ => Ok(None),
        }
    }

    /// The codes of the roles held at that time.
    async fn roles(&self) -> &[String] {
        &self.0.roles
    }
}

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

/// One field's change.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct FieldChange {
    /// The field by its name here; attributes as `attributes.<name>`.
    field: String,
    /// Its value before; null when it had none.
    old_value: Option<Json<Value>>,
    /// Its value after; null when it has none.
    new_value: Option<Json<Value>>,
}

impl FieldChange {
    /// A change as clients see it: ids of other records in their global form, the values of sensitive attributes masked.
    fn of(change: &audit::FieldChange) -> Self {
        let value = |value: &Option<Value>| value.as_ref().map(|value| Json(shown_value(&change.field, value)));
        Self { field: shown_field(&change.field), old_value: value(&change.old), new_value: value(&change.new) }
    }
}

/// The name of an audited field as clients see it: the id in it in its global form.
fn shown_field(field: &str) -> String {
    let id = match field.split_once('.') {
        Some(("members", id)) => AgentId::parse(id).map(NodeId::Agent),
        Some(("teams", id)) => TeamId::parse(id).map(NodeId::Team),
        _ => None,
    };
    match (id, field.split_once('.')) {
        (Some(id), Some((list, _))) => format!("{list}.{}", id.to_id().0),
        _ => field.to_owned(),
    }
}

/// The value of an audited field as clients see it: ids of other records in their global form, sensitive attributes masked.
pub(crate) fn shown_value(field: &str, value: &Value) -> Value {
    if field.strip_prefix("attributes.").is_some_and(is_sensitive) {
        return Value::from(MASK);
    }
    let id = value.as_str().and_then(|text| match field {
        "status" => StatusId::parse(text).map(NodeId::ContactStatus),
        "assignee" => AgentId::parse(text).map(NodeId::Agent),
        "team" => TeamId::parse(text).map(NodeId::Team),
        "mergedInto" => ContactId::parse(text).map(NodeId::Contact),
        _ => None,
    });
    id.map_or_else(|| value.clone(), |id| Value::String(id.to_id().0))
}

/// One recorded change. Events are never changed; each carries the hash of the one before it.
#[derive(Clone)]
pub(crate) struct AuditEvent {
    record: AuditedId,
    view: EventView,
}

#[Object]
impl AuditEvent {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::AuditEvent(self.record.clone(), self.view.stored.event.version).to_id()
    }

    /// What was done, as `noun.verb`.
    async fn action(&self) -> &str {
        &self.view.stored.event.change.action
    }

    /// The kind of record.
    async fn entity_type(&self) -> &str {
        &self.view.stored.event.entity_type
    }

    /// The record.
    async fn entity_id(&self) -> ID {
        self.record.record().to_id()
    }

    /// The record's version after the change.
    async fn entity_version(&self) -> Option<u32> {
        Some(self.view.stored.event.version)
    }

    /// Who did it, as they were at that time.
    async fn actor(&self) -> AuditActor {
        AuditActor(self.view.stored.event.change.origin.actor.clone())
    }

    /// What changed; empty once the person was erased.
    async fn changes(&self) -> Vec<FieldChange> {
        self.view.changes.iter().flatten().map(FieldChange::of).collect()
    }

    /// How it ended.
    async fn outcome(&self) -> AuditOutcome {
        self.view.stored.event.outcome.into()
    }

    /// When: the record's `updatedAt` at that version.
    async fn at(&self) -> DateTime {
        self.view.stored.event.change.at.into()
    }

    /// The request through which it came.
    async fn request_id(&self) -> Option<&str> {
        self.view.stored.event.change.origin.request_id.as_deref()
    }

    /// The caller's address, as the gateway saw it.
    async fn ip_address(&self) -> Option<&str> {
        self.view.stored.event.change.origin.ip_address.as_deref()
    }

    /// The caller's own name for its program.
    async fn user_agent(&self) -> Option<&str> {
        self.view.stored.event.change.origin.user_agent.as_deref()
    }

    /// Why, where who did it had to say.
    async fn reason(&self) -> Option<&str> {
        self.view.stored.event.change.reason.as_deref()
    }

    /// The bulk job that did it on the actor's behalf.
    async fn job_id(&self) -> Option<ID> {
        self.view.stored.event.change.origin.job.map(|id| NodeId::BulkJob(id).to_id())
    }

    /// The import whose row it was.
    async fn import_id(&self) -> Option<ID> {
        self.view.stored.event.change.origin.import_id().map(|id| NodeId::Import(id).to_id())
    }

    /// SHA-256 over the event's canonical form, which includes the hash before it.
    async fn hash(&self) -> &str {
        &self.view.stored.hash
    }

    /// The hash of the event before it in the record's chain; none for the first.
    async fn previous_hash(&self) -> Option<&str> {
        self.view.stored.event.previous_hash.as_deref()
    }
}

/// A page of a record's events, newest first.
pub(crate) async fn events(ctx: &Context<'_>, record: AuditedId, first: Option<i32>, after: Option<&str>) -> Result<Connection<AuditEvent>> {
    let asked = Asked::of(ctx.viewer().tenant.record.id, &format!("auditEvents of {record:?}"), first, after)?;
    let before = asked.after.as_deref().and_then(|place| place.parse().ok());
    let page = history(ctx, &record, before, asked.first).await.map_err(app_error)?;
    let entries = page.entries.into_iter().map(|view| (view.stored.event.version.to_string(), AuditEvent { record: record.clone(), view })).collect();
    Ok(asked.page(entries, page.has_more))
}

/// One event of a record; none without the right to see it.
pub(crate) async fn event(ctx: &Context<'_>, record: &AuditedId, version: u32) -> Result<Option<AuditEvent>> {
    let Some(before) = version.checked_add(1) else {
        return Ok(None);
    };
    let page = history(ctx, record, Some(before), 1).await.map(Some).or_else(hidden).map_err(app_error)?;
    let view = page.and_then(|page| page.entries.into_iter().find(|view| view.stored.event.version == version));
    Ok(view.map(|view| AuditEvent { record: record.clone(), view }))
}

async fn history(ctx: &Context<'_>, record: &AuditedId, before: Option<u32>, first: usize) -> std::result::Result<Page<EventView>, AppError> {
    let (services, viewer) = (&ctx.api().services, ctx.viewer());
    match record {
        AuditedId::Contact(id) => contacts::history(services, viewer, id, before, first).await,
        AuditedId::Agent(id) => app::history::<Agent>(services, viewer, &id.to_string(), before, first).await,
        AuditedId::Team(id) => app::history::<Team>(services, viewer, &id.to_string(), before, first).await,
    }
}
