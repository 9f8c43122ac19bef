//! The relay: from the core table's stream to the queues of the workers that follow contacts and that score them. Only ids travel, never values.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use switchboard_domain::ids::{ContactId, TenantId, base32};
use switchboard_platform::{FifoMessage, Queue};
use switchboard_store::contacts::CONTACT;
use switchboard_store::item::text;
use switchboard_store::keys::parse_contact;

use crate::audit::StreamRecord;
use crate::contact_index::IndexMessage;
use crate::error::AppError;
use crate::scoring::Watch;

/// Into how many groups a tenant's contacts fall: as many messages of one tenant are handled at once.
const BUCKETS: u32 = 8;
/// Most contacts of a message.
const MOST_IDS: usize = 100;
/// The attributes that say what a contact is found by, and whether it is there. The sealed ones are other bytes whenever a contact is written,
/// so this narrows little beyond the version; which tokens differ, the worker finds out.
const INPUTS: [&str; 6] = ["name", "sealed_list", "sealed", "deleted_at", "merged_into", "erased_at"];

/// Passes on what the stream tells.
pub struct Relay {
    /// The queue of contacts to be indexed.
    pub index: Queue,
    /// The queue of contacts to be scored.
    pub score: Queue,
    /// Which changes can change scores.
    pub watch: Watch,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Changed contacts that are to be indexed, each counted once.
    pub contacts: usize,
    /// Messages sent about them.
    pub messages: usize,
    /// Records that don't concern the index.
    pub passed_over: usize,
    /// Contacts that are to be scored, each with a message of its own.
    pub scored: usize,
    /// Contacts that nobody can score.
    pub set_aside: usize,
}

impl Relay {
    /// Sends on the contacts of a batch that changed. 1 request per 10 messages of different groups, and what [`Watch::concerned`] costs.
    ///
    /// # Errors
    /// Those of the queues and of the database: the batch is to be delivered again. What was sent to the index before isn't taken twice within five minutes, and handled
    /// twice nothing does harm.
    pub async fn relay(&self, batch: Vec<StreamRecord>) -> Result<Report, AppError> {
        let messages = grouped(&batch);
        self.index.send_fifo(&messages).await?;
        let concerned = self.watch.concerned(&batch).await?;
        self.score.send_fifo(&concerned.messages).await?;
        Ok(Report {
            contacts: messages.iter().map(|message| message.body.contacts.len()).sum(),
            messages: messages.len(),
            passed_over: batch.iter().filter(|record| changed_contact(record).is_none()).count(),
            scored: concerned.messages.len(),
            set_aside: concerned.set_aside,
        })
    }
}

/// A contact of a batch.
struct Changed {
    contact: ContactId,
    /// The places in the batch of its first change and of its last.
    first: usize,
    last: usize,
}

/// The messages of a batch: each contact once, in messages of one tenant and bucket. Such a bucket is a group, so that nobody else works on a
/// contact at the same time.
///
/// What a message has in common with itself sent again is its contacts and the stream's numbers of their first and last change: a batch delivered
/// again makes the same, and no message with another contact or a later change is taken for one that was sent.
#[must_use]
pub fn grouped(batch: &[StreamRecord]) -> Vec<FifoMessage<IndexMessage>> {
    let mut buckets: BTreeMap<(TenantId, u32), Vec<Changed>> = BTreeMap::new();
    let mut known: HashMap<(TenantId, ContactId), usize> = HashMap::new();
    for (place, (tenant, contact)) in batch.iter().enumerate().filter_map(|(place, record)| Some((place, changed_contact(record)?))) {
        let bucket = buckets.entry((tenant, contact.shard(BUCKETS))).or_default();
        let index = *known.entry((tenant, contact.clone())).or_insert(bucket.len());
        match bucket.get_mut(index) {
            Some(changed) => changed.last = place,
            None => bucket.push(Changed { contact, first: place, last: place }),
        }
    }
    buckets
        .into_iter()
        .flat_map(|((tenant, bucket), changed)| changed.chunks(MOST_IDS).map(|changed| message(tenant, bucket, changed, batch)).collect::<Vec<_>>())
        .collect()
}

fn message(tenant: TenantId, bucket: u32, changed: &[Changed], batch: &[StreamRecord]) -> FifoMessage<IndexMessage> {
    let sequence = |place: Option<usize>| place.and_then(|place| batch.get(place)).map_or("", |record| record.sequence.as_str());
    let first = sequence(changed.iter().map(|changed| changed.first).min());
    let last = sequence(changed.iter().map(|changed| changed.last).max());
    let contacts: Vec<ContactId> = changed.iter().map(|changed| changed.contact.clone()).collect();
    let group = format!("{tenant}#{bucket}");
    let ids: Vec<&str> = contacts.iter().map(ContactId::as_str).collect();
    let digest = Sha256::digest(format!("{group}\0{first}\0{last}\0{}", ids.join("\0")));
    FifoMessage { deduplication: format!("{first}-{}", base32(&digest[..])), group, body: IndexMessage { tenant, contacts } }
}

/// Messages that have contacts indexed again although nothing changed, such as after a loss of messages.
#[must_use]
pub fn again(tenant: TenantId, contacts: &[ContactId], now: Timestamp) -> Vec<FifoMessage<IndexMessage>> {
    let mut buckets: BTreeMap<u32, Vec<ContactId>> = BTreeMap::new();
    for contact in contacts {
        buckets.entry(contact.shard(BUCKETS)).or_default().push(contact.clone());
    }
    let chunks = buckets.into_iter().flat_map(|(bucket, contacts)| contacts.chunks(MOST_IDS).map(|chunk| (bucket, chunk.to_vec())).collect::<Vec<_>>());
    chunks
        .map(|(bucket, contacts)| {
            let group = format!("{tenant}#{bucket}");
            let ids: Vec<&str> = contacts.iter().map(ContactId::as_str).collect();
            let digest = Sha256::digest(format!("{group}\0{}\0{}", now.as_millisecond(), ids.join("\0")));
            FifoMessage { deduplication: format!("again-{}", base32(&digest[..])), group, body: IndexMessage { tenant, contacts } }
        })
        .collect()
}

/// The contact that a record changes, if it changes one in a way that others see. Technical writes leave the version alone.
fn changed_contact(record: &StreamRecord) -> Option<(TenantId, ContactId)> {
    let item = record.new.as_ref().or(record.old.as_ref())?;
    if text(item, "type") != Some(CONTACT) {
        return None;
    }
    let concerned = match (&record.old, &record.new) {
        (Some(old), Some(new)) => old.get("version") != new.get("version") && INPUTS.iter().any(|name| old.get(*name) != new.get(*name)),
        _ => true,
    };
    parse_contact(text(item, "PK")?).filter(|_| concerned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use switchboard_store::item::{Item, to_item};

    fn tenant(seed: u8) -> TenantId {
        TenantId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    fn id(number: u32) -> ContactId {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
        ContactId::from_hash(&hash)
    }

    /// A contact's item with these attributes.
    fn item(tenant: TenantId, contact: &ContactId, attributes: serde_json::Value) -> Item {
        let mut json = serde_json::json!({ "PK": format!("T#{tenant}#C#{contact}"), "SK": "C", "type": "contact" });
        for (name, value) in attributes.as_object().unwrap() {
            json[name] = value.clone();
        }
        to_item(CONTACT, &json).unwrap()
    }

    fn new(sequence: usize, tenant: TenantId, contact: &ContactId) -> StreamRecord {
        StreamRecord { sequence: sequence.to_string(), old: None, new: Some(item(tenant, contact, serde_json::json!({ "version": 1 }))) }
    }

    fn change(old: serde_json::Value, new: serde_json::Value) -> StreamRecord {
        StreamRecord { sequence: "1".to_owned(), old: Some(item(tenant(1), &id(1), old)), new: Some(item(tenant(1), &id(1), new)) }
    }

    #[test]
    fn what_people_change_of_a_contact_is_passed_on_and_technical_writes_are_not() {
        use serde_json::json;
        for (record, expected) in [
            (new(1, tenant(1), &id(1)), true),
            (StreamRecord { old: new(1, tenant(1), &id(1)).new, ..StreamRecord::default() }, true),
            (change(json!({ "version": 1, "name": "Zoé" }), json!({ "version": 2, "name": "Zoe" })), true),
            (change(json!({ "version": 1, "sealed_list": "a" }), json!({ "version": 2, "sealed_list": "b" })), true),
            (change(json!({ "version": 1, "sealed": "a" }), json!({ "version": 2 })), true),
            (change(json!({ "version": 1 }), json!({ "version": 2, "deleted_at": 5 })), true),
            (change(json!({ "version": 1 }), json!({ "version": 2, "merged_into": "x" })), true),
            (change(json!({ "version": 1, "name": "Zoé" }), json!({ "version": 2, "erased_at": 5 })), true),
            (change(json!({ "version": 1, "city": "Laval" }), json!({ "version": 2, "city": "Windsor" })), false),
            (change(json!({ "version": 1, "sealed_list": "a" }), json!({ "version": 1, "sealed_list": "b", "suppressed": true })), false),
            (change(json!({ "version": 1, "type": "number" }), json!({ "version": 2, "type": "number", "name": "x" })), false),
            (change(json!({ "version": 1, "type": "search_entry" }), json!({ "version": 2, "type": "search_entry", "name": "x" })), false),
            (StreamRecord::default(), false),
        ] {
            assert_eq!(changed_contact(&record).is_some(), expected, "{record:?}");
            assert_eq!(grouped(&[record]).len(), usize::from(expected));
        }
    }

    #[test]
    fn a_contact_is_in_a_batch_once_and_no_message_mixes_tenants_or_buckets() {
        let records: Vec<StreamRecord> =
            (0..600).map(|number| new(number, tenant(u8::try_from(number % 2).unwrap()), &id(u32::try_from(number % 300).unwrap()))).collect();
        let messages = grouped(&records);
        let mut seen = HashSet::new();
        for message in &messages {
            assert!(!message.body.contacts.is_empty() && message.body.contacts.len() <= MOST_IDS);
            let buckets: HashSet<u32> = message.body.contacts.iter().map(|contact| contact.shard(BUCKETS)).collect();
            assert_eq!(buckets.len(), 1);
            assert_eq!(message.group, format!("{}#{}", message.body.tenant, buckets.iter().next().unwrap()));
            for contact in &message.body.contacts {
                assert!(seen.insert((message.body.tenant, contact.clone())), "{contact} comes twice");
            }
        }
        assert_eq!(seen.len(), 300);
    }

    #[test]
    fn a_batch_delivered_again_makes_the_same_messages_and_no_two_messages_are_taken_for_one() {
        // Enough contacts of one bucket for several messages of its group.
        let contacts: Vec<ContactId> = (0..5_000).map(id).filter(|contact| contact.shard(BUCKETS) == 3).take(250).collect();
        assert_eq!(contacts.len(), 250);
        let records: Vec<StreamRecord> = contacts.iter().enumerate().map(|(number, contact)| new(number, tenant(1), contact)).collect();
        let messages = grouped(&records);
        assert_eq!(messages.iter().map(|message| message.body.contacts.len()).collect::<Vec<_>>(), [100, 100, 50]);
        assert_eq!(messages, grouped(&records));
        let deduplication = |messages: &[FifoMessage<IndexMessage>]| messages.iter().map(|message| message.deduplication.clone()).collect::<HashSet<_>>();
        assert_eq!(deduplication(&messages).len(), 3);
        assert!(messages.iter().all(|message| message.deduplication.len() <= 128 && message.group.len() <= 128));
        // Read again from the same place to a later one, a batch may hold more, or a later change of the same contacts.
        let more = grouped(&records[..60]);
        assert!(deduplication(&more).is_disjoint(&deduplication(&grouped(&records[..61]))));
        let again: Vec<StreamRecord> = records[..60].iter().cloned().chain([new(900, tenant(1), &contacts[7])]).collect();
        assert_eq!(grouped(&again)[0].body, more[0].body);
        assert!(deduplication(&more).is_disjoint(&deduplication(&grouped(&again))));
    }
}
