//! Erasing a person for good: the contact's key is destroyed, and with it everything that was written about them, the audit trail's values too.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::change::Change;
use switchboard_domain::contact::{Attributes, Contact, ContactDetails};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_domain::text;
use switchboard_store::StoreError;
use switchboard_store::contacts::{self, After, Home, Move, Rewritten, StoredContact};

use super::access::find;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Days for which the table can be restored to a point in time, as `infra/template.yaml` has it: until then a restored copy would hold the key.
pub const RECOVERY_DAYS: i64 = 35;
/// Longest reason, in characters.
const REASON_LENGTH: usize = 1_000;

/// What an erasure leaves to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Erasure {
    /// What is left of the contact: every personal value is empty.
    pub contact: Contact,
    /// When.
    pub erased_at: Timestamp,
    /// When no backup holds the key any more.
    pub complete_at: Timestamp,
}

/// Erases a contact and those merged into it, and frees their numbers; what the suppression list says stays. At once: the record, its key,
/// its places in lists. Within a second, by `contact-index`: search tokens and notes. 1 R for the contact, for each merged into it and for
/// each of their numbers; 1 W, or a transaction of 2 W for each record and each number that had another home, and those of the index entries that go.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:erase`, [`AppError::NotFound`]; those of the database. What a person can mend is in the inner result.
pub async fn erase(services: &Services, viewer: &Viewer, id: GivenId<ContactId>, reason: &str) -> Result<Result<Erasure, Vec<UserError>>, AppError> {
    let mut stored = find(services, viewer, Permission::ContactErase, &id).await?;
    let reason = match text::line("reason", reason, REASON_LENGTH) {
        Ok(Some(reason)) => reason,
        Ok(None) => return Ok(Err(vec![UserError::new("reason", FieldErrorCode::Blank, "reason is empty. Say why the person is erased, such as their request.")])),
        Err(error) => return Ok(Err(vec![error.into()])),
    };
    let core = &services.core;
    let tenant = &viewer.tenant;
    let change = Change::new("contact.erased", services.clock.now(), viewer.origin()).because(reason);
    for _ in 0..contacts::ATTEMPTS {
        // Looked at each time: a merge may have come between.
        if stored.contact.merged_into.is_some() {
            let message = "This contact was merged into another. Erase that one: both go together.";
            return Ok(Err(vec![UserError::new("id", FieldErrorCode::ForbiddenTransition, message)]));
        }
        let losers = contacts::merged_into(core, tenant, &stored.contact).await?;
        let all: Vec<&StoredContact> = std::iter::once(&stored).chain(&losers).collect();
        let homes = all.iter().map(|stored| Home { revision: stored.contact.record.revision, after: After::Erased(contacts::erased(stored, change.clone())) }).collect();
        let slots: HashSet<ContactId> = all.iter().map(|stored| tenant.keyring.slot(&stored.contact.details.phone)).collect();
        // A loser's number may have been given up since; only what is theirs is freed.
        let mut moves = Vec::new();
        for slot in slots {
            let owner = contacts::slot(core, tenant, &slot).await?.as_ref().and_then(contacts::Slot::owner);
            if owner.as_ref() == Some(&stored.contact.id) {
                moves.push(Move { slot, from: owner, to: None });
            }
        }
        match contacts::rewrite(core, tenant, &viewer.settings, homes, &moves, Vec::new(), services.entropy.as_ref()).await? {
            Rewritten::Done => {
                let complete_at = change.at.saturating_add(SignedDuration::from_hours(24 * RECOVERY_DAYS)).unwrap_or(Timestamp::MAX);
                return Ok(Ok(Erasure { erased_at: change.at, contact: emptied(stored.contact, change), complete_at }));
            }
            Rewritten::Changed | Rewritten::Taken(_) => stored = find(services, viewer, Permission::ContactErase, &id).await?,
        }
    }
    Err(StoreError::Unavailable("a contact keeps changing".to_owned()).into())
}

/// What may still be said of a contact after it was erased.
fn emptied(contact: Contact, change: Change) -> Contact {
    let details = ContactDetails {
        phone: String::new(),
        phone_extension: None,
        alternate_phones: Vec::new(),
        name: None,
        email: None,
        address: None,
        city: None,
        region: None,
        postal_code: None,
        country: None,
        source: None,
        attributes: Attributes::new(),
        assignee: None,
        team: None,
        next_contact_at: None,
        time_zone: contact.details.time_zone,
        status: contact.details.status,
    };
    Contact { deleted_at: Some(change.at), record: contact.record.changed(change), details, merged: Vec::new(), ..contact }
}
