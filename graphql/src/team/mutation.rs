//! The mutations of teams and their members.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::teams::{self, CreateTeam, DeleteTeam, PlaceMember, PlacedMember, RemoveMember, UpdateTeam};

use super::{Membership, MembershipRole, Team};
use crate::agent::Agent;
use crate::bulk_job::BulkJob;
use crate::contact::{agent_id, team_id};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};

/// A team to be created.
#[derive(InputObject)]
pub(crate) struct TeamCreateInput {
    /// Its name: at most 100 characters, unique among the teams that aren't deleted, whatever its capitals, accents, spaces and punctuation.
    name: String,
    /// The client's own key for this creation, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// A team to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct TeamUpdateInput {
    /// The team.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
    /// Its name: at most 100 characters.
    name: MaybeUndefined<String>,
}

/// A team to be deleted.
#[derive(InputObject)]
pub(crate) struct TeamDeleteInput {
    /// The team.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
}

/// A team to be restored.
#[derive(InputObject)]
pub(crate) struct TeamRestoreInput {
    /// The team.
    id: ID,
}

/// An agent to be put into a team.
#[derive(InputObject)]
pub(crate) struct TeamAddMemberInput {
    /// The team.
    team_id: ID,
    /// The agent.
    agent_id: ID,
    /// What the agent is to be in it.
    #[graphql(default_with = "MembershipRole::Agent")]
    role: MembershipRole,
}

/// A member to be given another role.
#[derive(InputObject)]
pub(crate) struct TeamUpdateMemberInput {
    /// The team.
    team_id: ID,
    /// The agent.
    agent_id: ID,
    /// What the agent is to be in it.
    role: MembershipRole,
}

/// A member to be taken out of a team.
#[derive(InputObject)]
pub(crate) struct TeamRemoveMemberInput {
    /// The team.
    team_id: ID,
    /// The agent.
    agent_id: ID,
}

/// What came of creating a team.
#[derive(SimpleObject)]
pub(crate) struct TeamCreatePayload {
    /// The team; null exactly when there are errors.
    team: Option<Team>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of changing a team.
#[derive(SimpleObject)]
pub(crate) struct TeamUpdatePayload {
    /// The team as it is now; null exactly when there are errors.
    team: Option<Team>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of deleting a team.
#[derive(SimpleObject)]
pub(crate) struct TeamDeletePayload {
    /// The team, deleted; null exactly when there are errors.
    team: Option<Team>,
    /// The job that ends its memberships and takes the contacts out of its pool; null exactly when there are errors.
    job: Option<BulkJob>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of restoring a team.
#[derive(SimpleObject)]
pub(crate) struct TeamRestorePayload {
    /// The team, without members; null exactly when there are errors.
    team: Option<Team>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of putting an agent into a team.
#[derive(SimpleObject)]
pub(crate) struct TeamAddMemberPayload {
    /// The agent's place in the team; null exactly when there are errors.
    membership: Option<Membership>,
    /// The team as it is now; null exactly when there are errors.
    team: Option<Team>,
    /// Whether anything was changed: not when the agent was that in the team already.
    changed: bool,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of giving a member another role.
#[derive(SimpleObject)]
pub(crate) struct TeamUpdateMemberPayload {
    /// The agent's place in the team; null exactly when there are errors.
    membership: Option<Membership>,
    /// The team as it is now; null exactly when there are errors.
    team: Option<Team>,
    /// Whether anything was changed: not when the agent was that in the team already.
    changed: bool,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of taking a member out of a team.
#[derive(SimpleObject)]
pub(crate) struct TeamRemoveMemberPayload {
    /// The team as it is now; null exactly when there are errors.
    team: Option<Team>,
    /// The agent as they are now; null exactly when there are errors.
    agent: Option<Agent>,
    /// Whether anything was changed.
    changed: bool,
    /// What to mend.
    user_errors: Vec<UserError>,
}

fn shown(errors: Vec<AppUserError>) -> Vec<UserError> {
    errors.into_iter().map(UserError::from).collect()
}

/// A member's place, the team, and whether anything was changed.
fn placed(placed: PlacedMember) -> (Option<Membership>, Option<Team>, bool) {
    (Some(Membership(placed.membership)), Some(placed.team.into()), placed.changed)
}

/// The mutations of teams.
#[derive(Default)]
pub(crate) struct TeamMutation;

#[Object]
impl TeamMutation {
    /// Creates a team without members. A name that another team has is TAKEN.
    async fn team_create(&self, ctx: &Context<'_>, #[graphql(desc = "The team.")] input: TeamCreateInput) -> Result<TeamCreatePayload> {
        let request = CreateTeam { name: input.name, idempotency_key: input.idempotency_key };
        Ok(match teams::create(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(team) => TeamCreatePayload { team: Some(team.into()), user_errors: Vec::new() },
            Err(errors) => TeamCreatePayload { team: None, user_errors: shown(errors) },
        })
    }

    /// Renames a team.
    async fn team_update(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: TeamUpdateInput) -> Result<TeamUpdatePayload> {
        let request = UpdateTeam { id: team_id(&input.id), expected_version: input.expected_version, name: input.name.into() };
        Ok(match teams::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(team) => TeamUpdatePayload { team: Some(team.into()), user_errors: Vec::new() },
            Err(errors) => TeamUpdatePayload { team: None, user_errors: shown(errors) },
        })
    }

    /// Deletes a team. Its name is free at once; a job, begun after 20 seconds, ends its memberships one by one and takes the contacts out of its pool,
    /// into the tenant's. A deleted team can be deleted again, at any version, for a job that could not be asked for or failed.
    async fn team_delete(&self, ctx: &Context<'_>, #[graphql(desc = "The team.")] input: TeamDeleteInput) -> Result<TeamDeletePayload> {
        let request = DeleteTeam { id: team_id(&input.id), expected_version: input.expected_version };
        Ok(match teams::delete(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(deleted) => TeamDeletePayload { team: Some(deleted.team.into()), job: Some(deleted.job.into()), user_errors: Vec::new() },
            Err(errors) => TeamDeletePayload { team: None, job: None, user_errors: shown(errors) },
        })
    }

    /// Brings a deleted team back, without the members it had; FORBIDDEN_TRANSITION until the last of them has left, TAKEN when another team has its name
    /// by now.
    async fn team_restore(&self, ctx: &Context<'_>, #[graphql(desc = "The team.")] input: TeamRestoreInput) -> Result<TeamRestorePayload> {
        Ok(match teams::restore(&ctx.api().services, ctx.viewer(), team_id(&input.id)).await.map_err(app_error)? {
            Ok(team) => TeamRestorePayload { team: Some(team.into()), user_errors: Vec::new() },
            Err(errors) => TeamRestorePayload { team: None, user_errors: shown(errors) },
        })
    }

    /// Puts an agent into a team. A member is given the role; when they have it already, nothing is changed. An agent can be in 20 teams.
    async fn team_add_member(&self, ctx: &Context<'_>, #[graphql(desc = "The agent and the team.")] input: TeamAddMemberInput) -> Result<TeamAddMemberPayload> {
        let request = PlaceMember { team: team_id(&input.team_id), agent: agent_id(&input.agent_id), role: input.role.into() };
        let answer = teams::add_member(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?;
        let ((membership, team, changed), user_errors) = answer.map_or_else(|errors| ((None, None, false), shown(errors)), |done| (placed(done), Vec::new()));
        Ok(TeamAddMemberPayload { membership, team, changed, user_errors })
    }

    /// Gives a member of a team another role. Who isn't in the team is NOT_FOUND.
    async fn team_update_member(&self, ctx: &Context<'_>, #[graphql(desc = "The member and the role.")] input: TeamUpdateMemberInput) -> Result<TeamUpdateMemberPayload> {
        let request = PlaceMember { team: team_id(&input.team_id), agent: agent_id(&input.agent_id), role: input.role.into() };
        let answer = teams::update_member(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?;
        let ((membership, team, changed), user_errors) = answer.map_or_else(|errors| ((None, None, false), shown(errors)), |done| (placed(done), Vec::new()));
        Ok(TeamUpdateMemberPayload { membership, team, changed, user_errors })
    }

    /// Takes a member out of a team. Who isn't in the team is NOT_FOUND.
    async fn team_remove_member(&self, ctx: &Context<'_>, #[graphql(desc = "The member.")] input: TeamRemoveMemberInput) -> Result<TeamRemoveMemberPayload> {
        let request = RemoveMember { team: team_id(&input.team_id), agent: agent_id(&input.agent_id) };
        Ok(match teams::remove_member(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(removed) => {
                TeamRemoveMemberPayload { team: Some(removed.team.into()), agent: Some(Agent(Arc::new(removed.agent))), changed: true, user_errors: Vec::new() }
            }
            Err(errors) => TeamRemoveMemberPayload { team: None, agent: None, changed: false, user_errors: shown(errors) },
        })
    }
}
