//! The one way a contact is changed: decided on what is there, written conditionally, and decided again when somebody was faster.

use switchboard_domain::change::Change;
use switchboard_domain::contact::Contact;
use switchboard_domain::status;
use switchboard_domain::suppression::{self, Suppression};
use switchboard_store::StoreError;
use switchboard_store::contacts::{self, After, Home, Move, Rewritten, Slot, StoredContact};
use switchboard_store::settings::Settings;
use switchboard_store::suppressions;
use switchboard_store::table::Part;
use switchboard_store::tenants::OpenTenant;

use super::create::taken;
use crate::error::{AppError, UserError};
use crate::services::Services;

/// What is to be done with a contact as it is now.
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub(super) enum Decision {
    /// Write this over it, and these parts with it.
    Write(Contact, Vec<Part>),
    /// Nothing; it already says so.
    Nothing,
    /// Nothing; a person can mend why.
    Refused(Vec<UserError>),
}

impl From<UserError> for Decision {
    fn from(error: UserError) -> Self {
        Self::Refused(vec![error])
    }
}

/// What became of it.
pub(super) enum Edited {
    /// The contact as it is now.
    Written(StoredContact),
    /// The contact as it was, and is.
    Unchanged(StoredContact),
    /// What a person can mend.
    Refused(Vec<UserError>),
}

impl Edited {
    /// The contact, or what a person can mend.
    pub(super) fn into_result(self) -> Result<Contact, Vec<UserError>> {
        match self {
            Self::Written(stored) | Self::Unchanged(stored) => Ok(stored.contact),
            Self::Refused(errors) => Err(errors),
        }
    }
}

/// Changes a contact by what `decide` says of it, which is asked again whenever the contact changed meanwhile. 1 request and 1 W and those of
/// the index entries that change; with a new number 3 or 4 R and a transaction; 1 R when its status comes to say that it must not be called.
pub(super) async fn edit(
    services: &Services,
    tenant: &OpenTenant,
    settings: &Settings,
    mut stored: StoredContact,
    decide: impl Fn(&StoredContact) -> Result<Decision, AppError>,
) -> Result<Edited, AppError> {
    let core = &services.core;
    for _ in 0..contacts::ATTEMPTS {
        let (mut contact, mut parts) = match decide(&stored)? {
            Decision::Write(contact, parts) => (contact, parts),
            Decision::Nothing => return Ok(Edited::Unchanged(stored)),
            Decision::Refused(errors) => return Ok(Edited::Refused(errors)),
        };
        let known = services.tenants.settings_knowing(&tenant.scope, settings, contact.details.status).await?;
        let settings = known.as_deref().unwrap_or(settings);
        parts.extend(suppress(services, tenant, settings, Some(&stored.contact), &mut contact).await?);
        let moves = moves(services, tenant, &stored, &contact).await?;
        let after = StoredContact { contact, placement: stored.placement.clone() };
        let home = Home { revision: stored.contact.record.revision, after: After::Contact(after.clone()) };
        let id = stored.contact.id.clone();
        match contacts::rewrite(core, tenant, settings, vec![home], &moves, parts, services.entropy.as_ref()).await? {
            Rewritten::Done => return Ok(Edited::Written(after)),
            Rewritten::Taken(existing) if existing.contact.id != id => return Ok(Edited::Refused(vec![taken(&existing.contact)])),
            Rewritten::Taken(_) | Rewritten::Changed => stored = contacts::get(core, tenant, &id).await?.ok_or(AppError::NotFound)?,
        }
    }
    Err(StoreError::Unavailable("a contact keeps changing".to_owned()).into())
}

/// How numbers change hands when a contact changes its own, and when one comes back whose number was freed. A number that came to it by a merge is its own already.
async fn moves(services: &Services, tenant: &OpenTenant, stored: &StoredContact, after: &Contact) -> Result<Vec<Move>, AppError> {
    let before = &stored.contact;
    let is_other = before.details.phone != after.details.phone;
    let comes_back = before.deleted_at.is_some() && after.deleted_at.is_none();
    if !is_other && !comes_back {
        return Ok(Vec::new());
    }
    let slot = tenant.keyring.slot(&after.details.phone);
    // Whose the number of its own home is, the contact says itself.
    let owner = if !is_other && slot == before.id {
        Slot::Contact(stored.clone()).owner()
    } else {
        contacts::slot(&services.core, tenant, &slot).await?.as_ref().and_then(Slot::owner)
    };
    let me = Some(before.id.clone());
    let mut moves = Vec::new();
    if is_other {
        moves.push(Move { slot: tenant.keyring.slot(&before.details.phone), from: me.clone(), to: None });
    }
    if owner != me {
        moves.push(Move { slot, from: None, to: me });
    }
    Ok(moves)
}

/// Says on a new or changed contact whether its number is suppressed, and gives the part that suppresses it when its status says that it must
/// not be called. 1 request and 1 R when the number is new or the status says so, else nothing.
pub(super) async fn suppress(
    services: &Services,
    tenant: &OpenTenant,
    settings: &Settings,
    before: Option<&Contact>,
    after: &mut Contact,
) -> Result<Option<Part>, AppError> {
    let must_not_be_called = settings.status(after.details.status).is_some_and(|status| status.code == status::DO_NOT_CALL);
    let is_new = before.is_none_or(|before| before.details.phone != after.details.phone);
    let was_said = before.is_some_and(|before| before.details.status == after.details.status);
    if !is_new && (!must_not_be_called || was_said) {
        return Ok(None);
    }
    let id = suppression::id_of(&tenant.keyring, &after.details.phone);
    let scope = &tenant.scope;
    let existing = suppressions::find(&services.core, scope, &id).await?;
    let in_force = existing.as_ref().is_some_and(Suppression::is_in_force);
    after.suppressed = in_force || must_not_be_called;
    if in_force || !must_not_be_called {
        return Ok(None);
    }
    // A reason is that of the contact's change, such as the version it goes back to.
    let change = Change { action: "suppression.added".to_owned(), reason: None, ..after.record.last_change.clone() };
    Ok(Some(match existing {
        None => {
            let slot = tenant.keyring.slot(&after.details.phone);
            suppressions::insert_part(scope, &Suppression::added(id, slot, None, STATUS_SOURCE.to_owned(), change))?
        }
        Some(before) => suppressions::replace_part(scope, &before.added_again(None, STATUS_SOURCE.to_owned(), change), before.record.revision)?,
    }))
}

/// The source of a suppression that came with the status `do_not_call`.
const STATUS_SOURCE: &str = "status";
