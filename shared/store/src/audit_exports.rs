//! Exports of the audit trail: each one item, written as a whole over the revision it was decided on.
//!
//! The item stays far below 400 KB: the parts of the file are at most 1,000 of some 80 bytes, and there is a day of some 13 bytes for each on which events were
//! recorded. Nothing in it is personal: whom it is about is an id.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use switchboard_domain::audit_export::{AuditExport, AuditExportFilter, AuditExportFormat, Reached};
use switchboard_domain::bulk_job::BulkJobStatus;
use switchboard_domain::change::Origin;
use switchboard_domain::file_parts::FileParts;
use switchboard_domain::ids::AuditExportId;

use crate::error::StoreError;
use crate::item::{Item, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Page, Part};

/// The type of its items.
pub const AUDIT_EXPORT: &str = "audit_export";

#[derive(Serialize, Deserialize)]
struct AuditExportItem {
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
    id: AuditExportId,
    format: AuditExportFormat,
    filter: AuditExportFilter,
    readable: bool,
    origin: Origin,
    status: BulkJobStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    cancel_requested: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reached: Option<Reached>,
    is_written: bool,
    events: u64,
    bytes: u64,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    days: BTreeSet<Date>,
    file: FileParts,
    #[serde(with = "switchboard_domain::clock::millis")]
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    finished_at: Option<Timestamp>,
    revision: u32,
    writer: String,
}

fn encode(scope: &TenantScope, export: &AuditExport) -> Result<Item, StoreError> {
    let key = keys::audit_export(scope, export.id);
    let form = AuditExportItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: keys::audit_export_list(scope),
        list_sk: export.id.to_string(),
        item_type: AUDIT_EXPORT.to_owned(),
        id: export.id,
        format: export.format,
        filter: export.filter.clone(),
        readable: export.readable,
        origin: export.origin.clone(),
        status: export.status,
        failure_reason: export.failure_reason.clone(),
        cancel_requested: export.cancel_requested,
        reached: export.reached.clone(),
        is_written: export.is_written,
        events: export.events,
        bytes: export.bytes,
        days: export.days.clone(),
        file: export.file.clone(),
        created_at: export.created_at,
        started_at: export.started_at,
        finished_at: export.finished_at,
        revision: export.revision,
        writer: export.writer.clone(),
    };
    to_item(AUDIT_EXPORT, &form)
}

/// Reads an item of an export.
///
/// # Errors
/// [`StoreError::Undecodable`] when it isn't one.
pub fn decode(item: Item) -> Result<AuditExport, StoreError> {
    let item: AuditExportItem = from_item(AUDIT_EXPORT, item)?;
    Ok(AuditExport {
        id: item.id,
        format: item.format,
        filter: item.filter,
        readable: item.readable,
        origin: item.origin,
        status: item.status,
        failure_reason: item.failure_reason,
        cancel_requested: item.cancel_requested,
        reached: item.reached,
        is_written: item.is_written,
        events: item.events,
        bytes: item.bytes,
        days: item.days,
        file: item.file,
        created_at: item.created_at,
        started_at: item.started_at,
        finished_at: item.finished_at,
        revision: item.revision,
        writer: item.writer,
    })
}

/// Writes a new export, and the other parts with it or nothing; false when one of them didn't hold. 1 request; 1 W and 1 for index 1, with other parts a
/// transaction of twice the units.
///
/// # Errors
/// Those of the database.
pub async fn create(table: &CoreTable, scope: &TenantScope, export: &AuditExport, parts: Vec<Part>) -> Result<bool, StoreError> {
    table.create(scope, encode(scope, export)?, parts).await
}

/// Reads an export, strongly consistent. 1 request, 1 R per started 4 KB.
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, scope: &TenantScope, id: AuditExportId) -> Result<Option<AuditExport>, StoreError> {
    table.get(scope, &keys::audit_export(scope, id)).await?.map(decode).transpose()
}

/// Writes an export over the revision before its own; false when another one stands there. When the answer to an earlier attempt was lost, the attempt that
/// finds its own writing is true. 1 request; 1 W per started KB, and 1 for index 1 when what that carries changes.
///
/// # Errors
/// Those of the database.
pub async fn save(table: &CoreTable, scope: &TenantScope, export: &AuditExport) -> Result<bool, StoreError> {
    let item = encode(scope, export)?;
    table.save(scope, item, export.revision, |there| Ok(decode(there)? == *export)).await
}

/// Lists exports, newest first, those older than the place `after` (an export's id). 2 requests: half an R per started 4 KB of the list, and half an R per
/// started 4 KB of each export.
///
/// # Errors
/// Those of the database.
pub async fn newest(table: &CoreTable, scope: &TenantScope, after: Option<&str>, first: usize) -> Result<Page<AuditExport>, StoreError> {
    let Page { entries, has_more } = table.newest_whole(scope, &keys::audit_export_list(scope), after, first).await?;
    let mut exports: Vec<AuditExport> = entries.into_iter().map(decode).collect::<Result<_, _>>()?;
    exports.sort_by_key(|export| std::cmp::Reverse(export.id));
    Ok(Page { entries: exports, has_more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use switchboard_domain::audit_export::Added;
    use switchboard_domain::file_parts::FilePart;
    use switchboard_domain::ids::TenantId;

    #[test]
    fn an_export_reads_back_from_its_item_at_every_step() {
        let (now, day) = (Timestamp::from_millisecond(1_764_500_000_123).unwrap(), date(2026, 11, 30));
        let scope = TenantScope::vouched(TenantId::new(now, &[1; 10]));
        let filter = AuditExportFilter { actor: Some("u".to_owned()), from: Some(now), ..AuditExportFilter::default() };
        let asked = AuditExport::asked(AuditExportId::new(now, &[2; 10]), AuditExportFormat::JsonLines, filter, true, Origin::system(), now);
        let added = Added { events: 3, bytes: 5_000_000_000, days: BTreeSet::from([day]) };
        let begun = asked.begun(now);
        let aside = begun.set_aside("rest", &added, Reached::Archive { day, file: Some("key".to_owned()) });
        let part = FilePart { number: 1, tag: "tag".to_owned(), checksum: Some("sum".to_owned()) };
        let uploaded = aside.numbered("upload").uploaded(Some(part), &added, Some(Reached::Seals { day, hashes: 7 }));
        for export in [asked, begun.asked_to_stop(now), aside, uploaded.clone(), uploaded.written(&added, now), begun.failed("why", now)] {
            assert_eq!(decode(encode(&scope, &export).unwrap()).unwrap(), export);
        }
    }
}
