//! A score in words, made when somebody reads it. They say days instead of distances from now, so that they don't age.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::model::{CompletenessField, DayBand, Factor, Model, NumberBand, Rule};
use super::points::Points;
use super::score::{Case, Component, Score};

/// Most reasons in the words for a whole score.
const MOST_REASONS: usize = 3;

/// What is said of a case that the model hasn't.
const UNKNOWN: &str = "unknown";

/// What one factor gave, in words.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedComponent {
    /// The factor's name.
    pub name: String,
    /// Its points.
    pub points: f64,
    /// The most it could have given.
    pub maximum: f64,
    /// Why it gave so many.
    pub reason: String,
}

/// A score in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What each factor gave, in the model's order.
    pub components: Vec<ExplainedComponent>,
    /// The reasons of the components with the most points, the best first, at most three; components without points say nothing here.
    pub reason: String,
}

/// Explains a score by the version of the model that made it. By another version a case may have no words, and is called unknown; nothing fails.
#[must_use]
pub fn explain(model: &Model, score: &Score) -> Explanation {
    let components: Vec<ExplainedComponent> = model.factors.iter().zip(&score.components).map(|(factor, component)| explained(factor, *component)).collect();
    let mut giving: Vec<(Points, &str)> = score.components.iter().zip(&components).map(|(component, words)| (component.points, words.reason.as_str())).collect();
    giving.retain(|(points, _)| *points > Points::ZERO);
    giving.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    let reasons: Vec<&str> = giving.into_iter().map(|(_, reason)| reason).take(MOST_REASONS).collect();
    let reason = if reasons.is_empty() { "no factor gives points".to_owned() } else { reasons.join("; ") };
    Explanation { components, reason }
}

fn explained(factor: &Factor, component: Component) -> ExplainedComponent {
    ExplainedComponent {
        name: factor.name.clone(),
        points: component.points.number(),
        maximum: factor.maximum.number(),
        reason: worded(factor, component.points, &found(&factor.rule, component.case)),
    }
}

/// The factor's reason with what stands for its placeholders. One that isn't known stays as it is.
fn worded(factor: &Factor, points: Points, found: &str) -> String {
    let mut reason = String::with_capacity(factor.reason.len() + found.len());
    for piece in pieces(&factor.reason) {
        match piece {
            Piece::Text(text) => reason.push_str(text),
            Piece::Placeholder("value") => reason.push_str(found),
            Piece::Placeholder("points") => reason.push_str(&points.to_string()),
            Piece::Placeholder("maximum") => reason.push_str(&factor.maximum.to_string()),
            Piece::Placeholder(other) => {
                reason.push('{');
                reason.push_str(other);
                reason.push('}');
            }
        }
    }
    reason
}

/// A part of a reason's template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// What is said as it is.
    Text(&'a str),
    /// What stood between braces.
    Placeholder(&'a str),
}

/// The parts of a reason's template. A brace without its other one is text.
pub(super) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((placeholder, beyond)) = after.split_once('}') else { break };
        pieces.extend([Piece::Text(before), Piece::Placeholder(placeholder)]);
        rest = beyond;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The reason of a factor that has none of its own.
pub(super) fn default_reason(rule: &Rule) -> String {
    match rule {
        Rule::Source { .. } => "source {value}".to_owned(),
        Rule::Completeness { .. } => "has {value}".to_owned(),
        Rule::Pipeline => "status {value}".to_owned(),
        Rule::Age { .. } => "created on {value}".to_owned(),
        Rule::Activity { .. } => "last changed {value}".to_owned(),
        Rule::Conversion { .. } | Rule::Urgency { .. } | Rule::Assignment { .. } => "{value}".to_owned(),
        Rule::AttributeTable { attribute, .. } | Rule::AttributeBands { attribute, .. } => {
            // Braces in a name would be taken for those of a placeholder.
            let name = if attribute.contains(['{', '}']) { "attribute" } else { attribute.as_str() };
            format!("{name}: {{value}}")
        }
    }
}

/// What was found, by the number of the case that held.
fn found(rule: &Rule, case: Case) -> String {
    let number = usize::from(case.number);
    match rule {
        Rule::Source { table, .. } => of_table(table, number, ["not in the list", "unknown"]),
        Rule::Completeness { fields } => of_fields(fields, case.number),
        Rule::Conversion { .. } => one_of(number, &["converted", "next contact agreed", "no next contact agreed"]),
        Rule::Pipeline => match number {
            0 => "converted".to_owned(),
            1 => "that isn't called".to_owned(),
            _ => format!("{} among those that are called", ordinal(number - 1)),
        },
        Rule::Urgency { bands, .. } => of_next_contact(bands, number, case.day),
        Rule::Age { .. } => case.day.map_or_else(|| "an unknown day".to_owned(), written),
        Rule::Activity { bands, .. } => of_last_change(bands, number, case.day),
        Rule::Assignment { .. } => one_of(number, &["assigned", "not assigned"]),
        Rule::AttributeTable { table, .. } => of_table(table, number, ["another value", "none"]),
        Rule::AttributeBands { bands, .. } => of_numbers(bands, number),
    }
}

fn one_of(number: usize, words: &[&str]) -> String {
    words.get(number).copied().unwrap_or(UNKNOWN).to_owned()
}

/// An entry of a table; after the last what stands for any other, and for none.
fn of_table(table: &BTreeMap<String, Points>, number: usize, left_over: [&str; 2]) -> String {
    match table.keys().nth(number) {
        Some(entry) => entry.clone(),
        None => one_of(number - table.len(), &left_over),
    }
}

fn of_fields(fields: &BTreeMap<CompletenessField, Points>, number: u16) -> String {
    let is_filled = |place: u32| 1_u16.checked_shl(place).is_some_and(|bit| number & bit == bit);
    let filled: Vec<&str> = fields.keys().zip(0..).filter(|(_, place)| is_filled(*place)).map(|(field, _)| name_of(*field)).collect();
    if !filled.is_empty() {
        return listed(&filled, "and");
    }
    let all: Vec<&str> = fields.keys().map(|field| name_of(*field)).collect();
    match all.len() {
        0 => UNKNOWN.to_owned(),
        1 => format!("no {}", listed(&all, "or")),
        2 => format!("neither {}", listed(&all, "nor")),
        _ => format!("none of {}", listed(&all, "and")),
    }
}

fn of_next_contact(bands: &[DayBand], number: usize, day: Option<Date>) -> String {
    let on = day.map_or_else(String::new, |day| format!(" on {}", written(day)));
    if number == 0 {
        return format!("next contact{on}, overdue");
    }
    match (bands.get(number - 1), number - bands.len().min(number)) {
        (Some(band), _) => format!("next contact{on}, within {}", days(band.within_days)),
        (None, 1) => format!("next contact{on} more than {} away", days(last_of(bands))),
        (None, 2) => "no next contact".to_owned(),
        (None, _) => UNKNOWN.to_owned(),
    }
}

fn of_last_change(bands: &[DayBand], number: usize, day: Option<Date>) -> String {
    let on = day.map_or_else(|| "on an unknown day".to_owned(), |day| format!("on {}", written(day)));
    match bands.get(number) {
        Some(band) => format!("{on}, within {}", days(band.within_days)),
        None if number == bands.len() => format!("{on}, more than {} ago", days(last_of(bands))),
        None => on,
    }
}

fn of_numbers(bands: &[NumberBand], number: usize) -> String {
    match (bands.get(number), bands.get(number + 1)) {
        (Some(band), Some(next)) => format!("from {} to below {}", band.at_least, next.at_least),
        (Some(band), None) => format!("{} or more", band.at_least),
        (None, _) => match (number - bands.len(), bands.first()) {
            (0, Some(first)) => format!("below {}", first.at_least),
            (1, _) => "no number".to_owned(),
            _ => UNKNOWN.to_owned(),
        },
    }
}

/// The days of the last band.
fn last_of(bands: &[DayBand]) -> u32 {
    bands.last().map_or(0, |band| band.within_days)
}

fn days(count: u32) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// A day as it is written: `14 May 2026`.
fn written(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

/// `1st`, `2nd`, `11th`.
fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Words with commas between them and another word before the last.
fn listed(words: &[&str], before_last: &str) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} {before_last} {last}", words.join(", ")),
    }
}

fn name_of(field: CompletenessField) -> &'static str {
    match field {
        CompletenessField::Phone => "phone",
        CompletenessField::Email => "email",
        CompletenessField::Name => "name",
        CompletenessField::Address => "address",
        CompletenessField::City => "city",
        CompletenessField::Region => "region",
        CompletenessField::PostalCode => "postal code",
        CompletenessField::Source => "source",
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::super::calculate::samples::{any_contact, any_model, at, contact, now, some, status, statuses};
    use super::super::{Scorer, pipeline, standard};
    use super::*;
    use crate::contact::Contact;
    use crate::ids::AgentId;

    fn reasons(model: &Model, contact: &Contact) -> Vec<String> {
        let score = Scorer::new(model.clone(), &statuses()).score(contact, now());
        explain(model, &score).components.into_iter().map(|component| component.reason).collect()
    }

    fn bands(days: &[u32]) -> Vec<DayBand> {
        days.iter().map(|days| DayBand { within_days: *days, points: Points::whole(1) }).collect()
    }

    #[test]
    fn a_score_without_points_has_a_reason_too() {
        let mut model = pipeline();
        model.factors.retain(|factor| factor.name == "assignment");
        let score = Scorer::new(model.clone(), &statuses()).score(&contact(now()), now());
        assert_eq!(explain(&model, &score).reason, "no factor gives points");
    }

    #[test]
    fn the_standard_model_says_where_the_points_come_from() {
        let mut contact = contact(at("2026-11-03T12:00:00Z"));
        assert_eq!(reasons(&standard(), &contact), ["source unknown", "has phone", "no next contact agreed", "no next contact"]);
        contact.details.source = some("Google Ads");
        contact.details.email = some("zoe@example.com");
        contact.details.next_contact_at = Some(at("2026-12-02T15:00:00Z"));
        assert_eq!(reasons(&standard(), &contact), ["source google_ads", "has phone and email", "next contact agreed", "next contact on 2 December 2026, within 7 days"]);
        contact.details.source = some("a fair");
        contact.details.status = status(6);
        contact.details.next_contact_at = Some(at("2026-11-30T03:00:00Z"));
        let found = reasons(&standard(), &contact);
        assert_eq!(found, ["source not in the list", "has phone and email", "converted", "next contact on 29 November 2026, overdue"], "the day is that in Toronto");
        contact.details.next_contact_at = Some(at("2027-05-14T15:00:00Z"));
        assert_eq!(reasons(&standard(), &contact)[3], "next contact more than 30 days away");
    }

    #[test]
    fn the_pipeline_model_says_where_the_points_come_from() {
        let mut contact = contact(at("2026-05-03T12:00:00Z"));
        assert_eq!(reasons(&pipeline(), &contact), ["source unknown", "status 1st among those that are called", "created on 3 May 2026", "not assigned"]);
        contact.details.source = some("Google Ads");
        contact.details.status = status(2);
        contact.details.assignee = Some(AgentId::new(now(), &[1; 10]));
        assert_eq!(reasons(&pipeline(), &contact), ["source paid_ads", "status 3rd among those that are called", "created on 3 May 2026", "assigned"]);
        for (place, reason) in [(5, "status that isn't called"), (6, "status converted"), (7, "status that isn't called")] {
            contact.details.status = status(place);
            assert_eq!(reasons(&pipeline(), &contact)[1], reason);
        }
    }

    #[test]
    fn a_whole_score_has_the_three_reasons_that_give_most_the_best_first() {
        let mut contact = contact(now());
        contact.details.source = some("referral");
        contact.details.email = some("zoe@example.com");
        contact.details.next_contact_at = Some(at("2026-12-02T15:00:00Z"));
        let score = Scorer::new(standard(), &statuses()).score(&contact, now());
        let explanation = explain(&standard(), &score);
        assert_eq!(explanation.reason, "has phone and email; source referral; next contact agreed");
        let points: Vec<(f64, f64)> = explanation.components.iter().map(|component| (component.points, component.maximum)).collect();
        assert_eq!(points, [(24.0, 25.0), (25.0, 25.0), (20.0, 30.0), (20.0, 20.0)]);
    }

    #[test]
    fn placeholders_are_filled_once_and_unknown_ones_stay() {
        let rule = Rule::Assignment { assigned: Points::whole(25), unassigned: Points::ZERO };
        let factor = |reason: &str| Factor { name: "a".to_owned(), maximum: Points::whole(25), reason: reason.to_owned(), rule: rule.clone() };
        for (template, words) in
            [("{value}: {points} of {maximum}", "{maximum}: 12.5 of 25"), ("{value", "{value"), ("} {other} {", "} {other} {"), ("", ""), ("{{value}}", "{{value}}")]
        {
            assert_eq!(worded(&factor(template), Points::of_parts(125_000), "{maximum}"), words);
        }
    }

    #[test]
    fn every_case_of_every_rule_has_its_words() {
        let table = BTreeMap::from([("gold".to_owned(), Points::whole(5)), ("silver".to_owned(), Points::whole(2))]);
        let numbers: Vec<NumberBand> = [0.5, 10.0].map(|at_least| NumberBand { at_least, points: Points::whole(1) }).to_vec();
        let zero = Points::ZERO;
        let day = date(2026, 5, 14);
        let attribute = "plan".to_owned();
        for (rule, words) in [
            (Rule::AttributeTable { attribute: attribute.clone(), table, otherwise: zero, missing: zero }, vec!["gold", "silver", "another value", "none", "unknown"]),
            (
                Rule::AttributeBands { attribute, bands: numbers, below: zero, missing: zero },
                vec!["from 0.5 to below 10", "10 or more", "below 0.5", "no number", "unknown"],
            ),
            (
                Rule::Activity { bands: bands(&[1, 30]), otherwise: zero },
                vec!["on 14 May 2026, within 1 day", "on 14 May 2026, within 30 days", "on 14 May 2026, more than 30 days ago", "on 14 May 2026"],
            ),
            (
                Rule::Urgency { overdue: zero, bands: bands(&[7]), later: zero, none: zero },
                vec![
                    "next contact on 14 May 2026, overdue",
                    "next contact on 14 May 2026, within 7 days",
                    "next contact on 14 May 2026 more than 7 days away",
                    "no next contact",
                    "unknown",
                ],
            ),
            (
                Rule::Completeness { fields: BTreeMap::from([(CompletenessField::Name, zero), (CompletenessField::City, zero), (CompletenessField::PostalCode, zero)]) },
                vec!["none of name, city and postal code", "name", "city", "name and city", "postal code"],
            ),
            (Rule::Completeness { fields: BTreeMap::from([(CompletenessField::Name, zero), (CompletenessField::City, zero)]) }, vec!["neither name nor city"]),
            (Rule::Completeness { fields: BTreeMap::from([(CompletenessField::Email, zero)]) }, vec!["no email", "email"]),
        ] {
            for (word, number) in words.into_iter().zip(0..) {
                assert_eq!(found(&rule, Case::on(number, day)), word);
            }
        }
        assert_eq!([1, 2, 3, 4, 11, 12, 13, 21, 101, 111].map(ordinal), ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "101st", "111th"]);
    }

    #[test]
    fn a_reason_is_about_the_attribute_by_its_name() {
        let rule = |attribute: &str| Rule::AttributeBands { attribute: attribute.to_owned(), bands: Vec::new(), below: Points::ZERO, missing: Points::ZERO };
        assert_eq!(default_reason(&rule("visits")), "visits: {value}");
        assert_eq!(default_reason(&rule("vis{its")), "attribute: {value}");
    }

    proptest! {
        #[test]
        fn no_case_and_no_number_of_components_is_too_strange(
            model in any_model(),
            scored in any_model(),
            contact in any_contact(),
            cases in prop::collection::vec(prop_oneof![0..12_u16, any::<u16>()], 0..8),
        ) {
            let mut score = Scorer::new(scored, &statuses()).score(&contact, now());
            prop_assert_eq!(explain(&model, &score).components.len(), model.factors.len().min(score.components.len()));
            score.components = cases.into_iter().map(|number| Component { points: Points::whole(1), case: Case::new(number) }).collect();
            prop_assert!(!explain(&model, &score).reason.is_empty());
        }
    }
}
