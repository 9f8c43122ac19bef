//! Writing contacts whose numbers change hands: a slot's number has one owner at a time, whatever happens at once.
//!
//! The rules are in `docs/data-model.md`. Every write is one transaction over the records and the slots concerned, each conditional on the
//! revision that was read, so that two who want a number can't both get it.

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard_domain::clock::Entropy;
use switchboard_domain::ids::ContactId;

use super::item::{StoredContact, encode};
use super::slot::{ErasedContact, NumberOwner, Slot, encode_erased, encode_pointer};
use super::{get, slot};
use crate::error::StoreError;
use crate::keys;
use crate::settings::Settings;
use crate::table::{Change, CoreTable, Part, Written};
use crate::tenants::OpenTenant;

/// A record that is written over the one of `revision`.
#[derive(Debug, Clone)]
pub struct Home {
    /// The revision that was read.
    pub revision: u32,
    /// What is written.
    pub after: After,
}

/// What a record becomes.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a few at a time")]
pub enum After {
    /// A contact.
    Contact(StoredContact),
    /// What is left of an erased one.
    Erased(ErasedContact),
}

impl After {
    fn id(&self) -> &ContactId {
        match self {
            Self::Contact(stored) => &stored.contact.id,
            Self::Erased(erased) => &erased.id,
        }
    }

    fn number_owner(&mut self) -> &mut NumberOwner {
        match self {
            Self::Contact(stored) => &mut stored.placement.number_owner,
            Self::Erased(erased) => &mut erased.number_owner,
        }
    }
}

/// A number that changes hands.
#[derive(Debug, Clone)]
pub struct Move {
    /// The number's slot.
    pub slot: ContactId,
    /// Whose it must be now.
    pub from: Option<ContactId>,
    /// Whose it becomes.
    pub to: Option<ContactId>,
}

/// What became of writing.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum Rewritten {
    /// It was written.
    Done,
    /// Something changed since it was read: read again and decide again. Nothing was written.
    Changed,
    /// A number that was to be free is this contact's. Nothing was written.
    Taken(StoredContact),
}

/// Writes records and lets numbers change hands, all or nothing. Without numbers and other parts 1 request, 1 W and those of the index entries
/// that change; else 1 R for each slot that isn't one of the records' own, and a transaction of twice the units.
///
/// # Errors
/// Those of the database.
pub async fn rewrite(
    table: &CoreTable,
    tenant: &OpenTenant,
    settings: &Settings,
    mut homes: Vec<Home>,
    moves: &[Move],
    mut parts: Vec<Part>,
    entropy: &dyn Entropy,
) -> Result<Rewritten, StoreError> {
    for moved in moves {
        if let Some(home) = homes.iter_mut().find(|home| *home.after.id() == moved.slot) {
            let owner = home.after.number_owner();
            if owner.id(&moved.slot) != moved.from {
                return contested(table, tenant, moved, owner.id(&moved.slot)).await;
            }
            *owner = NumberOwner::of(moved.to.as_ref(), &moved.slot);
            continue;
        }
        let found = slot(table, tenant, &moved.slot).await?;
        let owner = found.as_ref().and_then(Slot::owner);
        if owner != moved.from {
            return contested(table, tenant, moved, owner).await;
        }
        parts.extend(hand_over(tenant, moved, found.as_ref())?);
    }
    if let ([home], true) = (homes.as_slice(), parts.is_empty()) {
        let done = table.replace(&tenant.scope, home_item(tenant, settings, home, entropy)?, home.revision).await? == Written::Done;
        return Ok(if done { Rewritten::Done } else { Rewritten::Changed });
    }
    for home in &homes {
        parts.push(Part::Replace { item: home_item(tenant, settings, home, entropy)?, revision: home.revision });
    }
    Ok(if table.transact(&tenant.scope, parts).await? { Rewritten::Done } else { Rewritten::Changed })
}

fn home_item(tenant: &OpenTenant, settings: &Settings, home: &Home, entropy: &dyn Entropy) -> Result<crate::item::Item, StoreError> {
    match &home.after {
        After::Contact(stored) => encode(tenant, settings, stored, entropy),
        After::Erased(erased) => encode_erased(&tenant.scope, erased),
    }
}

async fn contested(table: &CoreTable, tenant: &OpenTenant, moved: &Move, owner: Option<ContactId>) -> Result<Rewritten, StoreError> {
    let Some(owner) = owner.filter(|_| moved.from.is_none()) else {
        return Ok(Rewritten::Changed);
    };
    Ok(get(table, tenant, &owner).await?.map_or(Rewritten::Changed, Rewritten::Taken))
}

/// The write that gives a slot's number to its new owner; none when nothing stands there and nothing is to.
fn hand_over(tenant: &OpenTenant, moved: &Move, found: Option<&Slot>) -> Result<Option<Part>, StoreError> {
    let key = keys::contact(&tenant.scope, &moved.slot);
    let number = |revision: u32| AttributeValue::N(revision.to_string());
    Ok(match (found, &moved.to) {
        (None, None) => None,
        (None, Some(owner)) => Some(Part::Insert { item: encode_pointer(&tenant.scope, &moved.slot, owner)?, expired_before: None }),
        (Some(Slot::Pointer(pointer)), None) => {
            Some(Part::Delete { key, condition: "revision = :revision".to_owned(), values: vec![(":revision", number(pointer.revision))] })
        }
        (Some(Slot::Pointer(pointer)), Some(owner)) => Some(Part::Change(Change {
            key,
            update: "SET #owner = :owner, revision = :next".to_owned(),
            condition: "revision = :revision".to_owned(),
            names: vec![("#owner", "owner")],
            values: vec![(":owner", AttributeValue::S(owner.to_string())), (":revision", number(pointer.revision)), (":next", number(pointer.revision + 1))],
        })),
        (Some(home), to) => {
            let revision = home.revision();
            let mut values = vec![(":revision", number(revision)), (":next", number(revision + 1))];
            let update = match NumberOwner::of(to.as_ref(), &moved.slot).text() {
                None => "SET revision = :next REMOVE number_owner",
                Some(owner) => {
                    values.push((":owner", AttributeValue::S(owner)));
                    "SET number_owner = :owner, revision = :next"
                }
            };
            Some(Part::Change(Change { key, update: update.to_owned(), condition: "revision = :revision".to_owned(), names: Vec::new(), values }))
        }
    })
}
