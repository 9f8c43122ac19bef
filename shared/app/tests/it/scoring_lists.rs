//! Lists by score and in the order in which contacts are called, the best contacts, and how scores are spread: held against plain sorts of what was written.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use switchboard_app::contact_index::{IndexMessage, Indexer};
use switchboard_app::contacts::{self, ContactOrder, MOST_EXAMINED, Walked};
use switchboard_app::scoring::distribution::distribution;
use switchboard_app::{AppError, Viewer};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::{Clock, Entropy};
use switchboard_domain::contact::{Contact, ContactDraft, ContactFilter, ContactInput, OnInvalid};
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::{Grant, Permission, Scope};
use switchboard_domain::person::User;
use switchboard_domain::scoring::{Score, ScoreCategory};
use switchboard_store::contacts as store;
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_testkit::{SeededEntropy, World};

/// More pages than any list of these tests has.
const MOST_PAGES: usize = 500;

/// A tenant with contacts of all kinds.
struct Scene {
    world: World,
    tenant: Arc<OpenTenant>,
    settings: Arc<Settings>,
    contacts: Vec<Contact>,
}

fn below(random: &SeededEntropy, limit: u64) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % limit
}

fn score(settings: &Settings, value: u8, at: Timestamp) -> Score {
    Score { value, components: Vec::new(), model: settings.scorer.model.version, calculated_at: at, previous: None, next_change_at: None }
}

impl Scene {
    /// A tenant without contacts, whose lists have this many shards.
    async fn empty(shards: u32) -> Self {
        let world = World::new().await;
        let mut tenant = OpenTenant::clone(&world.tenant);
        tenant.record.shards = shards;
        let tenant = world.services.tenants.keep(tenant);
        let settings = world.services.tenants.settings(&tenant.scope).await.unwrap();
        Self { world, tenant, settings, contacts: Vec::new() }
    }

    /// Contacts of two zones, all statuses, agents, teams and the pool, with scores and times that chance decides; two a millisecond, one of eleven deleted.
    async fn of(shards: u32, count: usize, seed: u64) -> Self {
        let mut scene = Self::empty(shards).await;
        let random = SeededEntropy::new(seed);
        let agents = [scene.viewer("telephonist").await.agent(), scene.viewer("admin").await.agent()];
        let teams = [scene.world.team_id("Est"), scene.world.team_id("West")];
        for number in 0..count {
            let mut contact = scene.contact(number, if number % 3 == 0 { 604 } else { 514 });
            let now = scene.world.clock.now();
            let details = &mut contact.details;
            details.status = scene.settings.statuses[usize::try_from(below(&random, scene.settings.statuses.len() as u64)).unwrap()].id;
            match below(&random, 5) {
                0 => details.assignee = Some(agents[0]),
                1 => details.assignee = Some(agents[1]),
                2 => details.team = Some(teams[0]),
                3 => details.team = Some(teams[1]),
                _ => {}
            }
            let minutes = SignedDuration::from_mins(i64::try_from(below(&random, 10_000)).unwrap());
            match below(&random, 4) {
                0 => details.next_contact_at = Some(now - minutes),
                1 => details.next_contact_at = Some(now + minutes),
                _ => {}
            }
            details.source = Some(if number % 700 == 5 { "rare" } else { ["web", "fair"][number % 2] }.to_owned());
            // Few values, so that many are equal.
            let value = [0, 24, 25, 49, 50, 60, 74, 75, 100, 33][usize::try_from(below(&random, 10)).unwrap()];
            contact.score = Some(score(&scene.settings, value, now));
            contact.suppressed = number % 13 == 0;
            contact.deleted_at = (number % 11 == 0).then_some(now);
            scene.contacts.push(contact);
            if number % 2 == 1 {
                scene.world.clock.advance(SignedDuration::from_millis(1));
            }
        }
        scene.write().await;
        scene
    }

    /// Contacts that differ in nothing but their number and score: of one zone, of the first status that is called, in the tenant's pool.
    async fn alike(count: usize) -> Self {
        let mut scene = Self::empty(1).await;
        for number in 0..count {
            let mut contact = scene.contact(number, 514);
            contact.score = Some(score(&scene.settings, u8::try_from(number % 101).unwrap(), scene.world.clock.now()));
            scene.contacts.push(contact);
            scene.world.clock.advance(SignedDuration::from_millis(1));
        }
        scene.write().await;
        scene
    }

    fn contact(&self, number: usize, area: u32) -> Contact {
        let defaults = self.tenant.defaults();
        let name = if number.is_multiple_of(3) { "Marie Roy" } else { "Paul Roy" };
        let input = ContactInput { phone: format!("+1{area}{:03}{:04}", 200 + number / 10_000, number % 10_000), name: Some(name.to_owned()), ..ContactInput::default() };
        let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).unwrap().draft;
        let id = self.tenant.keyring.slot(&draft.phone.e164);
        let status = self.settings.live_statuses().find(|status| !status.exclude_from_call_list).unwrap().id;
        let change = Change::new("contact.created", self.world.clock.now(), Origin::system());
        Contact::created(id, draft.into_details(&defaults, status, None, None), change)
    }

    async fn write(&self) {
        let entropy = self.world.services.entropy.as_ref();
        let written = store::create_many(&self.world.services.core, &self.tenant, &self.settings, &mut self.contacts.clone(), entropy).await.unwrap();
        assert!(written.into_iter().all(|written| written));
    }

    async fn viewer(&self, role: &str) -> Viewer {
        let mut viewer = self.world.viewer(role).await;
        viewer.tenant = Arc::clone(&self.tenant);
        viewer
    }

    /// The telephonist, who may see what their teams have and nothing else.
    async fn viewer_of_teams(&self) -> Viewer {
        let mut viewer = self.viewer("telephonist").await;
        let grants = vec![Grant { permission: Permission::ContactRead, scope: Scope::Team }];
        viewer.user = Arc::new(User { roles: Vec::new(), grants, ..User::clone(&viewer.user) });
        viewer
    }

    /// The worker takes off marks of suppression that no entry of the list stands behind.
    async fn index(&mut self) {
        let services = &self.world.services;
        let (tenants, clock, entropy) = (Arc::clone(&services.tenants), Arc::clone(&services.clock), Arc::clone(&services.entropy));
        let indexer = Indexer { core: services.core.clone(), tenants, clock, entropy };
        indexer.index(&IndexMessage { tenant: self.tenant.record.id, contacts: self.contacts.iter().map(|contact| contact.id.clone()).collect() }).await.unwrap();
        for contact in &mut self.contacts {
            contact.suppressed &= contact.deleted_at.is_some();
        }
    }

    /// The contacts that a filter means, as a plain walk through all of them has it.
    fn meant(&self, filter: &ContactFilter) -> Vec<&Contact> {
        let won = self.settings.status_by_code("converted").map(|status| status.id);
        let found = |contact: &&Contact| {
            let name = contact.details.name.as_deref().unwrap_or_default().to_lowercase();
            filter.matches(contact, won) && filter.search.as_ref().is_none_or(|search| name.split(' ').any(|word| word.starts_with(search)))
        };
        self.contacts.iter().filter(found).collect()
    }

    fn by_score(&self, filter: &ContactFilter) -> Vec<(u8, Timestamp)> {
        let mut expected: Vec<(u8, Timestamp)> = self.meant(filter).into_iter().map(ranked).collect();
        expected.sort_by_key(|(value, created)| (100 - value, *created));
        expected
    }

    fn by_priority(&self, filter: &ContactFilter, now: Timestamp) -> Vec<ContactId> {
        let mut expected: Vec<_> = self.meant(filter).into_iter().filter_map(|contact| Some((self.turn(contact, now)?, contact.id.clone()))).collect();
        expected.sort();
        expected.into_iter().map(|(_, id)| id).collect()
    }

    /// When a contact's turn is, among all of them; none for who must not be called.
    fn turn(&self, contact: &Contact, now: Timestamp) -> Option<(u8, i64, u16, u8)> {
        let status = self.settings.status(contact.details.status).unwrap();
        if status.exclude_from_call_list || contact.suppressed {
            return None;
        }
        Some(match contact.details.next_contact_at {
            Some(at) => (if at <= now { 0 } else { 2 }, at.as_millisecond(), 0, 0),
            None => (1, 0, status.order, 100 - contact.score.as_ref().unwrap().value),
        })
    }

    fn find(&self, id: &ContactId) -> &Contact {
        self.contacts.iter().find(|contact| contact.id == *id).unwrap()
    }

    /// All pages of a list; an hour goes by between any two.
    async fn pages(&self, viewer: &Viewer, filter: &ContactFilter, first: usize, order: ContactOrder) -> Vec<Walked> {
        let (mut pages, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = contacts::list(&self.world.services, viewer, filter, after.as_deref(), first, order).await.unwrap();
            assert!(page.contacts.len() <= first && page.examined <= MOST_EXAMINED, "{filter:?}");
            assert!(page.contacts.iter().map(|row| &row.id).eq(page.whole.iter().map(|contact| &contact.id)), "{filter:?}");
            after.clone_from(&page.next);
            pages.push(page);
            if after.is_none() {
                return pages;
            }
            assert!(pages.len() < MOST_PAGES, "{filter:?} {order:?} goes on for ever");
            self.world.clock.advance(SignedDuration::from_hours(1));
        }
    }

    async fn ids(&self, viewer: &Viewer, filter: &ContactFilter, first: usize, order: ContactOrder) -> Vec<ContactId> {
        self.pages(viewer, filter, first, order).await.into_iter().flat_map(|page| page.contacts).map(|row| row.id).collect()
    }

    fn filters(&self) -> Vec<ContactFilter> {
        let all = ContactFilter::default;
        let agents: Vec<_> = self.contacts.iter().filter_map(|contact| contact.details.assignee).collect();
        let at = |index: usize| Some(self.contacts[index].record.created_at);
        vec![
            all(),
            ContactFilter { categories: vec![ScoreCategory::Hot], ..all() },
            ContactFilter { categories: vec![ScoreCategory::Nurture, ScoreCategory::Warm], ..all() },
            ContactFilter { categories: ScoreCategory::ALL.to_vec(), source: Some("web".to_owned()), ..all() },
            ContactFilter { statuses: vec![self.settings.statuses[0].id, self.settings.statuses[2].id], ..all() },
            ContactFilter { assignees: vec![agents[0], agents[0]], ..all() },
            ContactFilter { assignees: agents.clone(), statuses: vec![self.settings.statuses[1].id], ..all() },
            ContactFilter { assignees: vec![agents[0]], categories: vec![ScoreCategory::Cold], ..all() },
            ContactFilter { assigned: Some(false), ..all() },
            ContactFilter { assigned: Some(true), converted: Some(false), ..all() },
            ContactFilter { converted: Some(true), ..all() },
            ContactFilter { created_from: at(60), created_to: at(181), ..all() },
            ContactFilter { source: Some("nowhere".to_owned()), ..all() },
        ]
    }
}

fn ranked(contact: &Contact) -> (u8, Timestamp) {
    (contact.score.as_ref().unwrap().value, contact.record.created_at)
}

fn assert_distinct(ids: &[ContactId]) {
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
}

#[tokio::test]
async fn deleted_contacts_are_refused_where_they_have_no_place() {
    let scene = Scene::empty(1).await;
    let viewer = scene.viewer("admin").await;
    let filter = ContactFilter { include_deleted: true, ..ContactFilter::default() };
    for order in [ContactOrder::Score, ContactOrder::Priority] {
        let refused = contacts::list(&scene.world.services, &viewer, &filter, None, 50, order).await;
        assert!(matches!(refused, Err(AppError::Asked(message)) if message.contains("includeDeleted")));
    }
}

#[tokio::test]
async fn scores_are_spread_for_nobody_without_the_permission() {
    let scene = Scene::empty(1).await;
    let refused = distribution(&scene.world.services, &scene.viewer("telephonist").await).await;
    assert!(matches!(refused, Err(AppError::Forbidden)));
}

#[tokio::test]
async fn by_score_every_filter_gives_each_contact_that_is_meant_once_and_the_best_first() {
    for shards in [1, 3] {
        let scene = Scene::of(shards, 240, 11).await;
        let viewer = scene.viewer("admin").await;
        for filter in scene.filters() {
            for first in [7, 100] {
                let ids = scene.ids(&viewer, &filter, first, ContactOrder::Score).await;
                assert_distinct(&ids);
                let found: Vec<_> = ids.iter().map(|id| ranked(scene.find(id))).collect();
                assert_eq!(found, scene.by_score(&filter), "{filter:?} {first} {shards}");
            }
        }
    }
}

#[tokio::test]
async fn by_priority_every_filter_gives_each_contact_that_is_meant_once_and_in_its_turn() {
    for shards in [1, 3] {
        let scene = Scene::of(shards, 240, 12).await;
        let zones: HashSet<_> = scene.contacts.iter().map(|contact| &contact.details.time_zone.name).collect();
        assert!(zones.len() > 1);
        let viewer = scene.viewer("admin").await;
        for filter in scene.filters() {
            for first in [7, 100] {
                let now = scene.world.clock.now();
                let found = scene.ids(&viewer, &filter, first, ContactOrder::Priority).await;
                assert_eq!(found, scene.by_priority(&filter, now), "{filter:?} {first} {shards}");
            }
        }
    }
}

#[tokio::test]
async fn who_may_see_some_contacts_sees_those_in_either_order() {
    let scene = Scene::of(2, 240, 13).await;
    let (own, team) = (scene.viewer("telephonist").await, scene.viewer_of_teams().await);
    let of_own = ContactFilter { assignees: vec![own.agent()], ..ContactFilter::default() };
    let of_team = ContactFilter { owners: Some(team.of_teams()), ..ContactFilter::default() };
    assert!(!scene.meant(&of_own).is_empty() && scene.meant(&of_own).len() < scene.meant(&of_team).len());
    for (viewer, seen) in [(own, of_own), (team, of_team)] {
        let ids = scene.ids(&viewer, &ContactFilter::default(), 9, ContactOrder::Score).await;
        assert_distinct(&ids);
        assert_eq!(ids.iter().map(|id| ranked(scene.find(id))).collect::<Vec<_>>(), scene.by_score(&seen));
        let now = scene.world.clock.now();
        assert_eq!(scene.ids(&viewer, &ContactFilter::default(), 9, ContactOrder::Priority).await, scene.by_priority(&seen, now));
        let foreign = ContactFilter { assignees: vec![scene.viewer("manager").await.agent()], ..ContactFilter::default() };
        for order in [ContactOrder::Score, ContactOrder::Priority] {
            assert!(scene.ids(&viewer, &foreign, 9, order).await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_search_is_sorted_like_everything_else() {
    let mut scene = Scene::of(2, 240, 14).await;
    scene.index().await;
    let viewer = scene.viewer("admin").await;
    let filter = ContactFilter { search: Some("mari".to_owned()), categories: vec![ScoreCategory::Hot, ScoreCategory::Cold], ..ContactFilter::default() };
    let ids = scene.ids(&viewer, &filter, 5, ContactOrder::Score).await;
    assert_distinct(&ids);
    assert_eq!(ids.iter().map(|id| ranked(scene.find(id))).collect::<Vec<_>>(), scene.by_score(&filter));
    let now = scene.world.clock.now();
    assert_eq!(scene.ids(&viewer, &filter, 5, ContactOrder::Priority).await, scene.by_priority(&filter, now));
}

#[tokio::test]
async fn more_candidates_than_are_sorted_at_once_are_walked_and_a_page_examines_no_more_than_it_may() {
    // Of these about one in eleven is deleted, and stands in no index of work or score.
    let mut scene = Scene::of(2, 2_400, 15).await;
    scene.index().await;
    let viewer = scene.viewer("admin").await;
    let rare = ContactFilter { source: Some("rare".to_owned()), ..ContactFilter::default() };
    let searched = ContactFilter { search: Some("roy".to_owned()), ..ContactFilter::default() };
    for filter in [rare, searched] {
        let pages = scene.pages(&viewer, &filter, 100, ContactOrder::Score).await;
        assert!(pages.len() > 1, "{filter:?}");
        let ids: Vec<ContactId> = pages.into_iter().flat_map(|page| page.contacts).map(|row| row.id).collect();
        assert_distinct(&ids);
        assert_eq!(ids.iter().map(|id| ranked(scene.find(id))).collect::<Vec<_>>(), scene.by_score(&filter), "{filter:?}");
        let now = scene.world.clock.now();
        assert_eq!(scene.ids(&viewer, &filter, 100, ContactOrder::Priority).await, scene.by_priority(&filter, now), "{filter:?}");
    }
}

#[tokio::test]
async fn the_best_contacts_of_a_category_are_its_own() {
    let scene = Scene::of(3, 240, 16).await;
    let viewer = scene.viewer("admin").await;
    for category in [None, Some(ScoreCategory::Warm), Some(ScoreCategory::Nurture)] {
        let page = contacts::top(&scene.world.services, &viewer, category, None, 10).await.unwrap();
        let filter = ContactFilter { categories: category.into_iter().collect(), ..ContactFilter::default() };
        let expected: Vec<u8> = scene.by_score(&filter).into_iter().take(10).map(|(value, _)| value).collect();
        assert_eq!(page.contacts.iter().filter_map(|row| row.score).collect::<Vec<_>>(), expected, "{category:?}");
        assert!(page.next.is_some());
    }
}

#[tokio::test]
async fn in_the_order_of_time_categories_narrow_too() {
    let scene = Scene::of(2, 240, 17).await;
    let viewer = scene.viewer("admin").await;
    for categories in [vec![ScoreCategory::Hot], vec![ScoreCategory::Warm, ScoreCategory::Cold]] {
        let filter = ContactFilter { categories, ..ContactFilter::default() };
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = contacts::list(&scene.world.services, &viewer, &filter, after.as_deref(), 20, ContactOrder::Oldest).await.unwrap();
            found.extend(page.contacts.into_iter().map(|row| (row.created_at, row.id)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(found.iter().map(|(created, _)| created).is_sorted());
        let found: HashSet<ContactId> = found.into_iter().map(|(_, id)| id).collect();
        assert_eq!(found, scene.meant(&filter).into_iter().map(|contact| contact.id.clone()).collect());
    }
}

#[tokio::test]
async fn scores_are_spread_as_they_are_counted_one_by_one() {
    for shards in [1, 3] {
        let scene = Scene::of(shards, 240, 18).await;
        let spread = distribution(&scene.world.services, &scene.viewer("admin").await).await.unwrap();
        let values: Vec<u8> = scene.meant(&ContactFilter::default()).into_iter().map(|contact| ranked(contact).0).collect();
        assert_eq!(spread.total(), values.len() as u64);
        for band in &spread.bands {
            let counted = values.iter().filter(|value| (band.least..=band.greatest).contains(*value)).count();
            assert_eq!(band.count, counted as u64, "{band:?}");
        }
        for category in ScoreCategory::ALL {
            assert_eq!(spread.of_category(category), values.iter().filter(|value| ScoreCategory::of(**value) == category).count() as u64, "{category:?}");
        }
    }
}

#[tokio::test]
async fn a_page_costs_the_same_in_a_short_list_and_in_a_long_one() {
    let mut costs = Vec::new();
    for count in [200, 2_000] {
        let scene = Scene::alike(count).await;
        let viewer = scene.viewer("admin").await;
        for order in [ContactOrder::Score, ContactOrder::Priority] {
            scene.world.database.meter.reset();
            let page = contacts::list(&scene.world.services, &viewer, &ContactFilter::default(), None, 50, order).await.unwrap();
            assert_eq!((page.contacts.len(), page.examined), (50, 50));
            let usage = scene.world.database.meter.usage();
            costs.push((order, usage.requests, usage.read_units.to_string()));
        }
    }
    assert_eq!(costs[..2], costs[2..]);
}
