//! Contacts that may be one person.

use async_graphql::{Context, Enum, ID, Object, Result};
use switchboard_app::contacts::{self, Duplicates, DuplicatesPlace};
use switchboard_domain::search;

use super::Contact;
use crate::context::ContextExt;
use crate::errors::{Code, app_error};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection, Listed};

/// What contacts have in common that may be one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "search::DuplicateReason")]
pub(crate) enum ContactDuplicatesReason {
    /// The e-mail address.
    SameEmail,
    /// The name, but for case, accents and punctuation, and the postal code.
    SameNameAndPostalCode,
}

/// Contacts that may be one person.
#[derive(Clone)]
pub(crate) struct ContactDuplicates {
    reason: ContactDuplicatesReason,
    contacts: Vec<Contact>,
}

impl Listed for ContactDuplicates {
    const NAME: &'static str = "ContactDuplicates";
}

impl From<Duplicates> for ContactDuplicates {
    fn from(found: Duplicates) -> Self {
        Self { reason: found.reason.into(), contacts: found.contacts.into_iter().map(Contact::from).collect() }
    }
}

#[Object]
impl ContactDuplicates {
    /// What they have in common.
    async fn reason(&self) -> ContactDuplicatesReason {
        self.reason
    }

    /// The contacts: at least two, the oldest first; of more than 100 the oldest 100.
    #[graphql(complexity = "5 * child_complexity")]
    async fn contacts(&self) -> &[Contact] {
        &self.contacts
    }
}

/// The query for contacts that may be one person.
#[derive(Default)]
pub(crate) struct ContactDuplicatesQuery;

#[Object]
impl ContactDuplicatesQuery {
    /// Contacts that may be one person, in groups: one e-mail address, or one name at one postal code. What changed within the last second may be
    /// missing. A page may be thin, even empty: `hasNextPage` tells whether there is more, and `endCursor` where to go on.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn contact_duplicates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many groups, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
        #[graphql(desc = "Only the groups of this contact.")] contact_id: Option<ID>,
    ) -> Result<Connection<ContactDuplicates>> {
        let viewer = ctx.viewer();
        let list = format!("contactDuplicates {}", contact_id.as_ref().map_or("", |id| id.as_str()));
        let asked = Asked::of(viewer.tenant.record.id, &list, first, after.as_deref())?;
        let of = match contact_id.as_ref().map(NodeId::parse) {
            None => None,
            Some(Some(NodeId::Contact(id))) => Some(id),
            Some(_) => return Ok(asked.page(Vec::new(), false)),
        };
        let place = match asked.after.as_deref() {
            None => None,
            Some(place) => Some(DuplicatesPlace::parse(place).ok_or_else(|| Code::BadCursor.error("This cursor is not one of this list. Begin without it."))?),
        };
        let page = contacts::duplicates(&ctx.api().services, viewer, of.as_ref(), place.as_ref(), asked.first).await.map_err(app_error)?;
        let entries = page.groups.into_iter().map(|group| (group.place.to_string(), ContactDuplicates::from(group))).collect();
        Ok(asked.page_until(entries, page.next.map(|next| next.to_string())))
    }
}
