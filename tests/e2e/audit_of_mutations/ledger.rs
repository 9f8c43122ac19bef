//! What mutations leave in the audit trail: each is done, what it is to leave is written down, and at the end the trail is asked what each request left.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use crate::stack::api::{Api, inside};
use crate::stack::mutations::document;
use crate::stack::tenant::{Person, Tenant};

/// The events of a job come seconds after its end; beside other tests later.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(500);
/// An event too many would be there by then.
const ONE_TOO_MANY: Duration = Duration::from_secs(1);
/// Stands for the time at which an event happened.
pub(super) const THEN: &str = "(when it happened)";

/// An event that is expected.
#[derive(Clone)]
pub(super) struct Event {
    action: &'static str,
    id: Value,
    version: Option<u64>,
    changes: Value,
    reason: Value,
    job: Value,
}

/// The event of a change that made this version of a record. What it changed is written `{ "field": [before, after] }`.
pub(super) fn event(action: &'static str, id: &Value, version: u64, changes: Value) -> Event {
    Event { action, id: id.clone(), version: Some(version), changes, reason: Value::Null, job: Value::Null }
}

/// An event that changed no version of a record. What else it says is written `{ "field": value }`.
pub(super) fn beside(action: &'static str, id: &Value, details: &Value) -> Event {
    Event { action, id: id.clone(), version: None, changes: created(details), reason: Value::Null, job: Value::Null }
}

/// What a record says, as the changes of its creation: nothing was there before.
pub(super) fn created(fields: &Value) -> Value {
    let fields = fields.as_object().unwrap().iter();
    Value::Object(fields.map(|(name, value)| (name.clone(), json!([null, value]))).collect())
}

impl Event {
    /// The same, with the reason that was given for it.
    pub(super) fn because(mut self, reason: &str) -> Self {
        self.reason = json!(reason);
        self
    }

    /// The same, done by a job.
    pub(super) fn by_job(mut self, job: &Value) -> Self {
        self.job = job.clone();
        self
    }

    /// The kind of record it is about: what its id names, but of what an agent has the noun of the action, and of what a tenant has a name of its own.
    fn entity_type(&self) -> String {
        let (noun, verb) = self.action.split_once('.').unwrap();
        match noun {
            "presence" | "schedule" => noun.to_owned(),
            "scoring_model" if verb == "activated" => "active_scoring_model".to_owned(),
            _ => inside(&self.id).0,
        }
    }

    fn written(&self) -> Value {
        json!({
            "action": self.action, "entityType": self.entity_type(), "entityId": self.id, "entityVersion": self.version, "changes": self.changes,
            "reason": self.reason, "jobId": self.job,
        })
    }
}

/// An event of the API in the same form.
fn found(event: &Value) -> Value {
    let at = &event["at"];
    let value = |value: &Value| if value == at { json!(THEN) } else { value.clone() };
    let mut changes = Map::new();
    for change in event["changes"].as_array().unwrap() {
        let field = change["field"].as_str().unwrap().to_owned();
        let twice = changes.insert(field, json!([value(&change["oldValue"]), value(&change["newValue"])]));
        assert!(twice.is_none(), "a field is there twice: {event}");
    }
    json!({
        "action": event["action"], "entityType": event["entityType"], "entityId": event["entityId"], "entityVersion": event["entityVersion"], "changes": changes,
        "reason": event["reason"], "jobId": event["jobId"],
    })
}

/// Events in an order that doesn't depend on when they were recorded.
fn sorted(mut events: Vec<Value>) -> Vec<Value> {
    events.sort_by_key(|event| format!("{} {} {} {}", event["entityType"], event["entityId"], event["entityVersion"], event["action"]));
    events
}

/// The events of a request, in the order of the API.
async fn left_by(api: &Api, since: &Value, request: &str) -> Vec<Value> {
    let query = "query($request: String!, $from: DateTime!, $after: String) { auditEvents(first: 100, after: $after, requestId: $request, from: $from) {
        nodes { action entityType entityId entityVersion outcome at actor { type id } changes { field oldValue newValue } reason jobId requestId }
        pageInfo { hasNextPage endCursor } } }";
    let (mut events, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(query, json!({ "request": request, "from": since, "after": after })).await["auditEvents"].take();
        let Value::Array(nodes) = page["nodes"].take() else { panic!("no events: {page}") };
        events.extend(nodes);
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            return events;
        }
    }
}

/// A mutation that was done.
struct Entry {
    mutation: &'static str,
    request: String,
    by: Value,
    expected: Option<Vec<Event>>,
}

/// The mutations that were done in a tenant of their own.
pub(super) struct Ledger {
    pub(super) tenant: Tenant,
    /// When the tenant was made: before everything.
    since: Value,
    entries: Vec<Entry>,
}

impl Ledger {
    pub(super) async fn open() -> Self {
        let tenant = Tenant::new().await;
        let since = tenant.api.data("{ viewer { tenant { createdAt } } }", json!({})).await["viewer"]["tenant"]["createdAt"].take();
        Self { tenant, since, entries: Vec::new() }
    }

    /// The API as the tenant's administrator sees it.
    pub(super) fn api(&self) -> Api {
        self.tenant.api.clone()
    }

    /// When the tenant was made.
    pub(super) fn since(&self) -> &Value {
        &self.since
    }

    /// Does a mutation as the administrator; its payload.
    pub(super) async fn done(&mut self, mutation: &'static str, input: Value) -> Value {
        let payload = self.tried(mutation, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}");
        payload
    }

    /// The same, when it may be refused because it comes too late. Then nothing was done.
    pub(super) async fn tried(&mut self, mutation: &'static str, input: Value) -> Value {
        let (api, by) = (self.api(), self.tenant.admin.user.clone());
        self.asked(&api, by, mutation, input).await
    }

    /// Does a mutation as somebody else; its payload.
    pub(super) async fn done_by(&mut self, person: &Person, mutation: &'static str, input: Value) -> Value {
        let payload = self.asked(&person.api, person.user.clone(), mutation, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}");
        payload
    }

    async fn asked(&mut self, api: &Api, by: Value, mutation: &'static str, input: Value) -> Value {
        let mut answer = api.ask(&document(mutation), json!({ "input": input })).await;
        assert!(answer.status == 200 && answer.body["errors"].is_null(), "{mutation}: status {} and {}", answer.status, answer.body);
        let request = answer.header("x-request-id").to_owned();
        let payload = answer.body["data"][mutation].take();
        if payload["userErrors"] != json!([]) {
            return payload;
        }
        assert!(!request.is_empty() && self.entries.iter().all(|entry| entry.request != request), "{mutation}: a request has a name of its own: {request:?}");
        self.entries.push(Entry { mutation, request, by, expected: None });
        payload
    }

    /// Says what a mutation leaves, the first of those of which that isn't said yet: exactly these events.
    pub(super) fn leaves(&mut self, events: impl IntoIterator<Item = Event>) {
        let entry = self.entries.iter_mut().find(|entry| entry.expected.is_none()).unwrap();
        entry.expected = Some(events.into_iter().collect());
    }

    /// Waits until as many events of each mutation are there as it leaves, looks once more a second later, and compares. Each of the mutations was done.
    pub(super) async fn settle(self, mutations: &[&str]) {
        let (api, deadline) = (self.api(), Instant::now() + PATIENCE);
        for entry in &self.entries {
            let count = entry.expected.as_ref().map_or(0, Vec::len);
            while left_by(&api, &self.since, &entry.request).await.len() < count && Instant::now() < deadline {
                sleep(LOOK).await;
            }
        }
        sleep(ONE_TOO_MANY).await;
        for Entry { mutation, request, by, expected } in &self.entries {
            let events = left_by(&api, &self.since, request).await;
            for event in &events {
                let is_theirs = event["requestId"] == json!(request) && event["actor"] == json!({ "type": "USER", "id": by });
                assert!(is_theirs && event["outcome"] == "SUCCESS", "{mutation}: {event}");
            }
            let expected = expected.as_ref().unwrap_or_else(|| panic!("{mutation}: nobody said what it leaves"));
            let (found, expected) = (sorted(events.iter().map(found).collect()), sorted(expected.iter().map(Event::written).collect()));
            assert_eq!(found, expected, "{mutation}: what it left, and what it should have");
        }
        let done: BTreeSet<&str> = self.entries.iter().map(|entry| entry.mutation).collect();
        assert_eq!(done, mutations.iter().copied().collect(), "the mutations that were done, and those that are said to be proven here");
    }
}
