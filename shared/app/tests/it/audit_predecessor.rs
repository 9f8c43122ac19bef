//! What stands before an event in its chain when that has left the table, and what stands at an event's own place.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use switchboard_app::audit::{Recorder, Report, StreamRecord};
use switchboard_domain::audit::{AuditEvent, Changes, Outcome, Place};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_store::audit_events::Listing;
use switchboard_store::item::{Item, text};
use switchboard_store::keys::audit_event;
use switchboard_testkit::Bucket;

use crate::audit_archive::Trail;
use crate::made;

const STATUS: &str = "contact_status";

/// The item of a status.
async fn status(trail: &Trail) -> Item {
    let items = made::everything(&trail.world.database).await;
    items.into_iter().find(|item| text(item, "type") == Some(STATUS)).unwrap()
}

/// The same status under another name, at its second version.
fn renamed(trail: &Trail, item: &Item) -> Item {
    let mut item = item.clone();
    for (name, value) in [("version", "2".to_owned()), ("revision", "2".to_owned()), ("updated_at", trail.world.clock.now().as_millisecond().to_string())] {
        item.insert(name.to_owned(), AttributeValue::N(value));
    }
    item.insert("name".to_owned(), AttributeValue::S("Renamed".to_owned()));
    item
}

async fn expired(trail: &Trail, id: &str) {
    let key = audit_event(trail.tenant(), STATUS, id, &Place::Version(1));
    let request = trail.world.database.client.delete_item().table_name("audit").key("PK", AttributeValue::S(key.pk)).key("SK", AttributeValue::S(key.sk));
    request.send().await.unwrap();
}

#[tokio::test]
async fn a_record_that_was_not_changed_for_longer_than_events_are_kept_goes_on_with_its_chain() {
    let mut trail = Trail::new().await;
    trail.record(STATUS).await;
    trail.archive().await;
    let mut before = status(&trail).await;
    // What a world begins with was made before it begins; the event was recorded now.
    before.insert("updated_at".to_owned(), AttributeValue::N(trail.world.clock.now().as_millisecond().to_string()));
    let id = text(&before, "id").unwrap().to_owned();
    let audit = trail.world.services.audit.clone();
    let first = audit.get(trail.tenant(), STATUS, &id, &Place::Version(1)).await.unwrap().unwrap();
    expired(&trail, &id).await;
    let recorder = |trail: &Trail| Recorder { archive: trail.bucket.files(), dead_letters: trail.bucket.files(), ..made::recorder(&trail.world) };
    trail.world.clock.advance(SignedDuration::from_hours(24 * 300));
    let young = made::changed(&before, &renamed(&trail, &before));
    assert_eq!(recorder(&trail).record(vec![young]).await.unwrap(), Report { isolated: 1, ..Report::default() }, "so early nothing expires: it is missing");
    trail.world.clock.advance(SignedDuration::from_hours(24 * 100));
    let record = made::changed(&before, &renamed(&trail, &before));
    assert_eq!(recorder(&trail).record(vec![record]).await.unwrap(), Report { recorded: 1, ..Report::default() });
    let second = audit.get(trail.tenant(), STATUS, &id, &Place::Version(2)).await.unwrap().unwrap();
    assert_eq!(second.event.previous_hash, Some(first.hash));
}

#[tokio::test]
async fn another_event_at_an_event_s_place_is_not_taken_for_it() {
    let trail = Trail::new().await;
    let item = status(&trail).await;
    let (id, now) = (text(&item, "id").unwrap().to_owned(), trail.world.clock.now());
    let forged = AuditEvent {
        entity_type: STATUS.to_owned(),
        entity_id: id,
        place: Place::Version(1),
        change: Change::new("contact_status.created", now, Origin::system()),
        changes: Changes::Clear(Vec::new()),
        outcome: Outcome::Success,
        previous_hash: None,
        about: None,
    };
    let kept = SignedDuration::from_hours(24);
    assert_eq!(trail.world.services.audit.insert(trail.tenant(), &[(forged, Listing::Listed)], now, kept).await.unwrap(), [true]);
    let letters = Bucket::new(trail.world.clock.clone());
    let recorder = Recorder { dead_letters: letters.files(), ..made::recorder(&trail.world) };
    let record: StreamRecord = made::inserted(&item);
    assert_eq!(recorder.record(vec![record]).await.unwrap(), Report { isolated: 1, ..Report::default() });
    let key = letters.keys().remove(0);
    assert!(String::from_utf8(letters.get(&key).unwrap()).unwrap().contains("another event stands at its place"));
}
