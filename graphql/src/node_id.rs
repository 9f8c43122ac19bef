//! Global ids: opaque to clients, they decode to a type and an id and never carry a tenant.

use async_graphql::ID;
use data_encoding::BASE64URL_NOPAD;
use switchboard_domain::audit::{BESIDE, Place};
use switchboard_domain::ids::{
    AgentId, AuditExportId, BulkJobId, ContactId, ImportId, NoteId, RoleId, ScoringModelId, StatusId, SuppressionId, TeamId, TenantId, UserId,
};
use switchboard_domain::imports::ProfileKey;

pub(crate) use switchboard_app::audit::AuditedId;

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
    /// A saved mapping, by its folded name.
    ImportProfile(ProfileKey),
    Import(ImportId),
    BulkJob(BulkJobId),
    AuditExport(AuditExportId),
    /// A scoring model, a preset too.
    ScoringModel(ScoringModelId),
    /// The learning of a scoring model, by the id of that.
    ScoringTraining(ScoringModelId),
    Tenant(TenantId),
    /// An event about a record, by its place.
    AuditEvent(AuditedId, Place),
}

/// Longest place of an event beside the chain.
const LONGEST_PLACE: usize = 500;

impl NodeId {
    /// The id of the record that events are about; of what stands beside an agent, the agent's, of what an
    /// organisation scores by, the organisation's.
    pub(crate) fn of(record: &AuditedId) -> Self {
        match record {
            AuditedId::Contact(id) => Self::Contact(id.clone()),
            AuditedId::Note(contact, id) => Self::Note(contact.clone(), *id),
            AuditedId::ContactStatus(id) => Self::ContactStatus(*id),
            AuditedId::User(id) => Self::User(*id),
            AuditedId::Agent(id) | AuditedId::Presence(id) | AuditedId::Schedule(id) => Self::Agent(*id),
            AuditedId::Team(id) => Self::Team(*id),
            AuditedId::Role(id) => Self::Role(*id),
            AuditedId::Suppression(id) => Self::Suppression(id.clone()),
            AuditedId::Tenant(id) | AuditedId::ActiveScoringModel(id) => Self::Tenant(*id),
            AuditedId::ScoringModel(id) => Self::ScoringModel(*id),
            AuditedId::ImportProfile(key) => Self::ImportProfile(key.clone()),
            AuditedId::Import(id) => Self::Import(*id),
            AuditedId::BulkJob(id) => Self::BulkJob(*id),
            AuditedId::AuditExport(id) => Self::AuditExport(*id),
        }
    }

    /// The record with an audit trail whose id this is; none for an event's, and for that of a
    /// training.
    pub(crate) fn audited(self) -> Option<AuditedId> {
        Some(match self {
            Self::Contact(id) => AuditedId::Contact(id),
            Self::Note(contact, id) => AuditedId::Note(contact, id),
            Self::ContactStatus(id) => AuditedId::ContactStatus(id),
            Self::User(id) => AuditedId::User(id),
            Self::Agent(id) => AuditedId::Agent(id),
            Self::Team(id) => AuditedId::Team(id),
            Self::Role(id) => AuditedId::Role(id),
            Self::Suppression(id) => AuditedId::Suppression(id),
            Self::Tenant(id) => AuditedId::Tenant(id),
            Self::ImportProfile(key) => AuditedId::ImportProfile(key),
            Self::Import(id) => AuditedId::Import(id),
            Self::BulkJob(id) => AuditedId::BulkJob(id),
            Self::AuditExport(id) => AuditedId::AuditExport(id),
            Self::ScoringModel(id) => AuditedId::ScoringModel(id),
            Self::ScoringTraining(_) | Self::AuditEvent(..) => return None,
        })
    }

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
            Self::ImportProfile(key) => format!("import_profile:{key}"),
            Self::Import(id) => format!("import:{id}"),
            Self::BulkJob(id) => format!("bulk_job:{id}"),
            Self::AuditExport(id) => format!("audit_export:{id}"),
            Self::ScoringModel(id) => format!("scoring_model:{id}"),
            Self::ScoringTraining(id) => format!("scoring_training:{id}"),
            Self::Tenant(id) => format!("tenant:{id}"),
            Self::AuditEvent(record, place) => {
                let place = match place {
                    Place::Version(version) => version.to_string(),
                    Place::Beside(text) => text.clone(),
                };
                let id = match record {
                    AuditedId::Note(contact, id) => format!("{contact}:{id}"),
                    other => other.entity_id(),
                };
                format!("audit_event:{}:{id}:{place}", record.entity_type())
            }
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
            "import_profile" => Self::ImportProfile(ProfileKey::parse(rest)?),
            "import" => Self::Import(ImportId::parse(rest)?),
            "bulk_job" => Self::BulkJob(BulkJobId::parse(rest)?),
            "audit_export" => Self::AuditExport(AuditExportId::parse(rest)?),
            "scoring_model" => Self::ScoringModel(ScoringModelId::parse(rest)?),
            "scoring_training" => Self::ScoringTraining(ScoringModelId::parse(rest)?),
            "tenant" => Self::Tenant(TenantId::parse(rest)?),
            "audit_event" => {
                let (kind, rest) = rest.split_once(':')?;
                // Only a note needs its contact too.
                let (about, rest) = if kind == "note" { rest.split_once(':').map(|(contact, rest)| (Some(contact), rest))? } else { (None, rest) };
                let (id, place) = rest.split_once(':')?;
                Self::AuditEvent(AuditedId::parse(kind, id, about)?, place_of(place)?)
            }
            _ => return None,
        })
    }
}

/// The place that an event's id ends with: a version, or the text of a place beside the chain.
fn place_of(text: &str) -> Option<Place> {
    if text.starts_with(BESIDE) {
        return Place::parse(text).filter(|_| text.len() <= LONGEST_PLACE);
    }
    text.parse().ok().map(Place::Version)
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
            NodeId::ImportProfile(ProfileKey::of("Été 2026").unwrap()),
            NodeId::Import(ImportId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::BulkJob(BulkJobId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::AuditExport(AuditExportId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::ScoringModel(ScoringModelId::STANDARD),
            NodeId::Tenant(TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
            NodeId::Note(contact, NoteId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
        ] {
            assert_eq!(NodeId::parse(&id.to_id()), Some(id.clone()));
            let record = id.clone().audited().unwrap();
            assert_eq!(NodeId::of(&record), id);
            for place in [Place::Version(7), Place::beside(Timestamp::UNIX_EPOCH, "auth.denied#a:b")] {
                let event = NodeId::AuditEvent(record.clone(), place);
                assert_eq!(NodeId::parse(&event.to_id()), Some(event));
            }
        }
        let training = NodeId::ScoringTraining(ScoringModelId::new(Timestamp::UNIX_EPOCH, &[1; 10]));
        assert_eq!((NodeId::parse(&training.to_id()), training.clone().audited()), (Some(training), None));
        let tenant = TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        assert_eq!(NodeId::of(&AuditedId::ActiveScoringModel(tenant)), NodeId::Tenant(tenant));
        let event = NodeId::AuditEvent(AuditedId::ActiveScoringModel(tenant), Place::Version(1));
        assert_eq!(NodeId::parse(&event.to_id()), Some(event));
        let agent = AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        for record in [AuditedId::Presence(agent), AuditedId::Schedule(agent)] {
            assert_eq!(NodeId::of(&record), NodeId::Agent(agent));
            let event = NodeId::AuditEvent(record, Place::Version(1));
            assert_eq!(NodeId::parse(&event.to_id()), Some(event));
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
            encoded("import_profile:a/b"),
            encoded("audit_event:secret:x:1"),
            encoded("audit_event:contact:x:1"),
            encoded("audit_event:team:00000000000000000000000000:x"),
            encoded("audit_event:note:00000000000000000000000000:1"),
            encoded(&format!("audit_event:team:00000000000000000000000000:B#{}", "x".repeat(LONGEST_PLACE))),
        ] {
            assert_eq!(NodeId::parse(&id), None);
        }
    }
}
