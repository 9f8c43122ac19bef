//! Records by their global ids, the viewer, and the statuses a tenant starts with.

use serde_json::{Value, json};

use crate::stack::api::{Api, created};
use crate::stack::contacts::some_team;
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh;
use crate::stack::history::{caught_up, contact_at, events};
use crate::stack::imports::uploaded;
use crate::stack::mutations::done;
use crate::stack::{ADMIN, Stack};

async fn node(api: &Api, id: &Value, fields: &str) -> Value {
    api.data(&format!("query($id: ID!) {{ node(id: $id) {{ __typename id {fields} }} }}"), json!({ "id": id })).await["node"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_every_type_is_found_by_its_id() {
    let (stack, api) = Stack::as_admin().await;
    let viewer = api.data("{ viewer { user { id name email agent { id } roles { id } } } contactStatuses { id } }", json!({})).await;
    let user = &viewer["viewer"]["user"];
    let number = fresh::number();
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("node")), csv("phone,name", &[[number.dashed(), "Node".to_owned()]])).await;
    caught_up(&api).await;
    let contact = contact_at(&api, number).await;
    let event = &events(&contact)[0];
    let team = some_team(&api).await;
    let mapping = fresh::word("node");
    let ready = uploaded(&stack, &api, json!({ "fileName": "node.csv" }), &csv("phone,name", &[[number.dashed(), "Node".to_owned()]])).await;
    done(&api, "importSetMapping", json!({ "id": ready["id"], "columns": [], "saveAsProfile": mapping })).await;
    let profiles = api.data("{ importProfiles { id name } }", json!({})).await["importProfiles"].take();
    let profile = profiles.as_array().unwrap().iter().find(|profile| profile["name"] == json!(mapping)).unwrap();
    let models = api.data("{ scoringModels { id } }", json!({})).await;
    for (kind, id, fields, expected) in [
        ("Contact", &contact["id"], "... on Contact { phone }", json!({ "phone": number.e164() })),
        ("ContactStatus", &viewer["contactStatuses"][0]["id"], "... on ContactStatus { code }", json!({ "code": "new" })),
        ("User", &user["id"], "... on User { email status }", json!({ "email": ADMIN, "status": "ACTIVE" })),
        ("Agent", &user["agent"]["id"], "... on Agent { email employeeId }", json!({ "email": ADMIN, "employeeId": "E001" })),
        ("Team", &team["id"], "... on Team { name }", json!({ "name": team["name"] })),
        ("Role", &user["roles"][0]["id"], "... on Role { code system }", json!({ "code": "admin", "system": true })),
        ("Import", import.id(), "... on Import { fileName }", json!({ "fileName": import.0["fileName"] })),
        ("ImportProfile", &profile["id"], "... on ImportProfile { name kind }", json!({ "name": mapping, "kind": "CONTACTS" })),
        ("ScoringModel", &models["scoringModels"][0]["id"], "... on ScoringModel { name preset }", json!({ "name": "standard", "preset": true })),
        ("AuditEvent", &event["id"], "... on AuditEvent { hash entityId }", json!({ "hash": event["hash"], "entityId": contact["id"] })),
    ] {
        let mut expected = expected;
        expected["__typename"] = json!(kind);
        expected["id"] = id.clone();
        assert_eq!(node(&api, id, fields).await, expected, "{kind}");
    }
    done(&api, "importProfileDelete", json!({ "name": mapping })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_names_nothing_or_another_type_is_null() {
    let (_, api) = Stack::as_admin().await;
    let contact = created(&api, json!({ "phone": fresh::number().e164() })).await["id"].take();
    let text = data_encoding::BASE64URL_NOPAD;
    let encoded = |id: &str| json!(text.encode(id.as_bytes()));
    let status = api.data("{ contactStatuses { id } }", json!({})).await["contactStatuses"][0]["id"].take();
    for id in [
        json!(""),
        json!("x"),
        json!("contact:1"),
        json!("é"),
        encoded("contact:"),
        encoded("contact:00000000000000000000000000"),
        encoded("import:00000000000000000000000000"),
        encoded("import_profile:no such mapping"),
        encoded("scoring_model:7rqg0000000000000000000000"),
        encoded("scoring_training:00000000000000000000000000"),
        encoded("user:00000000000000000000000000"),
        encoded("team:00000000000000000000000000"),
        encoded("nothing:00000000000000000000000000"),
        encoded("audit_event:contact:00000000000000000000000000:1"),
        encoded("audit_event:contact:00000000000000000000000000:4294967295"),
    ] {
        let data = api.data("query($id: ID!) { node(id: $id) { id } contact(id: $id) { id } import(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(data, json!({ "node": null, "contact": null, "import": null }), "{id}");
    }
    let data = api.data("query($a: ID!, $b: ID!) { import(id: $a) { id } contact(id: $b) { id } }", json!({ "a": contact, "b": status })).await;
    assert_eq!(data, json!({ "import": null, "contact": null }));
    for phone in ["", "nonsense", "+1", "911"] {
        assert_eq!(api.data("query($phone: String!) { contactByPhone(phone: $phone) { id } }", json!({ "phone": phone })).await, json!({ "contactByPhone": null }));
    }
}

#[tokio::test]
async fn the_viewer_is_who_signed_in_with_their_organisation() {
    let (_, api) = Stack::as_admin().await;
    let query =
        "{ viewer { user { name email status roles { code name system permissions } agent { name email employeeId user { email } createdBy { type name } } version
        createdBy { type name id } } tenant { name country timeZone } } }";
    let viewer = api.data(query, json!({})).await["viewer"].take();
    assert_eq!(viewer["tenant"], json!({ "name": "Demo Inc.", "country": "CA", "timeZone": "America/Toronto" }));
    let user = &viewer["user"];
    assert_eq!((&user["name"], &user["email"], &user["status"], &user["version"]), (&json!("Ada Admin"), &json!(ADMIN), &json!("ACTIVE"), &json!(1)));
    assert_eq!(user["createdBy"], json!({ "type": "SYSTEM", "name": "Switchboard", "id": null }));
    let agent =
        json!({ "name": "Ada Admin", "email": ADMIN, "employeeId": "E001", "user": { "email": ADMIN }, "createdBy": { "type": "SYSTEM", "name": "Switchboard" } });
    assert_eq!(user["agent"], agent);
    assert_eq!((&user["roles"][0]["code"], &user["roles"][0]["name"], &user["roles"][0]["system"]), (&json!("admin"), &json!("Administrator"), &json!(true)));
}

#[tokio::test]
async fn a_tenant_starts_with_eight_statuses_in_their_order() {
    let (_, api) = Stack::as_admin().await;
    let data = api.data("{ contactStatuses { code name color order excludeFromCallList system deletable version createdBy { type } } }", json!({})).await;
    let expected: Vec<Value> = [
        ("new", "New", "#3B82F6", 0, false, true),
        ("attempted", "Attempted", "#F59E0B", 10, false, false),
        ("callback_requested", "Callback requested", "#8B5CF6", 20, false, false),
        ("in_discussion", "In discussion", "#06B6D4", 30, false, false),
        ("interested", "Interested", "#10B981", 40, false, false),
        ("not_interested", "Not interested", "#6B7280", 50, true, false),
        ("converted", "Converted", "#22C55E", 100, true, true),
        ("do_not_call", "Do not call", "#EF4444", 1000, true, true),
    ]
    .into_iter()
    .map(|(code, name, color, order, excluded, system)| {
        json!({ "code": code, "name": name, "color": color, "order": order, "excludeFromCallList": excluded, "system": system, "deletable": !system, "version": 1,
            "createdBy": { "type": "SYSTEM" } })
    })
    .collect();
    let statuses = data["contactStatuses"].as_array().unwrap().iter();
    // Other tests add statuses of their own.
    let seeded = |status: &&Value| expected.iter().any(|expected| expected["code"] == status["code"]);
    assert_eq!(statuses.filter(seeded).cloned().collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_says_whether_a_contact_is_won_or_must_not_be_called() {
    let (_, api) = Stack::as_admin().await;
    let statuses = api.data("{ contactStatuses { id code } }", json!({})).await["contactStatuses"].take();
    for (code, converted, do_not_call) in [("new", false, false), ("converted", true, false), ("do_not_call", false, true)] {
        let status = statuses.as_array().unwrap().iter().find(|status| status["code"] == code).unwrap();
        let contact = created(&api, json!({ "phone": fresh::number().e164(), "statusId": status["id"] })).await;
        let data = api.data("query($id: ID!) { contact(id: $id) { converted doNotCall } }", json!({ "id": contact["id"] })).await;
        assert_eq!(data["contact"], json!({ "converted": converted, "doNotCall": do_not_call }), "{code}");
    }
}
