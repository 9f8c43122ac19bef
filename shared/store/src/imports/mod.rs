//! Imports and their chunks: the record, its progress, and the steps that may each be taken once.

mod chunks;
mod steps;

pub use chunks::*;
pub use steps::*;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::actor::Actor;
use switchboard_domain::change::Change;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{
    ColumnMapping, Dialect, Import, ImportKind, ImportOptions, ImportSourceType, ImportStatus, Phase, RevertCounts, RowCounts, StagedFile,
};

use crate::error::StoreError;
use crate::item::{Item, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Page, Part, Written};

/// The type of an import's item.
pub const IMPORT: &str = "import";

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
    pieces_written: u32,
    created: u64,
    updated: u64,
    unchanged: u64,
    skipped: u64,
    failed: u64,
    warned: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    options: ImportOptions,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    check_run: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    checked_run: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    found_failed: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    found_skipped: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    found_warned: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    writes: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    write_run: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    rests: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    pieces_reverted: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    removed: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    restored: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    kept: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    has_errors_file: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_change: Option<Change>,
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

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
        pieces_written: import.pieces_written,
        created: import.counts.created,
        updated: import.counts.updated,
        unchanged: import.counts.unchanged,
        skipped: import.counts.skipped,
        failed: import.counts.failed,
        warned: import.counts.warned,
        options: import.options.clone(),
        profile: import.profile.clone(),
        check_run: import.check_run,
        checked_run: import.checked_run,
        found_failed: import.found.failed,
        found_skipped: import.found.skipped,
        found_warned: import.found.warned,
        writes: import.writes,
        write_run: import.write_run,
        rests: import.rests,
        pieces_reverted: import.pieces_reverted,
        removed: import.reverted.removed,
        restored: import.reverted.restored,
        kept: import.reverted.kept,
        has_errors_file: import.has_errors_file,
        last_change: import.last_change.clone(),
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
        pieces_written: item.pieces_written,
        counts: RowCounts { created: item.created, updated: item.updated, unchanged: item.unchanged, skipped: item.skipped, failed: item.failed, warned: item.warned },
        options: item.options,
        profile: item.profile,
        check_run: item.check_run,
        checked_run: item.checked_run,
        found: RowCounts { failed: item.found_failed, skipped: item.found_skipped, warned: item.found_warned, ..RowCounts::default() },
        writes: item.writes,
        write_run: item.write_run,
        rests: item.rests,
        pieces_reverted: item.pieces_reverted,
        reverted: RevertCounts { removed: item.removed, restored: item.restored, kept: item.kept },
        has_errors_file: item.has_errors_file,
        last_change: item.last_change,
        created_by: item.created_by,
        created_at: item.created_at,
        started_at: item.started_at,
        writing_since: item.writing_since,
        finished_at: item.finished_at,
    })
}

/// Reads an import. 1 request, 1 R per started 4 KB.
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

/// The part of a transaction that makes an import.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be written down.
pub fn creation(scope: &TenantScope, import: &Import) -> Result<Part, StoreError> {
    Ok(Part::Insert { item: encode(scope, import)?, expired_before: None })
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
