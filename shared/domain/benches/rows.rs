//! How fast rows become contacts, beside what only reading and splitting them costs. Run by `./dev bench rows`.
#![expect(clippy::expect_used, reason = "a benchmark that can't be set up fails")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use switchboard_domain::clock::Entropy;
use switchboard_domain::contact::{ContactDraft, Defaults, OnInvalid};
use switchboard_domain::ids::TenantId;
use switchboard_domain::imports::{Planner, read_rows, sniff, to_input};
use switchboard_domain::sealing::{ContactKey, TenantKeyring};

const ROWS: usize = 20_000;
const RUNS: usize = 5;

/// Numbers that are good enough for a benchmark, and cheap, so that it measures the sealing.
struct Cheap(std::sync::atomic::AtomicU8);

impl Entropy for Cheap {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(41, std::sync::atomic::Ordering::Relaxed));
    }
}

fn main() {
    let file = file();
    let beginning = sniff(file.as_bytes(), true, "CA").expect("a file");
    let (dialect, mapping) = (&beginning.dialect, beginning.mapping("CA"));
    let body = file.as_bytes().split_at(file.find('\n').expect("a header") + 1).1;
    let defaults = Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() };
    let entropy = Cheap(std::sync::atomic::AtomicU8::new(1));
    let keyring = TenantKeyring::generate(TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]), &entropy);

    let split = || {
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
        reader.into_byte_records().filter_map(Result::ok).map(|record| record.len()).sum::<usize>()
    };
    let plan = || {
        let mut planner = Planner::new(dialect.separator, beginning.leading);
        planner.feed(file.as_bytes()).expect("a list");
        usize::try_from(planner.finish().expect("a plan").rows).expect("few rows")
    };
    let validate = || {
        let rows = read_rows(body, dialect, 1);
        rows.filter_map(|row| to_input(&row, &mapping).ok()).filter(|input| ContactDraft::validate(input, &defaults, OnInvalid::Warn).is_ok()).count()
    };
    let whole = || {
        let rows = read_rows(body, dialect, 1);
        let drafts = rows.filter_map(|row| to_input(&row, &mapping).ok()).filter_map(|input| ContactDraft::validate(&input, &defaults, OnInvalid::Warn).ok());
        drafts
            .map(|validated| {
                let phone = validated.draft.phone.e164;
                let id = keyring.slot(&phone);
                let key = ContactKey::generate(&entropy);
                let wrapped = keyring.wrap(&id, &key, &entropy);
                wrapped.len() + key.seal(&id, "list", &entropy, phone.as_bytes()).len() + key.seal(&id, "details", &entropy, &[0; 120]).len()
            })
            .sum::<usize>()
    };
    let peer = best(split);
    println!("{ROWS} rows, the best of {RUNS} runs on one core");
    println!("{:<58} {:>12} {:>10}", "", "rows/s", "x split");
    for (name, taken) in [
        ("split by the csv crate alone (the peer)", peer),
        ("planned: record ends found, encoding told", best(plan)),
        ("read, mapped and validated", best(validate)),
        ("read, mapped, validated, keyed and sealed", best(whole)),
    ] {
        println!("{name:<58} {:>12.0} {:>10.2}", ROWS as f64 / taken.as_secs_f64(), taken.as_secs_f64() / peer.as_secs_f64());
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

fn file() -> String {
    let mut file = "first_name,last_name,company_name,address,city,province,postal,phone1,phone2,email,web\n".to_owned();
    for index in 0..ROWS {
        let line = format!("{:03}-{:04}", 200 + index / 10_000, index % 10_000);
        file.push_str(&format!(
            "Françoise,Roy,\"Riebesell, H F\",{index} Main St,Windsor,ON,N8N 3N2,519-{line},226-{line},f{index}@example.com,http://www.example.com\n"
        ));
    }
    file
}
