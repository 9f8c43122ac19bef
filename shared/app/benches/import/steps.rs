//! Every call to the import pipeline: what the functions do with a message, and what an import came to.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use switchboard_app::imports::{DroppedFile, ImportServices, Received, RowsMessage, handle, receive};
use switchboard_domain::clock::Clock;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{Import, Phase};
use switchboard_store::imports;
use switchboard_testkit::World;

/// For how long a message is worked on before the rest of its chunk is left to another, as on AWS.
const TIME_FOR_ROWS: Duration = Duration::from_secs(240);

/// What the bucket says of a dropped file, as one line.
pub(crate) fn dropped(world: &World, key: &str, tag: &str, bytes: u64) -> String {
    json!({ "key": key, "tag": tag, "bytes": bytes, "at": world.clock.now() }).to_string()
}

/// What `import-plan` does with it; the import's id.
pub(crate) async fn plan(services: &ImportServices, dropped: &str) -> Result<String, String> {
    let told: Value = serde_json::from_str(dropped).map_err(|error| error.to_string())?;
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let at = text("at").parse::<Timestamp>().map_err(|error| format!("the time of the file: {error}"))?;
    let file = DroppedFile { key: text("key"), tag: text("tag"), bytes: told["bytes"].as_u64().unwrap_or_default(), sequencer: "1".to_owned(), at };
    match receive(services, &file).await.map_err(|error| error.to_string())? {
        Received::Planned(id) => Ok(id.to_string()),
        Received::Failed(_, reason) => Err(reason),
        Received::Rejected(reason) => Err(reason.to_owned()),
    }
}

/// What `import-rows` does with a message; how it ended.
pub(crate) async fn rows(services: &ImportServices, message: &str) -> Result<String, String> {
    let message: RowsMessage = serde_json::from_str(message).map_err(|error| error.to_string())?;
    let outcome = handle(services, &message, false, Instant::now() + TIME_FOR_ROWS).await.map_err(|error| error.to_string())?;
    Ok(format!("{outcome:?}"))
}

/// What an import is by now.
pub(crate) async fn import(world: &World, id: &str) -> Import {
    let id = ImportId::parse(id).expect("the id of an import");
    imports::get(&world.database.core, &world.tenant.scope, id).await.expect("the database").expect("the import")
}

/// Whether the rows of an import are all checked, so that they are being written or are.
pub(crate) fn is_checked(import: &Import) -> bool {
    matches!(import.phase, Phase::Writing | Phase::Ended)
}
