//! What exports write, and that importing it again changes nothing.

use std::collections::{BTreeSet, HashSet};

use switchboard_app::bulk::{BulkMessage, export_page};
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::imports::write_rows;
use switchboard_domain::bulk_job::BulkAction;
use switchboard_domain::contact::{AttributeValue, Contact, ContactFilter, ContactInput};
use switchboard_domain::imports::{RowCounts, Sheet, exported_names};
use switchboard_testkit::World;

use crate::bulk::{asked, job, people};
use crate::made;

/// What an export writes for a job, but for the bucket.
async fn exported(world: &World, message: &BulkMessage) -> String {
    let job = job(world, message).await;
    let (mut names, mut contacts): (BTreeSet<String>, Vec<Contact>) = Default::default();
    let mut after: Option<String> = None;
    loop {
        let page = export_page(&world.services, &world.tenant, &job, after.as_deref()).await.unwrap();
        names.extend(page.contacts.iter().flat_map(|contact| exported_names(&contact.details)).cloned());
        contacts.extend(page.contacts);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let (sheet, mut file) = (Sheet::new(&names), Vec::new());
    sheet.write_header(&mut file).unwrap();
    sheet.write_rows(contacts.iter().map(|contact| &contact.details), &mut file).unwrap();
    String::from_utf8(file).unwrap()
}

async fn imported_again(world: &World, file: &str) -> RowCounts {
    let (import, rows) = made::import(world, 2, file);
    let result = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap();
    assert_eq!(result.errors, []);
    result.counts
}

#[tokio::test]
async fn an_export_imported_again_changes_nothing() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let text = |text: &str| AttributeValue::String(text.to_owned());
    for (index, name) in ["=1+1", "+CMD|' /C calc'!A0", "-2+3", "@SUM(1)", "Zoé \"Zo\", Gélinas", "'quoted", "Nan", "N/A", "-"].into_iter().enumerate() {
        let input = ContactInput {
            phone: format!("514-555-{index:04}"),
            phone_extension: Some("012".to_owned()),
            alternate_phones: vec![format!("438-555-{index:04}")],
            name: Some(name.to_owned()),
            email: Some(format!("zoe{index}@example.com")),
            address: Some(format!("{index} rue, app. \"A\"")),
            city: Some(name.to_owned()),
            region: Some("NA".to_owned()),
            postal_code: Some("H3A 1B2".to_owned()),
            time_zone: (index % 2 == 0).then(|| "America/Halifax".to_owned()),
            source: Some("referral; web".to_owned()),
            attributes: vec![
                ("Remark".to_owned(), text(name)),
                ("mobile".to_owned(), text("555")),
                ("lines".to_owned(), text("one\r\ntwo\n\"three\"")),
                ("Rooms".to_owned(), AttributeValue::Number(7.0)),
                ("Price".to_owned(), AttributeValue::Number(-12.5)),
                ("Owner".to_owned(), AttributeValue::Boolean(index % 2 == 0)),
                ("Code".to_owned(), text("007")),
                ("SIN".to_owned(), text("046 454 286")),
            ],
            ..ContactInput::default()
        };
        contacts::create(&world.services, &world.viewer_in_request("admin", &index.to_string()).await, CreateContact { input, ..CreateContact::default() })
            .await
            .unwrap()
            .unwrap();
    }
    let gone = world.tenant.keyring.slot("+15145550008");
    contacts::delete(&world.services, &viewer, Some(gone), 1).await.unwrap().unwrap();
    let message = asked(&world, BulkAction::Export, ContactFilter::default()).await;
    let file = exported(&world, &message).await;
    assert!(!file.contains("046 454 286"), "sensitive attributes are left out");
    assert!(!file.contains("+15145550008"), "deleted contacts are left out");
    let before = made::everything(&world.database).await;
    assert_eq!(imported_again(&world, &file).await, RowCounts { unchanged: 8, ..RowCounts::default() });
    let after = made::everything(&world.database).await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
}

#[tokio::test]
async fn an_imported_list_is_exported_whole_and_comes_back_unchanged() {
    let world = World::new().await;
    let ids = people(&world, 1_200).await;
    let message = asked(&world, BulkAction::Export, ContactFilter::default()).await;
    let file = exported(&world, &message).await;
    assert_eq!(file.matches("Rautenstrauch").count(), ids.len());
    assert_eq!(imported_again(&world, &file).await, RowCounts { unchanged: 1_200, ..RowCounts::default() });
}
