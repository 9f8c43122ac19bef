//! The steps of a job, each from one state to the next.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{BulkJob, BulkJobStatus, ExportPhase, Span, Tally};
use crate::file_parts::FilePart;
use crate::ids::ContactId;

impl BulkJob {
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
            export.file.number(upload);
        }
        job
    }

    /// An export has uploaded a part of that many rows; at the end of the list, where there may be no part, the parts are joined.
    #[must_use]
    pub fn uploaded(&self, part: Option<FilePart>, rows: u64, next: Option<String>) -> Self {
        let mut job = self.step();
        if let Some(export) = &mut job.export {
            export.file.add(part);
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
            export.file.set_aside(rest);
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
            export.file.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, contact, job};
    use super::super::{BulkAction, Next};
    use super::*;

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
    fn an_export_goes_from_names_to_rows_to_one_file() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let begun = job(BulkAction::Export).begun(None, NOW);
        let named = begun.named(names(&["b"]), Some("1".to_owned())).named(names(&["a", "b"]), None);
        let export = named.export.as_ref().unwrap();
        assert_eq!((export.columns.clone(), named.after.as_deref(), named.next()), (names(&["a", "b"]), None, Next::Rows));
        let numbered = named.numbered("upload").numbered("upload");
        let part = FilePart { number: numbered.export.as_ref().unwrap().file.numbered, tag: "t".to_owned(), checksum: None };
        assert_eq!(part.number, 2, "a number given out is not given again");
        let joining = numbered.uploaded(Some(part), 10, Some("5".to_owned())).uploaded(None, 0, None);
        assert_eq!((joining.next(), joining.tally.unchanged, joining.after.as_deref()), (Next::Join, 10, Some("5")));
        let done = joining.exported(0, NOW);
        assert_eq!((done.status, done.tally.total(), done.export.unwrap().file.upload), (BulkJobStatus::Completed, 10, None));
        let aside = named.set_aside("rest", 3, "7").uploaded(None, 4, None);
        assert_eq!((aside.tally.unchanged, aside.export.unwrap().file.rest), (7, None));
    }
}
