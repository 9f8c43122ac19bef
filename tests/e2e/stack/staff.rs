//! Users, agents and teams as clients read them, with what is on record of them, and waiting until every process of the API knows what changed.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::api::{Answer, Api};
use super::history::AUDIT;
use super::mutations::with_fragments;
use super::waiting::eventually;

/// What is decided about a user holds everywhere after at most this.
pub(crate) const HALF_A_MINUTE: Duration = Duration::from_secs(30);
/// A process believes for half a minute which roles and settings a tenant has; beside other tests it may be somewhat more until that was seen.
pub(crate) const KNOWN: Duration = Duration::from_secs(60);
/// So many requests at once are answered by every process that is awake.
const AT_ONCE: usize = 8;
/// How often they are made.
const LOOK: Duration = Duration::from_secs(2);

/// A user, agent or team with all its fields, by the name of its query; null when there is none.
pub(crate) async fn record(api: &Api, kind: &str, id: &Value) -> Value {
    api.data(&with_fragments(&format!("query($id: ID!) {{ {kind}(id: $id) {{ ...{kind} }} }}")), json!({ "id": id })).await[kind].take()
}

/// The newest 50 events of an agent or a team, newest first, once its last change is on record.
pub(crate) async fn recorded(api: &Api, kind: &str, id: &Value) -> Vec<Value> {
    let query = format!(
        "query($id: ID!) {{ {kind}(id: $id) {{ version auditEvents(first: 50) {{ nodes {{
            action entityType entityId entityVersion actor {{ type id name }} changes {{ field oldValue newValue }} reason hash previousHash }} }} }} }}"
    );
    let events = eventually(&format!("the last change of {kind} {id} is on record"), AUDIT, async || {
        let mut record = api.data(&query, json!({ "id": id })).await[kind].take();
        let Value::Array(events) = record["auditEvents"]["nodes"].take() else { panic!("no events: {record}") };
        (events.first()?["entityVersion"] == record["version"]).then_some(events)
    })
    .await;
    assert!(events.windows(2).all(|pair| pair[0]["previousHash"] == pair[1]["hash"]), "a chain: {events:?}");
    assert!(events.iter().all(|event| event["entityType"] == kind && event["entityId"] == *id), "{events:?}");
    events
}

/// What an event says that somebody was in a team, and what they are: `members.<agent>` in a team's event, `teams.<team>` in an agent's.
pub(crate) fn place_in_team<'a>(event: &'a Value, list: &str, id: &Value) -> Option<(&'a Value, &'a Value)> {
    let field = json!(format!("{list}.{}", id.as_str().unwrap()));
    let change = event["changes"].as_array().unwrap().iter().find(|change| change["field"] == field)?;
    Some((&change["oldValue"], &change["newValue"]))
}

/// Waits until every answer to a query is as expected, whichever process gives it.
pub(crate) async fn eventually_everywhere(what: &str, within: Duration, api: &Api, query: &str, is_so: fn(&Answer) -> bool) {
    let deadline = Instant::now() + within;
    loop {
        let mut asked = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (api, query) = (api.clone(), query.to_owned());
            asked.spawn(async move { api.ask(&query, json!({})).await });
        }
        let answers = asked.join_all().await;
        if answers.iter().all(is_so) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: not within {within:?}: {:?}", answers.iter().map(|answer| &answer.body).collect::<Vec<_>>());
        sleep(LOOK).await;
    }
}

/// Waits until a token is refused everywhere.
pub(crate) async fn eventually_refused(what: &str, api: &Api) {
    let refused = |answer: &Answer| answer.status == 401 && answer.codes() == ["UNAUTHENTICATED"];
    eventually_everywhere(what, HALF_A_MINUTE, api, "{ viewer { user { id } } }", refused).await;
}

/// Waits until a query is forbidden everywhere.
pub(crate) async fn eventually_forbidden(what: &str, within: Duration, api: &Api, query: &str) {
    eventually_everywhere(what, within, api, query, |answer| answer.codes() == ["FORBIDDEN"]).await;
}
