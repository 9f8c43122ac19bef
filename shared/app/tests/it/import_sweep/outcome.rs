//! What an import came to, in words that are the same in every run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use switchboard_domain::change::Change;
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::Import;
use switchboard_store::audit_events::StoredEvent;
use switchboard_store::imports::Chunk;
use switchboard_store::item::{Item, text};

use crate::pipeline::Place;

/// What an import came to, but for times, ids of the run, keys and random numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) items: BTreeMap<Place, String>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) trail: BTreeMap<String, Vec<String>>,
}

impl Outcome {
    /// The first thing that is said otherwise than here.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        first_difference(&self.items, &other.items).or_else(|| first_difference(&self.files, &other.files)).or_else(|| first_difference(&self.trail, &other.trail))
    }
}

fn first_difference<K: Ord + Clone + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(expected: &BTreeMap<K, V>, found: &BTreeMap<K, V>) -> Option<String> {
    let keys: BTreeSet<&K> = expected.keys().chain(found.keys()).collect();
    let key = keys.into_iter().find(|key| expected.get(*key) != found.get(*key))?;
    Some(format!("{key:?} is\n{:?}\nand not\n{:?}", found.get(key), expected.get(key)))
}

pub(super) fn contact_said(mut contact: Contact, item: &Item) -> String {
    contact.record.revision = 0;
    contact.record.created_at = Timestamp::UNIX_EPOCH;
    contact.record.last_change.at = Timestamp::UNIX_EPOCH;
    contact.deleted_at = contact.deleted_at.map(|_| Timestamp::UNIX_EPOCH);
    if let Some(score) = &mut contact.score {
        score.calculated_at = Timestamp::UNIX_EPOCH;
    }
    // Its place in the list is random.
    let places = ["GSI1PK", "GSI2PK", "GSI2SK"].map(|name| text(item, name));
    format!("{contact:?} in {places:?}")
}

pub(super) fn import_said(mut import: Import) -> String {
    let never = Timestamp::UNIX_EPOCH;
    import.created_at = never;
    import.last_change = import.last_change.map(|change| Change { at: never, ..change });
    for time in [&mut import.started_at, &mut import.writing_since, &mut import.finished_at] {
        *time = time.map(|_| never);
    }
    format!("{import:?}")
}

pub(super) fn chunk_said((_, chunk): (ImportId, Chunk)) -> String {
    format!("{:?}", Chunk { written_at: chunk.written_at.map(|_| Timestamp::UNIX_EPOCH), ..chunk })
}

/// The actions of the events of each record.
pub(super) fn trail(events: &[StoredEvent]) -> BTreeMap<String, Vec<String>> {
    let mut trail: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for stored in events {
        trail.entry(stored.event.entity_id.clone()).or_default().push(stored.event.change.action.clone());
    }
    for actions in trail.values_mut() {
        actions.sort_unstable();
    }
    trail
}
