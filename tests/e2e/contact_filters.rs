//! Lists of contacts, narrowed and sorted: every filter lets through what it says, and paging gives each contact once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::Api;
use crate::stack::contacts::{agent_of, eventually_lists, ids, ids_of, imported, new_contact, some_team, status_id, text, walk};
use crate::stack::fresh;
use crate::stack::mutations::changed;

const PAGE: &str = "query($first: Int, $after: String, $filter: ContactFilter) { contacts(first: $first, after: $after, filter: $filter) {
    nodes { id } pageInfo { hasNextPage endCursor } } }";

/// Contacts of one source, in the order in which they were made.
async fn contacts_of(api: &Api, source: &str, inputs: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut contacts = Vec::new();
    for mut input in inputs {
        input["source"] = json!(source);
        contacts.push(new_contact(api, input).await);
    }
    contacts
}

/// That a filter, within a source, lets through exactly these.
async fn assert_lists(api: &Api, source: &str, mut filter: Value, expected: &[&Value]) {
    filter["source"] = json!(source);
    eventually_lists(api, &filter, &ids(expected.iter().copied())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_1_to_100_entries_whatever_the_filter() {
    let (_, api) = Stack::as_admin().await;
    for filter in [json!(null), json!({ "source": "nowhere" }), json!({ "search": "Zoé" }), json!({ "assigneeIds": [agent_of(&api).await] })] {
        for first in [0, 101, -1] {
            assert_eq!(api.refusal(PAGE, json!({ "first": first, "filter": filter })).await, "LIMIT_EXCEEDED", "{first} {filter}");
        }
        for first in [1, 100] {
            api.data(PAGE, json!({ "first": first, "filter": filter })).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_something_else_and_too_many_ids_are_bad_requests_and_one_of_nothing_finds_nothing() {
    let (_, api) = Stack::as_admin().await;
    let (status, agent) = (status_id(&api, "new").await, agent_of(&api).await);
    let many: Vec<&Value> = vec![&status; 51];
    for filter in [
        json!({ "statusIds": ["nonsense"] }),
        json!({ "statusIds": [agent] }),
        json!({ "statusIds": many }),
        json!({ "assigneeIds": [status] }),
        json!({ "importId": "nonsense" }),
        json!({ "importId": agent }),
        json!({ "nonsense": true }),
        json!({ "createdFrom": "yesterday" }),
        json!({ "assigned": "yes" }),
    ] {
        assert_eq!(api.refusal(PAGE, json!({ "filter": filter })).await, "BAD_REQUEST", "{filter}");
    }
    let absent = |kind: &str| json!(data_encoding::BASE64URL_NOPAD.encode(format!("{kind}:00000000000000000000000000").as_bytes()));
    for filter in [
        json!({ "statusIds": [absent("contact_status")] }),
        json!({ "assigneeIds": [absent("agent")] }),
        json!({ "importId": absent("import") }),
        json!({ "source": fresh::word("nowhere") }),
        json!({ "createdFrom": "2027-01-02T00:00:00Z", "createdTo": "2027-01-01T00:00:00Z" }),
    ] {
        assert_eq!(ids_of(&api, &filter).await, BTreeSet::new(), "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_lets_through_what_it_says_and_all_together_what_all_of_them_say() {
    let (stack, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let other = agent_of(&stack.sign_in("telephonist@demo.test").await).await;
    let (mine, team) = (agent_of(&api).await, some_team(&api).await["id"].take());
    let [fresh_one, interested, converted] = [status_id(&api, "new").await, status_id(&api, "interested").await, status_id(&api, "converted").await];
    let contacts = contacts_of(
        &api,
        &source,
        [
            json!({ "assigneeId": mine }),
            json!({ "statusId": interested, "assigneeId": other }),
            json!({ "statusId": interested }),
            json!({ "statusId": converted, "assigneeId": mine }),
            json!({ "statusId": converted, "teamId": team }),
        ],
    )
    .await;
    let [new_mine, interested_other, interested_free, converted_mine, converted_pool] = &contacts[..] else { panic!() };
    let all: Vec<&Value> = contacts.iter().collect();
    for (filter, expected) in [
        (json!({}), all.clone()),
        (json!({ "statusIds": [] }), all.clone()),
        (json!({ "statusIds": [interested] }), vec![interested_other, interested_free]),
        (json!({ "statusIds": [interested, fresh_one] }), vec![interested_other, interested_free, new_mine]),
        (json!({ "assigneeIds": [mine] }), vec![new_mine, converted_mine]),
        (json!({ "assigneeIds": [mine, other] }), vec![new_mine, converted_mine, interested_other]),
        (json!({ "assigned": true }), vec![new_mine, interested_other, converted_mine]),
        (json!({ "assigned": false }), vec![interested_free, converted_pool]),
        (json!({ "converted": true }), vec![converted_mine, converted_pool]),
        (json!({ "converted": false }), vec![new_mine, interested_other, interested_free]),
        (json!({ "converted": true, "assigned": false }), vec![converted_pool]),
        (
            json!({ "statusIds": [interested], "assigneeIds": [other], "converted": false, "assigned": true, "createdFrom": new_mine["createdAt"] }),
            vec![interested_other],
        ),
        (json!({ "statusIds": [interested], "assigneeIds": [mine] }), vec![]),
        (json!({ "assigned": false, "assigneeIds": [mine] }), vec![]),
    ] {
        assert_lists(&api, &source, filter, &expected).await;
    }
    assert_eq!(ids_of(&api, &json!({ "source": source.to_uppercase() })).await, BTreeSet::new(), "a source is taken as it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_creation_has_its_beginning_and_not_its_end() {
    let (_, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let contacts = contacts_of(&api, &source, vec![json!({}); 3]).await;
    let [first, second, third] = &contacts[..] else { panic!() };
    let at = |contact: &Value| contact["createdAt"].clone();
    for (filter, expected) in [
        (json!({ "createdFrom": at(second) }), vec![second, third]),
        (json!({ "createdTo": at(second) }), vec![first]),
        (json!({ "createdFrom": at(first), "createdTo": at(third) }), vec![first, second]),
        (json!({ "createdFrom": at(second), "createdTo": at(second) }), vec![]),
        (json!({ "createdFrom": "2020-01-01T00:00:00Z", "createdTo": "2099-01-01T00:00:00+05:00" }), vec![first, second, third]),
    ] {
        assert_lists(&api, &source, filter, &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_contacts_stand_in_their_place_when_they_are_asked_for() {
    let (_, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let contacts = contacts_of(&api, &source, vec![json!({}); 3]).await;
    changed(&api, "contactDelete", json!({ "id": contacts[1]["id"], "expectedVersion": 1 })).await;
    assert_lists(&api, &source, json!({ "includeDeleted": false }), &[&contacts[0], &contacts[2]]).await;
    assert_lists(&api, &source, json!({ "includeDeleted": true }), &[&contacts[0], &contacts[1], &contacts[2]]).await;
    let listed = walk(&api, &json!({ "source": source, "includeDeleted": true }), "OLDEST", 2).await;
    assert_eq!(listed.iter().map(|contact| &contact["id"]).collect::<Vec<_>>(), contacts.iter().map(|contact| &contact["id"]).collect::<Vec<_>>());
    assert_eq!(listed.iter().map(|contact| contact["deletedAt"].is_string()).collect::<Vec<_>>(), [false, true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_import_wrote_is_listed_by_the_import_page_by_page_each_once_in_both_orders() {
    let (stack, api) = Stack::as_admin().await;
    let (import, source) = imported(&stack, &api, &fresh::numbers(230)).await;
    let (by_source, by_import) = (json!({ "source": source }), json!({ "importId": import }));
    let expected = ids(&walk(&api, &by_source, "NEWEST", 100).await);
    assert_eq!(expected.len(), 230);
    eventually_lists(&api, &by_import, &expected).await;
    let mut orders = Vec::new();
    for (filter, sort, first) in [
        (&by_source, "NEWEST", 100),
        (&by_source, "NEWEST", 7),
        (&by_source, "OLDEST", 100),
        (&by_source, "OLDEST", 33),
        (&by_import, "NEWEST", 50),
        (&by_import, "OLDEST", 99),
    ] {
        let mut listed: Vec<String> = walk(&api, filter, sort, first).await.iter().map(|contact| text(&contact["id"])).collect();
        assert_eq!((listed.len(), listed.iter().cloned().collect::<BTreeSet<_>>() == expected), (230, true), "{sort} {first}: each comes once");
        if sort == "OLDEST" {
            listed.reverse();
        }
        orders.push(listed);
    }
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]), "it is one order, however it is walked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_thin_says_where_to_go_on_until_everything_was_looked_at() {
    let (_, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    // The demo data stands behind it, more than a page examines.
    let contact = new_contact(&api, json!({ "source": source })).await;
    for sort in ["NEWEST", "OLDEST"] {
        assert_eq!(ids(&walk(&api, &json!({ "source": source }), sort, 100).await), ids([&contact]), "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_its_filter_and_its_order() {
    let (_, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    contacts_of(&api, &source, vec![json!({}); 3]).await;
    let filter = json!({ "source": source });
    let page = api.data(PAGE, json!({ "first": 1, "filter": filter })).await["contacts"].take();
    let cursor = &page["pageInfo"]["endCursor"];
    assert!(cursor.is_string(), "{page}");
    let next = api.data(PAGE, json!({ "first": 1, "after": cursor, "filter": filter })).await["contacts"].take();
    assert_ne!(next["nodes"], page["nodes"]);
    for other in [
        json!(null),
        json!({}),
        json!({ "source": fresh::word("source") }),
        json!({ "source": source, "assigned": true }),
        json!({ "source": source, "includeDeleted": true }),
    ] {
        assert_eq!(api.refusal(PAGE, json!({ "first": 1, "after": cursor, "filter": other })).await, "BAD_CURSOR", "{other}");
    }
    let reversed = PAGE.replace("filter: $filter)", "filter: $filter, sort: OLDEST)");
    assert_eq!(api.refusal(&reversed, json!({ "first": 1, "after": cursor, "filter": filter })).await, "BAD_CURSOR");
    let unsorted = PAGE.replace("filter: $filter)", "filter: $filter, sort: SIDEWAYS)");
    assert_eq!(api.refusal(&unsorted, json!({ "first": 1 })).await, "BAD_REQUEST");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_stays_where_it_was_when_contacts_come_and_go() {
    let (_, api) = Stack::as_admin().await;
    let source = fresh::word("source");
    let contacts = contacts_of(&api, &source, vec![json!({}); 6]).await;
    let filter = json!({ "source": source });
    eventually_lists(&api, &filter, &ids(&contacts)).await;
    let page = api.data(PAGE, json!({ "first": 2, "filter": filter })).await["contacts"].take();
    assert_eq!(ids(page["nodes"].as_array().unwrap()), ids(&contacts[4..]), "newest first");
    // The entry at which the page ended goes, and one is added in front.
    changed(&api, "contactDelete", json!({ "id": contacts[4]["id"], "expectedVersion": 1 })).await;
    let added = contacts_of(&api, &source, [json!({})]).await;
    eventually_lists(&api, &filter, &ids(contacts.iter().filter(|contact| contact["id"] != contacts[4]["id"]).chain(&added))).await;
    let next = api.data(PAGE, json!({ "first": 100, "after": page["pageInfo"]["endCursor"], "filter": filter })).await["contacts"].take();
    assert_eq!(ids(next["nodes"].as_array().unwrap()), ids(&contacts[..4]));
}
