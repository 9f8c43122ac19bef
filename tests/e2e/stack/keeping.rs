//! Everything that the stack keeps, as the bytes it is kept in: tables, the stream, queues, files, logs, and the emulator's own folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::emulator::{answer, ask, files_below, queued_messages, state_folder};
use super::{Stack, setting};

/// How often queues are looked at: a message is handled within a fraction of a second.
const LOOK: Duration = Duration::from_millis(30);

/// Files of the archive that are looked through for one: more than come while it is waited for.
const NEWEST: usize = 50;

/// Where something is kept, and what.
pub(crate) type Kept = (String, Vec<u8>);

/// All items of a table, page by page, as the database writes them. Only someone with the account's own key may scan.
pub(crate) async fn table(stack: &Stack, table: &str) -> Vec<Kept> {
    let (mut pages, mut from) = (Vec::new(), Value::Null);
    loop {
        let mut request = json!({ "TableName": table });
        if !from.is_null() {
            request["ExclusiveStartKey"] = from.take();
        }
        let text = ask(stack, "dynamodb", "DynamoDB_20120810.Scan", &request).await;
        from = serde_json::from_str::<Value>(&text).unwrap()["LastEvaluatedKey"].take();
        pages.push((format!("table {table}"), text.into_bytes()));
        if from.is_null() {
            return pages;
        }
    }
}

/// The place in the core table's stream that everything lies behind that is written from now on.
pub(crate) async fn end_of_stream(stack: &Stack) -> Value {
    let described = stack.dynamodb().describe_table().table_name(setting("CORE_TABLE")).send().await.unwrap();
    let stream = described.table.unwrap().latest_stream_arn.unwrap();
    let shards = answer(stack, "dynamodb", "DynamoDBStreams_20120810.DescribeStream", &json!({ "StreamArn": stream })).await;
    let [shard] = &shards["StreamDescription"]["Shards"].as_array().unwrap()[..] else { panic!("the emulator's streams have one shard: {shards}") };
    let request = json!({ "StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST" });
    answer(stack, "dynamodb", "DynamoDBStreams_20120810.GetShardIterator", &request).await["ShardIterator"].take()
}

/// The records of the stream from a place on.
pub(crate) async fn stream(stack: &Stack, mut from: Value) -> Vec<Kept> {
    let mut pages = Vec::new();
    loop {
        let text = ask(stack, "dynamodb", "DynamoDBStreams_20120810.GetRecords", &json!({ "ShardIterator": from })).await;
        let mut page: Value = serde_json::from_str(&text).unwrap();
        if page["Records"].as_array().unwrap().is_empty() {
            return pages;
        }
        from = page["NextShardIterator"].take();
        pages.push(("the stream".to_owned(), text.into_bytes()));
    }
}

/// Watches the queues, in which nothing stays.
pub(crate) struct QueueWatch {
    done: Arc<AtomicBool>,
    messages: JoinHandle<BTreeMap<String, String>>,
}

impl QueueWatch {
    pub(crate) fn begin(stack: &Stack) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (stack, is_done) = (stack.clone(), Arc::clone(&done));
        let messages = tokio::spawn(async move {
            let mut seen = BTreeMap::new();
            while !is_done.load(Ordering::Relaxed) {
                let all: Value = serde_json::from_str(&queued_messages(&stack).await).unwrap();
                let queues = all["messages"].as_object().unwrap().values().flat_map(|regions| regions.as_object().unwrap().values());
                for (queue, messages) in queues.flat_map(|queues| queues.as_object().unwrap()) {
                    for message in messages.as_array().unwrap() {
                        seen.insert(format!("{queue} {}", message["MessageId"]), message.to_string());
                    }
                }
                sleep(LOOK).await;
            }
            seen
        });
        Self { done, messages }
    }

    /// Every message that was seen.
    pub(crate) async fn end(self) -> Vec<Kept> {
        self.done.store(true, Ordering::Relaxed);
        self.messages.await.unwrap().into_iter().map(|(queue, message)| (format!("queue {queue}"), message.into_bytes())).collect()
    }
}

/// What files there were: what is the same later was written before.
pub(crate) struct Earlier {
    objects: BTreeSet<(String, String, Option<String>)>,
    files: BTreeSet<(PathBuf, u64, SystemTime)>,
}

impl Earlier {
    pub(crate) async fn now(stack: &Stack) -> Self {
        Self { objects: all_objects(stack).await, files: all_files() }
    }
}

async fn all_objects(stack: &Stack) -> BTreeSet<(String, String, Option<String>)> {
    let mut objects = BTreeSet::new();
    for bucket in stack.s3().list_buckets().send().await.unwrap().buckets() {
        let name = bucket.name().unwrap();
        let mut pages = stack.s3().list_objects_v2().bucket(name).into_paginator().send();
        while let Some(page) = pages.next().await {
            for object in page.unwrap().contents() {
                objects.insert((name.to_owned(), object.key().unwrap().to_owned(), object.e_tag().map(str::to_owned)));
            }
        }
    }
    objects
}

fn all_files() -> BTreeSet<(PathBuf, u64, SystemTime)> {
    let folders = [state_folder(), PathBuf::from(setting("SWITCHBOARD_LOG_DIR"))];
    let files = folders.iter().flat_map(|folder| files_below(folder));
    // The emulator unpacks the functions' programs there.
    let files = files.filter(|file| !file.components().any(|part| part.as_os_str() == "unpacked"));
    files.filter_map(|file| std::fs::metadata(&file).ok().and_then(|data| Some((file, data.len(), data.modified().ok()?)))).collect()
}

/// The folders of the uploads bucket that hold files of people.
const FOLDERS_OF_FILES: [&str; 4] = ["drop", "staged", "uploads", "rows"];

/// Whether an object is one of those that hold what was brought in or taken out, which expire.
fn may_hold_people(bucket: &str, key: &str) -> bool {
    (bucket == setting("UPLOADS_BUCKET") && FOLDERS_OF_FILES.iter().any(|folder| key.starts_with(&format!("{folder}/"))))
        || (bucket == setting("RESULTS_BUCKET") && (key.starts_with("imports/") || key.starts_with("exports/")))
}

/// What is in a file, also when it was compressed.
fn readable(bytes: Vec<u8>) -> Vec<u8> {
    let mut text = Vec::new();
    if MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text).is_ok() { text } else { bytes }
}

/// The objects that came since: those that may hold what people brought in or took out, and the others, each with its name.
pub(crate) async fn objects_since(stack: &Stack, earlier: &Earlier) -> (Vec<Kept>, Vec<Kept>) {
    let (mut people, mut others) = (Vec::new(), Vec::new());
    for (bucket, key, tag) in all_objects(stack).await {
        let place = format!("object {key} of {bucket}");
        if earlier.objects.contains(&(bucket.clone(), key.clone(), tag)) {
            continue;
        }
        // Another test may have removed it.
        let Ok(object) = stack.s3().get_object().bucket(&bucket).key(&key).send().await else { continue };
        let mut bytes = readable(object.body.collect().await.unwrap().to_vec());
        if may_hold_people(&bucket, &key) {
            people.push((place, bytes));
        } else {
            bytes.extend(key.as_bytes());
            others.push((place, bytes));
        }
    }
    (people, others)
}

/// Whether a text stands in one of the newest files of a tenant's events in the archive, which is a moment behind the audit.
pub(crate) async fn is_archived(stack: &Stack, tenant: &str, text: &str) -> bool {
    let (client, bucket) = (stack.s3(), setting("AUDIT_ARCHIVE_BUCKET"));
    let mut keys: Vec<String> = Vec::new();
    let mut pages = client.list_objects_v2().bucket(&bucket).prefix(format!("events/{tenant}/")).into_paginator().send();
    while let Some(page) = pages.next().await {
        keys.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    for key in keys.iter().rev().take(NEWEST) {
        let object = client.get_object().bucket(&bucket).key(key).send().await.unwrap();
        let bytes = readable(object.body.collect().await.unwrap().to_vec());
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            return true;
        }
    }
    false
}

/// The events of every log group.
pub(crate) async fn logs(stack: &Stack) -> Vec<Kept> {
    let mut groups = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut request = json!({ "limit": 50 });
        if !token.is_null() {
            request["nextToken"] = token.take();
        }
        let mut page = answer(stack, "logs", "Logs_20140328.DescribeLogGroups", &request).await;
        groups.extend(page["logGroups"].as_array().unwrap().iter().map(|group| group["logGroupName"].as_str().unwrap().to_owned()));
        token = page["nextToken"].take();
        if token.is_null() {
            break;
        }
    }
    let mut pages = Vec::new();
    for group in groups {
        let mut since = 0;
        loop {
            let text = ask(stack, "logs", "Logs_20140328.FilterLogEvents", &json!({ "logGroupName": group, "startTime": since })).await;
            let page: Value = serde_json::from_str(&text).unwrap();
            let events = page["events"].as_array().unwrap();
            let last = events.last().map_or(since, |event| event["timestamp"].as_u64().unwrap());
            let is_last = events.len() < 10_000;
            pages.push((format!("log {group}"), text.into_bytes()));
            if is_last {
                break;
            }
            // Its cursor is a time: what has the same one may come twice.
            since = if last == since { last + 1 } else { last };
        }
    }
    pages
}

/// The files of the emulator and its logs that were written since, but for those of objects that may hold what people brought in or took out.
pub(crate) fn files_since(earlier: &Earlier) -> Vec<Kept> {
    let [uploads, results] = ["UPLOADS_BUCKET", "RESULTS_BUCKET"].map(setting);
    let of_files = FOLDERS_OF_FILES.iter().map(|folder| Path::new(&uploads).join(folder));
    let excepted: Vec<_> = of_files.chain(["imports", "exports"].map(|folder| Path::new(&results).join(folder))).collect();
    let is_excepted = |file: &Path| excepted.iter().any(|folder| file.to_string_lossy().contains(&format!("/{}/", folder.display())));
    let files = all_files().into_iter().filter(|file| !earlier.files.contains(file) && !is_excepted(&file.0));
    files.filter_map(|(file, _, _)| Some((format!("file {}", file.display()), std::fs::read(&file).ok()?))).collect()
}
