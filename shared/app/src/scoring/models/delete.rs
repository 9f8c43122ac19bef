//! Deleting a model that isn't in force.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::permission::Permission;
use switchboard_domain::scoring::ScoringModel;
use switchboard_store::scoring_models;

use super::read::{KeptModel, ListedModel};
use super::{ATTEMPTS, busy, check_own, check_version};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be deleted.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeleteModel {
    /// The model.
    pub id: GivenId<ScoringModelId>,
    /// The version the client read.
    pub expected_version: i32,
}

/// Deletes a model. Its name is free again; what scores it once gave can still be explained, because the versions that were in force stay. 3 requests: 1 R per started 4
/// KB of all models and of the one in force, and a transaction of 2 W per started KB of the model and 4 W; again as much each time another change of the models was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:write` for the whole tenant, [`AppError::NotFound`] also for a deleted model; those of the database. What a person can
/// mend is in the inner result: `NOT_ALLOWED` for a preset, `IN_USE` for the model in force.
pub async fn delete(services: &Services, viewer: &Viewer, request: DeleteModel) -> Result<Result<ListedModel, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::ScoringWrite)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    if let Err(error) = check_own(id) {
        return Ok(Err(vec![error]));
    }
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let change = Change::new("scoring_model.deleted", services.clock.now(), viewer.origin());
    for _ in 0..ATTEMPTS {
        let models = scoring_models::load(core, scope).await?;
        let before = models.models.iter().find(|model| model.id == id).ok_or(AppError::NotFound)?;
        // What the attempt before wrote, whose answer was lost.
        if before.record.last_change == change {
            return Ok(Ok(listed(before.clone())));
        }
        if before.deleted_at.is_some() {
            return Err(AppError::NotFound);
        }
        if let Err(error) = check_version(before.record.version, request.expected_version) {
            return Ok(Err(vec![error]));
        }
        let active = scoring_models::active(core, scope).await?;
        if active.as_ref().is_some_and(|active| active.model.version.model == id) {
            let message = "Contacts are scored by this model. Activate another one first.";
            return Ok(Err(vec![UserError::new("id", FieldErrorCode::InUse, message)]));
        }
        let deleted = ScoringModel { record: before.record.changed(change.clone()), factors: Vec::new(), training: None, deleted_at: Some(change.at), ..before.clone() };
        let still = scoring_models::unchanged_active(scope, active.map(|active| active.record.revision));
        if scoring_models::save(core, scope, models.revision, &deleted, Some(before.record.revision), vec![still]).await? {
            return Ok(Ok(listed(deleted)));
        }
    }
    Err(busy())
}

fn listed(model: ScoringModel) -> ListedModel {
    ListedModel { model: KeptModel::Own(Box::new(model)), active_version: None }
}
