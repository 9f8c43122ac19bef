//! An import broken at its writes: to the database, to the bucket of what it found out, and to its queue. Each in turn is cut before it is carried out, cut behind that,
//! turned away for want of time, or carried out by half; the worker is killed there, or goes on as the SDK does. Its messages come again as a queue gives them, up to
//! five times, then from the dead letters, and from the break on in any order. However it went, the table, the files and the trail say the same as when nothing goes
//! wrong. So they do when another import changes some of the contacts in between, but for those: each has what the later of the two said of it.
//!
//! By default a sample of the writes of a file of 200 rows. All writes of one of 2,000 rows, some 3,100 cases, which take an hour on two processors:
//!
//! ```sh
//! SWEEP=all cargo test --profile bench -p switchboard-app --test it -- import_sweep --nocapture
//! ```
//!
//! `SWEEP=3/20` is the third of twenty parts of that, each from beginning to end.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use jiff::{SignedDuration, Timestamp};
use switchboard_app::AppError;
use switchboard_app::contacts::delete;
use switchboard_app::imports::{DroppedFile, RowsMessage, Step, WrittenRow, receive, write_rows};
use switchboard_domain::change::Change;
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{ContactId, ImportId};
use switchboard_domain::imports::{Import, Phase, RowCounts};
use switchboard_store::audit_events::StoredEvent;
use switchboard_store::imports::Chunk;
use switchboard_store::item::{Item, text};
use switchboard_store::{contacts, imports};
use switchboard_testkit::{Fault, TableStream, Wire, World};
use tokio::runtime::Runtime;

use crate::made;
use crate::pipeline::{Chance, Pipeline, Place, told};

/// How often a message comes before it is a dead letter, and how often one that was handled may come in all.
const TIMES: usize = 5;
/// More messages than a case ever takes.
const MANY: usize = 5_000;
/// What one case takes at most, on a slow machine beside other tests.
const PATIENCE: Duration = Duration::from_secs(600);
/// Most cases at once.
const THREADS: usize = 8;

const HERE: &str = "Windsor";
const BEFORE: &str = "Tecumseh";
const EARLIER: &str = "Laval";
const ELSEWHERE: &str = "Gatineau";

/// How much is swept.
#[derive(Clone, Copy)]
struct Extent {
    rows: usize,
    chunk_rows: u64,
    /// Cases of each fault, and cases with another import in between; none for all there are.
    sample: Option<(usize, usize)>,
    /// Of how many parts which, from 0.
    part: (usize, usize),
}

impl Extent {
    fn asked_for() -> Self {
        let whole = Self { rows: 2_000, chunk_rows: 250, sample: None, part: (0, 1) };
        match std::env::var("SWEEP").as_deref() {
            Ok("all") => whole,
            Ok(part) => {
                let (part, parts) = part.split_once('/').unwrap_or_else(|| panic!("SWEEP is all, or a part such as 3/40"));
                let (part, parts): (usize, usize) = (part.parse().unwrap(), parts.parse().unwrap());
                assert!((1..=parts).contains(&part), "SWEEP is all, or a part such as 3/40");
                Self { part: (part - 1, parts), ..whole }
            }
            Err(_) => Self { rows: 200, chunk_rows: 35, sample: Some((6, 4)), part: (0, 1) },
        }
    }

    /// Contacts that are there: a third as the file says, a sixth of them deleted, the others in another city.
    fn existing(self) -> usize {
        self.rows * 3 / 20
    }

    fn existing_city(self, number: usize) -> &'static str {
        if number < self.existing() / 3 { HERE } else { BEFORE }
    }

    fn deleted(self) -> Range<usize> {
        self.existing() * 5 / 6..self.existing()
    }

    /// People of the file.
    fn people(self) -> usize {
        self.rows * 83 / 100
    }

    /// Those of them whose address is none.
    fn without_address(self) -> Range<usize> {
        self.people() - self.rows * 3 / 100..self.people()
    }

    /// People of the other import.
    fn others(self) -> impl Iterator<Item = usize> {
        (0..self.people()).step_by(self.people() / 50).take(50)
    }
}

/// A line of the file.
#[derive(Clone, Copy)]
enum Line {
    Person { number: usize, city: &'static str },
    Wrong,
    Long,
    Blank,
}

/// The file, and what it comes to.
struct Input {
    extent: Extent,
    text: String,
    /// The last row of each person, by their number.
    last: BTreeMap<usize, (u64, &'static str)>,
    counts: RowCounts,
}

impl Input {
    fn new(extent: Extent) -> Self {
        let (people, twice, wrong) = (extent.people(), extent.rows / 10, extent.rows / 25);
        let chance = Chance::new(41);
        let person = |number| Line::Person { number, city: HERE };
        let mut lines: Vec<Line> = (0..people).map(person).collect();
        lines.extend((0..twice).map(|_| Line::Person { number: chance.below(extent.without_address().start), city: EARLIER }));
        lines.extend(vec![Line::Wrong; wrong]);
        lines.extend(vec![Line::Long; extent.rows - people - twice - wrong]);
        chance.shuffle(&mut lines);
        for place in (0..lines.len()).rev().step_by(25) {
            lines.insert(place, Line::Blank);
        }
        let mut input = Self { extent, text: "phone,name,city,email\n".to_owned(), last: BTreeMap::new(), counts: RowCounts::default() };
        let (mut row, mut persons) = (0, 0);
        for line in lines {
            let text = input.line(line);
            input.text.push_str(&text);
            row += u64::from(!matches!(line, Line::Blank));
            match line {
                Line::Person { number, city } => {
                    persons += 1;
                    input.last.insert(number, (row, city));
                }
                Line::Wrong | Line::Long => input.counts.failed += 1,
                Line::Blank => {}
            }
        }
        input.counts.skipped = persons - input.last.len() as u64;
        for (number, (_, city)) in &input.last {
            let is_there = *number < extent.existing();
            let says_so = extent.existing_city(*number) == *city && !extent.deleted().contains(number);
            let count = match (is_there, says_so) {
                (false, _) => &mut input.counts.created,
                (true, true) => &mut input.counts.unchanged,
                (true, false) => &mut input.counts.updated,
            };
            *count += 1;
            input.counts.warned += u64::from(extent.without_address().contains(number));
        }
        assert_eq!((row, input.counts.total()), (extent.rows as u64, extent.rows as u64));
        input
    }

    fn line(&self, line: Line) -> String {
        match line {
            // The same number, written otherwise.
            Line::Person { number, city: EARLIER } => format!("+1 (514) 555-{number:04},Person {number},{EARLIER},person{number}@example.com\n"),
            Line::Person { number, city } => self.person(number, city),
            Line::Wrong => "12,Nobody,,\n".to_owned(),
            Line::Long => "514-555-9999,Nobody,,,too much\n".to_owned(),
            Line::Blank => " , ,\"\",\n".to_owned(),
        }
    }

    fn person(&self, number: usize, city: &str) -> String {
        let host = if self.extent.without_address().contains(&number) { "" } else { "example.com" };
        format!("514-555-{number:04},Person {number},{city},person{number}@{host}\n")
    }

    /// A file of the contacts that are there before.
    fn existing(&self) -> String {
        let rows = (0..self.extent.existing()).map(|number| self.person(number, self.extent.existing_city(number)));
        std::iter::once("phone,name,city,email\n".to_owned()).chain(rows).collect()
    }

    /// The file of the other import.
    fn other(&self) -> String {
        let rows = self.extent.others().map(|number| format!("514-555-{number:04},{ELSEWHERE}\n"));
        std::iter::once("phone,city\n".to_owned()).chain(rows).collect()
    }
}

fn e164(number: usize) -> String {
    format!("+1514555{number:04}")
}

/// What a queue gives out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Message {
    /// That a file was put in the bucket.
    File(DroppedFile),
    /// A step of an import.
    Rows(RowsMessage),
}

impl Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Rows(message) => match message.step {
                Step::Check { .. } => "check",
                Step::Join { .. } => "join",
                Step::Write(_) => "write",
                Step::Finish => "finish",
                Step::Revert(_) => "revert",
            },
        }
    }
}

/// A message that waits.
#[derive(Debug, Clone)]
struct Delivery {
    message: Message,
    /// How often it came before, as far as the queue says.
    came: usize,
    /// How often its worker is still to be killed.
    kills: usize,
}

impl Delivery {
    fn first(message: Message) -> Self {
        Self { message, came: 0, kills: 0 }
    }
}

/// What happens to whoever writes where it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// They are killed.
    Killed,
    /// They go on: the SDK tries requests to the database again.
    GoesOn,
}

/// A pipeline at work.
struct Run {
    pipeline: Pipeline,
    /// What was there before.
    before: BTreeMap<Place, Item>,
    stream: TableStream,
    waiting: Vec<Delivery>,
    dead_letters: Vec<Delivery>,
    /// Messages that were handled, and come again.
    handled: Vec<Message>,
    repeated: Vec<Message>,
    deliveries: usize,
    /// Whether the write came that was to go wrong.
    is_broken: bool,
    /// The write of each request that writes: the kind of message it was for, and its operation.
    writes: Vec<(&'static str, String)>,
    /// The chunks of which a worker was told to write them.
    told: HashSet<u32>,
}

impl Run {
    /// The contacts that are there, and the file in the bucket.
    async fn begin(input: &Input, then: Then) -> Self {
        let world = World::new().await;
        let database = match then {
            Then::Killed => world.database.without_retries(),
            // The SDK tries again at once.
            Then::GoesOn => world.database.with_retries(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1))),
        };
        let stream = world.database.open_stream().await;
        let (import, rows) = made::import(&world, 1, &input.existing());
        write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
        let viewer = world.viewer("admin").await;
        world.clock.advance(SignedDuration::from_secs(60));
        for number in input.extent.deleted() {
            delete(&world.services, &viewer, Some(world.tenant.keyring.slot(&e164(number))), 1).await.unwrap().unwrap();
        }
        world.clock.advance(SignedDuration::from_secs(60));
        let pipeline = Pipeline::over(world, &database, input.extent.chunk_rows);
        let file = pipeline.dropped("people.csv", "1", input.text.as_str()).await;
        let before = pipeline.table().await;
        Self {
            pipeline,
            before,
            stream,
            waiting: vec![Delivery::first(Message::File(file))],
            dead_letters: Vec::new(),
            handled: Vec::new(),
            repeated: Vec::new(),
            deliveries: 0,
            is_broken: false,
            writes: Vec::new(),
            told: HashSet::new(),
        }
    }

    fn wire(&self) -> &Wire {
        &self.pipeline.world.database.wire
    }

    /// Takes what was sent.
    fn collect(&mut self) {
        self.waiting.extend(self.pipeline.messages().into_iter().map(|message| Delivery::first(Message::Rows(message))));
    }

    /// Gives each message out once, in their order, until something goes wrong or none is left.
    async fn in_order(&mut self) {
        loop {
            self.collect();
            if self.is_broken || self.waiting.is_empty() {
                return;
            }
            let delivery = self.waiting.remove(0);
            self.deliver(delivery, false).await;
        }
    }

    /// Gives messages out in any order until none is left, those that were handled again, and now and then to two workers at once.
    async fn in_any_order(&mut self, chance: &Chance, at_once: bool) {
        for delivery in &mut self.waiting {
            // So often it ends among the dead letters.
            delivery.kills = if delivery.came > 0 && chance.below(3) == 0 { TIMES } else { 0 };
        }
        loop {
            self.collect();
            for message in std::mem::take(&mut self.handled) {
                if !self.repeated.contains(&message) {
                    let again = Delivery { message: message.clone(), came: 1, kills: 0 };
                    self.waiting.extend(std::iter::repeat_n(again, chance.below(TIMES)));
                    self.repeated.push(message);
                }
            }
            if self.waiting.is_empty() {
                if self.dead_letters.is_empty() {
                    return;
                }
                self.waiting.append(&mut self.dead_letters);
            }
            let mut delivery = self.waiting.swap_remove(chance.below(self.waiting.len()));
            let is_doubled = at_once && delivery.kills == 0 && chance.below(6) == 0;
            if delivery.kills > 0 {
                delivery.kills -= 1;
                self.wire().cut_for_good_at_write(chance.below(3), if chance.below(2) == 0 { Fault::CutBefore } else { Fault::CutAfter });
            }
            self.deliver(delivery, is_doubled).await;
            self.wire().mend();
        }
    }

    async fn deliver(&mut self, mut delivery: Delivery, is_doubled: bool) {
        self.deliveries += 1;
        assert!(self.deliveries < MANY, "it never ends");
        self.pipeline.world.clock.advance(SignedDuration::from_millis(10));
        if let Message::Rows(RowsMessage { step: Step::Write(piece), .. }) = &delivery.message {
            self.told.insert(piece.chunk);
        }
        let before = self.wire().writes().len();
        let outcome = self.handled_by(&delivery, is_doubled).await;
        // What is to go wrong at a later message stays planned.
        let was_broken = self.wire().is_broken() && self.wire().mend();
        self.is_broken |= was_broken;
        assert!(outcome.is_ok() || was_broken, "{delivery:?}: {outcome:?}");
        let kind = delivery.message.kind();
        let writes = self.wire().writes();
        self.writes.extend(writes[before..].iter().map(|operation| (kind, operation.clone())));
        if outcome.is_ok() {
            self.handled.push(delivery.message);
            return;
        }
        delivery.came += 1;
        if delivery.came < TIMES {
            self.waiting.push(delivery);
        } else {
            // Sent back from there it is a new one.
            self.dead_letters.push(Delivery::first(delivery.message));
        }
    }

    async fn handled_by(&self, delivery: &Delivery, is_doubled: bool) -> Result<(), AppError> {
        let one = async || match &delivery.message {
            Message::File(file) => Box::pin(receive(&self.pipeline.services, file)).await.map(drop),
            Message::Rows(message) => self.pipeline.handle(message, delivery.came > 0).await.map(drop),
        };
        if !is_doubled {
            return one().await;
        }
        let (first, second) = futures::future::join(Box::pin(one()), Box::pin(one())).await;
        first.and(second)
    }

    /// The import of a file, as it stands.
    async fn import_of(&self, name: &str) -> Import {
        let items = self.pipeline.table().await.into_values().filter(|item| text(item, "type") == Some(imports::IMPORT));
        let found: Vec<Import> = items.map(|item| imports::decode(item).unwrap()).filter(|import| import.file_name == name).collect();
        let [import] = found.as_slice() else { panic!("{name} has one import: {found:?}") };
        import.clone()
    }

    /// The same, which has ended well.
    async fn ended(&self, name: &str) -> Import {
        let import = self.import_of(name).await;
        assert_eq!((import.phase, import.status), (Phase::Ended, Import::final_status(&import.counts)), "{import:?}");
        assert_eq!(Some(import.counts.total()), import.rows_total);
        import
    }

    /// What it all came to.
    async fn outcome(&mut self) -> Outcome {
        let (world, table) = (&self.pipeline.world, self.pipeline.table().await);
        assert!(self.before.keys().all(|place| table.contains_key(place)));
        let mut items = BTreeMap::new();
        let mut versions = BTreeMap::new();
        for (place, item) in table {
            let said = match text(&item, "type") {
                Some(contacts::CONTACT) => {
                    let contact = contacts::decode(&world.tenant.keyring, item.clone()).unwrap().contact;
                    versions.insert(contact.id.to_string(), contact.record.version);
                    contact_said(contact, &item)
                }
                Some(imports::IMPORT) => import_said(imports::decode(item).unwrap()),
                Some(imports::CHUNK) => chunk_said(imports::decode_chunk(item).unwrap()),
                _ => {
                    assert_eq!(self.before.get(&place), Some(&item), "an import has nothing to do with this");
                    continue;
                }
            };
            items.insert(place, said);
        }
        let events = self.pipeline.recorded(&told(&mut self.stream)).await;
        let trail = trail(&events);
        for (contact, version) in versions {
            let places: BTreeSet<u32> = events.iter().filter(|stored| stored.event.entity_id == contact).filter_map(|stored| stored.event.version()).collect();
            assert_eq!(places, (1..=version).collect::<BTreeSet<u32>>(), "{contact} has one event per version");
            assert_eq!(trail[&contact].len(), places.len());
        }
        Outcome { items, files: self.files(), trail }
    }

    /// The files that tell what became of the rows.
    fn files(&self) -> BTreeMap<String, String> {
        let results = &self.pipeline.results;
        let mut files = BTreeMap::new();
        for key in results.keys() {
            let bytes = results.get(&key).unwrap();
            let said = if key.contains("/written/") {
                let rows: Vec<WrittenRow> = serde_json::from_slice(&bytes).unwrap();
                let mut ids: Vec<String> = rows.into_iter().map(|row| format!("{} {}\n", row.entity_type, row.entity_id)).collect();
                ids.sort_unstable();
                ids.concat()
            } else if ["/result/", "/failed/", "/overtaken/", "/errors.csv"].iter().any(|part| key.contains(part)) {
                String::from_utf8(bytes).unwrap()
            } else {
                continue;
            };
            files.insert(key, said);
        }
        files
    }
}

/// What an import came to, but for times, ids of the run, keys and random numbers.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    items: BTreeMap<Place, String>,
    files: BTreeMap<String, String>,
    trail: BTreeMap<String, Vec<String>>,
}

impl Outcome {
    /// The first thing that is said otherwise than here.
    fn difference(&self, other: &Self) -> Option<String> {
        first_difference(&self.items, &other.items).or_else(|| first_difference(&self.files, &other.files)).or_else(|| first_difference(&self.trail, &other.trail))
    }
}

fn first_difference<K: Ord + Clone + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(expected: &BTreeMap<K, V>, found: &BTreeMap<K, V>) -> Option<String> {
    let keys: BTreeSet<&K> = expected.keys().chain(found.keys()).collect();
    let key = keys.into_iter().find(|key| expected.get(*key) != found.get(*key))?;
    Some(format!("{key:?} is\n{:?}\nand not\n{:?}", found.get(key), expected.get(key)))
}

fn contact_said(mut contact: Contact, item: &Item) -> String {
    contact.record.revision = 0;
    contact.record.created_at = Timestamp::UNIX_EPOCH;
    contact.record.last_change.at = Timestamp::UNIX_EPOCH;
    contact.deleted_at = contact.deleted_at.map(|_| Timestamp::UNIX_EPOCH);
    if let Some(score) = &mut contact.score {
        score.calculated_at = Timestamp::UNIX_EPOCH;
    }
    // Its place in the list is random.
    let places = ["GSI1PK", "GSI2PK", "GSI2SK"].map(|name| text(item, name));
    format!("{contact:?} in {places:?}")
}

fn import_said(mut import: Import) -> String {
    let never = Timestamp::UNIX_EPOCH;
    import.created_at = never;
    import.last_change = import.last_change.map(|change| Change { at: never, ..change });
    for time in [&mut import.started_at, &mut import.writing_since, &mut import.finished_at] {
        *time = time.map(|_| never);
    }
    format!("{import:?}")
}

fn chunk_said((_, chunk): (ImportId, Chunk)) -> String {
    format!("{:?}", Chunk { written_at: chunk.written_at.map(|_| Timestamp::UNIX_EPOCH), ..chunk })
}

/// The actions of the events of each record.
fn trail(events: &[StoredEvent]) -> BTreeMap<String, Vec<String>> {
    let mut trail: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for stored in events {
        trail.entry(stored.event.entity_id.clone()).or_default().push(stored.event.change.action.clone());
    }
    for actions in trail.values_mut() {
        actions.sort_unstable();
    }
    trail
}

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
