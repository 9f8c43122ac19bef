//! A status as clients see it.

use async_graphql::{ID, Object};
use switchboard_domain::status;

use crate::audit::AuditActor;
use crate::node_id::NodeId;
use crate::scalars::DateTime;

/// A status that contacts of the tenant can have.
#[derive(Clone)]
pub(crate) struct ContactStatus(pub(crate) status::ContactStatus);

#[Object]
impl ContactStatus {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::ContactStatus(self.0.id).to_id()
    }

    /// A snake_case word, unique in the tenant, which never changes.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What people read, unique in the tenant.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// `#RRGGBB`.
    async fn color(&self) -> &str {
        &self.0.color
    }

    /// Its place among the statuses; lower is called first.
    async fn order(&self) -> i32 {
        self.0.order.into()
    }

    /// Contacts with it are not offered for calling.
    async fn exclude_from_call_list(&self) -> bool {
        self.0.exclude_from_call_list
    }

    /// It has a meaning in the rules of the product.
    async fn system(&self) -> bool {
        self.0.system
    }

    /// It may be deleted, once no contact has it.
    async fn deletable(&self) -> bool {
        !self.0.system
    }

    /// When it was deleted. It stays for contacts that were given it at that moment.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.0.deleted_at.map(DateTime)
    }

    /// Counts its changes: give it as `expectedVersion`.
    async fn version(&self) -> u32 {
        self.0.record.version
    }

    /// Who made it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.record.created_by.clone())
    }

    /// Who changed it last, as they were then.
    async fn updated_by(&self) -> AuditActor {
        AuditActor(self.0.record.last_change.origin.actor.clone())
    }
}
