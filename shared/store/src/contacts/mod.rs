//! Contacts: read by id or number, many at once, in lists; written by conditional puts, uniqueness of the number included.

mod item;
mod list;
mod notes;
mod numbers;
mod ranked;
mod scored;
mod slot;

pub use item::{CONTACT, ContactRow, Placement, StoredContact, decode, decode_row, encode, new_placement, open_key};
pub use list::{Candidate, ListPage, Walk, count_with_status, of_assignees, of_work, read_candidates, walk};
pub use notes::{NOTE, StoredNote, decode_note, note_part, notes};
pub use numbers::{After, Home, Move, Rewritten, rewrite};
pub use ranked::{RankedContact, RankedPage, RankedWalk, by_priority, by_score, count_with_scores, sort_by_priority, sort_by_score};
pub use scored::{score_bytes, score_from_bytes};
pub use slot::{ErasedContact, NUMBER, NumberOwner, Pointer, Slot, decode_slot};

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use switchboard_domain::change::{Change as RecordChange, Revisioned};
use switchboard_domain::clock::Entropy;
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;

use crate::due_scores;
use crate::error::StoreError;
use crate::keys;
use crate::settings::Settings;
use crate::table::{CoreTable, Freshness, Part, Statements, Written};
use crate::tenants::OpenTenant;

/// How often a record that keeps changing is decided again before the database counts as busy.
pub const ATTEMPTS: usize = 10;

/// What became of creating a contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Creation {
    /// It is new.
    Created(Contact),
    /// Its number has a contact, this one.
    Exists(StoredContact),
    /// Its number is free, but one of the other parts of the transaction didn't hold: the idempotency key was used a moment ago.
    Refused,
}

/// Reads a contact, live, deleted or merged; none when it was erased or never was. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, tenant: &OpenTenant, id: &ContactId) -> Result<Option<StoredContact>, StoreError> {
    Ok(match slot(table, tenant, id).await? {
        Some(Slot::Contact(stored)) => Some(stored),
        _ => None,
    })
}

/// Reads what stands at a slot. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn slot(table: &CoreTable, tenant: &OpenTenant, id: &ContactId) -> Result<Option<Slot>, StoreError> {
    let item = table.get(&tenant.scope, &keys::contact(&tenant.scope, id)).await?;
    item.map(|item| decode_slot(&tenant.keyring, item)).transpose()
}

/// Reads what stands at many slots; absent ones are left out, the order is any. 1 request per 100; 1 R each, half of one when eventual.
///
/// # Errors
/// Those of the database.
pub async fn slots(table: &CoreTable, tenant: &OpenTenant, ids: &[ContactId], freshness: Freshness) -> Result<Vec<(ContactId, Slot)>, StoreError> {
    let keys: Vec<keys::Key> = ids.iter().map(|id| keys::contact(&tenant.scope, id)).collect();
    let mut found = Vec::with_capacity(ids.len());
    for item in table.batch_get(&tenant.scope, &keys, freshness).await? {
        let (_, id) = crate::item::text(&item, "PK").and_then(keys::parse_contact).ok_or_else(|| StoreError::undecodable(CONTACT, "its key is not a contact's"))?;
        found.push((id, decode_slot(&tenant.keyring, item)?));
    }
    Ok(found)
}

/// Reads many contacts; absent ones are left out, the order is any. 1 request per 100; 1 R each, half of one when eventual.
///
/// # Errors
/// Those of the database.
pub async fn get_many(table: &CoreTable, tenant: &OpenTenant, ids: &[ContactId], freshness: Freshness) -> Result<Vec<StoredContact>, StoreError> {
    let found = slots(table, tenant, ids, freshness).await?;
    Ok(found
        .into_iter()
        .filter_map(|(_, slot)| match slot {
            Slot::Contact(stored) => Some(stored),
            Slot::Erased(_) | Slot::Pointer(_) => None,
        })
        .collect())
}

/// Reads the contact whose number this is, live or deleted. 1 request and 1 R; twice that when the number changed hands.
///
/// # Errors
/// Those of the database.
pub async fn owner_of_number(table: &CoreTable, tenant: &OpenTenant, e164: &str) -> Result<Option<StoredContact>, StoreError> {
    let place = tenant.keyring.slot(e164);
    for _ in 0..ATTEMPTS {
        let Some(found) = slot(table, tenant, &place).await? else {
            return Ok(None);
        };
        let Some(owner) = found.owner() else {
            return Ok(None);
        };
        if let Slot::Contact(stored) = found
            && owner == stored.contact.id
        {
            return Ok(Some(stored));
        }
        // The owner may have let go of the number between the two reads.
        if let Some(stored) = get(table, tenant, &owner).await?
            && (stored.contact.details.phone == e164 || !stored.contact.merged.is_empty())
        {
            return Ok(Some(stored));
        }
    }
    Err(vanished())
}

/// What the slots of many numbers say: absent, the number was never used; `None`, it has no owner now; else its owner. 1 request per 100 slots
/// and 1 R each, and once more for numbers that changed hands.
///
/// # Errors
/// Those of the database.
pub async fn owners_of_slots(table: &CoreTable, tenant: &OpenTenant, places: &[ContactId]) -> Result<HashMap<ContactId, Option<StoredContact>>, StoreError> {
    let mut owners = HashMap::with_capacity(places.len());
    let mut elsewhere: HashMap<ContactId, Vec<ContactId>> = HashMap::new();
    for (place, found) in slots(table, tenant, places, Freshness::Strong).await? {
        match (found.owner(), found) {
            (None, _) => {
                owners.insert(place, None);
            }
            (Some(owner), Slot::Contact(stored)) if owner == stored.contact.id => {
                owners.insert(place, Some(stored));
            }
            (Some(owner), _) => elsewhere.entry(owner).or_default().push(place),
        }
    }
    if !elsewhere.is_empty() {
        let ids: Vec<ContactId> = elsewhere.keys().cloned().collect();
        for stored in get_many(table, tenant, &ids, Freshness::Strong).await? {
            for place in elsewhere.remove(&stored.contact.id).unwrap_or_default() {
                owners.insert(place, Some(stored.clone()));
            }
        }
        // An owner that was erased in between has let go of its numbers.
        owners.extend(elsewhere.into_values().flatten().map(|place| (place, None)));
    }
    Ok(owners)
}

/// Creates a contact at its number's slot, or, when another record has its home there and gave the number up, under an id of its own, together
/// with the parts that go with that id. Without other parts 1 request; 1 W and one per index entry; with them, or with an id of its own, a transaction of twice the units.
/// It has its first score from here; one that will change by time alone takes 1 request and 1 W more.
///
/// When the answer to an earlier attempt was lost, the attempt that finds its own contact says that it was created.
///
/// # Errors
/// Those of the database.
pub async fn create(
    table: &CoreTable,
    tenant: &OpenTenant,
    settings: &Settings,
    mut contact: Contact,
    parts: impl Fn(&ContactId) -> Vec<Part>,
    entropy: &dyn Entropy,
) -> Result<Creation, StoreError> {
    let place = tenant.keyring.slot(&contact.details.phone);
    contact.id = place.clone();
    score_first(settings, &mut contact);
    announce(table, tenant, std::slice::from_ref(&contact)).await?;
    for _ in 0..ATTEMPTS {
        contact.id = place.clone();
        let tried = new_placement(tenant, &contact, entropy);
        let item = encode(tenant, settings, &StoredContact { placement: tried.clone(), contact: contact.clone() }, entropy)?;
        let others = parts(&contact.id);
        let occupied = if others.is_empty() {
            match table.insert(&tenant.scope, item).await? {
                Written::Done => return Ok(Creation::Created(contact)),
                Written::Refused(Some(item)) => Some(decode_slot(&tenant.keyring, item)?),
                Written::Refused(None) => slot(table, tenant, &place).await?,
            }
        } else {
            let all = std::iter::once(Part::Insert { item, expired_before: None }).chain(others).collect();
            if table.transact(&tenant.scope, all).await? {
                return Ok(Creation::Created(contact));
            }
            slot(table, tenant, &place).await?
        };
        let Some(occupied) = occupied else {
            return Ok(Creation::Refused);
        };
        if occupied.owner().is_some() {
            let Some(existing) = owner_of_number(table, tenant, &contact.details.phone).await? else {
                continue;
            };
            // The place is chosen at random for each attempt: who has it was written by this one.
            return Ok(if existing.placement.list_sk == tried.list_sk { Creation::Created(existing.contact) } else { Creation::Exists(existing) });
        }
        match create_elsewhere(table, tenant, settings, &mut contact, &place, &parts, entropy).await? {
            Rewritten::Done => return Ok(Creation::Created(contact)),
            Rewritten::Taken(existing) => return Ok(Creation::Exists(existing)),
            Rewritten::Changed => {}
        }
    }
    Err(vanished())
}

/// Creates a contact under an id of its own, because its number's slot is another record's home.
async fn create_elsewhere(
    table: &CoreTable,
    tenant: &OpenTenant,
    settings: &Settings,
    contact: &mut Contact,
    place: &ContactId,
    parts: &impl Fn(&ContactId) -> Vec<Part>,
    entropy: &dyn Entropy,
) -> Result<Rewritten, StoreError> {
    let mut random = [0; 32];
    entropy.fill(&mut random);
    contact.id = ContactId::from_hash(&random);
    let mut placement = new_placement(tenant, contact, entropy);
    placement.number_owner = slot::NumberOwner::Nobody;
    announce(table, tenant, std::slice::from_ref(contact)).await?;
    let item = encode(tenant, settings, &StoredContact { contact: contact.clone(), placement }, entropy)?;
    let mut parts = parts(&contact.id);
    parts.push(Part::Insert { item, expired_before: None });
    let moved = Move { slot: place.clone(), from: None, to: Some(contact.id.clone()) };
    rewrite(table, tenant, settings, Vec::new(), &[moved], parts, entropy).await
}

/// Gives a contact the score it has when it is made.
fn score_first(settings: &Settings, contact: &mut Contact) {
    if contact.score.is_none() {
        contact.score = Some(settings.scorer.score(contact, contact.record.created_at));
    }
}

/// Has contacts scored again when time alone changes their scores. Before they are written: an entry too many does no harm, one too few leaves a score wrong.
async fn announce(table: &CoreTable, tenant: &OpenTenant, contacts: &[Contact]) -> Result<(), StoreError> {
    let due: Vec<(ContactId, Timestamp)> = contacts.iter().filter_map(|contact| Some((contact.id.clone(), contact.score.as_ref()?.next_change_at?))).collect();
    due_scores::announce(table, &tenant.scope, &due).await
}

fn vanished() -> StoreError {
    StoreError::Unavailable("the record at this number kept changing while it was read".to_owned())
}

/// Creates many contacts, each at its number's slot and with its first score; tells for each whether it was created (false: its slot was taken).
/// 1 request per 25, and 1 per 25 scores that will change by time alone; units as [`create`].
///
/// # Errors
/// Those of the database; contacts before the failing one may be there.
pub async fn create_many(table: &CoreTable, tenant: &OpenTenant, settings: &Settings, contacts: &mut [Contact], entropy: &dyn Entropy) -> Result<Vec<bool>, StoreError> {
    for contact in contacts.iter_mut() {
        score_first(settings, contact);
    }
    announce(table, tenant, contacts).await?;
    let item = |index: usize, attributes: &mut Statements<'_>| item::tell_new(tenant, settings, &contacts[index], entropy, attributes);
    table.insert_many(&tenant.scope, contacts.len(), item).await
}

/// Writes a contact again unless its revision is no longer `revision`; false then. Its number stays. 1 request; 1 W and those of the index
/// entries that change.
///
/// # Errors
/// Those of the database.
pub async fn replace(
    table: &CoreTable,
    tenant: &OpenTenant,
    settings: &Settings,
    stored: &StoredContact,
    revision: u32,
    entropy: &dyn Entropy,
) -> Result<bool, StoreError> {
    let item = encode(tenant, settings, stored, entropy)?;
    Ok(table.replace(&tenant.scope, item, revision).await? == Written::Done)
}

/// The slots of the numbers a contact has, its own and those of the contacts merged into it. For merged ones 1 request per 100 and 1 R each.
///
/// # Errors
/// Those of the database.
pub async fn merged_into(table: &CoreTable, tenant: &OpenTenant, contact: &Contact) -> Result<Vec<StoredContact>, StoreError> {
    if contact.merged.is_empty() {
        return Ok(Vec::new());
    }
    get_many(table, tenant, &contact.merged, Freshness::Strong).await
}

/// What is left of a contact when it is erased by this change.
#[must_use]
pub fn erased(stored: &StoredContact, change: RecordChange) -> ErasedContact {
    let contact = &stored.contact;
    let erased_at = change.at;
    let record: Revisioned = contact.record.changed(change);
    ErasedContact { id: contact.id.clone(), record, erased_at, number_owner: stored.placement.number_owner.clone() }
}

/// Says on a contact whether its number stands on the suppression list, and moves it in the calling order accordingly. A technical write: the
/// version stays. 1 request and 1 R when it says so already, else 2 and 1 W, 2 for index 2 and 1 for index 1.
///
/// # Errors
/// Those of the database.
pub async fn set_suppressed(
    table: &CoreTable,
    tenant: &OpenTenant,
    settings: &Settings,
    id: &ContactId,
    suppressed: bool,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(mut stored) = get(table, tenant, id).await?.filter(|stored| stored.contact.suppressed != suppressed) else {
            return Ok(());
        };
        let revision = stored.contact.record.revision;
        stored.contact.suppressed = suppressed;
        stored.contact.record = stored.contact.record.touched();
        if replace(table, tenant, settings, &stored, revision, entropy).await? {
            return Ok(());
        }
    }
    Err(vanished())
}

/// A text for an expression.
pub(super) fn string(text: impl ToString) -> AttributeValue {
    AttributeValue::S(text.to_string())
}
