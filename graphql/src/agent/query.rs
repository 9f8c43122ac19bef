//! The queries for agents.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::agents::{self, AgentFilter};
use switchboard_domain::ids::AgentId;

use super::Agent;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden, shared_error};
use crate::loader::{DirectoryEntry, DirectoryKey};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};
use crate::presence::PresenceStatus;

/// The queries for agents.
#[derive(Default)]
pub(crate) struct AgentQuery;

#[Object]
impl AgentQuery {
    /// An agent by its id, a deleted one too; null when there is none, or none for you.
    async fn agent(&self, ctx: &Context<'_>, #[graphql(desc = "The agent's id.")] id: ID) -> Result<Option<Agent>> {
        let Some(NodeId::Agent(id)) = NodeId::parse(&id) else {
            return Ok(None);
        };
        let found = agents::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
        Ok(found.map(Agent::from))
    }

    /// The agents by name: all of the tenant, or, with less than `agent:read:ALL`, the members of your teams, or yourself. With a filter a page may be thin,
    /// even empty, when few of the agents looked at match: `hasNextPage` tells whether there may be more, and `endCursor` where to go on. Who is renamed
    /// between two pages may come twice or not at all, nobody else.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn agents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
        #[graphql(desc = "The team they are in.")] team_id: Option<ID>,
        #[graphql(desc = "In one of these statuses. OFFLINE is also who never was there, who fell silent and who was deleted.")] presence: Option<Vec<PresenceStatus>>,
        #[graphql(desc = "Whether they accept leads, of those who are not OFFLINE or fell silent only lately: of who went OFFLINE it is not known here.")]
        accepting_leads: Option<bool>,
        #[graphql(desc = "Deleted ones too; not when not given. They are seen with `agent:read:ALL`.")] include_deleted: Option<bool>,
    ) -> Result<Connection<Agent>> {
        let viewer = ctx.viewer();
        let filter = AgentFilter {
            team: team_id.map(|id| match NodeId::parse(&id) {
                Some(NodeId::Team(id)) => Some(id),
                _ => None,
            }),
            presence: presence.into_iter().flatten().map(Into::into).collect(),
            accepting_leads,
            include_deleted: include_deleted.unwrap_or(false),
        };
        let asked = Asked::of(viewer.tenant.record.id, &format!("agents {filter:?}"), first, after.as_deref())?;
        let page = agents::list(&ctx.api().services, viewer, &filter, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|(place, agent)| (place, Agent::from(agent))).collect();
        Ok(asked.page_until(entries, page.next))
    }
}

/// An agent by its id, whoever asks: names of colleagues are no secret in a tenant.
pub(crate) async fn agent(ctx: &Context<'_>, id: AgentId) -> Result<Option<Agent>> {
    match ctx.directory().load_one(DirectoryKey::Agent(id)).await.map_err(|error| shared_error(&error))? {
        Some(DirectoryEntry::Agent(agent)) => Ok(Some(Agent(agent))),
        _ => Ok(None),
    }
}
