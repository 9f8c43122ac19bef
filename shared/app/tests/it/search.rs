//! The search index: what leads to contacts as they change, what is left when a worker is cut off, and who may be one person.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard_app::contact_index::{IndexMessage, Indexed, Indexer};
use switchboard_app::contacts::{self, CreateContact, DuplicatesPlace, UpdateContact};
use switchboard_app::{AppError, Viewer, changes};
use switchboard_domain::contact::{Contact, ContactFilter, ContactInput, ContactPatch};
use switchboard_domain::ids::ContactId;
use switchboard_domain::search::{DuplicateReason, tokens};
use switchboard_store::item::{Item, text};
use switchboard_store::{Order, contacts as store, keys};
use switchboard_testkit::{Fault, World};

use crate::made;

struct Bench {
    world: World,
    indexer: Indexer,
    requests: AtomicUsize,
}

impl Bench {
    async fn new() -> Self {
        let world = World::new().await;
        let services = &world.services;
        let indexer =
            Indexer { core: services.core.clone(), tenants: Arc::clone(&services.tenants), clock: Arc::clone(&services.clock), entropy: Arc::clone(&services.entropy) };
        Self { world, indexer, requests: AtomicUsize::new(0) }
    }

    /// An administrator in a request of their own.
    async fn viewer(&self) -> Viewer {
        self.world.viewer_in_request("admin", &format!("request {}", self.requests.fetch_add(1, Ordering::SeqCst))).await
    }

    async fn create(&self, phone: &str, input: ContactInput) -> Contact {
        let input = ContactInput { phone: phone.to_owned(), ..input };
        contacts::create(&self.world.services, &self.viewer().await, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap()
    }

    async fn create_nth(&self, number: usize) -> Contact {
        self.create(&format!("438-555-{number:04}"), named("Zoé Roy")).await
    }

    async fn update(&self, contact: &Contact, patch: ContactPatch) -> Contact {
        let request = UpdateContact { id: Some(contact.id.clone()), expected_version: version(contact), patch, ..UpdateContact::default() };
        contacts::update(&self.world.services, &self.viewer().await, request).await.unwrap().unwrap()
    }

    async fn rename(&self, contact: &Contact, name: &str) -> Contact {
        self.update(contact, ContactPatch { name: Some(Some(name.to_owned())), ..ContactPatch::default() }).await
    }

    async fn delete(&self, contact: &Contact) -> Contact {
        contacts::delete(&self.world.services, &self.viewer().await, Some(contact.id.clone()), version(contact)).await.unwrap().unwrap()
    }

    fn message(&self, contacts: &[&Contact]) -> IndexMessage {
        IndexMessage { tenant: self.world.tenant.record.id, contacts: contacts.iter().map(|contact| contact.id.clone()).collect() }
    }

    async fn index(&self, contacts: &[&Contact]) -> Indexed {
        self.indexer.index(&self.message(contacts)).await.unwrap()
    }

    /// Whom a search finds.
    async fn found(&self, typed: &str) -> BTreeSet<ContactId> {
        let filter = ContactFilter { search: Some(typed.to_owned()), ..ContactFilter::default() };
        let page = contacts::list(&self.world.services, &self.viewer().await, &filter, None, 50, Order::Descending).await.unwrap();
        page.contacts.into_iter().map(|row| row.id).collect()
    }

    /// What the index has, tokens and entries.
    async fn indexed(&self) -> Vec<Item> {
        let mut items = made::everything(&self.world.database).await;
        items.retain(|item| matches!(text(item, "type"), Some("search_token" | "search_entry")));
        items
    }

    /// Whether exactly the tokens that are to lead to a contact do.
    async fn is_in_step(&self, id: &ContactId) -> bool {
        let end = format!("#{id}");
        let there: BTreeSet<String> = self.indexed().await.iter().filter_map(|item| text(item, "SK")?.strip_suffix(&end).map(str::to_owned)).collect();
        let stored = store::get(&self.world.services.core, &self.world.tenant, id).await.unwrap();
        let wanted = stored
            .iter()
            .flat_map(|stored| tokens(&self.world.tenant.keyring, &stored.contact).into_iter().map(move |token| format!("{}#{}", token.text, stored.place())));
        there == wanted.collect::<BTreeSet<_>>()
    }

    /// Indexes until so many requests to write were made, the last of which never arrives: there the worker is gone.
    async fn cut_off(&self, contact: &Contact, writes: u32) {
        let database = &self.world.database;
        database.meter.reset();
        let watch = async {
            let mut armed = false;
            loop {
                let made = database.meter.usage().requests.get("BatchWriteItem").copied().unwrap_or(0);
                if made >= writes {
                    return;
                }
                if made + 1 == writes && !armed {
                    database.wire.cut_next("BatchWriteItem", Fault::CutBefore);
                    armed = true;
                }
                tokio::task::yield_now().await;
            }
        };
        let message = self.message(&[contact]);
        tokio::select! {
            biased;
            () = watch => {}
            indexed = self.indexer.index(&message) => panic!("it came to its end: {indexed:?}"),
        }
    }
}

fn version(contact: &Contact) -> i32 {
    i32::try_from(contact.record.version).unwrap()
}

fn named(name: &str) -> ContactInput {
    ContactInput { name: Some(name.to_owned()), ..ContactInput::default() }
}

fn with_email(name: &str, email: &str) -> ContactInput {
    ContactInput { email: Some(email.to_owned()), ..named(name) }
}

fn ids(contacts: &[&Contact]) -> BTreeSet<ContactId> {
    contacts.iter().map(|contact| contact.id.clone()).collect()
}

#[tokio::test]
async fn a_contact_is_found_by_its_numbers_its_address_and_the_beginnings_of_its_name() {
    let bench = Bench::new().await;
    let input = ContactInput { alternate_phones: vec!["438-555-0177".to_owned()], ..with_email("Zoé Gélinas-O'Brien", "Zoe@Example.com") };
    let contact = bench.create("514-555-0123", input).await;
    assert_eq!(bench.index(&[&contact]).await.changed, 1);
    for typed in ["gel", "GÉLINAS", "bri zo", "O'Brien", "zoe@example.com", "ZOE@EXAMPLE.COM", "514-555-0123", "0123", "555-0123", "+1 438 555 0177", "0177"] {
        assert_eq!(bench.found(typed).await, ids(&[&contact]), "{typed}");
    }
    for typed in ["linas", "z", "gel tremblay", "zo@example.com", "514-555-0124", "0124", "1230123"] {
        assert!(bench.found(typed).await.is_empty(), "{typed}");
    }
    let (viewer, filter) = (bench.viewer().await, ContactFilter { search: Some("123".to_owned()), ..ContactFilter::default() });
    let refused = contacts::list(&bench.world.services, &viewer, &filter, None, 50, Order::Descending).await;
    assert!(matches!(refused, Err(AppError::Asked(message)) if message.contains("filter.search")));
}

#[tokio::test]
async fn names_of_any_script_are_found_by_their_beginnings() {
    let bench = Bench::new().await;
    for (number, (name, typed)) in [("Мария Иванова", "мар"), ("李小龙", "李小"), ("محمد علي", "محم"), ("김철수", "김철"), ("Þóra", "þó")].into_iter().enumerate()
    {
        let contact = bench.create(&format!("514-555-{number:04}"), named(name)).await;
        bench.index(&[&contact]).await;
        assert_eq!(bench.found(typed).await, ids(&[&contact]), "{typed} in {name}");
    }
}

#[tokio::test]
async fn the_index_follows_a_contact_that_is_renamed_deleted_restored_and_erased() {
    let bench = Bench::new().await;
    let contact = bench.create("514-555-0123", with_email("Zoé Gélinas", "zoe@example.com")).await;
    bench.index(&[&contact]).await;
    let contact = bench.rename(&contact, "Zoé Tremblay").await;
    assert_eq!(bench.found("gel").await, ids(&[]), "what a search finds is looked at as it is now");
    bench.index(&[&contact]).await;
    assert_eq!((bench.found("tremb").await, bench.found("zoe").await), (ids(&[&contact]), ids(&[&contact])));
    assert!(bench.is_in_step(&contact.id).await);

    let contact = bench.delete(&contact).await;
    bench.index(&[&contact]).await;
    assert!(bench.indexed().await.is_empty(), "neither a token nor the entry is left");
    let viewer = bench.viewer().await;
    let contact = contacts::restore(&bench.world.services, &viewer, Some(contact.id), None).await.unwrap().unwrap();
    bench.index(&[&contact]).await;
    assert_eq!(bench.found("zoe").await, ids(&[&contact]));
    assert!(bench.is_in_step(&contact.id).await);

    let scope = &bench.world.tenant.scope;
    let partition = keys::contact_partition(scope, &contact.id);
    let hanging = |sk: String| {
        let attributes = [("PK", partition.clone()), ("SK", sk), ("type", "test".to_owned())];
        attributes.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect::<Item>()
    };
    let left = (0..120).map(|number| hanging(format!("N#{number:03}"))).chain([hanging("K#1".to_owned()), hanging("S#1".to_owned())]).collect();
    bench.world.services.core.write_many(scope, left, Vec::new()).await.unwrap();
    contacts::erase(&bench.world.services, &viewer, Some(contact.id.clone()), "They asked for it.").await.unwrap().unwrap();
    assert_eq!(bench.index(&[&contact]).await.erased, 1);
    assert!(bench.indexed().await.is_empty());
    let items = bench.world.services.core.partition(scope, &partition, "").await.unwrap();
    assert_eq!(items.iter().filter_map(|item| text(item, "SK")).collect::<Vec<_>>(), ["C"], "only that there was somebody");
}

#[tokio::test]
async fn two_contacts_of_one_name_are_both_found_and_part_when_one_is_renamed() {
    let bench = Bench::new().await;
    let (one, other) = (bench.create("514-555-0123", named("Zoé Roy")).await, bench.create("514-555-0124", named("Zoé Roy")).await);
    assert_eq!(bench.index(&[&one, &other, &one]).await.changed, 2);
    assert_eq!(bench.found("roy").await, ids(&[&one, &other]));
    let one = bench.rename(&one, "Zoé Lavoie").await;
    bench.index(&[&one]).await;
    assert_eq!((bench.found("roy").await, bench.found("zoe").await), (ids(&[&other]), ids(&[&one, &other])));
}

#[tokio::test]
async fn a_message_delivered_again_writes_nothing_more() {
    let bench = Bench::new().await;
    let contact = bench.create("514-555-0123", with_email("Zoé Roy", "zoe@example.com")).await;
    for step in 0..4 {
        match step {
            0 => {}
            1 => drop(bench.rename(&contact, "Zoé Lavoie").await),
            2 => drop(bench.update(&contact_now(&bench, &contact).await, ContactPatch { email: Some(None), ..ContactPatch::default() }).await),
            _ => drop(bench.delete(&contact_now(&bench, &contact).await).await),
        }
        assert_eq!(bench.index(&[&contact]).await.changed, 1, "step {step}");
        let before = sorted(bench.indexed().await);
        bench.world.database.meter.reset();
        assert_eq!(bench.index(&[&contact]).await.changed, 0, "step {step}");
        assert_eq!(bench.world.database.meter.usage().requests.get("BatchWriteItem"), None);
        assert_eq!(sorted(bench.indexed().await), before);
    }
}

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    let key = |item: &Item| (text(item, "PK").map(str::to_owned), text(item, "SK").map(str::to_owned));
    items.sort_by_key(key);
    items
}

async fn contact_now(bench: &Bench, contact: &Contact) -> Contact {
    store::get(&bench.world.services.core, &bench.world.tenant, &contact.id).await.unwrap().unwrap().contact
}

#[tokio::test]
async fn a_worker_cut_off_between_any_two_writes_leaves_nothing_behind() {
    let bench = Bench::new().await;
    // A new contact is written in three requests: the entry, the tokens, the last of them; a rename in four.
    for writes in 1..=3 {
        let contact = bench.create(&format!("514-555-01{writes:02}"), with_email("Zoé Roy", "zoe@example.com")).await;
        bench.cut_off(&contact, writes).await;
        bench.index(&[&contact]).await;
        assert!(bench.is_in_step(&contact.id).await, "a new contact, cut off at request {writes}");
        assert_eq!(bench.index(&[&contact]).await.changed, 0);
    }
    for writes in 1..=4 {
        let contact = bench.create(&format!("514-555-02{writes:02}"), with_email("Zoé Roy", "zoe@example.com")).await;
        bench.index(&[&contact]).await;
        let renamed = bench.rename(&contact, "Anna Roy").await;
        bench.cut_off(&renamed, writes).await;
        if writes % 2 == 0 {
            // Renamed back before the message comes again.
            bench.rename(&renamed, "Zoé Roy").await;
        }
        bench.index(&[&renamed]).await;
        assert!(bench.is_in_step(&contact.id).await, "a rename, cut off at request {writes}");
        assert_eq!(bench.index(&[&renamed]).await.changed, 0);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_changes_nothing() {
    let bench = Bench::new().await;
    for (number, fault) in [Fault::CutBefore, Fault::CutAfter].into_iter().enumerate() {
        let contact = bench.create(&format!("514-555-{number:04}"), named("Zoé Roy")).await;
        bench.world.database.wire.cut_next("BatchWriteItem", fault);
        bench.index(&[&contact]).await;
        assert!(bench.is_in_step(&contact.id).await, "{fault:?}");
    }
}

#[tokio::test]
async fn a_new_contact_costs_one_entry_and_its_tokens() {
    let bench = Bench::new().await;
    let input = ContactInput { postal_code: Some("H3A 1B2".to_owned()), ..with_email("Zoé Roy", "zoe@example.com") };
    let contact = bench.create("514-555-0123", input).await;
    bench.world.database.meter.reset();
    bench.index(&[&contact]).await;
    let usage = bench.world.database.meter.usage();
    assert_eq!(usage.requests.get("BatchWriteItem"), Some(&3), "the entry, the tokens, the last token: {usage:?}");
    // Two words, the address, the end of the number, the name at the postal code.
    let indexed = bench.indexed().await;
    assert_eq!((indexed.len(), tokens(&bench.world.tenant.keyring, &contact).len()), (6, 5));
    for item in indexed {
        let printed = format!("{item:?}").len();
        assert!(printed < 1_024, "stored it is smaller than printed, so it is one write unit: {printed}");
    }

    let many: Vec<Contact> = futures::future::join_all((0..50).map(|number| bench.create_nth(number))).await;
    bench.world.database.meter.reset();
    assert_eq!(bench.index(&many.iter().collect::<Vec<_>>()).await.changed, 50);
    let usage = bench.world.database.meter.usage();
    // 50 entries in 2 requests, 50 × 2 of their 3 tokens in 4, the last ones in 2.
    assert_eq!(usage.requests.get("BatchWriteItem"), Some(&8), "{usage:?}");
}

#[tokio::test]
async fn the_stream_s_records_of_contacts_are_followed_and_technical_writes_are_not() {
    let bench = Bench::new().await;
    let contact = bench.create("514-555-0123", named("Zoé")).await;
    let item = async || made::contact_item(&bench.world, &contact.id).await;
    let first = item().await;
    bench.rename(&contact, "Anna").await;
    let second = item().await;
    for record in [made::inserted(&first), made::changed(&first, &second)] {
        let messages = changes::grouped(&[record]);
        assert_eq!(messages.iter().map(|message| &message.body).collect::<Vec<_>>(), [&bench.message(&[&contact])]);
    }
    let (services, tenant) = (&bench.world.services, &bench.world.tenant);
    let settings = services.tenants.settings(&tenant.scope).await.unwrap();
    store::set_suppressed(&services.core, tenant, &settings, &contact.id, true, services.entropy.as_ref()).await.unwrap();
    assert!(changes::grouped(&[made::changed(&second, &item().await)]).is_empty());
    // Nothing on the list says so: the worker takes the mark away again, once.
    assert_eq!((bench.index(&[&contact]).await.marked, bench.index(&[&contact]).await.marked), (1, 0));
    assert!(!contact_now(&bench, &contact).await.suppressed);
    for technical in bench.indexed().await {
        assert!(changes::grouped(&[made::inserted(&technical)]).is_empty());
    }
}

#[tokio::test]
async fn contacts_that_may_be_one_person_are_found_in_groups_page_by_page() {
    let bench = Bench::new().await;
    let at = |name: &str, code: &str| ContactInput { postal_code: Some(code.to_owned()), ..named(name) };
    let one = bench.create("514-555-0001", with_email("Zoé Roy", "zoe@example.com")).await;
    let other = bench.create("514-555-0002", with_email("Z. Roy", "ZOE@example.com")).await;
    let (third, fourth) = (bench.create("514-555-0003", at("Anna O'Neil", "H3A 1B2")).await, bench.create("514-555-0004", at("ANNA O’NEIL", "h3a1b2")).await);
    let gone = bench.create("514-555-0005", at("Anna O'Neil", "H3A 1B2")).await;
    let alone = bench.create("514-555-0006", at("Anna O'Neil", "H3A 1B3")).await;
    let erring = bench.create("514-555-0007", with_email("Bert", "bert@example.com")).await;
    let bert = bench.create("514-555-0008", with_email("Bert", "bert@example.com")).await;
    bench.index(&[&one, &other, &third, &fourth, &gone, &alone, &erring, &bert]).await;
    // The index is behind: these two changed since.
    bench.delete(&gone).await;
    bench.update(&erring, ContactPatch { email: Some(Some("albert@example.com".to_owned())), ..ContactPatch::default() }).await;

    let viewer = bench.viewer().await;
    let (mut seen, mut after) = (Vec::new(), None::<DuplicatesPlace>);
    for page in 0.. {
        assert!(page < 5, "it must come to an end");
        let found = contacts::duplicates(&bench.world.services, &viewer, None, after.as_ref(), 1).await.unwrap();
        assert!(found.groups.len() <= 1);
        seen.extend(found.groups.into_iter().map(|group| (group.reason, group.contacts.into_iter().map(|contact| contact.id).collect::<BTreeSet<_>>())));
        after = found.next.map(|next| DuplicatesPlace::parse(&next.to_string()).unwrap());
        if after.is_none() {
            break;
        }
    }
    let (emails, people) = ((DuplicateReason::SameEmail, ids(&[&one, &other])), (DuplicateReason::SameNameAndPostalCode, ids(&[&third, &fourth])));
    assert!(seen.len() == 2 && seen.contains(&emails) && seen.contains(&people), "{seen:?}");

    let of = async |contact: &Contact| {
        let found = contacts::duplicates(&bench.world.services, &viewer, Some(&contact.id), None, 50).await.unwrap();
        assert_eq!(found.next, None);
        found.groups.into_iter().map(|group| group.contacts.into_iter().map(|contact| contact.id).collect::<BTreeSet<_>>()).collect::<Vec<_>>()
    };
    assert_eq!(of(&fourth).await, [ids(&[&third, &fourth])]);
    for contact in [&gone, &alone, &erring, &bert] {
        assert!(of(contact).await.is_empty());
    }
    // The contact asked about needn't be indexed yet.
    let new = bench.create("514-555-0009", with_email("Zoé", "zoe@example.com")).await;
    assert_eq!(of(&new).await, [ids(&[&one, &other, &new])]);
    let telephonist = bench.world.viewer("telephonist").await;
    assert!(matches!(contacts::duplicates(&bench.world.services, &telephonist, None, None, 50).await, Err(AppError::Forbidden)));
}
