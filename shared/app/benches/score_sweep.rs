//! Finding the scores that time changes within an hour, a thousand of them, among few contacts and among many: that it takes the same, and what scoring them again takes. Run by
//! `./dev bench score_sweep`, which fills the embedded engine first. `CONTACTS` says how many are many (100,000 when it isn't set).
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark that can't be set up fails")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use switchboard_app::scoring::{Rescoring, ScoreMessage, Sweep, handle};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactDraft, ContactInput, OnInvalid};
use switchboard_store::contacts as store;
use switchboard_testkit::{Mailbox, Usage, World};

const FEW: usize = 10_000;
/// How many cross a band within the hour.
const DUE: usize = 1_000;
/// The hour they do it in; the last contact is made before.
const HOUR: &str = "2026-11-21T14:00:00Z";
/// How long after its time a score is looked for.
const SETTLED: SignedDuration = SignedDuration::from_secs(30);
/// Days that clocks don't change the length of.
const DAY: SignedDuration = SignedDuration::from_hours(24);

struct Measured {
    contacts: usize,
    sweep: Usage,
    swept_in: Duration,
    rescoring: Usage,
    rescored_in: Duration,
}

fn main() {
    let many = std::env::var("CONTACTS").ok().and_then(|many| many.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let measured = [FEW, many].map(|count| runtime.block_on(Box::pin(measured(count))));
    println!("{DUE} scores change by time alone within an hour; the engine is embedded, in this process, on the same core");
    println!("{:<44} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "contacts", "requests", "R", "W", "ms");
    for Measured { contacts, sweep, swept_in, rescoring, rescored_in } in &measured {
        for (what, usage, taken) in [("found and sent to be scored", sweep, swept_in), ("scored again, all of them", rescoring, rescored_in)] {
            let (requests, writes, taken) = (usage.total_requests(), usage.total_write_units(), taken.as_secs_f64() * 1e3);
            println!("{what:<44} {contacts:>9} {requests:>9} {:>9} {writes:>9} {taken:>9.1}", usage.read_units);
        }
    }
    let [few, many] = &measured;
    assert_eq!(few.sweep, many.sweep, "what is found costs what it costs, however many contacts there are");
    println!("the sweep took the same requests and units with {} contacts as with {}", few.contacts, many.contacts);
}

async fn measured(count: usize) -> Measured {
    let world = World::new().await;
    let hour: Timestamp = HOUR.parse().expect("a time");
    filled(&world, count, hour).await;
    let (services, mailbox) = (&world.services, Mailbox::default());
    let sweep = Sweep { core: services.core.clone(), queue: mailbox.queue(), clock: Arc::clone(&services.clock) };
    let later = || Instant::now() + Duration::from_secs(36_000);

    // All that was due before is found, so that what follows is the hour and nothing else.
    advance_to(&world, hour + SETTLED);
    assert!(sweep.sweep(later()).await.unwrap().is_caught_up);
    assert!(mailbox.take().is_empty(), "nothing was due before");
    advance_to(&world, hour + SignedDuration::from_hours(1) + SETTLED);
    world.database.meter.reset();
    let begun = Instant::now();
    let swept = sweep.sweep(later()).await.unwrap();
    let (swept_in, sweep) = (begun.elapsed(), world.database.meter.usage());
    assert_eq!((swept.read, swept.sent, swept.is_caught_up), (DUE, DUE, true), "all that was due was found, and nothing else");

    let messages: Vec<ScoreMessage> = mailbox.take().iter().map(|message| serde_json::from_str(message).unwrap()).collect();
    world.database.meter.reset();
    let begun = Instant::now();
    for message in &messages {
        let rescored = handle(services, message).await.unwrap();
        assert!(matches!(rescored, Rescoring::Changed(_)), "{rescored:?}");
    }
    Measured { contacts: count, sweep, swept_in, rescoring: world.database.meter.usage(), rescored_in: begun.elapsed() }
}

fn advance_to(world: &World, time: Timestamp) {
    let now = world.clock.now();
    assert!(now <= time, "it is later already");
    world.clock.advance(time.duration_since(now));
}

/// Writes contacts that are to be called on a day, so that every one's score changes by time alone: the first ones within the hour, the others on other days.
async fn filled(world: &World, count: usize, hour: Timestamp) {
    let services = &world.services;
    let settings = services.tenants.settings(&world.tenant.scope).await.unwrap();
    let defaults = world.tenant.defaults();
    for from in (0..count).step_by(1_000) {
        let mut contacts: Vec<Contact> = (from..(from + 1_000).min(count))
            .map(|number| {
                let days = i32::try_from(number % 300).expect("few days");
                let within = SignedDuration::from_millis(3_600 * i64::try_from(number % DUE).expect("few contacts"));
                // A week before it, then, or thirty days: when the preset `standard` gives more for it.
                let next_contact = if number < DUE { hour + DAY * 7 } else { hour + DAY * (31 + days) };
                let input = ContactInput {
                    phone: format!("+1514{:07}", 2_000_000 + number),
                    name: Some("Zoé Roy".to_owned()),
                    next_contact_at: Some(next_contact + within),
                    ..ContactInput::default()
                };
                let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).expect("a valid contact").draft;
                let id = world.tenant.keyring.slot(&draft.phone.e164);
                world.clock.advance(SignedDuration::from_millis(1));
                let change = Change::new("contact.created", world.clock.now(), Origin::system());
                Contact::created(id, draft.into_details(&defaults, settings.statuses[0].id, None, None), change)
            })
            .collect();
        store::create_many(&services.core, &world.tenant, &settings, &mut contacts, services.entropy.as_ref()).await.unwrap();
    }
}
