//! What reading the audit trail costs, view by view, for the page of costs.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use jiff::SignedDuration;
use switchboard_app::audit::{self, AuditedId, ChunkRow, EventFilter, Verify, Who, chunk_key, gaps};
use switchboard_app::audit_exports::{self, StartExport};
use switchboard_app::contacts::{self, CreateContact, UpdateContact};
use switchboard_app::imports::write_rows;
use switchboard_domain::audit::{Place, leaf, root, sorted};
use switchboard_domain::audit_export::AuditExportFormat;
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactInput, ContactPatch};
use switchboard_domain::ids::{ContactId, ImportId};
use switchboard_domain::imports::Piece;
use switchboard_store::imports;
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Bucket, SigningKey, Usage, World};

use crate::made;

/// Contacts that were made, one after the other.
const CONTACTS: usize = 60;
/// Rows of a chunk that are looked at.
const ROWS: usize = 50;

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
    let mut rows = of_records().await;
    rows.extend(of_an_import_and_with_files().await);
    rows
}

async fn of_records() -> Vec<(&'static str, Usage)> {
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

/// An import in which a chunk of rows was written, all of it on record; the contacts of its rows, and the root over their events, whose list is in the bucket.
async fn imported(world: &World, bucket: &Bucket) -> (ImportId, Vec<ContactId>, String) {
    let (import, rows) = made::import(world, 1, &made::file(ROWS));
    imports::create(&world.database.core, &world.tenant.scope, import.clone()).await.unwrap();
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    let is_recorded = |item: &Item| matches!(text(item, "type"), Some("contact" | "import"));
    let batch = made::everything(&world.database).await.iter().filter(|item| is_recorded(item)).map(made::inserted).collect();
    assert_eq!(made::recorder(world).record(batch).await.unwrap().recorded, ROWS + 1);
    let contacts: Vec<ContactId> = (0..ROWS).map(|number| world.tenant.keyring.slot(&format!("+1519555{number:04}"))).collect();
    let (mut list, mut leaves) = (Vec::with_capacity(ROWS), Vec::with_capacity(ROWS));
    for contact in &contacts {
        let stored = world.services.audit.get(world.tenant.record.id, "contact", contact.as_str(), &Place::Version(1)).await.unwrap().unwrap();
        leaves.extend(leaf(&stored.hash));
        list.push(ChunkRow::of_contact(contact, Some(1), Some(stored.hash)));
    }
    bucket.put(&chunk_key(world.tenant.record.id, import.id, Piece::whole(1)), serde_json::to_vec(&list).unwrap());
    (import.id, contacts, HEXLOWER.encode(&root(&sorted(leaves))))
}

async fn of_an_import_and_with_files() -> Vec<(&'static str, Usage)> {
    let mut world = World::new().await;
    let (bucket, signer) = (Bucket::new(world.clock.clone()), SigningKey::new("key").signer());
    world.services.archive = bucket.files();
    world.services.audit_export_queue = crate::teams::queue();
    let (import, contacts, root) = imported(&world, &bucket).await;
    world.clock.advance(SignedDuration::from_mins(2));
    let (services, viewer, record) = (&world.services, world.viewer("admin").await, AuditedId::Contact(contacts[0].clone()));

    let own = EventFilter { import: Some(import), ..EventFilter::default() };
    let (listed, found) = of(&world, audit::list(services, &viewer, &own, None, 50)).await;
    assert_eq!(found.unwrap().entries.len(), 1);
    let (opened, found) = of(&world, audit::rows(services, &viewer, import, Piece::whole(1), &root, None, ROWS)).await;
    assert_eq!(found.unwrap().entries.len(), ROWS);
    let (node, found) = of(&world, audit::event(services, &viewer, &record, &Place::Version(1))).await;
    assert!(found.unwrap().is_some());
    let what = Verify::Record { entity_type: record.entity_type().to_owned(), entity_id: record.entity_id() };
    let (verified, found) = of(&world, audit::verify(services, &viewer, &signer, what)).await;
    let found = found.unwrap();
    assert!(found.ok && found.entries_checked == 1, "{found:?}");
    let (exported, asked) = of(&world, audit_exports::start(services, &viewer, StartExport::new(AuditExportFormat::JsonLines))).await;
    asked.unwrap().unwrap();
    vec![
        ("`auditEvents(importId)`, the import's own", listed),
        ("`rows` of a chunk's event, 50 of them", opened),
        ("`node` of an event of a contact", node),
        ("`auditVerification` of a contact, beside the seals of its days", verified),
        ("`auditExport`, before its worker", exported),
    ]
}
