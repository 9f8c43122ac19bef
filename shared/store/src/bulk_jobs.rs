//! Bulk jobs: each one item, written as a whole over the revision it was decided on.
//!
//! The item stays far below 400 KB: a batch of ids is about 6 KB, the names of an export's columns at most 48 KB, its parts at most 1,000 of some
//! 80 bytes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus, ExportState, Span, Tally};
use switchboard_domain::change::Origin;
use switchboard_domain::clock::Entropy;
use switchboard_domain::contact::ContactFilter;
use switchboard_domain::ids::{BulkJobId, ContactId};

use crate::error::StoreError;
use crate::item::{Item, from_item, to_item};
use crate::keys;
use crate::table::{CoreTable, Page, Part};
use crate::tenants::OpenTenant;

/// The type of its items.
pub const BULK_JOB: &str = "bulk_job";

/// The purpose under which what somebody searched for is sealed: it is personal data.
const SEARCH: &str = "bulk job search";

#[derive(Serialize, Deserialize)]
struct BulkJobItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI1PK")]
    list_pk: String,
    #[serde(rename = "GSI1SK")]
    list_sk: String,
    #[serde(rename = "type")]
    item_type: String,
    id: BulkJobId,
    action: BulkAction,
    filter: ContactFilter,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::audit::optional_bytes")]
    sealed_search: Option<Vec<u8>>,
    #[serde(with = "switchboard_domain::clock::millis")]
    created_before: Timestamp,
    origin: Origin,
    status: BulkJobStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    cancel_requested: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    span: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<ContactId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending_next: Option<String>,
    batches: u32,
    tally: Tally,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    export: Option<ExportState>,
    #[serde(with = "switchboard_domain::clock::millis")]
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    finished_at: Option<Timestamp>,
    revision: u32,
    writer: String,
}

fn encode(tenant: &OpenTenant, job: &BulkJob, entropy: &dyn Entropy) -> Result<Item, StoreError> {
    let key = keys::bulk_job(&tenant.scope, job.id);
    let seal = |search: &String| tenant.keyring.seal_for_tenant(SEARCH, &job.id.to_string(), entropy, search.as_bytes());
    let form = BulkJobItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: keys::bulk_job_list(&tenant.scope),
        list_sk: job.id.to_string(),
        item_type: BULK_JOB.to_owned(),
        id: job.id,
        action: job.action,
        filter: ContactFilter { search: None, ..job.filter.clone() },
        sealed_search: job.filter.search.as_ref().map(seal),
        created_before: job.created_before,
        origin: job.origin.clone(),
        status: job.status,
        failure_reason: job.failure_reason.clone(),
        cancel_requested: job.cancel_requested,
        span: job.span.clone(),
        after: job.after.clone(),
        pending: job.pending.clone(),
        pending_next: job.pending_next.clone(),
        batches: job.batches,
        tally: job.tally,
        export: job.export.clone(),
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
        revision: job.revision,
        writer: job.writer.clone(),
    };
    to_item(BULK_JOB, &form)
}

/// Reads an item of a job.
///
/// # Errors
/// [`StoreError::Undecodable`] when it isn't one.
pub fn decode(tenant: &OpenTenant, item: Item) -> Result<BulkJob, StoreError> {
    let item: BulkJobItem = from_item(BULK_JOB, item)?;
    let open = |sealed: Vec<u8>| {
        let bytes = tenant.keyring.open_for_tenant(SEARCH, &item.id.to_string(), &sealed).map_err(|error| StoreError::undecodable(BULK_JOB, error))?;
        String::from_utf8(bytes).map_err(|error| StoreError::undecodable(BULK_JOB, error))
    };
    let search = item.sealed_search.map(open).transpose()?;
    Ok(BulkJob {
        id: item.id,
        action: item.action,
        filter: ContactFilter { search, ..item.filter },
        created_before: item.created_before,
        origin: item.origin,
        status: item.status,
        failure_reason: item.failure_reason,
        cancel_requested: item.cancel_requested,
        span: item.span,
        after: item.after,
        pending: item.pending,
        pending_next: item.pending_next,
        batches: item.batches,
        tally: item.tally,
        export: item.export,
        created_at: item.created_at,
        started_at: item.started_at,
        finished_at: item.finished_at,
        revision: item.revision,
        writer: item.writer,
    })
}

/// Writes a new job, and the other parts with it or nothing; false when one of them didn't hold. 1 request; 1 W and 1 for index 1, with other parts a
/// transaction of twice the units.
///
/// # Errors
/// Those of the database.
pub async fn create(table: &CoreTable, tenant: &OpenTenant, job: &BulkJob, parts: Vec<Part>, entropy: &dyn Entropy) -> Result<bool, StoreError> {
    table.create(&tenant.scope, encode(tenant, job, entropy)?, parts).await
}

/// Reads a job, strongly consistent. 1 request, 1 R per started 4 KB: 2 R while a batch is written down.
///
/// # Errors
/// Those of the database.
pub async fn get(table: &CoreTable, tenant: &OpenTenant, id: BulkJobId) -> Result<Option<BulkJob>, StoreError> {
    table.get(&tenant.scope, &keys::bulk_job(&tenant.scope, id)).await?.map(|item| decode(tenant, item)).transpose()
}

/// Writes a job over the revision before its own; false when another one stands there. When the answer to an earlier attempt was lost, the attempt
/// that finds its own writing is true. 1 request; 1 W per started KB (2 without, 8 with a batch written down before or after), and 1 for index 1
/// when its status changes.
///
/// # Errors
/// Those of the database.
pub async fn save(table: &CoreTable, tenant: &OpenTenant, job: &BulkJob, entropy: &dyn Entropy) -> Result<bool, StoreError> {
    let item = encode(tenant, job, entropy)?;
    table.save(&tenant.scope, item, job.revision, |there| Ok(decode(tenant, there)? == *job)).await
}

/// Lists jobs, newest first, those older than the place `after` (a job's id). 2 requests: half an R per started 4 KB of the list, and half an R per
/// started 4 KB of each job.
///
/// # Errors
/// Those of the database.
pub async fn newest(table: &CoreTable, tenant: &OpenTenant, after: Option<&str>, first: usize) -> Result<Page<BulkJob>, StoreError> {
    let Page { entries, has_more } = table.newest_whole(&tenant.scope, &keys::bulk_job_list(&tenant.scope), after, first).await?;
    let mut jobs: Vec<BulkJob> = entries.into_iter().map(|item| decode(tenant, item)).collect::<Result<_, _>>()?;
    jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
    Ok(Page { entries: jobs, has_more })
}
