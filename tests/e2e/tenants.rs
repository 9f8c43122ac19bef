//! Tenants never see each other: not by list, id, number, cursor or reference. What is another's is as if it didn't exist.

use serde_json::{Value, json};

use crate::stack::api::{Api, create, created, user_errors};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh::{self, Number};
use crate::stack::history::{caught_up, contact_at};
use crate::stack::{OTHER_ADMIN, Stack};

/// Everything a tenant can be asked for by an id.
struct Records {
    contact: Value,
    number: Number,
    import: Value,
    ids: Vec<Value>,
}

/// Makes a contact and an import, and finds a record of every type.
async fn records(stack: &Stack, api: &Api, slug: &str) -> Records {
    let number = fresh::number();
    let import = dropped(stack, api, slug, &format!("{}.csv", fresh::word("isolated")), csv("phone,name", &[[number.dashed(), "Isolated".to_owned()]])).await;
    caught_up(api).await;
    let contact = contact_at(api, number).await;
    let viewer = api.data("{ viewer { user { id agent { id } roles { id } } tenant { id } } contactStatuses { id } }", json!({})).await;
    let user = &viewer["viewer"]["user"];
    let ids = vec![
        contact["id"].clone(),
        contact["auditEvents"]["nodes"][0]["id"].clone(),
        import.id().clone(),
        user["id"].clone(),
        user["agent"]["id"].clone(),
        user["roles"][0]["id"].clone(),
        viewer["contactStatuses"][0]["id"].clone(),
        viewer["viewer"]["tenant"]["id"].clone(),
    ];
    assert!(ids.iter().all(Value::is_string), "{ids:?}");
    Records { contact: contact["id"].clone(), number, import: import.id().clone(), ids }
}

/// Both tenants' administrators.
async fn both() -> (Stack, Api, Api) {
    let (stack, api) = Stack::as_admin().await;
    let other = stack.sign_in(OTHER_ADMIN).await;
    (stack, api, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_record_of_a_tenant_is_seen_from_another_by_id_or_number() {
    let (stack, api, other) = both().await;
    for (owner, stranger, slug) in [(&api, &other, "demo"), (&other, &api, "other")] {
        let records = records(&stack, owner, slug).await;
        for id in &records.ids {
            let data = stranger.data("query($id: ID!) { node(id: $id) { id } contact(id: $id) { id } import(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(data, json!({ "node": null, "contact": null, "import": null }), "{id}");
        }
        let query =
            "query($phone: String!, $contact: ID!, $import: ID!) { contactByPhone(phone: $phone) { id } contact(id: $contact) { id } import(id: $import) { id } }";
        let variables = json!({ "phone": records.number.e164(), "contact": records.contact, "import": records.import });
        let own = owner.data(query, variables.clone()).await;
        assert_eq!(own, json!({ "contactByPhone": { "id": records.contact }, "contact": { "id": records.contact }, "import": { "id": records.import } }));
        assert_eq!(stranger.data(query, variables).await, json!({ "contactByPhone": null, "contact": null, "import": null }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_only_what_is_the_tenants_own() {
    let (stack, api, other) = both().await;
    for (owner, stranger, slug) in [(&api, &other, "demo"), (&other, &api, "other")] {
        let records = records(&stack, owner, slug).await;
        let query = "{ contacts(first: 100) { nodes { id phone } } imports(first: 100) { nodes { id } } contactStatuses { id } viewer { tenant { id } user { id } } }";
        let (own, theirs) = (owner.data(query, json!({})).await.to_string(), stranger.data(query, json!({})).await.to_string());
        assert!(own.contains(records.contact.as_str().unwrap()) && own.contains(records.import.as_str().unwrap()), "what was just made leads the lists");
        let listed = records.ids.iter().filter(|id| theirs.contains(id.as_str().unwrap())).count();
        assert!(listed == 0 && !theirs.contains(&records.number.e164()), "{theirs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_tenant_is_a_bad_cursor() {
    let (stack, api, other) = both().await;
    let contact = records(&stack, &api, "demo").await.contact;
    for list in ["contacts", "imports"] {
        let query = format!("query($after: String) {{ {list}(first: 1, after: $after) {{ pageInfo {{ endCursor }} }} }}");
        let cursor = api.data(&query, json!({})).await[list]["pageInfo"]["endCursor"].take();
        assert!(api.data(&query, json!({ "after": cursor })).await[list].is_object());
        assert_eq!(other.refusal(&query, json!({ "after": cursor })).await, "BAD_CURSOR", "{list}");
    }
    let query = "query($id: ID!, $after: String) { contact(id: $id) { auditEvents(first: 1, after: $after) { pageInfo { endCursor } } } }";
    let cursor = api.data(query, json!({ "id": contact })).await["contact"]["auditEvents"]["pageInfo"]["endCursor"].take();
    let neighbour = records(&stack, &other, "other").await.contact;
    assert_eq!(other.ask(query, json!({ "id": neighbour, "after": cursor })).await.codes(), ["BAD_CURSOR"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_can_not_refer_to_what_is_another_tenants() {
    let (_, api, other) = both().await;
    let theirs = api.data("{ viewer { user { agent { id } } } contactStatuses { id } }", json!({})).await;
    let number = fresh::number();
    let input = json!({ "phone": number.e164(), "assigneeId": theirs["viewer"]["user"]["agent"]["id"], "statusId": theirs["contactStatuses"][0]["id"] });
    let expected = [("assigneeId", "NOT_FOUND"), ("statusId", "NOT_FOUND")];
    assert_eq!(user_errors(&create(&other, input).await), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    assert!(contact_at(&other, number).await.is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_have_a_contact_each_at_one_number() {
    let (_, api, other) = both().await;
    let number = fresh::number();
    let ours = created(&api, json!({ "phone": number.e164(), "name": "Ours" })).await;
    let theirs = created(&other, json!({ "phone": number.e164(), "name": "Theirs" })).await;
    assert_ne!(ours["id"], theirs["id"], "an id tells nothing about the number to someone without the tenant's key");
    assert_eq!((&contact_at(&api, number).await["name"], &contact_at(&other, number).await["name"]), (&json!("Ours"), &json!("Theirs")));
}

#[tokio::test]
async fn every_query_and_mutation_there_is_has_its_test_of_isolation() {
    let (_, api) = Stack::as_admin().await;
    let schema = api.data("{ __schema { queryType { fields { name } } mutationType { fields { name } } } }", json!({})).await;
    let names = |kind: &str| schema["__schema"][kind]["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let mut all = [names("queryType"), names("mutationType")].concat();
    all.sort();
    // A new field of the API is named here together with a test above.
    assert_eq!(all, ["contact", "contactByPhone", "contactCreate", "contactStatuses", "contacts", "import", "imports", "node", "viewer"]);
}
