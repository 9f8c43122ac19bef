//! The signed-in user and their organisation.

mod mutation;
mod types;

use async_graphql::Object;

pub(crate) use mutation::TenantMutation;
pub(crate) use types::{Tenant, Viewer};

/// The query for the viewer.
#[derive(Default)]
pub(crate) struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The signed-in user, their organisation and what they may do.
    async fn viewer(&self) -> Viewer {
        Viewer
    }
}
