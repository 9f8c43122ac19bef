//! Files uploaded by the form that an import is made with: one file, at its place, of at most its size, within the hour, and nothing else.

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::bad_files::assert_queues_run_empty;
use crate::stack::Stack;
use crate::stack::api::{inside, tenant_of};
use crate::stack::contacts::new_contact;
use crate::stack::drops::csv;
use crate::stack::fresh;
use crate::stack::history::contacts_at;
use crate::stack::imports::{counts, fields, import, import_that, send, settled, started, uploaded};
use crate::stack::mutations::{done, error, mutate, refused};

/// More than a form takes.
const TEN_GIGABYTES: u64 = 10_000_000_000;

fn file(names: &[&str]) -> String {
    let rows: Vec<[String; 2]> = fresh::numbers(names.len() as u64).iter().zip(names).map(|(number, name)| [number.dashed(), (*name).to_owned()]).collect();
    csv("phone,name", &rows)
}

/// The code that the bucket refuses a file with.
fn code(body: &str) -> &str {
    body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_or_too_large_for_a_form_is_refused_with_the_way_that_is_left() {
    let (_, api) = Stack::as_admin().await;
    for (input, field, code) in [
        (json!({ "fileName": " ", "fileBytes": 1 }), "fileName", "BLANK"),
        (json!({ "fileName": "x".repeat(256), "fileBytes": 1 }), "fileName", "TOO_LONG"),
        (json!({ "fileName": "people\u{7}.csv", "fileBytes": 1 }), "fileName", "INVALID"),
        (json!({ "fileName": "people.csv", "fileBytes": 0 }), "fileBytes", "INVALID"),
    ] {
        assert_eq!(refused(&api, "importCreate", input).await, error(field, code));
    }
    let payload = mutate(&api, "importCreate", json!({ "fileName": "people.csv", "fileBytes": TEN_GIGABYTES })).await;
    let refusal = &payload["userErrors"][0];
    assert_eq!((&refusal["field"], &refusal["code"]), (&json!(["fileBytes"]), &json!("LIMIT_EXCEEDED")));
    assert!(refusal["message"].as_str().unwrap().contains("drop/"), "{refusal}");
    assert!(payload["upload"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_takes_nothing_but_a_file_of_its_size_at_its_place_as_it_was_signed() {
    let (stack, api) = Stack::as_admin().await;
    let text = file(&["Somebody"]);
    let made = done(&api, "importCreate", json!({ "fileName": "people.csv", "fileBytes": text.len() })).await;
    let (id, upload) = (&made["import"]["id"], &made["upload"]);
    let (url, form) = (upload["url"].as_str().unwrap(), fields(upload));
    let field = |name: &str| form.iter().find(|(field, _)| field == name).unwrap().1.clone();
    assert_eq!(field("key"), format!("uploads/{}/{}", tenant_of(&api).await, inside(id).1));
    let changed = |name: &str, value: &str| {
        let mut form = form.clone();
        form.iter_mut().find(|(field, _)| field == name).unwrap().1 = value.to_owned();
        form
    };
    let with = |name: &str, value: &str| [vec![(name.to_owned(), value.to_owned())], form.clone()].concat();
    let policy = String::from_utf8(BASE64.decode(field("policy").as_bytes()).unwrap()).unwrap();
    let expires = serde_json::from_str::<Value>(&policy).unwrap()["expiration"].as_str().unwrap().to_owned();
    let later = BASE64.encode(policy.replace(&expires, "2099-01-01T00:00:00.000Z").as_bytes());
    let mut signature = field("x-amz-signature");
    let last = if signature.pop() == Some('0') { '1' } else { '0' };
    signature.push(last);
    for (form, bytes, expected) in [
        (form.clone(), format!("{text}x"), (400, "EntityTooLarge")),
        (form.clone(), String::new(), (400, "EntityTooSmall")),
        (changed("key", &format!("{}x", field("key"))), text.clone(), (403, "AccessDenied")),
        (changed("key", "drop/other/people.csv"), text.clone(), (403, "AccessDenied")),
        (with("acl", "public-read"), text.clone(), (403, "AccessDenied")),
        (changed("policy", &later), text.clone(), (403, "SignatureDoesNotMatch")),
        (changed("x-amz-signature", &signature), text.clone(), (403, "SignatureDoesNotMatch")),
    ] {
        let (status, body) = stack.post_form(url, &form, "people.csv", bytes.as_bytes()).await;
        assert_eq!((status, code(&body)), expected, "{form:?}: {body}");
    }
    assert_eq!(import(&api, id).await["status"], "AWAITING_UPLOAD", "none of them was a file to it");
    assert_eq!(refused(&api, "importStart", json!({ "id": id })).await, error("id", "FORBIDDEN_TRANSITION"));
    assert_eq!(send(&stack, upload, &text).await, (204, String::new()));
    let ready = settled(&api, id).await;
    assert_eq!((&ready["status"], &ready["rowsTotal"], &ready["fileBytes"]), (&json!("READY"), &json!(1), &json!(text.len())));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_with_the_same_key_is_one_import_with_another_form() {
    let (stack, api) = Stack::as_admin().await;
    let text = file(&["Somebody"]);
    let input = json!({ "fileName": "people.csv", "fileBytes": text.len(), "idempotencyKey": fresh::word("key") });
    let (first, second) = (done(&api, "importCreate", input.clone()).await, done(&api, "importCreate", input.clone()).await);
    assert_eq!(first["import"]["id"], second["import"]["id"]);
    let mut other = input;
    other["fileBytes"] = json!(text.len() + 1);
    assert_eq!(refused(&api, "importCreate", other).await.len(), 1, "the key belongs to the other input");
    assert_eq!(send(&stack, &second["upload"], &text).await.0, 204);
    assert_eq!(settled(&api, &first["import"]["id"]).await["status"], "READY");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_by_the_same_form_ends_an_import_that_was_read_and_the_same_file_changes_nothing() {
    let (stack, api) = Stack::as_admin().await;
    let text = file(&["Somebody"]);
    let other = text.replace("Somebody", "Anybody!");
    let made = done(&api, "importCreate", json!({ "fileName": "people.csv", "fileBytes": text.len() })).await;
    let id = &made["import"]["id"];
    for _ in 0..2 {
        assert_eq!(send(&stack, &made["upload"], &text).await.0, 204);
        assert_eq!(settled(&api, id).await["status"], "READY");
    }
    assert_queues_run_empty(&stack, &api).await;
    assert_eq!(settled(&api, id).await["status"], "READY", "it came twice, and was read once");

    assert_eq!(send(&stack, &made["upload"], &other).await.0, 204);
    let failed = import_that(&api, id, "has failed", |import| import["status"] == "FAILED").await;
    assert!(failed["failureReason"].as_str().unwrap().contains("Another file was uploaded in its place."), "{failed}");
    assert_eq!(counts(&failed), [1, 0, 0, 0, 0, 0], "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_by_the_form_of_an_import_that_has_ended_is_nobodys() {
    let (stack, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(2);
    let text = |number: fresh::Number| csv("phone,name", &[[number.dashed(), "Somebody".to_owned()]]);
    let made = done(&api, "importCreate", json!({ "fileName": "people.csv", "fileBytes": text(numbers[0]).len() })).await;
    let id = &made["import"]["id"];
    assert_eq!(send(&stack, &made["upload"], &text(numbers[0])).await.0, 204);
    settled(&api, id).await;
    let ended = started(&api, id).await;
    assert_eq!((&ended["status"], counts(&ended)), (&json!("COMPLETED"), [1, 1, 0, 0, 0, 0]));
    assert_eq!(send(&stack, &made["upload"], &text(numbers[1])).await.0, 204);
    assert_queues_run_empty(&stack, &api).await;
    assert_eq!(import(&api, id).await, ended);
    let there: Vec<bool> = contacts_at(&api, &numbers).await.iter().map(Value::is_object).collect();
    assert_eq!(there, [true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_can_not_be_imported_says_so_in_the_import_it_was_uploaded_to() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    let before = new_contact(&api, json!({ "phone": number.e164(), "name": "Before" })).await;
    let text = format!("phone,name\n{},\"After\n", number.dashed());
    let failed = uploaded(&stack, &api, json!({ "fileName": "people.csv" }), &text).await;
    assert_eq!(failed["status"], "FAILED");
    assert!(failed["failureReason"].as_str().unwrap().contains("never closes"), "{failed}");
    assert_eq!(refused(&api, "importStart", json!({ "id": failed["id"] })).await, error("id", "FORBIDDEN_TRANSITION"));
    assert_eq!(contacts_at(&api, &[number]).await[0]["version"], before["version"]);
}
