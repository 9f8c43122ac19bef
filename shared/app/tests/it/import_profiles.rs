//! Mappings kept under names: saved with an import's mapping, replaced, deleted, and used by files dropped in the folder of their name.

use jiff::Timestamp;
use switchboard_app::audit::Report;
use switchboard_app::imports::{DroppedFile, ImportServices, MappedColumn, Received, SetMapping, delete_profile, profiles, receive, set_mapping};
use switchboard_app::{AppError, UserError};
use switchboard_domain::audit::{Changes, Place};
use switchboard_domain::change::Origin;
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::AttributeValue;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{Import, ImportKind, ImportOptions, ImportStatus, MOST_PROFILES, OnExisting, Phase, Profile, ProfileKey};
use switchboard_store::item::Item;
use switchboard_store::{import_profiles, imports, keys};
use switchboard_testkit::Fault;

use crate::import_rows_given::Pipeline;
use crate::made;

/// An import that waits for its mapping, of a file with these columns.
async fn waiting(pipeline: &Pipeline, seed: u8, header: &str) -> ImportId {
    let (begun, _) = made::import(&pipeline.world, seed, &format!("{header}\n514-555-0123\n"));
    let import = Import {
        status: ImportStatus::Ready,
        phase: Phase::Planned,
        writes: false,
        check_run: 0,
        chunks_checked: 0,
        checked_run: 0,
        write_run: 0,
        started_at: None,
        writing_since: None,
        ..begun
    };
    imports::create(&pipeline.world.database.core, &pipeline.world.tenant.scope, import).await.unwrap().id
}

fn mapped(id: ImportId, columns: &[(&str, &str)], name: &str) -> SetMapping {
    let column = |(column, field): &(&str, &str)| MappedColumn { column: (*column).to_owned(), field: Some((*field).to_owned()), default: None };
    SetMapping { id: Some(id), columns: columns.iter().map(column).collect(), options: ImportOptions::default(), save_as_profile: Some(name.to_owned()) }
}

async fn save(pipeline: &Pipeline, request: SetMapping) -> Result<Import, Vec<UserError>> {
    let viewer = pipeline.world.viewer("admin").await;
    Box::pin(set_mapping(&pipeline.services, &viewer, request)).await.unwrap()
}

async fn listed(pipeline: &Pipeline) -> Vec<Profile> {
    profiles(&pipeline.services.services, &pipeline.world.viewer("manager").await).await.unwrap()
}

async fn delete(pipeline: &Pipeline, name: &str) -> Result<Profile, Vec<UserError>> {
    delete_profile(&pipeline.services.services, &pipeline.world.viewer("admin").await, name).await.unwrap()
}

/// What is kept under a name, also once it was deleted.
async fn kept(pipeline: &Pipeline, name: &str) -> Option<Item> {
    let scope = &pipeline.world.tenant.scope;
    let key = keys::import_profile(scope, &ProfileKey::of(name).unwrap());
    pipeline.world.database.core.get(scope, &key).await.unwrap()
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

#[tokio::test]
async fn what_no_folder_can_be_called_is_refused_and_nothing_is_kept() {
    let pipeline = Pipeline::new().await;
    let id = waiting(&pipeline, 1, "phone,note").await;
    for (name, code) in [(" ", FieldErrorCode::Blank), ("a/b", FieldErrorCode::Invalid), (".a", FieldErrorCode::Invalid), (&*"x".repeat(51), FieldErrorCode::TooLong)] {
        let errors = save(&pipeline, mapped(id, &[("note", "city")], name)).await.unwrap_err();
        assert_eq!(codes(&errors), [("saveAsProfile", code)], "{name}");
    }
    assert!(listed(&pipeline).await.is_empty());
    assert!(pipeline.import(id).await.mapping.iter().all(|column| column.confidence < 1.0 || column.column == "phone"), "nor is the import mapped");
    assert_eq!(codes(&delete(&pipeline, "weekly").await.unwrap_err()), [("name", FieldErrorCode::NotFound)]);
    assert_eq!(codes(&delete(&pipeline, "a/b").await.unwrap_err()), [("name", FieldErrorCode::NotFound)]);
}

#[tokio::test]
async fn who_may_not_is_refused() {
    let pipeline = Pipeline::new().await;
    let id = waiting(&pipeline, 1, "phone,note").await;
    let admin = pipeline.world.viewer("admin").await;
    Box::pin(set_mapping(&pipeline.services, &admin, mapped(id, &[("note", "city")], "weekly"))).await.unwrap().unwrap();
    for role in ["supervisor", "telephonist", "agent"] {
        let viewer = pipeline.world.viewer(role).await;
        let saved = Box::pin(set_mapping(&pipeline.services, &viewer, mapped(id, &[("note", "city")], "weekly"))).await;
        // Contacts are none of theirs to import: as if there were no such import.
        let is_refused = matches!((saved, role), (Err(AppError::NotFound), "supervisor") | (Err(AppError::Forbidden), "telephonist" | "agent"));
        assert!(is_refused, "{role}");
        // Who imports agents sees what is kept.
        assert_eq!(matches!(profiles(&pipeline.services.services, &viewer).await, Err(AppError::Forbidden)), role != "supervisor", "{role}");
        let deleted = delete_profile(&pipeline.services.services, &viewer, "weekly").await;
        let is_refused = if role == "supervisor" { matches!(deleted, Ok(Err(_))) } else { matches!(deleted, Err(AppError::Forbidden)) };
        assert!(is_refused, "{role}");
    }
}

#[tokio::test]
async fn there_are_at_most_a_hundred_and_one_that_is_there_can_still_be_replaced() {
    let pipeline = Pipeline::new().await;
    let (core, scope) = (&pipeline.world.database.core, &pipeline.world.tenant.scope);
    for number in 0..MOST_PROFILES {
        let input = Profile::of(&format!("weekly {number}"), ImportKind::Contacts, &[], &ImportOptions::default()).unwrap();
        let profile = Profile::saved(None, input, Timestamp::UNIX_EPOCH, Origin::system()).unwrap();
        assert!(import_profiles::save(core, scope, &profile, None).await.unwrap());
    }
    let id = waiting(&pipeline, 1, "phone,note").await;
    let errors = save(&pipeline, mapped(id, &[("note", "city")], "one more")).await.unwrap_err();
    assert_eq!(codes(&errors), [("saveAsProfile", FieldErrorCode::LimitExceeded)]);
    save(&pipeline, mapped(id, &[("note", "city")], "Weekly 7")).await.unwrap();
    delete(&pipeline, "weekly 8").await.unwrap();
    save(&pipeline, mapped(id, &[("note", "city")], "one more")).await.unwrap();
    assert_eq!(listed(&pipeline).await.len(), MOST_PROFILES);
}

#[tokio::test]
async fn a_name_is_one_profile_whatever_its_capitals_and_accents() {
    let pipeline = Pipeline::new().await;
    let id = waiting(&pipeline, 1, "phone,note").await;
    save(&pipeline, mapped(id, &[("note", "city")], "Été")).await.unwrap();
    save(&pipeline, mapped(id, &[("note", "city")], "Été")).await.unwrap();
    assert_eq!(listed(&pipeline).await[0].record.version, 1, "what it says already isn't written");
    save(&pipeline, mapped(id, &[("note", "region")], "ete")).await.unwrap();
    let found = listed(&pipeline).await;
    let [profile] = &found[..] else { panic!("{found:?}") };
    assert_eq!((profile.name.as_str(), profile.record.version, profile.columns.len()), ("ete", 2, 2));
    let was = delete(&pipeline, "ÉTÉ").await.unwrap();
    assert_eq!((was.name.as_str(), was.columns.len()), ("ete", 2));
    assert!(listed(&pipeline).await.is_empty() && delete(&pipeline, "ete").await.is_err());
    save(&pipeline, mapped(id, &[("note", "city")], "Été")).await.unwrap();
    assert_eq!(listed(&pipeline).await[0].record.version, 4, "its trail goes on");
}

#[tokio::test]
async fn what_was_written_without_an_answer_is_written_once() {
    let pipeline = Pipeline::new().await;
    // The client of the world tries again what isn't answered.
    let services = ImportServices { services: pipeline.world.services.clone(), ..pipeline.services.clone() };
    let id = waiting(&pipeline, 1, "phone,note").await;
    let viewer = pipeline.world.viewer("admin").await;
    for (name, fault) in [("before", Fault::CutBefore), ("after", Fault::CutAfter)] {
        pipeline.world.database.wire.cut_next("PutItem", fault);
        Box::pin(set_mapping(&services, &viewer, mapped(id, &[("note", "city")], name))).await.unwrap().unwrap();
        let saved = import_profiles::find(&pipeline.world.database.core, &pipeline.world.tenant.scope, name).await.unwrap().unwrap();
        assert_eq!(saved.record.version, 1, "{fault:?}");
        pipeline.world.database.wire.cut_next("PutItem", fault);
        let was = delete_profile(&services.services, &viewer, name).await.unwrap().unwrap();
        assert_eq!((was.is_live(), was.columns.len()), (false, 2), "{fault:?}");
    }
    assert!(listed(&pipeline).await.is_empty());
}

#[tokio::test]
async fn each_change_is_on_record() {
    let pipeline = Pipeline::new().await;
    let (world, recorder) = (&pipeline.world, made::recorder(&pipeline.world));
    let id = waiting(&pipeline, 1, "phone,note").await;
    save(&pipeline, mapped(id, &[("note", "city")], "Été")).await.unwrap();
    let first = kept(&pipeline, "été").await.unwrap();
    save(&pipeline, mapped(id, &[("note", "region")], "Été")).await.unwrap();
    let second = kept(&pipeline, "été").await.unwrap();
    delete(&pipeline, "été").await.unwrap();
    let third = kept(&pipeline, "été").await.unwrap();
    let records = vec![made::inserted(&first), made::changed(&first, &second), made::changed(&second, &third)];
    assert_eq!(recorder.record(records).await.unwrap(), Report { recorded: 3, ..Report::default() });
    let expected = [
        ("import_profile.created", vec!["blankCells", "columns", "createTeams", "kind", "name", "onDeleted", "onExisting", "onInvalid"]),
        ("import_profile.updated", vec!["columns"]),
        ("import_profile.deleted", vec!["columns", "deletedAt"]),
    ];
    for (version, (action, fields)) in (1..).zip(expected) {
        let event = world.database.audit.get(world.tenant.record.id, "import_profile", "ete", &Place::Version(version)).await.unwrap().unwrap().event;
        let Changes::Clear(changes) = &event.changes else { panic!("{event:?}") };
        assert_eq!((event.change.action.as_str(), changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>()), (action, fields));
        assert_eq!(event.change.origin.actor.id, Some(world.user_id("admin").to_string()));
    }
}

/// Drops a file in the folder of a profile and follows its import to its end.
async fn dropped(pipeline: &Pipeline, name: &str, text: &str) -> Import {
    let key = format!("drop/{}/{name}", pipeline.world.tenant.record.slug);
    pipeline.uploads.put(&key, text.as_bytes().to_vec());
    let (_, tag) = pipeline.services.uploads.get_tagged(&key).await.unwrap().unwrap();
    let file = DroppedFile { key, tag, bytes: text.len() as u64, sequencer: "1".to_owned(), at: pipeline.world.clock.now() };
    let id = match Box::pin(receive(&pipeline.services, &file)).await.unwrap() {
        Received::Planned(id) | Received::Failed(id, _) => id,
        Received::Rejected(why) => panic!("{why}"),
    };
    pipeline.work().await;
    pipeline.import(id).await
}

#[tokio::test]
async fn a_file_in_the_folder_of_a_profile_is_mapped_by_it() {
    let pipeline = Pipeline::new().await;
    let id = waiting(&pipeline, 1, "Ligne,Réf").await;
    let request = mapped(id, &[("Ligne", "phone"), ("Réf", "attributes.reference")], "Été");
    let options = ImportOptions { on_existing: OnExisting::Skip, ..ImportOptions::default() };
    save(&pipeline, SetMapping { options: options.clone(), ..request }).await.unwrap();

    let import = dropped(&pipeline, "ÉTÉ/a.csv", "ref;LIGNE;phone\nA-1;514-555-0123;514-555-0199\n").await;
    assert_eq!((import.status, import.counts.created, import.options), (ImportStatus::Completed, 1, options));
    assert_eq!(import.profile.as_deref(), Some("ÉTÉ"));
    let attributes = pipeline.details("+15145550123").await.attributes;
    let text = |text: &str| Some(AttributeValue::String(text.to_owned()));
    assert_eq!((attributes.get("reference").cloned(), attributes.get("phone").cloned()), (text("A-1"), text("514-555-0199")));

    delete(&pipeline, "été").await.unwrap();
    for folder in ["ÉTÉ", "never kept"] {
        let import = dropped(&pipeline, &format!("{folder}/b.csv"), "phone\n514-555-0123\n").await;
        assert_eq!(import.status, ImportStatus::Failed, "{folder}");
        assert!(import.failure_reason.as_ref().unwrap().contains(&format!("There is no mapping profile named {folder}.")), "{import:?}");
    }
}
