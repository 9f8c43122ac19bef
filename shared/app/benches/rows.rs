//! How fast the bytes of a list become contacts that can be stored, on one core and without a request, and where the time goes. Run by `./dev bench rows`.
//!
//! With `ROWS_ONCE` set to `whole` or `split`, `ROWS` rows go through it once behind a first time that isn't meant, in the function `counted_whole` or
//! `counted_split`; with `nothing` only that first time: for programs that count instructions.
#![expect(clippy::expect_used, reason = "a benchmark that can't be set up fails")]

#[path = "import/list.rs"]
#[expect(dead_code, reason = "the benchmark of imports uses the rest of it")]
mod list;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::{Clock, Entropy};
use switchboard_domain::contact::{Contact, ContactDetails, ContactDraft, ContactTimeZone, Defaults};
use switchboard_domain::imports::{Beginning, ColumnMapping, ContactRow, ImportKind, ImportOptions, Planner, Row, RowStatuses, read_rows, sniff, to_input};
use switchboard_domain::sealing::ContactKey;
use switchboard_domain::{email, phone, postal_code};
use switchboard_store::contacts::{self, StoredContact};
use switchboard_store::item::Item;
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_testkit::World;

const RUNS: usize = 5;
/// The rows a second and core that reading and splitting is to reach, and all of it.
const MOST_WANTED: [f64; 2] = [1_000_000.0, 200_000.0];

fn main() {
    let rows = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(50_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let pipeline = runtime.block_on(Box::pin(Pipeline::new(rows)));
    let Ok(what) = std::env::var("ROWS_ONCE") else {
        return measure(&pipeline, rows);
    };
    black_box(pipeline.sealed());
    match what.as_str() {
        "whole" => black_box(counted_whole(&pipeline)),
        "split" => black_box(counted_split(&pipeline)),
        _ => 0,
    };
}

#[inline(never)]
fn counted_whole(pipeline: &Pipeline) -> usize {
    pipeline.sealed()
}

#[inline(never)]
fn counted_split(pipeline: &Pipeline) -> usize {
    pipeline.split()
}

/// A list and all that its rows go through.
struct Pipeline {
    text: Vec<u8>,
    beginning: Beginning,
    mapping: Vec<ColumnMapping>,
    options: ImportOptions,
    statuses: RowStatuses,
    defaults: Defaults,
    tenant: Arc<OpenTenant>,
    settings: Arc<Settings>,
    entropy: Arc<dyn Entropy>,
    origin: Origin,
    now: Timestamp,
}

impl Pipeline {
    async fn new(rows: u64) -> Self {
        let world = World::new().await;
        let text = list::text(rows);
        let beginning = sniff(&text, true, "CA").expect("a list");
        let mapping = beginning.mapping(ImportKind::Contacts, "CA");
        let settings = world.services.tenants.settings(&world.tenant.scope).await.expect("the settings");
        let statuses = RowStatuses::of(&settings.statuses).expect("the statuses of the system");
        let (defaults, entropy) = (world.tenant.defaults(), Arc::clone(&world.services.entropy));
        let (tenant, now, options) = (Arc::clone(&world.tenant), world.clock.now(), ImportOptions::default());
        Self { text, beginning, mapping, options, statuses, defaults, tenant, settings, entropy, origin: Origin::system(), now }
    }

    /// The first pass over a file: where its records end, and its encoding.
    fn planned(&self) -> usize {
        let mut planner = Planner::new(self.beginning.dialect.separator, self.beginning.leading);
        planner.feed(&self.text).expect("a list");
        planner.finish().expect("a plan").chunks.len()
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        read_rows(&self.text[list::HEADER.len()..], &self.beginning.dialect, 1)
    }

    fn split(&self) -> usize {
        self.rows().map(|row| row.cells.len()).sum()
    }

    fn said(&self) -> impl Iterator<Item = ContactRow> {
        self.rows().filter_map(|row| to_input(&row, &self.mapping, &self.options, self.now).ok())
    }

    fn drafts(&self) -> impl Iterator<Item = ContactDraft> {
        self.said().filter_map(|said| said.validate(&self.defaults, &self.options, &self.statuses).ok()).map(|validated| validated.draft)
    }

    fn details(&self) -> impl Iterator<Item = ContactDetails> {
        self.drafts().map(|draft| draft.into_details(&self.defaults, self.statuses.new, None, None))
    }

    fn contacts(&self) -> impl Iterator<Item = Contact> {
        self.details().map(|details| {
            let place = self.tenant.keyring.slot(&details.phone);
            Contact::created(place, details, Change::new("contact.created", self.now, self.origin.clone()))
        })
    }

    /// Contacts whose personal data is sealed: a key made and wrapped, and under it what lists show and the rest.
    fn sealed(&self) -> usize {
        let entropy = self.entropy.as_ref();
        let sealed = |contact: Contact| {
            let Contact { id, details, .. } = &contact;
            let key = ContactKey::generate(entropy);
            let list = serde_json::to_vec(&(&details.phone, &details.email)).expect("JSON");
            let rest = serde_json::to_vec(&(&details.address, &details.postal_code, &details.attributes)).expect("JSON");
            self.tenant.keyring.wrap(id, &key, entropy).len() + key.seal(id, "list", entropy, &list).len() + key.seal(id, "details", entropy, &rest).len()
        };
        self.contacts().map(sealed).sum()
    }

    /// The items that are stored, which hold the same and more.
    fn items(&self) -> impl Iterator<Item = Item> {
        self.contacts().map(|contact| {
            let placement = contacts::new_placement(&self.tenant, &contact, self.entropy.as_ref());
            contacts::encode(&self.tenant, &self.settings, &StoredContact { contact, placement }, self.entropy.as_ref()).expect("an item")
        })
    }
}

fn measure(pipeline: &Pipeline, rows: u64) {
    let said: Vec<ContactRow> = pipeline.said().collect();
    let details: Vec<ContactDetails> = pipeline.details().collect();
    let chain = [
        ("read, split and decoded", best(|| pipeline.split())),
        ("… mapped to fields", best(|| pipeline.said().count())),
        ("… checked and normalised", best(|| pipeline.drafts().count())),
        ("… country and time zone worked out", best(|| pipeline.details().count())),
        ("… keyed by its number", best(|| pipeline.contacts().count())),
        ("… sealed: all of it", best(|| pipeline.sealed())),
    ];
    println!("{rows} rows of {} bytes, the best of {RUNS} runs on one core", pipeline.text.len() as u64 / rows);
    println!("{:<62} {:>12} {:>10} {:>12}", "", "rows/s", "ns a row", "of it here");
    let line = |name: &str, taken: Duration, before: Duration| {
        let nanoseconds = |taken: Duration| taken.as_secs_f64() * 1e9 / rows as f64;
        println!("{name:<62} {:>12.0} {:>10.0} {:>12.0}", rows as f64 / taken.as_secs_f64(), nanoseconds(taken), nanoseconds(taken.saturating_sub(before)));
    };
    line("planned: record ends found, encoding told", best(|| pipeline.planned()), Duration::ZERO);
    let mut before = Duration::ZERO;
    for (name, taken) in chain {
        line(name, taken, before);
        before = taken;
    }
    line("… and written as the item that is stored", best(|| pipeline.items().count()), best(|| pipeline.contacts().count()));
    println!("of these, alone:");
    for (name, taken) in [
        ("telephone number", best(|| right(&said, |said| Some(said.input.phone.as_str()), |text| phone::parse("phone", text, "CA").is_ok()))),
        ("e-mail address", best(|| right(&said, |said| said.input.email.as_deref(), |text| email::normalise("email", text).is_ok()))),
        ("postal code", best(|| right(&said, |said| said.input.postal_code.as_deref(), |text| postal_code::normalise("postalCode", text, "CA").is_ok()))),
        ("time zone", best(|| details.iter().map(|details| zone(details, &pipeline.defaults)).sum())),
        ("slot of the number (HMAC)", best(|| details.iter().map(|details| pipeline.tenant.keyring.slot(&details.phone).as_str().len()).sum())),
    ] {
        line(name, taken, Duration::ZERO);
    }
    for ((name, taken), wanted) in [chain[0], chain[chain.len() - 1]].into_iter().zip(MOST_WANTED) {
        let reached = rows as f64 / taken.as_secs_f64();
        println!("{name}: {} the {wanted:.0} rows/s that are wanted", if reached >= wanted { "reaches" } else { "misses" });
    }
}

/// How many of the texts that rows say somewhere are right by a rule.
fn right(said: &[ContactRow], text: fn(&ContactRow) -> Option<&str>, rule: fn(&str) -> bool) -> usize {
    said.iter().filter_map(text).filter(|text| rule(text)).count()
}

fn zone(details: &ContactDetails, defaults: &Defaults) -> usize {
    ContactTimeZone::derived(details.country.as_deref(), details.postal_code.as_deref(), &details.phone, defaults).name.len()
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
