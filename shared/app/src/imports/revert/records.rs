//! The records that a piece wrote.

use std::collections::{BTreeMap, BTreeSet};

use switchboard_domain::audit::Audited;
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{AgentId, ContactId, SuppressionId, TeamId, UserId};
use switchboard_domain::imports::{Import, ImportKind};
use switchboard_domain::person::{Agent, User};
use switchboard_domain::suppression::Suppression;
use switchboard_domain::team::Team;
use switchboard_store::imports::Chunk;
use switchboard_store::tenants::OpenTenant;

use super::abandoned;
use crate::audit::{ChunkRow, chunk_key};
use crate::error::AppError;
use crate::imports::{ImportServices, WrittenRow, written_key};

/// Records, each once, with the versions that rows made of contacts.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) contacts: BTreeMap<ContactId, Vec<Option<u32>>>,
    pub(super) suppressions: BTreeSet<SuppressionId>,
    pub(super) people: BTreeSet<AgentId>,
    pub(super) teams: BTreeSet<TeamId>,
}

impl Records {
    /// Those that rows wrote. What contacts put on the suppression list stays there: that somebody asked not to be called is no mistake of a file.
    pub(super) fn of(rows: &[WrittenRow], kind: ImportKind) -> Result<Self, AppError> {
        let mut records = Self::default();
        for WrittenRow { entity_type, entity_id, version } in rows {
            let unknown = || AppError::Broken(format!("an import wrote {entity_type} {entity_id}, which nobody knows"));
            let entity_type = entity_type.as_str();
            if entity_type == Contact::ENTITY_TYPE {
                records.contacts.entry(ContactId::parse(entity_id).ok_or_else(unknown)?).or_default().push(*version);
            } else if entity_type == Suppression::ENTITY_TYPE {
                let id = SuppressionId::parse(entity_id).ok_or_else(unknown)?;
                if kind == ImportKind::Suppressions {
                    records.suppressions.insert(id);
                }
            } else if entity_type == Agent::ENTITY_TYPE {
                records.people.insert(AgentId::parse(entity_id).ok_or_else(unknown)?);
            } else if entity_type == User::ENTITY_TYPE {
                records.people.insert(UserId::parse(entity_id).ok_or_else(unknown)?.into());
            } else if entity_type == Team::ENTITY_TYPE {
                records.teams.insert(TeamId::parse(entity_id).ok_or_else(unknown)?);
            } else {
                return Err(unknown());
            }
        }
        Ok(records)
    }
}

/// What a piece wrote; none when a worker left it unfinished and its file is gone. 1 request to the results bucket; when that has it no more, 1 to the archive, which
/// has the same list behind the event of the chunk.
pub(super) async fn written(services: &ImportServices, tenant: &OpenTenant, import: &Import, chunk: &Chunk) -> Result<Option<Vec<WrittenRow>>, AppError> {
    if !chunk.written {
        return abandoned::written(services, tenant, import, chunk).await;
    }
    let (tenant, piece) = (tenant.record.id, chunk.piece());
    if let Some(rows) = services.results.get_json(&written_key(tenant, import.id, piece, chunk.left_at)).await? {
        return Ok(Some(rows));
    }
    let list: Option<Vec<ChunkRow>> = services.services.archive.get_json(&chunk_key(tenant, import.id, piece)).await?;
    let list = list.ok_or_else(|| AppError::Broken(format!("what piece {piece} of an import wrote is gone")))?;
    Ok(Some(list.into_iter().map(|row| WrittenRow { entity_type: row.entity_type, entity_id: row.entity_id, version: row.version }).collect()))
}
