//! Exports of the audit trail.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::AuditExportMutation;
pub(crate) use query::{AuditExportQuery, audit_export};
pub(crate) use types::AuditExport;
