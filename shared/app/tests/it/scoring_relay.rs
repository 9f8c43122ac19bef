//! Which changes of contacts have them scored again, and how few of a burst.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use switchboard_app::audit::StreamRecord;
use switchboard_app::changes::Relay;
use switchboard_app::contact_index::IndexMessage;
use switchboard_app::contacts::{self, AssignContacts};
use switchboard_app::scoring::{Rescoring, ScoreMessage, Watch, handle};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{AttributeValue as Value, Contact, ContactInput, ContactPatch};
use switchboard_domain::ids::{ContactId, TenantId};
use switchboard_domain::scoring::pipeline;
use switchboard_store::contacts as store;
use switchboard_store::item::Item;
use switchboard_testkit::{Fault, Mailbox, World};

use crate::made;
use crate::scoring_rescore::{activate, assert_right, changed, created, fresh, from_source, now, replaced, scored};

fn watch(world: &World) -> Watch {
    Watch::new(world.services.core.clone(), Arc::clone(&world.services.clock))
}

/// The contacts that are scored again because of these records.
async fn concerned(watch: &Watch, records: &[StreamRecord]) -> BTreeSet<ContactId> {
    let concerned = watch.concerned(records).await.unwrap();
    assert_eq!(concerned.set_aside, 0);
    concerned.messages.into_iter().map(|message| message.body.contact).collect()
}

async fn is_concerned(watch: &Watch, record: StreamRecord) -> bool {
    !concerned(watch, &[record]).await.is_empty()
}

/// What the stream says of a change of a contact.
async fn record_of(world: &World, contact: &Contact, change: impl Future<Output = ()>) -> StreamRecord {
    let before = made::contact_item(world, &contact.id).await;
    change.await;
    made::changed(&before, &made::contact_item(world, &contact.id).await)
}

/// A world whose contacts are scored by the preset `pipeline`.
async fn with_pipeline() -> World {
    let world = World::new().await;
    activate(&world, pipeline()).await;
    world.services.tenants.forget_settings(&world.tenant.scope);
    world
}

#[tokio::test]
async fn a_change_of_what_the_model_looks_at_is_passed_on_and_no_other() {
    let world = with_pipeline().await;
    let watch = watch(&world);
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    let named = ContactPatch { name: Some(Some("Zoé Roy".to_owned())), ..ContactPatch::default() };
    let later = ContactPatch { next_contact_at: Some(Some(world.clock.now() + SignedDuration::from_hours(9))), ..ContactPatch::default() };
    let counted = ContactPatch { attributes: vec![("visits".to_owned(), Some(Value::Number(3.0)))], ..ContactPatch::default() };
    let elsewhere = ContactPatch { time_zone: Some(Some("America/Vancouver".to_owned())), ..ContactPatch::default() };
    for (patch, expected) in [(named, false), (later, false), (counted, false), (elsewhere, true), (from_source("referral"), true)] {
        let change = async {
            changed(&world, &contact.id, patch.clone()).await;
        };
        let record = record_of(&world, &contact, change).await;
        assert_eq!(is_concerned(&watch, record).await, expected, "{patch:?}");
    }
    let agent = world.viewer("telephonist").await.agent();
    let assigned = record_of(&world, &contact, async {
        let request = AssignContacts { ids: vec![Some(contact.id.clone())], assignee: Some(Some(agent)), team: None };
        let (assigned, errors) = contacts::assign(&world.services, &world.viewer("admin").await, request).await.unwrap();
        assert!(assigned.iter().all(Option::is_some) && errors.is_empty());
    })
    .await;
    assert!(is_concerned(&watch, assigned).await);
}

#[tokio::test]
async fn technical_writes_a_score_among_them_are_not_passed_on() {
    let world = World::new().await;
    let watch = watch(&world);
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    changed(&world, &contact.id, from_source("referral")).await;
    let score = record_of(&world, &contact, async {
        assert!(matches!(scored(&world, &contact.id).await, Rescoring::Changed(_)));
    })
    .await;
    let suppressed = record_of(&world, &contact, async {
        let (services, settings) = (&world.services, fresh(&world).await);
        store::set_suppressed(&services.core, &world.tenant, &settings, &contact.id, true, services.entropy.as_ref()).await.unwrap();
    })
    .await;
    world.database.meter.reset();
    assert_eq!(concerned(&watch, &[score, suppressed]).await, BTreeSet::new());
    assert_eq!(world.database.meter.usage().total_requests(), 0, "nobody asks for a model");
    // Nor is anything that isn't a contact.
    let others = made::everything(&world.database).await.iter().filter(|item| !item.contains_key("scored")).map(made::inserted).collect::<Vec<_>>();
    assert_eq!(concerned(&watch, &others).await, BTreeSet::new());
}

/// A contact's item without some of its attributes.
fn without(item: &Item, names: &[&str]) -> Item {
    item.iter().filter(|(name, _)| !names.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[tokio::test]
async fn a_new_contact_is_passed_on_when_it_has_no_score_by_the_model_in_force_or_its_time_has_come() {
    let world = World::new().await;
    let at = Some(world.clock.now() + SignedDuration::from_hours(24 * 40));
    let contact = created(&world, "514-555-0123", ContactInput { next_contact_at: at, ..ContactInput::default() }).await;
    let item = made::contact_item(&world, &contact.id).await;
    let watch = watch(&world);
    assert!(!is_concerned(&watch, made::inserted(&item)).await);
    assert!(is_concerned(&watch, made::inserted(&without(&item, &["score", "scored"]))).await);
    let mut broken = item.clone();
    broken.insert("scored".to_owned(), AttributeValue::B(vec![255; 3].into()));
    assert!(is_concerned(&watch, made::inserted(&broken)).await);
    assert!(!is_concerned(&watch, made::inserted(&item)).await);

    world.clock.advance(SignedDuration::from_hours(24 * 10));
    assert!(is_concerned(&watch, made::inserted(&item)).await, "its time came before it was seen");

    // Another model comes into force, and whoever made a contact hadn't heard of it.
    let other = created(&world, "514-555-0124", ContactInput::default()).await;
    let other = made::contact_item(&world, &other.id).await;
    assert!(!is_concerned(&watch, made::inserted(&other)).await);
    activate(&world, pipeline()).await;
    world.clock.advance(SignedDuration::from_secs(30));
    assert!(is_concerned(&watch, made::inserted(&other)).await);
}

#[tokio::test]
async fn a_model_that_came_into_force_is_noticed_at_the_first_score_by_it() {
    let world = World::new().await;
    let watch = watch(&world);
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    assert!(!is_concerned(&watch, made::inserted(&made::contact_item(&world, &contact.id).await)).await);
    activate(&world, pipeline()).await;
    world.services.tenants.forget_settings(&world.tenant.scope);
    assert!(matches!(scored(&world, &contact.id).await, Rescoring::Changed(_)));
    let before = made::contact_item(&world, &contact.id).await;
    changed(&world, &contact.id, ContactPatch { name: Some(Some("Zoé Roy".to_owned())), ..ContactPatch::default() }).await;
    let record = made::changed(&before, &made::contact_item(&world, &contact.id).await);
    // The name is nothing that either looks at; the sealed attributes, which differ with each write, only the former does.
    assert!(!is_concerned(&watch, record).await);
}

#[tokio::test]
async fn a_deleted_contact_is_not_passed_on_until_it_comes_back() {
    let world = with_pipeline().await;
    let watch = watch(&world);
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    let admin = world.viewer("admin").await;
    let renamed = record_of(&world, &contact, async {
        changed(&world, &contact.id, from_source("referral")).await;
    })
    .await;
    let deleted = record_of(&world, &contact, async {
        contacts::delete(&world.services, &admin, Some(contact.id.clone()), 2).await.unwrap().unwrap();
    })
    .await;
    assert!(!is_concerned(&watch, deleted.clone()).await);
    assert_eq!(concerned(&watch, &[renamed.clone(), deleted.clone()]).await, BTreeSet::new(), "what was changed and deleted isn't scored");
    let restored = record_of(&world, &contact, async {
        contacts::restore(&world.services, &admin, Some(contact.id.clone()), None).await.unwrap().unwrap();
    })
    .await;
    assert_eq!(concerned(&watch, &[renamed, deleted, restored]).await, BTreeSet::from([contact.id.clone()]));
    let removed = StreamRecord { old: Some(made::contact_item(&world, &contact.id).await), ..StreamRecord::default() };
    assert!(!is_concerned(&watch, removed).await);
}

/// The same contact's item in a tenant that doesn't exist.
fn of_no_tenant(item: &Item, contact: &ContactId) -> Item {
    let mut item = item.clone();
    let tenant = TenantId::new(Timestamp::UNIX_EPOCH, &[9; 10]);
    item.insert("PK".to_owned(), AttributeValue::S(format!("T#{tenant}#C#{contact}")));
    item
}

#[tokio::test]
async fn the_relay_tells_the_index_and_the_scorer_and_a_tenant_that_does_not_exist_keeps_nobody_back() {
    let world = World::new().await;
    let (index, score) = (Mailbox::default(), Mailbox::default());
    let relay = Relay { index: index.queue(), score: score.queue(), watch: watch(&world) };
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    let item = made::contact_item(&world, &contact.id).await;
    let source = record_of(&world, &contact, async {
        changed(&world, &contact.id, from_source("referral")).await;
    })
    .await;
    let report = relay.relay(vec![made::inserted(&of_no_tenant(&item, &contact.id)), made::inserted(&item), source]).await.unwrap();
    assert_eq!((report.contacts, report.scored, report.set_aside), (2, 1, 1));
    let indexed: Vec<IndexMessage> = index.take().iter().map(|message| serde_json::from_str(message).unwrap()).collect();
    assert_eq!(indexed.len(), 2);
    let sent: Vec<ScoreMessage> = score.take().iter().map(|message| serde_json::from_str(message).unwrap()).collect();
    assert_eq!(sent, [ScoreMessage { tenant: world.tenant.record.id, contact: contact.id.clone() }]);
}

#[tokio::test]
async fn a_batch_that_fails_because_the_model_cannot_be_read_is_passed_on_when_it_comes_again() {
    let world = World::new().await;
    let database = world.database.without_retries();
    let (index, score) = (Mailbox::default(), Mailbox::default());
    let watch = Watch::new(database.core.clone(), Arc::clone(&world.services.clock));
    let relay = Relay { index: index.queue(), score: score.queue(), watch };
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    let source = record_of(&world, &contact, async {
        changed(&world, &contact.id, from_source("referral")).await;
    })
    .await;
    database.wire.cut_next("Query", Fault::Throttled);
    assert!(relay.relay(vec![source.clone()]).await.is_err());
    assert_eq!((index.take().len(), score.take().len()), (1, 0), "to be found it needn't wait");
    assert_eq!(relay.relay(vec![source]).await.unwrap().scored, 1);
    assert_eq!((index.take().len(), score.take().len()), (1, 1));
}

/// How long the queue keeps a message back.
const DELAY: SignedDuration = SignedDuration::from_secs(2);

#[tokio::test]
async fn a_contact_that_changes_fifty_times_in_a_burst_is_scored_few_times_and_ends_right() {
    let world = World::new().await;
    let watch = watch(&world);
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    let sources = ["referral", "google_ads", "cold_call", "facebook_ads", "direct_website", "instagram_ads", "elsewhere"];
    // The queue: what it took, by when it gives it out; and what it won't take again.
    let (mut waiting, mut taken): (BTreeMap<Timestamp, ScoreMessage>, HashSet<String>) = (BTreeMap::new(), HashSet::new());
    let mut handled = 0;
    let mut records = Vec::new();
    for number in 0..50 {
        world.clock.advance(SignedDuration::from_millis(80));
        let change = async {
            changed(&world, &contact.id, from_source(sources[number % sources.len()])).await;
        };
        records.push(record_of(&world, &contact, change).await);
        // Records come in batches, and here and there one twice.
        if number % 3 == 2 || number == 49 {
            for message in watch.concerned(&records).await.unwrap().messages {
                if taken.insert(message.deduplication) {
                    waiting.insert(world.clock.now() + DELAY, message.body);
                }
            }
            records.drain(..records.len() - 1);
        }
        while let Some(due) = waiting.first_entry().filter(|due| *due.key() <= world.clock.now()) {
            handle(&world.services, &due.remove()).await.unwrap();
            handled += 1;
        }
    }
    world.clock.advance(DELAY);
    for message in std::mem::take(&mut waiting).into_values() {
        handle(&world.services, &message).await.unwrap();
        handled += 1;
    }
    assert!((1..=4).contains(&handled), "{handled} times for four seconds of changes");
    let contact = now(&world, &contact.id).await;
    assert_eq!((contact.record.version, contact.details.source.as_deref()), (51, Some(sources[49 % sources.len()])));
    assert_right(&world, &contact).await;
    assert!(replaced(&world, &contact).await.len() <= handled);
}
