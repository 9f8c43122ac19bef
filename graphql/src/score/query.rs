//! The queries for scores.

use async_graphql::{Context, Object, Result};
use switchboard_app::contacts;
use switchboard_app::scoring::distribution;

use super::types::{ScoreCategory, ScoreDistribution};
use crate::contact::{Contact, connection};
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::limits::TRAIL_COMPLEXITY;
use crate::page::{Asked, Connection};

/// The queries for scores.
#[derive(Default)]
pub(crate) struct ScoreQuery;

#[Object]
impl ScoreQuery {
    /// The contacts by score, the highest first; of equal scores the oldest contact. A contact whose score changes while pages are read may come twice or not at all.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn top_contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
        #[graphql(desc = "Only contacts of this category; of any when not given.")] category: Option<ScoreCategory>,
    ) -> Result<Connection<Contact>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("topContacts {category:?}"), first, after.as_deref())?;
        let page = contacts::top(&ctx.api().services, viewer, category.map(Into::into), asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        Ok(connection(&asked, page))
    }

    /// How the scores of the tenant's contacts are spread, counted anew.
    #[graphql(complexity = "TRAIL_COMPLEXITY + child_complexity")]
    async fn score_distribution(&self, ctx: &Context<'_>) -> Result<ScoreDistribution> {
        Ok(distribution::distribution(&ctx.api().services, ctx.viewer()).await.map_err(app_error)?.into())
    }
}
