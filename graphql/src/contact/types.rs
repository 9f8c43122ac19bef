//! A contact as clients see it: what a list has is there at once, the rest is read when it is asked for.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Json, Object, Result};
use serde_json::{Map, Value, json};
use switchboard_app::AppError;
use switchboard_domain::contact::{self, is_sensitive};
use switchboard_domain::{phone, status as statuses};
use switchboard_store::contacts::ContactRow;

use crate::audit::{AuditActor, AuditEvent, events_of_contact};
use crate::context::ContextExt;
use crate::errors::{app_error, shared_error};
use crate::node_id::NodeId;
use crate::page::Connection;
use crate::people::{self, Agent, Team};
use crate::scalars::DateTime;
use crate::status::ContactStatus;

/// What stands for the value of a sensitive attribute.
pub(crate) const MASK: &str = "•••";

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
        let details = &whole.details;
        let row = ContactRow {
            id: whole.id.clone(),
            place: String::new(),
            version: whole.record.version,
            created_at: whole.record.created_at,
            updated_at: whole.record.updated_at(),
            deleted_at: whole.deleted_at,
            phone: details.phone.clone(),
            email: details.email.clone(),
            name: details.name.clone(),
            city: details.city.clone(),
            region: details.region.clone(),
            country: details.country.clone(),
            source: details.source.clone(),
            time_zone: details.time_zone.name.clone(),
            status: details.status,
            assignee: details.assignee,
            team: details.team,
            next_contact_at: details.next_contact_at,
        };
        Self { row: Arc::new(row), whole: Some(Arc::new(whole)) }
    }
}

impl Contact {
    /// Everything there is; read with the other contacts of the page when only the list's part is known.
    async fn whole(&self, ctx: &Context<'_>) -> Result<Arc<contact::Contact>> {
        if let Some(whole) = &self.whole {
            return Ok(Arc::clone(whole));
        }
        let found = ctx.contacts().load_one(self.row.id.clone()).await.map_err(|error| shared_error(&error))?;
        found.ok_or_else(|| app_error(AppError::Broken("a contact of the list is not there".to_owned())))
    }

    fn status_of(&self, ctx: &Context<'_>) -> Result<ContactStatus> {
        let found = ctx.viewer().settings.status(self.row.status).cloned();
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
    async fn phone_display(&self, #[graphql(desc = "How to write it.", default_with = "PhoneFormat::National")] format: PhoneFormat) -> String {
        phone::display(&self.row.phone, format.into())
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

    /// IANA; given, or else the tenant's.
    async fn time_zone(&self) -> Option<&str> {
        Some(&self.row.time_zone)
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
        self.status_of(ctx)
    }

    /// The agent whose contact it is.
    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<Agent>> {
        match self.row.assignee {
            Some(id) => people::agent(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The team in whose pool it is.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>> {
        match self.row.team {
            Some(id) => people::team(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The contact must not be called.
    async fn do_not_call(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.status_of(ctx)?.0.code == statuses::DO_NOT_CALL)
    }

    /// When to call next.
    async fn next_contact_at(&self) -> Option<DateTime> {
        self.row.next_contact_at.map(DateTime)
    }

    /// The contact was won.
    async fn converted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.status_of(ctx)?.0.code == statuses::CONVERTED)
    }

    /// Everything that was changed, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events_of_contact(ctx, &self.row.id, first, after.as_deref()).await
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
