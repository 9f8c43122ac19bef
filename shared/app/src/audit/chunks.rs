//! The event of a chunk of an import. The rows of an import stand in no list; the event of their chunk stands for them, carries the root over the hashes of
//! their events, and opens into them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use switchboard_domain::audit::{AuditEvent, Leaf, Outcome, Place, leaf, root, sorted};
use switchboard_domain::ids::{ContactId, ImportId, TenantId};
use switchboard_domain::imports::Piece;
use switchboard_store::audit_events::EventKey;
use switchboard_store::imports::Chunk;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{TenantScope, imports, item::Item, keys};

use super::Recorder;
use super::lifecycle::{IMPORT, beside, details, importer};
use super::record::in_letters;
use super::redrive::LETTERS;
use crate::error::AppError;
use crate::imports::{WrittenRow, awaited_key, contact_type, is_contact_type, written_key};

/// For how long a chunk waits for events of its rows while no further one comes: other shards of the stream may be behind. Then it says how many are missing.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);
/// Letters looked through for rows that were set aside. When there are more, those rows are waited for like any other.
const MOST_LETTERS: usize = 10_000;
/// Events of a record looked through for the one that an import made.
const LOOKED_THROUGH: usize = 20;

/// A row in the list behind a chunk's event, in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkRow {
    /// What kind of record it is; a contact when nothing is said.
    #[serde(rename = "type", default = "contact_type", skip_serializing_if = "is_contact_type")]
    pub entity_type: String,
    /// Its id.
    #[serde(rename = "id")]
    pub entity_id: String,
    /// The version that the row made; none when only its event could tell, and that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The hash of its event; none when that was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

impl ChunkRow {
    /// A contact that a row wrote.
    #[must_use]
    pub fn of_contact(contact: &ContactId, version: Option<u32>, hash: Option<String>) -> Self {
        Self { entity_type: contact_type(), entity_id: contact.to_string(), version, hash }
    }
}

/// What a chunk waits for. Kept with what it wrote, because whoever is given its end the next time may be another process.
#[derive(Debug, Serialize, Deserialize)]
struct Awaited {
    /// Rows whose events were still to come,
    rows: usize,
    /// since then.
    #[serde(with = "switchboard_domain::clock::millis")]
    since: Timestamp,
}

/// The key of that list, in the archive.
#[must_use]
pub fn chunk_key(tenant: TenantId, import: ImportId, piece: Piece) -> String {
    format!("chunks/{tenant}/{import}/{piece}.json")
}

/// The root over the hashes of a list, in hexadecimal.
pub(super) fn root_of(list: &[ChunkRow]) -> String {
    let leaves: Vec<Leaf> = list.iter().filter_map(|row| leaf(row.hash.as_deref()?)).collect();
    data_encoding::HEXLOWER.encode(&root(&sorted(leaves)))
}

/// Reads a file of a chunk.
fn read<T: DeserializeOwned>(key: &str, file: &[u8]) -> Result<T, AppError> {
    serde_json::from_slice(file).map_err(|error| AppError::Broken(format!("{key} can't be read: {error}")))
}

/// A chunk whose rows are all written.
pub(super) struct WrittenChunk {
    pub(super) import: ImportId,
    pub(super) chunk: Chunk,
    pub(super) written_at: Timestamp,
}

impl WrittenChunk {
    fn piece(&self) -> Piece {
        self.chunk.piece()
    }

    /// The chunk that a change of its item completes; none for any other change.
    pub(super) fn of(old: Option<&Item>, new: &Item) -> Result<Option<Self>, switchboard_store::StoreError> {
        let (import, chunk) = imports::decode_chunk(new.clone())?;
        let was_written = old.map(|old| imports::decode_chunk(old.clone())).transpose()?.is_some_and(|(_, chunk)| chunk.written);
        Ok(chunk.written_at.filter(|_| chunk.written && !was_written).map(|written_at| Self { import, chunk, written_at }))
    }
}

impl Recorder {
    /// The event of a chunk, whose list of rows is in the archive then; none while events of its rows are still to come. 1 request for the import, and those of
    /// [`Self::list_of`].
    ///
    /// # Errors
    /// [`AppError::Broken`] when there can be no event, because the import is gone, what the chunk wrote, or a file can't be read; those of the services.
    pub(super) async fn chunk_event(&self, tenant: &OpenTenant, chunk: &WrittenChunk, now: Timestamp) -> Result<Option<AuditEvent>, AppError> {
        let import = imports::get(&self.core, &tenant.scope, chunk.import).await?;
        let import = import.ok_or_else(|| AppError::Broken("the import of a chunk is gone".to_owned()))?;
        let Some(list) = self.list_of(tenant, chunk, now).await? else {
            return Ok(None);
        };
        let missing = list.iter().filter(|row| row.hash.is_none()).count();
        let details = details([
            ("chunk", json!(chunk.piece().chunk)),
            ("fromRow", if chunk.piece().from_row == 0 { json!(null) } else { json!(chunk.piece().from_row) }),
            ("rows", json!(list.len() - missing)),
            ("missing", if missing == 0 { json!(null) } else { json!(missing) }),
            ("root", json!(root_of(&list))),
        ]);
        let mut event = beside(IMPORT, chunk.import.to_string(), "import.chunk_written", chunk.written_at, importer(&import), details, Outcome::Success);
        event.place = Place::beside(chunk.written_at, &format!("import.chunk_written#{}", chunk.piece()));
        Ok(Some(event))
    }

    /// The list of a chunk's rows. It is written once: the one that is in the archive stands, so that it and the event agree however often the end of the chunk
    /// is delivered. 1 request to the archive, and for a list that isn't there 1 more and 1 for what the chunk wrote; 1 per 100 rows and 1 R each; 1 more for
    /// a row that a worker before wrote; those of [`Self::awaits`].
    async fn list_of(&self, tenant: &OpenTenant, chunk: &WrittenChunk, now: Timestamp) -> Result<Option<Vec<ChunkRow>>, AppError> {
        let key = chunk_key(tenant.record.id, chunk.import, chunk.piece());
        if let Some(file) = self.archive.get(&key).await? {
            return read(&key, &file).map(Some);
        }
        let written = written_key(tenant.record.id, chunk.import, chunk.piece(), chunk.chunk.left_at);
        let file = self.results.get(&written).await?.ok_or_else(|| AppError::Broken("what a chunk of an import wrote is gone".to_owned()))?;
        let list = self.rows_of(tenant, chunk.import, &read::<Vec<WrittenRow>>(&written, &file)?).await?;
        if self.awaits(tenant, chunk, &list, now).await? {
            return Ok(None);
        }
        let json = serde_json::to_vec(&list).map_err(|error| AppError::Broken(error.to_string()))?;
        if self.archive.put_new(&key, "application/json", json).await? {
            return Ok(Some(list));
        }
        let file = self.archive.get(&key).await?.ok_or(AppError::Unavailable("the list of an import's rows"))?;
        read(&key, &file).map(Some)
    }

    /// Whether a chunk still waits for events of its rows. One whose change was set aside doesn't come by itself. Any other comes as soon as its shard of the
    /// stream is there, however far that is behind, so it is given up only when for a while no further one has come. Without a row whose event is missing no
    /// request; else 1 per 1,000 letters about contacts, at most 10, and 2 to the results.
    async fn awaits(&self, tenant: &OpenTenant, chunk: &WrittenChunk, list: &[ChunkRow], now: Timestamp) -> Result<bool, AppError> {
        let missing: Vec<&ChunkRow> = list.iter().filter(|row| row.hash.is_none()).collect();
        if missing.is_empty() {
            return Ok(false);
        }
        let aside = self.set_aside(&tenant.scope).await?;
        let is_aside = |row: &ChunkRow| ContactId::parse(&row.entity_id).is_some_and(|contact| aside.contains(&folder(&tenant.scope, &contact)));
        let rows = missing.into_iter().filter(|row| !is_aside(row)).count();
        if rows == 0 {
            return Ok(false);
        }
        let key = awaited_key(tenant.record.id, chunk.import, chunk.piece());
        let before = self.results.get(&key).await?.and_then(|file| read::<Awaited>(&key, &file).ok());
        if let Some(before) = before.filter(|before| before.rows <= rows) {
            return Ok(now.duration_since(before.since) < PATIENCE);
        }
        self.results.put_json(&key, &Awaited { rows, since: now }).await?;
        Ok(true)
    }

    /// The folders of the contacts of a tenant of which a change was set aside.
    async fn set_aside(&self, scope: &TenantScope) -> Result<BTreeSet<String>, AppError> {
        let contacts = format!("{LETTERS}{}", in_letters(&format!("{}C#", keys::tenant_prefix(scope.tenant()))));
        let letters = self.dead_letters.list(&contacts, None, MOST_LETTERS).await?;
        Ok(letters.into_iter().filter_map(|letter| Some(letter.rsplit_once('/')?.0.to_owned())).collect())
    }

    /// The rows that an import wrote, in the order of their records, with the hashes of their events as far as those are there.
    async fn rows_of(&self, tenant: &OpenTenant, import: ImportId, rows: &[WrittenRow]) -> Result<Vec<ChunkRow>, AppError> {
        // Two rows may be about one contact, when its numbers led to it from two places.
        let mut list: BTreeMap<(String, String, Option<u32>), ChunkRow> = BTreeMap::new();
        let mut keep = |row: ChunkRow| drop(list.insert((row.entity_type.clone(), row.entity_id.clone(), row.version), row));
        let mut known: BTreeSet<EventKey> = BTreeSet::new();
        for WrittenRow { entity_type, entity_id, version } in rows {
            let found = match version {
                Some(version) => {
                    known.insert((entity_type.clone(), entity_id.clone(), Place::Version(*version)));
                    None
                }
                None => self.event_of(tenant, import, entity_type, entity_id).await?,
            };
            let (version, hash) = found.map_or((*version, None), |(version, hash)| (Some(version), Some(hash)));
            keep(ChunkRow { entity_type: entity_type.clone(), entity_id: entity_id.clone(), version, hash });
        }
        let known: Vec<EventKey> = known.into_iter().collect();
        for stored in self.events.get_many(tenant.record.id, &known).await? {
            let (entity_type, entity_id, version) = (stored.event.entity_type.clone(), stored.event.entity_id.clone(), stored.event.version());
            keep(ChunkRow { entity_type, entity_id, version, hash: Some(stored.hash) });
        }
        Ok(list.into_values().collect())
    }

    /// The version of a record that an import made, and the hash of its event, as the trail tells it.
    async fn event_of(&self, tenant: &OpenTenant, import: ImportId, entity_type: &str, entity_id: &str) -> Result<Option<(u32, String)>, AppError> {
        let page = self.events.of_record(&tenant.scope, entity_type, entity_id, None, LOOKED_THROUGH).await?;
        let made = page.entries.into_iter().find(|stored| stored.event.change.origin.import_id() == Some(import));
        Ok(made.and_then(|stored| Some((stored.event.version()?, stored.hash))))
    }
}

/// Where letters about a contact lie.
fn folder(scope: &TenantScope, contact: &ContactId) -> String {
    let key = keys::contact(scope, contact);
    format!("{LETTERS}{}/{}", in_letters(&key.pk), in_letters(&key.sk))
}
