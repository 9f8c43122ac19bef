//! A team and its memberships as clients see them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Json, Object, Result};
use serde_json::Value;
use switchboard_app::{AppError, teams};
use switchboard_domain::ids::AgentId;
use switchboard_domain::{person, team};

use crate::agent::{self, Agent};
use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};
use crate::scalars::DateTime;

/// A team of agents.
#[derive(Clone)]
pub(crate) struct Team(pub(crate) Arc<team::Team>);

impl From<team::Team> for Team {
    fn from(team: team::Team) -> Self {
        Self(Arc::new(team))
    }
}

#[Object]
impl Team {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Team(self.0.id).to_id()
    }

    /// Unique among the teams of the tenant that aren't deleted.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How many members it has.
    async fn member_count(&self) -> u32 {
        self.0.member_count
    }

    /// Who is in it, in no particular order.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<Membership>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("members of team {}", self.0.id), first, after.as_deref())?;
        let place = asked.after.as_deref().and_then(AgentId::parse);
        let page = teams::members(&ctx.api().services, viewer, self.0.id, place, asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|member| (member.agent.to_string(), Membership(member))).collect();
        Ok(asked.page(entries, page.has_more))
    }

    /// Everything that was changed, newest first; who came and went too, as `members.<agent>`.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::Team(self.0.id), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far. Its members are given by their ids, each with what they were in it.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::Team(self.0.id), time).await
    }

    /// Counts its changes, those of its members too: give it as `expectedVersion`.
    async fn version(&self) -> u32 {
        self.0.record.version
    }

    /// When the record was made.
    async fn created_at(&self) -> DateTime {
        self.0.record.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.record.updated_at().into()
    }

    /// When it was deleted.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.0.deleted_at.map(DateTime)
    }

    /// Who made it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.record.created_by.clone())
    }

    /// Who changed it last, as they were then.
    async fn updated_by(&self) -> AuditActor {
        AuditActor(self.0.record.last_change.origin.actor.clone())
    }
}

/// What a member is in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "person::MembershipRole")]
pub(crate) enum MembershipRole {
    /// A member.
    Agent,
    /// Leads it.
    TeamLead,
    /// Supervises it.
    Supervisor,
}

/// An agent's place in a team.
#[derive(Clone)]
pub(crate) struct Membership(pub(crate) team::Membership);

#[Object]
impl Membership {
    /// The agent.
    async fn agent(&self, ctx: &Context<'_>) -> Result<Agent> {
        agent::agent(ctx, self.0.agent).await?.ok_or_else(|| app_error(AppError::Broken("a membership has no agent".to_owned())))
    }

    /// The team.
    async fn team(&self, ctx: &Context<'_>) -> Result<Team> {
        super::team(ctx, self.0.team).await?.ok_or_else(|| app_error(AppError::Broken("a membership has no team".to_owned())))
    }

    /// What the agent is in the team.
    async fn role(&self) -> MembershipRole {
        self.0.role.into()
    }

    /// Since when the agent is in the team; another role doesn't change it.
    async fn assigned_at(&self) -> DateTime {
        self.0.assigned_at.into()
    }
}
