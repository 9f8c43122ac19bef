//! The roles that somebody holds.

use std::sync::Arc;

use switchboard_domain::ids::RoleId;
use switchboard_domain::person::Role;
use switchboard_store::settings::Settings;

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// The roles with these ids, in their order; deleted ones are left out, because they grant nothing. No request, unless one of them was made since the viewer's
/// settings were read: then 1 and 2 R.
///
/// # Errors
/// Those of the database.
pub async fn held(services: &Services, viewer: &Viewer, ids: &[RoleId]) -> Result<Vec<Role>, AppError> {
    let scope = &viewer.tenant.scope;
    let knows = |settings: &Settings| ids.iter().all(|id| settings.role(*id).is_some());
    let mut settings = Arc::clone(&viewer.settings);
    if !knows(&settings) {
        settings = services.tenants.settings(scope).await?;
    }
    if !knows(&settings) {
        services.tenants.forget_settings(scope);
        settings = services.tenants.settings(scope).await?;
    }
    Ok(ids.iter().filter_map(|id| settings.role(*id)).filter(|role| role.is_live()).cloned().collect())
}
