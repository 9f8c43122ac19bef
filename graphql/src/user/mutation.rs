//! The mutations of users.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::users::{self, DisableUser, EnableUser, InviteUser, UpdateUser};
use switchboard_domain::ids::UserId;
use switchboard_domain::person;

use super::User;
use crate::bulk_job::BulkJob;
use crate::contact::{agent_id, team_id};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;
use crate::role::role_id;

/// Somebody to be invited.
#[derive(InputObject)]
pub(crate) struct UserInviteInput {
    /// The address they are to sign in with: at most 128 characters, without letters beyond ASCII. Capitals make no difference, and it can't be changed later.
    email: String,
    /// What people call them: at most 255 characters.
    name: String,
    /// The roles they are to hold, at most 20; the telephonist's when there are none.
    role_ids: Option<Vec<ID>>,
    /// What they may do beside their roles, as `noun:verb:SCOPE`, at most 100; see `permissions`.
    permissions: Option<Vec<String>>,
    /// The client's own key for this invitation, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// A user to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct UserUpdateInput {
    /// The user.
    id: ID,
    /// Their version as it was read; another one is STALE.
    expected_version: i32,
    /// What people call them: at most 255 characters. It is the agent's name too.
    name: MaybeUndefined<String>,
    /// The roles they are to hold, all of them, at most 20.
    role_ids: MaybeUndefined<Vec<ID>>,
    /// What they may do beside their roles, all of it, as `noun:verb:SCOPE`, at most 100; see `permissions`.
    permissions: MaybeUndefined<Vec<String>>,
}

/// Somebody who is to be sent the invitation again.
#[derive(InputObject)]
pub(crate) struct UserResendInvitationInput {
    /// The user.
    id: ID,
}

/// A user to be stopped from signing in. Without `assigneeId` and `teamId` their contacts go to the tenant's pool.
#[derive(InputObject)]
pub(crate) struct UserDisableInput {
    /// The user.
    id: ID,
    /// Their version as it was read; another one is STALE. Of who is disabled already it makes no difference.
    expected_version: i32,
    /// Why, in at most 1,000 characters; it stays on record.
    reason: String,
    /// The colleague who is to have their contacts.
    assignee_id: Option<ID>,
    /// The team in whose pool their contacts are to be.
    team_id: Option<ID>,
}

/// A disabled user to be let in again.
#[derive(InputObject)]
pub(crate) struct UserEnableInput {
    /// The user.
    id: ID,
    /// Their version as it was read; another one is STALE.
    expected_version: i32,
}

/// A user who is to choose another password.
#[derive(InputObject)]
pub(crate) struct UserResetPasswordInput {
    /// The user.
    id: ID,
}

/// A user to be signed out everywhere.
#[derive(InputObject)]
pub(crate) struct UserSignOutInput {
    /// The user; yourself when not given.
    id: Option<ID>,
}

macro_rules! user_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The user as they are now; null exactly when there are errors.
            user: Option<User>,
            /// What to mend.
            user_errors: Vec<UserError>,
        }

        impl From<std::result::Result<person::User, Vec<AppUserError>>> for $name {
            fn from(result: std::result::Result<person::User, Vec<AppUserError>>) -> Self {
                match result {
                    Ok(user) => Self { user: Some(user.into()), user_errors: Vec::new() },
                    Err(errors) => Self { user: None, user_errors: shown(errors) },
                }
            }
        }
    };
}

user_payload!(
    /// What came of inviting somebody.
    UserInvitePayload
);
user_payload!(
    /// What came of changing a user.
    UserUpdatePayload
);
user_payload!(
    /// What came of sending an invitation again.
    UserResendInvitationPayload
);
user_payload!(
    /// What came of letting a user in again.
    UserEnablePayload
);
user_payload!(
    /// What came of resetting a password.
    UserResetPasswordPayload
);
user_payload!(
    /// What came of signing a user out.
    UserSignOutPayload
);

/// What came of stopping a user.
#[derive(SimpleObject)]
pub(crate) struct UserDisablePayload {
    /// The user, disabled; null exactly when there are errors.
    user: Option<User>,
    /// The job that gives their contacts back; null for who is no agent, and when there are errors.
    job: Option<BulkJob>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

fn shown(errors: Vec<AppUserError>) -> Vec<UserError> {
    errors.into_iter().map(UserError::from).collect()
}

fn user_id(id: &ID) -> Option<UserId> {
    match NodeId::parse(id) {
        Some(NodeId::User(id)) => Some(id),
        _ => None,
    }
}

/// The mutations of users.
#[derive(Default)]
pub(crate) struct UserMutation;

#[Object]
impl UserMutation {
    /// Invites somebody: they are sent a message with a password that is replaced at the first sign-in, and are INVITED until then. An address that a user has,
    /// anywhere, is TAKEN. Roles other than `telephonist` and `agent`, and permissions, are NOT_ALLOWED unless you may set roles and have all that they grant.
    async fn user_invite(&self, ctx: &Context<'_>, #[graphql(desc = "The person.")] input: UserInviteInput) -> Result<UserInvitePayload> {
        let request = InviteUser {
            email: input.email,
            name: input.name,
            roles: input.role_ids.iter().flatten().map(role_id).collect(),
            permissions: input.permissions.unwrap_or_default(),
            idempotency_key: input.idempotency_key,
        };
        Ok(users::invite(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Changes a user's name, roles and permissions. What you don't have yourself you can neither give nor take: NOT_ALLOWED, as is taking the last
    /// administrator's role. It is in force everywhere within 30 seconds.
    async fn user_update(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: UserUpdateInput) -> Result<UserUpdatePayload> {
        let roles: Option<Option<Vec<ID>>> = input.role_ids.into();
        let request = UpdateUser {
            id: user_id(&input.id),
            expected_version: input.expected_version,
            name: input.name.into(),
            roles: roles.map(|ids| ids.map(|ids| ids.iter().map(role_id).collect())),
            permissions: input.permissions.into(),
        };
        Ok(users::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Sends somebody who is INVITED the message again, with another password; anybody else is FORBIDDEN_TRANSITION.
    async fn user_resend_invitation(&self, ctx: &Context<'_>, #[graphql(desc = "The user.")] input: UserResendInvitationInput) -> Result<UserResendInvitationPayload> {
        Ok(users::resend(&ctx.api().services, ctx.viewer(), user_id(&input.id)).await.map_err(app_error)?.into())
    }

    /// Stops a user from signing in, and refuses the tokens they have within 30 seconds. A job, begun after 20 seconds, gives an agent's contacts back. Who is
    /// disabled can be disabled again, at any version, for what could not be done or asked for. Yourself and the last administrator are NOT_ALLOWED.
    async fn user_disable(&self, ctx: &Context<'_>, #[graphql(desc = "The user.")] input: UserDisableInput) -> Result<UserDisablePayload> {
        let request = DisableUser {
            id: user_id(&input.id),
            expected_version: input.expected_version,
            reason: input.reason,
            assignee: input.assignee_id.as_ref().map(agent_id),
            team: input.team_id.as_ref().map(team_id),
        };
        Ok(match users::disable(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(disabled) => UserDisablePayload { user: Some(disabled.user.into()), job: disabled.job.map(BulkJob::from), user_errors: Vec::new() },
            Err(errors) => UserDisablePayload { user: None, job: None, user_errors: shown(errors) },
        })
    }

    /// Lets a disabled user sign in again: with their password, or, when they never did, with the invitation. One who was deleted as an agent is CONFLICT:
    /// restore the agent.
    async fn user_enable(&self, ctx: &Context<'_>, #[graphql(desc = "The user.")] input: UserEnableInput) -> Result<UserEnablePayload> {
        let request = EnableUser { id: user_id(&input.id), expected_version: input.expected_version };
        Ok(users::enable(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Makes a user's password useless, and sends them the message with which they choose another. Their sessions go on: `userSignOut` ends them. Who never
    /// signed in, or is disabled, is FORBIDDEN_TRANSITION.
    async fn user_reset_password(&self, ctx: &Context<'_>, #[graphql(desc = "The user.")] input: UserResetPasswordInput) -> Result<UserResetPasswordPayload> {
        Ok(users::reset_password(&ctx.api().services, ctx.viewer(), user_id(&input.id)).await.map_err(app_error)?.into())
    }

    /// Signs a user out everywhere, or yourself: the tokens there are are refused within 30 seconds, and can't be renewed.
    async fn user_sign_out(&self, ctx: &Context<'_>, #[graphql(desc = "The user.")] input: UserSignOutInput) -> Result<UserSignOutPayload> {
        Ok(users::sign_out(&ctx.api().services, ctx.viewer(), input.id.as_ref().map(user_id)).await.map_err(app_error)?.into())
    }
}
