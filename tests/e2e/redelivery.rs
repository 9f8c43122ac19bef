//! Messages that come again, or twice at once: nothing is imported, counted, written or recorded a second time. And one that can't be handled, which holds up no
//! other.

use aws_sdk_s3::primitives::DateTimeFormat;
use serde_json::{Value, json};

use crate::bad_files::assert_queues_run_empty;
use crate::stack::api::{Api, inside, tenant_of};
use crate::stack::drops::{Counts, Import, csv, dropped, ended, import, imports_of, in_chunks, put};
use crate::stack::emulator::messages_in;
use crate::stack::fresh::{self, Number};
use crate::stack::history::{AUDIT, caught_up, contacts_at, events};
use crate::stack::imports::{checked, counts, import_that, settled, uploaded};
use crate::stack::mutations::done;
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;
use crate::stack::{Stack, setting};

fn file(numbers: &[Number]) -> String {
    csv("phone,name", &numbers.iter().enumerate().map(|(index, number)| [number.dashed(), format!("Person {index}")]).collect::<Vec<_>>())
}

async fn send(stack: &Stack, queue: &str, body: &Value) {
    stack.sqs().send_message().queue_url(setting(queue)).message_body(body.to_string()).send().await.unwrap();
}

/// What the bucket says of a file that was put there. Its own notification can't be had once it was handled, so this is another event of the
/// same upload: it makes an import of its own, once.
async fn notification(stack: &Stack, key: &str) -> Value {
    let file = stack.s3().head_object().bucket(setting("UPLOADS_BUCKET")).key(key).send().await.unwrap();
    let at = file.last_modified.unwrap().fmt(DateTimeFormat::DateTime).unwrap();
    let object = json!({ "key": key, "size": file.content_length, "eTag": file.e_tag.unwrap().trim_matches('"'), "sequencer": "0055AED6DCD90281E5" });
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": setting("AWS_REGION"), "eventTime": at, "eventName": "ObjectCreated:Put",
        "s3": { "s3SchemaVersion": "1.0", "bucket": { "name": setting("UPLOADS_BUCKET") }, "object": object },
    }] })
}

/// The messages of the steps of an import with one chunk that is checked once, in the form that the functions send each other.
async fn steps(api: &Api, import: &Import) -> [Value; 4] {
    let (tenant, import) = (tenant_of(api).await, inside(import.id()).1);
    [
        json!({ "tenant": tenant, "import": import, "step": "check", "chunk": 1, "run": 1 }),
        json!({ "tenant": tenant, "import": import, "step": "join", "run": 1 }),
        json!({ "tenant": tenant, "import": import, "step": "write", "chunk": 1 }),
        json!({ "tenant": tenant, "import": import, "step": "finish" }),
    ]
}

async fn assert_each_written_once(api: &Api, numbers: &[Number]) {
    caught_up(api).await;
    for contact in contacts_at(api, numbers).await {
        assert_eq!((&contact["version"], events(&contact).len()), (&json!(1), 1), "{contact}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_announced_again_is_the_same_import() {
    let (stack, api) = Stack::as_admin().await;
    let (numbers, name) = (fresh::numbers(40), format!("{}.csv", fresh::word("announced")));
    let first = dropped(&stack, &api, "demo", &name, file(&numbers)).await;
    let body = notification(&stack, &format!("drop/demo/{name}")).await;
    for _ in 0..3 {
        send(&stack, "IMPORT_PLAN_QUEUE_URL", &body).await;
    }
    let earlier = [first.id().to_string()].into();
    let second = ended(&api, &name, &earlier).await;
    assert_eq!(second.counts(), Counts { total: 40, unchanged: 40, ..Counts::default() });
    send(&stack, "IMPORT_PLAN_QUEUE_URL", &body).await;
    assert_queues_run_empty(&stack, &api).await;
    assert_eq!(imports_of(&api, &name).await.len(), 2);
    for before in [&first, &second] {
        assert_eq!(import(&api, before.id()).await.0, before.0);
    }
    assert_each_written_once(&api, &numbers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_announced_many_times_at_once_is_written_once() {
    let (stack, api) = Stack::as_admin().await;
    let (numbers, name) = (fresh::numbers(200), format!("{}.csv", fresh::word("announced")));
    let key = format!("drop/demo/{name}");
    put(&stack, &key, file(&numbers)).await;
    let body = notification(&stack, &key).await;
    for _ in 0..4 {
        send(&stack, "IMPORT_PLAN_QUEUE_URL", &body).await;
    }
    // The bucket's own notification makes one import, ours the other; they write the same rows at the same time.
    let imports = eventually("both imports have ended", AUDIT, async || {
        let imports = imports_of(&api, &name).await;
        (imports.len() == 2 && imports.iter().all(|import| import.status() == "COMPLETED")).then_some(imports)
    })
    .await;
    let (one, two) = (imports[0].counts(), imports[1].counts());
    assert_eq!((one.total, two.total, one.created + two.created, one.unchanged + two.unchanged), (200, 200, 200, 200), "{one:?} {two:?}");
    assert_queues_run_empty(&stack, &api).await;
    assert_eq!(imports_of(&api, &name).await.len(), 2);
    assert_each_written_once(&api, &numbers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_comes_again_after_the_end_changes_nothing() {
    let (stack, api) = Stack::as_admin().await;
    let (numbers, name) = (fresh::numbers(40), format!("{}.csv", fresh::word("steps")));
    let before = dropped(&stack, &api, "demo", &name, file(&numbers)).await;
    let [check, join, write, finish] = steps(&api, &before).await;
    for message in [&write, &check, &finish, &join, &write, &join, &finish, &check] {
        send(&stack, "IMPORT_ROWS_QUEUE_URL", message).await;
    }
    assert_queues_run_empty(&stack, &api).await;
    assert_eq!(import(&api, before.id()).await.0, before.0);
    assert_each_written_once(&api, &numbers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_come_many_times_and_late_while_an_import_runs_count_every_row_once() {
    let (stack, api) = Stack::as_admin().await;
    let (numbers, name) = (fresh::numbers(1_000), format!("{}.csv", fresh::word("steps")));
    put(&stack, &format!("drop/demo/{name}"), file(&numbers)).await;
    let running = eventually("the import is there", AUDIT, async || imports_of(&api, &name).await.pop()).await;
    let [check, join, write, finish] = steps(&api, &running).await;
    for message in [&check, &write, &check, &finish, &write, &check] {
        send(&stack, "IMPORT_ROWS_QUEUE_URL", message).await;
    }
    // Nobody asks for the join before every row is checked.
    eventually("every row is checked", AUDIT, async || (import(&api, running.id()).await.0["progress"].as_f64()? >= 0.5).then_some(())).await;
    for message in [&join, &write, &finish, &join, &check, &write, &write, &finish, &join] {
        send(&stack, "IMPORT_ROWS_QUEUE_URL", message).await;
    }
    let done = ended(&api, &name, &[].into()).await;
    assert_eq!(done.counts(), Counts { total: 1_000, created: 1_000, ..Counts::default() });
    assert_queues_run_empty(&stack, &api).await;
    assert_eq!(import(&api, done.id()).await.0, done.0);
    assert_each_written_once(&api, &numbers).await;
}

/// The body of a message of an import that a worker had and could not handle, so that the queue holds it back until it comes again.
async fn failed(stack: &Stack, import: &str, chunk: u64) -> Value {
    let log = std::path::Path::new(&setting("SWITCHBOARD_LOG_DIR")).join(format!("{}-import-rows.log", setting("STACK_NAME")));
    eventually(&format!("chunk {chunk} of {import} can't be written"), AUDIT, async || {
        let body = |message: &Value| serde_json::from_str::<Value>(message["Body"].as_str().unwrap()).unwrap_or_default();
        let is_it = |body: &Value| body["import"] == import && body["step"] == "write" && body["chunk"] == chunk;
        let message = messages_in(stack, "IMPORT_ROWS_QUEUE_URL").await.into_iter().find(|message| is_it(&body(message)))?;
        let text = std::fs::read_to_string(&log).unwrap();
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let has_failed = lines.any(|line| line["message.id"] == message["MessageId"] && line["level"] == "ERROR");
        has_failed.then(|| body(&message))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_can_not_be_written_is_set_aside_alone_and_its_message_redriven_finishes_the_import() {
    // Its message stays in the queue for minutes after it was redriven: that of a tenant of its own is in nobody's way.
    let tenant = Tenant::new().await;
    let (stack, api) = (&tenant.stack, &tenant.api);
    let rows: Vec<String> = fresh::numbers(15).iter().map(|number| format!("{},Somebody", number.e164())).collect();
    let ready = uploaded(stack, api, json!({ "fileName": "people.csv" }), &in_chunks("phone,name", &rows, 5)).await;
    let id = &ready["id"];
    done(api, "importDryRun", json!({ "id": id })).await;
    checked(api, id).await;
    let (s3, bucket, import) = (stack.s3(), setting("RESULTS_BUCKET"), inside(id).1);
    let key = format!("imports/{}/{import}/check/1/overtaken/000002.json", tenant_of(api).await);
    let file = s3.get_object().bucket(&bucket).key(&key).send().await.unwrap().body.collect().await.unwrap().to_vec();
    s3.delete_object().bucket(&bucket).key(&key).send().await.unwrap();

    done(api, "importStart", json!({ "id": id })).await;
    let message = failed(stack, &import, 2).await;
    let others = import_that(api, id, "has all rows but those of a chunk", |import| counts(import)[1] == 10).await;
    assert_eq!((&others["status"], counts(&others)), (&json!("PROCESSING"), [15, 10, 0, 0, 0, 0]));

    s3.put_object().bucket(&bucket).key(&key).body(file.into()).send().await.unwrap();
    send(stack, "IMPORT_ROWS_QUEUE_URL", &message).await;
    let ended = settled(api, id).await;
    assert_eq!((&ended["status"], counts(&ended)), (&json!("COMPLETED"), [15, 15, 0, 0, 0, 0]));
}
