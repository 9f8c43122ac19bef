//! Entries of the suppression list brought back: those that the import added are taken off, others say again what they said.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use switchboard_domain::audit::{Audited, Changes, undo, value_of};
use switchboard_domain::ids::{ContactId, SuppressionId};
use switchboard_domain::status;
use switchboard_domain::suppression::{self, Suppression};
use switchboard_store::{StoreError, contacts, suppressions};

use super::history::{Finding, standing};
use super::task::{CHANGED, DELETED, GONE, NOT_ON_RECORD, Outcome, Report, Task};
use crate::audit::revert::{in_the_clear, unreadable};
use crate::error::AppError;

/// Entries that are read in one request.
pub(super) const BATCH: usize = 100;
/// Entries that are brought back at once.
const AT_ONCE: usize = 8;
/// How often an entry that keeps changing is decided on anew.
const ATTEMPTS: usize = 5;
/// Why an entry stays whose number somebody asked not to be called at. It was on the list by then, so that this left no version of it.
const MUST_NOT_BE_CALLED: &str = "The contact at the number has a status that says it must not be called.";

/// Brings entries back. 2 requests and 2 R each that read them and the contacts at their numbers; 1 request, 1 W and 1 for index 1, and 1 request and 1 R for the
/// contact's mark; for one that the import changed 1 request more and half an R per started 4 KB of its events.
pub(super) async fn bring_back(task: &Task<'_>, batch: &[SuppressionId], report: &mut Report) -> Result<(), AppError> {
    let mut found: HashMap<SuppressionId, Suppression> = suppressions::entries(&task.services.core, &task.tenant.scope, batch).await?;
    let places: Vec<ContactId> = found.values().map(|entry| entry.slot.clone()).collect();
    let owners = contacts::owners_of_slots(&task.services.core, task.tenant, &places).await?;
    let must_not_be_called = task.settings.status_by_code(status::DO_NOT_CALL).map(|status| status.id);
    let work = batch.iter().map(|id| {
        let entry = found.remove(id);
        let owner = entry.as_ref().and_then(|entry| owners.get(&entry.slot)?.as_ref());
        let stays = owner.is_some_and(|stored| Some(stored.contact.details.status) == must_not_be_called);
        (id.clone(), entry, stays)
    });
    let work: Vec<(SuppressionId, Option<Suppression>, bool)> = work.collect();
    let outcomes = stream::iter(work).map(|(id, entry, stays)| async move {
        let outcome = one(task, &id, entry, stays).await?;
        Ok::<_, AppError>((id, outcome))
    });
    let outcomes: Vec<(SuppressionId, Outcome)> = outcomes.buffered(AT_ONCE).try_collect().await?;
    for (id, outcome) in outcomes {
        report.note(Suppression::ENTITY_TYPE, id, outcome);
    }
    Ok(())
}

/// Brings an entry back, deciding again whenever somebody was faster. One that `stays` on the list isn't taken off it.
async fn one(task: &Task<'_>, id: &SuppressionId, entry: Option<Suppression>, stays: bool) -> Result<Outcome, AppError> {
    let (core, scope) = (&task.services.core, &task.tenant.scope);
    let mut entry = entry;
    for _ in 0..ATTEMPTS {
        let Some(existing) = entry else {
            return Ok(Outcome::Kept(GONE));
        };
        let (before, changes) = match standing(task, Suppression::ENTITY_TYPE, id.as_str(), &existing.record).await? {
            Finding::AsImported { before, changes } => (before, changes),
            Finding::BroughtBack(piece) => {
                // Whoever wrote it may have died before the contact followed.
                mark(task, &existing).await?;
                return Ok(task.brought_back(piece, task.undoing.made(&existing.record)));
            }
            Finding::NotYet => return Ok(Outcome::NotYet),
            Finding::ChangedSince => return Ok(Outcome::Kept(if existing.is_in_force() { CHANGED } else { DELETED })),
            Finding::NotOnRecord => return Ok(Outcome::Kept(NOT_ON_RECORD)),
        };
        let after = if before == 0 {
            match existing.removed("id", super::REASON.to_owned(), task.change("suppression.removed")) {
                Ok(removed) => removed,
                Err(_) => return Ok(Outcome::Kept(DELETED)),
            }
        } else {
            said_before(task, &existing, before, changes)?
        };
        if stays && !after.is_in_force() {
            return Ok(Outcome::Kept(MUST_NOT_BE_CALLED));
        }
        if suppressions::write(core, scope, &after, Some(existing.record.revision), Vec::new()).await? {
            task.has_written();
            mark(task, &after).await?;
            return Ok(task.brought_back(task.piece, before == 0));
        }
        entry = suppressions::find(core, scope, id).await?;
    }
    Err(StoreError::Unavailable("the entry of a number keeps changing".to_owned()).into())
}

/// The entry as it was before these changes, the newest first.
fn said_before(task: &Task<'_>, entry: &Suppression, before: u32, changes: Vec<(u32, Changes)>) -> Result<Suppression, AppError> {
    let mut fields = entry.audit_fields();
    for (version, changes) in changes {
        undo(&mut fields, in_the_clear(version, changes)?);
    }
    let change = task.change("suppression.reverted").because(format!("to version {before}"));
    Ok(Suppression {
        reason: value_of(&fields, "reason").ok_or_else(unreadable)?,
        source: value_of(&fields, "source").flatten().ok_or_else(unreadable)?,
        listed_at: value_of::<Date>(&fields, "listedAt").ok_or_else(unreadable)?,
        removed_at: value_of::<Timestamp>(&fields, "removedAt").ok_or_else(unreadable)?,
        record: entry.record.changed(change),
        ..entry.clone()
    })
}

/// Marks the contact that is called at an entry's number by whether that must not be called. 1 request and 1 R, and what the mark takes when it was another.
async fn mark(task: &Task<'_>, entry: &Suppression) -> Result<(), AppError> {
    let (services, tenant) = (task.services, task.tenant);
    let mut owners = contacts::owners_of_slots(&services.core, tenant, std::slice::from_ref(&entry.slot)).await?;
    let Some(contact) = owners.remove(&entry.slot).flatten().map(|stored| stored.contact) else {
        return Ok(());
    };
    // A number that came to a contact by a merge is another of its numbers.
    let is_called_there = suppression::id_of(&tenant.keyring, &contact.details.phone) == entry.id;
    if is_called_there && contact.suppressed != entry.is_in_force() {
        let newer = services.tenants.settings_knowing(&tenant.scope, &task.settings, contact.details.status).await?;
        let settings = newer.as_ref().unwrap_or(&task.settings);
        contacts::set_suppressed(&services.core, tenant, settings, &contact.id, entry.is_in_force(), services.entropy.as_ref()).await?;
    }
    Ok(())
}
