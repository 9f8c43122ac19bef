//! From log-odds to points: what a regression found, written as the factors of a model.
//!
//! Of each feature the least case gives nothing, and the others what they add to the log-odds, all scaled by the same number so that the greatest of
//! all features are 100 points together. So points are log-odds: the order is the regression's, and a probability is read from a sum of points.

use std::collections::BTreeMap;

use super::features::Feature;
use crate::scoring::explain::default_reason;
use crate::scoring::model::{Factor, NAME_LENGTH, NumberBand, Rule};
use crate::scoring::points::Points;
use crate::text;

/// Log-odds between the best and the worst contact below which nothing was learned.
const LEAST_RANGE: f64 = 1e-6;

/// A regression as points.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scorecard {
    /// The factors, those with the most points first.
    pub(super) factors: Vec<Factor>,
    /// The points of each column, those of one feature after those of another.
    pub(super) points: Vec<Points>,
    /// The log-odds of who has no points.
    pub(super) intercept: f64,
    /// The log-odds that one point adds.
    pub(super) log_odds_per_point: f64,
    /// What each column adds to the log-odds.
    pub(super) contributions: Vec<Contribution>,
}

/// What one case of a feature adds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contribution {
    /// The name of the factor.
    pub(super) feature: String,
    /// The case in words.
    pub(super) case: String,
    /// The log-odds above those of the least case.
    pub(super) value: f64,
}

/// Writes what a regression found as factors. None when nothing makes a difference. `weights` has one number for each column of each feature, and none
/// below 0 for features that only add.
pub(super) fn scorecard(features: &[Feature], intercept: f64, weights: &[f64]) -> Option<Scorecard> {
    let mut least_of_all = intercept;
    let mut spans = Vec::with_capacity(features.len());
    let mut rest = weights;
    for feature in features {
        let (own, others) = rest.split_at_checked(feature.columns())?;
        rest = others;
        let span = Span::of(feature, own);
        least_of_all += span.least;
        spans.push(span);
    }
    let range: f64 = spans.iter().map(|span| span.range).sum();
    if !range.is_finite() || range < LEAST_RANGE {
        return None;
    }
    let maxima = apportioned(Points::WHOLE, spans.iter().map(|span| span.range));
    let mut card =
        Scorecard { factors: Vec::new(), points: Vec::new(), intercept: least_of_all, log_odds_per_point: range / Points::WHOLE.number(), contributions: Vec::new() };
    let mut names = Vec::new();
    for ((feature, span), maximum) in features.iter().zip(spans).zip(maxima) {
        let points = span.points(feature, maximum);
        if maximum > Points::ZERO {
            let name = unique_name(feature.name(), &names);
            card.contributions.extend(span.added.iter().enumerate().map(|(column, value)| Contribution {
                feature: name.clone(),
                case: feature.words(column),
                value: *value,
            }));
            let rule = rule(feature, &points);
            card.factors.push(Factor { name: name.clone(), maximum, reason: default_reason(&rule), rule });
            names.push(name);
        }
        card.points.extend(points);
    }
    card.factors.sort_by_key(|factor| std::cmp::Reverse(factor.maximum));
    Some(card)
}

/// How far the cases of a feature are apart.
struct Span {
    /// The log-odds of the least.
    least: f64,
    /// What each column adds to them.
    added: Vec<f64>,
    /// The most that can be added.
    range: f64,
}

impl Span {
    fn of(feature: &Feature, weights: &[f64]) -> Self {
        if feature.only_adds() {
            let added: Vec<f64> = weights.iter().map(|weight| weight.max(0.0)).collect();
            return Self { least: 0.0, range: added.iter().sum(), added };
        }
        let least = weights.iter().copied().fold(f64::INFINITY, f64::min);
        let added: Vec<f64> = weights.iter().map(|weight| weight - least).collect();
        Self { least, range: added.iter().copied().fold(0.0, f64::max), added }
    }

    /// The points of each column.
    fn points(&self, feature: &Feature, maximum: Points) -> Vec<Points> {
        if maximum == Points::ZERO {
            vec![Points::ZERO; self.added.len()]
        } else if feature.only_adds() {
            apportioned(maximum, self.added.iter().copied())
        } else {
            self.added.iter().map(|added| maximum.scaled(added / self.range)).collect()
        }
    }
}

/// Points divided as shares are, that add up exactly: each has what the shares up to it have together, rounded, less what those before it have.
fn apportioned(whole: Points, shares: impl Iterator<Item = f64> + Clone) -> Vec<Points> {
    let all: f64 = shares.clone().fold(0.0, |sum, share| sum + share);
    let upto = shares.scan(0.0, |sum, share| {
        *sum += share;
        Some(whole.scaled(*sum / all).parts())
    });
    let mut before = 0;
    upto.map(|parts| Points::of_parts(parts - std::mem::replace(&mut before, parts))).collect()
}

/// The rule of a feature whose columns give these points.
fn rule(feature: &Feature, points: &[Points]) -> Rule {
    let at = |column: usize| points.get(column).copied().unwrap_or_default();
    let table = |values: &[String]| values.iter().cloned().zip(points.iter().copied()).collect::<BTreeMap<_, _>>();
    match feature {
        Feature::Source { values } => Rule::Source { table: table(values), aliases: BTreeMap::new(), otherwise: at(values.len()) },
        Feature::Completeness { fields } => {
            let given = fields.iter().copied().zip(points.iter().copied());
            Rule::Completeness { fields: given.filter(|(_, points)| *points > Points::ZERO).collect() }
        }
        Feature::Table { attribute, values } => {
            Rule::AttributeTable { attribute: attribute.clone(), table: table(values), otherwise: at(values.len()), missing: at(values.len() + 1) }
        }
        Feature::Bands { attribute, edges } => {
            let bands = edges.iter().zip(points).map(|(edge, points)| NumberBand { at_least: *edge, points: *points });
            Rule::AttributeBands { attribute: attribute.clone(), bands: bands.collect(), below: at(edges.len()), missing: at(edges.len() + 1) }
        }
    }
}

/// A name that fits a factor, with a number behind it when another one is called so.
fn unique_name(name: &str, others: &[String]) -> String {
    let cut = |length: usize| name.chars().take(length).collect::<String>().trim().to_owned();
    let is_free = |name: &String| others.iter().all(|other| text::fold(other) != text::fold(name));
    let numbered = (2..=others.len() + 1).map(|number| {
        let suffix = format!(" {number}");
        format!("{}{suffix}", cut(NAME_LENGTH - suffix.len()))
    });
    std::iter::once(cut(NAME_LENGTH)).chain(numbered).find(is_free).unwrap_or_else(|| cut(NAME_LENGTH))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scoring::model::CompletenessField;

    fn source() -> Feature {
        Feature::Source { values: vec!["google".to_owned(), "referral".to_owned()] }
    }

    fn completeness() -> Feature {
        Feature::Completeness { fields: vec![CompletenessField::Email, CompletenessField::Name, CompletenessField::City] }
    }

    fn origin() -> Feature {
        Feature::Table { attribute: "Origin".to_owned(), values: vec!["api".to_owned()] }
    }

    fn visits() -> Feature {
        Feature::Bands { attribute: "Visits".to_owned(), edges: vec![1.0, 5.0] }
    }

    #[test]
    fn what_makes_no_difference_gives_no_points() {
        assert_eq!(scorecard(&[source()], 1.0, &[0.3, 0.3, 0.3]), None);
        assert_eq!(scorecard(&[source()], 1.0, &[f64::NAN; 3]), None);
        assert_eq!(scorecard(&[source()], 1.0, &[0.3, 0.1]), None, "a weight is missing");
        assert_eq!(scorecard(&[], 1.0, &[]), None);
        let card = scorecard(&[source(), origin()], 0.0, &[1.0, 0.0, 0.0, 0.7, 0.7, 0.7]).unwrap();
        assert_eq!(card.factors.iter().map(|factor| factor.name.as_str()).collect::<Vec<_>>(), ["source"]);
        assert_eq!(card.points, [Points::WHOLE, Points::ZERO, Points::ZERO, Points::ZERO, Points::ZERO, Points::ZERO]);
        assert_eq!((card.intercept, card.log_odds_per_point), (0.7, 0.01));
    }

    #[test]
    fn log_odds_become_points_above_the_least_case() {
        let card = scorecard(&[source(), visits()], -1.0, &[-1.0, 1.0, 0.5, -0.5, 1.5, 0.0, -0.5]).unwrap();
        let parts = |parts: &[f64]| parts.iter().map(|points| Points::from_number(*points).unwrap()).collect::<Vec<_>>();
        assert_eq!(card.points, parts(&[0.0, 50.0, 37.5, 0.0, 50.0, 12.5, 0.0]));
        assert_eq!((card.intercept, card.log_odds_per_point), (-2.5, 0.04));
        let [source, visits] = &card.factors[..] else { panic!("{card:?}") };
        assert_eq!((source.maximum, source.reason.as_str()), (Points::whole(50), "source {value}"));
        let table = BTreeMap::from([("google".to_owned(), Points::ZERO), ("referral".to_owned(), Points::whole(50))]);
        assert_eq!(source.rule, Rule::Source { table, aliases: BTreeMap::new(), otherwise: Points::of_parts(375_000) });
        let bands = vec![NumberBand { at_least: 1.0, points: Points::ZERO }, NumberBand { at_least: 5.0, points: Points::whole(50) }];
        assert_eq!(visits.rule, Rule::AttributeBands { attribute: "Visits".to_owned(), bands, below: Points::of_parts(125_000), missing: Points::ZERO });
        assert_eq!(card.contributions[1], Contribution { feature: "source".to_owned(), case: "referral".to_owned(), value: 2.0 });
    }

    #[test]
    fn filled_fields_add_up_to_their_maximum_and_those_that_add_nothing_are_left_out() {
        let card = scorecard(&[completeness()], 0.0, &[2.0, 0.0, 1.0]).unwrap();
        let fields = BTreeMap::from([(CompletenessField::Email, Points::of_parts(666_667)), (CompletenessField::City, Points::of_parts(333_333))]);
        assert_eq!(card.factors[0].rule, Rule::Completeness { fields });
    }

    #[test]
    fn names_of_factors_are_short_and_unique_whatever_attributes_are_called() {
        let named = |name: &str| Feature::Table { attribute: name.to_owned(), values: vec!["x".to_owned()] };
        let long = "é".repeat(64);
        let features = [source(), named("Source"), named("SOURCE"), named(&long), named(&format!("{long}!")), named("{a}")];
        let weights: Vec<f64> = features.iter().flat_map(|feature| (0..feature.columns()).map(|column| if column == 0 { 1.0 } else { 0.0 })).collect();
        let card = scorecard(&features, 0.0, &weights).unwrap();
        let names: Vec<&str> = card.factors.iter().map(|factor| factor.name.as_str()).collect();
        assert_eq!(names.len(), 6);
        assert!(names.iter().all(|name| name.chars().count() <= NAME_LENGTH));
        for name in ["source", "Source 2", "SOURCE 3", "{a}"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(card.factors.iter().all(|factor| factor.reason.matches('{').count() == 1), "{card:?}");
    }

    proptest! {
        #[test]
        fn maxima_add_up_to_100_and_every_factor_can_reach_its_own(weights in prop::collection::vec(-5.0..5.0_f64, 13), intercept in -3.0..3.0_f64) {
            let features = [source(), completeness(), origin(), visits()];
            let Some(card) = scorecard(&features, intercept, &weights) else { return Ok(()) };
            prop_assert_eq!(card.factors.iter().map(|factor| factor.maximum).sum::<Points>(), Points::WHOLE);
            for factor in &card.factors {
                let greatest = match &factor.rule {
                    Rule::Source { table, otherwise, .. } => table.values().max().max(Some(otherwise)).copied(),
                    Rule::Completeness { fields } => Some(fields.values().copied().sum()),
                    Rule::AttributeTable { table, otherwise, missing, .. } => table.values().chain([otherwise, missing]).max().copied(),
                    Rule::AttributeBands { bands, below, missing, .. } => bands.iter().map(|band| band.points).chain([*below, *missing]).max(),
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!(greatest, Some(factor.maximum));
            }
            // Of any contact, points and log-odds say the same up to rounding.
            let columns = [1_usize, 3, 5, 7, 9];
            let points: Points = columns.iter().map(|column| card.points[*column]).sum();
            let log_odds = intercept + columns.iter().map(|column| if (3..6).contains(column) { weights[*column].max(0.0) } else { weights[*column] }).sum::<f64>();
            prop_assert!((card.intercept + points.number() * card.log_odds_per_point - log_odds).abs() < 1e-3);
        }
    }
}
