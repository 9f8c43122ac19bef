//! Finding the words for scores: those of the model's version that made them.

use std::collections::HashMap;
use std::sync::Arc;

use switchboard_domain::scoring::{ExplainedComponent, Explanation, Model, ModelVersion, Score, explain};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{CoreTable, scoring_models};
use tokio::sync::Mutex;

use crate::error::AppError;
use crate::services::Services;

/// Explains the scores of a tenant's contacts within one request. Each version of a model is read once.
pub struct Explainer {
    core: CoreTable,
    tenant: Arc<OpenTenant>,
    settings: Arc<Settings>,
    known: Mutex<HashMap<ModelVersion, Option<Arc<Model>>>>,
}

impl Explainer {
    /// For a tenant with these settings.
    #[must_use]
    pub fn new(services: &Services, tenant: &Arc<OpenTenant>, settings: &Arc<Settings>) -> Self {
        Self { core: services.core.clone(), tenant: Arc::clone(tenant), settings: Arc::clone(settings), known: Mutex::default() }
    }

    /// A version of a model; none when it never scored anybody. No request for the one in force, for presets and for one that was asked for before; else 1 request
    /// and 1 R per started 4 KB.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn model_of(&self, version: ModelVersion) -> Result<Option<Arc<Model>>, AppError> {
        // Held while it is read: who asks meanwhile has the same answer.
        let mut known = self.known.lock().await;
        if let Some(found) = known.get(&version) {
            return Ok(found.clone());
        }
        let in_force = &self.settings.scorer.model;
        let found = if in_force.version == version { Some(in_force.clone()) } else { scoring_models::version(&self.core, &self.tenant.scope, version).await? };
        let found = found.map(Arc::new);
        known.insert(version, found.clone());
        Ok(found)
    }

    /// What a score says. As [`Self::model_of`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn explain(&self, score: &Score) -> Result<Explanation, AppError> {
        Ok(match self.model_of(score.model).await? {
            Some(model) => explain(&model, score),
            None => unexplained(score),
        })
    }
}

/// What a score says whose model isn't there: its points.
fn unexplained(score: &Score) -> Explanation {
    const REASON: &str = "by a scoring model that is no longer there";
    let component = |(index, points): (usize, f64)| ExplainedComponent { name: format!("factor {}", index + 1), points, maximum: points, reason: REASON.to_owned() };
    let components = score.components.iter().map(|component| component.points.number()).enumerate().map(component).collect();
    Explanation { components, reason: REASON.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::scoring::{Case, Component, Points, standard};

    #[test]
    fn a_score_whose_model_is_not_there_still_tells_its_points() {
        let components = [12, 0].map(|points| Component { points: Points::whole(points), case: Case::new(0) }).to_vec();
        let calculated_at = jiff::Timestamp::UNIX_EPOCH;
        let score = Score { value: 12, components, model: standard().version, calculated_at, previous: None, next_change_at: None };
        let told = unexplained(&score);
        assert_eq!(told.components.iter().map(|component| (component.name.as_str(), component.points)).collect::<Vec<_>>(), [("factor 1", 12.0), ("factor 2", 0.0)]);
        assert!(!told.reason.is_empty());
    }
}
