//! The learning of a scoring model as clients see it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::scoring::models::train;
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::scoring::training::Outcome;
use switchboard_domain::scoring_training;

use super::ScoringModel;
use super::query::scoring_model;
use crate::audit::AuditActor;
use crate::bulk_job::BulkJobStatus;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::node_id::NodeId;
use crate::scalars::DateTime;

/// The learning of a scoring model from what became of the contacts.
#[derive(Clone)]
pub(crate) struct ScoringTraining(Arc<scoring_training::ScoringTraining>);

impl From<scoring_training::ScoringTraining> for ScoringTraining {
    fn from(training: scoring_training::ScoringTraining) -> Self {
        Self(Arc::new(training))
    }
}

#[Object]
impl ScoringTraining {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::ScoringTraining(self.0.id).to_id()
    }

    /// Where it stands.
    async fn status(&self) -> BulkJobStatus {
        self.0.status.into()
    }

    /// Why nothing was learned, in plain words: what there is too little of, or what knows the outcome beforehand.
    async fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason.as_deref()
    }

    /// What the model is called.
    async fn name(&self) -> &str {
        &self.0.choice.name
    }

    /// The attribute that says what became of a contact; null when it is the status `converted`.
    async fn outcome_attribute(&self) -> Option<&str> {
        match &self.0.choice.outcome {
            Outcome::Converted => None,
            Outcome::Attribute(name) => Some(name),
        }
    }

    /// From which attributes it was to be learned; null for all there are.
    async fn attributes(&self) -> Option<&[String]> {
        self.0.choice.attributes.as_deref()
    }

    /// How many contacts it was learned from; null until then.
    async fn examples(&self) -> Option<u32> {
        self.0.examples
    }

    /// The model that came of it, which scores nobody until somebody activates it; null until it is there.
    async fn model(&self, ctx: &Context<'_>) -> Result<Option<ScoringModel>> {
        match self.0.model() {
            Some(id) => scoring_model(ctx, id).await,
            None => Ok(None),
        }
    }

    /// Who asked for it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.origin.actor.clone())
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was begun.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}

/// A training by its id; none without the right to see it.
pub(crate) async fn scoring_training(ctx: &Context<'_>, id: ScoringModelId) -> Result<Option<ScoringTraining>> {
    let found = train::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
    Ok(found.map(ScoringTraining::from))
}
