//! Opened tenants and their settings, kept for half a minute; a keyring, once opened, for as long as the function stays warm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::clock::Clock;
use switchboard_domain::ids::{StatusId, TenantId};
use switchboard_domain::sealing::TenantKeyring;
use switchboard_platform::Keys;
use switchboard_store::settings::{self, Settings};
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_store::{CoreTable, TenantScope};

use crate::error::AppError;
use crate::viewer::is_young;

/// How long a tenant's record and settings are believed without asking again.
const BELIEVED: SignedDuration = SignedDuration::from_secs(30);

#[derive(Clone)]
struct Kept<T> {
    value: T,
    at: Timestamp,
}

/// The tenants this process has opened.
pub struct Tenants {
    core: CoreTable,
    keys: Keys,
    clock: Arc<dyn Clock>,
    open: Mutex<HashMap<TenantId, Kept<Arc<OpenTenant>>>>,
    settings: Mutex<HashMap<TenantId, Kept<Arc<Settings>>>>,
}

impl Tenants {
    /// None opened yet.
    #[must_use]
    pub fn new(core: CoreTable, keys: Keys, clock: Arc<dyn Clock>) -> Self {
        Self { core, keys, clock, open: Mutex::default(), settings: Mutex::default() }
    }

    /// Takes a tenant whose keyring is already open.
    pub fn keep(&self, tenant: OpenTenant) -> Arc<OpenTenant> {
        let tenant = Arc::new(tenant);
        let kept = Kept { value: Arc::clone(&tenant), at: self.clock.now() };
        lock(&self.open).insert(tenant.record.id, kept);
        tenant
    }

    /// Opens a tenant; none when it doesn't exist. At most 1 request and 1 R per half minute, and 1 KMS request per warm process.
    ///
    /// # Errors
    /// Those of the database and of the key service.
    pub async fn open(&self, id: TenantId) -> Result<Option<Arc<OpenTenant>>, AppError> {
        let known = lock(&self.open).get(&id).cloned();
        if let Some(known) = &known
            && self.is_fresh(known.at)
        {
            return Ok(Some(Arc::clone(&known.value)));
        }
        let Some((scope, record)) = tenants::load(&self.core, id).await? else {
            lock(&self.open).remove(&id);
            return Ok(None);
        };
        let keyring = match known {
            Some(known) if known.value.record.wrapped_keyring == record.wrapped_keyring => known.value.keyring.clone(),
            _ => {
                let bytes = self.keys.unwrap_keyring(id, &record.wrapped_keyring).await?;
                TenantKeyring::from_bytes(id, &bytes).map_err(|error| AppError::Broken(error.to_string()))?
            }
        };
        Ok(Some(self.keep(OpenTenant { scope, record, keyring })))
    }

    /// A tenant's statuses and roles. At most 1 request and 2 R per half minute.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn settings(&self, scope: &TenantScope) -> Result<Arc<Settings>, AppError> {
        let known = lock(&self.settings).get(&scope.tenant()).cloned();
        if let Some(known) = known
            && self.is_fresh(known.at)
        {
            return Ok(known.value);
        }
        let settings = Arc::new(settings::load(&self.core, scope).await?);
        lock(&self.settings).insert(scope.tenant(), Kept { value: Arc::clone(&settings), at: self.clock.now() });
        Ok(settings)
    }

    /// Forgets a tenant's settings because they changed: who asks next reads them anew. Other processes believe theirs for up to half a minute more.
    pub fn forget_settings(&self, scope: &TenantScope) {
        lock(&self.settings).remove(&scope.tenant());
    }

    /// Forgets a tenant's record because it changed, but not its keys. Other processes believe theirs for up to half a minute more.
    pub fn forget(&self, id: TenantId) {
        if let Some(kept) = lock(&self.open).get_mut(&id) {
            kept.at = Timestamp::MIN;
        }
    }

    /// The settings read again when those at hand don't know a status, which may have been made since; none when they do. 1 request and 2 R then.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn settings_knowing(&self, scope: &TenantScope, at_hand: &Settings, status: StatusId) -> Result<Option<Arc<Settings>>, AppError> {
        if at_hand.status(status).is_some() {
            return Ok(None);
        }
        let cached = self.settings(scope).await?;
        if cached.status(status).is_some() {
            return Ok(Some(cached));
        }
        self.forget_settings(scope);
        self.settings(scope).await.map(Some)
    }

    fn is_fresh(&self, at: Timestamp) -> bool {
        is_young(at, self.clock.now(), BELIEVED)
    }
}

/// A cache stays usable when a thread died holding it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
