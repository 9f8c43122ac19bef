//! The times an agent was in one status: those that are over, as they are written, and a day put together of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Presence, PresenceStatus, later};

/// A time for which an agent was in one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The status.
    pub status: PresenceStatus,
    /// Why they were on a break, if they said so.
    pub break_reason: Option<String>,
    /// When it began.
    pub from: Timestamp,
    /// When it ended, which is after it began.
    pub to: Timestamp,
    /// The revision of the presence with which it was written. What two segments say of the same time, because a clock was wrong, the later one decides.
    pub revision: u32,
}

impl Presence {
    /// The segments that are over when the present one ends at this moment: the status, for as long as the agent was heard of, and then offline. None
    /// for a presence that was never written, and when it would have begun after its end.
    pub(super) fn until(&self, end: Timestamp, timeout: SignedDuration, revision: u32) -> Vec<Segment> {
        if !self.is_written() || self.since >= end {
            return Vec::new();
        }
        let heard_until = match self.status {
            PresenceStatus::Offline => end,
            _ => later(self.last_activity_at, timeout).clamp(self.since, end),
        };
        let there = Segment { status: self.status, break_reason: self.break_reason.clone(), from: self.since, to: heard_until, revision };
        let silent = Segment { status: PresenceStatus::Offline, break_reason: None, from: heard_until, to: end, revision };
        [there, silent].into_iter().filter(|segment| segment.from < segment.to).collect()
    }
}

/// What an agent did in a span of time up to now, in its order: of the segments that were written, and of the present one, which isn't over. No two
/// overlap, and none reaches out of the span or beyond now. Of the time before anything was ever written nothing is said.
#[must_use]
pub fn timeline(written: &[Segment], present: &Presence, span: (Timestamp, Timestamp), now: Timestamp, timeout: SignedDuration) -> Vec<Segment> {
    let (begin, end) = (span.0, span.1.min(now));
    let mut segments: Vec<Segment> = written.iter().cloned().chain(present.until(now, timeout, present.record.revision)).collect();
    segments.sort_by_key(|segment| segment.revision);
    let mut laid = BTreeMap::new();
    for segment in segments {
        let within = Segment { from: segment.from.max(begin), to: segment.to.min(end), ..segment };
        if within.from < within.to {
            lay(&mut laid, within);
        }
    }
    let mut joined: Vec<Segment> = Vec::with_capacity(laid.len());
    for segment in laid.into_values() {
        match joined.last_mut() {
            Some(last) if last.to == segment.from && last.status == segment.status && last.break_reason == segment.break_reason => last.to = segment.to,
            _ => joined.push(segment),
        }
    }
    joined
}

/// Lays a segment over those that are there, of which no two overlap: what it covers of them is gone.
fn lay(laid: &mut BTreeMap<Timestamp, Segment>, segment: Segment) {
    let mut beyond = None;
    if let Some((_, before)) = laid.range_mut(..segment.from).next_back()
        && before.to > segment.from
    {
        beyond = Some(before.clone());
        before.to = segment.from;
    }
    let covered: Vec<Timestamp> = laid.range(segment.from..segment.to).map(|(from, _)| *from).collect();
    for from in covered {
        beyond = laid.remove(&from);
    }
    if let Some(rest) = beyond.filter(|rest| rest.to > segment.to) {
        laid.insert(segment.to, Segment { from: segment.to, ..rest });
    }
    laid.insert(segment.from, segment);
}

/// How long each status took, of those there were, in whole seconds.
#[must_use]
pub fn totals(segments: &[Segment]) -> Vec<(PresenceStatus, u32)> {
    let mut totals: BTreeMap<PresenceStatus, SignedDuration> = BTreeMap::new();
    for segment in segments {
        let total = totals.entry(segment.status).or_default();
        *total = total.saturating_add(segment.to.duration_since(segment.from));
    }
    totals.into_iter().map(|(status, total)| (status, u32::try_from(total.as_secs()).unwrap_or(u32::MAX))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TIMEOUT, agent, at};
    use super::*;
    use crate::change::{Change, Origin, Revisioned};
    use PresenceStatus::{Available, Busy, Offline, OnBreak};

    fn segment(status: PresenceStatus, from: i64, to: i64, revision: u32) -> Segment {
        Segment { status, break_reason: None, from: at(from), to: at(to), revision }
    }

    /// A presence in this status since a second, heard of at another.
    fn presence(status: PresenceStatus, since: i64, heard: i64, revision: u32) -> Presence {
        let record = Revisioned { revision, ..Revisioned::created(Change::new("presence.created", at(0), Origin::system())) };
        Presence { record, status, since: at(since), last_activity_at: at(heard), ..Presence::unseen(&agent()) }
    }

    fn told(segments: &[Segment]) -> Vec<(PresenceStatus, i64, i64)> {
        segments.iter().map(|segment| (segment.status, segment.from.duration_since(at(0)).as_secs(), segment.to.duration_since(at(0)).as_secs())).collect()
    }

    fn day(written: &[Segment], present: &Presence, now: i64) -> Vec<(PresenceStatus, i64, i64)> {
        told(&timeline(written, present, (at(0), at(1_000)), at(now), TIMEOUT))
    }

    #[test]
    fn the_present_status_runs_up_to_now_and_silence_is_offline() {
        let written = [segment(Busy, 100, 200, 2)];
        assert_eq!(day(&written, &presence(Available, 200, 280, 2), 300), [(Busy, 100, 200), (Available, 200, 300)]);
        assert_eq!(day(&written, &presence(Available, 200, 280, 2), 900), [(Busy, 100, 200), (Available, 200, 340), (Offline, 340, 900)]);
        assert_eq!(day(&written, &presence(Available, 200, 20, 2), 300), [(Busy, 100, 200), (Offline, 200, 300)], "set by somebody else while they are silent");
        assert_eq!(day(&written, &presence(Offline, 200, 220, 2), 900), [(Busy, 100, 200), (Offline, 200, 900)]);
    }

    #[test]
    fn before_anything_was_written_nothing_is_said_and_of_the_future_neither() {
        assert_eq!(day(&[], &Presence::unseen(&agent()), 500), []);
        assert_eq!(day(&[], &presence(Available, 100, 100, 1), 100), []);
        let future = timeline(&[segment(Busy, 2_000, 2_100, 2)], &presence(Available, 200, 280, 3), (at(1_000), at(2_500)), at(300), TIMEOUT);
        assert_eq!(told(&future), []);
    }

    #[test]
    fn a_segment_that_crosses_the_ends_of_the_span_is_cut_at_them() {
        let written = [segment(Busy, -500, 100, 2), segment(OnBreak, 100, 150, 3), segment(Available, 150, 1_500, 4)];
        assert_eq!(day(&written, &presence(Busy, 1_500, 1_500, 4), 1_600), [(Busy, 0, 100), (OnBreak, 100, 150), (Available, 150, 1_000)]);
    }

    #[test]
    fn of_two_segments_of_one_time_the_later_written_decides_and_what_it_leaves_stays() {
        // A clock ran ahead: silence up to second 800, then busy. It was set right at second 150.
        let ahead = [segment(Available, 100, 160, 2), segment(Offline, 160, 800, 2), segment(Busy, 800, 850, 3)];
        let right = [segment(OnBreak, 150, 200, 5), segment(Available, 200, 820, 6)];
        let written: Vec<Segment> = right.iter().chain(&ahead).cloned().collect();
        let expected = [(Available, 100, 150), (OnBreak, 150, 200), (Available, 200, 820), (Busy, 820, 840)];
        assert_eq!(day(&written, &presence(Busy, 820, 830, 6), 840), expected);
        assert_eq!(day(&written, &presence(Available, 850, 850, 4), 850)[3], (Busy, 820, 850), "what nothing later covers is as it was written");
    }

    #[test]
    fn a_segment_within_another_leaves_both_ends_of_it() {
        let written = [segment(Busy, 100, 500, 2), segment(OnBreak, 200, 300, 3), segment(Available, 50, 110, 4)];
        let present = presence(Offline, 500, 500, 4);
        assert_eq!(day(&written, &present, 500), [(Available, 50, 110), (Busy, 110, 200), (OnBreak, 200, 300), (Busy, 300, 500)]);
    }

    #[test]
    fn what_follows_without_a_gap_in_the_same_status_is_one_segment() {
        let lunch = Segment { break_reason: Some("Lunch".to_owned()), ..segment(OnBreak, 300, 400, 4) };
        let written = [segment(Offline, 100, 200, 2), segment(Offline, 200, 250, 3), segment(OnBreak, 250, 300, 4), lunch];
        assert_eq!(day(&written, &presence(Busy, 400, 400, 4), 450), [(Offline, 100, 250), (OnBreak, 250, 300), (OnBreak, 300, 400), (Busy, 400, 450)]);
    }

    #[test]
    fn totals_are_those_of_the_segments_each_status_once() {
        let half = Segment { to: at(10) + SignedDuration::from_millis(600), ..segment(Busy, 0, 10, 1) };
        let segments = [
            half.clone(),
            segment(Available, 20, 30, 1),
            Segment { from: half.from + SignedDuration::from_secs(40), to: half.to + SignedDuration::from_secs(40), ..half },
        ];
        assert_eq!(totals(&segments), [(Available, 10), (Busy, 21)]);
        assert_eq!(totals(&[]), []);
    }
}
