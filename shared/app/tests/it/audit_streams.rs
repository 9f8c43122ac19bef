//! The stream in every way in which it may be delivered: in any split, each batch up to five times and more, the recorder killed at any of its requests. Each
//! version has one event, the chains verify, and the events say what they say when everything goes well. So do those beside the chains, of imports and of jobs;
//! the root in the event of a chunk is that of its rows.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::json;
use switchboard_app::AppError;
use switchboard_app::audit::{ChunkRow, Recorder, Report, StreamRecord, chunk_key};
use switchboard_app::bulk::{Stopped, change_contacts};
use switchboard_app::contacts::{self, AddNote, SetStatus, UpdateContact};
use switchboard_app::imports::write_rows;
use switchboard_app::statuses::{self, CreateStatus, UpdateStatus};
use switchboard_app::users::{self, UpdateUser};
use switchboard_domain::audit::{Changes, FieldChange, Outcome, Place as AuditPlace};
use switchboard_domain::bulk_job::{BulkAction, Outcome as Done};
use switchboard_domain::change::Change;
use switchboard_domain::clock::{Clock, Entropy};
use switchboard_domain::contact::{ContactFilter, ContactPatch};
use switchboard_domain::ids::{ContactId, ImportId};
use switchboard_domain::imports::Import;
use switchboard_domain::status::{ContactStatus, StatusInput, StatusPatch};
use switchboard_store::audit_events::{StoredEvent, decode_image};
use switchboard_store::item::{Item, text};
use switchboard_store::{contacts as store, imports, people};
use switchboard_testkit::{Bucket, Database, Fault, SeededEntropy, World};

use crate::{bulk, made};

/// Histories, each delivered in so many ways: 32 cases.
const HISTORIES: u64 = 8;
const WAYS: u64 = 4;
/// Histories made at the same time.
const THREADS: u64 = 4;
/// What the cases of one thread take at most, on a slow machine beside other tests.
const PATIENCE: Duration = Duration::from_secs(300);
const STEPS: usize = 12;
const CONTACTS: usize = 3;
/// Most records of one batch.
const BATCH: usize = 12;
/// Requests of the recorder after which it may be killed: a batch takes about so many.
const REQUESTS: usize = 6;

/// What is drawn, the same in every run.
struct Chance(SeededEntropy);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).unwrap()
    }

    fn one<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

type Place = (String, String);

fn place(item: &Item) -> Place {
    (text(item, "PK").unwrap().to_owned(), text(item, "SK").unwrap().to_owned())
}

fn item_of(record: &StreamRecord) -> &Item {
    record.new.as_ref().or(record.old.as_ref()).unwrap()
}

/// What people changed of an item, counted; nothing of items that aren't records.
fn version(item: &Item) -> u32 {
    item.get("version").and_then(|version| version.as_n().ok()).map_or(0, |version| version.parse().unwrap())
}

/// The table as it was looked at last, and what the stream says of each change since.
struct Stream<'a> {
    world: &'a World,
    items: BTreeMap<Place, Item>,
    records: Vec<StreamRecord>,
    /// What the chunks of imports wrote.
    results: &'a Bucket,
    /// Beginnings and ends: what has an event, and no version.
    beside: usize,
}

impl Stream<'_> {
    /// Takes down what changed since the last look, each item's change as one record.
    async fn look(&mut self) {
        let now: BTreeMap<Place, Item> = made::everything(&self.world.database).await.into_iter().map(|item| (place(&item), item)).collect();
        let places: HashSet<&Place> = self.items.keys().chain(now.keys()).collect();
        let mut places: Vec<&Place> = places.into_iter().filter(|place| self.items.get(*place) != now.get(*place)).collect();
        places.sort_unstable();
        for place in places {
            let sequence = format!("{:020}", self.records.len());
            self.records.push(StreamRecord { sequence, old: self.items.get(place).cloned(), new: now.get(place).cloned() });
        }
        self.items = now;
    }
}

/// What happened, as the stream tells it.
struct History {
    records: Vec<StreamRecord>,
    /// What the chunks of imports wrote.
    results: Bucket,
    /// Events that stand beside the chains.
    beside: usize,
}

/// A random history of contacts, written by imports, by a job and by hand, of statuses and of a user.
async fn history(world: &World, chance: &Chance) -> History {
    let results = Bucket::new(world.clock.clone());
    let mut stream = Stream { world, items: BTreeMap::new(), records: Vec::new(), results: &results, beside: 0 };
    stream.look().await;
    let seeded = std::mem::take(&mut stream.records);
    let mut status = None;
    import(&mut stream, chance, 0, "Windsor").await;
    for number in 1..=STEPS {
        world.clock.advance(SignedDuration::from_millis(7));
        if number == STEPS / 2 {
            job(&mut stream).await;
        } else {
            step(&mut stream, chance, number, &mut status).await;
        }
        stream.look().await;
    }
    // Of what was there before, only what changed.
    let changed: HashSet<Place> = stream.records.iter().map(|record| place(item_of(record))).collect();
    let mut records: Vec<StreamRecord> = seeded.into_iter().filter(|record| changed.contains(&place(item_of(record)))).collect();
    records.append(&mut stream.records);
    let beside = stream.beside;
    History { records, results, beside }
}

/// An import from its beginning to its end. It may be that a worker is killed when the rows are written, and that another one finds them so.
async fn import(stream: &mut Stream<'_>, chance: &Chance, seed: usize, city: &str) {
    let (world, results) = (stream.world, stream.results);
    let (import, rows) = made::import(world, u8::try_from(seed).unwrap(), &made::file(CONTACTS).replace("Windsor", city));
    made::begin(world, &import).await;
    stream.look().await;
    let is_redelivered = chance.below(3) == 0;
    if is_redelivered {
        write_rows(&world.services, &world.tenant, &import, rows.clone(), &HashSet::new(), false).await.unwrap();
        stream.look().await;
    }
    let result = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), is_redelivered).await.unwrap();
    stream.look().await;
    made::written(world, results, &import, &result.written).await;
    stream.look().await;
    let (core, scope, status) = (&world.services.core, &world.tenant.scope, Import::final_status(&result.counts));
    assert!(imports::complete(core, scope, import.id, status, world.clock.now()).await.unwrap());
    stream.look().await;
    stream.beside += 3;
}

/// A job from its beginning to its end: it gives all contacts to somebody.
async fn job(stream: &mut Stream<'_>) {
    let world = stream.world;
    let assignee = Some(world.viewer("telephonist").await.agent());
    let message = bulk::asked(world, BulkAction::Assign { assignee, team: None }, ContactFilter::default()).await;
    stream.look().await;
    stream.beside += 2;
    let keep = async |_: u32, _: &[Done]| Ok::<(), AppError>(());
    // There is time for one step only.
    while change_contacts(&world.services, &message, Instant::now(), &keep).await.unwrap() != Stopped::Ended {
        stream.look().await;
    }
}

/// One change of one record, or of those of a file. It may turn out to be none.
async fn step(stream: &mut Stream<'_>, chance: &Chance, number: usize, status: &mut Option<ContactStatus>) {
    let world = stream.world;
    let (services, viewer) = (&world.services, world.viewer_in_request("admin", &format!("step {number}")).await);
    let id = world.tenant.keyring.slot(&format!("+1519555{:04}", chance.below(CONTACTS)));
    let contact = store::get(&services.core, &world.tenant, &id).await.unwrap().unwrap().contact;
    let expected_version = i32::try_from(contact.record.version).unwrap();
    let name = format!("Name {number}");
    match chance.below(9) {
        0 | 1 => import(stream, chance, number, chance.one(&["Windsor", "Tecumseh", "Laval"])).await,
        2 | 3 => {
            let patch = ContactPatch { name: Some(Some(name)), ..ContactPatch::default() };
            contacts::update(services, &viewer, UpdateContact { id: Some(id), expected_version, patch, ..UpdateContact::default() }).await.unwrap().ok();
        }
        4 => {
            let code = chance.one(&["new", "interested", "do_not_call"]);
            let status = viewer.settings.status_by_code(code).map(|status| status.id);
            let note = (chance.below(2) == 0).then(|| format!("Note {number}"));
            contacts::set_status(services, &viewer, SetStatus { id: Some(id), status, note, ..SetStatus::default() }).await.unwrap().ok();
        }
        5 if contact.deleted_at.is_some() => drop(contacts::restore(services, &viewer, Some(id), None).await.unwrap()),
        5 => drop(contacts::delete(services, &viewer, Some(id), expected_version).await.unwrap()),
        6 => {
            let (core, entropy) = (&services.core, services.entropy.as_ref());
            store::set_suppressed(core, &world.tenant, &viewer.settings, &id, !contact.suppressed, entropy).await.unwrap();
        }
        7 => {
            let input = StatusInput { name: name.clone(), color: "#123456".to_owned(), order: 60, ..StatusInput::default() };
            *status = Some(match status.take() {
                None => statuses::create(services, &viewer, CreateStatus { input, idempotency_key: None }).await.unwrap().unwrap(),
                Some(before) => {
                    let patch = StatusPatch { name: Some(Some(name)), ..StatusPatch::default() };
                    let update = UpdateStatus { id: Some(before.id), expected_version: i32::try_from(before.record.version).unwrap(), patch };
                    statuses::update(services, &viewer, update).await.unwrap().unwrap().status
                }
            });
        }
        _ if chance.below(2) == 0 => {
            let id = world.user_id("telephonist");
            let user = people::user(&services.core, &world.tenant.scope, id).await.unwrap().unwrap();
            let expected_version = i32::try_from(user.record.version).unwrap();
            users::update(services, &viewer, UpdateUser { id: Some(id), expected_version, name: Some(Some(name)), ..UpdateUser::default() }).await.unwrap().unwrap();
        }
        _ => {
            contacts::add_note(services, &viewer, AddNote { id: Some(id), body: format!("Note {number}"), idempotency_key: None }).await.unwrap().ok();
        }
    }
}

/// Where a trail goes.
struct Target {
    database: Database,
    archive: Bucket,
}

impl Target {
    async fn new(world: &World) -> Self {
        Self { database: Database::start().await, archive: Bucket::new(world.clock.clone()) }
    }

    /// A recorder that begins anew, as after it was killed.
    fn recorder(&self, world: &World, history: &History) -> Recorder {
        Recorder { events: self.database.audit.clone(), results: history.results.files(), archive: self.archive.files(), ..made::recorder(world) }
    }
}

/// How often the recorder was killed: before a request was carried out, and before its answer came.
#[derive(Default)]
struct Deaths {
    before: usize,
    after: usize,
}

/// Delivers records in a random way, until all of them went through: in any split, the last ones of before again with the next, each batch one to five times,
/// and each time the recorder may be killed on the way, any number of times.
async fn delivered(world: &World, history: &History, chance: &Chance, deaths: &mut Deaths) -> Target {
    let target = Target::new(world).await;
    let target = Target { database: target.database.without_retries(), ..target };
    let (wire, records) = (&target.database.wire, &history.records);
    let mut done = 0;
    while done < records.len() {
        let from = done - chance.below(done.min(4) + 1);
        let to = (done + 1 + chance.below(BATCH)).min(records.len());
        for _ in 0..=chance.below(5) {
            while chance.below(2) == 0 {
                let fault = chance.one(&[Fault::CutBefore, Fault::CutAfter]);
                wire.cut_for_good(chance.below(REQUESTS), fault);
                let outcome = target.recorder(world, history).record(records[from..to].to_vec()).await;
                let was_killed = wire.mend();
                assert_eq!(outcome.is_err(), was_killed, "what the recorder could not do it says: {outcome:?}");
                match fault {
                    Fault::CutBefore => deaths.before += usize::from(was_killed),
                    _ => deaths.after += usize::from(was_killed),
                }
            }
            let report = target.recorder(world, history).record(records[from..to].to_vec()).await.unwrap();
            assert_eq!(report.isolated, 0);
        }
        done = to;
    }
    target
}

/// What an event says, but for its hashes: what is sealed is sealed otherwise each time.
#[derive(Debug, PartialEq)]
struct Said {
    change: Change,
    outcome: Outcome,
    changes: Vec<FieldChange>,
    about: Option<String>,
}

/// What the changes of an event are under the key of who they are about.
async fn opened(world: &World, event: &StoredEvent) -> Vec<FieldChange> {
    let event = &event.event;
    let sealed = match &event.changes {
        Changes::Clear(changes) => return changes.clone(),
        Changes::Sealed(sealed) => sealed,
    };
    let contact = ContactId::parse(event.about.as_deref().unwrap_or(&event.entity_id)).unwrap();
    let stored = store::get(&world.services.core, &world.tenant, &contact).await.unwrap().unwrap();
    let key = store::open_key(&world.tenant.keyring, &contact, stored.wrapped_key()).unwrap();
    let version = event.version().unwrap();
    let purpose = if event.entity_type == "note" { Changes::purpose_of_note(&event.entity_id, version) } else { Changes::purpose(version) };
    serde_json::from_slice(&key.open(&contact, &purpose, sealed).unwrap()).unwrap()
}

/// The record of an event, by its kind and id, and the event's place there.
type Key = (String, String, String);

/// That the root in the event of a chunk, and the list in the archive, are those of the rows' events. What the event says without the root, which is another each
/// time.
fn without_root(events: &BTreeMap<Key, StoredEvent>, world: &World, archive: &Bucket, chunk: &StoredEvent, mut changes: Vec<FieldChange>) -> Vec<FieldChange> {
    let import = ImportId::parse(&chunk.event.entity_id).unwrap();
    let is_row = |stored: &&StoredEvent| stored.event.entity_type == "contact" && stored.event.change.origin.import_id() == Some(import);
    let rows: Vec<&StoredEvent> = events.values().filter(is_row).collect();
    let expected = json!(made::root_of(rows.iter().map(|row| row.hash.as_str())));
    let list = archive.get(&chunk_key(world.tenant.record.id, import, made::CHUNK)).unwrap();
    let list: Vec<ChunkRow> = serde_json::from_slice(&list).unwrap();
    let listed = |stored: &&StoredEvent| ChunkRow {
        entity_type: stored.event.entity_type.clone(),
        entity_id: stored.event.entity_id.clone(),
        version: stored.event.version(),
        hash: Some(stored.hash.clone()),
    };
    assert_eq!(list, rows.iter().map(listed).collect::<Vec<_>>());
    let place = changes.iter().position(|change| change.field == "root").unwrap();
    assert_eq!(changes.remove(place).new, Some(expected));
    changes
}

/// Everything in an audit table, by record and place. The hashes are made again, each carries the one before, and chunks stand for their rows.
async fn trail(world: &World, target: &Target) -> BTreeMap<Key, Said> {
    let mut events: BTreeMap<Key, StoredEvent> = BTreeMap::new();
    let mut next = None;
    loop {
        let page = target.database.client.execute_statement().statement("SELECT * FROM \"audit\"").set_next_token(next).send().await.unwrap();
        for item in page.items.unwrap_or_default() {
            let (tenant, stored) = decode_image(item).unwrap();
            assert_eq!(tenant, world.tenant.record.id);
            let key = (stored.event.entity_type.clone(), stored.event.entity_id.clone(), stored.event.place.sort_key());
            assert!(events.insert(key, stored).is_none());
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    let mut said = BTreeMap::new();
    for (key, stored) in &events {
        let (StoredEvent { event, hash, .. }, (kind, id, _)) = (stored, key);
        assert_eq!(*hash, event.hash(), "{key:?}");
        let before = event.version().and_then(|version| version.checked_sub(1));
        let before = before.and_then(|before| events.get(&(kind.clone(), id.clone(), AuditPlace::Version(before).sort_key())));
        assert_eq!(before.is_some(), event.version().is_some_and(|version| version > 1), "{key:?}");
        assert_eq!(event.previous_hash.as_ref(), before.map(|before| &before.hash), "{key:?}");
        let mut changes = opened(world, stored).await;
        if event.change.action == "import.chunk_written" {
            changes = without_root(&events, world, &target.archive, stored, changes);
        }
        said.insert(key.clone(), Said { change: event.change.clone(), outcome: event.outcome, changes, about: event.about.clone() });
    }
    said
}

/// One history, delivered in all its ways.
async fn case(seed: u64, deaths: &mut Deaths) {
    let world = World::new().await;
    let history = history(&world, &Chance::new(seed)).await;
    let records = &history.records;
    let went_up = |record: &&StreamRecord| record.new.as_ref().map_or(0, version) > record.old.as_ref().map_or(0, version);
    let versions = records.iter().filter(went_up).count();
    assert!(versions > CONTACTS, "history {seed} has no changes");
    let events = versions + history.beside;

    let target = Target::new(&world).await;
    let report = target.recorder(&world, &history).record(records.clone()).await.unwrap();
    assert_eq!(report, Report { recorded: events, technical: records.len() - events, ..Report::default() }, "history {seed}");
    let expected = trail(&world, &target).await;
    assert_eq!(expected.len(), events, "history {seed}");
    for way in 0..WAYS {
        let target = delivered(&world, &history, &Chance::new(seed * 1_000 + way + 1), deaths).await;
        let found = trail(&world, &target).await;
        for (event, said) in &expected {
            assert_eq!(found.get(event), Some(said), "history {seed} delivered in way {way}: {event:?}");
        }
        assert_eq!(found.len(), events, "history {seed} delivered in way {way}");
    }
}

#[test]
fn however_changes_are_delivered_and_wherever_the_recorder_is_killed_each_version_has_one_event_in_a_chain_that_verifies() {
    let cases = |first: u64| {
        // Unoptimised the futures are larger than a thread's usual stack.
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut deaths = Deaths::default();
                for seed in (first..HISTORIES).step_by(usize::try_from(THREADS).unwrap()) {
                    tokio::time::timeout(PATIENCE, Box::pin(case(seed, &mut deaths))).await.unwrap();
                }
                deaths
            })
        };
        thread::Builder::new().stack_size(32 * 1024 * 1024).spawn(work).unwrap()
    };
    let workers: Vec<_> = (0..THREADS).map(cases).collect();
    let deaths: Vec<Deaths> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    let (before, after) = (deaths.iter().map(|deaths| deaths.before).sum::<usize>(), deaths.iter().map(|deaths| deaths.after).sum::<usize>());
    println!("{} cases; the recorder was killed {before} times before a request and {after} times behind one", HISTORIES * WAYS);
    assert!(before >= 64 && after >= 64, "it is killed often: {before} and {after}");
}
