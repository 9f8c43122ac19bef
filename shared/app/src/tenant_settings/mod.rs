//! What an organisation decides about itself, changed by who may. The other processes learn of it within the half minute for which they believe a
//! tenant's record.

mod revert;
mod update;

pub(crate) use revert::revert;
pub use update::{UpdateTenant, update};
