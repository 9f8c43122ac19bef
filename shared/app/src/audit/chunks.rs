//! The event of a chunk of an import. The rows of an import stand in no list; the event of their chunk stands for them, carries the root over the hashes of
//! their events, and opens into them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use switchboard_domain::actor::ActorKind;
use switchboard_domain::audit::{AuditEvent, Audited, Leaf, Outcome, Place, leaf, root, sorted};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{ContactId, ImportId, TenantId};
use switchboard_store::audit_events::{EventKey, StoredEvent};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{imports, item::Item};

use super::Recorder;
use super::lifecycle::{IMPORT, beside, details, importer};
use crate::error::AppError;
use crate::imports::{WrittenRow, written_key};

/// For how long a chunk waits for the events of its rows, which other shards of the stream may still hold. Later it says how many are missing.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// Events of a contact looked through for the one that an import made.
const LOOKED_THROUGH: usize = 20;

/// A row in the list behind a chunk's event, in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkRow {
    /// The contact.
    pub contact: ContactId,
    /// The version that the row made.
    pub version: u32,
    /// The hash of its event.
    pub hash: String,
}

/// The key of that list, in the archive.
#[must_use]
pub fn chunk_key(tenant: TenantId, import: ImportId, chunk: u32) -> String {
    format!("chunks/{tenant}/{import}/{chunk:06}.json")
}

/// A chunk whose rows are all written.
pub(super) struct WrittenChunk {
    pub(super) import: ImportId,
    pub(super) number: u32,
    pub(super) written_at: Timestamp,
}

impl WrittenChunk {
    /// The chunk that a change of its item completes; none for any other change.
    pub(super) fn of(old: Option<&Item>, new: &Item) -> Result<Option<Self>, switchboard_store::StoreError> {
        let (import, chunk) = imports::decode_chunk(new.clone())?;
        let was_written = old.map(|old| imports::decode_chunk(old.clone())).transpose()?.is_some_and(|(_, chunk)| chunk.written);
        Ok(chunk.written_at.filter(|_| chunk.written && !was_written).map(|written_at| Self { import, number: chunk.range.number, written_at }))
    }
}

impl Recorder {
    /// The event of a chunk, whose list of rows is in the archive then; none when there is no trace of what the chunk wrote. 1 request for the import, 2 to
    /// buckets, 1 per 100 rows and 1 R each; 1 request more for a row that a worker before wrote.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] while events of its rows are still to come, and those of the services.
    pub(super) async fn chunk_event(&self, tenant: &OpenTenant, chunk: &WrittenChunk, now: Timestamp) -> Result<Option<AuditEvent>, AppError> {
        let id = tenant.record.id;
        let Some(rows) = self.results.get_json::<Vec<WrittenRow>>(&written_key(id, chunk.import, chunk.number)).await? else {
            return Ok(None);
        };
        let Some(import) = imports::get(&self.core, &tenant.scope, chunk.import).await? else {
            return Ok(None);
        };
        let (events, missing) = self.events_of(tenant, chunk.import, &rows).await?;
        if missing > 0 && now.duration_since(chunk.written_at) < PATIENCE {
            return Err(AppError::Unavailable("the events of an import's rows"));
        }
        let mut list = Vec::with_capacity(events.len());
        for stored in events {
            if let (Some(contact), Some(version)) = (ContactId::parse(&stored.event.entity_id), stored.event.version()) {
                list.push(ChunkRow { contact, version, hash: stored.hash });
            }
        }
        list.sort_by(|one, two| one.contact.as_str().cmp(two.contact.as_str()));
        self.archive.put_json(&chunk_key(id, chunk.import, chunk.number), &list).await?;
        let leaves: Vec<Leaf> = list.iter().filter_map(|row| leaf(&row.hash)).collect();
        let details = details([
            ("chunk", json!(chunk.number)),
            ("rows", json!(list.len())),
            ("missing", if missing == 0 { json!(null) } else { json!(missing) }),
            ("root", json!(data_encoding::HEXLOWER.encode(&root(&sorted(leaves))))),
        ]);
        let mut event = beside(IMPORT, chunk.import.to_string(), "import.chunk_written", chunk.written_at, importer(&import), details, Outcome::Success);
        event.place = Place::beside(chunk.written_at, &format!("import.chunk_written#{:06}", chunk.number));
        Ok(Some(event))
    }

    /// The events that rows of an import made, as far as they are there, and how many aren't.
    async fn events_of(&self, tenant: &OpenTenant, import: ImportId, rows: &[WrittenRow]) -> Result<(Vec<StoredEvent>, usize), AppError> {
        let id = tenant.record.id;
        let key = |contact: &ContactId, version: u32| -> EventKey { (Contact::ENTITY_TYPE.to_owned(), contact.to_string(), Place::Version(version)) };
        // Two rows may be about one contact, when its numbers led to it from two places.
        let known: BTreeSet<EventKey> = rows.iter().filter_map(|row| row.version.map(|version| key(&row.contact, version))).collect();
        let known: Vec<EventKey> = known.into_iter().collect();
        let mut events: BTreeMap<(String, Place), StoredEvent> = BTreeMap::new();
        let mut keep = |stored: StoredEvent| events.insert((stored.event.entity_id.clone(), stored.event.place.clone()), stored);
        let found = self.events.get_many(id, &known).await?;
        let mut missing = known.len() - found.len();
        for stored in found {
            keep(stored);
        }
        let importer = import.to_string();
        for row in rows.iter().filter(|row| row.version.is_none()) {
            let page = self.events.of_record(&tenant.scope, Contact::ENTITY_TYPE, row.contact.as_str(), None, LOOKED_THROUGH).await?;
            let made = |stored: &StoredEvent| {
                let actor = &stored.event.change.origin.actor;
                actor.kind == ActorKind::Import && actor.id.as_deref() == Some(importer.as_str())
            };
            match page.entries.into_iter().find(made) {
                Some(stored) => drop(keep(stored)),
                None => missing += 1,
            }
        }
        Ok((events.into_values().collect(), missing))
    }
}
