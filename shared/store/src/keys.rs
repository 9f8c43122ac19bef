//! Every key string there is, as functions of typed inputs. The design of the keys is in `docs/data-model.md`.

use switchboard_domain::ids::{AgentId, ContactId, ImportId, RoleId, StatusId, TeamId, TenantId, UserId};

use crate::scope::TenantScope;

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// What every partition key of a tenant starts with.
#[must_use]
pub fn tenant_prefix(tenant: TenantId) -> String {
    format!("T#{tenant}#")
}

fn prefix(scope: &TenantScope) -> String {
    tenant_prefix(scope.tenant())
}

/// The partition of a tenant's configuration.
#[must_use]
pub fn configuration(scope: &TenantScope) -> String {
    format!("{}CFG", prefix(scope))
}

/// A tenant's own record.
#[must_use]
pub fn tenant(tenant: TenantId) -> Key {
    key(format!("{}CFG", tenant_prefix(tenant)), "TENANT")
}

/// Finds a tenant by its slug; outside every tenant.
#[must_use]
pub fn slug(slug: &str) -> Key {
    key(format!("SLUG#{slug}"), "SLUG")
}

/// Finds a user by the subject of a token; outside every tenant.
#[must_use]
pub fn subject(subject: &str) -> Key {
    key(format!("SUB#{subject}"), "SUB")
}

/// A status.
#[must_use]
pub fn status(scope: &TenantScope, id: StatusId) -> Key {
    key(configuration(scope), format!("STATUS#{id}"))
}

/// A role.
#[must_use]
pub fn role(scope: &TenantScope, id: RoleId) -> Key {
    key(configuration(scope), format!("ROLE#{id}"))
}

/// A user.
#[must_use]
pub fn user(scope: &TenantScope, id: UserId) -> Key {
    key(format!("{}U#{id}", prefix(scope)), "U")
}

/// A user's entry in the staff directory, beside the user.
#[must_use]
pub fn agent(scope: &TenantScope, id: AgentId) -> Key {
    key(format!("{}U#{id}", prefix(scope)), "A")
}

/// A team.
#[must_use]
pub fn team(scope: &TenantScope, id: TeamId) -> Key {
    key(format!("{}TEAM#{id}", prefix(scope)), "T")
}

/// A contact.
#[must_use]
pub fn contact(scope: &TenantScope, id: &ContactId) -> Key {
    key(format!("{}C#{id}", prefix(scope)), "C")
}

/// The contact a partition key names, when it names one.
#[must_use]
pub fn parse_contact(pk: &str) -> Option<(TenantId, ContactId)> {
    let (tenant, rest) = pk.strip_prefix("T#")?.split_once('#')?;
    Some((TenantId::parse(tenant)?, ContactId::parse(rest.strip_prefix("C#")?)?))
}

/// The tenant a partition key belongs to, when it belongs to one.
#[must_use]
pub fn parse_tenant(pk: &str) -> Option<TenantId> {
    TenantId::parse(pk.strip_prefix("T#")?.split_once('#')?.0)
}

/// An import.
#[must_use]
pub fn import(scope: &TenantScope, id: ImportId) -> Key {
    key(format!("{}I#{id}", prefix(scope)), "I")
}

/// One chunk of an import.
#[must_use]
pub fn chunk(scope: &TenantScope, id: ImportId, number: u32) -> Key {
    key(format!("{}I#{id}", prefix(scope)), format!("CHUNK#{number:06}"))
}

/// What an idempotency key was answered with.
#[must_use]
pub fn idempotency(scope: &TenantScope, idempotency_key: &str) -> Key {
    key(format!("{}IDEM#{idempotency_key}", prefix(scope)), "IDEM")
}

/// Index 1: the tenant's contacts by creation, one partition per shard.
#[must_use]
pub fn contact_list(scope: &TenantScope, shard: u32) -> String {
    format!("{}L#{shard}", prefix(scope))
}

/// Index 1: the tenant's imports by creation.
#[must_use]
pub fn import_list(scope: &TenantScope) -> String {
    format!("{}IL", prefix(scope))
}

/// Whose work a contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkOf {
    /// One agent's.
    Agent(AgentId),
    /// A team's pool.
    Team(TeamId),
    /// The tenant's pool.
    Pool,
}

/// Index 2: the contacts of an assignee or a pool, in calling order.
#[must_use]
pub fn work(scope: &TenantScope, whose: WorkOf, shard: u32) -> String {
    let prefix = prefix(scope);
    match whose {
        WorkOf::Agent(agent) => format!("{prefix}W#{agent}"),
        WorkOf::Team(team) => format!("{prefix}W#TEAM#{team}#{shard}"),
        WorkOf::Pool => format!("{prefix}W#POOL#{shard}"),
    }
}

/// Index 2: the place of a contact that is ready to be called: by zone, then the order of its status, then never called before called.
/// The first characters of the id spread contacts of equal rank at random, because the id is a keyed hash.
#[must_use]
pub fn ready(zone: &str, status_order: u16, contact: &ContactId) -> String {
    format!("R#{zone}#{status_order:05}#0#{contact}")
}

/// Index 2: the place of a contact that waits for a time.
#[must_use]
pub fn due(zone: &str, at: jiff::Timestamp, contact: &ContactId) -> String {
    format!("D#{zone}#{:013}#{contact}", at.as_millisecond())
}

/// Index 2: the place of a contact that must not be called.
#[must_use]
pub fn not_to_be_called(status_order: u16, contact: &ContactId) -> String {
    format!("X#{status_order:05}#{contact}")
}

/// Table `audit`: the events of a record, by version.
#[must_use]
pub fn audit_events(tenant: TenantId, entity_type: &str, entity_id: &str) -> String {
    format!("{}E#{entity_type}#{entity_id}", tenant_prefix(tenant))
}

/// Table `audit`: the event of one version.
#[must_use]
pub fn audit_event(tenant: TenantId, entity_type: &str, entity_id: &str, version: u32) -> Key {
    key(audit_events(tenant, entity_type, entity_id), format!("{version:010}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn every_key_of_a_tenant_starts_with_the_tenant() {
        let id = TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        let scope = TenantScope::vouched(id);
        let contact_id = ContactId::from_hash(&[3; 32]);
        let user_id = UserId::new(Timestamp::UNIX_EPOCH, &[2; 10]);
        let import_id = ImportId::new(Timestamp::UNIX_EPOCH, &[2; 10]);
        let team_id = TeamId::new(Timestamp::UNIX_EPOCH, &[2; 10]);
        for pk in [
            tenant(id).pk,
            status(&scope, StatusId::new(Timestamp::UNIX_EPOCH, &[2; 10])).pk,
            role(&scope, RoleId::new(Timestamp::UNIX_EPOCH, &[2; 10])).pk,
            user(&scope, user_id).pk,
            agent(&scope, user_id.into()).pk,
            team(&scope, team_id).pk,
            contact(&scope, &contact_id).pk,
            import(&scope, import_id).pk,
            chunk(&scope, import_id, 1).pk,
            idempotency(&scope, "k").pk,
            contact_list(&scope, 0),
            import_list(&scope),
            work(&scope, WorkOf::Pool, 0),
            work(&scope, WorkOf::Team(team_id), 0),
            work(&scope, WorkOf::Agent(user_id.into()), 0),
            audit_events(id, "contact", contact_id.as_str()),
        ] {
            assert!(pk.starts_with(&tenant_prefix(id)), "{pk}");
            assert_eq!(parse_tenant(&pk), Some(id));
        }
    }

    #[test]
    fn a_contact_key_names_its_contact() {
        let id = TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        let contact_id = ContactId::from_hash(&[3; 32]);
        assert_eq!(parse_contact(&contact(&TenantScope::vouched(id), &contact_id).pk), Some((id, contact_id)));
        assert_eq!(parse_contact("T#x#C#y"), None);
    }
}
