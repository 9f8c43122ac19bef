//! The queries for users.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::users;
use switchboard_domain::ids::UserId;

use super::User;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden, shared_error};
use crate::loader::{DirectoryEntry, DirectoryKey};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};

/// The queries for users.
#[derive(Default)]
pub(crate) struct UserQuery;

#[Object]
impl UserQuery {
    /// The users by name, invited and disabled ones too. Who is renamed between two pages may come twice or not at all, nobody else.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<User>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, "users", first, after.as_deref())?;
        let page = users::list(&ctx.api().services, viewer, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|(place, user)| (place, User::from(user))).collect();
        Ok(asked.page_until(entries, page.next))
    }

    /// A user by their id; null when there is none, or none for you.
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "The user's id.")] id: ID) -> Result<Option<User>> {
        let Some(NodeId::User(id)) = NodeId::parse(&id) else {
            return Ok(None);
        };
        let found = users::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
        Ok(found.map(User::from))
    }
}

/// A user by their id, whoever asks: names of colleagues are no secret in a tenant.
pub(crate) async fn user(ctx: &Context<'_>, id: UserId) -> Result<Option<User>> {
    match ctx.directory().load_one(DirectoryKey::User(id)).await.map_err(|error| shared_error(&error))? {
        Some(DirectoryEntry::User(user)) => Ok(Some(User(user))),
        _ => Ok(None),
    }
}
