//! What agents are doing: by what they say and supervisors say, by heartbeats of several devices, by silence, and by clocks that are wrong.

use std::collections::BTreeSet;

use futures::future::join_all;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use switchboard_app::agents::{self, DeleteAgent};
use switchboard_app::audit::Report;
use switchboard_app::presence::{self, AgentPresence, AgentTimeline, PresenceToday, UpdatePresence};
use switchboard_app::{AppError, UserError, Viewer};
use switchboard_domain::clock::Clock;
use switchboard_domain::demo::TENANTS;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::permission::{Grant, Permission, Scope};
use switchboard_domain::person::User;
use switchboard_domain::presence::{Heartbeat, Presence, PresencePatch, PresenceStatus, SeenPresence};
use switchboard_store::item::{Item, text};
use switchboard_store::{people, presence as store};
use switchboard_testkit::{Fault, World};

use crate::made;
use PresenceStatus::{Available, Away, Busy, InMeeting, Offline, OnBreak};

const DAY: i64 = 86_400;

/// The demo's people by their places: Sofia supervises both teams, Théo, Tara and Agnès are in the team Est, Tariq is in West.
const SOFIA: usize = 2;
const THEO: usize = 3;
const TARA: usize = 4;
const TARIQ: usize = 5;
const AGNES: usize = 6;

fn agent(index: usize) -> AgentId {
    TENANTS[0].user_id(index).into()
}

async fn viewer(world: &World, index: usize) -> Viewer {
    world.viewer_of(TENANTS[0].user_id(index), "a request").await
}

fn pass(world: &World, seconds: i64) {
    world.clock.advance(SignedDuration::from_secs(seconds));
}

fn to(status: PresenceStatus) -> PresencePatch {
    PresencePatch { status: Some(status), ..PresencePatch::default() }
}

fn on_break(reason: &str) -> PresencePatch {
    PresencePatch { break_reason: Some(Some(reason.to_owned())), ..to(OnBreak) }
}

fn leads(accepting: bool) -> PresencePatch {
    PresencePatch { accepting_leads: Some(accepting), ..PresencePatch::default() }
}

fn own(patch: PresencePatch) -> UpdatePresence {
    UpdatePresence { patch, ..UpdatePresence::default() }
}

fn of(agent: AgentId, patch: PresencePatch, reason: Option<&str>) -> UpdatePresence {
    UpdatePresence { agent: Some(Some(agent)), patch, reason: reason.map(str::to_owned) }
}

async fn update(world: &World, viewer: &Viewer, request: UpdatePresence) -> Result<Result<AgentPresence, Vec<UserError>>, AppError> {
    presence::update(&world.services, viewer, request).await
}

/// Somebody says what they are doing.
async fn says(world: &World, index: usize, patch: PresencePatch) -> SeenPresence {
    let written = update(world, &viewer(world, index).await, own(patch)).await.unwrap().unwrap();
    assert_eq!(written.agent.id, agent(index));
    written.presence
}

fn beat(device: &str, on_call: impl Into<Option<bool>>, seconds: impl Into<Option<i32>>) -> Heartbeat {
    Heartbeat { device: Some(device.to_owned()), on_call: on_call.into(), current_call_seconds: seconds.into() }
}

/// A device of somebody's gives a sign of life.
async fn beats(world: &World, index: usize, given: &Heartbeat) -> SeenPresence {
    presence::heartbeat(&world.services, &viewer(world, index).await, given).await.unwrap().unwrap().presence
}

/// Somebody goes on being there for so long.
async fn stays(world: &World, index: usize, seconds: i64) {
    for passed in (0..seconds).step_by(50) {
        pass(world, 50_i64.min(seconds - passed));
        beats(world, index, &Heartbeat::default()).await;
    }
}

/// What somebody is doing, as others see it.
async fn today(world: &World, index: usize) -> PresenceToday {
    let viewer = world.viewer("admin").await;
    presence::today(&world.services, &viewer, &[agent(index)]).await.unwrap().remove(&agent(index)).unwrap()
}

async fn seen(world: &World, index: usize) -> SeenPresence {
    today(world, index).await.presence.unwrap()
}

async fn stored(world: &World, index: usize) -> Option<Presence> {
    store::get(&world.database.core, &world.tenant.scope, agent(index)).await.unwrap()
}

async fn calls(world: &World, index: usize, day: Date) -> u32 {
    store::calls(&world.database.core, &world.tenant.scope, agent(index), day).await.unwrap()
}

async fn timeline(world: &World, index: usize, day: Date) -> AgentTimeline {
    let viewer = world.viewer("supervisor").await;
    presence::timeline(&world.services, &viewer, agent(index), day).await.unwrap().unwrap()
}

/// The tenant's present day.
fn day(world: &World) -> Date {
    world.tenant.record.day_of(world.clock.now())
}

/// The times of a timeline, in seconds since one.
fn told(timeline: &AgentTimeline, since: Timestamp) -> Vec<(PresenceStatus, i64, i64)> {
    timeline.segments.iter().map(|segment| (segment.status, segment.from.duration_since(since).as_secs(), segment.to.duration_since(since).as_secs())).collect()
}

async fn available(world: &World, viewer: &Viewer, team: Option<TeamId>, first: usize) -> Vec<AgentId> {
    let found = presence::available(&world.services, viewer, team.map(Some), first).await.unwrap();
    found.into_iter().map(|agent| agent.id).collect()
}

/// A user with these permissions beside their roles, as they sign in.
async fn granted(world: &World, index: usize, grants: Vec<Grant>) -> Viewer {
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    let before = people::user(core, scope, TENANTS[0].user_id(index)).await.unwrap().unwrap();
    let after = User { grants, record: before.record.touched(), ..before.clone() };
    assert!(core.commit(scope, vec![people::replace_user(scope, &after, before.record.revision).unwrap()]).await.unwrap());
    viewer(world, index).await
}

/// Takes somebody out of the staff directory.
async fn deleted(world: &World, index: usize) {
    let before = people::agent(&world.database.core, &world.tenant.scope, agent(index)).await.unwrap().unwrap();
    let request = DeleteAgent { id: Some(before.id), expected_version: i32::try_from(before.record.version).unwrap(), ..DeleteAgent::default() };
    agents::take_out(&world.services, &world.viewer("admin").await, &request).await.unwrap().unwrap();
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

async fn items(world: &World, kind: &str) -> Vec<Item> {
    made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some(kind)).collect()
}

#[tokio::test]
async fn of_who_was_never_there_nothing_is_kept_and_everything_works() {
    let world = World::new().await;
    assert_eq!(today(&world, THEO).await, PresenceToday { presence: None, calls: 0 });
    let empty = timeline(&world, THEO, day(&world)).await;
    assert_eq!((empty.segments.len(), empty.totals.len(), empty.calls), (0, 0, 0));
    assert!(available(&world, &world.viewer("admin").await, None, 50).await.is_empty());

    let first = beats(&world, THEO, &Heartbeat::default()).await;
    assert_eq!((first.status, first.since, first.last_activity_at), (Offline, world.clock.now(), world.clock.now()), "a sign of life makes nobody available");
    let calling = beats(&world, TARA, &beat("desk", true, 5)).await;
    assert_eq!((calling.status, calling.on_call, calling.current_call_seconds), (Offline, true, 5));
    let declining = says(&world, TARIQ, leads(false)).await;
    assert_eq!((declining.status, declining.accepting_leads), (Offline, false), "it is set by itself");
    let there = says(&world, AGNES, to(Available)).await;
    assert_eq!((there.status, there.accepting_leads, there.since), (Available, true, world.clock.now()));
    let meeting = update(&world, &world.viewer("supervisor").await, of(agent(0), to(InMeeting), Some("With the board"))).await.unwrap().unwrap();
    assert_eq!(meeting.presence.status, Offline, "what a supervisor says is no sign of life");
    for index in [0, THEO, TARA, TARIQ, AGNES] {
        let record = stored(&world, index).await.unwrap().record;
        assert_eq!((record.version, record.revision, record.last_change.action.as_str()), (1, 1, "presence.created"));
    }
}

#[tokio::test]
async fn a_break_has_its_reason_until_it_is_over_also_through_silence() {
    let world = World::new().await;
    says(&world, THEO, to(Available)).await;
    pass(&world, 10);
    let lunch = says(&world, THEO, on_break(" Lunch ")).await;
    assert_eq!((lunch.status, lunch.break_reason.as_deref(), lunch.since), (OnBreak, Some("Lunch"), world.clock.now()));
    pass(&world, 30);
    assert_eq!(beats(&world, THEO, &Heartbeat::default()).await.break_reason.as_deref(), Some("Lunch"));
    assert_eq!(says(&world, THEO, leads(false)).await.break_reason.as_deref(), Some("Lunch"));
    pass(&world, 600);
    let silent = seen(&world, THEO).await;
    assert_eq!((silent.status, silent.break_reason.as_deref(), silent.accepting_leads), (Offline, None, false));
    let back = beats(&world, THEO, &Heartbeat::default()).await;
    assert_eq!((back.status, back.break_reason.as_deref(), back.accepting_leads, back.since), (OnBreak, Some("Lunch"), false, world.clock.now()));
    pass(&world, 10);
    let over = says(&world, THEO, to(Available)).await;
    assert_eq!((over.status, over.break_reason, over.accepting_leads), (Available, None, false));
    pass(&world, 10);
    assert_eq!(says(&world, THEO, to(OnBreak)).await.break_reason, None, "another break, another reason");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_written() {
    let world = World::new().await;
    says(&world, THEO, to(Available)).await;
    let (before, theo) = (stored(&world, THEO).await, viewer(&world, THEO).await);
    pass(&world, 10);
    for (patch, expected) in [
        (on_break(&"é".repeat(256)), ("breakReason", FieldErrorCode::TooLong)),
        (on_break("a\u{0}b"), ("breakReason", FieldErrorCode::Invalid)),
        (PresencePatch { status: Some(Busy), ..on_break("Lunch") }, ("breakReason", FieldErrorCode::NotAllowed)),
        (PresencePatch { status: None, ..on_break("Lunch") }, ("breakReason", FieldErrorCode::NotAllowed)),
    ] {
        assert_eq!(codes(&update(&world, &theo, own(patch)).await.unwrap().unwrap_err()), [expected]);
    }
    for seconds in [-1, 86_401] {
        let errors = presence::heartbeat(&world.services, &theo, &beat("desk", true, seconds)).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [("currentCallSeconds", FieldErrorCode::Invalid)]);
    }
    let errors = presence::heartbeat(&world.services, &theo, &beat(&"x".repeat(101), None, -1)).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("deviceId", FieldErrorCode::TooLong), ("currentCallSeconds", FieldErrorCode::Invalid)]);
    assert_eq!(stored(&world, THEO).await, before);
}

#[tokio::test]
async fn who_is_no_agent_has_no_presence() {
    let world = World::new().await;
    let mut nobody = viewer(&world, THEO).await;
    nobody.agent_record = None;
    let expected = [("agentId", FieldErrorCode::NotFound)];
    assert_eq!(codes(&update(&world, &nobody, own(to(Available))).await.unwrap().unwrap_err()), expected);
    assert_eq!(codes(&presence::heartbeat(&world.services, &nobody, &Heartbeat::default()).await.unwrap().unwrap_err()), expected);
    assert!(matches!(update(&world, &nobody, of(agent(THEO), to(Available), None)).await, Err(AppError::NotFound)));
    assert_eq!(stored(&world, THEO).await, None);
}

#[tokio::test]
async fn who_may_not_is_refused_and_what_is_not_theirs_is_as_if_it_did_not_exist() {
    let world = World::new().await;
    let absent = AgentId::new(Timestamp::UNIX_EPOCH, &[9; 10]);
    let foreign: AgentId = TENANTS[1].user_id(0).into();
    says(&world, THEO, to(Available)).await;
    let before = stored(&world, THEO).await;
    pass(&world, 5);
    for stranger in [viewer(&world, TARA).await, world.viewer("manager").await] {
        for id in [Some(agent(THEO)), Some(absent), Some(foreign), None] {
            let request = UpdatePresence { agent: Some(id), patch: to(Busy), reason: Some("Because".to_owned()) };
            assert!(matches!(update(&world, &stranger, request).await, Err(AppError::NotFound)), "{}", stranger.user.name);
        }
    }
    let supervisor = world.viewer("supervisor").await;
    for id in [Some(absent), Some(foreign), None] {
        let request = UpdatePresence { agent: Some(id), patch: to(Busy), reason: Some("Because".to_owned()) };
        assert!(matches!(update(&world, &supervisor, request).await, Err(AppError::NotFound)));
    }
    for reason in [None, Some(" ")] {
        let errors = update(&world, &supervisor, of(agent(THEO), to(Busy), reason)).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [("reason", FieldErrorCode::Blank)]);
    }
    let endless = "é".repeat(1_001);
    let errors = update(&world, &supervisor, of(agent(THEO), to(Busy), Some(&endless))).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("reason", FieldErrorCode::TooLong)]);
    assert_eq!(stored(&world, THEO).await, before);

    let mut stranger = viewer(&world, TARA).await;
    stranger.user = std::sync::Arc::new(User { roles: Vec::new(), ..(*stranger.user).clone() });
    assert!(matches!(update(&world, &stranger, own(to(Busy))).await, Err(AppError::Forbidden)));
    assert!(matches!(presence::heartbeat(&world.services, &stranger, &Heartbeat::default()).await, Err(AppError::Forbidden)));
    assert!(matches!(presence::available(&world.services, &stranger, None, 50).await, Err(AppError::Forbidden)));
    assert!(matches!(presence::timeline(&world.services, &stranger, agent(TARA), day(&world)).await, Err(AppError::Forbidden)));

    let one_self = viewer(&world, TARA).await;
    assert!(matches!(presence::available(&world.services, &one_self, None, 50).await, Err(AppError::Forbidden)), "OWN is not enough");
    for id in [agent(THEO), absent, foreign] {
        assert_eq!(presence::timeline(&world.services, &one_self, id, day(&world)).await.unwrap(), None);
    }
    assert!(presence::timeline(&world.services, &one_self, agent(TARA), day(&world)).await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_supervisor_changes_is_on_record_with_the_reason_and_who_did_it() {
    let world = World::new().await;
    says(&world, THEO, to(Available)).await;
    let created = items(&world, "presence").await.remove(0);
    pass(&world, 20);
    let supervisor = world.viewer("supervisor").await;
    let patch = PresencePatch { accepting_leads: Some(false), ..to(InMeeting) };
    let written = update(&world, &supervisor, of(agent(THEO), patch, Some(" Called to the office "))).await.unwrap().unwrap();
    assert_eq!((written.presence.status, written.presence.accepting_leads, written.presence.since), (InMeeting, false, world.clock.now()));
    let after = stored(&world, THEO).await.unwrap();
    let change = &after.record.last_change;
    assert_eq!((change.action.as_str(), change.reason.as_deref()), ("presence.updated", Some("Called to the office")));
    assert_eq!((&change.origin, after.record.version), (&supervisor.origin(), 2));
    assert_eq!(after.last_activity_at, world.clock.now() - SignedDuration::from_secs(20), "no sign of life");
    let changed = items(&world, "presence").await.remove(0);

    pass(&world, 10);
    beats(&world, THEO, &beat("desk", true, 3)).await;
    pass(&world, 10);
    beats(&world, THEO, &beat("desk", false, None)).await;
    let beaten = items(&world, "presence").await.remove(0);
    let technical = [items(&world, "presence_segment").await, items(&world, "presence_day").await].concat();
    assert_eq!(technical.len(), 2);
    let mut records = vec![made::inserted(&created), made::changed(&created, &changed), made::changed(&changed, &beaten)];
    records.extend(technical.iter().map(made::inserted));
    let report = made::recorder(&world).record(records).await.unwrap();
    assert_eq!(report, Report { recorded: 2, technical: 3, ..Report::default() });
}

#[tokio::test]
async fn two_devices_of_one_agent_do_not_fight_and_a_call_counts_once() {
    let world = World::new().await;
    says(&world, THEO, to(Available)).await;
    let theo = viewer(&world, THEO).await;
    let at_once = async |given: &[Heartbeat]| {
        let outcomes = join_all(given.iter().map(|given| presence::heartbeat(&world.services, &theo, given))).await;
        assert!(outcomes.into_iter().all(|outcome| outcome.unwrap().is_ok()));
    };
    pass(&world, 20);
    at_once(&[(); 16].map(|()| beat("desk", None, None))).await;
    pass(&world, 20);
    let begin: Vec<Heartbeat> = (0..16).map(|index| if index % 2 == 0 { beat("desk", true, 40) } else { beat("mobile", None, None) }).collect();
    at_once(&begin).await;
    let calling = seen(&world, THEO).await;
    assert_eq!((calling.on_call, calling.current_call_seconds, calling.status), (true, 40, Available));
    pass(&world, 20);
    let mobile = [beat("mobile", false, None), beat("mobile", None, None), beat("mobile", true, 3), Heartbeat::default()];
    at_once(&[mobile.clone(), mobile.clone(), mobile.clone(), mobile].concat()).await;
    let still = today(&world, THEO).await;
    assert_eq!((still.presence.as_ref().map(|seen| (seen.on_call, seen.current_call_seconds)), still.calls), (Some((true, 60)), 0));
    pass(&world, 20);
    let end: Vec<Heartbeat> = (0..16).map(|index| beat(if index % 2 == 0 { "desk" } else { "mobile" }, false, None)).collect();
    at_once(&end).await;
    let ended = today(&world, THEO).await;
    assert_eq!((ended.presence.map(|seen| seen.on_call), ended.calls), (Some(false), 1));
    pass(&world, 20);
    beats(&world, THEO, &beat("mobile", true, 1)).await;
    pass(&world, 20);
    let next = beats(&world, THEO, &beat("mobile", false, None)).await;
    assert_eq!((next.on_call, today(&world, THEO).await.calls, calls(&world, THEO, day(&world)).await), (false, 2, 2));
    assert_eq!(presence::calls_today(&world.services, &theo, theo.agent()).await.unwrap(), 2);
    assert_eq!(stored(&world, THEO).await.unwrap().record.version, 1, "heartbeats and calls are technical");
}

#[tokio::test]
async fn an_answer_that_is_lost_counts_nothing_twice() {
    let world = World::new().await;
    says(&world, THEO, to(Available)).await;
    for fault in [Fault::CutAfter, Fault::CutBefore] {
        pass(&world, 20);
        world.database.wire.cut_next("PutItem", fault);
        assert!(beats(&world, THEO, &beat("desk", true, 5)).await.on_call);
        pass(&world, 20);
        world.database.wire.cut_next("TransactWriteItems", fault);
        assert!(!beats(&world, THEO, &beat("desk", false, None)).await.on_call);
    }
    assert_eq!(calls(&world, THEO, day(&world)).await, 2);
    pass(&world, 20);
    world.database.wire.cut_next("TransactWriteItems", Fault::CutAfter);
    assert_eq!(says(&world, THEO, to(Busy)).await.status, Busy);
    assert_eq!((stored(&world, THEO).await.unwrap().record.version, items(&world, "presence_segment").await.len()), (2, 1));
}

#[tokio::test]
async fn of_many_who_change_a_presence_at_once_each_change_is_a_version() {
    let world = World::new().await;
    says(&world, THEO, to(Available)).await;
    pass(&world, 5);
    let (theo, supervisor) = (viewer(&world, THEO).await, world.viewer("supervisor").await);
    let requests: Vec<(&Viewer, UpdatePresence)> = (0..8)
        .map(|index| match index % 2 {
            0 => (&theo, own(on_break(&format!("Break {index}")))),
            _ => (&supervisor, of(agent(THEO), on_break(&format!("Break {index}")), Some("Because"))),
        })
        .collect();
    let outcomes = join_all(requests.into_iter().map(|(viewer, request)| update(&world, viewer, request))).await;
    let reasons: BTreeSet<String> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().presence.break_reason.unwrap()).collect();
    assert_eq!(reasons.len(), 8, "each is answered with its own");
    let after = stored(&world, THEO).await.unwrap();
    assert_eq!((after.record.version, after.status), (9, OnBreak));
    assert!(reasons.contains(&after.break_reason.unwrap()));
}

#[tokio::test]
async fn a_call_of_a_silent_device_is_over_and_is_shown_as_counted_before_it_is() {
    let world = World::new().await;
    says(&world, THEO, to(Available)).await;
    beats(&world, THEO, &beat("desk", true, 0)).await;
    stays(&world, THEO, 50).await;
    assert_eq!(today(&world, THEO).await.calls, 0);
    pass(&world, 11);
    let over = today(&world, THEO).await;
    assert_eq!((over.presence.map(|seen| (seen.on_call, seen.status)), over.calls), (Some((false, Available)), 1));
    assert_eq!((calls(&world, THEO, day(&world)).await, timeline(&world, THEO, day(&world)).await.calls), (0, 1));
    let supervisor = world.viewer("supervisor").await;
    update(&world, &supervisor, of(agent(THEO), to(Away), Some("Not at their place"))).await.unwrap().unwrap();
    assert_eq!((calls(&world, THEO, day(&world)).await, today(&world, THEO).await.calls, timeline(&world, THEO, day(&world)).await.calls), (1, 1, 1));
    pass(&world, 5);
    beats(&world, THEO, &beat("desk", false, None)).await;
    assert_eq!(today(&world, THEO).await.calls, 1, "it was over already");
}

#[tokio::test]
async fn a_call_counts_on_the_day_of_its_end_and_a_new_day_begins_with_none() {
    let world = World::new().await;
    let (_, end) = world.tenant.record.day_span(day(&world));
    let evening = day(&world);
    pass(&world, end.duration_since(world.clock.now()).as_secs() - 100);
    says(&world, THEO, to(Available)).await;
    beats(&world, THEO, &beat("desk", true, 0)).await;
    pass(&world, 50);
    beats(&world, THEO, &beat("desk", false, None)).await;
    pass(&world, 20);
    beats(&world, THEO, &beat("desk", true, 0)).await;
    pass(&world, 50);
    assert_eq!(today(&world, THEO).await.calls, 0, "it is another day");
    beats(&world, THEO, &beat("desk", false, None)).await;
    assert_eq!((calls(&world, THEO, evening).await, calls(&world, THEO, day(&world)).await), (1, 1));
    assert_eq!((timeline(&world, THEO, evening).await.calls, timeline(&world, THEO, day(&world)).await.calls), (1, 1));
}

#[tokio::test]
async fn a_clock_that_jumps_a_day_forth_and_back_spoils_neither_counts_nor_days() {
    let world = World::new().await;
    let (start, first) = (world.clock.now(), day(&world));
    says(&world, THEO, to(Available)).await;
    beats(&world, THEO, &beat("desk", true, 40)).await;
    pass(&world, 50);
    beats(&world, THEO, &beat("desk", true, 90)).await;

    pass(&world, DAY);
    let next = day(&world);
    let ahead = beats(&world, THEO, &beat("desk", true, 95)).await;
    assert_eq!((ahead.status, ahead.since), (Available, world.clock.now()), "they count as back from silence");
    assert_eq!((calls(&world, THEO, first).await, calls(&world, THEO, next).await), (1, 0), "the call ended when it was last told of");
    pass(&world, 30);
    says(&world, THEO, to(Busy)).await;

    pass(&world, 10 - DAY);
    assert_eq!(seen(&world, THEO).await.status, Offline, "what a wrong clock told proves nothing");
    let right = beats(&world, THEO, &beat("desk", None, None)).await;
    assert_eq!((right.status, right.since, right.on_call), (Busy, world.clock.now(), false));
    assert_eq!((calls(&world, THEO, first).await, calls(&world, THEO, next).await), (2, 0), "no call is counted on a day that hasn't come");
    stays(&world, THEO, 100).await;
    says(&world, THEO, to(Available)).await;
    stays(&world, THEO, 100).await;

    let told_first = told(&timeline(&world, THEO, first).await, start);
    assert_eq!(told_first, [(Available, 0, 90), (Busy, 90, 190), (Available, 190, 290)]);
    assert!(timeline(&world, THEO, next).await.segments.is_empty(), "it hasn't come");

    // When it has come, what was written ahead of it is passed over.
    pass(&world, DAY - 290);
    beats(&world, THEO, &Heartbeat::default()).await;
    pass(&world, 50);
    beats(&world, THEO, &Heartbeat::default()).await;
    let (begin, _) = world.tenant.record.day_span(next);
    let midnight = begin.duration_since(start).as_secs();
    assert_eq!(told(&timeline(&world, THEO, next).await, start), [(Offline, midnight, DAY), (Available, DAY, DAY + 50)]);
    for (day, length) in [(first, midnight), (next, DAY + 50 - midnight)] {
        let total: u32 = timeline(&world, THEO, day).await.totals.iter().map(|(_, seconds)| seconds).sum();
        assert_eq!(i64::from(total), length);
    }
}

#[tokio::test]
async fn a_clock_a_little_behind_does_not_turn_time_back() {
    let world = World::new().await;
    says(&world, THEO, to(Available)).await;
    pass(&world, 30);
    let busy = says(&world, THEO, to(Busy)).await;
    pass(&world, -5);
    let behind = says(&world, THEO, to(Available)).await;
    assert_eq!((behind.status, behind.since, behind.last_activity_at), (Available, busy.since, busy.last_activity_at));
    pass(&world, 25);
    let told = told(&timeline(&world, THEO, day(&world)).await, busy.since - SignedDuration::from_secs(30));
    assert_eq!(told, [(Available, 0, 50)]);
}

#[tokio::test]
async fn the_longest_idle_come_first_and_who_is_silent_or_takes_no_leads_is_left_out() {
    let world = World::new().await;
    let admin = world.viewer("admin").await;
    for index in [TARA, AGNES, THEO, TARIQ] {
        says(&world, index, to(Available)).await;
        pass(&world, 5);
    }
    let [theo, tara, tariq, agnes] = [THEO, TARA, TARIQ, AGNES].map(agent);
    assert_eq!(available(&world, &admin, None, 50).await, [tara, agnes, theo, tariq]);
    assert_eq!(available(&world, &admin, None, 2).await, [tara, agnes]);
    assert_eq!(available(&world, &admin, Some(world.team_id("Est")), 50).await, [tara, agnes, theo]);
    assert_eq!(available(&world, &admin, Some(world.team_id("West")), 50).await, [tariq]);
    says(&world, AGNES, leads(false)).await;
    says(&world, TARA, on_break("Lunch")).await;
    assert_eq!(available(&world, &admin, None, 50).await, [theo, tariq]);
    pass(&world, 5);
    says(&world, TARA, to(Available)).await;
    says(&world, AGNES, leads(true)).await;
    assert_eq!(available(&world, &admin, None, 50).await, [agnes, theo, tariq, tara], "idle since the break, and leads don't matter for that");
    pass(&world, 50);
    for index in [TARIQ, TARA] {
        beats(&world, index, &Heartbeat::default()).await;
    }
    pass(&world, 30);
    assert_eq!(available(&world, &admin, None, 50).await, [tariq, tara], "the others are silent");
    beats(&world, THEO, &Heartbeat::default()).await;
    assert_eq!(available(&world, &admin, None, 50).await, [tariq, tara, theo], "idle since they came back");
    pass(&world, -DAY);
    assert!(available(&world, &admin, None, 50).await.is_empty(), "heartbeats from the future prove nothing");
}

#[tokio::test]
async fn in_the_scope_of_ones_teams_these_are_the_agents_there_are() {
    let world = World::new().await;
    for index in [SOFIA, THEO, TARA, TARIQ] {
        says(&world, index, to(Available)).await;
        pass(&world, 1);
    }
    let read = |permission| Grant { permission, scope: Scope::Team };
    let grants = vec![read(Permission::PresenceRead), read(Permission::PresenceUpdate), read(Permission::PresenceReadTimeline)];
    let leader = granted(&world, THEO, grants).await;
    let [sofia, theo, tara, tariq] = [SOFIA, THEO, TARA, TARIQ].map(agent);
    assert_eq!(available(&world, &leader, None, 50).await, [sofia, theo, tara]);
    assert_eq!(available(&world, &leader, Some(world.team_id("Est")), 50).await, [sofia, theo, tara]);
    let absent = TeamId::new(Timestamp::UNIX_EPOCH, &[9; 10]);
    for team in [Some(world.team_id("West")), Some(absent), None] {
        assert!(presence::available(&world.services, &leader, Some(team), 50).await.unwrap().is_empty(), "a team of others is like none");
    }
    update(&world, &leader, of(tara, to(Busy), Some("On the phone"))).await.unwrap().unwrap();
    assert_eq!(seen(&world, TARA).await.status, Busy);
    assert!(matches!(update(&world, &leader, of(tariq, to(Busy), Some("On the phone"))).await, Err(AppError::NotFound)));
    assert!(presence::timeline(&world.services, &leader, tara, day(&world)).await.unwrap().is_some());
    assert_eq!(presence::timeline(&world.services, &leader, tariq, day(&world)).await.unwrap(), None);
}

#[tokio::test]
async fn a_deleted_agent_is_in_no_list_and_others_are_read_in_their_place() {
    let world = World::new().await;
    for index in [THEO, TARA, AGNES, TARIQ] {
        says(&world, index, to(Available)).await;
        pass(&world, 1);
    }
    deleted(&world, THEO).await;
    deleted(&world, AGNES).await;
    let supervisor = world.viewer("supervisor").await;
    world.database.meter.reset();
    assert_eq!(available(&world, &supervisor, None, 2).await, [TARA, TARIQ].map(agent));
    assert!(world.database.meter.usage().total_requests() <= 4);
    assert_eq!(available(&world, &supervisor, None, 50).await, [TARA, TARIQ].map(agent));
    assert!(stored(&world, THEO).await.is_some(), "the presence stays");
    assert!(matches!(update(&world, &supervisor, of(agent(THEO), to(Busy), Some("Because"))).await, Err(AppError::NotFound)));
    let kept = timeline(&world, THEO, day(&world)).await;
    assert!(kept.agent.deleted_at.is_some() && kept.segments.len() == 1, "and so does what they did");
}

#[tokio::test]
async fn a_day_is_told_up_to_now_in_times_that_add_up() {
    let world = World::new().await;
    let (start, first) = (world.clock.now(), day(&world));
    says(&world, THEO, to(Available)).await;
    stays(&world, THEO, 600).await;
    says(&world, THEO, on_break("Lunch")).await;
    stays(&world, THEO, 300).await;
    says(&world, THEO, to(Busy)).await;
    let now = timeline(&world, THEO, first).await;
    assert_eq!(told(&now, start), [(Available, 0, 600), (OnBreak, 600, 900)]);
    assert_eq!(now.segments[1].break_reason.as_deref(), Some("Lunch"));
    pass(&world, 3_600);
    let silent = timeline(&world, THEO, first).await;
    assert_eq!(told(&silent, start)[2..], [(Busy, 900, 960), (Offline, 960, 4_500)]);
    assert_eq!(silent.totals, [(Available, 600), (Busy, 60), (OnBreak, 300), (Offline, 3_540)]);
    assert_eq!((silent.date, silent.agent.id), (first, agent(THEO)));

    // Into the next day without a word, and back.
    pass(&world, DAY - 4_500);
    beats(&world, THEO, &Heartbeat::default()).await;
    pass(&world, 30);
    let (_, end) = world.tenant.record.day_span(first);
    let midnight = end.duration_since(start).as_secs();
    assert_eq!(told(&timeline(&world, THEO, first).await, start)[2..], [(Busy, 900, 960), (Offline, 960, midnight)]);
    let second = timeline(&world, THEO, day(&world)).await;
    assert_eq!(told(&second, start), [(Offline, midnight, DAY), (Busy, DAY, DAY + 30)]);
    assert_eq!(second.totals.iter().map(|(_, seconds)| i64::from(*seconds)).sum::<i64>(), DAY + 30 - midnight);

    for other in [first.yesterday().unwrap(), day(&world).tomorrow().unwrap(), jiff::civil::date(1900, 1, 1), jiff::civil::date(9_999, 12, 31)] {
        let empty = timeline(&world, THEO, other).await;
        assert_eq!((empty.segments.len(), empty.totals.len(), empty.calls), (0, 0, 0), "{other}");
    }
}

#[tokio::test]
async fn a_restless_day_is_told_whole() {
    let world = World::new().await;
    let start = world.clock.now();
    let changes = 260;
    for index in 0..changes {
        says(&world, THEO, to(if index % 2 == 0 { Available } else { Busy })).await;
        pass(&world, 2);
    }
    let timeline = timeline(&world, THEO, day(&world)).await;
    assert_eq!(timeline.segments.len(), usize::try_from(changes).unwrap());
    assert_eq!(told(&timeline, start).last(), Some(&(Busy, 2 * changes - 2, 2 * changes)));
    assert_eq!(timeline.totals, [(Available, 260), (Busy, 260)]);
}

#[tokio::test]
async fn it_costs_the_same_few_requests_however_many_are_there() {
    let world = World::new().await;
    let (theo, admin) = (viewer(&world, THEO).await, world.viewer("admin").await);
    for index in [THEO, TARA, TARIQ, AGNES] {
        says(&world, index, to(Available)).await;
    }
    pass(&world, 20);
    let meter = &world.database.meter;
    meter.reset();
    presence::heartbeat(&world.services, &theo, &beat("desk", None, None)).await.unwrap().unwrap();
    let usage = meter.usage();
    assert_eq!((usage.total_requests(), usage.read_units), (2, 1.0));
    assert!(usage.total_write_units() <= 2.0, "{usage:?}");
    meter.reset();
    presence::heartbeat(&world.services, &theo, &beat("mobile", None, None)).await.unwrap().unwrap();
    assert_eq!((meter.usage().total_requests(), meter.usage().total_write_units()), (1, 0.0), "they were heard of a moment ago");
    for (team, requests) in [(None, 2), (Some(world.team_id("Est")), 3)] {
        meter.reset();
        available(&world, &admin, team, 50).await;
        assert_eq!(meter.usage().total_requests(), requests);
    }
    meter.reset();
    presence::today(&world.services, &admin, &[THEO, TARA, TARIQ, AGNES, THEO].map(agent)).await.unwrap();
    assert_eq!(meter.usage().total_requests(), 1);
    let tomorrow = day(&world).tomorrow().unwrap();
    for (day, requests) in [(day(&world), 3), (tomorrow, 1)] {
        meter.reset();
        presence::timeline(&world.services, &admin, agent(THEO), day).await.unwrap();
        assert_eq!(meter.usage().total_requests(), requests);
    }
}
