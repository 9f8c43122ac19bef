//! Scoring models: created, changed, deleted, tried out, activated, and learned.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use jiff::SignedDuration;
use switchboard_app::bulk::{self, AskedAction, BulkMessage, StartBulk, Stopped, change_contacts};
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::imports::write_rows;
use switchboard_app::scoring::models::train::{self, StartTraining, TrainingMessage, train_model};
use switchboard_app::scoring::models::{
    self, ActivateModel, ActivatedModel, CreateModel, DeleteModel, Explainer, KeptModel, ListedModel, PreviewModel, PreviewOf, UpdateModel,
};
use switchboard_app::statuses::{self, CreateStatus, DeleteStatus, UpdateStatus};
use switchboard_app::{AppError, Services, UserError};
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus, ContactOutcome, Outcome as ContactWas};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactFilter, ContactInput};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{ContactId, ScoringModelId};
use switchboard_domain::scoring::training::{Outcome, TrainingChoice};
use switchboard_domain::scoring::{FactorInput, RuleInput, pipeline, standard};
use switchboard_domain::scoring_training::ScoringTraining;
use switchboard_domain::status::{StatusInput, StatusPatch};
use switchboard_store::{bulk_jobs, contacts as store, scoring_models};
use switchboard_testkit::{Fault, Mailbox, World};

use crate::made;
use crate::scoring_rescore::{assert_right, fresh};

/// Everything for whoever has an assignee: a model of one factor.
fn assigned(points: f64) -> Vec<FactorInput> {
    let rule = RuleInput::Assignment { assigned: points, unassigned: 0.0 };
    vec![FactorInput { name: "assigned".to_owned(), maximum: points, reason: None, rule }]
}

fn copy(name: &str) -> CreateModel {
    CreateModel { name: name.to_owned(), copy_of: Some(Some(ScoringModelId::PIPELINE)), ..CreateModel::default() }
}

async fn created(world: &World, request: CreateModel) -> ListedModel {
    models::create(&world.services, &world.viewer("admin").await, request).await.unwrap().unwrap()
}

fn version(model: &ListedModel) -> i32 {
    i32::try_from(model.model.version()).unwrap()
}

fn renamed(model: &ListedModel, name: &str) -> UpdateModel {
    UpdateModel { id: Some(model.model.id()), expected_version: version(model), name: Some(Some(name.to_owned())), factors: None }
}

fn deletion(model: &ListedModel) -> DeleteModel {
    DeleteModel { id: Some(model.model.id()), expected_version: version(model) }
}

fn activation(id: ScoringModelId) -> ActivateModel {
    ActivateModel { id: Some(id), expected_version: None }
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

async fn names(world: &World) -> Vec<String> {
    models::list(&world.services, &world.viewer("admin").await).await.unwrap().into_iter().map(|listed| listed.model.name().to_owned()).collect()
}

/// A world whose jobs go into a box.
async fn world() -> World {
    let mut world = World::new().await;
    world.services.bulk_queue = Mailbox::default().queue();
    world.services.score_train_queue = Mailbox::default().queue();
    world
}

async fn contact(world: &World, phone: &str, source: &str) -> ContactId {
    let input = ContactInput { phone: phone.to_owned(), source: Some(source.to_owned()), ..ContactInput::default() };
    contacts::create(&world.services, &world.viewer("admin").await, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap().id
}

async fn read(world: &World, id: &ContactId) -> Contact {
    store::get(&world.services.core, &world.tenant, id).await.unwrap().unwrap().contact
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(1_200)
}

/// Works on the job of an activation until it ends; what became of the contacts.
async fn rescored(world: &World, activated: &ActivatedModel) -> Vec<ContactWas> {
    ended(world, activated.job.as_ref().unwrap()).await
}

/// Works on a job that scores contacts until it ends; what became of the contacts.
async fn ended(world: &World, job: &BulkJob) -> Vec<ContactWas> {
    assert_eq!(job.action, BulkAction::Rescore);
    let message = BulkMessage { tenant: world.tenant.record.id, job: job.id };
    let outcomes = std::sync::Mutex::new(Vec::new());
    let keep = async |_: u32, batch: &[ContactWas]| {
        outcomes.lock().unwrap().extend(batch.to_vec());
        Ok::<(), AppError>(())
    };
    assert_eq!(change_contacts(&world.services, &message, later(), &keep).await.unwrap(), Stopped::Ended);
    let ended = bulk_jobs::get(&world.services.core, &world.tenant, job.id).await.unwrap().unwrap();
    assert_eq!(ended.status, BulkJobStatus::Completed);
    outcomes.into_inner().unwrap()
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let before = made::everything(&world.database).await.len();
    let of = |factors: Vec<FactorInput>| CreateModel { name: "Ours".to_owned(), factors: Some(factors), ..CreateModel::default() };
    let both = CreateModel { factors: Some(assigned(100.0)), ..copy("Ours") };
    let nothing = CreateModel { name: "Ours".to_owned(), ..CreateModel::default() };
    let unknown = CreateModel { copy_of: Some(None), ..copy("Ours") };
    for (request, expected) in [
        (of(Vec::new()), ("factors", FieldErrorCode::Blank)),
        (of(assigned(99.0)), ("factors", FieldErrorCode::Invalid)),
        (both, ("copyOf", FieldErrorCode::Invalid)),
        (nothing, ("factors", FieldErrorCode::Blank)),
        (unknown, ("copyOf", FieldErrorCode::NotFound)),
        (copy(" "), ("name", FieldErrorCode::Blank)),
        (copy(&standard().name.to_uppercase()), ("name", FieldErrorCode::Taken)),
    ] {
        let errors = models::create(&world.services, &viewer, request).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [expected]);
    }
    assert_eq!(made::everything(&world.database).await.len(), before);
}

#[tokio::test]
async fn a_supervisor_sees_models_a_manager_makes_them_and_others_neither() {
    let world = world().await;
    let services = &world.services;
    for role in ["telephonist", "agent"] {
        let viewer = world.viewer(role).await;
        assert!(matches!(models::list(services, &viewer).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(models::get(services, &viewer, ScoringModelId::STANDARD).await, Err(AppError::Forbidden)), "{role}");
    }
    let supervisor = world.viewer("supervisor").await;
    assert_eq!(models::list(services, &supervisor).await.unwrap().len(), 2);
    assert!(matches!(models::create(services, &supervisor, copy("Ours")).await, Err(AppError::Forbidden)));
    assert!(matches!(models::activate(services, &supervisor, activation(ScoringModelId::PIPELINE)).await, Err(AppError::Forbidden)));
    let manager = world.viewer("manager").await;
    let made = models::create(services, &manager, copy("Ours")).await.unwrap().unwrap();
    models::delete(services, &manager, deletion(&made)).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_id_that_names_no_model_is_not_found() {
    let world = World::new().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    for id in [None, Some(ScoringModelId::new(world.clock.now(), &[9; 10]))] {
        let update = UpdateModel { id, expected_version: 1, ..UpdateModel::default() };
        assert!(matches!(models::update(services, &viewer, update).await, Err(AppError::NotFound)));
        assert!(matches!(models::delete(services, &viewer, DeleteModel { id, expected_version: 1 }).await, Err(AppError::NotFound)));
        assert!(matches!(models::activate(services, &viewer, ActivateModel { id, expected_version: None }).await, Err(AppError::NotFound)));
        let preview = PreviewModel { of: PreviewOf::Model(id), contacts: None, sample: None };
        assert!(matches!(models::preview(services, &viewer, preview).await, Err(AppError::NotFound)));
    }
}

#[tokio::test]
async fn a_preset_is_copied_not_changed() {
    let world = World::new().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    let preset = models::get(services, &viewer, ScoringModelId::PIPELINE).await.unwrap().unwrap();
    let refused = [("id", FieldErrorCode::NotAllowed)];
    assert_eq!(codes(&models::update(services, &viewer, renamed(&preset, "Ours")).await.unwrap().unwrap_err()), refused);
    assert_eq!(codes(&models::delete(services, &viewer, deletion(&preset)).await.unwrap().unwrap_err()), refused);
    let copied = created(&world, copy("Ours")).await;
    assert_eq!(copied.model.factors(), pipeline().factors);
}

#[tokio::test]
async fn a_model_lives_from_its_creation_to_its_deletion() {
    let world = World::new().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    let made = created(&world, copy("Ours")).await;
    created(&world, copy("Été")).await;
    assert_eq!(names(&world).await, [standard().name, pipeline().name, "Été".to_owned(), "Ours".to_owned()]);

    let same = models::update(services, &viewer, renamed(&made, "Ours")).await.unwrap().unwrap();
    assert_eq!(same.model.version(), 1, "nothing changed");
    let taken = models::update(services, &viewer, renamed(&made, "ETE")).await.unwrap().unwrap_err();
    assert_eq!(codes(&taken), [("name", FieldErrorCode::Taken)]);
    let empty = UpdateModel { name: Some(None), factors: Some(None), ..renamed(&made, "") };
    let empty = models::update(services, &viewer, empty).await.unwrap().unwrap_err();
    assert_eq!(codes(&empty), [("name", FieldErrorCode::Blank), ("factors", FieldErrorCode::Blank)]);
    let changed = UpdateModel { factors: Some(Some(assigned(100.0))), ..renamed(&made, "Assigned") };
    let changed = models::update(services, &viewer, changed).await.unwrap().unwrap();
    assert_eq!((changed.model.name(), changed.model.version(), changed.model.factors().len()), ("Assigned", 2, 1));

    assert_eq!(codes(&models::delete(services, &viewer, deletion(&made)).await.unwrap().unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
    models::delete(services, &viewer, deletion(&changed)).await.unwrap().unwrap();
    // The same request at the same moment would be the same deletion, whose answer was lost.
    world.clock.advance(SignedDuration::from_millis(1));
    assert!(matches!(models::delete(services, &viewer, deletion(&changed)).await, Err(AppError::NotFound)));
    assert_eq!(names(&world).await, [standard().name, pipeline().name, "Été".to_owned()]);
    let left = models::get(services, &viewer, made.model.id()).await.unwrap().unwrap();
    assert!(matches!(&left.model, KeptModel::Own(model) if model.deleted_at.is_some() && model.factors.is_empty() && model.record.version == 3));
    created(&world, copy("assigned")).await;
}

#[tokio::test]
async fn of_8_concurrent_creations_of_one_name_one_wins_and_different_names_all_do() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let outcomes = join_all((0..8).map(|_| models::create(&world.services, &viewer, copy("Ours")))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for errors in lost {
        assert_eq!(codes(&errors.unwrap_err()), [("name", FieldErrorCode::Taken)]);
    }
    let names = ["One", "Two", "Three"];
    let outcomes = join_all(names.map(|name| models::create(&world.services, &viewer, copy(name)))).await;
    assert!(outcomes.into_iter().all(|outcome| outcome.unwrap().is_ok()));
    let kept = scoring_models::load(&world.services.core, &world.tenant.scope).await.unwrap();
    assert_eq!((kept.models.len(), kept.revision), (4, 4));
}

#[tokio::test]
async fn of_two_updates_with_one_expected_version_the_later_is_stale() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let model = created(&world, copy("Ours")).await;
    let colleague = world.viewer_in_request("admin", "another request").await;
    let (one, other) =
        join(models::update(&world.services, &viewer, renamed(&model, "One")), models::update(&world.services, &colleague, renamed(&model, "Other"))).await;
    let (won, lost): (Vec<_>, Vec<_>) = [one.unwrap(), other.unwrap()].into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    assert_eq!(codes(lost[0].as_ref().unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
}

#[tokio::test]
async fn the_same_key_and_input_answer_with_the_model_made_before() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let keyed = |request: CreateModel| CreateModel { idempotency_key: Some("key".to_owned()), ..request };
    let first = created(&world, keyed(copy("Ours"))).await;
    assert_eq!(created(&world, keyed(copy("Ours"))).await, first);
    let other = models::create(&world.services, &viewer, keyed(copy("Other"))).await.unwrap().unwrap_err();
    assert_eq!(codes(&other), [("idempotencyKey", FieldErrorCode::Conflict)]);
    let of = |points: f64| CreateModel { name: "Assigned".to_owned(), factors: Some(assigned(points)), idempotency_key: Some("other".to_owned()), copy_of: None };
    let first = created(&world, of(100.0)).await;
    assert_eq!(created(&world, of(100.0)).await, first);
}

#[tokio::test]
async fn activating_a_model_scores_everybody_by_the_version_there_is_and_once_more_does_nothing() {
    let world = world().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    let ids = [contact(&world, "514-555-0101", "referral").await, contact(&world, "514-555-0102", "import").await];
    let first = read(&world, &ids[0]).await;
    assert_eq!(first.score.as_ref().unwrap().model, standard().version);

    let made = created(&world, copy("Ours")).await;
    let stale = ActivateModel { expected_version: Some(7), ..activation(made.model.id()) };
    assert_eq!(codes(&models::activate(services, &viewer, stale).await.unwrap().unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
    let activated = models::activate(services, &viewer, activation(made.model.id())).await.unwrap().unwrap();
    assert!(!activated.was_active && activated.model.active_version == Some(1));
    let outcomes = rescored(&world, &activated).await;
    assert_eq!(outcomes.len(), 2);
    for id in &ids {
        let contact = read(&world, id).await;
        let score = contact.score.unwrap();
        assert_eq!((score.model.model, score.model.version), (made.model.id(), 1));
        assert_eq!(contact.record.version, 1, "a score is technical");
        assert!(score.previous.is_some());
    }
    world.clock.advance(SignedDuration::from_millis(1));
    let again = models::activate(services, &viewer, activation(made.model.id())).await.unwrap().unwrap();
    assert!(again.was_active && again.job.is_none());

    // A change of the model scores nobody until it is activated again.
    let changed = models::update(services, &viewer, UpdateModel { factors: Some(Some(assigned(100.0))), ..renamed(&made, "Ours") }).await.unwrap().unwrap();
    assert_eq!((changed.model.version(), changed.active_version), (2, Some(1)));
    let settings = services.tenants.settings(&world.tenant.scope).await.unwrap();
    assert_eq!(settings.scorer.model.version.version, 1);
    let before = read(&world, &ids[0]).await.score.unwrap();
    let activated = models::activate(services, &viewer, activation(made.model.id())).await.unwrap().unwrap();
    rescored(&world, &activated).await;
    let score = read(&world, &ids[0]).await.score.unwrap();
    assert_eq!((score.model.version, score.value), (2, 0));
    // Scores by the version before still have their words.
    let settings = services.tenants.settings(&world.tenant.scope).await.unwrap();
    let explainer = Explainer::new(services, &world.tenant, &settings);
    assert_eq!(explainer.model_of(before.model).await.unwrap().unwrap().factors, pipeline().factors);
    assert_eq!(explainer.explain(&before).await.unwrap().components.len(), pipeline().factors.len());
    assert_eq!(explainer.explain(&score).await.unwrap().components.len(), 1);
}

#[tokio::test]
async fn the_preset_that_a_tenant_begins_with_is_in_force_already() {
    let world = world().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    let first = models::activate(services, &viewer, activation(ScoringModelId::STANDARD)).await.unwrap().unwrap();
    assert!(first.was_active && first.job.is_none());
    let other = models::activate(services, &viewer, activation(ScoringModelId::PIPELINE)).await.unwrap().unwrap();
    assert!(!other.was_active && other.job.is_some());
    let listed = models::list(services, &viewer).await.unwrap();
    assert_eq!(listed.iter().map(|listed| listed.active_version).collect::<Vec<_>>(), [None, Some(1)]);
}

#[tokio::test]
async fn the_model_in_force_is_not_deleted_and_a_deleted_one_never_in_force() {
    let world = world().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    for name in ["One", "Two", "Three", "Four"] {
        let made = created(&world, copy(name)).await;
        let (activated, deleted) = join(models::activate(services, &viewer, activation(made.model.id())), models::delete(services, &viewer, deletion(&made))).await;
        match deleted.unwrap() {
            Ok(_) => assert!(matches!(activated, Err(AppError::NotFound))),
            Err(errors) => {
                assert_eq!(codes(&errors), [("id", FieldErrorCode::InUse)]);
                activated.unwrap().unwrap();
            }
        }
    }
    let kept = scoring_models::load(&services.core, &world.tenant.scope).await.unwrap();
    if let Some(active) = scoring_models::active(&services.core, &world.tenant.scope).await.unwrap() {
        assert!(kept.find(active.model.version.model).is_some());
    }
}

#[tokio::test]
async fn a_job_scores_by_the_model_that_is_in_force_when_it_comes_to_the_contact() {
    let world = world().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    let id = contact(&world, "514-555-0101", "referral").await;
    let first = models::activate(services, &viewer, activation(ScoringModelId::PIPELINE)).await.unwrap().unwrap();
    let ours = created(&world, CreateModel { name: "Assigned".to_owned(), factors: Some(assigned(100.0)), ..CreateModel::default() }).await;
    world.clock.advance(SignedDuration::from_millis(1));
    models::activate(services, &viewer, activation(ours.model.id())).await.unwrap().unwrap();
    rescored(&world, &first).await;
    assert_eq!(read(&world, &id).await.score.unwrap().model.model, ours.model.id());
}

/// The jobs that score contacts of which workers were told since this was last asked.
async fn rescorings(world: &World, mailbox: &Mailbox) -> Vec<BulkJob> {
    let mut jobs = Vec::new();
    for message in mailbox.take() {
        let message: BulkMessage = serde_json::from_str(&message).unwrap();
        jobs.extend(bulk_jobs::get(&world.services.core, &world.tenant, message.job).await.unwrap());
    }
    jobs.retain(|job| job.action == BulkAction::Rescore);
    jobs
}

fn added(name: &str, order: i32, exclude_from_call_list: bool) -> CreateStatus {
    let input = StatusInput { name: name.to_owned(), color: "#123456".to_owned(), order, exclude_from_call_list, ..StatusInput::default() };
    CreateStatus { input, idempotency_key: None }
}

#[tokio::test]
async fn statuses_that_move_the_places_of_others_have_everybody_scored_anew_by_a_model_that_looks_at_places() {
    let mut world = World::new().await;
    let mailbox = Mailbox::default();
    world.services.bulk_queue = mailbox.queue();
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    let known = fresh(&world).await;
    let mut ids = Vec::new();
    for (code, phone) in [("attempted", "514-555-0101"), ("interested", "514-555-0102"), ("not_interested", "514-555-0103")] {
        let status = known.status_by_code(code).unwrap().id;
        let input = ContactInput { phone: phone.to_owned(), source: Some("referral".to_owned()), ..ContactInput::default() };
        let request = CreateContact { input, status: Some(Some(status)), ..CreateContact::default() };
        ids.push(contacts::create(services, &viewer, request).await.unwrap().unwrap().id);
    }
    let first = statuses::create(services, &viewer, added("First", 5, false)).await.unwrap().unwrap();
    let deletion = DeleteStatus { id: Some(first.id), expected_version: 1 };
    statuses::delete(services, &viewer, deletion).await.unwrap().unwrap();
    assert!(rescorings(&world, &mailbox).await.is_empty(), "the model in force doesn't look at places");
    let activated = models::activate(services, &viewer, activation(ScoringModelId::PIPELINE)).await.unwrap().unwrap();
    rescored(&world, &activated).await;
    rescorings(&world, &mailbox).await;

    let excluded = statuses::create(services, &viewer, added("Excluded", 15, true)).await.unwrap().unwrap();
    let renamed = StatusPatch { name: Some(Some("Not called".to_owned())), ..StatusPatch::default() };
    let renaming = UpdateStatus { id: Some(excluded.id), expected_version: 1, patch: renamed };
    statuses::update(services, &viewer, renaming).await.unwrap().unwrap();
    assert!(rescorings(&world, &mailbox).await.is_empty(), "nothing moved");

    let middle = statuses::create(services, &viewer, added("Middle", 15, false)).await.unwrap().unwrap();
    assert_all_right_after_one_job(&world, &mailbox, &ids, 2).await;
    let last = StatusPatch { order: Some(Some(45)), ..StatusPatch::default() };
    let moving = UpdateStatus { id: Some(middle.id), expected_version: 1, patch: last };
    let moved = statuses::update(services, &viewer, moving).await.unwrap().unwrap();
    assert_eq!(moved.job.unwrap().action, BulkAction::Rekey { status: middle.id });
    assert_all_right_after_one_job(&world, &mailbox, &ids, 1).await;
    statuses::delete(services, &viewer, DeleteStatus { id: Some(middle.id), expected_version: 2 }).await.unwrap().unwrap();
    assert_all_right_after_one_job(&world, &mailbox, &ids, 2).await;
}

/// That one job was begun, which changes the scores of so many contacts and leaves all of them right.
async fn assert_all_right_after_one_job(world: &World, mailbox: &Mailbox, ids: &[ContactId], changed: usize) {
    let jobs = rescorings(world, mailbox).await;
    assert_eq!(jobs.len(), 1);
    world.clock.advance(SignedDuration::from_secs(40));
    let outcomes = ended(world, &jobs[0]).await;
    assert_eq!(outcomes.iter().filter(|was| was.outcome == ContactOutcome::Changed).count(), changed);
    for id in ids {
        assert_right(world, &read(world, id).await).await;
    }
}

#[tokio::test]
async fn contacts_of_a_filter_are_scored_anew_and_deleted_ones_can_not_be_asked_for() {
    let world = world().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    contact(&world, "514-555-0101", "referral").await;
    contact(&world, "514-555-0102", "import").await;
    let deleted = ContactFilter { include_deleted: true, ..ContactFilter::default() };
    let refused = bulk::start(services, &viewer, StartBulk::new(AskedAction::Rescore, deleted)).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("filter.includeDeleted", FieldErrorCode::Invalid)]);
    let supervisor = world.viewer("supervisor").await;
    let all = StartBulk::new(AskedAction::Rescore, ContactFilter::default());
    assert!(matches!(bulk::start(services, &supervisor, all).await, Err(AppError::Forbidden)));
    let filter = ContactFilter { source: Some("referral".to_owned()), ..ContactFilter::default() };
    let job = bulk::start(services, &viewer, StartBulk::new(AskedAction::Rescore, filter)).await.unwrap().unwrap();
    let model = models::get(services, &viewer, ScoringModelId::STANDARD).await.unwrap().unwrap();
    let outcomes = rescored(&world, &ActivatedModel { model, was_active: false, job: Some(job) }).await;
    assert_eq!(outcomes.len(), 1, "only what the filter means, and the same score again changes nothing");
}

#[tokio::test]
async fn a_preview_says_what_would_change_and_changes_nothing() {
    let world = world().await;
    let (services, viewer) = (&world.services, world.viewer("admin").await);
    let ids = [contact(&world, "514-555-0101", "referral").await, contact(&world, "514-555-0102", "import").await];
    let before = made::everything(&world.database).await.len();
    let preview = |contacts: Option<Vec<Option<ContactId>>>, sample: Option<i32>| {
        let request = PreviewModel { of: PreviewOf::Factors(assigned(100.0)), contacts, sample };
        models::preview(services, &viewer, request)
    };
    let told = preview(None, None).await.unwrap().unwrap();
    assert_eq!(told.contacts.len(), 2);
    assert_eq!(told.moves.iter().map(|(.., count)| count).sum::<usize>(), 2);
    for previewed in &told.contacts {
        assert_eq!((previewed.then.value, previewed.explanation.components.len()), (0, 1));
        assert_eq!(previewed.now.value, read(&world, &previewed.contact.id).await.score.unwrap().value);
    }
    let unknown = Some(ContactId::from_hash(&[9; 32]));
    let named = preview(Some(vec![Some(ids[1].clone()), unknown, None, Some(ids[1].clone())]), None).await.unwrap().unwrap();
    assert_eq!(named.contacts.iter().map(|previewed| &previewed.contact.id).collect::<Vec<_>>(), [&ids[1]]);
    assert_eq!(preview(None, Some(1)).await.unwrap().unwrap().contacts.len(), 1);
    for (contacts, sample, field, code) in [
        (Some(Vec::new()), Some(1), "sample", FieldErrorCode::Invalid),
        (Some(vec![None; 101]), None, "contactIds", FieldErrorCode::LimitExceeded),
        (None, Some(0), "sample", FieldErrorCode::Invalid),
        (None, Some(501), "sample", FieldErrorCode::Invalid),
    ] {
        assert_eq!(codes(&preview(contacts, sample).await.unwrap().unwrap_err()), [(field, code)]);
    }
    let wrong = PreviewModel { of: PreviewOf::Factors(assigned(50.0)), contacts: None, sample: None };
    assert_eq!(codes(&models::preview(services, &viewer, wrong).await.unwrap().unwrap_err()), [("factors", FieldErrorCode::Invalid)]);
    assert_eq!(made::everything(&world.database).await.len(), before);
}

/// People of whom those with many visits are often won.
async fn people_with_outcomes(world: &World, count: usize) {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % 100
    };
    let mut file = "phone,name,source,Visits,Won\n".to_owned();
    for index in 0..count {
        let (visits, luck) = (next() % 20, next());
        let is_won = luck < 10 + visits * 4;
        file.push_str(&format!("+1519555{index:04},Person {index},referral,{visits},{}\n", u8::from(is_won)));
    }
    let (import, rows) = made::import(world, 1, &file);
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
}

fn learned(name: &str) -> StartTraining {
    let choice = TrainingChoice { name: name.to_owned(), outcome: Outcome::Attribute("Won".to_owned()), attributes: None };
    StartTraining { choice, idempotency_key: None }
}

async fn asked(world: &World, request: StartTraining) -> ScoringTraining {
    train::start(&world.services, &world.viewer("admin").await, request).await.unwrap().unwrap()
}

async fn worked_on(world: &World, services: &Services, training: &ScoringTraining) -> ScoringTraining {
    let message = TrainingMessage { tenant: world.tenant.record.id, training: training.id };
    assert_eq!(train_model(services, &message, later()).await.unwrap(), Stopped::Ended);
    train::get(services, &world.viewer("admin").await, training.id).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_may_not_be_learned_from_is_refused_at_once() {
    let world = world().await;
    let (services, admin) = (&world.services, world.viewer("admin").await);
    created(&world, copy("Ours")).await;
    let after = TrainingChoice { attributes: Some(vec!["Lead Quality".to_owned()]), ..learned("Learned").choice };
    for (choice, expected) in [
        (learned("").choice, ("name", FieldErrorCode::Blank)),
        (learned("OURS").choice, ("name", FieldErrorCode::Taken)),
        (after, ("attributes.0", FieldErrorCode::NotAllowed)),
    ] {
        let errors = train::start(services, &admin, StartTraining { choice, idempotency_key: None }).await.unwrap().unwrap_err();
        assert_eq!(codes(&errors), [expected]);
    }
    let supervisor = world.viewer("supervisor").await;
    assert!(matches!(train::start(services, &supervisor, learned("Learned")).await, Err(AppError::Forbidden)));
    assert!(train::list(services, &supervisor, None, 10).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn a_message_that_names_no_training_is_broken() {
    let world = world().await;
    let message = TrainingMessage { tenant: world.tenant.record.id, training: ScoringModelId::new(world.clock.now(), &[9; 10]) };
    assert!(matches!(train_model(&world.services, &message, later()).await, Err(AppError::Broken(_))));
}

#[tokio::test]
async fn a_training_without_enough_contacts_fails_and_says_so() {
    let world = world().await;
    people_with_outcomes(&world, 20).await;
    let training = asked(&world, learned("Learned")).await;
    let failed = worked_on(&world, &world.services, &training).await;
    assert_eq!((failed.status, failed.model()), (BulkJobStatus::Failed, None));
    assert!(failed.failure_reason.unwrap().contains("20"));
    assert_eq!(names(&world).await.len(), 2);
}

#[tokio::test]
async fn a_model_is_learned_once_however_often_its_message_comes_and_scores_nobody_by_itself() {
    let world = world().await;
    people_with_outcomes(&world, 900).await;
    let training = asked(&world, StartTraining { idempotency_key: Some("key".to_owned()), ..learned("Learned") }).await;
    let again = asked(&world, StartTraining { idempotency_key: Some("key".to_owned()), ..learned("Learned") }).await;
    assert_eq!(again.id, training.id);
    let completed = worked_on(&world, &world.services, &training).await;
    assert_eq!((completed.status, completed.failure_reason.as_deref()), (BulkJobStatus::Completed, None));
    assert_eq!((completed.model(), completed.examples), (Some(training.id), Some(900)));
    assert_eq!(worked_on(&world, &world.services, &training).await, completed);

    let admin = world.viewer("admin").await;
    let model = models::get(&world.services, &admin, training.id).await.unwrap().unwrap();
    let KeptModel::Own(own) = &model.model else { panic!("a preset was learned") };
    let report = own.training.as_ref().unwrap();
    assert!(report.area_under_curve > 0.65, "{report:?}");
    assert_eq!((own.record.last_change.action.as_str(), own.name.as_str(), model.active_version), ("scoring_model.trained", "Learned", None));
    assert_eq!(own.factors.iter().map(|factor| factor.maximum.parts()).sum::<u32>(), 1_000_000);
    // What was learned can be copied, tried out and activated like any other.
    created(&world, CreateModel { copy_of: Some(Some(training.id)), ..copy("Mine") }).await;
    let preview = PreviewModel { of: PreviewOf::Model(Some(training.id)), contacts: None, sample: Some(10) };
    let told = models::preview(&world.services, &admin, preview).await.unwrap().unwrap();
    assert!(told.contacts.iter().all(|previewed| !previewed.explanation.reason.is_empty()));
    // A person's own factors are no longer what was learned.
    let changed = UpdateModel { factors: Some(Some(assigned(100.0))), ..renamed(&model, "Learned") };
    let changed = models::update(&world.services, &admin, changed).await.unwrap().unwrap();
    assert!(matches!(&changed.model, KeptModel::Own(model) if model.training.is_none()));
}

#[tokio::test]
async fn a_training_whose_name_was_given_meanwhile_fails_and_one_whose_worker_died_goes_on() {
    let world = world().await;
    people_with_outcomes(&world, 900).await;
    let training = asked(&world, learned("Learned")).await;
    created(&world, copy("LEARNED")).await;
    let failed = worked_on(&world, &world.services, &training).await;
    assert_eq!((failed.status, failed.model()), (BulkJobStatus::Failed, None));
    assert!(failed.failure_reason.unwrap().contains("name"));

    world.clock.advance(SignedDuration::from_secs(1));
    let training = asked(&world, learned("Other")).await;
    // The last write of this worker, which ends the training, is lost with the worker.
    let dying = Services { core: world.database.without_retries().core, ..world.services.clone() };
    world.database.wire.cut_for_good_at_write(2, Fault::CutBefore);
    let message = TrainingMessage { tenant: world.tenant.record.id, training: training.id };
    let died = train_model(&dying, &message, later()).await;
    world.database.wire.mend();
    assert!(died.is_err());
    let kept = scoring_models::get(&world.services.core, &world.tenant.scope, training.id).await.unwrap();
    assert!(kept.is_some(), "the model was there before the worker died");
    let completed = worked_on(&world, &world.services, &training).await;
    assert_eq!((completed.model(), names(&world).await.len()), (Some(training.id), 4));
}
