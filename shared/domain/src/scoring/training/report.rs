//! What came of learning: the factors of the model, and the report on how they were found and how well they foretell.

use serde::{Deserialize, Serialize};

use super::scorecard::Contribution;
use crate::scoring::model::Factor;

/// Most bytes of the coefficients in a report, as JSON. With what is left out the whole stays below 40 KB.
const MOST_COEFFICIENT_BYTES: usize = 24_000;
/// Most bytes of what was left out, as JSON.
const MOST_LEFT_OUT_BYTES: usize = 8_000;

/// A model that was learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Its factors, as those of any other model.
    pub factors: Vec<Factor>,
    /// How it was learned.
    pub report: TrainingReport,
}

/// How a model was learned and how well it foretells. The oldest four fifths of the contacts are learned from, the newest fifth is held out to measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingReport {
    /// What was foretold: `converted`, or the name of an attribute.
    pub outcome: String,
    /// Contacts of which the outcome was known.
    pub examples: u32,
    /// Those of them that were won.
    pub converted: u32,
    /// Those that were held out. All measures are of them, by the points that the model gives.
    pub held_out: u32,
    /// How often one that was won has more points than one that wasn't, from 0 to 1; 0.5 is chance.
    pub area_under_curve: f64,
    /// How many times as often the tenth with the most points was won as all were.
    pub lift_at_tenth: f64,
    /// The probabilities against what came true, the lowest first.
    pub calibration: Vec<CalibrationBand>,
    /// The weight of the L2 penalty that foretold best what was learned from last.
    pub regularisation: f64,
    /// The log-odds of who has no points.
    pub intercept: f64,
    /// The log-odds that one point adds.
    pub log_odds_per_point: f64,
    /// What each case adds to the log-odds, the most first; the least when they are too many.
    pub coefficients: Vec<Coefficient>,
    /// What wasn't learned from, each with why.
    pub left_out: Vec<String>,
}

/// As many contacts as in every other band, by their probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CalibrationBand {
    /// The mean probability.
    pub predicted: f64,
    /// The share that was won.
    pub observed: f64,
    /// How many.
    pub count: u32,
}

/// What one case of a factor adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coefficient {
    /// The factor.
    pub feature: String,
    /// Its case, in words.
    pub case: String,
    /// The log-odds above those of the factor's least case.
    pub value: f64,
}

/// Why nothing was learned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too few contacts.
    #[error("Only {found} contacts have a known outcome; learning needs at least {needed}. Wait until there are more, or name an outcome that more contacts have.")]
    TooFewExamples {
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Nearly all contacts of a part had the same outcome.
    #[error("Among {part} only {found} {}; learning needs at least {needed} of each outcome there. Wait until there are more.", became(.converted))]
    TooFewOfAnOutcome {
        /// Which part.
        part: Part,
        /// Whether those that were won are too few, or the others.
        converted: bool,
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Nothing differs between contacts.
    #[error(
        "Nothing is known of the contacts that could tell them apart: sources, filled fields and attributes are missing, nearly always the same, or nearly always different."
    )]
    NothingToLearnFrom,
    /// Something knows the outcome.
    #[error("{feature} alone tells nearly all outcomes, so it is probably known only after the outcome. Name the attributes to learn from, without it.")]
    KnowsTheOutcome {
        /// The factor.
        feature: String,
    },
    /// Nothing that is known has to do with the outcome.
    #[error("Nothing that is known of the contacts has to do with the outcome. Add attributes that are known before it.")]
    NothingLearned,
    /// The regression failed.
    #[error("The regression didn't come to an end, or too few of an outcome are among the contacts it can look at. Name fewer attributes to learn from.")]
    NotFitted,
}

fn became(converted: &bool) -> &'static str {
    if *converted { "were won" } else { "weren't won" }
}

/// A part of the contacts by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is learned from first.
    OldestThreeFifths,
    /// What is learned from in the end.
    OldestFourFifths,
    /// What is held out.
    NewestFifth,
}

impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::OldestThreeFifths => "the oldest three fifths of the contacts",
            Self::OldestFourFifths => "the oldest four fifths of the contacts",
            Self::NewestFifth => "the newest fifth of the contacts",
        })
    }
}

/// The coefficients that fit a report, those that add the most first.
pub(super) fn coefficients(contributions: Vec<Contribution>) -> Vec<Coefficient> {
    let mut all: Vec<Coefficient> = contributions.into_iter().map(|Contribution { feature, case, value }| Coefficient { feature, case, value }).collect();
    all.sort_by(|one, other| other.value.total_cmp(&one.value));
    keep(&mut all, MOST_COEFFICIENT_BYTES);
    all
}

/// What was left out, as much as fits a report, and how much more there is.
pub(super) fn left_out(mut lines: Vec<String>) -> Vec<String> {
    let all = lines.len();
    keep(&mut lines, MOST_LEFT_OUT_BYTES);
    if lines.len() < all {
        lines.push(format!("and {} more", all - lines.len()));
    }
    lines
}

/// Keeps the first ones that have at most so many bytes together as JSON.
fn keep<T: Serialize>(list: &mut Vec<T>, bytes: usize) {
    let mut left = bytes;
    let fitting = list.iter().take_while(|item| {
        let size = serde_json::to_vec(item).map_or(usize::MAX, |json| json.len().saturating_add(1));
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    });
    let fitting = fitting.count();
    list.truncate(fitting);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_missing_and_what_to_do() {
        let few = Refusal::TooFewOfAnOutcome { part: Part::NewestFifth, converted: false, found: 3, needed: 10 };
        let text = "Among the newest fifth of the contacts only 3 weren't won; learning needs at least 10 of each outcome there. Wait until there are more.";
        assert_eq!(few.to_string(), text);
        assert!(Refusal::TooFewExamples { found: 499, needed: 500 }.to_string().starts_with("Only 499 contacts have a known outcome; learning needs at least 500."));
        assert!(Refusal::KnowsTheOutcome { feature: "Invoice".to_owned() }.to_string().starts_with("Invoice alone tells nearly all outcomes"));
    }

    #[test]
    fn a_report_stays_below_40_kilobytes_whatever_names_and_values_are() {
        let number = |index: u32| f64::from(index) / 7.0;
        let contributions = (0..1_000).map(|index| Contribution { feature: "é\"".repeat(25), case: "語\\".repeat(30), value: number(index) }).collect();
        let lines: Vec<String> = (0..400).map(|index| format!("{} {index}: on too few contacts", "語".repeat(64))).collect();
        let report = TrainingReport {
            outcome: "語".repeat(64),
            examples: 100_000,
            converted: 50_000,
            held_out: 20_000,
            area_under_curve: 2.0 / 3.0,
            lift_at_tenth: 10.0 / 3.0,
            calibration: (0..10).map(|index| CalibrationBand { predicted: number(index), observed: number(index), count: 2_000 }).collect(),
            regularisation: 0.01,
            intercept: -1.0 / 3.0,
            log_odds_per_point: 1.0 / 3.0,
            coefficients: coefficients(contributions),
            left_out: left_out(lines),
        };
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.len() < 40_000, "{}", json.len());
        assert!(report.coefficients.len() > 50 && report.coefficients.is_sorted_by(|one, next| one.value >= next.value));
        assert_eq!(report.left_out.last().unwrap(), &format!("and {} more", 401 - report.left_out.len()));
        assert!(json.contains("\"areaUnderCurve\":0.6666"), "{json}");
        assert_eq!(serde_json::from_str::<TrainingReport>(&json).unwrap().coefficients.len(), report.coefficients.len());
    }
}
