//! What of a contact a model looks at: a change of anything else can't change a score.

use std::collections::BTreeSet;

use super::model::{CompletenessField, Model, Rule};

/// Something of a contact's item that a score depends on.
///
/// A contact always has a number, and never changes when it was created, so that neither is an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// Where it came from.
    Source,
    /// Its status.
    Status,
    /// When to call next.
    NextContactAt,
    /// The time zone, whose calendar says on which day something was or will be.
    TimeZone,
    /// Whose contact it is.
    Assignee,
    /// Any change by a person, an import or a client: when the newest was is what is looked at.
    AnyChange,
    /// The e-mail address, the street address and the postal code. They are kept sealed, and their bytes are others at each write, so that what is there
    /// can't be compared, only whether it is there.
    Sealed,
    /// The name.
    Name,
    /// The city.
    City,
    /// Province, state, department.
    Region,
    /// One of the tenant's own columns.
    Attribute(String),
}

/// What a model looks at.
#[must_use]
pub fn inputs_of(model: &Model) -> BTreeSet<Input> {
    let mut inputs = BTreeSet::new();
    for factor in &model.factors {
        match &factor.rule {
            Rule::Source { .. } => inputs.extend([Input::Source]),
            Rule::Completeness { fields } => inputs.extend(fields.keys().filter_map(|field| input_of(*field))),
            Rule::Conversion { .. } => inputs.extend([Input::Status, Input::NextContactAt]),
            Rule::Pipeline => inputs.extend([Input::Status]),
            Rule::Urgency { .. } => inputs.extend([Input::NextContactAt, Input::TimeZone]),
            Rule::Age { .. } => inputs.extend([Input::TimeZone]),
            Rule::Activity { .. } => inputs.extend([Input::AnyChange, Input::TimeZone]),
            Rule::Assignment { .. } => inputs.extend([Input::Assignee]),
            Rule::AttributeTable { attribute, .. } | Rule::AttributeBands { attribute, .. } => inputs.extend([Input::Attribute(attribute.clone())]),
        }
    }
    inputs
}

fn input_of(field: CompletenessField) -> Option<Input> {
    match field {
        CompletenessField::Phone => None,
        CompletenessField::Email | CompletenessField::Address | CompletenessField::PostalCode => Some(Input::Sealed),
        CompletenessField::Name => Some(Input::Name),
        CompletenessField::City => Some(Input::City),
        CompletenessField::Region => Some(Input::Region),
        CompletenessField::Source => Some(Input::Source),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Factor, Points, pipeline, standard};
    use super::*;

    #[test]
    fn what_a_model_does_not_look_at_is_no_input() {
        assert_eq!(inputs_of(&Model { factors: Vec::new(), ..standard() }), BTreeSet::new());
        let phone = Rule::Completeness { fields: BTreeMap::from([(CompletenessField::Phone, Points::WHOLE)]) };
        let factor = Factor { name: "reachable".to_owned(), maximum: Points::WHOLE, reason: "{value}".to_owned(), rule: phone };
        assert_eq!(inputs_of(&Model { factors: vec![factor], ..standard() }), BTreeSet::new());
    }

    #[test]
    fn the_presets_look_at_few_things() {
        use Input::{Assignee, NextContactAt, Sealed, Source, Status, TimeZone};
        assert_eq!(inputs_of(&standard()), BTreeSet::from([Source, Status, NextContactAt, TimeZone, Sealed]));
        assert_eq!(inputs_of(&pipeline()), BTreeSet::from([Source, Status, TimeZone, Assignee]));
    }
}
