//! The learning of scoring models: each one item, written as a whole over the revision it was decided on. Nothing in it is personal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::bulk_job::BulkJobStatus;
use switchboard_domain::change::Origin;
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::scoring::training::TrainingChoice;
use switchboard_domain::scoring_training::ScoringTraining;

use crate::error::StoreError;
use crate::item::{Item, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Page, Part};

/// The type of its items.
pub const SCORING_TRAINING: &str = "scoring_training";

#[derive(Serialize, Deserialize)]
struct TrainingItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI1PK")]
    list_pk: String,
    #[serde(rename = "GSI1SK")]
    list_sk: String,
    #[serde(rename = "type")]
    item_type: String,
    id: ScoringModelId,
    choice: TrainingChoice,
    origin: Origin,
    status: BulkJobStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    examples: Option<u32>,
    #[serde(with = "switchboard_domain::clock::millis")]
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    finished_at: Option<Timestamp>,
    revision: u32,
    writer: String,
}

fn encode(scope: &TenantScope, training: &ScoringTraining) -> Result<Item, StoreError> {
    let key = keys::scoring_training(scope, training.id);
    let form = TrainingItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: keys::scoring_training_list(scope),
        list_sk: training.id.to_string(),
        item_type: SCORING_TRAINING.to_owned(),
        id: training.id,
        choice: training.choice.clone(),
        origin: training.origin.clone(),
        status: training.status,
        failure_reason: training.failure_reason.clone(),
        examples: training.examples,
        created_at: training.created_at,
        started_at: training.started_at,
        finished_at: training.finished_at,
        revision: training.revision,
        writer: training.writer.clone(),
    };
    to_item(SCORING_TRAINING, &form)
}

/// Reads a training from its item.
///
/// # Errors
/// [`StoreError::Undecodable`] when it isn't one.
pub fn decode(item: Item) -> Result<ScoringTraining, StoreError> {
    let item: TrainingItem = from_item(SCORING_TRAINING, item)?;
    Ok(ScoringTraining {
        id: item.id,
        choice: item.choice,
        origin: item.origin,
        status: item.status,
        failure_reason: item.failure_reason,
        examples: item.examples,
        created_at: item.created_at,
        started_at: item.started_at,
        finished_at: item.finished_at,
        revision: item.revision,
        writer: item.writer,
    })
}

/// Writes a new training, and the other parts with it or nothing; false when one of them didn't hold. 1 request; 1 W and 1 for index 1, with other parts a transaction
/// of twice the units.
///
/// # Errors
/// Those of the database.
pub async fn create(table: &CoreTable, scope: &TenantScope, training: &ScoringTraining, parts: Vec<Part>) -> Result<bool, StoreError> {
    table.create(scope, encode(scope, training)?, parts).await
}

/// Reads a training, strongly consistent. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, scope: &TenantScope, id: ScoringModelId) -> Result<Option<ScoringTraining>, StoreError> {
    table.get(scope, &keys::scoring_training(scope, id)).await?.map(decode).transpose()
}

/// Writes a training over the revision before its own; false when another one stands there. When the answer to an earlier attempt was lost, the attempt that finds its
/// own writing is true. 1 request; 1 W per started KB.
///
/// # Errors
/// Those of the database.
pub async fn save(table: &CoreTable, scope: &TenantScope, training: &ScoringTraining) -> Result<bool, StoreError> {
    let item = encode(scope, training)?;
    table.save(scope, item, training.revision, |there| Ok(decode(there)? == *training)).await
}

/// Lists trainings, newest first, those older than the place `after` (a training's id). 2 requests: half an R per started 4 KB of the list, and half an R for each
/// training.
///
/// # Errors
/// Those of the database.
pub async fn newest(table: &CoreTable, scope: &TenantScope, after: Option<&str>, first: usize) -> Result<Page<ScoringTraining>, StoreError> {
    let Page { entries, has_more } = table.newest_whole(scope, &keys::scoring_training_list(scope), after, first).await?;
    let mut trainings: Vec<ScoringTraining> = entries.into_iter().map(decode).collect::<Result<_, _>>()?;
    trainings.sort_by_key(|training| std::cmp::Reverse(training.id));
    Ok(Page { entries: trainings, has_more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::ids::TenantId;
    use switchboard_domain::scoring::training::Outcome;

    #[test]
    fn a_training_reads_back_from_its_item_at_every_step() {
        let now = Timestamp::from_millisecond(1_764_500_000_123).unwrap();
        let scope = TenantScope::vouched(TenantId::new(now, &[1; 10]));
        let choice = TrainingChoice { name: "Learned".to_owned(), outcome: Outcome::Attribute("Won".to_owned()), attributes: Some(vec!["Visits".to_owned()]) };
        let asked = ScoringTraining::asked(ScoringModelId::new(now, &[2; 10]), choice, Origin::system(), now);
        let begun = asked.begun(now);
        for training in [asked, begun.clone(), begun.completed(700, now), begun.failed("why", now)] {
            assert_eq!(decode(encode(&scope, &training).unwrap()).unwrap(), training);
        }
    }
}
