//! The operator's command: what it prints is read by people and by scripts.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;

use crate::stack::api::{Api, inside, tenant_of};
use crate::stack::contacts;
use crate::stack::drops::csv;
use crate::stack::fresh;
use crate::stack::waiting::eventually;
use crate::stack::{ADMIN, Stack, setting};

fn run(arguments: &[&str]) -> Output {
    Command::new(setting("SWITCHBOARD_OPERATOR")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A file of this test's own in the system's folder for such.
fn file(content: &str) -> String {
    let path = std::env::temp_dir().join(format!("{}.csv", fresh::word("operator")));
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_import_prints_its_counts_as_its_only_line_and_succeeds_whether_or_not_rows_failed() {
    let mut rows: Vec<[String; 2]> = fresh::numbers(30).iter().map(|number| [number.dashed(), "Someone".to_owned()]).collect();
    rows.push(["12345".to_owned(), "Nobody".to_owned()]);
    let path = file(&csv("phone,name", &rows));
    for line in ["31 rows: 30 created, 0 updated, 0 unchanged, 0 skipped, 1 failed\n", "31 rows: 0 created, 0 updated, 30 unchanged, 0 skipped, 1 failed\n"] {
        let output = run(&["import", &path, "--tenant", "demo"]);
        assert_eq!((text(&output.stdout).as_str(), output.status.code()), (line, Some(0)), "{}", text(&output.stderr));
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn an_import_that_fails_prints_the_reason_and_fails() {
    let path = file("name,city\nZoé,Québec\n");
    for (arguments, reason) in [
        (vec!["import", &path, "--tenant", "demo"], "No column of the header is a telephone number."),
        (vec!["import", &path, "--tenant", "demo", "--profile", "none"], "There is no mapping profile named none."),
        (vec!["import", &path, "--tenant", "nobody"], "there is no tenant nobody"),
        (vec!["import", "no-such-file.csv"], "no-such-file.csv"),
        (vec!["nonsense"], "usage:"),
    ] {
        let output = run(&arguments);
        assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("", Some(1)), "{arguments:?}");
        assert!(text(&output.stderr).contains(reason), "{}", text(&output.stderr));
    }
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_it_prints_signs_in() {
    let stack = Stack::connect().await;
    let output = run(&["token", ADMIN]);
    let printed = text(&output.stdout);
    let token = printed.strip_suffix('\n').unwrap();
    assert!(output.status.success() && !token.contains(char::is_whitespace));
    let api = Api::new(stack.http.clone(), Some(token.to_owned()));
    assert_eq!(api.data("{ viewer { user { email } } }", json!({})).await["viewer"]["user"]["email"], ADMIN);
    let output = run(&["token", "nobody@demo.test"]);
    assert_eq!((output.stdout.len(), output.status.code()), (0, Some(1)));
    assert!(text(&output.stderr).contains("nobody@demo.test could not sign in"), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_s_keys_are_turned_over_while_its_contacts_stay_readable() {
    let stack = Stack::connect().await;
    let api = stack.sign_in("admin@other.test").await;
    let number = fresh::number();
    let contact = contacts::new_contact(&api, json!({ "phone": number.e164(), "name": "Zoé" })).await;
    let (tenant, (_, slot)) = (tenant_of(&api).await, inside(&contact["id"]));
    let key = async || {
        let items = contacts::kept(&stack, &tenant, &slot).await;
        items.iter().find_map(|item| item.get("key")?.as_b().ok().map(|key| key.as_ref().to_vec())).unwrap()
    };
    let before = key().await;
    let output = tokio::task::spawn_blocking(|| run(&["keys", "rotate", "other", "--wait", "45"])).await.unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    eventually("the contact's key is wrapped by the new one", Duration::from_secs(180), async || (key().await[0] > before[0]).then_some(())).await;
    let output = tokio::task::spawn_blocking(|| run(&["keys", "rewrap", "other"])).await.unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let read = contacts::contact(&api, &contact["id"]).await;
    assert_eq!((&read["phone"], &read["name"], &read["version"]), (&json!(number.e164()), &json!("Zoé"), &json!(1)));
    let output = tokio::task::spawn_blocking(|| run(&["keys", "rotate", "nobody"])).await.unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("there is no tenant nobody"));
}
