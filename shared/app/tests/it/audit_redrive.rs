//! What was set aside is recorded once it can be.

use std::collections::HashSet;

use switchboard_app::audit::{Recorder, RedriveReport, Report, StreamRecord, redrive};
use switchboard_app::imports::write_rows;
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Bucket, World};

use crate::made;

/// A recorder whose letters go to a bucket.
fn recorder(world: &World, bucket: &Bucket) -> Recorder {
    Recorder { dead_letters: bucket.files(), ..made::recorder(world) }
}

/// A contact through four changes, as the stream tells them.
async fn changes(world: &World) -> Vec<StreamRecord> {
    let mut items: Vec<Item> = Vec::new();
    for (seed, city) in (1..).zip(["Windsor", "Tecumseh", "Essex", "Amherstburg"]) {
        let file = made::file(1).replace("Windsor", city);
        let (import, rows) = made::import(world, seed, &file);
        write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
        items.push(made::everything(&world.database).await.into_iter().find(|item| text(item, "type") == Some("contact")).unwrap());
    }
    let mut changes = vec![made::inserted(&items[0])];
    changes.extend(items.windows(2).map(|pair| made::changed(&pair[0], &pair[1])));
    for (index, change) in (8..).zip(&mut changes) {
        change.sequence = format!("{index}00");
    }
    changes
}

#[tokio::test]
async fn changes_that_were_set_aside_are_recorded_in_their_order_once_the_first_of_them_is_there() {
    let world = World::new().await;
    let bucket = Bucket::new(world.clock.clone());
    let recorder = recorder(&world, &bucket);
    let changes = changes(&world).await;
    // Their places in the stream, 900 to 1100, are not in the order of the alphabet.
    for change in changes.iter().skip(1).rev() {
        assert_eq!(recorder.record(vec![change.clone()]).await.unwrap(), Report { isolated: 1, ..Report::default() });
    }
    let letters = bucket.keys();
    assert_eq!(letters.len(), 3);
    let report = redrive(&recorder).await.unwrap();
    assert_eq!((report.recorded, report.left.len()), (0, 3));
    assert!(report.left.iter().all(|(key, reason)| letters.contains(key) && reason.contains("is missing")), "{report:?}");
    assert_eq!(bucket.keys(), letters, "they stay");
    recorder.record(vec![changes[0].clone()]).await.unwrap();
    assert_eq!(redrive(&recorder).await.unwrap(), RedriveReport { recorded: 3, ..RedriveReport::default() });
    assert_eq!(bucket.keys(), Vec::<String>::new());
    let id = world.tenant.keyring.slot("+15195550000");
    let page = world.services.audit.of_record(&world.tenant.scope, "contact", id.as_str(), None, 10).await.unwrap();
    assert_eq!(page.entries.iter().map(|stored| stored.event.version()).collect::<Vec<_>>(), [Some(4), Some(3), Some(2), Some(1)]);
    for pair in page.entries.windows(2) {
        assert_eq!(pair[0].event.previous_hash.as_ref(), Some(&pair[1].hash));
    }
}

#[tokio::test]
async fn a_letter_whose_event_is_there_goes_and_one_that_can_not_be_read_stays_and_stops_nothing() {
    let world = World::new().await;
    let bucket = Bucket::new(world.clock.clone());
    let recorder = recorder(&world, &bucket);
    let changes = changes(&world).await;
    recorder.record(vec![changes[1].clone()]).await.unwrap();
    recorder.record(changes).await.unwrap();
    bucket.put("records/A_first/C/1.json", b"no letter".to_vec());
    let report = redrive(&recorder).await.unwrap();
    assert_eq!((report.recorded, report.repeated, report.left.len()), (0, 1, 1), "{report:?}");
    assert_eq!(report.left[0].0, "records/A_first/C/1.json");
    assert_eq!(bucket.keys(), ["records/A_first/C/1.json"]);
}
