//! The mutations of scoring models.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::scoring::models::train::{self, StartTraining};
use switchboard_app::scoring::models::{self, ActivateModel, CreateModel, DeleteModel, ListedModel, UpdateModel};
use switchboard_domain::scoring::training::{Outcome, TrainingChoice};

use super::inputs::{ScoringFactorInput, factors, model_id, shown};
use super::{ScoringModel, ScoringTraining};
use crate::bulk_job::BulkJob;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};

/// A scoring model to be created: of factors, or as a copy of another.
#[derive(InputObject)]
pub(crate) struct ScoringModelCreateInput {
    /// What people read: at most 50 characters, unique whatever its capitals and accents.
    name: String,
    /// Its factors, at most 20; their maxima add up to 100.
    factors: Option<Vec<ScoringFactorInput>>,
    /// The model whose factors it is to have: a preset, or one of your own.
    copy_of: Option<ID>,
    /// The client's own key for this creation, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// A scoring model to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct ScoringModelUpdateInput {
    /// The model.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
    /// What people read.
    name: MaybeUndefined<String>,
    /// All of its factors.
    factors: MaybeUndefined<Vec<ScoringFactorInput>>,
}

/// A scoring model to be deleted.
#[derive(InputObject)]
pub(crate) struct ScoringModelDeleteInput {
    /// The model.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
}

/// A scoring model to be activated.
#[derive(InputObject)]
pub(crate) struct ScoringModelActivateInput {
    /// The model.
    id: ID,
    /// Its version as it was read; another one is STALE. Without it the version that there is.
    expected_version: Option<i32>,
}

/// A scoring model to be learned from the contacts there are.
#[derive(InputObject)]
pub(crate) struct ScoringModelTrainInput {
    /// What people read: at most 50 characters, unique whatever its capitals and accents.
    name: String,
    /// The attribute that says what became of a contact: yes or no, 0 or 1. Without it who has the status `converted` was won, and nobody else.
    outcome_attribute: Option<String>,
    /// From which attributes to learn, at most 50; from all there are when not given. Those that are sensitive, or known only after the outcome, are NOT_ALLOWED. Source
    /// and filled fields are always looked at.
    attributes: Option<Vec<String>>,
    /// The client's own key for this training, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// What came of creating a scoring model.
#[derive(SimpleObject)]
pub(crate) struct ScoringModelCreatePayload {
    /// The model; null exactly when there are errors.
    scoring_model: Option<ScoringModel>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of changing a scoring model.
#[derive(SimpleObject)]
pub(crate) struct ScoringModelUpdatePayload {
    /// The model as it is now; null exactly when there are errors.
    scoring_model: Option<ScoringModel>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of deleting a scoring model.
#[derive(SimpleObject)]
pub(crate) struct ScoringModelDeletePayload {
    /// The model, deleted; null exactly when there are errors.
    scoring_model: Option<ScoringModel>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of activating a scoring model.
#[derive(SimpleObject)]
pub(crate) struct ScoringModelActivatePayload {
    /// The model, which is in force; null exactly when there are errors.
    scoring_model: Option<ScoringModel>,
    /// It was in force already at this version, and nothing was done.
    was_active: bool,
    /// The job that scores all contacts anew; null when it was in force already.
    job: Option<BulkJob>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of asking for a scoring model to be learned.
#[derive(SimpleObject)]
pub(crate) struct ScoringModelTrainPayload {
    /// The training, which a worker takes up within seconds; null exactly when there are errors.
    training: Option<ScoringTraining>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A model, or what to mend.
fn answer(answered: Result<ListedModel, Vec<AppUserError>>) -> (Option<ScoringModel>, Vec<UserError>) {
    match answered {
        Ok(model) => (Some(model.into()), Vec::new()),
        Err(errors) => (None, shown(errors)),
    }
}

/// The mutations of scoring models.
#[derive(Default)]
pub(crate) struct ScoringMutation;

#[Object]
impl ScoringMutation {
    /// Creates a scoring model, which scores nobody until it is activated. A name that another one has is TAKEN.
    async fn scoring_model_create(&self, ctx: &Context<'_>, #[graphql(desc = "The scoring model.")] input: ScoringModelCreateInput) -> Result<ScoringModelCreatePayload> {
        let request =
            CreateModel { name: input.name, factors: input.factors.map(factors), copy_of: input.copy_of.as_ref().map(model_id), idempotency_key: input.idempotency_key };
        let (scoring_model, user_errors) = answer(models::create(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?);
        Ok(ScoringModelCreatePayload { scoring_model, user_errors })
    }

    /// Changes a scoring model of your own; a preset is NOT_ALLOWED. Contacts go on to be scored by the version that was activated.
    async fn scoring_model_update(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: ScoringModelUpdateInput) -> Result<ScoringModelUpdatePayload> {
        let request =
            UpdateModel { id: model_id(&input.id), expected_version: input.expected_version, name: input.name.into(), factors: input.factors.map_value(factors).into() };
        let (scoring_model, user_errors) = answer(models::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?);
        Ok(ScoringModelUpdatePayload { scoring_model, user_errors })
    }

    /// Deletes a scoring model of your own; the one in force is IN_USE, a preset NOT_ALLOWED.
    async fn scoring_model_delete(&self, ctx: &Context<'_>, #[graphql(desc = "The scoring model.")] input: ScoringModelDeleteInput) -> Result<ScoringModelDeletePayload> {
        let request = DeleteModel { id: model_id(&input.id), expected_version: input.expected_version };
        let (scoring_model, user_errors) = answer(models::delete(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?);
        Ok(ScoringModelDeletePayload { scoring_model, user_errors })
    }

    /// Has contacts scored by the present version of a scoring model from now on, and scores all of them anew, in a job that begins when every part of the system
    /// knows, after 40 seconds.
    async fn scoring_model_activate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The scoring model.")] input: ScoringModelActivateInput,
    ) -> Result<ScoringModelActivatePayload> {
        let request = ActivateModel { id: model_id(&input.id), expected_version: input.expected_version };
        Ok(match models::activate(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(activated) => ScoringModelActivatePayload {
                scoring_model: Some(activated.model.into()),
                was_active: activated.was_active,
                job: activated.job.map(BulkJob::from),
                user_errors: Vec::new(),
            },
            Err(errors) => ScoringModelActivatePayload { scoring_model: None, was_active: false, job: None, user_errors: shown(errors) },
        })
    }

    /// Learns a scoring model from what became of the contacts, at most the 100,000 newest, in minutes. It scores nobody until somebody activates it. Where there is too
    /// little to learn from, the training fails and says of what.
    async fn scoring_model_train(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be learned.")] input: ScoringModelTrainInput,
    ) -> Result<ScoringModelTrainPayload> {
        let outcome = input.outcome_attribute.map_or(Outcome::Converted, Outcome::Attribute);
        let choice = TrainingChoice { name: input.name, outcome, attributes: input.attributes };
        let request = StartTraining { choice, idempotency_key: input.idempotency_key };
        Ok(match train::start(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(training) => ScoringModelTrainPayload { training: Some(training.into()), user_errors: Vec::new() },
            Err(errors) => ScoringModelTrainPayload { training: None, user_errors: shown(errors) },
        })
    }
}
