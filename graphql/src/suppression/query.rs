//! The queries for the suppression list.

use async_graphql::{Context, Object, Result};
use switchboard_app::suppressions;
use switchboard_domain::ids::SuppressionId;

use super::Suppression;
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::page::{Asked, Connection};

/// The queries for the suppression list.
#[derive(Default)]
pub(crate) struct SuppressionQuery;

#[Object]
impl SuppressionQuery {
    /// What is on the suppression list, the last put there first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn suppression_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<Suppression>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, "suppressionList", first, after.as_deref())?;
        let page = suppressions::list(&ctx.api().services, viewer, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|(place, entry)| (place, Suppression(entry))).collect();
        Ok(asked.page(entries, page.has_more))
    }

    /// The entry of a number, written in any way that is valid in the tenant's country; null when it never was on the list, or for who may not see
    /// it. One that was taken off has a `removedAt`.
    async fn suppression(&self, ctx: &Context<'_>, #[graphql(desc = "The number.")] phone: String) -> Result<Option<Suppression>> {
        let found = suppressions::by_phone(&ctx.api().services, ctx.viewer(), &phone).await.or_else(hidden).map_err(app_error)?;
        Ok(found.map(Suppression))
    }
}

/// An entry by its id; none without the right to see it.
pub(crate) async fn suppression(ctx: &Context<'_>, id: &SuppressionId) -> Result<Option<Suppression>> {
    let found = suppressions::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
    Ok(found.map(Suppression))
}
