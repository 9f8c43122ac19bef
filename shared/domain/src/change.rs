//! What every change carries with it: who, what, when, and through which request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, ActorKind};
use crate::ids::{AgentId, BulkJobId, ImportId};
use crate::person::MembershipRole;

/// The circumstances of a request or a job: the same for every record it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who acts.
    pub actor: Actor,
    /// The id of the request or message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The caller's address as the gateway saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The caller's own name for its program, cut to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The job that does it on the actor's behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<BulkJobId>,
}

impl Origin {
    /// The system acting on its own account.
    #[must_use]
    pub fn system() -> Self {
        Self { actor: Actor::system(), request_id: None, ip_address: None, user_agent: None, job: None }
    }

    /// The import whose row this is: the one that acts.
    #[must_use]
    pub fn import_id(&self) -> Option<ImportId> {
        self.actor.id.as_deref().filter(|_| self.actor.kind == ActorKind::Import).and_then(ImportId::parse)
    }

    /// An import writing its rows.
    #[must_use]
    pub fn import(id: ImportId, file_name: &str) -> Self {
        Self { actor: Actor::import(id, file_name), request_id: None, ip_address: None, user_agent: None, job: None }
    }

    /// The same circumstances, carried out by a job.
    #[must_use]
    pub fn with_job(mut self, job: BulkJobId) -> Self {
        self.job = Some(job);
        self
    }
}

/// What a change of a team did with one of its members, whom the team's own record doesn't name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberChange {
    /// The member.
    pub agent: AgentId,
    /// What they were in the team; none for who joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MembershipRole>,
    /// What they are; none for who leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MembershipRole>,
}

/// One change of one record, kept in the record as `last_change` and read from the stream by the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was done, as `noun.verb`: `contact.created`.
    pub action: String,
    /// When; also the record's `updated_at`.
    #[serde(with = "crate::clock::millis")]
    pub at: Timestamp,
    /// By whom and through what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Why, in the words of who did it, where a reason is asked for. It never holds personal data of a contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The member of a team it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberChange>,
}

impl Change {
    /// A change at a time, which is cut to milliseconds.
    #[must_use]
    pub fn new(action: &str, at: Timestamp, origin: Origin) -> Self {
        Self { action: action.to_owned(), at: crate::clock::to_millisecond(at), origin, reason: None, member: None }
    }

    /// The same change with its reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same change of a team, about one of its members.
    #[must_use]
    pub fn about_member(mut self, member: MemberChange) -> Self {
        self.member = Some(member);
        self
    }
}

/// What every record that people change has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revisioned {
    /// Counts the changes a person, an import or an API client made, from 1.
    pub version: u32,
    /// Counts every write, technical ones too; hidden from clients.
    pub revision: u32,
    /// When the record was made.
    pub created_at: Timestamp,
    /// Who made it, as they were then.
    pub created_by: Actor,
    /// The newest change.
    pub last_change: Change,
}

impl Revisioned {
    /// A record that this change creates.
    #[must_use]
    pub fn created(change: Change) -> Self {
        Self { version: 1, revision: 1, created_at: change.at, created_by: change.origin.actor.clone(), last_change: change }
    }

    /// The same record after one more change.
    #[must_use]
    pub fn changed(&self, change: Change) -> Self {
        Self { version: self.version + 1, revision: self.revision + 1, created_at: self.created_at, created_by: self.created_by.clone(), last_change: change }
    }

    /// The same record after one more write that nobody asked for: version and change stay.
    #[must_use]
    pub fn touched(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }

    /// When the record last changed.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.last_change.at
    }
}
