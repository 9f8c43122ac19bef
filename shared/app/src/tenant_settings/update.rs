//! Changing the tenant's settings.

use switchboard_domain::change::Change;
use switchboard_domain::permission::Permission;
use switchboard_domain::tenant::Tenant;
use switchboard_domain::tenant_settings::{self, TenantPatch};
use switchboard_store::tenants;

use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be changed.
#[derive(Debug, Clone, Default)]
pub struct UpdateTenant {
    /// The version the client read.
    pub expected_version: i32,
    /// The values.
    pub patch: TenantPatch,
}

/// Changes the settings of the viewer's tenant; nothing is written when that changes nothing. 2 requests: 1 R and 1 W; again as much each time another
/// write of the record was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `tenant:update:ALL`; those of the database. What a person can mend is in the inner result.
pub async fn update(services: &Services, viewer: &Viewer, request: UpdateTenant) -> Result<Result<Tenant, Vec<UserError>>, AppError> {
    let change = Change::new("tenant.updated", services.clock.now(), viewer.origin());
    update_as(services, viewer, request, change).await
}

/// [`update`], as a change of this name.
///
/// # Errors
/// As [`update`].
pub(super) async fn update_as(services: &Services, viewer: &Viewer, request: UpdateTenant, change: Change) -> Result<Result<Tenant, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::TenantUpdate)?;
    let (core, id) = (&services.core, viewer.tenant.record.id);
    let mut tried: Option<Tenant> = None;
    for attempt in 0..ATTEMPTS {
        // Read anew, never taken from the cache: the keys stand in the same record, and are turned over without its version changing.
        let (scope, before) = tenants::load(core, id).await?.ok_or(AppError::NotFound)?;
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(&before) {
            services.tenants.forget(id);
            return Ok(Ok(before));
        }
        let after = match tenant_settings::update(&before, request.expected_version, &request.patch, change.clone()) {
            Ok(Some(after)) => after,
            Ok(None) => return Ok(Ok(before)),
            Err(errors) => return Ok(Err(errors.into_iter().map(UserError::from).collect())),
        };
        if tenants::save(core, &scope, &after, before.record.revision).await? {
            services.tenants.forget(id);
            return Ok(Ok(after));
        }
        tried = Some(after);
        back_off(services, attempt).await;
    }
    Err(busy())
}
