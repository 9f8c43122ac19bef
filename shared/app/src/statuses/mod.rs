//! The statuses of a tenant: created, changed and deleted, each by one who decides on all of them as they are now.
//!
//! What a change decided on is read anew, never taken from the cache, and the write holds only while it is still so. The other processes learn of it
//! within the half minute for which they believe a tenant's settings: until then they list the statuses as they were.

mod create;
mod delete;
mod revert;
mod update;

pub use create::{CreateStatus, create};
pub use delete::{DeleteStatus, delete};
pub(crate) use revert::revert;
pub use update::{UpdateStatus, UpdatedStatus, update};

use switchboard_domain::status::{ContactStatus, StatusError};
use switchboard_store::StoreError;
use switchboard_store::settings::Settings;

use crate::bulk;
use crate::error::{AppError, Existing, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// How often a change is decided anew because other changes of the statuses were faster.
const ATTEMPTS: usize = 5;

fn shown(errors: Vec<StatusError>) -> Vec<UserError> {
    errors.into_iter().map(|refused| UserError { existing: refused.existing.map(Existing::ContactStatus), ..UserError::from(refused.error) }).collect()
}

/// Begins a job that scores all contacts anew when a status that was written among these settings moves the places of statuses, and the model in force gives points for
/// them. Nothing else, else 1 W and 1 for index 1, 1 request to the queue.
async fn rescore_if_moved(services: &Services, viewer: &Viewer, before: &Settings, written: &ContactStatus) -> Result<(), AppError> {
    let others = before.statuses.iter().filter(|status| status.id != written.id);
    let statuses: Vec<ContactStatus> = others.chain([written]).cloned().collect();
    if !before.scorer.scores_alike_with(&statuses) {
        bulk::start_rescore(services, viewer).await?;
    }
    Ok(())
}

fn busy() -> AppError {
    StoreError::Unavailable("the statuses keep changing".to_owned()).into()
}
