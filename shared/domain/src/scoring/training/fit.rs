//! Learning: the oldest contacts teach, later ones choose how strictly, the newest measure.

mod regression;

use self::regression::{Fitted, Row};
use super::choice::TrainingChoice;
use super::features::{self, Chosen, Feature};
use super::measures::{area_under_curve, calibration, lift_at_tenth};
use super::report::{self, Part, Refusal, Trained, TrainingReport};
use super::scorecard::{Scorecard, scorecard};
use super::{Example, MOST_EXAMPLES};
use crate::scoring::points::Points;

/// Fewest contacts to learn from.
const LEAST_EXAMPLES: usize = 500;
/// Fewest of either outcome among the oldest four fifths.
const LEAST_OF_OUTCOME: usize = 50;
/// Fewest of either outcome among the oldest three fifths, and among the newest fifth.
const LEAST_OF_OUTCOME_IN_PART: usize = 10;
/// Above this area under the curve, a feature alone knows too much to have been known before.
const KNOWS_THE_OUTCOME: f64 = 0.98;
/// The weights of the penalty that are tried, the strictest first.
const REGULARISATIONS: [f64; 5] = [100.0, 10.0, 1.0, 0.1, 0.01];

/// Learns a model. Of the contacts in order of time, the oldest three fifths decide what is looked at and are learned from; the next fifth chooses the
/// weight of the penalty that foretells it best; with that weight the oldest four fifths are learned from; the newest fifth, which had no part in it,
/// measures, by the points that the model gives. The same examples always give the same model. Of more than [`MOST_EXAMPLES`], the newest are taken, and of
/// those that are learned from fewer where there are many columns.
///
/// The examples don't hold what is known only afterwards of a contact's own fields; attributes of that kind, sensitive ones and the outcome itself are
/// left out here.
///
/// # Errors
/// Why nothing can be learned: too few contacts or outcomes, nothing that tells contacts apart, something that knows the outcome, nothing that has to
/// do with it.
pub fn train(mut examples: Vec<Example>, choice: &TrainingChoice) -> Result<Trained, Refusal> {
    examples.sort_by_key(|example| example.came);
    examples.drain(..examples.len().saturating_sub(MOST_EXAMPLES));
    let all = examples.len();
    let (first, learned) = (all * 3 / 5, all * 4 / 5);
    check_enough(&examples, first, learned)?;
    let Chosen { mut features, mut left_out } = features::choose(&examples[..first], choice);
    // Of what is looked at whatever was named, nobody could leave it out.
    features.retain(|feature| {
        let is_own = matches!(feature, Feature::Source { .. } | Feature::Completeness { .. });
        let knows = is_own && features::area_of(feature, &examples[..first]) > KNOWS_THE_OUTCOME;
        if knows {
            left_out.push(format!("{}: alone tells nearly all outcomes, so it is probably known only afterwards", feature.name()));
        }
        !knows
    });
    check_features(&features, &examples[..first])?;
    let rows = rows(&features, &examples);
    let columns = Columns::of(&features);
    let regularisation = best_regularisation(&columns, &rows[..first], &rows[first..learned])?;
    let fitted = columns.fit(&rows[..learned], regularisation)?;
    let card = scorecard(&features, fitted.intercept, &fitted.weights).ok_or(Refusal::NothingLearned)?;
    let held_out = &rows[learned..];
    let by_points: Vec<(f64, bool)> = held_out.iter().map(|row| (points_of(&card, row).number(), row.converted)).collect();
    let probability = |points: f64| 1.0 / (1.0 + (-(card.intercept + points * card.log_odds_per_point)).exp());
    let by_probability: Vec<(f64, bool)> = by_points.iter().map(|(points, converted)| (probability(*points), *converted)).collect();
    let report = TrainingReport {
        outcome: choice.outcome.to_string(),
        examples: count(all),
        converted: count(won(&examples)),
        held_out: count(held_out.len()),
        area_under_curve: area_under_curve(&by_points),
        lift_at_tenth: lift_at_tenth(&by_points),
        calibration: calibration(&by_probability),
        regularisation,
        intercept: card.intercept,
        log_odds_per_point: card.log_odds_per_point,
        coefficients: report::coefficients(card.contributions),
        left_out: report::left_out(left_out),
    };
    Ok(Trained { factors: card.factors, report })
}

fn check_enough(examples: &[Example], first: usize, learned: usize) -> Result<(), Refusal> {
    if examples.len() < LEAST_EXAMPLES {
        return Err(Refusal::TooFewExamples { found: examples.len(), needed: LEAST_EXAMPLES });
    }
    let parts = [
        (Part::OldestFourFifths, &examples[..learned], LEAST_OF_OUTCOME),
        (Part::OldestThreeFifths, &examples[..first], LEAST_OF_OUTCOME_IN_PART),
        (Part::NewestFifth, &examples[learned..], LEAST_OF_OUTCOME_IN_PART),
    ];
    for (part, examples, needed) in parts {
        let won = won(examples);
        for (converted, found) in [(true, won), (false, examples.len() - won)] {
            if found < needed {
                return Err(Refusal::TooFewOfAnOutcome { part, converted, found, needed });
            }
        }
    }
    Ok(())
}

/// Whether there is something to learn by, and nothing that gives the outcome away.
fn check_features(features: &[Feature], examples: &[Example]) -> Result<(), Refusal> {
    if features.is_empty() {
        return Err(Refusal::NothingToLearnFrom);
    }
    match features.iter().find(|feature| features::area_of(feature, examples) > KNOWS_THE_OUTCOME) {
        Some(feature) => Err(Refusal::KnowsTheOutcome { feature: feature.name().to_owned() }),
        None => Ok(()),
    }
}

/// The examples by columns, those of one feature after those of another.
fn rows(features: &[Feature], examples: &[Example]) -> Vec<Row> {
    let mut rows: Vec<Row> = examples.iter().map(|example| Row { held: Vec::with_capacity(features.len()), converted: example.converted }).collect();
    let mut before = 0;
    for feature in features {
        for (row, example) in rows.iter_mut().zip(examples) {
            row.held.extend(feature.held(example).into_iter().map(|column| before + column));
        }
        before += feature.columns();
    }
    rows
}

/// The weight of the penalty with which what the first rows teach foretells the next ones best; of equals the strictest.
fn best_regularisation(columns: &Columns, first: &[Row], next: &[Row]) -> Result<f64, Refusal> {
    let mut best: Option<(f64, f64)> = None;
    for regularisation in REGULARISATIONS {
        let fitted = columns.fit(first, regularisation)?;
        let loss: f64 = next.iter().map(|row| loss(fitted.log_odds(row), row.converted)).sum();
        if best.is_none_or(|(least, _)| loss < least) {
            best = Some((loss, regularisation));
        }
    }
    best.map(|(_, regularisation)| regularisation).ok_or(Refusal::NotFitted)
}

/// How wrong a forecast was: the negative logarithm of the probability that it gave to what came true.
fn loss(log_odds: f64, converted: bool) -> f64 {
    let against = if converted { -log_odds } else { log_odds };
    against.max(0.0) + (-against.abs()).exp().ln_1p()
}

/// The columns of all features: whether each can only add.
struct Columns {
    only_add: Vec<bool>,
}

impl Columns {
    fn of(features: &[Feature]) -> Self {
        Self { only_add: features.iter().flat_map(|feature| std::iter::repeat_n(feature.only_adds(), feature.columns())).collect() }
    }

    /// Fits the rows by all columns but those that can only add and would take away.
    fn fit(&self, rows: &[Row], regularisation: f64) -> Result<Fitted, Refusal> {
        let mut used = vec![true; self.only_add.len()];
        loop {
            let fitted = regression::fit(rows, &used, regularisation)?;
            let mut is_right = true;
            for ((used, only_adds), weight) in used.iter_mut().zip(&self.only_add).zip(&fitted.weights) {
                if *only_adds && *weight < 0.0 {
                    *used = false;
                    is_right = false;
                }
            }
            if is_right {
                return Ok(fitted);
            }
        }
    }
}

fn points_of(card: &Scorecard, row: &Row) -> Points {
    row.held.iter().filter_map(|column| card.points.get(*column)).copied().sum()
}

fn won(examples: &[Example]) -> usize {
    examples.iter().filter(|example| example.converted).count()
}

fn count(contacts: usize) -> u32 {
    u32::try_from(contacts).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
