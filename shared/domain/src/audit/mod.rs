//! The audit trail: which fields of a record are on record, how two states differ, and the chained event of a change.

mod access;
mod as_of;
mod event;
mod form;
mod line;
mod merkle;
mod place;
mod seal;
mod severity;
mod undo;
mod verify;

pub use access::{AccessWindow, EACH_A_MINUTE, EventName, minute_of};
pub use as_of::{Version, as_of};
pub use event::{AuditEvent, Changes, Outcome, hash_of};
pub use form::FormError;
pub use line::{Line, LineError, line};
pub use merkle::{Leaf, leaf, root, sorted};
pub use place::{BESIDE, Place};
pub use seal::{DaySeal, SignedSeal};
pub use severity::{Severity, severity};
pub use undo::{undo, value_of};
pub use verify::{ClaimedFilter, Claims, Problem, Verified, Verifier, end_line, header_line, leaves_lines, seal_line};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A record's audited fields by their names in the API; attributes as `attributes.<name>`. Absent means null.
pub type Fields = BTreeMap<String, Value>;

/// A record whose changes are on record. What [`Self::audit_fields`] leaves out is technical.
pub trait Audited {
    /// The snake_case noun of events about it.
    const ENTITY_TYPE: &'static str;

    /// Every field that isn't technical.
    fn audit_fields(&self) -> Fields;
}

/// One field's change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field by its name in the API.
    pub field: String,
    /// Its value before; none when it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// Its value after; none when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// How two states differ, field by field in the order of their names.
#[must_use]
pub fn differences(old: &Fields, new: &Fields) -> Vec<FieldChange> {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let (before, after) = (old.get(name), new.get(name));
            (before != after).then(|| FieldChange { field: name.clone(), old: before.cloned(), new: after.cloned() })
        })
        .collect()
}

/// Serialises optional bytes as bytes where the format has them.
pub mod optional_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the bytes, or nothing.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_bytes(bytes),
            None => serializer.serialize_none(),
        }
    }

    /// Reads bytes, or a list of numbers where the format has no bytes.
    ///
    /// # Errors
    /// Those of the deserialiser.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        Ok(Option::<super::bytes::Bytes>::deserialize(deserializer)?.map(|bytes| bytes.0))
    }
}

/// Serialises bytes as bytes where the format has them.
pub mod bytes {
    use std::fmt;

    use serde::de::{SeqAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) struct Bytes(pub(super) Vec<u8>);

    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_byte_buf(BytesVisitor).map(Self)
        }
    }

    struct BytesVisitor;

    impl<'de> Visitor<'de> for BytesVisitor {
        type Value = Vec<u8>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("bytes")
        }

        fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = sequence.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }

    /// Writes the bytes.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    /// Reads bytes, or a list of numbers where the format has no bytes.
    ///
    /// # Errors
    /// Those of the deserialiser.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Bytes::deserialize(deserializer).map(|bytes| bytes.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(pairs: &[(&str, Value)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_difference_names_each_field_that_changed_and_no_other() {
        let old = fields(&[("name", json!("Zoe")), ("city", json!("Laval")), ("email", json!("z@example.com"))]);
        let new = fields(&[("name", json!("Zoé")), ("city", json!("Laval")), ("region", json!("QC"))]);
        let change = |field: &str, old: Option<Value>, new: Option<Value>| FieldChange { field: field.to_owned(), old, new };
        assert_eq!(
            differences(&old, &new),
            [change("email", Some(json!("z@example.com")), None), change("name", Some(json!("Zoe")), Some(json!("Zoé"))), change("region", None, Some(json!("QC"))),]
        );
        assert_eq!(differences(&new, &new), []);
    }
}
