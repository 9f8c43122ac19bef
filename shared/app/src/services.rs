//! What every use case works with.

use std::sync::Arc;

use switchboard_domain::clock::{Clock, Entropy};
use switchboard_platform::{Files, Identities, Queue};
use switchboard_store::CoreTable;
use switchboard_store::audit_events::AuditTable;

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
    /// The bucket that keeps what jobs found out, and exports.
    pub results: Files,
    /// Where bulk jobs are sent.
    pub bulk_queue: Queue,
    /// The identities with which users sign in.
    pub identities: Identities,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}
