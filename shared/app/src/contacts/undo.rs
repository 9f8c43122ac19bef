//! What an import did to a contact, taken back: a contact that it made is deleted and gives its number free, any other says again what it said before.

use jiff::Timestamp;
use switchboard_domain::audit::{Audited, Changes, undo, value_of};
use switchboard_domain::change::Change;
use switchboard_domain::contact::{Contact, ContactDetails};
use switchboard_store::contacts::{self, After, Home, Move, Rewritten, Slot, StoredContact, open_key};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;

use super::access::{check_owner, live_status};
use super::delete::deleted;
use super::edit::{Decision, Edited, edit};
use super::revert::unsealed;
use crate::audit::revert::unreadable;
use crate::error::AppError;
use crate::services::Services;

/// What became of bringing a contact back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BringingBack {
    /// It is as it was.
    Done,
    /// Somebody was faster: it is to be decided on as it is now.
    Changed,
    /// It can't be as it was; why.
    Impossible(&'static str),
}

/// Deletes a contact, and gives its number free: who creates or imports the number next makes a new contact of it. False when somebody was faster. 1 request, 1 W, 2
/// for index 1 and 1 for index 2; when its home isn't its number's slot 1 R more, and a transaction.
///
/// # Errors
/// Those of the database.
pub(crate) async fn take_away(services: &Services, tenant: &OpenTenant, settings: &Settings, stored: &StoredContact, change: Change) -> Result<bool, AppError> {
    let contact = &stored.contact;
    let slot = tenant.keyring.slot(&contact.details.phone);
    let me = Some(contact.id.clone());
    let owner =
        if slot == contact.id { Slot::Contact(stored.clone()).owner() } else { contacts::slot(&services.core, tenant, &slot).await?.as_ref().and_then(Slot::owner) };
    let moves: Vec<Move> = if owner == me { vec![Move { slot, from: me, to: None }] } else { Vec::new() };
    let after = StoredContact { contact: deleted(contact, change), placement: stored.placement.clone() };
    let home = Home { revision: contact.record.revision, after: After::Contact(after) };
    let newer = services.tenants.settings_knowing(&tenant.scope, settings, contact.details.status).await?;
    let settings = newer.as_deref().unwrap_or(settings);
    let written = contacts::rewrite(&services.core, tenant, settings, vec![home], &moves, Vec::new(), services.entropy.as_ref()).await?;
    Ok(written == Rewritten::Done)
}

/// Makes a contact say what it said before these changes, the newest first, as far as that can be said: deleted again when it was deleted, with all it had. As a change
/// of the contact; 1 request more for whose it was, up to 2 R.
///
/// # Errors
/// Those of the database; [`AppError::Broken`] when its history can't be read.
pub(crate) async fn say_again(
    services: &Services,
    tenant: &OpenTenant,
    settings: &Settings,
    stored: StoredContact,
    changes: Vec<(u32, Changes)>,
    change: Change,
) -> Result<BringingBack, AppError> {
    let now = &stored.contact;
    let key = open_key(&tenant.keyring, &now.id, stored.wrapped_key())?;
    let mut fields = now.audit_fields();
    for (version, changes) in changes {
        undo(&mut fields, unsealed(&now.id, &key, version, changes)?);
    }
    let then = ContactDetails::from_fields(&fields, &now.details, &tenant.defaults()).ok_or_else(unreadable)?;
    let deleted_at: Option<Timestamp> = value_of(&fields, "deletedAt").ok_or_else(unreadable)?;
    let newer = services.tenants.settings_knowing(&tenant.scope, settings, then.status).await?;
    let settings = newer.as_deref().unwrap_or(settings);
    // What is deleted keeps whatever it had; who restores it looks whether that is still there.
    if deleted_at.is_none() {
        if then.status != now.details.status && live_status(settings, Some(then.status)).is_err() {
            return Ok(BringingBack::Impossible("The status that it had was deleted since."));
        }
        let is_given = (then.assignee, then.team) != (now.details.assignee, now.details.team);
        if is_given && check_owner(services, tenant, then.assignee.map(Some), then.team.map(Some)).await?.is_err() {
            return Ok(BringingBack::Impossible("Whose it was is no longer there."));
        }
    }
    let version = now.record.version;
    let decide = |stored: &StoredContact| {
        let contact = &stored.contact;
        if contact.record.version != version {
            return Ok(Decision::Nothing);
        }
        let record = contact.record.changed(change.clone());
        Ok(Decision::Write(Contact { record, details: then.clone(), deleted_at, ..contact.clone() }, Vec::new()))
    };
    Ok(match edit(services, tenant, settings, stored, decide).await {
        Ok(Edited::Written(_)) => BringingBack::Done,
        Ok(Edited::Unchanged(_)) | Err(AppError::NotFound) => BringingBack::Changed,
        Ok(Edited::Refused(_)) => BringingBack::Impossible("Its number is another contact's by now."),
        Err(error) => return Err(error),
    })
}
