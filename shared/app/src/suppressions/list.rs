//! Reading the suppression list. It can't be asked for numbers, only whether a number is on it.

use switchboard_domain::ids::SuppressionId;
use switchboard_domain::permission::Permission;
use switchboard_domain::phone;
use switchboard_domain::suppression::{self, Suppression};
use switchboard_store::{Page, suppressions};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// The entries in force, the last put there first, those behind the place `after`, each with its place. 2 requests, half an R per started 4 KB of
/// the list and for each entry.
///
/// # Errors
/// [`AppError::Forbidden`] without `suppression:read`; those of the database.
pub async fn list(services: &Services, viewer: &Viewer, after: Option<&str>, first: usize) -> Result<Page<(String, Suppression)>, AppError> {
    viewer.require_all(Permission::SuppressionRead)?;
    Ok(suppressions::list(&services.core, &viewer.tenant.scope, after, first).await?)
}

/// The entry of a number, written in any way that is valid in the tenant's country; also one that was taken off, which says so. 1 request, 1 R.
///
/// # Errors
/// As [`list`].
pub async fn by_phone(services: &Services, viewer: &Viewer, text: &str) -> Result<Option<Suppression>, AppError> {
    viewer.require_all(Permission::SuppressionRead)?;
    let Ok(phone) = phone::parse("phone", text, &viewer.tenant.record.country) else {
        return Ok(None);
    };
    get(services, viewer, &suppression::id_of(&viewer.tenant.keyring, &phone.e164)).await
}

/// An entry by its id; also one that was taken off, which says so. 1 request, 1 R.
///
/// # Errors
/// As [`list`].
pub async fn get(services: &Services, viewer: &Viewer, id: &SuppressionId) -> Result<Option<Suppression>, AppError> {
    viewer.require_all(Permission::SuppressionRead)?;
    Ok(suppressions::find(&services.core, &viewer.tenant.scope, id).await?)
}
