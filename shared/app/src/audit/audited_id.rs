//! What audit events are about: a kind of record and its id.

use switchboard_domain::audit::AuditEvent;
use switchboard_domain::ids::{
    AgentId, AuditExportId, BulkJobId, ContactId, ImportId, NoteId, RoleId, ScoringModelId, StatusId, SuppressionId, TeamId, TenantId, UserId,
};
use switchboard_domain::imports::ProfileKey;

/// A record with an audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AuditedId {
    /// A contact.
    Contact(ContactId),
    /// A note of a contact.
    Note(ContactId, NoteId),
    /// A status.
    ContactStatus(StatusId),
    /// A user.
    User(UserId),
    /// An agent.
    Agent(AgentId),
    /// A team.
    Team(TeamId),
    /// A role.
    Role(RoleId),
    /// An entry of the suppression list.
    Suppression(SuppressionId),
    /// The organisation.
    Tenant(TenantId),
    /// What an agent is doing.
    Presence(AgentId),
    /// When an agent can be booked.
    Schedule(AgentId),
    /// A mapping of columns that is kept under a name.
    ImportProfile(ProfileKey),
    /// A way of scoring contacts.
    ScoringModel(ScoringModelId),
    /// Which model an organisation scores by.
    ActiveScoringModel(TenantId),
    /// An import, whose events stand beside each other: it has no versions.
    Import(ImportId),
    /// A bulk job, likewise.
    BulkJob(BulkJobId),
    /// An export of the audit trail, likewise.
    AuditExport(AuditExportId),
}

/// The nouns of all records with an audit trail, in the order of the alphabet.
pub const ENTITY_TYPES: [&str; 17] = [
    "active_scoring_model",
    "agent",
    "audit_export",
    "bulk_job",
    "contact",
    "contact_status",
    "import",
    "import_profile",
    "note",
    "presence",
    "role",
    "schedule",
    "scoring_model",
    "suppression",
    "team",
    "tenant",
    "user",
];

impl AuditedId {
    /// The noun of events about it: one of [`ENTITY_TYPES`].
    #[must_use]
    pub fn entity_type(&self) -> &'static str {
        match self {
            Self::Contact(_) => "contact",
            Self::Note(..) => "note",
            Self::ContactStatus(_) => "contact_status",
            Self::User(_) => "user",
            Self::Agent(_) => "agent",
            Self::Team(_) => "team",
            Self::Role(_) => "role",
            Self::Suppression(_) => "suppression",
            Self::Tenant(_) => "tenant",
            Self::Presence(_) => "presence",
            Self::Schedule(_) => "schedule",
            Self::ImportProfile(_) => "import_profile",
            Self::ScoringModel(_) => "scoring_model",
            Self::ActiveScoringModel(_) => "active_scoring_model",
            Self::Import(_) => "import",
            Self::BulkJob(_) => "bulk_job",
            Self::AuditExport(_) => "audit_export",
        }
    }

    /// The id that its events carry: the record's own in its short form, of a kept mapping its folded name, of what an organisation scores by the
    /// organisation's.
    #[must_use]
    pub fn entity_id(&self) -> String {
        match self {
            Self::Contact(id) => id.to_string(),
            Self::Note(_, id) => id.to_string(),
            Self::ContactStatus(id) => id.to_string(),
            Self::User(id) => id.to_string(),
            Self::Agent(id) | Self::Presence(id) | Self::Schedule(id) => id.to_string(),
            Self::Team(id) => id.to_string(),
            Self::Role(id) => id.to_string(),
            Self::Suppression(id) => id.to_string(),
            Self::Tenant(id) | Self::ActiveScoringModel(id) => id.to_string(),
            Self::ImportProfile(key) => key.to_string(),
            Self::ScoringModel(id) => id.to_string(),
            Self::Import(id) => id.to_string(),
            Self::BulkJob(id) => id.to_string(),
            Self::AuditExport(id) => id.to_string(),
        }
    }

    /// Reads both; a note needs the contact it is about. None for anything else.
    #[must_use]
    pub fn parse(entity_type: &str, entity_id: &str, about: Option<&str>) -> Option<Self> {
        Some(match entity_type {
            "contact" => Self::Contact(ContactId::parse(entity_id)?),
            "note" => Self::Note(ContactId::parse(about?)?, NoteId::parse(entity_id)?),
            "contact_status" => Self::ContactStatus(StatusId::parse(entity_id)?),
            "user" => Self::User(UserId::parse(entity_id)?),
            "agent" => Self::Agent(AgentId::parse(entity_id)?),
            "team" => Self::Team(TeamId::parse(entity_id)?),
            "role" => Self::Role(RoleId::parse(entity_id)?),
            "suppression" => Self::Suppression(SuppressionId::parse(entity_id)?),
            "tenant" => Self::Tenant(TenantId::parse(entity_id)?),
            "presence" => Self::Presence(AgentId::parse(entity_id)?),
            "schedule" => Self::Schedule(AgentId::parse(entity_id)?),
            "import_profile" => Self::ImportProfile(ProfileKey::parse(entity_id)?),
            "scoring_model" => Self::ScoringModel(ScoringModelId::parse(entity_id)?),
            "active_scoring_model" => Self::ActiveScoringModel(TenantId::parse(entity_id)?),
            "import" => Self::Import(ImportId::parse(entity_id)?),
            "bulk_job" => Self::BulkJob(BulkJobId::parse(entity_id)?),
            "audit_export" => Self::AuditExport(AuditExportId::parse(entity_id)?),
            _ => return None,
        })
    }

    /// What an event is about; none for one of a kind that isn't known here.
    #[must_use]
    pub fn of(event: &AuditEvent) -> Option<Self> {
        Self::parse(&event.entity_type, &event.entity_id, event.about.as_deref())
    }

    /// Whether its changes are about a person: sealed under the key of a contact.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        matches!(self, Self::Contact(_) | Self::Note(..))
    }

    /// Whether its events are those of its versions; those of others stand beside each other.
    #[must_use]
    pub fn has_versions(&self) -> bool {
        !matches!(self, Self::Import(_) | Self::BulkJob(_) | Self::AuditExport(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use switchboard_domain::audit::Audited;
    use switchboard_domain::{contact, imports, note, person, presence, schedule, scoring, status, suppression, team, tenant};

    #[test]
    fn every_kind_of_record_reads_back_and_the_list_of_kinds_is_whole() {
        let (contact, suppression) = (ContactId::from_hash(&[5; 32]), SuppressionId::from_hash(&[6; 32]));
        let (at, entropy) = (Timestamp::UNIX_EPOCH, [1; 10]);
        let all = [
            AuditedId::ActiveScoringModel(TenantId::new(at, &entropy)),
            AuditedId::Agent(AgentId::new(at, &entropy)),
            AuditedId::AuditExport(AuditExportId::new(at, &entropy)),
            AuditedId::BulkJob(BulkJobId::new(at, &entropy)),
            AuditedId::Contact(contact.clone()),
            AuditedId::ContactStatus(StatusId::new(at, &entropy)),
            AuditedId::Import(ImportId::new(at, &entropy)),
            AuditedId::ImportProfile(ProfileKey::of("Été 2026").unwrap()),
            AuditedId::Note(contact.clone(), NoteId::new(at, &entropy)),
            AuditedId::Presence(AgentId::new(at, &entropy)),
            AuditedId::Role(RoleId::new(at, &entropy)),
            AuditedId::Schedule(AgentId::new(at, &entropy)),
            AuditedId::ScoringModel(ScoringModelId::new(at, &entropy)),
            AuditedId::Suppression(suppression),
            AuditedId::Team(TeamId::new(at, &entropy)),
            AuditedId::Tenant(TenantId::new(at, &entropy)),
            AuditedId::User(UserId::new(at, &entropy)),
        ];
        assert_eq!(all.each_ref().map(AuditedId::entity_type), ENTITY_TYPES);
        for id in all {
            assert_eq!(AuditedId::parse(id.entity_type(), &id.entity_id(), Some(contact.as_str())), Some(id));
        }
        for (kind, id, about) in
            [("contact", "x", None), ("note", "00000000000000000000000000", None), ("secret", "00000000000000000000000000", None), ("import_profile", "a#b", None)]
        {
            assert_eq!(AuditedId::parse(kind, id, about), None);
        }
    }

    #[test]
    fn the_nouns_are_those_that_records_are_recorded_under() {
        let recorded = [
            contact::Contact::ENTITY_TYPE,
            note::Note::ENTITY_TYPE,
            status::ContactStatus::ENTITY_TYPE,
            person::User::ENTITY_TYPE,
            person::Agent::ENTITY_TYPE,
            team::Team::ENTITY_TYPE,
            person::Role::ENTITY_TYPE,
            suppression::Suppression::ENTITY_TYPE,
            tenant::Tenant::ENTITY_TYPE,
            presence::Presence::ENTITY_TYPE,
            schedule::Schedule::ENTITY_TYPE,
            imports::Profile::ENTITY_TYPE,
            scoring::ScoringModel::ENTITY_TYPE,
            scoring::ActiveScoringModel::ENTITY_TYPE,
        ];
        for noun in recorded {
            assert!(ENTITY_TYPES.contains(&noun), "{noun}");
        }
        assert_eq!(recorded.len() + 3, ENTITY_TYPES.len(), "and imports, jobs and exports, which have no versions");
    }
}
