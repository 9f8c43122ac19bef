//! Sealing: the hashes of all events that were recorded on a day become one root, which is signed and linked to the tenant's seal before it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::{BASE64, HEXLOWER};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use switchboard_domain::audit::{DaySeal, Leaf, SignedSeal, root, sorted};
use switchboard_domain::clock::{Clock, to_millisecond};
use switchboard_domain::ids::TenantId;
use switchboard_platform::{Files, Listed, Signer};
use switchboard_store::audit_events::day_of;

use super::archive::read_day;
use super::archive_keys::{
    EVENTS, day_folder, day_leaves_folder, day_of_folder, day_seals_folder, leaves_key, newest_seal_key, seal_key, seals_folder, tenant_folder, tenant_of,
};
use super::seals::{KeptSeal, are_in_order, first_missing, leaves, parse_leaves};
use crate::error::AppError;

/// How long after its end a day is sealed: by then what was recorded in its last moments is archived.
const SETTLED: SignedDuration = SignedDuration::from_hours(2);
/// For how long late files of a day are looked for once it is sealed. The stream keeps an event for one day, so none is archived later than two days after its
/// own.
const LATE: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Longer than a day's events are read for a seal: what was written this long before it, or later, may not be under it.
const READING: SignedDuration = SignedDuration::from_mins(20);
/// How long a day's events may be read: the other half of [`READING`] is for making the seal.
const MOST_READING: Duration = Duration::from_secs(READING.unsigned_abs().as_secs() / 2);
/// How long each tenant is worked for before those come again who need longer.
const SHARE: Duration = Duration::from_secs(20);
/// How often a seal is tried while another run seals the same tenant.
const ATTEMPTS: usize = 5;
/// By how much a seal is younger than the one before it at least: their times are in the order of the chain, whatever clocks say.
const TICK: SignedDuration = SignedDuration::from_millis(1);
/// Files listed at once.
const PAGE: usize = 1_000;

/// Seals days.
pub struct Sealer {
    /// The archive. It refuses to have what is in it overwritten.
    pub archive: Files,
    /// The key that signs.
    pub signer: Signer,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For how long nobody can remove a seal.
    pub lock: SignedDuration,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealReport {
    /// Tenants looked at.
    pub tenants: usize,
    /// Seals made.
    pub sealed: usize,
    /// Days that could not be sealed because what was archived of them is damaged.
    pub damaged: usize,
    /// Which.
    pub damaged_days: Vec<(TenantId, Date)>,
    /// There was no time for all that is due; the next run goes on.
    pub unfinished: bool,
}

/// What became of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It has a new seal.
    Sealed,
    /// There is nothing that isn't under a seal.
    Unchanged,
    /// What was archived of it isn't whole.
    Damaged,
    /// Time was up.
    Unfinished,
}

/// What the next seal of a day is over.
enum Next {
    /// Nothing: all that was archived is under the seal before.
    Nothing,
    /// These hashes, sorted and distinct.
    Leaves(Vec<Leaf>),
    /// Something that was sealed is gone.
    Lost,
}

/// The days to look at: each that ended long enough ago and has no seal, and the last few even if they have one. In their order.
fn due(archived: impl IntoIterator<Item = Date>, sealed: &BTreeSet<Date>, now: Timestamp) -> Vec<Date> {
    let Ok(settled) = now.checked_sub(SETTLED) else {
        return Vec::new();
    };
    let today = day_of(settled);
    let recent = settled.checked_sub(LATE).map_or(today, day_of);
    let mut days: Vec<Date> = archived.into_iter().filter(|day| *day < today && (*day >= recent || !sealed.contains(day))).collect();
    days.sort_unstable();
    days
}

/// The hour, by which tenants take turns.
fn hour_of(now: Timestamp) -> usize {
    usize::try_from(now.as_second() / 3_600).unwrap_or_default()
}

/// Works for each tenant for a short while, and then again for those for whom that was not enough, one after the other and as long as they take. Each hour
/// another one is the first: so nobody's huge day keeps the others waiting for long. Gives those with whom it is not through when the time is over.
async fn in_turn(mut tenants: Vec<TenantId>, hour: usize, deadline: Instant, mut is_through: impl AsyncFnMut(TenantId, Instant) -> bool) -> Vec<TenantId> {
    for most in [Some(SHARE), None] {
        tenants.sort_unstable();
        let first = hour.checked_rem(tenants.len()).unwrap_or_default();
        tenants.rotate_left(first);
        let mut left = Vec::new();
        for tenant in tenants {
            let now = Instant::now();
            let until = most.map_or(deadline, |most| deadline.min(now + most));
            if now >= deadline || !is_through(tenant, until).await {
                left.push(tenant);
            }
        }
        tenants = left;
    }
    tenants
}

impl Sealer {
    /// Seals the days of all tenants that ended two hours ago or earlier and have no seal, and those of the last three days again of which more was archived
    /// since. Each tenant costs 2 requests for its newest seal, 1 per 1,000 days archived and 1 per 1,000 days sealed, each of the last three days 3; a day that
    /// is sealed 1 a file, and 8. Interrupted, or beside another run, it makes the same seals. A day whose events take longer than ten minutes to be read isn't
    /// sealed.
    ///
    /// # Errors
    /// The first of those of the services, once all tenants were tried.
    pub async fn seal(&self, deadline: Instant) -> Result<SealReport, AppError> {
        self.all(None, deadline).await
    }

    /// Seals one day of all tenants as far as it was archived, even if it isn't over, and whatever the times of its files say. Requests as [`Self::seal`].
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub async fn seal_day(&self, day: Date, deadline: Instant) -> Result<SealReport, AppError> {
        self.all(Some(day), deadline).await
    }

    /// The same for one tenant: what is due, or one day.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub async fn seal_tenant(&self, tenant: TenantId, day: Option<Date>, deadline: Instant) -> Result<SealReport, AppError> {
        let mut report = SealReport { tenants: 1, ..SealReport::default() };
        self.one(tenant, day, deadline, &mut report).await?;
        Ok(report)
    }

    async fn all(&self, day: Option<Date>, deadline: Instant) -> Result<SealReport, AppError> {
        let folders = self.archive.list_folders(EVENTS).await?;
        let tenants: Vec<TenantId> = folders.iter().filter_map(|folder| tenant_of(folder)).collect();
        let (mut reports, mut failure) = (BTreeMap::<TenantId, SealReport>::new(), None);
        let is_through = async |tenant: TenantId, until: Instant| {
            let report = reports.entry(tenant).or_default();
            // Whoever comes again has the same days damaged as before.
            *report = SealReport { tenants: 1, sealed: report.sealed, ..SealReport::default() };
            if let Err(error) = self.one(tenant, day, until, report).await {
                tracing::error!(tenant.id = %tenant, %error, "the days of a tenant could not be sealed");
                failure.get_or_insert(error);
                return true;
            }
            !report.unfinished
        };
        let left = in_turn(tenants, hour_of(self.clock.now()), deadline, is_through).await;
        if let Some(tenant) = left.first() {
            tracing::error!(tenants = left.len(), tenant.id = %tenant, "there was no time to seal the days of some tenants");
        }
        let mut report = SealReport { unfinished: !left.is_empty(), ..SealReport::default() };
        for of_tenant in reports.into_values() {
            report.tenants += of_tenant.tenants;
            report.sealed += of_tenant.sealed;
            report.damaged += of_tenant.damaged;
            report.damaged_days.extend(of_tenant.damaged_days);
        }
        failure.map_or(Ok(report), Err)
    }

    async fn one(&self, tenant: TenantId, day: Option<Date>, deadline: Instant, report: &mut SealReport) -> Result<(), AppError> {
        // Even if there is nothing to be sealed: what a run before left undone is done, and what is missing is noticed.
        self.newest(tenant).await?;
        let days = match day {
            Some(day) => vec![day],
            None => self.due(tenant).await?,
        };
        let is_named = day.is_some();
        for day in days {
            match self.day(tenant, day, is_named, deadline).await? {
                Outcome::Sealed => {
                    report.sealed += 1;
                    tracing::info!(tenant.id = %tenant, day = %day, "a day was sealed");
                }
                Outcome::Unchanged => {}
                Outcome::Damaged => {
                    report.damaged += 1;
                    report.damaged_days.push((tenant, day));
                }
                Outcome::Unfinished => {
                    report.unfinished = true;
                    tracing::warn!(tenant.id = %tenant, day = %day, "there was no time to read the events of a day");
                    // A day that is too long by itself doesn't keep those behind it waiting.
                    if Instant::now() >= deadline {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn due(&self, tenant: TenantId) -> Result<Vec<Date>, AppError> {
        let archived = self.archive.list_folders(&tenant_folder(tenant)).await?;
        let sealed = self.archive.list_folders(&seals_folder(tenant)).await?;
        let sealed: BTreeSet<Date> = sealed.iter().filter_map(|folder| day_of_folder(folder)).collect();
        Ok(due(archived.iter().filter_map(|folder| day_of_folder(folder)), &sealed, self.clock.now()))
    }

    /// Seals a day, unless all that was archived of it is sealed: of one that was named that is found out by reading it.
    async fn day(&self, tenant: TenantId, day: Date, is_named: bool, deadline: Instant) -> Result<Outcome, AppError> {
        if !is_named && !self.has_news(tenant, day).await? {
            return Ok(Outcome::Unchanged);
        }
        let begun = to_millisecond(self.clock.now());
        let archived = match self.archived(tenant, day, deadline.min(Instant::now() + MOST_READING)).await? {
            Ok(archived) => archived,
            Err(outcome) => return Ok(outcome),
        };
        let mut sealed = Outcome::Unchanged;
        for _ in 0..ATTEMPTS {
            let newest = self.newest(tenant).await?;
            let number = self.archive.list(&day_seals_folder(tenant, day), None, usize::MAX).await?.len();
            let number = u32::try_from(number).map_err(|error| AppError::Broken(error.to_string()))?;
            let leaves = match self.next(tenant, day, number, &archived).await? {
                Next::Nothing => return Ok(sealed),
                Next::Lost => return Ok(Outcome::Damaged),
                Next::Leaves(leaves) => leaves,
            };
            let before = newest.as_ref().map(|(kept, _)| &kept.seal);
            let seal = DaySeal {
                day,
                events: leaves.len() as u64,
                number,
                previous: before.map(DaySeal::hash),
                root: HEXLOWER.encode(&root(&leaves)),
                sealed_at: before.and_then(|before| before.sealed_at.checked_add(TICK).ok()).map_or(begun, |earliest| begun.max(earliest)),
                tenant,
            };
            let text = seal.text();
            let signature = BASE64.encode(&self.signer.sign(text.as_bytes()).await?);
            let kept = KeptSeal { signed: SignedSeal { seal: text, signature, key: self.signer.key().to_owned() }, seal };
            if self.append(&kept, newest.as_ref().map(|(_, tag)| tag.as_str())).await? {
                self.keep(&kept).await?;
                sealed = Outcome::Sealed;
            }
        }
        // Nothing is lost: what isn't sealed yet is found by the next run.
        if sealed == Outcome::Sealed { Ok(sealed) } else { Err(AppError::Unavailable("the tenant's seals, which others are making")) }
    }

    /// Whether files of a day were written that may not be under its seals. By the bucket's own times, which no clock of ours can put out of order: those of the
    /// hashes, which are written as soon as the day is read, while a seal may come to its place an hour later, with the next run.
    async fn has_news(&self, tenant: TenantId, day: Date) -> Result<bool, AppError> {
        let seals = self.archive.listed(&day_seals_folder(tenant, day), None, usize::MAX).await?;
        let hashes = self.archive.listed(&day_leaves_folder(tenant, day), None, usize::MAX).await?;
        let newest = |files: &[Listed]| files.iter().map(|file| file.written_at).max();
        let sealed_at = match (newest(&seals), newest(&hashes)) {
            (Some(sealed_at), Some(read_at)) if seals.len() == hashes.len() => sealed_at.min(read_at),
            // Nothing is sealed, or a run was cut off, or something is gone.
            _ => return Ok(true),
        };
        let mut after: Option<String> = None;
        loop {
            let files = self.archive.listed(&day_folder(tenant, day), after.as_deref(), PAGE).await?;
            if files.iter().any(|file| file.written_at.duration_since(sealed_at) > -READING) {
                return Ok(true);
            }
            if files.len() < PAGE {
                return Ok(false);
            }
            after = files.into_iter().next_back().map(|file| file.key);
        }
    }

    /// The hashes of all that was archived of a day, sorted and distinct. Nothing is sealed over a line that isn't whole: somebody must see it.
    async fn archived(&self, tenant: TenantId, day: Date, deadline: Instant) -> Result<Result<Vec<Leaf>, Outcome>, AppError> {
        let mut reader = read_day(&self.archive, tenant, day);
        let mut damaged = 0;
        while let Some(file) = reader.next().await? {
            if Instant::now() >= deadline {
                return Ok(Err(Outcome::Unfinished));
            }
            if file.damaged > 0 {
                damaged += file.damaged;
                tracing::error!(alarm = "audit archive damaged", tenant.id = %tenant, day = %day, file = file.key, lines = file.damaged, "an archived event is not as it was recorded");
            }
        }
        if damaged > 0 { Ok(Err(Outcome::Damaged)) } else { Ok(Ok(sorted(reader.into_leaves().into_iter().collect()))) }
    }

    /// What the seal of this number is over.
    ///
    /// The hashes are written before the seal, once: another run that is at the same seal, or one that was cut off there, may have written fewer, and then those
    /// are what is sealed. The rest comes under the next seal.
    async fn next(&self, tenant: TenantId, day: Date, number: u32, archived: &[Leaf]) -> Result<Next, AppError> {
        let lost = |file: String| {
            tracing::error!(alarm = "audit archive damaged", tenant.id = %tenant, day = %day, file, "what was sealed is not in the archive any more");
            Ok(Next::Lost)
        };
        let before = match number.checked_sub(1) {
            Some(before) => match leaves(&self.archive, tenant, day, before).await? {
                Some(leaves) if are_in_order(&leaves) && first_missing(&leaves, archived).is_none() => leaves.len(),
                _ => return lost(leaves_key(tenant, day, before)),
            },
            None => 0,
        };
        if archived.len() == before {
            return Ok(Next::Nothing);
        }
        let key = leaves_key(tenant, day, number);
        if self.archive.put_new(&key, "application/octet-stream", archived.concat()).await? {
            return Ok(Next::Leaves(archived.to_vec()));
        }
        let found = parse_leaves(&self.archive.get(&key).await?.unwrap_or_default());
        if found.len() <= before || !are_in_order(&found) || first_missing(&found, archived).is_some() {
            return lost(key);
        }
        Ok(Next::Leaves(found))
    }

    /// The tenant's newest seal and its tag; none before the first. A run that was cut off behind it is completed.
    async fn newest(&self, tenant: TenantId) -> Result<Option<(KeptSeal, String)>, AppError> {
        let key = newest_seal_key(tenant);
        let Some((bytes, tag)) = self.newest_file(tenant, &key).await? else {
            return Ok(None);
        };
        let newest = KeptSeal::read(tenant, &key, &bytes).map_err(AppError::Broken)?;
        let own = seal_key(tenant, newest.seal.day, newest.seal.number);
        match self.archive.get(&own).await? {
            None => self.keep(&newest).await?,
            Some(bytes) if KeptSeal::read(tenant, &own, &bytes).is_ok_and(|kept| kept == newest) => {}
            Some(_) => {
                tracing::error!(alarm = "audit archive damaged", tenant.id = %tenant, file = own, "the newest seal is not what it was");
                return Err(AppError::Broken(format!("{own} is not what {key} says")));
            }
        }
        Ok(Some((newest, tag)))
    }

    /// The file that says which seal is the newest, with its tag; none before the first. It is there before any seal, and no function removes it: without it nobody
    /// knows what the next seal follows.
    async fn newest_file(&self, tenant: TenantId, key: &str) -> Result<Option<(Vec<u8>, String)>, AppError> {
        if let Some(found) = self.archive.get_tagged(key).await? {
            return Ok(Some(found));
        }
        if self.archive.list(&seals_folder(tenant), None, 1).await?.is_empty() {
            return Ok(None);
        }
        // Another run may have made the first seal between these requests.
        if let Some(found) = self.archive.get_tagged(key).await? {
            return Ok(Some(found));
        }
        tracing::error!(alarm = "audit archive damaged", tenant.id = %tenant, file = key, "the tenant has seals, and the newest one is gone");
        Err(AppError::Broken(format!("{key} is gone, and there are seals")))
    }

    /// Puts a seal at the end of the tenant's chain; false when another is there already. This one write decides: whoever comes second finds another tag.
    async fn append(&self, kept: &KeptSeal, tag: Option<&str>) -> Result<bool, AppError> {
        let key = newest_seal_key(kept.seal.tenant);
        let json = json(kept)?;
        Ok(match tag {
            Some(tag) => self.archive.put_over(&key, "application/json", json, tag).await?,
            None => self.archive.put_new(&key, "application/json", json).await?,
        })
    }

    /// Writes a seal that is in the chain to its own place, for good.
    async fn keep(&self, kept: &KeptSeal) -> Result<(), AppError> {
        let DaySeal { tenant, day, number, sealed_at, .. } = kept.seal;
        let until = sealed_at.checked_add(self.lock).map_err(|error| AppError::Broken(error.to_string()))?;
        Ok(self.archive.put_locked(&seal_key(tenant, day, number), "application/json", json(kept)?, until).await?)
    }
}

fn json(kept: &KeptSeal) -> Result<Vec<u8>, AppError> {
    serde_json::to_vec(&kept.signed).map_err(|error| AppError::Broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_day_is_due_two_hours_after_its_end_until_it_is_sealed_and_for_three_days_after_that() {
        let november = |days: &[i8]| days.iter().map(|day| date(2026, 11, *day)).collect::<Vec<Date>>();
        let of = |now: &str, sealed: &[i8]| due(november(&[30, 1, 20, 26, 27, 28, 29]), &november(sealed).into_iter().collect(), now.parse().unwrap());
        assert_eq!(of("2026-11-30T01:59:59Z", &[1, 20, 26, 27, 28]), november(&[26, 27, 28]));
        assert_eq!(of("2026-11-30T02:00:00Z", &[1, 20, 26, 27, 28]), november(&[27, 28, 29]));
        assert_eq!(of("2026-11-30T02:00:00Z", &[1, 26, 27, 28, 29]), november(&[20, 27, 28, 29]), "however old");
        assert_eq!(of("2027-03-01T00:00:00Z", &[1, 20, 26, 27, 28, 29, 30]), november(&[]));
        assert_eq!(of("2026-10-01T00:00:00Z", &[]), november(&[]));
    }

    /// Who was worked for and who was left, when some take as long as they are given.
    async fn turns(hour: usize, deadline: Instant, slow: &[u8], endless: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let tenant = |byte: &u8| TenantId::new(Timestamp::UNIX_EPOCH, &[*byte; 10]);
        let number = |id: TenantId| (1..=4).find(|byte| tenant(byte) == id).unwrap();
        let mut turns = Vec::new();
        let is_through = async |id: TenantId, until: Instant| {
            turns.push(number(id));
            !endless.contains(&number(id)) && (until == deadline || !slow.contains(&number(id)))
        };
        let left = in_turn([3, 1, 4, 2].iter().map(tenant).collect(), hour, deadline, is_through).await;
        (turns, left.into_iter().map(number).collect())
    }

    #[tokio::test]
    async fn who_takes_long_comes_again_behind_all_others_and_each_hour_another_one_is_the_first() {
        let later = Instant::now() + Duration::from_secs(3_600);
        assert_eq!(turns(0, later, &[], &[]).await, (vec![1, 2, 3, 4], vec![]));
        assert_eq!(turns(3, later, &[], &[]).await, (vec![4, 1, 2, 3], vec![]));
        assert_eq!(turns(0, later, &[1], &[]).await, (vec![1, 2, 3, 4, 1], vec![]));
        assert_eq!(turns(4, later, &[2, 3], &[1]).await, (vec![1, 2, 3, 4, 2, 3, 1], vec![1]));
        assert_eq!(turns(5, later, &[2, 3], &[1]).await, (vec![2, 3, 4, 1, 3, 1, 2], vec![1]));
        assert_eq!(turns(0, Instant::now(), &[], &[]).await, (vec![], vec![1, 2, 3, 4]));
        assert!(in_turn(Vec::new(), 7, later, async |_, _| true).await.is_empty());
        assert_eq!((hour_of("1970-01-01T02:59:59Z".parse().unwrap()), hour_of(Timestamp::MIN)), (2, 0));
    }

    #[test]
    fn what_is_written_while_a_day_is_read_is_looked_for_again() {
        assert_eq!(MOST_READING * 2, READING.unsigned_abs());
    }
}
