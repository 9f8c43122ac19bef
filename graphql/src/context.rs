//! What resolvers work with: the services, the viewer, and loaders that live as long as the request.

use async_graphql::dataloader::{DataLoader, HashMapCache};
use async_graphql::{Context, Data};
use switchboard_app::imports::ImportServices;
use switchboard_app::scoring::models::Explainer;
use switchboard_app::{Services, Viewer};
use switchboard_platform::Signer;

use crate::audit::NameLoader;
use crate::loader::{ContactLoader, DirectoryLoader};
use crate::presence::PresenceLoader;

/// What the API needs of the outside.
#[derive(Clone)]
pub struct Api {
    /// The database, keys, time and randomness.
    pub services: Services,
    /// The same with the buckets and the queue of imports.
    pub imports: ImportServices,
    /// The key that seals the days of the audit trail.
    pub signer: Signer,
}

/// What a request carries for its resolvers.
#[must_use]
pub fn request_data(api: &Api, viewer: Viewer) -> Data {
    let mut data = Data::default();
    data.insert(DataLoader::new(ContactLoader { services: api.services.clone(), viewer: viewer.clone() }, tokio::spawn));
    data.insert(DataLoader::new(DirectoryLoader { services: api.services.clone(), viewer: viewer.clone() }, tokio::spawn));
    data.insert(DataLoader::with_cache(NameLoader { services: api.services.clone(), viewer: viewer.clone() }, tokio::spawn, HashMapCache::default()));
    data.insert(DataLoader::new(PresenceLoader { services: api.services.clone(), viewer: viewer.clone() }, tokio::spawn));
    data.insert(Explainer::new(&api.services, &viewer.tenant, &viewer.settings));
    data.insert(viewer);
    data
}

/// Short ways to what a context holds.
pub(crate) trait ContextExt {
    /// The services.
    fn api(&self) -> &Api;
    /// The signed-in user.
    fn viewer(&self) -> &Viewer;
    /// Contacts by id, many at once.
    fn contacts(&self) -> &DataLoader<ContactLoader>;
    /// Users, agents and teams by id, many at once.
    fn directory(&self) -> &DataLoader<DirectoryLoader>;
    /// What agents are doing, many at once.
    fn presences(&self) -> &DataLoader<PresenceLoader>;
    /// What records were called at times, many at once, and each once a request.
    fn names(&self) -> &DataLoader<NameLoader, HashMapCache>;
}

impl ContextExt for Context<'_> {
    fn api(&self) -> &Api {
        self.data_unchecked()
    }

    fn viewer(&self) -> &Viewer {
        self.data_unchecked()
    }

    fn contacts(&self) -> &DataLoader<ContactLoader> {
        self.data_unchecked()
    }

    fn directory(&self) -> &DataLoader<DirectoryLoader> {
        self.data_unchecked()
    }

    fn presences(&self) -> &DataLoader<PresenceLoader> {
        self.data_unchecked()
    }

    fn names(&self) -> &DataLoader<NameLoader, HashMapCache> {
        self.data_unchecked()
    }
}
