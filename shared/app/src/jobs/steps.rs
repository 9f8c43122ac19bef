//! What all workers do: take a job, write its next state, stop in time, and see when somebody wants it stopped or another worker goes on.

use std::sync::Arc;
use std::time::Instant;

use switchboard_domain::ids::{TenantId, base32};
use switchboard_store::tenants::OpenTenant;

use super::Job;
use crate::error::AppError;
use crate::services::Services;

/// How often a state is written again because a request to stop came in between. There is one such request in a job's life.
const ATTEMPTS: usize = 2;

/// Why a worker stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The job has ended.
    Ended,
    /// There is more to do, and no time left for it.
    OutOfTime,
    /// Another worker goes on with it.
    Overtaken,
}

/// One worker on one job.
pub(crate) struct Steps<'a> {
    pub(crate) services: &'a Services,
    tenant: TenantId,
    /// Tells this worker's writes from those of others.
    pub(crate) writer: String,
    deadline: Instant,
}

impl<'a> Steps<'a> {
    /// Takes a job up as it stands. 2 requests at most.
    pub(crate) async fn take_up<J: Job>(services: &'a Services, tenant: TenantId, id: J::Id, deadline: Instant) -> Result<(Self, J), AppError> {
        let steps = Self { services, tenant, writer: base32(&services.entropy.id()), deadline };
        let found = J::read(services, steps.tenant().await?.as_ref(), id).await?;
        Ok((steps, found.ok_or_else(|| AppError::Broken("the message names no job there is".to_owned()))?))
    }

    /// The tenant, not older than half a minute: its keys and shards may change while a worker is at it.
    pub(crate) async fn tenant(&self) -> Result<Arc<OpenTenant>, AppError> {
        let tenant = self.services.tenants.open(self.tenant).await?;
        tenant.ok_or_else(|| AppError::Broken("the message names no tenant there is".to_owned()))
    }

    /// Whether no further step is to be begun.
    pub(crate) fn is_out_of_time(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Takes one step after the other until the job ends, another worker goes on with it, or the time is over. What can't be done any more, because what was asked
    /// for can't be asked for, fails it.
    pub(crate) async fn run<J: Job>(&self, mut job: J, mut step: impl AsyncFnMut(&J) -> Result<Option<J>, AppError>) -> Result<Stopped, AppError> {
        while !job.is_ended() {
            let stepped = match step(&job).await {
                Err(AppError::Asked(reason)) => self.fail(&job, &reason).await?,
                stepped => stepped?,
            };
            let Some(next) = stepped else {
                return Ok(Stopped::Overtaken);
            };
            job = next;
            if !job.is_ended() && self.is_out_of_time() {
                return Ok(Stopped::OutOfTime);
            }
        }
        Ok(Stopped::Ended)
    }

    /// Writes the next state of a job. A request to stop that came in between is taken along. None when another worker was faster: it goes on.
    pub(crate) async fn advance<J: Job>(&self, job: &J, step: impl Fn(&J) -> J) -> Result<Option<J>, AppError> {
        let tenant = self.tenant().await?;
        let mut from = job.clone();
        for _ in 0..ATTEMPTS {
            let next = step(&from).by(&self.writer);
            if next.save(self.services, &tenant).await? {
                return Ok(Some(next));
            }
            match J::read(self.services, &tenant, job.id()).await? {
                Some(there) if there.is_only_asked_to_stop(&from) => from = there,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The job as it is now, unless another worker goes on with it: the same, or with a request to stop. 1 request, 1 R per started 4 KB.
    pub(crate) async fn look_again<J: Job>(&self, job: &J) -> Result<Option<J>, AppError> {
        let there = J::read(self.services, self.tenant().await?.as_ref(), job.id()).await?;
        Ok(there.filter(|there| there == job || there.is_only_asked_to_stop(job)))
    }

    /// The job can't go on.
    pub(crate) async fn fail<J: Job>(&self, job: &J, reason: &str) -> Result<Option<J>, AppError> {
        let now = self.services.clock.now();
        tracing::warn!(job.id = %job.id(), job.action = job.name(), reason, "a job failed");
        self.advance(job, |job| job.failed(reason, now)).await
    }
}
