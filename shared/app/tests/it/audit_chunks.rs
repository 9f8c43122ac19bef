//! The events of an import's chunks when not all is as it should be: when events of rows are still to come or never do, when files or the import are gone, and when
//! what is listed isn't what was recorded.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use serde_json::{Value, json};
use switchboard_app::AppError;
use switchboard_app::audit::{self, ChunkRow, EventPage, Recorder, RedriveReport, Report, StreamRecord, chunk_key, redrive};
use switchboard_app::imports::{WrittenRow, write_rows, written_key};
use switchboard_domain::audit::Changes;
use switchboard_domain::imports::Import;
use switchboard_store::item::{Item, text};
use switchboard_store::keys;
use switchboard_testkit::{Bucket, World};

use crate::made;

const ROWS: usize = 3;
/// More than half of the time that a chunk waits.
const A_WHILE: SignedDuration = SignedDuration::from_secs(40);

/// An import of a few rows, as the stream tells it.
struct Scene {
    world: World,
    import: Import,
    rows: Vec<StreamRecord>,
    /// That the chunk is written.
    end: StreamRecord,
    results: Bucket,
    archive: Bucket,
    letters: Bucket,
}

impl Scene {
    async fn new() -> Self {
        let mut world = World::new().await;
        let [results, archive, letters] = std::array::from_fn(|_| Bucket::new(world.clock.clone()));
        world.services.archive = archive.files();
        let (import, rows) = made::import(&world, 1, &made::file(ROWS));
        made::begin(&world, &import).await;
        let result = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
        let end = made::written(&world, &results, &import, &result.written).await;
        let items = made::everything(&world.database).await;
        let rows = items.iter().filter(|item| text(item, "type") == Some("contact")).map(made::inserted).collect();
        Self { world, import, rows, end, results, archive, letters }
    }

    fn recorder(&self) -> Recorder {
        Recorder { dead_letters: self.letters.files(), results: self.results.files(), archive: self.archive.files(), ..made::recorder(&self.world) }
    }

    /// Whether a batch went through, and how.
    async fn record(&self, batch: &[&StreamRecord]) -> Option<Report> {
        match self.recorder().record(batch.iter().copied().cloned().collect()).await {
            Ok(report) => Some(report),
            Err(AppError::Unavailable(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn list_key(&self) -> String {
        chunk_key(self.world.tenant.record.id, self.import.id, made::CHUNK)
    }

    fn written_key(&self) -> String {
        written_key(self.world.tenant.record.id, self.import.id, made::CHUNK, None)
    }

    /// The list in the archive.
    fn list(&self) -> Vec<ChunkRow> {
        serde_json::from_slice(&self.archive.get(&self.list_key()).unwrap()).unwrap()
    }

    /// What the event of the chunk says; nothing when there is none.
    async fn said(&self) -> Option<Value> {
        let page = self.world.services.audit.beside(&self.world.tenant.scope, "import", &self.import.id.to_string(), None, 10).await.unwrap();
        let event = page.entries.into_iter().find(|stored| stored.event.change.action == "import.chunk_written")?.event;
        let Changes::Clear(changes) = event.changes else { panic!("nothing of it is sealed") };
        Some(changes.into_iter().map(|change| (change.field, change.new.unwrap())).collect())
    }

    /// The root of the list as it should be.
    fn root(&self) -> String {
        made::root_of(self.list().iter().filter_map(|row| row.hash.as_deref()))
    }

    /// The rows behind the event.
    async fn opened(&self) -> Result<EventPage, AppError> {
        let (root, admin) = (self.said().await.unwrap()["root"].as_str().unwrap().to_owned(), self.world.viewer("admin").await);
        audit::rows(&self.world.services, &admin, self.import.id, made::CHUNK, &root, None, 100).await
    }

    /// The reasons of all letters.
    fn reasons(&self) -> Vec<String> {
        let letter = |key: String| serde_json::from_slice::<Value>(&self.letters.get(&key).unwrap()).unwrap();
        self.letters.keys().into_iter().map(|key| letter(key)["reason"].as_str().unwrap().to_owned()).collect()
    }
}

fn recorded(recorded: usize) -> Option<Report> {
    Some(Report { recorded, ..Report::default() })
}

fn repeated(repeated: usize) -> Option<Report> {
    Some(Report { repeated, ..Report::default() })
}

#[tokio::test]
async fn a_chunk_waits_while_events_of_its_rows_come_and_says_how_many_are_missing_when_none_has_come_for_a_minute() {
    let scene = Scene::new().await;
    // However old the end of the chunk is: the whole stream may be behind.
    scene.world.clock.advance(SignedDuration::from_hours(3));
    assert_eq!(scene.record(&[&scene.end]).await, None);
    scene.world.clock.advance(A_WHILE);
    // What is with it in the batch is on record.
    assert_eq!(scene.record(&[&scene.end, &scene.rows[0]]).await, None);
    assert_eq!(scene.record(&[&scene.rows[0]]).await, repeated(1));
    scene.world.clock.advance(A_WHILE);
    assert_eq!(scene.record(&[&scene.end]).await, None, "one has come");
    scene.world.clock.advance(A_WHILE);
    assert_eq!(scene.record(&[&scene.end]).await, recorded(1));
    let said = scene.said().await.unwrap();
    assert_eq!(said, json!({ "chunk": 1, "rows": 1, "missing": 2, "root": scene.root() }));
    assert_eq!(scene.list().iter().map(|row| (row.version, row.hash.is_some())).filter(|row| *row == (Some(1), false)).count(), 2, "the list names them");
    assert_eq!(scene.opened().await.unwrap().entries.len(), 1);

    // They come after all: the event stays as it is, and opens into them.
    assert_eq!(scene.record(&[&scene.rows[1], &scene.rows[2], &scene.end]).await, Some(Report { recorded: 2, repeated: 1, ..Report::default() }));
    assert_eq!((scene.said().await, scene.opened().await.unwrap().entries.len()), (Some(said), ROWS));
    assert_eq!(scene.letters.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn a_row_that_was_set_aside_is_not_waited_for() {
    let mut scene = Scene::new().await;
    let image = scene.rows[2].new.as_mut().unwrap();
    image.insert("version".to_owned(), AttributeValue::N("2".to_owned()));
    let batch = [&scene.rows[0], &scene.rows[1], &scene.rows[2], &scene.end];
    assert_eq!(scene.record(&batch).await, Some(Report { recorded: 3, isolated: 1, ..Report::default() }));
    assert_eq!(scene.said().await.unwrap(), json!({ "chunk": 1, "rows": 2, "missing": 1, "root": scene.root() }));
    assert_eq!(scene.results.keys(), [scene.written_key()], "nothing says since when it waits");
    assert_eq!(scene.record(&batch).await, Some(Report { repeated: 3, isolated: 1, ..Report::default() }));

    // One beside it that is only late is waited for.
    let mut scene = Scene::new().await;
    scene.rows[2].new.as_mut().unwrap().insert("version".to_owned(), AttributeValue::N("2".to_owned()));
    assert_eq!(scene.record(&[&scene.rows[2], &scene.rows[0], &scene.end]).await, None);
    assert_eq!(scene.record(&[&scene.rows[1], &scene.end]).await, recorded(2));
    assert_eq!(scene.said().await.unwrap()["missing"], 1);
}

#[tokio::test]
async fn a_row_that_a_worker_before_wrote_is_found_by_the_trail() {
    let scene = Scene::new().await;
    let (_, rows) = made::import(&scene.world, 1, &made::file(ROWS));
    let again = write_rows(&scene.world.services, &scene.world.tenant, &scene.import, rows, &HashSet::new(), true).await.unwrap();
    // The contact's mark of the row says which version it made.
    assert!(again.written.len() == ROWS && again.written.iter().all(|row| row.version == Some(1)));
    // Of an older mark that isn't known.
    let unknown: Vec<WrittenRow> = again.written.into_iter().map(|row| WrittenRow { version: None, ..row }).collect();
    scene.results.put(&scene.written_key(), serde_json::to_vec(&unknown).unwrap());
    assert_eq!(scene.record(&[&scene.rows[0], &scene.rows[1], &scene.end]).await, None);
    assert_eq!(scene.record(&[&scene.rows[2], &scene.end]).await, recorded(2));
    assert_eq!(scene.said().await.unwrap(), json!({ "chunk": 1, "rows": ROWS, "root": scene.root() }));
    assert!(scene.list().iter().all(|row| row.version == Some(1)));
}

#[tokio::test]
async fn a_chunk_whose_import_or_files_are_gone_is_set_aside_with_the_reason_and_holds_nothing_up() {
    type Damage = fn(&Scene);
    let damages: [(Damage, &str); 3] = [
        (|scene| drop(scene.results.remove(&scene.written_key())), "what a chunk of an import wrote is gone"),
        (|scene| scene.results.put(&scene.written_key(), b"[{".to_vec()), "written/000001.json can't be read"),
        (|scene| scene.archive.put(&scene.list_key(), b"[{".to_vec()), "chunks/"),
    ];
    for (damage, reason) in damages {
        let scene = Scene::new().await;
        let written = scene.results.get(&scene.written_key()).unwrap();
        damage(&scene);
        let batch = [&scene.end, &scene.rows[0], &scene.rows[1], &scene.rows[2]];
        assert_eq!(scene.record(&batch).await, Some(Report { recorded: ROWS, isolated: 1, ..Report::default() }), "{reason}");
        // However often it comes.
        for _ in 0..3 {
            assert_eq!(scene.record(&batch).await, Some(Report { repeated: ROWS, isolated: 1, ..Report::default() }), "{reason}");
        }
        assert!(scene.reasons().len() == 1 && scene.reasons()[0].contains(reason), "{:?}", scene.reasons());
        assert_eq!(scene.said().await, None);
        scene.archive.remove(&scene.list_key());
        scene.results.put(&scene.written_key(), written);
        assert_eq!(redrive(&scene.recorder()).await.unwrap(), RedriveReport { recorded: 1, ..RedriveReport::default() }, "{reason}");
        assert_eq!(scene.said().await.unwrap()["rows"], ROWS);
    }

    let scene = Scene::new().await;
    let key = keys::import(&scene.world.tenant.scope, scene.import.id);
    let key = Item::from([("PK".to_owned(), AttributeValue::S(key.pk)), ("SK".to_owned(), AttributeValue::S(key.sk))]);
    scene.world.database.client.delete_item().table_name("core").set_key(Some(key)).send().await.unwrap();
    assert_eq!(scene.record(&[&scene.end, &scene.rows[0]]).await, Some(Report { recorded: 1, isolated: 1, ..Report::default() }));
    assert_eq!(scene.reasons(), ["the import of a chunk is gone"]);
}

#[tokio::test]
async fn the_list_that_was_written_first_stands_and_the_event_is_made_of_it() {
    let scene = Scene::new().await;
    assert_eq!(scene.record(&[&scene.rows[0], &scene.rows[1], &scene.rows[2], &scene.end]).await, recorded(ROWS + 1));
    let whole = scene.list();

    // A recorder wrote a list with a row missing, and was killed before the event was there.
    let scene = Scene::new().await;
    let mut first = whole;
    first[1].hash = None;
    let file = serde_json::to_vec(&first).unwrap();
    scene.archive.put(&scene.list_key(), file.clone());
    for expected in [recorded(ROWS + 1), repeated(ROWS + 1)] {
        assert_eq!(scene.record(&[&scene.rows[0], &scene.rows[1], &scene.rows[2], &scene.end]).await, expected);
        assert_eq!(scene.archive.get(&scene.list_key()), Some(file.clone()));
        assert_eq!(scene.said().await.unwrap(), json!({ "chunk": 1, "rows": 2, "missing": 1, "root": scene.root() }));
    }
    // What the chunk wrote isn't needed any more.
    scene.results.remove(&scene.written_key());
    assert_eq!(scene.record(&[&scene.end]).await, repeated(1));
}

#[tokio::test]
async fn a_list_that_is_not_the_one_of_the_event_is_not_opened() {
    let scene = Scene::new().await;
    assert_eq!(scene.record(&[&scene.rows[0], &scene.rows[1], &scene.rows[2], &scene.end]).await, recorded(ROWS + 1));
    assert_eq!(scene.opened().await.unwrap().entries.len(), ROWS);
    let (whole, broken) = (scene.list(), async || matches!(scene.opened().await, Err(AppError::Broken(_))));
    let edits: [fn(&mut Vec<ChunkRow>); 4] = [
        |list| drop(list.pop()),
        |list| list[0].hash = None,
        |list| list[0].hash = Some("00".repeat(32)),
        // The root is the same: the hashes are all there.
        |list| (list[0].entity_id, list[1].entity_id) = (list[1].entity_id.clone(), list[0].entity_id.clone()),
    ];
    for edit in edits {
        let mut list = whole.clone();
        edit(&mut list);
        scene.archive.put(&scene.list_key(), serde_json::to_vec(&list).unwrap());
        assert!(broken().await, "{list:?}");
    }
    scene.archive.remove(&scene.list_key());
    assert!(broken().await);
    scene.archive.put(&scene.list_key(), serde_json::to_vec(&whole).unwrap());
    assert!(!broken().await);
}
