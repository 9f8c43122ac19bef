//! Making one contact of two, and two of one again while neither changed.

use std::sync::Arc;

use switchboard_domain::change::Change;
use switchboard_domain::contact::{self, Contact, MAX_MERGED, MergeField, Unmerge};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_store::StoreError;
use switchboard_store::contacts::{self, After, Home, Move, Rewritten, Slot, StoredContact};
use switchboard_store::settings::Settings;

use super::access::{check_live, check_version, find};
use super::delete::{is_owner_there, status_of_returned};
use super::edit::suppress;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Which contacts are to be one.
#[derive(Debug, Clone, Default)]
pub struct MergeContacts {
    /// The one that stays.
    pub winner: GivenId<ContactId>,
    /// The one that becomes a tombstone pointing to it.
    pub loser: GivenId<ContactId>,
    /// The winner's version the client read, when that matters to it.
    pub expected_version: Option<i32>,
    /// The loser's.
    pub loser_expected_version: Option<i32>,
    /// What the winner takes over although it has its own.
    pub from_loser: Vec<MergeField>,
}

/// Merges two contacts. The loser's numbers become the winner's: whoever calls up or creates one of them finds the winner. 3 requests or more: 2 R,
/// 1 R for each number that changes hands, and a transaction of 2 W for each record and number and those of the index entries that change.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:merge`, [`AppError::NotFound`]; those of the database. What a person can mend is in the inner result.
pub async fn merge(services: &Services, viewer: &Viewer, request: MergeContacts) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    let core = &services.core;
    let tenant = &viewer.tenant;
    for _ in 0..contacts::ATTEMPTS {
        let winner = find(services, viewer, Permission::ContactMerge, &request.winner).await?;
        let loser = find(services, viewer, Permission::ContactMerge, &request.loser).await?;
        if let Err(error) = check(&winner.contact, &loser.contact, &request) {
            return Ok(Err(vec![error]));
        }
        let details = match contact::merge(&winner.contact.details, &loser.contact.details, &request.from_loser) {
            Ok(details) => details,
            Err(error) => return Ok(Err(vec![error.into()])),
        };
        let change = Change::new("contact.merged", services.clock.now(), viewer.origin());
        let mut after = winner.clone();
        after.contact.details = details;
        after.contact.record = winner.contact.record.changed(change.clone());
        after.contact.merged.extend(std::iter::once(loser.contact.id.clone()).chain(loser.contact.merged.iter().cloned()));
        let mut gone = loser.clone();
        gone.contact.deleted_at = Some(change.at);
        gone.contact.record = loser.contact.record.changed(change);
        gone.contact.merged_into = Some(winner.contact.id.clone());
        gone.contact.unmerge = Some(Box::new(Unmerge {
            winner_before: winner.contact.details.clone(),
            winner_version: after.contact.record.version,
            loser_version: gone.contact.record.version,
        }));
        let settings = settings_for(services, viewer, &[&after, &gone]).await?;
        let part = suppress(services, tenant, &settings, Some(&winner.contact), &mut after.contact).await?;
        let moves = moves(services, viewer, &loser, &loser.contact.id, &winner.contact.id).await?;
        let homes = vec![home(&winner, &after), home(&loser, &gone)];
        match contacts::rewrite(core, tenant, &settings, homes, &moves, part.into_iter().collect(), services.entropy.as_ref()).await? {
            Rewritten::Done => return Ok(Ok(after.contact)),
            Rewritten::Changed | Rewritten::Taken(_) => {}
        }
    }
    Err(StoreError::Unavailable("the contacts keep changing".to_owned()).into())
}

fn check(winner: &Contact, loser: &Contact, request: &MergeContacts) -> Result<(), UserError> {
    let of = |field: &'static str, result: Result<(), UserError>| {
        result.map_err(|mut error| {
            field.clone_into(&mut error.error.field);
            error
        })
    };
    if winner.id == loser.id {
        return Err(UserError::new("loserId", FieldErrorCode::Invalid, "A contact can't be merged into itself. Give two ids."));
    }
    of("winnerId", check_live(winner))?;
    of("loserId", check_live(loser))?;
    check_version(winner, request.expected_version)?;
    of("loserExpectedVersion", check_version(loser, request.loser_expected_version))?;
    if winner.merged.len() + loser.merged.len() + 1 > MAX_MERGED {
        let message = format!("Together more than {MAX_MERGED} contacts were merged into these two. Leave them apart.");
        return Err(UserError::new("loserId", FieldErrorCode::LimitExceeded, message));
    }
    Ok(())
}

/// The tenant's settings, which know the statuses of these contacts.
async fn settings_for(services: &Services, viewer: &Viewer, contacts: &[&StoredContact]) -> Result<Arc<Settings>, AppError> {
    let mut settings = Arc::clone(&viewer.settings);
    for stored in contacts {
        let newer = services.tenants.settings_knowing(&viewer.tenant.scope, &settings, stored.contact.details.status).await?;
        settings = newer.unwrap_or(settings);
    }
    Ok(settings)
}

fn home(before: &StoredContact, after: &StoredContact) -> Home {
    Home { revision: before.contact.record.revision, after: After::Contact(after.clone()) }
}

/// The numbers that came with `of`, its own and those of the contacts merged into it, on their way from one owner to another.
async fn moves(services: &Services, viewer: &Viewer, of: &StoredContact, from: &ContactId, to: &ContactId) -> Result<Vec<Move>, AppError> {
    let core = &services.core;
    let tenant = &viewer.tenant;
    let losers = contacts::merged_into(core, tenant, &of.contact).await?;
    let from = Some(from.clone());
    let mut moves = vec![Move { slot: tenant.keyring.slot(&of.contact.details.phone), from: from.clone(), to: Some(to.clone()) }];
    for loser in losers {
        let slot = tenant.keyring.slot(&loser.contact.details.phone);
        let owner = contacts::slot(core, tenant, &slot).await?.as_ref().and_then(Slot::owner);
        if owner == from && moves.iter().all(|moved| moved.slot != slot) {
            moves.push(Move { slot, from: from.clone(), to: Some(to.clone()) });
        }
    }
    Ok(moves)
}

/// Makes two contacts of one again, each as it was before the merge, unless one of them changed since; when whose the loser was is no longer there it becomes
/// nobody's. Requests and units as [`merge`], and 1 request more for whose the loser is, up to 2 R.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:merge`, [`AppError::NotFound`]; those of the database. What a person can mend is in the inner result.
pub async fn unmerge(services: &Services, viewer: &Viewer, loser: GivenId<ContactId>) -> Result<Result<(Contact, Contact), Vec<UserError>>, AppError> {
    let core = &services.core;
    let tenant = &viewer.tenant;
    let refused = |code, message: &str| Ok(Err(vec![UserError::new("loserId", code, message)]));
    for _ in 0..contacts::ATTEMPTS {
        let gone = find(services, viewer, Permission::ContactMerge, &loser).await?;
        let (Some(winner), Some(before)) = (gone.contact.merged_into.clone(), gone.contact.unmerge.clone()) else {
            return refused(FieldErrorCode::ForbiddenTransition, "This contact wasn't merged into another. There is nothing to undo.");
        };
        let merged = find(services, viewer, Permission::ContactMerge, &Some(winner)).await?;
        if merged.contact.record.version != before.winner_version || gone.contact.record.version != before.loser_version {
            return refused(FieldErrorCode::Conflict, "One of the two changed since they were merged. Change them by hand instead.");
        }
        let change = Change::new("contact.unmerged", services.clock.now(), viewer.origin());
        let mut back = gone.clone();
        back.contact.deleted_at = None;
        back.contact.merged_into = None;
        back.contact.unmerge = None;
        back.contact.record = gone.contact.record.changed(change.clone());
        let mut after = merged.clone();
        after.contact.details = before.winner_before;
        after.contact.record = merged.contact.record.changed(change);
        after.contact.merged.retain(|id| *id != gone.contact.id && !gone.contact.merged.contains(id));
        let settings = settings_for(services, viewer, &[&after, &back]).await?;
        for returned in [&mut after, &mut back] {
            returned.contact.details.status = status_of_returned(&settings, returned.contact.details.status);
        }
        if !is_owner_there(services, tenant, &back.contact.details).await? {
            (back.contact.details.assignee, back.contact.details.team) = (None, None);
        }
        let moves = moves(services, viewer, &gone, &merged.contact.id, &gone.contact.id).await?;
        let homes = vec![home(&merged, &after), home(&gone, &back)];
        match contacts::rewrite(core, tenant, &settings, homes, &moves, Vec::new(), services.entropy.as_ref()).await? {
            Rewritten::Done => return Ok(Ok((after.contact, back.contact))),
            Rewritten::Changed | Rewritten::Taken(_) => {}
        }
    }
    Err(StoreError::Unavailable("the contacts keep changing".to_owned()).into())
}
