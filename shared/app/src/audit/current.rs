//! An audited record as it is now: where its trail must end, and what a trail that no longer begins with the first version is worked back from.

use jiff::Timestamp;
use switchboard_domain::audit::{Audited, Fields};
use switchboard_domain::change::Revisioned;
use switchboard_domain::ids::{ContactId, NoteId, TeamId};
use switchboard_store::contacts::{self, Slot, open_key};
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_store::{import_profiles, keys, people, presence, schedules, scoring_models, settings, suppressions};

use super::audited_id::AuditedId;
use crate::error::AppError;
use crate::services::Services;

/// Members of a team read at once.
const MEMBERS: usize = 1_000;

/// A record as it is now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Current {
    /// Its version.
    pub(super) version: u32,
    /// When it was made.
    pub(super) created_at: Timestamp,
    /// When that version was made.
    pub(super) updated_at: Timestamp,
    /// What is audited of it.
    pub(super) fields: Fields,
}

impl Current {
    fn of<T: Audited>(record: &T, revisioned: &Revisioned) -> Self {
        Self { version: revisioned.version, created_at: revisioned.created_at, updated_at: revisioned.updated_at(), fields: record.audit_fields() }
    }
}

/// A record as it is now; none when there is none, and of imports and jobs, which have no versions. 1 request and 1 R; for a note 2, for a team 1 more per
/// 1,000 members.
///
/// # Errors
/// Those of the database.
pub(super) async fn current(services: &Services, tenant: &OpenTenant, id: &AuditedId) -> Result<Option<Current>, AppError> {
    let (core, scope) = (&services.core, &tenant.scope);
    Ok(match id {
        AuditedId::Contact(id) => contacts::slot(core, tenant, id).await?.and_then(|slot| of_slot(&slot)),
        AuditedId::Note(contact, id) => note(services, tenant, contact, *id).await?,
        AuditedId::ContactStatus(id) => {
            let status = core.get(scope, &keys::status(scope, *id)).await?.map(settings::decode_status).transpose()?;
            status.map(|status| Current::of(&status, &status.record))
        }
        AuditedId::Role(id) => {
            let role = core.get(scope, &keys::role(scope, *id)).await?.map(settings::decode_role).transpose()?;
            role.map(|role| Current::of(&role, &role.record))
        }
        AuditedId::User(id) => people::user(core, scope, *id).await?.map(|user| Current::of(&user, &user.record)),
        AuditedId::Agent(id) => people::agent(core, scope, *id).await?.map(|agent| Current::of(&agent, &agent.record)),
        AuditedId::Team(id) => team(services, tenant, *id).await?,
        AuditedId::Suppression(id) => suppressions::find(core, scope, id).await?.map(|entry| Current::of(&entry, &entry.record)),
        AuditedId::Tenant(id) if *id == scope.tenant() => tenants::load(core, *id).await?.map(|(_, tenant)| Current::of(&tenant, &tenant.record)),
        AuditedId::Presence(agent) => presence::get(core, scope, *agent).await?.map(|presence| Current::of(&presence, &presence.record)),
        AuditedId::Schedule(agent) => {
            let schedule = core.get(scope, &keys::schedule(scope, *agent)).await?.map(schedules::decode).transpose()?;
            schedule.map(|schedule| Current::of(&schedule, &schedule.record))
        }
        AuditedId::ImportProfile(key) => import_profiles::get(core, scope, key).await?.map(|profile| Current::of(&profile, &profile.record)),
        AuditedId::ScoringModel(id) => scoring_models::get(core, scope, *id).await?.map(|model| Current::of(&model, &model.record)),
        AuditedId::ActiveScoringModel(id) if *id == scope.tenant() => scoring_models::active(core, scope).await?.map(|active| Current::of(&active, &active.record)),
        AuditedId::Tenant(_) | AuditedId::ActiveScoringModel(_) | AuditedId::Import(_) | AuditedId::BulkJob(_) | AuditedId::AuditExport(_) => None,
    })
}

/// A contact, or what is left of one.
pub(super) fn of_slot(slot: &Slot) -> Option<Current> {
    match slot {
        Slot::Contact(stored) => Some(Current::of(&stored.contact, &stored.contact.record)),
        Slot::Erased(erased) => Some(Current::of(erased, &erased.record)),
        Slot::Pointer(_) => None,
    }
}

async fn note(services: &Services, tenant: &OpenTenant, contact: &ContactId, id: NoteId) -> Result<Option<Current>, AppError> {
    let Some(item) = services.core.get(&tenant.scope, &keys::note(&tenant.scope, contact, id)).await? else {
        return Ok(None);
    };
    let Some(stored) = contacts::get(&services.core, tenant, contact).await? else {
        return Ok(None);
    };
    let note = contacts::decode_note(item)?.open(&open_key(&tenant.keyring, contact, stored.wrapped_key())?)?;
    Ok(Some(Current::of(&note, &note.record)))
}

/// A team with its members, as its events name them.
async fn team(services: &Services, tenant: &OpenTenant, id: TeamId) -> Result<Option<Current>, AppError> {
    let Some(team) = people::team(&services.core, &tenant.scope, id).await? else {
        return Ok(None);
    };
    let mut current = Current::of(&team, &team.record);
    let mut after = None;
    loop {
        let page = people::members(&services.core, &tenant.scope, id, after, MEMBERS).await?;
        after = page.entries.last().map(|member| member.agent);
        current.fields.extend(page.entries.into_iter().map(|member| (format!("members.{}", member.agent), serde_json::json!(member.role))));
        if !page.has_more {
            return Ok(Some(current));
        }
    }
}
