//! The audit events of a contact, opened for those who may see them.

use switchboard_domain::audit::{Audited, Changes, FieldChange};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_store::audit_events::StoredEvent;
use switchboard_store::contacts::{self, open_key};
use switchboard_store::{Page, StoreError};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// An event with its changes readable.
#[derive(Debug, Clone)]
pub struct EventView {
    /// The event as it is stored.
    pub stored: StoredEvent,
    /// Its changes; none when the key they were sealed with is gone.
    pub changes: Option<Vec<FieldChange>>,
}

/// The events of a contact, newest first, those before version `before`. 2 requests: 1 R for the contact's key, half an R per started 4 KB of
/// events.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; those of the database.
pub async fn history(services: &Services, viewer: &Viewer, id: &ContactId, before: Option<u32>, first: usize) -> Result<Page<EventView>, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let page = services.audit.of_record(&viewer.tenant.scope, Contact::ENTITY_TYPE, id.as_str(), before, first).await?;
    let contact = contacts::get(&services.core, &viewer.tenant, id).await?;
    let key = contact.map(|stored| open_key(&viewer.tenant.keyring, id, stored.wrapped_key())).transpose()?;
    let mut entries = Vec::with_capacity(page.entries.len());
    for stored in page.entries {
        let changes = match &stored.event.changes {
            Changes::Clear(changes) => Some(changes.clone()),
            Changes::Sealed(sealed) => {
                let opened = key.as_ref().and_then(|key| key.open(id, &Changes::purpose(stored.event.version), sealed).ok());
                opened.map(|json| serde_json::from_slice(&json)).transpose().map_err(|error| StoreError::undecodable("audit event", error))?
            }
        };
        entries.push(EventView { stored, changes });
    }
    Ok(Page { entries, has_more: page.has_more })
}
