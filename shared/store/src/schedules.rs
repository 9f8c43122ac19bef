//! Schedules: one item beside each agent who has one, with all of its windows and exceptions.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use switchboard_domain::ids::AgentId;
use switchboard_domain::person::Agent;
use switchboard_domain::schedule::{Exception, Schedule, Window};

use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, text, to_item};
use crate::keys::{self, Key};
use crate::people;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Freshness, Part};

/// The type of a schedule's item.
pub const SCHEDULE: &str = "schedule";

#[derive(Serialize, Deserialize)]
struct ScheduleItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    agent: AgentId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    windows: Vec<Window>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exceptions: Vec<Exception>,
    #[serde(flatten)]
    record: RecordAttributes,
}

fn encode(scope: &TenantScope, schedule: &Schedule) -> Result<Item, StoreError> {
    let key = keys::schedule(scope, schedule.agent);
    let form = ScheduleItem {
        pk: key.pk,
        sk: key.sk,
        kind: SCHEDULE.to_owned(),
        agent: schedule.agent,
        windows: schedule.windows.clone(),
        exceptions: schedule.exceptions.clone(),
        record: (&schedule.record).into(),
    };
    to_item(SCHEDULE, &form)
}

/// Reads a schedule from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode(item: Item) -> Result<Schedule, StoreError> {
    let item: ScheduleItem = from_item(SCHEDULE, item)?;
    Ok(Schedule { agent: item.agent, record: item.record.into(), windows: item.windows, exceptions: item.exceptions })
}

/// Reads agents, deleted ones too, each with their schedule if they have one; absent ones are left out. No agent may be asked for twice. 1 request per
/// 50; 1 R per started 4 KB of an agent and of a schedule (about 0.2 KB a window or exception), half of one when eventual.
///
/// # Errors
/// Those of the database.
pub async fn of_agents(table: &CoreTable, scope: &TenantScope, agents: &[AgentId], freshness: Freshness) -> Result<Vec<(Agent, Option<Schedule>)>, StoreError> {
    let keys: Vec<Key> = agents.iter().flat_map(|agent| [keys::agent(scope, *agent), keys::schedule(scope, *agent)]).collect();
    let mut found = Vec::with_capacity(agents.len());
    let mut schedules = HashMap::new();
    for item in table.batch_get(scope, &keys, freshness).await? {
        match text(&item, "type") {
            Some(people::AGENT) => found.push(people::decode_agent(item)?),
            Some(SCHEDULE) => {
                let schedule = decode(item)?;
                schedules.insert(schedule.agent, schedule);
            }
            other => return Err(StoreError::undecodable(SCHEDULE, format!("type {other:?}"))),
        }
    }
    let with_schedule = |agent: Agent| {
        let schedule = schedules.remove(&agent.id);
        (agent, schedule)
    };
    Ok(found.into_iter().map(with_schedule).collect())
}

/// Writes a schedule, the first of its agent or over the one of revision `replaced`, and other parts with it; false when a condition didn't hold.
/// 1 request, 1 W per started KB (about 0.2 KB a window or exception); with other parts a transaction: twice that, and theirs.
///
/// # Errors
/// Those of the database.
pub async fn write(table: &CoreTable, scope: &TenantScope, schedule: &Schedule, replaced: Option<u32>, others: Vec<Part>) -> Result<bool, StoreError> {
    let item = encode(scope, schedule)?;
    let mut parts = vec![match replaced {
        None => Part::Insert { item, expired_before: None },
        Some(revision) => Part::Replace { item, revision },
    }];
    parts.extend(others);
    table.commit(scope, parts).await
}
