//! Messages that come again, or twice at once: nothing is imported, counted, written or recorded a second time.

use aws_sdk_s3::primitives::DateTimeFormat;
use serde_json::{Value, json};

use crate::bad_files::assert_queues_run_empty;
use crate::stack::api::{Api, inside, tenant_of};
use crate::stack::drops::{Counts, Import, csv, dropped, ended, import, imports_of, put};
use crate::stack::fresh::{self, Number};
use crate::stack::history::{AUDIT, caught_up, contacts_at, events};
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

/// The messages of the steps of an import with one chunk, in the form that the functions send each other.
async fn steps(api: &Api, import: &Import) -> [Value; 3] {
    let (tenant, import) = (tenant_of(api).await, inside(import.id()).1);
    [("check", Some(1)), ("join", None), ("write", Some(1))].map(|(step, chunk)| {
        let mut message = json!({ "tenant": tenant, "import": import, "step": step });
        if let Some(chunk) = chunk {
            message["chunk"] = json!(chunk);
        }
        message
    })
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
    assert_queues_run_empty(&stack).await;
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
    assert_queues_run_empty(&stack).await;
    assert_eq!(imports_of(&api, &name).await.len(), 2);
    assert_each_written_once(&api, &numbers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_comes_again_after_the_end_changes_nothing() {
    let (stack, api) = Stack::as_admin().await;
    let (numbers, name) = (fresh::numbers(40), format!("{}.csv", fresh::word("steps")));
    let before = dropped(&stack, &api, "demo", &name, file(&numbers)).await;
    let [check, join, write] = steps(&api, &before).await;
    for message in [&write, &check, &join, &write, &join, &check] {
        send(&stack, "IMPORT_ROWS_QUEUE_URL", message).await;
    }
    assert_queues_run_empty(&stack).await;
    assert_eq!(import(&api, before.id()).await.0, before.0);
    assert_each_written_once(&api, &numbers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_come_many_times_and_late_while_an_import_runs_count_every_row_once() {
    let (stack, api) = Stack::as_admin().await;
    let (numbers, name) = (fresh::numbers(1_000), format!("{}.csv", fresh::word("steps")));
    put(&stack, &format!("drop/demo/{name}"), file(&numbers)).await;
    let running = eventually("the import is there", AUDIT, async || imports_of(&api, &name).await.pop()).await;
    let [check, join, write] = steps(&api, &running).await;
    for message in [&check, &write, &check, &write, &check] {
        send(&stack, "IMPORT_ROWS_QUEUE_URL", message).await;
    }
    // Nobody asks for the join before every row is checked.
    eventually("every row is checked", AUDIT, async || (import(&api, running.id()).await.0["progress"].as_f64()? >= 0.5).then_some(())).await;
    for message in [&join, &write, &join, &check, &write, &write, &join] {
        send(&stack, "IMPORT_ROWS_QUEUE_URL", message).await;
    }
    let done = ended(&api, &name, &[].into()).await;
    assert_eq!(done.counts(), Counts { total: 1_000, created: 1_000, ..Counts::default() });
    assert_queues_run_empty(&stack).await;
    assert_eq!(import(&api, done.id()).await.0, done.0);
    assert_each_written_once(&api, &numbers).await;
}
