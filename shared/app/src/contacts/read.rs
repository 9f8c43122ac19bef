//! Reading contacts. What isn't the viewer's to see is as if it didn't exist.

use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::phone;
use switchboard_store::contacts::{self, ContactRow};
use switchboard_store::{Freshness, Page};

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

/// Many contacts of a list by their ids; those that aren't there or aren't the viewer's to see are left out. 1 request per 100, half an R each.
///
/// # Errors
/// As [`get`].
pub async fn get_many(services: &Services, viewer: &Viewer, ids: &[ContactId]) -> Result<Vec<Contact>, AppError> {
    let scope = viewer.scope(Permission::ContactRead)?;
    let stored = contacts::get_many(&services.core, &viewer.tenant, ids, Freshness::Eventual).await?;
    Ok(stored.into_iter().map(|stored| stored.contact).filter(|contact| is_visible(viewer, scope, contact)).collect())
}

/// The contact at a number, written in any way that is valid in the tenant's country. 1 request, 1 R.
///
/// # Errors
/// As [`get`].
pub async fn by_phone(services: &Services, viewer: &Viewer, text: &str) -> Result<Option<Contact>, AppError> {
    viewer.scope(Permission::ContactRead)?;
    let Ok(phone) = phone::parse("phone", text, &viewer.tenant.record.country) else {
        return Ok(None);
    };
    get(services, viewer, &viewer.tenant.keyring.slot(&phone.e164)).await
}

/// The tenant's contacts, newest first, those older than the place `after`. 1 request per shard, half an R per started 4 KB.
///
/// # Errors
/// [`AppError::Forbidden`] when the viewer may not see every contact; those of the database.
pub async fn newest(services: &Services, viewer: &Viewer, after: Option<&str>, first: usize) -> Result<Page<ContactRow>, AppError> {
    viewer.require_all(Permission::ContactRead)?;
    Ok(contacts::newest(&services.core, &viewer.tenant, after, first).await?)
}

/// Teams have no members yet, so a user's own contacts are all that the narrower scopes reach.
fn is_visible(viewer: &Viewer, scope: Scope, contact: &Contact) -> bool {
    match scope {
        Scope::All => true,
        Scope::Team | Scope::Own => contact.details.assignee == Some(viewer.agent()),
    }
}
