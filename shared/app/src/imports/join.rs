//! Joining the checks of all chunks: of rows with the same key only the last is used, wherever in the file they stand.

use std::collections::HashMap;

use switchboard_domain::ids::ContactId;
use switchboard_domain::imports::{Import, Phase};
use switchboard_store::imports;
use switchboard_store::tenants::OpenTenant;

use super::rows::{RowsMessage, Step};
use super::{ChunkCheck, ImportServices, Place};
use crate::error::AppError;

/// How many keys are held in memory at once: some 100 bytes each.
const KEYS_AT_ONCE: u64 = 250_000;

/// Before every chunk is checked there is nothing to do: the last one asks again. Leaves each chunk the list of its overtaken rows and sends the chunks to be written. 2 requests to the results bucket per chunk and pass,
/// 1 W, and 1 request per 10 chunks to the queue.
pub(super) async fn run(services: &ImportServices, tenant: &OpenTenant, import: &Import) -> Result<(), AppError> {
    let place = Place::of(&tenant.scope, import.id);
    if import.phase == Phase::Checking {
        if import.chunks_checked < import.chunks {
            return Ok(());
        }
        let passes = import.rows_total.unwrap_or(0).div_ceil(KEYS_AT_ONCE).max(1);
        let mut overtaken: Vec<Vec<u64>> = vec![Vec::new(); import.chunks as usize];
        for pass in 0..passes {
            let mut last: HashMap<ContactId, (u64, usize)> = HashMap::new();
            for chunk in 1..=import.chunks {
                let check: ChunkCheck =
                    services.results.get_json(&place.check(chunk)).await?.ok_or_else(|| AppError::Broken(format!("the check of chunk {chunk} is gone")))?;
                let index = (chunk - 1) as usize;
                for (key, row) in check.keys.into_iter().filter(|(key, _)| u64::from(key.shard(1 << 16)) % passes == pass) {
                    if let Some((earlier, earlier_index)) = last.insert(key, (row, index)) {
                        overtaken[earlier_index].push(earlier);
                    }
                }
            }
        }
        for (chunk, mut rows) in (1..=import.chunks).zip(overtaken) {
            rows.sort_unstable();
            services.results.put_json(&place.overtaken(chunk), &rows).await?;
        }
        imports::begin_writing(&services.services.core, &tenant.scope, import.id, services.services.clock.now()).await?;
    }
    let messages: Vec<RowsMessage> =
        (1..=import.chunks).map(|chunk| RowsMessage { tenant: tenant.scope.tenant(), import: import.id, step: Step::Write { chunk } }).collect();
    Ok(services.rows.send(&messages).await?)
}
