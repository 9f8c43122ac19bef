//! The stream's records as its readers take them.

use aws_lambda_events::dynamodb::Event;
use switchboard_app::audit::StreamRecord;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
