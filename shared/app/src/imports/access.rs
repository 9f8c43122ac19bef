//! Who may bring in what.

use switchboard_domain::imports::ImportKind;
use switchboard_domain::permission::Permission;

use crate::error::AppError;
use crate::viewer::Viewer;

/// That the viewer may import such rows. Numbers that must not be called need also the permission to put one on the list by hand.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:create` for the whole tenant, for agents without `import:create_agents`; for numbers that must not be called also
/// without `suppression:add`.
pub(super) fn check_kind(viewer: &Viewer, kind: ImportKind) -> Result<(), AppError> {
    let needed: &[Permission] = match kind {
        ImportKind::Contacts => &[Permission::ImportCreate],
        ImportKind::Agents => &[Permission::ImportCreateAgents],
        ImportKind::Suppressions => &[Permission::ImportCreate, Permission::SuppressionAdd],
    };
    needed.iter().try_for_each(|permission| viewer.require_all(*permission))
}

/// That the viewer may import anything at all.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:create` and `import:create_agents` for the whole tenant.
pub(super) fn check_any(viewer: &Viewer) -> Result<(), AppError> {
    viewer.require_all(Permission::ImportCreateAgents).or_else(|_| viewer.require_all(Permission::ImportCreate))
}
