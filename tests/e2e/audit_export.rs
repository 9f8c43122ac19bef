//! Exports of the audit trail: what is in them, for whom, and that whoever has the file and the public key needs nobody else to trust it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::api::{Api, inside};
use crate::stack::canaries::Canaries;
use crate::stack::contacts::{contact, new_contact};
use crate::stack::exports::{ended, events, export, exported, link, public_key, sealed, verified};
use crate::stack::fresh;
use crate::stack::history::{AUDIT, caught_up, history};
use crate::stack::mutations::{changed, done, error, refusal, refused};
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;

/// The hashes of events in a file.
fn hashes(file: &str) -> Vec<Value> {
    events(file).iter().map(|event| event["hash"].clone()).collect()
}

/// Waits until all that is on record is archived too, and tells the time before which that holds. What comes later, such as these exports themselves, isn't
/// among what this time ends.
async fn archived(tenant: &Tenant) -> Value {
    let marker = new_contact(&tenant.api, json!({})).await["id"].take();
    let event = eventually("the last change is on record", AUDIT, async || history(&tenant.api, &marker).await.pop()).await;
    let first = done(&tenant.api, "auditExport", json!({ "format": "JSON_LINES", "readable": false })).await["auditExport"].take();
    ended(&tenant.api, &first["id"]).await;
    let until = first["createdAt"].clone();
    eventually("the trail is archived", AUDIT, async || {
        let (_, file) = exported(&tenant.stack, &tenant.api, json!({ "format": "JSON_LINES", "to": until, "readable": false })).await;
        hashes(&file).contains(&event["hash"]).then_some(())
    })
    .await;
    until
}

/// The days on which a contact's events were recorded.
async fn days(api: &Api, id: &Value) -> BTreeSet<String> {
    let query = "query($id: ID!) { contact(id: $id) { auditEvents(first: 50) { nodes { recordedAt } } } }";
    let nodes = api.data(query, json!({ "id": id })).await["contact"]["auditEvents"]["nodes"].take();
    nodes.as_array().unwrap().iter().map(|event| event["recordedAt"].as_str().unwrap()[..10].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_was_recorded_is_verified_with_the_key_and_one_changed_byte_is_told() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let mut contact = new_contact(api, json!({ "name": "Zoé" })).await;
    for city in ["Québec", "Lévis"] {
        contact = changed(api, "contactUpdate", json!({ "id": contact["id"], "expectedVersion": contact["version"], "city": city })).await;
    }
    done(api, "contactAddNote", json!({ "id": contact["id"], "body": "Called back" })).await;
    let (until, key) = (archived(&tenant).await, public_key().await);
    let days = days(api, &contact["id"]).await;
    sealed(&tenant.slug, days.clone()).await;
    let chain: Vec<Value> = history(api, &contact["id"]).await.iter().rev().map(|event| event["hash"].clone()).collect();
    assert_eq!(chain.len(), 3);

    let (whole, file) = exported(&tenant.stack, api, json!({ "format": "JSON_LINES", "to": until })).await;
    let all = events(&file);
    assert_eq!(whole["events"], json!(all.len()));
    let of_contact: Vec<Value> = all.iter().filter(|event| event["form"]["entityId"] == inside(&contact["id"]).1).map(|event| event["hash"].clone()).collect();
    assert_eq!(of_contact, chain, "in the order of versions");
    for action in ["tenant.created", "role.created", "contact_status.created", "auth.signed_in", "note.created"] {
        assert!(all.iter().any(|event| event["form"]["action"] == action), "{action}");
    }
    let (ok, said) = verified(&file, &key).await;
    assert!(ok && said.contains("recorded from the beginning until ") && said.contains(", nothing left out; made at "), "{said}");
    assert!(said.ends_with(&format!("\n{} events; {} days sealed, 0 not sealed yet\n", all.len(), days.len())), "{said}");

    let last = file.lines().rfind(|line| line.contains("\"form\"")).unwrap();
    for (old, new) in [("contact.created", "contact.updated"), ("\"outcome\":\"SUCCESS\"", "\"outcome\":\"DENIED\""), ("\"hash\":\"", "\"hash\":\"0"), (last, "")] {
        let (ok, said) = verified(&file.replacen(old, new, 1), &key).await;
        assert!(!ok && !said.is_empty(), "{old}: {said}");
    }
    let (ok, _) = verified(&file, &public_key_of_somebody_else()).await;
    assert!(!ok, "another key vouches for nothing");

    let (of_record, file) = exported(&tenant.stack, api, json!({ "format": "JSON_LINES", "entityId": contact["id"] })).await;
    assert_eq!((hashes(&file), &of_record["events"]), (chain, &json!(3)));
    let (ok, said) = verified(&file, &key).await;
    assert!(ok && said.contains(&format!("all left out but entityType contact and entityId {};", inside(&contact["id"]).1)), "{said}");
    assert!(said.ends_with(&format!("\n3 events; {} days sealed, 0 not sealed yet\n", days.len())), "{said}");
    let (ok, _) = verified(&file.replacen("\"version\":2", "\"version\":3", 1), &key).await;
    assert!(!ok);
}

/// A key on the same curve that signed nothing here.
fn public_key_of_somebody_else() -> String {
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtew8jrTN2j85DpVBaKopvkO1/xTG\n6AgS6YwUVsoRrmad9GpSXQinsRsazO71JDXuBNAjZ+hpmKVN1ksxdc6FWA==\n-----END PUBLIC KEY-----\n"
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_of_a_person_is_in_a_file_only_when_it_is_asked_for_and_not_once_they_are_erased() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let (name, email, number, note) = (fresh::word("Canary"), format!("{}@example.com", fresh::word("canary")), fresh::number(), fresh::word("Noted"));
    let secret = fresh::word("046454286");
    let input = json!({ "phone": number.e164(), "name": name, "email": email, "attributes": { "SIN": secret, "Remark": "=1+1" } });
    let contact = new_contact(api, input).await;
    done(api, "contactAddNote", json!({ "id": contact["id"], "body": note })).await;
    let until = archived(&tenant).await;
    let texts = [("name", name.clone()), ("email", email), ("number", number.e164()[1..].to_owned()), ("note", note)];
    let canaries = Canaries::new(texts.iter().cloned().chain([("secret", secret.clone())]).map(|(what, text)| (what.to_owned(), text)));
    for format in ["CSV", "JSON_LINES"] {
        for about in [json!({}), json!({ "entityId": contact["id"] })] {
            let mut input = json!({ "format": format, "to": until, "readable": false });
            input.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
            let (_, file) = exported(&tenant.stack, api, input.clone()).await;
            assert_eq!(canaries.find(file.as_bytes()), None, "{format} {about}");
            assert!(!file.contains(&tenant.admin.email), "{format} {about}");
            input["readable"] = json!(true);
            let (_, file) = exported(&tenant.stack, api, input).await;
            for (what, text) in &texts {
                // A note is a record of its own.
                assert_eq!(file.contains(text), *what != "note" || about == json!({}), "{what} in {format} {about}");
            }
            assert!(file.contains(&tenant.admin.email) && !file.contains(&secret), "{format} {about}");
            assert!(format == "JSON_LINES" || file.contains(",'=1+1,"), "a spreadsheet would run it: {file}");
        }
    }
    done(api, "contactErase", json!({ "id": contact["id"], "reason": "asked" })).await;
    for format in ["CSV", "JSON_LINES"] {
        let (_, file) = exported(&tenant.stack, api, json!({ "format": format, "to": until })).await;
        assert_eq!(canaries.find(file.as_bytes()), None, "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_a_row_for_each_field_that_changed() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let contact = new_contact(api, json!({ "name": "Zoé, \"Zo\"" })).await;
    changed(api, "contactUpdate", json!({ "id": contact["id"], "expectedVersion": 1, "name": "Zoé", "city": "Lévis" })).await;
    caught_up(api).await;
    let updated = history(api, &contact["id"]).await.remove(0);
    let input = json!({ "format": "CSV", "entityId": contact["id"], "action": "contact.updated" });
    let (export, file) = exported(&tenant.stack, api, input).await;
    assert_eq!((&export["events"], &export["format"], &export["readable"]), (&json!(1), &json!("CSV"), &json!(true)));
    let rows: Vec<&str> = file.trim_start_matches('\u{feff}').split("\r\n").filter(|row| !row.is_empty()).collect();
    assert!(rows[0].starts_with("at,recordedAt,action,entityType,entityId,version,actorType,"), "{file}");
    assert_eq!(rows.len(), 3, "{file}");
    for (row, change) in rows[1..].iter().zip([",city,,Lévis,", ",name,\"Zoé, \"\"Zo\"\"\",Zoé,"]) {
        let begins = format!("{},", updated["at"].as_str().unwrap());
        assert!(row.starts_with(&begins) && row.contains(change) && row.contains(updated["hash"].as_str().unwrap()), "{row}");
        assert!(row.contains(&format!(",contact.updated,contact,{},2,USER,", inside(&contact["id"]).1)), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_contacts_exports_what_is_recorded_of_them_only_sealed() {
    let tenant = Tenant::new().await;
    let invited = tenant.invite(json!({ "permissions": ["audit:read:ALL", "audit:export:ALL"] })).await;
    let auditor = tenant.admit(&invited["email"]).await;
    assert_eq!(refused(&auditor.api, "auditExport", json!({ "format": "CSV" })).await, error("readable", "NOT_ALLOWED"));
    let (sealed, _) = exported(&tenant.stack, &auditor.api, json!({ "format": "CSV", "entityType": "role", "readable": false })).await;
    assert_eq!(sealed["createdBy"]["id"], auditor.user);
    let readable = done(&tenant.api, "auditExport", json!({ "format": "CSV", "entityType": "role" })).await["auditExport"]["id"].take();
    assert_eq!(ended(&auditor.api, &readable).await["status"], "COMPLETED", "they see that there is one");
    assert_eq!(link(&auditor.api, &readable).await, Value::Null);
    assert!(link(&tenant.api, &readable).await.is_string());
    for role in ["manager", "telephonist", "agent"] {
        let other = tenant.hire(&[role]).await;
        assert!(export(&other.api, &readable).await.is_null(), "{role}");
        assert_eq!(refusal(&other.api, "auditExport", json!({ "format": "CSV", "readable": false })).await, "FORBIDDEN", "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_one_export_however_often_it_is_asked_for_and_is_on_record_with_each_download() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let agent = tenant.appoint(json!({})).await["id"].take();
    for (input, field, code) in [
        (json!({ "entityType": "person" }), "entityType", "INVALID"),
        (json!({ "entityId": "nonsense" }), "entityId", "NOT_FOUND"),
        (json!({ "entityType": "team", "entityId": tenant.admin.user }), "entityId", "NOT_FOUND"),
        (json!({ "actorId": agent }), "actorId", "NOT_FOUND"),
        (json!({ "action": "Updated" }), "action", "INVALID"),
        (json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }), "to", "INVALID"),
    ] {
        let mut input = input;
        input["format"] = json!("CSV");
        assert_eq!(refused(api, "auditExport", input.clone()).await, error(field, code), "{input}");
    }
    let key = fresh::word("key");
    let input = json!({ "format": "JSON_LINES", "actorId": tenant.admin.user, "idempotencyKey": key });
    let (asked, file) = exported(&tenant.stack, api, input.clone()).await;
    assert!(events(&file).iter().all(|event| event["form"]["actorId"] == inside(&tenant.admin.user).1), "{file}");
    assert_eq!(done(api, "auditExport", input).await["auditExport"]["id"], asked["id"]);
    let other = json!({ "format": "CSV", "actorId": tenant.admin.user, "idempotencyKey": key });
    assert_eq!(refused(api, "auditExport", other).await, error("idempotencyKey", "CONFLICT"));
    assert_eq!(refused(api, "auditExportCancel", json!({ "id": asked["id"] })).await, error("id", "FORBIDDEN_TRANSITION"));

    let listed = api.data("{ auditExports(first: 1) { nodes { id } pageInfo { hasNextPage } } }", json!({})).await;
    assert_eq!(listed, json!({ "auditExports": { "nodes": [{ "id": asked["id"] }], "pageInfo": { "hasNextPage": false } } }));
    let node = api.data("query($id: ID!) { node(id: $id) { id __typename } }", json!({ "id": asked["id"] })).await["node"].take();
    assert_eq!(node, json!({ "id": asked["id"], "__typename": "AuditExport" }));
    let query = "query($id: ID!) { auditExport(id: $id) { auditEvents { nodes { action entityId } } } }";
    eventually("its end is on record", AUDIT, async || {
        let mut found = api.data(query, json!({ "id": asked["id"] })).await["auditExport"]["auditEvents"]["nodes"].take();
        let actions: Vec<Value> = found.as_array_mut().unwrap().iter_mut().map(|event| event["action"].take()).collect();
        (actions == [json!("data.exported"), json!("audit_export.created")]).then_some(())
    })
    .await;
    let query = "query($actor: ID!) { auditEvents(actorId: $actor, action: \"data.downloaded\") { nodes { changes { field newValue } } } }";
    let downloads = api.data(query, json!({ "actor": tenant.admin.user })).await["auditEvents"]["nodes"].to_string();
    assert!(downloads.contains(&inside(&asked["id"]).1), "{downloads}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_one_organisation_has_nothing_of_another() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let name = fresh::word("Canary");
    let contact_of_ours = new_contact(&ours.api, json!({ "name": name })).await;
    let until = archived(&ours).await;
    let (_, own) = exported(&ours.stack, &ours.api, json!({ "format": "JSON_LINES", "to": until })).await;
    assert!(own.contains(&name));
    archived(&theirs).await;
    let (whole, file) = exported(&theirs.stack, &theirs.api, json!({ "format": "JSON_LINES" })).await;
    assert!(!file.contains(&name) && !file.contains(&inside(&contact_of_ours["id"]).1), "{file}");
    for id in [&contact_of_ours["id"], &whole["id"]] {
        let api = if *id == whole["id"] { &ours.api } else { &theirs.api };
        assert!(export(api, id).await.is_null());
        assert_eq!(refusal(api, "auditExportCancel", json!({ "id": id })).await, "NOT_FOUND");
    }
    let (of_record, _) = exported(&theirs.stack, &theirs.api, json!({ "format": "JSON_LINES", "entityId": contact_of_ours["id"] })).await;
    assert_eq!(of_record["events"], json!(0), "as for what doesn't exist");
    assert_eq!(contact(&ours.api, &contact_of_ours["id"]).await, contact_of_ours);
}
