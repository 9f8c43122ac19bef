//! The models by which a tenant scores its contacts: its own ones, the versions of them that were ever in force, and which one is.
//!
//! They have a partition of their own, because the configuration is read whole with every request; only the one in force stands there. Factors are kept as JSON in
//! one text, which takes a third of the room that they would as attributes.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::scoring::{self, ActiveScoringModel, Model, ModelVersion, ScoringModel};

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{Change, CoreTable, Part};

/// The type of a model's item.
pub const SCORING_MODEL: &str = "scoring_model";
/// The type of the item of a version that was in force.
pub const SCORING_MODEL_VERSION: &str = "scoring_model_version";
/// The type of the item that counts the changes of a tenant's models.
pub const SCORING_MODELS_REVISION: &str = "scoring_models_revision";
/// The type of the item that says which model is in force.
pub const ACTIVE_SCORING_MODEL: &str = "active_scoring_model";

/// A tenant's own models.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoringModels {
    /// The models, deleted ones too, in the order of their ids.
    pub models: Vec<ScoringModel>,
    /// Counts their changes: who decides by all of them writes only while it is still this.
    pub revision: u64,
}

impl ScoringModels {
    /// The models that aren't deleted.
    pub fn live(&self) -> impl Iterator<Item = &ScoringModel> {
        self.models.iter().filter(|model| model.deleted_at.is_none())
    }

    /// One that isn't deleted, by its id.
    #[must_use]
    pub fn find(&self, id: ScoringModelId) -> Option<&ScoringModel> {
        self.live().find(|model| model.id == id)
    }
}

#[derive(Serialize, Deserialize)]
struct ModelItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    item_type: String,
    id: ScoringModelId,
    name: String,
    factors: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    training: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    deleted_at: Option<Timestamp>,
    #[serde(flatten)]
    record: RecordAttributes,
}

#[derive(Serialize, Deserialize)]
struct VersionItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    item_type: String,
    model: String,
}

#[derive(Serialize, Deserialize)]
struct ActiveItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    item_type: String,
    model: String,
    #[serde(flatten)]
    record: RecordAttributes,
}

fn to_json(kind: &'static str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::undecodable(kind, error))
}

fn from_json<T: DeserializeOwned>(kind: &'static str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::undecodable(kind, error))
}

fn encode(scope: &TenantScope, model: &ScoringModel) -> Result<Item, StoreError> {
    let key = keys::scoring_model(scope, model.id);
    let form = ModelItem {
        pk: key.pk,
        sk: key.sk,
        item_type: SCORING_MODEL.to_owned(),
        id: model.id,
        name: model.name.clone(),
        factors: to_json(SCORING_MODEL, &model.factors)?,
        training: model.training.as_ref().map(|training| to_json(SCORING_MODEL, training)).transpose()?,
        deleted_at: model.deleted_at,
        record: (&model.record).into(),
    };
    to_item(SCORING_MODEL, &form)
}

/// Reads a model from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode(item: Item) -> Result<ScoringModel, StoreError> {
    let item: ModelItem = from_item(SCORING_MODEL, item)?;
    Ok(ScoringModel {
        id: item.id,
        record: item.record.into(),
        name: item.name,
        factors: from_json(SCORING_MODEL, &item.factors)?,
        training: item.training.map(|training| from_json(SCORING_MODEL, &training)).transpose()?,
        deleted_at: item.deleted_at,
    })
}

/// Reads which model is in force from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_active(item: Item) -> Result<ActiveScoringModel, StoreError> {
    let item: ActiveItem = from_item(ACTIVE_SCORING_MODEL, item)?;
    Ok(ActiveScoringModel { record: item.record.into(), model: from_json(ACTIVE_SCORING_MODEL, &item.model)? })
}

fn encode_active(scope: &TenantScope, active: &ActiveScoringModel) -> Result<Item, StoreError> {
    let key = keys::active_scoring_model(scope);
    let model = to_json(ACTIVE_SCORING_MODEL, &active.model)?;
    let form = ActiveItem { pk: key.pk, sk: key.sk, item_type: ACTIVE_SCORING_MODEL.to_owned(), model, record: (&active.record).into() };
    to_item(ACTIVE_SCORING_MODEL, &form)
}

/// Reads a tenant's own models and what counts their changes, strongly consistent. 1 request per started MB, 1 R per started 4 KB: a model like the presets takes 2
/// KB, a learned one up to 100.
///
/// # Errors
/// Those of the database.
pub async fn load(table: &CoreTable, scope: &TenantScope) -> Result<ScoringModels, StoreError> {
    let mut found = ScoringModels::default();
    for item in table.partition(scope, &keys::scoring_models(scope), keys::SCORING_MODELS).await? {
        if text(&item, "type") == Some(SCORING_MODELS_REVISION) {
            let number = item.get("revision").and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok());
            found.revision = number.ok_or_else(|| StoreError::undecodable(SCORING_MODELS_REVISION, "its revision is not a number"))?;
        } else {
            found.models.push(decode(item)?);
        }
    }
    Ok(found)
}

/// Reads a model, also a deleted one, strongly consistent; presets aren't stored. 1 request, 1 R per started 4 KB.
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, scope: &TenantScope, id: ScoringModelId) -> Result<Option<ScoringModel>, StoreError> {
    table.get(scope, &keys::scoring_model(scope, id)).await?.map(decode).transpose()
}

/// Reads which model was made to be in force, strongly consistent; none while it is the preset `standard` that never was replaced. 1 request, 1 R per started 4 KB.
///
/// # Errors
/// Those of the database.
pub async fn active(table: &CoreTable, scope: &TenantScope) -> Result<Option<ActiveScoringModel>, StoreError> {
    table.get(scope, &keys::active_scoring_model(scope)).await?.map(decode_active).transpose()
}

/// A version of a model: of a preset, or one that was in force. No request for a preset, else 1 request and 1 R per started 4 KB.
///
/// # Errors
/// Those of the database.
pub async fn version(table: &CoreTable, scope: &TenantScope, version: ModelVersion) -> Result<Option<Model>, StoreError> {
    if let Some(preset) = scoring::preset(version.model) {
        return Ok(Some(preset).filter(|preset| preset.version == version));
    }
    let Some(item) = table.get(scope, &keys::scoring_model_version(scope, version)).await? else {
        return Ok(None);
    };
    let item: VersionItem = from_item(SCORING_MODEL_VERSION, item)?;
    from_json(SCORING_MODEL_VERSION, &item.model).map(Some)
}

/// Writes a model that was decided on by models of this revision: a new one, or one over that of revision `replaced`; and other parts with it. False when the models
/// changed meanwhile, or another part's condition didn't hold: nothing is written then. 1 request; 2 W per started KB of the model, 2 W for what counts the changes,
/// and those of the other parts.
///
/// # Errors
/// Those of the database.
pub async fn save(table: &CoreTable, scope: &TenantScope, decided_on: u64, model: &ScoringModel, replaced: Option<u32>, others: Vec<Part>) -> Result<bool, StoreError> {
    let item = encode(scope, model)?;
    let written = match replaced {
        None => Part::Insert { item, expired_before: None },
        Some(revision) => Part::Replace { item, revision },
    };
    let mut parts = vec![written, Part::Change(raised(scope, decided_on))];
    parts.extend(others);
    table.transact(scope, parts).await
}

/// Raises the revision of the models, which must be `from`. Before the first change there is no item.
fn raised(scope: &TenantScope, from: u64) -> Change {
    let number = |revision: u64| AttributeValue::N(revision.to_string());
    let mut values = vec![(":type", AttributeValue::S(SCORING_MODELS_REVISION.to_owned())), (":next", number(from + 1))];
    let condition = if from == 0 {
        "attribute_not_exists(PK)"
    } else {
        values.push((":from", number(from)));
        "revision = :from"
    };
    Change {
        key: keys::scoring_models_revision(scope),
        update: "SET #type = :type, revision = :next".to_owned(),
        condition: condition.to_owned(),
        names: vec![("#type", "type")],
        values,
    }
}

/// The condition that what is in force is still at this revision, or still nothing: for deleting a model that isn't.
#[must_use]
pub fn unchanged_active(scope: &TenantScope, revision: Option<u32>) -> Part {
    let (condition, values) = match revision {
        None => ("attribute_not_exists(PK)", Vec::new()),
        Some(revision) => ("revision = :revision", vec![(":revision", AttributeValue::N(revision.to_string()))]),
    };
    Part::Check { key: keys::active_scoring_model(scope), condition: condition.to_owned(), values }
}

/// Puts a model in force, over what was at revision `replaced`, and keeps this version of it for good, so that scores can be explained after others follow. For one of
/// the tenant's own `own` is the revision that it must still be at. False when one of them changed meanwhile: nothing is written then. 1 request and 2 W per started KB
/// for a preset; for another 2 requests, 1 R per started 4 KB, and twice that and 2 W.
///
/// # Errors
/// Those of the database.
pub async fn save_active(table: &CoreTable, scope: &TenantScope, active: &ActiveScoringModel, replaced: Option<u32>, own: Option<u32>) -> Result<bool, StoreError> {
    let item = encode_active(scope, active)?;
    let written = match replaced {
        None => Part::Insert { item, expired_before: None },
        Some(revision) => Part::Replace { item, revision },
    };
    let mut parts = vec![written];
    if let Some(revision) = own {
        let id = active.model.version.model;
        let values = vec![(":revision", AttributeValue::N(revision.to_string()))];
        parts.push(Part::Check { key: keys::scoring_model(scope, id), condition: "revision = :revision".to_owned(), values });
        // It was in force before when it is there: it never changes.
        if version(table, scope, active.model.version).await?.is_none() {
            parts.push(Part::Insert { item: encode_version(scope, &active.model)?, expired_before: None });
        }
    }
    table.transact(scope, parts).await
}

fn encode_version(scope: &TenantScope, model: &Model) -> Result<Item, StoreError> {
    let key = keys::scoring_model_version(scope, model.version);
    let form = VersionItem { pk: key.pk, sk: key.sk, item_type: SCORING_MODEL_VERSION.to_owned(), model: to_json(SCORING_MODEL_VERSION, model)? };
    to_item(SCORING_MODEL_VERSION, &form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::change::{Change as RecordChange, Origin, Revisioned};
    use switchboard_domain::ids::TenantId;

    fn scope() -> TenantScope {
        TenantScope::vouched(TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]))
    }

    fn record() -> Revisioned {
        Revisioned::created(RecordChange::new("scoring_model.created", Timestamp::from_millisecond(1_764_500_000_123).unwrap(), Origin::system()))
    }

    #[test]
    fn a_model_reads_back_from_its_item() {
        let id = ScoringModelId::new(Timestamp::UNIX_EPOCH, &[2; 10]);
        for factors in [scoring::standard().factors, scoring::pipeline().factors, Vec::new()] {
            let model = ScoringModel { id, record: record(), name: "Été".to_owned(), factors, training: None, deleted_at: Some(Timestamp::UNIX_EPOCH) };
            assert_eq!(decode(encode(&scope(), &model).unwrap()).unwrap(), model);
        }
    }

    #[test]
    fn what_is_in_force_reads_back_from_its_item() {
        let active = ActiveScoringModel { record: record(), model: scoring::pipeline() };
        assert_eq!(decode_active(encode_active(&scope(), &active).unwrap()).unwrap(), active);
    }

    #[test]
    fn one_query_reads_the_models_and_their_revision_and_no_versions() {
        let version = scoring::standard().version;
        let (model, revision, kept) =
            (keys::scoring_model(&scope(), version.model), keys::scoring_models_revision(&scope()), keys::scoring_model_version(&scope(), version));
        for read in [&model.sk, &revision.sk] {
            assert!(read.starts_with(keys::SCORING_MODELS), "{read}");
        }
        assert!(!kept.sk.starts_with(keys::SCORING_MODELS), "{}", kept.sk);
        assert_eq!([&model.pk, &revision.pk], [&kept.pk; 2]);
    }
}
