//! What a model is learned by: which sources, fields and attributes tell contacts apart, and into which cases they fall.

use std::collections::BTreeMap;

use super::Example;
use super::choice::{TrainingChoice, is_known_afterwards};
use super::measures::area_under_curve;
use crate::contact::{AttributeValue, is_sealed};
use crate::scoring::calculate::{normalised, number_of, text_of};
use crate::scoring::model::{CompletenessField, MOST_FACTORS};

/// Fewest contacts in a case for it to count by itself.
const LEAST_IN_CASE: usize = 20;
/// Most sources or values of an attribute that count by themselves, the most frequent ones.
const MOST_VALUES: usize = 50;
/// Longest of them, in bytes.
const VALUE_BYTES: usize = 60;
/// Most numbers at which another band of an attribute begins.
const MOST_EDGES: usize = 10;
/// Most attributes that are looked at, those that most contacts have.
const MOST_ATTRIBUTES: usize = 200;
/// Most columns of all features together: so that a model of the longest values stays below 60 KB.
const MOST_COLUMNS: usize = 300;

/// Something that is known of contacts before the outcome. Each of its columns is a case, or, of filled fields, a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Feature {
    /// Where the contact came from. Columns: the sources; any other or none.
    Source {
        /// Normalised, in order.
        values: Vec<String>,
    },
    /// Which fields are filled. Columns: the fields, of which any number can hold.
    Completeness {
        /// The fields, in order.
        fields: Vec<CompletenessField>,
    },
    /// The text of an attribute. Columns: the values; any other; none.
    Table {
        /// The attribute.
        attribute: String,
        /// Normalised, in order.
        values: Vec<String>,
    },
    /// The number in an attribute. Columns: from each edge to the next; below the first; no number.
    Bands {
        /// The attribute.
        attribute: String,
        /// Ascending.
        edges: Vec<f64>,
    },
}

/// The features that are learned by, and what wasn't chosen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    /// At most [`MOST_FACTORS`], the most informative first.
    pub(super) features: Vec<Feature>,
    /// Each with why.
    pub(super) left_out: Vec<String>,
}

impl Feature {
    /// What people call it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Source { .. } => "source",
            Self::Completeness { .. } => "completeness",
            Self::Table { attribute, .. } | Self::Bands { attribute, .. } => attribute,
        }
    }

    /// How many columns it has.
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Source { values } => values.len() + 1,
            Self::Completeness { fields } => fields.len(),
            Self::Table { values, .. } => values.len() + 2,
            Self::Bands { edges, .. } => edges.len() + 2,
        }
    }

    /// Whether it can only speak for a contact: an empty field has no case to which points could be given.
    pub(super) fn only_adds(&self) -> bool {
        matches!(self, Self::Completeness { .. })
    }

    /// Which case holds: the number of the column, or, of filled fields, the sum of 2 to the power of each one's column.
    fn case(&self, example: &Example) -> usize {
        match self {
            Self::Source { values } => example.source.as_deref().and_then(|source| place_of(&normalised(source), values)).unwrap_or(values.len()),
            Self::Completeness { fields } => {
                let filled = fields.iter().enumerate().filter(|(_, field)| example.filled.contains(field));
                filled.map(|(column, _)| 1_usize << column).sum()
            }
            Self::Table { attribute, values } => match example.attributes.get(attribute).and_then(text_of) {
                Some(text) => place_of(&text, values).unwrap_or(values.len()),
                None => values.len() + 1,
            },
            Self::Bands { attribute, edges } => match example.attributes.get(attribute).and_then(number_of) {
                Some(number) => edges.partition_point(|edge| *edge <= number).checked_sub(1).unwrap_or(edges.len()),
                None => edges.len() + 1,
            },
        }
    }

    /// The columns that hold.
    pub(super) fn held(&self, example: &Example) -> Vec<usize> {
        let case = self.case(example);
        if self.only_adds() { (0..self.columns()).filter(|column| (case >> column) & 1 == 1).collect() } else { vec![case] }
    }

    /// A column in the words of an explanation.
    pub(super) fn words(&self, column: usize) -> String {
        match self {
            Self::Source { values } => values.get(column).cloned().unwrap_or_else(|| "not in the list, or unknown".to_owned()),
            Self::Completeness { fields } => fields.get(column).copied().map(field_words).unwrap_or_default().to_owned(),
            Self::Table { values, .. } => values.get(column).cloned().unwrap_or_else(|| if column == values.len() { "another value" } else { "none" }.to_owned()),
            Self::Bands { edges, .. } => match (edges.get(column), edges.get(column + 1)) {
                (Some(from), Some(to)) => format!("from {from} to below {to}"),
                (Some(from), None) => format!("{from} or more"),
                _ if column == edges.len() => format!("below {}", edges.first().copied().unwrap_or_default()),
                _ => "no number".to_owned(),
            },
        }
    }
}

fn place_of(text: &str, values: &[String]) -> Option<usize> {
    values.binary_search_by(|value| value.as_str().cmp(text)).ok()
}

fn field_words(field: CompletenessField) -> &'static str {
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

/// Chooses what to learn by, of these examples only: what comes after them must stay unknown until it is foretold.
pub(super) fn choose(examples: &[Example], choice: &TrainingChoice) -> Chosen {
    let mut left_out = Vec::new();
    let mut candidates: Vec<Feature> = source(examples).into_iter().collect();
    candidates.extend(completeness(examples, &mut left_out));
    candidates.extend(attributes(examples, choice, &mut left_out));
    let mut weighed = Vec::with_capacity(candidates.len());
    for feature in candidates {
        let cases = Cases::of(&feature, examples);
        if cases.tell_apart() {
            weighed.push((cases.information(), feature));
        } else {
            left_out.push(format!("{}: nearly always the same", feature.name()));
        }
    }
    weighed.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let mut features: Vec<Feature> = Vec::new();
    let mut columns = 0;
    for (_, feature) in weighed {
        if features.len() < MOST_FACTORS && columns + feature.columns() <= MOST_COLUMNS {
            columns += feature.columns();
            features.push(feature);
        } else {
            left_out.push(format!("{}: says less of the outcome than what is learned from", feature.name()));
        }
    }
    Chosen { features, left_out }
}

/// How well a feature alone ranks these examples, from 0.5 to 1.
pub(super) fn area_of(feature: &Feature, examples: &[Example]) -> f64 {
    let cases = Cases::of(feature, examples);
    let share = |example: &Example| cases.0.get(&feature.case(example)).map_or(0.5, |case| (case.won + 0.5) / (case.won + case.others + 1.0));
    area_under_curve(&examples.iter().map(|example| (share(example), example.converted)).collect::<Vec<_>>())
}

/// How many of each case were won.
struct Cases(BTreeMap<usize, Case>);

#[derive(Default)]
struct Case {
    won: f64,
    others: f64,
}

impl Cases {
    fn of(feature: &Feature, examples: &[Example]) -> Self {
        let mut cases: BTreeMap<usize, Case> = BTreeMap::new();
        for example in examples {
            let case = cases.entry(feature.case(example)).or_default();
            *(if example.converted { &mut case.won } else { &mut case.others }) += 1.0;
        }
        Self(cases)
    }

    /// Whether at least two cases have enough contacts.
    fn tell_apart(&self) -> bool {
        let least = f64::from(u32::try_from(LEAST_IN_CASE).unwrap_or(u32::MAX));
        self.0.values().filter(|case| case.won + case.others >= least).count() >= 2
    }

    /// The information value: how far the shares of the cases among those that were won are from those among the others.
    fn information(&self) -> f64 {
        let won: f64 = self.0.values().map(|case| case.won + 0.5).sum();
        let others: f64 = self.0.values().map(|case| case.others + 0.5).sum();
        let shares = self.0.values().map(|case| ((case.won + 0.5) / won, (case.others + 0.5) / others));
        shares.map(|(won, others)| (won - others) * (won / others).ln()).sum()
    }
}

/// The frequent sources; none when no source is frequent.
fn source(examples: &[Example]) -> Option<Feature> {
    let sources = examples.iter().filter_map(|example| example.source.as_deref());
    let values = frequent(sources.map(normalised).map(|source| source.into_owned()));
    (!values.is_empty()).then_some(Feature::Source { values })
}

/// The fields that are filled of some contacts and not of others, and whose contacts are won more often. Whether there is a source shows in the sources.
fn completeness(examples: &[Example], left_out: &mut Vec<String>) -> Option<Feature> {
    use CompletenessField::{Address, City, Email, Name, PostalCode, Region};
    let mut fields = vec![Email, Name, Address, City, Region, PostalCode];
    fields.retain(|field| {
        let cases = Cases::of(&Feature::Completeness { fields: vec![*field] }, examples);
        let rate = |case: usize| cases.0.get(&case).map_or(0.0, |case| case.won / (case.won + case.others));
        if cases.tell_apart() && rate(1) <= rate(0) {
            left_out.push(format!("{}: whoever has it isn't won more often", field_words(*field)));
        }
        cases.tell_apart() && rate(1) > rate(0)
    });
    (!fields.is_empty()).then_some(Feature::Completeness { fields })
}

/// The attributes that may be learned from and have cases.
fn attributes(examples: &[Example], choice: &TrainingChoice, left_out: &mut Vec<String>) -> Vec<Feature> {
    let mut values: BTreeMap<&str, Vec<&AttributeValue>> = BTreeMap::new();
    for (name, value) in examples.iter().flat_map(|example| &example.attributes) {
        values.entry(name).or_default().push(value);
    }
    if let Some(named) = &choice.attributes {
        values.retain(|name, _| named.iter().any(|named| named == name));
        left_out.extend(named.iter().filter(|name| !values.contains_key(name.as_str())).map(|name| format!("{name}: no contact that is learned from has it")));
    }
    values.retain(|name, _| {
        let is_late = is_known_afterwards(name);
        if is_late {
            left_out.push(format!("{name}: known only after the outcome"));
        }
        !is_late && !is_sealed(name) && !choice.outcome.is_in(name)
    });
    let mut by_frequency: Vec<(&str, Vec<&AttributeValue>)> = values.into_iter().collect();
    by_frequency.sort_by_key(|(_, values)| std::cmp::Reverse(values.len()));
    let mut features = Vec::new();
    for (place, (name, values)) in by_frequency.into_iter().enumerate() {
        if place >= MOST_ATTRIBUTES || values.len() < LEAST_IN_CASE {
            left_out.push(format!("{name}: too few contacts have it"));
        } else if let Some(feature) = attribute(name, &values) {
            features.push(feature);
        } else {
            left_out.push(format!("{name}: nearly always the same, or nearly always different"));
        }
    }
    features
}

/// An attribute by bands when nearly all its values are numbers, else by its frequent values; none when there are no bands or no such values.
fn attribute(name: &str, values: &[&AttributeValue]) -> Option<Feature> {
    let numbers: Vec<f64> = values.iter().filter_map(|value| number_of(value)).collect();
    if numbers.len() * 100 >= values.len() * 95 {
        let edges = edges_of(numbers);
        return (!edges.is_empty()).then(|| Feature::Bands { attribute: name.to_owned(), edges });
    }
    let values = frequent(values.iter().filter_map(|value| text_of(value)).map(|text| text.into_owned()));
    (!values.is_empty()).then(|| Feature::Table { attribute: name.to_owned(), values })
}

/// The values that are frequent enough to count by themselves, in order.
fn frequent(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut frequent: Vec<(String, usize)> = counts.into_iter().filter(|(value, count)| *count >= LEAST_IN_CASE && is_entry(value)).collect();
    frequent.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    frequent.truncate(MOST_VALUES);
    let mut values: Vec<String> = frequent.into_iter().map(|(value, _)| value).collect();
    values.sort_unstable();
    values
}

/// Whether a text can stand in a table.
fn is_entry(text: &str) -> bool {
    !text.is_empty() && text.len() <= VALUE_BYTES && !text.chars().any(char::is_control)
}

/// The numbers at which another band begins, so that all bands have about as many contacts as frequent numbers let them.
fn edges_of(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    let mut edges = Vec::new();
    let mut begun = 0;
    for (before, pair) in numbers.windows(2).enumerate() {
        let place = before + 1;
        if pair[0] == pair[1] || edges.len() == MOST_EDGES {
            continue;
        }
        let rest = numbers.len() - begun;
        let least = rest.div_ceil(MOST_EDGES + 1 - edges.len()).max(LEAST_IN_CASE);
        if place - begun >= least && numbers.len() - place >= LEAST_IN_CASE {
            edges.push(pair[1]);
            begun = place;
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::Outcome;
    use super::*;

    fn text(text: &str) -> AttributeValue {
        AttributeValue::String(text.to_owned())
    }

    /// So many examples, of which every third was won.
    fn examples(count: u32, attributes: impl Fn(u32) -> Vec<(&'static str, AttributeValue)>) -> Vec<Example> {
        let example = |number: u32| Example {
            came: (Timestamp::UNIX_EPOCH, u64::from(number)),
            converted: number.is_multiple_of(3),
            source: None,
            filled: vec![CompletenessField::Phone],
            attributes: attributes(number).into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        (0..count).map(example).collect()
    }

    fn all() -> TrainingChoice {
        TrainingChoice { name: "Learned".to_owned(), outcome: Outcome::Attribute("Bought".to_owned()), attributes: None }
    }

    #[test]
    fn what_is_known_afterwards_sealed_or_the_outcome_itself_is_never_learned_from() {
        let found = choose(
            &examples(300, |number| {
                let yes = if number % 3 == 0 { "a" } else { "b" };
                ["Lead Quality", "status", "SIN", "email", "bought"].map(|name| (name, text(yes))).to_vec()
            }),
            &TrainingChoice { attributes: Some(["Lead Quality", "status", "SIN", "email", "bought"].map(str::to_owned).to_vec()), ..all() },
        );
        assert_eq!(found.features, []);
        assert_eq!(found.left_out, ["Lead Quality: known only after the outcome", "status: known only after the outcome"]);
    }

    #[test]
    fn what_is_the_same_different_or_missing_nearly_always_is_left_out_with_why() {
        let found = choose(
            &examples(300, |number| {
                let mut attributes = vec![("same", text("x")), ("number", text("7"))];
                attributes.extend((number < 19).then(|| ("rare", text("y"))));
                attributes.push(("different", AttributeValue::String(format!("text {number}"))));
                attributes
            }),
            &TrainingChoice { attributes: Some(["absent", "different", "number", "rare", "same"].map(str::to_owned).to_vec()), ..all() },
        );
        assert_eq!(found.features, []);
        let expected = [
            "absent: no contact that is learned from has it",
            "different: nearly always the same, or nearly always different",
            "number: nearly always the same, or nearly always different",
            "rare: too few contacts have it",
            "same: nearly always the same",
        ];
        assert_eq!(found.left_out, expected);
    }

    #[test]
    fn only_named_attributes_are_learned_from_when_some_are_named() {
        let two = examples(300, |number| vec![("one", AttributeValue::Boolean(number % 2 == 0)), ("two", AttributeValue::Boolean(number % 5 == 0))]);
        let named = TrainingChoice { attributes: Some(vec!["two".to_owned()]), ..all() };
        assert_eq!(choose(&two, &named).features, [Feature::Table { attribute: "two".to_owned(), values: vec!["false".to_owned(), "true".to_owned()] }]);
        assert_eq!(choose(&two, &all()).features.len(), 2);
    }

    #[test]
    fn frequent_values_count_by_themselves_and_the_others_together() {
        let found = choose(
            &examples(300, |number| match number % 10 {
                0..5 => vec![("origin", text("Landing Page"))],
                5..8 => vec![("origin", text("api"))],
                8 => vec![("origin", AttributeValue::String(format!("odd {number}")))],
                _ => vec![],
            }),
            &all(),
        );
        let [feature @ Feature::Table { values, .. }] = &found.features[..] else { panic!("{found:?}") };
        assert_eq!(values, &["api", "landing_page"]);
        let columns = examples(10, |number| match number {
            0 => vec![("origin", text("LANDING-PAGE"))],
            1 => vec![("origin", text("API"))],
            2 => vec![("origin", text("fax"))],
            _ => vec![],
        });
        let columns: Vec<Vec<usize>> = columns[..4].iter().map(|example| feature.held(example)).collect();
        assert_eq!(columns, [[1], [0], [2], [3]]);
        assert_eq!((0..4).map(|column| feature.words(column)).collect::<Vec<_>>(), ["api", "landing_page", "another value", "none"]);
    }

    #[test]
    fn numbers_are_banded_though_an_import_kept_them_as_text_and_few_are_none() {
        let found = choose(
            &examples(400, |number| match number % 40 {
                0 => vec![("visits", text("many"))],
                39 => vec![],
                _ => vec![("visits", AttributeValue::String((number % 4).to_string()))],
            }),
            &all(),
        );
        let [feature @ Feature::Bands { edges, .. }] = &found.features[..] else { panic!("{found:?}") };
        assert_eq!(edges, &[1.0, 2.0, 3.0]);
        let given = ["-1", "0.5", "1", "2.5", "99", "many"].map(|given| examples(1, |_| vec![("visits", AttributeValue::String(given.to_owned()))]).remove(0));
        assert_eq!(given.map(|example| feature.held(&example)), [3_usize, 3, 0, 1, 2, 4].map(|column| vec![column]));
        let words = ["from 1 to below 2", "from 2 to below 3", "3 or more", "below 1", "no number"];
        assert_eq!((0..5).map(|column| feature.words(column)).collect::<Vec<_>>(), words);
    }

    #[test]
    fn a_number_that_most_contacts_have_has_its_own_band_and_the_rest_still_has_several() {
        let numbers = (0..1_000_u32).map(|number| if number < 900 { 0.0 } else { f64::from(number) }).collect();
        assert_eq!(edges_of(numbers), [900.0, 920.0, 940.0, 960.0, 980.0]);
    }

    #[test]
    fn filled_fields_count_only_when_whoever_has_them_is_won_more_often() {
        let mut given = examples(300, |_| vec![]);
        for (example, number) in given.iter_mut().zip(0_u32..) {
            example.filled.extend((number % 3 == 0 || number % 2 == 0).then_some(CompletenessField::Email));
            example.filled.extend((number % 3 != 0).then_some(CompletenessField::City));
        }
        let found = choose(&given, &all());
        assert_eq!(found.features, [Feature::Completeness { fields: vec![CompletenessField::Email] }]);
        assert_eq!(found.left_out, ["city: whoever has it isn't won more often"]);
        assert_eq!((found.features[0].held(&given[0]), found.features[0].held(&given[1])), (vec![0], vec![]));
    }

    #[test]
    fn at_most_twenty_features_are_chosen_the_most_informative_first() {
        let names: [&'static str; 25] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y"];
        let many = examples(600, |number| names.iter().zip(2_u32..).map(|(name, divisor)| (*name, AttributeValue::Boolean(number % divisor == 0))).collect());
        let found = choose(&many, &all());
        assert_eq!(found.features.len(), MOST_FACTORS);
        assert_eq!(found.features[0].name(), "b");
        assert!((area_of(&found.features[0], &many) - 1.0).abs() < 1e-9);
        assert_eq!(found.left_out.len(), 5);
    }

    proptest! {
        #[test]
        fn edges_ascend_and_leave_enough_in_every_band(numbers in prop::collection::vec(-20_i32..20, 0..600)) {
            let numbers: Vec<f64> = numbers.into_iter().map(f64::from).collect();
            let edges = edges_of(numbers.clone());
            prop_assert!(edges.len() <= MOST_EDGES && edges.is_sorted_by(|one, next| one < next));
            if !edges.is_empty() {
                let mut counts = vec![0; edges.len() + 1];
                for number in numbers {
                    counts[edges.partition_point(|edge| *edge <= number)] += 1;
                }
                prop_assert!(counts.iter().all(|count| *count >= LEAST_IN_CASE), "{counts:?}");
            }
        }
    }
}
