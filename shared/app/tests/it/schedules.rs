//! Schedules: changed by their agents and by who looks after them, read, and searched for what is free.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use switchboard_app::audit::Report;
use switchboard_app::schedules::{self, AddException, AddWindow, AgentSchedule, FreeSlot, FreeSlots, RemoveException, RemoveWindow, UpdateWindow};
use switchboard_app::tenant_settings::{self, UpdateTenant};
use switchboard_app::{AppError, GivenId, UserError, Viewer};
use switchboard_domain::audit::{Changes, Place};
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, ScheduleExceptionId, ScheduleWindowId, TeamId};
use switchboard_domain::person::{Agent, AgentTeam, MembershipRole};
use switchboard_domain::schedule::{ExceptionInput, ExceptionKind, MAX_WINDOWS, Recurrence, TimeRange, Weekday, Window, WindowInput, WindowPatch};
use switchboard_domain::team::Membership;
use switchboard_domain::tenant_settings::TenantPatch;
use switchboard_store::item::{Item, text};
use switchboard_store::{keys, people};
use switchboard_testkit::{Fault, World};

use crate::made;

/// A Monday after the world's beginning; in Toronto it is five hours behind UTC.
const MONDAY: Date = date(2026, 11, 23);

/// Monday morning in Toronto, once.
fn morning() -> WindowInput {
    WindowInput {
        date: MONDAY,
        start_time: "09:00".to_owned(),
        end_time: "12:00".to_owned(),
        ends_next_day: false,
        recurrence: Recurrence::Once,
        weekdays: Vec::new(),
        until: None,
    }
}

fn every_day(start: &str, end: &str) -> WindowInput {
    WindowInput { recurrence: Recurrence::Daily, start_time: start.to_owned(), end_time: end.to_owned(), ..morning() }
}

fn holiday() -> ExceptionInput {
    ExceptionInput { date: MONDAY, until_date: None, start_time: None, end_time: None, kind: ExceptionKind::Holiday, note: None }
}

/// A window of the viewer's own.
fn own(input: WindowInput) -> AddWindow {
    AddWindow { agent: None, input, expected_version: None, idempotency_key: None }
}

fn of(agent: AgentId, input: WindowInput) -> AddWindow {
    AddWindow { agent: Some(Some(agent)), ..own(input) }
}

fn own_exception(input: ExceptionInput) -> AddException {
    AddException { agent: None, input, expected_version: None, idempotency_key: None }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn range(from: &str, to: &str) -> TimeRange {
    TimeRange { from: at(from), to: at(to) }
}

/// From one midnight of UTC to another.
fn days(from: &str, to: &str) -> TimeRange {
    range(&format!("{from}T00:00:00Z"), &format!("{to}T00:00:00Z"))
}

fn agent_id(world: &World, role: &str) -> AgentId {
    world.user_id(role).into()
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

async fn added(world: &World, agent: AgentId, input: WindowInput) -> Window {
    schedules::add_window(&world.services, &world.viewer("admin").await, of(agent, input)).await.unwrap().unwrap().entry.unwrap()
}

async fn read(world: &World, agent: AgentId, within: TimeRange) -> AgentSchedule {
    schedules::of_agent(&world.services, &world.viewer("admin").await, agent, within).await.unwrap().unwrap()
}

/// How many windows and exceptions an agent's schedule has, and its version.
async fn extent(world: &World, agent: AgentId) -> (usize, usize, u32) {
    let schedule = read(world, agent, days("2026-11-23", "2026-11-24")).await.schedule;
    schedule.map_or((0, 0, 0), |schedule| (schedule.windows.len(), schedule.exceptions.len(), schedule.record.version))
}

fn slots(agent: Option<GivenId<AgentId>>, team: Option<GivenId<TeamId>>, within: TimeRange) -> FreeSlots {
    FreeSlots { agent, team, within, duration_minutes: 60, buffer_minutes: Some(0), first: 100 }
}

async fn found(world: &World, viewer: &Viewer, request: FreeSlots) -> Vec<FreeSlot> {
    schedules::free_slots(&world.services, viewer, request).await.unwrap()
}

async fn free(world: &World, request: FreeSlots) -> Vec<TimeRange> {
    found(world, &world.viewer("admin").await, request).await.into_iter().map(|slot| slot.time).collect()
}

/// Writes an agent as it is to be, as if somebody had changed it.
async fn rewritten(world: &World, id: AgentId, change: impl FnOnce(&mut Agent)) {
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    let mut agent = people::agent(core, scope, id).await.unwrap().unwrap();
    let revision = agent.record.revision;
    change(&mut agent);
    agent.record = agent.record.changed(Change::new("agent.updated", world.services.clock.now(), Origin::system()));
    assert!(core.commit(scope, vec![people::replace_agent(scope, &agent, revision).unwrap()]).await.unwrap());
}

/// Takes an agent out of the staff directory.
async fn deleted(world: &World, id: AgentId) {
    let now = world.services.clock.now();
    rewritten(world, id, |agent| agent.deleted_at = Some(now)).await;
}

async fn items(world: &World) -> Vec<Item> {
    made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("schedule")).collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_window_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let viewer = world.viewer("agent").await;
    let time = |start: &str, end: &str| WindowInput { start_time: start.to_owned(), end_time: end.to_owned(), ..morning() };
    let next_day = |start: &str, end: &str| WindowInput { ends_next_day: true, ..time(start, end) };
    let weekly = |weekdays: Vec<Weekday>| WindowInput { recurrence: Recurrence::Weekly, weekdays, ..morning() };
    for (input, field, code) in [
        (time("12:00", "09:00"), "endTime", FieldErrorCode::Invalid),
        (time("09:00", "09:00"), "endTime", FieldErrorCode::Invalid),
        (time("09:00", "24:01"), "endTime", FieldErrorCode::Invalid),
        (next_day("09:00", "09:01"), "endTime", FieldErrorCode::Invalid),
        (time("24:00", "24:00"), "startTime", FieldErrorCode::Invalid),
        (time("9 am", "12:00"), "startTime", FieldErrorCode::Invalid),
        (time(" ", "12:00"), "startTime", FieldErrorCode::Blank),
        (weekly(Vec::new()), "weekdays", FieldErrorCode::Blank),
        (WindowInput { weekdays: vec![Weekday::Monday], ..morning() }, "weekdays", FieldErrorCode::Invalid),
        (WindowInput { until: Some(MONDAY), ..morning() }, "until", FieldErrorCode::Invalid),
        (WindowInput { until: MONDAY.yesterday().ok(), ..every_day("09:00", "12:00") }, "until", FieldErrorCode::Invalid),
    ] {
        let errors = schedules::add_window(&world.services, &viewer, own(input.clone())).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [(field, code)], "{input:?}");
    }
    let everything = WindowInput { until: Some(MONDAY), weekdays: vec![Weekday::Monday], ..time("", "noon") };
    let errors = schedules::add_window(&world.services, &viewer, own(everything)).await.unwrap().unwrap_err();
    assert_eq!(errors.iter().map(|error| error.error.field.as_str()).collect::<Vec<_>>(), ["startTime", "endTime", "weekdays", "until"]);
    assert!(items(&world).await.is_empty());
    assert!(schedules::add_window(&world.services, &viewer, own(next_day("22:00", "02:00"))).await.unwrap().is_ok());
}

#[tokio::test]
async fn what_is_wrong_with_an_exception_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let viewer = world.viewer("agent").await;
    let time = |start: Option<&str>, end: Option<&str>| ExceptionInput { start_time: start.map(str::to_owned), end_time: end.map(str::to_owned), ..holiday() };
    for (input, field, code) in [
        (ExceptionInput { until_date: MONDAY.yesterday().ok(), ..holiday() }, "untilDate", FieldErrorCode::Invalid),
        (time(Some("12:00"), Some("09:00")), "endTime", FieldErrorCode::Invalid),
        (time(None, Some("00:00")), "endTime", FieldErrorCode::Invalid),
        (time(Some("25:00"), None), "startTime", FieldErrorCode::Invalid),
        (ExceptionInput { note: Some("é".repeat(256)), ..holiday() }, "note", FieldErrorCode::TooLong),
        (ExceptionInput { note: Some("a\u{0}b".to_owned()), ..holiday() }, "note", FieldErrorCode::Invalid),
    ] {
        let errors = schedules::add_exception(&world.services, &viewer, own_exception(input.clone())).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [(field, code)], "{input:?}");
    }
    assert!(items(&world).await.is_empty());
}

#[tokio::test]
async fn another_version_than_the_one_that_was_read_is_stale_and_nothing_is_written() {
    let world = World::new().await;
    let viewer = world.viewer("agent").await;
    let services = &world.services;
    let stale = [("expectedVersion", FieldErrorCode::Stale)];
    let expecting = |version| AddWindow { expected_version: Some(version), ..own(morning()) };
    assert_eq!(codes(&schedules::add_window(services, &viewer, expecting(1)).await.unwrap().unwrap_err()), stale);
    assert!(items(&world).await.is_empty());
    let first = schedules::add_window(services, &viewer, expecting(0)).await.unwrap().unwrap();
    let window = first.entry.unwrap().id;
    assert_eq!((first.version, first.agent.id), (1, viewer.agent()));
    let before = items(&world).await;
    for version in [0, 2, -1] {
        let expected_version = Some(version);
        assert_eq!(codes(&schedules::add_window(services, &viewer, expecting(version)).await.unwrap().unwrap_err()), stale);
        let update = UpdateWindow { window: Some(window), expected_version, ..UpdateWindow::default() };
        assert_eq!(codes(&schedules::update_window(services, &viewer, update).await.unwrap().unwrap_err()), stale);
        let removal = RemoveWindow { window: Some(window), expected_version, ..RemoveWindow::default() };
        assert_eq!(codes(&schedules::remove_window(services, &viewer, removal).await.unwrap().unwrap_err()), stale);
        let exception = AddException { expected_version, ..own_exception(holiday()) };
        assert_eq!(codes(&schedules::add_exception(services, &viewer, exception).await.unwrap().unwrap_err()), stale);
        let removal = RemoveException { expected_version, ..RemoveException::default() };
        assert_eq!(codes(&schedules::remove_exception(services, &viewer, removal).await.unwrap().unwrap_err()), stale);
    }
    assert_eq!(items(&world).await, before);
}

#[tokio::test]
async fn of_changes_at_the_same_moment_none_is_lost_unless_they_say_what_they_expect() {
    let world = World::new().await;
    let viewer = world.viewer("agent").await;
    let outcomes = join_all((0..6).map(|_| schedules::add_window(&world.services, &viewer, own(morning())))).await;
    let ids: BTreeSet<ScheduleWindowId> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().entry.unwrap().id).collect();
    let exceptions = join_all((0..4).map(|_| schedules::add_exception(&world.services, &viewer, own_exception(holiday())))).await;
    assert!(exceptions.into_iter().all(|outcome| outcome.unwrap().is_ok()));
    assert_eq!((ids.len(), extent(&world, viewer.agent()).await), (6, (6, 4, 10)));
    let expecting = || AddWindow { expected_version: Some(10), ..own(morning()) };
    let outcomes = join_all((0..4).map(|_| schedules::add_window(&world.services, &viewer, expecting()))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len(), extent(&world, viewer.agent()).await), (1, 3, (7, 4, 11)));
    for errors in lost {
        assert_eq!(codes(&errors.unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
    }
}

#[tokio::test]
async fn a_schedule_has_at_most_50_windows() {
    let world = World::new().await;
    let viewer = world.viewer("agent").await;
    let mut last = None;
    for _ in 0..MAX_WINDOWS {
        last = schedules::add_window(&world.services, &viewer, own(morning())).await.unwrap().unwrap().entry;
    }
    let errors = schedules::add_window(&world.services, &viewer, own(morning())).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("date", FieldErrorCode::LimitExceeded)]);
    let removal = RemoveWindow { window: last.map(|window| window.id), ..RemoveWindow::default() };
    assert_eq!(schedules::remove_window(&world.services, &viewer, removal).await.unwrap().unwrap().version, 51);
    assert!(schedules::add_window(&world.services, &viewer, own(morning())).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_field_agent_keeps_their_own_schedule_and_a_supervisor_everybodys() {
    let world = World::new().await;
    let (agent, telephonist) = (agent_id(&world, "agent"), agent_id(&world, "telephonist"));
    let field_agent = world.viewer("agent").await;
    for request in [own(morning()), of(agent, morning())] {
        assert_eq!(schedules::add_window(&world.services, &field_agent, request).await.unwrap().unwrap().agent.id, agent);
    }
    let nobody = AgentId::new(Timestamp::UNIX_EPOCH, &[9; 10]);
    for given in [Some(telephonist), Some(nobody), None] {
        let request = AddWindow { agent: Some(given), ..own(morning()) };
        assert!(matches!(schedules::add_window(&world.services, &field_agent, request).await, Err(AppError::NotFound)), "{given:?}");
        let request = AddException { agent: Some(given), ..own_exception(holiday()) };
        assert!(matches!(schedules::add_exception(&world.services, &field_agent, request).await, Err(AppError::NotFound)), "{given:?}");
        let request = UpdateWindow { agent: Some(given), ..UpdateWindow::default() };
        assert!(matches!(schedules::update_window(&world.services, &field_agent, request).await, Err(AppError::NotFound)), "{given:?}");
        let request = RemoveWindow { agent: Some(given), ..RemoveWindow::default() };
        assert!(matches!(schedules::remove_window(&world.services, &field_agent, request).await, Err(AppError::NotFound)), "{given:?}");
        let request = RemoveException { agent: Some(given), ..RemoveException::default() };
        assert!(matches!(schedules::remove_exception(&world.services, &field_agent, request).await, Err(AppError::NotFound)), "{given:?}");
    }
    for role in ["manager", "telephonist"] {
        let viewer = world.viewer(role).await;
        assert!(matches!(schedules::add_window(&world.services, &viewer, own(morning())).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(schedules::remove_window(&world.services, &viewer, RemoveWindow::default()).await, Err(AppError::Forbidden)), "{role}");
    }
    let supervisor = world.viewer("supervisor").await;
    assert_eq!(schedules::add_window(&world.services, &supervisor, of(telephonist, morning())).await.unwrap().unwrap().version, 1);
    let within = days("2026-11-23", "2026-11-24");
    let own_schedule = schedules::of_agent(&world.services, &field_agent, agent, within).await.unwrap().unwrap();
    assert_eq!((own_schedule.time_zone.as_str(), own_schedule.schedule.unwrap().windows.len()), ("America/Toronto", 2));
    for id in [telephonist, nobody] {
        assert_eq!(schedules::of_agent(&world.services, &field_agent, id, within).await.unwrap(), None);
        assert!(found(&world, &field_agent, slots(Some(Some(id)), None, within)).await.is_empty());
    }
    let booking = world.viewer("telephonist").await;
    assert_eq!(schedules::of_agent(&world.services, &booking, agent, within).await.unwrap().unwrap().agent.id, agent, "they book field agents");
    assert!(!found(&world, &booking, slots(Some(Some(agent)), None, within)).await.is_empty());
}

#[tokio::test]
async fn who_is_not_in_the_staff_directory_has_no_schedule_of_their_own() {
    let world = World::new().await;
    let key = keys::agent(&world.tenant.scope, agent_id(&world, "supervisor"));
    let (pk, sk) = (AttributeValue::S(key.pk), AttributeValue::S(key.sk));
    world.database.client.delete_item().table_name("core").key("PK", pk).key("SK", sk).send().await.unwrap();
    let viewer = world.viewer("supervisor").await;
    let errors = schedules::add_window(&world.services, &viewer, own(morning())).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("agentId", FieldErrorCode::NotFound)]);
    assert!(schedules::add_window(&world.services, &viewer, of(agent_id(&world, "agent"), morning())).await.unwrap().is_ok());
}

#[tokio::test]
async fn who_was_deleted_keeps_what_was_and_can_not_be_booked_or_changed() {
    let world = World::new().await;
    let agent = agent_id(&world, "agent");
    added(&world, agent, morning()).await;
    let within = days("2026-11-23", "2026-11-24");
    assert_eq!(free(&world, slots(Some(Some(agent)), None, within)).await.len(), 3);
    deleted(&world, agent).await;
    let schedule = read(&world, agent, within).await;
    assert_eq!((schedule.schedule.unwrap().windows.len(), schedule.availability), (1, Vec::new()));
    assert!(free(&world, slots(Some(Some(agent)), None, within)).await.is_empty());
    assert!(free(&world, slots(None, Some(Some(world.team_id("Est"))), within)).await.is_empty());
    let admin = world.viewer("admin").await;
    assert!(matches!(schedules::add_window(&world.services, &admin, of(agent, morning())).await, Err(AppError::NotFound)));
}

#[tokio::test]
async fn a_window_is_changed_by_what_is_given_and_nothing_given_writes_nothing() {
    let world = World::new().await;
    let viewer = world.viewer("agent").await;
    let window = added(&world, viewer.agent(), WindowInput { recurrence: Recurrence::Weekly, weekdays: vec![Weekday::Monday], ..morning() }).await;
    let update = |patch| UpdateWindow { window: Some(window.id), patch, ..UpdateWindow::default() };
    let longer = WindowPatch { end_time: Some(Some("13:00".to_owned())), ..WindowPatch::default() };
    let changed = schedules::update_window(&world.services, &viewer, update(longer.clone())).await.unwrap().unwrap();
    assert_eq!((changed.version, &changed.entry), (2, &Window { end: 780, ..window.clone() }));
    let before = items(&world).await;
    let same = schedules::update_window(&world.services, &viewer, update(longer)).await.unwrap().unwrap();
    assert_eq!((same.version, same.entry, items(&world).await), (2, changed.entry, before.clone()));
    for (patch, field, code) in [
        (WindowPatch { date: Some(None), ..WindowPatch::default() }, "date", FieldErrorCode::Blank),
        (WindowPatch { end_time: Some(Some("08:00".to_owned())), ..WindowPatch::default() }, "endTime", FieldErrorCode::Invalid),
        (WindowPatch { weekdays: Some(None), ..WindowPatch::default() }, "weekdays", FieldErrorCode::Blank),
        (WindowPatch { until: Some(MONDAY.yesterday().ok()), ..WindowPatch::default() }, "until", FieldErrorCode::Invalid),
    ] {
        let errors = schedules::update_window(&world.services, &viewer, update(patch)).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [(field, code)]);
    }
    for unknown in [None, Some(ScheduleWindowId::new(Timestamp::UNIX_EPOCH, &[9; 10]))] {
        let not_found = [("windowId", FieldErrorCode::NotFound)];
        let request = UpdateWindow { window: unknown, ..UpdateWindow::default() };
        assert_eq!(codes(&schedules::update_window(&world.services, &viewer, request).await.unwrap().unwrap_err()), not_found);
        let request = RemoveWindow { window: unknown, ..RemoveWindow::default() };
        assert_eq!(codes(&schedules::remove_window(&world.services, &viewer, request).await.unwrap().unwrap_err()), not_found);
    }
    for unknown in [None, Some(ScheduleExceptionId::new(Timestamp::UNIX_EPOCH, &[9; 10]))] {
        let request = RemoveException { exception: unknown, ..RemoveException::default() };
        let errors = schedules::remove_exception(&world.services, &viewer, request).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [("exceptionId", FieldErrorCode::NotFound)]);
    }
    assert_eq!(items(&world).await, before);
}

#[tokio::test]
async fn a_schedule_comes_to_its_windows_less_its_exceptions_in_the_zone_of_the_agent() {
    let world = World::new().await;
    let viewer = world.viewer("agent").await;
    let agent = viewer.agent();
    let within = days("2026-11-22", "2026-11-26");
    let empty = read(&world, agent, within).await;
    assert_eq!((empty.schedule, empty.availability), (None, Vec::new()));
    added(&world, agent, every_day("09:00", "12:00")).await;
    added(&world, agent, WindowInput { start_time: "11:00".to_owned(), end_time: "15:00".to_owned(), ..morning() }).await;
    let tuesday = ExceptionInput { date: date(2026, 11, 24), ..holiday() };
    let exception = schedules::add_exception(&world.services, &viewer, own_exception(tuesday)).await.unwrap().unwrap();
    let monday = range("2026-11-23T14:00:00Z", "2026-11-23T20:00:00Z");
    let wednesday = range("2026-11-25T14:00:00Z", "2026-11-25T17:00:00Z");
    assert_eq!(read(&world, agent, within).await.availability, [monday, wednesday]);
    rewritten(&world, agent, |agent| agent.time_zone = Some("Asia/Kolkata".to_owned())).await;
    let elsewhere = read(&world, agent, within).await;
    assert_eq!(elsewhere.time_zone, "Asia/Kolkata");
    assert_eq!(elsewhere.availability, [range("2026-11-23T03:30:00Z", "2026-11-23T09:30:00Z"), range("2026-11-25T03:30:00Z", "2026-11-25T06:30:00Z")]);
    rewritten(&world, agent, |agent| agent.time_zone = None).await;
    let removal = RemoveException { exception: exception.entry.map(|exception| exception.id), ..RemoveException::default() };
    assert_eq!(schedules::remove_exception(&world.services, &viewer, removal).await.unwrap().unwrap().version, 4);
    assert_eq!(read(&world, agent, within).await.availability.len(), 3);
}

#[tokio::test]
async fn a_time_is_asked_for_that_has_a_length_of_at_most_92_days() {
    let world = World::new().await;
    let (viewer, agent) = (world.viewer("agent").await, agent_id(&world, "agent"));
    for within in [days("2026-11-23", "2026-11-23"), days("2026-11-24", "2026-11-23"), days("2026-11-01", "2027-02-02")] {
        assert!(matches!(schedules::of_agent(&world.services, &viewer, agent, within).await, Err(AppError::Asked(_))), "{within:?}");
    }
    // From the first of October to the first of January in Toronto, an hour more than 92 times 24.
    let quarter = range("2026-10-01T04:00:00Z", "2027-01-01T05:00:00Z");
    assert!(schedules::of_agent(&world.services, &viewer, agent, quarter).await.unwrap().is_some());
}

#[tokio::test]
async fn free_slots_need_one_agent_or_one_team_and_numbers_within_their_bounds() {
    let world = World::new().await;
    let viewer = world.viewer("telephonist").await;
    let (agent, team) = (Some(Some(agent_id(&world, "agent"))), Some(Some(world.team_id("Est"))));
    let good = slots(agent, None, days("2026-11-23", "2026-11-24"));
    for wrong in [
        slots(None, None, good.within),
        slots(agent, team, good.within),
        FreeSlots { duration_minutes: 4, ..good },
        FreeSlots { duration_minutes: 1_441, ..good },
        FreeSlots { duration_minutes: -60, ..good },
        FreeSlots { buffer_minutes: Some(-1), ..good },
        FreeSlots { buffer_minutes: Some(481), ..good },
        FreeSlots { within: days("2026-11-23", "2026-12-25"), ..good },
        FreeSlots { within: days("2026-11-23", "2026-11-23"), ..good },
    ] {
        assert!(matches!(schedules::free_slots(&world.services, &viewer, wrong).await, Err(AppError::Asked(_))), "{wrong:?}");
    }
    for nothing in
        [slots(Some(None), None, good.within), slots(None, Some(None), good.within), slots(None, Some(Some(TeamId::new(Timestamp::UNIX_EPOCH, &[9; 10]))), good.within)]
    {
        assert!(found(&world, &viewer, nothing).await.is_empty());
    }
}

#[tokio::test]
async fn slots_keep_the_tenants_buffer_unless_told_otherwise_and_none_begins_in_the_past() {
    let world = World::new().await;
    let agent = agent_id(&world, "agent");
    added(&world, agent, morning()).await;
    let request = FreeSlots { buffer_minutes: None, ..slots(Some(Some(agent)), None, days("2026-11-23", "2026-11-24")) };
    let slot = |start: &str, end: &str| range(&format!("2026-11-23T{start}:00Z"), &format!("2026-11-23T{end}:00Z"));
    assert_eq!(free(&world, request).await, [slot("14:00", "15:00"), slot("15:30", "16:30")], "half an hour between them");
    let close = [slot("14:00", "15:00"), slot("15:00", "16:00"), slot("16:00", "17:00")];
    assert_eq!(free(&world, FreeSlots { buffer_minutes: Some(0), ..request }).await, close);
    assert_eq!(free(&world, FreeSlots { buffer_minutes: Some(0), first: 2, ..request }).await, close[..2]);
    for (from, to, expected) in [("14:20", "16:30", vec![slot("15:30", "16:30")]), ("14:20", "16:29", Vec::new()), ("14:00", "16:29", vec![slot("14:00", "15:00")])] {
        let within = range(&format!("2026-11-23T{from}:00Z"), &format!("2026-11-23T{to}:00Z"));
        assert_eq!(free(&world, FreeSlots { within, ..request }).await, expected, "where they lie anyway, wholly within the time asked for");
    }

    let mut admin = world.viewer("admin").await;
    let patch = TenantPatch { booking_buffer_minutes: Some(Some(60)), ..TenantPatch::default() };
    tenant_settings::update(&world.services, &admin, UpdateTenant { expected_version: 1, patch }).await.unwrap().unwrap();
    admin.tenant = world.services.tenants.open(world.tenant.record.id).await.unwrap().unwrap();
    let times: Vec<TimeRange> = found(&world, &admin, request).await.into_iter().map(|slot| slot.time).collect();
    assert_eq!(times, [slot("14:00", "15:00"), slot("16:00", "17:00")]);

    world.clock.advance(at("2026-11-23T14:30:00Z").duration_since(world.services.clock.now()));
    assert_eq!(free(&world, FreeSlots { buffer_minutes: Some(0), ..request }).await, close[1..]);
    world.clock.advance(SignedDuration::from_hours(24));
    assert!(free(&world, request).await.is_empty());
}

#[tokio::test]
async fn the_days_on_which_clocks_change_have_23_and_25_hours_to_book() {
    let world = World::new().await;
    let agent = agent_id(&world, "agent");
    added(&world, agent, every_day("00:00", "24:00")).await;
    for (from, to, hours) in [
        ("2027-03-13T05:00:00Z", "2027-03-14T05:00:00Z", 24),
        ("2027-03-14T05:00:00Z", "2027-03-15T04:00:00Z", 23),
        ("2027-11-06T04:00:00Z", "2027-11-07T04:00:00Z", 24),
        ("2027-11-07T04:00:00Z", "2027-11-08T05:00:00Z", 25),
    ] {
        assert_eq!(free(&world, slots(Some(Some(agent)), None, range(from, to))).await.len(), hours, "{from}");
    }
    let other = agent_id(&world, "telephonist");
    added(&world, other, every_day("00:30", "03:30")).await;
    let changes = [("2027-03-14", range("2027-03-14T05:30:00Z", "2027-03-14T07:30:00Z")), ("2027-11-07", range("2027-11-07T04:30:00Z", "2027-11-07T08:30:00Z"))];
    for (day, expected) in changes {
        let within = range(&format!("{day}T00:00:00Z"), &format!("{day}T23:00:00Z"));
        assert_eq!(read(&world, other, within).await.availability, [expected], "{day}");
    }
}

/// Puts so many agents more into a team, each of whom can be booked on Monday morning.
async fn manned(world: &World, team: TeamId, count: usize) {
    let (core, scope, now) = (&world.database.core, &world.tenant.scope, world.services.clock.now());
    for number in 0..count {
        let id = AgentId::new(now, &world.services.entropy.id());
        let record = Revisioned::created(Change::new("agent.created", now, Origin::system()));
        let place = AgentTeam { team, role: MembershipRole::Agent, assigned_at: now };
        let (name, teams) = (format!("Person {number}"), vec![place]);
        let agent = Agent { id, record, name, sealed_email: Vec::new(), employee_id: None, time_zone: None, teams, deleted_at: None };
        let membership = Membership { team, agent: id, role: MembershipRole::Agent, assigned_at: now };
        let parts = vec![people::insert_agent(scope, &agent).unwrap(), people::insert_membership(scope, &membership).unwrap()];
        assert!(core.commit(scope, parts).await.unwrap());
        added(world, id, morning()).await;
    }
}

#[tokio::test]
async fn a_teams_slots_are_those_of_all_in_it_by_time_and_then_by_agent() {
    let world = World::new().await;
    let (agent, telephonist) = (agent_id(&world, "agent"), agent_id(&world, "telephonist"));
    added(&world, agent, morning()).await;
    added(&world, telephonist, WindowInput { start_time: "10:00".to_owned(), ..morning() }).await;
    let request = slots(None, Some(Some(world.team_id("Est"))), days("2026-11-23", "2026-11-24"));
    let viewer = world.viewer("telephonist").await;
    let all: Vec<(Timestamp, AgentId)> = found(&world, &viewer, request).await.into_iter().map(|slot| (slot.time.from, slot.agent.id)).collect();
    let mut expected = vec![(at("2026-11-23T14:00:00Z"), agent)];
    for hour in ["15", "16"] {
        expected.extend([agent, telephonist].map(|id| (at(&format!("2026-11-23T{hour}:00:00Z")), id)));
    }
    expected.sort_unstable();
    assert_eq!(all, expected);
    let first: Vec<(Timestamp, AgentId)> =
        found(&world, &viewer, FreeSlots { first: 3, ..request }).await.into_iter().map(|slot| (slot.time.from, slot.agent.id)).collect();
    assert_eq!(first, expected[..3]);
    let field_agent = world.viewer("agent").await;
    let seen: Vec<AgentId> = found(&world, &field_agent, request).await.into_iter().map(|slot| slot.agent.id).collect();
    assert_eq!(seen, [agent; 3], "those within one's scope");
    assert!(found(&world, &field_agent, slots(None, Some(Some(world.team_id("West"))), request.within)).await.is_empty());
}

#[tokio::test]
async fn schedules_are_read_with_a_fixed_number_of_requests() {
    let world = World::new().await;
    let viewer = world.viewer("telephonist").await;
    let (agent, team) = (agent_id(&world, "agent"), world.team_id("West"));
    added(&world, agent, morning()).await;
    let within = days("2026-11-23", "2026-11-24");
    let asked = async |request: FreeSlots, expected: usize| {
        world.database.meter.reset();
        assert_eq!(found(&world, &viewer, request).await.len(), expected);
        world.database.meter.usage().requests
    };
    let requests = |of: &[(&str, u32)]| of.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect::<BTreeMap<String, u32>>();
    assert_eq!(asked(slots(Some(Some(agent)), None, within), 3).await, requests(&[("BatchGetItem", 2)]));
    assert_eq!(asked(slots(None, Some(Some(team)), within), 0).await, requests(&[("BatchGetItem", 2), ("Query", 1)]));
    manned(&world, team, 120).await;
    let of_team = FreeSlots { first: 500, ..slots(None, Some(Some(team)), within) };
    assert_eq!(asked(of_team, 360).await, requests(&[("BatchGetItem", 6), ("Query", 1)]));
    world.database.meter.reset();
    schedules::of_agent(&world.services, &viewer, agent, within).await.unwrap().unwrap();
    assert_eq!(world.database.meter.usage().requests, requests(&[("BatchGetItem", 1)]));
    let admin = world.viewer("admin").await;
    world.database.meter.reset();
    schedules::add_window(&world.services, &admin, of(agent, morning())).await.unwrap().unwrap();
    assert_eq!(world.database.meter.usage().requests, requests(&[("BatchGetItem", 1), ("PutItem", 1)]));
}

#[tokio::test]
async fn answers_that_are_lost_change_nothing() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let world = World::new().await;
        let viewer = world.viewer("agent").await;
        world.database.wire.cut_next("PutItem", fault);
        let first = AddWindow { expected_version: Some(0), ..own(morning()) };
        let window = schedules::add_window(&world.services, &viewer, first).await.unwrap().unwrap().entry.unwrap();
        assert_eq!(extent(&world, viewer.agent()).await, (1, 0, 1), "{fault:?}");
        world.database.wire.cut_next("PutItem", fault);
        let exception = schedules::add_exception(&world.services, &viewer, own_exception(holiday())).await.unwrap().unwrap();
        assert_eq!((exception.version, extent(&world, viewer.agent()).await), (2, (1, 1, 2)), "{fault:?}");
        world.database.wire.cut_next("PutItem", fault);
        let removal = RemoveWindow { window: Some(window.id), expected_version: Some(2), ..RemoveWindow::default() };
        assert_eq!(schedules::remove_window(&world.services, &viewer, removal).await.unwrap().map(|removed| removed.version), Ok(3), "{fault:?}");
    }
}

#[tokio::test]
async fn an_idempotency_key_answers_as_before_and_never_adds_again() {
    let world = World::new().await;
    let viewer = world.viewer("agent").await;
    let with_key = |input| AddWindow { idempotency_key: Some("key".to_owned()), ..own(input) };
    let outcomes = join_all((0..4).map(|_| schedules::add_window(&world.services, &viewer, with_key(morning())))).await;
    let windows: Vec<Window> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().entry.unwrap()).collect();
    assert!(windows.iter().all(|window| *window == windows[0]));
    assert_eq!(extent(&world, viewer.agent()).await, (1, 0, 1));
    let errors = schedules::add_window(&world.services, &viewer, with_key(every_day("09:00", "12:00"))).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("idempotencyKey", FieldErrorCode::Conflict)]);
    let removal = RemoveWindow { window: Some(windows[0].id), ..RemoveWindow::default() };
    schedules::remove_window(&world.services, &viewer, removal).await.unwrap().unwrap();
    let late = schedules::add_window(&world.services, &viewer, with_key(morning())).await.unwrap().unwrap();
    assert_eq!((late.entry, late.version, extent(&world, viewer.agent()).await), (None, 2, (0, 0, 2)));
    let with_key = |input| AddException { idempotency_key: Some("another".to_owned()), ..own_exception(input) };
    let one = schedules::add_exception(&world.services, &viewer, with_key(holiday())).await.unwrap().unwrap();
    assert_eq!(schedules::add_exception(&world.services, &viewer, with_key(holiday())).await.unwrap().unwrap(), one);
}

#[tokio::test]
async fn each_change_leaves_an_event_that_names_what_changed() {
    let world = World::new().await;
    let viewer = world.viewer("supervisor").await;
    let agent = agent_id(&world, "agent");
    let window = schedules::add_window(&world.services, &viewer, of(agent, morning())).await.unwrap().unwrap().entry.unwrap();
    let mut states = items(&world).await;
    let request = AddException { agent: Some(Some(agent)), ..own_exception(ExceptionInput { note: Some("Dentist".to_owned()), ..holiday() }) };
    let exception = schedules::add_exception(&world.services, &viewer, request).await.unwrap().unwrap().entry.unwrap();
    states.extend(items(&world).await);
    let patch = WindowPatch { start_time: Some(Some("08:00".to_owned())), ..WindowPatch::default() };
    let request = UpdateWindow { agent: Some(Some(agent)), window: Some(window.id), patch, expected_version: Some(2) };
    schedules::update_window(&world.services, &viewer, request).await.unwrap().unwrap();
    states.extend(items(&world).await);
    let request = RemoveException { agent: Some(Some(agent)), exception: Some(exception.id), expected_version: None };
    schedules::remove_exception(&world.services, &viewer, request).await.unwrap().unwrap();
    states.extend(items(&world).await);
    let request = RemoveWindow { agent: Some(Some(agent)), window: Some(window.id), expected_version: None };
    schedules::remove_window(&world.services, &viewer, request).await.unwrap().unwrap();
    states.extend(items(&world).await);

    let mut stream = vec![made::inserted(&states[0])];
    stream.extend(states.windows(2).map(|pair| made::changed(&pair[0], &pair[1])));
    assert_eq!(made::recorder(&world).record(stream).await.unwrap(), Report { recorded: 5, ..Report::default() });
    let (of_window, of_exception) = (format!("windows.{}", window.id), format!("exceptions.{}", exception.id));
    for (version, action, field) in [
        (1, "schedule.window_added", &of_window),
        (2, "schedule.exception_added", &of_exception),
        (3, "schedule.window_updated", &of_window),
        (4, "schedule.exception_removed", &of_exception),
        (5, "schedule.window_removed", &of_window),
    ] {
        let event = world.database.audit.get(world.tenant.record.id, "schedule", &agent.to_string(), &Place::Version(version)).await.unwrap().unwrap().event;
        let Changes::Clear(changes) = &event.changes else { panic!("{event:?}") };
        let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
        assert_eq!((event.change.action.as_str(), fields), (action, vec![field.as_str()]));
        assert_eq!(event.change.origin.actor.id, Some(viewer.user.id.to_string()), "who changed it, not whose it is");
        let value = |value: &Option<serde_json::Value>, name: &str| value.as_ref().map(|value| value[name].clone());
        match version {
            2 => assert_eq!(value(&changes[0].new, "note"), Some("Dentist".into())),
            3 => assert_eq!((value(&changes[0].old, "startTime"), value(&changes[0].new, "startTime")), (Some("09:00".into()), Some("08:00".into()))),
            5 => assert_eq!((value(&changes[0].old, "startTime"), &changes[0].new), (Some("08:00".into()), &None)),
            _ => {}
        }
    }
}
