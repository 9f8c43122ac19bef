//! Undoing an import: every record that it wrote is brought back to what it was before, but for those that somebody changed since, which are kept and listed.
//!
//! Each piece is undone by itself, from the list of what it wrote, and counted once. What a record is to become is decided by who made its versions
//! (`switchboard_domain::imports::History`), so a piece that comes again finds what it did and counts the same. Teams come last, when nothing of the import is left
//! in them.

mod abandoned;
mod contacts;
mod history;
mod kept;
mod people;
mod records;
mod suppressions;
mod task;
mod teams;

pub use kept::{Kept, kept};

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use switchboard_domain::audit::Audited;
use switchboard_domain::change::Change;
use switchboard_domain::ids::{ImportId, TeamId};
use switchboard_domain::imports::{Import, ImportKind, Phase, Piece, RevertCounts, Target};
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Agent;
use switchboard_domain::team::Team;
use switchboard_store::TenantScope;
use switchboard_store::imports::{self, Chunk};
use switchboard_store::tenants::OpenTenant;

use self::kept::KeptFile;
use self::records::Records;
use self::task::{Report, Task};
use super::rows::{self, RowsMessage, Step};
use super::{ImportServices, Place, lanes};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::viewer::Viewer;

/// How often it is looked at again because somebody else was faster.
const ATTEMPTS: usize = 4;
/// How long a piece waits that a worker may still be writing.
const WRITER_LEAVES: Duration = Duration::from_secs(60);
/// Under this the teams are undone, after all pieces.
const TEAMS: Piece = Piece { chunk: u32::MAX, from_row: 0 };
/// Why a record is deleted that the import made.
const REASON: &str = "import reverted";

/// Begins to undo what an import wrote. Asked again while that is being done, what may not have been sent is sent again. When it wrote nothing it is done at once. 3 R,
/// and 1 R per 20 chunks twice, 1 W, and 1 request to the queue.
///
/// # Errors
/// [`AppError::Forbidden`] without `import:revert` for the whole tenant, of agents also without `agent:update`, `agent:delete`, `team:delete` and `team:manage_members`, of
/// numbers that must not be called without `suppression:remove`; [`AppError::NotFound`]; those of the database and of the queue. What a person can mend is in the
/// inner result.
pub async fn revert(services: &ImportServices, viewer: &Viewer, id: GivenId<ImportId>) -> Result<Result<Import, Vec<UserError>>, AppError> {
    let (core, scope) = (&services.services.core, &viewer.tenant.scope);
    for _ in 0..ATTEMPTS {
        let import = find(services, viewer, id).await?;
        if import.phase != Phase::Reverting {
            if let Err(error) = import.check_revertible() {
                return Ok(Err(vec![error.into()]));
            }
            let change = Change::new("import.revert_started", services.services.clock.now(), viewer.origin());
            if !imports::begin_reverting(core, scope, import.id, &change).await? {
                continue;
            }
        }
        send_left(services, scope, &import).await?;
        return Ok(Ok(find(services, viewer, id).await?));
    }
    Err(AppError::Unavailable("an import that keeps changing"))
}

/// The import, for somebody who may undo it.
async fn find(services: &ImportServices, viewer: &Viewer, id: GivenId<ImportId>) -> Result<Import, AppError> {
    viewer.require_all(Permission::ImportRevert).or_else(|_| viewer.require_all(Permission::ImportCreateAgents))?;
    let id = id.ok_or(AppError::NotFound)?;
    let import = imports::get(&services.services.core, &viewer.tenant.scope, id).await?.ok_or(AppError::NotFound)?;
    // What single changes of such records need, their undoing needs too.
    let needed: &[Permission] = match import.kind {
        ImportKind::Contacts => &[Permission::ImportRevert],
        ImportKind::Agents => &[Permission::ImportCreateAgents, Permission::AgentUpdate, Permission::AgentDelete, Permission::TeamDelete, Permission::TeamManageMembers],
        ImportKind::Suppressions => &[Permission::ImportRevert, Permission::SuppressionRemove],
    };
    needed.iter().try_for_each(|permission| viewer.require_all(*permission)).map_err(|_| AppError::NotFound)?;
    Ok(import)
}

/// Whether rows of it may have been written.
fn is_touched(chunk: &Chunk) -> bool {
    chunk.written || chunk.begun > 0
}

fn is_left(chunk: &Chunk) -> bool {
    is_touched(chunk) && !chunk.reverted
}

/// Sends the first piece of each lane that is left. When none is, what is left is the end: nothing was written, or it was begun and not completed.
async fn send_left(services: &ImportServices, scope: &TenantScope, import: &Import) -> Result<(), AppError> {
    let core = &services.services.core;
    let chunks = imports::chunks(core, scope, import.id).await?;
    if chunks.iter().any(is_left) {
        return lanes::go_on(services, scope, import, |chunk| !is_left(chunk), Step::Revert).await;
    }
    match chunks.iter().find(|chunk| is_touched(chunk)) {
        Some(any) => lanes::send(services, scope, import, [Step::Revert(any.piece())]).await,
        None => {
            imports::complete_reverting(core, scope, import.id, &RevertCounts::default(), services.services.clock.now()).await?;
            Ok(())
        }
    }
}

/// Undoes what one piece wrote, and hands its place to the next; the last one undoes the teams and ends it. Beside its records 4 R, 2 × 2 W, 1 R per 20 chunks at the
/// end, and 2 requests to the results bucket. One that comes again hands its place on first; one that runs out of time is sent anew, and passes over what it did.
pub(super) async fn run(services: &ImportServices, tenant: &OpenTenant, import: &Import, piece: Piece, redelivered: bool, deadline: Instant) -> Result<(), AppError> {
    let (core, scope) = (&services.services.core, &tenant.scope);
    let hand_on = || lanes::hand_on(services, scope, import, piece, |chunk| !is_left(chunk), Step::Revert);
    let mut chunk = rows::chunk(services, scope, import, piece).await?;
    if redelivered {
        hand_on().await?;
    }
    if is_left(&chunk) {
        if !chunk.written && !abandoned::is_left_for_good(services, import) {
            let message = RowsMessage { tenant: scope.tenant(), import: import.id, step: Step::Revert(piece) };
            return Ok(services.rows.send_delayed(&message, WRITER_LEAVES).await?);
        }
        let task = Task::of(&services.services, tenant, import, piece, redelivered).await?;
        let written = records::written(services, tenant, import, &chunk).await?;
        let mut report = Report::default();
        let records = match written {
            Some(rows) => Records::of(&rows, import.kind)?,
            None => {
                report.keep(abandoned::IMPORT, import.id, abandoned::UNKNOWN);
                Records::default()
            }
        };
        let teams: Vec<TeamId> = records.teams.iter().copied().collect();
        if !bring_back(&task, records, deadline, &mut report).await? {
            return lanes::send(services, scope, import, [Step::Revert(piece)]).await;
        }
        let Report { counts, kept, .. } = report.complete()?;
        services.results.put_json(&Place::of(scope, import.id).kept(piece), &KeptFile { kept, teams }).await?;
        imports::finish_revert(core, scope, import.id, piece, &counts).await?;
        // What an unfinished writing came to is counted by now.
        chunk = rows::chunk(services, scope, import, piece).await?;
    }
    let Some(now) = imports::get(core, scope, import.id).await?.filter(|now| now.phase == Phase::Reverting) else {
        return Ok(());
    };
    if now.pieces_reverted >= now.pieces_written {
        let chunks = imports::chunks(core, scope, import.id).await?;
        if !chunks.iter().any(is_left) {
            return finish(services, tenant, &now, &chunks, redelivered).await;
        }
    }
    let mut rest = chunk.left_at.map(|row| piece.rest(row));
    while let Some(next) = rest {
        let chunk = rows::chunk(services, scope, import, next).await?;
        if is_left(&chunk) {
            return lanes::send(services, scope, import, [Step::Revert(next)]).await;
        }
        rest = chunk.left_at.map(|row| next.rest(row));
    }
    if redelivered { Ok(()) } else { hand_on().await }
}

/// Brings records back, people first, because teams are left by them; false when the time is over before the last.
async fn bring_back(task: &Task<'_>, records: Records, deadline: Instant, report: &mut Report) -> Result<bool, AppError> {
    for id in records.people {
        let outcome = people::bring_back(task, id).await?;
        report.note(Agent::ENTITY_TYPE, id, outcome);
        if task.is_to_leave(deadline) {
            return Ok(false);
        }
    }
    let contacts: Vec<_> = records.contacts.into_iter().collect();
    for batch in contacts.chunks(contacts::BATCH) {
        contacts::bring_back(task, batch, report).await?;
        if task.is_to_leave(deadline) {
            return Ok(false);
        }
    }
    let suppressions: Vec<_> = records.suppressions.into_iter().collect();
    for batch in suppressions.chunks(suppressions::BATCH) {
        suppressions::bring_back(task, batch, report).await?;
        if task.is_to_leave(deadline) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Undoes the teams that the import made, and ends. 1 request to the results bucket per piece when its rows named teams, and 1; 1 W and 1 for index 1.
async fn finish(services: &ImportServices, tenant: &OpenTenant, import: &Import, chunks: &[Chunk], redelivered: bool) -> Result<(), AppError> {
    let place = Place::of(&tenant.scope, import.id);
    let mut teams: BTreeSet<TeamId> = BTreeSet::new();
    if import.mapping.iter().any(|column| column.field == Some(Target::Team)) {
        for chunk in chunks.iter().filter(|chunk| chunk.reverted) {
            let file: Option<KeptFile> = services.results.get_json(&place.kept(chunk.piece())).await?;
            teams.extend(file.into_iter().flat_map(|file| file.teams));
        }
    }
    let task = Task::of(&services.services, tenant, import, TEAMS, redelivered).await?;
    let mut report = Report::default();
    for team in teams {
        let outcome = teams::take_away(&task, team).await?;
        report.note(Team::ENTITY_TYPE, team, outcome);
    }
    let Report { counts, kept, .. } = report.complete()?;
    services.results.put_json(&place.kept(TEAMS), &KeptFile { kept, teams: Vec::new() }).await?;
    imports::complete_reverting(&services.services.core, &tenant.scope, import.id, &counts, services.services.clock.now()).await?;
    Ok(())
}
