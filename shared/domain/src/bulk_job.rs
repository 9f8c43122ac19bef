//! Bulk jobs: one action on all contacts of a filter, in batches, each contact once however often a worker dies on the way.
//!
//! Every step writes the whole job over the one it was decided on, so that of two workers one goes on. A batch is written down before it is applied
//! and counted after: whoever finds one applies it again, and a contact remembers the jobs that wrote it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::Origin;
use crate::contact::ContactFilter;
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
    /// It gets its place in the calling order anew, because its status changed; nobody asks for it.
    Rekey {
        /// The status that changed.
        status: StatusId,
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
            Self::Rekey { .. } => "REKEY",
            Self::Rewrap => "REWRAP",
        }
    }

    /// Whether it keeps the records in order rather than doing what a user asked: such a job can't be cancelled.
    #[must_use]
    pub fn is_internal(self) -> bool {
        matches!(self, Self::Rekey { .. } | Self::Rewrap)
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
    /// Every contact of the filter was looked at.
    Completed,
    /// It could not go on.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// What became of one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContactOutcome {
    /// It was changed.
    Changed,
    /// It already was what it should become, or it was exported.
    Unchanged,
    /// It could not be changed.
    Failed,
}

/// What became of one contact, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The contact.
    pub contact: ContactId,
    /// What became of it.
    pub outcome: ContactOutcome,
    /// Why it failed, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How many contacts became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Those that were changed.
    pub changed: u64,
    /// Those that had nothing to be changed, or were exported.
    pub unchanged: u64,
    /// Those that could not be changed.
    pub failed: u64,
}

impl Tally {
    /// The outcomes counted.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            tally.count(outcome.outcome);
        }
        tally
    }

    /// Counts one contact.
    pub fn count(&mut self, outcome: ContactOutcome) {
        match outcome {
            ContactOutcome::Changed => self.changed += 1,
            ContactOutcome::Unchanged => self.unchanged += 1,
            ContactOutcome::Failed => self.failed += 1,
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.changed + self.unchanged + self.failed
    }

    fn add(&mut self, more: Self) {
        self.changed += more.changed;
        self.unchanged += more.unchanged;
        self.failed += more.failed;
    }
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

/// A part of a file that is uploaded in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// Its number; the parts are joined in their order.
    pub number: u32,
    /// The entity tag the bucket gave it.
    pub tag: String,
    /// Its checksum (CRC-32 in Base64), when the bucket confirmed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// What an export has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportState {
    /// The step it is in.
    pub phase: ExportPhase,
    /// The names of attributes found, which become columns.
    pub columns: BTreeSet<String>,
    /// The upload in parts, once the file is larger than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// The parts uploaded.
    pub parts: Vec<FilePart>,
    /// The last part number given to a worker. None gets the number of another, so that one who is overtaken can't replace what was counted.
    pub numbered: u32,
    /// Where the rows written since the last part were put aside, when a worker ran out of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
}

impl ExportState {
    fn new() -> Self {
        Self { phase: ExportPhase::Names, columns: BTreeSet::new(), upload: None, parts: Vec::new(), numbered: 0, rest: None }
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
        let fraction = if reached >= last { 1.0 } else { ((reached - first) / (last - first)).clamp(0.0, 1.0) };
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

    /// A worker begins: the contacts lie there.
    #[must_use]
    pub fn begun(&self, span: Option<Span>, now: Timestamp) -> Self {
        let started_at = Some(crate::clock::to_millisecond(now));
        Self { status: BulkJobStatus::Running, span, started_at, ..self.step() }
    }

    /// The next batch is written down; one without contacts, between which others lie, is done at once.
    #[must_use]
    pub fn taken(&self, batch: Vec<ContactId>, next: Option<String>, now: Timestamp) -> Self {
        let mut job = self.step();
        if batch.is_empty() {
            job.go_on_from(next, now);
        } else {
            job.pending = batch;
            job.pending_next = next;
        }
        job
    }

    /// The batch that was written down is applied, and counted.
    #[must_use]
    pub fn applied(&self, tally: Tally, now: Timestamp) -> Self {
        let mut job = self.step();
        job.pending.clear();
        job.batches += 1;
        job.tally.add(tally);
        let next = job.pending_next.take();
        job.go_on_from(next, now);
        job
    }

    /// Somebody wants it stopped. One that nobody has begun ends at once, another one after its batch.
    #[must_use]
    pub fn asked_to_stop(&self, now: Timestamp) -> Self {
        if self.status == BulkJobStatus::Queued {
            return self.cancelled(now);
        }
        Self { cancel_requested: true, ..self.step() }
    }

    /// It is stopped; what was done stays.
    #[must_use]
    pub fn cancelled(&self, now: Timestamp) -> Self {
        let mut job = self.step();
        job.end(BulkJobStatus::Cancelled, now);
        job
    }

    /// It can't go on, for this reason; what was done stays.
    #[must_use]
    pub fn failed(&self, reason: &str, now: Timestamp) -> Self {
        let mut job = self.step();
        job.failure_reason = Some(reason.to_owned());
        job.end(BulkJobStatus::Failed, now);
        job
    }

    /// An export has found these names of attributes; at the end of the list the rows follow.
    #[must_use]
    pub fn named(&self, names: BTreeSet<String>, next: Option<String>) -> Self {
        let mut job = self.step();
        if let Some(export) = &mut job.export {
            export.columns.extend(names);
            if next.is_none() {
                export.phase = ExportPhase::Rows;
            }
        }
        job.after = next;
        job
    }

    /// An export is about to upload a part, under a number that was never used; the first time with the upload it belongs to.
    #[must_use]
    pub fn numbered(&self, upload: &str) -> Self {
        let mut job = self.step();
        if let Some(export) = &mut job.export {
            export.upload = Some(upload.to_owned());
            export.numbered += 1;
        }
        job
    }

    /// An export has uploaded a part of that many rows; at the end of the list, where there may be no part, the parts are joined.
    #[must_use]
    pub fn uploaded(&self, part: Option<FilePart>, rows: u64, next: Option<String>) -> Self {
        let mut job = self.step();
        if let Some(export) = &mut job.export {
            export.parts.extend(part);
            export.rest = None;
            if next.is_none() {
                export.phase = ExportPhase::Joining;
            }
        }
        job.tally.unchanged += rows;
        job.after = next.or(job.after);
        job
    }

    /// An export has put the rows since the last part aside, those of before included.
    #[must_use]
    pub fn set_aside(&self, rest: &str, rows: u64, next: &str) -> Self {
        let mut job = self.step();
        if let Some(export) = &mut job.export {
            export.rest = Some(rest.to_owned());
        }
        job.tally.unchanged += rows;
        job.after = Some(next.to_owned());
        job
    }

    /// An export's file is there, with that many rows since the last part.
    #[must_use]
    pub fn exported(&self, rows: u64, now: Timestamp) -> Self {
        let mut job = self.step();
        job.tally.unchanged += rows;
        job.end(BulkJobStatus::Completed, now);
        job
    }

    fn step(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }

    fn go_on_from(&mut self, next: Option<String>, now: Timestamp) {
        match next {
            Some(place) => self.after = Some(place),
            None => self.end(BulkJobStatus::Completed, now),
        }
    }

    /// What only the work needed goes, and with it what somebody typed to search for.
    fn end(&mut self, status: BulkJobStatus, now: Timestamp) {
        self.status = status;
        self.finished_at = Some(crate::clock::to_millisecond(now));
        self.pending.clear();
        self.pending_next = None;
        self.filter.search = None;
        if let Some(export) = &mut self.export {
            export.columns.clear();
            export.parts.clear();
            export.upload = None;
            export.rest = None;
        }
    }
}

/// A place as a number: the first 10 of its characters hold the time of creation.
fn position(place: &str) -> f64 {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'v' => byte - b'a' + 10,
        _ => 0,
    };
    place.bytes().take(10).fold(0.0, |sum, byte| sum * 32.0 + f64::from(digit(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn job(action: BulkAction) -> BulkJob {
        BulkJob::asked(BulkJobId::new(NOW, &[1; 10]), action, ContactFilter::default(), Origin::system(), NOW, NOW)
    }

    fn contact(index: usize) -> ContactId {
        ContactId::from_hash(&[u8::try_from(index).unwrap(); 32])
    }

    /// How a contact answers the action.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Kind {
        ToChange,
        AlreadySo,
        Unchangeable,
        NotMeant,
    }

    /// What the database has: the job, and of each contact how often it was written and whether it carries the job's mark.
    struct Table {
        job: BulkJob,
        contacts: Vec<(Kind, u32, bool)>,
    }

    impl Table {
        /// Examines four entries beyond a place.
        fn walk(&self, after: Option<&String>) -> (Vec<ContactId>, Option<String>) {
            let from = after.map_or(0, |place| place.parse::<usize>().unwrap() + 1);
            let to = (from + 4).min(self.contacts.len());
            let batch = (from..to).filter(|index| self.contacts[*index].0 != Kind::NotMeant).map(contact).collect();
            (batch, (to < self.contacts.len()).then(|| format!("{:026}", to - 1)))
        }

        fn apply(&mut self, id: &ContactId) -> ContactOutcome {
            let index = (0..self.contacts.len()).find(|index| contact(*index) == *id).unwrap();
            let (kind, writes, marked) = &mut self.contacts[index];
            match kind {
                _ if *marked => ContactOutcome::Changed,
                Kind::ToChange => {
                    *writes += 1;
                    *marked = true;
                    ContactOutcome::Changed
                }
                Kind::AlreadySo => ContactOutcome::Unchanged,
                Kind::Unchangeable | Kind::NotMeant => ContactOutcome::Failed,
            }
        }
    }

    /// A worker that may stop for good between any two requests.
    #[derive(Default)]
    struct Worker {
        job: Option<BulkJob>,
        outcomes: Vec<ContactOutcome>,
    }

    impl Worker {
        fn step(&mut self, table: &mut Table) {
            let Some(job) = self.job.clone() else {
                *self = Self { job: Some(table.job.clone()), outcomes: Vec::new() };
                return;
            };
            match job.next() {
                Next::Nothing => self.job = None,
                Next::Begin => self.save(table, |job| job.begun(None, NOW)),
                Next::Cancel => self.save(table, |job| job.cancelled(NOW)),
                Next::Take => {
                    let (batch, next) = table.walk(job.after.as_ref());
                    self.save(table, |job| job.taken(batch.clone(), next.clone(), NOW));
                }
                Next::Apply => match job.pending.get(self.outcomes.len()) {
                    Some(id) => self.outcomes.push(table.apply(id)),
                    None => {
                        let mut tally = Tally::default();
                        self.outcomes.iter().for_each(|outcome| tally.count(*outcome));
                        self.save(table, |job| job.applied(tally, NOW));
                    }
                },
                Next::Names | Next::Rows | Next::Join => panic!("not an export"),
            }
        }

        fn save(&mut self, table: &mut Table, step: impl Fn(&BulkJob) -> BulkJob) {
            let mine = self.job.take().unwrap();
            let there = table.job.clone();
            if there.revision == mine.revision || there.is_only_asked_to_stop(&mine) {
                table.job = step(&there);
                self.job = Some(table.job.clone());
            }
            self.outcomes.clear();
        }
    }

    proptest! {
        #[test]
        fn each_contact_is_changed_and_counted_once_however_workers_meet_and_die(
            kinds in prop::collection::vec(prop::sample::select(vec![Kind::ToChange, Kind::ToChange, Kind::AlreadySo, Kind::Unchangeable, Kind::NotMeant]), 0..40),
            events in prop::collection::vec((0_usize..3, 0_u8..20), 0..200),
            cancel_at in prop::option::of(0_usize..200),
        ) {
            let mut table = Table { job: job(BulkAction::Delete), contacts: kinds.iter().map(|kind| (*kind, 0, false)).collect() };
            let mut workers = [Worker::default(), Worker::default(), Worker::default()];
            for (at, (worker, event)) in events.iter().enumerate() {
                if cancel_at == Some(at) && !table.job.is_ended() {
                    table.job = table.job.asked_to_stop(NOW);
                }
                if *event == 0 { workers[*worker] = Worker::default() } else { workers[*worker].step(&mut table) }
            }
            for _ in 0..1_000 {
                workers[0].step(&mut table);
            }
            let job = &table.job;
            let count = |wanted: Kind| kinds.iter().filter(|kind| **kind == wanted).count() as u64;
            let writes: u64 = table.contacts.iter().map(|(_, writes, _)| u64::from(*writes)).sum();
            prop_assert!(job.is_ended() && job.finished_at.is_some() && job.pending.is_empty());
            prop_assert!(table.contacts.iter().all(|(_, writes, _)| *writes <= 1));
            prop_assert_eq!(job.tally.changed, writes);
            if job.status == BulkJobStatus::Completed {
                let expected = Tally { changed: count(Kind::ToChange), unchanged: count(Kind::AlreadySo), failed: count(Kind::Unchangeable) };
                prop_assert_eq!(job.tally, expected);
            } else {
                prop_assert!(cancel_at.is_some());
            }
        }
    }

    #[test]
    fn a_batch_that_is_written_down_is_finished_before_the_job_stops() {
        let running = job(BulkAction::Delete).begun(None, NOW).taken(vec![contact(1)], Some("5".to_owned()), NOW);
        let asked = running.asked_to_stop(NOW);
        assert_eq!((asked.status, asked.next()), (BulkJobStatus::Running, Next::Apply));
        assert!(asked.is_only_asked_to_stop(&running) && !running.is_only_asked_to_stop(&asked));
        let tally = Tally { changed: 1, ..Tally::default() };
        let after = asked.applied(tally, NOW);
        assert_eq!((after.next(), after.tally.total()), (Next::Cancel, 1));
        assert_eq!(after.cancelled(NOW).status, BulkJobStatus::Cancelled);
    }

    #[test]
    fn a_job_that_nobody_began_stops_at_once() {
        let stopped = job(BulkAction::Delete).asked_to_stop(NOW);
        assert_eq!((stopped.status, stopped.next(), stopped.started_at), (BulkJobStatus::Cancelled, Next::Nothing, None));
    }

    #[test]
    fn what_happened_meanwhile_is_not_taken_for_a_request_to_stop() {
        let before = job(BulkAction::Delete).begun(None, NOW);
        let other = before.taken(vec![contact(1)], None, NOW);
        assert!(!other.is_only_asked_to_stop(&before));
        assert!(!other.asked_to_stop(NOW).is_only_asked_to_stop(&before));
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
    fn what_was_searched_for_is_forgotten_at_the_end() {
        let mut asked = job(BulkAction::Delete);
        asked.filter.search = Some("Zoé".to_owned());
        let running = asked.begun(None, NOW);
        assert!(running.filter.search.is_some());
        for ended in [running.taken(Vec::new(), None, NOW), running.cancelled(NOW), running.failed("no", NOW)] {
            assert_eq!(ended.filter.search, None);
        }
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
    fn an_export_goes_from_names_to_rows_to_one_file() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let begun = job(BulkAction::Export).begun(None, NOW);
        let named = begun.named(names(&["b"]), Some("1".to_owned())).named(names(&["a", "b"]), None);
        let export = named.export.as_ref().unwrap();
        assert_eq!((export.columns.clone(), named.after.as_deref(), named.next()), (names(&["a", "b"]), None, Next::Rows));
        let numbered = named.numbered("upload").numbered("upload");
        let part = FilePart { number: numbered.export.as_ref().unwrap().numbered, tag: "t".to_owned(), checksum: None };
        assert_eq!(part.number, 2, "a number given out is not given again");
        let joining = numbered.uploaded(Some(part), 10, Some("5".to_owned())).uploaded(None, 0, None);
        assert_eq!((joining.next(), joining.tally.unchanged, joining.after.as_deref()), (Next::Join, 10, Some("5")));
        let done = joining.exported(0, NOW);
        assert_eq!((done.status, done.tally.total(), done.export.unwrap().upload), (BulkJobStatus::Completed, 10, None));
        let aside = named.set_aside("rest", 3, "7").uploaded(None, 4, None);
        assert_eq!((aside.tally.unchanged, aside.export.unwrap().rest), (7, None));
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
            BulkAction::Rekey { status },
            BulkAction::Rewrap,
        ] {
            let written = serde_json::to_value(action).unwrap();
            assert_eq!(written["name"], action.as_str());
            assert_eq!(serde_json::from_value::<BulkAction>(written).unwrap(), action);
        }
    }
}
