//! Scores from outside: there from a contact's creation, right within seconds of a change and within minutes of a moment, by the model that a person activated, and in the
//! order of lists.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::stack::api::{Api, created, inside, tenant_of};
use crate::stack::contacts::{LISTED, contact, ids_of, imported, new_contact, status_id, text};
use crate::stack::drops::{csv, dropped};
use crate::stack::emulator::messages_in;
use crate::stack::fresh;
use crate::stack::history::{caught_up, history};
use crate::stack::jobs::{completed, counts, ended, outcomes};
use crate::stack::mutations::{changed, done, error, refusal, refused, with_fragments};
use crate::stack::scores::{SCORED, assert_adds_up, component, replaced, score, score_of_value, score_that};
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;
use crate::stack::{Stack, setting};

/// What time changes is asked for each minute, half a minute late, and beside other tests somewhat later.
const SWEPT: Duration = Duration::from_secs(240);
/// Changes of a burst.
const BURST: u64 = 50;
/// Within so many milliseconds all changes of a contact are one look at it.
const WINDOW_MILLIS: u128 = 1_500;
/// A burst's last look is over by then.
const SETTLED: Duration = Duration::from_secs(6);
/// How long a message that failed is held back while the tries of one are looked at, in seconds; else it is minutes.
const HELD_BACK: &str = "5";
/// Five tries take less.
const SET_ASIDE: Duration = Duration::from_secs(180);
/// Contacts that a model is learned from.
const EXAMPLES: u64 = 600;
/// Learning from some hundred contacts takes a second; a worker has to wake up for it.
const LEARNED: Duration = Duration::from_secs(180);

/// The time so many seconds from now, by the clock of the API.
async fn in_seconds(api: &Api, seconds: i64) -> String {
    let now = created(api, json!({ "phone": fresh::number().e164() })).await["createdAt"].take();
    let now = DateTime::from_str(&text(&now), DateTimeFormat::DateTime).unwrap();
    DateTime::from_secs(now.secs() + seconds).fmt(DateTimeFormat::DateTime).unwrap()
}

/// The time so many days from now.
async fn in_days(api: &Api, days: i64) -> String {
    in_seconds(api, days * 24 * 60 * 60).await
}

/// The contacts of a list, by pages, each with what its score's value tells.
async fn listed(api: &Api, list: &str, first: usize) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let query = format!("query($first: Int, $after: String) {{ page: {list} {{ nodes {{ id score {{ value category }} }} pageInfo {{ hasNextPage endCursor }} }} }}");
        let mut page = api.data(&query, json!({ "first": first, "after": after })).await["page"].take();
        let Value::Array(nodes) = page["nodes"].take() else { panic!("no contacts: {page}") };
        assert!(nodes.len() <= first && nodes.iter().all(|node| node["score"]["value"].is_u64()), "{nodes:?}");
        all.extend(nodes);
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
    }
}

/// The ids of the contacts of a list, in its order.
async fn ordered(api: &Api, list: &str, first: usize) -> Vec<String> {
    listed(api, list, first).await.iter().map(|contact| text(&contact["id"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_has_its_first_score_from_the_write_that_creates_it_and_it_says_why() {
    let (stack, api) = Stack::as_admin().await;
    let query = with_fragments(
        "mutation($input: ContactCreateInput!) { contactCreate(input: $input) { contact { id version score { ...score } scoreHistory { nodes { value } } } userErrors { code } } }",
    );
    let input = json!({ "phone": fresh::number().e164(), "email": "zoe@example.com", "source": "Direct Website", "nextContactAt": in_days(&api, 3).await });
    let payload = api.data(&query, json!({ "input": input })).await["contactCreate"].take();
    let (first, id) = (&payload["contact"]["score"], &payload["contact"]["id"]);
    assert_adds_up(first);
    for (factor, points, maximum, says) in [
        ("source", 25.0, 25.0, "direct_website"),
        ("engagement", 25.0, 25.0, "email"),
        ("conversion", 20.0, 30.0, "next contact"),
        ("urgency", 20.0, 20.0, "within 7 days"),
    ] {
        let component = component(first, factor);
        assert_eq!((&component["points"], &component["max"]), (&json!(points), &json!(maximum)), "{component}");
        assert!(component["reason"].as_str().unwrap().contains(says), "{component}");
    }
    assert_eq!((&first["value"], &first["category"], &first["modelVersion"]), (&json!(90), &json!("HOT"), &json!("standard@1")));
    assert!(first["reason"].as_str().unwrap().contains("direct_website") && first["previousValue"].is_null(), "{first}");
    assert_eq!(payload["contact"]["scoreHistory"]["nodes"], json!([]), "a first score replaces none");
    // Whoever follows changes finds nothing to do.
    sleep(SETTLED).await;
    assert_eq!(score(&api, id).await, *first);

    let (_, source) = imported(&stack, &api, &fresh::numbers(30)).await;
    let list = format!("contacts(first: $first, after: $after, filter: {{ source: \"{source}\" }})");
    let imported = eventually("all imported contacts are listed", LISTED, async || Some(listed(&api, &list, 100).await).filter(|contacts| contacts.len() == 30)).await;
    // An unknown source 10, a number 12.5, nothing agreed 10 and 10.
    assert!(imported.iter().all(|contact| contact["score"] == json!({ "value": 43, "category": "COLD" })), "{imported:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_looks_at_changes_the_score_within_seconds_and_the_scores_before_are_kept() {
    let (_, api) = Stack::as_admin().await;
    let id = created(&api, json!({ "phone": fresh::number().e164(), "source": "direct_website" })).await["id"].take();
    assert_eq!(score(&api, &id).await["value"], 58);
    changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 1, "source": "Cold call" })).await;
    let colder = score_of_value(&api, &id, 48).await;
    assert_eq!((&colder["previousValue"], &colder["change"], &colder["category"]), (&json!(58), &json!(-10), &json!("COLD")));
    assert!(component(&colder, "source")["reason"].as_str().unwrap().contains("cold_call"), "{colder}");
    changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 2, "nextContactAt": in_days(&api, 20).await })).await;
    let warmer = score_of_value(&api, &id, 63).await;
    assert!(component(&warmer, "urgency")["reason"].as_str().unwrap().contains("within 30 days"), "{warmer}");
    changed(&api, "contactSetStatus", json!({ "id": id, "statusId": status_id(&api, "converted").await })).await;
    let won = score_of_value(&api, &id, 73).await;
    // What no factor looks at changes nothing.
    changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 4, "name": fresh::word("Name") })).await;
    sleep(SETTLED).await;
    assert_eq!(score(&api, &id).await, won);

    for first in [1, 2, 100] {
        let before = replaced(&api, &id, first).await;
        assert_eq!(before.iter().map(|score| score["value"].as_u64().unwrap()).collect::<Vec<_>>(), [63, 48, 58], "newest first, by pages of {first}");
        let replaced_at: Vec<&Value> = before.iter().map(|score| &score["replacedAt"]).collect();
        assert_eq!(replaced_at, [&won["calculatedAt"], &warmer["calculatedAt"], &colder["calculatedAt"]]);
        assert_eq!((&before[1]["reason"], &before[1]["modelVersion"]), (&colder["reason"], &json!("standard@1")));
    }
    caught_up(&api).await;
    assert_eq!(contact(&api, &id).await["version"], 5, "scores are no change that people made");
    assert_eq!(history(&api, &id).await.len(), 5, "nor are they in the audit trail");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_changes_fifty_times_in_a_burst_is_scored_few_times_and_ends_right() {
    let (_, api) = Stack::as_admin().await;
    let id = created(&api, json!({ "phone": fresh::number().e164() })).await["id"].take();
    let begun = Instant::now();
    let sources = ["cold_call", "referral"].iter().cycle().take(usize::try_from(BURST).unwrap() - 1).chain(["direct_website"].iter());
    for (version, source) in (1..=BURST).zip(sources) {
        changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": version, "source": source })).await;
    }
    score_of_value(&api, &id, 58).await;
    let windows = usize::try_from(begun.elapsed().as_millis() / WINDOW_MILLIS).unwrap() + 2;
    sleep(SETTLED).await;
    assert_eq!(score(&api, &id).await["value"], 58, "nothing older comes after it");
    let before = replaced(&api, &id, 100).await;
    assert!(!before.is_empty() && before.len() <= windows, "{} rescorings in {windows} windows", before.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_contact_whose_time_comes_is_overdue_in_the_score_without_anybody_changing_it() {
    let (_, api) = Stack::as_admin().await;
    let id = created(&api, json!({ "phone": fresh::number().e164(), "nextContactAt": in_seconds(&api, 15).await })).await["id"].take();
    let before = score(&api, &id).await;
    assert!(component(&before, "urgency")["reason"].as_str().unwrap().contains("within 7 days"), "{before}");
    let after = eventually(&format!("{id} is overdue"), SWEPT, async || {
        let score = score(&api, &id).await;
        component(&score, "urgency")["reason"].as_str().unwrap().contains("overdue").then_some(score)
    })
    .await;
    assert_eq!((&after["value"], &after["change"]), (&before["value"], &json!(0)), "another reason, and as many points");
    assert_eq!(replaced(&api, &id, 10).await.len(), 1);
    assert_eq!(contact(&api, &id).await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_scored_at_once_when_somebody_asks_for_it() {
    let (_, api) = Stack::as_admin().await;
    let id = created(&api, json!({ "phone": fresh::number().e164(), "source": "cold_call" })).await["id"].take();
    changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 1, "source": "referral" })).await;
    let now = done(&api, "scoreRecalculate", json!({ "contactId": id })).await["contact"].take();
    assert_eq!((&now["version"], &now["score"]["value"], &now["score"]["previousValue"]), (&json!(2), &json!(57), &json!(48)), "{now}");
    assert_adds_up(&now["score"]);
    let again = done(&api, "scoreRecalculate", json!({ "contactId": id })).await["contact"].take();
    assert_eq!(again, now, "it says the same, so nothing is written");
    sleep(SETTLED).await;
    assert_eq!(score(&api, &id).await, now["score"], "nor by who follows changes");

    changed(&api, "contactDelete", json!({ "id": id, "expectedVersion": 2 })).await;
    assert_eq!(refused(&api, "scoreRecalculate", json!({ "contactId": id })).await, error("contactId", "FORBIDDEN_TRANSITION"));
    assert_eq!(refusal(&api, "scoreRecalculate", json!({ "contactId": "nonsense" })).await, "NOT_FOUND");
}

/// The models of a tenant, by their names.
async fn models(api: &Api) -> Vec<Value> {
    let data = api.data(&with_fragments("{ scoringModels { ...scoringModel } }"), json!({})).await;
    data["scoringModels"].as_array().unwrap_or_else(|| panic!("no models: {data}")).clone()
}

/// What a model would give contacts.
async fn preview(api: &Api, input: &Value) -> Value {
    let query = "query($input: ScoringModelPreviewInput!) { scoringModelPreview(input: $input) {
        contacts { contact { id } valueNow categoryNow valueThen categoryThen reasonThen } moves { from to count } userErrors { field code message } } }";
    api.data(query, json!({ "input": input })).await["scoringModelPreview"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_copied_tried_out_and_activated_and_then_all_contacts_are_scored_by_that_version() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let presets = models(api).await;
    assert_eq!(
        presets.iter().map(|model| (&model["name"], &model["preset"])).collect::<Vec<_>>(),
        [(&json!("standard"), &json!(true)), (&json!("pipeline"), &json!(true))]
    );
    assert_eq!((&presets[0]["activeVersion"], &presets[1]["active"]), (&json!(1), &json!(false)));
    let (standard, pipeline) = (&presets[0]["id"], &presets[1]["id"]);
    let mut contacts = Vec::new();
    for source in ["referral", "import"] {
        contacts.push(created(api, json!({ "phone": fresh::number().e164(), "source": source })).await["id"].take());
    }

    assert_eq!(refused(api, "scoringModelUpdate", json!({ "id": pipeline, "expectedVersion": 1, "name": "Ours" })).await, error("id", "NOT_ALLOWED"));
    let name = fresh::word("Ours");
    let model = done(api, "scoringModelCreate", json!({ "name": name, "copyOf": pipeline })).await["scoringModel"].take();
    let (id, named) = (&model["id"], |version: u32| json!(format!("{name}@{version}")));
    assert_eq!((&model["preset"], &model["active"], &model["version"], &model["factors"]), (&json!(false), &json!(false), &json!(1), &presets[1]["factors"]));
    assert_eq!(refused(api, "scoringModelCreate", json!({ "name": name.to_uppercase(), "copyOf": standard })).await, error("name", "TAKEN"));

    let tried = preview(api, &json!({ "of": { "modelId": id }, "contactIds": contacts })).await;
    let told = tried["contacts"].as_array().unwrap();
    assert_eq!(told.iter().map(|told| (&told["contact"]["id"], &told["valueNow"])).collect::<Vec<_>>(), [(&contacts[0], &json!(57)), (&contacts[1], &json!(43))]);
    let moved: u64 = tried["moves"].as_array().unwrap().iter().map(|moved| moved["count"].as_u64().unwrap()).sum();
    assert_eq!((moved, &tried["userErrors"]), (2, &json!([])));
    assert!(told[0]["valueThen"].as_u64() > told[1]["valueThen"].as_u64(), "a referral comes before an import: {tried}");
    assert_eq!(score(api, &contacts[0]).await["modelVersion"], "standard@1", "nothing was written");

    let activated = done(api, "scoringModelActivate", json!({ "id": id, "expectedVersion": 1 })).await;
    assert_eq!((&activated["wasActive"], &activated["scoringModel"]["activeVersion"], &activated["job"]["action"]), (&json!(false), &json!(1), &json!("RESCORE")));
    let job = ended(api, &activated["job"]["id"]).await;
    assert_eq!((&job["status"], counts(&job)), (&json!("COMPLETED"), [2, 0, 0]), "{job}");
    for (contact, told) in contacts.iter().zip(told) {
        let now = score(api, contact).await;
        assert_eq!((&now["modelVersion"], &now["value"], &now["category"]), (&named(1), &told["valueThen"], &told["categoryThen"]), "{now}");
        let before = replaced(api, contact, 10).await;
        assert_eq!(before.iter().map(|score| &score["modelVersion"]).collect::<Vec<_>>(), [&json!("standard@1")]);
    }
    let new = created(api, json!({ "phone": fresh::number().e164() })).await["id"].take();
    assert_eq!(score_that(api, &new, "is by the new model", |score| score["modelVersion"] == named(1)).await["components"].as_array().unwrap().len(), 4);
    let again = done(api, "scoringModelActivate", json!({ "id": id })).await;
    assert_eq!((&again["wasActive"], &again["job"]), (&json!(true), &json!(null)));

    let renamed = done(api, "scoringModelUpdate", json!({ "id": id, "expectedVersion": 1, "name": fresh::word("Ours") })).await["scoringModel"].take();
    assert_eq!((&renamed["version"], &renamed["activeVersion"]), (&json!(2), &json!(1)), "the version in force is the one that was activated");
    assert_eq!(score(api, &contacts[0]).await["modelVersion"], named(1));
    assert_eq!(refused(api, "scoringModelDelete", json!({ "id": id, "expectedVersion": 2 })).await, error("id", "IN_USE"));
    done(api, "scoringModelActivate", json!({ "id": standard })).await;
    done(api, "scoringModelDelete", json!({ "id": id, "expectedVersion": 2 })).await;
    assert_eq!(models(api).await.len(), 2);
    // Its version stays, so what it gave is explained for good.
    assert_adds_up(&score(api, &contacts[1]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_in_the_order_of_scores_and_of_priority_and_the_distribution_counts_them() {
    let tenant = Tenant::new().await;
    let (api, telephonist) = (&tenant.api, tenant.hire(&["telephonist"]).await);
    let mut contacts = Vec::new();
    for (source, email, next, assignee) in [
        ("cold_call", None, None, None),
        ("nowhere", None, None, None),
        ("direct_website", Some("a@example.com"), Some("2031-06-02T15:00:00Z"), None),
        ("nowhere", None, None, None),
        ("referral", None, None, Some(&telephonist.agent)),
        ("direct_website", Some("b@example.com"), None, None),
    ] {
        let input = json!({ "phone": fresh::number().e164(), "source": source, "email": email, "nextContactAt": next, "assigneeId": assignee });
        contacts.push(text(&created(api, input).await["id"]));
    }
    let [called, one, due, other, referred, best] = [0, 1, 2, 3, 4, 5].map(|index: usize| contacts[index].clone());
    let by_score = vec![due.clone(), best.clone(), referred.clone(), called.clone(), one.clone(), other.clone()];
    for first in [1, 2, 5, 100] {
        eventually(&format!("contacts are in the order of their scores, by pages of {first}"), LISTED, async || {
            let (top, sorted) = (
                ordered(api, "topContacts(first: $first, after: $after)", first).await,
                ordered(api, "contacts(first: $first, after: $after, sort: SCORE)", first).await,
            );
            (top == by_score && sorted == by_score).then_some(())
        })
        .await;
    }
    let warm = ordered(api, "topContacts(first: $first, after: $after, category: WARM)", 1).await;
    assert_eq!(warm, [best.clone(), referred.clone()]);
    let cold = ids_of(api, &json!({ "categories": ["COLD"] })).await;
    assert_eq!(cold, BTreeSet::from([called.clone(), one.clone(), other.clone()]));
    let hot_or_warm = ordered(api, "contacts(first: $first, after: $after, sort: SCORE, filter: { categories: [HOT, WARM] })", 2).await;
    assert_eq!(hot_or_warm, by_score[..3]);
    let mut priority = ordered(api, "contacts(first: $first, after: $after, sort: PRIORITY)", 4).await;
    // Two of one rank are in no order that anybody knows.
    priority[3..5].sort();
    let mut ties = [one, other];
    ties.sort();
    assert_eq!(priority, [&[best, referred.clone(), called][..], &ties[..], &[due][..]].concat(), "who is due later comes after who is ready");
    for list in ["topContacts(first: $first, after: $after)", "contacts(first: $first, after: $after, sort: PRIORITY)"] {
        assert_eq!(ordered(&telephonist.api, list, 10).await, std::slice::from_ref(&referred), "a telephonist has their own alone: {list}");
    }

    let distribution = api.data("{ scoreDistribution { total categories { category count } bands { from to count } } }", json!({})).await["scoreDistribution"].take();
    let count = |category: &str, count: u64| json!({ "category": category, "count": count });
    assert_eq!((&distribution["total"], &distribution["categories"]), (&json!(6), &json!([count("HOT", 1), count("WARM", 2), count("COLD", 3), count("NURTURE", 0)])));
    let bands = distribution["bands"].as_array().unwrap();
    let filled: Vec<(u64, u64)> = bands.iter().map(|band| (band["from"].as_u64().unwrap(), band["count"].as_u64().unwrap())).filter(|(_, count)| *count > 0).collect();
    assert_eq!((bands.len(), &bands[19]["to"], filled), (20, &json!(100), vec![(40, 2), (45, 1), (55, 1), (70, 1), (80, 1)]));
    for query in ["{ scoreDistribution { total } }", "{ scoringModels { id } }", "{ scoringTrainings { nodes { id } } }"] {
        assert_eq!(telephonist.api.refusal(query, json!({})).await, "FORBIDDEN", "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_of_a_filter_are_scored_anew_by_a_job_which_leaves_alone_what_is_right() {
    let (_, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let mut contacts = Vec::new();
    for _ in 0..3 {
        contacts.push(new_contact(&api, json!({ "source": source })).await["id"].take());
    }
    eventually("the contacts are listed", LISTED, async || (ids_of(&api, &json!({ "source": source })).await.len() == 3).then_some(())).await;
    let before = score(&api, &contacts[0]).await;
    let job = completed(&api, json!({ "filter": { "source": source }, "action": "RESCORE" })).await;
    assert_eq!((&job["action"], counts(&job)), (&json!("RESCORE"), [0, 3, 0]), "{job}");
    let told = outcomes(&api, &job["id"], 2).await;
    assert!(told.len() == 3 && told.iter().all(|told| told["outcome"] == "UNCHANGED"), "{told:?}");
    assert_eq!((score(&api, &contacts[0]).await, &contact(&api, &contacts[0]).await["version"]), (before, &json!(1)));
    let deleted = refused(&api, "contactBulk", json!({ "filter": { "source": source, "includeDeleted": true }, "action": "RESCORE" })).await;
    assert_eq!(deleted, error("filter/includeDeleted", "INVALID"));
}

/// Asks for a contact to be scored, in the form that the functions send each other; the id of the message.
async fn ask_for_score(stack: &Stack, body: String) -> String {
    let request = stack.sqs().send_message().queue_url(setting("SCORE_QUEUE_URL")).message_body(body);
    request.message_group_id(fresh::word("group")).message_deduplication_id(fresh::word("message")).send().await.unwrap().message_id.unwrap()
}

/// The lines of the log of `score` for which something holds.
fn logged(is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
    let log = std::path::Path::new(&setting("SWITCHBOARD_LOG_DIR")).join(format!("{}-score.log", setting("STACK_NAME")));
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter(is_it).collect()
}

/// How long the queue holds back a message that failed, from now on, in seconds.
async fn hold_back(stack: &Stack, seconds: &str) {
    let request = stack.sqs().set_queue_attributes().queue_url(setting("SCORE_QUEUE_URL"));
    request.attributes(QueueAttributeName::VisibilityTimeout, seconds).send().await.unwrap();
}

/// Waits until a message was set aside.
async fn set_aside(stack: &Stack, id: &str) {
    eventually(&format!("message {id} is set aside"), SET_ASIDE, async || {
        messages_in(stack, "SCORE_DEAD_LETTER_QUEUE_URL").await.iter().any(|message| message["MessageId"] == id).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_can_handle_is_set_aside_alone_with_its_reason_while_others_go_on() {
    let (stack, api) = Stack::as_admin().await;
    let tenant = tenant_of(&api).await;
    let id = created(&api, json!({ "phone": fresh::number().e164(), "source": "cold_call" })).await["id"].take();
    let gone = new_contact(&api, json!({})).await["id"].take();
    changed(&api, "contactDelete", json!({ "id": gone, "expectedVersion": 1 })).await;
    let slot = inside(&id).1;
    let request = stack.sqs().get_queue_attributes().queue_url(setting("SCORE_QUEUE_URL")).attribute_names(QueueAttributeName::VisibilityTimeout);
    let usual = request.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::VisibilityTimeout].clone();

    // Others' messages may come twice meanwhile, which does no harm.
    hold_back(&stack, HELD_BACK).await;
    let (of_deleted, of_nobody) = (inside(&gone).1, "0".repeat(slot.len()));
    let nonsense = ask_for_score(&stack, "no JSON".to_owned()).await;
    let nobodys = ask_for_score(&stack, json!({ "tenant": "00000000000000000000000000", "contact": slot }).to_string()).await;
    let nothing = ask_for_score(&stack, json!({ "tenant": tenant, "contact": of_nobody }).to_string()).await;
    let deleted = ask_for_score(&stack, json!({ "tenant": tenant, "contact": of_deleted }).to_string()).await;
    changed(&api, "contactUpdate", json!({ "id": id, "expectedVersion": 1, "source": "referral" })).await;
    score_of_value(&api, &id, 57).await;
    for message in [&nonsense, &nobodys] {
        set_aside(&stack, message).await;
    }
    hold_back(&stack, &usual).await;

    for (message, reason) in [(&nonsense, "does not name a contact"), (&nobodys, "no tenant there is")] {
        let lines = logged(|line| line["message.id"] == **message && line["level"] == "ERROR");
        assert!(lines.len() >= 5 && lines.iter().all(|line| line["reason"].as_str().unwrap().contains(reason)), "{lines:?}");
    }
    for (contact, reason) in [(&of_nobody, "no such contact"), (&of_deleted, "deleted")] {
        let line = eventually(&format!("the log says why {contact} is not scored"), SCORED, async || logged(|line| line["contact.id"] == **contact).pop()).await;
        assert!(line["outcome"].as_str().unwrap().contains(reason), "{line}");
    }
    let aside = messages_in(&stack, "SCORE_DEAD_LETTER_QUEUE_URL").await;
    assert!(aside.iter().all(|message| message["MessageId"] != nothing && message["MessageId"] != deleted), "what names no live contact is done with: {aside:?}");
}

/// A training once it has ended.
async fn trained(api: &Api, id: &Value) -> Value {
    let query = with_fragments("query($id: ID!) { scoringTraining(id: $id) { ...training } }");
    eventually(&format!("training {id} has ended"), LEARNED, async || {
        let training = api.data(&query, json!({ "id": id })).await["scoringTraining"].take();
        ["COMPLETED", "FAILED"].contains(&training["status"].as_str().unwrap()).then_some(training)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_learned_from_what_became_of_contacts_and_scores_nobody_by_itself() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let refusal = refused(api, "scoringModelTrain", json!({ "name": "Learned", "attributes": ["visits", "Lead Quality"] })).await;
    assert_eq!(refusal, error("attributes/1", "NOT_ALLOWED"), "what is known only afterwards");
    let early = done(api, "scoringModelTrain", json!({ "name": "Too early", "outcomeAttribute": "bought" })).await["training"].take();
    let early = trained(api, &early["id"]).await;
    assert_eq!((&early["status"], &early["model"]), (&json!("FAILED"), &json!(null)));
    assert!(early["failureReason"].as_str().unwrap().starts_with("Only 0 contacts"), "{early}");

    // The more visits the more likely they buy, and nothing is certain.
    let bought = |index: u64| u64::from(index % 10 + (index / 10 * 7) % 10 >= 9);
    let rows: Vec<[String; 3]> =
        (0..).zip(fresh::numbers(EXAMPLES)).map(|(index, number)| [number.e164(), (index % 10).to_string(), bought(index).to_string()]).collect();
    let import = dropped(&tenant.stack, api, &tenant.slug, &format!("{}.csv", fresh::word("outcomes")), csv("phone,visits,bought", &rows)).await;
    assert_eq!(import.counts().created, EXAMPLES, "{import:?}");
    let name = fresh::word("Learned");
    let asked = done(api, "scoringModelTrain", json!({ "name": name, "outcomeAttribute": "bought" })).await["training"].take();
    let training = trained(api, &asked["id"]).await;
    assert_eq!((&training["status"], &training["examples"], &training["failureReason"]), (&json!("COMPLETED"), &json!(EXAMPLES), &json!(null)), "{training}");

    let query = with_fragments("query($id: ID!) { node(id: $id) { ...scoringModel ... on ScoringModel { auditEvents { nodes { action } } } } }");
    let model = eventually("the model is on record", LISTED, async || {
        let model = api.data(&query, json!({ "id": training["model"]["id"] })).await["node"].take();
        (model["auditEvents"]["nodes"] == json!([{ "action": "scoring_model.trained" }])).then_some(model)
    })
    .await;
    assert_eq!((&model["name"], &model["active"], &model["training"]["outcome"]), (&json!(name), &json!(false), &json!("bought")));
    assert!(model["training"]["areaUnderCurve"].as_f64().unwrap() > 0.7, "{model}");
    let factors = model["factors"].as_array().unwrap();
    let maxima: f64 = factors.iter().map(|factor| factor["maximum"].as_f64().unwrap()).sum();
    assert!((maxima - 100.0).abs() < 1e-6 && factors.iter().all(|factor| factor["name"] != "bought"), "{factors:?}");
    let tried = preview(api, &json!({ "of": { "modelId": model["id"] }, "sample": 50 })).await;
    let told = tried["contacts"].as_array().unwrap();
    assert!(told.len() == 50 && told.iter().all(|told| told["reasonThen"].as_str().is_some_and(|reason| !reason.is_empty())), "{tried}");
    assert!(models(api).await.iter().any(|model| model["name"] == "standard" && model["active"] == true), "a person activates it, or nobody");
}
