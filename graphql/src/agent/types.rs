//! An agent as clients see it.

use std::sync::Arc;

use async_graphql::{Context, ID, Json, Object, Result};
use serde_json::Value;
use switchboard_app::AppError;
use switchboard_domain::person::{self, AgentTeam};
use switchboard_domain::team::Membership as Place;

use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::context::ContextExt;
use crate::errors::{app_error, shared_error};
use crate::limits::TRAIL_COMPLEXITY;
use crate::loader::{DirectoryEntry, DirectoryKey};
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::presence::{self, Presence};
use crate::scalars::DateTime;
use crate::team::{Membership, Team};
use crate::user::{self, User};

/// A user's entry in the staff directory.
#[derive(Clone)]
pub(crate) struct Agent(pub(crate) Arc<person::Agent>);

impl From<person::Agent> for Agent {
    fn from(agent: person::Agent) -> Self {
        Self(Arc::new(agent))
    }
}

impl Agent {
    /// The agent's places in teams that aren't deleted, and the teams: a deleted one keeps its members until a job has ended their memberships.
    async fn live(&self, ctx: &Context<'_>) -> Result<Vec<(&AgentTeam, Team)>> {
        let keys: Vec<DirectoryKey> = self.0.teams.iter().map(|place| DirectoryKey::Team(place.team)).collect();
        let mut found = ctx.directory().load_many(keys).await.map_err(|error| shared_error(&error))?;
        let mut live = Vec::with_capacity(self.0.teams.len());
        for place in &self.0.teams {
            if let Some(DirectoryEntry::Team(team)) = found.remove(&DirectoryKey::Team(place.team))
                && team.deleted_at.is_none()
            {
                live.push((place, Team(team)));
            }
        }
        Ok(live)
    }
}

#[Object]
impl Agent {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Agent(self.0.id).to_id()
    }

    /// What people call them: the user's name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The address they sign in with.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        ctx.viewer().staff_email(&self.0.id.to_string(), &self.0.sealed_email).map_err(app_error)
    }

    /// The employer's own number for them.
    async fn employee_id(&self) -> Option<&str> {
        self.0.employee_id.as_deref()
    }

    /// The user they sign in as.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        user::user(ctx, self.0.id.into()).await?.ok_or_else(|| app_error(AppError::Broken("an agent has no user".to_owned())))
    }

    /// The teams they are in.
    async fn teams(&self, ctx: &Context<'_>) -> Result<Vec<Team>> {
        Ok(self.live(ctx).await?.into_iter().map(|(_, team)| team).collect())
    }

    /// Their places in teams.
    async fn memberships(&self, ctx: &Context<'_>) -> Result<Vec<Membership>> {
        let of = |place: &AgentTeam| Place { team: place.team, agent: self.0.id, role: place.role, assigned_at: place.assigned_at };
        Ok(self.live(ctx).await?.into_iter().map(|(place, _)| Membership(of(place))).collect())
    }

    /// What they are doing now.
    async fn presence(&self, ctx: &Context<'_>) -> Result<Presence> {
        presence::of_agent(ctx, &self.0).await
    }

    /// IANA time zone of their schedule: their own, or the tenant's.
    async fn time_zone<'a>(&'a self, ctx: &'a Context<'_>) -> &'a str {
        self.0.time_zone.as_deref().unwrap_or(&ctx.viewer().tenant.record.time_zone)
    }

    /// Everything that was changed, newest first; teams they came to and left too, as `teams.<team>`.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::Agent(self.0.id), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far. Their teams are given by their ids, each with what they were in it.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::Agent(self.0.id), time).await
    }

    /// Counts its changes, those of their teams too: give it as `expectedVersion`.
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

    /// When they were taken out of the staff directory.
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
