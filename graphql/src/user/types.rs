//! A user as clients see them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Json, Object, Result};
use serde_json::Value;
use switchboard_app::{AppError, roles};
use switchboard_domain::permission::Permission;
use switchboard_domain::person;

use crate::agent::{self, Agent};
use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::role::Role;
use crate::scalars::DateTime;

/// Where a user stands with signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "person::UserStatus")]
pub(crate) enum UserStatus {
    /// Asked, not yet signed in.
    Invited,
    /// Can sign in.
    Active,
    /// Can't sign in.
    Disabled,
}

/// Someone who can sign in.
#[derive(Clone)]
pub(crate) struct User(pub(crate) Arc<person::User>);

impl From<person::User> for User {
    fn from(user: person::User) -> Self {
        Self(Arc::new(user))
    }
}

/// Who has one of these for the whole tenant is shown what users may do and whether they can sign in: it is what they decide by.
const ON_USERS: [Permission; 8] = [
    Permission::UserRead,
    Permission::UserInvite,
    Permission::UserUpdate,
    Permission::UserSetRoles,
    Permission::UserDisable,
    Permission::UserEnable,
    Permission::UserResetPassword,
    Permission::UserSignOut,
];

impl User {
    /// That the caller may see what this user may do: names are no secret in a tenant, power is.
    fn check_standing_shown(&self, ctx: &Context<'_>) -> Result<()> {
        let viewer = ctx.viewer();
        let may = viewer.user.id == self.0.id || ON_USERS.into_iter().any(|permission| viewer.require_all(permission).is_ok());
        if may { Ok(()) } else { Err(app_error(AppError::Forbidden)) }
    }
}

#[Object]
impl User {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::User(self.0.id).to_id()
    }

    /// What people call them.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The address they sign in with, in lower case. It never changes.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        ctx.viewer().staff_email(&self.0.id.to_string(), &self.0.sealed_email).map_err(app_error)
    }

    /// Where they stand with signing in. Of others only for who has a permission on users.
    async fn status(&self, ctx: &Context<'_>) -> Result<UserStatus> {
        self.check_standing_shown(ctx)?;
        Ok(self.0.status.into())
    }

    /// The roles they hold. Of others only for who has a permission on users.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>> {
        self.check_standing_shown(ctx)?;
        let held = roles::held(&ctx.api().services, ctx.viewer(), &self.0.roles).await.map_err(app_error)?;
        Ok(held.into_iter().map(Role).collect())
    }

    /// What they may do beside their roles, as `noun:verb:SCOPE`. Of others only for who has a permission on users.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        self.check_standing_shown(ctx)?;
        Ok(self.0.grants.iter().map(ToString::to_string).collect())
    }

    /// Their entry in the staff directory; null for who has none.
    async fn agent(&self, ctx: &Context<'_>) -> Result<Option<Agent>> {
        agent::agent(ctx, self.0.id.into()).await
    }

    /// When they were last signed out everywhere; null for who never was. Of others only for who has a permission on users.
    async fn last_signed_out_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>> {
        self.check_standing_shown(ctx)?;
        Ok(self.0.signed_out_at.map(DateTime))
    }

    /// Everything that was changed, newest first. When they signed in and what they were refused is in the query `auditEvents`.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::User(self.0.id), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::User(self.0.id), time).await
    }

    /// Counts their changes: give it as `expectedVersion`.
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

    /// Who made it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.record.created_by.clone())
    }

    /// Who changed it last, as they were then.
    async fn updated_by(&self) -> AuditActor {
        AuditActor(self.0.record.last_change.origin.actor.clone())
    }
}
