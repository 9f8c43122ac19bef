//! A record as it stood, rebuilt from the changes of its versions.

use jiff::Timestamp;

use super::{FieldChange, Fields};

/// One version of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number.
    pub version: u32,
    /// When it was made.
    pub at: Timestamp,
    /// What it changed; none when that can't be read any more.
    pub changes: Option<Vec<FieldChange>>,
}

/// The record's version and fields after the last of these versions that `until` lets in; none when it lets in none. The versions begin with the first and
/// come in their order.
#[must_use]
pub fn as_of(versions: impl IntoIterator<Item = Version>, until: impl Fn(&Version) -> bool) -> Option<(u32, Fields)> {
    let mut then: Option<(u32, Fields)> = None;
    for version in versions {
        if !until(&version) {
            break;
        }
        let (number, fields) = then.get_or_insert_with(|| (0, Fields::new()));
        *number = version.version;
        for change in version.changes.into_iter().flatten() {
            match change.new {
                Some(value) => fields.insert(change.field, value),
                None => fields.remove(&change.field),
            };
        }
    }
    then
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::differences;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #[test]
        fn every_state_of_a_history_is_rebuilt_from_its_differences(states in proptest::collection::vec(proptest::collection::btree_map("[a-d]", 0_u8..3, 0..4), 1..12)) {
            let states: Vec<Fields> = states.into_iter().map(|state| state.into_iter().map(|(name, value)| (name, json!(value))).collect()).collect();
            let mut before = Fields::new();
            let mut versions = Vec::new();
            for (number, state) in (1..).zip(&states) {
                versions.push(Version { version: number, at: Timestamp::UNIX_EPOCH, changes: Some(differences(&before, state)) });
                before = state.clone();
            }
            for (number, state) in (1..).zip(&states) {
                prop_assert_eq!(as_of(versions.clone(), |version| version.version <= number), Some((number, state.clone())));
            }
            prop_assert_eq!(as_of(versions, |_| false), None);
        }
    }
}
