//! What these tests are made of: imports, rows, and the stream's view of what was written.

use std::sync::Arc;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use switchboard_app::audit::{Recorder, StreamRecord};
use switchboard_app::imports::{WrittenRow, written_key};
use switchboard_domain::audit::{leaf, root, sorted};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::ids::{ContactId, ImportId};
use switchboard_domain::imports::{ChunkRange, Import, ImportKind, ImportSourceType, NewImport, Phase, Piece, Row, read_rows, sniff};
use switchboard_platform::Files;
use switchboard_store::item::Item;
use switchboard_store::{imports, keys};
use switchboard_testkit::{Bucket, Database, SeededEntropy, World};

/// An import in its writing phase, and the rows of its file.
pub(crate) fn import(world: &World, seed: u8, file: &str) -> (Import, Vec<Row>) {
    let beginning = sniff(file.as_bytes(), true, "CA").unwrap();
    let body = &file[file.find('\n').unwrap() + 1..];
    let rows: Vec<Row> = read_rows(body.as_bytes(), &beginning.dialect, 1).collect();
    let now = world.clock.now();
    let new = NewImport {
        id: ImportId::new(now, &[seed; 10]),
        kind: ImportKind::Contacts,
        source_type: ImportSourceType::Csv,
        source_platform: "n/a".to_owned(),
        file_name: "people.csv".to_owned(),
        file_bytes: file.len() as u64,
        file_key: "drop/demo/people.csv".to_owned(),
        file_tag: "tag".to_owned(),
        change: Change::new("import.created", now, Origin::system()),
    };
    let import = Import {
        phase: Phase::Writing,
        mapping: beginning.mapping(ImportKind::Contacts, "CA"),
        dialect: Some(beginning.dialect),
        rows_total: Some(rows.len() as u64),
        chunks: 1,
        check_run: 1,
        chunks_checked: 1,
        checked_run: 1,
        write_run: 1,
        started_at: Some(now),
        writing_since: Some(now),
        ..Import::new(new)
    };
    (import, rows)
}

/// The first chunk of every import.
pub(crate) const CHUNK: Piece = Piece { chunk: 1, from_row: 0 };

/// Puts an import and its chunk where they are kept.
pub(crate) async fn begin(world: &World, import: &Import) {
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    imports::create(core, scope, import.clone()).await.unwrap();
    let range = ChunkRange { number: CHUNK.chunk, start: 0, end: import.file_bytes, first_row: 1, rows: import.rows_total.unwrap() };
    imports::create_chunk(core, scope, import.id, range).await.unwrap();
}

/// Counts the chunk of an import as written, and keeps what it wrote; what the stream says of that.
pub(crate) async fn written(world: &World, results: &Bucket, import: &Import, rows: &[WrittenRow]) -> StreamRecord {
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    let chunk = async || core.get(scope, &keys::chunk(scope, import.id, CHUNK)).await.unwrap().unwrap();
    let before = chunk().await;
    results.put(&written_key(scope.tenant(), import.id, CHUNK, None), serde_json::to_vec(rows).unwrap());
    assert!(imports::finish_write(core, scope, import.id, CHUNK, &import.counts, None, world.clock.now()).await.unwrap());
    changed(&before, &chunk().await)
}

/// The root over hashes, as the event of a chunk says it.
pub(crate) fn root_of<'a>(hashes: impl IntoIterator<Item = &'a str>) -> String {
    let leaves = hashes.into_iter().map(|hash| leaf(hash).unwrap()).collect();
    data_encoding::HEXLOWER.encode(&root(&sorted(leaves)))
}

/// A file of `count` people whose rows look like those of a real list.
pub(crate) fn file(count: usize) -> String {
    let mut file = "first_name,last_name,company_name,address,city,province,postal,phone1,phone2,email,web\n".to_owned();
    for index in 0..count {
        file.push_str(&format!(
            "Francoise,Rautenstrauch,\"Riebesell, H F Jr\",{index} Canton Hwy #6,Windsor,ON,N8N 3N2,519-555-{index:04},226-555-{index:04},francoise{index}@rautenstrauch.com,http://www.riebesellhfjr.com\n"
        ));
    }
    file
}

/// Every item of the core table, for tests that compare whole tables.
pub(crate) async fn everything(database: &Database) -> Vec<Item> {
    let mut items = Vec::new();
    let mut next = None;
    loop {
        let statement = database.client.execute_statement().statement("SELECT * FROM \"core\"").set_next_token(next).send().await.unwrap();
        items.extend(statement.items.unwrap_or_default());
        next = statement.next_token;
        if next.is_none() {
            return items;
        }
    }
}

/// What stands at a contact's key.
pub(crate) async fn contact_item(world: &World, id: &ContactId) -> Item {
    world.database.core.get(&world.tenant.scope, &switchboard_store::keys::contact(&world.tenant.scope, id)).await.unwrap().unwrap()
}

/// A bucket that isn't there.
fn no_files(bucket: &str) -> Files {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:9")
        .region(Region::new("ca-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .build();
    Files::new(aws_sdk_s3::Client::from_conf(config), bucket)
}

/// The recorder over a database. Its dead letters have nowhere to go: a test that isolates a record fails. Nor has it the files of an import's chunks.
pub(crate) fn recorder(world: &World) -> Recorder {
    Recorder {
        core: world.database.core.clone(),
        tenants: Arc::clone(&world.services.tenants),
        events: world.database.audit.clone(),
        dead_letters: no_files("dead-letters"),
        results: no_files("results"),
        archive: no_files("archive"),
        clock: Arc::clone(&world.services.clock),
        entropy: Arc::new(SeededEntropy::new(11)),
    }
}

/// What the stream says of a new item.
pub(crate) fn inserted(item: &Item) -> StreamRecord {
    StreamRecord { sequence: "1".to_owned(), old: None, new: Some(item.clone()) }
}

/// What the stream says of a changed item.
pub(crate) fn changed(old: &Item, new: &Item) -> StreamRecord {
    StreamRecord { sequence: "2".to_owned(), old: Some(old.clone()), new: Some(new.clone()) }
}
