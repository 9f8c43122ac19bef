//! The signed-in user: tenant, roles and permissions come from their record, never from the request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::actor::{Actor, STAFF_EMAIL};
use switchboard_domain::change::Origin;
use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::{Grant, Permission, Scope, widest};
use switchboard_domain::person::{Role, User, UserStatus};
use switchboard_store::TenantScope;
use switchboard_store::people;
use switchboard_store::settings::Settings;
use switchboard_store::tenants::{self, OpenTenant};

use crate::error::AppError;
use crate::services::Services;

/// How long a user's record is believed without asking again; a disabled user is refused after at most this.
pub const BELIEVED: SignedDuration = SignedDuration::from_secs(20);

/// What the gateway says of a request.
#[derive(Debug, Clone, Default)]
pub struct RequestOrigin {
    /// The gateway's id of the request.
    pub request_id: String,
    /// The caller's address, as the gateway saw it.
    pub ip_address: Option<String>,
    /// The caller's own name for its program.
    pub user_agent: Option<String>,
}

/// A signed-in user within one request.
#[derive(Clone)]
pub struct Viewer {
    /// The tenant, with its keys.
    pub tenant: Arc<OpenTenant>,
    /// The tenant's statuses and roles.
    pub settings: Arc<Settings>,
    /// The user.
    pub user: Arc<User>,
    /// Where the request came from.
    pub request: RequestOrigin,
}

impl Viewer {
    /// The roles the user holds.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.user.roles.iter().filter_map(|id| self.settings.role(*id))
    }

    /// What the user may do.
    #[must_use]
    pub fn grants(&self) -> Vec<Grant> {
        self.roles().flat_map(|role| role.grants.iter().copied()).collect()
    }

    /// Whose records the user may do this with.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] when nobody's.
    pub fn scope(&self, permission: Permission) -> Result<Scope, AppError> {
        widest(&self.grants(), permission).ok_or(AppError::Forbidden)
    }

    /// That the user may do this with every record of the tenant.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] otherwise.
    pub fn require_all(&self, permission: Permission) -> Result<(), AppError> {
        if self.scope(permission)? == Scope::All { Ok(()) } else { Err(AppError::Forbidden) }
    }

    /// The user's entry in the staff directory.
    #[must_use]
    pub fn agent(&self) -> AgentId {
        self.user.id.into()
    }

    /// What the changes of this request carry.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let roles = self.roles().map(|role| role.code.clone()).collect();
        Origin {
            actor: Actor::user(self.user.id, &self.user.name, self.user.sealed_email.clone(), roles),
            request_id: Some(self.request.request_id.clone()),
            ip_address: self.request.ip_address.clone(),
            job: None,
            user_agent: self.request.user_agent.as_ref().map(|agent| agent.chars().take(255).collect()),
        }
    }

    /// An e-mail address of the staff.
    ///
    /// # Errors
    /// [`AppError::Broken`] when it isn't under the tenant's key for this user.
    pub fn staff_email(&self, user: &str, sealed: &[u8]) -> Result<String, AppError> {
        let bytes = self.tenant.keyring.open_for_tenant(STAFF_EMAIL, user, sealed).map_err(|error| AppError::Broken(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| AppError::Broken(error.to_string()))
    }
}

/// A user seen lately.
#[derive(Clone)]
struct Seen {
    user: Arc<User>,
    scope: TenantScope,
    at: Timestamp,
}

/// Users seen lately, by the subject of their tokens.
#[derive(Default)]
pub struct SignIns {
    seen: Mutex<HashMap<String, Seen>>,
}

impl SignIns {
    /// The viewer behind the subject of a verified token. 2 requests and 2 R at most every 20 seconds per user; with a cold cache 2 more
    /// requests for the tenant and its settings.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when there is no such user or they are disabled; those of the database.
    pub async fn viewer(&self, services: &Services, subject: &str, request: RequestOrigin) -> Result<Viewer, AppError> {
        let (user, scope) = self.user(services, subject).await?;
        if user.status == UserStatus::Disabled {
            return Err(AppError::Unauthenticated);
        }
        let tenant = services.tenants.open(scope.tenant()).await?.ok_or(AppError::Unauthenticated)?;
        let settings = services.tenants.settings(&scope).await?;
        Ok(Viewer { tenant, settings, user, request })
    }

    async fn user(&self, services: &Services, subject: &str) -> Result<(Arc<User>, TenantScope), AppError> {
        let now = services.clock.now();
        if let Some(seen) = self.lock().get(subject)
            && now.duration_since(seen.at) < BELIEVED
        {
            return Ok((Arc::clone(&seen.user), seen.scope));
        }
        self.lock().remove(subject);
        let (scope, id) = tenants::by_subject(&services.core, subject).await?.ok_or(AppError::Unauthenticated)?;
        let user = Arc::new(people::user(&services.core, &scope, id).await?.ok_or(AppError::Unauthenticated)?);
        self.lock().insert(subject.to_owned(), Seen { user: Arc::clone(&user), scope, at: now });
        Ok((user, scope))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
