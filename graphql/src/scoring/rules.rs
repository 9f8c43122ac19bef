//! How a factor gives its points, as clients read and write it.

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject, Union};
use switchboard_domain::scoring::{CompletenessField, Factor, RuleInput};

/// A field that can be filled or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "CompletenessField")]
pub(crate) enum ScoringField {
    /// The number, which every contact has.
    Phone,
    /// The e-mail address.
    Email,
    /// The name.
    Name,
    /// The street address.
    Address,
    /// The city.
    City,
    /// Province, state, department.
    Region,
    /// The postal code.
    PostalCode,
    /// Where it came from.
    Source,
}

/// What a value gives.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringEntryInput")]
pub(crate) struct ScoringEntry {
    /// The value; capitals, accents, spaces and hyphens make no difference.
    value: String,
    /// Its points.
    points: f64,
}

/// Another word for a source.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringAliasInput")]
pub(crate) struct ScoringAlias {
    /// The word.
    alias: String,
    /// The source of the table that it stands for.
    source: String,
}

/// What a filled field gives.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringFieldPointsInput")]
pub(crate) struct ScoringFieldPoints {
    /// The field.
    field: ScoringField,
    /// Its points when it is filled.
    points: f64,
}

/// So many days at most.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringDayBandInput")]
pub(crate) struct ScoringDayBand {
    /// At most this many times 24 hours, from 1 to 3,650.
    within_days: i32,
    /// Its points.
    points: f64,
}

/// From a number on.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringNumberBandInput")]
pub(crate) struct ScoringNumberBand {
    /// The least number in it.
    at_least: f64,
    /// Its points.
    points: f64,
}

/// By where the contact came from.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringSourceRuleInput")]
pub(crate) struct ScoringSourceRule {
    /// Points by source, at most 200.
    table: Vec<ScoringEntry>,
    /// Other words for sources of the table, at most 200.
    #[graphql(default)]
    aliases: Vec<ScoringAlias>,
    /// For any other source, and for none.
    otherwise: f64,
}

/// By which fields are filled.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringCompletenessRuleInput")]
pub(crate) struct ScoringCompletenessRule {
    /// Points by field.
    fields: Vec<ScoringFieldPoints>,
}

/// By how near a sale is.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringConversionRuleInput")]
pub(crate) struct ScoringConversionRule {
    /// For who was won.
    converted: f64,
    /// For who has a next contact date.
    next_contact: f64,
    /// For anybody else.
    otherwise: f64,
}

/// By the place of the contact's status among those that are called.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct ScoringPipelineRule {
    /// For the first of them, and for statuses that aren't called.
    first: f64,
    /// For the last of them, and for who was won; those between lie evenly between.
    last: f64,
}

/// By when the next contact is.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringUrgencyRuleInput")]
pub(crate) struct ScoringUrgencyRule {
    /// For a next contact whose time has come.
    overdue: f64,
    /// How soon it is; the nearest first, at most 50.
    bands: Vec<ScoringDayBand>,
    /// For a later one.
    later: f64,
    /// For none.
    none: f64,
}

/// The maximum × 0.5 ^ (days since creation ÷ half-life).
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringAgeRuleInput")]
pub(crate) struct ScoringAgeRule {
    /// Days after which half of the points are left, from 1 to 3,650.
    half_life_days: i32,
}

/// By when the contact was last changed by a person, an import or a client.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringActivityRuleInput")]
pub(crate) struct ScoringActivityRule {
    /// How long ago it was; the latest first, at most 50.
    bands: Vec<ScoringDayBand>,
    /// For longer ago.
    otherwise: f64,
}

/// By whether an agent has the contact.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringAssignmentRuleInput")]
pub(crate) struct ScoringAssignmentRule {
    /// For who is assigned.
    assigned: f64,
    /// For who isn't.
    unassigned: f64,
}

/// By the text of an attribute.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringAttributeTableRuleInput")]
pub(crate) struct ScoringAttributeTableRule {
    /// The attribute; one that is sensitive is NOT_ALLOWED.
    attribute: String,
    /// Points by value, at most 200.
    table: Vec<ScoringEntry>,
    /// For any other value.
    otherwise: f64,
    /// For none.
    missing: f64,
}

/// By the number in an attribute.
#[derive(Debug, Clone, PartialEq, SimpleObject, InputObject)]
#[graphql(input_name = "ScoringAttributeBandsRuleInput")]
pub(crate) struct ScoringAttributeBandsRule {
    /// The attribute; one that is sensitive is NOT_ALLOWED.
    attribute: String,
    /// The lowest first, at most 50.
    bands: Vec<ScoringNumberBand>,
    /// For a number below the first.
    below: f64,
    /// For none, and for what is no number.
    missing: f64,
}

/// How a factor gives its points.
#[derive(Debug, Clone, PartialEq, Union)]
pub(crate) enum ScoringRule {
    Source(ScoringSourceRule),
    Completeness(ScoringCompletenessRule),
    Conversion(ScoringConversionRule),
    Pipeline(ScoringPipelineRule),
    Urgency(ScoringUrgencyRule),
    Age(ScoringAgeRule),
    Activity(ScoringActivityRule),
    Assignment(ScoringAssignmentRule),
    AttributeTable(ScoringAttributeTableRule),
    AttributeBands(ScoringAttributeBandsRule),
}

/// How a factor is to give its points: exactly one of these.
#[derive(Debug, Clone, PartialEq, OneofObject)]
pub(crate) enum ScoringRuleInput {
    /// By where the contact came from.
    Source(ScoringSourceRule),
    /// By which fields are filled.
    Completeness(ScoringCompletenessRule),
    /// By how near a sale is.
    Conversion(ScoringConversionRule),
    /// By the place of the contact's status among those that are called, from nothing at the first to the maximum at the last; `true`.
    Pipeline(bool),
    /// By when the next contact is.
    Urgency(ScoringUrgencyRule),
    /// By how long ago the contact was made.
    Age(ScoringAgeRule),
    /// By when the contact was last changed.
    Activity(ScoringActivityRule),
    /// By whether an agent has the contact.
    Assignment(ScoringAssignmentRule),
    /// By the text of an attribute.
    AttributeTable(ScoringAttributeTableRule),
    /// By the number in an attribute.
    AttributeBands(ScoringAttributeBandsRule),
}

fn entries(table: Vec<(String, f64)>) -> Vec<ScoringEntry> {
    table.into_iter().map(|(value, points)| ScoringEntry { value, points }).collect()
}

fn table(entries: Vec<ScoringEntry>) -> Vec<(String, f64)> {
    entries.into_iter().map(|entry| (entry.value, entry.points)).collect()
}

/// Days are at most 3,650.
fn days(days: i64) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}

fn day_bands(bands: Vec<(i64, f64)>) -> Vec<ScoringDayBand> {
    bands.into_iter().map(|(within_days, points)| ScoringDayBand { within_days: days(within_days), points }).collect()
}

fn bands(bands: Vec<ScoringDayBand>) -> Vec<(i64, f64)> {
    bands.into_iter().map(|band| (i64::from(band.within_days), band.points)).collect()
}

impl From<&Factor> for ScoringRule {
    fn from(factor: &Factor) -> Self {
        match RuleInput::from(&factor.rule) {
            RuleInput::Source { table, aliases, otherwise } => {
                let aliases = aliases.into_iter().map(|(alias, source)| ScoringAlias { alias, source }).collect();
                Self::Source(ScoringSourceRule { table: entries(table), aliases, otherwise })
            }
            RuleInput::Completeness { fields } => {
                let fields = fields.into_iter().map(|(field, points)| ScoringFieldPoints { field: field.into(), points }).collect();
                Self::Completeness(ScoringCompletenessRule { fields })
            }
            RuleInput::Conversion { converted, next_contact, otherwise } => Self::Conversion(ScoringConversionRule { converted, next_contact, otherwise }),
            RuleInput::Pipeline => Self::Pipeline(ScoringPipelineRule { first: 0.0, last: factor.maximum.number() }),
            RuleInput::Urgency { overdue, bands, later, none } => Self::Urgency(ScoringUrgencyRule { overdue, bands: day_bands(bands), later, none }),
            RuleInput::Age { half_life_days } => Self::Age(ScoringAgeRule { half_life_days: days(half_life_days) }),
            RuleInput::Activity { bands, otherwise } => Self::Activity(ScoringActivityRule { bands: day_bands(bands), otherwise }),
            RuleInput::Assignment { assigned, unassigned } => Self::Assignment(ScoringAssignmentRule { assigned, unassigned }),
            RuleInput::AttributeTable { attribute, table, otherwise, missing } => {
                Self::AttributeTable(ScoringAttributeTableRule { attribute, table: entries(table), otherwise, missing })
            }
            RuleInput::AttributeBands { attribute, bands, below, missing } => {
                let bands = bands.into_iter().map(|(at_least, points)| ScoringNumberBand { at_least, points }).collect();
                Self::AttributeBands(ScoringAttributeBandsRule { attribute, bands, below, missing })
            }
        }
    }
}

impl From<ScoringRuleInput> for RuleInput {
    fn from(input: ScoringRuleInput) -> Self {
        match input {
            ScoringRuleInput::Source(rule) => {
                let aliases = rule.aliases.into_iter().map(|alias| (alias.alias, alias.source)).collect();
                Self::Source { table: table(rule.table), aliases, otherwise: rule.otherwise }
            }
            ScoringRuleInput::Completeness(rule) => Self::Completeness { fields: rule.fields.into_iter().map(|entry| (entry.field.into(), entry.points)).collect() },
            ScoringRuleInput::Conversion(rule) => Self::Conversion { converted: rule.converted, next_contact: rule.next_contact, otherwise: rule.otherwise },
            ScoringRuleInput::Pipeline(_) => Self::Pipeline,
            ScoringRuleInput::Urgency(rule) => Self::Urgency { overdue: rule.overdue, bands: bands(rule.bands), later: rule.later, none: rule.none },
            ScoringRuleInput::Age(rule) => Self::Age { half_life_days: i64::from(rule.half_life_days) },
            ScoringRuleInput::Activity(rule) => Self::Activity { bands: bands(rule.bands), otherwise: rule.otherwise },
            ScoringRuleInput::Assignment(rule) => Self::Assignment { assigned: rule.assigned, unassigned: rule.unassigned },
            ScoringRuleInput::AttributeTable(rule) => {
                Self::AttributeTable { attribute: rule.attribute, table: table(rule.table), otherwise: rule.otherwise, missing: rule.missing }
            }
            ScoringRuleInput::AttributeBands(rule) => Self::AttributeBands {
                attribute: rule.attribute,
                bands: rule.bands.into_iter().map(|band| (band.at_least, band.points)).collect(),
                below: rule.below,
                missing: rule.missing,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::scoring::{pipeline, standard};

    /// The same rule as a client would write it.
    fn written(rule: ScoringRule) -> ScoringRuleInput {
        match rule {
            ScoringRule::Source(rule) => ScoringRuleInput::Source(rule),
            ScoringRule::Completeness(rule) => ScoringRuleInput::Completeness(rule),
            ScoringRule::Conversion(rule) => ScoringRuleInput::Conversion(rule),
            ScoringRule::Pipeline(_) => ScoringRuleInput::Pipeline(true),
            ScoringRule::Urgency(rule) => ScoringRuleInput::Urgency(rule),
            ScoringRule::Age(rule) => ScoringRuleInput::Age(rule),
            ScoringRule::Activity(rule) => ScoringRuleInput::Activity(rule),
            ScoringRule::Assignment(rule) => ScoringRuleInput::Assignment(rule),
            ScoringRule::AttributeTable(rule) => ScoringRuleInput::AttributeTable(rule),
            ScoringRule::AttributeBands(rule) => ScoringRuleInput::AttributeBands(rule),
        }
    }

    #[test]
    fn a_rule_that_is_read_can_be_written_as_it_is() {
        for factor in [standard().factors, pipeline().factors].concat() {
            assert_eq!(RuleInput::from(written(ScoringRule::from(&factor))), RuleInput::from(&factor.rule), "{}", factor.name);
        }
    }
}
