//! The archive, the seals of its days, and verifying both.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use switchboard_app::AppError;
use switchboard_app::audit::archive_keys::{day_folder, leaves_key, newest_seal_key, seal_key};
use switchboard_app::audit::{ArchiveReport, Archiver, SealReport, Sealer, StreamRecord, Verification, Verify, read_day, seals, verify};
use switchboard_domain::audit::{AuditEvent, Place};
use switchboard_domain::clock::Clock;
use switchboard_domain::ids::TenantId;
use switchboard_store::audit_events::Listing;
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Bucket, SigningKey, World};

use crate::made;

/// The day on which a world begins.
const FIRST: Date = date(2026, 11, 21);
/// Statuses, and roles, of a world.
pub(crate) const STATUSES: usize = 8;
pub(crate) const ROLES: usize = 5;

/// A world whose trail is archived and sealed.
pub(crate) struct Trail {
    pub(crate) world: World,
    pub(crate) bucket: Bucket,
    pub(crate) key: SigningKey,
    /// The keys of the events that were archived.
    archived: HashSet<(String, String)>,
}

impl Trail {
    pub(crate) async fn new() -> Self {
        let mut world = World::new().await;
        let bucket = Bucket::new(world.clock.clone());
        world.services.archive = bucket.files();
        Self { world, bucket, key: SigningKey::new("key"), archived: HashSet::new() }
    }

    /// A day with archived events of all statuses, two hours after its end.
    async fn of_a_day() -> Self {
        let mut trail = Self::new().await;
        trail.record("contact_status").await;
        trail.archive().await;
        trail.wait_until("2026-11-22T02:00:00Z");
        trail
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.world.tenant.record.id
    }

    pub(crate) fn wait_until(&self, time: &str) {
        let time: jiff::Timestamp = time.parse().unwrap();
        self.world.clock.advance(time.duration_since(self.world.clock.now()));
    }

    /// Records that all records of a type were made.
    pub(crate) async fn record(&self, kind: &str) {
        let items = made::everything(&self.world.database).await;
        let batch: Vec<StreamRecord> = items.iter().filter(|item| text(item, "type") == Some(kind)).map(made::inserted).collect();
        let count = batch.len();
        assert_eq!(made::recorder(&self.world).record(batch).await.unwrap().recorded, count);
    }

    /// What the stream of the audit table says of events that weren't archived yet.
    pub(crate) async fn fresh(&mut self) -> Vec<StreamRecord> {
        let mut records = Vec::new();
        for item in self.audit_items().await {
            let key = (text(&item, "PK").unwrap().to_owned(), text(&item, "SK").unwrap().to_owned());
            if self.archived.insert(key) {
                records.push(StreamRecord { sequence: format!("{:021}", self.archived.len()), old: None, new: Some(item) });
            }
        }
        records
    }

    async fn audit_items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        let mut next = None;
        loop {
            let statement = self.world.database.client.execute_statement().statement("SELECT * FROM \"audit\"").set_next_token(next).send().await.unwrap();
            items.extend(statement.items.unwrap_or_default());
            next = statement.next_token;
            if next.is_none() {
                return items;
            }
        }
    }

    pub(crate) async fn archive(&mut self) -> Vec<StreamRecord> {
        let records = self.fresh().await;
        let report = self.archive_again(records.clone()).await;
        assert_eq!((report.archived, report.unreadable), (records.len(), 0));
        records
    }

    pub(crate) async fn archive_again(&self, records: Vec<StreamRecord>) -> ArchiveReport {
        Archiver { archive: self.bucket.files() }.archive(records).await.unwrap()
    }

    /// The lines of a day.
    async fn lines(&self, day: Date) -> Vec<String> {
        let files = self.bucket.files();
        let mut reader = read_day(&files, self.tenant(), day);
        let mut lines = Vec::new();
        while let Some(file) = reader.next().await.unwrap() {
            assert_eq!(file.damaged, 0);
            lines.extend(file.lines);
        }
        lines
    }

    fn sealer(&self) -> Sealer {
        let lock = SignedDuration::from_hours(24 * 2_557);
        Sealer { archive: self.bucket.files(), signer: self.key.signer(), clock: self.world.clock.clone(), lock }
    }

    pub(crate) async fn seal(&self) -> SealReport {
        self.sealer().seal(soon()).await.unwrap()
    }

    pub(crate) async fn seal_day(&self, day: Date) -> SealReport {
        self.sealer().seal_day(day, soon()).await.unwrap()
    }

    async fn verify(&self, what: Verify) -> Verification {
        verify(&self.world.services, &self.world.viewer("admin").await, &self.key.signer(), what).await.unwrap()
    }

    /// What is wrong first.
    async fn problem(&self, what: Verify) -> Option<String> {
        let verification = self.verify(what).await;
        assert_eq!(verification.ok, verification.first_problem.is_none());
        verification.first_problem
    }

    /// Does something to a file, sees what verifying says, and undoes it.
    async fn with(&self, key: &str, edit: impl Fn(Vec<u8>) -> Option<Vec<u8>>, what: Verify) -> Option<String> {
        let before = self.bucket.remove(key).unwrap();
        if let Some(edited) = edit(before.clone()) {
            self.bucket.put(key, edited);
        }
        let problem = self.problem(what).await;
        self.bucket.put(key, before);
        problem
    }

    fn event_files(&self, day: Date) -> Vec<String> {
        let folder = day_folder(self.tenant(), day);
        self.bucket.keys().into_iter().filter(|key| key.starts_with(&folder)).collect()
    }
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn gone(_: Vec<u8>) -> Option<Vec<u8>> {
    None
}

fn cut(bytes: Vec<u8>) -> Option<Vec<u8>> {
    Some(bytes[..bytes.len() - 32].to_vec())
}

fn flipped(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    bytes[5] ^= 1;
    Some(bytes)
}

/// A seal over one event fewer.
fn resealed(bytes: Vec<u8>) -> Option<Vec<u8>> {
    Some(String::from_utf8(bytes).unwrap().replace("\\\"events\\\":8", "\\\"events\\\":7").into_bytes())
}

#[tokio::test]
async fn an_event_is_archived_by_its_tenant_and_the_day_it_was_recorded_and_comes_once_however_often_it_is_delivered() {
    let mut trail = Trail::new().await;
    trail.record("contact_status").await;
    let first = trail.archive().await;
    trail.wait_until("2026-11-22T00:00:00Z");
    trail.record("role").await;
    let second = trail.archive().await;
    assert_eq!((first.len(), second.len()), (STATUSES, ROLES));
    let next = date(2026, 11, 22);
    assert_eq!((trail.event_files(FIRST).len(), trail.event_files(next).len()), (1, 1));
    let lines = trail.lines(FIRST).await;
    assert_eq!((lines.len(), trail.lines(next).await.len()), (STATUSES, ROLES));
    let files: Vec<(String, Option<Vec<u8>>)> = trail.bucket.keys().into_iter().map(|key| (key.clone(), trail.bucket.get(&key))).collect();
    trail.archive_again(first.clone()).await;
    assert_eq!(trail.bucket.keys().into_iter().map(|key| (key.clone(), trail.bucket.get(&key))).collect::<Vec<_>>(), files, "the same batch makes the same file");
    for size in [1, 3] {
        for part in first.chunks(size) {
            trail.archive_again(part.to_vec()).await;
        }
    }
    trail.archive_again([first, second].concat()).await;
    assert!(trail.event_files(FIRST).len() > STATUSES);
    let mut again = trail.lines(FIRST).await;
    again.sort();
    let mut once = lines;
    once.sort();
    assert_eq!(again, once);
}

#[tokio::test]
async fn what_is_not_as_it_was_recorded_is_kept_apart_and_the_rest_is_archived() {
    let mut trail = Trail::new().await;
    trail.record("contact_status").await;
    let mut records = trail.fresh().await;
    records[0].new.as_mut().unwrap().remove("action");
    records[1].new.as_mut().unwrap().insert("action".to_owned(), AttributeValue::S("contact_status.deleted".to_owned()));
    records[2].old = records[2].new.clone();
    let expired = StreamRecord { sequence: "9".to_owned(), ..StreamRecord::default() };
    records.push(expired);
    let report = trail.archive_again(records).await;
    assert_eq!(report, ArchiveReport { archived: STATUSES - 3, files: 1, passed_over: 1, unreadable: 3 });
    assert_eq!(trail.lines(FIRST).await.len(), STATUSES - 3);
    assert_eq!(trail.bucket.keys().iter().filter(|key| key.starts_with("events/unreadable/")).count(), 3);
    assert_eq!(trail.seal_day(FIRST).await.sealed, 1, "they are in no tenant's day");
}

#[tokio::test]
async fn a_day_is_sealed_after_its_end_and_again_when_more_of_it_comes() {
    let mut trail = Trail::new().await;
    trail.record("contact_status").await;
    trail.archive().await;
    assert_eq!(trail.seal().await, SealReport { tenants: 1, ..SealReport::default() });
    trail.record("role").await;
    let late = trail.fresh().await;
    trail.wait_until("2026-11-22T01:59:59Z");
    assert_eq!(trail.seal().await.sealed, 0);
    trail.wait_until("2026-11-22T02:00:00Z");
    assert_eq!((trail.seal().await.sealed, trail.seal().await.sealed), (1, 0));
    let key = seal_key(trail.tenant(), FIRST, 0);
    assert_eq!(trail.bucket.locked_until(&key).as_deref(), Some("2033-11-22T02:00:00Z"));
    trail.wait_until("2026-11-22T10:00:00Z");
    trail.archive_again(late).await;
    assert_eq!((trail.seal().await.sealed, trail.seal().await.sealed), (1, 0));
    let all = seals::seals_of_day(&trail.bucket.files(), trail.tenant(), FIRST).await.unwrap();
    let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(all.iter().map(|kept| (kept.seal.number, kept.seal.events)).collect::<Vec<_>>(), [(0, STATUSES as u64), (1, (STATUSES + ROLES) as u64)]);
    assert_eq!((all[0].seal.previous.as_ref(), all[1].seal.previous.as_ref()), (None, Some(&all[0].seal.hash())));
    let verification = trail.verify(Verify::Day(FIRST)).await;
    assert_eq!((verification.first_problem, verification.entries_checked), (None, (STATUSES + ROLES) as u64));
}

#[tokio::test]
async fn the_seals_of_a_tenant_are_one_chain_in_the_order_in_which_they_were_made() {
    let mut trail = Trail::of_a_day().await;
    assert_eq!(trail.seal().await.sealed, 1);
    trail.record("role").await;
    trail.archive().await;
    assert_eq!(trail.seal_day(date(2026, 11, 22)).await.sealed, 1, "a day that isn't over");
    trail.record("tenant").await;
    trail.archive().await;
    assert_eq!(trail.seal_day(date(2026, 11, 22)).await.sealed, 1);
    let mut all: Vec<_> = seals::all_seals(&trail.bucket.files(), trail.tenant()).await.unwrap().into_iter().map(Result::unwrap).collect();
    seals::in_order_of_sealing(&mut all);
    assert_eq!(all.iter().map(|kept| (kept.seal.day, kept.seal.number)).collect::<Vec<_>>(), [(FIRST, 0), (date(2026, 11, 22), 0), (date(2026, 11, 22), 1)]);
    for pair in all.windows(2) {
        assert_eq!(pair[1].seal.previous, Some(pair[0].seal.hash()));
    }
    let verification = trail.verify(Verify::Tenant).await;
    assert_eq!((verification.first_problem, verification.entries_checked), (None, (STATUSES + ROLES + 1) as u64));
}

#[tokio::test]
async fn sealing_that_is_cut_off_anywhere_is_completed_by_the_next_run() {
    let trail = Trail::of_a_day().await;
    let events: Vec<(String, Vec<u8>)> = trail.bucket.keys().into_iter().map(|key| (key.clone(), trail.bucket.get(&key).unwrap())).collect();
    let mut cut = 0;
    loop {
        trail.bucket.let_through(Some(cut));
        let outcome = trail.sealer().seal(soon()).await;
        trail.bucket.let_through(None);
        if outcome.is_ok() {
            break;
        }
        trail.seal().await;
        for what in [Verify::Day(FIRST), Verify::Tenant] {
            assert_eq!(trail.problem(what).await, None, "cut off behind {cut} writes");
        }
        assert_eq!(trail.bucket.keys().len(), events.len() + 3, "hashes, seal, newest: cut off behind {cut} writes");
        for key in trail.bucket.keys() {
            trail.bucket.remove(&key);
        }
        for (key, bytes) in &events {
            trail.bucket.put(key, bytes.clone());
        }
        cut += 1;
    }
    assert_eq!(cut, 3);
}

#[tokio::test]
async fn hashes_that_were_left_behind_are_what_is_sealed_and_the_rest_comes_under_the_next_seal() {
    let mut trail = Trail::of_a_day().await;
    trail.bucket.let_through(Some(1));
    assert!(trail.sealer().seal(soon()).await.is_err(), "only the hashes are written");
    trail.bucket.let_through(None);
    trail.wait_until("2026-11-21T23:00:00Z");
    trail.record("role").await;
    trail.archive().await;
    trail.wait_until("2026-11-22T03:00:00Z");
    assert_eq!(trail.seal().await.sealed, 1);
    let all = seals::seals_of_day(&trail.bucket.files(), trail.tenant(), FIRST).await.unwrap();
    assert_eq!(all.into_iter().map(|kept| kept.unwrap().seal.events).collect::<Vec<_>>(), [STATUSES as u64, (STATUSES + ROLES) as u64]);
    assert_eq!(trail.problem(Verify::Day(FIRST)).await, None);
}

#[tokio::test]
async fn what_comes_between_a_run_that_was_cut_off_and_the_next_one_is_sealed_too() {
    let mut trail = Trail::of_a_day().await;
    trail.bucket.let_through(Some(2));
    assert!(trail.sealer().seal(soon()).await.is_err(), "the seal is not in its own place");
    trail.bucket.let_through(None);
    trail.wait_until("2026-11-21T23:00:00Z");
    trail.record("role").await;
    trail.wait_until("2026-11-22T02:10:00Z");
    trail.archive().await;
    trail.wait_until("2026-11-22T03:00:00Z");
    assert_eq!((trail.seal().await.sealed, trail.seal().await.sealed), (1, 0));
    let all = seals::seals_of_day(&trail.bucket.files(), trail.tenant(), FIRST).await.unwrap();
    assert_eq!(all.into_iter().map(|kept| kept.unwrap().seal.events).collect::<Vec<_>>(), [STATUSES as u64, (STATUSES + ROLES) as u64]);
    for what in [Verify::Day(FIRST), Verify::Tenant] {
        assert_eq!(trail.problem(what).await, None);
    }
}

#[tokio::test]
async fn a_seal_that_is_on_its_way_to_its_place_is_no_problem_until_it_should_be_there() {
    let trail = Trail::of_a_day().await;
    trail.bucket.let_through(Some(2));
    assert!(trail.sealer().seal(soon()).await.is_err(), "the seal is not in its own place");
    trail.bucket.let_through(None);
    let (newest, seal) = (newest_seal_key(trail.tenant()), seal_key(trail.tenant(), FIRST, 0));
    assert!(trail.bucket.get(&newest).is_some() && trail.bucket.get(&seal).is_none());
    for time in ["2026-11-22T02:00:00Z", "2026-11-22T04:00:00Z"] {
        trail.wait_until(time);
        assert_eq!(trail.problem(Verify::Tenant).await, None, "{time}");
    }
    let signed_by_nobody = |bytes: Vec<u8>| Some(String::from_utf8(bytes).unwrap().replace("\"signature\":\"", "\"signature\":\"AAAA").into_bytes());
    assert!(trail.with(&newest, signed_by_nobody, Verify::Tenant).await.unwrap().contains("signature"));
    let of_another = |bytes: Vec<u8>| Some(String::from_utf8(bytes).unwrap().replace("\\\"previous\\\":null", "\\\"previous\\\":\\\"ab\\\"").into_bytes());
    assert!(trail.with(&newest, of_another, Verify::Tenant).await.unwrap().contains("is missing"), "it follows another seal than the last");
    trail.wait_until("2026-11-22T05:00:00Z");
    assert!(trail.problem(Verify::Tenant).await.unwrap().contains("is missing"));
    assert_eq!(trail.seal().await.sealed, 0, "it is only put in its place");
    assert!(trail.bucket.get(&seal).is_some());
    for what in [Verify::Day(FIRST), Verify::Tenant] {
        assert_eq!(trail.problem(what).await, None);
    }
}

#[tokio::test]
async fn nothing_is_signed_while_the_newest_seal_is_hidden() {
    let mut trail = Trail::of_a_day().await;
    trail.seal().await;
    trail.record("role").await;
    trail.archive().await;
    trail.wait_until("2026-11-23T02:00:00Z");
    let newest = newest_seal_key(trail.tenant());
    let hidden = trail.bucket.remove(&newest).unwrap();
    let before = trail.bucket.keys();
    let (due, named) = (trail.sealer().seal(soon()).await, trail.sealer().seal_day(date(2026, 11, 22), soon()).await);
    assert!(matches!(due, Err(AppError::Broken(_))) && matches!(named, Err(AppError::Broken(_))), "{due:?} {named:?}");
    assert_eq!(trail.bucket.keys(), before);
    trail.bucket.put(&newest, hidden);
    assert_eq!(trail.seal().await.sealed, 1);
    assert_eq!(trail.problem(Verify::Tenant).await, None);
}

#[tokio::test]
async fn all_tenants_are_sealed_in_one_run_and_without_time_for_it_none_and_that_is_said() {
    let trail = Trail::of_a_day().await;
    let own = trail.tenant();
    let others = [1, 2].map(|byte| TenantId::new(trail.world.clock.now(), &[byte; 10]));
    for (key, other) in trail.event_files(FIRST).iter().flat_map(|key| others.map(|other| (key, other))) {
        trail.bucket.put(&key.replace(&own.to_string(), &other.to_string()), trail.bucket.get(key).unwrap());
    }
    let late = trail.sealer().seal(Instant::now()).await.unwrap();
    assert_eq!(late, SealReport { unfinished: true, ..SealReport::default() });
    assert_eq!(trail.seal().await, SealReport { tenants: 3, sealed: 3, ..SealReport::default() });
    for tenant in [own, others[0], others[1]] {
        assert!(trail.bucket.get(&seal_key(tenant, FIRST, 0)).is_some());
    }
    let without_time = trail.sealer().seal_tenant(own, Some(FIRST), Instant::now()).await.unwrap();
    assert_eq!(without_time, SealReport { tenants: 1, unfinished: true, ..SealReport::default() });
}

#[tokio::test]
async fn a_day_that_is_named_is_read_whatever_the_times_of_its_files_say() {
    let mut trail = Trail::of_a_day().await;
    assert_eq!(trail.seal().await.sealed, 1);
    trail.wait_until("2026-11-21T20:00:00Z");
    trail.record("role").await;
    trail.archive().await;
    trail.wait_until("2026-11-22T04:00:00Z");
    assert_eq!(trail.seal().await.sealed, 0, "its files say that there is nothing new");
    assert_eq!((trail.seal_day(FIRST).await.sealed, trail.seal_day(FIRST).await.sealed), (1, 0));
    let verification = trail.verify(Verify::Day(FIRST)).await;
    assert_eq!((verification.first_problem, verification.entries_checked), (None, (STATUSES + ROLES) as u64));
}

/// What is left of a file by somebody who tampers with it.
type Edit = fn(Vec<u8>) -> Option<Vec<u8>>;

#[tokio::test]
async fn whatever_is_done_to_a_sealed_day_shows() {
    let trail = Trail::of_a_day().await;
    trail.seal().await;
    let tenant = trail.tenant();
    let (file, leaves, seal) = (trail.event_files(FIRST).remove(0), leaves_key(tenant, FIRST, 0), seal_key(tenant, FIRST, 0));
    let day = || Verify::Day(FIRST);
    assert!(trail.with(&file, gone, day()).await.unwrap().contains("8 events sealed of 2026-11-21 are not in the archive"));
    assert!(trail.with(&file, cut, day()).await.unwrap().contains("not as they were recorded"));
    for what in [day(), Verify::Tenant] {
        for edit in [gone as Edit, cut, flipped] {
            assert!(trail.with(&leaves, edit, what.clone()).await.unwrap().contains("not those that were sealed"));
        }
        assert!(trail.with(&seal, resealed, what.clone()).await.is_some());
    }
    assert!(trail.with(&seal, gone, day()).await.unwrap().contains("not sealed yet"));
    assert!(trail.with(&newest_seal_key(tenant), gone, Verify::Tenant).await.unwrap().contains("newest"));
    trail.wait_until("2026-11-22T05:00:00Z");
    assert!(trail.with(&seal, gone, Verify::Tenant).await.unwrap().contains("is missing"));
    for what in [day(), Verify::Tenant] {
        assert_eq!(trail.problem(what).await, None, "as it was");
    }
}

#[tokio::test]
async fn an_event_that_is_slipped_into_an_old_day_shows() {
    let mut trail = Trail::of_a_day().await;
    trail.seal().await;
    trail.wait_until("2026-11-21T20:00:00Z");
    trail.record("role").await;
    trail.wait_until("2026-12-20T00:00:00Z");
    trail.archive().await;
    assert_eq!(trail.problem(Verify::Day(FIRST)).await, None, "the next run may seal it");
    trail.wait_until("2026-12-20T04:00:00Z");
    assert_eq!(trail.seal().await.sealed, 0, "what comes weeks late isn't waited for");
    assert!(trail.problem(Verify::Day(FIRST)).await.unwrap().contains("5 events in"));
}

#[tokio::test]
async fn nothing_is_sealed_over_what_is_damaged() {
    let mut trail = Trail::of_a_day().await;
    let file = trail.event_files(FIRST).remove(0);
    let whole = trail.bucket.get(&file).unwrap();
    trail.bucket.put(&file, whole[..whole.len() / 2].to_vec());
    let report = trail.seal().await;
    assert_eq!((report.sealed, report.damaged, report.damaged_days), (0, 1, vec![(trail.tenant(), FIRST)]));
    assert!(trail.bucket.keys().iter().all(|key| key.starts_with("events/")));
    trail.bucket.put(&file, whole);
    assert_eq!(trail.seal().await.sealed, 1);
    trail.bucket.remove(&file);
    trail.archived.clear();
    let records = trail.fresh().await;
    trail.archive_again(records[..STATUSES - 1].to_vec()).await;
    assert_eq!(trail.seal().await.damaged, 1, "an event that was sealed is gone");
}

#[tokio::test]
async fn a_day_without_a_seal_and_a_seal_by_another_key_show() {
    let mut trail = Trail::of_a_day().await;
    let unsealed = "2026-11-21 is not sealed";
    assert!(trail.problem(Verify::Day(FIRST)).await.unwrap().contains(unsealed));
    assert_eq!(trail.problem(Verify::Tenant).await, None, "it may rest for another hour");
    trail.wait_until("2026-11-22T03:00:00Z");
    assert!(trail.problem(Verify::Tenant).await.unwrap().contains(unsealed));
    assert_eq!(trail.problem(Verify::Day(date(2026, 11, 20))).await, None, "nothing was recorded then");
    trail.seal().await;
    for name in ["key", "another"] {
        let own = std::mem::replace(&mut trail.key, SigningKey::new(name));
        for what in [Verify::Day(FIRST), Verify::Tenant] {
            assert!(trail.problem(what).await.is_some(), "{name}");
        }
        trail.key = own;
    }
}

#[tokio::test]
async fn a_record_is_verified_up_to_what_it_is_now_and_by_its_sealed_days() {
    let trail = Trail::of_a_day().await;
    let status = trail.audit_items().await.remove(0);
    let entity_id = text(&status, "PK").unwrap().rsplit('#').next().unwrap().to_owned();
    let record = || Verify::Record { entity_type: "contact_status".to_owned(), entity_id: entity_id.clone() };
    let verification = trail.verify(record()).await;
    assert_eq!((verification.first_problem, verification.entries_checked), (None, 1));
    trail.seal().await;
    assert_eq!(trail.problem(record()).await, None);
    let leaves = leaves_key(trail.tenant(), FIRST, 0);
    assert!(trail.with(&leaves, gone, record()).await.unwrap().contains("2026-11-21"));
    let audit = &trail.world.database.client;
    let mut edited = status.clone();
    edited.insert("action".to_owned(), AttributeValue::S("contact_status.deleted".to_owned()));
    for (item, expected) in [(edited, Some("it was edited")), (status.clone(), None)] {
        audit.put_item().table_name("audit").set_item(Some(item)).send().await.unwrap();
        let problem = trail.problem(record()).await;
        assert_eq!(problem.is_some(), expected.is_some());
        assert!(problem.unwrap_or_default().contains(expected.unwrap_or_default()));
    }
    let events = &trail.world.services.audit;
    let first = events.get(trail.tenant(), "contact_status", &entity_id, &Place::Version(1)).await.unwrap().unwrap();
    let third = AuditEvent { place: Place::Version(3), previous_hash: Some(first.hash), ..first.event };
    events.insert(trail.tenant(), &[(third, Listing::Listed)], trail.world.clock.now(), SignedDuration::from_hours(24)).await.unwrap();
    assert!(trail.problem(record()).await.unwrap().contains("the event of version 2 is missing"));
    for place in [Place::Version(3), Place::Version(1)] {
        let key = Item::from([("PK".to_owned(), status["PK"].clone()), ("SK".to_owned(), AttributeValue::S(place.sort_key()))]);
        audit.delete_item().table_name("audit").set_key(Some(key)).send().await.unwrap();
    }
    assert!(trail.problem(record()).await.unwrap().contains("the event of version 1 is missing"));
    let unknown = Verify::Record { entity_type: "contact_status".to_owned(), entity_id: "00000000000000000000000000".to_owned() };
    let (services, admin, signer) = (&trail.world.services, trail.world.viewer("admin").await, trail.key.signer());
    assert!(matches!(verify(services, &admin, &signer, unknown).await, Err(AppError::NotFound)));
    let agent = trail.world.viewer("agent").await;
    assert!(matches!(verify(services, &agent, &signer, Verify::Tenant).await, Err(AppError::Forbidden)));
}
