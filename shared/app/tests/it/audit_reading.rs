//! Reading the audit trail: by record, by actor, by time and by import, the same events each way; as records stood, how they differ, what they were called, and
//! what is missing.

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use switchboard_app::agents::{self, AgentPatch, UpdateAgent};
use switchboard_app::audit::{self, Archiver, AuditedId, ChunkRow, EventFilter, EventView, MASK, StreamRecord, Who, chunk_key, gaps};
use switchboard_app::contacts::{self, AddNote, CreateContact, MergeContacts, SetStatus, UpdateContact};
use switchboard_app::presence::{self, UpdatePresence};
use switchboard_app::roles::{self, UpdateRole};
use switchboard_app::schedules::{self, AddWindow};
use switchboard_app::scoring::models::{self, CreateModel};
use switchboard_app::statuses::{self, UpdateStatus};
use switchboard_app::suppressions::{self, AddSuppression};
use switchboard_app::teams::{self, PlaceMember, UpdateTeam};
use switchboard_app::{AppError, Viewer};
use switchboard_domain::actor::Actor;
use switchboard_domain::audit::{AuditEvent, Changes, FieldChange, Outcome, Place, Severity};
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactInput, ContactPatch};
use switchboard_domain::ids::{ContactId, ImportId, ScoringModelId, StatusId, TeamId};
use switchboard_domain::imports::Piece;
use switchboard_domain::imports::{ImportKind, ImportOptions, Profile};
use switchboard_domain::person::MembershipRole;
use switchboard_domain::presence::{PresencePatch, PresenceStatus};
use switchboard_domain::role::RolePatch;
use switchboard_domain::schedule::{Recurrence, WindowInput};
use switchboard_domain::scoring::{ActiveScoringModel, pipeline};
use switchboard_domain::status::StatusPatch;
use switchboard_store::audit_events::Listing;
use switchboard_store::item::Item;
use switchboard_store::{import_profiles, keys, scoring_models};
use switchboard_testkit::{Bucket, World};

use crate::made;
use crate::revert::Trail;

/// For so long events are kept here when they are put in by hand.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// More pages than any list of these tests has.
const PAGES: usize = 1_000;

/// An event by what no other has.
type Seen = (String, Place, String);

fn seen(view: &EventView) -> Seen {
    (view.stored.event.entity_id.clone(), view.stored.event.place.clone(), view.stored.hash.clone())
}

/// Everything that a filter means, page by page.
async fn listed(world: &World, viewer: &Viewer, filter: &EventFilter, first: usize) -> Vec<EventView> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let page = audit::list(&world.services, viewer, filter, after.as_deref(), first).await.unwrap();
        assert!(page.entries.len() <= first, "a page is not longer than was asked for");
        found.extend(page.entries.into_iter().map(|(_, view)| view));
        let Some(next) = page.next else { return found };
        assert_ne!(Some(&next), after.as_ref(), "each page goes on");
        after = Some(next);
    }
    panic!("more than {PAGES} pages for {filter:?}");
}

/// The events of all versions of a record, page by page.
async fn of_record(world: &World, viewer: &Viewer, record: &AuditedId, first: usize) -> Vec<EventView> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = audit::versions(&world.services, viewer, record, before, first).await.unwrap();
        before = page.entries.last().and_then(|view| view.stored.event.version());
        found.extend(page.entries);
        if !page.has_more {
            return found;
        }
    }
}

async fn created(world: &World, viewer: &Viewer, phone: &str, name: &str) -> Contact {
    let input = ContactInput { phone: phone.to_owned(), name: Some(name.to_owned()), ..ContactInput::default() };
    contacts::create(&world.services, viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap()
}

async fn renamed(world: &World, viewer: &Viewer, contact: &Contact, name: &str) -> Contact {
    let patch = ContactPatch { name: Some(Some(name.to_owned())), ..ContactPatch::default() };
    let expected_version = i32::try_from(contact.record.version).unwrap();
    let request = UpdateContact { id: Some(contact.id.clone()), expected_version, patch, ..UpdateContact::default() };
    contacts::update(&world.services, viewer, request).await.unwrap().unwrap()
}

/// Somebody who sees the audit trail and no contacts.
async fn auditor(world: &World) -> Viewer {
    let mut viewer = world.viewer("agent").await;
    let mut user = (*viewer.user).clone();
    user.grants = vec!["audit:read:ALL".parse().unwrap()];
    viewer.user = Arc::new(user);
    viewer
}

/// An event of a team of its own, put in by hand.
fn event(number: u32, at: Timestamp, action: &str, origin: Origin) -> AuditEvent {
    let mut entropy = [0; 10];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    AuditEvent {
        entity_type: "team".to_owned(),
        entity_id: TeamId::new(Timestamp::UNIX_EPOCH, &entropy).to_string(),
        place: Place::Version(1),
        change: Change::new(action, at, origin),
        changes: Changes::Clear(Vec::new()),
        outcome: Outcome::Success,
        previous_hash: None,
        about: None,
    }
}

async fn put(world: &World, events: Vec<AuditEvent>) {
    let events: Vec<(AuditEvent, Listing)> = events.into_iter().map(|event| (event, Listing::Listed)).collect();
    let inserted = world.services.audit.insert(world.tenant.record.id, &events, world.clock.now(), KEPT).await.unwrap();
    assert!(inserted.into_iter().all(|inserted| inserted));
}

/// Takes an event out of the table behind everybody's back.
async fn taken_out(world: &World, record: &AuditedId, version: u32) {
    let key = keys::audit_event(world.tenant.record.id, record.entity_type(), &record.entity_id(), &Place::Version(version));
    let request = world.database.client.delete_item().table_name("audit").key("PK", AttributeValue::S(key.pk)).key("SK", AttributeValue::S(key.sk));
    request.send().await.unwrap();
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn audit_items(world: &World) -> Vec<Item> {
    world.database.client.execute_statement().statement("SELECT * FROM \"audit\"").send().await.unwrap().items.unwrap()
}

/// Puts everything in the table into the archive.
async fn archived(world: &World, bucket: &Bucket) {
    let record = |(number, item): (usize, Item)| StreamRecord { sequence: format!("{number}"), old: None, new: Some(item) };
    let records: Vec<StreamRecord> = audit_items(world).await.into_iter().enumerate().map(record).collect();
    assert_eq!(Archiver { archive: bucket.files() }.archive(records).await.unwrap().unreadable, 0);
}

/// Removes from the table what is beyond its time, as the database does.
async fn expire(world: &World) {
    let now = world.clock.now().as_second();
    for item in audit_items(world).await {
        let expires_at: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        if expires_at <= now {
            let request = world.database.client.delete_item().table_name("audit").key("PK", item["PK"].clone()).key("SK", item["SK"].clone());
            request.send().await.unwrap();
        }
    }
}

fn hashes(views: Vec<EventView>) -> Vec<String> {
    views.into_iter().map(|view| view.stored.hash).collect()
}

#[tokio::test]
async fn a_thousand_changes_of_one_actor_are_the_same_by_record_by_actor_and_by_day() {
    const CHANGES: usize = 1_000;
    const CONTACTS: usize = 25;
    let world = World::new().await;
    let recorder = made::recorder(&world);
    let (reader, admin) = (world.viewer("supervisor").await, world.viewer("admin").await);
    let mut manager = world.viewer("manager").await;
    let mut contacts: Vec<Contact> = Vec::new();
    let mut batch: Vec<StreamRecord> = Vec::new();
    for number in 0..CHANGES {
        // An hour apart: over days, and over the end of a month and of a year.
        world.clock.advance(SignedDuration::from_hours(1));
        manager.request.request_id = format!("change {number}");
        match contacts.get(number % CONTACTS).cloned() {
            None => {
                let contact = created(&world, &manager, &format!("514-555-{number:04}"), "Zoé").await;
                batch.push(made::inserted(&made::contact_item(&world, &contact.id).await));
                contacts.push(contact);
            }
            Some(contact) => {
                let before = made::contact_item(&world, &contact.id).await;
                contacts[number % CONTACTS] = renamed(&world, &manager, &contact, &format!("Name {number}")).await;
                batch.push(made::changed(&before, &made::contact_item(&world, &contact.id).await));
            }
        }
        if number % 50 == 0 {
            let other = created(&world, &admin, &format!("418-555-{number:04}"), "Somebody else's").await;
            batch.push(made::inserted(&made::contact_item(&world, &other.id).await));
        }
        if batch.len() >= 100 {
            assert_eq!(recorder.record(std::mem::take(&mut batch)).await.unwrap().isolated, 0);
        }
    }
    recorder.record(batch).await.unwrap();

    let by_manager = EventFilter { actor: Some(Who::User(manager.user.id)), ..EventFilter::default() };
    let by_actor: Vec<Seen> = listed(&world, &reader, &by_manager, 37).await.iter().map(seen).collect();
    assert_eq!(by_actor.len(), CHANGES);
    let everything = listed(&world, &reader, &EventFilter::default(), 41).await;
    assert_eq!(everything.len(), CHANGES + CHANGES / 50);
    let is_by_manager = |view: &&EventView| view.stored.event.change.origin.actor.id == Some(manager.user.id.to_string());
    let by_day: Vec<Seen> = everything.iter().filter(is_by_manager).map(seen).collect();
    assert_eq!(by_actor, by_day, "in the same order, too");
    let mut by_record: Vec<Seen> = Vec::new();
    for contact in &contacts {
        let events = of_record(&world, &reader, &AuditedId::Contact(contact.id.clone()), 7).await;
        let versions: Vec<u32> = events.iter().filter_map(|view| view.stored.event.version()).collect();
        assert_eq!(versions, (1..=u32::try_from(CHANGES / CONTACTS).unwrap()).rev().collect::<Vec<_>>());
        by_record.extend(events.iter().map(seen));
    }
    let (mut by_record, mut by_actor) = (by_record, by_actor);
    by_record.sort();
    by_actor.sort();
    assert_eq!(by_record, by_actor);
}

#[tokio::test]
async fn paging_while_events_come_neither_repeats_nor_skips() {
    let world = World::new().await;
    let reader = world.viewer("admin").await;
    let (beginning, by_admin) = (world.clock.now(), EventFilter { actor: Some(Who::User(reader.user.id)), ..EventFilter::default() });
    let later = |number: u32| beginning.saturating_add(SignedDuration::from_mins(i64::from(number) * 7)).unwrap();
    world.clock.advance(SignedDuration::from_hours(24));
    put(&world, (0..100).map(|number| event(number, later(number), "team.created", reader.origin())).collect()).await;
    for filter in [EventFilter::default(), by_admin] {
        let before: Vec<Seen> = listed(&world, &reader, &filter, 100).await.iter().map(seen).collect();
        let (mut found, mut after, mut number) = (Vec::new(), None::<String>, u32::try_from(before.len()).unwrap() + 1_000);
        loop {
            let page = audit::list(&world.services, &reader, &filter, after.as_deref(), 9).await.unwrap();
            found.extend(page.entries.iter().map(|(_, view)| seen(view)));
            let Some(next) = page.next else { break };
            after = Some(next);
            number += 1;
            world.clock.advance(SignedDuration::from_secs(1));
            put(&world, vec![event(number, world.clock.now(), "team.created", reader.origin())]).await;
        }
        assert_eq!(found, before, "what was there at the beginning, each once");
    }
}

#[tokio::test]
async fn a_time_asked_for_begins_with_its_first_millisecond_and_ends_before_its_last_at_borders_of_days_and_months_too() {
    let world = World::new().await;
    let reader = world.viewer("admin").await;
    world.clock.advance(SignedDuration::from_hours(24 * 20));
    let border = at("2026-12-01T00:00:00Z");
    let millis = |by: i64| border.saturating_add(SignedDuration::from_millis(by)).unwrap();
    put(&world, [-1, 0, 1].into_iter().zip(0..).map(|(by, number)| event(number, millis(by), "team.created", reader.origin())).collect()).await;
    for actor in [None, Some(Who::User(reader.user.id))] {
        for (from, to, expected) in [
            (None, None, vec![1, 0, -1]),
            (Some(0), None, vec![1, 0]),
            (Some(1), None, vec![1]),
            (Some(2), None, vec![]),
            (None, Some(0), vec![-1]),
            (None, Some(1), vec![0, -1]),
            (Some(-1), Some(0), vec![-1]),
            (Some(0), Some(1), vec![0]),
        ] {
            let filter = EventFilter { actor, from: from.map(millis), to: to.map(millis), ..EventFilter::default() };
            let found: Vec<Timestamp> = listed(&world, &reader, &filter, 1).await.iter().map(|view| view.stored.event.change.at).collect();
            assert_eq!(found, expected.into_iter().map(millis).collect::<Vec<_>>(), "{filter:?}");
        }
    }
}

#[tokio::test]
async fn the_system_s_events_of_all_shards_are_one_list_and_an_import_s_own_are_listed_by_it() {
    let world = World::new().await;
    let reader = world.viewer("admin").await;
    let import = ImportId::new(world.clock.now(), &[9; 10]);
    let of_import = Origin { actor: Actor::import(import, "people.csv"), ..Origin::system() };
    let now = world.clock.now();
    let before = |seconds: i64| now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap();
    let mut events: Vec<AuditEvent> = (0..40).map(|number| event(number, before(i64::from(number)), "team.created", Origin::system())).collect();
    events.extend((100..105).map(|number| event(number, before(i64::from(number)), "suppression.added", of_import.clone())));
    events.push(event(200, before(1), "team.created", reader.origin()));
    put(&world, events).await;
    let of = |who| EventFilter { actor: Some(who), ..EventFilter::default() };
    let by_system = listed(&world, &reader, &of(Who::System), 7).await;
    assert_eq!(by_system.len(), 40);
    assert!(by_system.windows(2).all(|pair| pair[0].stored.event.change.at >= pair[1].stored.event.change.at), "newest first");
    assert_eq!(listed(&world, &reader, &of(Who::Import(import)), 2).await.len(), 5);
    assert_eq!(listed(&world, &reader, &of(Who::User(reader.user.id)), 2).await.len(), 1);
}

#[tokio::test]
async fn filters_leave_what_they_name_and_many_entries_examined_make_thin_pages() {
    let world = World::new().await;
    let reader = world.viewer("admin").await;
    let now = world.clock.now();
    let mut events: Vec<AuditEvent> = Vec::new();
    for number in 0..4_100_u32 {
        let mut origin = reader.origin();
        origin.request_id = Some(format!("request {}", number % 7));
        let rare = number % 2_050 == 2_049;
        let mut event =
            event(number, now.saturating_sub(SignedDuration::from_secs(i64::from(number))).unwrap(), if rare { "team.deleted" } else { "team.updated" }, origin);
        event.outcome = if number % 1_000 == 999 { Outcome::Denied } else { Outcome::Success };
        events.push(event);
    }
    put(&world, events.clone()).await;
    let all = EventFilter::default;
    let rare = EventFilter { action: Some("team.deleted".to_owned()), ..all() };
    let page = audit::list(&world.services, &reader, &rare, None, 50).await.unwrap();
    assert!(page.entries.is_empty() && page.next.is_some(), "2,000 entries and none of them: a thin page that says where to go on");
    for filter in [
        rare,
        EventFilter { request_id: Some("request 3".to_owned()), ..all() },
        EventFilter { outcome: Some(Outcome::Denied), ..all() },
        EventFilter { minimum_severity: Some(Severity::Warning), ..all() },
        EventFilter { minimum_severity: Some(Severity::Critical), ..all() },
        EventFilter { entity_type: Some("role".to_owned()), ..all() },
        EventFilter { actor: Some(Who::User(reader.user.id)), action: Some("team.deleted".to_owned()), ..all() },
    ] {
        let found: HashSet<String> = listed(&world, &reader, &filter, 100).await.into_iter().map(|view| view.stored.hash).collect();
        let is_meant = |event: &&AuditEvent| {
            let severity = switchboard_domain::audit::severity(&event.change.action, event.outcome);
            filter.action.as_ref().is_none_or(|action| *action == event.change.action)
                && filter.request_id.as_ref().is_none_or(|id| event.change.origin.request_id.as_ref() == Some(id))
                && filter.outcome.is_none_or(|outcome| outcome == event.outcome)
                && filter.minimum_severity.is_none_or(|least| severity >= least)
                && filter.entity_type.as_ref().is_none_or(|kind| *kind == event.entity_type)
        };
        assert_eq!(found, events.iter().filter(is_meant).map(AuditEvent::hash).collect(), "{filter:?}");
    }
}

#[tokio::test]
async fn a_quiet_time_is_passed_over_a_page_at_a_time() {
    let world = World::new().await;
    let reader = world.viewer("admin").await;
    put(&world, vec![event(1, world.clock.now(), "team.created", reader.origin())]).await;
    world.clock.advance(SignedDuration::from_hours(24 * 100));
    let page = audit::list(&world.services, &reader, &EventFilter::default(), None, 50).await.unwrap();
    assert!(page.entries.is_empty() && page.next.is_some());
    assert_eq!(listed(&world, &reader, &EventFilter::default(), 50).await.len(), 1);
    let by_actor = EventFilter { actor: Some(Who::User(reader.user.id)), ..EventFilter::default() };
    let page = audit::list(&world.services, &reader, &by_actor, None, 50).await.unwrap();
    assert_eq!((page.entries.len(), page.next), (1, None), "of an actor it is months that are passed over");
}

#[tokio::test]
async fn nothing_of_the_trail_is_for_who_may_not_see_it() {
    let world = World::new().await;
    let viewer = world.viewer("manager").await;
    let (services, team) = (&world.services, AuditedId::Team(world.team_id("Est")));
    let forbidden = |error: Option<AppError>| assert!(matches!(error, Some(AppError::Forbidden)), "{error:?}");
    forbidden(audit::list(services, &viewer, &EventFilter::default(), None, 1).await.err());
    forbidden(audit::versions(services, &viewer, &team, None, 1).await.err());
    forbidden(audit::history(services, &viewer, &team, None, 1).await.err());
    forbidden(audit::event(services, &viewer, &team, &Place::Version(1)).await.err());
    forbidden(audit::as_of(services, &viewer, &team, world.clock.now()).await.err());
    forbidden(audit::diff(services, &viewer, &team, 0, 1).await.err());
    forbidden(audit::names(services, &viewer, &[]).await.err());
    forbidden(audit::rows(services, &viewer, ImportId::new(world.clock.now(), &[1; 10]), Piece::whole(1), "", None, 1).await.err());
    forbidden(gaps::of_record(services, &viewer, &team, None, 1).await.err());
    forbidden(gaps::of_type(services, &viewer, "team", None, 1).await.err());
}

#[tokio::test]
async fn who_may_not_see_contacts_is_told_which_fields_changed_and_no_value_and_an_erased_one_says_nothing_to_anybody() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, admin, auditor) = (&world.services, world.viewer("admin").await, auditor(&world).await);
    let contact = created(&world, &admin, "514-555-0123", "Zoé Roy").await;
    trail.follow().await;
    let contact = renamed(&world, &admin, &contact, "Zoé R.").await;
    trail.follow().await;
    let (_, note) =
        contacts::add_note(services, &admin, AddNote { id: Some(contact.id.clone()), body: "A secret".to_owned(), idempotency_key: None }).await.unwrap().unwrap();
    trail.follow().await;
    let record = AuditedId::Contact(contact.id.clone());
    let note = AuditedId::Note(contact.id.clone(), note.id);
    let newest = async |viewer: &Viewer, record: &AuditedId| audit::versions(services, viewer, record, None, 1).await.unwrap().entries.remove(0);
    let change = |old: &str, new: &str| FieldChange { field: "name".to_owned(), old: Some(json!(old)), new: Some(json!(new)) };
    let view = newest(&admin, &record).await;
    assert_eq!((view.changes, view.masked), (Some(vec![change("Zoé Roy", "Zoé R.")]), false));
    let view = newest(&auditor, &record).await;
    assert_eq!((view.changes, view.masked), (Some(vec![change(MASK, MASK)]), true));
    let body = |view: EventView| view.changes.unwrap().into_iter().find(|change| change.field == "body").unwrap().new;
    assert_eq!(body(newest(&admin, &note).await), Some(json!("A secret")));
    assert_eq!(body(newest(&auditor, &note).await), Some(json!(MASK)));
    let now = world.clock.now();
    let then = audit::as_of(services, &auditor, &record, now).await.unwrap().unwrap();
    assert!(then.fields.contains_key("phone") && then.fields.values().all(|value| *value == json!(MASK)));
    let difference = audit::diff(services, &auditor, &record, 1, 2).await.unwrap().unwrap();
    assert_eq!(difference.changes, [change(MASK, MASK)], "what is the same in both doesn't differ because it is masked");
    assert!(audit::names(services, &auditor, &[(record.clone(), now)]).await.unwrap().is_empty());
    let masked = listed(&world, &auditor, &EventFilter { actor: Some(Who::User(admin.user.id)), ..EventFilter::default() }, 50).await;
    assert!(masked.len() == 3 && masked.iter().all(|view| view.masked));

    world.clock.advance(SignedDuration::from_secs(1));
    contacts::erase(services, &admin, Some(contact.id.clone()), "asked for").await.unwrap().unwrap();
    trail.follow().await;
    let events = of_record(&world, &admin, &record, 50).await;
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].changes.as_ref().unwrap()[0].field, "erasedAt");
    assert!(events[1..].iter().all(|view| view.changes.is_none()));
    assert!(newest(&admin, &note).await.changes.is_none());
    let then = audit::as_of(services, &admin, &record, contact.record.updated_at()).await.unwrap().unwrap();
    assert!(then.fields.is_empty(), "{then:?}");
}

#[tokio::test]
async fn names_are_those_that_records_had_at_the_time() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, admin) = (&world.services, world.viewer("admin").await);
    let (status, role) = (admin.settings.status_by_code("attempted").unwrap().clone(), admin.settings.role_by_code("telephonist").unwrap().clone());
    let (team, agent) = (world.team_id("Est"), world.user_id("telephonist").into());
    let winner = created(&world, &admin, "514-555-0123", "Winner").await;
    trail.follow().await;
    let loser = created(&world, &admin, "514-555-0124", "Loser").await;
    trail.follow().await;
    contacts::merge(services, &admin, MergeContacts { winner: Some(winner.id.clone()), loser: Some(loser.id), ..MergeContacts::default() }).await.unwrap().unwrap();
    trail.follow().await;
    let before = world.clock.now();
    world.clock.advance(SignedDuration::from_mins(10));
    let name = |name: &str| Some(Some(name.to_owned()));
    let patch = StatusPatch { name: name("Tried"), ..StatusPatch::default() };
    statuses::update(services, &admin, UpdateStatus { id: Some(status.id), expected_version: 1, patch }).await.unwrap().unwrap();
    let admin = world.viewer("admin").await;
    roles::update(services, &admin, UpdateRole { id: Some(role.id), expected_version: 1, patch: RolePatch { name: name("Caller"), permissions: None } })
        .await
        .unwrap()
        .unwrap();
    teams::update(services, &admin, UpdateTeam { id: Some(team), expected_version: 1, name: name("Orient") }).await.unwrap().unwrap();
    agents::update(services, &admin, UpdateAgent { id: Some(agent), expected_version: 1, patch: AgentPatch { name: name("Théo T."), ..AgentPatch::default() } })
        .await
        .unwrap()
        .unwrap();
    let stored = switchboard_store::contacts::get(&services.core, &world.tenant, &winner.id).await.unwrap().unwrap();
    renamed(&world, &admin, &stored.contact, "Champion").await;
    trail.follow().await;
    let after = world.clock.now();
    for (record, then, now) in [
        (AuditedId::ContactStatus(status.id), status.name.as_str(), "Tried"),
        (AuditedId::Role(role.id), role.name.as_str(), "Caller"),
        (AuditedId::Team(team), "Est", "Orient"),
        (AuditedId::Agent(agent), "Théo Tremblay", "Théo T."),
        (AuditedId::Contact(winner.id.clone()), "Winner", "Champion"),
    ] {
        let names = audit::names(services, &admin, &[(record.clone(), before), (record.clone(), after)]).await.unwrap();
        assert_eq!((names[&(record.clone(), before)].as_str(), names[&(record.clone(), after)].as_str()), (then, now), "{record:?}");
    }
    let unknown = AuditedId::Team(TeamId::new(before, &[9; 10]));
    assert!(audit::names(services, &admin, &[(unknown, before)]).await.unwrap().is_empty());
}

/// A record of each kind that has versions, all of it on record.
async fn one_of_each(world: &World, trail: &mut Trail<'_>) -> Vec<AuditedId> {
    let (services, admin) = (&world.services, world.viewer("admin").await);
    let contact = created(world, &admin, "514-555-0123", "Zoé Roy").await;
    let (_, note) =
        contacts::add_note(services, &admin, AddNote { id: Some(contact.id.clone()), body: "A note".to_owned(), idempotency_key: None }).await.unwrap().unwrap();
    let suppression = suppressions::add(services, &admin, AddSuppression { phone: "514-555-0199".to_owned(), ..AddSuppression::default() }).await.unwrap().unwrap();
    let patch = PresencePatch { status: Some(PresenceStatus::Available), ..PresencePatch::default() };
    presence::update(services, &admin, UpdatePresence { patch, ..UpdatePresence::default() }).await.unwrap().unwrap();
    let input = WindowInput {
        date: jiff::civil::date(2026, 11, 23),
        start_time: "09:00".to_owned(),
        end_time: "12:00".to_owned(),
        ends_next_day: false,
        recurrence: Recurrence::Once,
        weekdays: Vec::new(),
        until: None,
    };
    schedules::add_window(services, &admin, AddWindow { agent: None, input, expected_version: None, idempotency_key: None }).await.unwrap().unwrap();
    let profile = Profile::of("weekly", ImportKind::Contacts, &[], &ImportOptions::default()).unwrap();
    let profile = Profile::saved(None, profile, world.clock.now(), admin.origin()).unwrap();
    assert!(import_profiles::save(&services.core, &world.tenant.scope, &profile, None).await.unwrap());
    let copy = CreateModel { name: "Ours".to_owned(), copy_of: Some(Some(ScoringModelId::PIPELINE)), ..CreateModel::default() };
    let model = models::create(services, &admin, copy).await.unwrap().unwrap().model.id();
    let record = Revisioned::created(Change::new("scoring_model.activated", world.clock.now(), admin.origin()));
    let active = ActiveScoringModel { record, model: pipeline() };
    assert!(scoring_models::save_active(&services.core, &world.tenant.scope, &active, None, None).await.unwrap());
    trail.follow().await;
    vec![
        AuditedId::Contact(contact.id.clone()),
        AuditedId::Note(contact.id, note.id),
        AuditedId::ContactStatus(admin.settings.status_by_code("new").unwrap().id),
        AuditedId::User(admin.user.id),
        AuditedId::Agent(admin.agent()),
        AuditedId::Team(world.team_id("Est")),
        AuditedId::Role(admin.settings.role_by_code("admin").unwrap().id),
        AuditedId::Suppression(suppression.suppression.id),
        AuditedId::Tenant(world.tenant.record.id),
        AuditedId::Presence(admin.agent()),
        AuditedId::Schedule(admin.agent()),
        AuditedId::ImportProfile(profile.key),
        AuditedId::ScoringModel(model),
        AuditedId::ActiveScoringModel(world.tenant.record.id),
    ]
}

#[tokio::test]
async fn a_record_of_every_kind_is_rebuilt_as_it_stood_from_its_trail_and_from_what_is_left_of_it() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let records = one_of_each(&world, &mut trail).await;
    let admin = world.viewer("admin").await;
    let now = world.clock.now();
    for record in &records {
        let then = audit::as_of(&world.services, &admin, record, now).await.unwrap().unwrap_or_else(|| panic!("nothing of {record:?}"));
        assert_eq!((then.version, then.updated_at), (1, then.created_at), "{record:?}");
        assert!(!then.fields.is_empty(), "{record:?}");
        let before = then.created_at.saturating_sub(SignedDuration::from_millis(1)).unwrap();
        assert_eq!(audit::as_of(&world.services, &admin, record, before).await.unwrap(), None, "{record:?}");
        let whole = audit::diff(&world.services, &admin, record, 0, 1).await.unwrap().unwrap();
        assert_eq!((whole.changes.len(), whole.from_at, whole.to_at), (then.fields.len(), None, Some(then.created_at)), "{record:?}");
        // Without its event the record itself tells the same; of a team also who is in it, whom the seeded events don't name.
        taken_out(&world, record, 1).await;
        let mut left = audit::as_of(&world.services, &admin, record, now).await.unwrap().unwrap();
        left.fields.retain(|field, _| !field.starts_with("members."));
        assert_eq!(left, then, "{record:?}");
    }
    for other in [AuditedId::Import(ImportId::new(now, &[1; 10])), AuditedId::Team(TeamId::new(now, &[1; 10])), AuditedId::Contact(ContactId::from_hash(&[1; 32]))] {
        assert_eq!(audit::as_of(&world.services, &admin, &other, now).await.unwrap(), None);
        assert_eq!(audit::diff(&world.services, &admin, &other, 0, 1).await.unwrap(), None);
    }
}

#[tokio::test]
async fn versions_differ_as_the_record_did_and_what_left_the_table_is_not_guessed() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, admin) = (&world.services, world.viewer("admin").await);
    let mut contact = created(&world, &admin, "514-555-0123", "Name 1").await;
    trail.follow().await;
    let mut times = vec![contact.record.updated_at()];
    for number in 2..=5 {
        world.clock.advance(SignedDuration::from_secs(10));
        contact = renamed(&world, &admin, &contact, &format!("Name {number}")).await;
        trail.follow().await;
        times.push(contact.record.updated_at());
    }
    let record = AuditedId::Contact(contact.id);
    let diff = async |from, to| audit::diff(services, &admin, &record, from, to).await.unwrap();
    let renaming = |from: u32, to: u32| FieldChange { field: "name".to_owned(), old: Some(json!(format!("Name {from}"))), new: Some(json!(format!("Name {to}"))) };
    for (from, to) in [(1, 5), (5, 1), (2, 3)] {
        let found = diff(from, to).await.unwrap();
        let time = |version: u32| Some(times[usize::try_from(version).unwrap() - 1]);
        assert_eq!((found.changes, found.from_at, found.to_at), (vec![renaming(from, to)], time(from), time(to)));
    }
    assert_eq!(diff(3, 3).await.unwrap().changes, []);
    for (from, to) in [(0, 0), (1, 6), (6, 1), (u32::MAX, 1)] {
        assert_eq!(diff(from, to).await, None);
    }
    taken_out(&world, &record, 1).await;
    taken_out(&world, &record, 2).await;
    assert_eq!(diff(3, 5).await.unwrap().changes, [renaming(3, 5)]);
    assert_eq!((diff(1, 3).await, diff(0, 3).await.unwrap().changes.len() > 1), (None, true));
    let then = async |at| audit::as_of(services, &admin, &record, at).await.unwrap().map(|then| (then.version, then.created_at, then.fields["name"].clone()));
    assert_eq!(then(times[2]).await, Some((3, times[0], json!("Name 3"))));
    assert_eq!(then(times[1]).await, None);
}

#[tokio::test]
async fn a_team_and_an_agent_both_tell_of_a_membership() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, admin) = (&world.services, world.viewer("admin").await);
    let (team, agent) = (world.team_id("West"), admin.agent());
    let before = world.clock.now();
    world.clock.advance(SignedDuration::from_secs(1));
    let place = PlaceMember { team: Some(team), agent: Some(agent), role: MembershipRole::TeamLead };
    teams::add_member(services, &admin, place).await.unwrap().unwrap();
    trail.follow().await;
    let after = world.clock.now();
    for (record, field) in [(AuditedId::Team(team), format!("members.{agent}")), (AuditedId::Agent(agent), format!("teams.{team}"))] {
        let events = of_record(&world, &admin, &record, 10).await;
        let change = events[0].changes.as_ref().unwrap().iter().find(|change| change.field == field).unwrap();
        assert_eq!((&change.old, &change.new), (&None, &Some(json!("TEAM_LEAD"))));
        let then = async |at| audit::as_of(services, &admin, &record, at).await.unwrap().unwrap().fields.get(&field).cloned();
        assert_eq!((then(before).await, then(after).await), (None, Some(json!("TEAM_LEAD"))));
    }
}

#[tokio::test]
async fn everything_on_record_about_a_record_is_one_list_by_time() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, admin) = (&world.services, world.viewer("admin").await);
    let mut contact = created(&world, &admin, "514-555-0123", "Name 0").await;
    trail.follow().await;
    let record = AuditedId::Contact(contact.id.clone());
    for number in 1..=10 {
        world.clock.advance(SignedDuration::from_secs(1));
        let now = world.clock.now();
        let mut viewed = event(0, now, "contact.viewed", admin.origin());
        (viewed.entity_type, viewed.entity_id, viewed.place) = ("contact".to_owned(), contact.id.to_string(), Place::beside(now, "contact.viewed"));
        put(&world, vec![viewed]).await;
        world.clock.advance(SignedDuration::from_secs(1));
        contact = renamed(&world, &admin, &contact, &format!("Name {number}")).await;
        trail.follow().await;
    }
    let about = EventFilter { record: Some(record.clone()), ..EventFilter::default() };
    for first in [1, 4, 100] {
        let found = listed(&world, &admin, &about, first).await;
        assert_eq!(found.len(), 21);
        assert!(found.windows(2).all(|pair| pair[0].stored.event.change.at > pair[1].stored.event.change.at));
    }
    let viewed = EventFilter { action: Some("contact.viewed".to_owned()), ..about.clone() };
    assert_eq!(listed(&world, &admin, &viewed, 3).await.len(), 10);
    let lately = EventFilter { from: Some(world.clock.now().saturating_sub(SignedDuration::from_secs(3)).unwrap()), ..about };
    assert_eq!(listed(&world, &admin, &lately, 100).await.len(), 4);
    assert_eq!(audit::history(services, &admin, &record, None, 100).await.unwrap().entries.len(), 11, "its history has its versions alone");
    let found = audit::event(services, &admin, &record, &Place::Version(3)).await.unwrap().unwrap();
    assert_eq!(found.stored.event.version(), Some(3));
    assert!(audit::event(services, &admin, &record, &Place::Version(30)).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_missing_is_found_of_one_record_and_of_all_of_a_kind() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let records = one_of_each(&world, &mut trail).await;
    let (services, admin) = (&world.services, world.viewer("admin").await);
    let of_type = async |kind: &str, first: usize| {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let page = gaps::of_type(services, &admin, kind, after.as_deref(), first).await.unwrap();
            found.extend(page.entries.into_iter().map(|(_, gap)| (gap.record, gap.version)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found
    };
    for record in &records {
        taken_out(&world, record, 1).await;
    }
    assert!(of_type("contact", 10).await.is_empty(), "what changed a moment ago may be on its way");
    world.clock.advance(SignedDuration::from_mins(2));
    for record in &records {
        let found = of_type(record.entity_type(), 1).await;
        assert_eq!(found, [(record.clone(), 1)], "{record:?}");
        let page = gaps::of_record(services, &admin, record, None, 10).await.unwrap();
        assert_eq!(page.entries.into_iter().map(|(_, gap)| (gap.record, gap.version)).collect::<Vec<_>>(), found);
    }
    for kind in ["import", "bulk_job", "person"] {
        assert!(matches!(gaps::of_type(services, &admin, kind, None, 1).await, Err(AppError::Asked(_))), "{kind}");
    }

    let mut contact = created(&world, &admin, "514-555-0124", "Name 1").await;
    trail.follow().await;
    for number in 2..=9 {
        contact = renamed(&world, &admin, &contact, &format!("Name {number}")).await;
        trail.follow().await;
    }
    world.clock.advance(SignedDuration::from_mins(2));
    let record = AuditedId::Contact(contact.id);
    for version in [1, 4, 5, 9] {
        taken_out(&world, &record, version).await;
    }
    for first in [1, 2, 10] {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = gaps::of_record(services, &admin, &record, after.as_deref(), first).await.unwrap();
            found.extend(page.entries.into_iter().map(|(_, gap)| gap.version));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, [9, 5, 4, 1]);
    }
    // Old enough to have left, what is oldest is no gap; one between others is.
    world.clock.advance(SignedDuration::from_hours(24 * (i64::from(world.tenant.record.retention_days) + 1)));
    let page = gaps::of_record(services, &admin, &record, None, 10).await.unwrap();
    assert_eq!(page.entries.into_iter().map(|(_, gap)| gap.version).collect::<Vec<_>>(), [9, 5, 4]);
    assert!(of_type("contact", 10).await.is_empty());
}

#[tokio::test]
async fn the_event_of_a_chunk_opens_into_its_rows() {
    let mut world = World::new().await;
    let bucket = Bucket::new(world.clock.clone());
    world.services.archive = bucket.files();
    let (import, rows) = made::import(&world, 1, &made::file(12));
    switchboard_app::imports::write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    let items: Vec<Item> = made::everything(&world.database).await.into_iter().filter(|item| switchboard_store::item::text(item, "type") == Some("contact")).collect();
    made::recorder(&world).record(items.iter().map(made::inserted).collect()).await.unwrap();
    let admin = world.viewer("admin").await;
    let mut list: Vec<ChunkRow> = Vec::new();
    for number in 0..12 {
        let contact = world.tenant.keyring.slot(&format!("+1519555{number:04}"));
        let stored = world.services.audit.get(world.tenant.record.id, "contact", contact.as_str(), &Place::Version(1)).await.unwrap().unwrap();
        list.push(ChunkRow::of_contact(&contact, Some(1), Some(stored.hash)));
    }
    bucket.put(&chunk_key(world.tenant.record.id, import.id, Piece::whole(1)), serde_json::to_vec(&list).unwrap());
    let root = made::root_of(list.iter().filter_map(|row| row.hash.as_deref()));
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = audit::rows(&world.services, &admin, import.id, Piece::whole(1), &root, after, 5).await.unwrap();
        found.extend(page.entries.into_iter().map(|(_, view)| view));
        let Some(next) = page.next else { break };
        after = next.parse().ok();
    }
    assert_eq!(found.iter().map(|view| view.stored.hash.clone()).collect::<Vec<_>>(), list.iter().filter_map(|row| row.hash.clone()).collect::<Vec<_>>());
    assert!(found.iter().all(|view| view.changes.as_ref().is_some_and(|changes| !changes.is_empty())));
    let without_rows = made::root_of([]);
    assert!(audit::rows(&world.services, &admin, import.id, Piece::whole(2), &without_rows, None, 5).await.unwrap().entries.is_empty());
    assert!(listed(&world, &admin, &EventFilter::default(), 50).await.is_empty(), "rows stand in no list by time");
    let of_contact = EventFilter { record: Some(AuditedId::Contact(ContactId::parse(&list[0].entity_id).unwrap())), import: Some(import.id), ..EventFilter::default() };
    assert_eq!(listed(&world, &admin, &of_contact, 50).await.len(), 1, "but with their record");
}

#[tokio::test]
async fn what_left_the_table_follows_from_the_archive_where_it_is_asked_for() {
    let mut world = World::new().await;
    let bucket = Bucket::new(world.clock.clone());
    world.services.archive = bucket.files();
    let admin = world.viewer("admin").await;
    let beginning = world.clock.now();
    let mut expected: Vec<String> = Vec::new();
    for number in 0..10 {
        world.clock.advance(SignedDuration::from_hours(20));
        let event = event(number, world.clock.now(), "team.created", admin.origin());
        expected.insert(0, event.hash());
        put(&world, vec![event]).await;
    }
    let origin = Origin { actor: Actor::import(ImportId::new(beginning, &[1; 10]), "people.csv"), ..Origin::system() };
    let contact = ContactId::from_hash(&[99; 32]);
    let row = AuditEvent { entity_type: "contact".to_owned(), entity_id: contact.to_string(), ..event(99, world.clock.now(), "contact.created", origin) };
    world.services.audit.insert(world.tenant.record.id, &[(row, Listing::RowOfImport)], world.clock.now(), KEPT).await.unwrap();
    archived(&world, &bucket).await;
    let end = world.clock.now();
    world.clock.advance(SignedDuration::from_hours(24 * (i64::from(world.tenant.record.retention_days) + 30)));
    let filter = EventFilter { from: Some(beginning), to: Some(end.saturating_add(SignedDuration::from_hours(1)).unwrap()), ..EventFilter::default() };
    for first in [3, 100] {
        assert_eq!(hashes(listed(&world, &admin, &filter, first).await), expected);
    }
    let by_admin = EventFilter { actor: Some(Who::User(admin.user.id)), ..filter.clone() };
    assert_eq!(hashes(listed(&world, &admin, &by_admin, 4).await), expected);
    let middle = beginning.saturating_add(SignedDuration::from_hours(101)).unwrap();
    assert_eq!(hashes(listed(&world, &admin, &EventFilter { from: Some(middle), ..filter.clone() }, 4).await), expected[..5]);
    assert!(listed(&world, &admin, &EventFilter { action: Some("team.deleted".to_owned()), ..filter }, 4).await.is_empty());
    let lately = EventFilter { to: Some(end), ..EventFilter::default() };
    assert!(listed(&world, &admin, &lately, 4).await.is_empty(), "without from it ends with the table");
}

/// For so long apart things happen in a [`Past`].
const STEP: SignedDuration = SignedDuration::from_hours(20);

/// What happened so long ago that the first part of it is beyond its time in the table, all of it in the archive: an import with its own events and the row that made
/// a contact, then changes of the contact, and between them that it was opened.
struct Past {
    world: World,
    admin: Viewer,
    beginning: Timestamp,
    contact: AuditedId,
    import: ImportId,
    /// Hashes of the contact's events, of the import's own, and of all that stand in lists by time, the newest first.
    of_contact: Vec<String>,
    of_import: Vec<String>,
    listed: Vec<String>,
}

impl Past {
    const EVENTS: u32 = 12;
    /// Events that are beyond their time; five of the contact's nine are not.
    const LEFT: u32 = 7;

    async fn new() -> Self {
        let mut world = World::new().await;
        let bucket = Bucket::new(world.clock.clone());
        world.services.archive = bucket.files();
        let (admin, beginning) = (world.viewer("admin").await, world.clock.now());
        let (contact, import) = (AuditedId::Contact(ContactId::from_hash(&[5; 32])), ImportId::new(beginning, &[1; 10]));
        let (own, by_import) = (AuditedId::Import(import), Origin { actor: Actor::import(import, "people.csv"), ..Origin::system() });
        let kept = SignedDuration::from_hours(24 * i64::from(world.tenant.record.retention_days));
        let mut past = Self { world, admin, beginning, contact, import, of_contact: Vec::new(), of_import: Vec::new(), listed: Vec::new() };
        for number in 0..Self::EVENTS {
            past.world.clock.advance(STEP);
            let now = past.world.clock.now();
            let (record, action, version, origin) = match number {
                0 => (&own, "import.created", None, past.admin.origin()),
                1 => (&past.contact, "contact.created", Some(1), by_import.clone()),
                2 => (&own, "import.chunk_written", None, by_import.clone()),
                3 => (&own, "import.completed", None, by_import.clone()),
                _ if number % 2 == 0 => (&past.contact, "contact.viewed", None, past.admin.origin()),
                _ => (&past.contact, "contact.updated", Some((number - 1) / 2), past.admin.origin()),
            };
            let event = AuditEvent {
                entity_type: record.entity_type().to_owned(),
                entity_id: record.entity_id(),
                place: version.map_or_else(|| Place::beside(now, action), Place::Version),
                ..event(number, now, action, origin)
            };
            let listing = if number == 1 { Listing::RowOfImport } else { Listing::Listed };
            let list = if *record == own { &mut past.of_import } else { &mut past.of_contact };
            list.insert(0, event.hash());
            if listing == Listing::Listed {
                past.listed.insert(0, event.hash());
            }
            past.world.services.audit.insert(past.world.tenant.record.id, &[(event, listing)], now, kept).await.unwrap();
        }
        let another_row = event(99, past.world.clock.now(), "team.created", by_import);
        past.world.services.audit.insert(past.world.tenant.record.id, &[(another_row, Listing::RowOfImport)], past.world.clock.now(), kept).await.unwrap();
        archived(&past.world, &bucket).await;
        // To the middle between the last of the one part and the first of the other.
        let left = i32::try_from(Self::LEFT).unwrap();
        let middle = beginning.saturating_add(STEP * left + STEP / 2).unwrap().saturating_add(kept).unwrap();
        past.world.clock.advance(middle.duration_since(past.world.clock.now()));
        past
    }

    /// The time of an event.
    fn at(&self, number: u32) -> Timestamp {
        self.beginning.saturating_add(STEP * (i32::try_from(number).unwrap() + 1)).unwrap()
    }

    fn since_the_beginning(&self) -> EventFilter {
        EventFilter { from: Some(self.beginning), ..EventFilter::default() }
    }

    fn about_the_contact(&self) -> EventFilter {
        EventFilter { record: Some(self.contact.clone()), ..self.since_the_beginning() }
    }

    fn about_the_import(&self) -> EventFilter {
        EventFilter { import: Some(self.import), ..self.since_the_beginning() }
    }
}

#[tokio::test]
async fn what_left_the_table_of_a_record_or_of_an_import_follows_from_the_archive_too() {
    let past = Past::new().await;
    let (world, admin) = (&past.world, &past.admin);
    // The database takes its time with what is beyond its time: the list is the same before and after.
    for _ in 0..2 {
        for first in [1, 2, 5, 100] {
            assert_eq!(hashes(listed(world, admin, &past.about_the_contact(), first).await), past.of_contact, "{first} a page");
            assert_eq!(hashes(listed(world, admin, &past.about_the_import(), first).await), past.of_import, "{first} a page");
        }
        expire(world).await;
    }
    let about = || past.about_the_contact();
    let viewed = EventFilter { action: Some("contact.viewed".to_owned()), ..about() };
    for first in [2, 100] {
        for (filter, expected) in [
            (EventFilter { from: Some(past.at(4)), ..about() }, &past.of_contact[..8]),
            (EventFilter { to: Some(past.at(5)), ..about() }, &past.of_contact[7..]),
            (EventFilter { from: Some(past.at(5)), to: Some(past.at(9)), ..about() }, &past.of_contact[3..7]),
            (EventFilter { import: Some(past.import), ..about() }, &past.of_contact[8..]),
            (EventFilter { actor: Some(Who::Import(past.import)), ..about() }, &past.of_contact[8..]),
            (EventFilter { from: None, ..about() }, &past.of_contact[..5]),
            (EventFilter { from: None, ..past.about_the_import() }, &past.of_import[..0]),
        ] {
            assert_eq!(hashes(listed(world, admin, &filter, first).await), expected, "{filter:?}");
        }
        assert_eq!(listed(world, admin, &viewed, first).await.len(), 4);
    }
    let page = audit::list(&world.services, admin, &about(), None, 5).await.unwrap();
    assert!(page.entries.len() == 5 && page.next.is_some(), "a page that ends with the table says where to go on");
}

#[tokio::test]
async fn what_was_told_from_the_table_is_not_told_again_from_the_archive_when_it_leaves_meanwhile() {
    for kind in ["contact", "import", "actor", "all"] {
        let past = Past::new().await;
        // The years since then are passed over.
        let at_that_time = EventFilter { to: Some(past.at(Past::EVENTS)), ..past.since_the_beginning() };
        let by_admin = EventFilter { actor: Some(Who::User(past.admin.user.id)), ..at_that_time.clone() };
        let (filter, expected) = match kind {
            "contact" => (past.about_the_contact(), past.of_contact.clone()),
            "import" => (past.about_the_import(), past.of_import.clone()),
            // The first event and those of the contact but for its row.
            "actor" => (by_admin, past.of_contact[..8].iter().chain(past.of_import.last()).cloned().collect()),
            _ => (at_that_time, past.listed.clone()),
        };
        let (mut found, mut after) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let page = audit::list(&past.world.services, &past.admin, &filter, after.as_deref(), 1).await.unwrap();
            found.extend(page.entries.into_iter().map(|(_, view)| view.stored.hash));
            after = page.next;
            if after.is_none() {
                break;
            }
            past.world.clock.advance(STEP);
            expire(&past.world).await;
        }
        assert_eq!(found, expected, "of {kind}");
    }
}

#[tokio::test]
async fn of_those_who_opened_a_record_in_one_minute_each_is_found_by_their_second() {
    let world = World::new().await;
    let admin = world.viewer("admin").await;
    let minute = world.clock.now();
    let second = |second: i64| minute.saturating_add(SignedDuration::from_secs(second)).unwrap();
    world.clock.advance(SignedDuration::from_mins(2));
    // Their places hold the minute and who it was.
    let viewed =
        |(who, at): (&str, i64)| AuditEvent { place: Place::beside(minute, &format!("contact.viewed#{who}")), ..event(1, second(at), "contact.viewed", admin.origin()) };
    let events: Vec<AuditEvent> = [("a", 50), ("b", 10), ("c", 20)].map(viewed).into();
    let record = AuditedId::of(&events[0]);
    put(&world, events).await;
    for (from, expected) in [(0, vec![20, 10, 50]), (15, vec![20, 50]), (30, vec![50]), (51, vec![])] {
        let filter = EventFilter { record: record.clone(), from: Some(second(from)), ..EventFilter::default() };
        let found: Vec<Timestamp> = listed(&world, &admin, &filter, 2).await.iter().map(|view| view.stored.event.change.at).collect();
        assert_eq!(found, expected.into_iter().map(second).collect::<Vec<_>>(), "from second {from}");
    }
}

#[tokio::test]
async fn a_contact_s_status_is_named_as_it_was_when_it_was_set() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, admin) = (&world.services, world.viewer("admin").await);
    let contact = created(&world, &admin, "514-555-0123", "Zoé").await;
    trail.follow().await;
    let attempted: StatusId = admin.settings.status_by_code("attempted").unwrap().id;
    contacts::set_status(services, &admin, SetStatus { id: Some(contact.id.clone()), status: Some(attempted), ..SetStatus::default() }).await.unwrap().unwrap();
    trail.follow().await;
    world.clock.advance(SignedDuration::from_secs(5));
    let patch = StatusPatch { name: Some(Some("Tried".to_owned())), ..StatusPatch::default() };
    statuses::update(services, &admin, UpdateStatus { id: Some(attempted), expected_version: 1, patch }).await.unwrap().unwrap();
    trail.follow().await;
    let view = audit::versions(services, &admin, &AuditedId::Contact(contact.id), None, 1).await.unwrap().entries.remove(0);
    let change = view.changes.unwrap().into_iter().find(|change| change.field == "status").unwrap();
    let named = audit::named_in("status", change.new.as_ref().unwrap());
    assert_eq!(named, [AuditedId::ContactStatus(attempted)]);
    let asked = (named[0].clone(), view.stored.event.change.at);
    assert_eq!(audit::names(services, &admin, std::slice::from_ref(&asked)).await.unwrap()[&asked], "Attempted");
}
