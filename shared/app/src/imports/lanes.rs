//! How many chunks of an import are handled at once: each one, when it is done, hands its place to the one [`LANES`] further on. So a million rows of one tenant
//! stand in no one's way, whatever else waits in the queue.

use switchboard_domain::imports::{Import, Piece};
use switchboard_store::TenantScope;
use switchboard_store::imports::{self, Chunk};

use super::ImportServices;
use super::rows::{RowsMessage, Step};
use crate::error::AppError;

/// Chunks of one import that are handled at once.
pub const LANES: u32 = 4;

/// Sends steps of an import.
pub(super) async fn send(services: &ImportServices, scope: &TenantScope, import: &Import, steps: impl IntoIterator<Item = Step>) -> Result<(), AppError> {
    let messages: Vec<RowsMessage> = steps.into_iter().map(|step| RowsMessage { tenant: scope.tenant(), import: import.id, step }).collect();
    Ok(services.rows.send(&messages).await?)
}

/// Sends the first chunk of each lane. 1 request.
pub(super) async fn begin(services: &ImportServices, scope: &TenantScope, import: &Import, step: impl Fn(Piece) -> Step) -> Result<(), AppError> {
    send(services, scope, import, (1..=import.chunks.min(LANES)).map(|chunk| step(Piece::whole(chunk)))).await
}

/// Sends the first piece of each lane that isn't done. 1 R per 20 chunks, 1 request.
pub(super) async fn go_on(
    services: &ImportServices,
    scope: &TenantScope,
    import: &Import,
    is_done: impl Fn(&Chunk) -> bool,
    step: impl Fn(Piece) -> Step,
) -> Result<(), AppError> {
    let chunks = imports::chunks(&services.services.core, scope, import.id).await?;
    let mut lanes = [None; LANES as usize];
    for chunk in chunks.iter().filter(|chunk| !is_done(chunk)) {
        lanes[(chunk.range.number % LANES) as usize].get_or_insert(chunk.piece());
    }
    send(services, scope, import, lanes.into_iter().flatten().map(step)).await
}

/// Hands a chunk's place to the next of its lane, if there is one that isn't done. 1 R, 1 request.
pub(super) async fn hand_on(
    services: &ImportServices,
    scope: &TenantScope,
    import: &Import,
    piece: Piece,
    is_done: impl Fn(&Chunk) -> bool,
    step: impl Fn(Piece) -> Step,
) -> Result<(), AppError> {
    let mut number = piece.chunk.saturating_add(LANES);
    while number <= import.chunks {
        // A chunk that is done may have left a rest, which is the lane's too.
        let mut next = Some(Piece::whole(number));
        while let Some(piece) = next {
            let chunk = imports::chunk(&services.services.core, scope, import.id, piece).await?;
            let Some(chunk) = chunk.filter(&is_done) else {
                return send(services, scope, import, [step(piece)]).await;
            };
            next = chunk.left_at.map(|row| piece.rest(row));
        }
        number = number.saturating_add(LANES);
    }
    Ok(())
}
