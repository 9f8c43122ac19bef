//! Exports of the audit trail: events of a filter in one file, written in parts by workers of which each may be killed.
//!
//! Every step writes the whole export over the one it was decided on, so that of two workers one goes on. What was written is counted together with the
//! place up to which it was: each event is in the file once.

#[cfg(test)]
mod once;
mod sheet;

pub use sheet::{Shown, write_header, write_rows};

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actor::{Actor, ActorKind};
use crate::audit::AuditEvent;
use crate::bulk_job::BulkJobStatus;
use crate::change::Origin;
use crate::file_parts::{FilePart, FileParts};
use crate::ids::AuditExportId;

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuditExportFormat {
    /// A table for spreadsheets: a row for each field that changed.
    Csv,
    /// Events as they are hashed, with seals: what can be verified.
    JsonLines,
}

/// The actor that has no id.
pub const SYSTEM: &str = "system";

/// Which events are meant: all that match everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditExportFilter {
    /// Those of records of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// Those of the record with this id in its short form. The kind is given too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// What was done by the actor with this id in its short form, or by [`SYSTEM`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Those of this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Those recorded from this time on.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::clock::millis::option")]
    pub from: Option<Timestamp>,
    /// Those recorded before this time.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::clock::millis::option")]
    pub to: Option<Timestamp>,
}

impl AuditExportFilter {
    /// The one record that is meant, by its kind and id.
    #[must_use]
    pub fn record(&self) -> Option<(&str, &str)> {
        self.entity_type.as_deref().zip(self.entity_id.as_deref())
    }

    /// Whether an event is meant that was recorded at this time.
    #[must_use]
    pub fn means(&self, event: &AuditEvent, recorded_at: Timestamp) -> bool {
        let is = |wanted: &Option<String>, there: Option<&str>| wanted.as_deref().is_none_or(|wanted| there == Some(wanted));
        is(&self.entity_type, Some(&event.entity_type))
            && is(&self.entity_id, Some(&event.entity_id))
            && self.actor.as_deref().is_none_or(|wanted| is_by(wanted, &event.change.origin.actor))
            && is(&self.action, Some(&event.change.action))
            && self.from.is_none_or(|from| recorded_at >= from)
            && self.to.is_none_or(|to| recorded_at < to)
    }

    /// What is left out of the export otherwise than by time, by the names of the API; none when nothing is.
    #[must_use]
    pub fn left_out(&self) -> Option<Value> {
        let given = [("entityType", &self.entity_type), ("entityId", &self.entity_id), ("actorId", &self.actor), ("action", &self.action)];
        let members: Map<String, Value> = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value.as_deref()?)))).collect();
        (!members.is_empty()).then_some(Value::Object(members))
    }
}

fn is_by(wanted: &str, actor: &Actor) -> bool {
    if wanted == SYSTEM { actor.kind == ActorKind::System } else { actor.id.as_deref() == Some(wanted) }
}

/// Up to where a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Reached {
    /// Of the events of one record, up to the one with this sort key; without one, up to none.
    Record {
        /// The sort key of its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<String>,
    },
    /// Of the archive, up to this file of a day; without one, up to the beginning of the day.
    Archive {
        /// The day.
        day: Date,
        /// The key of the file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
    },
    /// All events, and nothing of what vouches for them.
    Events,
    /// All seals, and the hashes of the days before this one.
    Seals {
        /// The day.
        day: Date,
        /// How many of its own hashes too.
        hashes: u64,
    },
}

/// What some writing added to a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added {
    /// Events.
    pub events: u64,
    /// Bytes.
    pub bytes: u64,
    /// Days (UTC) on which the events were recorded.
    pub days: BTreeSet<Date>,
}

impl std::ops::AddAssign for Added {
    fn add_assign(&mut self, more: Self) {
        self.events += more.events;
        self.bytes += more.bytes;
        self.days.extend(more.days);
    }
}

/// An export's record. It has no version: all of it is progress.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditExport {
    /// The id; those of later exports are greater.
    pub id: AuditExportId,
    /// How the file is written.
    pub format: AuditExportFormat,
    /// Which events are in it. The time they were recorded before is at most that at which it was asked for.
    pub filter: AuditExportFilter,
    /// Whether what is sealed is written in the clear.
    pub readable: bool,
    /// Who asked, as they were then.
    pub origin: Origin,
    /// Where it stands.
    pub status: BulkJobStatus,
    /// Why it failed, in plain words.
    pub failure_reason: Option<String>,
    /// Somebody wants it stopped.
    pub cancel_requested: bool,
    /// Up to where the file is written; none at its beginning and when it ended.
    pub reached: Option<Reached>,
    /// Whether all is written, and the parts are to be joined.
    pub is_written: bool,
    /// Events in the file so far.
    pub events: u64,
    /// Bytes of the file so far.
    pub bytes: u64,
    /// The days on which its events were recorded; forgotten when it ends.
    pub days: BTreeSet<Date>,
    /// What there is of the file.
    pub file: FileParts,
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

/// What is to be done with an export next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Begin it.
    Begin,
    /// Write events, and what vouches for them.
    Write,
    /// Join the parts of the file.
    Join,
    /// Stop.
    Cancel,
    /// Nothing: it has ended.
    Nothing,
}

impl AuditExport {
    /// An export that somebody asks for, of events recorded before.
    #[must_use]
    pub fn asked(id: AuditExportId, format: AuditExportFormat, filter: AuditExportFilter, readable: bool, origin: Origin, now: Timestamp) -> Self {
        let now = crate::clock::to_millisecond(now);
        let to = filter.to.map_or(now, |to| to.min(now));
        Self {
            id,
            format,
            filter: AuditExportFilter { to: Some(to), ..filter },
            readable,
            origin,
            status: BulkJobStatus::Queued,
            failure_reason: None,
            cancel_requested: false,
            reached: None,
            is_written: false,
            events: 0,
            bytes: 0,
            days: BTreeSet::new(),
            file: FileParts::default(),
            created_at: now,
            started_at: None,
            finished_at: None,
            revision: 1,
            writer: String::new(),
        }
    }

    /// Whether nothing more happens to it.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.status, BulkJobStatus::Completed | BulkJobStatus::Failed | BulkJobStatus::Cancelled)
    }

    /// What is to be done next.
    #[must_use]
    pub fn next(&self) -> Next {
        match self.status {
            _ if self.is_ended() => Next::Nothing,
            _ if self.cancel_requested => Next::Cancel,
            BulkJobStatus::Queued => Next::Begin,
            _ if self.is_written => Next::Join,
            _ => Next::Write,
        }
    }

    /// Whether this is the given state with nothing but a request to stop added.
    #[must_use]
    pub fn is_only_asked_to_stop(&self, before: &Self) -> bool {
        let asked = Self { cancel_requested: true, revision: self.revision, writer: self.writer.clone(), ..before.clone() };
        !before.cancel_requested && *self == asked
    }

    /// A worker begins.
    #[must_use]
    pub fn begun(&self, now: Timestamp) -> Self {
        Self { status: BulkJobStatus::Running, started_at: Some(crate::clock::to_millisecond(now)), ..self.step() }
    }

    /// Somebody wants it stopped. One that nobody has begun ends at once.
    #[must_use]
    pub fn asked_to_stop(&self, now: Timestamp) -> Self {
        if self.status == BulkJobStatus::Queued {
            return self.cancelled(now);
        }
        Self { cancel_requested: true, ..self.step() }
    }

    /// It is stopped; there will be no file.
    #[must_use]
    pub fn cancelled(&self, now: Timestamp) -> Self {
        self.step().ended(BulkJobStatus::Cancelled, now)
    }

    /// It can't go on, for this reason.
    #[must_use]
    pub fn failed(&self, reason: &str, now: Timestamp) -> Self {
        Self { failure_reason: Some(reason.to_owned()), ..self.step() }.ended(BulkJobStatus::Failed, now)
    }

    /// A part is about to be uploaded, under a number that was never used; the first time with the upload it belongs to.
    #[must_use]
    pub fn numbered(&self, upload: &str) -> Self {
        let mut export = self.step();
        export.file.number(upload);
        export
    }

    /// A part was uploaded; at the end, where there may be no part, the parts are joined.
    #[must_use]
    pub fn uploaded(&self, part: Option<FilePart>, added: &Added, next: Option<Reached>) -> Self {
        let mut export = self.step();
        export.file.add(part);
        export.count(added);
        export.is_written = next.is_none();
        export.reached = next.or(export.reached);
        export
    }

    /// What was written since the last part was put aside, what was put aside before included.
    #[must_use]
    pub fn set_aside(&self, rest: &str, added: &Added, next: Reached) -> Self {
        let mut export = self.step();
        export.file.set_aside(rest);
        export.count(added);
        export.reached = Some(next);
        export
    }

    /// The file is there, with what was written since the last part.
    #[must_use]
    pub fn written(&self, added: &Added, now: Timestamp) -> Self {
        let mut export = self.step();
        export.count(added);
        export.ended(BulkJobStatus::Completed, now)
    }

    fn step(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }

    fn count(&mut self, added: &Added) {
        self.events += added.events;
        self.bytes += added.bytes;
        self.days.extend(&added.days);
    }

    /// What only the work needed goes.
    fn ended(mut self, status: BulkJobStatus, now: Timestamp) -> Self {
        self.status = status;
        self.finished_at = Some(crate::clock::to_millisecond(now));
        self.reached = None;
        self.days.clear();
        self.file.forget();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Changes, Outcome, Place};
    use crate::change::Change;
    use jiff::civil::date;
    use serde_json::json;

    pub(super) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    pub(super) fn export() -> AuditExport {
        AuditExport::asked(AuditExportId::new(NOW, &[1; 10]), AuditExportFormat::JsonLines, AuditExportFilter::default(), true, Origin::system(), NOW)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn event() -> AuditEvent {
        let mut origin = Origin::system();
        (origin.actor.kind, origin.actor.id) = (ActorKind::User, Some("u".to_owned()));
        AuditEvent {
            entity_type: "contact".to_owned(),
            entity_id: "c".to_owned(),
            place: Place::Version(1),
            change: Change::new("contact.created", NOW, origin),
            changes: Changes::Clear(Vec::new()),
            outcome: Outcome::Success,
            previous_hash: None,
            about: None,
        }
    }

    #[test]
    fn an_event_is_meant_when_everything_that_is_given_matches() {
        let text = |text: &str| Some(text.to_owned());
        let all = AuditExportFilter {
            entity_type: text("contact"),
            entity_id: text("c"),
            actor: text("u"),
            action: text("contact.created"),
            from: Some(at(5)),
            to: Some(at(9)),
        };
        assert!(all.means(&event(), at(5)) && AuditExportFilter::default().means(&event(), at(5)));
        assert!(!all.means(&event(), at(4)) && !all.means(&event(), at(9)), "the end is not in it");
        for other in [
            AuditExportFilter { entity_type: text("note"), ..all.clone() },
            AuditExportFilter { entity_id: text("d"), ..all.clone() },
            AuditExportFilter { actor: text("v"), ..all.clone() },
            AuditExportFilter { action: text("contact.updated"), ..all.clone() },
        ] {
            assert!(!other.means(&event(), at(5)), "{other:?}");
        }
        let by_the_system = AuditExportFilter { actor: text(SYSTEM), ..AuditExportFilter::default() };
        assert!(!by_the_system.means(&event(), at(5)));
        let mut its_own = event();
        its_own.change.origin = Origin::system();
        assert!(by_the_system.means(&its_own, at(5)) && !all.means(&its_own, at(5)));
    }

    #[test]
    fn what_is_left_out_is_said_and_time_is_not_among_it() {
        let filter = AuditExportFilter { from: Some(NOW), to: Some(NOW), ..AuditExportFilter::default() };
        assert_eq!(filter.left_out(), None);
        let filter = AuditExportFilter { actor: Some("u".to_owned()), action: Some("contact.created".to_owned()), ..filter };
        assert_eq!(filter.left_out(), Some(json!({ "action": "contact.created", "actorId": "u" })));
    }

    #[test]
    fn an_export_has_what_was_recorded_before_it_was_asked_for() {
        let id = AuditExportId::new(NOW, &[1; 10]);
        for (to, expected) in [(None, 100), (Some(at(50)), 50), (Some(at(200)), 100)] {
            let filter = AuditExportFilter { to, ..AuditExportFilter::default() };
            let asked = AuditExport::asked(id, AuditExportFormat::Csv, filter, false, Origin::system(), at(100));
            assert_eq!(asked.filter.to, Some(at(expected)));
        }
    }

    #[test]
    fn an_export_is_begun_written_and_joined() {
        let begun = export().begun(NOW);
        assert_eq!((export().next(), begun.next()), (Next::Begin, Next::Write));
        let day = date(2026, 11, 30);
        let added = Added { events: 3, bytes: 100, days: BTreeSet::from([day]) };
        let place = Reached::Archive { day, file: Some("key".to_owned()) };
        let aside = begun.set_aside("rest", &added, place.clone());
        assert_eq!((aside.events, aside.bytes, aside.file.rest.as_deref(), aside.reached.as_ref()), (3, 100, Some("rest"), Some(&place)));
        let numbered = aside.numbered("upload").numbered("upload");
        let part = FilePart { number: numbered.file.numbered, tag: "t".to_owned(), checksum: None };
        let joining = numbered.uploaded(Some(part), &added, None);
        assert_eq!((joining.next(), joining.events, joining.file.rest.as_deref(), joining.file.numbered), (Next::Join, 6, None, 2));
        let done = joining.written(&Added::default(), NOW);
        assert_eq!((done.status, done.events, done.bytes, done.next()), (BulkJobStatus::Completed, 6, 200, Next::Nothing));
        assert!(done.file.parts.is_empty() && done.file.upload.is_none() && done.days.is_empty() && done.reached.is_none());
    }

    #[test]
    fn one_that_nobody_began_stops_at_once_and_another_when_its_worker_comes_to_it() {
        let stopped = export().asked_to_stop(NOW);
        assert_eq!((stopped.status, stopped.started_at), (BulkJobStatus::Cancelled, None));
        let running = export().begun(NOW);
        let asked = running.asked_to_stop(NOW);
        assert_eq!((asked.status, asked.next()), (BulkJobStatus::Running, Next::Cancel));
        assert!(asked.is_only_asked_to_stop(&running) && !running.is_only_asked_to_stop(&asked));
        assert!(!running.numbered("upload").is_only_asked_to_stop(&running), "what another worker did is no request to stop");
        let failed = running.failed("why", NOW);
        assert_eq!((failed.status, failed.failure_reason.as_deref()), (BulkJobStatus::Failed, Some("why")));
    }

    #[test]
    fn a_place_reads_back_from_its_written_form() {
        let day = date(2026, 11, 30);
        for reached in [
            Reached::Record { place: None },
            Reached::Record { place: Some("0000000007".to_owned()) },
            Reached::Archive { day, file: None },
            Reached::Archive { day, file: Some("events/t/2026-11-30/1-2.jsonl.gz".to_owned()) },
            Reached::Events,
            Reached::Seals { day, hashes: 200_000 },
        ] {
            let written = serde_json::to_value(&reached).unwrap();
            assert_eq!(serde_json::from_value::<Reached>(written).unwrap(), reached);
        }
    }
}
