//! The chunks of an import, and the rests of those that a worker left.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{ChunkRange, Piece};

use crate::error::StoreError;
use crate::item::{Item, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::CoreTable;

/// The type of a chunk's item.
pub const CHUNK: &str = "import_chunk";

/// A chunk, or the rest of one, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Where the chunk lies in the file.
    #[serde(flatten)]
    pub range: ChunkRange,
    /// The row that the rest begins with; 0 for a whole chunk.
    #[serde(default)]
    pub from_row: u64,
    /// The last check in which its rows were checked; 0 before.
    #[serde(default)]
    pub checked: u32,
    /// The last writing in which a worker began it; 0 before.
    #[serde(default)]
    pub begun: u32,
    /// Its rows were written and counted.
    #[serde(default)]
    pub written: bool,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    pub written_at: Option<Timestamp>,
    /// The row at which the worker left, so that it and what follows are a rest of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<u64>,
    /// What its rows wrote was undone.
    #[serde(default)]
    pub reverted: bool,
}

impl Chunk {
    /// Its name among the import's.
    #[must_use]
    pub fn piece(&self) -> Piece {
        Piece { chunk: self.range.number, from_row: self.from_row }
    }
}

/// A chunk as an image of its item shows it, with the import it is of.
///
/// # Errors
/// [`StoreError::Undecodable`] when it isn't one.
pub fn decode_chunk(item: Item) -> Result<(ImportId, Chunk), StoreError> {
    let pk = text(&item, "PK").unwrap_or_default();
    let import = pk.rsplit_once('#').and_then(|(_, id)| ImportId::parse(id)).ok_or_else(|| StoreError::undecodable(CHUNK, "the partition key names no import"))?;
    Ok((import, from_item(CHUNK, item)?))
}

/// Reads a chunk. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn chunk(table: &CoreTable, scope: &TenantScope, id: ImportId, piece: Piece) -> Result<Option<Chunk>, StoreError> {
    let item = table.get(scope, &keys::chunk(scope, id, piece)).await?;
    item.map(|item| from_item(CHUNK, item)).transpose()
}

/// All chunks and rests of an import, in the order of their rows. 1 request per started MB (about 5,000 of them), 1 R per 4 KB (about 20).
///
/// # Errors
/// Those of the database.
pub async fn chunks(table: &CoreTable, scope: &TenantScope, id: ImportId) -> Result<Vec<Chunk>, StoreError> {
    let items = table.partition(scope, &keys::import(scope, id).pk, keys::CHUNKS).await?;
    items.into_iter().map(|item| from_item(CHUNK, item)).collect()
}

/// The item of a new chunk.
pub(super) fn new_chunk(scope: &TenantScope, id: ImportId, range: ChunkRange, piece: Piece) -> Result<Item, StoreError> {
    let key = keys::chunk(scope, id, piece);
    let mut item = to_item(CHUNK, &range)?;
    item.insert("PK".to_owned(), AttributeValue::S(key.pk));
    item.insert("SK".to_owned(), AttributeValue::S(key.sk));
    item.insert("type".to_owned(), AttributeValue::S(CHUNK.to_owned()));
    if piece.from_row > 0 {
        item.insert("from_row".to_owned(), AttributeValue::N(piece.from_row.to_string()));
    }
    Ok(item)
}

/// Keeps where a chunk lies; one that is there already stays. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_chunk(table: &CoreTable, scope: &TenantScope, id: ImportId, range: ChunkRange) -> Result<(), StoreError> {
    table.insert(scope, new_chunk(scope, id, range, Piece::whole(range.number))?).await?;
    Ok(())
}
