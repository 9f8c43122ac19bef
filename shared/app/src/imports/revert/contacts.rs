//! Contacts brought back.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use switchboard_domain::audit::Audited;
use switchboard_domain::contact::{Contact, RowWrite};
use switchboard_domain::ids::ContactId;
use switchboard_store::contacts::{self, Slot};
use switchboard_store::{Freshness, StoreError};

use super::history::{Finding, standing};
use super::task::{CHANGED, DELETED, GONE, NOT_ON_RECORD, Outcome, Report, Task};
use crate::contacts::{BringingBack, say_again, take_away};
use crate::error::AppError;

/// Contacts that are read in one request.
pub(super) const BATCH: usize = 100;
/// Contacts that are brought back at once.
const AT_ONCE: usize = 8;
/// Why a contact stays that was erased.
const ERASED: &str = "It was erased since.";
/// Why one stays that was merged.
const MERGED: &str = "It was merged into another contact since.";

/// Brings contacts back. 1 request and 1 R each that reads them; for one that the import made 1 request, 1 W, 2 for index 1 and 1 for index 2; for one that it changed
/// 1 request and half an R per started 4 KB of its events, and what changing a contact takes; for one that was changed since nothing.
pub(super) async fn bring_back(task: &Task<'_>, batch: &[(ContactId, Vec<Option<u32>>)], report: &mut Report) -> Result<(), AppError> {
    let ids: Vec<ContactId> = batch.iter().map(|(id, _)| id.clone()).collect();
    let mut found: HashMap<ContactId, Slot> = contacts::slots(&task.services.core, task.tenant, &ids, Freshness::Strong).await?.into_iter().collect();
    let work: Vec<(ContactId, Vec<Option<u32>>, Option<Slot>)> = batch.iter().map(|(id, versions)| (id.clone(), versions.clone(), found.remove(id))).collect();
    let outcomes = stream::iter(work).map(|(id, versions, slot)| async move {
        let outcome = one(task, &id, &versions, slot).await?;
        Ok::<_, AppError>((id, outcome))
    });
    let outcomes: Vec<(ContactId, Outcome)> = outcomes.buffered(AT_ONCE).try_collect().await?;
    for (id, outcome) in outcomes {
        report.note(Contact::ENTITY_TYPE, id, outcome);
    }
    Ok(())
}

/// Brings a contact back, of which rows of the piece made these versions, deciding again whenever somebody was faster.
async fn one(task: &Task<'_>, id: &ContactId, versions: &[Option<u32>], slot: Option<Slot>) -> Result<Outcome, AppError> {
    let (services, tenant) = (task.services, task.tenant);
    let mut slot = slot;
    for _ in 0..contacts::ATTEMPTS {
        let record = match &slot {
            Some(Slot::Contact(stored)) => &stored.contact.record,
            Some(Slot::Erased(erased)) => &erased.record,
            Some(Slot::Pointer(_)) | None => return Ok(Outcome::Kept(GONE)),
        };
        let found = standing(task, Contact::ENTITY_TYPE, id.as_str(), record).await?;
        let (before, changes) = match found {
            Finding::AsImported { before, changes } => (before, changes),
            Finding::BroughtBack(piece) => return Ok(task.brought_back(piece, task.undoing.made(record))),
            Finding::NotYet => return Ok(Outcome::NotYet),
            Finding::ChangedSince | Finding::NotOnRecord if is_elsewhere(task, versions, slot.as_ref()) => return Ok(Outcome::Elsewhere),
            Finding::ChangedSince => return Ok(Outcome::Kept(reason(slot.as_ref()))),
            Finding::NotOnRecord => return Ok(Outcome::Kept(NOT_ON_RECORD)),
        };
        let Some(Slot::Contact(stored)) = slot else {
            return Ok(Outcome::Kept(ERASED));
        };
        let brought_back = if before == 0 {
            let change = task.change("contact.deleted").because(super::REASON);
            if take_away(services, tenant, &task.settings, &stored, change).await? { BringingBack::Done } else { BringingBack::Changed }
        } else {
            let change = task.change("contact.reverted").because(format!("to version {before}"));
            say_again(services, tenant, &task.settings, stored, changes, change).await?
        };
        match brought_back {
            BringingBack::Done => {
                task.has_written();
                return Ok(task.brought_back(task.piece, before == 0));
            }
            BringingBack::Impossible(reason) => return Ok(Outcome::Kept(reason)),
            BringingBack::Changed => slot = contacts::slot(&services.core, tenant, id).await?,
        }
    }
    Err(StoreError::Unavailable("a contact keeps changing".to_owned()).into())
}

/// Whether a contact that stays is listed by another piece: rows of two pieces led to it, and the last of them, which the contact remembers, isn't of this one.
fn is_elsewhere(task: &Task<'_>, versions: &[Option<u32>], slot: Option<&Slot>) -> bool {
    let Some(Slot::Contact(stored)) = slot else {
        return false;
    };
    let last = stored.contact.import_marks.iter().find(|mark| task.undoing.is_of(mark.import)).and_then(|mark| match mark.written {
        RowWrite::Created => Some(1),
        RowWrite::Updated => mark.version,
    });
    last.is_some_and(|last| versions.iter().all(|version| version.is_some_and(|version| version != last)))
}

fn reason(slot: Option<&Slot>) -> &'static str {
    match slot {
        Some(Slot::Erased(_)) => ERASED,
        Some(Slot::Contact(stored)) if stored.contact.merged_into.is_some() => MERGED,
        Some(Slot::Contact(stored)) if stored.contact.deleted_at.is_some() => DELETED,
        Some(Slot::Contact(_)) => CHANGED,
        Some(Slot::Pointer(_)) | None => GONE,
    }
}
