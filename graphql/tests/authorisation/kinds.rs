//! The kinds of records that are asked for, and whose they can be.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::tenancy::global;

/// What stands for the words in angle brackets of what is asked: `<id>` for the id of the record, and others.
pub(crate) type Names = HashMap<&'static str, Value>;

/// Whose a record is, in the order in which people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Whose {
    /// No record is named.
    Nobodys,
    /// The viewer's own.
    Own,
    /// That of somebody who shares a team with the viewer.
    Team,
    /// In the pool of the viewer's team.
    Pool,
    /// That of somebody who shares no team with the viewer.
    Other,
    /// In the pool of a team the viewer isn't in.
    OtherPool,
    /// The tenant's as a whole.
    Tenant,
    /// Another tenant's.
    Foreign,
    /// There is no such record.
    Absent,
}

impl Whose {
    /// The word for it in the table.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Nobodys => "-",
            Self::Own => "own",
            Self::Team => "team",
            Self::Pool => "pool",
            Self::Other => "other",
            Self::OtherPool => "other pool",
            Self::Tenant => "tenant",
            Self::Foreign => "foreign",
            Self::Absent => "absent",
        }
    }
}

/// What kind of record is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// None.
    Nothing,
    Contact,
    DeletedContact,
    MergedContact,
    Note,
    User,
    /// A user who never signed in; as the viewer's own it is the viewer.
    InvitedUser,
    /// A user who isn't in the staff directory.
    UserWithoutAgent,
    Agent,
    /// An agent with a contact, which lists are searched for.
    AgentWithContact,
    /// An agent who can be given work.
    AvailableAgent,
    /// An agent with a window in their schedule.
    BookableAgent,
    DeletedAgent,
    Window,
    Exception,
    Team,
    /// A team with a member who can be given work and booked, and whom lists are searched for.
    TeamAtWork,
    DeletedTeam,
    Role,
    Status,
    Suppression,
    /// An import that was undone.
    Import,
    /// An import that waits to be started.
    WaitingImport,
    /// A mapping of columns that is kept under a name.
    ImportProfile,
    /// A scoring model of the tenant's own.
    ScoringModel,
    /// The learning of a scoring model, which came of it.
    ScoringTraining,
    BulkJob,
    /// An export that has its file.
    Export,
    /// An export of the audit trail that has its file.
    AuditExport,
    Organisation,
    ContactEvent,
    AgentEvent,
    TeamEvent,
}

impl Kind {
    /// What people call it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "-",
            Self::Contact => "contact",
            Self::DeletedContact => "deleted contact",
            Self::MergedContact => "merged contact",
            Self::Note => "note of a contact",
            Self::User => "user",
            Self::InvitedUser => "invited user",
            Self::UserWithoutAgent => "user who is no agent",
            Self::Agent => "agent",
            Self::AgentWithContact => "agent with a contact",
            Self::AvailableAgent => "available agent",
            Self::BookableAgent => "bookable agent",
            Self::DeletedAgent => "deleted agent",
            Self::Window => "window of an agent",
            Self::Exception => "exception of an agent",
            Self::Team => "team",
            Self::TeamAtWork => "team at work",
            Self::DeletedTeam => "deleted team",
            Self::Role => "role",
            Self::Status => "status",
            Self::Suppression => "suppression",
            Self::Import => "import",
            Self::WaitingImport => "import that waits",
            Self::ImportProfile => "saved mapping",
            Self::ScoringModel => "scoring model",
            Self::ScoringTraining => "scoring training",
            Self::BulkJob => "bulk job",
            Self::Export => "finished export",
            Self::AuditExport => "audit export",
            Self::Organisation => "organisation",
            Self::ContactEvent => "audit event of a contact",
            Self::AgentEvent => "audit event of an agent",
            Self::TeamEvent => "audit event of a team",
        }
    }

    /// Whether it is a team, or something of one.
    pub(crate) const fn is_of_team(self) -> bool {
        matches!(self, Self::Team | Self::TeamAtWork | Self::TeamEvent)
    }

    /// Whose it can be, in the order in which it is asked for: what is done to the viewer themselves comes last.
    pub(crate) const fn whose(self) -> &'static [Whose] {
        match self {
            Self::Nothing => &[Whose::Nobodys],
            Self::Contact | Self::DeletedContact | Self::MergedContact | Self::Note | Self::ContactEvent => {
                &[Whose::Team, Whose::Pool, Whose::Other, Whose::OtherPool, Whose::Foreign, Whose::Absent, Whose::Own]
            }
            Self::User | Self::Agent | Self::AgentWithContact | Self::AvailableAgent | Self::BookableAgent | Self::Window | Self::Exception | Self::AgentEvent => {
                &[Whose::Team, Whose::Other, Whose::Foreign, Whose::Absent, Whose::Own]
            }
            Self::InvitedUser | Self::Team | Self::TeamAtWork | Self::TeamEvent => &[Whose::Other, Whose::Foreign, Whose::Absent, Whose::Own],
            Self::UserWithoutAgent | Self::DeletedAgent | Self::DeletedTeam => &[Whose::Other, Whose::Foreign, Whose::Absent],
            Self::Role
            | Self::Status
            | Self::Suppression
            | Self::Import
            | Self::WaitingImport
            | Self::ImportProfile
            | Self::ScoringModel
            | Self::ScoringTraining
            | Self::BulkJob
            | Self::Export
            | Self::AuditExport
            | Self::Organisation => &[Whose::Tenant, Whose::Foreign, Whose::Absent],
        }
    }

    /// What stands for the words when there is no such record: ids of the right form that were never given.
    pub(crate) fn absent(self) -> Names {
        const NOBODY: &str = "00000000000000000000000000";
        const NOBODYS: &str = "nobodys mapping";
        let id = match self {
            Self::Nothing => Value::Null,
            Self::Contact | Self::DeletedContact | Self::MergedContact => global("contact", NOBODY),
            Self::Note => global("note", format!("{NOBODY}:{NOBODY}")),
            Self::User | Self::InvitedUser | Self::UserWithoutAgent => global("user", NOBODY),
            Self::Agent | Self::AgentWithContact | Self::AvailableAgent | Self::BookableAgent | Self::DeletedAgent => global("agent", NOBODY),
            Self::Window | Self::Exception => json!(NOBODY),
            Self::Team | Self::TeamAtWork | Self::DeletedTeam => global("team", NOBODY),
            Self::Role => global("role", NOBODY),
            Self::Status => global("contact_status", NOBODY),
            Self::Suppression => global("suppression", NOBODY),
            Self::Import | Self::WaitingImport => global("import", NOBODY),
            Self::ImportProfile => global("import_profile", NOBODYS),
            Self::ScoringModel => global("scoring_model", NOBODY),
            Self::ScoringTraining => global("scoring_training", NOBODY),
            Self::BulkJob | Self::Export => global("bulk_job", NOBODY),
            Self::AuditExport => global("audit_export", NOBODY),
            Self::Organisation => global("tenant", NOBODY),
            Self::ContactEvent => global("audit_event", format!("contact:{NOBODY}:1")),
            Self::AgentEvent => global("audit_event", format!("agent:{NOBODY}:1")),
            Self::TeamEvent => global("audit_event", format!("team:{NOBODY}:1")),
        };
        let (contact, agent) = (global("contact", NOBODY), global("agent", NOBODY));
        let listed = match self {
            Self::AgentWithContact => contact.clone(),
            Self::TeamAtWork => agent.clone(),
            _ => id.clone(),
        };
        let (phone, source, name) = (json!("+16135550000"), json!("nowhere"), json!(NOBODYS));
        Names::from([
            ("id", id),
            ("listed", listed),
            ("contact", contact),
            ("agent", agent.clone()),
            ("member", agent),
            ("phone", phone),
            ("source", source),
            ("name", name),
        ])
    }
}
