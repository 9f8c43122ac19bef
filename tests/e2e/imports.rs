//! Importing contacts: what a file says is what the contacts say afterwards, and their history tells who wrote what.

use serde_json::{Value, json};

use crate::stack::api::{Api, inside, tenant_of};
use crate::stack::drops::{Counts, Import, csv, dropped, imports_of, packed, put};
use crate::stack::fresh::{self, Number};
use crate::stack::history::{AUDIT, caught_up, contact_at, contacts_at, events};
use crate::stack::waiting::eventually;
use crate::stack::{Stack, setting};

const HEADER: &str = "first_name,last_name,company_name,address,city,province,postal,phone1,phone2,email,web";
/// The fields of [`HEADER`], and how sure the mapping is.
const MAPPING: [(&str, &str, f64); 11] = [
    ("first_name", "firstName", 1.0),
    ("last_name", "lastName", 1.0),
    ("company_name", "attributes.company_name", 0.5),
    ("address", "address", 1.0),
    ("city", "city", 1.0),
    ("province", "region", 1.0),
    ("postal", "postalCode", 1.0),
    ("phone1", "phone", 0.9),
    ("phone2", "alternatePhones", 0.9),
    ("email", "email", 1.0),
    ("web", "attributes.web", 0.5),
];

/// A person of a file.
#[derive(Clone)]
struct Person {
    index: usize,
    phone: Number,
    second_phone: Number,
    first: String,
    last: String,
    company: String,
    city: &'static str,
    province: &'static str,
    postal: &'static str,
    email: String,
}

fn people(count: usize) -> Vec<Person> {
    let (phones, second_phones) = (fresh::numbers(count as u64), fresh::numbers(count as u64));
    let places = [("Windsor", "ON", "N8N 3N2"), ("Alcida", "NB", "E8J 2C4"), ("Montréal", "QC", "H3A 1B2"), ("Vancouver", "BC", "V5Z 3K2"), ("Régina", "SK", "S4P 0A1")];
    let firsts = ["Françoise", "Kendra", "Lourdes", "Hannah", "Zoé", "Jean-Luc", "O'Neil"];
    (0..count)
        .map(|index| {
            let (city, province, postal) = places[index % places.len()];
            Person {
                index,
                phone: phones[index],
                second_phone: second_phones[index],
                first: firsts[index % firsts.len()].to_owned(),
                last: format!("Gélinas {index}"),
                company: if index % 3 == 0 { format!("\"Riebesell\", H F Jr {index}") } else { format!("Deloitte & Touche {index}") },
                city,
                province,
                postal,
                email: format!("Person{index}@Example.com"),
            }
        })
        .collect()
}

impl Person {
    /// Their row, written as people write.
    fn row(&self) -> [String; 11] {
        let postal = match self.index % 3 {
            0 => self.postal.to_owned(),
            1 => self.postal.replace(' ', "").to_lowercase(),
            _ => format!(" {} ", self.postal.replace(' ', "-")),
        };
        [
            self.first.clone(),
            self.last.clone(),
            self.company.clone(),
            self.address(),
            self.city.to_owned(),
            self.province.to_owned(),
            postal,
            self.phone.written(self.index),
            self.second_phone.written(self.index + 1),
            self.email.clone(),
            self.web(),
        ]
    }

    fn address(&self) -> String {
        format!("{} Canton Hwy #{}", 100 + self.index, self.index % 9)
    }

    /// Where their postal code lies.
    fn time_zone(&self) -> &'static str {
        match self.province {
            "NB" => "America/Moncton",
            "BC" => "America/Vancouver",
            "SK" => "America/Regina",
            _ => "America/Toronto",
        }
    }

    fn web(&self) -> String {
        format!("http://www.example.com/{}", self.index)
    }

    fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// What the API says of them, by the names that the audit uses too.
    fn fields(&self) -> Vec<(String, Value)> {
        let fields = [
            ("address", json!(self.address())),
            ("alternatePhones", json!([self.second_phone.e164()])),
            ("attributes.company_name", json!(self.company)),
            ("attributes.web", json!(self.web())),
            ("city", json!(self.city)),
            ("country", json!("CA")),
            ("email", json!(self.email.to_lowercase())),
            ("name", json!(self.name())),
            ("phone", json!(self.phone.e164())),
            ("postalCode", json!(self.postal)),
            ("region", json!(self.province)),
            ("timeZone", json!(self.time_zone())),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn file(people: &[Person]) -> String {
    csv(HEADER, &people.iter().map(Person::row).collect::<Vec<_>>())
}

/// A contact's value by the name that the audit gives it.
fn field<'a>(contact: &'a Value, name: &str) -> &'a Value {
    match name.strip_prefix("attributes.") {
        Some(attribute) => &contact["attributes"][attribute],
        None => &contact[name],
    }
}

fn assert_is(contact: &Value, person: &Person) {
    for (name, value) in person.fields() {
        assert_eq!(*field(contact, &name), value, "{name} of {contact}");
    }
    assert_eq!(contact["attributes"].as_object().unwrap().len(), 2, "{contact}");
    assert_eq!(contact["status"]["code"], "new");
}

/// That an event was written by an import.
fn assert_written_by(event: &Value, import: &Import) {
    assert_eq!(event["actor"], json!({ "type": "IMPORT", "id": import.id(), "name": import.0["fileName"], "email": null, "roles": [] }));
    assert_eq!(event["importId"], *import.id());
    assert_eq!((&event["outcome"], &event["requestId"], &event["ipAddress"], &event["userAgent"]), (&json!("SUCCESS"), &json!(null), &json!(null), &json!(null)));
}

/// That a contact was created by an import and not touched since.
fn assert_created_by(contact: &Value, import: &Import, person: &Person) {
    assert_eq!((&contact["version"], &contact["createdAt"]), (&json!(1), &contact["updatedAt"]));
    for by in [&contact["createdBy"], &contact["updatedBy"]] {
        assert_eq!(*by, json!({ "type": "IMPORT", "id": import.id(), "name": import.0["fileName"] }));
    }
    let [event] = events(contact) else { panic!("not exactly one event: {contact}") };
    assert_written_by(event, import);
    assert_eq!((&event["action"], &event["entityType"], &event["entityVersion"]), (&json!("contact.created"), &json!("contact"), &json!(1)));
    assert_eq!((&event["entityId"], &event["at"], &event["previousHash"]), (&contact["id"], &contact["updatedAt"], &json!(null)));
    assert!(event["hash"].as_str().is_some_and(|hash| hash.len() == 64), "{event}");
    let changes = changes(event);
    for (name, value) in person.fields() {
        assert!(changes.contains(&(name.clone(), Value::Null, value)), "{name} in {event}");
    }
    assert_eq!(changes.len(), person.fields().len() + 1, "the fields of the file and the status: {event}");
}

fn changes(event: &Value) -> Vec<(String, Value, Value)> {
    let changes = event["changes"].as_array().unwrap().iter();
    changes.map(|change| (change["field"].as_str().unwrap().to_owned(), change["oldValue"].clone(), change["newValue"].clone())).collect()
}

async fn contacts_of(api: &Api, people: &[Person]) -> Vec<Value> {
    contacts_at(api, &people.iter().map(|person| person.phone).collect::<Vec<_>>()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_contacts_with_one_event_each_and_again_changes_only_what_it_says_otherwise() {
    let (stack, api) = Stack::as_admin().await;
    let mut people = people(300);
    let name = format!("{}.csv", fresh::word("canada"));

    let first = dropped(&stack, &api, "demo", &name, file(&people)).await;
    assert_eq!(first.counts(), Counts { total: 300, created: 300, ..Counts::default() });
    assert_eq!(first.0["createdBy"], json!({ "type": "SYSTEM", "id": null, "name": "Switchboard", "email": null, "roles": [] }));
    assert_eq!((&first.0["kind"], &first.0["sourceType"], &first.0["sourcePlatform"]), (&json!("CONTACTS"), &json!("CSV"), &json!("n/a")));
    assert_eq!(first.0["fileBytes"], json!(file(&people).len()));
    assert!(first.0["createdAt"].as_str() <= first.0["startedAt"].as_str() && first.0["startedAt"].as_str() < first.0["finishedAt"].as_str(), "{first:?}");
    caught_up(&api).await;
    for (contact, person) in contacts_of(&api, &people).await.iter().zip(&people) {
        assert_is(contact, person);
        assert_created_by(contact, &first, person);
    }

    let second = dropped(&stack, &api, "demo", &name, file(&people)).await;
    assert_ne!(first.id(), second.id());
    assert_eq!(second.counts(), Counts { total: 300, unchanged: 300, ..Counts::default() });
    caught_up(&api).await;
    let before = contacts_of(&api, &people).await;
    for (contact, person) in before.iter().zip(&people) {
        assert_created_by(contact, &first, person);
    }

    for person in people.iter_mut().step_by(10) {
        person.city = "Saint-Jérôme";
        person.company = "Sold".to_owned();
        person.last = "Lévesque".to_owned();
    }
    let third = dropped(&stack, &api, "demo", &name, file(&people)).await;
    assert_eq!(third.counts(), Counts { total: 300, updated: 30, unchanged: 270, ..Counts::default() });
    caught_up(&api).await;
    for ((contact, person), before) in contacts_of(&api, &people).await.iter().zip(&people).zip(&before) {
        if !person.index.is_multiple_of(10) {
            assert_created_by(contact, &first, person);
            continue;
        }
        assert_is(contact, person);
        assert_eq!((&contact["version"], &contact["createdAt"], &contact["createdBy"]), (&json!(2), &before["createdAt"], &before["createdBy"]));
        let [newer, older] = events(contact) else { panic!("not exactly two events: {contact}") };
        assert_eq!(*older, events(before)[0], "an event is never changed");
        assert_written_by(newer, &third);
        assert_eq!((&newer["action"], &newer["entityVersion"]), (&json!("contact.updated"), &json!(2)));
        assert_eq!((&newer["previousHash"], &newer["at"]), (&older["hash"], &contact["updatedAt"]));
        assert_ne!(newer["hash"], older["hash"]);
        let changed = |name: &str| (name.to_owned(), field(before, name).clone(), field(contact, name).clone());
        assert_eq!(changes(newer), [changed("attributes.company_name"), changed("city"), changed("name")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_mapped_by_their_names_and_shown_with_their_first_values() {
    let (stack, api) = Stack::as_admin().await;
    let people = people(7);
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("mapping")), file(&people)).await;
    let data = api.data("query($id: ID!) { import(id: $id) { mapping { column field confidence samples } } }", json!({ "id": import.id() })).await;
    let expected: Vec<Value> = MAPPING
        .iter()
        .enumerate()
        .map(|(index, (column, field, confidence))| {
            let samples: Vec<String> = people.iter().take(5).map(|person| person.row()[index].clone()).collect();
            json!({ "column": column, "field": field, "confidence": confidence, "samples": samples })
        })
        .collect();
    assert_eq!(data["import"]["mapping"], json!(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blank_cell_keeps_what_the_contact_says() {
    let (stack, api) = Stack::as_admin().await;
    let [person] = &people(1)[..] else { panic!() };
    let name = format!("{}.csv", fresh::word("blank"));
    dropped(&stack, &api, "demo", &name, file(std::slice::from_ref(person))).await;
    let sparse = csv("phone,name,city,email", &[[person.phone.dashed(), "N/A".to_owned(), "-".to_owned(), String::new()]]);
    let import = dropped(&stack, &api, "demo", &name, sparse).await;
    assert_eq!(import.counts(), Counts { total: 1, unchanged: 1, ..Counts::default() });
    assert_is(&contact_at(&api, person.phone).await, person);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_french_file_of_an_older_spreadsheet_is_read_as_it_was_written() {
    let (stack, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(2);
    let text =
        format!("Prénom;Nom;Téléphone;Ville;Code postal\r\nZoé;Bérubé;{};Trois-Rivières;g9a 1a1\r\n\r\n;Côté;{};Lévis;\r\n", numbers[0].dashed(), numbers[1].dashed());
    // Every letter of it is in Latin 1, where a letter's number is its byte.
    let bytes: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("québec")), bytes).await;
    assert_eq!(import.counts(), Counts { total: 2, created: 2, ..Counts::default() });
    let contacts = contacts_at(&api, &numbers).await;
    assert_eq!((&contacts[0]["name"], &contacts[0]["city"], &contacts[0]["postalCode"]), (&json!("Zoé Bérubé"), &json!("Trois-Rivières"), &json!("G9A 1A1")));
    assert_eq!((&contacts[1]["name"], &contacts[1]["city"], &contacts[1]["postalCode"]), (&json!("Côté"), &json!("Lévis"), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_and_utf_16_are_written_as_plain_text_and_read_from_there() {
    let (stack, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(4);
    let text = |number: &Number| format!("Nom;Téléphone;Ville\r\nZoé Œuvrard;{};Lévis\r\n", number.dashed());
    let little = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let big = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
    let files = [
        (format!("{}.csv.gz", fresh::word("packed")), packed(text(&numbers[0]).as_bytes())),
        (format!("{}.csv", fresh::word("packed")), packed(&little(&format!("\u{feff}{}", text(&numbers[1]))))),
        (format!("{}.txt", fresh::word("unicode")), little(&format!("\u{feff}{}", text(&numbers[2])))),
        (format!("{}.txt", fresh::word("unicode")), big(&text(&numbers[3]))),
    ];
    for ((name, bytes), number) in files.into_iter().zip(&numbers) {
        let (length, import) = (bytes.len(), dropped(&stack, &api, "demo", &name, bytes).await);
        assert_eq!(import.counts(), Counts { total: 1, created: 1, ..Counts::default() }, "{name}");
        assert_eq!((&import.0["fileName"], &import.0["fileBytes"]), (&json!(name), &json!(length)));
        let contact = contact_at(&api, *number).await;
        assert_eq!((&contact["name"], &contact["city"]), (&json!("Zoé Œuvrard"), &json!("Lévis")), "{name}");
        let staged = format!("staged/{}/{}.csv", tenant_of(&api).await, inside(import.id()).1);
        let staged = stack.s3().get_object().bucket(setting("UPLOADS_BUCKET")).key(staged).send().await.unwrap().body.collect().await.unwrap();
        assert_eq!(staged.to_vec(), text(number).as_bytes(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_many_megabytes_is_staged_in_parts() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    // Most rows fail, which is fast: what is tried is the reading. Notes are unlike each other, because an archive may not unpack to too much.
    let note = |row: u64| (0..60).map(|part: u64| format!("{:016x}", (row * 61 + part + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect::<String>();
    let rows: Vec<[String; 3]> = (0..10_000).map(|row| ["12".to_owned(), format!("Nobody {row}"), note(row)]).collect();
    let mut text = csv("phone,name,note", &rows);
    text.push_str(&format!("{},Last,{}\n", number.dashed(), note(10_000)));
    assert!(text.len() > 9_000_000);
    let import = dropped(&stack, &api, "demo", &format!("{}.csv.gz", fresh::word("large")), packed(text.as_bytes())).await;
    assert_eq!(import.counts(), Counts { total: 10_001, created: 1, failed: 10_000, ..Counts::default() });
    assert_eq!(contact_at(&api, number).await["attributes"]["note"], note(10_000));
    let staged = format!("staged/{}/{}.csv", tenant_of(&api).await, inside(import.id()).1);
    let staged = stack.s3().head_object().bucket(setting("UPLOADS_BUCKET")).key(staged).send().await.unwrap();
    assert_eq!(staged.content_length, Some(i64::try_from(text.len()).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_header_has_its_columns_told_by_their_values() {
    let (stack, api) = Stack::as_admin().await;
    let numbers = fresh::numbers(2);
    let text = format!("Zoé,{},zoe@example.com\nAda,{},ada@example.com\n", numbers[0].dashed(), numbers[1].dashed());
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("nameless")), text).await;
    assert_eq!(import.counts(), Counts { total: 2, created: 2, ..Counts::default() });
    let data = api.data("query($id: ID!) { import(id: $id) { mapping { column field confidence samples } } }", json!({ "id": import.id() })).await;
    let column = |number: u64, field: &str, confidence: f64, samples: [&str; 2]| json!({ "column": format!("Column {number}"), "field": field, "confidence": confidence, "samples": samples });
    let phones = [numbers[0].dashed(), numbers[1].dashed()];
    assert_eq!(
        data["import"]["mapping"],
        json!([
            column(1, "attributes.Column 1", 0.5, ["Zoé", "Ada"]),
            column(2, "phone", 0.7, [&phones[0], &phones[1]]),
            column(3, "email", 0.7, ["zoe@example.com", "ada@example.com"])
        ])
    );
    assert_eq!(contact_at(&api, numbers[0]).await["attributes"], json!({ "Column 1": "Zoé" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_is_kept_apart_and_never_becomes_another_number() {
    let (stack, api) = Stack::as_admin().await;
    let number = fresh::number();
    let text = csv("phone,name", &[[format!("{} x89", number.dashed()), "Extended".to_owned()]]);
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("extension")), text).await;
    assert_eq!(import.counts(), Counts { total: 1, created: 1, ..Counts::default() });
    let contact = contact_at(&api, number).await;
    assert_eq!((&contact["phone"], &contact["phoneExtension"]), (&json!(number.e164()), &json!("89")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_name_must_be_encoded_is_imported_under_its_own_name() {
    let (stack, api) = Stack::as_admin().await;
    let name = format!("{} été+1 (2)=&.csv", fresh::word("contacts"));
    let import = dropped(&stack, &api, "demo", &name, csv("phone,name", &[[fresh::number().dashed(), "Someone".to_owned()]])).await;
    assert_eq!((import.counts().created, &import.0["fileName"]), (1, &json!(name)));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_two_files_put_at_the_same_place_is_imported_or_says_that_it_was_replaced() {
    let (stack, api) = Stack::as_admin().await;
    let name = format!("{}.csv", fresh::word("replaced"));
    let numbers = fresh::numbers(2);
    for number in &numbers {
        put(&stack, &format!("drop/demo/{name}"), csv("phone,name", &[[number.dashed(), "Someone".to_owned()]])).await;
    }
    let imports = eventually("both imports have ended", AUDIT, async || {
        let imports = imports_of(&api, &name).await;
        (imports.len() == 2 && imports.iter().all(|import| import.status() != "PROCESSING")).then_some(imports)
    })
    .await;
    assert_eq!(imports[0].counts(), Counts { total: 1, created: 1, ..Counts::default() }, "what was put last is imported");
    let replaced = imports[1].status() == "FAILED";
    assert!(!replaced || imports[1].reason().contains("replaced") || imports[1].reason().contains("Another file was put in its place"), "{:?}", imports[1]);
    assert_eq!(contact_at(&api, numbers[0]).await.is_null(), replaced);
    assert!(!contact_at(&api, numbers[1]).await.is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_import_finds_out_lies_in_the_bucket_of_results_under_its_tenant() {
    let (stack, api) = Stack::as_admin().await;
    let import = dropped(&stack, &api, "demo", &format!("{}.csv", fresh::word("results")), file(&people(3))).await;
    let tenant = tenant_of(&api).await;
    let prefix = format!("imports/{tenant}/{}/", inside(import.id()).1);
    let listed = stack.s3().list_objects_v2().bucket(setting("RESULTS_BUCKET")).prefix(&prefix).send().await.unwrap();
    let names: Vec<&str> = listed.contents().iter().map(|object| object.key().unwrap().strip_prefix(&prefix).unwrap()).collect();
    let check = ["errors/000001.json", "failed/000001.csv", "keys/000001", "overtaken/000001.json"].map(|file| format!("check/1/{file}"));
    let beside = ["failed/000001.csv", "first_rows.json", "result/000001.json", "samples.json", "written/000001.json"].map(str::to_owned);
    // Since when the audit waits for events stands there as long as it waits.
    let names: Vec<&str> = names.into_iter().filter(|name| !name.starts_with("awaited/")).collect();
    assert_eq!(names, check.into_iter().chain(beside).collect::<Vec<String>>());
}
