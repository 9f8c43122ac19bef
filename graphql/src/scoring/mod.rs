//! The models that score contacts.

mod inputs;
mod mutation;
mod query;
mod rules;
mod training;
mod types;

pub(crate) use mutation::ScoringMutation;
pub(crate) use query::{ScoringQuery, scoring_model};
pub(crate) use training::{ScoringTraining, scoring_training};
pub(crate) use types::ScoringModel;
