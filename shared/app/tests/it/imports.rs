//! Writing the rows of imports.

use std::collections::HashSet;

use switchboard_app::imports::write_rows;
use switchboard_domain::imports::RowCounts;
use switchboard_store::{Freshness, contacts};
use switchboard_testkit::{Fault, World};

use crate::made;

fn counts(created: u64, updated: u64, unchanged: u64) -> RowCounts {
    RowCounts { created, updated, unchanged, ..RowCounts::default() }
}

async fn write(world: &World, seed: u8, file: &str, redelivered: bool) -> RowCounts {
    let (import, rows) = made::import(world, seed, file);
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), redelivered).await.unwrap().counts
}

#[tokio::test]
async fn rows_are_created_then_unchanged_then_updated() {
    let world = World::new().await;
    let file = made::file(120);
    assert_eq!(write(&world, 1, &file, false).await, counts(120, 0, 0));
    world.database.meter.reset();
    assert_eq!(write(&world, 2, &file, false).await, counts(0, 0, 120));
    assert_eq!(world.database.meter.usage().total_write_units(), 0.0);
    let changed = file.replacen("Windsor", "Tecumseh", 3);
    assert_eq!(write(&world, 3, &changed, false).await, counts(0, 3, 117));
}

#[tokio::test]
async fn the_same_chunk_again_counts_the_same_and_writes_nothing() {
    let world = World::new().await;
    let before = made::file(30);
    write(&world, 1, &before, false).await;
    let mixed = made::file(60).replacen("Windsor", "Tecumseh", 10);
    let expected = counts(30, 10, 20);
    assert_eq!(write(&world, 2, &mixed, false).await, expected);
    let tables = made::everything(&world.database).await;
    for _ in 0..3 {
        assert_eq!(write(&world, 2, &mixed, true).await, expected);
    }
    let after = made::everything(&world.database).await;
    assert!(tables.len() == after.len() && tables.iter().all(|item| after.contains(item)));
}

#[tokio::test]
async fn a_batch_is_counted_once_however_it_goes_wrong() {
    for operation in ["BatchExecuteStatement", "BatchGetItem"] {
        for fault in [Fault::CutBefore, Fault::CutAfter, Fault::Throttled, Fault::Partial] {
            let world = World::new().await;
            world.services.tenants.settings(&world.tenant.scope).await.unwrap();
            world.database.wire.cut_next(operation, fault);
            assert_eq!(write(&world, 1, &made::file(60), false).await, counts(60, 0, 0), "{operation} {fault:?}");
        }
    }
}

#[tokio::test]
async fn what_a_read_was_answered_in_part_is_asked_for_again_as_far_as_it_is_left() {
    let world = World::new().await;
    write(&world, 1, &made::file(60), false).await;
    let ids: Vec<_> = (0..60).map(|number| world.tenant.keyring.slot(&format!("+1519555{number:04}"))).collect();
    world.database.meter.reset();
    world.database.wire.cut_next("BatchGetItem", Fault::Partial);
    let found = contacts::get_many(&world.database.core, &world.tenant, &ids, Freshness::Strong).await.unwrap();
    assert_eq!((found.len(), world.database.meter.usage().requests.get("BatchGetItem")), (60, Some(&2)));
}

#[tokio::test]
async fn an_update_that_goes_wrong_is_counted_as_one_update() {
    let world = World::new().await;
    let file = made::file(1);
    write(&world, 1, &file, false).await;
    for (seed, fault, city) in [(2, Fault::CutAfter, "Tecumseh"), (3, Fault::CutBefore, "Laval"), (4, Fault::Throttled, "Gatineau")] {
        world.database.wire.cut_next("PutItem", fault);
        assert_eq!(write(&world, seed, &file.replace("Windsor", city), false).await, counts(0, 1, 0), "{fault:?}");
    }
    let id = world.tenant.keyring.slot("+15195550000");
    let stored = contacts::get(&world.database.core, &world.tenant, &id).await.unwrap().unwrap();
    assert_eq!((stored.contact.record.version, stored.contact.details.city.as_deref()), (4, Some("Gatineau")));
}

#[tokio::test]
async fn a_redelivered_row_does_not_overwrite_what_was_changed_since() {
    let world = World::new().await;
    let file = made::file(1);
    write(&world, 1, &file, false).await;
    let (import, rows) = made::import(&world, 2, &file);
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    write(&world, 3, &file.replace("Windsor", "Tecumseh"), false).await;
    let again = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), true).await.unwrap();
    assert_eq!(again.counts, counts(0, 0, 1));
    let id = world.tenant.keyring.slot("+15195550000");
    let stored = contacts::get(&world.database.core, &world.tenant, &id).await.unwrap().unwrap();
    assert_eq!(stored.contact.details.city.as_deref(), Some("Tecumseh"));
}

#[tokio::test]
async fn failing_and_overtaken_rows_are_counted_and_named() {
    let world = World::new().await;
    let file = "phone,name,postal,country\n514-555-0001,A,,\nnonsense,B,,\n514-555-0001,C,,\n514-555-0002,D,ZZZ,CA\n";
    let (import, rows) = made::import(&world, 1, file);
    let result = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::from([1]), false).await.unwrap();
    assert_eq!(result.counts, RowCounts { created: 2, skipped: 1, failed: 1, warned: 1, ..RowCounts::default() });
    let errors: Vec<(u64, Option<&str>, &str)> = result.errors.iter().map(|error| (error.row, error.field.as_deref(), error.code.as_str())).collect();
    assert_eq!(errors, [(2, Some("phone"), "INVALID"), (4, Some("postalCode"), "INVALID")]);
    assert_eq!(result.errors[0].value.as_deref(), Some("nonsense"));
}
