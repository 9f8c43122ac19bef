//! What an import costs the audit: at most one write unit a row, because no row stands in a list by itself. Its chunks do, by one event each.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard_app::audit::{Recorder, Report, StreamRecord};
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::imports::write_rows;
use switchboard_domain::contact::ContactInput;
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Bucket, Usage, World};

use crate::made;

/// Unoptimised, two imports of ten times as many take minutes.
const ROWS: usize = 1_000;
/// Records that the stream hands over at once.
const BATCH: usize = 100;

async fn contacts_of(world: &World) -> Vec<Item> {
    made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("contact")).collect()
}

/// Imports a file; what the stream says of each row, and of the end of their chunk.
async fn imported(world: &World, results: &Bucket, seed: u8, file: &str) -> (Vec<StreamRecord>, StreamRecord) {
    let key = |item: &Item| text(item, "PK").unwrap().to_owned();
    let before: HashMap<String, Item> = contacts_of(world).await.into_iter().map(|item| (key(&item), item)).collect();
    let (import, rows) = made::import(world, seed, file);
    made::begin(world, &import).await;
    let result = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    let end = made::written(world, results, &import, &result.written).await;
    let record = |new: &Item| before.get(&key(new)).map_or_else(|| made::inserted(new), |old| made::changed(old, new));
    (contacts_of(world).await.iter().map(record).collect(), end)
}

/// What recording costs, by batches as the stream delivers them.
async fn recorded(world: &World, recorder: &Recorder, records: &[StreamRecord]) -> Usage {
    world.database.meter.reset();
    let mut count = 0;
    for batch in records.chunks(BATCH) {
        count += recorder.record(batch.to_vec()).await.unwrap().recorded;
    }
    assert_eq!(count, records.len());
    world.database.meter.usage()
}

fn units(usage: &Usage, place: &str) -> f64 {
    usage.write_units.get(place).copied().unwrap_or_default()
}

/// The write units of the audit table and of its two indexes. Recording writes nothing else.
fn of_audit(usage: &Usage) -> (f64, f64, f64) {
    let units = (units(usage, "audit"), units(usage, "audit/GSI1"), units(usage, "audit/GSI2"));
    assert_eq!(usage.total_write_units(), units.0 + units.1 + units.2, "{usage:?}");
    units
}

#[tokio::test]
async fn a_row_of_an_import_costs_the_audit_one_write_unit_and_stands_in_no_list_but_its_chunk_does() {
    let world = World::new().await;
    let (results, archive) = (Bucket::new(world.clock.clone()), Bucket::new(world.clock.clone()));
    let recorder = Recorder { results: results.files(), archive: archive.files(), ..made::recorder(&world) };
    let (file, rows) = (made::file(ROWS), f64::from(u32::try_from(ROWS).unwrap()));
    for (seed, file) in [(1, file.clone()), (2, file.replace("Windsor", "Tecumseh"))] {
        let (records, end) = imported(&world, &results, seed, &file).await;
        assert_eq!(records.len(), ROWS);
        let usage = recorded(&world, &recorder, &records).await;
        println!("import {seed}: {} audit write units a row", usage.total_write_units() / rows);
        let (table, by_actor, by_day) = of_audit(&usage);
        assert!(table <= rows, "{usage:?}");
        assert_eq!((by_actor, by_day), (0.0, 0.0), "{usage:?}");
        let usage = recorded(&world, &recorder, std::slice::from_ref(&end)).await;
        assert_eq!(of_audit(&usage), (1.0, 1.0, 1.0), "{usage:?}");
        assert_eq!(recorder.record(vec![end]).await.unwrap(), Report { repeated: 1, ..Report::default() });
    }
    let events = world.database.client.execute_statement().statement("SELECT * FROM \"audit\"").send().await.unwrap().items.unwrap();
    for event in events {
        let is_listed = event.keys().any(|name| name.starts_with("GSI"));
        let is_of_chunk = text(&event, "action") == Some("import.chunk_written");
        assert!(is_listed == is_of_chunk && matches!(event.get("hash"), Some(AttributeValue::S(_))), "{event:?}");
    }
}

#[tokio::test]
async fn what_a_person_does_costs_a_write_unit_in_each_list_too() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let input = ContactInput { phone: "514-555-0123".to_owned(), name: Some("Zoé Roy".to_owned()), ..ContactInput::default() };
    let contact = contacts::create(&world.services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap();
    let record = made::inserted(&made::contact_item(&world, &contact.id).await);
    let usage = recorded(&world, &made::recorder(&world), &[record]).await;
    assert_eq!(of_audit(&usage), (1.0, 1.0, 1.0), "{usage:?}");
}
