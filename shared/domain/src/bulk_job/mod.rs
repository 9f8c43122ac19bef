//! Bulk jobs: one action on all contacts of a filter, in batches, each contact once however often a worker dies on the way.
//!
//! Every step writes the whole job over the one it was decided on, so that of two workers one goes on. A batch is written down before it is applied
//! and counted after: whoever finds one applies it again, and a contact remembers the jobs that wrote it.

#[cfg(test)]
mod once;
mod outcome;
mod steps;

pub use outcome::{ContactOutcome, Outcome, Tally};

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::Origin;
use crate::contact::ContactFilter;
use crate::file_parts::FileParts;
use crate::ids::{AgentId, BulkJobId, ContactId, StatusId, TeamId};

/// Most contacts of a batch: their ids take about 6 KB of the job's item.
pub const BATCH: usize = 200;

/// What is done to each contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BulkAction {
    /// It is assigned.
    Assign {
        /// To this agent.
        assignee: Option<AgentId>,
        /// Into this team's pool.
        team: Option<TeamId>,
    },
    /// One agent's contacts go to somebody else; the filter is narrowed to that agent's.
    Move {
        /// From this agent.
        from: AgentId,
        /// To this agent.
        assignee: Option<AgentId>,
        /// Into this team's pool.
        team: Option<TeamId>,
    },
    /// It becomes nobody's.
    Unassign,
    /// It gets a status.
    SetStatus {
        /// This one.
        status: StatusId,
    },
    /// It is deleted.
    Delete,
    /// It is written into a file.
    Export,
    /// It is scored anew, by the model in force then: a technical write, which needs no mark of the job because it says the same the second time.
    Rescore,
    /// It gets its place in the calling order anew, because its status changed; nobody asks for it.
    Rekey {
        /// The status that changed.
        status: StatusId,
    },
    /// It is taken from an agent who was disabled or deleted; nobody asks for it by itself.
    Return {
        /// From this agent.
        from: AgentId,
        /// To this agent.
        assignee: Option<AgentId>,
        /// Into this team's pool; without either into the tenant's.
        team: Option<TeamId>,
    },
    /// It leaves the pool of a team that was deleted, whose members leave it before; nobody asks for it.
    Disband {
        /// The team.
        team: TeamId,
    },
    /// Its key is wrapped anew, because the tenant has a newer one; the operator asks for it.
    Rewrap,
}

impl BulkAction {
    /// Its word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assign { .. } => "ASSIGN",
            Self::Move { .. } => "MOVE",
            Self::Unassign => "UNASSIGN",
            Self::SetStatus { .. } => "SET_STATUS",
            Self::Delete => "DELETE",
            Self::Export => "EXPORT",
            Self::Rescore => "RESCORE",
            Self::Rekey { .. } => "REKEY",
            Self::Return { .. } => "RETURN",
            Self::Disband { .. } => "DISBAND",
            Self::Rewrap => "REWRAP",
        }
    }

    /// Whether it keeps the records in order rather than doing what a user asked: such a job can't be cancelled.
    #[must_use]
    pub fn is_internal(self) -> bool {
        matches!(self, Self::Rekey { .. } | Self::Rewrap | Self::Return { .. } | Self::Disband { .. })
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BulkJobStatus {
    /// No worker has begun it.
    Queued,
    /// It is being worked on.
    Running,
    /// It is done.
    Completed,
    /// It could not go on.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// Between which places of the list the contacts of a job lie, as they did when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first place.
    pub first: String,
    /// The last place.
    pub last: String,
}

/// The step an export is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportPhase {
    /// The contacts are read once for the names of their attributes, which become columns.
    Names,
    /// They are read again and written.
    Rows,
    /// The parts of the file are joined.
    Joining,
}

/// What an export has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportState {
    /// The step it is in.
    pub phase: ExportPhase,
    /// The names of attributes found, which become columns.
    pub columns: BTreeSet<String>,
    /// What there is of its file.
    #[serde(flatten)]
    pub file: FileParts,
}

impl ExportState {
    fn new() -> Self {
        Self { phase: ExportPhase::Names, columns: BTreeSet::new(), file: FileParts::default() }
    }
}

/// A job's record. It has no version: all of it is progress.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkJob {
    /// The id; those of later jobs are greater.
    pub id: BulkJobId,
    /// What is done.
    pub action: BulkAction,
    /// To which contacts; what was searched for is forgotten when the job ends.
    pub filter: ContactFilter,
    /// Only to contacts made before this: later ones don't belong to what was asked.
    pub created_before: Timestamp,
    /// Who asked, as they were then.
    pub origin: Origin,
    /// Where it stands.
    pub status: BulkJobStatus,
    /// Why it failed, in plain words.
    pub failure_reason: Option<String>,
    /// Somebody wants it stopped.
    pub cancel_requested: bool,
    /// Where its contacts lie; none when there are none.
    pub span: Option<Span>,
    /// The place in the list up to which all is done.
    pub after: Option<String>,
    /// The batch that is being applied.
    pub pending: Vec<ContactId>,
    /// The place up to which all is done after it; none when nothing follows.
    pub pending_next: Option<String>,
    /// How many batches were applied; each has its outcomes under its number, from 1.
    pub batches: u32,
    /// What became of the contacts so far.
    pub tally: Tally,
    /// What an export has come to.
    pub export: Option<ExportState>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the first worker began it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Counts its writes.
    pub revision: u32,
    /// Who wrote it last: it tells a write of one's own, whose answer was lost, from another's.
    pub writer: String,
}

/// What is to be done with a job next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Find out where its contacts lie.
    Begin,
    /// Write the next batch down.
    Take,
    /// Apply the batch that is written down.
    Apply,
    /// Collect names of attributes.
    Names,
    /// Write rows.
    Rows,
    /// Join the parts of the file.
    Join,
    /// Stop.
    Cancel,
    /// Nothing: it has ended.
    Nothing,
}

impl BulkJob {
    /// A job that somebody asks for.
    #[must_use]
    pub fn asked(id: BulkJobId, action: BulkAction, filter: ContactFilter, origin: Origin, now: Timestamp, created_before: Timestamp) -> Self {
        Self {
            id,
            action,
            filter,
            created_before: crate::clock::to_millisecond(created_before),
            origin,
            status: BulkJobStatus::Queued,
            failure_reason: None,
            cancel_requested: false,
            span: None,
            after: None,
            pending: Vec::new(),
            pending_next: None,
            batches: 0,
            tally: Tally::default(),
            export: (action == BulkAction::Export).then(ExportState::new),
            created_at: crate::clock::to_millisecond(now),
            started_at: None,
            finished_at: None,
            revision: 1,
            writer: String::new(),
        }
    }

    /// Which contacts are meant: those of the filter that were there when it was asked for.
    #[must_use]
    pub fn meant(&self) -> ContactFilter {
        let created_to = self.filter.created_to.map_or(self.created_before, |to| to.min(self.created_before));
        ContactFilter { created_to: Some(created_to), ..self.filter.clone() }
    }

    /// Whether nothing more happens to it.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.status, BulkJobStatus::Completed | BulkJobStatus::Failed | BulkJobStatus::Cancelled)
    }

    /// What is to be done next. A batch that is written down is finished even when the job is to stop: part of it may have been applied.
    #[must_use]
    pub fn next(&self) -> Next {
        match (self.status, &self.export) {
            _ if self.is_ended() => Next::Nothing,
            _ if !self.pending.is_empty() => Next::Apply,
            _ if self.cancel_requested => Next::Cancel,
            (BulkJobStatus::Queued, _) => Next::Begin,
            (_, None) => Next::Take,
            (_, Some(export)) => match export.phase {
                ExportPhase::Names => Next::Names,
                ExportPhase::Rows => Next::Rows,
                ExportPhase::Joining => Next::Join,
            },
        }
    }

    /// Whether this is the given state with nothing but a request to stop added.
    #[must_use]
    pub fn is_only_asked_to_stop(&self, before: &Self) -> bool {
        let asked = Self { cancel_requested: true, revision: self.revision, writer: self.writer.clone(), ..before.clone() };
        !before.cancel_requested && *self == asked
    }

    /// How far it is, from 0 to 1, told from the place it has reached: contacts stand in the list by the time of their creation.
    #[must_use]
    pub fn progress(&self) -> f64 {
        if self.status == BulkJobStatus::Completed {
            return 1.0;
        }
        let (Some(span), Some(after)) = (&self.span, &self.after) else {
            return self.passes_done();
        };
        let (first, last, reached) = (position(&span.first), position(&span.last), position(after));
        let fraction = if reached >= last { 1.0 } else { reached.saturating_sub(first) as f64 / last.saturating_sub(first).max(1) as f64 };
        if self.export.is_some() { (self.passes_done() + fraction / 2.0).min(1.0) } else { fraction }
    }

    /// An export reads everything twice.
    fn passes_done(&self) -> f64 {
        match self.export.as_ref().map(|export| export.phase) {
            None | Some(ExportPhase::Names) => 0.0,
            Some(ExportPhase::Rows) => 0.5,
            Some(ExportPhase::Joining) => 1.0,
        }
    }
}

/// A place as a number: the time of creation, and behind it what tells those of one millisecond apart.
fn position(place: &str) -> u128 {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'v' => byte - b'a' + 10,
        _ => 0,
    };
    place.bytes().take(25).fold(0, |sum, byte| sum * 32 + u128::from(digit(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    pub(super) fn job(action: BulkAction) -> BulkJob {
        BulkJob::asked(BulkJobId::new(NOW, &[1; 10]), action, ContactFilter::default(), Origin::system(), NOW, NOW)
    }

    pub(super) fn contact(index: usize) -> ContactId {
        ContactId::from_hash(&[u8::try_from(index).unwrap(); 32])
    }

    #[test]
    fn only_contacts_from_before_the_job_are_meant() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut asked = job(BulkAction::Delete);
        asked.created_before = at(100);
        assert_eq!(asked.meant().created_to, Some(at(100)));
        asked.filter.created_to = Some(at(50));
        assert_eq!(asked.meant().created_to, Some(at(50)));
    }

    #[test]
    fn progress_follows_the_place_in_the_list() {
        let place = |digit: char| digit.to_string().repeat(26);
        let span = Some(Span { first: place('0'), last: place('g') });
        let running = job(BulkAction::Delete).begun(span.clone(), NOW);
        assert_eq!(running.progress(), 0.0);
        let halfway = running.taken(Vec::new(), Some(place('8')), NOW).progress();
        assert!((0.45..0.55).contains(&halfway), "{halfway}");
        assert_eq!(running.taken(Vec::new(), Some(place('v')), NOW).progress(), 1.0);
        let export = job(BulkAction::Export).begun(span, NOW);
        let named = export.named(BTreeSet::new(), None);
        assert_eq!((export.progress(), named.progress(), named.next()), (0.0, 0.5, Next::Rows));
    }

    #[test]
    fn an_action_reads_back_from_its_written_form() {
        let (agent, status) = (AgentId::new(NOW, &[1; 10]), StatusId::new(NOW, &[2; 10]));
        for action in [
            BulkAction::Assign { assignee: Some(agent), team: None },
            BulkAction::Move { from: agent, assignee: None, team: Some(TeamId::new(NOW, &[3; 10])) },
            BulkAction::Unassign,
            BulkAction::SetStatus { status },
            BulkAction::Delete,
            BulkAction::Export,
            BulkAction::Rescore,
            BulkAction::Rekey { status },
            BulkAction::Rewrap,
            BulkAction::Return { from: agent, assignee: None, team: None },
            BulkAction::Disband { team: TeamId::new(NOW, &[3; 10]) },
        ] {
            let written = serde_json::to_value(action).unwrap();
            assert_eq!(written["name"], action.as_str());
            assert_eq!(serde_json::from_value::<BulkAction>(written).unwrap(), action);
        }
    }
}
