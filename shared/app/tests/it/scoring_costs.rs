//! What scoring costs: a score that says the same, one that says something else, finding those that time changes, lists in the order of scores, models, and learning one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use switchboard_app::bulk::{BulkMessage, Stopped, change_contacts};
use switchboard_app::contacts::{self, ContactOrder, CreateContact, UpdateContact};
use switchboard_app::scoring::models::train::{self, StartTraining, TrainingMessage, train_model};
use switchboard_app::scoring::models::{self, ActivateModel, CreateModel, Explainer, PreviewModel, PreviewOf, UpdateModel};
use switchboard_app::scoring::rescore::{Rescoring, rescore};
use switchboard_app::scoring::{self, Sweep, distribution};
use switchboard_app::{AppError, Viewer};
use switchboard_domain::bulk_job::{BulkJobStatus, Outcome};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactDetails, ContactDraft, ContactFilter, ContactInput, ContactPatch, OnInvalid};
use switchboard_domain::ids::{ContactId, ScoringModelId};
use switchboard_domain::person::{ADMIN, TELEPHONIST};
use switchboard_domain::scoring::ScoreCategory;
use switchboard_domain::scoring::training::{Outcome as TrainingOutcome, TrainingChoice};
use switchboard_domain::status::CONVERTED;
use switchboard_store::{contacts as store, due_scores};
use switchboard_testkit::{Mailbox, Usage, World};

/// Entries of a page.
const FIRST: usize = 50;
/// Scores that time changes within an hour.
const DUE: usize = 50;
/// Contacts of the lists, and those that are learned from.
const MANY: usize = 1_000;
/// Contacts of one batch of a job.
const BATCH: usize = 200;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What happens in between costs.
async fn of<T>(world: &World, work: impl Future<Output = T>) -> (Usage, T) {
    world.database.meter.reset();
    let result = work.await;
    (world.database.meter.usage(), result)
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(36_000)
}

/// Writes so many contacts with a name, a number and an e-mail address, and what is said of each.
async fn filled(world: &World, count: usize, say: impl Fn(usize, &mut ContactDetails)) -> Vec<ContactId> {
    let services = &world.services;
    let settings = services.tenants.settings(&world.tenant.scope).await.unwrap();
    let (defaults, status) = (world.tenant.defaults(), settings.statuses[0].id);
    let contact = |number: usize| {
        let input = ContactInput {
            phone: format!("+1514{:07}", 2_000_000 + number),
            name: Some("Zoé Roy".to_owned()),
            email: Some("zoe@example.com".to_owned()),
            ..ContactInput::default()
        };
        let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).unwrap().draft;
        let id = world.tenant.keyring.slot(&draft.phone.e164);
        let mut details = draft.into_details(&defaults, status, None, None);
        say(number, &mut details);
        world.clock.advance(SignedDuration::from_millis(1));
        Contact::created(id, details, Change::new("contact.created", world.clock.now(), Origin::system()))
    };
    let mut contacts: Vec<Contact> = (0..count).map(contact).collect();
    let ids = contacts.iter().map(|contact| contact.id.clone()).collect();
    store::create_many(&services.core, &world.tenant, &settings, &mut contacts, services.entropy.as_ref()).await.unwrap();
    ids
}

/// What scoring costs, for the page of costs.
pub(crate) async fn rows() -> Vec<(&'static str, Usage)> {
    let mut rows = Box::pin(rescoring()).await;
    let few = Box::pin(sweeping(1_000)).await;
    let many = Box::pin(sweeping(10_000)).await;
    rows.push(("`score-sweep` over an hour, 50 of 1,000 contacts due", few.hour));
    rows.push(("… 50 of 10,000 contacts due", many.hour));
    rows.push(("… over a minute in which none is due", many.minute));
    rows.extend(Box::pin(listing()).await);
    rows.extend(Box::pin(modelling()).await);
    rows.extend(Box::pin(learning()).await);
    rows
}

/// One contact after another, by the preset `standard`.
async fn rescoring() -> Vec<(&'static str, Usage)> {
    let world = World::new().await;
    let (services, viewer) = (&world.services, world.viewer(ADMIN).await);
    let in_forty_days = world.clock.now() + DAY * 40;
    let create = |phone: &str, to_be_called: bool| CreateContact {
        input: ContactInput {
            phone: phone.to_owned(),
            name: Some("Zoé Roy".to_owned()),
            email: Some("zoe@example.com".to_owned()),
            next_contact_at: to_be_called.then_some(in_forty_days),
            ..ContactInput::default()
        },
        ..CreateContact::default()
    };
    let mut rows = Vec::new();
    let plain = contacts::create(services, &viewer, create("514-555-0001", false)).await.unwrap().unwrap();
    let (usage, waiting) = of(&world, contacts::create(services, &viewer, create("514-555-0002", true))).await;
    let waiting = waiting.unwrap().unwrap();
    rows.push(("`contactCreate` of who is to be called in 40 days, its score and when that changes with it", usage));

    let again = async |id: &ContactId| of(&world, rescore(services, &world.tenant, &viewer.settings, id)).await;
    let referred = ContactPatch { source: Some(Some("referral".to_owned())), ..ContactPatch::default() };
    let an_hour_later = ContactPatch { next_contact_at: Some(Some(in_forty_days + SignedDuration::from_hours(1))), ..ContactPatch::default() };

    let (usage, scored) = again(&plain.id).await;
    assert!(matches!(scored.unwrap(), Rescoring::Unchanged(_)));
    rows.push(("scoring a contact again that scores the same", usage));
    updated(&world, &viewer, &plain.id, 1, referred.clone()).await;
    let (usage, scored) = again(&plain.id).await;
    assert!(matches!(scored.unwrap(), Rescoring::Changed(_)));
    rows.push(("… that scores otherwise", usage));
    updated(&world, &viewer, &waiting.id, 1, referred).await;
    let (usage, scored) = again(&waiting.id).await;
    assert!(matches!(scored.unwrap(), Rescoring::Changed(_)));
    rows.push(("… that scores otherwise, and will change by time", usage));
    updated(&world, &viewer, &waiting.id, 2, an_hour_later).await;
    let (usage, scored) = again(&waiting.id).await;
    assert!(matches!(scored.unwrap(), Rescoring::Unchanged(_)));
    rows.push(("… that scores the same, and will change at another time", usage));
    let (usage, page) = of(&world, scoring::history(services, &viewer, &waiting.id, None, FIRST)).await;
    assert_eq!(page.unwrap().scores.len(), 1);
    rows.push(("`scoreHistory` of a contact", usage));
    let (usage, scored) = of(&world, scoring::recalculate(services, &viewer, &waiting.id)).await;
    scored.unwrap().unwrap();
    rows.push(("`scoreRecalculate`, the score stays", usage));
    rows
}

async fn updated(world: &World, viewer: &Viewer, id: &ContactId, expected_version: i32, patch: ContactPatch) {
    let update = UpdateContact { id: Some(id.clone()), expected_version, patch, ..UpdateContact::default() };
    contacts::update(&world.services, viewer, update).await.unwrap().unwrap();
}

/// What finding those costs whose time has come.
struct Swept {
    hour: Usage,
    minute: Usage,
}

/// So many contacts whose scores change by time, of which some do within an hour.
async fn sweeping(count: usize) -> Swept {
    let world = World::new().await;
    let (core, scope, mailbox) = (&world.services.core, &world.tenant.scope, Mailbox::default());
    let sweep = Sweep { core: core.clone(), queue: mailbox.queue(), clock: Arc::clone(&world.services.clock) };
    let noon = world.clock.now();
    let due = |number: usize| {
        let number_of = |number: usize| i32::try_from(number).unwrap();
        let at = if number < DUE { noon + SignedDuration::from_mins(1) * number_of(number) } else { noon + SignedDuration::from_hours(2) * number_of(1 + number % 240) };
        (world.tenant.keyring.slot(&format!("+1514{:07}", 2_000_000 + number)), at)
    };
    let moments: Vec<_> = (0..count).map(due).collect();
    due_scores::announce(core, scope, &moments).await.unwrap();
    // A score is looked for half a minute after its time.
    world.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(sweep.sweep(later()).await.unwrap().sent, 0, "nothing was due before noon");
    let run = async |passes: SignedDuration| {
        world.clock.advance(passes);
        let (usage, swept) = of(&world, sweep.sweep(later())).await;
        let swept = swept.unwrap();
        assert!(swept.is_caught_up);
        (usage, swept.sent)
    };
    let (hour, sent) = run(SignedDuration::from_hours(1)).await;
    assert_eq!((sent, mailbox.take().len()), (DUE, DUE));
    let (minute, sent) = run(SignedDuration::from_mins(1)).await;
    assert_eq!(sent, 0);
    Swept { hour, minute }
}

#[tokio::test]
async fn finding_the_scores_that_time_changes_costs_the_same_among_1000_contacts_and_among_10000() {
    let (few, many) = (sweeping(1_000).await, sweeping(10_000).await);
    let asked: Vec<&str> = many.hour.requests.keys().map(String::as_str).collect();
    assert_eq!(asked, ["GetItem", "PutItem", "Query"], "nothing is scanned");
    assert_eq!((few.hour, few.minute), (many.hour, many.minute));
}

#[tokio::test]
async fn a_contact_that_scores_the_same_is_read_once_and_not_written() {
    let rows = Box::pin(rescoring()).await;
    let (_, usage) = rows.iter().find(|(operation, _)| operation.ends_with("that scores the same")).unwrap();
    assert_eq!((usage.total_requests(), usage.read_units, usage.total_write_units()), (1, 1.0, 0.0), "{usage:?}");
}

/// Lists of contacts whose scores differ: every fourth is hot, every tenth came from a fair, twenty are a telephonist's.
async fn listing() -> Vec<(&'static str, Usage)> {
    let world = World::new().await;
    let (services, viewer) = (&world.services, world.viewer(ADMIN).await);
    let agent = world.viewer(TELEPHONIST).await.agent();
    let in_three_days = world.clock.now() + DAY * 3;
    let sources = ["fair", "direct_website", "referral", "google_ads", "cold_call"];
    filled(&world, MANY, |number, details| {
        details.source = Some(if number % 10 == 0 { "fair" } else { sources[1 + number % 4] }.to_owned());
        details.next_contact_at = (number % 4 == 0).then_some(in_three_days);
        details.assignee = (number % 50 == 3).then_some(agent);
    })
    .await;
    let list = async |filter: ContactFilter, order: ContactOrder, expected: usize| {
        let (usage, page) = of(&world, contacts::list(services, &viewer, &filter, None, FIRST, order)).await;
        assert_eq!(page.unwrap().contacts.len(), expected, "{filter:?}");
        usage
    };
    let all = ContactFilter::default;
    let from_a_fair = ContactFilter { source: Some("fair".to_owned()), ..all() };
    let own = ContactFilter { assignees: vec![agent], ..all() };
    let hot = ContactFilter { categories: vec![ScoreCategory::Hot], ..all() };
    let mut rows = Vec::new();
    for (operation, category) in [("`topContacts(first: 50)`, of 1,000", None), ("… of a category", Some(ScoreCategory::Hot))] {
        let (usage, page) = of(&world, contacts::top(services, &viewer, category, None, FIRST)).await;
        assert_eq!(page.unwrap().contacts.len(), FIRST);
        rows.push((operation, usage));
    }
    rows.push(("`contacts(first: 50, sort: SCORE)` of a source that one in 10 has", list(from_a_fair, ContactOrder::Score, FIRST).await));
    rows.push(("`contacts(first: 50, sort: PRIORITY)`, of 1,000", list(all(), ContactOrder::Priority, FIRST).await));
    rows.push(("… of one agent, who has 20", list(own, ContactOrder::Priority, 20).await));
    rows.push(("`contacts(first: 50)` of a category that one in 4 has", list(hot, ContactOrder::Newest, FIRST).await));
    let (usage, spread) = of(&world, distribution::distribution(services, &viewer)).await;
    assert_eq!(spread.unwrap().total(), u64::try_from(MANY).unwrap());
    rows.push(("`scoreDistribution`, of 1,000", usage));
    rows
}

/// A model of one's own, from its making to the last contact that is scored by it.
async fn modelling() -> Vec<(&'static str, Usage)> {
    let mut world = World::new().await;
    world.services.bulk_queue = Mailbox::default().queue();
    let world = world;
    let ids = filled(&world, BATCH, |_, _| {}).await;
    let (services, viewer) = (&world.services, world.viewer(ADMIN).await);
    let mut rows = Vec::new();
    let copy = CreateModel { name: "Ours".to_owned(), copy_of: Some(Some(ScoringModelId::PIPELINE)), ..CreateModel::default() };
    let (usage, created) = of(&world, models::create(services, &viewer, copy)).await;
    let id = created.unwrap().unwrap().model.id();
    rows.push(("`scoringModelCreate`, a copy of `pipeline`", usage));
    let renamed = UpdateModel { id: Some(id), expected_version: 1, name: Some(Some("Ours too".to_owned())), ..UpdateModel::default() };
    let (usage, done) = of(&world, models::update(services, &viewer, renamed)).await;
    done.unwrap().unwrap();
    rows.push(("`scoringModelUpdate`: another name", usage));
    let (usage, listed) = of(&world, models::list(services, &viewer)).await;
    assert_eq!(listed.unwrap().len(), 3);
    rows.push(("`scoringModels`, one of its own", usage));
    let sample = PreviewModel { of: PreviewOf::Model(Some(id)), contacts: None, sample: Some(100) };
    let (usage, previewed) = of(&world, models::preview(services, &viewer, sample)).await;
    assert_eq!(previewed.unwrap().unwrap().contacts.len(), 100);
    rows.push(("`scoringModelPreview` on 100 contacts", usage));
    let (usage, activated) = of(&world, models::activate(services, &viewer, ActivateModel { id: Some(id), expected_version: None })).await;
    let job = activated.unwrap().unwrap().job.unwrap();
    rows.push(("`scoringModelActivate`, before its job", usage));
    let message = BulkMessage { tenant: world.tenant.record.id, job: job.id };
    let keep = async |_: u32, _: &[Outcome]| Ok::<(), AppError>(());
    world.clock.advance(SignedDuration::from_secs(41));
    let (usage, stopped) = of(&world, change_contacts(services, &message, later(), &keep)).await;
    assert_eq!(stopped.unwrap(), Stopped::Ended);
    rows.push(("… its job, of 200 contacts, all of which will change by time", usage));
    let scored = contacts::get(services, &viewer, &ids[7]).await.unwrap().unwrap();
    // To a request that began before, it is a score by another model than the one in force.
    let explainer = Explainer::new(services, &viewer.tenant, &viewer.settings);
    let (usage, explained) = of(&world, explainer.explain(&scored.score.unwrap())).await;
    assert_eq!(explained.unwrap().components.len(), 4);
    rows.push(("the reasons of a score by a version that isn't in force", usage));
    rows
}

/// A model learned from contacts of which those that were referred were won more often.
async fn learning() -> Vec<(&'static str, Usage)> {
    let mut world = World::new().await;
    world.services.score_train_queue = Mailbox::default().queue();
    let world = world;
    let (services, viewer) = (&world.services, world.viewer(ADMIN).await);
    let won = viewer.settings.status_by_code(CONVERTED).unwrap().id;
    filled(&world, MANY, |number, details| {
        let is_referred = number % 3 == 0;
        details.source = Some(if is_referred { "referral" } else { "cold_call" }.to_owned());
        if (is_referred && number % 2 == 0) || number % 10 == 1 {
            details.status = won;
        }
    })
    .await;
    let mut rows = Vec::new();
    let choice = TrainingChoice { name: "Learned".to_owned(), outcome: TrainingOutcome::Converted, attributes: None };
    let (usage, started) = of(&world, train::start(services, &viewer, StartTraining { choice, idempotency_key: None })).await;
    let training = started.unwrap().unwrap().id;
    rows.push(("`scoringModelTrain`, before its worker", usage));
    let message = TrainingMessage { tenant: world.tenant.record.id, training };
    let (usage, stopped) = of(&world, train_model(services, &message, later())).await;
    assert_eq!(stopped.unwrap(), Stopped::Ended);
    let training = train::get(services, &viewer, training).await.unwrap().unwrap();
    assert_eq!(training.status, BulkJobStatus::Completed, "{:?}", training.failure_reason);
    rows.push(("… its worker, of 1,000 contacts", usage));
    rows
}
