//! What every use case works with.

use std::sync::Arc;

use switchboard_domain::clock::{Clock, Entropy};
use switchboard_platform::{Files, Identities, Queue};
use switchboard_store::CoreTable;
use switchboard_store::audit_events::AuditTable;

use crate::audit::AccessLog;
use crate::tenants::Tenants;

/// The database, the tenants' keys, the time and randomness.
#[derive(Clone)]
pub struct Services {
    /// The core table.
    pub core: CoreTable,
    /// The audit table.
    pub audit: AuditTable,
    /// Opened tenants and their settings.
    pub tenants: Arc<Tenants>,
    /// What is recorded of those who come, go, look and are refused.
    pub access: Arc<AccessLog>,
    /// The bucket that keeps what jobs found out, and exports.
    pub results: Files,
    /// The bucket that keeps the audit trail for good: events, the hashes of each day, and their seals.
    pub archive: Files,
    /// Where bulk jobs are sent.
    pub bulk_queue: Queue,
    /// Where exports of the audit trail are sent.
    pub audit_export_queue: Queue,
    /// Where the learning of scoring models is sent.
    pub score_train_queue: Queue,
    /// The identities with which users sign in.
    pub identities: Identities,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}
