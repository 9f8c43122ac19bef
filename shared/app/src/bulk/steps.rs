//! What all workers do: take a job, write its next state, stop in time, and see when somebody wants it stopped or another worker goes on.

use std::sync::Arc;
use std::time::Instant;

use switchboard_domain::bulk_job::{BulkJob, Span};
use switchboard_domain::ids::{TenantId, base32};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Order, bulk_jobs};

use super::BulkMessage;
use crate::contacts::{self, Walked};
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
pub(super) struct Steps<'a> {
    pub(super) services: &'a Services,
    tenant: TenantId,
    /// Tells this worker's writes from those of others.
    pub(super) writer: String,
    deadline: Instant,
}

impl<'a> Steps<'a> {
    /// Takes a job up as it stands. 2 requests at most.
    pub(super) async fn take_up(services: &'a Services, message: &BulkMessage, deadline: Instant) -> Result<(Self, BulkJob), AppError> {
        let steps = Self { services, tenant: message.tenant, writer: base32(&services.entropy.id()), deadline };
        let found = bulk_jobs::get(&services.core, steps.tenant().await?.as_ref(), message.job).await?;
        Ok((steps, found.ok_or_else(|| AppError::Broken("the message names no job there is".to_owned()))?))
    }

    /// The tenant, not older than half a minute: its keys and shards may change while a worker is at it.
    pub(super) async fn tenant(&self) -> Result<Arc<OpenTenant>, AppError> {
        let tenant = self.services.tenants.open(self.tenant).await?;
        tenant.ok_or_else(|| AppError::Broken("the message names no tenant there is".to_owned()))
    }

    /// Whether no further step is to be begun.
    pub(super) fn is_out_of_time(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Writes the next state of a job. A request to stop that came in between is taken along. None when another worker was faster: it goes on.
    pub(super) async fn advance(&self, job: &BulkJob, step: impl Fn(&BulkJob) -> BulkJob) -> Result<Option<BulkJob>, AppError> {
        let core = &self.services.core;
        let tenant = self.tenant().await?;
        let mut from = job.clone();
        for _ in 0..ATTEMPTS {
            let mut next = step(&from);
            next.writer.clone_from(&self.writer);
            if bulk_jobs::save(core, &tenant, &next, self.services.entropy.as_ref()).await? {
                return Ok(Some(next));
            }
            match bulk_jobs::get(core, &tenant, job.id).await? {
                Some(there) if there.is_only_asked_to_stop(&from) => from = there,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The job as it is now, unless another worker goes on with it: the same, or with a request to stop. 1 request, 1 R per started 4 KB.
    pub(super) async fn look_again(&self, job: &BulkJob) -> Result<Option<BulkJob>, AppError> {
        let there = bulk_jobs::get(&self.services.core, self.tenant().await?.as_ref(), job.id).await?;
        Ok(there.filter(|there| there == job || there.is_only_asked_to_stop(job)))
    }

    /// The job can't go on.
    pub(super) async fn fail(&self, job: &BulkJob, reason: &str) -> Result<Option<BulkJob>, AppError> {
        let now = self.services.clock.now();
        tracing::warn!(job.id = %job.id, job.action = job.action.as_str(), reason, "a bulk job failed");
        self.advance(job, |job| job.failed(reason, now)).await
    }

    /// Begins a job: finds where its first and last contact stand, so that its progress can be told. 3 requests, what the walks examine, 2 W.
    pub(super) async fn begin(&self, job: &BulkJob) -> Result<Option<BulkJob>, AppError> {
        let now = self.services.clock.now();
        let place = |walked: Walked| walked.contacts.into_iter().next().map(|row| row.place).or(walked.next);
        let first = place(self.walk(job, None, 1, Order::Ascending).await?);
        let last = place(self.walk(job, None, 1, Order::Descending).await?);
        let span = first.zip(last).map(|(first, last)| Span { first, last });
        self.advance(job, |job| job.begun(span.clone(), now)).await
    }

    /// Contacts that the job means, from a place on.
    pub(super) async fn walk(&self, job: &BulkJob, after: Option<&str>, limit: usize, order: Order) -> Result<Walked, AppError> {
        let tenant = self.tenant().await?;
        let settings = self.services.tenants.settings(&tenant.scope).await?;
        contacts::walk(self.services, &tenant, &settings, &job.meant(), after, limit, order).await
    }
}
