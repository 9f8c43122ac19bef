//! The words of scores, from the versions of the models that made them; each version is read once a request.

use async_graphql::{Context, Result};
use switchboard_app::scoring::models::Explainer;
use switchboard_domain::scoring::{Explanation, Model, ModelVersion, Score};

use crate::errors::app_error;

fn explainer<'a>(ctx: &Context<'a>) -> &'a Explainer {
    ctx.data_unchecked()
}

/// What a score says.
pub(super) async fn explanation(ctx: &Context<'_>, score: &Score) -> Result<Explanation> {
    explainer(ctx).explain(score).await.map_err(app_error)
}

/// The model that made a score: its name and version.
pub(super) async fn model_version(ctx: &Context<'_>, score: &Score) -> Result<String> {
    let model = explainer(ctx).model_of(score.model).await.map_err(app_error)?;
    Ok(named(model.as_deref(), score.model))
}

/// The name of a model, or when it isn't known its id, and the version.
fn named(model: Option<&Model>, version: ModelVersion) -> String {
    match model {
        Some(model) => format!("{}@{}", model.name, version.version),
        None => format!("{}@{}", version.model, version.version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::ids::ScoringModelId;
    use switchboard_domain::scoring::standard;

    #[test]
    fn a_model_that_is_not_known_is_told_by_its_id() {
        let version = ModelVersion { model: ScoringModelId::PIPELINE, version: 3 };
        assert_eq!(named(None, version), format!("{}@3", ScoringModelId::PIPELINE));
        assert_eq!(named(Some(&standard()), standard().version), format!("{}@1", standard().name));
    }
}
