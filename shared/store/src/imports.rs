//! Imports and their chunks: the record, its progress, and the steps that may each be taken once.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::actor::Actor;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{ChunkRange, ColumnMapping, Dialect, Import, ImportKind, ImportSourceType, ImportStatus, Phase, RowCounts, StagedFile};

use crate::error::StoreError;
use crate::item::{Item, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{Change, CoreTable, Page, Part, Written};

/// The type of an import's item.
pub const IMPORT: &str = "import";
/// The type of a chunk's item.
pub const CHUNK: &str = "import_chunk";

#[derive(Serialize, Deserialize)]
struct ImportItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI1PK")]
    list_pk: String,
    #[serde(rename = "GSI1SK")]
    list_sk: String,
    #[serde(rename = "type")]
    item_type: String,
    id: ImportId,
    kind: ImportKind,
    source_type: ImportSourceType,
    source_platform: String,
    status: ImportStatus,
    phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    file_name: String,
    file_bytes: u64,
    file_key: String,
    file_tag: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    staged_file: Option<StagedFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialect: Option<Dialect>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mapping: Vec<ColumnMapping>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows_total: Option<u64>,
    chunks: u32,
    chunks_checked: u32,
    chunks_written: u32,
    created: u64,
    updated: u64,
    unchanged: u64,
    skipped: u64,
    failed: u64,
    warned: u64,
    created_by: Actor,
    #[serde(with = "switchboard_domain::clock::millis")]
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    writing_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    finished_at: Option<Timestamp>,
}

fn encode(scope: &TenantScope, import: &Import) -> Result<Item, StoreError> {
    let key = keys::import(scope, import.id);
    let form = ImportItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: keys::import_list(scope),
        list_sk: import.id.to_string(),
        item_type: IMPORT.to_owned(),
        id: import.id,
        kind: import.kind,
        source_type: import.source_type,
        source_platform: import.source_platform.clone(),
        status: import.status,
        phase: import.phase,
        failure_reason: import.failure_reason.clone(),
        file_name: import.file_name.clone(),
        file_bytes: import.file_bytes,
        file_key: import.file_key.clone(),
        file_tag: import.file_tag.clone(),
        staged_file: import.staged.clone(),
        dialect: import.dialect.clone(),
        mapping: import.mapping.clone(),
        rows_total: import.rows_total,
        chunks: import.chunks,
        chunks_checked: import.chunks_checked,
        chunks_written: import.chunks_written,
        created: import.counts.created,
        updated: import.counts.updated,
        unchanged: import.counts.unchanged,
        skipped: import.counts.skipped,
        failed: import.counts.failed,
        warned: import.counts.warned,
        created_by: import.created_by.clone(),
        created_at: import.created_at,
        started_at: import.started_at,
        writing_since: import.writing_since,
        finished_at: import.finished_at,
    };
    to_item(IMPORT, &form)
}

/// Reads an item of an import.
///
/// # Errors
/// [`StoreError::Undecodable`] when it isn't one.
pub fn decode(item: Item) -> Result<Import, StoreError> {
    let item: ImportItem = from_item(IMPORT, item)?;
    Ok(Import {
        id: item.id,
        kind: item.kind,
        source_type: item.source_type,
        source_platform: item.source_platform,
        status: item.status,
        phase: item.phase,
        failure_reason: item.failure_reason,
        file_name: item.file_name,
        file_bytes: item.file_bytes,
        file_key: item.file_key,
        file_tag: item.file_tag,
        staged: item.staged_file,
        dialect: item.dialect,
        mapping: item.mapping,
        rows_total: item.rows_total,
        chunks: item.chunks,
        chunks_checked: item.chunks_checked,
        chunks_written: item.chunks_written,
        counts: RowCounts { created: item.created, updated: item.updated, unchanged: item.unchanged, skipped: item.skipped, failed: item.failed, warned: item.warned },
        created_by: item.created_by,
        created_at: item.created_at,
        started_at: item.started_at,
        writing_since: item.writing_since,
        finished_at: item.finished_at,
    })
}

/// A chunk as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Where it lies in the file.
    #[serde(flatten)]
    pub range: ChunkRange,
    /// Its rows were checked.
    #[serde(default)]
    pub checked: bool,
    /// Its rows were written and counted.
    #[serde(default)]
    pub written: bool,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    pub written_at: Option<Timestamp>,
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

/// Reads an import. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, scope: &TenantScope, id: ImportId) -> Result<Option<Import>, StoreError> {
    table.get(scope, &keys::import(scope, id)).await?.map(decode).transpose()
}

/// Makes an import; when it is there already, that one. 1 request, 1 W and 1 for index 1.
///
/// # Errors
/// Those of the database.
pub async fn create(table: &CoreTable, scope: &TenantScope, import: Import) -> Result<Import, StoreError> {
    match table.insert(scope, encode(scope, &import)?).await? {
        Written::Done => Ok(import),
        Written::Refused(Some(item)) => decode(item),
        Written::Refused(None) => get(table, scope, import.id).await?.ok_or_else(|| StoreError::Unavailable("the import changed while it was read".to_owned())),
    }
}

/// Lists imports, newest first, those older than the place `after` (an import's id). 1 request for the list and 1 per 100 for the records.
///
/// # Errors
/// Those of the database.
pub async fn newest(table: &CoreTable, scope: &TenantScope, after: Option<&str>, first: usize) -> Result<Page<Import>, StoreError> {
    let Page { entries, has_more } = table.newest_whole(scope, &keys::import_list(scope), after, first).await?;
    let mut imports: Vec<Import> = entries.into_iter().map(decode).collect::<Result<_, _>>()?;
    imports.sort_by_key(|import| std::cmp::Reverse(import.id));
    Ok(Page { entries: imports, has_more })
}

/// Reads a chunk. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn chunk(table: &CoreTable, scope: &TenantScope, id: ImportId, number: u32) -> Result<Option<Chunk>, StoreError> {
    let item = table.get(scope, &keys::chunk(scope, id, number)).await?;
    item.map(|item| from_item(CHUNK, item)).transpose()
}

/// Keeps where a chunk lies; one that is there already stays. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn create_chunk(table: &CoreTable, scope: &TenantScope, id: ImportId, range: ChunkRange) -> Result<(), StoreError> {
    let key = keys::chunk(scope, id, range.number);
    let mut item = to_item(CHUNK, &range)?;
    item.insert("PK".to_owned(), AttributeValue::S(key.pk));
    item.insert("SK".to_owned(), AttributeValue::S(key.sk));
    item.insert("type".to_owned(), AttributeValue::S(CHUNK.to_owned()));
    table.insert(scope, item).await?;
    Ok(())
}

/// What planning found out.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The copy that rows are to be read from, when there is one.
    pub staged: Option<StagedFile>,
    /// How the file is written.
    pub dialect: Dialect,
    /// Which column is what.
    pub mapping: Vec<ColumnMapping>,
    /// The rows.
    pub rows: u64,
    /// The chunks.
    pub chunks: u32,
}

fn step(scope: &TenantScope, id: ImportId, update: &str, condition: &str, values: Vec<(&'static str, AttributeValue)>) -> Change {
    Change { key: keys::import(scope, id), update: update.to_owned(), condition: condition.to_owned(), names: Vec::new(), values }
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn word(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value).map_err(|error| StoreError::undecodable(IMPORT, error))
}

/// From planning to checking; false when it wasn't planning. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn begin_checking(table: &CoreTable, scope: &TenantScope, id: ImportId, planned: &Planned) -> Result<bool, StoreError> {
    let mut values = vec![
        (":dialect", word(&planned.dialect)?),
        (":mapping", word(&planned.mapping)?),
        (":rows", number(planned.rows)),
        (":chunks", number(planned.chunks)),
        (":planning", word(&Phase::Planning)?),
        (":checking", word(&Phase::Checking)?),
    ];
    let mut update = "SET dialect = :dialect, mapping = :mapping, rows_total = :rows, chunks = :chunks, phase = :checking".to_owned();
    if let Some(staged) = &planned.staged {
        update.push_str(", staged_file = :staged");
        values.push((":staged", word(staged)?));
    }
    table.change(scope, step(scope, id, &update, "phase = :planning", values)).await
}

/// From checking to writing; false when it wasn't checking. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn begin_writing(table: &CoreTable, scope: &TenantScope, id: ImportId, now: Timestamp) -> Result<bool, StoreError> {
    let values = vec![(":now", number(now.as_millisecond())), (":checking", word(&Phase::Checking)?), (":writing", word(&Phase::Writing)?)];
    table.change(scope, step(scope, id, "SET phase = :writing, writing_since = :now", "phase = :checking", values)).await
}

/// Counts a chunk as checked, once. 1 request; 2 × 2 W.
///
/// # Errors
/// Those of the database.
pub async fn finish_check(table: &CoreTable, scope: &TenantScope, id: ImportId, chunk: u32) -> Result<bool, StoreError> {
    let mark = Change {
        key: keys::chunk(scope, id, chunk),
        update: "SET checked = :yes".to_owned(),
        condition: "attribute_exists(PK) AND attribute_not_exists(checked)".to_owned(),
        names: Vec::new(),
        values: vec![(":yes", AttributeValue::Bool(true))],
    };
    let count = step(scope, id, "ADD chunks_checked :one", "attribute_exists(PK)", vec![(":one", number(1))]);
    table.transact(scope, vec![Part::Change(mark), Part::Change(count)]).await
}

/// Marks that the writing of a chunk began; false when it had begun before. 1 request, 1 W.
///
/// # Errors
/// Those of the database.
pub async fn begin_write(table: &CoreTable, scope: &TenantScope, id: ImportId, chunk: u32) -> Result<bool, StoreError> {
    let mark = Change {
        key: keys::chunk(scope, id, chunk),
        update: "SET begun = :yes".to_owned(),
        condition: "attribute_exists(PK) AND attribute_not_exists(begun)".to_owned(),
        names: Vec::new(),
        values: vec![(":yes", AttributeValue::Bool(true))],
    };
    table.change(scope, mark).await
}

/// Counts a chunk as written, once, with what became of its rows. 1 request; 2 × 2 W.
///
/// # Errors
/// Those of the database.
pub async fn finish_write(table: &CoreTable, scope: &TenantScope, id: ImportId, chunk: u32, counts: &RowCounts, now: Timestamp) -> Result<bool, StoreError> {
    let mark = Change {
        key: keys::chunk(scope, id, chunk),
        update: "SET written = :yes, written_at = :now".to_owned(),
        condition: "attribute_exists(PK) AND attribute_not_exists(written)".to_owned(),
        names: Vec::new(),
        values: vec![(":yes", AttributeValue::Bool(true)), (":now", number(now.as_millisecond()))],
    };
    let values = vec![
        (":one", number(1)),
        (":created", number(counts.created)),
        (":updated", number(counts.updated)),
        (":unchanged", number(counts.unchanged)),
        (":skipped", number(counts.skipped)),
        (":failed", number(counts.failed)),
        (":warned", number(counts.warned)),
    ];
    let mut count = step(
        scope,
        id,
        "ADD chunks_written :one, created :created, #updated :updated, unchanged :unchanged, skipped :skipped, failed :failed, warned :warned",
        "attribute_exists(PK)",
        values,
    );
    count.names.push(("#updated", "updated"));
    table.transact(scope, vec![Part::Change(mark), Part::Change(count)]).await
}

/// Ends an import whose chunks are all written; false when it had ended. 1 request, 1 W and 1 for index 1.
///
/// # Errors
/// Those of the database.
pub async fn complete(table: &CoreTable, scope: &TenantScope, id: ImportId, status: ImportStatus, now: Timestamp) -> Result<bool, StoreError> {
    end(table, scope, id, status, None, "phase = :writing", now).await
}

/// Ends an import that can't go on; false when it was past the given step. 1 request, 1 W and 1 for index 1.
///
/// # Errors
/// Those of the database.
pub async fn fail(table: &CoreTable, scope: &TenantScope, id: ImportId, reason: &str, now: Timestamp) -> Result<bool, StoreError> {
    end(table, scope, id, ImportStatus::Failed, Some(reason), "phase <> :ended", now).await
}

async fn end(
    table: &CoreTable,
    scope: &TenantScope,
    id: ImportId,
    status: ImportStatus,
    reason: Option<&str>,
    condition: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut values = vec![(":status", word(&status)?), (":now", number(now.as_millisecond())), (":ended", word(&Phase::Ended)?)];
    let mut update = "SET #status = :status, phase = :ended, finished_at = :now".to_owned();
    if let Some(reason) = reason {
        update.push_str(", failure_reason = :reason");
        values.push((":reason", AttributeValue::S(reason.to_owned())));
    } else {
        values.push((":writing", word(&Phase::Writing)?));
    }
    let mut change = step(scope, id, &update, condition, values);
    change.names.push(("#status", "status"));
    table.change(scope, change).await
}
