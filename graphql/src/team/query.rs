//! The queries for teams.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::teams;
use switchboard_domain::ids::TeamId;

use super::Team;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden, shared_error};
use crate::loader::{DirectoryEntry, DirectoryKey};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};

/// The queries for teams.
#[derive(Default)]
pub(crate) struct TeamQuery;

#[Object]
impl TeamQuery {
    /// A team by its id, a deleted one too; null when there is none, or none for you.
    async fn team(&self, ctx: &Context<'_>, #[graphql(desc = "The team's id.")] id: ID) -> Result<Option<Team>> {
        let Some(NodeId::Team(id)) = NodeId::parse(&id) else {
            return Ok(None);
        };
        let found = teams::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
        Ok(found.map(Team::from))
    }

    /// The teams by name: all of the tenant, or, with less than `team:read:ALL`, those you are in.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn teams(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
        #[graphql(desc = "Deleted ones too; not when not given.")] include_deleted: Option<bool>,
    ) -> Result<Connection<Team>> {
        let viewer = ctx.viewer();
        let include_deleted = include_deleted.unwrap_or(false);
        let list = if include_deleted { "teams, deleted ones too" } else { "teams" };
        let asked = Asked::of(viewer.tenant.record.id, list, first, after.as_deref())?;
        let page = teams::list(&ctx.api().services, viewer, include_deleted, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|(place, team)| (place, Team::from(team))).collect();
        Ok(asked.page_until(entries, page.next))
    }
}

/// A team by its id, whoever asks: names of teams are no secret in a tenant.
pub(crate) async fn team(ctx: &Context<'_>, id: TeamId) -> Result<Option<Team>> {
    match ctx.directory().load_one(DirectoryKey::Team(id)).await.map_err(|error| shared_error(&error))? {
        Some(DirectoryEntry::Team(team)) => Ok(Some(Team(team))),
        _ => Ok(None),
    }
}
