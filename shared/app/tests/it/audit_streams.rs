//! The stream in every way in which it may be delivered: in any split, each batch up to five times and more, the recorder killed at any of its requests. Each
//! version has one event, the chains verify, and the events say what they say when everything goes well.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;
use switchboard_app::audit::{Recorder, Report, StreamRecord};
use switchboard_app::contacts::{self, AddNote, SetStatus, UpdateContact};
use switchboard_app::imports::write_rows;
use switchboard_app::statuses::{self, CreateStatus, UpdateStatus};
use switchboard_app::users::{self, UpdateUser};
use switchboard_domain::audit::{Changes, FieldChange, Outcome};
use switchboard_domain::change::Change;
use switchboard_domain::clock::Entropy;
use switchboard_domain::contact::ContactPatch;
use switchboard_domain::ids::ContactId;
use switchboard_domain::status::{ContactStatus, StatusInput, StatusPatch};
use switchboard_store::audit_events::{StoredEvent, decode_image};
use switchboard_store::item::{Item, text};
use switchboard_store::{contacts as store, people};
use switchboard_testkit::{Database, Fault, SeededEntropy, World};

use crate::made;

/// Histories, each delivered in so many ways: 64 cases.
const HISTORIES: u64 = 16;
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

/// A random history of contacts, written by imports and by hand, of statuses and of a user, as the stream tells it.
async fn history(world: &World, chance: &Chance) -> Vec<StreamRecord> {
    let mut stream = Stream { world, items: BTreeMap::new(), records: Vec::new() };
    stream.look().await;
    let seeded = std::mem::take(&mut stream.records);
    let mut status = None;
    import(world, 0, "Windsor").await;
    stream.look().await;
    for number in 1..=STEPS {
        world.clock.advance(SignedDuration::from_millis(7));
        step(world, chance, number, &mut status).await;
        stream.look().await;
    }
    // Of what was there before, only what changed.
    let changed: HashSet<Place> = stream.records.iter().map(|record| place(item_of(record))).collect();
    let mut records: Vec<StreamRecord> = seeded.into_iter().filter(|record| changed.contains(&place(item_of(record)))).collect();
    records.append(&mut stream.records);
    records
}

async fn import(world: &World, seed: usize, city: &str) {
    let (import, rows) = made::import(world, u8::try_from(seed).unwrap(), &made::file(CONTACTS).replace("Windsor", city));
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
}

/// One change of one record, or of those of a file. It may turn out to be none.
async fn step(world: &World, chance: &Chance, number: usize, status: &mut Option<ContactStatus>) {
    let (services, viewer) = (&world.services, world.viewer_in_request("admin", &format!("step {number}")).await);
    let id = world.tenant.keyring.slot(&format!("+1519555{:04}", chance.below(CONTACTS)));
    let contact = store::get(&services.core, &world.tenant, &id).await.unwrap().unwrap().contact;
    let expected_version = i32::try_from(contact.record.version).unwrap();
    let name = format!("Name {number}");
    match chance.below(9) {
        0 | 1 => import(world, number, chance.one(&["Windsor", "Tecumseh", "Laval"])).await,
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

/// A recorder that begins anew, as after it was killed, and writes to another database's audit table.
fn recorder(world: &World, database: &Database) -> Recorder {
    Recorder { events: database.audit.clone(), ..made::recorder(world) }
}

/// How often the recorder was killed: before a request was carried out, and before its answer came.
#[derive(Default)]
struct Deaths {
    before: usize,
    after: usize,
}

/// Delivers records in a random way, until all of them went through: in any split, the last ones of before again with the next, each batch one to five times,
/// and each time the recorder may be killed on the way, any number of times.
async fn delivered(world: &World, records: &[StreamRecord], chance: &Chance, deaths: &mut Deaths) -> Database {
    let database = Database::start().await.without_retries();
    let mut done = 0;
    while done < records.len() {
        let from = done - chance.below(done.min(4) + 1);
        let to = (done + 1 + chance.below(BATCH)).min(records.len());
        for _ in 0..=chance.below(5) {
            while chance.below(2) == 0 {
                let fault = chance.one(&[Fault::CutBefore, Fault::CutAfter]);
                database.wire.cut_for_good(chance.below(REQUESTS), fault);
                let outcome = recorder(world, &database).record(records[from..to].to_vec()).await;
                let was_killed = database.wire.mend();
                assert_eq!(outcome.is_err(), was_killed, "what the recorder could not do it says: {outcome:?}");
                match fault {
                    Fault::CutBefore => deaths.before += usize::from(was_killed),
                    Fault::CutAfter => deaths.after += usize::from(was_killed),
                }
            }
            let report = recorder(world, &database).record(records[from..to].to_vec()).await.unwrap();
            assert_eq!(report.isolated, 0);
        }
        done = to;
    }
    database
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

/// Everything in an audit table, by record and version. The hashes are made again, and each carries the one before.
async fn trail(world: &World, database: &Database) -> BTreeMap<(String, String, u32), Said> {
    let mut events: BTreeMap<(String, String, u32), StoredEvent> = BTreeMap::new();
    let mut next = None;
    loop {
        let page = database.client.execute_statement().statement("SELECT * FROM \"audit\"").set_next_token(next).send().await.unwrap();
        for item in page.items.unwrap_or_default() {
            let (tenant, stored) = decode_image(item).unwrap();
            assert_eq!(tenant, world.tenant.record.id);
            let key = (stored.event.entity_type.clone(), stored.event.entity_id.clone(), stored.event.version().unwrap());
            assert!(events.insert(key, stored).is_none());
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    let mut said = BTreeMap::new();
    for ((kind, id, version), stored) in &events {
        assert_eq!(stored.hash, stored.event.hash(), "{kind} {id} {version}");
        let before = version.checked_sub(1).and_then(|before| events.get(&(kind.clone(), id.clone(), before)));
        assert_eq!(before.is_some(), *version > 1, "{kind} {id} {version}");
        assert_eq!(stored.event.previous_hash.as_ref(), before.map(|before| &before.hash), "{kind} {id} {version}");
        let StoredEvent { event, .. } = stored;
        let changes = opened(world, stored).await;
        said.insert((kind.clone(), id.clone(), *version), Said { change: event.change.clone(), outcome: event.outcome, changes, about: event.about.clone() });
    }
    said
}

/// One history, delivered in all its ways.
async fn case(seed: u64, deaths: &mut Deaths) {
    let world = World::new().await;
    let records = history(&world, &Chance::new(seed)).await;
    let went_up = |record: &&StreamRecord| record.new.as_ref().map_or(0, version) > record.old.as_ref().map_or(0, version);
    let versions = records.iter().filter(went_up).count();
    assert!(versions > CONTACTS, "history {seed} has no changes");

    let database = Database::start().await;
    let report = recorder(&world, &database).record(records.clone()).await.unwrap();
    assert_eq!(report, Report { recorded: versions, technical: records.len() - versions, ..Report::default() }, "history {seed}");
    let expected = trail(&world, &database).await;
    assert_eq!(expected.len(), versions, "history {seed}");
    for way in 0..WAYS {
        let database = delivered(&world, &records, &Chance::new(seed * 1_000 + way + 1), deaths).await;
        let found = trail(&world, &database).await;
        for (event, said) in &expected {
            assert_eq!(found.get(event), Some(said), "history {seed} delivered in way {way}: {event:?}");
        }
        assert_eq!(found.len(), versions, "history {seed} delivered in way {way}");
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
