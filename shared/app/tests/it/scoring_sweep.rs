//! Scores that change by time alone: found when their time has come, and nothing else looked at, whoever else looks and wherever a run ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use switchboard_app::scoring::{Rescoring, ScoreMessage, Sweep, Swept, handle};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::ContactInput;
use switchboard_domain::ids::ContactId;
use switchboard_store::item::text;
use switchboard_store::keys::{self, DUE_SHARDS};
use switchboard_store::{CoreTable, due_scores};
use switchboard_testkit::{Fault, Mailbox, World};

use crate::made;
use crate::scoring_rescore::{assert_right, created, now};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Time for everything.
fn later() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

fn id(number: u32) -> ContactId {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    hash[4..8].copy_from_slice(&number.to_be_bytes());
    ContactId::from_hash(&hash)
}

/// A sweep over a world, and where its messages go.
struct Bench {
    world: World,
    mailbox: Mailbox,
}

impl Bench {
    /// One that was swept up to half a minute ago.
    async fn new() -> Self {
        let bench = Self { world: World::new().await, mailbox: Mailbox::default() };
        bench.world.clock.advance(MINUTE * 5);
        assert!(bench.swept().await.is_caught_up);
        bench
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    async fn due(&self, number: u32, at: Timestamp) {
        due_scores::announce(&self.world.services.core, &self.world.tenant.scope, &[(id(number), at)]).await.unwrap();
    }

    fn sweep(&self, core: &CoreTable) -> Sweep {
        Sweep { core: core.clone(), queue: self.mailbox.queue(), clock: Arc::clone(&self.world.services.clock) }
    }

    async fn swept(&self) -> Swept {
        self.sweep(&self.world.database.core).sweep(later()).await.unwrap()
    }

    /// The contacts that were sent since this was last asked, in that order.
    fn sent(&self) -> Vec<ContactId> {
        let messages = self.mailbox.take().into_iter().map(|message| serde_json::from_str::<ScoreMessage>(&message).unwrap());
        messages
            .map(|message| {
                assert_eq!(message.tenant, self.world.tenant.record.id);
                message.contact
            })
            .collect()
    }
}

fn set(ids: impl IntoIterator<Item = ContactId>) -> BTreeSet<ContactId> {
    ids.into_iter().collect()
}

#[tokio::test]
async fn only_what_is_due_is_read_and_it_is_read_once() {
    let bench = Bench::new().await;
    let beginning = bench.now();
    for number in 0..3 {
        bench.due(number, beginning + MINUTE * i32::try_from(number).unwrap()).await;
    }
    bench.due(3, beginning + MINUTE * 5).await;
    bench.due(4, beginning + HOUR * 2).await;
    bench.world.clock.advance(MINUTE * 3);
    bench.world.database.meter.reset();
    let swept = bench.swept().await;
    assert_eq!((swept.read, swept.sent, swept.is_caught_up), (3, 3, true));
    assert_eq!(set(bench.sent()), set((0..3).map(id)));
    let usage = bench.world.database.meter.usage();
    assert_eq!(usage.requests.keys().map(String::as_str).collect::<Vec<_>>(), ["GetItem", "PutItem", "Query"], "nothing is scanned");
    assert_eq!((usage.total_requests(), usage.total_write_units()), (10, 1.0), "{usage:?}");
    assert!(usage.read_units <= 9.0, "{usage:?}");
    assert_eq!((bench.swept().await.read, bench.sent()), (0, Vec::new()));
    bench.world.clock.advance(MINUTE * 3);
    assert_eq!((bench.swept().await.read, bench.sent()), (1, vec![id(3)]));
}

#[tokio::test]
async fn what_came_within_the_last_half_minute_waits_to_the_millisecond() {
    let bench = Bench::new().await;
    let tick = SignedDuration::from_millis(1);
    bench.due(1, bench.now()).await;
    bench.world.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(bench.swept().await.read, 0);
    bench.world.clock.advance(tick);
    assert_eq!((bench.swept().await.read, bench.sent()), (1, vec![id(1)]));
}

#[tokio::test]
async fn missed_hours_are_caught_up_in_their_order() {
    let bench = Bench::new().await;
    let beginning = bench.now();
    for (number, minutes) in [(1, 10), (2, 59), (3, 70), (4, 300)] {
        bench.due(number, beginning + MINUTE * minutes).await;
    }
    bench.world.clock.advance(HOUR * 6);
    let swept = bench.swept().await;
    assert_eq!((swept.read, swept.until, swept.is_caught_up), (4, bench.now() - SignedDuration::from_secs(30), true));
    let sent = bench.sent();
    assert_eq!((&sent[0], set(sent[1..3].iter().cloned()), &sent[3]), (&id(1), set([id(2), id(3)]), &id(4)));
}

#[tokio::test]
async fn the_first_run_ever_looks_an_hour_back_and_none_further_than_entries_are_kept() {
    let bench = Bench { world: World::new().await, mailbox: Mailbox::default() };
    bench.due(1, bench.now() - MINUTE * 50).await;
    bench.due(2, bench.now() - MINUTE * 70).await;
    assert_eq!((bench.swept().await.read, bench.sent()), (1, vec![id(1)]));

    let beginning = bench.now();
    bench.due(3, beginning + HOUR).await;
    bench.due(4, beginning + HOUR * 30).await;
    bench.world.clock.advance(HOUR * 24 * 8);
    let swept = bench.swept().await;
    assert_eq!((swept.read, swept.is_caught_up, bench.sent()), (1, true, vec![id(4)]));
}

/// Contacts of one shard that are due in the same millisecond.
async fn crowd(bench: &Bench, count: usize, at: Timestamp) -> Vec<ContactId> {
    let ids: Vec<ContactId> = (0..).map(id).filter(|id| id.shard(DUE_SHARDS) == 3).take(count).collect();
    let moments: Vec<_> = ids.iter().map(|id| (id.clone(), at)).collect();
    due_scores::announce(&bench.world.services.core, &bench.world.tenant.scope, &moments).await.unwrap();
    ids
}

#[tokio::test]
async fn a_run_that_dies_between_pages_loses_nothing_and_the_next_goes_on_behind_the_last_page_that_was_written_down() {
    let bench = Bench::new().await;
    let ids = crowd(&bench, 1_200, bench.now()).await;
    bench.world.clock.advance(MINUTE);
    let database = bench.world.database.without_retries();
    // The first page is written down, the second isn't.
    database.wire.cut_for_good_at_write(1, Fault::CutBefore);
    assert!(bench.sweep(&database.core).sweep(later()).await.is_err());
    assert!(database.wire.mend());
    let first = bench.sent();
    assert_eq!(first.len(), 1_000);
    let swept = bench.swept().await;
    assert_eq!((swept.read, swept.sent, swept.is_caught_up), (700, 700, true));
    assert_eq!(set(first.into_iter().chain(bench.sent())), set(ids));
}

#[tokio::test]
async fn a_watermark_whose_answer_is_lost_was_written() {
    let bench = Bench::new().await;
    let ids = crowd(&bench, 600, bench.now()).await;
    bench.world.clock.advance(MINUTE);
    bench.world.database.wire.cut_next("PutItem", Fault::CutAfter);
    let swept = bench.swept().await;
    assert_eq!((swept.read, swept.is_caught_up), (600, true));
    assert_eq!(set(bench.sent()), set(ids));
}

#[tokio::test]
async fn two_runs_at_once_leave_nothing_out() {
    let bench = Bench::new().await;
    let beginning = bench.now();
    for number in 0..200 {
        bench.due(number, beginning + MINUTE * i32::try_from(number).unwrap()).await;
    }
    bench.world.clock.advance(HOUR * 4);
    let (one, other) = futures::future::join(bench.swept(), bench.swept()).await;
    assert!(one.is_caught_up && other.is_caught_up, "{one:?} {other:?}");
    let mut times: BTreeMap<ContactId, usize> = BTreeMap::new();
    for contact in bench.sent() {
        *times.entry(contact).or_default() += 1;
    }
    assert_eq!(times.keys().cloned().collect::<BTreeSet<_>>(), set((0..200).map(id)));
    assert!(times.values().all(|times| *times <= 2), "{times:?}");
    assert_eq!(bench.swept().await.read, 0);
}

#[tokio::test]
async fn a_run_without_time_does_nothing_and_the_next_one_does_it() {
    let bench = Bench::new().await;
    bench.due(1, bench.now()).await;
    bench.world.clock.advance(MINUTE);
    let swept = bench.sweep(&bench.world.database.core).sweep(Instant::now()).await.unwrap();
    assert_eq!((swept.read, swept.is_caught_up), (0, false));
    assert_eq!((bench.swept().await.is_caught_up, bench.sent()), (true, vec![id(1)]));
}

#[tokio::test]
async fn an_entry_expires_a_week_after_its_moment_and_names_nothing_but_ids() {
    let bench = Bench::new().await;
    let at = bench.now() + HOUR;
    bench.due(1, at).await;
    bench.due(1, at).await;
    let entries: Vec<_> = made::everything(&bench.world.database).await.into_iter().filter(|item| text(item, "type") == Some("due_score")).collect();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(entry.keys().collect::<BTreeSet<_>>(), ["PK", "SK", "expires_at", "type"].map(str::to_owned).iter().collect());
    assert_eq!(entry["expires_at"].as_n().unwrap(), &(at + HOUR * 24 * 7).as_second().to_string());
    assert_eq!(text(entry, "SK").and_then(keys::parse_due_score), Some((at, bench.world.tenant.record.id, id(1))));
}

#[tokio::test]
async fn a_contact_is_scored_again_as_its_next_contact_comes_nearer_and_is_missed() {
    let bench = Bench::new().await;
    let world = &bench.world;
    let next_contact = bench.now() + HOUR * 24 * 31;
    let contact = created(world, "514-555-0123", ContactInput { next_contact_at: Some(next_contact), ..ContactInput::default() }).await;
    let mut values = vec![contact.score.as_ref().unwrap().value];
    for moment in [next_contact - HOUR * 24 * 30, next_contact - HOUR * 24 * 7, next_contact] {
        assert_eq!(now(world, &contact.id).await.score.unwrap().next_change_at, Some(moment));
        // Not before.
        world.clock.advance(moment.duration_since(bench.now()));
        assert_eq!(bench.swept().await.read, 0);
        world.clock.advance(MINUTE);
        assert_eq!((bench.swept().await.read, bench.sent()), (1, vec![contact.id.clone()]));
        let message = ScoreMessage { tenant: world.tenant.record.id, contact: contact.id.clone() };
        let Rescoring::Changed(scored) = handle(&world.services, &message).await.unwrap() else { panic!("its time has come") };
        assert_right(world, &scored).await;
        values.push(scored.score.unwrap().value);
    }
    // Later, within 30 days, within 7, overdue.
    assert_eq!(values.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect::<Vec<_>>(), [5, 5, 0]);
    assert_eq!(now(world, &contact.id).await.score.unwrap().next_change_at, None);
}
