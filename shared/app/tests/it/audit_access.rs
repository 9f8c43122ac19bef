//! Who came, was refused, took data out and looked: each on record once, however often and through however many processes, and never too much of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use switchboard_app::audit::{AccessLog, permission_denied};
use switchboard_app::contacts::{self, AddNote, AssignContacts, CreateContact, SetStatus, UpdateContact};
use switchboard_app::tenant_settings::{self, UpdateTenant};
use switchboard_app::users::{self, DisableUser};
use switchboard_app::viewer::{RequestOrigin, SignIn, SignIns};
use switchboard_app::{AppError, Services, Viewer, bulk};
use switchboard_domain::audit::{Changes, EACH_A_MINUTE, Outcome};
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactFilter, ContactInput};
use switchboard_domain::ids::BulkJobId;
use switchboard_domain::person::{ADMIN, TELEPHONIST};
use switchboard_domain::tenant_settings::TenantPatch;
use switchboard_store::Order;
use switchboard_store::audit_events::{AuditTable, StoredEvent};
use switchboard_testkit::{Fault, World};

/// More events than anything here leaves.
const MANY: usize = 200;
const TELEPHONIST_SUBJECT: &str = "telephonist@demo.test";

/// Another process over the same tables.
fn process(world: &World) -> Services {
    Services { access: Arc::new(AccessLog::default()), ..world.services.clone() }
}

/// A process that can't write the audit.
fn without_audit(world: &World) -> Services {
    Services { audit: AuditTable::new(world.database.client.clone(), "nowhere"), ..process(world) }
}

/// The events beside a record's chain, newest first.
async fn beside(world: &World, kind: &str, id: &str) -> Vec<StoredEvent> {
    world.database.audit.beside(&world.tenant.scope, kind, id, None, MANY).await.unwrap().entries
}

async fn of_user(world: &World, role: &str) -> Vec<StoredEvent> {
    beside(world, "user", &world.user_id(role).to_string()).await
}

/// What an event says of itself.
fn details(event: &StoredEvent) -> Vec<(&str, &Value)> {
    let Changes::Clear(details) = &event.event.changes else { panic!("sealed: {event:?}") };
    assert!(details.iter().all(|detail| detail.old.is_none()), "{details:?}");
    details.iter().map(|detail| (detail.field.as_str(), detail.new.as_ref().unwrap())).collect()
}

fn actions(events: &[StoredEvent]) -> Vec<&str> {
    events.iter().map(|event| event.event.change.action.as_str()).collect()
}

/// A request with a token of a sign-in.
async fn comes(services: &Services, sign_ins: &SignIns, subject: &str, at: Timestamp, request: &str) -> Result<Viewer, AppError> {
    let origin = RequestOrigin { request_id: request.to_owned(), ip_address: Some("192.0.2.9".to_owned()), user_agent: None };
    sign_ins.viewer(services, SignIn { subject, at }, origin).await
}

async fn refused_a_field(services: &Services, viewer: &Viewer) {
    assert!(permission_denied(services, viewer, vec!["users".to_owned()]).await);
}

/// The tenant from now on wants to know who opens contacts.
async fn watch_contacts(world: &World) {
    let patch = TenantPatch { record_contact_views: Some(Some(true)), ..TenantPatch::default() };
    tenant_settings::update(&world.services, &world.viewer(ADMIN).await, UpdateTenant { expected_version: 1, patch }).await.unwrap().unwrap();
}

/// The viewer with a role, who knows what the tenant wants now.
async fn informed(world: &World, role: &str) -> Viewer {
    let tenant = world.services.tenants.open(world.tenant.record.id).await.unwrap().unwrap();
    Viewer { tenant, ..world.viewer(role).await }
}

async fn some_contact(world: &World, line: u32, role: &str) -> Contact {
    let assignee = Some(Some(world.viewer(role).await.agent()));
    let input = ContactInput { phone: format!("514-555-{line:04}"), name: Some("Zoé Roy".to_owned()), ..ContactInput::default() };
    let viewer = world.viewer_in_request(ADMIN, &format!("creates {line}")).await;
    contacts::create(&world.services, &viewer, CreateContact { input, assignee, ..CreateContact::default() }).await.unwrap().unwrap()
}

async fn exported(world: &World) -> BulkJob {
    let (now, origin) = (world.clock.now(), world.viewer(ADMIN).await.origin());
    let id = BulkJobId::new(now, &world.services.entropy.id());
    BulkJob { status: BulkJobStatus::Completed, finished_at: Some(now), ..BulkJob::asked(id, BulkAction::Export, ContactFilter::default(), origin, now, now) }
}

#[tokio::test]
async fn a_sign_in_is_on_record_once_with_its_first_request_whichever_processes_it_comes_to() {
    let world = World::new().await;
    let first = Timestamp::from_second(world.clock.now().as_second()).unwrap();
    world.clock.advance(SignedDuration::from_secs(5));
    let processes = [(process(&world), SignIns::default()), (process(&world), SignIns::default())];
    for request in 0..6 {
        for (services, sign_ins) in &processes {
            comes(services, sign_ins, TELEPHONIST_SUBJECT, first, &format!("request {request}")).await.unwrap();
        }
        world.clock.advance(SignedDuration::from_secs(40));
    }
    let events = of_user(&world, TELEPHONIST).await;
    assert_eq!(actions(&events), ["auth.signed_in"]);
    let event = &events[0].event;
    let origin = &event.change.origin;
    assert_eq!((event.change.at, event.outcome, details(&events[0]).len()), (first, Outcome::Success, 0));
    assert_eq!((origin.actor.id.as_deref(), &origin.actor.roles[..]), (Some(event.entity_id.as_str()), &[TELEPHONIST.to_owned()][..]));
    assert_eq!((origin.request_id.as_deref(), origin.ip_address.as_deref()), (Some("request 0"), Some("192.0.2.9")));
    assert!(events[0].recorded_at > first && event.previous_hash.is_none() && event.hash() == events[0].hash);

    // Two sign-ins used in turns are two, and one process asks the table once for each.
    let second = first + SignedDuration::from_secs(100);
    let (services, sign_ins) = &processes[0];
    world.database.meter.reset();
    for request in 0..6 {
        comes(services, sign_ins, TELEPHONIST_SUBJECT, if request % 2 == 0 { second } else { first }, "later").await.unwrap();
    }
    assert_eq!(world.database.meter.usage().requests.get("BatchExecuteStatement"), Some(&1));
    assert_eq!(of_user(&world, TELEPHONIST).await.len(), 2);
}

#[tokio::test]
async fn many_first_requests_at_once_leave_one_event() {
    let world = World::new().await;
    let (at, sign_ins, services) = (world.clock.now(), SignIns::default(), process(&world));
    let outcomes = join_all((0..16).map(|_| comes(&services, &sign_ins, TELEPHONIST_SUBJECT, at, "at once"))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(actions(&of_user(&world, TELEPHONIST).await), ["auth.signed_in"]);
}

#[tokio::test]
async fn a_sign_in_is_not_lost_on_the_wire_and_stops_no_request() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let world = World::new().await;
        world.database.wire.cut_next("BatchExecuteStatement", fault);
        comes(&world.services, &SignIns::default(), TELEPHONIST_SUBJECT, world.clock.now(), "cut").await.unwrap();
        assert_eq!(actions(&of_user(&world, TELEPHONIST).await), ["auth.signed_in"], "{fault:?}");

        // Where the client doesn't try again, the next request does.
        let world = World::new().await;
        let (sign_ins, at) = (SignIns::default(), world.clock.now());
        let services = Services { audit: world.database.without_retries().audit, ..process(&world) };
        world.database.wire.cut_next("BatchExecuteStatement", fault);
        for request in ["cut", "next", "last"] {
            comes(&services, &sign_ins, TELEPHONIST_SUBJECT, at, request).await.unwrap();
        }
        let events = of_user(&world, TELEPHONIST).await;
        let request = if fault == Fault::CutBefore { "next" } else { "cut" };
        assert_eq!((actions(&events), events[0].event.change.origin.request_id.as_deref()), (vec!["auth.signed_in"], Some(request)), "{fault:?}");
    }
    let world = World::new().await;
    let (sign_ins, at) = (SignIns::default(), world.clock.now());
    for _ in 0..3 {
        comes(&without_audit(&world), &sign_ins, TELEPHONIST_SUBJECT, at, "without").await.unwrap();
    }
    assert!(of_user(&world, TELEPHONIST).await.is_empty());
    comes(&world.services, &sign_ins, TELEPHONIST_SUBJECT, at, "with").await.unwrap();
    let events = of_user(&world, TELEPHONIST).await;
    assert_eq!((actions(&events), events[0].event.change.origin.request_id.as_deref()), (vec!["auth.signed_in"], Some("with")), "tried again with the next request");
}

#[tokio::test]
async fn a_valid_token_of_who_is_disabled_or_signed_out_is_refused_and_that_is_on_record() {
    let world = World::new().await;
    let at = world.clock.now();
    let (telephonist, manager) = (world.viewer(TELEPHONIST).await, world.viewer("manager").await);
    world.clock.advance(SignedDuration::from_secs(60));
    // There is no user pool: it comes after the record.
    let disabling = DisableUser { id: Some(telephonist.user.id), expected_version: 1, reason: "left".to_owned(), ..DisableUser::default() };
    assert!(matches!(users::disable(&world.services, &world.viewer(ADMIN).await, disabling).await, Err(AppError::Platform(_))));
    assert!(matches!(users::sign_out(&world.services, &manager, None).await, Err(AppError::Platform(_))));
    for (subject, role, reason) in [(TELEPHONIST_SUBJECT, TELEPHONIST, "DISABLED"), ("manager@demo.test", "manager", "SIGNED_OUT")] {
        for request in ["one", "two"] {
            assert!(matches!(comes(&world.services, &SignIns::default(), subject, at, request).await, Err(AppError::Unauthenticated)));
        }
        let events = of_user(&world, role).await;
        assert_eq!(actions(&events), ["auth.denied", "auth.denied"], "{role}: no sign-in");
        assert!(events.iter().all(|event| event.event.outcome == Outcome::Denied && details(event) == [("reason", &json!(reason))]));
    }
    // Even when it can't be recorded.
    assert!(matches!(comes(&without_audit(&world), &SignIns::default(), TELEPHONIST_SUBJECT, at, "three").await, Err(AppError::Unauthenticated)));
    assert!(matches!(comes(&world.services, &SignIns::default(), "nobody", at, "four").await, Err(AppError::Unauthenticated)));
}

#[tokio::test]
async fn who_lost_power_meanwhile_is_on_record_when_they_try_to_use_it() {
    let world = World::new().await;
    let remembered = world.viewer(ADMIN).await;
    world.clock.advance(SignedDuration::from_secs(60));
    assert!(matches!(users::sign_out(&world.services, &remembered, None).await, Err(AppError::Platform(_))));
    assert!(matches!(users::resend(&world.services, &remembered, Some(world.user_id(TELEPHONIST))).await, Err(AppError::Unauthenticated)));
    let events = of_user(&world, ADMIN).await;
    assert_eq!((actions(&events), details(&events[0])), (vec!["auth.denied"], vec![("reason", &json!("SIGNED_OUT"))]));
}

#[tokio::test]
async fn what_was_refused_is_on_record_with_its_operations() {
    let world = World::new().await;
    let viewer = world.viewer(TELEPHONIST).await;
    for fault in [None, Some(Fault::CutBefore), Some(Fault::CutAfter)] {
        world.clock.advance(SignedDuration::from_secs(60));
        if let Some(fault) = fault {
            world.database.wire.cut_next("BatchExecuteStatement", fault);
        }
        let before = of_user(&world, TELEPHONIST).await.len();
        assert!(permission_denied(&world.services, &viewer, vec!["users".to_owned(), "contact.auditEvents".to_owned()]).await);
        let events = of_user(&world, TELEPHONIST).await;
        assert_eq!(events.len(), before + 1, "{fault:?}: once");
        assert_eq!((events[0].event.change.action.as_str(), events[0].event.outcome), ("permission.denied", Outcome::Denied));
        assert_eq!(details(&events[0]), [("code", &json!("FORBIDDEN")), ("operations", &json!(["users", "contact.auditEvents"]))]);
        assert_eq!(events[0].event.change.origin, viewer.origin());
    }
    assert!(!permission_denied(&without_audit(&world), &viewer, vec!["users".to_owned()]).await, "the log says so, and the request goes on");
}

#[tokio::test]
async fn of_1_000_refusals_in_a_minute_12_are_written_by_one_process_and_12_events_are_there_of_several() {
    let world = World::new().await;
    let viewer = world.viewer(TELEPHONIST).await;
    let processes = [process(&world), process(&world), process(&world)];
    world.database.meter.reset();
    for _ in 0..1_000 {
        refused_a_field(&processes[0], &viewer).await;
    }
    assert_eq!(world.database.meter.usage().requests.get("BatchExecuteStatement"), Some(&12));
    let events = of_user(&world, TELEPHONIST).await;
    let counts: BTreeSet<u64> = events.iter().flat_map(details).filter(|(field, _)| *field == "count").map(|(_, count)| count.as_u64().unwrap()).collect();
    assert_eq!((events.len(), counts), (12, BTreeSet::from([100, 1_000])));

    world.database.meter.reset();
    for services in &processes[1..] {
        join_all((0..1_000).map(|_| refused_a_field(services, &viewer))).await;
    }
    let usage = world.database.meter.usage();
    assert!(usage.total_requests() <= 2 * 2 * 12, "they find the names taken, and look once at each: {usage:?}");
    assert_eq!(of_user(&world, TELEPHONIST).await.len(), 12);

    // Another user, and another minute, have events of their own.
    refused_a_field(&processes[0], &world.viewer("agent").await).await;
    assert_eq!(of_user(&world, "agent").await.len(), 1);
    world.clock.advance(SignedDuration::from_secs(60));
    refused_a_field(&processes[0], &viewer).await;
    assert_eq!(of_user(&world, TELEPHONIST).await.len(), 13);
}

#[tokio::test]
async fn the_first_ten_refusals_of_a_minute_are_all_there_when_processes_take_turns() {
    let world = World::new().await;
    let viewer = world.viewer(TELEPHONIST).await;
    let processes: Vec<Services> = (0..4).map(|_| process(&world)).collect();
    let each = usize::try_from(EACH_A_MINUTE).unwrap();
    for turn in 0..each {
        let operation = format!("operation{turn}");
        assert!(permission_denied(&processes[turn % processes.len()], &viewer, vec![operation]).await);
    }
    let operations: BTreeSet<String> = of_user(&world, TELEPHONIST).await.iter().flat_map(details).map(|(_, value)| value.to_string()).collect();
    assert_eq!(operations.len(), each + 1, "each of them, and their one code: {operations:?}");
}

#[tokio::test]
async fn a_link_is_on_record_before_it_is_given_and_not_given_when_it_can_not_be() {
    let world = World::new().await;
    let (admin, jobs) = (world.viewer(ADMIN).await, [exported(&world).await, exported(&world).await]);
    assert!(matches!(bulk::file_url(&without_audit(&world), &admin, &jobs[0]).await, Err(AppError::Unavailable(_))));
    assert!(of_user(&world, ADMIN).await.is_empty());
    for services in [&world.services, &world.services, &process(&world)] {
        for job in &jobs {
            assert!(bulk::file_url(services, &admin, job).await.unwrap().is_some());
        }
    }
    let events = of_user(&world, ADMIN).await;
    assert_eq!(actions(&events), ["data.downloaded"; 2], "once a minute for each file");
    for job in &jobs {
        let file = json!(format!("exports/{}/{}/contacts.csv", world.tenant.record.id, job.id));
        assert!(events.iter().any(|event| details(event) == [("file", &file), ("job", &json!(job.id.to_string()))]), "{events:?}");
    }
    world.clock.advance(SignedDuration::from_secs(60));
    bulk::file_url(&world.services, &admin, &jobs[0]).await.unwrap().unwrap();
    assert_eq!(of_user(&world, ADMIN).await.len(), 3);
    for role in ["supervisor", TELEPHONIST] {
        assert!(bulk::file_url(&world.services, &world.viewer(role).await, &jobs[0]).await.unwrap().is_none());
        assert!(of_user(&world, role).await.is_empty(), "what {role} isn't given isn't taken out");
    }
}

#[tokio::test]
async fn opening_a_contact_is_on_record_only_where_the_tenant_asks_for_it() {
    let world = World::new().await;
    let contact = some_contact(&world, 1, TELEPHONIST).await;
    let id = contact.id.clone();
    let views = async || beside(&world, "contact", id.as_str()).await;
    let before = informed(&world, ADMIN).await;
    assert!(contacts::get(&world.services, &before, &id).await.unwrap().is_some());
    assert!(contacts::by_phone(&world.services, &before, "514-555-0001").await.unwrap().is_some());
    assert!(views().await.is_empty());

    watch_contacts(&world).await;
    let (admin, telephonist, stranger) = (informed(&world, ADMIN).await, informed(&world, TELEPHONIST).await, informed(&world, "agent").await);
    let services = [process(&world), process(&world)];
    for services in &services {
        assert!(contacts::get(services, &admin, &id).await.unwrap().is_some());
        assert!(contacts::by_phone(services, &admin, "514-555-0001").await.unwrap().is_some());
    }
    let events = views().await;
    assert_eq!((actions(&events), details(&events[0]).len(), events[0].event.outcome), (vec!["contact.viewed"], 0, Outcome::Success), "once a minute");
    assert_eq!(events[0].event.change.origin, admin.origin());
    contacts::get(&services[0], &telephonist, &id).await.unwrap().unwrap();
    assert_eq!(views().await.len(), 2, "each who opens it");
    assert!(!matches!(contacts::get(&services[0], &stranger, &id).await, Ok(Some(_))));
    assert_eq!(views().await.len(), 2, "who isn't shown it doesn't open it");
    contacts::list(&services[0], &admin, &ContactFilter::default(), None, 50, Order::Descending).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(views().await.len(), 2, "a list opens none");
    contacts::get(&services[0], &admin, &id).await.unwrap().unwrap();
    assert_eq!(views().await.len(), 3, "a minute later it is opened again");
}

#[tokio::test]
async fn a_contact_is_not_shown_when_its_opening_can_not_be_recorded() {
    let world = World::new().await;
    let contact = some_contact(&world, 1, TELEPHONIST).await;
    let note = AddNote { id: Some(contact.id.clone()), body: "Called".to_owned(), idempotency_key: None };
    let (_, note) = contacts::add_note(&world.services, &world.viewer(ADMIN).await, note).await.unwrap().unwrap();
    watch_contacts(&world).await;
    let (services, admin) = (without_audit(&world), informed(&world, ADMIN).await);
    assert!(matches!(contacts::get(&services, &admin, &contact.id).await, Err(AppError::Unavailable(_))));
    assert!(matches!(contacts::by_phone(&services, &admin, "514-555-0001").await, Err(AppError::Unavailable(_))));
    assert!(matches!(contacts::note(&services, &admin, &contact.id, note.id).await, Err(AppError::Unavailable(_))));
    assert!(contacts::note(&world.services, &admin, &contact.id, note.id).await.unwrap().is_some());
    assert_eq!(actions(&beside(&world, "contact", contact.id.as_str()).await), ["contact.viewed"], "a note is opened with its contact");
}

#[tokio::test]
async fn what_a_mutation_shows_without_changing_it_was_opened() {
    let world = World::new().await;
    watch_contacts(&world).await;
    let admin = informed(&world, ADMIN).await;
    let views = async |contact: &Contact| actions(&beside(&world, "contact", contact.id.as_str()).await).len();
    let owner = Some(Some(world.viewer(TELEPHONIST).await.agent()));
    let people = [some_contact(&world, 1, TELEPHONIST).await, some_contact(&world, 2, TELEPHONIST).await, some_contact(&world, 3, TELEPHONIST).await];
    for contact in &people {
        assert_eq!(views(contact).await, 0, "who makes a contact is on record by that");
    }
    let [updated, set, assigned] = &people;
    let same = UpdateContact { id: Some(updated.id.clone()), expected_version: 1, ..UpdateContact::default() };
    contacts::update(&world.services, &admin, same.clone()).await.unwrap().unwrap();
    let same_status = SetStatus { id: Some(set.id.clone()), status: Some(set.details.status), ..SetStatus::default() };
    contacts::set_status(&world.services, &admin, same_status).await.unwrap().unwrap();
    let same_owner = AssignContacts { ids: vec![Some(assigned.id.clone())], assignee: owner, team: None };
    assert_eq!(contacts::assign(&world.services, &admin, same_owner).await.unwrap().1, []);
    for contact in &people {
        assert_eq!(views(contact).await, 1);
    }
    assert!(matches!(contacts::update(&without_audit(&world), &admin, same).await, Err(AppError::Unavailable(_))));
    world.clock.advance(SignedDuration::from_secs(60));
    let nobodys = AssignContacts { ids: vec![Some(assigned.id.clone())], assignee: None, team: None };
    assert_eq!(contacts::assign(&without_audit(&world), &admin, nobodys).await.unwrap().1, []);
    assert_eq!(views(assigned).await, 1, "a change is on record by itself");
}

#[tokio::test]
async fn no_personal_value_is_in_what_is_recorded() {
    let world = World::new().await;
    let contact = some_contact(&world, 1, TELEPHONIST).await;
    watch_contacts(&world).await;
    let admin = informed(&world, ADMIN).await;
    contacts::by_phone(&world.services, &admin, "514-555-0001").await.unwrap().unwrap();
    comes(&world.services, &SignIns::default(), TELEPHONIST_SUBJECT, world.clock.now(), "r").await.unwrap();
    let events = [beside(&world, "contact", contact.id.as_str()).await, of_user(&world, TELEPHONIST).await].concat();
    assert_eq!(events.len(), 2);
    for canary in ["5145550001", "555-0001", "Zoé", "@demo.test"] {
        assert!(!format!("{events:?}").contains(canary), "{canary}");
    }
}
