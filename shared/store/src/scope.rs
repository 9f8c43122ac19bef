//! The proof that a request acts for one tenant. There is no way to build one but from a record of the table.

use switchboard_domain::ids::TenantId;

use crate::keys::tenant_prefix;

/// Bytes of what every partition key of a tenant starts with.
const PREFIX: usize = 29;

/// A tenant that a record of the table vouched for: a user's subject, a drop folder's slug, or the tenant itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantScope {
    tenant: TenantId,
    prefix: [u8; PREFIX],
}

impl TenantScope {
    /// Only the modules of this crate that have just read such a record call this.
    pub(crate) fn vouched(tenant: TenantId) -> Self {
        let mut prefix = [0; PREFIX];
        for (place, byte) in prefix.iter_mut().zip(tenant_prefix(tenant).bytes()) {
            *place = byte;
        }
        Self { tenant, prefix }
    }

    /// What every partition key of the tenant starts with.
    pub(crate) fn prefix(&self) -> &str {
        std::str::from_utf8(&self.prefix).unwrap_or_default()
    }

    /// Whether a partition key is the tenant's.
    pub(crate) fn holds(&self, pk: &str) -> bool {
        pk.as_bytes().starts_with(&self.prefix)
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
}
