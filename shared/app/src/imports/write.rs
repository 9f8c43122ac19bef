//! Writing a chunk: its rows are read again, by the same code as in the check, and brought together with the records there are. Each is counted once, however often
//! the message comes.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use switchboard_domain::imports::{Import, ImportKind, Phase, Piece, Row};
use switchboard_store::imports::{self, Chunk};
use switchboard_store::tenants::OpenTenant;

use super::check::write_errors;
use super::contacts::Contacts;
use super::kinds::{Kind, Prepared, Tally};
use super::rows::{self, Step};
use super::{ChunkResult, ImportServices, Place, agents, lanes, suppressions, written_key};
use crate::error::AppError;
use crate::services::Services;

/// Rows that are written together: of contacts what is there is read in four requests at once, and new ones are written in eight.
const BATCH: usize = 200;
/// How long a worker writes without looking whether it is to stop.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// Writes one chunk, or the rest of one, and hands its place to the next; the last one to be written asks for the end. Beside its rows 5 R, 1 W and 2 × 2 W, 1 R a
/// second, and 5 requests to buckets. One that comes again hands its place on first.
pub(super) async fn run(services: &ImportServices, tenant: &OpenTenant, import: &Import, piece: Piece, redelivered: bool, deadline: Instant) -> Result<(), AppError> {
    let (core, scope) = (&services.services.core, &tenant.scope);
    let hand_on = || lanes::hand_on(services, scope, import, piece, |chunk| chunk.written || chunk.begun >= import.write_run, Step::Write);
    let mut chunk = rows::chunk(services, scope, import, piece).await?;
    if redelivered {
        hand_on().await?;
    }
    if !chunk.written {
        let place = Place::of(scope, import.id);
        // The file first: it is gone sooner than what was found out of it, and then the import says so.
        let part = rows::read(services, import, &chunk).await?;
        let overtaken: Vec<u64> = services
            .results
            .get_json(&place.overtaken(import.checked_run, piece.chunk))
            .await?
            .ok_or_else(|| AppError::Broken(format!("the join of chunk {} is gone", piece.chunk)))?;
        // Two joins at once send a chunk twice, each as if for the first time; and one that was stopped may have been begun. The chunk itself knows.
        let is_first = imports::begin_write(core, scope, import.id, piece, import.write_run).await? && chunk.begun == 0 && !redelivered;
        // Whoever undoes the import waits for the chunks that were begun before. It may have been stopped, and undone, since this message was taken up.
        match imports::get(core, scope, import.id).await?.map(|now| now.phase) {
            Some(Phase::Writing) => {}
            Some(Phase::Reverting) => return lanes::send(services, scope, import, [Step::Revert(piece)]).await,
            _ => return Ok(()),
        }
        let mut stop = Stop { services, tenant, import, deadline, looked: Instant::now() };
        let written = write(&services.services, tenant, import, part.rows(), &overtaken.into_iter().collect(), !is_first, &mut stop).await?;
        let result = &written.result;
        // Another worker on the same chunk may leave it elsewhere: the names say where, and the chunk says which counts.
        let done = Chunk { left_at: written.left_at, ..chunk };
        services.results.put_json(&place.result(&done), result).await?;
        services.results.put(&place.failed_rows(&done), "text/csv", written.failed_rows).await?;
        services.results.put_json(&written_key(tenant.record.id, import.id, piece, written.left_at), &result.written).await?;
        let left = written.left_at.map(|row| (chunk.range, row));
        imports::finish_write(core, scope, import.id, piece, &result.counts, left, services.services.clock.now()).await?;
        chunk = rows::chunk(services, scope, import, piece).await?;
    }
    let Some(now) = imports::get(core, scope, import.id).await? else {
        return Ok(());
    };
    match now.phase {
        Phase::Writing => {}
        // Somebody stopped it while these rows were written: they belong to its end,
        Phase::Ended => return lanes::send(services, scope, import, [Step::Finish]).await,
        // or are to be undone with the others.
        Phase::Reverting => return lanes::send(services, scope, import, [Step::Revert(piece)]).await,
        _ => return Ok(()),
    }
    if let Some(row) = chunk.left_at {
        return lanes::send(services, scope, import, [Step::Write(piece.rest(row))]).await;
    }
    if now.pieces_written == now.pieces() {
        return lanes::send(services, scope, import, [Step::Finish]).await;
    }
    if redelivered { Ok(()) } else { hand_on().await }
}

/// Tells when a worker is to leave its chunk.
struct Stop<'a> {
    services: &'a ImportServices,
    tenant: &'a OpenTenant,
    import: &'a Import,
    deadline: Instant,
    looked: Instant,
}

/// What tells a worker whether to go on.
pub(super) trait Leaves {
    /// Whether no further rows are to be begun.
    async fn is_time(&mut self) -> Result<bool, AppError>;
}

impl Leaves for Stop<'_> {
    async fn is_time(&mut self) -> Result<bool, AppError> {
        let now = Instant::now();
        if now >= self.deadline {
            return Ok(true);
        }
        if now.duration_since(self.looked) < LOOKS_EVERY {
            return Ok(false);
        }
        self.looked = now;
        let import = imports::get(&self.services.services.core, &self.tenant.scope, self.import.id).await?;
        Ok(import.is_none_or(|import| import.phase != Phase::Writing))
    }
}

/// Nothing makes this worker leave.
struct Never;

impl Leaves for Never {
    async fn is_time(&mut self) -> Result<bool, AppError> {
        Ok(false)
    }
}

/// What a worker wrote.
pub(super) struct Written {
    /// What became of the rows.
    result: ChunkResult,
    /// The rows that failed, for the file of them.
    failed_rows: Vec<u8>,
    /// The row that it left at.
    left_at: Option<u64>,
}

/// Writes rows, but for those overtaken by a later row with the same key. For contacts per 100 rows 2 requests that read them and their entries in the suppression list (1 R each); for new ones 1 insert per
/// 25, for changed ones 1 conditional write each, for unchanged ones nothing.
///
/// # Errors
/// Those of the database. Rows before the failing one may be written; given again, they are found and counted the same.
pub async fn write_rows(
    services: &Services,
    tenant: &OpenTenant,
    import: &Import,
    rows: Vec<Row>,
    overtaken: &HashSet<u64>,
    redelivered: bool,
) -> Result<ChunkResult, AppError> {
    Ok(write(services, tenant, import, rows.into_iter(), overtaken, redelivered, &mut Never).await?.result)
}

async fn write(
    services: &Services,
    tenant: &OpenTenant,
    import: &Import,
    rows: impl Iterator<Item = Row>,
    overtaken: &HashSet<u64>,
    redelivered: bool,
    stop: &mut impl Leaves,
) -> Result<Written, AppError> {
    match import.kind {
        ImportKind::Contacts => bring_in(&mut Contacts::of(services, tenant, import, redelivered).await?, import, rows, overtaken, stop).await,
        ImportKind::Agents => bring_in(&mut agents::Agents::of(services, tenant, import, redelivered).await?, import, rows, overtaken, stop).await,
        ImportKind::Suppressions => bring_in(&mut suppressions::Suppressions::of(services, tenant, import, redelivered), import, rows, overtaken, stop).await,
    }
}

async fn bring_in(
    kind: &mut impl Kind,
    import: &Import,
    mut rows: impl Iterator<Item = Row>,
    overtaken: &HashSet<u64>,
    stop: &mut impl Leaves,
) -> Result<Written, AppError> {
    let mut tally = Tally::default();
    let mut failed_rows = Vec::new();
    let mut left_at = None;
    let mut is_first = true;
    loop {
        let batch: Vec<Row> = rows.by_ref().take(BATCH).collect();
        let Some(first) = batch.first() else {
            break;
        };
        // The first batch is written always: so a message that comes late gets on, and is neither lost nor sent round for ever.
        if !std::mem::take(&mut is_first) && stop.is_time().await? {
            left_at = Some(first.number);
            break;
        }
        let before = tally.errors.len();
        let mut ready = Vec::with_capacity(BATCH);
        for row in &batch {
            // Nothing is looked up or made for what such a row names.
            if overtaken.contains(&row.number) {
                tally.counts.skipped += 1;
                continue;
            }
            match kind.prepare(row).await? {
                Prepared::Failed(errors) => tally.fail(errors),
                Prepared::Ready(usable, warnings) => {
                    tally.counts.warned += u64::from(!warnings.is_empty());
                    tally.errors.extend(warnings);
                    ready.push(usable);
                }
            }
        }
        kind.write(ready, &batch, &mut tally).await?;
        let errors = &mut tally.errors[before..];
        errors.sort_by_key(|error| error.row);
        for row in &batch {
            let start = errors.partition_point(|error| error.row < row.number);
            let end = errors.partition_point(|error| error.row <= row.number);
            write_errors(&mut failed_rows, import, row, &errors[start..end]);
        }
    }
    let result = ChunkResult { counts: tally.counts, errors: tally.errors, written: tally.written };
    Ok(Written { result, failed_rows, left_at })
}
