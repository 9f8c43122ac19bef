//! Deleting a status that no contact has.

use switchboard_domain::change::Change;
use switchboard_domain::ids::StatusId;
use switchboard_domain::permission::Permission;
use switchboard_domain::status::{self, ContactStatus, MOST_COUNTED};
use switchboard_store::{contacts, settings};

use super::{ATTEMPTS, busy, rescore_if_moved};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be deleted.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeleteStatus {
    /// The status.
    pub id: GivenId<StatusId>,
    /// The version the client read.
    pub expected_version: i32,
}

/// Deletes a status. It is first retired, so that nobody gives it to a contact meanwhile; then the contacts that have it are counted, up to 1,000;
/// then it is deleted, or, when there are any, released again. 4 requests and what counting costs: 4 R, 1 W and a transaction of 4 W when it is
/// deleted, 2 W when it is in use.
///
/// Other processes believe their settings for up to 30 seconds, and lists are up to a second behind: a contact can still be given the status in that
/// time without being counted. It stays readable, because the deleted status stays, and can be given another.
///
/// A process that dies on the way leaves the status retired: listed, but not to be given. Deleting it again goes on from there, changing it releases it.
///
/// The places of others move as when one is created, and begin the same job.
///
/// # Errors
/// [`AppError::Forbidden`] without `status:delete`, [`AppError::NotFound`] also for a deleted status; those of the database, and of the queue of jobs when the status is
/// deleted already. What a person can mend is in the inner result: `IN_USE` names the count.
pub async fn delete(services: &Services, viewer: &Viewer, request: DeleteStatus) -> Result<Result<ContactStatus, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::StatusDelete)?;
    let id = request.id.ok_or(AppError::NotFound)?;
    for _ in 0..ATTEMPTS {
        let retired = match retire(services, viewer, id, request.expected_version).await? {
            Ok(retired) => retired,
            Err(error) => return Ok(Err(vec![error])),
        };
        let count = match contacts::count_with_status(&services.core, &viewer.tenant, id, MOST_COUNTED).await {
            Ok(count) => count,
            Err(error) => {
                if let Err(second) = release(services, viewer, id).await {
                    tracing::warn!(error = %second, "a status stays retired until it is deleted again or changed");
                }
                return Err(error.into());
            }
        };
        if count > 0 {
            release(services, viewer, id).await?;
            return Ok(Err(vec![status::in_use(count).into()]));
        }
        if let Some(deleted) = finish(services, viewer, &retired).await? {
            return Ok(Ok(deleted));
        }
    }
    Err(busy())
}

/// The status, which nobody may be given from now on. One that was retired before stays as it is, so that two who delete it don't hinder each other.
async fn retire(services: &Services, viewer: &Viewer, id: StatusId, expected_version: i32) -> Result<Result<ContactStatus, UserError>, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    for _ in 0..ATTEMPTS {
        let settings = settings::load(core, scope).await?;
        let status = settings.listed_statuses().find(|status| status.id == id).ok_or(AppError::NotFound)?;
        if let Err(error) = status::check_deletion(status, expected_version) {
            return Ok(Err(error.into()));
        }
        if status.retired {
            return Ok(Ok(status.clone()));
        }
        let retired = status.retired();
        if settings::touch_status(core, scope, &retired, status.record.revision).await? {
            services.tenants.forget_settings(scope);
            return Ok(Ok(retired));
        }
    }
    Err(busy())
}

/// Lets a status be given again, unless somebody has done so or deleted it.
async fn release(services: &Services, viewer: &Viewer, id: StatusId) -> Result<(), AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    for _ in 0..ATTEMPTS {
        let settings = settings::load(core, scope).await?;
        let Some(status) = settings.listed_statuses().find(|status| status.id == id && status.retired) else {
            return Ok(());
        };
        if settings::touch_status(core, scope, &status.released(), status.record.revision).await? {
            services.tenants.forget_settings(scope);
            return Ok(());
        }
    }
    Err(busy())
}

/// Deletes a retired status; none when it changed since it was retired, and all is to be decided again.
async fn finish(services: &Services, viewer: &Viewer, retired: &ContactStatus) -> Result<Option<ContactStatus>, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let deleted = retired.deleted(Change::new("contact_status.deleted", services.clock.now(), viewer.origin()));
    for _ in 0..ATTEMPTS {
        let settings = settings::load(core, scope).await?;
        if settings.status(retired.id).map(|status| status.record.revision) != Some(retired.record.revision) {
            return Ok(None);
        }
        if settings::write_status(core, scope, settings.revision, &deleted, Some(retired.record.revision), Vec::new()).await? {
            services.tenants.forget_settings(scope);
            rescore_if_moved(services, viewer, &settings, &deleted).await?;
            return Ok(Some(deleted));
        }
    }
    Err(busy())
}
