//! Loaders: what many fields of one request ask for is read in one go.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use switchboard_app::{AppError, Services, Viewer, contacts, people};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{AgentId, ContactId, TeamId, UserId};
use switchboard_domain::person::{Agent, User};
use switchboard_domain::team::Team;

/// Whole contacts.
pub(crate) struct ContactLoader {
    pub(crate) services: Services,
    pub(crate) viewer: Viewer,
}

impl Loader<ContactId> for ContactLoader {
    type Value = Arc<Contact>;
    type Error = Arc<AppError>;

    async fn load(&self, ids: &[ContactId]) -> Result<HashMap<ContactId, Arc<Contact>>, Arc<AppError>> {
        let contacts = contacts::get_many(&self.services, &self.viewer, ids).await?;
        Ok(contacts.into_iter().map(|contact| (contact.id.clone(), Arc::new(contact))).collect())
    }
}

/// Users, agents and teams.
pub(crate) struct DirectoryLoader {
    pub(crate) services: Services,
    pub(crate) viewer: Viewer,
}

/// What can be asked of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DirectoryKey {
    User(UserId),
    Agent(AgentId),
    Team(TeamId),
}

/// What it answers.
#[derive(Debug, Clone)]
pub(crate) enum DirectoryEntry {
    User(Arc<User>),
    Agent(Arc<Agent>),
    Team(Arc<Team>),
}

impl Loader<DirectoryKey> for DirectoryLoader {
    type Value = DirectoryEntry;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[DirectoryKey]) -> Result<HashMap<DirectoryKey, DirectoryEntry>, Arc<AppError>> {
        let (mut users, mut agents, mut teams) = (Vec::new(), Vec::new(), Vec::new());
        for key in keys {
            match key {
                DirectoryKey::User(id) => users.push(*id),
                DirectoryKey::Agent(id) => agents.push(*id),
                DirectoryKey::Team(id) => teams.push(*id),
            }
        }
        let found = people::directory(&self.services, &self.viewer, &users, &agents, &teams).await?;
        let users = found.users.into_iter().map(|user| (DirectoryKey::User(user.id), DirectoryEntry::User(Arc::new(user))));
        let agents = found.agents.into_iter().map(|agent| (DirectoryKey::Agent(agent.id), DirectoryEntry::Agent(Arc::new(agent))));
        let teams = found.teams.into_iter().map(|team| (DirectoryKey::Team(team.id), DirectoryEntry::Team(Arc::new(team))));
        Ok(users.chain(agents).chain(teams).collect())
    }
}
