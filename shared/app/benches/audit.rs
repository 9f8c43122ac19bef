//! How fast changes become events: what one process of `audit-record` does beside its requests, and with those of the embedded engine. Run by
//! `./dev bench audit`.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a benchmark that can't be set up fails")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use switchboard_app::audit::{Recorder, StreamRecord};
use switchboard_domain::audit::{AuditEvent, Audited, Changes, Outcome, Place, differences};
use switchboard_domain::change::Change;
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactDraft, ContactInput, OnInvalid};
use switchboard_store::contacts::{self, Slot, StoredContact};
use switchboard_store::item::Item;
use switchboard_testkit::World;

const CONTACTS: usize = 2_000;
const RUNS: usize = 5;
/// Records that the stream hands over at once.
const BATCH: usize = 100;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(Box::pin(run()));
}

async fn run() {
    let world = World::new().await;
    let changes = changes(&world).await;
    let each = |work: &dyn Fn(&(Item, Item)) -> usize| best(|| changes.iter().map(work).sum());
    println!("{CONTACTS} changes of contacts, the best of {RUNS} runs on one core");
    println!("{:<74} {:>12}", "", "events/s");
    for (name, taken) in [
        ("both images read, their values opened", each(&|(old, new)| read(&world, old).contact.record.revision as usize + read(&world, new).contact.job_marks.len())),
        ("… and compared", each(&|(old, new)| compared(&world, old, new).1)),
        ("… and sealed and hashed: all that is done but the requests", each(&|(old, new)| event(&world, old, new).hash().len())),
        ("recorded on the embedded engine, in this process, on the same core, once", recorded(&world, &changes).await),
    ] {
        println!("{name:<74} {:>12.0}", CONTACTS as f64 / taken.as_secs_f64());
    }
}

fn best(mut work: impl FnMut() -> usize) -> Duration {
    (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            black_box(work());
            begun.elapsed()
        })
        .min()
        .expect("at least one run")
}

/// Contacts as a file brings them, each before and after somebody gave it another city.
async fn changes(world: &World) -> Vec<(Item, Item)> {
    let (services, tenant) = (&world.services, &world.tenant);
    let settings = services.tenants.settings(&tenant.scope).await.unwrap();
    let origin = world.viewer("admin").await.origin();
    let (defaults, entropy) = (tenant.defaults(), services.entropy.as_ref());
    let change = |number: usize| {
        let input = ContactInput {
            phone: format!("+1514{:07}", 2_000_000 + number),
            name: Some("Françoise Rautenstrauch".to_owned()),
            email: Some(format!("person{number}@example.com")),
            address: Some(format!("{number} Canton Hwy #6")),
            city: Some("Windsor".to_owned()),
            region: Some("ON".to_owned()),
            postal_code: Some("N8N 3N2".to_owned()),
            ..ContactInput::default()
        };
        let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).expect("a valid contact").draft;
        let id = tenant.keyring.slot(&draft.phone.e164);
        let now = world.clock.now();
        let first = Contact::created(id, draft.into_details(&defaults, settings.statuses[0].id, None, None), Change::new("contact.created", now, origin.clone()));
        let mut second = first.clone();
        second.record = first.record.changed(Change::new("contact.updated", now + SignedDuration::from_secs(1), origin.clone()));
        second.details.city = Some("Tecumseh".to_owned());
        let placement = contacts::new_placement(tenant, &first, entropy);
        let item = |contact: Contact| contacts::encode(tenant, &settings, &StoredContact { contact, placement: placement.clone() }, entropy).unwrap();
        (item(first), item(second))
    };
    (0..CONTACTS).map(change).collect()
}

fn read(world: &World, item: &Item) -> StoredContact {
    match contacts::decode_slot(&world.tenant.keyring, item.clone()).unwrap() {
        Slot::Contact(stored) => stored,
        other => panic!("not a contact: {other:?}"),
    }
}

/// The contact after the change, and how many of its fields differ.
fn compared(world: &World, old: &Item, new: &Item) -> (StoredContact, usize) {
    let (old, new) = (read(world, old), read(world, new));
    let count = differences(&old.contact.audit_fields(), &new.contact.audit_fields()).len();
    (new, count)
}

/// The event of a change, as the recorder makes it.
fn event(world: &World, old: &Item, new: &Item) -> AuditEvent {
    let (old, new) = (read(world, old), read(world, new));
    let changes = serde_json::to_vec(&differences(&old.contact.audit_fields(), &new.contact.audit_fields())).unwrap();
    let Contact { id, record, .. } = &new.contact;
    let key = contacts::open_key(&world.tenant.keyring, id, new.wrapped_key()).unwrap();
    let sealed = key.seal(id, &Changes::purpose(record.version), world.services.entropy.as_ref(), &changes);
    AuditEvent {
        entity_type: Contact::ENTITY_TYPE.to_owned(),
        entity_id: id.to_string(),
        place: Place::Version(record.version),
        change: record.last_change.clone(),
        changes: Changes::Sealed(sealed),
        outcome: Outcome::Success,
        previous_hash: Some("00".repeat(32)),
        about: None,
    }
}

/// What recording all of them takes, each behind the event of its creation.
async fn recorded(world: &World, changes: &[(Item, Item)]) -> Duration {
    let services = &world.services;
    let recorder = Recorder {
        core: services.core.clone(),
        tenants: Arc::clone(&services.tenants),
        events: services.audit.clone(),
        dead_letters: services.results.clone(),
        results: services.results.clone(),
        archive: services.archive.clone(),
        clock: Arc::clone(&services.clock),
        entropy: Arc::clone(&services.entropy),
    };
    let record = |old: Option<&Item>, new: &Item| StreamRecord { sequence: "1".to_owned(), old: old.cloned(), new: Some(new.clone()) };
    for batch in changes.chunks(BATCH) {
        recorder.record(batch.iter().map(|(old, _)| record(None, old)).collect()).await.unwrap();
    }
    let begun = Instant::now();
    for batch in changes.chunks(BATCH) {
        let report = recorder.record(batch.iter().map(|(old, new)| record(Some(old), new)).collect()).await.unwrap();
        assert_eq!(report.recorded, batch.len());
    }
    begun.elapsed()
}
