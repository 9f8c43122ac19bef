//! The viewer, users, agents, teams and roles.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use switchboard_app::{AppError, Viewer as SignedIn};
use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_domain::permission::Permission;
use switchboard_domain::{person, team};

use crate::audit::AuditActor;
use crate::context::ContextExt;
use crate::errors::{app_error, shared_error};
use crate::loader::{DirectoryEntry, DirectoryKey};
use crate::node_id::NodeId;
use crate::scalars::DateTime;

/// The signed-in user.
pub(crate) struct Viewer;

#[Object]
impl Viewer {
    /// The user.
    async fn user(&self, ctx: &Context<'_>) -> User {
        User(Arc::clone(&ctx.viewer().user))
    }

    /// The organisation the user belongs to.
    async fn tenant(&self) -> Tenant {
        Tenant
    }

    /// What the user may do, as `noun:verb:SCOPE`.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<String> {
        let mut permissions: Vec<String> = ctx.viewer().grants().iter().map(ToString::to_string).collect();
        permissions.sort();
        permissions.dedup();
        permissions
    }
}

/// An organisation. Clients only ever see their own.
pub(crate) struct Tenant;

#[Object]
impl Tenant {
    /// Opaque; the same for the record's life.
    async fn id(&self, ctx: &Context<'_>) -> ID {
        NodeId::Tenant(ctx.viewer().tenant.record.id).to_id()
    }

    /// What people call it.
    async fn name<'a>(&self, ctx: &'a Context<'_>) -> &'a str {
        &ctx.viewer().tenant.record.name
    }

    /// IANA time zone of its counters.
    async fn time_zone<'a>(&self, ctx: &'a Context<'_>) -> &'a str {
        &ctx.viewer().tenant.record.time_zone
    }

    /// ISO 3166-1 country in which numbers without a prefix are read.
    async fn country<'a>(&self, ctx: &'a Context<'_>) -> &'a str {
        &ctx.viewer().tenant.record.country
    }
}

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
pub(crate) struct User(Arc<person::User>);

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

    /// The address they sign in with.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        ctx.viewer().staff_email(&self.0.id.to_string(), &self.0.sealed_email).map_err(app_error)
    }

    /// Where they stand with signing in.
    async fn status(&self) -> UserStatus {
        self.0.status.into()
    }

    /// The roles they hold.
    async fn roles(&self, ctx: &Context<'_>) -> Vec<Role> {
        self.0.roles.iter().filter_map(|id| ctx.viewer().settings.role(*id)).cloned().map(Role).collect()
    }

    /// Their entry in the staff directory.
    async fn agent(&self, ctx: &Context<'_>) -> Result<Option<Agent>> {
        agent(ctx, self.0.id.into()).await
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

    /// Counts its changes.
    async fn version(&self) -> u32 {
        self.0.record.version
    }
}

/// A named set of permissions.
#[derive(Clone)]
pub(crate) struct Role(pub(crate) person::Role);

#[Object]
impl Role {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Role(self.0.id).to_id()
    }

    /// A snake_case word, unique in the tenant.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What holders may do, as `noun:verb:SCOPE`.
    async fn permissions(&self) -> Vec<String> {
        self.0.grants.iter().map(ToString::to_string).collect()
    }

    /// Every tenant has it from the start.
    async fn system(&self) -> bool {
        self.0.system
    }
}

/// A user's entry in the staff directory.
#[derive(Clone)]
pub(crate) struct Agent(Arc<person::Agent>);

#[Object]
impl Agent {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Agent(self.0.id).to_id()
    }

    /// What people call them.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Their address.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        ctx.viewer().staff_email(&self.0.id.to_string(), &self.0.sealed_email).map_err(app_error)
    }

    /// The employer's own number for them.
    async fn employee_id(&self) -> Option<&str> {
        self.0.employee_id.as_deref()
    }

    /// The user they sign in as.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        user(ctx, self.0.id.into()).await?.ok_or_else(|| app_error(AppError::Broken("an agent has no user".to_owned())))
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

    /// Counts its changes.
    async fn version(&self) -> u32 {
        self.0.record.version
    }
}

/// A team of agents.
#[derive(Clone)]
pub(crate) struct Team(Arc<team::Team>);

#[Object]
impl Team {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Team(self.0.id).to_id()
    }

    /// Unique in the tenant.
    async fn name(&self) -> &str {
        &self.0.name
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

    /// Counts its changes.
    async fn version(&self) -> u32 {
        self.0.record.version
    }
}

/// The query for the viewer.
#[derive(Default)]
pub(crate) struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The signed-in user, their organisation and what they may do.
    async fn viewer(&self) -> Viewer {
        Viewer
    }
}

/// Whether the viewer may see a colleague by id: with `agent:read`, and always themselves.
pub(crate) fn may_see(viewer: &SignedIn, user: UserId) -> bool {
    viewer.user.id == user || viewer.scope(Permission::AgentRead).is_ok()
}

/// For lookups by id: what one may not see is as if it didn't exist.
pub(crate) fn hidden<T>(error: AppError) -> std::result::Result<Option<T>, AppError> {
    if matches!(error, AppError::Forbidden) { Ok(None) } else { Err(error) }
}

/// A user by id.
pub(crate) async fn user(ctx: &Context<'_>, id: UserId) -> Result<Option<User>> {
    match ctx.directory().load_one(DirectoryKey::User(id)).await.map_err(|error| shared_error(&error))? {
        Some(DirectoryEntry::User(user)) => Ok(Some(User(user))),
        _ => Ok(None),
    }
}

/// An agent by id.
pub(crate) async fn agent(ctx: &Context<'_>, id: AgentId) -> Result<Option<Agent>> {
    match ctx.directory().load_one(DirectoryKey::Agent(id)).await.map_err(|error| shared_error(&error))? {
        Some(DirectoryEntry::Agent(agent)) => Ok(Some(Agent(agent))),
        _ => Ok(None),
    }
}

/// A team by id.
pub(crate) async fn team(ctx: &Context<'_>, id: TeamId) -> Result<Option<Team>> {
    match ctx.directory().load_one(DirectoryKey::Team(id)).await.map_err(|error| shared_error(&error))? {
        Some(DirectoryEntry::Team(team)) => Ok(Some(Team(team))),
        _ => Ok(None),
    }
}
