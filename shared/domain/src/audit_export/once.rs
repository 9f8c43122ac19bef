//! The rules of an export against a plain bucket: workers take single steps in any order, die between any two, and meet.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{NOW, export};
use super::{Added, AuditExport, Next, Reached};
use crate::bulk_job::BulkJobStatus;
use crate::file_parts::FilePart;

/// What there is outside the workers: the export's record, events that are only their numbers, and the files.
struct Table {
    export: AuditExport,
    events: usize,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<usize>>>,
    put_aside: BTreeMap<String, Vec<usize>>,
    file: Option<Vec<usize>>,
    names: usize,
}

impl Table {
    fn name(&mut self) -> String {
        self.names += 1;
        format!("name {}", self.names)
    }
}

/// What a worker has written and not yet said.
struct Held {
    bytes: Vec<usize>,
    added: Added,
    next: usize,
    stage: Stage,
}

enum Stage {
    Collecting,
    Numbered,
    Uploaded(FilePart),
    PutAside(String),
    Whole,
}

/// A worker that may stop for good between any two requests.
#[derive(Default)]
struct Worker {
    export: Option<AuditExport>,
    held: Option<Held>,
}

impl Worker {
    fn step(&mut self, table: &mut Table, choice: u8) {
        let Some(export) = self.export.clone() else {
            *self = Self { export: Some(table.export.clone()), held: None };
            return;
        };
        match export.next() {
            Next::Nothing => *self = Self::default(),
            Next::Begin => self.save(table, |export| export.begun(NOW)),
            Next::Cancel => self.save(table, |export| export.cancelled(NOW)),
            Next::Write => self.write(table, &export, choice),
            Next::Join => self.join(table, &export),
        }
    }

    fn write(&mut self, table: &mut Table, export: &AuditExport, choice: u8) {
        let Some(mut held) = self.held.take() else {
            let next = match &export.reached {
                Some(Reached::Record { place: Some(place) }) => place.parse().unwrap(),
                _ => 0,
            };
            let bytes = export.file.rest.as_ref().map(|rest| table.put_aside[rest].clone()).unwrap_or_default();
            self.held = Some(Held { bytes, added: Added::default(), next, stage: Stage::Collecting });
            return;
        };
        let is_last = held.next == table.events;
        let reached = Reached::Record { place: Some(held.next.to_string()) };
        let next = (!is_last).then(|| reached.clone());
        match held.stage {
            Stage::Collecting if !is_last && choice < 10 => {
                held.bytes.push(held.next);
                held.added += Added { events: 1, bytes: 1, ..Added::default() };
                held.next += 1;
            }
            Stage::Collecting if !is_last && choice < 13 => {
                let name = table.name();
                table.put_aside.insert(name.clone(), held.bytes.clone());
                held.stage = Stage::PutAside(name);
            }
            Stage::Collecting if is_last && export.file.parts.is_empty() => {
                table.file = Some(held.bytes.clone());
                held.stage = Stage::Whole;
            }
            Stage::Collecting if held.bytes.is_empty() => return self.save(table, |export| export.uploaded(None, &held.added, next.clone())),
            Stage::Collecting => {
                let upload = export.file.upload.clone().unwrap_or_else(|| {
                    let upload = table.name();
                    table.uploads.insert(upload.clone(), BTreeMap::new());
                    upload
                });
                self.save(table, |export| export.numbered(&upload));
                held.stage = Stage::Numbered;
            }
            Stage::Numbered => {
                let number = export.file.numbered;
                let upload = export.file.upload.as_ref().unwrap();
                // One that another worker has joined takes no more parts.
                let Some(parts) = table.uploads.get_mut(upload) else {
                    return *self = Self::default();
                };
                assert!(parts.insert(number, held.bytes.clone()).is_none(), "no two workers have one number");
                held.stage = Stage::Uploaded(FilePart { number, tag: String::new(), checksum: None });
            }
            Stage::Uploaded(part) => return self.save(table, |export| export.uploaded(Some(part.clone()), &held.added, next.clone())),
            Stage::PutAside(name) => return self.save(table, |export| export.set_aside(&name, &held.added, reached.clone())),
            Stage::Whole => return self.save(table, |export| export.written(&held.added, NOW)),
        }
        self.held = self.export.is_some().then_some(held);
    }

    fn join(&mut self, table: &mut Table, export: &AuditExport) {
        let upload = export.file.upload.as_ref().unwrap();
        match table.uploads.remove(upload) {
            Some(parts) => table.file = Some(export.file.parts.iter().flat_map(|part| parts[&part.number].clone()).collect()),
            None => {
                assert!(table.file.is_some(), "an upload that is gone was joined");
                self.save(table, |export| export.written(&Added::default(), NOW));
            }
        }
    }

    fn save(&mut self, table: &mut Table, step: impl Fn(&AuditExport) -> AuditExport) {
        let mine = self.export.take().unwrap();
        let there = table.export.clone();
        if there.revision == mine.revision || there.is_only_asked_to_stop(&mine) {
            table.export = step(&there);
            self.export = Some(table.export.clone());
        }
        self.held = None;
    }
}

proptest! {
    #[test]
    fn each_event_is_in_the_file_once_and_counted_once_however_workers_meet_and_die(
        events in 0_usize..30,
        steps in prop::collection::vec((0_usize..3, 0_u8..20), 0..300),
        cancel_at in prop::option::of(0_usize..300),
    ) {
        let (uploads, put_aside) = (BTreeMap::new(), BTreeMap::new());
        let mut table = Table { export: export(), events, uploads, put_aside, file: None, names: 0 };
        let mut workers = [Worker::default(), Worker::default(), Worker::default()];
        for (at, (worker, choice)) in steps.into_iter().enumerate() {
            if cancel_at == Some(at) && !table.export.is_ended() {
                table.export = table.export.asked_to_stop(NOW);
            }
            if choice == 19 { workers[worker] = Worker::default() } else { workers[worker].step(&mut table, choice) }
        }
        for _ in 0..300 {
            workers[0].step(&mut table, 0);
        }
        let export = &table.export;
        prop_assert!(export.is_ended() && export.finished_at.is_some());
        if export.status == BulkJobStatus::Completed {
            prop_assert_eq!(table.file.as_ref().unwrap(), &(0..events).collect::<Vec<_>>());
            prop_assert_eq!((export.events, export.bytes), (events as u64, events as u64));
        } else {
            prop_assert!(export.status == BulkJobStatus::Cancelled && cancel_at.is_some());
        }
    }
}
