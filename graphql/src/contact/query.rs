//! The queries for contacts.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::contacts::{self, Walked};

use super::Contact;
use super::filter::{ContactFilterInput, ContactSort};
use crate::context::ContextExt;
use crate::errors::{Code, app_error, hidden};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};

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
        let found = contacts::get(&ctx.api().services, ctx.viewer(), &id).await.or_else(hidden).map_err(app_error)?;
        Ok(found.map(Contact::from))
    }

    /// The contact at a number, written in any way that is valid in the tenant's country; null when there is none, or none for you.
    async fn contact_by_phone(&self, ctx: &Context<'_>, #[graphql(desc = "The number.")] phone: String) -> Result<Option<Contact>> {
        let found = contacts::by_phone(&ctx.api().services, ctx.viewer(), &phone).await.or_else(hidden).map_err(app_error)?;
        Ok(found.map(Contact::from))
    }

    /// The contacts of the tenant, newest first when not asked otherwise. A page may be thin, even empty, when few of the entries examined match: `hasNextPage` tells whether
    /// there is more, and `endCursor` where to go on.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
        #[graphql(desc = "Which contacts; all when not given.")] filter: Option<ContactFilterInput>,
        #[graphql(desc = "In which order.", default_with = "Some(ContactSort::Newest)")] sort: Option<ContactSort>,
    ) -> Result<Connection<Contact>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().into_filter().map_err(|error| Code::BadRequest.error(error.error.message))?;
        let sort = sort.unwrap_or(ContactSort::Newest);
        let list = ContactFilterInput::fingerprint(&filter, sort);
        let asked = Asked::of(viewer.tenant.record.id, &list, first, after.as_deref())?;
        let page = contacts::list(&ctx.api().services, viewer, &filter, asked.after.as_deref(), asked.first, sort).await.map_err(app_error)?;
        Ok(connection(&asked, page))
    }
}

/// A page of contacts, whole where the list had to read them.
pub(crate) fn connection(asked: &Asked, page: Walked) -> Connection<Contact> {
    let Walked { contacts: rows, whole, next, .. } = page;
    let entries = if whole.is_empty() {
        rows.into_iter().map(|row| (row.place.clone(), Contact::from(row))).collect()
    } else {
        rows.into_iter().zip(whole).map(|(row, whole)| (row.place, Contact::from(whole))).collect()
    };
    asked.page_until(entries, next)
}
