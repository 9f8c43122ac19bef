//! What agents are doing: one item an agent, in index 2 unless they are offline; what is counted of them a day; and the times they were in one status.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::AgentId;
use switchboard_domain::presence::{CurrentCall, Presence, PresenceStatus, Segment, Step};

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{Change, CoreTable, Freshness, Order, Part};

/// The type of a presence's item.
pub const PRESENCE: &str = "presence";
/// The type of the item that counts a day.
pub const PRESENCE_DAY: &str = "presence_day";
/// The type of a segment's item.
pub const PRESENCE_SEGMENT: &str = "presence_segment";

/// How long days and segments are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// More presences than a tenant has.
const MANY: usize = 1_000_000;
/// Segments that are read in one go at first: those of an ordinary day.
const SEGMENTS_AT_FIRST: usize = 100;
/// Segments that are read in one go after that: less than 1 MB.
const SEGMENTS_AT_ONCE: usize = 2_000;
/// Segments read that begin before the span: the last of them reaches into it, or an earlier one when some were written ahead of time by a wrong clock.
const SEGMENTS_BEFORE: usize = 20;
/// What is written whether something is there or not.
const ALWAYS: &str = "attribute_exists(PK) OR attribute_not_exists(PK)";

#[derive(Serialize, Deserialize)]
struct PresenceItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI2PK", default, skip_serializing_if = "Option::is_none")]
    list_pk: Option<String>,
    #[serde(rename = "GSI2SK", default, skip_serializing_if = "Option::is_none")]
    list_sk: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    agent: AgentId,
    status: PresenceStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    break_reason: Option<String>,
    accepting_leads: bool,
    #[serde(with = "switchboard_domain::clock::millis")]
    since: Timestamp,
    #[serde(with = "switchboard_domain::clock::millis")]
    last_activity_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<CurrentCall>,
    #[serde(flatten)]
    record: RecordAttributes,
}

/// Who is present stands in index 2, by status, then by whether they take leads, then by how long.
fn encode(scope: &TenantScope, presence: &Presence) -> Result<Item, StoreError> {
    let key = keys::presence(scope, presence.agent);
    let is_listed = presence.status != PresenceStatus::Offline;
    let place = || {
        let (status, since) = (presence.status.as_str(), presence.since.as_millisecond());
        format!("{status}#{}#{since:013}#{}", u8::from(presence.accepting_leads), presence.agent)
    };
    let form = PresenceItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: is_listed.then(|| keys::presence_list(scope)),
        list_sk: is_listed.then(place),
        kind: PRESENCE.to_owned(),
        agent: presence.agent,
        status: presence.status,
        break_reason: presence.break_reason.clone(),
        accepting_leads: presence.accepting_leads,
        since: presence.since,
        last_activity_at: presence.last_activity_at,
        call: presence.call.clone(),
        record: (&presence.record).into(),
    };
    to_item(PRESENCE, &form)
}

/// Reads a presence from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode(item: Item) -> Result<Presence, StoreError> {
    let item: PresenceItem = from_item(PRESENCE, item)?;
    Ok(Presence {
        agent: item.agent,
        record: item.record.into(),
        status: item.status,
        break_reason: item.break_reason,
        accepting_leads: item.accepting_leads,
        since: item.since,
        last_activity_at: item.last_activity_at,
        call: item.call,
    })
}

/// Reads what is kept of an agent's presence; nothing when they were never there. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, scope: &TenantScope, agent: AgentId) -> Result<Option<Presence>, StoreError> {
    table.get(scope, &keys::presence(scope, agent)).await?.map(decode).transpose()
}

/// A presence, and what is counted of the agent on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresenceOnDay {
    /// The presence; none when they were never there.
    pub presence: Option<Presence>,
    /// Calls that ended on the day.
    pub calls: u32,
}

#[derive(Deserialize)]
struct DayItem {
    agent: AgentId,
    calls: u32,
}

/// Reads presences, each with what is counted on a day. 1 request per 50 agents; 2 R each, when eventual 1.
///
/// # Errors
/// Those of the database.
pub async fn on_day(table: &CoreTable, scope: &TenantScope, agents: &[AgentId], day: Date, freshness: Freshness) -> Result<HashMap<AgentId, PresenceOnDay>, StoreError> {
    let mut found: HashMap<AgentId, PresenceOnDay> = agents.iter().map(|agent| (*agent, PresenceOnDay::default())).collect();
    // The database takes no key twice in one request.
    let keys: Vec<keys::Key> = found.keys().flat_map(|agent| [keys::presence(scope, *agent), keys::presence_day(scope, *agent, day)]).collect();
    for item in table.batch_get(scope, &keys, freshness).await? {
        match text(&item, "type") {
            Some(PRESENCE) => {
                let presence = decode(item)?;
                let agent = presence.agent;
                found.entry(agent).or_default().presence = Some(presence);
            }
            Some(PRESENCE_DAY) => {
                let day: DayItem = from_item(PRESENCE_DAY, item)?;
                found.entry(day.agent).or_default().calls = day.calls;
            }
            other => return Err(StoreError::undecodable(PRESENCE, format!("type {other:?}"))),
        }
    }
    Ok(found)
}

/// Reads how many calls of an agent ended on a day. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn calls(table: &CoreTable, scope: &TenantScope, agent: AgentId, day: Date) -> Result<u32, StoreError> {
    let Some(item) = table.get(scope, &keys::presence_day(scope, agent, day)).await? else {
        return Ok(0);
    };
    Ok(from_item::<DayItem>(PRESENCE_DAY, item)?.calls)
}

/// An agent in the list of those who aren't offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceEntry {
    /// The agent.
    pub agent: AgentId,
    /// What they say they are doing.
    pub status: PresenceStatus,
    /// Whether they take leads.
    pub accepting_leads: bool,
    /// Since when they are doing it.
    pub since: Timestamp,
    /// When they were last heard of.
    pub last_activity_at: Timestamp,
}

impl PresenceEntry {
    /// What the agent counts as doing: nothing, when silent.
    #[must_use]
    pub fn effective(&self, now: Timestamp, timeout: SignedDuration) -> PresenceStatus {
        self.status.effective(self.last_activity_at, now, timeout)
    }

    fn decode(item: &Item) -> Result<Self, StoreError> {
        let missing = |what: &str| StoreError::undecodable("entry of a presence", format!("it has no {what}"));
        let mut place = text(item, "GSI2SK").unwrap_or_default().split('#');
        let status = place.next().and_then(PresenceStatus::parse).ok_or_else(|| missing("status"))?;
        let accepting_leads = place.next().ok_or_else(|| missing("word on leads"))? == "1";
        let since = place.next().and_then(moment).ok_or_else(|| missing("beginning"))?;
        let agent = place.next().and_then(AgentId::parse).ok_or_else(|| missing("agent"))?;
        let last_activity_at = item.get("last_activity_at").and_then(|millis| millis.as_n().ok()).and_then(|millis| moment(millis));
        Ok(Self { agent, status, accepting_leads, since, last_activity_at: last_activity_at.ok_or_else(|| missing("last activity"))? })
    }
}

/// A time of milliseconds as they are written.
fn moment(millis: &str) -> Option<Timestamp> {
    millis.parse().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok())
}

/// Lists everybody whose status isn't `OFFLINE`, the silent ones too: by status, then by whether they take leads, then by how long they are in it, the
/// longest first. 1 request per started MB, half an R per started 4 KB (about 300 bytes an agent). Up to a second behind.
///
/// # Errors
/// Those of the database.
pub async fn entries(table: &CoreTable, scope: &TenantScope) -> Result<Vec<PresenceEntry>, StoreError> {
    let page = table.work(scope, &keys::presence_list(scope), MANY).await?;
    page.entries.iter().map(PresenceEntry::decode).collect()
}

/// Writes a step over the presence it was decided on, with the segments that are over and the call that is to be counted on this day; false when the
/// presence changed meanwhile. 1 request, 1 W and 1 for index 2 (2 when the status, the word on leads or the beginning changes); with segments or a call a
/// transaction: 2 W and those for index 2, and 2 W for each of them.
///
/// # Errors
/// Those of the database.
pub async fn save(table: &CoreTable, scope: &TenantScope, step: &Step, counted_on: Option<Date>) -> Result<bool, StoreError> {
    let item = encode(scope, &step.after)?;
    let mut parts = vec![match step.after.record.revision.checked_sub(1) {
        None | Some(0) => Part::Insert { item, expired_before: None },
        Some(revision) => Part::Replace { item, revision },
    }];
    parts.extend(step.finished.iter().map(|segment| segment_part(scope, step.after.agent, segment)));
    if let (Some(ended), Some(day)) = (step.ended_call, counted_on) {
        parts.push(count_part(scope, step.after.agent, day, ended));
    }
    table.commit(scope, parts).await
}

/// When what is of this time leaves the table, in seconds since 1970.
fn expiry(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.saturating_add(KEPT).unwrap_or(at).as_second().to_string())
}

fn millis(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

/// Two segments can begin together only when a clock was wrong: then the later one stays, and nothing is refused for that.
fn segment_part(scope: &TenantScope, agent: AgentId, segment: &Segment) -> Part {
    let mut names = vec![("#type", "type"), ("#status", "status"), ("#from", "from"), ("#to", "to"), ("#reason", "break_reason")];
    names.extend([("#revision", "revision"), ("#expires", "expires_at")]);
    let mut values = vec![
        (":type", AttributeValue::S(PRESENCE_SEGMENT.to_owned())),
        (":status", AttributeValue::S(segment.status.as_str().to_owned())),
        (":from", millis(segment.from)),
        (":to", millis(segment.to)),
        (":revision", AttributeValue::N(segment.revision.to_string())),
        (":expires", expiry(segment.to)),
    ];
    let set = "SET #type = :type, #status = :status, #from = :from, #to = :to, #revision = :revision, #expires = :expires";
    let update = match &segment.break_reason {
        None => format!("{set} REMOVE #reason"),
        Some(reason) => {
            values.push((":reason", AttributeValue::S(reason.clone())));
            format!("{set}, #reason = :reason")
        }
    };
    Part::Change(Change { key: keys::presence_segment(scope, agent, segment.from), update, condition: ALWAYS.to_owned(), names, values })
}

fn count_part(scope: &TenantScope, agent: AgentId, day: Date, ended: Timestamp) -> Part {
    Part::Change(Change {
        key: keys::presence_day(scope, agent, day),
        update: "SET #type = :type, #agent = :agent, #expires = :expires ADD #calls :one".to_owned(),
        condition: ALWAYS.to_owned(),
        names: vec![("#type", "type"), ("#agent", "agent"), ("#expires", "expires_at"), ("#calls", "calls")],
        values: vec![
            (":type", AttributeValue::S(PRESENCE_DAY.to_owned())),
            (":agent", AttributeValue::S(agent.to_string())),
            (":expires", expiry(ended)),
            (":one", AttributeValue::N("1".to_owned())),
        ],
    })
}

#[derive(Deserialize)]
struct SegmentItem {
    status: PresenceStatus,
    #[serde(default)]
    break_reason: Option<String>,
    #[serde(with = "switchboard_domain::clock::millis")]
    from: Timestamp,
    #[serde(with = "switchboard_domain::clock::millis")]
    to: Timestamp,
    revision: u32,
}

/// Reads the segments of an agent that may reach into a span of time: those that begin in it, and the [`SEGMENTS_BEFORE`] before, the newest first. 1
/// request for an ordinary day, 1 R per started 4 KB (about 250 bytes a segment).
///
/// # Errors
/// Those of the database.
pub async fn segments(table: &CoreTable, scope: &TenantScope, agent: AgentId, span: (Timestamp, Timestamp)) -> Result<Vec<Segment>, StoreError> {
    let partition = keys::agent_partition(scope, agent);
    let mut after = keys::presence_segment(scope, agent, span.1).sk;
    let mut limit = SEGMENTS_AT_FIRST;
    let (mut segments, mut before): (Vec<Segment>, usize) = (Vec::new(), 0);
    loop {
        let page = table.range(scope, &partition, keys::PRESENCE_SEGMENTS, Some(&after), limit, Order::Descending).await?;
        for item in page.entries {
            let item: SegmentItem = from_item(PRESENCE_SEGMENT, item)?;
            let SegmentItem { status, break_reason, from, to, revision } = item;
            before += usize::from(from < span.0);
            after = keys::presence_segment(scope, agent, from).sk;
            segments.push(Segment { status, break_reason, from, to, revision });
            if before == SEGMENTS_BEFORE {
                return Ok(segments);
            }
        }
        if !page.has_more {
            return Ok(segments);
        }
        limit = SEGMENTS_AT_ONCE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::change::{Change as Changed, Origin, Revisioned};
    use switchboard_domain::ids::TenantId;
    use switchboard_domain::person::Agent;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_521_600 + second).unwrap()
    }

    fn scope() -> TenantScope {
        TenantScope::vouched(TenantId::new(at(0), &[1; 10]))
    }

    fn presence(status: PresenceStatus) -> Presence {
        let record = Revisioned::created(Changed::new("presence.created", at(10), Origin::system()));
        let agent = Agent {
            id: AgentId::new(at(0), &[2; 10]),
            record: record.clone(),
            name: "Théo".to_owned(),
            sealed_email: Vec::new(),
            employee_id: None,
            time_zone: None,
            teams: Vec::new(),
            deleted_at: None,
        };
        let call = CurrentCall { device: "desk".to_owned(), since: at(20), reported_at: at(30), seconds: 10 };
        let unseen = Presence::unseen(&agent);
        Presence { record, status, break_reason: Some("Lunch".to_owned()), since: at(10), last_activity_at: at(30), call: Some(call), ..unseen }
    }

    #[test]
    fn a_presence_reads_back_from_its_item() {
        for status in PresenceStatus::EVERY {
            let written = presence(status);
            assert_eq!(decode(encode(&scope(), &written).unwrap()).unwrap(), written);
            let without = Presence { break_reason: None, call: None, accepting_leads: false, ..written };
            assert_eq!(decode(encode(&scope(), &without).unwrap()).unwrap(), without);
        }
    }

    #[test]
    fn who_is_not_offline_is_listed_with_all_that_finding_work_for_them_needs() {
        let on_a_break = presence(PresenceStatus::OnBreak);
        for accepting_leads in [true, false] {
            let presence = Presence { accepting_leads, ..on_a_break.clone() };
            let item = encode(&scope(), &presence).unwrap();
            let carried: Item = ["PK", "SK", "GSI2PK", "GSI2SK", "status", "last_activity_at"].into_iter().map(|name| (name.to_owned(), item[name].clone())).collect();
            let Presence { agent, status, since, last_activity_at, .. } = presence;
            assert_eq!(PresenceEntry::decode(&carried).unwrap(), PresenceEntry { agent, status, accepting_leads, since, last_activity_at });
        }
        let offline = encode(&scope(), &presence(PresenceStatus::Offline)).unwrap();
        assert!(!offline.contains_key("GSI2PK") && !offline.contains_key("GSI2SK"));
    }

    #[test]
    fn an_entry_without_what_it_must_have_is_not_guessed() {
        let item =
            |place: &str| Item::from([("GSI2SK".to_owned(), AttributeValue::S(place.to_owned())), ("last_activity_at".to_owned(), AttributeValue::N("1".to_owned()))]);
        let agent = AgentId::new(at(0), &[2; 10]);
        assert!(PresenceEntry::decode(&item(&format!("AWAY#0#0000000000001#{agent}"))).is_ok());
        for wrong in ["", "AWAY", "AWAY#1#x", "AWAY#1#0000000000001#me", &format!("GONE#1#0000000000001#{agent}")] {
            assert!(PresenceEntry::decode(&item(wrong)).is_err(), "{wrong}");
        }
    }
}
