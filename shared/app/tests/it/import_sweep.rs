//! An import broken at its writes: to the database, to the bucket of what it found out, and to its queue. Each in turn is cut before it is carried out, cut behind that,
//! turned away for want of time, or carried out by half; the worker is killed there, or goes on as the SDK does. Its messages come again as a queue gives them, up to
//! five times, then from the dead letters, and from the break on in any order. However it went, the table, the files and the trail say the same as when nothing goes
//! wrong. So they do when another import changes some of the contacts in between, but for those: each has what the later of the two said of it.
//!
//! By default a sample of the writes of a file of 200 rows. All writes of one of 2,000 rows, some 3,000 cases, which take 45 minutes on two processors:
//!
//! ```sh
//! SWEEP=all cargo test --profile bench -p switchboard-app --test it -- import_sweep --nocapture
//! ```
//!
//! `SWEEP=3/20` is the third of twenty parts of that, each from beginning to end.

mod input;
mod outcome;
mod run;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use switchboard_domain::ids::{ContactId, ImportId};
use switchboard_testkit::Fault;
use tokio::runtime::Runtime;

use crate::pipeline::Chance;
use input::{ELSEWHERE, Extent, Input, e164};
use outcome::Outcome;
use run::{Delivery, Message, Run, Then};

/// What one case takes at most, on a slow machine beside other tests.
const PATIENCE: Duration = Duration::from_secs(600);
/// Most cases at once.
const THREADS: usize = 8;

/// What comes of the file when nothing goes wrong.
struct Expected {
    input: Input,
    outcome: Outcome,
    /// The kind of message and the operation of each request that writes.
    writes: Vec<(&'static str, String)>,
}

impl Expected {
    async fn of(extent: Extent) -> Self {
        let input = Input::new(extent);
        let mut run = Run::begin(&input, Then::Killed).await;
        run.in_order().await;
        let import = run.ended("people.csv").await;
        assert_eq!((import.counts, import.rests), (input.counts, 0));
        assert!(import.chunks > 4, "places are handed on");
        Self { outcome: run.outcome().await, writes: run.writes, input }
    }
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
struct Case {
    /// Writes that come through before it.
    at: usize,
    fault: Fault,
    then: Then,
    /// Whether another import comes in between.
    is_crossed: bool,
}

impl Case {
    /// Its own order of messages.
    fn chance(self) -> Chance {
        Chance::new(self.at as u64 * 64 + self.fault as u64 * 4 + u64::from(self.then == Then::Killed) * 2 + u64::from(self.is_crossed))
    }
}

const FAULTS: [Fault; 4] = [Fault::CutBefore, Fault::CutAfter, Fault::Throttled, Fault::Partial];

fn broken(expected: &Expected) -> Vec<Case> {
    let is_batch = |operation: &str| ["BatchExecuteStatement", "BatchWriteItem", "SendMessageBatch"].contains(&operation);
    let mut cases = Vec::new();
    for fault in FAULTS {
        let places = expected.writes.iter().enumerate().filter(|(_, (_, operation))| fault != Fault::Partial || is_batch(operation));
        let all = places.flat_map(|(at, _)| [Then::Killed, Then::GoesOn].map(|then| Case { at, fault, then, is_crossed: false })).collect();
        cases.extend(sampled(all, expected.input.extent.sample.map(|(of_each_fault, _)| of_each_fault)));
    }
    part_of(cases, expected.input.extent)
}

fn crossed(expected: &Expected) -> Vec<Case> {
    let places = expected.writes.iter().enumerate().filter(|(_, (kind, _))| ["join", "write"].contains(kind));
    let all = places.flat_map(|(at, _)| [Fault::CutBefore, Fault::CutAfter].map(|fault| Case { at, fault, then: Then::Killed, is_crossed: true })).collect();
    part_of(sampled(all, expected.input.extent.sample.map(|(_, crossed)| crossed)), expected.input.extent)
}

/// Those of the part that was asked for.
fn part_of(all: Vec<Case>, extent: Extent) -> Vec<Case> {
    let (part, parts) = extent.part;
    let total = all.len();
    let cases: Vec<Case> = all.into_iter().skip(part).step_by(parts).collect();
    println!("{} of {total} cases", cases.len());
    cases
}

/// So many of them, from beginning to end, the same in every run.
fn sampled(all: Vec<Case>, count: Option<usize>) -> Vec<Case> {
    let Some(count) = count.filter(|count| *count < all.len()) else {
        return all;
    };
    let chance = Chance::new(count as u64);
    let step = all.len() / count;
    (0..count).map(|index| all[index * all.len() / count + chance.below(step)]).collect()
}

async fn swept(expected: &Expected, case: Case) {
    let mut run = Run::begin(&expected.input, case.then).await;
    match case.then {
        Then::Killed => run.wire().cut_for_good_at_write(case.at, case.fault),
        Then::GoesOn => run.wire().break_write(case.at, case.fault),
    }
    run.in_order().await;
    assert!(run.is_broken, "it came to no such write");
    if case.is_crossed {
        return cross(&expected.input, run, &case.chance()).await;
    }
    run.in_any_order(&case.chance(), true).await;
    let found = run.outcome().await;
    if let Some(difference) = expected.outcome.difference(&found) {
        panic!("{difference}");
    }
}

/// Another import comes and goes; then the first one goes on.
async fn cross(input: &Input, mut run: Run, chance: &Chance) {
    run.collect();
    let held = std::mem::take(&mut run.waiting);
    let chunks = run.pipeline.chunks(run.import_of("people.csv").await.id).await;
    let told = run.told.clone();
    let file = run.pipeline.dropped("others.csv", "1", input.other()).await;
    run.waiting = vec![Delivery::first(Message::File(file))];
    run.is_broken = false;
    run.in_order().await;
    assert_eq!(run.ended("others.csv").await.rows_total, Some(50));
    run.waiting.extend(held);
    run.in_any_order(chance, false).await;

    let (first, second) = (run.ended("people.csv").await, run.ended("others.csv").await);
    run.outcome().await;
    let events = run.pipeline.world.database.audit.clone();
    for number in input.extent.others() {
        let (row, city) = input.last[&number];
        let contact = run.pipeline.contact(&e164(number)).await;
        let chunk = chunks.iter().find(|chunk| (chunk.range.first_row..chunk.range.first_row + chunk.range.rows).contains(&row)).unwrap();
        // What a chunk that was begun says is older than what came since; what one says that wasn't is newer.
        match (chunk.begun > 0, told.contains(&chunk.range.number)) {
            (true, _) => assert_eq!(contact.details.city.as_deref(), Some(ELSEWHERE), "row {row}"),
            (false, false) => assert_eq!(contact.details.city.as_deref(), Some(city), "row {row}"),
            (false, true) => assert!([Some(ELSEWHERE), Some(city)].contains(&contact.details.city.as_deref()), "row {row}"),
        }
    }
    let mut written: BTreeMap<(ImportId, ContactId), usize> = BTreeMap::new();
    for contact in run.pipeline.contacts().await {
        let page = events.of_record(&run.pipeline.world.tenant.scope, "contact", &contact.id.to_string(), None, 100).await.unwrap();
        for import in page.entries.iter().filter_map(|stored| stored.event.change.origin.import_id()) {
            *written.entry((import, contact.id.clone())).or_default() += 1;
        }
    }
    assert!(written.values().all(|times| *times == 1), "no import writes a contact twice");
    for import in [first, second] {
        let count = written.keys().filter(|(id, _)| *id == import.id).count() as u64;
        assert_eq!(import.counts.created + import.counts.updated, count, "what is counted as written was written: {import:?}");
    }
}

/// Takes cases one after the other on several threads; each begins with what is to be expected.
fn sweep(cases: fn(&Expected) -> Vec<Case>) -> usize {
    let extent = Extent::asked_for();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let expected = Arc::new(on_a_large_stack(move || runtime().block_on(Expected::of(extent))).join().unwrap());
    let cases = cases(&expected);
    let count = cases.len();
    let work = |first: usize| {
        let (expected, cases) = (Arc::clone(&expected), cases.clone());
        on_a_large_stack(move || {
            for case in cases.into_iter().skip(first).step_by(threads) {
                println!("{case:?}, a {} of a {}", expected.writes[case.at].1, expected.writes[case.at].0);
                // Its own, with which its database goes.
                runtime().block_on(async { tokio::time::timeout(PATIENCE, Box::pin(swept(&expected, case))).await.unwrap() });
            }
        })
    };
    let workers: Vec<_> = (0..threads).map(work).collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    count
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Unoptimised the futures are larger than a thread's usual stack.
fn on_a_large_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::Builder::new().stack_size(32 * 1024 * 1024).spawn(work).unwrap()
}

#[test]
fn wherever_an_import_breaks_and_however_its_messages_come_it_ends_as_if_nothing_had_gone_wrong() {
    println!("{} cases", sweep(broken));
}

#[test]
fn wherever_another_import_comes_in_between_both_count_right_and_nothing_older_overwrites_what_is_newer() {
    println!("{} cases", sweep(crossed));
}
