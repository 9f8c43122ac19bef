//! Bringing a contact back to what it said at an earlier version.

use switchboard_domain::audit::{Changes, FieldChange};
use switchboard_domain::contact::{Contact, ContactDetails, ContactPatch};
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_domain::sealing::ContactKey;
use switchboard_store::StoreError;
use switchboard_store::contacts::{StoredContact, open_key};

use super::access::{also, check_live, check_owner, check_version, concealed, find, live_status, settings};
use super::edit::{Decision, edit};
use super::opened::{opened, shown};
use crate::audit::revert::{Then, Versions, said_at, unreadable};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// The mutation by which single values can be given.
const UPDATE: &str = "contactUpdate";

/// Gives a contact all that it said, its number, status and owner included: as far as the number is free or its own, the status can be given, and the owner is
/// there. As `update`, and what `said_at` costs.
///
/// # Errors
/// As `update`: `contact:set_status` and `contact:assign` are needed where status and owner differ. What a person can mend is in the inner result; of a
/// deleted or merged contact `FORBIDDEN_TRANSITION`.
pub(crate) async fn revert(services: &Services, viewer: &Viewer, id: ContactId, versions: Versions) -> Result<Result<Contact, Vec<UserError>>, AppError> {
    let stored = find(services, viewer, Permission::ContactUpdate, &Some(id)).await?;
    let (tenant, contact) = (&viewer.tenant, &stored.contact);
    if let Err(error) = check_live(contact) {
        return Ok(Err(vec![error]));
    }
    let key = open_key(&tenant.keyring, &contact.id, stored.wrapped_key())?;
    let record = (contact, contact.id.as_str(), &contact.record);
    let said = match said_at(services, viewer, record, versions, |version, changes| unsealed(&contact.id, &key, version, changes)).await? {
        Then::Now => {
            opened(services, viewer, &contact.id).await?;
            return Ok(Ok(stored.contact));
        }
        Then::Said(fields) => fields,
        Then::Refused(error) => return Ok(Err(vec![error])),
    };
    let then = ContactDetails::from_fields(&said, &contact.details, &tenant.defaults()).ok_or_else(unreadable)?;
    let other_status = then.status != contact.details.status;
    let other_owner = (then.assignee, then.team) != (contact.details.assignee, contact.details.team);
    if other_status {
        also(viewer, Permission::ContactSetStatus, contact)?;
    }
    if other_owner {
        also(viewer, Permission::ContactAssign, contact)?;
    }
    let settings = settings(services, viewer, other_status.then_some(then.status)).await?;
    let mut errors: Vec<UserError> = Vec::new();
    let applied = ContactPatch::between(&contact.details, &then).apply(&contact.details, &tenant.defaults());
    let applied = applied.map_err(|refused| errors.extend(refused.into_iter().map(UserError::from))).ok();
    if other_status {
        errors.extend(live_status(&settings, Some(then.status)).err());
    }
    if other_owner {
        errors.extend(check_owner(services, tenant, then.assignee.map(Some), then.team.map(Some)).await?.err());
    }
    let (Some(applied), true) = (applied, errors.is_empty()) else {
        return Ok(Err(versions.told(errors, UPDATE)));
    };
    let ContactDetails { time_zone, status, assignee, team, .. } = then;
    let details = ContactDetails { time_zone, status, assignee, team, ..applied };
    let change = versions.change(services, viewer, "contact.reverted");
    let decide = |stored: &StoredContact| {
        let contact = &stored.contact;
        // What it says is what it said when it was read, as long as it is at that version.
        if let Err(error) = check_live(contact).and_then(|()| check_version(contact, Some(versions.expected))) {
            return Ok(error.into());
        }
        if details == contact.details {
            return Ok(Decision::Nothing);
        }
        Ok(Decision::Write(Contact { record: contact.record.changed(change.clone()), details: details.clone(), ..contact.clone() }, Vec::new()))
    };
    match shown(services, viewer, edit(services, tenant, &settings, stored, decide).await?).await? {
        Ok(contact) => Ok(Ok(contact)),
        Err(errors) => Ok(Err(versions.told(concealed(services, viewer, errors).await?, UPDATE))),
    }
}

/// The changes of a version, opened with the contact's key.
pub(super) fn unsealed(id: &ContactId, key: &ContactKey, version: u32, changes: Changes) -> Result<Vec<FieldChange>, AppError> {
    match changes {
        Changes::Clear(changes) => Ok(changes),
        Changes::Sealed(sealed) => {
            let json = key.open(id, &Changes::purpose(version), &sealed).map_err(|error| AppError::Broken(error.to_string()))?;
            Ok(serde_json::from_slice(&json).map_err(|error| StoreError::undecodable("audit event", error))?)
        }
    }
}
