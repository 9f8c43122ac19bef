//! Scoring contacts again: what is written and what isn't, whoever else writes, and wherever a worker dies.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use jiff::SignedDuration;
use switchboard_app::contacts::{self, CreateContact, UpdateContact};
use switchboard_app::scoring::rescore::{rescore, rescore_many};
use switchboard_app::scoring::{Rescoring, ScoreMessage, handle, history, recalculate};
use switchboard_app::{AppError, Services};
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactInput, ContactPatch};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{ContactId, TenantId};
use switchboard_domain::scoring::{ActiveScoringModel, Model, Score, pipeline, standard};
use switchboard_store::item::text;
use switchboard_store::score_history::ReplacedScore;
use switchboard_store::settings::{self, Settings};
use switchboard_store::{contacts as store, keys, score_history, scoring_models};
use switchboard_testkit::{Fault, World};

use crate::made;

/// A contact as an administrator makes it.
pub(crate) async fn created(world: &World, phone: &str, input: ContactInput) -> Contact {
    let viewer = world.viewer_in_request("admin", &format!("create {phone}")).await;
    let input = ContactInput { phone: phone.to_owned(), ..input };
    contacts::create(&world.services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap()
}

/// The contact after an administrator changed it.
pub(crate) async fn changed(world: &World, id: &ContactId, patch: ContactPatch) -> Contact {
    let viewer = world.viewer("admin").await;
    let version = now(world, id).await.record.version;
    let request = UpdateContact { id: Some(id.clone()), expected_version: i32::try_from(version).unwrap(), patch, ..UpdateContact::default() };
    contacts::update(&world.services, &viewer, request).await.unwrap().unwrap()
}

/// A change of where a contact came from, which every preset looks at.
pub(crate) fn from_source(source: &str) -> ContactPatch {
    ContactPatch { source: Some(Some(source.to_owned())), ..ContactPatch::default() }
}

/// The contact as it is now.
pub(crate) async fn now(world: &World, id: &ContactId) -> Contact {
    store::get(&world.services.core, &world.tenant, id).await.unwrap().unwrap().contact
}

pub(crate) fn message(world: &World, id: &ContactId) -> ScoreMessage {
    ScoreMessage { tenant: world.tenant.record.id, contact: id.clone() }
}

/// Scores a contact again, as a message asks.
pub(crate) async fn scored(world: &World, id: &ContactId) -> Rescoring {
    handle(&world.services, &message(world, id)).await.unwrap()
}

/// The settings as a process knows them that has just begun.
pub(crate) async fn fresh(world: &World) -> Settings {
    settings::load(&world.services.core, &world.tenant.scope).await.unwrap()
}

/// Puts a preset in force; nobody is told.
pub(crate) async fn activate(world: &World, model: Model) {
    let record = Revisioned::created(Change::new("scoring_model.activated", world.clock.now(), Origin::system()));
    let active = ActiveScoringModel { record, model };
    assert!(scoring_models::save_active(&world.services.core, &world.tenant.scope, &active, None, None).await.unwrap());
}

/// What the contact had before, the newest first.
pub(crate) async fn replaced(world: &World, contact: &Contact) -> Vec<ReplacedScore> {
    let present = contact.score.as_ref().map(|score| score.calculated_at);
    let page = score_history::list(&world.services.core, &world.tenant.scope, &contact.id, None, 1_000, present).await.unwrap();
    assert!(!page.has_more);
    page.entries
}

/// That a contact's score says what the model in force says of it now.
pub(crate) async fn assert_right(world: &World, contact: &Contact) {
    let right = fresh(world).await.scorer.score(contact, world.clock.now());
    let score = contact.score.as_ref().unwrap();
    assert!(score.says_the_same(&right) && score.next_change_at == right.next_change_at, "{score:?} should be {right:?}");
}

fn score(contact: &Contact) -> &Score {
    contact.score.as_ref().unwrap()
}

#[tokio::test]
async fn a_message_for_no_tenant_fails_and_one_for_a_contact_that_is_gone_changes_nothing() {
    let world = World::new().await;
    let nobody = ContactId::from_hash(&[7; 32]);
    let stray = ScoreMessage { tenant: TenantId::new(world.clock.now(), &[9; 10]), contact: nobody.clone() };
    assert!(matches!(handle(&world.services, &stray).await, Err(AppError::Broken(reason)) if reason.contains("no tenant")));
    assert_eq!(scored(&world, &nobody).await, Rescoring::Erased);

    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    changed(&world, &contact.id, from_source("referral")).await;
    let deleted = contacts::delete(&world.services, &world.viewer("admin").await, Some(contact.id.clone()), 2).await.unwrap().unwrap();
    assert_eq!(scored(&world, &contact.id).await, Rescoring::Deleted);
    assert_eq!(now(&world, &contact.id).await, deleted);
}

#[tokio::test]
async fn a_contact_has_its_score_from_the_beginning_and_nothing_is_written_while_it_stays_right() {
    let world = World::new().await;
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    assert_eq!((score(&contact).model, score(&contact).previous), (standard().version, None));
    assert_right(&world, &contact).await;
    world.services.tenants.settings(&world.tenant.scope).await.unwrap();
    world.database.meter.reset();
    assert_eq!(scored(&world, &contact.id).await, Rescoring::Unchanged(contact.clone()));
    let usage = world.database.meter.usage();
    assert_eq!((usage.total_requests(), usage.read_units, usage.total_write_units()), (1, 1.0, 0.0), "{usage:?}");
    assert!(replaced(&world, &contact).await.is_empty());
}

#[tokio::test]
async fn a_new_score_is_a_technical_write_and_the_replaced_one_is_kept() {
    let world = World::new().await;
    let first = created(&world, "514-555-0123", ContactInput::default()).await;
    let updated = changed(&world, &first.id, from_source("referral")).await;
    assert_eq!(updated.score, first.score, "the change itself scores nothing");
    let before = made::contact_item(&world, &first.id).await;
    world.clock.advance(SignedDuration::from_secs(2));
    let Rescoring::Changed(contact) = scored(&world, &first.id).await else { panic!("it has another source") };
    assert_eq!(contact, now(&world, &first.id).await);
    assert_right(&world, &contact).await;
    assert_eq!((score(&contact).previous, score(&contact).calculated_at), (Some(score(&first).value), world.clock.now()));
    assert_eq!(contact.record, updated.record.touched(), "neither the version nor the last change is another");
    let kept = replaced(&world, &contact).await;
    assert_eq!(kept.iter().map(|entry| (&entry.score, entry.replaced_at)).collect::<Vec<_>>(), [(score(&first), world.clock.now())]);
    let after = made::contact_item(&world, &first.id).await;
    assert_eq!(made::recorder(&world).record(vec![made::changed(&before, &after)]).await.unwrap().recorded, 0);
}

#[tokio::test]
async fn when_only_its_next_change_is_another_only_that_is_written() {
    let world = World::new().await;
    let at = |days: i64| Some(world.clock.now() + SignedDuration::from_hours(24 * days));
    let contact = created(&world, "514-555-0123", ContactInput { next_contact_at: at(40), ..ContactInput::default() }).await;
    // Later than 30 days one day is as good as another.
    changed(&world, &contact.id, ContactPatch { next_contact_at: Some(at(50)), ..ContactPatch::default() }).await;
    world.services.tenants.settings(&world.tenant.scope).await.unwrap();
    let writes = world.database.wire.writes().len();
    let Rescoring::Unchanged(same) = scored(&world, &contact.id).await else { panic!("it says the same") };
    assert_eq!((same.score, &world.database.wire.writes()[writes..]), (contact.score, &["BatchWriteItem".to_owned()][..]));
    let due = made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("due_score"));
    let mut due: Vec<_> = due.filter_map(|item| keys::parse_due_score(text(&item, "SK")?)).collect();
    due.sort_unstable_by_key(|(at, ..)| *at);
    assert_eq!(due.iter().map(|(at, ..)| Some(*at)).collect::<Vec<_>>(), [at(10), at(20)]);
}

#[tokio::test]
async fn wherever_a_worker_dies_the_next_one_makes_it_right_and_each_replaced_score_is_kept_once() {
    let world = World::new().await;
    let database = world.database.without_retries();
    let services = Services { core: database.core.clone(), ..world.services.clone() };
    for (number, fault) in [Fault::CutBefore, Fault::CutAfter].into_iter().enumerate() {
        for left in 0..3 {
            let input = ContactInput { next_contact_at: Some(world.clock.now() + SignedDuration::from_hours(24 * 40)), ..ContactInput::default() };
            let first = created(&world, &format!("514-555-01{number}{left}"), input).await;
            changed(&world, &first.id, from_source("referral")).await;
            world.services.tenants.settings(&world.tenant.scope).await.unwrap();
            world.clock.advance(SignedDuration::from_secs(2));
            // What is due, the history, the contact.
            database.wire.cut_for_good_at_write(left, fault);
            assert!(handle(&services, &message(&world, &first.id)).await.is_err());
            assert!(database.wire.mend(), "write {left} {fault:?}");
            let is_written = left == 2 && fault == Fault::CutAfter;
            let between = now(&world, &first.id).await;
            assert_eq!((between.score == first.score, replaced(&world, &between).await.len()), (!is_written, usize::from(is_written)));

            world.clock.advance(SignedDuration::from_secs(2));
            scored(&world, &first.id).await;
            let contact = now(&world, &first.id).await;
            assert_right(&world, &contact).await;
            let kept: Vec<Score> = replaced(&world, &contact).await.into_iter().map(|entry| entry.score).collect();
            assert_eq!(kept, [score(&first).clone()], "write {left} {fault:?}");
        }
    }
}

#[tokio::test]
async fn people_who_change_a_contact_while_it_is_scored_lose_nothing_and_no_score_is_lost() {
    let world = World::new().await;
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    let sources = ["referral", "google_ads", "cold_call", "facebook_ads", "direct_website"];
    let people = async {
        for number in 0..20 {
            changed(&world, &contact.id, from_source(sources[number % sources.len()])).await;
        }
    };
    let workers = join_all((0..8).map(|_| async {
        for _ in 0..20 {
            scored(&world, &contact.id).await;
        }
    }));
    futures::future::join(people, workers).await;
    // The message of the last change.
    scored(&world, &contact.id).await;
    let contact = now(&world, &contact.id).await;
    assert_eq!((contact.record.version, contact.details.source.as_deref()), (21, Some("direct_website")));
    assert_right(&world, &contact).await;
    let kept = replaced(&world, &contact).await;
    let mut previous = score(&contact).previous;
    for entry in &kept {
        assert_eq!(previous, Some(entry.score.value), "each score names the one before it");
        previous = entry.score.previous;
    }
    assert_eq!(previous, None, "down to the first");
    assert_eq!(kept.iter().map(|entry| entry.score.calculated_at).collect::<BTreeSet<_>>().len(), kept.len());
}

#[tokio::test]
async fn a_message_that_comes_again_or_late_writes_nothing_older() {
    let world = World::new().await;
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    changed(&world, &contact.id, from_source("referral")).await;
    changed(&world, &contact.id, from_source("cold_call")).await;
    assert!(matches!(scored(&world, &contact.id).await, Rescoring::Changed(_)));
    let right = now(&world, &contact.id).await;
    // That of the first change comes behind that of the second, and each once more.
    for _ in 0..3 {
        assert_eq!(scored(&world, &contact.id).await, Rescoring::Unchanged(right.clone()));
    }
    assert_eq!((now(&world, &contact.id).await, replaced(&world, &right).await.len()), (right, 1));
}

#[tokio::test]
async fn a_process_that_has_not_heard_of_a_new_model_writes_no_score_by_the_former_over_one_by_the_new() {
    let world = World::new().await;
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    let former = fresh(&world).await;
    activate(&world, pipeline()).await;
    let (services, tenant) = (&world.services, &world.tenant);
    let present = fresh(&world).await;
    let Rescoring::Changed(by_new) = rescore(services, tenant, &present, &contact.id).await.unwrap() else { panic!("it is another model") };
    assert_eq!(score(&by_new).model, pipeline().version);
    for rescoring in [
        rescore(services, tenant, &former, &contact.id).await.unwrap(),
        rescore_many(services, tenant, &former, std::slice::from_ref(&contact.id)).await.unwrap().remove(0),
    ] {
        assert_eq!(rescoring, Rescoring::Unchanged(by_new.clone()));
    }
    assert_right(&world, &by_new).await;
}

#[tokio::test]
async fn a_contact_that_was_made_before_there_were_scores_gets_its_first_one() {
    let world = World::new().await;
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    let key = keys::contact(&world.tenant.scope, &contact.id);
    let remove = world.database.client.update_item().table_name("core").update_expression("REMOVE score, scored, GSI3SK");
    remove.key("PK", AttributeValue::S(key.pk)).key("SK", AttributeValue::S(key.sk)).send().await.unwrap();
    assert_eq!(now(&world, &contact.id).await.score, None);
    let Rescoring::Changed(contact) = scored(&world, &contact.id).await else { panic!("it had none") };
    assert_right(&world, &contact).await;
    assert_eq!((score(&contact).previous, replaced(&world, &contact).await), (None, Vec::new()));
}

#[tokio::test]
async fn of_many_contacts_those_are_written_whose_scores_change_and_each_has_its_outcome_in_order() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(created(&world, &format!("514-555-000{number}"), ContactInput::default()).await.id);
    }
    changed(&world, &ids[2], from_source("referral")).await;
    contacts::delete(&world.services, &world.viewer("admin").await, Some(ids[3].clone()), 1).await.unwrap().unwrap();
    ids.push(ContactId::from_hash(&[7; 32]));
    ids.push(ids[0].clone());
    let settings = fresh(&world).await;
    let writes = world.database.wire.writes().len();
    let outcomes = rescore_many(&world.services, &world.tenant, &settings, &ids).await.unwrap();
    let outcomes: Vec<&str> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Rescoring::Changed(_) => "changed",
            Rescoring::Unchanged(_) => "unchanged",
            Rescoring::Deleted => "deleted",
            Rescoring::Erased => "erased",
        })
        .collect();
    assert_eq!(outcomes, ["unchanged", "unchanged", "changed", "deleted", "erased", "unchanged"]);
    assert_eq!(world.database.wire.writes()[writes..], ["BatchWriteItem", "PutItem"], "the history and the contact");
    assert!(rescore_many(&world.services, &world.tenant, &settings, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn whoever_may_change_a_contact_can_have_it_scored_at_once() {
    let world = World::new().await;
    let (admin, services) = (world.viewer("admin").await, &world.services);
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    changed(&world, &contact.id, from_source("referral")).await;
    assert!(matches!(recalculate(services, &world.viewer("agent").await, &contact.id).await, Err(AppError::Forbidden | AppError::NotFound)));
    assert!(matches!(recalculate(services, &admin, &ContactId::from_hash(&[7; 32])).await, Err(AppError::NotFound)));
    let scored = recalculate(services, &admin, &contact.id).await.unwrap().unwrap();
    assert_right(&world, &scored).await;
    assert_eq!(recalculate(services, &admin, &contact.id).await.unwrap().unwrap(), scored);

    contacts::delete(services, &admin, Some(contact.id.clone()), 2).await.unwrap().unwrap();
    let errors = recalculate(services, &admin, &contact.id).await.unwrap().unwrap_err();
    assert_eq!(errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect::<Vec<_>>(), [("contactId", FieldErrorCode::ForbiddenTransition)]);
}

#[tokio::test]
async fn the_history_is_read_page_by_page_by_who_may_see_the_contact() {
    let world = World::new().await;
    let (admin, services) = (world.viewer("admin").await, &world.services);
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    for source in ["referral", "google_ads", "cold_call", "facebook_ads", "direct_website"] {
        world.clock.advance(SignedDuration::from_mins(1));
        changed(&world, &contact.id, from_source(source)).await;
        scored(&world, &contact.id).await;
    }
    let all = replaced(&world, &now(&world, &contact.id).await).await;
    assert_eq!(all.len(), 5);
    let (mut seen, mut before) = (Vec::new(), None);
    for page_number in 0.. {
        assert!(page_number < 4, "it must come to an end");
        let page = history(services, &admin, &contact.id, before.as_deref(), 2).await.unwrap();
        assert!(page.scores.len() <= 2);
        before = page.scores.last().map(|entry| entry.place.clone());
        seen.extend(page.scores);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, all);
    for wrong in ["", "x", "99999999999999", "S#1790000000000"] {
        assert!(matches!(history(services, &admin, &contact.id, Some(wrong), 2).await, Err(AppError::Asked(_))), "{wrong}");
    }
    assert!(matches!(history(services, &admin, &ContactId::from_hash(&[7; 32]), None, 2).await, Err(AppError::NotFound)));
    assert!(matches!(history(services, &world.viewer("telephonist").await, &contact.id, None, 2).await, Err(AppError::NotFound)), "it isn't theirs");
}

#[tokio::test]
async fn an_erased_contact_leaves_no_scores_whichever_message_comes_last() {
    let world = World::new().await;
    let contact = created(&world, "514-555-0123", ContactInput::default()).await;
    changed(&world, &contact.id, from_source("referral")).await;
    scored(&world, &contact.id).await;
    contacts::erase(&world.services, &world.viewer("admin").await, Some(contact.id.clone()), "They asked for it").await.unwrap().unwrap();
    assert_eq!(scored(&world, &contact.id).await, Rescoring::Erased);
    assert!(made::everything(&world.database).await.iter().all(|item| text(item, "type") != Some("replaced_score")));
}
