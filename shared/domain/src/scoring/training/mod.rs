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

use crate::contact::{Attributes, Contact};
use crate::scoring::model::CompletenessField;
use crate::scoring::{Scorer, Standing};

/// Most contacts that are learned from, the newest.
pub const MOST_EXAMPLES: usize = 100_000;

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
            came: (contact.record.created_at, contact.import_marks.last().map_or(0, |mark| mark.row)),
            converted,
            source: details.source.clone(),
            filled: crate::scoring::calculate::filled(contact).collect(),
            attributes: attributes.map(|(name, value)| (name.clone(), value.clone())).collect(),
        })
    }
}
