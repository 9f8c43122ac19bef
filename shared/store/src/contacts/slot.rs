//! What stands at a number's slot: a contact, what is left of one that was erased, or a pointer to who has the number now.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use switchboard_domain::audit::{Audited, Fields};
use switchboard_domain::change::Revisioned;
use switchboard_domain::ids::ContactId;
use switchboard_domain::sealing::TenantKeyring;

use super::item::{CONTACT, StoredContact, decode};
use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;

/// The type of a pointer's item.
pub const NUMBER: &str = "number";

/// Whose a slot's number is, as the record says that has its home there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NumberOwner {
    /// That record's.
    #[default]
    This,
    /// Another contact's.
    Contact(ContactId),
    /// Nobody's: it was given up.
    Nobody,
}

const NOBODY: &str = "nobody";

impl NumberOwner {
    pub(super) fn is_this(&self) -> bool {
        *self == Self::This
    }

    /// The owner's id; `home` is the record's own.
    pub(super) fn id(&self, home: &ContactId) -> Option<ContactId> {
        match self {
            Self::This => Some(home.clone()),
            Self::Contact(id) => Some(id.clone()),
            Self::Nobody => None,
        }
    }

    /// What a record at `home` says when the number is `owner`'s.
    pub(super) fn of(owner: Option<&ContactId>, home: &ContactId) -> Self {
        match owner {
            None => Self::Nobody,
            Some(owner) if owner == home => Self::This,
            Some(owner) => Self::Contact(owner.clone()),
        }
    }

    /// The text under which it is kept; none for a record's own number.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::This => None,
            Self::Contact(id) => Some(id.to_string()),
            Self::Nobody => Some(NOBODY.to_owned()),
        }
    }
}

impl Serialize for NumberOwner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NumberOwner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<String>::deserialize(deserializer)?.as_deref() {
            None => Self::This,
            Some(NOBODY) => Self::Nobody,
            Some(id) => Self::Contact(ContactId::parse(id).ok_or_else(|| serde::de::Error::custom("not a ContactId"))?),
        })
    }
}

/// What is left of an erased contact: that it was, and when it was erased. Its key is gone, and with it all that the audit trail says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedContact {
    /// The id, which is never given again.
    pub id: ContactId,
    /// What all records have.
    pub record: Revisioned,
    /// When it was erased.
    pub erased_at: Timestamp,
    pub(super) number_owner: NumberOwner,
}

impl Audited for ErasedContact {
    const ENTITY_TYPE: &'static str = "contact";

    fn audit_fields(&self) -> Fields {
        Fields::from([("erasedAt".to_owned(), serde_json::json!(format!("{:.3}", self.erased_at)))])
    }
}

/// A slot where no contact ever had its home, and whose its number is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    pub(super) owner: ContactId,
    pub(super) revision: u32,
}

/// What stands at a slot.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum Slot {
    /// A contact: live, deleted or merged.
    Contact(StoredContact),
    /// What is left of one.
    Erased(ErasedContact),
    /// A pointer.
    Pointer(Pointer),
}

impl Slot {
    /// Whose the slot's number is.
    #[must_use]
    pub fn owner(&self) -> Option<ContactId> {
        match self {
            Self::Contact(stored) => stored.placement.number_owner.id(&stored.contact.id),
            Self::Erased(erased) => erased.number_owner.id(&erased.id),
            Self::Pointer(pointer) => Some(pointer.owner.clone()),
        }
    }

    pub(super) fn revision(&self) -> u32 {
        match self {
            Self::Contact(stored) => stored.contact.record.revision,
            Self::Erased(erased) => erased.record.revision,
            Self::Pointer(pointer) => pointer.revision,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ErasedItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(with = "switchboard_domain::clock::millis")]
    erased_at: Timestamp,
    #[serde(default, skip_serializing_if = "NumberOwner::is_this")]
    number_owner: NumberOwner,
    #[serde(flatten)]
    record: RecordAttributes,
}

#[derive(Serialize, Deserialize)]
struct PointerItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    owner: ContactId,
    revision: u32,
}

/// Reads what stands at a slot.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_slot(keyring: &TenantKeyring, item: Item) -> Result<Slot, StoreError> {
    if text(&item, "type") == Some(NUMBER) {
        let item: PointerItem = from_item(NUMBER, item)?;
        return Ok(Slot::Pointer(Pointer { owner: item.owner, revision: item.revision }));
    }
    if !item.contains_key("erased_at") {
        return decode(keyring, item).map(Slot::Contact);
    }
    let item: ErasedItem = from_item(CONTACT, item)?;
    let (_, id) = keys::parse_contact(&item.pk).ok_or_else(|| StoreError::undecodable(CONTACT, "its key is not a contact's"))?;
    Ok(Slot::Erased(ErasedContact { id, record: item.record.into(), erased_at: item.erased_at, number_owner: item.number_owner }))
}

/// Makes the item of an erased contact: without a key, and in no index.
pub(super) fn encode_erased(scope: &TenantScope, erased: &ErasedContact) -> Result<Item, StoreError> {
    let key = keys::contact(scope, &erased.id);
    let form = ErasedItem {
        pk: key.pk,
        sk: key.sk,
        kind: CONTACT.to_owned(),
        erased_at: erased.erased_at,
        number_owner: erased.number_owner.clone(),
        record: (&erased.record).into(),
    };
    to_item(CONTACT, &form)
}

/// Makes the item of a pointer.
pub(super) fn encode_pointer(scope: &TenantScope, slot: &ContactId, owner: &ContactId) -> Result<Item, StoreError> {
    let key = keys::contact(scope, slot);
    to_item(NUMBER, &PointerItem { pk: key.pk, sk: key.sk, kind: NUMBER.to_owned(), owner: owner.clone(), revision: 1 })
}
