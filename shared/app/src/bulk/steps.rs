//! A bulk job as all jobs are worked on, and the list it goes through.

use jiff::Timestamp;
use switchboard_domain::bulk_job::{BulkJob, Span};
use switchboard_domain::ids::{BulkJobId, TenantId};
use switchboard_platform::PlatformError;
use switchboard_store::table::Part;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Order, StoreError, bulk_jobs};

use super::BulkMessage;
use crate::contacts::{self, Walked};
use crate::error::AppError;
use crate::jobs::{Job, Steps};
use crate::services::Services;

impl Job for BulkJob {
    type Id = BulkJobId;

    fn id(&self) -> BulkJobId {
        self.id
    }

    fn parse_id(text: &str) -> Option<BulkJobId> {
        BulkJobId::parse(text)
    }

    fn name(&self) -> &'static str {
        self.action.as_str()
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn is_waiting(&self) -> bool {
        self.started_at.is_none() && !self.is_ended()
    }

    fn is_ended(&self) -> bool {
        Self::is_ended(self)
    }

    fn is_to_stop(&self) -> bool {
        self.cancel_requested
    }

    fn is_only_asked_to_stop(&self, before: &Self) -> bool {
        Self::is_only_asked_to_stop(self, before)
    }

    fn asked_to_stop(&self, now: Timestamp) -> Self {
        Self::asked_to_stop(self, now)
    }

    fn failed(&self, reason: &str, now: Timestamp) -> Self {
        Self::failed(self, reason, now)
    }

    fn by(self, writer: &str) -> Self {
        Self { writer: writer.to_owned(), ..self }
    }

    async fn read(services: &Services, tenant: &OpenTenant, id: BulkJobId) -> Result<Option<Self>, StoreError> {
        bulk_jobs::get(&services.core, tenant, id).await
    }

    async fn create(&self, services: &Services, tenant: &OpenTenant, parts: Vec<Part>) -> Result<bool, StoreError> {
        bulk_jobs::create(&services.core, tenant, self, parts, services.entropy.as_ref()).await
    }

    async fn save(&self, services: &Services, tenant: &OpenTenant) -> Result<bool, StoreError> {
        bulk_jobs::save(&services.core, tenant, self, services.entropy.as_ref()).await
    }

    async fn send(services: &Services, tenant: TenantId, job: BulkJobId) -> Result<(), PlatformError> {
        services.bulk_queue.send(&[BulkMessage { tenant, job }]).await
    }
}

/// Begins a job: finds where its first and last contact stand, so that its progress can be told. 3 requests, what the walks examine, 2 W.
pub(super) async fn begin(steps: &Steps<'_>, job: &BulkJob) -> Result<Option<BulkJob>, AppError> {
    let now = steps.services.clock.now();
    let place = |walked: Walked| walked.contacts.into_iter().next().map(|row| row.place).or(walked.next);
    let first = place(walk(steps, job, None, 1, Order::Ascending).await?);
    let last = place(walk(steps, job, None, 1, Order::Descending).await?);
    let span = first.zip(last).map(|(first, last)| Span { first, last });
    steps.advance(job, |job| job.begun(span.clone(), now)).await
}

/// Contacts that the job means, from a place on.
pub(super) async fn walk(steps: &Steps<'_>, job: &BulkJob, after: Option<&str>, limit: usize, order: Order) -> Result<Walked, AppError> {
    let tenant = steps.tenant().await?;
    let settings = steps.services.tenants.settings(&tenant.scope).await?;
    contacts::walk(steps.services, &tenant, &settings, &job.meant(), after, limit, order).await
}
