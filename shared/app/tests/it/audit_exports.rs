//! Exports of the audit trail: who may ask for what, what is in the file, and that it is verified without us.

use std::time::Instant;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use switchboard_app::audit_exports::{self, ExportMessage, ExportWorker, GivenRecord, StartExport, Stopped};
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::{AppError, Viewer};
use switchboard_domain::audit::{AuditEvent, Changes, Outcome, Place, Verified, Verifier};
use switchboard_domain::audit_export::{AuditExport, AuditExportFilter, AuditExportFormat, SYSTEM};
use switchboard_domain::bulk_job::BulkJobStatus;
use switchboard_domain::change::Change;
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{AttributeValue, ContactInput};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AuditExportId, ContactId};
use switchboard_domain::permission::{Grant, Permission, Scope};
use switchboard_platform::signature_checker;
use switchboard_store::audit_events::Listing;
use switchboard_store::{audit_exports as stored, keys};
use switchboard_testkit::{Bucket, World};

use crate::audit_archive::{ROLES, STATUSES, Trail, soon};
use crate::bulk::codes;
use crate::made;

/// What nobody is to find who may not.
const NAME: &str = "Zoé Rautenstrauch";
const SECRET: &str = "046 454 286";
const FORMATS: [AuditExportFormat; 2] = [AuditExportFormat::Csv, AuditExportFormat::JsonLines];

fn filter() -> AuditExportFilter {
    AuditExportFilter::default()
}

fn of_record(kind: &str, id: impl ToString) -> AuditExportFilter {
    AuditExportFilter { entity_type: Some(kind.to_owned()), entity_id: Some(id.to_string()), ..filter() }
}

/// An export as an administrator's request writes it. There is no queue here: a test is its own.
async fn asked(world: &World, format: AuditExportFormat, filter: AuditExportFilter, readable: bool) -> AuditExport {
    let (services, now) = (&world.services, world.clock.now());
    let id = AuditExportId::new(now, &services.entropy.id());
    let export = AuditExport::asked(id, format, filter, readable, world.viewer("admin").await.origin(), now);
    assert!(stored::create(&services.core, &world.tenant.scope, &export, Vec::new()).await.unwrap());
    export
}

fn worker(world: &World, results: &Bucket) -> ExportWorker {
    ExportWorker { services: world.services.clone(), results: results.files(), queue: world.services.audit_export_queue.clone() }
}

fn message(world: &World, export: &AuditExport) -> ExportMessage {
    ExportMessage { tenant: world.tenant.record.id, export: export.id }
}

async fn read(world: &World, export: &AuditExport) -> AuditExport {
    stored::get(&world.services.core, &world.tenant.scope, export.id).await.unwrap().unwrap()
}

/// The file of an export that has ended well.
async fn file(world: &World, results: &Bucket, export: &AuditExport) -> (AuditExport, String) {
    let ended = read(world, export).await;
    assert_eq!((ended.status, ended.failure_reason.as_deref()), (BulkJobStatus::Completed, None));
    let key = results.keys().into_iter().find(|key| key.contains(&export.id.to_string()) && !key.contains("/rest/")).unwrap();
    let file = String::from_utf8(results.get(&key).unwrap()).unwrap();
    assert_eq!(ended.bytes, file.len() as u64);
    (ended, file)
}

async fn exported(world: &World, format: AuditExportFormat, filter: AuditExportFilter, readable: bool) -> (AuditExport, String) {
    let (export, results) = (asked(world, format, filter, readable).await, Bucket::new(world.clock.clone()));
    for _ in 0..2 {
        // A message that comes twice does no harm.
        assert_eq!(worker(world, &results).work(&message(world, &export), soon()).await.unwrap(), Stopped::Ended);
    }
    file(world, &results, &export).await
}

async fn verified(trail: &Trail, file: &str) -> Verified {
    let mut verifier = Verifier::new(signature_checker(&trail.key.signer().public_key().await.unwrap()).unwrap());
    file.lines().for_each(|line| verifier.line(line));
    verifier.finish()
}

/// The events of a file: their actions and places.
fn events(file: &str) -> Vec<(String, String)> {
    let lines = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let forms = lines.filter_map(|mut line| line.get_mut("form").map(Value::take));
    let place = |form: &Value| form["version"].as_u64().map_or_else(|| form["place"].as_str().unwrap().to_owned(), |version| version.to_string());
    forms.map(|form| (form["action"].as_str().unwrap().to_owned(), place(&form))).collect()
}

async fn created(world: &World, last: u32) -> ContactId {
    let input = ContactInput {
        phone: format!("514-555-{last:04}"),
        name: Some(NAME.to_owned()),
        attributes: vec![("SIN".to_owned(), AttributeValue::String(SECRET.to_owned()))],
        ..ContactInput::default()
    };
    let viewer = world.viewer_in_request("admin", &last.to_string()).await;
    contacts::create(&world.services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap().id
}

/// Deletes a contact; it is on record.
async fn deleted(world: &World, id: &ContactId) {
    let before = made::contact_item(world, id).await;
    contacts::delete(&world.services, &world.viewer("admin").await, Some(id.clone()), 1).await.unwrap().unwrap();
    let after = made::contact_item(world, id).await;
    assert_eq!(made::recorder(world).record(vec![made::changed(&before, &after)]).await.unwrap().recorded, 1);
}

/// Somebody who may do this and nothing else.
async fn with(world: &World, permissions: &[Permission]) -> Viewer {
    let mut viewer = world.viewer("telephonist").await;
    let user = std::sync::Arc::make_mut(&mut viewer.user);
    user.roles.clear();
    user.grants = permissions.iter().map(|permission| Grant { permission: *permission, scope: Scope::All }).collect();
    viewer
}

#[tokio::test]
async fn a_sealed_day_is_verified_with_the_key_and_whatever_is_done_to_the_file_shows() {
    let mut trail = Trail::new().await;
    for kind in ["contact_status", "role"] {
        trail.record(kind).await;
        trail.archive().await;
    }
    trail.wait_until("2026-11-22T03:00:00Z");
    assert_eq!(trail.seal().await.sealed, 1);
    trail.wait_until("2026-11-25T03:00:00Z");
    let (export, file) = exported(&trail.world, AuditExportFormat::JsonLines, filter(), true).await;
    let all = (STATUSES + ROLES) as u64;
    let whole = verified(&trail, &file).await;
    assert_eq!((whole.problems, whole.events, whole.days_sealed, whole.days_unsealed), (Vec::new(), all, 1, 0));
    assert_eq!(export.events, all);
    let lines: Vec<&str> = file.lines().collect();
    let without = |index: usize| lines.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, line)| format!("{line}\n")).collect::<String>();
    for index in 0..lines.len() {
        assert!(verified(&trail, &without(index)).await.problem_count > 0, "without line {index}");
    }
    for (old, new) in [("role.created", "role.updated"), ("\"events\":13", "\"events\":12"), ("Switchboard", "Nobody"), ("\"hashes\":\"", "\"hashes\":\"AAAA")] {
        assert!(file.contains(old), "{old}");
        assert!(verified(&trail, &file.replacen(old, new, 1)).await.problem_count > 0, "{old}");
    }
    let twice = file.replacen(lines[1], &format!("{}\n{}", lines[1], lines[1]), 1);
    assert!(verified(&trail, &twice).await.problem_count > 0);
}

#[tokio::test]
async fn events_that_were_archived_late_have_a_seal_of_their_own_and_the_chain_of_seals_is_whole() {
    let mut trail = Trail::new().await;
    trail.record("contact_status").await;
    trail.archive().await;
    trail.record("role").await;
    let late = trail.fresh().await;
    trail.wait_until("2026-11-22T12:00:00Z");
    assert_eq!(trail.seal().await.sealed, 1);
    trail.record("tenant").await;
    trail.archive().await;
    trail.wait_until("2026-11-23T02:00:00Z");
    assert_eq!(trail.seal().await.sealed, 1);
    trail.archive_again(late).await;
    trail.wait_until("2026-11-23T03:00:00Z");
    assert_eq!(trail.seal().await.sealed, 1);
    trail.world.clock.advance(SignedDuration::from_mins(1));
    let midnight = Some("2026-11-22T00:00:00Z".parse().unwrap());
    for (filter, events, seals, days) in [
        (filter(), STATUSES + ROLES + 1, 3, 2),
        (AuditExportFilter { to: midnight, ..filter() }, STATUSES + ROLES, 3, 1),
        (AuditExportFilter { from: midnight, ..filter() }, 1, 1, 1),
        (AuditExportFilter { entity_type: Some("role".to_owned()), ..filter() }, ROLES, 3, 1),
        (AuditExportFilter { action: Some("tenant.created".to_owned()), ..filter() }, 1, 1, 1),
    ] {
        let (_, file) = exported(&trail.world, AuditExportFormat::JsonLines, filter.clone(), false).await;
        let verified = verified(&trail, &file).await;
        assert_eq!((verified.problems, verified.events, verified.days_sealed), (Vec::new(), events as u64, days), "{filter:?}");
        assert_eq!(file.lines().filter(|line| line.starts_with("{\"seal\":")).count(), seals, "{filter:?}");
        assert_eq!(file.lines().filter(|line| line.starts_with("{\"leaves\":")).count() as u64, days, "{filter:?}");
    }
}

#[tokio::test]
async fn a_whole_export_begins_with_the_first_seal_of_all_so_days_that_are_cut_off_there_show() {
    let mut trail = Trail::new().await;
    trail.record("contact_status").await;
    trail.archive().await;
    trail.wait_until("2026-11-22T12:00:00Z");
    trail.record("role").await;
    trail.archive().await;
    // Before the day before it.
    assert_eq!(trail.seal_day(date(2026, 11, 22)).await.sealed, 1);
    trail.wait_until("2026-11-23T03:00:00Z");
    assert_eq!(trail.seal().await.sealed, 1);
    trail.world.clock.advance(SignedDuration::from_mins(1));
    let first_day = AuditExportFilter { to: Some("2026-11-22T00:00:00Z".parse().unwrap()), ..filter() };
    for (filter, days) in [(filter(), 2), (first_day.clone(), 1)] {
        let (_, file) = exported(&trail.world, AuditExportFormat::JsonLines, filter.clone(), false).await;
        let whole = verified(&trail, &file).await;
        assert_eq!((whole.problems, whole.days_sealed), (Vec::new(), days), "{filter:?}");
        let claims = whole.claims.unwrap();
        assert_eq!((claims.left_out(), claims.from, &claims.tenant), (None, None, &trail.tenant().to_string()));
        assert_eq!(file.lines().filter(|line| line.starts_with("{\"seal\":")).count(), 2);
    }
    let (_, file) = exported(&trail.world, AuditExportFormat::JsonLines, first_day, false).await;
    let first_seal = file.lines().find(|line| line.starts_with("{\"seal\":")).unwrap();
    let cut = verified(&trail, &file.replacen(&format!("{first_seal}\n"), "", 1)).await;
    assert_eq!(cut.problem_count, 1);
    assert!(cut.problems[0].what.contains("the seals before it are missing"), "{:?}", cut.problems);
}

#[tokio::test]
async fn the_export_of_a_record_has_its_chain_then_what_stands_beside_it_and_nothing_else() {
    let mut trail = Trail::new().await;
    let (id, _) = (created(&trail.world, 1).await, created(&trail.world, 2).await);
    trail.record("contact").await;
    trail.world.clock.advance(SignedDuration::from_mins(1));
    deleted(&trail.world, &id).await;
    let (world, now) = (&trail.world, trail.world.clock.now());
    let viewed = AuditEvent {
        entity_type: "contact".to_owned(),
        entity_id: id.to_string(),
        place: Place::beside(now, "contact.viewed"),
        change: Change::new("contact.viewed", now, world.viewer("admin").await.origin()),
        changes: Changes::Clear(Vec::new()),
        outcome: Outcome::Success,
        previous_hash: None,
        about: None,
    };
    let kept = SignedDuration::from_hours(24);
    assert_eq!(world.services.audit.insert(trail.tenant(), &[(viewed.clone(), Listing::Listed)], now, kept).await.unwrap(), [true]);
    let chain = [("contact.created".to_owned(), "1".to_owned()), ("contact.deleted".to_owned(), "2".to_owned()), ("contact.viewed".to_owned(), viewed.place.sort_key())];
    trail.world.clock.advance(SignedDuration::from_mins(1));
    let (_, file) = exported(&trail.world, AuditExportFormat::JsonLines, of_record("contact", &id), true).await;
    assert_eq!(events(&file), chain);
    let unsealed = verified(&trail, &file).await;
    assert_eq!((unsealed.problems, unsealed.days_sealed, unsealed.days_unsealed), (Vec::new(), 0, 1));
    trail.archive().await;
    trail.wait_until("2026-11-22T03:00:00Z");
    trail.seal().await;
    trail.world.clock.advance(SignedDuration::from_mins(1));
    for (filter, expected) in [
        (of_record("contact", &id), &chain[..]),
        (AuditExportFilter { action: Some("contact.deleted".to_owned()), ..of_record("contact", &id) }, &chain[1..2]),
        (AuditExportFilter { to: Some(now), ..of_record("contact", &id) }, &chain[..1]),
        (of_record("contact", ContactId::from_hash(&[9; 32])), &chain[..0]),
    ] {
        let (export, file) = exported(&trail.world, AuditExportFormat::JsonLines, filter.clone(), true).await;
        assert_eq!((events(&file).as_slice(), export.events), (expected, expected.len() as u64), "{filter:?}");
        let sealed = verified(&trail, &file).await;
        assert_eq!((sealed.problems, sealed.days_unsealed), (Vec::new(), 0), "{filter:?}");
    }
}

#[tokio::test]
async fn what_is_sealed_is_written_in_the_clear_for_who_asked_for_it_until_the_person_is_erased() {
    let mut trail = Trail::new().await;
    let (zoe, other) = (created(&trail.world, 1).await, created(&trail.world, 2).await);
    trail.record("contact").await;
    trail.archive().await;
    trail.world.clock.advance(SignedDuration::from_mins(1));
    let world = &trail.world;
    let email = {
        let viewer = world.viewer("admin").await;
        viewer.staff_email(&viewer.user.id.to_string(), &viewer.user.sealed_email).unwrap()
    };
    for format in FORMATS {
        for filter in [filter(), of_record("contact", &zoe)] {
            let (_, sealed) = exported(world, format, filter.clone(), false).await;
            let (_, readable) = exported(world, format, filter, true).await;
            assert!(!sealed.contains(NAME) && !sealed.contains(&email), "{sealed}");
            assert!(readable.contains(NAME) && readable.contains(&email) && readable.contains("•••"), "{readable}");
            assert!(!sealed.contains(SECRET) && !readable.contains(SECRET), "sensitive attributes are masked");
        }
    }
    contacts::erase(&world.services, &world.viewer("admin").await, Some(zoe.clone()), "They asked").await.unwrap().unwrap();
    for format in FORMATS {
        let (export, file) = exported(world, format, of_record("contact", &zoe), true).await;
        assert!(export.events == 1 && !file.contains(NAME), "{file}");
        let (_, file) = exported(world, format, of_record("contact", &other), true).await;
        assert!(file.contains(NAME), "{file}");
    }
}

#[tokio::test]
async fn a_worker_that_stops_after_each_step_writes_the_same_file() {
    let mut trail = Trail::new().await;
    let id = created(&trail.world, 1).await;
    for kind in ["contact", "contact_status"] {
        trail.record(kind).await;
        trail.archive().await;
    }
    trail.wait_until("2026-11-22T12:00:00Z");
    for kind in ["role", "tenant"] {
        trail.record(kind).await;
        trail.archive().await;
    }
    trail.wait_until("2026-11-23T03:00:00Z");
    assert_eq!(trail.seal().await.sealed, 2);
    trail.world.clock.advance(SignedDuration::from_mins(1));
    let world = &trail.world;
    for format in FORMATS {
        for filter in [filter(), of_record("contact", &id), AuditExportFilter { actor: Some(SYSTEM.to_owned()), ..filter() }] {
            let (whole, expected) = exported(world, format, filter.clone(), true).await;
            let (export, results) = (asked(world, format, filter, true).await, Bucket::new(world.clock.clone()));
            let mut steps = 0;
            loop {
                steps += 1;
                match worker(world, &results).work(&message(world, &export), Instant::now()).await {
                    Ok(Stopped::Ended) => break,
                    // Nothing listens where the queue would be.
                    Err(AppError::Platform(_)) if steps < 100 => {}
                    other => panic!("{other:?}"),
                }
            }
            let (ended, file) = file(world, &results, &export).await;
            assert_eq!(file, expected);
            assert!(steps > 2, "{steps} steps");
            assert_eq!((ended.events, ended.bytes), (whole.events, whole.bytes));
        }
    }
}

#[tokio::test]
async fn one_worker_of_two_goes_on() {
    let mut trail = Trail::new().await;
    trail.record("role").await;
    trail.archive().await;
    trail.world.clock.advance(SignedDuration::from_mins(1));
    let world = &trail.world;
    let (export, results) = (asked(world, AuditExportFormat::JsonLines, filter(), true).await, Bucket::new(world.clock.clone()));
    let (one, other) = (worker(world, &results), worker(world, &results));
    let message = message(world, &export);
    let (one, other) = tokio::join!(one.work(&message, soon()), other.work(&message, soon()));
    for stopped in [one.unwrap(), other.unwrap()] {
        assert!([Stopped::Ended, Stopped::Overtaken].contains(&stopped));
    }
    let (ended, file) = file(world, &results, &export).await;
    assert_eq!((ended.events, events(&file).len()), (ROLES as u64, ROLES));
}

#[tokio::test]
async fn times_and_actors_narrow_what_is_exported() {
    let mut trail = Trail::new().await;
    created(&trail.world, 1).await;
    trail.record("contact").await;
    trail.record("contact_status").await;
    trail.archive().await;
    trail.wait_until("2026-11-24T12:00:00Z");
    trail.record("role").await;
    trail.archive().await;
    trail.world.clock.advance(SignedDuration::from_mins(1));
    let world = &trail.world;
    let admin = world.user_id("admin").to_string();
    let at = |time: &str| Some(time.parse::<Timestamp>().unwrap());
    for (filter, expected) in [
        (filter(), 1 + STATUSES + ROLES),
        (AuditExportFilter { actor: Some(admin), ..filter() }, 1),
        (AuditExportFilter { actor: Some(SYSTEM.to_owned()), ..filter() }, STATUSES + ROLES),
        (AuditExportFilter { entity_type: Some("role".to_owned()), ..filter() }, ROLES),
        (AuditExportFilter { from: at("2026-11-22T00:00:00Z"), ..filter() }, ROLES),
        (AuditExportFilter { from: at("2026-11-20T00:00:00Z"), to: at("2026-11-24T12:00:00Z"), ..filter() }, 1 + STATUSES),
        (AuditExportFilter { from: at("2027-01-01T00:00:00Z"), ..filter() }, 0),
    ] {
        for format in FORMATS {
            let (export, _) = exported(world, format, filter.clone(), true).await;
            assert_eq!(export.events, expected as u64, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn an_export_is_refused_what_it_can_not_be() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let new = || StartExport::new(AuditExportFormat::Csv);
    let text = |text: &str| Some(text.to_owned());
    let at = |second: i64| Some(Timestamp::from_second(second).unwrap());
    for (request, expected) in [
        (StartExport { entity_type: text("person"), ..new() }, ("entityType", FieldErrorCode::Invalid)),
        (StartExport { record: Some(None), ..new() }, ("entityId", FieldErrorCode::NotFound)),
        (StartExport { actor: Some(None), ..new() }, ("actorId", FieldErrorCode::NotFound)),
        (StartExport { action: text("contact"), ..new() }, ("action", FieldErrorCode::Invalid)),
        (StartExport { action: text("contact.Updated"), ..new() }, ("action", FieldErrorCode::Invalid)),
        (StartExport { action: text(&"x".repeat(200)), ..new() }, ("action", FieldErrorCode::Invalid)),
        (StartExport { from: at(5), to: at(5), ..new() }, ("to", FieldErrorCode::Invalid)),
        (StartExport { idempotency_key: text(""), ..new() }, ("idempotencyKey", FieldErrorCode::Invalid)),
    ] {
        let refused = audit_exports::start(&world.services, &viewer, request.clone()).await.unwrap().unwrap_err();
        assert_eq!(codes(&refused), [expected], "{request:?}");
    }
    assert!(audit_exports::list(&world.services, &viewer, None, 10).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn only_who_may_see_and_export_the_trail_asks_for_it_and_only_who_sees_contacts_reads_of_them() {
    let world = World::new().await;
    let services = &world.services;
    let export = asked(&world, AuditExportFormat::Csv, filter(), true).await;
    let mut strangers = vec![with(&world, &[Permission::AuditExport]).await, with(&world, &[Permission::AuditRead, Permission::ContactExport]).await];
    for role in ["manager", "telephonist", "agent"] {
        strangers.push(world.viewer(role).await);
    }
    for viewer in strangers {
        assert!(matches!(audit_exports::start(services, &viewer, StartExport::new(AuditExportFormat::Csv)).await, Err(AppError::Forbidden)));
        assert!(matches!(audit_exports::get(services, &viewer, export.id).await, Err(AppError::Forbidden)));
        assert!(matches!(audit_exports::list(services, &viewer, None, 10).await, Err(AppError::Forbidden)));
        assert!(matches!(audit_exports::cancel(services, &viewer, Some(export.id)).await, Err(AppError::Forbidden)));
    }
    let supervisor = world.viewer("supervisor").await;
    assert!(audit_exports::get(services, &supervisor, export.id).await.unwrap().is_some());
    let auditor = with(&world, &[Permission::AuditExport, Permission::AuditRead]).await;
    let refused = audit_exports::start(services, &auditor, StartExport::new(AuditExportFormat::Csv)).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("readable", FieldErrorCode::NotAllowed)]);
    let sealed = StartExport { readable: false, ..StartExport::new(AuditExportFormat::Csv) };
    assert!(matches!(audit_exports::start(services, &auditor, sealed).await, Err(AppError::Platform(_))), "only the queue is missing");
}

#[tokio::test]
async fn a_link_is_given_to_who_may_read_the_file_and_is_on_record() {
    let mut world = World::new().await;
    let results = Bucket::new(world.clock.clone());
    world.services.results = results.files();
    let (auditor, admin) = (with(&world, &[Permission::AuditExport, Permission::AuditRead]).await, world.viewer("admin").await);
    let link = async |viewer: &Viewer, export: &AuditExport| audit_exports::file_url(&world.services, viewer, export).await.unwrap();
    for readable in [true, false] {
        let export = asked(&world, AuditExportFormat::Csv, of_record("team", "none"), readable).await;
        assert_eq!(link(&admin, &export).await, None, "there is no file yet");
        worker(&world, &results).work(&message(&world, &export), soon()).await.unwrap();
        let ended = read(&world, &export).await;
        assert!(link(&admin, &ended).await.unwrap().contains(&export.id.to_string()));
        assert_eq!(link(&auditor, &ended).await.is_some(), !readable);
        assert_eq!(link(&with(&world, &[Permission::ContactRead]).await, &ended).await, None);
        let page = world.services.audit.beside(&world.tenant.scope, "user", &admin.user.id.to_string(), None, 10).await.unwrap();
        let downloads = page.entries.iter().filter(|stored| stored.event.change.action == "data.downloaded");
        assert_eq!(downloads.filter(|stored| format!("{:?}", stored.event.changes).contains(&export.id.to_string())).count(), 1);
        world.clock.advance(SignedDuration::from_hours(7 * 24));
        assert_eq!(link(&admin, &ended).await, None, "it is removed after seven days");
    }
}

#[tokio::test]
async fn an_export_that_could_not_be_sent_is_one_export_however_often_it_is_asked_for() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let record = GivenRecord { entity_type: "contact".to_owned(), entity_id: ContactId::from_hash(&[1; 32]).to_string() };
    let request = StartExport { record: Some(Some(record)), idempotency_key: Some("key".to_owned()), ..StartExport::new(AuditExportFormat::JsonLines) };
    for _ in 0..2 {
        // Nothing listens where the queue would be.
        assert!(matches!(audit_exports::start(&world.services, &viewer, request.clone()).await, Err(AppError::Platform(_))));
    }
    let exports = audit_exports::list(&world.services, &viewer, None, 10).await.unwrap().entries;
    assert_eq!((exports.len(), exports[0].status), (1, BulkJobStatus::Queued));
    assert_eq!(exports[0].filter.record(), Some(("contact", ContactId::from_hash(&[1; 32]).as_str())));
    for other in [StartExport { format: AuditExportFormat::Csv, ..request.clone() }, StartExport { readable: false, ..request.clone() }] {
        let refused = audit_exports::start(&world.services, &viewer, other).await.unwrap().unwrap_err();
        assert_eq!(codes(&refused), [("idempotencyKey", FieldErrorCode::Conflict)]);
    }
    let unkeyed = StartExport { idempotency_key: None, ..request };
    assert!(matches!(audit_exports::start(&world.services, &viewer, unkeyed).await, Err(AppError::Platform(_))));
    let exports = audit_exports::list(&world.services, &viewer, None, 10).await.unwrap().entries;
    let failed = exports.iter().find(|export| export.status == BulkJobStatus::Failed).unwrap();
    assert!(exports.len() == 2 && failed.failure_reason.is_some(), "without a key nobody can send it again");
}

#[tokio::test]
async fn an_export_is_stopped_before_it_is_begun_or_while_it_is_written_and_not_behind_its_end() {
    let world = World::new().await;
    let (services, viewer, results) = (&world.services, world.viewer("supervisor").await, Bucket::new(world.clock.clone()));
    let waiting = asked(&world, AuditExportFormat::Csv, filter(), true).await;
    let cancelled = audit_exports::cancel(services, &viewer, Some(waiting.id)).await.unwrap().unwrap();
    assert_eq!((cancelled.status, cancelled.started_at), (BulkJobStatus::Cancelled, None));
    assert_eq!(worker(&world, &results).work(&message(&world, &waiting), soon()).await.unwrap(), Stopped::Ended);
    let running = asked(&world, AuditExportFormat::Csv, filter(), true).await;
    assert!(worker(&world, &results).work(&message(&world, &running), Instant::now()).await.is_err(), "it is begun, and can't be sent on");
    for _ in 0..2 {
        let asked = audit_exports::cancel(services, &viewer, Some(running.id)).await.unwrap().unwrap();
        assert_eq!((asked.status, asked.cancel_requested), (BulkJobStatus::Running, true));
    }
    assert_eq!(worker(&world, &results).work(&message(&world, &running), soon()).await.unwrap(), Stopped::Ended);
    assert_eq!(read(&world, &running).await.status, BulkJobStatus::Cancelled);
    assert!(results.keys().is_empty(), "{results:?}");
    for export in [&waiting, &running] {
        let refused = audit_exports::cancel(services, &viewer, Some(export.id)).await.unwrap().unwrap_err();
        assert_eq!(codes(&refused), [("id", FieldErrorCode::ForbiddenTransition)]);
    }
    for id in [None, Some(AuditExportId::new(world.clock.now(), &[9; 10]))] {
        assert!(matches!(audit_exports::cancel(services, &viewer, id).await, Err(AppError::NotFound)));
    }
}

#[tokio::test]
async fn exports_are_listed_newest_first() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.insert(0, asked(&world, AuditExportFormat::Csv, filter(), true).await.id);
        world.clock.advance(SignedDuration::from_millis(1));
    }
    let first = audit_exports::list(&world.services, &viewer, None, 2).await.unwrap();
    let rest = audit_exports::list(&world.services, &viewer, Some(&first.entries[1].id.to_string()), 2).await.unwrap();
    assert_eq!((first.has_more, rest.has_more), (true, false));
    assert_eq!(first.entries.iter().chain(&rest.entries).map(|export| export.id).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn that_an_export_was_asked_for_and_how_it_ended_is_on_record() {
    let world = World::new().await;
    let scope = &world.tenant.scope;
    let item = async |export: &AuditExport| world.services.core.get(scope, &keys::audit_export(scope, export.id)).await.unwrap().unwrap();
    let mut actions = Vec::new();
    for ending in ["data.exported", "audit_export.cancelled", "audit_export.failed"] {
        let export = asked(&world, AuditExportFormat::JsonLines, of_record("team", "none"), false).await;
        let before = item(&export).await;
        let now = world.clock.now();
        let begun = export.begun(now);
        let ended = match ending {
            "data.exported" => begun.written(&Default::default(), now),
            "audit_export.cancelled" => begun.cancelled(now),
            _ => begun.failed("Why", now),
        };
        for step in [&begun, &ended] {
            assert!(stored::save(&world.services.core, scope, step).await.unwrap());
        }
        let report = made::recorder(&world).record(vec![made::inserted(&before), made::changed(&before, &item(&export).await)]).await.unwrap();
        assert_eq!((report.recorded, report.isolated), (2, 0));
        let page = world.services.audit.beside(scope, "audit_export", &export.id.to_string(), None, 10).await.unwrap();
        for stored in &page.entries {
            let Changes::Clear(details) = &stored.event.changes else { panic!("sealed") };
            let detail = |name: &str| details.iter().find(|detail| detail.field == name).and_then(|detail| detail.new.clone());
            assert_eq!((detail("format"), detail("entityType")), (Some("JSON_LINES".into()), Some("team".into())));
            assert_eq!(detail("events").is_some(), stored.event.change.action != "audit_export.created");
            assert_eq!(detail("reason"), (stored.event.change.action == "audit_export.failed").then(|| "Why".into()));
        }
        let mut found: Vec<String> = page.entries.iter().map(|stored| stored.event.change.action.clone()).collect();
        found.sort();
        actions.push(found);
        let mut expected = vec!["audit_export.created".to_owned(), ending.to_owned()];
        expected.sort();
        assert_eq!(actions.last().unwrap(), &expected);
    }
}
