//! Stopping a job. What was done stays.

use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::base32;
use switchboard_store::StoreError;
use switchboard_store::tenants::OpenTenant;

use super::Job;
use crate::error::{AppError, UserError};
use crate::services::Services;

/// How often it is asked again because a worker wrote the job in between: about twice a second while it is at it.
const ATTEMPTS: usize = 10;

/// Stops a job, unless `may` has something against it: one that nobody has begun at once, another one after what is under way. 2 requests, 1 R per started 4 KB
/// and 1 W per started KB of the job; again as much each time its worker was faster.
///
/// # Errors
/// [`AppError::NotFound`], those of `may` and of the database. What a person can mend is in the inner result.
pub(crate) async fn stop<J: Job>(
    services: &Services,
    tenant: &OpenTenant,
    id: J::Id,
    may: impl Fn(&J) -> Result<Option<UserError>, AppError>,
) -> Result<Result<J, Vec<UserError>>, AppError> {
    for _ in 0..ATTEMPTS {
        let job = J::read(services, tenant, id).await?.ok_or(AppError::NotFound)?;
        if let Some(error) = may(&job)? {
            return Ok(Err(vec![error]));
        }
        if job.is_ended() {
            return Ok(Err(vec![UserError::new("id", FieldErrorCode::ForbiddenTransition, "This job has ended already.")]));
        }
        if job.is_to_stop() {
            return Ok(Ok(job));
        }
        let stopped = job.asked_to_stop(services.clock.now()).by(&base32(&services.entropy.id()));
        if stopped.save(services, tenant).await? {
            return Ok(Ok(stopped));
        }
    }
    Err(StoreError::Unavailable("a job keeps changing".to_owned()).into())
}
