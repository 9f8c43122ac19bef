//! The loader of presences: those of a page of agents are read in one go.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use switchboard_app::presence::{self, PresenceToday};
use switchboard_app::{AppError, Services, Viewer};
use switchboard_domain::ids::AgentId;

/// What agents are doing, with the calls they had today.
pub(crate) struct PresenceLoader {
    pub(crate) services: Services,
    pub(crate) viewer: Viewer,
}

impl Loader<AgentId> for PresenceLoader {
    type Value = Arc<PresenceToday>;
    type Error = Arc<AppError>;

    async fn load(&self, agents: &[AgentId]) -> Result<HashMap<AgentId, Arc<PresenceToday>>, Arc<AppError>> {
        let found = presence::today(&self.services, &self.viewer, agents).await?;
        Ok(found.into_iter().map(|(agent, today)| (agent, Arc::new(today))).collect())
    }
}
