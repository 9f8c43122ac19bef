//! An import of many rows through the functions `import-plan` and `import-rows`, each a process of its own, over HTTP against the embedded engine, buckets and a
//! queue in this one: that every row is accounted for, what it takes, and that memory stays flat. Run by `./dev bench import`.
//!
//! `ROWS` says how many (100,000 when it isn't set). `PLAN_GIGABYTE` has a file of 10⁹ bytes planned too, and one that is a single cell. `PEER_PYTHON` names a Python that has what
//! `peer/requirements.txt` lists, and has the same file imported by a plain program in it.
#![expect(clippy::expect_used, reason = "a benchmark that can't be set up fails")]

mod list;
mod peer;
mod server;
mod steps;
mod worker;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use switchboard_app::Services;
use switchboard_app::imports::ImportServices;
use switchboard_domain::imports::{CHUNK_ROWS, RowCounts};
use switchboard_store::contacts;
use switchboard_testkit::{Bucket, Mailbox, Usage, World};
use tokio::runtime::Runtime;

use server::{Storage, TAG};
use worker::Worker;

/// Rows of the import whose requests and units are counted. Counting takes time, so it isn't done in the one whose time is taken.
const METERED_ROWS: u64 = 20_000;
/// What a function may take of memory, in megabytes.
const MOST_MEMORY: f64 = 128.0;
const GIGABYTE: u64 = 1_000_000_000;
/// A cell that nobody can mean.
const CELL: usize = 500_000_000;
/// How often the peer may be as quick as we are, and not more: an eighth.
const PEER_TIMES: f64 = 8.0;

fn main() {
    if let Ok(role) = std::env::var(worker::ROLE) {
        return worker::run(&role);
    }
    let rows: u64 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(100_000);
    assert!((1_000..=list::NUMBERS).contains(&rows), "ROWS is from 1,000 to {}", list::NUMBERS);
    let folder = Folder::new();
    metered(rows.min(METERED_ROWS));
    let file = folder.0.join("list.csv");
    list::write(&file, rows);
    let ours = imported(&file, rows);
    if let Some(python) = std::env::var_os("PEER_PYTHON") {
        let theirs = peer::imported(Path::new(&python), &file, rows);
        let times = theirs.processor / ours.processor;
        println!("\nthe peer's processor time is {times:.1} times ours, its time {:.1} times (its audit: none)", theirs.taken / ours.taken);
        assert!(times >= PEER_TIMES, "less than {PEER_TIMES} times");
    }
    if std::env::var_os("PLAN_GIGABYTE").is_some() {
        planned(&folder.0.join("gigabyte.csv"));
        refused(&folder.0.join("cell.csv"));
    }
}

/// A folder that goes with the benchmark.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("switchboard-import-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left there goes with the machine's temporary files.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// What a program took, in seconds.
pub(crate) struct Taken {
    /// Of processors, for itself and for what it asks of the system.
    pub(crate) processor: f64,
    /// On the clock.
    pub(crate) taken: f64,
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// Where the engine of a world listens.
pub(crate) async fn engine_of(world: &World) -> String {
    let seen = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&seen);
    let ask = world.database.client.list_tables().customize().mutate_request(move |request| {
        request.uri().trim_end_matches('/').clone_into(&mut kept.lock().unwrap_or_else(PoisonError::into_inner));
    });
    ask.send().await.expect("the engine");
    seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The key under which a list is dropped.
fn key_of(world: &World) -> String {
    format!("drop/{}/list.csv", world.tenant.record.slug)
}

/// Imports a short list in this process, and prints what it asks of the database.
fn metered(rows: u64) {
    let runtime = runtime();
    runtime.block_on(Box::pin(async {
        let world = World::new().await;
        let (uploads, results, messages) = (Bucket::new(world.clock.clone()), Bucket::new(world.clock.clone()), Mailbox::default());
        let services = ImportServices {
            services: Services { results: results.files(), ..world.services.clone() },
            uploads: uploads.files(),
            results: results.files(),
            rows: messages.queue(),
            chunk_rows: CHUNK_ROWS,
        };
        let (key, text) = (key_of(&world), list::text(rows));
        let bytes = text.len() as u64;
        uploads.put(&key, text);
        let (_, tag) = services.uploads.get_tagged(&key).await.expect("the bucket").expect("the file");
        world.database.meter.reset();
        let id = steps::plan(&services, &steps::dropped(&world, &key, &tag, bytes)).await.expect("a plan");
        println!("{rows} rows in this process, of 1,000 rows what is asked of the database:");
        print_usage("planned", &world.database.meter.usage(), rows);
        world.database.meter.reset();
        let mut is_checked = false;
        for message in std::iter::from_fn(|| Some(messages.take())).take_while(|taken| !taken.is_empty()).flatten() {
            steps::rows(&services, &message).await.expect("a step");
            if !is_checked && steps::is_checked(&steps::import(&world, &id).await) {
                is_checked = true;
                print_usage("checked", &world.database.meter.usage(), rows);
                world.database.meter.reset();
            }
        }
        print_usage("written", &world.database.meter.usage(), rows);
        assert_eq!(steps::import(&world, &id).await.counts, list::expected(rows), "the counts");
    }));
}

fn print_usage(step: &str, usage: &Usage, rows: u64) {
    let of_thousand = |amount: f64| amount * 1_000.0 / rows as f64;
    let requests: Vec<String> = usage.requests.iter().map(|(operation, count)| format!("{:.2} {operation}", of_thousand(f64::from(*count)))).collect();
    let units: Vec<String> = usage.write_units.iter().map(|(place, units)| format!("{:.0} {place}", of_thousand(*units))).collect();
    println!(
        "  {step}: {:.2} requests ({}), {:.0} read units, {:.0} write units ({})",
        of_thousand(f64::from(usage.total_requests())),
        requests.join(", "),
        of_thousand(usage.read_units),
        of_thousand(usage.total_write_units()),
        units.join(", ")
    );
}

/// A world, the storage beside it, and where both listen.
struct Place {
    world: World,
    storage: Arc<Storage>,
    engine: String,
    address: std::net::SocketAddr,
}

impl Place {
    /// With a file dropped.
    fn with(runtime: &Runtime, file: &Path) -> Self {
        let (world, engine) = runtime.block_on(Box::pin(async {
            let world = World::new().await;
            let engine = engine_of(&world).await;
            (world, engine)
        }));
        let storage = Arc::new(Storage {
            uploads: Bucket::new(world.clock.clone()),
            results: Bucket::new(world.clock.clone()),
            messages: Mailbox::default(),
            dropped: (key_of(&world), file.to_owned()),
        });
        let address = server::serve(Arc::clone(&storage));
        Self { world, storage, engine, address }
    }

    fn worker(&self, role: &'static str) -> Worker {
        Worker::start(role, &self.world, &self.engine, self.address)
    }

    /// What the bucket says of the dropped file.
    fn dropped(&self) -> String {
        let (key, file) = &self.storage.dropped;
        steps::dropped(&self.world, key, TAG, bytes_of(file))
    }
}

fn bytes_of(file: &Path) -> u64 {
    std::fs::metadata(file).expect("the file").len()
}

/// Imports a list by both functions, and holds what it came to against what it must.
fn imported(file: &Path, rows: u64) -> Taken {
    let runtime = runtime();
    let place = Place::with(&runtime, file);
    println!("\n{rows} rows, {:.1} MB, each function a process of its own", bytes_of(file) as f64 / 1e6);
    let (mut plan, mut worker) = (place.worker("plan"), place.worker("rows"));
    let begun = Instant::now();
    let id = plan.ask(&place.dropped());
    print_step("planned", rows, begun.elapsed().as_secs_f64(), plan.processor_seconds());
    let (mut before, mut since, mut is_checked) = (worker.processor_seconds(), Instant::now(), false);
    loop {
        let messages = place.storage.messages.take();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            worker.ask(&message);
        }
        if !is_checked && steps::is_checked(&runtime.block_on(steps::import(&place.world, &id))) {
            is_checked = true;
            let used = worker.processor_seconds();
            print_step("checked and joined", rows, since.elapsed().as_secs_f64(), used - before);
            (before, since) = (used, Instant::now());
        }
    }
    print_step("written", rows, since.elapsed().as_secs_f64(), worker.processor_seconds() - before);
    let taken = Taken { taken: begun.elapsed().as_secs_f64(), processor: plan.processor_seconds() + worker.processor_seconds() };
    print_step("all of it", rows, taken.taken, taken.processor);
    let memory = [("import-plan", plan.most_memory()), ("import-rows", worker.most_memory())];
    println!("  most memory: {}", memory.map(|(name, most)| format!("{name} {most:.1} MB")).join(", "));
    let import = runtime.block_on(steps::import(&place.world, &id));
    println!("  {} chunks, {}", import.chunks, described(&import.counts));
    assert_eq!((import.rows_total, import.counts), (Some(rows), list::expected(rows)), "the counts");
    assert!(import.finished_at.is_some(), "the import never ended");
    runtime.block_on(last_rows_won(&place.world, rows));
    for (name, most) in memory {
        assert!(most < MOST_MEMORY, "{name} took {most:.1} MB");
    }
    taken
}

fn described(counts: &RowCounts) -> String {
    let RowCounts { created, updated, unchanged, skipped, failed, warned } = counts;
    format!("{created} created, {updated} updated, {unchanged} unchanged, {skipped} skipped, {failed} failed; {warned} with warnings")
}

fn print_step(step: &str, rows: u64, taken: f64, processor: f64) {
    let rows = rows as f64;
    println!("  {step}: {taken:.1} s, {:.0} rows/s; processor {processor:.2} s, {:.1} µs a row", rows / taken, processor * 1e6 / rows);
}

/// Of rows with one number the last one counts, wherever in the file they stand.
async fn last_rows_won(world: &World, rows: u64) {
    for (number, row) in list::repeated_numbers(rows) {
        let stored = contacts::owner_of_number(&world.database.core, &world.tenant, &number).await.expect("the database").expect("a contact");
        assert_eq!(stored.contact.details.email, Some(list::email(row)), "row {row}");
    }
}

/// Plans a file of a gigabyte.
fn planned(file: &Path) {
    let rows = list::rows_of(GIGABYTE);
    list::write(file, rows);
    let runtime = runtime();
    let place = Place::with(&runtime, file);
    println!("\n{rows} rows, {:.1} MB, only planned", bytes_of(file) as f64 / 1e6);
    let mut plan = place.worker("plan");
    let begun = Instant::now();
    let id = plan.ask(&place.dropped());
    print_step("planned", rows, begun.elapsed().as_secs_f64(), plan.processor_seconds());
    let (import, most) = (runtime.block_on(steps::import(&place.world, &id)), plan.most_memory());
    println!("  {} chunks; most memory: {most:.1} MB", import.chunks);
    assert_eq!(import.rows_total, Some(rows), "the rows");
    assert!(most < MOST_MEMORY, "import-plan took {most:.1} MB");
}

/// Plans a file that is a single cell under its header.
fn refused(file: &Path) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).expect("a file"));
    out.write_all(b"phone,name\n514-555-0123,\"").expect("the header");
    let mebibyte = vec![b'x'; 1 << 20];
    (0..CELL.div_ceil(mebibyte.len())).for_each(|_| out.write_all(&mebibyte).expect("the cell"));
    out.write_all(b"\"\n").and_then(|()| out.flush()).expect("its end");
    let runtime = runtime();
    let place = Place::with(&runtime, file);
    println!("\none cell of {:.1} MB", bytes_of(file) as f64 / 1e6);
    let mut plan = place.worker("plan");
    let begun = Instant::now();
    let reason = plan.answer(&place.dropped()).expect_err("a file that nobody can mean was planned");
    let (taken, most) = (begun.elapsed().as_secs_f64(), plan.most_memory());
    println!("  refused: {taken:.1} s, processor {:.2} s; most memory: {most:.1} MB\n  {reason}", plan.processor_seconds());
    assert!(most < MOST_MEMORY, "import-plan took {most:.1} MB");
}
