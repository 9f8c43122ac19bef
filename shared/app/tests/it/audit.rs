//! Recording the audit trail.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard_app::audit::{self, AuditedId, Report, StreamRecord};
use switchboard_app::imports::write_rows;
use switchboard_app::tenant_settings::{self, UpdateTenant};
use switchboard_domain::audit::{Changes, Place};
use switchboard_domain::tenant_settings::TenantPatch;
use switchboard_store::item::{Item, text};
use switchboard_store::keys;
use switchboard_testkit::World;

use crate::made;

async fn contact_items(world: &World) -> Vec<Item> {
    made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("contact")).collect()
}

/// A contact through two changes: its item after each.
async fn two_versions(world: &World) -> (Item, Item) {
    let file = made::file(1);
    let (import, rows) = made::import(world, 1, &file);
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    let first = contact_items(world).await.remove(0);
    let (import, rows) = made::import(world, 2, &file.replace("Windsor", "Tecumseh"));
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    (first, contact_items(world).await.remove(0))
}

#[tokio::test]
async fn each_version_has_one_event_that_carries_the_hash_before_it() {
    let world = World::new().await;
    let (first, second) = two_versions(&world).await;
    let recorder = made::recorder(&world);
    let batch = vec![made::inserted(&first), made::changed(&first, &second)];
    let report = recorder.record(batch.clone()).await.unwrap();
    assert_eq!(report, Report { recorded: 2, ..Report::default() });
    let id = world.tenant.keyring.slot("+15195550000");
    let events = audit::versions(&world.services, &world.viewer("admin").await, &AuditedId::Contact(id), None, 10).await.unwrap().entries;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].stored.event.previous_hash.as_ref(), Some(&events[1].stored.hash));
    assert_eq!(events[1].stored.event.previous_hash, None);
    for event in &events {
        assert_eq!(event.stored.hash, event.stored.event.hash(), "the hash can be computed again from what is stored");
    }
    let changes = events[0].changes.as_ref().unwrap();
    assert_eq!((changes.len(), changes[0].field.as_str()), (1, "city"));
    for _ in 0..3 {
        assert_eq!(recorder.record(batch.clone()).await.unwrap(), Report { repeated: 2, ..Report::default() });
    }
    for record in batch {
        assert_eq!(recorder.record(vec![record]).await.unwrap().recorded, 0);
    }
}

#[tokio::test]
async fn an_event_is_kept_for_as_many_days_as_held_when_it_was_recorded() {
    const LATER: u32 = 400;
    let world = World::new().await;
    let (first, second) = two_versions(&world).await;
    let recorder = made::recorder(&world);
    let before = world.tenant.record.retention_days;
    assert_eq!(recorder.record(vec![made::inserted(&first)]).await.unwrap().recorded, 1);
    let patch = TenantPatch { retention_days: Some(Some(i32::try_from(LATER).unwrap())), ..TenantPatch::default() };
    let request = UpdateTenant { expected_version: 1, patch };
    tenant_settings::update(&world.services, &world.viewer("admin").await, request).await.unwrap().unwrap();
    assert_eq!(recorder.record(vec![made::changed(&first, &second)]).await.unwrap().recorded, 1);
    let id = world.tenant.keyring.slot("+15195550000");
    for (version, days) in [(1, before), (2, LATER)] {
        let key = keys::audit_event(world.tenant.record.id, "contact", id.as_str(), &Place::Version(version));
        let request = world.database.client.get_item().table_name("audit").key("PK", AttributeValue::S(key.pk)).key("SK", AttributeValue::S(key.sk));
        let item = request.send().await.unwrap().item.unwrap();
        let number = |name: &str| item[name].as_n().unwrap().parse::<i64>().unwrap();
        assert_eq!(number("expires_at") - number("recorded_at") / 1_000, i64::from(days) * 24 * 60 * 60, "version {version}");
    }
}

#[tokio::test]
async fn a_technical_write_leaves_no_event() {
    let world = World::new().await;
    let (_, second) = two_versions(&world).await;
    let mut technical = second.clone();
    technical.insert("revision".to_owned(), AttributeValue::N("3".to_owned()));
    technical.insert("GSI2SK".to_owned(), AttributeValue::S("elsewhere".to_owned()));
    let recorder = made::recorder(&world);
    assert_eq!(recorder.record(vec![made::changed(&second, &technical)]).await.unwrap(), Report { technical: 1, ..Report::default() });
    let progress = StreamRecord { sequence: "1".to_owned(), old: None, new: Some(Item::from([("type".to_owned(), AttributeValue::S("search_token".to_owned()))])) };
    assert_eq!(recorder.record(vec![progress]).await.unwrap(), Report { technical: 1, ..Report::default() });
}

#[tokio::test]
async fn no_personal_value_is_in_an_event_in_the_clear() {
    let world = World::new().await;
    let (first, _) = two_versions(&world).await;
    made::recorder(&world).record(vec![made::inserted(&first)]).await.unwrap();
    let id = world.tenant.keyring.slot("+15195550000");
    let stored = world.database.audit.get(world.tenant.record.id, "contact", id.as_str(), &Place::Version(1)).await.unwrap().unwrap();
    assert!(matches!(&stored.event.changes, Changes::Sealed(sealed) if !sealed.is_empty()));
    let everything = format!("{:?}{:?}", made::everything(&world.database).await, stored);
    for canary in ["5195550000", "2265550000", "francoise0@", "Canton Hwy", "N8N 3N2"] {
        assert!(!everything.contains(canary), "{canary}");
    }
}

#[tokio::test]
async fn a_record_that_can_not_be_set_aside_is_not_lost_either() {
    let world = World::new().await;
    let (first, second) = two_versions(&world).await;
    let mut silent = second.clone();
    silent.insert("city".to_owned(), AttributeValue::S("Elsewhere".to_owned()));
    let recorder = made::recorder(&world);
    for wrong in [
        made::changed(&second, &silent),
        made::changed(&first, &second),
        StreamRecord { sequence: "1".to_owned(), old: Some(first.clone()), new: None },
        StreamRecord { sequence: "1".to_owned(), old: None, new: Some(Item::from([("type".to_owned(), AttributeValue::S("surprise".to_owned()))])) },
        StreamRecord::default(),
    ] {
        assert!(recorder.record(vec![wrong]).await.is_err(), "the dead letters can't be written here, so the batch must come again");
    }
}
