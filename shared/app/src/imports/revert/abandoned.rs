//! What a worker wrote of a piece that it never finished, because it died and the import was stopped before another went on.

use std::collections::HashSet;

use jiff::SignedDuration;
use switchboard_domain::imports::{Import, ImportKind, ImportOptions, OnDeleted, OnExisting, Row, RowCounts, Undoing};
use switchboard_platform::PlatformError;
use switchboard_store::imports::{self, Chunk};
use switchboard_store::tenants::OpenTenant;

use super::WRITER_LEAVES;
use crate::error::AppError;
use crate::imports::agents::Agents;
use crate::imports::contacts::Contacts;
use crate::imports::kinds::{Foresees, Prepared};
use crate::imports::preview::RowOutcome;
use crate::imports::suppressions::Suppressions;
use crate::imports::{ImportServices, Place, WrittenRow, rows, write_rows, written_key};
use crate::services::Services;

/// Rows whose records are read in one request.
const BATCH: usize = 100;
/// The kind of record that an import is.
pub(super) const IMPORT: &str = "import";
/// Why the whole import is listed among what stayed.
pub(super) const UNKNOWN: &str = "Some of its rows were being written when it stopped, and its file is gone: what they wrote can't be told any more, and stays.";

/// Whether no worker writes its pieces any more: one that does leaves within seconds.
pub(super) fn is_left_for_good(services: &ImportServices, import: &Import) -> bool {
    let leaves = SignedDuration::try_from(WRITER_LEAVES).unwrap_or(SignedDuration::MAX);
    services.services.clock.now().duration_since(Undoing::of(import).asked_at()) >= leaves
}

/// Finds out what was written of a piece, and counts it as written; none when its file is gone. Its rows are read again and looked up, twice; nothing is written of
/// them. 2 requests to buckets and 2 more for what was found, 2 R a row, 2 × 2 W.
pub(super) async fn written(services: &ImportServices, tenant: &OpenTenant, import: &Import, chunk: &Chunk) -> Result<Option<Vec<WrittenRow>>, AppError> {
    let rows: Vec<Row> = match rows::read(services, import, chunk).await {
        Err(AppError::Platform(PlatformError::NotFound(_) | PlatformError::Changed(_))) => return Ok(None),
        part => part?.rows().collect(),
    };
    let (place, piece) = (Place::of(&tenant.scope, import.id), chunk.piece());
    let overtaken: Option<Vec<u64>> = services.results.get_json(&place.overtaken(import.checked_run, piece.chunk)).await?;
    let overtaken = overtaken.ok_or_else(|| AppError::Broken(format!("the join of chunk {} is gone", piece.chunk)))?;
    let mut left_out: HashSet<u64> = overtaken.into_iter().collect();
    left_out.extend(not_there(&services.services, tenant, import, &rows).await?);
    // Rows that were written find that out; of all others the records stay as they are.
    let options = ImportOptions { on_existing: OnExisting::Skip, on_deleted: OnDeleted::Skip, ..import.options.clone() };
    let result = write_rows(&services.services, tenant, &Import { options, ..import.clone() }, rows, &left_out, true).await?;
    let counts = RowCounts { created: result.counts.created, updated: result.counts.updated, ..RowCounts::default() };
    services.results.put_json(&place.result(chunk), &result).await?;
    services.results.put(&place.failed_rows(chunk), "text/csv", Vec::new()).await?;
    services.results.put_json(&written_key(tenant.record.id, import.id, piece, None), &result.written).await?;
    let (core, now) = (&services.services.core, services.services.clock.now());
    if !imports::finish_write(core, &tenant.scope, import.id, piece, &counts, None, now).await? {
        // Its writer was still there, and says what was written.
        return Err(AppError::Unavailable("a chunk that was finished meanwhile"));
    }
    Ok(Some(result.written))
}

/// The rows whose records aren't there: what they would make wasn't made.
async fn not_there(services: &Services, tenant: &OpenTenant, import: &Import, rows: &[Row]) -> Result<Vec<u64>, AppError> {
    match import.kind {
        ImportKind::Contacts => creations(&mut Contacts::of(services, tenant, import, true).await?, rows).await,
        ImportKind::Agents => creations(&mut Agents::of(services, tenant, import, true).await?, rows).await,
        ImportKind::Suppressions => creations(&mut Suppressions::of(services, tenant, import, true), rows).await,
    }
}

async fn creations(kind: &mut impl Foresees, rows: &[Row]) -> Result<Vec<u64>, AppError> {
    let mut creations = Vec::new();
    for batch in rows.chunks(BATCH) {
        let mut ready = Vec::with_capacity(batch.len());
        for row in batch {
            if let Prepared::Ready(usable, _) = kind.prepare(row).await? {
                ready.push(usable);
            }
        }
        let foreseen = kind.foresee(ready).await?;
        creations.extend(foreseen.into_iter().filter(|(_, outcome, _)| *outcome == RowOutcome::Create).map(|(row, _, _)| row));
    }
    Ok(creations)
}
