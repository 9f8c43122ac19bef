//! Teams, and who is in them.
//!
//! A membership stands beside its team and in the agent's own record. Team, agent and membership change in one transaction, decided on as they are and
//! decided anew when somebody was faster, so that the team's count of members, its list of them and the teams of an agent always agree.
//!
//! A deleted team keeps its members until the job that its deletion asks for has ended their memberships, one by one.

mod create;
mod delete;
mod list;
mod members;
mod read;
mod restore;
mod revert;
mod update;

pub use create::{CreateTeam, create};
pub use delete::{DeleteTeam, DeletedTeam, delete};
pub use list::{TeamPage, list};
pub use members::{Ending, PlaceMember, PlacedMember, RemoveMember, RemovedMember, add_member, end_membership, remove_member, update_member};
pub(crate) use read::all_members;
pub use read::{get, members};
pub use restore::restore;
pub(crate) use revert::revert;
pub use update::{UpdateTeam, update};

use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::TeamId;
use switchboard_domain::permission::Permission;
use switchboard_domain::team;

use crate::GivenId;
use crate::error::{AppError, Existing, UserError};
use crate::viewer::Viewer;

/// Longest folded name, in bytes. Some ligatures fold to many letters, and what a name is found by must be a key of the database, of 2,048 bytes.
const LONGEST_FOLDED: usize = 1_500;

/// A name that is good for a team, with what makes it the same as another's.
pub(crate) fn checked_name(value: &str) -> Result<(String, String), UserError> {
    let name = team::checked_name(value)?;
    let folded = team::folded_name(&name);
    if folded.len() > LONGEST_FOLDED {
        return Err(UserError::new("name", FieldErrorCode::TooLong, "name is too long once its ligatures are written as letters. Shorten it."));
    }
    Ok((name, folded))
}

/// The name is another live team's.
fn taken(field: &str, message: &str, holder: TeamId) -> UserError {
    UserError { existing: Some(Existing::Team(holder)), ..UserError::new(field, FieldErrorCode::Taken, message) }
}

/// What is said to who gives a team the name of another.
const SAME_NAME: &str = "Another team has this name; capitals, accents, spaces and punctuation make no difference. Choose another name.";

/// The team that a mutation names, when it is within the viewer's reach; whether it is there is another question.
fn reached(viewer: &Viewer, permission: Permission, given: GivenId<TeamId>) -> Result<TeamId, AppError> {
    viewer.scope(permission)?;
    let id = given.ok_or(AppError::NotFound)?;
    if viewer.reaches_team(permission, id)? { Ok(id) } else { Err(AppError::NotFound) }
}
