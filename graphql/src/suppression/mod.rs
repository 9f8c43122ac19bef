//! The suppression list.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::SuppressionMutation;
pub(crate) use query::{SuppressionQuery, suppression};
pub(crate) use types::Suppression;
