//! Scores as clients read them. What holds for every score is checked on each.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::Api;
use super::mutations::with_fragments;
use super::waiting::eventually;

/// A score follows a change within seconds; beside other tests, which change thousands of contacts, later.
pub(crate) const SCORED: Duration = Duration::from_secs(120);

/// A contact's score with all that it says.
pub(crate) async fn score(api: &Api, contact: &Value) -> Value {
    let query = with_fragments("query($id: ID!) { contact(id: $id) { score { ...score } } }");
    let score = api.data(&query, json!({ "id": contact })).await["contact"]["score"].take();
    assert_adds_up(&score);
    score
}

/// A contact's score once it is what is waited for.
pub(crate) async fn score_that(api: &Api, contact: &Value, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("the score of {contact} {what}"), SCORED, async || Some(score(api, contact).await).filter(|score| is_so(score))).await
}

/// A contact's score once it has this value.
pub(crate) async fn score_of_value(api: &Api, contact: &Value, value: u64) -> Value {
    score_that(api, contact, &format!("is {value}"), |score| score["value"] == value).await
}

/// The scores that a contact had, newest first, read by pages.
pub(crate) async fn replaced(api: &Api, contact: &Value, first: usize) -> Vec<Value> {
    let query = "query($id: ID!, $first: Int, $after: String) { contact(id: $id) { scoreHistory(first: $first, after: $after) {
        nodes { value category reason modelVersion calculatedAt replacedAt } pageInfo { hasNextPage endCursor } } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(query, json!({ "id": contact, "first": first, "after": after })).await["contact"]["scoreHistory"].take();
        let Value::Array(nodes) = page["nodes"].take() else { panic!("no scores: {page}") };
        assert!(nodes.len() <= first, "a page is not longer than was asked for");
        all.extend(nodes);
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
    }
}

/// The component of a factor.
pub(crate) fn component<'a>(score: &'a Value, factor: &str) -> &'a Value {
    let found = score["components"].as_array().unwrap().iter().find(|component| component["name"] == factor);
    found.unwrap_or_else(|| panic!("no component {factor}: {score}"))
}

/// That a score's components are within their maxima and add up to its value, and that the rest of it agrees with that.
pub(crate) fn assert_adds_up(score: &Value) {
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no number: {score}"));
    let mut sum = 0.0;
    for component in score["components"].as_array().unwrap_or_else(|| panic!("no components: {score}")) {
        let (points, maximum) = (number(&component["points"]), number(&component["max"]));
        assert!((0.0..=maximum).contains(&points), "{component}");
        assert!(component["reason"].as_str().is_some_and(|reason| !reason.is_empty() && !reason.contains('{')), "no words: {component}");
        sum += points;
    }
    // Points have four decimals; the rest is how a computer adds them.
    let rounded = (sum + 0.5 + 1e-9).floor();
    assert!((number(&score["value"]) - rounded).abs() < 0.5, "{sum} is not rounded to the value: {score}");
    let category = match score["value"].as_u64() {
        Some(75..=100) => "HOT",
        Some(50..=74) => "WARM",
        Some(25..=49) => "COLD",
        Some(0..=24) => "NURTURE",
        _ => panic!("no value: {score}"),
    };
    assert_eq!(score["category"], category, "{score}");
    assert!(score["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{score}");
    let change = score["previousValue"].as_i64().map(|previous| score["value"].as_i64().unwrap() - previous);
    assert_eq!(score["change"].as_i64(), change, "{score}");
}
