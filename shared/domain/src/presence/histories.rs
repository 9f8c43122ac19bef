//! Histories made at random: two devices, a supervisor, silence, and clocks that are wrong by a day. Whatever happens, in whatever order, a day holds what it
//! must, and each call is counted once.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::tests::{TIMEOUT, agent, at};
use super::*;
use crate::change::{Change, Origin};
use crate::ids::TenantId;
use crate::tenant::{BOOKING_BUFFER_MINUTES, HEARTBEAT_TIMEOUT_SECONDS, RETENTION_DAYS, Tenant};

const DAY: i64 = 86_400;

#[derive(Debug, Clone)]
enum Event {
    /// The agent says so.
    Says(PresencePatch),
    /// Somebody else says so.
    Told(PresencePatch),
    /// A device of the agent gives a sign of life.
    Beats(&'static str, Option<bool>, Option<i32>),
    /// So many seconds go by.
    Passes(i64),
    /// The clock is set wrong, or right again, by so many seconds.
    Jumps(i64),
}

fn patch() -> impl Strategy<Value = PresencePatch> {
    let reason = prop_oneof![3 => Just(None), 1 => Just(Some(None)), 2 => "[a-c]{1,2}".prop_map(|reason| Some(Some(reason)))];
    (proptest::option::of(0..6_usize), reason, proptest::option::weighted(0.3, any::<bool>())).prop_map(|(status, break_reason, accepting_leads)| {
        let status = status.map(|index| PresenceStatus::EVERY[index]);
        // A reason goes with a break only.
        let break_reason = if status == Some(PresenceStatus::OnBreak) { break_reason } else { None };
        PresencePatch { status, break_reason, accepting_leads }
    })
}

fn moves() -> impl Strategy<Value = Event> {
    let beats = (prop_oneof![Just("desk"), Just("mobile")], proptest::option::of(any::<bool>()), proptest::option::of(0..200_i32));
    prop_oneof![
        3 => patch().prop_map(Event::Says),
        1 => patch().prop_map(Event::Told),
        5 => beats.prop_map(|(device, on_call, seconds)| Event::Beats(device, on_call, seconds)),
        4 => (0..50_i64).prop_map(Event::Passes),
        1 => (51..4_000_i64).prop_map(Event::Passes),
        1 => (DAY / 4..DAY).prop_map(Event::Passes),
    ]
}

fn moves_and_jumps() -> impl Strategy<Value = Event> {
    let jumps = prop_oneof![Just(DAY), Just(-DAY), -59..59_i64, -3_000..3_000_i64].prop_map(Event::Jumps);
    prop_oneof![9 => moves(), 1 => jumps]
}

fn tenant() -> Tenant {
    Tenant {
        id: TenantId::new(at(0), &[1; 10]),
        record: Revisioned::created(Change::new("tenant.created", at(0), Origin::system())),
        slug: "t".to_owned(),
        name: "T".to_owned(),
        time_zone: "America/Toronto".to_owned(),
        country: "CA".to_owned(),
        calling_day_start: 4 * 60,
        booking_buffer_minutes: BOOKING_BUFFER_MINUTES,
        heartbeat_timeout_seconds: HEARTBEAT_TIMEOUT_SECONDS,
        retention_days: RETENTION_DAYS,
        record_contact_views: false,
        shards: 1,
        wrapped_keyring: Vec::new(),
    }
}

/// What is kept of an agent, and what ought to be.
struct History {
    tenant: Tenant,
    now: Timestamp,
    present: Presence,
    /// By their beginning, as the table keeps them: of two that begin together the later written stays.
    segments: BTreeMap<Timestamp, Segment>,
    calls: BTreeMap<Date, u32>,
    /// Calls that were begun.
    begun: u32,
    /// Calls that were ended, with the day.
    ended: Vec<Date>,
    leads: bool,
    reason: Option<String>,
}

impl History {
    fn new() -> Self {
        Self {
            tenant: tenant(),
            now: at(1_000),
            present: Presence::unseen(&agent()),
            segments: BTreeMap::new(),
            calls: BTreeMap::new(),
            begun: 0,
            ended: Vec::new(),
            leads: true,
            reason: None,
        }
    }

    fn apply(&mut self, event: &Event) {
        let moment = Moment::new(self.now, TIMEOUT);
        let step = match event {
            Event::Passes(seconds) | Event::Jumps(seconds) => {
                self.now += SignedDuration::from_secs(*seconds);
                return;
            }
            Event::Says(patch) => self.says(patch, By::Oneself, moment),
            Event::Told(patch) => self.says(patch, By::SomebodyElse, moment),
            Event::Beats(device, on_call, seconds) => {
                let given = Heartbeat { device: Some((*device).to_owned()), on_call: *on_call, current_call_seconds: *seconds };
                let report = checked_heartbeat(&given).unwrap();
                self.expect_calls(device, *on_call, *seconds);
                heartbeat(&self.present, report.as_ref(), moment, &Origin::system())
            }
        };
        if let Some(step) = step {
            self.write(step);
        }
        assert!(!self.present.is_written() || self.present.call.is_none() == (self.begun as usize == self.ended.len()), "{:?}", self.present.call);
    }

    /// What is said of the call, by a rule of its own: begun and ended calls are written down as they happen.
    fn expect_calls(&mut self, device: &str, on_call: Option<bool>, seconds: Option<i32>) {
        let began = seconds.map(|seconds| self.now - SignedDuration::from_secs(seconds.into()));
        let told = self.present.call.as_ref().filter(|call| call.device == device && on_call == Some(true));
        let is_another = |call: &CurrentCall| began.is_some_and(|began| began > call.reported_at + SignedDuration::from_secs(3));
        if told.is_some_and(|call| began.is_some() && self.now >= call.reported_at && !is_another(call)) {
            return;
        }
        self.expect_lapse();
        let call = self.present.call.as_ref().filter(|call| self.now.duration_since(call.reported_at).abs() <= TIMEOUT);
        let today = self.tenant.day_of(self.now);
        match (call, on_call) {
            (None, Some(true)) => self.begun += 1,
            (Some(call), Some(false)) if call.device == device => self.ended.push(today),
            (Some(call), Some(true)) if call.device == device && is_another(call) => {
                self.ended.push(self.tenant.day_of(call.reported_at));
                self.begun += 1;
            }
            _ => {}
        }
    }

    /// A call whose device fell silent is over.
    fn expect_lapse(&mut self) {
        if let Some(call) = self.present.call.as_ref().filter(|call| self.now.duration_since(call.reported_at).abs() > TIMEOUT) {
            self.ended.push(self.tenant.day_of(call.reported_at.min(self.now)));
        }
    }

    fn says(&mut self, patch: &PresencePatch, by: By, moment: Moment) -> Option<Step> {
        self.expect_lapse();
        self.leads = patch.accepting_leads.unwrap_or(self.leads);
        let status = patch.status.unwrap_or(self.present.status);
        self.reason = match (&patch.break_reason, status == PresenceStatus::OnBreak) {
            (Some(reason), true) => reason.clone(),
            (None, true) => self.reason.clone(),
            (_, false) => None,
        };
        let step = update(&self.present, patch, by, moment, &Origin::system(), None).unwrap();
        let after = step.as_ref().map_or(&self.present, |step| &step.after);
        assert_eq!((after.status, after.accepting_leads, &after.break_reason), (status, self.leads, &self.reason));
        step
    }

    fn write(&mut self, step: Step) {
        let Step { after, finished, ended_call } = step;
        assert_eq!(after.record.revision, self.present.record.revision + 1);
        let is_on_record = !self.present.is_written() || after.audit_fields() != self.present.audit_fields();
        assert_eq!(after.record.version, self.present.record.version + u32::from(is_on_record));
        assert_eq!((after.accepting_leads, &after.break_reason), (self.leads, &self.reason), "what is to be kept is kept");
        for segment in finished {
            assert!(segment.from < segment.to && segment.to <= after.since, "{segment:?}");
            self.segments.insert(segment.from, segment);
        }
        if let Some(ended) = ended_call {
            *self.calls.entry(self.tenant.day_of(ended)).or_default() += 1;
        }
        self.present = after;
    }

    /// What `agentTimeline` shows of a day.
    fn day(&self, day: Date) -> Vec<Segment> {
        let written: Vec<Segment> = self.segments.values().cloned().collect();
        timeline(&written, &self.present, self.tenant.day_span(day), self.now, TIMEOUT)
    }

    fn check(&self) {
        let today = self.tenant.day_of(self.now);
        for day in [today.yesterday().unwrap(), today, today.tomorrow().unwrap()] {
            let (begin, end) = self.tenant.day_span(day);
            let segments = self.day(day);
            assert!(segments.iter().all(|segment| segment.from < segment.to && segment.from >= begin && segment.to <= end.min(self.now)), "{segments:?}");
            assert!(segments.windows(2).all(|pair| pair[0].to <= pair[1].from), "{segments:?}");
            let total: u32 = totals(&segments).iter().map(|(_, seconds)| seconds).sum();
            let passed = end.min(self.now).duration_since(begin).as_secs().max(0);
            assert!(i64::from(total) <= passed, "{total} of {passed}");
        }
        let mut ended: BTreeMap<Date, u32> = BTreeMap::new();
        for day in &self.ended {
            *ended.entry(*day).or_default() += 1;
        }
        assert_eq!(self.calls, ended, "each call that ended is counted once, on its day");
        let is_on_break = self.present.status == PresenceStatus::OnBreak;
        assert!(is_on_break || self.present.break_reason.is_none());
    }
}

proptest! {
    #[test]
    fn a_day_holds_no_more_than_its_time_and_each_call_counts_once_whatever_the_clocks_do(events in prop::collection::vec(moves_and_jumps(), 1..80)) {
        let mut history = History::new();
        for event in &events {
            history.apply(event);
            history.check();
        }
    }

    #[test]
    fn while_clocks_are_right_the_days_tell_at_every_moment_what_was_seen_then(events in prop::collection::vec(moves(), 1..60)) {
        let mut history = History::new();
        let mut seen: Vec<(Timestamp, PresenceStatus)> = Vec::new();
        let half = SignedDuration::from_millis(500);
        for event in &events {
            if let Event::Passes(seconds) = event
                && history.present.is_written()
            {
                // Between whole seconds, at which everything happens; of a long time only some.
                for second in (0..*seconds).step_by(1 + usize::try_from(*seconds / 200).unwrap()) {
                    let at = history.now + SignedDuration::from_secs(second) + half;
                    seen.push((at, history.present.effective(at, TIMEOUT)));
                }
            }
            history.apply(event);
        }
        let mut days: BTreeMap<Date, Vec<Segment>> = BTreeMap::new();
        for (at, status) in seen {
            let day = history.tenant.day_of(at);
            let segments = days.entry(day).or_insert_with(|| history.day(day));
            let told = segments.iter().find(|segment| segment.from <= at && at < segment.to).map(|segment| segment.status);
            prop_assert_eq!(told, Some(status), "{}", at);
        }
    }

    #[test]
    fn as_soon_as_the_clock_is_right_again_the_rest_of_the_day_is_told_without_a_gap(
        before in prop::collection::vec(moves_and_jumps(), 0..30),
        after in prop::collection::vec(moves(), 1..30),
    ) {
        let mut history = History::new();
        for event in before {
            history.apply(&event);
        }
        history.apply(&Event::Beats("desk", None, None));
        history.apply(&Event::Says(PresencePatch { status: Some(PresenceStatus::Busy), ..PresencePatch::default() }));
        let since = history.present.since;
        for event in after {
            history.apply(&event);
        }
        for day in [history.tenant.day_of(since), history.tenant.day_of(history.now)] {
            let (begin, end) = history.tenant.day_span(day);
            let (from, to) = (begin.max(since), end.min(history.now));
            let within = |segment: &Segment| segment.to.min(to).as_millisecond() - segment.from.max(from).as_millisecond();
            let told: i64 = history.day(day).iter().map(|segment| within(segment).max(0)).sum();
            prop_assert_eq!(told, (to.as_millisecond() - from.as_millisecond()).max(0));
        }
    }
}
