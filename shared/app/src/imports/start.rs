//! Checking the rows of an import, and starting it.

use switchboard_domain::change::Change;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{Import, Phase, Start};
use switchboard_store::{TenantScope, imports};

use super::access::{check_any, check_kind};
use super::rows::Step;
use super::{ImportServices, lanes};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::viewer::Viewer;

/// How often it is looked at again because somebody else was faster.
const ATTEMPTS: usize = 4;

/// Checks every row of an import and writes nothing: what would fail, and which rows share a record. Asked for while that is being done, it is done once. 2 R, 1 W and 1
/// request to the queue.
///
/// # Errors
/// [`AppError::Forbidden`] without the permission for imports of its kind, [`AppError::NotFound`]; those of the database and of the queue. What a person can mend is in the inner result.
pub async fn dry_run(services: &ImportServices, viewer: &Viewer, id: GivenId<ImportId>) -> Result<Result<Import, Vec<UserError>>, AppError> {
    let (core, scope) = (&services.services.core, &viewer.tenant.scope);
    for _ in 0..ATTEMPTS {
        let import = find(services, viewer, id).await?;
        if import.phase == Phase::Checking && !import.writes {
            check_again(services, scope, &import).await?;
            return Ok(Ok(import));
        }
        if let Err(error) = import.check_dry_run() {
            return Ok(Err(vec![error.into()]));
        }
        let change = Change::new("import.dry_run", services.services.clock.now(), viewer.origin());
        if imports::begin_checking(core, scope, import.id, import.check_run, false, &change).await? {
            let import = find(services, viewer, id).await?;
            check(services, viewer, &import).await?;
            return Ok(Ok(import));
        }
    }
    Err(AppError::Unavailable("an import that keeps changing"))
}

/// Starts an import: its rows are checked, unless that was done, and then written. One that failed or was cancelled goes on where it stopped. Started again, it is
/// started once; what may not have been sent is sent again. 2 R, 1 W and 1 request to the queue; to go on 1 R more per 20 chunks.
///
/// # Errors
/// As [`dry_run`].
pub async fn start(services: &ImportServices, viewer: &Viewer, id: GivenId<ImportId>) -> Result<Result<Import, Vec<UserError>>, AppError> {
    let (core, scope) = (&services.services.core, &viewer.tenant.scope);
    for _ in 0..ATTEMPTS {
        let import = find(services, viewer, id).await?;
        let start = match import.start() {
            Ok(start) => start,
            Err(error) => return Ok(Err(vec![error.into()])),
        };
        let change = Change::new("import.started", services.services.clock.now(), viewer.origin());
        let is_done = match start {
            Start::Nothing => true,
            Start::Check => imports::begin_checking(core, scope, import.id, import.check_run, true, &change).await?,
            Start::Follow => imports::follow(core, scope, import.id, &change).await?,
            Start::Write => imports::begin_writing_checked(core, scope, import.id, import.check_run, &change).await?,
            Start::GoOn => imports::go_on(core, scope, import.id, import.write_run, &change).await?,
        };
        if !is_done {
            continue;
        }
        let import = find(services, viewer, id).await?;
        match import.phase {
            Phase::Checking if start == Start::Check => check(services, viewer, &import).await?,
            Phase::Checking => check_again(services, scope, &import).await?,
            Phase::Writing if start == Start::Write => lanes::begin(services, scope, &import, Step::Write).await?,
            Phase::Writing => write_again(services, viewer, &import).await?,
            _ => {}
        }
        return Ok(Ok(import));
    }
    Err(AppError::Unavailable("an import that keeps changing"))
}

/// The import, for somebody who may work with it.
pub(super) async fn find(services: &ImportServices, viewer: &Viewer, id: GivenId<ImportId>) -> Result<Import, AppError> {
    check_any(viewer)?;
    let id = id.ok_or(AppError::NotFound)?;
    let import = imports::get(&services.services.core, &viewer.tenant.scope, id).await?.ok_or(AppError::NotFound)?;
    // One of a kind that isn't theirs to import is none of theirs.
    check_kind(viewer, import.kind).map_err(|_| AppError::NotFound)?;
    Ok(import)
}

async fn check(services: &ImportServices, viewer: &Viewer, import: &Import) -> Result<(), AppError> {
    let run = import.check_run;
    lanes::begin(services, &viewer.tenant.scope, import, |piece| Step::Check { chunk: piece.chunk, run }).await
}

/// Sends what is left of a check, whose messages may never have been sent.
pub(super) async fn check_again(services: &ImportServices, scope: &TenantScope, import: &Import) -> Result<(), AppError> {
    let run = import.check_run;
    if import.chunks_checked == import.chunks {
        return lanes::send(services, scope, import, [Step::Join { run }]).await;
    }
    lanes::go_on(services, scope, import, |chunk| chunk.checked >= run, |piece| Step::Check { chunk: piece.chunk, run }).await
}

/// Sends what is left to be written.
async fn write_again(services: &ImportServices, viewer: &Viewer, import: &Import) -> Result<(), AppError> {
    if import.pieces_written == import.pieces() {
        return lanes::send(services, &viewer.tenant.scope, import, [Step::Finish]).await;
    }
    lanes::go_on(services, &viewer.tenant.scope, import, |chunk| chunk.written, Step::Write).await
}
