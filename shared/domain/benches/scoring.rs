//! How many contacts one core scores in a second. Run by `./dev bench scoring`.
#![expect(clippy::expect_used, reason = "a benchmark that can't be set up fails")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::contact::{AttributeValue, Contact, ContactDetails, ContactTimeZone, TimeZoneSource};
use switchboard_domain::ids::{AgentId, ContactId, ScoringModelId, StatusId};
use switchboard_domain::scoring::{FactorInput, Model, ModelInput, ModelVersion, Rescored, RuleInput, Score, Scorer, check_model, explain, pipeline, standard};
use switchboard_domain::status::{ContactStatus, SEEDED};

const CONTACTS: usize = 100_000;
const RUNS: usize = 5;
const SOURCES: [&str; 6] = ["google_ads", "Google Ads", "referral", "Été indien", "organic", "cold-call"];

fn main() {
    let statuses = statuses();
    let contacts: Vec<Contact> = (0..CONTACTS).map(|number| contact(number, &statuses)).collect();
    println!("{CONTACTS} contacts, the best of {RUNS} runs on one core");
    println!("{:<50} {:>12} {:>10}", "", "contacts/s", "µs each");
    for model in [standard(), pipeline(), twenty_factors()] {
        let scorer = Scorer::new(model, &statuses);
        let scores: Vec<Score> = contacts.iter().map(|contact| scorer.score(contact, now())).collect();
        let scored: Vec<Contact> = contacts.iter().zip(&scores).map(|(contact, score)| Contact { score: Some(score.clone()), ..contact.clone() }).collect();
        let name = &scorer.model.name;
        show(&format!("{name}: scored, and when it changes next"), best(|| contacts.iter().map(|contact| usize::from(scorer.score(contact, now()).value)).sum()));
        show(&format!("{name}: scored again, the same"), best(|| scored.iter().filter(|contact| scorer.rescore(contact, now()) == Rescored::Same).count()));
        show(&format!("{name}: explained"), best(|| scores.iter().map(|score| explain(&scorer.model, score).reason.len()).sum()));
    }
}

fn show(name: &str, taken: Duration) {
    println!("{name:<50} {:>12.0} {:>10.2}", CONTACTS as f64 / taken.as_secs_f64(), taken.as_secs_f64() * 1e6 / CONTACTS as f64);
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

fn now() -> Timestamp {
    // Midnight of 30 November 2026.
    Timestamp::from_millisecond(1_795_996_800_000).expect("a time")
}

fn hours_ago(hours: usize) -> Timestamp {
    now() - SignedDuration::from_hours(i64::try_from(hours).expect("a while"))
}

fn statuses() -> Vec<ContactStatus> {
    let record = Revisioned::created(Change::new("contact_status.created", Timestamp::UNIX_EPOCH, Origin::system()));
    SEEDED
        .iter()
        .zip(0..)
        .map(|(seeded, place)| ContactStatus {
            id: StatusId::new(Timestamp::UNIX_EPOCH, &[place; 10]),
            record: record.clone(),
            code: seeded.code.to_owned(),
            name: seeded.name.to_owned(),
            color: seeded.color.to_owned(),
            order: seeded.order,
            exclude_from_call_list: seeded.exclude_from_call_list,
            system: seeded.system,
            retired: false,
            deleted_at: None,
        })
        .collect()
}

/// Contacts of up to two years ago, of which half have an address, a third a next contact within two months, and a quarter somebody who calls them.
fn contact(number: usize, statuses: &[ContactStatus]) -> Contact {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&(number as u64).to_le_bytes());
    let details = ContactDetails {
        phone: format!("+1416555{number:07}"),
        phone_extension: None,
        alternate_phones: Vec::new(),
        name: Some("Zoé Gélinas".to_owned()),
        email: number.is_multiple_of(2).then(|| "zoe@example.com".to_owned()),
        address: None,
        city: Some("Toronto".to_owned()),
        region: Some("ON".to_owned()),
        postal_code: None,
        country: Some("CA".to_owned()),
        time_zone: ContactTimeZone { name: "America/Toronto".to_owned(), source: TimeZoneSource::AreaCode },
        source: Some(SOURCES[number % SOURCES.len()].to_owned()),
        attributes: (0..20).map(|place| (format!("a{place}"), AttributeValue::Number((number % (place + 2)) as f64))).collect(),
        status: statuses[number % statuses.len()].id,
        assignee: number.is_multiple_of(4).then(|| AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
        team: None,
        next_contact_at: number.is_multiple_of(3).then(|| now() + SignedDuration::from_hours(24 * 60) - now().duration_since(hours_ago(number % 1_500))),
    };
    Contact::created(ContactId::from_hash(&id), details, Change::new("contact.created", hours_ago(number % 17_520), Origin::system()))
}

/// A model as big as a learned one may be: ten attributes by table and ten by bands.
fn twenty_factors() -> Model {
    let factor = |place: usize| {
        let attribute = format!("a{place}");
        let rule = if place < 10 {
            let table = (0_u32..20).map(|value| (value.to_string(), f64::from(value) / 4.0)).chain([("20".to_owned(), 5.0)]).collect();
            RuleInput::AttributeTable { attribute, table, otherwise: 1.0, missing: 0.0 }
        } else {
            RuleInput::AttributeBands { attribute, bands: (1_u32..=10).map(|value| (f64::from(value), f64::from(value) / 2.0)).collect(), below: 0.0, missing: 0.0 }
        };
        FactorInput { name: format!("factor {place}"), maximum: 5.0, reason: None, rule }
    };
    let (name, factors) = check_model(&ModelInput { name: "20 factors".to_owned(), factors: (0..20).map(factor).collect() }).expect("a valid model");
    Model { version: ModelVersion { model: ScoringModelId::new(now(), &[1; 10]), version: 1 }, name, factors }
}
