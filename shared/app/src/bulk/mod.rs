//! Bulk jobs: one action on all contacts of a filter, asked for by a user, done by a worker.

mod cancel;
mod export;
mod read;
mod start;
mod steps;
mod work;

pub use crate::jobs::{FILE_KEPT, Stopped};
pub use cancel::cancel;
pub use export::{ExportPage, export_page};
pub use read::{OutcomePlace, file_expires_at, file_url, get, list, outcomes};
pub(crate) use start::start_rescore;
pub use start::{AskedAction, StartBulk, start, start_disband, start_rekey, start_return, start_rewrap};
pub use work::{Worker, change_contacts};

use serde::{Deserialize, Serialize};
use switchboard_domain::ids::{BulkJobId, TenantId};
use switchboard_store::TenantScope;

/// A job to be worked on: begun, or gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkMessage {
    /// The tenant; its record vouches for it.
    pub tenant: TenantId,
    /// The job.
    pub job: BulkJobId,
}

/// Where a job keeps its files in the results bucket.
struct Place {
    tenant: TenantId,
    job: BulkJobId,
}

impl Place {
    fn of(scope: &TenantScope, job: BulkJobId) -> Self {
        Self { tenant: scope.tenant(), job }
    }

    /// What became of the contacts of a batch.
    fn outcomes(&self, batch: u32) -> String {
        format!("exports/{}/jobs/{}/{batch:06}.json", self.tenant, self.job)
    }

    /// The file of an export.
    fn file(&self) -> String {
        format!("exports/{}/{}/contacts.csv", self.tenant, self.job)
    }

    /// The folder of the rows that workers put aside. Each worker's are its own, so that one who is overtaken can't replace what was counted.
    fn rest(&self) -> String {
        format!("exports/{}/{}/rest", self.tenant, self.job)
    }
}
