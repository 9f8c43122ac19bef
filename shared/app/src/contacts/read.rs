//! Reading one contact. What isn't the viewer's to see is as if it didn't exist.

use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_domain::phone;
use switchboard_store::contacts;

use super::access::is_visible;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// A contact by its id. 1 request, 1 R.
///
/// # Errors
/// [`AppError::Forbidden`] when the viewer may see no contact at all; those of the database.
pub async fn get(services: &Services, viewer: &Viewer, id: &ContactId) -> Result<Option<Contact>, AppError> {
    let scope = viewer.scope(Permission::ContactRead)?;
    let stored = contacts::get(&services.core, &viewer.tenant, id).await?;
    Ok(stored.map(|stored| stored.contact).filter(|contact| is_visible(viewer, scope, contact)))
}

/// The contact whose number this is, written in any way that is valid in the tenant's country. 1 request and 1 R, twice that when the number
/// changed hands.
///
/// # Errors
/// As [`get`].
pub async fn by_phone(services: &Services, viewer: &Viewer, text: &str) -> Result<Option<Contact>, AppError> {
    let scope = viewer.scope(Permission::ContactRead)?;
    let Ok(phone) = phone::parse("phone", text, &viewer.tenant.record.country) else {
        return Ok(None);
    };
    let stored = contacts::owner_of_number(&services.core, &viewer.tenant, &phone.e164).await?;
    Ok(stored.map(|stored| stored.contact).filter(|contact| is_visible(viewer, scope, contact)))
}
