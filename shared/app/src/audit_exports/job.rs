//! An export as all jobs that write files are worked on.

use jiff::Timestamp;
use switchboard_domain::audit_export::{Added, AuditExport, Reached};
use switchboard_domain::file_parts::{FilePart, FileParts};
use switchboard_domain::ids::{AuditExportId, TenantId};
use switchboard_platform::PlatformError;
use switchboard_store::table::Part;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{StoreError, audit_exports};

use super::ExportMessage;
use crate::jobs::{FileJob, Job};
use crate::services::Services;

impl Job for AuditExport {
    type Id = AuditExportId;

    fn id(&self) -> AuditExportId {
        self.id
    }

    fn parse_id(text: &str) -> Option<AuditExportId> {
        AuditExportId::parse(text)
    }

    fn name(&self) -> &'static str {
        "AUDIT_EXPORT"
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

    async fn read(services: &Services, tenant: &OpenTenant, id: AuditExportId) -> Result<Option<Self>, StoreError> {
        audit_exports::get(&services.core, &tenant.scope, id).await
    }

    async fn create(&self, services: &Services, tenant: &OpenTenant, parts: Vec<Part>) -> Result<bool, StoreError> {
        audit_exports::create(&services.core, &tenant.scope, self, parts).await
    }

    async fn save(&self, services: &Services, tenant: &OpenTenant) -> Result<bool, StoreError> {
        audit_exports::save(&services.core, &tenant.scope, self).await
    }

    async fn send(services: &Services, tenant: TenantId, export: AuditExportId) -> Result<(), PlatformError> {
        services.audit_export_queue.send(&[ExportMessage { tenant, export }]).await
    }
}

impl FileJob for AuditExport {
    type Place = Reached;
    type Count = Added;

    fn parts(&self) -> Option<&FileParts> {
        Some(&self.file)
    }

    fn place(&self) -> Option<Reached> {
        self.reached.clone()
    }

    fn numbered(&self, upload: &str) -> Self {
        Self::numbered(self, upload)
    }

    fn uploaded(&self, part: Option<FilePart>, added: &Added, next: Option<Reached>) -> Self {
        Self::uploaded(self, part, added, next)
    }

    fn put_aside(&self, rest: &str, added: &Added, next: Reached) -> Self {
        self.set_aside(rest, added, next)
    }

    fn completed(&self, added: &Added, now: Timestamp) -> Self {
        self.written(added, now)
    }
}
