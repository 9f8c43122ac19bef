//! The mutations of agents.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::agents::{self, AgentPatch, CreateAgent, DeleteAgent, UpdateAgent};
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::person;

use super::Agent;
use crate::bulk_job::BulkJob;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;

/// Who is to be made an agent: give `name` and `email` of somebody new, who is then invited, or the `userId` of a user.
#[derive(InputObject)]
pub(crate) struct AgentCreateInput {
    /// A user who is no agent yet.
    user_id: Option<ID>,
    /// What people call them: at most 255 characters.
    name: Option<String>,
    /// The address they are to sign in with; it can't be changed later. Capitals make no difference.
    email: Option<String>,
    /// The employer's own number for them: at most 50 characters.
    employee_id: Option<String>,
    /// IANA time zone of their schedule, such as `America/Toronto`; the tenant's when not given.
    time_zone: Option<String>,
    /// The teams they are to be in, at most 20.
    team_ids: Option<Vec<ID>>,
    /// The ids of the roles they are to hold, of somebody new; the telephonist's when there are none.
    roles: Option<Vec<ID>>,
    /// The client's own key for this creation, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// An agent to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct AgentUpdateInput {
    /// The agent.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
    /// What people call them: at most 255 characters. It is the user's name too.
    name: MaybeUndefined<String>,
    /// The employer's own number for them: at most 50 characters.
    employee_id: MaybeUndefined<String>,
    /// IANA time zone of their schedule; null is the tenant's.
    time_zone: MaybeUndefined<String>,
}

/// An agent to be deleted. Without `assigneeId` and `teamId` their contacts go to the tenant's pool.
#[derive(InputObject)]
pub(crate) struct AgentDeleteInput {
    /// The agent.
    id: ID,
    /// Its version as it was read; another one is STALE. Of who is deleted already it makes no difference.
    expected_version: i32,
    /// The colleague who is to have their contacts.
    assignee_id: Option<ID>,
    /// The team in whose pool their contacts are to be.
    team_id: Option<ID>,
    /// Why, in at most 1,000 characters; it stays on record.
    reason: Option<String>,
}

/// A deleted agent to be brought back.
#[derive(InputObject)]
pub(crate) struct AgentRestoreInput {
    /// The agent.
    id: ID,
}

macro_rules! agent_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The agent; null exactly when there are errors.
            agent: Option<Agent>,
            /// What to mend.
            user_errors: Vec<UserError>,
        }

        impl From<std::result::Result<person::Agent, Vec<AppUserError>>> for $name {
            fn from(result: std::result::Result<person::Agent, Vec<AppUserError>>) -> Self {
                match result {
                    Ok(agent) => Self { agent: Some(agent.into()), user_errors: Vec::new() },
                    Err(errors) => Self { agent: None, user_errors: shown(errors) },
                }
            }
        }
    };
}

agent_payload!(
    /// What came of making an agent.
    AgentCreatePayload
);
agent_payload!(
    /// What came of changing an agent.
    AgentUpdatePayload
);
agent_payload!(
    /// What came of restoring an agent.
    AgentRestorePayload
);

/// What came of deleting an agent.
#[derive(SimpleObject)]
pub(crate) struct AgentDeletePayload {
    /// The agent, deleted; null exactly when there are errors.
    agent: Option<Agent>,
    /// The job that gives their contacts back; null exactly when there are errors.
    job: Option<BulkJob>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

fn shown(errors: Vec<AppUserError>) -> Vec<UserError> {
    errors.into_iter().map(UserError::from).collect()
}

fn agent_id(id: &ID) -> Option<AgentId> {
    match NodeId::parse(id) {
        Some(NodeId::Agent(id)) => Some(id),
        _ => None,
    }
}

fn team_id(id: &ID) -> Option<TeamId> {
    match NodeId::parse(id) {
        Some(NodeId::Team(id)) => Some(id),
        _ => None,
    }
}

/// The mutations of agents.
#[derive(Default)]
pub(crate) struct AgentMutation;

#[Object]
impl AgentMutation {
    /// Makes an agent: of somebody new, who is sent an invitation and is INVITED until they sign in, or of a user. An address that somebody has, anywhere, is
    /// TAKEN; so is a user who is an agent. One whose agent was deleted is CONFLICT: restore that agent.
    async fn agent_create(&self, ctx: &Context<'_>, #[graphql(desc = "The agent.")] input: AgentCreateInput) -> Result<AgentCreatePayload> {
        let request = CreateAgent {
            user: input.user_id.map(|id| match NodeId::parse(&id) {
                Some(NodeId::User(id)) => Some(id),
                _ => None,
            }),
            name: input.name,
            email: input.email,
            employee_id: input.employee_id,
            time_zone: input.time_zone,
            teams: input.team_ids.iter().flatten().map(team_id).collect(),
            roles: input
                .roles
                .iter()
                .flatten()
                .map(|id| match NodeId::parse(id) {
                    Some(NodeId::Role(id)) => Some(id),
                    _ => None,
                })
                .collect(),
            idempotency_key: input.idempotency_key,
        };
        Ok(agents::create(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Changes an agent.
    async fn agent_update(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: AgentUpdateInput) -> Result<AgentUpdatePayload> {
        let patch = AgentPatch { name: input.name.into(), employee_id: input.employee_id.into(), time_zone: input.time_zone.into() };
        let request = UpdateAgent { id: agent_id(&input.id), expected_version: input.expected_version, patch };
        Ok(agents::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Takes an agent out of the staff directory: they leave their teams, their user is disabled, and a job, begun after 20 seconds, gives their contacts
    /// back. Who is deleted can be deleted again, at any version, for what could not be done or asked for.
    async fn agent_delete(&self, ctx: &Context<'_>, #[graphql(desc = "The agent.")] input: AgentDeleteInput) -> Result<AgentDeletePayload> {
        let request = DeleteAgent {
            id: agent_id(&input.id),
            expected_version: input.expected_version,
            assignee: input.assignee_id.as_ref().map(agent_id),
            team: input.team_id.as_ref().map(team_id),
            reason: input.reason,
        };
        Ok(match agents::delete(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(deleted) => AgentDeletePayload { agent: Some(deleted.agent.into()), job: Some(deleted.job.into()), user_errors: Vec::new() },
            Err(errors) => AgentDeletePayload { agent: None, job: None, user_errors: shown(errors) },
        })
    }

    /// Brings a deleted agent back, without the teams and contacts they had. Their user can sign in again.
    async fn agent_restore(&self, ctx: &Context<'_>, #[graphql(desc = "The agent.")] input: AgentRestoreInput) -> Result<AgentRestorePayload> {
        Ok(agents::restore(&ctx.api().services, ctx.viewer(), agent_id(&input.id)).await.map_err(app_error)?.into())
    }
}
