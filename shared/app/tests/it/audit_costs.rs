//! What an import costs the audit: at most one write unit a row, because no row stands in a list by itself. Its chunks do, by one event each.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard_app::audit::StreamRecord;
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::imports::write_rows;
use switchboard_domain::contact::ContactInput;
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Usage, World};

use crate::made;

const ROWS: usize = 1_000;
/// Records that the stream hands over at once.
const BATCH: usize = 100;

async fn contacts_of(world: &World) -> Vec<Item> {
    made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("contact")).collect()
}

/// Imports a file; what the stream says of each row.
async fn imported(world: &World, seed: u8, file: &str) -> Vec<StreamRecord> {
    let before = contacts_of(world).await;
    let (import, rows) = made::import(world, seed, file);
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    let record = |new: &Item| match before.iter().find(|old| old["PK"] == new["PK"]) {
        None => made::inserted(new),
        Some(old) => made::changed(old, new),
    };
    contacts_of(world).await.iter().map(record).collect()
}

/// What recording costs, by batches as the stream delivers them.
async fn recorded(world: &World, records: &[StreamRecord]) -> Usage {
    world.database.meter.reset();
    let mut count = 0;
    for batch in records.chunks(BATCH) {
        count += made::recorder(world).record(batch.to_vec()).await.unwrap().recorded;
    }
    assert_eq!(count, records.len());
    world.database.meter.usage()
}

fn units(usage: &Usage, place: &str) -> f64 {
    usage.write_units.get(place).copied().unwrap_or_default()
}

#[tokio::test]
async fn a_row_of_an_import_costs_the_audit_one_write_unit_and_stands_in_no_list() {
    let world = World::new().await;
    let file = made::file(ROWS);
    for (seed, file) in [(1, file.clone()), (2, file.replace("Windsor", "Tecumseh"))] {
        let records = imported(&world, seed, &file).await;
        assert_eq!(records.len(), ROWS);
        let usage = recorded(&world, &records).await;
        let per_row = usage.total_write_units() / ROWS as f64;
        println!("import {seed}: {per_row} audit write units a row, {:?}", usage.write_units);
        assert!(per_row <= 1.0, "{usage:?}");
        assert_eq!((units(&usage, "audit/GSI1"), units(&usage, "audit/GSI2"), units(&usage, "core")), (0.0, 0.0, 0.0), "{usage:?}");
    }
    let events = world.database.client.execute_statement().statement("SELECT * FROM \"audit\"").send().await.unwrap().items.unwrap();
    for event in events {
        let is_listed = event.keys().any(|name| name.starts_with("GSI"));
        assert!(!is_listed && matches!(event.get("hash"), Some(AttributeValue::S(_))), "{event:?}");
    }
}

#[tokio::test]
async fn what_a_person_does_costs_a_write_unit_in_each_list_too() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let input = ContactInput { phone: "514-555-0123".to_owned(), name: Some("Zoé Roy".to_owned()), ..ContactInput::default() };
    let contact = contacts::create(&world.services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap();
    let record = made::inserted(&made::contact_item(&world, &contact.id).await);
    let usage = recorded(&world, &[record]).await;
    assert_eq!((units(&usage, "audit"), units(&usage, "audit/GSI1"), units(&usage, "audit/GSI2")), (1.0, 1.0, 1.0), "{usage:?}");
}
