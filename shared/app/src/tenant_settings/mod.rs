//! What an organisation decides about itself, changed by who may. The other processes learn of it within the half minute for which they believe a
//! tenant's record.

mod update;

pub use update::{UpdateTenant, update};
