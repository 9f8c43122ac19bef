//! Scoring one contact at once, because somebody asks for it.

use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_store::contacts::Slot;

use super::rescore::{Rescoring, rescore_found};
use crate::contacts::{check_live, find, opened};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// The name of the argument that names the contact.
const FIELD: &str = "contactId";

/// Scores a contact again, for who may change it. 1 request and 1 R; what [`super::rescore::rescore`] writes; and what [`opened`] costs.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:update`, [`AppError::NotFound`]; those of the database and of [`opened`]. What a person can mend is in the inner result.
pub async fn recalculate(services: &Services, viewer: &Viewer, contact: &ContactId) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    let stored = find(services, viewer, Permission::ContactUpdate, &Some(contact.clone())).await?;
    if let Err(error) = live(&stored.contact) {
        return Ok(Err(vec![error]));
    }
    let owner = (stored.contact.details.assignee, stored.contact.details.team);
    let (tenant, settings) = (viewer.tenant.as_ref(), viewer.settings.as_ref());
    let rescoring = rescore_found(services, tenant, settings, contact, Some(Slot::Contact(stored))).await?;
    match rescoring {
        Rescoring::Changed(contact) | Rescoring::Unchanged(contact) => {
            // Whose it became meanwhile decides who sees it.
            if (contact.details.assignee, contact.details.team) != owner {
                find(services, viewer, Permission::ContactUpdate, &Some(contact.id.clone())).await?;
            }
            // A score is technical: that somebody sees the contact is on record by nothing else.
            opened(services, viewer, &contact.id).await?;
            Ok(Ok(contact))
        }
        // Somebody was faster.
        Rescoring::Deleted => {
            let stored = find(services, viewer, Permission::ContactUpdate, &Some(contact.clone())).await?;
            Ok(live(&stored.contact).map(|()| stored.contact).map_err(|error| vec![error]))
        }
        Rescoring::Erased => Err(AppError::NotFound),
    }
}

fn live(contact: &Contact) -> Result<(), UserError> {
    check_live(contact).map_err(|mut error| {
        FIELD.clone_into(&mut error.error.field);
        error
    })
}
