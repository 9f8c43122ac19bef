//! The query for statuses.

use async_graphql::{Context, Object};

use super::ContactStatus;
use crate::context::ContextExt;

/// The queries for statuses.
#[derive(Default)]
pub(crate) struct ContactStatusQuery;

#[Object]
impl ContactStatusQuery {
    /// The statuses of the tenant, in their order; deleted ones are left out.
    async fn contact_statuses(&self, ctx: &Context<'_>) -> Vec<ContactStatus> {
        ctx.viewer().settings.listed_statuses().cloned().map(ContactStatus).collect()
    }
}
