//! The queries for schedules.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::schedules;
use switchboard_domain::schedule::TimeRange;

use super::{AgentSchedule, FreeSlot};
use crate::contact::{agent_id, team_id};
use crate::context::ContextExt;
use crate::errors::{Code, app_error, hidden};
use crate::scalars::DateTime;

/// Slots when the client doesn't say.
const DEFAULT: usize = 100;
/// Most slots.
const MOST: usize = 500;

/// The queries for schedules.
#[derive(Default)]
pub(crate) struct ScheduleQuery;

#[Object]
impl ScheduleQuery {
    /// When an agent can be booked: their windows and exceptions, and what those come to between two times; null when there is no such agent, or none for
    /// you.
    async fn agent_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent.")] agent_id: ID,
        #[graphql(desc = "From when.")] from: DateTime,
        #[graphql(desc = "Until when: at most 92 days later.")] to: DateTime,
    ) -> Result<Option<AgentSchedule>> {
        let Some(agent) = self::agent_id(&agent_id) else {
            return Ok(None);
        };
        let within = TimeRange { from: from.0, to: to.0 };
        let found = schedules::of_agent(&ctx.api().services, ctx.viewer(), agent, within).await.or_else(hidden).map_err(app_error)?;
        Ok(found.map(AgentSchedule::from))
    }

    /// When an agent, or somebody of a team, can be booked for so many minutes: by time, then by agent. Slots are laid from the beginning of each free time
    /// on, and none begins in the past.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(100).clamp(0, 500)).unwrap_or(1) * child_complexity")]
    #[expect(clippy::too_many_arguments, reason = "these are the arguments of the query")]
    async fn free_slots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An agent; or a team.")] agent_id: Option<ID>,
        #[graphql(desc = "A team; or an agent.")] team_id: Option<ID>,
        #[graphql(desc = "From when.")] from: DateTime,
        #[graphql(desc = "Until when: at most 31 days later.")] to: DateTime,
        #[graphql(desc = "How long each is to be: 5 to 1,440.")] duration_minutes: i32,
        #[graphql(desc = "How long there is to be between one and the next: 0 to 480; the organisation's `bookingBufferMinutes` when not given.")] buffer_minutes: Option<
            i32,
        >,
        #[graphql(desc = "How many, 100 when not given, at most 500.")] first: Option<i32>,
    ) -> Result<Vec<FreeSlot>> {
        let first = match first {
            None => DEFAULT,
            Some(first) => match usize::try_from(first) {
                Ok(first @ 1..=MOST) => first,
                _ => return Err(Code::LimitExceeded.error(format!("first is {first}. Ask for 1 to {MOST} slots."))),
            },
        };
        let request = schedules::FreeSlots {
            agent: agent_id.map(|id| self::agent_id(&id)),
            team: team_id.map(|id| self::team_id(&id)),
            within: TimeRange { from: from.0, to: to.0 },
            duration_minutes,
            buffer_minutes,
            first,
        };
        let found = schedules::free_slots(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?;
        Ok(found.into_iter().map(FreeSlot).collect())
    }
}
