//! The roles of a tenant: created, changed and deleted, each by one who decides on all of them as they are now.
//!
//! As with statuses, what a change decided on is read anew, and the write holds only while it is still so. The other processes learn of it within the half
//! minute for which they believe a tenant's settings: until then holders may do what they could.

mod create;
mod delete;
mod held;
mod revert;
mod update;

pub use create::{CreateRole, create};
pub use delete::{DeleteRole, delete};
pub use held::held;
pub(crate) use revert::revert;
pub use update::{UpdateRole, update};

use switchboard_domain::role::RoleError;

use crate::error::{Existing, UserError};

/// The rules' errors as those of a use case.
pub(crate) fn shown(errors: Vec<RoleError>) -> Vec<UserError> {
    let one = |refused: RoleError| UserError { existing: refused.existing.map(Existing::Role), index: refused.index, ..UserError::from(refused.error) };
    errors.into_iter().map(one).collect()
}
