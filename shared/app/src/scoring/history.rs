//! The scores that a contact had.

use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_store::score_history::{self, ReplacedScore};

use crate::contacts::find;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// A page of a contact's history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// The scores, the newest first.
    pub scores: Vec<ReplacedScore>,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// Up to `first` scores that a contact had, the newest first, those before the place `before`, for who may see the contact. Its present score isn't among them, nor is a
/// first one that was never replaced. 2 requests: 1 R for the contact, 1 R per started 4 KB of history: some 25 scores.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:read`, [`AppError::NotFound`]; [`AppError::Asked`] for a place that is none; those of the database.
pub async fn history(services: &Services, viewer: &Viewer, contact: &ContactId, before: Option<&str>, first: usize) -> Result<HistoryPage, AppError> {
    if before.is_some_and(|place| !score_history::is_place(place)) {
        return Err(AppError::Asked("This cursor is not one of this list. Begin without it.".to_owned()));
    }
    let stored = find(services, viewer, Permission::ContactRead, &Some(contact.clone())).await?;
    let present = stored.contact.score.map(|score| score.calculated_at);
    let page = score_history::list(&services.core, &viewer.tenant.scope, contact, before, first, present).await?;
    Ok(HistoryPage { scores: page.entries, has_more: page.has_more })
}
