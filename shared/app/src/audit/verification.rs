//! Verifying the audit trail from inside: a record by its chain and the sealed days it was recorded on, a day by its seals and its archive, a tenant by the chain
//! of its seals. What an outsider can verify without us is in `docs/audit.md`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use data_encoding::{BASE64, HEXLOWER};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use switchboard_domain::audit::{DaySeal, Leaf, Line, leaf, root};
use switchboard_domain::clock::to_millisecond;
use switchboard_domain::ids::TenantId;
use switchboard_domain::permission::Permission;
use switchboard_platform::{Files, PlatformError, Signer, signature_checker};
use switchboard_store::StoreError;
use switchboard_store::audit_events::{StoredEvent, day_of};
use switchboard_store::tenants::OpenTenant;

use super::archive::read_day;
use super::archive_keys::{day_of_folder, newest_seal_key, seals_folder, tenant_folder};
use super::audited_id::AuditedId;
use super::chain::{Link, RecordChain, broken_seals, edited, follows, name};
use super::current::current;
use super::seals::{KeptSeal, all_seals, are_in_order, in_order_of_sealing, leaves, seals_of_day};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// How long a verification takes at most: less than a request may.
const TIME: Duration = Duration::from_secs(10);
/// Events read at once.
const PAGE: usize = 100;
/// Sealed days whose hashes are read at most.
const MOST_DAYS: usize = 31;
/// How far the trail may be behind the records.
const LAG: SignedDuration = SignedDuration::from_mins(1);
/// How long what was archived may wait for a seal: the time that a day rests, and the hour between two runs.
const UNSEALED: SignedDuration = SignedDuration::from_hours(3);

/// What is to be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verify {
    /// One record.
    Record {
        /// The noun of its events.
        entity_type: String,
        /// Its id in its short form.
        entity_id: String,
    },
    /// What was recorded on a day, in UTC.
    Day(Date),
    /// The seals of all days.
    Tenant,
}

/// What verifying came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Nothing is wrong.
    pub ok: bool,
    /// Events whose hashes were checked, until something was wrong: with the events themselves, or with the seals of their days.
    pub entries_checked: u64,
    /// What is wrong first.
    pub first_problem: Option<String>,
    /// When this was found.
    pub checked_at: Timestamp,
}

/// Why verifying stops.
enum Trouble {
    /// Something is wrong.
    Problem(String),
    /// It could not be found out.
    Failed(AppError),
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<PlatformError> for Trouble {
    fn from(error: PlatformError) -> Self {
        Self::Failed(error.into())
    }
}

fn problem<T>(what: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Problem(what.into()))
}

/// Seals, all of which must be ones.
fn readable(seals: Vec<Result<KeptSeal, String>>) -> Result<Vec<KeptSeal>, Trouble> {
    seals.into_iter().collect::<Result<_, String>>().map_err(Trouble::Problem)
}

/// A problem, if there is one.
fn unless(what: Option<String>) -> Result<(), Trouble> {
    what.map_or(Ok(()), problem)
}

/// Verifies. A record: 1 request and half an R per started 4 KB of events for each 100 of them, 1 for the record, and up to 3 for each of the newest 31 sealed
/// days on which its events were recorded. A day: 2 requests, 2 for each of its seals, 1 for each seal of the tenant, and 1 for each file of the day. A tenant: 2
/// for the newest seal, 1 for each of its seals, 1 for each of the newest 31 days, and those of listing. The first time 1 more, for the public key.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; [`AppError::NotFound`] for a record that neither is there nor left a trace;
/// [`AppError::Asked`] when it would take more than ten seconds; those of the services.
pub async fn verify(services: &Services, viewer: &Viewer, signer: &Signer, what: Verify) -> Result<Verification, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let signed = signature_checker(&signer.public_key().await?)?;
    let deadline = Instant::now() + TIME;
    let mut run = Run { services, tenant: &viewer.tenant, key: signer.key(), signed, now: services.clock.now(), deadline, checked: 0 };
    let outcome = match &what {
        Verify::Record { entity_type, entity_id } => run.record(entity_type, entity_id).await,
        Verify::Day(day) => run.day(*day).await,
        Verify::Tenant => run.tenant().await,
    };
    let first_problem = match outcome {
        Ok(()) => None,
        Err(Trouble::Problem(what)) => Some(what),
        Err(Trouble::Failed(error)) => return Err(error),
    };
    Ok(Verification { ok: first_problem.is_none(), entries_checked: run.checked, first_problem, checked_at: to_millisecond(run.now) })
}

struct Run<'a, F> {
    services: &'a Services,
    tenant: &'a OpenTenant,
    key: &'a str,
    signed: F,
    now: Timestamp,
    deadline: Instant,
    checked: u64,
}

impl<F: Fn(&[u8], &[u8]) -> bool> Run<'_, F> {
    fn archive(&self) -> &Files {
        &self.services.archive
    }

    fn id(&self) -> TenantId {
        self.tenant.record.id
    }

    /// That there is time left; the sentence says what to ask for instead.
    fn in_time(&self, instead: &str) -> Result<(), Trouble> {
        if Instant::now() < self.deadline { Ok(()) } else { Err(Trouble::Failed(AppError::Asked(instead.to_owned()))) }
    }

    fn record_in_time(&self) -> Result<(), Trouble> {
        self.in_time("entityId has too many events to be verified in one request. Verify the days instead, each with day.")
    }

    /// A record: every event by its hash, the chain, that it goes up to the record as it is, and that the days on which its events were recorded have them.
    async fn record(&mut self, entity_type: &str, entity_id: &str) -> Result<(), Trouble> {
        let mut by_day: BTreeMap<Date, Vec<(Leaf, String)>> = BTreeMap::new();
        let newest = self.versions(entity_type, entity_id, &mut by_day).await?;
        let beside = self.beside(entity_type, entity_id, &mut by_day).await?;
        // Read last: what changes meanwhile is younger than the trail may be behind.
        let about = newest.as_ref().and_then(|stored| stored.event.about.as_deref());
        let record = match AuditedId::parse(entity_type, entity_id, about) {
            Some(id) => current(self.services, self.tenant, &id).await?,
            None => None,
        };
        let last = newest.as_ref().and_then(|stored| stored.event.version());
        match (last, record) {
            (None, None) if !beside => return Err(Trouble::Failed(AppError::NotFound)),
            (_, None) => {}
            (Some(last), Some(record)) if record.version < last => {
                return problem(format!("there are events up to version {last}, and the record has version {}", record.version));
            }
            (last, Some(record)) => {
                let is_recorded = last == Some(record.version);
                let is_on_its_way = self.now.duration_since(record.updated_at) < LAG;
                if !is_recorded && !is_on_its_way && !self.is_expired(record.updated_at) {
                    return problem(format!("the event of version {} is missing", last.map_or(record.version, |last| last + 1)));
                }
            }
        }
        self.sealed_days(by_day).await
    }

    /// The events in the chain; the newest of them.
    async fn versions(&mut self, entity_type: &str, entity_id: &str, by_day: &mut BTreeMap<Date, Vec<(Leaf, String)>>) -> Result<Option<StoredEvent>, Trouble> {
        let (mut chain, mut newest, mut before) = (RecordChain::default(), None, None);
        loop {
            self.record_in_time()?;
            let page = self.services.audit.of_record(&self.tenant.scope, entity_type, entity_id, before, PAGE).await?;
            for stored in page.entries {
                before = stored.event.version();
                match chain.link(&stored) {
                    Link::Whole => {}
                    Link::Broken(what) => return problem(what),
                    // Events leave the table at their time, but not in their order.
                    Link::Gap(_) if self.is_expired(stored.recorded_at) => return Ok(newest),
                    Link::Gap(missing) => return problem(format!("the event of version {missing} is missing")),
                }
                self.checked(&stored, by_day)?;
                newest.get_or_insert(stored);
            }
            if !page.has_more {
                unless(chain.end())?;
                return Ok(newest);
            }
        }
    }

    /// The events beside the chain; whether there are any.
    async fn beside(&mut self, entity_type: &str, entity_id: &str, by_day: &mut BTreeMap<Date, Vec<(Leaf, String)>>) -> Result<bool, Trouble> {
        let (mut before, mut found): (Option<String>, bool) = (None, false);
        loop {
            self.record_in_time()?;
            let page = self.services.audit.beside(&self.tenant.scope, entity_type, entity_id, before.as_deref(), PAGE).await?;
            for stored in page.entries {
                self.checked(&stored, by_day)?;
                before = Some(stored.event.place.sort_key());
                found = true;
            }
            if !page.has_more {
                return Ok(found);
            }
        }
    }

    /// Whether what was recorded then is beyond its time in the table.
    fn is_expired(&self, recorded_at: Timestamp) -> bool {
        self.now.duration_since(recorded_at) > SignedDuration::from_hours(24 * i64::from(self.tenant.record.retention_days))
    }

    fn checked(&mut self, stored: &StoredEvent, by_day: &mut BTreeMap<Date, Vec<(Leaf, String)>>) -> Result<(), Trouble> {
        unless(edited(stored))?;
        let Some(leaf) = leaf(&stored.hash) else {
            return problem(format!("{} has no hash", name(stored)));
        };
        by_day.entry(day_of(stored.recorded_at)).or_default().push((leaf, name(stored)));
        self.checked += 1;
        Ok(())
    }

    /// That sealed days have the events that were recorded on them: the newest such days.
    async fn sealed_days(&self, by_day: BTreeMap<Date, Vec<(Leaf, String)>>) -> Result<(), Trouble> {
        let mut sealed = 0;
        for (day, events) in by_day.into_iter().rev() {
            if sealed == MOST_DAYS {
                break;
            }
            self.record_in_time()?;
            let Some(last) = readable(seals_of_day(self.archive(), self.id(), day).await?)?.pop() else {
                continue;
            };
            sealed += 1;
            self.has_signature(&last)?;
            let leaves = self.leaves_of(&last.seal).await?;
            // What is recorded of a day that isn't over comes under its next seal.
            if let Some((_, name)) = events.iter().find(|(leaf, _)| leaves.binary_search(leaf).is_err())
                && day < self.first_resting()
            {
                return problem(format!("{name} is not among the events sealed of {day}"));
            }
        }
        Ok(())
    }

    /// The first of the days that need not be sealed yet.
    fn first_resting(&self) -> Date {
        day_of(self.now.checked_sub(UNSEALED).unwrap_or(self.now))
    }

    /// A day: its seals with their signatures and links, the hashes under them, and the archive.
    async fn day(&mut self, day: Date) -> Result<(), Trouble> {
        const INSTEAD: &str = "day has too many events to be verified in one request. Export it and verify the file with ./dev audit verify.";
        let seals = readable(seals_of_day(self.archive(), self.id(), day).await?)?;
        for (number, kept) in (0_u32..).zip(&seals) {
            if kept.seal.number != number {
                return problem(format!("the seal of {day} with number {number} is missing"));
            }
            self.has_signature(kept)?;
        }
        self.are_linked(&seals).await?;
        let mut under: Vec<Leaf> = Vec::new();
        for kept in &seals {
            self.in_time(INSTEAD)?;
            let leaves = self.leaves_of(&kept.seal).await?;
            if under.iter().any(|leaf| leaves.binary_search(leaf).is_err()) {
                return problem(format!("an event under the seal of {day} with number {} is not under the next one", kept.seal.number.saturating_sub(1)));
            }
            under = leaves;
        }
        let mut reader = read_day(&self.services.archive, self.id(), day);
        while let Some(file) = reader.next().await? {
            self.in_time(INSTEAD)?;
            if file.damaged > 0 {
                return problem(format!("{} events in {} are not as they were recorded", file.damaged, file.key));
            }
            let is_settled = day < self.first_resting() && self.now.duration_since(file.written_at) > UNSEALED;
            let unsealed = file.lines.iter().filter(|line| hash_in(line).is_none_or(|leaf| under.binary_search(&leaf).is_err())).count();
            if is_settled && unsealed > 0 {
                return problem(format!("{unsealed} events in {} are under no seal", file.key));
            }
            self.checked += file.lines.len() as u64;
        }
        let archived: HashSet<Leaf> = reader.into_leaves();
        let lost = under.iter().filter(|leaf| !archived.contains(*leaf)).count();
        if lost > 0 {
            return problem(format!("{lost} events sealed of {day} are not in the archive"));
        }
        if seals.is_empty() && !archived.is_empty() {
            return problem(format!("{day} is not sealed yet. A day is sealed two to three hours after its end"));
        }
        Ok(())
    }

    /// That each of a day's seals carries the hash of a seal that was made before it, but for the tenant's first.
    async fn are_linked(&self, seals: &[KeptSeal]) -> Result<(), Trouble> {
        if seals.is_empty() {
            return Ok(());
        }
        let all = readable(all_seals(self.archive(), self.id()).await?)?;
        for KeptSeal { seal, .. } in seals {
            let mut earlier = all.iter().filter(|other| other.seal.sealed_at < seal.sealed_at).peekable();
            let is_linked = match &seal.previous {
                None => earlier.peek().is_none(),
                Some(previous) => earlier.any(|other| other.seal.hash() == *previous),
            };
            if !is_linked {
                return problem(format!("the seal of {} with number {} does not follow another one", seal.day, seal.number));
            }
        }
        Ok(())
    }

    /// A tenant: the chain of all its seals, that no day that should be sealed lacks a seal, and the hashes under the newest seals.
    async fn tenant(&mut self) -> Result<(), Trouble> {
        const INSTEAD: &str = "The tenant has too many seals to be verified in one request. Verify its days instead, each with day.";
        let (seals, newest) = self.seals(INSTEAD).await?;
        unless(broken_seals(&seals, newest.as_ref()))?;
        for kept in &seals {
            self.in_time(INSTEAD)?;
            self.has_signature(kept)?;
        }
        let sealed: BTreeMap<Date, &DaySeal> = seals.iter().map(|kept| (kept.seal.day, &kept.seal)).collect();
        unless(self.unsealed_day(&sealed).await?)?;
        for seal in sealed.values().rev().take(MOST_DAYS) {
            self.in_time(INSTEAD)?;
            let leaves = self.leaves_of(seal).await?;
            self.checked += leaves.len() as u64;
        }
        Ok(())
    }

    /// All seals in the order of sealing, and the newest, as they are at one moment: days may be sealed meanwhile.
    async fn seals(&self, instead: &str) -> Result<(Vec<KeptSeal>, Option<KeptSeal>), Trouble> {
        let mut newest = self.newest().await?;
        loop {
            self.in_time(instead)?;
            let mut seals = readable(all_seals(self.archive(), self.id()).await?)?;
            let still = self.newest().await?;
            if still != newest {
                newest = still;
                continue;
            }
            in_order_of_sealing(&mut seals);
            // It is written to its own place last, and by the next run when that one is cut off there.
            let last = seals.last().map(|kept| &kept.seal);
            let is_coming = |newest: &&KeptSeal| follows(&newest.seal, last) && self.now.duration_since(newest.seal.sealed_at) < UNSEALED;
            let coming = newest.as_ref().filter(is_coming).cloned();
            seals.extend(coming);
            return Ok((seals, newest));
        }
    }

    /// The newest seal as it says so itself; none before the first.
    async fn newest(&self) -> Result<Option<KeptSeal>, Trouble> {
        let key = newest_seal_key(self.id());
        let bytes = self.archive().get(&key).await?;
        bytes.map(|bytes| KeptSeal::read(self.id(), &key, &bytes)).transpose().map_err(Trouble::Problem)
    }

    /// A day of which events were archived and that should have been sealed by now, and a sealed one of which nothing is archived any more.
    async fn unsealed_day(&self, sealed: &BTreeMap<Date, &DaySeal>) -> Result<Option<String>, Trouble> {
        let days = |folders: Vec<String>| folders.iter().filter_map(|folder| day_of_folder(folder)).collect::<BTreeSet<Date>>();
        let archived = days(self.archive().list_folders(&tenant_folder(self.id())).await?);
        let with_seals = days(self.archive().list_folders(&seals_folder(self.id())).await?);
        let due = self.first_resting();
        if let Some(day) = archived.iter().find(|day| **day < due && !with_seals.contains(*day) && !sealed.contains_key(*day)) {
            return Ok(Some(format!("{day} is not sealed, and events were archived of it")));
        }
        let gone = sealed.keys().find(|day| !archived.contains(*day));
        Ok(gone.map(|day| format!("{day} is sealed, and nothing of it is in the archive")))
    }

    fn has_signature(&self, kept: &KeptSeal) -> Result<(), Trouble> {
        let DaySeal { day, number, .. } = &kept.seal;
        if kept.signed.key != self.key {
            return problem(format!("the seal of {day} with number {number} is by another key, {}", kept.signed.key));
        }
        let signature = BASE64.decode(kept.signed.signature.as_bytes()).unwrap_or_default();
        let is_signed = (self.signed)(kept.signed.seal.as_bytes(), &signature);
        if is_signed { Ok(()) } else { problem(format!("the seal of {day} with number {number} does not have the signature of the key")) }
    }

    /// The hashes under a seal, which must be those that its root was made of.
    async fn leaves_of(&self, seal: &DaySeal) -> Result<Vec<Leaf>, Trouble> {
        let leaves = leaves(self.archive(), self.id(), seal.day, seal.number).await?.unwrap_or_default();
        let are_sealed = are_in_order(&leaves) && leaves.len() as u64 == seal.events && HEXLOWER.encode(&root(&leaves)) == seal.root;
        if are_sealed { Ok(leaves) } else { problem(format!("the hashes of {} are not those that were sealed with number {}", seal.day, seal.number)) }
    }
}

/// The hash in a line that was found whole.
fn hash_in(line: &str) -> Option<Leaf> {
    leaf(Line::parse(line).ok()?.hash())
}
