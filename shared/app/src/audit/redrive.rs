//! Replaying what was set aside: changes that could not become events are recorded once the reason is gone, those of a record in their order.

use serde_json::Value;
use switchboard_store::item::Item;

use super::record::{DeadLetter, Recorder, Report};
use super::stream::StreamRecord;
use crate::error::AppError;

/// Where the letters lie.
pub(super) const LETTERS: &str = "records/";
/// Letters listed at once.
const PAGE: usize = 1_000;

/// What became of the letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedriveReport {
    /// Letters whose event is recorded now.
    pub recorded: usize,
    /// Letters whose event was there already.
    pub repeated: usize,
    /// Letters that need no event any more.
    pub technical: usize,
    /// Letters that stay, with the reason: by their keys.
    pub left: Vec<(String, String)>,
}

/// The change that a letter tells of.
fn change(letter: DeadLetter) -> Result<StreamRecord, AppError> {
    let image = |value: Option<Value>| -> Result<Option<Item>, AppError> {
        let item = value.map(serde_json::from_value::<serde_dynamo::Item>).transpose().map_err(|error| AppError::Broken(error.to_string()))?;
        Ok(item.map(Item::from))
    };
    Ok(StreamRecord { sequence: letter.sequence, old: image(letter.old)?, new: image(letter.new)? })
}

/// Where a change stands among those of its record: by its version, then by its place in the stream, whose numbers have no fixed length.
fn place(change: &StreamRecord) -> (u32, usize, String) {
    let item = change.new.as_ref().or(change.old.as_ref());
    let version = item.and_then(|item| item.get("version")?.as_n().ok()?.parse().ok()).unwrap_or(u32::MAX);
    (version, change.sequence.len(), change.sequence.clone())
}

/// The folder of a letter: all of one record.
fn folder(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(folder, _)| folder)
}

/// Records what was set aside, record by record, the changes of each in their order, and removes each letter whose event is there then; the bucket keeps its
/// versions. None stands in the way of those behind it. 1 request per 1,000 letters; for each 2, what [`Recorder::record`] takes, and 2 more when it stays.
///
/// # Errors
/// Those of listing the letters.
pub async fn redrive(recorder: &Recorder) -> Result<RedriveReport, AppError> {
    let mut report = RedriveReport::default();
    let mut after: Option<String> = None;
    // The letters of a record may begin on one page and end on the next.
    let mut waiting: Vec<String> = Vec::new();
    loop {
        let page = recorder.dead_letters.list(LETTERS, after.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().cloned();
        for key in page {
            if waiting.last().is_some_and(|last| folder(last) != folder(&key)) {
                redrive_record(recorder, std::mem::take(&mut waiting), &mut report).await;
            }
            waiting.push(key);
        }
        if is_last {
            redrive_record(recorder, waiting, &mut report).await;
            return Ok(report);
        }
    }
}

/// The letters of one record.
async fn redrive_record(recorder: &Recorder, keys: Vec<String>, report: &mut RedriveReport) {
    let mut changes = Vec::with_capacity(keys.len());
    for key in keys {
        match read(recorder, &key).await {
            Ok(Some(change)) => changes.push((place(&change), key, change)),
            Ok(None) => {}
            Err(error) => report.left.push((key, error.to_string())),
        }
    }
    changes.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    for (_, key, change) in changes {
        match record(recorder, &key, change).await {
            Ok(Outcome::Done(done)) => {
                report.recorded += done.recorded;
                report.repeated += done.repeated;
                report.technical += done.technical;
            }
            Ok(Outcome::Left(reason)) => report.left.push((key, reason)),
            Err(error) => report.left.push((key, error.to_string())),
        }
    }
}

/// What became of one letter.
enum Outcome {
    /// Its event is there, or it needs none.
    Done(Report),
    /// It stays, for this reason.
    Left(String),
}

async fn record(recorder: &Recorder, key: &str, change: StreamRecord) -> Result<Outcome, AppError> {
    let done = recorder.record(vec![change]).await?;
    if done.isolated > 0 {
        // The recorder wrote the same letter again, with the reason that there is now.
        let letter = recorder.dead_letters.get_json::<DeadLetter>(key).await?;
        return Ok(Outcome::Left(letter.map(|letter| letter.reason).unwrap_or_default()));
    }
    recorder.dead_letters.delete(key).await?;
    Ok(Outcome::Done(done))
}

async fn read(recorder: &Recorder, key: &str) -> Result<Option<StreamRecord>, AppError> {
    recorder.dead_letters.get_json::<DeadLetter>(key).await?.map(change).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(sequence: &str, version: u32) -> StreamRecord {
        let item = json!({ "PK": { "S": "T#t#C#c" }, "version": { "N": version.to_string() }, "sealed": { "B": "AQID" }, "gone": { "NULL": true } });
        let letter = json!({ "reason": "no audit rule", "sequence": sequence, "old": null, "new": item });
        change(serde_json::from_value(letter).unwrap()).unwrap()
    }

    #[test]
    fn a_letter_reads_back_into_the_change_it_tells_of() {
        let change = read("100", 2);
        assert_eq!((change.sequence.as_str(), change.old.is_none()), ("100", true));
        let new = change.new.unwrap();
        assert_eq!(new["PK"].as_s().unwrap(), "T#t#C#c");
        assert_eq!(new["sealed"].as_b().unwrap().as_ref(), [1, 2, 3]);
        let again = serde_json::to_value(serde_dynamo::Item::from(new)).unwrap();
        assert_eq!(again["version"], json!({ "N": "2" }));
    }

    #[test]
    fn changes_go_by_their_version_and_then_by_their_place_in_the_stream() {
        let mut changes = [read("200", 3), read("90", 2), read("1000", 2), read("7", 4)];
        changes.sort_by_key(place);
        assert_eq!(changes.each_ref().map(|change| change.sequence.as_str()), ["90", "1000", "200", "7"]);
        let last = StreamRecord { sequence: "1".to_owned(), ..StreamRecord::default() };
        assert!(place(&last) > place(&changes[3]), "what has no version comes last");
        assert_eq!(folder("records/T_t_C_c/C/100.json"), "records/T_t_C_c/C");
    }
}
