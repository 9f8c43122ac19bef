//! A record as it stood, found by taking back what its versions since then changed, and its values as the record's own types have them.

use serde::de::DeserializeOwned;

use super::{FieldChange, Fields};

/// Takes back a change: each field that it names is what it was before. The changes of several versions are taken back from the newest on.
pub fn undo(fields: &mut Fields, changes: Vec<FieldChange>) {
    for change in changes {
        match change.old {
            Some(value) => fields.insert(change.field, value),
            None => fields.remove(&change.field),
        };
    }
}

/// The value of an audited field: the inner none when the field has none, the outer when it is nothing that such a field holds.
#[must_use]
pub fn value_of<T: DeserializeOwned>(fields: &Fields, field: &str) -> Option<Option<T>> {
    fields.get(field).map(|value| serde_json::from_value(value.clone())).transpose().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::audit::differences;

    #[test]
    fn a_value_is_there_or_not_or_of_another_kind() {
        let fields = Fields::from([("order".to_owned(), json!(5))]);
        assert_eq!(value_of::<u16>(&fields, "order"), Some(Some(5)));
        assert_eq!(value_of::<u16>(&fields, "name"), Some(None));
        assert_eq!(value_of::<String>(&fields, "order"), None);
    }

    proptest! {
        #[test]
        fn every_state_of_a_history_is_found_from_the_last_one(states in proptest::collection::vec(proptest::collection::btree_map("[a-d]", 0_u8..3, 0..4), 1..12)) {
            let states: Vec<Fields> = states.into_iter().map(|state| state.into_iter().map(|(name, value)| (name, json!(value))).collect()).collect();
            let mut fields = states[states.len() - 1].clone();
            for pair in states.windows(2).rev() {
                undo(&mut fields, differences(&pair[0], &pair[1]));
                prop_assert_eq!(&fields, &pair[0]);
            }
        }
    }
}
