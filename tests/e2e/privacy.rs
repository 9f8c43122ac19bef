//! Numbers, addresses and notes of people go through everything the API and the imports do; then everything the stack keeps is searched for them.
//!
//! They may be in files that were dropped, in results of imports and in exports, which expire, and nowhere else in the clear, whatever the encoding.
//! The audit trail and its archive, which nobody can erase, have no names of contacts and no addresses of staff in the clear, and no passwords, tokens and keys, not
//! even wrapped ones.
//! A place that is found empty must be one where something was looked at: each has its check that it is.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::stack::api::{Api, PLAIN, create, created, inside, tenant_of, user_errors};
use crate::stack::canaries::Canaries;
use crate::stack::contacts::{LISTED, contact, contact_with, ids_of, kept, notes, status_id};
use crate::stack::drops::{csv, dropped};
use crate::stack::fresh::{self, Number};
use crate::stack::history::{AUDIT, caught_up};
use crate::stack::imports::{checked, counts, settled, uploaded};
use crate::stack::jobs::completed;
use crate::stack::keeping::{Earlier, Kept, QueueWatch, end_of_stream, files_since, is_archived, logs, objects_since, stream, table};
use crate::stack::mutations::{changed, document, done, error, refused};
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;
use crate::stack::{ADMIN, Stack, setting};

/// How many of each are looked for.
const COUNT: usize = 20;

/// What belongs to people and to nobody else. Each goes its own way through the journey.
struct Belongings {
    numbers: Vec<Number>,
    emails: Vec<String>,
    notes: Vec<String>,
    names: Vec<String>,
    /// The address of somebody who works with them.
    user: String,
    source: String,
    file: String,
}

impl Belongings {
    fn new() -> Self {
        Self {
            numbers: fresh::numbers(COUNT as u64),
            emails: (0..COUNT).map(|_| format!("{}@example.com", fresh::letters())).collect(),
            notes: (0..COUNT).map(|_| format!("Rappeler {} après 17 h, \"Zoé\" {}", fresh::letters(), fresh::letters())).collect(),
            names: (0..COUNT).map(|_| fresh::letters()).collect(),
            user: format!("{}@example.com", fresh::letters()),
            source: fresh::word("source"),
            file: format!("{}.csv", fresh::word("people")),
        }
    }

    fn phone(&self, index: usize) -> String {
        self.numbers[index].e164()
    }

    /// Every text by which one of them would be recognised.
    fn canaries(&self) -> Canaries {
        let mut texts = Vec::new();
        for (index, number) in self.numbers.iter().enumerate() {
            let ways = (0..4).map(|way| number.written(way));
            texts.extend(ways.chain([number.e164(), number.ending(10)]).map(|text| (format!("number {index}"), text)));
        }
        for (index, email) in self.emails.iter().enumerate() {
            let (person, _) = email.split_once('@').unwrap();
            texts.extend([email.clone(), person.to_owned(), person.to_uppercase()].map(|text| (format!("address {index}"), text)));
        }
        for (index, note) in self.notes.iter().enumerate() {
            let words = note.split_whitespace().filter(|word| word.len() >= 16).map(str::to_owned);
            texts.extend(words.chain([note.clone()]).map(|text| (format!("note {index}"), text)));
        }
        Canaries::new(texts)
    }

    /// What may stand in the core table, or in the user pool, and in the audit trail only sealed.
    fn of_the_core(&self) -> Canaries {
        let names = self.names.iter().enumerate().map(|(index, name)| (format!("name {index}"), name.clone()));
        let (user, _) = self.user.split_once('@').unwrap();
        Canaries::new(names.chain([self.user.as_str(), user].map(|text| ("the address of a user".to_owned(), text.to_owned()))))
    }
}

/// Creates, twice with the same key, changes, and is refused. The ids of the contacts.
async fn by_hand(api: &Api, people: &Belongings) -> Vec<Value> {
    let mut contacts = Vec::new();
    for index in 0..8 {
        let mut input = json!({ "phone": people.phone(index), "name": people.names[index], "email": people.emails[index], "source": people.source });
        if index < 4 {
            // Clients put anything in a key.
            input["idempotencyKey"] = json!(format!("{} {}", people.emails[index], people.phone(index)));
            created(api, input.clone()).await;
        }
        contacts.push(created(api, input).await["id"].take());
    }
    for (index, id) in contacts.iter().enumerate().take(3) {
        let input = json!({ "id": id, "expectedVersion": 1, "phone": people.phone(8 + index), "email": people.emails[8 + index], "name": people.names[8 + index] });
        changed(api, "contactUpdate", input).await;
    }
    for (index, id) in contacts.iter().enumerate().take(7).skip(4) {
        let input = json!({ "id": id, "expectedVersion": 1, "alternatePhones": [people.phone(7 + index)], "email": people.emails[7 + index] });
        changed(api, "contactUpdate", input).await;
    }
    let attempted = status_id(api, "attempted").await;
    for (index, note) in people.notes.iter().enumerate() {
        let id = &contacts[index % contacts.len()];
        if index < COUNT / 2 {
            let input = json!({ "id": id, "body": note, "idempotencyKey": note });
            done(api, "contactAddNote", input.clone()).await;
            done(api, "contactAddNote", input).await;
        } else {
            changed(api, "contactSetStatus", json!({ "id": id, "statusId": attempted, "note": note })).await;
        }
    }
    assert_eq!(notes(api, &contacts[0]).await.len(), 3);
    refusals(api, people, &contacts[0]).await;
    contacts
}

/// What is refused isn't kept either, neither in a log nor elsewhere.
async fn refusals(api: &Api, people: &Belongings, id: &Value) {
    let (phone, email, note) = (people.phone(13), &people.emails[13], &people.notes[0]);
    assert_eq!(user_errors(&create(api, json!({ "phone": phone, "email": format!("{email}@") })).await), error("email", "INVALID"));
    refused(api, "contactCreate", json!({ "phone": format!("{phone} {email}") })).await;
    refused(api, "contactAddNote", json!({ "id": id, "body": format!("{note}\u{0}") })).await;
    refused(api, "suppressionAdd", json!({ "phone": format!("{phone}000000") })).await;
    for query in [
        format!("mutation {{ contactCreate(input: {{ phone: \"{phone}\", mail: \"{email}\" }}) {{ contact {{ id }} }} }}"),
        format!("{{ contactByPhone(phone: \"{phone}\") {{ id }}"),
        format!("{{ contacts(after: \"{phone}\") {{ nodes {{ id }} }} }}"),
        format!("{{ contacts(filter: {{ search: \"?! {note:?}\" }}) {{ nodes {{ id }} }} }}"),
        format!("{{ nodes(search: \"{email}\") {{ id }} }}"),
    ] {
        api.ask(&query, json!({})).await;
    }
    api.ask(&document("contactAddNote"), json!({ "input": { "id": id, "body": note, "author": email } })).await;
    for body in [format!("{{\"query\": \"{phone}"), format!("{phone} {email} {note}")] {
        api.post(PLAIN).header(CONTENT_TYPE, PLAIN).body(body).send().await.unwrap();
    }
    for value in [email, note] {
        api.data("query($value: ID!) { contact(id: $value) { id } node(id: $value) { id } }", json!({ "value": value })).await;
    }
}

/// Imports, a second time without change, and a third time with rows that fail or are set aside.
async fn by_file(stack: &Stack, api: &Api, people: &Belongings) {
    let row = |index: usize| [people.numbers[index].written(index), people.names[index].clone(), people.emails[index].clone(), people.source.clone()];
    let header = "phone,name,email,source";
    let rows: Vec<[String; 4]> = (14..COUNT).map(row).collect();
    for _ in 0..2 {
        dropped(stack, api, "demo", &people.file, csv(header, &rows)).await;
    }
    let mut bad = row(14);
    bad[2] = format!("{}@@", people.emails[15]);
    let mut worse = row(16);
    worse[0] = format!("{} {}", people.phone(16), people.phone(17));
    let import = dropped(stack, api, "demo", &people.file, csv(header, &[bad, worse])).await;
    assert_eq!((import.counts().failed, import.counts().warned), (1, 1), "{import:?}");
    assert!(contact_with(api, people.numbers[18]).await["email"].is_string());
}

/// Gives rows through the API, of which one fails and one has a value that is set aside, uploads a file by a form, and is refused with others.
async fn by_import(stack: &Stack, api: &Api, people: &Belongings) {
    let rows = json!([
        { "phone": people.phone(17), "name": people.names[17], "email": people.emails[17] },
        { "phone": people.phone(18), "email": format!("{}@@", people.emails[19]) },
        { "phone": format!("{} {}", people.phone(15), people.phone(16)), "name": people.names[15] },
    ]);
    let given = done(api, "importRows", json!({ "sourcePlatform": "genesys", "rows": rows, "idempotencyKey": people.emails[17] })).await;
    let ended = settled(api, &given["import"]["id"]).await;
    assert_eq!((counts(&ended)[5], &ended["rowsWarned"]), (1, &json!(1)), "{ended}");
    let wrong = json!([{ "phone": people.phone(19), "mail": people.emails[19] }, { "phone": [people.phone(19)] }]);
    refused(api, "importRows", json!({ "sourcePlatform": "genesys", "rows": wrong })).await;

    let file = csv("phone,email", &[[people.numbers[16].dashed(), people.emails[16].clone()]]);
    let ready = uploaded(stack, api, json!({ "fileName": people.file }), &file).await;
    done(api, "importDryRun", json!({ "id": ready["id"] })).await;
    checked(api, &ready["id"]).await;
}

/// Searches, suppresses, deletes, merges, erases, and works on all of them at once.
async fn by_everything_else(api: &Api, people: &Belongings, contacts: &[Value]) {
    for search in [people.phone(18), people.emails[18].clone(), people.numbers[18].ending(7)] {
        let found = async || (!ids_of(api, &json!({ "search": search })).await.is_empty()).then_some(());
        eventually("a canary is found by who may look for it", LISTED, found).await;
    }
    for phone in [people.phone(14), people.phone(19)] {
        done(api, "suppressionAdd", json!({ "phone": phone, "idempotencyKey": phone })).await;
        api.data("query($phone: String!) { suppression(phone: $phone) { id } contactByPhone(phone: $phone) { id } }", json!({ "phone": phone })).await;
    }
    done(api, "suppressionRemove", json!({ "phone": people.phone(14), "reason": "A mistake" })).await;
    changed(api, "contactSetStatus", json!({ "id": contacts[3], "statusId": status_id(api, "do_not_call").await })).await;

    let version = async |id: &Value| contact(api, id).await["version"].clone();
    changed(api, "contactDelete", json!({ "id": contacts[0], "expectedVersion": version(&contacts[0]).await })).await;
    changed(api, "contactDelete", json!({ "id": contacts[1], "expectedVersion": version(&contacts[1]).await })).await;
    changed(api, "contactRestore", json!({ "id": contacts[1] })).await;
    changed(api, "contactMerge", json!({ "winnerId": contacts[4], "loserId": contacts[5] })).await;
    done(api, "contactUnmerge", json!({ "loserId": contacts[5] })).await;
    changed(api, "contactMerge", json!({ "winnerId": contacts[4], "loserId": contacts[6] })).await;
    done(api, "contactErase", json!({ "id": contacts[7], "reason": "asked" })).await;
    let filter = json!({ "source": people.source });
    completed(api, json!({ "filter": filter, "action": "SET_STATUS", "statusId": status_id(api, "in_discussion").await })).await;
    completed(api, json!({ "filter": { "search": people.emails[18] }, "action": "UNASSIGN" })).await;
    completed(api, json!({ "filter": filter, "action": "EXPORT" })).await;
}

/// Invites somebody, who signs in; the tenant, and the user by the short id.
async fn by_staff(people: &Belongings) -> (Tenant, String) {
    let tenant = Tenant::shared().await;
    let user = tenant.invite(json!({ "email": people.user })).await;
    let person = tenant.admit(&user["email"]).await;
    (tenant, inside(&person.user).1)
}

/// Returns when everything that was written before is in the archive: the tenant, and the contact made to know it, by their short ids.
async fn archived(stack: &Stack, api: &Api) -> (String, String) {
    caught_up(api).await;
    let last = inside(&created(api, json!({ "phone": fresh::number().e164() })).await["id"]).1;
    let tenant = tenant_of(api).await;
    eventually("the archive has caught up", AUDIT, async || is_archived(stack, &tenant, &last).await.then_some(())).await;
    (tenant, last)
}

/// What opens an account, the stack's services, or what is sealed, in the forms in which it could be written down.
async fn secrets(stack: &Stack, api: &Api, contact: &Value) -> Canaries {
    let token = stack.id_token(ADMIN).await;
    let signature = token.rsplit('.').next().unwrap().to_owned();
    let mut texts =
        Vec::from([("the password", setting("DEMO_PASSWORD")), ("the token's signature", signature), ("the token", token)].map(|(name, text)| (name.to_owned(), text)));
    for name in ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        // The emulator's is a word.
        texts.extend(std::env::var(name).ok().filter(|secret| secret.len() >= 16).map(|secret| (name.to_owned(), secret)));
    }
    let tenant = tenant_of(api).await;
    let items = kept(stack, &tenant, &inside(contact).1).await;
    let key = items.iter().find_map(|item| item.get("key")?.as_b().ok()).unwrap();
    let [partition, sort] = [format!("T#{tenant}#CFG"), "TENANT".to_owned()].map(AttributeValue::S);
    let request = stack.dynamodb().get_item().table_name(setting("CORE_TABLE")).key("PK", partition).key("SK", sort);
    let item = request.send().await.unwrap().item.unwrap();
    Canaries::new(texts).and("a contact's wrapped key", key.as_ref()).and("the wrapped keyring", item["keyring"].as_b().unwrap().as_ref())
}

/// What of something stands where it must not.
fn leaks<'a>(canaries: &Canaries, places: impl IntoIterator<Item = &'a Kept>) -> Vec<String> {
    places.into_iter().filter_map(|(place, bytes)| Some(format!("{} in {place}", canaries.find(bytes)?))).collect()
}

/// That something is there to be looked at, and where it says so.
fn assert_has(kept: &[Kept], place: &str, text: &str) {
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(kept.iter().any(|(name, bytes)| name.starts_with(place) && has(bytes)), "nothing of {text} in {place}: it wasn't looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_in_a_dropped_file_is_found_by_the_search_that_finds_none_elsewhere() {
    let (stack, api) = Stack::as_admin().await;
    let earlier = Earlier::now(&stack).await;
    let people = Belongings::new();
    let row = [people.phone(0), people.emails[0].clone()];
    dropped(&stack, &api, "demo", &people.file, csv("phone,email", &[row])).await;
    let (files, _) = objects_since(&stack, &earlier).await;
    let (_, file) = files.iter().find(|(place, _)| place.contains(&people.file)).unwrap();
    let canaries = people.canaries();
    assert_eq!(canaries.find(file), Some("number 0 as it is"));
    let without = String::from_utf8(file.clone()).unwrap().replace(&people.phone(0), "");
    assert!(canaries.find(without.as_bytes()).is_some_and(|found| found.starts_with("address 0 ")));
    assert_eq!(canaries.find(without.replace(&people.emails[0], "").as_bytes()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_address_or_note_is_kept_in_the_clear_but_in_files_that_expire() {
    let (stack, api) = Stack::as_admin().await;
    let people = Belongings::new();
    let (earlier, from) = (Earlier::now(&stack).await, end_of_stream(&stack).await);
    let queues = QueueWatch::begin(&stack);
    let contacts = by_hand(&api, &people).await;
    by_file(&stack, &api, &people).await;
    by_import(&stack, &api, &people).await;
    by_everything_else(&api, &people, &contacts).await;
    let (theirs, user) = by_staff(&people).await;
    let (tenant, last) = archived(&stack, &api).await;
    let (their_tenant, _) = archived(&stack, &theirs.api).await;
    let messages = queues.end().await;

    let (core, audit) = (setting("CORE_TABLE"), setting("AUDIT_TABLE"));
    let (core_items, events) = (table(&stack, &core).await, table(&stack, &audit).await);
    let (records, log_events, files) = (stream(&stack, from).await, logs(&stack).await, files_since(&earlier));
    let (people_files, objects) = objects_since(&stack, &earlier).await;
    let (slot, slot_of_row) = (inside(&contacts[2]).1, inside(&contact_with(&api, people.numbers[18]).await["id"]).1);
    assert_has(&core_items, &format!("table {core}"), &format!("#C#{slot}"));
    assert_has(&core_items, &format!("table {core}"), "\"N#");
    assert_has(&events, &format!("table {audit}"), &slot);
    assert_has(&records, "the stream", &slot);
    for (folder, text) in [("events", &slot), ("events", &last), ("chunks", &slot_of_row)] {
        assert_has(&objects, &format!("object {folder}/{tenant}/"), text);
    }
    assert_has(&events, &format!("table {audit}"), &user);
    assert_has(&objects, &format!("object events/{their_tenant}/"), &user);
    assert_has(&messages, "queue ", &people.file);
    assert_has(&log_events, &format!("log /aws/lambda/{}-graphql", setting("STACK_NAME")), "\"message\"");
    assert!(!files.is_empty(), "the functions wrote to their logs meanwhile");
    let canaries = people.canaries();
    for place in ["object drop/", "object uploads/", "object rows/", "object exports/"] {
        assert!(people_files.iter().any(|(name, bytes)| name.starts_with(place) && canaries.find(bytes).is_some()), "no canary in {place}: the search is blind");
    }

    let everything = [&core_items, &events, &records, &messages, &log_events, &files, &objects].into_iter().flatten();
    let found = leaks(&canaries, everything);
    assert!(found.is_empty(), "{found:#?}");

    let archive = format!(" of {}", setting("AUDIT_ARCHIVE_BUCKET"));
    for canaries in [people.of_the_core(), secrets(&stack, &api, &contacts[2]).await] {
        assert!(!leaks(&canaries, &core_items).is_empty(), "no name and no key where they are kept: the search is blind");
        let found = leaks(&canaries, events.iter().chain(objects.iter().filter(|(place, _)| place.ends_with(&archive))));
        assert!(found.is_empty(), "{found:#?}");
    }
}
