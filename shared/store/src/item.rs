//! What all items have in common, and the way between items and records.

use std::borrow::Cow;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use switchboard_domain::actor::Actor;
use switchboard_domain::change::{Change, MemberChange, Origin, Revisioned};

use crate::error::StoreError;

/// An item as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// An item as a list of its attributes, each once: what a statement is made of, without the work that a map is.
pub(crate) type AttributeList = Vec<(Cow<'static, str>, AttributeValue)>;

/// The attributes of an item, in the order of their names.
pub(crate) fn listed(item: Item) -> AttributeList {
    let mut attributes: AttributeList = item.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect();
    attributes.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    attributes
}

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
    /// Appends them to a list.
    ///
    /// # Errors
    /// [`StoreError::Undecodable`] when one has something items can't hold.
    pub(crate) fn append_to(self, kind: &'static str, attributes: &mut AttributeList) -> Result<(), StoreError> {
        attributes.push((Cow::Borrowed("version"), number(self.version)));
        attributes.push((Cow::Borrowed("revision"), number(self.revision)));
        attributes.push((Cow::Borrowed("created_at"), number(self.created_at.as_millisecond())));
        attributes.push((Cow::Borrowed("updated_at"), number(self.updated_at.as_millisecond())));
        if let Some(created_by) = &self.created_by {
            attributes.push((Cow::Borrowed("created_by"), to_value(kind, created_by)?));
        }
        attributes.push((Cow::Borrowed("last_change"), to_value(kind, &self.last_change)?));
        Ok(())
    }
}

/// A number as an attribute.
pub(crate) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
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
pub(crate) fn to_value(kind: &'static str, value: &impl Serialize) -> Result<AttributeValue, StoreError> {
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
