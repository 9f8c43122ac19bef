//! Models as data: a list of factors, each with its greatest number of points and a rule, whose maxima add up to 100.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::points::Points;
use super::training::TrainingReport;
use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::ScoringModelId;

/// Most factors of a model.
pub const MOST_FACTORS: usize = 20;
/// Most entries of a table, and most aliases.
pub const MOST_ENTRIES: usize = 200;
/// Most bands of a factor.
pub const MOST_BANDS: usize = 50;
/// Longest name of a model or factor, in characters.
pub const NAME_LENGTH: usize = 50;
/// Longest reason, in characters.
pub const REASON_LENGTH: usize = 200;
/// Most models of a tenant, deleted ones and presets not counted.
pub const MOST_MODELS: usize = 100;

/// A version of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The model.
    pub model: ScoringModelId,
    /// Its version, from 1.
    pub version: u32,
}

/// What scores: one version of a model. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Which one it is.
    pub version: ModelVersion,
    /// What people call it.
    pub name: String,
    /// Its factors, in the order in which they are shown.
    pub factors: Vec<Factor>,
}

/// A tenant's own model.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoringModel {
    /// Its id.
    pub id: ScoringModelId,
    /// What all records have. Its version is the model's.
    pub record: Revisioned,
    /// What people call it; unique among the tenant's live models, whatever its capitals and accents.
    pub name: String,
    /// Its factors.
    pub factors: Vec<Factor>,
    /// How it was learned; none for one that a person wrote or has changed since.
    pub training: Option<Box<TrainingReport>>,
    /// Set when it was deleted.
    pub deleted_at: Option<Timestamp>,
}

impl ScoringModel {
    /// What scores by its present version.
    #[must_use]
    pub fn model(&self) -> Model {
        Model { version: ModelVersion { model: self.id, version: self.record.version }, name: self.name.clone(), factors: self.factors.clone() }
    }
}

impl Audited for ScoringModel {
    const ENTITY_TYPE: &'static str = "scoring_model";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.insert("name".to_owned(), json!(self.name));
        fields.insert("factors".to_owned(), json!(self.factors));
        if let Some(training) = &self.training {
            fields.insert("training".to_owned(), json!(training));
        }
        if let Some(at) = self.deleted_at {
            fields.insert("deletedAt".to_owned(), json!(format!("{at:.3}")));
        }
        fields
    }
}

/// Which model a tenant scores by. Absent, it is the preset `standard`.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveScoringModel {
    /// What all records have.
    pub record: Revisioned,
    /// The version that scores.
    pub model: Model,
}

impl Audited for ActiveScoringModel {
    const ENTITY_TYPE: &'static str = "active_scoring_model";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.insert("model".to_owned(), json!(self.model.version.model));
        fields.insert("modelVersion".to_owned(), json!(self.model.version.version));
        fields.insert("name".to_owned(), json!(self.model.name));
        fields
    }
}

/// One reason to call somebody sooner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Factor {
    /// What people call it; unique in its model.
    pub name: String,
    /// The most points it gives.
    pub maximum: Points,
    /// The words of its reason. `{value}` stands for what was found, `{points}` and `{maximum}` for numbers.
    pub reason: String,
    /// How many it gives whom.
    pub rule: Rule,
}

/// How a factor gives its points. Every number of points is at most the factor's maximum, and the greatest that can be reached is the maximum.
///
/// The numbers of the cases are those of the list below, from 0; for tables and bands the place in the table or the list, and after the last that of
/// what is left over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum Rule {
    /// By where the contact came from. Sources are compared without capitals and accents, spaces and hyphens as underscores. Cases: the table's sources
    /// in the order of the alphabet; another source; none.
    Source {
        /// Points by source.
        table: BTreeMap<String, Points>,
        /// Other words for sources of the table.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        aliases: BTreeMap<String, String>,
        /// For any other source, and for none.
        otherwise: Points,
    },
    /// By which fields are filled. The case is the sum of 2 to the power of each filled field's place in the table.
    Completeness {
        /// Points by field.
        fields: BTreeMap<CompletenessField, Points>,
    },
    /// By how near a sale is. Cases: converted; a next contact is agreed; neither.
    Conversion {
        /// For who has the status `converted` (a live reservation counts from the calling day on).
        converted: Points,
        /// For who has a next contact date.
        next_contact: Points,
        /// For anybody else.
        otherwise: Points,
    },
    /// The maximum × the place of the contact's status among those that are called, from the first (nothing) to the last (all); `converted` all, others that
    /// aren't called nothing. Cases: called, with the place of the status in the list; converted; not called. The case is 0 for converted, 1 for not
    /// called, and else 2 + the place.
    Pipeline,
    /// By when the next contact is. Cases: overdue; each band; later than the last band; no next contact. Overdue and banded ones depend on its day.
    Urgency {
        /// For a next contact whose time has come.
        overdue: Points,
        /// The bands, the nearest first.
        bands: Vec<DayBand>,
        /// For a later one.
        later: Points,
        /// For none.
        none: Points,
    },
    /// The maximum × 0.5 ^ (days since creation ÷ half-life). One case, with the day of creation.
    Age {
        /// Days after which half of the points are left.
        half_life_days: u32,
    },
    /// By when the contact was last changed by a person, an import or a client. Cases: each band; longer ago. They depend on the day of the change.
    Activity {
        /// The bands, the latest first.
        bands: Vec<DayBand>,
        /// For one longer ago.
        otherwise: Points,
    },
    /// By whether somebody has the contact. Cases: assigned to an agent; not.
    Assignment {
        /// For who is assigned.
        assigned: Points,
        /// For who isn't.
        unassigned: Points,
    },
    /// By the text of an attribute (a yes or no is `true` or `false`, a number as it is written), compared as sources are. Cases: the table's values in
    /// the order of the alphabet; another value; none.
    AttributeTable {
        /// The attribute.
        attribute: String,
        /// Points by value.
        table: BTreeMap<String, Points>,
        /// For any other value.
        otherwise: Points,
        /// For none.
        missing: Points,
    },
    /// By the number in an attribute, or in a text that is one: imports bring texts. Cases: each band; below the first; no number.
    AttributeBands {
        /// The attribute.
        attribute: String,
        /// The bands, the lowest first.
        bands: Vec<NumberBand>,
        /// For a number below the first.
        below: Points,
        /// For none, and for what is no number.
        missing: Points,
    },
}

/// So many days at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DayBand {
    /// At most this many times 24 hours.
    pub within_days: u32,
    /// What it gives.
    pub points: Points,
}

/// From this number on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NumberBand {
    /// The least number in it.
    pub at_least: f64,
    /// What it gives.
    pub points: Points,
}

/// A field that can be filled or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CompletenessField {
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
