//! The loader of names: what the records were called that the events of a page name.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use switchboard_app::audit::{self, NamedAt};
use switchboard_app::{AppError, Services, Viewer};

/// What records were called at times.
pub(crate) struct NameLoader {
    pub(crate) services: Services,
    pub(crate) viewer: Viewer,
}

impl Loader<NamedAt> for NameLoader {
    type Value = String;
    type Error = Arc<AppError>;

    async fn load(&self, asked: &[NamedAt]) -> Result<HashMap<NamedAt, String>, Arc<AppError>> {
        Ok(audit::names(&self.services, &self.viewer, asked).await?)
    }
}
