//! Factors as clients give them, and where in them something is wrong.

use async_graphql::{ID, InputObject};
use switchboard_app::UserError as AppUserError;
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::scoring::FactorInput;

use super::rules::ScoringRuleInput;
use crate::errors::UserError;
use crate::node_id::NodeId;

/// A factor of a scoring model.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct ScoringFactorInput {
    /// What people read: at most 50 characters, unique in its model.
    name: String,
    /// The most points it gives, to four decimals; exactly as many as its rule can give. Those of all factors add up to 100.
    maximum: f64,
    /// The words of its reason, at most 200 characters, with `{value}` for what was found; `{points}` and `{maximum}` stand for numbers. Made of the rule when not
    /// given.
    reason: Option<String>,
    /// How it gives its points.
    rule: ScoringRuleInput,
}

impl From<ScoringFactorInput> for FactorInput {
    fn from(input: ScoringFactorInput) -> Self {
        Self { name: input.name, maximum: input.maximum, reason: input.reason, rule: input.rule.into() }
    }
}

/// Factors as the rules know them.
pub(super) fn factors(inputs: Vec<ScoringFactorInput>) -> Vec<FactorInput> {
    inputs.into_iter().map(FactorInput::from).collect()
}

/// The model that an id names.
pub(super) fn model_id(id: &ID) -> Option<ScoringModelId> {
    match NodeId::parse(id) {
        Some(NodeId::ScoringModel(id)) => Some(id),
        _ => None,
    }
}

/// What a factor has beside its rule.
const BESIDE_RULE: [&str; 3] = ["name", "maximum", "reason"];

/// Errors as clients see them. What is wrong with a rule is found under `rule`.
pub(super) fn shown(errors: Vec<AppUserError>) -> Vec<UserError> {
    errors
        .into_iter()
        .map(|mut error| {
            error.error.field = in_input(&error.error.field);
            UserError::from(error)
        })
        .collect()
}

/// The same where the factors stand under `of`.
pub(super) fn shown_of_preview(mut errors: Vec<AppUserError>) -> Vec<UserError> {
    for error in &mut errors {
        let field = in_input(&error.error.field);
        error.error.field = if field.starts_with("factors") { format!("of.{field}") } else { field };
    }
    errors.into_iter().map(UserError::from).collect()
}

fn in_input(field: &str) -> String {
    let mut steps = field.splitn(3, '.');
    match (steps.next(), steps.next(), steps.next()) {
        (Some("factors"), Some(place), Some(rest)) if !BESIDE_RULE.contains(&rest) => format!("factors.{place}.rule.{rest}"),
        _ => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_rule_is_found_where_the_input_has_it() {
        for (field, expected) in [
            ("name", "name"),
            ("factors", "factors"),
            ("factors.2", "factors.2"),
            ("factors.2.maximum", "factors.2.maximum"),
            ("factors.0.source.table.1", "factors.0.rule.source.table.1"),
            ("factors.0.age.halfLifeDays", "factors.0.rule.age.halfLifeDays"),
        ] {
            assert_eq!(in_input(field), expected);
        }
    }
}
