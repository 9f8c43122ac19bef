//! The queries for bulk jobs.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::bulk;
use switchboard_domain::ids::BulkJobId;

use super::BulkJob;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};

/// The queries for bulk jobs.
#[derive(Default)]
pub(crate) struct BulkJobQuery;

#[Object]
impl BulkJobQuery {
    /// A bulk job by its id; null when there is none, or none for you.
    async fn bulk_job(&self, ctx: &Context<'_>, #[graphql(desc = "The job's id.")] id: ID) -> Result<Option<BulkJob>> {
        match NodeId::parse(&id) {
            Some(NodeId::BulkJob(id)) => bulk_job(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The bulk jobs of the tenant, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn bulk_jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<BulkJob>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, "bulkJobs", first, after.as_deref())?;
        let page = bulk::list(&ctx.api().services, viewer, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|job| (job.id.to_string(), BulkJob::from(job))).collect();
        Ok(asked.page(entries, page.has_more))
    }
}

/// A bulk job by its id; none without the right to see it.
pub(crate) async fn bulk_job(ctx: &Context<'_>, id: BulkJobId) -> Result<Option<BulkJob>> {
    let found = bulk::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
    Ok(found.map(BulkJob::from))
}
