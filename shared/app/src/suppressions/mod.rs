//! The suppression list: numbers put on it and taken off, and the mark that the contact at a number carries of it.
//!
//! The entry decides, and is written first; the contact's mark follows it, so that lists and the calling order show it. A process that dies in between
//! leaves the contact marked as it was. The same request again mends that, whatever it answers; so does the index of contacts, which compares
//! mark and list whenever a contact changes. The mark is therefore no proof: who is about to call must ask the list.

mod add;
mod list;
mod remove;

pub use add::{AddSuppression, AddedSuppression, add};
pub use list::{by_phone, get, list};
pub use remove::{RemoveSuppression, remove};

use switchboard_domain::ids::ContactId;
use switchboard_domain::suppression::{self, Suppression};
use switchboard_store::{StoreError, contacts};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// How often an entry that keeps changing is decided on anew.
const ATTEMPTS: usize = 5;

/// Marks the contact whose number it is by whether that stands on the list, unless another of its numbers is the one that it is called at. The
/// contact, if there is one. 1 request and 1 R, once more when the number changed hands; and what [`contacts::set_suppressed`] takes when the mark
/// was another.
async fn mark(services: &Services, viewer: &Viewer, entry: &Suppression) -> Result<Option<ContactId>, AppError> {
    let (core, tenant) = (&services.core, &viewer.tenant);
    let mut owners = contacts::owners_of_slots(core, tenant, std::slice::from_ref(&entry.slot)).await?;
    let Some(owner) = owners.remove(&entry.slot).flatten().map(|stored| stored.contact) else {
        return Ok(None);
    };
    // A number that came to a contact by a merge is another of its numbers.
    let is_called_there = suppression::id_of(&tenant.keyring, &owner.details.phone) == entry.id;
    if is_called_there && owner.suppressed != entry.is_in_force() {
        let settings = services.tenants.settings(&tenant.scope).await?;
        let newer = services.tenants.settings_knowing(&tenant.scope, &settings, owner.details.status).await?;
        contacts::set_suppressed(core, tenant, newer.as_ref().unwrap_or(&settings), &owner.id, entry.is_in_force(), services.entropy.as_ref()).await?;
    }
    Ok(Some(owner.id))
}

fn busy() -> AppError {
    StoreError::Unavailable("the entry of a number keeps changing".to_owned()).into()
}
