//! How two versions of a record differ.

use jiff::Timestamp;
use switchboard_domain::audit::{FieldChange, Fields, differences};
use switchboard_domain::permission::Permission;

use super::as_of::Trail;
use super::audited_id::AuditedId;
use super::view::{masked_changes, sees_contacts};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// How two versions differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Field by field in the order of their names.
    pub changes: Vec<FieldChange>,
    /// When the one was made; none of version 0.
    pub from_at: Option<Timestamp>,
    /// When the other was made, likewise.
    pub to_at: Option<Timestamp>,
}

/// What became of a record from one version to another, which may be the older; version 0 is that there was none. None when there is no such version, or when
/// the trail no longer tells it. Who may not see all contacts is told which fields of a contact or a note differ, and not their values. Requests and units as
/// [`super::as_of`].
///
/// # Errors
/// As [`super::as_of`].
pub async fn diff(services: &Services, viewer: &Viewer, record: &AuditedId, from: u32, to: u32) -> Result<Option<Difference>, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let trail = Trail::of(services, &viewer.tenant, record).await?;
    let at = |number: u32| match number {
        0 => Some((Fields::new(), None)),
        _ => trail.state(|version| version.version <= number).filter(|then| then.version == number).map(|then| (then.fields, Some(then.updated_at))),
    };
    let (Some((before, from_at)), Some((after, to_at))) = (at(from), at(to)) else {
        return Ok(None);
    };
    if from_at.is_none() && to_at.is_none() {
        return Ok(None);
    }
    let changes = differences(&before, &after);
    let changes = if record.is_personal() && !sees_contacts(viewer) { masked_changes(changes) } else { changes };
    Ok(Some(Difference { changes, from_at, to_at }))
}
