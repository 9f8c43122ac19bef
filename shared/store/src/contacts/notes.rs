//! Notes of a contact: items beside it, sealed under its key.

use serde::{Deserialize, Serialize};
use switchboard_domain::clock::Entropy;
use switchboard_domain::ids::{ContactId, NoteId};
use switchboard_domain::note::Note;
use switchboard_domain::sealing::ContactKey;

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Order, Page, Part};

/// The type of a note's item.
pub const NOTE: &str = "note";

#[derive(Serialize, Deserialize)]
struct NoteItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: NoteId,
    #[serde(with = "switchboard_domain::audit::bytes")]
    sealed: Vec<u8>,
    #[serde(flatten)]
    record: RecordAttributes,
}

/// A note as it is stored: its text is sealed under the contact's key, which stands with the contact alone, so that erasing that erases this.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredNote {
    /// The contact it is about.
    pub contact: ContactId,
    item_id: NoteId,
    record: RecordAttributes,
    sealed: Vec<u8>,
}

impl StoredNote {
    /// The note's id.
    #[must_use]
    pub fn id(&self) -> NoteId {
        self.item_id
    }

    /// The note without its text.
    #[must_use]
    pub fn without_body(&self) -> Note {
        Note { id: self.item_id, contact: self.contact.clone(), record: self.record.clone().into(), body: String::new() }
    }

    /// Opens the note.
    ///
    /// # Errors
    /// [`StoreError::Undecodable`] when the key isn't its contact's.
    pub fn open(&self, key: &ContactKey) -> Result<Note, StoreError> {
        let body = key.open(&self.contact, &purpose(self.item_id), &self.sealed).map_err(|error| StoreError::undecodable(NOTE, error))?;
        let body = String::from_utf8(body).map_err(|error| StoreError::undecodable(NOTE, error))?;
        Ok(Note { body, ..self.without_body() })
    }
}

fn purpose(id: NoteId) -> String {
    format!("note {id}")
}

/// The part of a transaction that writes a note. 2 W per started KB.
///
/// # Errors
/// [`StoreError::Undecodable`] when the note can't be an item.
pub fn note_part(scope: &TenantScope, note: &Note, key: &ContactKey, entropy: &dyn Entropy) -> Result<Part, StoreError> {
    let place = keys::note(scope, &note.contact, note.id);
    let sealed = key.seal(&note.contact, &purpose(note.id), entropy, note.body.as_bytes());
    let form = NoteItem { pk: place.pk, sk: place.sk, kind: NOTE.to_owned(), id: note.id, sealed, record: (&note.record).into() };
    Ok(Part::Insert { item: to_item(NOTE, &form)?, expired_before: None })
}

/// Reads a note from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_note(item: Item) -> Result<StoredNote, StoreError> {
    let item: NoteItem = from_item(NOTE, item)?;
    let (_, contact) = keys::parse_contact(&item.pk).ok_or_else(|| StoreError::undecodable(NOTE, "its key is not a contact's"))?;
    Ok(StoredNote { contact, item_id: item.id, record: item.record, sealed: item.sealed })
}

/// Notes of one contact, newest first, those before `before`. 1 request, 1 R per started 4 KB.
///
/// # Errors
/// Those of the database.
pub async fn notes(table: &CoreTable, scope: &TenantScope, contact: &ContactId, before: Option<NoteId>, first: usize) -> Result<Page<StoredNote>, StoreError> {
    let partition = keys::contact_partition(scope, contact);
    let before = before.map(|id| keys::note(scope, contact, id).sk);
    let page = table.range(scope, &partition, keys::NOTES, before.as_deref(), first, Order::Descending).await?;
    Ok(Page { entries: page.entries.into_iter().map(decode_note).collect::<Result<_, _>>()?, has_more: page.has_more })
}
