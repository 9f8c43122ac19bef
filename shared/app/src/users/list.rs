//! Reading users.

use std::collections::HashMap;

use switchboard_domain::ids::UserId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::User;
use switchboard_store::Freshness;
use switchboard_store::people::{self, StaffList};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Part of the list of users.
#[derive(Debug, Clone, Default)]
pub struct UserPage {
    /// The users with their places.
    pub entries: Vec<(String, User)>,
    /// The place behind which the next page begins; none when there is no more.
    pub next: Option<String>,
}

/// The users by name, disabled ones too, those behind the place `after`. 2 requests, half an R per started 4 KB of the list (about 200 bytes a user) and for
/// each user. Up to a second behind.
///
/// # Errors
/// [`AppError::Forbidden`] without `user:read` for the whole tenant; those of the database.
pub async fn list(services: &Services, viewer: &Viewer, after: Option<&str>, first: usize) -> Result<UserPage, AppError> {
    viewer.require_all(Permission::UserRead)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let page = people::listed(core, scope, StaffList::Users, after, first).await?;
    let next = page.entries.last().filter(|_| page.has_more).map(|(place, _)| place.clone());
    let ids: Vec<UserId> = page.entries.iter().filter_map(|(_, id)| UserId::parse(id)).collect();
    let found = people::directory(core, scope, &ids, &[], &[], Freshness::Eventual).await?;
    let mut users: HashMap<String, User> = found.users.into_iter().map(|user| (user.id.to_string(), user)).collect();
    let entries = page.entries.into_iter().filter_map(|(place, id)| users.remove(&id).map(|user| (place, user))).collect();
    Ok(UserPage { entries, next })
}

/// A user by their id. 1 request, 1 R; nothing for oneself.
///
/// # Errors
/// [`AppError::Forbidden`] without `user:read` for the whole tenant, but for oneself; those of the database.
pub async fn get(services: &Services, viewer: &Viewer, id: UserId) -> Result<Option<User>, AppError> {
    if viewer.user.id == id {
        return Ok(Some(viewer.user.as_ref().clone()));
    }
    viewer.require_all(Permission::UserRead)?;
    Ok(people::user(&services.core, &viewer.tenant.scope, id).await?)
}
