//! What operations cost, measured on the engine and written to `docs/costs.md`, which must say what this finds.

use std::collections::HashSet;
use std::fmt::Write;

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard_app::audit::{AuditedId, RecordId, RevertRecord, history, revert};
use switchboard_app::contact_index::{IndexMessage, Indexer};
use switchboard_app::contacts::{self, AddNote, AssignContacts, CreateContact, MergeContacts, SetStatus, UpdateContact};
use switchboard_app::imports::{self, write_rows};
use switchboard_app::suppressions::{self, AddSuppression, RemoveSuppression};
use switchboard_app::viewer::{RequestOrigin, SignIn, SignIns};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{ContactFilter, ContactInput, ContactPatch};
use switchboard_domain::ids::ContactId;
use switchboard_store::Order;
use switchboard_store::item::{Item, text};
use switchboard_testkit::{Database, PROJECTED, Usage, World};

use crate::made;

/// Rows written to measure imports: whole batches, so that nothing is rounded.
const ROWS: usize = 1_000;

#[derive(Default)]
struct Table {
    lines: String,
}

impl Table {
    fn add(&mut self, operation: &str, usage: &Usage) {
        let requests: Vec<String> = usage.requests.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let writes: Vec<String> = usage.write_units.iter().filter(|(_, units)| **units > 0.0).map(|(place, units)| format!("{units} {place}")).collect();
        let writes = if writes.is_empty() { "0".to_owned() } else { writes.join(", ") };
        writeln!(self.lines, "| {operation} | {} | {} | {writes} |", requests.join(", "), usage.read_units).unwrap();
    }
}

/// The usage of what happens in between.
async fn of<T>(database: &Database, work: impl Future<Output = T>) -> (Usage, T) {
    database.meter.reset();
    let result = work.await;
    (database.meter.usage(), result)
}

/// Run with `UPDATE_COSTS=1` to write the page anew.
#[test]
fn the_page_of_costs_says_what_operations_cost() {
    // All operations in one future: unoptimised it is larger than a test's stack.
    let measure = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(measured());
    std::thread::Builder::new().stack_size(32 * 1024 * 1024).spawn(measure).unwrap().join().unwrap();
}

async fn measured() {
    let mut table = Table::default();
    Box::pin(reading(&mut table)).await;
    Box::pin(creating(&mut table)).await;
    Box::pin(changing(&mut table)).await;
    Box::pin(finding(&mut table)).await;
    for (operation, usage) in Box::pin(crate::staff_costs::rows()).await {
        table.add(operation, &usage);
    }
    for (operation, usage) in Box::pin(crate::audit_reading_costs::rows()).await {
        table.add(operation, &usage);
    }
    for (operation, usage) in Box::pin(crate::audit_access_costs::rows()).await {
        table.add(operation, &usage);
    }
    for (operation, usage) in Box::pin(crate::scoring_costs::rows()).await {
        table.add(operation, &usage);
    }
    let per_row = Box::pin(importing(&mut table)).await;
    let page = format!("{HEAD}{}{per_row}{TIMES}", table.lines);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/costs.md");
    if std::env::var_os("UPDATE_COSTS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == page, "docs/costs.md is stale: run UPDATE_COSTS=1 cargo test -p switchboard-app --test it costs, and look at what changed:\n{page}");
}

async fn reading(table: &mut Table) {
    let world = World::new().await;
    let (import, rows) = made::import(&world, 1, &made::file(60));
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    switchboard_store::imports::create(&world.database.core, &world.tenant.scope, import.clone()).await.unwrap();
    let items = made::everything(&world.database).await;
    let contact = items.iter().find(|item| text(item, "type") == Some("contact")).unwrap();
    made::recorder(&world).record(vec![made::inserted(contact)]).await.unwrap();

    let sign_ins = SignIns::default();
    let sign_in = SignIn { subject: "admin@demo.test", at: world.clock.now() };
    let origin = RequestOrigin { request_id: "r".to_owned(), ..RequestOrigin::default() };
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    let (usage, viewer) = of(&world.database, sign_ins.viewer(&world.services, sign_in, origin.clone())).await;
    let viewer = viewer.unwrap();
    table.add("signing a request in, nothing remembered", &usage);
    world.clock.advance(jiff::SignedDuration::from_secs(21));
    let (usage, again) = of(&world.database, sign_ins.viewer(&world.services, sign_in, origin.clone())).await;
    again.unwrap();
    table.add("the same, 20 seconds later", &usage);
    let (usage, again) = of(&world.database, sign_ins.viewer(&world.services, sign_in, origin)).await;
    again.unwrap();
    table.add("the same, within 20 seconds", &usage);

    let id = world.tenant.keyring.slot("+15195550001");
    let (usage, _) = of(&world.database, contacts::get(&world.services, &viewer, &id)).await;
    table.add("`contact`, `contactByPhone`", &usage);
    let all = ContactFilter::default();
    let (usage, page) = of(&world.database, contacts::list(&world.services, &viewer, &all, None, 50, Order::Descending)).await;
    let page = page.unwrap();
    table.add("`contacts(first: 50)`, list fields", &usage);
    let ids: Vec<_> = page.contacts.iter().map(|row| row.id.clone()).collect();
    let (usage, _) = of(&world.database, contacts::get_many(&world.services, &viewer, &ids)).await;
    table.add("… any other field of the 50, in addition", &usage);
    let (usage, _) = of(&world.database, history(&world.services, &viewer, &AuditedId::Contact(id.clone()), None, 50)).await;
    table.add("`auditEvents` of a contact", &usage);
    let (usage, _) = of(&world.database, imports::get(&world.services, &viewer, import.id)).await;
    table.add("`import`", &usage);
    let (usage, _) = of(&world.database, imports::newest(&world.services, &viewer, &imports::ImportFilter::default(), None, 50)).await;
    table.add("`imports`, one there", &usage);
}

async fn creating(table: &mut Table) {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let request = |phone: &str| CreateContact {
        input: ContactInput { phone: phone.to_owned(), name: Some("Zoé Roy".to_owned()), email: Some("zoe@example.com".to_owned()), ..ContactInput::default() },
        ..CreateContact::default()
    };
    let (usage, _) = of(&world.database, contacts::create(&world.services, &viewer, request("514-555-0001"))).await;
    table.add("`contactCreate`", &usage);
    let other = world.viewer_in_request("admin", "another").await;
    let (usage, _) = of(&world.database, contacts::create(&world.services, &other, request("514-555-0001"))).await;
    table.add("… of a number that is taken", &usage);
    let assigned = CreateContact { assignee: Some(Some(viewer.agent())), ..request("514-555-0002") };
    let (usage, _) = of(&world.database, contacts::create(&world.services, &viewer, assigned)).await;
    table.add("… with an assignee", &usage);
    let keyed = CreateContact { idempotency_key: Some("key".to_owned()), ..request("514-555-0003") };
    let (usage, _) = of(&world.database, contacts::create(&world.services, &viewer, keyed.clone())).await;
    table.add("… with an idempotency key", &usage);
    let (usage, _) = of(&world.database, contacts::create(&world.services, &viewer, keyed)).await;
    table.add("… with the same key again", &usage);
}

/// What people do to a contact, each to one that is as the demo's are.
async fn changing(table: &mut Table) {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let services = &world.services;
    let mut number = 0;
    let mut created = async || {
        number += 1;
        let viewer = world.viewer_in_request("admin", &format!("create {number}")).await;
        let input = ContactInput {
            phone: format!("514-555-{number:04}"),
            name: Some("Zoé Roy".to_owned()),
            email: Some("zoe@example.com".to_owned()),
            address: Some("1 Main St".to_owned()),
            ..ContactInput::default()
        };
        contacts::create(services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap()
    };
    let status = |code: &str| viewer.settings.status_by_code(code).map(|status| status.id);
    let update = |id: &ContactId, patch| UpdateContact { id: Some(id.clone()), expected_version: 1, patch, ..UpdateContact::default() };

    let id = created().await.id;
    let renamed = ContactPatch { name: Some(Some("Zoé R.".to_owned())), ..ContactPatch::default() };
    let (usage, done) = of(&world.database, contacts::update(services, &viewer, update(&id, renamed.clone()))).await;
    done.unwrap().unwrap();
    table.add("`contactUpdate`", &usage);
    let (usage, done) = of(&world.database, contacts::update(services, &viewer, update(&id, renamed))).await;
    done.unwrap().unwrap_err();
    table.add("… of a version that is no longer", &usage);
    let id = created().await.id;
    let moved = ContactPatch { phone: Some(Some("438-555-0001".to_owned())), ..ContactPatch::default() };
    let (usage, done) = of(&world.database, contacts::update(services, &viewer, update(&id, moved))).await;
    done.unwrap().unwrap();
    table.add("… with another number", &usage);

    let id = created().await.id;
    let set = SetStatus { id: Some(id), status: status("interested"), ..SetStatus::default() };
    let (usage, done) = of(&world.database, contacts::set_status(services, &viewer, set.clone())).await;
    done.unwrap().unwrap();
    table.add("`contactSetStatus`", &usage);
    let noted = SetStatus { status: status("attempted"), note: Some("call again".to_owned()), ..set.clone() };
    let (usage, done) = of(&world.database, contacts::set_status(services, &viewer, noted)).await;
    done.unwrap().unwrap();
    table.add("… with a note", &usage);
    let (usage, done) = of(&world.database, contacts::set_status(services, &viewer, SetStatus { status: status("do_not_call"), ..set })).await;
    done.unwrap().unwrap();
    table.add("… to `do_not_call`", &usage);

    let id = created().await.id;
    let note = AddNote { id: Some(id.clone()), body: "call again".to_owned(), idempotency_key: None };
    let (usage, done) = of(&world.database, contacts::add_note(services, &viewer, note)).await;
    done.unwrap().unwrap();
    table.add("`contactAddNote`", &usage);
    let (usage, done) = of(&world.database, contacts::notes(services, &viewer, &id, None, 50)).await;
    done.unwrap();
    table.add("`notes` of a contact", &usage);
    let assigned = AssignContacts { ids: vec![Some(id.clone())], assignee: Some(Some(viewer.agent())), team: None };
    let (usage, _) = of(&world.database, contacts::assign(services, &viewer, assigned)).await;
    table.add("`contactAssign` of one", &usage);
    let (usage, done) = of(&world.database, contacts::delete(services, &viewer, Some(id.clone()), 2)).await;
    done.unwrap().unwrap();
    table.add("`contactDelete`", &usage);
    let (usage, done) = of(&world.database, contacts::restore(services, &viewer, Some(id.clone()), None)).await;
    done.unwrap().unwrap();
    table.add("`contactRestore`", &usage);
    let loser = created().await.id;
    let merged = MergeContacts { winner: Some(id.clone()), loser: Some(loser.clone()), ..MergeContacts::default() };
    let (usage, done) = of(&world.database, contacts::merge(services, &viewer, merged)).await;
    done.unwrap().unwrap();
    table.add("`contactMerge`", &usage);
    let (usage, done) = of(&world.database, contacts::unmerge(services, &viewer, Some(loser))).await;
    done.unwrap().unwrap();
    table.add("`contactUnmerge`", &usage);
    let (usage, done) = of(&world.database, contacts::erase(services, &viewer, Some(id), "asked for")).await;
    done.unwrap().unwrap();
    table.add("`contactErase`", &usage);

    let id = created().await.id;
    let first = made::contact_item(&world, &id).await;
    let renamed = ContactPatch { name: Some(Some("Zoé R.".to_owned())), ..ContactPatch::default() };
    contacts::update(services, &viewer, update(&id, renamed)).await.unwrap().unwrap();
    let second = made::contact_item(&world, &id).await;
    made::recorder(&world).record(vec![made::inserted(&first), made::changed(&first, &second)]).await.unwrap();
    let back = RevertRecord { record: Some(RecordId::Contact(id)), to_version: 1, expected_version: 2 };
    let (usage, done) = of(&world.database, revert(services, &viewer, back)).await;
    done.unwrap().unwrap();
    table.add("`recordRevert` of a contact, by one version", &usage);

    let phone = created().await.details.phone;
    let add = AddSuppression { phone: phone.clone(), reason: None, source: None, idempotency_key: None };
    let (usage, done) = of(&world.database, suppressions::add(services, &viewer, add)).await;
    done.unwrap().unwrap();
    table.add("`suppressionAdd` of a contact's number", &usage);
    let remove = RemoveSuppression { phone: Some(phone), id: None, reason: "by mistake".to_owned() };
    let (usage, done) = of(&world.database, suppressions::remove(services, &viewer, remove)).await;
    done.unwrap().unwrap();
    table.add("`suppressionRemove` of it", &usage);
}

/// What finding contacts costs, and keeping them findable.
async fn finding(table: &mut Table) {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let services = &world.services;
    let (import, rows) = made::import(&world, 1, &made::file(ROWS));
    write_rows(services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    let ids: Vec<ContactId> = made::everything(&world.database)
        .await
        .iter()
        .filter(|item| text(item, "type") == Some("contact"))
        .filter_map(|item| Some(switchboard_store::keys::parse_contact(text(item, "PK")?)?.1))
        .collect();
    let indexer = Indexer { core: services.core.clone(), tenants: services.tenants.clone(), clock: services.clock.clone(), entropy: services.entropy.clone() };
    let message = |ids: &[ContactId]| IndexMessage { tenant: world.tenant.record.id, contacts: ids.to_vec() };
    let (usage, done) = of(&world.database, indexer.index(&message(&ids))).await;
    done.unwrap();
    table.add(&format!("search tokens of {ROWS} new contacts"), &usage);
    let (usage, done) = of(&world.database, indexer.index(&message(&ids))).await;
    done.unwrap();
    table.add("… told again", &usage);
    let assigned = AssignContacts { ids: ids[..50].iter().cloned().map(Some).collect(), assignee: Some(Some(viewer.agent())), team: None };
    contacts::assign(services, &viewer, assigned).await.unwrap();
    let known = contacts::get(services, &viewer, &ids[0]).await.unwrap().unwrap().details;
    let searched = |text: &str| ContactFilter { search: Some(text.to_owned()), ..ContactFilter::default() };
    let email = known.email.unwrap();
    let last_four = &known.phone[known.phone.len() - 4..];
    for (what, filter) in [
        ("by a whole number", searched(&known.phone)),
        ("by its last four digits", searched(last_four)),
        ("by an e-mail address", searched(&email)),
        ("by the start of a name nobody has", searched("zzyx")),
        ("of one agent, who has 50", ContactFilter { assignees: vec![viewer.agent()], ..ContactFilter::default() }),
        ("by a source that none has, 1,000 examined", ContactFilter { source: Some("nowhere".to_owned()), ..ContactFilter::default() }),
    ] {
        let (usage, done) = of(&world.database, contacts::list(services, &viewer, &filter, None, 50, Order::Descending)).await;
        done.unwrap();
        table.add(&format!("`contacts(first: 50)` {what}"), &usage);
    }
}

async fn importing(table: &mut Table) -> String {
    let world = World::new().await;
    world.services.tenants.settings(&world.tenant.scope).await.unwrap();
    let file = made::file(ROWS);
    let write = async |seed: u8, file: &str| {
        let (import, rows) = made::import(&world, seed, file);
        of(&world.database, write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false)).await.0
    };
    let new = write(1, &file).await;
    table.add(&format!("import, {ROWS} new rows"), &new);
    let unchanged = write(2, &file).await;
    table.add(&format!("import, {ROWS} unchanged rows"), &unchanged);
    let old: Vec<Item> = made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("contact")).collect();
    let updated = write(3, &file.replace("Windsor", "Tecumseh")).await;
    table.add(&format!("import, {ROWS} rows with another city"), &updated);

    let recorder = made::recorder(&world);
    let (recorded, report) = of(&world.database, recorder.record(old.iter().map(made::inserted).collect())).await;
    assert_eq!(report.unwrap().recorded, ROWS);
    table.add(&format!("audit of {ROWS} new rows"), &recorded);
    let new_items: Vec<Item> = made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some("contact")).collect();
    let pair = |old: &Item| made::changed(old, new_items.iter().find(|new| new["PK"] == old["PK"]).unwrap());
    let (recorded_again, report) = of(&world.database, recorder.record(old.iter().map(pair).collect())).await;
    assert_eq!(report.unwrap().recorded, ROWS);
    table.add(&format!("audit of {ROWS} changed rows"), &recorded_again);

    for (operation, usage) in chunk_steps().await {
        table.add(operation, &usage);
    }
    assert_eq!(unchanged.total_write_units(), 0.0, "an unchanged row writes nothing");
    let rows = ROWS as f64;
    let per_new = (new.total_write_units() + recorded.total_write_units()) / rows;
    assert!(per_new <= 5.0, "the budget is 5 write units per new row, audit included: {per_new}");
    let events = world.database.client.execute_statement().statement("SELECT * FROM \"audit\"").send().await.unwrap().items.unwrap();
    let largest = |sizes: Vec<usize>| sizes.into_iter().max().unwrap_or_default();
    let item = largest(old.iter().map(size).collect());
    let listed = largest(old.iter().map(list_entry_size).collect());
    let event = largest(events.iter().filter(|event| text(event, "SK") == Some("0000000001")).map(size).collect());
    for (what, bytes) in [("item", item), ("list entry", listed), ("event", event)] {
        assert!(bytes <= 1_024, "the {what} of a row no longer fits 1 KB: {bytes}");
    }
    format!(
        "\n## Per row of an import\n\n| | write units | of them audit |\n|---|---|---|\n| new row | {per_new} | {} |\n| changed row | {} | {} |\n| unchanged row | {} | 0 |\n\n\
         The row measured has a name, an address, two numbers, an e-mail address and two columns of the tenant's own. Its largest sizes in bytes: item {}, \
         entry of index 1 {}, first event {}; each fits 1 KB, so each is one unit. With an item of over 1 KB every further started KB is one more unit.\n",
        recorded.total_write_units() / rows,
        (updated.total_write_units() + recorded_again.total_write_units()) / rows,
        recorded_again.total_write_units() / rows,
        unchanged.total_write_units() / rows,
        rounded(item),
        rounded(listed),
        rounded(event),
    )
}

/// The database's part of what happens once per chunk and once per import.
async fn chunk_steps() -> Vec<(&'static str, Usage)> {
    use switchboard_domain::imports::{ChunkRange, ImportOptions, ImportStatus, Phase, Piece, RowCounts};
    use switchboard_store::imports::{Planned, begin_write, begin_writing, chunk, chunks, complete, create, create_chunk, finish_check, finish_write, get, plan};
    let world = World::new().await;
    let (core, scope, now) = (&world.database.core, &world.tenant.scope, jiff::Timestamp::UNIX_EPOCH);
    let (mut import, _) = made::import(&world, 1, &made::file(1));
    (import.phase, import.check_run, import.checked_run, import.chunks_checked, import.write_run, import.writing_since) = (Phase::Planning, 0, 0, 0, 0, None);
    let planned = Planned {
        staged: None,
        dialect: import.dialect.clone().unwrap(),
        mapping: import.mapping.clone(),
        options: ImportOptions::default(),
        rows: 1,
        chunks: 1,
        status: ImportStatus::Processing,
    };
    let range = ChunkRange { number: 1, start: 0, end: 1, first_row: 1, rows: 1 };
    let (id, piece) = (import.id, Piece::whole(1));
    let planning = of(&world.database, async {
        create(core, scope, import.clone()).await.unwrap();
        create_chunk(core, scope, id, range).await.unwrap();
        assert!(plan(core, scope, id, &planned, now).await.unwrap());
    });
    let planning = planning.await.0;
    let check = of(&world.database, async {
        get(core, scope, id).await.unwrap();
        chunk(core, scope, id, piece).await.unwrap();
        assert!(finish_check(core, scope, id, 1, 1, &RowCounts::default()).await.unwrap());
        get(core, scope, id).await.unwrap();
    });
    let check = check.await.0;
    let join = of(&world.database, async {
        get(core, scope, id).await.unwrap();
        assert!(begin_writing(core, scope, id, 1, now).await.unwrap());
        get(core, scope, id).await.unwrap();
    });
    let join = join.await.0;
    let write = of(&world.database, async {
        get(core, scope, id).await.unwrap();
        chunk(core, scope, id, piece).await.unwrap();
        assert!(begin_write(core, scope, id, piece, 1).await.unwrap());
        get(core, scope, id).await.unwrap();
        chunk(core, scope, id, piece).await.unwrap();
        assert!(finish_write(core, scope, id, piece, &RowCounts::default(), None, world.clock.now()).await.unwrap());
        chunk(core, scope, id, piece).await.unwrap();
        get(core, scope, id).await.unwrap();
    });
    let write = write.await.0;
    let end = of(&world.database, async {
        get(core, scope, id).await.unwrap();
        chunks(core, scope, id).await.unwrap();
        get(core, scope, id).await.unwrap();
        assert!(complete(core, scope, id, ImportStatus::Completed, now).await.unwrap());
    });
    let end = end.await.0;
    vec![
        ("planning an import of one chunk", planning),
        ("checking a chunk, beside its rows", check),
        ("joining the checks", join),
        ("writing the last chunk, beside its rows", write),
        ("ending an import", end),
    ]
}

/// Sizes vary by a few bytes from run to run with the ids and the time; the page gives them to the next 32.
fn rounded(bytes: usize) -> String {
    format!("at most {}", bytes.div_ceil(32) * 32)
}

/// The size of an item as DynamoDB counts it: names and values in bytes ("DynamoDB item sizes and formats" in its developer guide).
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn list_entry_size(item: &Item) -> usize {
    let carried = |name: &str| PROJECTED.contains(&name) || ["PK", "SK", "GSI1PK", "GSI1SK"].contains(&name);
    item.iter().filter(|(name, _)| carried(name)).map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + value_size(value)).sum::<usize>(),
        other => panic!("no record has {other:?}"),
    }
}

const HEAD: &str = "\
# What operations cost

Made by `UPDATE_COSTS=1 cargo test -p switchboard-app --test it costs`, and checked by the same test: an operation whose cost changes fails it.
Requests are counted on the wire. Units are those the embedded DynamoDB engine reports by AWS's rules: a read unit is a strongly consistent read of
4 KB (half of one where eventual), a write unit a write of 1 KB to the table or to one index; a transaction counts twice. Requests to buckets,
queues and KMS are beside it: they are named in the documentation of each function. Reading a table or index that isn't named costs nothing.

| operation | requests | read units | write units |
|---|---|---|---|
";

const TIMES: &str = "
The database writes the audit from its stream, after the request: its units are listed apart above and included here.

## What encryption costs the processor

Timings are not checked: they are one machine's, on one core of two shared with other work. `./dev bench sealing`, microseconds a contact and times
as long as plain AES-256-GCM of the same bytes: written 2.00 (4.6), read in a list 1.20 (2.7), read whole 1.55 (3.6). A keyring is opened by one request
to KMS per tenant and warm process, however many contacts are read.

## Jobs on many contacts

`./dev bench bulk`, 100,000 contacts assigned by a job whose worker is killed three times: 2.03 requests, 1.07 R and 4.07 W for each contact (1 to the
table, 1 to index 1, 2 to index 2, and the job's own), 100,000 done once and none twice.

## What the audit trail takes

Timings are not checked: they are one machine's, on one core of two shared with other work. `./dev bench audit`, events a second and times as long as
SHA-256 of the same bytes: an event written in its canonical form and hashed 419,597 (4.04), a line of an export read and its hash made again 674,710
(2.51), an export verified with its chains and its signed root 270,672 (6.26).

The same command, changes of contacts a second in one process of `audit-record`: all that it does beside its requests, both images read and opened, compared,
sealed and hashed, 22,863; recorded on the embedded engine, in the same process and on the same core, 885.

`./dev bench stack` changes a contact 200 times on a local stack of its own: each change is on record 126 ms after its answer (median), 99 of 100 within
246 ms, all within 256 ms.

## What scoring takes

Timings are not checked: they are one machine's, on one core of two shared with other work. `./dev bench scoring`, contacts a second: scored, and when that changes next, by
`standard` 1,974,145, by `pipeline` 933,713, by a model of twenty factors 321,248; scored again, the same, 1,576,244, 878,024 and 325,727; explained 1,346,131, 1,324,352 and
172,082.

`./dev bench score_sweep`, 1,000 scores that time changes within an hour: found and sent to be scored with 10 requests, 34 R and 1 W among 10,000 contacts, and with the same
among 100,000; scored again, 4.0 requests, 1.0 R and 6.0 W each.

`./dev bench stack` changes contacts 100 times on a local stack of its own: each has its new score 2.5 s after the answer (median), 99 of 100 within 2.8 s.

## What an import takes

Timings are not checked: they are one machine's, on two cores shared with other work. `./dev bench import` first takes rows through all that needs no request, on one
core, in rows a second: planned 29,811,200; read, split and decoded 3,175,310; mapped, checked and normalised 683,196; read, checked, keyed and sealed 301,337; written as the
item that is stored 124,299. `--callgrind` counts 5,333 instructions a row for reading and 40,669 for all but the item, SHA-256 without the processor's own instructions for it.

`./dev bench import --rows 1000000` imports a list of so many rows (111.3 MB; one row in 100 repeats a number, one in 200 has none that exists, one in 200 a wrong
address) through `import-plan` and `import-rows`, each a process of its own, over HTTP against the embedded engine, and fails when a count differs from the list's or a
process ever had 128 MB. Planned in 0.1 s, checked and joined in 3.2 s (processor 2.5 µs a row), written in 246.0 s, most of which the engine took (processor 25.1 µs a
row); at most 27.8 MB and 92.3 MB of memory. Of 1,000 rows of 20,000, planned, checked and written: 63.5 requests,
1,972 R and 3,943 W, without the audit's.
`--plan-gigabyte`: 9,490,458 rows of 1,075.3 MB planned in 1.1 s, with 31.2 MB of memory; a file whose only cell has 500 MB refused in 0.3 s, with 27.2 MB.

`--rows 20000 --peer`: a plain importer in Python (csv, phonenumbers, boto3's batch writer, no audit) on the same engine and file, check and write together, takes 8.4 to 9.1
times the processor's time in six runs on one machine (34.5 µs a row against 302.4), and 1.5 to 1.6 times as long.

## Many contacts on the local stack

`./dev bench stack` imports 100,000 contacts on a stack of its own and prints how long a page and each kind of search take there; what it printed last
is in [search](search.md#how-long-it-takes).

## How long `./dev up` takes

Timings are not checked: they are one machine's, two cores shared with other work. `time ./dev up --detach` in an empty clone, nothing installed:
5 min 44 s, of which 5 min 6 s is building. The same command after `./dev down`: 2.1 s.
";
