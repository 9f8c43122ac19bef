//! What reading the audit trail costs, view by view, for the page of costs.

use jiff::SignedDuration;
use switchboard_app::audit::{self, AuditedId, EventFilter, Who, gaps};
use switchboard_app::contacts::{self, CreateContact, UpdateContact};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactInput, ContactPatch};
use switchboard_domain::ids::ContactId;
use switchboard_testkit::{Usage, World};

use crate::made;

/// Contacts that were made, one after the other.
const CONTACTS: usize = 60;

/// A tenant in which somebody made contacts, and one of them was renamed; all of it on record.
async fn recorded(world: &World) -> Vec<ContactId> {
    let (viewer, recorder) = (world.viewer("manager").await, made::recorder(world));
    let mut ids = Vec::with_capacity(CONTACTS);
    for number in 0..CONTACTS {
        world.clock.advance(SignedDuration::from_secs(1));
        let input = ContactInput { phone: format!("514-555-{number:04}"), name: Some("Zoé Roy".to_owned()), ..ContactInput::default() };
        let contact = contacts::create(&world.services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap();
        let item = made::contact_item(world, &contact.id).await;
        recorder.record(vec![made::inserted(&item)]).await.unwrap();
        ids.push(contact.id);
    }
    let before = made::contact_item(world, &ids[0]).await;
    let patch = ContactPatch { name: Some(Some("Zoé R.".to_owned())), ..ContactPatch::default() };
    let request = UpdateContact { id: Some(ids[0].clone()), expected_version: 1, patch, ..UpdateContact::default() };
    let renamed: Contact = contacts::update(&world.services, &viewer, request).await.unwrap().unwrap();
    let after = made::contact_item(world, &renamed.id).await;
    recorder.record(vec![made::changed(&before, &after)]).await.unwrap();
    ids
}

/// What happens in between costs.
async fn of<T>(world: &World, work: impl Future<Output = T>) -> (Usage, T) {
    world.database.meter.reset();
    let result = work.await;
    (world.database.meter.usage(), result)
}

/// Each view with what it costs.
pub(crate) async fn rows() -> Vec<(&'static str, Usage)> {
    let world = World::new().await;
    let ids = recorded(&world).await;
    world.clock.advance(SignedDuration::from_mins(2));
    let (services, viewer) = (&world.services, world.viewer("supervisor").await);
    let (record, now) = (AuditedId::Contact(ids[0].clone()), world.clock.now());
    let mut rows = Vec::new();

    let manager = Who::User(world.user_id("manager"));
    let nothing = EventFilter { action: Some("contact.deleted".to_owned()), ..EventFilter::default() };
    for (operation, filter, expected) in [
        ("`auditEvents(entityId)`, everything on record about it", EventFilter { record: Some(record.clone()), ..EventFilter::default() }, 2),
        ("`auditEvents(actorId, first: 50)`, each about another contact", EventFilter { actor: Some(manager), ..EventFilter::default() }, 50),
        ("`auditEvents(first: 50)`, the newest of all", EventFilter::default(), 50),
        ("… of an action that nobody did in 51 days", nothing, 0),
    ] {
        let (usage, found) = of(&world, audit::list(services, &viewer, &filter, None, 50)).await;
        assert_eq!(found.unwrap().entries.len(), expected, "{operation}");
        rows.push((operation, usage));
    }
    let (usage, found) = of(&world, audit::as_of(services, &viewer, &record, now)).await;
    assert_eq!(found.unwrap().map(|then| then.version), Some(2));
    rows.push(("`asOf` of a contact with two versions", usage));
    let (usage, found) = of(&world, audit::diff(services, &viewer, &record, 1, 2)).await;
    assert_eq!(found.unwrap().map(|found| found.changes.len()), Some(1));
    rows.push(("`auditDiff` of it", usage));
    let status = AuditedId::ContactStatus(viewer.settings.status_by_code("new").unwrap().id);
    let asked = [(status, now)];
    let (usage, found) = of(&world, audit::names(services, &viewer, &asked)).await;
    assert_eq!(found.unwrap().len(), 1);
    rows.push(("the name of a status in an event", usage));
    let (usage, found) = of(&world, gaps::of_record(services, &viewer, &record, None, 50)).await;
    assert!(found.unwrap().entries.is_empty());
    rows.push(("`auditGaps` of a contact", usage));
    let (usage, found) = of(&world, gaps::of_type(services, &viewer, "contact", None, 50)).await;
    assert!(found.unwrap().entries.is_empty());
    rows.push(("`auditGaps` of 60 contacts", usage));
    rows
}
