//! Tampering with exports: whatever is done to any of 10,000 events, the verifier says that something was done.
//!
//! The events lie in exports of 10, each of a tenant of its own with the signed seal of its day. Each way of tampering is tried at each event, by somebody who
//! mends whatever can be mended without the key: counts, hashes, and the chains behind what was changed.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up fails")]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, Mac};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::Sha256;
use switchboard_domain::actor::{Actor, ActorKind};
use switchboard_domain::audit::{
    AuditEvent, Changes, DaySeal, FieldChange, Leaf, Outcome, Place, SignedSeal, Verified, Verifier, end_line, header_line, leaf, leaves_lines, line, root, seal_line,
    sorted,
};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::ids::{BulkJobId, ContactId, ImportId, TenantId, UserId};

const EXPORTS: usize = 1_000;
/// Events of one export: five records of two versions.
const EVENTS: usize = RECORDS * VERSIONS;
const RECORDS: usize = 5;
const VERSIONS: usize = 2;

const DAY: Date = date(2026, 11, 29);
/// The key that signs, which nobody has who tampers.
const KEY: &[u8] = b"held by the key service";

fn signature(text: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(KEY).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_953_600 + second).unwrap()
}

/// The ways of tampering.
#[derive(Debug, Clone, Copy)]
enum Tampering {
    /// Something of the event is changed.
    Edited,
    /// It is taken out.
    Deleted,
    /// Another one is put in behind it.
    Inserted,
    /// It changes places with another version of its record.
    Reordered,
    /// It and all that came after it in its record are cut off.
    Truncated,
    /// The same, and as many others are put in their place, each with the right hash, in a right chain.
    Appended,
}

const EVERY: [Tampering; 6] = [Tampering::Edited, Tampering::Deleted, Tampering::Inserted, Tampering::Reordered, Tampering::Truncated, Tampering::Appended];

/// An export with all that is needed to write it anew.
struct Export {
    number: usize,
    tenant: TenantId,
    events: Vec<AuditEvent>,
    /// The lines of the events.
    lines: Vec<String>,
    leaves: Vec<Leaf>,
    seal: SignedSeal,
}

/// An event of an export: of people and of imports, sealed and in the clear, with and without what may be absent.
fn event(export: usize, record: usize, version: usize, previous: Option<String>) -> AuditEvent {
    let seed = u8::try_from(export % 251).unwrap();
    let second = i64::try_from(version * 60).unwrap();
    let actor = match record {
        0 => Actor::system(),
        1 => Actor::import(ImportId::new(at(0), &[seed; 10]), "people.csv"),
        _ => Actor::user(UserId::new(at(0), &[seed; 10]), "Zoé Roy", vec![seed; 24], vec!["admin".to_owned()]),
    };
    let is_person = record > 1;
    let origin = Origin {
        actor,
        request_id: is_person.then(|| format!("request {export} {version}")),
        ip_address: is_person.then(|| "192.0.2.1".to_owned()),
        user_agent: is_person.then(|| "Mozilla/5.0".to_owned()),
        job: (record == 3).then(|| BulkJobId::new(at(0), &[seed; 10])),
    };
    let change = Change::new(if version == 1 { "contact.created" } else { "contact.updated" }, at(second), origin);
    let change = if record == 4 { change.because("asked by letter") } else { change };
    let city = FieldChange { field: "city".to_owned(), old: (version > 1).then(|| json!("Québec")), new: Some(json!(format!("Laval {version}"))) };
    let changes = if record.is_multiple_of(2) { Changes::Clear(vec![city]) } else { Changes::Sealed(vec![u8::try_from(version).unwrap(); 48]) };
    let mut id = [seed; 32];
    id[0] = u8::try_from(record).unwrap();
    AuditEvent {
        entity_type: "contact".to_owned(),
        entity_id: ContactId::from_hash(&id).to_string(),
        place: Place::Version(u32::try_from(version).unwrap()),
        change,
        changes,
        outcome: Outcome::Success,
        previous_hash: previous,
        about: None,
    }
}

/// When an event was recorded: minutes after it happened, on the same day.
fn recorded(event: &AuditEvent) -> Timestamp {
    event.change.at + SignedDuration::from_mins(10)
}

fn written(event: &AuditEvent, hash: &str, recorded_at: Timestamp) -> String {
    line(event, hash, recorded_at, None).unwrap()
}

impl Export {
    fn new(number: usize) -> Self {
        let mut events: Vec<AuditEvent> = Vec::with_capacity(EVENTS);
        for record in 0..RECORDS {
            let mut previous = None;
            for version in 1..=VERSIONS {
                let event = event(number, record, version, previous);
                previous = Some(event.hash());
                events.push(event);
            }
        }
        let hashes: Vec<String> = events.iter().map(AuditEvent::hash).collect();
        let lines = events.iter().zip(&hashes).map(|(event, hash)| written(event, hash, recorded(event))).collect();
        let leaves = sorted(hashes.iter().map(|hash| leaf(hash).unwrap()).collect());
        let tenant = TenantId::new(at(i64::try_from(number).unwrap()), &[7; 10]);
        let (events_of_day, root) = (leaves.len() as u64, HEXLOWER.encode(&root(&leaves)));
        let text = DaySeal { day: DAY, events: events_of_day, number: 0, previous: None, root, sealed_at: at(90_000), tenant }.text();
        let seal = SignedSeal { signature: BASE64.encode(&signature(text.as_bytes())), seal: text, key: "alias/seals".to_owned() };
        Self { number, tenant, events, lines, leaves, seal }
    }

    /// What the verifier says of the export with these events and hashes of the day; the number of events is mended.
    fn verified(&self, events: &[Cow<'_, str>], leaves: &[Leaf], is_sealed: bool) -> Verified {
        self.claimed(&self.claim(None, None, None, at(100_000)), events, leaves, is_sealed)
    }

    /// A first line.
    fn claim(&self, filter: Option<Value>, from: Option<Timestamp>, to: Option<Timestamp>, made_at: Timestamp) -> String {
        header_line(&self.tenant.to_string(), from, to, filter, made_at)
    }

    /// The same of an export with this first line.
    fn claimed(&self, claim: &str, events: &[Cow<'_, str>], leaves: &[Leaf], is_sealed: bool) -> Verified {
        let mut verifier = Verifier::new(|text: &[u8], signed: &[u8]| signature(text) == signed);
        verifier.line(claim);
        for event in events {
            verifier.line(event);
        }
        if is_sealed {
            verifier.line(&seal_line(&self.seal));
            for line in leaves_lines(DAY, leaves) {
                verifier.line(&line);
            }
        }
        verifier.line(&end_line(events.len() as u64));
        verifier.finish()
    }

    /// The same export under a seal that says something else, signed.
    fn sealed_as(mut self, edit: impl Fn(&mut DaySeal)) -> Self {
        let mut seal = DaySeal::parse(&self.seal.seal).unwrap();
        edit(&mut seal);
        self.seal = SignedSeal { signature: BASE64.encode(&signature(seal.text().as_bytes())), seal: seal.text(), ..self.seal };
        self
    }

    fn as_it_is(&self) -> Vec<Cow<'_, str>> {
        self.lines.iter().map(|line| Cow::Borrowed(line.as_str())).collect()
    }

    /// What the verifier says once an event was tampered with.
    fn tampered(&self, tampering: Tampering, index: usize) -> Verified {
        let mut events = self.as_it_is();
        let event = &self.events[index];
        // The events behind it in its record, it included.
        let rest = index..(index / VERSIONS + 1) * VERSIONS;
        match tampering {
            Tampering::Edited => events[index] = self.edited(index).into(),
            Tampering::Deleted => drop(events.remove(index)),
            Tampering::Inserted => {
                let forged = AuditEvent { place: Place::beside(event.change.at, "data.exported"), previous_hash: None, ..event.clone() };
                events.insert(index + 1, written(&forged, &forged.hash(), recorded(&forged)).into());
            }
            Tampering::Reordered => events.swap(index, if rest.len() == 1 { index - 1 } else { index + 1 }),
            Tampering::Truncated => drop(events.drain(rest)),
            Tampering::Appended => {
                let mut leaves = self.leaves.clone();
                let mut previous = event.previous_hash.clone();
                for index in rest {
                    let mut forged = self.events[index].clone();
                    forged.change.origin.actor.name.push('x');
                    forged.previous_hash = previous;
                    let hash = forged.hash();
                    events[index] = written(&forged, &hash, recorded(&forged)).into();
                    // Every other time the hashes of the day are mended too; the root over them is signed.
                    if self.number.is_multiple_of(2) {
                        let sealed = leaf(&self.events[index].hash()).unwrap();
                        let place = leaves.iter().position(|leaf| *leaf == sealed).unwrap();
                        leaves[place] = leaf(&hash).unwrap();
                    }
                    previous = Some(hash);
                }
                return self.verified(&events, &sorted(leaves), true);
            }
        }
        self.verified(&events, &self.leaves, true)
    }

    /// An event of which one thing was changed, each time another; its hash stays, unless it is that which is changed.
    fn edited(&self, index: usize) -> String {
        let mut event = self.events[index].clone();
        let (hash, recorded_at) = (event.hash(), recorded(&event));
        match (self.number * EVENTS + index) % (EDITS.len() + 2) {
            0 => written(&event, &HEXLOWER.encode(&[0; 32]), recorded_at),
            // When it was recorded is in no hash. On another day it is missing on its own.
            1 => written(&event, &hash, recorded_at - SignedDuration::from_hours(24)),
            edit => {
                EDITS[edit - 2](&mut event);
                assert_ne!(event, self.events[index], "edit {edit} changes nothing");
                written(&event, &hash, recorded_at)
            }
        }
    }
}

/// A text is another one, and one that is absent is there.
fn other(text: &mut Option<String>) {
    text.get_or_insert_default().push('x');
}

/// One change of each thing an event says.
const EDITS: [fn(&mut AuditEvent); 22] = [
    |event| other(&mut event.about),
    |event| event.change.action.push('x'),
    |event| event.change.origin.actor.email.get_or_insert_default().push(1),
    |event| other(&mut event.change.origin.actor.id),
    |event| {
        let kind = &mut event.change.origin.actor.kind;
        *kind = if *kind == ActorKind::ApiKey { ActorKind::System } else { ActorKind::ApiKey };
    },
    |event| event.change.origin.actor.name.push('x'),
    |event| event.change.origin.actor.roles.push("manager".to_owned()),
    |event| event.change.origin.actor.roles.insert(0, String::new()),
    |event| event.change.at += SignedDuration::from_millis(1),
    |event| match &mut event.changes {
        Changes::Clear(changes) => changes[0].new = Some(json!("Lévis")),
        Changes::Sealed(sealed) => sealed[0] ^= 1,
    },
    |event| match &mut event.changes {
        Changes::Clear(changes) => changes[0].field.push('x'),
        Changes::Sealed(sealed) => sealed.push(0),
    },
    |event| event.changes = Changes::Clear(Vec::new()),
    |event| event.entity_id.push('x'),
    |event| event.entity_type.push('x'),
    |event| other(&mut event.change.origin.ip_address),
    |event| {
        let job = &mut event.change.origin.job;
        *job = job.is_none().then(|| BulkJobId::new(at(0), &[9; 10]));
    },
    |event| event.outcome = Outcome::Failed,
    |event| event.place = Place::Version(event.version().unwrap() + 1),
    |event| event.place = Place::beside(event.change.at, "x"),
    |event| event.previous_hash = event.previous_hash.is_none().then(|| "00".repeat(32)),
    |event| other(&mut event.change.reason),
    |event| {
        other(&mut event.change.origin.request_id);
        other(&mut event.change.origin.user_agent);
    },
];

/// How many of an export's events can be tampered with in each way so that it is noticed.
fn noticed(number: usize) -> [usize; EVERY.len()] {
    let export = Export::new(number);
    let whole = export.verified(&export.as_it_is(), &export.leaves, true);
    assert_eq!((whole.events, whole.problem_count, whole.days_sealed, whole.days_unsealed), (EVENTS as u64, 0, 1, 0), "{:?}", whole.problems);
    EVERY.map(|tampering| (0..EVENTS).filter(|index| export.tampered(tampering, *index).problem_count > 0).count())
}

#[test]
fn of_10_000_events_none_can_be_tampered_with_unnoticed() {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let counts = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|first| scope.spawn(move || (first..EXPORTS).step_by(threads).map(noticed).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    for (index, tampering) in EVERY.into_iter().enumerate() {
        let found: usize = counts.iter().map(|counts| counts[index]).sum();
        println!("{tampering:?}: noticed {found} of {} times", EXPORTS * EVENTS);
        assert_eq!(found, EXPORTS * EVENTS, "{tampering:?}");
    }
}

/// What the first line says of time, from, to and made at, and the events it means.
type Span = (Option<Timestamp>, Option<Timestamp>, Timestamp, fn(&AuditEvent) -> bool);

/// What a first line may claim of events, and which of them it is true of.
type Claim = (Value, fn(&AuditEvent) -> bool);

#[test]
fn a_first_line_that_claims_less_is_noticed_at_every_event_that_is_there_all_the_same() {
    let mut excluded = 0;
    for number in 0..EXPORTS / 20 {
        let export = Export::new(number);
        let [record, person] = [&export.events[2].entity_id, export.events[4].change.origin.actor.id.as_ref().unwrap()];
        let claims: [Claim; 6] = [
            (json!({ "entityType": "note" }), |_| false),
            (json!({ "entityType": "contact", "entityId": record }), |event| event.change.origin.actor.kind == ActorKind::Import),
            // The import of an export has its person's id.
            (json!({ "actorId": person }), |event| event.change.origin.actor.kind != ActorKind::System),
            (json!({ "actorId": "system" }), |event| event.change.origin.actor.kind == ActorKind::System),
            (json!({ "action": "contact.created" }), |event| event.version() == Some(1)),
            (json!({ "entityType": "contact", "action": "contact.updated" }), |event| event.version() == Some(2)),
        ];
        let later = recorded(&export.events[1]);
        let times: [Span; 3] = [
            (Some(later), None, at(100_000), |event| event.version() == Some(2)),
            (None, Some(later), at(100_000), |event| event.version() == Some(1)),
            (None, None, later, |event| event.version() == Some(1)),
        ];
        let of_events = claims.into_iter().map(|(filter, is_meant)| (export.claim(Some(filter), None, None, at(100_000)), is_meant));
        let of_time = times.into_iter().map(|(from, to, made_at, is_meant)| (export.claim(None, from, to, made_at), is_meant));
        for (claim, is_meant) in of_events.chain(of_time) {
            let found = export.claimed(&claim, &export.as_it_is(), &export.leaves, true);
            // The events follow the first line.
            let expected: BTreeSet<u64> = (2..).zip(&export.events).filter(|(_, event)| !is_meant(event)).map(|(line, _)| line).collect();
            let noticed: BTreeSet<u64> = found.problems.iter().map(|problem| problem.line).filter(|line| (2..2 + EVENTS as u64).contains(line)).collect();
            assert_eq!(noticed, expected, "{claim}: {:?}", found.problems);
            excluded += expected.len();
        }
    }
    println!("Claimed: noticed {excluded} of {excluded} times");
}

#[test]
fn what_a_first_line_claims_is_told_and_a_filter_that_leaves_nothing_out_leaves_nothing_out() {
    let export = Export::new(0);
    let whole = export.verified(&export.as_it_is(), &export.leaves, true);
    let claims = whole.claims.unwrap();
    assert_eq!((claims.tenant.as_str(), claims.left_out(), claims.from, claims.to, claims.made_at), (export.tenant.to_string().as_str(), None, None, None, at(100_000)));
    assert_eq!(whole.sealed, Some((DAY, DAY)));
    let mut events = export.as_it_is();
    let filter = json!({ "entityType": "contact", "action": null });
    let claims = export.claimed(&export.claim(Some(filter), Some(at(0)), Some(at(90_000)), at(100_000)), &events, &export.leaves, true).claims.unwrap();
    assert_eq!((claims.left_out().unwrap().given(), claims.from, claims.to), (vec![("entityType", "contact")], Some(at(0)), Some(at(90_000))));
    events.pop();
    for filter in [json!({}), json!({ "action": null })] {
        let found = export.claimed(&export.claim(Some(filter), None, None, at(100_000)), &events, &export.leaves, true);
        assert!(found.problems.iter().any(|problem| problem.what.contains("1 events recorded on 2026-11-29 are missing")), "{:?}", found.problems);
    }
    for nonsense in [json!({ "reason": "x" }), json!("x"), json!({ "action": 1 })] {
        let found = export.claimed(&export.claim(Some(nonsense), None, None, at(100_000)), &export.as_it_is(), &export.leaves, true);
        assert!(found.problem_count > 0 && found.claims.is_none());
    }
}

#[test]
fn a_whole_export_begins_with_the_first_seal_and_no_seal_is_younger_than_its_export() {
    let follows = |seal: &mut DaySeal| seal.previous = Some("ab".repeat(32));
    let export = Export::new(0).sealed_as(follows);
    let cut = export.verified(&export.as_it_is(), &export.leaves, true);
    assert_eq!(cut.problem_count, 1);
    assert!(cut.problems[0].what.contains("the seals before it are missing"), "{:?}", cut.problems);
    // Whoever reads this is told that there is more before it.
    let from = export.claimed(&export.claim(None, Some(at(0)), None, at(100_000)), &export.as_it_is(), &export.leaves, true);
    assert_eq!((from.problem_count, from.claims.unwrap().from), (0, Some(at(0))));
    let filter = Some(json!({ "entityType": "contact" }));
    assert_eq!(export.claimed(&export.claim(filter, None, None, at(100_000)), &export.as_it_is(), &export.leaves, true).problem_count, 0);
    let export = Export::new(0).sealed_as(|seal| seal.sealed_at = at(100_000));
    assert_eq!(export.verified(&export.as_it_is(), &export.leaves, true).problem_count, 1);
}

#[test]
fn what_no_seal_vouches_for_is_said_and_a_seal_that_is_not_signed_vouches_for_nothing() {
    let mut export = Export::new(0);
    let unsealed = export.verified(&export.as_it_is(), &export.leaves, false);
    assert_eq!((unsealed.problem_count, unsealed.days_sealed, unsealed.days_unsealed), (0, 0, 1));
    // Somebody else's signature over a root of their own making.
    export.seal.seal = export.seal.seal.replace("\"events\":10", "\"events\":9");
    export.leaves.pop();
    assert!(export.verified(&export.as_it_is(), &export.leaves, true).problem_count > 0);
}

#[test]
fn what_stands_beside_the_chains_is_under_the_seal_as_well() {
    let mut export = Export::new(0);
    let event = &export.events[0];
    let places = ["auth.signed_in", "auth.denied", "data.exported", "data.downloaded"];
    let beside: Vec<AuditEvent> = places.map(|what| AuditEvent { place: Place::beside(event.change.at, what), previous_hash: None, ..event.clone() }).into();
    let mut hashes: Vec<String> = beside.iter().map(AuditEvent::hash).collect();
    export.lines.extend(beside.iter().zip(&hashes).map(|(event, hash)| written(event, hash, recorded(event))));
    hashes.extend(export.events.iter().map(AuditEvent::hash));
    export.leaves = sorted(hashes.iter().map(|hash| leaf(hash).unwrap()).collect());
    let (events, root) = (export.leaves.len() as u64, HEXLOWER.encode(&root(&export.leaves)));
    let export = export.sealed_as(|seal| (seal.events, seal.root) = (events, root.clone()));
    assert_eq!(export.verified(&export.as_it_is(), &export.leaves, true).problem_count, 0);
    for (index, event) in (EVENTS..).zip(&beside) {
        let mut without = export.as_it_is();
        without.remove(index);
        assert!(export.verified(&without, &export.leaves, true).problem_count > 0, "{event:?} is left out");
        let mut edited = event.clone();
        edited.outcome = Outcome::Denied;
        let mut with = export.as_it_is();
        with[index] = written(&edited, &edited.hash(), recorded(&edited)).into();
        assert!(export.verified(&with, &export.leaves, true).problem_count > 0, "{event:?} is another one");
        let mut twice = export.as_it_is();
        twice.push(export.lines[index].as_str().into());
        assert!(export.verified(&twice, &export.leaves, true).problem_count > 0, "{event:?} is there twice");
    }
}
