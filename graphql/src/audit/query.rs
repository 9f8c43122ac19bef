//! The queries of the audit trail.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::audit;

use super::change::FieldChange;
use super::event::{AuditEvent, AuditOutcome, AuditSeverity, connection};
use super::filter::{Arguments, audited, check_type};
use super::gap::{self, AuditGap};
use super::verification::{self, AuditPublicKey, AuditVerification};
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::limits::TRAIL_COMPLEXITY;
use crate::page::{Asked, Connection};
use crate::scalars::{Date, DateTime};

/// The queries of the audit trail.
#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What was done in the organisation, newest first: all of it, or by record, actor, import and time. With `entityId` everything on record about that record,
    /// beside its changes who opened it, signed in or was refused. The rows of an import are beneath the events of its chunks, and with the record they changed.
    /// A page may be thin, even empty, when few of the entries examined are meant: `hasNextPage` tells whether there is more, and `endCursor` where to go on.
    /// Where `from` lies before what is kept at hand, older events follow from the archive, which is slow.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    #[expect(clippy::too_many_arguments, reason = "these are the arguments of the query")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
        #[graphql(desc = "The kind of record, such as `contact`. `presence` and `schedule` have the ids of their agents.")] entity_type: Option<String>,
        #[graphql(desc = "The record.")] entity_id: Option<ID>,
        #[graphql(desc = "Who did it: a user, an import, or `system`.")] actor_id: Option<ID>,
        #[graphql(desc = "What was done, such as `contact.updated`.")] action: Option<String>,
        #[graphql(desc = "At this time or later.")] from: Option<DateTime>,
        #[graphql(desc = "Before this time.")] to: Option<DateTime>,
        #[graphql(desc = "The import whose own events these are, or with `entityId` whose row did it.")] import_id: Option<ID>,
        #[graphql(desc = "The request through which it came.")] request_id: Option<String>,
        #[graphql(desc = "How it ended.")] outcome: Option<AuditOutcome>,
        #[graphql(desc = "How much it matters at least.")] minimum_severity: Option<AuditSeverity>,
    ) -> Result<Connection<AuditEvent>> {
        let arguments = Arguments { entity_type, entity_id, actor_id, action, from, to, import_id, request_id, outcome, minimum_severity };
        // Cursors are of the arguments as they are: what finds nothing has none.
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("auditEvents {arguments:?}"), first, after.as_deref())?;
        let Some(filter) = arguments.into_filter()? else {
            return Ok(asked.page(Vec::new(), false));
        };
        let page = audit::list(&ctx.api().services, viewer, &filter, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        Ok(connection(&asked, page))
    }

    /// How a record differs between two versions, field by field; null when there is no such record or version, or the trail no longer reaches back to it.
    #[graphql(complexity = "TRAIL_COMPLEXITY + child_complexity")]
    async fn audit_diff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The record.")] entity_id: ID,
        #[graphql(desc = "The kind of record; only `presence` and `schedule` of an agent need it.")] entity_type: Option<String>,
        #[graphql(desc = "The one version; 0 is that there was no record.")] from_version: i32,
        #[graphql(desc = "The other, which may be the older.")] to_version: i32,
    ) -> Result<Option<Vec<FieldChange>>> {
        check_type(entity_type.as_deref())?;
        let (Some(record), Ok(from), Ok(to)) = (audited(&entity_id, entity_type.as_deref()), u32::try_from(from_version), u32::try_from(to_version)) else {
            return Ok(None);
        };
        let found = audit::diff(&ctx.api().services, ctx.viewer(), &record, from, to).await.map_err(app_error)?;
        Ok(found.map(|found| found.changes.into_iter().map(|change| FieldChange::between(change, found.from_at, found.to_at)).collect()))
    }

    /// Versions that have no event although they should: of one record, or of the newest versions of all records of a kind. Should always be empty; changes of
    /// the last minute are left out. A page may be thin, even empty.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_gaps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
        #[graphql(desc = "The kind of record, such as `contact`; imports and jobs have no versions.")] entity_type: String,
        #[graphql(desc = "The record; all of the kind when not given.")] entity_id: Option<ID>,
    ) -> Result<Connection<AuditGap>> {
        gap::page(ctx, &entity_type, entity_id.as_ref(), first, after.as_deref()).await
    }

    /// Whether the trail is whole: of a record, of a day (UTC), or with neither of the seals of the whole organisation.
    #[graphql(complexity = "TRAIL_COMPLEXITY + child_complexity")]
    async fn audit_verification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The kind of record; only `presence` and `schedule` of an agent need it.")] entity_type: Option<String>,
        #[graphql(desc = "The record.")] entity_id: Option<ID>,
        #[graphql(desc = "The day on which events were recorded.")] day: Option<Date>,
    ) -> Result<AuditVerification> {
        verification::verify(ctx, entity_type.as_deref(), entity_id.as_ref(), day).await
    }

    /// The public half of the key that seals the days of the trail.
    async fn audit_public_key(&self, ctx: &Context<'_>) -> Result<AuditPublicKey> {
        verification::public_key(ctx).await
    }
}
