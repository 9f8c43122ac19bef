//! The import pipeline over a world, with buckets and a queue of its own, whose messages a test hands out as it likes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use switchboard_app::audit::{Recorder, StreamRecord};
use switchboard_app::imports::{DroppedFile, Handled, ImportServices, Received, RowsMessage, Step, handle, receive};
use switchboard_app::{AppError, Services};
use switchboard_domain::clock::{Clock, Entropy};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::Import;
use switchboard_store::audit_events::{StoredEvent, decode_image};
use switchboard_store::contacts;
use switchboard_store::imports::{self, Chunk};
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Bucket, Database, Mailbox, SeededEntropy, TableStream, World};

use crate::made;

/// Where an item stands.
pub(crate) type Place = (String, String);

pub(crate) struct Pipeline {
    pub(crate) world: World,
    pub(crate) uploads: Bucket,
    pub(crate) results: Bucket,
    pub(crate) rows: Mailbox,
    pub(crate) services: ImportServices,
}

impl Pipeline {
    /// A pipeline whose chunks have so many rows.
    pub(crate) async fn new(chunk_rows: u64) -> Self {
        let world = World::new().await;
        let database = world.database.clone();
        Self::over(world, &database, chunk_rows)
    }

    /// The same over this connection to the world's database, whose wire leads to the buckets and to the queue as well.
    pub(crate) fn over(world: World, database: &Database, chunk_rows: u64) -> Self {
        let uploads = Bucket::over(world.clock.clone(), &database.wire);
        let results = Bucket::over(world.clock.clone(), &database.wire);
        let rows = Mailbox::over(&database.wire);
        let services = Services { core: database.core.clone(), audit: database.audit.clone(), results: results.files(), ..world.services.clone() };
        let services = ImportServices { services, uploads: uploads.files(), results: results.files(), rows: rows.queue(), chunk_rows };
        Self { world, uploads, results, rows, services }
    }

    /// Drops a file; what the bucket says of it.
    pub(crate) async fn dropped(&self, name: &str, sequencer: &str, bytes: impl Into<Vec<u8>>) -> DroppedFile {
        self.put(&format!("drop/{}/{name}", self.world.tenant.record.slug), sequencer, bytes).await
    }

    /// Puts a file under a key; what the bucket says of it.
    pub(crate) async fn put(&self, key: &str, sequencer: &str, bytes: impl Into<Vec<u8>>) -> DroppedFile {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        self.uploads.put(key, bytes);
        let (_, tag) = self.services.uploads.get_tagged(key).await.unwrap().unwrap();
        DroppedFile { key: key.to_owned(), tag, bytes: length, sequencer: sequencer.to_owned(), at: self.world.clock.now() }
    }

    /// Takes a file in.
    pub(crate) async fn receive(&self, file: &DroppedFile) -> Received {
        Box::pin(receive(&self.services, file)).await.unwrap()
    }

    /// Takes in a file that can be planned; its import.
    pub(crate) async fn planned(&self, file: &DroppedFile) -> ImportId {
        match self.receive(file).await {
            Received::Planned(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// The messages that were sent since they were last asked for.
    pub(crate) fn messages(&self) -> Vec<RowsMessage> {
        self.rows.take().iter().map(|message| serde_json::from_str(message).unwrap()).collect()
    }

    /// The steps of those messages.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.messages().into_iter().map(|message| message.step).collect()
    }

    /// Hands out a message, with time for all there is to do.
    pub(crate) async fn handle(&self, message: &RowsMessage, redelivered: bool) -> Result<Handled, AppError> {
        Box::pin(handle(&self.services, message, redelivered, Instant::now() + Duration::from_hours(1))).await
    }

    /// Hands out a message of which somebody says that it is to be handled when its time is over.
    pub(crate) async fn handle_late(&self, message: &RowsMessage, redelivered: bool) -> Handled {
        Box::pin(handle(&self.services, message, redelivered, Instant::now())).await.unwrap()
    }

    /// A message for an import of the world's tenant.
    pub(crate) fn message(&self, import: ImportId, step: Step) -> RowsMessage {
        RowsMessage { tenant: self.world.tenant.record.id, import, step }
    }

    /// Handles messages, and those that they lead to, as long as they are wanted; the others.
    pub(crate) async fn work_on(&self, is_wanted: impl Fn(&Step) -> bool) -> Vec<RowsMessage> {
        let mut others = Vec::new();
        loop {
            let messages = self.messages();
            if messages.is_empty() {
                return others;
            }
            for message in messages {
                if is_wanted(&message.step) {
                    self.handle(&message, false).await.unwrap();
                } else {
                    others.push(message);
                }
            }
        }
    }

    /// Handles these messages, and those that they lead to.
    pub(crate) async fn work_off(&self, messages: &[RowsMessage]) {
        for message in messages {
            self.handle(message, false).await.unwrap();
        }
        self.work_on(|_| true).await;
    }

    /// An import as it stands.
    pub(crate) async fn import(&self, id: ImportId) -> Import {
        imports::get(&self.world.database.core, &self.world.tenant.scope, id).await.unwrap().unwrap()
    }

    /// Its chunks, and the rests of them.
    pub(crate) async fn chunks(&self, id: ImportId) -> Vec<Chunk> {
        imports::chunks(&self.world.database.core, &self.world.tenant.scope, id).await.unwrap()
    }

    /// The contact at a number.
    pub(crate) async fn contact(&self, e164: &str) -> Contact {
        contacts::owner_of_number(&self.world.database.core, &self.world.tenant, e164).await.unwrap().unwrap().contact
    }

    /// All contacts.
    pub(crate) async fn contacts(&self) -> Vec<Contact> {
        let items = self.table().await.into_values().filter(|item| text(item, "type") == Some(contacts::CONTACT));
        items.map(|item| contacts::decode(&self.world.tenant.keyring, item).unwrap().contact).collect()
    }

    /// The whole core table.
    pub(crate) async fn table(&self) -> BTreeMap<Place, Item> {
        table(&self.world.database).await
    }

    /// Gives the recorder what a stream said; all events there are then.
    pub(crate) async fn recorded(&self, records: &[StreamRecord]) -> Vec<StoredEvent> {
        let archive = Bucket::new(self.world.clock.clone());
        let recorder = Recorder { results: self.results.files(), archive: archive.files(), ..made::recorder(&self.world) };
        let report = recorder.record(records.to_vec()).await.unwrap();
        assert_eq!((report.repeated, report.isolated), (0, 0), "{report:?}");
        let mut events = Vec::new();
        let mut next = None;
        loop {
            let page = self.world.database.client.execute_statement().statement("SELECT * FROM \"audit\"").set_next_token(next).send().await.unwrap();
            events.extend(page.items.unwrap_or_default().into_iter().map(|item| decode_image(item).unwrap().1));
            next = page.next_token;
            if next.is_none() {
                assert_eq!(events.len(), report.recorded);
                return events;
            }
        }
    }
}

async fn table(database: &Database) -> BTreeMap<Place, Item> {
    let place = |item: &Item| (text(item, "PK").unwrap().to_owned(), text(item, "SK").unwrap().to_owned());
    made::everything(database).await.into_iter().map(|item| (place(&item), item)).collect()
}

/// What a stream says of contacts, of imports and of their chunks. Nothing of that is ever removed.
pub(crate) fn told(stream: &mut TableStream) -> Vec<StreamRecord> {
    let is_of_imports = |item: &Item| text(item, "type").is_some_and(|kind| [contacts::CONTACT, imports::IMPORT, imports::CHUNK].contains(&kind));
    let records = stream.read().into_iter().filter(|record| record.new.as_ref().or(record.old.as_ref()).is_some_and(is_of_imports)).collect::<Vec<_>>();
    assert!(records.iter().all(|record| record.new.is_some()), "nothing of this is ever removed");
    records
}

/// What is drawn, the same in every run.
pub(crate) struct Chance(SeededEntropy);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    pub(crate) fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).unwrap()
    }

    pub(crate) fn shuffle<T>(&self, of: &mut [T]) {
        for last in (1..of.len()).rev() {
            of.swap(last, self.below(last + 1));
        }
    }
}

/// A list of so many people, whose numbers begin with this one.
pub(crate) fn list(first: usize, count: usize, city: &str) -> String {
    let rows = (first..first + count).map(|number| format!("514-555-{number:04},Person {number},{city}\n"));
    std::iter::once("phone,name,city\n".to_owned()).chain(rows).collect()
}
