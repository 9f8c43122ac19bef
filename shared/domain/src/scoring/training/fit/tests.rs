use std::sync::LazyLock;

use jiff::Timestamp;

use super::*;
use crate::contact::{AttributeValue, Attributes, Contact};
use crate::scoring::calculate::samples;
use crate::scoring::training::Outcome;
use crate::scoring::{CompletenessField, Factor, FactorInput, Model, ModelInput, ModelVersion, Scorer, check_model, explain};

/// Numbers that look random and are the same every time (SplitMix64).
struct Dice(u64);

impl Dice {
    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / 4_294_967_296.0
    }
}

/// Contacts whose log-odds are known: the sum of what source, visits, origin and e-mail address add. A colour has nothing to do with it.
fn population(count: u32) -> Vec<(Example, f64)> {
    let mut dice = Dice(8);
    let contact = |number: u32| {
        let mut log_odds = -2.2;
        let mut attributes = Attributes::new();
        let source = match dice.share() {
            ..0.4 => Some("Google"),
            ..0.6 => Some("google"),
            ..0.9 => Some("Referral"),
            _ => None,
        };
        log_odds += if source == Some("Referral") { 1.8 } else { 0.0 };
        let visits = (dice.share() * 5.0).floor();
        log_odds += 0.5 * visits;
        attributes.insert("Visits".to_owned(), AttributeValue::String(visits.to_string()));
        let origin = if dice.share() < 0.5 { "Web form" } else { "Call" };
        log_odds += if origin == "Web form" { 0.9 } else { 0.0 };
        attributes.insert("Origin".to_owned(), AttributeValue::String(origin.to_owned()));
        let mut filled = vec![CompletenessField::Phone];
        if dice.share() < 0.5 {
            filled.push(CompletenessField::Email);
            log_odds += 0.8;
        }
        let colour = if dice.share() < 0.5 { "red" } else { "blue" };
        attributes.insert("Colour".to_owned(), AttributeValue::String(colour.to_owned()));
        let converted = dice.share() < 1.0 / (1.0 + f64::exp(-log_odds));
        let came = (Timestamp::UNIX_EPOCH, u64::from(number));
        (Example { came, converted, source: source.map(str::to_owned), filled, attributes }, log_odds)
    };
    (0..count).map(contact).collect()
}

fn examples(count: u32) -> Vec<Example> {
    population(count).into_iter().map(|(example, _)| example).collect()
}

fn all() -> TrainingChoice {
    TrainingChoice { name: "Learned".to_owned(), outcome: Outcome::Attribute("Bought".to_owned()), attributes: None }
}

/// Who a test is about: 2,000 contacts with their true log-odds, and what is learned of them.
static LEARNED: LazyLock<(Vec<(Example, f64)>, Trained)> = LazyLock::new(|| {
    let population = population(2_000);
    let trained = train(population.iter().map(|(example, _)| example.clone()).collect(), &all()).unwrap();
    (population, trained)
});

fn scorer(factors: &[Factor]) -> Scorer {
    let version = ModelVersion { model: crate::ids::ScoringModelId::STANDARD, version: 1 };
    Scorer::new(Model { version, name: "Learned".to_owned(), factors: factors.to_vec() }, &[])
}

/// A contact of whom the same is known as of an example.
fn contact(example: &Example) -> Contact {
    let mut contact = samples::contact(Timestamp::UNIX_EPOCH);
    contact.details.source.clone_from(&example.source);
    contact.details.attributes.clone_from(&example.attributes);
    contact.details.email = example.filled.contains(&CompletenessField::Email).then(|| "zoe@example.com".to_owned());
    contact
}

#[test]
fn too_few_contacts_or_outcomes_are_refused_with_what_is_missing() {
    assert_eq!(train(Vec::new(), &all()), Err(Refusal::TooFewExamples { found: 0, needed: 500 }));
    assert_eq!(train(examples(499), &all()), Err(Refusal::TooFewExamples { found: 499, needed: 500 }));
    let with = |won: &dyn Fn(u64) -> bool| {
        let mut examples = examples(500);
        for example in &mut examples {
            example.converted = won(example.came.1);
        }
        train(examples, &all())
    };
    let too_few = |part, converted, found, needed| Err(Refusal::TooFewOfAnOutcome { part, converted, found, needed });
    assert_eq!(with(&|number| number < 49), too_few(Part::OldestFourFifths, true, 49, 50));
    assert_eq!(with(&|number| number >= 49), too_few(Part::OldestFourFifths, false, 49, 50));
    assert_eq!(with(&|number| (291..400).contains(&number)), too_few(Part::OldestThreeFifths, true, 9, 10));
    assert_eq!(with(&|number| (number < 400 && number % 2 == 0) || number >= 491), too_few(Part::NewestFifth, true, 9, 10));
}

#[test]
fn where_nothing_is_known_of_contacts_nothing_is_learned() {
    let mut examples = examples(500);
    for example in &mut examples {
        example.source = None;
        example.filled.clear();
        example.attributes.clear();
    }
    assert_eq!(train(examples, &all()), Err(Refusal::NothingToLearnFrom));
}

#[test]
fn what_alone_knows_the_outcome_is_refused_by_name() {
    let mut examples = examples(600);
    for example in &mut examples {
        // Somebody wrote it down when the sale was made.
        example.attributes.extend(example.converted.then(|| ("Invoice".to_owned(), AttributeValue::String(format!("number {}", example.came.1)))));
        example.attributes.extend(example.converted.then(|| ("Payment".to_owned(), AttributeValue::String("card".to_owned()))));
    }
    assert_eq!(train(examples, &all()), Err(Refusal::KnowsTheOutcome { feature: "Payment".to_owned() }));
}

#[test]
fn a_model_foretells_new_contacts_nearly_as_well_as_the_truth_does() {
    let (population, trained) = &*LEARNED;
    let report = &trained.report;
    let truth: Vec<(f64, bool)> = population[1_600..].iter().map(|(example, log_odds)| (*log_odds, example.converted)).collect();
    let best = area_under_curve(&truth);
    assert!(best > 0.75 && (report.area_under_curve - best).abs() < 0.03, "{best} {report:?}");
    assert!(report.lift_at_tenth > 1.3, "{report:?}");
    assert_eq!((report.outcome.as_str(), report.examples, report.held_out), ("Bought", 2_000, 400));
    assert_eq!(report.converted, count(population.iter().filter(|(example, _)| example.converted).count()));
    assert!(REGULARISATIONS.contains(&report.regularisation));
}

#[test]
fn probabilities_rise_with_points_and_come_true() {
    let bands = &LEARNED.1.report.calibration;
    assert_eq!(bands.iter().map(|band| band.count).collect::<Vec<_>>(), [40; 10]);
    assert!(bands.windows(2).all(|pair| pair[0].predicted <= pair[1].predicted), "{bands:?}");
    // Of 40 contacts, chance alone moves a share by a tenth or two.
    assert!(bands.iter().all(|band| (band.predicted - band.observed).abs() < 0.25), "{bands:?}");
    let half = |bands: &[report::CalibrationBand]| bands.iter().map(|band| band.observed).sum::<f64>() / 5.0;
    assert!(half(&bands[..5]) + 0.2 < half(&bands[5..]), "{bands:?}");
    let mean = |of: &dyn Fn(&report::CalibrationBand) -> f64| bands.iter().map(of).sum::<f64>() / 10.0;
    assert!((mean(&|band| band.predicted) - mean(&|band| band.observed)).abs() < 0.07, "{bands:?}");
}

#[test]
fn factors_are_found_by_how_much_they_tell() {
    let factors = &LEARNED.1.factors;
    let maximum = |name: &str| factors.iter().find(|factor| factor.name == name).map_or(0.0, |factor| factor.maximum.number());
    assert!(factors.is_sorted_by(|one, next| one.maximum >= next.maximum), "{factors:?}");
    for factor in ["source", "Visits", "Origin", "completeness"] {
        assert!(maximum(factor) > maximum("Colour") + 5.0, "{factor}: {factors:?}");
    }
    let coefficients = &LEARNED.1.report.coefficients;
    let of = |feature: &str, case: &str| coefficients.iter().find(|each| each.feature == feature && each.case == case).map(|each| each.value);
    let added = of("source", "referral").unwrap() - of("source", "google").unwrap();
    assert!((added - 1.8).abs() < 0.5, "{coefficients:?}");
    assert!((of("completeness", "email").unwrap() - 0.8).abs() < 0.4, "{coefficients:?}");
}

#[test]
fn points_of_factors_add_up_and_score_as_was_reported() {
    let (population, trained) = &*LEARNED;
    let maxima: Points = trained.factors.iter().map(|factor| factor.maximum).sum();
    assert_eq!(maxima, Points::WHOLE);
    let scorer = scorer(&trained.factors);
    let mut scored = Vec::new();
    for (example, _) in &population[1_600..] {
        let score = scorer.score(&contact(example), samples::now());
        assert!(score.components.iter().zip(&trained.factors).all(|(component, factor)| component.points <= factor.maximum));
        let points: Points = score.components.iter().map(|component| component.points).sum();
        assert_eq!(score.value, points.rounded());
        scored.push((points.number(), example.converted));
    }
    assert_eq!(area_under_curve(&scored), trained.report.area_under_curve);
    assert_eq!(lift_at_tenth(&scored), trained.report.lift_at_tenth);
}

#[test]
fn a_learned_model_is_one_that_a_person_could_have_written_and_is_explained_alike() {
    let (population, trained) = &*LEARNED;
    let input = ModelInput { name: "Learned".to_owned(), factors: trained.factors.iter().map(FactorInput::from).collect() };
    assert_eq!(check_model(&input), Ok(("Learned".to_owned(), trained.factors.clone())));
    let scorer = scorer(&trained.factors);
    let (best, _) = population.iter().find(|(example, _)| example.source.as_deref() == Some("Referral")).unwrap();
    let explanation = explain(&scorer.model, &scorer.score(&contact(best), samples::now()));
    assert!(explanation.components.iter().any(|component| component.reason == "source referral"), "{explanation:?}");
    assert!(explanation.components.iter().all(|component| !component.reason.contains('{')), "{explanation:?}");
}

#[test]
fn the_order_in_which_examples_are_given_makes_no_difference() {
    let mut turned = examples(600);
    turned.reverse();
    assert_eq!(train(turned, &all()).unwrap(), train(examples(600), &all()).unwrap());
}

#[test]
fn what_is_held_out_measures_the_model_and_does_not_change_it() {
    let as_it_was = train(examples(600), &all()).unwrap();
    let mut otherwise = examples(600);
    for example in &mut otherwise[480..] {
        example.converted = !example.converted;
        example.source = Some("a new source".to_owned());
    }
    let otherwise = train(otherwise, &all()).unwrap();
    assert_eq!(otherwise.factors, as_it_was.factors);
    assert!(otherwise.report.area_under_curve < 0.5 && as_it_was.report.area_under_curve > 0.6, "{otherwise:?} {as_it_was:?}");
}

#[test]
fn a_filled_field_that_would_take_points_away_is_not_used() {
    let group = |column: usize, won: usize| (0..100).map(move |number| Row { held: vec![column], converted: number < won });
    let rows: Vec<Row> = group(0, 20).chain(group(1, 80)).collect();
    let fitted = Columns { only_add: vec![true, false] }.fit(&rows, 0.1).unwrap();
    assert!(fitted.weights[0] == 0.0 && fitted.weights[1] > 0.0, "{fitted:?}");
}
