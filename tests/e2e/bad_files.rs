//! Files that can't be imported: each says why in plain words, writes nothing, and leaves nothing behind in a queue.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::api::{Api, tenant_of};
use crate::stack::drops::{Counts, csv, dropped, imports_of, packed, put};
use crate::stack::emulator::messages_in;
use crate::stack::fresh;
use crate::stack::history::contacts_at;
use crate::stack::waiting::eventually;
use crate::stack::{OTHER_ADMIN, Stack, setting};

/// Other tests keep the queues busy; between two messages they are empty.
const QUIET: Duration = Duration::from_secs(180);

const QUEUES: [&str; 2] = ["IMPORT_PLAN_QUEUE_URL", "IMPORT_ROWS_QUEUE_URL"];
const DEAD_LETTER_QUEUES: [&str; 3] = ["IMPORT_PLAN_DEAD_LETTER_QUEUE_URL", "IMPORT_ROWS_DEAD_LETTER_QUEUE_URL", "AUDIT_RECORD_FAILED_QUEUE_URL"];

/// The messages of a queue, but for those that name another tenant.
async fn messages(stack: &Stack, tenant: &str, queue: &str) -> usize {
    let is_another = |message: &Value| {
        let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap_or_default();
        body["tenant"].as_str().is_some_and(|named| named != tenant)
    };
    messages_in(stack, queue).await.iter().filter(|message| !is_another(message)).count()
}

/// Nothing of the tenant is stuck: the queues run empty, and nothing went to where messages go that nobody can handle.
pub(crate) async fn assert_queues_run_empty(stack: &Stack, api: &Api) {
    let tenant = tenant_of(api).await;
    for queue in QUEUES {
        eventually(&format!("{queue} has run empty"), QUIET, async || (messages(stack, &tenant, queue).await == 0).then_some(())).await;
    }
    for queue in DEAD_LETTER_QUEUES {
        assert_eq!(messages(stack, &tenant, queue).await, 0, "{queue}");
    }
}

/// Drops a file that can't be imported; the reason it was given.
async fn refused(folder: &str, file: &str, bytes: impl Into<Vec<u8>>) -> String {
    let (stack, api) = Stack::as_admin().await;
    let import = dropped(&stack, &api, folder, file, bytes).await;
    assert_eq!(import.status(), "FAILED");
    assert_eq!(import.counts(), Counts::default(), "no rows are counted");
    assert!(!import.0["finishedAt"].is_null() && import.0["progress"] == 1.0, "{import:?}");
    let reason = import.reason().to_owned();
    assert!(reason.ends_with('.') && !reason.contains("Error") && !reason.contains('{'), "not plain words: {reason}");
    assert_queues_run_empty(&stack, &api).await;
    reason
}

fn file_name() -> String {
    format!("{}.csv", fresh::word("bad"))
}

fn row() -> [String; 2] {
    [fresh::number().dashed(), "Somebody".to_owned()]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file() {
    assert!(refused("demo", &file_name(), "").await.contains("The file is empty."));
    assert!(refused("demo", &file_name(), "\n \r\n").await.contains("The file is empty."));
    assert!(refused("demo", &file_name(), b"\xEF\xBB\xBF".to_vec()).await.contains("The file is empty."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_named_csv() {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend((0..2_000_u32).map(|index| index.to_le_bytes()[0]));
    assert!(refused("demo", &file_name(), png).await.contains("a PNG picture"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_without_a_telephone_number() {
    let reason = refused("demo", &file_name(), "name,city\nZoé,Québec\n").await;
    assert!(reason.contains("No column of the header is a telephone number.") && reason.contains("name, city"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_and_nothing_else() {
    assert!(refused("demo", &file_name(), "phone,name\n").await.contains("no rows"));
    assert!(refused("demo", &file_name(), "phone,name\n\n , \n").await.contains("no rows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_at_the_end_of_many_rows_that_never_closes_and_nothing_was_written() {
    let (_, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(6_000);
    let rows: Vec<[String; 2]> = numbers.iter().map(|number| [number.dashed(), "Somebody".to_owned()]).collect();
    let text = format!("{}{},\"open\n", csv("phone,name", &rows), fresh::number().dashed());
    assert!(refused("demo", &file_name(), text).await.contains("The quote opened in row 6001 never closes."));
    let looked_at = [numbers[0], numbers[1], numbers[24], numbers[4_999], numbers[5_000], numbers[5_999]];
    assert!(contacts_at(&api, &looked_at).await.iter().all(Value::is_null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_cut_off_or_unpacks_to_far_more_than_a_list_would() {
    let archive = packed(csv("phone,name", &[row()]).as_bytes());
    assert!(refused("demo", &file_name(), &archive[..archive.len() - 5]).await.contains("damaged or was cut off"));
    assert!(refused("demo", &file_name(), packed(&vec![b' '; 30_000_000])).await.contains("more than 100 times its size"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_no_list_has_and_a_header_that_no_list_has() {
    let text = format!("{}{},{}\n", csv("phone,name", &[row()]), fresh::number().dashed(), "x".repeat(3_000_000));
    assert!(refused("demo", &file_name(), text).await.contains("Row 2 is longer than 1 MB."));
    let header: Vec<String> = (1..=10_000).map(|column| format!("column {column}")).collect();
    assert!(refused("demo", &file_name(), format!("{}\n1\n", header.join(","))).await.contains("more than 500 columns"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_damaged_by_nul_bytes() {
    let mut text = csv("phone,name", &(0..4_000).map(|_| ["514-555-0000".to_owned(), "x".repeat(20)]).collect::<Vec<_>>()).into_bytes();
    text.extend(b"514-555-0000,\0\0\0\n");
    assert!(refused("demo", &file_name(), text).await.contains("Row 4001 contains NUL bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_does_not_exist() {
    let profile = fresh::word("profile");
    let reason = refused(&format!("demo/{profile}"), &file_name(), csv("phone,name", &[row()])).await;
    assert!(reason.contains(&format!("There is no mapping profile named {profile}.")), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tenant_or_a_path_of_another_form_is_rejected_in_the_log_and_makes_no_import() {
    let (stack, api) = Stack::as_admin().await;
    let other = stack.sign_in(OTHER_ADMIN).await;
    let unknown = "there is no such tenant";
    let malformed = "the key is not drop/<tenant>/<file>, drop/<tenant>/<profile>/<file> or that of an upload";
    // What the log says of a file is its folder, or what stands in the folder's place; no more, because names of files can be personal.
    let folders: Vec<String> = (0..5).map(|_| fresh::word("nobody")).collect();
    let names: Vec<String> = (0..5).map(|_| file_name()).collect();
    let drops = [
        (format!("drop/{}/{}", folders[0], names[0]), folders[0].clone(), unknown),
        (format!("drop/{}/{}", folders[1].to_uppercase(), names[1]), folders[1].to_uppercase(), unknown),
        (format!("drop/{}%2F/{}", folders[2], names[2]), format!("{}%2F", folders[2]), unknown),
        (format!("drop/{}", names[3]), names[3].clone(), malformed),
        (format!("drop/{}/a/b/{}", folders[4], names[4]), folders[4].clone(), malformed),
    ];
    for (key, _, _) in &drops {
        put(&stack, key, csv("phone,name", &[row()])).await;
    }
    let log = std::path::Path::new(&setting("SWITCHBOARD_LOG_DIR")).join(format!("{}-import-plan.log", setting("STACK_NAME")));
    for (key, folder, reason) in &drops {
        let line: Value = eventually(&format!("the rejection of {key} is in the log"), QUIET, async || {
            let text = std::fs::read_to_string(&log).unwrap();
            text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find(|line| line["folder"] == **folder)
        })
        .await;
        assert_eq!((&line["event"], &line["reason"], &line["level"]), (&json!("import.rejected"), &json!(reason), &json!("WARN")));
    }
    for name in &names {
        assert!(imports_of(&api, name).await.is_empty() && imports_of(&other, name).await.is_empty());
    }
    assert_queues_run_empty(&stack, &api).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_outside_the_drop_folder_is_left_alone() {
    let (stack, api) = Stack::as_admin().await;
    let (outside, inside) = (file_name(), file_name());
    put(&stack, &format!("elsewhere/demo/{outside}"), csv("phone,name", &[row()])).await;
    dropped(&stack, &api, "demo", &inside, csv("phone,name", &[row()])).await;
    assert!(imports_of(&api, &outside).await.is_empty());
}
