//! Imports.

mod mutation;
mod options;
mod preview;
mod profile;
mod query;
mod revert;
mod row_error;
mod rows;
mod types;

pub(crate) use mutation::ImportMutation;
pub(crate) use profile::{ImportProfile, ImportProfileMutation, ImportProfileQuery, profile};
pub(crate) use query::{ImportQuery, import};
pub(crate) use revert::ImportKeptRecord;
pub(crate) use row_error::ImportRowError;
pub(crate) use rows::ImportRowsMutation;
pub(crate) use types::Import;

/// A count as GraphQL's Int has it, which ends at 2^31 − 1.
fn int(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
