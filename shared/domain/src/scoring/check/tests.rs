use proptest::prelude::*;

use super::super::calculate::samples::any_model;
use super::super::{pipeline, standard};
use super::*;

fn copy_of(factors: &[Factor]) -> ModelInput {
    ModelInput { name: "Ours".to_owned(), factors: factors.iter().map(FactorInput::from).collect() }
}

/// A model of one factor with this rule.
fn of(rule: RuleInput) -> ModelInput {
    ModelInput { name: "Ours".to_owned(), factors: vec![FactorInput { name: "one".to_owned(), maximum: 100.0, reason: None, rule }] }
}

fn found(input: &ModelInput) -> Vec<(String, FieldErrorCode)> {
    check_model(input).unwrap_err().into_iter().map(|error| (error.field, error.code)).collect()
}

fn entries(table: &[(&str, f64)]) -> Vec<(String, f64)> {
    table.iter().map(|(entry, points)| ((*entry).to_owned(), *points)).collect()
}

fn source(table: &[(&str, f64)], aliases: &[(&str, &str)]) -> RuleInput {
    let aliases = aliases.iter().map(|(alias, source)| ((*alias).to_owned(), (*source).to_owned())).collect();
    RuleInput::Source { table: entries(table), aliases, otherwise: 0.0 }
}

fn attribute(name: &str) -> RuleInput {
    RuleInput::AttributeBands { attribute: name.to_owned(), bands: vec![(1.0, 100.0)], below: 0.0, missing: 0.0 }
}

fn activity(bands: &[(i64, f64)]) -> RuleInput {
    RuleInput::Activity { bands: bands.to_vec(), otherwise: 0.0 }
}

fn numbers(bands: &[(f64, f64)]) -> RuleInput {
    RuleInput::AttributeBands { attribute: "visits".to_owned(), bands: bands.to_vec(), below: 0.0, missing: 0.0 }
}

#[test]
fn every_wrong_value_is_named_at_once() {
    let mut input = copy_of(&standard().factors);
    input.name = " ".to_owned();
    input.factors[0].name = "x".repeat(51);
    input.factors[1].maximum = f64::NAN;
    input.factors[2].reason = Some("soon".to_owned());
    input.factors[3].rule = RuleInput::Urgency { overdue: 21.0, bands: vec![(7, 20.0), (0, -1.0)], later: 10.0, none: f64::INFINITY };
    let fields: Vec<String> = found(&input).into_iter().map(|(field, _)| field).collect();
    assert_eq!(
        fields,
        [
            "name",
            "factors.0.name",
            "factors.1.maximum",
            "factors.2.reason",
            "factors.3.urgency.overdue",
            "factors.3.urgency.bands.1",
            "factors.3.urgency.bands.1",
            "factors.3.urgency.none"
        ]
    );
}

#[test]
fn a_model_has_factors_but_not_too_many_and_no_two_of_one_name() {
    let mut input = copy_of(&pipeline().factors);
    input.factors[1].name = " SOURCE ".to_owned();
    assert_eq!(found(&input), [("factors.1.name".to_owned(), FieldErrorCode::Conflict)]);
    input.factors = vec![input.factors[0].clone(); MOST_FACTORS + 1];
    assert_eq!(found(&input), [("factors".to_owned(), FieldErrorCode::LimitExceeded)]);
    input.factors.clear();
    assert_eq!(found(&input), [("factors".to_owned(), FieldErrorCode::Blank)]);
}

#[test]
fn maxima_that_do_not_add_up_to_a_hundred_are_refused_with_what_they_add_up_to() {
    for (age, sum) in [(24.9999, "99.9999"), (25.5, "100.5")] {
        let mut input = copy_of(&pipeline().factors);
        input.factors[2].maximum = age;
        let errors = check_model(&input).unwrap_err();
        assert_eq!((errors.len(), errors[0].field.as_str()), (1, "factors"));
        assert!(errors[0].message.contains(&format!("add up to {sum}.")), "{}", errors[0].message);
    }
}

#[test]
fn a_maximum_is_more_than_nothing_and_just_what_the_rule_can_give() {
    for maximum in [0.0, -1.0, 100.5, f64::NAN] {
        let mut input = of(RuleInput::Pipeline);
        input.factors[0].maximum = maximum;
        assert_eq!(found(&input), [("factors.0.maximum".to_owned(), FieldErrorCode::Invalid)], "{maximum}");
    }
    for rule in [
        source(&[("fair", 99.0)], &[]),
        RuleInput::Completeness { fields: vec![(CompletenessField::Email, 50.0), (CompletenessField::Name, 49.0)] },
        RuleInput::Completeness { fields: vec![(CompletenessField::Email, 50.0), (CompletenessField::Name, 51.0)] },
        RuleInput::Conversion { converted: 99.0, next_contact: 0.0, otherwise: 0.0 },
        RuleInput::Urgency { overdue: 99.0, bands: vec![(7, 0.0)], later: 0.0, none: 0.0 },
        activity(&[(7, 99.0)]),
        RuleInput::Assignment { assigned: 99.0, unassigned: 0.0 },
        RuleInput::AttributeTable { attribute: "plan".to_owned(), table: entries(&[("gold", 99.0)]), otherwise: 0.0, missing: 0.0 },
        numbers(&[(1.0, 99.0)]),
    ] {
        assert_eq!(found(&of(rule.clone())), [("factors.0.maximum".to_owned(), FieldErrorCode::Invalid)], "{rule:?}");
    }
}

#[test]
fn what_only_the_cases_left_over_can_reach_is_a_maximum_too() {
    for rule in [
        RuleInput::Source { table: entries(&[("fair", 1.0)]), aliases: Vec::new(), otherwise: 100.0 },
        RuleInput::Urgency { overdue: 0.0, bands: vec![(1, 0.0), (3_650, 1.0)], later: 0.0, none: 100.0 },
        RuleInput::Activity { bands: vec![(1, 0.0)], otherwise: 100.0 },
        RuleInput::AttributeBands { attribute: "visits".to_owned(), bands: vec![(-1.0, 0.0)], below: 0.0, missing: 100.0 },
        RuleInput::Age { half_life_days: 1 },
    ] {
        assert!(check_model(&of(rule.clone())).is_ok(), "{rule:?}");
    }
}

#[test]
fn a_table_has_entries_that_differ_by_more_than_capitals_accents_and_spaces() {
    use FieldErrorCode::{Blank, Conflict, Invalid, LimitExceeded, TooLong};
    let (long, spelt_out) = ("x".repeat(101), "\u{fdfa}".repeat(50));
    let many: Vec<(String, f64)> = (0..=MOST_ENTRIES).map(|number| (format!("s{number}"), 100.0)).collect();
    for (rule, field, code) in [
        (source(&[], &[]), "table", Blank),
        (RuleInput::Source { table: many, aliases: Vec::new(), otherwise: 0.0 }, "table", LimitExceeded),
        (source(&[("fair", 100.0), ("  ", 1.0)], &[]), "table.1", Blank),
        (source(&[("fair", 100.0), ("\u{301}", 1.0)], &[]), "table.1", Blank),
        (source(&[("fair", 100.0), (long.as_str(), 1.0)], &[]), "table.1", TooLong),
        (source(&[("fair", 100.0), (spelt_out.as_str(), 1.0)], &[]), "table.1", TooLong),
        (source(&[("fair", 100.0), ("a\u{0}b", 1.0)], &[]), "table.1", Invalid),
        (source(&[("fair", 100.0), ("other", 100.1)], &[]), "table.1", Invalid),
        (source(&[("Été-indien", 100.0), ("ete indien", 1.0)], &[]), "table.1", Conflict),
    ] {
        assert_eq!(found(&of(rule)), [(format!("factors.0.source.{field}"), code)]);
    }
}

#[test]
fn an_alias_stands_for_a_source_of_the_table_and_is_none_itself() {
    use FieldErrorCode::{Blank, Conflict, NotFound};
    let table = [("fair", 100.0), ("web", 1.0)];
    for (aliases, code) in [
        ([("market", "fair"), ("bazaar", "market")], NotFound),
        ([("market", "fair"), (" Web ", "fair")], Conflict),
        ([("market", "fair"), ("MARKET", "web")], Conflict),
        ([("market", "fair"), (" ", "web")], Blank),
    ] {
        assert_eq!(found(&of(source(&table, &aliases))), [("factors.0.source.aliases.1".to_owned(), code)]);
    }
    let many: Vec<(String, String)> = (0..=MOST_ENTRIES).map(|number| (format!("a{number}"), "fair".to_owned())).collect();
    let rule = RuleInput::Source { table: entries(&table), aliases: many, otherwise: 0.0 };
    assert_eq!(found(&of(rule)), [("factors.0.source.aliases".to_owned(), FieldErrorCode::LimitExceeded)]);
}

#[test]
fn bands_ascend_and_are_neither_none_nor_too_many() {
    use FieldErrorCode::{Blank, Invalid, LimitExceeded};
    let many: Vec<(i64, f64)> = (1..=51).map(|days| (days, 100.0)).collect();
    for (bands, field, code) in [
        (Vec::new(), "bands", Blank),
        (many, "bands", LimitExceeded),
        (vec![(0, 100.0)], "bands.0", Invalid),
        (vec![(-7, 100.0)], "bands.0", Invalid),
        (vec![(3_651, 100.0)], "bands.0", Invalid),
        (vec![(i64::MAX, 100.0)], "bands.0", Invalid),
        (vec![(7, 100.0), (7, 1.0)], "bands.1", Invalid),
        (vec![(7, 100.0), (6, 1.0)], "bands.1", Invalid),
    ] {
        assert_eq!(found(&of(activity(&bands))), [(format!("factors.0.activity.{field}"), code)], "{bands:?}");
    }
    for (bands, field, code) in [
        (Vec::new(), "bands", Blank),
        (vec![(f64::NAN, 100.0)], "bands.0", Invalid),
        (vec![(1.0, 100.0), (1.0, 1.0)], "bands.1", Invalid),
        (vec![(0.0, 100.0), (-0.0, 1.0)], "bands.1", Invalid),
    ] {
        assert_eq!(found(&of(numbers(&bands))), [(format!("factors.0.attributeBands.{field}"), code)], "{bands:?}");
    }
    for half_life_days in [0, -1, 3_651] {
        assert_eq!(found(&of(RuleInput::Age { half_life_days })), [("factors.0.age.halfLifeDays".to_owned(), FieldErrorCode::Invalid)]);
    }
}

#[test]
fn a_field_counts_once() {
    let rule = RuleInput::Completeness { fields: vec![(CompletenessField::Email, 50.0), (CompletenessField::Email, 50.0)] };
    assert_eq!(found(&of(rule)), [("factors.0.completeness.fields.1".to_owned(), FieldErrorCode::Conflict)]);
    assert_eq!(found(&of(RuleInput::Completeness { fields: Vec::new() })), [("factors.0.completeness.fields".to_owned(), FieldErrorCode::Blank)]);
}

#[test]
fn what_is_sensitive_is_never_scored() {
    use FieldErrorCode::{Blank, Invalid, NotAllowed};
    for (name, code) in [("Social Insurance Number", NotAllowed), ("date of birth", NotAllowed), ("email", NotAllowed), (" ", Blank), ("__proto__", Invalid)] {
        assert_eq!(found(&of(attribute(name))), [("factors.0.attributeBands.attribute".to_owned(), code)], "{name}");
    }
    assert!(check_model(&of(attribute("visits"))).is_ok());
}

#[test]
fn a_reason_says_what_was_found_and_has_no_other_placeholders() {
    let long = format!("{{value}}{}", "x".repeat(REASON_LENGTH));
    for (reason, code) in [
        ("converted", FieldErrorCode::Invalid),
        ("{value} {phone}", FieldErrorCode::Invalid),
        ("{value} {", FieldErrorCode::Invalid),
        ("} {value}", FieldErrorCode::Invalid),
        ("{{value}}", FieldErrorCode::Invalid),
        ("{ value }", FieldErrorCode::Invalid),
        ("{value}\u{0}", FieldErrorCode::Invalid),
        (long.as_str(), FieldErrorCode::TooLong),
    ] {
        let mut input = of(RuleInput::Pipeline);
        input.factors[0].reason = Some(reason.to_owned());
        assert_eq!(found(&input), [("factors.0.reason".to_owned(), code)], "{reason}");
    }
}

#[test]
fn a_factor_without_a_reason_gets_that_of_its_rule() {
    for reason in [None, Some(" ".to_owned())] {
        let mut input = of(attribute("visits"));
        input.factors[0].reason = reason;
        assert_eq!(check_model(&input).unwrap().1[0].reason, "visits: {value}");
    }
}

#[test]
fn a_model_fits_into_an_event_of_the_audit() {
    let table: Vec<(String, f64)> = (0..100).map(|number| (format!("{number:0>900}"), 100.0)).collect();
    let rule = RuleInput::AttributeTable { attribute: "plan".to_owned(), table, otherwise: 0.0, missing: 0.0 };
    assert_eq!(found(&of(rule)), [("factors".to_owned(), FieldErrorCode::LimitExceeded)]);
}

#[test]
fn tables_are_kept_in_the_form_in_which_they_are_compared() {
    let (name, factors) = check_model(&ModelInput { name: " Ours ".to_owned(), ..of(source(&[(" Été Indien ", 100.0)], &[("Indian-Summer", "été-indien")])) }).unwrap();
    assert_eq!(name, "Ours");
    let table = BTreeMap::from([("ete_indien".to_owned(), Points::WHOLE)]);
    let aliases = BTreeMap::from([("indian_summer".to_owned(), "ete_indien".to_owned())]);
    assert_eq!(factors[0].rule, Rule::Source { table, aliases, otherwise: Points::ZERO });
}

proptest! {
    #[test]
    fn a_copy_of_a_model_is_the_same_model(model in any_model()) {
        prop_assert_eq!(check_model(&copy_of(&model.factors)), Ok(("Ours".to_owned(), model.factors)));
    }

    #[test]
    fn no_numbers_are_too_strange(maximum in any::<f64>(), points in any::<f64>(), least in any::<f64>(), days in any::<i64>(), name in ".{0,12}") {
        let mut input = of(RuleInput::AttributeBands { attribute: name.clone(), bands: vec![(least, points)], below: points, missing: 0.0 });
        input.factors.push(FactorInput { name, maximum, reason: None, rule: RuleInput::Activity { bands: vec![(days, points)], otherwise: maximum } });
        input.factors[0].maximum = maximum;
        let _ = check_model(&input);
    }
}
