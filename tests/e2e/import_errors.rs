//! Rows that can't be used, rows that a later one overtakes, and values that are set aside: counted, and readable.

use serde_json::{Value, json};

use crate::stack::api::{Api, inside, tenant_of};
use crate::stack::drops::{Counts, csv, dropped};
use crate::stack::fresh;
use crate::stack::history::contacts_at;
use crate::stack::{OTHER_ADMIN, Stack, setting};

/// More than the 5,000 rows of a chunk.
const ROWS: usize = 5_200;

const ERRORS: &str = "query($id: ID!, $first: Int, $after: String) { import(id: $id) { errors(first: $first, after: $after) {
    nodes { rowNumber field value code message isWarning } edges { cursor node { rowNumber } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";

/// All errors of an import, by pages.
async fn errors(api: &Api, import: &Value, first: usize) -> Vec<Value> {
    let (mut errors, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(ERRORS, json!({ "id": import, "first": first, "after": after })).await["import"]["errors"].take();
        let more = page["pageInfo"]["hasNextPage"] == true;
        let Value::Array(nodes) = page["nodes"].take() else { panic!("{page}") };
        assert!(nodes.len() == first || !more, "a page that is not the last is full");
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!after.is_null()));
        after = page["pageInfo"]["endCursor"].take();
        errors.extend(nodes);
        if !more {
            return errors;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_file_of_two_chunks_the_last_row_of_a_number_wins_and_every_row_is_counted_once() {
    let stack = Stack::connect().await;
    let api = stack.sign_in(OTHER_ADMIN).await;
    let numbers = fresh::numbers(ROWS as u64);
    let mut rows: Vec<Vec<String>> = (1..=ROWS).map(|row| vec![numbers[row - 1].written(row), format!("Row {row}"), "H3A 1B2".to_owned()]).collect();
    // The row that is overtaken, and the one that overtakes it: across the chunks, within the first, within the second, and three of one number.
    for (earlier, later) in [(10, 5_100), (20, 5_200), (30, 4_000), (5_010, 5_020), (40, 50), (50, 5_050)] {
        rows[earlier - 1][0] = rows[later - 1][0].clone();
    }
    rows[39][0] = rows[5_049][0].clone();
    let mut failing: Vec<usize> = (125..ROWS).step_by(50).collect();
    for row in &failing {
        rows[row - 1][0] = if row % 100 == 25 { "12345".to_owned() } else { String::new() };
    }
    failing.push(5_190);
    rows[5_189].extend(["more".to_owned(), "cells".to_owned()]);
    for row in [70, 5_070] {
        rows[row - 1][2] = "D0D 0D0".to_owned();
    }
    let file = format!("{}.csv", fresh::word("chunks"));
    let import = dropped(&stack, &api, "other", &file, csv("phone,name,postal", &rows)).await;

    let (skipped, failed) = (6, failing.len() as u64);
    assert_eq!(import.counts(), Counts { total: 5_200, created: 5_200 - skipped - failed, skipped, failed, warned: 2, ..Counts::default() });
    let results = format!("imports/{}/{}/result/", tenant_of(&api).await, inside(import.id()).1);
    let results = stack.s3().list_objects_v2().bucket(setting("RESULTS_BUCKET")).prefix(results).send().await.unwrap();
    assert_eq!(results.contents().len(), 2, "the chunks of the file");

    let winners = [5_100, 5_200, 4_000, 5_020, 5_050];
    let contacts = contacts_at(&api, &winners.map(|row: usize| numbers[row - 1])).await;
    for (contact, row) in contacts.iter().zip(winners) {
        assert_eq!(contact["name"], format!("Row {row}"));
        assert_eq!(contact["version"], 1, "an overtaken row is not written before: {contact}");
    }
    let losers = contacts_at(&api, &[10, 20, 30, 5_010, 40, 50].map(|row: usize| numbers[row - 1])).await;
    assert!(losers.iter().all(Value::is_null), "{losers:?}");

    let mut expected: Vec<Value> = failing
        .iter()
        .map(|row| match row {
            5_190 => json!({ "rowNumber": row, "field": null, "value": null, "code": "INVALID", "isWarning": false }),
            row if row % 100 == 25 => json!({ "rowNumber": row, "field": "phone", "value": "12345", "code": "INVALID", "isWarning": false }),
            row => json!({ "rowNumber": row, "field": "phone", "value": null, "code": "BLANK", "isWarning": false }),
        })
        .chain([70, 5_070].map(|row| json!({ "rowNumber": row, "field": "postalCode", "value": "D0D 0D0", "code": "INVALID", "isWarning": true })))
        .collect();
    expected.sort_by_key(|error| error["rowNumber"].as_u64());
    let mut all = errors(&api, import.id(), 40).await;
    for error in &mut all {
        let message = error.as_object_mut().unwrap().remove("message").unwrap();
        assert!(message.as_str().is_some_and(|message| message.ends_with('.')), "no sentence: {message}");
    }
    assert_eq!(all, expected);
    assert_eq!(errors(&api, import.id(), 100).await.len(), expected.len());
    let aside = contacts_at(&api, &[numbers[69], numbers[5_069]]).await;
    for contact in aside {
        assert_eq!((&contact["postalCode"], &contact["attributes"]), (&json!(null), &json!({ "postalCode": "D0D 0D0" })), "{contact}");
    }

    let again = dropped(&stack, &api, "other", &file, csv("phone,name,postal", &rows)).await;
    assert_eq!(again.counts(), Counts { total: 5_200, unchanged: 5_200 - skipped - failed, skipped, failed, warned: 2, ..Counts::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_row_is_not_overtaken_by_a_later_one_that_fails() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    let rows = [vec![number.dashed(), "Good".to_owned()], vec![number.dashed(), "Bad".to_owned(), "too".to_owned(), "long".to_owned()]];
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("overtaken")), csv("phone,name", &rows)).await;
    assert_eq!(import.counts(), Counts { total: 2, created: 1, failed: 1, ..Counts::default() });
    assert_eq!(contacts_at(&api, &[number]).await[0]["name"], "Good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_errors_belongs_to_its_import() {
    let (stack, api) = Stack::as_admin().await;
    let bad = csv("phone,name", &[["1".to_owned(), "a".to_owned()], ["2".to_owned(), "b".to_owned()]]);
    let one = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("cursor")), bad.clone()).await;
    let two = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("cursor")), bad).await;
    let page = api.data(ERRORS, json!({ "id": one.id(), "first": 1 })).await;
    let cursor = &page["import"]["errors"]["pageInfo"]["endCursor"];
    assert_eq!(page["import"]["errors"]["edges"][0]["cursor"], *cursor);
    let next = api.data(ERRORS, json!({ "id": one.id(), "first": 1, "after": cursor })).await;
    assert_eq!(next["import"]["errors"]["nodes"][0]["rowNumber"], 2);
    for (id, after, first, code) in
        [(two.id(), cursor.clone(), 1, "BAD_CURSOR"), (one.id(), json!("made up"), 1, "BAD_CURSOR"), (one.id(), json!(null), 101, "LIMIT_EXCEEDED")]
    {
        let answer = api.ask(ERRORS, json!({ "id": id, "first": first, "after": after })).await;
        assert_eq!(answer.codes(), [code]);
    }
}
