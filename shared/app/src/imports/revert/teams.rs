//! Teams that the import made, once nothing of it is in them.

use switchboard_domain::audit::{Audited, Changes, Fields, Place, value_of};
use switchboard_domain::ids::{ContactId, TeamId};
use switchboard_domain::team::{Team, folded_name};
use switchboard_store::audit_events::StoredEvent;
use switchboard_store::item::text;
use switchboard_store::keys::{self, WorkOf};
use switchboard_store::{Freshness, contacts, people};

use super::history::STREAM_KEEPS;
use super::task::{CHANGED, DELETED, GONE, Outcome, Task};
use crate::bulk;
use crate::error::AppError;
use crate::people::{ATTEMPTS, back_off, busy};

/// Why a team stays that others are in.
const HAS_MEMBERS: &str = "There are people in it whom the import didn't put there, or who stay themselves.";
/// Why one stays in whose pool contacts are.
const HAS_CONTACTS: &str = "There are contacts in its pool.";
/// Entries of a pool looked into for contacts that are in it still.
const POOL: usize = 100;

/// Deletes a team when the import made it and nobody else had to do with it: it is called what it was called, nobody is in it, and no contact is in its pool. 3 R and 1
/// request per shard, and a transaction of 4 W and 2 for index 1; then a job that takes out what came into its pool at the last moment.
pub(super) async fn take_away(task: &Task<'_>, id: TeamId) -> Result<Outcome, AppError> {
    let (core, scope) = (&task.services.core, &task.tenant.scope);
    for attempt in 0..ATTEMPTS {
        let Some(team) = people::team(core, scope, id).await? else {
            return Ok(Outcome::Kept(GONE));
        };
        if !task.undoing.made(&team.record) {
            return Ok(Outcome::Elsewhere);
        }
        let last = &team.record.last_change;
        if team.deleted_at.is_some() {
            let Some(piece) = task.undoing.piece_of(last) else {
                return Ok(Outcome::Kept(DELETED));
            };
            // Whoever deleted it may have died before the job was asked for.
            if task.redelivered {
                disband(task, id).await?;
            }
            return Ok(task.brought_back(piece, true));
        }
        if task.undoing.is_by_another(last) && last.member.is_none() {
            return Ok(Outcome::Kept(CHANGED));
        }
        if team.member_count > 0 {
            return Ok(Outcome::Kept(HAS_MEMBERS));
        }
        match is_called_as_made(task, &team).await? {
            Some(true) => {}
            Some(false) => return Ok(Outcome::Kept(CHANGED)),
            None => return Ok(Outcome::NotYet),
        }
        match is_pool_empty(task, id).await? {
            Some(true) => {}
            Some(false) => return Ok(Outcome::Kept(HAS_CONTACTS)),
            None => return Ok(Outcome::NotYet),
        }
        let change = task.change("team.deleted").because(super::REASON);
        let after = Team { deleted_at: Some(change.at), record: team.record.changed(change), ..team.clone() };
        let name = people::release_team_name(scope, &folded_name(&team.name), id);
        if core.commit(scope, vec![people::replace_team(scope, &after, team.record.revision)?, name]).await? {
            disband(task, id).await?;
            return Ok(Outcome::Removed);
        }
        back_off(task.services, attempt).await;
    }
    Err(busy())
}

/// Asks for the job that takes contacts out of the pool of a deleted team, as for every deletion.
async fn disband(task: &Task<'_>, id: TeamId) -> Result<(), AppError> {
    bulk::start_disband(task.services, task.tenant, task.undoing.origin(task.piece), id).await?;
    Ok(())
}

/// Whether a team has, as far as is known, the name that it was made with; none while that isn't on record yet. No request for one that has its first version.
async fn is_called_as_made(task: &Task<'_>, team: &Team) -> Result<Option<bool>, AppError> {
    if team.record.version == 1 {
        return Ok(Some(true));
    }
    let made = task.services.audit.get(task.tenant.record.id, Team::ENTITY_TYPE, &team.id.to_string(), &Place::Version(1)).await?;
    let Some(StoredEvent { event, .. }) = made else {
        let is_late = task.services.clock.now().duration_since(team.record.created_at) >= STREAM_KEEPS;
        return Ok(is_late.then_some(false));
    };
    let Changes::Clear(changes) = event.changes else {
        return Err(AppError::Broken("an event of a team is sealed".to_owned()));
    };
    let fields: Fields = changes.into_iter().filter_map(|change| Some((change.field, change.new?))).collect();
    Ok(Some(value_of::<String>(&fields, "name").flatten().as_ref() == Some(&team.name)))
}

/// Whether no contact is in a team's pool; none when the index may be behind.
async fn is_pool_empty(task: &Task<'_>, id: TeamId) -> Result<Option<bool>, AppError> {
    let (core, tenant) = (&task.services.core, task.tenant);
    for shard in 0..tenant.record.shards.max(1) {
        let page = core.work(&tenant.scope, &keys::work(&tenant.scope, WorkOf::Team(id), shard), POOL).await?;
        let ids: Vec<ContactId> = page.entries.iter().filter_map(|entry| Some(text(entry, "PK").and_then(keys::parse_contact)?.1)).collect();
        let found = contacts::get_many(core, tenant, &ids, Freshness::Strong).await?;
        if found.iter().any(|stored| stored.contact.deleted_at.is_none() && stored.contact.details.team == Some(id)) {
            return Ok(Some(false));
        }
        if page.has_more {
            return Ok(None);
        }
    }
    Ok(Some(true))
}
