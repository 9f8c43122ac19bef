//! Rows that another program gives: refused whole with the field to mend, or imported once, however often they are given with the same key and wherever that stops.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use switchboard_app::imports::{CHUNK_ROWS, GiveRows, ImportServices, RowsMessage, give_rows, handle};
use switchboard_app::{AppError, UserError};
use switchboard_domain::contact::{AttributeValue, ContactDetails};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{Import, ImportKind, ImportOptions, ImportSourceType, ImportStatus, OnExisting, RowCounts};
use switchboard_store::{contacts, imports};
use switchboard_testkit::{Bucket, Fault, Mailbox, World};

use crate::made;

/// The pipeline over a world, with its buckets and its queue. One wire leads to all of them, and nothing is tried again.
pub(crate) struct Pipeline {
    pub(crate) world: World,
    pub(crate) uploads: Bucket,
    pub(crate) services: ImportServices,
    rows: Mailbox,
}

impl Pipeline {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let wire = world.database.wire.clone();
        let (uploads, results, rows) = (Bucket::over(world.clock.clone(), &wire), Bucket::over(world.clock.clone(), &wire), Mailbox::over(&wire));
        let mut services = world.services.clone();
        services.core = world.database.without_retries().core;
        let services = ImportServices { services, uploads: uploads.files(), results: results.files(), rows: rows.queue(), chunk_rows: CHUNK_ROWS };
        Self { world, uploads, services, rows }
    }

    /// Handles messages until there are none.
    pub(crate) async fn work(&self) {
        loop {
            let messages = self.rows.take();
            if messages.is_empty() {
                return;
            }
            for message in messages {
                let message: RowsMessage = serde_json::from_str(&message).unwrap();
                Box::pin(handle(&self.services, &message, false, Instant::now() + Duration::from_secs(60))).await.unwrap();
            }
        }
    }

    /// The import as it is now.
    pub(crate) async fn import(&self, id: ImportId) -> Import {
        imports::get(&self.world.database.core, &self.world.tenant.scope, id).await.unwrap().unwrap()
    }

    /// What is known of the contact at a number.
    pub(crate) async fn details(&self, e164: &str) -> ContactDetails {
        let id = self.world.tenant.keyring.slot(e164);
        contacts::get(&self.world.database.core, &self.world.tenant, &id).await.unwrap().unwrap().contact.details
    }

    async fn give(&self, role: &str, request: &GiveRows) -> Result<Result<Import, Vec<UserError>>, AppError> {
        Box::pin(give_rows(&self.services, &self.world.viewer(role).await, request.clone())).await
    }

    /// Gives rows and follows their import to its end.
    async fn imported(&self, request: &GiveRows) -> Import {
        let id = self.give("admin", request).await.unwrap().unwrap().id;
        self.work().await;
        self.import(id).await
    }

    async fn refused(&self, request: &GiveRows) -> Vec<(String, FieldErrorCode)> {
        let errors = self.give("admin", request).await.unwrap().unwrap_err();
        errors.into_iter().map(|error| (error.error.field, error.error.code)).collect()
    }

    /// How many imports there are.
    async fn count(&self) -> usize {
        imports::newest(&self.world.database.core, &self.world.tenant.scope, None, 1_000).await.unwrap().entries.len()
    }
}

fn rows(kind: ImportKind, rows: Value) -> GiveRows {
    let Value::Array(rows) = rows else { panic!("no list") };
    GiveRows { kind, source_type: ImportSourceType::Api, source_platform: "genesys".to_owned(), rows, options: ImportOptions::default(), idempotency_key: None }
}

fn contacts_of(given: Value) -> GiveRows {
    rows(ImportKind::Contacts, given)
}

fn is(field: &str, code: FieldErrorCode) -> (String, FieldErrorCode) {
    (field.to_owned(), code)
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_written() {
    use FieldErrorCode::{Blank, Invalid, LimitExceeded, TooLong};
    let pipeline = Pipeline::new().await;
    let before = made::everything(&pipeline.world.database).await.len();
    let one = contacts_of(json!([{ "phone": "514-555-0123" }]));
    let options = ImportOptions { default_country: Some("ZZ".to_owned()), ..ImportOptions::default() };
    let wrong = GiveRows { source_type: ImportSourceType::Csv, source_platform: "Five 9".to_owned(), options, ..contacts_of(json!([{ "colour": "red" }])) };
    let expected = [is("sourceType", Invalid), is("sourcePlatform", Invalid), is("defaultCountry", Invalid), is("rows.0.colour", Invalid)];
    assert_eq!(pipeline.refused(&wrong).await, expected);
    for (platform, code) in [("", Blank), (&*"x".repeat(51), TooLong), ("é", Invalid), ("a/b", Invalid)] {
        assert_eq!(pipeline.refused(&GiveRows { source_platform: platform.to_owned(), ..one.clone() }).await, [is("sourcePlatform", code)], "{platform}");
    }
    let many = contacts_of(json!(vec![json!({ "phone": "514-555-0123" }); 1_001]));
    assert_eq!(pipeline.refused(&many).await, [is("rows", LimitExceeded)]);
    assert_eq!(pipeline.refused(&contacts_of(json!([{ "phone": "1" }, {}]))).await, [is("rows.1", Blank)]);
    assert_eq!(made::everything(&pipeline.world.database).await.len(), before);
    assert!(pipeline.uploads.keys().is_empty() && pipeline.rows.take().is_empty());
}

#[tokio::test]
async fn who_may_not_do_with_one_record_what_rows_do_with_many_is_refused() {
    let pipeline = Pipeline::new().await;
    let contacts = contacts_of(json!([{ "phone": "514-555-0123" }]));
    let agents = rows(ImportKind::Agents, json!([{ "email": "zoe@example.com", "name": "Zoé" }]));
    let numbers = rows(ImportKind::Suppressions, json!([{ "phone": "514-555-0124", "reason": "asked" }]));
    for role in ["supervisor", "telephonist", "agent"] {
        for request in [&contacts, &numbers] {
            assert!(matches!(pipeline.give(role, request).await, Err(AppError::Forbidden)), "{role}");
        }
    }
    for role in ["telephonist", "agent"] {
        assert!(matches!(pipeline.give(role, &agents).await, Err(AppError::Forbidden)), "{role}");
    }
    assert!(pipeline.give("supervisor", &agents).await.unwrap().is_ok(), "supervisors import agents");
    for request in [&contacts, &numbers] {
        assert!(pipeline.give("manager", request).await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn rows_without_a_worker_fail_their_import_unless_they_can_be_asked_for_again() {
    let pipeline = Pipeline::new().await;
    let request = contacts_of(json!([{ "phone": "514-555-0123" }]));
    // The file, the import, its chunk, the plan: then the message.
    pipeline.world.database.wire.break_write(4, Fault::CutBefore);
    assert!(pipeline.give("admin", &request).await.is_err());
    assert!(pipeline.world.database.wire.mend());
    let found = imports::newest(&pipeline.world.database.core, &pipeline.world.tenant.scope, None, 10).await.unwrap().entries;
    let [import] = &found[..] else { panic!("{found:?}") };
    assert_eq!(import.status, ImportStatus::Failed);
    assert!(import.failure_reason.as_ref().unwrap().starts_with("The rows could not be handed to a worker."));
}

#[tokio::test]
async fn wherever_the_giving_stops_the_same_key_goes_on_with_it() {
    let pipeline = Pipeline::new().await;
    let wire = &pipeline.world.database.wire;
    let mut given = 0;
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for left in 0.. {
            given += 1;
            let key = Some(format!("{fault:?} {left}"));
            let request = GiveRows { idempotency_key: key, ..contacts_of(json!([{ "phone": format!("514-555-{given:04}") }, { "phone": "12" }])) };
            let viewer = pipeline.world.viewer("admin").await;
            wire.cut_for_good(left, fault);
            let first = Box::pin(give_rows(&pipeline.services, &viewer, request.clone())).await;
            let is_cut = wire.mend();
            assert_eq!(first.is_err(), is_cut, "{fault:?} {left}");
            let import = pipeline.imported(&request).await;
            assert_eq!(import.counts, RowCounts { created: 1, failed: 1, ..RowCounts::default() }, "{fault:?} {left}");
            assert_eq!((import.status, pipeline.count().await), (ImportStatus::CompletedWithErrors, given), "{fault:?} {left}");
            if !is_cut {
                assert!(left > 4, "{left} requests are too few");
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_same_key_is_one_import_and_no_other() {
    let pipeline = Pipeline::new().await;
    let with_key = |phone: &str| GiveRows { idempotency_key: Some("key".to_owned()), ..contacts_of(json!([{ "phone": phone, "name": "Zoé" }])) };
    let at_once = [with_key("514-555-0123"), with_key("514-555-0123"), with_key("514-555-0123")];
    let found = join_all(at_once.iter().map(|request| pipeline.give("admin", request))).await;
    let ids: Vec<ImportId> = found.into_iter().map(|answer| answer.unwrap().unwrap().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let import = pipeline.imported(&with_key("514-555-0123")).await;
    assert_eq!((import.id, import.counts.created, pipeline.count().await), (ids[0], 1, 1));
    assert_eq!(pipeline.imported(&with_key("514-555-0123")).await, import, "nor is it done again once it has ended");
    assert_eq!(pipeline.refused(&with_key("514-555-0124")).await, [is("idempotencyKey", FieldErrorCode::Conflict)]);
    assert_eq!(pipeline.imported(&contacts_of(json!([{ "phone": "514-555-0123", "name": "Zoé" }]))).await.counts.unchanged, 1);
}

#[tokio::test]
async fn every_row_is_counted_and_the_import_says_where_it_came_from() {
    let pipeline = Pipeline::new().await;
    let request = contacts_of(json!([
        { "phone": "514-555-0123", "name": "First" },
        { "phone": "nonsense", "name": "=2+2" },
        { "phone": 5_145_550_123_u64, "name": "Last" },
        { "phone": "514-555-0124", "postalCode": "ZZZ", "country": "CA" },
        { "name": "Nobody" },
    ]));
    let import = pipeline.imported(&request).await;
    assert_eq!(import.counts, RowCounts { created: 2, skipped: 1, failed: 2, warned: 1, ..RowCounts::default() });
    assert_eq!((import.rows_total, import.counts.total(), import.status), (Some(5), 5, ImportStatus::CompletedWithErrors));
    assert_eq!((import.source_type, import.source_platform.as_str(), import.file_name.as_str()), (ImportSourceType::Api, "genesys", "rows from genesys"));
    let viewer = pipeline.world.viewer("admin").await;
    assert_eq!(import.created_by.id, Some(viewer.user.id.to_string()));
    assert_eq!(import.last_change.unwrap().action, "import.created");
    assert_eq!(pipeline.details("+15145550123").await.name.as_deref(), Some("Last"));
    assert_eq!(pipeline.uploads.keys(), [format!("rows/{}/{}.csv", pipeline.world.tenant.record.id, import.id)]);
}

#[tokio::test]
async fn values_come_through_as_they_were_given_and_options_are_followed() {
    let pipeline = Pipeline::new().await;
    let text = "=1+1, \"a\"\nb";
    let request = contacts_of(json!([
        { "phone": "+1 514 555 0123", "name": "=1+1", "city": "N/A", "region": null, "alternatePhones": ["514-555-0124", "514-555-0125"],
          "attributes": { "remark": text, "quoted": "'=2", "rooms": 7, "vip": true } },
    ]));
    assert_eq!(pipeline.imported(&request).await.counts, RowCounts { created: 1, ..RowCounts::default() });
    let details = pipeline.details("+15145550123").await;
    assert_eq!((details.name.as_deref(), details.city, details.region), (Some("=1+1"), None, None));
    assert_eq!(details.alternate_phones, ["+15145550124", "+15145550125"]);
    let said = |text: &str| Some(AttributeValue::String(text.to_owned()));
    let found = ["remark", "quoted", "rooms", "vip"].map(|name| details.attributes.get(name).cloned());
    assert_eq!(found, [said(text), said("'=2"), said("7"), said("true")]);

    let options = ImportOptions { on_existing: OnExisting::Skip, ..ImportOptions::default() };
    let again = GiveRows { options, ..contacts_of(json!([{ "phone": "514-555-0123", "name": "Another" }])) };
    assert_eq!(pipeline.imported(&again).await.counts, RowCounts { skipped: 1, ..RowCounts::default() });
    assert_eq!(pipeline.details("+15145550123").await.name.as_deref(), Some("=1+1"));
}

#[tokio::test]
async fn as_many_rows_as_are_taken_at_once_are_imported() {
    let pipeline = Pipeline::new().await;
    let given: Vec<Value> = (0..1_000).map(|number| json!({ "phone": format!("514-555-{number:04}"), "attributes": { "note": "x".repeat(900) } })).collect();
    let import = pipeline.imported(&contacts_of(json!(given))).await;
    assert_eq!((import.counts, import.status), (RowCounts { created: 1_000, ..RowCounts::default() }, ImportStatus::Completed));
}
