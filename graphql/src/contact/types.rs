//! A contact as clients see it: what a list has is there at once, the rest is read when it is asked for.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Json, Object, Result};
use serde_json::{Map, Value, json};
use switchboard_app::{AppError, contacts, scoring};
use switchboard_domain::contact::{self, is_sensitive};
use switchboard_domain::ids::NoteId;
use switchboard_domain::{phone, status as statuses};
use switchboard_store::contacts::ContactRow;

use super::note::Note;
use crate::agent::{self, Agent};
use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::context::ContextExt;
use crate::errors::{app_error, shared_error};
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};
use crate::scalars::DateTime;
use crate::score::{ReplacedScore, Score, is_told_by_value};
use crate::status::ContactStatus;
use crate::team::{self, Team};

/// What stands for the value of a sensitive attribute.
pub(crate) const MASK: &str = switchboard_app::audit::MASK;

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "phone::PhoneFormat")]
pub(crate) enum PhoneFormat {
    /// `+15145550123`.
    E164,
    /// As written inside its country: `(514) 555-0123`.
    National,
    /// `+1 514-555-0123`.
    International,
}

/// Where a contact's time zone comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "contact::TimeZoneSource")]
pub(crate) enum TimeZoneSource {
    /// Somebody gave it.
    Given,
    /// Where the postal code lies.
    PostalCode,
    /// Where numbers of this area code were given out.
    AreaCode,
    /// The tenant's own, because nothing closer is known.
    Tenant,
}

/// A person to call, identified by phone.
#[derive(Clone)]
pub(crate) struct Contact {
    row: Arc<ContactRow>,
    whole: Option<Arc<contact::Contact>>,
}

impl From<ContactRow> for Contact {
    fn from(row: ContactRow) -> Self {
        Self { row: Arc::new(row), whole: None }
    }
}

impl From<contact::Contact> for Contact {
    fn from(whole: contact::Contact) -> Self {
        Self { row: Arc::new(ContactRow::from(&whole)), whole: Some(Arc::new(whole)) }
    }
}

impl From<Arc<contact::Contact>> for Contact {
    fn from(whole: Arc<contact::Contact>) -> Self {
        Self { row: Arc::new(ContactRow::from(whole.as_ref())), whole: Some(whole) }
    }
}

impl Contact {
    /// Everything there is; read with the other contacts of the page when only the list's part is known.
    async fn whole(&self, ctx: &Context<'_>) -> Result<Arc<contact::Contact>> {
        if let Some(whole) = &self.whole {
            return Ok(Arc::clone(whole));
        }
        let found = ctx.contacts().load_one(self.row.id.clone()).await.map_err(|error| shared_error(&error))?;
        found.ok_or_else(|| app_error(AppError::Unavailable("a contact of the list went while it was read")))
    }

    async fn status_of(&self, ctx: &Context<'_>) -> Result<ContactStatus> {
        let viewer = ctx.viewer();
        let newer = ctx.api().services.tenants.settings_knowing(&viewer.tenant.scope, &viewer.settings, self.row.status).await.map_err(app_error)?;
        let found = newer.as_ref().unwrap_or(&viewer.settings).status(self.row.status).cloned();
        found.map(ContactStatus).ok_or_else(|| app_error(AppError::Broken("a contact's status is not the tenant's".to_owned())))
    }
}

#[Object]
impl Contact {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Contact(self.row.id.clone()).to_id()
    }

    /// The number that identifies the contact, E.164.
    async fn phone(&self) -> &str {
        &self.row.phone
    }

    /// The number as people write it.
    async fn phone_display(&self, #[graphql(desc = "How to write it.", default_with = "Some(PhoneFormat::National)")] format: Option<PhoneFormat>) -> String {
        phone::display(&self.row.phone, format.unwrap_or(PhoneFormat::National).into())
    }

    /// The digits after "ext.".
    async fn phone_extension(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.whole(ctx).await?.details.phone_extension.clone())
    }

    /// Further numbers, E.164.
    async fn alternate_phones(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        Ok(self.whole(ctx).await?.details.alternate_phones.clone())
    }

    /// The person's or company's name.
    async fn name(&self) -> Option<&str> {
        self.row.name.as_deref()
    }

    /// The e-mail address, in lower case.
    async fn email(&self) -> Option<&str> {
        self.row.email.as_deref()
    }

    /// The street address.
    async fn address(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.whole(ctx).await?.details.address.clone())
    }

    /// The city.
    async fn city(&self) -> Option<&str> {
        self.row.city.as_deref()
    }

    /// Province, state, department.
    async fn region(&self) -> Option<&str> {
        self.row.region.as_deref()
    }

    /// The postal code, as its country writes it.
    async fn postal_code(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.whole(ctx).await?.details.postal_code.clone())
    }

    /// ISO 3166-1 alpha-2.
    async fn country(&self) -> Option<&str> {
        self.row.country.as_deref()
    }

    /// IANA; given, or derived from the postal code or the area code, or else the tenant's.
    async fn time_zone(&self) -> Option<&str> {
        Some(&self.row.time_zone.name)
    }

    /// Where the time zone comes from.
    async fn time_zone_source(&self) -> TimeZoneSource {
        self.row.time_zone.source.into()
    }

    /// Where the contact came from, in the tenant's words.
    async fn source(&self) -> Option<&str> {
        self.row.source.as_deref()
    }

    /// The tenant's own columns; the values of sensitive ones are masked.
    async fn attributes(&self, ctx: &Context<'_>) -> Result<Json<Value>> {
        let whole = self.whole(ctx).await?;
        let shown = |(name, value): (&String, &contact::AttributeValue)| (name.clone(), if is_sensitive(name) { json!(MASK) } else { json!(value) });
        Ok(Json(Value::Object(whole.details.attributes.iter().map(shown).collect::<Map<String, Value>>())))
    }

    /// The status.
    async fn status(&self, ctx: &Context<'_>) -> Result<ContactStatus> {
        self.status_of(ctx).await
    }

    /// The agent whose contact it is.
    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<Agent>> {
        match self.row.assignee {
            Some(id) => agent::agent(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The team in whose pool it is.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>> {
        match self.row.team {
            Some(id) => team::team(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The contact must not be called: its status says so, or its number stands on the suppression list.
    async fn do_not_call(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.row.suppressed || self.status_of(ctx).await?.0.code == statuses::DO_NOT_CALL)
    }

    /// When to call next.
    async fn next_contact_at(&self) -> Option<DateTime> {
        self.row.next_contact_at.map(DateTime)
    }

    /// How promising it is; null only for a contact that was made before there were scores, until it is scored for the first time.
    async fn score(&self, ctx: &Context<'_>) -> Result<Option<Score>> {
        if self.whole.is_none() && is_told_by_value(ctx) {
            return Ok(self.row.score.map(Score::of_value));
        }
        Ok(self.whole(ctx).await?.score.clone().map(Score::from))
    }

    /// The scores it had before, newest first. Its present one isn't among them.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn score_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<ReplacedScore>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("scores of contact {}", self.row.id), first, after.as_deref())?;
        let page = scoring::history(&ctx.api().services, viewer, &self.row.id, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.scores.into_iter().map(|replaced| (replaced.place.clone(), ReplacedScore(replaced))).collect();
        Ok(asked.page(entries, page.has_more))
    }

    /// The contact was won.
    async fn converted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.status_of(ctx).await?.0.code == statuses::CONVERTED)
    }

    /// The contact it was merged into; it is deleted then.
    async fn merged_into(&self, ctx: &Context<'_>) -> Result<Option<Contact>> {
        let Some(id) = self.row.merged_into.clone() else {
            return Ok(None);
        };
        let found = ctx.contacts().load_one(id).await.map_err(|error| shared_error(&error))?;
        // To name it isn't to open it.
        let is_opened = ctx.field().selection_set().any(|field| !["id", "__typename"].contains(&field.name()));
        if let Some(contact) = found.as_ref().filter(|_| is_opened) {
            contacts::opened(&ctx.api().services, ctx.viewer(), &contact.id).await.map_err(app_error)?;
        }
        Ok(found.map(Contact::from))
    }

    /// What was written about it, and about those merged into it, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<Note>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("notes of contact {}", self.row.id), first, after.as_deref())?;
        let before = asked.after.as_deref().and_then(NoteId::parse);
        let page = contacts::notes(&ctx.api().services, viewer, &self.row.id, before, asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|note| (note.id.to_string(), Note(note))).collect();
        Ok(asked.page(entries, page.has_more))
    }

    /// Everything that was changed, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::Contact(self.row.id.clone()), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far. Other records are given by their ids; the values of sensitive attributes are masked.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::Contact(self.row.id.clone()), time).await
    }

    /// Counts its changes: give it as `expectedVersion`.
    async fn version(&self) -> u32 {
        self.row.version
    }

    /// When the record was made.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }

    /// When it was deleted.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.row.deleted_at.map(DateTime)
    }

    /// Who made it, as they were then.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<AuditActor> {
        Ok(AuditActor(self.whole(ctx).await?.record.created_by.clone()))
    }

    /// Who changed it last, as they were then.
    async fn updated_by(&self, ctx: &Context<'_>) -> Result<AuditActor> {
        Ok(AuditActor(self.whole(ctx).await?.record.last_change.origin.actor.clone()))
    }
}
