//! Learning a model from what became of a tenant's contacts: a logistic regression on what was known of them before, written as a list of factors
//! like any other model (`docs/scoring.md`, Learned models).

mod choice;
mod features;
mod fit;
mod measures;
mod report;
mod scorecard;

pub use choice::{KNOWN_AFTERWARDS, Outcome, TrainingChoice, check_choice, is_known_afterwards};
pub use fit::train;
pub use measures::{area_under_curve, calibration, lift_at_tenth};
pub use report::{CalibrationBand, Coefficient, Part, Refusal, Trained, TrainingReport};

use jiff::Timestamp;

use crate::contact::{AttributeValue, Attributes, Contact, RowWrite};
use crate::ids::time_of;
use crate::scoring::model::CompletenessField;
use crate::scoring::{Scorer, Standing};

/// Most contacts that are learned from, the newest.
pub const MOST_EXAMPLES: usize = 100_000;
/// Most characters of a text that are kept.
const MOST_CHARACTERS: usize = 100;

/// A contact of which it is known what became of it, and what was known of it before.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// When it came, and, of an import, in which row: the order of time.
    pub came: (Timestamp, u64),
    /// Whether it was won.
    pub converted: bool,
    /// Where it came from.
    pub source: Option<String>,
    /// Which fields are filled.
    pub filled: Vec<CompletenessField>,
    /// Its attributes but for the sensitive ones and the outcome.
    pub attributes: Attributes,
}

impl Example {
    /// What a contact teaches; none when its outcome isn't known: the attribute is missing, or is neither a yes or no nor 0 or 1.
    #[must_use]
    pub fn of(contact: &Contact, outcome: &Outcome, scorer: &Scorer) -> Option<Self> {
        let details = &contact.details;
        let converted = match outcome {
            Outcome::Converted => scorer.standing(details.status) == Standing::Converted,
            Outcome::Attribute(name) => choice::outcome_of(details.attributes.get(name)?)?,
        };
        let attributes = details.attributes.iter().filter(|(name, _)| !outcome.is_in(name) && !crate::contact::is_sealed(name));
        Some(Self {
            came: came(contact),
            converted,
            source: details.source.clone(),
            filled: crate::scoring::calculate::filled(contact).collect(),
            attributes: attributes.map(|(name, value)| (name.clone(), kept(value))).collect(),
        })
    }
}

/// When a contact came: of one that an import created, when the import was made, and its row, because chunks are written side by side.
fn came(contact: &Contact) -> (Timestamp, u64) {
    let created = contact.record.created_at;
    match contact.import_marks.last() {
        Some(mark) if mark.written == RowWrite::Created => (time_of(&mark.import.to_string()).unwrap_or(created), mark.row),
        _ => (created, 0),
    }
}

/// The value of an attribute, a long text cut: it is nothing but another value, and 100,000 contacts are held at once.
fn kept(value: &AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::String(text) => AttributeValue::String(text.chars().take(MOST_CHARACTERS).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::ImportMark;
    use crate::ids::ImportId;
    use crate::scoring::calculate::samples;

    #[test]
    fn contacts_of_an_import_came_in_the_order_of_its_rows_whenever_their_chunks_were_written() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let import = ImportId::new(at(1_000), &[1; 10]);
        let of_row = |row, created| {
            let mut contact = samples::contact(at(created));
            contact.import_marks = vec![ImportMark { import, row, written: RowWrite::Created, version: None }];
            came(&contact)
        };
        assert!(of_row(1, 9_000) < of_row(5_001, 8_000));
        assert!(of_row(5_001, 8_000) < came(&samples::contact(at(2_000))));
    }

    #[test]
    fn a_long_text_is_cut_and_everything_else_stays() {
        assert_eq!(kept(&AttributeValue::String("é".repeat(1_000))), AttributeValue::String("é".repeat(MOST_CHARACTERS)));
        assert_eq!(kept(&AttributeValue::Number(2.5)), AttributeValue::Number(2.5));
    }
}
