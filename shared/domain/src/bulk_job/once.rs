//! The rules of a job against a plain table: workers take single steps in any order, die between any two, and meet.

use proptest::prelude::*;

use super::tests::{NOW, contact, job};
use super::{BulkAction, BulkJob, BulkJobStatus, ContactOutcome, Next, Tally};
use crate::ids::ContactId;

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
