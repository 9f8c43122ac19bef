//! What agents are doing: set by themselves or a supervisor, kept alive by heartbeats, counted by the day, and asked for to hand out work.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::stack::api::Api;
use crate::stack::contacts::{LISTED, text};
use crate::stack::mutations::{done, error, refusal, refused, with_fragments};
use crate::stack::staff::HALF_A_MINUTE;
use crate::stack::tenant::{Person, Tenant};
use crate::stack::waiting::eventually;

/// Between two heartbeats of who isn't silent.
const BEAT: Duration = Duration::from_secs(2);

/// Changes one's presence; what it is then.
async fn set(person: &Person, input: Value) -> Value {
    done(&person.api, "presenceUpdate", input).await["presence"].take()
}

/// Gives a sign of life; what one's presence is then.
async fn beat(person: &Person, input: Value) -> Value {
    done(&person.api, "presenceHeartbeat", input).await["presence"].take()
}

/// Somebody's presence as another person sees it.
async fn seen(api: &Api, agent: &Value) -> Value {
    let query = with_fragments("query($id: ID!) { agent(id: $id) { presence { ...presence } } }");
    api.data(&query, json!({ "id": agent })).await["agent"]["presence"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_whom_nothing_is_kept_is_offline_and_their_first_change_is_like_any_other() {
    let tenant = Tenant::shared().await;
    let (person, quiet) = (tenant.hire(&["telephonist"]).await, tenant.hire(&["agent"]).await);
    let start = person.presence().await;
    assert_eq!((&start["status"], &start["breakReason"], &start["acceptingLeads"]), (&json!("OFFLINE"), &Value::Null, &json!(true)));
    assert_eq!((&start["onCall"], &start["callsToday"], &start["currentCallSeconds"]), (&json!(false), &json!(0), &json!(0)));
    assert!(start["since"].is_string() && start["lastActivityAt"].is_string(), "{start}");
    assert_eq!(beat(&quiet, json!({})).await["status"], "OFFLINE", "a sign of life alone makes nobody available");
    let declining = set(&quiet, json!({ "acceptingLeads": false })).await;
    assert_eq!((&declining["acceptingLeads"], &declining["status"]), (&json!(false), &json!("OFFLINE")), "it is set by itself");

    for (input, errors) in [
        (json!({ "status": "ON_BREAK", "breakReason": "é".repeat(1_001) }), error("breakReason", "TOO_LONG")),
        (json!({ "status": "ON_BREAK", "breakReason": "a\u{0}b" }), error("breakReason", "INVALID")),
    ] {
        assert_eq!(refused(&person.api, "presenceUpdate", input).await, errors);
    }
    for seconds in [-1, 86_401] {
        let input = json!({ "deviceId": "desk", "onCall": true, "currentCallSeconds": seconds });
        assert_eq!(refused(&person.api, "presenceHeartbeat", input).await, error("currentCallSeconds", "INVALID"), "{seconds}");
    }
    assert_eq!(person.presence().await, start, "what was refused is not kept");

    let at_lunch = set(&person, json!({ "status": "ON_BREAK", "breakReason": "Lunch" })).await;
    assert_eq!((&at_lunch["status"], &at_lunch["breakReason"]), (&json!("ON_BREAK"), &json!("Lunch")));
    for kept in [beat(&person, json!({})).await, set(&person, json!({ "acceptingLeads": false })).await, seen(&tenant.api, &person.agent).await] {
        assert_eq!((&kept["status"], &kept["breakReason"], &kept["since"]), (&json!("ON_BREAK"), &json!("Lunch"), &at_lunch["since"]));
    }
    let back = set(&person, json!({ "status": "AVAILABLE" })).await;
    assert_eq!((&back["status"], &back["breakReason"], &back["acceptingLeads"]), (&json!("AVAILABLE"), &Value::Null, &json!(false)));
    assert!(back["since"].as_str() > at_lunch["since"].as_str(), "{back}");
    assert_eq!(set(&person, json!({ "status": "ON_BREAK" })).await["breakReason"], Value::Null, "the reason of another break is none of this one");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_do_not_fight_over_a_call_and_it_counts_once() {
    let tenant = Tenant::shared().await;
    let person = tenant.hire(&["telephonist"]).await;
    set(&person, json!({ "status": "AVAILABLE" })).await;
    let says = |device: &str, on_call: bool, seconds: u32| json!({ "deviceId": device, "onCall": on_call, "currentCallSeconds": seconds });
    let begun = beat(&person, says("desk", true, 40)).await;
    assert_eq!((&begun["onCall"], &begun["callsToday"], &begun["status"]), (&json!(true), &json!(0), &json!("AVAILABLE")));
    for other in [json!({ "deviceId": "mobile", "onCall": false }), json!({ "deviceId": "mobile" }), says("mobile", true, 3), json!({})] {
        let presence = beat(&person, other.clone()).await;
        assert!(presence["onCall"] == json!(true) && presence["currentCallSeconds"].as_u64() >= Some(40), "{other}: {presence}");
        assert_eq!(presence["callsToday"], 0, "{other}");
    }
    // Heartbeats that meet, of both devices: the call ended once.
    let mut beats = JoinSet::new();
    for index in 0..8 {
        let (api, input) = (person.api.clone(), json!({ "deviceId": if index % 2 == 0 { "desk" } else { "mobile" }, "onCall": false }));
        beats.spawn(async move { done(&api, "presenceHeartbeat", input).await });
    }
    beats.join_all().await;
    let ended = person.presence().await;
    assert_eq!((&ended["onCall"], &ended["callsToday"], &ended["currentCallSeconds"]), (&json!(false), &json!(1), &json!(0)));
    beat(&person, says("mobile", true, 1)).await;
    let next = beat(&person, json!({ "deviceId": "mobile", "onCall": false })).await;
    assert_eq!((&next["onCall"], &next["callsToday"], &next["status"]), (&json!(false), &json!(2), &json!("AVAILABLE")));
    assert_eq!(beat(&person, json!({ "deviceId": "desk", "onCall": false })).await["callsToday"], 2);
    assert_eq!(seen(&tenant.api, &person.agent).await["callsToday"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_changes_anyones_presence_and_says_why_and_others_only_their_own() {
    let tenant = Tenant::shared().await;
    let (supervisor, person) = (tenant.hire(&["supervisor"]).await, tenant.hire(&["telephonist"]).await);
    let (colleague, manager) = (tenant.hire(&["telephonist"]).await, tenant.hire(&["manager"]).await);
    let before = set(&person, json!({ "status": "AVAILABLE" })).await;
    for reason in [json!({}), json!({ "reason": " " })] {
        let mut input = json!({ "agentId": person.agent, "status": "BUSY" });
        input.as_object_mut().unwrap().extend(reason.as_object().unwrap().clone());
        assert_eq!(refused(&supervisor.api, "presenceUpdate", input).await, error("reason", "BLANK"));
    }
    let absent = json!(data_encoding::BASE64URL_NOPAD.encode(b"agent:00000000000000000000000000"));
    for stranger in [&colleague, &manager] {
        for id in [&person.agent, &absent] {
            let input = json!({ "agentId": id, "status": "BUSY", "reason": "Because" });
            assert_eq!(refusal(&stranger.api, "presenceUpdate", input).await, "NOT_FOUND", "what isn't theirs is as if it didn't exist");
        }
    }
    assert_eq!(person.presence().await["since"], before["since"]);
    let input = json!({ "agentId": person.agent, "status": "IN_MEETING", "acceptingLeads": false, "reason": "Called to the office" });
    let payload = done(&supervisor.api, "presenceUpdate", input).await;
    assert_eq!((&payload["agent"]["id"], &payload["presence"]["status"]), (&person.agent, &json!("IN_MEETING")));
    let after = person.presence().await;
    assert_eq!((&after["status"], &after["acceptingLeads"]), (&json!("IN_MEETING"), &json!(false)));

    let user = tenant.invite(json!({ "permissions": ["agent:read:ALL"] })).await;
    let nobody = tenant.admit(&user["email"]).await;
    for (mutation, input) in [("presenceUpdate", json!({ "status": "AVAILABLE" })), ("presenceHeartbeat", json!({}))] {
        assert_eq!(refused(&nobody.api, mutation, input).await, error("agentId", "NOT_FOUND"), "{mutation}: who is no agent has no presence");
    }
    let answer = nobody.api.ask("query($id: ID!) { agent(id: $id) { name presence { status } } }", json!({ "id": person.agent })).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"], "to see who works here is not to see what they do");
}

/// Agents who can be given work, in their order.
async fn available(api: &Api, arguments: &str) -> Vec<String> {
    let data = api.data(&format!("{{ availableAgents{arguments} {{ id }} }}"), json!({})).await;
    data["availableAgents"].as_array().unwrap().iter().map(|agent| text(&agent["id"])).collect()
}

/// Agents by a filter of the list.
async fn listed(api: &Api, filter: &str) -> BTreeSet<String> {
    let data = api.data(&format!("{{ agents(first: 100, {filter}) {{ nodes {{ id }} }} }}"), json!({})).await;
    data["agents"]["nodes"].as_array().unwrap().iter().map(|agent| text(&agent["id"])).collect()
}

fn agents<'a>(people: impl IntoIterator<Item = &'a Person>) -> Vec<String> {
    people.into_iter().map(|person| text(&person.agent)).collect()
}

async fn eventually_available(api: &Api, arguments: &str, expected: Vec<String>) {
    let is_so = async || (available(api, arguments).await == expected).then_some(());
    eventually(&format!("availableAgents{arguments} gives {expected:?}"), LISTED, is_so).await;
}

/// The milliseconds of a day at which a time of it lies; its end is a time of the next day.
fn millis(day: &str, time: &Value) -> i64 {
    let time = time.as_str().unwrap();
    let part = |from: usize, to: usize| time[from..to].parse::<i64>().unwrap();
    let of_day = ((part(11, 13) * 60 + part(14, 16)) * 60 + part(17, 19)) * 1_000 + part(20, 23);
    if time.starts_with(day) { of_day } else { of_day + 86_400_000 }
}

/// How somebody spent a day, from when they were first there: status and reason of each time, one after the other. The sums are those of the times.
async fn spent(api: &Api, agent: &Value, day: &str) -> (Vec<(String, Value)>, Value) {
    let query = "query($id: ID!, $day: Date!) { agentTimeline(agentId: $id, date: $day) {
        date agent { id } calls totals { status seconds } segments { status breakReason from to } } }";
    let mut timeline = api.data(query, json!({ "id": agent, "day": day })).await["agentTimeline"].take();
    assert_eq!((&timeline["date"], &timeline["agent"]["id"]), (&json!(day), agent));
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    let segments = timeline["segments"].as_array().unwrap();
    assert!(segments.windows(2).all(|pair| pair[0]["to"].as_str() <= pair[1]["from"].as_str()), "one after the other: {timeline}");
    for segment in segments {
        let length = millis(day, &segment["to"]) - millis(day, &segment["from"]);
        assert!(length >= 0, "{segment}");
        *sums.entry(text(&segment["status"])).or_default() += length;
    }
    for total in timeline["totals"].as_array().unwrap() {
        let sum = sums.remove(total["status"].as_str().unwrap()).unwrap_or_default();
        let difference = total["seconds"].as_i64().unwrap() * 1_000 - sum;
        assert!(difference.abs() <= 1_000 * i64::try_from(segments.len()).unwrap(), "{total} of {timeline}");
    }
    assert!(sums.values().all(|sum| *sum < 1_000), "every status has its sum: {timeline}");
    let spent = segments.iter().map(|segment| (text(&segment["status"]), segment["breakReason"].clone()));
    (spent.skip_while(|(status, _)| status == "OFFLINE").collect(), timeline["calls"].take())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_idle_come_first_who_is_silent_is_offline_and_the_day_tells_of_both() {
    // There the clock shows UTC all year, so that a day of the tenant is one of the times in answers.
    let tenant = Tenant::with(&["--time-zone", "Africa/Abidjan"]).await;
    let api = &tenant.api;
    done(api, "tenantUpdate", json!({ "expectedVersion": 1, "heartbeatTimeoutSeconds": 15 })).await;
    // Until then a process may go by the time it was before.
    let known = Instant::now() + HALF_A_MINUTE + BEAT;
    let team = tenant.team().await["id"].take();
    let never = tenant.appoint(json!({})).await["id"].take();
    let mut people = Vec::new();
    for teams in [json!([team]), json!([team]), json!([]), json!([])] {
        let agent = tenant.appoint(json!({ "teamIds": teams })).await;
        people.push(tenant.admit(&agent["email"]).await);
    }
    let [a, b, c, d] = &people[..] else { panic!("not four people") };
    for person in [b, a, c, d] {
        set(person, json!({ "status": "AVAILABLE" })).await;
    }
    eventually_available(api, "", agents([b, a, c, d])).await;
    eventually_available(api, &format!("(teamId: {team})"), agents([b, a])).await;
    eventually_available(api, "(first: 1)", agents([b])).await;
    let day = seen(api, &a.agent).await["since"].as_str().unwrap()[..10].to_owned();
    set(d, json!({ "acceptingLeads": false })).await;
    set(c, json!({ "status": "ON_BREAK", "breakReason": "Lunch" })).await;
    eventually_available(api, "", agents([b, a])).await;
    set(c, json!({ "status": "AVAILABLE" })).await;
    for person in &people {
        beat(person, json!({ "deviceId": "desk", "onCall": false })).await;
    }
    eventually_available(api, "", agents([b, a, c])).await;
    let everyone: BTreeSet<String> = agents(&people).into_iter().collect();
    assert_eq!(listed(api, "presence: [AVAILABLE]").await, everyone);
    assert_eq!(listed(api, "presence: [AVAILABLE, BUSY], acceptingLeads: true").await, agents([a, b, c]).into_iter().collect());
    let offline = listed(api, "presence: [OFFLINE]").await;
    assert!(offline.contains(&text(&never)) && offline.is_disjoint(&everyone), "{offline:?}");
    let calling = beat(c, json!({ "deviceId": "desk", "onCall": true })).await;
    assert_eq!(calling["onCall"], true);
    for person in &people {
        beat(person, json!({ "deviceId": "desk", "onCall": false })).await;
    }

    // Two go on, two fall silent.
    let (silence, before) = (Instant::now(), seen(api, &b.agent).await);
    loop {
        for person in [a, c] {
            beat(person, json!({})).await;
        }
        let (available, offline) = (available(api, "").await, listed(api, "presence: [OFFLINE]").await);
        let gone = seen(api, &b.agent).await["status"] == "OFFLINE" && agents([b, d]).iter().all(|id| offline.contains(id));
        if Instant::now() > known && available == agents([a, c]) && gone {
            break;
        }
        assert!(silence.elapsed() < Duration::from_secs(55), "silent agents are not left out: {available:?} and {offline:?}");
        sleep(BEAT).await;
    }
    let back = beat(b, json!({})).await;
    assert_eq!(back["status"], "AVAILABLE");
    assert!(back["since"].as_str() > before["since"].as_str(), "idle since they came back: {back}");
    eventually_available(api, "", agents([a, c, b])).await;

    let of = |statuses: &[(&str, Value)]| statuses.iter().map(|(status, reason)| ((*status).to_owned(), reason.clone())).collect::<Vec<_>>();
    let (lunch, calls) = spent(api, &c.agent, &day).await;
    assert_eq!((&lunch[..2], calls), (&of(&[("AVAILABLE", Value::Null), ("ON_BREAK", json!("Lunch"))])[..], json!(1)));
    let (silent, calls) = spent(api, &b.agent, &day).await;
    assert_eq!((&silent[..2], calls), (&of(&[("AVAILABLE", Value::Null), ("OFFLINE", Value::Null)])[..], json!(0)));
    assert_eq!(spent(&b.api, &b.agent, &day).await.0[..2], silent[..2], "one's own day one sees oneself");
    let query = "query($id: ID!, $day: Date!) { agentTimeline(agentId: $id, date: $day) { calls } }";
    let absent = json!(data_encoding::BASE64URL_NOPAD.encode(b"agent:00000000000000000000000000"));
    for id in [&a.agent, &absent] {
        assert_eq!(b.api.data(query, json!({ "id": id, "day": day })).await, json!({ "agentTimeline": null }), "and nobody else's");
    }
    assert_eq!(api.data(query, json!({ "id": b.agent, "day": "2020-02-29" })).await, json!({ "agentTimeline": { "calls": 0 } }));
    assert_eq!(api.refusal(query, json!({ "id": b.agent, "day": "2021-02-29" })).await, "BAD_REQUEST");
}
