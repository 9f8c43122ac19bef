//! Verifying an export with nothing but the export and the public key: each event by its hash, each record by its chain, each sealed day by its signed root.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use data_encoding::{BASE64, HEXLOWER};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DaySeal, Leaf, Line, Place, SignedSeal, leaf, root};
use crate::actor::ActorKind;
use crate::audit_export::SYSTEM;

/// Leaves of one line of an export.
const LEAVES_A_LINE: usize = 10_000;
/// Problems that are named; more are counted.
const NAMED: usize = 100;
/// A day is sealed within hours of its end.
const SEALED_WITHIN: SignedDuration = SignedDuration::from_hours(48);

/// What an export says of itself in its first line. Nobody signed that: what it leaves out can't be found missing, so whoever has it verified must be told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claims {
    /// What its events have in common, while all others are left out: null when none are.
    pub filter: Option<ClaimedFilter>,
    /// From when on events were recorded; null from the first.
    pub from: Option<Timestamp>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whose it is.
    pub tenant: String,
    /// Until when, exclusively; null until `made_at`.
    pub to: Option<Timestamp>,
}

/// What the events of an export have in common: everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimedFilter {
    /// The kind of record.
    pub entity_type: Option<String>,
    /// The record.
    pub entity_id: Option<String>,
    /// The actor, or [`SYSTEM`].
    pub actor_id: Option<String>,
    /// The action.
    pub action: Option<String>,
}

impl ClaimedFilter {
    /// What is given, by the names of the API.
    #[must_use]
    pub fn given(&self) -> Vec<(&'static str, &str)> {
        let members = [("entityType", &self.entity_type), ("entityId", &self.entity_id), ("actorId", &self.actor_id), ("action", &self.action)];
        members.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

impl Claims {
    /// What is left out otherwise than by time; none also when a filter is there that leaves nothing out.
    #[must_use]
    pub fn left_out(&self) -> Option<&ClaimedFilter> {
        self.filter.as_ref().filter(|filter| **filter != ClaimedFilter::default())
    }

    /// What of an event shows that it should not be in the export, by the name that it has in its line.
    fn excludes(&self, link: &Link<'_>, recorded_at: Timestamp) -> Option<&'static str> {
        let is_early = self.from.is_some_and(|from| recorded_at < from);
        if is_early || recorded_at >= self.made_at || self.to.is_some_and(|to| recorded_at >= to) {
            return Some("recordedAt");
        }
        let given = self.filter.as_ref().map(ClaimedFilter::given).unwrap_or_default();
        let differs = given.into_iter().find(|(name, wanted)| match *name {
            "entityType" => link.entity_type != *wanted,
            "entityId" => link.entity_id != *wanted,
            "action" => link.action != *wanted,
            _ if *wanted == SYSTEM => link.actor_kind != ActorKind::System,
            _ => link.actor_id.as_deref() != Some(*wanted),
        });
        differs.map(|(name, _)| name)
    }
}

/// The first line of an export: whose it is, over which time of recording, and what is left out of it (null when nothing is).
#[must_use]
pub fn header_line(tenant: &str, from: Option<Timestamp>, to: Option<Timestamp>, filter: Option<Value>, made_at: Timestamp) -> String {
    json!({ "export": { "filter": filter, "from": from, "madeAt": made_at, "tenant": tenant, "to": to } }).to_string()
}

/// The line of a seal.
#[must_use]
pub fn seal_line(seal: &SignedSeal) -> String {
    json!({ "seal": seal }).to_string()
}

/// The lines of a day's leaves, which are sorted and distinct.
#[must_use]
pub fn leaves_lines(day: Date, leaves: &[Leaf]) -> Vec<String> {
    leaves.chunks(LEAVES_A_LINE).map(|leaves| json!({ "leaves": { "day": day, "hashes": BASE64.encode(&leaves.concat()) } }).to_string()).collect()
}

/// The last line of an export.
#[must_use]
pub fn end_line(events: u64) -> String {
    json!({ "end": { "events": events } }).to_string()
}

/// The other lines than those of events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Mark {
    Export(Claims),
    Seal(SignedSeal),
    Leaves { day: Date, hashes: String },
    End { events: u64 },
}

/// What of a form the chain is made of, and what an export may be of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link<'a> {
    #[serde(borrow)]
    entity_type: Cow<'a, str>,
    #[serde(borrow)]
    entity_id: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    actor_kind: ActorKind,
    #[serde(borrow)]
    actor_id: Option<Cow<'a, str>>,
    version: Option<u32>,
    #[serde(default, borrow)]
    place: Option<Cow<'a, str>>,
    #[serde(borrow)]
    previous_hash: Option<Cow<'a, str>>,
}

/// Something that isn't as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; 0 for what concerns the whole export.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

/// What verifying came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Events looked at.
    pub events: u64,
    /// The first hundred problems.
    pub problems: Vec<Problem>,
    /// All problems.
    pub problem_count: u64,
    /// Days with events whose seal was checked.
    pub days_sealed: u64,
    /// Days with events that carry no seal yet: nothing outside the export vouches for them.
    pub days_unsealed: u64,
    /// The first and the last day whose seal was checked. What was recorded later may have been cut off together with its seals.
    pub sealed: Option<(Date, Date)>,
    /// What the export says of itself.
    pub claims: Option<Claims>,
}

/// When a day begins.
fn beginning(date: Date) -> Option<Timestamp> {
    date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).ok()
}

#[derive(Default)]
struct Day {
    /// The events of the export that were recorded on it, with their lines and times.
    events: Vec<(Leaf, u64, Timestamp)>,
    seal: Option<DaySeal>,
    leaves: Vec<Leaf>,
}

/// Reads an export line by line. About 150 bytes of memory an event.
pub struct Verifier<F> {
    signed: F,
    claims: Option<Claims>,
    lines: u64,
    records: HashMap<(String, String), (u32, Leaf)>,
    days: BTreeMap<Date, Day>,
    previous_seal: Option<String>,
    ended: Option<u64>,
    verified: Verified,
}

impl<F: Fn(&[u8], &[u8]) -> bool> Verifier<F> {
    /// A verifier that asks `signed` whether a text has that signature.
    pub fn new(signed: F) -> Self {
        Self { signed, claims: None, lines: 0, records: HashMap::new(), days: BTreeMap::new(), previous_seal: None, ended: None, verified: Verified::default() }
    }

    /// Takes the next line.
    pub fn line(&mut self, text: &str) {
        self.lines += 1;
        if self.ended.is_some() {
            return self.problem("there is something behind the end".to_owned());
        }
        if self.claims.is_none() && self.lines > 1 {
            return;
        }
        if let Ok(line) = Line::parse(text) {
            return self.event(&line);
        }
        match serde_json::from_str(text) {
            Ok(Mark::Export(claims)) if self.lines == 1 => self.claims = Some(claims),
            Ok(Mark::Export(_)) => self.problem("a second beginning".to_owned()),
            Ok(Mark::Seal(seal)) => self.seal(&seal),
            Ok(Mark::Leaves { day, hashes }) => self.leaves(day, &hashes),
            Ok(Mark::End { events }) => self.ended = Some(events),
            Err(error) => self.problem(format!("not a line of an export: {error}")),
        }
        if self.lines == 1 && self.claims.is_none() {
            self.problem("an export begins with a line that says whose it is".to_owned());
        }
    }

    fn event(&mut self, line: &Line<'_>) {
        self.verified.events += 1;
        let Some(hash) = leaf(line.hash()).filter(|_| line.is_intact()) else {
            return self.problem("the hash is not that of the event: it was edited".to_owned());
        };
        let (Ok(link), Ok(recorded_at)) = (serde_json::from_str::<Link<'_>>(line.form()), line.recorded_at()) else {
            return self.problem("not an event of a record".to_owned());
        };
        if let Some(name) = self.claims.as_ref().and_then(|claims| claims.excludes(&link, recorded_at)) {
            self.problem(format!("by its {name} this event is not among those that the first line says are there"));
        }
        let day = recorded_at.to_zoned(TimeZone::UTC).date();
        let number = self.lines;
        self.days.entry(day).or_default().events.push((hash, number, recorded_at));
        match (link.version, &link.place) {
            (Some(version), None) => self.chain(link, version, hash),
            (None, Some(place)) if matches!(Place::parse(place), Some(Place::Beside(_))) && link.previous_hash.is_none() => {}
            _ => self.problem("an event is of a version or beside the chain".to_owned()),
        }
    }

    /// An event in the chain of its record: behind the version before it, whose hash it carries.
    fn chain(&mut self, link: Link<'_>, version: u32, hash: Leaf) {
        let previous = link.previous_hash.as_deref().map(leaf);
        let (kind, id) = (link.entity_type.into_owned(), link.entity_id.into_owned());
        let record = format!("{kind} {id}");
        let before = self.records.insert((kind, id), (version, hash));
        match (before, previous) {
            (None, None) if version == 1 => {}
            (None, Some(Some(_))) if version > 1 => {
                if self.is_whole_from_the_beginning() {
                    self.problem(format!("{record} begins with version {version}: the events before are missing"));
                }
            }
            (Some((last, last_hash)), Some(Some(previous))) if version == last + 1 => {
                if previous != last_hash {
                    self.problem(format!("version {version} of {record} does not carry the hash of version {last}"));
                }
            }
            (Some((last, _)), Some(Some(_))) if version > last + 1 => {
                if !self.leaves_out_versions() {
                    self.problem(format!("{record} goes from version {last} to {version}: an event is missing"));
                }
            }
            (Some((last, _)), _) if version <= last => self.problem(format!("version {version} of {record} comes behind version {last}")),
            _ => self.problem(format!("version {version} of {record} does not say which event comes before it")),
        }
    }

    /// Whether nothing at all is left out before some time: then every record begins with its first version, and the seals with the tenant's first.
    fn is_whole_from_the_beginning(&self) -> bool {
        self.claims.as_ref().is_some_and(|claims| claims.left_out().is_none() && claims.from.is_none())
    }

    /// Whether the export may lack versions of a record between others: by what was done, or who did it.
    fn leaves_out_versions(&self) -> bool {
        let filter = self.claims.as_ref().and_then(Claims::left_out);
        filter.is_some_and(|filter| filter.action.is_some() || filter.actor_id.is_some())
    }

    fn seal(&mut self, signed: &SignedSeal) {
        let Some(seal) = DaySeal::parse(&signed.seal) else {
            return self.problem("not a seal".to_owned());
        };
        let signature = BASE64.decode(signed.signature.as_bytes()).unwrap_or_default();
        if !(self.signed)(signed.seal.as_bytes(), &signature) {
            return self.problem(format!("the seal of {} does not have the signature of the key", seal.day));
        }
        if self.claims.as_ref().is_none_or(|claims| claims.tenant != seal.tenant.to_string()) {
            return self.problem(format!("the seal of {} is another tenant's", seal.day));
        }
        if self.claims.as_ref().is_some_and(|claims| claims.made_at <= seal.sealed_at) {
            self.problem(format!("the seal of {} was made after the time at which the export says it was made itself", seal.day));
        }
        let is_first = self.previous_seal.is_none();
        if is_first && seal.previous.is_some() && self.is_whole_from_the_beginning() {
            self.problem(format!("the seal of {} is not the tenant's first: the seals before it are missing", seal.day));
        }
        if !is_first && seal.previous != self.previous_seal {
            self.problem(format!("the seal of {} does not follow the one before it", seal.day));
        }
        self.previous_seal = Some(seal.hash());
        let day = seal.day;
        self.days.entry(day).or_default().seal = Some(seal);
    }

    fn leaves(&mut self, day: Date, hashes: &str) {
        let bytes = BASE64.decode(hashes.as_bytes()).unwrap_or_default();
        let (leaves, rest) = bytes.as_chunks::<32>();
        if leaves.is_empty() || !rest.is_empty() {
            return self.problem(format!("not the hashes of {day}"));
        }
        self.days.entry(day).or_default().leaves.extend_from_slice(leaves);
    }

    /// Says what was found, once the export was read to its end.
    pub fn finish(mut self) -> Verified {
        self.lines = 0;
        match self.ended {
            None => self.problem("the export has no end: it was cut off".to_owned()),
            Some(events) if events != self.verified.events => {
                let found = self.verified.events;
                self.problem(format!("the export should have {events} events and has {found}"));
            }
            Some(_) => {}
        }
        for (date, day) in std::mem::take(&mut self.days) {
            self.day(date, day);
        }
        self.verified.claims = self.claims;
        self.verified
    }

    fn day(&mut self, date: Date, mut day: Day) {
        let Some(seal) = &day.seal else {
            if !day.events.is_empty() {
                self.verified.days_unsealed += 1;
                if self.should_be_sealed(date) {
                    self.problem(format!("{date} carries no seal, though it had been over for two days when the export was made"));
                }
            }
            return;
        };
        // Of a day that isn't asked for there may be the seal alone, as a link of the chain.
        if day.events.is_empty() && day.leaves.is_empty() && !self.covers(date) {
            return;
        }
        self.verified.days_sealed += 1;
        self.verified.sealed = Some((self.verified.sealed.map_or(date, |(first, _)| first), date));
        // A day may be sealed before it is over; what comes later is under its next seal.
        let sealed_at = seal.sealed_at;
        let found = day.events.len();
        day.events.retain(|(_, _, recorded_at)| *recorded_at <= sealed_at);
        self.verified.days_unsealed += u64::from(day.events.len() < found);
        let in_order = day.leaves.is_sorted_by(|one, two| one < two);
        if !in_order || day.leaves.len() as u64 != seal.events || HEXLOWER.encode(&root(&day.leaves)) != seal.root {
            return self.problem(format!("the hashes of {date} are not those that were sealed"));
        }
        for (event, line, _) in &day.events {
            if day.leaves.binary_search(event).is_err() {
                self.lines = *line;
                self.problem(format!("this event is not among those recorded on {date}"));
            }
        }
        self.lines = 0;
        day.events.sort_unstable();
        let found = day.events.len();
        day.events.dedup_by_key(|(event, _, _)| *event);
        if day.events.len() < found {
            self.problem(format!("an event of {date} is there twice"));
        }
        if self.covers(date) && day.events.len() < day.leaves.len() {
            self.problem(format!("{} events recorded on {date} are missing", day.leaves.len() - day.events.len()));
        }
    }

    /// Whether a day was over for so long that its seal can't be missing.
    fn should_be_sealed(&self, date: Date) -> bool {
        let (Some(claims), Some(end)) = (&self.claims, date.tomorrow().ok().and_then(beginning)) else {
            return false;
        };
        claims.made_at.duration_since(end) >= SEALED_WITHIN
    }

    /// Whether the export should have every event recorded on a day.
    fn covers(&self, date: Date) -> bool {
        let (Some(claims), Some(begin), Some(end)) = (&self.claims, beginning(date), date.tomorrow().ok().and_then(beginning)) else {
            return false;
        };
        claims.left_out().is_none() && claims.from.is_none_or(|from| from <= begin) && claims.to.unwrap_or(claims.made_at) >= end
    }

    fn problem(&mut self, what: String) {
        self.verified.problem_count += 1;
        if self.verified.problems.len() < NAMED {
            self.verified.problems.push(Problem { line: self.lines, what });
        }
    }
}
