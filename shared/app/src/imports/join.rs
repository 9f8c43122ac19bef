//! Joining the checks of all chunks: of rows with the same key only the last is used, wherever in the file they stand.

use std::collections::HashMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use switchboard_domain::imports::{Import, Phase, Piece, RowKey, read_keys};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{TenantScope, imports};

use super::rows::{self, RowsMessage, Step};
use super::{ImportServices, LANES, Place, errors_file, lanes};
use crate::error::AppError;

/// How many keys are held in memory at once: some 40 bytes each.
const KEYS_AT_ONCE: u64 = 400_000;
/// Files that are read or written at once.
const AT_ONCE: usize = 32;
/// By then the chunks that another worker sent have been begun.
const OTHER_HAS_SENT: Duration = Duration::from_secs(30);

/// Before every chunk is checked there is nothing to do: the last one asks again. Leaves each chunk the list of its overtaken rows. What is to be written is sent; else
/// the rows that would fail are gathered, and the import waits. 1 request to the results bucket per chunk and pass over 400,000 keys, 1 more per chunk, 1 W, 2 R.
///
/// Chunks that are checked at the same moment all ask for the join. Of these the one that begins the writing sends the chunks; the others come back to see whether it
/// did, so that no chunk is written twice for nothing: 1 request to the queue, and 4 R then.
pub(super) async fn run(services: &ImportServices, tenant: &OpenTenant, import: &Import, redelivered: bool) -> Result<(), AppError> {
    let (core, scope, run) = (&services.services.core, &tenant.scope, import.check_run);
    if import.phase == Phase::Checking {
        if import.chunks_checked < import.chunks {
            return Ok(());
        }
        let place = Place::of(scope, import.id);
        let overtaken = overtaken(services, import, &place).await?;
        let skipped = overtaken.iter().map(|rows| rows.len() as u64).sum();
        let written = stream::iter((1..=import.chunks).zip(overtaken)).map(|(chunk, rows)| {
            let key = place.overtaken(run, chunk);
            async move { services.results.put_json(&key, &rows).await }
        });
        written.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        if !import.writes {
            errors_file::gather_found(services, tenant, import).await?;
            if imports::finish_checking(core, scope, import.id, run, skipped).await? {
                return Ok(());
            }
            // Somebody started it meanwhile.
        }
        let at = services.services.clock.now();
        imports::begin_writing(core, scope, import.id, run, at).await?;
        let Some(now) = imports::get(core, scope, import.id).await?.filter(is_first_writing) else {
            return Ok(());
        };
        // The answer to the write may have been lost: the time tells whose it was.
        if now.writing_since.is_some_and(|since| since.as_millisecond() == at.as_millisecond()) {
            return lanes::begin(services, scope, import, Step::Write).await;
        }
        if !redelivered {
            let message = RowsMessage { tenant: scope.tenant(), import: import.id, step: Step::Join { run } };
            return Ok(services.rows.send_delayed(&message, OTHER_HAS_SENT).await?);
        }
    } else if !is_first_writing(import) {
        return Ok(());
    }
    send_unbegun(services, scope, import).await
}

/// Whether it is written, and wasn't stopped since that began.
fn is_first_writing(import: &Import) -> bool {
    import.phase == Phase::Writing && import.write_run == 1
}

/// Sends the first chunk of each lane, unless a worker has it.
async fn send_unbegun(services: &ImportServices, scope: &TenantScope, import: &Import) -> Result<(), AppError> {
    let mut steps = Vec::new();
    for piece in (1..=import.chunks.min(LANES)).map(Piece::whole) {
        if rows::chunk(services, scope, import, piece).await?.begun == 0 {
            steps.push(Step::Write(piece));
        }
    }
    lanes::send(services, scope, import, steps).await
}

/// The rows of each chunk that a later one overtakes, in order.
async fn overtaken(services: &ImportServices, import: &Import, place: &Place) -> Result<Vec<Vec<u64>>, AppError> {
    let passes = import.rows_total.unwrap_or(0).div_ceil(KEYS_AT_ONCE).max(1);
    let mut overtaken: Vec<Vec<u64>> = vec![Vec::new(); import.chunks as usize];
    for pass in 0..passes {
        let mut last: HashMap<RowKey, (u64, u32)> = HashMap::new();
        let files = stream::iter(1..=import.chunks).map(|chunk| async move {
            let file = services.results.get(&place.keys(import.check_run, chunk)).await?;
            Ok::<_, AppError>((chunk, file.ok_or_else(|| AppError::Broken(format!("the check of chunk {chunk} is gone")))?))
        });
        let mut files = std::pin::pin!(files.buffered(AT_ONCE));
        while let Some((chunk, file)) = files.try_next().await? {
            let keys = read_keys(&file).ok_or_else(|| AppError::Broken(format!("the check of chunk {chunk} can't be read")))?;
            for (key, row) in keys.filter(|(key, _)| key.part(passes) == pass) {
                if let Some((earlier, earlier_chunk)) = last.insert(key, (row, chunk)) {
                    overtaken[earlier_chunk as usize - 1].push(earlier);
                }
            }
        }
    }
    for rows in &mut overtaken {
        rows.sort_unstable();
    }
    Ok(overtaken)
}
