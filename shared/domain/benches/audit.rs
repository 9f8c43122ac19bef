//! How fast events are hashed and exports verified, beside SHA-256 of as many bytes. Run by `./dev bench audit`.
#![expect(clippy::expect_used, reason = "a benchmark that can't be set up fails")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use data_encoding::{BASE64, HEXLOWER};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};
use switchboard_domain::actor::Actor;
use switchboard_domain::audit::{
    AuditEvent, Changes, DaySeal, Fields, Line, Outcome, Place, SignedSeal, Verifier, differences, end_line, header_line, leaf, leaves_lines, line, root, seal_line,
    sorted,
};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::ids::{ContactId, TenantId, UserId};

const EVENTS: usize = 200_000;
/// Events of each record.
const VERSIONS: usize = 5;
const RUNS: usize = 5;

fn main() {
    let events = events();
    let hashes: Vec<String> = events.iter().map(AuditEvent::hash).collect();
    let forms: Vec<String> = events.iter().map(AuditEvent::canonical).collect();
    let export = export(&events, &hashes);
    let (before, after) = states();

    let peer = best(|| forms.iter().map(|form| usize::from(Sha256::digest(form.as_bytes())[0])).sum());
    let bytes = forms.iter().map(String::len).sum::<usize>() / EVENTS;
    println!("{EVENTS} events of {bytes} bytes each in their canonical form, the best of {RUNS} runs on one core");
    println!("{:<58} {:>12} {:>10}", "", "events/s", "x peer");
    for (name, taken) in [
        ("SHA-256 of the same bytes alone (the peer)", peer),
        ("two states of a contact compared", best(|| (0..EVENTS).map(|_| differences(black_box(&before), &after).len()).sum())),
        ("written in the canonical form", best(|| events.iter().map(|event| event.canonical().len()).sum())),
        ("written in the canonical form and hashed", best(|| events.iter().map(|event| event.hash().len()).sum())),
        ("read from a line, and the hash made again", best(|| export.iter().filter(|text| Line::parse(text).is_ok_and(|line| line.is_intact())).count())),
        ("an export verified: hashes, chains, and the signed root", best(|| verified(&export))),
    ] {
        println!("{name:<58} {:>12.0} {:>10.2}", EVENTS as f64 / taken.as_secs_f64(), taken.as_secs_f64() / peer.as_secs_f64());
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

/// Verifies an export. The signature of its one seal is taken for right.
fn verified(export: &[String]) -> usize {
    let mut verifier = Verifier::new(|_: &[u8], _: &[u8]| true);
    for line in export {
        verifier.line(line);
    }
    let found = verifier.finish();
    assert_eq!((found.events, found.problem_count, found.days_sealed), (EVENTS as u64, 0, 1), "{:?}", found.problems);
    EVENTS
}

fn at(millisecond: usize) -> Timestamp {
    // Midnight of 30 November 2026.
    Timestamp::from_millisecond(1_795_996_800_000).expect("a time") + SignedDuration::from_millis(i64::try_from(millisecond).expect("a short while"))
}

/// Changes of contacts by a person, sealed, each with the request it came through.
fn events() -> Vec<AuditEvent> {
    let actor = Actor::user(UserId::new(at(0), &[1; 10]), "Françoise Rautenstrauch", vec![7; 61], vec!["supervisor".to_owned()]);
    let mut events: Vec<AuditEvent> = Vec::with_capacity(EVENTS);
    let mut previous = None;
    for number in 0..EVENTS {
        let (record, version) = (number / VERSIONS, number % VERSIONS + 1);
        let mut id = [0; 32];
        id[..8].copy_from_slice(&(record as u64).to_le_bytes());
        let origin = Origin {
            actor: actor.clone(),
            request_id: Some(format!("{number:08x}-1111-2222-3333-444455556666")),
            ip_address: Some("2001:db8:85a3::8a2e:370:7334".to_owned()),
            user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36".to_owned()),
            job: None,
        };
        let event = AuditEvent {
            entity_type: "contact".to_owned(),
            entity_id: ContactId::from_hash(&id).to_string(),
            place: Place::Version(u32::try_from(version).expect("few versions")),
            change: Change::new("contact.updated", at(number), origin),
            changes: Changes::Sealed(vec![number.to_le_bytes()[0]; 140]),
            outcome: Outcome::Success,
            previous_hash: previous.take(),
            about: None,
        };
        previous = (version < VERSIONS).then(|| event.hash());
        events.push(event);
    }
    events
}

/// The lines of an export of all events, recorded on one day.
fn export(events: &[AuditEvent], hashes: &[String]) -> Vec<String> {
    let (tenant, day) = (TenantId::new(at(0), &[1; 10]), jiff::civil::date(2026, 11, 30));
    let leaves = sorted(hashes.iter().filter_map(|hash| leaf(hash)).collect());
    let (events_of_day, root) = (leaves.len() as u64, HEXLOWER.encode(&root(&leaves)));
    let text = DaySeal { day, events: events_of_day, number: 0, previous: None, root, sealed_at: at(86_400_000), tenant }.text();
    let seal = SignedSeal { seal: text, signature: BASE64.encode(&[0; 70]), key: "alias/seals".to_owned() };
    let mut lines = vec![header_line(&tenant.to_string(), None, None, None, at(90_000_000))];
    lines.extend(events.iter().zip(hashes).map(|(event, hash)| line(event, hash, event.change.at, None).expect("a line")));
    lines.push(seal_line(&seal));
    lines.extend(leaves_lines(day, &leaves));
    lines.push(end_line(events.len() as u64));
    lines
}

/// A contact before and after a change of three of its fields.
fn states() -> (Fields, Fields) {
    let names = ["address", "alternatePhones", "assignee", "city", "country", "email", "name", "phone", "postalCode", "region", "source", "status", "timeZone"];
    let before: Fields = names.map(|name| (name.to_owned(), json!(format!("the {name} of a contact")))).into_iter().collect();
    let mut after = before.clone();
    after.insert("city".to_owned(), json!("Lévis"));
    after.insert("nextContactAt".to_owned(), json!("2027-05-14T09:30:00.000Z"));
    after.remove("assignee");
    (before, after)
}
