//! The audit events of a record that is about nobody in particular: an agent, a team.

use switchboard_domain::audit::{Audited, Changes};
use switchboard_domain::permission::Permission;
use switchboard_store::Page;

use crate::contacts::EventView;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// The events of a record, newest first, those before version `before`. 1 request, half an R per started 4 KB of events.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; those of the database.
pub async fn history<T: Audited>(services: &Services, viewer: &Viewer, id: &str, before: Option<u32>, first: usize) -> Result<Page<EventView>, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let page = services.audit.of_record(&viewer.tenant.scope, T::ENTITY_TYPE, id, before, first).await?;
    let view = |stored: switchboard_store::audit_events::StoredEvent| {
        let changes = match &stored.event.changes {
            Changes::Clear(changes) => Some(changes.clone()),
            Changes::Sealed(_) => None,
        };
        EventView { stored, changes }
    };
    Ok(Page { entries: page.entries.into_iter().map(view).collect(), has_more: page.has_more })
}
