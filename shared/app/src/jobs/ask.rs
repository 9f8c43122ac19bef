//! Asking for a job: it is one job, however often it is asked for with the same key, and it doesn't wait for ever when no worker could be told of it.

use serde::Serialize;
use switchboard_store::tenants::OpenTenant;

use super::Job;
use crate::error::{AppError, UserError};
use crate::idempotency::{Pending, Recalled, key_taken, recall};
use crate::services::Services;

/// A request for a job.
pub(crate) struct Request<'a, F> {
    /// The mutation by which it is asked for.
    pub(crate) operation: &'static str,
    /// The client's own key for it.
    pub(crate) key: Option<&'a str>,
    /// All that is asked.
    pub(crate) form: &'a F,
}

/// What is known of a request.
pub(crate) enum Known<J> {
    /// Nothing yet; `None` when no key was given.
    Nothing(Option<Pending>),
    /// The job that the same request made, or why the key can't be used.
    Answer(Result<J, Vec<UserError>>),
}

impl<F: Serialize> Request<'_, F> {
    /// What is known of its key. Nothing without one, else 1 request and 1 R, and 1 more for the job that it made; one that no worker has begun may never have
    /// been sent, and is sent again.
    pub(crate) async fn recall<J: Job>(&self, services: &Services, tenant: &OpenTenant) -> Result<Known<J>, AppError> {
        Ok(match recall(services, tenant, self.operation, self.key, self.form).await? {
            Recalled::New(pending) => Known::Nothing(pending),
            Recalled::Answer(id) => Known::Answer(Ok(asked_before(services, tenant, &id).await?)),
            Recalled::Refused(error) => Known::Answer(Err(vec![error])),
        })
    }

    /// Writes a new job and sends it to a worker. 1 W and 1 for index 1, 1 request to the queue; with a key a transaction.
    ///
    /// When the job was written and could not be sent, the answer is an error, and the same request with the same key sends it again; without a key the job
    /// fails.
    pub(crate) async fn begin<J: Job>(&self, services: &Services, tenant: &OpenTenant, job: J, pending: Option<Pending>) -> Result<Result<J, Vec<UserError>>, AppError> {
        let now = services.clock.now();
        let parts: Vec<_> = pending.iter().map(|pending| pending.part(tenant, job.id(), now)).collect();
        if !job.create(services, tenant, parts).await? {
            // Two requests with one key met, and the other one was faster.
            return Ok(match self.recall(services, tenant).await? {
                Known::Answer(answer) => answer,
                Known::Nothing(_) => Err(vec![key_taken()]),
            });
        }
        if let Err(error) = J::send(services, tenant.record.id, job.id()).await {
            if pending.is_none() {
                never_sent(services, tenant, &job).await?;
            }
            return Err(error.into());
        }
        Ok(Ok(job))
    }
}

async fn asked_before<J: Job>(services: &Services, tenant: &OpenTenant, id: &str) -> Result<J, AppError> {
    let id = J::parse_id(id).ok_or_else(|| AppError::Broken("an idempotency entry names no job".to_owned()))?;
    let job = J::read(services, tenant, id).await?.ok_or_else(|| AppError::Broken("an idempotency entry names no job there is".to_owned()))?;
    if job.is_waiting() {
        J::send(services, tenant.record.id, id).await?;
    }
    Ok(job)
}

/// Ends a job that could not be sent, so that it doesn't wait for ever. If it was sent after all, whoever is first decides.
pub(crate) async fn never_sent<J: Job>(services: &Services, tenant: &OpenTenant, job: &J) -> Result<(), AppError> {
    let failed = job.failed("The job could not be handed to a worker. Ask for it again.", services.clock.now());
    failed.save(services, tenant).await?;
    Ok(())
}
