//! What stands before an event in its record's chain, and what stands at its own place already.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::audit::{AuditEvent, Changes, Line, Place};
use switchboard_domain::ids::ContactId;
use switchboard_domain::sealing::ContactKey;
use switchboard_domain::tenant_settings::RETENTIONS;
use switchboard_store::audit_events::day_of;

use super::record::{Pending, RecordKey, Recorder};
use super::{archive::read_day, record::Trouble};

/// Days on which an event may have been recorded, from the day of its change on: the stream keeps a change for one day.
const RECORDED_WITHIN: usize = 3;

/// What stands before an event.
pub(super) enum Previous {
    /// The event with this hash; none for a first one.
    Hash(Option<String>),
    /// The event of this version, which isn't there.
    Missing(u32),
}

/// What the changes of an event say before they are sealed: sealed again they would be other bytes.
pub(super) struct Sealing {
    pub(super) contact: ContactId,
    pub(super) key: ContactKey,
    pub(super) purpose: String,
    pub(super) json: Vec<u8>,
}

impl Recorder {
    /// The hash an event must carry: none for a first version and beside the chain. 1 request and 1 R, unless it is known from the same batch; for a record that
    /// wasn't changed for so long that its newest event may have left the table, a request per file of up to three days of the archive.
    pub(super) async fn previous_hash(&self, pending: &Pending, newest: &HashMap<RecordKey, (u32, String)>) -> Result<Previous, Trouble> {
        let before = match pending.event.version() {
            None | Some(1) => return Ok(Previous::Hash(None)),
            Some(version) => version - 1,
        };
        let key = pending.key();
        if let Some((version, hash)) = newest.get(&key)
            && *version == before
        {
            return Ok(Previous::Hash(Some(hash.clone())));
        }
        let stored = self.events.get(pending.tenant.record.id, &key.1, &key.2, &Place::Version(before)).await.map_err(|error| Trouble::of(error.into()))?;
        if let Some(stored) = stored {
            return Ok(Previous::Hash(Some(stored.hash)));
        }
        let archived = self.archived_hash(pending, before).await?;
        Ok(archived.map_or(Previous::Missing(before), |hash| Previous::Hash(Some(hash))))
    }

    /// The hash of an event that left the table by its expiry, from the archive.
    async fn archived_hash(&self, pending: &Pending, version: u32) -> Result<Option<String>, Trouble> {
        let Some(changed_at) = pending.changed_before.filter(|at| may_have_expired(*at, self.clock.now())) else {
            return Ok(None);
        };
        let mut day = day_of(changed_at);
        for _ in 0..RECORDED_WITHIN {
            let mut reader = read_day(&self.archive, pending.tenant.record.id, day);
            while let Some(file) = reader.next().await.map_err(Trouble::of)? {
                for line in file.lines {
                    if let Some(hash) = hash_in(&line, &pending.event, version) {
                        return Ok(Some(hash));
                    }
                }
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Ok(None)
    }
}

/// Whether an event of that time may have left the table: the shortest time for which events are kept is over.
fn may_have_expired(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) >= SignedDuration::from_hours(24 * i64::from(RETENTIONS.0))
}

/// The hash in a line, if it is that of this version of the event's record.
fn hash_in(line: &str, event: &AuditEvent, version: u32) -> Option<String> {
    // Most lines are about other records: those aren't read whole.
    if !line.contains(&event.entity_id) {
        return None;
    }
    let line = Line::parse(line).ok()?;
    let found = line.event().ok()?;
    let is_it = found.entity_type == event.entity_type && found.entity_id == event.entity_id && found.version() == Some(version);
    is_it.then(|| line.hash().to_owned())
}

/// Whether the event at a place is the one that was to be put there: delivered again, its changes are sealed anew.
pub(super) fn is_same(pending: &Pending, stored: &AuditEvent) -> bool {
    let bare = |event: &AuditEvent| AuditEvent { changes: Changes::Clear(Vec::new()), ..event.clone() }.canonical();
    if bare(&pending.event) != bare(stored) {
        return false;
    }
    match (&pending.sealing, &stored.changes) {
        (Some(sealing), Changes::Sealed(sealed)) => sealing.key.open(&sealing.contact, &sealing.purpose, sealed).is_ok_and(|json| json == sealing.json),
        // A note whose contact was erased since: what it was sealed with is gone, and nothing of it can be compared.
        (None, Changes::Sealed(_)) => pending.event.about.is_some(),
        (None, Changes::Clear(_)) => pending.event.changes == stored.changes,
        (Some(_), Changes::Clear(_)) => false,
    }
}
