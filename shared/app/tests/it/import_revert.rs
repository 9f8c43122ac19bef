//! Undoing imports: every record is again what it was, but for those that somebody changed since, whoever dies on the way and however often a message comes.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use switchboard_app::audit::Recorder;
use switchboard_app::contacts::{self, AssignContacts, CreateContact, MergeContacts, SetStatus, UpdateContact};
use switchboard_app::imports::{self, CHUNK_ROWS, ImportServices, Kept, RowsMessage, Step, WrittenRow, handle, revert, write_rows, written_key};
use switchboard_app::suppressions::{self, AddSuppression};
use switchboard_app::teams::{self, CreateTeam, PlaceMember};
use switchboard_app::{AppError, Services};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{AttributeValue, ContactDetails, ContactInput, ContactPatch};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{ContactId, ImportId};
use switchboard_domain::imports::{ChunkRange, Import, ImportKind, ImportStatus, Phase, Piece, RevertCounts, Row, sniff};
use switchboard_domain::person::{ADMIN, MembershipRole, TELEPHONIST};
use switchboard_domain::status::DO_NOT_CALL;
use switchboard_domain::suppression::id_of;
use switchboard_domain::team::folded_name;
use switchboard_store::contacts::{self as store, CONTACT, Slot, decode_slot};
use switchboard_store::item::{Item, text};
use switchboard_store::{imports as import_store, people, suppressions as list};
use switchboard_testkit::{Bucket, Fault, Mailbox, World};

use crate::made;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a contact says, and when it was deleted.
type Said = (ContactDetails, Option<Timestamp>);

/// A world with what imports are undone with, whose changes go on record as they are made.
struct Scene {
    world: World,
    services: ImportServices,
    uploads: Bucket,
    results: Bucket,
    archive: Bucket,
    letters: Bucket,
    rows: Mailbox,
    seen: BTreeMap<(String, String), Item>,
}

impl Scene {
    async fn new() -> Self {
        let mut world = World::new().await;
        let [uploads, results, archive, letters] = std::array::from_fn(|_| Bucket::new(world.clock.clone()));
        (world.services.results, world.services.archive, world.services.bulk_queue) = (results.files(), archive.files(), Mailbox::default().queue());
        let rows = Mailbox::default();
        let services =
            ImportServices { services: world.services.clone(), uploads: uploads.files(), results: results.files(), rows: rows.queue(), chunk_rows: CHUNK_ROWS };
        let mut scene = Self { world, services, uploads, results, archive, letters, rows, seen: BTreeMap::new() };
        scene.follow().await;
        scene
    }

    /// Puts on record what changed since it was last called.
    async fn follow(&mut self) {
        let mut batch = Vec::new();
        for item in made::everything(&self.world.database).await {
            let key = |name: &str| text(&item, name).unwrap().to_owned();
            match self.seen.insert((key("PK"), key("SK")), item.clone()) {
                Some(before) if before == item => {}
                Some(before) => batch.push(made::changed(&before, &item)),
                None => batch.push(made::inserted(&item)),
            }
        }
        let recorder = Recorder { results: self.results.files(), archive: self.archive.files(), dead_letters: self.letters.files(), ..made::recorder(&self.world) };
        assert_eq!(recorder.record(batch).await.unwrap().isolated, 0);
    }

    /// Lets time go by, in which everything comes on record.
    async fn later(&mut self) {
        self.follow().await;
        self.world.clock.advance(HOUR);
    }

    async fn created(&mut self, input: ContactInput) -> ContactId {
        let viewer = self.world.viewer_in_request(ADMIN, &input.phone).await;
        let contact = contacts::create(&self.world.services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap();
        self.follow().await;
        contact.id
    }

    async fn renamed(&mut self, id: &ContactId, name: &str) {
        let expected_version = i32::try_from(self.contact(id).await.0).unwrap();
        let patch = ContactPatch { name: Some(Some(name.to_owned())), ..ContactPatch::default() };
        let request = UpdateContact { id: Some(id.clone()), expected_version, patch, ..UpdateContact::default() };
        contacts::update(&self.world.services, &self.world.viewer(ADMIN).await, request).await.unwrap().unwrap();
        self.follow().await;
    }

    async fn deleted(&mut self, id: &ContactId) {
        let version = i32::try_from(self.contact(id).await.0).unwrap();
        contacts::delete(&self.world.services, &self.world.viewer(ADMIN).await, Some(id.clone()), version).await.unwrap().unwrap();
        self.follow().await;
    }

    /// The version of a contact, and what it says.
    async fn contact(&self, id: &ContactId) -> (u32, Said) {
        let stored = store::get(&self.world.database.core, &self.world.tenant, id).await.unwrap().unwrap();
        (stored.contact.record.version, (stored.contact.details, stored.contact.deleted_at))
    }

    fn id_of(&self, e164: &str) -> ContactId {
        self.world.tenant.keyring.slot(e164)
    }

    /// What all contacts say that weren't erased.
    async fn all(&self) -> BTreeMap<ContactId, Said> {
        let items = made::everything(&self.world.database).await.into_iter().filter(|item| text(item, "type") == Some(CONTACT));
        let slots = items.map(|item| decode_slot(&self.world.tenant.keyring, item).unwrap());
        slots
            .filter_map(|slot| match slot {
                Slot::Contact(stored) => Some((stored.contact.id, (stored.contact.details, stored.contact.deleted_at))),
                Slot::Erased(_) | Slot::Pointer(_) => None,
            })
            .collect()
    }

    /// Imports files as the pieces of one import, and ends it.
    async fn imported(&mut self, kind: ImportKind, files: &[&str]) -> ImportId {
        let (import, _) = self.begun(kind, files).await;
        let (core, scope) = (self.world.database.core.clone(), self.world.tenant.scope);
        for number in 1..=u32::try_from(files.len()).unwrap() {
            let (piece, rows) = (Piece::whole(number), rows_of(&self.world, files, number));
            assert!(import_store::begin_write(&core, &scope, import.id, piece, 1).await.unwrap());
            let result = write_rows(&self.world.services, &self.world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
            assert_eq!(result.counts.failed, 0, "{:?}", result.errors);
            self.follow().await;
            self.results.put(&written_key(scope.tenant(), import.id, piece, None), serde_json::to_vec(&result.written).unwrap());
            let now = self.world.clock.now();
            assert!(import_store::finish_write(&core, &scope, import.id, piece, &result.counts, None, now).await.unwrap());
            self.follow().await;
        }
        assert!(import_store::complete(&core, &scope, import.id, ImportStatus::Completed, self.world.clock.now()).await.unwrap());
        self.later().await;
        import.id
    }

    /// An import that writes, whose file is uploaded, and its pieces.
    async fn begun(&mut self, kind: ImportKind, files: &[&str]) -> (Import, Vec<ChunkRange>) {
        let (import, _) = made::import(&self.world, 1, files[0]);
        let key = import.file_key.clone();
        let header = files[0].split_inclusive('\n').next().unwrap();
        let mut file = header.to_owned();
        let mut ranges: Vec<ChunkRange> = Vec::new();
        for (number, text) in (1..).zip(files) {
            let (start, rows) = (file.len() as u64, text.lines().count() as u64 - 1);
            file.push_str(&text[header.len()..]);
            let first_row = ranges.iter().map(|range| range.rows).sum::<u64>() + 1;
            ranges.push(ChunkRange { number, start, end: file.len() as u64, first_row, rows });
        }
        self.uploads.put(&key, file.into_bytes());
        let (_, tag) = self.services.uploads.get_tagged(&key).await.unwrap().unwrap();
        let mapping = sniff(files[0].as_bytes(), true, "CA").unwrap().mapping(kind, "CA");
        let chunks = u32::try_from(files.len()).unwrap();
        let import = Import { kind, mapping, chunks, chunks_checked: chunks, file_tag: tag, ..import };
        let (core, scope) = (&self.world.database.core, &self.world.tenant.scope);
        import_store::create(core, scope, import.clone()).await.unwrap();
        for range in &ranges {
            import_store::create_chunk(core, scope, import.id, *range).await.unwrap();
            self.results.put(&format!("imports/{}/{}/check/1/overtaken/{:06}.json", scope.tenant(), import.id, range.number), b"[]".to_vec());
        }
        self.follow().await;
        (import, ranges)
    }

    async fn import(&self, id: ImportId) -> Import {
        import_store::get(&self.world.database.core, &self.world.tenant.scope, id).await.unwrap().unwrap()
    }

    /// Asks for an import to be undone; what is sent.
    async fn asked(&mut self, id: ImportId) -> Vec<RowsMessage> {
        revert(&self.services, &self.world.viewer(ADMIN).await, Some(id)).await.unwrap().unwrap();
        self.follow().await;
        self.sent()
    }

    fn sent(&self) -> Vec<RowsMessage> {
        self.rows.take().iter().map(|message| serde_json::from_str(message).unwrap()).collect()
    }

    async fn handled(&mut self, message: &RowsMessage, redelivered: bool, deadline: Instant) {
        Box::pin(handle(&self.services, message, redelivered, deadline)).await.unwrap();
        self.follow().await;
    }

    /// Undoes an import to its end.
    async fn reverted(&mut self, id: ImportId) -> RevertCounts {
        let mut messages = self.asked(id).await;
        while !messages.is_empty() {
            for message in messages {
                self.handled(&message, false, soon()).await;
            }
            messages = self.sent();
        }
        let import = self.import(id).await;
        assert_eq!((import.status, import.phase, import.finished_at.is_some()), (ImportStatus::Reverted, Phase::Ended, true));
        import.reverted
    }

    /// Everything that stayed, by pages of two.
    async fn kept(&self, id: ImportId) -> Vec<Kept> {
        let (viewer, import) = (self.world.viewer(ADMIN).await, self.import(id).await);
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = imports::kept(&self.world.services, &viewer, &import, after, 2).await.unwrap();
            after = page.entries.last().map(|(place, _)| *place);
            all.extend(page.entries.into_iter().map(|(_, kept)| kept));
            if !page.has_more {
                return all;
            }
        }
    }
}

/// Time for everything.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

/// The rows of a piece, numbered through all pieces.
fn rows_of(world: &World, files: &[&str], number: u32) -> Vec<Row> {
    let before: usize = files[..number as usize - 1].iter().map(|file| file.lines().count() - 1).sum();
    let (_, rows) = made::import(world, 1, files[number as usize - 1]);
    rows.into_iter().map(|row| Row { number: row.number + before as u64, ..row }).collect()
}

fn counts(removed: u64, restored: u64, kept: u64) -> RevertCounts {
    RevertCounts { removed, restored, kept }
}

fn person(phone: &str, name: &str) -> ContactInput {
    ContactInput { phone: phone.to_owned(), name: Some(name.to_owned()), city: Some("Laval".to_owned()), ..ContactInput::default() }
}

/// Two contacts with all that contacts have, one that was deleted, and one of which the file says nothing new.
async fn people_there(scene: &mut Scene) -> Vec<ContactId> {
    let full = ContactInput {
        phone_extension: Some("12".to_owned()),
        alternate_phones: vec!["514-555-0190".to_owned()],
        email: Some("zoe@example.com".to_owned()),
        address: Some("1 rue Principale".to_owned()),
        postal_code: Some("H3A 1B2".to_owned()),
        time_zone: Some("America/Vancouver".to_owned()),
        source: Some("fair".to_owned()),
        attributes: vec![("colour".to_owned(), AttributeValue::String("red".to_owned())), ("rooms".to_owned(), AttributeValue::Number(2.5))],
        next_contact_at: Some("2027-05-14T09:30:00Z".parse().unwrap()),
        ..person("514-555-0101", "Zoé Roy")
    };
    let ids = vec![
        scene.created(full).await,
        scene.created(person("514-555-0102", "Ada Roy")).await,
        scene.created(person("514-555-0103", "Liam Roy")).await,
        scene.created(person("514-555-0104", "Same Roy")).await,
    ];
    let agent = scene.world.viewer(TELEPHONIST).await.agent();
    let request = AssignContacts { ids: vec![Some(ids[1].clone())], assignee: Some(Some(agent)), ..AssignContacts::default() };
    contacts::assign(&scene.world.services, &scene.world.viewer(ADMIN).await, request).await.unwrap();
    scene.deleted(&ids[2]).await;
    scene.later().await;
    ids
}

const FILE: &str = "phone,name,city,postal,source,colour\n\
    514-555-0101,Zoe Berube,Lévis,G6V 1A1,web,blue\n\
    514-555-0102,Ada King,Québec,G1R 4P5,web,green\n\
    514-555-0103,Liam Back,Laval,,,\n\
    514-555-0104,Same Roy,Laval,,,\n\
    514-555-0105,New One,Laval,,,\n\
    514-555-0106,New Two,Laval,,,\n";

#[tokio::test]
async fn only_who_may_and_only_what_wrote_something_is_undone_and_only_once() {
    let mut scene = Scene::new().await;
    let id = scene.imported(ImportKind::Contacts, &[FILE]).await;
    let telephonist = scene.world.viewer(TELEPHONIST).await;
    assert!(matches!(revert(&scene.services, &telephonist, Some(id)).await, Err(AppError::Forbidden)));
    let admin = scene.world.viewer(ADMIN).await;
    assert!(matches!(revert(&scene.services, &admin, None).await, Err(AppError::NotFound)));
    assert_eq!(scene.reverted(id).await, counts(6, 0, 0));
    let errors = revert(&scene.services, &admin, Some(id)).await.unwrap().unwrap_err();
    assert_eq!((errors[0].error.field.as_str(), errors[0].error.code), ("id", FieldErrorCode::ForbiddenTransition));
    let import = scene.import(id).await;
    assert!(matches!(imports::kept(&scene.world.services, &telephonist, &import, None, 10).await, Err(AppError::Forbidden)));
}

#[tokio::test]
async fn every_contact_says_again_what_it_said_before() {
    let mut scene = Scene::new().await;
    people_there(&mut scene).await;
    let before = scene.all().await;
    let id = scene.imported(ImportKind::Contacts, &[FILE]).await;
    assert_eq!(scene.all().await.iter().filter(|(id, said)| before.get(*id) != Some(*said)).count(), 5);
    assert_eq!(scene.reverted(id).await, counts(2, 3, 0));
    let after = scene.all().await;
    for (id, said) in &before {
        assert_eq!(after.get(id), Some(said));
    }
    let new: Vec<_> = after.iter().filter(|(id, _)| !before.contains_key(*id)).collect();
    assert!(new.len() == 2 && new.iter().all(|(_, (_, deleted_at))| deleted_at.is_some()));
    assert!(scene.kept(id).await.is_empty());
    for (id, action, reason) in [(scene.id_of("+15145550101"), "contact.reverted", "to version 1"), (scene.id_of("+15145550105"), "contact.deleted", "import reverted")] {
        let page = scene.world.services.audit.of_record(&scene.world.tenant.scope, "contact", id.as_str(), None, 10).await.unwrap();
        let change = &page.entries[0].event.change;
        assert_eq!((change.action.as_str(), change.reason.as_deref(), change.origin.import_id().is_some()), (action, Some(reason), true));
    }
    let page = scene.world.services.audit.beside(&scene.world.tenant.scope, "import", &id.to_string(), None, 1).await.unwrap();
    assert_eq!(page.entries[0].event.change.action, "import.reverted");
}

#[tokio::test]
async fn what_was_changed_merged_deleted_or_erased_since_stays_and_is_listed() {
    let mut scene = Scene::new().await;
    let file = (1..=7).fold("phone,name\n".to_owned(), |file, digit| file + &format!("514-555-010{digit},New {digit}\n"));
    let there = scene.created(person("514-555-0107", "Old")).await;
    scene.later().await;
    let id = scene.imported(ImportKind::Contacts, &[&file]).await;
    let ids: Vec<ContactId> = (1..=7).map(|digit| scene.id_of(&format!("+1514555010{digit}"))).collect();
    assert_eq!(ids[6], there);
    scene.renamed(&ids[0], "Changed").await;
    scene.renamed(&there, "Changed").await;
    scene.deleted(&ids[1]).await;
    let admin = scene.world.viewer(ADMIN).await;
    contacts::erase(&scene.world.services, &admin, Some(ids[2].clone()), "asked for").await.unwrap().unwrap();
    let merge = MergeContacts { winner: Some(ids[3].clone()), loser: Some(ids[4].clone()), ..MergeContacts::default() };
    contacts::merge(&scene.world.services, &admin, merge).await.unwrap().unwrap();
    scene.later().await;
    let before = scene.all().await;
    assert_eq!(scene.reverted(id).await, counts(1, 0, 6));
    let reasons: BTreeMap<ContactId, String> = scene.kept(id).await.into_iter().map(|kept| (ContactId::parse(&kept.entity_id).unwrap(), kept.reason)).collect();
    let expected = [(0, "It was changed since."), (1, "It was deleted since."), (2, "It was erased since."), (3, "It was changed since.")];
    let expected = expected.into_iter().chain([(4, "It was merged into another contact since."), (6, "It was changed since.")]);
    assert_eq!(reasons, expected.map(|(index, reason)| (ids[index].clone(), reason.to_owned())).collect());
    let after = scene.all().await;
    assert!(before.iter().all(|(id, said)| *id == ids[5] || after.get(id) == Some(said)));
    assert!(after[&ids[5]].1.is_some());
}

#[tokio::test]
async fn the_number_of_a_contact_that_was_made_is_free_again() {
    let mut scene = Scene::new().await;
    let file = "phone,name\n514-555-0101,New\n";
    let id = scene.imported(ImportKind::Contacts, &[file]).await;
    assert_eq!(scene.reverted(id).await, counts(1, 0, 0));
    scene.later().await;
    let (core, tenant) = (scene.world.database.core.clone(), scene.world.tenant.clone());
    assert!(store::owner_of_number(&core, &tenant, "+15145550101").await.unwrap().is_none());
    let first = scene.id_of("+15145550101");
    let second = scene.created(person("514-555-0101", "Another")).await;
    assert_ne!(first, second);
    assert_eq!(store::owner_of_number(&core, &tenant, "+15145550101").await.unwrap().unwrap().contact.id, second);
    // The one that was deleted comes back only when its number is free.
    let admin = scene.world.viewer(ADMIN).await;
    let errors = contacts::restore(&scene.world.services, &admin, Some(first.clone()), None).await.unwrap().unwrap_err();
    assert_eq!((errors[0].error.field.as_str(), errors[0].error.code), ("phone", FieldErrorCode::Taken));
    contacts::erase(&scene.world.services, &admin, Some(second), "asked for").await.unwrap().unwrap();
    contacts::restore(&scene.world.services, &admin, Some(first.clone()), None).await.unwrap().unwrap();
    assert_eq!(store::owner_of_number(&core, &tenant, "+15145550101").await.unwrap().unwrap().contact.id, first);
}

#[tokio::test]
async fn a_worker_killed_at_any_request_changes_nothing_of_what_it_comes_to() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let mut scene = Scene::new().await;
        people_there(&mut scene).await;
        let before = scene.all().await;
        let id = scene.imported(ImportKind::Contacts, &[FILE]).await;
        scene.renamed(&scene.id_of("+15145550106"), "Changed").await;
        scene.later().await;
        let mut waiting: Vec<(RowsMessage, bool)> = scene.asked(id).await.into_iter().map(|message| (message, false)).collect();
        scene.world.services.tenants.open(scene.world.tenant.record.id).await.unwrap();
        scene.world.services.tenants.settings(&scene.world.tenant.scope).await.unwrap();
        let dying = scene.world.database.without_retries();
        let services = Services { core: dying.core.clone(), audit: dying.audit.clone(), ..scene.world.services.clone() };
        let services = ImportServices { services, ..scene.services.clone() };
        let mut deaths = 0;
        while let Some((message, redelivered)) = waiting.pop() {
            scene.world.database.wire.cut_for_good(deaths, fault);
            let outcome = Box::pin(handle(&services, &message, redelivered, soon())).await;
            let was_killed = scene.world.database.wire.mend();
            assert_eq!(outcome.is_err(), was_killed, "{outcome:?}");
            deaths += usize::from(was_killed);
            if was_killed {
                waiting.push((message, true));
            }
            waiting.extend(scene.sent().into_iter().map(|message| (message, false)));
            scene.follow().await;
        }
        assert!(deaths > 4, "{deaths}");
        let import = scene.import(id).await;
        assert_eq!((import.status, import.reverted), (ImportStatus::Reverted, counts(1, 3, 1)), "{fault:?}");
        let after = scene.all().await;
        assert!(before.iter().all(|(id, said)| after.get(id) == Some(said)));
        let kept = scene.kept(id).await;
        assert_eq!(kept.iter().map(|kept| kept.entity_id.clone()).collect::<Vec<_>>(), [scene.id_of("+15145550106").to_string()]);
    }
}

#[tokio::test]
async fn messages_that_come_again_late_and_in_any_order_count_once_and_edits_in_between_stay() {
    let mut scene = Scene::new().await;
    let header = "phone,name\n";
    let files: Vec<String> = (1..=6).map(|piece| format!("{header}514-555-01{piece}1,A\n514-555-01{piece}2,B\n")).collect();
    let id = scene.imported(ImportKind::Contacts, &files.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let messages = scene.asked(id).await;
    let whole = |chunk: u32| RowsMessage { step: Step::Revert(Piece::whole(chunk)), ..messages[0].clone() };
    assert_eq!(messages.len(), 4, "a lane each");
    for chunk in [3, 3, 1] {
        scene.handled(&whole(chunk), chunk == 3, soon()).await;
    }
    // One that was brought back is changed, and one that is still to be.
    scene.renamed(&scene.id_of("+15145550162"), "Kept").await;
    scene.world.clock.advance(HOUR);
    assert!(contacts::restore(&scene.world.services, &scene.world.viewer(ADMIN).await, Some(scene.id_of("+15145550111")), None).await.unwrap().is_ok());
    scene.follow().await;
    for chunk in [1, 6, 2, 5, 3, 6, 4, 2, 1] {
        scene.handled(&whole(chunk), true, soon()).await;
    }
    let import = scene.import(id).await;
    assert_eq!((import.status, import.reverted, import.pieces_reverted), (ImportStatus::Reverted, counts(11, 0, 1), 6));
    let tables = made::everything(&scene.world.database).await;
    for message in scene.sent().into_iter().chain([whole(6), whole(1)]) {
        scene.handled(&message, true, soon()).await;
    }
    let after = made::everything(&scene.world.database).await;
    assert!(tables.len() == after.len() && tables.iter().all(|item| after.contains(item)));
    assert!(scene.contact(&scene.id_of("+15145550111")).await.1.1.is_none());
}

#[tokio::test]
async fn a_worker_without_time_leaves_and_another_goes_on_where_it_stopped() {
    let mut scene = Scene::new().await;
    let file = (0..250).fold("phone,name\n".to_owned(), |file, index| file + &format!("519-555-{index:04},N\n"));
    let id = scene.imported(ImportKind::Contacts, &[&file]).await;
    let mut messages = scene.asked(id).await;
    let mut steps = 0;
    while let Some(message) = messages.pop() {
        scene.handled(&message, false, Instant::now()).await;
        messages.extend(scene.sent());
        steps += 1;
    }
    // Three batches, and a last look that finds all of them done.
    assert_eq!((steps, scene.import(id).await.reverted), (4, counts(250, 0, 0)));
}

#[tokio::test]
async fn an_import_stopped_before_it_wrote_is_undone_at_once() {
    let mut scene = Scene::new().await;
    let (import, _) = scene.begun(ImportKind::Contacts, &[FILE]).await;
    let (core, scope) = (scene.world.database.core.clone(), scene.world.tenant.scope);
    let change = Change::new("import.cancelled", scene.world.clock.now(), Origin::system());
    assert!(import_store::cancel(&core, &scope, import.id, &change).await.unwrap());
    assert!(scene.asked(import.id).await.is_empty());
    let import = scene.import(import.id).await;
    assert_eq!((import.status, import.reverted), (ImportStatus::Reverted, counts(0, 0, 0)));
}

#[tokio::test]
async fn what_a_worker_wrote_before_it_died_and_the_import_was_stopped_is_undone_too() {
    for has_file in [true, false] {
        let mut scene = Scene::new().await;
        people_there(&mut scene).await;
        let before = scene.all().await;
        let (import, _) = scene.begun(ImportKind::Contacts, &[FILE]).await;
        let (core, scope) = (scene.world.database.core.clone(), scene.world.tenant.scope);
        assert!(import_store::begin_write(&core, &scope, import.id, made::CHUNK, 1).await.unwrap());
        let rows = rows_of(&scene.world, &[FILE], 1).into_iter().filter(|row| ![2, 6].contains(&row.number)).collect();
        let written: Vec<WrittenRow> = write_rows(&scene.world.services, &scene.world.tenant, &import, rows, &HashSet::new(), false).await.unwrap().written;
        assert_eq!(written.len(), 3);
        let change = Change::new("import.cancelled", scene.world.clock.now(), Origin::system());
        assert!(import_store::cancel(&core, &scope, import.id, &change).await.unwrap());
        scene.later().await;
        if !has_file {
            scene.uploads.remove(&import.file_key);
        }
        let messages = scene.asked(import.id).await;
        // A worker may still be at it: it is looked at again when it must have left.
        scene.handled(&messages[0], false, soon()).await;
        let again = scene.sent();
        assert_eq!((&again, scene.import(import.id).await.phase), (&messages, Phase::Reverting));
        scene.world.clock.advance(HOUR);
        scene.handled(&again[0], false, soon()).await;
        let import = scene.import(import.id).await;
        let expected = if has_file { counts(1, 2, 0) } else { counts(0, 0, 1) };
        assert_eq!((import.status, import.reverted), (ImportStatus::Reverted, expected));
        let after = scene.all().await;
        assert_eq!(before.iter().all(|(id, said)| after.get(id) == Some(said)), has_file);
        assert!(!after.contains_key(&scene.id_of("+15145550106")), "nothing more was written");
    }
}

#[tokio::test]
async fn the_archive_tells_what_a_piece_wrote_when_the_results_are_gone() {
    let mut scene = Scene::new().await;
    let id = scene.imported(ImportKind::Contacts, &[FILE]).await;
    assert!(scene.results.remove(&written_key(scene.world.tenant.record.id, id, made::CHUNK, None)).is_some());
    assert_eq!(scene.reverted(id).await, counts(6, 0, 0));
}

#[tokio::test]
async fn numbers_that_were_added_are_taken_off_the_list_and_others_say_what_they_said() {
    let mut scene = Scene::new().await;
    let admin = scene.world.viewer(ADMIN).await;
    let contact = scene.created(person("514-555-0102", "Ada")).await;
    let request = AddSuppression { phone: "514-555-0101".to_owned(), reason: Some("asked".to_owned()), ..AddSuppression::default() };
    suppressions::add(&scene.world.services, &admin, request).await.unwrap().unwrap();
    scene.later().await;
    let entry = async |scene: &Scene, e164: &str| {
        let id = id_of(&scene.world.tenant.keyring, e164);
        list::find(&scene.world.database.core, &scene.world.tenant.scope, &id).await.unwrap().unwrap()
    };
    let before = entry(&scene, "+15145550101").await;
    let file = "phone,source,reason\n514-555-0101,dncl,\n514-555-0102,dncl,\n514-555-0103,dncl,\n";
    let id = scene.imported(ImportKind::Suppressions, &[file]).await;
    let is_marked = async |scene: &Scene| store::get(&scene.world.database.core, &scene.world.tenant, &contact).await.unwrap().unwrap().contact.suppressed;
    assert!(is_marked(&scene).await && entry(&scene, "+15145550101").await.source == "dncl");
    assert_eq!(scene.reverted(id).await, counts(2, 1, 0));
    let after = entry(&scene, "+15145550101").await;
    assert_eq!((after.source, after.reason, after.removed_at, after.record.version), (before.source, before.reason, None, 3));
    let taken_off = entry(&scene, "+15145550102").await;
    assert!(!taken_off.is_in_force() && !is_marked(&scene).await);
    assert_eq!(taken_off.record.last_change.reason.as_deref(), Some("import reverted"));
}

#[tokio::test]
async fn a_number_whose_contact_must_not_be_called_by_now_stays_on_the_list() {
    let mut scene = Scene::new().await;
    let contact = scene.created(person("514-555-0101", "Ada")).await;
    let id = scene.imported(ImportKind::Suppressions, &["phone,source\n514-555-0101,dncl\n514-555-0102,dncl\n"]).await;
    scene.later().await;
    let admin = scene.world.viewer(ADMIN).await;
    let status = admin.settings.status_by_code(DO_NOT_CALL).map(|status| status.id);
    // The number is on the list already, so this leaves no version of its entry.
    contacts::set_status(&scene.world.services, &admin, SetStatus { id: Some(contact), status, ..SetStatus::default() }).await.unwrap().unwrap();
    scene.follow().await;
    assert_eq!(scene.reverted(id).await, counts(1, 0, 1));
    assert_eq!(scene.kept(id).await.len(), 1);
    let entry = list::find(&scene.world.database.core, &scene.world.tenant.scope, &id_of(&scene.world.tenant.keyring, "+15145550101")).await.unwrap();
    assert!(entry.unwrap().is_in_force());
}

#[tokio::test]
async fn what_contacts_put_on_the_list_stays_there() {
    let mut scene = Scene::new().await;
    let id = scene.imported(ImportKind::Contacts, &["phone,name,do not call\n514-555-0101,Zoe,yes\n"]).await;
    assert_eq!(scene.reverted(id).await, counts(1, 0, 0));
    let entry = list::find(&scene.world.database.core, &scene.world.tenant.scope, &id_of(&scene.world.tenant.keyring, "+15145550101")).await.unwrap();
    assert!(entry.unwrap().is_in_force());
}

#[tokio::test]
async fn agents_are_called_what_they_were_and_leave_the_teams_that_they_were_put_into() {
    let mut scene = Scene::new().await;
    let (core, scope) = (scene.world.database.core.clone(), scene.world.tenant.scope);
    let viewer = scene.world.viewer(TELEPHONIST).await;
    let request = CreateTeam { name: "Équipe Nord".to_owned(), ..CreateTeam::default() };
    let team = teams::create(&scene.world.services, &scene.world.viewer(ADMIN).await, request).await.unwrap().unwrap();
    let before = people::agent(&core, &scope, viewer.agent()).await.unwrap().unwrap();
    let email = viewer.staff_email(&viewer.user.id.to_string(), &viewer.user.sealed_email).unwrap();
    scene.later().await;
    let file = format!("name,email,employee id,team\nRenamed,{email},E77,Équipe Nord\n");
    let id = scene.imported(ImportKind::Agents, &[&file]).await;
    let imported = people::agent(&core, &scope, before.id).await.unwrap().unwrap();
    assert_eq!((imported.name.as_str(), imported.employee_id.as_deref(), imported.teams.len()), ("Renamed", Some("E77"), before.teams.len() + 1));
    assert_eq!(scene.reverted(id).await, counts(0, 1, 0));
    let after = people::agent(&core, &scope, before.id).await.unwrap().unwrap();
    let user = people::user(&core, &scope, before.id.into()).await.unwrap().unwrap();
    assert_eq!((&after.name, &after.employee_id, &after.teams, &user.name), (&before.name, &before.employee_id, &before.teams, &viewer.user.name));
    assert!(people::membership(&core, &scope, team.id, before.id).await.unwrap().is_none());
    let team = people::team(&core, &scope, team.id).await.unwrap().unwrap();
    assert_eq!((team.deleted_at, team.member_count), (None, 0));
}

/// What is in the way of a team that an import made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InTheWay {
    Nothing,
    Member,
    Contact,
}

#[tokio::test]
async fn a_team_that_was_made_goes_when_nobody_is_in_it_and_no_contact_in_its_pool() {
    for (in_the_way, expected) in [(InTheWay::Nothing, counts(3, 0, 0)), (InTheWay::Member, counts(2, 0, 1)), (InTheWay::Contact, counts(1, 0, 2))] {
        let mut scene = Scene::new().await;
        let (core, scope) = (scene.world.database.core.clone(), scene.world.tenant.scope);
        let files = ["phone,name,team\n514-555-0101,Zoe,Équipe Nord\n", "phone,name,team\n514-555-0102,Ada,équipe nord\n"];
        let id = scene.imported(ImportKind::Contacts, &files).await;
        let team = people::team_by_name(&core, &scope, &folded_name("Équipe Nord")).await.unwrap().unwrap();
        let agent = scene.world.viewer(TELEPHONIST).await.agent();
        match in_the_way {
            InTheWay::Nothing => {}
            InTheWay::Member => {
                let place = PlaceMember { team: Some(team), agent: Some(agent), role: MembershipRole::Agent };
                teams::add_member(&scene.world.services, &scene.world.viewer(ADMIN).await, place).await.unwrap().unwrap();
            }
            InTheWay::Contact => scene.renamed(&scene.id_of("+15145550101"), "Changed").await,
        }
        scene.later().await;
        assert_eq!(scene.reverted(id).await, expected, "{in_the_way:?}");
        let is_there = people::team(&core, &scope, team).await.unwrap().unwrap().deleted_at.is_none();
        let is_named = people::team_by_name(&core, &scope, &folded_name("Équipe Nord")).await.unwrap().is_some();
        assert_eq!((is_there, is_named), (in_the_way != InTheWay::Nothing, in_the_way != InTheWay::Nothing));
        let kept = scene.kept(id).await;
        assert_eq!(kept.last().map(|kept| (kept.entity_type.as_str(), kept.entity_id.clone())), is_there.then(|| ("team", team.to_string())));
    }
}
