//! Putting on record that somebody opened a contact, where the organisation asks for it.

use switchboard_domain::audit::{Audited, Outcome};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;

use super::edit::Edited;
use crate::audit::{Access, AccessAction};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Puts on record that the viewer opens a contact, which is shown to them afterwards; nothing when their organisation doesn't ask for it. Then 1 request and
/// 3 W, once a minute for each user and contact.
///
/// # Errors
/// [`AppError::Unavailable`] when it can't be recorded: then the contact isn't shown.
pub async fn opened(services: &Services, viewer: &Viewer, id: &ContactId) -> Result<(), AppError> {
    if !viewer.tenant.record.record_contact_views {
        return Ok(());
    }
    let (action, outcome, details) = (AccessAction::ContactViewed, Outcome::Success, Vec::new());
    let access = Access { action, outcome, entity_type: Contact::ENTITY_TYPE, entity_id: id.as_str(), details, origin: viewer.origin() };
    services.access.require(services, &viewer.tenant, access).await
}

/// What a mutation shows of a contact. A change is on record by itself; where there was nothing to change, the contact was opened by asking for it.
///
/// # Errors
/// As [`opened`].
pub(super) async fn shown(services: &Services, viewer: &Viewer, edited: Edited) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    if let Edited::Unchanged(stored) = &edited {
        opened(services, viewer, &stored.contact.id).await?;
    }
    Ok(edited.into_result())
}
