//! Imports of numbers that must not be called.

use std::collections::{BTreeMap, HashSet};

use futures::future::join;
use jiff::SignedDuration;
use jiff::civil::date;
use switchboard_app::Services;
use switchboard_app::audit::Report;
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::imports::{ChunkResult, write_rows};
use switchboard_app::suppressions::{self, AddSuppression, RemoveSuppression};
use switchboard_domain::audit::{Changes, Place};
use switchboard_domain::contact::{Contact, ContactInput};
use switchboard_domain::imports::{BlankCells, Import, ImportKind, ImportOptions, OnDeleted, OnExisting, Row, RowCounts, sniff};
use switchboard_domain::suppression::{Suppression, id_of};
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Fault, World};

use crate::made;

const PHONE: &str = "514-555-0123";
const E164: &str = "+15145550123";

/// An import of numbers in its writing phase, and the rows of its file.
fn import(world: &World, seed: u8, file: &str, options: ImportOptions) -> (Import, Vec<Row>) {
    let (import, rows) = made::import(world, seed, file);
    let mapping = sniff(file.as_bytes(), true, "CA").unwrap().mapping(ImportKind::Suppressions, "CA");
    (Import { kind: ImportKind::Suppressions, mapping, options, file_name: "dncl.csv".to_owned(), ..import }, rows)
}

async fn write_with(world: &World, seed: u8, file: &str, options: ImportOptions) -> ChunkResult {
    let (import, rows) = import(world, seed, file, options);
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap()
}

async fn write(world: &World, seed: u8, file: &str) -> ChunkResult {
    write_with(world, seed, file, ImportOptions::default()).await
}

fn counts(created: u64, updated: u64, unchanged: u64) -> RowCounts {
    RowCounts { created, updated, unchanged, ..RowCounts::default() }
}

/// A list of `count` numbers.
fn list(count: usize) -> String {
    let rows: String = (0..count).map(|index| format!("519-555-{index:04},registry,2026-11-02\n")).collect();
    format!("phone,source,listed at\n{rows}")
}

async fn entry(world: &World, e164: &str) -> Option<Suppression> {
    switchboard_store::suppressions::find(&world.database.core, &world.tenant.scope, &id_of(&world.tenant.keyring, e164)).await.unwrap()
}

async fn add(world: &World, phone: &str, source: &str) -> Suppression {
    let request = AddSuppression { phone: phone.to_owned(), source: Some(source.to_owned()), ..AddSuppression::default() };
    suppressions::add(&world.services, &world.viewer("admin").await, request).await.unwrap().unwrap().suppression
}

async fn take_off(world: &World, phone: &str) -> Suppression {
    let request = RemoveSuppression { phone: Some(phone.to_owned()), id: None, reason: "a mistake".to_owned() };
    suppressions::remove(&world.services, &world.viewer("admin").await, request).await.unwrap().unwrap()
}

async fn contact(world: &World, phone: &str) -> Contact {
    let request = CreateContact { input: ContactInput { phone: phone.to_owned(), ..ContactInput::default() }, ..CreateContact::default() };
    contacts::create(&world.services, &world.viewer("admin").await, request).await.unwrap().unwrap()
}

async fn is_marked(world: &World, contact: &Contact) -> bool {
    contacts::get(&world.services, &world.viewer("admin").await, &contact.id).await.unwrap().unwrap().suppressed
}

async fn items(world: &World) -> Vec<Item> {
    made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("suppression")).collect()
}

/// What every entry says, and how often it was changed.
async fn said(world: &World) -> BTreeMap<String, (String, bool, u32, Option<String>)> {
    let entries = items(world).await.into_iter().map(|item| switchboard_store::suppressions::decode(item).unwrap());
    let said = |entry: &Suppression| (entry.source.clone(), entry.is_in_force(), entry.record.version, entry.listed_at.map(|day| day.to_string()));
    entries.map(|entry| (entry.id.to_string(), said(&entry))).collect()
}

#[tokio::test]
async fn a_row_without_its_number_fails_and_any_other_value_that_is_not_valid_is_left_out() {
    let world = World::new().await;
    let file = "phone,reason,source,listed at\nnonsense,a,b,2026-11-02\n514-555-0101,a,b,2/11/2026\n514-555-0102,,b,2026-11-02\n";
    let result = write(&world, 1, file).await;
    assert_eq!(result.counts, RowCounts { created: 2, failed: 1, warned: 1, ..RowCounts::default() });
    let errors: Vec<(u64, Option<&str>, &str, bool)> =
        result.errors.iter().map(|error| (error.row, error.field.as_deref(), error.code.as_str(), error.warning)).collect();
    assert_eq!(errors, [(1, Some("phone"), "INVALID", false), (2, Some("listedAt"), "INVALID", true)]);
    assert_eq!((result.errors[0].value.as_deref(), result.errors[1].value.as_deref()), (Some("nonsense"), Some("2/11/2026")));
    let (warned, whole) = (entry(&world, "+15145550101").await.unwrap(), entry(&world, "+15145550102").await.unwrap());
    assert_eq!((warned.reason.as_deref(), warned.listed_at, warned.is_in_force()), (Some("a"), None, true));
    assert_eq!((whole.reason, whole.source.as_str(), whole.listed_at), (None, "b", Some(date(2026, 11, 2))));
}

#[tokio::test]
async fn entries_there_are_stay_or_cost_their_row_when_the_options_say_so() {
    let world = World::new().await;
    let before = add(&world, PHONE, "manual").await;
    let file = format!("phone,source\n{PHONE},registry\n");
    let with = |on_existing| ImportOptions { on_existing, ..ImportOptions::default() };
    assert_eq!(write_with(&world, 1, &file, with(OnExisting::Skip)).await.counts, RowCounts { skipped: 1, ..RowCounts::default() });
    let result = write_with(&world, 2, &file, with(OnExisting::Fail)).await;
    assert_eq!((result.counts, result.errors[0].code.as_str()), (RowCounts { failed: 1, ..RowCounts::default() }, "CONFLICT"));
    assert_eq!(entry(&world, E164).await, Some(before));
    let off = take_off(&world, PHONE).await;
    let skipping = ImportOptions { on_deleted: OnDeleted::Skip, ..ImportOptions::default() };
    assert_eq!(write_with(&world, 3, &file, skipping).await.counts, RowCounts { skipped: 1, ..RowCounts::default() });
    assert_eq!(entry(&world, E164).await, Some(off));
}

#[tokio::test]
async fn new_changed_and_same_entries_are_counted_and_what_is_the_same_is_not_written() {
    let world = World::new().await;
    let file = list(60);
    assert_eq!(write(&world, 1, &file).await.counts, counts(60, 0, 0));
    world.database.meter.reset();
    assert_eq!(write(&world, 2, &file).await.counts, counts(0, 0, 60));
    assert_eq!(world.database.meter.usage().total_write_units(), 0.0);
    let result = write(&world, 3, &file.replacen("registry", "another", 3)).await;
    assert_eq!(result.counts, counts(0, 3, 57));
    assert!(result.written.iter().all(|row| row.entity_type == "suppression" && row.version == Some(2)) && result.written.len() == 3, "{:?}", result.written);
    assert_eq!(write(&world, 4, "phone\n519-555-0000\n").await.counts, counts(0, 0, 1), "what a row doesn't say stays");
    let clearing = ImportOptions { blank_cells: BlankCells::Clear, ..ImportOptions::default() };
    assert_eq!(write_with(&world, 5, "phone,listed at\n519-555-0000,\n", clearing).await.counts, counts(0, 1, 0));
    let cleared = entry(&world, "+15195550000").await.unwrap();
    assert_eq!((cleared.source.as_str(), cleared.listed_at), ("another", None));
}

#[tokio::test]
async fn a_number_that_was_taken_off_comes_on_the_list_again() {
    let world = World::new().await;
    add(&world, PHONE, "manual").await;
    let off = take_off(&world, PHONE).await;
    let result = write(&world, 1, &format!("phone\n{PHONE}\n")).await;
    assert_eq!(result.counts, counts(0, 1, 0));
    let again = entry(&world, E164).await.unwrap();
    assert_eq!((again.is_in_force(), again.source.as_str(), again.record.version), (true, "dncl.csv", off.record.version + 1));
}

#[tokio::test]
async fn the_contact_at_a_number_is_marked_at_once_and_its_version_stays() {
    let world = World::new().await;
    let (new, listed) = (contact(&world, PHONE).await, contact(&world, "514-555-0124").await);
    add(&world, "514-555-0124", "manual").await;
    assert!(is_marked(&world, &listed).await);
    write(&world, 1, &format!("phone\n{PHONE}\n514-555-0124\n514-555-0125\n")).await;
    assert!(is_marked(&world, &new).await && is_marked(&world, &listed).await);
    let marked = contacts::get(&world.services, &world.viewer("admin").await, &new.id).await.unwrap().unwrap();
    assert_eq!((marked.record.version, &marked.record.last_change), (1, &new.record.last_change));
}

#[tokio::test]
async fn the_same_rows_again_count_the_same_and_write_nothing() {
    let world = World::new().await;
    write(&world, 1, &list(20)).await;
    take_off(&world, "519-555-0007").await;
    world.clock.advance(SignedDuration::from_secs(1));
    let (import, rows) = import(&world, 2, &list(40).replacen("registry", "another", 5), ImportOptions::default());
    world.clock.advance(SignedDuration::from_secs(1));
    let write = async |redelivered: bool| write_rows(&world.services, &world.tenant, &import, rows.clone(), &HashSet::new(), redelivered).await.unwrap();
    let first = write(false).await;
    assert_eq!(first.counts, counts(20, 6, 14));
    // Somebody takes one off that the import put there: what came later stays.
    take_off(&world, "519-555-0030").await;
    let before = made::everything(&world.database).await;
    for _ in 0..3 {
        let again = write(true).await;
        let written = |result: &ChunkResult| result.written.iter().map(|row| (row.entity_id.clone(), row.version)).collect::<HashSet<_>>();
        assert_eq!((again.counts, written(&again)), (first.counts, written(&first)));
    }
    let after = made::everything(&world.database).await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
}

#[tokio::test]
async fn a_row_that_comes_again_does_not_overwrite_what_was_changed_since() {
    let world = World::new().await;
    write(&world, 1, &list(1)).await;
    let (import, rows) = import(&world, 2, &list(1).replace("registry", "older"), ImportOptions::default());
    world.clock.advance(SignedDuration::from_secs(60));
    write(&world, 3, &list(1).replace("registry", "newer")).await;
    let again = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), true).await.unwrap();
    assert_eq!(again.counts, counts(0, 0, 1));
    assert_eq!(entry(&world, "+15195550000").await.unwrap().source, "newer");
}

/// Numbers that are listed otherwise, that were taken off, that a contact has, and 30 that are new.
async fn prepared(world: &World) -> (Contact, Import, Vec<Row>) {
    let contact = contact(world, "519-555-0003").await;
    add(world, "519-555-0000", "manual").await;
    add(world, "519-555-0001", "manual").await;
    take_off(world, "519-555-0001").await;
    world.clock.advance(SignedDuration::from_secs(1));
    let (import, rows) = import(world, 1, &list(32), ImportOptions::default());
    world.clock.advance(SignedDuration::from_secs(1));
    (contact, import, rows)
}

#[tokio::test]
async fn a_worker_that_is_killed_anywhere_leaves_what_comes_to_the_same() {
    let clean = World::new().await;
    let (_, import, rows) = prepared(&clean).await;
    let expected = write_rows(&clean.services, &clean.tenant, &import, rows, &HashSet::new(), false).await.unwrap().counts;
    assert_eq!(expected, counts(30, 2, 0));
    let expected_entries = said(&clean).await;
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for left in 0.. {
            let world = World::new().await;
            let (contact, import, rows) = prepared(&world).await;
            world.services.tenants.settings(&world.tenant.scope).await.unwrap();
            let dying = Services { core: world.database.without_retries().core, ..world.services.clone() };
            world.database.wire.cut_for_good(left, fault);
            let outcome = write_rows(&dying, &world.tenant, &import, rows.clone(), &HashSet::new(), false).await;
            let was_killed = world.database.wire.mend();
            assert_eq!(outcome.is_err(), was_killed, "{fault:?} after {left} requests: {outcome:?}");
            let again = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), true).await.unwrap();
            assert_eq!(again.counts, expected, "{fault:?} after {left} requests");
            assert_eq!(said(&world).await, expected_entries, "{fault:?} after {left} requests");
            assert!(is_marked(&world, &contact).await);
            if !was_killed {
                assert!(left > 5, "nothing was cut");
                break;
            }
        }
    }
}

#[tokio::test]
async fn two_imports_at_once_list_each_number_once() {
    let world = World::new().await;
    let file = list(120);
    let (first, second) = join(write(&world, 1, &file), write(&world, 2, &file)).await;
    assert_eq!((first.counts.total(), second.counts.total()), (120, 120));
    assert_eq!((first.counts.created + second.counts.created, first.counts.unchanged + second.counts.unchanged), (120, 120));
    assert!(said(&world).await.values().all(|(_, in_force, version, _)| *in_force && *version == 1));
}

#[tokio::test]
async fn of_1_000_new_numbers_each_costs_one_write_and_its_place_in_the_list() {
    let world = World::new().await;
    world.database.meter.reset();
    assert_eq!(write(&world, 1, &list(1_000)).await.counts, counts(1_000, 0, 0));
    let usage = world.database.meter.usage();
    let requests = BTreeMap::from([("BatchGetItem".to_owned(), 20), ("BatchExecuteStatement".to_owned(), 40)]);
    assert_eq!(usage.requests, requests);
    assert!(usage.read_units <= 2_000.0, "{}", usage.read_units);
    let written: BTreeMap<&str, f64> = usage.write_units.iter().filter(|(_, units)| **units > 0.0).map(|(place, units)| (place.as_str(), *units)).collect();
    assert_eq!(written, BTreeMap::from([("core", 1_000.0), ("core/GSI1", 1_000.0)]));
}

#[tokio::test]
async fn each_change_leaves_an_event_with_the_import_as_its_actor() {
    let world = World::new().await;
    let result = write(&world, 1, &format!("phone,source,listed at\n{PHONE},registry,2026-11-02\n")).await;
    let first = items(&world).await.remove(0);
    write(&world, 2, &format!("phone,source\n{PHONE},another\n")).await;
    let second = items(&world).await.remove(0);
    let report = made::recorder(&world).record(vec![made::inserted(&first), made::changed(&first, &second)]).await.unwrap();
    assert_eq!(report, Report { recorded: 2, ..Report::default() });
    for (version, action, changed) in [(1, "suppression.added", vec!["listedAt", "source"]), (2, "suppression.updated", vec!["source"])] {
        let id = &result.written[0].entity_id;
        let event = world.database.audit.get(world.tenant.record.id, "suppression", id, &Place::Version(version)).await.unwrap().unwrap().event;
        let Changes::Clear(changes) = &event.changes else { panic!("{event:?}") };
        let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
        assert_eq!((event.change.action.as_str(), fields, event.change.origin.import_id().is_some()), (action, changed, true));
    }
}
