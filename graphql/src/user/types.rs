//! A user as clients see them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use switchboard_app::roles;
use switchboard_domain::person;

use crate::agent::{self, Agent};
use crate::audit::AuditActor;
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::NodeId;
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

    /// Where they stand with signing in.
    async fn status(&self) -> UserStatus {
        self.0.status.into()
    }

    /// The roles they hold.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>> {
        let held = roles::held(&ctx.api().services, ctx.viewer(), &self.0.roles).await.map_err(app_error)?;
        Ok(held.into_iter().map(Role).collect())
    }

    /// What they may do beside their roles, as `noun:verb:SCOPE`.
    async fn permissions(&self) -> Vec<String> {
        self.0.grants.iter().map(ToString::to_string).collect()
    }

    /// Their entry in the staff directory; null for who has none.
    async fn agent(&self, ctx: &Context<'_>) -> Result<Option<Agent>> {
        agent::agent(ctx, self.0.id.into()).await
    }

    /// When they were last signed out everywhere; null for who never was.
    async fn last_signed_out_at(&self) -> Option<DateTime> {
        self.0.signed_out_at.map(DateTime)
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
