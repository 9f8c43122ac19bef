//! The queries for presences.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::presence;

use super::types::AgentTimeline;
use crate::agent::Agent;
use crate::contact;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::page::Asked;
use crate::scalars::Date;

/// The queries for presences.
#[derive(Default)]
pub(crate) struct PresenceQuery;

#[Object]
impl PresenceQuery {
    /// The agents who can be given work now: AVAILABLE, accepting leads and not silent; the longest idle first. Of your teams with `presence:read:TEAM`, of
    /// the tenant with `presence:read:ALL`.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn available_agents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The team they are in.")] team_id: Option<ID>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
    ) -> Result<Vec<Agent>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, "availableAgents", first, None)?;
        let team = team_id.as_ref().map(contact::team_id);
        let found = presence::available(&ctx.api().services, viewer, team, asked.first).await.map_err(app_error)?;
        Ok(found.into_iter().map(Agent::from).collect())
    }

    /// How long an agent, a deleted one too, was in which status on one of the tenant's days; null when there is no such agent, or none for you. It is kept
    /// for 400 days.
    async fn agent_timeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent's id.", name = "agentId")] agent: ID,
        #[graphql(desc = "The day. One to come is empty.")] date: Date,
    ) -> Result<Option<AgentTimeline>> {
        let Some(agent) = contact::agent_id(&agent) else {
            return Ok(None);
        };
        let found = presence::timeline(&ctx.api().services, ctx.viewer(), agent, date.0).await.or_else(hidden).map_err(app_error)?;
        Ok(found.map(AgentTimeline))
    }
}
