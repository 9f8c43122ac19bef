//! Who did something.

use async_graphql::{Context, Enum, ID, Object, Result};
use switchboard_domain::actor::{self, Actor};
use switchboard_domain::ids::{ImportId, UserId};

use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::NodeId;

/// The kinds of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "actor::ActorKind")]
pub(crate) enum ActorType {
    /// A person who signed in.
    User,
    /// The system itself.
    System,
    /// An import.
    Import,
    /// A program with a key of its own.
    ApiKey,
}

/// Who did something, as they were at that time.
#[derive(Debug, Clone)]
pub(crate) struct AuditActor(pub(crate) Actor);

#[Object]
impl AuditActor {
    /// The kind of actor.
    #[graphql(name = "type")]
    async fn kind(&self) -> ActorType {
        self.0.kind.into()
    }

    /// The user or the import; none for the system.
    async fn id(&self) -> Option<ID> {
        let id = self.0.id.as_deref()?;
        match self.0.kind {
            actor::ActorKind::User => UserId::parse(id).map(|id| NodeId::User(id).to_id()),
            actor::ActorKind::Import => ImportId::parse(id).map(|id| NodeId::Import(id).to_id()),
            actor::ActorKind::System | actor::ActorKind::ApiKey => None,
        }
    }

    /// The name at that time; an import's is its file's.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The e-mail address at that time.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match (&self.0.id, &self.0.email) {
            (Some(id), Some(sealed)) => ctx.viewer().staff_email(id, sealed).map(Some).map_err(app_error),
            _ => Ok(None),
        }
    }

    /// The codes of the roles held at that time.
    async fn roles(&self) -> &[String] {
        &self.0.roles
    }
}
