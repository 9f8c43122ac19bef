//! What a record said at an earlier version: what it says now, with the changes since then taken back.
//!
//! So nothing is asked of the trail but these changes. Those before may have left the table, and a field that was put on record only later keeps its value.

use jiff::SignedDuration;
use switchboard_domain::audit::{Audited, Changes, FieldChange, Fields, undo};
use switchboard_domain::change::Revisioned;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::tenant_settings::RETENTIONS;

use super::Versions;
use crate::error::{AppError, UserError};
use crate::people::version_check;
use crate::services::Services;
use crate::viewer::Viewer;

/// Events read at once.
const PART: usize = 100;

/// What a record said.
pub(crate) enum Then {
    /// What it says now: that is its version.
    Now,
    /// These were its audited fields.
    Said(Fields),
    /// It isn't known; a person can mend why.
    Refused(UserError),
}

/// What a record, which is at the version that the client read, said at another. Who calls has asked for what changing the record needs. No request when it is
/// the same version; else 1 per 100 versions since, half an R per started 4 KB of their events.
///
/// # Errors
/// [`AppError::Unavailable`] while its newest change isn't on record yet, about a second; those of the database and of `opened`, which opens the changes of a
/// version.
pub(crate) async fn said_at<T: Audited>(
    services: &Services,
    viewer: &Viewer,
    (record, id, revisioned): (&T, &str, &Revisioned),
    versions: Versions,
    opened: impl Fn(u32, Changes) -> Result<Vec<FieldChange>, AppError>,
) -> Result<Then, AppError> {
    let present = revisioned.version;
    if let Err(error) = version_check(present, versions.expected) {
        return Ok(Then::Refused(error));
    }
    let Some(to) = u32::try_from(versions.to).ok().filter(|to| (1..=present).contains(to)) else {
        let message = format!("The record has the versions 1 to {present}. Give one of them.");
        return Ok(Then::Refused(UserError::new("toVersion", FieldErrorCode::NotFound, message)));
    };
    if to == present {
        return Ok(Then::Now);
    }
    let mut fields = record.audit_fields();
    let mut version = present;
    while version > to {
        let first = usize::try_from(version - to).unwrap_or(PART).min(PART);
        let page = services.audit.of_record(&viewer.tenant.scope, T::ENTITY_TYPE, id, version.checked_add(1), first).await?;
        let before = version;
        for stored in page.entries {
            if version == to || stored.event.version() != Some(version) {
                break;
            }
            undo(&mut fields, opened(version, stored.event.changes)?);
            version -= 1;
        }
        if version == before {
            return missing(services, revisioned, version, to);
        }
    }
    Ok(Then::Said(fields))
}

/// What is said when the change that made a version isn't there: the newest may not be on record yet, all others were there and have left.
fn missing(services: &Services, revisioned: &Revisioned, version: u32, to: u32) -> Result<Then, AppError> {
    let shortest = SignedDuration::from_hours(24 * i64::from(RETENTIONS.0));
    if version == revisioned.version && services.clock.now().duration_since(revisioned.updated_at()) < shortest {
        return Err(AppError::Unavailable("the newest change of a record is not in its audit trail yet"));
    }
    let message = format!("What version {to} said isn't kept any more: events stay as long as the organisation's retentionDays say. Give a later version.");
    Ok(Then::Refused(UserError::new("toVersion", FieldErrorCode::NotFound, message)))
}

/// The changes of a record that is about nobody, which are in the clear.
pub(crate) fn in_the_clear(_: u32, changes: Changes) -> Result<Vec<FieldChange>, AppError> {
    match changes {
        Changes::Clear(changes) => Ok(changes),
        Changes::Sealed(_) => Err(AppError::Broken("an event of a record that is about nobody is sealed".to_owned())),
    }
}
