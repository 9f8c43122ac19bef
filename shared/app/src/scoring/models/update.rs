//! Changing a model.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::permission::Permission;
use switchboard_domain::scoring::{FactorInput, ModelInput, ScoringModel, check_model};
use switchboard_store::scoring_models::{self, ScoringModels};

use super::read::{KeptModel, ListedModel, in_force};
use super::{ATTEMPTS, busy, check_name, check_own, check_version};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be changed. What is `None` stays; `Some(None)` was given as nothing, which neither can be.
#[derive(Debug, Clone, Default)]
pub struct UpdateModel {
    /// The model.
    pub id: GivenId<ScoringModelId>,
    /// The version the client read.
    pub expected_version: i32,
    /// What people call it.
    pub name: Option<Option<String>>,
    /// All of its factors.
    pub factors: Option<Option<Vec<FactorInput>>>,
}

/// Changes a model; nothing is written when that changes nothing. Contacts go on to be scored by the version that was activated. One that was learned is a person's
/// own from when its factors change. 3 requests: 1 R per started 4 KB of all models and of the one in force, and a transaction of 2 W per started KB of the model and 2 W;
/// again as much each time another change of the models was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:write` for the whole tenant, [`AppError::NotFound`] also for a deleted model; those of the database. What a person can
/// mend is in the inner result: `NOT_ALLOWED` for a preset.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdateModel) -> Result<Result<ListedModel, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::ScoringWrite)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    if let Err(error) = check_own(id) {
        return Ok(Err(vec![error]));
    }
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let change = Change::new("scoring_model.updated", services.clock.now(), viewer.origin());
    for _ in 0..ATTEMPTS {
        let models = scoring_models::load(core, scope).await?;
        let before = models.find(id).ok_or(AppError::NotFound)?;
        // What the attempt before wrote, whose answer was lost.
        if before.record.last_change == change {
            return listed(services, viewer, before.clone()).await.map(Ok);
        }
        let after = match changed(&models, before, &request) {
            Ok(after) => after,
            Err(errors) => return Ok(Err(errors)),
        };
        if after == *before {
            return listed(services, viewer, after).await.map(Ok);
        }
        let after = ScoringModel { record: before.record.changed(change.clone()), ..after };
        if scoring_models::save(core, scope, models.revision, &after, Some(before.record.revision), Vec::new()).await? {
            return listed(services, viewer, after).await.map(Ok);
        }
    }
    Err(busy())
}

async fn listed(services: &Services, viewer: &Viewer, model: ScoringModel) -> Result<ListedModel, AppError> {
    let in_force = in_force(services, &viewer.tenant).await?;
    Ok(ListedModel::of(KeptModel::Own(Box::new(model)), in_force))
}

/// The model with what was given, at the same version.
fn changed(models: &ScoringModels, before: &ScoringModel, request: &UpdateModel) -> Result<ScoringModel, Vec<UserError>> {
    check_version(before.record.version, request.expected_version).map_err(|error| vec![error])?;
    let blank = |field: &str| UserError::new(field, FieldErrorCode::Blank, format!("{field} can't be empty. Leave it out to keep it."));
    let given = [("name", request.name == Some(None)), ("factors", matches!(request.factors, Some(None)))];
    let empty: Vec<UserError> = given.into_iter().filter(|(_, is_empty)| *is_empty).map(|(field, _)| blank(field)).collect();
    if !empty.is_empty() {
        return Err(empty);
    }
    let name = request.name.clone().flatten().unwrap_or_else(|| before.name.clone());
    let factors = request.factors.clone().flatten().unwrap_or_else(|| before.factors.iter().map(FactorInput::from).collect());
    let (name, factors) = check_model(&ModelInput { name, factors }).map_err(|errors| errors.into_iter().map(UserError::from).collect::<Vec<_>>())?;
    check_name(models, Some(before.id), &name).map_err(|error| vec![error])?;
    let training = before.training.clone().filter(|_| factors == before.factors);
    Ok(ScoringModel { name, factors, training, ..before.clone() })
}
