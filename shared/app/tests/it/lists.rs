//! Lists of contacts: whatever is filtered and however it is paged, each contact that is meant comes once and in order.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use switchboard_app::contact_index::{IndexMessage, Indexer};
use switchboard_app::contacts::{self, MOST_EXAMINED};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactDraft, ContactFilter, ContactInput, ImportMark, OnInvalid, RowWrite};
use switchboard_domain::ids::{ContactId, ImportId};
use switchboard_store::contacts as store;
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Order, StoreError};
use switchboard_testkit::World;

/// A world whose lists have this many shards.
async fn world(shards: u32) -> (World, Arc<OpenTenant>, Arc<Settings>) {
    let world = World::new().await;
    let mut tenant = OpenTenant::clone(&world.tenant);
    tenant.record.shards = shards;
    let tenant = world.services.tenants.keep(tenant);
    let settings = world.services.tenants.settings(&tenant.scope).await.unwrap();
    (world, tenant, settings)
}

fn import(number: usize) -> ImportId {
    ImportId::new(Timestamp::UNIX_EPOCH, &[u8::try_from(number % 3).unwrap(); 10])
}

/// Writes `count` contacts, two a millisecond, whose values follow their number.
async fn fill(world: &World, tenant: &OpenTenant, settings: &Settings, count: usize) -> Result<Vec<Contact>, StoreError> {
    let defaults = tenant.defaults();
    let agents = [world.viewer("telephonist").await.agent(), world.viewer("admin").await.agent()];
    let mut contacts = Vec::with_capacity(count);
    for number in 0..count {
        let input = ContactInput {
            phone: format!("+1514{:03}{:04}", 200 + number / 10_000, number % 10_000),
            name: Some(format!("Person {number}")),
            source: Some(["web", "fair"][number % 2].to_owned()),
            ..ContactInput::default()
        };
        let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).unwrap().draft;
        let status = settings.statuses[number % settings.statuses.len()].id;
        let assignee = [None, Some(agents[0]), Some(agents[1]), None, None][number % 5];
        let id = tenant.keyring.slot(&draft.phone.e164);
        let change = Change::new("contact.created", world.clock.now(), Origin::system());
        let mut contact = Contact::created(id, draft.into_details(&defaults, status, assignee, None), change);
        contact.import_marks = vec![ImportMark { import: import(number), row: 1, written: RowWrite::Created, version: None }];
        if number % 11 == 0 {
            contact.deleted_at = Some(world.clock.now());
        }
        contacts.push(contact);
        if number % 2 == 1 {
            world.clock.advance(SignedDuration::from_millis(1));
        }
    }
    let written = store::create_many(&world.services.core, tenant, settings, &mut contacts, world.services.entropy.as_ref()).await?;
    assert!(written.into_iter().all(|written| written));
    Ok(contacts)
}

/// Every page of a filter, and how many entries each examined.
async fn pages(world: &World, tenant: &OpenTenant, settings: &Settings, filter: &ContactFilter, first: usize, order: Order) -> Vec<(Vec<ContactId>, usize)> {
    let (mut pages, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = contacts::walk(&world.services, tenant, settings, filter, after.as_deref(), first, order).await.unwrap();
        assert!(page.contacts.len() <= first);
        pages.push((page.contacts.into_iter().map(|row| row.id).collect(), page.examined));
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

fn filters(contacts: &[Contact], settings: &Settings) -> Vec<ContactFilter> {
    let all = ContactFilter::default;
    let agents: Vec<_> = contacts.iter().filter_map(|contact| contact.details.assignee).take(2).collect();
    let at = |index: usize| Some(contacts[index].record.created_at);
    vec![
        all(),
        ContactFilter { include_deleted: true, ..all() },
        ContactFilter { statuses: vec![settings.statuses[2].id, settings.statuses[3].id], ..all() },
        ContactFilter { assignees: vec![agents[0]], ..all() },
        ContactFilter { assignees: agents.clone(), include_deleted: true, ..all() },
        ContactFilter { assignees: agents.clone(), statuses: vec![settings.statuses[1].id], source: Some("fair".to_owned()), ..all() },
        ContactFilter { assigned: Some(false), source: Some("web".to_owned()), ..all() },
        ContactFilter { converted: Some(true), ..all() },
        ContactFilter { converted: Some(false), assigned: Some(true), ..all() },
        ContactFilter { created_from: at(60), created_to: at(181), ..all() },
        ContactFilter { created_from: at(60), assignees: vec![agents[1]], ..all() },
        ContactFilter { import: Some(import(1)), include_deleted: true, ..all() },
        ContactFilter { source: Some("nowhere".to_owned()), ..all() },
        ContactFilter { created_from: at(181), created_to: at(60), ..all() },
    ]
}

#[tokio::test]
async fn every_filter_gives_each_contact_that_is_meant_once_and_in_order() {
    for shards in [1, 3] {
        let (world, tenant, settings) = world(shards).await;
        let contacts = fill(&world, &tenant, &settings, 240).await.unwrap();
        let won = settings.status_by_code("converted").map(|status| status.id);
        for filter in filters(&contacts, &settings) {
            for (order, first) in [(Order::Descending, 13), (Order::Ascending, 100)] {
                let found: Vec<ContactId> = pages(&world, &tenant, &settings, &filter, first, order).await.into_iter().flat_map(|(ids, _)| ids).collect();
                let mut expected: Vec<&Contact> = contacts.iter().filter(|contact| filter.matches(contact, won)).collect();
                assert_eq!(found.len(), expected.len(), "{filter:?} {order:?} {first} {shards}");
                // Two contacts a millisecond: their order among each other is that of their places, which chance decides.
                expected.sort_by_key(|contact| contact.record.created_at);
                if order == Order::Descending {
                    expected.reverse();
                }
                let times =
                    |ids: &[ContactId]| -> Vec<Timestamp> { ids.iter().map(|id| contacts.iter().find(|contact| contact.id == *id).unwrap().record.created_at).collect() };
                assert_eq!(times(&found), expected.iter().map(|contact| contact.record.created_at).collect::<Vec<_>>(), "{filter:?}");
                let distinct: std::collections::HashSet<&ContactId> = found.iter().collect();
                assert_eq!(distinct.len(), found.len(), "{filter:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_filter_that_hardly_anything_matches_gives_thin_pages_that_examine_no_more_than_they_may() {
    for shards in [4, 1] {
        let (world, tenant, settings) = world(shards).await;
        let contacts = fill(&world, &tenant, &settings, 2_600).await.unwrap();
        let rare = &contacts[17];
        let filter = ContactFilter {
            statuses: vec![rare.details.status],
            created_to: Some(contacts[400].record.created_at),
            source: rare.details.source.clone(),
            import: Some(import(17)),
            assigned: Some(true),
            ..ContactFilter::default()
        };
        let wide = ContactFilter { created_to: None, ..filter.clone() };
        for filter in [filter, wide] {
            let pages = pages(&world, &tenant, &settings, &filter, 50, Order::Descending).await;
            assert!(pages.iter().all(|(_, examined)| *examined <= MOST_EXAMINED + 500), "{pages:?}");
            let found: Vec<ContactId> = pages.into_iter().flat_map(|(ids, _)| ids).collect();
            assert_eq!(found.len(), contacts.iter().filter(|contact| filter.matches(contact, None)).count());
        }
    }
}

#[tokio::test]
async fn a_page_costs_the_same_in_a_short_list_and_in_a_long_one() {
    let mut costs = Vec::new();
    for count in [200, 2_000] {
        let (world, tenant, settings) = world(1).await;
        fill(&world, &tenant, &settings, count).await.unwrap();
        world.database.meter.reset();
        contacts::walk(&world.services, &tenant, &settings, &ContactFilter::default(), None, 50, Order::Descending).await.unwrap();
        let usage = world.database.meter.usage();
        costs.push((usage.requests, usage.read_units.to_string()));
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn an_agent_with_more_contacts_than_are_sorted_at_once_is_listed_all_the_same() {
    let (world, tenant, settings) = world(2).await;
    let defaults = tenant.defaults();
    let agent = world.viewer("telephonist").await.agent();
    let status = settings.statuses[0].id;
    let mut contacts: Vec<Contact> = (0..2_100)
        .map(|number| {
            let input = ContactInput { phone: format!("+1514200{number:04}"), ..ContactInput::default() };
            let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).unwrap().draft;
            let id = tenant.keyring.slot(&draft.phone.e164);
            world.clock.advance(SignedDuration::from_millis(1));
            Contact::created(id, draft.into_details(&defaults, status, Some(agent), None), Change::new("contact.created", world.clock.now(), Origin::system()))
        })
        .collect();
    store::create_many(&world.services.core, &tenant, &settings, &mut contacts, world.services.entropy.as_ref()).await.unwrap();
    let filter = ContactFilter { assignees: vec![agent], ..ContactFilter::default() };
    let found: Vec<ContactId> = pages(&world, &tenant, &settings, &filter, 100, Order::Ascending).await.into_iter().flat_map(|(ids, _)| ids).collect();
    assert_eq!(found, contacts.into_iter().map(|contact| contact.id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_search_with_more_candidates_than_are_sorted_at_once_gives_each_once_and_in_order() {
    let (world, tenant, settings) = world(2).await;
    let defaults = tenant.defaults();
    let mut contacts: Vec<Contact> = (0..2_100)
        .map(|number| {
            let name = Some(if number % 3 == 0 { "Marie Roy" } else { "Mariette Roy" }.to_owned());
            let input = ContactInput { phone: format!("+1514200{number:04}"), name, ..ContactInput::default() };
            let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).unwrap().draft;
            let id = tenant.keyring.slot(&draft.phone.e164);
            world.clock.advance(SignedDuration::from_millis(1));
            let details = draft.into_details(&defaults, settings.statuses[0].id, None, None);
            Contact::created(id, details, Change::new("contact.created", world.clock.now(), Origin::system()))
        })
        .collect();
    store::create_many(&world.services.core, &tenant, &settings, &mut contacts, world.services.entropy.as_ref()).await.unwrap();
    let services = &world.services;
    let (tenants, clock, entropy) = (Arc::clone(&services.tenants), Arc::clone(&services.clock), Arc::clone(&services.entropy));
    let indexer = Indexer { core: services.core.clone(), tenants, clock, entropy };
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id.clone()).collect();
    indexer.index(&IndexMessage { tenant: tenant.record.id, contacts: ids.clone() }).await.unwrap();
    for (text, expected) in [("mari", ids.clone()), ("mariett", ids.iter().enumerate().filter(|(number, _)| number % 3 != 0).map(|(_, id)| id.clone()).collect())] {
        let filter = ContactFilter { search: Some(text.to_owned()), ..ContactFilter::default() };
        let found: Vec<ContactId> = pages(&world, &tenant, &settings, &filter, 100, Order::Ascending).await.into_iter().flat_map(|(ids, _)| ids).collect();
        assert_eq!(found, expected, "{text}");
    }
}
