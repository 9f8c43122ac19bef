//! Contacts, statuses and models to try the rules with.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::explain::default_reason;
use super::super::{CompletenessField, DayBand, Factor, Model, ModelVersion, NumberBand, Points, Rule};
use super::DAY;
use crate::change::{Change, Origin, Revisioned};
use crate::contact::{AttributeValue, Attributes, Contact, ContactDetails, ContactTimeZone, TimeZoneSource};
use crate::ids::{AgentId, ContactId, ScoringModelId, StatusId};
use crate::status::{ContactStatus, SEEDED};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The moment at which all samples are looked at.
pub(crate) fn now() -> Timestamp {
    at("2026-11-30T12:00:00Z")
}

pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn status(place: u8) -> StatusId {
    StatusId::new(Timestamp::UNIX_EPOCH, &[place; 10])
}

fn change(at: Timestamp) -> Change {
    Change::new("sample.created", at, Origin::system())
}

/// Those of a new tenant; the first five are called.
pub(crate) fn statuses() -> Vec<ContactStatus> {
    SEEDED
        .iter()
        .zip(0..)
        .map(|(seeded, place)| ContactStatus {
            id: status(place),
            record: Revisioned::created(change(Timestamp::UNIX_EPOCH)),
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

/// Somebody in Toronto of whom only the number is known, with the first status.
pub(crate) fn contact(created: Timestamp) -> Contact {
    let details = ContactDetails {
        phone: "+14165550123".to_owned(),
        phone_extension: None,
        alternate_phones: Vec::new(),
        name: None,
        email: None,
        address: None,
        city: None,
        region: None,
        postal_code: None,
        country: some("CA"),
        time_zone: ContactTimeZone { name: "America/Toronto".to_owned(), source: TimeZoneSource::AreaCode },
        source: None,
        attributes: Attributes::new(),
        status: status(0),
        assignee: None,
        team: None,
        next_contact_at: None,
    };
    Contact::created(ContactId::from_hash(&[7; 32]), details, change(created))
}

/// So many milliseconds from now: often a whole number of days, or a millisecond beside it.
fn span(days: std::ops::Range<i64>) -> impl Strategy<Value = i64> {
    (days, prop_oneof![Just(0_i64), Just(1_i64), Just(-1_i64), 0..DAY]).prop_map(|(days, beside)| days * DAY + beside)
}

fn from_now(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(now().as_millisecond() + milliseconds).unwrap()
}

/// A contact that was created before now, with anything that a model of [`any_model`] or a preset looks at.
pub(crate) fn any_contact() -> impl Strategy<Value = Contact> {
    let source = prop::option::of(prop::sample::select(vec!["google_ads", "Google Ads", "google", "Referral", "cold-call", "organic", "a fair", "\u{301}"]));
    let zone = prop::sample::select(vec!["America/Toronto", "Pacific/Kiritimati", "Asia/Kathmandu", "Mars/Olympus"]);
    let fields = (any::<bool>(), any::<bool>(), 0_u8..9, any::<bool>());
    let times = (span(-500..-1), span(-60..-1), prop::option::of(span(-10..50)));
    let attributes = (prop::option::of(prop::sample::select(vec!["Gold", "basic", "tin", "5"])), prop::option::of(-5.0..20.0_f64));
    (source, zone, fields, times, attributes).prop_map(|(source, zone, (has_email, has_city, place, is_assigned), (created, changed, next), (plan, visits))| {
        let mut contact = contact(from_now(created));
        contact.record.last_change = change(from_now(changed.max(created)));
        let details = &mut contact.details;
        details.time_zone.name = zone.to_owned();
        details.source = source.map(str::to_owned);
        details.email = has_email.then(|| "zoe@example.com".to_owned());
        details.city = has_city.then(|| "Toronto".to_owned());
        details.status = status(place);
        details.assignee = is_assigned.then(|| AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10]));
        details.next_contact_at = next.map(from_now);
        details.attributes.extend(plan.map(|plan| ("plan".to_owned(), AttributeValue::String(plan.to_owned()))));
        details.attributes.extend(visits.map(|visits| ("visits".to_owned(), AttributeValue::Number(visits))));
        contact
    })
}

/// What a factor of a random model is made of.
#[derive(Debug, Clone)]
struct Seed {
    weight: u32,
    kind: u8,
    /// Which of the rule's numbers of points is the maximum.
    top: usize,
    /// Parts of the maximum that the other ones are.
    parts: [f64; 5],
    days: (u32, u32),
}

/// A model that keeps all rules for models, of one to six factors of any kinds.
pub(crate) fn any_model() -> impl Strategy<Value = Model> {
    let seed = (1_u32..1_000, 0_u8..10, 0_usize..5, prop::array::uniform5(0.0..1.0_f64), (1_u32..6, 1_u32..40)).prop_map(|(weight, kind, top, parts, days)| Seed {
        weight,
        kind,
        top,
        parts,
        days,
    });
    prop::collection::vec(seed, 1..7).prop_map(|seeds| Model {
        version: ModelVersion { model: ScoringModelId::new(Timestamp::UNIX_EPOCH, &[1; 10]), version: 3 },
        name: "random".to_owned(),
        factors: factors(&seeds),
    })
}

/// Factors whose maxima are to each other as their weights, the last having what rounding left.
fn factors(seeds: &[Seed]) -> Vec<Factor> {
    let whole = Points::WHOLE.parts();
    let weights: u32 = seeds.iter().map(|seed| seed.weight).sum();
    let mut left = whole;
    let mut factors = Vec::new();
    for (index, seed) in seeds.iter().enumerate() {
        let is_last = index + 1 == seeds.len();
        let maximum = if is_last { left } else { u32::try_from(u64::from(whole) * u64::from(seed.weight) / u64::from(weights)).unwrap() };
        left -= maximum;
        let maximum = Points::of_parts(maximum);
        let rule = rule(seed, maximum);
        factors.push(Factor { name: format!("factor {index}"), maximum, reason: default_reason(&rule), rule });
    }
    factors
}

fn rule(seed: &Seed, maximum: Points) -> Rule {
    let points = |place: usize, count: usize| if place == seed.top % count { maximum } else { maximum.scaled(seed.parts[place]) };
    let bands = |first: usize, count: usize| {
        let (near, further) = seed.days;
        vec![DayBand { within_days: near, points: points(first, count) }, DayBand { within_days: near + further, points: points(first + 1, count) }]
    };
    let entry = |name: &str, points: Points| (name.to_owned(), points);
    match seed.kind {
        0 => Rule::Source {
            table: BTreeMap::from([entry("google_ads", points(0, 3)), entry("referral", points(1, 3))]),
            aliases: BTreeMap::from([("google".to_owned(), "google_ads".to_owned())]),
            otherwise: points(2, 3),
        },
        1 => {
            let email = maximum.scaled(seed.parts[0]);
            let phone = Points::of_parts(maximum.parts() - email.parts()).scaled(seed.parts[1]);
            let city = Points::of_parts(maximum.parts() - email.parts() - phone.parts());
            Rule::Completeness { fields: BTreeMap::from([(CompletenessField::Email, email), (CompletenessField::Phone, phone), (CompletenessField::City, city)]) }
        }
        2 => Rule::Conversion { converted: points(0, 3), next_contact: points(1, 3), otherwise: points(2, 3) },
        3 => Rule::Pipeline,
        4 => Rule::Urgency { overdue: points(0, 5), bands: bands(1, 5), later: points(3, 5), none: points(4, 5) },
        5 => Rule::Age { half_life_days: seed.days.1 },
        6 => Rule::Activity { bands: bands(0, 3), otherwise: points(2, 3) },
        7 => Rule::Assignment { assigned: points(0, 2), unassigned: points(1, 2) },
        8 => Rule::AttributeTable {
            attribute: "plan".to_owned(),
            table: BTreeMap::from([entry("basic", points(0, 4)), entry("gold", points(1, 4))]),
            otherwise: points(2, 4),
            missing: points(3, 4),
        },
        _ => Rule::AttributeBands {
            attribute: "visits".to_owned(),
            bands: vec![NumberBand { at_least: 0.0, points: points(0, 4) }, NumberBand { at_least: 10.0, points: points(1, 4) }],
            below: points(2, 4),
            missing: points(3, 4),
        },
    }
}
