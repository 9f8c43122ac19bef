//! What all items have in common, and the way between items and records.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use switchboard_domain::actor::Actor;
use switchboard_domain::change::{Change, MemberChange, Origin, Revisioned};

use crate::attribute_writer::AttributeWriter;
use crate::error::StoreError;

/// An item as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// The attributes of every record that people change. A change is kept without its time, which is `updated_at`, and the maker only when it
/// isn't also the last who changed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordAttributes {
    /// How often people changed it.
    pub version: u32,
    /// How often it was written.
    pub revision: u32,
    /// When it was made.
    #[serde(with = "switchboard_domain::clock::millis")]
    pub created_at: Timestamp,
    /// When people last changed it.
    #[serde(with = "switchboard_domain::clock::millis")]
    pub updated_at: Timestamp,
    /// Who made it, from the second version on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Actor>,
    /// The newest change.
    pub last_change: LastChange,
}

/// A change without its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastChange {
    /// What was done.
    pub action: String,
    /// By whom and through what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Why, where a reason is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The member of a team it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberChange>,
}

impl From<&Revisioned> for RecordAttributes {
    fn from(record: &Revisioned) -> Self {
        let change = &record.last_change;
        Self {
            version: record.version,
            revision: record.revision,
            created_at: record.created_at,
            updated_at: change.at,
            created_by: (record.created_by != change.origin.actor).then(|| record.created_by.clone()),
            last_change: LastChange { action: change.action.clone(), origin: change.origin.clone(), reason: change.reason.clone(), member: change.member.clone() },
        }
    }
}

impl RecordAttributes {
    /// Tells them.
    ///
    /// # Errors
    /// [`StoreError::Undecodable`] when one has something items can't hold.
    pub(crate) fn tell(&self, kind: &'static str, attributes: &mut impl AttributeWriter) -> Result<(), StoreError> {
        attributes.number("version", self.version.into())?;
        attributes.number("revision", self.revision.into())?;
        attributes.number("created_at", self.created_at.as_millisecond())?;
        attributes.number("updated_at", self.updated_at.as_millisecond())?;
        if let Some(created_by) = &self.created_by {
            attributes.serialized(kind, "created_by", created_by)?;
        }
        attributes.serialized(kind, "last_change", &self.last_change)
    }
}

impl From<RecordAttributes> for Revisioned {
    fn from(attributes: RecordAttributes) -> Self {
        let LastChange { action, origin, reason, member } = attributes.last_change;
        Self {
            version: attributes.version,
            revision: attributes.revision,
            created_at: attributes.created_at,
            created_by: attributes.created_by.unwrap_or_else(|| origin.actor.clone()),
            last_change: Change { action, at: attributes.updated_at, origin, reason, member },
        }
    }
}

/// Makes an item of a serialisable form.
///
/// # Errors
/// [`StoreError::Undecodable`] when the form has something items can't hold.
pub fn to_item(kind: &'static str, form: &impl Serialize) -> Result<Item, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(form).map_err(|error| StoreError::undecodable(kind, error))
}

/// Makes an attribute of a serialisable value.
///
/// # Errors
/// [`StoreError::Undecodable`] when it has something items can't hold.
pub(crate) fn to_value(kind: &'static str, value: &(impl Serialize + ?Sized)) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|error| StoreError::undecodable(kind, error))
}

/// Reads an item into its form.
///
/// # Errors
/// [`StoreError::Undecodable`] when it has another form.
pub fn from_item<T: DeserializeOwned>(kind: &'static str, item: Item) -> Result<T, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|error| StoreError::undecodable(kind, error))
}

/// A text attribute of an item.
#[must_use]
pub fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}
