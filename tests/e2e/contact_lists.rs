//! Paging through contacts: every one once, newest first, whatever is added meanwhile.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::stack::api::{Api, created, inside, tenant_of};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh;
use crate::stack::{Stack, setting};

const PAGE: &str = "query($first: Int, $after: String) { contacts(first: $first, after: $after) {
    edges { cursor node { id createdAt } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

/// Entries of a list, in its order: ids and times of creation.
type Entries = Vec<(String, String)>;

/// One page, with the place of the next.
async fn page(api: &Api, first: usize, after: &Value) -> (Entries, Option<Value>) {
    let data = api.data(PAGE, json!({ "first": first, "after": after })).await;
    let (edges, info) = (data["contacts"]["edges"].as_array().unwrap(), &data["contacts"]["pageInfo"]);
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!((&info["startCursor"], &info["endCursor"]), (&cursor(edges.first()), &cursor(edges.last())));
    assert_eq!(info["hasPreviousPage"], json!(!after.is_null()));
    let more = info["hasNextPage"] == true;
    assert!(edges.len() == first || !more && edges.len() < first, "a page that is not the last is full");
    let nodes: Vec<&Value> = data["contacts"]["nodes"].as_array().unwrap().iter().collect();
    assert_eq!(nodes.iter().map(|node| &node["id"]).collect::<Vec<_>>(), edges.iter().map(|edge| &edge["node"]["id"]).collect::<Vec<_>>());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = edges.iter().map(|edge| (text(&edge["node"]["id"]), text(&edge["node"]["createdAt"]))).collect();
    (entries, more.then(|| info["endCursor"].clone()))
}

/// Everything that follows a place.
async fn rest(api: &Api, mut after: Option<Value>) -> Entries {
    let mut all = Vec::new();
    while let Some(place) = after.take() {
        let (entries, next) = page(api, 100, &place).await;
        all.extend(entries);
        after = next;
    }
    all
}

/// The contacts the tenant has, asked of the table itself.
async fn truth(stack: &Stack, api: &Api) -> BTreeSet<String> {
    let tenant = tenant_of(api).await;
    let text = |text: String| AttributeValue::S(text);
    let record = stack.dynamodb().get_item().table_name(setting("CORE_TABLE")).key("PK", text(format!("T#{tenant}#CFG"))).key("SK", text("TENANT".to_owned()));
    let shards: u32 = record.send().await.unwrap().item.unwrap()["shards"].as_n().unwrap().parse().unwrap();
    let mut ids = BTreeSet::new();
    for shard in 0..shards.max(1) {
        let query = stack.dynamodb().query().table_name(setting("CORE_TABLE")).index_name("GSI1").key_condition_expression("GSI1PK = :list");
        let mut pages = query.expression_attribute_values(":list", text(format!("T#{tenant}#L#{shard}"))).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.unwrap();
            let slot = item["PK"].as_s().unwrap().rsplit_once("#C#").unwrap().1.to_owned();
            ids.insert(slot);
        }
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_100_hold_every_contact_once_newest_first_while_an_import_adds_rows() {
    let (stack, api) = Stack::as_admin().await;
    let before = truth(&stack, &api).await;
    assert!(before.len() >= 1_500, "the demo data is there");
    let (mut walked, after) = page(&api, 100, &Value::Null).await;
    let rows: Vec<[String; 2]> = fresh::numbers(400).iter().map(|number| [number.dashed(), "Added meanwhile".to_owned()]).collect();
    let file = format!("{}.csv", fresh::word("meanwhile"));
    let (import, walked_meanwhile) = tokio::join!(dropped(&stack, &api, "demo", &file, csv("phone,name", &rows)), rest(&api, after));
    assert_eq!(import.counts().created, 400);
    walked.extend(walked_meanwhile);

    assert!(walked.windows(2).all(|pair| pair[0].1 >= pair[1].1), "newest first");
    let seen: BTreeSet<String> = walked.iter().map(|(id, _)| inside(&json!(id)).1).collect();
    assert_eq!(seen.len(), walked.len(), "no contact comes twice");
    // Other tests delete some of theirs meanwhile.
    let left = truth(&stack, &api).await;
    let missed: Vec<&String> = before.intersection(&left).filter(|id| !seen.contains(*id)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_contact_stands_before_older_ones_and_a_cursor_stays_where_it_was() {
    let (_, api) = Stack::as_admin().await;
    let earlier = created(&api, json!({ "phone": fresh::number().e164() })).await;
    let (older, after) = page(&api, 3, &Value::Null).await;
    let contact = created(&api, json!({ "phone": fresh::number().e164() })).await;
    let (mut now, mut place): (Entries, _) = (Vec::new(), Some(Value::Null));
    while !now.iter().any(|(entry, _)| earlier["id"] == **entry) {
        let (entries, next) = page(&api, 100, &place.take().unwrap()).await;
        now.extend(entries);
        place = next;
    }
    let position = |contact: &Value| now.iter().position(|(entry, _)| contact["id"] == **entry).unwrap();
    assert!(position(&contact) < position(&earlier));
    let (next, _) = page(&api, 3, &after.unwrap()).await;
    assert!(next[0].1 <= older[2].1 && next.iter().all(|entry| !older.contains(entry)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_50_entries_unless_told_otherwise_and_1_to_100_when_told() {
    let (_, api) = Stack::as_admin().await;
    assert_eq!(api.data("{ contacts { nodes { id } } }", json!({})).await["contacts"]["nodes"].as_array().unwrap().len(), 50);
    for first in [1, 100] {
        assert_eq!(page(&api, first, &Value::Null).await.0.len(), first);
    }
    for list in ["contacts", "imports"] {
        for first in [0, 101, -1] {
            let query = format!("query($first: Int) {{ {list}(first: $first) {{ nodes {{ id }} }} }}");
            assert_eq!(api.refusal(&query, json!({ "first": first })).await, "LIMIT_EXCEEDED", "{list} {first}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_was_made_up_or_is_of_another_list_is_a_bad_cursor() {
    let (_, api) = Stack::as_admin().await;
    created(&api, json!({ "phone": fresh::number().e164() })).await;
    let (_, cursor) = page(&api, 1, &Value::Null).await;
    let cursor = cursor.unwrap();
    let cut = &cursor.as_str().unwrap()[1..];
    for after in ["", "x", "====", cut] {
        assert_eq!(api.refusal(PAGE, json!({ "first": 1, "after": after })).await, "BAD_CURSOR", "{after}");
    }
    assert_eq!(api.refusal("query($after: String) { imports(after: $after) { nodes { id } } }", json!({ "after": cursor })).await, "BAD_CURSOR");
}
