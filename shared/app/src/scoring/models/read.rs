//! Reading models.

use futures::future::try_join;
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::permission::Permission;
use switchboard_domain::scoring::{self, Factor, Model, ModelVersion, ScoringModel};
use switchboard_domain::text::fold;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{StoreError, scoring_models};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// A model as a tenant has it.
#[derive(Debug, Clone, PartialEq)]
pub enum KeptModel {
    /// One that every tenant has.
    Preset(Model),
    /// One of its own.
    Own(Box<ScoringModel>),
}

impl KeptModel {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> ScoringModelId {
        match self {
            Self::Preset(model) => model.version.model,
            Self::Own(model) => model.id,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Preset(model) => &model.name,
            Self::Own(model) => &model.name,
        }
    }

    /// Its factors.
    #[must_use]
    pub fn factors(&self) -> &[Factor] {
        match self {
            Self::Preset(model) => &model.factors,
            Self::Own(model) => &model.factors,
        }
    }

    /// Its present version.
    #[must_use]
    pub fn version(&self) -> u32 {
        match self {
            Self::Preset(model) => model.version.version,
            Self::Own(model) => model.record.version,
        }
    }

    /// What scores by its present version.
    #[must_use]
    pub fn model(&self) -> Model {
        match self {
            Self::Preset(model) => model.clone(),
            Self::Own(model) => model.model(),
        }
    }
}

/// A model, and whether it is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedModel {
    /// The model.
    pub model: KeptModel,
    /// The version of it by which contacts are scored, which may be an older one; none while they are scored by another model.
    pub active_version: Option<u32>,
}

impl ListedModel {
    pub(super) fn of(model: KeptModel, in_force: ModelVersion) -> Self {
        let active_version = (in_force.model == model.id()).then_some(in_force.version);
        Self { model, active_version }
    }
}

/// The version by which a tenant's contacts are scored now. 1 request, 1 R per started 4 KB.
pub(super) async fn in_force(services: &Services, tenant: &OpenTenant) -> Result<ModelVersion, StoreError> {
    let active = scoring_models::active(&services.core, &tenant.scope).await?;
    Ok(active.map_or_else(|| scoring::standard().version, |active| active.model.version))
}

/// The presets, then the tenant's own models by their names. 2 requests, 1 R per started 4 KB of the models.
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:read` for the whole tenant; those of the database.
pub async fn list(services: &Services, viewer: &Viewer) -> Result<Vec<ListedModel>, AppError> {
    viewer.require_all(Permission::ScoringRead)?;
    let tenant = &viewer.tenant;
    let (models, in_force) = try_join(scoring_models::load(&services.core, &tenant.scope), in_force(services, tenant)).await?;
    let mut own: Vec<ScoringModel> = models.live().cloned().collect();
    own.sort_by_cached_key(|model| (fold(&model.name), model.id));
    let presets = [scoring::standard(), scoring::pipeline()].map(KeptModel::Preset);
    let all = presets.into_iter().chain(own.into_iter().map(|model| KeptModel::Own(Box::new(model))));
    Ok(all.map(|model| ListedModel::of(model, in_force)).collect())
}

/// A model by its id, also a deleted one, of which only the name is left. 2 requests, 1 for a preset; 1 R per started 4 KB.
///
/// # Errors
/// As [`list`].
pub async fn get(services: &Services, viewer: &Viewer, id: ScoringModelId) -> Result<Option<ListedModel>, AppError> {
    viewer.require_all(Permission::ScoringRead)?;
    let model = match scoring::preset(id) {
        Some(preset) => Some(KeptModel::Preset(preset)),
        None => scoring_models::get(&services.core, &viewer.tenant.scope, id).await?.map(|model| KeptModel::Own(Box::new(model))),
    };
    Ok(match model {
        Some(model) => Some(ListedModel::of(model, in_force(services, &viewer.tenant).await?)),
        None => None,
    })
}
