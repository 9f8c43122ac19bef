//! Scores of contacts: read with the contact, in its history, in the list of the best, and as they are spread; and made anew for one contact.

mod explained;
mod mutation;
mod query;
mod types;

pub(crate) use mutation::ScoreMutation;
pub(crate) use query::ScoreQuery;
pub(crate) use types::{ReplacedScore, Score, ScoreCategory, is_told_by_value};
