//! What is done to contacts and their notes.

use serde_json::{Map, Value, json};

use super::ledger::{Ledger, THEN, created, event};
use crate::stack::api::Api;
use crate::stack::contacts::{contact, new_contact, notes, status_id};
use crate::stack::fresh;
use crate::stack::mutations::changed;

pub(super) const OF_ONE: &[&str] = &["contactCreate", "contactUpdate", "contactSetStatus", "contactAddNote", "contactAssign", "contactDelete", "contactRestore"];
pub(super) const OF_TWO: &[&str] = &["contactMerge", "contactUnmerge", "contactSetStatus", "contactErase"];

/// What a contact says, by the names of the audit.
fn fields(contact: &Value) -> Value {
    const FIELDS: [&str; 13] =
        ["phone", "phoneExtension", "alternatePhones", "name", "email", "address", "city", "region", "postalCode", "country", "timeZone", "source", "nextContactAt"];
    let mut fields: Map<String, Value> = FIELDS.map(|name| (name.to_owned(), contact[name].clone())).into_iter().collect();
    for name in ["status", "assignee", "team"] {
        fields.insert(name.to_owned(), contact[name]["id"].clone());
    }
    let attributes = contact["attributes"].as_object().unwrap().iter();
    fields.extend(attributes.map(|(name, value)| (format!("attributes.{name}"), value.clone())));
    fields.retain(|_, value| !value.is_null() && *value != json!([]));
    Value::Object(fields)
}

/// The id of the newest note about a contact.
async fn newest_note(api: &Api, contact: &Value) -> Value {
    notes(api, contact).await[0]["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_contact_is_on_record() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let agent = ledger.tenant.appoint(json!({})).await["id"].take();
    let team = ledger.tenant.team().await["id"].take();
    let statuses = [status_id(&api, "new").await, status_id(&api, "interested").await];

    let input = json!({
        "phone": fresh::number().e164(), "phoneExtension": "89", "alternatePhones": [fresh::number().e164()], "name": "Zoé Gélinas", "email": "zoe@example.com",
        "address": "1 rue Principale", "city": "Québec", "region": "QC", "postalCode": "G1R 2B5", "source": "fair", "nextContactAt": "2027-05-14T09:30:00Z",
        "attributes": { "Colour": "red", "Rooms": 7 }, "assigneeId": agent,
    });
    let made = ledger.done("contactCreate", input).await["contact"].take();
    let id = &made["id"];
    ledger.leaves([event("contact.created", id, 1, created(&fields(&made)))]);

    let input = json!({ "id": id, "expectedVersion": 1, "name": "Zoé Roy", "source": null, "attributes": { "Colour": null, "Rooms": 8, "Floor": 3 } });
    ledger.done("contactUpdate", input).await;
    let changes = json!({
        "name": ["Zoé Gélinas", "Zoé Roy"], "source": ["fair", null], "attributes.Colour": ["red", null], "attributes.Floor": [null, 3], "attributes.Rooms": [7, 8],
    });
    ledger.leaves([event("contact.updated", id, 2, changes)]);
    ledger.done("contactUpdate", json!({ "id": id, "expectedVersion": 2, "name": "Zoé Roy" })).await;
    ledger.leaves([]);

    let input = json!({ "id": id, "statusId": statuses[1], "note": "Call again", "nextContactAt": null });
    ledger.done("contactSetStatus", input).await;
    let note = newest_note(&api, id).await;
    ledger.leaves([
        event("contact.status_set", id, 3, json!({ "status": [statuses[0], statuses[1]], "nextContactAt": ["2027-05-14T09:30:00.000Z", null] })),
        event("note.created", &note, 1, created(&json!({ "contact": id, "body": "Call again" }))),
    ]);
    let note = ledger.done("contactAddNote", json!({ "id": id, "body": "Twice" })).await["note"]["id"].take();
    ledger.leaves([event("note.created", &note, 1, created(&json!({ "contact": id, "body": "Twice" })))]);

    let other = new_contact(&api, json!({})).await["id"].take();
    ledger.done("contactAssign", json!({ "ids": [id, other], "teamId": team })).await;
    ledger.leaves([
        event("contact.assigned", id, 4, json!({ "assignee": [agent, null], "team": [null, team] })),
        event("contact.assigned", &other, 2, json!({ "team": [null, team] })),
    ]);
    ledger.done("contactAssign", json!({ "ids": [other, id] })).await;
    ledger.leaves([event("contact.unassigned", id, 5, json!({ "team": [team, null] })), event("contact.unassigned", &other, 3, json!({ "team": [team, null] }))]);

    let deleted = ledger.done("contactDelete", json!({ "id": id, "expectedVersion": 5 })).await["contact"].take();
    ledger.leaves([event("contact.deleted", id, 6, json!({ "deletedAt": [null, THEN] }))]);
    ledger.done("contactRestore", json!({ "id": id })).await;
    ledger.leaves([event("contact.restored", id, 7, json!({ "deletedAt": [deleted["deletedAt"], null] }))]);
    ledger.settle(OF_ONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_that_are_merged_silenced_and_erased_are_on_record_each_by_itself() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let statuses = [status_id(&api, "new").await, status_id(&api, "do_not_call").await];
    let (number, other_number) = (fresh::number().e164(), fresh::number().e164());
    let winner = new_contact(&api, json!({ "phone": number, "name": "Winner", "city": "Laval" })).await["id"].take();
    let loser = new_contact(&api, json!({ "phone": other_number, "name": "Loser", "email": "loser@example.com" })).await["id"].take();

    ledger.done("contactMerge", json!({ "winnerId": winner, "loserId": loser, "takeFromLoser": ["NAME"] })).await;
    let taken = json!({ "name": ["Winner", "Loser"], "email": [null, "loser@example.com"], "alternatePhones": [null, [other_number]] });
    ledger.leaves([event("contact.merged", &winner, 2, taken), event("contact.merged", &loser, 2, json!({ "deletedAt": [null, THEN], "mergedInto": [null, winner] }))]);
    let merged_at = contact(&api, &loser).await["deletedAt"].take();
    ledger.done("contactUnmerge", json!({ "loserId": loser })).await;
    let given_back = json!({ "name": ["Loser", "Winner"], "email": ["loser@example.com", null], "alternatePhones": [[other_number], null] });
    ledger.leaves([
        event("contact.unmerged", &winner, 3, given_back),
        event("contact.unmerged", &loser, 3, json!({ "deletedAt": [merged_at, null], "mergedInto": [winner, null] })),
    ]);

    ledger.done("contactSetStatus", json!({ "id": winner, "statusId": statuses[1] })).await;
    let suppression = api.data("query($phone: String!) { suppression(phone: $phone) { id } }", json!({ "phone": number })).await["suppression"]["id"].take();
    ledger.leaves([
        event("contact.status_set", &winner, 4, json!({ "status": [statuses[0], statuses[1]] })),
        event("suppression.added", &suppression, 1, created(&json!({ "source": "status" }))),
    ]);

    // With whom is merged into them. What was said of them before can't be read any more: other tests look at that.
    let (gone, with_them) = (new_contact(&api, json!({})).await["id"].take(), new_contact(&api, json!({})).await["id"].take());
    changed(&api, "contactMerge", json!({ "winnerId": gone, "loserId": with_them })).await;
    ledger.done("contactErase", json!({ "id": gone, "reason": "request 2026-17" })).await;
    let erased = json!({ "erasedAt": [null, THEN] });
    ledger.leaves([&gone, &with_them].map(|id| event("contact.erased", id, 3, erased.clone()).because("request 2026-17")));
    ledger.settle(OF_TWO).await;
}
