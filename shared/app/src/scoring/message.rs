//! The messages that have contacts scored again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use switchboard_domain::ids::{ContactId, TenantId, base32};
use switchboard_platform::FifoMessage;

/// Of the messages about a contact that are sent within one such window of time, the queue takes the first. It gives no message to a worker before two seconds are over
/// (`DelaySeconds` in `infra/template.yaml`), and by then the window is: so whatever was changed in it is seen by the worker, and a burst of changes is one look. What the
/// delay is longer is for clocks that differ.
pub const WINDOW: SignedDuration = SignedDuration::from_millis(1_500);

/// A contact to be scored again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreMessage {
    /// The tenant; its record vouches for it.
    pub tenant: TenantId,
    /// The contact.
    pub contact: ContactId,
}

/// The messages for contacts of a tenant that changed up to now. Each contact is a group, so that no two workers are at one, and none waits for another.
#[must_use]
pub fn messages<'a>(tenant: TenantId, contacts: impl IntoIterator<Item = &'a ContactId>, now: Timestamp) -> Vec<FifoMessage<ScoreMessage>> {
    let window = now.as_millisecond().div_euclid(window_millis());
    let message = |contact: &ContactId| {
        let group = format!("{tenant}#{contact}");
        let digest = Sha256::digest(format!("{group}\0{window}"));
        FifoMessage { deduplication: base32(&digest[..]), group, body: ScoreMessage { tenant, contact: contact.clone() } }
    };
    contacts.into_iter().map(message).collect()
}

fn window_millis() -> i64 {
    i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(seed: u8) -> TenantId {
        TenantId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn a_message_reads_back_and_holds_nothing_but_ids() {
        let message = ScoreMessage { tenant: tenant(1), contact: ContactId::from_hash(&[2; 32]) };
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(json, format!(r#"{{"tenant":"{}","contact":"{}"}}"#, message.tenant, message.contact));
        assert_eq!(serde_json::from_str::<ScoreMessage>(&json).unwrap(), message);
    }

    #[test]
    fn messages_about_a_contact_are_one_within_a_window_and_others_beyond_it() {
        let (one, other) = (ContactId::from_hash(&[2; 32]), ContactId::from_hash(&[3; 32]));
        let of = |tenant_id, contact: &ContactId, millis| messages(tenant_id, [contact], at(millis)).remove(0);
        let first = of(tenant(1), &one, 3_000);
        assert_eq!(of(tenant(1), &one, 4_499), first);
        for different in [of(tenant(1), &one, 2_999), of(tenant(1), &one, 4_500), of(tenant(1), &other, 3_000), of(tenant(2), &one, 3_000)] {
            assert_ne!(different.deduplication, first.deduplication);
        }
        assert!(first.deduplication.len() <= 128 && first.group.len() <= 128);
        assert_eq!(first.group, of(tenant(1), &one, 9_000).group);
        assert_ne!(first.group, of(tenant(2), &one, 3_000).group);
    }
}
