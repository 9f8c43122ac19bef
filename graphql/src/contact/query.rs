//! The queries for contacts.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::contacts;

use super::Contact;
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};
use crate::people;

/// The queries for contacts.
#[derive(Default)]
pub(crate) struct ContactQuery;

#[Object]
impl ContactQuery {
    /// A contact by its id; null when there is none, or none for you.
    async fn contact(&self, ctx: &Context<'_>, #[graphql(desc = "The contact's id.")] id: ID) -> Result<Option<Contact>> {
        let Some(NodeId::Contact(id)) = NodeId::parse(&id) else {
            return Ok(None);
        };
        let found = contacts::get(&ctx.api().services, ctx.viewer(), &id).await.or_else(people::hidden).map_err(app_error)?;
        Ok(found.map(Contact::from))
    }

    /// The contact at a number, written in any way that is valid in the tenant's country; null when there is none, or none for you.
    async fn contact_by_phone(&self, ctx: &Context<'_>, #[graphql(desc = "The number.")] phone: String) -> Result<Option<Contact>> {
        let found = contacts::by_phone(&ctx.api().services, ctx.viewer(), &phone).await.or_else(people::hidden).map_err(app_error)?;
        Ok(found.map(Contact::from))
    }

    /// The contacts of the tenant, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<Contact>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, "contacts", first, after.as_deref())?;
        let page = contacts::newest(&ctx.api().services, viewer, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|row| (row.place.clone(), Contact::from(row))).collect();
        Ok(asked.page(entries, page.has_more))
    }
}
