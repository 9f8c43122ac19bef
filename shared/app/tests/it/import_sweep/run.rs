//! A pipeline at work: its messages, and the order in which they come.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use jiff::SignedDuration;
use switchboard_app::AppError;
use switchboard_app::contacts::delete;
use switchboard_app::imports::{DroppedFile, RowsMessage, Step, WrittenRow, receive, write_rows};
use switchboard_domain::imports::{Import, Phase};
use switchboard_store::item::{Item, text};
use switchboard_store::{contacts, imports};
use switchboard_testkit::{Fault, TableStream, Wire, World};

use super::input::{Input, e164};
use super::outcome::{Outcome, chunk_said, contact_said, import_said, trail};
use crate::made;
use crate::pipeline::{Chance, Pipeline, Place, told};

/// How often a message comes before it is a dead letter, and how often one that was handled may come in all.
const TIMES: usize = 5;
/// More messages than a case ever takes.
const MANY: usize = 5_000;

/// What a queue gives out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// That a file was put in the bucket.
    File(DroppedFile),
    /// A step of an import.
    Rows(RowsMessage),
}

impl Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Rows(message) => match message.step {
                Step::Check { .. } => "check",
                Step::Join { .. } => "join",
                Step::Write(_) => "write",
                Step::Finish => "finish",
                Step::Revert(_) => "revert",
            },
        }
    }
}

/// A message that waits.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    message: Message,
    /// How often it came before, as far as the queue says.
    came: usize,
    /// How often its worker is still to be killed.
    kills: usize,
}

impl Delivery {
    pub(super) fn first(message: Message) -> Self {
        Self { message, came: 0, kills: 0 }
    }
}

/// What happens to whoever writes where it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// They are killed.
    Killed,
    /// They go on: the SDK tries requests to the database again.
    GoesOn,
}

/// A pipeline at work.
pub(super) struct Run {
    pub(super) pipeline: Pipeline,
    /// What was there before.
    before: BTreeMap<Place, Item>,
    stream: TableStream,
    pub(super) waiting: Vec<Delivery>,
    dead_letters: Vec<Delivery>,
    /// Messages that were handled, and come again.
    handled: Vec<Message>,
    repeated: Vec<Message>,
    deliveries: usize,
    /// Whether the write came that was to go wrong.
    pub(super) is_broken: bool,
    /// The write of each request that writes: the kind of message it was for, and its operation.
    pub(super) writes: Vec<(&'static str, String)>,
    /// The chunks of which a worker was told to write them.
    pub(super) told: HashSet<u32>,
}

impl Run {
    /// The contacts that are there, and the file in the bucket.
    pub(super) async fn begin(input: &Input, then: Then) -> Self {
        let world = World::new().await;
        let database = match then {
            Then::Killed => world.database.without_retries(),
            // The SDK tries again at once.
            Then::GoesOn => world.database.with_retries(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1))),
        };
        let stream = world.database.open_stream().await;
        let (import, rows) = made::import(&world, 1, &input.existing());
        write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
        let viewer = world.viewer("admin").await;
        world.clock.advance(SignedDuration::from_secs(60));
        for number in input.extent.deleted() {
            delete(&world.services, &viewer, Some(world.tenant.keyring.slot(&e164(number))), 1).await.unwrap().unwrap();
        }
        world.clock.advance(SignedDuration::from_secs(60));
        let pipeline = Pipeline::over(world, &database, input.extent.chunk_rows);
        let file = pipeline.dropped("people.csv", "1", input.text.as_str()).await;
        let before = pipeline.table().await;
        Self {
            pipeline,
            before,
            stream,
            waiting: vec![Delivery::first(Message::File(file))],
            dead_letters: Vec::new(),
            handled: Vec::new(),
            repeated: Vec::new(),
            deliveries: 0,
            is_broken: false,
            writes: Vec::new(),
            told: HashSet::new(),
        }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.pipeline.world.database.wire
    }

    /// Takes what was sent.
    pub(super) fn collect(&mut self) {
        self.waiting.extend(self.pipeline.messages().into_iter().map(|message| Delivery::first(Message::Rows(message))));
    }

    /// Gives each message out once, in their order, until something goes wrong or none is left.
    pub(super) async fn in_order(&mut self) {
        loop {
            self.collect();
            if self.is_broken || self.waiting.is_empty() {
                return;
            }
            let delivery = self.waiting.remove(0);
            self.deliver(delivery, false).await;
        }
    }

    /// Gives messages out in any order until none is left, those that were handled again, and now and then to two workers at once.
    pub(super) async fn in_any_order(&mut self, chance: &Chance, at_once: bool) {
        for delivery in &mut self.waiting {
            // So often it ends among the dead letters.
            delivery.kills = if delivery.came > 0 && chance.below(3) == 0 { TIMES } else { 0 };
        }
        loop {
            self.collect();
            for message in std::mem::take(&mut self.handled) {
                if !self.repeated.contains(&message) {
                    let again = Delivery { message: message.clone(), came: 1, kills: 0 };
                    self.waiting.extend(std::iter::repeat_n(again, chance.below(TIMES)));
                    self.repeated.push(message);
                }
            }
            if self.waiting.is_empty() {
                if self.dead_letters.is_empty() {
                    return;
                }
                self.waiting.append(&mut self.dead_letters);
            }
            let mut delivery = self.waiting.swap_remove(chance.below(self.waiting.len()));
            let is_doubled = at_once && delivery.kills == 0 && chance.below(6) == 0;
            if delivery.kills > 0 {
                delivery.kills -= 1;
                self.wire().cut_for_good_at_write(chance.below(3), if chance.below(2) == 0 { Fault::CutBefore } else { Fault::CutAfter });
            }
            self.deliver(delivery, is_doubled).await;
            self.wire().mend();
        }
    }

    async fn deliver(&mut self, mut delivery: Delivery, is_doubled: bool) {
        self.deliveries += 1;
        assert!(self.deliveries < MANY, "it never ends");
        self.pipeline.world.clock.advance(SignedDuration::from_millis(10));
        if let Message::Rows(RowsMessage { step: Step::Write(piece), .. }) = &delivery.message {
            self.told.insert(piece.chunk);
        }
        let before = self.wire().writes().len();
        let outcome = self.handled_by(&delivery, is_doubled).await;
        // What is to go wrong at a later message stays planned.
        let was_broken = self.wire().is_broken() && self.wire().mend();
        self.is_broken |= was_broken;
        assert!(outcome.is_ok() || was_broken, "{delivery:?}: {outcome:?}");
        let kind = delivery.message.kind();
        let writes = self.wire().writes();
        self.writes.extend(writes[before..].iter().map(|operation| (kind, operation.clone())));
        if outcome.is_ok() {
            self.handled.push(delivery.message);
            return;
        }
        delivery.came += 1;
        if delivery.came < TIMES {
            self.waiting.push(delivery);
        } else {
            // Sent back from there it is a new one.
            self.dead_letters.push(Delivery::first(delivery.message));
        }
    }

    async fn handled_by(&self, delivery: &Delivery, is_doubled: bool) -> Result<(), AppError> {
        let one = async || match &delivery.message {
            Message::File(file) => Box::pin(receive(&self.pipeline.services, file)).await.map(drop),
            Message::Rows(message) => self.pipeline.handle(message, delivery.came > 0).await.map(drop),
        };
        if !is_doubled {
            return one().await;
        }
        let (first, second) = futures::future::join(Box::pin(one()), Box::pin(one())).await;
        first.and(second)
    }

    /// The import of a file, as it stands.
    pub(super) async fn import_of(&self, name: &str) -> Import {
        let items = self.pipeline.table().await.into_values().filter(|item| text(item, "type") == Some(imports::IMPORT));
        let found: Vec<Import> = items.map(|item| imports::decode(item).unwrap()).filter(|import| import.file_name == name).collect();
        let [import] = found.as_slice() else { panic!("{name} has one import: {found:?}") };
        import.clone()
    }

    /// The same, which has ended well.
    pub(super) async fn ended(&self, name: &str) -> Import {
        let import = self.import_of(name).await;
        assert_eq!((import.phase, import.status), (Phase::Ended, Import::final_status(&import.counts)), "{import:?}");
        assert_eq!(Some(import.counts.total()), import.rows_total);
        import
    }

    /// What it all came to.
    pub(super) async fn outcome(&mut self) -> Outcome {
        let (world, table) = (&self.pipeline.world, self.pipeline.table().await);
        assert!(self.before.keys().all(|place| table.contains_key(place)));
        let mut items = BTreeMap::new();
        let mut versions = BTreeMap::new();
        for (place, item) in table {
            let said = match text(&item, "type") {
                Some(contacts::CONTACT) => {
                    let contact = contacts::decode(&world.tenant.keyring, item.clone()).unwrap().contact;
                    versions.insert(contact.id.to_string(), contact.record.version);
                    contact_said(contact, &item)
                }
                Some(imports::IMPORT) => import_said(imports::decode(item).unwrap()),
                Some(imports::CHUNK) => chunk_said(imports::decode_chunk(item).unwrap()),
                _ => {
                    assert_eq!(self.before.get(&place), Some(&item), "an import has nothing to do with this");
                    continue;
                }
            };
            items.insert(place, said);
        }
        let events = self.pipeline.recorded(&told(&mut self.stream)).await;
        let trail = trail(&events);
        for (contact, version) in versions {
            let places: BTreeSet<u32> = events.iter().filter(|stored| stored.event.entity_id == contact).filter_map(|stored| stored.event.version()).collect();
            assert_eq!(places, (1..=version).collect::<BTreeSet<u32>>(), "{contact} has one event per version");
            assert_eq!(trail[&contact].len(), places.len());
        }
        Outcome { items, files: self.files(), trail }
    }

    /// The files that tell what became of the rows.
    fn files(&self) -> BTreeMap<String, String> {
        let results = &self.pipeline.results;
        let mut files = BTreeMap::new();
        for key in results.keys() {
            let bytes = results.get(&key).unwrap();
            let said = if key.contains("/written/") {
                let rows: Vec<WrittenRow> = serde_json::from_slice(&bytes).unwrap();
                let mut ids: Vec<String> = rows.into_iter().map(|row| format!("{} {}\n", row.entity_type, row.entity_id)).collect();
                ids.sort_unstable();
                ids.concat()
            } else if ["/result/", "/failed/", "/overtaken/", "/errors.csv"].iter().any(|part| key.contains(part)) {
                String::from_utf8(bytes).unwrap()
            } else {
                continue;
            };
            files.insert(key, said);
        }
        files
    }
}
