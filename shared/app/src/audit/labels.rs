//! What records were called when something happened: the trail names them by their ids.

use std::collections::HashMap;

use futures::future::try_join_all;
use jiff::Timestamp;
use serde_json::Value;
use switchboard_domain::ids::{AgentId, ContactId, RoleId, StatusId, TeamId};
use switchboard_domain::permission::Permission;
use switchboard_store::contacts::Slot;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, contacts, people, settings};

use super::audited_id::AuditedId;
use super::view::{opened, sees_contacts};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// The field that says what a record is called.
const NAME: &str = "name";
/// Events read at once.
const PART: usize = 100;
/// Trails read beside each other.
const AT_ONCE: usize = 16;

/// A record at a time.
pub type NamedAt = (AuditedId, Timestamp);

/// The records that a value of an audited field names; those of roles are several. `members.<agent>` and `teams.<team>` name theirs in the field.
#[must_use]
pub fn named_in(field: &str, value: &Value) -> Vec<AuditedId> {
    let id = value.as_str().unwrap_or_default();
    let one = match field.split_once('.') {
        Some(("members", agent)) => AgentId::parse(agent).map(AuditedId::Agent),
        Some(("teams", team)) => TeamId::parse(team).map(AuditedId::Team),
        Some(_) => None,
        None => match field {
            "status" => StatusId::parse(id).map(AuditedId::ContactStatus),
            "assignee" | "from" => AgentId::parse(id).map(AuditedId::Agent),
            "team" => TeamId::parse(id).map(AuditedId::Team),
            "mergedInto" | "contact" => ContactId::parse(id).map(AuditedId::Contact),
            "roles" => {
                let roles = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                return roles.filter_map(RoleId::parse).map(AuditedId::Role).collect();
            }
            _ => None,
        },
    };
    one.into_iter().collect()
}

/// What records were called at times. Who has no name, isn't there any more, or isn't the viewer's to see is left out. 1 request per 100 agents, teams and
/// contacts, 1 R each, and 1 request and about 2 R when there are statuses or roles; 1 request for each record, half an R per started 4 KB of the events since
/// the earliest of its times; for contacts those of the page's keys besides.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; those of the database.
pub async fn names(services: &Services, viewer: &Viewer, asked: &[NamedAt]) -> Result<HashMap<NamedAt, String>, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let mut since: HashMap<AuditedId, Timestamp> = HashMap::new();
    for (record, at) in asked {
        if !matches!(record, AuditedId::Contact(_)) || sees_contacts(viewer) {
            since.entry(record.clone()).and_modify(|earliest| *earliest = (*at).min(*earliest)).or_insert(*at);
        }
    }
    let records: Vec<AuditedId> = since.keys().cloned().collect();
    let present = present_names(services, &viewer.tenant, &records).await?;
    let since: Vec<(AuditedId, Timestamp)> = since.into_iter().filter(|(record, _)| present.contains_key(record)).collect();
    let mut renamed: HashMap<AuditedId, Vec<Renamed>> = HashMap::with_capacity(since.len());
    for part in since.chunks(AT_ONCE) {
        let found = try_join_all(part.iter().map(|(record, since)| renamings(services, &viewer.tenant, record, *since))).await?;
        renamed.extend(part.iter().map(|(record, _)| record.clone()).zip(found));
    }
    let name = |(record, at): &NamedAt| {
        let present = present.get(record)?;
        let renamed = renamed.get(record)?;
        // What it was called before the first change of its name that came later; newest first, so that is the last of those.
        renamed.iter().take_while(|renamed| renamed.at > *at).last().map_or(present, |renamed| &renamed.from).clone()
    };
    Ok(asked.iter().filter_map(|asked| Some((asked.clone(), name(asked)?))).collect())
}

/// What records are called now; none for one that has no name.
async fn present_names(services: &Services, tenant: &OpenTenant, records: &[AuditedId]) -> Result<HashMap<AuditedId, Option<String>>, AppError> {
    let core = &services.core;
    let (mut agents, mut teams, mut ids, mut needs_settings) = (Vec::new(), Vec::new(), Vec::new(), false);
    for record in records {
        match record {
            AuditedId::Agent(id) => agents.push(*id),
            AuditedId::Team(id) => teams.push(*id),
            AuditedId::Contact(id) => ids.push(id.clone()),
            AuditedId::ContactStatus(_) | AuditedId::Role(_) => needs_settings = true,
            _ => {}
        }
    }
    let mut names = HashMap::with_capacity(records.len());
    if !agents.is_empty() || !teams.is_empty() {
        let found = people::directory(core, &tenant.scope, &[], &agents, &teams, Freshness::Strong).await?;
        names.extend(found.agents.into_iter().map(|agent| (AuditedId::Agent(agent.id), Some(agent.name))));
        names.extend(found.teams.into_iter().map(|team| (AuditedId::Team(team.id), Some(team.name))));
    }
    if !ids.is_empty() {
        let found = contacts::slots(core, tenant, &ids, Freshness::Strong).await?;
        names.extend(found.into_iter().filter_map(|(id, slot)| match slot {
            Slot::Contact(stored) => Some((AuditedId::Contact(id), stored.contact.details.name)),
            Slot::Erased(_) | Slot::Pointer(_) => None,
        }));
    }
    if needs_settings {
        let found = settings::load(core, &tenant.scope).await?;
        names.extend(found.statuses.into_iter().map(|status| (AuditedId::ContactStatus(status.id), Some(status.name))));
        names.extend(found.roles.into_iter().map(|role| (AuditedId::Role(role.id), Some(role.name))));
    }
    Ok(names)
}

/// A change of a record's name.
struct Renamed {
    at: Timestamp,
    from: Option<String>,
}

/// The changes of a record's name after a time, newest first. Its creation is one too: before it there was no name.
async fn renamings(services: &Services, tenant: &OpenTenant, record: &AuditedId, since: Timestamp) -> Result<Vec<Renamed>, AppError> {
    let (kind, id) = (record.entity_type(), record.entity_id());
    let mut renamed = Vec::new();
    let mut before = None;
    loop {
        let mut page = services.audit.of_record(&tenant.scope, kind, &id, before, PART).await?;
        let read = page.entries.len();
        before = page.entries.last().and_then(|stored| stored.event.version());
        page.entries.retain(|stored| stored.event.change.at > since);
        let is_last = page.entries.len() < read || !page.has_more;
        let changes = opened(services, tenant, &page.entries).await?;
        for (stored, changes) in page.entries.iter().zip(changes) {
            let change = changes.into_iter().flatten().find(|change| change.field == NAME);
            renamed.extend(change.map(|change| Renamed { at: stored.event.change.at, from: text(change.old.as_ref()) }));
        }
        if is_last {
            return Ok(renamed);
        }
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_that_are_ids_name_their_records_and_others_nothing() {
        let (agent, team) = (AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10]), TeamId::new(Timestamp::UNIX_EPOCH, &[2; 10]));
        let (status, role, contact) = (StatusId::new(Timestamp::UNIX_EPOCH, &[3; 10]), RoleId::new(Timestamp::UNIX_EPOCH, &[4; 10]), ContactId::from_hash(&[5; 32]));
        for (field, value, expected) in [
            ("status".to_owned(), json!(status), vec![AuditedId::ContactStatus(status)]),
            ("assignee".to_owned(), json!(agent), vec![AuditedId::Agent(agent)]),
            ("team".to_owned(), json!(team), vec![AuditedId::Team(team)]),
            ("mergedInto".to_owned(), json!(contact), vec![AuditedId::Contact(contact.clone())]),
            ("roles".to_owned(), json!([role, role]), vec![AuditedId::Role(role), AuditedId::Role(role)]),
            (format!("members.{agent}"), json!("TEAM_LEAD"), vec![AuditedId::Agent(agent)]),
            (format!("teams.{team}"), json!("AGENT"), vec![AuditedId::Team(team)]),
            // A user's status, a masked value, and an attribute that is called like a field.
            ("status".to_owned(), json!("ACTIVE"), Vec::new()),
            ("assignee".to_owned(), json!("•••"), Vec::new()),
            ("attributes.team".to_owned(), json!(team), Vec::new()),
            ("name".to_owned(), json!(agent), Vec::new()),
        ] {
            assert_eq!(named_in(&field, &value), expected, "{field}");
        }
    }
}
