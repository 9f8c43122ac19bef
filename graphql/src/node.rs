//! Anything by its global id.

use async_graphql::{Context, ID, Interface, Object, Result};
use switchboard_app::contacts;
use switchboard_domain::permission::Permission;

use crate::agent::{self, Agent};
use crate::audit::{AuditEvent, event};
use crate::audit_export::{self, AuditExport};
use crate::bulk_job::{self, BulkJob};
use crate::contact::{Contact, Note};
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::import::{self, Import, ImportProfile};
use crate::node_id::NodeId;
use crate::role::Role;
use crate::scoring::{self, ScoringModel, ScoringTraining};
use crate::status::ContactStatus;
use crate::suppression::{self, Suppression};
use crate::team::{self, Team};
use crate::user::{self, User};

/// A record with a global id.
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque; the same for the record's life."))]
pub(crate) enum Node {
    Contact(Contact),
    ContactStatus(ContactStatus),
    Note(Note),
    User(User),
    Agent(Agent),
    Team(Team),
    Role(Role),
    Suppression(Suppression),
    ImportProfile(ImportProfile),
    Import(Import),
    BulkJob(BulkJob),
    AuditExport(AuditExport),
    ScoringModel(ScoringModel),
    ScoringTraining(ScoringTraining),
    AuditEvent(AuditEvent),
}

/// The query for records by id.
#[derive(Default)]
pub(crate) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// A record by its id; null when there is none, or none for you.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The record's id.")] id: ID) -> Result<Option<Node>> {
        let Some(id) = NodeId::parse(&id) else {
            return Ok(None);
        };
        let viewer = ctx.viewer();
        let services = &ctx.api().services;
        Ok(match id {
            NodeId::Contact(id) => contacts::get(services, viewer, &id).await.or_else(hidden).map_err(app_error)?.map(|contact| Node::Contact(contact.into())),
            NodeId::Note(contact, id) => contacts::note(services, viewer, &contact, id).await.or_else(hidden).map_err(app_error)?.map(|note| Node::Note(Note(note))),
            NodeId::ContactStatus(id) => viewer.settings.status(id).cloned().map(|status| Node::ContactStatus(ContactStatus(status))),
            NodeId::Role(id) => viewer.settings.role(id).cloned().map(|role| Node::Role(Role(role))),
            NodeId::User(id) if viewer.user.id == id || viewer.require_all(Permission::UserRead).is_ok() => user::user(ctx, id).await?.map(Node::User),
            NodeId::Agent(id) => {
                let sees = |agent: &Agent| agent.0.id == viewer.agent() || viewer.reaches_agent(Permission::AgentRead, &agent.0).unwrap_or(false);
                agent::agent(ctx, id).await?.filter(sees).map(Node::Agent)
            }
            NodeId::Team(id) if viewer.reaches_team(Permission::TeamRead, id).unwrap_or(false) => team::team(ctx, id).await?.map(Node::Team),
            NodeId::Suppression(id) => suppression::suppression(ctx, &id).await?.map(Node::Suppression),
            NodeId::ImportProfile(key) => import::profile(ctx, &key).await?.map(Node::ImportProfile),
            NodeId::Import(id) => import::import(ctx, id).await?.map(Node::Import),
            NodeId::BulkJob(id) => bulk_job::bulk_job(ctx, id).await?.map(Node::BulkJob),
            NodeId::AuditExport(id) => audit_export::audit_export(ctx, id).await?.map(Node::AuditExport),
            NodeId::ScoringModel(id) => scoring::scoring_model(ctx, id).await?.map(Node::ScoringModel),
            NodeId::ScoringTraining(id) => scoring::scoring_training(ctx, id).await?.map(Node::ScoringTraining),
            NodeId::AuditEvent(record, place) => event(ctx, record, &place).await?.map(Node::AuditEvent),
            NodeId::User(_) | NodeId::Team(_) | NodeId::Tenant(_) => None,
        })
    }
}
