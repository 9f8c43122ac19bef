//! Whether events, and seals, are a chain: each carries the hash of the one before it.

use switchboard_domain::audit::DaySeal;
use switchboard_store::audit_events::StoredEvent;

use super::seals::KeptSeal;

/// The chain of one record, checked from its newest event to its oldest.
#[derive(Debug, Default)]
pub(super) struct RecordChain {
    /// The version of the event last seen, and the hash that it says comes before it.
    above: Option<(u32, Option<String>)>,
}

/// What an event in a chain is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The one before the last.
    Whole,
    /// It doesn't fit; a sentence says why.
    Broken(String),
    /// The one before the last isn't there; this one is older. With it the number of the missing version.
    Gap(u32),
}

/// What is wrong with an event by itself, if anything is.
pub(super) fn edited(stored: &StoredEvent) -> Option<String> {
    (stored.event.hash() != stored.hash).then(|| format!("the hash of {} is not that of the event: it was edited", name(stored)))
}

/// How an event is called in a sentence.
pub(super) fn name(stored: &StoredEvent) -> String {
    match stored.event.version() {
        Some(version) => format!("version {version}"),
        None => format!("the event {}", stored.event.place.sort_key()),
    }
}

impl RecordChain {
    /// Takes the next event, which is older than those before.
    pub(super) fn link(&mut self, stored: &StoredEvent) -> Link {
        let Some(version) = stored.event.version() else {
            return Link::Broken(format!("{} is among the versions", name(stored)));
        };
        let above = self.above.replace((version, stored.event.previous_hash.clone()));
        match above {
            None => Link::Whole,
            Some((above, _)) if version.saturating_add(1) < above => Link::Gap(above - 1),
            Some((above, _)) if version.saturating_add(1) != above => Link::Broken(format!("version {version} comes before version {above}")),
            Some((above, previous)) if previous.as_deref() != Some(stored.hash.as_str()) => {
                Link::Broken(format!("version {above} does not carry the hash of version {version}"))
            }
            Some(_) => Link::Whole,
        }
    }

    /// What is wrong with the oldest event: the first version has none before it, and any other has one even when that has left the table.
    pub(super) fn end(self) -> Option<String> {
        match self.above? {
            (1, Some(_)) => Some("version 1 says that there is an event before it".to_owned()),
            (version, None) if version > 1 => Some(format!("version {version} does not say which event comes before it")),
            _ => None,
        }
    }
}

/// Whether a seal is the next behind another one, or the first of all.
pub(super) fn follows(seal: &DaySeal, before: Option<&DaySeal>) -> bool {
    seal.previous == before.map(DaySeal::hash)
}

/// What is wrong with all seals of a tenant, in the order of sealing: the first has none before it, each of the others carries the hash of the one before, the
/// numbers of a day have no gap, and the last is the one that is known as the newest.
pub(super) fn broken_seals(seals: &[KeptSeal], newest: Option<&KeptSeal>) -> Option<String> {
    let mut numbers: std::collections::BTreeMap<jiff::civil::Date, u32> = std::collections::BTreeMap::new();
    let mut before: Option<&DaySeal> = None;
    for KeptSeal { seal, .. } in seals {
        if !follows(seal, before) {
            return Some(match before {
                Some(before) => format!("the seal of {} with number {} does not follow that of {} with number {}", seal.day, seal.number, before.day, before.number),
                None => format!("the seal of {} with number {} says that there is one before it, and there is none", seal.day, seal.number),
            });
        }
        let number = numbers.entry(seal.day).or_default();
        if seal.number != *number {
            return Some(format!("the seal of {} with number {number} is missing", seal.day));
        }
        *number += 1;
        before = Some(seal);
    }
    match (before, newest) {
        (None, None) => None,
        (Some(last), Some(newest)) if *last == newest.seal => None,
        (_, Some(newest)) => Some(format!("the newest seal, of {} with number {}, is missing", newest.seal.day, newest.seal.number)),
        (Some(_), None) => Some("nothing says which seal is the newest".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date};
    use jiff::{SignedDuration, Timestamp};
    use switchboard_domain::audit::{AuditEvent, Changes, Outcome, Place, SignedSeal};
    use switchboard_domain::change::{Change, Origin};
    use switchboard_domain::ids::TenantId;

    fn stored(place: Place, previous: Option<&StoredEvent>) -> StoredEvent {
        let event = AuditEvent {
            entity_type: "team".to_owned(),
            entity_id: "a".to_owned(),
            place,
            change: Change::new("team.updated", Timestamp::UNIX_EPOCH, Origin::system()),
            changes: Changes::Clear(Vec::new()),
            outcome: Outcome::Success,
            previous_hash: previous.map(|previous| previous.hash.clone()),
            about: None,
        };
        StoredEvent { hash: event.hash(), event, recorded_at: Timestamp::UNIX_EPOCH }
    }

    /// The events of a record, from the first version on.
    fn chain(length: u32) -> Vec<StoredEvent> {
        let mut events: Vec<StoredEvent> = Vec::new();
        for version in 1..=length {
            events.push(stored(Place::Version(version), events.last()));
        }
        events
    }

    /// The first thing wrong with events, given from the oldest on.
    fn problem(events: &[StoredEvent]) -> Option<Link> {
        let mut chain = RecordChain::default();
        for stored in events.iter().rev() {
            match chain.link(stored) {
                Link::Whole => {}
                other => return Some(other),
            }
        }
        chain.end().map(Link::Broken)
    }

    #[test]
    fn a_chain_is_whole_with_or_without_its_beginning() {
        let events = chain(5);
        for from in 0..=5 {
            assert_eq!(problem(&events[from..]), None, "from {from}");
        }
        assert!(events.iter().all(|stored| edited(stored).is_none()));
    }

    #[test]
    fn whatever_is_done_to_a_chain_shows() {
        let events = chain(5);
        let mut without = events.clone();
        without.remove(2);
        assert_eq!(problem(&without), Some(Link::Gap(3)));
        let mut edited = events.clone();
        edited[2].event.change.action = "team.deleted".to_owned();
        assert!(super::edited(&edited[2]).unwrap().contains("version 3"));
        edited[2].hash = edited[2].event.hash();
        assert!(matches!(problem(&edited), Some(Link::Broken(what)) if what.contains("version 4 does not carry the hash of version 3")));
        let mut turned = events.clone();
        turned.swap(1, 2);
        assert!(problem(&turned).is_some());
        let mut doubled = events.clone();
        doubled.insert(2, events[2].clone());
        assert!(matches!(problem(&doubled), Some(Link::Broken(_))));
        let mut begun_late = vec![stored(Place::Version(3), None)];
        assert!(matches!(problem(&begun_late), Some(Link::Broken(what)) if what.contains("version 3")));
        begun_late[0] = stored(Place::Version(1), Some(&events[0]));
        assert!(matches!(problem(&begun_late), Some(Link::Broken(_))));
        assert!(matches!(problem(&[stored(Place::beside(Timestamp::UNIX_EPOCH, "x"), None)]), Some(Link::Broken(_))));
    }

    fn kept(day: Date, number: u32, before: Option<&KeptSeal>) -> KeptSeal {
        let seal = DaySeal {
            day,
            events: 1,
            number,
            previous: before.map(|before| before.seal.hash()),
            root: "ab".repeat(32),
            sealed_at: before.map_or(Timestamp::UNIX_EPOCH, |before| before.seal.sealed_at + SignedDuration::from_secs(1)),
            tenant: TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]),
        };
        KeptSeal { signed: SignedSeal { seal: seal.text(), signature: String::new(), key: String::new() }, seal }
    }

    #[test]
    fn a_chain_of_seals_may_come_back_to_a_day_and_shows_what_is_missing() {
        let [one, two] = [date(2026, 11, 29), date(2026, 11, 30)];
        let mut seals = vec![kept(one, 0, None)];
        for (day, number) in [(two, 0), (one, 1), (two, 1)] {
            seals.push(kept(day, number, seals.last()));
        }
        let newest = seals.last().cloned();
        let problem = |seals: &[KeptSeal]| broken_seals(seals, newest.as_ref());
        assert_eq!(problem(&seals), None);
        assert_eq!(broken_seals(&[], None), None);
        for missing in 0..seals.len() {
            let mut without = seals.clone();
            without.remove(missing);
            assert!(problem(&without).is_some(), "without {missing}");
        }
        assert!(problem(&seals[..3]).unwrap().contains("2026-11-30 with number 1, is missing"));
        assert!(broken_seals(&seals, None).is_some() && problem(&[]).is_some());
        assert!(follows(&seals[0].seal, None) && follows(&seals[3].seal, Some(&seals[2].seal)));
        assert!(!follows(&seals[1].seal, None) && !follows(&seals[0].seal, Some(&seals[3].seal)) && !follows(&seals[3].seal, Some(&seals[1].seal)));
        let skipped = [seals[0].clone(), kept(one, 2, Some(&seals[0]))];
        assert!(broken_seals(&skipped, skipped.last()).unwrap().contains("number 1 is missing"));
    }
}
