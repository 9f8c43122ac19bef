//! What the bucket says: which files were put there.

use anyhow::{Context, Result};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use switchboard_app::imports::DroppedFile;

/// A notification; the one that S3 sends to try a queue has no records.
#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(rename = "Records", default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_time: Timestamp,
    s3: Storage,
}

#[derive(Deserialize)]
struct Storage {
    object: Object,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    e_tag: String,
    #[serde(default)]
    sequencer: String,
}

/// The files a notification tells of; none when it is the trial message.
pub(crate) fn dropped_files(body: &str) -> Result<Vec<DroppedFile>> {
    let notification: Notification = serde_json::from_str(body).context("the message is not a notification of a bucket")?;
    if notification.event.is_none() && notification.records.is_empty() {
        anyhow::bail!("the message is not a notification of a bucket: it has no records");
    }
    notification.records.into_iter().map(|record| dropped_file(record.event_time, record.s3.object)).collect()
}

fn dropped_file(at: Timestamp, object: Object) -> Result<DroppedFile> {
    let key = object.key.replace('+', " ");
    let key = percent_decode_str(&key).decode_utf8().context("the key is not UTF-8")?.into_owned();
    Ok(DroppedFile { key, tag: object.e_tag, bytes: object.size, sequencer: object.sequencer, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_arrive_encoded_and_are_decoded() {
        let files = dropped_files(include_str!("../tests/fixtures/s3-object-created-body.json")).unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].key, "drop/demo/My profile/contacts été+1 (2).csv");
        assert_eq!((files[0].tag.as_str(), files[0].bytes), ("268aa66afc02ac91b136a2f5dfccb8e2", 17));
    }

    #[test]
    fn the_trial_message_tells_of_no_file() {
        assert_eq!(dropped_files(include_str!("../tests/fixtures/s3-test-event-body.json")).unwrap(), []);
    }

    #[test]
    fn anything_else_is_an_error() {
        for body in ["", "{}", "[]", "hello", "{\"Records\": 3}"] {
            assert!(dropped_files(body).is_err(), "{body}");
        }
    }
}
