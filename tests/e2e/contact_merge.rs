//! Making one contact of two that are the same person, two of one again, and finding those that may be the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::{Api, create, user_errors};
use crate::stack::contacts::{LISTED, agent_of, contact, contact_with, eventually_lists, ids, new_contact, notes, status_id};
use crate::stack::fresh::{self, Number};
use crate::stack::history::{caught_up, history};
use crate::stack::mutations::{changed, document, done, error, refusal, refused};
use crate::stack::waiting::eventually;

/// Two contacts of one source.
struct Pair {
    source: String,
    numbers: [Number; 2],
    winner: Value,
    loser: Value,
}

async fn pair(api: &Api, winner: Value, loser: Value) -> Pair {
    let source = fresh::word("source");
    let numbers = [fresh::number(), fresh::number()];
    let [winner, loser] = [(winner, numbers[0]), (loser, numbers[1])].map(|(mut input, number)| {
        input["phone"] = json!(number.e164());
        input["source"] = json!(source);
        input
    });
    let (winner, loser) = (new_contact(api, winner).await, new_contact(api, loser).await);
    Pair { source, numbers, winner, loser }
}

impl Pair {
    fn merge(&self) -> Value {
        json!({ "winnerId": self.winner["id"], "loserId": self.loser["id"], "expectedVersion": 1, "loserExpectedVersion": 1 })
    }

    async fn assert_untouched(&self, api: &Api) {
        for before in [&self.winner, &self.loser] {
            assert_eq!(contact(api, &before["id"]).await, *before, "nothing is written");
        }
    }
}

/// The ids of those that may be the same as a contact, by the reason.
async fn duplicates(api: &Api, contact: &Value) -> Vec<(String, BTreeSet<String>)> {
    let query = "query($id: ID) { contactDuplicates(contactId: $id, first: 50) { nodes { reason contacts { id } } pageInfo { hasNextPage } } }";
    let data = api.data(query, json!({ "id": contact["id"] })).await;
    let groups = data["contactDuplicates"]["nodes"].as_array().unwrap().iter();
    let mut groups: Vec<(String, BTreeSet<String>)> =
        groups.map(|group| (group["reason"].as_str().unwrap().to_owned(), ids(group["contacts"].as_array().unwrap()))).collect();
    groups.sort();
    groups
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_merged_with_itself_with_what_is_not_there_or_on_stale_versions() {
    let (_, api) = Stack::as_admin().await;
    let pair = pair(&api, json!({ "name": "One" }), json!({ "name": "Two" })).await;
    for (field, version) in [("expectedVersion", 2), ("loserExpectedVersion", 2), ("expectedVersion", 0)] {
        let mut input = pair.merge();
        input[field] = json!(version);
        assert_eq!(refused(&api, "contactMerge", input).await, error(field, "STALE"));
    }
    let absent = json!(data_encoding::BASE64URL_NOPAD.encode(b"contact:00000000000000000000000000"));
    for (field, id) in [("winnerId", json!("nonsense")), ("loserId", json!("nonsense")), ("winnerId", absent.clone()), ("loserId", absent)] {
        let mut input = pair.merge();
        input[field] = id;
        assert_eq!(refusal(&api, "contactMerge", input).await, "NOT_FOUND", "{field}");
    }
    let itself = refused(&api, "contactMerge", json!({ "winnerId": pair.winner["id"], "loserId": pair.winner["id"] })).await;
    assert_eq!(itself[0].0, "loserId");
    pair.assert_untouched(&api).await;
    assert_eq!(refusal(&api, "contactUnmerge", json!({ "loserId": "nonsense" })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_have_too_much_for_one_are_not_merged() {
    let (_, api) = Stack::as_admin().await;
    let alternates = |count| json!(fresh::numbers(count).iter().map(|number| number.e164()).collect::<Vec<_>>());
    let pair = pair(&api, json!({ "alternatePhones": alternates(2) }), json!({ "alternatePhones": alternates(3) })).await;
    assert_eq!(refused(&api, "contactMerge", pair.merge()).await, error("alternatePhones", "LIMIT_EXCEEDED"), "five and the loser's own are six");
    pair.assert_untouched(&api).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_winner_keeps_what_it_says_takes_what_it_lacks_and_has_both_numbers() {
    let (_, api) = Stack::as_admin().await;
    let pair =
        pair(&api, json!({ "name": "Z. Roy", "attributes": { "a": 1 } }), json!({ "name": "Zoé Roy", "email": "z@example.com", "attributes": { "a": 2, "b": 3 } })).await;
    let [mine, theirs] = pair.numbers;
    done(&api, "contactAddNote", json!({ "id": pair.winner["id"], "body": "Of the winner" })).await;
    done(&api, "contactAddNote", json!({ "id": pair.loser["id"], "body": "Of the loser" })).await;

    let merged = changed(&api, "contactMerge", pair.merge()).await;
    assert_eq!((&merged["id"], &merged["version"], &merged["phone"]), (&pair.winner["id"], &json!(2), &json!(mine.e164())));
    assert_eq!((&merged["name"], &merged["email"]), (&json!("Z. Roy"), &json!("z@example.com")));
    assert_eq!((&merged["alternatePhones"], &merged["attributes"]), (&json!([theirs.e164()]), &json!({ "a": 1, "b": 3 })));
    assert_eq!(contact(&api, &pair.winner["id"]).await, merged);
    assert_eq!(contact(&api, &pair.loser["id"]).await["mergedInto"]["id"], pair.winner["id"]);

    assert_eq!((&contact_with(&api, mine).await["id"], &contact_with(&api, theirs).await["id"]), (&merged["id"], &merged["id"]));
    let taken = create(&api, json!({ "phone": theirs.e164() })).await;
    assert_eq!((user_errors(&taken), &taken["userErrors"][0]["existingId"]), (error("phone", "TAKEN"), &merged["id"]));
    eventually_lists(&api, &json!({ "source": pair.source }), &ids([&merged])).await;
    eventually_lists(&api, &json!({ "search": theirs.e164() }), &ids([&merged])).await;
    let bodies: BTreeSet<String> = notes(&api, &merged["id"]).await.iter().map(|note| note["body"].as_str().unwrap().to_owned()).collect();
    assert_eq!(bodies, ["Of the loser".to_owned(), "Of the winner".to_owned()].into(), "nothing that was said of either is lost");

    caught_up(&api).await;
    assert_eq!(history(&api, &merged["id"]).await[0]["action"], "contact.merged");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_comes_from_the_loser() {
    let (_, api) = Stack::as_admin().await;
    let (status, agent) = (status_id(&api, "interested").await, agent_of(&api).await);
    let winner = json!({ "name": "Z. Roy", "email": "old@example.com", "address": "1 rue A", "city": "Laval", "attributes": { "a": 1 } });
    let loser = json!({
        "name": "Zoé Roy", "email": "new@example.com", "address": "2 rue B", "city": "Lévis", "postalCode": "G6V 1A1", "statusId": status, "assigneeId": agent,
        "nextContactAt": "2027-05-14T09:30:00Z", "attributes": { "a": 2 },
    });
    let pair = pair(&api, winner, loser).await;
    let mut input = pair.merge();
    input["takeFromLoser"] = json!(["NAME", "EMAIL", "ADDRESS", "STATUS", "ASSIGNEE", "NEXT_CONTACT_AT", "ATTRIBUTES"]);
    let merged = changed(&api, "contactMerge", input).await;
    for field in ["name", "email", "address", "city", "postalCode", "status", "assignee", "nextContactAt", "attributes"] {
        assert_eq!(merged[field], pair.loser[field], "{field}");
    }
    assert_eq!(merged["phone"], pair.winner["phone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_undone_as_if_it_had_not_been() {
    let (_, api) = Stack::as_admin().await;
    let pair = pair(&api, json!({ "name": "Z. Roy" }), json!({ "name": "Zoé Roy", "email": "z@example.com" })).await;
    let merged = changed(&api, "contactMerge", pair.merge()).await;
    let apart = done(&api, "contactUnmerge", json!({ "loserId": pair.loser["id"] })).await;
    for (before, after) in [(&pair.winner, &apart["contact"]), (&pair.loser, &apart["loser"])] {
        for field in ["id", "phone", "name", "email", "alternatePhones", "attributes", "status", "assignee", "mergedInto", "deletedAt", "createdAt"] {
            assert_eq!(after[field], before[field], "{field}");
        }
        assert_eq!(contact(&api, &before["id"]).await, *after);
    }
    assert!(apart["contact"]["version"].as_u64() > merged["version"].as_u64());
    let [mine, theirs] = pair.numbers;
    assert_eq!((&contact_with(&api, mine).await["id"], &contact_with(&api, theirs).await["id"]), (&pair.winner["id"], &pair.loser["id"]));
    eventually_lists(&api, &json!({ "source": pair.source }), &ids([&pair.winner, &pair.loser])).await;
    changed(&api, "contactUpdate", json!({ "id": pair.loser["id"], "expectedVersion": apart["loser"]["version"], "name": "On its own" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_not_undone_once_the_winner_changed_nor_where_there_was_none() {
    let (_, api) = Stack::as_admin().await;
    let pair = pair(&api, json!({ "name": "One" }), json!({ "name": "Two" })).await;
    let undo = json!({ "input": { "loserId": pair.loser["id"] } });
    let answer = api.ask(&document("contactUnmerge"), undo.clone()).await;
    assert!(answer.body["data"]["contactUnmerge"]["loser"].is_null(), "{}", answer.body);
    pair.assert_untouched(&api).await;

    changed(&api, "contactMerge", pair.merge()).await;
    let after = changed(&api, "contactUpdate", json!({ "id": pair.winner["id"], "expectedVersion": 2, "name": "Changed since" })).await;
    let errors = refused(&api, "contactUnmerge", json!({ "loserId": pair.loser["id"] })).await;
    assert_eq!(errors[0].0, "loserId");
    assert_eq!(contact(&api, &pair.winner["id"]).await, after);
    assert_eq!(contact(&api, &pair.loser["id"]).await["mergedInto"]["id"], pair.winner["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_with_the_same_address_or_the_same_name_and_postal_code_may_be_duplicates() {
    let (_, api) = Stack::as_admin().await;
    let (email, name) = (format!("{}@example.com", fresh::word("same")), format!("Zoé {}", fresh::letters()));
    let by_email = [json!({ "email": email }), json!({ "email": email.to_uppercase(), "name": name, "postalCode": "H3A 1B2" })];
    let by_name = [json!({ "name": name.to_uppercase(), "postalCode": "h3a1b2" }), json!({ "name": name, "postalCode": "G1R 2B5" })];
    let mut contacts = Vec::new();
    for input in by_email.into_iter().chain(by_name) {
        contacts.push(new_contact(&api, input).await);
    }
    let [first, both, third, elsewhere] = &contacts[..] else { panic!() };
    let expected = vec![("SAME_EMAIL".to_owned(), ids([first, both])), ("SAME_NAME_AND_POSTAL_CODE".to_owned(), ids([both, third]))];
    eventually("the duplicates are found", LISTED, async || (duplicates(&api, both).await == expected).then_some(())).await;
    assert!(duplicates(&api, elsewhere).await.is_empty(), "the same name elsewhere is another person");

    changed(&api, "contactMerge", json!({ "winnerId": both["id"], "loserId": first["id"] })).await;
    let left = vec![("SAME_NAME_AND_POSTAL_CODE".to_owned(), ids([both, third]))];
    eventually("what was merged is no duplicate", LISTED, async || (duplicates(&api, both).await == left).then_some(())).await;
    let all = "query { contactDuplicates(first: 1) { nodes { reason contacts { id } } pageInfo { hasNextPage endCursor } } }";
    let page = api.data(all, json!({})).await["contactDuplicates"].take();
    assert!(page["pageInfo"].is_object(), "{page}");
    assert_eq!(api.refusal("{ contactDuplicates(first: 101) { nodes { reason } } }", json!({})).await, "LIMIT_EXCEEDED");
}
