//! Bulk jobs.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::BulkJobMutation;
pub(crate) use query::{BulkJobQuery, bulk_job};
pub(crate) use types::{BulkJob, BulkJobOutcome, BulkJobStatus};
