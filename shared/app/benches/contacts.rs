//! What lists and searches cost and take with a thousand contacts and with many: run by `./dev bench contacts`, which fills the embedded engine
//! first. `CONTACTS` says how many are many (100,000 when it isn't set).
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark that can't be set up fails")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use switchboard_app::contact_index::{IndexMessage, Indexer};
use switchboard_app::contacts;
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactDraft, ContactFilter, ContactInput, OnInvalid};
use switchboard_domain::ids::ContactId;
use switchboard_store::contacts as store;
use switchboard_store::{Order, contacts::ContactRow};
use switchboard_testkit::World;

const FEW: usize = 1_000;
const RUNS: usize = 5;
const FIRST_NAMES: [&str; 8] = ["Zoé", "Émile", "Marie", "Jean", "Noor", "Ines", "Otto", "Wei"];
const LAST_NAMES: [&str; 9] = ["Gélinas", "Tremblay", "Roy", "Côté", "Singh", "Martin", "Nguyen", "Bouchard", "Li"];

struct Line {
    what: &'static str,
    requests: usize,
    units: f64,
    taken: Duration,
    found: usize,
}

fn main() {
    let many = std::env::var("CONTACTS").ok().and_then(|many| many.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (few, many_lines) = (runtime.block_on(measured(FEW)), runtime.block_on(measured(many)));
    println!("the best of {RUNS} runs; the engine is embedded, in this process, on the same core");
    println!("{:<60} {:>9} {:>6} {:>9} {:>7} {:>8}", "", "contacts", "found", "requests", "units", "ms");
    for (few, many_line) in few.iter().zip(&many_lines) {
        for (count, line) in [(FEW, few), (many, many_line)] {
            println!("{:<60} {count:>9} {:>6} {:>9} {:>7} {:>8.2}", line.what, line.found, line.requests, line.units, line.taken.as_secs_f64() * 1e3);
        }
        println!("{:<60} {:>9.2} times as long", "", many_line.taken.as_secs_f64() / few.taken.as_secs_f64());
    }
}

async fn measured(count: usize) -> Vec<Line> {
    let world = World::new().await;
    let ids = filled(&world, count).await;
    let services = &world.services;
    let settings = services.tenants.settings(&world.tenant.scope).await.unwrap();
    let viewer = world.viewer("admin").await;
    let agent = world.viewer("telephonist").await.agent();
    let known: ContactRow = ContactRow::from(&contacts::get(services, &viewer, &ids[count / 2]).await.unwrap().unwrap());
    let search = |text: &str| ContactFilter { search: Some(text.to_owned()), ..ContactFilter::default() };
    let filters = [
        ("a page of the list", ContactFilter::default()),
        (
            "status and date and assignee, which no index serves alone",
            ContactFilter { statuses: vec![settings.statuses[3].id], assignees: vec![agent], created_from: Some(known.created_at), ..ContactFilter::default() },
        ),
        ("a source that one in 500 has", ContactFilter { source: Some("fair".to_owned()), ..ContactFilter::default() }),
        ("search by a whole number", search(&known.phone)),
        ("search by the last four digits", search(&known.phone[known.phone.len() - 4..])),
        ("search by an e-mail address", search(known.email.as_deref().unwrap())),
        ("search by the start of a name that one in 1,000 has", search("zebulon")),
        ("search by the start of a name that one in 9 has", search("gelin")),
    ];
    let mut lines = Vec::new();
    for (what, filter) in filters {
        let mut line = Line { what, requests: 0, units: 0.0, taken: Duration::MAX, found: 0 };
        for _ in 0..RUNS {
            world.database.meter.reset();
            let begun = Instant::now();
            let page = contacts::list(services, &viewer, &filter, None, 50, Order::Descending).await.unwrap();
            line.taken = line.taken.min(begun.elapsed());
            line.found = page.contacts.len();
            let used = world.database.meter.usage();
            line.requests = used.requests.values().map(|count| *count as usize).sum();
            line.units = used.read_units;
        }
        lines.push(line);
    }
    lines
}

/// Writes the contacts, and their search tokens.
async fn filled(world: &World, count: usize) -> Vec<ContactId> {
    let services = &world.services;
    let settings = services.tenants.settings(&world.tenant.scope).await.unwrap();
    let defaults = world.tenant.defaults();
    let agent = world.viewer("telephonist").await.agent();
    let (tenants, clock, entropy) = (Arc::clone(&services.tenants), Arc::clone(&services.clock), Arc::clone(&services.entropy));
    let indexer = Indexer { core: services.core.clone(), tenants, clock, entropy };
    let mut ids = Vec::with_capacity(count);
    for from in (0..count).step_by(1_000) {
        let mut contacts: Vec<Contact> = (from..(from + 1_000).min(count))
            .map(|number| {
                let first = if number % 1_000 == 7 { "Zebulon" } else { FIRST_NAMES[number % 8] };
                let input = ContactInput {
                    phone: format!("+1514{:07}", 2_000_000 + number),
                    name: Some(format!("{first} {}", LAST_NAMES[number % 9])),
                    email: Some(format!("person{number}@example.com")),
                    source: Some(if number % 500 == 0 { "fair" } else { "web" }.to_owned()),
                    ..ContactInput::default()
                };
                let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).expect("a valid contact").draft;
                let id = world.tenant.keyring.slot(&draft.phone.e164);
                let status = settings.statuses[number % settings.statuses.len()].id;
                let assignee = (number % 50 == 3).then_some(agent);
                world.clock.advance(SignedDuration::from_millis(1));
                Contact::created(id, draft.into_details(&defaults, status, assignee, None), Change::new("contact.created", world.clock.now(), Origin::system()))
            })
            .collect();
        let batch: Vec<ContactId> = contacts.iter().map(|contact| contact.id.clone()).collect();
        store::create_many(&services.core, &world.tenant, &settings, &mut contacts, services.entropy.as_ref()).await.unwrap();
        indexer.index(&IndexMessage { tenant: world.tenant.record.id, contacts: batch.clone() }).await.unwrap();
        ids.extend(batch);
    }
    ids
}
