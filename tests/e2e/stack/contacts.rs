//! Contacts as clients read them: one with all its fields, lists walked to their end, and what contacts refer to.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use super::api::{Api, created};
use super::drops::{csv, dropped};
use super::fresh;
use super::mutations::with_fragments;
use super::waiting::eventually;
use super::{Stack, setting};

/// Lists and searches follow a change within a second; beside an import of thousands of rows later.
pub(crate) const LISTED: Duration = Duration::from_secs(120);
/// More pages than any list of these tests has.
const PAGES: usize = 2_000;

/// A contact with all its fields; null when there is none.
pub(crate) async fn contact(api: &Api, id: &Value) -> Value {
    api.data(&with_fragments("query($id: ID!) { contact(id: $id) { ...whole } }"), json!({ "id": id })).await["contact"].take()
}

/// The same, asked for by its number.
pub(crate) async fn contact_with(api: &Api, number: fresh::Number) -> Value {
    api.data(&with_fragments("query($phone: String!) { contactByPhone(phone: $phone) { ...whole } }"), json!({ "phone": number.e164() })).await["contactByPhone"].take()
}

/// Creates a contact at a number of its own; all its fields.
pub(crate) async fn new_contact(api: &Api, mut input: Value) -> Value {
    if input["phone"].is_null() {
        input["phone"] = json!(fresh::number().e164());
    }
    let id = created(api, input).await["id"].take();
    contact(api, &id).await
}

/// A contact's notes, newest first.
pub(crate) async fn notes(api: &Api, id: &Value) -> Vec<Value> {
    let mut data = api.data(&with_fragments("query($id: ID!) { contact(id: $id) { notes(first: 100) { nodes { ...note } } } }"), json!({ "id": id })).await;
    let Value::Array(notes) = data["contact"]["notes"]["nodes"].take() else { panic!("no notes: {data}") };
    notes
}

/// The id of the status with a code.
pub(crate) async fn status_id(api: &Api, code: &str) -> Value {
    let statuses = api.data("{ contactStatuses { id code } }", json!({})).await["contactStatuses"].take();
    let status = statuses.as_array().unwrap().iter().find(|status| status["code"] == code);
    status.unwrap_or_else(|| panic!("no status {code}: {statuses}"))["id"].clone()
}

/// The caller's own id as an agent.
pub(crate) async fn agent_of(api: &Api) -> Value {
    api.data("{ viewer { user { agent { id } } } }", json!({})).await["viewer"]["user"]["agent"]["id"].take()
}

/// The team of a contact of the demo data, whose numbers are known.
pub(crate) async fn some_team(api: &Api) -> Value {
    for block in 0..6 {
        let fields: String =
            (0..25).map(|index| format!("c{index}: contactByPhone(phone: \"+1514555{:04}\") {{ team {{ id name }} }} ", (block * 25 + index) * 13)).collect();
        let data = api.data(&format!("{{ {fields} }}"), json!({})).await;
        if let Some(contact) = data.as_object().unwrap().values().find(|contact| contact["team"].is_object()) {
            return contact["team"].clone();
        }
    }
    panic!("none of 150 contacts of the demo data has a team");
}

/// Everything that a filter lets through, in the order asked for. What holds for every page is checked on every page.
pub(crate) async fn walk(api: &Api, filter: &Value, sort: &str, first: usize) -> Vec<Value> {
    let query = format!(
        "query($first: Int, $after: String, $filter: ContactFilter) {{ contacts(first: $first, after: $after, filter: $filter, sort: {sort}) {{
            edges {{ cursor node {{ id createdAt name deletedAt assignee {{ id }} status {{ code }} source }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let (mut all, mut after) = (Vec::new(), Value::Null);
    for _ in 0..PAGES {
        let mut page = api.data(&query, json!({ "first": first, "after": after, "filter": filter })).await["contacts"].take();
        let Value::Array(mut edges) = page["edges"].take() else { panic!("no edges: {page}") };
        assert!(edges.len() <= first, "a page is not longer than was asked for");
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!after.is_null()));
        all.extend(edges.iter_mut().map(|edge| edge["node"].take()));
        if page["pageInfo"]["hasNextPage"] == false {
            let ordered = |earlier: &Value, later: &Value| if sort == "OLDEST" { earlier.as_str() <= later.as_str() } else { earlier.as_str() >= later.as_str() };
            assert!(all.windows(2).all(|pair| ordered(&pair[0]["createdAt"], &pair[1]["createdAt"])), "in order: {all:?}");
            return all;
        }
        let end = page["pageInfo"]["endCursor"].take();
        assert!(end.is_string() && end != after, "a page with more behind it says where to go on: {page}");
        after = end;
    }
    panic!("more than {PAGES} pages for {filter}");
}

/// The ids of everything that a filter lets through; none comes twice.
pub(crate) async fn ids_of(api: &Api, filter: &Value) -> BTreeSet<String> {
    let found = walk(api, filter, "NEWEST", 100).await;
    let ids: BTreeSet<String> = found.iter().map(|contact| text(&contact["id"])).collect();
    assert_eq!(ids.len(), found.len(), "each comes once");
    ids
}

/// Waits until a filter lets through exactly these contacts.
pub(crate) async fn eventually_lists(api: &Api, filter: &Value, expected: &BTreeSet<String>) {
    eventually(&format!("{filter} gives {expected:?}"), LISTED, async || (ids_of(api, filter).await == *expected).then_some(())).await;
}

/// Imports contacts whose names are numbered, with a source of their own; the import's id and the source.
pub(crate) async fn imported(stack: &Stack, api: &Api, numbers: &[fresh::Number]) -> (Value, String) {
    let source = fresh::word("source");
    let rows: Vec<[String; 3]> = numbers.iter().enumerate().map(|(index, number)| [number.e164(), format!("Person {index}"), source.clone()]).collect();
    let import = dropped(stack, api, "demo", &format!("{}.csv", fresh::word("many")), csv("phone,name,source", &rows)).await;
    assert_eq!(import.counts().created, numbers.len() as u64, "{import:?}");
    (import.id().clone(), source)
}

/// What the core table keeps of a contact.
pub(crate) async fn kept(stack: &Stack, tenant: &str, slot: &str) -> Vec<HashMap<String, AttributeValue>> {
    let partition = AttributeValue::S(format!("T#{tenant}#C#{slot}"));
    let query = stack.dynamodb().query().table_name(setting("CORE_TABLE")).consistent_read(true).key_condition_expression("PK = :slot");
    query.expression_attribute_values(":slot", partition).send().await.unwrap().items.unwrap_or_default()
}

/// The text of an id.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The ids of contacts.
pub(crate) fn ids<'a>(contacts: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    contacts.into_iter().map(|contact| text(&contact["id"])).collect()
}
