//! Learning a model from what became of the tenant's contacts: asked for by a person, done by a worker, activated only by a person.

use std::time::{Duration, Instant};

use futures::stream::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use switchboard_domain::bulk_job::BulkJobStatus;
use switchboard_domain::change::{Change, Revisioned};
use switchboard_domain::contact::ContactFilter;
use switchboard_domain::ids::{ContactId, ScoringModelId, TenantId};
use switchboard_domain::permission::Permission;
use switchboard_domain::scoring::training::{self, Example, MOST_EXAMPLES, Outcome, Trained, TrainingChoice, check_choice};
use switchboard_domain::scoring::{FactorInput, ModelInput, ScoringModel, check_model};
use switchboard_domain::scoring_training::ScoringTraining;
use switchboard_store::contacts::{self as stored, StoredContact};
use switchboard_store::{Freshness, Order, Page, scoring_models, scoring_trainings};

use super::{ATTEMPTS, busy, check_count, check_name};
use crate::contacts;
use crate::error::{AppError, UserError};
use crate::jobs::{Known, Request, Steps, Stopped};
use crate::services::Services;
use crate::viewer::Viewer;

/// Contacts of one step through the list.
const PAGE: usize = 300;
/// Contacts read in one request, and requests under way at once.
const READ: usize = 100;
const READS_AT_ONCE: usize = 3;
/// What is left of the time when no further contacts are read: learning from all of them takes less.
const LEARNING: Duration = Duration::from_secs(5 * 60);

/// A training to be worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingMessage {
    /// The tenant; its record vouches for it.
    pub tenant: TenantId,
    /// The training.
    pub training: ScoringModelId,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct StartTraining {
    /// What is to be learned.
    pub choice: TrainingChoice,
    /// The client's own key for this training: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// Asks for a model that is learned from the tenant's contacts, and sends that to a worker. 1 request and 1 R per started 4 KB of all models; 1 W and 1 for index 1, 1
/// request to the queue; with an idempotency key 1 R more and a transaction.
///
/// When it was written and could not be sent, the answer is an error, and the same request with the same key sends it again; without a key it fails.
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:write` for the whole tenant; those of the database and of the queue. What a person can mend is in the inner result.
pub async fn start(services: &Services, viewer: &Viewer, request: StartTraining) -> Result<Result<ScoringTraining, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::ScoringWrite)?;
    let (tenant, now) = (&viewer.tenant, services.clock.now());
    let asking = Request { operation: "scoringModelTrain", key: request.idempotency_key.as_deref(), form: &request.choice };
    let pending = match asking.recall(services, tenant).await? {
        Known::Nothing(pending) => pending,
        Known::Answer(answer) => return Ok(answer),
    };
    if let Err(errors) = check_choice(&request.choice) {
        return Ok(Err(errors.into_iter().map(UserError::from).collect()));
    }
    let models = scoring_models::load(&services.core, &tenant.scope).await?;
    let errors: Vec<UserError> = [check_count(&models), check_name(&models, None, request.choice.name.trim())].into_iter().filter_map(Result::err).collect();
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let id = ScoringModelId::new(now, &services.entropy.id());
    let asked = ScoringTraining::asked(id, request.choice.clone(), viewer.origin(), now);
    asking.begin(services, tenant, asked, pending).await
}

/// A training by its id. 1 request, 1 R.
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:read` for the whole tenant; those of the database.
pub async fn get(services: &Services, viewer: &Viewer, id: ScoringModelId) -> Result<Option<ScoringTraining>, AppError> {
    viewer.require_all(Permission::ScoringRead)?;
    Ok(scoring_trainings::get(&services.core, &viewer.tenant.scope, id).await?)
}

/// The tenant's trainings, newest first, those older than the place `after` (a training's id). 2 requests, half an R for the list and half an R for each.
///
/// # Errors
/// As [`get`].
pub async fn list(services: &Services, viewer: &Viewer, after: Option<&str>, first: usize) -> Result<Page<ScoringTraining>, AppError> {
    viewer.require_all(Permission::ScoringRead)?;
    Ok(scoring_trainings::newest(&services.core, &viewer.tenant.scope, after, first).await?)
}

/// Learns a model from the newest contacts, at most 100,000 and as many as can be read in the time, and keeps it under the training's id; what can't be learned fails
/// the training with its reason. Delivered again, it begins anew, and finds the model when it was there already.
///
/// Per 300 contacts about 4 requests and half an R per started 4 KB of each; then 1 request and 1 R per started 4 KB of all models, and a transaction of 2 W per started
/// KB of the model and 2 W; 2 requests that write the training.
///
/// # Errors
/// Those of the services; [`AppError::Broken`] for a message that names nothing there is. The message may then come again.
pub async fn train_model(services: &Services, message: &TrainingMessage, deadline: Instant) -> Result<Stopped, AppError> {
    let (steps, training) = Steps::take_up::<ScoringTraining>(services, message.tenant, message.training, deadline).await?;
    let read_until = deadline.checked_sub(LEARNING).unwrap_or(deadline);
    let step = async |training: &ScoringTraining| {
        let now = services.clock.now();
        match training.status {
            BulkJobStatus::Queued => steps.advance(training, |training| training.begun(now)).await,
            BulkJobStatus::Running => learn(&steps, training, read_until).await,
            BulkJobStatus::Completed | BulkJobStatus::Failed | BulkJobStatus::Cancelled => Ok(Some(training.clone())),
        }
    };
    let stopped = steps.run(training, step).await?;
    if stopped == Stopped::OutOfTime {
        services.score_train_queue.send(&[*message]).await?;
    }
    Ok(stopped)
}

/// Learns, and ends the training.
async fn learn(steps: &Steps<'_>, training: &ScoringTraining, read_until: Instant) -> Result<Option<ScoringTraining>, AppError> {
    let (services, tenant) = (steps.services, steps.tenant().await?);
    // A worker may have died between the model and the end of the training.
    if let Some(model) = scoring_models::get(&services.core, &tenant.scope, training.id).await? {
        return complete(steps, training, &model).await;
    }
    let examples = examples(steps, &training.choice.outcome, read_until).await?;
    let choice = training.choice.clone();
    let learned = tokio::task::spawn_blocking(move || training::train(examples, &choice)).await;
    let learned = match learned {
        Ok(learned) => learned,
        // Begun anew it would end the same way.
        Err(error) => {
            tracing::error!(training.id = %training.id, %error, "learning a scoring model ended early");
            return steps.fail(training, "Learning ended early because of a fault on our side. Name the training's id to support.").await;
        }
    };
    let Trained { factors, report } = match learned {
        Ok(trained) => trained,
        Err(refusal) => return steps.fail(training, &refusal.to_string()).await,
    };
    let input = ModelInput { name: training.choice.name.clone(), factors: factors.iter().map(FactorInput::from).collect() };
    let (name, _) = match check_model(&input) {
        Ok(checked) => checked,
        Err(errors) => {
            tracing::error!(training.id = %training.id, ?errors, "what was learned is no scoring model");
            return steps.fail(training, "What was learned can't be written as a scoring model. Name fewer attributes to learn from.").await;
        }
    };
    let record = Revisioned::created(Change::new("scoring_model.trained", services.clock.now(), training.origin.clone()));
    let model = ScoringModel { id: training.id, record, name, factors, training: Some(Box::new(report)), deleted_at: None };
    for _ in 0..ATTEMPTS {
        let models = scoring_models::load(&services.core, &tenant.scope).await?;
        // Deleted since, even: it was made.
        if let Some(made) = models.models.iter().find(|made| made.id == model.id) {
            return complete(steps, training, made).await;
        }
        if let Err(error) = check_count(&models).and_then(|()| check_name(&models, None, &model.name)) {
            return steps.fail(training, &error.error.message).await;
        }
        if scoring_models::save(&services.core, &tenant.scope, models.revision, &model, None, Vec::new()).await? {
            return complete(steps, training, &model).await;
        }
    }
    Err(busy())
}

async fn complete(steps: &Steps<'_>, training: &ScoringTraining, model: &ScoringModel) -> Result<Option<ScoringTraining>, AppError> {
    let (examples, now) = (model.training.as_ref().map_or(0, |report| report.examples), steps.services.clock.now());
    steps.advance(training, |training| training.completed(examples, now)).await
}

/// What the tenant's contacts teach, those that came last first.
async fn examples(steps: &Steps<'_>, outcome: &Outcome, until: Instant) -> Result<Vec<Example>, AppError> {
    let (services, filter) = (steps.services, ContactFilter::default());
    let (mut examples, mut read, mut after) = (Vec::new(), 0, None::<String>);
    loop {
        let tenant = steps.tenant().await?;
        let settings = services.tenants.settings(&tenant.scope).await?;
        let limit = PAGE.min(MOST_EXAMPLES - read);
        let walked = contacts::walk(services, &tenant, &settings, &filter, after.as_deref(), limit, Order::Descending).await?;
        let ids: Vec<ContactId> = walked.contacts.into_iter().map(|row| row.id).collect();
        let found: Vec<Vec<StoredContact>> = futures::stream::iter(ids.chunks(READ))
            .map(|ids| stored::get_many(&services.core, &tenant, ids, Freshness::Eventual))
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        let live = found.iter().flatten().map(|stored| &stored.contact).filter(|contact| contact.deleted_at.is_none());
        examples.extend(live.filter_map(|contact| Example::of(contact, outcome, &settings.scorer)));
        read += ids.len();
        after = walked.next;
        if after.is_none() || read >= MOST_EXAMPLES {
            return Ok(examples);
        }
        if Instant::now() >= until {
            tracing::warn!(contacts = read, "a scoring model is learned from fewer contacts than there are: reading them takes too long");
            return Ok(examples);
        }
    }
}
