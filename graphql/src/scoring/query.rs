//! The queries for scoring models.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result, SimpleObject};
use switchboard_app::scoring::models::{self, PreviewModel, PreviewOf, PreviewedContact, train};
use switchboard_domain::ids::ScoringModelId;

use super::inputs::{ScoringFactorInput, factors, model_id, shown_of_preview};
use super::training::scoring_training;
use super::{ScoringModel, ScoringTraining};
use crate::contact::Contact;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error, hidden};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};
use crate::score::ScoreCategory;

/// What is to be tried out: exactly one of these.
#[derive(OneofObject)]
pub(crate) enum ScoringPreviewOf {
    /// The present version of a model.
    ModelId(ID),
    /// Factors that no model has yet.
    Factors(Vec<ScoringFactorInput>),
}

/// A scoring model to be tried out.
#[derive(InputObject)]
pub(crate) struct ScoringModelPreviewInput {
    /// The model, or factors.
    of: ScoringPreviewOf,
    /// On these contacts, at most 100; those that you may not see are left out.
    contact_ids: Option<Vec<ID>>,
    /// On so many of the newest contacts, at most 500; 100 when neither is given.
    sample: Option<i32>,
}

/// A contact by the model in force and by the one that is tried out, both at this moment.
#[derive(SimpleObject)]
pub(crate) struct ScoringPreviewedContact {
    /// The contact.
    contact: Contact,
    /// Its value by the model in force.
    value_now: i32,
    /// Its category by the model in force.
    category_now: ScoreCategory,
    /// Its value by the model that is tried out.
    value_then: i32,
    /// Its category by the model that is tried out.
    category_then: ScoreCategory,
    /// Why, by the model that is tried out.
    reason_then: String,
}

impl From<PreviewedContact> for ScoringPreviewedContact {
    fn from(previewed: PreviewedContact) -> Self {
        let PreviewedContact { contact, now, then, explanation } = previewed;
        Self {
            contact: contact.into(),
            value_now: now.value.into(),
            category_now: now.category().into(),
            value_then: then.value.into(),
            category_then: then.category().into(),
            reason_then: explanation.reason,
        }
    }
}

/// How many contacts a model would move from one category to another, or leave there.
#[derive(SimpleObject)]
pub(crate) struct ScoringCategoryMove {
    /// Their category by the model in force.
    from: ScoreCategory,
    /// Their category by the model that is tried out.
    to: ScoreCategory,
    /// How many.
    count: i32,
}

/// What a model would change.
#[derive(SimpleObject)]
pub(crate) struct ScoringModelPreview {
    /// The contacts, in the order in which they were named, or the newest first.
    contacts: Vec<ScoringPreviewedContact>,
    /// How many are in which category and would be in which, the best first.
    moves: Vec<ScoringCategoryMove>,
    /// What to mend; nothing was tried out when there is any.
    user_errors: Vec<UserError>,
}

/// The queries for scoring models.
#[derive(Default)]
pub(crate) struct ScoringQuery;

#[Object]
impl ScoringQuery {
    /// The models that contacts can be scored by: the presets, then your own by their names.
    async fn scoring_models(&self, ctx: &Context<'_>) -> Result<Vec<ScoringModel>> {
        let found = models::list(&ctx.api().services, ctx.viewer()).await.map_err(app_error)?;
        Ok(found.into_iter().map(ScoringModel::from).collect())
    }

    /// Tries a scoring model out on contacts, beside the one in force, and tells how it would move them between categories. Nothing is written.
    #[graphql(complexity = "usize::try_from(input.sample.unwrap_or(100).clamp(100, 500)).unwrap_or(500) * child_complexity")]
    async fn scoring_model_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The model, and the contacts.")] input: ScoringModelPreviewInput,
    ) -> Result<ScoringModelPreview> {
        let of = match input.of {
            ScoringPreviewOf::ModelId(id) => PreviewOf::Model(model_id(&id)),
            ScoringPreviewOf::Factors(given) => PreviewOf::Factors(factors(given)),
        };
        let contact_id = |id: ID| match NodeId::parse(&id) {
            Some(NodeId::Contact(id)) => Some(id),
            _ => None,
        };
        let contacts = input.contact_ids.map(|ids| ids.into_iter().map(contact_id).collect());
        let request = PreviewModel { of, contacts, sample: input.sample };
        Ok(match models::preview(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(previewed) => {
                let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
                let moves = previewed.moves.into_iter().map(|(from, to, moved)| ScoringCategoryMove { from: from.into(), to: to.into(), count: count(moved) });
                let contacts = previewed.contacts.into_iter().map(ScoringPreviewedContact::from).collect();
                ScoringModelPreview { contacts, moves: moves.collect(), user_errors: Vec::new() }
            }
            Err(errors) => ScoringModelPreview { contacts: Vec::new(), moves: Vec::new(), user_errors: shown_of_preview(errors) },
        })
    }

    /// The learning of a scoring model by its id; null when there is none, or none for you.
    async fn scoring_training(&self, ctx: &Context<'_>, #[graphql(desc = "The training's id.")] id: ID) -> Result<Option<ScoringTraining>> {
        match NodeId::parse(&id) {
            Some(NodeId::ScoringTraining(id)) => scoring_training(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The learnings of scoring models, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn scoring_trainings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<ScoringTraining>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, "scoringTrainings", first, after.as_deref())?;
        let page = train::list(&ctx.api().services, viewer, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|training| (training.id.to_string(), ScoringTraining::from(training))).collect();
        Ok(asked.page(entries, page.has_more))
    }
}

/// A model by its id; none without the right to see it.
pub(crate) async fn scoring_model(ctx: &Context<'_>, id: ScoringModelId) -> Result<Option<ScoringModel>> {
    let found = models::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
    Ok(found.map(ScoringModel::from))
}
