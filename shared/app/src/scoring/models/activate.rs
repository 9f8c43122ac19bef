//! Activating a model: from then on contacts are scored by its present version.

use switchboard_domain::bulk_job::BulkJob;
use switchboard_domain::change::{Change, Revisioned};
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::permission::Permission;
use switchboard_domain::scoring::{self, ActiveScoringModel};
use switchboard_store::scoring_models;

use super::read::{KeptModel, ListedModel};
use super::{ATTEMPTS, busy, check_version};
use crate::GivenId;
use crate::bulk;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be activated.
#[derive(Debug, Clone, Copy, Default)]
pub struct ActivateModel {
    /// The model.
    pub id: GivenId<ScoringModelId>,
    /// The version the client read; none takes the one there is.
    pub expected_version: Option<i32>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct ActivatedModel {
    /// The model, which is in force.
    pub model: ListedModel,
    /// Whether this version of it was in force already.
    pub was_active: bool,
    /// The job that scores all contacts anew; none when it was in force already.
    pub job: Option<BulkJob>,
}

/// Puts the present version of a model in force and begins a job that scores all contacts anew, at its own cost; nothing is written when it is in force already. 3
/// requests: 1 R per started 4 KB of the model and twice that of the one in force; a transaction of 4 W per started KB of the model and 2 W; for a preset 2 W. Again as
/// much each time another change was faster.
///
/// The other processes learn of it within the half minute for which they believe a tenant's settings; the job waits for them. A process that dies after the change and
/// before the job leaves the scores as they were until something changes them: `contactBulk` with `RESCORE` does what the job would have done.
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:write` for the whole tenant, [`AppError::NotFound`] also for a deleted model; those of the database, and of the queue of
/// jobs when the change is written already. What a person can mend is in the inner result.
pub async fn activate(services: &Services, viewer: &Viewer, request: ActivateModel) -> Result<Result<ActivatedModel, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::ScoringWrite)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let change = Change::new("scoring_model.activated", services.clock.now(), viewer.origin());
    let mut begun = None;
    for _ in 0..ATTEMPTS {
        let kept = match scoring::preset(id) {
            Some(preset) => KeptModel::Preset(preset),
            None => {
                let own = scoring_models::get(core, scope, id).await?.filter(|model| model.deleted_at.is_none());
                KeptModel::Own(Box::new(own.ok_or(AppError::NotFound)?))
            }
        };
        if let Some(expected) = request.expected_version
            && let Err(error) = check_version(kept.version(), expected)
        {
            return Ok(Err(vec![error]));
        }
        let model = kept.model();
        let before = scoring_models::active(core, scope).await?;
        let is_own_write = before.as_ref().is_some_and(|before| before.record.last_change == change);
        let in_force = before.as_ref().map_or_else(|| scoring::standard().version, |before| before.model.version);
        if in_force == model.version && !is_own_write {
            let model = ListedModel::of(kept, in_force);
            return Ok(Ok(ActivatedModel { model, was_active: true, job: None }));
        }
        let own = match &kept {
            KeptModel::Preset(_) => None,
            KeptModel::Own(model) => Some(model.record.revision),
        };
        let record = before.as_ref().map_or_else(|| Revisioned::created(change.clone()), |before| before.record.changed(change.clone()));
        let active = ActiveScoringModel { record, model };
        let replaced = before.map(|before| before.record.revision);
        // Its job is begun before: it waits, and changes nothing that is right. Begun afterwards, it would be missing when it can't be sent, and asking again would find the
        // model in force already.
        let job = match begun.take() {
            Some(job) => job,
            None => bulk::start_rescore(services, viewer).await?,
        };
        // The answer to the attempt before may have been lost.
        if is_own_write || scoring_models::save_active(core, scope, &active, replaced, own).await? {
            services.tenants.forget_settings(scope);
            let model = ListedModel::of(kept, active.model.version);
            return Ok(Ok(ActivatedModel { model, was_active: false, job: Some(job) }));
        }
        begun = Some(job);
    }
    Err(busy())
}
