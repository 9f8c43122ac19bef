//! What somebody chose to have learned: which outcome, from which attributes; and what is never learned from, because it is known only afterwards.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contact::{AttributeValue, MAX_ATTRIBUTES, is_sealed, validate_name};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::scoring::model::NAME_LENGTH;
use crate::text;

/// What counts as success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The contact has the status `converted`.
    Converted,
    /// The attribute of this name says yes, or 1.
    Attribute(String),
}

impl Outcome {
    /// Whether it is what this attribute says. Capitals make no difference.
    #[must_use]
    pub fn is_in(&self, attribute: &str) -> bool {
        match self {
            Self::Converted => false,
            Self::Attribute(name) => text::fold(name) == text::fold(attribute),
        }
    }
}

impl fmt::Display for Outcome {
    /// The attribute, or `converted`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Converted => crate::status::CONVERTED,
            Self::Attribute(name) => name,
        })
    }
}

/// What to learn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingChoice {
    /// What the model will be called.
    pub name: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The attributes to learn from, by name; none for all that are there. Source and filled fields are always looked at.
    pub attributes: Option<Vec<String>>,
}

/// Names of attributes that are known only after the outcome, or because of it, as customer systems name them in English and French. They are compared
/// by their letters and digits, without capitals and accents: `Lead Quality` and `lead-quality` are `lead_quality`. A model never learns from them.
///
/// The contact's own fields of that kind (status, next contact, agent, team, last activity, suppression) need no list: an
/// [`Example`](super::Example) doesn't hold them.
pub const KNOWN_AFTERWARDS: [&str; 78] = [
    "booking_date",
    "call_disposition",
    "call_outcome",
    "call_result",
    "call_status",
    "close_date",
    "closed",
    "closed_at",
    "closed_date",
    "closed_won",
    "contact_status",
    "contract_date",
    "conversion",
    "conversion_date",
    "converted",
    "converted_at",
    "converted_date",
    "converti",
    "customer_since",
    "date_closed",
    "date_converted",
    "date_de_cloture",
    "date_de_conversion",
    "date_de_reservation",
    "deal_amount",
    "deal_stage",
    "deal_status",
    "deal_value",
    "dernier_appel",
    "dernier_contact",
    "derniere_activite",
    "disposition",
    "etape",
    "final_status",
    "gagne",
    "is_closed",
    "is_converted",
    "is_won",
    "last_activity",
    "last_activity_at",
    "last_activity_date",
    "last_call",
    "last_call_date",
    "last_called",
    "last_called_at",
    "last_contact",
    "last_contact_date",
    "last_contacted",
    "last_contacted_at",
    "last_notable_activity",
    "lead_quality",
    "lead_stage",
    "lead_status",
    "loss_reason",
    "lost",
    "lost_reason",
    "next_contact",
    "next_step",
    "opportunity_stage",
    "order_date",
    "outcome",
    "perdu",
    "pipeline_stage",
    "prochaine_etape",
    "purchase_date",
    "raison_de_perte",
    "reason_lost",
    "reservation_date",
    "result",
    "resultat",
    "revenue",
    "sale_date",
    "sales_stage",
    "stage",
    "status",
    "statut",
    "tags",
    "won",
];

/// Whether an attribute of this name is known only after the outcome ([`KNOWN_AFTERWARDS`]).
#[must_use]
pub fn is_known_afterwards(name: &str) -> bool {
    let letters = text::fold_alphanumeric(name);
    KNOWN_AFTERWARDS.iter().any(|known| known.bytes().filter(|byte| *byte != b'_').eq(letters.bytes()))
}

/// Checks what somebody chose. Whether there is enough to learn from shows only when it is learned.
///
/// # Errors
/// All that is wrong, in the fields `name`, `outcomeAttribute`, `attributes`, and `attributes.0` and so on: `BLANK`, `TOO_LONG` and `INVALID` names;
/// `NOT_ALLOWED` for attributes that are kept encrypted or known only after the outcome; `CONFLICT` for the outcome itself and what is named twice;
/// `LIMIT_EXCEEDED` beyond [`MAX_ATTRIBUTES`] attributes.
pub fn check_choice(choice: &TrainingChoice) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    match text::line("name", &choice.name, NAME_LENGTH) {
        Ok(Some(_)) => {}
        Ok(None) => errors.push(FieldError::new("name", FieldErrorCode::Blank, "The model has no name. Name it.")),
        Err(error) => errors.push(error),
    }
    if let Outcome::Attribute(name) = &choice.outcome {
        errors.extend(attribute_error("outcomeAttribute", name));
    }
    let attributes = choice.attributes.as_deref().unwrap_or_default();
    if attributes.len() > MAX_ATTRIBUTES {
        errors.push(FieldError::new("attributes", FieldErrorCode::LimitExceeded, format!("A model learns from at most {MAX_ATTRIBUTES} attributes. Name fewer.")));
    }
    for (place, name) in attributes.iter().enumerate().take(MAX_ATTRIBUTES) {
        let field = format!("attributes.{place}");
        let error = attribute_error(&field, name).or_else(|| {
            let (code, message) = if choice.outcome.is_in(name) {
                (FieldErrorCode::Conflict, format!("{field} is the outcome itself. Leave it out."))
            } else if is_known_afterwards(name) {
                (FieldErrorCode::NotAllowed, format!("{field} is known only after the outcome, so nothing can be foretold by it. Leave it out."))
            } else if attributes[..place].contains(name) {
                (FieldErrorCode::Conflict, format!("{field} is named twice. Leave it out."))
            } else {
                return None;
            };
            Some(FieldError::new(&field, code, message))
        });
        errors.extend(error);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// What is wrong with an attribute, whether it is learned from or learned.
fn attribute_error(field: &str, name: &str) -> Option<FieldError> {
    match validate_name(name) {
        Err(error) => Some(FieldError { field: field.to_owned(), ..error }),
        Ok(trimmed) if trimmed != name => {
            Some(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} has white space around it. Give the name as contacts have it.")))
        }
        Ok(_) if is_sealed(name) => {
            Some(FieldError::new(field, FieldErrorCode::NotAllowed, format!("{field} is kept encrypted and is never learned from. Leave it out.")))
        }
        Ok(_) => None,
    }
}

/// Whether a value says yes or no; none when it says neither.
pub(super) fn outcome_of(value: &AttributeValue) -> Option<bool> {
    match value {
        AttributeValue::Boolean(yes) => Some(*yes),
        AttributeValue::Number(number) if *number == 1.0 => Some(true),
        AttributeValue::Number(number) if *number == 0.0 => Some(false),
        AttributeValue::Number(_) => None,
        AttributeValue::String(text) => match text::fold(text.trim()).as_str() {
            "1" | "true" | "yes" => Some(true),
            "0" | "false" | "no" => Some(false),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(outcome: Outcome, attributes: &[&str]) -> TrainingChoice {
        TrainingChoice { name: "Learned".to_owned(), outcome, attributes: Some(attributes.iter().map(|name| (*name).to_owned()).collect()) }
    }

    fn errors(choice: &TrainingChoice) -> Vec<(String, FieldErrorCode)> {
        check_choice(choice).err().unwrap_or_default().into_iter().map(|error| (error.field, error.code)).collect()
    }

    #[test]
    fn what_is_known_only_afterwards_is_refused_however_it_is_written() {
        for name in ["status", "Lead Quality", "LEAD-QUALITY", "lastNotableActivity", "Last Activity", "Étape", "Raison de perte", "Tags", "Closed At"] {
            assert!(is_known_afterwards(name), "{name}");
            let found = errors(&choice(Outcome::Converted, &["Visits", name]));
            assert_eq!(found, [("attributes.1".to_owned(), FieldErrorCode::NotAllowed)], "{name}");
        }
        for name in ["Lead Origin", "Visits", "Stage fright", "Wonder", "日本", "", "Total Time Spent on Website"] {
            assert!(!is_known_afterwards(name), "{name}");
        }
    }

    #[test]
    fn the_list_is_in_order_without_repetition_and_as_names_are_compared() {
        assert!(KNOWN_AFTERWARDS.is_sorted_by(|one, next| one < next));
        for name in KNOWN_AFTERWARDS {
            assert_eq!(text::fold_alphanumeric(name), name.replace('_', ""), "{name}");
        }
    }

    #[test]
    fn sensitive_invalid_and_repeated_attributes_and_the_outcome_itself_are_refused_with_their_place() {
        use FieldErrorCode::{Blank, Conflict, Invalid, NotAllowed};
        let outcome = || Outcome::Attribute("Bought".to_owned());
        let found = errors(&choice(outcome(), &["Visits", "SIN", "PK", "Visits", "bought", " Origin", "", "email"]));
        let expected = [
            ("attributes.1", NotAllowed),
            ("attributes.2", Invalid),
            ("attributes.3", Conflict),
            ("attributes.4", Conflict),
            ("attributes.5", Invalid),
            ("attributes.6", Blank),
            ("attributes.7", NotAllowed),
        ];
        let expected = expected.map(|(field, code)| (field.to_owned(), code));
        assert_eq!(found, expected);
    }

    #[test]
    fn an_outcome_that_is_encrypted_or_no_attribute_is_refused() {
        for (name, code) in [("Date of birth", FieldErrorCode::NotAllowed), ("__proto__", FieldErrorCode::Invalid), ("", FieldErrorCode::Blank)] {
            let found = errors(&choice(Outcome::Attribute(name.to_owned()), &[]));
            assert_eq!(found, [("outcomeAttribute".to_owned(), code)], "{name}");
        }
    }

    #[test]
    fn more_attributes_than_a_contact_has_and_a_model_without_a_name_are_refused() {
        let names: Vec<String> = (0..=MAX_ATTRIBUTES).map(|number| format!("a{number}")).collect();
        let wrong = TrainingChoice { name: " ".to_owned(), outcome: Outcome::Converted, attributes: Some(names) };
        let expected = [("name".to_owned(), FieldErrorCode::Blank), ("attributes".to_owned(), FieldErrorCode::LimitExceeded)];
        assert_eq!(errors(&wrong), expected);
        assert_eq!(errors(&TrainingChoice { name: "x".repeat(NAME_LENGTH + 1), ..wrong })[0], ("name".to_owned(), FieldErrorCode::TooLong));
    }

    #[test]
    fn every_attribute_or_named_ones_can_be_chosen() {
        assert_eq!(check_choice(&choice(Outcome::Attribute("Bought".to_owned()), &["Visits", "visits", "Lead Origin"])), Ok(()));
        assert_eq!(check_choice(&TrainingChoice { name: "Learned".to_owned(), outcome: Outcome::Converted, attributes: None }), Ok(()));
    }

    #[test]
    fn an_outcome_is_a_yes_or_no_or_0_or_1() {
        let string = |text: &str| AttributeValue::String(text.to_owned());
        for no_outcome in [string("maybe"), string("2"), string(""), AttributeValue::Number(0.5), AttributeValue::Number(-1.0)] {
            assert_eq!(outcome_of(&no_outcome), None, "{no_outcome:?}");
        }
        for yes in [string("1"), string(" TRUE "), string("Yes"), AttributeValue::Boolean(true), AttributeValue::Number(1.0)] {
            assert_eq!(outcome_of(&yes), Some(true), "{yes:?}");
        }
        for no in [string("0"), string("False"), string("no"), AttributeValue::Boolean(false), AttributeValue::Number(0.0)] {
            assert_eq!(outcome_of(&no), Some(false), "{no:?}");
        }
    }
}
