//! How a presence changes: by what its agent or a supervisor says, and by heartbeats.
//!
//! Every change is decided on the presence as it is and on the time, which may be anybody's: clocks of two processes differ a little, and one may be wrong
//! by a day. A time a little earlier than one that is written counts as the same. One that is earlier by more than the timeout is believed, as the
//! present time always is, and what was written ahead of it is passed over when a day is put together.

use jiff::{SignedDuration, Timestamp};

use super::{CurrentCall, LONGEST_CALL_SECONDS, Presence, PresenceStatus, Segment, later};
use crate::audit::Audited;
use crate::change::{Change, Origin, Revisioned};
use crate::clock::to_millisecond;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::text;

/// Longest reason of a break, in characters: a heartbeat writes it again each time.
pub const BREAK_REASON_LENGTH: usize = 255;
/// Longest name of a device, in characters.
pub const DEVICE_LENGTH: usize = 100;
/// What was heard within this time of what is heard now needs no writing of its own.
const SAME_TIME: SignedDuration = SignedDuration::from_secs(1);
/// A call that began at most this long after one was last told of is that one: what a device says of its length is a little behind.
const SAME_CALL: SignedDuration = SignedDuration::from_secs(3);

/// When something is decided, and after how long somebody counts as silent then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    now: Timestamp,
    timeout: SignedDuration,
}

impl Moment {
    /// A moment, which is cut to milliseconds, with the tenant's timeout.
    #[must_use]
    pub fn new(now: Timestamp, timeout: SignedDuration) -> Self {
        Self { now: to_millisecond(now), timeout }
    }

    /// Now, or the time that is known, if that is only a little ahead.
    fn not_before(self, known: Timestamp) -> Timestamp {
        let is_a_little_ahead = known > self.now && known.duration_since(self.now) <= self.timeout;
        if is_a_little_ahead { known } else { self.now }
    }
}

/// Who changes a presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The agent, who is heard of by it.
    Oneself,
    /// Somebody else.
    SomebodyElse,
}

/// What is to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresencePatch {
    /// The status; stays when not given.
    pub status: Option<PresenceStatus>,
    /// Why they are on a break: absent, empty or a value. It ends with the break.
    pub break_reason: Option<Option<String>>,
    /// Whether they take leads; stays when not given.
    pub accepting_leads: Option<bool>,
}

/// A sign of life, as it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// The name of the device; one without a name is the same device each time.
    pub device: Option<String>,
    /// Whether a call is on; says nothing of calls when not given.
    pub on_call: Option<bool>,
    /// For how long the call has been on.
    pub current_call_seconds: Option<i32>,
}

/// What a device says of its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    device: String,
    is_on: bool,
    seconds: Option<u32>,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The presence, one revision further.
    pub after: Presence,
    /// The segments that are over with it.
    pub finished: Vec<Segment>,
    /// When the call ended that is over with it, and is to be counted now, once.
    pub ended_call: Option<Timestamp>,
}

/// Checks a sign of life; none when it says nothing of calls.
///
/// # Errors
/// `deviceId`: `TOO_LONG`, `INVALID`; `currentCallSeconds`: `INVALID` outside of a day.
pub fn checked_heartbeat(given: &Heartbeat) -> Result<Option<CallReport>, Vec<FieldError>> {
    let device = text::line("deviceId", given.device.as_deref().unwrap_or_default(), DEVICE_LENGTH);
    let seconds = given.current_call_seconds.map(checked_seconds).transpose();
    match (device, seconds) {
        (Ok(device), Ok(seconds)) => Ok(given.on_call.map(|is_on| CallReport { device: device.unwrap_or_default(), is_on, seconds })),
        (device, seconds) => Err(device.err().into_iter().chain(seconds.err()).collect()),
    }
}

fn checked_seconds(given: i32) -> Result<u32, FieldError> {
    let message = "currentCallSeconds is not a number of seconds within a day. Give 0 to 86,400.";
    let seconds = u32::try_from(given).ok().filter(|seconds| *seconds <= LONGEST_CALL_SECONDS);
    seconds.ok_or_else(|| FieldError::new("currentCallSeconds", FieldErrorCode::Invalid, message))
}

/// Changes a presence as it is said; none when there is nothing to write. What the agent says is a sign of life, what somebody else says isn't.
///
/// # Errors
/// `breakReason`: `TOO_LONG`, `INVALID`, and `NOT_ALLOWED` for a reason without a break.
pub fn update(before: &Presence, patch: &PresencePatch, by: By, moment: Moment, origin: &Origin, reason: Option<&str>) -> Result<Option<Step>, FieldError> {
    let status = patch.status.unwrap_or(before.status);
    let break_reason = break_reason(before, status, patch.break_reason.as_ref())?;
    let accepting_leads = patch.accepting_leads.unwrap_or(before.accepting_leads);
    let after = Presence { status, break_reason, accepting_leads, ..before.clone() };
    Ok(step(before, after, by, None, moment, origin, reason))
}

/// The reason of the break they are on, if they are on one: a new break has the one that is given, the same break keeps its own unless one is given.
fn break_reason(before: &Presence, status: PresenceStatus, given: Option<&Option<String>>) -> Result<Option<String>, FieldError> {
    let is_on_break = status == PresenceStatus::OnBreak;
    let Some(given) = given else {
        return Ok(before.break_reason.clone().filter(|_| is_on_break));
    };
    let reason = text::line("breakReason", given.as_deref().unwrap_or_default(), BREAK_REASON_LENGTH)?;
    if reason.is_some() && !is_on_break {
        let message = "A breakReason goes with the status ON_BREAK only. Give that status, or leave the reason out.";
        return Err(FieldError::new("breakReason", FieldErrorCode::NotAllowed, message));
    }
    Ok(reason)
}

/// Keeps a presence alive, and takes note of what a device says of its call; none when there is nothing to write, because the agent was heard of a moment
/// ago.
#[must_use]
pub fn heartbeat(before: &Presence, report: Option<&CallReport>, moment: Moment, origin: &Origin) -> Option<Step> {
    step(before, before.clone(), By::Oneself, report, moment, origin, None)
}

/// What follows from a change: who comes back from silence begins anew in their status, what ended is to be kept, and a call that is over is counted.
fn step(before: &Presence, mut after: Presence, by: By, report: Option<&CallReport>, moment: Moment, origin: &Origin, reason: Option<&str>) -> Option<Step> {
    let Moment { now, timeout } = moment;
    let is_new = !before.is_written();
    let is_changed = after.audit_fields() != before.audit_fields();
    let is_back = by == By::Oneself && before.status != PresenceStatus::Offline && before.is_silent(now, timeout);
    let begins = is_new || is_back || after.status != before.status;
    if begins {
        after.since = if is_new { now } else { moment.not_before(before.since) };
    }
    if by == By::Oneself {
        after.last_activity_at = if is_new { now } else { moment.not_before(before.last_activity_at) };
    }
    let (call, ended_call) = call_after(before.call.as_ref(), report, moment);
    let is_heard_anew = is_apart(before.last_activity_at, after.last_activity_at) || is_told_anew(before.call.as_ref(), call.as_ref());
    if !(is_changed || begins || ended_call.is_some() || is_heard_anew) {
        return None;
    }
    after.call = call;
    after.record = if is_new {
        Revisioned::created(change("presence.created", now, origin, reason))
    } else if is_changed {
        before.record.changed(change("presence.updated", now, origin, reason))
    } else {
        before.record.touched()
    };
    let finished = if begins { before.until(after.since, timeout, after.record.revision) } else { Vec::new() };
    Some(Step { after, finished, ended_call })
}

fn change(action: &str, now: Timestamp, origin: &Origin, reason: Option<&str>) -> Change {
    let change = Change::new(action, now, origin.clone());
    match reason {
        None => change,
        Some(reason) => change.because(reason),
    }
}

fn is_apart(one: Timestamp, other: Timestamp) -> bool {
    other.duration_since(one).abs() >= SAME_TIME
}

/// Whether what is known of a call is news: not when the same call is told of at the same time.
fn is_told_anew(before: Option<&CurrentCall>, after: Option<&CurrentCall>) -> bool {
    match (before, after) {
        (None, None) => false,
        (Some(before), Some(after)) => before.since != after.since || before.device != after.device || is_apart(before.reported_at, after.reported_at),
        _ => true,
    }
}

/// The call that is on after a report, and when the one before it ended, if it is over with it. Only the device that began a call ends it, by saying so,
/// by beginning another, or by being silent of it for longer than the timeout: then it ended when it was last told of.
fn call_after(before: Option<&CurrentCall>, report: Option<&CallReport>, moment: Moment) -> (Option<CurrentCall>, Option<Timestamp>) {
    let Moment { now, timeout } = moment;
    // One that goes on after its device was cut off for a while is the same call, and counts once.
    let goes_on = |call: &CurrentCall| report.is_some_and(|report| report.continues(call, now));
    let lapsed = before.filter(|call| call.is_lapsed(now, timeout) && !goes_on(call)).map(|call| call.reported_at.min(now));
    match (before.filter(|_| lapsed.is_none()), report) {
        (Some(call), Some(report)) if call.device == report.device => {
            if !report.is_on {
                (None, Some(now))
            } else if report.is_another(call, now) {
                (Some(report.begun(now)), Some(call.reported_at.min(now)))
            } else {
                let seconds = report.seconds.unwrap_or_else(|| call.seconds_at(now));
                (Some(CurrentCall { reported_at: moment.not_before(call.reported_at), seconds, ..call.clone() }), None)
            }
        }
        (Some(call), _) => (Some(call.clone()), None),
        (None, Some(report)) if report.is_on => (Some(report.begun(now)), lapsed),
        (None, _) => (None, lapsed),
    }
}

impl CallReport {
    /// When the call began that it tells of.
    fn began(&self, now: Timestamp) -> Timestamp {
        later(now, -SignedDuration::from_secs(i64::from(self.seconds.unwrap_or(0))))
    }

    /// Whether it tells of another call than the one that is known: of one that began after that was last told of.
    fn is_another(&self, known: &CurrentCall, now: Timestamp) -> bool {
        self.seconds.is_some() && self.began(now) > later(known.reported_at, SAME_CALL)
    }

    /// Whether it tells, with its length, that the call that is known goes on.
    fn continues(&self, known: &CurrentCall, now: Timestamp) -> bool {
        self.is_on && self.device == known.device && self.seconds.is_some() && now >= known.reported_at && !self.is_another(known, now)
    }

    fn begun(&self, now: Timestamp) -> CurrentCall {
        CurrentCall { device: self.device.clone(), since: self.began(now), reported_at: now, seconds: self.seconds.unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TIMEOUT, agent, at};
    use super::*;
    use PresenceStatus::{Available, Busy, Offline, OnBreak};

    fn moment(second: i64) -> Moment {
        Moment::new(at(second), TIMEOUT)
    }

    fn changed(before: &Presence, patch: &PresencePatch, by: By, second: i64) -> Option<Step> {
        update(before, patch, by, moment(second), &Origin::system(), None).unwrap()
    }

    fn to(status: PresenceStatus) -> PresencePatch {
        PresencePatch { status: Some(status), ..PresencePatch::default() }
    }

    fn on_break(reason: &str) -> PresencePatch {
        PresencePatch { break_reason: Some(Some(reason.to_owned())), ..to(OnBreak) }
    }

    /// The presence of who says they are in a status at a second, as the first that is heard of them.
    fn present(status: PresenceStatus, second: i64) -> Presence {
        changed(&Presence::unseen(&agent()), &to(status), By::Oneself, second).unwrap().after
    }

    fn report(device: &str, is_on: bool, seconds: impl Into<Option<u32>>) -> CallReport {
        CallReport { device: device.to_owned(), is_on, seconds: seconds.into() }
    }

    fn beat(before: &Presence, report: Option<&CallReport>, second: i64) -> Option<Step> {
        heartbeat(before, report, moment(second), &Origin::system())
    }

    fn told(segments: &[Segment]) -> Vec<(PresenceStatus, i64, i64)> {
        segments.iter().map(|segment| (segment.status, segment.from.duration_since(at(0)).as_secs(), segment.to.duration_since(at(0)).as_secs())).collect()
    }

    #[test]
    fn the_first_that_is_heard_of_an_agent_makes_their_presence() {
        let unseen = Presence::unseen(&agent());
        let step = beat(&unseen, None, 100).unwrap();
        assert_eq!((step.after.status, step.after.since, step.after.last_activity_at), (Offline, at(100), at(100)), "a sign of life makes nobody available");
        assert_eq!((step.after.record.version, step.after.record.revision, step.after.record.last_change.action.as_str()), (1, 1, "presence.created"));
        assert!(step.finished.is_empty() && step.ended_call.is_none());
        for patch in [PresencePatch::default(), to(Offline), to(Available)] {
            let step = changed(&unseen, &patch, By::Oneself, 100).unwrap();
            assert_eq!((step.after.record.revision, step.after.accepting_leads, step.finished.len()), (1, true, 0));
        }
        let by_another = changed(&unseen, &to(Busy), By::SomebodyElse, 5_000).unwrap().after;
        assert_eq!((by_another.status, by_another.effective(at(5_000), TIMEOUT)), (Busy, Offline), "nobody has heard of them yet");
    }

    #[test]
    fn a_break_has_the_reason_that_is_given_with_it_until_it_is_over() {
        let lunch = changed(&present(Available, 100), &on_break(" Lunch "), By::Oneself, 110).unwrap().after;
        assert_eq!(lunch.break_reason.as_deref(), Some("Lunch"));
        let same = changed(&lunch, &PresencePatch { accepting_leads: Some(false), ..to(OnBreak) }, By::Oneself, 120).unwrap().after;
        assert_eq!((same.break_reason.as_deref(), same.since, same.accepting_leads), (Some("Lunch"), at(110), false));
        let longer = changed(&same, &on_break("Long lunch"), By::Oneself, 130).unwrap();
        assert_eq!((longer.after.break_reason.as_deref(), longer.after.since, longer.finished.len()), (Some("Long lunch"), at(110), 0), "it is the same break");
        for emptied in [None, Some(" ".to_owned())] {
            let patch = PresencePatch { break_reason: Some(emptied), ..PresencePatch::default() };
            let after = changed(&same, &patch, By::Oneself, 130).unwrap().after;
            assert_eq!((after.break_reason, after.status, after.record.version), (None, OnBreak, same.record.version + 1));
        }
        for status in [Available, Offline] {
            let over = changed(&same, &to(status), By::Oneself, 140).unwrap();
            assert_eq!((over.after.break_reason.as_deref(), over.after.accepting_leads, over.finished[0].break_reason.as_deref()), (None, false, Some("Lunch")));
            let again = changed(&over.after, &to(OnBreak), By::Oneself, 150).unwrap();
            assert_eq!(again.after.break_reason, None, "another break, another reason");
        }
    }

    #[test]
    fn a_reason_without_a_break_or_too_long_is_refused() {
        let available = present(Available, 100);
        let code = |patch: &PresencePatch| {
            let error = update(&available, patch, By::Oneself, moment(110), &Origin::system(), None).unwrap_err();
            (error.field, error.code)
        };
        let of_break = |code| ("breakReason".to_owned(), code);
        assert_eq!(code(&on_break(&"é".repeat(256))), of_break(FieldErrorCode::TooLong));
        assert_eq!(code(&on_break("a\u{0}b")), of_break(FieldErrorCode::Invalid));
        assert_eq!(code(&PresencePatch { status: Some(Busy), ..on_break("Lunch") }), of_break(FieldErrorCode::NotAllowed));
        assert_eq!(code(&PresencePatch { status: None, ..on_break("Lunch") }), of_break(FieldErrorCode::NotAllowed));
        assert!(changed(&available, &on_break(&"é".repeat(255)), By::Oneself, 110).is_some());
        assert!(changed(&available, &PresencePatch { status: Some(Busy), ..on_break(" ") }, By::Oneself, 110).is_some());
    }

    #[test]
    fn a_change_of_status_ends_a_segment_and_one_of_leads_does_not() {
        let step = changed(&present(Available, 100), &to(Busy), By::Oneself, 130).unwrap();
        assert_eq!(told(&step.finished), [(Available, 100, 130)]);
        let Presence { record, since, .. } = &step.after;
        assert_eq!((record.version, record.revision, record.last_change.action.as_str(), *since), (2, 2, "presence.updated", at(130)));
        assert_eq!(step.finished[0].revision, 2);
        let leads = changed(&step.after, &PresencePatch { accepting_leads: Some(false), ..PresencePatch::default() }, By::Oneself, 140).unwrap();
        assert_eq!((leads.after.record.version, leads.after.since, leads.finished.len()), (3, at(130), 0));
    }

    #[test]
    fn what_changes_nothing_is_a_sign_of_life_of_oneself_and_nothing_of_somebody_else() {
        let available = present(Available, 100);
        let same = changed(&available, &to(Available), By::Oneself, 130).unwrap();
        assert_eq!((same.after.last_activity_at, same.after.since, same.after.record.version, same.after.record.revision), (at(130), at(100), 1, 2));
        assert_eq!(changed(&available, &to(Available), By::SomebodyElse, 130), None);
        assert_eq!(beat(&available, None, 100), None, "heard of a moment ago");
        assert!(beat(&available, None, 101).is_some());
    }

    #[test]
    fn who_comes_back_from_silence_begins_anew_in_their_status() {
        let lunch = changed(&present(Available, 100), &on_break("Lunch"), By::Oneself, 110).unwrap().after;
        assert!(beat(&lunch, None, 170).unwrap().finished.is_empty(), "not yet silent");
        let back = beat(&lunch, None, 300).unwrap();
        assert_eq!(told(&back.finished), [(OnBreak, 110, 170), (Offline, 170, 300)]);
        assert_eq!((back.after.status, back.after.break_reason.as_deref(), back.after.since, back.after.record.version), (OnBreak, Some("Lunch"), at(300), 2));
        let busy = changed(&lunch, &to(Busy), By::Oneself, 300).unwrap();
        assert_eq!((told(&busy.finished), busy.after.since), (told(&back.finished), at(300)));
        let offline = present(Offline, 100);
        assert_eq!(beat(&offline, None, 5_000).map(|step| (step.after.since, step.finished)), Some((at(100), Vec::new())), "who was offline still is");
    }

    #[test]
    fn a_supervisor_changes_what_a_silent_agent_is_to_be_when_they_are_back() {
        let available = present(Available, 100);
        let moved = changed(&available, &to(Busy), By::SomebodyElse, 300).unwrap();
        assert_eq!((told(&moved.finished), moved.after.last_activity_at), (vec![(Available, 100, 160), (Offline, 160, 300)], at(100)));
        assert_eq!(moved.after.effective(at(300), TIMEOUT), Offline);
        let back = beat(&moved.after, None, 400).unwrap();
        assert_eq!((told(&back.finished), back.after.effective(at(400), TIMEOUT)), (vec![(Offline, 300, 400)], Busy));
    }

    #[test]
    fn a_change_carries_its_reason() {
        let step = update(&present(Available, 100), &to(Busy), By::SomebodyElse, moment(110), &Origin::system(), Some("Called to the office")).unwrap().unwrap();
        assert_eq!(step.after.record.last_change.reason.as_deref(), Some("Called to the office"));
    }

    #[test]
    fn only_the_device_that_began_a_call_ends_it_and_it_is_counted_once() {
        let calling = beat(&present(Available, 100), Some(&report("desk", true, 40)), 110).unwrap().after;
        assert_eq!(calling.call.as_ref().map(|call| (call.since, call.seconds)), Some((at(70), 40)));
        for other in [None, Some(report("mobile", false, None)), Some(report("mobile", true, 3)), Some(report("", false, None))] {
            let step = beat(&calling, other.as_ref(), 120).unwrap();
            assert_eq!((&step.after.call, step.ended_call), (&calling.call, None), "{other:?}");
            assert_eq!(step.after.seen(at(120), TIMEOUT).current_call_seconds, 50);
        }
        let longer = beat(&calling, Some(&report("desk", true, None)), 130).unwrap().after;
        assert_eq!(longer.call.as_ref().map(|call| (call.since, call.reported_at, call.seconds)), Some((at(70), at(130), 60)));
        let ended = beat(&longer, Some(&report("desk", false, None)), 140).unwrap();
        assert_eq!((&ended.after.call, ended.ended_call), (&None, Some(at(140))));
        assert_eq!(beat(&ended.after, Some(&report("desk", false, None)), 150).unwrap().ended_call, None);
        assert_eq!(beat(&ended.after, Some(&report("desk", false, None)), 140), None, "told of twice");
    }

    #[test]
    fn a_call_of_a_silent_device_is_over_when_it_was_last_told_of_with_the_next_that_is_written() {
        let calling = beat(&present(Available, 100), Some(&report("desk", true, 0)), 110).unwrap().after;
        let alive = beat(&calling, None, 165).unwrap().after;
        let over = |step: Option<Step>| step.map(|step| (step.after.call.map(|call| call.device), step.ended_call));
        assert_eq!(over(beat(&alive, None, 170)), Some((Some("desk".to_owned()), None)));
        assert_eq!(over(beat(&alive, None, 171)), Some((None, Some(at(110)))));
        assert_eq!(over(beat(&alive, Some(&report("mobile", true, 2)), 171)), Some((Some("mobile".to_owned()), Some(at(110)))));
        assert_eq!(over(beat(&alive, Some(&report("desk", true, 61)), 171)), Some((Some("desk".to_owned()), None)), "it goes on after a gap: the same call");
        assert_eq!(over(beat(&alive, Some(&report("desk", true, 40)), 171)), Some((Some("desk".to_owned()), Some(at(110)))), "another call");
        assert_eq!(over(beat(&alive, Some(&report("desk", false, 61)), 171)), Some((None, Some(at(110)))));
        assert_eq!(over(changed(&alive, &to(Busy), By::SomebodyElse, 171)), Some((None, Some(at(110)))));
        let day = 86_400;
        assert_eq!(over(beat(&alive, Some(&report("desk", false, None)), 120 + day)), Some((None, Some(at(110)))), "a clock that jumped forth");
        assert_eq!(over(beat(&alive, Some(&report("desk", false, None)), 120 - day)), Some((None, Some(at(120 - day)))), "and back");
    }

    #[test]
    fn a_device_that_tells_of_a_call_begun_since_has_ended_the_one_before() {
        let calling = beat(&present(Available, 100), Some(&report("desk", true, 40)), 110).unwrap().after;
        let next = beat(&calling, Some(&report("desk", true, 20)), 140).unwrap();
        assert_eq!((next.after.call.map(|call| call.since), next.ended_call), (Some(at(120)), Some(at(110))));
        let longer = beat(&calling, Some(&report("desk", true, 45)), 170).unwrap();
        assert_eq!((longer.after.call.map(|call| call.since), longer.ended_call), (Some(at(125)), Some(at(110))), "however long it lasts by now");
        let late = beat(&calling, Some(&report("desk", true, 35)), 112).unwrap();
        assert_eq!((late.after.call.map(|call| call.since), late.ended_call), (Some(at(70)), None), "what comes late tells of the same call");
    }

    #[test]
    fn a_call_goes_on_whatever_the_agent_says_they_are_doing() {
        let calling = beat(&present(Available, 100), Some(&report("desk", true, 40)), 110).unwrap().after;
        for status in [Busy, Offline] {
            let step = changed(&calling, &to(status), By::Oneself, 120).unwrap();
            assert_eq!((&step.after.call, step.ended_call), (&calling.call, None));
        }
    }

    #[test]
    fn clocks_that_differ_a_little_do_not_turn_time_back() {
        let busy = changed(&present(Available, 100), &to(Busy), By::Oneself, 130).unwrap().after;
        let behind = changed(&busy, &to(Available), By::Oneself, 125).unwrap();
        assert_eq!((behind.after.since, behind.after.last_activity_at, behind.finished.len()), (at(130), at(130), 0));
    }

    #[test]
    fn a_clock_that_ran_a_day_ahead_is_passed_over_as_soon_as_one_is_right() {
        let day = 86_400;
        let ahead = beat(&present(Available, 100), None, 110 + day).unwrap();
        assert_eq!(told(&ahead.finished), [(Available, 100, 160), (Offline, 160, 110 + day)]);
        assert_eq!(ahead.after.effective(at(120), TIMEOUT), Offline);
        let right = beat(&ahead.after, None, 120).unwrap();
        assert_eq!((right.after.since, right.after.last_activity_at, right.finished.len()), (at(120), at(120), 0));
        assert_eq!(right.after.effective(at(120), TIMEOUT), Available);
    }

    #[test]
    fn what_a_heartbeat_tells_must_be_possible() {
        let given = |device: Option<&str>, seconds: Option<i32>| Heartbeat { device: device.map(str::to_owned), on_call: Some(true), current_call_seconds: seconds };
        let codes = |given: &Heartbeat| checked_heartbeat(given).unwrap_err().into_iter().map(|error| (error.field, error.code)).collect::<Vec<_>>();
        for seconds in [-1, 86_401, i32::MIN, i32::MAX] {
            assert_eq!(codes(&given(None, Some(seconds))), [("currentCallSeconds".to_owned(), FieldErrorCode::Invalid)]);
        }
        let both = codes(&given(Some(&"x".repeat(101)), Some(-1)));
        assert_eq!(both, [("deviceId".to_owned(), FieldErrorCode::TooLong), ("currentCallSeconds".to_owned(), FieldErrorCode::Invalid)]);
        assert_eq!(codes(&given(Some("a\nb"), None)), [("deviceId".to_owned(), FieldErrorCode::Invalid)]);
        assert_eq!(checked_heartbeat(&given(Some(" desk "), Some(86_400))), Ok(Some(report("desk", true, 86_400))));
        assert_eq!(checked_heartbeat(&given(Some(" "), Some(0))), Ok(Some(report("", true, 0))));
        assert_eq!(checked_heartbeat(&Heartbeat { on_call: None, ..given(Some("desk"), Some(7)) }), Ok(None));
    }
}
