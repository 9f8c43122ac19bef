//! What agents are doing: their status, whether they take leads, the call they are on, and when they were last heard of.

#[cfg(test)]
mod histories;
mod rules;
mod timeline;

pub use rules::{BREAK_REASON_LENGTH, By, CallReport, DEVICE_LENGTH, Heartbeat, Moment, PresencePatch, Step, checked_heartbeat, heartbeat, update};
pub use timeline::{Segment, timeline, totals};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::AgentId;
use crate::person::Agent;

/// Longest call that is told of: a day.
pub const LONGEST_CALL_SECONDS: u32 = 86_400;

/// What an agent says they are doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PresenceStatus {
    /// Ready for work.
    Available,
    /// At work on something.
    Busy,
    /// On a break.
    OnBreak,
    /// In a meeting.
    InMeeting,
    /// Away from their place.
    Away,
    /// Not there.
    Offline,
}

impl PresenceStatus {
    /// Every status, as they are shown.
    pub const EVERY: [Self; 6] = [Self::Available, Self::Busy, Self::OnBreak, Self::InMeeting, Self::Away, Self::Offline];

    /// The written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Busy => "BUSY",
            Self::OnBreak => "ON_BREAK",
            Self::InMeeting => "IN_MEETING",
            Self::Away => "AWAY",
            Self::Offline => "OFFLINE",
        }
    }

    /// Reads the written form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|status| status.as_str() == text)
    }

    /// What it counts as for somebody last heard of at a time.
    #[must_use]
    pub fn effective(self, last_activity_at: Timestamp, now: Timestamp, timeout: SignedDuration) -> Self {
        if is_silent(last_activity_at, now, timeout) { Self::Offline } else { self }
    }
}

/// Whether somebody last heard of at a time counts as silent. A time that lies ahead by more than the timeout was told by a wrong clock: it proves nothing.
fn is_silent(heard_at: Timestamp, now: Timestamp, timeout: SignedDuration) -> bool {
    now.duration_since(heard_at).abs() > timeout
}

/// A time so much later, as far as time goes.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

/// A call that is on, as the device that began it last said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentCall {
    /// The device that began it, and alone ends it.
    pub device: String,
    /// When it began.
    #[serde(with = "crate::clock::millis")]
    pub since: Timestamp,
    /// When the device last spoke of it.
    #[serde(with = "crate::clock::millis")]
    pub reported_at: Timestamp,
    /// For how long it had been on by then.
    pub seconds: u32,
}

impl CurrentCall {
    /// Whether its device was silent for so long that it counts as over.
    fn is_lapsed(&self, now: Timestamp, timeout: SignedDuration) -> bool {
        is_silent(self.reported_at, now, timeout)
    }

    /// For how long it has been on.
    fn seconds_at(&self, now: Timestamp) -> u32 {
        let since_reported = u32::try_from(now.duration_since(self.reported_at).as_secs()).unwrap_or(0);
        self.seconds.saturating_add(since_reported).min(LONGEST_CALL_SECONDS)
    }
}

/// What an agent is doing, as it was last said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The agent.
    pub agent: AgentId,
    /// What all records have. The version counts changes of status, reason and leads; heartbeats and calls are technical.
    pub record: Revisioned,
    /// What they are doing. It stays while they are silent, and is theirs again when they are back.
    pub status: PresenceStatus,
    /// Why they are on a break, if they said so.
    pub break_reason: Option<String>,
    /// Whether they take leads, whatever they are doing.
    pub accepting_leads: bool,
    /// Since when they are doing it, or are back from silence.
    pub since: Timestamp,
    /// When they were last heard of.
    pub last_activity_at: Timestamp,
    /// The call they are on.
    pub call: Option<CurrentCall>,
}

/// A presence as it looks at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPresence {
    /// What they are doing; `OFFLINE` for who is silent.
    pub status: PresenceStatus,
    /// Why they are on a break.
    pub break_reason: Option<String>,
    /// Whether they take leads.
    pub accepting_leads: bool,
    /// Whether they are on a call.
    pub on_call: bool,
    /// For how long; 0 when they aren't.
    pub current_call_seconds: u32,
    /// Since when; of who is silent since when that counts.
    pub since: Timestamp,
    /// When they were last heard of.
    pub last_activity_at: Timestamp,
}

impl Presence {
    /// The presence of an agent of whom nothing was ever written: offline for as long as they are there. Its revision is 0.
    #[must_use]
    pub fn unseen(agent: &Agent) -> Self {
        Self {
            agent: agent.id,
            record: Revisioned { version: 0, revision: 0, ..agent.record.clone() },
            status: PresenceStatus::Offline,
            break_reason: None,
            accepting_leads: true,
            since: agent.record.created_at,
            last_activity_at: agent.record.created_at,
            call: None,
        }
    }

    /// Whether anything was ever written of it.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.record.revision > 0
    }

    /// Whether the agent hasn't been heard of for longer than the timeout.
    #[must_use]
    pub fn is_silent(&self, now: Timestamp, timeout: SignedDuration) -> bool {
        is_silent(self.last_activity_at, now, timeout)
    }

    /// What the agent counts as doing: nothing, when silent.
    #[must_use]
    pub fn effective(&self, now: Timestamp, timeout: SignedDuration) -> PresenceStatus {
        self.status.effective(self.last_activity_at, now, timeout)
    }

    /// The end of a call that is over because its device is silent, but not counted yet: the next write counts it.
    #[must_use]
    pub fn lapsed_call(&self, now: Timestamp, timeout: SignedDuration) -> Option<Timestamp> {
        self.call.as_ref().filter(|call| call.is_lapsed(now, timeout)).map(|call| call.reported_at.min(now))
    }

    /// How it looks at a moment.
    #[must_use]
    pub fn seen(&self, now: Timestamp, timeout: SignedDuration) -> SeenPresence {
        let is_silent = self.is_silent(now, timeout);
        let status = self.effective(now, timeout);
        let since = match self.status {
            PresenceStatus::Offline => self.since,
            _ if !is_silent => self.since,
            _ if self.last_activity_at > now => self.since.min(now),
            _ => self.since.max(later(self.last_activity_at, timeout)),
        };
        let call = self.call.as_ref().filter(|call| !is_silent && !call.is_lapsed(now, timeout));
        SeenPresence {
            status,
            break_reason: self.break_reason.clone().filter(|_| status == PresenceStatus::OnBreak),
            accepting_leads: self.accepting_leads,
            on_call: call.is_some(),
            current_call_seconds: call.map_or(0, |call| call.seconds_at(now)),
            since,
            last_activity_at: self.last_activity_at,
        }
    }
}

impl Audited for Presence {
    const ENTITY_TYPE: &'static str = "presence";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::from([("status".to_owned(), json!(self.status)), ("acceptingLeads".to_owned(), json!(self.accepting_leads))]);
        if let Some(reason) = &self.break_reason {
            fields.insert("breakReason".to_owned(), json!(reason));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Change, Origin};

    pub(super) const TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

    pub(super) fn at(second: i64) -> Timestamp {
        // 24 November 2026, 12:00 UTC.
        Timestamp::from_second(1_795_521_600 + second).unwrap()
    }

    /// An agent made at second 0.
    pub(super) fn agent() -> Agent {
        Agent {
            id: AgentId::new(at(0), &[1; 10]),
            record: Revisioned::created(Change::new("agent.created", at(0), Origin::system())),
            name: "Théo".to_owned(),
            sealed_email: Vec::new(),
            employee_id: None,
            time_zone: None,
            teams: Vec::new(),
            deleted_at: None,
        }
    }

    fn on_a_break() -> Presence {
        let record = Revisioned::created(Change::new("presence.created", at(100), Origin::system()));
        let call = CurrentCall { device: "desk".to_owned(), since: at(90), reported_at: at(130), seconds: 40 };
        let (status, break_reason) = (PresenceStatus::OnBreak, Some("Lunch".to_owned()));
        Presence { record, status, break_reason, since: at(100), last_activity_at: at(130), call: Some(call), ..Presence::unseen(&agent()) }
    }

    #[test]
    fn every_status_reads_back_from_its_written_form_which_is_that_of_the_audit() {
        for status in PresenceStatus::EVERY {
            assert_eq!(PresenceStatus::parse(status.as_str()), Some(status));
            assert_eq!(json!(status), json!(status.as_str()));
        }
        for wrong in ["", "available", "ON BREAK"] {
            assert_eq!(PresenceStatus::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn who_is_silent_is_offline_from_the_end_of_the_timeout_and_on_no_break_and_no_call() {
        let presence = on_a_break();
        let there = presence.seen(at(190), TIMEOUT);
        assert_eq!((there.status, there.break_reason.as_deref(), there.since), (PresenceStatus::OnBreak, Some("Lunch"), at(100)));
        assert_eq!((there.on_call, there.current_call_seconds), (true, 100));
        let gone = presence.seen(at(191), TIMEOUT);
        assert_eq!((gone.status, gone.break_reason, gone.since, gone.last_activity_at), (PresenceStatus::Offline, None, at(190), at(130)));
        assert_eq!((gone.on_call, gone.current_call_seconds), (false, 0));
        assert_eq!((presence.lapsed_call(at(190), TIMEOUT), presence.lapsed_call(at(191), TIMEOUT)), (None, Some(at(130))));
    }

    #[test]
    fn a_heartbeat_from_the_future_proves_nothing() {
        let presence = on_a_break();
        assert_eq!(presence.effective(at(70), TIMEOUT), PresenceStatus::OnBreak, "clocks may differ a little");
        let seen = presence.seen(at(69), TIMEOUT);
        assert_eq!((seen.status, seen.since, seen.on_call), (PresenceStatus::Offline, at(69), false));
        assert_eq!(presence.lapsed_call(at(69), TIMEOUT), Some(at(69)));
    }

    #[test]
    fn who_was_never_there_is_offline_since_they_are_an_agent_and_would_take_leads() {
        let seen = Presence::unseen(&agent()).seen(at(5_000), TIMEOUT);
        assert_eq!((seen.status, seen.accepting_leads, seen.since, seen.last_activity_at), (PresenceStatus::Offline, true, at(0), at(0)));
    }

    #[test]
    fn status_reason_and_leads_are_on_record_and_nothing_else() {
        let presence = on_a_break();
        let fields = Fields::from([("status".to_owned(), json!("ON_BREAK")), ("breakReason".to_owned(), json!("Lunch")), ("acceptingLeads".to_owned(), json!(true))]);
        assert_eq!(presence.audit_fields(), fields);
        let later = Presence { since: at(900), last_activity_at: at(900), call: None, ..presence };
        assert_eq!(later.audit_fields(), fields);
    }
}
