//! The archive and the seals of its days: events are archived by themselves, sealed by the operator's command as by the schedule, verified through the API, and
//! nobody can take them back.

use std::io::{Read, Write};

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::ObjectLockMode;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::stack::api::{Api, created, inside, tenant_of};
use crate::stack::fresh;
use crate::stack::history::AUDIT;
use crate::stack::mutations::changed;
use crate::stack::tenant::{Tenant, operator};
use crate::stack::waiting::eventually;
use crate::stack::{Stack, setting};

/// The archive of one tenant.
struct Archive {
    stack: Stack,
    tenant: String,
}

impl Archive {
    async fn keys(&self, prefix: &str) -> Vec<String> {
        let request = self.stack.s3().list_objects_v2().bucket(setting("AUDIT_ARCHIVE_BUCKET")).prefix(format!("{prefix}/{}/", self.tenant));
        let found = request.send().await.unwrap();
        found.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    async fn bytes(&self, key: &str) -> Vec<u8> {
        let object = self.stack.s3().get_object().bucket(setting("AUDIT_ARCHIVE_BUCKET")).key(key).send().await.unwrap();
        object.body.collect().await.unwrap().to_vec()
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) {
        self.stack.s3().put_object().bucket(setting("AUDIT_ARCHIVE_BUCKET")).key(key).body(bytes.into()).send().await.unwrap();
    }

    /// The lines of all files of events, each with the key of its file.
    async fn lines(&self) -> Vec<(String, Value)> {
        let mut lines = Vec::new();
        for key in self.keys("events").await {
            lines.extend(unpacked(&self.bytes(&key).await).lines().map(|line| (key.clone(), serde_json::from_str(line).unwrap())));
        }
        lines
    }

    /// The file that holds the event of a contact's version, once it is there.
    async fn file_of(&self, contact: &Value, version: u64) -> String {
        let (_, id) = inside(&contact["id"]);
        let is_it = |line: &Value| line["form"]["entityId"] == *id && line["form"]["version"] == version;
        let look = async || self.lines().await.into_iter().find(|(_, line)| is_it(line));
        eventually("the event is archived", AUDIT, look).await.0
    }

    /// That a version of a file is locked for years, and can't be removed.
    async fn is_locked(&self, key: &str) {
        let (client, bucket) = (self.stack.s3(), setting("AUDIT_ARCHIVE_BUCKET"));
        let file = client.head_object().bucket(&bucket).key(key).send().await.unwrap();
        assert_eq!(file.object_lock_mode(), Some(&ObjectLockMode::Compliance), "{key}");
        let (until, written) = (file.object_lock_retain_until_date().unwrap().secs(), file.last_modified().unwrap().secs());
        let days: i64 = setting("AUDIT_LOCK_DAYS").parse().unwrap();
        assert!(until - written > (days - 1) * 24 * 3_600, "{key}");
        let version = file.version_id().unwrap();
        let refused = client.delete_object().bucket(&bucket).key(key).version_id(version).bypass_governance_retention(true).send().await.unwrap_err();
        assert_eq!(refused.code(), Some("AccessDenied"), "{key}");
        assert!(client.head_object().bucket(&bucket).key(key).version_id(version).send().await.is_ok());
    }
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// What verifying says is wrong; null when nothing is.
async fn problem(api: &Api, what: Value) -> Value {
    let query = "query($id: ID, $day: Date) { auditVerification(entityId: $id, day: $day) { ok entriesChecked firstProblem checkedAt } }";
    let mut found = api.data(query, what).await["auditVerification"].take();
    assert_eq!(found["ok"], json!(found["firstProblem"].is_null()), "{found}");
    assert!(!found["ok"].as_bool().unwrap() || found["entriesChecked"].as_u64().unwrap() > 0, "{found}");
    found["firstProblem"].take()
}

async fn seal(tenant: &Tenant, day: &str) {
    let output = operator(&["audit", "seal", "--day", day, "--tenant", &tenant.slug]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_and_sealed_can_be_verified_and_not_be_changed() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let archive = Archive { stack: tenant.stack.clone(), tenant: tenant_of(api).await };
    let contact = created(api, json!({ "phone": fresh::number().e164(), "name": "Zoé" })).await;
    let file = archive.file_of(&contact, 1).await;
    let day = file.split('/').nth(2).unwrap().to_owned();
    let (_, line) = archive.lines().await.into_iter().find(|(_, line)| line["form"]["action"] == "contact.created").unwrap();
    assert!(line["form"]["changes"].is_string() && !line.to_string().contains("Zo\u{e9}"), "what is about a person is sealed: {line}");

    seal(&tenant, &day).await;
    let (record, of_day, whole) = (json!({ "id": contact["id"] }), json!({ "day": day }), json!({}));
    for what in [&record, &of_day, &whole] {
        assert_eq!(problem(api, what.clone()).await, json!(null), "{what}");
    }

    let before = archive.bytes(&file).await;
    archive.put(&file, packed(&unpacked(&before).replace("contact.created", "contact.updated"))).await;
    let found = problem(api, of_day.clone()).await;
    archive.put(&file, before).await;
    assert!(found.as_str().unwrap().contains("not as they were recorded"), "{found}");
    assert_eq!(problem(api, of_day.clone()).await, json!(null));

    let leaves = archive.keys("leaves").await.pop().unwrap();
    let before = archive.bytes(&leaves).await;
    archive.put(&leaves, before[32..].to_vec()).await;
    for what in [&record, &of_day, &whole] {
        let found = problem(api, what.clone()).await;
        assert!(found.as_str().unwrap().contains("not those that were sealed"), "{what}: {found}");
    }
    archive.put(&leaves, before).await;

    let seals = archive.keys("seals").await;
    assert!(seals.len() >= 2 && seals.last().unwrap().ends_with("/newest.json"), "{seals:?}");
    for key in seals.iter().chain([&leaves, &file]) {
        archive.is_locked(key).await;
    }
    for what in [&record, &of_day, &whole] {
        assert_eq!(problem(api, what.clone()).await, json!(null), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_a_seal_comes_under_the_next_and_the_seals_are_signed_by_the_key_that_is_told() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let archive = Archive { stack: tenant.stack.clone(), tenant: tenant_of(api).await };
    let contact = created(api, json!({ "phone": fresh::number().e164() })).await;
    let file = archive.file_of(&contact, 1).await;
    let day = file.split('/').nth(2).unwrap().to_owned();
    seal(&tenant, &day).await;
    changed(api, "contactUpdate", json!({ "id": contact["id"], "expectedVersion": 1, "name": "Zoé" })).await;
    let next = archive.file_of(&contact, 2).await;
    if next.split('/').nth(2) != Some(day.as_str()) {
        // Midnight came between.
        return;
    }
    assert_eq!(problem(api, json!({ "day": day })).await, json!(null), "a day that isn't over has more than its seal");
    seal(&tenant, &day).await;
    let seals: Vec<String> = archive.keys("seals").await.into_iter().filter(|key| !key.ends_with("newest.json")).collect();
    let names: Vec<&str> = seals.iter().map(|key| key.rsplit('/').next().unwrap()).collect();
    assert!(names.len() >= 2 && names[..2] == ["0000.json", "0001.json"], "{names:?}");
    let mut events = 0;
    for key in &seals {
        let signed: Value = serde_json::from_slice(&archive.bytes(key).await).unwrap();
        let seal: Value = serde_json::from_str(signed["seal"].as_str().unwrap()).unwrap();
        assert!(seal["events"].as_u64().unwrap() > events && signed["key"] == setting("AUDIT_SEAL_KEY"), "{signed}");
        events = seal["events"].as_u64().unwrap();
    }
    for what in [json!({ "id": contact["id"] }), json!({ "day": day }), json!({})] {
        assert_eq!(problem(api, what.clone()).await, json!(null), "{what}");
    }
    let printed = operator(&["audit", "key"]).await;
    let told = api.data("{ auditPublicKey { pem } }", json!({})).await["auditPublicKey"]["pem"].take();
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), told.as_str().unwrap());
    assert!(told.as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"));
}
