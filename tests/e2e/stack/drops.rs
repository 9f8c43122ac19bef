//! Files dropped in the bucket, as uploaders do it, and the imports they become.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::api::Api;
use super::waiting::eventually;
use super::{Stack, setting};

/// An import of some thousand rows beside other tests, on a slow machine, takes less.
const PATIENCE: Duration = Duration::from_secs(180);

/// A chunk closes when it holds so many bytes.
const CHUNK_BYTES: usize = 2 * 1024 * 1024;

/// What became of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) total: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) skipped: u64,
    pub(crate) failed: u64,
    pub(crate) warned: u64,
}

/// An import as the API shows it.
#[derive(Debug, Clone)]
pub(crate) struct Import(pub(crate) Value);

impl Import {
    pub(crate) fn id(&self) -> &Value {
        &self.0["id"]
    }

    pub(crate) fn status(&self) -> &str {
        self.0["status"].as_str().unwrap()
    }

    /// Why it failed; empty when it didn't.
    pub(crate) fn reason(&self) -> &str {
        self.0["failureReason"].as_str().unwrap_or_default()
    }

    /// Its counts. Once it has ended without failing they add up to the rows of the file.
    pub(crate) fn counts(&self) -> Counts {
        let count = |name: &str| self.0[name].as_u64().unwrap_or(0);
        Counts {
            total: count("rowsTotal"),
            created: count("rowsCreated"),
            updated: count("rowsUpdated"),
            unchanged: count("rowsUnchanged"),
            skipped: count("rowsSkipped"),
            failed: count("rowsFailed"),
            warned: count("rowsWarned"),
        }
    }
}

/// All fields of an import but its lists.
pub(crate) const IMPORT: &str = "fragment import on Import { id kind sourceType sourcePlatform status failureReason fileName fileBytes rowsTotal rowsCreated rowsUpdated
    rowsUnchanged rowsSkipped rowsFailed rowsWarned progress createdBy { type id name email roles } createdAt startedAt finishedAt }";

/// Puts a file in the bucket of uploads.
pub(crate) async fn put(stack: &Stack, key: &str, bytes: impl Into<Vec<u8>>) {
    let bytes: Vec<u8> = bytes.into();
    stack.s3().put_object().bucket(setting("UPLOADS_BUCKET")).key(key).body(bytes.into()).send().await.unwrap();
}

/// The imports of files of this name, newest first.
pub(crate) async fn imports_of(api: &Api, file: &str) -> Vec<Import> {
    let query = format!("{{ imports(first: 100) {{ nodes {{ ...import }} }} }} {IMPORT}");
    let mut data = api.data(&query, json!({})).await;
    let Value::Array(nodes) = data["imports"]["nodes"].take() else { panic!("no imports: {data}") };
    nodes.into_iter().filter(|node| node["fileName"] == file).map(Import).collect()
}

/// An import by its id.
pub(crate) async fn import(api: &Api, id: &Value) -> Import {
    let query = format!("query($id: ID!) {{ import(id: $id) {{ ...import }} }} {IMPORT}");
    Import(api.data(&query, json!({ "id": id })).await["import"].take())
}

/// Drops a file and follows its import to the end.
pub(crate) async fn dropped(stack: &Stack, api: &Api, folder: &str, file: &str, bytes: impl Into<Vec<u8>>) -> Import {
    let earlier: BTreeSet<String> = imports_of(api, file).await.iter().map(|import| import.id().to_string()).collect();
    put(stack, &format!("drop/{folder}/{file}"), bytes).await;
    ended(api, file, &earlier).await
}

/// The newest import of a file of this name that isn't among the earlier ones, once it has ended.
pub(crate) async fn ended(api: &Api, file: &str, earlier: &BTreeSet<String>) -> Import {
    let import = eventually(&format!("the import of {file} has ended"), PATIENCE, async || {
        let import = imports_of(api, file).await.into_iter().find(|import| !earlier.contains(&import.id().to_string()))?;
        (import.status() != "PROCESSING").then_some(import)
    })
    .await;
    if import.status() != "FAILED" {
        let Counts { total, created, updated, unchanged, skipped, failed, .. } = import.counts();
        assert_eq!(created + updated + unchanged + skipped + failed, total, "{import:?}");
        assert_eq!(import.status(), if failed == 0 { "COMPLETED" } else { "COMPLETED_WITH_ERRORS" });
        assert_eq!(import.0["progress"], json!(1.0));
    }
    import
}

/// The text of a file: a header and rows, quoted where they must be.
pub(crate) fn csv<Row: AsRef<[String]>>(header: &str, rows: &[Row]) -> String {
    let quoted = |cell: &String| if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() };
    let lines = rows.iter().map(|row| row.as_ref().iter().map(quoted).collect::<Vec<_>>().join(",") + "\n");
    std::iter::once(format!("{header}\n")).chain(lines).collect()
}

/// The text of a file of several chunks without thousands of rows: between the rows of two chunks are empty lines, which are no rows.
pub(crate) fn in_chunks(header: &str, rows: &[String], rows_of_each: usize) -> String {
    let line = |row: &String| format!("{row}\n");
    let chunks: Vec<String> = rows.chunks(rows_of_each).map(|rows| rows.iter().map(line).collect()).collect();
    format!("{header}\n{}", chunks.join(&"\n".repeat(CHUNK_BYTES)))
}

/// A file as a gzip archive.
pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
