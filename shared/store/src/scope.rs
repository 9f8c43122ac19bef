//! The proof that a request acts for one tenant. There is no way to build one but from a record of the table.

use switchboard_domain::ids::TenantId;

/// A tenant that a record of the table vouched for: a user's subject, a drop folder's slug, or the tenant itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantScope {
    tenant: TenantId,
}

impl TenantScope {
    /// Only the modules of this crate that have just read such a record call this.
    pub(crate) fn vouched(tenant: TenantId) -> Self {
        Self { tenant }
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
}
