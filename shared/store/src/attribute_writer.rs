//! What takes the attributes of an item, each once, as they are made: the item as the SDK has it, or the text of a statement.

use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use crate::error::StoreError;
use crate::item::{Item, to_value};

/// Takes attributes. Their names are letters, digits and low lines. An error says that an item can't hold a value, or that it would stand with another tenant's.
pub(crate) trait AttributeWriter {
    /// A text.
    fn text(&mut self, name: &str, text: &str) -> Result<(), StoreError>;
    /// A whole number.
    fn number(&mut self, name: &str, number: i64) -> Result<(), StoreError>;
    /// Bytes.
    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;
    /// A value of any type.
    fn value(&mut self, name: &str, value: AttributeValue) -> Result<(), StoreError>;
    /// What can be serialised, of an item of this kind.
    fn serialized<T: Serialize + ?Sized>(&mut self, kind: &'static str, name: &str, value: &T) -> Result<(), StoreError>;

    /// What shows itself as a text, such as an id.
    fn shown(&mut self, name: &str, value: &impl Display) -> Result<(), StoreError> {
        self.text(name, &value.to_string())
    }

    /// An item that is there already, in the order of its names.
    fn item(&mut self, item: Item) -> Result<(), StoreError> {
        let mut attributes: Vec<(String, AttributeValue)> = item.into_iter().collect();
        attributes.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        attributes.into_iter().try_for_each(|(name, value)| self.value(&name, value))
    }
}

impl AttributeWriter for Item {
    fn text(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        self.value(name, AttributeValue::S(text.to_owned()))
    }

    fn number(&mut self, name: &str, number: i64) -> Result<(), StoreError> {
        self.value(name, AttributeValue::N(number.to_string()))
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.value(name, AttributeValue::B(bytes.into()))
    }

    fn value(&mut self, name: &str, value: AttributeValue) -> Result<(), StoreError> {
        self.insert(name.to_owned(), value);
        Ok(())
    }

    fn serialized<T: Serialize + ?Sized>(&mut self, kind: &'static str, name: &str, value: &T) -> Result<(), StoreError> {
        self.value(name, to_value(kind, value)?)
    }
}
