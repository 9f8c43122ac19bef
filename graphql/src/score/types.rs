//! A score as clients see it.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use switchboard_app::AppError;
use switchboard_app::scoring::distribution::{Distribution, ScoreBand as CountedBand};
use switchboard_domain::scoring;
use switchboard_store::score_history;

use super::explained::{explanation, model_version};
use crate::errors::app_error;
use crate::page::Listed;
use crate::scalars::{BigInt, DateTime};

/// What a score means for who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "scoring::ScoreCategory")]
pub(crate) enum ScoreCategory {
    /// 75 and more.
    Hot,
    /// 50 to 74.
    Warm,
    /// 25 to 49.
    Cold,
    /// Below 25.
    Nurture,
}

/// What of a score its value tells, so that a list has it at hand.
const TOLD_BY_VALUE: [&str; 3] = ["value", "category", "__typename"];

/// Whether of a score nothing is asked but what its value tells.
pub(crate) fn is_told_by_value(ctx: &Context<'_>) -> bool {
    ctx.field().selection_set().all(|field| TOLD_BY_VALUE.contains(&field.name()))
}

/// How promising a contact is.
#[derive(Clone)]
pub(crate) struct Score {
    value: u8,
    whole: Option<Arc<scoring::Score>>,
}

impl Score {
    /// One of which only the value is known.
    pub(crate) fn of_value(value: u8) -> Self {
        Self { value, whole: None }
    }

    fn whole(&self) -> Result<&scoring::Score> {
        self.whole.as_deref().ok_or_else(|| app_error(AppError::Broken("more is asked of a score than was read".to_owned())))
    }
}

impl From<scoring::Score> for Score {
    fn from(whole: scoring::Score) -> Self {
        Self { value: whole.value, whole: Some(Arc::new(whole)) }
    }
}

#[Object]
impl Score {
    /// From 0 to 100.
    async fn value(&self) -> u8 {
        self.value
    }

    /// What the value means for who calls.
    async fn category(&self) -> ScoreCategory {
        scoring::ScoreCategory::of(self.value).into()
    }

    /// What each factor of the model gave. Their points add up to the value, which is rounded half up.
    async fn components(&self, ctx: &Context<'_>) -> Result<Vec<ScoreComponent>> {
        Ok(explanation(ctx, self.whole()?).await?.components.into_iter().map(ScoreComponent::from).collect())
    }

    /// The value of the score that this one replaced; null for a first one.
    async fn previous_value(&self) -> Result<Option<u8>> {
        Ok(self.whole()?.previous)
    }

    /// By how much the value rose since; negative when it fell, null for a first one.
    async fn change(&self) -> Result<Option<i32>> {
        Ok(change(self.whole()?))
    }

    /// Why, in words that don't age: those of the factors that gave most.
    async fn reason(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(explanation(ctx, self.whole()?).await?.reason)
    }

    /// The model that made it, by its name and version: `standard@1`.
    async fn model_version(&self, ctx: &Context<'_>) -> Result<String> {
        model_version(ctx, self.whole()?).await
    }

    /// When it was calculated.
    async fn calculated_at(&self) -> Result<DateTime> {
        Ok(self.whole()?.calculated_at.into())
    }
}

fn change(score: &scoring::Score) -> Option<i32> {
    score.previous.map(|previous| i32::from(score.value) - i32::from(previous))
}

/// What one factor gave.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ScoreComponent {
    /// The factor.
    name: String,
    /// Its points.
    points: f64,
    /// The most it gives.
    max: f64,
    /// Why it gave them.
    reason: String,
}

impl From<scoring::ExplainedComponent> for ScoreComponent {
    fn from(component: scoring::ExplainedComponent) -> Self {
        let scoring::ExplainedComponent { name, points, maximum, reason } = component;
        Self { name, points, max: maximum, reason }
    }
}

/// A score that a contact had.
#[derive(Clone)]
pub(crate) struct ReplacedScore(pub(crate) score_history::ReplacedScore);

impl Listed for ReplacedScore {
    const NAME: &'static str = "ReplacedScore";
}

#[Object]
impl ReplacedScore {
    /// From 0 to 100.
    async fn value(&self) -> u8 {
        self.0.score.value
    }

    /// What the value means for who calls.
    async fn category(&self) -> ScoreCategory {
        self.0.score.category().into()
    }

    /// Why, in words that don't age: those of the factors that gave most.
    async fn reason(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(explanation(ctx, &self.0.score).await?.reason)
    }

    /// The model that made it, by its name and version: `standard@1`.
    async fn model_version(&self, ctx: &Context<'_>) -> Result<String> {
        model_version(ctx, &self.0.score).await
    }

    /// When it was calculated.
    async fn calculated_at(&self) -> DateTime {
        self.0.score.calculated_at.into()
    }

    /// When another one took its place.
    async fn replaced_at(&self) -> DateTime {
        self.0.replaced_at.into()
    }
}

/// How many contacts are in a category.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ScoreCategoryCount {
    /// The category.
    category: ScoreCategory,
    /// How many contacts.
    count: BigInt,
}

/// How many contacts have one of a few neighbouring values.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ScoreBand {
    /// The least value.
    from: u8,
    /// The greatest value.
    to: u8,
    /// How many contacts.
    count: BigInt,
}

impl From<CountedBand> for ScoreBand {
    fn from(band: CountedBand) -> Self {
        Self { from: band.least, to: band.greatest, count: BigInt(band.count) }
    }
}

/// How the scores of the tenant's contacts are spread; deleted contacts, and those that have none yet, aside.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ScoreDistribution {
    /// How many contacts have a score.
    total: BigInt,
    /// How many are in each category, the best first.
    categories: Vec<ScoreCategoryCount>,
    /// How many have which value: 20 bands of five values, the lowest first, the last one with 100.
    bands: Vec<ScoreBand>,
}

impl From<Distribution> for ScoreDistribution {
    fn from(distribution: Distribution) -> Self {
        let count = |category: scoring::ScoreCategory| ScoreCategoryCount { category: ScoreCategory::from(category), count: BigInt(distribution.of_category(category)) };
        Self {
            total: BigInt(distribution.total()),
            categories: scoring::ScoreCategory::ALL.into_iter().map(count).collect(),
            bands: distribution.bands.iter().copied().map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn score(previous: Option<u8>) -> scoring::Score {
        let model = scoring::standard().version;
        scoring::Score { value: 40, components: Vec::new(), model, calculated_at: Timestamp::UNIX_EPOCH, previous, next_change_at: None }
    }

    #[test]
    fn a_change_falls_and_rises_and_a_first_score_has_none() {
        for (previous, expected) in [(None, None), (Some(100), Some(-60)), (Some(40), Some(0)), (Some(0), Some(40))] {
            assert_eq!(change(&score(previous)), expected, "{previous:?}");
        }
    }

    #[test]
    fn of_a_score_by_its_value_nothing_else_is_known() {
        assert!(Score::of_value(40).whole().is_err());
        assert!(Score::from(score(None)).whole().is_ok());
    }

    #[test]
    fn the_categories_of_a_distribution_add_up_to_its_total() {
        let bands = (0..20).map(|band: u8| CountedBand { least: band * 5, greatest: band * 5 + 4, count: u64::from(band) }).collect();
        let shown = ScoreDistribution::from(Distribution { bands });
        assert_eq!(shown.categories.iter().map(|category| category.count.0).collect::<Vec<_>>(), [85, 60, 35, 10]);
        assert_eq!((shown.total.0, shown.bands.len()), (190, 20));
    }
}
