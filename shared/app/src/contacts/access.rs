//! Whose a contact is to see and to change, and what a writer must know of it. What isn't the viewer's is as if it didn't exist.

use std::sync::Arc;

use switchboard_domain::contact::Contact;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, ContactId, StatusId, TeamId, UserId};
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::person::UserStatus;
use switchboard_domain::status::ContactStatus;
use switchboard_store::contacts::{self, StoredContact};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, people};

use crate::GivenId;
use crate::error::{AppError, Existing, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// A contact the viewer may use this permission on. 1 request, 1 R.
pub(crate) async fn find(services: &Services, viewer: &Viewer, permission: Permission, id: &GivenId<ContactId>) -> Result<StoredContact, AppError> {
    let scope = viewer.scope(permission)?;
    let Some(id) = id else {
        return Err(AppError::NotFound);
    };
    let stored = contacts::get(&services.core, &viewer.tenant, id).await?;
    stored.filter(|stored| is_visible(viewer, scope, &stored.contact)).ok_or(AppError::NotFound)
}

/// Whether a contact is within a scope: one's own, those of one's colleagues and pools, or all.
pub(super) fn is_visible(viewer: &Viewer, scope: Scope, contact: &Contact) -> bool {
    match scope {
        Scope::All => true,
        Scope::Team => viewer.of_teams().have(contact),
        Scope::Own => contact.details.assignee == Some(viewer.agent()),
    }
}

/// That the viewer may use one more permission on a contact.
pub(super) fn also(viewer: &Viewer, permission: Permission, contact: &Contact) -> Result<(), AppError> {
    if is_visible(viewer, viewer.scope(permission)?, contact) { Ok(()) } else { Err(AppError::Forbidden) }
}

/// Errors without a word of contacts the viewer may not see: that their number is taken is all they are told. 1 request and 1 R for each such
/// contact, nothing for who may see all.
pub(super) async fn concealed(services: &Services, viewer: &Viewer, mut errors: Vec<UserError>) -> Result<Vec<UserError>, AppError> {
    let scope = viewer.scope(Permission::ContactRead).ok();
    if scope == Some(Scope::All) {
        return Ok(errors);
    }
    for error in &mut errors {
        let Some(Existing::Contact(id)) = &error.existing else {
            continue;
        };
        let stored = contacts::get(&services.core, &viewer.tenant, id).await?;
        if !stored.is_some_and(|stored| scope.is_some_and(|scope| is_visible(viewer, scope, &stored.contact))) {
            *error = UserError::new("phone", FieldErrorCode::Taken, "Another contact has this number. Ask someone who may see all contacts.");
        }
    }
    Ok(errors)
}

/// The version the client read must be the one that is there.
pub(super) fn check_version(contact: &Contact, expected: Option<i32>) -> Result<(), UserError> {
    let version = contact.record.version;
    match expected {
        Some(expected) if i64::from(expected) != i64::from(version) => {
            let message = format!("The contact is at version {version}, not {expected}. Read it again and decide again.");
            Err(UserError::new("expectedVersion", FieldErrorCode::Stale, message))
        }
        _ => Ok(()),
    }
}

/// Only a contact that isn't deleted can be changed.
pub(crate) fn check_live(contact: &Contact) -> Result<(), UserError> {
    let message = match (&contact.merged_into, contact.deleted_at) {
        (Some(_), _) => "This contact was merged into another. Change that one, or undo the merge.",
        (None, Some(_)) => "This contact was deleted. Restore it first.",
        (None, None) => return Ok(()),
    };
    Err(UserError::new("id", FieldErrorCode::ForbiddenTransition, message))
}

/// A status that contacts can be given.
pub(super) fn live_status(settings: &Settings, given: GivenId<StatusId>) -> Result<&ContactStatus, UserError> {
    let found = given.and_then(|id| settings.live_statuses().find(|status| status.id == id));
    found.ok_or_else(|| UserError::new("statusId", FieldErrorCode::NotFound, "There is no such status. Take an id from contactStatuses."))
}

/// The viewer's settings, read again when they don't know a status that was given: it may be newer than what this process remembers.
pub(super) async fn settings(services: &Services, viewer: &Viewer, given: Option<StatusId>) -> Result<Arc<Settings>, AppError> {
    let Some(status) = given else {
        return Ok(Arc::clone(&viewer.settings));
    };
    let known = services.tenants.settings_knowing(&viewer.tenant.scope, &viewer.settings, status).await?;
    Ok(known.unwrap_or_else(|| Arc::clone(&viewer.settings)))
}

/// That agent and team are there to be given contacts: not deleted, and the agent not disabled. 1 request; 2 R for an agent, 1 R for a team.
pub(crate) async fn check_owner(
    services: &Services,
    tenant: &OpenTenant,
    assignee: Option<GivenId<AgentId>>,
    team: Option<GivenId<TeamId>>,
) -> Result<Result<(Option<AgentId>, Option<TeamId>), UserError>, AppError> {
    let (agents, teams): (Vec<AgentId>, Vec<TeamId>) = (assignee.flatten().into_iter().collect(), team.flatten().into_iter().collect());
    let found = if agents.is_empty() && teams.is_empty() {
        people::Directory::default()
    } else {
        let users: Vec<UserId> = agents.iter().map(|agent| (*agent).into()).collect();
        people::directory(&services.core, &tenant.scope, &users, &agents, &teams, Freshness::Strong).await?
    };
    if found.users.iter().any(|user| user.status == UserStatus::Disabled) {
        return Ok(Err(UserError::new("assigneeId", FieldErrorCode::NotAllowed, "This agent is disabled. Choose another.")));
    }
    if assignee.is_some() && found.agents.iter().all(|agent| agent.deleted_at.is_some()) {
        return Ok(Err(UserError::new("assigneeId", FieldErrorCode::NotFound, "There is no such agent. Take an id from the staff directory.")));
    }
    if team.is_some() && found.teams.iter().all(|team| team.deleted_at.is_some()) {
        return Ok(Err(UserError::new("teamId", FieldErrorCode::NotFound, "There is no such team. Take an id from the staff directory.")));
    }
    Ok(Ok((assignee.flatten(), team.flatten())))
}
