//! Bringing the tenant's settings back to what they were at an earlier version.

use switchboard_domain::ids::TenantId;
use switchboard_domain::permission::Permission;
use switchboard_domain::tenant::Tenant;
use switchboard_domain::tenant_settings::TenantPatch;
use switchboard_store::tenants;

use super::update::{UpdateTenant, update_as};
use crate::audit::revert::{Then, Versions, in_the_clear, said_at, unreadable};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Gives the viewer's tenant the settings that it had. As `update`.
///
/// # Errors
/// As `update`, and [`AppError::NotFound`] for another tenant. What a person can mend is in the inner result.
pub(crate) async fn revert(services: &Services, viewer: &Viewer, id: TenantId, versions: Versions) -> Result<Result<Tenant, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::TenantUpdate)?;
    if id != viewer.tenant.record.id {
        return Err(AppError::NotFound);
    }
    let (_, tenant) = tenants::load(&services.core, id).await?.ok_or(AppError::NotFound)?;
    let then = said_at(services, viewer, (&tenant, &id.to_string(), &tenant.record), versions, in_the_clear).await?;
    let patch = match then {
        Then::Now => return Ok(Ok(tenant)),
        Then::Said(fields) => TenantPatch::from_fields(&fields).ok_or_else(unreadable)?,
        Then::Refused(error) => return Ok(Err(vec![error])),
    };
    let request = UpdateTenant { expected_version: versions.expected, patch };
    let updated = update_as(services, viewer, request, versions.change(services, viewer, "tenant.reverted")).await?;
    Ok(updated.map_err(|errors| versions.told(errors, "tenantUpdate")))
}
