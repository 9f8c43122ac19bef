//! Events as the viewer may see them: sealed changes opened with the keys of the contacts they are about, their values masked for who may not see all
//! contacts.

use std::collections::HashMap;

use serde_json::Value;
use switchboard_domain::audit::{AuditEvent, Changes, FieldChange, Fields};
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_domain::sealing::ContactKey;
use switchboard_store::audit_events::StoredEvent;
use switchboard_store::contacts::{self, open_key};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, StoreError};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// What stands for a value that is not for the viewer to see.
pub const MASK: &str = "•••";

/// An event with its changes as the viewer may see them.
#[derive(Debug, Clone)]
pub struct EventView {
    /// The event as it is stored.
    pub stored: StoredEvent,
    /// Its changes; none when the key they were sealed with is gone.
    pub changes: Option<Vec<FieldChange>>,
    /// They are about a person whom the viewer may not see: the fields are named, [`MASK`] stands for their values.
    pub masked: bool,
}

/// Events as the viewer may see them, in their order. Who calls has asked for `audit:read`. 1 request per 100 contacts that sealed ones are about, 1 R
/// each, strongly consistent: what was erased is not shown.
///
/// # Errors
/// Those of the database.
pub async fn views(services: &Services, viewer: &Viewer, events: Vec<StoredEvent>) -> Result<Vec<EventView>, AppError> {
    let changes = opened(services, &viewer.tenant, &events).await?;
    let sees_all = sees_contacts(viewer);
    let view = |(stored, changes): (StoredEvent, Option<Vec<FieldChange>>)| {
        let masked = !sees_all && matches!(stored.event.changes, Changes::Sealed(_));
        let changes = if masked { changes.map(masked_changes) } else { changes };
        EventView { stored, changes, masked }
    };
    Ok(events.into_iter().zip(changes).map(view).collect())
}

/// Whether the viewer may see what events say about any contact.
pub(super) fn sees_contacts(viewer: &Viewer) -> bool {
    viewer.require_all(Permission::ContactRead).is_ok()
}

/// The changes of events, in their order; none where the key they were sealed with is gone. Requests and units as [`views`].
///
/// # Errors
/// Those of the database.
pub(crate) async fn opened(services: &Services, tenant: &OpenTenant, events: &[StoredEvent]) -> Result<Vec<Option<Vec<FieldChange>>>, AppError> {
    let mut ids: Vec<ContactId> = events.iter().filter_map(|stored| sealed_for(&stored.event)).collect();
    ids.sort();
    ids.dedup();
    let mut keys = HashMap::with_capacity(ids.len());
    if !ids.is_empty() {
        for stored in contacts::get_many(&services.core, tenant, &ids, Freshness::Strong).await? {
            let key = open_key(&tenant.keyring, &stored.contact.id, stored.wrapped_key())?;
            keys.insert(stored.contact.id, key);
        }
    }
    events.iter().map(|stored| Ok(open(&stored.event, &keys)?)).collect()
}

/// The contact under whose key an event's changes are sealed; none when they are in the clear.
fn sealed_for(event: &AuditEvent) -> Option<ContactId> {
    match &event.changes {
        Changes::Clear(_) => None,
        Changes::Sealed(_) => ContactId::parse(event.about.as_deref().unwrap_or(&event.entity_id)),
    }
}

fn open(event: &AuditEvent, keys: &HashMap<ContactId, ContactKey>) -> Result<Option<Vec<FieldChange>>, StoreError> {
    let sealed = match &event.changes {
        Changes::Clear(changes) => return Ok(Some(changes.clone())),
        Changes::Sealed(sealed) => sealed,
    };
    let (Some(contact), Some(version)) = (sealed_for(event), event.version()) else {
        return Ok(None);
    };
    let Some(key) = keys.get(&contact) else {
        return Ok(None);
    };
    let purpose = if event.about.is_some() { Changes::purpose_of_note(&event.entity_id, version) } else { Changes::purpose(version) };
    let Ok(json) = key.open(&contact, &purpose, sealed) else {
        return Ok(None);
    };
    serde_json::from_slice(&json).map(Some).map_err(|error| StoreError::undecodable("audit event", error))
}

/// The same changes without their values.
pub(super) fn masked_changes(changes: Vec<FieldChange>) -> Vec<FieldChange> {
    let mask = |value: Option<Value>| value.map(|_| Value::from(MASK));
    changes.into_iter().map(|change| FieldChange { old: mask(change.old), new: mask(change.new), field: change.field }).collect()
}

/// The same fields without their values.
pub(super) fn masked_fields(fields: Fields) -> Fields {
    fields.into_keys().map(|field| (field, Value::from(MASK))).collect()
}
