//! Exports of the audit trail: the events of a filter in one file, asked for by a user, written by a worker, and verified by whoever has the public key.

mod cancel;
mod contents;
mod job;
mod read;
mod start;
mod vouchers;
mod work;

pub use crate::jobs::Stopped;
pub use cancel::cancel;
pub use read::{file_expires_at, file_url, get, list};
pub use start::{GivenRecord, StartExport, start};
pub use work::ExportWorker;

use serde::{Deserialize, Serialize};
use switchboard_domain::audit_export::AuditExportFormat;
use switchboard_domain::ids::{AuditExportId, TenantId};
use switchboard_domain::permission::Permission;

use crate::error::AppError;
use crate::viewer::Viewer;

/// An export to be worked on: begun, or gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportMessage {
    /// The tenant; its record vouches for it.
    pub tenant: TenantId,
    /// The export.
    pub export: AuditExportId,
}

/// Who may take the audit trail out may also see it.
fn authorise(viewer: &Viewer) -> Result<(), AppError> {
    viewer.require_all(Permission::AuditExport).and_then(|()| viewer.require_all(Permission::AuditRead))
}

/// Where an export keeps its files in the results bucket.
struct Place {
    tenant: TenantId,
    export: AuditExportId,
}

impl Place {
    /// The file.
    fn file(&self, format: AuditExportFormat) -> String {
        let name = match format {
            AuditExportFormat::Csv => "audit.csv",
            AuditExportFormat::JsonLines => "audit.jsonl",
        };
        format!("exports/{}/audit/{}/{name}", self.tenant, self.export)
    }

    /// The folder of what workers put aside. Each worker's is its own, so that one who is overtaken can't replace what was counted.
    fn rest(&self) -> String {
        format!("exports/{}/audit/{}/rest", self.tenant, self.export)
    }
}
