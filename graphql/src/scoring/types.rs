//! A scoring model as clients see it.

use std::sync::Arc;

use async_graphql::{Context, ID, Json, Object, Result, SimpleObject};
use serde_json::Value;
use switchboard_app::scoring::models::{KeptModel, ListedModel};
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::scoring::training::TrainingReport;
use switchboard_domain::scoring::{Factor, ScoringModel as OwnModel};

use super::rules::ScoringRule;
use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::scalars::DateTime;

/// One reason to call somebody sooner.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ScoringFactor {
    /// What people read, unique in its model.
    name: String,
    /// The most points it gives; those of all factors add up to 100.
    maximum: f64,
    /// The words of its reason, with `{value}` for what was found.
    reason: String,
    /// How it gives its points.
    rule: ScoringRule,
}

impl From<&Factor> for ScoringFactor {
    fn from(factor: &Factor) -> Self {
        Self { name: factor.name.clone(), maximum: factor.maximum.number(), reason: factor.reason.clone(), rule: factor.into() }
    }
}

/// As many contacts as in every other band, by their probability.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ScoringCalibrationBand {
    /// The mean probability, from 0 to 1.
    predicted: f64,
    /// The share that was won, from 0 to 1.
    observed: f64,
    /// How many.
    count: u32,
}

/// What one case of a factor adds.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ScoringCoefficient {
    /// The factor.
    feature: String,
    /// Its case, in words.
    case: String,
    /// The log-odds above those of the factor's least case.
    value: f64,
}

/// How a model was learned, and how well it foretells. All measures are of the newest fifth of the contacts, which it wasn't learned from.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ScoringTrainingReport {
    /// What was foretold: `converted`, or the name of an attribute.
    outcome: String,
    /// Contacts of which the outcome was known.
    examples: u32,
    /// Those of them that were won.
    converted: u32,
    /// Those that were held out.
    held_out: u32,
    /// How often one that was won has more points than one that wasn't, from 0 to 1; 0.5 is chance.
    area_under_curve: f64,
    /// How many times as often the tenth with the most points was won as all were.
    lift_at_tenth: f64,
    /// The probabilities against what came true, the lowest first.
    calibration: Vec<ScoringCalibrationBand>,
    /// The weight of the L2 penalty that foretold best.
    regularisation: f64,
    /// The log-odds of who has no points.
    intercept: f64,
    /// What each case adds to the log-odds, the most first.
    coefficients: Vec<ScoringCoefficient>,
    /// What wasn't learned from, each with why.
    left_out: Vec<String>,
}

impl From<&TrainingReport> for ScoringTrainingReport {
    fn from(report: &TrainingReport) -> Self {
        let bands = report.calibration.iter().map(|band| ScoringCalibrationBand { predicted: band.predicted, observed: band.observed, count: band.count });
        let coefficients = report.coefficients.iter().map(|each| ScoringCoefficient { feature: each.feature.clone(), case: each.case.clone(), value: each.value });
        Self {
            outcome: report.outcome.clone(),
            examples: report.examples,
            converted: report.converted,
            held_out: report.held_out,
            area_under_curve: report.area_under_curve,
            lift_at_tenth: report.lift_at_tenth,
            calibration: bands.collect(),
            regularisation: report.regularisation,
            intercept: report.intercept,
            coefficients: coefficients.collect(),
            left_out: report.left_out.clone(),
        }
    }
}

/// A way of scoring contacts: a list of factors whose maxima add up to 100. Contacts are scored by the version that was activated.
#[derive(Clone)]
pub(crate) struct ScoringModel(Arc<ListedModel>);

impl From<ListedModel> for ScoringModel {
    fn from(model: ListedModel) -> Self {
        Self(Arc::new(model))
    }
}

impl ScoringModel {
    fn model_id(&self) -> ScoringModelId {
        self.0.model.id()
    }

    /// One of the tenant's own; none for a preset.
    fn own(&self) -> Option<&OwnModel> {
        match &self.0.model {
            KeptModel::Preset(_) => None,
            KeptModel::Own(model) => Some(model),
        }
    }
}

#[Object]
impl ScoringModel {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::ScoringModel(self.model_id()).to_id()
    }

    /// What people read, unique whatever its capitals and accents.
    async fn name(&self) -> &str {
        self.0.model.name()
    }

    /// Every organisation has it, and it can't change: copy it to have one of your own.
    async fn preset(&self) -> bool {
        self.own().is_none()
    }

    /// Its factors, in the order in which scores show them; none of a deleted one.
    async fn factors(&self) -> Vec<ScoringFactor> {
        self.0.model.factors().iter().map(ScoringFactor::from).collect()
    }

    /// How it was learned; null for one that a person wrote or has changed since.
    async fn training(&self) -> Option<ScoringTrainingReport> {
        self.own().and_then(|model| model.training.as_deref()).map(ScoringTrainingReport::from)
    }

    /// Contacts are scored by it.
    async fn active(&self) -> bool {
        self.0.active_version.is_some()
    }

    /// The version of it by which contacts are scored, which may be an older one; null while they are scored by another model.
    async fn active_version(&self) -> Option<u32> {
        self.0.active_version
    }

    /// Everything that was changed, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::ScoringModel(self.model_id()), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::ScoringModel(self.model_id()), time).await
    }

    /// Counts its changes: give it as `expectedVersion`.
    async fn version(&self) -> u32 {
        self.0.model.version()
    }

    /// When it was made; null for a preset.
    async fn created_at(&self) -> Option<DateTime> {
        self.own().map(|model| model.record.created_at.into())
    }

    /// When it was last changed; null for a preset.
    async fn updated_at(&self) -> Option<DateTime> {
        self.own().map(|model| model.record.updated_at().into())
    }

    /// When it was deleted.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.own().and_then(|model| model.deleted_at).map(DateTime)
    }

    /// Who made it, as they were then; null for a preset.
    async fn created_by(&self) -> Option<AuditActor> {
        self.own().map(|model| AuditActor(model.record.created_by.clone()))
    }

    /// Who changed it last, as they were then; null for a preset.
    async fn updated_by(&self) -> Option<AuditActor> {
        self.own().map(|model| AuditActor(model.record.last_change.origin.actor.clone()))
    }
}
