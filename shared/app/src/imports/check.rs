//! Checking a chunk: every row is read and validated, and nothing is written but what the join needs and what a person is to know.

use switchboard_domain::imports::{Import, ImportKind, Phase, Piece, Row, RowCounts, RowError, RowKey, write_failed_row, write_keys};
use switchboard_store::imports;
use switchboard_store::tenants::OpenTenant;

use super::contacts::Contacts;
use super::kinds::{Kind, Prepared};
use super::rows::{self, Step};
use super::{ImportServices, Place, agents, lanes, suppressions};
use crate::error::AppError;

/// What the check of a chunk found.
#[derive(Default)]
struct Found {
    keys: Vec<(RowKey, u64)>,
    errors: Vec<RowError>,
    failed_rows: Vec<u8>,
    counts: RowCounts,
}

/// Checks one chunk, and hands its place to the next; the last one to be checked asks for the join. 3 R, 2 × 2 W; 1 request for the bytes and 3 for what was found.
/// One that comes again hands its place on first: should it never come through, no other waits for it.
pub(super) async fn run(services: &ImportServices, tenant: &OpenTenant, import: &Import, number: u32, redelivered: bool) -> Result<(), AppError> {
    let (core, piece, run) = (&services.services.core, Piece::whole(number), import.check_run);
    let hand_on = || lanes::hand_on(services, &tenant.scope, import, piece, |chunk| chunk.checked >= run, |piece| Step::Check { chunk: piece.chunk, run });
    let chunk = rows::chunk(services, &tenant.scope, import, piece).await?;
    if redelivered {
        hand_on().await?;
    }
    if chunk.checked < run {
        let part = rows::read(services, import, &chunk).await?;
        let found = match import.kind {
            ImportKind::Contacts => find(&mut Contacts::of(&services.services, tenant, import, false).await?, import, part.rows()).await?,
            ImportKind::Agents => find(&mut agents::Agents::of(&services.services, tenant, import, false).await?, import, part.rows()).await?,
            ImportKind::Suppressions => find(&mut suppressions::Suppressions::of(&services.services, tenant, import, false), import, part.rows()).await?,
        };
        let place = Place::of(&tenant.scope, import.id);
        services.results.put(&place.keys(run, number), "application/octet-stream", write_keys(&found.keys)).await?;
        services.results.put_json(&place.found(run, number), &found.errors).await?;
        services.results.put(&place.found_rows(run, number), "text/csv", found.failed_rows).await?;
        imports::finish_check(core, &tenant.scope, import.id, number, run, &found.counts).await?;
    }
    let now = imports::get(core, &tenant.scope, import.id).await?;
    if now.is_some_and(|now| now.phase == Phase::Checking && now.check_run == run && now.chunks_checked == now.chunks) {
        return lanes::send(services, &tenant.scope, import, [Step::Join { run }]).await;
    }
    if redelivered { Ok(()) } else { hand_on().await }
}

async fn find(kind: &mut impl Kind, import: &Import, rows: impl Iterator<Item = Row>) -> Result<Found, AppError> {
    let mut found = Found::default();
    for row in rows {
        match kind.prepare(&row).await? {
            Prepared::Ready(ready, warnings) => {
                found.keys.push((ready.key, ready.row));
                found.counts.warned += u64::from(!warnings.is_empty());
                found.errors.extend(warnings);
            }
            Prepared::Failed(errors) => {
                found.counts.failed += 1;
                write_errors(&mut found.failed_rows, import, &row, &errors);
                found.errors.extend(errors);
            }
        }
    }
    Ok(found)
}

/// Writes a row that failed, with the first thing that is wrong with it.
pub(super) fn write_errors(out: &mut Vec<u8>, import: &Import, row: &Row, errors: &[RowError]) {
    if let Some(error) = errors.iter().find(|error| !error.warning) {
        write_failed_row(out, &row.cells, import.mapping.len(), error.field.as_deref(), &error.message);
    }
}
