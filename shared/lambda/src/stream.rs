//! The stream's records as its readers take them.

use aws_lambda_events::dynamodb::{Event, EventRecord};
use switchboard_app::audit::StreamRecord;
use switchboard_store::item::{Item, text};

/// Who removes items whose time has come.
const EXPIRY: &str = "dynamodb.amazonaws.com";

/// The records of an event, in order.
#[must_use]
pub fn stream_records(event: Event) -> Vec<StreamRecord> {
    event
        .records
        .into_iter()
        .map(|record| {
            let image = |item: serde_dynamo::Item| if item.is_empty() { None } else { Some(item.into()) };
            let change = record.change;
            StreamRecord { sequence: change.sequence_number.unwrap_or_default(), old: image(change.old_image), new: image(change.new_image) }
        })
        .collect()
}

/// The records of the audit table's stream, in order: events that are new, and without an image those whose time in the table was over. Nobody may do anything else
/// to an event, so whatever else is in the stream is left out, and said where an alarm listens.
#[must_use]
pub fn audit_stream_records(mut event: Event) -> Vec<StreamRecord> {
    event.records.retain(|record| {
        let is_as_it_must_be = is_insert_or_expiry(record);
        if !is_as_it_must_be {
            let keys = Item::from(record.change.keys.clone());
            let key = |name: &str| text(&keys, name).unwrap_or_default().to_owned();
            let (change, of, place) = (record.event_name.as_str(), key("PK"), key("SK"));
            tracing::error!(alarm = "audit event changed", change, of, place, "an event in the audit table was changed or removed");
        }
        is_as_it_must_be
    });
    stream_records(event)
}

fn is_insert_or_expiry(record: &EventRecord) -> bool {
    match record.event_name.as_str() {
        "INSERT" => true,
        "REMOVE" => record.user_identity.as_ref().is_some_and(|who| who.principal_id == EXPIRY),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_store::audit_events::decode_image;

    fn read(json: &str) -> Vec<StreamRecord> {
        stream_records(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_new_item_has_no_old_image() {
        let records = read(include_str!("../tests/fixtures/stream-insert.json"));
        assert!(records.iter().all(|record| record.old.is_none() && record.new.as_ref().is_some_and(|item| item.contains_key("PK"))));
    }

    #[test]
    fn a_change_has_both_images_and_a_removal_only_the_old_one() {
        let shapes: Vec<(bool, bool)> =
            read(include_str!("../tests/fixtures/stream-modify-and-remove.json")).iter().map(|record| (record.old.is_some(), record.new.is_some())).collect();
        assert!(shapes.contains(&(true, true)) && shapes.contains(&(true, false)), "{shapes:?}");
    }

    #[test]
    fn an_event_of_the_audit_table_is_read_whole_and_one_that_expired_has_no_image() {
        let records = read(include_str!("../tests/fixtures/stream-of-audit.json"));
        assert!(records.iter().all(|record| record.old.is_none() && !record.sequence.is_empty()));
        let [written, expired] = records.as_slice() else { panic!("{records:?}") };
        let (_, stored) = decode_image(written.new.clone().unwrap()).unwrap();
        assert_eq!((stored.event.change.action.as_str(), stored.event.version()), ("contact_status.updated", Some(2)));
        assert_eq!(stored.event.hash(), stored.hash);
        assert!(expired.new.is_none());
    }

    #[test]
    fn what_nobody_may_do_to_an_event_is_left_out() {
        let text = include_str!("../tests/fixtures/stream-of-audit.json");
        let read = |text: &str| audit_stream_records(serde_json::from_str(text).unwrap());
        assert_eq!(read(text).iter().map(|record| record.new.is_some()).collect::<Vec<_>>(), [true, false]);
        assert_eq!(read(&text.replace("INSERT", "MODIFY")).len(), 1);
        assert_eq!(read(&text.replace(EXPIRY, "somebody")).len(), 1);
    }
}
