//! Creating a model: of factors, or as a copy of another.

use serde::Serialize;
use switchboard_domain::change::{Change, Revisioned};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::permission::Permission;
use switchboard_domain::scoring::{self, Factor, FactorInput, ModelInput, ScoringModel, check_model};
use switchboard_store::scoring_models::{self, ScoringModels};

use super::read::{KeptModel, ListedModel};
use super::{ATTEMPTS, busy, check_count, check_name};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::idempotency::{Recalled, recall};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be created: either of factors or as a copy.
#[derive(Debug, Clone, Default)]
pub struct CreateModel {
    /// What people will call it.
    pub name: String,
    /// Its factors.
    pub factors: Option<Vec<FactorInput>>,
    /// The model whose factors it is to have, a preset or one of the tenant's own.
    pub copy_of: Option<GivenId<ScoringModelId>>,
    /// The client's own key for this creation: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// What the key of a creation was used for.
#[derive(Serialize)]
struct Form<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    factors: Option<&'a [Factor]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_of: Option<GivenId<ScoringModelId>>,
}

/// Creates a model, which scores nobody until it is activated. 2 requests: 1 R per started 4 KB of all models, and a transaction of 2 W per started KB of the model
/// and 2 W; with an idempotency key 1 R and 2 W more. Again as much each time another change of the models was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:write` for the whole tenant; those of the database. What a person can mend is in the inner result.
pub async fn create(services: &Services, viewer: &Viewer, request: CreateModel) -> Result<Result<ListedModel, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::ScoringWrite)?;
    let (core, tenant, now) = (&services.core, &viewer.tenant, services.clock.now());
    let given = match given_factors(&request) {
        Ok(given) => given,
        Err(errors) => return Ok(Err(errors)),
    };
    let form = Form { name: &request.name, factors: given.as_deref(), copy_of: request.copy_of };
    let ask = || recall(services, tenant, "scoringModelCreate", request.idempotency_key.as_deref(), &form);
    let id = ScoringModelId::new(now, &services.entropy.id());
    let record = Revisioned::created(Change::new("scoring_model.created", now, viewer.origin()));
    for _ in 0..ATTEMPTS {
        // Asked in every attempt: what was refused may have been the key, used a moment ago.
        let pending = match ask().await? {
            Recalled::New(pending) => pending,
            Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        };
        let models = scoring_models::load(core, &tenant.scope).await?;
        let (name, factors) = match decide(&models, &request, given.as_deref()) {
            Ok(decided) => decided,
            // What is in the way may be what this same request made a moment ago.
            Err(errors) => match ask().await? {
                Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
                Recalled::New(_) | Recalled::Refused(_) => return Ok(Err(errors)),
            },
        };
        let model = ScoringModel { id, record: record.clone(), name, factors, training: None, deleted_at: None };
        let others = pending.map(|pending| pending.part(tenant, id, now)).into_iter().collect();
        if scoring_models::save(core, &tenant.scope, models.revision, &model, None, others).await? {
            return Ok(Ok(ListedModel { model: KeptModel::Own(Box::new(model)), active_version: None }));
        }
    }
    Err(busy())
}

/// The factors that were given, checked; none for a copy.
fn given_factors(request: &CreateModel) -> Result<Option<Vec<Factor>>, Vec<UserError>> {
    match (&request.factors, &request.copy_of) {
        (Some(factors), None) => {
            let input = ModelInput { name: request.name.clone(), factors: factors.clone() };
            check_model(&input).map(|(_, factors)| Some(factors)).map_err(shown)
        }
        (None, Some(_)) => Ok(None),
        (None, None) => Err(vec![UserError::new("factors", FieldErrorCode::Blank, "factors is missing. Give the factors, or the model to copy as copyOf.")]),
        (Some(_), Some(_)) => Err(vec![UserError::new("copyOf", FieldErrorCode::Invalid, "A copy has the factors of its model. Give factors or copyOf.")]),
    }
}

/// The name and the factors of the new model beside those there are.
fn decide(models: &ScoringModels, request: &CreateModel, given: Option<&[Factor]>) -> Result<(String, Vec<Factor>), Vec<UserError>> {
    let factors = match given {
        Some(factors) => factors.to_vec(),
        None => source(models, request.copy_of.flatten()).ok_or_else(|| vec![no_source()])?,
    };
    let input = ModelInput { name: request.name.clone(), factors: factors.iter().map(FactorInput::from).collect() };
    let (name, _) = check_model(&input).map_err(shown)?;
    let errors: Vec<UserError> = [check_count(models), check_name(models, None, &name)].into_iter().filter_map(Result::err).collect();
    if errors.is_empty() { Ok((name, factors)) } else { Err(errors) }
}

/// The factors of the model that is to be copied.
fn source(models: &ScoringModels, id: GivenId<ScoringModelId>) -> Option<Vec<Factor>> {
    let id = id?;
    scoring::preset(id).map(|preset| preset.factors).or_else(|| models.find(id).map(|model| model.factors.clone()))
}

fn no_source() -> UserError {
    UserError::new("copyOf", FieldErrorCode::NotFound, "There is no such scoring model. Take an id from scoringModels.")
}

fn shown(errors: Vec<switchboard_domain::field_error::FieldError>) -> Vec<UserError> {
    errors.into_iter().map(UserError::from).collect()
}

/// What a request with the same key created before, as it is now.
async fn remembered(services: &Services, viewer: &Viewer, id: &str) -> Result<ListedModel, AppError> {
    let none = || AppError::Broken("an idempotency entry names no scoring model".to_owned());
    let id = ScoringModelId::parse(id).ok_or_else(none)?;
    let model = scoring_models::get(&services.core, &viewer.tenant.scope, id).await?.ok_or_else(none)?;
    let in_force = super::read::in_force(services, &viewer.tenant).await?;
    Ok(ListedModel::of(KeptModel::Own(Box::new(model)), in_force))
}
