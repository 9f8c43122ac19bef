//! The mutations of schedules.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::schedules::{self, AddException, AddWindow, ChangedSchedule, RemoveException, RemoveWindow, UpdateWindow};
use switchboard_domain::ids::{ScheduleExceptionId, ScheduleWindowId};
use switchboard_domain::schedule::{ExceptionInput, WindowInput, WindowPatch};

use super::{Recurrence, ScheduleException, ScheduleExceptionKind, ScheduleWindow, Weekday};
use crate::agent::Agent;
use crate::contact::agent_id;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::scalars::Date;

/// A window to be added to a schedule.
#[derive(InputObject)]
pub(crate) struct ScheduleAddWindowInput {
    /// The agent; you when not given.
    agent_id: Option<ID>,
    /// The first day on which it may begin; the only one when it doesn't come again.
    date: Date,
    /// When it begins, as `HH:MM`, by the clocks of the schedule's zone.
    start_time: String,
    /// When it ends, as `HH:MM`, up to `24:00`.
    end_time: String,
    /// It ends on the day after the one on which it begins, 24 hours later at most.
    #[graphql(default)]
    ends_next_day: bool,
    /// How it comes again.
    #[graphql(default_with = "Recurrence::Once")]
    recurrence: Recurrence,
    /// The days on which it begins: needed for WEEKLY, and for nothing else.
    weekdays: Option<Vec<Weekday>>,
    /// The last day on which it may begin, when it comes again; for ever when not given.
    until: Option<Date>,
    /// The schedule's version as it was read, 0 when there was nothing in it; another one is STALE. It doesn't matter when not given.
    expected_version: Option<i32>,
    /// The client's own key for this window, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// A window to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct ScheduleUpdateWindowInput {
    /// The agent; you when not given.
    agent_id: Option<ID>,
    /// The window.
    window_id: ID,
    /// The schedule's version as it was read; another one is STALE. It doesn't matter when not given.
    expected_version: Option<i32>,
    /// The first day on which it may begin; the only one when it doesn't come again.
    date: MaybeUndefined<Date>,
    /// When it begins, as `HH:MM`, by the clocks of the schedule's zone.
    start_time: MaybeUndefined<String>,
    /// When it ends, as `HH:MM`, up to `24:00`.
    end_time: MaybeUndefined<String>,
    /// It ends on the day after the one on which it begins, 24 hours later at most.
    ends_next_day: MaybeUndefined<bool>,
    /// How it comes again. With another value than WEEKLY the weekdays go when they aren't given, with ONCE `until` too.
    recurrence: MaybeUndefined<Recurrence>,
    /// The days on which it begins: needed for WEEKLY, and for nothing else.
    weekdays: MaybeUndefined<Vec<Weekday>>,
    /// The last day on which it may begin, when it comes again; null for ever.
    until: MaybeUndefined<Date>,
}

/// A window to be removed from a schedule.
#[derive(InputObject)]
pub(crate) struct ScheduleRemoveWindowInput {
    /// The agent; you when not given.
    agent_id: Option<ID>,
    /// The window.
    window_id: ID,
    /// The schedule's version as it was read; another one is STALE. It doesn't matter when not given.
    expected_version: Option<i32>,
}

/// An exception to be added to a schedule.
#[derive(InputObject)]
pub(crate) struct ScheduleAddExceptionInput {
    /// The agent; you when not given.
    agent_id: Option<ID>,
    /// The first day.
    date: Date,
    /// The last day; the first when not given.
    until_date: Option<Date>,
    /// When it begins on the first day, as `HH:MM`, by the clocks of the schedule's zone; with the day when not given.
    start_time: Option<String>,
    /// When it ends on the last day, as `HH:MM`, up to `24:00`; with the day when not given.
    end_time: Option<String>,
    /// Why.
    kind: ScheduleExceptionKind,
    /// More about it, in at most 255 characters; it stays readable in the audit trail, so name nobody.
    note: Option<String>,
    /// The schedule's version as it was read, 0 when there was nothing in it; another one is STALE. It doesn't matter when not given.
    expected_version: Option<i32>,
    /// The client's own key for this exception, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// An exception to be removed from a schedule.
#[derive(InputObject)]
pub(crate) struct ScheduleRemoveExceptionInput {
    /// The agent; you when not given.
    agent_id: Option<ID>,
    /// The exception.
    exception_id: ID,
    /// The schedule's version as it was read; another one is STALE. It doesn't matter when not given.
    expected_version: Option<i32>,
}

/// What came of adding a window.
#[derive(SimpleObject)]
pub(crate) struct ScheduleAddWindowPayload {
    /// The window; null when there are errors, and when it was added before with the same key and removed since.
    window: Option<ScheduleWindow>,
    /// Whose schedule it is; null exactly when there are errors.
    agent: Option<Agent>,
    /// The schedule's version; null exactly when there are errors.
    version: Option<u32>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of changing a window.
#[derive(SimpleObject)]
pub(crate) struct ScheduleUpdateWindowPayload {
    /// The window as it is now; null exactly when there are errors.
    window: Option<ScheduleWindow>,
    /// Whose schedule it is; null exactly when there are errors.
    agent: Option<Agent>,
    /// The schedule's version; null exactly when there are errors.
    version: Option<u32>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of removing a window.
#[derive(SimpleObject)]
pub(crate) struct ScheduleRemoveWindowPayload {
    /// Whose schedule it is; null exactly when there are errors.
    agent: Option<Agent>,
    /// The schedule's version; null exactly when there are errors.
    version: Option<u32>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of adding an exception.
#[derive(SimpleObject)]
pub(crate) struct ScheduleAddExceptionPayload {
    /// The exception; null when there are errors, and when it was added before with the same key and removed since.
    exception: Option<ScheduleException>,
    /// Whose schedule it is; null exactly when there are errors.
    agent: Option<Agent>,
    /// The schedule's version; null exactly when there are errors.
    version: Option<u32>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of removing an exception.
#[derive(SimpleObject)]
pub(crate) struct ScheduleRemoveExceptionPayload {
    /// Whose schedule it is; null exactly when there are errors.
    agent: Option<Agent>,
    /// The schedule's version; null exactly when there are errors.
    version: Option<u32>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What every payload says.
struct Said<T> {
    entry: Option<T>,
    agent: Option<Agent>,
    version: Option<u32>,
    user_errors: Vec<UserError>,
}

impl<T> From<Result<ChangedSchedule<T>, Vec<AppUserError>>> for Said<T> {
    fn from(outcome: Result<ChangedSchedule<T>, Vec<AppUserError>>) -> Self {
        match outcome {
            Ok(changed) => Self { entry: Some(changed.entry), agent: Some(Agent(Arc::new(changed.agent))), version: Some(changed.version), user_errors: Vec::new() },
            Err(errors) => Self { entry: None, agent: None, version: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        }
    }
}

/// The mutations of schedules.
#[derive(Default)]
pub(crate) struct ScheduleMutation;

#[Object]
impl ScheduleMutation {
    /// Adds a time in which an agent can be booked. A schedule has at most 50.
    async fn schedule_add_window(&self, ctx: &Context<'_>, #[graphql(desc = "The window.")] input: ScheduleAddWindowInput) -> Result<ScheduleAddWindowPayload> {
        let values = WindowInput {
            date: input.date.0,
            start_time: input.start_time,
            end_time: input.end_time,
            ends_next_day: input.ends_next_day,
            recurrence: input.recurrence.into(),
            weekdays: input.weekdays.unwrap_or_default().into_iter().map(Into::into).collect(),
            until: input.until.map(|date| date.0),
        };
        let agent = input.agent_id.as_ref().map(agent_id);
        let request = AddWindow { agent, input: values, expected_version: input.expected_version, idempotency_key: input.idempotency_key };
        let said = Said::from(schedules::add_window(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?);
        let window = said.entry.flatten().map(ScheduleWindow);
        Ok(ScheduleAddWindowPayload { window, agent: said.agent, version: said.version, user_errors: said.user_errors })
    }

    /// Changes a time in which an agent can be booked.
    async fn schedule_update_window(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: ScheduleUpdateWindowInput) -> Result<ScheduleUpdateWindowPayload> {
        let patch = WindowPatch {
            date: input.date.map_value(|date| date.0).into(),
            start_time: input.start_time.into(),
            end_time: input.end_time.into(),
            ends_next_day: input.ends_next_day.into(),
            recurrence: input.recurrence.map_value(Into::into).into(),
            weekdays: input.weekdays.map_value(|weekdays| weekdays.into_iter().map(Into::into).collect()).into(),
            until: input.until.map_value(|date| date.0).into(),
        };
        let (agent, window) = (input.agent_id.as_ref().map(agent_id), ScheduleWindowId::parse(&input.window_id));
        let request = UpdateWindow { agent, window, patch, expected_version: input.expected_version };
        let said = Said::from(schedules::update_window(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?);
        let window = said.entry.map(ScheduleWindow);
        Ok(ScheduleUpdateWindowPayload { window, agent: said.agent, version: said.version, user_errors: said.user_errors })
    }

    /// Removes a time in which an agent could be booked.
    async fn schedule_remove_window(&self, ctx: &Context<'_>, #[graphql(desc = "The window.")] input: ScheduleRemoveWindowInput) -> Result<ScheduleRemoveWindowPayload> {
        let (agent, window) = (input.agent_id.as_ref().map(agent_id), ScheduleWindowId::parse(&input.window_id));
        let request = RemoveWindow { agent, window, expected_version: input.expected_version };
        let said = Said::from(schedules::remove_window(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?);
        Ok(ScheduleRemoveWindowPayload { agent: said.agent, version: said.version, user_errors: said.user_errors })
    }

    /// Adds a time in which an agent can't be booked, whatever the windows say. A schedule has at most 200.
    async fn schedule_add_exception(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The exception.")] input: ScheduleAddExceptionInput,
    ) -> Result<ScheduleAddExceptionPayload> {
        let values = ExceptionInput {
            date: input.date.0,
            until_date: input.until_date.map(|date| date.0),
            start_time: input.start_time,
            end_time: input.end_time,
            kind: input.kind.into(),
            note: input.note,
        };
        let agent = input.agent_id.as_ref().map(agent_id);
        let request = AddException { agent, input: values, expected_version: input.expected_version, idempotency_key: input.idempotency_key };
        let said = Said::from(schedules::add_exception(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?);
        let exception = said.entry.flatten().map(ScheduleException);
        Ok(ScheduleAddExceptionPayload { exception, agent: said.agent, version: said.version, user_errors: said.user_errors })
    }

    /// Removes a time in which an agent couldn't be booked.
    async fn schedule_remove_exception(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The exception.")] input: ScheduleRemoveExceptionInput,
    ) -> Result<ScheduleRemoveExceptionPayload> {
        let (agent, exception) = (input.agent_id.as_ref().map(agent_id), ScheduleExceptionId::parse(&input.exception_id));
        let request = RemoveException { agent, exception, expected_version: input.expected_version };
        let said = Said::from(schedules::remove_exception(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?);
        Ok(ScheduleRemoveExceptionPayload { agent: said.agent, version: said.version, user_errors: said.user_errors })
    }
}
