//! Global ids: opaque to clients, they decode to a type and an id and never carry a tenant.

use async_graphql::ID;
use data_encoding::BASE64URL_NOPAD;
use switchboard_domain::ids::{AgentId, BulkJobId, ContactId, ImportId, NoteId, RoleId, StatusId, SuppressionId, TeamId, TenantId, UserId};

/// A record whose events have ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuditedId {
    Contact(ContactId),
    Agent(AgentId),
    Team(TeamId),
}

impl AuditedId {
    /// The record's own id.
    pub(crate) fn record(&self) -> NodeId {
        match self {
            Self::Contact(id) => NodeId::Contact(id.clone()),
            Self::Agent(id) => NodeId::Agent(*id),
            Self::Team(id) => NodeId::Team(*id),
        }
    }
}

/// What a global id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NodeId {
    Contact(ContactId),
    ContactStatus(StatusId),
    /// A note of a contact.
    Note(ContactId, NoteId),
    User(UserId),
    Agent(AgentId),
    Team(TeamId),
    Role(RoleId),
    Suppression(SuppressionId),
    Import(ImportId),
    BulkJob(BulkJobId),
    Tenant(TenantId),
    /// The event of one version of a record.
    AuditEvent(AuditedId, u32),
}

impl NodeId {
    /// The id as clients see it.
    pub(crate) fn to_id(&self) -> ID {
        let text = match self {
            Self::Contact(id) => format!("contact:{id}"),
            Self::ContactStatus(id) => format!("contact_status:{id}"),
            Self::Note(contact, id) => format!("note:{contact}:{id}"),
            Self::User(id) => format!("user:{id}"),
            Self::Agent(id) => format!("agent:{id}"),
            Self::Team(id) => format!("team:{id}"),
            Self::Role(id) => format!("role:{id}"),
            Self::Suppression(id) => format!("suppression:{id}"),
            Self::Import(id) => format!("import:{id}"),
            Self::BulkJob(id) => format!("bulk_job:{id}"),
            Self::Tenant(id) => format!("tenant:{id}"),
            Self::AuditEvent(AuditedId::Contact(id), version) => format!("audit_event:contact:{id}:{version}"),
            Self::AuditEvent(AuditedId::Agent(id), version) => format!("audit_event:agent:{id}:{version}"),
            Self::AuditEvent(AuditedId::Team(id), version) => format!("audit_event:team:{id}:{version}"),
        };
        ID(BASE64URL_NOPAD.encode(text.as_bytes()))
    }

    /// Reads an id; none for one we never gave.
    pub(crate) fn parse(id: &ID) -> Option<Self> {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(id.as_bytes()).ok()?).ok()?;
        let (kind, rest) = text.split_once(':')?;
        Some(match kind {
            "contact" => Self::Contact(ContactId::parse(rest)?),
            "contact_status" => Self::ContactStatus(StatusId::parse(rest)?),
            "note" => {
                let (contact, id) = rest.split_once(':')?;
                Self::Note(ContactId::parse(contact)?, NoteId::parse(id)?)
            }
            "user" => Self::User(UserId::parse(rest)?),
            "agent" => Self::Agent(AgentId::parse(rest)?),
            "team" => Self::Team(TeamId::parse(rest)?),
            "role" => Self::Role(RoleId::parse(rest)?),
            "suppression" => Self::Suppression(SuppressionId::parse(rest)?),
            "import" => Self::Import(ImportId::parse(rest)?),
            "bulk_job" => Self::BulkJob(BulkJobId::parse(rest)?),
            "tenant" => Self::Tenant(TenantId::parse(rest)?),
            "audit_event" => {
                let (record, version) = rest.rsplit_once(':')?;
                let (kind, id) = record.split_once(':')?;
                let record = match kind {
                    "contact" => AuditedId::Contact(ContactId::parse(id)?),
                    "agent" => AuditedId::Agent(AgentId::parse(id)?),
                    "team" => AuditedId::Team(TeamId::parse(id)?),
                    _ => return None,
                };
                Self::AuditEvent(record, version.parse().ok()?)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn every_kind_of_id_reads_back() {
        let contact = ContactId::from_hash(&[5; 32]);
        for id in [
            NodeId::Contact(contact.clone()),
            NodeId::ContactStatus(StatusId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::User(UserId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::Agent(AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::Team(TeamId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::Role(RoleId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::Suppression(SuppressionId::from_hash(&[6; 32])),
            NodeId::Import(ImportId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::BulkJob(BulkJobId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::Tenant(TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::Note(contact.clone(), NoteId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::AuditEvent(AuditedId::Contact(contact), 7),
            NodeId::AuditEvent(AuditedId::Agent(AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10])), 1),
            NodeId::AuditEvent(AuditedId::Team(TeamId::new(Timestamp::UNIX_EPOCH, &[1; 10])), 1),
        ] {
            assert_eq!(NodeId::parse(&id.to_id()), Some(id));
        }
    }

    #[test]
    fn what_we_never_gave_is_nothing() {
        let encoded = |text: &str| ID(BASE64URL_NOPAD.encode(text.as_bytes()));
        for id in [
            ID("".to_owned()),
            ID("%".to_owned()),
            encoded("contact"),
            encoded("contact:x"),
            encoded("secret:1"),
            encoded("user:../../x"),
            encoded("audit_event:secret:x:1"),
        ] {
            assert_eq!(NodeId::parse(&id), None);
        }
    }
}
