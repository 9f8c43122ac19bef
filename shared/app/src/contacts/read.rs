//! Reading one contact. What isn't the viewer's to see is as if it didn't exist.

use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::phone;
use switchboard_store::contacts::{self, StoredContact};

use super::access::is_visible;
use super::opened::opened;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// A contact by its id. 1 request, 1 R; what [`opened`] costs beside it.
///
/// # Errors
/// [`AppError::Forbidden`] when the viewer may see no contact at all; those of the database and of [`opened`].
pub async fn get(services: &Services, viewer: &Viewer, id: &ContactId) -> Result<Option<Contact>, AppError> {
    let scope = viewer.scope(Permission::ContactRead)?;
    let stored = contacts::get(&services.core, &viewer.tenant, id).await?;
    shown(services, viewer, scope, stored).await
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
    shown(services, viewer, scope, stored).await
}

/// The contact that was found, if the viewer may see it, once it is on record that they do.
async fn shown(services: &Services, viewer: &Viewer, scope: Scope, stored: Option<StoredContact>) -> Result<Option<Contact>, AppError> {
    let Some(contact) = stored.map(|stored| stored.contact).filter(|contact| is_visible(viewer, scope, contact)) else {
        return Ok(None);
    };
    opened(services, viewer, &contact.id).await?;
    Ok(Some(contact))
}
