//! The staff directory: agents made, changed, deleted, brought back, and listed by name.
//!
//! An agent is a user's entry in it, under the user's own UUID and with the user's name and address. What concerns both is written in one transaction:
//! a name, a deletion, which disables the user, a restoring, which enables them. So is what concerns the agent's teams, decided on as they are and
//! decided anew when somebody was faster.
//!
//! The identity someone signs in with, and the contacts they have, are outside such a transaction. What is first written, and what follows it, is said
//! with each function, so that one that was broken off is completed by the same request.

mod create;
mod delete;
mod form;
mod list;
mod places;
mod read;
mod restore;
mod revert;
mod update;

pub use create::{CreateAgent, create, enter};
pub use delete::{DeleteAgent, DeletedAgent, TakenOut, delete, take_out};
pub(crate) use form::employee_id;
pub use list::{AgentFilter, AgentPage, list};
pub(crate) use places::entered;
pub use read::get;
pub use restore::{bring_back, restore};
pub(crate) use revert::revert;
pub use update::{AgentPatch, UpdateAgent, update};

use switchboard_domain::ids::AgentId;
use switchboard_domain::person::{Agent, User};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, people};

use crate::error::AppError;
use crate::services::Services;

/// An agent and the user they sign in as, as they are now, a deleted one too. 1 request, 2 R.
///
/// # Errors
/// [`AppError::NotFound`]; those of the database.
async fn find(services: &Services, tenant: &OpenTenant, id: AgentId) -> Result<(User, Agent), AppError> {
    let found = people::directory(&services.core, &tenant.scope, &[id.into()], &[id], &[], Freshness::Strong).await?;
    let agent = found.agents.into_iter().next().ok_or(AppError::NotFound)?;
    let user = found.users.into_iter().next().ok_or_else(|| AppError::Broken("an agent has no user".to_owned()))?;
    Ok((user, agent))
}
